//! LwM2M Security, object 0 (OMA LwM2M 1.0, Appendix D.1.1): where the servers are, and the keys.
//!
//! Only the bootstrap interface writes it, and nobody reads it: no operation lets a key out.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::definitions;
use super::definitions::security::{
    BOOTSTRAP_SERVER, BOOTSTRAP_SERVER_ACCOUNT_TIMEOUT, CLIENT_HOLD_OFF_TIME, LWM2M_SERVER_URI, PUBLIC_KEY_OR_IDENTITY,
    SECRET_KEY, SECURITY_MODE, SERVER_PUBLIC_KEY, SMS_BINDING_KEY_PARAMETERS, SMS_BINDING_SECRET_KEY_S,
};
use crate::base::definition::with_ranges;
use crate::base::value::Value;
use crate::format::Given;
use crate::model::{ObjectDef, Range, ResourceDef};

pub(crate) use super::definitions::security::{ID, SHORT_SERVER_ID};

/// The definition of object 0, version 1.0, but for some ranges.
pub(crate) static DEFINITION: ObjectDef = ObjectDef { resources: &RESOURCES, ..definitions::security::DEFINITION };

const RESOURCES: [ResourceDef; 13] = with_ranges(
    definitions::security::RESOURCES,
    &[
        // 6 bytes, and 16, 32 or 48 bytes; a bootstrap server that has none writes them empty.
        (SMS_BINDING_KEY_PARAMETERS, Range::Length(0, 6)),
        (SMS_BINDING_SECRET_KEY_S, Range::Length(0, 48)),
        // In its own account a bootstrap server may write anything; Bootstrap-Finish judges the others.
        (SHORT_SERVER_ID, Range::Any),
    ],
);

/// Security Mode (/0/x/2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    PreSharedKey,
    NoSec,
    /// Raw public keys, certificates, EST: known, and not supported.
    Other(u8),
}

impl Mode {
    pub(crate) const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::PreSharedKey,
            3 => Self::NoSec,
            other => Self::Other(other),
        }
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::PreSharedKey => 0,
            Self::NoSec => 3,
            Self::Other(number) => number,
        }
    }
}

/// Key material, never printed.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Credential {
    pub(crate) identity: Box<[u8]>,
    pub(crate) secret_key: Box<[u8]>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// One instance. What a bootstrap has not written yet is absent; Bootstrap-Finish judges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Instance {
    pub(crate) id: u16,
    pub(crate) uri: Option<Box<str>>,
    pub(crate) bootstrap_server: Option<bool>,
    pub(crate) mode: Option<Mode>,
    pub(crate) credential: Credential,
    pub(crate) short_server_id: Option<u16>,
    pub(crate) hold_off: Option<u32>,
    pub(crate) account_timeout: Option<u32>,
}

impl Instance {
    pub(super) fn set(&mut self, Given { resource, value, .. }: Given<'_>) {
        match (resource, value) {
            (LWM2M_SERVER_URI, Value::Str(uri)) => self.uri = Some(uri.into()),
            (BOOTSTRAP_SERVER, Value::Bool(yes)) => self.bootstrap_server = Some(yes),
            (SECURITY_MODE, Value::Int(mode)) => self.mode = u8::try_from(mode).ok().map(Mode::from_number),
            (PUBLIC_KEY_OR_IDENTITY, Value::Opaque(bytes)) => self.credential.identity = bytes.into(),
            (SECRET_KEY, Value::Opaque(bytes)) => self.credential.secret_key = bytes.into(),
            (SHORT_SERVER_ID, Value::Int(id)) => self.short_server_id = u16::try_from(id).ok(),
            (CLIENT_HOLD_OFF_TIME, Value::Int(seconds)) => self.hold_off = u32::try_from(seconds).ok(),
            (BOOTSTRAP_SERVER_ACCOUNT_TIMEOUT, Value::Int(seconds)) => {
                self.account_timeout = u32::try_from(seconds).ok()
            }
            // The SMS resources are accepted and have no effect: this client has no SMS binding. Nor has it a security
            // mode with a public key of the server.
            _ => {}
        }
    }

    pub(super) const fn has(&self, resource: u16) -> bool {
        match resource {
            LWM2M_SERVER_URI => self.uri.is_some(),
            BOOTSTRAP_SERVER => self.bootstrap_server.is_some(),
            SECURITY_MODE => self.mode.is_some(),
            PUBLIC_KEY_OR_IDENTITY | SERVER_PUBLIC_KEY | SECRET_KEY => true,
            SHORT_SERVER_ID => self.short_server_id.is_some(),
            CLIENT_HOLD_OFF_TIME => self.hold_off.is_some(),
            BOOTSTRAP_SERVER_ACCOUNT_TIMEOUT => self.account_timeout.is_some(),
            _ => false,
        }
    }

    /// Where its server is, and how a session with it is secured.
    pub(crate) fn place(&self) -> (Option<&str>, Option<Mode>) {
        (self.uri.as_deref(), self.mode)
    }

