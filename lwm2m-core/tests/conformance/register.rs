//! DM terminal specification 7.3: Register, when it is sent and what it says.

use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::reader::Link;
use lwm2m_core::sim::{Answering, BootstrapCommand, DmServer, Sim, Status, Tlv};
use lwm2m_core::{Credentials, Diagnostic, Event, Leave, Path};

use crate::terminal::*;

#[test]
fn dm_7_3_a_the_first_register_leaves_when_the_bootstrap_is_done() {
    let sim = registered(1);
    let (register, _) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!(times(&sim, Event::BootstrapFinished), [register.at], "{}", sim.trace);
    assert_eq!(sent(&sim).iter().find(|sent| sent.host == DM), Some(&register));
    let message = register.message();
    assert_eq!(message.message_type(), MessageType::Confirmable);
    assert_eq!(message.content_format(), Some(ContentFormat::LINK_FORMAT));
    let mut query = register.query();
    query.sort();
    assert_eq!(query, ["b=U", &format!("ep={NAME}"), "lt=86400", "lwm2m=1.0"]);
    assert_eq!(without_json(pattern(&register.bytes)), pattern(&vector("L07")));
    nobody_complains(&sim);
}

#[test]
fn dm_7_3_b_the_object_list_is_link_format_without_security() {
    for (accounts, expected) in
        [(1, &["/1/0", "/3/0"][..]), (2, &["/1/0", "/1/1", "/2", "/3/0"]), (3, &["/1/0", "/1/1", "/1/2", "/2", "/3/0"])]
    {
        let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
        config.limits.servers = 3;
        let mut sim = Sim::new(config, device(), 1);
        for id in 1..accounts {
            sim.platform.add_server(7 + id, &format!("coap://{id}.example"), 86_400);
        }
        sim.network_up();
        sim.run_for(secs(1));
        let registers = requests(&sim, Code::POST, "/rd");
        assert_eq!(registers.len(), usize::from(accounts), "{}", sim.trace);
        for register in registers {
            let message = register.message();
            let links = Link::read(message.payload()).unwrap_or_else(|| panic!("no links: {register:?}"));
            // First that JSON is spoken, as the client under test does.
            let Some((root, links)) = links.split_first() else { panic!("no links: {register:?}") };
            assert_eq!((&*root.target, root.attribute("ct")), ("/", Some("11543")), "{root:?}");
            // Access Control is there for several servers; which instances it has is not of interest here.
            let object = |target| if str::starts_with(target, "/2/") { "/2" } else { target };
            let mut targets: Vec<_> = links.iter().map(|link| object(&link.target)).collect();
            targets.dedup();
            assert_eq!(targets, expected);
            assert!(links.iter().all(|link| link.attributes.is_empty()), "{links:?}");
            assert!(!message.payload().windows(3).any(|window| window == b"</0"), "{}", sim.trace);
            assert_eq!(message.content_format(), Some(ContentFormat::LINK_FORMAT));
        }
        nobody_complains(&sim);
    }
}

#[test]
fn dm_7_3_c_out_of_flight_mode_it_registers_at_once_without_a_bootstrap() {
    type Way = fn(&mut Sim<Device>);
    let ways: [(&str, Way); 3] = [
        ("the network stays", |sim| sim.leave_flight_mode()),
        ("the network is back last", |sim| {
            sim.network_down();
            sim.run_for(secs(600));
            sim.leave_flight_mode();
            sim.run_for(secs(5));
            sim.network_up();
        }),
        ("the network is back first", |sim| {
            sim.network_down();
            sim.run_for(secs(600));
            sim.network_up();
            sim.run_for(secs(5));
            sim.leave_flight_mode();
        }),
    ];
    for (way, back) in ways {
        let mut sim = registered(1);
        sim.enter_flight_mode();
        sim.run_for(secs(60));
        assert_eq!(happened(&sim, Event::MayProceed(Leave::FlightMode)), 1, "{way}");
        assert_eq!((server(&sim).deregisters_seen(), server(&sim).registration()), (1, None), "{way}");
        let before = sent(&sim).len();
        back(&mut sim);
        let at = sim.now();
        sim.run_for(secs(60));
        // Nothing but the Register since, all it says as the first time.
        let [register] = &sent(&sim)[before..] else { panic!("{way}\n{}", sim.trace) };
        assert_eq!((register.at, &*register.host), (at, DM), "{way}");
        assert_eq!(without_json(pattern(&register.bytes)), pattern(&vector("L07")), "{way}");
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 2, "{way}");
        let statuses: Vec<_> = server(&sim).history().iter().map(|change| change.status).collect();
        assert_eq!(statuses, [Status::Registered, Status::Deregistered, Status::Registered], "{way}");
        assert_eq!((sim.platform.bootstrap.requests_seen(), happened(&sim, Event::BootstrapStarted)), (1, 1), "{way}");
        nobody_complains(&sim);
    }
}

