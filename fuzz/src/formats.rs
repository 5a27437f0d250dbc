//! Payloads in every format, written to a device with a value of each type.

use std::collections::BTreeMap;

use coap_codec::{Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, Token};
use lwm2m_core::{
    Action, Change, Client, Ctx, DataModel, DataType, Instant, Leaf, ObjectDef, Operations, Output, Peer, Refusal,
    ResourceDef, Session, Sink, Value,
};

use super::config;

const fn one(id: u16, data_type: DataType) -> ResourceDef {
    ResourceDef::new(id, "", Operations::RW, data_type)
}

static TYPES: ObjectDef = ObjectDef::new(
    9,
    "Types",
    &[
        one(0, DataType::String),
        one(1, DataType::Integer),
        one(2, DataType::UnsignedInteger),
        one(3, DataType::Float),
        one(4, DataType::Boolean),
        one(5, DataType::Opaque),
        one(6, DataType::Time),
        one(7, DataType::ObjectLink),
        one(8, DataType::CoreLink),
        one(10, DataType::String).multiple(),
        one(11, DataType::Integer).multiple(),
        one(13, DataType::Float).multiple(),
        one(15, DataType::Opaque).multiple(),
        one(300, DataType::Boolean).multiple(),
    ],
)
.multiple();

#[derive(Clone, Debug)]
enum Owned {
    Text(String),
    Bytes(Vec<u8>),
    Plain(Value<'static>),
}

/// By resource the values, with their indices.
type Resources = BTreeMap<u16, BTreeMap<Option<u16>, Owned>>;

/// Keeps what is written.
#[derive(Clone, Debug)]
pub(crate) struct Kept(BTreeMap<u16, Resources>);

impl DataModel for Kept {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < TYPES.id).then_some(&TYPES)
    }

    fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
        self.0.keys().copied().find(|id| after.is_none_or(|after| *id > after))
    }

    fn next_resource(&self, _: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.0.get(&instance)?.keys().copied().find(|id| after.is_none_or(|after| *id > after))
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let core_links = TYPES.resource(at.resource).is_some_and(|resource| resource.data_type == DataType::CoreLink);
        for (index, value) in &self.0[&at.instance][&at.resource] {
            let value = match value {
                Owned::Text(text) if core_links => Value::Corelnk(text),
                Owned::Text(text) => Value::Str(text),
                Owned::Bytes(bytes) => Value::Opaque(bytes),
                Owned::Plain(value) => *value,
            };
            out.value(Leaf { index: *index, ..at }, value)?;
        }
        Ok(())
    }

    fn check(&self, _: &Ctx, _: &Change<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, _: &Ctx, change: &Change<'_>) {
        let resources = self.0.entry(change.instance).or_default();
        if change.action == Action::Replace {
            resources.clear();
        }
        for id in change.values.resources() {
            let values = resources.entry(id).or_default();
            if change.action != Action::Update {
                values.clear();
            }
        }
        for given in &change.values {
            let value = match given.value {
                Value::Str(text) | Value::Corelnk(text) => Owned::Text(text.into()),
                Value::Opaque(bytes) => Owned::Bytes(bytes.into()),
                Value::Int(number) => Owned::Plain(Value::Int(number)),
                Value::Uint(number) => Owned::Plain(Value::Uint(number)),
                Value::Float(number) => Owned::Plain(Value::Float(number)),
                Value::Bool(truth) => Owned::Plain(Value::Bool(truth)),
                Value::Time(seconds) => Owned::Plain(Value::Time(seconds)),
                Value::Link(object, instance) => Owned::Plain(Value::Link(object, instance)),
                other => panic!("a kind that is not known here: {other:?}"),
            };
            resources.get_mut(&given.resource).expect("it was named").insert(given.index, value);
        }
    }
}

/// What the client answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: Code,
    payload: Vec<u8>,
    /// Whether that is all of it, and not the first block.
    is_whole: bool,
}

impl Answer {
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }
}

thread_local! {
    /// How every desk begins: to register anew for each input takes longer than most inputs.
    static REGISTERED: Desk = Desk::register();
}

/// A registered client, and the server that asks it.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) kept: Kept,
    peer: Peer,
    next_id: u16,
}

impl Desk {
    pub(crate) fn new() -> Self {
        REGISTERED.with(Clone::clone)
    }

