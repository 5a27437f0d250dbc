//! Snapshots: what a client must not forget over a sleep with its memory off, or a restart.
//!
//! Durations are stored and not instants, the generator's counter and not its key. Keys of servers
//! stay out unless `Config::snapshot_secrets` asks for them.

mod accounts;
mod bytes;
mod kept;
mod observations;
mod registrations;

use core::time::Duration;

use self::accounts::{read_accounts, write_accounts};
use self::bytes::{Reader, Writer};
use self::observations::{read_assignment, read_observation, write_assignment, write_observation};
use self::registrations::{read_bootstrap, read_registration, write_bootstrap, write_registration};
use super::Client;
use crate::base::config::{Config, ConfigError};
use crate::base::time::Instant;
use crate::client::connection::Link;
use crate::lifecycle::presence::{Goal, Presence};
use crate::lifecycle::registration::Registration;
use crate::lifecycle::{Lifecycle, Role};
use crate::objects::Accounts;

/// The format's name and version.
const MAGIC: [u8; 3] = *b"LM\x06";

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
    /// With one account and two observations it takes some 230 bytes besides URIs and keys. Keep the number as well:
    /// bytes behind the snapshot are damage to [`restore`](Self::restore). A cut of the power
    /// while it is written must not cost the one before: write to two places in turn, and after its last byte a
    /// count, which says which is newer; the one that `restore` refuses was not finished.
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
        match &self.lifecycle.before {
            Some(before) => before,
            None => &self.accounts,
        }
    }

    /// Brings a client back from what [`snapshot`](Self::snapshot) wrote. `config` is the same as before; its key may be
    /// another one. The snapshot's accounts and Access Control count, whatever the configuration has: from there come only
    /// the keys of servers that the snapshot left out, by URI. Firmware that brings other accounts begins with
    /// [`Client::new`] and a new [`Key`](crate::Key).
    ///
    /// After a sleep the network counts as it was before, and sessions are asked for at once; in queue mode
    /// when the next Update is due. There are no orders yet: the first come with
    /// [`handle_timeout`](Self::handle_timeout), which is due at once if anything is.
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
        client.fall_asleep();
        for index in 0.. {
            let Some(role) = client.lifecycle.role(index) else { break };
            let Role::Server(server) = role else { continue };
            // In queue mode nobody expects to reach it before its next Update.
            let asleep = client.lifecycle.registration_of(server).and_then(|own| own.asleep_until(now)).is_some();
            if client.lifecycle.serves(now, role, &client.config) && !asleep {
                client.connections.add(role, Link::Wanted);
            }
        }
        client.settle();
        client.plan();
        Ok(client)
    }
}
