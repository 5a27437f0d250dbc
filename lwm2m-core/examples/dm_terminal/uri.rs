//! Where a `coap` or `coaps` URI leads.

use core::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use lwm2m_core::Uri;

use crate::dtls;

/// Whether nobody has this port.
pub(crate) fn is_free(port: u16) -> io::Result<()> {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).map(drop)
}

/// Ports that are tried when the one that is wanted is not free: other servers, and sockets that were just left.
const NEXT_PORTS: u16 = 15;

/// Host and port of a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    host: String,
    port: u16,
}

impl Authority {
    /// The host and port of a URI that says nothing else.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let uri =
            Uri::parse(text).map_err(|error| format!("{text}: {error}; it is coap://HOST or coap://HOST:PORT"))?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(format!("{text}: only a host and a port may follow coap://"));
        }
        if uri.is_secure() && !dtls::SUPPORTED {
            return Err(format!(
                "{text}: this program has no DTLS; lwm2m-core/examples/tokio_terminal builds it with it"
            ));
        }
        Ok(Self::of(uri))
    }

    /// Where the client wants a session with.
    pub(crate) fn of(uri: Uri<'_>) -> Self {
        Self { host: uri.host().into(), port: uri.port() }
    }

    /// A socket that sends to this host, and hears nobody else: from `port` or one of the next, if one is wanted.
    pub(crate) fn open(&self, port: Option<u16>) -> io::Result<UdpSocket> {
        let ports = port.map_or(0..=0, |port| port..=port.saturating_add(NEXT_PORTS));
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            let any: IpAddr = match address {
                SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            let bind = |port| UdpSocket::bind((any, port));
            let bound = ports.clone().find_map(|port| bind(port).ok()).map_or_else(|| bind(*ports.start()), Ok);
            match bound.and_then(|socket| socket.connect(address).map(|()| socket)) {
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
