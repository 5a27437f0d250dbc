//! From bytes to text: what a datagram says, for people.

use std::borrow::Cow;
use std::collections::VecDeque;

use coap_codec::{BlockError, BlockValue, Code, ContentFormat, Message, MessageType, observe};

use crate::values;

/// What a datagram says.
#[derive(Debug, Default)]
pub(crate) struct Saying {
    /// CON, NON, ACK, RST; nothing when the bytes are no CoAP message.
    pub(crate) kind: &'static str,
    /// Message ID and the beginning of the token, four digits each.
    pub(crate) id: String,
    pub(crate) token: String,
    /// Method and path, or response code; the parts are best kept on one line each.
    pub(crate) text: Vec<String>,
    /// The payload, readable, in parts like the text.
    pub(crate) payload: Vec<String>,
}

/// Remembers what was asked, so that the answers can be understood. A token names the question.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    asked: VecDeque<(Vec<u8>, Vec<u16>)>,
}

/// Questions that are remembered: more than are ever open.
const REMEMBERED: usize = 64;

impl Decoder {
    /// Reads a datagram.
    pub(crate) fn read(&mut self, datagram: &[u8]) -> Saying {
        let message = match Message::parse(datagram) {
            Ok(message) => message,
            Err(error) => {
                let (text, payload) = (format!("no CoAP message: {error}"), format!("bytes: {}", hex(datagram)));
                return Saying { text: vec![text], payload: vec![payload], ..Saying::default() };
            }
        };
        let token = message.token();
        let path = self.path(&message);
        let mut saying = Saying {
            kind: match message.message_type() {
                MessageType::Confirmable => "CON",
                MessageType::NonConfirmable => "NON",
                MessageType::Acknowledgement => "ACK",
                MessageType::Reset => "RST",
            },
            id: format!("{:04x}", message.message_id().0),
            token: token.as_bytes().iter().take(2).map(|byte| format!("{byte:02x}")).collect(),
            text: text(&message),
            payload: Vec::new(),
        };
        if !message.payload().is_empty() {
            let format = message.content_format().unwrap_or(ContentFormat::TEXT_PLAIN);
            let whole = blocks(&message).all(|block| !block.more() && block.num() == 0);
            // The words of a refusal are no value.
            let path = if message.code().is_success() || message.code().is_request() { &path[..] } else { &[] };
            saying.payload = payload(format, path, message.payload(), whole);
        }
        saying
    }

    /// The path that a message is about: that of the request itself, or of the one it answers.
    fn path(&mut self, message: &Message<'_>) -> Vec<u16> {
        let token = message.token();
        if message.code().is_request() {
            let levels = message.uri_path().map(|segment| core::str::from_utf8(segment).ok()?.parse().ok());
            let path: Vec<u16> = levels.collect::<Option<_>>().unwrap_or_default();
            if self.asked.len() == REMEMBERED {
                self.asked.pop_front();
            }
            self.asked.push_back((token.as_bytes().to_vec(), path.clone()));
            return path;
        }
        let asked = self.asked.iter().rev().find(|(asked, _)| *asked == token.as_bytes());
        asked.map(|(_, path)| path.clone()).unwrap_or_default()
    }
}

/// The blocks that a message is about: of the request's body, and of the answer's.
pub(crate) fn blocks(message: &Message<'_>) -> impl Iterator<Item = BlockValue> + use<> {
    let known = |block: Option<Result<BlockValue, BlockError>>| block.and_then(Result::ok);
    [known(message.block1()), known(message.block2())].into_iter().flatten()
}

/// The first line of a message, and its options.
fn text(message: &Message<'_>) -> Vec<String> {
    let code = message.code();
    if code.is_empty() {
        let meaning = match message.message_type() {
            MessageType::Acknowledgement => "received",
            MessageType::Reset => "rejected",
            _ => "are you there? (ping)",
        };
        return vec![meaning.into()];
    }
    if code.is_request() {
        let name = code.name().map_or_else(|| code.to_string(), str::to_string);
        let mut text = vec![format!("{name} {}", joined("/", message.uri_path()))];
        text.extend(
            message
                .uri_query()
                .zip(core::iter::once("?").chain(core::iter::repeat("&")))
                .map(|(query, separator)| format!("{separator}{}", printable(query))),
        );
        match message.observe() {
            Some(observe::REGISTER) => add(&mut text, "observe it from now on".into()),
            Some(observe::DEREGISTER) => add(&mut text, "observe it no more".into()),
            _ => {}
        }
        if let Some(format) = message.accept() {
            add(&mut text, format!("as {}", short(format)));
        }
        if code == Code::PUT && message.payload().is_empty() && message.uri_query().next().is_some() {
            add(&mut text, "for its notifications".into());
        }
        add_blocks(&mut text, message);
        text
    } else {
        let mut text = vec![format!("{code:?}")];
        if let Some(location) = location(message) {
            add(&mut text, format!("location {location}"));
        }
        if let Some(sequence) = message.observe() {
            add(&mut text, format!("observed value no. {sequence}"));
        }
        add_blocks(&mut text, message);
        text
    }
}

