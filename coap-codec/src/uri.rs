//! `coap` and `coaps` URIs, and the options that they become in a request (RFC 7252 section 6).

mod compose;
mod options;

use crate::cut::{cut, split_before};

pub use compose::UriComposeError;

/// A URI of the scheme `coap` or `coaps`, borrowed from its text.
///
/// Its parts are as they stand in the text: nothing is percent-decoded.
///
/// ```
/// use coap_codec::Uri;
///
/// let uri = Uri::parse("coap://[2001:db8::1]/bs?ep=x").unwrap();
/// assert_eq!((uri.host(), uri.port()), ("2001:db8::1", 5683));
/// // What a resolver and a socket want.
/// let address = format!("{}:{}", uri.host_in_brackets(), uri.port());
/// assert_eq!(address.parse::<std::net::SocketAddr>().unwrap().port(), 5683);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uri<'a> {
    text: &'a str,
    scheme: Scheme,
    host: &'a str,
    /// What stands behind the authority: `/path?query`.
    rest: &'a str,
    port: u16,
}

/// What is wrong with a text that should be a `coap` or `coaps` URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// It does not begin with `coap://` or `coaps://`.
    #[error("the scheme is neither coap nor coaps")]
    Scheme,
    /// There is no host (section 6.1), or something else in its place: brackets that do not match, a
    /// user's name.
    #[error("the host is missing or malformed")]
    Host,
    /// The port is no number up to 65535, or 0.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// It has a fragment, which a request cannot carry (section 6.4, step 3).
    #[error("there is a fragment")]
    Fragment,
    /// A `%` is not followed by two hexadecimal digits.
    #[error("a percent sign is not followed by two hexadecimal digits")]
    Percent,
    /// A character that no URI has: a space, a quote, one beyond ASCII (RFC 3986 section 2).
    #[error("a character that no uri may contain")]
    Character,
}

/// How a server is reached; those of CoAP over TCP (RFC 8323 §8) are not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Over UDP as it is.
    Coap,
    /// Over DTLS.
    Coaps,
}

impl Scheme {
    /// The port that is meant by a URI without one: 5683 or 5684 (sections 6.1 and 6.2).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Coap => 5683,
            Self::Coaps => 5684,
        }
    }

    /// Whether what goes over it is encrypted.
    #[must_use]
    pub const fn is_secure(self) -> bool {
        match self {
            Self::Coap => false,
            Self::Coaps => true,
        }
    }

    /// `coap` or `coaps`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coap => "coap",
            Self::Coaps => "coaps",
        }
    }
}

impl core::fmt::Display for Scheme {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> Uri<'a> {
    /// Reads a URI.
    ///
    /// # Errors
    /// [`UriError`], for the first rule that it breaks.
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        let (scheme, rest) = behind_scheme(text).ok_or(UriError::Scheme)?;
        let (name, scheme) = match scheme.as_bytes() {
            [name @ .., b's' | b'S'] => (name, Scheme::Coaps),
            name => (name, Scheme::Coap),
        };
        if !name.eq_ignore_ascii_case(b"coap") {
            return Err(UriError::Scheme);
        }
        check_characters(rest)?;
        let (authority, rest) = split_before(rest, *b"/?");
        let (host, port) = split_authority(authority).ok_or(UriError::Host)?;
        let port = if port.is_empty() { scheme.default_port() } else { port_number(port).ok_or(UriError::Port)? };
        Ok(Self { text, scheme, host, rest, port })
    }

    /// The whole text.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Whether the scheme is `coaps`: CoAP over DTLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.scheme.is_secure()
    }

    /// `coap` or `coaps`.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without its brackets.
    #[must_use]
    pub const fn host(&self) -> &'a str {
        self.host
    }

    /// The host as it stands in the text: an IPv6 address in its brackets.
    #[must_use]
    pub fn host_in_brackets(&self) -> &'a str {
        let after_scheme = behind_scheme(self.text).map_or("", |(_, rest)| rest);
        let brackets = if after_scheme.starts_with('[') { 2 } else { 0 };
        after_scheme.get(..self.host.len().saturating_add(brackets)).unwrap_or(self.host)
    }

    /// The port; where the text has none 5683, or 5684 for `coaps`.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The path with its slashes, `/rd/5a3f`; it may be empty.
    #[must_use]
    pub fn path(&self) -> &'a str {
        cut(self.rest, b'?').map_or(self.rest, |(path, _)| path)
    }

    /// The query without its question mark, if there is one: `ep=x&lt=60`.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        cut(self.rest, b'?').map(|(_, query)| query)
    }
}

impl core::fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text)
    }
}

