//! Each invariant is violated on purpose, and reported; what is allowed beside it is not.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, OptionNumber, Token};

use super::{Gauges, Invariant, Observer, Weather};
use crate::base::config::{Config, Credentials};
use crate::base::event::{Event, Leave};
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

#[test]
fn no_message_may_be_malformed_or_too_long() {
    let mut bench = Bench::new();
    bench.sent(b"??");
    bench.reports(Invariant::WellFormed);
    let mut bench = Bench::new();
    bench.sent(&[&notification(1)[..], b"\xff", &[b'x'; 1_152]].concat());
    bench.reports(Invariant::MessageSize);
}

#[test]
fn a_message_id_is_used_once_within_its_lifetime() {
    let mut bench = Bench::registered();
    let [one, two] = [1, 2].map(|token| message(NON, Code::CONTENT, 7, token, &[]));
    bench.sent(&one);
    bench.at(248.0);
    bench.sent(&two);
    bench.is_well();
    bench.at(300.0);
    bench.sent(&one);
    bench.reports(Invariant::MessageId);

    let mut bench = Bench::registered();
    bench.sent(&one);
    bench.input(&Input::Restart { now: Instant::ZERO, key: Key::from_seed(1) });
    bench.input(&Input::NetworkUp { now: Instant::ZERO });
    bench.sent(&two);
    bench.is_well();
}

#[test]
fn a_token_is_used_once_within_its_lifetime() {
    let mut bench = Bench::registered();
    bench.update(2);
    bench.is_well();
    bench.sent(&at_location(Code::POST, 3, 2, b"7"));
    bench.reports(Invariant::Token);
}

#[test]
fn a_message_comes_again_when_its_time_has_come() {
    let notification = notification(5);
    let mut good = Bench::registered();
    for seconds in [100.0, 102.5, 107.5, 117.5, 137.5] {
        good.at(seconds);
        good.sent(&notification);
    }
    good.is_well();
    good.at(300.0);
    good.settle();
    good.is_well();

    for (times, why) in [
        (&[100.0, 104.0][..], "late"),
        (&[100.0, 101.0], "early"),
        (&[100.0, 102.5, 105.0], "without doubling"),
        (&[100.0, 102.5, 107.5, 117.5, 137.5, 177.5], "too often"),
    ] {
        let mut bench = Bench::registered();
        for seconds in times {
            bench.at(*seconds);
            bench.observer.sent(PEER, &bench.host.clone(), &notification);
        }
        bench.reports(Invariant::Retransmission);
        assert!(!why.is_empty());
    }

    let mut bench = Bench::registered();
    bench.sent(&notification);
    bench.at(3.1);
    bench.settle();
    bench.reports(Invariant::Retransmission);

    let mut bench = Bench::registered();
    bench.sent(&notification);
    bench.delivered(&empty(ACK, 5), &[], &[]);
    bench.at(2.5);
    bench.sent(&notification);
    bench.reports(Invariant::Retransmission);
}

#[test]
fn what_was_given_up_need_not_come_again() {
    let end = |with: &dyn Fn(&mut Bench)| {
        let mut bench = Bench::registered();
        bench.sent(&notification(5));
        with(&mut bench);
        bench.at(10.0);
        bench.settle();
        bench.is_well();
    };
    end(&|bench| bench.delivered(&empty(RST, 5), &[], &[]));
    end(&|bench| bench.input(&Input::NetworkDown { now: Instant::ZERO }));
    end(&|bench| bench.observer.disconnects(PEER));
    end(&|bench| bench.observer.clock_stepped(-5));
    end(&|bench| bench.observer.suspended());
}

#[test]
fn one_message_at_a_time_waits_for_its_acknowledgement() {
    let mut bench = Bench::registered();
    bench.sent(&notification(5));
    bench.sent(&message(NON, Code::CONTENT, 6, 1, &[]));
    bench.is_well();
    bench.sent(&notification(7));
    bench.reports(Invariant::Nstart);
}

