//! A client on a desk: a loop that keeps the contract, and a server of a few lines which answers at
//! once. For tests that want every byte in their own hands; whole lives are told with `sim`.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]

use core::cell::Cell;
use core::time::Duration;

use coap_codec::{Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token};
use lwm2m_core::objects::Device;
use lwm2m_core::{
    Args, Change, Client, Config, Credentials, Ctx, DataModel, Event, Instant, Key, Leaf, ObjectDef, Output, Part,
    Path, Peer, Received, Refusal, Session, Sink, Ticket,
};

pub const ENDPOINT: &str = "490154203237518;460001234567890;;1.0";

/// Counts what reaches the model behind it.
#[derive(Clone, Debug)]
pub struct Counting<M> {
    pub inner: M,
    pub reads: Cell<u64>,
    pub changes: u64,
    pub executes: u64,
    /// What `read` and `execute` say instead of doing it, but for a resumed call.
    pub refuse: Option<Refusal>,
    /// The ticket of the last call, and whether it was a resumed one.
    pub ticket: Cell<Option<Ticket>>,
    pub resumed: Cell<bool>,
}

impl<M> Counting<M> {
    pub fn new(inner: M) -> Self {
        let (ticket, resumed) = (Cell::new(None), Cell::new(false));
        Self { inner, reads: Cell::new(0), changes: 0, executes: 0, refuse: None, ticket, resumed }
    }

    fn note(&self, ctx: &Ctx) {
        if ctx.ticket.is_some() {
            self.ticket.set(ctx.ticket);
        }
        self.resumed.set(ctx.resumed);
    }

    pub fn calls(&self) -> u64 {
        self.reads.get() + self.changes + self.executes
    }
}

impl<M: DataModel> DataModel for Counting<M> {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        self.inner.next_object(after)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        self.inner.next_instance(object, after)
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.inner.next_resource(object, instance, after)
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.reads.set(self.reads.get() + 1);
        self.note(ctx);
        match self.refuse {
            Some(refusal) if !ctx.resumed => Err(refusal),
            _ => self.inner.read(ctx, at, out),
        }
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        self.inner.check(ctx, change)
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        self.changes += 1;
        self.inner.apply(ctx, change);
    }

    fn stream(&mut self, ctx: &Ctx, at: Leaf, part: Part<'_>) -> Result<(), Refusal> {
        self.inner.stream(ctx, at, part)
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        self.executes += 1;
        self.note(ctx);
        match self.refuse {
            Some(refusal) if !ctx.resumed => Err(refusal),
            _ => self.inner.execute(ctx, at, args),
        }
    }
}

pub type Model = Counting<Device>;

pub fn device() -> Model {
    let mut device = Device::new("Example Works", "TM-1");
    device.serial_number = Some("0001".into());
    device.firmware_version = Some("1.2.3".into());
    device.battery_level = Some(80);
    Counting::new(device)
}

/// What the server of a desk does with a request of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Grants everything.
    Grants,
    /// Says nothing.
    Silent,
    /// Answers every request with this code.
    Refuses(Code),
}

/// The client, its model, its server, and a clock that only the test moves.
#[derive(Clone, Debug)]
pub struct Desk {
    pub client: Client,
    pub model: Model,
    pub now: Instant,
    pub server: Server,
    pub session: Session,
    /// Every datagram that the client sent.
    pub sent: Vec<(Instant, Peer, Vec<u8>)>,
    pub events: Vec<Event>,
    pub peer: Option<Peer>,
    /// Whether sessions can be made.
    pub connects: bool,
    /// Whether events are polled.
    pub polls_events: bool,
    next_id: u16,
}

impl Desk {
    pub fn new(config: Config) -> Self {
        let now = Instant::from_secs(1_000);
        Self {
            client: Client::new(config, now).unwrap(),
            model: device(),
            now,
            server: Server::Grants,
            session: Session::New,
            sent: Vec::new(),
            events: Vec::new(),
            peer: None,
            connects: true,
            polls_events: true,
            next_id: 0x4000,
        }
    }

