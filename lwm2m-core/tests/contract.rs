//! The contract of the client's interface, held against random lives: same inputs, same bytes;
//! deadlines move forward; events are news only; clocks may step and jump.

mod common;

use core::time::Duration;

use coap_codec::{Code, ContentFormat, Message, OptionNumber};
use common::{BATTERY, Desk, Server, nothing, secs};
use lwm2m_core::{Client, Event, Instant, Leave, Output, Session, Wake};
use proptest::prelude::*;

/// Something that may happen to a client.
#[derive(Clone, Debug)]
enum Happens {
    Wait(u64),
    Read,
    /// With a Minimum and a Maximum Period, or without.
    Observe(bool),
    WriteLifetime(u32),
    Execute,
    Trigger,
    Battery(u8),
    Update,
    NetworkDown,
    NetworkUp,
    AddressChanged,
    Flight(bool),
    Server(Server),
    Noise(Vec<u8>),
    /// A Read of a resource by multicast.
    Multicast,
    /// Disable, for so many seconds.
    Disable(u32),
    /// Whether sessions can be made from now on.
    Connects(bool),
    /// The runtime says that a session broke.
    Breaks,
    /// A session is made that nobody asked for any more.
    LateSession,
    /// A sleep with the memory off, in seconds.
    Sleep(u64),
    /// The radio sleeps alone, after it was said perhaps.
    Doze(u64, bool),
    /// Whether the server wants queue mode.
    Queue(bool),
    /// Whether the server wants to be told later what would have been told (/1/x/6).
    Storing(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (0u64..100_000).prop_map(Happens::Wait),
        4 => (0u64..20_000_000).prop_map(|millis| Happens::Wait(millis / 1_000 * 1_000)),
        2 => Just(Happens::Read),
        2 => any::<bool>().prop_map(Happens::Observe),
        1 => (0u32..100_000).prop_map(Happens::WriteLifetime),
        1 => Just(Happens::Execute),
        1 => Just(Happens::Trigger),
        3 => (0u8..=100).prop_map(Happens::Battery),
        1 => Just(Happens::Update),
        1 => Just(Happens::NetworkDown),
        2 => Just(Happens::NetworkUp),
        1 => Just(Happens::AddressChanged),
        1 => any::<bool>().prop_map(Happens::Flight),
        1 => prop_oneof![
            3 => Just(Server::Grants),
            1 => Just(Server::Silent),
            1 => Just(Server::Refuses(Code::NOT_FOUND)),
            1 => Just(Server::Refuses(Code::SERVICE_UNAVAILABLE)),
        ]
        .prop_map(Happens::Server),
        1 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Happens::Noise),
        2 => Just(Happens::Multicast),
        1 => (0u32..5_000).prop_map(Happens::Disable),
        1 => any::<bool>().prop_map(Happens::Connects),
        1 => Just(Happens::Breaks),
        1 => Just(Happens::LateSession),
        1 => (0u64..10_000).prop_map(Happens::Sleep),
        1 => (0u64..10_000, any::<bool>()).prop_map(|(seconds, plans)| Happens::Doze(seconds, plans)),
        1 => any::<bool>().prop_map(Happens::Queue),
        1 => any::<bool>().prop_map(Happens::Storing),
    ]
}

