//! The terminal on UDP and the real clock: how a program drives the client.
//!
//! Everything that may happen arrives in one channel: datagrams, lines of standard input, Ctrl-C. The
//! loop in [`run`] waits for the next of them or for the client's deadline, puts it into the client,
//! and carries out what the client wants.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, Write};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;

use lwm2m_core::objects::Device;
use lwm2m_core::sim::record::{Input, Recorder};
use lwm2m_core::{Client, Event, Instant, Leave, Output, Peer, Session};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::args::Options;
use crate::net::{self, Authority, Message};
use crate::standing::Standing;
use crate::terminal;
use crate::view::{Datagram, Passage, View};

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
    read_lines(outbox.clone());
    catch_signals(outbox).map_err(|error| format!("signals: {error}"))?;
    let end = run_for.map(|duration| terminal.now() + duration);

    terminal.input(Input::NetworkUp { now: terminal.now() });
    loop {
        // Out of the client: orders first, then news. Neither waits for anything.
        let gone = terminal.drain();
        if gone.map_err(|error| format!("cannot write: {error}"))? {
            return terminal.standing.verdict();
        }
        // Wait for the next thing to happen, but not past the deadline.
        let deadline = [terminal.client.poll_timeout(), end.filter(|_| !terminal.leaving)].into_iter().flatten().min();
        let wait = deadline.map(|deadline| deadline.saturating_duration_since(terminal.now()));
        let message = inbox.recv_timeout(wait.unwrap_or(Duration::MAX));
        // Into the client.
        let now = terminal.now();
        match message {
            Ok(Message::Datagram(peer, bytes)) => terminal.received(now, peer, bytes),
            Ok(Message::Opened(peer, Ok(socket))) => terminal.opened(now, peer, socket),
            Ok(Message::Opened(peer, Err(error))) => {
                terminal.remark(now, &format!("cannot connect: {error}"));
                terminal.input(Input::ConnectionFailed { now, peer });
            }
            Ok(Message::Line(line)) => terminal.command(now, line.trim()),
            Ok(Message::Stop) => terminal.leave(now),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        if terminal.client.poll_timeout().is_some_and(|deadline| deadline <= now) {
            terminal.input(Input::Timeout { now });
        }
        let refused = run_for.is_some() && terminal.is_refused();
        if refused || end.is_some_and(|end| end <= now) {
            terminal.leave(now);
        }
    }
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
    record: Option<(Recorder, File, usize)>,
    standing: Standing,
    /// Somebody wants to end the program.
    leaving: bool,
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
        let record = match &options.record {
            Some(path) => {
                let recorder = Recorder::new(&config, Instant::ZERO).ok_or("this configuration can't be recorded")?;
                let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
                Some((recorder, file, 0))
            }
            None => None,
        };
        let title = format!("A DM terminal, {}, on UDP. Commands: flight on, flight off, set, update, quit.", options.identity.name);
        Ok(Self {
            client: Client::new(config, Instant::ZERO).map_err(|error| error.to_string())?,
            device: terminal::device(),
            origin: std::time::Instant::now(),
            sockets: BTreeMap::new(),
            hosts: BTreeMap::new(),
            outbox,
            view: View::new(options.json, &title).map_err(|error| format!("cannot write: {error}"))?,
            datagrams: 0,
            record,
            standing: Standing::Never(None),
            leaving: false,
        })
    }

    #[allow(clippy::disallowed_methods, reason = "the runtime is where the clock is read")]
    fn now(&self) -> Instant {
        Instant::from_std(self.origin, std::time::Instant::now())
    }

    /// One call of the client, which takes the device along: `Input::Timeout` is
    /// `client.handle_timeout(now, &mut device)`, and so on. As a value it can be recorded.
    fn input(&mut self, input: Input) {
        if let Some((recorder, ..)) = &mut self.record {
            recorder.input(&input);
        }
        input.apply(&mut self.client, &mut self.device);
    }

    /// Carries out the client's orders in their sequence, then tells its news. True when it has left.
    fn drain(&mut self) -> io::Result<bool> {
        let now = self.now();
        while let Some(output) = self.client.poll_output() {
            if let Some((recorder, ..)) = &mut self.record {
                recorder.output(&output);
            }
            match output {
                Output::Connect { peer, uri, .. } => {
                    self.hosts.insert(peer, Authority::parse(uri).map_or_else(|error| error, |host| host.to_string()));
                    self.view.remark(now, &format!("connect to {uri}"))?;
                    net::connect(peer, uri.into(), self.outbox.clone());
                }
                Output::Transmit { peer, datagram } => {
                    let sent = match self.sockets.get(&peer) {
                        Some(socket) => send(socket, datagram),
                        None => Err(io::ErrorKind::NotConnected.into()),
                    };
                    // A datagram that can't be sent is a datagram lost: the client sends it again.
                    let passage = sent.map_or_else(|error| Passage::Stopped(format!("not sent: {error}")), |_| Passage::Arrives);
                    self.datagrams += 1;
                    let (number, host) = (self.datagrams, self.hosts.get(&peer).map_or("", String::as_str));
                    self.view.datagram(now, &Datagram { number, out: true, peer: Some(peer), host, bytes: datagram, passage })?;
                }
                Output::Disconnect { peer } => {
                    self.sockets.remove(&peer);
                }
            }
        }
        let mut gone = false;
        while let Some(event) = self.client.poll_event() {
            if let Some((recorder, ..)) = &mut self.record {
                recorder.event(&event);
            }
            self.standing.note(&event);
            self.view.event(now, &event)?;
            gone |= event == Event::MayProceed(Leave::PowerOff);
        }
        self.view.settle()?;
        if let Some((recorder, file, written)) = &mut self.record {
            file.write_all(recorder.text().as_bytes().get(*written..).unwrap_or_default())?;
            *written = recorder.text().len();
        }
        Ok(gone)
    }
}
