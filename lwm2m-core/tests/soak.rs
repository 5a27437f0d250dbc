//! A small share of the soak: lives in which anything goes wrong, each step of them watched.
//!
//! The program has more: `cargo run --profile soak --example soak -- --seeds 0..1000`.
#![allow(missing_docs, reason = "a test")]

use core::time::Duration;

use lwm2m_core::sim::faults::{Kind, Mood, Moody};
use lwm2m_core::sim::observer::Invariant;
use lwm2m_core::sim::soak::{Failure, Profile, Soak, Subject, Terminal};
use lwm2m_core::sim::{Conditions, Direction, Fate, Sim, What};
use lwm2m_core::{
    Args, Config, Credentials, Ctx, DataModel, DataType, Generator, Key, Leaf, ObjectDef, Operations, Path, Refusal,
    ResourceDef, Sink, Value,
};

const DAY: Duration = Duration::from_secs(86_400);

fn soak(profile: Profile, length: Duration) -> Soak<Terminal> {
    Soak { subject: Terminal, profile, length }
}

/// Lives, none of which may fail.
#[track_caller]
fn all_is_well(profile: Profile, length: Duration, seeds: core::ops::Range<u64>) -> u64 {
    let soak = soak(profile, length);
    seeds
        .map(|seed| {
            let life = soak.live(seed);
            assert_eq!(life.failure, None, "{} {seed}: see the example soak", profile.name());
            assert!(life.lived >= length, "{:?}", life.lived);
            life.steps
        })
        .sum()
}

#[test]
fn quiet_and_busy_lives_violate_nothing() {
    let quiet = all_is_well(Profile::Quiet, 7 * DAY, 0..4);
    assert!(quiet > 4 * 7 * 24 * 3, "{quiet} events: hourly notifications, and their acknowledgements");
    let busy = all_is_well(Profile::Busy, 2 * DAY, 0..2);
    assert!(busy > 2 * 2 * 288 * 3, "{busy} events");
}

#[test]
fn wild_lives_violate_nothing() {
    assert!(all_is_well(Profile::Wild, 4 * DAY, 0..8) > 10_000);
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let soak = soak(Profile::Wild, DAY / 2);
    let trace = |seed| soak.trace(seed, soak.plan(seed));
    assert_eq!(trace(3), trace(3));
    assert_ne!(trace(3), trace(4));
}

/// A device whose Reboot does what it must not.
struct Fragile;

type Objects = <Terminal as Subject>::Model;

#[derive(Debug)]
struct Explosive(Objects);

impl Subject for Fragile {
    type Model = Explosive;

    fn model(&self) -> Explosive {
        Explosive(Terminal.model())
    }

    fn change(&self, model: &mut Explosive, random: &mut Generator) -> Path {
        Terminal.change(&mut model.0, random)
    }

    fn observed(&self) -> Path {
        Terminal.observed()
    }

    fn config(&self, _: Profile, seed: u64) -> Config {
        Config::new("fragile", Key::from_seed(seed)).server(1, "coap://dm.example", Credentials::NoSec, 3_600)
    }
}

impl DataModel for Explosive {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        self.0.next_object(after)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        self.0.next_instance(object, after)
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.0.next_resource(object, instance, after)
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.0.read(ctx, at, out)
    }

    fn execute(&mut self, _: &Ctx, at: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        panic!("{at} explodes")
    }
}

#[test]
fn a_failure_is_shrunk_to_the_fault_that_it_takes() {
    let soak = Soak { subject: Fragile, profile: Profile::Wild, length: 4 * DAY };
    let (seed, failure) = (0..20).find_map(|seed| Some((seed, soak.live(seed).failure?))).expect("an Execute");
    assert!(matches!(&failure, Failure::Panicked(words) if words.ends_with("explodes")), "{failure}");
    let shrunk = soak.shrink(seed, &failure, 100);
    let plan = soak.plan(seed);
    let kinds: Vec<_> = shrunk.faults.iter().map(|number| plan.faults[*number].kind).collect();
    assert_eq!(kinds, [Kind::Execute], "of {} faults, in {} lives", plan.faults.len(), shrunk.tries);
    assert!(soak.live_with(seed, plan.only(&shrunk.faults)).failure.is_some_and(|again| again.is_like(&failure)));
}

