//! DM terminal specification 7.5: flight mode and power-off at any moment.

use core::time::Duration;

use coap_codec::Code;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answering, BootstrapCommand, Direction, Interface, Sim};
use lwm2m_core::{CommandError, Credentials, Event, Leave, Path};

use crate::terminal::*;

const FLIGHT: Event = Event::MayProceed(Leave::FlightMode);
const POWER_OFF: Event = Event::MayProceed(Leave::PowerOff);

type Act = fn(&mut Sim<Device>);
type Make<M> = fn() -> Sim<M>;

/// Both ways to leave, and what the embedder is told.
const WAYS: [(Act, Event); 2] = [(Sim::enter_flight_mode, FLIGHT), (Sim::shutdown, POWER_OFF)];

#[test]
fn dm_7_5_g_who_is_not_registered_leaves_without_a_word() {
    let scenes: [(&str, Make<Device>); 5] = [
        ("no network yet", || terminal(1)),
        ("refused, and waiting for the next try", || {
            let mut sim = terminal(1);
            server_mut(&mut sim).answer_next(Interface::Register, Code::FORBIDDEN);
            sim.network_up();
            sim.run_for(secs(5));
            sim
        }),
        ("disabled by the server", || {
            let mut sim = registered(1);
            server_mut(&mut sim).execute(Path::resource(1, 0, 4), "");
            sim.run_for(secs(5));
            sim
        }),
        ("in flight mode", || {
            let mut sim = registered(1);
            sim.enter_flight_mode();
            sim.run_for(secs(5));
            sim
        }),
        ("its lifetime has passed", || {
            let mut sim = registered(1);
            sim.network_down();
            sim.run_for(2 * DAY);
            // Not one datagram leaves before the device does.
            sim.network.connecting = secs(10);
            sim.network_up();
            sim
        }),
    ];
    for (scene, make) in scenes {
        for (leave, may_proceed) in WAYS {
            let mut sim = make();
            assert!(!sim.client.is_registered(sim.now(), 1), "{scene}");
            let (now, before, told) = (sim.now(), sent(&sim).len(), happened(&sim, may_proceed));
            leave(&mut sim);
            assert_eq!(times(&sim, may_proceed)[told..], [now], "{scene}: done at once\n{}", sim.trace);
            sim.network_up();
            sim.run_for(2 * DAY);
            assert_eq!(sent(&sim).len(), before, "{scene}\n{}", sim.trace);
            assert_eq!(happened(&sim, may_proceed), told + 1, "{scene}");
        }
    }
}

