//! The other side: a bootstrap server and a DM server that hold 8 bytes for each terminal.
//!
//! What a bootstrap has come to is read from the token of the answer before, so nothing is kept of it but the
//! request that is on its way.

use coap_codec::{Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token};

use crate::life::SECOND;
use crate::name;
use crate::rates::{Counts, Kind};

/// The longest datagram of the platform.
pub(crate) type Buffer = [u8; 128];

/// Where the bootstrap server is; the DM server's URI is in [`SECURITY`].
pub(crate) const BOOTSTRAP_URI: &str = "coap://bs.example";

/// What the bootstrap server writes into Security: the DM server's address, no security, its Short Server ID.
const SECURITY: &[u8] = b"\xc8\x00\x11coap://dm.example\xc1\x01\x00\xc1\x02\x03\xc1\x0a\x65";

const TLV: ContentFormat = ContentFormat(11_542);

/// A registration, in milliseconds; none where it never was.
#[derive(Clone, Copy, Debug, Default)]
struct Lease {
    since: u32,
    until: u32,
}

/// When the platform is down, in milliseconds. It forgets its registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    pub(crate) from: u64,
    pub(crate) until: u64,
}

impl Restart {
    const fn is_down(self, now: u64) -> bool {
        self.from <= now && now < self.until
    }
}

/// The platform.
#[derive(Debug)]
pub(crate) struct Platform {
    /// By the number that is in a terminal's name.
    leases: Vec<Lease>,
    restart: Option<Restart>,
    lifetime: u32,
}

/// What the platform does about a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// So many bytes of the buffer are its answer.
    pub(crate) answer: Option<usize>,
    /// A bootstrap goes on with its request of this stage: what was on its way is answered.
    pub(crate) next: Option<u8>,
}

impl Platform {
    /// Bytes for each terminal.
    pub(crate) const COST: usize = size_of::<Lease>();

    pub(crate) fn new(devices: u32, restart: Option<Restart>, lifetime: u32) -> Self {
        Self { leases: vec![Lease::default(); devices as usize], restart, lifetime }
    }

    /// How many terminals it counts as registered.
    pub(crate) fn registered(&self, now: u64) -> usize {
        (0..self.leases.len() as u32).filter(|terminal| self.knows(now, *terminal)).count()
    }

    fn knows(&self, now: u64, terminal: u32) -> bool {
        let Some(lease) = self.leases.get(terminal as usize) else { return false };
        let forgotten =
            self.restart.is_some_and(|restart| u64::from(lease.since) < restart.from && restart.from <= now);
        now < lease.until.into() && !forgotten
    }

    /// Takes a datagram. One that comes while the platform is down is lost.
    pub(crate) fn take(&mut self, now: u64, datagram: &[u8], buffer: &mut Buffer, counts: &mut Counts) -> Reply {
        if self.restart.is_some_and(|restart| restart.is_down(now)) {
            counts.unheard += 1;
            return Reply::default();
        }
        counts.rates.add(now);
        let Ok(message) = Message::parse(datagram) else {
            counts.add(Kind::Strange);
            return Reply::default();
        };
        if message.code().is_response() {
            counts.add(Kind::Answer);
            return Reply { answer: None, next: message.token().as_bytes().first().map(|stage| stage + 1) };
        }
        let (kind, code, location) = self.serve(now, &message);
        counts.add(kind);
        *counts.answers.entry(code).or_default() += 1;
        let next = (kind == Kind::BootstrapRequest).then_some(0);
        Reply { answer: answer(&message, code, location, buffer), next }
    }

    /// Carries a request out: what it was, the answer's code, and the terminal that got a location.
    fn serve(&mut self, now: u64, message: &Message<'_>) -> (Kind, Code, Option<u32>) {
        let asks = |name: &str| message.uri_query().text().flatten().find_map(|text| text.strip_prefix(name));
        let named = || asks("ep=").and_then(|name| name::terminal(name, self.leases.len() as u32));
        let mut path = message.uri_path().text().flatten();
        match (message.code(), path.next(), path.next()) {
            (Code::POST, Some("bs"), None) if named().is_some() => (Kind::BootstrapRequest, Code::CHANGED, None),
            (Code::POST, Some("rd"), None) => match (named(), asks("lt=").and_then(|lifetime| lifetime.parse().ok())) {
                (Some(terminal), Some(lifetime)) => {
                    self.enrol(now, terminal, lifetime);
                    (Kind::Register, Code::CREATED, Some(terminal))
                }
                _ => (Kind::Strange, Code::BAD_REQUEST, None),
            },
            (method, Some("rd"), Some(location)) => {
                let terminal = u32::from_str_radix(location, 16).unwrap_or(u32::MAX);
                let known = self.knows(now, terminal);
                let (kind, done) = match method {
                    Code::POST => (Kind::Update, Code::CHANGED),
                    Code::DELETE => (Kind::Deregister, Code::DELETED),
                    _ => (Kind::Strange, Code::METHOD_NOT_ALLOWED),
                };
                if known {
                    self.enrol(now, terminal, if kind == Kind::Update { self.lifetime } else { 0 });
                }
                (kind, if known { done } else { Code::NOT_FOUND }, None)
            }
            _ => (Kind::Strange, Code::BAD_REQUEST, None),
        }
    }

