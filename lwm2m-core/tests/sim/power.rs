//! Lives in power saving mode and with extended DRX: the radio sleeps in cycles, and the registration lives on.

use lwm2m_core::sim::Radio;
use lwm2m_core::{Config, Generator, Instant, Rest};

use super::*;

const DAYS: u64 = 20;

/// A device that measures in cycles.
#[derive(Clone, Copy, Debug)]
struct Cycle {
    radio: Radio,
    lifetime: u32,
    asleep: Duration,
    /// Whether it says when it wakes.
    plans: bool,
    queue: bool,
    confirmable: bool,
    loss: u16,
}

fn config(cycle: &Cycle) -> Config {
    let mut config =
        Config::new(NAME, Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, cycle.lifetime);
    config.registration.queue_mode = cycle.queue;
    // T3324: how long the modem listens after it was told something.
    config.registration.awake = Some(secs(10));
    config.confirmable_notifications = cycle.confirmable;
    config
}

/// What a life has cost.
#[derive(Debug, Default)]
struct Cost {
    cycles: usize,
    updates: usize,
    /// How often it had to wake between measurements.
    extra: usize,
    told: usize,
}

/// Some weeks of it.
#[track_caller]
fn live(cycle: &Cycle) -> Cost {
    let mut sim = Sim::new(config(cycle), device(), 1);
    sim.watch();
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registration().is_some()));
    server_mut(&mut sim).awake = secs(8);
    let observation = server_mut(&mut sim).observe(BATTERY, None);
    sim.run_for(secs(2));
    sim.network.lose(cycle.loss);
    let (mut cost, end, mut random) =
        (Cost::default(), sim.now() + DAYS as u32 * DAY, Generator::new(Key::from_seed(2)));
    let mut measurement = sim.now() + cycle.asleep;
    while sim.now() < end {
        // It stays awake for its server to ask, and until nothing is on its way: not even what its plan makes due.
        loop {
            sim.run_for(secs(11));
            let may_sleep = |sim: &Sim<_>| {
                let rests = |rest: Rest| rest.from <= sim.now();
                sim.client.usage().exchanges == 0 && (!cycle.queue || sim.client.rest(sim.now()).is_some_and(rests))
            };
            assert!(sim.run_until(secs(600), may_sleep), "{}", sim.trace);
            if cycle.plans {
                let until = between(sim.now(), measurement);
                sim.will_be_unreachable(until);
            }
            if may_sleep(&sim) && sim.client.poll_timeout() > Some(sim.now()) {
                break;
            }
        }
        let now = sim.now();
        let due = sim.client.poll_timeout().unwrap_or(measurement).max(now);
        let wake = due.min(measurement);
        let before = sim.trace.datagrams(Direction::ToServer);
        if wake > now {
            sim.doze(between(now, wake), cycle.radio);
        }
        let woke = sim.now();
        sim.run_for(Duration::from_millis(10));
        let said = sim.trace.datagrams(Direction::ToServer) - before;
        assert!(said <= 2, "{said} datagrams at once at {woke}\n{}", sim.trace);
        if woke >= measurement {
            cost.cycles += 1;
            measurement = measurement + cycle.asleep;
            sim.model.battery_level = Some((random.next_u64() % 100) as u8);
            sim.notify(BATTERY);
        } else {
            cost.extra += 1;
        }
        assert!(server(&sim).registration().is_some(), "the server knows it\n{}", sim.trace);
    }
    assert_eq!(server(&sim).registers_seen(), 1, "{cycle:?}\n{}", sim.trace);
    assert_eq!(sim.violations(), [], "{cycle:?}");
    cost.updates = server(&sim).updates_seen();
    cost.told = server(&sim).notifications(observation).len();
    cost
}

#[test]
fn the_registration_lives_through_weeks_of_power_saving() {
    let ways = [(true, true, 0), (true, false, 100), (false, true, 100), (false, false, 0)];
    for radio in [Radio::PowerSaving, Radio::ExtendedDrx] {
        let cycles = [(86_400, 1), (86_400, 7), (86_400, 23), (7_200, 1)];
        for ((lifetime, hours), (queue, confirmable, loss)) in cycles.into_iter().zip(ways) {
            let asleep = secs(hours * 3_600);
            let cycle = Cycle { radio, lifetime, asleep, plans: true, queue, confirmable, loss };
            let cost = live(&cycle);
            assert!(cost.cycles as u64 >= DAYS * 24 / hours - 1, "{cost:?} {cycle:?}");
            // What did not get through is tried again a little later, and that is a wake-up of its own.
            assert!(cost.extra == 0 || loss > 0, "{cost:?} {cycle:?}");
            // One Update in as many cycles as the lifetime has room for; one that is lost with its answer counts twice.
            let room = (u64::from(lifetime) - 250) / asleep.as_secs();
            let needed = DAYS * 86_400 / (room * asleep.as_secs());
            assert!(cost.updates as u64 <= needed + needed / 4 + 2, "{needed} {cost:?} {cycle:?}");
            assert!(cost.told * 10 >= cost.cycles * 8, "{cost:?} {cycle:?}");
        }
    }
}

#[test]
fn who_says_when_it_wakes_need_not_wake_for_updates() {
    let asleep = secs(5 * 3_600);
    let [planned, unplanned] = [true, false].map(|plans| {
        live(&Cycle {
            radio: Radio::PowerSaving,
            lifetime: 86_400,
            asleep,
            plans,
            queue: true,
            confirmable: true,
            loss: 0,
        })
    });
    assert_eq!(planned.extra, 0, "{planned:?}");
    assert!(unplanned.extra >= 18, "{unplanned:?}");
}

#[test]
fn what_waits_in_the_network_is_answered_on_waking_and_what_does_not_is_lost() {
    for (radio, answered) in [(Radio::ExtendedDrx, true), (Radio::PowerSaving, false)] {
        let mut sim = Sim::new(one_server(1), device(), 1);
        sim.watch();
        sim.network_up();
        sim.run_for(secs(1));
        let read = server_mut(&mut sim).read(BATTERY, None);
        sim.doze(Duration::from_millis(20_480), radio);
        sim.run_for(secs(1));
        // The server repeated its request three times meanwhile: all of them come at once.
        let answer = server(&sim).answer(read).map(|answer| answer.response().text());
        assert_eq!(answer.is_some(), answered, "{}", sim.trace);
        assert_eq!(sim.violations(), []);
    }
}

#[test]
fn an_unanswered_update_is_not_a_failure_of_its_server() {
    let mut sim = Sim::new(one_server(1), device(), 1);
    sim.watch();
    sim.network_up();
    sim.run_for(secs(100));
    sim.network.lose_next(Direction::ToServer);
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    sim.doze(secs(7_000), Radio::PowerSaving);
    let woke: Instant = sim.now();
    sim.run_for(secs(1));
    assert_eq!(times(&sim, Event::Updated { server: 1 }), [woke + Duration::from_millis(60)], "{}", sim.trace);
    assert_eq!(happened(&sim, Event::UpdateFailed { server: 1, reason: Reason::TimedOut }), 0);
    assert_eq!(sim.violations(), []);
}
