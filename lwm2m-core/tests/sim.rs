//! Whole lives of a terminal, told on the simulator.
#![allow(missing_docs, reason = "a test")]

use std::time::Duration;

use coap_codec::{Code, ContentFormat};
use endpoint_name::EndpointName;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{
    Accepts, Answering, Ask, Conditions, Direction, DmServer, Entry, Fate, Interface, NoAnswer, OperationId, Sim,
    Status, Tlv, What, WriteMode,
};
use lwm2m_core::{
    Args, Change, Config, Credentials, Ctx, DataModel, Event, Key, Leaf, Leave, ObjectDef, Origin, Path, Reason,
    Refusal, Sink, Ticket,
};

const NAME: &str = "490154203237518;460001234567890;;1.0";
const BATTERY: Path = Path::resource(3, 0, 9);
const REBOOT: Path = Path::resource(3, 0, 4);
const DAY: Duration = Duration::from_secs(86_400);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn dm(seed: u64) -> Config {
    Config::dm(EndpointName::parse(NAME).unwrap(), Key::from_seed(seed))
}

fn device() -> Device {
    let mut device = Device::new("Example Works", "TM-1");
    device.battery_level = Some(80);
    device
}

/// A terminal that knows a bootstrap server, switched on, without network.
fn terminal(seed: u64) -> Sim<Device> {
    Sim::new(dm(seed).bootstrap_server("coap://bs.example", Credentials::NoSec), device(), seed)
}

/// The same, bootstrapped and registered.
fn registered(seed: u64) -> Sim<Device> {
    let mut sim = terminal(seed);
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registration().is_some()));
    sim.run_for(secs(1));
    sim
}

fn server<M: DataModel>(sim: &Sim<M>) -> &DmServer {
    &sim.platform.servers[0]
}

fn server_mut<M: DataModel>(sim: &mut Sim<M>) -> &mut DmServer {
    &mut sim.platform.servers[0]
}

fn news<M: DataModel>(sim: &Sim<M>) -> Vec<Event> {
    sim.events().map(|(_, event)| event).collect()
}

fn happened<M: DataModel>(sim: &Sim<M>, event: Event) -> usize {
    sim.events().filter(|(_, known)| *known == event).count()
}

/// What became of every datagram, with its number.
fn fates<M: DataModel>(sim: &Sim<M>) -> Vec<(usize, Fate)> {
    let fate = |entry: &Entry| match entry.what {
        What::Datagram { number, fate, .. } => Some((number, fate)),
        _ => None,
    };
    sim.trace.entries.iter().filter_map(fate).collect()
}

#[track_caller]
fn nobody_complains<M: DataModel>(sim: &Sim<M>) {
    let complaints: Vec<_> = sim.platform.complaints().collect();
    assert!(complaints.is_empty(), "{complaints:?}\n{}", sim.trace);
}

/// Asks until it is answered: with loss, one request in some hundreds gets through in none of its
/// five tries.
#[track_caller]
fn insist<M: DataModel>(sim: &mut Sim<M>, operation: impl Fn(&mut DmServer) -> OperationId) -> (Code, String) {
    for _ in 0..5 {
        let answer = sim.ask(0, &operation);
        if let Ok(response) = &answer.result {
            return (response.code, response.text().to_string());
        }
        // Until the device is online again, if that was the reason.
        sim.run_until(secs(3_600), |sim| server(sim).registration().is_some());
    }
    panic!("no answer in five times\n{}", sim.trace);
}

// ----- the whole life ---------------------------------------------------------------------------

