//! Records of runs, and their replay.

use super::*;

#[test]
fn a_record_replays_to_the_same_bytes() {
    let mut sim = terminal(5);
    sim.record(true);
    sim.network.lose(200);
    sim.network.duplicate(200);
    sim.network_up();
    sim.run_for(secs(3_600));
    insist(&mut sim, |server| server.observe(BATTERY, None));
    sim.model.battery_level = Some(42);
    sim.note("set /3/0/9 42");
    sim.notify(BATTERY);
    sim.run_for(DAY);
    sim.reboot();
    sim.network_up();
    sim.run_for(DAY);
    let _ = sim.update(1);
    sim.address_changed();
    sim.network_down();
    sim.network_up();
    sim.enter_flight_mode();
    sim.run_for(secs(100));
    sim.leave_flight_mode();
    sim.run_for(secs(100));
    sim.shutdown();
    sim.run_for(secs(100));

    let record = sim.recorded().unwrap();
    let set = |device: &mut Device, text: &str| {
        assert_eq!(text, "set /3/0/9 42");
        device.battery_level = Some(42);
    };
    let replayed =
        lwm2m_core::sim::record::replay(&record, &mut device(), set).unwrap_or_else(|error| panic!("{error}"));
    let transmitted = record.lines().filter(|line| line.starts_with("< transmit")).count();
    assert_eq!(transmitted, sim.trace.datagrams(Direction::ToServer));
    assert!(replayed.outputs > transmitted && replayed.inputs > 0 && replayed.events == sim.events().count());

    // A model that differs, and a record that was changed, are found.
    let forgets = lwm2m_core::sim::record::replay(&record, &mut device(), |_, _| {});
    assert!(forgets.unwrap_err().recorded.starts_with("< transmit"));
    let line = record.lines().position(|line| line.starts_with("< transmit")).unwrap();
    let changed = record.replacen("< transmit 0 4", "< transmit 0 5", 1);
    assert_eq!(lwm2m_core::sim::record::replay(&changed, &mut device(), set).unwrap_err().line, line + 1);
}
