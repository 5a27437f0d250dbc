//! Three verdicts and no fourth: malformed, to be refused, fine. With the answer that is due.

mod common;

use coap_codec::{
    Code, Consequence, Header, Message, MessageId, MessageType, MessageWriter, OptionFaultReason, OptionNumber,
    Reaction, Refusal, Token,
};
use common::vectors;
use proptest::prelude::*;

/// Options that a device with block-wise transfer understands; OSCORE and proxying are none of them.
fn is_known(number: OptionNumber) -> bool {
    !matches!(
        number,
        OptionNumber::OSCORE
            | OptionNumber::IF_MATCH
            | OptionNumber::PROXY_URI
            | OptionNumber::PROXY_SCHEME
            | OptionNumber::Q_BLOCK1
            | OptionNumber::Q_BLOCK2
    ) && number.name().is_some()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Malformed(Option<Header>),
    Refused(Reaction),
    Fine,
}
use Reaction::{Ignore, Reset, Respond};
use Verdict::{Fine, Malformed, Refused};

const BAD_OPTION: Verdict = Refused(Respond(Code::BAD_OPTION));

fn judge(datagram: &[u8]) -> Verdict {
    match Message::parse(datagram) {
        Err(error) => Malformed(error.reset()),
        Ok(message) => match message.check(is_known) {
            Err(refusal) => Refused(refusal.reaction()),
            Ok(kind) => {
                assert_eq!(Some(kind), message.kind());
                Fine
            }
        },
    }
}

#[test]
fn every_vector_has_its_verdict() {
    for vector in vectors().udp_malformed {
        assert!(matches!(judge(&vector.hex.0), Malformed(_)), "{}", vector.id);
    }
    for vector in vectors().udp_valid {
        let message = Message::parse(&vector.hex.0).unwrap();
        assert!(message.check(|_| true).is_ok(), "{}: {:?}", vector.id, message.check(|_| true));
        assert_eq!(message.option_faults(|_| true).count(), 0, "{}", vector.id);
    }
    let expected = [
        ("S01", BAD_OPTION),
        ("S02", Fine),
        ("S03", Refused(Ignore)),
        ("S04", Refused(Ignore)),
        ("S05", Refused(Reset)),
        ("S06", Refused(Ignore)),
        ("S07", Fine),
        ("S08", Refused(Ignore)),
        ("S09", Refused(Ignore)),
        ("S10", Refused(Ignore)),
        ("S11", Fine),
        ("S12", BAD_OPTION),
        ("S13", BAD_OPTION),
        ("S14", Refused(Respond(Code::BAD_REQUEST))),
        ("S15", BAD_OPTION),
    ];
    for (vector, (id, verdict)) in vectors().udp_semantic.iter().zip(expected) {
        assert_eq!((vector.id.as_str(), judge(&vector.hex.0)), (id, verdict), "{}", vector.action);
    }
}

