//! The terminal on UDP and the real clock: how a program drives the client.
//!
//! Everything that may happen arrives in one channel: datagrams, lines of standard input, Ctrl-C. The
//! loop in [`run`] waits for the next of them or for the client's deadline, puts it into the client,
//! and carries out what the client wants. It goes in as an `Input`, which is one call of the client
//! that can be written down for `--record`; a program that records nothing just makes the call.

mod sessions;

use core::time::Duration;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::time::SystemTime;

use lwm2m_core::sim::record::Input;
use lwm2m_core::{Client, Event, Instant, Leave, Output, Peer, Statistics};

use crate::args::{Network, Options};
use crate::command::{self, COMMANDS, Command};
use crate::complain;
use crate::counted;
use crate::failure::Failure;
use crate::files::Files;
use crate::inbox::{self, Message};
use crate::keys::Keys;
use crate::plan::Plan;
use crate::record::Record;
use crate::standing::Standing;
use crate::terminal::{self, Errand, Objects};
use crate::uri::Authority;
use crate::view::{Datagram, Passage, View};
use crate::ways::{Try, Ways};

/// How long the end of the program waits for the answer to De-register. The client itself would try
/// for longer (`Config::leave_within`), but a person is waiting.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// How long the device takes before it starts again, so that the answer to whoever wanted it leaves first.
const INSTALLING: Duration = Duration::from_secs(1);
/// How long a remark waits for the message that it may stand with, while a way is being opened.
const PATIENCE: Duration = Duration::from_millis(250);
/// Messages that wait for the loop; more datagrams than that wait in the kernel.
const INBOX: usize = 64;

/// Lives until it is told to end, and says how it went.
pub(crate) fn run(options: &Options, files: Files, network: &Network) -> Result<(), Failure> {
    let (outbox, inbox) = mpsc::sync_channel(INBOX);
    let mut terminal = Terminal::new(options, files, network, outbox.clone())?;
    inbox::read_lines(outbox.clone());
    inbox::catch_signals(outbox).map_err(|error| format!("signals: {error}"))?;
    let run_until = network.run_for.map(|duration| terminal.now() + duration);

    terminal.input(Input::NetworkUp { now: terminal.now() });
    while terminal.plan != Plan::Gone {
        // Wait for the next thing to happen, but not past the client's deadline, or our own.
        let end = terminal.ends_at(run_until);
        let patience = terminal.ways.is_trying().then(|| terminal.now() + PATIENCE);
        let session = terminal.ways.deadline().map(|at| Instant::from_std(terminal.origin, at));
        let deadline = terminal.client.poll_timeout().into_iter().chain(end).chain(patience).chain(session).min();
        let wait = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(terminal.now()));
        let message = inbox.recv_timeout(wait);
        // Each input of the client is followed by carrying out what it wants: see `input`.
        let now = terminal.now();
        match message {
            Ok(Message::Datagram(way, bytes)) => terminal.received(now, way, bytes),
            Ok(Message::Opened(way, opened)) => terminal.opened(now, way, opened),
            Ok(Message::Refused(way)) => terminal.refused(way),
            Ok(Message::Line(line)) => terminal.command(now, &line),
            Ok(Message::Stop) => terminal.leave(now, "Ctrl-C"),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => terminal.settle(),
        }
        terminal.sessions_go_on();
        if terminal.client.poll_timeout().is_some_and(|deadline| deadline <= now) {
            terminal.input(Input::Timeout { now });
        }
        if end.is_some_and(|end| end <= now) {
            terminal.time_is_over(now);
        }
    }
    let drawn = terminal.view.finish();
    terminal.tell_counts();
    terminal.verdict()?;
    Ok(drawn?)
}

