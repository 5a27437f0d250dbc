//! What a program without an operating system needs: nothing that does anything.

use core::alloc::{GlobalAlloc, Layout};
use core::hint::black_box;

struct NoMemory;

// SAFETY: never gives memory out.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        black_box(layout.size()) as *mut u8
    }

    unsafe fn dealloc(&self, pointer: *mut u8, _: Layout) {
        black_box(pointer);
    }
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
