//! DM terminal specification 6: information reporting and device management, the optional groups.

use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{Ask, Sim, WriteMode};
use lwm2m_core::{Credentials, Event, Origin, Path};

use crate::terminal::*;

const TRIGGER: Path = Path::resource(1, 0, 8);
const UPDATED: Event = Event::Updated { server: 1 };

#[test]
fn dm_6_e_an_observe_is_answered_with_the_value_and_then_with_every_change() {
    let mut sim = online(one_server(1), device());
    let answer = sim.ask(0, |server| server.observe(BATTERY, None));
    let response = answer.response();
    assert_eq!((response.code, response.text()), (Code::CONTENT, "80"));
    assert!(response.observe.is_some(), "{response:?}");
    assert_eq!(happened(&sim, Event::Observed { server: 1, path: BATTERY }), 1);
    for level in [79, 12, 0] {
        battery(&mut sim, level);
    }
    let told: Vec<_> = server(&sim).notifications(answer.operation).iter().map(|it| it.response.text()).collect();
    assert_eq!(told, ["79", "12", "0"], "{}", sim.trace);
    assert_eq!(happened(&sim, Event::Notified { server: 1, path: BATTERY }), 3);
    nobody_complains(&sim);
}

#[test]
fn dm_6_f_an_observation_ends_with_observe_1_or_with_a_reset() {
    // By a GET with Observe 1.
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    let answer = sim.ask(0, |server| server.cancel(observation.operation));
    let response = answer.response();
    assert_eq!((response.code, response.text(), response.observe), (Code::CONTENT, "80", None));
    is_over(&mut sim, &observation, 0);

    // By a Reset of a notification.
    let mut sim = online(one_server(1), device());
    let observation = watch(&mut sim, 0, BATTERY);
    server_mut(&mut sim).forget(observation.operation);
    battery(&mut sim, 79);
    let reset = heard(&sim).pop().expect("a Reset");
    assert_eq!(reset.bytes, empty(MessageType::Reset, observation.notifications(&sim)[0].id()), "{}", sim.trace);
    is_over(&mut sim, &observation, 1);
    let plain = sim.ask(0, |server| server.read(BATTERY, None));
    assert_eq!((plain.response().code, plain.response().observe), (Code::CONTENT, None));
}

#[test]
fn dm_6_g_a_notification_has_the_token_of_its_request_and_a_rising_number() {
    let mut sim = online(one_server(1), device());
    // It would reject what it does not know of.
    server_mut(&mut sim).go_down();
    let token = b"\0\xfftoken";
    let observe = datagram(MessageType::Confirmable, Code::GET, 7, token, |writer| {
        writer.observe(0)?;
        ["3", "0", "9"].iter().try_for_each(|segment| writer.uri_path(segment))
    });
    let [first] = &*said(&mut sim, DM, &observe) else { panic!("one answer\n{}", sim.trace) };
    let mut last = coap_codec::Message::parse(first).unwrap().observe().expect("Observe");
    for level in (0..80).rev() {
        let before = sent(&sim).len();
        // Longer than a server may take notifications for reordered ones (RFC 7641, section 3.4), and not.
        sim.run_for(secs(if level % 2 == 0 { 3 } else { 200 }));
        sim.model.battery_level = Some(level);
        sim.notify(BATTERY);
        sim.run_for(millis(1));
        let notification = sent(&sim).split_off(before).pop().expect("a notification");
        let message = notification.message();
        assert_eq!((message.code(), notification.token()), (Code::CONTENT, token.to_vec()), "{}", sim.trace);
        assert_eq!(message.payload(), level.to_string().as_bytes());
        assert_eq!(message.content_format(), Some(ContentFormat::TEXT_PLAIN));
        let number = message.observe().expect("a notification");
        assert!(number > last, "{number} after {last}");
        last = number;
        if notification.kind() == MessageType::Confirmable {
            said(&mut sim, DM, &empty(MessageType::Acknowledgement, notification.id()));
        }
    }
}

