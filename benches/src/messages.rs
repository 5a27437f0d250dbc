//! The eight messages that the codec is measured by, as parts and as datagrams.

use coap_codec::MessageType;

/// What a message is made of, in no codec's own types.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// CON, NON, ACK or RST.
    pub message_type: MessageType,
    /// The second byte of the header.
    pub code: u8,
    /// The Message ID.
    pub message_id: u16,
    /// Up to eight bytes.
    pub token: &'static [u8],
    /// Numbers and values, the numbers ascending.
    pub options: &'static [(u16, &'static [u8])],
    /// Empty for none.
    pub payload: &'static [u8],
}

/// One of the eight.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// A letter, by which the tables name it.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// How long the datagram is.
    pub len: usize,
    /// What it is made of.
    pub parts: Parts,
}

const LOCATION_PATH: u16 = 8;
const OBSERVE: u16 = 6;
/// Uri-Path, which a lookup asks for.
pub const URI_PATH: u16 = 11;
/// Content-Format, which a lookup asks for.
pub const CONTENT_FORMAT: u16 = 12;
/// Uri-Query, which a lookup asks for.
pub const URI_QUERY: u16 = 15;
const ACCEPT: u16 = 17;
const BLOCK1: u16 = 27;
const SIZE1: u16 = 60;

const TOKEN: &[u8] = &[0xc4, 0x09, 0x5b, 0x21, 0x7e, 0xd0, 0x33, 0x68];
const TLV: &[u8] = &[0xe5; 150];
const REPORT: &[u8] = b"[{\"bn\":\"/3/0/\",\"n\":\"9\",\"v\":80,\"bt\":1e9}]";
const BLOCK: &[u8] = &[0x5a; 512];
const OBJECTS: &[u8] = b"</>;rt=\"oma.lwm2m\";ct=11542,</1/0>,</1/1>,</2/0>,</3/0>,</4/0>,</5/0>,\
    </6>,</7/0>,</9/0>,</19/1>,</3303/0>,</3303/1>,</3>";

/// The messages, from an empty one to a block of firmware.
pub const SAMPLES: [Sample; 8] = [
    Sample {
        name: "a",
        title: "empty ACK",
        len: 4,
        parts: Parts {
            message_type: MessageType::Acknowledgement,
            code: 0,
            message_id: 0x7d31,
            token: &[],
            options: &[],
            payload: &[],
        },
    },
    Sample {
        name: "b",
        title: "Register, four queries, 121 bytes of links",
        len: 203,
        parts: Parts {
            message_type: MessageType::Confirmable,
            code: 0x02,
            message_id: 0x7d32,
            token: TOKEN,
            options: &[
                (URI_PATH, b"rd"),
                (CONTENT_FORMAT, &[40]),
                (URI_QUERY, b"ep=490154203237518;460001234567890;;1.0"),
                (URI_QUERY, b"lt=86400"),
                (URI_QUERY, b"lwm2m=1.0"),
                (URI_QUERY, b"b=U"),
            ],
            payload: OBJECTS,
        },
    },
    Sample {
        name: "c",
        title: "2.01 with two Location-Path",
        len: 22,
        parts: Parts {
            message_type: MessageType::Acknowledgement,
            code: 0x41,
            message_id: 0x7d32,
            token: TOKEN,
            options: &[(LOCATION_PATH, b"rd"), (LOCATION_PATH, b"5a3f0c")],
            payload: &[],
        },
    },
    Sample {
        name: "d",
        title: "Update, POST /rd/5a3f0c?lt=86400",
        len: 31,
        parts: Parts {
            message_type: MessageType::Confirmable,
            code: 0x02,
            message_id: 0x7d33,
            token: TOKEN,
            options: &[(URI_PATH, b"rd"), (URI_PATH, b"5a3f0c"), (URI_QUERY, b"lt=86400")],
            payload: &[],
        },
    },
    Sample {
        name: "e",
        title: "GET /3/0, Accept 11542",
        len: 19,
        parts: Parts {
            message_type: MessageType::Confirmable,
            code: 0x01,
            message_id: 0x1001,
            token: TOKEN,
            options: &[(URI_PATH, b"3"), (URI_PATH, b"0"), (ACCEPT, &[0x2d, 0x16])],
            payload: &[],
        },
    },
    Sample {
        name: "f",
        title: "2.05, 150 bytes of TLV",
        len: 166,
        parts: Parts {
            message_type: MessageType::Acknowledgement,
            code: 0x45,
            message_id: 0x1001,
            token: TOKEN,
            options: &[(CONTENT_FORMAT, &[0x2d, 0x16])],
            payload: TLV,
        },
    },
    Sample {
        name: "g",
        title: "notification, NON 2.05, 40 bytes of SenML",
        len: 59,
        parts: Parts {
            message_type: MessageType::NonConfirmable,
            code: 0x45,
            message_id: 0x7d34,
            token: TOKEN,
            options: &[(OBSERVE, &[0x01, 0x02, 0x03]), (CONTENT_FORMAT, &[110])],
            payload: REPORT,
        },
    },
    Sample {
        name: "h",
        title: "PUT /5/0/0, Block1 7/1/512, Size1 131072",
        len: 541,
        parts: Parts {
            message_type: MessageType::Confirmable,
            code: 0x03,
            message_id: 0x1002,
            token: TOKEN,
            options: &[
                (URI_PATH, b"5"),
                (URI_PATH, b"0"),
                (URI_PATH, b"0"),
                (CONTENT_FORMAT, &[42]),
                (BLOCK1, &[0x7d]),
                (SIZE1, &[0x02, 0x00, 0x00]),
            ],
            payload: BLOCK,
        },
    },
];

/// Large enough for any of them.
pub const BUFFER_LEN: usize = 600;

impl Sample {
    /// The message as it travels: written byte by byte, by none of the codecs.
    #[must_use]
    pub fn datagram(&self) -> Vec<u8> {
        let Parts { message_type, code, message_id, token, options, payload } = self.parts;
        let mut bytes = vec![0x40 | ((message_type as u8) << 4) | token.len() as u8, code];
        bytes.extend(message_id.to_be_bytes());
        bytes.extend(token);
        let mut last = 0;
        for &(number, value) in options {
            let (delta, delta_byte) = nibble(usize::from(number - last));
            let (length, length_byte) = nibble(value.len());
            bytes.push((delta << 4) | length);
            bytes.extend(delta_byte.into_iter().chain(length_byte));
            bytes.extend(value);
            last = number;
        }
        if !payload.is_empty() {
            bytes.push(0xff);
            bytes.extend(payload);
        }
        bytes
    }
}

/// Deltas and lengths of these messages are below 269.
fn nibble(value: usize) -> (u8, Option<u8>) {
    if value < 13 { (value as u8, None) } else { (13, Some((value - 13) as u8)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_table() {
        for sample in SAMPLES {
            assert_eq!(sample.datagram().len(), sample.len, "{}", sample.name);
        }
    }
}
