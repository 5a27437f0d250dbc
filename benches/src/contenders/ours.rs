//! This workspace's codec, as a user of it would write these operations.

use core::hint::black_box;

use coap_codec::{Code, Header, Message, MessageId, MessageWriter, OptionNumber, Token, WriteError};

use super::{Contender, Sink};
use crate::messages::Parts;

pub(super) const CONTENDER: Contender = Contender { name: "coap-codec", is_codec: true, parse, look_up, build };

fn parse(datagram: &[u8]) -> bool {
    black_box(&Message::parse(datagram)).is_ok()
}

fn look_up(datagram: &[u8]) -> u64 {
    let Ok(message) = Message::parse(datagram) else { return 0 };
    let mut sink = Sink::default();
    for option in message.options() {
        sink.option(option.number.0, option.value);
    }
    sink.take(message.payload());
    sink.0
}

fn build(parts: &Parts, buffer: &mut [u8]) -> usize {
    write(parts, buffer).unwrap_or(0)
}

fn write(parts: &Parts, buffer: &mut [u8]) -> Result<usize, WriteError> {
    let header = Header {
        message_type: parts.message_type,
        code: Code::from_byte(parts.code),
        message_id: MessageId(parts.message_id),
    };
    let token = Token::new(parts.token).unwrap_or_default();
    let mut message = MessageWriter::new(buffer, header, token)?;
    for &(number, value) in parts.options {
        message.option(OptionNumber(number), value)?;
    }
    message.payload(parts.payload)?;
    Ok(message.len())
}
