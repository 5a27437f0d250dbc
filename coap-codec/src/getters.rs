//! What a message says by the options that have a name, for [`MessageView`]; and for [`Message`] what
//! few messages have.

use crate::view::Carrier;
use crate::{BlockError, BlockValue, ContentFormat, Message, MessageView, NoResponse, OptionNumber, Values};

impl<'a> MessageView<'a> {
    /// As [`Message::uri_path`].
    #[must_use]
    pub const fn uri_path(&self) -> Values<'a> {
        self.values(OptionNumber::URI_PATH)
    }

    /// As [`Message::uri_query`].
    #[must_use]
    pub const fn uri_query(&self) -> Values<'a> {
        self.values(OptionNumber::URI_QUERY)
    }

    /// As [`Message::location_path`].
    #[must_use]
    pub const fn location_path(&self) -> Values<'a> {
        self.values(OptionNumber::LOCATION_PATH)
    }

    /// As [`Message::location_query`].
    #[must_use]
    pub const fn location_query(&self) -> Values<'a> {
        self.values(OptionNumber::LOCATION_QUERY)
    }

    /// As [`Message::content_format`].
    pub fn content_format(&self) -> Option<ContentFormat> {
        self.u16(OptionNumber::CONTENT_FORMAT).map(ContentFormat)
    }

    /// As [`Message::accept`].
    pub fn accept(&self) -> Option<ContentFormat> {
        self.u16(OptionNumber::ACCEPT).map(ContentFormat)
    }

    /// As [`Message::observe`]. Over TCP a notification's number says nothing (RFC 8323 §7.1).
    #[must_use]
    pub fn observe(&self) -> Option<u32> {
        self.uint(OptionNumber::OBSERVE)
    }

    /// As [`Message::max_age`].
    #[must_use]
    pub fn max_age(&self) -> Option<u32> {
        self.uint(OptionNumber::MAX_AGE)
    }

    /// As [`Message::etag`].
    #[must_use]
    pub fn etag(&self) -> Option<&'a [u8]> {
        self.valid(OptionNumber::ETAG).map(|option| option.value)
    }

    /// As [`Message::etags`].
    #[must_use]
    pub const fn etags(&self) -> Values<'a> {
        self.values(OptionNumber::ETAG)
    }

    /// As [`Message::block1`]; over TCP a [BERT](BlockValue::bert) block is one, too.
    #[must_use]
    pub fn block1(&self) -> Option<Result<BlockValue, BlockError>> {
        self.block(OptionNumber::BLOCK1)
    }

    /// As [`Message::block2`]; over TCP a [BERT](BlockValue::bert) block is one, too.
    #[must_use]
    pub fn block2(&self) -> Option<Result<BlockValue, BlockError>> {
        self.block(OptionNumber::BLOCK2)
    }

    /// As [`Message::size1`].
    #[must_use]
    pub fn size1(&self) -> Option<u32> {
        self.uint(OptionNumber::SIZE1)
    }

    /// As [`Message::size2`].
    #[must_use]
    pub fn size2(&self) -> Option<u32> {
        self.uint(OptionNumber::SIZE2)
    }

    /// As [`Message::if_match`].
    #[must_use]
    pub const fn if_match(&self) -> Values<'a> {
        self.values(OptionNumber::IF_MATCH)
    }

    /// As [`Message::if_none_match`].
    #[must_use]
    pub fn if_none_match(&self) -> bool {
        self.valid(OptionNumber::IF_NONE_MATCH).is_some()
    }

    /// As [`Message::uri_host`].
    #[must_use]
    pub fn uri_host(&self) -> Option<&'a str> {
        self.text(OptionNumber::URI_HOST)
    }

    /// As [`Message::uri_port`].
    #[must_use]
    pub fn uri_port(&self) -> Option<u16> {
        self.u16(OptionNumber::URI_PORT)
    }

    /// As [`Message::proxy_uri`].
    #[must_use]
    pub fn proxy_uri(&self) -> Option<&'a str> {
        self.text(OptionNumber::PROXY_URI)
    }

    /// As [`Message::proxy_scheme`].
    #[must_use]
    pub fn proxy_scheme(&self) -> Option<&'a str> {
        self.text(OptionNumber::PROXY_SCHEME)
    }

    /// As [`Message::hop_limit`].
    #[must_use]
    pub fn hop_limit(&self) -> Option<u8> {
        u8::try_from(self.uint(OptionNumber::HOP_LIMIT)?).ok()
    }

    /// As [`Message::echo`].
    #[must_use]
    pub fn echo(&self) -> Option<&'a [u8]> {
        self.valid(OptionNumber::ECHO).map(|option| option.value)
    }

    /// As [`Message::request_tags`].
    #[must_use]
    pub const fn request_tags(&self) -> Values<'a> {
        self.values(OptionNumber::REQUEST_TAG)
    }

    /// As [`Message::no_response`].
    #[must_use]
    pub fn no_response(&self) -> NoResponse {
        let bits = self.uint(OptionNumber::NO_RESPONSE).and_then(|bits| u8::try_from(bits).ok());
        NoResponse(bits.unwrap_or_default())
    }

    fn text(&self, number: OptionNumber) -> Option<&'a str> {
        self.valid(number)?.as_str()
    }

    fn u16(&self, number: OptionNumber) -> Option<u16> {
        u16::try_from(self.uint(number)?).ok()
    }

    fn block(&self, number: OptionNumber) -> Option<Result<BlockValue, BlockError>> {
        let value = self.option(number)?.value;
        Some(match self.carrier() {
            Carrier::Datagram(_) => BlockValue::from_value(value),
            Carrier::Stream => BlockValue::from_tcp_value(value),
        })
    }
}

