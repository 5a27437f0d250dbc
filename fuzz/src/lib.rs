//! What the fuzz targets do with their bytes. Each function panics when something is wrong.

mod coap_write;
mod formats;
mod requests;

use core::time::Duration;

use coap_codec::link_format::{LinkWriter, Links};
use coap_codec::tcp::{Decoder, Signal};
use coap_codec::{
    Code, Consequence, Header, Message, MessageId, MessageType, MessageView, MessageWriter, Scheme, Token, Uri,
};
use endpoint_name::{ClientName, EndpointName, EndpointNameBuf, Leniency, LenientName, classify};
use lwm2m_core::objects::{
    ConnectivityMonitoring, ConnectivityStatistics, Device, DownloadError, FirmwareUpdate, Location, PackageStore,
    Protocol, StoreError,
};
use lwm2m_core::{Client, Config, Credentials, Ctx, Instant, Key, Output, Part, Path, Peer, Session, Wake};

pub use coap_write::coap_write;
pub use formats::formats;
pub use requests::requests;

/// What parses as a CoAP message writes back to the same bytes.
pub fn coap_message(data: &[u8]) {
    let Ok(message) = Message::parse(data) else { return };
    let mut buffer = vec![0; data.len()];
    let mut writer = MessageWriter::new(&mut buffer, message.header(), message.token()).expect("room for the head");
    for option in message.options() {
        writer.option(option.number, option.value).expect("room for every option");
    }
    writer.payload(message.payload()).expect("room for the payload");
    assert_eq!(writer.finish(), data);
}

/// Whatever parses is malformed, refused or fine, and everything in it can be read; what the two readers
/// of datagrams both take is the same to both.
pub fn coap_check(data: &[u8]) {
    let message = Message::parse(data);
    let long = MessageView::parse_with_extended_token(data);
    if let Ok(message) = message {
        assert_eq!(long, Ok((message.header(), message.view())));
        let known = |number: coap_codec::OptionNumber| number.name().is_some();
        let refused = |fault: coap_codec::OptionFault<'_>| matches!(fault.consequence, Consequence::Refuse(_));
        let checked = message.check(known);
        if message.option_faults(known).any(refused) || message.unsupported_option(known).is_some() {
            assert!(checked.is_err());
        }
        let _ = (format!("{message:?} {checked:?}"), message.check_to_forward(known));
    }
    let Ok((header, view)) = long else { return };
    let mut buffer = vec![0; data.len() + 2];
    let mut writer = MessageWriter::with_extended_token(&mut buffer, header, view.token()).expect("room for the head");
    for option in view.options() {
        writer.option(option.number, option.value).expect("room for every option");
    }
    writer.payload(view.payload()).expect("room for the payload");
    assert_eq!(writer.as_bytes(), data);
    let frame = writer.finish_tcp().expect("room for the head of a frame");
    let mut memory = vec![0; frame.len()];
    let mut decoder = Decoder::new(&mut memory).with_extended_tokens();
    let mut rest = frame;
    let message = decoder.decode(&mut rest).expect("a frame").expect("all of it");
    assert!(message.code() == view.code() && message.payload() == view.payload());
    assert!(message.code().is_empty() || message.options().eq(view.options()));
}

/// A stream comes to the same in pieces of any size, the first byte says of which.
pub fn coap_tcp(data: &[u8]) {
    let Some((size, stream)) = data.split_first() else { return };
    let run = |size: usize| {
        let mut memory = [0; 300];
        let mut decoder = Decoder::new(&mut memory);
        let mut messages = Vec::new();
        for piece in stream.chunks(size) {
            let mut rest = piece;
            loop {
                match decoder.decode(&mut rest) {
                    Ok(Some(message)) => messages.push(format!("{message:?} {:?}", Signal::parse(&message))),
                    Ok(None) => break,
                    Err(error) => return (messages, Some(error)),
                }
            }
        }
        (messages, None)
    };
    assert_eq!(run(usize::from(*size) + 1), run(stream.len().max(1)));
}

/// Links that are read can be written, and read again to the same.
pub fn link_format(data: &[u8]) {
    let Ok(mut links) = Links::from_utf8(data) else { return };
    let mut buffer = vec![0; 2 * data.len() + 16];
    let mut writer = LinkWriter::new(&mut buffer);
    let mut read = Vec::new();
    for link in links.by_ref() {
        let Ok(link) = link else { return };
        if writer.link(link.target()).is_err() {
            // A target beyond ASCII is read, but not written.
            return;
        }
        for attribute in link.attributes() {
            let written = match attribute.value {
                None => writer.flag(attribute.name),
                Some(value) if value.is_quoted() => writer.quoted(attribute.name, &value.to_string()),
                Some(value) => writer.token(attribute.name, value.raw()),
            };
            written.expect("what is read can be written");
        }
        read.push(link);
    }
    let again: Vec<_> = Links::from_utf8(writer.finish()).expect("text").map(|link| link.expect("a link")).collect();
    assert_eq!(read.len(), again.len());
    for (one, other) in read.iter().zip(&again) {
        assert!(one.target() == other.target() && one.attributes().eq(other.attributes()));
    }
}

