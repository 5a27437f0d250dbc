//! The protocols that packages are downloaded with, and what a Package URI says of them.

use coap_codec::Uri;

use super::DownloadError;
use crate::base::value::{DataType, Value};
use crate::objects::field::Scalar;

/// A protocol to download packages with (/5/0/8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `coap`
    Coap,
    /// `coaps`
    Coaps,
    /// `http`
    Http,
    /// `https`
    Https,
    /// `coap+tcp`
    CoapTcp,
    /// `coaps+tcp`
    CoapsTcp,
}

impl Protocol {
    /// The protocol of a URI.
    pub(super) fn of(uri: &str) -> Result<Self, DownloadError> {
        let (scheme, rest) = uri.split_once("://").ok_or(DownloadError::Uri)?;
        // RFC 3986, sections 2 and 3.1.
        let letters = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'+' | b'-' | b'.');
        let named = scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(letters);
        let printed = uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
        if !named || !printed || rest.is_empty() || rest.starts_with(['/', '?', '#', ':']) {
            return Err(DownloadError::Uri);
        }
        let protocols = [
            ("coap", Self::Coap),
            ("coaps", Self::Coaps),
            ("http", Self::Http),
            ("https", Self::Https),
            ("coap+tcp", Self::CoapTcp),
            ("coaps+tcp", Self::CoapsTcp),
        ];
        let known = protocols.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name));
        let (_, protocol) = known.ok_or(DownloadError::Protocol)?;
        if matches!(protocol, Self::Coap | Self::Coaps) {
            Uri::parse(uri).map_err(|_| DownloadError::Uri)?;
        }
        Ok(protocol)
    }
}

impl Scalar for Protocol {
    const DATA_TYPE: DataType = DataType::Integer;

    fn value(&self) -> Value<'_> {
        Value::Int(i64::from(*self as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_of_a_uri() {
        for (uri, protocol) in [
            ("coap://fw.example/a.bin", Ok(Protocol::Coap)),
            ("COAPS://[2001:db8::1]:5684/a?v=2", Ok(Protocol::Coaps)),
            ("http://fw.example", Ok(Protocol::Http)),
            ("https://fw.example:8443/a%20b", Ok(Protocol::Https)),
            ("coap+tcp://fw.example/a", Ok(Protocol::CoapTcp)),
            ("coaps+tcp://fw.example/a", Ok(Protocol::CoapsTcp)),
            ("ftp://fw.example/a", Err(DownloadError::Protocol)),
            ("x-y.z+1://fw.example/a", Err(DownloadError::Protocol)),
            ("", Err(DownloadError::Uri)),
            ("fw.example/a", Err(DownloadError::Uri)),
            ("coap:/fw.example/a", Err(DownloadError::Uri)),
            ("coap://", Err(DownloadError::Uri)),
            ("coap:///a", Err(DownloadError::Uri)),
            ("coap://fw.example:port/a", Err(DownloadError::Uri)),
            ("http://:80/a", Err(DownloadError::Uri)),
            ("http://fw.example/a b", Err(DownloadError::Uri)),
            ("http://fw.example/\u{e9}", Err(DownloadError::Uri)),
            ("1http://fw.example/a", Err(DownloadError::Uri)),
            ("ht_tp://fw.example/a", Err(DownloadError::Uri)),
            ("://fw.example/a", Err(DownloadError::Uri)),
        ] {
            assert_eq!(Protocol::of(uri), protocol, "{uri}");
        }
    }
}
