//! Write, Create and Delete (OMA LwM2M 1.0, 5.4.3, 5.4.6, 5.4.7), and what a bootstrap server does
//! with them (5.2.7).
//!
//! A request is a set of changes: all are checked before the first one is applied.

use alloc::vec::Vec;

use coap_codec::{Code, MessageWriter, OptionNumber};

use super::operation::{Kind, Operation};
use super::{Target, no_query, payload_format, resolve};
use crate::base::config::{AccessControl, segments};
use crate::base::path::{MAX_ID, Path};
use crate::base::rights::Rights;
use crate::format::{Format, Payload, Unknown, Values};
use crate::model::list::has_instance;
use crate::model::{Action, Change, Ctx, DataModel, Joined, ObjectDef, Origin, Refusal, ResourceDef};
use crate::objects::rows::Row;
use crate::objects::{ACCESS_CONTROL, Accounts};

/// What a request that changes something is about, as far as it is known without its payload.
pub(super) struct Subject {
    pub(super) object: &'static ObjectDef,
    pub(super) resource: Option<&'static ResourceDef>,
    pub(super) format: Format,
}

/// Checks a Write, a Create or a Bootstrap-Write as far as it can be without its payload.
pub(super) fn admit(ctx: &Ctx, operation: &Operation<'_>, model: &dyn DataModel) -> Result<Subject, Code> {
    let path = operation.path;
    let Target { object, resource } = match (operation.kind, ctx.origin) {
        (Kind::Replace, Origin::Bootstrap) => Target::of(path, model).map_err(|_| Code::BAD_REQUEST)?,
        (Kind::Update | Kind::Create, Origin::Bootstrap) => return Err(Code::METHOD_NOT_ALLOWED),
        (Kind::Create, _) => resolve(ctx, path, Rights::CREATE, model)?,
        _ => resolve(ctx, path, Rights::WRITE, model)?,
    };
    let fits = match operation.kind {
        _ if ctx.origin == Origin::Bootstrap => true,
        // The one instance of a mandatory object is the client's to make (OMA ETS 1.0, test 680).
        Kind::Create => !is_permanent(object),
        _ => path.depth() > 1 && resource.is_none_or(|resource| resource.operations.writable()),
    };
    if !fits {
        return Err(Code::METHOD_NOT_ALLOWED);
    }
    no_query(operation)?;
    Ok(Subject { object, resource, format: payload_format(operation)? })
}

/// Write: replace (PUT) or partial update (POST). Create (POST on an object): with the ids given, or the smallest free
/// one; the first of them is told. Bootstrap-Write: creates what is not there, replaces what is, and ignores optional
/// resources that are not supported (OMA LwM2M 1.0, 5.2.7.2).
#[inline(never)]
pub(super) fn write(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &mut Joined<'_, Accounts, dyn DataModel + '_>,
    writer: &mut MessageWriter<'_>,
) -> Result<Option<Path>, Refusal> {
    let path = operation.path;
    let Subject { object, resource, format } = admit(ctx, operation, model)?;
    let bootstraps = ctx.origin == Origin::Bootstrap;
    let creates = operation.kind == Kind::Create;
    let unknown = if bootstraps || creates { Unknown::Ignore } else { Unknown::Refuse };
    // At object level every instance names itself in a bootstrap (OMA LwM2M 1.0, 6.4.3).
    let unnamed = if creates { free_instance(object.id, model) } else { path.instance_id() };
    let owner = match ctx.origin {
        Origin::Server(server) if creates && model.0.assigns_owners() => Some(server),
        _ => None,
    };
    let mut first = None;
    // Lends the room that the answer does not need yet: an opaque value in text is decoded into it.
    writer.payload_with::<Refusal>(|scratch| {
        let payload =
            Payload::decode(format, path, object, unknown, operation.payload, scratch).map_err(|error| error.code())?;
        for applies in [false, true] {
            let mut earlier = 0u16;
            for (id, values) in payload.instances() {
                let instance = id.or(unnamed).ok_or(Code::BAD_REQUEST)?;
                let known = has_instance(model, object.id, instance);
                let action = match resource {
                    _ if !known => Action::Create,
                    Some(resource) => Action::Resource(resource.id),
                    None if operation.kind == Kind::Update => Action::Update,
                    None => Action::Replace,
                };
                let change = Change { action, object: object.id, instance, values, earlier };
                let path = Path::instance(object.id, instance);
                if applies {
                    model.apply(ctx, &change);
                    if let Some(owner) = owner {
                        model.0.say(Row::said(&AccessControl { path, owner, acl: Vec::new() }));
                    }
                } else {
                    fits(&change, creates, object)?;
                    if !bootstraps {
                        is_complete(&change, object)?;
                    }
                    model.check(ctx, &change)?;
                    if owner.is_some() && !model.0.has_room(ACCESS_CONTROL, earlier) {
                        return Err(Code::SERVICE_UNAVAILABLE.into());
                    }
                }
                first.get_or_insert(path);
                earlier = earlier.saturating_add(u16::from(!known));
            }
        }
        Ok(0)
    })?;
    writer.restart(if creates { Code::CREATED } else { Code::CHANGED });
    let made = first.filter(|_| creates);
    if let Some(path) = made {
        location(operation.places.root, path, writer)?;
    }
    Ok(made)
}

