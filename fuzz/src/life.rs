//! A client's life made of bytes.

use core::cell::Cell;
use core::time::Duration;

use coap_codec::{Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token};
use lwm2m_core::objects::{
    ConnectivityMonitoring, ConnectivityStatistics, Device, DownloadError, FirmwareUpdate, Location, PackageStore,
    Protocol, StoreError,
};
use lwm2m_core::{Client, Ctx, Event, Instant, Output, Part, Path, Peer, Session, Wake};

use crate::config;

/// Each step is an operation, a time that passes, and perhaps a datagram. True when a request reached the
/// model: a life in which none does is a poor one.
pub fn client(data: &[u8]) -> bool {
    // A life that begins with 255 begins before the registration.
    let (mut life, mut rest) = match data {
        [255, rest @ ..] => (Life::new(), rest),
        _ => (Life::registered(), data),
    };
    while let [operation, wait, after @ ..] = rest {
        rest = after;
        life.now = life.now + Duration::from_millis(u64::from(*wait).pow(3));
        rest = life.step(*operation, rest);
        life.drain();
    }
    life.reached
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

/// What a server asks for: there and writable, there, and not there.
const PATHS: [&str; 16] = [
    "3/0", "3/0/9", "3/0/13", "3/0/14", "3/0/4", "3/0/11", "3", "1/0", "1/0/1", "1/0/8", "5/0/0", "5/0/1", "5/0/2",
    "6/0", "7/0", "4/0/2",
];

/// By the upper half of a byte; what is read is not refused as easily as what is written.
const METHODS: [Code; 8] = [Code::GET, Code::PUT, Code::POST, Code::DELETE, Code::GET, Code::GET, Code::GET, Code::PUT];

struct Life {
    client: Client,
    device: Objects,
    now: Instant,
    peer: Option<Peer>,
    /// Message ID and token of the last message: what an answer needs.
    last: Vec<u8>,
    /// The last request that was made of bytes.
    request: Vec<u8>,
    next_id: u16,
    reached: bool,
}

impl Life {
    fn new() -> Self {
        let client = Client::new(config(), Instant::ZERO).expect("a valid configuration");
        let mut life = Self {
            client,
            device: objects(),
            now: Instant::ZERO,
            peer: None,
            last: Vec::new(),
            request: Vec::new(),
            next_id: 0,
            reached: false,
        };
        life.client.network_up(life.now);
        life.drain();
        life
    }

    fn registered() -> Self {
        let mut life = Self::new();
        life.grant(Code::CREATED);
        life.drain();
        assert!(life.client.is_registered(life.now, 1));
        life
    }

    fn step<'a>(&mut self, operation: u8, rest: &'a [u8]) -> &'a [u8] {
        let Self { client, device, now, .. } = self;
        match operation % 24 {
            0 => {
                client.handle_timeout(*now, device);
                assert!(client.poll_timeout().is_none_or(|next| next > *now), "a deadline that does not move");
            }
            // Until the next deadline, however far it is.
            1 if operation >= 0x80 => {
                *now = client.poll_timeout().map_or(*now, |next| next.max(*now));
                client.handle_timeout(*now, device);
            }
            1 => client.network_up(*now),
            // Seldom, as not much follows.
            2 | 3 if (0x40..0xC0).contains(&operation) => return self.ask(operation, rest),
            2 if operation >= 0xC0 => client.shutdown(*now),
            2 => client.network_down(*now),
            3 => client.enter_flight_mode(*now),
            4 => client.leave_flight_mode(*now),
            5 if operation >= 0x80 => self.sleep(),
            5 => client.address_changed(*now),
            // The radio slept, for as long as it happens; or will.
            6 if operation >= 0xC0 => {
                let since = *now;
                *now = *now + Duration::from_secs(u64::from(operation) * 9);
                client.was_unreachable(*now, since);
            }
            6 if operation >= 0x80 => {
                client.will_be_unreachable(*now, *now + Duration::from_secs(u64::from(operation) * 90));
            }
            6 => drop(client.update(*now, 1)),
            7 => self.change(operation >> 4),
            8 => *now = Instant::from_micros(now.as_micros() / 2),
            // The server grants what was asked last: 2.01 with a Location, or 2.04; or rejects it.
            9 if operation & 16 == 0 => self.grant(Code::CREATED),
            9 => self.grant(Code::CHANGED),
            10 => self.reject(operation),
            // A request that makes sense, once, again, and with a byte of it changed.
            11 | 12 | 16.. => return self.ask(operation, rest),
            13 => self.receive(&self.request.clone(), false),
            14 => {
                let [at, byte, rest @ ..] = rest else { return rest };
                let mut request = self.request.clone();
                if let Some(place) = usize::from(*at).checked_rem(request.len()) {
                    request[place] ^= byte;
                }
                self.receive(&request, operation >= 0xF0);
                return rest;
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

    /// Something of the device changes by itself.
    fn change(&mut self, what: u8) {
        let Self { client, device, now, .. } = self;
        let (basics, (firmware, (location, (_, statistics)))) = device;
        basics.battery_level = Some(what);
        firmware.take_action();
        match what {
            0..4 => firmware.downloaded(),
            4..6 => firmware.download_failed(DownloadError::Connection),
            6..8 => firmware.installed(),
            8..10 => firmware.installation_failed(),
            _ => location.fix(f64::from(what), 0.0, i64::from(what)),
        }
        statistics.sent(*now, u32::from(what));
        client.notify(*now, Path::ROOT, device);
    }

    /// The memory goes off, and comes back from flash.
    fn sleep(&mut self) {
        let mut flash = [0; 8_192];
        let len = self.client.snapshot(self.now, &mut flash).expect("room");
        let wake = Wake::Sleep { elapsed: Duration::from_secs(5) };
        self.client = Client::restore(config(), &flash[..len], self.now, wake).expect("what was written");
        self.client.network_up(self.now);
    }

    /// A request: method and path, which parts it has, the length of its payload, and that.
    fn ask<'a>(&mut self, operation: u8, rest: &'a [u8]) -> &'a [u8] {
        let [what, parts, len, rest @ ..] = rest else { return rest };
        let (payload, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        self.next_id = self.next_id.wrapping_add(1);
        let kinds = [MessageType::Confirmable, MessageType::NonConfirmable];
        let header = Header {
            message_type: kinds[usize::from(operation & 1 == 0 && operation >= 0x80)],
            code: METHODS[usize::from(what >> 4 & 7)],
            message_id: MessageId(self.next_id),
        };
        let mut buffer = [0; 512];
        let token = Token::new(&self.next_id.to_be_bytes()).expect("a token");
        let mut writer = MessageWriter::new(&mut buffer, header, token).expect("room");
        writer.path(PATHS[usize::from(what & 15)]).expect("room");
        if parts & 1 != 0 {
            let format = [0, 42, 11_542, 11_543][usize::from(parts >> 6)];
            writer.content_format(ContentFormat(format)).expect("room");
        }
        if parts & 2 != 0 {
            writer.observe(u32::from(parts >> 5 & 1)).expect("room");
        }
        if parts & 4 != 0 {
            writer.option(OptionNumber::URI_QUERY, &payload[..payload.len().min(30)]).expect("room");
        }
        if parts & 8 != 0 {
            writer.option(OptionNumber::BLOCK1, &payload[..payload.len().min(2)]).expect("room");
        }
        if parts & 16 != 0 {
            writer.option(OptionNumber::BLOCK2, &payload[..payload.len().min(1)]).expect("room");
        }
        if header.code != Code::GET {
            writer.payload(payload).expect("room");
        }
        self.request = writer.finish().to_vec();
        self.receive(&self.request.clone(), false);
        rest
    }

    fn grant(&mut self, code: Code) {
        let mut answer = self.last.clone();
        if let [first, second, ..] = &mut *answer {
            (*first, *second) = (0x60 | *first & 0x0F, code.to_byte());
            answer.extend_from_slice(b"\x82rd\x011");
            self.receive(&answer, false);
        }
    }

    /// An Empty acknowledgement or a Reset.
    fn reject(&mut self, operation: u8) {
        if let [_, _, high, low, ..] = *self.last {
            let kind = if operation & 16 == 0 { 0x60 } else { 0x70 };
            self.receive(&[kind, 0, high, low], false);
        }
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
        let (made, sent) = (Cell::new(None), Cell::new(0_u32));
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { peer, .. } => made.set(Some(peer)),
                Output::Transmit { datagram, .. } => {
                    let message = Message::parse(datagram).expect("we send well-formed messages");
                    let head = 4 + message.token().len();
                    self.last = datagram[..head].to_vec();
                    sent.set(sent.get() + 1);
                }
                Output::Disconnect { .. } => {}
            }
        }
        assert!(sent.get() <= 40, "{} datagrams because of one input", sent.get());
        while let Some(event) = self.client.poll_event() {
            self.reached |= matches!(
                event,
                Event::Read { .. }
                    | Event::Written { .. }
                    | Event::Executed { .. }
                    | Event::Created { .. }
                    | Event::Deleted { .. }
                    | Event::Observed { .. }
            );
        }
        if let Some(peer) = made.get() {
            self.peer = Some(peer);
            self.client.connected(self.now, peer, Session::New, &mut self.device);
            self.drain();
        }
    }
}
