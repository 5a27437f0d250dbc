//! The ways to the servers: for each peer a socket, or the try to open one.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::sync::Arc;

use lwm2m_core::{Peer, Session};

/// A try to open a way. What comes of one that nobody waits for any more, or from a socket that was
/// closed since, is told by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Try {
    pub(crate) peer: Peer,
    number: u32,
}

/// All ways.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    ways: BTreeMap<Peer, Way>,
    tries: u32,
}

#[derive(Debug, Default)]
struct Way {
    host: String,
    /// The try that is waited for.
    trying: Option<u32>,
    /// The socket, and the try that it came of.
    open: Option<(u32, Arc<UdpSocket>)>,
    /// Whether there ever was one.
    known: bool,
}

impl Ways {
    /// The client asks for a way to a peer, at `host`.
    pub(crate) fn ask(&mut self, peer: Peer, host: String) -> Try {
        self.tries = self.tries.wrapping_add(1);
        let way = self.ways.entry(peer).or_default();
        (way.host, way.trying) = (host, Some(self.tries));
        Try { peer, number: self.tries }
    }

    /// A try came to a socket: what kind of session that makes. None when it is not waited for.
    pub(crate) fn opened(&mut self, opened: Try, socket: Arc<UdpSocket>) -> Option<Session> {
        let way = self.tried(opened)?;
        // The server knows the device by address and port: the old socket has both still.
        if way.open.as_ref().is_some_and(|(_, old)| has_same_ends(old, &socket)) {
            return Some(Session::Resumed);
        }
        way.open = Some((opened.number, socket));
        Some(if core::mem::replace(&mut way.known, true) { Session::Moved } else { Session::New })
    }

    /// A try came to nothing. False when it is not waited for.
    pub(crate) fn failed(&mut self, failed: Try) -> bool {
        self.tried(failed).is_some()
    }

    fn tried(&mut self, tried: Try) -> Option<&mut Way> {
        let way = self.ways.get_mut(&tried.peer).filter(|way| way.trying == Some(tried.number))?;
        way.trying = None;
        Some(way)
    }

    /// Whether the socket that came of this try is in use.
    pub(crate) fn is_open(&self, opened: Try) -> bool {
        let open = self.ways.get(&opened.peer).and_then(|way| way.open.as_ref());
        open.is_some_and(|(number, _)| *number == opened.number)
    }

    /// Whether a try is waited for.
    pub(crate) fn is_trying(&self) -> bool {
        self.ways.values().any(|way| way.trying.is_some())
    }

    pub(crate) fn socket(&self, peer: Peer) -> Option<&UdpSocket> {
        self.ways.get(&peer)?.open.as_ref().map(|(_, socket)| &**socket)
    }

    /// Host and port, for people.
    pub(crate) fn host(&self, peer: Peer) -> &str {
        self.ways.get(&peer).map_or("a server", |way| &way.host)
    }

    /// The client does not need this way any more.
    pub(crate) fn forget(&mut self, peer: Peer) {
        self.ways.remove(&peer);
    }

    /// The client begins anew, and knows no peer.
    pub(crate) fn forget_all(&mut self) {
        self.ways.clear();
    }

    /// There is no network: no try is waited for. The client asks again when there is one.
    pub(crate) fn interrupt(&mut self) {
        self.ways.values_mut().for_each(|way| way.trying = None);
    }

    /// The device has another address: no socket is good any more.
    pub(crate) fn close(&mut self) {
        self.interrupt();
        self.ways.values_mut().for_each(|way| way.open = None);
    }
}

/// Whether two sockets join the same hosts. Their own ports differ.
fn has_same_ends(one: &UdpSocket, other: &UdpSocket) -> bool {
    let ends = |socket: &UdpSocket| Some((socket.local_addr().ok()?.ip(), socket.peer_addr().ok()?));
    ends(one).is_some_and(|ends_of_one| Some(ends_of_one) == ends(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: Peer = Peer(3);

    /// A socket for datagrams to a port of this host.
    fn socket(port: u16) -> Arc<UdpSocket> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        socket.into()
    }

    #[test]
    fn what_a_session_is_follows_from_the_sockets() {
        let mut ways = Ways::default();
        let open = |ways: &mut Ways, port| {
            let asked = ways.ask(PEER, "dm".into());
            (asked, ways.opened(asked, socket(port)))
        };
        let (first, session) = open(&mut ways, 7001);
        assert_eq!((session, ways.is_open(first)), (Some(Session::New), true));
        let (again, session) = open(&mut ways, 7001);
        assert_eq!((session, ways.is_open(again)), (Some(Session::Resumed), false));
        assert!(ways.is_open(first), "the old socket stays");
        let (elsewhere, session) = open(&mut ways, 7002);
        assert_eq!((session, ways.is_open(elsewhere)), (Some(Session::Moved), true));
        ways.close();
        assert!(ways.socket(PEER).is_none() && !ways.is_open(elsewhere));
        assert_eq!(open(&mut ways, 7002).1, Some(Session::Moved));
        ways.forget(PEER);
        assert_eq!(open(&mut ways, 7002).1, Some(Session::New));
    }

    #[test]
    fn only_the_last_try_is_waited_for() {
        let mut ways = Ways::default();
        let (first, second) = (ways.ask(PEER, "dm".into()), ways.ask(PEER, "dm".into()));
        assert_eq!((ways.opened(first, socket(7001)), ways.failed(first)), (None, false));
        assert!(ways.is_trying());
        assert!(ways.failed(second) && !ways.failed(second) && !ways.is_trying());
        let third = ways.ask(PEER, "dm".into());
        ways.interrupt();
        assert_eq!((ways.is_trying(), ways.opened(third, socket(7001))), (false, None));
        assert_eq!(ways.host(PEER), "dm");
    }
}
