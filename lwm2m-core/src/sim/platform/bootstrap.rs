//! The bootstrap server: answers Bootstrap-Requests and writes accounts (OMA LwM2M 1.0, 5.2).

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, ContentFormat, Message};

use super::coap::{Coap, Exchange, Incoming};
use super::message::Inbound;
use super::{Accepts, Answering, Ask, DmServer, NoAnswer, Response, account, host_of};
use crate::base::path::Path;
use crate::base::rng::Key;
use crate::base::time::Instant;
use crate::sim::network::Address;

/// The bootstrap server. After each Bootstrap-Request it sends its commands one after the other, each
/// after the answer to the one before; an error ends it, unless it [persists](Self::persists).
///
/// Its commands are: delete everything, write Security and Server of every [`DmServer`], finish. Where
/// there are several, it writes Access Control besides: every server owns its own Server instance, and
/// all may do everything with what they [share](Self::shares).
#[derive(Clone, Debug)]
pub struct BootstrapServer {
    /// Whom it bootstraps.
    pub accepts: Accepts,
    /// How it answers Bootstrap-Requests.
    pub answering: Answering,
    /// Other commands than those made from the servers' accounts.
    pub script: Option<Vec<BootstrapCommand>>,
    /// What several servers may do everything with, each of them: the Device instance, to begin with.
    /// A Server instance that is not among these is its server's alone.
    pub shares: Vec<Path>,
    /// Falls silent after so many commands.
    pub stops_after: Option<usize>,
    /// Sends every command but Finish once more, as a new message.
    pub repeats: bool,
    /// Goes on with its next command after an error.
    pub persists: bool,
    pub(in crate::sim) host: Arc<str>,
    pub(super) coap: Coap,
    pub(super) is_down: bool,
    /// Where the device has this server's own account, which must not be written over.
    pub(in crate::sim) own_instance: Option<u16>,
    pub(super) complaints: Vec<(Instant, String)>,
    uri: String,
    /// Where the last request came from.
    device: Option<Address>,
    sessions: Vec<Session>,
    answers: Vec<BootstrapAnswer>,
    requests_seen: usize,
    finished: usize,
    failed: usize,
}

/// A command of the bootstrap server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootstrapCommand {
    /// Bootstrap-Delete.
    Delete(Path),
    /// Bootstrap-Write.
    Write {
        /// What is written.
        path: Path,
        /// The payload's format.
        format: ContentFormat,
        /// The payload; [`Tlv`](super::Tlv) helps.
        payload: Vec<u8>,
    },
    /// Bootstrap-Discover.
    Discover(Path),
    /// Anything else.
    Ask(Ask),
    /// The same, and whatever is answered, it goes on.
    Try(Ask),
    /// Waits for so long before the next command.
    Pause(Duration),
    /// Bootstrap-Finish.
    Finish,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootstrapAnswer {
    /// When.
    pub at: Instant,
    /// The command.
    pub command: BootstrapCommand,
    /// The answer.
    pub result: Result<Response, NoAnswer>,
}

/// A bootstrap that goes on.
#[derive(Clone, Debug)]
struct Session {
    device: Address,
    commands: VecDeque<BootstrapCommand>,
    sent: usize,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// The next command is due.
    Ready {
        at: Instant,
    },
    Asked {
        exchange: Exchange,
        command: BootstrapCommand,
    },
}

impl BootstrapServer {
    pub(super) fn new(uri: &str, key: Key) -> Self {
        Self {
            accepts: Accepts::Anyone,
            answering: Answering::Piggybacked,
            script: None,
            shares: Vec::from([Path::instance(3, 0)]),
            stops_after: None,
            repeats: false,
            persists: false,
            host: host_of(uri).unwrap_or_default().into(),
            coap: Coap::new(key),
            is_down: false,
            own_instance: None,
            complaints: Vec::new(),
            uri: uri.to_string(),
            device: None,
            sessions: Vec::new(),
            answers: Vec::new(),
            requests_seen: 0,
            finished: 0,
            failed: 0,
        }
    }

    /// Its URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// How many Bootstrap-Requests came, duplicates not counted.
    #[must_use]
    pub const fn requests_seen(&self) -> usize {
        self.requests_seen
    }

