//! What the device is asked: each message acknowledged once, each request carried out once (RFC 7252,
//! sections 4.2, 4.5 and 5.2).

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, Message, MessageType, OptionNumber, Token};

use super::messages::digest;
use super::{Gauges, Hex, Invariant, Report, Seen, changes};
use crate::base::config::Config;
use crate::base::event::Event;
use crate::base::limits::Limits;
use crate::base::time::Instant;
use crate::exchange::Peer;

/// A message that came, and wants to be known when it comes again.
#[derive(Clone, Debug)]
struct Delivered {
    peer: Peer,
    id: u16,
    token: Token,
    code: Code,
    confirmable: bool,
    digest: u64,
    at: Instant,
    /// Whether it was acknowledged, or caused anything at all.
    taken: bool,
    /// Whether the device may have forgotten it.
    doubtful: bool,
    /// How far the device's clock has jumped ahead since: so much sooner it forgets it.
    ahead: Duration,
    /// Whether the device's table of messages was full since: what is no POST may have made room.
    crowded: bool,
    later: Later,
}

/// The answer of a request that was acknowledged without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    No,
    /// It must come until then.
    Until(Instant),
    Answered,
    /// Whatever comes of it.
    Excused,
}

/// The message that the device is dealing with.
#[derive(Clone, Debug)]
struct Step {
    peer: Peer,
    id: u16,
    /// With this a late answer comes: what came first under the number may have had a wrong one.
    token: Token,
    /// Whether an acknowledgement is owed.
    owed: bool,
    repeated: bool,
    is_post: bool,
    crowded: bool,
    /// The device may have forgotten that it came before.
    doubtful: bool,
    acknowledged: u8,
    changed: u8,
}

#[derive(Clone, Debug)]
pub(super) struct Answers {
    lifetime: Duration,
    patience: Duration,
    delivered: VecDeque<Delivered>,
    step: Option<Step>,
    /// The message itself, to be shown when something is wrong.
    datagram: Vec<u8>,
    /// No late answer is due before.
    next_due: Instant,
}

const NEVER: Instant = Instant::from_micros(u64::MAX);

impl Answers {
    pub(super) fn new(config: &Config) -> Self {
        let transmission = &config.transmission;
        // What is on its way to the same peer before it may take two cycles.
        let patience = config.answer_within + 2 * transmission.max_transmit_wait();
        Self {
            lifetime: transmission.exchange_lifetime(),
            patience,
            delivered: VecDeque::new(),
            step: None,
            datagram: Vec::new(),
            next_due: NEVER,
        }
    }

    pub(super) fn clear(&mut self) {
        self.delivered.clear();
        self.next_due = NEVER;
    }

    pub(super) fn excuse(&mut self, peer: Peer) {
        for delivered in self.delivered.iter_mut().filter(|delivered| delivered.peer == peer) {
            if matches!(delivered.later, Later::Until(_)) {
                delivered.later = Later::Excused;
            }
        }
    }

    pub(super) fn excuse_all(&mut self) {
        for delivered in &mut self.delivered {
            if matches!(delivered.later, Later::Until(_)) {
                delivered.later = Later::Excused;
            }
        }
    }

    /// The device's clock jumped ahead: it may forget what came before its time.
    pub(super) fn aged(&mut self, by: Duration) {
        self.excuse_all();
        self.delivered.iter_mut().for_each(|delivered| delivered.ahead = delivered.ahead.saturating_add(by));
    }

    /// A session ended: its number may be another's.
    pub(super) fn forget(&mut self, peer: Peer) {
        self.delivered.retain(|delivered| delivered.peer != peer);
    }

    /// Whether something else came under the number of a message before, of which that may be a duplicate.
    pub(super) fn is_another(&self, seen: &Seen<'_>) -> bool {
        let digest = digest(seen.message.as_bytes());
        let same = |delivered: &Delivered| delivered.peer == seen.peer && delivered.id == seen.id();
        let own = !seen.is(MessageType::Acknowledgement) && !seen.is(MessageType::Reset);
        own && self.delivered.iter().any(|delivered| same(delivered) && delivered.digest != digest)
    }

