//! Shows what is in a datagram that is given as hex digits.
//!
//! ```sh
//! cargo run -p coap-codec --example dump 41012001b160513301300139
//! ```

use std::env;
use std::process::ExitCode;

use coap_codec::{Message, MessageKind, ParseError, Reaction};

const OBSERVE_REQUEST: &str = "41012001b160513301300139";

fn main() -> ExitCode {
    let given: String = env::args().skip(1).collect();
    let digits = if given.is_empty() { OBSERVE_REQUEST } else { &given };
    let Some(datagram) = from_hex(digits) else {
        eprintln!("not an even number of hex digits: {digits}");
        return ExitCode::FAILURE;
    };
    match Message::parse(&datagram) {
        Ok(message) => {
            show(&message);
            ExitCode::SUCCESS
        }
        Err(error) => {
            explain(error);
            ExitCode::FAILURE
        }
    }
}

fn show(message: &Message<'_>) {
    println!("{}", message.header());
    println!("token: {:?}", message.token());
    for option in message.options() {
        let class = if option.number.is_critical() { "critical" } else { "elective" };
        println!("option {} ({class}) {option:?}", option.number.0);
    }
    match message.payload() {
        [] => println!("no payload"),
        payload => println!("payload: {} bytes, {}", payload.len(), payload.escape_ascii()),
    }
    if let MessageKind::Rejected(reaction) = message.kind() {
        println!("type and code do not go together, {}", duty(reaction));
    }
}

fn explain(error: ParseError) {
    println!("malformed: {error}");
    println!("to be handled so: {}", duty(error.reaction()));
    if let Some(header) = error.header() {
        println!("it began as {header}");
    }
}

fn duty(reaction: Reaction) -> &'static str {
    match reaction {
        Reaction::Ignore => "ignore it",
        Reaction::Reset => "answer by a Reset",
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let nibbles = digits.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<_>>>()?;
    let (pairs, []) = nibbles.as_chunks::<2>() else {
        return None;
    };
    pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
}