#[test]
fn every_confirmable_message_is_answered_once() {
    let answer = message(ACK, Code::CONTENT, 70, 9, &[]);
    let get = ask(Code::GET, 70);
    let mut good = Bench::registered();
    good.delivered(&get, &[&answer], &[]);
    good.delivered(&get, &[&answer], &[]);
    good.delivered(&empty(CON, 71), &[&empty(RST, 71)], &[]);
    good.delivered(&message(NON, Code::GET, 72, 9, &[]), &[&message(NON, Code::CONTENT, 6, 9, &[])], &[]);
    good.is_well();

    let mut bench = Bench::registered();
    bench.delivered(&get, &[], &[]);
    bench.reports(Invariant::Answered);
    let mut bench = Bench::registered();
    bench.delivered(&get, &[&answer, &answer], &[]);
    bench.reports(Invariant::Answered);
    let mut bench = Bench::registered();
    bench.delivered(&empty(CON, 71), &[], &[]);
    bench.reports(Invariant::Answered);
    let mut bench = Bench::registered();
    bench.sent(&answer);
    bench.reports(Invariant::Answered);

    // Not while it is not registered, or has no buffer left.
    let mut bench = Bench::new();
    bench.delivered(&get, &[], &[]);
    bench.is_well();
    let mut bench = Bench::registered();
    bench.gauges.usage.slots = 4;
    bench.settle();
    bench.delivered(&get, &[], &[]);
    bench.is_well();
}

#[test]
fn a_late_answer_comes_in_time() {
    let get = ask(Code::GET, 70);
    let late = message(CON, Code::CONTENT, 6, 9, &[]);
    for answered in [true, false] {
        let mut bench = Bench::registered();
        bench.delivered(&get, &[&empty(ACK, 70)], &[]);
        if answered {
            bench.at(50.0);
            bench.sent(&late);
            bench.delivered(&empty(ACK, 6), &[], &[]);
        }
        bench.at(247.0);
        bench.settle();
        if answered { bench.is_well() } else { bench.reports(Invariant::AnsweredLate) }
    }
}

#[test]
fn what_comes_twice_is_carried_out_once() {
    let (post, answer) = (ask(Code::POST, 70), message(ACK, Code::CHANGED, 70, 9, &[]));
    let done = Event::Executed { origin: Origin::Server(1), path: Path::resource(3, 0, 4) };
    let mut bench = Bench::registered();
    bench.delivered(&post, &[&answer], &[done]);
    bench.delivered(&post, &[&answer], &[]);
    bench.is_well();
    bench.at(100.0);
    bench.delivered(&post, &[&answer], &[done]);
    bench.reports(Invariant::AppliedOnce);

    // After a lifetime it is another one.
    let mut bench = Bench::registered();
    bench.delivered(&post, &[&answer], &[done]);
    bench.at(250.0);
    bench.delivered(&post, &[&answer], &[done]);
    bench.is_well();
}

#[test]
fn an_account_has_one_registration() {
    let mut bench = Bench::registered();
    bench.sent(&register(2, 2));
    bench.reports(Invariant::OneRegistration);

    let mut bench = Bench::registered();
    bench.sent(&at_location(Code::POST, 2, 2, b"8"));
    bench.reports(Invariant::OneRegistration);

    let mut bench = Bench::new();
    bench.observer.event(&Event::BootstrapStarted);
    bench.sent(&register(1, 1));
    bench.reports(Invariant::OneRegistration);

    // With a reason: the server does not know it any more, the lifetime is over, the address is another.
    let mut bench = Bench::registered();
    let update = at_location(Code::POST, 2, 2, b"7");
    bench.sent(&update);
    bench.answered(&update, &message(ACK, Code::NOT_FOUND, 2, 2, &[]));
    bench.register(3);
    bench.is_well();
    bench.weather = Weather::Bad;
    bench.at(3_700.0);
    bench.register(4);
    bench.input(&Input::AddressChanged { now: Instant::ZERO });
    bench.register(5);
    bench.is_well();
}

