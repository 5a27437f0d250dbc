//! A terminal on the simulator, in the states in which most tests want it, and short ways to ask
//! what happened.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]

use core::time::Duration;

use coap_codec::{Code, Message};
use endpoint_name::EndpointName;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Direction, DmServer, Entry, Fate, OperationId, Sim, What};
use lwm2m_core::{Config, Credentials, DataModel, Event, Instant, Key, Path};

pub const NAME: &str = "490154203237518;460001234567890;;1.0";
pub const BATTERY: Path = Path::resource(3, 0, 9);
pub const REBOOT: Path = Path::resource(3, 0, 4);
pub const DAY: Duration = Duration::from_secs(86_400);

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn dm(seed: u64) -> Config {
    Config::dm(EndpointName::parse(NAME).unwrap(), Key::from_seed(seed))
}

pub fn device() -> Device {
    let mut device = Device::new("Example Works", "TM-1");
    device.battery_level = Some(80);
    device
}

/// A terminal that knows a bootstrap server, switched on, without network.
pub fn terminal(seed: u64) -> Sim<Device> {
    Sim::new(dm(seed).bootstrap_server("coap://bs.example", Credentials::NoSec), device(), seed)
}

/// The same, bootstrapped and registered.
pub fn registered(seed: u64) -> Sim<Device> {
    let mut sim = terminal(seed);
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registration().is_some()));
    sim.run_for(secs(1));
    sim
}

pub fn server<M: DataModel>(sim: &Sim<M>) -> &DmServer {
    &sim.platform.servers[0]
}

pub fn server_mut<M: DataModel>(sim: &mut Sim<M>) -> &mut DmServer {
    &mut sim.platform.servers[0]
}

pub fn news<M: DataModel>(sim: &Sim<M>) -> Vec<Event> {
    sim.events().map(|(_, event)| event).collect()
}

pub fn happened<M: DataModel>(sim: &Sim<M>, event: Event) -> usize {
    sim.events().filter(|(_, known)| *known == event).count()
}

/// What became of every datagram, with its number.
pub fn fates<M: DataModel>(sim: &Sim<M>) -> Vec<(usize, Fate)> {
    let fate = |entry: &Entry| match entry.what {
        What::Datagram { number, fate, .. } => Some((number, fate)),
        _ => None,
    };
    sim.trace.entries.iter().filter_map(fate).collect()
}

#[track_caller]
pub fn nobody_complains<M: DataModel>(sim: &Sim<M>) {
    let complaints: Vec<_> = sim.platform.complaints().collect();
    assert!(complaints.is_empty(), "{complaints:?}\n{}", sim.trace);
}

/// Asks until it is answered: with loss, one request in some hundreds gets through in none of its
/// five tries.
#[track_caller]
pub fn insist<M: DataModel>(sim: &mut Sim<M>, operation: impl Fn(&mut DmServer) -> OperationId) -> (Code, String) {
    for _ in 0..5 {
        let answer = sim.ask(0, &operation);
        if let Ok(response) = &answer.result {
            return (response.code, response.text().to_string());
        }
        // Until the device is online again, if that was the reason.
        sim.run_until(secs(3_600), |sim| server(sim).registration().is_some());
    }
    panic!("no answer in five times\n{}", sim.trace);
}

/// A datagram of the device that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub at: Instant,
    /// For which host: `dm.example:5683`.
    pub host: String,
    pub bytes: Vec<u8>,
}

impl Sent {
    pub fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).expect("the device sends messages")
    }

    pub fn code(&self) -> Code {
        self.message().code()
    }

    /// `/rd/5a3f`
    pub fn path(&self) -> String {
        self.message().uri_path().map(|segment| format!("/{}", String::from_utf8_lossy(segment))).collect()
    }

    /// The arguments of the query, in order.
    pub fn query(&self) -> Vec<String> {
        self.message().uri_query().map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
    }
}

/// What the device sent so far, repetitions included, whatever became of it.
pub fn sent<M: DataModel>(sim: &Sim<M>) -> Vec<Sent> {
    let own = |entry: &Entry| match &entry.what {
        What::Datagram { dir: Direction::ToServer, host, bytes, .. } => {
            Some(Sent { at: entry.at, host: host.to_string(), bytes: bytes.clone() })
        }
        _ => None,
    };
    sim.trace.entries.iter().filter_map(own).collect()
}

