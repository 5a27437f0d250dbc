//! XA: thresholds, and which changes they let be told.

use coap_codec::Code;

use crate::terminal::*;

const CHANGED: Code = Code::CHANGED;
const BAD_REQUEST: Code = Code::BAD_REQUEST;

#[test]
fn xa_03_thresholds_must_go_together() {
    for query in ["lt=9&gt=4", "gt=5&lt=5", "lt=4&gt=9&st=3"] {
        let mut sim = online(one_server(1), device());
        assert_eq!(attributes(&mut sim, 0, "/3/0/9", query), BAD_REQUEST, "{query}");
        assert_eq!(set_at(&mut sim, 0, BATTERY), "");
        // Nor may they come to it one by one.
        let mut one_by_one: Vec<_> = query.split('&').collect();
        let last = one_by_one.pop().unwrap();
        for single in &one_by_one {
            assert_eq!(attributes(&mut sim, 0, "/3/0/9", single), CHANGED, "{single}");
        }
        let before = set_at(&mut sim, 0, BATTERY);
        assert_eq!(attributes(&mut sim, 0, "/3/0/9", last), BAD_REQUEST, "{last} after {one_by_one:?}");
        assert_eq!(set_at(&mut sim, 0, BATTERY), before);
        // What is in the way can be taken away by the same request.
        assert_eq!(
            attributes(&mut sim, 0, "/3/0/9", &format!("{last}&{}", one_by_one[0].split('=').next().unwrap())),
            CHANGED
        );
    }
    let mut sim = online(one_server(1), device());
    for query in ["lt=4&gt=9&st=2.4", "lt=-9&gt=-4.5&st", "gt=0.5&lt&st=30", "gt&lt=-0.5"] {
        assert_eq!(attributes(&mut sim, 0, "/3/0/9", query), CHANGED, "{query}");
    }
    assert_eq!(set_at(&mut sim, 0, BATTERY), "lt=-0.5;st=30");
}

/// One pair: a level that was told last, and the one that it changes to.
#[track_caller]
fn is_told(query: &str, last: i64, level: i64) -> bool {
    let mut sim = racked(one_server(1));
    sim.model.1.levels = [(0, last)].into();
    assert_eq!(attributes(&mut sim, 0, "/30000/0/0", query), CHANGED);
    let observation = watch(&mut sim, 0, LEVEL);
    sim.model.1.levels = [(0, level)].into();
    observation.run_to(&mut sim, secs(5));
    sim.notify(LEVEL);
    observation.run_to(&mut sim, DAY);
    let told = observation.told(&sim);
    assert!(told.is_empty() || told == [(secs(5), level.to_string())], "{told:?}");
    !told.is_empty()
}

#[test]
fn xa_12_greater_than_and_step_pair_by_pair() {
    for (last, level) in [(20, 35), (45, 50), (50, 40), (35, 20), (20, 30), (45, 46)] {
        assert!(is_told("gt=45&st=10", last, level), "{last} -> {level}");
    }
    for (last, level) in [(20, 29), (44, 45), (46, 54)] {
        assert!(!is_told("gt=45&st=10", last, level), "{last} -> {level}");
    }
    // Each by itself.
    for (query, last, level, told) in [
        ("gt=45", 20, 35, false),
        ("gt=45", 45, 46, true),
        ("gt=45", 46, 45, true),
        ("st=10", 44, 46, false),
        ("st=10", 20, 30, true),
        ("st=10", 30, 20, true),
        ("st=0", 30, 31, true),
        ("st=0", 30, 30, false),
    ] {
        assert_eq!(is_told(query, last, level), told, "{query}: {last} -> {level}");
    }
}

#[test]
fn xa_13_less_than_greater_than_and_step_pair_by_pair() {
    const QUERY: &str = "lt=20&gt=85&st=10";
    for (last, level) in [(17, 24), (75, 90), (50, 10), (87, 99), (20, 19), (19, 20), (85, 86), (24, 34)] {
        assert!(is_told(QUERY, last, level), "{last} -> {level}");
    }
    for (last, level) in [(24, 33), (84, 85), (20, 29)] {
        assert!(!is_told(QUERY, last, level), "{last} -> {level}");
    }
    for (query, last, level, told) in [
        ("lt=20", 24, 34, false),
        ("lt=20", 20, 19, true),
        ("lt=-20", -20, -21, true),
        ("lt=-20", -19, -20, false),
        ("lt=20&gt=85", 10, 90, true),
        ("lt=20&gt=85", 20, 85, false),
    ] {
        assert_eq!(is_told(query, last, level), told, "{query}: {last} -> {level}");
    }
}

