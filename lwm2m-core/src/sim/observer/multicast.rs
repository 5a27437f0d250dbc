//! What is asked by multicast: answered at leisure, with content or not at all, and nothing is done because of it
//! (RFC 7252, section 8).

use alloc::collections::VecDeque;
use core::time::Duration;

use coap_codec::{Message, MessageType, Token};

use super::{Invariant, Report, Seen, changes};
use crate::base::event::Event;
use crate::base::time::Instant;
use crate::exchange::Peer;

/// So many are remembered.
const KEPT: usize = 32;

/// The simulator calls on time; what is left is rounding.
const SLACK: Duration = Duration::from_millis(1);

#[derive(Clone, Debug)]
struct Asked {
    peer: Peer,
    token: Token,
    until: Instant,
    answered: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Multicast {
    leisure: Duration,
    asked: VecDeque<Asked>,
    /// Whether one has come just now.
    just_now: bool,
}

impl Multicast {
    pub(super) const fn new(leisure: Duration) -> Self {
        Self { leisure, asked: VecDeque::new(), just_now: false }
    }

    /// The device is about to receive a request by multicast.
    pub(super) fn delivered(&mut self, now: Instant, peer: Peer, message: &Message<'_>) {
        self.just_now = true;
        if self.asked.len() >= KEPT {
            self.asked.pop_front();
        }
        let until = now + self.leisure + SLACK;
        self.asked.push_back(Asked { peer, token: message.token(), until, answered: false });
    }

    /// The device sends a message.
    pub(super) fn sent(&mut self, seen: &Seen<'_>, report: &mut Report) {
        let token = seen.message.token();
        let own = |asked: &&mut Asked| asked.peer == seen.peer && asked.token == token && !token.is_empty();
        let Some(asked) = self.asked.iter_mut().find(own).filter(|_| seen.code().is_response()) else { return };
        let content = seen.is(MessageType::NonConfirmable) && seen.code().is_success();
        if !content || seen.message.observe().is_some() || seen.now > asked.until || asked.answered {
            let (code, hex) = (seen.code(), super::Hex(seen.message.as_bytes()));
            report.violated(Invariant::Multicast, format_args!("{code} to a request by multicast: {hex}"));
        }
        asked.answered = true;
    }

    pub(super) fn event(&self, event: &Event, report: &mut Report) {
        if self.just_now && changes(event) {
            report.violated(Invariant::Multicast, format_args!("{event:?} because of a request by multicast"));
        }
    }

    /// The device's clock is not what it was.
    pub(super) fn excuse_all(&mut self) {
        self.asked.iter_mut().for_each(|asked| asked.until = Instant::from_micros(u64::MAX));
    }

    pub(super) const fn settled(&mut self) {
        self.just_now = false;
    }
}
