//! Benchmarks of the three crates; the workloads live in `benches/`.