    /// Whether this is the Bootstrap-Server Account.
    pub(crate) const fn is_bootstrap_server(&self) -> bool {
        matches!(self.bootstrap_server, Some(true))
    }
}

/// The object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Security {
    pub(crate) instances: Vec<Instance>,
    limit: u16,
    value_limit: u16,
}

impl Security {
    pub(crate) fn new(limit: usize, value_limit: usize) -> Self {
        let narrow = |limit: usize| u16::try_from(limit).unwrap_or(u16::MAX);
        Self { instances: Vec::new(), limit: narrow(limit), value_limit: narrow(value_limit) }
    }

    pub(crate) fn get(&self, id: u16) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.id == id)
    }

    /// The account of one server.
    pub(crate) fn of_server(&self, id: u16) -> Option<&Instance> {
        let own = |account: &&Instance| account.short_server_id == Some(id) && !account.is_bootstrap_server();
        self.instances.iter().find(own)
    }

    pub(crate) fn bootstrap_server(&self) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.is_bootstrap_server())
    }

    /// Begins with an instance that is written: a new one, where it is to have nothing of an earlier one.
    pub(super) fn begin(&mut self, id: u16, anew: bool) {
        let whole = Instance { id, ..Instance::default() };
        let at = self.instances.iter().position(|instance| instance.id >= id).unwrap_or(self.instances.len());
        match self.instances.get_mut(at).filter(|instance| instance.id == id) {
            None => self.instances.insert(at, whole),
            Some(instance) if anew => *instance = whole,
            Some(_) => {}
        }
    }

    pub(super) fn get_mut(&mut self, id: u16) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|instance| instance.id == id)
    }

    pub(super) fn has_room(&self, taken: usize) -> bool {
        taken < usize::from(self.limit)
    }

    /// Whether a value is longer than the limit allows.
    pub(super) fn is_too_long(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Str(text) => text.len() > usize::from(self.value_limit),
            Value::Opaque(bytes) => bytes.len() > usize::from(self.value_limit),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::path::Path;
    use crate::format::{Format, Payload, Unknown, Values};

    fn write(security: &mut Security, id: u16, anew: bool, values: &Values<'_>) {
        security.begin(id, anew);
        let instance = security.get_mut(id).expect("it has begun");
        values.iter().for_each(|given| instance.set(given));
    }

    /// What Eclipse Leshan 2.0.0-M4 writes to /0/1: the SMS keys that it does not have are empty.
    const FROM_LESHAN: &[u8] = b"\xC8\x00\x16coap://127.0.0.1:43346\xC1\x01\x00\xC1\x02\x03\xC0\x03\xC0\x04\xC0\x05\
          \xC1\x06\x03\xC0\x07\xC0\x08\xC0\x09\xC1\x0A\x7B\xC1\x0B\x00\xC1\x0C\x00";

    #[test]
    fn an_account_with_empty_sms_keys_is_accepted() {
        let path = Path::instance(ID, 1);
        let payload = Payload::decode(Format::TLV, path, &DEFINITION, Unknown::Ignore, FROM_LESHAN, &mut [])
            .expect("it is valid");
        let (_, values) = payload.instances().next().expect("one instance");
        let mut security = Security::new(2, 255);
        write(&mut security, 1, true, &values);
        let instance = security.get(1).expect("it was written");
        assert_eq!(instance.uri.as_deref(), Some("coap://127.0.0.1:43346"));
        assert_eq!((instance.mode, instance.short_server_id), (Some(Mode::NoSec), Some(123)));
    }

    #[test]
    fn an_instance_that_is_written_anew_has_nothing_else_and_stays_in_its_order() {
        let mut security = Security::new(2, 255);
        let hold_off = Values::of(CLIENT_HOLD_OFF_TIME, Value::Int(7));
        for id in [5, 3] {
            write(&mut security, id, true, &Values::of(LWM2M_SERVER_URI, Value::Str("coap://a")));
            write(&mut security, id, false, &hold_off);
        }
        let known = |id| Instance { id, uri: Some("coap://a".into()), hold_off: Some(7), ..Instance::default() };
        assert_eq!(security.instances, [known(3), known(5)]);
        write(&mut security, 3, true, &hold_off);
        assert_eq!(security.instances, [Instance { id: 3, hold_off: Some(7), ..Instance::default() }, known(5)]);
    }

    #[test]
    fn a_resource_is_there_once_it_has_a_value() {
        let nothing = Instance::default();
        let something = Instance {
            uri: Some("coap://a".into()),
            bootstrap_server: Some(true),
            mode: Some(Mode::NoSec),
            short_server_id: Some(1),
            hold_off: Some(0),
            account_timeout: Some(0),
            ..Instance::default()
        };
        for resource in 0..=12 {
            let always = matches!(resource, PUBLIC_KEY_OR_IDENTITY | SERVER_PUBLIC_KEY | SECRET_KEY);
            // Those of SMS are not kept.
            let ever = !(6..=9).contains(&resource);
            assert_eq!((nothing.has(resource), something.has(resource)), (always, ever), "{resource}");
        }
    }
}