    /// How many bootstraps ended with 2.04 to Bootstrap-Finish.
    #[must_use]
    pub const fn finished(&self) -> usize {
        self.finished
    }

    /// How many bootstraps ended with an error, or because the device fell silent.
    #[must_use]
    pub const fn failed(&self) -> usize {
        self.failed
    }

    /// What came of every command, in order.
    #[must_use]
    pub fn answers(&self) -> &[BootstrapAnswer] {
        &self.answers
    }

    /// Receives and sends nothing from now on.
    pub const fn go_down(&mut self) {
        self.is_down = true;
    }

    /// Is back.
    pub const fn come_up(&mut self) {
        self.is_down = false;
    }

    /// The commands that hand out an account for each of `servers`.
    #[must_use]
    pub fn commands(&self, servers: &[DmServer]) -> Vec<BootstrapCommand> {
        let write = |object, id, tlv: &account::Tlv| BootstrapCommand::Write {
            path: Path::instance(object, id),
            format: ContentFormat::LWM2M_TLV,
            payload: tlv.bytes().to_vec(),
        };
        let mut commands = Vec::from([BootstrapCommand::Delete(Path::ROOT)]);
        let securities = (0..).filter(|id| Some(*id) != self.own_instance);
        for ((security, server), account) in securities.zip(0..).zip(servers) {
            commands.push(write(0, security, &account::security(account)));
            commands.push(write(1, server, &account::server(account)));
        }
        if let [first, _, ..] = servers {
            let is_own = |(id, _): &(u16, _)| !self.shares.contains(&Path::instance(1, *id));
            let own = (0..).zip(servers).filter(is_own);
            let own = own.map(|(id, server)| account::access((1, id), server.short_server_id, 0));
            let target = |path: &Path| path.object_id().zip(path.instance_id());
            // Read, Write, Execute and Delete.
            let shared = self.shares.iter().filter_map(target);
            let shared = shared.map(|target| account::access(target, first.short_server_id, 15));
            commands.extend((0..).zip(own.chain(shared)).map(|(id, tlv)| write(2, id, &tlv)));
        }
        commands.push(BootstrapCommand::Finish);
        commands
    }

    /// Whether it answers as a server should.
    pub(in crate::sim) fn is_well(&self) -> bool {
        !self.is_down
            && self.answering.is_prompt()
            && self.accepts == Accepts::Anyone
            && self.script.is_none()
            && self.stops_after.is_none()
    }

    // ----- at work --------------------------------------------------------------------------

    /// Whether a datagram is for this server, and not for another one at the same host.
    pub(super) fn claims(&self, from: Address, bytes: &[u8]) -> bool {
        let known = self.sessions.iter().any(|session| session.device == from);
        let mut request = Message::parse(bytes).into_iter();
        known || request.any(|message| message.code() == Code::POST && message.uri_path().eq([b"bs"]))
    }

    pub(super) fn receive(&mut self, now: Instant, from: Address, bytes: &[u8], servers: &[DmServer]) {
        match self.coap.receive(now, from, bytes) {
            Incoming::Request(request) => self.requested(now, &request, servers),
            Incoming::Answered(exchange, result) => self.answered(now, exchange, result),
            Incoming::Unmatched(message) => self.coap.take(&message, false),
            Incoming::Malformed => self.complain(now, "a message that is malformed"),
            Incoming::Nothing => {}
        }
    }

    fn complain(&mut self, now: Instant, what: &str) {
        self.complaints.push((now, what.to_string()));
    }

    fn requested(&mut self, now: Instant, request: &Inbound, servers: &[DmServer]) {
        if request.code != Code::POST || request.path != ["bs"] {
            self.complain(now, "a request that is no Bootstrap-Request");
            return self.coap.respond(now, request, Answering::Piggybacked, Code::NOT_FOUND, |_| Ok(()));
        }
        self.requests_seen += 1;
        let names: Vec<_> = request.query.iter().filter_map(|query| query.strip_prefix("ep=")).collect();
        let judged = match *names {
            [name] => self.accepts.judge(name),
            _ => Err(Code::BAD_REQUEST),
        };
        self.coap.respond(now, request, self.answering, judged.err().unwrap_or(Code::CHANGED), |_| Ok(()));
        self.device = Some(request.from);
        if judged.is_err() || self.answering == Answering::Never {
            // A device that asks again begins again.
            return self.sessions.retain(|session| session.device != request.from);
        }
        self.begin(now, request.from, servers);
    }