#[test]
fn dm_7_3_d_without_network_it_registers_at_the_moment_of_the_network() {
    let mut sim = registered(1);
    sim.enter_flight_mode();
    sim.run_for(secs(10));
    sim.network_down();
    sim.run_for(secs(10));
    let before = sent(&sim).len();
    sim.leave_flight_mode();
    sim.run_for(secs(600));
    assert_eq!(sent(&sim).len(), before, "{}", sim.trace);
    sim.network_up();
    let at = sim.now();
    sim.run_for(secs(60));
    let [register] = &sent(&sim)[before..] else { panic!("one datagram\n{}", sim.trace) };
    assert_eq!((register.at, register.code(), &*register.path()), (at, Code::POST, "/rd"));
    assert!(server(&sim).registration().is_some());
    assert_eq!(sim.platform.bootstrap.requests_seen(), 1);
}

/// A network that comes back is no new start, and does not make a registered device an offline one
/// (reading A16).
#[test]
fn dm_7_3_e_a_network_that_is_back_makes_no_second_registration() {
    type Way = fn(&mut Sim<Device>);
    let ways: [(&str, Way, [usize; 2]); 5] = [
        ("it never went", |sim| sim.network_up(), [1, 0]),
        (
            "the same address",
            |sim| {
                sim.network_down();
                sim.run_for(secs(3_600));
                sim.network_up();
            },
            [1, 1],
        ),
        (
            "four times",
            |sim| {
                for _ in 0..4 {
                    sim.network_down();
                    sim.run_for(secs(3_600));
                    sim.network_up();
                    sim.run_for(secs(10));
                }
            },
            [1, 4],
        ),
        (
            "another address",
            |sim| {
                sim.network_down();
                sim.run_for(secs(3_600));
                sim.network.rebind();
                sim.network_up();
            },
            [2, 0],
        ),
        ("another address at once", |sim| sim.address_changed(), [2, 0]),
    ];
    for (way, back, expected) in ways {
        let mut sim = registered(1);
        back(&mut sim);
        sim.run_for(secs(60));
        assert_eq!([server(&sim).registers_seen(), server(&sim).updates_seen()], expected, "{way}\n{}", sim.trace);
        assert_eq!(server(&sim).registrations().len(), 1, "{way}");
        // Never offline for the platform, and at one place for both.
        assert!(server(&sim).history().iter().all(|change| change.status == Status::Registered), "{way}");
        let online = server(&sim).registration().expect("it is online");
        assert!(sim.client.location(1).eq(online.location.iter().map(String::as_bytes)), "{way}");
        assert!(sim.client.is_registered(sim.now(), 1), "{way}");
        assert_eq!(sim.platform.bootstrap.requests_seen(), 1, "{way}");
        nobody_complains(&sim);
    }
}

#[test]
fn dm_7_3_f_flight_mode_aborts_a_register_without_answer_and_repeats_it_afterwards() {
    type Silence = fn(&mut DmServer);
    let silences: [(&str, Silence); 4] = [
        ("nothing arrives", DmServer::go_down),
        ("nothing comes back", |server| server.answering = Answering::Never),
        ("the answer comes in flight mode", |server| server.answering = Answering::Late(secs(20))),
        ("the separate answer comes in flight mode", |server| server.answering = Answering::Separate(secs(20))),
    ];
    for (silence, begin) in silences {
        let mut sim = terminal(1);
        begin(server_mut(&mut sim));
        sim.network_up();
        sim.run_for(secs(1));
        let [first] = &*requests(&sim, Code::POST, "/rd") else { panic!("{silence}\n{}", sim.trace) };
        let before = sent(&sim).len();
        sim.enter_flight_mode();
        // No De-register: there is no location to say.
        assert_eq!(times(&sim, Event::MayProceed(Leave::FlightMode)), [sim.now()], "{silence}");
        sim.run_for(secs(300));
        assert_eq!(sent(&sim).len(), before, "{silence}\n{}", sim.trace);
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 0, "{silence}");
        assert!(!sim.client.is_registered(sim.now(), 1), "{silence}");

        server_mut(&mut sim).come_up();
        server_mut(&mut sim).answering = Answering::Piggybacked;
        sim.leave_flight_mode();
        let at = sim.now();
        sim.run_for(secs(60));
        let [second] = &sent(&sim)[before..] else { panic!("{silence}\n{}", sim.trace) };
        assert_eq!((second.at, pattern(&second.bytes)), (at, pattern(&first.bytes)), "{silence}");
        assert_ne!(second.message().token(), first.message().token(), "{silence}");
        assert_ne!(second.message().message_id(), first.message().message_id(), "{silence}");
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 1, "{silence}");
        assert_eq!(server(&sim).registrations().len(), 1, "{silence}");
        assert_eq!(sim.platform.bootstrap.requests_seen(), 1, "{silence}");
    }
}