    pub fn config(seed: u64, lifetime: u32) -> Config {
        Config::new(ENDPOINT, Key::from_seed(seed)).server(1, "coap://dm.example", Credentials::NoSec, lifetime)
    }

    /// A client that has just registered with server 1.
    #[track_caller]
    pub fn registered(config: Config) -> Self {
        let mut desk = Self::new(config);
        desk.client.network_up(desk.now);
        desk.drain();
        assert!(desk.client.is_registered(desk.now, 1), "registered: {:?}", desk.events);
        desk
    }

    pub fn server_peer(&self) -> Peer {
        // Before a session was asked for: a peer that the client does not know.
        self.peer.unwrap_or(Peer(u16::MAX))
    }

    /// Carries the client's orders out and answers as the server does, until all is quiet.
    pub fn drain(&mut self) {
        for _ in 0..1_000 {
            let mut connects = None;
            let mut replies = Vec::new();
            let mut quiet = true;
            while let Some(output) = self.client.poll_output() {
                quiet = false;
                match output {
                    Output::Connect { peer, .. } => connects = Some(peer),
                    Output::Transmit { peer, datagram } => {
                        self.sent.push((self.now, peer, datagram.to_vec()));
                        replies.extend(answer(self.server, datagram).map(|reply| (peer, reply)));
                    }
                    Output::Disconnect { .. } => {}
                }
            }
            if let Some(peer) = connects.filter(|_| !self.connects) {
                self.client.connection_failed(self.now, peer);
            } else if let Some(peer) = connects {
                self.peer = Some(peer);
                self.client.connected(self.now, peer, self.session, &mut self.model);
                self.session = Session::Resumed;
            }
            for (peer, reply) in replies {
                self.client.handle_datagram(self.now, peer, &reply, &mut self.model);
            }
            if self.polls_events {
                while let Some(event) = self.client.poll_event() {
                    self.events.push(event);
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the client never falls silent");
    }

    /// Lets time pass, keeping every deadline.
    #[track_caller]
    pub fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drain();
        for _ in 0..1_000_000 {
            match self.client.poll_timeout() {
                Some(deadline) if deadline <= end => {
                    self.now = self.now.max(deadline);
                    self.timeout();
                }
                _ => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("too many deadlines");
    }

    /// One call of `handle_timeout`, and what follows from it.
    #[track_caller]
    pub fn timeout(&mut self) {
        self.client.handle_timeout(self.now, &mut self.model);
        let next = self.client.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "a deadline of {next:?} after a timeout at {:?}", self.now);
        self.drain();
    }

    /// A datagram from the server, and what the client sent because of it.
    pub fn receive(&mut self, datagram: &[u8]) -> (Received, Vec<Vec<u8>>) {
        let before = self.sent.len();
        let peer = self.server_peer();
        let received = self.client.handle_datagram(self.now, peer, datagram, &mut self.model);
        self.drain();
        (received, self.sent[before..].iter().map(|(_, _, datagram)| datagram.clone()).collect())
    }

    /// A confirmable request from the server, and its piggybacked answer.
    #[track_caller]
    pub fn ask(&mut self, method: Code, path: &str, write: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
        let request = self.request(method, path, write);
        let (_, sent) = self.receive(&request);
        let id = Message::parse(&request).unwrap().message_id();
        let answer = sent.into_iter().find(|datagram| Message::parse(datagram).unwrap().message_id() == id);
        answer.unwrap_or_else(|| panic!("no answer to {method:?} {path}"))
    }

    /// A confirmable request with a Message ID of its own.
    pub fn request(&mut self, method: Code, path: &str, write: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
        self.next_id += 1;
        request(MessageType::Confirmable, method, self.next_id, path, write)
    }

    /// Writes a resource as plain text.
    #[track_caller]
    pub fn write(&mut self, path: &str, text: &str) {
        let answer = self.ask(Code::PUT, path, |writer| {
            writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
            writer.payload(text.as_bytes()).unwrap();
        });
        assert_eq!(Message::parse(&answer).unwrap().code(), Code::CHANGED);
    }

    /// Changes the battery level, and says so.
    pub fn battery(&mut self, level: u8) {
        self.model.inner.battery_level = Some(level);
        self.client.notify(self.now, BATTERY, &mut self.model);
        self.drain();
    }

    /// The last datagram with this code that the client sent.
    #[track_caller]
    pub fn last(&self, code: Code) -> Vec<u8> {
        let mut sent = self.sent.iter().rev().map(|(_, _, datagram)| datagram);
        let found = sent.find(|datagram| Message::parse(datagram).unwrap().code() == code);
        found.unwrap_or_else(|| panic!("no {code:?} was sent")).clone()
    }

    /// When messages with this code were sent, since `from`.
    pub fn moments(&self, from: usize, code: Code) -> Vec<Instant> {
        let sent = self.sent[from..].iter();
        sent.filter(|(.., datagram)| Message::parse(datagram).unwrap().code() == code).map(|(at, ..)| *at).collect()
    }

    /// The messages sent since `from`, parsed.
    pub fn messages(&self, from: usize) -> Vec<Message<'_>> {
        self.sent[from..].iter().map(|(_, _, datagram)| Message::parse(datagram).unwrap()).collect()
    }
}

/// A request from the server; its token is its Message ID.
pub fn request(
    message_type: MessageType,
    method: Code,
    id: u16,
    path: &str,
    write: impl FnOnce(&mut MessageWriter<'_>),
) -> Vec<u8> {
    let mut buffer = [0; 1_500];
    let header = Header { message_type, code: method, message_id: MessageId(id) };
    let token = Token::new(&id.to_be_bytes()).unwrap();
    let mut writer = MessageWriter::new(&mut buffer, header, token).unwrap();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        writer.uri_path(segment).unwrap();
    }
    write(&mut writer);
    writer.finish().to_vec()
}

pub fn nothing(_: &mut MessageWriter<'_>) {}

/// What a server says to a datagram of the client.
pub fn answer(server: Server, datagram: &[u8]) -> Option<Vec<u8>> {
    let message = Message::parse(datagram).unwrap();
    if message.message_type() != MessageType::Confirmable || server == Server::Silent {
        return None;
    }
    if message.code().is_response() {
        return Some(acknowledge(datagram, Code::EMPTY));
    }
    let registers = message.uri_path().eq([b"rd".as_slice()]);
    let code = match (server, message.code()) {
        (Server::Refuses(code), _) => code,
        (_, Code::POST) if registers => Code::CREATED,
        (_, Code::POST) => Code::CHANGED,
        _ => Code::DELETED,
    };
    Some(acknowledge(datagram, code))
}

/// The piggybacked answer to a datagram of the client, or an empty acknowledgement.
pub fn acknowledge(datagram: &[u8], code: Code) -> Vec<u8> {
    reply(MessageType::Acknowledgement, datagram, code, |writer| {
        if code == Code::CREATED {
            writer.option(OptionNumber::LOCATION_PATH, b"rd").unwrap();
            writer.option(OptionNumber::LOCATION_PATH, b"5a3f").unwrap();
        }
    })
}

/// A Reset for a datagram of the client.
pub fn reject(datagram: &[u8]) -> Vec<u8> {
    reply(MessageType::Reset, datagram, Code::EMPTY, nothing)
}

/// A message with the Message ID of a datagram of the client, and its token unless it is empty.
pub fn reply(
    message_type: MessageType,
    datagram: &[u8],
    code: Code,
    write: impl FnOnce(&mut MessageWriter<'_>),
) -> Vec<u8> {
    let message = Message::parse(datagram).unwrap();
    let mut buffer = [0; 64];
    let header = Header { message_type, code, message_id: message.message_id() };
    let token = if code == Code::EMPTY { Token::EMPTY } else { message.token() };
    let mut writer = MessageWriter::new(&mut buffer, header, token).unwrap();
    write(&mut writer);
    writer.finish().to_vec()
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The battery level, which tests like to change.
pub const BATTERY: Path = Path::resource(3, 0, 9);
