//! Datagram buffers: a pool that grows up to its bound and is then reused.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use coap_codec::Code;

use crate::base::table::Places;

/// Names a buffer of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SlotId(u8);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Slot {
    bytes: Box<[u8]>,
    /// Length of the datagram in it; none while the slot is free.
    len: Option<u16>,
}

/// A datagram may bring keys: how long it is, and no more.
impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({:?})", self.len)
    }
}

/// The pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    limit: u8,
    size: u16,
}

impl Slots {
    pub(crate) fn new(limit: usize, size: usize) -> Self {
        let (limit, size) = (u8::try_from(limit).unwrap_or(u8::MAX), u16::try_from(size).unwrap_or(u16::MAX));
        Self { slots: Vec::new(), limit, size }
    }

    /// Allocates every buffer that the bound allows, so that none is allocated later.
    pub(crate) fn reserve(&mut self) {
        self.slots.reserve_all(self.limit.into());
        while self.slots.len() < usize::from(self.limit) {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let slot = Slot { bytes: alloc::vec![0; self.size.into()].into_boxed_slice(), len: None };
        self.slots.add(slot, self.limit.into());
    }

    /// Takes a free buffer, allocating one only while the pool has not reached its bound.
    pub(crate) fn take(&mut self) -> Option<(SlotId, &mut [u8])> {
        let free = self.slots.iter().position(|slot| slot.len.is_none());
        let index = free.or_else(|| self.add())?;
        let slot = self.slots.get_mut(index)?;
        slot.len = Some(0);
        Some((SlotId(u8::try_from(index).ok()?), &mut slot.bytes))
    }

    #[cold]
    fn add(&mut self) -> Option<usize> {
        if self.slots.len() >= usize::from(self.limit) {
            return None;
        }
        self.grow();
        self.slots.len().checked_sub(1)
    }

    /// The whole buffer, to write into.
    pub(crate) fn buffer(&mut self, id: SlotId) -> &mut [u8] {
        self.slots.get_mut(usize::from(id.0)).map_or(&mut [], |slot| &mut slot.bytes)
    }

    /// Says how much of the buffer is a datagram.
    pub(crate) fn set_len(&mut self, id: SlotId, len: usize) {
        if let Some(slot) = self.slots.get_mut(usize::from(id.0)) {
            slot.len = Some(u16::try_from(len).unwrap_or(u16::MAX));
        }
    }

    /// The datagram in it.
    pub(crate) fn datagram(&self, id: SlotId) -> &[u8] {
        self.slots
            .get(usize::from(id.0))
            .and_then(|slot| slot.bytes.get(..usize::from(slot.len.unwrap_or(0))))
            .unwrap_or(&[])
    }

    /// The code of the message in it (RFC 7252, section 3).
    pub(crate) fn code(&self, id: SlotId) -> Code {
        self.datagram(id).get(1).map_or(Code::EMPTY, |code| Code::from_byte(*code))
    }

    /// Takes the buffer out while its datagram is read; hand it back with [`Self::restore`].
    pub(crate) fn lift(&mut self, id: SlotId) -> Box<[u8]> {
        self.slots.get_mut(usize::from(id.0)).map(|slot| core::mem::take(&mut slot.bytes)).unwrap_or_default()
    }

    pub(crate) fn restore(&mut self, id: SlotId, bytes: Box<[u8]>) {
        if let Some(slot) = self.slots.get_mut(usize::from(id.0)) {
            slot.bytes = bytes;
        }
    }

    /// Makes the buffer free.
    pub(crate) fn release(&mut self, id: SlotId) {
        if let Some(slot) = self.slots.get_mut(usize::from(id.0)) {
            slot.len = None;
        }
    }

    /// Gives the memory of free buffers at the end of the pool back.
    pub(crate) fn trim(&mut self) {
        while self.slots.last().is_some_and(|slot| slot.len.is_none()) {
            self.slots.pop();
        }
    }

    /// Size of a buffer in bytes.
    pub(crate) const fn size(&self) -> usize {
        self.size as usize
    }

    pub(crate) fn in_use(&self) -> usize {
        self.slots.iter().filter(|slot| slot.len.is_some()).count()
    }

    /// Heap bytes: the buffers, and the table of them.
    pub(crate) fn heap(&self) -> usize {
        let table = self.slots.capacity().saturating_mul(size_of::<Slot>());
        self.slots.iter().fold(table, |sum, slot| sum.saturating_add(slot.bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_stops_at_its_bound_and_serves_again_after_a_release() {
        let mut slots = Slots::new(2, 16);
        let one = slots.take().unwrap().0;
        let two = slots.take().unwrap().0;
        assert_eq!(slots.take(), None);
        slots.release(one);
        assert_eq!(slots.take().unwrap().0, one);
        assert_ne!(one, two);
        assert_eq!(slots.in_use(), 2);
    }

    #[test]
    fn all_buffers_that_there_may_be_can_be_made_at_once() {
        let mut slots = Slots::new(3, 16);
        for _ in 0..2 {
            slots.reserve();
            assert_eq!(slots.heap(), 3 * (size_of::<Slot>() + 16));
        }
    }

    #[test]
    fn a_released_buffer_is_used_again_without_an_allocation() {
        let mut slots = Slots::new(4, 16);
        let id = slots.take().unwrap().0;
        slots.buffer(id).copy_from_slice(&[7; 16]);
        slots.set_len(id, 3);
        assert_eq!(slots.datagram(id), [7; 3]);
        let address = slots.buffer(id).as_ptr();
        slots.release(id);
        let id = slots.take().unwrap().0;
        assert_eq!(slots.buffer(id).as_ptr(), address);
        assert!(slots.datagram(id).is_empty());
    }

    #[test]
    fn trim_gives_free_buffers_back() {
        let mut slots = Slots::new(4, 1_000);
        let ids = [(); 3].map(|()| slots.take().unwrap().0);
        slots.release(ids[2]);
        slots.release(ids[1]);
        let before = slots.heap();
        slots.trim();
        assert_eq!(before - slots.heap(), 2_000);
        assert_eq!(slots.in_use(), 1);
    }
}
