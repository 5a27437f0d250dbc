//! CoAP over TCP (RFC 8323): frames in pieces, signaling, and tokens of any length (RFC 8974).

mod common;

use coap_codec::tcp::{self, Capabilities, Csm, Decoder, Frame, Limits, Signal};
use coap_codec::{
    Code, Header, Message, MessageId, MessageType, MessageView, MessageWriter, OptionNumber, ParseErrorKind, Token,
};
use common::{Frame as Vector, vectors};
use proptest::prelude::*;

/// A message that no longer borrows anything.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    code: Code,
    token: Vec<u8>,
    options: Vec<(u16, Vec<u8>)>,
    payload: Vec<u8>,
}

impl Owned {
    fn of(message: &MessageView<'_>) -> Self {
        Self {
            code: message.code(),
            token: message.token().to_vec(),
            options: message.options().map(|option| (option.number.0, option.value.to_vec())).collect(),
            payload: message.payload().to_vec(),
        }
    }

    fn expected(frame: &Vector) -> Self {
        let (class, detail) = frame.code.split_once('.').unwrap();
        Self {
            code: Code::new(class.parse().unwrap(), detail.parse().unwrap()).unwrap(),
            token: frame.token.0.clone(),
            options: frame.options.iter().map(|option| (option.number, option.value.0.clone())).collect(),
            payload: if frame.id == "T07" { b"bad".to_vec() } else { vec![b'x'; frame.payload_len] },
        }
    }

    fn to_frame(&self) -> Vec<u8> {
        let options = self.options.iter().map(|(_, value)| 5 + value.len()).sum::<usize>();
        let mut buffer = vec![0xee; 12 + self.token.len() + options + self.payload.len()];
        let mut writer = MessageWriter::for_tcp(&mut buffer, self.code, &self.token).unwrap();
        for (number, value) in &self.options {
            writer.option(OptionNumber(*number), value).unwrap();
        }
        writer.payload(&self.payload).unwrap();
        writer.finish_tcp().unwrap().to_vec()
    }
}

fn decode_all<'p>(decoder: &mut Decoder<'_>, pieces: impl Iterator<Item = &'p [u8]>) -> Vec<Owned> {
    let mut messages = Vec::new();
    for piece in pieces {
        let mut rest = piece;
        while let Some(message) = decoder.decode(&mut rest).unwrap() {
            messages.push(Owned::of(&message));
        }
        assert!(rest.is_empty());
    }
    messages
}

#[test]
fn xc_29_every_frame_is_read_to_its_fields_and_written_to_its_bytes() {
    let frames = vectors().tcp;
    assert_eq!(frames.len(), 12);
    for frame in frames {
        let bytes = frame.bytes();
        let expected = Owned::expected(&frame);
        let front = tcp::parse(&bytes, Limits::new(bytes.len())).unwrap();
        let Frame::Complete { message, length } = front else { panic!("{}", frame.id) };
        assert_eq!((Owned::of(&message), length), (expected.clone(), bytes.len()), "{}", frame.id);
        assert_eq!(expected.to_frame(), bytes, "{}", frame.id);
    }
}

#[test]
fn xc_29_every_frame_comes_out_of_pieces_of_every_size() {
    for frame in vectors().tcp {
        let bytes = frame.bytes();
        let expected = [Owned::expected(&frame)];
        let mut memory = vec![0; bytes.len()];
        // Of the largest, not each of 65812 sizes.
        let sizes = (1..=bytes.len().min(300)).chain((301..=bytes.len()).step_by(1009)).chain([bytes.len()]);
        for size in sizes {
            let mut decoder = Decoder::new(&mut memory);
            assert_eq!(decode_all(&mut decoder, bytes.chunks(size)), expected, "{} by {size}", frame.id);
            assert_eq!(decoder.pending(), 0);
        }
    }
}

#[test]
fn xc_29_frames_in_a_row_come_out_of_pieces_of_every_size() {
    let frames: Vec<_> = vectors().tcp.into_iter().filter(|frame| frame.id != "T12").collect();
    let stream: Vec<u8> = frames.iter().flat_map(Vector::bytes).collect();
    let expected: Vec<_> = frames.iter().map(Owned::expected).collect();
    for size in 1..=stream.len() {
        let mut memory = [0; 274];
        let mut decoder = Decoder::new(&mut memory);
        assert_eq!(decode_all(&mut decoder, stream.chunks(size)), expected, "by {size}");
    }
}

