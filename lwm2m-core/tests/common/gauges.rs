//! Devices with numbers to watch, servers that say how they want to be told, and what they were told.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::std_instead_of_alloc, reason = "a test is no part of the library")]

use core::time::Duration;
use std::collections::BTreeMap;

use coap_codec::Code;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::reader::{Link, Node};
use lwm2m_core::sim::{Ask, OperationId, Sim};
use lwm2m_core::{
    Args, Change, Config, Ctx, DataModel, DataType, Event, Instant, Leaf, ObjectDef, Operations, Path, Refusal,
    ResourceDef, Sink, Value,
};

use super::{Sent, device, secs, sent, times};

/// A Device with power sources: what the enabler tests call configuration C.4.
#[derive(Clone, Debug)]
pub struct Powered {
    pub device: Device,
    /// /3/0/6, /3/0/7 and /3/0/8: sources, voltages, currents.
    pub sources: [BTreeMap<u16, i64>; 3],
}

pub const VOLTAGE: Path = Path::resource(3, 0, 7);
pub const CURRENT: Path = Path::resource(3, 0, 8);

pub fn powered() -> Powered {
    let mut device = device();
    device.serial_number = Some("0001".into());
    let two = |first, second| BTreeMap::from([(0, first), (1, second)]);
    Powered { device, sources: [two(1, 5), two(3_800, 5_000), two(125, 900)] }
}

impl Powered {
    fn source(&self, resource: u16) -> Option<&BTreeMap<u16, i64>> {
        self.sources.get(usize::from(resource.checked_sub(6)?))
    }
}

impl DataModel for Powered {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        self.device.next_object(after)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        self.device.next_instance(object, after)
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        let own = (6..=8).find(|id| after.is_none_or(|after| *id > after));
        self.device.next_resource(object, instance, after).into_iter().chain(own).min()
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let Some(source) = self.source(at.resource) else { return self.device.read(ctx, at, out) };
        Ok(source.iter().try_for_each(|(index, value)| out.value(at.at(*index), Value::Int(*value)))?)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        self.device.check(ctx, change)
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        self.device.apply(ctx, change);
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        self.device.execute(ctx, at, args)
    }
}

/// An object with a version, a number of each kind, and what cannot be read.
pub static GAUGE: ObjectDef = ObjectDef::new(
    30_001,
    "Gauge",
    &[
        ResourceDef::new(0, "Value", Operations::R, DataType::Float).mandatory(),
        ResourceDef::new(1, "Key", Operations::W, DataType::Opaque).mandatory(),
        ResourceDef::new(2, "Reset", Operations::E, DataType::None),
        ResourceDef::new(3, "Count", Operations::R, DataType::UnsignedInteger),
        ResourceDef::new(4, "Since", Operations::R, DataType::Time),
        ResourceDef::new(5, "Keys", Operations::W, DataType::Opaque).multiple(),
        ResourceDef::new(6, "Alarm", Operations::R, DataType::Boolean),
    ],
)
.multiple()
.version(2, 2);

pub const VALUE: Path = Path::resource(30_001, 0, 0);

/// A gauge.
#[derive(Clone, Debug)]
pub struct Gauge(pub f64);

impl DataModel for Gauge {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < GAUGE.id).then_some(&GAUGE)
    }

    fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
        after.is_none().then_some(0)
    }

    fn next_resource(&self, _: u16, _: u16, after: Option<u16>) -> Option<u16> {
        GAUGE.resources.iter().map(|resource| resource.id).find(|id| after.is_none_or(|after| *id > after))
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let value = match at.resource {
            0 => Value::Float(self.0),
            3 => Value::Uint(7),
            4 => Value::Time(1_700_000_000),
            6 => Value::Bool(false),
            _ => panic!("{at} cannot be read"),
        };
        Ok(out.value(at, value)?)
    }
}

/// A device with one or two servers, registered.
#[track_caller]
pub fn online<M: DataModel>(config: Config, model: M) -> Sim<M> {
    let mut sim = Sim::new(config, model, 1);
    sim.network_up();
    let online = |sim: &Sim<_>| sim.platform.servers.iter().all(|server| server.registration().is_some());
    assert!(sim.run_until(secs(300), online), "{}", sim.trace);
    sim.run_for(secs(1));
    sim
}

/// Write-Attributes: `attributes(&mut sim, 0, "/3/0/9", "pmin=10&pmax=60")`.
#[track_caller]
pub fn attributes<M: DataModel>(sim: &mut Sim<M>, server: usize, path: &str, query: &str) -> Code {
    let query = query.split('&').map(str::to_string).collect();
    let answer = sim.ask(server, |server| server.request(Ask { query, ..Ask::new(Code::PUT, path) }));
    let response = answer.response();
    assert_eq!((&*response.payload, response.format), (&b""[..], None), "an answer of a code alone");
    response.code
}

