//! Silence, deadlines, limits.

use super::*;
use crate::client::Wake;

#[test]
fn a_client_that_was_stopped_or_has_no_network_is_silent() {
    let now = Instant::ZERO;
    let ping = empty(RST, 1);
    let mut bench = Bench::registered();
    bench.input(&Input::NetworkDown { now });
    bench.sent(&ping);
    bench.reports(Invariant::Silence);

    let mut bench = Bench::registered();
    bench.input(&Input::EnterFlightMode { now });
    bench.observer.event(&Event::MayProceed(Leave::FlightMode));
    bench.settle();
    bench.input(&Input::LeaveFlightMode { now });
    bench.sent(&ping);
    bench.is_well();
    bench.input(&Input::Shutdown { now });
    bench.observer.event(&Event::MayProceed(Leave::PowerOff));
    bench.settle();
    bench.input(&Input::LeaveFlightMode { now });
    bench.sent(&ping);
    bench.reports(Invariant::Silence);
}

#[test]
fn deadlines_move_forward_and_have_a_purpose() {
    let mut bench = Bench::registered();
    let clock = Instant::from_secs(5);
    bench.observer.timed_out(clock, Some(Instant::from_secs(6)));
    bench.observer.timed_out(clock, None);
    bench.is_well();
    bench.observer.timed_out(clock, Some(clock));
    bench.reports(Invariant::Deadline);

    // But for one a second while no buffer is free.
    for (slots, every, well) in [(4, 1_000, true), (4, 900, false), (3, 1_000, false)] {
        let mut bench = Bench::registered();
        bench.gauges.usage.slots = slots;
        bench.settle();
        for time in (10_000..60_000).step_by(every).map(Instant::from_millis) {
            bench.observer.begin(time);
            bench.observer.timed_out(time, None);
        }
        let found = bench.observer.violations().iter().map(|violation| violation.invariant);
        assert_eq!(found.count() > 0, !well, "{slots} {every}");
    }

    // And for one each time that a notification is due and the application has no value.
    let attributes = message(CON, Code::PUT, 70, 9, &[(OptionNumber::URI_QUERY, b"pmax=4")]);
    for (asked, every, well) in [(true, 4, true), (true, 3, false), (false, 4, false)] {
        let mut bench = Bench::registered();
        if asked {
            bench.delivered(&attributes, &[&message(ACK, Code::CHANGED, 70, 9, &[])], &[]);
        }
        for time in (0..1_000).step_by(every).map(Instant::from_secs) {
            bench.observer.begin(time);
            bench.observer.timed_out(time, None);
        }
        let found = bench.observer.violations().iter().map(|violation| violation.invariant);
        assert_eq!(found.count() > 0, !well, "{asked} {every}");
        assert!(bench.observer.violations().iter().all(|violation| violation.invariant == Invariant::Deadline));
    }
}

#[test]
fn every_table_is_within_its_limit() {
    let full = Usage { slots: 4, exchanges: 4, deduplication: 16, deferred: 2, transfers: 2, ..Usage::default() };
    let limits = crate::Limits::DEVICE;
    let mut bench = Bench::registered();
    bench.gauges = Gauges { usage: full, stored: 204, sessions: limits.servers + 2 };
    bench.settle();
    bench.is_well();
    for gauges in [
        Gauges { usage: Usage { slots: 5, ..full }, stored: 0, sessions: 0 },
        Gauges { usage: Usage { exchanges: 5, ..full }, stored: 0, sessions: 0 },
        Gauges { usage: Usage { deduplication: 17, ..full }, stored: 0, sessions: 0 },
        Gauges { usage: Usage { deferred: 3, ..full }, stored: 0, sessions: 0 },
        Gauges { usage: Usage { transfers: 3, ..full }, stored: 0, sessions: 0 },
        Gauges { usage: Usage { buffer_bytes: 6_000, ..full }, stored: 0, sessions: 0 },
        Gauges { usage: full, stored: 205, sessions: 0 },
        Gauges { usage: full, stored: 0, sessions: limits.servers + 3 },
    ] {
        let mut bench = Bench::registered();
        bench.gauges = gauges;
        bench.settle();
        bench.reports(Invariant::Limits);
    }
}

#[test]
fn a_device_that_wakes_says_each_thing_once_and_waits() {
    let now = Instant::ZERO;
    let other = message(CON, Code::CONTENT, 61, 7, &[]);
    let told = |id| message(NON, Code::CONTENT, id, 8, &[(OptionNumber::OBSERVE, b"\x05")]);
    let woken = |input: &Input| {
        let mut bench = Bench::registered();
        bench.at(1_000.0);
        bench.input(input);
        bench
    };
    let violates =
        |bench: &Bench| bench.observer.violations().iter().any(|violation| violation.invariant == Invariant::Waking);
    let wake = Wake::Sleep { elapsed: Duration::from_secs(1) };
    for input in [Input::WasUnreachable { now, since: now }, Input::Restore { now, wake }] {
        // One confirmable message, and one of each observation besides.
        let mut bench = woken(&input);
        for datagram in [at_location(Code::POST, 60, 60, b"7"), told(62)] {
            bench.sent(&datagram);
        }
        assert!(!violates(&bench));
        bench.sent(&other);
        assert!(violates(&bench), "two confirmable ones");

        let mut bench = woken(&input);
        bench.sent(&told(62));
        bench.sent(&told(63));
        assert!(violates(&bench), "the same observation twice");

        // But for what a peer, an application or time asks for.
        for more in 0..4 {
            let mut bench = woken(&input);
            bench.sent(&told(62));
            match more {
                0 => bench.delivered(&ask(Code::GET, 70), &[&message(ACK, Code::CONTENT, 70, 9, &[])], &[]),
                1 => bench.input(&Input::Notify { now, path: Path::ROOT }),
                2 => bench.observer.event(&Event::BootstrapStarted),
                _ => bench.at(1_001.0),
            }
            bench.sent(&told(63));
            assert!(!violates(&bench), "{more}");
        }
    }
}
