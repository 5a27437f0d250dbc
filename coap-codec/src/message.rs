//! A message as it lies in a datagram: checked once, then read without failing.

use core::fmt;

use crate::option::{fault, options_end};
use crate::{
    BlockError, BlockValue, CoapOption, Code, ContentFormat, Header, MessageId, MessageKind, MessageType, OptionNumber,
    Options, ParseError, ParseErrorKind, Token, Values,
};

/// A view of one well-formed message (RFC 7252 §3); it borrows the datagram and copies nothing.
///
/// Parsing refuses what is malformed, and only that. One question remains for the receiver, whether
/// the message may be processed: [`check`](Self::check) answers it.
///
/// A getter of one option, such as [`accept`](Self::accept), walks over those before it. To read
/// many, go once over [`options`](Self::options).
///
/// ```
/// use coap_codec::{BlockValue, Code, Message, MessageType, OptionNumber};
///
/// // The first 16 of 40 bytes, in answer to a GET.
/// let datagram = b"\x61\x45\x30\x06\xc6\x41\x01\x80\xb1\x08\x51\x28\xff0123456789abcdef";
/// let message = Message::parse(datagram)?;
/// assert_eq!(message.message_type(), MessageType::Acknowledgement);
/// assert_eq!(message.code(), Code::CONTENT);
/// assert_eq!(message.etag(), Some(&[1][..]));
/// assert_eq!(message.block2(), Some(BlockValue::new(0, true, 0)));
/// assert_eq!(message.size2(), Some(40));
/// assert_eq!(message.uint(OptionNumber::HOP_LIMIT), None);
/// assert_eq!(message.payload(), b"0123456789abcdef");
/// # Ok::<(), coap_codec::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    datagram: &'a [u8],
    layout: Layout,
}

/// What the check of a datagram found out.
///
/// The header stays as it came until it is asked for, so that parsing copies it in one piece.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Version 1, and a token length of 8 at most.
    header: [u8; Header::LEN],
    /// The number of the last option, 0 without options.
    last: u16,
    /// The offset at which the payload marker stands, or the datagram ends.
    options_end: usize,
}

impl Layout {
    /// Checks a datagram, and does not say what is wrong.
    #[inline(always)]
    fn check(datagram: &[u8]) -> Option<Self> {
        let &header = datagram.first_chunk::<{ Header::LEN }>()?;
        let [first, code, ..] = header;
        if first >> 6 != 1 || first & 0x0f > 8 || (code == 0 && datagram.len() != Header::LEN) {
            return None;
        }
        // Where the token is cut short, this is behind the end.
        let (options_end, last) = options_end(datagram, options_start(first))?;
        Some(Self { header, last, options_end })
    }
}

/// The offset of the first option, by the first byte of the header.
#[inline]
fn options_start(first: u8) -> usize {
    usize::from(first & 0x0f).wrapping_add(Header::LEN)
}

/// What is wrong with a datagram that [`Layout::check`] does not accept.
///
/// It costs another walk, and a good message nothing.
#[cold]
fn refusal(datagram: &[u8]) -> ParseError {
    let (header, token_length) = match Header::parse(datagram) {
        Ok(parts) => parts,
        Err(error) => return error,
    };
    let fail = |kind, position| ParseError::new(kind, position, Some(header));
    if token_length > 8 {
        return fail(ParseErrorKind::TokenLength, 0);
    }
    if header.code.is_empty() {
        return fail(ParseErrorKind::EmptyWithContent, Header::LEN);
    }
    let options_start = options_start(token_length);
    match datagram.split_at_checked(options_start) {
        Some((_, body)) => {
            let (kind, offset) = fault(body);
            fail(kind, options_start.saturating_add(offset))
        }
        None => fail(ParseErrorKind::TokenTruncated, Header::LEN),
    }
}

impl<'a> Message<'a> {
    /// For how many seconds a response without Max-Age is fresh (RFC 7252 §5.10.5).
    pub const DEFAULT_MAX_AGE: u32 = 60;

