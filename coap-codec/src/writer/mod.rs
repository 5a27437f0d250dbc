//! Writing a message into a buffer of the caller's.

mod insert;
mod typed;

use core::fmt;

use crate::option::{MARKER, OptionHead};
use crate::{Code, Header, OptionNumber, Token, WriteError};

/// Writes one message, part by part, into a borrowed buffer.
///
/// Header and token come first, then options in any order, then the payload. What has been
/// written at any time is a whole message ([`as_bytes`](Self::as_bytes)), and a part that fails
/// leaves it as it was: one can leave the part out and go on, or [`restart`](Self::restart).
///
/// ```
/// use coap_codec::{Code, ContentFormat, Header, MessageId, MessageType, MessageWriter, Token};
///
/// let header = Header {
///     message_type: MessageType::Acknowledgement,
///     code: Code::CONTENT,
///     message_id: MessageId(0x2001),
/// };
/// let mut buffer = [0; 64];
/// let mut message = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
/// message.content_format(ContentFormat::TEXT_PLAIN)?;
/// message.observe(12)?;
/// message.payload(b"100")?;
/// assert_eq!(message.finish(), b"\x60\x45\x20\x01\x61\x0c\x60\xff100");
/// # Ok::<(), coap_codec::WriteError>(())
/// ```
///
/// Only what would not parse is refused, besides what the typed helpers say: a request in an ACK
/// can be written, so that a test can send one.
pub struct MessageWriter<'b> {
    buffer: &'b mut [u8],
    /// How much of the buffer is the message.
    length: usize,
    header: Header,
    token_length: u8,
    /// The number of the last option, 0 before the first.
    last: OptionNumber,
    has_payload: bool,
}

#[allow(
    clippy::len_without_is_empty,
    reason = "there is always a header, so it would be false at all times"
)]
impl<'b> MessageWriter<'b> {
    /// Begins a message with its header and token, in a buffer whose content is of no account.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSpace`] when the buffer does not hold these 4 to 12 bytes;
    /// [`WriteError::EmptyMessage`] for code 0.00 with a token.
    #[inline]
    pub fn new(buffer: &'b mut [u8], header: Header, token: Token) -> Result<Self, WriteError> {
        if header.code.is_empty() && !token.is_empty() {
            return Err(WriteError::EmptyMessage);
        }
        let token_length = token.wire_len();
        let length = Header::LEN.saturating_add(token.len());
        if buffer.len() < length {
            return Err(WriteError::NoSpace { needed: length });
        }
        if let Some((first, rest)) = buffer.split_first_chunk_mut() {
            *first = header.with_token_length(token_length);
            token.write(rest);
        }
        Ok(Self {
            buffer,
            length,
            header,
            token_length,
            last: OptionNumber(0),
            has_payload: false,
        })
    }

