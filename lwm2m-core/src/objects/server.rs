//! LwM2M Server, object 1 (OMA LwM2M 1.0, Appendix D.1.2): how each server wants the client to behave.

use super::accounts::Accounts;
use super::definitions;
use super::rows::Row;
use crate::base::config::Config;
use crate::base::definition::with_ranges;
use crate::model::{ObjectDef, Range, ResourceDef};

pub(crate) use super::definitions::server::{
    BINDING, DEFAULT_MAXIMUM_PERIOD, DEFAULT_MINIMUM_PERIOD, DISABLE, DISABLE_TIMEOUT, ID, LIFETIME,
    NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE as STORING, REGISTRATION_UPDATE_TRIGGER, SHORT_SERVER_ID,
};

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

    /// The inverse of `as u32`.
    pub(crate) const fn from_number(number: u32) -> Self {
        if number == Self::UQ as u32 { Self::UQ } else { Self::U }
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

impl Row {
    /// The binding of an instance of Server, if there is one that is known.
    #[inline]
    pub(crate) fn binding(&self) -> Option<Binding> {
        self.number(BINDING).map(Binding::from_number)
    }

    /// How long a Disable lasts, in seconds.
    pub(crate) fn disable_timeout(&self) -> u32 {
        self.number(DISABLE_TIMEOUT).unwrap_or(DEFAULT_DISABLE_TIMEOUT)
    }
}

impl Accounts {
    /// The instance of Server that has a Short Server ID.
    #[inline]
    pub(crate) fn by_short_server_id(&self, id: u16) -> Option<&Row> {
        self.rows(ID).iter().find(|row| row.number(SHORT_SERVER_ID) == Some(id.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::Limits;
    use crate::base::time::Instant;
    use crate::base::value::Value;
    use crate::format::{Given, Values};
    use crate::model::{Action, Change, Ctx, DataModel, Origin};

    #[test]
    fn every_binding_that_is_ours_is_read_as_it_is_written() {
        for text in ["U", "UQ"] {
            let binding = Binding::parse(text).expect(text);
            assert_eq!((binding.as_str(), Binding::from_number(binding as u32)), (text, binding));
        }
        for text in ["", "u", "Q", "QU", "USQ", "UQSX", "T", "S", "SQ", "US", "UQS"] {
            assert_eq!(Binding::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_bootstrap_writes_an_instance_anew_and_a_server_what_it_may() {
        let written = |origin| {
            let mut accounts = Accounts::empty(&Limits::default());
            let mut write = |instance, action, given: &[Given<'_>], origin| {
                let ctx = Ctx { origin, ticket: None, resumed: false, now: Instant::ZERO };
                let change = Change { action, object: ID, instance, values: Values::list(given), earlier: 0 };
                accounts.apply(&ctx, &change);
            };
            let given = |resource, number| Given { resource, index: None, value: Value::Int(number) };
            let account = [given(SHORT_SERVER_ID, 1), given(DISABLE_TIMEOUT, 9)];
            write(5, Action::Create, &account, Origin::Bootstrap);
            write(3, Action::Create, &account, Origin::Bootstrap);
            write(3, Action::Update, &[given(LIFETIME, 60)], origin);
            write(5, Action::Replace, &[given(LIFETIME, 60)], origin);
            accounts.rows(ID).to_vec()
        };
        let row = |id, numbers: &[(u16, u32)]| {
            let mut row = Row::default();
            row.id = id;
            numbers.iter().for_each(|(resource, number)| row.set(*resource, Some(*number)));
            row
        };
        let updated = row(3, &[(SHORT_SERVER_ID, 1), (LIFETIME, 60), (DISABLE_TIMEOUT, 9)]);
        let by_server = row(5, &[(SHORT_SERVER_ID, 1), (LIFETIME, 60)]);
        let by_bootstrap = row(5, &[(LIFETIME, 60)]);
        assert_eq!(written(Origin::Server(1)), [updated.clone(), by_server]);
        assert_eq!(written(Origin::Bootstrap), [updated, by_bootstrap]);
    }
}
