//! The ways to the servers: for each peer a socket, or the try to open one, and for some a DTLS session.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Instant;

use lwm2m_core::{Peer, Security, Session};

use crate::capture::Ends;
use crate::dtls::{Dtls, Sign};

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
    /// What sessions have said, and nobody has taken.
    said: VecDeque<(Peer, Said)>,
}

/// What a session says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Datagrams pass.
    Connected,
    /// One came.
    Datagram(Vec<u8>),
    /// It cannot be made, or is over, and why.
    Over(String),
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
    /// Identity and key, if there is to be a session.
    psk: Option<(Vec<u8>, Vec<u8>)>,
    /// The session, and whether datagrams pass.
    session: Option<(Dtls, bool)>,
}

impl Ways {
    /// The client asks for a way to a peer, at `host`.
    pub(crate) fn ask(&mut self, peer: Peer, host: String, security: Security<'_>) -> Try {
        self.tries = self.tries.wrapping_add(1);
        let way = self.ways.entry(peer).or_default();
        way.psk = match security {
            Security::NoSec => None,
            Security::Psk { identity, key } => Some((identity.into(), key.into())),
        };
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

    /// Begins a session on a way that was just opened, if there is to be one and there is none that goes on.
    pub(crate) fn shake_hands(&mut self, peer: Peer, now: Instant) -> bool {
        let Some(way) = self.ways.get_mut(&peer) else { return false };
        let Some((identity, key)) = way.psk.clone().filter(|_| !matches!(way.session, Some((_, true)))) else {
            return false;
        };
        match Dtls::new(identity, key, now) {
            Ok(session) => way.session = Some((session, false)),
            Err(why) => self.said.push_back((peer, Said::Over(why))),
        }
        self.flush(peer);
        true
    }

    /// Whether what passes here belongs into a session.
    pub(crate) fn is_secure(&self, peer: Peer) -> bool {
        self.ways.get(&peer).is_some_and(|way| way.psk.is_some())
    }

    /// Whether there is any session.
    pub(crate) fn has_sessions(&self) -> bool {
        self.ways.values().any(|way| way.session.is_some())
    }

    /// Sends a datagram, through the session if there is one; nothing when there is no socket.
    pub(crate) fn send(&mut self, peer: Peer, datagram: &[u8]) -> Option<io::Result<()>> {
        let way = self.ways.get_mut(&peer)?;
        let Some((session, _)) = &mut way.session else {
            // Nothing passes that was meant for a session.
            return if way.psk.is_none() { Some(send(way.socket()?, datagram)) } else { None };
        };
        let sent = session.send(datagram).map_err(io::Error::other);
        self.flush(peer);
        Some(sent)
    }

    /// Hands a record to the session with a peer.
    pub(crate) fn receive(&mut self, peer: Peer, now: Instant, record: &[u8]) {
        let session = self.ways.get_mut(&peer).and_then(|way| way.session.as_mut());
        let result = session.map_or(Ok(()), |(session, _)| session.receive(now, record));
        self.go_on(peer, result);
    }

    /// When a session wants to go on by itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.ways.values().filter_map(|way| Some(way.session.as_ref()?.0.deadline())).min()
    }