#[test]
fn dm_6_h_a_read_of_a_resource_an_instance_and_an_object() {
    let mut sim = online(one_server(1), device());
    let read = |sim: &mut Sim<_>, path| sim.ask(0, |server| server.read(path, None)).response().clone();
    let maker = read(&mut sim, Path::resource(3, 0, 0));
    assert_eq!((maker.code, maker.text()), (Code::CONTENT, "Example Works"));
    assert_eq!(maker.format, Some(ContentFormat::TEXT_PLAIN));
    let (instance, object) = (read(&mut sim, Path::instance(3, 0)), read(&mut sim, Path::object(3)));
    for response in [&instance, &object] {
        assert_eq!((response.code, response.format), (Code::CONTENT, Some(ContentFormat::LWM2M_TLV)));
    }
    let resources = instance.tlv().expect("TLV");
    assert_eq!(Node::find(&resources, 0).and_then(Node::text), Some("Example Works"));
    assert_eq!(Node::find(&resources, 9).and_then(Node::integer), Some(80));
    // The same in an instance's shell.
    assert_eq!(object.tlv(), Some(vec![Node::Instance(0, resources)]));
    for path in [Path::resource(3, 0, 0), Path::instance(3, 0), Path::object(3)] {
        assert_eq!(happened(&sim, Event::Read { origin: Origin::Server(1), path }), 1, "{path}");
    }
}

#[test]
fn dm_6_i_a_lifetime_that_is_written_is_told_by_an_update() {
    let mut sim = online(one_server(1), device());
    let lifetime = Path::resource(1, 0, 1);
    let write = |server: &mut lwm2m_core::sim::DmServer| {
        server.write(lifetime, ContentFormat::TEXT_PLAIN, b"3600", WriteMode::Replace)
    };
    let written = sim.ask(0, write);
    assert_eq!(written.code(), Some(Code::CHANGED));
    sim.run_for(secs(1));
    let (update, answer) = exchanged(&sim, Code::POST, &location_of(&sim));
    assert_eq!((update.query(), answer.code()), (vec!["lt=3600".to_string()], Code::CHANGED));
    let changed = sent(&sim).into_iter().find(|sent| sent.code() == Code::CHANGED).expect("the answer");
    assert!(changed.at <= update.at && update.message().payload().is_empty(), "{}", sim.trace);
    assert_eq!(server(&sim).registration().expect("it is online").lifetime, 3_600);
    // By which it lives.
    sim.run_for(DAY);
    assert_eq!(statuses(&sim), [lwm2m_core::sim::Status::Registered]);
    assert!((24..=50).contains(&server(&sim).updates_seen()), "{}", server(&sim).updates_seen());
}

#[test]
fn dm_6_j_a_reboot_is_answered_before_the_device_is_told() {
    let mut sim = online(one_server(1), device());
    let reboot = request(Code::POST, "/3/0/4", 7, b"tok", None);
    let mark = sim.trace.entries.len();
    let answers = said(&mut sim, DM, &reboot);
    assert_eq!(answers, [bare(MessageType::Acknowledgement, Code::CHANGED, 7, b"tok")]);
    let executed = Event::Executed { origin: Origin::Server(1), path: REBOOT };
    let tail = &sim.trace.entries[mark..];
    let answered = tail
        .iter()
        .position(|entry| matches!(&entry.what, lwm2m_core::sim::What::Datagram { bytes, .. } if *bytes == answers[0]));
    let told = tail.iter().position(|entry| entry.what == lwm2m_core::sim::What::Event(executed));
    assert!(answered.is_some() && answered < told, "{}", sim.trace);
    assert_eq!(happened(&sim, executed), 1);
}

