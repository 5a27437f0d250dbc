//! What a message has elsewhere than in a datagram of RFC 7252: a long token, the head of a frame.

use super::MessageWriter;
use crate::copy::copy;
use crate::option::OptionHead;
use crate::{Code, Header, MessageId, MessageType, Token, WriteError};

/// The most that the length field of a token can express (RFC 8974 §2.1), even where a `usize` has 16 bits.
const LONGEST_TOKEN: u32 = 65804;

impl<'b> MessageWriter<'b> {
    /// Begins a message whose token may have up to 65804 bytes, for a peer that is known to take
    /// such (RFC 8974). Up to 8 bytes come out as from [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// [`WriteError::TokenTooLong`], or as [`new`](Self::new).
    ///
    /// ```
    /// use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter};
    ///
    /// let header = Header::new(MessageType::Confirmable, Code::GET, MessageId(0x2001));
    /// let mut buffer = [0; 32];
    /// let mut message = MessageWriter::with_extended_token(&mut buffer, header, b"thirteen byte")?;
    /// message.uri_path("3")?;
    /// assert_eq!(message.as_bytes(), b"\x4d\x01\x20\x01\x00thirteen byte\xb1\x33");
    /// # Ok::<(), coap_codec::WriteError>(())
    /// ```
    pub fn with_extended_token(buffer: &'b mut [u8], header: Header, token: &[u8]) -> Result<Self, WriteError> {
        if let Ok(token) = Token::new(token) {
            return Self::new(buffer, header, token);
        }
        if header.code.is_empty() {
            return Err(WriteError::EmptyMessage);
        }
        if u32::try_from(token.len()).map_or(true, |length| length > LONGEST_TOKEN) {
            return Err(WriteError::TokenTooLong);
        }
        // Its length is expressed as that of an option.
        let head = OptionHead::new(0, token.len())?;
        let mut field = [0; 5];
        head.write(&mut field);
        let (token_length, extension) = field.get(..head.len()).and_then(<[u8]>::split_first).unwrap_or((&0, &[]));
        let needed = Header::LEN.saturating_add(extension.len()).saturating_add(token.len());
        let mut writer = Self::new(buffer, header, Token::EMPTY)?;
        for part in [extension, token] {
            let end = writer.length.saturating_add(part.len());
            let room = writer.buffer.get_mut(writer.length..end).ok_or(WriteError::NoSpace { needed })?;
            copy(room, part);
            writer.length = end;
        }
        writer.start = writer.length;
        if let Some(first) = writer.buffer.first_chunk_mut() {
            *first = header.with_token_length(*token_length);
        }
        Ok(writer)
    }

    /// Begins a message that goes over TCP, where type and Message ID do not exist (RFC 8323 §2.1).
    /// End it with [`finish_tcp`](Self::finish_tcp), as until then it lies there as a datagram.
    ///
    /// The token may have up to 65804 bytes, as in [`with_extended_token`](Self::with_extended_token).
    ///
    /// # Errors
    ///
    /// As [`with_extended_token`](Self::with_extended_token); 4 bytes and the token are enough.
    ///
    /// ```
    /// use coap_codec::{Code, MessageWriter};
    ///
    /// let mut buffer = [0; 32];
    /// let mut message = MessageWriter::for_tcp(&mut buffer, Code::GET, &[1])?;
    /// message.uri_path("3")?;
    /// message.uri_path("0")?;
    /// assert_eq!(message.finish_tcp()?, b"\x41\x01\x01\xb13\x010");
    /// # Ok::<(), coap_codec::WriteError>(())
    /// ```
    pub fn for_tcp(buffer: &'b mut [u8], code: Code, token: &[u8]) -> Result<Self, WriteError> {
        let header = Header::new(MessageType::NonConfirmable, code, MessageId(0));
        Self::with_extended_token(buffer, header, token)
    }

    /// The message as a frame of a TCP stream, which has no type and no Message ID (RFC 8323 §3.2).
    ///
    /// Begin it with [`for_tcp`](Self::for_tcp), or as a datagram, of which type and Message ID are
    /// dropped. The frame ends where the datagram would, and is not longer than that, but for two
    /// bytes if options and payload have 65805 bytes or more.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSpace`] when these two bytes do not fit; the message is lost then.
    pub fn finish_tcp(self) -> Result<&'b [u8], WriteError> {
        let body = self.length.saturating_sub(self.start);
        let token_length = self.buffer.first().map_or(0, |first| first & 0x0f);
        let mut head = [0; 6];
        let (field, extension) = frame_length(body);
        let head_len = extension.len.saturating_add(2);
        let parts = [&[(field << 4) | token_length][..], extension.as_bytes(), &[self.header.code.to_byte()]];
        for (to, from) in head.iter_mut().zip(parts.iter().copied().flatten()) {
            *to = *from;
        }
        // It ends where the header of the datagram did, so that the token stays where it is.
        let mut start = Header::LEN.saturating_sub(head_len);
        let mut end = self.length;
        if head_len > Header::LEN {
            let shift = head_len.saturating_sub(Header::LEN);
            end = end.saturating_add(shift);
            let moving = self.buffer.get_mut(Header::LEN..end).ok_or(WriteError::NoSpace { needed: end })?;
            // From behind, as both lie over each other. Only frames of 64 KiB and more come here.
            for to in (shift..moving.len()).rev() {
                let byte = to.checked_sub(shift).and_then(|from| moving.get(from).copied());
                if let (Some(byte), Some(place)) = (byte, moving.get_mut(to)) {
                    *place = byte;
                }
            }
            start = 0;
        }
        let buffer: &'b mut [u8] = self.buffer;
        let frame = buffer.get_mut(start..end).unwrap_or_default();
        for (to, from) in frame.iter_mut().zip(head.iter().take(head_len)) {
            *to = *from;
        }
        Ok(frame)
    }
}

