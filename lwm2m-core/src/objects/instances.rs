//! An object with several instances, which servers may create and delete.

use alloc::vec::Vec;

use coap_codec::Code;

use super::object::{Object, bind};
use crate::base::path::Leaf;
use crate::base::value::{Sink, Value};
use crate::model::{Action, Args, Change, Ctx, DataModel, ObjectDef, Refusal, Resources};

/// The instances of an object, each a struct that [`object!`](crate::object!) bound.
///
/// Servers may create instances up to a limit (5.03 beyond it), from `T::default()` and what they
/// write, and delete them; [`fixed`](Self::fixed) keeps them from both (4.05).
///
/// ```
/// use lwm2m_core::objects::Instances;
/// use lwm2m_core::{DataModel, DataType, ObjectDef, Operations, ResourceDef, object};
///
/// static TEMPERATURE: ObjectDef = ObjectDef::new(3303, "Temperature", &[
///     ResourceDef::new(5700, "Sensor Value", Operations::R, DataType::Float).mandatory().unit("Cel"),
/// ]).multiple();
///
/// #[derive(Default)]
/// struct Temperature { celsius: f32 }
///
/// object! { Temperature: TEMPERATURE, read { 5700 => celsius } }
///
/// let mut sensors = Instances::new(2).fixed();
/// sensors.insert(0, Temperature { celsius: 21.5 });
/// sensors.insert(1, Temperature { celsius: 19.0 });
/// assert_eq!(sensors.next_instance(3303, Some(0)), Some(1));
/// sensors.get_mut(1).unwrap().celsius = 20.0;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instances<T> {
    /// In ascending order of the ids.
    instances: Vec<(u16, T)>,
    limit: usize,
    fixed: bool,
}

impl<T> Instances<T> {
    /// No instances, and room for `limit`.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { instances: Vec::new(), limit, fixed: false }
    }

    /// The same, but only the application makes instances and takes them away.
    #[must_use]
    pub fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }

    /// Puts an instance in, in place of one with the same id. False when there is no room for it.
    ///
    /// The list of objects changes with it: say so with a [`notify`](crate::Client::notify) of the
    /// object's path.
    pub fn insert(&mut self, id: u16, instance: T) -> bool {
        match self.position(id) {
            Ok(at) => {
                if let Some((_, old)) = self.instances.get_mut(at) {
                    *old = instance;
                }
            }
            Err(_) if self.instances.len() >= self.limit => return false,
            Err(at) => self.instances.insert(at, (id, instance)),
        }
        true
    }

    /// Takes an instance out.
    pub fn remove(&mut self, id: u16) -> Option<T> {
        let at = self.position(id).ok()?;
        Some(self.instances.remove(at).1)
    }

    /// An instance.
    #[must_use]
    pub fn get(&self, id: u16) -> Option<&T> {
        let at = self.position(id).ok()?;
        self.instances.get(at).map(|(_, instance)| instance)
    }

    /// An instance, to be changed.
    pub fn get_mut(&mut self, id: u16) -> Option<&mut T> {
        let at = self.position(id).ok()?;
        self.instances.get_mut(at).map(|(_, instance)| instance)
    }

    /// All instances and their ids, in ascending order of those.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &T)> {
        self.instances.iter().map(|(id, instance)| (*id, instance))
    }

    fn position(&self, id: u16) -> Result<usize, usize> {
        self.instances.binary_search_by_key(&id, |(id, _)| *id)
    }
}

