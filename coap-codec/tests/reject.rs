//! Datagrams that must be refused, and the unusual ones that must not.

mod common;
#[macro_use]
#[path = "common/edge.rs"]
mod edge;

use coap_codec::{BlockError, Message, OptionNumber, ParseErrorKind};
use common::{Parts, vectors};

/// Options that a device with block-wise transfer understands; OSCORE is none of them.
fn is_known(number: OptionNumber) -> bool {
    matches!(
        number,
        OptionNumber::IF_NONE_MATCH
            | OptionNumber::URI_PATH
            | OptionNumber::URI_QUERY
            | OptionNumber::ACCEPT
            | OptionNumber::BLOCK1
            | OptionNumber::BLOCK2
    )
}

#[test]
fn xc_02_every_malformed_vector_is_refused_for_its_reason() {
    let vectors = vectors().udp_malformed;
    assert_eq!(vectors.len(), 23);
    for vector in vectors {
        let error = Message::parse(&vector.hex.0).unwrap_err();
        let kind = match vector.check.as_str() {
            "short" => ParseErrorKind::TooShort,
            "version" => ParseErrorKind::Version,
            "tkl" => ParseErrorKind::TokenLength,
            "token-truncated" => ParseErrorKind::TokenTruncated,
            "empty-with-bytes" => ParseErrorKind::EmptyWithContent,
            "marker-no-payload" => ParseErrorKind::EmptyPayload,
            "nibble-15" => ParseErrorKind::ReservedNibble,
            "ext-truncated" => ParseErrorKind::ExtensionTruncated,
            "value-truncated" => ParseErrorKind::ValueTruncated,
            "number-overflow" => ParseErrorKind::OptionNumber,
            other => panic!("{}: no such check {other}", vector.id),
        };
        assert_eq!(error.kind(), kind, "{}", vector.id);
    }
}

#[test]
fn xc_02_every_malformed_vector_gets_its_reaction() {
    for vector in vectors().udp_malformed {
        let error = Message::parse(&vector.hex.0).unwrap_err();
        match error.reset() {
            Some(reset) => {
                let expected = format!("RST mid {:04x}", reset.message_id.0);
                assert!(vector.action.starts_with(&expected), "{}", vector.id);
                assert_eq!(reset.to_bytes(), [0x70, 0, vector.hex.0[2], vector.hex.0[3]]);
            }
            None => assert!(
                vector.action.starts_with("ignore") || vector.action.starts_with("drop"),
                "{}: {}",
                vector.id,
                vector.action
            ),
        }
    }
}

/// What becomes of a well-formed message, in the words of RFC 7252 §4.3 and §5.4.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// Type and code do not go together.
    Reject {
        by_reset: bool,
    },
    /// A critical option cannot be honoured; a response or a NON is rejected for it, a CON request
    /// is answered by 4.02.
    BadOption(u16),
    /// A block of the reserved size: 4.00.
    BadBlock,
    /// A path that must not be followed.
    DotSegment,
    Process,
}

fn judge(datagram: &[u8]) -> Verdict {
    let message = Message::parse(datagram).unwrap();
    if message.kind().is_none() {
        return Verdict::Reject { by_reset: message.header().rejection().is_some() };
    }
    if let Some(number) = message.unsupported_option(is_known) {
        return Verdict::BadOption(number.0);
    }
    if message.block2() == Some(Err(BlockError::ReservedSize)) {
        return Verdict::BadBlock;
    }
    if message.uri_path().any(|segment| matches!(segment, b"." | b"..")) {
        return Verdict::DotSegment;
    }
    Verdict::Process
}

#[test]
fn xc_03_every_semantic_vector_parses_and_is_told_apart() {
    let expected = [
        ("S01", Verdict::BadOption(9)),
        ("S02", Verdict::Process),
        ("S03", Verdict::BadOption(9)),
        ("S04", Verdict::BadOption(9)),
        ("S05", Verdict::Reject { by_reset: true }),
        ("S06", Verdict::Reject { by_reset: false }),
        ("S07", Verdict::Process),
        ("S08", Verdict::Reject { by_reset: false }),
        ("S09", Verdict::Reject { by_reset: false }),
        ("S10", Verdict::Reject { by_reset: false }),
        ("S11", Verdict::Process),
        ("S12", Verdict::BadOption(17)),
        ("S13", Verdict::BadOption(5)),
        ("S14", Verdict::BadBlock),
        ("S15", Verdict::DotSegment),
    ];
    let vectors = vectors().udp_semantic;
    assert_eq!(vectors.len(), expected.len());
    for (vector, (id, verdict)) in vectors.iter().zip(expected) {
        assert_eq!(vector.id, id);
        assert_eq!(judge(&vector.hex.0), verdict, "{id}: {}", vector.action);
    }
}

