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

#[derive(Clone, Debug)]
pub(super) struct Waking {
    nstart: usize,
    /// Nothing is to be repeated within this time.
    window: Duration,
    /// It is looked at what is said until then.
    until: Instant,
    /// To whom each confirmable message went since the device woke.
    asked: Vec<usize>,
    /// To whom something was told, and under which token.
    told: Vec<(usize, Token)>,
    /// Who has said something since.
    answered: Vec<usize>,
}

impl Waking {
    pub(super) fn new(transmission: Transmission) -> Self {
        let window = Duration::from_secs(1).min(transmission.ack_timeout);
        Self {
            nstart: usize::from(transmission.nstart.max(1)),
            window,
            until: Instant::ZERO,
            asked: Vec::new(),
            told: Vec::new(),
            answered: Vec::new(),
        }
    }

    pub(super) fn input(&mut self, now: Instant, input: &Input) {
        match input {
            Input::WasUnreachable { .. } | Input::Restore { wake: Wake::Sleep { .. }, .. } => {
                self.until = now + self.window;
                (self.asked, self.told, self.answered) = (Vec::new(), Vec::new(), Vec::new());
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
        if !self.answered.contains(&host) {
            self.answered.push(host);
        }
    }

    /// The device sends a message.
    pub(super) fn sent(&mut self, seen: &Seen<'_>, report: &mut Report) {
        if seen.now >= self.until || seen.is(MessageType::Acknowledgement) || seen.is(MessageType::Reset) {
            return;
        }
        let (token, host) = (seen.message.token(), seen.host);
        if self.answered.contains(&host) {
            return;
        }
        if seen.is(MessageType::Confirmable) {
            self.asked.push(host);
            let count = self.asked.iter().filter(|asked| **asked == host).count();
            if count > self.nstart {
                report.violated(Invariant::Waking, format_args!("{count} confirmable messages before an answer"));
            }
        } else if self.told.contains(&(host, token)) {
            report.violated(Invariant::Waking, format_args!("{token} is told twice"));
        } else {
            self.told.push((host, token));
        }
    }
}