#[test]
fn a_notification_belongs_to_an_observation_and_is_new() {
    let observe = |id, value: &[u8]| message(CON, Code::GET, id, 8, &[(OptionNumber::OBSERVE, value)]);
    let told = |kind, id, sequence: u8| message(kind, Code::CONTENT, id, 8, &[(OptionNumber::OBSERVE, &[sequence])]);
    let observed = || {
        let mut bench = Bench::registered();
        bench.delivered(&observe(70, &[]), &[&told(ACK, 70, 1)], &[]);
        bench.delivered(&empty(ACK, 1), &[], &[]);
        bench
    };
    let mut good = observed();
    for (id, sequence) in [(11, 2), (12, 3), (13, 9)] {
        good.sent(&told(CON, id, sequence));
        good.delivered(&empty(ACK, id), &[], &[]);
    }
    good.is_well();

    let mut bench = Bench::registered();
    bench.sent(&told(NON, 11, 2));
    bench.reports(Invariant::Observation);
    for repeated in [1, 0] {
        let mut bench = observed();
        bench.sent(&told(NON, 11, repeated));
        bench.reports(Invariant::Observation);
    }
    // It ends with a Reset, and with the registration.
    let mut bench = observed();
    bench.sent(&told(NON, 11, 2));
    bench.delivered(&empty(RST, 11), &[], &[]);
    bench.sent(&told(NON, 12, 3));
    bench.reports(Invariant::Observation);
    let mut bench = observed();
    bench.input(&Input::AddressChanged { now: Instant::ZERO });
    bench.register(2);
    bench.sent(&told(NON, 12, 3));
    bench.reports(Invariant::Observation);
}

#[test]
fn nothing_follows_a_deregister_but_another_register() {
    let left = || {
        let mut bench = Bench::registered();
        bench.delivered(&ask(Code::GET, 70), &[&message(ACK, Code::CONTENT, 70, 9, &[])], &[]);
        bench.sent(&at_location(Code::DELETE, 2, 2, b"7"));
        bench.delivered(&message(ACK, Code::DELETED, 2, 2, &[]), &[], &[]);
        bench
    };
    let mut bench = left();
    // The answer of before, once more.
    bench.delivered(&ask(Code::GET, 70), &[&message(ACK, Code::CONTENT, 70, 9, &[])], &[]);
    bench.register(3);
    bench.sent(&notification(6));
    bench.is_well();

    for datagram in [notification(6), at_location(Code::POST, 6, 6, b"7")] {
        let mut bench = left();
        bench.sent(&datagram);
        bench.reports(Invariant::AfterDeregister);
    }
    let mut bench = left();
    bench.delivered(&ask(Code::GET, 71), &[&message(ACK, Code::CONTENT, 71, 9, &[])], &[]);
    bench.reports(Invariant::AfterDeregister);
}

#[test]
fn an_update_arrives_before_the_lifetime_ends() {
    let mut good = Bench::registered();
    good.at(3_000.0);
    good.update(2);
    good.at(3_700.0);
    good.settle();
    good.is_well();

    let mut bench = Bench::registered();
    bench.at(3_590.0);
    bench.settle();
    bench.is_well();
    bench.at(3_601.0);
    bench.settle();
    bench.reports(Invariant::UpdateInTime);

    // Unless something was the matter, or the device was off.
    let mut bench = Bench::registered();
    bench.at(3_400.0);
    bench.weather = Weather::Bad;
    bench.settle();
    bench.weather = Weather::Fine;
    bench.settle();
    bench.at(3_601.0);
    bench.settle();
    bench.is_well();
    let mut bench = Bench::registered();
    bench.observer.suspended();
    bench.at(3_601.0);
    bench.settle();
    bench.is_well();
}

