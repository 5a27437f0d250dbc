//! Queue mode (OMA LwM2M 1.0, 8.3), and notifications that are kept meanwhile (/1/x/6).

use coap_codec::{Code, ContentFormat, MessageType, Token};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Ask, Direction, DmServer, OperationId, Sim, What, WriteMode};
use lwm2m_core::{Config, DataModel, Event, Instant, Path, Rest};

use crate::terminal::*;

const STORING: Path = Path::resource(1, 0, 6);
const BINDING: Path = Path::resource(1, 0, 7);
const ASLEEP: Event = Event::MaySleep { server: 1 };
const UPDATED: Event = Event::Updated { server: 1 };
const AWAKE: u64 = 93;

/// A device in queue mode with one server.
fn sleepy() -> Config {
    let mut config = one_server(1);
    config.registration.queue_mode = true;
    config
}

fn put(server: &mut DmServer, path: Path, text: &str) -> OperationId {
    server.write(path, ContentFormat::TEXT_PLAIN, text.as_bytes(), WriteMode::Replace)
}

fn is_asleep<M: DataModel>(sim: &Sim<M>) -> bool {
    sim.client.rest_of(sim.now(), 1).is_some_and(|rest| rest.from <= sim.now())
}

/// Runs until the device is asleep.
#[track_caller]
fn fall_asleep<M: DataModel>(sim: &mut Sim<M>) {
    assert!(sim.run_until(secs(1_000), is_asleep), "{}", sim.trace);
}

/// Runs until the next Update has its answer, and the second after it.
#[track_caller]
fn wake_up<M: DataModel>(sim: &mut Sim<M>) {
    let before = happened(sim, UPDATED);
    assert!(sim.run_until(DAY, |sim| happened(sim, UPDATED) > before), "{}", sim.trace);
    sim.run_for(secs(1));
}

fn battery(sim: &mut Sim<Device>, level: u8) {
    sim.model.battery_level = Some(level);
    sim.notify(BATTERY);
}

/// When the device sent something, or something reached it.
fn traffic<M: DataModel>(sim: &Sim<M>) -> Vec<(Instant, Direction)> {
    let datagrams = sim.trace.entries.iter().filter_map(|entry| match &entry.what {
        What::Datagram { dir: Direction::ToServer, .. } => Some((entry.at, Direction::ToServer)),
        What::Datagram { dir, arrives_at, .. } => Some(((*arrives_at)?, *dir)),
        _ => None,
    });
    let mut datagrams: Vec<_> = datagrams.collect();
    datagrams.sort_by_key(|(at, _)| *at);
    datagrams
}

