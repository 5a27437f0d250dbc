//! What happened in a run: every datagram with its fate, every event, command and order.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use coap_codec::{ContentFormat, Message, MessageType, Values};

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
    /// It is longer than the network takes.
    Oversized,
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

/// A datagram in a few words: `CON 0x1a2b POST /rd?ep=x format=links "</1/0>"`.
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
        let code = message.code();
        if code.is_empty() {
            return Ok(());
        }
        match code.name() {
            Some(method) if code.is_request() => write!(f, " {method}")?,
            _ => write!(f, " {code:?}")?,
        }
        if code.is_request() {
            f.write_char(' ')?;
            reference(f, message.uri_path(), message.uri_query())?;
        }
        options(f, &message)?;
        payload(f, &message)
    }
}

/// A path and a query.
fn reference(f: &mut fmt::Formatter<'_>, mut path: Values<'_>, query: Values<'_>) -> fmt::Result {
    write!(f, "/{}", OneLine(path.next().unwrap_or_default()))?;
    path.try_for_each(|segment| write!(f, "/{}", OneLine(segment)))?;
    query
        .zip("?".chars().chain(core::iter::repeat('&')))
        .try_for_each(|(argument, mark)| write!(f, "{mark}{}", OneLine(argument)))
}

/// The options that decide what a message means.
fn options(f: &mut fmt::Formatter<'_>, message: &Message<'_>) -> fmt::Result {
    if message.location_path().next().is_some() {
        f.write_str(" location=")?;
        reference(f, message.location_path(), message.location_query())?;
    }
    if let Some(observe) = message.observe() {
        write!(f, " observe={observe}")?;
    }
    for (name, format) in [("accept", message.accept()), ("format", message.content_format())] {
        match format {
            None => {}
            Some(ContentFormat::TEXT_PLAIN) => write!(f, " {name}=text")?,
            Some(ContentFormat::LINK_FORMAT) => write!(f, " {name}=links")?,
            Some(ContentFormat::OCTET_STREAM) => write!(f, " {name}=bytes")?,
            Some(ContentFormat::LWM2M_TLV) => write!(f, " {name}=TLV")?,
            // Who uses another number, an old one for example, wants to see it.
            Some(ContentFormat(number)) => write!(f, " {name}={number}")?,
        }
    }
    for (name, block) in [("block1", message.block1()), ("block2", message.block2())] {
        match block {
            None => {}
            Some(Ok(block)) => write!(f, " {name}={block}")?,
            Some(Err(error)) => write!(f, " {name}=({error})")?,
        }
    }
    Ok(())
}

/// Text is shown, as far as it goes; of anything else the length has to do.
fn payload(f: &mut fmt::Formatter<'_>, message: &Message<'_>) -> fmt::Result {
    const SHOWN: usize = 40;
    let bytes = message.payload();
    // Without a format it is the words of a refusal (RFC 7252 section 5.5.2).
    let format = message.content_format().unwrap_or(ContentFormat::TEXT_PLAIN);
    let is_text = matches!(
        format.modern(),
        ContentFormat::TEXT_PLAIN | ContentFormat::LINK_FORMAT | ContentFormat::LWM2M_JSON | ContentFormat::JSON
    );
    match core::str::from_utf8(bytes) {
        Ok("") => Ok(()),
        Ok(text) if is_text => match text.char_indices().nth(SHOWN) {
            None => write!(f, " {text:?}"),
            Some((end, _)) => write!(f, " {:?}... of {} bytes", text.get(..end).unwrap_or_default(), bytes.len()),
        },
        _ => write!(f, " +{} bytes", bytes.len()),
    }
}

/// Bytes that should be text, without what would break the line.
struct OneLine<'a>(&'a [u8]);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.0)
            .chars()
            .try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })
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
                "   7 -> dm:5683  CON 0x1234 POST /rd?ep=x&y \"</1/0>\"  (Lost)",
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
    fn a_datagram_says_what_it_is_about() {
        let long = b"\x60\x80\0\x01\xff0123456789012345678901234567890123456789\xe2\x82\xac";
        for (bytes, words) in [
            (&b"\x40\x04\0\x01"[..], "CON 0x0001 DELETE /"),
            (b"\x40\x01\0\x01\x60\x51\x33\x01\x30\x62\x2d\x16", "CON 0x0001 GET /3/0 observe=0 accept=TLV"),
            (b"\x40\x01\0\x01\xd1\x0a\x03", "CON 0x0001 GET / block2=0/0/128"),
            (b"\x40\x03\0\x01\xb1\x3a\x10\xff80 %", "CON 0x0001 PUT /: format=text \"80 %\""),
            (b"\x40\x1f\0\x01", "CON 0x0001 0.31 /"),
            (b"\x60\x41\0\x01\x82rd\x015\xc1a", "ACK 0x0001 2.01 Created location=/rd/5?a"),
            (b"\x60\x45\0\x01\xc2\x2d\x16\xffabc", "ACK 0x0001 2.05 Content format=TLV +3 bytes"),
            (b"\x60\x45\0\x01\xc2\x06\x06\xffabc", "ACK 0x0001 2.05 Content format=1542 +3 bytes"),
            (b"\x50\x45\0\x01\x61\x07\xff\xc0", "NON 0x0001 2.05 Content observe=7 +1 bytes"),
            (b"\x60\x84\0\x01\xffwhat\n\"?", "ACK 0x0001 4.04 Not Found \"what\\n\\\"?\""),
            (b"\x60\x5f\0\x01\xd1\x0e\x0f", "ACK 0x0001 2.31 Continue block1=(reserved block size exponent 7)"),
            (long, "ACK 0x0001 4.00 Bad Request \"0123456789012345678901234567890123456789\"... of 43 bytes"),
            (b"\x40\x01\0\x01\xb2a\n", "CON 0x0001 GET /a\\n"),
        ] {
            assert_eq!(Summary(bytes).to_string(), words);
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