/// Conditions, hosts and proxies, and the options of the later RFCs.
impl<'a> Message<'a> {
    /// The ETags that the target must have one of for the request to be carried out, else 4.12;
    /// an empty one stands for any, as long as the target exists (RFC 7252 §5.10.8.1).
    #[must_use]
    pub fn if_match(&self) -> Values<'a> {
        self.values(OptionNumber::IF_MATCH)
    }

    /// Whether the request is to be carried out only if the target does not exist, else 4.12
    /// (RFC 7252 §5.10.8.2).
    #[must_use]
    pub fn if_none_match(&self) -> bool {
        self.valid(OptionNumber::IF_NONE_MATCH).is_some()
    }

    /// The host that is meant, if it is not the address that the request was sent to
    /// (RFC 7252 §5.10.1).
    ///
    /// `None` also if it is not UTF-8 or of a wrong length, as for all options that are text:
    /// [`check`](Self::check) tells.
    #[must_use]
    pub fn uri_host(&self) -> Option<&'a str> {
        self.valid(OptionNumber::URI_HOST)?.as_str()
    }

    /// The port that is meant, if it is not the one that the request was sent to.
    #[must_use]
    pub fn uri_port(&self) -> Option<u16> {
        u16::try_from(self.uint(OptionNumber::URI_PORT)?).ok()
    }

    /// The absolute URI that a forward-proxy is asked for (RFC 7252 §5.10.2).
    #[must_use]
    pub fn proxy_uri(&self) -> Option<&'a str> {
        self.valid(OptionNumber::PROXY_URI)?.as_str()
    }

    /// The scheme of the URI that a forward-proxy is asked for, and that the Uri options make.
    #[must_use]
    pub fn proxy_scheme(&self) -> Option<&'a str> {
        self.valid(OptionNumber::PROXY_SCHEME)?.as_str()
    }

    /// How many proxies may still pass the request on; 16 is meant when there is none
    /// (RFC 8768 §3).
    ///
    /// A proxy passes on one less, answers 5.08 where that would be 0, and 4.00 to a 0. A server
    /// has no use for it.
    #[must_use]
    pub fn hop_limit(&self) -> Option<u8> {
        u8::try_from(self.uint(OptionNumber::HOP_LIMIT)?).ok()
    }

    /// What a 4.01 wants repeated in the next request, as a proof that it is fresh; in a request,
    /// that proof. 1 to 40 bytes, of use to nobody but its author (RFC 9175 §2.2). `None` also for
    /// another length.
    #[must_use]
    pub fn echo(&self) -> Option<&'a [u8]> {
        self.valid(OptionNumber::ECHO).map(|option| option.value)
    }

    /// What tells apart two bodies that are sent in blocks to one resource at once: compare all
    /// values, in their order. None is not the same as an empty one (RFC 9175 §3.2).
    #[must_use]
    pub fn request_tags(&self) -> Values<'a> {
        self.values(OptionNumber::REQUEST_TAG)
    }

    /// Which responses the client has no interest in: none, if the option is absent
    /// (RFC 7967 §2).
    #[must_use]
    pub fn no_response(&self) -> NoResponse {
        // Every server asks for it of every request, and hardly any has it.
        if !self.reaches(OptionNumber::NO_RESPONSE) {
            return NoResponse::default();
        }
        let bits = self.uint(OptionNumber::NO_RESPONSE).and_then(|bits| u8::try_from(bits).ok());
        NoResponse(bits.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Message, MessageView};
    use alloc::vec::Vec;

    fn message(code: u8, rest: &[u8]) -> Vec<u8> {
        [&[0x40, code, 0, 1], rest].concat()
    }

    #[test]
    fn how_a_message_came_makes_no_difference_to_its_parts() {
        let [con, non] = [0x41, 0x51].map(|first| [first, 1, 0, 1, 0xb1, 0xb1, b'3', 0xff, b'x']);
        let frame = crate::tcp::parse(b"\x41\x01\xb1\xb13\xffx", crate::tcp::Limits::default());
        let Ok(crate::tcp::Frame::Complete { message: tcp, .. }) = frame else { panic!("{frame:?}") };
        let [con, non] = [&con, &non].map(|datagram| MessageView::from(Message::parse(datagram).unwrap()));
        assert!(con == non && con == tcp);
        for other in
            [&b"\x40\x01\x00\x01\xb13\xffx"[..], b"\x41\x02\x00\x01\xb1\xb13\xffx", b"\x41\x01\x00\x01\xb1\xb13\xffy"]
        {
            assert_ne!(Message::parse(other).unwrap().view(), con);
        }
        assert_ne!(Message::parse(b"\x41\x01\x00\x01\xb1\xb14\xffx").unwrap().view(), con);
    }

    #[test]
    fn text_is_read_where_it_is_text() {
        let datagram = message(0x41, b"\x82rd\x01\xff");
        let message = Message::parse(&datagram).unwrap();
        let mut location = message.location_path().text();
        assert_eq!(location.next(), Some(Ok("rd")));
        assert!(location.next().is_some_and(|segment| segment.is_err()));
        assert_eq!(location.next(), None);
    }

    #[test]
    fn all_values_or_the_first() {
        let datagram = message(1, b"\x41a\x01b");
        let message = Message::parse(&datagram).unwrap();
        assert!(message.etags().eq([b"a", b"b"]) && message.view().etags().eq([b"a", b"b"]));
        assert_eq!(message.value(crate::OptionNumber::ETAG), Some(&b"a"[..]));
        assert_eq!(message.value(crate::OptionNumber::IF_MATCH), None);
        // RFC 9175 §3.2: a Request-Tag may come more than once, too.
        let datagram = self::message(1, b"\xe1\x00\x17a\x01b");
        let message = Message::parse(&datagram).unwrap();
        assert!(message.request_tags().eq([b"a", b"b"]) && message.view().request_tags().eq([b"a", b"b"]));
    }
}
