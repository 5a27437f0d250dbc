//! What there is, for a server that asks without knowing LwM2M: GET `/.well-known/core` (RFC 6690;
//! RFC 7252, section 7.2).

use coap_codec::link_format::Links;
use coap_codec::{Code, ContentFormat, MessageWriter};

use super::content::{self, Head};
use super::operation::Operation;
use crate::base::config::LONGEST_ROOT;
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
        let mut add = |link: &dyn Fn(&mut LinkWriter<'_>)| {
            if wanted(operation, link) {
                link(&mut links);
            }
        };
        add(&|links| {
            links.root(root, true);
        });
        list::visit(model, None, &mut |object, path| {
            if object.id != SECURITY {
                add(&|links| {
                    links.object(root, object.version, path);
                });
            }
        });
        Ok(links.finish()?)
    })
}

/// Whether the query asks for a link: all of its arguments, if there are several (own: RFC 6690,
/// section 4.1, has one).
fn wanted(operation: &Operation<'_>, link: &dyn Fn(&mut LinkWriter<'_>)) -> bool {
    let mut query = operation.query();
    if query.clone().next().is_none() {
        return true;
    }
    let mut room = [0; LONGEST];
    let mut writer = LinkWriter::new(Output::new(&mut room));
    link(&mut writer);
    let length = writer.finish().unwrap_or(0);
    let text = room.get(..length).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default();
    let Some(Ok(link)) = Links::new(text).next() else { return false };
    query.all(|argument| core::str::from_utf8(argument).is_ok_and(|argument| link.matches(argument)))
}
