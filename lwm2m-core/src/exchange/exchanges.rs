//! What was sent and is waited for: a confirmable message waits for its acknowledgement, and is repeated until
//! then (RFC 7252, section 4.2); a request waits for its response (section 5.3). A confirmable request waits for
//! one after the other, in one place of one table.

use alloc::vec::Vec;

use coap_codec::{MessageId, Token};

use super::message::slots::SlotId;
use super::request::upload::Upload;
use super::{ExchangeId, Peer};
use crate::base::features::BLOCKWISE;
use crate::base::table::Places;
use crate::base::time::{Instant, Micros, earliest};
use crate::base::transmission::Pace;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Exchange {
    pub(crate) id: ExchangeId,
    pub(crate) peer: Peer,
    /// Of the message that was sent last.
    pub(crate) message_id: MessageId,
    /// By which the response to a request is known; a response of ours has none, and is over when it has arrived.
    pub(crate) token: Option<Token>,
    pub(crate) awaits: Awaits,
    pub(crate) upload: Upload,
}

/// What is still waited for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Awaits {
    /// An acknowledgement.
    Acknowledgement(Repetition),
    /// The separate response that an empty acknowledgement promised.
    SeparateResponse { until: Instant },
    /// The response to a non-confirmable request.
    Response { until: Instant },
    /// Nothing: the request, or the next block of its body, is to be sent.
    NextBlock,
}

/// How a message is repeated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Repetition {
    slot: SlotId,
    timeout: Micros,
    due: Instant,
    /// Past MAX_TRANSMIT_SPAN nothing is sent any more, because the peer may have forgotten the Message ID.
    last: Instant,
    /// How often it may be sent again.
    left: u8,
    /// Whether its peer had the whole of a timeout to answer in.
    waited: bool,
}

impl Repetition {
    /// Of a message that is sent now.
    pub(crate) fn new(now: Instant, slot: SlotId, timeout: Micros, pace: Pace) -> Self {
        let last = now + pace.max_transmit_span();
        Self { slot, timeout, due: now + timeout, last, left: pace.max_retransmit, waited: false }
    }

    /// The message, if it is to be sent once more now. One step each: what is late is not made up for, so a jump
    /// of the clock sends each message once at most.
    fn step(&mut self, now: Instant) -> Option<SlotId> {
        self.left = self.left.checked_sub(1).filter(|_| now <= self.last)?;
        self.timeout = Micros(self.timeout.saturating_add(self.timeout).0.max(1));
        self.due = now + self.timeout;
        Some(self.slot)
    }
}

impl Exchange {
    /// When something is to be done about it.
    const fn due(&self) -> Option<Instant> {
        match self.awaits {
            Awaits::Acknowledgement(Repetition { due, .. }) => Some(due),
            Awaits::SeparateResponse { until } | Awaits::Response { until } => Some(until),
            Awaits::NextBlock => None,
        }
    }

    /// The buffer of the message that wants its acknowledgement.
    pub(crate) const fn slot(&self) -> Option<SlotId> {
        match self.awaits {
            Awaits::Acknowledgement(Repetition { slot, .. }) => Some(slot),
            _ => None,
        }
    }

    /// Whether a message with this Message ID wants its acknowledgement.
    pub(crate) fn wants(&self, peer: Peer, message_id: MessageId) -> bool {
        self.peer == peer && self.message_id == message_id && self.slot().is_some()
    }

    /// Takes the next step, which is due now: the message to send again, or none when it came to nothing. Where
    /// nothing could be `heard`, its peer had no chance.
    pub(crate) fn step(&mut self, now: Instant, heard: bool) -> Option<SlotId> {
        let Awaits::Acknowledgement(repetition) = &mut self.awaits else { return None };
        repetition.waited |= heard;
        repetition.step(now)
    }

    /// Whether its peer had a chance to answer before it came to nothing.
    pub(crate) const fn had_a_chance(&self, heard: bool) -> bool {
        match self.awaits {
            Awaits::Acknowledgement(Repetition { waited, .. }) => waited,
            _ => heard,
        }
    }

    const fn is_to_be_sent(&self) -> bool {
        matches!(self.awaits, Awaits::NextBlock)
    }

