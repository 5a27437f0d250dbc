//! Which of the forms of endpoint name a text has.

use core::fmt;
use core::ops::RangeInclusive;

use thiserror::Error;

use crate::cursor::Cursor;
use crate::parse::SEPARATOR;
use crate::{Digits, EndpointName, ParseError};

/// An endpoint client name as LwM2M servers see them, by its form; the parts borrow from the text.
///
/// These are forms that LwM2M recommends, one with an IMSI that is in use besides, and the form of the DM
/// terminal specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientName<'a> {
    /// `IMEI;IMSI;CMEI;A.B`: what [`EndpointName::parse`] accepts.
    Dm(EndpointName<'a>),
    /// `urn:imei:` and 15 digits.
    Imei(Digits<'a>),
    /// `urn:imei-msisdn:`, 15 digits, a dash and a telephone number.
    ImeiMsisdn {
        /// The number of the equipment: 15 digits.
        imei: Digits<'a>,
        /// The telephone number: 1 to 15 digits (ITU-T E.164).
        msisdn: Digits<'a>,
    },
    /// `urn:imsi:` and 6 to 15 digits.
    Imsi(Digits<'a>),
    /// `urn:uuid:` and a UUID: 32 hexadecimal digits, capital or not, in groups of 8, 4, 4, 4 and 12
    /// with dashes between them (RFC 9562 section 4).
    Uuid(&'a str),
    /// `urn:dev:ops:`, organization, product class and serial number, joined by dashes (RFC 9039
    /// section 4).
    Ops {
        /// Six hexadecimal digits, the OUI of LwM2M, or a private enterprise number, which RFC 9039 has
        /// in its place.
        organization: &'a str,
        /// ASCII letters, digits and dots.
        product_class: &'a str,
        /// ASCII letters, digits, dots and dashes.
        serial: &'a str,
        /// What RFC 9039 lets follow, with the `:` or `_` in front: empty in the names of LwM2M.
        suffix: &'a str,
    },
    /// `urn:dev:os:`, organization and serial number, joined by a dash (RFC 9039 section 4).
    Os {
        /// As in [`Ops`](Self::Ops).
        organization: &'a str,
        /// ASCII letters, digits, dots and dashes.
        serial: &'a str,
        /// As in [`Ops`](Self::Ops).
        suffix: &'a str,
    },
    /// Any other text with `urn:` in front; nothing behind that is checked.
    OtherUrn(&'a str),
    /// Any other text, even an empty one.
    Plain(&'a str),
}

impl ClientName<'_> {
    /// The form, if it is one that has rules.
    #[must_use]
    pub const fn form(&self) -> Option<Form> {
        Some(match self {
            Self::Dm(_) => Form::Dm,
            Self::Imei(_) => Form::Imei,
            Self::ImeiMsisdn { .. } => Form::ImeiMsisdn,
            Self::Imsi(_) => Form::Imsi,
            Self::Uuid(_) => Form::Uuid,
            Self::Ops { .. } => Form::Ops,
            Self::Os { .. } => Form::Os,
            Self::OtherUrn(_) | Self::Plain(_) => return None,
        })
    }
}

/// A form of endpoint name that has rules. It prints as the start of such a name, `urn:imei`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// The form of the DM terminal specification; it prints as `IMEI;IMSI;CMEI;A.B`.
    Dm,
    /// `urn:imei:`
    Imei,
    /// `urn:imei-msisdn:`
    ImeiMsisdn,
    /// `urn:imsi:`
    Imsi,
    /// `urn:uuid:`
    Uuid,
    /// `urn:dev:ops:`
    Ops,
    /// `urn:dev:os:`
    Os,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dm => "IMEI;IMSI;CMEI;A.B",
            Self::Imei => "urn:imei",
            Self::ImeiMsisdn => "urn:imei-msisdn",
            Self::Imsi => "urn:imsi",
            Self::Uuid => "urn:uuid",
            Self::Ops => "urn:dev:ops",
            Self::Os => "urn:dev:os",
        })
    }
}

/// A text that starts out in one form and breaks its rules.
///
/// ```
/// use endpoint_name::{Form, classify};
///
/// let error = classify("urn:imei:49015420323751").unwrap_err();
/// assert_eq!((error.form(), error.position()), (Form::Imei, 23));
/// assert_eq!(error.to_string(), "expected a digit at byte 23 of a urn:imei name");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(transparent)]
pub struct Malformed(Fault);

