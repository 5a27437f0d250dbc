//! Requests of peers that are answered later: when the application has the answer (RFC 7252, section
//! 5.2.2), or at leisure, because they came by multicast (section 8.2).

use crate::base::features::LATE_ANSWERS;
use crate::base::origin::Ticket;
use crate::base::table::Places;
use crate::base::time::{Instant, earliest};
use crate::exchange::message::slots::SlotId;
use crate::exchange::{Peer, Reply};

/// A request that is kept; one that is confirmable was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kept {
    pub(crate) reply: Reply,
    /// Holds the request's datagram.
    pub(crate) slot: SlotId,
    pub(crate) state: State,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// The application works on it, and has until then.
    Working { until: Instant },
    /// To be run again as soon as the peer has room for the answer.
    Resumed { at: Instant },
    /// Out of time: to be answered 5.03 as soon as the peer has room.
    TimedOut { at: Instant },
    /// Received by multicast: to be answered then, if at all.
    AtLeisure { until: Instant },
}

impl State {
    /// Since when it waits for room.
    const fn due(self) -> Option<Instant> {
        match self {
            Self::Resumed { at } | Self::TimedOut { at } => Some(at),
            Self::Working { .. } | Self::AtLeisure { .. } => None,
        }
    }

    fn is_over(self, now: Instant) -> bool {
        matches!(self, Self::AtLeisure { until } if until <= now)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    generation: u16,
    kept: Option<Kept>,
}

/// What the table is made of.
#[cfg(feature = "late-answers")]
type Entries = alloc::vec::Vec<Place>;
/// Every answer is given at once.
#[cfg(not(feature = "late-answers"))]
type Entries = crate::base::table::Nothing<Place>;

/// The table. A place's generation rises with each use, so that a stale ticket finds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Deferred {
    places: Entries,
    limit: u8,
    /// How many of them are taken: mostly none is.
    taken: u8,
}

impl Deferred {
    pub(crate) fn new(limit: usize) -> Self {
        let limit = if LATE_ANSWERS { u8::try_from(limit).unwrap_or(u8::MAX) } else { 0 };
        Self { places: Entries::new(), limit, taken: 0 }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        !LATE_ANSWERS || self.taken == 0
    }

    /// The ticket of the next request that may be deferred, if there is room for one.
    pub(crate) fn next_ticket(&self) -> Option<Ticket> {
        if !LATE_ANSWERS {
            return None;
        }
        match (0..).zip(self.places.iter()).find(|(_, place)| place.kept.is_none()) {
            Some((index, place)) => Some(Ticket { index, generation: place.generation }),
            // A place that was never taken.
            None => u8::try_from(self.places.len()).ok().filter(|index| *index < self.limit).map(Ticket::first),
        }
    }

    /// Keeps a request under the ticket that [`Self::next_ticket`] announced.
    pub(crate) fn keep(&mut self, ticket: Ticket, kept: Kept) {
        let limit = self.limit.into();
        if usize::from(ticket.index) == self.places.len() && self.places.has_room(limit) {
            self.places.add(Place { generation: 0, kept: None }, limit);
        }
        if let Some(place) = self.places.get_mut(usize::from(ticket.index)) {
            self.taken = self.taken.saturating_add(u8::from(place.kept.is_none()));
            place.kept = Some(kept);
        }
    }

    pub(crate) fn get(&self, ticket: Ticket) -> Option<Kept> {
        let place = self.places.get(usize::from(ticket.index))?;
        place.kept.filter(|_| place.generation == ticket.generation)
    }

    fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Kept> {
        let place = self.places.get_mut(usize::from(ticket.index))?;
        if place.generation == ticket.generation { place.kept.as_mut() } else { None }
    }

    /// Marks a request to be run again. False for a stale ticket.
    pub(crate) fn resume(&mut self, at: Instant, ticket: Ticket) -> bool {
        let kept = self.get_mut(ticket).filter(|kept| matches!(kept.state, State::Working { .. }));
        kept.is_some_and(|kept| {
            kept.state = State::Resumed { at };
            true
        })
    }

    /// A resumed request was deferred once more.
    pub(crate) fn again(&mut self, ticket: Ticket, until: Instant) {
        if let Some(kept) = self.get_mut(ticket) {
            kept.state = State::Working { until };
        }
    }

