//! One option with its value, and the uint format (RFC 7252 §3.2).

use core::fmt;

use super::{OptionFormat, OptionNumber};
use crate::show::Hex;
use crate::{BlockValue, ContentFormat};

/// An option of a message: its number, and its value as it came.
///
/// ```
/// use coap_codec::{CoapOption, OptionNumber};
///
/// let max_age = CoapOption { number: OptionNumber::MAX_AGE, value: &[0x01, 0x51, 0x80] };
/// assert_eq!(max_age.as_uint(), Some(86400));
/// let path = CoapOption { number: OptionNumber::URI_PATH, value: b"rd" };
/// assert_eq!(path.as_str(), Some("rd"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CoapOption<'a> {
    /// Which option it is.
    pub number: OptionNumber,
    /// Its value, zero bytes included.
    pub value: &'a [u8],
}

impl<'a> CoapOption<'a> {
    /// The value as a number: big endian, leading zeros accepted; `None` above four bytes.
    ///
    /// What is right for this option is a matter of its
    /// [`length_range`](OptionNumber::length_range) and not looked at.
    #[inline]
    #[must_use]
    pub fn as_uint(&self) -> Option<u32> {
        decode_uint(self.value)
    }

    /// The value as text, `None` if it is not UTF-8.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        core::str::from_utf8(self.value).ok()
    }

    /// Whether the value is as long as the registry allows; true for an unregistered number.
    #[inline]
    #[must_use]
    pub fn has_valid_length(&self) -> bool {
        self.number.allows_length(self.value.len())
    }
}

/// Name and value, the value as its format reads it.
impl fmt::Debug for CoapOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number.name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "Option {}", self.number.0)?,
        }
        if !self.has_valid_length() {
            return write!(f, ": 0x{} (wrong length)", Hex(self.value));
        }
        match self.number {
            OptionNumber::CONTENT_FORMAT | OptionNumber::ACCEPT => {
                let format = self.as_uint().and_then(|number| u16::try_from(number).ok()).map(ContentFormat);
                if let Some((format, media_type)) = format.and_then(|format| Some((format, format.media_type()?))) {
                    return write!(f, ": {} {media_type}", format.0);
                }
            }
            OptionNumber::BLOCK1 | OptionNumber::BLOCK2 => {
                if let Ok(block) = BlockValue::from_tcp_value(self.value) {
                    return write!(f, ": {block}");
                }
            }
            _ => {}
        }
        match (self.number.format(), self.as_uint(), self.as_str()) {
            (Some(OptionFormat::Uint), Some(number), _) => write!(f, ": {number}"),
            (Some(OptionFormat::String), _, Some(text)) => write!(f, ": {text:?}"),
            (Some(OptionFormat::Empty), Some(0), _) => Ok(()),
            _ => write!(f, ": 0x{}", Hex(self.value)),
        }
    }
}

/// Reads a uint of up to four bytes.
#[inline]
pub(crate) fn decode_uint(value: &[u8]) -> Option<u32> {
    (value.len() <= 4).then(|| value.iter().fold(0, |number, &byte| (number << 8) | u32::from(byte)))
}

/// Writes a uint into `bytes` and returns the part without leading zeros: nothing for 0.
#[inline]
pub(crate) fn encode_uint(value: u32, bytes: &mut [u8; 4]) -> &[u8] {
    *bytes = value.to_be_bytes();
    let zeros = value.leading_zeros() / 8;
    bytes.get(zeros as usize..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_uint_is_written_without_leading_zeros_and_read_with_them() {
        for (value, bytes) in [
            (0, &[][..]),
            (1, &[1]),
            (255, &[0xff]),
            (256, &[1, 0]),
            (0xffff, &[0xff, 0xff]),
            (0x1_0000, &[1, 0, 0]),
            (u32::MAX, &[0xff; 4]),
        ] {
            assert_eq!(encode_uint(value, &mut [0xaa; 4]), bytes);
            assert_eq!(decode_uint(bytes), Some(value));
            if bytes.len() < 4 {
                assert_eq!(decode_uint(&[&[0], bytes].concat()), Some(value));
            }
        }
        assert_eq!(decode_uint(&[0; 4]), Some(0));
        assert_eq!(decode_uint(&[0; 5]), None);
    }

    #[test]
    fn text_must_be_utf_8() {
        let option = |value| CoapOption { number: OptionNumber::URI_PATH, value };
        assert_eq!(option("Ä".as_bytes()).as_str(), Some("Ä"));
        assert_eq!(option(&[0xc3]).as_str(), None);
    }

    #[test]
    fn length_is_measured_against_the_registry() {
        let valid = |number, length| CoapOption { number, value: &[0; 300][..length] }.has_valid_length();
        assert!(valid(OptionNumber::CONTENT_FORMAT, 2));
        assert!(!valid(OptionNumber::CONTENT_FORMAT, 3));
        assert!(!valid(OptionNumber::ETAG, 0));
        assert!(valid(OptionNumber::URI_PATH, 255));
        assert!(!valid(OptionNumber::URI_PATH, 256));
        assert!(valid(OptionNumber(65000), 300));
    }

    #[test]
    fn debug_reads_the_value_as_its_format_says() {
        let shown = |number, value| format!("{:?}", CoapOption { number, value });
        assert_eq!(shown(OptionNumber::OBSERVE, &[1, 0]), "Observe: 256");
        assert_eq!(shown(OptionNumber::URI_PATH, b"a b"), "Uri-Path: \"a b\"");
        assert_eq!(shown(OptionNumber::URI_PATH, &[0xff]), "Uri-Path: 0xff");
        assert_eq!(shown(OptionNumber::ETAG, &[0, 0x1f]), "ETag: 0x001f");
        assert_eq!(shown(OptionNumber::IF_NONE_MATCH, &[]), "If-None-Match");
        assert_eq!(shown(OptionNumber(65000), &[]), "Option 65000: 0x");
        assert_eq!(shown(OptionNumber::ACCEPT, &[60]), "Accept: 60 application/cbor");
        assert_eq!(shown(OptionNumber::ACCEPT, &[1]), "Accept: 1");
        assert_eq!(shown(OptionNumber::BLOCK1, &[0x1a]), "Block1: 1/1/64");
        assert_eq!(shown(OptionNumber::BLOCK1, &[7]), "Block1: 0/0/BERT");
        assert_eq!(shown(OptionNumber::OBSERVE, &[1, 2, 3, 4]), "Observe: 0x01020304 (wrong length)");
        assert_eq!(shown(OptionNumber::IF_NONE_MATCH, &[1]), "If-None-Match: 0x01 (wrong length)");
    }
}
