//! Write, Create and Delete (OMA LwM2M 1.0, 5.4.3, 5.4.6, 5.4.7), and what a bootstrap server does
//! with them (5.2.7).
//!
//! A request is a set of changes: all are checked before the first one is applied.

use coap_codec::{Code, MessageWriter};

use super::operation::{Kind, Operation};
use super::{Effect, Effects, Target, has_instance, is_there, no_query, payload_format, resolve};
use crate::base::event::Event;
use crate::base::features;
use crate::base::path::{MAX_ID, Path};
use crate::base::rights::Rights;
use crate::base::time::Instant;
use crate::base::value::Value;
use crate::format::{Format, Given, Payload, Unknown, Values};
use crate::model::{Action, Change, Ctx, DataModel, ObjectDef, Operations, Origin, Refusal, ResourceDef};
use crate::objects::definitions::access_control;
use crate::objects::{ACCESS_CONTROL, SERVER};

/// What a request that changes something is about, as far as it is known without its payload.
pub(super) struct Subject {
    pub(super) object: &'static ObjectDef,
    pub(super) resource: Option<&'static ResourceDef>,
    pub(super) format: Format,
}

/// Checks a Write by a server as far as it can be without its payload.
pub(super) fn admit_write(ctx: &Ctx, operation: &Operation<'_>, model: &dyn DataModel) -> Result<(Subject, u16), Code> {
    let Target { object, resource } = resolve(ctx, operation.path, Rights::WRITE, model)?;
    let instance = operation.path.instance_id().ok_or(Code::METHOD_NOT_ALLOWED)?;
    if resource.is_some_and(|resource| !resource.operations.writable()) {
        return Err(Code::METHOD_NOT_ALLOWED);
    }
    no_query(operation)?;
    Ok((Subject { object, resource, format: payload_format(operation)? }, instance))
}

/// Write by a server: replace (PUT) or partial update (POST).
pub(super) fn write(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &mut dyn DataModel,
    writer: &mut MessageWriter<'_>,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let path = operation.path;
    let (target, instance) = admit_write(ctx, operation, model)?;
    let action = match target.resource {
        Some(resource) => Action::Resource(resource.id),
        None if operation.kind == Kind::Replace => Action::Replace,
        None => Action::Update,
    };
    with_scratch(writer, |scratch| {
        let payload = Payload::decode(target.format, path, target.object, Unknown::Refuse, operation.payload, scratch)
            .map_err(|error| error.code())?;
        for (_, values) in payload.instances() {
            only_writable(target.object, &values)?;
            if action == Action::Replace {
                has_mandatory(target.object, &values)?;
            }
            let change = Change { action, object: target.object.id, instance, values, earlier: 0 };
            model.check(ctx, &change)?;
            model.apply(ctx, &change);
        }
        Ok(())
    })?;
    writer.restart(Code::CHANGED);
    // One resource may change others of its instance: a package that was written, the state.
    changed(Event::Written { origin: ctx.origin, path }, Path::instance(target.object.id, instance), effects);
    Ok(())
}

/// Checks a Create as far as it can be without its payload.
pub(super) fn admit_create(ctx: &Ctx, operation: &Operation<'_>, model: &dyn DataModel) -> Result<Subject, Code> {
    let Target { object, resource } = resolve(ctx, operation.path, Rights::CREATE, model)?;
    // The one instance of a mandatory object is the client's to make (OMA ETS 1.0, test 680).
    if is_permanent(object) {
        return Err(Code::METHOD_NOT_ALLOWED);
    }
    no_query(operation)?;
    Ok(Subject { object, resource, format: payload_format(operation)? })
}

