//! What a message says, whatever carried it: a datagram, a datagram with a long token, a TCP
//! stream.

use core::fmt;

use crate::cursor::Cursor;
use crate::option::{extended, fault, options_end};
use crate::{
    BlockError, BlockValue, CoapOption, Code, ContentFormat, Header, Message, MessageType, NoResponse, OptionNumber,
    Options, ParseError, ParseErrorKind, Values,
};

/// Code, token, options and payload of one well-formed message; borrowed, and not tied to UDP.
///
/// It comes out of a datagram by [`Message::view`], or by
/// [`parse_with_extended_token`](Self::parse_with_extended_token) for peers that agreed on longer tokens,
/// and out of a TCP stream by [`tcp::Decoder`](crate::tcp::Decoder). Code that serves requests can
/// take it and need not know where they came from. Its getters are those of [`Message`]; there is
/// no type and no Message ID, which CoAP over TCP does not have (RFC 8323 §2.1).
///
/// ```
/// use coap_codec::{Code, Message, MessageView};
///
/// fn path(request: &MessageView<'_>) -> String {
///     request.uri_path().map(|segment| format!("/{}", segment.escape_ascii())).collect()
/// }
/// let datagram = Message::parse(b"\x41\x01\x20\x01\xb1\xb1\x33\x01\x30")?;
/// assert_eq!(path(&datagram.view()), "/3/0");
///
/// // The same out of a stream.
/// let mut memory = [0; 1152];
/// let mut decoder = coap_codec::tcp::Decoder::new(&mut memory);
/// let mut received = &b"\x41\x01\xb1\xb1\x33\x01\x30"[..];
/// let message = decoder.decode(&mut received)?.ok_or("more to come")?;
/// assert_eq!((message.code(), message.token()), (Code::GET, &[0xb1][..]));
/// assert_eq!(path(&message), "/3/0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MessageView<'a> {
    carrier: Carrier,
    code: Code,
    token: &'a [u8],
    /// Checked: they may be walked over without an error.
    options: &'a [u8],
    payload: &'a [u8],
}

/// What brought a message: its duties and some of its values depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Datagram(MessageType),
    /// TCP, TLS, WebSocket: no types, no Reset, and BERT blocks are allowed.
    Stream,
}

impl<'a> MessageView<'a> {
    /// Checks a datagram as [`Message::parse`] does, and besides takes tokens of up to 65804 bytes
    /// (RFC 8974 §2.1).
    ///
    /// Only peers that know of each other's support send them. A request whose token is longer
    /// than the server can keep is answered by 4.00 or, if that may pass, by 5.03, and never by a
    /// Reset, which would say that long tokens are not supported at all (§2).
    ///
    /// # Errors
    ///
    /// As [`Message::parse`], but for the token length, of which 15 alone is refused.
    ///
    /// ```
    /// use coap_codec::{Message, MessageView, ParseErrorKind};
    ///
    /// let datagram = b"\x4d\x01\x20\x01\x00thirteen byte\xb1\x33";
    /// let (header, message) = MessageView::parse_with_extended_token(datagram)?;
    /// assert_eq!(message.token(), b"thirteen byte");
    /// assert_eq!(header.message_id.0, 0x2001);
    /// // Whoever does not ask for it refuses it.
    /// assert_eq!(Message::parse(datagram).unwrap_err().kind(), ParseErrorKind::TokenLength);
    /// # Ok::<(), coap_codec::ParseError>(())
    /// ```
    pub fn parse_with_extended_token(datagram: &'a [u8]) -> Result<(Header, Self), ParseError> {
        let (header, nibble) = Header::parse(datagram)?;
        let fail = |kind, position| ParseError::new(kind, position, Some(header));
        if nibble == 15 {
            return Err(fail(ParseErrorKind::ReservedTokenLength, 0));
        }
        if header.code.is_empty() && (nibble != 0 || datagram.len() != Header::LEN) {
            return Err(fail(ParseErrorKind::EmptyWithContent, Header::LEN));
        }
        let mut rest = Cursor::new(datagram);
        rest.take(Header::LEN);
        let length = extended(&mut rest, nibble).ok();
        let token = length.and_then(|length| rest.take(length as usize));
        let token = token.ok_or_else(|| fail(ParseErrorKind::TokenTruncated, Header::LEN))?;
        let start = rest.offset_in(datagram);
        let carrier = Carrier::Datagram(header.message_type);
        match Self::from_body(carrier, header.code, token, rest.rest()) {
            Ok(view) => Ok((header, view)),
            Err((kind, offset)) => Err(fail(kind, start.saturating_add(offset))),
        }
    }

