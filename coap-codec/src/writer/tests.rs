//! The writer's rules one by one, by the bytes that come out.

use super::*;
use crate::{BlockValue, ContentFormat, Message, MessageId, MessageType};
use alloc::string::ToString;

const CONTENT: Header =
    Header { message_type: MessageType::Acknowledgement, code: Code::CONTENT, message_id: MessageId(1) };
const PING: Header = Header::empty(MessageType::Confirmable, MessageId(1));
const PATH: OptionNumber = OptionNumber::URI_PATH;

fn token() -> Token {
    Token::new(&[0xaa, 0xbb]).unwrap()
}

/// Takes `steps` behind header and token, in a buffer of `size` bytes; they must add `expected`.
#[track_caller]
fn check(size: usize, steps: impl FnOnce(&mut MessageWriter<'_>), expected: &[u8]) {
    let mut buffer = alloc::vec![0xee; size];
    let mut writer = MessageWriter::new(&mut buffer, CONTENT, token()).unwrap();
    steps(&mut writer);
    assert_eq!(writer.as_bytes(), [b"\x62\x45\0\x01\xaa\xbb", expected].concat());
    assert!(Message::parse(writer.as_bytes()).is_ok());
    assert_eq!(writer.remaining(), size - writer.len());
}

#[test]
fn header_and_token_need_their_room() {
    for size in 0..6 {
        assert_eq!(
            MessageWriter::new(&mut [0; 6][..size], CONTENT, token()).err(),
            Some(WriteError::NoSpace { needed: 6 })
        );
    }
    check(6, |_| {}, b"");
    check(20, |_| {}, b"");
}

#[test]
fn options_find_their_place() {
    check(
        64,
        |writer| {
            writer.option(OptionNumber(60), b"s").unwrap();
            writer.option(PATH, b"1").unwrap();
            writer.option(OptionNumber(300), b"x").unwrap();
            writer.option(OptionNumber(0), b"0").unwrap();
            writer.option(PATH, b"2").unwrap();
            writer.option(OptionNumber(299), b"").unwrap();
        },
        b"\x010\xb11\x012\xd1\x24s\xd0\xe2\x11x",
    );
}

// From 0 to 300 the delta takes two bytes more, from 290 to 300 none.
#[test]
fn the_option_behind_an_insertion_may_shrink() {
    check(
        11,
        |writer| {
            writer.option(OptionNumber(300), b"x").unwrap();
            assert_eq!(writer.len(), 10);
            writer.option(OptionNumber(290), b"").unwrap();
        },
        b"\xe0\0\x15\xa1x",
    );
}

#[test]
fn an_insertion_without_room_changes_nothing() {
    check(
        11,
        |writer| {
            writer.option(OptionNumber(60), b"abc").unwrap();
            let error = writer.option(PATH, b"1").unwrap_err();
            assert_eq!(error, WriteError::NoSpace { needed: 13 });
            let error = writer.option(PATH, &[0; 65_805]).unwrap_err();
            assert_eq!(error, WriteError::ValueTooLong);
        },
        b"\xd3\x2fabc",
    );
}

#[test]
fn nothing_comes_after_the_payload() {
    check(
        64,
        |writer| {
            writer.payload(b"").unwrap();
            writer.option(PATH, b"a").unwrap();
            writer.payload(b"p").unwrap();
            let written = Err(WriteError::PayloadWritten);
            assert_eq!(writer.option(OptionNumber(60), b""), written);
            assert_eq!(writer.option(OptionNumber(1), b""), written);
            assert_eq!(writer.payload(b"q"), written);
            assert_eq!(writer.payload(b""), Ok(()));
            let filled = writer.payload_with::<WriteError>(|_| panic!("called"));
            assert_eq!(filled, written);
        },
        b"\xb1a\xffp",
    );
}

#[test]
fn a_payload_needs_room_for_its_marker() {
    check(
        8,
        |writer| {
            let error = writer.payload(b"ab").unwrap_err();
            assert_eq!(error, WriteError::NoSpace { needed: 9 });
            writer.payload(b"a").unwrap();
        },
        b"\xffa",
    );
}

#[test]
fn a_payload_is_filled_in_place() {
    check(
        10,
        |writer| {
            writer
                .payload_with(|room| {
                    assert_eq!(room.len(), 3);
                    room.fill(b'z');
                    Ok::<_, WriteError>(2)
                })
                .unwrap();
        },
        b"\xffzz",
    );
}

#[test]
fn a_payload_may_fill_the_buffer_to_the_last_byte() {
    let fill = |room: &mut [u8]| {
        room.fill(b'z');
        Ok::<_, WriteError>(room.len())
    };
    check(9, |writer| writer.payload_with(fill).unwrap(), b"\xffzz");
    check(9, |writer| writer.payload(b"zz").unwrap(), b"\xffzz");
}

#[test]
fn filling_nothing_writes_no_marker_and_fits_everywhere() {
    for size in [6, 7, 8] {
        check(
            size,
            |writer| {
                writer
                    .payload_with(|room| {
                        assert_eq!(room.len(), size.saturating_sub(7));
                        Ok::<_, WriteError>(0)
                    })
                    .unwrap();
            },
            b"",
        );
    }
}

#[test]
fn a_filler_that_fails_or_claims_too_much_leaves_no_payload() {
    #[derive(Debug, PartialEq)]
    enum Failure {
        Mine,
        Write(WriteError),
    }
    impl From<WriteError> for Failure {
        fn from(error: WriteError) -> Self {
            Self::Write(error)
        }
    }
    check(
        10,
        |writer| {
            let failed = writer.payload_with(|room| {
                room.fill(b'z');
                Err(Failure::Mine)
            });
            assert_eq!(failed, Err(Failure::Mine));
            for (claimed, needed) in [(4, 11), (usize::MAX, usize::MAX)] {
                let failed = writer.payload_with(|_| Ok(claimed));
                let no_space = WriteError::NoSpace { needed };
                assert_eq!(failed, Err(Failure::Write(no_space)));
            }
            writer.option(PATH, b"a").unwrap();
        },
        b"\xb1a",
    );
    check(
        6,
        |writer| {
            let failed = writer.payload_with(|_| Ok::<_, WriteError>(1));
            assert_eq!(failed, Err(WriteError::NoSpace { needed: 8 }));
        },
        b"",
    );
}

#[test]
fn an_empty_message_stays_empty() {
    let empty = Err(WriteError::EmptyMessage);
    let mut buffer = [0; 16];
    assert_eq!(MessageWriter::new(&mut buffer, PING, token()).err(), empty.err());
    let mut writer = MessageWriter::new(&mut buffer, PING, Token::EMPTY).unwrap();
    assert_eq!(writer.option(PATH, b"a"), empty);
    assert_eq!(writer.payload(b"a"), empty);
    assert_eq!(writer.payload_with(|_| Ok::<_, WriteError>(1)), empty);
    assert_eq!(writer.payload(b""), Ok(()));
    assert_eq!(writer.finish(), PING.to_bytes());
}

#[test]
fn the_code_can_still_change() {
    let mut buffer = [0; 32];
    let mut writer = MessageWriter::new(&mut buffer, CONTENT, token()).unwrap();
    writer.content_format(ContentFormat::JSON).unwrap();
    writer.set_code(Code::CHANGED);
    assert_eq!(writer.code(), Code::CHANGED);
    assert_eq!(writer.header().code, Code::CHANGED);
    writer.payload(b"{}").unwrap();
    assert_eq!(writer.as_bytes(), b"\x62\x44\0\x01\xaa\xbb\xc1\x32\xff{}");

    writer.restart(Code::NOT_FOUND);
    assert_eq!(writer.as_bytes(), b"\x62\x84\0\x01\xaa\xbb");
    writer.option(OptionNumber::IF_MATCH, b"").unwrap();
    writer.payload(b"gone").unwrap();
    assert_eq!(writer.as_bytes(), b"\x62\x84\0\x01\xaa\xbb\x10\xffgone");

    writer.restart(Code::EMPTY);
    assert_eq!(writer.as_bytes(), CONTENT.acknowledgement().to_bytes());
    writer.set_code(Code::CHANGED);
    writer.option(PATH, b"a").unwrap();
    assert_eq!(writer.as_bytes(), b"\x60\x44\0\x01\xb1a", "no token any more");
}

#[test]
fn typed_options_are_held_to_their_lengths() {
    let long = "x".repeat(256);
    check(
        300,
        |writer| {
            let too_long = Err(WriteError::ValueTooLong);
            assert_eq!(writer.uri_path(&long), too_long);
            assert_eq!(writer.uri_query(&long), too_long);
            assert_eq!(writer.location_path(&long), too_long);
            assert_eq!(writer.location_query(&long), too_long);
            assert_eq!(writer.etag(&[0; 9]), too_long);
            assert_eq!(writer.etag(&[]), Err(WriteError::ValueTooShort));
            assert_eq!(writer.uri_path("."), Err(WriteError::DotSegment));
            assert_eq!(writer.uri_path(".."), Err(WriteError::DotSegment));
            assert_eq!(writer.location_path(".."), Err(WriteError::DotSegment));
            writer.uri_path("...").unwrap();
            writer.uri_query(".").unwrap();
        },
        b"\xb3...\x41.",
    );
}

#[test]
fn typed_options_read_back() {
    let block = BlockValue::new(5, true, 3).unwrap();
    let mut buffer = [0; 64];
    let mut writer = MessageWriter::new(&mut buffer, CONTENT, token()).unwrap();
    writer.size2(70_000).unwrap();
    writer.size1(0).unwrap();
    writer.block1(block).unwrap();
    writer.block2(block).unwrap();
    writer.observe(0x0100_0005).unwrap();
    writer.max_age(86_400).unwrap();
    writer.accept(ContentFormat::CBOR).unwrap();
    writer.location_query("a=b").unwrap();
    writer.etag(b"v1").unwrap();
    let message = Message::parse(writer.finish()).unwrap();
    assert_eq!(message.size2(), Some(70_000));
    assert_eq!(message.size1(), Some(0));
    assert_eq!(message.block1(), Some(Ok(block)));
    assert_eq!(message.block2(), Some(Ok(block)));
    assert_eq!(message.observe(), Some(5), "sequence numbers have 24 bits");
    assert_eq!(message.max_age(), Some(86_400));
    assert_eq!(message.accept(), Some(ContentFormat::CBOR));
    assert!(message.location_query().eq([b"a=b"]));
    assert_eq!(message.etag(), Some(&b"v1"[..]));
    assert_eq!(message.token(), token());
}

#[test]
fn errors_say_what_stopped_it() {
    for (error, text) in [
        (WriteError::NoSpace { needed: 20 }, "no space: the message needs 20 bytes up to here"),
        (WriteError::ValueTooLong, "option value too long"),
        (WriteError::ValueTooShort, "option value too short"),
        (WriteError::DotSegment, "path segment \".\" or \"..\""),
        (WriteError::PayloadWritten, "the payload is already written"),
        (WriteError::EmptyMessage, "an Empty message has no token, options or payload"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