    /// The device is about to receive a message. Whether it has received it before.
    pub(super) fn delivered(&mut self, seen: &Seen<'_>, serves: bool, gauges: &Gauges, limits: &Limits) -> bool {
        let confirmable = seen.is(MessageType::Confirmable);
        if !confirmable && !seen.is(MessageType::NonConfirmable) {
            return false;
        }
        let (now, peer, id, code) = (seen.now, seen.peer, seen.id(), seen.code());
        while self.delivered.front().is_some_and(|delivered| delivered.at + self.lifetime <= now) {
            self.delivered.pop_front();
        }
        let same = self.delivered.iter().rev().find(|delivered| delivered.peer == peer && delivered.id == id);
        let doubtful = same.is_some_and(|same| same.doubtful || same.at + self.lifetime <= now + same.ahead);
        let repeated = same.is_some();
        let request = code.is_request();
        let digest = digest(seen.message.as_bytes());
        // A request is answered while its server is registered with; anything else is acknowledged or
        // rejected whatever it is. One that comes again was answered already, if it was, and if it is the same.
        let owed = confirmable
            && (!request || serves)
            && !doubtful
            && same.is_none_or(|same| same.digest == digest)
            && !gauges.is_full(limits);
        self.datagram.clear();
        self.datagram.extend_from_slice(seen.message.as_bytes());
        let token = seen.message.token();
        self.step = Some(Step {
            peer,
            id,
            token,
            owed,
            repeated,
            is_post: code == Code::POST,
            crowded: same.is_some_and(|same| same.crowded),
            doubtful,
            acknowledged: 0,
            changed: 0,
        });
        if let Some(same) = self.find(peer, id).filter(|same| !same.taken) {
            // What came before under its number was nothing that anybody took.
            (same.code, same.token, same.confirmable, same.digest) = (code, token, confirmable, digest);
        }
        if !repeated {
            let unwanted = seen.message.option(OptionNumber::NO_RESPONSE).is_some();
            let (later, taken) = (if unwanted { Later::Excused } else { Later::No }, false);
            self.delivered.push_back(Delivered {
                peer,
                id,
                token,
                code,
                confirmable,
                digest,
                at: now,
                taken,
                doubtful: false,
                ahead: Duration::ZERO,
                crowded: false,
                later,
            });
        }
        repeated
    }

    /// The device is about to receive a message by multicast: another one may come under its number, and count as
    /// its duplicate.
    pub(super) fn by_multicast(&mut self, now: Instant, peer: Peer, message: &Message<'_>) {
        self.step = None;
        self.delivered.push_back(Delivered {
            peer,
            id: message.message_id().0,
            token: message.token(),
            code: message.code(),
            confirmable: false,
            digest: digest(message.as_bytes()),
            at: now,
            taken: true,
            doubtful: false,
            ahead: Duration::ZERO,
            crowded: false,
            later: Later::Excused,
        });
    }

    /// Whether what is sent answers a message once more.
    pub(super) fn is_repetition(&self, seen: &Seen<'_>) -> bool {
        self.step.as_ref().is_some_and(|step| step.repeated && step.peer == seen.peer && step.id == seen.id())
    }

