//! Lives in which anything happens at any time, and what must be true of all of them.

use lwm2m_core::Generator;

use super::*;

const LIFETIME: Path = Path::resource(1, 0, 1);
const DISABLE: Path = Path::resource(1, 0, 4);
const TRIGGER: Path = Path::resource(1, 0, 8);

/// Something that may happen, and how long nothing else does then.
fn happen(sim: &mut Sim<Counter>, random: &mut Generator) {
    let mut draw = |below: u64| random.next_u64() % below;
    match draw(27) {
        0 => sim.network_down(),
        1..=3 => sim.network_up(),
        4 => sim.network.cut(),
        5 | 6 => sim.network.mend(),
        7 => sim.network.rebind(),
        8 => sim.address_changed(),
        9 => sim.enter_flight_mode(),
        10 | 11 => sim.leave_flight_mode(),
        12 => server_mut(sim).restart(),
        13 if draw(2) == 0 => server_mut(sim).go_down(),
        13 => sim.platform.bootstrap.go_down(),
        14 => server_mut(sim).come_up(),
        15 => sim.platform.bootstrap.come_up(),
        16 => {
            let mut bad = || draw(300) as u16;
            let conditions = Conditions { loss: bad(), duplication: bad(), reordering: bad(), ..Conditions::GOOD };
            sim.network.set(conditions);
        }
        17 => sim.network.set(Conditions::GOOD),
        18 => {
            sim.model.device.battery_level = Some(draw(100) as u8);
            sim.notify(BATTERY);
        }
        19 => {
            server_mut(sim).observe(if draw(2) == 0 { BATTERY } else { Path::instance(3, 0) }, None);
        }
        20 => {
            let observations = server(sim).observations();
            if let Some(last) = observations.last().map(|observation| observation.operation) {
                if draw(2) == 0 {
                    server_mut(sim).cancel(last);
                } else {
                    server_mut(sim).forget(last);
                }
            }
        }
        21 => {
            let (seconds, text) = if draw(2) == 0 { (60, "60") } else { (3_600, "3600") };
            server_mut(sim).lifetime = seconds;
            server_mut(sim).write(LIFETIME, ContentFormat::TEXT_PLAIN, text.as_bytes(), WriteMode::Replace);
        }
        22 => drop(server_mut(sim).execute(if draw(2) == 0 { DISABLE } else { TRIGGER }, "")),
        23 => drop(sim.update(1)),
        24 if draw(4) == 0 => sim.reboot(),
        24 if draw(3) == 0 => sim.reboot_from_flash(),
        25 if draw(2) == 0 => sim.sleep(secs(draw(20_000))),
        _ => drop(server_mut(sim).read(Path::object(3), None)),
    }
    let pause = match draw(4) {
        0 => Duration::ZERO,
        1 => Duration::from_millis(draw(5_000)),
        2 => secs(draw(300)),
        _ => secs(draw(20_000)),
    };
    sim.run_for(pause);
}

#[track_caller]
fn live(seed: u64) {
    let config = dm(seed).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, Counter { device: device(), executed: 0 }, seed);
    server_mut(&mut sim).disable_timeout = Some(300);
    let mut random = Generator::new(Key::from_seed(seed));
    for _ in 0..40 {
        happen(&mut sim, &mut random);
    }
    // Everything is well again: so is the terminal, after the longest pause at the latest.
    sim.network.set(Conditions::GOOD);
    sim.network.mend();
    sim.platform.bootstrap.come_up();
    server_mut(&mut sim).come_up();
    sim.leave_flight_mode();
    sim.network_up();
    sim.run_for(3 * DAY);
    assert!(server(&sim).registration().is_some(), "seed {seed}: offline\n{}", sim.trace);
    // And it is no nuisance: in an hour an Update or two for each lifetime.
    let (before, lifetime) = (server(&sim).updates_seen(), server(&sim).registration().unwrap().lifetime as usize);
    sim.run_for(secs(3_600));
    let updates = server(&sim).updates_seen() - before;
    assert!(updates <= 2 * 3_600 / lifetime + 2, "seed {seed}: {updates} in an hour\n{}", sim.trace);
    assert!(sim.client.is_registered(sim.now(), 1));
    let level = sim.model.device.battery_level.unwrap().to_string();
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), level, "seed {seed}");
    nobody_complains(&sim);

    let before = sim.model.executed;
    assert_eq!(sim.ask(0, |server| server.execute(REBOOT, "")).code(), Some(Code::CHANGED));
    assert_eq!(sim.model.executed, before + 1);

    sim.shutdown();
    sim.run_for(secs(1));
    assert!(server(&sim).registration().is_none(), "seed {seed}\n{}", sim.trace);
    let silence = sim.trace.datagrams(Direction::ToServer);
    sim.run_for(3 * DAY);
    assert_eq!(sim.trace.datagrams(Direction::ToServer), silence, "seed {seed}\n{}", sim.trace);
}

#[test]
fn whatever_happens_the_terminal_comes_back() {
    let count = std::env::var("WILD").ok().and_then(|count| count.parse().ok()).unwrap_or(40);
    for seed in 0..count {
        live(seed);
    }
}