impl Desk {
    fn live(&mut self, what: &Happens) {
        let now = self.now;
        let Self { client, model, .. } = self;
        match what {
            Happens::Wait(millis) => self.pass(Duration::from_millis(*millis)),
            Happens::Read => {
                let request = self.request(Code::GET, "/3/0", nothing);
                self.receive(&request);
            }
            Happens::Observe(periods) => {
                let query: &[u8] = if *periods { b"pmin=20&pmax=300" } else { b"pmin&pmax" };
                let attributes = self.request(Code::PUT, "/3/0/9", |writer| {
                    query
                        .split(|byte| *byte == b'&')
                        .for_each(|one| writer.option(OptionNumber::URI_QUERY, one).unwrap());
                });
                self.receive(&attributes);
                let request = self.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
                self.receive(&request);
            }
            Happens::WriteLifetime(seconds) => {
                let request = self.request(Code::PUT, "/1/0/1", |writer| {
                    writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
                    writer.payload(seconds.to_string().as_bytes()).unwrap();
                });
                self.receive(&request);
            }
            Happens::Execute => {
                let request = self.request(Code::POST, "/3/0/12", nothing);
                self.receive(&request);
            }
            Happens::Trigger => {
                let request = self.request(Code::POST, "/1/0/8", nothing);
                self.receive(&request);
            }
            Happens::Battery(level) => {
                model.inner.battery_level = Some(*level);
                client.notify(now, BATTERY, model);
            }
            Happens::Update => {
                let _ = client.update(now, 1);
            }
            Happens::NetworkDown => client.network_down(now),
            Happens::NetworkUp => client.network_up(now),
            Happens::AddressChanged => {
                client.address_changed(now);
                self.session = Session::Moved;
            }
            Happens::Flight(true) => client.enter_flight_mode(now),
            Happens::Flight(false) => client.leave_flight_mode(now),
            Happens::Multicast => {
                let mut request = self.request(Code::GET, "/3/0/9", nothing);
                // Not confirmable.
                request[0] |= 0x10;
                let peer = self.server_peer();
                self.client.handle_multicast(now, peer, &request, &mut self.model);
                self.drain();
            }
            Happens::Server(server) => self.server = *server,
            Happens::Disable(seconds) => {
                let timeout = self.request(Code::PUT, "/1/0/5", |writer| {
                    writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
                    writer.payload(seconds.to_string().as_bytes()).unwrap();
                });
                self.receive(&timeout);
                let disable = self.request(Code::POST, "/1/0/4", nothing);
                self.receive(&disable);
            }
            Happens::Connects(connects) => self.connects = *connects,
            Happens::Breaks => {
                if let Some(peer) = self.peer {
                    client.connection_failed(now, peer);
                }
            }
            Happens::LateSession => {
                if let Some(peer) = self.peer {
                    client.connected(now, peer, Session::Resumed, model);
                }
            }
            Happens::Sleep(seconds) => {
                let mut flash = [0; 1_024];
                let len = client.snapshot(now, &mut flash).unwrap();
                let wake = Wake::Sleep { elapsed: secs(*seconds) };
                self.now = now + secs(*seconds);
                *client = Client::restore(client.config().clone(), &flash[..len], self.now, wake).unwrap();
                self.peer = None;
            }
            Happens::Doze(seconds, plans) => {
                if *plans {
                    client.will_be_unreachable(now, now + secs(*seconds));
                    self.pass(secs(5));
                }
                let since = self.now;
                self.now = since + secs(*seconds);
                self.client.was_unreachable(self.now, since);
            }
            Happens::Queue(queue) => {
                let request = self.request(Code::PUT, "/1/0/7", |writer| {
                    writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
                    writer.payload(if *queue { b"UQ" } else { b"U" }).unwrap();
                });
                self.receive(&request);
            }
            Happens::Storing(storing) => {
                let request = self.request(Code::PUT, "/1/0/6", |writer| {
                    writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
                    writer.payload(if *storing { b"1" } else { b"0" }).unwrap();
                });
                self.receive(&request);
            }
            Happens::Noise(bytes) => {
                if let Some(peer) = self.peer {
                    client.handle_datagram(now, peer, bytes, model);
                }
            }
        }
        self.drain();
    }
}

