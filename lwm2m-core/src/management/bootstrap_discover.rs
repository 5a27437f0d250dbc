//! Bootstrap-Discover (OMA LwM2M 1.0, 5.2.7.3): which accounts and instances there are.

use coap_codec::{Code, ContentFormat, MessageWriter};

use super::content::{self, Head};
use super::no_query;
use super::operation::Operation;
use crate::base::path::{Leaf, Path};
use crate::base::value::{Sink, Stop, Value};
use crate::format::LinkWriter;
use crate::model::{Ctx, DataModel, Refusal, list};
use crate::objects::{SECURITY, SERVER, security, server};

/// Answers `lwm2m="1.0",</0/0>;ssid=101,</0/1>,</1/0>;ssid=101,</3/0>`: of all objects, or of one.
pub(super) fn serve(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &dyn DataModel,
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
            if let Some(id) = short_server_id(ctx, path, model) {
                links.attribute("ssid").uint(id);
            }
            links.version(object.version, path);
        });
        Ok(links.finish()?)
    })
}

/// The Short Server ID of a server account; the bootstrap account has none.
fn short_server_id(ctx: &Ctx, path: Path, model: &dyn DataModel) -> Option<u64> {
    let instance = path.instance_id()?;
    let resource = match path.object_id()? {
        SECURITY => security::SHORT_SERVER_ID,
        SERVER => server::SHORT_SERVER_ID,
        _ => return None,
    };
    let mut sink = Integer(None);
    model.read(ctx, Leaf::new(path.object_id()?, instance, resource), &mut sink).ok()?;
    sink.0
}

/// Keeps the number that it is given.
struct Integer(Option<u64>);

impl Sink for Integer {
    fn value(&mut self, _: Leaf, value: Value<'_>) -> Result<(), Stop> {
        if let Value::Int(number) = value {
            self.0 = u64::try_from(number).ok();
        }
        Ok(())
    }

    fn opaque(&mut self, _: Leaf, _: usize, _: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        Ok(())
    }
}
