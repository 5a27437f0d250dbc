//! The workloads of the benchmarks: eight messages and who reads and writes them, and a registered
//! client.

pub mod client;
pub mod contenders;
pub mod messages;

/// The endpoint name of all workloads.
pub const ENDPOINT: &str = "490154203237518;460001234567890;;1.0";
