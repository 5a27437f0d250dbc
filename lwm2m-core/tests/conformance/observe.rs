//! XA, the plugtests and the enabler tests: observations and their notifications.

use core::hash::Hasher;

use coap_codec::{Code, ContentFormat, MessageType, Token, observe};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Ask, Sim, WriteMode};
use lwm2m_core::{Client, Config, DataModel, Event, Path, Wake};

use crate::terminal::*;

const CHANGED: Code = Code::CHANGED;
const INSTANCE: Path = Path::instance(3, 0);
const TIMEZONE: Path = Path::resource(3, 0, 15);

fn quiet(config: Config) -> Config {
    config.with(|profile| profile.confirmable_notifications = false)
}

fn battery(sim: &mut Sim<Device>, level: u8) {
    sim.model.battery_level = Some(level);
    sim.notify(BATTERY);
}

/// What the newest notification says as text.
#[track_caller]
fn newest<M: DataModel>(watch: &Watch, sim: &Sim<M>) -> String {
    watch.told(sim).pop().expect("a notification").1
}

/// The observation is over: neither a change nor time brings another notification.
#[track_caller]
fn is_over(watch: &Watch, sim: &mut Sim<Device>) {
    let told = watch.told(sim).len();
    for level in [1, 2] {
        battery(sim, level);
        sim.run_for(secs(600));
    }
    assert_eq!(watch.told(sim).len(), told, "{}", sim.trace);
    assert_eq!(happened(sim, Event::ObservationCancelled { server: 1, path: watch.path }), 1, "{}", sim.trace);
}

// ----- enabler tests ------------------------------------------------------------------------

/// Configuration C.4 with the two observations of the enabler test 301.
#[track_caller]
fn observed(config: Config) -> (Sim<Powered>, [Watch; 2]) {
    let mut sim = online(config, powered());
    let sources = sim.ask(0, |server| server.read(Path::resource(3, 0, 6), None));
    assert_eq!(sources.response().payload, [0x86, 6, 0x41, 0, 1, 0x41, 1, 5]);
    assert_eq!(attributes(&mut sim, 0, "/3/0/7", "pmin=5&pmax=15"), CHANGED);
    assert_eq!(attributes(&mut sim, 0, "/3/0/8", "pmin=10&pmax=20"), CHANGED);
    let watches = [VOLTAGE, CURRENT].map(|path| watch(&mut sim, 0, path));
    (sim, watches)
}

#[test]
fn int_301_notifications_within_their_periods() {
    // With nothing new as seldom as may be.
    let (mut sim, [voltage, current]) = observed(quiet(one_server(1)));
    current.run_to(&mut sim, secs(62));
    assert_eq!(voltage.seconds(&sim), [15, 30, 45, 60], "{}", sim.trace);
    assert_eq!(current.seconds(&sim), [20, 40, 60], "{}", sim.trace);
    assert_eq!(newest(&voltage, &sim), "0:3800 1:5000");
    assert_eq!(newest(&current, &sim), "0:125 1:900");

    // With something new all the time as often as may be.
    let (mut sim, [voltage, current]) = observed(quiet(one_server(1)));
    for half in 1..120 {
        current.run_to(&mut sim, millis(500 * half));
        sim.model.sources[1].insert(0, half as i64);
        sim.model.sources[2].insert(1, half as i64);
        sim.notify(INSTANCE);
    }
    assert_eq!(voltage.seconds(&sim), (1..=11).map(|n| 5 * n).collect::<Vec<_>>(), "{}", sim.trace);
    assert_eq!(current.seconds(&sim), [10, 20, 30, 40, 50], "{}", sim.trace);
    // Confirmable ones keep to it too.
    let (mut sim, [voltage, current]) = observed(one_server(1));
    current.run_to(&mut sim, secs(62));
    assert_eq!(voltage.told(&sim).len(), 4);
    assert!(voltage.notifications(&sim).iter().all(|sent| sent.kind() == MessageType::Confirmable));
    for (watch, [min, max]) in [(voltage, [5, 15]), (current, [10, 20])] {
        let moments: Vec<_> =
            core::iter::once(secs(0)).chain(watch.told(&sim).into_iter().map(|told| told.0)).collect();
        let within = |pair: &[_]| (secs(min)..=secs(max) + millis(100)).contains(&(pair[1] - pair[0]));
        assert!(moments.windows(2).all(within), "{moments:?}");
    }
    nobody_complains(&sim);
}

