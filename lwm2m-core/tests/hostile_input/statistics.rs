//! What is dropped, rejected, refused or said once more is counted by its cause.
#![allow(clippy::std_instead_of_alloc, reason = "a test is no part of the library")]

use std::collections::BTreeSet;

use coap_codec::{BlockValue, Code, ContentFormat, MessageType, MessageWriter, NoResponse, OptionNumber, Token};
use lwm2m_core::exchange::{Endpoint, Transmission, Verdict};
use lwm2m_core::{Client, Config, Credentials, Instant, Key, Limits, Peer, Refusal, Statistics, Wake};

use crate::common::{Desk, Server, acknowledge, nothing, reject, reply, request, secs};

/// What came to pass, and what is counted then; everything else is 0.
type Row = (&'static str, fn(&mut Desk), &'static [(&'static str, u32)]);

const ROWS: &[Row] = &[
    ("a long answer that is an error when it is asked for again", refused_again, &[("duplicates", 1)]),
    ("a stranger by multicast", stranger_by_multicast, &[("strangers", 1)]),
    ("one more by multicast than may wait", undeferred_by_multicast, &[("undeferred", 1)]),
    ("a request by multicast that no buffer holds", too_long_by_multicast, &[("too_long", 1)]),
    ("a late answer that is not wanted", unwanted_late, &[("unwanted_answers", 1)]),
    (
        "a refusal for want of room that is not wanted",
        unwanted_refusal,
        &[("unremembered", 1), ("server_errors", 1), ("unwanted_answers", 1)],
    ),
    ("a stranger", stranger, &[("strangers", 1)]),
    (
        "a value cut short, confirmable",
        |desk| drop(desk.receive(b"\x40\x01\x00\x07\xb5tes")),
        &[("malformed", 1), ("resets_sent", 1)],
    ),
    ("the same, not confirmable", |desk| drop(desk.receive(b"\x50\x01\x00\x07\xb5tes")), &[("malformed", 1)]),
    ("nothing at all", |desk| drop(desk.receive(b"")), &[("malformed", 1)]),
    ("the same by multicast", |desk| multicast(desk, b"\x40\x01\x00\x07\xb5tes"), &[("malformed", 1)]),
    ("version 2", |desk| drop(desk.receive(b"\x80\x01\x00\x07")), &[("other_versions", 1)]),
    ("version 0 by multicast", |desk| multicast(desk, b"\x10\x01\x00\x07"), &[("other_versions", 1)]),
    ("code 1.00, confirmable", |desk| drop(desk.receive(b"\x40\x20\x00\x07")), &[("misplaced", 1), ("resets_sent", 1)]),
    ("Empty and not confirmable", |desk| drop(desk.receive(b"\x50\x00\x00\x07")), &[("misplaced", 1)]),
    ("a Reset with a code", |desk| drop(desk.receive(b"\x70\x45\x00\x07")), &[("misplaced", 1)]),
    ("a request in an acknowledgement", |desk| drop(desk.receive(b"\x60\x01\x00\x07")), &[("misplaced", 1)]),
    ("a PUT by multicast", |desk| multicast(desk, b"\x50\x03\x00\x07"), &[("misplaced", 1)]),
    ("a ping", |desk| drop(desk.receive(b"\x40\x00\x00\x07")), &[("pings", 1), ("resets_sent", 1)]),
    ("a short answer again", |desk| twice(desk, "/3/0/9"), &[("duplicates", 1)]),
    ("a long answer again", |desk| twice(desk, "/3/0"), &[("duplicates", 1)]),
    ("an error again", |desk| twice(desk, "/3/0/99"), &[("duplicates", 1), ("client_errors", 1)]),
    ("again by multicast", again_by_multicast, &[("duplicates", 1)]),
    ("a request without a registration", unregistered, &[("unwelcome", 1), ("client_errors", 0)]),
    (
        "a response to nothing, confirmable",
        |desk| drop(desk.receive(b"\x41\x45\x00\x07x")),
        &[("unmatched_responses", 1), ("resets_sent", 1)],
    ),
    ("one that is not", |desk| drop(desk.receive(b"\x51\x45\x00\x07x")), &[("unmatched_responses", 1)]),
    ("one in an acknowledgement", |desk| drop(desk.receive(b"\x61\x45\x00\x07x")), &[("unmatched_responses", 1)]),
    (
        "an acknowledgement of nothing",
        |desk| drop(desk.receive(b"\x60\x00\x00\x07")),
        &[("unmatched_acknowledgements", 1)],
    ),
    ("a response with an unknown critical option", unusable, &[("unusable_responses", 1)]),
    ("a Reset to nothing", |desk| drop(desk.receive(b"\x70\x00\x00\x07")), &[("resets_received", 1)]),
    ("a Reset to an Update", rejected, &[("resets_received", 1)]),
    (
        "pings in a storm",
        |desk| (0..30).for_each(|id| drop(desk.receive(&[0x40, 0, 0, id]))),
        &[("pings", 30), ("resets_sent", 10), ("rejections_withheld", 20)],
    ),
    ("more changes than can be remembered", unremembered, &[("unremembered", 1), ("server_errors", 1)]),
    ("one more that waits than may", undeferred, &[("undeferred", 1), ("server_errors", 1)]),
    ("one that waited in vain", in_vain, &[("server_errors", 1)]),
    ("not found, and not allowed", refused, &[("client_errors", 2)]),
    ("what the application refuses", refused_by_model, &[("server_errors", 1)]),
    ("an error that is not wanted", unwanted, &[("client_errors", 1), ("unwanted_answers", 1)]),
    ("an answer without a buffer", no_buffer, &[("no_buffer", 1)]),
    ("a Register that is too long", too_long, &[("too_long", 1)]),
    ("an Update that nobody answers", unanswered, &[("retransmissions", 4), ("timeouts", 1)]),
    ("one that is only acknowledged", only_acknowledged, &[("timeouts", 1)]),
    ("pings whose answers nobody polls", unpolled, &[("pings", 20), ("resets_sent", 10), ("rejections_withheld", 10)]),
    ("acknowledgements that nobody polls", unpolled_answers, &[("unpolled", 11), ("duplicates", 24)]),
    ("a body whose second block does not come", abandoned, &[("abandoned_bodies", 1)]),
    ("one observation more than may be", crowded, &[("refused_observations", 1)]),
    ("two changes within pmin", merged, &[("merged_notifications", 1)]),
    ("a change that there is no room to keep", unstored, &[("dropped_notifications", 1)]),
    (
        "events that nobody polls",
        |desk| {
            desk.polls_events = false;
            (0..40).for_each(|_| drop(desk.ask(Code::GET, "/3/0/9", nothing)));
        },
        &[("dropped_events", 8)],
    ),
];

#[test]
fn each_cause_is_counted_and_nothing_else() {
    let mut reached = BTreeSet::from(["no_message_id"]);
    for (what, happens, counts) in ROWS {
        let mut desk = Desk::registered(config());
        assert_eq!(desk.client.statistics(), Statistics::default(), "nothing goes wrong in a registration");
        happens(&mut desk);
        let seen: Vec<_> = desk.client.statistics().iter().filter(|(_, count)| *count > 0).collect();
        let mut counts: Vec<_> = counts.iter().copied().filter(|(_, count)| *count > 0).collect();
        counts.sort_by_key(|(cause, _)| Statistics::default().iter().position(|(own, _)| own == *cause));
        assert_eq!(seen, counts, "{what}");
        reached.extend(counts.iter().map(|(cause, _)| *cause));
    }
    assert_eq!(no_message_id().no_message_id, 1);
    assert_eq!(no_room_for_a_header().too_long, 1);
    let all: BTreeSet<_> = Statistics::default().iter().map(|(cause, _)| cause).collect();
    assert_eq!(reached, all);
}

#[test]
fn what_succeeds_is_not_counted() {
    let mut desk = Desk::registered(config());
    for path in ["/3/0", "/3/0/9", "/3", "/1"] {
        desk.ask(Code::GET, path, nothing);
    }
    desk.ask(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.pass(secs(60));
    desk.battery(79);
    desk.write("/3/0/14", "+08:00");
    desk.ask(Code::POST, "/3/0/12", nothing);
    desk.pass(secs(100_000));
    desk.client.shutdown(desk.now);
    desk.drain();
    assert_eq!(desk.client.statistics(), Statistics::default());
}

#[test]
fn counts_are_no_state_and_begin_anew_with_each_start() {
    let mut desk = Desk::registered(config());
    let before = desk.client.clone();
    stranger(&mut desk);
    assert_eq!(desk.client.statistics().strangers, 1);
    assert_eq!(desk.client, before);
    let mut flash = [0; 1_024];
    let length = desk.client.snapshot(desk.now, &mut flash).unwrap();
    let restored = Client::restore(config(), &flash[..length], desk.now, Wake::Restart).unwrap();
    assert_eq!(restored.statistics(), Statistics::default());
}

fn config() -> Config {
    let mut config = Desk::config(1, 86_400);
    config.limits = Limits { observations: 2, stored: 0, ..Limits::DEVICE };
    config
}

/// A client with other limits in place of the one of the desk.
fn begin_anew(desk: &mut Desk, change: impl FnOnce(&mut Config)) {
    let mut config = config();
    change(&mut config);
    *desk = Desk::registered(config);
}

fn stranger(desk: &mut Desk) {
    desk.client.handle_datagram(desk.now, Peer(999), b"\x40\x01\x00\x07", &mut desk.model);
}

fn multicast(desk: &mut Desk, datagram: &[u8]) {
    desk.client.handle_multicast(desk.now, desk.server_peer(), datagram, &mut desk.model);
    desk.drain();
}

fn twice(desk: &mut Desk, path: &str) {
    let request = desk.request(Code::GET, path, nothing);
    let [first, second] = [0, 1].map(|_| desk.receive(&request).1);
    assert_eq!((first.len(), &first), (1, &second));
}

fn refused_again(desk: &mut Desk) {
    let request = desk.request(Code::GET, "/3/0", nothing);
    desk.receive(&request);
    desk.model.refuse = Some(Refusal::Code(Code::INTERNAL_SERVER_ERROR));
    desk.receive(&request);
    desk.last(Code::INTERNAL_SERVER_ERROR);
}

fn again_by_multicast(desk: &mut Desk) {
    let request = request(MessageType::NonConfirmable, Code::GET, 7, "/3/0/9", nothing);
    (0..2).for_each(|_| multicast(desk, &request));
}

fn unregistered(desk: &mut Desk) {
    *desk = Desk::new(config());
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.drain();
    let request = desk.request(Code::GET, "/3/0", nothing);
    assert_eq!(desk.receive(&request).1.len(), 0);
}

/// An Update is on its way.
fn update(desk: &mut Desk) -> Vec<u8> {
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    desk.last(Code::POST)
}

fn unusable(desk: &mut Desk) {
    let update = update(desk);
    let critical = |writer: &mut MessageWriter<'_>| writer.option(OptionNumber(2_049), b"x").unwrap();
    desk.receive(&reply(MessageType::Acknowledgement, &update, Code::CHANGED, critical));
}

fn rejected(desk: &mut Desk) {
    let update = update(desk);
    desk.receive(&reject(&update));
}

fn unremembered(desk: &mut Desk) {
    begin_anew(desk, |config| config.limits.deduplication = 2);
    let codes: Vec<_> = (0..3).map(|_| desk.ask(Code::POST, "/3/0/12", nothing)[1]).collect();
    assert_eq!(codes, [Code::CHANGED, Code::CHANGED, Code::SERVICE_UNAVAILABLE].map(u8::from));
}

fn undeferred(desk: &mut Desk) {
    begin_anew(desk, |config| config.limits.deferred = 1);
    desk.model.refuse = Some(Refusal::Later);
    (0..2).for_each(|_| drop(desk.ask(Code::GET, "/3/0/9", nothing)));
}

fn in_vain(desk: &mut Desk) {
    desk.model.refuse = Some(Refusal::Later);
    desk.ask(Code::GET, "/3/0/9", nothing);
    desk.pass(secs(600));
    desk.last(Code::SERVICE_UNAVAILABLE);
}

fn refused(desk: &mut Desk) {
    desk.ask(Code::GET, "/3/0/99", nothing);
    desk.ask(Code::PUT, "/3/0/4", nothing);
}

fn refused_by_model(desk: &mut Desk) {
    desk.model.refuse = Some(Refusal::Code(Code::INTERNAL_SERVER_ERROR));
    desk.ask(Code::POST, "/3/0/12", nothing);
}

fn unwanted(desk: &mut Desk) {
    let request = desk.request(Code::GET, "/3/0/99", |writer| {
        writer.no_response(NoResponse::ALL).unwrap();
    });
    desk.receive(&request);
}

fn stranger_by_multicast(desk: &mut Desk) {
    desk.client.handle_multicast(desk.now, Peer(999), b"\x50\x01\x00\x07", &mut desk.model);
}

fn undeferred_by_multicast(desk: &mut Desk) {
    begin_anew(desk, |config| config.limits.deferred = 1);
    for id in [7, 8] {
        multicast(desk, &request(MessageType::NonConfirmable, Code::GET, id, "/3/0/9", nothing));
    }
}

fn too_long_by_multicast(desk: &mut Desk) {
    multicast(desk, &request(MessageType::NonConfirmable, Code::GET, 7, &"/3".repeat(600), nothing));
}

fn unwanted_late(desk: &mut Desk) {
    desk.model.refuse = Some(Refusal::Later);
    let request = desk.request(Code::GET, "/3/0/9", |writer| writer.no_response(NoResponse::ALL).unwrap());
    desk.receive(&request);
    let ticket = desk.model.ticket.get().unwrap();
    desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
    desk.drain();
}

fn unwanted_refusal(desk: &mut Desk) {
    begin_anew(desk, |config| config.limits.deduplication = 2);
    for _ in 0..2 {
        desk.ask(Code::POST, "/3/0/12", nothing);
    }
    let request = desk.request(Code::POST, "/3/0/12", |writer| {
        writer.no_response(NoResponse::SERVER_ERROR).unwrap();
    });
    desk.receive(&request);
}

fn no_buffer(desk: &mut Desk) {
    begin_anew(desk, |config| config.limits.slots = 2);
    // An Update and an answer that nobody polls.
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.client.handle_timeout(desk.now, &mut desk.model);
    for _ in 0..2 {
        let request = desk.request(Code::GET, "/3/0/9", nothing);
        desk.client.handle_datagram(desk.now, desk.server_peer(), &request, &mut desk.model);
    }
}

fn too_long(desk: &mut Desk) {
    let mut config =
        Config::new(&"x".repeat(200), Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 86_400);
    config.limits = Limits { datagram: 96, ..Limits::DEVICE };
    *desk = Desk::new(config);
    desk.client.network_up(desk.now);
    desk.drain();
    assert_eq!(desk.sent, []);
}

fn unanswered(desk: &mut Desk) {
    update(desk);
    // The Register that follows is repeated as well.
    let given_up = |desk: &Desk| desk.client.statistics().timeouts > 0;
    while !given_up(desk) {
        desk.now = desk.client.poll_timeout().unwrap();
        desk.timeout();
    }
}

fn only_acknowledged(desk: &mut Desk) {
    let update = update(desk);
    desk.receive(&acknowledge(&update, Code::EMPTY));
    while desk.client.statistics().timeouts == 0 {
        desk.now = desk.client.poll_timeout().unwrap();
        desk.timeout();
    }
}

fn unpolled(desk: &mut Desk) {
    for id in 0..20 {
        desk.client.handle_datagram(desk.now, desk.server_peer(), &[0x40, 0, 0, id], &mut desk.model);
    }
}

fn unpolled_answers(desk: &mut Desk) {
    let request = desk.request(Code::GET, "/3/0/9", nothing);
    for _ in 0..25 {
        desk.client.handle_datagram(desk.now, desk.server_peer(), &request, &mut desk.model);
    }
}

fn abandoned(desk: &mut Desk) {
    desk.ask(Code::PUT, "/3/0", |writer| {
        writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
        writer.block1(BlockValue::new(0, true, 0).unwrap()).unwrap();
        writer.payload(&[b'x'; 16]).unwrap();
    });
    desk.pass(secs(300));
}

fn crowded(desk: &mut Desk) {
    for path in ["/3/0/9", "/3/0/2", "/3/0/3"] {
        desk.ask(Code::GET, path, |writer| writer.observe(0).unwrap());
    }
}

fn merged(desk: &mut Desk) {
    desk.ask(Code::PUT, "/3/0/9", |writer| writer.uri_query("pmin=60").unwrap());
    desk.ask(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.battery(50);
    desk.battery(40);
    desk.pass(secs(61));
    assert_eq!(desk.messages(0).last().unwrap().payload(), b"40");
}

fn unstored(desk: &mut Desk) {
    begin_anew(desk, |config| config.limits.stored = 8);
    desk.ask(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.write("/1/0/6", "1");
    desk.client.network_down(desk.now);
    desk.drain();
    desk.battery(50);
}

/// All Message IDs are used within EXCHANGE_LIFETIME.
fn no_message_id() -> Statistics {
    let mut endpoint = Endpoint::new(Transmission::default(), &Limits::DEVICE, Key::from_seed(1));
    let token = Token::new(b"x").unwrap();
    while endpoint.notify(Instant::ZERO, Peer(1), token, false, |_| Verdict::Send).is_ok() {
        while endpoint.poll_output().is_some() {}
    }
    endpoint.statistics()
}

fn no_room_for_a_header() -> Statistics {
    let limits = Limits { datagram: 4, ..Limits::DEVICE };
    let mut endpoint = Endpoint::new(Transmission::default(), &limits, Key::from_seed(1));
    let token = Token::new(b"x").unwrap();
    endpoint.notify(Instant::ZERO, Peer(1), token, false, |_| Verdict::Send).unwrap_err();
    endpoint.statistics()
}
