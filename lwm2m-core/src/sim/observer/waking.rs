//! A device that wakes says each thing once, and then waits for its peer: no storm, however much became due.

use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{MessageType, Token};

use super::{Invariant, Report, Seen};
use crate::base::event::Event;
use crate::base::time::Instant;
use crate::client::Wake;
use crate::exchange::Transmission;
use crate::sim::record::Input;

/// What was said to a host since the device woke, until the host said something.
#[derive(Clone, Debug)]
struct Said {
    host: usize,
    confirmable: usize,
    told: Vec<Token>,
    answered: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Waking {
    nstart: usize,
    /// Nothing is to be repeated within this time.
    window: Duration,
    /// It is looked at what is said until then.
    until: Instant,
    said: Vec<Said>,
}

impl Waking {
    pub(super) fn new(transmission: Transmission) -> Self {
        let window = Duration::from_secs(1).min(transmission.ack_timeout);
        Self { nstart: usize::from(transmission.nstart.max(1)), window, until: Instant::ZERO, said: Vec::new() }
    }

    pub(super) fn input(&mut self, now: Instant, input: &Input) {
        match input {
            Input::WasUnreachable { .. } | Input::Restore { wake: Wake::Sleep { .. }, .. } => {
                self.until = now + self.window;
                self.said.clear();
            }
            Input::Timeout { .. } | Input::Datagram { .. } | Input::Connected { .. } => {}
            // There is more to say, or less.
            _ => self.excuse_all(),
        }
    }

    /// The device's clock is not what it was: what was on its way may be given up.
    pub(super) const fn excuse_all(&mut self) {
        self.until = Instant::ZERO;
    }

    /// A bootstrap begins everything anew.
    pub(super) const fn event(&mut self, event: &Event) {
        if matches!(event, Event::BootstrapStarted) {
            self.excuse_all();
        }
    }

    /// A host has said something.
    pub(super) fn delivered(&mut self, host: usize) {
        self.to(host).answered = true;
    }

    /// The device sends a message.
    pub(super) fn sent(&mut self, seen: &Seen<'_>, report: &mut Report) {
        if seen.now >= self.until || seen.is(MessageType::Acknowledgement) || seen.is(MessageType::Reset) {
            return;
        }
        let nstart = self.nstart;
        let (token, host) = (seen.message.token(), seen.host);
        let said = self.to(host);
        if said.answered {
            return;
        }
        if seen.is(MessageType::Confirmable) {
            said.confirmable += 1;
            let count = said.confirmable;
            if count > nstart {
                report.violated(Invariant::Waking, format_args!("{count} confirmable messages before an answer"));
            }
        } else if said.told.contains(&token) {
            report.violated(Invariant::Waking, format_args!("{token} is told twice"));
        } else {
            said.told.push(token);
        }
    }

    fn to(&mut self, host: usize) -> &mut Said {
        let known = self.said.iter().position(|said| said.host == host);
        let index = known.unwrap_or_else(|| {
            self.said.push(Said { host, confirmable: 0, told: Vec::new(), answered: false });
            self.said.len() - 1
        });
        &mut self.said[index]
    }
}
