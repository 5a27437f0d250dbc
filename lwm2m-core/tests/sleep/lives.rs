//! Random lives with sleeps in them: one that slept with its memory off goes on as one whose memory stayed on.
//!
//! What the standards want otherwise, or leave open, and what is different therefore:
//!
//! - **Sessions.** The one that slept asks for its sessions again. Its runtime says whether the server knows them still:
//!   here it does ([`Session::Resumed`]); with [`Session::New`] it would register anew. In queue mode it asks only when
//!   it has something to say, and until then a request finds nobody: its server keeps requests meanwhile (OMA LwM2M 1.0,
//!   8.3), and so does the one here.
//! - **What is on its way.** It is lost with the memory, and what it was for is done anew, under the next Message ID and a
//!   fresh token. The other one does the same when it was deaf for longer than MAX_TRANSMIT_SPAN (RFC 7252, 4.8.2). Before
//!   that it repeats the message; and after a repetition without an answer it counts a failure. Sleeps with something on
//!   its way begin before the first repetition here, and last longer than that.
//! - **A De-register on its way**, for a server that disables the device (/1/x/4), is not sent once more after a sleep:
//!   the server wanted it, and counts the device out. Here it is answered at once.
//! - **What was received.** Duplicates are not known over a sleep, bodies in blocks begin anew, and requests that wait for
//!   the application are forgotten. Servers repeat nothing here.
//! - **What was kept, and is being told.** Notifications that nobody acknowledges leave 3 s apart; a sleep ends that
//!   distance. In queue mode one that sleeps before all of them are told, which [`Client::rest`] does not let it, tells the
//!   others after its next Update; the other goes on. None sleeps there then.
//!
//! All else is the same, byte for byte and at the same moments: Message IDs and tokens too, for the counters of both are
//! in the snapshot.

use core::time::Duration;
use std::collections::{HashMap, HashSet};

use coap_codec::{Code, ContentFormat, Message, MessageType, OptionNumber};
use lwm2m_core::{Client, Config, Instant, Session, Wake};
use proptest::prelude::*;

use crate::common::{Desk, Server, secs};
use crate::snapshots::Flash;

const PATHS: [&str; 5] = ["/3/0/9", "/3/0", "/3/0/0", "/1/0/1", "/3"];

