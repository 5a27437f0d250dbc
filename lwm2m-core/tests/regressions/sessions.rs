//! Sessions that come and go.

use lwm2m_core::{Config, Credentials, Event, Key, Output, Peer, Session};

use crate::common::{Desk, Server, secs};
use crate::town::Town;

/// A client that asked for a session when its network went.
fn asked_too_soon() -> (Desk, Peer) {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    desk.client.network_up(desk.now);
    let Some(Output::Connect { peer, .. }) = desk.client.poll_output() else { panic!("no Connect") };
    desk.client.network_down(desk.now);
    (desk, peer)
}

#[test]
fn a_session_that_fails_too_late_is_no_failure() {
    let (mut desk, peer) = asked_too_soon();
    desk.client.connection_failed(desk.now, peer);
    desk.client.network_up(desk.now);
    desk.drain();
    desk.timeout();
    assert_eq!(desk.events, [Event::Offline, Event::Registered { server: 1, lifetime: 86_400 }]);
}

#[test]
fn a_session_that_comes_too_late_is_asked_for_again() {
    let (mut desk, peer) = asked_too_soon();
    desk.client.connected(desk.now, peer, Session::New, &mut desk.model);
    desk.client.network_up(desk.now);
    assert!(matches!(desk.client.poll_output(), Some(Output::Connect { .. })));
}

#[test]
fn a_session_that_was_lost_with_the_network_is_closed_in_the_end() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.client.network_down(desk.now);
    desk.client.enter_flight_mode(desk.now);
    let peer = desk.server_peer();
    assert_eq!(desk.client.poll_output(), Some(Output::Disconnect { peer }));
    assert_eq!(desk.client.poll_output(), None);
}

#[test]
fn a_bootstrap_session_is_closed_at_power_off() {
    let config = Config::new("x", Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut town = Town::new(config, |_| Server::Silent);
    town.pass(secs(5));
    town.client.shutdown(town.now);
    town.pass(secs(1_000));
    assert_eq!(town.disconnected, [town.peer("bs.")]);
}
