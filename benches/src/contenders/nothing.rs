//! What all contenders pay: the loop and the call, and the copying of bytes.

use core::cell::RefCell;
use core::hint::black_box;

use super::Contender;
use crate::messages::{BUFFER_LEN, Parts};

/// The loop and the call alone.
pub(super) const NOTHING: Contender =
    Contender { name: "(nothing)", is_codec: false, parse: |_| true, look_up: |_| 0, build: |_, _| 0 };

/// Besides, a copy of the datagram; for *build*, of the payload alone.
pub(super) const MEMCPY: Contender = Contender {
    name: "(memcpy)",
    is_codec: false,
    parse: |datagram| SCRATCH.with_borrow_mut(|scratch| copy(datagram, scratch)) != 0,
    look_up: |datagram| SCRATCH.with_borrow_mut(|scratch| copy(datagram, scratch)) as u64,
    build: |parts: &Parts, buffer| copy(parts.payload, buffer),
};

thread_local! {
    // On the stack it would have to be cleared for each call.
    static SCRATCH: RefCell<[u8; BUFFER_LEN]> = const { RefCell::new([0; BUFFER_LEN]) };
}

fn copy(bytes: &[u8], buffer: &mut [u8]) -> usize {
    let Some(room) = buffer.get_mut(..bytes.len()) else { return 0 };
    room.copy_from_slice(bytes);
    black_box(room).len()
}
