//! The numbers that stand for media types in Content-Format and Accept (RFC 7252 §12.3).

use core::fmt;

/// A content format, by its number in the IANA registry "CoAP Content-Formats".
///
/// The named ones are those that LwM2M devices meet; any other number is as good.
///
/// ```
/// use coap_codec::ContentFormat;
///
/// assert_eq!(ContentFormat::LINK_FORMAT, ContentFormat(40));
/// assert_eq!(ContentFormat(40).to_string(), "application/link-format");
/// assert_eq!(ContentFormat(4711).to_string(), "4711");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentFormat(pub u16);

macro_rules! formats {
    ($($number:literal $constant:ident $media_type:literal)*) => {
        impl ContentFormat {
            $(
                #[doc = concat!("`", $number, "` ", $media_type, ".")]
                pub const $constant: Self = Self($number);
            )*

            /// The media type of a named format, `None` for a number without a name here.
            pub const fn media_type(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($media_type),)*
                    _ => None,
                }
            }
        }
    };
}

formats! {
    0 TEXT_PLAIN "text/plain;charset=utf-8"
    40 LINK_FORMAT "application/link-format"
    42 OCTET_STREAM "application/octet-stream"
    50 JSON "application/json"
    60 CBOR "application/cbor"
    110 SENML_JSON "application/senml+json"
    112 SENML_CBOR "application/senml+cbor"
    320 SENML_ETCH_JSON "application/senml-etch+json"
    322 SENML_ETCH_CBOR "application/senml-etch+cbor"
    1541 LEGACY_TEXT "application/vnd.oma.lwm2m+text"
    1542 LEGACY_TLV "application/vnd.oma.lwm2m+tlv"
    1543 LEGACY_JSON "application/vnd.oma.lwm2m+json"
    1544 LEGACY_OPAQUE "application/vnd.oma.lwm2m+opaque"
    11542 LWM2M_TLV "application/vnd.oma.lwm2m+tlv"
    11543 LWM2M_JSON "application/vnd.oma.lwm2m+json"
    11544 LWM2M_CBOR "application/vnd.oma.lwm2m+cbor"
}

impl ContentFormat {
    /// The registered number of a format that also has a `LEGACY_` one, or the format itself.
    ///
    /// The four legacy numbers are from LwM2M test events before 2016 and were never assigned.
    /// Read them as what they became; write one only to a peer that used it first.
    ///
    /// ```
    /// use coap_codec::ContentFormat;
    ///
    /// assert_eq!(ContentFormat::LEGACY_TLV.modern(), ContentFormat::LWM2M_TLV);
    /// assert_eq!(ContentFormat::CBOR.modern(), ContentFormat::CBOR);
    /// ```
    #[must_use]
    pub const fn modern(self) -> Self {
        match self {
            Self::LEGACY_TEXT => Self::TEXT_PLAIN,
            Self::LEGACY_TLV => Self::LWM2M_TLV,
            Self::LEGACY_JSON => Self::LWM2M_JSON,
            Self::LEGACY_OPAQUE => Self::OCTET_STREAM,
            other => other,
        }
    }
}

impl From<u16> for ContentFormat {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<ContentFormat> for u16 {
    fn from(format: ContentFormat) -> Self {
        format.0
    }
}

/// The media type, or the number where it has no name here.
impl fmt::Display for ContentFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.media_type() {
            Some(media_type) => f.pad(media_type),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// The number, and the media type where it has a name here.
impl fmt::Debug for ContentFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.media_type() {
            Some(media_type) => write!(f, "{} {media_type}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn legacy_numbers_lead_to_what_they_became() {
        for (old, new) in [(1541, 0), (1542, 11542), (1543, 11543), (1544, 42), (0, 0), (60, 60), (1540, 1540)] {
            assert_eq!(ContentFormat(old).modern(), ContentFormat(new));
        }
    }

    #[test]
    fn shows_the_media_type_or_the_number() {
        assert_eq!(ContentFormat(11544).to_string(), "application/vnd.oma.lwm2m+cbor");
        assert_eq!(ContentFormat(1).to_string(), "1");
        assert_eq!(alloc::format!("{:?}", ContentFormat(40)), "40 application/link-format");
        assert_eq!(alloc::format!("{:?}", ContentFormat(1)), "1");
    }
}
