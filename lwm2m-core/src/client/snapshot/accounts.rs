//! Accounts, and what Access Control says.

use alloc::boxed::Box;

use super::SnapshotError;
use super::bytes::{Reader, Writer};
use crate::base::config::{Account, Config, Credentials};
use crate::base::rights::Rights;
use crate::objects::access_control::{self, AccessControl};
use crate::objects::security::Mode;
use crate::objects::server::Binding;
use crate::objects::{Accounts, security, server};

pub(super) fn write_accounts(accounts: &Accounts, secrets: bool, out: &mut Writer<'_>) {
    let Accounts(security, server, access) = accounts;
    out.u8(u8::try_from(security.instances.len()).unwrap_or(u8::MAX));
    for instance in security.instances.iter().take(usize::from(u8::MAX)) {
        out.u16(instance.id);
        out.bytes(instance.uri.as_deref().unwrap_or_default().as_bytes());
        out.u8(instance.bootstrap_server.map_or(2, u8::from));
        out.u8(instance.mode.map_or(u8::MAX, Mode::number));
        out.u16(instance.short_server_id.unwrap_or(0));
        out.option(instance.hold_off);
        out.option(instance.account_timeout);
        out.bytes(&instance.credential.identity);
        // The place of a public key of the server.
        out.bytes(&[]);
        out.bytes(if secrets { &instance.credential.secret_key } else { &[] });
    }
    out.u8(u8::try_from(server.instances.len()).unwrap_or(u8::MAX));
    for instance in server.instances.iter().take(usize::from(u8::MAX)) {
        out.u16(instance.id);
        out.u16(instance.short_server_id.unwrap_or(0));
        out.option(instance.lifetime);
        out.option(instance.default_min_period);
        out.option(instance.default_max_period);
        out.option(instance.disable_timeout);
        out.u8(instance.storing.map_or(2, u8::from));
        out.u8(instance.binding.map_or(u8::MAX, |binding| binding as u8));
    }
    write_access(access, out);
}

pub(super) fn write_access(access: &AccessControl, out: &mut Writer<'_>) {
    out.u16(u16::try_from(access.instances.len()).unwrap_or(u16::MAX));
    for instance in access.instances.iter().take(usize::from(u16::MAX)) {
        out.u16(instance.id);
        [instance.object, instance.instance, instance.owner].iter().for_each(|id| out.option(id.map(u32::from)));
        out.u16(u16::try_from(instance.acl.len()).unwrap_or(u16::MAX));
        for entry in instance.acl.iter().take(usize::from(u16::MAX)) {
            out.u16(entry.server);
            out.u16(entry.rights.bits());
        }
    }
}

pub(super) fn read_access(access: &mut AccessControl, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
    access.instances.clear();
    for _ in 0..input.u16()? {
        let id = input.u16()?;
        let mut number = || input.option().map(|number| number.and_then(|number| u16::try_from(number).ok()));
        let (object, instance, owner) = (number()?, number()?, number()?);
        let mut own = access_control::Instance { id, object, instance, owner, ..Default::default() };
        for _ in 0..input.u16()? {
            own.grant(input.u16()?, Rights::from_bits(input.u16()?));
        }
        access.instances.push(own);
        if !access.fits() {
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
    let Accounts(security, server, access) = accounts;
    let limits = (config.limits.servers, config.limits.value);
    security.instances.clear();
    for _ in 0..input.u8()? {
        let id = input.u16()?;
        let uri = core::str::from_utf8(input.bytes()?).map_err(|_| SnapshotError::Damaged)?;
        let mut instance = security::Instance {
            id,
            uri: Some(uri).filter(|uri| !uri.is_empty()).map(Box::from),
            bootstrap_server: read_bool(input)?,
            mode: Some(input.u8()?).filter(|mode| *mode != u8::MAX).map(Mode::from_number),
            short_server_id: Some(input.u16()?).filter(|id| *id != 0),
            hold_off: input.option()?,
            account_timeout: input.option()?,
            ..security::Instance::default()
        };
        instance.credential.identity = input.bytes()?.into();
        input.bytes()?;
        instance.credential.secret_key = input.bytes()?.into();
        if instance.credential.secret_key.is_empty() {
            instance.credential.secret_key = configured_key(config, instance.uri.as_deref());
        }
        if instance.uri.as_ref().is_some_and(|uri| uri.len() > limits.1) {
            return Err(SnapshotError::Limits);
        }
        security.instances.push(instance);
    }
    server.instances.clear();
    for _ in 0..input.u8()? {
        let (id, short_server_id) = (input.u16()?, Some(input.u16()?).filter(|id| *id != 0));
        // One for each server: two would be two registrations with it.
        if short_server_id.is_some_and(|own| server.by_short_server_id(own).is_some()) {
            return Err(SnapshotError::Damaged);
        }
        server.instances.push(server::Instance {
            id,
            short_server_id,
            lifetime: input.option()?,
            default_min_period: input.option()?,
            default_max_period: input.option()?,
            disable_timeout: input.option()?,
            storing: read_bool(input)?,
            binding: Binding::from_number(input.u8()?),
        });
    }
    if security.instances.len() > limits.0.saturating_add(1) || server.instances.len() > limits.0 {
        return Err(SnapshotError::Limits);
    }
    read_access(access, input)
}

/// A key that was left out of the snapshot may be one that the device was made with.
fn configured_key(config: &Config, uri: Option<&str>) -> Box<[u8]> {
    let accounts = config.accounts.iter().map(|account| match account {
        Account::Bootstrap { uri, credentials } | Account::Server { uri, credentials, .. } => (uri, credentials),
    });
    let mut keys =
        accounts.filter(|(own, _)| Some(own.as_str()) == uri).filter_map(|(_, credentials)| match credentials {
            Credentials::Psk { key, .. } => Some(key.as_slice().into()),
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