#[test]
fn from_the_first_network_to_power_off() {
    let mut sim = terminal(1);
    sim.run_for(DAY);
    assert_eq!(sim.trace.entries, [], "nothing happens without a network");

    sim.network_up();
    sim.run_for(secs(1));
    let online = server(&sim).registration().unwrap();
    assert_eq!((online.endpoint.as_str(), online.lifetime, online.binding.as_str()), (NAME, 86_400, "U"));
    assert_eq!(online.version, "1.0");
    assert_eq!(online.location[0], "rd");
    assert!(sim.client.location(1).eq(online.location.iter().map(String::as_bytes)));
    assert_eq!(online.links.iter().map(|link| link.target.as_str()).collect::<Vec<_>>(), ["/1/0", "/3/0"]);

    let read = sim.ask(0, |server| server.read(BATTERY, None));
    assert_eq!((read.response().code, read.response().text()), (Code::CONTENT, "80"));
    let whole = sim.ask(0, |server| server.read(Path::instance(3, 0), Some(ContentFormat::LWM2M_TLV)));
    let whole = whole.response().tlv().unwrap();
    assert_eq!(whole.iter().find(|node| node.id() == 9).unwrap().integer(), Some(80));

    let observation = server_mut(&mut sim).observe(BATTERY, None);
    sim.run_for(secs(1));
    assert_eq!(server(&sim).answer(observation).unwrap().response().text(), "80");
    sim.model.battery_level = Some(79);
    sim.notify(BATTERY);
    sim.run_for(secs(1));
    assert_eq!(server(&sim).notifications(observation)[0].response.text(), "79");

    let executed = sim.ask(0, |server| server.execute(REBOOT, ""));
    assert_eq!(executed.code(), Some(Code::CHANGED));
    assert!(sim.model.take_action().is_some());

    sim.run_for(DAY);
    assert_eq!(server(&sim).updates_seen(), 1);

    sim.enter_flight_mode();
    sim.run_for(secs(1));
    assert!(server(&sim).registration().is_none());
    sim.run_for(DAY);
    sim.leave_flight_mode();
    sim.run_for(secs(1));
    assert!(server(&sim).registration().is_some());
    assert_eq!(sim.platform.bootstrap.requests_seen(), 1, "no bootstrap after flight mode");

    sim.shutdown();
    sim.run_for(DAY);
    let statuses: Vec<_> = server(&sim).history().iter().map(|change| change.status).collect();
    let (on, off) = (Status::Registered, Status::Deregistered);
    assert_eq!(statuses, [on, off, on, off]);
    let (origin, one) = (Origin::Server(1), 1);
    assert_eq!(
        news(&sim)
            .iter()
            .filter(|event| !matches!(event, Event::Deleted { .. } | Event::Written { .. }))
            .copied()
            .collect::<Vec<_>>(),
        [
            Event::BootstrapStarted,
            Event::BootstrapFinished,
            Event::Registered { server: one, lifetime: 86_400 },
            Event::Read { origin, path: BATTERY },
            Event::Read { origin, path: Path::instance(3, 0) },
            Event::Observed { server: one, path: BATTERY },
            Event::Notified { server: one, path: BATTERY },
            Event::Executed { origin, path: REBOOT },
            Event::Updated { server: one },
            Event::Deregistered { server: one, unconfirmed: None },
            Event::MayProceed(Leave::FlightMode),
            Event::Registered { server: one, lifetime: 86_400 },
            Event::Deregistered { server: one, unconfirmed: None },
            Event::MayProceed(Leave::PowerOff),
        ]
    );
    nobody_complains(&sim);
}

/// The same life where a fifth of the datagrams is lost, a fifth comes twice and a tenth too late.
fn life_on_a_bad_network(seed: u64) -> Sim<Counter> {
    let config = dm(seed).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, Counter { device: device(), executed: 0 }, seed);
    sim.network.lose(200);
    sim.network.duplicate(200);
    for conditions in [&mut sim.network.to_server, &mut sim.network.to_device] {
        conditions.jitter = Duration::from_millis(300);
        conditions.reordering = 100;
    }
    sim.network_up();
    assert!(sim.run_until(DAY, |sim| server(sim).registration().is_some()), "{}", sim.trace);

    assert_eq!(insist(&mut sim, |server| server.read(BATTERY, None)), (Code::CONTENT, "80".into()));
    let before = sim.model.executed;
    let executed = sim.ask(0, |server| server.execute(REBOOT, ""));
    let times = sim.model.executed - before;
    assert!(times == 1 || (times == 0 && executed.code().is_none()), "{times} times, {executed:?}\n{}", sim.trace);

    insist(&mut sim, |server| server.observe(BATTERY, None));
    for level in [79, 78, 77] {
        sim.model.device.battery_level = Some(level);
        sim.notify(BATTERY);
        sim.run_for(secs(300));
    }
    // A notification that was repeated in vain ends its observation (RFC 7641, section 4.5).
    if happened(&sim, Event::ObservationCancelled { server: 1, path: BATTERY }) == 0 {
        let observation = server(&sim).observations().iter().rfind(|observation| observation.active).unwrap();
        assert_eq!(observation.newest().unwrap().response.text(), "77", "seed {seed}\n{}", sim.trace);
    }
    for _ in 0..3 {
        sim.run_for(DAY);
        assert!(server(&sim).registration().is_some(), "{}", sim.trace);
    }
    sim.enter_flight_mode();
    sim.run_for(secs(100));
    assert_eq!(happened(&sim, Event::MayProceed(Leave::FlightMode)), 1);
    sim.leave_flight_mode();
    sim.run_for(DAY);
    assert!(server(&sim).registration().is_some());
    sim.shutdown();
    sim.run_for(secs(100));
    assert_eq!(happened(&sim, Event::MayProceed(Leave::PowerOff)), 1);
    let silence = sim.trace.datagrams(Direction::ToServer);
    sim.run_for(2 * DAY);
    assert_eq!(sim.trace.datagrams(Direction::ToServer), silence);
    nobody_complains(&sim);
    sim
}

