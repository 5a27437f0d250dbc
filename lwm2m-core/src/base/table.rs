//! Tables that take memory as they need it, up to their bound, and keep it: what has been full once never
//! allocates again.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut, Range};

use super::features::SHORTCUTS;

/// How many more places to take for `needed` ones in a table with `len` of at most `limit`: it doubles.
#[inline(never)]
fn more(len: usize, needed: usize, limit: usize) -> usize {
    len.min(limit.saturating_sub(len)).max(needed)
}

#[cold]
fn grow<T>(table: &mut Vec<T>, needed: usize, limit: usize) {
    table.reserve_exact(more(table.len(), needed, limit));
}

/// What a table keeps its entries in.
pub(crate) trait Places<T> {
    /// Makes room for `needed` more in a table of at most `limit`.
    fn make_room(&mut self, needed: usize, limit: usize);

    /// Whether a table of at most `limit` may have one more entry.
    fn has_room(&self, limit: usize) -> bool;

    /// Takes all the memory that a table may ever need.
    fn reserve_all(&mut self, limit: usize);

    /// Adds an entry, and takes memory for it where it must.
    fn add(&mut self, entry: T, limit: usize);

    /// Takes an entry out; those behind it move up.
    fn take_out(&mut self, index: usize);

    /// Keeps the entries that are wanted, in their order. There is one copy of it for a kind of entry, where
    /// each use of `retain` is one.
    fn keep(&mut self, is_wanted: &mut dyn FnMut(&mut T) -> bool);
}

impl<T> Places<T> for Vec<T> {
    fn make_room(&mut self, needed: usize, limit: usize) {
        if self.capacity().saturating_sub(self.len()) < needed {
            grow(self, needed, limit);
        }
    }

    fn has_room(&self, limit: usize) -> bool {
        self.len() < limit
    }

    fn reserve_all(&mut self, limit: usize) {
        self.reserve_exact(limit.saturating_sub(self.len()));
    }

    fn add(&mut self, entry: T, limit: usize) {
        self.make_room(1, limit);
        // It is so, and said for the compiler: it need not know how to grow once more.
        if self.len() < self.capacity() {
            self.push(entry);
        }
    }

    #[cfg_attr(feature = "shortcuts", inline)]
    #[cfg_attr(not(feature = "shortcuts"), inline(never))]
    fn take_out(&mut self, index: usize) {
        if SHORTCUTS && index.saturating_add(1) == self.len() {
            self.pop();
        } else if index < self.len() {
            self.remove(index);
        }
    }

    #[cfg_attr(not(feature = "shortcuts"), inline(never))]
    fn keep(&mut self, is_wanted: &mut dyn FnMut(&mut T) -> bool) {
        let mut index = 0;
        while let Some(entry) = self.get_mut(index) {
            if is_wanted(entry) {
                index = index.saturating_add(1);
            } else {
                self.take_out(index);
            }
        }
    }
}

/// The same for one more in a queue.
pub(crate) fn make_room_in_queue<T>(queue: &mut VecDeque<T>, limit: usize) {
    if queue.len() == queue.capacity() {
        grow_queue(queue, limit);
    }
}

#[cold]
fn grow_queue<T>(queue: &mut VecDeque<T>, limit: usize) {
    queue.reserve_exact(more(queue.len(), 1, limit));
}

/// The same as of a table.
pub(crate) fn reserve_queue<T>(queue: &mut VecDeque<T>, limit: usize) {
    queue.reserve_exact(limit.saturating_sub(queue.len()));
}

/// The entries of a floor that was left out: never any. It has the methods of a `Vec` that tables use, so that
/// the floor is written once, and the compiler sees that nothing of it can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(dead_code, reason = "nothing may be left out")]
pub(crate) struct Nothing<T>([T; 0]);

#[allow(dead_code, clippy::needless_pass_by_ref_mut, reason = "a part uses some of it, and as of a `Vec`")]
impl<T> Nothing<T> {
    pub(crate) const fn new() -> Self {
        Self([])
    }

    pub(crate) const fn is_empty(&self) -> bool {
        true
    }

    pub(crate) const fn capacity(&self) -> usize {
        0
    }

    pub(crate) fn push(&mut self, _: T) {}

    pub(crate) fn insert(&mut self, _: usize, _: T) {}

    pub(crate) fn retain(&mut self, _: impl FnMut(&T) -> bool) {}

    pub(crate) const fn clear(&mut self) {}

    pub(crate) const fn extend_from_slice(&mut self, _: &[T]) {}

    pub(crate) fn resize(&mut self, _: usize, _: T) {}

    pub(crate) const fn truncate(&mut self, _: usize) {}

    pub(crate) fn drain(&mut self, _: Range<usize>) {}
}

impl<T> Places<T> for Nothing<T> {
    fn make_room(&mut self, _: usize, _: usize) {}

    fn has_room(&self, _: usize) -> bool {
        false
    }

    fn reserve_all(&mut self, _: usize) {}

    fn add(&mut self, _: T, _: usize) {}

    fn take_out(&mut self, _: usize) {}

    fn keep(&mut self, _: &mut dyn FnMut(&mut T) -> bool) {}
}

impl<T> Deref for Nothing<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &[]
    }
}

impl<T> DerefMut for Nothing<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut []
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_doubles_and_never_takes_more_than_its_bound() {
        let mut table = Vec::new();
        let mut capacities = Vec::new();
        for number in 0u64..7 {
            table.make_room(1, 7);
            table.push(number);
            capacities.push(table.capacity());
        }
        assert_eq!(capacities, [1, 2, 4, 4, 7, 7, 7]);
    }

    #[test]
    fn what_comes_at_once_finds_room_at_once() {
        let mut bytes = Vec::new();
        for (needed, capacity) in [(10, 10), (1, 20), (70, 81)] {
            bytes.make_room(needed, 100);
            bytes.resize(bytes.len() + needed, 0u8);
            assert_eq!(bytes.capacity(), capacity, "{needed}");
        }
    }

    #[test]
    fn a_queue_that_was_full_and_is_emptied_keeps_its_room() {
        let mut queue = VecDeque::new();
        for number in 0u64..3 {
            make_room_in_queue(&mut queue, 3);
            queue.push_back(number);
        }
        queue.clear();
        make_room_in_queue(&mut queue, 3);
        assert_eq!(queue.capacity(), 3);
    }
}
