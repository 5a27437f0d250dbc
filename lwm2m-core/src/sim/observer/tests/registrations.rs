//! Registrations.

use super::*;

#[test]
fn an_account_has_one_registration() {
    let mut bench = Bench::registered();
    bench.sent(&register(2, 2));
    bench.reports(Invariant::OneRegistration);

    let mut bench = Bench::registered();
    bench.sent(&at_location(Code::POST, 2, 2, b"8"));
    bench.reports(Invariant::OneRegistration);

    let mut bench = Bench::new();
    bench.observer.event(&Event::BootstrapStarted);
    bench.sent(&register(1, 1));
    bench.reports(Invariant::OneRegistration);

    // With a reason: the server does not know it any more, the lifetime is over, the address is another.
    let mut bench = Bench::registered();
    let update = at_location(Code::POST, 2, 2, b"7");
    bench.sent(&update);
    bench.answered(&update, &message(ACK, Code::NOT_FOUND, 2, 2, &[]));
    bench.register(3);
    bench.is_well();
    bench.weather = Weather::Bad;
    bench.at(3_700.0);
    bench.register(4);
    bench.input(&Input::AddressChanged { now: Instant::ZERO });
    bench.register(5);
    bench.is_well();
}

#[test]
fn nothing_follows_a_deregister_but_another_register() {
    let left = || {
        let mut bench = Bench::registered();
        bench.delivered(&ask(Code::GET, 70), &[&message(ACK, Code::CONTENT, 70, 9, &[])], &[]);
        bench.sent(&at_location(Code::DELETE, 2, 2, b"7"));
        bench.delivered(&message(ACK, Code::DELETED, 2, 2, &[]), &[], &[]);
        bench
    };
    let mut bench = left();
    // The answer of before, once more.
    bench.delivered(&ask(Code::GET, 70), &[&message(ACK, Code::CONTENT, 70, 9, &[])], &[]);
    bench.register(3);
    bench.sent(&notification(6));
    bench.is_well();

    for datagram in [notification(6), at_location(Code::POST, 6, 6, b"7")] {
        let mut bench = left();
        bench.sent(&datagram);
        bench.reports(Invariant::AfterDeregister);
    }
    let mut bench = left();
    bench.delivered(&ask(Code::GET, 71), &[&message(ACK, Code::CONTENT, 71, 9, &[])], &[]);
    bench.reports(Invariant::AfterDeregister);
}

#[test]
fn an_update_arrives_before_the_lifetime_ends() {
    let mut good = Bench::registered();
    good.at(3_000.0);
    good.update(2);
    good.at(3_700.0);
    good.settle();
    good.is_well();

    let mut bench = Bench::registered();
    bench.at(3_590.0);
    bench.settle();
    bench.is_well();
    bench.at(3_601.0);
    bench.settle();
    bench.reports(Invariant::UpdateInTime);

    // Unless something was the matter, or the device was off.
    let mut bench = Bench::registered();
    bench.at(3_400.0);
    bench.weather = Weather::Bad;
    bench.settle();
    bench.weather = Weather::Fine;
    bench.settle();
    bench.at(3_601.0);
    bench.settle();
    bench.is_well();
    let mut bench = Bench::registered();
    bench.observer.suspended();
    bench.at(3_601.0);
    bench.settle();
    bench.is_well();
}

#[test]
fn it_is_registered_again_once_all_is_well() {
    let lost = || {
        let mut bench = Bench::registered();
        bench.weather = Weather::Bad;
        bench.at(10_000.0);
        bench.settle();
        bench.weather = Weather::Fair;
        bench.settle();
        bench
    };
    let bound = Observer::bound(Duration::from_secs(10_000), Duration::from_secs(LIFETIME)).as_secs_f64();
    let mut bench = lost();
    bench.at(9_990.0 + bound);
    bench.settle();
    bench.is_well();
    bench.register(2);
    bench.at(10_010.0 + bound);
    bench.settle();
    bench.is_well();
    let mut bench = lost();
    bench.at(10_010.0 + bound);
    bench.settle();
    bench.reports(Invariant::Recovery);

    // Who was told that it is not registered need not find that out.
    let mut bench = Bench::registered();
    let update = at_location(Code::POST, 2, 2, b"7");
    bench.at(1_000.0);
    bench.sent(&update);
    bench.answered(&update, &message(ACK, Code::NOT_FOUND, 2, 2, &[]));
    bench.settle();
    bench.is_well();
    let mut again = Bench { observer: bench.observer.clone(), host: bench.host.clone(), ..bench };
    bench.at(1_610.0);
    bench.settle();
    bench.reports(Invariant::Recovery);
    // Registered again, and forgotten at once: that it has to find out.
    again.register(3);
    again.observer.forgot(&again.host.clone());
    again.at(1_610.0);
    again.settle();
    again.is_well();
}

/// Disabled, and asleep before the De-register could leave; the lifetime ended meanwhile.
fn slept_over() -> Bench {
    let mut bench = Bench::registered();
    bench.at(100.0);
    bench.settle();
    bench.observer.event(&Event::Executed { origin: Origin::Server(1), path: Path::resource(1, 0, 4) });
    bench.observer.suspended();
    bench.settle();
    bench
}

