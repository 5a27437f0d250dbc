//! All changes of a crate are compiled into it at once, each behind [`on`]: the environment says which one is on.
//!
//! `MUTANT=7` turns the seventh on, `MUTANT=reach` none; then `MUTANT_REACHED` names a file that is told which
//! ones a run came by.
#![feature(core_intrinsics, const_eval_select)]
#![allow(internal_features)]

use std::env;
use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const UNKNOWN: u32 = u32::MAX;
const REACH: u32 = u32::MAX - 1;
const MOST: usize = 20_000;

static CHOSEN: AtomicU32 = AtomicU32::new(UNKNOWN);
static SEEN: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];

/// Whether this change is on. What is computed at compile time is never changed.
#[inline]
pub const fn on(id: u32) -> bool {
    core::intrinsics::const_eval_select((id,), at_compile_time, at_run_time)
}

const fn at_compile_time(_: u32) -> bool {
    false
}

#[inline]
fn at_run_time(id: u32) -> bool {
    let chosen = CHOSEN.load(Ordering::Relaxed);
    chosen == id || (chosen >= REACH && seldom(id))
}

#[cold]
fn seldom(id: u32) -> bool {
    if CHOSEN.load(Ordering::Relaxed) == UNKNOWN {
        let chosen = env::var("MUTANT").unwrap_or_default();
        CHOSEN.store(if chosen == "reach" { REACH } else { chosen.parse().unwrap_or(0) }, Ordering::Relaxed);
        return at_run_time(id);
    }
    if !SEEN[id as usize].swap(true, Ordering::Relaxed) {
        let path = env::var_os("MUTANT_REACHED").expect("a file to write to");
        let file = File::options().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(format!("{id}\n").as_bytes())).expect("room for a line");
    }
    false
}