#[test]
fn int_302_a_reset_ends_an_observation() {
    for config in [one_server(1), quiet(one_server(1))] {
        let (mut sim, watches) = observed(config);
        for watch in &watches {
            server_mut(&mut sim).forget(watch.operation);
        }
        sim.run_for(secs(21));
        assert!(watches.iter().all(|watch| watch.told(&sim).len() == 1), "{}", sim.trace);
        sim.model.sources[1].insert(0, 1);
        sim.notify(INSTANCE);
        sim.run_for(secs(600));
        assert!(watches.iter().all(|watch| watch.told(&sim).len() == 1), "no further one\n{}", sim.trace);
        for watch in watches {
            assert_eq!(happened(&sim, Event::ObservationCancelled { server: 1, path: watch.path }), 1);
        }
    }
}

#[test]
fn int_303_observe_1_ends_an_observation() {
    let (mut sim, watches) = observed(one_server(1));
    sim.run_for(secs(21));
    for watch in &watches {
        let answer = sim.ask(0, |server| server.cancel(watch.operation));
        let response = answer.response();
        assert_eq!((response.code, response.observe), (Code::CONTENT, None));
        let values = if watch.path == VOLTAGE { [3_800, 5_000] } else { [125, 900] };
        let nodes = response.tlv().expect("TLV");
        let values_now = nodes[0].children().iter().map(|node| node.integer().unwrap());
        assert_eq!(values_now.collect::<Vec<_>>(), values);
    }
    let told = watches.each_ref().map(|watch| watch.told(&sim).len());
    sim.model.sources[1].insert(0, 1);
    sim.notify(INSTANCE);
    sim.run_for(secs(600));
    assert_eq!(watches.each_ref().map(|watch| watch.told(&sim).len()), told, "no further one\n{}", sim.trace);
    nobody_complains(&sim);
}

// ----- XA -----------------------------------------------------------------------------------

#[test]
fn xa_15_two_observations_of_one_path_are_both_told() {
    let mut sim = online(quiet(one_server(1)), device());
    let [first, second] = [(); 2].map(|()| watch(&mut sim, 0, BATTERY));
    assert_ne!(first.token, second.token);
    for level in [79, 78, 77] {
        battery(&mut sim, level);
        sim.run_for(secs(1));
        assert_eq!([&first, &second].map(|watch| newest(watch, &sim)), [level.to_string(), level.to_string()]);
    }
    assert_eq!([&first, &second].map(|watch| watch.told(&sim).len()), [3, 3]);
    // One of them ends, and the other goes on.
    assert_eq!(sim.ask(0, |server| server.cancel(first.operation)).code(), Some(Code::CONTENT));
    battery(&mut sim, 76);
    sim.run_for(secs(1));
    assert_eq!([&first, &second].map(|watch| watch.told(&sim).len()), [3, 4]);
    nobody_complains(&sim);
}

