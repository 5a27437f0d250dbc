//! The inputs of a client as values.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::{hex, unhex};
use crate::base::path::Path;
use crate::base::rng::Key;
use crate::base::time::Instant;
use crate::client::{Client, CommandError, Wake};
use crate::exchange::Peer;
use crate::lifecycle::Session;
use crate::model::{DataModel, Ticket};

/// An input: a call of the client, or what happens to it and its model besides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// [`Client::handle_datagram`].
    Datagram {
        /// When.
        now: Instant,
        /// From whom.
        peer: Peer,
        /// The datagram.
        bytes: Vec<u8>,
    },
    /// [`Client::handle_multicast`].
    Multicast {
        /// When.
        now: Instant,
        /// From whom.
        peer: Peer,
        /// The datagram.
        bytes: Vec<u8>,
    },
    /// [`Client::handle_timeout`].
    Timeout {
        /// When.
        now: Instant,
    },
    /// [`Client::connected`].
    Connected {
        /// When.
        now: Instant,
        /// With whom.
        peer: Peer,
        /// What kind of session it is.
        session: Session,
    },
    /// [`Client::connection_failed`].
    ConnectionFailed {
        /// When.
        now: Instant,
        /// With whom.
        peer: Peer,
    },
    /// [`Client::network_up`].
    NetworkUp {
        /// When.
        now: Instant,
    },
    /// [`Client::network_down`].
    NetworkDown {
        /// When.
        now: Instant,
    },
    /// [`Client::enter_flight_mode`].
    EnterFlightMode {
        /// When.
        now: Instant,
    },
    /// [`Client::leave_flight_mode`].
    LeaveFlightMode {
        /// When.
        now: Instant,
    },
    /// [`Client::shutdown`].
    Shutdown {
        /// When.
        now: Instant,
    },
    /// [`Client::address_changed`].
    AddressChanged {
        /// When.
        now: Instant,
    },
    /// [`Client::will_be_unreachable`].
    WillBeUnreachable {
        /// When.
        now: Instant,
        /// When it is awake again.
        wake: Instant,
    },
    /// [`Client::was_unreachable`].
    WasUnreachable {
        /// When.
        now: Instant,
        /// From when on.
        since: Instant,
    },
    /// [`Client::notify`].
    Notify {
        /// When.
        now: Instant,
        /// What changed.
        path: Path,
    },
    /// [`Client::update`].
    Update {
        /// When.
        now: Instant,
        /// Which server.
        server: u16,
    },
    /// [`Client::resume`].
    Resume {
        /// When.
        now: Instant,
        /// Which request.
        ticket: Ticket,
    },
    /// A power cut: a new client from the same configuration, but with another key.
    Restart {
        /// When.
        now: Instant,
        /// The new client's key.
        key: Key,
    },
    /// The client is written to a snapshot and brought back: from a sleep, or after a power cut.
    Restore {
        /// When it is brought back. A sleep began so much earlier.
        now: Instant,
        /// How it comes back.
        wake: Wake,
    },
    /// A power cut, after which the client is brought back from a snapshot that was written a while ago.
    Boot {
        /// When it is brought back.
        now: Instant,
        /// The snapshot.
        snapshot: Vec<u8>,
    },
    /// The application changed its model, as it says in its own words: `set /3/0/9 42`. The client
    /// is not called.
    Application {
        /// When.
        now: Instant,
        /// What it did; a single line.
        text: String,
    },
}

impl Input {
    /// When it happened.
    #[must_use]
    pub const fn now(&self) -> Instant {
        match self {
            Self::Datagram { now, .. }
            | Self::Multicast { now, .. }
            | Self::Timeout { now }
            | Self::Connected { now, .. }
            | Self::ConnectionFailed { now, .. }
            | Self::NetworkUp { now }
            | Self::NetworkDown { now }
            | Self::EnterFlightMode { now }
            | Self::LeaveFlightMode { now }
            | Self::Shutdown { now }
            | Self::AddressChanged { now }
            | Self::WillBeUnreachable { now, .. }
            | Self::WasUnreachable { now, .. }
            | Self::Notify { now, .. }
            | Self::Update { now, .. }
            | Self::Resume { now, .. }
            | Self::Restart { now, .. }
            | Self::Restore { now, .. }
            | Self::Boot { now, .. }
            | Self::Application { now, .. } => *now,
        }
    }