#[test]
fn a_disable_lasts_for_a_day_at_most_and_until_the_next_registration() {
    let bound = Observer::bound(Duration::ZERO, Duration::from_secs(LIFETIME)).as_secs_f64();
    let day = 86_400.0;
    let mut bench = slept_over();
    bench.at(90.0 + day + bound);
    bench.settle();
    bench.is_well();
    bench.at(110.0 + day + bound);
    bench.settle();
    bench.reports(Invariant::Recovery);

    let mut bench = slept_over();
    bench.at(1_000.0);
    bench.register(2);
    bench.observer.forgot(&bench.host.clone());
    bench.at(1_010.0 + bound);
    bench.settle();
    bench.reports(Invariant::Recovery);
}

#[test]
fn a_clock_that_steps_back_takes_as_much_time_as_nobody_told_of() {
    let bound = Observer::bound(Duration::ZERO, Duration::from_secs(LIFETIME)).as_secs_f64();
    for (step, lost) in [(-50, 50.0), (-5_000, 300.0), (50, 0.0)] {
        let unheard = || {
            let mut bench = Bench::registered();
            bench.observer.forgot(&bench.host.clone());
            bench.at(1_000.0);
            bench.input(&Input::Update { now: Instant::ZERO, server: 1 });
            bench.at(1_300.0);
            bench.observer.clock_stepped(step);
            bench
        };
        let mut bench = unheard();
        bench.at(bound + lost - 10.0);
        bench.settle();
        bench.is_well();
        bench.at(bound + lost + 10.0);
        bench.settle();
        bench.reports(Invariant::Recovery);
    }
}

#[test]
fn an_answer_that_was_held_back_does_not_take_the_deregister_back() {
    let ends = |leaves: bool| {
        let mut bench = Bench::registered();
        let update = at_location(Code::POST, 2, 2, b"7");
        bench.sent(&update);
        bench.observer.arrived(&bench.host.clone(), &update, false);
        bench.delivered(&empty(ACK, 2), &[], &[]);
        if leaves {
            // The server does not get it, and its answer to the Update finds nobody.
            bench.sent(&at_location(Code::DELETE, 3, 3, b"7"));
            bench.delivered(&empty(RST, 3), &[], &[]);
        }
        bench.observer.replied(&bench.host.clone(), &message(CON, Code::CHANGED, 90, 2, &[]));
        bench.settle();
        bench.at(3_601.0);
        bench.settle();
        bench
    };
    ends(true).is_well();
    ends(false).reports(Invariant::UpdateInTime);
}

#[test]
fn who_gave_a_register_up_does_not_update_it() {
    let ends = |gives_up: bool| {
        let mut bench = Bench::new();
        let asked = register(1, 1);
        bench.sent(&asked);
        bench.observer.arrived(&bench.host.clone(), &asked, false);
        bench.delivered(&empty(ACK, 1), &[], &[]);
        if gives_up {
            bench.observer.event(&Event::RegistrationFailed { server: 1, reason: Reason::TimedOut });
        }
        bench.observer.replied(&bench.host.clone(), &created(1, 1));
        bench.settle();
        bench.at(3_601.0);
        bench.settle();
        bench
    };
    ends(true).is_well();
    ends(false).reports(Invariant::UpdateInTime);
}

#[test]
fn a_register_is_granted_although_something_else_arrived_before_its_answer() {
    let mut bench = Bench::registered();
    bench.at(100.0);
    bench.input(&Input::AddressChanged { now: Instant::ZERO });
    let asked = register(2, 2);
    bench.sent(&asked);
    bench.observer.arrived(&bench.host.clone(), &asked, false);
    // On its way since before, and for a registration that is not there any more.
    bench.observer.arrived(&bench.host.clone(), &at_location(Code::POST, 9, 9, b"6"), false);
    let host = bench.host.clone();
    bench.observer.replied(&host, &created(2, 2));
    bench.observer.delivered(PEER, &host, &created(2, 2), false);
    bench.observer.event(&Event::Registered { server: 1, lifetime: LIFETIME as u32 });
    bench.settle();
    bench.at(3_650.0);
    bench.settle();
    bench.is_well();
    bench.at(3_701.0);
    bench.settle();
    bench.reports(Invariant::UpdateInTime);
}

#[test]
fn a_register_of_a_life_before_may_arrive_after_that_of_now() {
    for (late, well) in [(register(1, 1), true), (register(2, 2), false)] {
        let mut bench = Bench::new();
        let host = bench.host.clone();
        bench.sent(&register(1, 1));
        bench.input(&Input::Restart { now: Instant::ZERO, key: Key::from_seed(2) });
        bench.input(&Input::NetworkUp { now: Instant::ZERO });
        bench.sent(&register(2, 2));
        bench.delivered(&empty(ACK, 2), &[], &[]);
        bench.observer.arrived(&host, &late, false);
        bench.observer.replied(&host, &message(CON, Code::CREATED, 90, late[4], &[]));
        bench.settle();
        bench.at(3_601.0);
        bench.settle();
        if well { bench.is_well() } else { bench.reports(Invariant::UpdateInTime) }
    }
}