#[test]
fn the_same_life_on_a_bad_network() {
    for seed in 0..20 {
        let sim = life_on_a_bad_network(seed);
        let counts = sim.network.counts();
        assert!(counts.lost > 0 && counts.duplicated > 0 && counts.reordered > 0, "{counts:?}");
    }
}

#[test]
fn the_same_seed_and_calls_give_the_same_trace() {
    let [one, same, other] = [7, 7, 8].map(|seed| life_on_a_bad_network(seed).trace);
    assert_eq!(one, same);
    assert_eq!(one.to_string(), same.to_string());
    assert_ne!(one, other);
}

#[test]
fn bits_that_flip_and_ends_that_fall_off_stop_nobody() {
    let mut damaged = (0, 0);
    for seed in 0..10 {
        // A bootstrap may write nonsense then; that it goes on living is all that is asked.
        for mut sim in [terminal(seed), registered(seed)] {
            let was_registered = server(&sim).registration().is_some();
            for conditions in [&mut sim.network.to_server, &mut sim.network.to_device] {
                conditions.corruption = 200;
                conditions.truncation = 100;
            }
            sim.network_up();
            for _ in 0..20 {
                sim.ask(0, |server| server.read(BATTERY, None));
                sim.run_for(secs(3_600));
            }
            let counts = sim.network.counts();
            damaged = (damaged.0 + counts.corrupted, damaged.1 + counts.truncated);
            // Once the network is clean, an Update or the lifetime's end puts everything right.
            sim.network.set(Conditions::GOOD);
            sim.run_for(3 * DAY);
            let online = server(&sim).registrations().iter().any(|registered| registered.endpoint == NAME);
            assert!(online || !was_registered, "seed {seed}\n{}", sim.trace);
        }
    }
    assert!(damaged.0 > 100 && damaged.1 > 50, "{damaged:?}");
}

// ----- bootstrap --------------------------------------------------------------------------------

#[test]
fn a_bootstrap_server_that_refuses_is_asked_again_after_a_pause() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.accepts = Accepts::Nobody(Code::BAD_REQUEST);
    sim.network_up();
    sim.run_for(secs(59));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Code(Code::BAD_REQUEST) }), 1);
    assert_eq!(sim.platform.bootstrap.requests_seen(), 1);
    sim.run_for(secs(31));
    assert_eq!(sim.platform.bootstrap.requests_seen(), 2);
    sim.platform.bootstrap.accepts = Accepts::Only(vec![NAME.to_string()]);
    sim.run_for(secs(181));
    assert!(server(&sim).registration().is_some());
}

#[test]
fn a_bootstrap_server_that_stops_half_way_leaves_no_trace() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.stops_after = Some(2);
    sim.network_up();
    sim.run_for(secs(240));
    assert_eq!(sim.client.servers().count(), 0, "Server was not written yet");
    sim.run_for(secs(10));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Abandoned }), 1);
    sim.platform.bootstrap.stops_after = None;
    sim.run_for(secs(91));
    assert_eq!(sim.platform.bootstrap.finished(), 1);
    assert!(server(&sim).registration().is_some());
}

