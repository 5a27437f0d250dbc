//! A device whose instances come and go, and which may take its time.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::std_instead_of_alloc, reason = "a test is no part of the library")]

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use lwm2m_core::objects::Device;
use lwm2m_core::sim::Sim;
use lwm2m_core::{
    Action, Args, Change, Config, Credentials, Ctx, DataModel, DataType, Leaf, ObjectDef, Operations, Path, Refusal,
    ResourceDef, Rights, Sink, Ticket, Value,
};

use super::{device, dm, secs};

/// The object of a module: its level, and a way to run it.
pub static MODULE: ObjectDef = ObjectDef::new(
    30_000,
    "Module",
    &[
        ResourceDef::new(0, "Level", Operations::RW, DataType::Integer).mandatory(),
        ResourceDef::new(1, "Run", Operations::E, DataType::None),
    ],
)
.multiple();

pub const LEVEL: Path = Path::resource(30_000, 0, 0);
pub const RUN: Path = Path::resource(30_000, 0, 1);

/// Modules that come and go.
#[derive(Clone, Debug)]
pub struct Rack {
    pub levels: BTreeMap<u16, i64>,
    /// What servers had it do: `create 1`, `set 0 to 7`, `delete 1`, `run 0`.
    pub done: Vec<String>,
    /// How often it was asked to read or to run something, resumed calls included.
    pub asked: Cell<u32>,
    /// Whether it reads and runs only when it is asked for the second time.
    pub later: bool,
    /// The tickets of what it puts off.
    pub tickets: RefCell<Vec<Ticket>>,
    /// The module that it lets no server do anything with.
    pub hidden: Option<u16>,
}

impl Rack {
    pub fn new() -> Self {
        let (done, asked, tickets) = (Vec::new(), Cell::new(0), RefCell::new(Vec::new()));
        Self { levels: BTreeMap::from([(0, 5)]), done, asked, later: false, tickets, hidden: None }
    }

    /// Takes the ticket of the oldest request that was put off.
    #[track_caller]
    pub fn ticket(&self) -> Ticket {
        self.tickets.borrow_mut().remove(0)
    }

    fn now_or_later(&self, ctx: &Ctx) -> Result<(), Refusal> {
        self.asked.set(self.asked.get() + 1);
        if self.later && !ctx.resumed {
            self.tickets.borrow_mut().extend(ctx.ticket);
            return Err(Refusal::Later);
        }
        Ok(())
    }
}

impl DataModel for Rack {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < MODULE.id).then_some(&MODULE)
    }

    fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
        self.levels.keys().copied().find(|id| after.is_none_or(|after| *id > after))
    }

    fn next_resource(&self, _: u16, _: u16, after: Option<u16>) -> Option<u16> {
        MODULE.resources.iter().map(|resource| resource.id).find(|id| after.is_none_or(|after| *id > after))
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.now_or_later(ctx)?;
        Ok(out.value(at, Value::Int(self.levels[&at.instance]))?)
    }

    fn check(&self, _: &Ctx, _: &Change<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, _: &Ctx, change: &Change<'_>) {
        let (id, level) = (change.instance, change.values.get(0));
        if change.action == Action::Delete {
            self.levels.remove(&id);
            return self.done.push(format!("delete {id}"));
        }
        let Some(Value::Int(level)) = level else { panic!("a level") };
        self.levels.insert(id, level);
        let made = change.action == Action::Create;
        self.done.push(if made { format!("create {id}") } else { format!("set {id} to {level}") });
    }

    fn rights(&self, _: &Ctx, object: u16, instance: u16) -> Rights {
        if object == MODULE.id && self.hidden == Some(instance) { Rights::NONE } else { Rights::ALL }
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        self.now_or_later(ctx)?;
        self.done.push(format!("run {}", at.instance));
        Ok(())
    }
}

/// A device that knows its server, without a bootstrap.
pub fn one_server(seed: u64) -> Config {
    dm(seed).server(1, "coap://dm.example", Credentials::NoSec, 86_400)
}

/// The same, and a second one at [`SECOND`]. Both may do everything with Device and the Server instances.
pub fn two_servers(seed: u64) -> Config {
    let config = one_server(seed).server(2, "coap://second.example", Credentials::NoSec, 86_400);
    sharing(config, &[Path::instance(1, 0), Path::instance(1, 1), Path::instance(3, 0)])
}

/// The same, and all servers may do everything with these instances, too.
pub fn sharing(config: Config, instances: &[Path]) -> Config {
    instances.iter().fold(config, |config, path| config.access(*path, 1, &[(0, Rights::ALL)]))
}

pub const SECOND: &str = "second.example:5683";

/// A device with a rack, registered.
#[track_caller]
pub fn racked(config: Config) -> Sim<(Device, Rack)> {
    let mut sim = Sim::new(config, (device(), Rack::new()), 1);
    sim.network_up();
    let online = |sim: &Sim<_>| sim.platform.servers.iter().all(|server| server.registration().is_some());
    assert!(sim.run_until(secs(300), online), "{}", sim.trace);
    sim.run_for(secs(1));
    sim
}
