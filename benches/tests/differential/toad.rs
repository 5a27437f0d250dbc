//! toad-msg, read to the same plain parts.

use toad_msg::TryFromBytes;

use super::readers::{Peer, Reading, TOAD_MSG};

pub(crate) const PEER: Peer = Peer { name: TOAD_MSG, read: toad_msg };

fn toad_msg(datagram: &[u8]) -> Option<Reading> {
    let message = toad_msg::alloc::Message::try_from_bytes(datagram).ok()?;
    let options = message
        .opts
        .iter()
        .flat_map(|(number, values)| values.iter().map(move |value| (number.0 as usize, value.0.clone())));
    Some(Reading {
        message_type: match message.ty {
            toad_msg::Type::Con => 0,
            toad_msg::Type::Non => 1,
            toad_msg::Type::Ack => 2,
            toad_msg::Type::Reset => 3,
        },
        code: message.code.into(),
        message_id: message.id.0,
        token: message.token.0.to_vec(),
        options: options.collect(),
        payload: message.payload.0,
    })
}