    /// The message in a datagram, if it is one: [`parse`](Self::parse) for whoever does not ask what is wrong
    /// with another one. To find that out takes as much code again as all else. Whether it is to be rejected,
    /// [`Header::parse`] and [`Header::rejection`] tell.
    ///
    /// ```
    /// use coap_codec::{Header, Message};
    ///
    /// assert!(Message::well_formed(b"\x40\x01\x12\x34\xb1\x33").is_some());
    /// // A value is cut short: a Reset is due.
    /// let cut = b"\x40\x01\x12\x34\xb1";
    /// assert!(Message::well_formed(cut).is_none());
    /// let (header, _) = Header::parse(cut)?;
    /// assert_eq!(header.rejection().map(Header::to_bytes), Some([0x70, 0x00, 0x12, 0x34]));
    /// # Ok::<(), coap_codec::ParseError>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn well_formed(datagram: &'a [u8]) -> Option<Self> {
        Layout::check(datagram).map(|layout| Self { datagram, layout })
    }

    /// Checks a datagram from the first byte to the last.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] says which rule is broken, where, and whether a Reset is due. Option
    /// values are not looked into: a wrong length or text that is not UTF-8 is no format error.
    #[inline]
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        match Layout::check(datagram) {
            Some(layout) => Ok(Self { datagram, layout }),
            None => Err(refusal(datagram)),
        }
    }

    /// The message in a datagram that was parsed before, with what came out of it.
    #[cfg(feature = "bytes")]
    pub(crate) const fn from_layout(datagram: &'a [u8], layout: Layout) -> Self {
        Self { datagram, layout }
    }

    #[cfg(feature = "bytes")]
    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    /// Type, code and Message ID.
    #[inline]
    #[must_use]
    pub const fn header(&self) -> Header {
        Header::from_bytes(self.layout.header)
    }

    /// CON, NON, ACK or RST.
    #[inline]
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        self.header().message_type
    }

    /// Method or response code.
    #[inline]
    #[must_use]
    pub const fn code(&self) -> Code {
        let [_, code, ..] = self.layout.header;
        Code::from_byte(code)
    }

    /// What an ACK or RST to this message repeats.
    #[inline]
    #[must_use]
    pub const fn message_id(&self) -> MessageId {
        let [.., high, low] = self.layout.header;
        MessageId(u16::from_be_bytes([high, low]))
    }

    /// What the message is by type and code together, or `None` if it is to be rejected:
    /// [`Header::kind`].
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> Option<MessageKind> {
        self.header().kind()
    }

    /// What the answer to a request repeats.
    #[inline]
    #[must_use]
    pub fn token(&self) -> Token {
        let token = self.datagram.get(Header::LEN..self.options_start());
        Token::new(token.unwrap_or_default()).unwrap_or_default()
    }

    /// The payload, empty if there is none; of a body in blocks, this block.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        // An offset in a slice: one more does not wrap.
        let start = self.layout.options_end.wrapping_add(1);
        self.datagram.get(start..).unwrap_or_default()
    }

    /// The datagram that was parsed.
    #[inline]
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.datagram
    }

    /// All options, in ascending order of their numbers.
    #[inline]
    #[must_use]
    pub fn options(&self) -> Options<'a> {
        let options = self.datagram.get(self.options_start()..self.layout.options_end);
        Options::new(options.unwrap_or_default())
    }

    /// The first option of this number.
    ///
    /// Later ones of a number that does not repeat are as good as unknown (RFC 7252 §5.4.5).
    #[inline]
    #[must_use]
    pub fn option(&self, number: OptionNumber) -> Option<CoapOption<'a>> {
        self.values(number).next().map(|value| CoapOption { number, value })
    }

    /// The values of all options of this number.
    #[inline]
    #[must_use]
    pub fn values(&self, number: OptionNumber) -> Values<'a> {
        Values::new(self.options(), number)
    }

    /// The value of the first option of this number, of any length.
    #[inline]
    #[must_use]
    pub fn value(&self, number: OptionNumber) -> Option<&'a [u8]> {
        self.values(number).next()
    }

    /// The first option of this number as a number.
    ///
    /// `None` also when its length is not what the registry allows, as a receiver must take such
    /// an option for an unknown one (RFC 7252 §5.4.3): [`check`](Self::check) tells.
    #[must_use]
    pub fn uint(&self, number: OptionNumber) -> Option<u32> {
        self.valid(number)?.as_uint()
    }

    /// The segments of the path, as bytes that are not percent-encoded. [`path_is`](Self::path_is)
    /// compares them all.
    ///
    /// A segment `.` or `..` is not allowed (RFC 7252 §5.10.1), but well formed: refuse such a
    /// request, as [`check`](Self::check) does, and never resolve it.
    #[inline]
    #[must_use]
    pub fn uri_path(&self) -> Values<'a> {
        self.values(OptionNumber::URI_PATH)
    }

    /// The arguments of the query, one for each part between `&`.
    #[inline]
    #[must_use]
    pub fn uri_query(&self) -> Values<'a> {
        self.values(OptionNumber::URI_QUERY)
    }

    /// The path of what a 2.01 has made, by segments.
    ///
    /// A request for what is there has the same segments: write each as it came, by
    /// [`MessageWriter::option`](crate::MessageWriter::option) with [`OptionNumber::URI_PATH`].
    #[inline]
    #[must_use]
    pub fn location_path(&self) -> Values<'a> {
        self.values(OptionNumber::LOCATION_PATH)
    }

    /// The query that goes with the [`location_path`](Self::location_path).
    #[inline]
    #[must_use]
    pub fn location_query(&self) -> Values<'a> {
        self.values(OptionNumber::LOCATION_QUERY)
    }

    /// The format of the payload.
    #[must_use]
    pub fn content_format(&self) -> Option<ContentFormat> {
        self.format(OptionNumber::CONTENT_FORMAT)
    }

    /// The one format that a client wants the answer in.
    #[must_use]
    pub fn accept(&self) -> Option<ContentFormat> {
        self.format(OptionNumber::ACCEPT)
    }

    /// What a request wants ([`observe::REGISTER`](crate::observe::REGISTER) or
    /// [`DEREGISTER`](crate::observe::DEREGISTER)), or the sequence number of a notification.
    #[must_use]
    pub fn observe(&self) -> Option<u32> {
        self.uint(OptionNumber::OBSERVE)
    }

    /// For how many seconds the answer is fresh; [`DEFAULT_MAX_AGE`](Self::DEFAULT_MAX_AGE) is meant
    /// when there is none.
    #[must_use]
    pub fn max_age(&self) -> Option<u32> {
        self.uint(OptionNumber::MAX_AGE)
    }

    /// The entity-tag of the representation, in a response; in a request the first of the
    /// [`etags`](Self::etags). `None` also if it has not 1 to 8 bytes.
    #[must_use]
    pub fn etag(&self) -> Option<&'a [u8]> {
        self.valid(OptionNumber::ETAG).map(|option| option.value)
    }

    /// The entity-tags of the representations that a client has, and wants to know whether one of
    /// them is still good: then the answer is 2.03 with that one (RFC 7252 §5.10.6.2).
    #[inline]
    #[must_use]
    pub fn etags(&self) -> Values<'a> {
        self.values(OptionNumber::ETAG)
    }

    /// Which block of the request's body this is about (RFC 7959 §2.1).
    ///
    /// An `Err` of [`BlockError::ReservedSize`] in a request is answered by 4.00; that of a value
    /// that is too long, by 4.02: [`check`](Self::check) tells both.
    #[must_use]
    pub fn block1(&self) -> Option<Result<BlockValue, BlockError>> {
        self.block(OptionNumber::BLOCK1)
    }

    /// Which block of the response's body this is about; an `Err` as in [`block1`](Self::block1).
    #[must_use]
    pub fn block2(&self) -> Option<Result<BlockValue, BlockError>> {
        self.block(OptionNumber::BLOCK2)
    }

    /// How many bytes the request's body has in all; in a 4.13, how many would be welcome.
    #[must_use]
    pub fn size1(&self) -> Option<u32> {
        self.uint(OptionNumber::SIZE1)
    }

    /// How many bytes the response's body has in all.
    #[must_use]
    pub fn size2(&self) -> Option<u32> {
        self.uint(OptionNumber::SIZE2)
    }

    /// The first critical option that a receiver who understands those of `is_known` must refuse:
    /// an unknown one (RFC 7252 §5.4.1), one more of a kind that does not repeat (§5.4.5), or one
    /// whose length is out of range (§5.4.3).
    ///
    /// What follows from it depends on the message: 4.02 to a confirmable request, no answer to a
    /// non-confirmable one, and a response is rejected, by a Reset if it is confirmable.
    /// [`check`](Self::check) names the answer, and asks for more.
    pub fn unsupported_option(&self, is_known: impl Fn(OptionNumber) -> bool) -> Option<OptionNumber> {
        let mut previous = None;
        for option in self.options() {
            let number = option.number;
            let repeated = previous.replace(number) == Some(number);
            if number.is_critical()
                && (!is_known(number)
                    || number.definition().is_some_and(|definition| {
                        (repeated && !definition.repeatable) || !definition.length_range().contains(&option.value.len())
                    }))
            {
                return Some(number);
            }
        }
        None
    }

    /// Whether there may be an option of this number: not so behind the last one. It takes no walk.
    #[inline]
    #[must_use]
    pub const fn reaches(&self, number: OptionNumber) -> bool {
        number.0 <= self.layout.last
    }

    #[inline]
    fn options_start(&self) -> usize {
        let [first, ..] = self.layout.header;
        options_start(first)
    }

    pub(crate) fn valid(&self, number: OptionNumber) -> Option<CoapOption<'a>> {
        self.option(number).filter(CoapOption::has_valid_length)
    }

    fn format(&self, number: OptionNumber) -> Option<ContentFormat> {
        let format = u16::try_from(self.uint(number)?).ok()?;
        Some(ContentFormat(format))
    }

    fn block(&self, number: OptionNumber) -> Option<Result<BlockValue, BlockError>> {
        Some(BlockValue::from_value(self.option(number)?.value))
    }
}

/// Type, code, Message ID, then token, options and payload as far as they are there: in one line, or
/// with `{:#?}` in one each.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::show::message(f, Some(self.header()), &self.view())
    }
}

/// As it is displayed.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
