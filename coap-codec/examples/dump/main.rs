//! Shows what is in CoAP messages, and what is wrong with them; `--help` says how.

mod pcap;
mod pcapng;

use core::net::SocketAddr;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::{env, fs};

use coap_codec::link_format::Links;
use coap_codec::tcp::{self, Frame, Limits, Signal};
use coap_codec::{
    Consequence, ContentFormat, Message, MessageKind, MessageView, OptionNumber, ParseError, Reaction, Refusal, Scheme,
    Uri,
};

const OBSERVE_REQUEST: &str = "41012001b160513301300139";
/// Where the default port is not used, a packet is taken for CoAP by its first byte and its code.
const PORTS: [u16; 2] = [5683, 5684];

const USAGE: &str = "\
Shows what is in CoAP messages, and what is wrong with them. It ends with 1 if anything is.

    dump 41012001b160513301300139    a datagram in hex digits, with white space and colons at will
    dump --tcp 01e24220e4410a        the bytes of a TCP stream
    dump capture.pcap                all UDP packets with CoAP in a capture, pcap or pcapng
    dump -                           any of these from standard input
    dump                             a datagram of its own
";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let is_stream = arguments.first().is_some_and(|first| first == "--tcp");
    if is_stream {
        arguments.remove(0);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let outcome = match arguments.first().map(String::as_str) {
        Some("--help" | "-h") => out.write_all(USAGE.as_bytes()).map(|()| true),
        None if is_stream => return misused(),
        Some(option) if option.starts_with("--") => return misused(),
        _ => run(&arguments, is_stream, &mut out),
    };
    match outcome.and_then(|in_order| out.flush().map(|()| in_order)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Who reads it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn misused() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}

/// Whether all of it was in order.
fn run(arguments: &[String], is_stream: bool, out: &mut impl Write) -> io::Result<bool> {
    let given = match arguments {
        [] => OBSERVE_REQUEST.into(),
        [dash] if dash == "-" => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes)?;
            bytes
        }
        // Many digits make a name that no file may have.
        [path] if fs::exists(path).unwrap_or(false) => fs::read(path)?,
        digits => digits.concat().into_bytes(),
    };
    if let Some(packets) = pcap::packets(&given) {
        return show_packets(packets, out);
    }
    let bytes = from_hex(&given)
        .ok_or_else(|| io::Error::other("neither an even number of hex digits, nor a file of them, nor a capture"))?;
    if is_stream { show_stream(&bytes, out) } else { show_datagram(&bytes, out) }
}

fn show_datagram(datagram: &[u8], out: &mut impl Write) -> io::Result<bool> {
    let message = match Message::parse(datagram) {
        Ok(message) => message,
        Err(error) => {
            writeln!(out, "malformed: {error}; {}", answer(duty(error)))?;
            if let Some(header) = error.header() {
                writeln!(out, "it began as {header}")?;
            }
            return Ok(false);
        }
    };
    writeln!(out, "{message:#?}")?;
    if message.kind() == Some(MessageKind::Request) {
        show_uri(&message, out)?;
    }
    show_links(&message.view(), out)?;
    for remark in remarks(&message) {
        writeln!(out, "! {remark}")?;
    }
    Ok(message.check(is_known).is_ok())
}

/// The address that it was sent to is not known: the place of it shows.
fn show_uri(message: &Message<'_>, out: &mut impl Write) -> io::Result<()> {
    let nowhere = SocketAddr::from(([0, 0, 0, 0], Scheme::Coap.default_port()));
    let mut buffer = [0; 4096];
    match Uri::compose(&mut buffer, Scheme::Coap, nowhere, &message.view()) {
        Ok(uri) => writeln!(out, "    = {uri}"),
        Err(error) => writeln!(out, "    = no uri: {error}"),
    }
}

