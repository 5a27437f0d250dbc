//! Lives in which anything happens at any time, and what must be true of all of them.

use lwm2m_core::Generator;
use lwm2m_core::sim::Radio;

use super::*;

const LIFETIME: Path = Path::resource(1, 0, 1);
const DISABLE: Path = Path::resource(1, 0, 4);
const TRIGGER: Path = Path::resource(1, 0, 8);

/// Something that may happen, and how long nothing else does then.
fn happen(sim: &mut Sim<Counter>, random: &mut Generator) {
    let mut draw = |below: u64| random.next_u64() % below;
    match draw(28) {
        0 => sim.network_down(),
        1..=3 => sim.network_up(),
        4 => sim.network.cut(),
        5 | 6 => sim.network.mend(),
        7 => sim.network.rebind(),
        8 => sim.address_changed(),
        9 => sim.enter_flight_mode(),
        10 | 11 => sim.leave_flight_mode(),
        12 => {
            let mut bad = || draw(300) as u16;
            let conditions = Conditions { loss: bad(), duplication: bad(), reordering: bad(), ..Conditions::GOOD };
            sim.network.set(conditions);
        }
        13 => sim.network.set(Conditions { jitter: secs(draw(10)), ..Conditions::GOOD }),
        14 => sim.network.connecting = secs(draw(10)),
        15 => {
            let host = ["bs.example:5683", "dm.example:5683"][draw(2) as usize];
            sim.network.unresolvable(host, draw(2) == 0);
        }
        16 => {
            sim.model.device.battery_level = Some(draw(100) as u8);
            sim.notify(BATTERY);
        }
        17 => drop(sim.update(1)),
        18 if draw(4) == 0 => sim.reboot(),
        18 if draw(3) == 0 => sim.reboot_from_flash(),
        19 if draw(2) == 0 => sim.sleep(secs(draw(20_000))),
        19 => {
            sim.will_be_unreachable(secs(draw(20_000)));
            let radio = if draw(2) == 0 { Radio::PowerSaving } else { Radio::ExtendedDrx };
            sim.doze(secs(draw(2_000)), radio);
        }
        20..=22 => trouble(&mut sim.platform, &mut draw),
        _ => ask(&mut sim.platform.servers[draw(2) as usize], &mut draw),
    }
    let pause = match draw(4) {
        0 => Duration::ZERO,
        1 => Duration::from_millis(draw(5_000)),
        2 => secs(draw(300)),
        _ => secs(draw(20_000)),
    };
    sim.run_for(pause);
}

/// A server fails, recovers, or answers as no server should.
fn trouble(platform: &mut Platform, draw: &mut impl FnMut(u64) -> u64) {
    let delay = secs(draw(100));
    let answering = match draw(6) {
        0 => Answering::Separate(delay),
        1 => Answering::Late(delay),
        2 => Answering::Twice,
        3 => Answering::AcknowledgeOnly,
        4 => Answering::Never,
        _ => Answering::Piggybacked,
    };
    let server = &mut platform.servers[draw(2) as usize];
    match draw(9) {
        0 => server.go_down(),
        1 => server.come_up(),
        2 => server.restart(),
        3 => server.answering = answering,
        4 => platform.bootstrap.go_down(),
        5 => platform.bootstrap.come_up(),
        6 => platform.bootstrap.answering = answering,
        _ => {
            let interface = if draw(2) == 0 { Interface::Register } else { Interface::Update };
            let codes = [Code::NOT_FOUND, Code::FORBIDDEN, Code::SERVICE_UNAVAILABLE, Code::CREATED, Code::CONTENT];
            server.answer_next(interface, codes[draw(5) as usize]);
        }
    }
}

/// A server asks something.
fn ask(server: &mut DmServer, draw: &mut impl FnMut(u64) -> u64) {
    let observations = server.observations();
    let last = observations.last().map(|observation| observation.operation);
    match (draw(8), last) {
        (0, _) => {
            server.block_size = [None, Some(16), Some(64)][draw(3) as usize];
            server.read(Path::object(3), None);
        }
        (1 | 2, _) => {
            let paths = [BATTERY, Path::instance(3, 0), Path::object(1)];
            server.observe(paths[draw(3) as usize], None);
        }
        (3, Some(last)) => drop(server.cancel(last)),
        (4, Some(last)) => server.forget(last),
        (5, _) => {
            server.lifetime = if draw(2) == 0 { 120 } else { 7_200 };
            let text = server.lifetime.to_string();
            server.write(LIFETIME, ContentFormat::TEXT_PLAIN, text.as_bytes(), WriteMode::Replace);
        }
        (6, _) => drop(server.execute(DISABLE, "")),
        _ => drop(server.execute(TRIGGER, "")),
    }
}

