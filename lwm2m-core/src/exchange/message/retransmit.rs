//! Retransmission of confirmable messages (RFC 7252, section 4.2).

use alloc::vec::Vec;

use coap_codec::MessageId;

use super::slots::SlotId;
use crate::base::table::Places;
use crate::base::time::{Instant, Micros, earliest};
use crate::base::transmission::Pace;
use crate::exchange::{ExchangeId, Peer};

/// A confirmable message that nobody acknowledged yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Unacknowledged {
    pub(crate) exchange: ExchangeId,
    pub(crate) peer: Peer,
    pub(crate) message_id: MessageId,
    pub(crate) slot: SlotId,
    first_sent: Instant,
    timeout: Micros,
    due: Instant,
    retransmissions: u8,
    /// Whether its peer had the whole of a timeout to answer in.
    pub(crate) waited: bool,
}

/// What a timer wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Resend(Peer, SlotId),
    GiveUp(Unacknowledged),
}

/// The confirmable messages in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Retransmission {
    messages: Vec<Unacknowledged>,
}

impl Retransmission {
    pub(crate) const fn new() -> Self {
        Self { messages: Vec::new() }
    }

    pub(crate) fn reserve(&mut self, limit: usize) {
        self.messages.reserve_all(limit);
    }

    /// Watches a message that is sent now.
    pub(crate) fn start(
        &mut self,
        now: Instant,
        timeout: Micros,
        (exchange, peer, message_id, slot): (ExchangeId, Peer, MessageId, SlotId),
        limit: usize,
    ) {
        let message = Unacknowledged {
            exchange,
            peer,
            message_id,
            slot,
            first_sent: now,
            timeout,
            due: now + timeout,
            retransmissions: 0,
            waited: false,
        };
        self.messages.add(message, limit);
    }

    /// The next message whose time has come, one step each: what is late is not made up for, so a
    /// jump of the clock sends each message once at most. Past MAX_TRANSMIT_SPAN nothing is sent
    /// any more, because the peer may have forgotten the Message ID.
    pub(crate) fn step(&mut self, now: Instant, pace: Pace) -> Option<Step> {
        let index = self.messages.iter().position(|message| message.due <= now)?;
        self.messages.get_mut(index)?.waited = true;
        self.step_at(now, pace, index)
    }

    /// The same for a message whose time came later than `since`, while its acknowledgement could not come.
    pub(crate) fn step_unheard(&mut self, now: Instant, since: Instant, pace: Pace) -> Option<Step> {
        let index = self.messages.iter().position(|message| message.due <= now && message.due > since)?;
        self.step_at(now, pace, index)
    }