#[test]
fn xc_29_the_beginning_of_a_frame_says_how_many_bytes_are_missing() {
    for frame in vectors().tcp.iter().filter(|frame| frame.id != "T12") {
        let bytes = frame.bytes();
        let limits = Limits::default();
        for length in 0..bytes.len() {
            let Frame::Incomplete { missing } = tcp::parse(&bytes[..length], limits).unwrap() else {
                panic!("{} is whole after {length} bytes", frame.id);
            };
            assert!(missing > 0 && length + missing <= bytes.len(), "{} {length} {missing}", frame.id);
        }
        // A reader that asks for so many each time gets there, and never takes one too many.
        let (mut length, mut steps) = (0, 0);
        while let Frame::Incomplete { missing } = tcp::parse(&bytes[..length], limits).unwrap() {
            length += missing;
            steps += 1;
        }
        assert_eq!(length, bytes.len());
        assert!(steps <= 4);
    }
}

#[test]
fn a_whole_message_is_borrowed_from_what_was_received() {
    let received = b"\x01\x43\x7f\x10\x01\x01a\x41";
    let mut memory = [0; 16];
    let mut decoder = Decoder::new(&mut memory);
    let mut rest = &received[..];
    assert_eq!(decoder.decode(&mut rest).unwrap().unwrap().token().as_ptr(), received[2..].as_ptr());
    assert_eq!(decoder.pending(), 0);
    assert_eq!(rest.len(), 5);
}

#[test]
fn a_frame_that_is_too_large_is_refused_before_it_is_there() {
    let limits = Limits::new(100);
    let missing = |bytes: &[u8]| match tcp::parse(bytes, limits) {
        Ok(Frame::Incomplete { missing }) => Ok(missing),
        Ok(Frame::Complete { length, .. }) => panic!("{length}"),
        Err(error) => Err(error.kind()),
    };
    assert_eq!(missing(&[0xd0, 84, 1]), Ok(97));
    assert_eq!(missing(&[0xd0, 85]), Err(ParseErrorKind::TooLarge));
    // The token counts, too.
    assert_eq!(missing(&[0xd8, 77, 1]), Err(ParseErrorKind::TooLarge));
    assert_eq!(missing(&[0xe0, 0, 0]), Err(ParseErrorKind::TooLarge));
    assert_eq!(missing(&[0xf0, 0xff, 0xff, 0xff, 0xff]), Err(ParseErrorKind::TooLarge));
    assert_eq!(missing(&[0xf0, 0xff, 0xff, 0xff]), Ok(2));

    let mut memory = [0; 4];
    let mut decoder = Decoder::new(&mut memory);
    for byte in [0x20, 1] {
        assert_eq!(decoder.decode(&mut &[byte][..]), Ok(None));
    }
    assert_eq!(decoder.pending(), 2);
    let mut decoder = Decoder::new(&mut memory);
    let error = decoder.decode(&mut &[0x30][..]).unwrap_err();
    assert_eq!(error.kind(), ParseErrorKind::TooLarge);
    assert_eq!(error.to_string(), "message larger than is accepted, at byte 0 of the message");
    assert_eq!(decoder.decode(&mut &[0x00, 0x00][..]), Err(error), "the stream is lost");
    for size in 0..2 {
        assert!(Decoder::new(&mut [0; 2][..size]).decode(&mut &[0, 0][..]).is_err());
    }
}

