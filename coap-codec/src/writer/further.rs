//! The typed options that fewer messages have: conditions, hosts and proxies, and the later RFCs.

use super::MessageWriter;
use crate::{NoResponse, OptionNumber, WriteError};

impl MessageWriter<'_> {
    /// Adds an ETag that the target must have, up to 8 bytes; an empty one asks that the target
    /// exists (RFC 7252 §5.10.8.1). It may be added several times, for any of several.
    ///
    /// # Errors
    ///
    /// [`WriteError::ValueTooLong`], or as [`option`](Self::option).
    pub fn if_match(&mut self, etag: &[u8]) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::IF_MATCH, etag)
    }

    /// Adds that the request is for a target that does not exist yet (RFC 7252 §5.10.8.2).
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn if_none_match(&mut self) -> Result<(), WriteError> {
        self.option(OptionNumber::IF_NONE_MATCH, &[])
    }

    /// Adds the host that is meant, 1 to 255 bytes, in lower case and not percent-encoded. Leave it
    /// out for the address that the request is sent to; [`Uri::write_options`](crate::Uri::write_options)
    /// does all of this.
    ///
    /// # Errors
    ///
    /// [`WriteError::ValueTooShort`], [`WriteError::ValueTooLong`], or as
    /// [`option`](Self::option).
    pub fn uri_host(&mut self, host: &str) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::URI_HOST, host.as_bytes())
    }

    /// Adds the port that is meant; leave it out for the one that the request is sent to.
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn uri_port(&mut self, port: u16) -> Result<(), WriteError> {
        self.uint(OptionNumber::URI_PORT, port.into())
    }

    /// Adds the absolute URI that a forward-proxy is asked for, up to 1034 bytes. It stands in
    /// place of all Uri options (RFC 7252 §5.10.2).
    ///
    /// # Errors
    ///
    /// As [`uri_host`](Self::uri_host).
    pub fn proxy_uri(&mut self, uri: &str) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::PROXY_URI, uri.as_bytes())
    }

    /// Adds the scheme of the URI that a forward-proxy is asked for, and that the Uri options make.
    ///
    /// # Errors
    ///
    /// As [`uri_host`](Self::uri_host).
    pub fn proxy_scheme(&mut self, scheme: &str) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::PROXY_SCHEME, scheme.as_bytes())
    }

    /// Adds how many proxies may still pass the request on, 1 to 255 (RFC 8768 §3).
    ///
    /// # Errors
    ///
    /// [`WriteError::InvalidValue`] for 0, or as [`option`](Self::option).
    pub fn hop_limit(&mut self, hops: u8) -> Result<(), WriteError> {
        if hops == 0 {
            return Err(WriteError::InvalidValue);
        }
        self.option(OptionNumber::HOP_LIMIT, &[hops])
    }

    /// Adds an Echo value, 1 to 40 bytes: to a response, to have it repeated; to a request, the one
    /// that came from this server (RFC 9175 §2.2).
    ///
    /// # Errors
    ///
    /// As [`uri_host`](Self::uri_host).
    pub fn echo(&mut self, value: &[u8]) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::ECHO, value)
    }

    /// Adds what tells apart two bodies that are sent in blocks to one resource at once, 0 to 8
    /// bytes; the same in every block of a body (RFC 9175 §3.2).
    ///
    /// # Errors
    ///
    /// [`WriteError::ValueTooLong`], or as [`option`](Self::option).
    pub fn request_tag(&mut self, tag: &[u8]) -> Result<(), WriteError> {
        self.checked_option(OptionNumber::REQUEST_TAG, tag)
    }

    /// Adds which responses are of no interest; [`NoResponse::NONE`] is the default and need not be
    /// sent (RFC 7967 §2).
    ///
    /// # Errors
    ///
    /// As [`option`](Self::option).
    pub fn no_response(&mut self, classes: NoResponse) -> Result<(), WriteError> {
        self.uint(OptionNumber::NO_RESPONSE, classes.0.into())
    }
}