    /// Checks what follows the token. An error comes with its offset there.
    pub(crate) fn from_body(
        carrier: Carrier,
        code: Code,
        token: &'a [u8],
        body: &'a [u8],
    ) -> Result<Self, (ParseErrorKind, usize)> {
        let end = options_end(body, 0).ok_or_else(|| fault(body))?;
        let (options, rest) = body.split_at_checked(end).unwrap_or_default();
        let payload = rest.split_first().map_or(rest, |(_marker, payload)| payload);
        Ok(Self { carrier, code, token, options, payload })
    }

    /// A message of nothing but its code.
    pub(crate) const fn bare(carrier: Carrier, code: Code) -> Self {
        Self { carrier, code, token: &[], options: &[], payload: &[] }
    }

    pub(crate) const fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// What is asked, or how it went.
    #[inline]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What the answer to a request repeats: up to 8 bytes, unless longer ones were asked for.
    #[inline]
    pub const fn token(&self) -> &'a [u8] {
        self.token
    }

    /// The body, empty if there is none.
    #[inline]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// All options, in ascending order of their numbers.
    #[inline]
    pub const fn options(&self) -> Options<'a> {
        Options::new(self.options)
    }

    /// As [`Message::option`].
    #[inline]
    pub fn option(&self, number: OptionNumber) -> Option<CoapOption<'a>> {
        self.values(number).next().map(|value| CoapOption { number, value })
    }

    /// As [`Message::values`].
    #[inline]
    pub const fn values(&self, number: OptionNumber) -> Values<'a> {
        Values::new(self.options(), number)
    }

    /// As [`Message::uint`].
    pub fn uint(&self, number: OptionNumber) -> Option<u32> {
        self.valid(number)?.as_uint()
    }

    /// As [`Message::uri_path`].
    pub const fn uri_path(&self) -> Values<'a> {
        self.values(OptionNumber::URI_PATH)
    }

    /// As [`Message::uri_query`].
    pub const fn uri_query(&self) -> Values<'a> {
        self.values(OptionNumber::URI_QUERY)
    }

    /// As [`Message::location_path`].
    pub const fn location_path(&self) -> Values<'a> {
        self.values(OptionNumber::LOCATION_PATH)
    }

    /// As [`Message::location_query`].
    pub const fn location_query(&self) -> Values<'a> {
        self.values(OptionNumber::LOCATION_QUERY)
    }

    /// As [`Message::content_format`].
    pub fn content_format(&self) -> Option<ContentFormat> {
        self.u16(OptionNumber::CONTENT_FORMAT).map(ContentFormat)
    }

    /// As [`Message::accept`].
    pub fn accept(&self) -> Option<ContentFormat> {
        self.u16(OptionNumber::ACCEPT).map(ContentFormat)
    }

    /// As [`Message::observe`]. Over TCP a notification's number says nothing (RFC 8323 §7.1).
    pub fn observe(&self) -> Option<u32> {
        self.uint(OptionNumber::OBSERVE)
    }

    /// As [`Message::max_age`].
    pub fn max_age(&self) -> Option<u32> {
        self.uint(OptionNumber::MAX_AGE)
    }

    /// As [`Message::etag`].
    pub fn etag(&self) -> Option<&'a [u8]> {
        self.valid(OptionNumber::ETAG).map(|option| option.value)
    }

    /// As [`Message::block1`]; over TCP a [BERT](BlockValue::bert) block is one, too.
    pub fn block1(&self) -> Option<Result<BlockValue, BlockError>> {
        self.block(OptionNumber::BLOCK1)
    }

    /// As [`Message::block2`]; over TCP a [BERT](BlockValue::bert) block is one, too.
    pub fn block2(&self) -> Option<Result<BlockValue, BlockError>> {
        self.block(OptionNumber::BLOCK2)
    }

    /// As [`Message::size1`].
    pub fn size1(&self) -> Option<u32> {
        self.uint(OptionNumber::SIZE1)
    }

    /// As [`Message::size2`].
    pub fn size2(&self) -> Option<u32> {
        self.uint(OptionNumber::SIZE2)
    }

    /// As [`Message::if_match`].
    pub const fn if_match(&self) -> Values<'a> {
        self.values(OptionNumber::IF_MATCH)
    }

    /// As [`Message::if_none_match`].
    pub fn if_none_match(&self) -> bool {
        self.valid(OptionNumber::IF_NONE_MATCH).is_some()
    }

    /// As [`Message::uri_host`].
    pub fn uri_host(&self) -> Option<&'a str> {
        self.text(OptionNumber::URI_HOST)
    }

    /// As [`Message::uri_port`].
    pub fn uri_port(&self) -> Option<u16> {
        self.u16(OptionNumber::URI_PORT)
    }

    /// As [`Message::proxy_uri`].
    pub fn proxy_uri(&self) -> Option<&'a str> {
        self.text(OptionNumber::PROXY_URI)
    }

    /// As [`Message::proxy_scheme`].
    pub fn proxy_scheme(&self) -> Option<&'a str> {
        self.text(OptionNumber::PROXY_SCHEME)
    }

    /// As [`Message::hop_limit`].
    pub fn hop_limit(&self) -> Option<u8> {
        u8::try_from(self.uint(OptionNumber::HOP_LIMIT)?).ok()
    }

    /// As [`Message::echo`].
    pub fn echo(&self) -> Option<&'a [u8]> {
        self.valid(OptionNumber::ECHO).map(|option| option.value)
    }

    /// As [`Message::request_tags`].
    pub const fn request_tags(&self) -> Values<'a> {
        self.values(OptionNumber::REQUEST_TAG)
    }

    /// As [`Message::no_response`].
    pub fn no_response(&self) -> NoResponse {
        let bits = self.uint(OptionNumber::NO_RESPONSE).and_then(|bits| u8::try_from(bits).ok());
        NoResponse(bits.unwrap_or_default())
    }

    /// The first option of this number, if its length is what the registry allows.
    fn valid(&self, number: OptionNumber) -> Option<CoapOption<'a>> {
        self.option(number).filter(CoapOption::has_valid_length)
    }

    fn text(&self, number: OptionNumber) -> Option<&'a str> {
        self.valid(number)?.as_str()
    }

    fn u16(&self, number: OptionNumber) -> Option<u16> {
        u16::try_from(self.uint(number)?).ok()
    }

    fn block(&self, number: OptionNumber) -> Option<Result<BlockValue, BlockError>> {
        let value = self.option(number)?.value;
        Some(match self.carrier {
            Carrier::Datagram(_) => BlockValue::from_value(value),
            Carrier::Stream => BlockValue::from_tcp_value(value),
        })
    }
}

