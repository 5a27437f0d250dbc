//! The four bytes that every message starts with (RFC 7252 §3).

use core::fmt;

use crate::{Code, ParseError, ParseErrorKind};

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
    #[must_use]
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

/// Type, code and Message ID: with the token, all that a receiver needs to answer a message.
///
/// ```
/// use coap_codec::{Code, Header, MessageId, MessageKind, MessageType};
///
/// let (request, token_length) = Header::parse(&[0x42, 0x01, 0x7d, 0x34, 0xaa, 0xbb])?;
/// assert_eq!(request, Header::new(MessageType::Confirmable, Code::GET, MessageId(0x7d34)));
/// assert_eq!(request.kind(), Some(MessageKind::Request));
/// assert_eq!(token_length, 2);
///
/// // The whole datagram of a Reset or of an empty acknowledgement is a header.
/// assert_eq!(request.reset().to_bytes(), [0x70, 0x00, 0x7d, 0x34]);
/// // A response begins with one: for this CON, in its acknowledgement.
/// assert_eq!(request.response(Code::CONTENT, MessageId(1)).to_string(), "ACK 2.05 Content, Message ID 32052");
/// # Ok::<(), coap_codec::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// CON, NON, ACK or RST.
    pub message_type: MessageType,
    /// Method or response code.
    pub code: Code,
    /// Chosen by the sender; an ACK or RST repeats that of the message it is about.
    pub message_id: MessageId,
}

/// What a message is to the one who receives it, by type and code together: RFC 7252 §4.3,
/// table 1, and §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// An Empty CON. The answer to this "CoAP ping" is a Reset: [`Header::reset`].
    Ping,
    /// An Empty ACK: the peer has the message. If that was a request, its response is still to come.
    Acknowledgement,
    /// An Empty RST: the peer can do nothing with the message.
    Reset,
    /// A method, known or not, in a CON or NON.
    Request,
    /// A response code, known or not: piggybacked in an ACK, or on its own in a CON, which wants an
    /// acknowledgement ([`Header::acknowledgement`]), or a NON.
    Response,
}

/// In small letters, such as `request`.
impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ping => "ping",
            Self::Acknowledgement => "acknowledgement",
            Self::Reset => "reset",
            Self::Request => "request",
            Self::Response => "response",
        })
    }
}

impl Header {
    /// How many bytes it takes.
    pub const LEN: usize = 4;

    /// A header of these three parts.
    #[inline]
    #[must_use]
    pub const fn new(message_type: MessageType, code: Code, message_id: MessageId) -> Self {
        Self { message_type, code, message_id }
    }

    /// A message of nothing but this header: an empty ACK, a Reset or a ping.
    #[must_use]
    pub const fn empty(message_type: MessageType, message_id: MessageId) -> Self {
        Self { message_type, code: Code::EMPTY, message_id }
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
        let Some(&bytes) = datagram.first_chunk::<{ Self::LEN }>() else {
            return Err(ParseError::new(ParseErrorKind::TooShort, 0, None));
        };
        let [first, ..] = bytes;
        if first >> 6 != 1 {
            return Err(ParseError::new(ParseErrorKind::Version, 0, None));
        }
        Ok((Self::from_bytes(bytes), first & 0x0f))
    }

    /// What four bytes say, whatever version and token length stand there.
    #[inline]
    pub(crate) const fn from_bytes([first, code, high, low]: [u8; Self::LEN]) -> Self {
        Self {
            message_type: MessageType::from_bits(first >> 4),
            code: Code::from_byte(code),
            message_id: MessageId(u16::from_be_bytes([high, low])),
        }
    }