/// Up to four bytes.
struct Extension {
    bytes: [u8; 4],
    len: usize,
}

impl Extension {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(4_usize.saturating_sub(self.len)..).unwrap_or_default()
    }
}

/// The four bits for a frame of this many bytes of options and payload, and the bytes that follow
/// (RFC 8323 §3.2).
fn frame_length(body: usize) -> (u8, Extension) {
    // No buffer on any machine of today is longer than what 32 bits can express here.
    let body = u32::try_from(body).unwrap_or(u32::MAX);
    let (field, base, len) = match body {
        0..13 => ((body & 0x0f) as u8, body, 0),
        13..269 => (13, 13, 1),
        269..65805 => (14, 269, 2),
        _ => (15, 65805, 4),
    };
    (field, Extension { bytes: body.saturating_sub(base).to_be_bytes(), len })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OptionNumber, tcp};
    use alloc::vec;
    use alloc::vec::Vec;

    // RFC 8323 §3.2, at every border.
    #[test]
    fn the_length_of_a_frame_takes_no_one_two_or_four_bytes() {
        for (body, field, extension) in [
            (0, 0, &[][..]),
            (12, 12, &[]),
            (13, 13, &[0]),
            (268, 13, &[255]),
            (269, 14, &[0, 0]),
            (65804, 14, &[255, 255]),
            (65805, 15, &[0, 0, 0, 0]),
            (65805 + 0x0102_0304, 15, &[1, 2, 3, 4]),
        ] {
            let (actual, bytes) = frame_length(body);
            assert_eq!((actual, bytes.as_bytes()), (field, extension), "{body}");
        }
    }

    fn frame(token: &[u8], payload_len: usize, room: usize) -> Result<Vec<u8>, WriteError> {
        let mut buffer = vec![0xee; room];
        let mut writer = MessageWriter::for_tcp(&mut buffer, Code::CONTENT, token)?;
        writer.payload(&vec![b'x'; payload_len])?;
        writer.finish_tcp().map(<[u8]>::to_vec)
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn a_frame_of_every_length_class_is_read_back() {
        for payload_len in [0, 1, 11, 12, 267, 268, 65803, 65804, 65805] {
            for token in [&[][..], &[1; 8], &[2; 9], &[3; 12], &[4; 13], &[5; 269]] {
                let bytes = frame(token, payload_len, 70_000).unwrap();
                let limits = tcp::Limits::new(bytes.len()).with_extended_tokens();
                let front = tcp::parse(&bytes, limits).unwrap();
                let tcp::Frame::Complete { message, length } = front else { panic!("{front:?}") };
                assert_eq!((message.token(), message.payload().len()), (token, payload_len));
                assert_eq!(length, bytes.len());
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn a_frame_needs_no_more_room_than_its_datagram_up_to_65804_bytes() {
        assert!(frame(&[], 65803, 4 + 65804).is_ok());
        assert_eq!(frame(&[], 65804, 4 + 65805), Err(WriteError::NoSpace { needed: 6 + 65805 }));
        assert!(frame(&[], 65804, 6 + 65805).is_ok());
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn a_token_may_have_up_to_65804_bytes_and_no_more() {
        let mut buffer = vec![0; 65820];
        for len in [0, 8, 9, 12, 13, 268, 269, 65804] {
            let token = vec![7; len];
            let writer = MessageWriter::for_tcp(&mut buffer, Code::GET, &token).unwrap();
            let (_, message) = crate::MessageView::parse_with_extended_token(writer.as_bytes()).unwrap();
            assert_eq!(message.token(), token);
        }
        let mut new = |code, len| MessageWriter::for_tcp(&mut buffer, code, &vec![7; len]).err();
        assert_eq!(new(Code::GET, 65805), Some(WriteError::TokenTooLong));
        assert_eq!(new(Code::EMPTY, 9), Some(WriteError::EmptyMessage));
        let no_space = MessageWriter::for_tcp(&mut [0; 17], Code::GET, &[7; 13]).err();
        assert_eq!(no_space, Some(WriteError::NoSpace { needed: 18 }));
    }

    #[test]
    fn what_comes_behind_a_long_token_can_be_dropped_and_put_in_any_order() {
        for len in [9, 13, 300] {
            let token = vec![7; len];
            let mut buffer = vec![0; 400];
            let mut writer = MessageWriter::for_tcp(&mut buffer, Code::GET, &token).unwrap();
            let before = writer.len();
            writer.option(OptionNumber(60), b"z").unwrap();
            writer.option(OptionNumber(1), b"a").unwrap();
            let (_, message) = crate::MessageView::parse_with_extended_token(writer.as_bytes()).unwrap();
            assert!(message.options().map(|option| option.number.0).eq([1, 60]));
            writer.restart(Code::NOT_FOUND);
            assert_eq!(writer.len(), before);
            let (_, message) = crate::MessageView::parse_with_extended_token(writer.as_bytes()).unwrap();
            assert_eq!((message.code(), message.token()), (Code::NOT_FOUND, &token[..]));
        }
    }
}