    /// Gives it to a client. An [`Application`](Self::Application) is the caller's affair.
    ///
    /// # Errors
    /// What the client's own call returns.
    pub fn apply(&self, client: &mut Client, model: &mut dyn DataModel) -> Result<(), CommandError> {
        match self {
            Self::Datagram { now, peer, bytes } => drop(client.handle_datagram(*now, *peer, bytes, model)),
            Self::Multicast { now, peer, bytes } => drop(client.handle_multicast(*now, *peer, bytes, model)),
            Self::Timeout { now } => client.handle_timeout(*now, model),
            Self::Connected { now, peer, session } => client.connected(*now, *peer, *session, model),
            Self::ConnectionFailed { now, peer } => client.connection_failed(*now, *peer),
            Self::NetworkUp { now } => client.network_up(*now),
            Self::NetworkDown { now } => client.network_down(*now),
            Self::EnterFlightMode { now } => client.enter_flight_mode(*now),
            Self::LeaveFlightMode { now } => client.leave_flight_mode(*now),
            Self::Shutdown { now } => client.shutdown(*now),
            Self::AddressChanged { now } => client.address_changed(*now),
            Self::WillBeUnreachable { now, wake } => client.will_be_unreachable(*now, *wake),
            Self::WasUnreachable { now, since } => client.was_unreachable(*now, *since),
            Self::Notify { now, path } => client.notify(*now, *path, model),
            Self::Update { now, server } => client.update(*now, *server)?,
            Self::Resume { now, ticket } => client.resume(*now, *ticket, model)?,
            Self::Restart { now, key } => {
                let mut config = client.config().clone();
                config.key = *key;
                // It was accepted before, and nothing is judged by its key.
                *client = Client::new(config, *now).unwrap_or_else(|error| panic!("{error}"));
            }
            Self::Restore { now, wake } => {
                let written = match wake {
                    Wake::Sleep { elapsed } => now.saturating_sub(*elapsed),
                    Wake::Restart => *now,
                };
                let snapshot = snapshot_of(client, written);
                restore(client, &snapshot, *now, *wake);
            }
            Self::Boot { now, snapshot } => restore(client, snapshot, *now, Wake::Restart),
            Self::Application { .. } => {}
        }
        Ok(())
    }

    /// The input as a line of a record.
    #[must_use]
    pub fn to_line(&self) -> String {
        let words = match self {
            Self::Datagram { peer, bytes, .. } => format!("datagram {} {}", peer.0, hex(bytes)),
            Self::Multicast { peer, bytes, .. } => format!("multicast {} {}", peer.0, hex(bytes)),
            Self::Timeout { .. } => "timeout".to_string(),
            Self::Connected { peer, session, .. } => format!("connected {} {}", peer.0, session_word(*session)),
            Self::ConnectionFailed { peer, .. } => format!("connection-failed {}", peer.0),
            Self::NetworkUp { .. } => "network-up".to_string(),
            Self::NetworkDown { .. } => "network-down".to_string(),
            Self::EnterFlightMode { .. } => "flight-on".to_string(),
            Self::LeaveFlightMode { .. } => "flight-off".to_string(),
            Self::Shutdown { .. } => "shutdown".to_string(),
            Self::AddressChanged { .. } => "address-changed".to_string(),
            Self::WillBeUnreachable { wake, .. } => format!("unreachable-until {}", wake.as_micros()),
            Self::WasUnreachable { since, .. } => format!("unreachable-since {}", since.as_micros()),
            Self::Notify { path, .. } => format!("notify {path}"),
            Self::Update { server, .. } => format!("update {server}"),
            Self::Resume { ticket, .. } => format!("resume {} {}", ticket.index, ticket.generation),
            Self::Restart { key, .. } => format!("restart {}", hex(&key.0)),
            Self::Restore { wake: Wake::Restart, .. } => "restore".to_string(),
            Self::Restore { wake: Wake::Sleep { elapsed }, .. } => format!("wake {}", elapsed.as_micros()),
            Self::Boot { snapshot, .. } => format!("boot {}", hex(snapshot)),
            Self::Application { text, .. } => format!("application {}", text.replace(['\n', '\r'], " ")),
        };
        format!("> {} {words}", self.now().as_micros())
    }

