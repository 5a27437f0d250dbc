//! What a server sees of a client that has some parts and lacks others: whichever features are on, this passes.

mod common;

use coap_codec::{BlockValue, Code, ContentFormat, Message, OptionNumber};
use common::{Desk, nothing, secs};
use lwm2m_core::{AccessControl, CommandError, Limits, Path, Received, Rights};

const REPORTING: bool = cfg!(feature = "reporting");
const BLOCKWISE: bool = cfg!(feature = "blockwise");
const ACCESS_CONTROL: bool = cfg!(feature = "access-control");
const DISCOVERY: bool = cfg!(feature = "discovery");
const TEXT: bool = cfg!(feature = "text");
const STORING: bool = cfg!(feature = "storing");
const LATE_ANSWERS: bool = cfg!(feature = "late-answers");

fn desk() -> Desk {
    Desk::registered(Desk::config(1, 3_600))
}

/// What there is when a feature is on, else what there is without it.
fn with<T>(feature: bool, there: T, missing: T) -> T {
    if feature { there } else { missing }
}

/// Whether a datagram says that this option was not understood.
fn names(answer: &Message<'_>, option: OptionNumber) -> bool {
    answer.code() == Code::BAD_OPTION && answer.payload() == format!("opt {}", option.0).as_bytes()
}

