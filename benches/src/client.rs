//! A registered client, and the operations that it is measured by.
//!
//! It is set up as in the field: one server, which observes a resource and has set periods at the
//! Device object; messages come half a minute apart, so that the table of duplicates is in its steady
//! state. The Device has the 14 readable resources, 17 values in all, of the examples of other clients.

use core::time::Duration;

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, Token};
use lwm2m_core::objects::Device;
use lwm2m_core::{Client, Config, Credentials, Instant, Key, Output, Path, Peer, Session};

use crate::ENDPOINT;

/// What the server observes.
const BATTERY: Path = Path::resource(3, 0, 9);

/// The time between two operations.
const PAUSE: Duration = Duration::from_secs(30);

/// From an input of the client until it has nothing more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// GET /3/0 as TLV.
    ReadInstance,
    /// GET /3/0/0 as text.
    ReadResource,
    /// An Update that the application asks for, and its 2.04.
    Update,
    /// A value changed: a confirmable notification, and its acknowledgement.
    NotifyConfirmable,
    /// The same, non-confirmable.
    Notify,
    /// A timer that has nothing to do, and the question when the next one has.
    Idle,
}

impl Operation {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 6] =
        [Self::ReadInstance, Self::ReadResource, Self::Update, Self::NotifyConfirmable, Self::Notify, Self::Idle];

    /// As the tables name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadInstance => "Read /3/0 as TLV",
            Self::ReadResource => "Read /3/0/0 as text",
            Self::Update => "Update and its answer",
            Self::NotifyConfirmable => "Notify /3/0/9, confirmable",
            Self::Notify => "Notify /3/0/9",
            Self::Idle => "idle step",
        }
    }
}

/// A client, its device, and a server that answers at once.
#[derive(Debug)]
pub struct Desk {
    client: Client,
    device: Device,
    peer: Peer,
    now: Instant,
    /// Requests sent.
    count: u32,
    /// The last datagram that the client sent, and how long it is.
    sent: ([u8; 512], usize),
}

impl Desk {
    /// A client that has registered and is observed, ready for `operation` without an end.
    ///
    /// # Panics
    /// When the client does not what it should.
    #[must_use]
    pub fn new(operation: Operation) -> Self {
        let mut config = Config::new(ENDPOINT, Key::from_seed(1));
        // Long enough for as many operations as anybody wants.
        config = config.server(1, "coap://dm.example", Credentials::NoSec, u32::MAX);
        config.confirmable_notifications = operation == Operation::NotifyConfirmable;
        let mut client = Client::new(config, Instant::ZERO).expect("a valid configuration");
        client.reserve();
        client.network_up(Instant::ZERO);
        let peer = match client.poll_output() {
            Some(Output::Connect { peer, .. }) => peer,
            other => panic!("a session is asked for first, not {other:?}"),
        };
        let mut desk = Self { client, device: device(), peer, now: Instant::ZERO, count: 0, sent: ([0; 512], 0) };
        desk.client.connected(desk.now, peer, Session::New, &mut desk.device);
        desk.drain();
        desk.reply(Code::CREATED, |writer| {
            writer.location_path("rd").expect("room");
            writer.location_path("5a3f").expect("room");
        });
        assert!(desk.client.is_registered(desk.now, 1), "registered");
        desk.request(Code::PUT, &["3"], |writer| {
            writer.uri_query("pmin=1").expect("room");
            writer.uri_query("pmax=100000000").expect("room");
        });
        assert_eq!(desk.last().code(), Code::CHANGED);
        desk.request(Code::GET, &["3", "0", "9"], |writer| writer.observe(0).expect("room"));
        assert!(desk.last().observe().is_some(), "observed");
        for _ in 0..32 {
            desk.run(operation);
        }
        desk
    }

    /// One operation; the answer to a Read, the Update or the notification is the [`last`](Self::last)
    /// message then.
    pub fn run(&mut self, operation: Operation) {
        self.now = self.now + PAUSE;
        match operation {
            Operation::ReadInstance => {
                self.get(*b"\x48\x01\0\0\0\0\0\0\0\0\0\0\xb1\x33\x01\x30\x62\x2d\x16");
            }
            Operation::ReadResource => self.get(*b"\x48\x01\0\0\0\0\0\0\0\0\0\0\xb1\x33\x01\x30\x01\x30"),
            Operation::Update => {
                let wanted = self.client.update(self.now, 1);
                debug_assert_eq!(wanted, Ok(()));
                self.client.handle_timeout(self.now, &mut self.device);
                self.drain();
                self.acknowledge(Code::CHANGED);
            }
            Operation::NotifyConfirmable | Operation::Notify => {
                let level = self.device.battery_level.unwrap_or(0);
                self.device.battery_level = Some((level + 1) % 100);
                self.client.notify(self.now, BATTERY, &mut self.device);
                self.drain();
                // Once a day also for those that are not (RFC 7641, section 4.5).
                if self.sent.0[0] & 0x30 == 0 {
                    self.acknowledge(Code::EMPTY);
                }
            }
            Operation::Idle => {
                self.client.handle_timeout(self.now, &mut self.device);
                core::hint::black_box(self.client.poll_timeout());
            }
        }
    }