#[test]
fn what_is_wrong_with_a_frame_is_told() {
    for (bytes, kind, position) in [
        (&[0x09][..], ParseErrorKind::TokenLength, 0),
        (&[0x0d], ParseErrorKind::TokenLength, 0),
        (&[0x0f], ParseErrorKind::ReservedTokenLength, 0),
        (&[0x11, 0x01, 0xaa, 0xff], ParseErrorKind::EmptyPayload, 3),
        (&[0x30, 0x01, 0x11, 0, 0xf0], ParseErrorKind::ReservedNibble, 4),
        (&[0x20, 0x01, 0xb2, 0], ParseErrorKind::ValueTruncated, 2),
    ] {
        let error = tcp::parse(bytes, Limits::default()).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, position), "{bytes:02x?}");
        let mut memory = [0; 10];
        let mut decoder = Decoder::new(&mut memory);
        let mut outcome = Ok(None);
        for byte in bytes.chunks(1) {
            outcome = decoder.decode(&mut &byte[..]).map(|message| message.map(|message| Owned::of(&message)));
        }
        assert_eq!(outcome, Err(error));
    }
}

// RFC 8323 §3.4: such a message is ignored, so nothing in it can be wrong.
#[test]
fn an_empty_message_is_nothing_but_its_code() {
    for bytes in [&[0, 0][..], &[0x21, 0, 1, 0xf0, 0xff]] {
        let front = tcp::parse(bytes, Limits::default()).unwrap();
        let Frame::Complete { message, length } = front else { panic!("{front:?}") };
        assert_eq!(length, bytes.len());
        assert_eq!(message.code(), Code::EMPTY);
        assert_eq!((message.token(), message.options().count(), message.payload()), (&[][..], 0, &[][..]));
    }
}

#[test]
fn xc_28_long_tokens_in_datagrams_are_for_those_who_ask() {
    for (nibble, field, length) in [
        (9, &[][..], 9),
        (12, &[], 12),
        (13, &[0], 13),
        (13, &[255], 268),
        (14, &[0, 0], 269),
        (14, &[1, 1], 526),
        (14, &[255, 255], 65804),
    ] {
        let token = vec![0xab; length];
        let datagram = [&[0x40 | nibble, 1, 0, 7][..], field, &token, b"\xb1a\xffx"].concat();
        assert_eq!(Message::parse(&datagram).unwrap_err().kind(), ParseErrorKind::TokenLength);
        let (header, message) = MessageView::parse_with_extended_token(&datagram).unwrap();
        assert_eq!((header.message_id, message.token()), (MessageId(7), &token[..]));
        assert!(message.uri_path().eq([b"a"]));
        assert_eq!(message.payload(), b"x");

        let mut buffer = vec![0; datagram.len()];
        let mut writer = MessageWriter::with_extended_token(&mut buffer, header, &token).unwrap();
        writer.uri_path("a").unwrap();
        writer.payload(b"x").unwrap();
        assert_eq!(writer.finish(), datagram);

        for cut in [4, 4 + field.len(), 4 + field.len() + length - 1] {
            let error = MessageView::parse_with_extended_token(&datagram[..cut]).unwrap_err();
            assert_eq!((error.kind(), error.position()), (ParseErrorKind::TokenTruncated, 4));
        }
    }
    for (datagram, kind, position) in [
        (&b"\x4f\x01\0\x07aaaaaaaaaaaaaaa"[..], ParseErrorKind::ReservedTokenLength, 0),
        (b"\x49\x00\0\x07aaaaaaaaa", ParseErrorKind::EmptyWithContent, 4),
        (b"\x4d\x01\0\x07", ParseErrorKind::TokenTruncated, 4),
        (b"\x40\x01\0", ParseErrorKind::TooShort, 0),
        (b"\x49\x01\0\x07aaaaaaaaa\xb1", ParseErrorKind::ValueTruncated, 13),
    ] {
        let error = MessageView::parse_with_extended_token(datagram).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, position));
    }
}

#[test]
fn xc_28_with_short_tokens_the_two_readers_agree() {
    for vector in vectors().udp_valid {
        let message = Message::parse(&vector.hex.0).unwrap();
        assert_eq!(MessageView::parse_with_extended_token(&vector.hex.0), Ok((message.header(), message.view())));
        assert_eq!(message.view().token(), message.token().as_bytes());
    }
    for vector in vectors().udp_malformed.into_iter().filter(|vector| vector.check != "tkl") {
        let error = Message::parse(&vector.hex.0).unwrap_err();
        assert_eq!(MessageView::parse_with_extended_token(&vector.hex.0), Err(error), "{}", vector.id);
    }
}

