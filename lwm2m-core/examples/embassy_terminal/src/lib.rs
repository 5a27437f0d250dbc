//! The DM terminal as a task of embassy: see docs/embassy.md, which prints the task.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod task;

pub use task::terminal;