/// 64 lives for each property, or as many as the environment says.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(cases())]

    // `Desk::timeout` asserts after each call that the next deadline is later.
    #[test]
    fn deadlines_move_forward_whatever_happens(life in proptest::collection::vec(happens(), 1..60)) {
        let mut desk = Desk::registered(Desk::config(1, 3_600));
        life.iter().for_each(|what| desk.live(what));
    }

    #[test]
    fn the_same_key_and_inputs_give_the_same_bytes(life in proptest::collection::vec(happens(), 1..60), seed: u64) {
        let run = || {
            let mut desk = Desk::registered(Desk::config(seed, 3_600));
            life.iter().for_each(|what| desk.live(what));
            (desk.sent, desk.events)
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn events_that_nobody_reads_change_no_datagram(life in proptest::collection::vec(happens(), 1..60)) {
        let run = |polls_events| {
            let mut desk = Desk::new(Desk::config(1, 3_600));
            desk.polls_events = polls_events;
            desk.client.network_up(desk.now);
            desk.drain();
            life.iter().for_each(|what| desk.live(what));
            desk.sent
        };
        prop_assert_eq!(run(true), run(false));
    }

    #[test]
    fn early_timeouts_are_harmless(life in proptest::collection::vec(happens(), 1..40)) {
        let run = |eager: bool| {
            let mut desk = Desk::registered(Desk::config(1, 3_600));
            for what in &life {
                desk.live(what);
                // What is due now is due for both.
                if desk.client.poll_timeout().is_some_and(|deadline| deadline <= desk.now) {
                    desk.timeout();
                }
                for _ in 0..3 {
                    if eager {
                        desk.timeout();
                    }
                }
            }
            desk.sent
        };
        prop_assert_eq!(run(true), run(false));
    }

    // After a life of any kind, once network and server are well, the client is registered again.
    #[test]
    fn it_always_comes_back(life in proptest::collection::vec(happens(), 1..60)) {
        let mut desk = Desk::registered(Desk::config(1, 3_600));
        life.iter().for_each(|what| desk.live(what));
        desk.server = Server::Grants;
        desk.connects = true;
        desk.client.leave_flight_mode(desk.now);
        desk.client.network_up(desk.now);
        // The longest pause between tries is a day, stretched by half.
        desk.pass(secs(36 * 3_600 + 100));
        prop_assert!(desk.client.is_registered(desk.now, 1), "{:?}", desk.events);
    }

    /// A clock that steps back at will: every Update still arrives within the lifetime, counted in
    /// the time that passed, and no more of them than without the steps.
    #[test]
    fn a_clock_that_steps_back_loses_no_update(steps in proptest::collection::vec((1u64..4_000, 0u64..1_000_000), 1..20)) {
        let lifetime = 3_600;
        let mut desk = Desk::registered(Desk::config(1, lifetime as u32));
        // The embedder's clock: true time minus all that it stepped back.
        let start = desk.now;
        let (mut truth, mut shown) = (start, start);
        let mut updates = vec![truth];
        let mut pass = |desk: &mut Desk, truth: &mut Instant, shown: &mut Instant, seconds: u64| {
            let end = *truth + secs(seconds);
            while let Some(deadline) = desk.client.poll_timeout() {
                let wait = deadline.saturating_duration_since(*shown);
                if *truth + wait > end {
                    break;
                }
                *truth = *truth + wait;
                *shown = *shown + wait;
                desk.now = *shown;
                desk.sent.clear();
                desk.timeout();
                let before = updates.len();
                updates.extend(desk.messages(0).iter().filter(|message| message.code() == Code::POST).map(|_| *truth));
                assert!(updates.len() <= before + 1, "a storm");
            }
            *shown = *shown + end.saturating_duration_since(*truth);
            *truth = end;
        };
        for (seconds, back) in steps {
            pass(&mut desk, &mut truth, &mut shown, seconds);
            // The client can only see a step from one call to the next.
            desk.now = shown;
            desk.timeout();
            shown = shown.saturating_sub(secs(back));
            desk.now = shown;
            desk.timeout();
        }
        pass(&mut desk, &mut truth, &mut shown, 4_000);
        for pair in updates.windows(2) {
            let gap = pair[1].saturating_duration_since(pair[0]);
            prop_assert!(gap < secs(lifetime), "{gap:?} between updates");
            prop_assert!(gap >= secs(lifetime / 2), "{gap:?} between updates");
        }
        prop_assert!(updates.len() > 1);
    }

    #[test]
    fn a_clock_that_jumps_ahead_starts_no_storm(jump in 1u64..100_000_000) {
        let mut desk = Desk::registered(Desk::config(1, 3_600));
        let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
        desk.receive(&observe);
        desk.server = Server::Silent;
        desk.model.inner.battery_level = Some(1);
        desk.client.notify(desk.now, BATTERY, &mut desk.model);
        desk.drain();
        desk.sent.clear();
        desk.now = desk.now + secs(jump);
        desk.timeout();
        prop_assert!(desk.sent.len() <= 2, "{} datagrams at once", desk.sent.len());
        desk.server = Server::Grants;
        desk.pass(secs(36 * 3_600));
        prop_assert!(desk.client.is_registered(desk.now, 1));
    }
}

// The answer at leisure wakes the server, and a notification that was due meanwhile is due at once.
#[test]
fn what_is_due_once_a_message_has_woken_a_server_is_sent_with_it() {
    for wait in 290..305 {
        let mut desk = Desk::registered(Desk::config(1, 3_600));
        let life = [Happens::Queue(true), Happens::Observe(true), Happens::Wait(wait * 1_000), Happens::Multicast];
        life.iter().for_each(|what| desk.live(what));
        desk.pass(secs(10));
    }
}

#[test]
fn a_stopped_client_is_silent() {
    let mut desk = Desk::registered(Desk::config(1, 3_600));
    desk.client.shutdown(desk.now);
    desk.drain();
    assert!(desk.events.contains(&Event::MayProceed(Leave::PowerOff)));
    let last = desk.messages(desk.sent.len() - 1)[0];
    assert_eq!(last.code(), Code::DELETE);
    desk.sent.clear();
    desk.client.network_down(desk.now);
    desk.client.network_up(desk.now);
    desk.client.leave_flight_mode(desk.now);
    desk.client.enter_flight_mode(desk.now);
    assert!(desk.client.update(desk.now, 1).is_err());
    desk.pass(secs(1_000_000));
    assert_eq!(desk.sent, []);
    assert_eq!(desk.client.poll_timeout(), None);
}

/// What the compiler can promise.
#[test]
fn a_session_that_is_given_up_before_the_runtime_has_heard_of_it_is_not_asked_for() {
    let mut client = Client::new(Desk::config(1, 3_600), Instant::ZERO).unwrap();
    client.network_up(Instant::ZERO);
    client.shutdown(Instant::ZERO);
    assert!(matches!(client.poll_output(), Some(Output::Disconnect { .. })), "nothing else is left to say");
    assert_eq!(client.poll_output(), None);
}

#[test]
fn clients_and_their_parts_may_be_sent_to_other_threads_and_shared_with_them() {
    fn shared<T: Send + Sync + Unpin + Clone + core::fmt::Debug + Eq + core::hash::Hash>() {}
    fn news<T: Send + Sync + Unpin + Clone + core::fmt::Debug + PartialEq>() {}
    fn error<T: core::error::Error + Send + Sync + Copy + Eq + 'static>() {}
    shared::<Client>();
    shared::<lwm2m_core::Config>();
    shared::<lwm2m_core::exchange::Endpoint>();
    shared::<lwm2m_core::exchange::Reply>();
    shared::<lwm2m_core::Statistics>();
    shared::<lwm2m_core::Path>();
    shared::<lwm2m_core::Key>();
    news::<Event>();
    news::<lwm2m_core::objects::Device>();
    news::<lwm2m_core::objects::Location>();
    error::<lwm2m_core::ArgsError>();
    error::<lwm2m_core::CommandError>();
    error::<lwm2m_core::ConfigError>();
    error::<lwm2m_core::PathError>();
    error::<lwm2m_core::SnapshotError>();
    error::<lwm2m_core::Stop>();
    error::<lwm2m_core::exchange::SendError>();
}

#[test]
fn a_client_can_be_cloned_and_both_go_the_same_way() {
    let mut one = Desk::registered(Desk::config(1, 3_600));
    let mut two = one.clone();
    one.pass(secs(10_000));
    two.pass(secs(10_000));
    assert_eq!(one.sent, two.sent);
    assert_eq!(one.client, two.client);
}

#[test]
fn updates_of_many_devices_are_spread() {
    let mut bins = [0u32; 12];
    for seed in 0..2_000 {
        let mut desk = Desk::registered(Desk::config(seed, 86_400));
        let start = desk.now;
        desk.sent.clear();
        desk.pass(secs(86_400 - 250));
        let (at, _, datagram) = desk.sent.first().expect("an update within the lifetime");
        assert_eq!(Message::parse(datagram).unwrap().code(), Code::POST);
        bins[(at.saturating_duration_since(start).as_secs() - 43_200) as usize * 12 / 42_951] += 1;
    }
    assert!(bins.iter().all(|count| (110..230).contains(count)), "{bins:?}");
}