#[test]
fn xc_28_long_tokens_in_streams_are_for_those_who_ask() {
    for length in [9, 12, 13, 268, 269, 1000] {
        let message = Owned {
            code: Code::GET,
            token: vec![0xcd; length],
            options: vec![(11, b"a".to_vec())],
            payload: b"x".to_vec(),
        };
        let bytes = message.to_frame();
        let error = tcp::parse(&bytes, Limits::default()).unwrap_err();
        assert_eq!(error.kind(), ParseErrorKind::TokenLength);
        for size in 1..=bytes.len() {
            let mut memory = [0; 1100];
            let mut decoder = Decoder::new(&mut memory).with_extended_tokens();
            assert_eq!(decode_all(&mut decoder, bytes.chunks(size)), core::slice::from_ref(&message));
        }
    }
}

#[test]
fn signals_are_read_and_written() {
    let signal = |bytes: &[u8]| {
        let front = tcp::parse(bytes, Limits::default()).unwrap();
        let Frame::Complete { message, .. } = front else { panic!("{front:?}") };
        format!("{:?}", Signal::parse(&message).unwrap())
    };
    let mut buffer = [0; 400];
    let csm = Csm { max_message_size: Some(70_000), block_wise_transfer: true, extended_token_length: Some(300) };
    let written = tcp::write_csm(&mut buffer, csm).unwrap();
    assert_eq!(written, b"\x80\xe1\x23\x01\x11\x70\x20\x22\x01\x2c");
    assert_eq!(signal(written), format!("Csm({csm:?})"));
    assert_eq!(tcp::write_csm(&mut buffer, Csm::default()).unwrap(), [0x00, 0xe1]);

    assert_eq!(tcp::write_ping(&mut buffer, &[0x42], false).unwrap(), [0x01, 0xe2, 0x42]);
    assert_eq!(tcp::write_pong(&mut buffer, &[0x42], true).unwrap(), [0x11, 0xe3, 0x42, 0x20]);
    assert_eq!(signal(&[0x01, 0xe2, 0x42]), "Ping { custody: false }");
    assert_eq!(signal(&[0x11, 0xe3, 0x42, 0x20]), "Pong { custody: true }");

    let written = tcp::write_release(&mut buffer, &["a.example", "b.example:5"], Some(10)).unwrap();
    assert_eq!(written, b"\xd0\x0b\xe4\x29a.example\x0bb.example:5\x21\x0a");
    let Frame::Complete { message, .. } = tcp::parse(written, Limits::default()).unwrap() else { panic!() };
    let Ok(Signal::Release(release)) = Signal::parse(&message) else { panic!() };
    assert!(release.alternative_addresses().eq(["a.example", "b.example:5"]));
    assert_eq!(release.hold_off, Some(10));
    assert!(tcp::write_release(&mut buffer, &[""], None).is_err());
    assert!(tcp::write_release(&mut buffer, &[&"x".repeat(256)], None).is_err());
    assert!(tcp::write_release(&mut buffer, &[], Some((1 << 24) - 1)).is_ok());
    assert!(tcp::write_release(&mut buffer, &[], Some(1 << 24)).is_err());

    assert_eq!(signal(b"\x60\xe5\x21\x03\xffbad"), "Abort(Abort { bad_csm_option: Some(3), diagnostic: \"bad\" })");
    assert_eq!(tcp::write_abort(&mut buffer, None, "").unwrap(), [0x00, 0xe5]);
    assert_eq!(signal(&[0x00, 0xe6]), "Other(7.06)");
}

// RFC 8323 §5.2: what a number stands for depends on the code.
#[test]
fn the_options_of_a_signal_are_shown_by_their_names() {
    for (frame, shown) in [
        (
            &b"\x60\xe1\x22\x04\x80\x20\x21\x08"[..],
            "7.01 CSM, Max-Message-Size (2): 0x0480, Block-Wise-Transfer (4): 0x, Extended-Token-Length (6): 0x08",
        ),
        (b"\x10\xe2\x20", "7.02 Ping, Custody (2): 0x"),
        (b"\x10\xe3\x20", "7.03 Pong, Custody (2): 0x"),
        (b"\x40\xe4\x21\x61\x21\x0a", "7.04 Release, Alternative-Address (2): 0x61, Hold-Off (4): 0x0a"),
        (b"\x20\xe5\x21\x03", "7.05 Abort, Bad-CSM-Option (2): 0x03"),
        (b"\x20\xe2\x41\x03", "7.02 Ping, Option (4): 0x03"),
    ] {
        let Frame::Complete { message, .. } = tcp::parse(frame, Limits::default()).unwrap() else { panic!() };
        assert_eq!(format!("{message:?}"), shown);
    }
}

