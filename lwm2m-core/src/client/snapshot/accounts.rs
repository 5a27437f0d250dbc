//! Accounts, and what Access Control says.

use super::SnapshotError;
use super::bytes::{Reader, Writer};
use crate::base::config::{Account, Config, Credentials};
use crate::base::rights::Rights;
use crate::objects::access_control::{OBJECT_ID, OBJECT_INSTANCE_ID, OWNER};
use crate::objects::rows::Row;
use crate::objects::security::{ACCOUNT_TIMEOUT, BOOTSTRAP_SERVER, HOLD_OFF, IDENTITY, MODE, SECRET_KEY, URI};
use crate::objects::server::{BINDING, DISABLE_TIMEOUT, STORING};
use crate::objects::server::{DEFAULT_MAXIMUM_PERIOD, DEFAULT_MINIMUM_PERIOD, LIFETIME};
use crate::objects::{ACCESS_CONTROL, Accounts, SECURITY, SERVER, security, server};

/// The numbers of Server that may be any.
const PERIODS: [u16; 4] = [LIFETIME, DEFAULT_MINIMUM_PERIOD, DEFAULT_MAXIMUM_PERIOD, DISABLE_TIMEOUT];

pub(super) fn write_accounts(accounts: &Accounts, secrets: bool, out: &mut Writer<'_>) {
    let short = |number: Option<u32>, none: u8| number.and_then(|number| u8::try_from(number).ok()).unwrap_or(none);
    let securities = accounts.rows(SECURITY);
    out.u8(u8::try_from(securities.len()).unwrap_or(u8::MAX));
    for own in securities.iter().take(usize::from(u8::MAX)) {
        out.u16(own.id);
        out.bytes(own.bytes(URI));
        out.u8(short(own.number(BOOTSTRAP_SERVER), 2));
        out.u8(short(own.number(MODE), u8::MAX));
        out.u16(own.short(security::SHORT_SERVER_ID).unwrap_or(0));
        out.option(own.number(HOLD_OFF));
        out.option(own.number(ACCOUNT_TIMEOUT));
        out.bytes(own.bytes(IDENTITY));
        // The place of a public key of the server.
        out.bytes(&[]);
        out.bytes(if secrets { own.bytes(SECRET_KEY) } else { &[] });
    }
    let servers = accounts.rows(SERVER);
    out.u8(u8::try_from(servers.len()).unwrap_or(u8::MAX));
    for own in servers.iter().take(usize::from(u8::MAX)) {
        out.u16(own.id);
        out.u16(own.short(server::SHORT_SERVER_ID).unwrap_or(0));
        PERIODS.iter().for_each(|resource| out.option(own.number(*resource)));
        out.u8(short(own.number(STORING), 2));
        out.u8(short(own.number(BINDING), u8::MAX));
    }
    write_access(accounts, out);
}

pub(super) fn write_access(accounts: &Accounts, out: &mut Writer<'_>) {
    let rows = accounts.rows(ACCESS_CONTROL);
    out.u16(u16::try_from(rows.len()).unwrap_or(u16::MAX));
    for own in rows.iter().take(usize::from(u16::MAX)) {
        out.u16(own.id);
        [OBJECT_ID, OBJECT_INSTANCE_ID, OWNER].iter().for_each(|resource| out.option(own.number(*resource)));
        out.u16(u16::try_from(own.acl().count()).unwrap_or(u16::MAX));
        for grant in own.acl().take(usize::from(u16::MAX)) {
            out.u16(grant.server);
            out.u16(grant.rights.bits());
        }
    }
}

pub(super) fn read_access(accounts: &mut Accounts, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
    accounts.keep(ACCESS_CONTROL, &mut |_| false);
    for _ in 0..input.u16()? {
        let mut own = Row::new(input.u16()?);
        for resource in [OBJECT_ID, OBJECT_INSTANCE_ID, OWNER] {
            own.set(resource, input.option()?.filter(|number| *number <= u32::from(u16::MAX)));
        }
        for _ in 0..input.u16()? {
            own.grant(input.u16()?, Some(Rights::from_bits(input.u16()?)));
        }
        let is_too_long = own.acl().count() > accounts.longest_acl();
        accounts.put(ACCESS_CONTROL, own);
        if is_too_long || accounts.rows(ACCESS_CONTROL).len() > accounts.limit(ACCESS_CONTROL) {
            return Err(SnapshotError::Limits);
        }
    }
    Ok(())
}

pub(super) fn read_accounts(
    accounts: &mut Accounts,
    config: &Config,
    input: &mut Reader<'_>,
) -> Result<(), SnapshotError> {
    accounts.keep(SECURITY, &mut |_| false);
    for _ in 0..input.u8()? {
        let mut own = Row::new(input.u16()?);
        let uri = input.bytes()?;
        if core::str::from_utf8(uri).is_err() {
            return Err(SnapshotError::Damaged);
        }
        let numbers = [
            (BOOTSTRAP_SERVER, read_bool(input)?.map(u32::from)),
            (MODE, Some(input.u8()?).filter(|mode| *mode != u8::MAX).map(u32::from)),
            (security::SHORT_SERVER_ID, Some(input.u16()?).filter(|id| *id != 0).map(u32::from)),
            (HOLD_OFF, input.option()?),
            (ACCOUNT_TIMEOUT, input.option()?),
        ];
        numbers.iter().for_each(|(resource, number)| own.set(*resource, *number));
        own.set_bytes(URI, uri);
        own.set_bytes(IDENTITY, input.bytes()?);
        input.bytes()?;
        let key = input.bytes()?;
        own.set_bytes(SECRET_KEY, if key.is_empty() { configured_key(config, uri) } else { key });
        accounts.put(SECURITY, own);
        if uri.len() > config.limits.value {
            return Err(SnapshotError::Limits);
        }
    }
    accounts.keep(SERVER, &mut |_| false);
    for _ in 0..input.u8()? {
        let mut own = Row::new(input.u16()?);
        let short_server_id = Some(input.u16()?).filter(|id| *id != 0);
        // One for each server: two would be two registrations with it.
        if short_server_id.is_some_and(|own| accounts.by_short_server_id(own).is_some()) {
            return Err(SnapshotError::Damaged);
        }
        own.set(server::SHORT_SERVER_ID, short_server_id.map(u32::from));
        for resource in PERIODS {
            own.set(resource, input.option()?);
        }
        own.set(STORING, read_bool(input)?.map(u32::from));
        own.set(BINDING, read_bool(input)?.map(u32::from));
        accounts.put(SERVER, own);
    }
    if [SECURITY, SERVER].iter().any(|object| accounts.rows(*object).len() > accounts.limit(*object)) {
        return Err(SnapshotError::Limits);
    }
    read_access(accounts, input)
}

/// A key that was left out of the snapshot may be one that the device was made with.
fn configured_key<'c>(config: &'c Config, uri: &[u8]) -> &'c [u8] {
    let accounts = config.accounts.iter().map(|account| match account {
        Account::Bootstrap { uri, credentials } | Account::Server { uri, credentials, .. } => (uri, credentials),
    });
    let mut keys = accounts.filter(|(own, _)| own.as_bytes() == uri).filter_map(|(_, credentials)| match credentials {
        Credentials::Psk { key, .. } => Some(key.as_slice()),
        Credentials::NoSec => None,
    });
    keys.next().unwrap_or_default()
}

pub(super) fn read_bool(input: &mut Reader<'_>) -> Result<Option<bool>, SnapshotError> {
    Ok(match input.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })
}
