//! The grammar of DM terminal specification 7.1, read strictly:
//!
//! ```text
//! name    = [imei] ";" [imsi] ";" [cmei] ";" version     ; at least one of imei, imsi, cmei
//! imei    = 1*17DIGIT
//! imsi    = 1*16DIGIT
//! cmei    = 15DIGIT
//! version = number "." number
//! number  = "0" / ( %x31-39 *4DIGIT )                    ; at most 65535
//! ```
//!
//! and with each leniency that is allowed:
//!
//! ```text
//! cmei    =/ 15( ALPHA / DIGIT )                         ; alphanumeric_cmei
//! number  =/ 1*5DIGIT                                    ; leading_zeros; at most 65535
//! version =/ ""                                          ; missing_version
//! ```
//!
//! One walk from left to right. Every step takes a bounded number of bytes, so the walk is bounded
//! too.

use crate::cursor::Cursor;
use crate::error::{Characters, Fault, Field, ParseError};
use crate::{Leniency, MAX_LEN, Version};

/// The half-width semicolon, U+003B; no other separator will do.
pub(crate) const SEPARATOR: char = ';';
/// An empty part keeps its separator, so their number is fixed.
pub(crate) const SEPARATORS: usize = 3;

pub(crate) const IMEI: DigitField = DigitField::new(Field::Imei, 1, 17);
pub(crate) const IMSI: DigitField = DigitField::new(Field::Imsi, 1, 16);
pub(crate) const CMEI: DigitField = DigitField::new(Field::Cmei, 15, 15);

/// No number of the version is longer: 65535.
pub(crate) const NUMBER_DIGITS: usize = 5;

// The buffer of a built name relies on this sum.
const _: () = assert!(MAX_LEN == IMEI.max + IMSI.max + CMEI.max + SEPARATORS + NUMBER_DIGITS + 1 + NUMBER_DIGITS);

/// A field that holds digits or nothing, and how many digits it may hold.
#[derive(Clone, Copy)]
pub(crate) struct DigitField {
    field: Field,
    min: usize,
    max: usize,
}

impl DigitField {
    const fn new(field: Field, min: usize, max: usize) -> Self {
        Self { field, min, max }
    }

    /// The fault of a digit too many, or of one too few where the length is fixed.
    fn bad_length(self, of: Characters) -> Fault {
        let Self { field, min, max } = self;
        if min == max { Fault::WrongLength { field, expected: max, of } } else { Fault::TooLong { field, max } }
    }
}

/// Checks a whole name; returns its version, the only part that is not text, and the leniencies it
/// needed.
pub(crate) fn name(text: &str, allowed: Leniency) -> Result<(Version, Leniency), ParseError> {
    whole(text, allowed, Walk::version)
}

/// The same for a name that may lack its version, if that is allowed.
pub(crate) fn lenient_name(text: &str, allowed: Leniency) -> Result<(Option<Version>, Leniency), ParseError> {
    whole(text, allowed, Walk::optional_version)
}

/// Checks one part that stands alone, and says whether there is anything in it.
pub(crate) fn part(digit_field: DigitField, text: &str) -> Result<bool, ParseError> {
    Walk::new(text, Leniency::STRICT).digit_field(digit_field, None)
}

/// The error of a name or of parts that hold nothing but a version.
pub(crate) const fn no_identity() -> ParseError {
    ParseError { fault: Fault::NoIdentity, position: 0 }
}

/// The identity of this index in a text that was checked: its separators bound the parts, and only an
/// empty part means an absent one.
pub(crate) fn identity(text: &str, index: usize) -> Option<&str> {
    // By bytes: a search for a character leaves checks in the image.
    let (mut begin, mut before) = (0, 0);
    for (at, _) in text.bytes().enumerate().filter(|(_, byte)| char::from(*byte) == SEPARATOR) {
        if before == index {
            return text.get(begin..at).filter(|identity| !identity.is_empty());
        }
        (begin, before) = (at.saturating_add(1), before.saturating_add(1));
    }
    // Behind the last separator is the version.
    None
}

fn whole<'a, V>(
    text: &'a str,
    allowed: Leniency,
    version: impl FnOnce(&mut Walk<'a>) -> Result<V, ParseError>,
) -> Result<(V, Leniency), ParseError> {
    let mut walk = Walk::new(text, allowed);
    match walk.name(version) {
        Ok(version) => Ok((version, walk.used)),
        Err(error) => Err(wrong_separators(text).unwrap_or(error)),
    }
}

