//! Snapshots: what a client must not forget over a sleep or a restart.
pub use core::convert::Infallible as SnapshotError;
/// Wake
#[derive(Debug)]
pub enum Wake {}
