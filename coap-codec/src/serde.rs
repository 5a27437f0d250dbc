//! Values in the data formats of `serde`: for logs, recordings and configurations.
//!
//! Where a person reads the format, a code is `"2.05"`, a type `"CON"` and a token its hex digits;
//! elsewhere they are the byte, the two bits and the bytes of the message. A whole message can be
//! written, as what it holds, but not read: what is kept to be read again should be the datagram.

use core::fmt;

use serde_core::de::{self, Deserialize, Deserializer, Visitor};
use serde_core::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};

use crate::show::Hex;
use crate::{
    CoapOption, Code, ContentFormat, Message, MessageId, MessageType, MessageView, OptionNumber, Options, Token,
};

/// A number in all formats.
macro_rules! as_number {
    ($($name:ident)*) => {
        $(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_u16(self.0)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    u16::deserialize(deserializer).map(Self)
                }
            }
        )*
    };
}

as_number! { MessageId OptionNumber ContentFormat }

/// `"2.05"`, or the byte.
impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u8(self.to_byte())
        }
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Text("a code such as 2.05", code_of))
        } else {
            u8::deserialize(deserializer).map(Self::from_byte)
        }
    }
}

fn code_of(text: &str) -> Option<Code> {
    let (class, detail) = text.split_once('.').filter(|(class, detail)| class.len() == 1 && detail.len() == 2)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    Code::new(digits(class)?, digits(detail)?)
}

/// `"CON"`, or the two bits of the header.
impl Serialize for MessageType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_u8(*self as u8) }
    }
}

impl<'de> Deserialize<'de> for MessageType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Text("CON, NON, ACK or RST", type_of))
        } else {
            let bits = u8::deserialize(deserializer)?;
            let unexpected = de::Unexpected::Unsigned(bits.into());
            Self::try_from_bits(bits).ok_or_else(|| de::Error::invalid_value(unexpected, &"0 to 3"))
        }
    }
}

fn type_of(text: &str) -> Option<MessageType> {
    Some(match text {
        "CON" => MessageType::Confirmable,
        "NON" => MessageType::NonConfirmable,
        "ACK" => MessageType::Acknowledgement,
        "RST" => MessageType::Reset,
        _ => return None,
    })
}

/// Hex digits, or the bytes.
impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Bytes(self.as_bytes()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Text("up to 8 bytes in hex digits", token_of))
        } else {
            deserializer.deserialize_bytes(TokenBytes)
        }
    }
}

fn token_of(digits: &str) -> Option<Token> {
    let mut bytes = [0; Token::MAX_LEN];
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let room = bytes.get_mut(..pairs.len())?;
    for (byte, pair) in room.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from((high? << 4) | low?).ok()?;
    }
    Token::new(room).ok()
}

/// Reads a text by a function.
struct Text<T>(&'static str, fn(&str) -> Option<T>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

struct TokenBytes;

impl<'de> Visitor<'de> for TokenBytes {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("up to 8 bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Token, E> {
        Token::new(bytes).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Token, A::Error> {
        let mut bytes = [0; Token::MAX_LEN];
        let mut length = 0_usize;
        while let Some(byte) = sequence.next_element()? {
            let room = bytes.get_mut(length).ok_or_else(|| de::Error::invalid_length(length, &self))?;
            *room = byte;
            length = length.saturating_add(1);
        }
        Token::new(bytes.get(..length).unwrap_or_default()).map_err(de::Error::custom)
    }
}

/// Hex digits for a person, else bytes.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&Hex(self.0))
        } else {
            serializer.serialize_bytes(self.0)
        }
    }
}

/// Number, name if there is one, and value as bytes.
impl Serialize for CoapOption<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("CoapOption", 3)?;
        row.serialize_field("number", &self.number)?;
        row.serialize_field("name", &self.number.name())?;
        row.serialize_field("value", &Bytes(self.value))?;
        row.end()
    }
}

impl Serialize for Options<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        self.clone().try_for_each(|option| list.serialize_element(&option))?;
        list.end()
    }
}

/// Type, code, Message ID, token, options and payload.
impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("Message", 6)?;
        message.serialize_field("type", &self.message_type())?;
        message.serialize_field("code", &self.code())?;
        message.serialize_field("message_id", &self.message_id())?;
        message.serialize_field("token", &self.token())?;
        message.serialize_field("options", &self.options())?;
        message.serialize_field("payload", &Bytes(self.payload()))?;
        message.end()
    }
}

/// Code, token, options and payload.
impl Serialize for MessageView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("MessageView", 4)?;
        message.serialize_field("code", &self.code())?;
        message.serialize_field("token", &Bytes(self.token()))?;
        message.serialize_field("options", &self.options())?;
        message.serialize_field("payload", &Bytes(self.payload()))?;
        message.end()
    }
}
