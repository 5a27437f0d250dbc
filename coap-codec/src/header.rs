//! The four bytes that every message starts with (RFC 7252 §3).

use core::fmt;

use crate::{Code, ParseError, ParseErrorKind, Reaction};

/// Whether a message wants an acknowledgement, or is one (RFC 7252 §4.2, §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MessageType {
    /// CON: sent again until an ACK or RST with its Message ID comes back.
    Confirmable = 0,
    /// NON: sent once, answered by no ACK.
    NonConfirmable = 1,
    /// ACK: the CON with this Message ID has arrived; may carry the response to it.
    Acknowledgement = 2,
    /// RST: the message with this Message ID has arrived, but could not be made sense of.
    Reset = 3,
}

impl MessageType {
    /// The two bits of the header.
    #[inline]
    const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Confirmable,
            1 => Self::NonConfirmable,
            2 => Self::Acknowledgement,
            _ => Self::Reset,
        }
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn try_from_bits(bits: u8) -> Option<Self> {
        if bits < 4 { Some(Self::from_bits(bits)) } else { None }
    }
}

/// `CON`, `NON`, `ACK` or `RST`.
impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Confirmable => "CON",
            Self::NonConfirmable => "NON",
            Self::Acknowledgement => "ACK",
            Self::Reset => "RST",
        })
    }
}

/// Ties an ACK or RST to its message and tells duplicates; unique for a peer and a few minutes
/// (RFC 7252 §4.4, §4.5).
///
/// Shown as a decimal number, as network analysers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u16);

