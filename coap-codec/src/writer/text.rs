//! What is displayed goes straight into the message: numbers, names, errors.

use core::fmt::{self, Write};

use super::MessageWriter;
use crate::WriteError;
use crate::text::Text;

impl MessageWriter<'_> {
    /// Adds an argument of the query that is a name with a value, up to 255 bytes in all.
    ///
    /// # Errors
    ///
    /// [`WriteError::ValueTooLong`]; [`WriteError::InvalidValue`] if `value` fails to be displayed; or
    /// as [`option`](Self::option).
    ///
    /// ```
    /// use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, Token};
    ///
    /// let header = Header::new(MessageType::Confirmable, Code::POST, MessageId(1));
    /// let mut buffer = [0; 32];
    /// let mut message = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
    /// message.uri_query_pair("lt", 86400)?;
    /// message.uri_query_pair("ep", "pump")?;
    /// assert_eq!(message.finish(), b"\x40\x02\x00\x01\xd8\x02lt=86400\x07ep=pump");
    /// # Ok::<(), coap_codec::WriteError>(())
    /// ```
    pub fn uri_query_pair(&mut self, name: &str, value: impl fmt::Display) -> Result<(), WriteError> {
        self.uri_query_of(format_args!("{name}={value}"))
    }

    /// Adds what is displayed as the payload: `format_args!("{celsius:.1}")`.
    ///
    /// # Errors
    ///
    /// As [`payload`](Self::payload); [`WriteError::InvalidValue`] if `text` fails to be displayed.
    pub fn payload_fmt(&mut self, text: impl fmt::Display) -> Result<(), WriteError> {
        self.payload_of(format_args!("{text}"), |text| text.length())
    }

    /// Adds what is displayed as the diagnostic payload of an error response, which is for a person
    /// and has no Content-Format (RFC 7252 §5.5.2). What does not fit is left out.
    ///
    /// # Errors
    ///
    /// [`WriteError::PayloadWritten`]; [`WriteError::EmptyMessage`]; [`WriteError::InvalidValue`] if
    /// `text` fails to be displayed.
    ///
    /// ```
    /// use coap_codec::{Code, Message, MessageId, MessageWriter, OptionNumber};
    ///
    /// // A GET with If-Match, which this server does not understand.
    /// let request = Message::parse(b"\x41\x01\x00\x07\xaa\x11\xaa")?;
    /// let refusal = request.check(OptionNumber::is_request_target).unwrap_err();
    ///
    /// let mut buffer = [0; 24];
    /// let header = request.header().response(Code::BAD_OPTION, MessageId(1));
    /// let mut response = MessageWriter::new(&mut buffer, header, request.token())?;
    /// response.diagnostic(refusal)?;
    /// assert_eq!(response.finish(), b"\x61\x82\x00\x07\xaa\xffIf-Match option: n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diagnostic(&mut self, text: impl fmt::Display) -> Result<(), WriteError> {
        self.payload_of(format_args!("{text}"), |text| text.kept())
    }

    fn payload_of(&mut self, text: fmt::Arguments<'_>, length: fn(&Text<'_>) -> usize) -> Result<(), WriteError> {
        self.payload_with(|room| {
            let mut written = Text::new(room);
            written.write_fmt(text).map_err(|_| WriteError::InvalidValue)?;
            Ok(length(&written))
        })
    }

    fn uri_query_of(&mut self, argument: fmt::Arguments<'_>) -> Result<(), WriteError> {
        let mut room = [0; 255];
        let mut text = Text::new(&mut room);
        text.write_fmt(argument).map_err(|_| WriteError::InvalidValue)?;
        self.uri_query(text.finish().ok_or(WriteError::ValueTooLong)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Header, MessageId, MessageType, Token};

    const HEADER: Header = Header::new(MessageType::NonConfirmable, Code::NOT_FOUND, MessageId(1));

    struct Fails;

    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("not all")?;
            Err(fmt::Error)
        }
    }

    #[test]
    fn a_payload_is_whole_or_is_not_there() {
        let mut buffer = [0; 10];
        let mut message = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
        assert_eq!(message.payload_fmt(format_args!("{:.1}", 1234.56)), Err(WriteError::NoSpace { needed: 11 }));
        assert_eq!(message.payload_fmt(Fails), Err(WriteError::InvalidValue));
        assert_eq!(message.payload_fmt(""), Ok(()));
        assert_eq!(message.len(), 4);
        message.payload_fmt(format_args!("{:.1}", 234.56)).unwrap();
        assert_eq!(message.payload_fmt(1), Err(WriteError::PayloadWritten));
        assert_eq!(message.finish(), b"\x50\x84\x00\x01\xff234.6");
    }

    #[test]
    fn a_diagnostic_is_cut_between_characters() {
        for (size, end) in [(4, ""), (5, ""), (6, "a"), (7, "a"), (8, "aä"), (9, "aä"), (10, "aää")] {
            let mut buffer = [0; 10];
            let mut message = MessageWriter::new(&mut buffer[..size], HEADER, Token::EMPTY).unwrap();
            message.diagnostic("aää").unwrap();
            let (head, text) = message.finish().split_at(4);
            assert_eq!(head, HEADER.to_bytes());
            assert_eq!(text.strip_prefix(b"\xff").unwrap_or(text), end.as_bytes(), "{size}");
            assert_eq!(text.is_empty(), end.is_empty(), "no marker without a payload");
        }
        let mut buffer = [0; 30];
        let mut message = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
        assert_eq!(message.diagnostic(Fails), Err(WriteError::InvalidValue));
        message.diagnostic(format_args!("{} of {}", 1, 2)).unwrap();
        assert_eq!(message.diagnostic("more"), Err(WriteError::PayloadWritten));
        assert_eq!(message.finish()[4..], *b"\xff1 of 2");
        let ping = Header::empty(MessageType::Confirmable, MessageId(1));
        let mut message = MessageWriter::new(&mut buffer, ping, Token::EMPTY).unwrap();
        assert_eq!(message.diagnostic("more"), Err(WriteError::EmptyMessage));
    }

    #[test]
    fn a_pair_has_255_bytes_at_most() {
        let name = "n".repeat(250);
        let mut buffer = [0; 300];
        let mut message = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
        assert_eq!(message.uri_query_pair(&name, "12345"), Err(WriteError::ValueTooLong));
        assert_eq!(message.uri_query_pair("a", Fails), Err(WriteError::InvalidValue));
        assert_eq!(message.len(), 4);
        message.uri_query_pair(&name, 1234).unwrap();
        assert_eq!(message.len(), 4 + 3 + 255);
        assert!(message.as_bytes().ends_with(b"nnn=1234"));
        assert!(matches!(
            message.uri_query_pair("more", "than fits in it, as it is too long"),
            Err(WriteError::NoSpace { .. })
        ));
    }

    #[test]
    fn a_message_goes_out_again_under_another_id() {
        let mut buffer = [0; 20];
        let mut message = MessageWriter::new(&mut buffer, HEADER, Token::from([1, 2])).unwrap();
        message.payload(b"x").unwrap();
        message.set_message_id(MessageId(0x0203));
        assert_eq!(message.header().message_id, MessageId(0x0203));
        assert_eq!(message.finish(), b"\x52\x84\x02\x03\x01\x02\xffx");
    }

    #[test]
    fn a_path_is_cut_at_its_slashes() {
        let written = |path: &str| {
            let mut buffer = [0; 20];
            let mut message = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
            message.path(path).map(|()| message.finish()[4..].to_vec())
        };
        for (path, options) in [
            ("", &b""[..]),
            ("/", b""),
            ("/a", b"\xb1a"),
            ("a/b", b"\xb1a\x01b"),
            ("/a/", b"\xb1a\x00"),
            ("//", b"\xb0\x00"),
        ] {
            assert_eq!(written(path).as_deref(), Ok(options), "{path}");
        }
        assert_eq!(written("/a/../b"), Err(WriteError::DotSegment));
    }
}
