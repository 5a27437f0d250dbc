//! The one way in which values leave a model: for answers, notifications and change detection.

use coap_codec::{Code, WriteError};

use super::resources::Checked;
use super::{Ctx, DataModel, ObjectDef, Refusal, ResourceDef};
use crate::base::features::SHORTCUTS;
use crate::base::path::Path;
use crate::base::rights::Rights;
use crate::format::{Encode, Encoder};

/// What a path names, as the model defines it.
pub(crate) struct Target {
    pub(crate) object: &'static ObjectDef,
    pub(crate) resource: Option<&'static ResourceDef>,
}

impl Target {
    pub(crate) fn of(path: Path, model: &dyn DataModel) -> Result<Self, Code> {
        let object = path.object_id().and_then(|id| model.object(id)).ok_or(Code::NOT_FOUND)?;
        let resource = match path.resource_id() {
            Some(id) => Some(object.resource(id).ok_or(Code::NOT_FOUND)?),
            None => None,
        };
        Ok(Self { object, resource })
    }
}

/// Writes the readable values below `path`; how many bytes they are.
pub(crate) fn encode(ctx: &Ctx, path: Path, model: &dyn DataModel, encoder: Encoder<'_>) -> Result<usize, Refusal> {
    encode_target(ctx, path, &Target::of(path, model)?, model, encoder)
}

/// The same where it is known what `path` names.
pub(crate) fn encode_target(
    ctx: &Ctx,
    path: Path,
    target: &Target,
    model: &dyn DataModel,
    mut encoder: Encoder<'_>,
) -> Result<usize, Refusal> {
    match (&mut encoder, target.resource) {
        (Encoder::Single(_), None) => return Err(Code::NOT_ACCEPTABLE.into()),
        (encoder, _) if !SHORTCUTS => target_values::<dyn Encode>(ctx, path, target, model, encoder.as_encode())?,
        // What nearly everything is written in is written without a detour.
        (Encoder::Tlv(writer), _) => target_values(ctx, path, target, model, writer)?,
        (Encoder::Single(writer), Some(resource)) => resource_values(ctx, path, resource, model, writer)?,
        #[cfg(feature = "json")]
        (Encoder::Json(writer), _) => target_values::<dyn Encode>(ctx, path, target, model, writer)?,
    }
    Ok(encoder.finish()?)
}

/// Whether whoever asks may read what `path` names now; of an object, what it may not read is left out.
pub(crate) fn is_allowed(ctx: &Ctx, path: Path, model: &dyn DataModel) -> bool {
    let (Some(object), Some(instance)) = (path.object_id(), path.instance_id()) else { return true };
    model.rights(ctx, object, instance).contains(Rights::READ)
}

/// Gives the readable values below `path` to `out`. Of an object, instances that whoever asks has no right
/// to read are left out; to anything below, the right is checked before.
pub(crate) fn values<E: Encode + ?Sized>(
    ctx: &Ctx,
    path: Path,
    model: &dyn DataModel,
    out: &mut E,
) -> Result<(), Refusal> {
    target_values(ctx, path, &Target::of(path, model)?, model, out)
}

fn target_values<E: Encode + ?Sized>(
    ctx: &Ctx,
    path: Path,
    target: &Target,
    model: &dyn DataModel,
    out: &mut E,
) -> Result<(), Refusal> {
    let object = target.object;
    match (path.instance_id(), target.resource) {
        (None, _) => {
            let mut after = None;
            while let Some(instance) = model.next_instance(object.id, after) {
                after = Some(instance);
                if !model.rights(ctx, object.id, instance).contains(Rights::READ) {
                    continue;
                }
                out.open_instance(instance)?;
                instance_values(ctx, object, instance, model, out)?;
                out.close()?;
            }
            Ok(())
        }
        (Some(instance), None) => instance_values(ctx, object, instance, model, out),
        (Some(_), Some(resource)) => resource_values(ctx, path, resource, model, out),
    }
}

fn instance_values<E: Encode + ?Sized>(
    ctx: &Ctx,
    object: &'static ObjectDef,
    instance: u16,
    model: &dyn DataModel,
    out: &mut E,
) -> Result<(), Refusal> {
    let mut resources = Checked::new(object.id, instance, out);
    model.read_instance(ctx, object.id, instance, &mut resources)?;
    Ok(resources.end()?)
}