    /// The last message that the client sent.
    ///
    /// # Panics
    /// When it is no message.
    #[must_use]
    pub fn last(&self) -> Message<'_> {
        Message::parse(&self.sent.0[..self.sent.1]).expect("a message")
    }

    /// Sends a request with a Message ID and a token of its own.
    fn get<const N: usize>(&mut self, mut datagram: [u8; N]) {
        self.count = self.count.wrapping_add(1);
        datagram[2..4].copy_from_slice(&self.count.to_be_bytes()[2..]);
        datagram[4..8].copy_from_slice(&self.count.to_be_bytes());
        self.receive(core::hint::black_box(&datagram));
    }

    /// Sends a confirmable request.
    fn request(&mut self, method: Code, path: &[&str], write: impl FnOnce(&mut MessageWriter<'_>)) {
        self.count += 1;
        let id = MessageId(self.count as u16);
        let mut buffer = [0; 64];
        let header = Header { message_type: MessageType::Confirmable, code: method, message_id: id };
        let token = Token::new(&self.count.to_be_bytes()).expect("four bytes");
        let mut writer = MessageWriter::new(&mut buffer, header, token).expect("room");
        for segment in path {
            writer.uri_path(segment).expect("room");
        }
        write(&mut writer);
        self.receive(writer.finish());
    }

    /// Answers the last message: a response that says no more than its code, or an acknowledgement.
    fn acknowledge(&mut self, code: Code) {
        let mut datagram = [0; 12];
        datagram.copy_from_slice(&self.sent.0[..12]);
        let token = if code == Code::EMPTY { 0 } else { 8 };
        (datagram[0], datagram[1]) = (0x60 | token, code.to_byte());
        self.receive(&datagram[..4 + usize::from(token)]);
    }

    /// Answers the last message with more than that.
    fn reply(&mut self, code: Code, write: impl FnOnce(&mut MessageWriter<'_>)) {
        let request = self.last();
        let (message_id, token) = (request.message_id(), request.token());
        let mut buffer = [0; 64];
        let header = Header { message_type: MessageType::Acknowledgement, code, message_id };
        let mut writer = MessageWriter::new(&mut buffer, header, token).expect("room");
        write(&mut writer);
        self.receive(writer.finish());
    }

    fn receive(&mut self, datagram: &[u8]) {
        self.client.handle_datagram(self.now, self.peer, datagram, &mut self.device);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            if let Output::Transmit { datagram, .. } = output {
                self.sent.1 = datagram.len().min(self.sent.0.len());
                self.sent.0[..self.sent.1].copy_from_slice(&datagram[..self.sent.1]);
            }
        }
        while let Some(event) = self.client.poll_event() {
            core::hint::black_box(&event);
        }
    }
}

/// The Device object of the examples of others.
fn device() -> Device {
    let mut device = Device::new("Open Mobile Alliance", "Lightweight M2M Client");
    device.serial_number = Some("345000123".into());
    device.firmware_version = Some("1.0".into());
    device.power_sources = [1, 5].into();
    device.voltages = [3_800, 5_000].into();
    device.currents = [125, 900].into();
    device.battery_level = Some(100);
    device.memory_free = Some(15);
    device.current_time = Some((1_367_491_215, Instant::ZERO));
    device.utc_offset = Some("+01:00".into());
    device.timezone = Some("Europe/Berlin".into());
    device
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap_codec::ContentFormat;

    #[test]
    fn each_operation_does_what_it_is_called() {
        for operation in Operation::ALL {
            let mut desk = Desk::new(operation);
            let before = desk.last().message_id();
            desk.sent.1 = 0;
            for _ in 0..100 {
                desk.run(operation);
            }
            if operation == Operation::Idle {
                assert_eq!(desk.sent.1, 0, "nothing is due");
                continue;
            }
            let last = desk.last();
            assert_ne!(last.message_id(), before);
            let format = last.content_format();
            match operation {
                Operation::ReadInstance => {
                    assert_eq!((last.code(), format), (Code::CONTENT, Some(ContentFormat::LWM2M_TLV)));
                    // Header, token, format, marker; 14 resources of 17 values.
                    assert_eq!(last.as_bytes().len(), 4 + 8 + 3 + 1 + 137);
                }
                Operation::ReadResource => {
                    assert_eq!((last.code(), format), (Code::CONTENT, Some(ContentFormat::TEXT_PLAIN)));
                    assert_eq!(last.payload(), b"Open Mobile Alliance");
                }
                Operation::Update => {
                    assert_eq!(last.code(), Code::POST);
                    assert!(last.uri_path().eq([&b"rd"[..], b"5a3f"]) && last.payload().is_empty());
                }
                Operation::NotifyConfirmable | Operation::Notify => {
                    assert_eq!(last.payload(), desk.device.battery_level.unwrap().to_string().as_bytes());
                    let kind = if operation == Operation::Notify {
                        MessageType::NonConfirmable
                    } else {
                        MessageType::Confirmable
                    };
                    assert_eq!((last.message_type(), last.observe().is_some()), (kind, true));
                }
                Operation::Idle => {}
            }
        }
    }
}
