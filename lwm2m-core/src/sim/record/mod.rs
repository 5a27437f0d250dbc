//! Records of runs: everything that went into a client, and everything that came out.
//!
//! A record is text, a line for each thing, so that two can be compared with ordinary tools:
//!
//! ```text
//! lwm2m-core record 1
//! client start=0 profile=dm endpoint=;;123456789012345;1.0 key=00112233445566778899aabbccddeeff ...
//! > 0 network-up
//! < connect 0 coap://bootstrap.example
//! > 0 connected 0 new
//! < transmit 0 48021a2b...
//! * BootstrapStarted
//! ```
//!
//! Inputs begin with `>` and their time in microseconds, outputs with `<`, events with `*`. A client
//! that is made from the second line and gets the same inputs must give the same outputs, byte for
//! byte: [`replay()`] looks whether it does.

mod header;
mod input;
mod replay;

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

pub use self::header::Header;
pub use self::input::Input;
pub(super) use self::input::snapshot_of;
pub use self::replay::{Mismatch, Replayed, replay};
use crate::base::config::Config;
use crate::base::event::Event;
use crate::base::time::Instant;
use crate::client::Output;

/// The first line of every record.
const TITLE: &str = "lwm2m-core record 1";

/// Writes a record. For each input: first [`input`](Self::input), then the call of the client, then
/// all its outputs, then all its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorder {
    text: String,
}

impl Recorder {
    /// Begins the record of a client that is made from `config` at `start`; none when there is more to
    /// that configuration than a [`Header`] tells.
    ///
    /// The record has the client's key in it and what a bootstrap writes, but no configured
    /// pre-shared key.
    #[must_use]
    pub fn new(config: &Config, start: Instant) -> Option<Self> {
        let header = Header::of(config, start)?;
        Some(Self { text: format!("{TITLE}\n{}\n", header.to_line()) })
    }

    /// Something is about to go in.
    pub fn input(&mut self, input: &Input) {
        self.line(&input.to_line());
    }

    /// Something came out.
    pub fn output(&mut self, output: &Output<'_>) {
        self.line(&output_line(output));
    }

    /// There was news.
    pub fn event(&mut self, event: &Event) {
        self.line(&event_line(event));
    }

    /// The record so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn output_line(output: &Output<'_>) -> String {
    match output {
        Output::Connect { peer, uri, .. } => format!("< connect {} {uri}", peer.0),
        Output::Transmit { peer, datagram } => format!("< transmit {} {}", peer.0, hex(datagram)),
        Output::Disconnect { peer } => format!("< disconnect {}", peer.0),
    }
}

