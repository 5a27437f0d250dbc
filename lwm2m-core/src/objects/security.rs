//! LwM2M Security, object 0 (OMA LwM2M 1.0, Appendix D.1.1): where the servers are, and the keys.
//!
//! Only the bootstrap interface writes it, and nobody reads it: no operation lets a key out.

use super::accounts::Accounts;
use super::definitions;
use super::definitions::security::{SMS_BINDING_KEY_PARAMETERS, SMS_BINDING_SECRET_KEY_S};
use super::rows::Row;
use crate::base::definition::with_ranges;
use crate::model::{ObjectDef, Range, ResourceDef};

pub(crate) use super::definitions::security::{
    BOOTSTRAP_SERVER, BOOTSTRAP_SERVER_ACCOUNT_TIMEOUT as ACCOUNT_TIMEOUT, CLIENT_HOLD_OFF_TIME as HOLD_OFF, ID,
    LWM2M_SERVER_URI as URI, PUBLIC_KEY_OR_IDENTITY as IDENTITY, SECRET_KEY, SECURITY_MODE as MODE, SHORT_SERVER_ID,
};

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

/// Security Modes (/0/x/2). Raw public keys, certificates and EST are known, and not supported.
pub(crate) const PRE_SHARED_KEY: u32 = 0;
pub(crate) const NO_SEC: u32 = 3;

impl Row {
    /// Whether this, of Security, is the Bootstrap-Server Account.
    pub(crate) fn is_bootstrap_server(&self) -> bool {
        self.is(BOOTSTRAP_SERVER)
    }

    /// Where the server is.
    pub(crate) fn uri(&self) -> &str {
        core::str::from_utf8(self.bytes(URI)).unwrap_or_default()
    }

    /// The same, and how a session with it is secured.
    pub(crate) fn place(&self) -> (&[u8], Option<u32>) {
        (self.bytes(URI), self.number(MODE))
    }
}

impl Accounts {
    pub(crate) fn bootstrap_server(&self) -> Option<&Row> {
        self.rows(ID).iter().find(|row| row.is_bootstrap_server())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::Limits;
    use crate::base::path::Path;
    use crate::base::time::Instant;
    use crate::base::value::Value;
    use crate::format::{Format, Payload, Unknown, Values};
    use crate::model::{Action, Change, Ctx, DataModel, Origin};
    use alloc::vec::Vec;

    fn write(accounts: &mut Accounts, instance: u16, action: Action, values: &Values<'_>) {
        let ctx = Ctx { origin: Origin::Bootstrap, ticket: None, resumed: false, now: Instant::ZERO };
        accounts.apply(&ctx, &Change { action, object: ID, instance, values: *values, earlier: 0 });
    }

    fn empty() -> Accounts {
        Accounts::empty(&Limits::default())
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
        let mut accounts = empty();
        write(&mut accounts, 1, Action::Replace, &values);
        let instance = accounts.row(ID, 1).expect("it was written");
        assert_eq!(instance.place(), (&b"coap://127.0.0.1:43346"[..], Some(NO_SEC)));
        assert_eq!(instance.short(SHORT_SERVER_ID), Some(123));
    }

    #[test]
    fn an_instance_that_is_written_anew_has_nothing_else_and_stays_in_its_order() {
        let mut accounts = empty();
        let hold_off = Values::of(HOLD_OFF, Value::Int(7));
        for id in [5, 3] {
            write(&mut accounts, id, Action::Replace, &Values::of(URI, Value::Str("coap://a")));
            write(&mut accounts, id, Action::Update, &hold_off);
        }
        let held = |accounts: &Accounts| {
            let rows = accounts.rows(ID).iter();
            rows.map(|row| (row.id, row.uri() == "coap://a", row.number(HOLD_OFF))).collect::<Vec<_>>()
        };
        assert_eq!(held(&accounts), [(3, true, Some(7)), (5, true, Some(7))]);
        write(&mut accounts, 3, Action::Replace, &hold_off);
        assert_eq!(held(&accounts), [(3, false, Some(7)), (5, true, Some(7))]);
    }

    #[test]
    fn each_value_has_its_place_and_what_is_of_no_use_has_none() {
        let mut accounts = empty();
        for number in [BOOTSTRAP_SERVER, MODE, SHORT_SERVER_ID, HOLD_OFF, ACCOUNT_TIMEOUT] {
            write(&mut accounts, 1, Action::Resource(number), &Values::of(number, Value::Int(number.into())));
        }
        write(&mut accounts, 1, Action::Resource(URI), &Values::of(URI, Value::Str("coap://a")));
        for bytes in [IDENTITY, SECRET_KEY] {
            write(&mut accounts, 1, Action::Resource(bytes), &Values::of(bytes, Value::Opaque(&[bytes as u8])));
        }
        // The public key of the server, and what SMS needs.
        for (unused, value) in [(6, Value::Int(3)), (9, Value::Str("8613800138000"))] {
            write(&mut accounts, 1, Action::Resource(unused), &Values::of(unused, value));
        }
        for unused in [4, 7, 8] {
            write(&mut accounts, 1, Action::Resource(unused), &Values::of(unused, Value::Opaque(b"unused")));
        }
        let row = accounts.row(ID, 1).unwrap();
        for number in [BOOTSTRAP_SERVER, MODE, SHORT_SERVER_ID, HOLD_OFF, ACCOUNT_TIMEOUT] {
            assert_eq!(row.number(number), Some(number.into()));
        }
        assert_eq!((row.uri(), row.bytes(IDENTITY), row.bytes(SECRET_KEY)), ("coap://a", &[3][..], &[5][..]));
        assert_eq!(row.lengths().sum::<usize>(), "coap://a".len() + 2);
    }
}