/// A trace ends where the life did.
#[test]
fn a_life_that_panics_is_traced_as_far_as_it_went() {
    let soak = Soak { subject: Fragile, profile: Profile::Wild, length: 4 * DAY };
    let (seed, life) = (0..20).map(|seed| (seed, soak.live(seed))).find(|(_, life)| life.failure.is_some()).unwrap();
    let trace = soak.trace(seed, soak.plan(seed));
    assert!(trace.entries.len() > 10 && life.steps > 10 && life.lived < soak.length, "{trace}");
}

#[test]
fn a_tour_comes_by_everything() {
    let tour = soak(Profile::Wild, DAY).tour();
    assert_eq!(tour.failure, None);
    assert!(tour.steps > 400, "{}", tour.steps);
    let fragile = Soak { subject: Fragile, profile: Profile::Quiet, length: DAY }.tour();
    let words = "/3/0/4 explodes, at Execute /3/0/4";
    assert_eq!(fragile.failure, Some(Failure::Panicked(words.into())));
}

/// A subject that is not what it says.
#[derive(Clone, Copy)]
enum Mistaken {
    Type,
    Nowhere,
    Still,
}

static ODD: ObjectDef =
    ObjectDef::new(40_000, "Odd", &[ResourceDef::new(0, "Level", Operations::R, DataType::Integer).mandatory()]);

#[derive(Debug)]
struct Odd(Value<'static>);

impl DataModel for Odd {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < ODD.id).then_some(&ODD)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        (object == ODD.id && after.is_none()).then_some(0)
    }

    fn next_resource(&self, object: u16, _: u16, after: Option<u16>) -> Option<u16> {
        (object == ODD.id && after.is_none()).then_some(0)
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        Ok(out.value(at, self.0)?)
    }
}

impl Subject for Mistaken {
    type Model = Odd;

    fn model(&self) -> Odd {
        Odd(if matches!(self, Self::Type) { Value::Str("7") } else { Value::Int(7) })
    }

    fn change(&self, _: &mut Odd, _: &mut Generator) -> Path {
        if matches!(self, Self::Nowhere) { Path::resource(40_000, 0, 1) } else { self.observed() }
    }

    fn observed(&self) -> Path {
        Path::resource(40_000, 0, 0)
    }
}

#[test]
fn a_subject_that_is_not_what_it_says_is_no_success() {
    let failure = |subject, tour| {
        let soak = Soak { subject, profile: Profile::Quiet, length: DAY };
        if tour { soak.tour() } else { soak.live(1) }.failure.map(|failure| failure.to_string())
    };
    let said = |words: &str| Some(format!("the subject: {words}"));
    assert_eq!(failure(Mistaken::Type, true), said("Read /40000/0/0 was answered 5.00"));
    let nowhere = "something changed at /40000/0/1, it says, and there is no such value";
    assert_eq!(failure(Mistaken::Nowhere, false), said(nowhere));
    let still = "something changed at /40000/0/0, it said 8 times in a row, and nothing did";
    assert_eq!(failure(Mistaken::Still, false), said(still));
    assert_eq!(failure(Mistaken::Still, true), None);
}

fn terminal() -> Sim<Moody<Objects>> {
    let config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 600);
    let mut sim = Sim::starting_at(lwm2m_core::Instant::from_secs(100_000), config, Moody::new(Terminal.model()), 1);
    sim.watch();
    sim.network_up();
    sim.run_for(Duration::from_secs(1));
    sim
}

/// The observer does not know that the client was told something behind the simulator's back.
#[test]
fn a_client_that_speaks_in_flight_mode_is_reported() {
    let mut sim = terminal();
    sim.enter_flight_mode();
    sim.run_for(Duration::from_secs(1));
    assert_eq!(sim.violations(), []);
    sim.client.leave_flight_mode(sim.clock());
    sim.run_for(Duration::from_secs(1));
    let first = sim.violations().first().expect("a violation");
    assert_eq!(first.invariant, Invariant::Silence);
    assert_eq!(first.to_string(), "silence at 100002.000 s: a connect after it may proceed to FlightMode");
}