#[test]
fn a_bootstrap_that_says_everything_twice_is_a_bootstrap() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.repeats = true;
    sim.platform.bootstrap.answering = Answering::Separate(secs(1));
    sim.network_up();
    sim.run_for(secs(10));
    assert_eq!(sim.platform.bootstrap.answers().len(), 7);
    assert!(sim.platform.bootstrap.answers().iter().all(|answer| answer.result.as_ref().unwrap().code.is_success()));
    assert!(server(&sim).registration().is_some());
    nobody_complains(&sim);
}

#[test]
fn a_silent_bootstrap_server_does_not_keep_a_known_server_waiting_for_ever() {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec).server(
        1,
        "coap://dm.example",
        Credentials::NoSec,
        3_600,
    );
    let mut sim = Sim::new(config, device(), 1);
    sim.platform.bootstrap.go_down();
    sim.network_up();
    assert!(sim.run_until(secs(94), |sim| server(sim).registration().is_some()), "{}", sim.trace);
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::TimedOut }), 1);
}

#[test]
fn bootstrap_and_management_may_live_at_the_same_host() {
    let config = dm(1).bootstrap_server("coap://dm.example:5683", Credentials::NoSec);
    let mut sim = Sim::new(config, device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(sim.platform.bootstrap.finished(), 1);
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
    nobody_complains(&sim);
}

// ----- registration -----------------------------------------------------------------------------

#[test]
fn a_server_that_restarts_is_registered_with_again_at_the_next_update() {
    let mut sim = registered(1);
    let observation = server_mut(&mut sim).observe(BATTERY, None);
    sim.run_for(secs(1));
    server_mut(&mut sim).restart();
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::UpdateFailed { server: 1, reason: Reason::Code(Code::NOT_FOUND) }), 1);
    assert_eq!(server(&sim).registers_seen(), 2);
    assert!(server(&sim).registration().is_some());
    // The new registration has no observations.
    sim.model.battery_level = Some(1);
    sim.notify(BATTERY);
    sim.run_for(secs(10));
    assert_eq!(server(&sim).notifications(observation), []);
    nobody_complains(&sim);
}

#[test]
fn a_server_that_is_dead_for_a_day_is_not_hammered_and_found_again() {
    for seed in 0..5 {
        let mut sim = registered(seed);
        server_mut(&mut sim).go_down();
        sim.platform.bootstrap.go_down();
        sim.run_for(2 * DAY);
        assert_eq!(server(&sim).history().last().unwrap().status, Status::Expired);
        let before = sim.trace.datagrams(Direction::ToServer);
        sim.run_for(DAY);
        let tries = sim.trace.datagrams(Direction::ToServer) - before;
        assert!(tries <= 100, "{tries} datagrams in a day");
        server_mut(&mut sim).come_up();
        assert!(sim.run_until(DAY * 3 / 2, |sim| server(sim).registration().is_some()), "{}", sim.trace);
        nobody_complains(&sim);
    }
}

#[test]
fn a_lost_update_is_sent_again_and_the_server_sees_it_once() {
    let mut sim = registered(1);
    sim.network.lose_next(Direction::ToServer);
    sim.network.lose_next(Direction::ToDevice);
    sim.run_for(DAY);
    assert_eq!((server(&sim).updates_seen(), happened(&sim, Event::Updated { server: 1 })), (1, 1));
    let lost = fates(&sim).into_iter().filter(|(_, fate)| *fate == Fate::Lost).count();
    assert_eq!((sim.network.counts().lost, lost), (2, 2));
}

#[test]
fn a_month_of_updates_comes_in_time() {
    for seed in 0..10 {
        let mut sim = registered(seed);
        sim.network.lose(100);
        sim.run_for(30 * DAY);
        let statuses: Vec<_> = server(&sim).history().iter().map(|change| change.status).collect();
        assert_eq!(statuses, [Status::Registered], "never offline\n{}", sim.trace);
        assert!((31..=33).contains(&server(&sim).updates_seen()), "{}", server(&sim).updates_seen());
    }
}

