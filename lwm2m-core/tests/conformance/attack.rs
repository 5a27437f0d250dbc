//! XD: device management under attack.

use core::time::Duration;
use std::collections::HashSet;

use coap_codec::{Code, ContentFormat, Header, Message, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Direction, Fate, Sim, Tlv, What, WriteMode};
use lwm2m_core::{Generator, Key, Limits, Path};

use super::management::path_of;
use crate::terminal::*;

#[test]
fn xd_37_an_hour_of_nonsense_is_answered_by_the_rules_or_not_at_all() {
    let roomy = Limits { deduplication: 1_024, ..Limits::DEVICE };
    let mut seen = HashSet::new();
    for (seed, limits, later) in
        [(1, roomy, false), (2, roomy, true), (3, Limits::DEVICE, false), (4, Limits::DEVICE, true)]
    {
        let mut config = one_server(seed);
        config.limits = limits;
        let mut sim = racked(config);
        sim.network.to_device.delay = Duration::ZERO;
        sim.model.1.later = later;
        // A Disable lasts for seconds, so that the hour is not over with the first one.
        sim.ask(0, |server| server.write(DISABLE_TIMEOUT, ContentFormat::TEXT_PLAIN, b"5", WriteMode::Replace));
        sim.client.reserve();
        let memory = sim.client.memory().total();
        let mut attack = Attack::new(seed, limits != roomy || later);
        let end = sim.now() + secs(3_600);
        while sim.now() < end {
            let datagram = attack.datagram();
            let first = attack.fire(&mut sim, &datagram, None, &mut seen);
            if attack.draw(8) == 0 {
                attack.fire(&mut sim, &datagram, Some(&first), &mut seen);
            }
            for ticket in sim.model.1.tickets.take() {
                // Stale when the registration that it belonged to is over.
                let _ = sim.resume(ticket);
            }
            sim.run_for(Duration::from_millis(attack.draw(2_000)));
            let usage = sim.client.usage();
            assert!(usage.slots <= limits.slots && usage.exchanges <= limits.exchanges, "{usage:?}");
            assert!(usage.deduplication <= limits.deduplication && usage.deferred <= limits.deferred, "{usage:?}");
        }
        let grown = sim.client.memory().total().saturating_sub(memory);
        assert!(grown <= 1_024, "seed {seed}: {grown} bytes more than at the beginning");
        attack.check_own_messages(&sim, &mut seen);
        nobody_complains(&sim);
        // It still does what it is for.
        sim.run_for(secs(600));
        assert!(sim.client.is_registered(sim.now(), 1), "seed {seed}");
        assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80", "seed {seed}");
    }
    // It was no shadow-boxing.
    let others =
        ["silence", "reset", "put off", "non-confirmable", "Register", "Update", "De-register"].map(String::from);
    let expected = ALLOWED.iter().map(Code::to_string).chain(others);
    let missing: Vec<_> = expected.filter(|outcome| !seen.contains(outcome)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
}

const DISABLE_TIMEOUT: Path = Path::resource(1, 0, 5);

/// What a request may be answered with.
const ALLOWED: [Code; 12] = [
    Code::CREATED,
    Code::DELETED,
    Code::CHANGED,
    Code::CONTENT,
    Code::BAD_REQUEST,
    Code::UNAUTHORIZED,
    Code::BAD_OPTION,
    Code::NOT_FOUND,
    Code::METHOD_NOT_ALLOWED,
    Code::NOT_ACCEPTABLE,
    Code::UNSUPPORTED_CONTENT_FORMAT,
    // Too much at once: more requests than can be remembered, or put off.
    Code::SERVICE_UNAVAILABLE,
];

/// Disable and the Update trigger twice: they have the furthest consequences.
const PATHS: &str = "/ 0 0/0 0/0/0 1 1/0 1/0/0 1/0/1 1/0/2 1/0/3 1/0/4 1/0/4 1/0/5 1/0/6 1/0/7 1/0/8 1/0/8 2 3 3/0 \
    3/0/4 3/0/9 3/0/11/0 3/0/12 3/0/13 3/0/14 30000 30000/0 30000/0/0 30000/0/1 30000/1 30000/1/0 bs 65535 a/b";

struct Attack {
    /// Whether there may be more requests than there is room for.
    crowded: bool,
    random: Generator,
    /// The Message IDs that were used: only what is meant to be a repetition looks like one.
    ids: HashSet<u16>,
    tokens: HashSet<Vec<u8>>,
}

impl Attack {
    fn new(seed: u64, crowded: bool) -> Self {
        Self { crowded, random: Generator::new(Key::from_seed(seed)), ids: HashSet::new(), tokens: HashSet::new() }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random.next_u64() % below
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.draw(from.len() as u64) as usize]
    }

    /// Something like a request, or nothing like one.
    fn datagram(&mut self) -> Vec<u8> {
        loop {
            let mut datagram = match self.draw(10) {
                0 => (0..self.draw(64)).map(|_| self.random.next_u64() as u8).collect(),
                _ => self.request(),
            };
            if self.draw(4) == 0 && !datagram.is_empty() {
                let at = self.draw(datagram.len() as u64) as usize;
                match self.draw(3) {
                    0 => datagram[at] ^= 1 << self.draw(8),
                    1 => datagram.truncate(at),
                    _ => datagram.insert(at, self.random.next_u64() as u8),
                }
            }
            if Header::parse(&datagram).map_or(true, |(header, _)| self.ids.insert(header.message_id.0)) {
                return datagram;
            }
        }
    }

    fn request(&mut self) -> Vec<u8> {
        use MessageType::{Acknowledgement, Confirmable, NonConfirmable, Reset};
        let con = Confirmable;
        let kind = self.pick(&[con, con, con, con, NonConfirmable, NonConfirmable, Acknowledgement, Reset]);
        let code = self.pick(&[0x01, 0x01, 0x01, 0x02, 0x02, 0x03, 0x03, 0x04, 0x05, 0x1f, 0x00, 0x45, 0xff]);
        let observe = self.pick(&[None, None, None, Some(0), Some(0), Some(1), Some(2)]);
        // Whoever observes is told later: by its token it must be known.
        let length = if code == 0 {
            0
        } else if observe == Some(0) {
            8
        } else {
            self.draw(9)
        };
        let token: Vec<_> = (0..length).map(|_| self.random.next_u64() as u8).collect();
        let path = self.pick(&PATHS.split(' ').collect::<Vec<_>>());
        let accept = self.pick(&[None, None, None, Some(0), Some(40), Some(11_542), Some(50)]);
        let format = self.pick(&[None, Some(0), Some(0), Some(42), Some(11_542), Some(11_542), Some(50)]);
        let query = self.pick(&[None, None, None, None, Some("pmin=1"), Some("x")]);
        // Critical and elective ones that nobody knows.
        let option = self.pick(&[None, None, None, None, None, None, Some(2_049), Some(2_050)]);
        let level = Tlv::new().integer(0, 7);
        let tlv = [level.clone(), Tlv::new().instance(1, &level), Tlv::new().integer(2, 1).boolean(6, false)];
        let noise = self.random.next_u64().to_be_bytes();
        let texts = [&b""[..], b"0", b"1", b"60", b"-1", b"4294967296", b"U", b"x", &noise];
        let payload = match format {
            Some(11_542) => tlv[self.draw(3) as usize].bytes(),
            _ => self.pick(&texts),
        };
        let id = self.random.next_u64() as u16;
        let written = datagram(kind, Code::from_byte(code), id, &token, |writer| {
            if code == 0 {
                return Ok(());
            }
            observe.map_or(Ok(()), |observe| writer.observe(observe))?;
            path_of(path, writer)?;
            let format = format.filter(|_| matches!(code, 0x02 | 0x03));
            format.map_or(Ok(()), |format| writer.content_format(ContentFormat(format)))?;
            query.map_or(Ok(()), |query| writer.uri_query(query))?;
            accept.map_or(Ok(()), |accept| writer.accept(ContentFormat(accept)))?;
            option.map_or(Ok(()), |option| writer.option(OptionNumber(option), b"?"))?;
            if format.is_some() { writer.payload(payload) } else { Ok(()) }
        });
        self.tokens.insert(token);
        written
    }

    fn allows(&self, code: Code) -> bool {
        ALLOWED.contains(&code) && (self.crowded || code != Code::SERVICE_UNAVAILABLE)
    }

    /// Sends it, and checks what comes back in the same moment: for a repetition that or nothing of what
    /// came the `first` time.
    fn fire(
        &mut self,
        sim: &mut Rig,
        datagram: &[u8],
        first: Option<&[Reply]>,
        seen: &mut HashSet<String>,
    ) -> Vec<Reply> {
        let token = Message::parse(datagram).map_or(Vec::new(), |message| message.token().as_bytes().to_vec());
        self.tokens.insert(token.clone());
        let mut astray = false;
        let (served, before) = (sim.client.is_registered(sim.now(), 1), sim.trace.entries.len());
        sim.forge(DM, datagram);
        sim.run_for(Duration::ZERO);
        let mut replies = Vec::new();
        for entry in &sim.trace.entries[before..] {
            match &entry.what {
                What::Datagram { dir: Direction::ToServer, bytes, .. } => replies.extend(Reply::of(bytes, &token)),
                // Without a session nobody is there to hear it.
                What::Datagram { fate: Fate::Astray, .. } => astray = true,
                _ => {}
            }
        }
        let case = || format!("{datagram:x?}, served: {served}: {replies:?}\n{}", tail(sim));
        if let Some(first) = first.filter(|first| !first.is_empty()) {
            let again = |reply: &Reply| first.iter().any(|one| reply.repeats(one));
            assert!(replies.len() <= 1 && replies.iter().all(again), "after {first:?}: {}", case());
            return replies;
        }
        let expected = if astray { Expected::Silence } else { Expected::of(datagram, served) };
        match (expected, &*replies) {
            (Expected::Silence | Expected::Maybe, []) => seen.insert("silence".into()),
            (Expected::Reset(id), [Reply { kind: MessageType::Reset, id: own, .. }]) if id == *own => {
                seen.insert("reset".into())
            }
            // Put off: the answer comes later.
            (Expected::Answer(id), [reply]) if reply.is_acknowledgement(id) && reply.code.is_empty() => {
                assert!(sim.model.1.later && reply.token.is_empty(), "{}", case());
                seen.insert("put off".into())
            }
            (Expected::Answer(id), [reply]) if reply.is_acknowledgement(id) => {
                assert!(self.allows(reply.code) && reply.token == token, "{}", case());
                seen.insert(reply.code.to_string())
            }
            (Expected::Maybe, [reply]) if reply.kind == MessageType::NonConfirmable => {
                assert!(self.allows(reply.code), "{}", case());
                seen.insert("non-confirmable".into())
            }
            _ => panic!("{expected:?}: {}", case()),
        };
        replies
    }

    /// What the device sent of its own accord has a reason.
    fn check_own_messages(&self, sim: &Rig, seen: &mut HashSet<String>) {
        for own in sent(sim) {
            let what = match own.code() {
                _ if matches!(own.kind(), MessageType::Acknowledgement | MessageType::Reset) => continue,
                Code::POST if own.path() == "/rd" => "Register",
                Code::POST => "Update",
                Code::DELETE => "De-register",
                code => {
                    // An answer that was put off or to no confirmable request, or a notification.
                    assert!(ALLOWED.contains(&code) && self.tokens.contains(&own.token()), "{own:?}");
                    "response"
                }
            };
            seen.insert(what.into());
        }
    }
}