    /// Adds an option, behind those of the same number (RFC 7252 §3.1).
    ///
    /// Options may come in any order. In ascending order each costs the bytes that it takes; one
    /// with a smaller number than the last is put in its place by walking over the options and
    /// moving all that follow, so that n options in the worst order cost n² steps.
    ///
    /// Neither the length nor the number of occurrences is checked against the
    /// [`REGISTRY`](crate::REGISTRY).
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSpace`]; [`WriteError::ValueTooLong`] above 65804 bytes;
    /// [`WriteError::PayloadWritten`] after the payload; [`WriteError::EmptyMessage`] for code
    /// 0.00.
    #[inline]
    pub fn option(&mut self, number: OptionNumber, value: &[u8]) -> Result<(), WriteError> {
        self.check_open()?;
        let Some(delta) = number.0.checked_sub(self.last.0) else {
            return self.insert(number, value);
        };
        let head = OptionHead::new(delta, value.len())?;
        let capacity = self.buffer.len();
        let room = self.buffer.get_mut(self.length..);
        let Some(rest) = room.and_then(|room| put(room, head, value)) else {
            return Err(self.no_space(head.len(), value));
        };
        // The rest is the end of the buffer.
        self.length = capacity.wrapping_sub(rest.len());
        self.last = number;
        Ok(())
    }

    /// Adds the payload; the marker before it is written here. An empty one changes nothing.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSpace`]; [`WriteError::PayloadWritten`] if there is one;
    /// [`WriteError::EmptyMessage`] for code 0.00.
    #[inline]
    pub fn payload(&mut self, payload: &[u8]) -> Result<(), WriteError> {
        if payload.is_empty() {
            return Ok(());
        }
        self.check_open()?;
        let capacity = self.buffer.len();
        let room = self.buffer.get_mut(self.length..);
        let Some(rest) = room.and_then(|room| put_payload(room, payload)) else {
            return Err(self.no_space(1, payload));
        };
        // The rest is the end of the buffer.
        self.length = capacity.wrapping_sub(rest.len());
        self.has_payload = true;
        Ok(())
    }

    /// Lets `fill` write the payload in its place, and adds as many bytes as it says it has
    /// written: none for 0, not even the marker.
    ///
    /// It is given the rest of the buffer, less one byte for the marker; that may be no byte at
    /// all.
    ///
    /// # Errors
    ///
    /// Those of `fill`; [`WriteError::NoSpace`] when it returns more than it was given, which is
    /// how it can say what it needs; [`WriteError::PayloadWritten`] and
    /// [`WriteError::EmptyMessage`] before it is called. The message stays without a payload.
    ///
    /// ```
    /// # use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, Token, WriteError};
    /// # let message_type = MessageType::NonConfirmable;
    /// # let header = Header { message_type, code: Code::POST, message_id: MessageId(1) };
    /// # let mut buffer = [0; 8];
    /// let mut message = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
    /// message.payload_with(|room| {
    ///     let (start, _) = room.split_first_chunk_mut().ok_or(WriteError::NoSpace { needed: 7 })?;
    ///     *start = *b"22";
    ///     Ok::<_, WriteError>(2)
    /// })?;
    /// assert_eq!(message.as_bytes(), b"\x50\x02\x00\x01\xff22");
    /// # Ok::<(), WriteError>(())
    /// ```
    #[inline]
    pub fn payload_with<E: From<WriteError>>(
        &mut self,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.check_open()?;
        let free = self.buffer.get_mut(self.length..).unwrap_or_default();
        let (marker, room) = match free.split_first_mut() {
            Some((marker, room)) => (Some(marker), room),
            None => (None, &mut [][..]),
        };
        let available = room.len();
        let written = fill(room)?;
        if written == 0 {
            return Ok(());
        }
        let needed = self.length.saturating_add(1).saturating_add(written);
        match marker {
            Some(marker) if written <= available => *marker = MARKER,
            _ => return Err(WriteError::NoSpace { needed }.into()),
        }
        self.length = needed;
        self.has_payload = true;
        Ok(())
    }

    /// How many bytes of the buffer are free. A payload takes one more than its length.
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.buffer.len().saturating_sub(self.length)
    }

    /// What the header holds by now.
    #[inline]
    pub const fn header(&self) -> Header {
        self.header
    }

    /// The code that the message has by now.
    #[inline]
    pub const fn code(&self) -> Code {
        self.header.code
    }

    /// Replaces the code.
    ///
    /// [`Code::EMPTY`] drops all that follows the header, as such a message has nothing else; the
    /// token does not come back with another code.
    pub fn set_code(&mut self, code: Code) {
        self.header.code = code;
        if code.is_empty() {
            self.token_length = 0;
            self.drop_body();
        }
        if let Some(first) = self.buffer.first_chunk_mut() {
            *first = self.header.with_token_length(self.token_length);
        }
    }

    /// Drops the options and the payload and sets the code, for an answer that turns out to be
    /// another one. [`Code::EMPTY`] drops the token, too.
    pub fn restart(&mut self, code: Code) {
        self.drop_body();
        self.set_code(code);
    }

    /// The message so far.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// How many bytes the message has so far.
    #[inline]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// The message, for as long as the buffer is borrowed.
    #[inline]
    pub fn finish(self) -> &'b [u8] {
        let buffer: &'b [u8] = self.buffer;
        buffer.get(..self.length).unwrap_or_default()
    }

    /// Whether an option or a payload may be added.
    #[inline]
    const fn check_open(&self) -> Result<(), WriteError> {
        if self.header.code.is_empty() {
            Err(WriteError::EmptyMessage)
        } else if self.has_payload {
            Err(WriteError::PayloadWritten)
        } else {
            Ok(())
        }
    }

    #[cold]
    fn no_space(&self, head_len: usize, value: &[u8]) -> WriteError {
        let needed = self
            .length
            .saturating_add(head_len)
            .saturating_add(value.len());
        WriteError::NoSpace { needed }
    }

    fn options_start(&self) -> usize {
        Header::LEN.saturating_add(usize::from(self.token_length))
    }

    fn drop_body(&mut self) {
        self.length = self.options_start();
        self.last = OptionNumber(0);
        self.has_payload = false;
    }
}

