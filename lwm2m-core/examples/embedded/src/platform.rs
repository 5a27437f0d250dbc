//! The other side: a bootstrap server and a server, as far as this life needs them.

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token};

/// Room for a datagram.
pub(crate) type Buffer = [u8; 1152];

/// The answer to what the terminal sent, if it wants one.
pub(crate) fn answer(datagram: &[u8], room: &mut Buffer) -> Option<usize> {
    let message = Message::parse(datagram).ok()?;
    if message.message_type() != MessageType::Confirmable {
        return None;
    }
    let registers = message.path_is("rd");
    let code = match message.code() {
        Code::POST if registers => Code::CREATED,
        Code::POST => Code::CHANGED,
        Code::DELETE => Code::DELETED,
        // A notification: an acknowledgement is enough.
        _ => Code::EMPTY,
    };
    let token = if code.is_empty() { Token::EMPTY } else { message.token() };
    let header = Header { message_type: MessageType::Acknowledgement, code, message_id: message.message_id() };
    let mut writer = MessageWriter::new(room, header, token).ok()?;
    if registers {
        writer.option(OptionNumber::LOCATION_PATH, b"rd").ok()?;
        writer.option(OptionNumber::LOCATION_PATH, b"7").ok()?;
    }
    Some(writer.finish().len())
}

/// What a server asks of the terminal.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) method: Code,
    pub(crate) path: &'a str,
    pub(crate) observe: bool,
    /// The part of a longer body: its number, and whether there are more.
    pub(crate) block: Option<(u32, bool)>,
    /// Content-Format and payload.
    pub(crate) payload: Option<(u16, &'a [u8])>,
}

impl Question<'_> {
    /// Writes it as a confirmable request.
    pub(crate) fn write(&self, number: u16, room: &mut Buffer) -> usize {
        self.try_write(number, room).expect("a question fits into a datagram")
    }

    fn try_write(&self, number: u16, room: &mut Buffer) -> Option<usize> {
        let header =
            Header { message_type: MessageType::Confirmable, code: self.method, message_id: MessageId(number) };
        let token = Token::new(&number.to_be_bytes()).ok()?;
        let mut writer = MessageWriter::new(room, header, token).ok()?;
        if self.observe {
            writer.observe(0).ok()?;
        }
        for segment in self.path.split('/').filter(|segment| !segment.is_empty()) {
            writer.uri_path(segment).ok()?;
        }
        if let Some((format, _)) = self.payload {
            writer.content_format(coap_codec::ContentFormat(format)).ok()?;
        }
        if let Some((number, more)) = self.block {
            writer.block1(coap_codec::BlockValue::new(number, more, BLOCK_EXPONENT).ok()?).ok()?;
        }
        if let Some((_, payload)) = self.payload {
            writer.payload(payload).ok()?;
        }
        Some(writer.finish().len())
    }
}

/// Bytes of a block, and its size exponent (RFC 7959, section 2.2).
pub(crate) const BLOCK: usize = 256;
const BLOCK_EXPONENT: u8 = 4;

/// What the bootstrap server writes into Security: server 101 at this address, without security, as TLV.
pub(crate) const SECURITY: &[u8] = b"\xc8\x00\x11coap://dm.example\xc1\x01\x00\xc1\x02\x03\xc1\x0a\x65";

/// What it writes into Server: Short Server ID 101, a lifetime of a day, storing, binding U.
pub(crate) const SERVER: &[u8] = b"\xc1\x00\x65\xc4\x01\x00\x01\x51\x80\xc1\x06\x01\xc1\x07U";
