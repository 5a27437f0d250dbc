//! Registrations, and the bootstrap.

use core::time::Duration;

use super::SnapshotError;
use super::accounts::read_bool;
use super::bytes::{Reader, Writer};
use crate::base::time::{Instant, Micros};
use crate::lifecycle::bootstrap::Bootstrap;
use crate::lifecycle::contact::Contact;
use crate::lifecycle::location::Location;
use crate::lifecycle::registration::{Aim, Lease, Registration, Terms};
use crate::objects::server::Binding;

const UNREGISTERED: u8 = 0;
const REGISTERED: u8 = 1;
const DISABLED: u8 = 2;
const GONE: u8 = 3;

const HEARD: u8 = 0;
const UNHEARD: u8 = 1;
const ASLEEP: u8 = 2;

/// An exchange on its way ends with the snapshot: `returns` says whether a client that is about to
/// leave is to come back at once.
pub(super) fn write_registration(now: Instant, registration: &Registration, returns: bool, out: &mut Writer<'_>) {
    let until = |deadline: Instant| deadline.saturating_duration_since(now).as_micros() as u64;
    out.u16(registration.server);
    let (contact, last) = match registration.contact {
        Contact::Heard { last } => (HEARD, last),
        Contact::Unheard { last } => (UNHEARD, last),
        Contact::Asleep => (ASLEEP, now),
    };
    out.u8(contact);
    out.u64(now.saturating_duration_since(last).as_micros() as u64);
    let at = if registration.exchange.is_some() { 0 } else { until(registration.at) };
    match (&registration.lease, registration.aim) {
        (Some(lease), Aim::Registered) => write_lease(registration, lease, until(lease.expires), at, out),
        (_, Aim::Gone) if !returns => out.u8(GONE),
        (None, Aim::Registered) | (_, Aim::Gone) => {
            let (at, failures) = if registration.aim == Aim::Gone { (0, 0) } else { (at, registration.failures) };
            out.u8(UNREGISTERED);
            out.u64(at);
            out.u8(failures);
        }
        (lease, Aim::Disabled { seconds }) => {
            out.u8(DISABLED);
            out.u64(if lease.is_some() { Micros::of_seconds(seconds).0 } else { at });
        }
    }
}

const IDLE: u8 = 0;
const BOOT: u8 = 1;
const WANTED: u8 = 2;

/// A bootstrap that is not finished begins anew.
pub(super) fn write_bootstrap(now: Instant, bootstrap: &Bootstrap, out: &mut Writer<'_>) {
    let (at, failures) = match bootstrap {
        Bootstrap::Idle => return out.u8(IDLE),
        Bootstrap::Boot => return out.u8(BOOT),
        Bootstrap::Wanted { at, failures } => (*at, *failures),
        Bootstrap::Requesting { failures, .. } | Bootstrap::Receiving { failures, .. } => (now, *failures),
    };
    out.u8(WANTED);
    out.u64(at.saturating_duration_since(now).as_micros() as u64);
    out.u8(failures);
}

pub(super) fn read_bootstrap(
    now: Instant,
    elapsed: Duration,
    input: &mut Reader<'_>,
) -> Result<Bootstrap, SnapshotError> {
    Ok(match input.u8()? {
        IDLE => Bootstrap::Idle,
        BOOT => Bootstrap::Boot,
        WANTED => {
            let at = now + Duration::from_micros(input.u64()?).saturating_sub(elapsed);
            Bootstrap::Wanted { at, failures: input.u8()? }
        }
        _ => return Err(SnapshotError::Damaged),
    })
}

fn write_lease(own: &Registration, lease: &Lease, expires: u64, update: u64, out: &mut Writer<'_>) {
    out.u8(REGISTERED);
    out.u64(expires);
    out.u64(update);
    out.u8(own.failures);
    out.u32(lease.terms.lifetime);
    out.u8(lease.terms.binding as u8);
    out.u64(lease.terms.objects);
    let (options, segments) = own.location.parts();
    out.u8(segments);
    out.bytes(options);
}

pub(super) fn read_registration(
    now: Instant,
    elapsed: Duration,
    location_limit: usize,
    input: &mut Reader<'_>,
) -> Result<Registration, SnapshotError> {
    let after = |micros: u64| now + Duration::from_micros(micros).saturating_sub(elapsed);
    let server = input.u16()?;
    let contact = input.u8()?;
    let last = now.saturating_sub(Duration::from_micros(input.u64()?).saturating_add(elapsed));
    let contact = match contact {
        HEARD => Contact::Heard { last },
        UNHEARD => Contact::Unheard { last },
        ASLEEP => Contact::Asleep,
        _ => return Err(SnapshotError::Damaged),
    };
    let mut own = Registration { contact, ..Registration::due_at(server, now) };
    match input.u8()? {
        UNREGISTERED => (own.at, own.failures) = (after(input.u64()?), input.u8()?),
        REGISTERED => {
            let expires = after(input.u64()?);
            (own.at, own.failures) = (after(input.u64()?), input.u8()?);
            let lifetime = input.u32()?;
            let queues = read_bool(input)?.ok_or(SnapshotError::Damaged)?;
            let binding = Binding::from_number(queues.into());
            let terms = Terms { lifetime, binding, objects: input.u64()? };
            let segments = input.u8()?;
            let options = input.bytes()?;
            if options.len() > location_limit {
                return Err(SnapshotError::Limits);
            }
            own.location = Location::from_parts(options, segments).ok_or(SnapshotError::Damaged)?;
            own.lease = Some(Lease { terms, expires });
        }
        DISABLED => (own.aim, own.at) = (Aim::Disabled { seconds: 0 }, after(input.u64()?)),
        GONE => own.aim = Aim::Gone,
        _ => return Err(SnapshotError::Damaged),
    }
    Ok(own)
}
