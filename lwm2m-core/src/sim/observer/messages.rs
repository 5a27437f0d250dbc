//! What the device sends, message by message: numbers, tokens, retransmission, NSTART (RFC 7252, section 4).

use alloc::collections::VecDeque;
use core::time::Duration;

use coap_codec::{MessageType, Token};

use super::{Invariant, Report, Seen};
use crate::base::time::Instant;
use crate::exchange::{Peer, Transmission};

/// The simulator calls on time; what is left is rounding.
const SLACK: Duration = Duration::from_millis(1);

const NEVER: Instant = Instant::from_micros(u64::MAX);

/// A message with a number of its own.
#[derive(Clone, Debug)]
struct Sent {
    peer: Peer,
    host: usize,
    id: u16,
    token: Token,
    is_request: bool,
    confirmable: bool,
    digest: u64,
    first: Instant,
    last: Instant,
    times: u8,
    /// The distance of the first two transmissions.
    timeout: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It must come again in time.
    Open,
    /// It was acknowledged or rejected: it must not come again.
    Over,
    /// The client gave it up, or nobody can tell what it makes of what it was told.
    Excused,
}

impl Sent {
    /// When it must have come again.
    fn due(&self, transmission: &Transmission) -> Instant {
        if self.state != State::Open || !self.confirmable {
            return NEVER;
        }
        match self.times {
            1 => self.first + transmission.initial_timeout().1 + SLACK,
            times => self.last + self.timeout * (1 << (times - 1)) + SLACK,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Messages {
    transmission: Transmission,
    /// In the order of their first transmission.
    sent: VecDeque<Sent>,
    /// No message is due to come again before.
    next_due: Instant,
}

/// 64 bits of a datagram: enough to tell it from others (FNV-1a, eight bytes at a time).
pub(super) fn digest(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
    let chunks = bytes.chunks_exact(8);
    let rest = chunks.remainder().iter().fold(bytes.len() as u64, |hash, byte| mix(hash, u64::from(*byte)));
    chunks.fold(rest, |hash, chunk| mix(hash, u64::from_le_bytes(chunk.try_into().unwrap_or_default())))
}

impl Messages {
    pub(super) const fn new(transmission: Transmission) -> Self {
        Self { transmission, sent: VecDeque::new(), next_due: NEVER }
    }

    /// Nothing is known of what was sent before.
    pub(super) fn forget(&mut self) {
        self.sent.clear();
        self.next_due = NEVER;
    }

    pub(super) fn excuse(&mut self, peer: Peer) {
        self.excuse_those(|sent| sent.peer == peer);
    }

    pub(super) fn excuse_all(&mut self) {
        self.excuse_those(|_| true);
    }

    fn excuse_those(&mut self, which: impl Fn(&Sent) -> bool) {
        for sent in self.sent.iter_mut().filter(|sent| sent.state == State::Open && which(sent)) {
            sent.state = State::Excused;
        }
    }

    /// The device sends a message. Whether it is a new one.
    pub(super) fn sent(&mut self, seen: &Seen<'_>, report: &mut Report) -> bool {
        if seen.is(MessageType::Acknowledgement) || seen.is(MessageType::Reset) {
            return true;
        }
        let digest = digest(seen.message.as_bytes());
        let (now, id, host) = (seen.now, seen.id(), seen.host);
        let lifetime = self.transmission.exchange_lifetime();
        let confirmable = seen.is(MessageType::Confirmable);
        let same = self.sent.iter_mut().rev().find(|sent| sent.id == id && sent.host == host);
        if let Some(same) = same.filter(|same| now < same.first + lifetime) {
            if same.digest != digest || !confirmable {
                report.violated(
                    Invariant::MessageId,
                    format_args!("{id:#06x} after {:?}", now.saturating_duration_since(same.first)),
                );
                return true;
            }
            again(same, now, &self.transmission, report);
            self.next_due = self.next_due.min(same.due(&self.transmission));
            return false;
        }
        while self.sent.front().is_some_and(|sent| sent.first + lifetime <= now) {
            self.sent.pop_front();
        }
        let (token, is_request) = (seen.message.token(), seen.code().is_request());
        let twin = |sent: &&Sent| sent.is_request && sent.host == host && sent.token == token;
        if let Some(twin) = self.sent.iter().find(twin).filter(|_| is_request) {
            report.violated(
                Invariant::Token,
                format_args!("{token} after {:?}", now.saturating_duration_since(twin.first)),
            );
        }
        // One that is given up now makes room.
        let waits = |sent: &&Sent| {
            sent.peer == seen.peer && sent.state == State::Open && sent.confirmable && {
                let last = sent.times > self.transmission.max_retransmit;
                !last || now + SLACK + SLACK < sent.due(&self.transmission)
            }
        };
        let open = self.sent.iter().filter(waits).count();
        if confirmable && open >= usize::from(self.transmission.nstart.max(1)) {
            report.violated(Invariant::Nstart, format_args!("{open} messages wait for {}", seen.peer));
        }
        let sent = Sent {
            peer: seen.peer,
            host,
            id,
            token,
            is_request,
            confirmable,
            digest,
            first: now,
            last: now,
            times: 1,
            timeout: Duration::ZERO,
            state: State::Open,
        };
        self.next_due = self.next_due.min(sent.due(&self.transmission));
        self.sent.push_back(sent);
        true
    }

    /// The device receives a message; `doubtful` is whether it may take it for something else.
    pub(super) fn delivered(&mut self, seen: &Seen<'_>, doubtful: bool) {
        let (id, code) = (seen.id(), seen.code());
        let (acknowledges, token) = match seen.message.message_type() {
            MessageType::Reset if code.is_empty() => (true, None),
            MessageType::Acknowledgement if code.is_empty() => (true, None),
            // What says something besides must say it to the request.
            MessageType::Acknowledgement if code.is_response() => (true, Some(seen.message.token())),
            MessageType::Acknowledgement | MessageType::Reset => return,
            _ if code.is_response() => (false, Some(seen.message.token())),
            _ => return,
        };
        let meant = |sent: &&mut Sent| {
            sent.peer == seen.peer
                && sent.state == State::Open
                && (!acknowledges || sent.id == id)
                && token.is_none_or(|token| sent.is_request && sent.token == token)
        };
        if let Some(sent) = self.sent.iter_mut().rev().find(meant) {
            sent.state = if doubtful { State::Excused } else { State::Over };
        }
    }

    /// Whether what should have come again did.
    pub(super) fn settled(&mut self, now: Instant, report: &mut Report) {
        if now <= self.next_due {
            return;
        }
        for sent in &mut self.sent {
            if sent.due(&self.transmission) >= now {
                continue;
            }
            if sent.times <= self.transmission.max_retransmit {
                let Sent { id, times, .. } = *sent;
                report.violated(
                    Invariant::Retransmission,
                    format_args!("{id:#06x} was sent {times} times, and should have come again"),
                );
            }
            sent.state = State::Excused;
        }
        self.next_due = self.sent.iter().map(|sent| sent.due(&self.transmission)).min().unwrap_or(NEVER);
    }
}

/// A message comes again.
fn again(sent: &mut Sent, now: Instant, transmission: &Transmission, report: &mut Report) {
    let Sent { id, times, timeout, .. } = *sent;
    let gap = now.saturating_duration_since(sent.last);
    if sent.state == State::Over {
        report.violated(Invariant::Retransmission, format_args!("{id:#06x} comes again although it was acknowledged"));
    }
    if times > transmission.max_retransmit {
        report.violated(Invariant::Retransmission, format_args!("{id:#06x} comes for the {}th time", times + 1));
    }
    let (low, high) = match times {
        1 => transmission.initial_timeout(),
        times => (timeout * (1 << (times - 1)), timeout * (1 << (times - 1))),
    };
    if sent.state == State::Open && (gap + SLACK < low || gap > high + SLACK) {
        report.violated(
            Invariant::Retransmission,
            format_args!("{id:#06x} comes again after {gap:?}, and {low:?} to {high:?} was due"),
        );
    }
    if times == 1 {
        sent.timeout = gap;
    }
    sent.times += 1;
    sent.last = now;
}
