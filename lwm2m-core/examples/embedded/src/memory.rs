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

/// Paints the part of the stack that is free.
#[inline(never)]
pub(crate) fn paint_stack() {
    let mut at = addr_of_mut!(__sheap);
    // Some room for this function itself.
    let end = cortex_m::register::msp::read().saturating_sub(256) as *mut u32;
    while at < end {
        // SAFETY: it lies between the last static and the stack, and belongs to nobody.
        unsafe {
            at.write_volatile(PAINT);
            at = at.add(1);
        }
    }
}

/// How many bytes of the stack were used at most since it was painted.
pub(crate) fn deepest_stack() -> usize {
    let top = addr_of!(_stack_start) as usize;
    let mut at = addr_of_mut!(__sheap);
    // SAFETY: reading stops at what is in use.
    while (at as usize) < top && unsafe { at.read_volatile() } == PAINT {
        // SAFETY: within the RAM.
        at = unsafe { at.add(1) };
    }
    top - at as usize
}
