//! Updates that are refused, and how long it takes to try again.

use coap_codec::{Code, MessageType, OptionNumber};

use crate::common::{Desk, Server, reply, secs};

#[test]
fn an_update_answered_4_29_keeps_the_registration() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let before = desk.sent.len();
    desk.server = Server::Refuses(Code::TOO_MANY_REQUESTS);
    desk.client.update(desk.now, 1).unwrap();
    desk.pass(secs(59));
    assert!(desk.client.is_registered(desk.now, 1));
    assert_eq!(desk.moments(before, Code::POST).len(), 1);
}

#[test]
fn no_server_makes_the_client_wait_for_longer_than_the_longest_pause() {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.pass(secs(1));
    let refusal = reply(MessageType::Acknowledgement, &desk.last(Code::POST), Code::SERVICE_UNAVAILABLE, |writer| {
        writer.option(OptionNumber::MAX_AGE, &[0xFF; 4]).unwrap()
    });
    desk.receive(&refusal);
    assert_eq!(desk.client.poll_timeout(), Some(desk.now + secs(86_400)));
}

#[test]
fn a_network_that_is_back_shortens_a_long_pause() {
    let mut desk = Desk::new(Desk::config(1, 3_600));
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.pass(secs(86_400));
    assert!(desk.client.poll_timeout() > Some(desk.now + secs(90)));
    desk.client.network_down(desk.now);
    desk.client.network_up(desk.now);
    let due = desk.client.poll_timeout();
    assert!(due > Some(desk.now) && due <= Some(desk.now + secs(90)), "{due:?} at {:?}", desk.now);
}
