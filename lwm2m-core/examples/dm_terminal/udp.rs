//! The terminal on UDP and the real clock: how a program drives the client.
//!
//! Everything that may happen arrives in one channel: datagrams, lines of standard input, Ctrl-C. The
//! loop in [`run`] waits for the next of them or for the client's deadline, puts it into the client,
//! and carries out what the client wants. It goes in as an `Input`, which is one call of the client
//! that can be written down for `--record`; a program that records nothing just makes the call.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};

use lwm2m_core::objects::Device;
use lwm2m_core::sim::record::Input;
use lwm2m_core::{Client, Event, Instant, Leave, Output, Peer, Session};

use crate::args::Options;
use crate::inbox::{self, Message};
use crate::record::Record;
use crate::standing::Standing;
use crate::terminal;
use crate::uri::Authority;
use crate::view::{Datagram, Passage, View};

/// How long the end of the program waits for the answer to De-register. The client itself would try
/// for longer (`Config::leave_within`), but a person is waiting.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// Messages that wait for the loop; more datagrams than that wait in the kernel.
const INBOX: usize = 64;

/// Lives until it is told to end, and says how it went.
pub(crate) fn run(
    options: &Options,
    bootstrap: Option<&str>,
    server: Option<&str>,
    run_for: Option<Duration>,
) -> Result<(), String> {
    let (outbox, inbox) = mpsc::sync_channel(INBOX);
    let mut terminal = Terminal::new(options, bootstrap, server, outbox.clone())?;
    inbox::read_lines(outbox.clone());
    inbox::catch_signals(outbox).map_err(|error| format!("signals: {error}"))?;
    let run_until = run_for.map(|duration| terminal.now() + duration);

    terminal.input(Input::NetworkUp { now: terminal.now() });
    while !terminal.gone {
        // Wait for the next thing to happen, but not past the client's deadline, or our own.
        let end = terminal.ends_at(run_until);
        let deadline = terminal.client.poll_timeout().into_iter().chain(end).min();
        let wait = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(terminal.now()));
        let message = inbox.recv_timeout(wait);
        // Each input of the client is followed by carrying out what it wants: see `input`.
        let now = terminal.now();
        match message {
            Ok(Message::Datagram(peer, bytes)) => terminal.received(now, peer, bytes),
            Ok(Message::Opened(peer, opened)) => terminal.opened(now, peer, opened),
            Ok(Message::Refused(peer)) => terminal.refused(peer),
            Ok(Message::Line(line)) => terminal.command(now, line.trim()),
            Ok(Message::Stop) => terminal.leave(now, "Ctrl-C"),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        if terminal.client.poll_timeout().is_some_and(|deadline| deadline <= now) {
            terminal.input(Input::Timeout { now });
        }
        if end.is_some_and(|end| end <= now) {
            terminal.time_is_over(now);
        }
    }
    terminal.verdict()
}

/// The client, and what a program keeps beside it.
struct Terminal {
    client: Client,
    device: Device,
    origin: std::time::Instant,
    sockets: BTreeMap<Peer, Arc<UdpSocket>>,
    hosts: BTreeMap<Peer, String>,
    outbox: SyncSender<Message>,
    view: View,
    datagrams: usize,
    record: Record,
    standing: Standing,
    /// Whether anybody ever answered, and what the network had to say if nobody did.
    heard: bool,
    obstacle: Option<String>,
    /// The program is to end, and waits no longer than until then.
    leaving: Option<Instant>,
    /// The client has no objection any more.
    gone: bool,
}