#[test]
fn xa_16_an_observation_takes_the_place_of_another_one_with_its_token() {
    let mut sim = online(quiet(one_server(1)), device());
    sim.model.timezone = Some("UTC".into());
    let observation = watch(&mut sim, 0, BATTERY);
    battery(&mut sim, 79);
    sim.run_for(secs(1));
    assert_eq!(observation.told(&sim).len(), 1);
    let ask = Ask { observe: Some(0), ..Ask::new(Code::GET, "/3/0/15") };
    let token = Token::new(&observation.token).unwrap();
    let answer = sim.ask(0, |server| server.request_with(ask, token));
    let response = answer.response();
    // Its sequence goes on, so that the observer sees that it is newer (RFC 7641, section 3.4).
    assert_eq!((response.code, response.text(), response.observe), (Code::CONTENT, "UTC", Some(3)));
    battery(&mut sim, 78);
    sim.run_for(secs(600));
    assert_eq!(observation.told(&sim).len(), 1, "nobody observes the battery\n{}", sim.trace);
    sim.model.timezone = Some("CET".into());
    sim.notify(TIMEZONE);
    sim.run_for(secs(1));
    assert_eq!((observation.told(&sim).len(), &*newest(&observation, &sim)), (2, "CET"));
    nobody_complains(&sim);
}

#[test]
fn xa_17_one_notification_in_24_hours_is_confirmable() {
    let mut sim = online(quiet(one_server(1)), device());
    let observation = watch(&mut sim, 0, BATTERY);
    for hour in 1..=100 {
        observation.run_to(&mut sim, secs(3_600 * hour));
        battery(&mut sim, hour as u8);
    }
    sim.run_for(secs(60));
    let notifications = observation.notifications(&sim);
    assert_eq!(notifications.len(), 100);
    let hours = notifications.iter().enumerate().filter(|(_, sent)| sent.kind() == MessageType::Confirmable);
    // A day after the last one that was acknowledged: 30 ms there and 30 ms back.
    assert_eq!(hours.map(|(index, _)| index + 1).collect::<Vec<_>>(), [24, 49, 74, 99], "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xa_18_one_confirmable_notification_is_open_and_its_successor_has_the_newest_value() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    server_mut(&mut sim).go_down();
    let begun = sent(&sim).len();
    battery(&mut sim, 79);
    for level in [78, 77, 76] {
        sim.run_for(secs(1));
        battery(&mut sim, level);
    }
    sim.run_for(secs(4));
    // Nothing but the first one and its repetitions.
    let open = sent(&sim).split_off(begun);
    assert!(open.len() >= 2 && open.iter().all(|sent| sent.bytes == open[0].bytes), "{}", sim.trace);
    assert_eq!(observation.told(&sim).len(), 1);
    server_mut(&mut sim).come_up();
    sim.run_for(secs(20));
    let values: Vec<_> = observation.told(&sim).into_iter().map(|(_, text)| text).collect();
    assert_eq!(values, ["79", "76"], "what lies between is no news any more\n{}", sim.trace);
    assert_eq!(server(&sim).observations()[0].newest().map(|newest| newest.response.text()), Some("76"));
    nobody_complains(&sim);
}

#[test]
fn xa_19_the_sequence_wraps_and_stays_newer() {
    let mut sim = online(quiet(one_server(1)), device());
    let observation = watch(&mut sim, 0, BATTERY);
    battery(&mut sim, 79);
    sim.run_for(secs(300));
    // Sixteen million notifications later: the number as it lies in a snapshot, with what is before it.
    let mut flash = vec![0; 1_024];
    let len = sim.client.snapshot(sim.now(), &mut flash).unwrap();
    flash.truncate(len - 4);
    let before: Vec<u8> = [3, 3, 0, 0, 0, 9, 0, 0, 0].into();
    let place = flash
        .windows(before.len() + 4)
        .position(|window| window.starts_with(&before) && window.ends_with(&2u32.to_le_bytes()));
    let place = place.expect("the path, the format and the sequence") + before.len();
    flash[place..place + 4].copy_from_slice(&0x00ff_fffd_u32.to_le_bytes());
    let mut sum = siphasher::sip::SipHasher13::new();
    sum.write(&flash);
    flash.extend(&sum.finish().to_le_bytes()[..4]);
    let config = sim.client.config().clone();
    let wake = Wake::Sleep { elapsed: secs(0) };
    let later = Client::restore(config, &flash, sim.now(), wake).expect("a snapshot");
    sim.client = later;
    sim.sleep(secs(1));

    for level in 1..=6 {
        battery(&mut sim, level);
        sim.run_for(secs(1));
    }
    let notifications = &server(&sim).notifications(observation.operation)[1..];
    let numbers: Vec<_> = notifications.iter().map(|notification| notification.response.observe.unwrap()).collect();
    assert_eq!(numbers, [0xff_fffe, 0xff_ffff, 0, 1, 2, 3], "{}", sim.trace);
    for pair in notifications.windows(2) {
        let [earlier, later] = [0, 1].map(|index| pair[index].response.observe.unwrap());
        assert!(observe::is_newer(earlier, later, between(pair[0].at, pair[1].at)), "{later} after {earlier}");
    }
}

#[test]
fn xa_20_a_change_of_what_nobody_observes_is_not_told() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, TIMEZONE_OFFSET);
    let before = sent(&sim).len();
    battery(&mut sim, 79);
    for path in [BATTERY, TIMEZONE, Path::resource(3, 0, 99), Path::object(4), Path::ROOT, INSTANCE] {
        sim.notify(path);
        sim.run_for(secs(60));
    }
    assert_eq!(sent(&sim).len(), before, "{}", sim.trace);
    assert_eq!(observation.told(&sim), []);
}