/// Create (POST on an object): with the ids given, or the smallest free one.
pub(super) fn create(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &mut dyn DataModel,
    writer: &mut MessageWriter<'_>,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let Subject { object, format, .. } = admit_create(ctx, operation, model)?;
    let owner = future_owner(ctx, model);
    let local = Ctx { origin: Origin::Local, ..*ctx };
    let mut first = 0;
    with_scratch(writer, |scratch| {
        let payload = Payload::decode(format, operation.path, object, Unknown::Ignore, operation.payload, scratch)
            .map_err(|error| error.code())?;
        let free = free_instance(object.id, model).ok_or(Code::BAD_REQUEST)?;
        let changes = || {
            (0..=u16::MAX).zip(payload.instances()).map(|(earlier, (id, values))| Change {
                action: Action::Create,
                object: object.id,
                instance: id.unwrap_or(free),
                values,
                earlier,
            })
        };
        for change in changes() {
            let id = change.instance;
            if id == MAX_ID || has_instance(model, object.id, id) || (!object.multiple && id != 0) {
                return Err(Refusal::Code(Code::BAD_REQUEST));
            }
            has_mandatory(object, &change.values)?;
            model.check(ctx, &change)?;
            if let Some(owner) = owner {
                let said = ownership(object.id, id, owner);
                let said = said_of(&said, change.earlier, model);
                model.check(&local, &said).map_err(|_| Code::SERVICE_UNAVAILABLE)?;
            }
        }
        first = changes().next().map_or(free, |change| change.instance);
        for change in changes() {
            model.apply(ctx, &change);
            if let Some(owner) = owner {
                let said = ownership(object.id, change.instance, owner);
                let said = said_of(&said, 0, model);
                model.apply(&local, &said);
            }
        }
        Ok(())
    })?;
    writer.restart(Code::CREATED);
    location(operation.places.root, object.id, first, writer)?;
    let path = Path::instance(object.id, first);
    changed(Event::Created { origin: ctx.origin, path }, Path::object(object.id), effects);
    Ok(())
}

/// The server that owns what it creates: where there are several, nobody may do anything with an instance
/// of which Access Control says nothing (OMA LwM2M 1.0, 8.2.2).
fn future_owner(ctx: &Ctx, model: &dyn DataModel) -> Option<u16> {
    let Origin::Server(server) = ctx.origin else { return None };
    let first = model.next_instance(SERVER, None)?;
    model.next_instance(SERVER, Some(first))?;
    model.object(ACCESS_CONTROL).filter(|_| features::ACCESS_CONTROL).map(|_| server)
}

/// What Access Control is to say of a new instance.
fn ownership(object: u16, instance: u16, owner: u16) -> [Given<'static>; 3] {
    [
        (access_control::OBJECT_ID, object),
        (access_control::OBJECT_INSTANCE_ID, instance),
        (access_control::ACCESS_CONTROL_OWNER, owner),
    ]
    .map(|(resource, id)| Given { resource, index: None, value: Value::Int(i64::from(id)) })
}