impl Terminal {
    #[allow(clippy::disallowed_methods, reason = "the runtime is where the clock is read")]
    fn new(
        options: &Options,
        bootstrap: Option<&str>,
        server: Option<&str>,
        outbox: SyncSender<Message>,
    ) -> Result<Self, String> {
        let config = terminal::config(&options.identity, bootstrap, server);
        let record = Record::new(options.create_record()?, &config)?;
        let title = "A DM terminal on UDP. It takes commands: flight on, flight off, set /3/0/9 42, update, quit.";
        Ok(Self {
            client: Client::new(config, Instant::ZERO).map_err(|error| error.to_string())?,
            device: terminal::device(),
            origin: std::time::Instant::now(),
            sockets: BTreeMap::new(),
            hosts: BTreeMap::new(),
            outbox,
            view: View::new(options.json, title).map_err(|error| format!("cannot write: {error}"))?,
            datagrams: 0,
            record,
            standing: Standing::Never(None),
            heard: false,
            obstacle: None,
            leaving: None,
            gone: false,
        })
    }

    #[allow(clippy::disallowed_methods, reason = "the runtime is where the clock is read")]
    fn now(&self) -> Instant {
        Instant::from_std(self.origin, std::time::Instant::now())
    }

    /// One call of the client: `Input::Timeout` is `client.handle_timeout(now, &mut device)`, and so
    /// on. As a value it can be recorded. Afterwards its orders are carried out, before the next call.
    fn input(&mut self, input: Input) {
        self.record.input(&input);
        if let Err(complaint) = input.apply(&mut self.client, &mut self.device) {
            eprintln!("dm_terminal: {complaint}");
        }
        if let Err(error) = self.drain() {
            // Whoever closes the pipe that we print to wants no more of us: it is a way to say 'quit'.
            self.view.mute();
            let _ = self.drain();
            self.leave(self.now(), &format!("cannot write: {error}"));
        }
    }

