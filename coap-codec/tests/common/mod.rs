//! The vectors of `data/coap-vectors.json`, and messages as plain data to compare with.
#![allow(dead_code, reason = "every test file uses a part of it")]

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token, WriteError};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Vectors {
    pub(crate) udp_valid: Vec<Valid>,
    pub(crate) udp_malformed: Vec<Malformed>,
    pub(crate) udp_semantic: Vec<Semantic>,
    pub(crate) extended_nibbles: Vec<Nibble>,
    pub(crate) uint: Vec<Uint>,
    pub(crate) block: Vec<Block>,
    pub(crate) observe_freshness: Vec<Freshness>,
    pub(crate) tcp: Vec<Frame>,
}

#[derive(Deserialize)]
pub(crate) struct Valid {
    pub(crate) id: String,
    pub(crate) hex: Hex,
    #[serde(rename = "type")]
    pub(crate) message_type: String,
    pub(crate) code: String,
    pub(crate) mid: u16,
    pub(crate) token: Hex,
    pub(crate) options: Vec<OptionRow>,
    pub(crate) payload: Hex,
}

#[derive(Deserialize)]
pub(crate) struct OptionRow {
    pub(crate) number: u16,
    pub(crate) name: String,
    pub(crate) value: Hex,
}

#[derive(Deserialize)]
pub(crate) struct Malformed {
    pub(crate) id: String,
    pub(crate) hex: Hex,
    pub(crate) check: String,
    pub(crate) action: String,
}

#[derive(Deserialize)]
pub(crate) struct Semantic {
    pub(crate) id: String,
    pub(crate) hex: Hex,
    pub(crate) action: String,
}

#[derive(Deserialize)]
pub(crate) struct Frame {
    pub(crate) id: String,
    /// Ends in `...` where the last byte goes on to the end.
    hex: String,
    total_len: usize,
    pub(crate) code: String,
    pub(crate) token: Hex,
    pub(crate) options: Vec<FrameOption>,
    pub(crate) payload_len: usize,
}

#[derive(Deserialize)]
pub(crate) struct FrameOption {
    pub(crate) number: u16,
    pub(crate) value: Hex,
}

impl Frame {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let digits = self.hex.trim_end_matches("...");
        let Hex(mut bytes) = Hex::try_from(digits.to_string()).unwrap();
        let last = bytes[bytes.len() - 1];
        bytes.resize(self.total_len, last);
        bytes
    }
}

#[derive(Deserialize)]
pub(crate) struct Nibble {
    pub(crate) value: u32,
    pub(crate) nibble: u8,
    pub(crate) ext: Hex,
}

#[derive(Deserialize)]
pub(crate) struct Uint {
    pub(crate) value: u32,
    pub(crate) hex: Hex,
}

#[derive(Deserialize)]
pub(crate) struct Block {
    pub(crate) num: u32,
    pub(crate) more: u8,
    pub(crate) szx: u8,
    pub(crate) size: usize,
    pub(crate) hex: Hex,
    pub(crate) offset: u32,
}

#[derive(Deserialize)]
pub(crate) struct Freshness {
    pub(crate) v1: u32,
    pub(crate) v2: u32,
    pub(crate) t1: f64,
    pub(crate) t2: f64,
    pub(crate) newer: bool,
}

/// Bytes that the file writes as hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Hex(pub(crate) Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(digits: String) -> Result<Self, String> {
        let byte = |at: usize| {
            let pair = digits.get(at..at + 2).ok_or("an odd digit")?;
            u8::from_str_radix(pair, 16).map_err(|error| error.to_string())
        };
        (0..digits.len()).step_by(2).map(byte).collect::<Result<_, _>>().map(Self)
    }
}

pub(crate) fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../data/coap-vectors.json")).unwrap()
}

/// A message as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) header: Header,
    pub(crate) token: Token,
    pub(crate) options: Vec<(u16, Vec<u8>)>,
    pub(crate) payload: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(message: &Message<'_>) -> Self {
        Self {
            header: message.header(),
            token: message.token(),
            options: message.options().map(|option| (option.number.0, option.value.to_vec())).collect(),
            payload: message.payload().to_vec(),
        }
    }

    /// As many bytes as it can take at most.
    fn max_len(&self) -> usize {
        let options = self.options.iter().map(|(_, value)| 5 + value.len());
        12 + options.sum::<usize>() + 1 + self.payload.len()
    }

    /// Writes all of it, in the order in which the options stand.
    pub(crate) fn write<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], WriteError> {
        let mut writer = MessageWriter::new(buffer, self.header, self.token)?;
        for (number, value) in &self.options {
            writer.option(OptionNumber(*number), value)?;
        }
        writer.payload(&self.payload)?;
        Ok(writer.finish())
    }

    /// Writes all of it into as many bytes as it takes.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut buffer = vec![0xaa; self.max_len()];
        self.write(&mut buffer).unwrap().to_vec()
    }
}

impl Valid {
    /// What the file says that the message holds.
    pub(crate) fn parts(&self) -> Parts {
        let (class, detail) = self.code.split_once('.').unwrap();
        Parts {
            header: Header {
                message_type: match self.message_type.as_str() {
                    "CON" => MessageType::Confirmable,
                    "NON" => MessageType::NonConfirmable,
                    "ACK" => MessageType::Acknowledgement,
                    "RST" => MessageType::Reset,
                    other => panic!("{other}"),
                },
                code: Code::new(class.parse().unwrap(), detail.parse().unwrap()).unwrap(),
                message_id: MessageId(self.mid),
            },
            token: Token::new(&self.token.0).unwrap(),
            options: self.options.iter().map(|option| (option.number, option.value.0.clone())).collect(),
            payload: self.payload.0.clone(),
        }
    }
}
