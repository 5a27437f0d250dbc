//! coap-message-implementations 0.2: reads and writes what follows the token. Header and token are
//! written here, in the fewest lines.

use core::hint::black_box;

use coap_message::{MessageOption, MinimalWritableMessage, ReadableMessage};
use coap_message_implementations::inmemory::{Message, MessageMut, SliceBuffer};

use super::super::{Contender, Sink};
use crate::messages::Parts;

pub(in super::super) const CONTENDER: Contender =
    Contender { name: "coap-message-implementations 0.2", is_codec: true, parse, look_up, build };

/// What a format error shows as.
const INVALID: u16 = 65535;

#[allow(dead_code, reason = "what a message value holds; the parts are looked at by `black_box`")]
struct Whole<'a> {
    message_type: u8,
    message_id: u16,
    token: &'a [u8],
    body: Message<SliceBuffer<'a>>,
}

#[inline]
fn head(datagram: &[u8]) -> Option<Whole<'_>> {
    let (&[first, code, high, low], rest) = datagram.split_first_chunk()?;
    let token_length = usize::from(first & 0x0f);
    if first >> 6 != 1 || token_length > 8 {
        return None;
    }
    let (token, body) = rest.split_at_checked(token_length)?;
    let message_id = u16::from_be_bytes([high, low]);
    Some(Whole { message_type: (first >> 4) & 3, message_id, token, body: Message::new_from_slice(code, body) })
}

fn parse(datagram: &[u8]) -> bool {
    let Some(message) = head(datagram) else { return false };
    // Looking for the payload walks over the options, and remembers.
    message.body.payload();
    black_box(&message);
    true
}

fn look_up(datagram: &[u8]) -> u64 {
    let Some(message) = head(datagram) else { return 0 };
    let mut sink = Sink::default();
    for option in message.body.options() {
        if option.number() == INVALID {
            return 0;
        }
        sink.option(option.number(), option.value());
    }
    sink.take(message.body.payload());
    sink.0
}

fn build(parts: &Parts, buffer: &mut [u8]) -> usize {
    write(parts, buffer).unwrap_or(0)
}

fn write(parts: &Parts, buffer: &mut [u8]) -> Option<usize> {
    let ([first, code, id @ ..], rest) = buffer.split_first_chunk_mut::<4>()?;
    *first = 0x40 | ((parts.message_type as u8) << 4) | parts.token.len() as u8;
    *id = parts.message_id.to_be_bytes();
    let (token, rest) = rest.split_at_mut_checked(parts.token.len())?;
    token.copy_from_slice(parts.token);
    let mut message = MessageMut::new_in_slice(code, rest);
    message.set_code(parts.code);
    for &(number, value) in parts.options {
        message.add_option(number, value).ok()?;
    }
    if !parts.payload.is_empty() {
        message.set_payload(parts.payload).ok()?;
    }
    Some(4 + parts.token.len() + message.finish().0)
}
