//! Writes whose payload comes in blocks: what can be checked before it is whole, and one large opaque
//! resource that the model takes as it comes (RFC 7959, section 2.5).

use coap_codec::{Code, MessageWriter};

use super::operation::{Kind, Operation};
use super::{Effect, Effects, change, execute};
use crate::base::definition::Range;
use crate::base::event::Event;
use crate::base::path::{Leaf, Path};
use crate::base::value::DataType;
use crate::model::list::has_resource;
use crate::model::{Ctx, DataModel, Origin, Part, Refusal, ResourceDef, refusing};

/// Checks a request as far as it can be without its whole payload: the checks before those of the
/// values, in their order. The resource that may take the payload block by block, if it is one.
///
/// # Errors
/// The code of the first fault.
pub(crate) fn admit(ctx: &Ctx, operation: &Operation<'_>, model: &dyn DataModel) -> Result<Option<Leaf>, Code> {
    let subject = match (operation.kind, ctx.origin) {
        (Kind::Replace | Kind::Update | Kind::Create, _) => change::admit(ctx, operation, model)?,
        (Kind::Execute, Origin::Server(_) | Origin::Local) => {
            return execute::admit(ctx, operation, model).map(|_| None);
        }
        _ => return Err(Code::METHOD_NOT_ALLOWED),
    };
    let bytes = subject.format.is_opaque();
    let opaque = |resource: &&ResourceDef| !resource.multiple && resource.data_type == DataType::Opaque;
    let Some((resource, instance)) = subject.resource.filter(opaque).zip(operation.path.instance_id()) else {
        return Ok(None);
    };
    let there = has_resource(model, subject.object.id, instance, resource.id);
    Ok((bytes && there).then_some(Leaf::new(subject.object.id, instance, resource.id)))
}

/// How a part was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Streamed {
    /// The value is to be collected: the model takes this resource as a whole only.
    Unwanted,
    Taken,
    /// Not yet: the application takes its time.
    Later,
    /// The transfer is over, with this answer.
    Refused(Code),
}

/// Gives a part to the model, and writes the answer to the last one.
pub(crate) fn stream(
    ctx: &Ctx,
    at: Leaf,
    part: Part<'_>,
    model: &mut dyn DataModel,
    writer: &mut MessageWriter<'_>,
    effects: &mut Effects,
) -> Streamed {
    if !in_range(at, &part, model) {
        return Streamed::Refused(Code::BAD_REQUEST);
    }
    match model.stream(ctx, at, part) {
        Ok(()) => {}
        Err(Refusal::Later) if ctx.ticket.is_some() => return Streamed::Later,
        Err(Refusal::Later) => return Streamed::Refused(Code::SERVICE_UNAVAILABLE),
        Err(Refusal::Code(Code::METHOD_NOT_ALLOWED)) if part.offset == 0 => return Streamed::Unwanted,
        Err(Refusal::Code(code)) => return Streamed::Refused(refusing(code)),
    }
    // What stands beside the value may tell of it: /5/0/3 of /5/0/0.
    let beside = Path::instance(at.object, at.instance);
    if part.last {
        writer.restart(Code::CHANGED);
        effects.news = Some(Event::Written { origin: ctx.origin, path: at.path() });
    }
    if part.last || part.offset == 0 {
        effects.effect = Some(Effect::Changed(beside, None));
    }
    Streamed::Taken
}

/// Whether the value can still have a length that its definition allows.
fn in_range(at: Leaf, part: &Part<'_>, model: &dyn DataModel) -> bool {
    let definition = model.object(at.object).and_then(|object| object.resource(at.resource));
    let Some(Range::Length(low, high)) = definition.map(|definition| definition.range) else { return true };
    let end = usize::try_from(part.offset).unwrap_or(usize::MAX).saturating_add(part.bytes.len());
    end <= high && (!part.last || end >= low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::definition::{ObjectDef, Operations};
    use crate::base::time::Instant;
    use crate::base::value::Sink;
    use coap_codec::{Header, MessageId, MessageType, Token};

    static SAFE: ObjectDef = ObjectDef::new(
        30_000,
        "Safe",
        &[
            ResourceDef::new(0, "Code", Operations::W, DataType::Opaque).range(Range::Length(3, 6)),
            ResourceDef::new(1, "Treasure", Operations::W, DataType::Opaque),
        ],
    );

    struct Safe;

    impl DataModel for Safe {
        fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
            after.is_none_or(|after| after < SAFE.id).then_some(&SAFE)
        }

        fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
            after.is_none().then_some(0)
        }

        fn next_resource(&self, _: u16, _: u16, _: Option<u16>) -> Option<u16> {
            None
        }

        fn stream(&mut self, _: &Ctx, _: Leaf, _: Part<'_>) -> Result<(), Refusal> {
            Ok(())
        }

        fn read(&self, _: &Ctx, _: Leaf, _: &mut dyn Sink) -> Result<(), Refusal> {
            Ok(())
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_refused_at_once_and_one_too_short_at_its_end() {
        for (resource, offset, bytes, last, expected) in [
            (0, 0, &b"ab"[..], false, true),
            (0, 2, b"cdef", false, true),
            (0, 2, b"cdefg", false, false),
            (0, 2, b"cdefg", true, false),
            (0, 2, b"", true, false),
            (0, 2, b"c", true, true),
            (0, 0, b"abcdef", true, true),
            (0, u64::MAX, b"a", false, false),
            (1, 0, b"", true, true),
            (1, 1 << 30, b"a", false, true),
        ] {
            let part = Part { offset, bytes, last, total: None };
            assert_eq!(in_range(Leaf::new(SAFE.id, 0, resource), &part, &Safe), expected, "{resource} {part:?}");
        }
    }

    #[test]
    fn what_is_beside_a_value_changed_with_its_first_part_and_its_last() {
        let ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::ZERO };
        for (offset, last, changed) in [(0, false, true), (16, false, false), (16, true, true), (0, true, true)] {
            let mut buffer = [0; 32];
            let header =
                Header { message_type: MessageType::Acknowledgement, code: Code::CONTENT, message_id: MessageId(1) };
            let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
            let mut effects = Effects::default();
            let part = Part { offset, bytes: b"a", last, total: None };
            let at = Leaf::new(SAFE.id, 0, 1);
            let streamed = stream(&ctx, at, part, &mut Safe, &mut writer, &mut effects);
            assert!(matches!(streamed, Streamed::Taken));
            assert_eq!(effects.effect.is_some(), changed, "{offset} {last}");
        }
    }
}