#[test]
fn what_every_client_does_is_done() {
    let mut desk = desk();
    let tlv = |writer: &mut coap_codec::MessageWriter<'_>| writer.accept(ContentFormat::LWM2M_TLV).unwrap();
    let answer = desk.ask(Code::GET, "/3/0/9", tlv);
    assert_eq!(Message::parse(&answer).unwrap().payload(), [0xC1, 9, 80]);
    let answer = desk.ask(Code::GET, "/3/0", nothing);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!((answer.code(), answer.content_format()), (Code::CONTENT, Some(ContentFormat::LWM2M_TLV)));
    let answer = desk.ask(Code::PUT, "/1/0/1", |writer| {
        writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
        writer.payload(&[0xC1, 1, 60]).unwrap();
    });
    assert_eq!(Message::parse(&answer).unwrap().code(), Code::CHANGED);
    // The arguments of an Execute are text whatever values are.
    let answer = desk.ask(Code::POST, "/3/0/4", |writer| {
        writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
        writer.payload(b"0='now'").unwrap();
    });
    assert_eq!((Message::parse(&answer).unwrap().code(), desk.model.executes), (Code::CHANGED, 1));
    let answer = desk.ask(Code::GET, "/3", |writer| writer.accept(ContentFormat::LINK_FORMAT).unwrap());
    assert!(Message::parse(&answer).unwrap().payload().starts_with(b"</3>,</3/0>,</3/0/0>"));
    let before = desk.sent.len();
    desk.pass(secs(3_600));
    assert!(!desk.moments(before, Code::POST).is_empty(), "an Update");
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn an_observe_is_a_plain_read_without_reporting_and_attributes_are_refused() {
    let mut desk = desk();
    let answer = desk.ask(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    let answer = Message::parse(&answer).unwrap();
    assert_eq!((answer.code(), answer.observe().is_some()), (Code::CONTENT, REPORTING));
    let before = desk.sent.len();
    desk.battery(79);
    desk.pass(secs(60));
    assert_eq!(desk.moments(before, Code::CONTENT).len(), usize::from(REPORTING));
    let answer = desk.ask(Code::PUT, "/3/0/9", |writer| writer.option(OptionNumber::URI_QUERY, b"pmin=9").unwrap());
    assert_eq!(Message::parse(&answer).unwrap().code(), with(REPORTING, Code::CHANGED, Code::METHOD_NOT_ALLOWED));
    let answer = desk.ask(Code::GET, "/3/0/9", |writer| writer.accept(ContentFormat::LINK_FORMAT).unwrap());
    let expected: &[u8] = with(REPORTING, b"</3/0/9>;pmin=9", b"</3/0/9>");
    assert_eq!(Message::parse(&answer).unwrap().payload(), expected);
    let answer = desk.ask(Code::GET, "/3/0/9", |writer| writer.observe(1).unwrap());
    assert_eq!(Message::parse(&answer).unwrap().code(), Code::CONTENT);
}

#[test]
fn block_options_are_not_understood_without_blocks_and_what_does_not_fit_fails() {
    let mut desk = desk();
    let first = BlockValue::new(0, true, 0).unwrap();
    let answer = desk.ask(Code::PUT, "/1/0/1", |writer| {
        writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
        writer.block1(first).unwrap();
        writer.payload(&[0; 16]).unwrap();
    });
    let answer = Message::parse(&answer).unwrap();
    assert!(if BLOCKWISE { answer.code() == Code::CONTINUE } else { names(&answer, OptionNumber::BLOCK1) });
    let answer = desk.ask(Code::GET, "/3/0", |writer| writer.block2(first).unwrap());
    let answer = Message::parse(&answer).unwrap();
    assert!(if BLOCKWISE { answer.payload().len() == 16 } else { names(&answer, OptionNumber::BLOCK2) });

    let small = Limits { datagram: 128, ..Limits::DEVICE };
    let mut desk = Desk::registered(Desk::config(1, 3_600).with(|profile| profile.limits = small));
    desk.model.inner.serial_number = Some("0".repeat(200).into());
    let answer = desk.ask(Code::GET, "/3/0", nothing);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!(answer.code(), with(BLOCKWISE, Code::CONTENT, Code::INTERNAL_SERVER_ERROR));
    assert_eq!(answer.block2().is_some(), BLOCKWISE);
}

#[test]
fn nothing_is_said_of_access_without_the_object_for_it() {
    let mut desk = desk();
    let about = AccessControl { path: Path::object(3), owner: 1, acl: vec![(1, Rights::CREATE)] };
    let said = desk.client.set_access(desk.now, &about, &mut desk.model);
    assert_eq!(said, with(ACCESS_CONTROL, Ok(()), Err(CommandError::AccessControl)));
    let answer = desk.ask(Code::GET, "/2", nothing);
    assert_eq!(Message::parse(&answer).unwrap().code(), with(ACCESS_CONTROL, Code::CONTENT, Code::NOT_FOUND));
}

#[test]
fn values_are_tlv_where_there_is_no_text() {
    let mut desk = desk();
    let answer = desk.ask(Code::GET, "/3/0/9", nothing);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!(answer.payload(), with(TEXT, &b"80"[..], &[0xC1, 9, 80]));
    let asked = desk.ask(Code::GET, "/3/0/9", |writer| writer.accept(ContentFormat::TEXT_PLAIN).unwrap());
    assert_eq!(Message::parse(&asked).unwrap().code(), with(TEXT, Code::CONTENT, Code::NOT_ACCEPTABLE));
    let written = desk.ask(Code::PUT, "/1/0/1", |writer| {
        writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
        writer.payload(b"60").unwrap();
    });
    let expected = with(TEXT, Code::CHANGED, Code::UNSUPPORTED_CONTENT_FORMAT);
    assert_eq!(Message::parse(&written).unwrap().code(), expected);
    let opaque = desk.ask(Code::GET, "/3/0/9", |writer| writer.accept(ContentFormat::OCTET_STREAM).unwrap());
    assert_eq!(Message::parse(&opaque).unwrap().code(), Code::NOT_ACCEPTABLE, "a number");
}

#[test]
fn a_client_sleeps_and_wakes_with_whatever_it_has() {
    let mut desk = desk();
    desk.ask(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    let mut flash = [0; 512];
    let length = desk.client.snapshot(desk.now, &mut flash).unwrap();
    let wake = lwm2m_core::Wake::Sleep { elapsed: secs(60) };
    let config = desk.client.config().clone();
    let woken = lwm2m_core::Client::restore(config, &flash[..length], desk.now, wake).unwrap();
    assert!(woken.is_registered(desk.now, 1));
    assert_eq!(woken.memory().reporting > 0, REPORTING);
}

#[test]
fn what_is_told_of_a_time_without_network_is_stored_or_only_the_value_of_now() {
    let mut desk = desk();
    desk.ask(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.client.network_down(desk.now);
    for level in [70, 60] {
        desk.battery(level);
        desk.pass(secs(10));
    }
    assert_eq!(desk.client.stored_notifications(), with(STORING, 2, 0));
}

#[test]
fn a_request_by_multicast_is_heard_where_answers_may_come_late() {
    let mut desk = desk();
    let (now, peer) = (desk.now, desk.peer.unwrap());
    // GET /3, non-confirmable.
    let received = desk.client.handle_multicast(now, peer, b"\x50\x01\x00\x07\xB13", &mut desk.model);
    assert_eq!(received, with(LATE_ANSWERS, Received::Request, Received::Unwelcome));
}

#[test]
fn what_there_is_can_be_asked_without_lwm2m() {
    let mut desk = desk();
    let answer = desk.ask(Code::GET, "/.well-known/core", nothing);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!(answer.code(), with(DISCOVERY, Code::CONTENT, Code::NOT_FOUND));
    let expected: &[u8] = with(DISCOVERY, b"</>;rt=\"oma.lwm2m\"", b"");
    assert!(answer.payload().starts_with(expected));
}