/// What Discover shows: `</3/0>;pmin=10`, in order.
#[track_caller]
pub fn discover<M: DataModel>(sim: &mut Sim<M>, server: usize, path: Path) -> Vec<Link> {
    let answer = sim.ask(server, |server| server.discover(path));
    let response = answer.response();
    assert_eq!((response.code, response.format.map(|format| format.0)), (Code::CONTENT, Some(40)));
    response.links().unwrap_or_else(|| panic!("links: {:?}", response.text()))
}

/// The attributes that Discover shows at a path, sorted: `dim=2;pmin=10`.
#[track_caller]
pub fn shown(links: &[Link], path: &str) -> String {
    let link = links.iter().find(|link| link.target == path).unwrap_or_else(|| panic!("{path} in {links:?}"));
    let mut attributes: Vec<_> = link
        .attributes
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        })
        .collect();
    attributes.sort();
    attributes.join(";")
}

/// What is set at a path, as the server sees it that has set it.
#[track_caller]
pub fn set_at<M: DataModel>(sim: &mut Sim<M>, server: usize, path: Path) -> String {
    let links = discover(sim, server, path);
    shown(&links, &path.to_string())
}

/// An observation from its beginning on.
#[derive(Clone, Debug)]
pub struct Watch {
    pub operation: OperationId,
    pub path: Path,
    pub host: String,
    pub token: Vec<u8>,
    /// When the answer that began it was sent.
    pub since: Instant,
}

/// Has a server observe a path, in TLV if it is no single value.
#[track_caller]
pub fn watch<M: DataModel>(sim: &mut Sim<M>, server: usize, path: Path) -> Watch {
    let answer = sim.ask(server, |server| server.observe(path, None));
    let response = answer.response();
    assert!(response.code == Code::CONTENT && response.observe.is_some(), "{path}: {response:?}");
    let short_server_id = sim.platform.servers[server].short_server_id;
    let observed = Event::Observed { server: short_server_id, path };
    let since = times(sim, observed).pop().expect("it is observed");
    let first = |sent: &Sent| sent.at == since && sent.message().observe().is_some();
    let first = sent(sim).into_iter().find(first).expect("an answer");
    Watch { operation: answer.operation, path, host: first.host.clone(), token: first.token(), since }
}

impl Watch {
    /// The notifications, without repetitions.
    pub fn notifications<M: DataModel>(&self, sim: &Sim<M>) -> Vec<Sent> {
        let own = |sent: &Sent| {
            sent.host == self.host && sent.token() == self.token && sent.at > self.since && sent.code().is_response()
        };
        let mut notifications: Vec<_> = sent(sim).into_iter().filter(own).collect();
        notifications.retain(|sent| sent.kind() != coap_codec::MessageType::Acknowledgement);
        notifications.dedup_by_key(|sent| sent.id());
        notifications
    }

    /// When they were sent, after the beginning, and what they said.
    pub fn told<M: DataModel>(&self, sim: &Sim<M>) -> Vec<(Duration, String)> {
        let text = |sent: &Sent| {
            let payload = sent.message().payload();
            match sent.message().content_format().map(|format| format.0) {
                Some(11_542) => tree(&Node::read(payload).expect("TLV")),
                _ => String::from_utf8_lossy(payload).into_owned(),
            }
        };
        let after = |sent: &Sent| sent.at.saturating_duration_since(self.since);
        self.notifications(sim).iter().map(|sent| (after(sent), text(sent))).collect()
    }

    /// When they were sent, in whole seconds after the beginning.
    #[track_caller]
    pub fn seconds<M: DataModel>(&self, sim: &Sim<M>) -> Vec<u64> {
        let whole = |(after, _): (Duration, String)| {
            assert_eq!(after.subsec_nanos(), 0, "whole seconds: {after:?}\n{}", sim.trace);
            after.as_secs()
        };
        self.told(sim).into_iter().map(whole).collect()
    }

    /// Runs until so long after the beginning.
    #[track_caller]
    pub fn run_to<M: DataModel>(&self, sim: &mut Sim<M>, after: Duration) {
        let end = self.since + after;
        assert!(end >= sim.now(), "it is past {after:?}");
        sim.run_for(end.saturating_duration_since(sim.now()));
    }
}

/// The numbers in TLV: `0:3800 1:5000` for those of a multiple resource.
fn tree(nodes: &[Node]) -> String {
    let text = |node: &Node| match node {
        Node::Resource(id, _) | Node::ResourceInstance(id, _) => {
            format!("{id}:{}", node.integer().unwrap_or_default())
        }
        Node::Instance(_, below) | Node::Multiple(_, below) => tree(below),
    };
    nodes.iter().map(text).collect::<Vec<_>>().join(" ")
}
