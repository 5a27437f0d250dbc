//! Writing a message into any [`BufMut`].

use core::fmt;

use bytes::BufMut;

use crate::option::{MARKER, OptionHead, encode_uint};
use crate::{Header, OptionNumber, Token, WriteError};

/// Writes one message to the end of a [`BufMut`], such as a `BytesMut` that is cut off and sent.
///
/// What is written cannot be changed any more, so options come in ascending order; for any order,
/// and for all the typed options, write into a slice with
/// [`MessageWriter`](crate::MessageWriter). Before any byte of a part is written, there is room for
/// all of it: a part that fails leaves what was written before, which is a whole message at any time.
///
/// ```
/// use bytes::BytesMut;
/// use coap_codec::{BufMutWriter, Code, Header, MessageId, MessageType, OptionNumber, Token};
///
/// let header = Header::new(MessageType::NonConfirmable, Code::CONTENT, MessageId(0x2001));
/// let mut buffer = BytesMut::with_capacity(1152);
/// let mut message = BufMutWriter::new(&mut buffer, header, Token::EMPTY)?;
/// message.uint(OptionNumber::OBSERVE, 12)?;
/// message.option(OptionNumber::CONTENT_FORMAT, &[])?;
/// message.payload(b"100")?;
/// let datagram = buffer.split().freeze();
/// assert_eq!(datagram, &b"\x50\x45\x20\x01\x61\x0c\x60\xff100"[..]);
/// # Ok::<(), coap_codec::WriteError>(())
/// ```
pub struct BufMutWriter<'b, B> {
    buffer: &'b mut B,
    /// How many bytes the message has.
    length: usize,
    is_empty_message: bool,
    last: OptionNumber,
    has_payload: bool,
}

#[allow(clippy::len_without_is_empty, reason = "there is always a header, so it would be false at all times")]
impl<'b, B: BufMut> BufMutWriter<'b, B> {
    /// Begins a message with its header and token.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSpace`] when [`BufMut::remaining_mut`] is less than these 4 to 12 bytes;
    /// [`WriteError::EmptyMessage`] for code 0.00 with a token.
    pub fn new(buffer: &'b mut B, header: Header, token: Token) -> Result<Self, WriteError> {
        if header.code.is_empty() && !token.is_empty() {
            return Err(WriteError::EmptyMessage);
        }
        let mut writer = Self {
            buffer,
            length: 0,
            is_empty_message: header.code.is_empty(),
            last: OptionNumber(0),
            has_payload: false,
        };
        writer.put(&[&header.with_token_length(token.wire_len()), token.as_bytes()])?;
        Ok(writer)
    }

    /// Adds an option whose number is that of the last one or larger. Its length is not checked
    /// against the registry.
    ///
    /// # Errors
    ///
    /// [`WriteError::OutOfOrder`]; [`WriteError::NoSpace`]; [`WriteError::ValueTooLong`] above 65804
    /// bytes; [`WriteError::PayloadWritten`]; [`WriteError::EmptyMessage`] for code 0.00.
    pub fn option(&mut self, number: OptionNumber, value: &[u8]) -> Result<(), WriteError> {
        self.check_open()?;
        let delta = number.0.checked_sub(self.last.0).ok_or(WriteError::OutOfOrder)?;
        let head = OptionHead::new(delta, value.len())?;
        let mut bytes = [0; 5];
        head.write(&mut bytes);
        self.put(&[bytes.get(..head.len()).unwrap_or_default(), value])?;
        self.last = number;
        Ok(())
    }

    /// Adds an option that holds a number, in the fewest bytes: none for 0 (RFC 7252 §3.2).
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn uint(&mut self, number: OptionNumber, value: u32) -> Result<(), WriteError> {
        self.option(number, encode_uint(value, &mut [0; 4]))
    }

    /// Adds the payload, with the marker before it. An empty one changes nothing.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSpace`]; [`WriteError::PayloadWritten`] if there is one;
    /// [`WriteError::EmptyMessage`] for code 0.00.
    pub fn payload(&mut self, payload: &[u8]) -> Result<(), WriteError> {
        if payload.is_empty() {
            return Ok(());
        }
        self.check_open()?;
        self.put(&[&[MARKER], payload])?;
        self.has_payload = true;
        Ok(())
    }

