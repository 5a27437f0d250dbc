//! What the device is asked.

use super::*;

#[test]
fn every_confirmable_message_is_answered_once() {
    let answer = message(ACK, Code::CONTENT, 70, 9, &[]);
    let get = ask(Code::GET, 70);
    let mut good = Bench::registered();
    good.delivered(&get, &[&answer], &[]);
    good.delivered(&get, &[&answer], &[]);
    good.delivered(&empty(CON, 71), &[&empty(RST, 71)], &[]);
    good.delivered(&message(NON, Code::GET, 72, 9, &[]), &[&message(NON, Code::CONTENT, 6, 9, &[])], &[]);
    good.is_well();

    let mut bench = Bench::registered();
    bench.delivered(&get, &[], &[]);
    bench.reports(Invariant::Answered);
    let mut bench = Bench::registered();
    bench.delivered(&get, &[&answer, &answer], &[]);
    bench.reports(Invariant::Answered);
    let mut bench = Bench::registered();
    bench.delivered(&empty(CON, 71), &[], &[]);
    bench.reports(Invariant::Answered);
    let mut bench = Bench::registered();
    bench.sent(&answer);
    bench.reports(Invariant::Answered);

    // Not while it is not registered, or has no buffer left.
    let mut bench = Bench::new();
    bench.delivered(&get, &[], &[]);
    bench.is_well();
    let mut bench = Bench::registered();
    bench.gauges.usage.slots = 4;
    bench.settle();
    bench.delivered(&get, &[], &[]);
    bench.is_well();
}

#[test]
fn a_late_answer_comes_in_time() {
    let get = ask(Code::GET, 70);
    let late = message(CON, Code::CONTENT, 6, 9, &[]);
    for answered in [true, false] {
        let mut bench = Bench::registered();
        bench.delivered(&get, &[&empty(ACK, 70)], &[]);
        if answered {
            bench.at(50.0);
            bench.sent(&late);
            bench.delivered(&empty(ACK, 6), &[], &[]);
        }
        bench.at(247.0);
        bench.settle();
        if answered { bench.is_well() } else { bench.reports(Invariant::AnsweredLate) }
    }
}

#[test]
fn what_comes_twice_is_carried_out_once() {
    let (post, answer) = (ask(Code::POST, 70), message(ACK, Code::CHANGED, 70, 9, &[]));
    let done = Event::Executed { origin: Origin::Server(1), path: Path::resource(3, 0, 4) };
    let mut bench = Bench::registered();
    bench.delivered(&post, &[&answer], &[done]);
    bench.delivered(&post, &[&answer], &[]);
    bench.is_well();
    bench.at(100.0);
    bench.delivered(&post, &[&answer], &[done]);
    bench.reports(Invariant::AppliedOnce);

    // A clock that jumps ahead takes some of the lifetime away, and not all.
    for (ahead, seconds, well) in [(146, 100.0, false), (147, 100.0, true), (300, 1.0, true), (-300, 100.0, false)] {
        let mut bench = Bench::registered();
        bench.delivered(&post, &[&answer], &[done]);
        bench.observer.clock_stepped(ahead);
        bench.delivered(&post, &[&answer], &[]);
        bench.at(seconds);
        bench.delivered(&post, &[&answer], &[done]);
        if well { bench.is_well() } else { bench.reports(Invariant::AppliedOnce) }
    }

    // After a lifetime it is another one.
    let mut bench = Bench::registered();
    bench.delivered(&post, &[&answer], &[done]);
    bench.at(250.0);
    bench.delivered(&post, &[&answer], &[done]);
    bench.is_well();
}

#[test]
fn a_late_answer_has_the_token_that_was_asked_with_and_not_a_damaged_one() {
    let [first, again] = [7, 9].map(|token| message(CON, Code::GET, 70, token, &[(OptionNumber::URI_PATH, b"3")]));
    for (token, well) in [(9, true), (7, false)] {
        let mut bench = Bench::registered();
        bench.delivered(&first, &[&message(ACK, Code::CONTENT, 70, 7, &[])], &[]);
        bench.delivered(&again, &[&empty(ACK, 70)], &[]);
        bench.sent(&message(NON, Code::CONTENT, 6, token, &[]));
        bench.at(247.0);
        bench.settle();
        if well { bench.is_well() } else { bench.reports(Invariant::AnsweredLate) }
    }
}