#[derive(Clone, Debug)]
enum Happens {
    Wait(Duration),
    Battery(u8),
    Observe(usize),
    Cancel(usize),
    Attributes(usize, String),
    Write(&'static str, String),
    Execute(&'static str),
    Update,
    Network(bool),
    Server(Server),
    Sleep(Duration),
}

/// Moments, minutes, and up to so many hours.
fn span(hours: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![0u64..3_000, 0u64..600_000, 0u64..hours * 3_600_000].prop_map(Duration::from_millis)
}

fn happens() -> impl Strategy<Value = Happens> {
    let path = || 0..PATHS.len();
    let attributes = prop_oneof![
        (0u32..600).prop_map(|seconds| format!("pmin={seconds}")),
        (0u32..7_200).prop_map(|seconds| format!("pmax={seconds}")),
        (0u32..100).prop_map(|level| format!("gt={level}")),
        (0u32..100).prop_map(|level| format!("lt={level}")),
        (1u32..30).prop_map(|step| format!("st={step}")),
        Just("pmin".to_string()),
        Just("st".to_string()),
    ];
    prop_oneof![
        4 => span(4).prop_map(Happens::Wait),
        6 => (0u8..=100).prop_map(Happens::Battery),
        4 => path().prop_map(Happens::Observe),
        1 => path().prop_map(Happens::Cancel),
        2 => (path(), attributes).prop_map(|(path, attributes)| Happens::Attributes(path, attributes)),
        1 => (1u32..100_000).prop_map(|seconds| Happens::Write("/1/0/1", seconds.to_string())),
        1 => any::<bool>().prop_map(|storing| Happens::Write("/1/0/6", u8::from(storing).to_string())),
        1 => any::<bool>().prop_map(|queue| Happens::Write("/1/0/7", if queue { "UQ" } else { "U" }.to_string())),
        1 => prop_oneof![Just("/1/0/4"), Just("/1/0/8"), Just("/3/0/12")].prop_map(Happens::Execute),
        2 => Just(Happens::Update),
        1 => any::<bool>().prop_map(Happens::Network),
        2 => prop_oneof![
            3 => Just(Server::Grants),
            1 => Just(Server::Silent),
            1 => Just(Server::Refuses(Code::NOT_FOUND)),
            1 => Just(Server::Refuses(Code::SERVICE_UNAVAILABLE)),
        ]
        .prop_map(Happens::Server),
        // Longer than any lifetime here.
        6 => span(100).prop_map(Happens::Sleep),
    ]
}

prop_compose! {
    fn config()(
        seed in any::<u64>(),
        lifetime in prop_oneof![Just(120), Just(700), Just(3_600), Just(86_400)],
        (queue, confirmable, spread) in any::<(bool, bool, bool)>(),
        awake in prop_oneof![Just(None), Just(Some(secs(10)))],
        stored in prop_oneof![Just(0), Just(60), Just(1_024)],
    ) -> Config {
        let mut config = Desk::config(seed, lifetime);
        config.registration.queue_mode = queue;
        config.registration.spread = spread;
        config.registration.awake = awake;
        config.confirmable_notifications = confirmable;
        config.limits.stored = stored;
        config
    }
}

/// A desk, and how far its clock is ahead of the other's.
#[derive(Clone)]
struct Life {
    desk: Desk,
    ahead: Duration,
    is_up: bool,
    /// Whether it has ever been in queue mode.
    queues: bool,
    boots: u64,
}

impl Life {
    fn new(config: Config) -> Self {
        let queues = config.registration.queue_mode;
        let mut desk = Desk::new(config);
        desk.client.network_up(desk.now);
        desk.drain();
        Self { queues, desk, ahead: Duration::ZERO, is_up: true, boots: 0 }
    }

    /// Whether a server sends a request now: not while it believes that the device sleeps, or has left.
    fn is_reachable(&self) -> bool {
        self.is_up && !self.is_asleep() && self.desk.client.is_registered(self.desk.now, 1)
    }

    fn live(&mut self, what: &Happens, reachable: bool) {
        let Self { desk, .. } = self;
        let now = desk.now;
        match what {
            Happens::Wait(duration) => desk.pass(*duration),
            Happens::Battery(level) => desk.battery(*level),
            Happens::Update => drop(desk.client.update(now, 1)),
            Happens::Network(true) => desk.client.network_up(now),
            Happens::Network(false) => desk.client.network_down(now),
            Happens::Server(server) => desk.server = *server,
            Happens::Sleep(_) => {}
            _ if !reachable => {}
            Happens::Observe(path) | Happens::Cancel(path) => {
                let observe = u32::from(matches!(what, Happens::Cancel(_)));
                // One token for each path.
                let mut request = desk.request(Code::GET, PATHS[*path], |writer| writer.observe(observe).unwrap());
                request[4..6].copy_from_slice(&[0xFF, *path as u8]);
                desk.receive(&request);
            }
            Happens::Attributes(path, attributes) => {
                let request = desk.request(Code::PUT, PATHS[*path], |writer| {
                    writer.option(OptionNumber::URI_QUERY, attributes.as_bytes()).unwrap();
                });
                desk.receive(&request);
            }
            Happens::Write(path, text) => {
                let request = desk.request(Code::PUT, path, |writer| {
                    writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
                    writer.payload(text.as_bytes()).unwrap();
                });
                desk.receive(&request);
            }
            // Its De-register is answered at once here.
            Happens::Execute("/1/0/4") if desk.client.usage().exchanges > 0 || desk.server == Server::Silent => {}
            Happens::Execute(path) => {
                let request = desk.request(Code::POST, path, |_| ());
                desk.receive(&request);
            }
        }
        self.queues |= matches!(what, Happens::Write("/1/0/7", _));
        if let Happens::Network(up) = what {
            self.is_up = *up;
        }
        self.desk.drain();
        self.desk.timeout();
    }

    /// The memory stays on, and nobody calls.
    fn doze(&mut self, duration: Duration) {
        let since = self.desk.now;
        self.desk.now = since + duration;
        self.desk.client.was_unreachable(self.desk.now, since);
        self.desk.drain();
        self.desk.timeout();
    }

    /// The memory goes off, and the clock begins anew.
    fn sleep(&mut self, duration: Duration) {
        self.desk.drain();
        let flash = self.snapshot();
        let woke = self.desk.now + duration;
        let boot = Instant::from_secs(self.boots % 3);
        self.boots += 1;
        // The other's time, minus this one's.
        self.ahead += woke.saturating_duration_since(boot);
        self.desk.now = boot;
        let config = self.desk.client.config().clone();
        self.desk.client = Client::restore(config, &flash, boot, Wake::Sleep { elapsed: duration }).unwrap();
        (self.desk.peer, self.desk.session) = (None, Session::Resumed);
        self.desk.drain();
        self.desk.timeout();
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut flash = vec![0; 8_192];
        let len = self.desk.client.snapshot(self.desk.now, &mut flash).unwrap();
        flash.truncate(len);
        flash
    }

    fn is_quiet(&self) -> bool {
        self.desk.client.usage().exchanges == 0
    }

    fn is_asleep(&self) -> bool {
        self.desk.client.rest_of(self.desk.now, 1).is_some_and(|rest| rest.from <= self.desk.now)
    }

    /// Whether what is on its way keeps it from a sleep here: it was repeated, or more is to come.
    fn is_held(&self) -> bool {
        if self.queues && self.desk.client.stored_notifications() > 0 && !self.is_asleep() {
            return true;
        }
        let mut sent = self.desk.sent.iter().rev().map(|(.., datagram)| datagram);
        let last = sent.find(|datagram| Message::parse(datagram).unwrap().message_type() == MessageType::Confirmable);
        !self.is_quiet() && sent.any(|datagram| Some(datagram) == last)
    }
}

/// What was sent from there on, by a common clock.
fn told(life: &Life, from: usize, ahead: &[(usize, Duration)]) -> Vec<(Instant, Vec<u8>)> {
    let sent = life.desk.sent.iter().enumerate().skip(from);
    let shift =
        |index: usize| ahead.iter().rev().find(|(first, _)| *first <= index).map_or(Duration::ZERO, |(_, by)| *by);
    sent.map(|(index, (at, _, datagram))| (*at + shift(index), datagram.clone())).collect()
}

/// `PROPTEST_CASES` lives more lives.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24);
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// What a life has before its last thing happens, and after it.
fn before_and_after(config: Config, what: &[Happens]) -> (Life, Life) {
    let mut life = Life::new(config);
    let mut before = life.clone();
    for happens in what {
        before = life.clone();
        match happens {
            Happens::Sleep(duration) => life.sleep(*duration),
            _ => life.live(happens, life.is_reachable()),
        }
    }
    (before, life)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_power_cut_at_any_byte_leaves_the_old_state_or_the_new_one(
        config in config(),
        what in proptest::collection::vec(happens(), 1..12),
    ) {
        let (before, after) = before_and_after(config.clone(), &what);
        let [old, new] = [&before, &after].map(Life::snapshot);
        let mut flash = Flash::new(config);
        flash.write(&old, usize::MAX);
        for cut in 0..new.len() + 4 {
            let mut flash = flash.clone();
            flash.write(&new, cut);
            let left = flash.newest().map(|(.., bytes)| bytes);
            // All but the count are length and bytes: it comes last.
            let expected = if cut > new.len() + 2 { &new } else { &old };
            prop_assert!(left == Some(&expected[..]) || old == new, "cut after {cut} B");
        }
    }

    #[test]
    fn who_slept_goes_on_as_who_stayed_awake(config in config(), what in proptest::collection::vec(happens(), 1..40)) {
        let mut awake = Life::new(config);
        let mut slept = awake.clone();
        let (mut ahead, mut seen) = (Vec::new(), 0);
        for (index, happens) in what.iter().enumerate() {
            if let Happens::Sleep(duration) = happens {
                if awake.is_held() {
                    continue;
                }
                let duration = if awake.is_quiet() { *duration } else { *duration + secs(46) };
                // What was kept and is not acknowledged keeps its distance.
                let duration = duration + secs(3);
                awake.doze(duration);
                let first = slept.desk.sent.len();
                slept.sleep(duration);
                ahead.push((first, slept.ahead));
            } else {
                let reachable = awake.is_reachable();
                prop_assert_eq!(reachable, slept.is_reachable(), "{} {:?}", index, happens);
                awake.live(happens, reachable);
                slept.live(happens, reachable);
            }
            prop_assert_eq!(told(&awake, seen, &[]), told(&slept, seen, &ahead), "{}: {:?}", index, happens);
            seen = awake.desk.sent.len();
        }
        prop_assert_eq!(awake.desk.now, slept.desk.now + slept.ahead);
    }

    #[test]
    fn no_number_and_no_token_is_used_twice_however_often_it_sleeps(
        config in config(),
        what in proptest::collection::vec(happens(), 1..40),
    ) {
        let mut life = Life::new(config);
        let mut ahead = Vec::new();
        for happens in &what {
            if let Happens::Sleep(duration) = happens {
                let first = life.desk.sent.len();
                // Whatever is on its way.
                life.sleep(*duration);
                ahead.push((first, life.ahead));
            } else {
                let reachable = life.is_reachable();
                life.live(happens, reachable);
            }
        }
        let lifetime = life.desk.client.config().transmission.exchange_lifetime();
        let mut numbers: HashMap<u16, (Instant, Vec<u8>)> = HashMap::new();
        let mut tokens = HashSet::new();
        for (at, datagram) in told(&life, 0, &ahead) {
            let message = Message::parse(&datagram).unwrap();
            if matches!(message.message_type(), MessageType::Acknowledgement | MessageType::Reset) {
                continue;
            }
            let known = numbers.insert(message.message_id().0, (at, datagram.clone()));
            let repeated = known.as_ref().is_some_and(|(_, before)| *before == datagram);
            if let Some((before, _)) = known.filter(|_| !repeated) {
                prop_assert!(at.saturating_duration_since(before) >= lifetime, "{:?} at {at}", message.message_id());
            }
            if message.code().is_request() && !repeated {
                prop_assert!(tokens.insert(message.token().as_bytes().to_vec()), "{:?} at {at}", message.token());
            }
        }
    }
}
