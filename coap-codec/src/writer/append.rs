//! Options in ascending order, for whom code costs more than time.

use super::{MessageWriter, no_space};
use crate::copy::put;
use crate::option::{OptionHead, encode_uint};
use crate::{OptionNumber, WriteError};

impl MessageWriter<'_> {
    /// Adds an option whose number is not below that of the last one. What it writes, [`option`](Self::option)
    /// writes as well; that one is faster, and takes three times as much code, for options that come late need room
    /// among the others.
    ///
    /// # Errors
    ///
    /// [`WriteError::OutOfOrder`] for a smaller number; else as [`option`](Self::option).
    ///
    /// ```
    /// use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, OptionNumber, Token, WriteError};
    ///
    /// let header = Header::new(MessageType::Confirmable, Code::GET, MessageId(1));
    /// let mut buffer = [0; 16];
    /// let mut message = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
    /// message.append(OptionNumber::URI_PATH, b"3")?;
    /// message.append_uint(OptionNumber::ACCEPT, 60)?;
    /// assert_eq!(message.append(OptionNumber::URI_PATH, b"0"), Err(WriteError::OutOfOrder));
    /// assert_eq!(message.finish(), b"\x40\x01\0\x01\xb13\x61\x3c");
    /// # Ok::<(), WriteError>(())
    /// ```
    pub fn append(&mut self, number: OptionNumber, value: &[u8]) -> Result<(), WriteError> {
        self.check_open()?;
        let delta = number.0.checked_sub(self.last.0).ok_or(WriteError::OutOfOrder)?;
        let head = OptionHead::new(delta, value.len())?;
        let capacity = self.buffer.len();
        let room = self.buffer.get_mut(self.length..).unwrap_or_default();
        let Some(rest) = head.write(room).and_then(|room| put(room, value)) else {
            return Err(no_space(self.length, head.len(), value));
        };
        // The rest is the end of the buffer.
        self.length = capacity.wrapping_sub(rest.len());
        self.last = number;
        Ok(())
    }

    /// The same for an option that is a number, in as few bytes as it takes.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn append_uint(&mut self, number: OptionNumber, value: u32) -> Result<(), WriteError> {
        self.append(number, encode_uint(value, &mut [0; 4]))
    }
}
