//! Each invariant is violated on purpose, and reported; what is allowed beside it is not.

mod answers;
mod messages;
mod observations;
mod registrations;
mod rest;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, OptionNumber, Token};

use super::{Gauges, Invariant, Observer, Weather};
use crate::base::config::{Config, Credentials};
use crate::base::event::{Event, Leave, Reason};
use crate::base::origin::Origin;
use crate::base::path::Path;
use crate::base::rng::Key;
use crate::base::time::Instant;
use crate::exchange::{Peer, Usage};
use crate::sim::record::Input;

const LIFETIME: u64 = 3_600;
const PEER: Peer = Peer(0);
const CON: MessageType = MessageType::Confirmable;
const NON: MessageType = MessageType::NonConfirmable;
const ACK: MessageType = MessageType::Acknowledgement;
const RST: MessageType = MessageType::Reset;

/// A message: kind, code, Message ID, a token of one byte or none, options.
fn message(kind: MessageType, code: Code, id: u16, token: u8, options: &[(OptionNumber, &[u8])]) -> Vec<u8> {
    let mut buffer = [0; 256];
    let header = Header { message_type: kind, code, message_id: MessageId(id) };
    let token = if token == 0 { Token::EMPTY } else { Token::new(&[token]).unwrap() };
    let mut writer = MessageWriter::new(&mut buffer, header, token).unwrap();
    options.iter().for_each(|(number, value)| writer.option(*number, value).unwrap());
    writer.finish().to_vec()
}

fn empty(kind: MessageType, id: u16) -> Vec<u8> {
    Header::empty(kind, MessageId(id)).to_bytes().to_vec()
}

fn register(id: u16, token: u8) -> Vec<u8> {
    let (path, query) = (OptionNumber::URI_PATH, OptionNumber::URI_QUERY);
    message(CON, Code::POST, id, token, &[(path, b"rd"), (query, b"ep=x"), (query, b"lt=3600")])
}

fn created(id: u16, token: u8) -> Vec<u8> {
    let location = OptionNumber::LOCATION_PATH;
    message(ACK, Code::CREATED, id, token, &[(location, b"rd"), (location, b"7")])
}

/// Update, De-register: a request at the location.
fn at_location(method: Code, id: u16, token: u8, name: &[u8]) -> Vec<u8> {
    let path = OptionNumber::URI_PATH;
    message(CON, method, id, token, &[(path, b"rd"), (path, name)])
}

/// A request of the server.
fn ask(method: Code, id: u16) -> Vec<u8> {
    message(CON, method, id, 9, &[(OptionNumber::URI_PATH, b"3")])
}

/// A response with the token 8.
fn notification(id: u16) -> Vec<u8> {
    message(CON, Code::CONTENT, id, 8, &[])
}

/// An observer, and what it is shown, a millisecond at a time.
struct Bench {
    observer: Observer,
    now: Duration,
    weather: Weather,
    gauges: Gauges,
    host: Arc<str>,
}

impl Bench {
    fn new() -> Self {
        let config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm", Credentials::NoSec, LIFETIME as u32);
        let host: Arc<str> = "dm:5683".into();
        let observer = Observer::new(&config, &[(1, host.clone())], Instant::ZERO);
        let gauges = Gauges::default();
        let mut bench = Self { observer, now: Duration::ZERO, weather: Weather::Fine, gauges, host };
        bench.input(&Input::NetworkUp { now: Instant::ZERO });
        bench.observer.connects(PEER, Some(&bench.host.clone()));
        bench
    }

    /// The same, registered for an hour.
    fn registered() -> Self {
        let mut bench = Self::new();
        bench.register(1);
        bench
    }

    fn register(&mut self, id: u16) {
        let token = id as u8;
        self.sent(&register(id, token));
        self.answered(&register(id, token), &created(id, token));
        self.observer.event(&Event::Registered { server: 1, lifetime: LIFETIME as u32 });
        self.settle();
    }

    fn update(&mut self, id: u16) {
        let token = id as u8;
        let update = at_location(Code::POST, id, token, b"7");
        self.sent(&update);
        self.answered(&update, &message(ACK, Code::CHANGED, id, token, &[]));
        self.observer.event(&Event::Updated { server: 1 });
        self.settle();
    }

    fn at(&mut self, seconds: f64) {
        self.now = Duration::from_secs_f64(seconds);
        self.begin();
    }

    fn begin(&mut self) {
        self.observer.begin(Instant::ZERO + self.now);
    }

    fn sent(&mut self, datagram: &[u8]) {
        self.begin();
        self.observer.sent(PEER, &self.host.clone(), datagram);
        self.settle();
    }

    /// A request arrives, and its answer is there.
    fn answered(&mut self, request: &[u8], answer: &[u8]) {
        let host = self.host.clone();
        self.begin();
        self.observer.arrived(&host, request, false);
        self.observer.replied(&host, answer);
        self.observer.delivered(PEER, &host, answer, false);
    }

    /// The device receives a datagram, sends these, and has this news.
    fn delivered(&mut self, datagram: &[u8], answers: &[&[u8]], news: &[Event]) {
        let host = self.host.clone();
        self.begin();
        self.observer.delivered(PEER, &host, datagram, false);
        news.iter().for_each(|event| self.observer.event(event));
        answers.iter().for_each(|answer| self.observer.sent(PEER, &host, answer));
        self.settle();
    }

    fn input(&mut self, input: &Input) {
        self.begin();
        self.observer.input(input);
    }

    fn settle(&mut self) {
        self.begin();
        self.observer.settled(self.gauges, self.weather);
    }

    #[track_caller]
    fn is_well(&self) {
        assert_eq!(self.observer.violations(), []);
    }

    /// Whether exactly this was reported, and clears nothing.
    #[track_caller]
    fn reports(&self, invariant: Invariant) {
        let found: Vec<_> = self.observer.violations().iter().map(|violation| violation.invariant).collect();
        assert_eq!(found, [invariant], "{:?}", self.observer.violations());
    }
}
