//! Execute (OMA LwM2M 1.0, 5.4.5).

use coap_codec::{Code, MessageWriter};

use super::operation::Operation;
use super::{no_query, resolve};
use crate::base::path::Leaf;
use crate::base::rights::Rights;
use crate::format::Format;
use crate::model::{Args, Ctx, DataModel, Refusal};

/// Checks an Execute as far as it can be without its arguments.
pub(super) fn admit(ctx: &Ctx, operation: &Operation<'_>, model: &dyn DataModel) -> Result<Leaf, Code> {
    let path = operation.path;
    let target = resolve(ctx, path, Rights::EXECUTE, model)?;
    let (Some(resource), Some(instance)) = (target.resource, path.instance_id()) else {
        return Err(Code::METHOD_NOT_ALLOWED);
    };
    if !resource.operations.executable() {
        return Err(Code::METHOD_NOT_ALLOWED);
    }
    no_query(operation)?;
    let text = |number| Format::named(number, operation.places.legacy).is_some_and(Format::is_text);
    if !operation.content_format.is_none_or(text) {
        return Err(Code::UNSUPPORTED_CONTENT_FORMAT);
    }
    Ok(Leaf::new(target.object.id, instance, resource.id))
}

pub(super) fn serve(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &mut dyn DataModel,
    writer: &mut MessageWriter<'_>,
) -> Result<(), Refusal> {
    let at = admit(ctx, operation, model)?;
    let args = Args::parse(operation.payload).map_err(|_| Refusal::Code(Code::BAD_REQUEST))?;
    model.execute(ctx, at, args)?;
    writer.restart(Code::CHANGED);
    Ok(())
}
