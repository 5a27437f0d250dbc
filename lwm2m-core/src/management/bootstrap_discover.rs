//! Bootstrap-Discover (OMA LwM2M 1.0, 5.2.7.3): which accounts and instances there are.

use coap_codec::{Code, ContentFormat, MessageWriter};

use super::content::{self, Head};
use super::no_query;
use super::operation::Operation;
use crate::base::path::Path;
use crate::format::LinkWriter;
use crate::model::{DataModel, Joined, Refusal, list};
use crate::objects::{Accounts, SECURITY, SERVER, security, server};

/// Answers `lwm2m="1.0",</0/0>;ssid=101,</0/1>,</1/0>;ssid=101,</3/0>`: of all objects, or of one.
pub(super) fn serve(
    operation: &Operation<'_>,
    model: &Joined<'_, Accounts, dyn DataModel + '_>,
    writer: &mut MessageWriter<'_>,
) -> Result<(), Refusal> {
    let path = operation.path;
    let only = path.object_id();
    if only.is_some_and(|object| model.object(object).is_none()) {
        return Err(Code::NOT_FOUND.into());
    }
    if path.depth() > 1 {
        return Err(Code::BAD_REQUEST.into());
    }
    no_query(operation)?;
    let head = Head { sequence: None, format: ContentFormat::LINK_FORMAT, block: operation.block2 };
    content::write(head, writer, &mut |output| {
        let mut links = LinkWriter::new(output);
        links.enabler_version();
        list::visit(model, only, &mut |object, path| {
            links.path("", path);
            if let Some(id) = short_server_id(path, model.0) {
                links.attribute("ssid").uint(id);
            }
            links.version(object.version, path);
        });
        Ok(links.finish()?)
    })
}

/// The Short Server ID of a server account; the bootstrap account has none.
fn short_server_id(path: Path, accounts: &Accounts) -> Option<u64> {
    let row = accounts.row(path.object_id()?, path.instance_id()?)?;
    let id = match path.object_id()? {
        SECURITY if !row.is_bootstrap_server() => row.number(security::SHORT_SERVER_ID),
        SERVER => row.number(server::SHORT_SERVER_ID),
        _ => None,
    };
    id.map(u64::from)
}