    fn register() -> Self {
        let client = Client::new(config(), Instant::ZERO).expect("a valid configuration");
        let kept = Kept(BTreeMap::from([(0, BTreeMap::new())]));
        let mut desk = Self { client, kept, peer: Peer(0), next_id: 1 };
        desk.client.network_up(Instant::ZERO);
        while let Some(output) = desk.client.poll_output() {
            if let Output::Connect { peer, .. } = output {
                desk.peer = peer;
            }
        }
        desk.client.connected(Instant::ZERO, desk.peer, Session::New, &mut desk.kept);
        let mut register = desk.sent().expect("a Register");
        let token = usize::from(register[0] & 0x0F);
        register.truncate(4 + token);
        register[0] |= 0x60;
        register[1] = Code::CREATED.to_byte();
        register.extend_from_slice(b"\x82rd\x011");
        desk.client.handle_datagram(Instant::ZERO, desk.peer, &register, &mut desk.kept);
        assert!(desk.client.is_registered(Instant::ZERO, 1));
        desk
    }

    /// The first datagram of those that are due; an Update may follow an answer.
    fn sent(&mut self) -> Option<Vec<u8>> {
        let mut first = None;
        while let Some(output) = self.client.poll_output() {
            if let Output::Transmit { datagram, .. } = output {
                first.get_or_insert_with(|| datagram.to_vec());
            }
        }
        first
    }

    /// The answer to a request for `/9/...`.
    fn ask(&mut self, method: Code, path: &[u16], format: ContentFormat, payload: Option<&[u8]>) -> Answer {
        self.send(method, path, &mut |writer| match payload {
            Some(payload) => {
                writer.content_format(format).expect("room");
                writer.payload(payload).expect("room");
            }
            None => writer.accept(format).expect("room"),
        })
    }

    /// The answer to a request; `write` adds options and payload.
    pub(crate) fn send(&mut self, method: Code, path: &[u16], write: &mut dyn FnMut(&mut MessageWriter<'_>)) -> Answer {
        let mut buffer = [0; 2_048];
        let message_id = MessageId(self.next_id);
        self.next_id += 1;
        let header = Header { message_type: MessageType::Confirmable, code: method, message_id };
        let mut writer = MessageWriter::new(&mut buffer, header, Token::new(&[1]).expect("short")).expect("room");
        for id in path {
            writer.uri_path(&id.to_string()).expect("room");
        }
        write(&mut writer);
        self.client.handle_datagram(Instant::ZERO, self.peer, writer.finish(), &mut self.kept);
        let answer = self.sent().expect("an answer");
        let message = Message::parse(&answer).expect("we send well-formed messages");
        assert_eq!(message.message_id(), message_id);
        let is_whole = !message.block2().is_some_and(|block| block.is_ok_and(|block| block.more()));
        Answer { code: message.code(), payload: message.payload().to_vec(), is_whole }
    }
}

/// A payload is taken or refused, which the code says; and what is read then, in one format or another, can
/// be written back and read again.
pub fn formats(data: &[u8]) -> Option<Code> {
    let [target, how, payload @ ..] = data else { return None };
    let payload = &payload[..payload.len().min(1_500)];
    let mut desk = Desk::new();
    let (path, method): (&[u16], _) = match target {
        0 => (&[9], Code::POST),
        1 => (&[9, 0], Code::PUT),
        2 => (&[9, 0], Code::POST),
        id => (&[9, 0, u16::from(*id) - 3], Code::PUT),
    };
    let format = [0, 42, 11_542, 11_543][usize::from(how % 4)];
    let code = desk.ask(method, path, ContentFormat(format), Some(payload)).code;
    assert_ne!(code, Code::INTERNAL_SERVER_ERROR);
    if !code.is_success() {
        assert!(desk.kept.0.len() == 1 && desk.kept.0[&0].is_empty(), "a refused payload changes nothing");
        return Some(code);
    }
    let ids: Vec<u16> = desk.kept.0.keys().copied().collect();
    for format in [ContentFormat::LWM2M_TLV, ContentFormat::LWM2M_JSON] {
        for id in &ids {
            let told = desk.ask(Code::GET, &[9, *id], format, None);
            // Numbers that are none have no JSON.
            if told.code != Code::CONTENT {
                assert_eq!(told.code, Code::INTERNAL_SERVER_ERROR);
                continue;
            }
            // The first block of a long value is no value.
            if told.is_whole {
                assert_eq!(desk.ask(Code::PUT, &[9, *id], format, Some(&told.payload)).code, Code::CHANGED);
                assert_eq!(desk.ask(Code::GET, &[9, *id], format, None), told);
            }
        }
    }
    Some(code)
}
