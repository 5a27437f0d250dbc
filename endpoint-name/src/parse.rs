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
//! One walk from left to right. Every step takes a bounded number of bytes, so the walk is bounded
//! too.

use crate::error::{Fault, Field, ParseError};
use crate::{MAX_LEN, Version};

/// The half-width semicolon, U+003B; no other separator will do.
pub(crate) const SEPARATOR: char = ';';
/// An empty part keeps its separator, so their number is fixed.
pub(crate) const SEPARATORS: usize = 3;

pub(crate) const IMEI: DigitField = DigitField::new(Field::Imei, 1, 17);
pub(crate) const IMSI: DigitField = DigitField::new(Field::Imsi, 1, 16);
pub(crate) const CMEI: DigitField = DigitField::new(Field::Cmei, 15, 15);

/// No number of the version is longer: 65535.
const NUMBER_DIGITS: usize = 5;

// The builder's buffer relies on this sum.
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
    fn bad_length(self) -> Fault {
        let Self { field, min, max } = self;
        if min == max { Fault::WrongLength { field, expected: max } } else { Fault::TooLong { field, max } }
    }
}

/// Checks a whole name and returns its version, the only part that is not text.
pub(crate) fn name(text: &str) -> Result<Version, ParseError> {
    walk(text).map_err(|error| wrong_separators(text).unwrap_or(error))
}

/// Checks one part that stands alone, and says whether there is anything in it.
pub(crate) fn part(digit_field: DigitField, text: &str) -> Result<bool, ParseError> {
    Cursor::new(text).digit_field(digit_field, None)
}

/// The error of a name or of parts that hold nothing but a version.
pub(crate) const fn no_identity() -> ParseError {
    ParseError { fault: Fault::NoIdentity, position: 0 }
}

fn walk(text: &str) -> Result<Version, ParseError> {
    let mut cursor = Cursor::new(text);
    let mut identified = false;
    for (found, digit_field) in [IMEI, IMSI, CMEI].into_iter().enumerate() {
        identified |= cursor.digit_field(digit_field, Some(SEPARATOR))?;
        if !cursor.eat(SEPARATOR) {
            return Err(cursor.error(Fault::TooFewSeparators { found }));
        }
    }
    let version = cursor.version()?;
    if identified { Ok(version) } else { Err(no_identity()) }
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

/// The only place that moves through the text.
struct Cursor<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    /// Takes the digits up to `terminator` or the end of the text; false if there are none.
    fn digit_field(&mut self, digit_field: DigitField, terminator: Option<char>) -> Result<bool, ParseError> {
        let DigitField { field, min, max } = digit_field;
        let len = self.digits(max).len();
        match self.rest.chars().next() {
            Some('0'..='9') => Err(self.error(digit_field.bad_length())),
            Some(found) if Some(found) != terminator => Err(self.error(Fault::InvalidCharacter { field, found })),
            _ if len != 0 && len < min => Err(self.error(digit_field.bad_length())),
            _ => Ok(len != 0),
        }
    }

    /// Takes the version, which must be all that is left.
    fn version(&mut self) -> Result<Version, ParseError> {
        if self.rest.is_empty() {
            return Err(self.error(Fault::MissingVersion));
        }
        let major = self.number()?;
        if !self.eat('.') {
            return Err(self.bad_version());
        }
        let minor = self.number()?;
        if let Some(found) = self.rest.chars().next() {
            return Err(self.error(Fault::InvalidCharacter { field: Field::Version, found }));
        }
        Ok(Version { major, minor })
    }

    fn number(&mut self) -> Result<u16, ParseError> {
        let start = self.position();
        // With one digit more than allowed, a number is too large whatever follows.
        let digits = self.digits(NUMBER_DIGITS + 1);
        if digits.is_empty() {
            return Err(self.bad_version());
        }
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(ParseError { fault: Fault::LeadingZero, position: start });
        }
        let too_large = ParseError { fault: Fault::NumberTooLarge, position: start };
        digits.parse().map_err(|_| too_large)
    }

    /// A number or the dot was expected here and did not come.
    fn bad_version(&self) -> ParseError {
        self.error(match self.rest.chars().next() {
            None | Some('.') => Fault::IncompleteVersion,
            Some(found) => Fault::InvalidCharacter { field: Field::Version, found },
        })
    }

    /// Takes the digits that come next, but no more than `max`.
    fn digits(&mut self, max: usize) -> &'a str {
        let digits = self.rest.bytes().take(max).take_while(u8::is_ascii_digit);
        // Only characters of one byte are in front of the cut, so it is always possible.
        let (digits, rest) = self.rest.split_at_checked(digits.count()).unwrap_or_default();
        self.rest = rest;
        digits
    }

    fn eat(&mut self, expected: char) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn error(&self, fault: Fault) -> ParseError {
        ParseError { fault, position: self.position() }
    }

    fn position(&self) -> usize {
        self.text.len().saturating_sub(self.rest.len())
    }
}
