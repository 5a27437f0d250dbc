//! Whole lives, on good networks and on bad ones.

use super::*;

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
    assert_eq!(online.links.iter().map(|link| link.target.as_str()).collect::<Vec<_>>(), ["/", "/1/0", "/3/0"]);

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
