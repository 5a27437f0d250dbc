//! toad-msg 1.0.0-beta.6, over Vec and BTreeMap.

use core::hint::black_box;

use coap_codec::MessageType;
use toad_msg::alloc::Message;
use toad_msg::{Id, OptNumber, OptValue, Payload, Token, TryFromBytes, TryIntoBytes, Type};

use super::super::{Contender, Sink};
use crate::messages::{CONTENT_FORMAT, Parts, URI_PATH, URI_QUERY};

pub(in super::super) const CONTENDER: Contender =
    Contender { name: "toad-msg 1.0.0-beta.6", is_codec: true, parse, look_up, build };

fn parse(datagram: &[u8]) -> bool {
    black_box(&Message::try_from_bytes(datagram)).is_ok()
}

fn look_up(datagram: &[u8]) -> u64 {
    let Ok(message) = Message::try_from_bytes(datagram) else { return 0 };
    let mut sink = Sink::default();
    for number in [URI_PATH, CONTENT_FORMAT, URI_QUERY] {
        for value in message.opts.get(&OptNumber(number.into())).into_iter().flatten() {
            sink.take(&value.0);
        }
    }
    sink.take(message.payload.as_bytes());
    sink.0
}

fn build(parts: &Parts, buffer: &mut [u8]) -> usize {
    let message_type = match parts.message_type {
        MessageType::Confirmable => Type::Con,
        MessageType::NonConfirmable => Type::Non,
        MessageType::Acknowledgement => Type::Ack,
        MessageType::Reset => Type::Reset,
    };
    let token = Token(parts.token.iter().copied().collect());
    let mut message = Message::new(message_type, parts.code.into(), Id(parts.message_id), token);
    for &(number, value) in parts.options {
        message.opts.entry(OptNumber(number.into())).or_default().push(OptValue(value.to_vec()));
    }
    message.payload = Payload(parts.payload.to_vec());
    let Ok(bytes) = message.try_into_bytes::<Vec<u8>>() else { return 0 };
    deliver(&bytes, buffer)
}

/// Only for the comparison of results: a datagram in a vector of its own can be sent from there.
fn deliver(bytes: &[u8], buffer: &mut [u8]) -> usize {
    #[cfg(test)]
    buffer[..bytes.len()].copy_from_slice(bytes);
    black_box((bytes, buffer)).0.len()
}
