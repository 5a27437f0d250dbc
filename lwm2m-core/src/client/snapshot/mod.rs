//! Snapshots: what a client must not forget over a sleep with its memory off, or a restart.
//!
//! Durations are stored and not instants, the generator's counter and not its key. Keys of servers
//! stay out unless `Config::snapshot_secrets` asks for them.

mod bytes;
mod kept;

use alloc::boxed::Box;
use core::time::Duration;

use coap_codec::{BlockValue, ContentFormat, MessageId, Token};

use self::bytes::{Reader, Writer};
use super::Client;
use crate::base::attributes::{Attributes, Number};
use crate::base::config::{Account, Config, ConfigError, Credentials};
use crate::base::path::Path;
use crate::base::rights::Rights;
use crate::base::time::{Instant, Micros};
use crate::format::Format;
use crate::lifecycle::bootstrap::Bootstrap;
use crate::lifecycle::contact::Contact;
use crate::lifecycle::location::Location;
use crate::lifecycle::presence::{Goal, Presence};
use crate::lifecycle::registration::{Lease, Phase, Registration, State, Terms, Then};
use crate::lifecycle::{Lifecycle, Role};
use crate::objects::access_control::{self, AccessControl};
use crate::objects::security::Mode;
use crate::objects::server::Binding;
use crate::objects::{Accounts, security, server};
use crate::reporting::{Assignment, Observation, Periods, Reporting};

/// The format's name and version.
const MAGIC: [u8; 3] = *b"LM\x05";

/// No deadline.
const NEVER: u64 = u64::MAX;

/// How far counters skip on a restart: the snapshot may be older than the last message.
const RESTART_SKIP: u64 = 1 << 24;
const RESTART_SKIP_ID: u16 = 1 << 14;

/// How a client comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wake {
    /// From a sleep: the snapshot was written right before it, and nothing was sent since. The
    /// client goes on inside its registration.
    Sleep {
        /// How long it slept.
        elapsed: Duration,
    },
    /// From a restart: the snapshot may be old. Accounts, attributes and counters are kept, and the
    /// client boots. Write another one before there is a network: who starts twice from the same one
    /// uses the same Message IDs twice.
    Restart,
}

