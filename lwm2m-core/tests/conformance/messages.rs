//! Messages that come in: malformed ones, refused ones, and those that come again.

use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answering, Sim};
use lwm2m_core::{DataModel, Event, Instant, Path, Reason};
use serde::Deserialize;

use crate::terminal::*;

// Which rule each of them breaks, `coap-codec` shows by its own tests.
#[test]
fn xc_02_what_is_malformed_is_reset_when_it_is_confirmable_and_ignored_otherwise() {
    let vectors = vectors().udp_malformed;
    assert_eq!(vectors.len(), 23);
    let mut sim = registered(1);
    for Vector { id, hex, action } in &vectors {
        let reset = action.starts_with("RST mid 0001");
        assert!(reset || action.starts_with("ignore silently") || action.starts_with("drop;"), "{id}: {action}");
        let expected = reset.then(|| empty(MessageType::Reset, 1));
        assert_eq!(said(&mut sim, DM, hex), Vec::from_iter(expected), "{id}: {action}");
        still_answers(&mut sim);
    }
    // M11 and M12 with the Message ID of a request in flight: it goes on.
    for id in ["M11", "M12"] {
        let (mut sim, update) = updating(1);
        let mut forged = vectors.iter().find(|vector| vector.id == id).unwrap().hex.clone();
        forged[2..4].copy_from_slice(&update.id().to_be_bytes());
        assert_eq!(said(&mut sim, DM, &forged), NOTHING, "{id}");
        goes_on(&mut sim, &update);
    }
}

#[test]
fn xc_03_what_is_well_formed_and_must_be_refused_gets_its_reaction() {
    let answer =
        |code, text: &[u8]| vec![datagram(MessageType::Acknowledgement, code, 1, &[], |writer| writer.payload(text))];
    // S02 and S11 are a GET of `/`, which no server may read: as without the option.
    let plain = said(&mut registered(1), DM, b"\x40\x01\0\x01");
    assert_eq!(plain, answer(Code::METHOD_NOT_ALLOWED, b""));
    let expected = [
        ("S01", answer(Code::BAD_OPTION, b"opt 9")),
        ("S02", plain.clone()),
        ("S03", vec![]),
        ("S04", vec![]),
        ("S05", vec![empty(MessageType::Reset, 1)]),
        ("S06", vec![]),
        ("S07", answer(Code::METHOD_NOT_ALLOWED, b"")),
        ("S08", vec![]),
        ("S09", vec![]),
        ("S10", vec![]),
        ("S11", plain),
        ("S12", answer(Code::BAD_OPTION, b"opt 17")),
        ("S13", answer(Code::BAD_OPTION, b"opt 5")),
        // The reserved size (RFC 7959, section 2.2).
        ("S14", answer(Code::BAD_REQUEST, b"")),
        // A value that must not be sent (RFC 7252, section 5.10.1).
        ("S15", answer(Code::BAD_OPTION, b"opt 11")),
    ];
    let vectors = vectors().udp_semantic;
    assert_eq!(vectors.len(), expected.len());
    for (Vector { id, hex, action }, (same, expected)) in vectors.iter().zip(expected) {
        assert_eq!(id, same);
        let mut sim = registered(1);
        assert_eq!(said(&mut sim, DM, hex), expected, "{id}: {action}");
        still_answers(&mut sim);
    }

    // S02 and S11 with a path that may be read: they are processed.
    for read in [&b"\x40\x01\0\x01\xa1a\x113\x010\x019"[..], b"\x40\x01\0\x01\xb13\x010\x019\x10\0"] {
        let answers = said(&mut registered(1), DM, read);
        assert!(answers[0].starts_with(b"\x60\x45\0\x01") && answers[0].ends_with(b"\xff80"), "{answers:?}");
    }
    // S03 as the answer to a request of the device, which fails.
    let (mut sim, update) = updating(1);
    let forged = datagram(MessageType::Acknowledgement, Code::CHANGED, update.id(), &update.token(), |writer| {
        writer.option(coap_codec::OptionNumber(9), b"a")
    });
    assert_eq!(said(&mut sim, DM, &forged), NOTHING);
    assert_eq!(happened(&sim, Event::UpdateFailed { server: 1, reason: Reason::BadAnswer }), 1, "{}", sim.trace);
    assert_eq!(happened(&sim, UPDATED), 0);
    // S06, S08, S09 with the Message ID of a request in flight: it goes on.
    for id in ["S06", "S08", "S09"] {
        let (mut sim, update) = updating(1);
        let mut forged = vectors.iter().find(|vector| vector.id == id).unwrap().hex.clone();
        forged[2..4].copy_from_slice(&update.id().to_be_bytes());
        assert_eq!(said(&mut sim, DM, &forged), NOTHING, "{id}");
        goes_on(&mut sim, &update);
    }
}

