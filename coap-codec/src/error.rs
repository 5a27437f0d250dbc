//! What can be wrong with a message that came in, and what stops one from being written.

use crate::{Header, TokenTooLong};

/// A datagram that is not a CoAP message: what is wrong, where, and what to do about it.
///
/// This is the *message format error* of RFC 7252 §4.2 and nothing more. A message that is well
/// formed and still to be refused (an unknown critical option, a request in an ACK) parses; see
/// [`Message::check`](crate::Message::check).
///
/// ```
/// use coap_codec::{Message, ParseErrorKind};
///
/// // A confirmable GET whose Uri-Path claims five bytes and has three.
/// let error = Message::parse(b"\x40\x01\x00\x07\xb5tes").unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::ValueTruncated);
/// assert_eq!(error.position(), 4);
/// assert_eq!(error.to_string(), "option value cut short, at byte 4");
/// if let Some(reset) = error.reset() {
///     assert_eq!(reset.to_bytes(), *b"\x70\x00\x00\x07");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{kind}, at byte {position}")]
pub struct ParseError {
    kind: ParseErrorKind,
    position: usize,
    header: Option<Header>,
}

/// The rule that a datagram breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Fewer than the four bytes of a header (RFC 7252 §3).
    #[error("message shorter than its header")]
    TooShort,
    /// The version is not 1; such a message must be ignored in silence (§3).
    #[error("unknown version")]
    Version,
    /// A token length of 9 to 15 (§3).
    #[error("token length above 8")]
    TokenLength,
    /// A token length of 15, which has no meaning even where tokens may be long (RFC 8974 §2.1).
    #[error("reserved token length 15")]
    ReservedTokenLength,
    /// The datagram ends inside the token.
    #[error("token cut short")]
    TokenTruncated,
    /// Code 0.00 with a token, or with anything behind the Message ID (§4.1).
    #[error("Empty message with content")]
    EmptyWithContent,
    /// An option delta or length of 15 (§3.1).
    #[error("reserved option delta or length 15")]
    ReservedNibble,
    /// The datagram ends inside the extended delta or length of an option.
    #[error("extended option delta or length cut short")]
    ExtensionTruncated,
    /// The datagram ends inside an option's value.
    #[error("option value cut short")]
    ValueTruncated,
    /// The deltas add up to more than 65535, where no option can be registered (§12.2).
    #[error("option number above 65535")]
    OptionNumber,
    /// The payload marker is the last byte (§3).
    #[error("payload marker without payload")]
    EmptyPayload,
    /// A frame of a stream that is larger than its reader takes (RFC 8323 §5.3.1).
    #[error("message larger than is accepted")]
    TooLarge,
}

impl ParseError {
    #[cold]
    pub(crate) const fn new(kind: ParseErrorKind, position: usize, header: Option<Header>) -> Self {
        Self { kind, position, header }
    }

    /// The rule that is broken.
    #[must_use]
    pub const fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    /// Where the part that breaks it begins, in bytes from the start of the datagram: the header,
    /// the token, an option, the payload marker, or what follows the header of an Empty message.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Type, code and Message ID, unless the datagram is too short for them or of another version.
    #[must_use]
    pub const fn header(&self) -> Option<Header> {
        self.header
    }

    /// The Reset that is due to a confirmable message of version 1 (RFC 7252 §4.2); `None` for all
    /// others, which are dropped in silence.
    ///
    /// Nothing that came by multicast is ever answered by a Reset (§8.1), which only the caller can
    /// know.
    #[must_use]
    pub const fn reset(&self) -> Option<Header> {
        match self.header {
            Some(header) => header.rejection(),
            None => None,
        }
    }
}

/// Why a part was not added to a message. What had been written before is intact, and the writer
/// goes on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The buffer is too small.
    #[error("no space: the message needs {needed} bytes up to here")]
    NoSpace {
        /// The length of the buffer, in bytes, that would have held the message with this part.
        needed: usize,
    },
    /// The value is longer than its option may be, or than any can be (65804 bytes).
    #[error("option value too long")]
    ValueTooLong,
    /// The value is shorter than its option may be.
    #[error("option value too short")]
    ValueTooShort,
    /// The value has the right length and a content that is not allowed there: a Hop-Limit of 0, a
    /// text with characters that may not stand there or that is not UTF-8.
    #[error("not a value that may stand there")]
    InvalidValue,
    /// A part that cannot come behind the one before: an option with a smaller number, where they are
    /// taken in ascending order alone; an attribute without a link.
    #[error("out of order")]
    OutOfOrder,
    /// A token of more than 8 bytes; where they may be extended, of more than 65804, which no length
    /// can express (RFC 8974 §2.1).
    #[error("token too long")]
    TokenTooLong,
    /// A path segment `.` or `..`, which must not be sent (RFC 7252 §5.10.1, §5.10.7).
    #[error("path segment \".\" or \"..\"")]
    DotSegment,
    /// The payload is there already, and nothing may follow it.
    #[error("the payload is already written")]
    PayloadWritten,
    /// The code is 0.00, and such a message is its header alone (RFC 7252 §4.1).
    #[error("an Empty message has no token, options or payload")]
    EmptyMessage,
}

impl From<TokenTooLong> for WriteError {
    fn from(_: TokenTooLong) -> Self {
        Self::TokenTooLong
    }
}