    /// Reads a line; none when it is no input.
    #[must_use]
    pub fn parse_line(line: &str) -> Option<Self> {
        let (micros, words) = line.strip_prefix("> ")?.split_once(' ')?;
        let now = Instant::from_micros(micros.parse().ok()?);
        if let Some(text) = words.strip_prefix("application ") {
            return Some(Self::Application { now, text: text.to_string() });
        }
        // An empty datagram leaves nothing after its peer.
        let mut words = words.split(' ');
        let verb = words.next()?;
        let mut next = || words.next().unwrap_or_default();
        let input = match verb {
            "datagram" => Self::Datagram { now, peer: Peer(next().parse().ok()?), bytes: unhex(next())? },
            "multicast" => Self::Multicast { now, peer: Peer(next().parse().ok()?), bytes: unhex(next())? },
            "timeout" => Self::Timeout { now },
            "connected" => {
                let peer = Peer(next().parse().ok()?);
                Self::Connected { now, peer, session: session_of(next())? }
            }
            "connection-failed" => Self::ConnectionFailed { now, peer: Peer(next().parse().ok()?) },
            "network-up" => Self::NetworkUp { now },
            "network-down" => Self::NetworkDown { now },
            "flight-on" => Self::EnterFlightMode { now },
            "flight-off" => Self::LeaveFlightMode { now },
            "shutdown" => Self::Shutdown { now },
            "address-changed" => Self::AddressChanged { now },
            "unreachable-until" => Self::WillBeUnreachable { now, wake: Instant::from_micros(next().parse().ok()?) },
            "unreachable-since" => Self::WasUnreachable { now, since: Instant::from_micros(next().parse().ok()?) },
            "notify" => Self::Notify { now, path: next().parse().ok()? },
            "update" => Self::Update { now, server: next().parse().ok()? },
            "resume" => {
                let index = next().parse().ok()?;
                Self::Resume { now, ticket: Ticket { index, generation: next().parse().ok()? } }
            }
            "restart" => Self::Restart { now, key: Key(unhex(next())?.try_into().ok()?) },
            "restore" => Self::Restore { now, wake: Wake::Restart },
            "boot" => Self::Boot { now, snapshot: unhex(next())? },
            "wake" => {
                let elapsed = Duration::from_micros(next().parse().ok()?);
                Self::Restore { now, wake: Wake::Sleep { elapsed } }
            }
            _ => return None,
        };
        words.next().is_none().then_some(input)
    }
}

/// What a client writes into flash memory.
pub(in crate::sim) fn snapshot_of(client: &Client, now: Instant) -> Vec<u8> {
    let mut flash = alloc::vec![0; 65_536];
    let length = client.snapshot(now, &mut flash).unwrap_or_else(|error| panic!("{error}"));
    flash.truncate(length);
    flash
}

fn restore(client: &mut Client, snapshot: &[u8], now: Instant, wake: Wake) {
    let restored = Client::restore(client.config().clone(), snapshot, now, wake);
    *client = restored.unwrap_or_else(|error| panic!("{error}"));
}

const fn session_word(session: Session) -> &'static str {
    match session {
        Session::New => "new",
        Session::Resumed => "resumed",
        Session::Moved => "moved",
    }
}

fn session_of(word: &str) -> Option<Session> {
    [Session::New, Session::Resumed, Session::Moved].into_iter().find(|session| session_word(*session) == word)
}