/// The Registers, Updates ... that the device sent: those of its datagrams that carry this method and
/// go to this path.
pub fn requests<M: DataModel>(sim: &Sim<M>, method: Code, path: &str) -> Vec<Sent> {
    sent(sim).into_iter().filter(|sent| sent.code() == method && sent.path() == path).collect()
}

#[path = "depot.rs"]
mod depot;
#[path = "gauges.rs"]
mod gauges;
#[path = "operations.rs"]
pub mod operations;
#[path = "rack.rs"]
mod rack;
#[path = "registrations.rs"]
mod registrations;
#[path = "wire.rs"]
mod wire;

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub use self::{depot::*, gauges::*, rack::*, registrations::*, wire::*};

/// The one request of the device with this method and path, and the one response to it.
#[track_caller]
pub fn exchanged<M: DataModel>(sim: &Sim<M>, method: Code, path: &str) -> (Sent, Sent) {
    let [request] = &*requests(sim, method, path) else { panic!("one {method} {path}\n{}", sim.trace) };
    let answers = |sent: &Sent| {
        let message = sent.message();
        sent.host == request.host && message.code().is_response() && message.token() == request.message().token()
    };
    let responses: Vec<_> = heard(sim).into_iter().filter(answers).collect();
    let [response] = &*responses else { panic!("one response to {method} {path}\n{}", sim.trace) };
    (request.clone(), response.clone())
}

/// When an event happened.
pub fn times<M: DataModel>(sim: &Sim<M>, event: Event) -> Vec<Instant> {
    sim.events().filter(|(_, known)| *known == event).map(|(at, _)| at).collect()
}

/// How much later.
#[track_caller]
pub fn between(earlier: Instant, later: Instant) -> Duration {
    assert!(earlier <= later, "{later} is before {earlier}");
    later.saturating_duration_since(earlier)
}

/// A response to a request of the device: with a type and a Message ID of its own, or else
/// piggybacked. The options are in their order.
pub fn response_to(
    request: &Sent,
    own: Option<(coap_codec::MessageType, coap_codec::MessageId)>,
    code: Code,
    options: &[(coap_codec::OptionNumber, &[u8])],
) -> Vec<u8> {
    let request = request.message();
    let piggybacked = || (coap_codec::MessageType::Acknowledgement, request.message_id());
    let (message_type, message_id) = own.unwrap_or_else(piggybacked);
    let mut buffer = [0; 1_024];
    let header = coap_codec::Header { message_type, code, message_id };
    let mut writer = coap_codec::MessageWriter::new(&mut buffer, header, request.token()).unwrap();
    options.iter().for_each(|(number, value)| writer.option(*number, value).unwrap());
    writer.finish().to_vec()
}

/// The messages that the codec is tested with: id, bytes, and whether they are well-formed.
pub fn vectors() -> Vec<(String, Vec<u8>, bool)> {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../coap-codec/tests/data/coap-vectors.json")).unwrap();
    let rows = ["udp_valid", "udp_malformed", "udp_semantic"].iter().flat_map(|kind| vectors[kind].as_array().unwrap());
    let row = |row: &serde_json::Value| {
        let hex = row["hex"].as_str().unwrap();
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        (row["id"].as_str().unwrap().to_string(), bytes, row["valid"].as_bool().unwrap())
    };
    rows.map(row).collect()
}

/// One of them.
pub fn vector(id: &str) -> Vec<u8> {
    vectors().into_iter().find(|(known, ..)| known == id).expect("a vector with this id").1
}

/// A message but for its token and its Message ID: type, code, options and payload.
pub type Pattern = (coap_codec::MessageType, Code, Vec<(coap_codec::OptionNumber, Vec<u8>)>, Vec<u8>);

/// The pattern of a datagram. Arguments of the query are sorted, because their order is free.
pub fn pattern(datagram: &[u8]) -> Pattern {
    let query = coap_codec::OptionNumber::URI_QUERY;
    let message = Message::parse(datagram).expect("a message");
    let mut options: Vec<_> = message.options().map(|option| (option.number, option.value.to_vec())).collect();
    options.sort_by_key(|(number, value)| (*number, (*number == query).then(|| value.clone())));
    (message.message_type(), message.code(), options, message.payload().to_vec())
}

/// A Register as a client says it that does not speak JSON: without the link that the one under test has
/// in front of the others (OMA LwM2M 1.0, 5.3.1).
#[track_caller]
pub fn without_json((message_type, code, options, payload): Pattern) -> Pattern {
    let rest = payload.strip_prefix(b"</>;ct=11543,").expect("a list that says that JSON is spoken");
    (message_type, code, options, rest.to_vec())
}
