//! The codecs that are quick to build, each read to the same plain parts. The fuzzer has them, too.

use coap_codec::Message;
use coap_lite::Packet;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The two bits of the header.
    pub(crate) message_type: u8,
    pub(crate) code: u8,
    pub(crate) message_id: u16,
    pub(crate) token: Vec<u8>,
    pub(crate) options: Vec<(usize, Vec<u8>)>,
    pub(crate) payload: Vec<u8>,
}

/// Another codec.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) read: fn(&[u8]) -> Option<Reading>,
}

pub(crate) const MINICOAP: &str = "minicoap 0.2";
pub(crate) const COAP_LITE: &str = "coap-lite 0.13";
/// It takes a minute to build, and is compared in `benches` alone.
pub(crate) const TOAD_MSG: &str = "toad-msg 1.0";

pub(crate) const PEERS: [Peer; 2] =
    [Peer { name: MINICOAP, read: minicoap }, Peer { name: COAP_LITE, read: coap_lite }];

pub(crate) fn ours(datagram: &[u8]) -> Option<Reading> {
    let message = Message::parse(datagram).ok()?;
    Some(Reading {
        message_type: message.message_type() as u8,
        code: message.code().to_byte(),
        message_id: message.message_id().0,
        token: message.token().as_bytes().to_vec(),
        options: message.options().map(|option| (option.number.0.into(), option.value.to_vec())).collect(),
        payload: message.payload().to_vec(),
    })
}

fn minicoap(datagram: &[u8]) -> Option<Reading> {
    let message = minicoap::Message::parse(datagram).ok()?;
    let options = message.options.into_iter().map(|option| (u16::from(option.number).into(), option.value.to_vec()));
    Some(Reading {
        message_type: message.message_type as u8,
        code: message.code,
        message_id: message.message_id,
        token: message.token.to_vec(),
        options: options.collect(),
        payload: message.payload.unwrap_or_default().to_vec(),
    })
}

fn coap_lite(datagram: &[u8]) -> Option<Reading> {
    let message = Packet::from_bytes(datagram).ok()?;
    let options = message.options().flat_map(|(number, values)| {
        let number = usize::from(*number);
        values.iter().map(move |value| (number, value.clone()))
    });
    let options = options.collect();
    Some(Reading {
        message_type: message.header.get_type() as u8,
        code: message.header.code.into(),
        message_id: message.header.message_id,
        token: message.get_token().to_vec(),
        options,
        payload: message.payload,
    })
}