/// The malformed and unusual messages that other codecs were tried with.
#[test]
fn cases_that_codecs_get_wrong_have_their_verdict() {
    let get = |options: &[&[u8]]| [&[0x40, 1, 0, 1][..], &options.concat()].concat();
    let long = |head: &[u8], length| [head, &vec![b'u'; length]].concat();
    let reset = Malformed(Some(Header::empty(MessageType::Reset, MessageId(1))));
    let drop = Malformed(None);
    let proxying = Refused(Respond(Code::PROXYING_NOT_SUPPORTED));
    let rows: [(&str, Vec<u8>, Verdict); 45] = [
        ("m01 no bytes at all", vec![], drop),
        ("m02 three bytes", vec![0x40, 1, 0], drop),
        ("m03 version 0", vec![0x00, 1, 0, 1], drop),
        ("m04 version 2", vec![0x80, 1, 0, 1], drop),
        ("m05 version 3", vec![0xc0, 1, 0, 1], drop),
        ("m06 TKL 9", long(&[0x49, 1, 0, 1], 9), reset),
        ("m07 TKL 13", long(&[0x4d, 1, 0, 1, 1], 14), reset),
        ("m08 TKL 14", long(&[0x4e, 1, 0, 1, 0, 1], 270), reset),
        ("m09 TKL 15", long(&[0x4f, 1, 0, 1], 15), reset),
        ("m10 TKL 8, two bytes follow", long(&[0x48, 1, 0, 1], 2), reset),
        ("m11 0.00 with a token", vec![0x41, 0, 0, 1, 9], reset),
        ("m12 0.00 with an option", vec![0x40, 0, 0, 1, 0xb1, b'a'], reset),
        ("m13 0.00 with a payload", vec![0x40, 0, 0, 1, 0xff, b'a'], reset),
        ("m14 0.00 with a stray byte", vec![0x40, 0, 0, 1, 0], reset),
        ("m15 delta 13 without its byte", get(&[&[0xd0]]), reset),
        ("m16 delta 14 with one byte", get(&[&[0xe0, 0]]), reset),
        ("m17 length 13 without its byte", get(&[&[0x0d]]), reset),
        ("m18 length 14 with one byte", get(&[&[0x0e, 0]]), reset),
        ("m19 value cut short", get(&[b"\xb5tes"]), reset),
        ("m20 length 65804, one byte there", get(&[&[0xbe, 0xff, 0xff, 1]]), reset),
        ("m21 delta 15", get(&[&[0xf1, 0, 0, 0]]), reset),
        ("m22 length 15", get(&[&long(&[0x1f], 20)]), reset),
        ("m23 marker alone", get(&[&[0xff]]), reset),
        ("m24 an option and the marker", get(&[b"\xb1a\xff"]), reset),
        ("m25 number 65804", get(&[&[0xe0, 0xff, 0xff]]), reset),
        ("m26 number 65536", get(&[&[0xe0, 0xfe, 0xf2, 0x10]]), reset),
        // From here on well-formed. 65535 is odd, and nobody knows it.
        ("m27 number 65535", get(&[&[0xe0, 0xfe, 0xf2]]), BAD_OPTION),
        ("m28 Proxy-Uri of 260 bytes", get(&[&long(&[0xdd, 22, 247], 260)]), proxying),
        ("m29 Proxy-Uri of 269 bytes", get(&[&long(&[0xde, 22, 0, 0], 269)]), proxying),
        ("m30 Proxy-Uri of 1034 bytes", get(&[&long(&[0xde, 22, 0x02, 0xfd], 1034)]), proxying),
        ("m31 delta 300 and length 20", get(&[&long(&[0xed, 0, 31, 7], 20)]), Fine),
        ("m32 Content-Format twice", get(&[&[0xc0, 0x01, 40]]), Fine),
        ("m33 Accept twice", get(&[&[0xd1, 4, 0, 0x01, 40]]), BAD_OPTION),
        ("m34 unknown critical 13", get(&[&[0xd0, 0]]), BAD_OPTION),
        ("m35 unknown elective 2", get(&[&[0x20]]), Fine),
        ("m36 Content-Format with a leading zero", get(&[&[0xc2, 0, 40]]), Fine),
        ("m37 Content-Format of 3 bytes", get(&[&[0xc3, 0, 0, 40]]), Fine),
        ("m38 Uri-Path of zero length", get(&[&[0xb0]]), Fine),
        ("m39 Uri-Path that is not UTF-8", get(&[&[0xb2, 0xc3, 0x28]]), BAD_OPTION),
        ("m40 forty Uri-Path", get(&[b"\xb1a", &[1, b'b'].repeat(39)]), Fine),
        ("m41 unknown method 0.31", vec![0x40, 0x1f, 0, 1], Fine),
        ("m42 unknown response 4.30", vec![0x60, 0x9e, 0, 1], Fine),
        ("m43 code class 1", vec![0x40, 0x20, 0, 1], Refused(Reset)),
        ("m44 NON with 0.00", vec![0x50, 0, 0, 1], Refused(Ignore)),
        ("m45 RST with 2.05", vec![0x70, 0x45, 0, 1, 0xff, b'x'], Refused(Ignore)),
    ];
    for (name, datagram, verdict) in rows {
        assert_eq!(judge(&datagram), verdict, "{name}");
    }
}