fn event_line(event: &Event) -> String {
    format!("* {event:?}")
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<alloc::vec::Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Credentials;
    use crate::base::limits::Limits;
    use crate::base::path::Path;
    use crate::base::rng::Key;
    use crate::client::Wake;
    use crate::exchange::Peer;
    use crate::lifecycle::Session;
    use crate::model::{NoObjects, Ticket};
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn every_input_reads_back_from_its_line() {
        let now = Instant::from_micros(1_234_567);
        let peer = Peer(7);
        for (input, line) in [
            (Input::Datagram { now, peer, bytes: [0, 255].into() }, "> 1234567 datagram 7 00ff"),
            (Input::Datagram { now, peer, bytes: Vec::new() }, "> 1234567 datagram 7 "),
            (Input::Multicast { now, peer, bytes: [0x50, 1].into() }, "> 1234567 multicast 7 5001"),
            (Input::Timeout { now }, "> 1234567 timeout"),
            (Input::Connected { now, peer, session: Session::Moved }, "> 1234567 connected 7 moved"),
            (Input::ConnectionFailed { now, peer }, "> 1234567 connection-failed 7"),
            (Input::NetworkUp { now }, "> 1234567 network-up"),
            (Input::NetworkDown { now }, "> 1234567 network-down"),
            (Input::EnterFlightMode { now }, "> 1234567 flight-on"),
            (Input::LeaveFlightMode { now }, "> 1234567 flight-off"),
            (Input::Shutdown { now }, "> 1234567 shutdown"),
            (Input::AddressChanged { now }, "> 1234567 address-changed"),
            (Input::Notify { now, path: Path::resource(3, 0, 9) }, "> 1234567 notify /3/0/9"),
            (Input::WillBeUnreachable { now, wake: Instant::from_secs(7) }, "> 1234567 unreachable-until 7000000"),
            (Input::WasUnreachable { now, since: Instant::ZERO }, "> 1234567 unreachable-since 0"),
            (Input::Update { now, server: 1 }, "> 1234567 update 1"),
            (Input::Resume { now, ticket: Ticket { index: 1, generation: 2 } }, "> 1234567 resume 1 2"),
            (Input::Restart { now, key: Key([0xab; 16]) }, "> 1234567 restart abababababababababababababababab"),
            (Input::Restore { now, wake: Wake::Restart }, "> 1234567 restore"),
            (Input::Boot { now, snapshot: [0x4c, 0xff].into() }, "> 1234567 boot 4cff"),
            (
                Input::Restore { now, wake: Wake::Sleep { elapsed: core::time::Duration::from_secs(1) } },
                "> 1234567 wake 1000000",
            ),
            (Input::Application { now, text: "set /3/0/9 42".to_string() }, "> 1234567 application set /3/0/9 42"),
        ] {
            assert_eq!(input.to_line(), line);
            assert_eq!(Input::parse_line(line), Some(input));
        }
        for line in [
            "",
            "> timeout",
            "> x timeout",
            "< 1 timeout",
            "> 1 timeout now",
            "> 1 datagram 7 0",
            "> 1 connected 7 old",
        ] {
            assert_eq!(Input::parse_line(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_configuration_reads_back_but_for_its_secrets() {
        let psk = Credentials::Psk { identity: b"me, 100%".to_vec(), key: b"secret".to_vec() };
        let mut config = Config::new("urn:\u{fc} x", Key::from_seed(9))
            .bootstrap_server("coap://[::1]:5683/a,b", Credentials::NoSec)
            .server(7, "coaps://dm.example", psk, 600);
        config.default_lifetime = 60;
        let header = Header::of(&config, Instant::from_secs(5)).unwrap();
        let line = header.to_line();
        assert!(!line.contains(&hex(b"secret")), "{line}");
        let read = Header::parse_line(&line).unwrap();
        assert_eq!((read.start(), &read.config().endpoint), (Instant::from_secs(5), &config.endpoint));
        assert_eq!(read.config().key, config.key);
        assert_eq!(read.config().accounts.len(), 2);
        assert_eq!(read, header);
        config.limits = Limits::GATEWAY;
        config.confirmable_notifications = false;
        let header = Header::of(&config, Instant::ZERO).unwrap();
        assert_eq!(Header::parse_line(&header.to_line()).as_ref(), Some(&header), "settings of their own");
        for word in ["limits=device", "notifications=con", "slots=4"] {
            assert_eq!(Header::parse_line(&format!("{line} {word}")), None, "{word}");
        }
        config.limits = Limits { events: 3, ..Limits::GATEWAY };
        assert_eq!(Header::of(&config, Instant::ZERO), None, "nor does a header tell that");
        config.limits = Limits::GATEWAY;
        config.leave_within = core::time::Duration::ZERO;
        assert_eq!(Header::of(&config, Instant::ZERO), None, "no header tells that");
    }

    #[test]
    fn what_is_no_record_is_not_replayed() {
        let replays = |record: &str| replay(record, &mut NoObjects, |_, _| {}).map_err(|mismatch| mismatch.line);
        let config = Config::new("x", Key::from_seed(1)).bootstrap_server("coap://bs", Credentials::NoSec);
        let recorder = Recorder::new(&config, Instant::ZERO).unwrap();
        assert_eq!(replays(recorder.text()), Ok(Replayed::default()));
        assert_eq!(replays(""), Err(1));
        assert_eq!(replays(TITLE), Err(2));
        let line = |line: &str| replays(&format!("{}{line}\n", recorder.text()));
        assert_eq!(line("> 0 somersault"), Err(3));
        assert_eq!(line("< disconnect 0"), Err(3), "before any input");
        assert_eq!(line("> 0 network-down\n* Offline"), Err(4), "there was no network before");
        assert_eq!(line("> 0 network-up"), Err(4), "the connect is missing");
        assert_eq!(line("> 0 shutdown\n* MayProceed(PowerOff)").unwrap().events, 1);
    }
}