fn texts<M: DataModel>(watch: &Watch, sim: &Sim<M>) -> Vec<String> {
    watch.told(sim).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn int_108_queue_mode_is_announced_and_the_device_stays_awake_for_its_time() {
    for awake in [None, Some(secs(20))] {
        let mut config = sleepy();
        config.registration.awake = awake;
        let mut sim = online(config, device());
        server_mut(&mut sim).awake = DAY;
        assert!(requests(&sim, Code::POST, "/rd")[0].query().contains(&"b=UQ".to_string()), "{}", sim.trace);
        assert_eq!(server(&sim).registration().unwrap().binding, "UQ");
        let awake = awake.unwrap_or(secs(AWAKE));
        // A request makes it begin anew, and so does an answer of the device's own.
        for _ in 0..3 {
            let said = traffic(&sim).last().unwrap().0;
            let rest = sim.client.rest(sim.now()).expect("a time to rest");
            assert_eq!((rest.from, sim.client.rest_of(sim.now(), 1)), (said + awake, Some(rest)));
            sim.run_for(awake - secs(2));
            assert!(!is_asleep(&sim), "{}", sim.trace);
            sim.ask(0, |server| server.read(BATTERY, None));
        }
        let said = traffic(&sim).last().unwrap().0;
        fall_asleep(&mut sim);
        sim.run_for(secs(1));
        assert_eq!(times(&sim, ASLEEP), [said + awake], "{}", sim.trace);
        // Until the Update nothing is sent, and that is when it says that it will be.
        let Some(Rest { until: Some(until), .. }) = sim.client.rest(sim.now()) else { panic!("an end") };
        assert_eq!(sim.client.poll_timeout(), Some(until));
        let before = traffic(&sim).len();
        wake_up(&mut sim);
        assert_eq!(traffic(&sim)[before], (until, Direction::ToServer), "{}", sim.trace);
        nobody_complains(&sim);
    }
}

#[test]
fn int_109_what_was_asked_of_a_sleeping_device_is_served_after_its_update() {
    for by_itself in [true, false] {
        let mut sim = online(sleepy(), device());
        fall_asleep(&mut sim);
        let before = heard(&sim).len();
        let asked = server_mut(&mut sim).read(BATTERY, None);
        sim.run_for(secs(3_600));
        assert_eq!((heard(&sim).len(), server(&sim).answer(asked)), (before, None), "it waits\n{}", sim.trace);
        if by_itself {
            wake_up(&mut sim);
        } else {
            // An alarm, or its user, woke it.
            sim.update(1).unwrap();
            sim.run_for(secs(1));
        }
        assert_eq!(server(&sim).answer(asked).expect("an answer").response().text(), "80");
        let after: Vec<_> = sent(&sim).into_iter().skip_while(|sent| sent.code() != Code::POST).collect();
        let codes: Vec<_> = after[1..].iter().map(Sent::code).collect();
        assert_eq!(codes, [Code::POST, Code::CONTENT], "Register, then Update, then the answer\n{}", sim.trace);
        assert_eq!(after[1].kind(), MessageType::Confirmable);
        let said = traffic(&sim).last().unwrap().0;
        fall_asleep(&mut sim);
        assert_eq!(times(&sim, ASLEEP).last(), Some(&(said + secs(AWAKE))));
        nobody_complains(&sim);
    }
}

#[test]
fn xr_11_what_would_have_been_told_to_a_sleeping_server_is_told_at_wake_up_or_dropped() {
    for (storing, memory_off) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut sim = online(sleepy(), device());
        let text = if storing { "1" } else { "0" };
        assert_eq!(sim.ask(0, |server| put(server, STORING, text)).code(), Some(Code::CHANGED));
        let observation = watch(&mut sim, 0, BATTERY);
        fall_asleep(&mut sim);
        let before = traffic(&sim).len();
        for level in [70, 71, 69] {
            sim.run_for(secs(100));
            battery(&mut sim, level);
            if memory_off {
                sim.sleep(secs(600));
                assert!(is_asleep(&sim), "{}", sim.trace);
            }
        }
        assert_eq!(sim.client.stored_notifications(), if storing { 3 } else { 0 });
        assert_eq!(traffic(&sim).len(), before, "asleep\n{}", sim.trace);
        wake_up(&mut sim);
        assert_eq!(texts(&observation, &sim), if storing { &["70", "71", "69"][..] } else { &[] }, "{}", sim.trace);
        let update = times(&sim, UPDATED).pop().unwrap();
        let notifications = observation.notifications(&sim);
        assert!(notifications.iter().all(|sent| sent.at >= update), "first the Update\n{}", sim.trace);
        let numbers: Vec<_> = notifications.iter().map(|sent| sent.message().observe().unwrap()).collect();
        assert_eq!(numbers, if storing { &[2, 3, 4][..] } else { &[] });
        // Awake it is told at once what changes.
        battery(&mut sim, 50);
        sim.run_for(secs(1));
        assert_eq!(texts(&observation, &sim).pop().as_deref(), Some("50"), "{}", sim.trace);
        assert_eq!((sim.client.stored_notifications(), sim.client.dropped_notifications()), (0, 0));
        nobody_complains(&sim);
    }
}