    fn enrol(&mut self, now: u64, terminal: u32, lifetime: u32) {
        let until = now + u64::from(lifetime) * SECOND;
        if let Some(lease) = self.leases.get_mut(terminal as usize) {
            *lease = Lease { since: now as u32, until: until.try_into().unwrap_or(u32::MAX) };
        }
    }

    /// Writes the bootstrap server's request of this stage, and tells how long it is; nothing after the last.
    pub(crate) fn ask(&self, stage: u8, number: u16, buffer: &mut Buffer) -> Option<usize> {
        let server = server(self.lifetime);
        let (method, path, payload) = match stage {
            0 => (Code::PUT, "/0/1", SECURITY),
            1 => (Code::PUT, "/1/0", &server[..]),
            2 => (Code::POST, "/bs", &[][..]),
            _ => return None,
        };
        let header = Header { message_type: MessageType::Confirmable, code: method, message_id: MessageId(number) };
        let mut writer = MessageWriter::new(buffer, header, Token::new(&[stage]).ok()?).ok()?;
        writer.path(path).ok()?;
        if !payload.is_empty() {
            writer.content_format(TLV).ok()?;
            writer.payload(payload).ok()?;
        }
        Some(writer.finish().len())
    }
}

/// What the bootstrap server writes into Server: the Short Server ID, the lifetime, storing, binding U.
fn server(lifetime: u32) -> Vec<u8> {
    [&b"\xc1\x00\x65\xc4\x01"[..], &lifetime.to_be_bytes(), b"\xc1\x06\x01\xc1\x07U"].concat()
}

fn answer(request: &Message<'_>, code: Code, location: Option<u32>, buffer: &mut Buffer) -> Option<usize> {
    let header = Header { message_type: MessageType::Acknowledgement, code, message_id: request.message_id() };
    let mut writer = MessageWriter::new(buffer, header, request.token()).ok()?;
    if let Some(terminal) = location {
        writer.option(OptionNumber::LOCATION_PATH, b"rd").ok()?;
        writer.option(OptionNumber::LOCATION_PATH, format!("{terminal:x}").as_bytes()).ok()?;
    }
    Some(writer.finish().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESTART: Restart = Restart { from: 10 * SECOND, until: 20 * SECOND };

    /// What the platform answers to a POST at this time, as a code.
    fn post(platform: &mut Platform, counts: &mut Counts, now: u64, path: &str, query: &[&str]) -> Option<Code> {
        let (mut request, mut buffer) = ([0; 128], [0; 128]);
        let header =
            Header { message_type: MessageType::Confirmable, code: Code::POST, message_id: MessageId(now as u16) };
        let mut writer = MessageWriter::new(&mut request, header, Token::EMPTY).unwrap();
        writer.path(path).unwrap();
        query.iter().for_each(|argument| writer.uri_query(argument).unwrap());
        let answer = platform.take(now, writer.finish(), &mut buffer, counts).answer?;
        Some(Message::parse(&buffer[..answer]).unwrap().code())
    }

    #[test]
    fn a_platform_that_starts_again_hears_nothing_and_then_knows_nobody() {
        let (mut platform, mut counts) = (Platform::new(3, Some(RESTART), 15), Counts::new(1));
        let mut post = |now, path, query: &[&str]| post(&mut platform, &mut counts, now, path, query);
        let name = format!("ep={}", name::of(2).as_str());
        assert_eq!(post(0, "/rd", &[&name, "lt=5"]), Some(Code::CREATED));
        assert_eq!(post(4 * SECOND, "/rd/2", &[]), Some(Code::CHANGED));
        assert_eq!(post(5 * SECOND, "/rd/1", &[]), Some(Code::NOT_FOUND));
        assert_eq!(post(RESTART.from, "/rd/2", &[]), None);
        assert_eq!(post(RESTART.until - 1, "/rd", &[&name, "lt=5"]), None);
        assert_eq!(post(RESTART.until, "/rd/2", &[]), Some(Code::NOT_FOUND));
        assert_eq!(post(RESTART.until, "/rd", &[&name, "lt=5"]), Some(Code::CREATED));
        assert_eq!(post(RESTART.until + 5 * SECOND, "/rd/2", &[]), Some(Code::NOT_FOUND), "its lifetime is over");
        assert_eq!(post(RESTART.until, "/rd", &["ep=nobody", "lt=5"]), Some(Code::BAD_REQUEST));
        assert_eq!((counts.unheard, counts.rates.within(0..100 * SECOND).peak), (2, 7));
    }
}
