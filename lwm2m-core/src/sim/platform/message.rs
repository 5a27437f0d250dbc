//! Messages as the platform holds them: owned, and told apart by what they are for.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use coap_codec::{
    Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token, WriteError,
};

use super::blockwise::{Block, Part};
use super::{Ask, Response};
use crate::sim::network::Address;

/// A request of the device.
#[derive(Clone, Debug)]
pub(super) struct Inbound {
    pub(super) from: Address,
    pub(super) code: Code,
    pub(super) token: Token,
    pub(super) confirmable: bool,
    pub(super) message_id: MessageId,
    pub(super) path: Vec<String>,
    pub(super) query: Vec<String>,
    pub(super) format: Option<ContentFormat>,
    pub(super) payload: Vec<u8>,
    /// The last block of the body that it came in.
    pub(super) block: Option<Block>,
}

/// A response that belongs to no request in flight: a notification, perhaps.
#[derive(Clone, Debug)]
pub(super) struct Unmatched {
    pub(super) from: Address,
    pub(super) token: Token,
    pub(super) confirmable: bool,
    pub(super) message_id: MessageId,
    pub(super) response: Response,
    /// Which part of a longer one it is.
    pub(super) part: Option<Part>,
}

/// Makes a message; what does not fit or may not be written is left out.
pub(super) fn write(
    header: Header,
    token: Token,
    payload: usize,
    rest: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), WriteError>,
) -> Vec<u8> {
    let mut buffer = vec![0; 4_096 + payload];
    match MessageWriter::new(&mut buffer, header, token) {
        Ok(mut writer) => {
            let _ = rest(&mut writer);
            writer.as_bytes().to_vec()
        }
        Err(_) => header.to_bytes().to_vec(),
    }
}

impl Ask {
    /// Everything but block options and the payload.
    pub(super) fn write_head(&self, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        if let Some(observe) = self.observe {
            writer.observe(observe)?;
        }
        self.path.iter().try_for_each(|segment| writer.option(OptionNumber::URI_PATH, segment.as_bytes()))?;
        if let Some(format) = self.format {
            writer.content_format(format)?;
        }
        self.query.iter().try_for_each(|query| writer.option(OptionNumber::URI_QUERY, query.as_bytes()))?;
        if let Some(accept) = self.accept {
            writer.accept(accept)?;
        }
        self.options.iter().try_for_each(|(number, value)| writer.option(OptionNumber(*number), value))
    }
}

/// Options as text; what is no UTF-8 stays recognisable.
fn texts<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    values.map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

impl Inbound {
    pub(super) fn of(from: Address, message: &Message<'_>) -> Self {
        Self {
            from,
            code: message.code(),
            token: message.token(),
            confirmable: message.message_type() == MessageType::Confirmable,
            message_id: message.message_id(),
            path: texts(message.uri_path()),
            query: texts(message.uri_query()),
            format: message.content_format(),
            payload: message.payload().to_vec(),
            block: None,
        }
    }
}

impl Response {
    pub(super) fn of(message: &Message<'_>) -> Self {
        Self {
            code: message.code(),
            format: message.content_format(),
            observe: message.observe(),
            location: texts(message.location_path()),
            payload: message.payload().to_vec(),
        }
    }
}
