//! Datagrams that must be refused, and the unusual ones that must not.

mod common;

use coap_codec::{BlockError, Header, Message, MessageKind, OptionNumber, ParseError, ParseErrorKind, Reaction};
use common::vectors;

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
        match error.reaction() {
            Reaction::Reset => {
                let reset = error.header().map(Header::reset).unwrap();
                let expected = format!("RST mid {:04x}", reset.message_id.0);
                assert!(vector.action.starts_with(&expected), "{}", vector.id);
                assert_eq!(reset.to_bytes(), [0x70, 0, vector.hex.0[2], vector.hex.0[3]]);
            }
            Reaction::Ignore => assert!(
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
    Reject(Reaction),
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
    if let MessageKind::Rejected(reaction) = message.kind() {
        return Verdict::Reject(reaction);
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
        ("S05", Verdict::Reject(Reaction::Reset)),
        ("S06", Verdict::Reject(Reaction::Ignore)),
        ("S07", Verdict::Process),
        ("S08", Verdict::Reject(Reaction::Ignore)),
        ("S09", Verdict::Reject(Reaction::Ignore)),
        ("S10", Verdict::Reject(Reaction::Ignore)),
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
    for (first, reaction) in
        [(0x40, Reaction::Reset), (0x50, Reaction::Ignore), (0x60, Reaction::Ignore), (0x70, Reaction::Ignore)]
    {
        let error = Message::parse(&[first, 0x45, 0xab, 0xcd, 0xff]).unwrap_err();
        assert_eq!(error.reaction(), reaction);
        let header = error.header().unwrap();
        assert_eq!(header.message_id.0, 0xabcd);
        assert_eq!(header.code.to_string(), "2.05");
    }
}

/// One named test per datagram: a list of parts, and the error kind or `Ok` for one to accept.
macro_rules! cases {
    ($($name:ident: [$($part:expr),*] => $expected:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let parts: &[&[u8]] = &[$(&$part),*];
                let expected: Result<(), ParseErrorKind> = $expected;
                let datagram = parts.concat();
                let parsed = Message::parse(&datagram);
                assert_eq!(parsed.map(drop).map_err(|error: ParseError| error.kind()), expected);
            }
        )*
    };
}

const GET: [u8; 4] = [0x40, 0x01, 0x00, 0x01];

cases! {
    no_bytes: [[]] => Err(ParseErrorKind::TooShort);
    three_bytes: [[0x40, 1, 0]] => Err(ParseErrorKind::TooShort);
    version_0: [[0x00, 1, 0, 1]] => Err(ParseErrorKind::Version);
    version_2: [[0x80, 1, 0, 1]] => Err(ParseErrorKind::Version);
    version_3: [[0xc0, 1, 0, 1]] => Err(ParseErrorKind::Version);
    token_length_9: [[0x49, 1, 0, 1], [1; 9]] => Err(ParseErrorKind::TokenLength);
    token_length_13_as_rfc_8974_has_it: [[0x4d, 1, 0, 1, 1], [1; 14]]
        => Err(ParseErrorKind::TokenLength);
    token_length_14_as_rfc_8974_has_it: [[0x4e, 1, 0, 1, 0, 1], [1; 270]]
        => Err(ParseErrorKind::TokenLength);
    token_length_15: [[0x4f, 1, 0, 1], [1; 15]] => Err(ParseErrorKind::TokenLength);
    token_of_8_with_2_bytes: [[0x48, 1, 0, 1], [1; 2]] => Err(ParseErrorKind::TokenTruncated);
    token_and_no_byte_of_it: [[0x41, 1, 0, 1]] => Err(ParseErrorKind::TokenTruncated);
    empty_with_a_token: [[0x41, 0, 0, 1, 9]] => Err(ParseErrorKind::EmptyWithContent);
    empty_with_a_token_that_is_not_there: [[0x41, 0, 0, 1]]
        => Err(ParseErrorKind::EmptyWithContent);
    empty_with_an_option: [[0x40, 0, 0, 1, 0xb1, b'a']] => Err(ParseErrorKind::EmptyWithContent);
    empty_with_a_payload: [[0x40, 0, 0, 1, 0xff, b'a']] => Err(ParseErrorKind::EmptyWithContent);
    empty_with_a_stray_byte: [[0x40, 0, 0, 1, 0]] => Err(ParseErrorKind::EmptyWithContent);
    delta_13_without_its_byte: [GET, [0xd0]] => Err(ParseErrorKind::ExtensionTruncated);
    delta_14_with_one_byte: [GET, [0xe0, 0]] => Err(ParseErrorKind::ExtensionTruncated);
    length_13_without_its_byte: [GET, [0x0d]] => Err(ParseErrorKind::ExtensionTruncated);
    length_14_with_one_byte: [GET, [0x0e, 0]] => Err(ParseErrorKind::ExtensionTruncated);
    value_shorter_than_its_length: [GET, [0xb5], *b"tes"] => Err(ParseErrorKind::ValueTruncated);
    length_65804_with_one_byte: [GET, [0xbe, 0xff, 0xff, 1]]
        => Err(ParseErrorKind::ValueTruncated);
    delta_15: [GET, [0xf1, 0, 0, 0]] => Err(ParseErrorKind::ReservedNibble);
    length_15: [GET, [0x1f], [0; 20]] => Err(ParseErrorKind::ReservedNibble);
    marker_alone: [GET, [0xff]] => Err(ParseErrorKind::EmptyPayload);
    marker_alone_after_an_option: [GET, [0xb1, b'a', 0xff]] => Err(ParseErrorKind::EmptyPayload);
    number_65804_at_once: [GET, [0xe0, 0xff, 0xff]] => Err(ParseErrorKind::OptionNumber);
    number_65535_plus_1: [GET, [0xe0, 0xfe, 0xf2, 0x10]] => Err(ParseErrorKind::OptionNumber);
    number_above_before_a_payload: [GET, [0xe0, 0xff, 0xff, 0xff, 1]]
        => Err(ParseErrorKind::OptionNumber);

    number_65535: [GET, [0xe0, 0xfe, 0xf2]] => Ok(());
    number_0: [GET, [0x00]] => Ok(());
    proxy_uri_of_260_bytes: [GET, [0xdd, 22, 247], [b'u'; 260]] => Ok(());
    proxy_uri_of_269_bytes: [GET, [0xde, 22, 0, 0], [b'u'; 269]] => Ok(());
    proxy_uri_of_1034_bytes: [GET, [0xde, 22, 0x02, 0xfd], [b'u'; 1034]] => Ok(());
    delta_300_and_length_20: [GET, [0xed, 0, 31, 7], [0; 20]] => Ok(());
    content_format_twice: [GET, [0xc0, 0x01, 40]] => Ok(());
    accept_twice: [GET, [0xd1, 4, 0, 0x01, 40]] => Ok(());
    unknown_critical_13: [GET, [0xd0, 0]] => Ok(());
    unknown_elective_2: [GET, [0x20]] => Ok(());
    content_format_with_a_leading_zero: [GET, [0xc2, 0, 40]] => Ok(());
    content_format_of_3_bytes: [GET, [0xc3, 0, 0, 40]] => Ok(());
    uri_path_of_no_bytes: [GET, [0xb0]] => Ok(());
    uri_path_that_is_not_utf_8: [GET, [0xb2, 0xc3, 0x28]] => Ok(());
    forty_uri_paths: [GET, [0xb1, b'a'], [1, b'b'].repeat(39)] => Ok(());
    unknown_method_0_31: [[0x40, 0x1f, 0, 1]] => Ok(());
    unknown_response_4_30: [[0x60, 0x9e, 0, 1]] => Ok(());
    code_class_1: [[0x40, 0x20, 0, 1]] => Ok(());
    empty_non: [[0x50, 0, 0, 1]] => Ok(());
    reset_with_a_code_and_a_payload: [[0x70, 0x45, 0, 1, 0xff, b'x']] => Ok(());
}
