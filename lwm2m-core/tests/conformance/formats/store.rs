//! A device with one object that keeps what servers write: each value as it arrived, for a look and for
//! reading back.

use std::collections::BTreeMap;

use coap_codec::{Code, ContentFormat};
use lwm2m_core::sim::{Answer, Ask, Response, Sim};
use lwm2m_core::{
    Action, Change, Config, Ctx, DataModel, DataType, Leaf, ObjectDef, Operations, Refusal, ResourceDef, Sink, Value,
};

use crate::terminal::*;

/// A value that owns what it has.
#[derive(Clone, Debug, PartialEq)]
pub enum Owned {
    Str(String),
    Opaque(Vec<u8>),
    Corelnk(String),
    Plain(Value<'static>),
}

impl Owned {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Str(text) => Self::Str(text.into()),
            Value::Opaque(bytes) => Self::Opaque(bytes.into()),
            Value::Corelnk(text) => Self::Corelnk(text.into()),
            Value::Int(number) => Self::Plain(Value::Int(number)),
            Value::Uint(number) => Self::Plain(Value::Uint(number)),
            Value::Float(number) => Self::Plain(Value::Float(number)),
            Value::Bool(truth) => Self::Plain(Value::Bool(truth)),
            Value::Time(seconds) => Self::Plain(Value::Time(seconds)),
            Value::Link(object, instance) => Self::Plain(Value::Link(object, instance)),
            other => panic!("a kind that is not known here: {other:?}"),
        }
    }

    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Str(text) => Value::Str(text),
            Self::Opaque(bytes) => Value::Opaque(bytes),
            Self::Corelnk(text) => Value::Corelnk(text),
            Self::Plain(value) => *value,
        }
    }
}

/// What a resource holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    One(Owned),
    Many(BTreeMap<u16, Owned>),
}

pub type Instances = BTreeMap<u16, BTreeMap<u16, Held>>;

#[derive(Clone, Debug)]
pub struct Store {
    pub object: &'static ObjectDef,
    pub instances: Instances,
    /// How many changes were carried out.
    pub changes: usize,
}

/// The id of the store's object.
pub const ID: u16 = 30_009;

pub const fn resource(id: u16, data_type: DataType) -> ResourceDef {
    ResourceDef::new(id, "", Operations::RW, data_type)
}

/// An object of many instances.
pub fn object(mut resources: Vec<ResourceDef>) -> &'static ObjectDef {
    resources.sort_by_key(|resource| resource.id);
    Box::leak(Box::new(ObjectDef::new(ID, "Store", resources.leak()).multiple()))
}

impl Store {
    /// Instance 0, with nothing in it.
    pub fn new(object: &'static ObjectDef) -> Self {
        Self { object, instances: BTreeMap::from([(0, BTreeMap::new())]), changes: 0 }
    }

    pub fn one(&self, resource: u16) -> Option<&Owned> {
        match self.instances[&0].get(&resource)? {
            Held::One(value) => Some(value),
            Held::Many(_) => panic!("it holds several"),
        }
    }
}

impl DataModel for Store {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < ID).then_some(self.object)
    }

    fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
        self.instances.keys().copied().find(|id| after.is_none_or(|after| *id > after))
    }

    fn next_resource(&self, _: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.instances.get(&instance)?.keys().copied().find(|id| after.is_none_or(|after| *id > after))
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        match &self.instances[&at.instance][&at.resource] {
            Held::One(value) => out.value(at, value.value())?,
            Held::Many(values) => {
                values.iter().try_for_each(|(index, value)| out.value(at.at(*index), value.value()))?
            }
        }
        Ok(())
    }

    fn check(&self, _: &Ctx, _: &Change<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, _: &Ctx, change: &Change<'_>) {
        self.changes += 1;
        if change.action == Action::Delete {
            self.instances.remove(&change.instance);
            return;
        }
        let held = self.instances.entry(change.instance).or_default();
        if change.action == Action::Replace {
            held.clear();
        }
        for id in change.values.resources() {
            let multiple = self.object.resource(id).expect("a resource of the object").multiple;
            let whole = change.action != Action::Update || !held.contains_key(&id);
            if multiple && whole {
                held.insert(id, Held::Many(BTreeMap::new()));
            }
        }
        for given in &change.values {
            let value = Owned::of(given.value);
            match given.index {
                None => drop(held.insert(given.resource, Held::One(value))),
                Some(index) => match held.get_mut(&given.resource) {
                    Some(Held::Many(values)) => drop(values.insert(index, value)),
                    other => panic!("a multiple resource, not {other:?}"),
                },
            }
        }
    }
}

/// A device with a store, registered.
#[track_caller]
pub fn keeping(resources: Vec<ResourceDef>) -> Sim<Store> {
    configured(one_server(1), Store::new(object(resources)))
}

#[track_caller]
pub fn configured(mut config: Config, store: Store) -> Sim<Store> {
    // Room for all requests of a long test.
    config.limits.deduplication = 2_000;
    let mut sim = Sim::new(config, store, 1);
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registration().is_some()), "{}", sim.trace);
    sim.run_for(secs(1));
    sim
}

/// PUT, POST: what the device answers to a payload. `/o` is the object.
#[track_caller]
pub fn put(sim: &mut Sim<Store>, method: Code, path: &str, format: ContentFormat, payload: &[u8]) -> Code {
    let ask = Ask { format: Some(format), payload: payload.into(), ..Ask::new(method, &of_store(path)) };
    asked(sim, ask).response().code
}

/// GET.
#[track_caller]
pub fn get(sim: &mut Sim<Store>, path: &str, accept: Option<ContentFormat>) -> Response {
    asked(sim, Ask { accept, ..Ask::new(Code::GET, &of_store(path)) }).response().clone()
}

fn of_store(path: &str) -> String {
    path.replacen("/o", &format!("/{ID}"), 1)
}

#[track_caller]
fn asked(sim: &mut Sim<Store>, ask: Ask) -> Answer {
    let answer = sim.ask(0, |server| server.request(ask));
    sim.run_for(secs(1));
    answer
}

/// Nothing was carried out, and nothing is other than before.
#[track_caller]
pub fn unchanged(sim: &Sim<Store>, before: &Store, what: &str) {
    assert_eq!((sim.model.changes, &sim.model.instances), (before.changes, &before.instances), "{what}");
}