const TIMEZONE_OFFSET: Path = Path::resource(3, 0, 16);

/// A value that cannot be told at once, because another one is on its way, is looked at all the same: it is
/// told also when it has changed back by then.
#[test]
fn what_changes_back_while_there_is_no_room_is_told() {
    let mut model = device();
    model.timezone = Some("Europe/Berlin".into());
    let mut sim = online(one_server(1), model);
    let [zone, level] = [TIMEZONE, BATTERY].map(|path| watch(&mut sim, 0, path));
    level.run_to(&mut sim, secs(10));
    let before = sim.model.battery_level.unwrap();
    sim.model.timezone = Some("Europe/Paris".into());
    sim.notify(TIMEZONE);
    battery(&mut sim, before - 1);
    battery(&mut sim, before);
    level.run_to(&mut sim, secs(20));
    assert_eq!(zone.told(&sim).len(), 1, "{}", sim.trace);
    assert_eq!((level.told(&sim).len(), newest(&level, &sim)), (1, before.to_string()), "{}", sim.trace);
}

/// What is said to have changed, and has not, leaves no trace: the next notification has the next Message ID
/// and Observe value, and the period without news goes on.
#[test]
fn what_is_as_it_was_told_leaves_no_trace() {
    for config in [quiet(one_server(1)), one_server(1)] {
        let mut sim = online(config, device());
        assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=1&pmax=300"), CHANGED);
        let observation = watch(&mut sim, 0, BATTERY);
        observation.run_to(&mut sim, secs(10));
        battery(&mut sim, 79);
        for second in [60, 61, 200] {
            observation.run_to(&mut sim, secs(second));
            sim.notify(BATTERY);
            sim.notify(INSTANCE);
        }
        observation.run_to(&mut sim, secs(320));
        battery(&mut sim, 78);
        assert_eq!(observation.seconds(&sim), [10, 310, 320], "{}", sim.trace);
        assert_eq!(happened(&sim, Event::Notified { server: 1, path: BATTERY }), 3);
        let notifications = observation.notifications(&sim);
        let steps = |value: fn(&Sent) -> u32| -> Vec<_> {
            notifications.windows(2).map(|pair| value(&pair[1]).wrapping_sub(value(&pair[0]))).collect()
        };
        assert_eq!(steps(|sent| u32::from(sent.id())), [1, 1], "{}", sim.trace);
        assert_eq!(steps(|sent| sent.message().observe().unwrap()), [1, 1]);
    }
}

