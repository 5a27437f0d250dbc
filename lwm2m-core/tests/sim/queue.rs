//! Lives in queue mode, on good networks and on bad ones, and what must be true of all of them.
#![allow(clippy::std_instead_of_alloc, reason = "a test is no part of the library")]

use std::collections::BTreeSet;

use coap_codec::Message;
use lwm2m_core::sim::What;
use lwm2m_core::{Generator, Instant};

use super::*;

const ASLEEP: Event = Event::MaySleep { server: 1 };

/// Everything that is told to the server or kept for it, counted.
#[derive(Debug, Default)]
struct Book {
    /// The values of notifications that were made and kept, or dropped at once.
    kept: BTreeSet<i64>,
    /// How many of them were made while the device slept.
    asleep: usize,
    /// Times in which nothing was to be sent, as far as no input came.
    rests: Vec<(Instant, Instant)>,
}

fn is_asleep(sim: &Sim<(Device, Rack)>) -> bool {
    sim.client.rest_of(sim.now(), 1).is_some_and(|rest| rest.from <= sim.now())
}

/// A new value, each greater than the one before.
fn change(sim: &mut Sim<(Device, Rack)>, book: &mut Book) {
    let level = sim.model.1.levels[&0] + 1;
    let asleep = is_asleep(sim);
    let held = |sim: &Sim<_>| sim.client.stored_notifications() + sim.client.dropped_notifications() as usize;
    let before = held(sim);
    sim.model.1.levels.insert(0, level);
    sim.notify(LEVEL);
    // A restored client may have told or dropped others in the same call: only asleep nothing leaves.
    if asleep {
        let cancelled = happened(sim, Event::ObservationCancelled { server: 1, path: LEVEL }) > 0;
        let observed = !cancelled && server(sim).registers_seen() == 1;
        assert_eq!(held(sim) - before, usize::from(observed), "kept, or dropped and counted\n{}", sim.trace);
        book.asleep += usize::from(observed);
    }
    if held(sim) > before {
        book.kept.insert(level);
    }
}

fn live(seed: u64) -> (Sim<(Device, Rack)>, Watch, Book) {
    let mut random = Generator::new(Key::from_seed(seed));
    let mut draw = |below: u64| random.next_u64() % below;
    let mut config = one_server(seed);
    config.registration.queue_mode = true;
    config.registration.awake = [None, Some(secs(20)), Some(secs(200))][draw(3) as usize];
    config.confirmable_notifications = draw(2) == 0;
    config.limits.stored = [40, 100, 1_024][draw(3) as usize];
    let mut sim = racked(config);
    sim.model.1.levels.insert(0, 1_000);
    sim.notify(LEVEL);
    server_mut(&mut sim).awake = sim.client.config().awake_time().mul_f64(0.6);
    let observation = watch(&mut sim, 0, LEVEL);
    if draw(2) == 0 {
        sim.network.lose(150);
    }
    let mut book = Book::default();
    for _ in 0..60 {
        match draw(8) {
            0..=3 => change(&mut sim, &mut book),
            4 => drop(server_mut(&mut sim).read(BATTERY, None)),
            5 => drop(sim.update(1)),
            // With the memory off, perhaps for longer than was planned.
            6 if is_asleep(&sim) => sim.sleep(secs(draw(30_000))),
            _ => {}
        }
        let pause = [secs(draw(3)), secs(draw(300)), secs(draw(20_000))][draw(3) as usize];
        let now = sim.now();
        if let Some(rest) = sim.client.rest(now) {
            assert!(rest.until.is_none_or(|until| until > now), "{rest:?} is over\n{}", sim.trace);
            let end = rest.until.map_or(now + pause, |until| until.min(now + pause));
            book.rests.extend((rest.from < end).then_some((rest.from.max(now), end)));
        }
        sim.run_for(pause);
    }
    sim.network.set(Conditions::GOOD);
    sim.run_for(2 * DAY);
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
    (sim, observation, book)
}

#[track_caller]
fn check(sim: &Sim<(Device, Rack)>, observation: &Watch, book: &Book) {
    let awake = sim.client.config().awake_time();
    // When something was sent or came, and whether the device sent it.
    let mut traffic: Vec<_> = sim
        .trace
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Datagram { dir: Direction::ToServer, bytes, .. } => Some((entry.at, Some(bytes))),
            What::Datagram { fate: Fate::Delivered, arrives_at, .. } => Some(((*arrives_at)?, None)),
            _ => None,
        })
        .collect();
    traffic.sort_by_key(|(at, _)| *at);
    let sleeps = times(sim, ASLEEP);
    assert!(sleeps.len() > 3, "{}", sim.trace);
    for asleep in sleeps {
        let before = traffic.iter().rfind(|(at, _)| *at < asleep).expect("a message").0;
        assert!(between(before, asleep) >= awake, "{asleep} is too early\n{}", sim.trace);
        // What ends it is an Update or a Register, or somebody who asks all the same.
        if let Some((at, Some(bytes))) = traffic.iter().find(|(at, _)| *at > asleep) {
            assert_eq!(Message::parse(bytes).unwrap().code(), Code::POST, "{at}\n{}", sim.trace);
        }
    }
    for &(from, end) in &book.rests {
        if let Some((at, Some(_))) = traffic.iter().find(|(at, _)| *at > from) {
            assert!(*at >= end, "it does not rest from {from} to {end}\n{}", sim.trace);
        }
    }
    let told: Vec<i64> = observation.told(sim).into_iter().map(|(_, text)| text.parse().unwrap()).collect();
    assert!(told.is_sorted_by(|one, next| one < next), "in order, each once: {told:?}\n{}", sim.trace);
    let kept = told.iter().filter(|level| book.kept.contains(*level)).count();
    let dropped = sim.client.dropped_notifications() as usize;
    assert_eq!(sim.client.stored_notifications(), 0, "{}", sim.trace);
    if happened(sim, Event::ObservationCancelled { server: 1, path: LEVEL }) == 0 {
        assert_eq!(kept + dropped, book.kept.len(), "none lost, none invented\n{}", sim.trace);
        let whole = server(sim).registers_seen() == 1;
        let last = Some(&sim.model.1.levels[&0]).filter(|level| !told.is_empty() || **level > 1_000);
        assert!(!whole || told.last() == last, "and the last value is known\n{}", sim.trace);
    } else {
        // The one that was not acknowledged was told, perhaps, and counts as dropped.
        assert!(kept + dropped >= book.kept.len() && kept + dropped <= book.kept.len() + 1, "{}", sim.trace);
    }
    nobody_complains(sim);
}

/// `QUEUE=A..B` lives other lives.
#[test]
fn a_device_in_queue_mode_sleeps_when_it_may_and_forgets_nothing() {
    let range = std::env::var("QUEUE").unwrap_or_else(|_| "0..40".to_string());
    let (first, end) = range.split_once("..").expect("QUEUE is a range");
    let (mut kept, mut asleep, mut dropped, mut lost, mut rests) = (0, 0, 0, 0, 0);
    for seed in first.parse().unwrap()..end.parse().unwrap() {
        let (sim, observation, book) = live(seed);
        check(&sim, &observation, &book);
        kept += book.kept.len();
        asleep += book.asleep;
        dropped += sim.client.dropped_notifications();
        lost += sim.network.counts().lost;
        rests += book.rests.len();
    }
    let seen = (kept, asleep, dropped, lost, rests);
    assert!(kept > 100 && asleep > 100 && dropped > 20 && lost > 50 && rests > 100, "{seen:?}");
}
