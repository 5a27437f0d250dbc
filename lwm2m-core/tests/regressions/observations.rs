//! Observations, and what is kept for them.

use coap_codec::{Code, ContentFormat, Message};
use lwm2m_core::{Event, Path, Refusal};

use crate::common::{BATTERY, Desk, Server, acknowledge, reject, secs};
use crate::{CANCELLED, observe};

#[test]
fn a_repeated_observe_does_not_revive_a_cancelled_observation() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    // The answer is too long to be kept for a repetition: it is made anew.
    let observe = desk.request(Code::GET, "/3/0", |writer| writer.observe(0).unwrap());
    desk.receive(&observe);
    desk.server = Server::Silent;
    desk.battery(5);
    let reset = reject(&desk.last(Code::CONTENT));
    desk.receive(&reset);
    assert_eq!(desk.events.last(), Some(&Event::ObservationCancelled { server: 1, path: Path::instance(3, 0) }));
    let before = desk.events.len();
    desk.receive(&observe);
    assert_eq!(desk.events[before..], []);
    let before = desk.sent.len();
    desk.battery(6);
    assert_eq!(desk.sent.len(), before);
}

#[test]
fn a_reset_of_a_notification_from_before_a_new_observe_still_cancels() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.receive(&observe(1, 0, None));
    desk.server = Server::Silent;
    desk.battery(5);
    let reset = reject(&desk.last(Code::CONTENT));
    // The answer to this one is a 2.05 as well.
    let notification = desk.sent.len();
    desk.receive(&observe(2, 0, None));
    assert_eq!(desk.sent.len(), notification + 1);
    desk.receive(&reset);
    assert_eq!(desk.events.last(), Some(&CANCELLED));
}

#[test]
fn an_observe_that_is_answered_with_an_error_ends_the_observation() {
    let opaque = Some(ContentFormat(50));
    for (refusal, request, code) in [
        (Some(Refusal::Code(Code::SERVICE_UNAVAILABLE)), observe(2, 1, None), Code::SERVICE_UNAVAILABLE),
        (None, observe(2, 0, opaque), Code::NOT_ACCEPTABLE),
    ] {
        let mut desk = Desk::registered(Desk::config(1, 86_400));
        desk.receive(&observe(1, 0, None));
        desk.model.refuse = refusal;
        let (_, sent) = desk.receive(&request);
        assert_eq!(Message::parse(&sent[0]).unwrap().code(), code);
        assert_eq!(desk.events.last(), Some(&CANCELLED));
        desk.model.refuse = None;
        let before = desk.sent.len();
        desk.battery(7);
        assert_eq!(desk.sent.len(), before);
    }
}

#[test]
fn a_notification_in_no_need_of_an_answer_keeps_its_time_while_an_update_has_none() {
    let mut config = Desk::config(1, 86_400);
    config.confirmable_notifications = false;
    let mut desk = Desk::registered(config);
    desk.write("/1/0/2", "10");
    desk.receive(&observe(1, 0, None));
    let observed = desk.now;
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.pass(secs(1));
    let before = desk.sent.len();
    desk.battery(7);
    desk.pass(secs(200));
    assert_eq!(desk.moments(before, Code::CONTENT), [observed + secs(10)]);
}

#[test]
fn what_changed_while_the_path_was_away_is_not_told_when_nothing_is_to_be_stored() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.write("/1/0/6", "0");
    desk.receive(&observe(1, 0, None));
    desk.client.network_down(desk.now);
    desk.battery(7);
    desk.pass(secs(100));
    let before = desk.sent.len();
    desk.client.network_up(desk.now);
    desk.pass(secs(10));
    assert!(desk.client.is_registered(desk.now, 1));
    assert_eq!(desk.moments(before, Code::CONTENT), []);
    desk.battery(8);
    assert_eq!(desk.moments(before, Code::CONTENT), [desk.now]);
}

#[test]
fn an_observe_is_worth_a_new_snapshot() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let before = desk.client.revision();
    desk.receive(&observe(1, 0, None));
    assert!(desk.client.revision() > before);
}

#[test]
fn a_late_answer_to_an_observe_that_is_rejected_ends_the_observation() {
    for confirmable in [true, false] {
        let mut desk = Desk::registered(Desk::config(1, 86_400));
        desk.server = Server::Silent;
        desk.model.refuse = Some(Refusal::Later);
        let mut observe = observe(1, 0, None);
        observe[0] |= if confirmable { 0 } else { 0x10 };
        desk.receive(&observe);
        desk.model.refuse = None;
        let ticket = desk.model.ticket.get().unwrap();
        desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
        desk.drain();
        assert_eq!(desk.events.last(), Some(&Event::Observed { server: 1, path: BATTERY }));
        // Its server does not know the token any more.
        let reset = reject(&desk.last(Code::CONTENT));
        desk.receive(&reset);
        assert_eq!(desk.events.last(), Some(&CANCELLED));
        let before = desk.sent.len();
        desk.battery(7);
        assert_eq!(desk.sent.len(), before);
    }
}

#[test]
fn the_next_notification_waits_for_the_acknowledgement_of_a_late_answer_to_its_observe() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.model.refuse = Some(Refusal::Later);
    desk.receive(&observe(1, 0, None));
    desk.model.refuse = None;
    let ticket = desk.model.ticket.get().unwrap();
    desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
    desk.drain();
    let answer = desk.last(Code::CONTENT);
    desk.battery(7);
    assert_eq!(desk.last(Code::CONTENT), answer);
    desk.receive(&acknowledge(&answer, Code::EMPTY));
    assert_eq!(Message::parse(&desk.last(Code::CONTENT)).unwrap().payload(), b"7");
}

#[test]
fn of_what_is_due_at_one_moment_the_first_observation_is_told_first() {
    let paths = ["3/0/9", "3/0", "3"];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut desk = Desk::registered(Desk::config(1, 86_400));
        let tokens = order.map(|index| {
            let answer = desk.ask(Code::GET, paths[index], |writer| writer.observe(0).unwrap());
            Message::parse(&answer).unwrap().token()
        });
        // More than the shortest period, so that it is told at once.
        desk.pass(secs(10));
        let before = desk.sent.len();
        desk.battery(42);
        let told: Vec<_> = desk.messages(before).iter().map(Message::token).collect();
        assert_eq!(told, tokens, "{order:?}");
    }
}
