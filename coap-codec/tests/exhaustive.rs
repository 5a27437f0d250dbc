//! Small inputs without exception: what no sample leaves out.
//!
//! A fixed share of the largest sweep runs with every test, all of it with `EXHAUSTIVE=1` in an optimised build:
//!
//! ```text
//! EXHAUSTIVE=1 cargo test --release -p coap-codec --test exhaustive -- --nocapture
//! ```

mod common;

use coap_codec::link_format::Links;
use coap_codec::tcp::Decoder;
use coap_codec::{Message, MessageView, MessageWriter, Uri};
use common::vectors;

/// Whether it is a message. Then it is written to the same bytes, and to those again.
fn is_message(datagram: &[u8]) -> bool {
    let Ok(message) = Message::parse(datagram) else { return false };
    let mut buffer = [0; 1_500];
    let written = write(&message, &mut buffer);
    assert_eq!(written, datagram);
    let again = Message::parse(written).expect("what was written is a message");
    let mut buffer = [0; 1_500];
    assert_eq!(write(&again, &mut buffer), datagram);
    true
}

fn write<'b>(message: &Message<'_>, buffer: &'b mut [u8]) -> &'b [u8] {
    let mut writer = MessageWriter::new(buffer, message.header(), message.token()).unwrap();
    for option in message.options() {
        writer.option(option.number, option.value).unwrap();
    }
    writer.payload(message.payload()).unwrap();
    writer.finish()
}

/// Every datagram, frame, link and URI of these bytes is read in every way; whether it is a message.
fn read_all(bytes: &[u8]) -> bool {
    let mut memory = [0; 1_500];
    let mut decoder = Decoder::new(&mut memory).with_extended_tokens();
    let mut rest = bytes;
    while let Ok(Some(message)) = decoder.decode(&mut rest) {
        assert!(message.payload().len() + message.options().count() <= bytes.len());
    }
    let _ = MessageView::parse_with_extended_token(bytes);
    if let Ok(text) = core::str::from_utf8(bytes) {
        for link in Links::new(text).map_while(Result::ok) {
            assert!(link.attributes().count() <= text.len());
        }
        if let Ok(uri) = Uri::parse(text) {
            assert!(uri.host().len() <= text.len());
        }
    }
    is_message(bytes)
}

/// Each vector of the file, whatever it is there for.
fn golden() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let valid = vectors.udp_valid.into_iter().map(|vector| vector.hex.0);
    let malformed = vectors.udp_malformed.into_iter().map(|vector| vector.hex.0);
    let semantic = vectors.udp_semantic.into_iter().map(|vector| vector.hex.0);
    let frames = vectors.tcp.iter().map(|vector| vector.bytes()).filter(|bytes| bytes.len() <= 1_500);
    valid.chain(malformed).chain(semantic).chain(frames).collect()
}

#[test]
fn every_truncation_of_every_vector() {
    let (mut inputs, mut messages) = (0, 0);
    for bytes in golden() {
        for length in 0..bytes.len() {
            messages += usize::from(read_all(&bytes[..length]));
            inputs += 1;
        }
    }
    println!("{inputs} truncations, {messages} of them messages");
    assert!(inputs > 2_000 && (100..inputs - 1_000).contains(&messages));
}

#[test]
fn every_flip_of_a_bit_of_every_vector() {
    let (mut inputs, mut messages) = (0, 0);
    for mut bytes in golden() {
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            messages += usize::from(read_all(&bytes));
            bytes[bit / 8] ^= 1 << (bit % 8);
            inputs += 1;
        }
    }
    println!("{inputs} flips, {messages} of them messages");
    assert!(inputs > 16_000 && (1_000..inputs - 1_000).contains(&messages));
}

/// How many of so many are left out between two of a sweep.
fn stride() -> u32 {
    if std::env::var_os("EXHAUSTIVE").is_some() { 1 } else { 251 }
}

#[test]
fn every_datagram_of_up_to_three_bytes() {
    assert!(!read_all(&[]));
    for first in 0..=u8::MAX {
        assert!(!read_all(&[first]));
        for second in 0..=u8::MAX {
            assert!(!read_all(&[first, second]));
        }
    }
    for bytes in (0..1 << 24).step_by(stride() as usize).map(u32::to_be_bytes) {
        assert!(!read_all(&bytes[1..]));
    }
}

/// How many endings of so many bytes a message may have whose last option has this number, counted by the
/// grammar of RFC 7252, section 3.1, alone.
fn endings(bytes: u32, number: u32) -> u32 {
    if bytes == 0 {
        return 1;
    }
    // A marker, and any payload but an empty one.
    let payloads = if bytes > 1 { 1 << (8 * (bytes - 1)) } else { 0 };
    let mut count = payloads;
    let extended = |nibble: u32| match nibble {
        0..=12 => (0, nibble..nibble + 1),
        13 => (1, 13..13 + 256),
        _ => (2, 269..269 + 65_536),
    };
    for (delta_bytes, deltas) in (0..15).map(extended) {
        for (length_bytes, lengths) in (0..15).map(extended) {
            let Some(rest) = bytes.checked_sub(1 + delta_bytes + length_bytes) else { continue };
            // Longer values than there are bytes left cannot be.
            for length in lengths.take_while(|length| *length <= rest) {
                for delta in deltas.clone().take_while(|delta| number + delta <= 65_535) {
                    count += (1 << (8 * length)) * endings(rest - length, number + delta);
                }
            }
        }
    }
    count
}

#[test]
fn every_tail_of_three_bytes_behind_a_header() {
    let mut datagram = [0x41, 1, 0, 1, 9, 0, 0, 0];
    let (mut inputs, mut messages) = (0, 0);
    for tail in (0..1 << 24).step_by(stride() as usize) {
        datagram[4..].copy_from_slice(&u32::to_be_bytes(tail));
        datagram[4] = 9;
        messages += u32::from(is_message(&datagram));
        inputs += 1;
    }
    println!("{inputs} tails, {messages} of them messages");
    let (tails, expected) = (1 << 24, endings(3, 0));
    if inputs == tails {
        assert_eq!(messages, expected);
    }
    let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole);
    assert!((share(messages, inputs) - share(expected, tails)).abs() < 0.01, "{messages} of {inputs}, {expected}");
}
