//! Updates that are refused, and how long it takes to try again.

use coap_codec::{Code, Message, MessageType, OptionNumber};

use crate::common::{Desk, Server, nothing, reply, secs};
use crate::observe;

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

#[test]
fn a_disabled_server_is_left_alone_for_its_time_whatever_the_network_does() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.write("/1/0/5", "10000");
    desk.ask(Code::POST, "/1/0/4", nothing);
    assert_eq!(desk.moments(0, Code::DELETE), [desk.now]);
    let (left, before) = (desk.now, desk.sent.len());
    desk.pass(secs(100));
    desk.client.network_down(desk.now);
    desk.pass(secs(100));
    desk.client.network_up(desk.now);
    desk.pass(secs(20_000));
    assert_eq!(desk.moments(before, Code::POST), [left + secs(10_000)]);
}

#[test]
fn an_update_waits_for_a_call_that_can_see_the_model() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let before = desk.sent.len();
    desk.client.update(desk.now, 1).unwrap();
    // There is one already: nothing happens, but what is due is looked at.
    desk.client.network_up(desk.now);
    desk.drain();
    assert_eq!(desk.sent.len(), before);
    assert_eq!(desk.client.poll_timeout(), Some(desk.now));
    desk.timeout();
    let [update] = &desk.messages(before)[..] else { panic!("one Update: {:?}", desk.messages(before)) };
    assert_eq!((update.code(), update.payload()), (Code::POST, &b""[..]), "the list is what it was");
}

#[test]
fn a_server_that_refuses_an_update_for_now_is_told_of_changes_all_the_same() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.receive(&observe(1, 0, None));
    desk.server = Server::Refuses(Code::SERVICE_UNAVAILABLE);
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    let before = desk.sent.len();
    desk.battery(42);
    let [told] = &desk.messages(before)[..] else { panic!("one notification: {:?}", desk.messages(before)) };
    assert_eq!((told.code(), told.payload()), (Code::CONTENT, &b"42"[..]));
    // One that says nothing may be gone: it is told when it has answered again.
    desk.server = Server::Silent;
    desk.pass(secs(200));
    let before = desk.sent.len();
    desk.battery(41);
    assert_eq!(desk.moments(before, Code::CONTENT), []);
    desk.server = Server::Grants;
    desk.pass(secs(100));
    let told = |message: &Message<'_>| message.code() == Code::CONTENT && message.payload() == b"41";
    assert!(desk.messages(before).iter().any(told));
}