#[test]
fn xa_21_what_cannot_be_read_cannot_be_observed() {
    let mut sim = online(one_server(1), (device(), Gauge(1.0)));
    for (path, code) in [
        ("/3/0/4", Code::METHOD_NOT_ALLOWED),
        ("/30001/0/1", Code::METHOD_NOT_ALLOWED),
        ("/3/0/99", Code::NOT_FOUND),
        ("/3/0/20", Code::NOT_FOUND),
        ("/3/1", Code::NOT_FOUND),
        ("/50", Code::NOT_FOUND),
        ("/0/0", Code::UNAUTHORIZED),
        ("/", Code::METHOD_NOT_ALLOWED),
    ] {
        let answer = sim.ask(0, |server| server.observe(path.parse().unwrap(), None));
        assert_eq!((answer.response().code, answer.response().observe), (code, None), "{path}");
    }
    let observed = |event| matches!(event, Event::Observed { .. } | Event::ObservationCancelled { .. });
    assert!(!news(&sim).into_iter().any(observed), "{:?}", news(&sim));
    let before = sent(&sim).len();
    sim.notify(Path::ROOT);
    sim.run_for(secs(600));
    assert_eq!(sent(&sim).len(), before);
}

#[test]
fn xa_22_what_comes_and_goes_below_an_observed_path_is_told() {
    let mut sim = racked(quiet(one_server(1)));
    sim.model.0.battery_level = None;
    let [instance, object] = [INSTANCE, Path::object(30_000)].map(|path| watch(&mut sim, 0, path));
    let ids = |watch: &Watch, sim: &Sim<_>| {
        let newest = watch.notifications(sim).pop().expect("a notification");
        let nodes = lwm2m_core::sim::reader::Node::read(newest.message().payload()).expect("TLV");
        nodes.iter().map(level_of).collect::<Vec<_>>()
    };
    // A resource comes, and goes.
    sim.model.0.battery_level = Some(50);
    sim.notify(INSTANCE);
    sim.run_for(secs(1));
    assert_eq!((instance.told(&sim).len(), ids(&instance, &sim).contains(&9)), (1, true), "{}", sim.trace);
    sim.model.0.battery_level = None;
    sim.notify(BATTERY);
    sim.run_for(secs(1));
    assert_eq!((instance.told(&sim).len(), ids(&instance, &sim).contains(&9)), (2, false), "{}", sim.trace);
    assert_eq!(object.told(&sim), []);
    // An instance: of the device's own accord, by Create, and by Delete.
    sim.model.1.levels.insert(4, 40);
    sim.notify(Path::object(30_000));
    sim.run_for(secs(1));
    assert_eq!((object.told(&sim).len(), ids(&object, &sim)), (1, vec![0, 4]), "{}", sim.trace);
    let created = lwm2m_core::sim::Tlv::new().integer(0, 7);
    let create = sim.ask(0, |server| server.create(Path::object(30_000), ContentFormat::LWM2M_TLV, created.bytes()));
    assert_eq!(create.code(), Some(Code::CREATED));
    sim.run_for(secs(1));
    assert_eq!((object.told(&sim).len(), ids(&object, &sim)), (2, vec![0, 1, 4]), "{}", sim.trace);
    assert_eq!(sim.ask(0, |server| server.delete(Path::instance(30_000, 0))).code(), Some(Code::DELETED));
    sim.run_for(secs(1));
    assert_eq!((object.told(&sim).len(), ids(&object, &sim)), (3, vec![1, 4]), "{}", sim.trace);
    assert_eq!(instance.told(&sim).len(), 2);
    nobody_complains(&sim);
}

fn level_of(node: &lwm2m_core::sim::reader::Node) -> u16 {
    use lwm2m_core::sim::reader::Node;
    let (Node::Instance(id, _) | Node::Multiple(id, _) | Node::Resource(id, _) | Node::ResourceInstance(id, _)) = node;
    *id
}

// ----- plugtests ----------------------------------------------------------------------------