type Rig = Sim<(Device, Rack)>;

/// What the device says because of a datagram: not what it says of its own accord.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reply {
    kind: MessageType,
    id: u16,
    code: Code,
    token: Vec<u8>,
}

impl Reply {
    fn of(sent: &[u8], asked: &[u8]) -> Option<Self> {
        let message = Message::parse(sent).expect("the device sends messages");
        let (kind, id) = (message.message_type(), message.message_id().0);
        let reply = Self { kind, id, code: message.code(), token: message.token().as_bytes().to_vec() };
        let own = match reply.kind {
            MessageType::Confirmable => true,
            // The last word to an observer, perhaps.
            MessageType::NonConfirmable => reply.token != asked,
            _ => false,
        };
        (!own).then_some(reply)
    }

    /// The answer to a non-confirmable request may be made anew, with another Message ID.
    fn repeats(&self, other: &Self) -> bool {
        let id = if self.kind == MessageType::NonConfirmable { other.id } else { self.id };
        Self { id, ..self.clone() } == *other
    }

    fn is_acknowledgement(&self, id: u16) -> bool {
        self.kind == MessageType::Acknowledgement && self.id == id
    }
}

/// What the rules want (RFC 7252, sections 4.2, 4.3 and 5.4.1).
#[derive(Clone, Copy, Debug)]
enum Expected {
    Silence,
    /// A Reset with this Message ID.
    Reset(u16),
    /// An acknowledgement with this Message ID, and a response in it.
    Answer(u16),
    /// A non-confirmable response, or none.
    Maybe,
}

impl Expected {
    fn of(datagram: &[u8], served: bool) -> Self {
        // Too short for a header, or of another version.
        let Ok((Header { message_type, code, message_id }, _)) = Header::parse(datagram) else { return Self::Silence };
        let confirmable = message_type == MessageType::Confirmable;
        match Message::parse(datagram) {
            _ if matches!(message_type, MessageType::Acknowledgement | MessageType::Reset) => Self::Silence,
            Ok(_) if code.is_request() && !served => Self::Silence,
            Ok(_) if code.is_request() && confirmable => Self::Answer(message_id.0),
            Ok(_) if code.is_request() => Self::Maybe,
            _ if confirmable => Self::Reset(message_id.0),
            _ => Self::Silence,
        }
    }
}

/// The end of the trace: all of an hour is too much.
fn tail(sim: &Rig) -> String {
    let entries = &sim.trace.entries;
    entries[entries.len().saturating_sub(12)..].iter().map(|entry| format!("{entry}\n")).collect()
}