/// With a separator too few or too many, parts end up in the wrong fields and the walk blames an
/// innocent one: name the cause instead. What lies beyond the longest name is not looked at.
fn wrong_separators(text: &str) -> Option<ParseError> {
    let positions = || {
        let window = text.bytes().take(MAX_LEN + 1).enumerate();
        window.filter_map(|(position, byte)| (char::from(byte) == SEPARATOR).then_some(position))
    };
    if let Some(position) = positions().nth(SEPARATORS) {
        return Some(ParseError { fault: Fault::TooManySeparators, position });
    }
    let (found, position) = (positions().count(), text.len());
    let too_few = found < SEPARATORS && position <= MAX_LEN;
    too_few.then_some(ParseError { fault: Fault::TooFewSeparators { found }, position })
}

struct Walk<'a> {
    cursor: Cursor<'a>,
    allowed: Leniency,
    used: Leniency,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str, allowed: Leniency) -> Self {
        Self { cursor: Cursor::new(text), allowed, used: Leniency::STRICT }
    }

    fn name<V>(&mut self, version: impl FnOnce(&mut Self) -> Result<V, ParseError>) -> Result<V, ParseError> {
        let mut identified = false;
        for (found, digit_field) in [IMEI, IMSI, CMEI].into_iter().enumerate() {
            identified |= self.digit_field(digit_field, Some(SEPARATOR))?;
            if !self.cursor.eat(SEPARATOR) {
                return Err(self.error(Fault::TooFewSeparators { found }));
            }
        }
        let version = version(self)?;
        if identified { Ok(version) } else { Err(no_identity()) }
    }

    /// Takes the digits, or what stands for them, up to `terminator` or the end of the text; false if there
    /// are none.
    fn digit_field(&mut self, digit_field: DigitField, terminator: Option<char>) -> Result<bool, ParseError> {
        let DigitField { field, min, max } = digit_field;
        let letters = field == Field::Cmei && self.allowed.alphanumeric_cmei;
        let of = if letters { Characters::LettersAndDigits } else { Characters::Digits };
        let digits = self.cursor.take(max, u8::is_ascii_digit).len();
        let room = if letters { max.saturating_sub(digits) } else { 0 };
        let others = self.cursor.take(room, u8::is_ascii_alphanumeric).len();
        self.used.alphanumeric_cmei |= others != 0;
        let len = digits.saturating_add(others);
        match self.cursor.peek() {
            Some(found) if of.contain(found) => Err(self.error(digit_field.bad_length(of))),
            Some(found) if Some(found) != terminator => Err(self.error(Fault::InvalidCharacter { field, found })),
            _ if len != 0 && len < min => Err(self.error(digit_field.bad_length(of))),
            _ => Ok(len != 0),
        }
    }

    fn optional_version(&mut self) -> Result<Option<Version>, ParseError> {
        if self.allowed.missing_version && self.cursor.rest().is_empty() {
            self.used.missing_version = true;
            return Ok(None);
        }
        self.version().map(Some)
    }

    /// Takes the version, which must be all that is left.
    fn version(&mut self) -> Result<Version, ParseError> {
        if self.cursor.rest().is_empty() {
            return Err(self.error(Fault::MissingVersion));
        }
        let major = self.number()?;
        if !self.cursor.eat('.') {
            return Err(self.bad_version());
        }
        let minor = self.number()?;
        if let Some(found) = self.cursor.peek() {
            return Err(self.error(Fault::InvalidCharacter { field: Field::Version, found }));
        }
        Ok(Version { major, minor })
    }

    fn number(&mut self) -> Result<u16, ParseError> {
        let start = self.cursor.position();
        let fault = |fault| ParseError { fault, position: start };
        // With one digit more than allowed, a number is too large whatever follows.
        let digits = self.cursor.take(NUMBER_DIGITS + 1, u8::is_ascii_digit);
        if digits.is_empty() {
            return Err(self.bad_version());
        }
        if digits.len() > 1 && digits.starts_with('0') {
            if !self.allowed.leading_zeros {
                return Err(fault(Fault::LeadingZero));
            }
            if digits.len() > NUMBER_DIGITS {
                let position = start.saturating_add(NUMBER_DIGITS);
                return Err(ParseError { fault: Fault::LongNumber, position });
            }
            self.used.leading_zeros = true;
        }
        digits.parse().map_err(|_| fault(Fault::NumberTooLarge))
    }

    /// A number or the dot was expected here and did not come.
    fn bad_version(&self) -> ParseError {
        self.error(match self.cursor.peek() {
            None | Some('.') => Fault::IncompleteVersion,
            Some(found) => Fault::InvalidCharacter { field: Field::Version, found },
        })
    }

    fn error(&self, fault: Fault) -> ParseError {
        ParseError { fault, position: self.cursor.position() }
    }
}
