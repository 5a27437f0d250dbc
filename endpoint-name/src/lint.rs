//! What is odd about the identities of a name, apart from errors: no lint makes a name refused.
//!
//! DM terminal specification 7.1 gives IMEI and IMSI more room than 3GPP TS 23.003 does, so a name can
//! keep to the grammar and still hold an identity that no network has given out. A lint says so, and
//! leaves the decision to whoever asked.
//!
//! ```
//! use endpoint_name::EndpointName;
//! use endpoint_name::lint::{LintKind, Severity};
//!
//! let name = EndpointName::parse("490154203237519;460001234567890;;1.0")?;
//! let lint = name.lints().next().expect("a wrong check digit");
//! assert_eq!(lint.kind(), LintKind::ImeiCheckDigit { found: 9, expected: 8 });
//! assert_eq!((lint.severity(), lint.position()), (Severity::Warning, 14));
//! assert_eq!(lint.to_string(), "the last digit of the IMEI is 9, but the check digit of the others is 8");
//! # Ok::<(), endpoint_name::ParseError>(())
//! ```
//!
//! A lint repeats a check digit, a length or a country code, but no identity: it may go to a log.

use core::iter::{Flatten, FusedIterator};
use core::{array, fmt};

use thiserror::Error;

use crate::{Field, parse};

/// One thing that is odd about a name: what, in which field, and at which byte.
///
/// It prints as one sentence, without the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lint {
    kind: LintKind,
    position: usize,
}

impl Lint {
    /// What is odd.
    #[must_use]
    pub const fn kind(&self) -> LintKind {
        self.kind
    }

    /// The field it is odd about.
    #[must_use]
    pub const fn field(&self) -> Field {
        match self.kind {
            LintKind::Zeros { field } => field,
            LintKind::ImeiCheckDigit { .. }
            | LintKind::ImeiCheckDigitZero { .. }
            | LintKind::ImeiWithoutCheckDigit { .. }
            | LintKind::Imeisv
            | LintKind::ImeiLength { .. } => Field::Imei,
            LintKind::ImsiLength { .. }
            | LintKind::ImsiUnknownCountry { .. }
            | LintKind::ImsiTestNetwork
            | LintKind::ImsiNoCountry { .. }
            | LintKind::ImsiOtherCountry { .. } => Field::Imsi,
        }
    }

    /// Where it is odd, in bytes from the start of the name. [`LintKind`] says for each kind which byte
    /// is meant.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// How much it matters.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self.kind {
            LintKind::ImeiCheckDigitZero { .. }
            | LintKind::Imeisv
            | LintKind::ImsiTestNetwork
            | LintKind::ImsiNoCountry { .. }
            | LintKind::ImsiOtherCountry { .. } => Severity::Note,
            LintKind::Zeros { .. }
            | LintKind::ImeiCheckDigit { .. }
            | LintKind::ImeiWithoutCheckDigit { .. }
            | LintKind::ImeiLength { .. }
            | LintKind::ImsiLength { .. }
            | LintKind::ImsiUnknownCountry { .. } => Severity::Warning,
        }
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)
    }
}

/// How much a lint matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// True of good names too, and good to know.
    Note,
    /// Most likely a mistake.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
        })
    }
}

/// The sorts of lint, for a program that decides by them.
///
/// Each ends with the byte that [`Lint::position`] gives for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum LintKind {
    /// Nothing but zeros, which is what many devices say before they know their identity; at the first.
    /// Nothing else is then said about the field.
    #[error("the {field} is all zeros, like that of a device without one")]
    Zeros {
        /// The field of the zeros: never the version.
        field: Field,
    },
    /// 15 digits, and the last is not the Luhn check digit of the others (3GPP TS 23.003 annex B); at
    /// that digit.
    #[error("the last digit of the IMEI is {found}, but the check digit of the others is {expected}")]
    ImeiCheckDigit {
        /// The digit that is there.
        found: u8,
        /// The digit that should be there.
        expected: u8,
    },
    /// 15 digits, and the last is 0 where the check digit should be: the IMEI as it is sent over the
    /// air, where that digit is spare (3GPP TS 23.003 section 6.2.1); at that digit.
    #[error("the last digit of the IMEI is 0 in place of the check digit {expected}, as some interfaces send it")]
    ImeiCheckDigitZero {
        /// The digit that should be there.
        expected: u8,
    },
    /// 14 digits, an IMEI but for its check digit; where that should be.
    #[error("the IMEI has 14 digits: its check digit, {expected}, is missing")]
    ImeiWithoutCheckDigit {
        /// The missing digit.
        expected: u8,
    },
    /// 16 digits, an IMEISV: it has no check digit, and ends in the version of the software, so the name
    /// changes with an update (3GPP TS 23.003 section 6.2.2); at the first digit of that version.
    #[error("the IMEI has 16 digits: an IMEISV, whose last two digits change with the software")]
    Imeisv,
    /// A length that is neither that of an IMEI nor that of an IMEISV; at the first digit too many, or
    /// where the next digit should be.
    #[error("the IMEI has {digits} digits, but an IMEI has 15 and an IMEISV 16")]
    ImeiLength {
        /// The number of digits.
        digits: usize,
    },
    /// More or fewer digits than 3GPP TS 23.003 section 2.2 has room for; at the first digit too many,
    /// or where the next digit should be.
    #[error("the IMSI has {digits} digits, but an IMSI has 6 to 15")]
    ImsiLength {
        /// The number of digits.
        digits: usize,
    },
    /// A country code that is no country's: those of countries start with 2 to 7 (ITU-T E.212); at the
    /// first digit.
    #[error("the IMSI starts with {code:03}, but the codes of countries start with 2 to 7")]
    ImsiUnknownCountry {
        /// The country code.
        code: u16,
    },
    /// Country code 001, that of test networks; at the first digit.
    #[error("the IMSI starts with 001, the country code of test networks")]
    ImsiTestNetwork,
    /// A country code that starts with 9, like 901 for international networks and 999 for private ones;
    /// at the first digit.
    #[error("the IMSI starts with {code}, a code of international or private networks")]
    ImsiNoCountry {
        /// The country code.
        code: u16,
    },
    /// The code of a country other than China, which has 460 and 461; at the first digit.
    #[error("the IMSI starts with {code}, not with a country code of China (460, 461)")]
    ImsiOtherCountry {
        /// The country code.
        code: u16,
    },
}

