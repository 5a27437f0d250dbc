//! The one table of registered options (RFC 7252 §5.10 and the RFCs that added to it).
//!
//! A row gives an option its constant, name, format, length bounds and whether it may repeat.
//! Critical, unsafe and no-cache-key are in the number itself and need no column.

use core::ops::RangeInclusive;

use super::OptionNumber;

/// How an option's value is to be read (RFC 7252 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptionFormat {
    /// No bytes: the option says all by being there.
    Empty,
    /// Bytes without further meaning to the codec.
    Opaque,
    /// A number, big endian, leading zeros left out when written and accepted when read.
    Uint,
    /// UTF-8 text, compared byte by byte.
    String,
}

/// Which messages an option has a meaning in; elsewhere it is as one that is not understood
/// (RFC 7252 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptionContext {
    /// Requests alone.
    Request,
    /// Responses alone.
    Response,
    /// Both.
    Any,
}

/// A row of the [`OPTION_REGISTRY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionDefinition {
    /// Its number, which also says whether it is critical.
    pub number: OptionNumber,
    /// Its registered name, such as `Uri-Path`.
    pub name: &'static str,
    /// How to read its value.
    pub format: OptionFormat,
    /// The shortest value, in bytes.
    pub min_length: u16,
    /// The longest value, in bytes.
    pub max_length: u16,
    /// Whether a message may carry it more than once.
    pub repeatable: bool,
    /// Whether it is for requests, for responses or for both.
    pub context: OptionContext,
}

impl OptionDefinition {
    /// How many bytes its value may have.
    #[must_use]
    pub const fn length_range(&self) -> RangeInclusive<usize> {
        self.min_length as usize..=self.max_length as usize
    }
}

