//! A request of ours that takes more than one message: its body is sent block by block when it does not
//! fit a datagram (Block1; RFC 7959, section 2.5), or its server wants to be sure that it is not an old
//! one (Echo; RFC 9175, section 2.3).
//!
//! Nothing of the body is kept: it is made again for each block.

use alloc::boxed::Box;

use coap_codec::{BlockValue, Code, Message, MessageWriter, OptionNumber, WriteError};

use crate::base::features::BLOCKWISE;

/// Block1 with three bytes, Size1 with four, and the payload marker, as they follow other options.
const OVERHEAD: usize = 5 + 6 + 1;

/// What Echo has before a value of so many bytes, or none where there is none.
const fn echo_head(length: usize) -> usize {
    match length {
        0 => 0,
        1..=12 => 2,
        _ => 3,
    }
}

/// Fills a buffer with the part of the body that begins at an offset, and tells how long the body is.
pub(crate) type Body<'a> = dyn Fn(&mut [u8], usize) -> Result<usize, WriteError> + 'a;

/// How far a request is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Upload {
    /// What the server wants to see again, so that it knows that the request is of now; empty until it does.
    /// Another one is not taken then: the request would go to and fro for ever.
    echo: Box<[u8]>,
    /// Whether the request can be sent once more.
    heeds_echo: bool,
    /// How many bytes the server has taken.
    offset: u32,
    /// The largest block that may be sent, as its exponent; none while the body goes out as a whole.
    largest: Option<u8>,
    /// What of the body is on its way.
    sent: Sent,
    /// Whether it began anew already.
    retried: bool,
}

/// A part of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Sent {
    /// None: the request has no body.
    #[default]
    Nothing,
    Whole,
    Block(BlockValue),
}

impl Upload {
    /// Writes what comes after all other options: the Echo, if the server asked for one, and the payload, if there
    /// is any: all of it if that fits and nothing else is asked for, else the next block of it.
    pub(crate) fn write(&mut self, writer: &mut MessageWriter<'_>, body: Option<&Body<'_>>) -> Result<(), WriteError> {
        self.heeds_echo = BLOCKWISE;
        let Some(body) = body else { return self.write_echo(writer) };
        let total = body(&mut [], 0)?;
        let too_long = WriteError::NoSpace { needed: total };
        let echo = self.echo.len().saturating_add(echo_head(self.echo.len()));
        let room = writer.remaining().saturating_sub(echo);
        let (mut offset, mut length) = (0, total);
        if self.largest.is_none() && (total == 0 || total < room) {
            self.sent = Sent::Whole;
        } else if BLOCKWISE {
            let fits = BlockValue::szx_for(room.saturating_sub(OVERHEAD)).ok_or(too_long)?;
            let szx = self.largest.map_or(fits, |largest| largest.min(fits));
            offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
            let left = total.saturating_sub(offset);
            let block = BlockValue::at_offset(self.offset, left > 16 << szx, szx).map_err(|_| too_long)?;
            length = left.min(block.size());
            writer.append_uint(OptionNumber::BLOCK1, block.to_uint())?;
            if offset == 0 {
                writer.append_uint(OptionNumber::SIZE1, u32::try_from(total).unwrap_or(u32::MAX))?;
            }
            self.largest = Some(szx);
            self.sent = Sent::Block(block);
        } else {
            return Err(too_long);
        }
        self.write_echo(writer)?;
        writer.payload_with(|room| {
            let again = body(room.get_mut(..length).unwrap_or_default(), offset)?;
            if again == total { Ok(length) } else { Err(WriteError::NoSpace { needed: again }) }
        })
    }

    fn write_echo(&self, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        if BLOCKWISE && !self.echo.is_empty() { writer.append(OptionNumber::ECHO, &self.echo) } else { Ok(()) }
    }

    /// Whether a response only wants the request once more, with its Echo.
    fn take_echo(&mut self, response: &Message<'_>) -> bool {
        if response.code() != Code::UNAUTHORIZED || !self.heeds_echo || !self.echo.is_empty() {
            return false;
        }
        response.echo().is_some_and(|told| {
            self.echo = told.into();
            true
        })
    }

    /// Takes a response. True when it only wants the next block, or the request once more in another way.
    pub(crate) fn answered(&mut self, response: &Message<'_>) -> bool {
        if !BLOCKWISE {
            return false;
        }
        if self.take_echo(response) {
            return true;
        }
        if self.sent == Sent::Nothing {
            return false;
        }
        let asked = response.block1().and_then(Result::ok);
        match (response.code(), self.sent) {
            (Code::CONTINUE, Sent::Block(sent)) => {
                // In smaller blocks from here on, if the server wants it (RFC 7959, section 2.3).
                let Some(asked) = asked.filter(|asked| asked.num() == sent.num() && sent.more()) else { return false };
                self.offset = sent.offset().saturating_add(u32::try_from(sent.size()).unwrap_or(u32::MAX));
                self.largest = Some(sent.szx().min(asked.szx()));
                true
            }
            (Code::REQUEST_ENTITY_INCOMPLETE, Sent::Block(_)) => self.retry(self.largest),
            (Code::REQUEST_ENTITY_TOO_LARGE, sent) => {
                // Only a hint at smaller blocks gives another try a chance.
                let smaller = |szx: &u8| !matches!(sent, Sent::Block(sent) if sent.szx() <= *szx);
                let hint = asked.map(BlockValue::szx).filter(smaller);
                hint.is_some() && self.retry(hint)
            }
            _ => false,
        }
    }