/// The case names a Block1 transfer too: see `blockwise_register`.
#[test]
fn dm_7_5_h_what_was_going_on_is_dropped() {
    for (scene, make, is_known, open) in SCENES {
        for shutdown in [false, true] {
            let mut sim = make();
            let (begun, before) = (sim.now(), sent(&sim).len());
            let usage = sim.client.usage();
            assert_eq!((usage.exchanges, usage.deferred), open, "{scene}\n{}", sim.trace);
            assert_eq!(sim.client.location(1).count() > 0, is_known, "{scene}");
            let place = if is_known { location_of(&sim) } else { String::new() };
            let may_proceed = if shutdown { POWER_OFF } else { FLIGHT };
            match shutdown {
                true => sim.shutdown(),
                false => sim.enter_flight_mode(),
            }
            for ticket in sim.model.1.tickets.take() {
                assert_eq!(sim.resume(ticket), Err(CommandError::StaleTicket), "{scene}");
            }
            sim.run_for(secs(400));

            // Nothing leaves but one De-register and its repetitions.
            let sent_after = sent(&sim).split_off(before);
            assert_eq!(!sent_after.is_empty(), is_known, "{scene}\n{}", sim.trace);
            assert!(sent_after.len() <= 5, "{scene}\n{}", sim.trace);
            for delete in &sent_after {
                assert_eq!((delete.code(), delete.path()), (Code::DELETE, place.clone()), "{scene}\n{}", sim.trace);
                assert_eq!(delete.bytes, sent_after[0].bytes, "{scene}: one exchange\n{}", sim.trace);
            }
            let told = times(&sim, may_proceed);
            assert_eq!(told.len(), 1, "{scene}\n{}", sim.trace);
            assert!(between(begun, told[0]) <= secs(if is_known { 93 } else { 0 }), "{scene}\n{}", sim.trace);
            assert!(sent_after.iter().all(|sent| sent.at <= told[0]), "{scene}\n{}", sim.trace);

            // All is well again, and so is the device.
            sim.platform.bootstrap.come_up();
            sim.platform.bootstrap.answering = Answering::Piggybacked;
            sim.platform.bootstrap.script = None;
            server_mut(&mut sim).come_up();
            server_mut(&mut sim).answering = Answering::Piggybacked;
            (sim.network.connecting, sim.model.1.later) = (Duration::ZERO, false);
            sim.network.mend();
            let (back, silence) = (sim.now(), sent(&sim).len());
            sim.leave_flight_mode();
            sim.run_for(secs(1_000));
            assert_eq!(sent(&sim).len() == silence, shutdown, "{scene}\n{}", sim.trace);
            assert_eq!(sim.client.is_registered(sim.now(), 1), !shutdown, "{scene}\n{}", sim.trace);
            let mut registers = requests(&sim, Code::POST, "/rd");
            registers.retain(|register| register.at >= back);
            assert_eq!(registers.len(), usize::from(!shutdown), "{scene}\n{}", sim.trace);
        }
    }
}

#[test]
fn dm_7_5_i_flight_mode_twice_is_flight_mode_once() {
    for pause in [Duration::ZERO, secs(1), secs(200)] {
        for answering in [Answering::Piggybacked, Answering::Late(secs(3)), Answering::Never] {
            let mut sim = registered(1);
            let (place, before) = (location_of(&sim), sim.now());
            server_mut(&mut sim).answering = answering;
            for _ in 0..2 {
                sim.enter_flight_mode();
                sim.run_for(pause);
            }
            sim.run_for(secs(200));
            let case = format!("{answering:?}, {pause:?}\n{}", sim.trace);
            let mut deletes = requests(&sim, Code::DELETE, &place);
            deletes.dedup_by_key(|delete| delete.message().message_id());
            assert_eq!(deletes.len(), 1, "{case}");
            let over = |event: &Event| matches!(event, Event::Deregistered { .. });
            assert_eq!(news(&sim).iter().filter(|event| over(event)).count(), 1, "{case}");
            // Whoever asks once more when the device has left is told once more.
            let left = times(&sim, FLIGHT);
            let once_more = (left[0] < before + pause).then_some(before + pause);
            assert_eq!(left[1..], *once_more.as_slice(), "{case}");

            server_mut(&mut sim).answering = Answering::Piggybacked;
            for _ in 0..2 {
                sim.leave_flight_mode();
                sim.run_for(pause);
            }
            sim.run_for(secs(10));
            assert_eq!(server(&sim).registers_seen(), 2, "{case}\n{}", sim.trace);
            assert_eq!(server(&sim).updates_seen(), 0, "{case}\n{}", sim.trace);
            assert!(sim.client.is_registered(sim.now(), 1), "{case}\n{}", sim.trace);
            assert_eq!(happened(&sim, FLIGHT), left.len(), "{case}\n{}", sim.trace);
        }
    }
}