    /// The bytes of a message without a token.
    #[inline]
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        self.with_token_length(0)
    }

    #[inline]
    pub(crate) const fn with_token_length(self, token_length: u8) -> [u8; Self::LEN] {
        let [high, low] = self.message_id.0.to_be_bytes();
        let first = 0x40 | ((self.message_type as u8) << 4) | (token_length & 0x0f);
        [first, self.code.to_byte(), high, low]
    }

    /// What a message with this header is to its receiver; `None` for one to be
    /// [rejected](Self::rejection), as its code has no meaning in a message of its type.
    ///
    /// These are an Empty NON, a request in an ACK, anything but Empty in an RST, and a code of class
    /// 1, 3, 6 or 7 in any (RFC 7252 §4.2, §4.3, §12.1).
    #[must_use]
    pub const fn kind(self) -> Option<MessageKind> {
        Some(match self.message_type {
            MessageType::Confirmable if self.code.is_empty() => MessageKind::Ping,
            MessageType::Acknowledgement if self.code.is_empty() => MessageKind::Acknowledgement,
            MessageType::Reset if self.code.is_empty() => MessageKind::Reset,
            MessageType::Confirmable | MessageType::NonConfirmable if self.code.is_request() => MessageKind::Request,
            MessageType::Confirmable | MessageType::NonConfirmable | MessageType::Acknowledgement
                if self.code.is_response() =>
            {
                MessageKind::Response
            }
            _ => return None,
        })
    }

    /// What to send to reject a message with this header: the [`reset`](Self::reset) of a CON, and
    /// nothing for all others.
    ///
    /// A NON may be rejected by a Reset too, but need not (RFC 7252 §4.3). Nothing that came by
    /// multicast is ever answered by a Reset (§8.1), which only the caller can know.
    #[inline]
    #[must_use]
    pub const fn rejection(self) -> Option<Self> {
        match self.message_type {
            MessageType::Confirmable => Some(self.reset()),
            _ => None,
        }
    }

    /// The header of a response to the request with this one, sent at once: to a CON in its
    /// acknowledgement ([`piggybacked`](Self::piggybacked)), to a NON in a NON, with `own` for its
    /// Message ID (RFC 7252 §5.2.1, §5.2.3).
    ///
    /// `own` is the next one of those that the responder gives out, and not used for a CON. To answer
    /// a CON later, send the [`acknowledgement`](Self::acknowledgement) first and then a message of
    /// one's own (§5.2.2). The response has the token of the request, too.
    #[inline]
    #[must_use]
    pub const fn response(self, code: Code, own: MessageId) -> Self {
        match self.message_type {
            MessageType::Confirmable => self.piggybacked(code),
            _ => Self::new(MessageType::NonConfirmable, code, own),
        }
    }

    /// The acknowledgement of this message that carries a response of this code (RFC 7252 §5.2.1).
    #[inline]
    #[must_use]
    pub const fn piggybacked(self, code: Code) -> Self {
        Self::new(MessageType::Acknowledgement, code, self.message_id)
    }

    /// The Reset that rejects this message.
    #[inline]
    #[must_use]
    pub const fn reset(self) -> Self {
        Self::empty(MessageType::Reset, self.message_id)
    }

    /// The empty acknowledgement of this message.
    #[inline]
    #[must_use]
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
    #[cfg_attr(miri, ignore = "minutes")]
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
            assert_eq!(error.reset(), None);
        }
    }

    // RFC 7252 §4.3, table 1, row by row, with what §4.2 and §4.3 say about the rest.
    #[test]
    fn a_kind_has_a_name() {
        use MessageKind::{Acknowledgement, Ping, Request, Reset, Response};
        let names = [Ping, Acknowledgement, Reset, Request, Response].map(|kind| alloc::format!("{kind}"));
        assert_eq!(names, ["ping", "acknowledgement", "reset", "request", "response"]);
    }

    #[test]
    fn type_and_code_together_make_the_kind() {
        const PING: Option<MessageKind> = Some(MessageKind::Ping);
        const ACK: Option<MessageKind> = Some(MessageKind::Acknowledgement);
        const RST: Option<MessageKind> = Some(MessageKind::Reset);
        const REQUEST: Option<MessageKind> = Some(MessageKind::Request);
        const RESPONSE: Option<MessageKind> = Some(MessageKind::Response);
        let rows = [
            (Code::EMPTY, [PING, None, ACK, RST]),
            (Code::GET, [REQUEST, REQUEST, None, None]),
            (Code::from_byte(31), [REQUEST, REQUEST, None, None]),
            (Code::CONTENT, [RESPONSE, RESPONSE, RESPONSE, None]),
            (Code::NOT_FOUND, [RESPONSE, RESPONSE, RESPONSE, None]),
            (Code::from_byte(0xbf), [RESPONSE, RESPONSE, RESPONSE, None]),
            (Code::from_byte(1 << 5), [None; 4]),
            (Code::from_byte(3 << 5), [None; 4]),
            (Code::from_byte(6 << 5), [None; 4]),
            (Code::CSM, [None; 4]),
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
    fn a_con_alone_is_rejected_by_a_reset() {
        let rejections = TYPES.map(|message_type| header(message_type, Code::CSM).rejection());
        assert_eq!(rejections, [Some(Header::empty(MessageType::Reset, MessageId(0xabcd))), None, None, None]);
    }

    // RFC 7252 §5.2.1 and §5.2.3.
    #[test]
    fn a_response_goes_the_way_of_its_request() {
        let own = MessageId(7);
        let con = header(MessageType::Confirmable, Code::GET);
        assert_eq!(con.response(Code::CONTENT, own), header(MessageType::Acknowledgement, Code::CONTENT));
        assert_eq!(con.piggybacked(Code::CONTENT), con.response(Code::CONTENT, own));
        let non = header(MessageType::NonConfirmable, Code::GET);
        assert_eq!(non.response(Code::CONTENT, own), Header::new(MessageType::NonConfirmable, Code::CONTENT, own));
    }

    #[test]
    fn shows_what_an_analyser_shows() {
        let names: alloc::vec::Vec<_> = TYPES.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["CON", "NON", "ACK", "RST"]);
        assert_eq!(header(MessageType::Confirmable, Code::CONTENT).to_string(), "CON 2.05 Content, Message ID 43981");
        assert_eq!(MessageKind::Acknowledgement.to_string(), "acknowledgement");
        assert_eq!(MessageId(65535).next(), MessageId(0));
    }
}
