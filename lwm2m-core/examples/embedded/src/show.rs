//! How times and messages look on the console.

use core::fmt;

use coap_codec::{Code, Message};
use lwm2m_core::Instant;

/// A time, right-aligned.
pub(crate) struct At(pub(crate) Instant);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        write!(f, "{:>7}.{:03} s", millis / 1_000, millis % 1_000)
    }
}

/// A datagram in one line: type, code, path, query, and how much payload.
pub(crate) struct Brief<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(message) = Message::parse(self.0) else { return f.write_str("no CoAP message") };
        write!(f, "{} ", message.message_type())?;
        match message.code() {
            Code::EMPTY => f.write_str("empty")?,
            Code::GET => f.write_str("GET")?,
            Code::POST => f.write_str("POST")?,
            Code::PUT => f.write_str("PUT")?,
            Code::DELETE => f.write_str("DELETE")?,
            code => write!(f, "{code}")?,
        }
        let mut separator = " /";
        for segment in message.uri_path() {
            write!(f, "{separator}{}", text(segment))?;
            separator = "/";
        }
        let mut separator = '?';
        for query in message.uri_query() {
            write!(f, "{separator}{}", text(query))?;
            separator = '&';
        }
        if let Some(value) = message.observe() {
            write!(f, ", Observe {value}")?;
        }
        match message.payload() {
            [] => Ok(()),
            payload if payload.len() <= 32 && payload.iter().all(|byte| (b' '..=b'~').contains(byte)) => {
                write!(f, ", \"{}\"", text(payload))
            }
            payload => write!(f, ", {} B", payload.len()),
        }
    }
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("?")
}