#[test]
fn the_answers_to_a_register_may_come_in_any_manner() {
    for (answering, registers) in [
        (Answering::Separate(secs(5)), 1),
        (Answering::Separate(secs(80)), 1),
        (Answering::Late(secs(20)), 1),
        (Answering::Twice, 1),
        (Answering::AcknowledgeOnly, 2),
        (Answering::Never, 2),
    ] {
        let mut sim = terminal(1);
        server_mut(&mut sim).answering = answering;
        sim.network_up();
        sim.run_until(secs(200), |sim| server(sim).registers_seen() == 2);
        assert_eq!(server(&sim).registers_seen(), registers, "{answering:?}");
        let registered = happened(&sim, Event::Registered { server: 1, lifetime: 86_400 });
        assert_eq!(registered, 2 - registers, "{answering:?}");
        nobody_complains(&sim);
    }
}

#[test]
fn a_location_is_taken_as_it_comes() {
    let mut sim = terminal(1);
    server_mut(&mut sim).set_location(&["", "a/b", "%41"], &["lt=1", "x"]);
    sim.network_up();
    sim.run_for(secs(1));
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    sim.shutdown();
    sim.run_for(secs(1));
    assert_eq!((server(&sim).updates_seen(), server(&sim).deregisters_seen()), (1, 1));
    assert_eq!(server(&sim).history().last().unwrap().status, Status::Deregistered, "{}", sim.trace);
}

#[test]
fn a_register_without_location_counts_as_failed() {
    let mut sim = terminal(1);
    server_mut(&mut sim).answer_next(Interface::Register, Code::CREATED);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason: Reason::BadAnswer }), 1);
    sim.run_for(secs(91));
    assert!(server(&sim).registration().is_some());
}

#[test]
fn an_unknown_name_is_refused_and_tried_again_later() {
    let mut sim = terminal(1);
    server_mut(&mut sim).accepts = Accepts::Only(vec!["somebody else".to_string()]);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason: Reason::Code(Code::FORBIDDEN) }), 1);
    assert!(server(&sim).registration().is_none());
    server_mut(&mut sim).accepts = Accepts::Anyone;
    sim.run_for(secs(91));
    assert!(server(&sim).registration().is_some());
}

#[test]
fn a_server_that_writes_another_lifetime_hears_of_it() {
    let mut sim = registered(1);
    let lifetime = Path::resource(1, 0, 1);
    let written = sim.ask(0, |server| server.write(lifetime, ContentFormat::TEXT_PLAIN, b"600", WriteMode::Replace));
    assert_eq!(written.code(), Some(Code::CHANGED));
    sim.run_for(secs(1));
    assert_eq!((server(&sim).updates_seen(), server(&sim).registration().unwrap().lifetime), (1, 600));
    sim.run_for(DAY);
    assert!(server(&sim).registration().is_some());
    assert!(server(&sim).updates_seen() > 200);
}

// ----- the network ------------------------------------------------------------------------------

#[test]
fn a_network_that_is_back_brings_an_update_and_no_bootstrap() {
    let mut sim = registered(1);
    sim.network_down();
    sim.run_for(secs(3_600));
    assert_eq!(happened(&sim, Event::Offline), 1);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!((server(&sim).updates_seen(), server(&sim).registers_seen()), (1, 1));
    assert_eq!(sim.platform.bootstrap.requests_seen(), 1);
    sim.network_down();
    sim.run_for(2 * DAY);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(server(&sim).registers_seen(), 2, "the lifetime was over");
    assert!(server(&sim).registration().is_some());
}

#[test]
fn another_address_brings_a_register() {
    let mut sim = registered(1);
    sim.address_changed();
    sim.run_for(secs(1));
    assert_eq!((server(&sim).updates_seen(), server(&sim).registers_seen()), (0, 2));
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

#[test]
fn a_nat_that_forgets_makes_the_device_unreachable_until_its_next_message() {
    let mut sim = registered(1);
    sim.network.rebind();
    let unreachable = sim.ask(0, |server| server.read(BATTERY, None));
    assert_eq!(unreachable.result, Err(NoAnswer::TimedOut));
    assert_eq!(sim.network.counts().astray, 5);
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

#[test]
fn a_cut_that_nobody_told_of_is_survived() {
    let mut sim = registered(1);
    sim.network.cut();
    sim.run_for(3 * DAY);
    assert_eq!(server(&sim).history().last().unwrap().status, Status::Expired);
    sim.network.mend();
    assert!(sim.run_until(DAY * 3 / 2, |sim| server(sim).registration().is_some()), "{}", sim.trace);
}

#[test]
fn a_name_that_does_not_resolve_is_tried_again() {
    let mut sim = terminal(1);
    sim.network.unresolvable("bs.example:5683", true);
    sim.network_up();
    sim.run_for(secs(50));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Unreachable }), 1);
    sim.network.unresolvable("bs.example:5683", false);
    sim.network.unresolvable("dm.example:5683", true);
    sim.run_for(secs(50));
    assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason: Reason::Unreachable }), 1);
    sim.network.unresolvable("dm.example:5683", false);
    sim.run_for(secs(100));
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
}

