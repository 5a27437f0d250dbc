//! Observations.

use super::*;

#[test]
fn a_notification_belongs_to_an_observation_and_is_new() {
    let observe = |id, value: &[u8]| message(CON, Code::GET, id, 8, &[(OptionNumber::OBSERVE, value)]);
    let told = |kind, id, sequence: u8| message(kind, Code::CONTENT, id, 8, &[(OptionNumber::OBSERVE, &[sequence])]);
    let observed = || {
        let mut bench = Bench::registered();
        bench.delivered(&observe(70, &[]), &[&told(ACK, 70, 1)], &[]);
        bench.delivered(&empty(ACK, 1), &[], &[]);
        bench
    };
    let mut good = observed();
    for (id, sequence) in [(11, 2), (12, 3), (13, 9)] {
        good.sent(&told(CON, id, sequence));
        good.delivered(&empty(ACK, id), &[], &[]);
    }
    good.is_well();

    let mut bench = Bench::registered();
    bench.sent(&told(NON, 11, 2));
    bench.reports(Invariant::Observation);
    for repeated in [1, 0] {
        let mut bench = observed();
        bench.sent(&told(NON, 11, repeated));
        bench.reports(Invariant::Observation);
    }
    // It ends with a Reset, and with the registration.
    let mut bench = observed();
    bench.sent(&told(NON, 11, 2));
    bench.delivered(&empty(RST, 11), &[], &[]);
    bench.sent(&told(NON, 12, 3));
    bench.reports(Invariant::Observation);
    let mut bench = observed();
    bench.input(&Input::AddressChanged { now: Instant::ZERO });
    bench.register(2);
    bench.sent(&told(NON, 12, 3));
    bench.reports(Invariant::Observation);
    // Also with the Reset of an answer that came late.
    let mut bench = Bench::registered();
    bench.delivered(&observe(70, &[]), &[&empty(ACK, 70)], &[]);
    bench.sent(&told(CON, 10, 1));
    bench.delivered(&empty(RST, 10), &[], &[]);
    bench.sent(&told(NON, 11, 2));
    bench.reports(Invariant::Observation);
    // But for one that came twice, because its number was wrong: that is answered twice.
    let mut bench = Bench::registered();
    bench.delivered(&observe(70, &[]), &[&empty(ACK, 70)], &[]);
    bench.delivered(&observe(71, &[]), &[&empty(ACK, 71)], &[]);
    bench.sent(&told(CON, 10, 1));
    bench.delivered(&empty(RST, 10), &[], &[]);
    bench.sent(&told(CON, 11, 1));
    bench.is_well();
    bench.delivered(&empty(ACK, 11), &[], &[]);
    bench.sent(&told(CON, 12, 2));
    bench.is_well();
}