/// The options of a URI make a URI that has the same options.
pub fn uri(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let Ok(uri) = Uri::parse(text) else { return };
    let destination = "192.0.2.1:5683".parse().expect("an address");
    let mut room = vec![0; 4 * data.len() + 300];
    let Some(first) = request_for(&uri, destination, &mut room) else { return };
    let mut text = vec![0; 8 * data.len() + 300];
    // A host may be decoded to what no host may have.
    let Ok(composed) = Uri::compose(&mut text, Scheme::Coap, destination, &first.view()) else { return };
    let mut room = vec![0; 4 * data.len() + 300];
    let Some(second) = request_for(&composed, destination, &mut room) else { return };
    assert!(first.uri_path().eq(second.uri_path()) && first.uri_query().eq(second.uri_query()));
}

fn request_for<'b>(uri: &Uri<'_>, destination: core::net::SocketAddr, room: &'b mut [u8]) -> Option<Message<'b>> {
    let header = Header::new(MessageType::NonConfirmable, Code::GET, MessageId(0));
    let mut writer = MessageWriter::new(room, header, Token::EMPTY).expect("room for the head");
    uri.write_options(&mut writer, Some(destination)).ok()?;
    let message = Message::parse(writer.finish()).expect("a message");
    assert!(message.uri_path().all(|segment| segment != b"." && segment != b".."));
    Some(message)
}

/// What parses as an endpoint name prints as it was; what parses leniently prints in its canonical form;
/// and the form of the DM specification is that of the strict names.
pub fn endpoint_name(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let strict = EndpointName::parse(text);
    if let Ok(name) = strict {
        assert_eq!(name.to_string(), text);
        assert_eq!(EndpointNameBuf::from(name).as_name(), name);
    }
    match LenientName::parse(text, Leniency::ALL) {
        Ok(name) => {
            assert_eq!(name.used() == Leniency::STRICT, strict.is_ok());
            assert_eq!(LenientName::parse(text, name.used()), Ok(name));
            assert!(name.lints().all(|lint| lint.position() <= text.len()));
            let canonical = name.to_string();
            let again = LenientName::parse(&canonical, name.used()).expect("a canonical form is a name");
            assert_eq!((again.version(), again.to_string()), (name.version(), canonical));
            if let Ok(converted) = EndpointNameBuf::try_from(name) {
                assert_eq!(converted.as_str(), name.to_string());
            }
        }
        Err(error) => {
            assert!(strict.is_err());
            assert!(text.is_char_boundary(error.position()));
        }
    }
    match classify(text) {
        Ok(ClientName::Dm(name)) => assert_eq!(Ok(name), strict),
        Ok(_) => assert!(strict.is_err()),
        Err(error) => assert!(strict.is_err() && text.is_char_boundary(error.position())),
    }
}

fn config() -> Config {
    Config::new("fuzz", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 3_600)
}

/// No bytes make a client that cannot go on.
pub fn snapshot(data: &[u8]) {
    let wake = Wake::Sleep { elapsed: Duration::from_secs(60) };
    let Ok(mut client) = Client::restore(config(), data, Instant::ZERO, wake) else { return };
    let mut device = Device::new("Example Works", "TM-1");
    client.network_up(Instant::from_secs(1));
    client.handle_timeout(Instant::from_secs(2), &mut device);
    while client.poll_output().is_some() {}
}

/// A life made of bytes: each step is an operation, a time that passes, and perhaps a datagram.
pub fn client(data: &[u8]) {
    let mut life = Life::new();
    let mut rest = data;
    while let [operation, wait, after @ ..] = rest {
        rest = after;
        life.now = life.now + Duration::from_millis(u64::from(*wait).pow(3));
        rest = life.step(*operation, rest);
        life.drain();
    }
}

/// Everything that a device may have.
type Objects = (Device, (FirmwareUpdate<Flash>, (Location, (ConnectivityMonitoring, ConnectivityStatistics))));

fn objects() -> Objects {
    let firmware = FirmwareUpdate::new(Flash, [Protocol::Coap]);
    let monitoring = ConnectivityMonitoring::new(6);
    (
        Device::new("Example Works", "TM-1"),
        (firmware, (Location::default(), (monitoring, ConnectivityStatistics::new()))),
    )
}

/// Takes any package that does not begin with an `x`.
struct Flash;

impl PackageStore for Flash {
    fn store(&mut self, _: &Ctx, part: Part<'_>) -> Result<(), StoreError> {
        if part.bytes.starts_with(b"x") { Err(StoreError::Failed(DownloadError::Type)) } else { Ok(()) }
    }

    fn discard(&mut self) {}
}

