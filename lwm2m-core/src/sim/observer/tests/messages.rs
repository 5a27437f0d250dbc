//! What the device sends.

use super::*;

#[test]
fn no_message_may_be_malformed_or_too_long() {
    let mut bench = Bench::new();
    bench.sent(b"??");
    bench.reports(Invariant::WellFormed);
    let mut bench = Bench::new();
    bench.sent(&[&notification(1)[..], b"\xff", &[b'x'; 1_152]].concat());
    bench.reports(Invariant::MessageSize);
}

#[test]
fn a_message_id_is_used_once_within_its_lifetime() {
    let mut bench = Bench::registered();
    let [one, two] = [1, 2].map(|token| message(NON, Code::CONTENT, 7, token, &[]));
    bench.sent(&one);
    bench.at(248.0);
    bench.sent(&two);
    bench.is_well();
    bench.at(300.0);
    bench.sent(&one);
    bench.reports(Invariant::MessageId);

    let mut bench = Bench::registered();
    bench.sent(&one);
    bench.input(&Input::Restart { now: Instant::ZERO, key: Key::from_seed(1) });
    bench.input(&Input::NetworkUp { now: Instant::ZERO });
    bench.sent(&two);
    bench.is_well();
}

#[test]
fn a_token_is_used_once_within_its_lifetime() {
    let mut bench = Bench::registered();
    bench.update(2);
    bench.is_well();
    bench.sent(&at_location(Code::POST, 3, 2, b"7"));
    bench.reports(Invariant::Token);
}

#[test]
fn a_message_comes_again_when_its_time_has_come() {
    let notification = notification(5);
    let mut good = Bench::registered();
    for seconds in [100.0, 102.5, 107.5, 117.5, 137.5] {
        good.at(seconds);
        good.sent(&notification);
    }
    good.is_well();
    good.at(300.0);
    good.settle();
    good.is_well();

    for (times, why) in [
        (&[100.0, 104.0][..], "late"),
        (&[100.0, 101.0], "early"),
        (&[100.0, 102.5, 105.0], "without doubling"),
        (&[100.0, 102.5, 107.5, 117.5, 137.5, 177.5], "too often"),
    ] {
        let mut bench = Bench::registered();
        for seconds in times {
            bench.at(*seconds);
            bench.observer.sent(PEER, &bench.host.clone(), &notification);
        }
        bench.reports(Invariant::Retransmission);
        assert!(!why.is_empty());
    }

    let mut bench = Bench::registered();
    bench.sent(&notification);
    bench.at(3.1);
    bench.settle();
    bench.reports(Invariant::Retransmission);

    let mut bench = Bench::registered();
    bench.sent(&notification);
    bench.delivered(&empty(ACK, 5), &[], &[]);
    bench.at(2.5);
    bench.sent(&notification);
    bench.reports(Invariant::Retransmission);
}

#[test]
fn what_was_given_up_need_not_come_again() {
    let end = |with: &dyn Fn(&mut Bench)| {
        let mut bench = Bench::registered();
        bench.sent(&notification(5));
        with(&mut bench);
        bench.at(10.0);
        bench.settle();
        bench.is_well();
    };
    end(&|bench| bench.delivered(&empty(RST, 5), &[], &[]));
    end(&|bench| bench.input(&Input::NetworkDown { now: Instant::ZERO }));
    end(&|bench| bench.observer.disconnects(PEER));
    end(&|bench| bench.observer.clock_stepped(-5));
    end(&|bench| bench.observer.suspended());
}

#[test]
fn one_message_at_a_time_waits_for_its_acknowledgement() {
    let mut bench = Bench::registered();
    bench.sent(&notification(5));
    bench.sent(&message(NON, Code::CONTENT, 6, 1, &[]));
    bench.is_well();
    bench.sent(&notification(7));
    bench.reports(Invariant::Nstart);
}