/// A new instance of Access Control that says so.
fn said_of<'a>(values: &'a [Given<'a>], earlier: u16, model: &dyn DataModel) -> Change<'a> {
    let instance = free_instance(ACCESS_CONTROL, model).unwrap_or(MAX_ID);
    Change { action: Action::Create, object: ACCESS_CONTROL, instance, values: Values::list(values), earlier }
}

/// Delete of an instance by a server.
pub(super) fn delete(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &mut dyn DataModel,
    writer: &mut MessageWriter<'_>,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let path = operation.path;
    let target = resolve(ctx, path, Rights::DELETE, model)?;
    let (Some(instance), None) = (path.instance_id(), target.resource) else {
        return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
    };
    // The one instance of a mandatory object is there to stay (OMA ETS 1.0, test 685).
    if is_permanent(target.object) {
        return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
    }
    no_query(operation)?;
    let change = removal(target.object.id, instance);
    model.check(ctx, &change)?;
    model.apply(ctx, &change);
    writer.restart(Code::DELETED);
    deleted(ctx, path, effects);
    Ok(())
}

/// Checks a Bootstrap-Write as far as it can be without its payload.
pub(super) fn admit_bootstrap_write(operation: &Operation<'_>, model: &dyn DataModel) -> Result<Subject, Code> {
    let path = operation.path;
    if operation.kind == Kind::Update {
        return Err(Code::METHOD_NOT_ALLOWED);
    }
    let object = path.object_id().and_then(|id| model.object(id)).ok_or(Code::BAD_REQUEST)?;
    let resource = match path.resource_id() {
        Some(id) => Some(object.resource(id).ok_or(Code::BAD_REQUEST)?),
        None => None,
    };
    no_query(operation)?;
    Ok(Subject { object, resource, format: payload_format(operation)? })
}

/// Bootstrap-Write: creates what is not there, replaces what is, and ignores optional resources
/// that are not supported (OMA LwM2M 1.0, 5.2.7.2).
pub(super) fn bootstrap_write(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &mut dyn DataModel,
    writer: &mut MessageWriter<'_>,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let path = operation.path;
    let Subject { object, resource, format } = admit_bootstrap_write(operation, model)?;
    with_scratch(writer, |scratch| {
        let payload = Payload::decode(format, path, object, Unknown::Ignore, operation.payload, scratch)
            .map_err(|error| error.code())?;
        // At object level every instance names itself (OMA LwM2M 1.0, 6.4.3).
        let named = || payload.instances().map(|(id, values)| id.or_else(|| path.instance_id()).map(|id| (id, values)));
        let mut created = 0u16;
        for entry in named() {
            let (id, values) = entry.ok_or(Code::BAD_REQUEST)?;
            let known = has_instance(model, object.id, id);
            let change = bootstrap_change(object.id, id, resource.map(|resource| resource.id), known, values, created);
            if id == MAX_ID || (!object.multiple && id != 0) {
                return Err(Refusal::Code(Code::BAD_REQUEST));
            }
            model.check(ctx, &change)?;
            created = created.saturating_add(u16::from(!known));
        }
        for (id, values) in named().flatten() {
            let known = has_instance(model, object.id, id);
            let change = bootstrap_change(object.id, id, resource.map(|resource| resource.id), known, values, 0);
            model.apply(ctx, &change);
        }
        Ok(())
    })?;
    writer.restart(Code::CHANGED);
    changed(Event::Written { origin: ctx.origin, path }, path, effects);
    Ok(())
}

const fn bootstrap_change(
    object: u16,
    instance: u16,
    resource: Option<u16>,
    known: bool,
    values: Values<'_>,
    earlier: u16,
) -> Change<'_> {
    let action = match (resource, known) {
        (Some(resource), true) => Action::Resource(resource),
        (None, true) => Action::Replace,
        (_, false) => Action::Create,
    };
    Change { action, object, instance, values, earlier }
}

/// Bootstrap-Delete: an instance, all of an object, or all there is, always sparing the
/// bootstrap account and the Device instance (OMA LwM2M 1.0, 5.2.7.5).
pub(super) fn bootstrap_delete(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &mut dyn DataModel,
    writer: &mut MessageWriter<'_>,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let path = operation.path;
    no_query(operation)?;
    match (path.object_id(), path.instance_id(), path.resource_id()) {
        (None, ..) => {
            let mut after = None;
            while let Some(object) = model.next_object(after) {
                delete_instances(ctx, object.id, model);
                after = Some(object.id);
            }
        }
        (Some(object), None, _) => {
            model.object(object).ok_or(Code::BAD_REQUEST)?;
            delete_instances(ctx, object, model);
        }
        (Some(object), Some(instance), None) => {
            let definition = model.object(object).filter(|_| has_instance(model, object, instance));
            if definition.is_none_or(is_permanent) {
                return Err(Refusal::Code(Code::BAD_REQUEST));
            }
            let change = removal(object, instance);
            model.check(ctx, &change)?;
            model.apply(ctx, &change);
        }
        _ => return Err(Refusal::Code(Code::BAD_REQUEST)),
    }
    writer.restart(Code::DELETED);
    deleted(ctx, path, effects);
    Ok(())
}

/// Deletes the instances of an object that can be deleted.
fn delete_instances(ctx: &Ctx, object: u16, model: &mut dyn DataModel) {
    if model.object(object).is_none_or(is_permanent) {
        return;
    }
    let mut after = None;
    while let Some(instance) = model.next_instance(object, after) {
        let change = removal(object, instance);
        if model.check(ctx, &change).is_ok() {
            model.apply(ctx, &change);
        }
        after = Some(instance);
    }
}