/// Whether there can be an instance with this id, and is none if it is to be created.
fn fits(change: &Change<'_>, creates: bool, object: &ObjectDef) -> Result<(), Code> {
    let known = change.action != Action::Create;
    let possible = change.instance < if object.multiple { MAX_ID } else { 1 };
    let wrong = if known { creates } else { !possible };
    if wrong { Err(Code::BAD_REQUEST) } else { Ok(()) }
}

/// Delete of an instance by a server. Bootstrap-Delete: of an instance, all of an object, or all there is, always
/// sparing the bootstrap account and the Device instance (OMA LwM2M 1.0, 5.2.7.5).
#[inline(never)]
pub(super) fn delete(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &mut dyn DataModel,
    writer: &mut MessageWriter<'_>,
) -> Result<(), Refusal> {
    let path = operation.path;
    let bootstraps = ctx.origin == Origin::Bootstrap;
    if !bootstraps {
        let target = resolve(ctx, path, Rights::DELETE, model)?;
        // The one instance of a mandatory object is there to stay (OMA ETS 1.0, test 685).
        if path.depth() != 2 || is_permanent(target.object) {
            return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
        }
    }
    no_query(operation)?;
    match *path.levels() {
        [] => {
            let mut after = None;
            while let Some(object) = model.next_object(after) {
                remove_all(ctx, object.id, model);
                after = Some(object.id);
            }
        }
        [object] => {
            model.object(object).ok_or(Code::BAD_REQUEST)?;
            remove_all(ctx, object, model);
        }
        [object, instance] => remove(ctx, object, instance, model)?,
        _ => return Err(Refusal::Code(Code::BAD_REQUEST)),
    }
    writer.restart(Code::DELETED);
    Ok(())
}

/// Deletes the instances of an object that can be deleted.
fn remove_all(ctx: &Ctx, object: u16, model: &mut dyn DataModel) {
    let mut after = None;
    while let Some(instance) = model.next_instance(object, after) {
        // Those that are spared are no fault.
        let _ = remove(ctx, object, instance, model);
        after = Some(instance);
    }
}

/// Deletes an instance.
///
/// # Errors
/// When it is not there, is there to stay, or the application refuses.
pub(crate) fn remove(ctx: &Ctx, object: u16, instance: u16, model: &mut dyn DataModel) -> Result<(), Refusal> {
    let definition = model.object(object).filter(|_| has_instance(model, object, instance));
    if definition.is_none_or(is_permanent) {
        return Err(Refusal::Code(Code::BAD_REQUEST));
    }
    let change = Change { action: Action::Delete, object, instance, values: Values::none(), earlier: 0 };
    model.check(ctx, &change)?;
    model.apply(ctx, &change);
    Ok(())
}

/// Whether an object has one instance, which is always there: Device, above all.
const fn is_permanent(object: &ObjectDef) -> bool {
    object.mandatory && !object.multiple
}

/// What a server writes must all be writable: a read-only or executable resource refuses the payload as a whole. Of what
/// it makes or replaces it must give every mandatory resource that it may write.
fn is_complete(change: &Change<'_>, object: &ObjectDef) -> Result<(), Code> {
    let writable = |id| object.resource(id).is_some_and(|resource| resource.operations.writable());
    if change.action != Action::Create && !change.values.resources().all(writable) {
        return Err(Code::METHOD_NOT_ALLOWED);
    }
    let given = |id| change.values.resources().any(|given| given == id);
    let missing = |resource: &ResourceDef| resource.mandatory && resource.operations.writable() && !given(resource.id);
    let whole = matches!(change.action, Action::Create | Action::Replace);
    if whole && object.resources.iter().any(missing) { Err(Code::BAD_REQUEST) } else { Ok(()) }
}

