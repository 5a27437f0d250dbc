//! What can be wrong with a name, in which field, and at which byte.
//!
//! An error holds at most one character of the refused text, never an identity: it may go to a log.

use core::fmt;

use thiserror::Error;

use crate::parse::{NUMBER_DIGITS, SEPARATORS};

/// Why a text is not an endpoint name, or why parts do not make one.
///
/// The message names the field, the fault and the place, and repeats at most one character of the
/// text.
///
/// ```
/// use endpoint_name::{EndpointName, Field, ParseErrorKind};
///
/// let error = EndpointName::parse("490154203237518;460001234567890;;1.").unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::IncompleteVersion);
/// assert_eq!(error.field(), Some(Field::Version));
/// assert_eq!(error.position(), 35);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{fault} at byte {position}")]
pub struct ParseError {
    pub(crate) fault: Fault,
    pub(crate) position: usize,
}

impl ParseError {
    /// The sort of fault.
    #[must_use]
    pub const fn kind(&self) -> ParseErrorKind {
        match self.fault {
            Fault::TooLong { .. } | Fault::LongNumber => ParseErrorKind::TooLong,
            Fault::WrongLength { .. } => ParseErrorKind::WrongLength,
            Fault::InvalidCharacter { .. } => ParseErrorKind::InvalidCharacter,
            Fault::TooFewSeparators { .. } => ParseErrorKind::TooFewSeparators,
            Fault::TooManySeparators => ParseErrorKind::TooManySeparators,
            Fault::MissingVersion => ParseErrorKind::MissingVersion,
            Fault::IncompleteVersion => ParseErrorKind::IncompleteVersion,
            Fault::LeadingZero => ParseErrorKind::LeadingZero,
            Fault::NumberTooLarge => ParseErrorKind::NumberTooLarge,
            Fault::NoIdentity => ParseErrorKind::NoIdentity,
        }
    }

    /// The field at fault, or `None` if the fault is in the name as a whole (separators, no
    /// identity).
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self.fault {
            Fault::TooLong { field, .. } | Fault::WrongLength { field, .. } | Fault::InvalidCharacter { field, .. } => {
                Some(field)
            }
            Fault::LongNumber
            | Fault::MissingVersion
            | Fault::IncompleteVersion
            | Fault::LeadingZero
            | Fault::NumberTooLarge => Some(Field::Version),
            Fault::TooFewSeparators { .. } | Fault::TooManySeparators | Fault::NoIdentity => None,
        }
    }

    /// Where the fault is, in bytes from the start of the name; for a part given to a builder, from
    /// the start of that part.
    ///
    /// At most [`MAX_LEN`](crate::MAX_LEN), and always the start of a character or the end of the
    /// text. [`ParseErrorKind`] says for each kind which byte is meant.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

/// The sorts of fault (DM terminal specification 7.1), for a program that decides by them.
///
/// Each ends with the byte that [`ParseError::position`] gives for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The IMEI has more than 17 digits, the IMSI more than 16, or, where leading zeros are allowed, a
    /// number of the version more than 5; at the first digit too many.
    TooLong,
    /// The CMEI does not have 15 digits; at the first digit too many, or where the next digit
    /// should be. Letters count where they are allowed.
    WrongLength,
    /// A character that cannot stand in this field; at that character.
    InvalidCharacter,
    /// Fewer than three semicolons; at the end.
    TooFewSeparators,
    /// More than three semicolons; at the fourth.
    TooManySeparators,
    /// Nothing after the third semicolon; at the end.
    MissingVersion,
    /// The version lacks one of its numbers or its dot; where that should be.
    IncompleteVersion,
    /// A number of the version starts with a zero and goes on; at that zero.
    LeadingZero,
    /// A number of the version is above 65535; at its first digit.
    NumberTooLarge,
    /// IMEI, IMSI and CMEI are all empty: such a name identifies nothing; at 0.
    NoIdentity,
}

/// A part of the name (DM terminal specification 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The first part, the number of the equipment.
    Imei,
    /// The second part, the number of the subscriber.
    Imsi,
    /// The third part, the number of a device that need not be cellular.
    Cmei,
    /// The last part, major and minor version.
    Version,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Imei => "IMEI",
            Self::Imsi => "IMSI",
            Self::Cmei => "CMEI",
            Self::Version => "version",
        })
    }
}

/// One variant per message, with just the data that the message needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    #[error("more than {max} digits in {field}")]
    TooLong { field: Field, max: usize },
    #[error("wrong length of {field} ({expected} {of} expected)")]
    WrongLength { field: Field, expected: usize, of: Characters },
    #[error("more than {NUMBER_DIGITS} digits in a number of the version")]
    LongNumber,
    #[error("invalid character {found:?} in {field}")]
    InvalidCharacter { field: Field, found: char },
    #[error("too few separators ({found} of {SEPARATORS} semicolons)")]
    TooFewSeparators { found: usize },
    #[error("too many separators ({SEPARATORS} semicolons expected)")]
    TooManySeparators,
    #[error("missing version")]
    MissingVersion,
    #[error("incomplete version (two numbers joined by a dot expected)")]
    IncompleteVersion,
    #[error("leading zero in version")]
    LeadingZero,
    #[error("number above 65535 in version")]
    NumberTooLarge,
    #[error("no identity (IMEI, IMSI and CMEI are all empty)")]
    NoIdentity,
}

/// What an identity is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Characters {
    Digits,
    LettersAndDigits,
}

impl Characters {
    pub(crate) const fn contain(self, found: char) -> bool {
        match self {
            Self::Digits => found.is_ascii_digit(),
            Self::LettersAndDigits => found.is_ascii_alphanumeric(),
        }
    }
}

impl fmt::Display for Characters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digits => "digits",
            Self::LettersAndDigits => "letters or digits",
        })
    }
}
