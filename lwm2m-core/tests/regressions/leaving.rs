//! De-registers, flight mode, power-off.

use coap_codec::Code;
use lwm2m_core::{Event, Leave, Reason};

use crate::common::{Desk, Server, acknowledge, secs};
use crate::{MAY_FLY, disabling, leaving};

#[test]
fn a_de_register_lost_with_the_network_is_sent_again() {
    let losses: [fn(&mut Desk); 2] = [
        |desk| {
            desk.client.network_down(desk.now);
            desk.pass(secs(5));
            desk.client.network_up(desk.now);
        },
        |desk| desk.client.address_changed(desk.now),
    ];
    for lose in losses {
        let mut desk = disabling();
        lose(&mut desk);
        desk.drain();
        assert_eq!(desk.moments(0, Code::DELETE).len(), 2);
        assert_eq!(desk.events.last(), Some(&Event::Deregistered { server: 1, unconfirmed: None }));
        // And the server is left alone for as long as it wanted to be.
        desk.pass(secs(9));
        assert!(!desk.client.is_registered(desk.now, 1));
        desk.pass(secs(2));
        assert!(desk.client.is_registered(desk.now, 1));
    }
}

#[test]
fn a_de_register_that_cannot_reach_its_server_is_given_up() {
    let mut desk = disabling();
    desk.client.connection_failed(desk.now, desk.server_peer());
    desk.drain();
    assert_eq!(desk.events, [Event::Deregistered { server: 1, unconfirmed: Some(Reason::Unreachable) }]);
    desk.pass(secs(9));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.pass(secs(2));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_device_whose_de_register_is_lost_may_proceed() {
    let losses: [fn(&mut Desk); 3] = [
        |desk| desk.client.network_down(desk.now),
        |desk| desk.client.address_changed(desk.now),
        |desk| desk.client.connection_failed(desk.now, desk.server_peer()),
    ];
    for lose in losses {
        let mut desk = leaving();
        lose(&mut desk);
        desk.drain();
        assert_eq!(desk.events.iter().filter(|event| **event == MAY_FLY).count(), 1, "{:?}", desk.events);
    }
}

#[test]
fn flight_mode_in_the_middle_of_a_disable_may_begin_and_the_disable_goes_on() {
    let mut desk = disabling();
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    assert_eq!(desk.events, [Event::Deregistered { server: 1, unconfirmed: None }, MAY_FLY]);
    desk.client.leave_flight_mode(desk.now);
    desk.pass(secs(9));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.pass(secs(2));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_disable_survives_flight_mode_and_the_network() {
    let mut desk = disabling();
    let answer = acknowledge(&desk.last(Code::DELETE), Code::DELETED);
    desk.receive(&answer);
    desk.client.network_down(desk.now);
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    desk.client.leave_flight_mode(desk.now);
    desk.client.network_up(desk.now);
    desk.pass(secs(9));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.pass(secs(2));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn flight_mode_does_not_call_a_power_off_back() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.client.shutdown(desk.now);
    desk.client.enter_flight_mode(desk.now);
    desk.client.leave_flight_mode(desk.now);
    desk.events.clear();
    desk.pass(secs(200));
    let over = [Event::Deregistered { server: 1, unconfirmed: None }, Event::MayProceed(Leave::PowerOff)];
    assert_eq!(desk.events, over);
    assert!(!desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_short_flight_mode_delays_the_register_by_no_more_than_leaving_may_take() {
    let mut config = Desk::config(1, 86_400);
    config.leave_within = secs(5);
    let mut desk = Desk::registered(config);
    desk.server = Server::Silent;
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    desk.client.leave_flight_mode(desk.now);
    desk.server = Server::Silent;
    let (from, before) = (desk.now, desk.sent.len());
    desk.pass(secs(5));
    assert_eq!(desk.moments(before, Code::POST), [from + secs(5)]);
}