/// The smallest Object Instance ID that is free.
fn free_instance(object: u16, model: &dyn DataModel) -> Option<u16> {
    (0..MAX_ID).find(|id| !has_instance(model, object, *id))
}

/// Location-Path of a new instance: whole, with the alternate path (RFC 7252, section 5.10.7).
fn location(root: &str, path: Path, writer: &mut MessageWriter<'_>) -> Result<(), Refusal> {
    for segment in segments(root) {
        writer.append(OptionNumber::LOCATION_PATH, segment)?;
    }
    for id in path.levels() {
        let mut digits = [0; 5];
        let len = crate::base::decimal::write_u64(u64::from(*id), &mut digits).unwrap_or(0);
        writer.append(OptionNumber::LOCATION_PATH, digits.get(..len).unwrap_or_default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::operation::Places;
    use super::*;
    use crate::base::limits::Limits;
    use crate::base::path::Leaf;
    use crate::base::profile::LegacyFormats;
    use crate::base::time::Instant;
    use crate::base::value::{DataType, Sink};
    use crate::model::Operations;
    use coap_codec::{ContentFormat, Header, Message, MessageId, MessageType, Token};

    const SWITCH: &[ResourceDef] = &[ResourceDef::new(0, "On", Operations::RW, DataType::Boolean)];
    static ONE: ObjectDef = ObjectDef::new(30_001, "One", SWITCH);
    static MANY: ObjectDef = ObjectDef::new(30_002, "Many", SWITCH).multiple();

    /// Has none of either yet.
    struct Switches;

    impl DataModel for Switches {
        fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
            [&ONE, &MANY].into_iter().find(|object| after.is_none_or(|after| after < object.id))
        }

        fn next_instance(&self, _: u16, _: Option<u16>) -> Option<u16> {
            None
        }

        fn next_resource(&self, _: u16, _: u16, _: Option<u16>) -> Option<u16> {
            None
        }

        fn read(&self, _: &Ctx, _: Leaf, _: &mut dyn Sink) -> Result<(), Refusal> {
            Ok(())
        }

        fn check(&self, _: &Ctx, _: &Change<'_>) -> Result<(), Refusal> {
            Ok(())
        }
    }

    // OMA LwM2M 1.0, 6.1: an object for which one instance is allowed has 0.
    #[test]
    fn the_one_instance_of_an_object_is_instance_0() {
        let created = |object: &ObjectDef, instance: u8| {
            let mut buffers = [[0; 64]; 2];
            let [request, answer] = &mut buffers;
            let header = |message_type, code| Header { message_type, code, message_id: MessageId(1) };
            let mut writer =
                MessageWriter::new(request, header(MessageType::Confirmable, Code::POST), Token::EMPTY).unwrap();
            writer.uri_path(&alloc::format!("{}", object.id)).unwrap();
            writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
            writer.payload(&[0x03, instance, 0xC1, 0, 1]).unwrap();
            let places = Places { root: "", well_known: true, legacy: LegacyFormats::Accepted };
            let message = Message::parse(writer.finish()).unwrap();
            let mut operation = Operation::of(&message, places);
            operation.read().unwrap();
            let ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::ZERO };
            let acknowledgement = header(MessageType::Acknowledgement, Code::CREATED);
            let mut writer = MessageWriter::new(answer, acknowledgement, Token::EMPTY).unwrap();
            let mut accounts = Accounts::empty(&Limits::default());
            write(&ctx, &operation, &mut Joined(&mut accounts, &mut Switches), &mut writer)
        };
        let refused = Err(Refusal::Code(Code::BAD_REQUEST));
        let made = |object: &ObjectDef, instance| Ok(Some(Path::instance(object.id, instance)));
        assert_eq!((created(&ONE, 0), created(&ONE, 1)), (made(&ONE, 0), refused));
        assert_eq!((created(&MANY, 0), created(&MANY, 1)), (made(&MANY, 0), made(&MANY, 1)));
    }
}