/// The lints of a name, from left to right.
///
/// ```
/// use endpoint_name::EndpointName;
/// use endpoint_name::lint::Severity;
///
/// let name = EndpointName::parse("4901542032375186;;;1.0")?;
/// assert_eq!(name.lints().count(), 1);
/// assert!(name.lints().all(|lint| lint.severity() == Severity::Note));
/// # Ok::<(), endpoint_name::ParseError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "lints do nothing by themselves"]
pub struct Lints(Flatten<array::IntoIter<Option<Lint>, 4>>);

impl Lints {
    /// The lints of a text that was checked, strictly or not.
    pub(crate) fn of(text: &str) -> Self {
        let [imei, imsi, cmei] = [0, 1, 2].map(|index| parse::identity(text, index).unwrap_or_default());
        let of_imsi = imei.len().saturating_add(1);
        let of_cmei = of_imsi.saturating_add(imsi.len()).saturating_add(1);
        let lint = |field_start: usize, found: Found| {
            found.map(|(kind, offset)| Lint { kind, position: field_start.saturating_add(offset) })
        };
        let lints = [
            lint(0, zeros(Field::Imei, imei).or_else(|| of_an_imei(imei))),
            lint(of_imsi, zeros(Field::Imsi, imsi).or_else(|| country(imsi))),
            lint(of_imsi, imsi_length(imsi).filter(|_| zeros(Field::Imsi, imsi).is_none())),
            lint(of_cmei, zeros(Field::Cmei, cmei)),
        ];
        Self(lints.into_iter().flatten())
    }
}

impl Iterator for Lints {
    type Item = Lint;

    fn next(&mut self) -> Option<Lint> {
        self.0.next()
    }
}

impl FusedIterator for Lints {}

/// What is odd, and at which byte of the field.
type Found = Option<(LintKind, usize)>;

fn zeros(field: Field, digits: &str) -> Found {
    let zeros = !digits.is_empty() && digits.bytes().all(|digit| digit == b'0');
    zeros.then_some((LintKind::Zeros { field }, 0))
}

fn of_an_imei(imei: &str) -> Found {
    let digits = imei.len();
    match digits {
        0 => None,
        14 => Some((LintKind::ImeiWithoutCheckDigit { expected: check_digit(imei) }, 14)),
        15 => {
            let (others, last) = imei.split_at_checked(14)?;
            let (found, expected) = (last.parse().ok()?, check_digit(others));
            let kind = match found {
                _ if found == expected => return None,
                0 => LintKind::ImeiCheckDigitZero { expected },
                _ => LintKind::ImeiCheckDigit { found, expected },
            };
            Some((kind, 14))
        }
        16 => Some((LintKind::Imeisv, 14)),
        _ => Some((LintKind::ImeiLength { digits }, digits.min(16))),
    }
}

/// The digit that makes the Luhn sum a multiple of ten (3GPP TS 23.003 annex B.2).
fn check_digit(others: &str) -> u8 {
    let from_the_right = others.bytes().rev().map(|digit| digit.saturating_sub(b'0')).enumerate();
    let terms = from_the_right.flat_map(|(place, digit)| {
        let term = if place % 2 == 0 { digit.saturating_mul(2) } else { digit };
        [term / 10, term % 10]
    });
    // At most 14 times 9.
    let sum: u8 = terms.sum();
    10_u8.saturating_sub(sum % 10) % 10
}

fn imsi_length(imsi: &str) -> Found {
    let digits = imsi.len();
    match digits {
        0 | 6..=15 => None,
        _ => Some((LintKind::ImsiLength { digits }, digits.min(15))),
    }
}

/// Judges by the first digit of the country code, its zone: what is assigned within a zone changes.
fn country(imsi: &str) -> Found {
    let code: u16 = imsi.get(..3)?.parse().ok()?;
    let kind = match code {
        460 | 461 => return None,
        1 => LintKind::ImsiTestNetwork,
        200..=799 => LintKind::ImsiOtherCountry { code },
        900.. => LintKind::ImsiNoCountry { code },
        _ => LintKind::ImsiUnknownCountry { code },
    };
    Some((kind, 0))
}