#[test]
fn the_devices_clock_may_step_and_nothing_is_late() {
    for seconds in [-5_000, 5_000] {
        let mut sim = terminal();
        sim.run_for(Duration::from_secs(100));
        sim.step_clock(seconds);
        let apart = sim.clock().as_micros() as i64 - sim.now().as_micros() as i64;
        assert_eq!(apart, seconds * 1_000_000);
        sim.run_for(Duration::from_secs(1_200));
        assert!(sim.platform.servers[0].registration().is_some());
        assert!(sim.client.is_registered(sim.clock(), 1));
        assert_eq!(sim.violations(), []);
    }
}

#[test]
fn an_application_refuses_and_is_late() {
    use lwm2m_core::coap_codec::Code;
    let battery = Path::resource(3, 0, 9);
    let mut sim = terminal();
    sim.model.mood.set(Mood::Refusing(Code::NOT_FOUND));
    assert_eq!(sim.ask(0, |server| server.read(battery, None)).code(), Some(Code::NOT_FOUND));
    sim.model.mood.set(Mood::Late);
    let read = sim.platform.servers[0].read(battery, None);
    sim.run_for(Duration::from_secs(10));
    assert_eq!(sim.platform.servers[0].answer(read), None);
    let ticket = sim.model.take_ticket().expect("a ticket");
    sim.resume(ticket).unwrap();
    sim.run_for(Duration::from_secs(1));
    assert_eq!(sim.platform.servers[0].answer(read).unwrap().response().text(), "80");
    // One that never comes is given up by the client.
    let answer = sim.ask(0, |server| server.read(battery, None));
    assert_eq!(answer.code(), Some(Code::SERVICE_UNAVAILABLE));
    assert_eq!(sim.violations(), []);
}

#[test]
fn what_is_too_long_for_the_network_is_lost() {
    let mut sim = terminal();
    sim.network.set(Conditions { mtu: 60, ..Conditions::GOOD });
    sim.run_for(Duration::from_secs(700));
    let lost = |entry: &&lwm2m_core::sim::Entry| matches!(&entry.what, What::Datagram { dir: Direction::ToServer, fate: Fate::Oversized, bytes, .. } if bytes.len() > 60);
    assert_eq!(sim.trace.entries.iter().filter(lost).count(), sim.network.counts().oversized);
    assert_eq!(sim.violations(), []);
    // A Register is longer than an Update.
    sim.platform.servers[0].restart();
    sim.run_for(Duration::from_secs(1_200));
    assert!(sim.network.counts().oversized > 0);
    assert_eq!(sim.violations(), []);
}

#[test]
fn entropy_that_repeats_itself_repeats_numbers() {
    let ids = |alike| {
        let mut sim = terminal();
        if alike {
            sim.reboot_alike()
        } else {
            sim.reboot()
        }
        sim.network_up();
        sim.run_for(Duration::from_secs(1));
        let registers = sim.trace.entries.iter().filter_map(|entry| match &entry.what {
            What::Datagram { dir: Direction::ToServer, bytes, .. } if bytes[1] == 2 => Some([bytes[2], bytes[3]]),
            _ => None,
        });
        let ids: Vec<_> = registers.collect();
        assert_eq!(sim.violations(), []);
        ids[0] == ids[1]
    };
    assert!(ids(true) && !ids(false));
}

#[test]
fn a_restart_from_an_older_snapshot_uses_no_number_again() {
    let mut sim = terminal();
    sim.keep_snapshot();
    // Updates leave that the snapshot knows nothing of.
    sim.run_for(Duration::from_secs(1_300));
    let updates = sim.platform.servers[0].updates_seen();
    sim.reboot_from_older_flash();
    sim.network_up();
    sim.run_for(Duration::from_secs(1));
    assert!(updates > 1 && sim.platform.servers[0].registers_seen() == 2);
    let requests = sim.trace.entries.iter().filter_map(|entry| match &entry.what {
        What::Datagram { dir: Direction::ToServer, bytes, .. } => Some([bytes[2], bytes[3]]),
        _ => None,
    });
    let mut ids: Vec<_> = requests.collect();
    let sent = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), sim.violations()), (sent, &[][..]));
}

#[test]
fn every_invariant_has_a_name_of_its_own() {
    let mut names: Vec<_> = Invariant::ALL.map(Invariant::name).into();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Invariant::ALL.len());
}
