//! A small fleet lives as a large one should.

use crate::fleet::{Fleet, Plan};
use crate::life::HOUR;
use crate::rates::{Counts, Kind, Rates};
use crate::report::Summary;

/// Few enough for the patience of a test.
const DEVICES: u32 = 1_000;

fn counts(plan: Plan) -> Counts {
    let mut fleet = Fleet::new(plan);
    fleet.run(plan.hours * HOUR);
    assert_eq!(fleet.terminals().count() as u32, (plan.devices + plan.shard.1 - plan.shard.0) / plan.shard.1);
    fleet.counts.statistics = fleet.statistics();
    fleet.counts
}

/// In each bin the arrivals of its hour: a hundred seconds of a small fleet are chance alone.
fn by_hour(rates: &Rates) -> Rates {
    let hours = rates.bins.chunks(36);
    Rates { bins: hours.flat_map(|hour| std::iter::repeat_n(hour.iter().sum(), hour.len())).collect() }
}

#[test]
fn in_the_steady_state_no_hour_is_much_fuller_than_another_and_a_restart_stays_bounded() {
    let plan = Plan { devices: DEVICES, ..Plan::default() };
    let counts = counts(plan);
    let summary = Summary::new(&plan, &by_hour(&counts.rates));
    assert!(summary.steady.unwrap().ratio() < 2.5, "{summary:?}");
    assert!(summary.holds() && summary.restart.is_some(), "{summary:?}");
    // Each bootstraps once, and registers anew when the platform has forgotten it, or after a flight.
    assert!(counts.of(Kind::BootstrapRequest) >= DEVICES.into() && counts.of(Kind::Register) > 2 * u64::from(DEVICES));
    assert_eq!(counts.of(Kind::Strange), 0);
    assert!(counts.outages.iter().all(|count| *count > 0) && counts.unheard > 0 && counts.lost > 0, "{counts:?}");

    // The same fleet without the spread comes all at once.
    let together = Plan { spread: false, devices: 200, hours: 48, restart: None, ..plan };
    let rates = by_hour(&self::counts(together).rates);
    assert!(Summary::new(&together, &rates).steady.unwrap().ratio() > 5.0);
}

#[test]
fn shards_add_up_to_the_whole_and_so_does_a_fleet_that_keeps_its_clients() {
    let plan = Plan { devices: 100, hours: 48, ..Plan::default() };
    let whole = counts(plan);
    let resident = counts(Plan { resident: true, ..plan });
    assert_eq!(resident.rates, whole.rates);
    assert_eq!(resident.statistics, whole.statistics);
    assert!(whole.statistics.retransmissions > 0, "{:?}", whole.statistics);
    assert_eq!(counts(plan), whole, "the same seed");
    assert_ne!(counts(Plan { seed: 2, ..plan }).rates, whole.rates);

    let mut sum = Rates::default();
    (1..=3).for_each(|own| sum.join(&counts(Plan { shard: (own, 3), ..plan }).rates));
    assert_eq!(sum, whole.rates);
}

#[test]
fn a_bound_that_does_not_hold_is_seen() {
    let plan = Plan { hours: 48, restart: None, ..Plan::default() };
    let mut rates = Rates::new(plan.hours);
    rates.bins.fill(100);
    assert!(Summary::new(&plan, &rates).holds());
    rates.bins[1_000] = 251;
    assert!(!Summary::new(&plan, &rates).holds());

    let plan = Plan { hours: 48, ..Plan::default() };
    rates.bins.fill(100);
    rates.bins[36 * 36 + 1] = 500;
    assert!(Summary::new(&plan, &rates).holds(), "2 (100 s + 60 s + 93 s) / 100 s times the usual");
    rates.bins[36 * 36 + 1] = 507;
    assert!(!Summary::new(&plan, &rates).holds());
}
