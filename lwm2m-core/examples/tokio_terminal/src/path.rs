//! The way to a server: a task with a socket and, for `coaps`, a DTLS session.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lwm2m_core::{Peer, Security, Session, Uri};
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::dtls::{Dtls, Sign};

/// What a way has to say.
#[derive(Debug)]
pub(crate) enum Report {
    /// Datagrams pass.
    Open(Session),
    /// One came.
    Datagram(Vec<u8>),
    /// It cannot be made, or does not exist any more, and why.
    Closed(String),
}

/// Where a way is to lead.
pub(crate) struct Target {
    number: u32,
    peer: Peer,
    host: String,
    port: u16,
    psk: Option<(Vec<u8>, Vec<u8>)>,
    session: Session,
}

/// A way. Dropped, it says goodbye and ends.
pub(crate) struct Way {
    pub(crate) number: u32,
    pub(crate) host: String,
    pub(crate) is_secure: bool,
    outgoing: Sender<Vec<u8>>,
}

/// Datagrams that wait for a socket.
const QUEUE: usize = 16;

/// The longest datagram that is received.
const LONGEST: usize = 2_048;

impl Target {
    pub(crate) fn new((number, peer): (u32, Peer), uri: Uri<'_>, security: Security<'_>, session: Session) -> Self {
        let psk = match security {
            Security::NoSec => None,
            Security::Psk { identity, key } => Some((identity.to_vec(), key.to_vec())),
        };
        // The server knows a session by its keys, and a handshake makes new ones.
        let session = if psk.is_some() { Session::New } else { session };
        Self { number, peer, host: uri.host().to_string(), port: uri.port(), psk, session }
    }

    /// Begins to open it.
    pub(crate) fn open(self, tasks: &mut JoinSet<()>, reports: Reports) -> Way {
        let (outgoing, orders) = channel(QUEUE);
        let way = Way { number: self.number, host: self.host.clone(), is_secure: self.psk.is_some(), outgoing };
        let reporter = Reporter { number: self.number, peer: self.peer, reports };
        tasks.spawn(async move {
            if let Err(why) = self.run(orders, &reporter).await {
                reporter.tell(Report::Closed(why)).await;
            }
        });
        // Those that have ended.
        while tasks.try_join_next().is_some() {}
        way
    }

    async fn run(self, orders: Receiver<Vec<u8>>, reporter: &Reporter) -> Result<(), String> {
        let socket = connect(&self.host, self.port).await.map_err(|error| error.to_string())?;
        if let Some((identity, key)) = self.psk {
            let dtls = Dtls::new(identity, key, tokio::time::Instant::now().into_std())?;
            return secure(&socket, dtls, orders, self.session, reporter).await;
        }
        reporter.tell(Report::Open(self.session)).await;
        plain(&socket, orders, reporter).await;
        Ok(())
    }
}

/// Where reports go: by the way's number, and the peer that it leads to.
pub(crate) type Reports = Sender<(u32, Peer, Report)>;

struct Reporter {
    number: u32,
    peer: Peer,
    reports: Reports,
}

impl Reporter {
    async fn tell(&self, report: Report) {
        // Nobody wants to know when the terminal is gone.
        let _ = self.reports.send((self.number, self.peer, report)).await;
    }
}

impl Way {
    /// Sends a datagram, if there is room for it.
    pub(crate) fn send(&self, datagram: &[u8]) -> bool {
        self.outgoing.try_send(datagram.to_vec()).is_ok()
    }
}

/// Resolves a name, and connects a socket to the first address that it works with.
async fn connect(host: &str, port: u16) -> io::Result<UdpSocket> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    for address in lookup_host((host.trim_matches(['[', ']']), port)).await? {
        let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let open = async {
            let socket = UdpSocket::bind((any, 0)).await?;
            socket.connect(address).await?;
            Ok(socket)
        };
        match open.await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Datagrams as they are.
async fn plain(socket: &UdpSocket, mut orders: Receiver<Vec<u8>>, reporter: &Reporter) {
    let mut buffer = [0; LONGEST];
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                // What cannot be sent is lost.
                Some(datagram) => drop(socket.send(&datagram).await),
                None => return,
            },
            // An error is that of a datagram to which nobody listened.
            received = socket.recv(&mut buffer) => if let Ok(length) = received {
                reporter.tell(Report::Datagram(buffer[..length].to_vec())).await;
            },
        }
    }
}

/// Datagrams in DTLS records.
async fn secure(
    socket: &UdpSocket,
    mut dtls: Dtls,
    mut orders: Receiver<Vec<u8>>,
    session: Session,
    reporter: &Reporter,
) -> Result<(), String> {
    let mut buffer = [0; LONGEST];
    loop {
        while let Some(sign) = dtls.poll() {
            match sign {
                Sign::Transmit(record) => drop(socket.send(record).await),
                Sign::Connected => reporter.tell(Report::Open(session)).await,
                Sign::Datagram(bytes) => reporter.tell(Report::Datagram(bytes.to_vec())).await,
                Sign::Closed => return Err("the server closed the session".to_string()),
            }
        }
        if dtls.is_closed() {
            return Ok(());
        }
        let now = || tokio::time::Instant::now().into_std();
        tokio::select! {
            order = orders.recv() => match order {
                Some(datagram) => dtls.send(&datagram)?,
                None => dtls.close(),
            },
            received = socket.recv(&mut buffer) => if let Ok(length) = received {
                dtls.receive(now(), &buffer[..length])?;
            },
            () = sleep_until(dtls.deadline().into()) => dtls.handle_timeout(now())?,
        }
    }
}