fn message(buffer: &mut [u8], message_type: MessageType, code: Code, options: &[(u16, &[u8])]) -> usize {
    let header = Header { message_type, code, message_id: MessageId(1) };
    let mut writer = MessageWriter::new(buffer, header, Token::EMPTY).unwrap();
    for (number, value) in options {
        writer.option(OptionNumber(*number), value).unwrap();
    }
    writer.len()
}

/// Reason and answer for a message of these options, for whoever it is for and for a proxy.
#[derive(Debug, PartialEq)]
struct Found {
    endpoint: Option<(OptionFaultReason, Consequence)>,
    proxy: Option<Reaction>,
}

fn found(message_type: MessageType, code: Code, options: &[(u16, &[u8])]) -> Found {
    let mut buffer = [0; 2000];
    let length = message(&mut buffer, message_type, code, options);
    let message = Message::parse(&buffer[..length]).unwrap();
    let mut faults = message.option_faults(is_known);
    let endpoint = faults.next().map(|fault| (fault.reason, fault.consequence));
    let refused = match endpoint {
        Some((_, Consequence::Refuse(answer))) => Some(answer),
        _ => None,
    };
    assert_eq!(message.check(is_known).err().map(|refusal| refusal.reaction()), refused);
    Found { endpoint, proxy: message.check_to_forward(is_known).err().map(|refusal| refusal.reaction()) }
}

const CON: MessageType = MessageType::Confirmable;
const NON: MessageType = MessageType::NonConfirmable;
const ACK: MessageType = MessageType::Acknowledgement;