#[test]
fn xc_09_a_confirmable_request_that_comes_again_is_answered_again_and_carried_out_once() {
    let (text, tlv) = (ContentFormat::TEXT_PLAIN, ContentFormat::LWM2M_TLV);
    for (request, code, done) in [
        (request(Code::POST, "/30000/0/1", 7, b"12345678", None), Code::CHANGED, "run 0"),
        (request(Code::POST, "/30000", 7, b"12345678", Some((tlv, &[0xc1, 0, 9]))), Code::CREATED, "create 1"),
        (request(Code::POST, "/30000/0", 7, b"12345678", Some((tlv, &[0xc1, 0, 9]))), Code::CHANGED, "set 0 to 9"),
        (request(Code::PUT, "/30000/0/0", 7, b"12345678", Some((text, b"9"))), Code::CHANGED, "set 0 to 9"),
        (request(Code::DELETE, "/30000/0", 7, b"12345678", None), Code::DELETED, "delete 0"),
    ] {
        let mut sim = racked(one_server(1));
        let begun = sim.now();
        let first = said(&mut sim, DM, &request).remove(0);
        assert_eq!(first[..12], bare(MessageType::Acknowledgement, code, 7, b"12345678"), "{done}");
        // At once, later, and in the last moment of EXCHANGE_LIFETIME (RFC 7252, section 4.8.2).
        for after in [millis(60), secs(100), millis(246_999)] {
            run_to(&mut sim, begun + after);
            assert_eq!(said(&mut sim, DM, &request), [&*first], "{done} after {after:?}\n{}", sim.trace);
        }
        assert_eq!(sim.model.1.done, [done]);
    }
    // A GET may be evaluated again (section 4.5). The second answer is longer than what is kept.
    for (path, values) in [("/3/0/9", [&b"80"[..], b"79"]), ("/3/0", [b"\xc1\x09\x50", b"\xc1\x09\x4f"])] {
        let mut sim = racked(one_server(1));
        let read = request(Code::GET, path, 7, b"12345678", None);
        let first = said(&mut sim, DM, &read).remove(0);
        sim.model.0.battery_level = Some(79);
        for _ in 0..3 {
            let again = said(&mut sim, DM, &read);
            let [again] = &*again else { panic!("{again:?}") };
            assert_eq!(again[..12], bare(MessageType::Acknowledgement, Code::CONTENT, 7, b"12345678"));
            let holds = |value: &[u8]| again.windows(value.len()).any(|part| part == value);
            assert!(again.len() == first.len() && values.iter().any(|value| holds(value)), "{again:?}");
            sim.run_for(secs(50));
        }
    }
}

#[test]
fn xc_10_the_same_message_id_later_or_from_another_peer_is_a_new_request() {
    let run = request(Code::POST, "/30000/0/1", 7, b"tok", None);
    let answer = bare(MessageType::Acknowledgement, Code::CHANGED, 7, b"tok");
    let mut sim = racked(one_server(1));
    let begun = sim.now();
    for times in 1..=3 {
        run_to(&mut sim, begun + secs(247) * (times - 1));
        assert_eq!(said(&mut sim, DM, &run), [&*answer]);
        assert_eq!(sim.model.1.done.len(), times as usize);
    }
    let mut sim = racked(sharing(two_servers(1), &[Path::instance(30_000, 0)]));
    for (host, runs) in [(DM, 1), (SECOND, 2), (DM, 2), (SECOND, 2)] {
        assert_eq!(said(&mut sim, host, &run), [&*answer], "{host}");
        assert_eq!(sim.model.1.done.len(), runs, "{host}");
    }
}