#[test]
fn a_server_may_choose_queue_mode_and_the_opposite() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    sim.run_for(secs(1_000));
    assert_eq!((happened(&sim, ASLEEP), sim.client.rest(sim.now())), (0, None), "it is reachable at any time");
    for (binding, sleeps) in [("UQ", true), ("U", false)] {
        let updates = requests(&sim, Code::POST, &location_of(&sim)).len();
        sim.update(1).unwrap();
        assert_eq!(sim.ask(0, |server| put(server, BINDING, binding)).code(), Some(Code::CHANGED));
        sim.run_for(secs(1));
        let updates = requests(&sim, Code::POST, &location_of(&sim)).split_off(updates);
        let told: Vec<_> = updates.iter().flat_map(Sent::query).collect();
        assert_eq!(told, [format!("b={binding}")]);
        assert_eq!(server(&sim).registration().unwrap().binding, binding);
        sim.run_for(secs(200));
        assert_eq!(is_asleep(&sim), sleeps, "{}", sim.trace);
        let told = texts(&observation, &sim).len();
        battery(&mut sim, if sleeps { 10 } else { 20 });
        sim.run_for(secs(1));
        assert_eq!(texts(&observation, &sim).len() - told, if sleeps { 0 } else { 1 }, "{}", sim.trace);
    }
    nobody_complains(&sim);
}

#[test]
fn who_reaches_a_sleeping_device_is_served_and_makes_it_awake() {
    let mut sim = online(sleepy(), device());
    let observation = watch(&mut sim, 0, BATTERY);
    fall_asleep(&mut sim);
    battery(&mut sim, 70);
    sim.run_for(secs(1_000));
    // A server that does not keep to it, and a device that left its radio on.
    server_mut(&mut sim).awake = DAY;
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "70");
    sim.run_for(secs(1));
    assert_eq!(texts(&observation, &sim), ["70"], "{}", sim.trace);
    assert_eq!((happened(&sim, UPDATED), is_asleep(&sim)), (0, false));
    let said = traffic(&sim).last().unwrap().0;
    fall_asleep(&mut sim);
    assert_eq!(times(&sim, ASLEEP).pop(), Some(said + secs(AWAKE)));
    nobody_complains(&sim);
}

