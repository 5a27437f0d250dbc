//! Objects that take large values: a slot for an image, which takes it as it comes, and a store, which
//! takes its texts and bytes as a whole.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::std_instead_of_alloc, reason = "a test is no part of the library")]

use std::collections::BTreeMap;

use coap_codec::Code;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::Sim;
use lwm2m_core::{
    Action, Args, Change, Config, Ctx, DataModel, DataType, Leaf, ObjectDef, Operations, Origin, Part, Path, Refusal,
    ResourceDef, Sink, Ticket, Value,
};

use super::{device, secs, server};

/// Object 5, as far as a transfer needs it.
pub static FIRMWARE: ObjectDef = ObjectDef::new(
    5,
    "Firmware Update",
    &[
        ResourceDef::new(0, "Package", Operations::W, DataType::Opaque).mandatory(),
        ResourceDef::new(3, "State", Operations::R, DataType::Integer).mandatory(),
    ],
);

/// Texts and bytes.
pub static STORE: ObjectDef = ObjectDef::new(
    30_001,
    "Store",
    &[
        ResourceDef::new(0, "Text", Operations::RW, DataType::String).mandatory(),
        ResourceDef::new(1, "Bytes", Operations::RW, DataType::Opaque),
        ResourceDef::new(2, "Run", Operations::E, DataType::None),
    ],
)
.multiple();

pub const PACKAGE: Path = Path::resource(5, 0, 0);
pub const TEXT: Path = Path::resource(30_001, 0, 0);
pub const BYTES: Path = Path::resource(30_001, 0, 1);

/// A part as it came: who sent it, where it begins, how long it is, and whether it is the last.
pub type Taken = (Origin, u64, usize, bool);

#[derive(Clone, Debug, Default)]
pub struct Depot {
    /// The image so far.
    pub image: Vec<u8>,
    /// 0 idle, 1 downloading, 2 downloaded.
    pub state: i64,
    pub parts: Vec<Taken>,
    pub announced: Option<u32>,
    /// What the part at this offset gets, once.
    pub refuse: Option<(u64, Refusal)>,
    pub tickets: Vec<Ticket>,
    pub store: BTreeMap<u16, (String, Vec<u8>)>,
    /// How often something was applied or executed: `set /30001/0/0`, `create /30001/1`, `run 0='..'`.
    pub done: Vec<String>,
    /// Whether changes wait for the second call.
    pub later: bool,
}

impl DataModel for Depot {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        [&FIRMWARE, &STORE].into_iter().find(|object| after.is_none_or(|after| object.id > after))
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        match object {
            5 => after.is_none().then_some(0),
            _ => self.store.keys().copied().find(|id| after.is_none_or(|after| *id > after)),
        }
    }

    fn next_resource(&self, object: u16, _: u16, after: Option<u16>) -> Option<u16> {
        let object = if object == 5 { &FIRMWARE } else { &STORE };
        object.resources.iter().map(|resource| resource.id).find(|id| after.is_none_or(|after| *id > after))
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        if at.object == 5 {
            return Ok(out.value(at, Value::Int(self.state))?);
        }
        let (text, bytes) = &self.store[&at.instance];
        if at.resource == 0 {
            return Ok(out.value(at, Value::Str(text))?);
        }
        // As if it were in flash memory.
        let mut flash = |offset: usize, room: &mut [u8]| room.copy_from_slice(&bytes[offset..][..room.len()]);
        Ok(out.opaque(at, bytes.len(), &mut flash)?)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        if self.later && !ctx.resumed {
            return Err(Refusal::Later);
        }
        match (change.object, change.action) {
            (5, _) => Err(Refusal::Code(Code::METHOD_NOT_ALLOWED)),
            _ => Ok(()),
        }
    }

    fn apply(&mut self, _: &Ctx, change: &Change<'_>) {
        let what = if change.action == Action::Create { "create" } else { "set" };
        self.done.push(format!("{what} {}", change.path()));
        let entry = self.store.entry(change.instance).or_default();
        if let Some(Value::Str(text)) = change.values.get(0) {
            entry.0 = text.into();
        }
        if let Some(Value::Opaque(bytes)) = change.values.get(1) {
            entry.1 = bytes.into();
        }
    }

    fn stream(&mut self, ctx: &Ctx, at: Leaf, part: Part<'_>) -> Result<(), Refusal> {
        if at.path() != PACKAGE {
            return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
        }
        if let Some((_, refusal)) = self.refuse.take_if(|(offset, _)| *offset == part.offset) {
            self.tickets.extend(ctx.ticket);
            return Err(refusal);
        }
        if part.offset == 0 {
            self.image.clear();
            self.announced = part.total;
        }
        assert_eq!(self.image.len() as u64, part.offset, "parts come in order and without a gap");
        self.image.extend_from_slice(part.bytes);
        self.parts.push((ctx.origin, part.offset, part.bytes.len(), part.last));
        self.state = if part.last { 2 } else { 1 };
        Ok(())
    }

    fn execute(&mut self, _: &Ctx, _: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        self.done.push(format!("run {}", args.as_str()));
        Ok(())
    }
}

/// A device with a depot that is registered with all of its servers.
#[track_caller]
pub fn stored(config: Config) -> Sim<(Device, Depot)> {
    let store = [(0, (String::new(), Vec::new()))].into();
    let mut sim = Sim::new(config, (device(), Depot { store, ..Depot::default() }), 1);
    sim.network_up();
    let online = |sim: &Sim<_>| sim.platform.servers.iter().all(|server| server.registration().is_some());
    assert!(sim.run_until(secs(300), online), "{}", sim.trace);
    sim.run_for(secs(1));
    sim
}

/// So many bytes, no two stretches of them alike.
pub fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)).wrapping_mul(167) as u8).collect()
}

/// So many letters, no two stretches of them alike.
pub fn letters(length: usize) -> String {
    bytes(length).into_iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// The first server's registration names it.
pub fn lists(sim: &Sim<impl DataModel>, path: &str) -> bool {
    server(sim).registration().is_some_and(|registered| registered.lists(path))
}
