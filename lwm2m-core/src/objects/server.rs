//! LwM2M Server, object 1 (OMA LwM2M 1.0, Appendix D.1.2): how each server wants the client to behave.

use alloc::vec::Vec;

use super::definitions;
use super::definitions::server::{
    BINDING, DEFAULT_MAXIMUM_PERIOD, DEFAULT_MINIMUM_PERIOD, DISABLE, DISABLE_TIMEOUT, LIFETIME,
    NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE, REGISTRATION_UPDATE_TRIGGER,
};
use crate::base::config::Config;
use crate::base::definition::with_ranges;
use crate::base::value::Value;
use crate::format::Given;
use crate::model::{ObjectDef, Range, ResourceDef};

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

/// How the client is reached (Appendix D.1.2, resource 7): by UDP, all the time or in queue mode. There are others, and
/// this client has none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Binding {
    U,
    UQ,
}

impl Binding {
    /// A binding that this client has.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "U" => Some(Self::U),
            "UQ" => Some(Self::UQ),
            _ => None,
        }
    }

    /// The inverse of `as u8`.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::U, Self::UQ].into_iter().find(|binding| *binding as u8 == number)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::U => "U",
            Self::UQ => "UQ",
        }
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
    pub(super) fn set(&mut self, Given { resource, value, .. }: Given<'_>) {
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

    pub(super) fn value(&self, resource: u16) -> Option<Value<'static>> {
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

    pub(super) fn has(&self, resource: u16) -> bool {
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

    /// Begins with an instance that is written: one that is made, or what a Replace leaves of one.
    pub(super) fn begin(&mut self, id: u16, anew: bool, by_server: bool) {
        let whole = Instance { id, ..Instance::default() };
        let at = self.instances.iter().position(|instance| instance.id >= id).unwrap_or(self.instances.len());
        match self.instances.get_mut(at).filter(|instance| instance.id == id) {
            None => self.instances.insert(at, whole),
            Some(instance) if anew && by_server => instance.clear_optional(),
            Some(instance) if anew => *instance = whole,
            Some(_) => {}
        }
    }

    pub(super) fn get_mut(&mut self, id: u16) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|instance| instance.id == id)
    }

    pub(super) const fn has_room(&self, taken: usize) -> bool {
        taken < self.limit
    }
}

/// Whether a server must not write this; a bootstrap may, and Bootstrap-Finish judges.
pub(super) fn is_bad(given: &Given<'_>) -> bool {
    match (given.resource, given.value) {
        (LIFETIME, Value::Int(seconds)) => seconds <= 0,
        (BINDING, Value::Str(text)) => Binding::parse(text).is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_that_is_ours_is_read_as_it_is_written() {
        for text in ["U", "UQ"] {
            let binding = Binding::parse(text).expect(text);
            assert_eq!((binding.as_str(), Binding::from_number(binding as u8)), (text, Some(binding)));
        }
        for text in ["", "u", "Q", "QU", "USQ", "UQSX", "T", "S", "SQ", "US", "UQS"] {
            assert_eq!(Binding::parse(text), None, "{text}");
        }
        assert_eq!(Binding::from_number(2), None);
    }

    #[test]
    fn a_bootstrap_writes_an_instance_anew_and_a_server_what_it_may() {
        let written = |by_server| {
            let mut server = Server::new(2);
            let mut write = |instance, anew, given: &[Given<'_>], by_server| {
                server.begin(instance, anew, by_server);
                given.iter().for_each(|given| server.get_mut(instance).expect("it has begun").set(*given));
            };
            let given = |resource, number| Given { resource, index: None, value: Value::Int(number) };
            let account = [given(SHORT_SERVER_ID, 1), given(DISABLE_TIMEOUT, 9)];
            write(5, true, &account, false);
            write(3, true, &account, false);
            write(3, false, &[given(LIFETIME, 60)], by_server);
            write(5, true, &[given(LIFETIME, 60)], by_server);
            server.instances
        };
        let known = Instance { id: 3, short_server_id: Some(1), lifetime: Some(60), ..Instance::default() };
        let updated = Instance { disable_timeout: Some(9), ..known };
        let by_server = Instance { id: 5, ..known };
        let by_bootstrap = Instance { id: 5, lifetime: Some(60), ..Instance::default() };
        assert_eq!(written(true), [updated.clone(), by_server]);
        assert_eq!(written(false), [updated, by_bootstrap]);
    }
}
