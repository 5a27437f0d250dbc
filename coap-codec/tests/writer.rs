//! The borders of the writer: lengths, numbers, order, and buffers that are full.

use coap_codec::{
    BlockValue, Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, NoResponse, OptionNumber,
    Token, WriteError,
};

const HEADER: Header = Header { message_type: MessageType::Confirmable, code: Code::POST, message_id: MessageId(1) };

/// Lengths on both sides of every change in the encoding, and the longest.
const LENGTHS: [usize; 10] = [0, 1, 12, 13, 14, 268, 269, 270, 1034, 65804];
const NUMBERS: [u16; 12] = [0, 1, 12, 13, 14, 268, 269, 270, 1034, 65266, 65534, 65535];

#[test]
fn every_length_with_every_number_reads_back() {
    let value: Vec<u8> = (0..65804_u32).map(|at| (at % 255) as u8).collect();
    let mut buffer = vec![0; 66_000];
    for number in NUMBERS {
        for length in LENGTHS {
            let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
            writer.option(OptionNumber(number), &value[..length]).unwrap();
            writer.payload(b"p").unwrap();
            let message = Message::parse(writer.finish()).unwrap();
            let option = message.options().next().unwrap();
            assert_eq!((option.number.0, option.value), (number, &value[..length]));
            assert_eq!(message.options().count(), 1);
            assert_eq!(message.payload(), b"p");
        }
    }
}

#[test]
fn every_step_from_number_to_number_reads_back_in_either_direction() {
    let mut buffer = [0; 400];
    for first in NUMBERS {
        for second in NUMBERS {
            let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
            writer.option(OptionNumber(first), b"1").unwrap();
            writer.option(OptionNumber(second), b"2").unwrap();
            let message = Message::parse(writer.finish()).unwrap();
            let read: Vec<_> = message.options().map(|option| (option.number.0, option.value)).collect();
            let mut expected = [(first, &b"1"[..]), (second, b"2")];
            expected.sort_by_key(|(number, _)| *number);
            assert_eq!(read, expected);
        }
    }
}

#[test]
fn what_no_message_can_have_is_refused_and_the_message_goes_on() {
    let too_long = vec![0; 140_000];
    let mut buffer = vec![0; 140_000];
    let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
    writer.uri_path("a").unwrap();
    for number in [0, 11, 60] {
        // The last three would be short ones in 16 bits.
        for length in [65_805, 70_000, 131_072, 131_085, 131_341] {
            let outcome = writer.option(OptionNumber(number), &too_long[..length]);
            assert_eq!(outcome, Err(WriteError::ValueTooLong), "{length}");
        }
    }
    writer.size1(1).unwrap();
    writer.payload(b"p").unwrap();
    assert_eq!(writer.finish(), b"\x40\x02\x00\x01\xb1a\xd1\x24\x01\xffp");
    for length in [9, 10, 16, 17, 255, 256, 257, 264] {
        assert_eq!(Token::new(&vec![0; length]).map_err(|error| error.length), Err(length));
    }
    let too_long = MessageWriter::with_extended_token(&mut buffer, HEADER, &[0; 65805]);
    assert_eq!(too_long.err(), Some(WriteError::TokenTooLong));
}

#[test]
fn a_payload_has_no_limit_but_that_of_the_buffer() {
    let bytes: Vec<u8> = (0..70_000_u32).map(|at| (at % 253) as u8).collect();
    let mut buffer = vec![0; 5 + 70_000];
    for length in [1, 1152, 1280, 1300, 65_535, 65_536, 70_000] {
        let mut writer = MessageWriter::new(&mut buffer[..5 + length], HEADER, Token::EMPTY).unwrap();
        writer.payload(&bytes[..length]).unwrap();
        assert_eq!(writer.remaining(), 0);
        assert_eq!(Message::parse(writer.finish()).unwrap().payload(), &bytes[..length]);
    }
}

#[test]
fn options_have_no_limit_but_that_of_the_buffer() {
    let mut buffer = [0; 3000];
    let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
    for at in 0..1000_u16 {
        // No-Response and all behind it need more than 8 bits.
        writer.option(OptionNumber(258 + at / 4), &at.to_be_bytes()[1..]).unwrap();
    }
    writer.payload(b"p").unwrap();
    let message = Message::parse(writer.finish()).unwrap();
    let read = message.options().map(|option| (option.number.0, option.value[0]));
    assert!(read.eq((0..1000).map(|at| (258 + at / 4, (at % 256) as u8))));
    assert_eq!(message.values(OptionNumber(258)).count(), 4);
    assert_eq!(message.payload(), b"p");
}

