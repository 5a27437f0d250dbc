//! What there is, for a server that asks without knowing LwM2M: GET `/.well-known/core` (RFC 6690;
//! RFC 7252, section 7.2).

use coap_codec::{Code, ContentFormat, MessageWriter};

use super::content::{self, Head};
use super::operation::Operation;
use crate::base::attributes::halves;
use crate::base::config::LONGEST_ROOT;
use crate::base::path::Path;
use crate::format::{LinkWriter, Output};
use crate::model::{DataModel, Refusal, list};
use crate::objects::SECURITY;

/// The longest link: to the root, or to an instance.
const LONGEST: usize = LONGEST_ROOT + 64;

/// Answers `</>;rt="oma.lwm2m",</1/0>,</3/0>`: the links of Register, Security never among them, and in
/// front of them where LwM2M is. With a query only those that it asks for, which may be none.
pub(super) fn serve(
    operation: &Operation<'_>,
    model: &dyn DataModel,
    writer: &mut MessageWriter<'_>,
) -> Result<(), Refusal> {
    if operation.accept.is_some_and(|accept| accept != ContentFormat::LINK_FORMAT) {
        return Err(Code::NOT_ACCEPTABLE.into());
    }
    let head = Head { sequence: None, format: ContentFormat::LINK_FORMAT, block: operation.block2 };
    let root = operation.places.root;
    content::write(head, writer, &mut |output| {
        let mut links = LinkWriter::new(output);
        let mut add = |version, path: Path| {
            let mut room = [0; LONGEST];
            let mut link = LinkWriter::new(Output::new(&mut room));
            match path {
                Path::ROOT => link.root(root, true),
                path => link.object(root, version, path),
            };
            let length = link.finish().unwrap_or(0);
            let link = room.get(..length).unwrap_or_default();
            // All of the arguments, if there are several (own: RFC 6690, section 4.1, has one).
            if operation.query().all(|argument| matches(link, argument)) {
                links.written(link);
            }
        };
        add((1, 0), Path::ROOT);
        list::visit(model, None, &mut |object, path| {
            if object.id != SECURITY {
                add(object.version, path);
            }
        });
        Ok(links.finish()?)
    })
}

/// Whether a link that was just written has what an argument asks for, `href=/3*` or `rt=oma.lwm2m` (RFC 6690, section
/// 4.1). None of its values has a space, a quotation mark or a semicolon in it.
fn matches(link: &[u8], argument: &[u8]) -> bool {
    let (name, pattern) = halves(argument, b'=');
    let pattern = pattern.unwrap_or(b"*");
    let fits = |text: &[u8]| match pattern.strip_suffix(b"*") {
        Some(prefix) => text.starts_with(prefix),
        None => text == pattern,
    };
    let inside = |text: &[u8]| text.get(1..text.len().saturating_sub(1)).is_some_and(fits);
    let (target, mut attributes) = halves(link, b';');
    if name == b"href" {
        return inside(target);
    }
    while let Some(rest) = attributes {
        let (attribute, others) = halves(rest, b';');
        attributes = others;
        if let (own, Some(value)) = halves(attribute, b'=')
            && own == name
        {
            return if value.starts_with(b"\"") { inside(value) } else { fits(value) };
        }
    }
    false
}