fn add_blocks(text: &mut Vec<String>, message: &Message<'_>) {
    for block in blocks(message) {
        // Without a payload it is one that is asked for, or that was taken.
        let end = match block.more() {
            _ if message.payload().is_empty() => "",
            true => ", more follow",
            false => ", the last",
        };
        add(text, format!("block {}{end}", block.num()));
    }
}

/// Another part, after a comma, which must not begin a line.
fn add(text: &mut Vec<String>, part: String) {
    if let Some(last) = text.last_mut() {
        last.push_str(", ");
    }
    text.push(part);
}

/// The location that a message grants, as a path and a query.
pub(crate) fn location(message: &Message<'_>) -> Option<String> {
    let mut location = joined("/", message.location_path());
    if message.code() != Code::CREATED || location.len() == 1 {
        return None;
    }
    for (query, separator) in message.location_query().zip(core::iter::once('?').chain(core::iter::repeat('&'))) {
        location.push(separator);
        location.push_str(&printable(query));
    }
    Some(location)
}

fn joined<'a>(separator: &str, segments: impl Iterator<Item = &'a [u8]>) -> String {
    let path: String = segments.map(|segment| format!("{separator}{}", printable(segment))).collect();
    if path.is_empty() { separator.into() } else { path }
}

/// Text without anything that a screen would take for a command.
pub(crate) fn printable(bytes: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(bytes) {
        text if text.contains(char::is_control) => {
            text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
        }
        text => text,
    }
}

fn short(format: ContentFormat) -> Cow<'static, str> {
    match format.modern() {
        ContentFormat::TEXT_PLAIN => "text".into(),
        ContentFormat::LINK_FORMAT => "links".into(),
        ContentFormat::LWM2M_TLV => "TLV".into(),
        ContentFormat::LWM2M_JSON | ContentFormat::JSON => "JSON".into(),
        ContentFormat::OCTET_STREAM => "bytes".into(),
        other => format!("format {}", other.0).into(),
    }
}

fn payload(format: ContentFormat, path: &[u16], bytes: &[u8], whole: bool) -> Vec<String> {
    let mut said = vec![format!("{}: ", short(format))];
    match format.modern() {
        _ if !whole && format.modern() != ContentFormat::LINK_FORMAT => said.push(values::shortened(bytes)),
        ContentFormat::LWM2M_TLV => {
            let object = path.first().copied().unwrap_or_default();
            let mut values = Vec::new();
            if values::tlv(bytes, object, path.get(2).copied(), 0, &mut values).is_none() {
                values.push(format!("and what is no TLV in {}", hex(bytes)));
            }
            let last = values.len().saturating_sub(1);
            said.extend(values.into_iter().enumerate().map(|(n, value)| match value {
                value if n == last => value,
                // The name of an instance, before its values.
                value if value.ends_with(':') => value + " ",
                value => value + "; ",
            }));
        }
        ContentFormat::LINK_FORMAT => said.extend(printable(bytes).split_inclusive(',').map(str::to_string)),
        ContentFormat::TEXT_PLAIN => {
            said.extend(values::text(path, &printable(bytes)).split_inclusive(' ').map(str::to_string));
        }
        ContentFormat::LWM2M_JSON | ContentFormat::JSON => {
            said.extend(printable(bytes).split_inclusive(' ').map(str::to_string));
        }
        _ => said.push(values::shortened(bytes)),
    }
    said
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_in_parts_that_may_stand_on_lines_of_their_own() {
        let told = |bytes| Decoder::default().read(bytes).text;
        assert_eq!(told(b"\x40\x01\0\x01\x60\x51\x33\x60"), ["GET /3, ", "observe it from now on, ", "as text"]);
        assert_eq!(told(b"\x40\x02\0\x01\xb2rd\x44ep=x\x03b=U"), ["POST /rd", "?ep=x", "&b=U"]);
        assert_eq!(told(b"\x60\x41\0\x01\x82rd\x015"), ["2.01 Created, ", "location /rd/5"]);
        assert_eq!(told(b"\x60\0\0\x01"), ["received"]);
        assert_eq!(told(b"\x40\x03\0\x01\xb1\x35\xd1\x03\x0c\xffx"), ["PUT /5, ", "block 0, more follow"]);
        assert_eq!(told(b"\x60\x5f\0\x01\xd1\x0e\x1c"), ["2.31 Continue, ", "block 1"]);
    }

    #[test]
    fn a_value_in_text_has_the_name_of_what_was_asked_for() {
        let mut decoder = Decoder::default();
        decoder.read(b"\x41\x01\0\x01a\xb1\x33\x01\x30\x01\x39");
        assert_eq!(decoder.read(b"\x61\x45\0\x01a\xff80").payload.concat(), "text: Battery Level = 80 %");
        assert_eq!(decoder.read(b"\x61\x84\0\x01a\xffwhat?").payload.concat(), "text: what?");
        assert_eq!(decoder.read(b"\x61\x45\0\x01b\xff80").payload.concat(), "text: 80");
    }
}
