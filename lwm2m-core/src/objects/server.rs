//! LwM2M Server, object 1 (OMA LwM2M 1.0, Appendix D.1.2): how each server wants the client to behave.

use alloc::vec::Vec;

use coap_codec::Code;

use super::definitions;
use super::definitions::server::{
    BINDING, DEFAULT_MAXIMUM_PERIOD, DEFAULT_MINIMUM_PERIOD, DISABLE, DISABLE_TIMEOUT, LIFETIME,
    NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE, REGISTRATION_UPDATE_TRIGGER,
};
use crate::base::config::Config;
use crate::base::definition::with_ranges;
use crate::base::path::Leaf;
use crate::base::table::Places;
use crate::base::value::{Sink, Value};
use crate::format::Given;
use crate::model::{Action, Args, Change, Ctx, DataModel, ObjectDef, Origin, Range, Refusal, ResourceDef};

pub(crate) use super::definitions::server::{ID, SHORT_SERVER_ID};

/// Disable Timeout where the server wrote none: a day (OMA LwM2M 1.0, Appendix D.1.2).
const DEFAULT_DISABLE_TIMEOUT: u32 = 86_400;

/// The definition of object 1, version 1.0, but for some ranges.
pub(crate) static DEFINITION: ObjectDef = ObjectDef { resources: &RESOURCES, ..definitions::server::DEFINITION };

const RESOURCES: [ResourceDef; 9] = with_ranges(
    definitions::server::RESOURCES,
    &[
        // 65535 is reserved, whatever the definition says (Appendix D.1.1, resource 10).
        (SHORT_SERVER_ID, Range::Integer(1, 65_534)),
        // What is kept in 32 bits. Lifetime has no range: one that is not positive is the profile's
        // affair in a bootstrap.
        (DEFAULT_MINIMUM_PERIOD, SECONDS),
        (DEFAULT_MAXIMUM_PERIOD, SECONDS),
        (DISABLE_TIMEOUT, SECONDS),
    ],
);

const SECONDS: Range = Range::Integer(0, u32::MAX as i64);

/// What a server tells the client through an executable resource of Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Trigger {
    /// Disable (/1/x/4), by instance.
    Disable(u16),
    /// Registration Update Trigger (/1/x/8), by instance.
    Update(u16),
}

impl Trigger {
    /// What executing a resource triggers, if anything.
    pub(crate) const fn of(object: u16, instance: u16, resource: u16) -> Option<Self> {
        match (object, resource) {
            (ID, DISABLE) => Some(Self::Disable(instance)),
            (ID, REGISTRATION_UPDATE_TRIGGER) => Some(Self::Update(instance)),
            _ => None,
        }
    }
}

/// Binding (/1/x/7): how a server reaches the client (OMA LwM2M 1.0, 5.3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Binding {
    U,
    UQ,
    S,
    SQ,
    US,
    Uqs,
}

impl Binding {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "U" => Self::U,
            "UQ" => Self::UQ,
            "S" => Self::S,
            "SQ" => Self::SQ,
            "US" => Self::US,
            "UQS" => Self::Uqs,
            _ => return None,
        })
    }

    /// The binding that `self as u8` gave.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::U, Self::UQ, Self::S, Self::SQ, Self::US, Self::Uqs].into_iter().find(|binding| *binding as u8 == number)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::U => "U",
            Self::UQ => "UQ",
            Self::S => "S",
            Self::SQ => "SQ",
            Self::US => "US",
            Self::Uqs => "UQS",
        }
    }

    /// Whether this client can be reached so: by UDP.
    pub(crate) const fn is_supported(self) -> bool {
        matches!(self, Self::U) || self.queues()
    }

    /// Whether it is queue mode over UDP: the server waits to hear from the client before it asks
    /// (OMA LwM2M 1.0, 8.3).
    pub(crate) const fn queues(self) -> bool {
        matches!(self, Self::UQ)
    }

    /// What the configuration announces.
    pub(crate) fn configured(config: &Config) -> Self {
        if config.registration.queue_mode { Self::UQ } else { Self::U }
    }
}