#[test]
fn a_session_that_takes_its_time_is_waited_for() {
    let mut sim = terminal(1);
    sim.network.connecting = secs(20);
    sim.network_up();
    sim.run_for(secs(39));
    assert_eq!(server(&sim).registers_seen(), 0);
    sim.run_for(secs(2));
    assert!(server(&sim).registration().is_some());
}

#[test]
fn exactly_the_chosen_datagram_is_lost() {
    let mut sim = terminal(1);
    sim.network.lose_nth(3);
    sim.network_up();
    sim.run_for(secs(60));
    let fates = fates(&sim);
    assert_eq!(fates[2], (3, Fate::Lost));
    assert_eq!(fates.iter().filter(|(_, fate)| *fate != Fate::Delivered).count(), 1);
    assert!(server(&sim).registration().is_some());
}

#[test]
fn a_power_cut_begins_anew_with_a_bootstrap() {
    let mut sim = registered(1);
    sim.reboot();
    sim.run_for(secs(60));
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!((sim.platform.bootstrap.finished(), server(&sim).registers_seen()), (2, 2));
    assert_eq!(server(&sim).registrations().len(), 1, "the name is the same, so is the device");
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

// ----- operations -------------------------------------------------------------------------------

#[test]
fn what_a_server_may_not_do_is_refused_with_the_right_code() {
    let mut sim = registered(1);
    let mut code = |ask: Ask| sim.ask(0, |server| server.request(ask)).code();
    for (ask, expected) in [
        (Ask::new(Code::GET, "/3/0/9"), Code::CONTENT),
        (Ask::new(Code::GET, "/0/0"), Code::UNAUTHORIZED),
        (Ask::new(Code::GET, "/3/0/99"), Code::NOT_FOUND),
        (Ask::new(Code::GET, "/3/0/4"), Code::METHOD_NOT_ALLOWED),
        (Ask::new(Code::POST, "/3/0/9"), Code::METHOD_NOT_ALLOWED),
        (Ask::new(Code::PATCH, "/3/0/9"), Code::METHOD_NOT_ALLOWED),
        (Ask { query: vec!["x=1".into()], ..Ask::new(Code::GET, "/3/0/9") }, Code::BAD_REQUEST),
        (Ask { accept: Some(ContentFormat(50)), ..Ask::new(Code::GET, "/3/0/9") }, Code::NOT_ACCEPTABLE),
        (Ask { options: vec![(65_001, vec![1])], ..Ask::new(Code::GET, "/3/0/9") }, Code::BAD_OPTION),
    ] {
        assert_eq!(code(ask.clone()), Some(expected), "{ask:?}");
    }
}

#[test]
fn a_server_that_nobody_is_registered_with_can_ask_nothing() {
    let mut sim = terminal(1);
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).result, Err(NoAnswer::Offline));
    let mut sim = registered(1);
    let asked = server_mut(&mut sim).read(BATTERY, None);
    sim.network.cut();
    sim.run_for(secs(10));
    assert!(server(&sim).answer(asked).is_none());
    server_mut(&mut sim).restart();
    assert_eq!(server(&sim).answer(asked).unwrap().result, Err(NoAnswer::Offline));
}