#[test]
fn a_critical_option_is_refused_for_one_of_three_reasons() {
    let refused = |options: &[u8]| {
        let datagram = [&[0x40, 1, 0, 1][..], options].concat();
        let message = Message::parse(&datagram).unwrap();
        message.unsupported_option(is_known).map(|number| number.0)
    };
    assert_eq!(refused(&[0xb1, b'a', 0x01, b'b']), None);
    assert_eq!(refused(&[0xd0, 0]), Some(13), "unknown");
    assert_eq!(refused(&[0xd1, 4, 0, 0x01, 0]), Some(17), "once only");
    assert_eq!(refused(&[0xd3, 4, 0, 0, 0]), Some(17), "two bytes at most");
    assert_eq!(refused(&[0xd0, 0, 0xd0, 0]), Some(13), "the first of two");
    assert_eq!(refused(&[0x20, 0xa3, 0, 0, 0]), None, "elective ones never");
    // A caller who knows an option that is not registered sets its rules.
    let datagram = [0x40, 1, 0, 1, 0xe1, 0xfc, 0xdc, 0, 0x00];
    let message = Message::parse(&datagram).unwrap();
    assert_eq!(message.unsupported_option(|number| number.0 == 65001), None);
}

#[test]
fn errors_say_what_and_where() {
    for (datagram, text) in [
        (&[0x40, 1, 0][..], "message shorter than its header, at byte 0"),
        (&[0x80, 1, 0, 1], "unknown version, at byte 0"),
        (&[0x49, 1, 0, 1], "token length above 8, at byte 0"),
        (&[0x42, 1, 0, 1, 0], "token cut short, at byte 4"),
        (&[0x40, 0, 0, 1, 0], "Empty message with content, at byte 4"),
        (&[0x40, 1, 0, 1, 0xf1], "reserved option delta or length 15, at byte 4"),
        (&[0x41, 1, 0, 1, 9, 0x10, 0xd0], "extended option delta or length cut short, at byte 6"),
        (&[0x40, 1, 0, 1, 0xb2, b'a'], "option value cut short, at byte 4"),
        (&[0x40, 1, 0, 1, 0xe0, 0xfe, 0xf2, 0x10], "option number above 65535, at byte 7"),
        (&[0x40, 1, 0, 1, 0xff], "payload marker without payload, at byte 4"),
    ] {
        let error = Message::parse(datagram).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(text, format!("{}, at byte {}", error.kind(), error.position()));
    }
}

// RFC 7252 §4.2, §4.3: of four types with the same fault, one is answered.
#[test]
fn only_a_confirmable_message_is_answered_by_a_reset() {
    for (first, answered) in [(0x40, true), (0x50, false), (0x60, false), (0x70, false)] {
        let error = Message::parse(&[first, 0x45, 0xab, 0xcd, 0xff]).unwrap_err();
        assert_eq!(error.reset().is_some(), answered);
        let header = error.header().unwrap();
        assert_eq!(header.message_id.0, 0xabcd);
        assert_eq!(header.code.to_string(), "2.05");
    }
}

/// One named test per datagram.
macro_rules! named_tests {
    ($($name:ident: [$($part:expr),*] => $expected:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let parts: &[&[u8]] = &[$(&$part),*];
                check(&parts.concat(), $expected);
            }
        )*
    };
}

edge_cases!(named_tests);

#[track_caller]
fn check(datagram: &[u8], expected: Result<&[(u16, usize)], ParseErrorKind>) {
    match (Message::parse(datagram), expected) {
        (Ok(message), Ok(options)) => {
            let read = message.options().map(|option| (option.number.0, option.value.len()));
            assert!(read.eq(options.iter().copied()), "{message:?}");
            assert_eq!(Parts::of(&message).to_vec(), datagram);
        }
        (parsed, expected) => assert_eq!(parsed.map(drop).map_err(|error| error.kind()), expected.map(drop)),
    }
}
