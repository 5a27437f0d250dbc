//! A message over [`Bytes`]: its payload and values can be kept without a copy.

use core::fmt;

use bytes::Bytes;

use crate::message::Layout;
use crate::{Message, OptionNumber, ParseError};

/// A message that shares the ownership of its datagram, where [`Message`] borrows it.
///
/// All that a [`Message`] can tell is to be had through [`as_message`](Self::as_message). What is
/// here is what outlives it: the payload and option values as [`Bytes`], which keep the datagram
/// alive for as long as they are kept themselves.
///
/// ```
/// use bytes::Bytes;
/// use coap_codec::{OptionNumber, SharedMessage};
///
/// let datagram = Bytes::from_static(b"\x41\x04\x20\x01\xb1\xb2rd\x045a3f\xffbye");
/// let message = SharedMessage::parse(datagram)?;
/// assert_eq!(message.as_message().uri_path().count(), 2);
/// let payload = message.payload();
/// let path: Vec<Bytes> = message.values(OptionNumber::URI_PATH).collect();
/// drop(message);
/// assert_eq!(payload, "bye");
/// assert_eq!(path, ["rd", "5a3f"]);
/// # Ok::<(), coap_codec::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SharedMessage {
    datagram: Bytes,
    layout: Layout,
}

impl SharedMessage {
    /// Checks a datagram, as [`Message::parse`] does.
    ///
    /// # Errors
    ///
    /// As [`Message::parse`].
    pub fn parse(datagram: Bytes) -> Result<Self, ParseError> {
        let layout = Message::parse(&datagram)?.layout();
        Ok(Self { datagram, layout })
    }

    /// The view of it that borrows; it costs nothing to make.
    #[inline]
    pub fn as_message(&self) -> Message<'_> {
        Message::from_layout(&self.datagram, self.layout)
    }

    /// The payload, empty if there is none; of a body in blocks, this block.
    pub fn payload(&self) -> Bytes {
        self.datagram.slice_ref(self.as_message().payload())
    }

    /// Numbers and values of all options, in ascending order of their numbers.
    pub fn options(&self) -> impl Iterator<Item = (OptionNumber, Bytes)> + Clone + '_ {
        self.as_message().options().map(|option| (option.number, self.datagram.slice_ref(option.value)))
    }

    /// The values of all options of this number.
    pub fn values(&self, number: OptionNumber) -> impl Iterator<Item = Bytes> + Clone + '_ {
        self.as_message().values(number).map(|value| self.datagram.slice_ref(value))
    }

    /// The datagram that was parsed.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.datagram
    }

    /// The datagram that was parsed, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.datagram
    }
}

impl fmt::Debug for SharedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_message(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn parts_are_windows_into_the_datagram() {
        let bytes = Bytes::from_static(b"\x40\x03\x00\x01\xb1a\x10\xffxyz");
        let message = SharedMessage::parse(bytes.clone()).unwrap();
        let payload = message.payload();
        assert_eq!(payload, "xyz");
        assert_eq!(payload.as_ptr(), bytes[8..].as_ptr());
        let options: Vec<_> = message.options().collect();
        assert_eq!(options[0].0, OptionNumber::URI_PATH);
        assert_eq!(options[0].1.as_ptr(), bytes[5..].as_ptr());
        assert_eq!(options[1], (OptionNumber::CONTENT_FORMAT, Bytes::new()));
        assert!(message.values(OptionNumber::URI_PATH).eq([Bytes::from_static(b"a")]));
        assert_eq!(message.as_message(), Message::parse(&bytes).unwrap());
        assert_eq!(message.as_bytes(), &bytes);
        assert_eq!(message.into_bytes(), bytes);
    }

    #[test]
    fn an_empty_payload_is_empty_bytes() {
        let message = SharedMessage::parse(Bytes::from_static(&[0x60, 0, 0, 1])).unwrap();
        assert_eq!(message.payload(), Bytes::new());
        assert_eq!(message.options().count(), 0);
        assert_eq!(message.values(OptionNumber::ETAG).count(), 0);
    }

    #[test]
    fn fails_as_the_borrowing_one_does() {
        let bytes = Bytes::from_static(&[0x40, 1, 0, 1, 0xff]);
        assert_eq!(SharedMessage::parse(bytes.clone()).unwrap_err(), Message::parse(&bytes).unwrap_err());
    }
}
