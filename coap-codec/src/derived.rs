//! What follows from several parts of a message at once: its path, its conditions, its diagnostic.

use crate::option::segments;
use crate::{Message, MessageView, OptionNumber};

impl<'a> Message<'a> {
    /// Whether the path of the request is this one, such as `/3/0`: its segments between slashes,
    /// not percent-decoded. `/` has none, and stands for no path as well.
    ///
    /// ```
    /// use coap_codec::Message;
    ///
    /// let request = Message::parse(b"\x40\x01\x00\x01\xb1\x33\x01\x30")?;
    /// assert!(request.path_is("/3/0"));
    /// assert!(!request.path_is("/3") && !request.path_is("/3/0/"));
    /// # Ok::<(), coap_codec::ParseError>(())
    /// ```
    #[must_use]
    pub fn path_is(&self, path: &str) -> bool {
        self.view().path_is(path)
    }

    /// Whether If-Match and If-None-Match let the request be carried out; if not, the answer is 4.12
    /// (RFC 7252 §5.10.8).
    ///
    /// `current` is the entity-tag of what is there now: `None` if the target does not exist, and
    /// empty if it exists and has no entity-tag.
    ///
    /// ```
    /// use coap_codec::Message;
    ///
    /// // PUT, only if the entity-tag is still 2a.
    /// let request = Message::parse(b"\x40\x03\x00\x01\x11\x2a\xa1x\xff22")?;
    /// assert!(request.preconditions_hold(Some(b"\x2a")));
    /// assert!(!request.preconditions_hold(Some(b"\x2b")));
    /// assert!(!request.preconditions_hold(None));
    /// # Ok::<(), coap_codec::ParseError>(())
    /// ```
    #[must_use]
    pub fn preconditions_hold(&self, current: Option<&[u8]>) -> bool {
        self.view().preconditions_hold(current)
    }

    /// What an error response says for a person: its payload, where that has no Content-Format and is
    /// UTF-8 (RFC 7252 §5.5.2). `None` for all other messages, and for an empty payload.
    ///
    /// ```
    /// use coap_codec::Message;
    ///
    /// let response = Message::parse(b"\x60\x84\x00\x01\xffno such object")?;
    /// assert_eq!(response.diagnostic(), Some("no such object"));
    /// # Ok::<(), coap_codec::ParseError>(())
    /// ```
    #[must_use]
    pub fn diagnostic(&self) -> Option<&'a str> {
        self.view().diagnostic()
    }
}

impl<'a> MessageView<'a> {
    /// As [`Message::path_is`].
    #[must_use]
    pub fn path_is(&self, path: &str) -> bool {
        self.uri_path().eq(segments(path).map(str::as_bytes))
    }

    /// As [`Message::preconditions_hold`].
    #[must_use]
    pub fn preconditions_hold(&self, current: Option<&[u8]>) -> bool {
        let matches = |wanted: &[u8]| current.is_some_and(|etag| wanted.is_empty() || wanted == etag);
        let may_exist = current.is_none() || !self.if_none_match();
        may_exist && (self.if_match().next().is_none() || self.if_match().any(matches))
    }

    /// As [`Message::diagnostic`].
    #[must_use]
    pub fn diagnostic(&self) -> Option<&'a str> {
        let is_text = self.code().is_error() && self.option(OptionNumber::CONTENT_FORMAT).is_none();
        let payload = Some(self.payload()).filter(|payload| is_text && !payload.is_empty())?;
        core::str::from_utf8(payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use crate::Message;
    use alloc::vec::Vec;

    fn message(code: u8, rest: &[u8]) -> Vec<u8> {
        [&[0x40, code, 0, 1], rest].concat()
    }

    // RFC 7252 §5.10.8.1 and §5.10.8.2: If-Match is 1, If-None-Match 5.
    #[test]
    fn conditions_hold_for_what_is_there() {
        let (a, b) = (&b"a"[..], &b"b"[..]);
        let states = [None, Some(&b""[..]), Some(a), Some(b)];
        for (options, holds) in [
            (&b""[..], [true, true, true, true]),
            (b"\x11a", [false, false, true, false]),
            (b"\x11a\x01b", [false, false, true, true]),
            (b"\x10", [false, true, true, true]),
            (b"\x50", [true, false, false, false]),
            (b"\x11a\x40", [false; 4]),
        ] {
            let datagram = message(3, options);
            let request = Message::parse(&datagram).unwrap();
            assert_eq!(states.map(|current| request.preconditions_hold(current)), holds, "{request:?}");
        }
    }

    #[test]
    fn a_path_is_compared_by_its_segments() {
        for (options, path, others) in [
            (&b""[..], &["/", ""][..], &["//", "/a"][..]),
            (b"\xb0", &[], &["/", "", "//"]),
            (b"\xb0\x00", &["//"], &["/", "///"]),
            (b"\xb1a", &["/a", "a"], &["/a/", "//a", "/", "/b", "/A"]),
            (b"\xb1a\x00", &["/a/"], &["/a", "/a//"]),
            (b"\xb3a/b", &[], &["/a/b", "/a%2Fb"]),
            (b"\xb1\xff", &[], &["/\u{ff}"]),
        ] {
            let datagram = message(1, options);
            let request = Message::parse(&datagram).unwrap();
            assert!(path.iter().all(|path| request.path_is(path)), "{request:?}");
            assert!(!others.iter().any(|path| request.path_is(path)), "{request:?}");
        }
    }

    // RFC 7252 §5.5.2.
    #[test]
    fn only_an_error_without_a_format_has_a_diagnostic() {
        for (code, rest, diagnostic) in [
            (0x84, &b"\xffgone"[..], Some("gone")),
            (0xa0, b"\xffgone", Some("gone")),
            (0x45, b"\xffgone", None),
            (0x02, b"\xffgone", None),
            (0x84, b"\xc0\xffgone", None),
            (0x84, b"\xff\xff", None),
            (0x84, b"", None),
        ] {
            let datagram = message(code, rest);
            assert_eq!(Message::parse(&datagram).unwrap().diagnostic(), diagnostic, "{code} {rest:?}");
        }
    }
}
