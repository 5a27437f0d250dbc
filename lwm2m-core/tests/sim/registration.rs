//! Registration: servers that forget, die, and answer as they like.

use super::*;

#[test]
fn a_server_that_restarts_is_registered_with_again_at_the_next_update() {
    let mut sim = registered(1);
    let observation = server_mut(&mut sim).observe(BATTERY, None);
    sim.run_for(secs(1));
    server_mut(&mut sim).restart();
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::UpdateFailed { server: 1, reason: Reason::Code(Code::NOT_FOUND) }), 1);
    assert_eq!(server(&sim).registers_seen(), 2);
    assert!(server(&sim).registration().is_some());
    // The new registration has no observations.
    sim.model.battery_level = Some(1);
    sim.notify(BATTERY);
    sim.run_for(secs(10));
    assert_eq!(server(&sim).notifications(observation), []);
    nobody_complains(&sim);
}

#[test]
fn a_server_that_is_dead_for_a_day_is_not_hammered_and_found_again() {
    for seed in 0..5 {
        let mut sim = registered(seed);
        server_mut(&mut sim).go_down();
        sim.platform.bootstrap.go_down();
        sim.run_for(2 * DAY);
        assert_eq!(server(&sim).history().last().unwrap().status, Status::Expired);
        let before = sim.trace.datagrams(Direction::ToServer);
        sim.run_for(DAY);
        let tries = sim.trace.datagrams(Direction::ToServer) - before;
        assert!(tries <= 100, "{tries} datagrams in a day");
        server_mut(&mut sim).come_up();
        assert!(sim.run_until(DAY * 3 / 2, |sim| server(sim).registration().is_some()), "{}", sim.trace);
        nobody_complains(&sim);
    }
}

#[test]
fn a_lost_update_is_sent_again_and_the_server_sees_it_once() {
    let mut sim = registered(1);
    sim.network.lose_next(Direction::ToServer);
    sim.network.lose_next(Direction::ToDevice);
    sim.run_for(DAY);
    assert_eq!((server(&sim).updates_seen(), happened(&sim, Event::Updated { server: 1 })), (1, 1));
    let lost = fates(&sim).into_iter().filter(|(_, fate)| *fate == Fate::Lost).count();
    assert_eq!((sim.network.counts().lost, lost), (2, 2));
}

#[test]
fn a_month_of_updates_comes_in_time() {
    for seed in 0..10 {
        let mut sim = registered(seed);
        sim.network.lose(100);
        sim.run_for(30 * DAY);
        let statuses: Vec<_> = server(&sim).history().iter().map(|change| change.status).collect();
        assert_eq!(statuses, [Status::Registered], "never offline\n{}", sim.trace);
        assert!((31..=33).contains(&server(&sim).updates_seen()), "{}", server(&sim).updates_seen());
    }
}

#[test]
fn the_answers_to_a_register_may_come_in_any_manner() {
    for (answering, registers) in [
        (Answering::Separate(secs(5)), 1),
        (Answering::Separate(secs(80)), 1),
        (Answering::Late(secs(20)), 1),
        (Answering::Twice, 1),
        (Answering::AcknowledgeOnly, 2),
        (Answering::Never, 2),
    ] {
        let mut sim = terminal(1);
        server_mut(&mut sim).answering = answering;
        sim.network_up();
        sim.run_until(secs(200), |sim| server(sim).registers_seen() == 2);
        assert_eq!(server(&sim).registers_seen(), registers, "{answering:?}");
        let registered = happened(&sim, Event::Registered { server: 1, lifetime: 86_400 });
        assert_eq!(registered, 2 - registers, "{answering:?}");
        nobody_complains(&sim);
    }
}

#[test]
fn a_location_is_taken_as_it_comes() {
    let mut sim = terminal(1);
    server_mut(&mut sim).set_location(&["", "a/b", "%41"], &["lt=1", "x"]);
    sim.network_up();
    sim.run_for(secs(1));
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    sim.shutdown();
    sim.run_for(secs(1));
    assert_eq!((server(&sim).updates_seen(), server(&sim).deregisters_seen()), (1, 1));
    assert_eq!(server(&sim).history().last().unwrap().status, Status::Deregistered, "{}", sim.trace);
}

