//! Names that keep to the grammar but for what the reader allows.

use core::fmt;

use crate::buffer::Buffer;
use crate::lint::Lints;
use crate::parse::{self, SEPARATOR};
use crate::{Digits, EndpointName, EndpointNameBuf, ParseError, Version};

/// What [`LenientName::parse`] may accept beyond the grammar; every switch is off by default.
///
/// DM terminal specification 7.1 leaves some things open, and terminals have read it differently. Each
/// switch is one such reading. Nothing else is ever accepted: no other separators, no percent-encoded
/// ones, no letters in IMEI or IMSI, no spaces, no parts that are longer.
///
/// ```
/// use endpoint_name::{Leniency, LenientName};
///
/// let zeros = Leniency { leading_zeros: true, ..Leniency::STRICT };
/// assert!(LenientName::parse("490154203237518;;;01.0", zeros).is_ok());
/// assert!(LenientName::parse("490154203237518;;;01.0", Leniency::STRICT).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leniency {
    /// The numbers of the version may start with zeros, but have no more than 5 digits: `01.0`, which
    /// is version 1.0.
    pub leading_zeros: bool,
    /// The version may be missing like any other part: `490154203237518;;;`.
    ///
    /// The specification lets a device leave empty "any field" it lacks, yet every example has a
    /// version.
    pub missing_version: bool,
    /// The CMEI may have ASCII letters among its 15 characters: `;;A0000012345678F;1.0`.
    ///
    /// The specification counts positions and does not say what stands in them.
    pub alphanumeric_cmei: bool,
}

impl Leniency {
    /// No leniency: what [`EndpointName::parse`] accepts.
    pub const STRICT: Self = Self { leading_zeros: false, missing_version: false, alphanumeric_cmei: false };

    /// Every leniency there is. A later release may add more.
    pub const ALL: Self = Self { leading_zeros: true, missing_version: true, alphanumeric_cmei: true };
}

/// A name that keeps to the grammar but for the leniencies that were allowed, borrowed from the text it
/// was read from.
///
/// For a server that has to live with the names of terminals already sold; what a terminal sends is
/// always an [`EndpointName`]. Two of these are equal if they are written the same: to compare what
/// they mean, convert them, or compare what they print.
///
/// ```
/// use endpoint_name::{EndpointNameBuf, Leniency, LenientName, Version};
///
/// let name = LenientName::parse("490154203237518;;;01.00", Leniency::ALL)?;
/// assert_eq!(name.version(), Some(Version::new(1, 0)));
/// assert_eq!(name.to_string(), "490154203237518;;;1.0");
///
/// // It needed one leniency, and that one can be undone.
/// assert_eq!(name.used(), Leniency { leading_zeros: true, ..Leniency::STRICT });
/// assert_eq!(EndpointNameBuf::try_from(name)?.as_str(), "490154203237518;;;1.0");
/// # Ok::<(), endpoint_name::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LenientName<'a> {
    text: &'a str,
    version: Option<Version>,
    used: Leniency,
}

impl<'a> LenientName<'a> {
    /// Reads a whole text as one name: nothing is trimmed, nothing may follow.
    ///
    /// The work is bounded, whatever the length of `text`.
    ///
    /// # Errors
    ///
    /// Refuses what [`EndpointName::parse`] refuses, with the same kinds in the same order, except what
    /// `allowed` makes good.
    pub fn parse(text: &'a str, allowed: Leniency) -> Result<Self, ParseError> {
        let (version, used) = parse::lenient_name(text, allowed)?;
        Ok(Self { text, version, used })
    }

    /// The name as it was written, at most [`MAX_LEN`](crate::MAX_LEN) bytes: the canonical form is what
    /// `Display` prints.
    #[must_use]
    pub const fn as_written(self) -> &'a str {
        self.text
    }

    /// The number of the equipment, 1 to 17 digits, or `None` if its position is empty.
    pub fn imei(self) -> Option<Digits<'a>> {
        parse::identity(self.text, 0).map(Digits)
    }

    /// The number of the subscriber, 1 to 16 digits, or `None` if its position is empty.
    pub fn imsi(self) -> Option<Digits<'a>> {
        parse::identity(self.text, 1).map(Digits)
    }

    /// The number of a device that need not be cellular, or `None` if its position is empty: 15 digits,
    /// and letters if [`alphanumeric_cmei`](Leniency::alphanumeric_cmei) was [used](Self::used).
    #[must_use]
    pub fn cmei(self) -> Option<&'a str> {
        parse::identity(self.text, 2)
    }

    /// The version, or `None` if its position is empty.
    #[must_use]
    pub const fn version(self) -> Option<Version> {
        self.version
    }

    /// The leniencies without which the name would have been refused: each of them was allowed, and none
    /// of them can be spared. [`Leniency::STRICT`] if the name keeps to the grammar.
    #[must_use]
    pub const fn used(self) -> Leniency {
        self.used
    }

    /// What is odd about the identities, although it is no fault.
    pub fn lints(self) -> Lints {
        Lints::of(self.text)
    }

    /// The identities, each with the separator behind it.
    fn identities(self) -> &'a str {
        // The version has no separator in it, so trimming it away leaves the last one.
        self.text.trim_end_matches(|found| found != SEPARATOR)
    }
}

impl<'a> From<EndpointName<'a>> for LenientName<'a> {
    fn from(name: EndpointName<'a>) -> Self {
        Self { text: name.text, version: Some(name.version), used: Leniency::STRICT }
    }
}

impl<'a> TryFrom<LenientName<'a>> for EndpointName<'a> {
    type Error = ParseError;

    /// Converts a name that needed no leniency; the error says what the first one was needed for.
    fn try_from(name: LenientName<'a>) -> Result<Self, ParseError> {
        Self::parse(name.text)
    }
}

impl TryFrom<LenientName<'_>> for EndpointNameBuf {
    type Error = ParseError;

    /// Takes the leading zeros away from a name that needed no other leniency; the error says what else
    /// the first one was needed for, at its byte of the name as written.
    fn try_from(name: LenientName<'_>) -> Result<Self, ParseError> {
        let (version, _) = parse::name(name.text, Leniency { leading_zeros: true, ..Leniency::STRICT })?;
        Ok(Self { text: Buffer::of(format_args!("{}{version}", name.identities())), version })
    }
}

/// Prints the canonical form: no leading zeros in the version. What is missing stays missing, and a CMEI
/// keeps its letters as they are.
impl fmt::Display for LenientName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => f.pad(Buffer::of(format_args!("{}{version}", self.identities())).as_str()),
            None => f.pad(self.text),
        }
    }
}

impl fmt::Debug for LenientName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LenientName").field(&self.text).finish()
    }
}
