//! What waits to be handed to the runtime, in order.

use alloc::vec::Vec;
use core::mem::take;

use super::dedup::Inline;
use super::slots::{SlotId, Slots};
use crate::base::statistics::Counter;
use crate::base::table::Places;
use crate::exchange::Peer;

/// One order to the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    Connect(Peer),
    /// A short datagram by value: an acknowledgement, a reset, an answer told again.
    Short(Peer, Inline),
    /// A buffer that is free again once it was handed out.
    Once(Peer, SlotId),
    /// A buffer that is kept for retransmission.
    Keep(Peer, SlotId),
    Disconnect(Peer),
}

/// An order to the runtime.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// Make a path for datagrams to this peer.
    Connect(Peer),
    /// Send these bytes as one datagram.
    Transmit(Peer, &'a [u8]),
    /// The path is not needed any more.
    Disconnect(Peer),
}

/// The queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Outbox {
    queue: Vec<Order>,
    limit: u16,
    /// The first order is on loan to the runtime, and the others wait.
    lent: bool,
    /// Short datagrams that found no room.
    pub(crate) lost: Counter,
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        let limit = u16::try_from(limit).unwrap_or(u16::MAX);
        Self { queue: Vec::new(), limit, lent: false, lost: Counter::default() }
    }

    /// How many orders there may be at a time: those that wait, and the one on loan.
    fn places(&self) -> usize {
        usize::from(self.limit).saturating_add(1)
    }

    fn waiting(&self) -> &[Order] {
        self.queue.get(usize::from(self.lent)..).unwrap_or_default()
    }

    /// Queues an order; a short datagram is lost, as on any network, when the queue is full.
    pub(crate) fn push(&mut self, order: Order) {
        let lossy = matches!(order, Order::Short(..));
        if !lossy || self.waiting().len() < self.limit.into() {
            self.queue.add(order, self.places());
        } else {
            self.lost.count();
        }
    }

    /// Queues a retransmission unless the previous transmission still waits to be handed out.
    pub(crate) fn push_again(&mut self, peer: Peer, slot: SlotId) {
        if !self.holds(slot) {
            self.queue.add(Order::Keep(peer, slot), self.places());
        }
    }

    /// Whether a datagram for `peer` waits to be handed out.
    pub(crate) fn has(&self, peer: Peer) -> bool {
        self.waiting().iter().any(|order| match order {
            Order::Short(to, _) | Order::Once(to, _) | Order::Keep(to, _) => *to == peer,
            Order::Connect(_) | Order::Disconnect(_) => false,
        })
    }

    fn holds(&self, slot: SlotId) -> bool {
        self.waiting().iter().any(|order| matches!(order, Order::Once(_, id) | Order::Keep(_, id) if *id == slot))
    }

    /// Takes a buffer's order back: its exchange is over.
    pub(crate) fn withdraw(&mut self, slot: SlotId) {
        let mut lent = self.lent;
        self.queue.keep(&mut |order| {
            take(&mut lent) || !matches!(order, Order::Once(_, id) | Order::Keep(_, id) if *id == slot)
        });
    }

    /// Frees the buffer that was lent, now that the runtime is done with it.
    pub(crate) fn reclaim(&mut self, slots: &mut Slots) {
        if take(&mut self.lent) {
            if let Some(Order::Once(_, slot)) = self.queue.first() {
                slots.release(*slot);
            }
            self.queue.take_out(0);
        }
    }

    /// Whether there is a next order.
    pub(crate) fn has_next(&mut self, slots: &mut Slots) -> bool {
        self.reclaim(slots);
        !self.queue.is_empty()
    }

    /// The next order, of which [`Self::has_next`] knows. It is on loan, and its bytes lent by [`Self::lend`],
    /// until the next call.
    pub(crate) fn pop(&mut self) -> Option<&Order> {
        debug_assert!(!self.lent, "reclaimed before");
        self.lent = !self.queue.is_empty();
        self.queue.first()
    }

    /// The order that is on loan, as the runtime sees it.
    pub(crate) fn lend<'a>(&'a self, slots: &'a Slots) -> Option<Output<'a>> {
        Some(match self.queue.first().filter(|_| self.lent)? {
            Order::Connect(peer) => Output::Connect(*peer),
            Order::Disconnect(peer) => Output::Disconnect(*peer),
            Order::Short(peer, datagram) => Output::Transmit(*peer, datagram.as_bytes()),
            Order::Once(peer, slot) | Order::Keep(peer, slot) => Output::Transmit(*peer, slots.datagram(*slot)),
        })
    }

    pub(crate) fn reserve(&mut self) {
        self.queue.reserve_all(self.places());
    }

    pub(crate) fn heap(&self) -> usize {
        self.queue.capacity().saturating_mul(size_of::<Order>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Peer = Peer(1);

    #[test]
    fn what_is_short_is_lost_where_there_is_no_room_and_nothing_else_is() {
        let short = Order::Short(PEER, Inline::of(b"\x70\x00\x00\x01"));
        let mut outbox = Outbox::new(2);
        (0..3).for_each(|_| outbox.push(short));
        assert_eq!(outbox.queue, [short, short]);
        outbox.push(Order::Disconnect(PEER));
        assert_eq!(outbox.queue, [short, short, Order::Disconnect(PEER)]);
        assert!(outbox.heap() >= 3 * size_of::<Order>());
    }

    #[test]
    fn what_is_on_loan_waits_no_more_and_goes_with_the_next_call() {
        let mut slots = Slots::new(2, 16);
        let (first, second) = (slots.take().unwrap().0, slots.take().unwrap().0);
        let mut outbox = Outbox::new(2);
        outbox.push(Order::Once(PEER, first));
        outbox.push(Order::Keep(PEER, second));
        assert!(outbox.lend(&slots).is_none() && outbox.has_next(&mut slots));
        assert_eq!(outbox.pop(), Some(&Order::Once(PEER, first)));
        outbox.withdraw(first);
        assert!(outbox.holds(second) && !outbox.holds(first) && slots.take().is_none());
        assert!(outbox.has_next(&mut slots) && slots.take().is_some(), "its buffer is free");
        assert_eq!(outbox.pop(), Some(&Order::Keep(PEER, second)));
        outbox.withdraw(second);
        outbox.push_again(PEER, second);
        assert!(outbox.lend(&slots).is_some() && outbox.has_next(&mut slots), "to be sent again");
        assert_eq!(outbox.pop(), Some(&Order::Keep(PEER, second)));
        assert!(!outbox.has_next(&mut slots) && outbox.lend(&slots).is_none());
    }

    #[test]
    fn a_datagram_waits_for_whom_it_is_for() {
        let mut outbox = Outbox::new(2);
        outbox.push(Order::Connect(PEER));
        assert!(!outbox.has(PEER), "an order is no datagram");
        outbox.push(Order::Short(Peer(2), Inline::of(b"\x70\x00\x00\x01")));
        assert!(outbox.has(Peer(2)) && !outbox.has(PEER));
    }
}