/// One instance. What a bootstrap has not written yet is absent; Bootstrap-Finish judges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Instance {
    pub(crate) id: u16,
    pub(crate) short_server_id: Option<u16>,
    /// None when missing, zero or negative.
    pub(crate) lifetime: Option<u32>,
    pub(crate) default_min_period: Option<u32>,
    pub(crate) default_max_period: Option<u32>,
    pub(crate) disable_timeout: Option<u32>,
    pub(crate) storing: Option<bool>,
    pub(crate) binding: Option<Binding>,
}

impl Instance {
    fn set(&mut self, Given { resource, value, .. }: Given<'_>) {
        match (resource, value) {
            (SHORT_SERVER_ID, Value::Int(id)) => self.short_server_id = u16::try_from(id).ok(),
            (LIFETIME, Value::Int(seconds)) => self.lifetime = positive(seconds),
            (DEFAULT_MINIMUM_PERIOD, Value::Int(seconds)) => self.default_min_period = u32::try_from(seconds).ok(),
            (DEFAULT_MAXIMUM_PERIOD, Value::Int(seconds)) => self.default_max_period = u32::try_from(seconds).ok(),
            (DISABLE_TIMEOUT, Value::Int(seconds)) => self.disable_timeout = u32::try_from(seconds).ok(),
            (NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE, Value::Bool(yes)) => self.storing = Some(yes),
            (BINDING, Value::Str(text)) => self.binding = Binding::parse(text),
            _ => {}
        }
    }

    /// What becomes of the optional resources when the instance is replaced: they go.
    const fn clear_optional(&mut self) {
        self.default_min_period = None;
        self.default_max_period = None;
        self.disable_timeout = None;
    }

    fn value(&self, resource: u16) -> Option<Value<'static>> {
        let int = |seconds: u32| Value::Int(i64::from(seconds));
        match resource {
            SHORT_SERVER_ID => self.short_server_id.map(|id| Value::Int(i64::from(id))),
            LIFETIME => self.lifetime.map(int),
            DEFAULT_MINIMUM_PERIOD => self.default_min_period.map(int),
            DEFAULT_MAXIMUM_PERIOD => self.default_max_period.map(int),
            DISABLE_TIMEOUT => self.disable_timeout.map(int),
            NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE => self.storing.map(Value::Bool),
            BINDING => self.binding.map(|binding| Value::Str(binding.as_str())),
            _ => None,
        }
    }

    fn has(&self, resource: u16) -> bool {
        matches!(resource, DISABLE | REGISTRATION_UPDATE_TRIGGER) || self.value(resource).is_some()
    }

    /// How long a Disable lasts, in seconds.
    pub(crate) fn disable_timeout(&self) -> u32 {
        self.disable_timeout.unwrap_or(DEFAULT_DISABLE_TIMEOUT)
    }
}

/// A lifetime that can be used; a longer one than fits counts as the longest that does.
fn positive(seconds: i64) -> Option<u32> {
    if seconds <= 0 { None } else { Some(u32::try_from(seconds).unwrap_or(u32::MAX)) }
}

/// The object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) instances: Vec<Instance>,
    limit: usize,
}

impl Server {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { instances: Vec::new(), limit }
    }

    pub(crate) fn get(&self, id: u16) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.id == id)
    }

    pub(crate) fn by_short_server_id(&self, id: u16) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.short_server_id == Some(id))
    }

    fn write(&mut self, id: u16, action: Action, origin: Origin, change: &Change<'_>) {
        let anew = matches!(action, Action::Create | Action::Replace);
        let by_server = matches!(origin, Origin::Server(_));
        if anew && !by_server {
            self.instances.keep(&mut |instance| instance.id != id);
        }
        let at = self.instances.partition_point(|instance| instance.id < id);
        if self.instances.get(at).is_none_or(|instance| instance.id != id) {
            self.instances.insert(at, Instance { id, ..Instance::default() });
        }
        if let Some(instance) = self.instances.get_mut(at) {
            if anew && by_server {
                instance.clear_optional();
            }
            change.values.iter().for_each(|given| instance.set(given));
        }
    }
}

