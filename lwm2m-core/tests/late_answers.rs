//! Answers that the application gives later: acknowledged at once, kept, run again, bounded.

mod common;

use coap_codec::{Code, Message, MessageType, Token};
use common::{Desk, nothing, request, secs};
use lwm2m_core::{CommandError, Ctx, Refusal, Ticket};

fn deferring() -> Desk {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.model.refuse = Some(Refusal::Later);
    desk
}

/// The tickets that the model saw, in the order of its calls.
fn ticket(desk: &Desk) -> Ticket {
    desk.model.ticket.get().expect("an operation that may be deferred")
}

#[test]
fn a_deferred_request_is_acknowledged_at_once_and_answered_after_resume() {
    let mut desk = deferring();
    let read = desk.request(Code::GET, "/3/0/0", nothing);
    let (_, sent) = desk.receive(&read);
    let acknowledgement = Message::parse(&sent[0]).unwrap();
    assert_eq!((acknowledgement.message_type(), acknowledgement.code()), (MessageType::Acknowledgement, Code::EMPTY));
    assert_eq!(sent.len(), 1);
    // A repetition gets the same, and no second operation.
    let reads = desk.model.reads.get();
    assert_eq!(desk.receive(&read).1, sent);
    assert_eq!(desk.model.reads.get(), reads);

    desk.pass(secs(10));
    let before = desk.sent.len();
    let ticket = ticket(&desk);
    desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
    desk.drain();
    let answer = desk.messages(before)[0];
    assert_eq!(answer.message_type(), MessageType::Confirmable);
    assert_eq!((answer.code(), answer.payload()), (Code::CONTENT, &b"Example Works"[..]));
    assert_eq!(answer.token(), Message::parse(&read).unwrap().token());
    assert_ne!(answer.message_id(), acknowledgement.message_id());
    // The ticket is used up.
    assert_eq!(desk.client.resume(desk.now, ticket, &mut desk.model), Err(CommandError::StaleTicket));
    assert_eq!((desk.client.usage().deferred, desk.client.usage().slots), (0, 0));
}

#[test]
fn a_non_confirmable_request_is_answered_later_in_kind_and_not_acknowledged() {
    let mut desk = deferring();
    let read = request(MessageType::NonConfirmable, Code::GET, 7, "/3/0/0", nothing);
    assert_eq!(desk.receive(&read).1, Vec::<Vec<u8>>::new());
    let before = desk.sent.len();
    let ticket = ticket(&desk);
    desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
    desk.drain();
    let answer = desk.messages(before)[0];
    assert_eq!((answer.message_type(), answer.code()), (MessageType::NonConfirmable, Code::CONTENT));
}

#[test]
fn a_request_that_nobody_resumes_is_answered_5_03_at_its_deadline() {
    let mut desk = deferring();
    let execute = desk.request(Code::POST, "/3/0/12", nothing);
    desk.receive(&execute);
    let before = desk.sent.len();
    desk.pass(desk.client.config().answer_within - secs(1));
    assert_eq!(desk.sent.len(), before);
    desk.pass(secs(2));
    let answer = desk.messages(before)[0];
    assert_eq!(answer.code(), Code::SERVICE_UNAVAILABLE);
    assert_eq!(answer.token(), Message::parse(&execute).unwrap().token());
}

#[test]
fn one_more_than_the_limit_is_refused_and_service_returns() {
    let mut desk = deferring();
    let limit = desk.client.config().limits.deferred;
    for _ in 0..limit {
        let read = desk.request(Code::GET, "/3/0/0", nothing);
        desk.receive(&read);
    }
    assert_eq!(desk.client.usage().deferred, limit);
    let refused = desk.ask(Code::GET, "/3/0/0", nothing);
    assert_eq!(Message::parse(&refused).unwrap().code(), Code::SERVICE_UNAVAILABLE);
    // The application is done with all.
    desk.pass(secs(61));
    assert_eq!(desk.client.usage().deferred, 0);
    desk.model.refuse = None;
    let answered = desk.ask(Code::GET, "/3/0/0", nothing);
    assert_eq!(Message::parse(&answered).unwrap().code(), Code::CONTENT);
}

#[test]
fn a_refusal_with_a_code_is_the_answer() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.model.refuse = Some(Refusal::Code(Code::FORBIDDEN));
    let answer = desk.ask(Code::POST, "/3/0/12", nothing);
    assert_eq!(Message::parse(&answer).unwrap().code(), Code::FORBIDDEN);
    assert_eq!(Message::parse(&answer).unwrap().token(), Token::new(&0x4001u16.to_be_bytes()).unwrap());
}

#[test]
fn a_deferred_request_is_forgotten_in_flight_mode() {
    let mut desk = deferring();
    let read = desk.request(Code::GET, "/3/0/0", nothing);
    desk.receive(&read);
    let ticket = ticket(&desk);
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    assert_eq!(desk.client.resume(desk.now, ticket, &mut desk.model), Err(CommandError::StaleTicket));
    assert_eq!(desk.client.usage().deferred, 0);
}

/// What the model is told of a resumed call.
#[test]
fn the_second_call_says_that_it_is_one() {
    fn assert_copy<T: Copy>() {}
    assert_copy::<Ctx>();
    assert_copy::<Ticket>();
    let mut desk = deferring();
    let execute = desk.request(Code::POST, "/3/0/12", nothing);
    desk.receive(&execute);
    assert!(!desk.model.resumed.get());
    let ticket = ticket(&desk);
    desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
    assert!(desk.model.resumed.get());
    assert_eq!(desk.model.executes, 2);
}
