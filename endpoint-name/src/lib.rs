#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// docs.rs says beside each item which feature brings it.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::must_use_candidate, clippy::return_self_not_must_use)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

mod buffer;
mod builder;
mod classify;
mod cursor;
mod error;
mod lenient;
pub mod lint;
mod owned;
mod parse;
#[cfg(feature = "serde")]
mod serde;

use core::fmt;

pub use crate::builder::EndpointNameBuilder;
pub use crate::classify::{ClientName, Form, Malformed, classify};
pub use crate::error::{Field, ParseError, ParseErrorKind};
pub use crate::lenient::{Leniency, LenientName};
pub use crate::owned::EndpointNameBuf;

/// The length of the longest endpoint name, in bytes.
///
/// 17 digits of IMEI, 16 of IMSI, 15 of CMEI, 11 bytes of version and three separators (DM terminal
/// specification 7.1).
pub const MAX_LEN: usize = 62;

/// An endpoint name that keeps to the grammar, borrowed from the text it was read from.
///
/// DM terminal specification 7.1. Names are equal when their bytes are, and sort as their bytes do.
///
/// ```
/// use endpoint_name::EndpointName;
///
/// // A device used without a SIM.
/// let name = EndpointName::parse("490154203237518;;;1.0")?;
/// assert!(name.imei().is_some());
/// assert!(name.imsi().is_none() && name.cmei().is_none());
/// assert_eq!(name.to_string(), "490154203237518;;;1.0");
/// # Ok::<(), endpoint_name::ParseError>(())
/// ```
///
/// There is no `FromStr`: that trait cannot return a value that borrows from its input. Use
/// [`parse`](Self::parse) or `TryFrom<&str>`, or [`EndpointNameBuf`], which owns its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointName<'a> {
    text: &'a str,
    version: Version,
}

impl<'a> EndpointName<'a> {
    /// Reads a whole text as one name: nothing is trimmed, nothing may follow.
    ///
    /// The work is bounded, whatever the length of `text`.
    ///
    /// # Errors
    ///
    /// A wrong number of separators is reported before anything else, because it shifts every field
    /// behind it; then the leftmost fault; a name without any identity only if nothing else is
    /// wrong with it. In a text longer than [`MAX_LEN`] only the first `MAX_LEN + 1` bytes count:
    /// it is never said to have too few separators.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let (version, _) = parse::name(text, Leniency::STRICT)?;
        Ok(Self { text, version })
    }

    /// Starts a name from its parts: none of them yet, and version 1.0.
    pub const fn builder() -> EndpointNameBuilder<'a> {
        EndpointNameBuilder::new()
    }

    /// The name as it is written: at most [`MAX_LEN`] bytes, all of them digits, `;` or `.`.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// The number of the equipment, 1 to 17 digits, or `None` if its position is empty (DM terminal
    /// specification 7.1).
    pub fn imei(self) -> Option<Digits<'a>> {
        parse::identity(self.text, 0).map(Digits)
    }

    /// The number of the subscriber, 1 to 16 digits, or `None` if its position is empty, as in a
    /// device used without a SIM (DM terminal specification 7.1).
    pub fn imsi(self) -> Option<Digits<'a>> {
        parse::identity(self.text, 1).map(Digits)
    }

    /// The number of a device that need not be cellular, 15 digits, or `None` if its position is
    /// empty (DM terminal specification 7.1).
    pub fn cmei(self) -> Option<Digits<'a>> {
        parse::identity(self.text, 2).map(Digits)
    }

    /// The version, which every name has (DM terminal specification 7.1).
    #[must_use]
    pub const fn version(self) -> Version {
        self.version
    }

    /// What is odd about the identities, although it is no fault: a wrong check digit, a country code
    /// that is no country's.
    pub fn lints(self) -> lint::Lints {
        lint::Lints::of(self.text)
    }
}

impl<'a> TryFrom<&'a str> for EndpointName<'a> {
    type Error = ParseError;

    fn try_from(text: &'a str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl AsRef<str> for EndpointName<'_> {
    fn as_ref(&self) -> &str {
        self.text
    }
}

impl fmt::Display for EndpointName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.text, f)
    }
}

impl fmt::Debug for EndpointName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EndpointName").field(&self.text).finish()
    }
}

/// A number inside a name, an IMEI, IMSI or CMEI for one: one or more ASCII digits.
///
/// These are numbers to be written, not to be counted with: leading zeros mean something, so two of
/// them are equal only if every digit is, and they sort as text.
///
/// ```
/// use endpoint_name::{Digits, EndpointName};
///
/// let name = EndpointName::parse(";;860000000000001;1.0")?;
/// assert_eq!(name.cmei().map(Digits::as_str), Some("860000000000001"));
/// # Ok::<(), endpoint_name::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits<'a>(&'a str);

impl<'a> Digits<'a> {
    /// The digits as text that lives as long as the text they were read from. Never empty.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl AsRef<str> for Digits<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)
    }
}

/// The last part of a name, `A.B`: two numbers that the application chooses.
///
/// DM terminal specification 7.1 calls them major and minor version and leaves open what they are
/// the version of. They sort as numbers: 1.9 comes before 1.10.
///
/// ```
/// use endpoint_name::Version;
///
/// assert_eq!(Version::new(1, 0).to_string(), "1.0");
/// assert!(Version::new(1, 9) < Version::new(1, 10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The number before the dot.
    pub major: u16,
    /// The number after the dot.
    pub minor: u16,
}

impl Version {
    /// The version `major.minor`; every pair of numbers is one.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
