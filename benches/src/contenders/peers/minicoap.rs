//! minicoap 0.2: checks first, then its iterator checks again.

use core::hint::black_box;

use coap_codec::MessageType;
use minicoap::{Message, MessageBuilder, MessageType as Type};

use super::super::{Contender, Sink};
use crate::messages::Parts;

pub(in super::super) const CONTENDER: Contender =
    Contender { name: "minicoap 0.2", is_codec: true, parse, look_up, build };

fn parse(datagram: &[u8]) -> bool {
    black_box(&Message::parse(datagram)).is_ok()
}

fn look_up(datagram: &[u8]) -> u64 {
    let Ok(message) = Message::parse(datagram) else { return 0 };
    let mut sink = Sink::default();
    for option in message.options {
        sink.option(option.number.into(), option.value);
    }
    sink.take(message.payload.unwrap_or_default());
    sink.0
}

fn build(parts: &Parts, buffer: &mut [u8]) -> usize {
    write(parts, buffer).unwrap_or(0)
}

fn write(parts: &Parts, buffer: &mut [u8]) -> Option<usize> {
    let message_type = match parts.message_type {
        MessageType::Confirmable => Type::Confirmable,
        MessageType::NonConfirmable => Type::NonConfirmable,
        MessageType::Acknowledgement => Type::Acknowledgement,
        MessageType::Reset => Type::Reset,
    };
    let mut message = MessageBuilder::new(buffer)
        .ok()?
        .header(message_type, parts.code)
        .message_id(parts.message_id)
        .token(parts.token)
        .ok()?;
    for &(number, value) in parts.options {
        message = message.option(number, value).ok()?;
    }
    let message = if parts.payload.is_empty() { message.no_payload() } else { message.payload(parts.payload).ok()? };
    Some(message.build().len())
}