impl DataModel for Server {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < ID).then_some(&DEFINITION)
    }

    fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
        self.instances.iter().map(|instance| instance.id).find(|id| after.is_none_or(|after| *id > after))
    }

    fn next_resource(&self, _: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        let instance = self.get(instance)?;
        let mut ids = DEFINITION.resources.iter().map(|resource| resource.id);
        ids.find(|id| after.is_none_or(|after| *id > after) && instance.has(*id))
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let value = self.get(at.instance).and_then(|instance| instance.value(at.resource));
        Ok(out.value(at, value.ok_or(Refusal::Code(Code::NOT_FOUND))?)?)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        let known = self.get(change.instance).is_some();
        if matches!(ctx.origin, Origin::Server(_)) {
            // A server can neither make nor remove accounts (OMA LwM2M 1.0, Appendix D.1.2).
            if matches!(change.action, Action::Create | Action::Delete) {
                return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
            }
            let bad = change.values.iter().any(|given| match (given.resource, given.value) {
                (LIFETIME, Value::Int(seconds)) => seconds <= 0,
                (BINDING, Value::Str(text)) => !Binding::parse(text).is_some_and(Binding::is_supported),
                _ => false,
            });
            return if bad { Err(Refusal::Code(Code::BAD_REQUEST)) } else { Ok(()) };
        }
        let refused = match change.action {
            Action::Delete => !known,
            _ => !known && self.instances.len().saturating_add(usize::from(change.earlier)) >= self.limit,
        };
        if refused { Err(Refusal::Code(Code::BAD_REQUEST)) } else { Ok(()) }
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        match change.action {
            Action::Delete => self.instances.keep(&mut |instance| instance.id != change.instance),
            action => self.write(change.instance, action, ctx.origin, change),
        }
    }

    /// What Disable and Registration Update Trigger cause is carried as an effect: the machines that act on it
    /// belong to another floor.
    fn execute(&mut self, _: &Ctx, _: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Values;

    #[test]
    fn every_binding_is_read_as_it_is_written() {
        for text in ["U", "UQ", "S", "SQ", "US", "UQS"] {
            let binding = Binding::parse(text).expect(text);
            assert_eq!((binding.as_str(), Binding::from_number(binding as u8)), (text, Some(binding)));
        }
        for text in ["", "u", "Q", "QU", "USQ", "UQSX", "T"] {
            assert_eq!(Binding::parse(text), None, "{text}");
        }
        assert_eq!(Binding::from_number(6), None);
    }

    #[test]
    fn a_bootstrap_writes_an_instance_anew_and_a_server_what_it_may() {
        let written = |origin| {
            let mut server = Server::new(2);
            let mut write = |instance, action, given: &[Given<'_>], origin| {
                let change = Change { action, object: ID, instance, values: Values::list(given), earlier: 0 };
                server.write(instance, action, origin, &change);
            };
            let given = |resource, number| Given { resource, index: None, value: Value::Int(number) };
            let account = [given(SHORT_SERVER_ID, 1), given(DISABLE_TIMEOUT, 9)];
            write(5, Action::Create, &account, Origin::Bootstrap);
            write(3, Action::Create, &account, Origin::Bootstrap);
            write(3, Action::Update, &[given(LIFETIME, 60)], origin);
            write(5, Action::Replace, &[given(LIFETIME, 60)], origin);
            server.instances
        };
        let known = Instance { id: 3, short_server_id: Some(1), lifetime: Some(60), ..Instance::default() };
        let updated = Instance { disable_timeout: Some(9), ..known };
        let by_server = Instance { id: 5, ..known };
        let by_bootstrap = Instance { id: 5, lifetime: Some(60), ..Instance::default() };
        assert_eq!(written(Origin::Server(1)), [updated.clone(), by_server]);
        assert_eq!(written(Origin::Bootstrap), [updated, by_bootstrap]);
    }
}
