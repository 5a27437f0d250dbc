//! A message as a person wants it in a log or in a failing test.

use core::fmt;

use crate::{ContentFormat, Header, MessageView};

/// How much of a payload is shown, in bytes.
const SHOWN: usize = 64;

/// One line: `CON 0.01 GET, Message ID 8193, token b1, Uri-Path: "3", payload "…" (2 bytes)`; with `{:#?}` a
/// line for each part.
pub(crate) fn message(f: &mut fmt::Formatter<'_>, header: Option<Header>, message: &MessageView<'_>) -> fmt::Result {
    let next = if f.alternate() { "\n    " } else { ", " };
    match header {
        Some(header) => write!(f, "{header}")?,
        None => write!(f, "{:?}", message.code())?,
    }
    if !message.token().is_empty() {
        write!(f, "{next}token {}", Hex(message.token()))?;
    }
    for option in message.options() {
        // In signaling messages the numbers mean something else (RFC 8323 §5.2).
        if message.code().is_signaling() {
            let name = crate::tcp::option_name(message.code(), option.number).unwrap_or("Option");
            write!(f, "{next}{name} ({}): 0x{}", option.number.0, Hex(option.value))?;
        } else {
            write!(f, "{next}{option:?}")?;
        }
    }
    match message.payload() {
        [] => Ok(()),
        payload => {
            write!(f, "{next}payload ")?;
            let shown = payload.get(..SHOWN).unwrap_or(payload);
            let more = if shown.len() < payload.len() { "..." } else { "" };
            match readable(message.content_format(), shown) {
                Some(text) => write!(f, "{text:?}{more}")?,
                None => write!(f, "0x{}{more}", Hex(shown))?,
            }
            write!(f, " ({} bytes)", payload.len())
        }
    }
}

/// The bytes as text, if that is what they look like.
fn readable(format: Option<ContentFormat>, bytes: &[u8]) -> Option<&str> {
    let binary = matches!(
        format.map(ContentFormat::modern),
        Some(ContentFormat::LWM2M_TLV | ContentFormat::LWM2M_CBOR | ContentFormat::CBOR | ContentFormat::SENML_CBOR)
    );
    // A cut through the last character is no reason to show the rest in hex.
    let text = match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && bytes.len() == SHOWN => {
            bytes.get(..error.valid_up_to()).and_then(|bytes| core::str::from_utf8(bytes).ok())?
        }
        Err(_) => return None,
    };
    let plain = |character: char| !character.is_control() || character.is_ascii_whitespace();
    (!binary && text.chars().all(plain)).then_some(text)
}

/// Two digits a byte.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Message, MessageView};
    use alloc::format;
    use alloc::string::ToString;

    #[test]
    fn a_message_is_one_line() {
        for (datagram, shown) in [
            (&b"\x40\x01\x7d\x34"[..], "CON 0.01 GET, Message ID 32052"),
            (
                b"\x41\x02\x20\x01\xb1\xb2rd\x11\x28\x37lt=3600\xff</1/0>",
                "CON 0.02 POST, Message ID 8193, token b1, Uri-Path: \"rd\", \
                 Content-Format: 40 application/link-format, Uri-Query: \"lt=3600\", payload \"</1/0>\" (6 bytes)",
            ),
            (
                b"\x60\x45\x00\x01\xc2\x2d\x16\xd1\x00\x0a\xff\xc8\x00\x14Open",
                "ACK 2.05 Content, Message ID 1, Content-Format: 11542 application/vnd.oma.lwm2m+tlv, \
                 Option 25: 0x0a, payload 0xc800144f70656e (7 bytes)",
            ),
            (b"\x70\x00\x12\x34", "RST 0.00 Empty, Message ID 4660"),
        ] {
            let message = Message::parse(datagram).unwrap();
            assert_eq!(format!("{message:?}"), shown);
            assert_eq!(message.to_string(), shown);
        }
        let (_, view) = MessageView::parse_with_extended_token(b"\x49\x45\x00\x01nine byte\xd1\x0a\x5a").unwrap();
        assert_eq!(format!("{view:?}"), "2.05 Content, token 6e696e652062797465, Block2: 5/1/64");
    }

    #[test]
    fn or_a_line_for_each_part() {
        let message = Message::parse(b"\x41\x01\x20\x01\xb1\xb1\x33\x01\x30").unwrap();
        assert_eq!(
            format!("{message:#?}"),
            "CON 0.01 GET, Message ID 8193\n    token b1\n    Uri-Path: \"3\"\n    Uri-Path: \"0\""
        );
        assert_eq!(format!("{message:#}"), format!("{message:#?}"));
    }

    #[test]
    fn of_a_long_payload_the_beginning_is_shown() {
        let end_of = |payload: &[u8]| {
            let datagram = [&b"\x50\x45\x00\x01\xff"[..], payload].concat();
            let shown = format!("{:?}", Message::parse(&datagram).unwrap());
            shown.split_once("payload ").unwrap().1.to_string()
        };
        let quoted = |text: &str| format!("{text:?}");
        let x64 = "x".repeat(64);
        assert_eq!(end_of(&[b'x'; 64]), format!("{} (64 bytes)", quoted(&x64)));
        assert_eq!(end_of(&[b'x'; 65]), format!("{}... (65 bytes)", quoted(&x64)));
        // The 64th byte is the first half of a character.
        let umlauts = format!("x{}", "ä".repeat(32));
        assert_eq!(end_of(umlauts.as_bytes()), format!("{}... (65 bytes)", quoted(&umlauts[..63])));
        assert_eq!(end_of(b"a\0b"), "0x610062 (3 bytes)");
        assert_eq!(end_of(b"\xff"), "0xff (1 bytes)");
        // Cut by its sender, or wrong in the middle.
        assert_eq!(end_of(b"a\xc3"), "0x61c3 (2 bytes)");
        let wrong = [&b"\xff"[..], &[b'x'; 63]].concat();
        assert_eq!(end_of(&wrong), format!("0xff{} (64 bytes)", "78".repeat(63)));
        assert_eq!(end_of(b"two\nlines"), "\"two\\nlines\" (9 bytes)");
    }
}