fn show_links(message: &MessageView<'_>, out: &mut impl Write) -> io::Result<()> {
    if message.content_format() != Some(ContentFormat::LINK_FORMAT) {
        return Ok(());
    }
    match Links::from_utf8(message.payload()) {
        Err(error) => writeln!(out, "    ! {error}"),
        Ok(links) => links.into_iter().try_for_each(|link| match link {
            Ok(link) => writeln!(out, "    - {link:?}"),
            Err(error) => writeln!(out, "    ! {error}"),
        }),
    }
}

fn show_stream(stream: &[u8], out: &mut impl Write) -> io::Result<bool> {
    let mut rest = stream;
    while !rest.is_empty() {
        match tcp::parse(rest, Limits::new(usize::MAX)) {
            Ok(Frame::Complete { message, length }) => {
                writeln!(out, "{message:#?}")?;
                if message.code().is_signaling() {
                    match Signal::parse(&message) {
                        Ok(signal) => writeln!(out, "    = {signal:?}")?,
                        Err(error) => writeln!(out, "    ! {error}")?,
                    }
                }
                show_links(&message, out)?;
                rest = &rest[length..];
            }
            Ok(Frame::Incomplete { missing }) => {
                writeln!(out, "at least {missing} bytes are missing behind {} bytes", rest.len())?;
                return Ok(false);
            }
            Err(error) => {
                writeln!(out, "malformed: {error}; abort the connection")?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn show_packets(packets: pcap::Packets<'_>, out: &mut impl Write) -> io::Result<bool> {
    let (mut shown, mut in_order, mut start) = (0, true, None);
    for (number, packet) in packets.enumerate() {
        let Some(udp) = packet.udp() else { continue };
        let at_its_port = PORTS.contains(&udp.from.port()) || PORTS.contains(&udp.to.port());
        let parsed = Message::parse(udp.payload);
        if !at_its_port && !looks_like_coap(&parsed) {
            continue;
        }
        shown += 1;
        let seconds = packet.seconds - *start.get_or_insert(packet.seconds);
        write!(out, "{:>5} {seconds:>10.6} {} > {} ", number + 1, udp.from, udp.to)?;
        match parsed {
            Ok(message) => {
                writeln!(out, "{message:?}")?;
                for remark in remarks(&message) {
                    writeln!(out, "                 ! {remark}")?;
                }
                in_order &= message.check(is_known).is_ok();
            }
            // What DTLS encrypts on port 5684 is none of our business.
            Err(_) if is_dtls(udp.payload) => writeln!(out, "DTLS, {} bytes", udp.payload.len())?,
            Err(error) => {
                writeln!(out, "malformed: {error}; {}", answer(duty(error)))?;
                in_order = false;
            }
        }
    }
    writeln!(out, "{shown} CoAP messages")?;
    Ok(in_order)
}

fn looks_like_coap(parsed: &Result<Message<'_>, ParseError>) -> bool {
    parsed.is_ok_and(|message| {
        message.kind().is_some()
            && message.code().name().is_some()
            && message.options().all(|option| option.number.name().is_some())
    })
}

/// A record of DTLS 1.0 or 1.2: its type, and the version that no CoAP message begins with.
fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram, [20..=25, 0xfe, 0xfd | 0xff, ..])
}

fn is_known(number: OptionNumber) -> bool {
    number.name().is_some()
}

/// Everything that a receiver who knows all registered options would have to say.
fn remarks(message: &Message<'_>) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Err(refusal @ Refusal::Kind(_)) = message.check(is_known) {
        remarks.push(format!("{refusal}: {}", answer(refusal.reaction())));
    }
    for fault in message.option_faults(is_known) {
        let consequence = match fault.consequence {
            Consequence::TreatAsAbsent => "as if it were not there",
            Consequence::Refuse(due) => &answer(due),
        };
        remarks.push(format!("{}: {}: {consequence}", fault.option.number, fault.reason));
    }
    remarks
}

fn answer(reaction: Reaction) -> String {
    match reaction {
        Reaction::Ignore => "to be dropped in silence".into(),
        Reaction::Reset => "to be answered by a Reset".into(),
        Reaction::Respond(code) => format!("to be answered by {code:?}"),
    }
}

fn duty(error: ParseError) -> Reaction {
    error.reset().map_or(Reaction::Ignore, |_| Reaction::Reset)
}

/// White space and colons between digits do not count.
fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b':');
    let nibbles = digits.map(|digit| char::from(*digit).to_digit(16)).collect::<Option<Vec<_>>>()?;
    let (pairs, []) = nibbles.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &[&str], is_stream: bool) -> (bool, String) {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let mut out = Vec::new();
        let in_order = run(&arguments, is_stream, &mut out).unwrap();
        (in_order, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_datagram_is_shown_with_its_uri() {
        let expected = "CON 0.01 GET, Message ID 8193\n    token b1\n    Observe: 0\n    Uri-Path: \"3\"\n    \
            Uri-Path: \"0\"\n    Uri-Path: \"9\"\n    = coap://0.0.0.0/3/0/9\n";
        assert_eq!(shown(&[], false), (true, expected.into()));
        assert_eq!(shown(&["41 01 20 01", "b1:60:51", "3301300139"], false), (true, expected.into()));
    }

    #[test]
    fn what_is_wrong_is_shown_with_what_to_do() {
        let (in_order, text) = shown(&["40010001d1042a012a"], false);
        assert!(!in_order);
        assert!(text.ends_with("! Accept: more than one: to be answered by 4.02 Bad Option\n"), "{text}");
        let (in_order, text) = shown(&["40010007b5746573"], false);
        assert!(!in_order);
        assert!(text.starts_with("malformed: option value cut short, at byte 4; to be answered by a Reset\n"));
        assert!(run(&["4g".into()], false, &mut Vec::new()).is_err());
        let (in_order, text) = shown(&[&format!("40020001ff{}", "61".repeat(2000))], false);
        assert!(in_order && text.contains("2000 bytes"), "longer than the name of any file: {text}");
    }

    #[test]
    fn a_stream_is_shown_message_by_message() {
        let (in_order, text) = shown(&["01e24220e4410a41"], true);
        assert!(!in_order);
        assert_eq!(text.lines().last().unwrap(), "at least 1 bytes are missing behind 1 bytes");
        assert!(text.contains("= Ping { custody: false }") && text.contains("hold_off: Some(10)"), "{text}");
    }

    #[test]
    fn a_capture_is_shown_packet_by_packet() {
        let packets: pcap::tests::Rows<'_> = &[
            (1.5, 40000, 5683, &[0x40, 1, 0x7d, 0x34]),
            (1.75, 5683, 40000, b"\x60\x45\x7d\x34\xc0\xffhi"),
            (2.0, 40000, 5684, &[22, 0xfe, 0xfd, 0]),
            (2.5, 40000, 53, b"not CoAP"),
            (3.0, 40000, 5683, &[0x40, 1, 0, 1, 0xff]),
        ];
        let lines = [
            "    1   0.000000 192.0.2.1:40000 > 192.0.2.2:5683 CON 0.01 GET, Message ID 32052",
            "    2   0.250000 192.0.2.1:5683 > 192.0.2.2:40000 ACK 2.05 Content, Message ID 32052, \
             Content-Format: 0 text/plain;charset=utf-8, payload \"hi\" (2 bytes)",
            "    3   0.500000 192.0.2.1:40000 > 192.0.2.2:5684 DTLS, 4 bytes",
            "    5   1.500000 192.0.2.1:40000 > 192.0.2.2:5683 malformed: payload marker without payload, at byte 4; \
             to be answered by a Reset",
            "4 CoAP messages",
            "",
        ];
        for capture in [pcap::tests::capture(packets), pcapng::tests::capture(packets)] {
            let mut out = Vec::new();
            let in_order = show_packets(pcap::packets(&capture).unwrap(), &mut out).unwrap();
            assert!(!in_order);
            assert_eq!(String::from_utf8(out).unwrap(), lines.join("\n"));
        }
    }
}
