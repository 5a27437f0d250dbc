//! Where a `coap` URI leads.

use core::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

/// Host and port of a `coap` URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    host: String,
    port: u16,
}

/// The port of `coap` (RFC 7252 section 6.1).
const PORT: u16 = 5683;

impl Authority {
    /// Reads `coap://HOST[:PORT]`, the host being a name, an IPv4 address or an IPv6 one in brackets.
    pub(crate) fn parse(uri: &str) -> Result<Self, String> {
        if uri.starts_with("coaps://") {
            return Err(format!("{uri}: DTLS is not supported yet, use coap://"));
        }
        let rest = uri.strip_prefix("coap://").ok_or_else(|| format!("{uri}: this does not begin with coap://"))?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@']) {
            return Err(format!("{uri}: only a host and a port may follow coap://"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed.split_once(']').ok_or_else(|| format!("{uri}: ']' is missing"))?;
                if host.parse::<Ipv6Addr>().is_err() {
                    return Err(format!("{uri}: '{host}' is no IPv6 address"));
                }
                (host, port)
            }
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        if host.is_empty() {
            return Err(format!("{uri}: the host is missing"));
        }
        let port = match port {
            "" => PORT,
            _ => port
                .strip_prefix(':')
                .and_then(|port| port.parse().ok())
                .filter(|port| *port != 0)
                .ok_or_else(|| format!("{uri}: the port is not a number from 1 to 65535"))?,
        };
        Ok(Self { host: host.into(), port })
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
