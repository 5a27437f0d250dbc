//! Write-Attributes (OMA LwM2M 1.0, 5.4.4): how the server that asks wants to be notified.

use coap_codec::{Code, MessageWriter};

use super::operation::Operation;
use super::read::readable;
use super::{Effect, Effects, Target, resolve};
use crate::base::attributes::Assigned;
use crate::base::rights::Rights;
use crate::base::value::DataType;
use crate::model::{Ctx, DataModel, Refusal};

/// All arguments take effect, or none does.
pub(super) fn serve(
    ctx: &Ctx,
    operation: &Operation<'_>,
    assigned: &dyn Assigned,
    model: &dyn DataModel,
    writer: &mut MessageWriter<'_>,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let path = operation.path;
    let target = resolve(ctx, path, Rights::READ, model)?;
    // Only what can be read can be told of: 4.05 for an executable resource.
    readable(&target)?;
    let mut attributes = assigned.at(path);
    let mut named = 0u8;
    for argument in operation.query() {
        let name = attributes.assign(argument).ok_or(Code::BAD_REQUEST)?;
        let bit = 1 << name as u8;
        let twice = named & bit != 0;
        if twice || (name.is_threshold() && !is_numeric(&target)) {
            return Err(Code::BAD_REQUEST.into());
        }
        named |= bit;
    }
    if !attributes.is_consistent() {
        return Err(Code::BAD_REQUEST.into());
    }
    if !attributes.is_empty() && !assigned.has_room(path) {
        return Err(Code::SERVICE_UNAVAILABLE.into());
    }
    writer.restart(Code::CHANGED);
    effects.effect = Some(Effect::Assigned(path, attributes));
    Ok(())
}

/// Whether thresholds can be set: on a resource of numbers, not above one (OMA LwM2M 1.0, 5.1.2).
fn is_numeric(target: &Target) -> bool {
    target.resource.is_some_and(|resource| match resource.data_type {
        // A time is a number of seconds: with a step a clock tells of itself every so often.
        DataType::Integer | DataType::UnsignedInteger | DataType::Float | DataType::Time => true,
        DataType::String
        | DataType::Boolean
        | DataType::Opaque
        | DataType::ObjectLink
        | DataType::CoreLink
        | DataType::None => false,
    })
}
