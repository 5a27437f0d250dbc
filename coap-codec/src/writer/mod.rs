//! Writing a message into a buffer of the caller's.

mod append;
mod further;
mod insert;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod typed;

use core::fmt;

use crate::copy::{copy, copy_short, put};
use crate::option::{MARKER, OptionHead};
use crate::{Code, Header, MessageId, OptionNumber, Token, WriteError};

/// Writes one message, part by part, into a borrowed buffer.
///
/// Header and token come first, then options in any order, then the payload. What has been
/// written at any time is a whole message ([`as_bytes`](Self::as_bytes)), and a part that fails
/// leaves it as it was: one can leave the part out and go on, or [`restart`](Self::restart).
///
/// ```
/// use coap_codec::{Code, ContentFormat, Header, MessageId, MessageType, MessageWriter, Token};
///
/// let header = Header::new(MessageType::Acknowledgement, Code::CONTENT, MessageId(0x2001));
/// let mut buffer = [0; 64];
/// let mut message = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
/// message.content_format(ContentFormat::TEXT_PLAIN)?;
/// message.observe(12)?;
/// message.payload(b"100")?;
/// assert_eq!(message.finish(), b"\x60\x45\x20\x01\x61\x0c\x60\xff100");
/// # Ok::<(), coap_codec::WriteError>(())
/// ```
///
/// Refused is what would not parse, and by the methods for one option what that must not have. All
/// else can be written, even a request in an ACK: so a test can send one.
pub struct MessageWriter<'b> {
    buffer: &'b mut [u8],
    /// How much of the buffer is the message.
    length: usize,
    header: Header,
    /// Where the options begin.
    start: usize,
    /// The number of the last option, 0 before the first.
    last: OptionNumber,
    /// Whether an option or a payload may be added: there is a code, and no payload yet.
    is_open: bool,
}

