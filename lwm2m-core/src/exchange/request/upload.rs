//! The body of a request of ours, sent block by block when it does not fit a datagram (Block1;
//! RFC 7959, section 2.5).
//!
//! Nothing of the body is kept: it is made again for each block.

use coap_codec::{BlockValue, Code, Message, MessageWriter, WriteError};

/// Block1 with three bytes, Size1 with four, and the payload marker, as they follow other options.
const OVERHEAD: usize = 5 + 6 + 1;

/// How far a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Upload {
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
    /// Writes the payload: all of it if that fits and nothing else is asked for, else the next
    /// block of it. `body` fills a buffer with the part of the body that begins at an offset, and tells
    /// how long the body is.
    pub(crate) fn write(
        &mut self,
        writer: &mut MessageWriter<'_>,
        body: &dyn Fn(&mut [u8], usize) -> Result<usize, WriteError>,
    ) -> Result<(), WriteError> {
        let largest = match self.largest {
            Some(largest) => largest,
            None => {
                self.sent = Sent::Whole;
                let whole = writer.payload_with(|room| {
                    let total = body(room, 0)?;
                    if total <= room.len() { Ok(total) } else { Err(WriteError::NoSpace { needed: total }) }
                });
                match whole {
                    Err(WriteError::NoSpace { .. }) => BlockValue::MAX_SZX,
                    done => return done,
                }
            }
        };
        let total = body(&mut [], 0)?;
        let room = writer.remaining().saturating_sub(OVERHEAD);
        let fits = |szx: &u8| BlockValue::at_offset(self.offset, false, *szx).is_ok_and(|block| block.size() <= room);
        let szx = (0..=largest).rev().find(fits).ok_or(WriteError::NoSpace { needed: total })?;
        let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let left = total.saturating_sub(offset);
        let size = 16usize << szx;
        let block = BlockValue::at_offset(self.offset, left > size, szx);
        let block = block.map_err(|_| WriteError::NoSpace { needed: total })?;
        writer.block1(block)?;
        if self.offset == 0 {
            writer.size1(u32::try_from(total).unwrap_or(u32::MAX))?;
        }
        writer.payload_with(|room| {
            let length = left.min(size);
            body(room.get_mut(..length).unwrap_or_default(), offset)?;
            Ok::<_, WriteError>(length)
        })?;
        self.largest = Some(szx);
        self.sent = Sent::Block(block);
        Ok(())
    }

    /// Takes a response. True when it only wants the next block, or the body once more in another way.
    pub(crate) fn answered(&mut self, response: &Message<'_>) -> bool {
        let asked = response.block1().and_then(Result::ok);
        match (response.code(), self.sent) {
            (_, Sent::Nothing) => false,
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
