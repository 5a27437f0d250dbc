//! coap-lite 0.13: a map of lists of vectors.

use core::hint::black_box;

use coap_codec::MessageType;
use coap_lite::{CoapOption, MessageType as Type, Packet};

use super::super::{Contender, Sink};
use crate::messages::{CONTENT_FORMAT, Parts, URI_PATH, URI_QUERY};

pub(in super::super) const CONTENDER: Contender =
    Contender { name: "coap-lite 0.13", is_codec: true, parse, look_up, build };

fn parse(datagram: &[u8]) -> bool {
    black_box(&Packet::from_bytes(datagram)).is_ok()
}

fn look_up(datagram: &[u8]) -> u64 {
    let Ok(message) = Packet::from_bytes(datagram) else { return 0 };
    let mut sink = Sink::default();
    for number in [URI_PATH, CONTENT_FORMAT, URI_QUERY] {
        for value in message.get_option(CoapOption::from(number)).into_iter().flatten() {
            sink.take(value);
        }
    }
    sink.take(&message.payload);
    sink.0
}

fn build(parts: &Parts, buffer: &mut [u8]) -> usize {
    let mut message = Packet::new();
    message.header.set_version(1);
    message.header.set_type(match parts.message_type {
        MessageType::Confirmable => Type::Confirmable,
        MessageType::NonConfirmable => Type::NonConfirmable,
        MessageType::Acknowledgement => Type::Acknowledgement,
        MessageType::Reset => Type::Reset,
    });
    message.header.code = parts.code.into();
    message.header.message_id = parts.message_id;
    message.set_token(parts.token.to_vec());
    for &(number, value) in parts.options {
        message.add_option(number.into(), value.to_vec());
    }
    message.payload = parts.payload.to_vec();
    let Ok(bytes) = message.to_bytes() else { return 0 };
    deliver(&bytes, buffer)
}

/// Only for the comparison of results: a datagram in a vector of its own can be sent from there.
fn deliver(bytes: &[u8], buffer: &mut [u8]) -> usize {
    #[cfg(test)]
    buffer[..bytes.len()].copy_from_slice(bytes);
    black_box((bytes, buffer)).0.len()
}
