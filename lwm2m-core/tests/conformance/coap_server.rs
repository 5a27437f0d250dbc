//! CoAP as servers see it: the plugtests, CORE, that concern device management, and XC rows of the kind.

use coap_codec::{Code, ContentFormat, Message, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::Sim;

use super::management::path_of;
use crate::terminal::*;

const ACK: MessageType = MessageType::Acknowledgement;
const CON: MessageType = MessageType::Confirmable;
const NON: MessageType = MessageType::NonConfirmable;
const TEXT: ContentFormat = ContentFormat::TEXT_PLAIN;
const NOTHING: [[u8; 0]; 0] = [];

#[test]
fn td_coap_core_01_get_is_answered_in_the_acknowledgement() {
    let mut sim = racked(one_server(1));
    let content = datagram(ACK, Code::CONTENT, 0x1234, b"tok", |writer| {
        writer.content_format(TEXT)?;
        writer.payload(b"5")
    });
    assert_eq!(said(&mut sim, DM, &request(Code::GET, "/30000/0/0", 0x1234, b"tok", None)), [content]);
    // An instance, in a format that says so.
    let answer = said(&mut sim, DM, &request(Code::GET, "/30000/0", 0x1235, b"u", None)).remove(0);
    let message = Message::parse(&answer).unwrap();
    assert_eq!((message.message_type(), message.code()), (ACK, Code::CONTENT));
    assert_eq!((message.message_id().0, message.token().as_bytes()), (0x1235, &b"u"[..]));
    assert_eq!((message.content_format(), message.payload()), (Some(ContentFormat::LWM2M_TLV), &b"\xc1\x00\x05"[..]));
}

#[test]
fn td_coap_core_03_put_is_changed() {
    let mut sim = racked(one_server(1));
    for (id, path, format, payload) in [
        (1, "/30000/0/0", TEXT, &b"7"[..]),
        (2, "/30000/0/0", ContentFormat::LWM2M_TLV, b"\xc1\x00\x08"),
        (3, "/30000/0", ContentFormat::LWM2M_TLV, b"\xc1\x00\x09"),
    ] {
        let put = request(Code::PUT, path, id, b"tok", Some((format, payload)));
        assert_eq!(said(&mut sim, DM, &put), [bare(ACK, Code::CHANGED, id, b"tok")], "{path} {payload:?}");
    }
    assert_eq!(sim.model.1.done, ["set 0 to 7", "set 0 to 8", "set 0 to 9"]);
    // What there is not is not made by it.
    let put = request(Code::PUT, "/30000/9/0", 4, b"tok", Some((TEXT, b"7")));
    assert_eq!(said(&mut sim, DM, &put), [bare(ACK, Code::NOT_FOUND, 4, b"tok")]);
    assert_eq!((sim.model.1.done.len(), sim.model.1.levels.len()), (3, 1));
}

#[test]
fn td_coap_core_05_08_what_is_not_confirmable_is_answered_in_kind() {
    let mut sim = racked(one_server(1));
    let mut used = vec![];
    for (id, method, path, payload, code) in [
        (0x4000, Code::GET, "/30000/0/0", None, Code::CONTENT),
        (0x4001, Code::PUT, "/30000/0/0", Some((TEXT, &b"7"[..])), Code::CHANGED),
        (0x4002, Code::POST, "/30000/0/1", None, Code::CHANGED),
        (0x4003, Code::GET, "/9/9/9", None, Code::NOT_FOUND),
        // An Update of the object list follows this one.
        (0x4004, Code::DELETE, "/30000/0", None, Code::DELETED),
    ] {
        let answers = said(&mut sim, DM, &non(method, path, id, b"tok", payload));
        let answers: Vec<_> =
            answers.iter().filter(|bytes| Message::parse(bytes).unwrap().code() != Code::POST).collect();
        let [answer] = &*answers else { panic!("{path}: one answer and no acknowledgement: {answers:?}") };
        let message = Message::parse(answer).unwrap();
        assert_eq!((message.message_type(), message.code()), (NON, code), "{method} {path}");
        assert_eq!(message.token().as_bytes(), b"tok", "{method} {path}");
        assert_eq!(message.payload(), if code == Code::CONTENT { &b"5"[..] } else { b"" });
        assert_ne!(message.message_id().0, id, "a Message ID of its own");
        used.push(message.message_id().0);
    }
    used.dedup();
    assert_eq!(used.len(), 5, "{used:?}");
    assert_eq!(sim.model.1.done, ["set 0 to 7", "run 0", "delete 0"]);
}

#[test]
fn td_coap_core_09s_an_answer_that_takes_its_time_comes_separately() {
    let mut sim = racked(one_server(1));
    sim.model.1.later = true;
    let read = request(Code::GET, "/30000/0/0", 7, b"tok", None);
    let asked = sim.now();
    assert_eq!(said(&mut sim, DM, &read), [empty(ACK, 7)]);
    // PROCESSING_DELAY of RFC 7252, 4.8.2, is 2 s; it does not wait at all.
    assert_eq!(sent(&sim).pop().unwrap().at, asked + millis(30));
    sim.run_for(secs(10));
    // The request once more is acknowledged once more, and not carried out again.
    assert_eq!(said(&mut sim, DM, &read), [empty(ACK, 7)]);
    assert_eq!(sim.model.1.asked.get(), 1);
    let before = sent(&sim).len();
    let ticket = sim.model.1.ticket();
    sim.resume(ticket).unwrap();
    sim.run_for(millis(1));
    let [answer] = &sent(&sim)[before..] else { panic!("one answer\n{}", sim.trace) };
    assert_eq!((answer.kind(), answer.code(), answer.token()), (CON, Code::CONTENT, b"tok".to_vec()));
    let message = answer.message();
    assert_eq!((message.content_format(), message.payload()), (Some(TEXT), &b"5"[..]));
    assert_ne!(answer.id(), 7);
    assert_eq!(said(&mut sim, DM, &empty(ACK, answer.id())), NOTHING);
    sim.run_for(secs(300));
    assert_eq!(transmissions(&sim, answer).len(), 1, "the acknowledgement ends it\n{}", sim.trace);
}

#[test]
fn td_coap_core_17_a_slow_answer_to_what_is_not_confirmable_comes_alone() {
    let mut sim = racked(one_server(1));
    sim.model.1.later = true;
    let read = non(Code::GET, "/30000/0/0", 7, b"tok", None);
    assert_eq!(said(&mut sim, DM, &read), NOTHING, "no acknowledgement");
    sim.run_for(secs(10));
    let before = sent(&sim).len();
    let ticket = sim.model.1.ticket();
    sim.resume(ticket).unwrap();
    sim.run_for(secs(300));
    let [answer] = &sent(&sim)[before..] else { panic!("one answer, once\n{}", sim.trace) };
    assert_eq!((answer.kind(), answer.code(), answer.token()), (NON, Code::CONTENT, b"tok".to_vec()));
    assert_eq!(answer.message().payload(), b"5");
    assert_ne!(answer.id(), 7);
}

#[test]
fn td_coap_core_20_the_format_is_the_one_that_is_accepted() {
    let mut sim = racked(one_server(1));
    for (id, accept, expected) in [
        (1, None, Ok((0, &b"5"[..]))),
        (2, Some(0), Ok((0, b"5"))),
        (3, Some(11_542), Ok((11_542, b"\xc1\x00\x05"))),
        (4, Some(11_543), Ok((11_543, br#"{"bn":"/30000/0/0","e":[{"v":5}]}"#))),
        // XML, CBOR, SenML, SenML CBOR, and one that nobody knows. Opaque bytes are no number.
        (5, Some(41), Err(Code::NOT_ACCEPTABLE)),
        (6, Some(60), Err(Code::NOT_ACCEPTABLE)),
        (7, Some(110), Err(Code::NOT_ACCEPTABLE)),
        (8, Some(112), Err(Code::NOT_ACCEPTABLE)),
        (9, Some(65_000), Err(Code::NOT_ACCEPTABLE)),
        (10, Some(42), Err(Code::NOT_ACCEPTABLE)),
    ] {
        let read = datagram(CON, Code::GET, id, b"tok", |writer| {
            path_of("/30000/0/0", writer)?;
            accept.map_or(Ok(()), |format| writer.accept(ContentFormat(format)))
        });
        let [answer] = &*said(&mut sim, DM, &read) else { panic!("{accept:?}: one answer\n{}", sim.trace) };
        let message = Message::parse(answer).unwrap();
        let format = message.content_format().map(|format| format.0);
        match expected {
            Ok((number, payload)) => {
                assert_eq!((message.code(), format), (Code::CONTENT, Some(number)), "{accept:?}");
                assert_eq!(message.payload(), payload, "{accept:?}: {:?}", String::from_utf8_lossy(message.payload()));
            }
            Err(code) => assert_eq!((message.code(), format), (code, None), "{accept:?}"),
        }
    }
}

/// Critical, and not supported: 4.02, whether it would match or not.
#[test]
fn td_coap_core_22_if_match_is_refused() {
    let mut sim = racked(one_server(1));
    for (id, value) in [(1, &b""[..]), (2, b"etag"), (3, b"12345678")] {
        let put = put_seven(CON, id, Some((OptionNumber::IF_MATCH, value)));
        refuses(&mut sim, &put, Code::BAD_OPTION);
    }
    does(&mut sim);
}

#[test]
fn td_coap_core_23_if_none_match_is_refused() {
    let mut sim = racked(one_server(1));
    let put = put_seven(CON, 1, Some((OptionNumber::IF_NONE_MATCH, b"")));
    refuses(&mut sim, &put, Code::BAD_OPTION);
    does(&mut sim);
}

#[test]
fn xc_11_a_non_confirmable_request_that_comes_again_is_dropped() {
    let mut sim = racked(one_server(1));
    let run = non(Code::POST, "/30000/0/1", 7, b"tok", None);
    let first = said(&mut sim, DM, &run);
    assert_eq!((first.len(), Message::parse(&first[0]).unwrap().code()), (1, Code::CHANGED));
    // At once, and until NON_LIFETIME is over (RFC 7252, section 4.8.2).
    for pause in [0, 1, 60, 83] {
        sim.run_for(secs(pause));
        assert_eq!(said(&mut sim, DM, &run), NOTHING, "{pause} s later\n{}", sim.trace);
    }
    assert_eq!(sim.model.1.done, ["run 0"]);
    sim.run_for(secs(2));
    assert_eq!(said(&mut sim, DM, &run).len(), 1, "another request\n{}", sim.trace);
    assert_eq!(sim.model.1.done, ["run 0", "run 0"]);
}

#[test]
fn xc_22_an_unknown_critical_option_is_4_02_and_an_elective_one_is_ignored() {
    let mut sim = racked(one_server(1));
    // Odd numbers are critical (RFC 7252, section 5.4.6): with and without value, before, between and
    // after the ones that are known.
    for (id, number) in (1..).zip([9, 13, 19, 25, 2_049, 65_001, 65_535]) {
        let ask = |kind, id, value| put_seven(kind, id, Some((OptionNumber(number), value)));
        refuses(&mut sim, &ask(CON, 3 * id, b""), Code::BAD_OPTION);
        refuses(&mut sim, &ask(CON, 3 * id + 1, b"value"), Code::BAD_OPTION);
        // One that is not confirmable is rejected without a word (section 5.4.1).
        assert_eq!(said(&mut sim, DM, &ask(NON, 3 * id + 2, b"")), NOTHING, "{number}");
    }
    for (id, number) in (0x100..).zip([2, 8, 10, 14, 20, 30, 2_048, 65_000]) {
        let ask = put_seven(CON, id, Some((OptionNumber(number), b"value")));
        assert_eq!(said(&mut sim, DM, &ask), [bare(ACK, Code::CHANGED, id, b"tok")], "{number}");
        sim.run_for(secs(100));
    }
    assert_eq!(sim.model.1.done, ["set 0 to 7"; 8]);
}

#[test]
fn xc_23_a_method_that_is_not_known_is_4_05() {
    let mut sim = racked(one_server(1));
    // FETCH, PATCH, iPATCH, and those that nobody has given a meaning to.
    for (id, detail) in (1..).zip(5..32) {
        let ask = datagram(CON, Code::from_byte(detail), id, b"tok", |writer| path_of("/30000/0/0", writer));
        refuses(&mut sim, &ask, Code::METHOD_NOT_ALLOWED);
    }
    does(&mut sim);
}

#[test]
fn xc_24_it_is_no_proxy() {
    let mut sim = racked(one_server(1));
    for (id, number, value) in [
        (1, OptionNumber::PROXY_URI, &b"coap://dm.example/30000/0/0"[..]),
        (2, OptionNumber::PROXY_URI, b"http://example.com/"),
        (3, OptionNumber::PROXY_SCHEME, b"coap"),
        (4, OptionNumber::PROXY_SCHEME, b"http"),
    ] {
        let ask = put_seven(CON, id, Some((number, value)));
        refuses(&mut sim, &ask, Code::PROXYING_NOT_SUPPORTED);
    }
    does(&mut sim);
}

// ----- helpers ------------------------------------------------------------------------------------

/// A request that is not confirmable.
fn non(method: Code, path: &str, id: u16, token: &[u8], payload: Option<(ContentFormat, &[u8])>) -> Vec<u8> {
    datagram(NON, method, id, token, |writer| {
        path_of(path, writer)?;
        let Some((format, payload)) = payload else { return Ok(()) };
        writer.content_format(format)?;
        writer.payload(payload)
    })
}

/// A Write of 7 to the level, with one more option in its place.
fn put_seven(kind: MessageType, id: u16, more: Option<(OptionNumber, &[u8])>) -> Vec<u8> {
    let path = ["30000", "0", "0"].map(|segment| (OptionNumber::URI_PATH, segment.as_bytes()));
    let mut options = [&path[..], &[(OptionNumber::CONTENT_FORMAT, b"")]].concat();
    options.extend(more);
    options.sort_by_key(|(number, _)| *number);
    datagram(kind, Code::PUT, id, b"tok", |writer| {
        options.iter().try_for_each(|(number, value)| writer.option(*number, value))?;
        writer.payload(b"7")
    })
}

/// The answer is this code, in the acknowledgement, and nothing was done; then some time passes, so
/// that there is room to remember the next one.
#[track_caller]
fn refuses(sim: &mut Sim<(Device, Rack)>, ask: &[u8], code: Code) {
    let [answer] = &*said(sim, DM, ask) else { panic!("one answer\n{}", sim.trace) };
    let (asked, message) = (Message::parse(ask).unwrap(), Message::parse(answer).unwrap());
    assert_eq!((message.message_type(), message.code()), (ACK, code), "{asked:?}");
    assert_eq!((message.message_id(), message.token()), (asked.message_id(), asked.token()));
    assert_eq!(message.options().count(), 0, "{message:?}");
    assert_eq!((sim.model.1.done.len(), sim.model.1.levels[&0]), (0, 5), "{asked:?}");
    sim.run_for(secs(30));
}

/// The same Write without the option that was refused.
#[track_caller]
fn does(sim: &mut Sim<(Device, Rack)>) {
    assert_eq!(said(sim, DM, &put_seven(CON, 0xffff, None)), [bare(ACK, Code::CHANGED, 0xffff, b"tok")]);
    assert_eq!(sim.model.1.done, ["set 0 to 7"]);
}
