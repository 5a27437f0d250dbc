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