// RFC 7252 §3.2.
#[test]
fn a_number_takes_the_fewest_bytes() {
    let mut buffer = [0; 64];
    for (value, bytes) in [(0, &b""[..]), (40, b"\x28"), (256, b"\x01\x00"), (131_072, b"\x02\x00\x00")] {
        let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
        writer.size1(value).unwrap();
        writer.max_age(value).unwrap();
        let message = Message::parse(writer.finish()).unwrap();
        assert!(message.options().map(|option| option.value).eq([bytes, bytes]));
        assert_eq!((message.size1(), message.max_age()), (Some(value), Some(value)));
    }
}

#[test]
fn a_number_is_read_in_whatever_bytes_it_comes() {
    let mut buffer = [0; 64];
    let mut with = |options: &[(OptionNumber, &[u8])], check: &dyn Fn(Message<'_>)| {
        let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
        for (number, value) in options {
            writer.option(*number, value).unwrap();
        }
        check(Message::parse(writer.finish()).unwrap());
    };
    for (value, format) in [(&b""[..], 0), (b"\x28", 40), (b"\x00\x28", 40), (b"\x2d\x16", 11542)] {
        with(&[(OptionNumber::CONTENT_FORMAT, value), (OptionNumber::ACCEPT, value)], &|message| {
            assert_eq!(message.content_format(), Some(ContentFormat(format)));
            assert_eq!(message.accept(), Some(ContentFormat(format)));
        });
    }
    for (value, number, more, exponent) in
        [(&b""[..], 0, false, 0), (b"\x7d", 7, true, 5), (b"\x00\x7d", 7, true, 5), (b"\x01\x00\x05", 4096, false, 5)]
    {
        with(&[(OptionNumber::BLOCK2, value), (OptionNumber::BLOCK1, value)], &|message| {
            let block = BlockValue::new(number, more, exponent).unwrap();
            assert_eq!((message.block1(), message.block2()), (Some(Ok(block)), Some(Ok(block))));
        });
    }
}

/// In ascending order nothing moves. In descending order, each option walks over those before it and
/// moves them: what the docs call n² steps. Thirty of them come out the same.
#[test]
fn any_order_gives_the_same_bytes() {
    let write = |numbers: &mut dyn Iterator<Item = u16>| {
        let mut buffer = [0; 600];
        let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
        for number in numbers {
            writer.option(OptionNumber(number), &number.to_be_bytes()).unwrap();
        }
        writer.finish().to_vec()
    };
    let number = |at: u16| at * at * 20;
    let ascending = write(&mut (0..30).map(number));
    assert_eq!(write(&mut (0..30).rev().map(number)), ascending);
    assert_eq!(write(&mut (0..30).map(|at| number(at * 7 % 30))), ascending);
}

/// In a buffer that is exactly full every kind of part fails, and changes nothing.
#[test]
fn a_full_buffer_refuses_every_part_and_keeps_the_message() {
    let mut buffer = [0; 8];
    let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
    writer.option(OptionNumber(20), b"").unwrap();
    writer.option(OptionNumber(300), b"").unwrap_err();
    writer.option(OptionNumber(60), b"").unwrap();
    assert_eq!(writer.remaining(), 0);
    let before = writer.as_bytes().to_vec();
    let no_space = |outcome: Result<(), WriteError>| assert!(matches!(outcome, Err(WriteError::NoSpace { .. })));
    for number in [0, 20, 30, 60, 61, 65535] {
        no_space(writer.option(OptionNumber(number), b""));
    }
    no_space(writer.payload(b"p"));
    no_space(writer.payload_with(|room| {
        assert!(room.is_empty());
        Err(WriteError::NoSpace { needed: 9 })
    }));
    writer.payload(b"").unwrap();
    assert_eq!(writer.as_bytes(), before);
    assert_eq!(Message::parse(writer.finish()).unwrap().options().count(), 2);
}

// Behind the payload no option is one, whatever there is room for.
#[test]
fn an_option_comes_before_the_payload_or_not_at_all() {
    let mut buffer = [0; 64];
    let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
    writer.payload(b"p").unwrap();
    assert_eq!(writer.uint(OptionNumber::CONTENT_FORMAT, 40), Err(WriteError::PayloadWritten));
    assert_eq!(writer.option(OptionNumber::URI_PATH, b"x"), Err(WriteError::PayloadWritten));
    assert_eq!(writer.as_bytes()[4..], *b"\xffp");

    let ping = Header::empty(MessageType::Confirmable, MessageId(1));
    let mut writer = MessageWriter::new(&mut buffer, ping, Token::EMPTY).unwrap();
    assert_eq!(writer.uint(OptionNumber::OBSERVE, 0), Err(WriteError::EmptyMessage));
    assert_eq!(writer.finish(), ping.to_bytes());
}