struct Life {
    client: Client,
    device: Objects,
    now: Instant,
    peer: Option<Peer>,
    /// Message ID and token of the last message: what an answer needs.
    last: Vec<u8>,
}

impl Life {
    fn new() -> Self {
        let client = Client::new(config(), Instant::ZERO).expect("a valid configuration");
        let device = objects();
        let mut life = Self { client, device, now: Instant::ZERO, peer: None, last: Vec::new() };
        life.client.network_up(life.now);
        life.drain();
        life
    }

    fn step<'a>(&mut self, operation: u8, rest: &'a [u8]) -> &'a [u8] {
        let Self { client, device, now, .. } = self;
        match operation % 16 {
            0 => {
                client.handle_timeout(*now, device);
                assert!(client.poll_timeout().is_none_or(|next| next > *now), "a deadline that does not move");
            }
            1 => client.network_up(*now),
            2 => client.network_down(*now),
            3 => client.enter_flight_mode(*now),
            4 => client.leave_flight_mode(*now),
            5 => client.address_changed(*now),
            6 => drop(client.update(*now, 1)),
            7 => {
                let (basics, (firmware, (location, (_, statistics)))) = device;
                basics.battery_level = Some(operation >> 4);
                firmware.take_action();
                match operation >> 4 {
                    0..4 => firmware.downloaded(),
                    4..6 => firmware.download_failed(DownloadError::Connection),
                    6..8 => firmware.installed(),
                    8..10 => firmware.installation_failed(),
                    _ => location.fix(f64::from(operation), 0.0, i64::from(operation)),
                }
                statistics.sent(*now, u32::from(operation));
                client.notify(*now, Path::ROOT, device);
            }
            8 => *now = Instant::from_micros(now.as_micros() / 2),
            // The server grants what was asked last: 2.01 with a Location.
            9 | 10 if self.last.len() >= 4 => {
                let mut answer = self.last.clone();
                answer[0] = 0x60 | answer[0] & 0x0F;
                answer[1] = if operation & 16 == 0 { 0x41 } else { 0x44 };
                answer.extend_from_slice(b"\x82rd\x011");
                self.receive(&answer, false);
            }
            // A datagram as it comes, some by multicast: its length, then its bytes.
            _ => {
                let (len, rest) = rest.split_first().map_or((0, rest), |(len, rest)| (usize::from(*len), rest));
                let (datagram, rest) = rest.split_at(len.min(rest.len()));
                self.receive(datagram, operation >= 0xF0);
                return rest;
            }
        }
        rest
    }

    fn receive(&mut self, datagram: &[u8], multicast: bool) {
        let (Some(peer), Self { client, device, now, .. }) = (self.peer, self) else { return };
        if multicast {
            client.handle_multicast(*now, peer, datagram, device);
        } else {
            client.handle_datagram(*now, peer, datagram, device);
        }
    }

    fn drain(&mut self) {
        let mut made = None;
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { peer, .. } => made = Some(peer),
                Output::Transmit { datagram, .. } => {
                    let message = Message::parse(datagram).expect("we send well-formed messages");
                    let head = 4 + message.token().len();
                    self.last = datagram[..head].to_vec();
                }
                Output::Disconnect { .. } => {}
            }
        }
        if let Some(peer) = made {
            self.peer = Some(peer);
            self.client.connected(self.now, peer, Session::New, &mut self.device);
            self.drain();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Runs every committed input through its target.
    fn replay(target: &str, body: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
        let mut inputs = 0;
        for entry in fs::read_dir(&folder).expect("a folder of seeds") {
            body(&fs::read(entry.expect("an entry").path()).expect("a file"));
            inputs += 1;
        }
        assert!(inputs > 0, "no seeds for {target}");
    }

    #[test]
    fn seeds_of_coap_message() {
        replay("coap_message", super::coap_message);
    }

    #[test]
    fn seeds_of_coap_check() {
        replay("coap_check", super::coap_check);
        // Every message is one to check.
        replay("coap_message", super::coap_check);
    }

    #[test]
    fn seeds_of_coap_write() {
        replay("coap_write", super::coap_write);
    }

    #[test]
    fn seeds_of_coap_tcp() {
        replay("coap_tcp", super::coap_tcp);
    }

    #[test]
    fn seeds_of_link_format() {
        replay("link_format", super::link_format);
    }

    #[test]
    fn seeds_of_uri() {
        replay("uri", super::uri);
    }

    #[test]
    fn seeds_of_endpoint_name() {
        replay("endpoint_name", super::endpoint_name);
    }

    #[test]
    fn seeds_of_snapshot() {
        replay("snapshot", super::snapshot);
    }

    #[test]
    fn seeds_of_formats() {
        replay("formats", super::formats);
    }

    #[test]
    fn seeds_of_requests() {
        replay("requests", super::requests);
    }

    #[test]
    fn seeds_of_client() {
        replay("client", super::client);
    }
}
