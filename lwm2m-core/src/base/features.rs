//! Which parts of the crate were asked for: one that was left out takes no room in the image.
//!
//! A part is written once. Where it is left out, its tables are made of [`Nothing`](super::table::Nothing), and these
//! constants stand where a peer comes in; the compiler sees the rest.

/// Observations, notifications and Write-Attributes: the whole of Information Reporting.
pub(crate) const REPORTING: bool = cfg!(feature = "reporting");

/// Notifications that are kept while their server cannot be told.
pub(crate) const STORING: bool = cfg!(feature = "storing");

/// Answers that come later than at once, and those to requests by multicast, which wait for their leisure.
pub(crate) const LATE_ANSWERS: bool = cfg!(feature = "late-answers");

/// Bodies in blocks, in both directions, and requests of ours that are sent once more with an Echo.
pub(crate) const BLOCKWISE: bool = cfg!(feature = "blockwise");

/// Values as plain text, beside TLV and opaque bytes.
pub(crate) const TEXT: bool = cfg!(feature = "text");

/// Numbers as text and opaque values in Base64, which LwM2M JSON has, too.
pub(crate) const TEXT_INSIDE: bool = TEXT || cfg!(feature = "json");

/// What there is, for servers that do not know LwM2M: GET `/.well-known/core`.
pub(crate) const DISCOVERY: bool = cfg!(feature = "discovery");

/// Code of its own for what comes most. What leaves is the same without it.
pub(crate) const SHORTCUTS: bool = cfg!(feature = "shortcuts");

/// Counts of what was dropped, rejected and refused.
pub(crate) const STATISTICS: bool = cfg!(feature = "statistics");

/// The Access Control object.
pub(crate) const ACCESS_CONTROL: bool = cfg!(feature = "access-control");