#[allow(clippy::len_without_is_empty, reason = "there is always a header, so it would be false at all times")]
impl<'b> MessageWriter<'b> {
    /// Begins a message with its header and token, in a buffer, whatever it holds.
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
        let length = Header::LEN.saturating_add(token.len());
        if buffer.len() < length {
            return Err(WriteError::NoSpace { needed: length });
        }
        if let Some((first, rest)) = buffer.split_first_chunk_mut() {
            *first = header.with_token_length(token.wire_len());
            token.write(rest);
        }
        Ok(Self { buffer, length, header, start: length, last: OptionNumber(0), is_open: !header.code.is_empty() })
    }

    /// Adds an option, behind those of the same number (RFC 7252 §3.1).
    ///
    /// Options may come in any order. In ascending order each costs the bytes that it takes; one
    /// with a smaller number than the last is put in its place by walking over the options and
    /// moving all that follow, so that n options in the worst order cost n² steps.
    ///
    /// Neither the length nor the number of occurrences is checked against the
    /// [`OPTION_REGISTRY`](crate::OPTION_REGISTRY).
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
            // What is lent out has to be in memory: this is a writer of its own, so that the one of
            // the caller can be kept in registers.
            let mut writer = MessageWriter { buffer: &mut *self.buffer, ..*self };
            writer.insert(number, value)?;
            self.length = writer.length;
            return Ok(());
        };
        let room = self.buffer.get_mut(self.length..);
        let Some(written) = room.and_then(|room| put_option(room, delta, value)) else {
            return Err(option_refused(self.length, delta, value));
        };
        // Within the buffer.
        self.length = self.length.wrapping_add(written);
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
            return Err(no_space(self.length, 1, payload));
        };
        // The rest is the end of the buffer.
        self.length = capacity.wrapping_sub(rest.len());
        self.is_open = false;
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
    /// # let header = Header::new(MessageType::NonConfirmable, Code::POST, MessageId(1));
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
        let written = fill(self.payload_room()?)?;
        Ok(self.end_payload(written)?)
    }

    /// Where a payload goes, behind its marker.
    fn payload_room(&mut self) -> Result<&mut [u8], WriteError> {
        self.check_open()?;
        Ok(self.buffer.get_mut(self.length.saturating_add(1)..).unwrap_or_default())
    }

    /// There are so many bytes of payload.
    fn end_payload(&mut self, written: usize) -> Result<(), WriteError> {
        if written == 0 {
            return Ok(());
        }
        let needed = self.length.saturating_add(1).saturating_add(written);
        match self.buffer.get_mut(self.length..needed) {
            Some([marker, ..]) => *marker = MARKER,
            _ => return Err(WriteError::NoSpace { needed }),
        }
        self.length = needed;
        self.is_open = false;
        Ok(())
    }

    /// How many bytes of the buffer are free. A payload takes one more than its length.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.buffer.len().saturating_sub(self.length)
    }

    /// What the header holds by now.
    #[inline]
    #[must_use]
    pub const fn header(&self) -> Header {
        self.header
    }

    /// The code that the message has by now.
    #[inline]
    #[must_use]
    pub const fn code(&self) -> Code {
        self.header.code
    }

    /// Replaces the Message ID: to send what was written as another message.
    pub fn set_message_id(&mut self, message_id: MessageId) {
        self.header.message_id = message_id;
        if let Some([_, _, high, low]) = self.buffer.first_chunk_mut() {
            [*high, *low] = message_id.0.to_be_bytes();
        }
    }

    /// Replaces the code.
    ///
    /// [`Code::EMPTY`] drops all that follows the header, as such a message has nothing else; the
    /// token does not come back with another code.
    pub fn set_code(&mut self, code: Code) {
        // An Empty message has no payload.
        self.is_open |= self.header.code.is_empty();
        self.header.code = code;
        if code.is_empty() {
            if let Some(first) = self.buffer.first_chunk_mut() {
                *first = self.header.to_bytes();
            }
            self.start = Header::LEN;
            self.drop_body();
            self.is_open = false;
        } else if let Some([_, byte, ..]) = self.buffer.first_chunk_mut::<{ Header::LEN }>() {
            *byte = code.to_byte();
        }
    }

    /// Drops the options and the payload and sets the code, for an answer that turns out to be
    /// another one. [`Code::EMPTY`] drops the token, too.
    #[inline]
    pub fn restart(&mut self, code: Code) {
        self.drop_body();
        self.set_code(code);
    }

    /// The message so far.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// How many bytes the message has so far.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// The datagram, for as long as the buffer is borrowed. For TCP:
    /// [`finish_tcp`](Self::finish_tcp).
    #[inline]
    #[must_use]
    pub fn finish(self) -> &'b [u8] {
        let buffer: &'b [u8] = self.buffer;
        buffer.get(..self.length).unwrap_or_default()
    }

    /// Whether an option or a payload may be added.
    #[inline]
    const fn check_open(&self) -> Result<(), WriteError> {
        match self.is_open {
            true => Ok(()),
            false if self.header.code.is_empty() => Err(WriteError::EmptyMessage),
            false => Err(WriteError::PayloadWritten),
        }
    }

    #[inline]
    fn drop_body(&mut self) {
        self.length = self.start;
        self.last = OptionNumber(0);
        self.is_open = true;
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

/// For a part that has no room behind `length` bytes.
#[cold]
fn no_space(length: usize, head_len: usize, value: &[u8]) -> WriteError {
    WriteError::NoSpace { needed: length.saturating_add(head_len).saturating_add(value.len()) }
}

/// For an option that could not be written.
#[cold]
fn option_refused(length: usize, delta: u16, value: &[u8]) -> WriteError {
    match OptionHead::new(delta, value.len()) {
        Ok(head) => no_space(length, head.len(), value),
        Err(error) => error,
    }
}

/// Writes an option to the front of `room` and returns how many bytes it takes, or `None` if it
/// does not fit or cannot be.
#[inline]
fn put_option(room: &mut [u8], delta: u16, value: &[u8]) -> Option<usize> {
    // Nearly all options have a head of one byte.
    if delta < 13 && value.len() < 13 {
        let needed = value.len().wrapping_add(1);
        let (head, room) = room.get_mut(..needed)?.split_first_mut()?;
        #[allow(clippy::cast_possible_truncation, reason = "both are below 13")]
        let nibbles = ((delta << 4) as u8) | (value.len() as u8);
        *head = nibbles;
        copy_short(room, value);
        return Some(needed);
    }
    put_long_option(room, delta, value)
}

/// [`put_option`] for any length of the head.
#[inline(never)]
fn put_long_option(room: &mut [u8], delta: u16, value: &[u8]) -> Option<usize> {
    let available = room.len();
    let rest = put(OptionHead::new(delta, value.len()).ok()?.write(room)?, value)?;
    Some(available.wrapping_sub(rest.len()))
}

/// Writes marker and payload to the front of `room` and returns the rest.
#[inline]
fn put_payload<'r>(room: &'r mut [u8], payload: &[u8]) -> Option<&'r mut [u8]> {
    let (marker, room) = room.split_first_mut()?;
    let (room, rest) = room.split_at_mut_checked(payload.len())?;
    *marker = MARKER;
    copy(room, payload);
    Some(rest)
}