#[test]
fn a_block_is_answered_as_what_it_is_and_nothing_is_done_before_the_last_one() {
    let block = |kind, code, num: u8, more: bool| {
        let value = [num << 4 | u8::from(more) << 3];
        message(kind, code, 70, 9, &[(OptionNumber::URI_PATH, b"3"), (OptionNumber::BLOCK1, &value)])
    };
    let plain = |kind, code| message(kind, code, 70, 9, &[(OptionNumber::URI_PATH, b"3")]);
    let put = Code::PUT;
    for (asked, answer, well) in [
        (block(CON, put, 0, true), block(ACK, Code::CONTINUE, 0, true), true),
        (block(CON, put, 2, false), block(ACK, Code::CHANGED, 2, false), true),
        (block(CON, put, 2, false), plain(ACK, Code::REQUEST_ENTITY_INCOMPLETE), true),
        (block(CON, put, 2, true), block(ACK, Code::REQUEST_ENTITY_TOO_LARGE, 0, false), true),
        (plain(CON, put), plain(ACK, Code::CHANGED), true),
        (block(CON, put, 1, true), block(ACK, Code::CONTINUE, 0, true), false),
        (block(CON, put, 1, true), block(ACK, Code::CHANGED, 1, false), false),
        (block(CON, put, 1, true), plain(ACK, Code::CONTINUE), false),
        (block(CON, put, 2, false), block(ACK, Code::CONTINUE, 2, false), false),
        (block(CON, put, 2, false), plain(ACK, Code::CHANGED), false),
        (plain(CON, put), plain(ACK, Code::CONTINUE), false),
        (plain(CON, put), block(ACK, Code::CHANGED, 0, false), false),
    ] {
        let mut bench = Bench::registered();
        bench.delivered(&asked, &[&answer], &[]);
        if well { bench.is_well() } else { bench.reports(Invariant::Blocks) }
    }
    let done = Event::Written { origin: Origin::Server(1), path: Path::resource(3, 0, 14) };
    for (more, code) in [(true, Code::CONTINUE), (false, Code::CHANGED)] {
        let mut bench = Bench::registered();
        bench.delivered(&block(CON, put, 0, more), &[&block(ACK, code, 0, more)], &[done]);
        if more { bench.reports(Invariant::Blocks) } else { bench.is_well() }
    }
}

#[test]
fn by_multicast_there_is_content_at_leisure_or_nothing() {
    let asked = || {
        let mut bench = Bench::registered();
        let get = message(NON, Code::GET, 70, 9, &[(OptionNumber::URI_PATH, b"3")]);
        bench.at(100.0);
        bench.input(&Input::Multicast { now: Instant::ZERO, peer: PEER, bytes: get });
        bench.settle();
        bench
    };
    let answer = |kind, code| message(kind, code, 5, 9, &[]);
    let mut bench = asked();
    bench.at(105.0);
    bench.sent(&answer(NON, Code::CONTENT));
    bench.is_well();
    bench.sent(&message(NON, Code::CONTENT, 6, 9, &[]));
    bench.reports(Invariant::Multicast);
    for (after, answer) in
        [(5.1, answer(NON, Code::CONTENT)), (1.0, answer(CON, Code::CONTENT)), (1.0, answer(NON, Code::NOT_FOUND))]
    {
        let mut bench = asked();
        bench.at(100.0 + after);
        bench.sent(&answer);
        bench.reports(Invariant::Multicast);
    }
    let mut bench = Bench::registered();
    bench.input(&Input::Multicast { now: Instant::ZERO, peer: PEER, bytes: ask(Code::POST, 70) });
    bench.observer.event(&Event::Executed { origin: Origin::Server(1), path: Path::resource(3, 0, 4) });
    bench.reports(Invariant::Multicast);

    // What comes under its number may count as its duplicate, and what does not must be answered.
    for id in [70, 71] {
        let mut bench = asked();
        bench.delivered(&ask(Code::PUT, id), &[], &[]);
        if id == 70 { bench.is_well() } else { bench.reports(Invariant::Answered) }
    }
}