impl<'a> TryFrom<&'a str> for Uri<'a> {
    type Error = UriError;

    fn try_from(text: &'a str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

/// The scheme, and what follows `://`. Neither scheme has a colon in it.
fn behind_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = cut(text, b':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

/// Host without brackets, and the digits of the port.
fn split_authority(authority: &str) -> Option<(&str, &str)> {
    let literal = authority.strip_prefix('[');
    let (host, port) = match literal {
        Some(literal) => cut(literal, b']')?,
        None => split_before(authority, *b"::"),
    };
    let fits = |byte: u8| match literal {
        Some(_) => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
        None => !matches!(byte, b'[' | b']'),
    };
    // An address in brackets has a colon; before an @ there is a user's name.
    let has = |text: &str, wanted: u8| text.bytes().any(|byte| byte == wanted);
    let lacks_colon = literal.is_some() && !has(host, b':');
    if host.is_empty() || !host.bytes().all(fits) || lacks_colon || has(authority, b'@') {
        return None;
    }
    Some((host, if port.is_empty() { port } else { port.strip_prefix(':')? }))
}

/// From 1 on, in digits alone.
fn port_number(digits: &str) -> Option<u16> {
    let number = digits.bytes().try_fold(0u16, |number, byte| {
        let digit = Some(byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    });
    number.filter(|number| *number > 0)
}

fn check_characters(text: &str) -> Result<(), UriError> {
    // How many digits are still to come behind a percent sign.
    let mut digits = 0u8;
    for byte in text.bytes() {
        if let Some(fewer) = digits.checked_sub(1) {
            if !byte.is_ascii_hexdigit() {
                return Err(UriError::Percent);
            }
            digits = fewer;
            continue;
        }
        match byte {
            b'#' => return Err(UriError::Fragment),
            b'%' => digits = 2,
            b'!' | b'$' | b'&'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~' => {}
            _ => return Err(UriError::Character),
        }
    }
    if digits > 0 { Err(UriError::Percent) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_found() {
        for (text, secure, host, port, path, query) in [
            ("coap://dm.example", false, "dm.example", 5683, "", None),
            ("coaps://dm.example", true, "dm.example", 5684, "", None),
            ("COAP://dm.example:61616/", false, "dm.example", 61_616, "/", None),
            ("coap://192.0.2.1:/rd/5a3f", false, "192.0.2.1", 5683, "/rd/5a3f", None),
            ("coaps://[2001:db8::1]:5685?a&b", true, "2001:db8::1", 5685, "", Some("a&b")),
            ("coap://[::ffff:192.0.2.1]/a?b?c/d", false, "::ffff:192.0.2.1", 5683, "/a", Some("b?c/d")),
            ("coap://h%C3%A9/%2F", false, "h%C3%A9", 5683, "/%2F", None),
            ("coap://a/x:y@z;v=1", false, "a", 5683, "/x:y@z;v=1", None),
        ] {
            let uri = Uri::parse(text).unwrap();
            assert_eq!((uri.is_secure(), uri.host(), uri.port()), (secure, host, port), "{text}");
            assert_eq!((uri.path(), uri.query()), (path, query), "{text}");
            assert_eq!(uri.as_str(), text);
            assert_eq!(alloc::format!("{}", uri.scheme()), if secure { "coaps" } else { "coap" });
        }
    }

    #[test]
    fn an_address_keeps_its_brackets_where_they_are_wanted() {
        for (text, host) in
            [("coap://[::1]:5", "[::1]"), ("coap://[::1]", "[::1]"), ("coaps://a.b:5/c", "a.b"), ("coap://a", "a")]
        {
            assert_eq!(Uri::parse(text).unwrap().host_in_brackets(), host);
        }
    }

    #[test]
    fn what_is_no_coap_uri_is_told() {
        for (text, error) in [
            ("", UriError::Scheme),
            ("coap:", UriError::Scheme),
            ("coap:/dm.example", UriError::Scheme),
            ("http://dm.example", UriError::Scheme),
            ("coap+tcp://dm.example", UriError::Scheme),
            ("coap://", UriError::Host),
            ("coap:///rd", UriError::Host),
            ("coap://:5683", UriError::Host),
            ("coap://?a", UriError::Host),
            ("coap://me@dm.example", UriError::Host),
            ("coap://me:secret@dm.example", UriError::Host),
            ("coap://[::1", UriError::Host),
            ("coap://[::1]x", UriError::Host),
            ("coap://[dm.example]", UriError::Host),
            ("coap://[192.0.2.1]", UriError::Host),
            ("coap://[fe80::1%25en0]", UriError::Host),
            ("coap://a]b", UriError::Host),
            ("coap://::1", UriError::Host),
            ("coap://dm.example:65536", UriError::Port),
            ("coap://dm.example:0", UriError::Port),
            ("coap://dm.example:+1", UriError::Port),
            ("coap://dm.example:5:6", UriError::Port),
            ("coap://2001:db8::1", UriError::Port),
            ("coap://dm.example/#top", UriError::Fragment),
            ("coap://dm.example/%", UriError::Percent),
            ("coap://dm.example/%4", UriError::Percent),
            ("coap://dm.example/%4g", UriError::Percent),
            ("coap://dm example", UriError::Character),
            ("coap://dm.example/\"", UriError::Character),
            ("coap://dm.example/é", UriError::Character),
            ("coap://dm.example/<a>", UriError::Character),
            ("coap://dm.example/a|b", UriError::Character),
            ("coap://dm.example/a^b", UriError::Character),
        ] {
            assert_eq!(Uri::parse(text), Err(error), "{text}");
        }
    }
}