/// Steps are counted from the value that was told last, not from the one before.
#[test]
fn xa_13_many_small_steps_are_a_large_one() {
    let mut sim = online(one_server(1), (device(), Gauge(20.0)));
    assert_eq!(attributes(&mut sim, 0, "/30001/0/0", "st=0.5&pmin=3"), CHANGED);
    let observation = watch(&mut sim, 0, VALUE);
    for tenth in 1..=12 {
        observation.run_to(&mut sim, secs(10 * tenth));
        sim.model.1.0 = 20.0 + f64::from(tenth as u32) / 8.0;
        sim.notify(VALUE);
    }
    let told = [(40, "20.5"), (80, "21"), (120, "21.5")].map(|(at, text)| (secs(at), text.to_string()));
    assert_eq!(observation.told(&sim), told, "{}", sim.trace);
    // A step that is undone within pmin is told, as every change is.
    sim.model.1.0 = 30.0;
    sim.notify(VALUE);
    sim.model.1.0 = 21.5;
    sim.notify(VALUE);
    observation.run_to(&mut sim, secs(200));
    assert_eq!(observation.told(&sim)[3..], [(secs(123), "21.5".to_string())], "{}", sim.trace);
}

/// A float stands for its shortest decimal; one that is the threshold is on neither side of it.
#[test]
fn xa_13_a_large_float_at_a_threshold_does_not_cross_it_and_a_step_between_two_is_a_step() {
    for (query, last, value, expected) in [
        ("lt=1700000000.1", 1_700_000_000.2, 1_700_000_000.1, false),
        ("gt=-1700000000.1", -1_700_000_000.2, -1_700_000_000.1, false),
        ("gt=1700000000.1", 1_700_000_000.0, 1_700_000_000.1, false),
        ("st=0.1", 1_700_000_000.1, 1_700_000_000.2, true),
    ] {
        let mut sim = online(one_server(1), (device(), Gauge(last)));
        assert_eq!(attributes(&mut sim, 0, "/30001/0/0", query), CHANGED);
        let observation = watch(&mut sim, 0, VALUE);
        sim.model.1.0 = value;
        sim.notify(VALUE);
        observation.run_to(&mut sim, secs(10));
        assert_eq!(!observation.told(&sim).is_empty(), expected, "{query} {last} {value}");
    }
}

/// Own: a threshold on a multiple resource holds for each of its instances.
#[test]
fn thresholds_of_a_multiple_resource_hold_for_each_instance() {
    let mut sim = online(one_server(1), powered());
    assert_eq!(attributes(&mut sim, 0, "/3/0/7", "gt=4000&st=500"), CHANGED);
    let observation = watch(&mut sim, 0, VOLTAGE);
    let mut told = 0;
    for (sources, expected) in [
        (&[(0, 3_800), (1, 5_000)][..], false),
        (&[(0, 3_900), (1, 4_600)], false),
        // One crosses the line; the other one moves a step; both do.
        (&[(0, 4_001), (1, 4_600)], true),
        (&[(0, 4_001), (1, 5_100)], true),
        (&[(0, 3_000), (1, 3_000)], true),
        // One comes, one goes, one has another number.
        (&[(0, 3_000), (1, 3_000), (2, 3_000)], true),
        (&[(0, 3_000), (2, 3_000)], true),
        (&[(0, 3_000), (3, 3_000)], true),
        (&[], true),
        (&[(0, 3_000)], true),
        (&[(0, 3_001)], false),
    ] {
        sim.model.sources[1] = sources.iter().copied().collect();
        sim.notify(VOLTAGE);
        sim.run_for(secs(10));
        told += usize::from(expected);
        assert_eq!(observation.told(&sim).len(), told, "{sources:?}\n{}", sim.trace);
    }
}