#[test]
fn an_option_of_a_signal_that_is_wrong_counts_for_nothing_unless_it_is_critical() {
    let read = |bytes: &[u8]| {
        let front = tcp::parse(bytes, Limits::default()).unwrap();
        let Frame::Complete { message, .. } = front else { panic!("{front:?}") };
        match Signal::parse(&message) {
            Ok(Signal::Csm(csm)) => Ok(csm),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(error.bad_csm_option(), error.option());
                Err(error.option())
            }
        }
    };
    assert_eq!(read(&[0x60, 0xe1, 0x25, 0, 0, 0, 0, 1]), Ok(Csm::default()), "five bytes");
    assert_eq!(read(&[0x20, 0xe1, 0x41, 1]), Ok(Csm::default()), "not empty");
    assert_eq!(read(&[0x20, 0xe1, 0x61, 7]), Ok(Csm::default()), "a token length below 8");
    assert_eq!(read(&[0x40, 0xe1, 0x63, 0xff, 0xff, 0xff]).unwrap().extended_token_length, Some(65804));
    assert_eq!(read(&[0x40, 0xe1, 0x21, 5, 0x01, 6]).unwrap().max_message_size, Some(6), "the last counts");
    assert_eq!(read(&[0x10, 0xe1, 0x80]), Ok(Csm::default()), "unknown and elective");
    assert_eq!(read(&[0x10, 0xe1, 0x30]), Err(Some(3)));
    assert_eq!(read(&[0x00, 0x01]), Err(None));
    // Of a Ping it is no option of a CSM.
    let Frame::Complete { message, .. } = tcp::parse(&[0x10, 0xe2, 0x30], Limits::default()).unwrap() else { panic!() };
    let error = Signal::parse(&message).unwrap_err();
    assert_eq!((error.option(), error.bad_csm_option()), (Some(3), None));
}

#[test]
fn signals_are_compared_by_what_they_say() {
    let (mut one, mut other) = ([0; 64], [0; 64]);
    let mut are_same = |addresses: &[&str], hold_off, unknown: &[u8]| {
        let one = tcp::write_release(&mut one, &["a:1", "b"], Some(3)).unwrap();
        let mut writer = MessageWriter::for_tcp(&mut other, Code::RELEASE, &[]).unwrap();
        for address in addresses {
            writer.option(OptionNumber(2), address.as_bytes()).unwrap();
        }
        writer.uint(OptionNumber(4), hold_off).unwrap();
        writer.option(OptionNumber(6), unknown).unwrap();
        let other = writer.finish_tcp().unwrap();
        let [one, other] = [one, other].map(|frame| match tcp::parse(frame, Limits::default()).unwrap() {
            Frame::Complete { message, .. } => Signal::parse(&message).unwrap(),
            incomplete => panic!("{incomplete:?}"),
        });
        one == other
    };
    assert!(are_same(&["a:1", "b"], 3, b"x"));
    assert!(are_same(&["a:1", "", "b"], 3, b""), "what is no address is passed over");
    assert!(!are_same(&["b", "a:1"], 3, b""));
    assert!(!are_same(&["a:1"], 3, b""));
    assert!(!are_same(&["a:1", "b"], 4, b""));
}

#[test]
fn what_the_peer_can_take_adds_up() {
    let mut peer = Capabilities::default();
    peer.update(Csm { max_message_size: Some(1153), ..Csm::default() });
    assert!(!peer.allows_bert());
    peer.update(Csm { block_wise_transfer: true, extended_token_length: Some(20), ..Csm::default() });
    assert!(peer.allows_bert());
    peer.update(Csm { max_message_size: Some(1152), ..Csm::default() });
    assert_eq!((peer.max_message_size, peer.block_wise_transfer, peer.max_token_length), (1152, true, 20));
    assert!(!peer.allows_bert());
}