#[test]
fn discover_write_create_and_delete() {
    let mut sim = registered(1);
    let links = sim.ask(0, |server| server.discover(Path::instance(3, 0)));
    let links = links.response().links().unwrap();
    assert!(links.iter().any(|link| link.target == "/3/0/9"));
    let timezone = Tlv::new().text(14, "+08:00").text(15, "Asia/Shanghai");
    let update = sim.ask(0, |server| {
        server.write(Path::instance(3, 0), ContentFormat::LWM2M_TLV, timezone.bytes(), WriteMode::Update)
    });
    assert_eq!(update.code(), Some(Code::CHANGED));
    assert_eq!(sim.model.timezone.as_deref(), Some("Asia/Shanghai"));
    let created = sim.ask(0, |server| server.create(Path::object(3), ContentFormat::LWM2M_TLV, timezone.bytes()));
    assert_eq!(created.code(), Some(Code::METHOD_NOT_ALLOWED));
    let deleted = sim.ask(0, |server| server.delete(Path::instance(3, 0)));
    assert_eq!(deleted.code(), Some(Code::METHOD_NOT_ALLOWED));
}

#[test]
fn an_observation_ends_by_request_and_by_reset() {
    let mut sim = registered(1);
    let [asked, reset] = [(); 2].map(|()| server_mut(&mut sim).observe(BATTERY, None));
    sim.run_for(secs(1));
    let cancelled = server_mut(&mut sim).cancel(asked);
    sim.run_for(secs(1));
    assert_eq!(server(&sim).answer(cancelled).unwrap().response().observe, None);
    server_mut(&mut sim).forget(reset);
    for level in [50, 40] {
        sim.model.battery_level = Some(level);
        sim.notify(BATTERY);
        sim.run_for(secs(10));
    }
    assert_eq!(happened(&sim, Event::ObservationCancelled { server: 1, path: BATTERY }), 2);
    assert_eq!(happened(&sim, Event::Notified { server: 1, path: BATTERY }), 1, "the one that was rejected");
    assert!(server(&sim).observations().iter().all(|observation| observation.notifications.is_empty()));
}

#[test]
fn the_periods_of_an_account_rule_its_notifications() {
    let mut sim = terminal(1);
    (server_mut(&mut sim).min_period, server_mut(&mut sim).max_period) = (Some(10), Some(60));
    sim.network_up();
    sim.run_for(secs(1));
    let observation = server_mut(&mut sim).observe(BATTERY, None);
    let begun = sim.now();
    for level in (0..10).rev() {
        sim.model.battery_level = Some(level);
        sim.notify(BATTERY);
        sim.run_for(secs(1));
    }
    sim.run_for(secs(110));
    let notifications = server(&sim).notifications(observation);
    let told: Vec<_> = notifications.iter().map(|notification| notification.response.text()).collect();
    assert_eq!(told, ["0", "0"], "the last of ten changes after 10 s, and the same 60 s later");
    let after = |index: usize| notifications[index].at.saturating_duration_since(begun).as_secs();
    assert_eq!((after(0), after(1)), (10, 70));
}

#[test]
fn two_servers_go_their_own_ways() {
    let mut sim = terminal(1);
    sim.platform.add_server(7, "coap://second.example:9999", 3_600);
    sim.network_up();
    sim.run_for(secs(1));
    assert!(sim.platform.servers.iter().all(|server| server.registration().is_some()));
    sim.platform.servers[1].go_down();
    sim.run_for(DAY);
    assert_eq!(sim.platform.servers[0].history().len(), 1, "the first never noticed");
    assert_eq!(sim.platform.servers[1].history().last().unwrap().status, Status::Expired);
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
    sim.platform.servers[1].come_up();
    sim.run_for(DAY * 3 / 2);
    assert_eq!(sim.ask(1, |server| server.read(BATTERY, None)).response().text(), "80");
    sim.shutdown();
    sim.run_for(secs(1));
    assert!(sim.platform.servers.iter().all(|server| server.deregisters_seen() == 1));
    nobody_complains(&sim);
}

// ----- answers that come later ------------------------------------------------------------------

#[test]
fn an_answer_that_the_application_gives_later_arrives_once() {
    let mut sim = deferring(1);
    let read = server_mut(&mut sim).read(BATTERY, None);
    sim.run_for(secs(10));
    assert!(server(&sim).answer(read).is_none());
    let ticket = sim.model.ticket.get().unwrap();
    sim.network.lose_next(Direction::ToServer);
    sim.resume(ticket).unwrap();
    sim.run_for(secs(10));
    assert_eq!(server(&sim).answer(read).unwrap().response().text(), "80");
    assert!(sim.resume(ticket).is_err(), "the ticket is stale");
}

