//! What is written parses to itself, what parses is written to itself, and nothing panics.

mod common;

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token, WriteError};
use common::{Parts, vectors};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Reads in every way there is, so that a panic anywhere shows, and writes it again. Whether it was
/// a message.
fn exercise(datagram: &[u8]) -> bool {
    let Ok(message) = Message::parse(datagram) else {
        return false;
    };
    for option in message.options() {
        let _ = (option.as_uint(), option.as_str(), format!("{option:?}"));
    }
    let _ = (message.block1(), message.block2(), message.etag());
    let _ = (message.observe(), message.accept(), message.kind());
    let _ = message.unsupported_option(|number| number.0 % 3 == 0);
    let _ = format!("{message:?}");
    assert_eq!(Parts::of(&message).to_vec(), datagram);
    true
}

#[test]
fn xc_05_every_truncation_of_every_vector_is_refused_or_a_shorter_message() {
    let (mut messages, mut refused) = (0, 0);
    for vector in vectors().udp_valid {
        for length in 0..vector.hex.0.len() {
            *(if exercise(&vector.hex.0[..length]) { &mut messages } else { &mut refused }) += 1;
        }
    }
    assert!(messages > 100 && refused > 1_000, "{messages} are messages, {refused} were refused");
}

#[test]
fn xc_06_every_bit_flip_of_every_vector_is_refused_or_written_to_the_same_bytes() {
    let (mut messages, mut refused) = (0, 0);
    for vector in vectors().udp_valid {
        let mut datagram = vector.hex.0;
        for at in 0..datagram.len() {
            for bit in 0..8 {
                datagram[at] ^= 1 << bit;
                *(if exercise(&datagram) { &mut messages } else { &mut refused }) += 1;
                datagram[at] ^= 1 << bit;
            }
        }
    }
    assert!(messages > 1_000 && refused > 100, "{messages} are messages, {refused} were refused");
}

#[test]
fn xc_07_every_buffer_that_is_too_small() {
    for vector in vectors().udp_valid {
        let parts = vector.parts();
        for size in 0..vector.hex.0.len() {
            fill_small_buffer(&parts, size);
        }
        let mut exact = vec![0; vector.hex.0.len()];
        assert_eq!(parts.write(&mut exact).unwrap(), vector.hex.0);
    }
}

/// Writes what fits and passes over what does not: every step leaves a message that parses.
fn fill_small_buffer(parts: &Parts, size: usize) {
    let mut buffer = vec![0xff; size];
    let mut written = Parts { options: Vec::new(), payload: Vec::new(), ..parts.clone() };
    let Ok(mut writer) = MessageWriter::new(&mut buffer, parts.header, parts.token) else {
        assert!(size < 4 + parts.token.len());
        return;
    };
    let mut failed = 0;
    for (number, value) in &parts.options {
        let before = writer.as_bytes().to_vec();
        match writer.option(OptionNumber(*number), value) {
            Ok(()) => written.options.push((*number, value.clone())),
            Err(error) => {
                failed += 1;
                assert!(matches!(error, WriteError::NoSpace { needed } if needed > size));
                assert_eq!(writer.as_bytes(), before);
            }
        }
        assert_eq!(Parts::of(&Message::parse(writer.as_bytes()).unwrap()), written);
    }
    match writer.payload(&parts.payload) {
        Ok(()) => written.payload.clone_from(&parts.payload),
        Err(error) => {
            failed += 1;
            let needed = writer.len() + 1 + parts.payload.len();
            assert_eq!(error, WriteError::NoSpace { needed });
        }
    }
    assert!(failed > 0, "{size} bytes are too few");
    assert_eq!(writer.len() + writer.remaining(), size);
    assert_eq!(Parts::of(&Message::parse(writer.finish()).unwrap()), written);
}

/// The needed length of an error is exact: a buffer of that size takes the part.
#[test]
fn no_space_names_the_length_that_would_do() {
    let header = post();
    let steps: [(u16, usize); 6] = [(60, 4), (11, 300), (300, 0), (12, 13), (1, 1), (27, 12)];
    let mut size = 4;
    for count in 1..=steps.len() {
        loop {
            let mut buffer = vec![0; size];
            let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
            let outcome = steps[..count]
                .iter()
                .try_for_each(|&(number, length)| writer.option(OptionNumber(number), &vec![7; length]));
            let Err(WriteError::NoSpace { needed }) = outcome else {
                outcome.unwrap();
                assert_eq!(writer.remaining(), 0, "not a byte more than needed");
                break;
            };
            assert!(needed > size);
            size = needed;
        }
    }
}

