//! From a URI to the options of a request (RFC 7252 §6.4).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Uri;
use crate::cut::{cut, pieces};
use crate::{MessageWriter, OptionNumber, WriteError};

impl Uri<'_> {
    /// Adds Uri-Host, Uri-Port, Uri-Path and Uri-Query to a request for this URI that is sent to
    /// `destination`, as far as they are needed (RFC 7252 §6.4).
    ///
    /// A `destination` of `None` is for one whose address is not known here, as something else resolves
    /// names: it is the host and the port of the URI. Uri-Host is sent for a name then, and Uri-Port
    /// is not.
    ///
    /// - `.` and `..` are resolved first (step 2), and so are `%2E` and `%2e%2E`, which mean the same
    ///   (RFC 3986 §6.2.2.2): `/a/../b` is `/b`, and `/..` is `/`. No such segment is ever sent.
    /// - Uri-Host is left out for an IP address that is the destination's; it is in lower case, and
    ///   then percent-decoded (step 5). Uri-Port is left out for the destination's port (step 7).
    /// - Path and query are cut at `/` and `&` first, and percent-decoded then (steps 8 and 9): a
    ///   `%2F` is a part of its segment. `/` alone has no segment, `/a/` has an empty one at the end,
    ///   and a `?` with nothing behind it makes one empty Uri-Query.
    ///
    /// Of the scheme, nothing goes into the message; whether the connection is a secure one is the
    /// caller's to see to. A path of n segments with k `..` in it takes up to n·k steps.
    ///
    /// # Errors
    ///
    /// [`WriteError::ValueTooLong`] for a part of more than 255 bytes; [`WriteError::InvalidValue`]
    /// for one that is not UTF-8 when it is decoded; or as [`MessageWriter::option`]. Some options may
    /// have been added then.
    ///
    /// ```
    /// use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, Token, Uri};
    ///
    /// let header = Header::new(MessageType::Confirmable, Code::GET, MessageId(1));
    /// let mut buffer = [0; 64];
    /// let mut message = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
    /// // Resolved by whatever resolves names.
    /// let destination = "192.0.2.7:5683".parse()?;
    /// Uri::parse("coap://DM.example/a%2Fb/?x=%C3%A9")?.write_options(&mut message, Some(destination))?;
    /// assert_eq!(message.as_bytes(), b"\x40\x01\x00\x01\x3adm.example\x83a/b\x00\x44x=\xc3\xa9");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_options(
        &self,
        message: &mut MessageWriter<'_>,
        destination: Option<SocketAddr>,
    ) -> Result<(), WriteError> {
        let mut decoded = Decoded::EMPTY;
        let address = self.address().map(|address| address.to_canonical());
        if address.is_none() || destination.is_some_and(|there| address != Some(there.ip().to_canonical())) {
            decoded.set(self.host_in_brackets().bytes().map(|byte| byte.to_ascii_lowercase()))?;
            message.checked_option(OptionNumber::URI_HOST, decoded.as_text()?)?;
        }
        if destination.is_some_and(|there| there.port() != self.port) {
            message.uri_port(self.port)?;
        }
        let mut segments = Segments::of(self.path()).peekable();
        // A path of one empty segment is `/`, which is the same as none.
        let is_root = segments.peek() == Some(&"") && segments.clone().count() == 1;
        for segment in segments.filter(|_| !is_root) {
            decoded.set(segment.bytes())?;
            message.checked_option(OptionNumber::URI_PATH, decoded.as_text()?)?;
        }
        for argument in self.query().into_iter().flat_map(|query| pieces(query, b'&')) {
            decoded.set(argument.bytes())?;
            message.checked_option(OptionNumber::URI_QUERY, decoded.as_text()?)?;
        }
        Ok(())
    }

    /// The host as an IP address, if it is one.
    fn address(&self) -> Option<IpAddr> {
        let host = self.host();
        if self.host_in_brackets().starts_with('[') {
            host.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        } else {
            host.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
    }
}

/// A part of a URI without its percent-encoding.
struct Decoded {
    bytes: [u8; Self::MAX],
    length: usize,
}

impl Decoded {
    /// All options that a URI is made of end here.
    const MAX: usize = 255;
    const EMPTY: Self = Self { bytes: [0; Self::MAX], length: 0 };

    fn set(&mut self, encoded: impl Iterator<Item = u8>) -> Result<(), WriteError> {
        self.length = 0;
        for byte in decode(encoded) {
            *self.bytes.get_mut(self.length).ok_or(WriteError::ValueTooLong)? = byte;
            self.length = self.length.saturating_add(1);
        }
        Ok(())
    }

