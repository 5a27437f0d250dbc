#![doc = include_str!("../README.md")]
//!
//! [`Device`]: objects::Device
//! [`FirmwareUpdate`]: objects::FirmwareUpdate
//! [`Location`]: objects::Location
#![no_std]
#![forbid(unsafe_code)]
// docs.rs says beside each item which feature brings it.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::must_use_candidate, clippy::return_self_not_must_use)]
// Nothing that a peer sends may panic: these lints keep the ways to do so out of the library.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)
)]

extern crate alloc;
#[cfg(any(test, feature = "std", feature = "sim"))]
extern crate std;

mod base;
mod client;
pub mod exchange;
mod format;
mod lifecycle;
mod management;
mod model;
pub mod objects;
mod reporting;
#[cfg(feature = "sim")]
pub mod sim;

// The code of these pages is tested here. The package is without them: they are looked for only when documentation is
// tested.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
mod guide {}
#[cfg(doctest)]
#[doc = include_str!("../../docs/testing.md")]
mod testing {}

// What the interface above is made of.
pub use coap_codec::Uri;
pub use {coap_codec, endpoint_name};

pub use base::config::{AccessControl, Account, Config, ConfigError, Credentials};
pub use base::event::{Diagnostic, Event, FailureKind, Inconsistency, Leave, Reason};
pub use base::limits::Limits;
pub use base::path::{Leaf, MAX_ID, Path, PathError};
pub use base::profile::{Backoff, BootstrapPolicy, LegacyFormats, Profile, RegistrationPolicy};
pub use base::rights::Rights;
pub use base::rng::{Generator, Key};
#[cfg(feature = "statistics")]
pub use base::statistics::Statistics;
pub use base::time::Instant;
pub use base::value::{DataType, Sink, Stop, Value};
pub use client::{Client, CommandError, Memory, Output, Received, Rest, Security, SnapshotError, Wake};
pub use exchange::Peer;
pub use format::{Given, Values, ValuesIter};
pub use lifecycle::Session;
pub use model::{
    Action, Args, ArgsError, Change, Ctx, DataModel, Joined, NoObjects, ObjectDef, Operations, Origin, Part, Range,
    Refusal, ResourceDef, Resources, Ticket,
};