    /// Lets sessions go on.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for peer in self.ways.keys().copied().collect::<Vec<_>>() {
            let session = self.ways.get_mut(&peer).and_then(|way| way.session.as_mut());
            if let Some((session, _)) = session.filter(|(session, _)| session.deadline() <= now) {
                let result = session.handle_timeout(now);
                self.go_on(peer, result);
            }
        }
    }

    /// What a session has said, the oldest first.
    pub(crate) fn take_said(&mut self) -> Option<(Peer, Said)> {
        self.said.pop_front()
    }

    fn go_on(&mut self, peer: Peer, result: Result<(), String>) {
        self.flush(peer);
        if let Err(why) = result {
            self.over(peer, why);
        }
    }

    fn over(&mut self, peer: Peer, why: String) {
        if let Some(way) = self.ways.get_mut(&peer) {
            (way.session, way.open) = (None, None);
        }
        self.said.push_back((peer, Said::Over(why)));
    }

    /// Does what the session with a peer wants done.
    fn flush(&mut self, peer: Peer) {
        let Some(Way { open, session: Some((session, is_up)), .. }) = self.ways.get_mut(&peer) else { return };
        let mut closed = false;
        while let Some(sign) = session.poll() {
            match sign {
                // One that can't be sent is lost, and will be sent again.
                Sign::Transmit(record) => drop(open.as_ref().map(|(_, socket)| send(socket, record))),
                Sign::Connected => {
                    *is_up = true;
                    self.said.push_back((peer, Said::Connected));
                }
                Sign::Datagram(bytes) => self.said.push_back((peer, Said::Datagram(bytes.into()))),
                Sign::Closed => closed = true,
            }
        }
        if closed {
            self.over(peer, "the server closed the session".into());
        }
    }

    /// Ends a session, and says so to the server.
    fn say_goodbye(&mut self, peer: Peer) {
        if let Some((session, _)) = self.ways.get_mut(&peer).and_then(|way| way.session.as_mut()) {
            session.close();
            self.flush(peer);
        }
        if let Some(way) = self.ways.get_mut(&peer) {
            way.session = None;
        }
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

    /// Host and port, for people.
    pub(crate) fn host(&self, peer: Peer) -> &str {
        self.ways.get(&peer).map_or("a server", |way| &way.host)
    }

    /// The addresses at both ends, if there is a socket.
    pub(crate) fn ends(&self, peer: Peer) -> Option<Ends> {
        let way = self.ways.get(&peer)?;
        let socket = way.socket()?;
        Some(Ends { terminal: socket.local_addr().ok()?, server: socket.peer_addr().ok()?, secure: way.psk.is_some() })
    }

    /// The client does not need this way any more.
    pub(crate) fn forget(&mut self, peer: Peer) {
        self.say_goodbye(peer);
        self.ways.remove(&peer);
    }

    /// The client begins anew, and knows no peer.
    pub(crate) fn forget_all(&mut self) {
        self.ways.clear();
    }

    /// There is no network: no try is waited for. The client asks again when there is one.
    pub(crate) fn interrupt(&mut self) {
        for way in self.ways.values_mut() {
            way.trying = None;
            way.session.take_if(|(_, is_up)| !*is_up);
        }
    }

    /// The device has another address: no socket is good any more.
    pub(crate) fn close(&mut self) {
        self.interrupt();
        for peer in self.ways.keys().copied().collect::<Vec<_>>() {
            self.say_goodbye(peer);
        }
        self.ways.values_mut().for_each(|way| way.open = None);
    }
}

impl Way {
    fn socket(&self) -> Option<&UdpSocket> {
        self.open.as_ref().map(|(_, socket)| &**socket)
    }
}

/// Sends a datagram. An error may be that of an earlier one, to which nobody listened: not of this.
fn send(socket: &UdpSocket, datagram: &[u8]) -> io::Result<()> {
    match socket.send(datagram) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => socket.send(datagram),
        sent => sent,
    }
    .map(|_| ())
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
            let asked = ways.ask(PEER, "dm".into(), Security::NoSec);
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
        assert!(ways.send(PEER, b"").is_none() && !ways.is_open(elsewhere));
        assert_eq!(open(&mut ways, 7002).1, Some(Session::Moved));
        ways.forget(PEER);
        assert_eq!(open(&mut ways, 7002).1, Some(Session::New));
    }

    #[test]
    fn what_is_meant_for_a_session_never_leaves_without_one() {
        let mut ways = Ways::default();
        let asked = ways.ask(PEER, "dm".into(), Security::Psk { identity: b"me", key: b"secret" });
        assert_eq!(ways.opened(asked, socket(7001)), Some(Session::New));
        assert!(ways.is_secure(PEER) && ways.send(PEER, b"plain").is_none());
        if !crate::dtls::SUPPORTED {
            #[allow(clippy::disallowed_methods, reason = "sessions count from it")]
            let now = Instant::now();
            assert!(ways.shake_hands(PEER, now), "the client must not be told that the way is open");
            assert!(matches!(ways.take_said(), Some((PEER, Said::Over(why))) if why.contains("without DTLS")));
            assert!(ways.send(PEER, b"plain").is_none());
        }
    }

    #[test]
    fn only_the_last_try_is_waited_for() {
        let mut ways = Ways::default();
        let (first, second) =
            (ways.ask(PEER, "dm".into(), Security::NoSec), ways.ask(PEER, "dm".into(), Security::NoSec));
        assert_eq!((ways.opened(first, socket(7001)), ways.failed(first)), (None, false));
        assert!(ways.is_trying());
        assert!(ways.failed(second) && !ways.failed(second) && !ways.is_trying());
        let third = ways.ask(PEER, "dm".into(), Security::NoSec);
        ways.interrupt();
        assert_eq!((ways.is_trying(), ways.opened(third, socket(7001))), (false, None));
        assert_eq!(ways.host(PEER), "dm");
    }
}