#[test]
fn dm_7_5_j_back_before_the_answer_ends_registered_once() {
    // When the Register may leave: once the answer is there, or the De-register is given up.
    for (answering, lose, (least, most)) in [
        (Answering::Late(secs(10)), 0, (10, 11)),
        (Answering::Separate(secs(10)), 0, (10, 11)),
        (Answering::Twice, 0, (0, 1)),
        (Answering::Piggybacked, 2, (6, 10)),
        (Answering::Piggybacked, 5, (62, 93)),
        (Answering::AcknowledgeOnly, 0, (93, 93)),
    ] {
        for flips in 1..=3 {
            let mut sim = registered(1);
            let (now, place, before) = (sim.now(), location_of(&sim), sent(&sim).len());
            server_mut(&mut sim).answering = answering;
            (0..lose).for_each(|_| sim.network.lose_next(Direction::ToServer));
            for _ in 0..flips {
                sim.enter_flight_mode();
                sim.leave_flight_mode();
            }
            let case = format!("{answering:?}, {lose} lost, {flips} times");
            assert!(sim.run_until(secs(100), |sim| requests(sim, Code::POST, "/rd").len() == 2), "{case}");
            let took = between(now, sim.now());
            assert!(took >= secs(least) && took <= secs(most), "{case}: {took:?}\n{}", sim.trace);
            server_mut(&mut sim).answering = Answering::Piggybacked;
            sim.run_for(secs(600));
            let mut exchanges = sent(&sim).split_off(before);
            exchanges.retain(|sent| sent.code().is_request());
            exchanges.dedup_by_key(|sent| sent.message().message_id());
            let paths: Vec<_> = exchanges.iter().map(Sent::path).collect();
            assert_eq!(paths, [place, "/rd".into()], "{case}: a De-register, and then a Register\n{}", sim.trace);
            assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 2, "{case}\n{}", sim.trace);
            assert!(sim.client.is_registered(sim.now(), 1), "{case}");
            assert_eq!(server(&sim).registrations().len(), 1, "{case}\n{}", sim.trace);
            assert_eq!(happened(&sim, FLIGHT), 0, "{case}: nobody is about to go\n{}", sim.trace);
            assert_eq!(sim.platform.bootstrap.requests_seen(), 1, "{case}");
        }
    }
}

#[test]
fn dm_7_5_l_without_a_network_nobody_can_be_told() {
    for (leave, may_proceed) in WAYS {
        // The device knows of it before, or hears of it while it waits; or nobody tells it.
        let cases: [(&str, Act, Act, u64); 3] = [
            ("down before", Sim::network_down, |_| {}, 0),
            ("down meanwhile", |sim| sim.network.cut(), Sim::network_down, 1),
            ("cut", |sim| sim.network.cut(), |_| {}, 93),
        ];
        for (case, before, meanwhile, most) in cases {
            let mut sim = registered(1);
            before(&mut sim);
            let (begun, known) = (sim.now(), sent(&sim).len());
            leave(&mut sim);
            sim.run_for(secs(1));
            meanwhile(&mut sim);
            sim.run_for(secs(300));
            let told = times(&sim, may_proceed);
            assert_eq!(told.len(), 1, "{case}\n{}", sim.trace);
            assert!(between(begun, told[0]) <= secs(most), "{case}\n{}", sim.trace);
            // What was sent into the void was the De-register, and not after the last word.
            let void = sent(&sim).split_off(known);
            assert_eq!(void.is_empty(), most == 0, "{case}\n{}", sim.trace);
            assert!(void.iter().all(|it| it.code() == Code::DELETE && it.at <= told[0]), "{case}\n{}", sim.trace);
            assert!(!sim.client.is_registered(sim.now(), 1), "{case}: offline");
            assert_eq!(sim.client.location(1).count(), 0, "{case}");
            assert_eq!(server(&sim).deregisters_seen(), 0, "{case}");

            // Back, it registers: what the server still knows does not count (7.3-2).
            sim.network.mend();
            sim.leave_flight_mode();
            sim.network_up();
            sim.run_for(secs(10));
            let registers = if may_proceed == FLIGHT { 2 } else { 1 };
            assert_eq!((server(&sim).registers_seen(), server(&sim).updates_seen()), (registers, 0), "{case}");
            assert_eq!(sim.client.is_registered(sim.now(), 1), may_proceed == FLIGHT, "{case}\n{}", sim.trace);
        }
    }
}

