//! The options that most messages have, each with its own type of value.
//!
//! All of them fail as [`MessageWriter::option`] does. Those that take text or bytes also check
//! the length that the registry allows, those for a path that no segment is `.` or `..`.

use super::MessageWriter;
use crate::option::{encode_uint, segments};
use crate::{BlockValue, ContentFormat, OptionNumber, WriteError};

impl MessageWriter<'_> {
    /// Adds an option that holds a number, in the fewest bytes: none for 0 (RFC 7252 §3.2).
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    #[inline]
    pub fn uint(&mut self, number: OptionNumber, value: u32) -> Result<(), WriteError> {
        if self.put_short_uint(number, value) {
            return Ok(());
        }
        self.option(number, encode_uint(value, &mut [0; 4]))
    }

    /// Adds it in one store, if its head takes one byte and there is room for eight. False when
    /// nothing happened.
    #[inline]
    fn put_short_uint(&mut self, number: OptionNumber, value: u32) -> bool {
        let delta = match number.0.checked_sub(self.last.0) {
            Some(delta @ 0..13) if self.check_open().is_ok() => u64::from(delta),
            _ => return false,
        };
        let Some(room) = self.buffer.get_mut(self.length..).and_then(|room| room.first_chunk_mut()) else {
            return false;
        };
        // At most 4 bytes of value: they lie in the upper half, with the head before them.
        let len = 4u32.wrapping_sub(value.leading_zeros() >> 3);
        let value = u64::from(value).wrapping_shl(56u32.wrapping_sub(len << 3));
        *room = ((delta << 60) | (u64::from(len) << 56) | value).to_be_bytes();
        self.length = self.length.wrapping_add(len as usize).wrapping_add(1);
        self.last = number;
        true
    }

    /// Adds the format of the payload.
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn content_format(&mut self, format: ContentFormat) -> Result<(), WriteError> {
        self.uint(OptionNumber::CONTENT_FORMAT, format.0.into())
    }

    /// Adds the one format that the answer is to have.
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn accept(&mut self, format: ContentFormat) -> Result<(), WriteError> {
        self.uint(OptionNumber::ACCEPT, format.0.into())
    }

    /// Adds Observe: [`REGISTER`](crate::observe::REGISTER) or
    /// [`DEREGISTER`](crate::observe::DEREGISTER) in a request, a sequence number in a
    /// notification, of which the low 24 bits are sent (RFC 7641 §2, §4.4).
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn observe(&mut self, value: u32) -> Result<(), WriteError> {
        self.uint(OptionNumber::OBSERVE, value & 0xff_ffff)
    }

    /// Adds for how many seconds the answer is fresh. 60 is the default and need not be sent.
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn max_age(&mut self, seconds: u32) -> Result<(), WriteError> {
        self.uint(OptionNumber::MAX_AGE, seconds)
    }

    /// Adds the entity-tag of the representation, 1 to 8 bytes; to a request, one of those that the
    /// client has (RFC 7252 §5.10.6).
    ///
    /// # Errors
    ///
    /// [`WriteError::ValueTooShort`], [`WriteError::ValueTooLong`], or as
    /// [`option`](Self::option).
    pub fn etag(&mut self, etag: &[u8]) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::ETAG, etag)
    }

    /// Adds the segments of a path such as `/3/0/9`, which stand between slashes and are not
    /// percent-decoded. `/` has none. A query is not a part of it: see [`uri_query`](Self::uri_query).
    ///
    /// # Errors
    ///
    /// As [`uri_path`](Self::uri_path). Of the path, the segments before the one that fails have been
    /// added then.
    ///
    /// ```
    /// use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, Token};
    ///
    /// let header = Header::new(MessageType::Confirmable, Code::GET, MessageId(1));
    /// let mut buffer = [0; 16];
    /// let mut message = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
    /// message.path("/3/0/9")?;
    /// assert_eq!(message.finish(), b"\x40\x01\x00\x01\xb13\x010\x019");
    /// # Ok::<(), coap_codec::WriteError>(())
    /// ```
    pub fn path(&mut self, path: &str) -> Result<(), WriteError> {
        segments(path).try_for_each(|segment| self.uri_path(segment))
    }

    /// Adds one segment of the path, not a path: a `/` in it is a part of the segment. It has up to
    /// 255 bytes and is taken as it is, without percent-decoding.
    ///
    /// # Errors
    ///
    /// [`WriteError::DotSegment`], [`WriteError::ValueTooLong`], or as [`option`](Self::option).
    pub fn uri_path(&mut self, segment: &str) -> Result<(), WriteError> {
        self.segment(OptionNumber::URI_PATH, segment)
    }

    /// Adds one argument of the query, up to 255 bytes, such as `lt=86400`:
    /// [`uri_query_pair`](Self::uri_query_pair) puts it together.
    ///
    /// # Errors
    ///
    /// [`WriteError::ValueTooLong`], or as [`option`](Self::option).
    pub fn uri_query(&mut self, argument: &str) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::URI_QUERY, argument.as_bytes())
    }

    /// Adds one segment of the path of what the request has made.
    ///
    /// # Errors
    ///
    /// As [`uri_path`](Self::uri_path).
    pub fn location_path(&mut self, segment: &str) -> Result<(), WriteError> {
        self.segment(OptionNumber::LOCATION_PATH, segment)
    }

    /// Adds one argument of the query that goes with the location.
    ///
    /// # Errors
    ///
    /// As [`uri_query`](Self::uri_query).
    pub fn location_query(&mut self, argument: &str) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::LOCATION_QUERY, argument.as_bytes())
    }

    /// Adds which block of the request's body this is about (RFC 7959 §2.1).
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn block1(&mut self, block: BlockValue) -> Result<(), WriteError> {
        self.uint(OptionNumber::BLOCK1, block.to_uint())
    }

    /// Adds which block of the response's body this is about (RFC 7959 §2.1).
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn block2(&mut self, block: BlockValue) -> Result<(), WriteError> {
        self.uint(OptionNumber::BLOCK2, block.to_uint())
    }

    /// Adds how many bytes the request's body has in all; in a 4.13, how many would be welcome.
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn size1(&mut self, bytes: u32) -> Result<(), WriteError> {
        self.uint(OptionNumber::SIZE1, bytes)
    }

    /// Adds how many bytes the response's body has in all; 0 in a request asks for it.
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn size2(&mut self, bytes: u32) -> Result<(), WriteError> {
        self.uint(OptionNumber::SIZE2, bytes)
    }

    fn segment(&mut self, number: OptionNumber, segment: &str) -> Result<(), WriteError> {
        if matches!(segment, "." | "..") {
            return Err(WriteError::DotSegment);
        }
        self.checked_option(number, segment.as_bytes())
    }

    /// Adds an option whose length is held to the registry.
    pub(crate) fn checked_option(&mut self, number: OptionNumber, value: &[u8]) -> Result<(), WriteError> {
        if let Some(range) = number.length_range() {
            if value.len() > *range.end() {
                return Err(WriteError::ValueTooLong);
            }
            if value.len() < *range.start() {
                return Err(WriteError::ValueTooShort);
            }
        }
        self.option(number, value)
    }
}