fn post() -> Header {
    Header { message_type: MessageType::Confirmable, code: Code::POST, message_id: MessageId(7) }
}

prop_compose! {
    fn any_header()(
        message_type in select(&[
            MessageType::Confirmable,
            MessageType::NonConfirmable,
            MessageType::Acknowledgement,
            MessageType::Reset,
        ][..]),
        code in 1_u8..,
        message_id: u16,
    ) -> Header {
        Header { message_type, code: Code::from_byte(code), message_id: MessageId(message_id) }
    }
}

/// Numbers that lie close together and ones that are far apart, with the borders of the encoding.
fn any_number() -> impl Strategy<Value = u16> {
    prop_oneof![
        4 => 0_u16..70,
        1 => 250_u16..600,
        1 => any::<u16>(),
        1 => select(&[0, 12, 13, 25, 26, 268, 269, 281, 282, 65266, 65267, 65535][..]),
    ]
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(any::<u8>(), 0..16),
        1 => vec(any::<u8>(), 250..300),
    ]
}

prop_compose! {
    /// A message with its options in any order.
    fn any_parts()(
        header in any_header(),
        token in vec(any::<u8>(), 0..=8),
        options in vec((any_number(), any_value()), 0..8),
        payload in vec(any::<u8>(), 0..40),
    ) -> Parts {
        Parts { header, token: Token::new(&token).unwrap(), options, payload }
    }
}

/// Bytes that often look like a message.
fn almost_a_message() -> impl Strategy<Value = Vec<u8>> {
    let extended = select(&[0xd0, 0xdd, 0xe0, 0x0e, 0xed, 0xf0, 0x0f, 0xff, 0xb1, 0x11, 0x00][..]);
    let byte = prop_oneof![any::<u8>(), extended];
    (0x40_u8..0x80, vec(byte, 3..60)).prop_map(|(first, mut rest)| {
        rest.insert(0, first & 0xf3);
        rest
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_or_refused(datagram in vec(any::<u8>(), 0..80)) {
        exercise(&datagram);
    }

    #[test]
    fn what_parses_is_written_to_the_same_bytes(datagram in almost_a_message()) {
        exercise(&datagram);
    }

    /// Ascending by number, and those of one number in the order of writing.
    #[test]
    fn xc_08_what_is_written_in_any_order_parses_in_that_of_the_numbers(parts in any_parts()) {
        let datagram = parts.to_vec();
        let mut sorted = parts;
        sorted.options.sort_by_key(|(number, _)| *number);
        let message = Message::parse(&datagram).unwrap();
        prop_assert_eq!(Parts::of(&message), sorted);
    }

    #[test]
    fn xc_08_the_order_of_writing_does_not_show(parts in any_parts(), seed: u64) {
        let mut sorted = parts.clone();
        sorted.options.sort_by_key(|(number, _)| *number);
        // Those of one number keep their order among each other, so they move as one.
        let mut groups: Vec<_> = sorted.options.chunk_by(|a, b| a.0 == b.0).collect();
        groups.sort_by_key(|group| (u64::from(group[0].0) + 1).wrapping_mul(seed | 1));
        let shuffled = Parts { options: groups.concat(), ..parts };
        prop_assert_eq!(shuffled.to_vec(), sorted.to_vec());
    }

    #[test]
    fn a_small_buffer_loses_parts_and_no_more(parts in any_parts(), share in 0.0..1.0) {
        let mut sorted = parts;
        sorted.options.sort_by_key(|(number, _)| *number);
        let needed = sorted.to_vec().len();
        fill_small_buffer(&sorted, (needed as f64 * share) as usize);
    }

    #[test]
    fn an_insertion_that_fails_changes_nothing(parts in any_parts(), room in 0_usize..300) {
        let mut buffer = vec![0; 12 + room];
        let mut writer = MessageWriter::new(&mut buffer, parts.header, parts.token).unwrap();
        let mut written = Parts { options: Vec::new(), payload: Vec::new(), ..parts };
        for (number, value) in parts.options {
            if writer.option(OptionNumber(number), &value).is_ok() {
                written.options.push((number, value));
                written.options.sort_by_key(|(number, _)| *number);
            }
            prop_assert_eq!(&Parts::of(&Message::parse(writer.as_bytes()).unwrap()), &written);
        }
    }
}