/// The client, and what a program keeps beside it.
struct Terminal {
    client: Client,
    objects: Objects,
    keys: Keys,
    origin: std::time::Instant,
    ways: Ways,
    /// Whether there is a network, as the person at standard input has it.
    network: bool,
    /// The port to send from, if that matters.
    port: Option<u16>,
    outbox: SyncSender<Message>,
    view: View,
    datagrams: usize,
    record: Record,
    standing: Standing,
    /// Whether anybody ever answered, and what the network had to say if nobody did.
    heard: bool,
    obstacle: Option<String>,
    plan: Plan,
    /// A server did not answer: perhaps it does not know its session any more.
    silent: bool,
    /// Nothing can be shown or recorded any more, and why.
    broken: Option<String>,
    /// What the clients before this one had counted.
    counted: Statistics,
}

impl Terminal {
    #[allow(clippy::disallowed_methods, reason = "the runtime is where the clock is read")]
    fn new(
        options: &Options,
        mut files: Files,
        network: &Network,
        outbox: SyncSender<Message>,
    ) -> Result<Self, String> {
        let (bootstrap, server) = (network.bootstrap.as_deref(), network.server.as_deref());
        let config = terminal::config(&options.identity, &options.credentials, bootstrap, server);
        let record = Record::new(files.record.take(), &config)?;
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let title = format!("A DM terminal on UDP. It takes commands, a line each:\n{COMMANDS}");
        Ok(Self {
            client: Client::new(config, Instant::ZERO).map_err(|error| error.to_string())?,
            objects: terminal::objects(),
            keys: options.keys,
            origin: std::time::Instant::now(),
            ways: Ways::default(),
            network: true,
            port: network.port,
            outbox,
            view: View::new(options, files, since_1970, &title, bootstrap.is_some())
                .map_err(|error| format!("cannot write: {error}"))?,
            datagrams: 0,
            record,
            standing: Standing::Never(None),
            heard: false,
            obstacle: None,
            plan: Plan::Stay,
            silent: false,
            broken: None,
            counted: Statistics::default(),
        })
    }

    #[allow(clippy::disallowed_methods, reason = "the runtime is where the clock is read")]
    fn now(&self) -> Instant {
        Instant::from_std(self.origin, std::time::Instant::now())
    }

    /// One call of the client: `Input::Timeout` is `client.handle_timeout(now, &mut objects)`, and so
    /// on. As a value it can be recorded. Afterwards its orders are carried out, before the next call.
    fn input(&mut self, input: Input) {
        self.record.input(&input);
        match (&input, input.apply(&mut self.client, &mut self.objects)) {
            (_, Ok(())) => {}
            (Input::Update { server, .. }, Err(error)) => complain(command::refusal("update", *server, error)),
            (_, Err(error)) => complain(error),
        }
        let shown = self.drain().map_err(|error| format!("cannot write: {error}"));
        let recorded = self.record.flush().map_err(|error| format!("--record: {error}"));
        if let Err(complaint) = shown.and(recorded) {
            self.broken.get_or_insert(complaint);
            self.record.stop();
            self.view.mute();
            // What was left; a view that is mute has nothing to complain about.
            let _ = self.drain();
        }
        if self.view.is_closed() {
            // Whoever closes the pipe that we print to wants no more of us: it is a way to say 'quit'.
            self.leave(self.now(), "nobody reads this any more");
        }
        while let Some(errand) = Errand::take(&mut self.objects) {
            self.run(&errand);
        }
    }

