//! Sleep with the memory off.

use coap_codec::{Code, OptionNumber};
use lwm2m_core::{Client, Config, Credentials, Key, Session, Wake};

use crate::common::{Desk, secs};
use crate::{REFUSES, disabling, leaving};

/// The same desk, after a sleep of a second with its memory off.
fn sleep(desk: &mut Desk) {
    let mut buffer = [0; 1_024];
    let len = desk.client.snapshot(desk.now, &mut buffer).unwrap();
    let wake = Wake::Sleep { elapsed: secs(1) };
    desk.now = desk.now + secs(1);
    desk.client = Client::restore(desk.client.config().clone(), &buffer[..len], desk.now, wake).unwrap();
}

#[test]
fn a_sleep_in_the_middle_of_leaving_comes_back_to_life() {
    // Back already, before the De-register was over.
    let mut desk = leaving();
    desk.client.leave_flight_mode(desk.now);
    sleep(&mut desk);
    desk.timeout();
    assert!(desk.client.is_registered(desk.now, 1));
    // On the way into flight mode.
    let mut desk = leaving();
    sleep(&mut desk);
    desk.pass(secs(100));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.client.leave_flight_mode(desk.now);
    desk.pass(secs(1));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_sleep_in_the_middle_of_a_disable_comes_back_to_life_after_it() {
    let mut desk = disabling();
    sleep(&mut desk);
    desk.pass(secs(8));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.pass(secs(2));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn the_pause_between_bootstraps_survives_a_sleep() {
    let mut config = Config::new("x", Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.honour_hold_off = false;
    let mut desk = Desk::new(config);
    desk.server = REFUSES;
    desk.client.network_up(desk.now);
    desk.pass(secs(3_600));
    let due = desk.client.poll_timeout();
    assert!(due > Some(desk.now + secs(600)), "{due:?}");
    sleep(&mut desk);
    assert_eq!(desk.client.poll_timeout(), due);
}

#[test]
fn a_change_that_waits_for_its_period_is_told_after_a_sleep_and_not_kept_or_dropped() {
    // Whether the server wants to be told later what it would have been told (/1/x/6).
    for storing in ["0", "1"] {
        let mut desk = Desk::registered(Desk::config(1, 86_400));
        desk.write("/1/0/6", storing);
        let period = desk.request(Code::PUT, "/3/0/9", |writer| {
            writer.option(OptionNumber::URI_QUERY, b"pmin=60").unwrap();
        });
        desk.receive(&period);
        let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
        desk.receive(&observe);
        desk.battery(41);
        sleep(&mut desk);
        let before = desk.sent.len();
        desk.session = Session::Resumed;
        // Time passes before the session is there.
        desk.now = desk.now + secs(70);
        desk.client.handle_timeout(desk.now, &mut desk.model);
        desk.model.inner.battery_level = Some(42);
        assert_eq!(desk.client.stored_notifications(), 0);
        desk.drain();
        assert_eq!(desk.messages(before).iter().map(|message| message.payload()).collect::<Vec<_>>(), [b"42"]);
    }
}
