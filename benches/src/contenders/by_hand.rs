//! What one would write by hand for these messages: the checks that a message needs and nothing else,
//! no error that says what is wrong, no types, and a lookup in the same walk as the check.

use core::hint::black_box;

use super::{Contender, Sink};
use crate::messages::Parts;

pub(super) const CONTENDER: Contender = Contender { name: "(by hand)", is_codec: true, parse, look_up, build };

#[allow(dead_code, reason = "what a message value holds; the parts are looked at by `black_box`")]
struct Message<'a> {
    message_type: u8,
    code: u8,
    message_id: u16,
    token: &'a [u8],
    options: &'a [u8],
    payload: &'a [u8],
}

fn parse(datagram: &[u8]) -> bool {
    black_box(&walk(datagram, |_, _| {})).is_some()
}

fn look_up(datagram: &[u8]) -> u64 {
    let mut sink = Sink::default();
    let Some(message) = walk(datagram, |number, value| sink.option(number, value)) else { return 0 };
    sink.take(message.payload);
    sink.0
}

#[inline(always)]
fn walk<'a>(datagram: &'a [u8], mut each: impl FnMut(u16, &'a [u8])) -> Option<Message<'a>> {
    let (&[first, code, high, low], rest) = datagram.split_first_chunk()?;
    let token_length = usize::from(first & 0x0f);
    if first >> 6 != 1 || token_length > 8 || (code == 0 && datagram.len() != 4) {
        return None;
    }
    let (token, body) = rest.split_at_checked(token_length)?;
    let mut rest = body;
    let mut number = 0_usize;
    let mut payload = &[][..];
    let mut options_len = body.len();
    while let Some((&head, behind)) = rest.split_first() {
        if head == 0xff {
            options_len = body.len() - rest.len();
            payload = behind;
            if payload.is_empty() {
                return None;
            }
            break;
        }
        let (delta, behind) = extended(usize::from(head >> 4), behind)?;
        let (length, behind) = extended(usize::from(head & 0x0f), behind)?;
        let (value, behind) = behind.split_at_checked(length)?;
        number += delta;
        each(number as u16, value);
        rest = behind;
    }
    // It only grows: one look at the end is enough.
    if number > 0xffff {
        return None;
    }
    let message_id = u16::from_be_bytes([high, low]);
    let options = body.get(..options_len)?;
    Some(Message { message_type: (first >> 4) & 3, code, message_id, token, options, payload })
}

#[inline(always)]
fn extended(nibble: usize, rest: &[u8]) -> Option<(usize, &[u8])> {
    match nibble {
        0..13 => Some((nibble, rest)),
        13 => rest.split_first().map(|(&byte, rest)| (usize::from(byte) + 13, rest)),
        14 => rest.split_first_chunk().map(|(&word, rest)| (usize::from(u16::from_be_bytes(word)) + 269, rest)),
        _ => None,
    }
}

fn build(parts: &Parts, buffer: &mut [u8]) -> usize {
    write(parts, buffer).unwrap_or(0)
}

fn write(parts: &Parts, buffer: &mut [u8]) -> Option<usize> {
    let capacity = buffer.len();
    let [high, low] = parts.message_id.to_be_bytes();
    let first = 0x40 | ((parts.message_type as u8) << 4) | parts.token.len() as u8;
    let (header, room) = buffer.split_first_chunk_mut()?;
    *header = [first, parts.code, high, low];
    let mut room = put(room, parts.token)?;
    let mut last = 0;
    for &(number, value) in parts.options {
        let (delta, length) = (usize::from(number.checked_sub(last)?), value.len());
        let (head, behind) = room.split_first_mut()?;
        *head = (nibble(delta)? << 4) | nibble(length)?;
        let behind = put_extension(behind, delta)?;
        let behind = put_extension(behind, length)?;
        room = put(behind, value)?;
        last = number;
    }
    if !parts.payload.is_empty() {
        let (marker, behind) = room.split_first_mut()?;
        *marker = 0xff;
        room = put(behind, parts.payload)?;
    }
    Some(capacity - room.len())
}

#[inline(always)]
fn nibble(value: usize) -> Option<u8> {
    match value {
        0..13 => Some(value as u8),
        13..269 => Some(13),
        269..65805 => Some(14),
        _ => None,
    }
}

#[inline(always)]
fn put_extension(room: &mut [u8], value: usize) -> Option<&mut [u8]> {
    match value {
        0..13 => Some(room),
        13..269 => {
            let (first, room) = room.split_first_mut()?;
            *first = (value - 13) as u8;
            Some(room)
        }
        _ => {
            let (first, room) = room.split_first_chunk_mut()?;
            *first = ((value - 269) as u16).to_be_bytes();
            Some(room)
        }
    }
}

#[inline(always)]
fn put<'r>(room: &'r mut [u8], value: &[u8]) -> Option<&'r mut [u8]> {
    let (room, rest) = room.split_at_mut_checked(value.len())?;
    room.copy_from_slice(value);
    Some(rest)
}