// What an insertion takes may be less than its own bytes: the head behind it may shrink.
#[test]
fn an_insertion_fits_as_soon_as_there_is_room_for_what_it_adds() {
    for (second, first) in [(290_u16, 300_u16), (12, 300), (13, 26), (1, 2), (269, 538)] {
        let written = |size: usize| {
            let mut buffer = vec![0; size];
            let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
            writer.option(OptionNumber(first), b"x").unwrap();
            writer.option(OptionNumber(second), b"y").map(|()| writer.finish().to_vec())
        };
        let whole = written(100).unwrap();
        assert_eq!(written(whole.len()).unwrap(), whole);
        assert_eq!(written(whole.len() - 1), Err(WriteError::NoSpace { needed: whole.len() }));
    }
}

#[test]
fn the_further_typed_options_read_back() {
    let mut buffer = [0; 200];
    let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
    writer.request_tag(b"").unwrap();
    writer.request_tag(b"tag").unwrap();
    writer.no_response(NoResponse::ALL).unwrap();
    writer.echo(&[7; 40]).unwrap();
    writer.proxy_scheme("coap").unwrap();
    writer.hop_limit(255).unwrap();
    writer.uri_port(61616).unwrap();
    writer.if_none_match().unwrap();
    writer.uri_host("dm.example").unwrap();
    writer.if_match(b"").unwrap();
    writer.if_match(&[1; 8]).unwrap();
    writer.proxy_uri("coap://dm.example/").unwrap();
    let message = Message::parse(writer.finish()).unwrap();
    assert!(message.request_tags().eq([&b""[..], b"tag"]));
    assert_eq!(message.no_response(), NoResponse::ALL);
    assert_eq!(message.echo(), Some(&[7; 40][..]));
    assert_eq!(message.proxy_scheme(), Some("coap"));
    assert_eq!(message.proxy_uri(), Some("coap://dm.example/"));
    assert_eq!(message.hop_limit(), Some(255));
    assert_eq!(message.uri_port(), Some(61616));
    assert!(message.if_none_match());
    assert_eq!(message.uri_host(), Some("dm.example"));
    assert!(message.if_match().eq([&b""[..], &[1; 8]]));
    assert!(message.check(|_| true).is_ok());

    let absent = Message::parse(b"\x40\x01\x00\x01").unwrap();
    assert_eq!((absent.no_response(), absent.echo(), absent.hop_limit()), (NoResponse::NONE, None, None));
    assert!(!absent.if_none_match());
}

#[test]
fn the_further_typed_options_are_held_to_their_lengths() {
    let mut buffer = [0; 1200];
    let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
    assert_eq!(writer.hop_limit(0), Err(WriteError::InvalidValue));
    assert_eq!(writer.echo(b""), Err(WriteError::ValueTooShort));
    assert_eq!(writer.echo(&[0; 41]), Err(WriteError::ValueTooLong));
    assert_eq!(writer.request_tag(&[0; 9]), Err(WriteError::ValueTooLong));
    assert_eq!(writer.if_match(&[0; 9]), Err(WriteError::ValueTooLong));
    assert_eq!(writer.uri_host(""), Err(WriteError::ValueTooShort));
    assert_eq!(writer.uri_host(&"h".repeat(256)), Err(WriteError::ValueTooLong));
    assert_eq!(writer.proxy_uri(&"u".repeat(1035)), Err(WriteError::ValueTooLong));
    assert_eq!(writer.proxy_scheme(""), Err(WriteError::ValueTooShort));
    assert_eq!(writer.len(), 4);
    writer.proxy_uri(&"u".repeat(1034)).unwrap();
}

#[test]
fn the_further_errors_say_what_stopped_it() {
    for (error, text) in [
        (WriteError::InvalidValue, "not a value that may stand there"),
        (WriteError::OutOfOrder, "out of order"),
        (WriteError::TokenTooLong, "token too long"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_value_of_a_wrong_length_reads_as_absent() {
    let mut buffer = [0; 100];
    let mut writer = MessageWriter::new(&mut buffer, HEADER, Token::EMPTY).unwrap();
    for (number, value) in [(5, &b"x"[..]), (7, b"abc"), (16, b""), (39, b"\xff"), (252, b""), (258, b"ab")] {
        writer.option(OptionNumber(number), value).unwrap();
    }
    let message = Message::parse(writer.finish()).unwrap();
    assert!(!message.if_none_match());
    assert_eq!((message.uri_port(), message.hop_limit(), message.proxy_scheme()), (None, None, None));
    assert_eq!((message.echo(), message.no_response()), (None, NoResponse::NONE));
}