// ----- moments at which a device may have to leave ------------------------------------------------

/// Where the device stands, how it gets there, whether it has a location then, and how many exchanges of
/// its own and how many deferred requests are open.
type Scene = (&'static str, Make<(Device, Rack)>, bool, (usize, usize));

const SCENES: [Scene; 13] = [
    ("a session is being made for the bootstrap", || begin(|sim| sim.network.connecting = secs(20)), false, (0, 0)),
    ("the Bootstrap-Request is out", || begin(|sim| sim.platform.bootstrap.go_down()), false, (1, 0)),
    (
        "the Bootstrap-Request is acknowledged",
        || {
            begin(|sim| {
                sim.platform.bootstrap.answering = Answering::AcknowledgeOnly;
                sim.platform.bootstrap.script = Some(Vec::new());
            })
        },
        false,
        (1, 0),
    ),
    (
        "in the middle of the commands",
        || {
            begin(|sim| {
                let mut commands = sim.platform.bootstrap.commands(&sim.platform.servers);
                commands.insert(2, BootstrapCommand::Pause(secs(30)));
                sim.platform.bootstrap.script = Some(commands);
            })
        },
        false,
        (0, 0),
    ),
    ("the Register is out", || begin(|sim| server_mut(sim).go_down()), false, (1, 0)),
    (
        "the Register is acknowledged",
        || begin(|sim| server_mut(sim).answering = Answering::AcknowledgeOnly),
        false,
        (1, 0),
    ),
    ("nothing is going on", || online(|_| {}), true, (0, 0)),
    (
        "the Update is out",
        || {
            online(|sim| {
                server_mut(sim).go_down();
                sim.update(1).unwrap();
            })
        },
        true,
        (1, 0),
    ),
    (
        "the Update is acknowledged",
        || {
            online(|sim| {
                server_mut(sim).answering = Answering::AcknowledgeOnly;
                sim.update(1).unwrap();
            })
        },
        true,
        (1, 0),
    ),
    (
        "a session is being made for the Update",
        || {
            online(|sim| {
                sim.network_down();
                sim.network.connecting = secs(20);
                sim.network_up();
            })
        },
        true,
        (0, 0),
    ),
    (
        "an answer is deferred",
        || {
            online(|sim| {
                // The bootstrap server deleted everything.
                sim.model.1.levels.insert(0, 5);
                sim.model.1.later = true;
                server_mut(sim).read(LEVEL, None);
            })
        },
        true,
        (0, 1),
    ),
    (
        "a notification is unacknowledged",
        || {
            online(|sim| {
                server_mut(sim).observe(BATTERY, None);
                sim.run_for(secs(1));
                sim.network.cut();
                sim.model.0.battery_level = Some(1);
                sim.notify(BATTERY);
            })
        },
        true,
        (1, 0),
    ),
    (
        "the De-register of a Disable is out",
        || {
            online(|sim| {
                let answer_and_farewell = sim.network.counts().sent + 3;
                sim.network.lose_nth(answer_and_farewell);
                server_mut(sim).execute(Path::resource(1, 0, 4), "");
                sim.run_for(secs(1));
                server_mut(sim).go_down();
            })
        },
        true,
        (1, 0),
    ),
];

/// Five seconds after the network came; `prepare` says what keeps it from being registered by then.
fn begin(prepare: fn(&mut Sim<(Device, Rack)>)) -> Sim<(Device, Rack)> {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, (device(), Rack::new()), 1);
    server_mut(&mut sim).disable_timeout = Some(300);
    prepare(&mut sim);
    sim.network_up();
    sim.run_for(secs(5));
    sim
}

/// Five seconds after `happen`, in which nothing is finished.
fn online(happen: fn(&mut Sim<(Device, Rack)>)) -> Sim<(Device, Rack)> {
    let mut sim = begin(|_| {});
    happen(&mut sim);
    sim.run_for(secs(5));
    sim
}
