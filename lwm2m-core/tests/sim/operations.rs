//! What servers ask, and answers that come later.

use super::*;

#[test]
fn what_a_server_may_not_do_is_refused_with_the_right_code() {
    let mut sim = registered(1);
    let mut code = |ask: Ask| sim.ask(0, |server| server.request(ask)).code();
    for (ask, expected) in [
        (Ask::new(Code::GET, "/3/0/9"), Code::CONTENT),
        (Ask::new(Code::GET, "/0/0"), Code::UNAUTHORIZED),
        (Ask::new(Code::GET, "/3/0/99"), Code::NOT_FOUND),
        (Ask::new(Code::GET, "/3/0/4"), Code::METHOD_NOT_ALLOWED),
        (Ask::new(Code::POST, "/3/0/9"), Code::METHOD_NOT_ALLOWED),
        (Ask::new(Code::PATCH, "/3/0/9"), Code::METHOD_NOT_ALLOWED),
        (Ask { query: vec!["x=1".into()], ..Ask::new(Code::GET, "/3/0/9") }, Code::BAD_REQUEST),
        (Ask { accept: Some(ContentFormat(50)), ..Ask::new(Code::GET, "/3/0/9") }, Code::NOT_ACCEPTABLE),
        (Ask { options: vec![(65_001, vec![1])], ..Ask::new(Code::GET, "/3/0/9") }, Code::BAD_OPTION),
    ] {
        assert_eq!(code(ask.clone()), Some(expected), "{ask:?}");
    }
}

#[test]
fn a_server_that_nobody_is_registered_with_can_ask_nothing() {
    let mut sim = terminal(1);
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).result, Err(NoAnswer::Offline));
    let mut sim = registered(1);
    let asked = server_mut(&mut sim).read(BATTERY, None);
    sim.network.cut();
    sim.run_for(secs(10));
    assert!(server(&sim).answer(asked).is_none());
    server_mut(&mut sim).restart();
    assert_eq!(server(&sim).answer(asked).unwrap().result, Err(NoAnswer::Offline));
}

#[test]
fn discover_write_create_and_delete() {
    let mut sim = registered(1);
    let links = sim.ask(0, |server| server.discover(Path::instance(3, 0)));
    let links = links.response().links().unwrap();
    assert!(links.iter().any(|link| link.target == "/3/0/9"));
    let timezone = Tlv::new().text(14, "+08:00").text(15, "Asia/Shanghai");
    let update = sim.ask(0, |server| {
        server.write(Path::instance(3, 0), ContentFormat::LWM2M_TLV, timezone.bytes(), WriteMode::Update)
    });
    assert_eq!(update.code(), Some(Code::CHANGED));
    assert_eq!(sim.model.timezone.as_deref(), Some("Asia/Shanghai"));
    let created = sim.ask(0, |server| server.create(Path::object(3), ContentFormat::LWM2M_TLV, timezone.bytes()));
    assert_eq!(created.code(), Some(Code::METHOD_NOT_ALLOWED));
    let deleted = sim.ask(0, |server| server.delete(Path::instance(3, 0)));
    assert_eq!(deleted.code(), Some(Code::METHOD_NOT_ALLOWED));
}

#[test]
fn an_observation_ends_by_request_and_by_reset() {
    let mut sim = registered(1);
    let [asked, reset] = [(); 2].map(|()| server_mut(&mut sim).observe(BATTERY, None));
    sim.run_for(secs(1));
    let cancelled = server_mut(&mut sim).cancel(asked);
    sim.run_for(secs(1));
    assert_eq!(server(&sim).answer(cancelled).unwrap().response().observe, None);
    server_mut(&mut sim).forget(reset);
    for level in [50, 40] {
        sim.model.battery_level = Some(level);
        sim.notify(BATTERY);
        sim.run_for(secs(10));
    }
    assert_eq!(happened(&sim, Event::ObservationCancelled { server: 1, path: BATTERY }), 2);
    assert_eq!(happened(&sim, Event::Notified { server: 1, path: BATTERY }), 1, "the one that was rejected");
    assert!(server(&sim).observations().iter().all(|observation| observation.notifications.is_empty()));
}