/// Why a snapshot cannot be written or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The buffer is too short.
    #[error("the snapshot needs {needed} bytes")]
    NoSpace {
        /// Bytes needed.
        needed: usize,
    },
    /// It was not written by this version of the crate.
    #[error("the snapshot has an unknown version")]
    Version,
    /// It is not what was written: start with [`Client::new`].
    #[error("the snapshot is damaged")]
    Damaged,
    /// It needs larger limits than the configuration has.
    #[error("the snapshot does not fit the limits")]
    Limits,
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Client {
    /// Writes what must survive into `buffer`: the number of bytes used. Exchanges in flight are
    /// not part of it; what they were for is done again. Of the notifications that are kept for servers
    /// ([`Limits::stored`](crate::Limits::stored)) the newest are written for which there is room; the
    /// others count as dropped for the client that comes back.
    ///
    /// With one account and two observations it takes some 230 bytes besides URIs and keys. A cut of the power
    /// while it is written must not cost the one before: write to two places in turn, and after its last byte a
    /// count, which says which is newer; the one that [`restore`](Self::restore) refuses was not finished.
    ///
    /// # Errors
    /// [`SnapshotError::NoSpace`] with the size that is needed.
    ///
    /// ```
    /// use core::time::Duration;
    /// use lwm2m_core::{Client, Config, Credentials, Instant, Key, Wake};
    ///
    /// let config = Config::new("node-7", Key::from_seed(7)).server(1, "coap://dm.example", Credentials::NoSec, 300);
    /// let client = Client::new(config.clone(), Instant::ZERO).unwrap();
    ///
    /// let mut flash = [0; 256];
    /// let len = client.snapshot(Instant::from_secs(1), &mut flash).unwrap();
    ///
    /// let wake = Wake::Sleep { elapsed: Duration::from_secs(60) };
    /// let restored = Client::restore(config, &flash[..len], Instant::ZERO, wake).unwrap();
    /// assert_eq!(restored.servers().collect::<Vec<_>>(), [1]);
    /// ```
    pub fn snapshot(&self, now: Instant, buffer: &mut [u8]) -> Result<usize, SnapshotError> {
        let now = self.clock.peek(now);
        let mut without = Writer::new(&mut []);
        self.write(now, usize::MAX, &mut without);
        let left_out = kept::left_out(&self.reporting, buffer.len().saturating_sub(without.length()));
        let mut out = Writer::new(buffer);
        self.write(now, left_out, &mut out);
        out.finish()
    }

    /// Writes all but the `left_out` oldest notifications that are kept.
    fn write(&self, now: Instant, left_out: usize, out: &mut Writer<'_>) {
        out.raw(&MAGIC);
        let (message_id, counter) = self.exchange.counters();
        out.u16(message_id);
        out.u64(counter);
        out.u8(match self.lifecycle.presence {
            Presence::Present | Presence::Leaving { to: Goal::Back, .. } => 0,
            Presence::Flight | Presence::Leaving { to: Goal::FlightMode, .. } => 1,
            Presence::Off | Presence::Leaving { to: Goal::PowerOff, .. } => 2,
        });
        out.u8(u8::from(self.lifecycle.network));
        write_bootstrap(now, &self.lifecycle.bootstrap, out);
        let purge_at = self.lifecycle.purge_at;
        out.u64(purge_at.map_or(NEVER, |at| at.saturating_duration_since(now).as_micros() as u64));
        write_accounts(self.stored_accounts(), self.config.snapshot_secrets, out);
        let registrations = &self.lifecycle.registrations;
        out.u8(u8::try_from(registrations.len()).unwrap_or(u8::MAX));
        let returns = matches!(self.lifecycle.presence, Presence::Present | Presence::Leaving { to: Goal::Back, .. });
        registrations
            .iter()
            .take(usize::from(u8::MAX))
            .for_each(|registration| write_registration(now, registration, returns, out));
        out.u16(u16::try_from(self.reporting.len()).unwrap_or(u16::MAX));
        let observations = self.reporting.iter().take(usize::from(u16::MAX));
        observations.for_each(|observation| {
            // The last that was kept for it may be left out.
            let owed = observation.owed || self.reporting.is_all_among(left_out, observation);
            write_observation(now, observation, owed, &self.reporting, out);
        });
        let assignments = self.reporting.assignments();
        out.u16(u16::try_from(assignments.count()).unwrap_or(u16::MAX));
        let assignments = self.reporting.assignments().take(usize::from(u16::MAX));
        assignments.for_each(|assignment| write_assignment(assignment, out));
        kept::write(&self.reporting, left_out, out);
    }

    /// The accounts to keep: those from before a bootstrap that is not finished.
    const fn stored_accounts(&self) -> &Accounts {
        match &self.lifecycle.bootstrap {
            Bootstrap::Requesting { before, .. } | Bootstrap::Receiving { before, .. } => before,
            _ => &self.accounts,
        }
    }

    /// Brings a client back from what [`snapshot`](Self::snapshot) wrote. `config` is the same as
    /// before, but for accounts that a bootstrap changed: the snapshot's count.
    ///
    /// After a sleep the network counts as it was before, and sessions are asked for at once; in queue mode
    /// when the next Update is due.
    ///
    /// # Errors
    /// [`SnapshotError`]: nothing of the snapshot was used.
    pub fn restore(config: Config, snapshot: &[u8], now: Instant, wake: Wake) -> Result<Self, SnapshotError> {
        let mut client = Self::new(config, now)?;
        let mut input = Reader::new(snapshot)?;
        if input.array()? != MAGIC {
            return Err(SnapshotError::Version);
        }
        let (message_id, counter) = (input.u16()?, input.u64()?);
        let (presence, network) = (input.u8()?, input.u8()? != 0);
        let elapsed = match wake {
            Wake::Sleep { elapsed } => elapsed,
            Wake::Restart => Duration::ZERO,
        };
        let now = client.clock.peek(now);
        let bootstrap = read_bootstrap(now, elapsed, &mut input)?;
        let purge_in = Some(input.u64()?).filter(|micros| *micros != NEVER).map(Duration::from_micros);
        read_accounts(&mut client.accounts, &client.config, &mut input)?;
        client.accounts.shrink();
        let mut registrations: alloc::vec::Vec<Registration> = alloc::vec::Vec::new();
        for _ in 0..input.u8()? {
            let registration = read_registration(now, elapsed, client.config.limits.location, &mut input)?;
            // One for each server: a second one would never be served.
            if registrations.iter().any(|other| other.server == registration.server) {
                return Err(SnapshotError::Damaged);
            }
            registrations.push(registration);
        }
        registrations.shrink_to_fit();
        let observed = input.u16()?;
        for _ in 0..observed {
            read_observation(now, elapsed, &mut client.reporting, &mut input)?;
        }
        let assigned = input.u16()?;
        for _ in 0..assigned {
            client.reporting.assign(read_assignment(&mut input)?);
        }
        kept::read(&mut client.reporting, &mut input)?;
        input.end()?;
        client.dropped_notifications = client.reporting.dropped();
        if usize::from(assigned) > client.config.limits.attributes {
            return Err(SnapshotError::Limits);
        }
        client.lifecycle = Lifecycle::new(now, &client.accounts, &client.config);
        client.lifecycle.purge_at = purge_in.map(|left| now + left.saturating_sub(elapsed));
        if wake == Wake::Restart {
            client
                .exchange
                .set_counters(message_id.wrapping_add(RESTART_SKIP_ID), counter.saturating_add(RESTART_SKIP));
            client.reporting.clear();
            return Ok(client);
        }
        client.exchange.set_counters(message_id, counter);
        if registrations.len() > client.config.limits.servers
            || usize::from(observed) > client.config.limits.observations
        {
            return Err(SnapshotError::Limits);
        }
        client.renew_periods();
        client.lifecycle.presence = match presence {
            0 => Presence::Present,
            1 => Presence::Flight,
            2 => Presence::Off,
            _ => return Err(SnapshotError::Damaged),
        };
        client.lifecycle.network = network;
        client.lifecycle.bootstrap = bootstrap;
        client.lifecycle.registrations = registrations;
        client.fall_asleep(now);
        for role in client.lifecycle.roles().collect::<alloc::vec::Vec<_>>() {
            let Role::Server(server) = role else { continue };
            // In queue mode nobody expects to reach it before its next Update.
            let asleep = client.lifecycle.registration_of(server).and_then(|own| own.asleep_until(now)).is_some();
            if client.lifecycle.serves(now, role, &client.config) && !asleep {
                client.connections.add(role);
                client.connections.want(role);
            }
        }
        client.settle(now);
        client.plan_anew(now);
        Ok(client)
    }
}