    /// Whether it holds a place of NSTART: one that was acknowledged holds none (RFC 7252, section 4.7).
    const fn is_outstanding(&self) -> bool {
        matches!(self.awaits, Awaits::Acknowledgement(_) | Awaits::Response { .. })
    }
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Exchanges {
    list: Vec<Exchange>,
    last: u32,
    limit: usize,
}

impl Exchanges {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { list: Vec::new(), last: 0, limit }
    }

    /// A name that the next exchange may have.
    pub(crate) const fn next_id(&mut self) -> ExchangeId {
        self.last = self.last.wrapping_add(1);
        ExchangeId(self.last)
    }

    /// Adds one to a peer, of which nothing is sent yet, where there [is room](Self::has_room).
    pub(crate) fn add(&mut self, peer: Peer) -> ExchangeId {
        let id = self.next_id();
        let (message_id, upload) = (MessageId(0), Upload::default());
        self.list.add(Exchange { id, peer, message_id, token: None, awaits: Awaits::NextBlock, upload }, self.limit);
        id
    }

    pub(crate) fn has_room(&self) -> bool {
        self.list.len() < self.limit
    }

    fn find(&self, which: impl Fn(&Exchange) -> bool) -> Option<&Exchange> {
        self.list.iter().find(|own| which(own))
    }

    pub(crate) fn get_mut(&mut self, id: ExchangeId) -> Option<&mut Exchange> {
        self.list.iter_mut().find(|own| own.id == id)
    }

    pub(crate) fn remove(&mut self, id: ExchangeId) {
        if let Some(place) = self.list.iter().position(|own| own.id == id) {
            self.list.take_out(place);
        }
    }

    /// The request that a response with this token answers.
    pub(crate) fn answered_by(&self, peer: Peer, token: Token) -> Option<ExchangeId> {
        self.find(|own| own.peer == peer && own.token == Some(token) && !own.is_to_be_sent()).map(|own| own.id)
    }

    /// What an acknowledgement or a reset with this Message ID is about.
    pub(crate) fn wanting(&self, peer: Peer, message_id: MessageId) -> Option<&Exchange> {
        self.find(|own| own.wants(peer, message_id))
    }

    /// A request to `peer` whose next block is to be sent.
    pub(crate) fn next_block(&self, peer: Peer) -> Option<ExchangeId> {
        self.find(|own| BLOCKWISE && own.peer == peer && own.is_to_be_sent()).map(|own| own.id)
    }

    /// The next one that something is to be done about; if nothing could be heard since then, and it was not before.
    pub(crate) fn due(&mut self, now: Instant, since: Option<Instant>) -> Option<&mut Exchange> {
        let is_due = |due: Instant| due <= now && since.is_none_or(|since| due > since);
        self.list.iter_mut().find(|own| own.due().is_some_and(is_due))
    }

    pub(crate) fn first_of(&self, peer: Peer) -> Option<ExchangeId> {
        self.find(|own| own.peer == peer).map(|own| own.id)
    }

    pub(crate) fn contains(&self, id: ExchangeId) -> bool {
        self.find(|own| own.id == id).is_some()
    }