impl fmt::Debug for MessageView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::show::message(f, None, self)
    }
}

/// What is the same for a message of any carrier, and the options of the later RFCs.
impl<'a> Message<'a> {
    /// The message without its type and Message ID, as it would be over any carrier.
    pub fn view(&self) -> MessageView<'a> {
        let start = Header::LEN.saturating_add(self.token().len());
        MessageView {
            carrier: Carrier::Datagram(self.message_type()),
            code: self.code(),
            token: self.as_bytes().get(Header::LEN..start).unwrap_or_default(),
            options: self.options().rest(),
            payload: self.payload(),
        }
    }

    /// The ETags that the target must have one of for the request to be carried out, else 4.12;
    /// an empty one stands for any, as long as the target exists (RFC 7252 §5.10.8.1).
    pub fn if_match(&self) -> Values<'a> {
        self.values(OptionNumber::IF_MATCH)
    }

    /// Whether the request is to be carried out only if the target does not exist, else 4.12
    /// (RFC 7252 §5.10.8.2).
    pub fn if_none_match(&self) -> bool {
        self.view().if_none_match()
    }

    /// The host that is meant, if it is not the address that the request was sent to
    /// (RFC 7252 §5.10.1).
    ///
    /// `None` also if it is not UTF-8 or of a wrong length, as for all options that are text:
    /// [`check`](Self::check) tells.
    pub fn uri_host(&self) -> Option<&'a str> {
        self.view().uri_host()
    }

    /// The port that is meant, if it is not the one that the request was sent to.
    pub fn uri_port(&self) -> Option<u16> {
        self.view().uri_port()
    }

    /// The absolute URI that a forward-proxy is asked for (RFC 7252 §5.10.2).
    pub fn proxy_uri(&self) -> Option<&'a str> {
        self.view().proxy_uri()
    }

    /// The scheme of the URI that a forward-proxy is asked for, and that the Uri options make.
    pub fn proxy_scheme(&self) -> Option<&'a str> {
        self.view().proxy_scheme()
    }

    /// How many proxies may still pass the request on; 16 is meant when there is none
    /// (RFC 8768 §3).
    ///
    /// A proxy passes on one less, answers 5.08 where that would be 0, and 4.00 to a 0. A server
    /// has no use for it.
    pub fn hop_limit(&self) -> Option<u8> {
        self.view().hop_limit()
    }

    /// What a 4.01 wants repeated in the next request, as a proof that it is fresh; in a request,
    /// that proof. 1 to 40 bytes, of use to nobody but its author (RFC 9175 §2.2).
    pub fn echo(&self) -> Option<&'a [u8]> {
        self.view().echo()
    }

    /// What tells apart two bodies that are sent in blocks to one resource at once: compare all
    /// values, in their order. None is not the same as an empty one (RFC 9175 §3.2).
    pub fn request_tags(&self) -> Values<'a> {
        self.values(OptionNumber::REQUEST_TAG)
    }

    /// Which responses the client has no interest in: none, if the option is absent
    /// (RFC 7967 §2).
    pub fn no_response(&self) -> NoResponse {
        self.view().no_response()
    }
}