#[test]
fn a_sleeping_device_is_not_woken_for_what_would_only_be_kept() {
    let mut sim = online(sleepy(), device());
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=30&pmax=60&st=5"), Code::CHANGED);
    let observation = watch(&mut sim, 0, BATTERY);
    // As long as it talks every minute it does not sleep.
    sim.run_for(secs(600));
    assert_eq!((texts(&observation, &sim).len(), happened(&sim, ASLEEP)), (10, 0), "{}", sim.trace);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmax=600"), Code::CHANGED);
    fall_asleep(&mut sim);
    let Some(Rest { until: Some(until), .. }) = sim.client.rest(sim.now()) else { panic!("an end") };
    let told = texts(&observation, &sim).len();
    for (level, kept) in [(78, 0), (70, 1), (77, 1), (77, 1)] {
        assert_eq!(sim.client.poll_timeout(), Some(until), "neither pmin nor pmax wakes it");
        battery(&mut sim, level);
        assert_eq!(sim.client.stored_notifications(), kept, "{level}");
        sim.run_for(secs(10));
    }
    // pmin has passed, and something comes anyway; then pmax has, of a value that moved by less than st.
    sim.run_for(secs(30));
    sim.client.handle_timeout(sim.now(), &mut sim.model);
    assert_eq!(sim.client.stored_notifications(), 1, "a timeout that nobody asked for makes none");
    battery(&mut sim, 77);
    assert_eq!(sim.client.stored_notifications(), 2);
    sim.run_for(secs(610));
    battery(&mut sim, 79);
    assert_eq!(sim.client.stored_notifications(), 3);
    // And of one that did not move it has nothing to say.
    sim.run_for(secs(2_000));
    battery(&mut sim, 79);
    assert_eq!(sim.client.stored_notifications(), 3);
    wake_up(&mut sim);
    assert_eq!(texts(&observation, &sim)[told..told + 3], ["70", "77", "79"], "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn a_device_without_a_network_keeps_the_schedule() {
    let mut sim = online(one_server(1), device());
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=30&pmax=600&st=5"), Code::CHANGED);
    let observation = watch(&mut sim, 0, BATTERY);
    sim.run_for(secs(100));
    sim.network_down();
    battery(&mut sim, 70);
    battery(&mut sim, 60);
    assert_eq!(sim.client.stored_notifications(), 1);
    let due = sim.now() + secs(30);
    assert_eq!(sim.client.poll_timeout(), Some(due));
    sim.run_for(secs(29));
    assert_eq!(sim.client.stored_notifications(), 1);
    sim.run_for(secs(1));
    assert_eq!((sim.client.stored_notifications(), sim.client.poll_timeout()), (2, None));
    // Less than st is told after pmax, and what did not change is not.
    battery(&mut sim, 61);
    assert_eq!(sim.client.poll_timeout(), Some(due + secs(600)));
    sim.run_for(secs(10_000));
    assert_eq!((sim.client.stored_notifications(), sim.client.poll_timeout()), (3, None));
    let back = sim.now();
    sim.network_up();
    sim.run_for(secs(2));
    assert_eq!(texts(&observation, &sim)[..3], ["70", "60", "61"], "{}", sim.trace);
    // pmax is over for long: the value of now is told behind them.
    assert_eq!(texts(&observation, &sim)[3..], ["61"], "{}", sim.trace);
    assert!(observation.notifications(&sim).iter().all(|sent| sent.at > back));
    nobody_complains(&sim);
}

/// How many notifications the application was told that were dropped.
fn told_dropped<M: DataModel>(sim: &Sim<M>) -> u32 {
    let count = |event| if let Event::NotificationsDropped { count } = event { count } else { 0 };
    news(sim).into_iter().map(count).sum()
}

#[test]
fn the_oldest_goes_when_there_is_no_room_and_is_counted() {
    let mut config = sleepy();
    // A record has 5 bytes, the token, and what it says.
    let mut sim = online(config.clone(), device());
    let token = watch(&mut sim, 0, BATTERY).token.len();
    config.limits.stored = 2 * (5 + token + 2) + 1;
    let mut sim = online(config, device());
    sim.model.timezone = Some("UTC".into());
    let [level, zone] = [BATTERY, Path::resource(3, 0, 15)].map(|path| watch(&mut sim, 0, path));
    fall_asleep(&mut sim);
    for level in 10..20 {
        battery(&mut sim, level);
        let kept = u32::from(level - 9).min(2);
        assert_eq!(sim.client.stored_notifications(), kept as usize);
        assert_eq!(sim.client.dropped_notifications(), u32::from(level - 9) - kept);
    }
    // One that is longer than all of it is dropped alone.
    sim.model.timezone = Some("x".repeat(2 * (5 + token)).into());
    sim.notify(zone.path);
    assert_eq!((sim.client.stored_notifications(), sim.client.dropped_notifications()), (2, 9));
    // One that fits drives out both, the last one of its observation too.
    sim.model.timezone = Some("y".repeat(token + 9).into());
    sim.notify(zone.path);
    assert_eq!((sim.client.stored_notifications(), sim.client.dropped_notifications()), (1, 11));
    wake_up(&mut sim);
    assert_eq!(told_dropped(&sim), 11);
    assert_eq!(texts(&zone, &sim), ["y".repeat(token + 9)], "{}", sim.trace);
    assert_eq!(texts(&level, &sim), ["19"], "nobody is left with an old value\n{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn a_notification_in_blocks_is_not_kept_and_the_value_of_then_is_told() {
    let mut sim = online(sleepy(), device());
    sim.model.timezone = Some("UTC".into());
    let zone = watch(&mut sim, 0, Path::resource(3, 0, 15));
    fall_asleep(&mut sim);
    sim.model.timezone = Some("z".repeat(1_200).into());
    sim.notify(zone.path);
    assert_eq!((sim.client.stored_notifications(), sim.client.dropped_notifications()), (0, 1));
    wake_up(&mut sim);
    let told = server(&sim).notifications(zone.operation);
    assert_eq!((told.len(), told[0].response.text()), (1, &*"z".repeat(1_200)), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn blocks_that_the_observer_asked_for_are_kept_while_there_is_one() {
    let mut sim = online(sleepy(), device());
    server_mut(&mut sim).block_size = Some(16);
    sim.model.timezone = Some("UTC".into());
    let zone = watch(&mut sim, 0, Path::resource(3, 0, 15));
    fall_asleep(&mut sim);
    for (length, dropped) in [(16, 0), (17, 1), (15, 1)] {
        sim.model.timezone = Some("z".repeat(length).into());
        sim.notify(zone.path);
        assert_eq!(sim.client.dropped_notifications(), dropped);
    }
    wake_up(&mut sim);
    assert_eq!(texts(&zone, &sim), ["z".repeat(16), "z".repeat(15)], "{}", sim.trace);
    let blocks = zone.notifications(&sim);
    assert!(blocks.iter().all(|sent| sent.message().block2().is_some_and(|block| !block.unwrap().more())));
    nobody_complains(&sim);
}

#[test]
fn what_was_kept_goes_with_the_registration_and_with_the_observation() {
    // A new registration, one that ends, a Disable, an observation that begins anew or ends.
    for case in 0..6 {
        let mut sim = online(one_server(1), device());
        let observation = watch(&mut sim, 0, BATTERY);
        if case == 2 {
            assert_eq!(sim.ask(0, |server| put(server, Path::resource(1, 0, 5), "60")).code(), Some(Code::CHANGED));
        }
        sim.network_down();
        battery(&mut sim, 70);
        battery(&mut sim, 60);
        assert_eq!(sim.client.stored_notifications(), 2);
        match case {
            0 => sim.network.rebind(),
            1 => sim.run_for(DAY),
            2 => drop(server_mut(&mut sim).execute(Path::resource(1, 0, 4), "")),
            3 => drop(server_mut(&mut sim).cancel(observation.operation)),
            4 => server_mut(&mut sim).forget(observation.operation),
            _ => sim.enter_flight_mode(),
        }
        sim.network_up();
        sim.leave_flight_mode();
        sim.run_for(secs(30));
        // The first one may be on its way by the time that its server has none of it.
        let told = texts(&observation, &sim);
        assert!(
            told.is_empty() || (case >= 2 && told == ["70"]) || (case == 3 && told == ["70", "60"]),
            "{case}: {told:?}\n{}",
            sim.trace
        );
        assert_eq!(sim.client.stored_notifications(), 0, "{case}\n{}", sim.trace);
        assert_eq!(told_dropped(&sim), sim.client.dropped_notifications(), "{case}");
        nobody_complains(&sim);
    }
}

#[test]
fn what_is_gone_while_its_observer_sleeps_is_told_at_wake_up() {
    let mut config = sharing(two_servers(1), &[Path::instance(30_000, 0)]);
    config.registration.queue_mode = true;
    let mut sim = racked(config);
    let observation = watch(&mut sim, 0, LEVEL);
    fall_asleep(&mut sim);
    sim.platform.servers[1].awake = DAY;
    assert_eq!(sim.ask(1, |server| server.delete(Path::instance(30_000, 0))).code(), Some(Code::DELETED));
    // The object list is another one: that wakes the device.
    sim.run_for(secs(5));
    let [last] = &*observation.notifications(&sim) else { panic!("one notification\n{}", sim.trace) };
    assert_eq!((last.code(), last.message().observe()), (Code::NOT_FOUND, None));
    assert!(times(&sim, UPDATED)[0] <= last.at, "first the Update\n{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn a_device_rests_when_all_its_servers_let_it() {
    let mut sim = online(two_servers(1), device());
    let bind = |sim: &mut Sim<_>, index: usize, binding| {
        let path = Path::resource(1, index as u16, 7);
        assert_eq!(sim.ask(index, |server| put(server, path, binding)).code(), Some(Code::CHANGED));
    };
    bind(&mut sim, 0, "UQ");
    sim.run_for(secs(200));
    assert_eq!(sim.client.rest(sim.now()), None, "the other one may ask at any time");
    assert!(is_asleep(&sim));
    bind(&mut sim, 1, "UQ");
    sim.run_for(secs(50));
    let now = sim.now();
    let [one, two] = [1, 2].map(|server| sim.client.rest_of(now, server).expect("a time to rest"));
    let both = sim.client.rest(now).expect("a time to rest");
    assert!(one.from <= now && two.from > now);
    assert_eq!((both.from, both.until), (two.from, one.until.min(two.until)));
    // Without a network nobody can reach it.
    sim.network_down();
    let rest = sim.client.rest(sim.now()).expect("a time to rest");
    assert_eq!(rest.from, sim.now());
    nobody_complains(&sim);
}

#[test]
fn a_device_does_not_rest_while_its_bootstrap_server_may_repeat_something() {
    let mut sim = terminal(1);
    sim.network_up();
    sim.run_for(secs(1));
    let finished = times(&sim, Event::BootstrapFinished)[0];
    let binding = sim.client.servers().count() as u16;
    let path = Path::resource(1, binding - 1, 7);
    let code = sim.ask(0, |server| put(server, path, "UQ")).code();
    assert_eq!(code, Some(Code::CHANGED), "{path}");
    sim.run_for(secs(1));
    let rest = sim.client.rest(sim.now()).expect("a time to rest");
    // EXCHANGE_LIFETIME.
    assert_eq!(rest.from, finished + secs(247));
    sim.run_for(secs(247));
    assert!(sim.client.rest(sim.now()).is_some_and(|rest| rest.from <= sim.now()));
}

#[test]
fn what_is_not_confirmable_leaves_at_a_distance() {
    let mut config = sleepy();
    config.confirmable_notifications = false;
    // It does not fall asleep in between.
    config.registration.awake = Some(secs(2));
    let mut sim = online(config, device());
    let observation = watch(&mut sim, 0, BATTERY);
    fall_asleep(&mut sim);
    (10..15).for_each(|level| battery(&mut sim, level));
    wake_up(&mut sim);
    sim.run_for(secs(20));
    assert_eq!(texts(&observation, &sim), ["10", "11", "12", "13", "14"], "{}", sim.trace);
    let notifications = observation.notifications(&sim);
    let non = |sent: &Sent| sent.kind() == MessageType::NonConfirmable;
    assert!(notifications.iter().all(non), "{}", sim.trace);
    // They need no room, and wait for the Update's answer all the same.
    assert!(notifications[0].at >= times(&sim, UPDATED)[0], "{}", sim.trace);
    assert!(notifications.windows(2).all(|two| two[1].at == two[0].at + secs(3)), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn a_network_that_goes_again_takes_nothing_of_what_is_kept() {
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    sim.network_down();
    (10..14).for_each(|level| battery(&mut sim, level));
    for _ in 0..3 {
        sim.network_up();
        sim.run_for(millis(100));
        sim.network_down();
        sim.run_for(secs(100));
    }
    assert_eq!(sim.client.stored_notifications(), 4, "{}", sim.trace);
    sim.network_up();
    sim.run_for(secs(2));
    // What was on its way is sent again, since nobody knows whether it came.
    assert_eq!(texts(&observation, &sim), ["10", "10", "10", "10", "11", "12", "13"], "{}", sim.trace);
    assert_eq!((sim.client.stored_notifications(), sim.client.dropped_notifications()), (0, 0));
    nobody_complains(&sim);
}

#[test]
fn a_snapshot_without_room_for_all_keeps_the_newest() {
    use lwm2m_core::{Client, Wake};

    let mut sim = online(sleepy(), device());
    let observation = watch(&mut sim, 0, BATTERY);
    fall_asleep(&mut sim);
    let mut flash = [0; 1_024];
    let bare = sim.client.snapshot(sim.now(), &mut flash).unwrap();
    (10..14).for_each(|level| battery(&mut sim, level));
    let size = 5 + observation.token.len() + 2;
    for (room, kept) in [(0, 0), (size - 1, 0), (size, 1), (3 * size, 3), (4 * size, 4), (100, 4)] {
        let len = sim.client.snapshot(sim.now(), &mut flash[..bare + room]).unwrap();
        assert_eq!(len, bare + kept * size);
        let mut woken = sim.clone();
        let wake = Wake::Sleep { elapsed: secs(0) };
        woken.client = Client::restore(sim.client.config().clone(), &flash[..len], sim.now(), wake).unwrap();
        assert_eq!(
            (woken.client.stored_notifications(), woken.client.dropped_notifications()),
            (kept, 4 - kept as u32)
        );
    }
    // The last one is left out as well: the value of then is told.
    let len = sim.client.snapshot(sim.now(), &mut flash[..bare]).unwrap();
    assert_eq!(len, bare);
    nobody_complains(&sim);
}

#[test]
fn a_server_that_does_not_answer_updates_is_told_later() {
    let mut config = one_server(1);
    config.confirmable_notifications = false;
    let mut sim = online(config, device());
    let observation = watch(&mut sim, 0, BATTERY);
    server_mut(&mut sim).go_down();
    sim.update(1).unwrap();
    // One Update was given up, and the next try comes.
    sim.run_for(secs(120));
    assert!(news(&sim).iter().any(|event| matches!(event, Event::UpdateFailed { .. })), "{}", sim.trace);
    for level in [10, 11] {
        battery(&mut sim, level);
        sim.run_for(secs(200));
    }
    assert_eq!((sim.client.stored_notifications(), observation.notifications(&sim)), (2, vec![]), "{}", sim.trace);
    server_mut(&mut sim).come_up();
    wake_up(&mut sim);
    sim.run_for(secs(5));
    assert_eq!(texts(&observation, &sim), ["10", "11"], "{}", sim.trace);
    assert!(happened(&sim, Event::ObservationCancelled { server: 1, path: BATTERY }) == 0);
    nobody_complains(&sim);
}

#[test]
fn an_observation_that_begins_anew_has_nothing_older_behind_it() {
    let mut config = one_server(1);
    config.confirmable_notifications = false;
    let mut sim = online(config, device());
    let observation = watch(&mut sim, 0, BATTERY);
    sim.network_down();
    for level in [70, 60, 50] {
        battery(&mut sim, level);
    }
    sim.network_up();
    sim.run_for(millis(500));
    let token = Token::new(&observation.token).unwrap();
    let again = Ask { observe: Some(0), ..Ask::new(Code::GET, "/3/0/9") };
    assert_eq!(sim.ask(0, |server| server.request_with(again, token)).response().text(), "50");
    sim.run_for(secs(20));
    assert_eq!(texts(&observation, &sim), ["70"], "{}", sim.trace);
    assert_eq!((sim.client.stored_notifications(), sim.client.dropped_notifications()), (0, 2));
    battery(&mut sim, 40);
    sim.run_for(secs(1));
    assert_eq!(texts(&observation, &sim), ["70", "40"], "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn a_server_that_wants_nothing_stored_any_more_is_told_no_more_of_it() {
    let mut config = one_server(1);
    config.confirmable_notifications = false;
    let mut sim = online(config, device());
    let observation = watch(&mut sim, 0, BATTERY);
    sim.network_down();
    for level in [70, 60, 50] {
        battery(&mut sim, level);
    }
    sim.network_up();
    sim.run_for(millis(500));
    assert_eq!(sim.ask(0, |server| put(server, STORING, "0")).code(), Some(Code::CHANGED));
    sim.run_for(secs(20));
    assert_eq!(texts(&observation, &sim), ["70"], "{}", sim.trace);
    assert_eq!((sim.client.stored_notifications(), sim.client.dropped_notifications()), (0, 2));
    nobody_complains(&sim);
}

#[test]
fn a_short_sleep_with_the_memory_off_does_not_make_the_awake_time_longer() {
    let mut sim = online(sleepy(), device());
    let said = traffic(&sim).last().unwrap().0;
    sim.run_for(secs(10));
    sim.sleep(secs(50));
    fall_asleep(&mut sim);
    sim.run_for(secs(1));
    assert_eq!(times(&sim, ASLEEP), [said + secs(AWAKE)], "{}", sim.trace);
}