    /// Marks what is out of time.
    pub(crate) fn expire(&mut self, now: Instant) {
        if self.is_empty() {
            return;
        }
        for kept in self.places.iter_mut().filter_map(|place| place.kept.as_mut()) {
            if let State::Working { until } = kept.state
                && until <= now
            {
                kept.state = State::TimedOut { at: until };
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        let until = |kept: &Kept| match kept.state {
            State::Working { until } | State::AtLeisure { until } => Some(until),
            State::Resumed { .. } | State::TimedOut { .. } => None,
        };
        earliest(self.places.iter().filter_map(|place| place.kept.as_ref().and_then(until)))
    }

    /// The request of a peer that has waited the longest for being answered, and since when.
    #[inline]
    pub(crate) fn due(&self, peer: Peer) -> Option<(Instant, Ticket)> {
        if self.is_empty() {
            return None;
        }
        let due = (0..).zip(self.places.iter()).filter_map(|(index, place)| {
            let kept = place.kept.filter(|kept| kept.reply.peer == peer)?;
            Some((kept.state.due()?, Ticket { index, generation: place.generation }))
        });
        due.min_by_key(|(at, _)| *at)
    }

    /// A request whose leisure is over.
    pub(crate) fn at_leisure(&self, now: Instant) -> Option<(Ticket, Kept)> {
        if self.is_empty() {
            return None;
        }
        let over = |place: &Place| place.kept.filter(|kept| kept.state.is_over(now));
        let index = self.places.iter().position(|place| over(place).is_some())?;
        let place = self.places.get(index)?;
        Some((Ticket { index: u8::try_from(index).ok()?, generation: place.generation }, over(place)?))
    }

    /// Takes a request out; its ticket is stale from now on. The caller frees the buffer.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Kept> {
        let place = self.places.get_mut(usize::from(ticket.index))?;
        if place.generation != ticket.generation {
            return None;
        }
        place.generation = place.generation.wrapping_add(1);
        self.taken = self.taken.saturating_sub(u8::from(place.kept.is_some()));
        place.kept.take()
    }

    /// Takes out any request of a peer.
    pub(crate) fn take_any_of(&mut self, peer: Peer) -> Option<Kept> {
        let of_peer = |place: &&mut Place| place.kept.is_some_and(|kept| kept.reply.peer == peer);
        let place = self.places.iter_mut().find(of_peer)?;
        place.generation = place.generation.wrapping_add(1);
        self.taken = self.taken.saturating_sub(u8::from(place.kept.is_some()));
        place.kept.take()
    }

    pub(crate) fn has(&self, peer: Peer) -> bool {
        self.places.iter().any(|place| place.kept.is_some_and(|kept| kept.reply.peer == peer))
    }

    pub(crate) const fn len(&self) -> usize {
        self.taken as usize
    }

    pub(crate) fn reserve(&mut self) {
        self.places.reserve_all(self.limit.into());
    }

    pub(crate) fn heap(&self) -> usize {
        self.places.capacity().saturating_mul(size_of::<Place>())
    }
}

#[cfg(test)]
#[cfg(feature = "late-answers")]
mod tests {
    use super::*;
    use crate::exchange::message::slots::Slots;
    use alloc::vec::Vec;
    use coap_codec::Message;

    #[test]
    fn a_place_is_taken_again_before_there_is_another_and_none_is_beyond_the_limit() {
        let slot = Slots::new(1, 16).take().unwrap().0;
        let reply = Reply::to(Peer(1), &Message::parse(&[0x40, 1, 0, 7]).unwrap()).unwrap();
        let kept = Kept { reply, slot, state: State::Working { until: Instant::ZERO } };
        let mut table = Deferred::new(2);
        let mut stale = Vec::new();
        for _ in 0..3 {
            let ticket = table.next_ticket().unwrap();
            assert!(!stale.contains(&ticket));
            table.keep(ticket, kept);
            assert_eq!((table.places.len(), table.len(), table.take(ticket)), (1, 1, Some(kept)));
            assert_eq!(table.get(ticket), None);
            stale.push(ticket);
        }
        for taken in 1..=2 {
            table.keep(table.next_ticket().unwrap(), kept);
            assert_eq!((table.places.len(), table.len()), (taken, taken));
        }
        assert_eq!(table.next_ticket(), None);
        table.keep(Ticket::first(2), kept);
        assert_eq!((table.places.len(), table.len()), (2, 2));
    }
}