/// Notifications of five changes are as they must be; of the answer that began it too.
#[track_caller]
fn are_notifications(watch: &Watch, sim: &Sim<Device>, kind: MessageType) {
    let answered = |sent: &Sent| sent.at == watch.since && sent.token() == watch.token;
    let first = sent(sim).into_iter().find(answered).expect("an answer");
    let all: Vec<_> = core::iter::once(first).chain(watch.notifications(sim)).collect();
    let texts: Vec<_> = all.iter().map(|sent| String::from_utf8_lossy(sent.message().payload()).into_owned()).collect();
    assert_eq!(texts, ["80", "1", "2", "3", "4", "5"], "{}", sim.trace);
    assert!(all[1..].iter().all(|sent| sent.kind() == kind), "{}", sim.trace);
    for sent in &all {
        let message = sent.message();
        assert_eq!((sent.code(), sent.token()), (Code::CONTENT, watch.token.clone()));
        assert_eq!(message.content_format(), Some(ContentFormat::TEXT_PLAIN));
    }
    for pair in all.windows(2) {
        let [earlier, later] = [0, 1].map(|index| pair[index].message().observe().expect("an Observe value"));
        assert!(observe::is_newer(earlier, later, between(pair[0].at, pair[1].at)), "{earlier}, {later}");
    }
    let mut ids: Vec<_> = all.iter().map(Sent::id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "a Message ID each");
}

#[test]
fn td_coap_obs_01_confirmable_notifications() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    for level in 1..=5 {
        battery(&mut sim, level);
        sim.run_for(secs(1));
    }
    are_notifications(&observation, &sim, MessageType::Confirmable);
    nobody_complains(&sim);
}

#[test]
fn td_coap_obs_02_non_confirmable_ones() {
    let mut sim = online(quiet(one_server(1)), device());
    // By hand, so its server must not reject what it did not ask for.
    server_mut(&mut sim).go_down();
    let get = datagram(MessageType::NonConfirmable, Code::GET, 0x77, b"by hand", |writer| {
        writer.observe(0)?;
        ["3", "0", "9"].iter().try_for_each(|segment| writer.uri_path(segment))
    });
    sim.forge(DM, &get);
    sim.run_for(millis(50));
    let answer = sent(&sim).pop().unwrap();
    assert_eq!((answer.kind(), answer.token()), (MessageType::NonConfirmable, b"by hand".to_vec()));
    let since = times(&sim, Event::Observed { server: 1, path: BATTERY })[0];
    let operation = server_mut(&mut sim).read(BATTERY, None);
    let observation = Watch { operation, path: BATTERY, host: DM.into(), token: answer.token(), since };
    for level in 1..=5 {
        battery(&mut sim, level);
        sim.run_for(secs(1));
    }
    are_notifications(&observation, &sim, MessageType::NonConfirmable);
}

#[test]
fn td_coap_obs_03_an_observer_stops_it() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    battery(&mut sim, 79);
    sim.run_for(secs(1));
    let answer = sim.ask(0, |server| server.cancel(observation.operation));
    assert_eq!((answer.response().text(), answer.response().observe), ("79", None));
    is_over(&observation, &mut sim);
    nobody_complains(&sim);
}

