//! Tables that take memory as they need it, up to their bound, and keep it: what has been full once never
//! allocates again.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// How many more places to take for `needed` ones in a table with `len` of at most `limit`: it doubles.
fn more(len: usize, needed: usize, limit: usize) -> usize {
    len.max(needed).max(2).min(limit.saturating_sub(len)).max(needed)
}

/// Makes room for `needed` more in a table of at most `limit`.
pub(crate) fn make_room<T>(table: &mut Vec<T>, needed: usize, limit: usize) {
    if table.capacity().saturating_sub(table.len()) < needed {
        table.reserve_exact(more(table.len(), needed, limit));
    }
}

/// The same for one more in a queue.
pub(crate) fn make_room_in_queue<T>(queue: &mut VecDeque<T>, limit: usize) {
    if queue.len() == queue.capacity() {
        grow(queue, limit);
    }
}

#[cold]
#[inline(never)]
fn grow<T>(queue: &mut VecDeque<T>, limit: usize) {
    queue.reserve_exact(more(queue.len(), 1, limit));
}

/// Takes all the memory that a table may ever need.
pub(crate) fn reserve<T>(table: &mut Vec<T>, limit: usize) {
    table.reserve_exact(limit.saturating_sub(table.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_doubles_and_never_takes_more_than_its_bound() {
        let mut table = Vec::new();
        let mut capacities = Vec::new();
        for number in 0u64..7 {
            make_room(&mut table, 1, 7);
            table.push(number);
            capacities.push(table.capacity());
        }
        assert_eq!(capacities, [2, 2, 4, 4, 7, 7, 7]);
    }

    #[test]
    fn what_comes_at_once_finds_room_at_once() {
        let mut bytes = Vec::new();
        for (needed, capacity) in [(10, 10), (1, 20), (70, 81)] {
            make_room(&mut bytes, needed, 100);
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