/// Reading A24: 4.05 to everything but bootstrap and registration.
#[test]
fn dm_6_k_groups_that_are_off_are_4_05_and_the_rest_works() {
    let mut sim = with_groups(false, false);
    let before = format!("{:?}", sim.model);
    let ask = |method, path: &str| Ask::new(method, path);
    let text = |payload: &[u8]| Ask {
        format: Some(ContentFormat::TEXT_PLAIN),
        payload: payload.to_vec(),
        ..ask(Code::PUT, "/1/0/1")
    };
    for request in [
        ask(Code::GET, "/3"),
        ask(Code::GET, "/3/0"),
        ask(Code::GET, "/3/0/9"),
        Ask { accept: Some(ContentFormat::LINK_FORMAT), ..ask(Code::GET, "/3/0") },
        Ask { observe: Some(0), ..ask(Code::GET, "/3/0/9") },
        Ask { observe: Some(1), ..ask(Code::GET, "/3/0/9") },
        Ask { query: vec!["pmin=1".into()], ..ask(Code::PUT, "/3/0/9") },
        text(b"60"),
        ask(Code::POST, "/1/0/8"),
        ask(Code::POST, "/3/0/4"),
        ask(Code::POST, "/3"),
        ask(Code::DELETE, "/3/0"),
        ask(Code::DELETE, "/1/0"),
    ] {
        let answer = sim.ask(0, |server| server.request(request.clone()));
        let response = answer.response();
        assert_eq!(response.code, Code::METHOD_NOT_ALLOWED, "{request:?}");
        assert_eq!((response.observe, &*response.payload), (None, &b""[..]), "{request:?}");
        sim.run_for(secs(60));
    }
    battery(&mut sim, 79);
    sim.model.battery_level = Some(80);
    assert_eq!(format!("{:?}", sim.model), before, "without effect");
    let untouched = |event: &Event| !matches!(event, Event::Executed { .. } | Event::Observed { .. });
    assert!(news(&sim).iter().all(untouched), "{:?}", news(&sim));
    // Bootstrap and group 1: it wrote accounts, and registered; it updates and de-registers.
    assert_eq!((happened(&sim, Event::BootstrapFinished), server(&sim).registers_seen()), (1, 1));
    update(&mut sim);
    assert_eq!((server(&sim).updates_seen(), happened(&sim, UPDATED)), (1, 1), "{}", sim.trace);
    sim.shutdown();
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1);
    nobody_complains(&sim);
}

#[test]
fn dm_6_l_without_reporting_an_observe_is_a_plain_read() {
    let mut sim = with_groups(true, false);
    let answer = sim.ask(0, |server| server.observe(BATTERY, None));
    let response = answer.response();
    assert_eq!((response.code, response.text(), response.observe), (Code::CONTENT, "80", None));
    let before = sent(&sim).len();
    battery(&mut sim, 79);
    assert_eq!(sent(&sim).len(), before, "nobody is told\n{}", sim.trace);
    assert_eq!(happened(&sim, Event::Observed { server: 1, path: BATTERY }), 0);
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "79");
    assert_eq!(sim.ask(0, |server| server.execute(REBOOT, "")).code(), Some(Code::CHANGED));
}

#[test]
fn dm_7_4_o_the_trigger_has_an_empty_update_sent_and_the_schedule_begins_anew() {
    let mut sim = living_for(1, 3_600);
    sim.run_for(secs(1_000));
    let triggered = sim.ask(0, |server| server.execute(TRIGGER, ""));
    assert_eq!(triggered.code(), Some(Code::CHANGED));
    sim.run_for(secs(1));
    let [_, update] = &*refreshes(&sim) else { panic!("one Update\n{}", sim.trace) };
    assert_eq!((update.path(), update.kind()), (location_of(&sim), MessageType::Confirmable));
    assert!(update.query().is_empty() && update.message().payload().is_empty(), "{}", sim.trace);
    let changed = sent(&sim).into_iter().rfind(|sent| sent.code() == Code::CHANGED).expect("the answer");
    assert!(changed.at <= update.at);
    assert_eq!(happened(&sim, UPDATED), 1);
    // 250 s before the end of the lifetime that begins with it.
    sim.run_for(secs(4_000));
    let next = &refreshes(&sim)[2];
    assert_eq!(between(update.at, next.at), secs(3_350), "{}", sim.trace);
    assert_eq!(server(&sim).registers_seen(), 1);
}

// ----- helpers ------------------------------------------------------------------------------------

fn battery(sim: &mut Sim<Device>, level: u8) {
    sim.model.battery_level = Some(level);
    sim.notify(BATTERY);
    sim.run_for(secs(10));
}

/// Nothing is told any more; what was told so far is this much.
#[track_caller]
fn is_over(sim: &mut Sim<Device>, observation: &Watch, told: usize) {
    assert_eq!(happened(sim, Event::ObservationCancelled { server: 1, path: BATTERY }), 1, "{}", sim.trace);
    battery(sim, 50);
    sim.run_for(DAY / 4);
    battery(sim, 49);
    assert_eq!(observation.notifications(sim).len(), told, "{}", sim.trace);
}

/// A terminal with optional groups switched on or off, bootstrapped and registered.
#[track_caller]
fn with_groups(device_management: bool, information_reporting: bool) -> Sim<Device> {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    online(
        config.with(|profile| {
            profile.device_management = device_management;
            profile.information_reporting = information_reporting;
        }),
        device(),
    )
}