impl<T: Object + Default> DataModel for Instances<T> {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        let definition = T::define();
        after.is_none_or(|after| after < definition.id).then_some(definition)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        let mut ids = self.iter().map(|(id, _)| id).filter(|_| object == T::define().id);
        ids.find(|id| after.is_none_or(|after| *id > after))
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        let instance = self.get(instance).filter(|_| object == T::define().id)?;
        bind::next_resource(instance, after)
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        bind::read(self.get(at.instance).ok_or(Refusal::Code(Code::NOT_FOUND))?, ctx, at, out)
    }

    fn ready(&self, _: &Ctx, at: Leaf) -> Option<Value<'_>> {
        let instance = self.get(at.instance).filter(|_| at.object == T::define().id)?;
        bind::ready(instance, at)
    }

    fn read_instance(&self, ctx: &Ctx, _: u16, instance: u16, out: &mut dyn Resources) -> Result<(), Refusal> {
        bind::read_instance(self.get(instance).ok_or(Refusal::Code(Code::NOT_FOUND))?, ctx, instance, out)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        match (change.action, self.get(change.instance)) {
            (Action::Create | Action::Delete, _) if self.fixed => Err(Refusal::Code(Code::METHOD_NOT_ALLOWED)),
            (Action::Create, None) => {
                if self.instances.len().saturating_add(usize::from(change.earlier)) >= self.limit {
                    return Err(Refusal::Code(Code::SERVICE_UNAVAILABLE));
                }
                bind::values(&T::default(), ctx, change)
            }
            (Action::Delete, Some(_)) => Ok(()),
            (Action::Create, Some(_)) | (_, None) => Err(Refusal::Code(Code::BAD_REQUEST)),
            (_, Some(instance)) => bind::values(instance, ctx, change),
        }
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        match change.action {
            Action::Delete => drop(self.remove(change.instance)),
            Action::Create => {
                let mut instance = T::default();
                bind::apply(&mut instance, ctx, change);
                self.insert(change.instance, instance);
            }
            _ => {
                if let Some(instance) = self.get_mut(change.instance) {
                    bind::apply(instance, ctx, change);
                }
            }
        }
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        self.get_mut(at.instance).ok_or(Refusal::Code(Code::NOT_FOUND))?.execute(ctx, at.resource, args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::DataType;
    use crate::format::Values;
    use crate::model::{Operations, Origin, ResourceDef};

    static LAMP: ObjectDef =
        ObjectDef::new(30_000, "Lamp", &[ResourceDef::new(0, "Level", Operations::RW, DataType::Integer)]).multiple();

    #[derive(Debug, Default, PartialEq)]
    struct Lamp {
        level: u8,
    }

    impl Lamp {
        const fn new(level: u8) -> Self {
            Self { level }
        }
    }

    crate::object! { Lamp: LAMP, write { 0 => level } }

    const CTX: Ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: crate::Instant::ZERO };

    #[test]
    fn there_are_as_many_as_there_is_room_for_each_once() {
        let mut lamps = Instances::new(2);
        assert!(lamps.insert(7, Lamp::new(1)) && lamps.insert(3, Lamp::new(2)));
        assert!(lamps.insert(7, Lamp::new(3)), "in the place of the other one");
        assert!(!lamps.insert(5, Lamp::new(4)), "there is no room");
        assert!(lamps.iter().eq([(3, &Lamp::new(2)), (7, &Lamp::new(3))]));
        assert_eq!((lamps.remove(3), lamps.remove(3)), (Some(Lamp::new(2)), None));
        assert!(lamps.insert(5, Lamp::new(4)));
    }

    #[test]
    fn a_value_lies_ready_where_there_is_one() {
        let mut lamps = Instances::new(2);
        lamps.insert(7, Lamp::new(80));
        assert_eq!(lamps.ready(&CTX, Leaf::new(LAMP.id, 7, 0)), Some(Value::Int(80)));
        for (object, instance, resource) in [(LAMP.id, 6, 0), (LAMP.id, 7, 1), (LAMP.id - 1, 7, 0)] {
            assert_eq!(lamps.ready(&CTX, Leaf::new(object, instance, resource)), None);
        }
    }

    #[test]
    fn what_is_there_is_not_made_again_and_what_is_not_cannot_go() {
        let mut lamps = Instances::new(2);
        lamps.insert(7, Lamp::new(80));
        let check = |lamps: &Instances<Lamp>, action, instance, earlier| {
            let change = Change { action, object: LAMP.id, instance, values: Values::of(0, Value::Int(5)), earlier };
            lamps.check(&CTX, &change)
        };
        let refused = |code| Err(Refusal::Code(code));
        for (action, instance, earlier, expected, fixed) in [
            (Action::Create, 6, 0, Ok(()), refused(Code::METHOD_NOT_ALLOWED)),
            (Action::Create, 6, 1, refused(Code::SERVICE_UNAVAILABLE), refused(Code::METHOD_NOT_ALLOWED)),
            (Action::Create, 7, 0, refused(Code::BAD_REQUEST), refused(Code::METHOD_NOT_ALLOWED)),
            (Action::Delete, 7, 0, Ok(()), refused(Code::METHOD_NOT_ALLOWED)),
            (Action::Delete, 6, 0, refused(Code::BAD_REQUEST), refused(Code::METHOD_NOT_ALLOWED)),
            (Action::Update, 7, 0, Ok(()), Ok(())),
            (Action::Update, 6, 0, refused(Code::BAD_REQUEST), refused(Code::BAD_REQUEST)),
        ] {
            assert_eq!(check(&lamps, action, instance, earlier), expected, "{action:?} {instance}");
            let mut still = Instances::new(2).fixed();
            still.insert(7, Lamp::new(80));
            assert_eq!(check(&still, action, instance, earlier), fixed, "{action:?} {instance}");
        }
    }
}
