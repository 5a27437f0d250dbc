//! A terminal as a task: the loop of the crate's documentation, waiting for all that may happen at once.

use std::collections::BTreeMap;
use std::time::Duration;

use lwm2m_core::{Client, Config, ConfigError, DataModel, Event, Instant, Leave, Output, Path, Peer, Reason, Session};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tracing::{info, trace, warn};

use crate::path::{Report, Reports, Target, Way};

/// What happened, as a stream. It is news only: what nobody reads is dropped, and the terminal goes on.
pub(crate) type Events = ReceiverStream<Event>;

/// Commands, datagrams or events that wait for whoever takes them.
const QUEUE: usize = 64;

/// How long a session may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Speaks to the task. When all of them are gone, the terminal shuts down.
#[derive(Clone)]
pub(crate) struct Handle<M> {
    commands: mpsc::Sender<Command<M>>,
}

enum Command<M> {
    Set(Path, Box<dyn FnOnce(&mut M) + Send>),
    AddressChanged,
    FlightMode(bool, oneshot::Sender<()>),
    Shutdown(oneshot::Sender<()>),
}

impl<M: DataModel + Send + 'static> Handle<M> {
    /// Changes the objects, and tells observers of what is at or below `path`.
    pub(crate) async fn set(&self, path: Path, change: impl FnOnce(&mut M) + Send + 'static) {
        self.send(Command::Set(path, Box::new(change))).await;
    }

    /// Something at or below `path` changed by itself.
    #[allow(dead_code, reason = "for objects that read sensors")]
    pub(crate) async fn notify(&self, path: Path) {
        self.set(path, |_| {}).await;
    }

    /// The device has another address: new sockets, and new sessions.
    pub(crate) async fn address_changed(&self) {
        self.send(Command::AddressChanged).await;
    }

    /// Goes into flight mode, or out of it. Comes back when the radio may be switched.
    pub(crate) async fn flight_mode(&self, on: bool) {
        let (done, waits) = oneshot::channel();
        self.send(Command::FlightMode(on, done)).await;
        let _ = waits.await;
    }

    /// De-registers and ends. Comes back when the power may be switched off.
    pub(crate) async fn shutdown(&self) {
        let (done, waits) = oneshot::channel();
        self.send(Command::Shutdown(done)).await;
        let _ = waits.await;
    }

    /// A terminal that ended already has nothing to do.
    async fn send(&self, command: Command<M>) {
        let _ = self.commands.send(command).await;
    }
}

/// Starts a terminal.
pub(crate) fn spawn<M>(config: Config, model: M) -> Result<(Handle<M>, Events), ConfigError>
where
    M: DataModel + Send + 'static,
{
    let origin = tokio::time::Instant::now();
    let (commands, inbox) = mpsc::channel(QUEUE);
    let (events, news) = mpsc::channel(QUEUE);
    let (reports, told) = mpsc::channel(QUEUE);
    let client = Client::new(config, Instant::ZERO)?;
    let (ways, closing) = (BTreeMap::new(), JoinSet::new());
    let task = Task { client, model, origin, ways, tries: 0, closing, reports, events, leaving: None, gone: false };
    tokio::spawn(task.run(inbox, told));
    Ok((Handle { commands }, ReceiverStream::new(news)))
}

struct Task<M> {
    client: Client,
    model: M,
    origin: tokio::time::Instant,
    ways: BTreeMap<Peer, Way>,
    /// Ways that were ever opened: reports tell by this number which one they are of.
    tries: u32,
    /// The tasks of all ways, which say goodbye by themselves.
    closing: JoinSet<()>,
    reports: Reports,
    events: mpsc::Sender<Event>,
    /// Who waits until the device may leave.
    leaving: Option<oneshot::Sender<()>>,
    gone: bool,
}

impl<M: DataModel + Send + 'static> Task<M> {
    fn now(&self) -> Instant {
        Instant::ZERO + self.origin.elapsed()
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Command<M>>, mut told: mpsc::Receiver<(u32, Peer, Report)>) {
        self.client.network_up(self.now());
        loop {
            self.carry_out();
            self.tell().await;
            if self.gone {
                return;
            }
            let due = self.client.poll_timeout();
            let deadline = self.origin + due.unwrap_or(Instant::ZERO).saturating_duration_since(Instant::ZERO);
            tokio::select! {
                command = inbox.recv() => self.command(command.unwrap_or(Command::Shutdown(oneshot::channel().0))),
                Some((number, peer, report)) = told.recv() => self.report(number, peer, report),
                () = sleep_until(deadline), if due.is_some() => {
                    self.client.handle_timeout(self.now(), &mut self.model);
                }
            }
        }
    }

    fn command(&mut self, command: Command<M>) {
        let now = self.now();
        match command {
            Command::Set(path, change) => {
                change(&mut self.model);
                self.client.notify(now, path, &mut self.model);
            }
            Command::AddressChanged => self.client.address_changed(now),
            Command::FlightMode(true, done) => {
                self.leaving = Some(done);
                self.client.enter_flight_mode(now);
            }
            Command::FlightMode(false, _) => self.client.leave_flight_mode(now),
            Command::Shutdown(done) => {
                self.leaving = Some(done);
                self.client.shutdown(now);
            }
        }
    }

    /// Something came of a way, if it is still the way to its peer.
    fn report(&mut self, number: u32, peer: Peer, report: Report) {
        let now = self.now();
        let Some(way) = self.ways.get(&peer).filter(|way| way.number == number) else { return };
        match report {
            Report::Open(session) => self.client.connected(now, peer, session, &mut self.model),
            Report::Datagram(bytes) => {
                trace!(%peer, length = bytes.len(), "in");
                self.client.handle_datagram(now, peer, &bytes, &mut self.model);
            }
            Report::Closed(why) => {
                warn!(server = way.host, %why, "no way");
                self.ways.remove(&peer);
                self.client.connection_failed(now, peer);
            }
        }
    }

    /// Carries out the client's orders.
    fn carry_out(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { peer, uri, security } => {
                    self.tries += 1;
                    let known = self.ways.contains_key(&peer);
                    let session = if known { Session::Moved } else { Session::New };
                    info!(%uri, "opening a way");
                    let target = Target::new((self.tries, peer), uri, security, session);
                    self.ways.insert(peer, target.open(&mut self.closing, self.reports.clone()));
                }
                Output::Transmit { peer, datagram } => {
                    trace!(%peer, length = datagram.len(), "out");
                    // One that cannot be sent is lost: the client sends it again.
                    self.ways.get(&peer).map(|way| way.send(datagram));
                }
                Output::Disconnect { peer } => drop(self.ways.remove(&peer)),
            }
        }
    }

    /// Tells the news.
    async fn tell(&mut self) {
        while let Some(event) = self.client.poll_event() {
            if self.events.try_send(event).is_err() {
                trace!(?event, "nobody reads this");
            }
            match event {
                // A server that does not know the session any more is silent, and a new one may help.
                Event::UpdateFailed { reason: Reason::TimedOut, .. }
                | Event::RegistrationFailed { reason: Reason::TimedOut, .. }
                    if self.ways.values().any(|way| way.is_secure) =>
                {
                    self.client.address_changed(self.now());
                    self.carry_out();
                }
                Event::MayProceed(leave) => {
                    self.ways.clear();
                    let goodbyes = async { while self.closing.join_next().await.is_some() {} };
                    let _ = timeout(GOODBYE, goodbyes).await;
                    self.gone = leave == Leave::PowerOff;
                    self.leaving.take().map(|done| done.send(()));
                }
                _ => {}
            }
        }
    }
}
