//! Requests that come again, and answers that come late.

use coap_codec::{Code, Message, MessageType};
use lwm2m_core::{CommandError, Received, Refusal, Session};

use crate::common::{Desk, Server, acknowledge, nothing, secs};

#[test]
fn a_late_answer_waits_while_the_client_registers_anew_and_is_dropped_then() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.model.refuse = Some(Refusal::Later);
    desk.ask(Code::POST, "/3/0/4", nothing);
    let ticket = desk.model.ticket.get().unwrap();
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    desk.receive(&acknowledge(&desk.last(Code::POST), Code::NOT_FOUND));
    let register = desk.last(Code::POST);
    assert!(Message::parse(&register).unwrap().uri_path().eq([b"rd".as_slice()]));
    desk.receive(&acknowledge(&register, Code::EMPTY));
    let before = desk.sent.len();
    desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
    desk.pass(secs(10));
    assert_eq!((desk.model.executes, desk.sent.len()), (1, before));

    let mut granted = acknowledge(&register, Code::CREATED);
    // Not an acknowledgement any more: non-confirmable, with a Message ID of its own.
    (granted[0], granted[2], granted[3]) = (granted[0] & 0xCF | 0x10, 0x77, 0x77);
    desk.receive(&granted);
    assert!(desk.client.is_registered(desk.now, 1));
    assert_eq!(desk.client.usage().deferred, 0);
    desk.pass(secs(100));
    assert_eq!((desk.model.executes, desk.sent.len()), (1, before));
    assert_eq!(desk.client.resume(desk.now, ticket, &mut desk.model), Err(CommandError::StaleTicket));
}

#[test]
fn a_repetition_from_before_a_new_registration_observes_nothing() {
    let mut desk = Desk::registered(Desk::config(1, 600));
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    let observed = |answers: &[Vec<u8>]| {
        let answer = Message::parse(&answers[0]).unwrap();
        assert_eq!((answer.code(), answer.payload()), (Code::CONTENT, &b"80"[..]));
        answer.observe()
    };
    let (_, answers) = desk.receive(&observe);
    assert_eq!(observed(&answers), Some(1));
    let (_, again) = desk.receive(&observe);
    assert_eq!(again[0], answers[0], "it was lost");
    // Its server has forgotten everything, and so does the client.
    let peer = desk.server_peer();
    desk.client.connected(desk.now, peer, Session::New, &mut desk.model);
    desk.drain();
    assert!(desk.client.is_registered(desk.now, 1));
    let (received, answers) = desk.receive(&observe);
    assert_eq!((received, observed(&answers)), (Received::Request, None));
}

#[test]
fn a_repetition_whose_type_was_damaged_leaves_the_next_one_its_answer() {
    let mut desk = Desk::registered(Desk::config(1, 600));
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    let (_, answers) = desk.receive(&observe);
    let mut damaged = observe.clone();
    damaged[0] ^= 0x10;
    assert_eq!(Message::parse(&damaged).unwrap().message_type(), MessageType::NonConfirmable);
    desk.receive(&damaged);
    let (_, again) = desk.receive(&observe);
    assert_eq!(again, answers);
}

/// A server that takes half of a short lifetime to acknowledge an Update: the next one is due by then, again and again.
#[test]
fn a_late_answer_goes_before_an_update_that_became_due_after_it() {
    let mut desk = Desk::registered(Desk::config(1, 120));
    desk.model.refuse = Some(Refusal::Later);
    desk.ask(Code::POST, "/3/0/4", nothing);
    let ticket = desk.model.ticket.get().unwrap();
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    let update = desk.last(Code::POST);
    desk.model.refuse = None;
    desk.pass(secs(10));
    desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
    desk.pass(secs(50));
    let before = desk.sent.len();
    desk.receive(&acknowledge(&update, Code::CHANGED));
    let codes = |desk: &Desk| {
        desk.sent[before..].iter().map(|(.., datagram)| Message::parse(datagram).unwrap().code()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&desk), [Code::CHANGED], "the answer, which waited for longer");
    let answer = desk.last(Code::CHANGED);
    desk.receive(&acknowledge(&answer, Code::EMPTY));
    assert_eq!(codes(&desk), [Code::CHANGED, Code::POST]);
}
