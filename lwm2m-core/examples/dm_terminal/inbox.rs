//! The one channel in which everything arrives that happens outside of the client: for each source a
//! thread that waits for it.

use core::time::Duration;
use std::io::{self, BufRead};
use std::net::UdpSocket;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Weak};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::uri::Authority;
use crate::ways::Try;

/// What happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// The way to a peer is open, or it cannot be opened.
    Opened(Try, io::Result<Arc<UdpSocket>>),
    /// Nobody listens where a datagram went.
    Refused(Try),
    /// A datagram of a peer.
    Datagram(Try, Vec<u8>),
    /// A line of standard input.
    Line(String),
    /// Ctrl-C, or its like.
    Stop,
}

/// Opens the way to a peer without keeping the caller waiting for the name to be resolved, and hands
/// over what arrives on it, until the socket is dropped: a second later at most it is closed.
pub(crate) fn connect(way: Try, authority: Authority, port: Option<u16>, inbox: SyncSender<Message>) {
    thread::spawn(move || {
        let opened = authority.open(port).and_then(|socket| {
            socket.set_read_timeout(Some(Duration::from_secs(1)))?;
            Ok(Arc::new(socket))
        });
        let socket = opened.as_ref().map(Arc::downgrade).unwrap_or_default();
        if inbox.send(Message::Opened(way, opened)).is_ok() {
            receive(way, &socket, &inbox);
        }
    });
}

/// Goes on until nobody needs the socket any more. An error is no end.
fn receive(way: Try, socket: &Weak<UdpSocket>, inbox: &SyncSender<Message>) {
    let mut buffer = vec![0; 1 << 16];
    while let Some(socket) = socket.upgrade() {
        let message = match socket.recv(&mut buffer) {
            Ok(length) => Message::Datagram(way, buffer.get(..length).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Message::Refused(way),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => continue,
            Err(_) => {
                // It may be there again at once.
                thread::sleep(Duration::from_millis(20));
                continue;
            }
        };
        if inbox.send(message).is_err() {
            return;
        }
    }
}

/// Hands over the lines of standard input, up to its end.
pub(crate) fn read_lines(outbox: SyncSender<Message>) {
    thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).into_owned();
            if outbox.send(Message::Line(line)).is_err() {
                return;
            }
        }
    });
}

/// The first signal asks the program to leave, the second one ends it.
pub(crate) fn catch_signals(outbox: SyncSender<Message>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_some()
            && outbox.send(Message::Stop).is_ok()
            && let Some(signal) = signals.next()
        {
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}