#[test]
fn xc_12_a_response_that_comes_again_is_acknowledged_again_and_delivered_once() {
    let mut sim = registered(1);
    server_mut(&mut sim).answering = Answering::Separate(secs(1));
    sim.update(1).unwrap();
    sim.run_for(secs(2));
    let response = heard(&sim).pop().unwrap();
    assert_eq!((response.kind(), response.code()), (MessageType::Confirmable, Code::CHANGED));
    let acknowledgement = empty(MessageType::Acknowledgement, response.id());
    assert_eq!(sent(&sim).pop().unwrap().bytes, acknowledgement);
    for after in [secs(2), secs(100), millis(246_999)] {
        run_to(&mut sim, response.at + after);
        assert_eq!(said(&mut sim, DM, &response.bytes), [&*acknowledgement], "after {after:?}");
    }
    assert_eq!((happened(&sim, UPDATED), server(&sim).updates_seen()), (1, 1), "{}", sim.trace);
    // After EXCHANGE_LIFETIME it is a response to nothing.
    run_to(&mut sim, response.at + secs(247));
    assert_eq!(said(&mut sim, DM, &response.bytes), [empty(MessageType::Reset, response.id())]);
    assert_eq!(happened(&sim, UPDATED), 1);
}

#[test]
fn xc_13_a_response_of_somebody_else_is_not_delivered() {
    let mut sim = racked(two_servers(1));
    server_mut(&mut sim).go_down();
    sim.update(1).unwrap();
    sim.run_for(millis(1));
    let update = sent(&sim).pop().unwrap();
    assert_eq!(update.host, DM);
    let changed = |kind, id| bare(kind, Code::CHANGED, id, &update.token());
    for (forged, answer) in [
        (changed(MessageType::Confirmable, 9), Some(empty(MessageType::Reset, 9))),
        (changed(MessageType::NonConfirmable, 10), None),
        (changed(MessageType::Acknowledgement, update.id()), None),
        (empty(MessageType::Acknowledgement, update.id()), None),
        (empty(MessageType::Reset, update.id()), None),
    ] {
        assert_eq!(said(&mut sim, SECOND, &forged), Vec::from_iter(answer), "{forged:?}");
    }
    goes_on(&mut sim, &update);
}

#[test]
fn xc_14_a_piggybacked_response_must_have_the_message_id_and_the_token() {
    let (mut sim, update) = updating(1);
    let (id, token) = (update.id(), update.token());
    let piggybacked = |id, token: &[u8]| bare(MessageType::Acknowledgement, Code::CHANGED, id, token);
    let mut flipped = token.clone();
    flipped[7] ^= 1;
    for (id, token) in [
        (id.wrapping_add(1), &*token),
        (id.wrapping_sub(1), &token),
        (!id, &token),
        (id, &flipped),
        (id, &token[..7]),
        (id, b""),
    ] {
        assert_eq!(said(&mut sim, DM, &piggybacked(id, token)), NOTHING, "{id:#06x} {token:02x?}");
        assert_eq!(news(&sim).last(), Some(&Event::Registered { server: 1, lifetime: 86_400 }));
    }
    goes_on(&mut sim, &update);
}

// ----- what they need -------------------------------------------------------------------------

const NOTHING: [[u8; 0]; 0] = [];

const UPDATED: Event = Event::Updated { server: 1 };

/// As `coap-vectors.json` has them.
#[derive(Deserialize)]
struct Vectors {
    udp_malformed: Vec<Vector>,
    udp_semantic: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    #[serde(deserialize_with = "hex")]
    hex: Vec<u8>,
    action: String,
}

fn hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).map_err(serde::de::Error::custom);
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../coap-codec/tests/data/coap-vectors.json")).unwrap()
}

#[track_caller]
fn still_answers(sim: &mut Sim<Device>) {
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

/// Runs until an instant.
fn run_to<M: DataModel>(sim: &mut Sim<M>, at: Instant) {
    sim.run_for(at.saturating_duration_since(sim.now()));
}
