//! One terminal: what is kept of it while it has nothing to do, and how it comes back.

use core::time::Duration;

use lwm2m_core::{Client, Config, Credentials, Instant, Key, Limits, Memory, Profile, Statistics, Wake};

use crate::name;
use crate::platform::BOOTSTRAP_URI;

/// How all of them behave: one constant, however many there are.
pub(crate) static SPREAD: Profile = Profile { limits: LIMITS, ..Profile::DM };

/// The same, and the first Update comes as late as every other one.
pub(crate) static TOGETHER: Profile =
    Profile { registration: lwm2m_core::RegistrationPolicy { spread: false, ..Profile::DM.registration }, ..SPREAD };

/// Nothing longer than a Register is sent.
const LIMITS: Limits = Limits { datagram: 256, ..Limits::SMALL };

/// A terminal at rest.
#[derive(Debug, Default)]
pub(crate) struct Terminal {
    kept: Kept,
    /// Since when it rests, in milliseconds.
    since: u64,
    /// When its next turn is, in milliseconds, and the number of it.
    pub(crate) turn_at: u64,
    pub(crate) turn: u32,
}

/// What is kept of a client.
#[derive(Debug, Default)]
enum Kept {
    /// It was never powered on.
    #[default]
    Nothing,
    /// Its snapshot, as a device keeps it that sleeps with its memory off.
    Snapshot(Box<[u8]>),
    /// All of it.
    Client(Box<Client>),
}

/// What a terminal is made with.
pub(crate) fn config(terminal: u32, seed: u64, profile: &'static Profile) -> Config {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..12].copy_from_slice(&terminal.to_le_bytes());
    let name = name::of(terminal);
    Config::with_profile(profile, name.as_str(), Key(key)).bootstrap_server(BOOTSTRAP_URI, Credentials::NoSec)
}

impl Terminal {
    /// Takes the client out; a new one the first time.
    pub(crate) fn wake(&mut self, now: u64, config: impl FnOnce() -> Config) -> Client {
        let instant = Instant::from_millis(now);
        match core::mem::take(&mut self.kept) {
            Kept::Nothing => Client::new(config(), instant).expect("a valid configuration"),
            Kept::Client(client) => *client,
            Kept::Snapshot(bytes) => self.restored(now, &bytes, config()),
        }
    }

    fn restored(&self, now: u64, bytes: &[u8], config: Config) -> Client {
        let wake = Wake::Sleep { elapsed: Duration::from_millis(now.saturating_sub(self.since)) };
        Client::restore(config, bytes, Instant::from_millis(now), wake).expect("its own snapshot")
    }

    /// What its client holds in memory when it is awake.
    pub(crate) fn memory(&self, now: u64, config: impl FnOnce() -> Config) -> Option<Memory> {
        match &self.kept {
            Kept::Nothing => None,
            Kept::Client(client) => Some(client.memory()),
            Kept::Snapshot(bytes) => Some(self.restored(now, bytes, config()).memory()),
        }
    }

    /// Whether it was powered on.
    pub(crate) const fn is_on(&self) -> bool {
        !matches!(self.kept, Kept::Nothing)
    }

    /// Keeps a client that has nothing to do: all of it, or its snapshot.
    pub(crate) fn rest(&mut self, now: u64, mut client: Client, resident: bool) {
        self.since = now;
        self.kept = if resident {
            client.trim();
            Kept::Client(Box::new(client))
        } else {
            let mut room = [0; 1_024];
            let length = client.snapshot(Instant::from_millis(now), &mut room).expect("room for a snapshot");
            Kept::Snapshot(room[..length].into())
        };
    }

    /// What its client has counted, if all of it was kept.
    pub(crate) fn statistics(&self) -> Option<Statistics> {
        if let Kept::Client(client) = &self.kept { Some(client.statistics()) } else { None }
    }

    /// Bytes on the heap that are kept of it.
    pub(crate) fn heap(&self) -> usize {
        match &self.kept {
            Kept::Nothing => 0,
            Kept::Snapshot(bytes) => bytes.len(),
            Kept::Client(client) => client.memory().total(),
        }
    }
}
