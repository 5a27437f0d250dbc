#![no_main]

use core::sync::atomic::{AtomicU64, Ordering};

static INPUTS: AtomicU64 = AtomicU64::new(0);
static REACHED: AtomicU64 = AtomicU64::new(0);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let reached = REACHED.fetch_add(u64::from(fuzz::client(data)), Ordering::Relaxed);
    let inputs = INPUTS.fetch_add(1, Ordering::Relaxed) + 1;
    // `tools/fuzz.py` writes the last of these into the ledger.
    if inputs.is_multiple_of(1 << 14) {
        eprintln!("note: {} % of {inputs} inputs reached the model", 100 * reached / inputs);
    }
});
