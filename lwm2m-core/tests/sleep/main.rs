//! Sleep: with the memory off, from a snapshot; and with the radio off alone.

#[path = "../common/mod.rs"]
mod common;

mod lives;
mod snapshots;
mod unreachable;