macro_rules! options {
    (
        $(
            $(#[$doc:meta])*
            $number:literal $constant:ident $name:literal
                $format:ident $min:literal..=$max:literal $repeatable:ident $context:ident $rfc:literal
        )*
    ) => {
        impl OptionNumber {
            $(
                #[doc = concat!("`", $number, "` ", $name, " (RFC ", $rfc, ").")]
                $(#[doc = ""] #[$doc])*
                pub const $constant: Self = Self($number);
            )*

            /// Its row of the [`OPTION_REGISTRY`], or `None` when it has none.
            pub const fn definition(self) -> Option<&'static OptionDefinition> {
                match self {
                    $(Self::$constant => Some(&OptionDefinition::$constant),)*
                    _ => None,
                }
            }

            /// Its shortest and its longest value, without the rest of the row: names take room in an image.
            pub(super) const fn lengths(self) -> Option<(u16, u16)> {
                match self {
                    $(Self::$constant => Some(($min, $max)),)*
                    _ => None,
                }
            }
        }

        impl OptionDefinition {
            $(
                const $constant: Self = Self {
                    number: OptionNumber::$constant,
                    name: $name,
                    format: OptionFormat::$format,
                    min_length: $min,
                    max_length: $max,
                    repeatable: options!(@$repeatable),
                    context: OptionContext::$context,
                };
            )*
        }

        /// Every option that this crate knows by name, in ascending order of the numbers.
        pub static OPTION_REGISTRY: &[OptionDefinition] = &[$(OptionDefinition::$constant,)*];
    };
    (@repeatable) => { true };
    (@single) => { false };
}

options! {
    1 IF_MATCH "If-Match" Opaque 0..=8 repeatable Request "7252 §5.10.8.1"
    3 URI_HOST "Uri-Host" String 1..=255 single Request "7252 §5.10.1"
    /// Repeats in requests; a response has at most one.
    4 ETAG "ETag" Opaque 1..=8 repeatable Any "7252 §5.10.6"
    5 IF_NONE_MATCH "If-None-Match" Empty 0..=0 single Request "7252 §5.10.8.2"
    6 OBSERVE "Observe" Uint 0..=3 single Any "7641 §2"
    7 URI_PORT "Uri-Port" Uint 0..=2 single Request "7252 §5.10.1"
    8 LOCATION_PATH "Location-Path" String 0..=255 repeatable Response "7252 §5.10.7"
    9 OSCORE "OSCORE" Opaque 0..=255 single Any "8613 §2"
    11 URI_PATH "Uri-Path" String 0..=255 repeatable Request "7252 §5.10.1"
    12 CONTENT_FORMAT "Content-Format" Uint 0..=2 single Any "7252 §5.10.3"
    /// In seconds; 60 when absent.
    14 MAX_AGE "Max-Age" Uint 0..=4 single Response "7252 §5.10.5"
    15 URI_QUERY "Uri-Query" String 0..=255 repeatable Request "7252 §5.10.1"
    16 HOP_LIMIT "Hop-Limit" Uint 1..=1 single Request "8768 §3"
    17 ACCEPT "Accept" Uint 0..=2 single Request "7252 §5.10.4"
    19 Q_BLOCK1 "Q-Block1" Uint 0..=3 single Any "9177 §4.1"
    20 LOCATION_QUERY "Location-Query" String 0..=255 repeatable Response "7252 §5.10.7"
    23 BLOCK2 "Block2" Uint 0..=3 single Any "7959 §2.1"
    27 BLOCK1 "Block1" Uint 0..=3 single Any "7959 §2.1"
    /// In bytes.
    28 SIZE2 "Size2" Uint 0..=4 single Any "7959 §4"
    /// Repeats in requests, to ask for the blocks that were lost.
    31 Q_BLOCK2 "Q-Block2" Uint 0..=3 repeatable Any "9177 §4.1"
    35 PROXY_URI "Proxy-Uri" String 1..=1034 single Request "7252 §5.10.2"
    39 PROXY_SCHEME "Proxy-Scheme" String 1..=255 single Request "7252 §5.10.2"
    /// In bytes.
    60 SIZE1 "Size1" Uint 0..=4 single Any "7252 §5.10.9"
    252 ECHO "Echo" Opaque 1..=40 single Any "9175 §2.2"
    258 NO_RESPONSE "No-Response" Uint 0..=1 single Request "7967 §2"
    292 REQUEST_TAG "Request-Tag" Opaque 0..=8 repeatable Request "9175 §3.2"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_ascend_and_are_found_by_their_number() {
        assert!(OPTION_REGISTRY.is_sorted_by(|a, b| a.number < b.number));
        assert_eq!(OPTION_REGISTRY.len(), 26);
        for row in OPTION_REGISTRY {
            assert_eq!(row.number.definition(), Some(row));
            assert!(row.min_length <= row.max_length, "{}", row.name);
        }
        let known = (0..=u16::MAX).filter(|&n| OptionNumber(n).definition().is_some());
        assert_eq!(known.count(), OPTION_REGISTRY.len());
    }

    #[test]
    fn formats_and_lengths_go_together() {
        for row in OPTION_REGISTRY {
            match row.format {
                OptionFormat::Empty => assert_eq!(row.length_range(), 0..=0),
                OptionFormat::Uint => assert!(row.max_length <= 4, "{}", row.name),
                OptionFormat::Opaque | OptionFormat::String => {}
            }
        }
    }

    #[test]
    fn requests_and_responses_have_options_of_their_own() {
        let named = |context| {
            let of_context = OPTION_REGISTRY.iter().filter(|row| row.context == context);
            of_context.map(|row| row.number.0).collect::<alloc::vec::Vec<_>>()
        };
        assert_eq!(named(OptionContext::Request), [1, 3, 5, 7, 11, 15, 16, 17, 35, 39, 258, 292]);
        assert_eq!(named(OptionContext::Response), [8, 14, 20]);
    }

    // Each column of the table, as RFC 7252 §5.10 (table 4) and the later RFCs print it.
    #[test]
    fn the_number_tells_the_classes() {
        let named = |test: fn(OptionNumber) -> bool| {
            OPTION_REGISTRY
                .iter()
                .map(|row| row.number)
                .filter(|&number| test(number))
                .map(|number| number.0)
                .collect::<alloc::vec::Vec<_>>()
        };
        assert_eq!(named(OptionNumber::is_critical), [1, 3, 5, 7, 9, 11, 15, 17, 19, 23, 27, 31, 35, 39]);
        assert_eq!(named(OptionNumber::is_unsafe), [3, 6, 7, 11, 14, 15, 19, 23, 27, 31, 35, 39, 258]);
        assert_eq!(named(OptionNumber::is_no_cache_key), [28, 60, 252]);
        assert_eq!(named(OptionNumber::is_repeatable), [1, 4, 8, 11, 15, 20, 31, 292]);
        assert_eq!(named(OptionNumber::is_request_target), [3, 7, 11, 15]);
    }

    #[test]
    fn nothing_is_held_against_an_unregistered_number() {
        let unknown = OptionNumber(65001);
        assert_eq!(unknown.definition(), None);
        assert_eq!(unknown.name(), None);
        assert_eq!(unknown.format(), None);
        assert_eq!(unknown.length_range(), None);
        assert!(unknown.is_critical());
        assert!(unknown.is_repeatable());
        assert!(unknown.allows_length(70_000));
    }
}