/// Deletes an instance that is lost with its server; the news of it, unless it is there to stay or the
/// application refuses.
pub(crate) fn remove(now: Instant, path: Path, model: &mut dyn DataModel) -> Option<Event> {
    let ctx = Ctx { origin: Origin::Bootstrap, ticket: None, resumed: false, now };
    let change = removal(path.object_id()?, path.instance_id()?);
    model.object(change.object).filter(|object| !is_permanent(object))?;
    let there = is_there(model, change.object, change.instance);
    model.check(&ctx, &change).ok().filter(|()| there)?;
    model.apply(&ctx, &change);
    Some(Event::Deleted { origin: ctx.origin, path })
}

const fn removal(object: u16, instance: u16) -> Change<'static> {
    Change { action: Action::Delete, object, instance, values: Values::none(), earlier: 0 }
}

pub(super) fn changed(news: Event, path: Path, effects: &mut Effects) {
    *effects = Effects { news: Some(news), effect: Some(Effect::Changed(path, None)) };
}

fn deleted(ctx: &Ctx, path: Path, effects: &mut Effects) {
    let news = Some(Event::Deleted { origin: ctx.origin, path });
    *effects = Effects { news, effect: Some(Effect::Deleted(path)) };
}

/// Lends the room that the answer does not need yet: an opaque value in text is decoded into it.
fn with_scratch(
    writer: &mut MessageWriter<'_>,
    work: impl FnOnce(&mut [u8]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    writer.payload_with(|room| work(room).map(|()| 0))
}

/// Whether an object has one instance, which is always there: Device, above all.
const fn is_permanent(object: &ObjectDef) -> bool {
    object.mandatory && !object.multiple
}

/// A read-only or executable resource in the payload refuses it as a whole.
fn only_writable(object: &ObjectDef, values: &Values<'_>) -> Result<(), Code> {
    let writable = |id| object.resource(id).is_some_and(|resource| resource.operations.writable());
    if values.resources().all(writable) { Ok(()) } else { Err(Code::METHOD_NOT_ALLOWED) }
}

/// Every mandatory resource that a server may write must be given.
fn has_mandatory(object: &ObjectDef, values: &Values<'_>) -> Result<(), Code> {
    let given = |id| values.resources().any(|given| given == id);
    let writable = |operations: Operations| operations.writable();
    let complete = object
        .resources
        .iter()
        .filter(|resource| resource.mandatory && writable(resource.operations))
        .all(|resource| given(resource.id));
    if complete { Ok(()) } else { Err(Code::BAD_REQUEST) }
}

/// The smallest Object Instance ID that is free.
fn free_instance(object: u16, model: &dyn DataModel) -> Option<u16> {
    (0..MAX_ID).find(|id| !has_instance(model, object, *id))
}

/// Location-Path of a new instance: whole, with the alternate path (RFC 7252, section 5.10.7).
fn location(root: &str, object: u16, instance: u16, writer: &mut MessageWriter<'_>) -> Result<(), Refusal> {
    root.split('/').skip(1).try_for_each(|segment| writer.location_path(segment))?;
    for id in [object, instance] {
        let mut digits = [0; 5];
        let len = crate::base::decimal::write_u64(u64::from(id), &mut digits).unwrap_or(0);
        let segment = digits.get(..len).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or("0");
        writer.location_path(segment)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::operation::Places;
    use super::*;
    use crate::base::path::Leaf;
    use crate::base::profile::LegacyFormats;
    use crate::base::value::{DataType, Sink};
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
            create(&ctx, &operation, &mut Switches, &mut writer, &mut Effects::default())
        };
        let refused = Err(Refusal::Code(Code::BAD_REQUEST));
        assert_eq!((created(&ONE, 0), created(&ONE, 1)), (Ok(()), refused));
        assert_eq!((created(&MANY, 0), created(&MANY, 1)), (Ok(()), Ok(())));
    }
}
