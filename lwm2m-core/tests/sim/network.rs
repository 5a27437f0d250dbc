//! The network: gone, back, changed, cut.

use super::*;

#[test]
fn a_network_that_is_back_brings_an_update_and_no_bootstrap() {
    let mut sim = registered(1);
    sim.network_down();
    sim.run_for(secs(3_600));
    assert_eq!(happened(&sim, Event::Offline), 1);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!((server(&sim).updates_seen(), server(&sim).registers_seen()), (1, 1));
    assert_eq!(sim.platform.bootstrap.requests_seen(), 1);
    sim.network_down();
    sim.run_for(2 * DAY);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(server(&sim).registers_seen(), 2, "the lifetime was over");
    assert!(server(&sim).registration().is_some());
}

#[test]
fn another_address_brings_a_register() {
    let mut sim = registered(1);
    sim.address_changed();
    sim.run_for(secs(1));
    assert_eq!((server(&sim).updates_seen(), server(&sim).registers_seen()), (0, 2));
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

#[test]
fn a_nat_that_forgets_makes_the_device_unreachable_until_its_next_message() {
    let mut sim = registered(1);
    sim.network.rebind();
    let unreachable = sim.ask(0, |server| server.read(BATTERY, None));
    assert_eq!(unreachable.result, Err(NoAnswer::TimedOut));
    assert_eq!(sim.network.counts().astray, 5);
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

#[test]
fn a_cut_that_nobody_told_of_is_survived() {
    let mut sim = registered(1);
    sim.network.cut();
    sim.run_for(3 * DAY);
    assert_eq!(server(&sim).history().last().unwrap().status, Status::Expired);
    sim.network.mend();
    assert!(sim.run_until(DAY * 3 / 2, |sim| server(sim).registration().is_some()), "{}", sim.trace);
}

#[test]
fn a_name_that_does_not_resolve_is_tried_again() {
    let mut sim = terminal(1);
    sim.network.unresolvable("bs.example:5683", true);
    sim.network_up();
    sim.run_for(secs(50));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Unreachable }), 1);
    sim.network.unresolvable("bs.example:5683", false);
    sim.network.unresolvable("dm.example:5683", true);
    sim.run_for(secs(50));
    assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason: Reason::Unreachable }), 1);
    sim.network.unresolvable("dm.example:5683", false);
    sim.run_for(secs(100));
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
}

#[test]
fn a_session_that_takes_its_time_is_waited_for() {
    let mut sim = terminal(1);
    sim.network.connecting = secs(20);
    sim.network_up();
    sim.run_for(secs(39));
    assert_eq!(server(&sim).registers_seen(), 0);
    sim.run_for(secs(2));
    assert!(server(&sim).registration().is_some());
}

#[test]
fn exactly_the_chosen_datagram_is_lost() {
    let mut sim = terminal(1);
    sim.network.lose_nth(3);
    sim.network_up();
    sim.run_for(secs(60));
    let fates = fates(&sim);
    assert_eq!(fates[2], (3, Fate::Lost));
    assert_eq!(fates.iter().filter(|(_, fate)| *fate != Fate::Delivered).count(), 1);
    assert!(server(&sim).registration().is_some());
}

#[test]
fn a_power_cut_begins_anew_with_a_bootstrap() {
    let mut sim = registered(1);
    sim.reboot();
    sim.run_for(secs(60));
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!((sim.platform.bootstrap.finished(), server(&sim).registers_seen()), (2, 2));
    assert_eq!(server(&sim).registrations().len(), 1, "the name is the same, so is the device");
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

#[test]
fn a_snapshot_in_flash_saves_the_accounts_over_a_power_cut() {
    let mut sim = registered(1);
    sim.platform.bootstrap.go_down();
    sim.reboot_from_flash();
    sim.run_for(secs(60));
    sim.network_up();
    sim.run_for(secs(100));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::TimedOut }), 1, "at every start");
    assert_eq!(server(&sim).registers_seen(), 2, "{}", sim.trace);
}

#[test]
fn a_sleeping_device_is_deaf_and_goes_on_where_it_was() {
    let mut sim = registered(1);
    let observation = server_mut(&mut sim).observe(BATTERY, None);
    sim.run_for(secs(1));
    let deaf = server_mut(&mut sim).read(BATTERY, None);
    sim.sleep(secs(3_600));
    assert_eq!(server(&sim).answer(deaf).unwrap().result, Err(NoAnswer::TimedOut));
    sim.run_for(secs(1));
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
    sim.model.battery_level = Some(79);
    sim.notify(BATTERY);
    sim.run_for(secs(1));
    assert_eq!(server(&sim).notifications(observation)[0].response.text(), "79");
    assert_eq!((server(&sim).registers_seen(), server(&sim).updates_seen()), (1, 0), "{}", sim.trace);
    // Past its Update it updates, past its lifetime it registers.
    sim.sleep(secs(82_000));
    sim.run_for(secs(1));
    assert_eq!((server(&sim).registers_seen(), server(&sim).updates_seen()), (1, 1), "{}", sim.trace);
    sim.sleep(2 * DAY);
    sim.run_for(secs(1));
    assert_eq!(server(&sim).registers_seen(), 2, "{}", sim.trace);
}