#[test]
fn an_answer_that_never_comes_is_a_5_03() {
    let mut sim = deferring(1);
    let answer = sim.ask(0, |server| server.read(BATTERY, None));
    assert_eq!(answer.code(), Some(Code::SERVICE_UNAVAILABLE));
    assert!(sim.resume(sim.model.ticket.get().unwrap()).is_err());
}

// ----- records ----------------------------------------------------------------------------------

#[test]
fn a_record_replays_to_the_same_bytes() {
    let mut sim = terminal(5);
    sim.record(true);
    sim.network.lose(200);
    sim.network.duplicate(200);
    sim.network_up();
    sim.run_for(secs(3_600));
    insist(&mut sim, |server| server.observe(BATTERY, None));
    sim.model.battery_level = Some(42);
    sim.note("set /3/0/9 42");
    sim.notify(BATTERY);
    sim.run_for(DAY);
    sim.reboot();
    sim.network_up();
    sim.run_for(DAY);
    let _ = sim.update(1);
    sim.address_changed();
    sim.network_down();
    sim.network_up();
    sim.enter_flight_mode();
    sim.run_for(secs(100));
    sim.leave_flight_mode();
    sim.run_for(secs(100));
    sim.shutdown();
    sim.run_for(secs(100));

    let record = sim.recorded().unwrap();
    let set = |device: &mut Device, text: &str| {
        assert_eq!(text, "set /3/0/9 42");
        device.battery_level = Some(42);
    };
    let replayed =
        lwm2m_core::sim::record::replay(&record, &mut device(), set).unwrap_or_else(|error| panic!("{error}"));
    let transmitted = record.lines().filter(|line| line.starts_with("< transmit")).count();
    assert_eq!(transmitted, sim.trace.datagrams(Direction::ToServer));
    assert!(replayed.outputs > transmitted && replayed.inputs > 0 && replayed.events == sim.events().count());

    // A model that differs, and a record that was changed, are found.
    let forgets = lwm2m_core::sim::record::replay(&record, &mut device(), |_, _| {});
    assert!(forgets.unwrap_err().recorded.starts_with("< transmit"));
    let line = record.lines().position(|line| line.starts_with("< transmit")).unwrap();
    let changed = record.replacen("< transmit 0 4", "< transmit 0 5", 1);
    assert_eq!(lwm2m_core::sim::record::replay(&changed, &mut device(), set).unwrap_err().line, line + 1);
}

// ----- models -----------------------------------------------------------------------------------

/// Counts executions.
#[derive(Clone, Debug)]
struct Counter {
    device: Device,
    executed: u32,
}

/// Answers every first read later.
#[derive(Clone, Debug)]
struct Deferring {
    device: Device,
    ticket: std::cell::Cell<Option<Ticket>>,
}

fn deferring(seed: u64) -> Sim<Deferring> {
    let config = dm(seed).server(1, "coap://dm.example", Credentials::NoSec, 86_400);
    let mut sim = Sim::new(config, Deferring { device: device(), ticket: std::cell::Cell::new(None) }, seed);
    sim.network_up();
    assert!(sim.run_until(secs(1), |sim| server(sim).registration().is_some()));
    sim.run_for(secs(1));
    sim
}

/// What both leave to the device.
macro_rules! as_the_device_does {
    () => {
        fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
            self.device.next_object(after)
        }

        fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
            self.device.next_instance(object, after)
        }

        fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
            self.device.next_resource(object, instance, after)
        }

        fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
            self.device.check(ctx, change)
        }

        fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
            self.device.apply(ctx, change);
        }
    };
}

impl DataModel for Counter {
    as_the_device_does!();

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.device.read(ctx, at, out)
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        self.executed += 1;
        self.device.execute(ctx, at, args)
    }
}

impl DataModel for Deferring {
    as_the_device_does!();

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        if ctx.resumed {
            return self.device.read(ctx, at, out);
        }
        self.ticket.set(ctx.ticket);
        Err(Refusal::Later)
    }
}