    fn step_at(&mut self, now: Instant, pace: Pace, index: usize) -> Option<Step> {
        let message = self.messages.get_mut(index)?;
        let in_time = now <= message.first_sent + pace.max_transmit_span();
        if message.retransmissions >= pace.max_retransmit || !in_time {
            let message = *message;
            self.messages.take_out(index);
            return Some(Step::GiveUp(message));
        }
        message.retransmissions = message.retransmissions.saturating_add(1);
        message.timeout = Micros(message.timeout.0.saturating_mul(2).max(1));
        message.due = now + message.timeout;
        Some(Step::Resend(message.peer, message.slot))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.messages.iter().map(|message| message.due))
    }

    pub(crate) fn find(&self, peer: Peer, message_id: MessageId) -> Option<ExchangeId> {
        let found = self.messages.iter().find(|message| message.peer == peer && message.message_id == message_id);
        found.map(|message| message.exchange)
    }

    /// The same when it is the only one, with the buffer of the message.
    pub(crate) fn only(&self, peer: Peer, message_id: MessageId) -> Option<(ExchangeId, SlotId)> {
        let [message] = self.messages.as_slice() else { return None };
        let same = message.peer == peer && message.message_id == message_id;
        same.then_some((message.exchange, message.slot))
    }

    /// Stops watching all messages.
    pub(crate) fn clear(&mut self) {
        self.messages.clear();
    }

    /// Stops watching the message of an exchange.
    pub(crate) fn remove(&mut self, exchange: ExchangeId) -> Option<SlotId> {
        let index = self.messages.iter().position(|message| message.exchange == exchange)?;
        let slot = self.messages.get(index)?.slot;
        self.messages.take_out(index);
        Some(slot)
    }

    pub(crate) fn contains(&self, exchange: ExchangeId) -> bool {
        self.messages.iter().any(|message| message.exchange == exchange)
    }

    pub(crate) fn first_of(&self, peer: Peer) -> Option<ExchangeId> {
        self.of(peer).next()
    }

    /// The messages to a peer, by their exchanges.
    pub(crate) fn of(&self, peer: Peer) -> impl Iterator<Item = ExchangeId> {
        self.messages.iter().filter(move |message| message.peer == peer).map(|message| message.exchange)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn heap(&self) -> usize {
        self.messages.capacity().saturating_mul(size_of::<Unacknowledged>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{Generator, Key};
    use crate::base::transmission::Transmission;
    use crate::exchange::message::slots::Slots;
    use core::time::Duration;

    #[test]
    fn each_place_counts_as_memory() {
        let mut table = Retransmission::new();
        table.reserve(3);
        assert!(table.heap() >= 3 * size_of::<Unacknowledged>());
    }

    fn one_message(seed: u64) -> Retransmission {
        let mut slots = Slots::new(1, 16);
        let what = (ExchangeId(1), Peer(1), MessageId(1), slots.take().unwrap().0);
        let mut table = Retransmission::new();
        let (low, high) = Transmission::default().initial_timeout();
        let timeout = Micros::of(Generator::new(Key::from_seed(seed)).between(low, high));
        table.start(Instant::ZERO, timeout, what, 1);
        table
    }

    /// Runs the timers exactly when they are due; the times of every step in seconds.
    fn times(mut table: Retransmission) -> (Vec<f64>, f64) {
        let mut resent = Vec::new();
        loop {
            let due = table.poll_timeout().unwrap();
            let seconds = due.as_micros() as f64 / 1e6;
            match table.step(due, Pace::of(&Transmission::default())).unwrap() {
                Step::Resend(..) => resent.push(seconds),
                Step::GiveUp(_) => return (resent, seconds),
            }
        }
    }

    #[test]
    fn four_retransmissions_double_their_distance_and_then_it_gives_up() {
        for seed in 0..50 {
            let (resent, gave_up) = times(one_message(seed));
            let first = resent[0];
            assert!((2.0..=3.0).contains(&first));
            for (time, factor) in resent.iter().zip([1.0, 3.0, 7.0, 15.0]) {
                assert!((time - first * factor).abs() < 1e-3);
            }
            assert_eq!(resent.len(), 4);
            assert!((gave_up - first * 31.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_clock_that_jumps_past_the_span_sends_nothing_more() {
        let mut table = one_message(1);
        let tomorrow = Instant::from_secs(86_400);
        assert!(matches!(table.step(tomorrow, Pace::of(&Transmission::default())), Some(Step::GiveUp(_))));
        assert_eq!(table.step(tomorrow, Pace::of(&Transmission::default())), None);
    }

    #[test]
    fn what_was_due_when_the_radio_slept_was_due_after_it_fell_asleep() {
        let mut table = one_message(1);
        let (due, pace) = (table.poll_timeout().unwrap(), Pace::of(&Transmission::default()));
        assert_eq!(table.step_unheard(due, due, pace), None);
        let before = due.saturating_sub(Duration::from_micros(1));
        assert_eq!(table.step_unheard(before, Instant::ZERO, pace), None);
        assert!(matches!(table.step_unheard(due, before, pace), Some(Step::Resend(..))));
    }

    #[test]
    fn a_late_timer_resends_once_and_waits_again() {
        let mut table = one_message(1);
        let late = Instant::from_secs(20);
        assert!(matches!(table.step(late, Pace::of(&Transmission::default())), Some(Step::Resend(..))));
        assert_eq!(table.step(late, Pace::of(&Transmission::default())), None);
        assert!(table.poll_timeout().unwrap() >= late + Duration::from_secs(4));
    }
}
