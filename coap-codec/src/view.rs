//! What a message says, whatever carried it: a datagram, a datagram with a long token, a TCP
//! stream.

use core::fmt;

use crate::cursor::Cursor;
use crate::option::{extended, fault, options_end};
use crate::{
    CoapOption, Code, Header, Message, MessageType, OptionNumber, Options, ParseError, ParseErrorKind, Values,
};

/// Code, token, options and payload of one well-formed message; borrowed, and not tied to UDP.
///
/// It comes out of a datagram by [`Message::view`], or by
/// [`parse_with_extended_token`](Self::parse_with_extended_token) for peers that agreed on longer tokens,
/// and out of a TCP stream by [`tcp::Decoder`](crate::tcp::Decoder). Code that serves requests can
/// take it and need not know where they came from. Its getters are those of [`Message`]; there is
/// no type and no Message ID, which CoAP over TCP does not have (RFC 8323 §2.1). A view remembers how
/// it came nevertheless, so that [`check`](Self::check) and blocks are right; for `==` this makes no
/// difference.
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
#[derive(Clone, Copy)]
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
        let (end, _) = options_end(body, 0).ok_or_else(|| fault(body))?;
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

    /// Method or response code.
    #[inline]
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What the answer to a request repeats: up to 8 bytes, unless longer ones were asked for.
    #[inline]
    #[must_use]
    pub const fn token(&self) -> &'a [u8] {
        self.token
    }

    /// The payload, empty if there is none; of a body in blocks, this block.
    #[inline]
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// All options, in ascending order of their numbers.
    #[inline]
    #[must_use]
    pub const fn options(&self) -> Options<'a> {
        Options::new(self.options)
    }

    /// As [`Message::option`].
    #[inline]
    #[must_use]
    pub fn option(&self, number: OptionNumber) -> Option<CoapOption<'a>> {
        self.values(number).next().map(|value| CoapOption { number, value })
    }

    /// As [`Message::values`].
    #[inline]
    #[must_use]
    pub const fn values(&self, number: OptionNumber) -> Values<'a> {
        Values::new(self.options(), number)
    }

    /// As [`Message::value`].
    #[must_use]
    pub fn value(&self, number: OptionNumber) -> Option<&'a [u8]> {
        self.values(number).next()
    }

    /// As [`Message::uint`].
    #[must_use]
    pub fn uint(&self, number: OptionNumber) -> Option<u32> {
        self.valid(number)?.as_uint()
    }

    /// The first option of this number, if its length is what the registry allows.
    pub(crate) fn valid(&self, number: OptionNumber) -> Option<CoapOption<'a>> {
        self.option(number).filter(CoapOption::has_valid_length)
    }
}

/// By code, token, options and payload; how a message came makes no difference.
impl PartialEq for MessageView<'_> {
    fn eq(&self, other: &Self) -> bool {
        let parts = |view: &Self| (view.code, view.token, view.options, view.payload);
        parts(self) == parts(other)
    }
}

impl Eq for MessageView<'_> {}

impl<'a> Message<'a> {
    /// The message without its type and Message ID, as it would be over any carrier.
    #[must_use]
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
}

impl<'a> From<Message<'a>> for MessageView<'a> {
    fn from(message: Message<'a>) -> Self {
        message.view()
    }
}

/// As a [`Message`], without type and Message ID.
impl fmt::Display for MessageView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::show::message(f, None, self)
    }
}

/// As it is displayed.
impl fmt::Debug for MessageView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