    /// Carries out the client's orders in their sequence, then tells its news.
    fn drain(&mut self) -> io::Result<()> {
        let now = self.now();
        while let Some(output) = self.client.poll_output() {
            self.record.output(&output);
            match output {
                Output::Connect { peer, uri, security } => {
                    let authority = Authority::of(uri);
                    self.view.order(now, &format!("asks for a way to {uri}"));
                    let way = self.ways.ask(peer, authority.to_string(), security);
                    inbox::connect(way, authority, self.port, self.outbox.clone());
                }
                Output::Transmit { peer, datagram } => {
                    // One that can't be sent is one that is lost: the client will send it again.
                    let passage = match self.ways.send(peer, datagram) {
                        Some(Ok(_)) => Passage::Arrives,
                        Some(Err(error)) => Passage::Stopped(format!("not sent: {error}")),
                        None => Passage::Stopped("not sent: there is no socket".into()),
                    };
                    self.datagrams += 1;
                    let (number, host, ends) = (self.datagrams, self.ways.host(peer), self.ways.ends(peer));
                    let datagram =
                        Datagram { number, out: true, peer: Some(peer), host, ends, bytes: datagram, passage };
                    self.view.datagram(now, &datagram)?;
                }
                Output::Disconnect { peer } => self.ways.forget(peer),
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.record.event(&event);
            self.standing.note(&event);
            self.view.event(now, &event)?;
            self.silent |= sessions::is_silence(&event);
            if event == Event::MayProceed(Leave::PowerOff) {
                self.plan = self.plan.may_proceed();
            }
        }
        // A remark may belong with a message that comes at once, or as soon as the way for it is open.
        let more = self.ways.is_trying() || self.client.poll_timeout().is_some_and(|deadline| deadline <= now);
        if more { Ok(()) } else { self.view.settle() }
    }

    /// Nothing happened for a while: what is held back is shown without a message.
    fn settle(&mut self) {
        // If the screen is gone, the next drain will find out.
        let _ = self.view.settle();
    }

    /// A try to open a way is over. The client may have lost interest meanwhile.
    fn opened(&mut self, now: Instant, way: Try, opened: io::Result<Arc<UdpSocket>>) {
        let peer = way.peer;
        match opened {
            Ok(socket) => {
                if let Some(session) = self.ways.opened(way, socket)
                    && !self.shake_hands(peer)
                {
                    self.input(Input::Connected { now, peer, session });
                }
            }
            Err(error) => {
                if self.ways.failed(way) {
                    self.unreachable(now, peer, &error.to_string());
                }
            }
        }
    }

    /// There is no way to a peer.
    fn unreachable(&mut self, now: Instant, peer: Peer, why: &str) {
        let obstacle = format!("{} cannot be reached: {why}", self.ways.host(peer));
        self.view.command(now, &obstacle);
        self.obstacle = Some(obstacle);
        self.input(Input::ConnectionFailed { now, peer });
    }

    fn received(&mut self, now: Instant, way: Try, bytes: Vec<u8>) {
        match self.ways.is_open(way) {
            true if self.ways.is_secure(way.peer) => self.record_in(way.peer, &bytes),
            true => self.datagram_in(now, way.peer, bytes),
            false => {}
        }
    }

    fn datagram_in(&mut self, now: Instant, peer: Peer, bytes: Vec<u8>) {
        let passage =
            if self.network { Passage::Arrives } else { Passage::Stopped("not heard: there is no network".into()) };
        self.datagrams += 1;
        let (number, host, ends) = (self.datagrams, self.ways.host(peer), self.ways.ends(peer));
        let datagram = Datagram { number, out: false, peer: Some(peer), host, ends, bytes: &bytes, passage };
        // If the screen is gone, the next drain will find out.
        let _ = self.view.datagram(now, &datagram);
        if self.network {
            (self.heard, self.obstacle) = (true, None);
            self.input(Input::Datagram { now, peer, bytes });
        }
    }

    fn command(&mut self, now: Instant, line: &str) {
        let command = match Command::parse(line) {
            Ok(Some(command)) => command,
            Ok(None) => return,
            Err(complaint) => return complain(complaint),
        };
        if !matches!(command, Command::Set(_) | Command::Quit) {
            self.view.command(now, line.trim());
        }
        match command {
            Command::FlightOn => self.input(Input::EnterFlightMode { now }),
            Command::FlightOff => self.input(Input::LeaveFlightMode { now }),
            Command::NetworkOff => {
                self.network = false;
                self.ways.interrupt();
                self.input(Input::NetworkDown { now });
            }
            Command::NetworkOn => {
                self.network = true;
                self.input(Input::NetworkUp { now });
            }
            Command::Rebind => {
                // The client asks for its ways again, and they get new sockets: with other ports, since
                // the old ones are closed by the threads that read from them, a moment later.
                self.ways.close();
                self.input(Input::AddressChanged { now });
            }
            Command::Update => {
                let servers: Vec<u16> = self.client.servers().collect();
                servers.iter().for_each(|&server| self.input(Input::Update { now, server }));
                if servers.is_empty() {
                    complain("update: no server is known yet");
                }
            }
            Command::Set(line) => match terminal::set(&mut self.objects, line) {
                Ok(path) => {
                    self.view.command(now, line);
                    self.input(Input::Application { now, text: line.into() });
                    self.input(Input::Notify { now, path });
                }
                Err(complaint) => complain(format!("set: {complaint}")),
            },
            Command::Quit => self.leave(now, "quit"),
        }
    }

    /// Nobody listens where the last datagram went. The client need not know: to it, datagrams are lost.
    fn refused(&mut self, way: Try) {
        if self.ways.is_open(way) {
            self.obstacle = Some(format!("nobody listens at {}", self.ways.host(way.peer)));
        }
    }

    /// A server wants something that no object can do by itself.
    fn run(&mut self, errand: &Errand) {
        let now = self.now();
        // If the screen is gone, the next drain will find out.
        let _ = self.view.errand(now, errand);
        if let Some(how) = errand.before_restart() {
            self.plan = self.plan.start_again(how, now + INSTALLING);
        }
        self.settle();
    }

    /// The device is off, and starts again: a new client, on new sockets.
    fn start_again(&mut self, now: Instant, how: &'static str) {
        self.plan = Plan::Stay;
        self.ways.forget_all();
        self.view.command(now, how);
        terminal::happen(&mut self.objects, how);
        self.input(Input::Application { now, text: how.into() });
        match self.keys.next() {
            Ok(key) => {
                self.counted += self.client.statistics();
                self.input(Input::Restart { now, key });
            }
            Err(complaint) => {
                self.broken.get_or_insert(complaint);
                self.plan = Plan::Gone;
            }
        }
        if self.network {
            self.input(Input::NetworkUp { now });
        }
    }

    /// The end begins; it is over when the client has said that the device may switch off.
    fn leave(&mut self, now: Instant, why: &str) {
        let stays = matches!(self.plan, Plan::Stay | Plan::StartAgain(..));
        self.plan = self.plan.leave(now + LEAVE_WITHIN);
        if stays {
            self.view.command(now, &format!("shutdown: {why}"));
            self.input(Input::Shutdown { now });
        }
    }

    /// When the plan goes on, or the time is over that was set. A platform that won't have the terminal
    /// makes an end of it: nothing will change.
    fn ends_at(&self, run_until: Option<Instant>) -> Option<Instant> {
        let refused = self.standing.is_refused(self.client.servers().next().is_some());
        let end = run_until.map(|until| if refused { Instant::ZERO } else { until });
        self.plan.deadline(end)
    }

    fn time_is_over(&mut self, now: Instant) {
        match self.plan {
            Plan::StartAgain(how, at) if at <= now => {
                self.plan = Plan::LeaveToStartAgain(how, now + LEAVE_WITHIN);
                self.view.command(now, &format!("shutdown: {how}"));
                self.input(Input::Shutdown { now });
            }
            Plan::LeaveToStartAgain(how, at) if at <= now => self.start_again(now, how),
            // The device switches its radio off: what the client still waits for won't come.
            Plan::Leave(_) => self.input(Input::NetworkDown { now }),
            _ => self.leave(now, "it is time"),
        }
    }

    /// What was dropped, rejected or said once more, if anything was, below the ladder.
    fn tell_counts(&mut self) {
        let mut counted = self.counted;
        counted += self.client.statistics();
        let sentence = counted::sentence(&counted);
        if !sentence.is_empty() {
            // Whoever has gone does not want to know.
            let _ = self.view.conclude(&sentence);
        }
    }

    fn verdict(&self) -> Result<(), Failure> {
        if let Some(complaint) = &self.broken {
            return Err(complaint.clone().into());
        }
        let silence = (!self.heard).then_some("no answer came before it ended");
        let verdict = self.standing.verdict(self.obstacle.as_deref().or(silence));
        verdict.map_err(|complaint| if self.view.is_closed() { Failure::Quiet } else { complaint.into() })
    }
}