#[test]
fn dm_7_3_g_the_lifetime_is_a_day_unless_the_bootstrap_wrote_a_valid_one() {
    let defaulted = Event::Diagnostic(Diagnostic::LifetimeDefaulted { server: 1, lifetime: 86_400 });
    for (written, expected) in [
        (Some(86_400), &[][..]),
        (None, &[defaulted]),
        (Some(0), &[defaulted]),
        (Some(-1), &[defaulted]),
        (Some(-86_400), &[defaulted]),
        (Some(i64::MIN), &[defaulted]),
    ] {
        let sim = bootstrapped_with(written);
        assert_eq!(finishes(&sim), [Some(Code::CHANGED)], "{written:?}");
        let (register, _) = exchanged(&sim, Code::POST, "/rd");
        assert_eq!(register.query().iter().filter(|argument| **argument == "lt=86400").count(), 1, "{written:?}");
        assert_eq!(server(&sim).registration().map(|online| online.lifetime), Some(86_400), "{written:?}");
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 1, "{written:?}");
        assert_eq!(diagnostics(&sim), expected, "{written:?}");
        nobody_complains(&sim);
    }
}

#[test]
fn dm_7_3_h_another_lifetime_is_used_and_told() {
    for lifetime in [600, 86_399, 86_401] {
        let mut sim = bootstrapped_with(Some(i64::from(lifetime)));
        assert_eq!(finishes(&sim), [Some(Code::CHANGED)], "{lifetime}");
        let (register, _) = exchanged(&sim, Code::POST, "/rd");
        let query = register.query();
        let lifetimes: Vec<_> = query.iter().filter(|argument| argument.starts_with("lt=")).collect();
        assert_eq!(lifetimes, [&format!("lt={lifetime}")]);
        assert_eq!(server(&sim).registration().map(|online| online.lifetime), Some(lifetime));
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime }), 1);
        let deviates = Diagnostic::LifetimeDeviates { server: 1, lifetime };
        assert_eq!(diagnostics(&sim), [Event::Diagnostic(deviates)]);
        nobody_complains(&sim);
        // Once for a registration: neither an Update nor its end says it again.
        update(&mut sim);
        sim.enter_flight_mode();
        sim.run_for(secs(5));
        assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1);
        assert_eq!(diagnostics(&sim), [Event::Diagnostic(deviates)], "{}", sim.trace);
    }
}

/// A terminal whose bootstrap server wrote this lifetime into /1/0, or none.
fn bootstrapped_with(lifetime: Option<i64>) -> Sim<Device> {
    let mut sim = terminal(1);
    let mut tlv = Tlv::new().integer(0, 1);
    if let Some(seconds) = lifetime {
        tlv = tlv.integer(1, seconds);
    }
    tlv = tlv.boolean(6, true).text(7, "U");
    let mut commands = sim.platform.bootstrap.commands(&sim.platform.servers);
    let written = commands.iter_mut().find_map(|command| match command {
        BootstrapCommand::Write { path, payload, .. } if *path == Path::instance(1, 0) => Some(payload),
        _ => None,
    });
    *written.expect("a Server instance is written") = tlv.bytes().to_vec();
    sim.platform.bootstrap.script = Some(commands);
    sim.network_up();
    sim.run_for(secs(10));
    sim
}

/// What every Bootstrap-Finish was answered.
fn finishes(sim: &Sim<Device>) -> Vec<Option<Code>> {
    let answers = sim.platform.bootstrap.answers().iter();
    let finishes = answers.filter(|answer| answer.command == BootstrapCommand::Finish);
    finishes.map(|answer| answer.result.as_ref().ok().map(|response| response.code)).collect()
}

fn diagnostics(sim: &Sim<Device>) -> Vec<Event> {
    news(sim).into_iter().filter(|event| matches!(event, Event::Diagnostic(_))).collect()
}
