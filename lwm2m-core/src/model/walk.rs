//! The one way in which values leave a model: for answers, notifications and change detection.

use coap_codec::{Code, WriteError};

use super::{Ctx, DataModel, ObjectDef, Refusal};
use crate::base::path::{Leaf, Path};
use crate::format::Encode;

/// Gives the readable values below `path` to `out`.
pub(crate) fn values(ctx: &Ctx, path: Path, model: &dyn DataModel, out: &mut dyn Encode) -> Result<(), Refusal> {
    let object = path.object_id().and_then(|id| model.object(id)).ok_or(Code::NOT_FOUND)?;
    match (path.instance_id(), path.resource_id()) {
        (None, _) => {
            let mut after = None;
            while let Some(instance) = model.next_instance(object.id, after) {
                out.open_instance(instance)?;
                instance_values(ctx, object, instance, model, out)?;
                out.close()?;
                after = Some(instance);
            }
            Ok(())
        }
        (Some(instance), None) => instance_values(ctx, object, instance, model, out),
        (Some(instance), Some(resource)) => resource_values(ctx, object, instance, resource, model, out),
    }
}

fn instance_values(
    ctx: &Ctx,
    object: &'static ObjectDef,
    instance: u16,
    model: &dyn DataModel,
    out: &mut dyn Encode,
) -> Result<(), Refusal> {
    let mut after = None;
    while let Some(resource) = model.next_resource(object.id, instance, after) {
        if object.resource(resource).is_some_and(|definition| definition.operations.readable()) {
            resource_values(ctx, object, instance, resource, model, out)?;
        }
        after = Some(resource);
    }
    Ok(())
}

fn resource_values(
    ctx: &Ctx,
    object: &'static ObjectDef,
    instance: u16,
    resource: u16,
    model: &dyn DataModel,
    out: &mut dyn Encode,
) -> Result<(), Refusal> {
    let definition = object.resource(resource).ok_or(Code::NOT_FOUND)?;
    let at = Leaf::new(object.id, instance, resource);
    if definition.multiple {
        out.open_multiple(resource)?;
        model.read(ctx, at, out)?;
        return Ok(out.close()?);
    }
    model.read(ctx, at, out)
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

impl From<WriteError> for Refusal {
    /// An answer that does not fit its datagram (block-wise transfer may come to help).
    fn from(_: WriteError) -> Self {
        Self::Code(Code::INTERNAL_SERVER_ERROR)
    }
}
