//! A server with DTLS, in a thread: it knows the identity `terminal`, and can be as bad as it is told to be.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, Output, PskResolver};
use tokio::sync::mpsc;

use super::peer::{KEY, Log, answer};

/// What is wrong with a server and its network.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    /// Every fifth record is lost, both ways, by chance: from this seed.
    pub(crate) loss: Option<u64>,
    /// Records that it sends to each address before it falls silent.
    pub(crate) records: usize,
}

impl Faults {
    pub(crate) const NONE: Self = Self { loss: None, records: usize::MAX };
}

/// The server; it ends when this is dropped.
pub(crate) struct Server {
    orders: Arc<Orders>,
}

#[derive(Default)]
struct Orders {
    forget: AtomicBool,
    end: AtomicBool,
}

impl Server {
    /// The server, its URI, and what happens there: `hello` for an address that is new, requests, `closed`, and `lost`.
    pub(crate) fn start(faults: Faults) -> (Self, String, Log) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let uri = format!("coaps://{}", socket.local_addr().unwrap());
        let (log, happens) = mpsc::unbounded_channel();
        let orders = Arc::new(Orders::default());
        let world = World { socket, sessions: BTreeMap::new(), faults, dice: faults.loss.unwrap_or_default(), log };
        let told = orders.clone();
        std::thread::spawn(move || world.run(&told));
        (Self { orders }, uri, happens)
    }

    /// It has started again, as it were: no session is known.
    pub(crate) fn forget(&self) {
        self.orders.forget.store(true, Ordering::Relaxed);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.orders.end.store(true, Ordering::Relaxed);
    }
}

struct World {
    socket: UdpSocket,
    /// The session with each address, and the records that were sent to it.
    sessions: BTreeMap<SocketAddr, (Dtls, usize)>,
    faults: Faults,
    dice: u64,
    log: mpsc::UnboundedSender<String>,
}

#[allow(clippy::disallowed_methods, reason = "a server has a clock")]
fn clock() -> Instant {
    Instant::now()
}

struct Known;

impl PskResolver for Known {
    fn resolve(&self, identity: &[u8]) -> Option<Vec<u8>> {
        let digits = KEY.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        (identity == b"terminal").then(|| digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect())
    }
}

impl World {
    fn run(mut self, orders: &Orders) {
        let mut buffer = [0; 2_048];
        while !orders.end.load(Ordering::Relaxed) {
            let received = self.socket.recv_from(&mut buffer);
            if orders.forget.swap(false, Ordering::Relaxed) {
                self.sessions.clear();
            }
            if let Ok((length, from)) = received
                && !self.is_lost()
            {
                let (session, _) = self.sessions.entry(from).or_insert_with(|| {
                    let _ = self.log.send("hello".into());
                    let config = Config::builder().with_psk_server(None, Arc::new(Known)).build().unwrap();
                    (Dtls::new_12_psk(Arc::new(config), clock()), 0)
                });
                // What is no record of the session's is dropped.
                let _ = session.handle_packet(&buffer[..length]);
            }
            for address in self.sessions.keys().copied().collect::<Vec<_>>() {
                self.go_on(address);
            }
        }
    }

    /// Does what a session wants done.
    fn go_on(&mut self, address: SocketAddr) {
        let mut buffer = [0; 2_048];
        loop {
            let Some((session, sent)) = self.sessions.get_mut(&address) else { return };
            let _ = session.handle_timeout(clock());
            match session.poll_output(&mut buffer) {
                Output::Packet(record) => {
                    *sent += 1;
                    let passes = *sent <= self.faults.records;
                    if passes && !self.is_lost() {
                        let _ = self.socket.send_to(record, address);
                    }
                }
                Output::ApplicationData(datagram) => {
                    if let Some((bytes, request)) = answer(datagram) {
                        let _ = self.log.send(request);
                        let _ = session.send_application_data(&bytes);
                    }
                }
                Output::CloseNotify => drop(self.log.send("closed".into())),
                Output::Timeout(_) => return,
                _ => {}
            }
        }
    }

    /// One of five, by chance (xorshift64*).
    fn is_lost(&mut self) -> bool {
        if self.faults.loss.is_none() {
            return false;
        }
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        let lost = (self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).is_multiple_of(5);
        if lost {
            let _ = self.log.send("lost".into());
        }
        lost
    }
}
