//! From the options of a request to its URI (RFC 7252 §6.5).

use core::fmt::{self, Write};
use core::net::{IpAddr, SocketAddr};

use super::{Scheme, Uri};
use crate::text::Text;
use crate::{MessageView, OptionNumber};

/// Why no URI came out of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UriComposeError {
    /// The buffer is too small.
    #[error("no space: the uri has {needed} bytes")]
    NoSpace {
        /// The length of the URI, in bytes.
        needed: usize,
    },
    /// An option has a value that no URI can have in its place: no UTF-8, a path segment `.` or `..`,
    /// port 0, or a host that is neither a name nor an address. A server answers 4.02 for some of
    /// these ([`Message::check`](crate::Message::check)) and may answer 4.00 for the others.
    #[error("{0} has a value that no uri can have")]
    Option(OptionNumber),
}

impl<'b> Uri<'b> {
    /// The URI that a request is for, which came to `destination` over a connection of this scheme
    /// (RFC 7252 §6.5). It is written into `buffer`, and its host keeps the case that it came in.
    ///
    /// Path and query are percent-encoded as far as they must be, with digits in upper case: other
    /// characters than letters, digits and `-._~!$'()*+,;=:@` are, and in a query not `/` and `?`, but
    /// `&`. That is nothing but what [`write_options`](Self::write_options) takes away, so that the
    /// same options come out again; a single empty Uri-Path alone is lost, as `coap://host/` has
    /// none.
    ///
    /// A Proxy-Uri is not looked at: where there is one, it is the URI. With a Proxy-Scheme, the
    /// scheme is that.
    ///
    /// # Errors
    ///
    /// [`UriComposeError`].
    ///
    /// ```
    /// use coap_codec::{Message, Scheme, Uri};
    ///
    /// let request = Message::parse(b"\x40\x01\x00\x01\x3adm.example\x83a/b\x00\x44x=\xc3\xa9")?;
    /// let mut buffer = [0; 64];
    /// let uri = Uri::compose(&mut buffer, Scheme::Coap, "192.0.2.7:5683".parse()?, &request.view())?;
    /// assert_eq!(uri.as_str(), "coap://dm.example/a%2Fb/?x=%C3%A9");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compose(
        buffer: &'b mut [u8],
        scheme: Scheme,
        destination: SocketAddr,
        request: &MessageView<'_>,
    ) -> Result<Self, UriComposeError> {
        let mut text = Text::new(buffer);
        text.put(scheme.as_str());
        text.put("://");
        text.host(destination, request)?;
        let port = match request.option(OptionNumber::URI_PORT) {
            None => destination.port(),
            Some(_) => match request.uri_port() {
                Some(port) if port > 0 => port,
                _ => return Err(UriComposeError::Option(OptionNumber::URI_PORT)),
            },
        };
        if port != scheme.default_port() {
            text.put_display(format_args!(":{port}"));
        }
        if request.uri_path().next().is_none() {
            text.put("/");
        }
        for segment in request.uri_path() {
            if matches!(segment, b"." | b"..") {
                return Err(UriComposeError::Option(OptionNumber::URI_PATH));
            }
            text.put("/");
            text.encoded(OptionNumber::URI_PATH, segment, is_segment)?;
        }
        for (at, argument) in request.uri_query().enumerate() {
            text.put(if at == 0 { "?" } else { "&" });
            text.encoded(OptionNumber::URI_QUERY, argument, |byte| {
                byte != b'&' && (is_segment(byte) || matches!(byte, b'/' | b'?'))
            })?;
        }
        let no_space = UriComposeError::NoSpace { needed: text.length() };
        let written = text.finish().ok_or(no_space)?;
        // What can still be wrong is the host: all the rest was encoded.
        Uri::parse(written).map_err(|_| UriComposeError::Option(OptionNumber::URI_HOST))
    }
}

impl Text<'_> {
    fn put_display(&mut self, text: fmt::Arguments<'_>) {
        // Writing into a `Text` never fails.
        let _ = self.write_fmt(text);
    }

    /// A name in which characters beyond ASCII are percent-encoded, or the destination's address
    /// (steps 2 and 3).
    fn host(&mut self, destination: SocketAddr, request: &MessageView<'_>) -> Result<(), UriComposeError> {
        let invalid = UriComposeError::Option(OptionNumber::URI_HOST);
        if request.option(OptionNumber::URI_HOST).is_none() {
            match destination.ip() {
                IpAddr::V4(address) => self.put_display(format_args!("{address}")),
                IpAddr::V6(address) => self.put_display(format_args!("[{address}]")),
            }
            return Ok(());
        }
        let host = request.uri_host().ok_or(invalid)?;
        if host.starts_with('[') {
            // What is between the brackets is for `Uri::parse` to judge.
            let inside = host.strip_suffix(']').ok_or(invalid)?;
            let is_address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'[');
            if !inside.bytes().all(is_address) {
                return Err(invalid);
            }
            self.put(host);
            return Ok(());
        }
        // A `%` must begin an encoded byte, which `Uri::parse` sees to: the host is taken as a name
        // in the form of a URI already.
        if !host.bytes().all(|byte| !byte.is_ascii() || byte == b'%' || is_name(byte)) {
            return Err(invalid);
        }
        self.encoded(OptionNumber::URI_HOST, host.as_bytes(), |byte| byte.is_ascii())
    }

    /// The value of an option, in which what is not `plain` is percent-encoded.
    fn encoded(
        &mut self,
        number: OptionNumber,
        value: &[u8],
        plain: impl Fn(u8) -> bool,
    ) -> Result<(), UriComposeError> {
        if core::str::from_utf8(value).is_err() || !number.allows_length(value.len()) {
            return Err(UriComposeError::Option(number));
        }
        for byte in value {
            if plain(*byte) {
                self.put(char::from(*byte).encode_utf8(&mut [0; 4]));
            } else {
                self.put_display(format_args!("%{byte:02X}"));
            }
        }
        Ok(())
    }
}

/// `unreserved` and `sub-delims` of RFC 3986: what the name of a host is made of.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        )
}

/// `pchar` of RFC 3986 without percent-encoding.
const fn is_segment(byte: u8) -> bool {
    is_name(byte) || matches!(byte, b':' | b'@')
}