/// Everything is well again.
fn recover(sim: &mut Sim<Counter>) {
    sim.network.set(Conditions::GOOD);
    sim.network.mend();
    sim.network.connecting = Duration::ZERO;
    for host in ["bs.example:5683", "dm.example:5683"] {
        sim.network.unresolvable(host, false);
    }
    sim.platform.bootstrap.come_up();
    sim.platform.bootstrap.answering = Answering::Piggybacked;
    for server in &mut sim.platform.servers {
        server.come_up();
        server.answering = Answering::Piggybacked;
    }
    sim.leave_flight_mode();
    sim.network_up();
}

#[track_caller]
fn live(seed: u64) {
    let mut config = dm(seed).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.confirmable_notifications = seed.is_multiple_of(2);
    let mut sim = Sim::new(config, Counter { device: device(), executed: 0 }, seed);
    sim.platform.add_server(7, "coap://second.example", 3_600);
    for server in &mut sim.platform.servers {
        server.disable_timeout = Some(300);
        server.min_period = (seed.is_multiple_of(3)).then_some(10);
        server.max_period = (seed % 3 == 1).then_some(900);
        server.storing = !seed.is_multiple_of(5);
        // Its device keeps listening while it sleeps, and the server does not wait.
        server.binding = if seed.is_multiple_of(4) { "UQ" } else { "U" }.to_string();
        server.awake = 1_000 * DAY;
    }
    sim.watch();
    let mut random = Generator::new(Key::from_seed(seed));
    for _ in 0..40 {
        happen(&mut sim, &mut random);
        assert_eq!(sim.violations(), [], "seed {seed}\n{}", sim.trace);
    }

    recover(&mut sim);
    // After the longest pause between tries at the latest. An answer that was put into a server's
    // mouth may still make it two.
    sim.run_for(5 * DAY);
    for server in &sim.platform.servers {
        assert!(server.registration().is_some(), "seed {seed}: {} misses it\n{}", server.uri(), sim.trace);
        assert!(sim.client.is_registered(sim.now(), server.short_server_id), "seed {seed}");
    }
    // It is no nuisance: an Update or two for each lifetime.
    let before: Vec<_> = sim.platform.servers.iter().map(DmServer::updates_seen).collect();
    sim.run_for(secs(3_600));
    for (server, before) in sim.platform.servers.iter().zip(before) {
        let (updates, lifetime) = (server.updates_seen() - before, server.registration().unwrap().lifetime as usize);
        assert!(updates <= 2 * 3_600 / lifetime + 2, "seed {seed}: {updates} in an hour\n{}", sim.trace);
    }
    // It does what it is told, once.
    let level = sim.model.device.battery_level.unwrap().to_string();
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), level, "seed {seed}");
    let before = sim.model.executed;
    assert_eq!(sim.ask(0, |server| server.execute(REBOOT, "")).code(), Some(Code::CHANGED));
    assert_eq!(sim.model.executed, before + 1);
    nobody_complains(&sim);

    sim.shutdown();
    sim.run_for(secs(1));
    assert!(sim.platform.servers.iter().all(|server| server.registration().is_none()), "seed {seed}\n{}", sim.trace);
    let silence = sim.trace.datagrams(Direction::ToServer);
    sim.run_for(3 * DAY);
    assert_eq!(sim.trace.datagrams(Direction::ToServer), silence, "seed {seed}\n{}", sim.trace);
}

/// `WILD=A..B` lives other lives.
#[test]
fn whatever_happens_the_terminal_comes_back() {
    let range = std::env::var("WILD").unwrap_or_else(|_| "0..20".to_string());
    let (first, end) = range.split_once("..").expect("WILD is a range");
    for seed in first.parse().unwrap()..end.parse().unwrap() {
        live(seed);
    }
}
