//! Options: their numbers, what is registered about them, and their values.

mod block;
mod iter;
mod no_response;
pub mod observe;
mod registry;
mod value;
mod wire;

use core::fmt;
use core::ops::RangeInclusive;

pub use block::{BlockError, BlockValue};
pub(crate) use iter::segments;
pub use iter::{Options, Values};
pub use no_response::NoResponse;
pub use registry::{OPTION_REGISTRY, OptionContext, OptionDefinition, OptionFormat};
pub use value::CoapOption;
pub(crate) use value::{decode_uint, encode_uint};
pub(crate) use wire::{MARKER, OptionHead, extended, fault, options_end};

/// An option's number, which also tells how a receiver that does not know it must act
/// (RFC 7252 §5.4.1, §5.4.6).
///
/// Any number may be met; those with a row in the [`OPTION_REGISTRY`] have a constant here.
///
/// ```
/// use coap_codec::{OptionFormat, OptionNumber};
///
/// assert!(OptionNumber::URI_PATH.is_critical());
/// assert_eq!(OptionNumber::URI_PATH.name(), Some("Uri-Path"));
/// assert_eq!(OptionNumber::MAX_AGE.format(), Some(OptionFormat::Uint));
/// assert_eq!(OptionNumber::MAX_AGE.length_range(), Some(0..=4));
/// assert_eq!(OptionNumber(65000).to_string(), "65000");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionNumber(pub u16);

impl OptionNumber {
    /// Whether a receiver that does not understand it must refuse the message instead of passing
    /// over the option.
    #[inline]
    #[must_use]
    pub const fn is_critical(self) -> bool {
        self.0 & 1 == 1
    }

    /// Whether a proxy that does not understand it must not pass the message on.
    #[inline]
    #[must_use]
    pub const fn is_unsafe(self) -> bool {
        self.0 & 2 == 2
    }

    /// Whether two requests that differ in it alone may share a cached answer.
    ///
    /// The bits mean this only for an option that is safe to forward; an unsafe one is never
    /// `NoCacheKey`.
    #[inline]
    #[must_use]
    pub const fn is_no_cache_key(self) -> bool {
        self.0 & 0x1e == 0x1c
    }

    /// Whether it is one of those that name the target of a request: Uri-Host, Uri-Port, Uri-Path and
    /// Uri-Query (RFC 7252 §5.10.1).
    ///
    /// All four are critical, and any client may send Uri-Host and Uri-Port. So they belong to what a
    /// server understands ([`Message::check`](crate::Message::check)), even one that has a single
    /// host and does not look at it.
    #[inline]
    #[must_use]
    pub const fn is_request_target(self) -> bool {
        matches!(self, Self::URI_HOST | Self::URI_PORT | Self::URI_PATH | Self::URI_QUERY)
    }

    /// Whether a message may carry it more than once (RFC 7252 §5.4.5).
    ///
    /// True for a number without a row in the [`OPTION_REGISTRY`]: nothing is known against it.
    #[must_use]
    pub const fn is_repeatable(self) -> bool {
        match self.definition() {
            Some(definition) => definition.repeatable,
            None => true,
        }
    }

    /// Its registered name, such as `"Uri-Path"`.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self.definition() {
            Some(definition) => Some(definition.name),
            None => None,
        }
    }

    /// How its value is to be read, if it is registered.
    #[must_use]
    pub const fn format(self) -> Option<OptionFormat> {
        match self.definition() {
            Some(definition) => Some(definition.format),
            None => None,
        }
    }

    /// How many bytes its value may have, if it is registered (RFC 7252 §5.4.3).
    #[must_use]
    pub const fn length_range(self) -> Option<RangeInclusive<usize>> {
        match self.lengths() {
            Some((shortest, longest)) => Some(shortest as usize..=longest as usize),
            None => None,
        }
    }

    /// Whether a value of `length` bytes is allowed; a number that is not registered allows any.
    pub(crate) fn allows_length(self, length: usize) -> bool {
        self.lengths().is_none_or(|(shortest, longest)| (usize::from(shortest)..=longest.into()).contains(&length))
    }
}

impl From<u16> for OptionNumber {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<OptionNumber> for u16 {
    fn from(number: OptionNumber) -> Self {
        number.0
    }
}

/// The name, or the number of an option that has none.
impl fmt::Display for OptionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// The number, and the name where there is one.
impl fmt::Debug for OptionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