/// A code, options, and what is found first.
type Row<'a> = (Code, &'a [(u16, &'a [u8])], Option<(OptionFaultReason, Consequence)>);

#[test]
fn each_rule_has_its_reason() {
    use OptionFaultReason::*;
    let bad_option = Consequence::Refuse(Respond(Code::BAD_OPTION));
    let absent = Consequence::TreatAsAbsent;
    let rows: [Row<'_>; 37] = [
        (Code::PUT, &[(1, b"")], Some((NotUnderstood, bad_option))),
        (Code::PUT, &[(2, b"")], Some((NotUnderstood, absent))),
        (Code::GET, &[(60001, b"")], Some((NotUnderstood, bad_option))),
        (Code::GET, &[(35, b"coap://h")], Some((Proxy, Consequence::Refuse(Respond(Code::PROXYING_NOT_SUPPORTED))))),
        (Code::GET, &[(39, b"coap")], Some((Proxy, Consequence::Refuse(Respond(Code::PROXYING_NOT_SUPPORTED))))),
        (Code::GET, &[(14, b"x")], Some((OutOfPlace, absent))),
        (Code::GET, &[(8, b"x")], Some((OutOfPlace, absent))),
        (Code::GET, &[(3, b"h"), (3, b"i")], Some((Repeated, bad_option))),
        (Code::GET, &[(12, b""), (12, b"")], Some((Repeated, absent))),
        (Code::GET, &[(4, b"x"), (4, b"y"), (292, b""), (292, b"")], None),
        (Code::GET, &[(3, b"")], Some((Length, bad_option))),
        (Code::GET, &[(3, &[b'h'; 255])], None),
        (Code::GET, &[(3, &[b'h'; 256])], Some((Length, bad_option))),
        (Code::GET, &[(4, b"")], Some((Length, absent))),
        (Code::GET, &[(5, b"x")], Some((Length, bad_option))),
        (Code::GET, &[(7, b"abc")], Some((Length, bad_option))),
        (Code::GET, &[(11, &[b'x'; 256])], Some((Length, bad_option))),
        (Code::GET, &[(17, b"\0\0\0")], Some((Length, bad_option))),
        (Code::GET, &[(23, b"\0\0\0\0")], Some((Length, bad_option))),
        (Code::GET, &[(252, b"")], Some((Length, absent))),
        (Code::GET, &[(252, &[0; 41])], Some((Length, absent))),
        (Code::GET, &[(258, &[0, 2])], Some((Length, absent))),
        (Code::GET, &[(3, b"\xff")], Some((NotUtf8, bad_option))),
        (Code::GET, &[(15, b"\xc3")], Some((NotUtf8, bad_option))),
        (Code::GET, &[(11, b".")], Some((DotSegment, bad_option))),
        (Code::GET, &[(11, b"a"), (11, b"..")], Some((DotSegment, bad_option))),
        (Code::GET, &[(11, b"..."), (15, b"..")], None),
        (Code::GET, &[(23, b"\x07")], Some((BlockSize, Consequence::Refuse(Respond(Code::BAD_REQUEST))))),
        (Code::PUT, &[(27, b"\x0f")], Some((BlockSize, Consequence::Refuse(Respond(Code::BAD_REQUEST))))),
        (Code::GET, &[(16, b"\0")], None),
        (Code::GET, &[(16, b"")], Some((Length, absent))),
        // A number without a row in the registry has no rules but being known.
        (Code::GET, &[(6, b""), (6, b"\x01")], Some((Repeated, absent))),
        (Code::FETCH, &[(6, b""), (12, b"\x3c")], None),
        (Code::PUT, &[(6, b"")], Some((OutOfPlace, absent))),
        (Code::GET, &[(19, b"")], Some((NotUnderstood, bad_option))),
        (Code::GET, &[(128, b"x")], Some((NotUnderstood, absent))),
        // The first in the message counts, whatever its kind.
        (Code::GET, &[(3, b"\xff"), (9, b"")], Some((NotUtf8, bad_option))),
    ];
    for (code, options, expected) in rows {
        assert_eq!(found(CON, code, options).endpoint, expected, "{code:?} {options:?}");
    }
}

#[test]
fn the_answer_depends_on_what_the_option_came_in() {
    let critical: &[(u16, &[u8])] = &[(9, b"")];
    let block: &[(u16, &[u8])] = &[(23, b"\x07")];
    let proxy: &[(u16, &[u8])] = &[(35, b"coap://h")];
    for (message_type, code, options, answer) in [
        (CON, Code::GET, critical, Respond(Code::BAD_OPTION)),
        (NON, Code::GET, critical, Ignore),
        (CON, Code::CONTENT, critical, Reset),
        (NON, Code::CONTENT, critical, Ignore),
        (ACK, Code::CONTENT, critical, Ignore),
        (CON, Code::GET, block, Respond(Code::BAD_REQUEST)),
        (NON, Code::GET, block, Respond(Code::BAD_REQUEST)),
        (CON, Code::CONTENT, block, Reset),
        (ACK, Code::CONTENT, block, Ignore),
        (CON, Code::GET, proxy, Respond(Code::PROXYING_NOT_SUPPORTED)),
        (NON, Code::GET, proxy, Respond(Code::PROXYING_NOT_SUPPORTED)),
        (CON, Code::CONTENT, proxy, Reset),
    ] {
        let found = found(message_type, code, options).endpoint;
        assert!(
            matches!(found, Some((_, Consequence::Refuse(actual))) if actual == answer),
            "{message_type} {code:?} {options:?} {found:?}"
        );
    }
}

#[test]
fn responses_have_rules_of_their_own() {
    use OptionFaultReason::*;
    let refuse = Consequence::Refuse(Ignore);
    let rows: [Row<'_>; 9] = [
        (Code::CONTENT, &[(4, b"x"), (4, b"y")], Some((Repeated, Consequence::TreatAsAbsent))),
        (Code::CONTENT, &[(11, b"x")], Some((OutOfPlace, refuse))),
        (Code::CONTENT, &[(258, b"")], Some((OutOfPlace, Consequence::TreatAsAbsent))),
        (Code::CONTENT, &[(14, b"")], None),
        (Code::CREATED, &[(8, b"rd"), (8, b"x"), (20, b"")], None),
        (Code::CREATED, &[(8, b"..")], Some((DotSegment, Consequence::TreatAsAbsent))),
        // RFC 7252 §5.10.7.
        (Code::CREATED, &[(8, b"rd"), (128, b"x")], Some((Location, refuse))),
        (Code::CREATED, &[(8, b"rd"), (124, b"x")], Some((NotUnderstood, Consequence::TreatAsAbsent))),
        (Code::CREATED, &[(128, b"x")], Some((NotUnderstood, Consequence::TreatAsAbsent))),
    ];
    for (code, options, expected) in rows {
        assert_eq!(found(ACK, code, options).endpoint, expected, "{code:?} {options:?}");
    }
}

// RFC 7252 §5.7.2: for a proxy, unsafe counts, not critical.
#[test]
fn a_proxy_refuses_what_is_unsafe_to_forward() {
    for (code, options, answer) in [
        (Code::GET, &[(9, &b""[..])], None),
        (Code::GET, &[(2, b"")], Some(Respond(Code::BAD_OPTION))),
        (Code::GET, &[(60002, b"")], Some(Respond(Code::BAD_OPTION))),
        (Code::GET, &[(60001, b"")], None),
        (Code::CONTENT, &[(2, b"")], Some(Respond(Code::BAD_GATEWAY))),
        (Code::CONTENT, &[(9, b"")], None),
        (Code::GET, &[(16, b"\0")], Some(Respond(Code::BAD_REQUEST))),
        (Code::GET, &[(16, b"\x01")], None),
        (Code::GET, &[(7, b"abc")], Some(Respond(Code::BAD_OPTION))),
        (Code::GET, &[(17, b"abc")], None),
    ] {
        for message_type in [CON, NON] {
            assert_eq!(found(message_type, code, options).proxy, answer, "{code:?} {options:?}");
        }
    }
}

#[test]
fn a_refusal_says_what_a_diagnostic_should() {
    for (options, text) in [
        (&[(9, &b""[..])][..], "OSCORE option: not understood"),
        (&[(60001, b"")], "60001 option: not understood"),
        (&[(17, b""), (17, b"")], "Accept option: more than one"),
        (&[(7, b"abc")], "Uri-Port option: length out of range"),
        (&[(11, b"\xff")], "Uri-Path option: not UTF-8"),
        (&[(11, b"..")], "Uri-Path option: path segment \".\" or \"..\""),
        (&[(35, b"x")], "Proxy-Uri option: proxying is not supported"),
        (&[(23, b"\x07")], "Block2 option: reserved block size"),
    ] {
        let mut buffer = [0; 100];
        let length = message(&mut buffer, CON, Code::GET, options);
        let refusal = Message::parse(&buffer[..length]).unwrap().check(is_known).unwrap_err();
        assert_eq!(refusal.to_string(), text);
        assert_eq!(refusal.option(), options.last().map(|(number, _)| OptionNumber(*number)));
    }
    for (reaction, text) in
        [(Ignore, "ignore"), (Reset, "Reset"), (Respond(Code::BAD_OPTION), "respond 4.02 Bad Option")]
    {
        assert_eq!(reaction.to_string(), text);
    }
    let refusal = Message::parse(&[0x60, 1, 0, 1]).unwrap().check(is_known).unwrap_err();
    assert_eq!(refusal, Refusal::Kind(Ignore));
    assert_eq!(
        (refusal.to_string(), refusal.option()),
        ("the code has no meaning in a message of this type".into(), None)
    );
}

// A caller who knows an option that is not registered sets its rules.
#[test]
fn an_unregistered_option_that_is_known_is_fine() {
    let datagram = [0x40, 1, 0, 1, 0xe1, 0xfc, 0xdc, 0, 0x00];
    let message = Message::parse(&datagram).unwrap();
    assert!(message.check(|number| number.0 == 65001).is_ok());
}

proptest! {
    /// The narrower question that was there before has the same answer, as far as it goes.
    #[test]
    fn a_critical_option_that_is_unsupported_is_refused(
        options in proptest::collection::vec((0_u16..70, proptest::collection::vec(any::<u8>(), 0..6)), 0..6),
        code in 1_u8..32,
    ) {
        let mut buffer = [0; 200];
        let options: Vec<_> = options.iter().map(|(number, value)| (*number, value.as_slice())).collect();
        let length = message(&mut buffer, CON, Code::from_byte(code), &options);
        let message = Message::parse(&buffer[..length]).unwrap();
        if message.unsupported_option(is_known).is_some() {
            prop_assert!(message.check(is_known).is_err());
        }
        let refused = message.option_faults(is_known).any(|fault| matches!(fault.consequence, Consequence::Refuse(_)));
        prop_assert_eq!(message.check(is_known).is_err(), refused);
        prop_assert!(message.option_faults(|_| true).count() <= options.len());
    }
}