#[test]
fn td_coap_obs_04_an_observer_begins_again() {
    // The device forgot it.
    let mut sim = online(one_server(1), device());
    let lost = watch(&mut sim, 0, BATTERY);
    sim.reboot();
    sim.network_up();
    sim.run_for(secs(10));
    battery(&mut sim, 79);
    sim.run_for(secs(10));
    assert_eq!(lost.told(&sim), []);
    let again = watch(&mut sim, 0, BATTERY);
    battery(&mut sim, 78);
    sim.run_for(secs(1));
    assert_eq!(newest(&again, &sim), "78");
    // It did not: what there is is replaced, and each change told once.
    let ask = Ask { observe: Some(0), ..Ask::new(Code::GET, "/3/0/9") };
    let token = Token::new(&again.token).unwrap();
    let answer = sim.ask(0, |server| server.request_with(ask, token));
    assert_eq!((answer.code(), answer.response().observe), (Some(Code::CONTENT), Some(3)));
    battery(&mut sim, 77);
    sim.run_for(secs(60));
    let told: Vec<_> = again.told(&sim).into_iter().map(|(_, text)| text).collect();
    assert_eq!(told, ["78", "77"], "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn td_coap_obs_05_an_observer_that_is_off_is_given_up() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    server_mut(&mut sim).go_down();
    battery(&mut sim, 79);
    let notification = observation.notifications(&sim).remove(0);
    sim.run_for(secs(100));
    let sends = transmissions(&sim, &notification);
    assert_eq!(sends.len(), 5);
    backs_off(&sends);
    server_mut(&mut sim).come_up();
    is_over(&observation, &mut sim);
}

#[test]
fn td_coap_obs_06_a_reset_ends_it_at_once() {
    for config in [one_server(1), quiet(one_server(1))] {
        let mut sim = online(config, device());
        let observation = watch(&mut sim, 0, BATTERY);
        server_mut(&mut sim).forget(observation.operation);
        battery(&mut sim, 79);
        // There and back.
        sim.run_for(millis(61));
        assert_eq!(happened(&sim, Event::ObservationCancelled { server: 1, path: BATTERY }), 1, "{}", sim.trace);
        is_over(&observation, &mut sim);
        assert_eq!(observation.told(&sim).len(), 1);
    }
}

#[test]
fn td_coap_obs_07_the_observed_instance_is_deleted() {
    let mut sim = racked(one_server(1));
    sim.model.1.levels.insert(1, 10);
    // A period is between values; that there is none any more does not wait for it.
    assert_eq!(attributes(&mut sim, 0, "/30000", "pmin=300"), Code::CHANGED);
    let watches = [LEVEL, Path::instance(30_000, 0)].map(|path| watch(&mut sim, 0, path));
    let other = watch(&mut sim, 0, Path::resource(30_000, 1, 0));
    assert_eq!(sim.ask(0, |server| server.delete(Path::instance(30_000, 0))).code(), Some(Code::DELETED));
    sim.run_for(secs(1));
    for watch in &watches {
        let [last] = &*watch.notifications(&sim) else { panic!("one notification\n{}", sim.trace) };
        let message = last.message();
        assert_eq!((last.code(), message.observe(), message.payload()), (Code::NOT_FOUND, None, &b""[..]));
        assert_eq!(happened(&sim, Event::ObservationCancelled { server: 1, path: watch.path }), 1);
    }
    // It is gone, and stays so when another one takes its number.
    sim.model.1.levels = [(0, 3), (1, 11)].into();
    sim.notify(Path::object(30_000));
    sim.run_for(secs(600));
    assert!(watches.iter().all(|watch| watch.notifications(&sim).len() == 1), "{}", sim.trace);
    assert_eq!(newest(&other, &sim), "11");
}

#[test]
fn td_coap_obs_08_the_format_is_that_of_the_first_answer() {
    let mut sim = online(quiet(one_server(1)), device());
    let formats = [None, Some(ContentFormat::LWM2M_TLV), Some(ContentFormat::LEGACY_TLV)];
    for accept in formats {
        let id = server_mut(&mut sim).observe(BATTERY, accept);
        sim.run_for(secs(1));
        assert_eq!(server(&sim).answer(id).unwrap().response().observe, Some(1));
        for level in [1, 2, 3] {
            battery(&mut sim, level);
            sim.run_for(secs(1));
        }
        let told = server(&sim).notifications(id);
        let expected = accept.unwrap_or(ContentFormat::TEXT_PLAIN);
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|told| told.response.format == Some(expected)), "{told:?}");
    }
    // What cannot be said in it any more is an error, and the end.
    let observation = watch(&mut sim, 0, BATTERY);
    sim.model.battery_level = None;
    sim.notify(BATTERY);
    sim.run_for(secs(1));
    let last = observation.notifications(&sim).pop().expect("a last one");
    assert_eq!((last.code(), last.message().observe()), (Code::NOT_FOUND, None));
    battery(&mut sim, 50);
    sim.run_for(secs(600));
    assert_eq!(observation.notifications(&sim).len(), 1, "{}", sim.trace);
}