#[test]
fn the_periods_of_an_account_rule_its_notifications() {
    let mut sim = terminal(1);
    (server_mut(&mut sim).min_period, server_mut(&mut sim).max_period) = (Some(10), Some(60));
    sim.network_up();
    sim.run_for(secs(1));
    let observation = server_mut(&mut sim).observe(BATTERY, None);
    let begun = sim.now();
    for level in (0..10).rev() {
        sim.model.battery_level = Some(level);
        sim.notify(BATTERY);
        sim.run_for(secs(1));
    }
    sim.run_for(secs(110));
    let notifications = server(&sim).notifications(observation);
    let told: Vec<_> = notifications.iter().map(|notification| notification.response.text()).collect();
    assert_eq!(told, ["0", "0"], "the last of ten changes after 10 s, and the same 60 s later");
    let after = |index: usize| notifications[index].at.saturating_duration_since(begun).as_secs();
    assert_eq!((after(0), after(1)), (10, 70));
}

#[test]
fn two_servers_go_their_own_ways() {
    let mut sim = terminal(1);
    sim.platform.add_server(7, "coap://second.example:9999", 3_600);
    sim.network_up();
    sim.run_for(secs(1));
    assert!(sim.platform.servers.iter().all(|server| server.registration().is_some()));
    sim.platform.servers[1].go_down();
    sim.run_for(DAY);
    assert_eq!(sim.platform.servers[0].history().len(), 1, "the first never noticed");
    assert_eq!(sim.platform.servers[1].history().last().unwrap().status, Status::Expired);
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
    sim.platform.servers[1].come_up();
    sim.run_for(DAY * 3 / 2);
    assert_eq!(sim.ask(1, |server| server.read(BATTERY, None)).response().text(), "80");
    sim.shutdown();
    sim.run_for(secs(1));
    assert!(sim.platform.servers.iter().all(|server| server.deregisters_seen() == 1));
    nobody_complains(&sim);
}

#[test]
fn an_answer_that_the_application_gives_later_arrives_once() {
    let mut sim = deferring(1);
    let read = server_mut(&mut sim).read(BATTERY, None);
    sim.run_for(secs(10));
    assert!(server(&sim).answer(read).is_none());
    let ticket = sim.model.ticket.get().unwrap();
    sim.network.lose_next(Direction::ToServer);
    sim.resume(ticket).unwrap();
    sim.run_for(secs(10));
    assert_eq!(server(&sim).answer(read).unwrap().response().text(), "80");
    assert!(sim.resume(ticket).is_err(), "the ticket is stale");
}

#[test]
fn an_answer_that_never_comes_is_a_5_03() {
    let mut sim = deferring(1);
    let answer = sim.ask(0, |server| server.read(BATTERY, None));
    assert_eq!(answer.code(), Some(Code::SERVICE_UNAVAILABLE));
    assert!(sim.resume(sim.model.ticket.get().unwrap()).is_err());
}

/// One notification in 24 hours is confirmable whatever the configuration says (RFC 7641, section
/// 4.5). When its time has come it waits for an Update on its way, and no deadline stays behind.
#[test]
fn a_notification_that_must_be_confirmed_waits_for_the_update_before_it() {
    let mut config = dm(1).server(1, "coap://dm.example", Credentials::NoSec, 1_000_000);
    config.confirmable_notifications = false;
    let mut sim = Sim::new(config, device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    let observation = server_mut(&mut sim).observe(Path::instance(1, 0), None);
    sim.run_for(DAY + secs(10));
    let lifetime = Path::resource(1, 0, 1);
    sim.ask(0, |server| server.write(lifetime, ContentFormat::TEXT_PLAIN, b"600000", WriteMode::Replace));
    sim.run_for(secs(1));
    assert_eq!(server(&sim).updates_seen(), 1);
    let notifications = server(&sim).notifications(observation);
    assert_eq!(notifications.iter().map(|notification| notification.confirmable).collect::<Vec<_>>(), [true]);
}
