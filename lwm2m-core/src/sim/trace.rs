//! What happened in a run: every datagram with its fate, every event, command and order.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use coap_codec::{Message, MessageType};

use crate::base::event::Event;
use crate::base::time::Instant;
use crate::exchange::Peer;

/// The trace of a run. Two runs with the same seed and the same calls have equal traces.
///
/// It prints as one line per entry, which is what one wants to see when a scenario fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What happened, in its order. A datagram stands where it was sent.
    pub entries: Vec<Entry>,
    kept: bool,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, in virtual time.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A datagram was sent.
    Datagram {
        /// Its number, counted from 1 over the whole run and both directions: what
        /// [`Network::lose_nth`](super::Network::lose_nth) takes.
        number: usize,
        /// Which way it went.
        dir: Direction,
        /// The platform's host that sent it, or that it was for: `dm.example:5683`.
        host: Arc<str>,
        /// The device's session that sent it, or that it was for; none when there was none.
        peer: Option<Peer>,
        /// The bytes as they were sent.
        bytes: Vec<u8>,
        /// What became of it.
        fate: Fate,
        /// When it came, or will come, to its destination; the first of two copies. None when it
        /// never does.
        arrives_at: Option<Instant>,
    },
    /// The client had news.
    Event(Event),
    /// The scenario told the device something: `network up`, `flight mode on`.
    Command(&'static str),
    /// The client asked the runtime for something besides sending.
    Order(Order),
}

/// An order of the client to its runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Open a session.
    Connect {
        /// With this peer.
        peer: Peer,
        /// At this URI.
        uri: String,
    },
    /// Close a session.
    Disconnect {
        /// With this peer.
        peer: Peer,
    },
}

/// Which way a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the device to the platform.
    ToServer,
    /// From the platform to the device.
    ToDevice,
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It arrives as it was sent.
    Delivered,
    /// It arrives twice.
    Duplicated,
    /// It arrives after others that were sent later.
    Reordered,
    /// It arrives with wrong bits.
    Corrupted,
    /// It arrives without its end.
    Truncated,
    /// The network loses it.
    Lost,
    /// It cannot pass: the network is cut, or the device or the host is off the network.
    Blocked,
    /// It arrives where nobody expects it: the session is closed, or has moved to another address.
    Astray,
}

impl Trace {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), kept: true }
    }

    /// Whether entries are kept; they are, unless told otherwise. A run of years does not need them.
    pub const fn keep(&mut self, yes: bool) {
        self.kept = yes;
    }

    pub(super) fn push(&mut self, at: Instant, what: What) {
        if self.kept {
            self.entries.push(Entry { at, what });
        }
    }

    /// What was sent came where nobody takes it.
    pub(super) fn astray(&mut self, datagram: usize) {
        let this = |entry: &&mut Entry| matches!(entry.what, What::Datagram { number, .. } if number == datagram);
        // It was sent not long ago: look from the end.
        if let Some(Entry { what: What::Datagram { fate, .. }, .. }) = self.entries.iter_mut().rev().find(this) {
            *fate = Fate::Astray;
        }
    }

    /// The events, with their times.
    pub fn events(&self) -> impl Iterator<Item = (Instant, Event)> {
        self.entries.iter().filter_map(|entry| match entry.what {
            What::Event(event) => Some((entry.at, event)),
            _ => None,
        })
    }

    /// How many datagrams were sent in a direction, repetitions included.
    #[must_use]
    pub fn datagrams(&self, direction: Direction) -> usize {
        let counted = |entry: &&Entry| matches!(entry.what, What::Datagram { dir, .. } if dir == direction);
        self.entries.iter().filter(counted).count()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>14}  ", self.at.to_string())?;
        match &self.what {
            What::Datagram { number, dir, host, bytes, fate, .. } => {
                let arrow = if *dir == Direction::ToServer { "->" } else { "<-" };
                write!(f, "{number:>4} {arrow} {host}  {}", Summary(bytes))?;
                if *fate == Fate::Delivered { Ok(()) } else { write!(f, "  ({fate:?})") }
            }
            What::Event(event) => write!(f, "     * {event:?}"),
            What::Command(command) => write!(f, "     > {command}"),
            What::Order(Order::Connect { peer, uri }) => write!(f, "     = connect {peer} to {uri}"),
            What::Order(Order::Disconnect { peer }) => write!(f, "     = disconnect {peer}"),
        }
    }
}

/// A datagram in a few words: `CON 0x1a2b 0.02 /rd?ep=x +28 bytes`.
struct Summary<'a>(&'a [u8]);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(message) = Message::parse(self.0) else {
            return write!(f, "{} bytes that are no message", self.0.len());
        };
        let kind = match message.message_type() {
            MessageType::Confirmable => "CON",
            MessageType::NonConfirmable => "NON",
            MessageType::Acknowledgement => "ACK",
            MessageType::Reset => "RST",
        };
        write!(f, "{kind} {:#06x}", message.message_id().0)?;
        if message.code().is_empty() {
            return Ok(());
        }
        write!(f, " {}", message.code())?;
        if let Some(observe) = message.observe() {
            write!(f, " observe={observe}")?;
        }
        if message.uri_path().next().is_some() {
            f.write_str(" ")?;
        }
        for segment in message.uri_path() {
            write!(f, "/{}", String::from_utf8_lossy(segment))?;
        }
        for (query, mark) in message.uri_query().zip(core::iter::once('?').chain(core::iter::repeat('&'))) {
            write!(f, "{mark}{}", String::from_utf8_lossy(query))?;
        }
        match message.payload().len() {
            0 => Ok(()),
            length => write!(f, " +{length} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_like_a_ladder() {
        let datagram = |bytes: &[u8], dir, fate| What::Datagram {
            number: 7,
            dir,
            host: "dm:5683".into(),
            peer: None,
            bytes: bytes.to_vec(),
            fate,
            arrives_at: None,
        };
        let register = b"\x40\x02\x12\x34\xb2rd\x44ep=x\x01y\xff</1/0>";
        for (what, line) in [
            (
                datagram(register, Direction::ToServer, Fate::Lost),
                "   7 -> dm:5683  CON 0x1234 0.02 /rd?ep=x&y +6 bytes  (Lost)",
            ),
            (datagram(b"\x60\0\x12\x34", Direction::ToDevice, Fate::Delivered), "   7 <- dm:5683  ACK 0x1234"),
            (
                datagram(b"??", Direction::ToDevice, Fate::Astray),
                "   7 <- dm:5683  2 bytes that are no message  (Astray)",
            ),
            (What::Command("network up"), "     > network up"),
            (What::Event(Event::Offline), "     * Offline"),
            (What::Order(Order::Disconnect { peer: Peer(1) }), "     = disconnect peer 1"),
        ] {
            let entry = Entry { at: Instant::from_millis(1_500), what };
            assert_eq!(entry.to_string(), alloc::format!("       1.500 s  {line}"));
        }
    }

    #[test]
    fn a_trace_that_is_not_kept_stays_empty() {
        let mut trace = Trace::new();
        trace.push(Instant::ZERO, What::Event(Event::Offline));
        trace.keep(false);
        trace.push(Instant::ZERO, What::Event(Event::Offline));
        assert_eq!((trace.entries.len(), trace.events().count()), (1, 1));
    }
}