fn resource_values<E: Encode + ?Sized>(
    ctx: &Ctx,
    path: Path,
    definition: &'static ResourceDef,
    model: &dyn DataModel,
    out: &mut E,
) -> Result<(), Refusal> {
    let at = path.leaf().ok_or(Code::NOT_FOUND)?;
    let mut resources = Checked::new(at.object, at.instance, out);
    resources.begin(definition)?;
    model.read(ctx, at, &mut resources)?;
    Ok(resources.end()?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::definition::Operations;
    use crate::base::origin::Origin;
    use crate::base::path::Leaf;
    use crate::base::time::Instant;
    use crate::base::value::{DataType, Sink, Stop, Value};
    use crate::format::{Format, Output};

    const fn one(id: u16, data_type: DataType) -> ResourceDef {
        ResourceDef::new(id, "", Operations::R, data_type)
    }

    static TYPES: ObjectDef = ObjectDef::new(
        9,
        "",
        &[
            one(0, DataType::String),
            one(1, DataType::Integer),
            one(2, DataType::UnsignedInteger),
            one(3, DataType::Float),
            one(4, DataType::Boolean),
            one(5, DataType::Opaque),
            one(6, DataType::Time),
            one(7, DataType::ObjectLink),
            one(8, DataType::CoreLink),
            one(10, DataType::Integer).multiple(),
        ],
    );

    /// Gives what it is told to, whatever it is asked for.
    struct Gives<F>(F);

    impl<F: Fn(&mut dyn Sink) -> Result<(), Stop>> DataModel for Gives<F> {
        fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
            after.is_none_or(|after| after < TYPES.id).then_some(&TYPES)
        }

        fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
            after.is_none().then_some(0)
        }

        fn next_resource(&self, _: u16, _: u16, after: Option<u16>) -> Option<u16> {
            TYPES.resources.iter().map(|resource| resource.id).find(|id| after.is_none_or(|after| *id > after))
        }

        fn read(&self, _: &Ctx, _: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
            Ok(self.0(out)?)
        }
    }

    /// Reads a resource, and tells how many bytes of TLV it gave.
    fn read(resource: u16, give: impl Fn(&mut dyn Sink) -> Result<(), Stop>) -> Result<usize, Refusal> {
        let ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::ZERO };
        let path = Path::resource(9, 0, resource);
        let mut room = [0; 64];
        encode(&ctx, path, &Gives(give), Encoder::new(Format::TLV, path, Output::new(&mut room)))
    }

    const WRONG_CODE: Result<(), Code> = Err(Code::INTERNAL_SERVER_ERROR);
    const WRONG: Result<usize, Refusal> = Err(Refusal::Code(Code::INTERNAL_SERVER_ERROR));

    #[test]
    fn a_value_is_of_the_type_that_the_definition_says() {
        for (value, types) in [
            (Value::Str("a"), &[0, 8][..]),
            (Value::Corelnk("a"), &[8]),
            (Value::Int(5), &[1, 2, 6]),
            (Value::Int(0), &[1, 2, 6]),
            (Value::Int(-5), &[1, 6]),
            (Value::Time(5), &[6]),
            (Value::Uint(5), &[2]),
            (Value::Float(5.0), &[3]),
            (Value::Bool(true), &[4]),
            (Value::Opaque(b"a"), &[5]),
            (Value::Link(66, 0), &[7]),
        ] {
            for id in 0..9 {
                let read = read(id, |out| out.value(Leaf::new(9, 0, id), value));
                assert_eq!(read.is_ok(), types.contains(&id), "{value:?} in resource {id}");
                assert!(read.is_ok() || read == WRONG);
            }
        }
        for id in 0..9 {
            let read = read(id, |out| out.opaque(Leaf::new(9, 0, id), 2, &mut |_, _| ()));
            assert_eq!(read, if id == 5 { Ok(4) } else { WRONG });
        }
    }

    #[test]
    fn a_value_is_that_of_the_resource_that_was_asked_for() {
        let int = |out: &mut dyn Sink, at| out.value(at, Value::Int(5));
        let at = Leaf::new(9, 0, 1);
        assert_eq!(read(1, |out| int(out, at)), Ok(3));
        for wrong in [Leaf::new(9, 0, 2), Leaf::new(9, 1, 1), Leaf::new(8, 0, 1), at.at(0)] {
            assert_eq!(read(1, |out| int(out, wrong)), WRONG, "{wrong}");
        }
        assert_eq!(read(1, |out| int(out, at).and_then(|()| int(out, at))), WRONG, "one value only");
    }

    #[test]
    fn values_of_a_multiple_resource_have_ascending_indices() {
        let at = Leaf::new(9, 0, 10);
        let several = |indices: &'static [u16]| {
            read(10, move |out| indices.iter().try_for_each(|index| out.value(at.at(*index), Value::Int(5))))
        };
        assert_eq!(several(&[]), Ok(2));
        assert_eq!(several(&[0, 1, 65_535]), Ok(13));
        assert_eq!(several(&[1, 0]), WRONG);
        assert_eq!(several(&[1, 1]), WRONG);
        assert_eq!(read(10, |out| out.value(at, Value::Int(5))), WRONG);
        assert_eq!(read(10, |out| out.value(Leaf::new(9, 0, 1).at(0), Value::Int(5))), WRONG);
    }

    #[test]
    fn a_refusal_that_the_model_overlooks_is_still_one() {
        let at = Leaf::new(9, 0, 1);
        let careless = |out: &mut dyn Sink| {
            let _ = out.value(at, Value::Str("5"));
            let _ = out.value(at, Value::Int(5));
            Ok(())
        };
        assert_eq!(read(1, careless), WRONG);
        // Also one for want of room.
        let long = |out: &mut dyn Sink| {
            assert_eq!(out.value(Leaf::new(9, 0, 0), Value::Str(&"long".repeat(20))).map_err(Stop::code), WRONG_CODE);
            let _ = out.value(Leaf::new(9, 0, 0), Value::Str("short"));
            Ok(())
        };
        assert_eq!(read(0, long), WRONG);
    }
}