    /// From the beginning, once.
    fn retry(&mut self, largest: Option<u8>) -> bool {
        self.largest = largest;
        self.restart();
        !core::mem::replace(&mut self.retried, true)
    }

    /// The body is another one now: from the beginning.
    pub(crate) const fn restart(&mut self) {
        self.offset = 0;
    }
}

#[cfg(test)]
#[cfg(feature = "blockwise")]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use coap_codec::{Header, MessageId, MessageType, Token};

    const HEADER: Header =
        Header { message_type: MessageType::Acknowledgement, code: Code::EMPTY, message_id: MessageId(1) };

    fn header(code: Code) -> Header {
        Header { code, ..HEADER }
    }

    /// A response with this code and this Block1 option.
    fn answer(upload: &mut Upload, code: Code, block: Option<(u32, u8)>) -> bool {
        let mut buffer = [0; 16];
        let mut writer = MessageWriter::new(&mut buffer, header(code), Token::EMPTY).unwrap();
        if let Some((num, szx)) = block {
            writer.block1(BlockValue::new(num, true, szx).unwrap()).unwrap();
        }
        upload.answered(&Message::parse(writer.finish()).unwrap())
    }

    /// What is sent of a body of `total` bytes in a buffer of `room`.
    fn send(upload: &mut Upload, total: usize, room: usize) -> Option<(Option<BlockValue>, Vec<u8>)> {
        let body = |room: &mut [u8], offset: usize| {
            room.iter_mut().zip(offset..total).for_each(|(place, at)| *place = at as u8);
            Ok(total)
        };
        let mut buffer = alloc::vec![0; room];
        let mut writer = MessageWriter::new(&mut buffer, header(Code::POST), Token::EMPTY).unwrap();
        upload.write(&mut writer, Some(&body)).ok()?;
        let message = Message::parse(writer.as_bytes()).unwrap();
        Some((message.block1().map(Result::unwrap), message.payload().to_vec()))
    }

    fn bytes(range: core::ops::Range<usize>) -> Vec<u8> {
        range.map(|at| at as u8).collect()
    }

    fn block(num: u32, more: bool, szx: u8) -> Option<BlockValue> {
        Some(BlockValue::new(num, more, szx).unwrap())
    }

    #[test]
    fn a_body_that_fits_goes_as_a_whole_and_a_longer_one_in_the_largest_blocks() {
        assert_eq!(send(&mut Upload::default(), 95, 100), Some((None, bytes(0..95))));
        assert_eq!(send(&mut Upload::default(), 96, 100), Some((block(0, true, 2), bytes(0..64))));
        assert_eq!(send(&mut Upload::default(), 96, 79), Some((block(0, true, 1), bytes(0..32))));
        assert_eq!(send(&mut Upload::default(), 96, 32), Some((block(0, true, 0), bytes(0..16))));
        assert_eq!(send(&mut Upload::default(), 96, 31), None, "not even the smallest block");
        // No response to a request without a body is about blocks.
        assert!(!answer(&mut Upload::default(), Code::REQUEST_ENTITY_TOO_LARGE, Some((0, 0))));
    }

    #[test]
    fn a_block_follows_where_the_one_before_it_ended() {
        let mut upload = Upload::default();
        send(&mut upload, 150, 100);
        assert!(answer(&mut upload, Code::CONTINUE, Some((0, 2))));
        assert_eq!(send(&mut upload, 150, 100), Some((block(1, true, 2), bytes(64..128))));
        // Not larger, whatever the server says.
        assert!(answer(&mut upload, Code::CONTINUE, Some((1, 6))));
        assert_eq!(send(&mut upload, 150, 100), Some((block(2, false, 2), bytes(128..150))));
        assert!(!answer(&mut upload, Code::CONTINUE, Some((2, 2))), "the last block has no next one");
        // One of whole blocks ends with its last.
        let mut upload = Upload::default();
        send(&mut upload, 128, 100);
        assert!(answer(&mut upload, Code::CONTINUE, Some((0, 2))));
        assert_eq!(send(&mut upload, 128, 100), Some((block(1, false, 2), bytes(64..128))));
        // Smaller ones; also because there is less room.
        let mut upload = Upload::default();
        send(&mut upload, 150, 100);
        assert!(answer(&mut upload, Code::CONTINUE, Some((0, 0))));
        assert_eq!(send(&mut upload, 150, 100), Some((block(4, true, 0), bytes(64..80))));
        // 2.31 about something else.
        assert!(!answer(&mut upload, Code::CONTINUE, Some((0, 0))));
        assert!(!answer(&mut upload, Code::CONTINUE, None));
    }

    #[test]
    fn it_begins_anew_once() {
        let mut upload = Upload::default();
        send(&mut upload, 150, 100);
        assert!(answer(&mut upload, Code::CONTINUE, Some((0, 2))));
        send(&mut upload, 150, 100);
        assert!(answer(&mut upload, Code::REQUEST_ENTITY_INCOMPLETE, None));
        assert_eq!(send(&mut upload, 150, 100), Some((block(0, true, 2), bytes(0..64))));
        assert!(!answer(&mut upload, Code::REQUEST_ENTITY_INCOMPLETE, None));
        assert!(!answer(&mut upload, Code::REQUEST_ENTITY_TOO_LARGE, Some((0, 0))));
        // In smaller blocks, also when it was not in blocks so far; or not at all.
        let mut upload = Upload::default();
        send(&mut upload, 50, 100);
        assert!(!answer(&mut upload, Code::REQUEST_ENTITY_INCOMPLETE, None), "it was whole");
        assert!(!answer(&mut upload, Code::REQUEST_ENTITY_TOO_LARGE, None));
        assert!(answer(&mut upload, Code::REQUEST_ENTITY_TOO_LARGE, Some((0, 1))));
        assert_eq!(send(&mut upload, 50, 100), Some((block(0, true, 1), bytes(0..32))));
    }

    fn unauthorized(upload: &mut Upload, code: Code, echo: Option<&[u8]>) -> bool {
        let mut buffer = [0; 64];
        let mut writer = MessageWriter::new(&mut buffer, header(code), Token::EMPTY).unwrap();
        if let Some(echo) = echo {
            writer.option(OptionNumber::ECHO, echo).unwrap();
        }
        upload.answered(&Message::parse(writer.finish()).unwrap())
    }

    fn echo_of(upload: &mut Upload) -> Option<Vec<u8>> {
        let mut buffer = [0; 64];
        let mut writer = MessageWriter::new(&mut buffer, header(Code::POST), Token::EMPTY).unwrap();
        upload.write(&mut writer, None).unwrap();
        Message::parse(writer.as_bytes()).unwrap().echo().map(<[u8]>::to_vec)
    }

    #[test]
    fn what_a_server_wants_echoed_is_echoed_once_and_only_by_those_who_can() {
        for echo in [&b"1"[..], &[7; 40]] {
            let mut upload = Upload::default();
            assert!(!unauthorized(&mut upload, Code::UNAUTHORIZED, Some(echo)), "nobody writes it again");
            assert_eq!(echo_of(&mut upload), None);
            assert!(!unauthorized(&mut upload, Code::UNAUTHORIZED, None));
            assert!(!unauthorized(&mut upload, Code::FORBIDDEN, Some(echo)));
            assert!(unauthorized(&mut upload, Code::UNAUTHORIZED, Some(echo)));
            assert_eq!(echo_of(&mut upload), Some(echo.to_vec()));
            assert!(!unauthorized(&mut upload, Code::UNAUTHORIZED, Some(b"2")), "for ever");
            assert_eq!(echo_of(&mut upload), Some(echo.to_vec()));
        }
        // Neither is an Echo.
        for no_echo in [&b""[..], &[7; 41]] {
            let mut upload = Upload::default();
            echo_of(&mut upload);
            assert!(!unauthorized(&mut upload, Code::UNAUTHORIZED, Some(no_echo)));
        }
    }

    #[test]
    fn with_an_echo_a_body_goes_as_a_whole_as_long_as_it_fits_and_then_in_blocks() {
        for (echo, head) in [(&b"1"[..], 2), (&[7; 12], 2), (&[7; 13], 3), (&[7; 40], 3)] {
            let mut upload = Upload::default();
            echo_of(&mut upload);
            assert!(unauthorized(&mut upload, Code::UNAUTHORIZED, Some(echo)));
            // Four bytes of header, and the payload marker.
            let fits = 200 - 4 - head - echo.len() - 1;
            assert_eq!(send(&mut upload, fits, 200), Some((None, bytes(0..fits))), "{echo:?}");
            assert_eq!(send(&mut upload, fits + 1, 200), Some((block(0, true, 3), bytes(0..128))), "{echo:?}");
        }
    }

    #[test]
    fn the_block_that_was_refused_goes_out_once_more_and_the_next_one_too() {
        let mut upload = Upload::default();
        echo_of(&mut upload);
        send(&mut upload, 150, 100);
        assert!(answer(&mut upload, Code::CONTINUE, Some((0, 2))));
        send(&mut upload, 150, 100);
        assert!(unauthorized(&mut upload, Code::UNAUTHORIZED, Some(b"e")));
        assert_eq!(send(&mut upload, 150, 100), Some((block(1, true, 2), bytes(64..128))));
        assert!(answer(&mut upload, Code::CONTINUE, Some((1, 2))));
        assert_eq!(echo_of(&mut upload), Some(b"e".to_vec()));
    }
}