    fn as_text(&self) -> Result<&[u8], WriteError> {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        if core::str::from_utf8(bytes).is_ok() { Ok(bytes) } else { Err(WriteError::InvalidValue) }
    }
}

/// Percent-decodes what [`Uri::parse`] has checked: each `%` has two digits behind it.
fn decode(mut encoded: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    core::iter::from_fn(move || match encoded.next()? {
        b'%' => Some((digit(encoded.next()?) << 4) | digit(encoded.next()?)),
        byte => Some(byte),
    })
}

fn digit(byte: u8) -> u8 {
    let value = char::from(byte).to_digit(16).unwrap_or_default();
    (value & 0x0f) as u8
}

/// The segments of a path from which `.` and `..` are gone (RFC 3986 §5.2.4), still encoded.
///
/// No list of them is kept: whether a segment stays is seen by looking ahead for the `..` that takes
/// it away.
#[derive(Clone)]
struct Segments<'a> {
    /// `None` at the end; some empty text when an empty segment is still to come.
    rest: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Dot,
    DotDot,
}

impl<'a> Segments<'a> {
    fn of(path: &'a str) -> Self {
        Self { rest: path.strip_prefix('/') }
    }

    /// The next segment as it stands there.
    fn step(&mut self) -> Option<(&'a str, Kind)> {
        let rest = self.rest?;
        let (segment, rest) = cut(rest, b'/').map_or((rest, None), |(segment, rest)| (segment, Some(rest)));
        self.rest = rest;
        let mut bytes = decode(segment.bytes());
        let kind = match [bytes.next(), bytes.next(), bytes.next()] {
            [Some(b'.'), None, _] => Kind::Dot,
            [Some(b'.'), Some(b'.'), None] => Kind::DotDot,
            _ => Kind::Name,
        };
        Some((segment, kind))
    }

    /// What follows the `..` that takes away the name that was read last, if there is one.
    fn behind_its_dot_dot(&self) -> Option<Self> {
        let mut ahead = self.clone();
        let mut names = 1_usize;
        while let Some((_, kind)) = ahead.step() {
            names = match kind {
                Kind::Name => names.saturating_add(1),
                Kind::Dot => names,
                Kind::DotDot => names.saturating_sub(1),
            };
            if names == 0 {
                return Some(ahead);
            }
        }
        None
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let (segment, kind) = self.step()?;
            if kind == Kind::Name {
                let Some(behind) = self.behind_its_dot_dot() else { return Some(segment) };
                *self = behind;
            }
            // `/a/.` and `/a/b/..` are `/a/`: at the end they leave their slash.
            if self.rest.is_none() {
                return Some("");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    /// RFC 3986 §5.2.4, letter by letter: the buffers are its own.
    fn remove_dot_segments(path: &str) -> String {
        let mut input = String::from(path);
        let mut output = String::new();
        while !input.is_empty() {
            if let Some(rest) = input.strip_prefix("/./") {
                input = alloc::format!("/{rest}");
            } else if input == "/." {
                input = String::from("/");
            } else if input.starts_with("/../") || input == "/.." {
                input = alloc::format!("/{}", input.get(4..).unwrap_or_default());
                output.truncate(output.rfind('/').unwrap_or_default());
            } else {
                let end = input[1..].find('/').map_or(input.len(), |at| at + 1);
                output.push_str(&input[..end]);
                input.drain(..end);
            }
        }
        output
    }

    // All paths of up to six segments of four kinds.
    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn dots_are_resolved_as_the_standard_does_it() {
        let kinds = ["", "a", ".", ".."];
        for length in 1..=6 {
            for choice in 0..4_usize.pow(length) {
                let segments: Vec<_> = (0..length).map(|at| kinds[choice / 4_usize.pow(at) % 4]).collect();
                let path = alloc::format!("/{}", segments.join("/"));
                let resolved: Vec<_> = Segments::of(&path).collect();
                assert_eq!(alloc::format!("/{}", resolved.join("/")), remove_dot_segments(&path), "{path}");
            }
        }
        assert_eq!(Segments::of("").count(), 0);
    }

    #[test]
    fn an_encoded_dot_is_a_dot() {
        for (path, expected) in [
            ("/a/%2e%2E/b", &["b"][..]),
            ("/a/.%2e/b", &["b"]),
            ("/%2E/b", &["b"]),
            ("/%2E%2E%2E/b", &["%2E%2E%2E", "b"]),
            ("/%252E/b", &["%252E", "b"]),
        ] {
            assert!(Segments::of(path).eq(expected.iter().copied()), "{path}");
        }
    }
}