#[test]
fn it_is_registered_again_once_all_is_well() {
    let lost = || {
        let mut bench = Bench::registered();
        bench.weather = Weather::Bad;
        bench.at(10_000.0);
        bench.settle();
        bench.weather = Weather::Fair;
        bench.settle();
        bench
    };
    let bound = Observer::bound(Duration::from_secs(10_000), Duration::from_secs(LIFETIME)).as_secs_f64();
    let mut bench = lost();
    bench.at(9_990.0 + bound);
    bench.settle();
    bench.is_well();
    bench.register(2);
    bench.at(10_010.0 + bound);
    bench.settle();
    bench.is_well();
    let mut bench = lost();
    bench.at(10_010.0 + bound);
    bench.settle();
    bench.reports(Invariant::Recovery);

    // Who was told that it is not registered need not find that out.
    let mut bench = Bench::registered();
    let update = at_location(Code::POST, 2, 2, b"7");
    bench.at(1_000.0);
    bench.sent(&update);
    bench.answered(&update, &message(ACK, Code::NOT_FOUND, 2, 2, &[]));
    bench.settle();
    bench.is_well();
    bench.at(1_610.0);
    bench.settle();
    bench.reports(Invariant::Recovery);
}

#[test]
fn a_client_that_was_stopped_or_has_no_network_is_silent() {
    let now = Instant::ZERO;
    let ping = empty(RST, 1);
    let mut bench = Bench::registered();
    bench.input(&Input::NetworkDown { now });
    bench.sent(&ping);
    bench.reports(Invariant::Silence);

    let mut bench = Bench::registered();
    bench.input(&Input::EnterFlightMode { now });
    bench.observer.event(&Event::MayProceed(Leave::FlightMode));
    bench.settle();
    bench.input(&Input::LeaveFlightMode { now });
    bench.sent(&ping);
    bench.is_well();
    bench.input(&Input::Shutdown { now });
    bench.observer.event(&Event::MayProceed(Leave::PowerOff));
    bench.settle();
    bench.input(&Input::LeaveFlightMode { now });
    bench.sent(&ping);
    bench.reports(Invariant::Silence);
}

#[test]
fn deadlines_move_forward_and_have_a_purpose() {
    let mut bench = Bench::registered();
    let clock = Instant::from_secs(5);
    bench.observer.timed_out(clock, Some(Instant::from_secs(6)));
    bench.observer.timed_out(clock, None);
    bench.is_well();
    bench.observer.timed_out(clock, Some(clock));
    bench.reports(Invariant::Deadline);

    let mut bench = Bench::registered();
    for second in 0..300 {
        bench.observer.timed_out(Instant::from_secs(second), Some(Instant::from_secs(second + 1)));
    }
    bench.reports(Invariant::Deadline);
}

#[test]
fn every_table_is_within_its_limit() {
    let full = Usage { slots: 4, exchanges: 4, deduplication: 16, deferred: 2, transfers: 2, ..Usage::default() };
    let mut bench = Bench::registered();
    bench.gauges = Gauges { usage: full, stored: 204 };
    bench.settle();
    bench.is_well();
    for gauges in [
        Gauges { usage: Usage { slots: 5, ..full }, stored: 0 },
        Gauges { usage: Usage { exchanges: 5, ..full }, stored: 0 },
        Gauges { usage: Usage { deduplication: 17, ..full }, stored: 0 },
        Gauges { usage: Usage { deferred: 3, ..full }, stored: 0 },
        Gauges { usage: Usage { transfers: 3, ..full }, stored: 0 },
        Gauges { usage: Usage { buffer_bytes: 6_000, ..full }, stored: 0 },
        Gauges { usage: full, stored: 205 },
    ] {
        let mut bench = Bench::registered();
        bench.gauges = gauges;
        bench.settle();
        bench.reports(Invariant::Limits);
    }
}