#[test]
fn td_coap_obs_09_what_its_server_writes_is_told_too() {
    let mut sim = online(one_server(1), device());
    sim.model.timezone = Some("UTC".into());
    let observation = watch(&mut sim, 0, TIMEZONE);
    let write = |server: &mut lwm2m_core::sim::DmServer, text: &[u8]| {
        server.write(TIMEZONE, ContentFormat::TEXT_PLAIN, text, WriteMode::Replace)
    };
    assert_eq!(sim.ask(0, |server| write(server, b"CET")).code(), Some(CHANGED));
    sim.run_for(secs(1));
    assert_eq!((observation.told(&sim).len(), &*newest(&observation, &sim)), (1, "CET"), "{}", sim.trace);
    let put = heard(&sim).into_iter().rev().find(|heard| heard.code() == Code::PUT).unwrap();
    let after: Vec<_> = sent(&sim).into_iter().filter(|sent| sent.at >= put.at).map(|sent| sent.code()).collect();
    assert_eq!(after, [CHANGED, Code::CONTENT], "the answer first\n{}", sim.trace);
    // The value that it has already is no change.
    assert_eq!(sim.ask(0, |server| write(server, b"CET")).code(), Some(CHANGED));
    sim.run_for(secs(600));
    assert_eq!(observation.told(&sim).len(), 1, "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn td_coap_obs_10_a_plain_get_changes_nothing() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    battery(&mut sim, 79);
    sim.run_for(secs(1));
    let answer = sim.ask(0, |server| server.read(BATTERY, None));
    assert_eq!((answer.response().text(), answer.response().observe), ("79", None));
    battery(&mut sim, 78);
    sim.run_for(secs(1));
    let numbers = observation.notifications(&sim);
    let numbers: Vec<_> = numbers.iter().map(|sent| sent.message().observe()).collect();
    assert_eq!((numbers, &*newest(&observation, &sim)), (vec![Some(2), Some(3)], "78"), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn td_coap_obs_12_observe_1_ends_it() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    for times in 1..=2 {
        // Also when there is none any more.
        let answer = sim.ask(0, |server| server.cancel(observation.operation));
        let response = answer.response();
        assert_eq!((response.code, response.observe, response.text()), (Code::CONTENT, None, "80"), "{times}");
    }
    is_over(&observation, &mut sim);
    nobody_complains(&sim);
}

// ----- what changes while a server cannot be told ---------------------------------------------

/// What would have been told while there was no network is told later, if the server wants that (/1/x/6) and
/// there is room; without room the newest value alone; and nothing otherwise.
#[test]
fn what_changed_offline_is_told_later_or_dropped() {
    for (storing, stored, expected) in [(true, 1_024, &["70", "78"][..]), (true, 0, &["78"]), (false, 1_024, &[])] {
        let mut config = one_server(1);
        config.limits.stored = stored;
        let mut sim = online(config, device());
        let text = if storing { b"1" } else { b"0" };
        let write = |server: &mut lwm2m_core::sim::DmServer| {
            server.write(Path::resource(1, 0, 6), ContentFormat::TEXT_PLAIN, text, WriteMode::Replace)
        };
        assert_eq!(sim.ask(0, write).code(), Some(CHANGED));
        assert_eq!(attributes(&mut sim, 0, "/3/0/9", "st=5&pmin=30"), CHANGED);
        let observation = watch(&mut sim, 0, BATTERY);
        sim.network_down();
        for level in [79, 70, 78] {
            sim.run_for(secs(20));
            battery(&mut sim, level);
        }
        sim.network_up();
        sim.run_for(secs(60));
        let told: Vec<_> = observation.told(&sim).into_iter().map(|(_, text)| text).collect();
        assert_eq!(told, expected, "{}", sim.trace);
        // What changes from now on is told either way.
        battery(&mut sim, 60);
        sim.run_for(secs(60));
        assert_eq!(newest(&observation, &sim), "60");
        assert_eq!(sim.client.dropped_notifications(), 0);
        nobody_complains(&sim);
    }
}