    /// Carries out the client's orders in their sequence, then tells its news.
    fn drain(&mut self) -> io::Result<()> {
        let now = self.now();
        while let Some(output) = self.client.poll_output() {
            self.record.output(&output);
            match output {
                Output::Connect { peer, uri, .. } => {
                    let host =
                        Authority::parse(uri).map_or_else(|_| uri.to_string(), |authority| authority.to_string());
                    self.hosts.insert(peer, host);
                    self.view.order(now, &format!("asks for a way to {uri}"));
                    inbox::connect(peer, uri.into(), self.outbox.clone());
                }
                Output::Transmit { peer, datagram } => {
                    // One that can't be sent is one that is lost: the client will send it again.
                    let passage = match self.sockets.get(&peer).map(|socket| send(socket, datagram)) {
                        Some(Ok(_)) => Passage::Arrives,
                        Some(Err(error)) => Passage::Stopped(format!("not sent: {error}")),
                        None => Passage::Stopped("not sent: there is no socket".into()),
                    };
                    self.datagrams += 1;
                    let (number, host) = (self.datagrams, host(&self.hosts, peer));
                    let datagram = Datagram { number, out: true, peer: Some(peer), host, bytes: datagram, passage };
                    self.view.datagram(now, &datagram)?;
                }
                Output::Disconnect { peer } => {
                    self.sockets.remove(&peer);
                    self.hosts.remove(&peer);
                }
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.record.event(&event);
            self.standing.note(&event);
            self.gone |= event == Event::MayProceed(Leave::PowerOff);
            self.view.event(now, &event)?;
        }
        if let Some(action) = self.device.take_action() {
            self.view.command(now, &format!("{action:?} was asked for, which a program can't do"));
        }
        self.record.flush()?;
        self.view.settle()
    }

    fn opened(&mut self, now: Instant, peer: Peer, opened: io::Result<Arc<UdpSocket>>) {
        match opened {
            // It took so long that nobody wants it any more.
            Ok(_) if !self.hosts.contains_key(&peer) => {}
            Ok(socket) => {
                // A second socket for a peer has another port, so the server sees another address.
                let first = self.sockets.insert(peer, socket).is_none();
                let session = if first { Session::New } else { Session::Moved };
                self.input(Input::Connected { now, peer, session });
            }
            Err(error) => {
                let obstacle = format!("{} cannot be reached: {error}", host(&self.hosts, peer));
                self.view.command(now, &obstacle);
                self.obstacle = Some(obstacle);
                self.input(Input::ConnectionFailed { now, peer });
            }
        }
    }

    fn received(&mut self, now: Instant, peer: Peer, bytes: Vec<u8>) {
        if !self.hosts.contains_key(&peer) {
            return;
        }
        (self.heard, self.obstacle) = (true, None);
        self.datagrams += 1;
        let (number, host) = (self.datagrams, self.hosts.get(&peer).map_or("", String::as_str));
        let datagram =
            Datagram { number, out: false, peer: Some(peer), host, bytes: &bytes, passage: Passage::Arrives };
        // If the screen is gone, the next drain will find out.
        let _ = self.view.datagram(now, &datagram);
        self.input(Input::Datagram { now, peer, bytes });
    }

    fn command(&mut self, now: Instant, line: &str) {
        match line {
            "" => {}
            "flight on" => {
                self.view.command(now, line);
                self.input(Input::EnterFlightMode { now });
            }
            "flight off" => {
                self.view.command(now, line);
                self.input(Input::LeaveFlightMode { now });
            }
            "update" => {
                self.view.command(now, line);
                let servers: Vec<u16> = self.client.servers().collect();
                servers.iter().for_each(|&server| self.input(Input::Update { now, server }));
                if servers.is_empty() {
                    eprintln!("dm_terminal: update: no server is known yet");
                }
            }
            "quit" => self.leave(now, line),
            _ if line.starts_with("set") => match terminal::set(&mut self.device, line) {
                Ok(path) => {
                    self.view.command(now, line);
                    self.input(Input::Application { now, text: line.into() });
                    self.input(Input::Notify { now, path });
                }
                Err(complaint) => eprintln!("dm_terminal: {complaint}"),
            },
            _ => eprintln!("dm_terminal: {line}: not a command (flight on, flight off, set PATH VALUE, update, quit)"),
        }
    }

    /// Nobody listens where the last datagram went. The client need not know: to it, datagrams are lost.
    fn refused(&mut self, peer: Peer) {
        self.obstacle = Some(format!("nobody listens at {}", host(&self.hosts, peer)));
    }

    /// The end begins; it is over when the client has said that the device may switch off.
    fn leave(&mut self, now: Instant, why: &str) {
        if self.leaving.is_none() {
            self.leaving = Some(now + LEAVE_WITHIN);
            self.view.command(now, &format!("shutdown: {why}"));
            self.input(Input::Shutdown { now });
        }
    }

    /// When the next part of the end begins. A platform that won't have the terminal makes an end of
    /// a time that was set: nothing will change.
    fn ends_at(&self, run_until: Option<Instant>) -> Option<Instant> {
        let refused = self.standing.is_refused(self.client.servers().next().is_some());
        self.leaving.or_else(|| run_until.map(|until| if refused { Instant::ZERO } else { until }))
    }

    fn time_is_over(&mut self, now: Instant) {
        match self.leaving {
            None => self.leave(now, "it is time"),
            // The device switches its radio off: what the client still waits for won't come.
            Some(_) => self.input(Input::NetworkDown { now }),
        }
    }

    fn verdict(&self) -> Result<(), String> {
        let silence = (!self.heard).then_some("no answer came before it ended");
        self.standing.verdict(self.obstacle.as_deref().or(silence))
    }
}

fn host(hosts: &BTreeMap<Peer, String>, peer: Peer) -> &str {
    hosts.get(&peer).map_or("a server", String::as_str)
}

/// Sends a datagram. An error may be that of an earlier one, to which nobody listened: not of this.
fn send(socket: &UdpSocket, datagram: &[u8]) -> io::Result<usize> {
    match socket.send(datagram) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => socket.send(datagram),
        sent => sent,
    }
}
