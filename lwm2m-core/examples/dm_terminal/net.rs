//! UDP: where a URI leads, and a thread for each peer that turns what arrives into messages.

use core::fmt;
use core::time::Duration;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Weak};
use std::thread;

use lwm2m_core::Peer;

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
    fn open(&self) -> io::Result<UdpSocket> {
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

/// What the world outside has to say to the program.
#[derive(Debug)]
pub(crate) enum Message {
    /// The way to a peer is open, or it cannot be opened.
    Opened(Peer, io::Result<Arc<UdpSocket>>),
    /// A datagram of a peer.
    Datagram(Peer, Vec<u8>),
    /// A line of standard input.
    Line(String),
    /// Ctrl-C, or its like.
    Stop,
}

/// Opens the way to a peer without keeping the caller waiting for the name to be resolved, and hands
/// over what arrives on it, until the socket is dropped.
pub(crate) fn connect(peer: Peer, uri: String, inbox: SyncSender<Message>) {
    thread::spawn(move || {
        let opened = Authority::parse(&uri).map_err(io::Error::other).and_then(|authority| authority.open());
        let opened = opened.and_then(|socket| {
            socket.set_read_timeout(Some(Duration::from_secs(1)))?;
            Ok(Arc::new(socket))
        });
        let socket = opened.as_ref().map(Arc::downgrade).unwrap_or_default();
        if inbox.send(Message::Opened(peer, opened)).is_ok() {
            receive(peer, &socket, &inbox);
        }
    });
}

/// Goes on until nobody needs the socket any more. An error is no end: 'connection refused' only
/// says that nobody was there when the last datagram arrived.
fn receive(peer: Peer, socket: &Weak<UdpSocket>, inbox: &SyncSender<Message>) {
    let mut buffer = vec![0; 1 << 16];
    while let Some(socket) = socket.upgrade() {
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let datagram = buffer.get(..length).unwrap_or_default().to_vec();
                if inbox.send(Message::Datagram(peer, datagram)).is_err() {
                    return;
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            // A broken interface may report its error again at once.
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}