#[test]
fn an_answer_that_is_repeated_grants_nothing_once_more() {
    let mut bench = Bench::registered();
    let update = at_location(Code::POST, 2, 2, b"7");
    bench.at(100.0);
    bench.sent(&update);
    bench.answered(&update, &message(ACK, Code::CHANGED, 2, 2, &[]));
    bench.observer.event(&Event::Updated { server: 1 });
    let host = bench.host.clone();
    bench.observer.replied(&host, &created(1, 1));
    bench.settle();
    bench.at(3_650.0);
    bench.settle();
    bench.is_well();
}

#[test]
fn a_grant_of_a_life_before_does_not_shorten_the_lifetime_of_now() {
    let (path, query) = (OptionNumber::URI_PATH, OptionNumber::URI_QUERY);
    let short = message(CON, Code::POST, 1, 1, &[(path, b"rd"), (query, b"ep=x"), (query, b"lt=900")]);
    let mut bench = Bench::new();
    let host = bench.host.clone();
    bench.sent(&short);
    bench.observer.arrived(&host, &short, false);
    bench.input(&Input::Restore { now: Instant::ZERO, wake: crate::Wake::Restart });
    bench.input(&Input::NetworkUp { now: Instant::ZERO });
    bench.register(2);
    bench.observer.replied(&host, &created(1, 1));
    bench.settle();
    bench.at(3_000.0);
    bench.update(3);
    bench.at(3_990.0);
    bench.settle();
    bench.at(6_590.0);
    bench.settle();
    bench.is_well();
    bench.at(6_610.0);
    bench.settle();
    bench.reports(Invariant::UpdateInTime);
}

#[test]
fn a_number_that_is_used_again_after_a_restart_says_nothing_of_the_lifetime() {
    let (path, query) = (OptionNumber::URI_PATH, OptionNumber::URI_QUERY);
    let short = message(CON, Code::POST, 1, 1, &[(path, b"rd"), (query, b"ep=x"), (query, b"lt=900")]);
    let mut bench = Bench::new();
    let host = bench.host.clone();
    bench.sent(&short);
    bench.answered(&short, &created(1, 1));
    bench.settle();
    bench.at(800.0);
    bench.sent(&register(2, 2));
    // It arrives after a power cut, and is refused; the next one has its number, and is granted.
    bench.input(&Input::Restart { now: Instant::ZERO, key: Key::from_seed(1) });
    bench.input(&Input::NetworkUp { now: Instant::ZERO });
    bench.observer.arrived(&host, &register(2, 2), false);
    bench.observer.replied(&host, &message(ACK, Code::INTERNAL_SERVER_ERROR, 2, 2, &[]));
    bench.sent(&register(2, 2));
    bench.observer.arrived(&host, &register(2, 2), false);
    bench.observer.replied(&host, &created(2, 2));
    bench.observer.delivered(PEER, &host, &created(2, 2), false);
    bench.observer.event(&Event::Registered { server: 1, lifetime: LIFETIME as u32 });
    bench.at(2_000.0);
    bench.update(3);
    bench.at(2_950.0);
    bench.settle();
    bench.is_well();
}

#[test]
fn a_register_that_was_granted_twice_is_updated_where_either_answer_says() {
    let elsewhere = message(
        CON,
        Code::CREATED,
        90,
        1,
        &[(OptionNumber::LOCATION_PATH, b"rd"), (OptionNumber::LOCATION_PATH, b"8")],
    );
    for (name, well) in [(b"7", true), (b"8", true), (b"9", false)] {
        let mut bench = Bench::new();
        bench.sent(&register(1, 1));
        bench.delivered(&created(1, 1), &[], &[]);
        bench.delivered(&elsewhere, &[&empty(ACK, 90)], &[]);
        bench.observer.event(&Event::Registered { server: 1, lifetime: LIFETIME as u32 });
        bench.sent(&at_location(Code::POST, 2, 2, name));
        if well { bench.is_well() } else { bench.reports(Invariant::OneRegistration) }
    }
}

// A table of messages that is full forgets what may be repeated, and a repetition undoes what was done in between.
#[test]
fn what_is_done_once_more_may_have_taken_the_account_away() {
    let (put, answer) = (ask(Code::PUT, 70), message(ACK, Code::CHANGED, 70, 9, &[]));
    let done = Event::Written { origin: Origin::Server(1), path: Path::resource(1, 0, 1) };
    for again in [true, false] {
        let mut bench = Bench::registered();
        bench.delivered(&put, &[&answer], &[done]);
        bench.gauges.usage.deduplication = bench.observer.limits.deduplication;
        bench.settle();
        bench.gauges.usage.deduplication = 0;
        bench.delivered(&put, &[&answer], &[done][..usize::from(again)]);
        bench.observer.forgot(&bench.host.clone());
        bench.at(10.0 + Observer::bound(Duration::ZERO, Duration::from_secs(LIFETIME)).as_secs_f64());
        bench.settle();
        if again { bench.is_well() } else { bench.reports(Invariant::Recovery) }
    }
}