#[test]
fn over_tcp_a_block_may_be_a_bert_one() {
    let front = tcp::parse(b"\x30\x45\xd1\x0a\x3f", Limits::default()).unwrap();
    let Frame::Complete { message, .. } = front else { panic!("{front:?}") };
    let block = message.block2().unwrap().unwrap();
    assert!(block.is_bert());
    assert_eq!(format!("{message:?}"), "2.05 Content, Block2: 3/1/BERT");
    assert_eq!(message.check(|_| true), Ok(()));
}

#[test]
fn what_was_written_for_a_datagram_can_go_over_tcp() {
    for vector in vectors().udp_valid {
        let message = Message::parse(&vector.hex.0).unwrap();
        let mut buffer = vec![0; vector.hex.0.len()];
        let mut writer = MessageWriter::new(&mut buffer, message.header(), message.token()).unwrap();
        for option in message.options() {
            writer.option(option.number, option.value).unwrap();
        }
        writer.payload(message.payload()).unwrap();
        let frame = writer.finish_tcp().unwrap();
        let Frame::Complete { message: read, .. } = tcp::parse(frame, Limits::default()).unwrap() else { panic!() };
        assert_eq!(Owned::of(&read), Owned::of(&message.view()), "{}", vector.id);
    }
}

prop_compose! {
    fn any_message()(
        code in 1_u8..,
        token in prop_oneof![8 => proptest::collection::vec(any::<u8>(), 0..=8), 1 => Just(vec![5; 13])],
        options in proptest::collection::vec((0_u16..400, proptest::collection::vec(any::<u8>(), 0..20)), 0..4),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
    ) -> Owned {
        let mut options = options;
        options.sort_by_key(|(number, _)| *number);
        Owned { code: Code::from_byte(code), token, options, payload }
    }
}

proptest! {
    #[test]
    fn any_messages_come_out_of_any_pieces(
        messages in proptest::collection::vec(any_message(), 0..6),
        cuts in proptest::collection::vec(0_usize..60, 1..20),
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(Owned::to_frame).collect();
        let mut memory = [0; 1000];
        let mut decoder = Decoder::new(&mut memory).with_extended_tokens();
        let mut rest = &stream[..];
        let mut cuts = cuts.iter().cycle();
        let pieces = core::iter::from_fn(|| {
            let (piece, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            (!rest.is_empty()).then(|| { rest = after; piece })
        });
        // Pieces of nothing at all must end, too.
        prop_assert_eq!(decode_all(&mut decoder, pieces.take(100_000)).len() <= messages.len(), true);
        let mut decoder = Decoder::new(&mut memory).with_extended_tokens();
        prop_assert_eq!(decode_all(&mut decoder, stream.chunks(7)), messages);
    }

    /// Whatever comes, it comes to the same in pieces of any size.
    #[test]
    fn any_bytes_are_the_same_in_pieces(bytes in proptest::collection::vec(any::<u8>(), 0..80), size in 1_usize..20) {
        let run = |size: usize| {
            let mut memory = [0; 40];
            let mut decoder = Decoder::new(&mut memory);
            let mut messages = Vec::new();
            for piece in bytes.chunks(size) {
                let mut rest = piece;
                loop {
                    match decoder.decode(&mut rest) {
                        Ok(Some(message)) => {
                            let _ = format!("{message:?} {:?}", Signal::parse(&message));
                            messages.push(Owned::of(&message));
                        }
                        Ok(None) => break,
                        Err(error) => return (messages, Some(error)),
                    }
                }
            }
            (messages, None)
        };
        prop_assert_eq!(run(size), run(bytes.len().max(1)));
    }
}

#[test]
fn a_short_token_is_one_like_any_other() {
    let mut buffer = [0; 40];
    let header = Header { message_type: MessageType::Confirmable, code: Code::GET, message_id: MessageId(1) };
    let short = MessageWriter::with_extended_token(&mut buffer, header, &[1, 2]).unwrap().as_bytes().to_vec();
    let token = Token::new(&[1, 2]).unwrap();
    assert_eq!(MessageWriter::new(&mut buffer, header, token).unwrap().as_bytes(), short);
}