#[test]
fn a_terminal_that_is_refused_for_ever_asks_less_and_less() {
    let mut sim = terminal(1);
    server_mut(&mut sim).accepts = Accepts::Only(vec![]);
    sim.network_up();
    sim.run_for(DAY);
    let first_day = server(&sim).registers_seen();
    assert!((10..=20).contains(&first_day), "{first_day}");
    assert!(sim.platform.bootstrap.finished() > 1, "it asks whether it is still the right server");
    sim.run_for(10 * DAY);
    let later = server(&sim).registers_seen() - first_day;
    assert!(later <= 14, "{later} in ten days");
}

#[test]
fn a_register_without_location_counts_as_failed() {
    let mut sim = terminal(1);
    server_mut(&mut sim).answer_next(Interface::Register, Code::CREATED);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason: Reason::BadAnswer }), 1);
    sim.run_for(secs(91));
    assert!(server(&sim).registration().is_some());
}

#[test]
fn an_unknown_name_is_refused_and_tried_again_later() {
    let mut sim = terminal(1);
    server_mut(&mut sim).accepts = Accepts::Only(vec!["somebody else".to_string()]);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason: Reason::Code(Code::FORBIDDEN) }), 1);
    assert!(server(&sim).registration().is_none());
    server_mut(&mut sim).accepts = Accepts::Anyone;
    sim.run_for(secs(91));
    assert!(server(&sim).registration().is_some());
}

#[test]
fn a_server_that_writes_another_lifetime_hears_of_it() {
    let mut sim = registered(1);
    let lifetime = Path::resource(1, 0, 1);
    let written = sim.ask(0, |server| server.write(lifetime, ContentFormat::TEXT_PLAIN, b"600", WriteMode::Replace));
    assert_eq!(written.code(), Some(Code::CHANGED));
    sim.run_for(secs(1));
    assert_eq!((server(&sim).updates_seen(), server(&sim).registration().unwrap().lifetime), (1, 600));
    sim.run_for(DAY);
    assert!(server(&sim).registration().is_some());
    assert!(server(&sim).updates_seen() > 200);
}

/// A De-register that the network's end overtakes is sent when the network is back; it does not keep
/// the device away for ever.
#[test]
fn a_disabled_device_comes_back_although_the_network_went_away_meanwhile() {
    for lose_the_network in [Sim::network_down, Sim::address_changed] {
        let mut sim = terminal(1);
        server_mut(&mut sim).disable_timeout = Some(300);
        sim.network_up();
        sim.run_for(secs(1));
        // The request, its answer, the De-register.
        sim.network.lose_nth(sim.network.counts().sent + 3);
        server_mut(&mut sim).execute(Path::resource(1, 0, 4), "");
        sim.run_for(secs(1));
        lose_the_network(&mut sim);
        sim.network_up();
        sim.run_for(secs(1));
        assert_eq!(server(&sim).deregisters_seen(), 1, "{}", sim.trace);
        sim.run_for(secs(301));
        assert!(server(&sim).registration().is_some(), "{}", sim.trace);
        assert!(sim.client.is_registered(sim.now(), 1), "{}", sim.trace);
    }
}

/// A server that may execute it can disable any account, also one that is not registered with
/// at the time. When that is over, it is tried again.
#[test]
fn an_account_that_was_disabled_before_it_registered_is_tried_when_that_is_over() {
    let mut sim = terminal(1);
    server_mut(&mut sim).disable_timeout = Some(300);
    server_mut(&mut sim).go_down();
    sim.platform.add_server(7, "coap://second.example", 86_400);
    sim.platform.bootstrap.shares.push(Path::instance(1, 0));
    sim.network_up();
    sim.run_for(secs(200));
    let disabled = sim.ask(1, |server| server.execute(Path::resource(1, 0, 4), ""));
    assert_eq!(disabled.code(), Some(Code::CHANGED));
    server_mut(&mut sim).come_up();
    sim.run_for(DAY);
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
}