    /// Whether what is sent answers the non-confirmable request that has just come.
    pub(super) fn is_answer(&self, seen: &Seen<'_>) -> bool {
        let asks = |message: Message<'_>| {
            message.code().is_request()
                && message.message_type() == MessageType::NonConfirmable
                && message.token() == seen.message.token()
        };
        self.step.as_ref().is_some_and(|step| step.peer == seen.peer) && Message::parse(&self.datagram).is_ok_and(asks)
    }

    /// The device sends a message. Whether it is the late answer to a request.
    pub(super) fn sent(&mut self, seen: &Seen<'_>, report: &mut Report) -> bool {
        let (peer, id) = (seen.peer, seen.id());
        let reset = seen.is(MessageType::Reset);
        if reset || seen.is(MessageType::Acknowledgement) {
            match &mut self.step {
                Some(step) if step.peer == peer && step.id == id => step.acknowledged += 1,
                // What is malformed is rejected, and is none of those.
                _ if reset => return false,
                _ => report.violated(
                    Invariant::Answered,
                    format_args!("an acknowledgement of {id:#06x}, which did not come just now"),
                ),
            }
            let deferred = seen.code().is_empty() && !reset;
            let asked = self.step.as_ref().filter(|step| step.peer == peer && step.id == id).map(|step| step.token);
            let Some(delivered) = self.find(peer, id) else { return false };
            // What was rejected need not be remembered.
            delivered.taken |= !reset;
            delivered.doubtful &= reset;
            if deferred && delivered.code.is_request() && delivered.later == Later::No {
                let until = seen.now + self.patience;
                if let Some(delivered) = self.find(peer, id) {
                    delivered.later = Later::Until(until);
                    delivered.token = asked.unwrap_or(delivered.token);
                }
                self.next_due = self.next_due.min(until);
            }
            return false;
        }
        if !seen.code().is_response() {
            return false;
        }
        // A late answer, an answer to a non-confirmable request, a notification.
        let token = seen.message.token();
        let asked = |delivered: &&mut Delivered| {
            delivered.peer == peer && delivered.token == token && matches!(delivered.later, Later::Until(_))
        };
        let waits = self.delivered.iter_mut().find(asked);
        let late = waits.is_some();
        waits.into_iter().for_each(|delivered| delivered.later = Later::Answered);
        if let Some(step) = &self.step
            && step.peer == peer
        {
            let id = step.id;
            if let Some(delivered) = self.find(peer, id) {
                delivered.taken |= !delivered.confirmable;
            }
        }
        late
    }

    fn find(&mut self, peer: Peer, id: u16) -> Option<&mut Delivered> {
        self.delivered.iter_mut().rev().find(|delivered| delivered.peer == peer && delivered.id == id)
    }

    /// A deferred request runs again: what it does is no repetition.
    pub(super) fn resumed(&mut self) {
        self.step = None;
    }

    pub(super) const fn event(&mut self, event: &Event) {
        if let Some(step) = &mut self.step
            && changes(event)
        {
            step.changed += 1;
        }
    }

    /// The device's table of messages is full.
    pub(super) fn crowded(&mut self) {
        self.delivered.iter_mut().for_each(|delivered| delivered.crowded = true);
    }

    /// Judges a step. Whether something was done once more that was done before, for which there are excuses: what was done
    /// in between may be undone.
    pub(super) fn settled(&mut self, now: Instant, report: &mut Report) -> bool {
        let again = self.step.as_ref().is_some_and(|step| step.repeated && step.changed > 0);
        if let Some(step) = self.step.take() {
            let Step { peer, id, .. } = step;
            if step.acknowledged > 1 {
                let times = step.acknowledged;
                let hex = Hex(&self.datagram);
                report.violated(Invariant::Answered, format_args!("{hex} of {peer} was answered {times} times"));
            }
            if step.owed && step.acknowledged == 0 {
                let hex = Hex(&self.datagram);
                report.violated(Invariant::Answered, format_args!("{hex} of {peer} was not answered"));
            }
            if step.repeated && step.changed > 0 && !step.doubtful && (step.is_post || !step.crowded) {
                report.violated(
                    Invariant::AppliedOnce,
                    format_args!("{} of {peer} came again and was carried out again", Hex(&self.datagram)),
                );
            }
            if let Some(delivered) = self.find(peer, id) {
                delivered.taken |= step.changed > 0;
                // It may count as lost, and be new when it comes again.
                delivered.doubtful |= !delivered.taken;
            }
        }
        if now <= self.next_due {
            return again;
        }
        self.next_due = NEVER;
        for delivered in &mut self.delivered {
            let Later::Until(until) = delivered.later else { continue };
            if until >= now {
                self.next_due = self.next_due.min(until);
                continue;
            }
            let Delivered { peer, id, .. } = *delivered;
            report.violated(Invariant::AnsweredLate, format_args!("{id:#06x} of {peer} was never answered"));
            delivered.later = Later::Excused;
        }
        again
    }
}