    /// How many bytes the message has so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    const fn check_open(&self) -> Result<(), WriteError> {
        if self.is_empty_message {
            Err(WriteError::EmptyMessage)
        } else if self.has_payload {
            Err(WriteError::PayloadWritten)
        } else {
            Ok(())
        }
    }

    /// Writes all of these or nothing.
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), WriteError> {
        let added = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let needed = self.length.saturating_add(added);
        if self.buffer.remaining_mut() < added {
            return Err(WriteError::NoSpace { needed });
        }
        for part in parts {
            self.buffer.put_slice(part);
        }
        self.length = needed;
        Ok(())
    }
}

impl<B: BufMut> fmt::Debug for BufMutWriter<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufMutWriter")
            .field("length", &self.length)
            .field("remaining", &self.buffer.remaining_mut())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Message, MessageId, MessageType, MessageWriter};
    use alloc::vec::Vec;
    use bytes::BytesMut;

    const HEADER: Header =
        Header { message_type: MessageType::Confirmable, code: Code::POST, message_id: MessageId(7) };

    #[test]
    fn it_writes_what_the_writer_of_slices_writes() {
        let token = Token::new(&[1, 2, 3]).unwrap();
        let mut slice = [0; 2000];
        let mut expected = MessageWriter::new(&mut slice, HEADER, token).unwrap();
        let mut bytes = BytesMut::new();
        bytes.extend_from_slice(b"before");
        let mut writer = BufMutWriter::new(&mut bytes, HEADER, token).unwrap();
        for (number, length) in [(0, 0), (11, 12), (11, 13), (15, 255), (35, 269), (300, 0), (65535, 1)] {
            let value = alloc::vec![0xff; length];
            expected.option(OptionNumber(number), &value).unwrap();
            writer.option(OptionNumber(number), &value).unwrap();
        }
        expected.uint(OptionNumber(65535), 0x1234).unwrap();
        writer.uint(OptionNumber(65535), 0x1234).unwrap();
        expected.payload(b"end").unwrap();
        writer.payload(b"end").unwrap();
        assert_eq!(writer.len(), expected.len());
        assert_eq!(bytes.split_off(6), expected.finish());
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn a_part_that_fails_leaves_the_message_before_it() {
        // A slice is a `BufMut` that does not grow.
        let mut room = [0xee; 12];
        let mut buffer = &mut room[..];
        let mut writer = BufMutWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
        writer.option(OptionNumber(60), b"ab").unwrap();
        assert_eq!(writer.option(OptionNumber(59), b""), Err(WriteError::OutOfOrder));
        assert_eq!(writer.option(OptionNumber(60), &alloc::vec![0; 65805]), Err(WriteError::ValueTooLong));
        assert_eq!(writer.option(OptionNumber(61), b"abcd"), Err(WriteError::NoSpace { needed: 13 }));
        assert_eq!(writer.payload(b"abcd"), Err(WriteError::NoSpace { needed: 13 }));
        writer.payload(b"").unwrap();
        writer.payload(b"abc").unwrap();
        assert_eq!(writer.payload(b"d"), Err(WriteError::PayloadWritten));
        assert_eq!(writer.option(OptionNumber(70), b""), Err(WriteError::PayloadWritten));
        assert_eq!(writer.len(), 12);
        let message = Message::parse(&room).unwrap();
        assert_eq!((message.options().count(), message.payload()), (1, &b"abc"[..]));
    }

    #[test]
    fn there_is_room_for_the_head_or_nothing_is_written() {
        let token = Token::from([9; 8]);
        for size in 0..12 {
            let mut room = [0xee; 12];
            let mut buffer = &mut room[..size];
            let error = BufMutWriter::new(&mut buffer, HEADER, token).err();
            assert_eq!(error, Some(WriteError::NoSpace { needed: 12 }));
            assert_eq!(buffer.len(), size);
        }
    }

    #[test]
    fn an_empty_message_stays_empty() {
        let ping = Header::empty(MessageType::Confirmable, MessageId(1));
        let mut bytes = Vec::new();
        assert_eq!(BufMutWriter::new(&mut bytes, ping, Token::from([0; 8])).err(), Some(WriteError::EmptyMessage));
        let mut writer = BufMutWriter::new(&mut bytes, ping, Token::EMPTY).unwrap();
        assert_eq!(writer.option(OptionNumber(1), b""), Err(WriteError::EmptyMessage));
        assert_eq!(writer.payload(b"x"), Err(WriteError::EmptyMessage));
        assert_eq!(bytes, ping.to_bytes());
    }
}
