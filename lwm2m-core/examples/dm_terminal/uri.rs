//! Where a `coap` or `coaps` URI leads.

use core::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use lwm2m_core::Uri;

use crate::dtls;

/// Host and port of a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    host: String,
    port: u16,
}

impl Authority {
    /// The host and port of a URI that says nothing else.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let uri = Uri::parse(text).map_err(|error| format!("{text}: {error}"))?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(format!("{text}: only a host and a port may follow coap://"));
        }
        if uri.is_secure() && !dtls::SUPPORTED {
            return Err(format!("{text}: this program was built without DTLS, use coap://"));
        }
        Ok(Self::of(uri))
    }

    /// Where the client wants a session with.
    pub(crate) fn of(uri: Uri<'_>) -> Self {
        Self { host: uri.host().into(), port: uri.port() }
    }

    /// A socket that sends to this host, and hears nobody else.
    pub(crate) fn open(&self) -> io::Result<UdpSocket> {
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            let local: SocketAddr = match address {
                SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
            };
            match UdpSocket::bind(local).and_then(|socket| socket.connect(address).map(|()| socket)) {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