impl fmt::Debug for MessageWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter")
            .field("header", &self.header)
            .field("length", &self.length)
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

/// Writes an option to the front of `room` and returns the rest, or `None` if it does not fit.
#[inline]
fn put<'r>(room: &'r mut [u8], head: OptionHead, value: &[u8]) -> Option<&'r mut [u8]> {
    let (room, rest) = head.write(room)?.split_at_mut_checked(value.len())?;
    room.copy_from_slice(value);
    Some(rest)
}

/// Writes marker and payload to the front of `room` and returns the rest.
#[inline]
fn put_payload<'r>(room: &'r mut [u8], payload: &[u8]) -> Option<&'r mut [u8]> {
    let (marker, room) = room.split_first_mut()?;
    let (room, rest) = room.split_at_mut_checked(payload.len())?;
    *marker = MARKER;
    room.copy_from_slice(payload);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockValue, ContentFormat, Message, MessageId, MessageType};
    use alloc::string::ToString;

    const CONTENT: Header = Header {
        message_type: MessageType::Acknowledgement,
        code: Code::CONTENT,
        message_id: MessageId(1),
    };
    const PING: Header = Header::empty(MessageType::Confirmable, MessageId(1));
    const PATH: OptionNumber = OptionNumber::URI_PATH;

    fn token() -> Token {
        Token::new(&[0xaa, 0xbb]).unwrap()
    }

    /// Starts a message with a token and hands it out together with the room that was asked for.
    #[track_caller]
    fn check(size: usize, steps: impl FnOnce(&mut MessageWriter<'_>), expected: &[u8]) {
        let mut buffer = alloc::vec![0xee; size];
        let mut writer = MessageWriter::new(&mut buffer, CONTENT, token()).unwrap();
        steps(&mut writer);
        assert_eq!(
            writer.as_bytes(),
            [b"\x62\x45\0\x01\xaa\xbb", expected].concat()
        );
        assert!(Message::parse(writer.as_bytes()).is_ok());
        assert_eq!(writer.remaining(), size - writer.len());
    }

    #[test]
    fn header_and_token_need_their_room() {
        for size in 0..6 {
            assert_eq!(
                MessageWriter::new(&mut [0; 6][..size], CONTENT, token()).err(),
                Some(WriteError::NoSpace { needed: 6 })
            );
        }
        check(6, |_| {}, b"");
        check(20, |_| {}, b"");
    }

    #[test]
    fn options_find_their_place() {
        check(
            64,
            |writer| {
                writer.option(OptionNumber(60), b"s").unwrap();
                writer.option(PATH, b"1").unwrap();
                writer.option(OptionNumber(300), b"x").unwrap();
                writer.option(OptionNumber(0), b"0").unwrap();
                writer.option(PATH, b"2").unwrap();
                writer.option(OptionNumber(299), b"").unwrap();
            },
            b"\x010\xb11\x012\xd1\x24s\xd0\xe2\x11x",
        );
    }

    // From 0 to 300 the delta takes two bytes more, from 290 to 300 none.
    #[test]
    fn the_option_behind_an_insertion_may_shrink() {
        check(
            11,
            |writer| {
                writer.option(OptionNumber(300), b"x").unwrap();
                assert_eq!(writer.len(), 10);
                writer.option(OptionNumber(290), b"").unwrap();
            },
            b"\xe0\0\x15\xa1x",
        );
    }

    #[test]
    fn an_insertion_without_room_changes_nothing() {
        check(
            11,
            |writer| {
                writer.option(OptionNumber(60), b"abc").unwrap();
                let error = writer.option(PATH, b"1").unwrap_err();
                assert_eq!(error, WriteError::NoSpace { needed: 13 });
                let error = writer.option(PATH, &[0; 65_805]).unwrap_err();
                assert_eq!(error, WriteError::ValueTooLong);
            },
            b"\xd3\x2fabc",
        );
    }

    #[test]
    fn nothing_comes_after_the_payload() {
        check(
            64,
            |writer| {
                writer.payload(b"").unwrap();
                writer.option(PATH, b"a").unwrap();
                writer.payload(b"p").unwrap();
                let written = Err(WriteError::PayloadWritten);
                assert_eq!(writer.option(OptionNumber(60), b""), written);
                assert_eq!(writer.option(OptionNumber(1), b""), written);
                assert_eq!(writer.payload(b"q"), written);
                assert_eq!(writer.payload(b""), Ok(()));
                let filled = writer.payload_with::<WriteError>(|_| panic!("called"));
                assert_eq!(filled, written);
            },
            b"\xb1a\xffp",
        );
    }

    #[test]
    fn a_payload_needs_room_for_its_marker() {
        check(
            8,
            |writer| {
                let error = writer.payload(b"ab").unwrap_err();
                assert_eq!(error, WriteError::NoSpace { needed: 9 });
                writer.payload(b"a").unwrap();
            },
            b"\xffa",
        );
    }

    #[test]
    fn a_payload_is_filled_in_place() {
        check(
            10,
            |writer| {
                writer
                    .payload_with(|room| {
                        assert_eq!(room.len(), 3);
                        room.fill(b'z');
                        Ok::<_, WriteError>(2)
                    })
                    .unwrap();
            },
            b"\xffzz",
        );
    }

    #[test]
    fn a_payload_may_fill_the_buffer_to_the_last_byte() {
        let fill = |room: &mut [u8]| {
            room.fill(b'z');
            Ok::<_, WriteError>(room.len())
        };
        check(9, |writer| writer.payload_with(fill).unwrap(), b"\xffzz");
        check(9, |writer| writer.payload(b"zz").unwrap(), b"\xffzz");
    }

    #[test]
    fn filling_nothing_writes_no_marker_and_fits_everywhere() {
        for size in [6, 7, 8] {
            check(
                size,
                |writer| {
                    writer
                        .payload_with(|room| {
                            assert_eq!(room.len(), size.saturating_sub(7));
                            Ok::<_, WriteError>(0)
                        })
                        .unwrap();
                },
                b"",
            );
        }
    }

    #[test]
    fn a_filler_that_fails_or_claims_too_much_leaves_no_payload() {
        #[derive(Debug, PartialEq)]
        enum Failure {
            Mine,
            Write(WriteError),
        }
        impl From<WriteError> for Failure {
            fn from(error: WriteError) -> Self {
                Self::Write(error)
            }
        }
        check(
            10,
            |writer| {
                let failed = writer.payload_with(|room| {
                    room.fill(b'z');
                    Err(Failure::Mine)
                });
                assert_eq!(failed, Err(Failure::Mine));
                for (claimed, needed) in [(4, 11), (usize::MAX, usize::MAX)] {
                    let failed = writer.payload_with(|_| Ok(claimed));
                    let no_space = WriteError::NoSpace { needed };
                    assert_eq!(failed, Err(Failure::Write(no_space)));
                }
                writer.option(PATH, b"a").unwrap();
            },
            b"\xb1a",
        );
        check(
            6,
            |writer| {
                let failed = writer.payload_with(|_| Ok::<_, WriteError>(1));
                assert_eq!(failed, Err(WriteError::NoSpace { needed: 8 }));
            },
            b"",
        );
    }

    #[test]
    fn an_empty_message_stays_empty() {
        let empty = Err(WriteError::EmptyMessage);
        let mut buffer = [0; 16];
        assert_eq!(
            MessageWriter::new(&mut buffer, PING, token()).err(),
            empty.err()
        );
        let mut writer = MessageWriter::new(&mut buffer, PING, Token::EMPTY).unwrap();
        assert_eq!(writer.option(PATH, b"a"), empty);
        assert_eq!(writer.payload(b"a"), empty);
        assert_eq!(writer.payload_with(|_| Ok::<_, WriteError>(1)), empty);
        assert_eq!(writer.payload(b""), Ok(()));
        assert_eq!(writer.finish(), PING.to_bytes());
    }

    #[test]
    fn the_code_can_still_change() {
        let mut buffer = [0; 32];
        let mut writer = MessageWriter::new(&mut buffer, CONTENT, token()).unwrap();
        writer.content_format(ContentFormat::JSON).unwrap();
        writer.set_code(Code::CHANGED);
        assert_eq!(writer.code(), Code::CHANGED);
        assert_eq!(writer.header().code, Code::CHANGED);
        writer.payload(b"{}").unwrap();
        assert_eq!(writer.as_bytes(), b"\x62\x44\0\x01\xaa\xbb\xc1\x32\xff{}");

        writer.restart(Code::NOT_FOUND);
        assert_eq!(writer.as_bytes(), b"\x62\x84\0\x01\xaa\xbb");
        writer.option(OptionNumber::IF_MATCH, b"").unwrap();
        writer.payload(b"gone").unwrap();
        assert_eq!(writer.as_bytes(), b"\x62\x84\0\x01\xaa\xbb\x10\xffgone");

        writer.restart(Code::EMPTY);
        assert_eq!(writer.as_bytes(), CONTENT.acknowledgement().to_bytes());
        writer.set_code(Code::CHANGED);
        writer.option(PATH, b"a").unwrap();
        assert_eq!(
            writer.as_bytes(),
            b"\x60\x44\0\x01\xb1a",
            "no token any more"
        );
    }

    #[test]
    fn typed_options_are_held_to_their_lengths() {
        let long = "x".repeat(256);
        check(
            300,
            |writer| {
                let too_long = Err(WriteError::ValueTooLong);
                assert_eq!(writer.uri_path(&long), too_long);
                assert_eq!(writer.uri_query(&long), too_long);
                assert_eq!(writer.location_path(&long), too_long);
                assert_eq!(writer.location_query(&long), too_long);
                assert_eq!(writer.etag(&[0; 9]), too_long);
                assert_eq!(writer.etag(&[]), Err(WriteError::ValueTooShort));
                assert_eq!(writer.uri_path("."), Err(WriteError::DotSegment));
                assert_eq!(writer.uri_path(".."), Err(WriteError::DotSegment));
                assert_eq!(writer.location_path(".."), Err(WriteError::DotSegment));
                writer.uri_path("...").unwrap();
                writer.uri_query(".").unwrap();
            },
            b"\xb3...\x41.",
        );
    }

    #[test]
    fn typed_options_read_back() {
        let block = BlockValue::new(5, true, 3).unwrap();
        let mut buffer = [0; 64];
        let mut writer = MessageWriter::new(&mut buffer, CONTENT, token()).unwrap();
        writer.size2(70_000).unwrap();
        writer.size1(0).unwrap();
        writer.block1(block).unwrap();
        writer.block2(block).unwrap();
        writer.observe(0x0100_0005).unwrap();
        writer.max_age(86_400).unwrap();
        writer.accept(ContentFormat::CBOR).unwrap();
        writer.location_query("a=b").unwrap();
        writer.etag(b"v1").unwrap();
        let message = Message::parse(writer.finish()).unwrap();
        assert_eq!(message.size2(), Some(70_000));
        assert_eq!(message.size1(), Some(0));
        assert_eq!(message.block1(), Some(Ok(block)));
        assert_eq!(message.block2(), Some(Ok(block)));
        assert_eq!(message.observe(), Some(5), "sequence numbers have 24 bits");
        assert_eq!(message.max_age(), Some(86_400));
        assert_eq!(message.accept(), Some(ContentFormat::CBOR));
        assert!(message.location_query().eq([b"a=b"]));
        assert_eq!(message.etag(), Some(&b"v1"[..]));
        assert_eq!(message.token(), token());
    }

    #[test]
    fn errors_say_what_stopped_it() {
        for (error, text) in [
            (
                WriteError::NoSpace { needed: 20 },
                "no space: the message needs 20 bytes up to here",
            ),
            (WriteError::ValueTooLong, "option value too long"),
            (WriteError::ValueTooShort, "option value too short"),
            (WriteError::DotSegment, "path segment \".\" or \"..\""),
            (WriteError::PayloadWritten, "the payload is already written"),
            (
                WriteError::EmptyMessage,
                "an Empty message has no token, options or payload",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