impl Malformed {
    /// The form whose rules are broken.
    #[must_use]
    pub const fn form(&self) -> Form {
        match self.0 {
            Fault::Dm(_) => Form::Dm,
            Fault::Urn { form, .. } => form,
        }
    }

    /// Where, in bytes from the start of the text: always the start of a character or the end.
    #[must_use]
    pub const fn position(&self) -> usize {
        match self.0 {
            Fault::Dm(error) => error.position(),
            Fault::Urn { position, .. } => position,
        }
    }

    /// Why it is not a name of the form [`Dm`](Form::Dm), if that is the form.
    #[must_use]
    pub const fn dm(&self) -> Option<ParseError> {
        match self.0 {
            Fault::Dm(error) => Some(error),
            Fault::Urn { .. } => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum Fault {
    #[error(transparent)]
    Dm(ParseError),
    #[error("expected {expected} at byte {position} of a {form} name")]
    Urn { form: Form, expected: &'static str, position: usize },
}

/// Says which form of endpoint client name a text has, and takes it apart.
///
/// `urn:` and the namespace behind it may be written in capitals (RFC 8141 section 3.1); all that follows
/// is exact. A text with a semicolon, half-width or full-width, and without `urn:` in front, is meant to
/// have the form of the DM terminal specification.
///
/// # Errors
///
/// When the text starts out in one form and breaks its rules. A text without any of the forms is no
/// error, but [`OtherUrn`](ClientName::OtherUrn) or [`Plain`](ClientName::Plain).
///
/// ```
/// use endpoint_name::{ClientName, classify};
///
/// let ClientName::Ops { organization, product_class, serial, .. } = classify("urn:dev:ops:0015EB-TM.1-0042")? else {
///     panic!("another form");
/// };
/// assert_eq!((organization, product_class, serial), ("0015EB", "TM.1", "0042"));
/// assert!(matches!(classify("490154203237518;;;1.0")?, ClientName::Dm(_)));
/// assert!(matches!(classify("meter-7")?, ClientName::Plain("meter-7")));
/// # Ok::<(), endpoint_name::Malformed>(())
/// ```
pub fn classify(text: &str) -> Result<ClientName<'_>, Malformed> {
    let mut cursor = Cursor::new(text);
    if !cursor.eat_ignoring_case("urn:") {
        return without_urn(text);
    }
    let Some((form, body)) = urn(&mut cursor) else {
        return Ok(ClientName::OtherUrn(text));
    };
    let mut reader = Reader { cursor, form };
    let name = body(&mut reader)?;
    reader.end()?;
    Ok(name)
}

fn without_urn(text: &str) -> Result<ClientName<'_>, Malformed> {
    // The full-width semicolon is what an input method makes of the other.
    if !text.contains([SEPARATOR, '；']) {
        return Ok(ClientName::Plain(text));
    }
    match EndpointName::parse(text) {
        Ok(name) => Ok(ClientName::Dm(name)),
        Err(error) => Err(Malformed(Fault::Dm(error))),
    }
}

/// Reads the parts that a form has behind its namespace.
type Body<'a> = fn(&mut Reader<'a>) -> Result<ClientName<'a>, Malformed>;

/// Takes the namespace; for `dev`, its subtype too.
fn urn<'a>(cursor: &mut Cursor<'a>) -> Option<(Form, Body<'a>)> {
    if cursor.eat_ignoring_case("dev:") {
        // The subtype is no part of the namespace, so its case counts.
        let subtypes: [(&str, Form, Body<'a>); 2] =
            [("ops:", Form::Ops, Reader::product), ("os:", Form::Os, Reader::serial_only)];
        let known = subtypes.into_iter().find(|(subtype, ..)| cursor.eat_word(subtype));
        return known.map(|(_, form, body)| (form, body));
    }
    let namespaces: [(&str, Form, Body<'a>); 4] = [
        ("imei:", Form::Imei, Reader::imei),
        ("imei-msisdn:", Form::ImeiMsisdn, Reader::imei_and_msisdn),
        ("imsi:", Form::Imsi, Reader::imsi),
        ("uuid:", Form::Uuid, Reader::uuid),
    ];
    let known = namespaces.into_iter().find(|(namespace, ..)| cursor.eat_ignoring_case(namespace));
    known.map(|(_, form, body)| (form, body))
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    form: Form,
}

const IMEI: RangeInclusive<usize> = 15..=15;
const IMSI: RangeInclusive<usize> = 6..=15;
const MSISDN: RangeInclusive<usize> = 1..=15;

impl<'a> Reader<'a> {
    fn imei(&mut self) -> Result<ClientName<'a>, Malformed> {
        self.digits(IMEI).map(ClientName::Imei)
    }

    fn imei_and_msisdn(&mut self) -> Result<ClientName<'a>, Malformed> {
        let imei = self.digits(IMEI)?;
        self.dash()?;
        let msisdn = self.digits(MSISDN)?;
        Ok(ClientName::ImeiMsisdn { imei, msisdn })
    }

    fn imsi(&mut self) -> Result<ClientName<'a>, Malformed> {
        self.digits(IMSI).map(ClientName::Imsi)
    }

    fn uuid(&mut self) -> Result<ClientName<'a>, Malformed> {
        // If it is no UUID to the end, nobody sees it.
        let uuid = self.cursor.rest();
        self.hexadecimal(8)?;
        for digits in [4, 4, 4, 12] {
            self.dash()?;
            self.hexadecimal(digits)?;
        }
        Ok(ClientName::Uuid(uuid))
    }

    fn product(&mut self) -> Result<ClientName<'a>, Malformed> {
        let organization = self.organization()?;
        let product_class = self.some(is_letter_digit_or_dot, "a letter, a digit or a dot")?;
        self.dash()?;
        let serial = self.identifier()?;
        Ok(ClientName::Ops { organization, product_class, serial, suffix: self.suffix()? })
    }

    fn serial_only(&mut self) -> Result<ClientName<'a>, Malformed> {
        let organization = self.organization()?;
        let serial = self.identifier()?;
        Ok(ClientName::Os { organization, serial, suffix: self.suffix()? })
    }

    /// An organization and the dash behind it.
    fn organization(&mut self) -> Result<&'a str, Malformed> {
        let start = self.cursor.position();
        let organization = self.cursor.take(usize::MAX, u8::is_ascii_hexdigit);
        let is_oui = organization.len() == 6;
        let is_enterprise_number = organization.bytes().all(|byte| byte.is_ascii_digit())
            && !organization.is_empty()
            && !organization.starts_with('0');
        if !is_oui && !is_enterprise_number {
            let expected = "an OUI of 6 hexadecimal digits or an enterprise number";
            return Err(self.malformed(expected, start));
        }
        self.dash()?;
        Ok(organization)
    }

    /// `*( ":" identifier ) *( "_" identifier )`
    fn suffix(&mut self) -> Result<&'a str, Malformed> {
        let suffix = self.cursor.rest();
        for separator in [':', '_'] {
            while self.cursor.eat(separator) {
                self.identifier()?;
            }
        }
        Ok(suffix)
    }

    fn identifier(&mut self) -> Result<&'a str, Malformed> {
        self.some(|byte| is_letter_digit_or_dot(byte) || *byte == b'-', "a letter, a digit, a dot or a dash")
    }

    /// One or more of this class.
    fn some(&mut self, class: fn(&u8) -> bool, expected: &'static str) -> Result<&'a str, Malformed> {
        let taken = self.cursor.take(usize::MAX, class);
        if taken.is_empty() { Err(self.expected(expected)) } else { Ok(taken) }
    }

    fn digits(&mut self, count: RangeInclusive<usize>) -> Result<Digits<'a>, Malformed> {
        let digits = self.cursor.take(*count.end(), u8::is_ascii_digit);
        if count.contains(&digits.len()) { Ok(Digits(digits)) } else { Err(self.expected("a digit")) }
    }

    fn hexadecimal(&mut self, count: usize) -> Result<(), Malformed> {
        let digits = self.cursor.take(count, u8::is_ascii_hexdigit);
        if digits.len() == count { Ok(()) } else { Err(self.expected("a hexadecimal digit")) }
    }

    fn dash(&mut self) -> Result<(), Malformed> {
        if self.cursor.eat('-') { Ok(()) } else { Err(self.expected("a dash")) }
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.cursor.rest().is_empty() { Ok(()) } else { Err(self.expected("the end")) }
    }

    fn expected(&self, expected: &'static str) -> Malformed {
        self.malformed(expected, self.cursor.position())
    }

    fn malformed(&self, expected: &'static str, position: usize) -> Malformed {
        Malformed(Fault::Urn { form: self.form, expected, position })
    }
}

fn is_letter_digit_or_dot(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'.'
}