fn write_accounts(accounts: &Accounts, secrets: bool, out: &mut Writer<'_>) {
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
        out.bytes(&instance.credential.server_key);
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

fn write_access(access: &AccessControl, out: &mut Writer<'_>) {
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

fn read_access(access: &mut AccessControl, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
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

fn read_accounts(accounts: &mut Accounts, config: &Config, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
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
        instance.credential.server_key = input.bytes()?.into();
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
        server.instances.push(server::Instance {
            id: input.u16()?,
            short_server_id: Some(input.u16()?).filter(|id| *id != 0),
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

fn read_bool(input: &mut Reader<'_>) -> Result<Option<bool>, SnapshotError> {
    Ok(match input.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })
}

const UNREGISTERED: u8 = 0;
const REGISTERED: u8 = 1;
const DISABLED: u8 = 2;
const GONE: u8 = 3;

const HEARD: u8 = 0;
const UNHEARD: u8 = 1;
const ASLEEP: u8 = 2;

/// An exchange on its way ends with the snapshot: `returns` says whether a client that is about to
/// leave is to come back at once.
fn write_registration(now: Instant, registration: &Registration, returns: bool, out: &mut Writer<'_>) {
    let until = |deadline: Instant| deadline.saturating_duration_since(now).as_micros() as u64;
    out.u16(registration.server);
    let (contact, last) = match registration.contact {
        Contact::Heard { last } => (HEARD, last),
        Contact::Unheard { last } => (UNHEARD, last),
        Contact::Asleep => (ASLEEP, now),
    };
    out.u8(contact);
    out.u64(now.saturating_duration_since(last).as_micros() as u64);
    let gone = |out: &mut Writer<'_>| {
        if returns {
            out.u8(UNREGISTERED);
            out.u64(0);
            out.u8(0);
        } else {
            out.u8(GONE);
        }
    };
    match &registration.state {
        State::Unregistered { at, failures } => {
            out.u8(UNREGISTERED);
            out.u64(until(*at));
            out.u8(*failures);
        }
        State::Registering { failures, .. } => {
            out.u8(UNREGISTERED);
            out.u64(0);
            out.u8(*failures);
        }
        State::Known { lease, phase } => match phase {
            Phase::Registered { update_at, failures } => {
                write_lease(lease, until(lease.expires), until(*update_at), *failures, out);
            }
            Phase::Updating { failures, .. } => write_lease(lease, until(lease.expires), 0, *failures, out),
            Phase::Leaving { then: Then::Disabled { seconds } }
            | Phase::Deregistering { then: Then::Disabled { seconds }, .. } => {
                out.u8(DISABLED);
                out.u64(Micros::of_seconds(*seconds).0);
            }
            Phase::Leaving { then: Then::Gone } | Phase::Deregistering { then: Then::Gone, .. } => gone(out),
        },
        State::Disabled { until: end } => {
            out.u8(DISABLED);
            out.u64(until(*end));
        }
        State::Gone => gone(out),
    }
}

const IDLE: u8 = 0;
const BOOT: u8 = 1;
const WANTED: u8 = 2;

/// A bootstrap that is not finished begins anew.
fn write_bootstrap(now: Instant, bootstrap: &Bootstrap, out: &mut Writer<'_>) {
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

fn read_bootstrap(now: Instant, elapsed: Duration, input: &mut Reader<'_>) -> Result<Bootstrap, SnapshotError> {
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

fn write_lease(lease: &Lease, expires: u64, update: u64, failures: u8, out: &mut Writer<'_>) {
    out.u8(REGISTERED);
    out.u64(expires);
    out.u64(update);
    out.u8(failures);
    out.u32(lease.terms.lifetime);
    out.u8(lease.terms.binding as u8);
    out.u64(lease.terms.objects);
    let (options, segments) = lease.location.parts();
    out.u8(segments);
    out.bytes(options);
}

fn read_registration(
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
    let state = match input.u8()? {
        UNREGISTERED => State::Unregistered { at: after(input.u64()?), failures: input.u8()? },
        REGISTERED => {
            let (expires, update_at, failures) = (after(input.u64()?), after(input.u64()?), input.u8()?);
            let lifetime = input.u32()?;
            let binding = Binding::from_number(input.u8()?).ok_or(SnapshotError::Damaged)?;
            let terms = Terms { lifetime, binding, objects: input.u64()? };
            let segments = input.u8()?;
            let options = input.bytes()?;
            if options.len() > location_limit {
                return Err(SnapshotError::Limits);
            }
            let location = Location::from_parts(options, segments).ok_or(SnapshotError::Damaged)?;
            let lease = Lease { location, terms, expires };
            State::Known { lease, phase: Phase::Registered { update_at, failures } }
        }
        DISABLED => State::Disabled { until: after(input.u64()?) },
        GONE => State::Gone,
        _ => return Err(SnapshotError::Damaged),
    };
    Ok(Registration { server, state, contact })
}

/// The observer did not ask for a block size.
const ANY_BLOCK: u8 = u8::MAX;

fn write_path(path: Path, out: &mut Writer<'_>) {
    out.u8(u8::try_from(path.depth()).unwrap_or(0));
    path.levels().iter().for_each(|id| out.u16(*id));
}

fn read_path(input: &mut Reader<'_>) -> Result<Path, SnapshotError> {
    let mut path = Path::ROOT;
    for _ in 0..input.u8()? {
        path = path.child(input.u16()?).ok_or(SnapshotError::Damaged)?;
    }
    Ok(path)
}

const PENDING: u8 = 1;
const MEASURED: u8 = 2;
const MOVED: u8 = 4;
const OWED: u8 = 8;

fn write_observation(now: Instant, observation: &Observation, owed: bool, reporting: &Reporting, out: &mut Writer<'_>) {
    let ago = |then: Instant| now.saturating_duration_since(then).as_micros() as u64;
    out.u16(observation.server);
    out.u8(u8::try_from(observation.token.len()).unwrap_or(0));
    out.raw(observation.token.as_bytes());
    write_path(observation.path, out);
    out.u16(observation.format.content_format().0);
    out.u32(observation.sequence);
    out.u64(observation.digest);
    // A confirmable notification on its way may be lost with the memory: it is told again, or it is
    // kept still.
    let lost = observation.in_flight.is_some() && !observation.replays;
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    out.u8(flag(observation.pending || lost, PENDING)
        | flag(observation.measured, MEASURED)
        | flag(observation.moved, MOVED)
        | flag(owed, OWED));
    out.u8(observation.block.unwrap_or(ANY_BLOCK));
    out.u64(ago(observation.notified));
    out.u64(ago(observation.confirmed));
    out.option(observation.last.map(|id| u32::from(id.0)));
    out.u16(u16::try_from(reporting.numbers(observation).count()).unwrap_or(u16::MAX));
    for (index, bits) in reporting.numbers(observation).take(usize::from(u16::MAX)) {
        out.option(index.map(u32::from));
        out.u64(bits);
    }
}

fn read_observation(
    now: Instant,
    elapsed: Duration,
    reporting: &mut Reporting,
    input: &mut Reader<'_>,
) -> Result<(), SnapshotError> {
    let server = input.u16()?;
    let len = input.u8()?;
    let token = Token::new(input.raw(usize::from(len))?).map_err(|_| SnapshotError::Damaged)?;
    let path = read_path(input)?;
    let format = Format::from_content_format(ContentFormat(input.u16()?)).ok_or(SnapshotError::Damaged)?;
    let (sequence, digest, flags) = (input.u32()?, input.u64()?, input.u8()?);
    let block = Some(input.u8()?).filter(|block| *block != ANY_BLOCK);
    if block.is_some_and(|block| block > BlockValue::MAX_SZX) {
        return Err(SnapshotError::Damaged);
    }
    let (notified, confirmed) = (Duration::from_micros(input.u64()?), Duration::from_micros(input.u64()?));
    let last = input.option()?.and_then(|id| u16::try_from(id).ok()).map(MessageId);
    let mut observation = Observation {
        server,
        token,
        path,
        format,
        block,
        periods: Periods::default(),
        sequence,
        digest,
        measured: flags & MEASURED != 0,
        pending: flags & PENDING != 0,
        moved: flags & MOVED != 0,
        suspected: false,
        owed: flags & OWED != 0,
        // Before the embedder's zero there is no instant: what lies that far back is over anyway.
        notified: now.saturating_sub(notified.saturating_add(elapsed)),
        confirmed: now.saturating_sub(confirmed.saturating_add(elapsed)),
        in_flight: None,
        replays: false,
        last,
    };
    for _ in 0..input.u16()? {
        let index = input.option()?.and_then(|index| u16::try_from(index).ok());
        observation.measured &= reporting.put_number(&observation, index, input.u64()?);
    }
    reporting.put(observation);
    Ok(())
}

/// Each attribute with a byte before it that says whether it is set.
fn write_assignment(Assignment { server, path, attributes }: &Assignment, out: &mut Writer<'_>) {
    out.u16(*server);
    write_path(*path, out);
    out.option(attributes.pmin);
    out.option(attributes.pmax);
    for number in [attributes.gt, attributes.lt, attributes.st] {
        out.u8(u8::from(number.is_some()));
        if let Some(number) = number {
            out.u64(number.get().to_bits());
        }
    }
}

fn read_assignment(input: &mut Reader<'_>) -> Result<Assignment, SnapshotError> {
    let (server, path) = (input.u16()?, read_path(input)?);
    let (pmin, pmax) = (input.option()?, input.option()?);
    let mut number = || match input.u8()? {
        0 => Ok(None),
        _ => Number::new(f64::from_bits(input.u64()?)).map(Some).ok_or(SnapshotError::Damaged),
    };
    let attributes = Attributes { pmin, pmax, gt: number()?, lt: number()?, st: number()? };
    Ok(Assignment { server, path, attributes })
}