    /// Begins a bootstrap with the device that asked last, without having been asked again.
    pub(super) fn initiate(&mut self, now: Instant, servers: &[DmServer]) {
        if let Some(device) = self.device {
            self.begin(now, device, servers);
        }
    }

    fn begin(&mut self, now: Instant, device: Address, servers: &[DmServer]) {
        self.sessions.retain(|session| session.device != device);
        let mut commands: VecDeque<_> = self.script.clone().unwrap_or_else(|| self.commands(servers)).into();
        if self.repeats {
            let times = |command: &BootstrapCommand| if *command == BootstrapCommand::Finish { 1 } else { 2 };
            commands = commands
                .into_iter()
                .flat_map(|command| core::iter::repeat_n(command.clone(), times(&command)))
                .collect();
        }
        let state = State::Ready { at: now };
        self.sessions.push(Session { device, commands, sent: 0, state });
        self.advance(now);
    }

    fn answered(&mut self, now: Instant, exchange: Exchange, result: Result<Response, NoAnswer>) {
        let this = |session: &Session| matches!(session.state, State::Asked { exchange: own, .. } if own == exchange);
        let Some(index) = self.sessions.iter().position(this) else { return };
        let Some(session) = self.sessions.get_mut(index) else { return };
        let State::Asked { command, .. } = core::mem::replace(&mut session.state, State::Ready { at: now }) else {
            return;
        };
        let success = result.as_ref().is_ok_and(|response| response.code.is_success());
        let insists = self.persists || matches!(command, BootstrapCommand::Try(_));
        let over = if success { command == BootstrapCommand::Finish } else { !insists };
        self.answers.push(BootstrapAnswer { at: now, command, result });
        if over {
            self.sessions.remove(index);
            *(if success { &mut self.finished } else { &mut self.failed }) += 1;
        }
        self.advance(now);
    }

    /// Sends the commands whose time has come.
    fn advance(&mut self, now: Instant) {
        for session in &mut self.sessions {
            while matches!(session.state, State::Ready { at } if at <= now) {
                let stopped = self.stops_after.is_some_and(|limit| session.sent >= limit);
                let Some(command) = session.commands.pop_front().filter(|_| !stopped) else {
                    // Nothing more is ever sent.
                    session.state = State::Ready { at: Instant::from_micros(u64::MAX) };
                    break;
                };
                let ask = match &command {
                    BootstrapCommand::Pause(duration) => {
                        session.state = State::Ready { at: now + *duration };
                        continue;
                    }
                    BootstrapCommand::Delete(path) => Ask::at(Code::DELETE, *path),
                    BootstrapCommand::Discover(path) => {
                        Ask { accept: Some(ContentFormat::LINK_FORMAT), ..Ask::at(Code::GET, *path) }
                    }
                    BootstrapCommand::Ask(ask) | BootstrapCommand::Try(ask) => ask.clone(),
                    BootstrapCommand::Finish => Ask::new(Code::POST, "bs"),
                    BootstrapCommand::Write { path, format, payload } => {
                        Ask { format: Some(*format), payload: payload.clone(), ..Ask::at(Code::PUT, *path) }
                    }
                };
                session.sent += 1;
                let (exchange, token) = (self.coap.next_exchange(), self.coap.fresh_token());
                session.state = State::Asked { exchange, command };
                self.coap.request(now, exchange, session.device, token, &ask);
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let ready = self.sessions.iter().filter_map(|session| match session.state {
            State::Ready { at } if at.as_micros() < u64::MAX => Some(at),
            _ => None,
        });
        ready.chain(self.coap.poll_timeout()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Incoming::Answered(exchange, result) = self.coap.handle_timeout(now) {
            self.answered(now, exchange, result);
        }
        self.advance(now);
    }
}
