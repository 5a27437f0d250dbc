//! The platform: hands out an account, registers one device, and has something executed.

use core::time::Duration;

use coap_codec::{Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token};
use lwm2m_core::sim::Tlv;
use lwm2m_core::{Instant, Peer};

/// The lifetime that it hands out, in seconds.
const LIFETIME: i64 = 1_000;

/// So long it repeats a request (MAX_TRANSMIT_SPAN; RFC 7252, section 4.8.2).
const MAX_TRANSMIT_SPAN: Duration = Duration::from_secs(45);

/// A confirmable request of the platform that nobody answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Open {
    pub(crate) peer: Peer,
    pub(crate) datagram: Vec<u8>,
    /// How often it was sent, and when first.
    pub(crate) sent: u8,
    since: Instant,
    purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Purpose {
    Bootstrap,
    Execute,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Platform {
    /// The next command of the bootstrap that goes on.
    step: Option<u8>,
    pub(crate) open: Option<Open>,
    /// The number of the registration, and when it ends.
    pub(crate) registration: Option<(u8, Instant)>,
    registrations: u8,
    /// The last requests of the device and their answers: a duplicate gets its answer once more.
    answered: Vec<(Peer, u16, Vec<u8>)>,
    next_id: u16,
    /// How many executions it was told to have come about.
    pub(crate) executed: u8,
}

impl Platform {
    pub(crate) fn new() -> Self {
        Self {
            step: None,
            open: None,
            registration: None,
            registrations: 0,
            answered: Vec::new(),
            next_id: 100,
            executed: 0,
        }
    }

    /// Where the device is registered.
    pub(crate) fn location(&self) -> Option<[Vec<u8>; 2]> {
        self.registration.map(|(number, _)| [b"rd".to_vec(), number.to_string().into_bytes()])
    }

    /// Forgets a device that did not update in time, and a request that may not be repeated any more.
    pub(crate) fn pass(&mut self, now: Instant) {
        self.registration = self.registration.filter(|(_, expires)| now < *expires);
        if self.open.as_ref().is_some_and(|open| now > open.since + MAX_TRANSMIT_SPAN) {
            self.give_up();
        }
    }

    /// Asks a device for what may be done only once.
    pub(crate) fn ask(&mut self, now: Instant, peer: Peer) -> Vec<u8> {
        self.request((now, peer), Purpose::Execute, Code::POST, &["3", "0", "4"], None)
    }

    /// Sends its open request once more.
    pub(crate) fn repeat(&mut self) -> Option<(Peer, Vec<u8>)> {
        let open = self.open.as_mut()?;
        open.sent += 1;
        Some((open.peer, open.datagram.clone()))
    }

    /// Begins anew, and knows nobody.
    pub(crate) fn restart(&mut self) {
        self.give_up();
        self.registration = None;
        self.answered.clear();
    }

    /// Whether it waits for the answer to what may be done only once, on this path.
    pub(crate) fn awaits_execution(&self, path: Option<Peer>) -> bool {
        self.open.as_ref().is_some_and(|open| open.purpose == Purpose::Execute && Some(open.peer) == path)
    }

    /// Gives its open request up.
    pub(crate) fn give_up(&mut self) {
        self.open = None;
        self.step = None;
    }

    /// Takes a datagram of the device; what it sends because of it.
    pub(crate) fn receive(&mut self, now: Instant, peer: Peer, datagram: &[u8]) -> Vec<Vec<u8>> {
        let message = Message::parse(datagram).expect("a message");
        match message.message_type() {
            MessageType::Confirmable => self.requested(now, peer, &message),
            _ => self.answered(now, peer, &message),
        }
    }

    fn requested(&mut self, now: Instant, peer: Peer, message: &Message<'_>) -> Vec<Vec<u8>> {
        let id = message.message_id().0;
        if let Some((_, _, answer)) = self.answered.iter().find(|(from, known, _)| (*from, *known) == (peer, id)) {
            return vec![answer.clone()];
        }
        let path: Vec<_> = message.uri_path().map(<[u8]>::to_vec).collect();
        let known = self.location().is_some_and(|location| location[..] == path[..]);
        let expires = now + Duration::from_secs(LIFETIME as u64);
        let begins = path == [b"bs"];
        let code = match message.code() {
            Code::POST if begins => Code::CHANGED,
            Code::POST if path == [b"rd"] => {
                self.registrations += 1;
                self.registration = Some((self.registrations, expires));
                Code::CREATED
            }
            Code::POST if known => {
                self.registration = self.registration.map(|(number, _)| (number, expires));
                Code::CHANGED
            }
            Code::DELETE if known => {
                self.registration = None;
                Code::DELETED
            }
            _ => Code::NOT_FOUND,
        };
        let answer = compose(MessageType::Acknowledgement, code, message.message_id(), message.token(), |writer| {
            if code == Code::CREATED {
                for segment in self.location().into_iter().flatten() {
                    writer.option(OptionNumber::LOCATION_PATH, &segment).expect("room");
                }
            }
        });
        self.answered.push((peer, id, answer.clone()));
        let mut sent = vec![answer];
        if begins {
            self.step = Some(0);
            sent.extend(self.command(now, peer));
        }
        sent
    }

    fn answered(&mut self, now: Instant, peer: Peer, message: &Message<'_>) -> Vec<Vec<u8>> {
        let answers = |open: &mut Open| {
            let asked = Message::parse(&open.datagram).expect("a message");
            open.peer == peer && asked.message_id() == message.message_id()
        };
        let Some(open) = self.open.take_if(answers) else { return Vec::new() };
        match open.purpose {
            Purpose::Execute => self.executed += u8::from(message.code() == Code::CHANGED),
            Purpose::Bootstrap if message.code().is_success() => return self.command(now, peer).into_iter().collect(),
            Purpose::Bootstrap => self.step = None,
        }
        Vec::new()
    }

    /// The next command of a bootstrap.
    fn command(&mut self, now: Instant, peer: Peer) -> Option<Vec<u8>> {
        let step = self.step?;
        self.step = Some(step + 1).filter(|step| *step < 4);
        let security = Tlv::new().text(0, "coap://dm.example").boolean(1, false).integer(2, 3).integer(10, 1);
        let server = Tlv::new().integer(0, 1).integer(1, LIFETIME).boolean(6, false).text(7, "U");
        let (method, path, payload): (_, &[_], _) = match step {
            0 => (Code::DELETE, &[], None),
            1 => (Code::PUT, &["0", "1"], Some(security)),
            2 => (Code::PUT, &["1", "0"], Some(server)),
            _ => (Code::POST, &["bs"], None),
        };
        Some(self.request((now, peer), Purpose::Bootstrap, method, path, payload))
    }

    fn request(
        &mut self,
        (since, peer): (Instant, Peer),
        purpose: Purpose,
        code: Code,
        path: &[&str],
        payload: Option<Tlv>,
    ) -> Vec<u8> {
        let id = self.next_id;
        self.next_id += 1;
        let token = Token::new(&id.to_be_bytes()).expect("a token");
        let datagram = compose(MessageType::Confirmable, code, MessageId(id), token, |writer| {
            for segment in path {
                writer.uri_path(segment).expect("room");
            }
            if let Some(payload) = payload {
                writer.content_format(ContentFormat::LWM2M_TLV).expect("room");
                writer.payload(payload.bytes()).expect("room");
            }
        });
        self.open = Some(Open { peer, datagram: datagram.clone(), sent: 1, since, purpose });
        datagram
    }
}

fn compose(
    message_type: MessageType,
    code: Code,
    message_id: MessageId,
    token: Token,
    write: impl FnOnce(&mut MessageWriter<'_>),
) -> Vec<u8> {
    let mut buffer = [0; 128];
    let mut writer = MessageWriter::new(&mut buffer, Header { message_type, code, message_id }, token).expect("room");
    write(&mut writer);
    writer.finish().to_vec()
}
