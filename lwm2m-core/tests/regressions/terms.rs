//! What a server is told of lifetime and objects, and what a configuration may say.

use coap_codec::{Code, Message};
use lwm2m_core::{Client, ConfigError, Instant, Output, Path};

use crate::Crowd;
use crate::common::{Desk, Server, acknowledge, device, secs};

#[test]
fn a_lifetime_written_while_an_update_is_on_its_way_is_told_by_another() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.write("/1/0/1", "3600");
    let update = desk.last(Code::POST);
    assert!(Message::parse(&update).unwrap().uri_query().eq([b"lt=3600".as_slice()]));
    desk.write("/1/0/1", "7200");
    desk.server = Server::Grants;
    let before = desk.sent.len();
    desk.receive(&acknowledge(&update, Code::CHANGED));
    desk.pass(secs(1_000));
    assert_eq!(desk.moments(before, Code::POST).len(), 1);
    assert!(Message::parse(&desk.last(Code::POST)).unwrap().uri_query().eq([b"lt=7200".as_slice()]));
}

#[test]
fn an_instance_that_came_while_a_register_is_on_its_way_is_told_by_an_update() {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.pass(secs(1));
    let register = desk.last(Code::POST);
    let mut model = Crowd(device(), 2);
    desk.client.notify(desk.now, Path::object(3), &mut model);
    let granted = acknowledge(&register, Code::CREATED);
    desk.client.handle_datagram(desk.now, desk.server_peer(), &granted, &mut model);
    desk.client.handle_timeout(desk.now, &mut model);
    let Some(Output::Transmit { datagram, .. }) = desk.client.poll_output() else { panic!("no Update") };
    let update = Message::parse(datagram).unwrap();
    assert!(update.uri_path().eq([b"rd".as_slice(), b"5a3f"]));
    assert!(update.payload().windows(6).any(|link| link == b"</3/1>"));
}

#[test]
fn an_update_with_new_terms_that_is_answered_5_03_is_not_retried_at_once() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let before = desk.sent.len();
    desk.server = Server::Refuses(Code::SERVICE_UNAVAILABLE);
    desk.write("/1/0/1", "3600");
    desk.pass(secs(59));
    assert_eq!(desk.moments(before, Code::POST).len(), 1);
    desk.server = Server::Grants;
    desk.pass(secs(60));
    assert_eq!(desk.moments(before, Code::POST).len(), 2);
    assert!(Message::parse(&desk.last(Code::POST)).unwrap().uri_query().eq([b"lt=3600".as_slice()]));
}

#[test]
fn a_default_lifetime_of_zero_is_an_error_of_the_configuration() {
    let mut config = Desk::config(1, 0);
    config.default_lifetime = 0;
    assert_eq!(Client::new(config, Instant::ZERO).unwrap_err(), ConfigError::Lifetime);
}