impl MessageId {
    /// The one to use after this; 0 follows 65535.
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl From<u16> for MessageId {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<MessageId> for u16 {
    fn from(id: MessageId) -> Self {
        id.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Type, code and Message ID: all that a receiver needs to know to refuse a message.
///
/// ```
/// use coap_codec::{Code, Header, MessageId, MessageKind, MessageType};
///
/// let (header, token_length) = Header::parse(&[0x42, 0x01, 0x7d, 0x34, 0xaa, 0xbb])?;
/// assert_eq!(header.message_type, MessageType::Confirmable);
/// assert_eq!(header.code, Code::GET);
/// assert_eq!(header.message_id, MessageId(0x7d34));
/// assert_eq!(header.kind(), MessageKind::Request);
/// assert_eq!(token_length, 2);
///
/// // The whole datagram of a Reset or of an empty acknowledgement is a header.
/// assert_eq!(header.reset().to_bytes(), [0x70, 0x00, 0x7d, 0x34]);
/// # Ok::<(), coap_codec::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// CON, NON, ACK or RST.
    pub message_type: MessageType,
    /// What is asked, or how it went.
    pub code: Code,
    /// Chosen by the sender; an ACK or RST repeats that of the message it is about.
    pub message_id: MessageId,
}

/// What a message is to the one who receives it, by type and code together: RFC 7252 §4.3,
/// table 1, and §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// An Empty CON. The answer to this "CoAP ping" is a Reset.
    Ping,
    /// An Empty ACK: the peer has the message, its response is still to come.
    Acknowledgement,
    /// An Empty RST: the peer can do nothing with the message.
    Reset,
    /// A method, known or not, in a CON or NON.
    Request,
    /// An answer, known or not: piggybacked in an ACK, or on its own in a CON or NON.
    Response,
    /// Type and code do not go together, or the code is of a class that has no meaning over UDP
    /// (1, 3, 6 and 7): reject it, in the way that is named.
    ///
    /// These are an Empty NON, a request in an ACK, and anything but Empty in an RST.
    Rejected(Reaction),
}

impl Header {
    /// How many bytes it takes.
    pub const LEN: usize = 4;

    /// A message of nothing but this header: an empty ACK, a Reset or a ping.
    pub const fn empty(message_type: MessageType, message_id: MessageId) -> Self {
        Self { message_type, code: Code::EMPTY, message_id }
    }

    /// The header to begin a message with that goes over TCP, where type and Message ID do not exist
    /// (RFC 8323 §2.1): see [`MessageWriter::finish_tcp`](crate::MessageWriter::finish_tcp).
    pub const fn for_stream(code: Code) -> Self {
        Self { message_type: MessageType::NonConfirmable, code, message_id: MessageId(0) }
    }

    /// Reads the first four bytes of a datagram, and hands out the token length beside them as it
    /// stands there (0 to 15, of which RFC 7252 allows 8).
    ///
    /// # Errors
    ///
    /// [`ParseErrorKind::TooShort`] and [`ParseErrorKind::Version`], the two faults that are
    /// never answered, because nothing in such a datagram can be relied on.
    #[inline]
    pub const fn parse(datagram: &[u8]) -> Result<(Self, u8), ParseError> {
        let Some(&[first, code, high, low]) = datagram.first_chunk() else {
            return Err(ParseError::new(ParseErrorKind::TooShort, 0, None));
        };
        if first >> 6 != 1 {
            return Err(ParseError::new(ParseErrorKind::Version, 0, None));
        }
        let header = Self {
            message_type: MessageType::from_bits(first >> 4),
            code: Code::from_byte(code),
            message_id: MessageId(u16::from_be_bytes([high, low])),
        };
        Ok((header, first & 0x0f))
    }

    /// The bytes of a message without a token.
    #[inline]
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        self.with_token_length(0)
    }

    #[inline]
    pub(crate) const fn with_token_length(self, token_length: u8) -> [u8; Self::LEN] {
        let [high, low] = self.message_id.0.to_be_bytes();
        let first = 0x40 | ((self.message_type as u8) << 4) | (token_length & 0x0f);
        [first, self.code.to_byte(), high, low]
    }

    /// What a message with this header is to its receiver.
    pub const fn kind(self) -> MessageKind {
        match self.message_type {
            MessageType::Confirmable if self.code.is_empty() => MessageKind::Ping,
            MessageType::Acknowledgement if self.code.is_empty() => MessageKind::Acknowledgement,
            MessageType::Reset if self.code.is_empty() => MessageKind::Reset,
            MessageType::Confirmable | MessageType::NonConfirmable if self.code.is_request() => MessageKind::Request,
            MessageType::Confirmable | MessageType::NonConfirmable | MessageType::Acknowledgement
                if self.code.is_response() =>
            {
                MessageKind::Response
            }
            _ => MessageKind::Rejected(self.rejection()),
        }
    }

    /// How to reject a message with this header: a CON by a Reset, all else in silence.
    ///
    /// A NON may be rejected by a Reset too, but need not (RFC 7252 §4.3). Nothing that came by
    /// multicast is ever answered by a Reset (§8.1), which only the caller can know.
    #[inline]
    pub const fn rejection(self) -> Reaction {
        match self.message_type {
            MessageType::Confirmable => Reaction::Reset,
            _ => Reaction::Ignore,
        }
    }

    /// The Reset that rejects this message.
    #[inline]
    pub const fn reset(self) -> Self {
        Self::empty(MessageType::Reset, self.message_id)
    }

    /// The empty acknowledgement of this message.
    #[inline]
    pub const fn acknowledgement(self) -> Self {
        Self::empty(MessageType::Acknowledgement, self.message_id)
    }
}

/// Such as `CON 0.01 GET, Message ID 8193`.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message_type, code, message_id } = self;
        write!(f, "{message_type} {code:?}, Message ID {message_id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const TYPES: [MessageType; 4] =
        [MessageType::Confirmable, MessageType::NonConfirmable, MessageType::Acknowledgement, MessageType::Reset];

    fn header(message_type: MessageType, code: Code) -> Header {
        Header { message_type, code, message_id: MessageId(0xabcd) }
    }

    #[test]
    fn four_bytes_and_back() {
        for message_type in TYPES {
            for code in 0..=255 {
                for token_length in 0..=15 {
                    let header = header(message_type, Code::from_byte(code));
                    let bytes = header.with_token_length(token_length);
                    assert_eq!(Header::parse(&bytes), Ok((header, token_length)));
                }
            }
        }
    }

    #[test]
    fn what_is_too_short_or_of_another_version_has_no_header() {
        for datagram in [&[][..], &[0x40], &[0x40, 1], &[0x40, 1, 0], &[0xff; 3]] {
            let error = Header::parse(datagram).unwrap_err();
            assert_eq!(error.kind(), ParseErrorKind::TooShort);
            assert_eq!(error.header(), None);
        }
        for first in [0x00, 0x3f, 0x80, 0xbf, 0xc0, 0xff] {
            let error = Header::parse(&[first, 1, 0, 0]).unwrap_err();
            assert_eq!(error.kind(), ParseErrorKind::Version);
            assert_eq!(error.reaction(), Reaction::Ignore);
        }
    }

    // RFC 7252 §4.3, table 1, row by row, with what §4.2 and §4.3 say about the rest.
    #[test]
    fn type_and_code_together_make_the_kind() {
        use MessageKind::{Acknowledgement, Ping, Rejected, Request, Reset, Response};
        const IGNORE: MessageKind = Rejected(Reaction::Ignore);
        const RESET: MessageKind = Rejected(Reaction::Reset);
        let rows = [
            (Code::EMPTY, [Ping, IGNORE, Acknowledgement, Reset]),
            (Code::GET, [Request, Request, IGNORE, IGNORE]),
            (Code::from_byte(31), [Request, Request, IGNORE, IGNORE]),
            (Code::CONTENT, [Response, Response, Response, IGNORE]),
            (Code::NOT_FOUND, [Response, Response, Response, IGNORE]),
            (Code::from_byte(0xbf), [Response, Response, Response, IGNORE]),
            (Code::from_byte(1 << 5), [RESET, IGNORE, IGNORE, IGNORE]),
            (Code::from_byte(3 << 5), [RESET, IGNORE, IGNORE, IGNORE]),
            (Code::from_byte(6 << 5), [RESET, IGNORE, IGNORE, IGNORE]),
            (Code::CSM, [RESET, IGNORE, IGNORE, IGNORE]),
        ];
        for (code, kinds) in rows {
            for (message_type, kind) in TYPES.into_iter().zip(kinds) {
                assert_eq!(header(message_type, code).kind(), kind, "{message_type} {code}");
            }
        }
    }

    #[test]
    fn short_answers_repeat_the_message_id() {
        let request = header(MessageType::Confirmable, Code::POST);
        assert_eq!(request.reset().to_bytes(), [0x70, 0, 0xab, 0xcd]);
        assert_eq!(request.acknowledgement().to_bytes(), [0x60, 0, 0xab, 0xcd]);
    }

    #[test]
    fn shows_what_an_analyser_shows() {
        let names: alloc::vec::Vec<_> = TYPES.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["CON", "NON", "ACK", "RST"]);
        assert_eq!(header(MessageType::Confirmable, Code::CONTENT).to_string(), "CON 2.05 Content, Message ID 43981");
        assert_eq!(MessageId(65535).next(), MessageId(0));
    }
}
