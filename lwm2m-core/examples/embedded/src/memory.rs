//! The arena, and the figures: how much of it is taken, how much was at most, and how deep the stack went.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{addr_of, addr_of_mut};
use core::sync::atomic::{AtomicUsize, Ordering};

use embedded_alloc::LlffHeap;

/// Bytes that all of the program may allocate.
const ARENA: usize = 12 * 1024;

/// A heap that notes what is taken of it, as it was asked for, and the most that ever was.
struct Counting(LlffHeap);

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static HEAP: Counting = Counting(LlffHeap::empty());

// SAFETY: all is left to the heap inside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = TAKEN.load(Ordering::Relaxed) + layout.size();
        TAKEN.store(taken, Ordering::Relaxed);
        MOST.fetch_max(taken, Ordering::Relaxed);
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}

/// Hands the arena to the heap. Called once, before anything is allocated.
pub(crate) fn begin() {
    static mut SPACE: [u8; ARENA] = [0; ARENA];
    // SAFETY: nobody else knows the space, and this runs once.
    unsafe { HEAP.0.init(addr_of_mut!(SPACE) as usize, ARENA) }
}

/// Bytes that are taken.
pub(crate) fn taken() -> usize {
    TAKEN.load(Ordering::Relaxed)
}

/// How often anything was allocated.
pub(crate) fn calls() -> usize {
    CALLS.load(Ordering::Relaxed)
}

/// The most bytes that were taken since the last question.
pub(crate) fn most() -> usize {
    MOST.swap(taken(), Ordering::Relaxed)
}

const PAINT: u32 = 0xDEAD_BEEF;

// Where the linker says that the stack may grow down to, and where it begins.
unsafe extern "C" {
    static mut __sheap: u32;
    static _stack_start: u32;
}

/// The most bytes of the stack that were in use, by all and by a call of the client alone.
static DEEPEST: AtomicUsize = AtomicUsize::new(0);
static DEEPEST_CALL: AtomicUsize = AtomicUsize::new(0);

/// Does something, and notes how much of the stack it takes.
#[inline(never)]
pub(crate) fn measured<T>(call: impl FnOnce() -> T) -> T {
    let here = cortex_m::register::msp::read() as usize;
    note();
    paint();
    let done = call();
    DEEPEST_CALL.fetch_max(here - note(), Ordering::Relaxed);
    done
}

/// Paints the part of the stack that is free.
#[inline(never)]
pub(crate) fn paint() {
    let mut at = addr_of_mut!(__sheap);
    // Some room for this function itself.
    let end = cortex_m::register::msp::read().saturating_sub(64) as *mut u32;
    while at < end {
        // SAFETY: it lies between the last static and the stack, and belongs to nobody.
        unsafe {
            at.write_volatile(PAINT);
            at = at.add(1);
        }
    }
}

/// Notes how deep the stack went since it was painted: to this address.
fn note() -> usize {
    let top = addr_of!(_stack_start) as usize;
    let mut at = addr_of_mut!(__sheap);
    // SAFETY: reading stops at what is in use.
    while (at as usize) < top && unsafe { at.read_volatile() } == PAINT {
        // SAFETY: within the RAM.
        at = unsafe { at.add(1) };
    }
    DEEPEST.fetch_max(top - at as usize, Ordering::Relaxed);
    at as usize
}

/// How many bytes of the stack were in use at most.
pub(crate) fn deepest_stack() -> usize {
    note();
    DEEPEST.load(Ordering::Relaxed)
}

/// How many of them a call took at most since the last question.
pub(crate) fn deepest_call() -> usize {
    DEEPEST_CALL.swap(0, Ordering::Relaxed)
}