    /// The only one there is.
    pub(crate) const fn only(&self) -> Option<&Exchange> {
        match self.list.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.list.iter().filter_map(Exchange::due))
    }

    /// When the next message is repeated or given up.
    pub(crate) fn next_repetition(&self) -> Option<Instant> {
        earliest(self.list.iter().filter(|own| own.slot().is_some()).filter_map(Exchange::due))
    }

    /// How many are outstanding at a peer (RFC 7252, section 4.7).
    pub(crate) fn outstanding(&self, peer: Peer) -> usize {
        self.list.iter().filter(|own| own.peer == peer && own.is_outstanding()).count()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn reserve(&mut self) {
        self.list.reserve_all(self.limit);
    }

    pub(crate) fn heap(&self) -> usize {
        self.list.capacity().saturating_mul(size_of::<Exchange>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{Generator, Key, share};
    use crate::base::transmission::Transmission;
    use crate::exchange::message::slots::Slots;
    use core::time::Duration;

    #[test]
    fn each_place_counts_as_memory() {
        let mut table = Exchanges::new(3);
        table.reserve();
        assert!(table.heap() >= 3 * size_of::<Exchange>());
    }

    fn table(awaits: &[(u16, Awaits)]) -> Exchanges {
        let mut table = Exchanges::new(8);
        for (peer, awaits) in awaits {
            let id = table.add(Peer(*peer));
            table.get_mut(id).unwrap().awaits = awaits.clone();
        }
        table
    }

    fn repetition(seed: u64) -> Repetition {
        let pace = Pace::of(&Transmission::default());
        let (shortest, more) = pace.initial_timeout();
        let timeout = shortest.saturating_add(share(Generator::new(Key::from_seed(seed)).next_u64(), more));
        let slot = Slots::new(1, 16).take().unwrap().0;
        Repetition::new(Instant::ZERO, slot, timeout, pace)
    }

    fn one_message(seed: u64) -> Exchanges {
        table(&[(1, Awaits::Acknowledgement(repetition(seed)))])
    }

    /// What is done now about the first that something is to be done about: whether it is sent again.
    fn step(table: &mut Exchanges, now: Instant, since: Option<Instant>) -> Option<bool> {
        let own = table.due(now, since)?;
        Some(own.step(now, since.is_none()).is_some())
    }

    /// Runs the timers exactly when they are due; the times of every step in seconds.
    fn times(mut table: Exchanges) -> (Vec<f64>, f64) {
        let mut resent = Vec::new();
        loop {
            let due = table.poll_timeout().unwrap();
            let seconds = due.as_micros() as f64 / 1e6;
            match step(&mut table, due, None).unwrap() {
                true => resent.push(seconds),
                false => return (resent, seconds),
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
        assert_eq!(step(&mut table, Instant::from_secs(86_400), None), Some(false));
    }

    #[test]
    fn a_late_timer_resends_once_and_waits_again() {
        let mut table = one_message(1);
        let late = Instant::from_secs(20);
        assert_eq!(step(&mut table, late, None), Some(true));
        assert_eq!(step(&mut table, late, None), None);
        assert!(table.poll_timeout().unwrap() >= late + Duration::from_secs(4));
    }

    #[test]
    fn what_was_due_when_the_radio_slept_was_due_after_it_fell_asleep() {
        let mut table = one_message(1);
        let due = table.poll_timeout().unwrap();
        assert_eq!(step(&mut table, due, Some(due)), None);
        let before = due.saturating_sub(Duration::from_micros(1));
        assert_eq!(step(&mut table, before, Some(Instant::ZERO)), None);
        assert_eq!(step(&mut table, due, Some(before)), Some(true));
    }

    #[test]
    fn what_ended_while_nothing_could_be_heard_ended_after_its_beginning() {
        let at = |seconds| (1, Awaits::Response { until: Instant::from_secs(seconds) });
        let mut table = table(&[at(10), at(21), at(11), at(20)]);
        let mut over = || {
            let id = table.due(Instant::from_secs(20), Some(Instant::from_secs(10)))?.id;
            table.remove(id);
            Some(id)
        };
        assert_eq!([over(), over(), over()], [Some(ExchangeId(3)), Some(ExchangeId(4)), None]);
    }

    #[test]
    #[cfg(feature = "blockwise")]
    fn the_next_block_is_one_of_the_peers_that_has_nothing_on_its_way() {
        let waits = Awaits::Acknowledgement(repetition(1));
        let table = table(&[(1, waits), (2, Awaits::NextBlock), (1, Awaits::NextBlock)]);
        let next = [1, 2, 3].map(|peer| table.next_block(Peer(peer)));
        assert_eq!(next, [Some(ExchangeId(3)), Some(ExchangeId(2)), None]);
    }

    // RFC 7252, section 4.7.
    #[test]
    fn what_was_acknowledged_holds_no_place_of_nstart() {
        let until = Instant::ZERO;
        let table = table(&[
            (1, Awaits::SeparateResponse { until }),
            (1, Awaits::NextBlock),
            (2, Awaits::Response { until }),
            (2, Awaits::Acknowledgement(repetition(1))),
        ]);
        assert_eq!([1, 2, 3].map(|peer| table.outstanding(Peer(peer))), [0, 2, 0]);
    }
}
