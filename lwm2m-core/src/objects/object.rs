//! A struct as an object: its fields bound to the resources of a definition.

use coap_codec::Code;

use super::field::{Readable, Reading, Writable};
use crate::base::definition::{ObjectDef, Operations, ResourceDef};
use crate::base::origin::Origin;
use crate::base::path::Leaf;
use crate::base::value::{DataType, Sink, Value};
use crate::model::{Action, Args, Change, Ctx, Refusal, Resources};

/// An instance of an object: what [`object!`](crate::object!) makes of a struct.
pub trait Object {
    /// What the object is.
    fn define() -> &'static ObjectDef
    where
        Self: Sized;

    /// The same, of a value whose type is not known.
    fn definition(&self) -> &'static ObjectDef;

    /// The field that is bound to a resource.
    fn readable(&self, resource: u16) -> Option<&dyn Readable>;

    /// The resources that have a field, in the order of the definition, and what gives them where a whole
    /// instance is read: the same fields as those of [`readable`](Self::readable), in fewer steps. Where there
    /// is nothing at all, the fields are asked for one by one.
    #[must_use]
    fn fields<'a>() -> &'a [(&'static ResourceDef, Give<Self>)]
    where
        Self: Sized + 'a,
    {
        &[]
    }

    /// The field that is bound to a resource which servers may write.
    fn writable(&self, resource: u16) -> Option<&dyn Writable>;

    /// The same, to be written.
    fn writable_mut(&mut self, resource: u16) -> Option<&mut dyn Writable>;

    /// Whether a method is bound to a resource.
    fn executes(&self, resource: u16) -> bool;

    /// Calls the method that is bound to a resource.
    ///
    /// # Errors
    /// The method's own, or 4.05 when there is none.
    fn execute(&mut self, ctx: &Ctx, resource: u16, args: Args<'_>) -> Result<(), Refusal>;
}

/// Gives the resource of one field of a struct: [`Readable::give`] of that field.
pub type Give<T> = fn(&T, &Reading<'_>, &'static ResourceDef, &mut dyn Resources) -> Result<(), Refusal>;

/// Binds the fields of a struct to the resources of a definition, and makes it a
/// [`DataModel`](crate::DataModel) with this one object in one instance. For several instances keep
/// the structs in [`Instances`](super::Instances).
///
/// `read` has what servers read only, `write` what they may write, `execute` what they execute, in this order; a
/// section without a line is left out. A method of `execute` takes `&mut self`, [`&Ctx`](crate::Ctx) and
/// [`Args`](crate::Args), and returns `Result<(), `[`Refusal`](crate::Refusal)`>`. What is bound must fit, or it does
/// not compile, and the compiler points at the line: each id is one of the definition, is bound once, and stands where
/// its operations want it; a field is of the type of its resource, and multiple as it is. What is mandatory must be
/// bound, and what is not bound is not there for servers. Writes change the fields; a server can take away the value of
/// an `Option` or a [`Multiple`](super::Multiple) only. A bootstrap server writes what servers may write, and what is
/// its alone (`Operations::Bootstrap`).
/// The application changes the fields as it likes, and tells the client with
/// [`Client::notify`](crate::Client::notify).
///
/// Whoever wants to judge what is written by more than type and range, or to answer later, implements
/// [`DataModel`](crate::DataModel) by hand.
///
/// ```
/// use lwm2m_core::objects::{Device, Multiple};
/// use lwm2m_core::{
///     Args, Ctx, DataModel, DataType, ObjectDef, Operations, Range, Refusal, ResourceDef, object,
/// };
///
/// static PUMP: ObjectDef = ObjectDef::new(30_000, "Pump", &[
///     ResourceDef::new(0, "Litres", Operations::R, DataType::Integer).mandatory().unit("l"),
///     ResourceDef::new(1, "Label", Operations::RW, DataType::String).range(Range::Length(0, 32)),
///     ResourceDef::new(2, "Reset", Operations::E, DataType::None),
///     ResourceDef::new(3, "Alarm Levels", Operations::RW, DataType::Float).multiple().unit("bar"),
/// ]);
///
/// #[derive(Default)]
/// struct Pump {
///     litres: u32,
///     label: Option<String>,
///     alarm_levels: Multiple<f32>,
/// }
///
/// impl Pump {
///     fn reset(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
///         self.litres = 0;
///         Ok(())
///     }
/// }
///
/// object! {
///     Pump: PUMP,
///     read { 0 => litres },
///     write { 1 => label, 3 => alarm_levels },
///     execute { 2 => reset },
/// }
///
/// // The device's objects, as the client wants them.
/// let mut model = (Device::new("Example Works", "TM-1"), Pump { litres: 7, ..Pump::default() });
/// assert_eq!(model.next_resource(30_000, 0, None), Some(0));
/// assert_eq!(model.next_resource(30_000, 0, Some(0)), Some(2), "there is no label yet, and no level");
/// model.1.alarm_levels.set(0, 2.5);
/// assert_eq!(model.next_resource(30_000, 0, Some(2)), Some(3));
/// ```
///
/// ```compile_fail
/// # use lwm2m_core::{DataType, ObjectDef, Operations, ResourceDef, object};
/// static PUMP: ObjectDef =
///     ObjectDef::new(30_000, "Pump", &[ResourceDef::new(0, "Litres", Operations::R, DataType::Integer)]);
/// struct Pump { litres: f32 } // not what the definition says
/// object! { Pump: PUMP, read { 0 => litres } }
/// ```
#[macro_export]
macro_rules! object {
    (
        $object:ty: $definition:path
        $(, read { $($readable:expr => $read:tt),* $(,)? })?
        $(, write { $($writable:expr => $written:tt),* $(,)? })?
        $(, execute { $($executable:expr => $method:tt),* $(,)? })?
        $(,)?
    ) => {
        const _: () = {
            const __BOUND: &[u16] = &[$($($readable,)*)? $($($writable,)*)? $($($executable,)*)?];
            $crate::objects::fit::complete::<{ $crate::objects::fit::missing(&$definition, __BOUND) }, $object>();
            // Each line's own word names what is checked, for the compiler to point at.
            $($({
                let $read = $crate::objects::fit::field(|object: &$object| &object.$read);
                $crate::objects::fit::Fit::<{
                    let $read = $crate::objects::fit::field(|object: &$object| &object.$read);
                    $crate::objects::fit::of_field(&$definition, __BOUND, $readable, false, $read) as u8
                }>::check($read);
            })*)?
            $($({
                let $written = $crate::objects::fit::field(|object: &$object| &object.$written);
                $crate::objects::fit::Fit::<{
                    let $written = $crate::objects::fit::field(|object: &$object| &object.$written);
                    $crate::objects::fit::of_field(&$definition, __BOUND, $writable, true, $written) as u8
                }>::check($written);
            })*)?
            $($({
                let $method = $crate::objects::fit::Bound::<$object>::ANY;
                $crate::objects::fit::Fit::<{
                    $crate::objects::fit::of_method(&$definition, __BOUND, $executable) as u8
                }>::check($method);
            })*)?
        };

        impl $crate::objects::Object for $object {
            fn define() -> &'static $crate::ObjectDef {
                &$definition
            }

            fn definition(&self) -> &'static $crate::ObjectDef {
                &$definition
            }

            fn readable(&self, resource: u16) -> Option<&dyn $crate::objects::Readable> {
                $($(if resource == $readable {
                    let $read = &self.$read;
                    return Some($read);
                })*)?
                $($(if resource == $writable {
                    let $written = &self.$written;
                    return Some($written);
                })*)?
                let _ = resource;
                None
            }

            fn fields<'a>() -> &'a [(&'static $crate::ResourceDef, $crate::objects::Give<Self>)] {
                static FIELDS: &[(&$crate::ResourceDef, $crate::objects::Give<$object>)] =
                    &$crate::objects::bind::fields(&$definition, [
                        $($(($readable, |object: &$object, reading, resource, out| {
                            let $read = &object.$read;
                            $crate::objects::Readable::give($read, reading, resource, out)
                        }),)*)?
                        $($(($writable, |object: &$object, reading, resource, out| {
                            let $written = &object.$written;
                            $crate::objects::Readable::give($written, reading, resource, out)
                        }),)*)?
                    ]);
                FIELDS
            }

            fn writable(&self, resource: u16) -> Option<&dyn $crate::objects::Writable> {
                $($(if resource == $writable {
                    let $written = &self.$written;
                    return Some($written);
                })*)?
                let _ = resource;
                None
            }

            fn writable_mut(&mut self, resource: u16) -> Option<&mut dyn $crate::objects::Writable> {
                $($(if resource == $writable {
                    let $written = &mut self.$written;
                    return Some($written);
                })*)?
                let _ = resource;
                None
            }

            fn executes(&self, resource: u16) -> bool {
                let _ = resource;
                false $($(|| resource == $executable)*)?
            }

            fn execute(
                &mut self,
                ctx: &$crate::Ctx,
                resource: u16,
                args: $crate::Args<'_>,
            ) -> Result<(), $crate::Refusal> {
                $($(if resource == $executable {
                    let $method = self.$method(ctx, args);
                    return $method;
                })*)?
                let _ = (ctx, resource, args);
                Err($crate::Refusal::Code($crate::coap_codec::Code::METHOD_NOT_ALLOWED))
            }
        }

        impl $crate::DataModel for $object {
            fn next_object(&self, after: Option<u16>) -> Option<&'static $crate::ObjectDef> {
                after.is_none_or(|after| after < $definition.id).then_some(&$definition)
            }

            fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
                (object == $definition.id && after.is_none()).then_some(0)
            }

            fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
                if (object, instance) == ($definition.id, 0) {
                    $crate::objects::bind::next_resource(self, after)
                } else {
                    None
                }
            }

            fn read(
                &self,
                ctx: &$crate::Ctx,
                at: $crate::Leaf,
                out: &mut dyn $crate::Sink,
            ) -> Result<(), $crate::Refusal> {
                $crate::objects::bind::read(self, ctx, at, out)
            }

            fn ready(&self, _: &$crate::Ctx, at: $crate::Leaf) -> Option<$crate::Value<'_>> {
                if (at.object, at.instance) == ($definition.id, 0) {
                    $crate::objects::bind::ready(self, at)
                } else {
                    None
                }
            }

            fn read_instance(
                &self,
                ctx: &$crate::Ctx,
                _: u16,
                instance: u16,
                out: &mut dyn $crate::Resources,
            ) -> Result<(), $crate::Refusal> {
                $crate::objects::bind::read_instance(self, ctx, instance, out)
            }

            fn check(&self, ctx: &$crate::Ctx, change: &$crate::Change<'_>) -> Result<(), $crate::Refusal> {
                $crate::objects::bind::check(self, ctx, change)
            }

            fn apply(&mut self, ctx: &$crate::Ctx, change: &$crate::Change<'_>) {
                $crate::objects::bind::apply(self, ctx, change);
            }

            fn execute(
                &mut self,
                ctx: &$crate::Ctx,
                at: $crate::Leaf,
                args: $crate::Args<'_>,
            ) -> Result<(), $crate::Refusal> {
                $crate::objects::Object::execute(self, ctx, at.resource, args)
            }
        }
    };
    ($object:ty: $definition:path $(, $section:ident { $($id:expr => $name:tt),* $(,)? })* $(,)?) => {
        compile_error!("the sections are `read`, `write` and `execute`, in this order, each once");
    };
}

/// What the macro calls: one copy of the code for all objects.
#[doc(hidden)]
pub mod bind {
    use super::*;

    /// The first resource after `after` that servers see.
    pub fn next_resource(object: &dyn Object, after: Option<u16>) -> Option<u16> {
        let mut ids = object.definition().resources.iter().map(|resource| resource.id);
        let there = |id| object.readable(id).map_or_else(|| object.executes(id), Readable::is_present);
        ids.find(|id| after.is_none_or(|after| *id > after) && there(*id))
    }

    /// Gives the values of a resource to `out`.
    ///
    /// # Errors
    /// 4.04 when it has none; also what the sink returned.
    pub fn read(object: &dyn Object, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        object.readable(at.resource).ok_or(Refusal::Code(Code::NOT_FOUND))?.read(ctx, at, out)
    }

    /// The value of a single resource, if it lies ready.
    #[must_use]
    pub fn ready(object: &dyn Object, at: Leaf) -> Option<Value<'_>> {
        object.readable(at.resource).filter(|_| at.index.is_none())?.ready()
    }

    /// Gives every resource that has a value to `out`.
    ///
    /// # Errors
    /// What a field, or the sink, returned.
    pub fn read_instance<T: Object>(
        object: &T,
        ctx: &Ctx,
        instance: u16,
        out: &mut dyn Resources,
    ) -> Result<(), Refusal> {
        let fields = T::fields();
        if fields.is_empty() {
            return read_one_by_one(object, ctx, instance, out);
        }
        let definition = T::define();
        let reading = Reading { ctx, object: definition.id, instance };
        fields.iter().try_for_each(|(resource, give)| give(object, &reading, resource, out))
    }

    fn read_one_by_one(object: &dyn Object, ctx: &Ctx, instance: u16, out: &mut dyn Resources) -> Result<(), Refusal> {
        let definition = object.definition();
        let reading = Reading { ctx, object: definition.id, instance };
        for resource in definition.resources {
            if let Some(field) = object.readable(resource.id) {
                field.give(&reading, resource, out)?;
            }
        }
        Ok(())
    }

    /// The fields that are bound, with their definitions and in the order of these.
    #[must_use]
    pub const fn fields<T, const N: usize>(
        object: &'static ObjectDef,
        bound: [(u16, Give<T>); N],
    ) -> [(&'static ResourceDef, Give<T>); N] {
        static NONE: ResourceDef = ResourceDef::new(0, "", Operations::R, DataType::None);
        let mut fields: [(&ResourceDef, Give<T>); N] = [(&NONE, |_, _, _, _| Ok(())); N];
        let (mut resources, mut places): (_, &mut [_]) = (object.resources, &mut fields);
        while let [resource, others @ ..] = resources {
            let mut rest: &[_] = &bound;
            while let [(id, give), more @ ..] = rest {
                if *id == resource.id
                    && let [place, other_places @ ..] = places
                {
                    *place = (resource, *give);
                    places = other_places;
                }
                rest = more;
            }
            resources = others;
        }
        fields
    }

    /// Whether a change of one instance that stays can be carried out.
    ///
    /// # Errors
    /// 4.05 for Create and Delete, otherwise as [`values`].
    pub fn check(object: &dyn Object, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        match change.action {
            Action::Create | Action::Delete => Err(Refusal::Code(Code::METHOD_NOT_ALLOWED)),
            _ => values(object, ctx, change),
        }
    }

    /// Whether the values of a change can be written.
    ///
    /// # Errors
    /// 4.04 for a resource that is not bound, 4.00 for a value that does not fit its field.
    pub fn values(object: &dyn Object, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        let instead = change.action != Action::Update;
        for resource in change.values.resources() {
            match writable(object, ctx, resource) {
                Some(field) if !field.accepts(resource, &change.values, instead) => {
                    return Err(Refusal::Code(Code::BAD_REQUEST));
                }
                // Who makes an instance may name what is not supported, or is the device's own
                // (OMA LwM2M 1.0, 5.2.7.2 and 5.4.6).
                None if change.action != Action::Create && ctx.origin != Origin::Bootstrap => {
                    return Err(Refusal::Code(Code::NOT_FOUND));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The field of a resource, if the origin may write it. A Write by a server to what it may not
    /// was refused before.
    fn writable<'a>(object: &'a dyn Object, ctx: &Ctx, resource: u16) -> Option<&'a dyn Writable> {
        let definition = object.definition().resource(resource)?;
        let closed = matches!((definition.operations, ctx.origin), (Operations::Bootstrap, Origin::Server(_)));
        object.writable(resource).filter(|_| !closed)
    }

    /// Carries out a change of an instance that [`values`] found good.
    pub fn apply(object: &mut dyn Object, ctx: &Ctx, change: &Change<'_>) {
        for resource in object.definition().resources.iter().filter(|resource| resource.operations.writable()) {
            let cleared = match change.action {
                Action::Replace => true,
                Action::Resource(only) => only == resource.id,
                _ => false,
            };
            if let Some(field) = object.writable_mut(resource.id).filter(|_| cleared) {
                field.clear();
            }
        }
        for given in change.values.iter() {
            if writable(object, ctx, given.resource).is_some()
                && let Some(field) = object.writable_mut(given.resource)
            {
                field.write(ctx, given);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::path::Path;
    use crate::base::time::Instant;
    use crate::format::{Encoder, Format, Output};
    use crate::model::walk::encode;
    use crate::objects::{Instances, Multiple};
    use alloc::vec::Vec;

    static PUMP: ObjectDef = ObjectDef::new(
        30_000,
        "Pump",
        &[
            ResourceDef::new(0, "Litres", Operations::R, DataType::Integer).mandatory(),
            ResourceDef::new(1, "Levels", Operations::RW, DataType::Integer).multiple(),
            ResourceDef::new(2, "Reset", Operations::E, DataType::None),
        ],
    );

    /// A pump as the macro binds it, and one that does by hand what it must.
    #[derive(Default)]
    struct Pump {
        litres: u8,
        levels: Multiple<u8>,
    }

    impl Pump {
        fn reset(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
            self.litres = 0;
            Ok(())
        }
    }

    crate::object! { Pump: PUMP, read { 0 => litres }, write { 1 => levels }, execute { 2 => reset } }

    #[derive(Default)]
    struct ByHand(Pump);

    impl Object for ByHand {
        fn define() -> &'static ObjectDef {
            &PUMP
        }

        fn definition(&self) -> &'static ObjectDef {
            &PUMP
        }

        fn readable(&self, resource: u16) -> Option<&dyn Readable> {
            self.0.readable(resource)
        }

        fn writable(&self, resource: u16) -> Option<&dyn Writable> {
            self.0.writable(resource)
        }

        fn writable_mut(&mut self, resource: u16) -> Option<&mut dyn Writable> {
            self.0.writable_mut(resource)
        }

        fn executes(&self, resource: u16) -> bool {
            self.0.executes(resource)
        }

        fn execute(&mut self, ctx: &Ctx, resource: u16, args: Args<'_>) -> Result<(), Refusal> {
            Object::execute(&mut self.0, ctx, resource, args)
        }
    }

    #[test]
    fn an_object_without_a_table_of_fields_is_read_all_the_same() {
        fn read<T: Object + Default>(instance: T) -> Vec<u8> {
            let ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::ZERO };
            let mut instances = Instances::new(1);
            instances.insert(7, instance);
            let (mut room, path) = ([0; 64], Path::instance(PUMP.id, 7));
            let encoder = Encoder::new(Format::TLV, path, Output::new(&mut room));
            let length = encode(&ctx, path, &instances, encoder).unwrap();
            let whole = room[..length].to_vec();
            // One after the other they are the same.
            let mut after = Vec::new();
            for resource in [0, 1] {
                let path = Path::resource(PUMP.id, 7, resource);
                let encoder = Encoder::new(Format::TLV, path, Output::new(&mut room));
                let length = encode(&ctx, path, &instances, encoder).unwrap();
                after.extend_from_slice(&room[..length]);
            }
            assert!(after.starts_with(&whole), "{after:?}");
            whole
        }
        let pump = || Pump { litres: 5, levels: [1, 2].into() };
        assert_eq!((Pump::fields().len(), ByHand::fields().len()), (2, 0));
        assert_eq!(read(pump()), [0xC1, 0, 5, 0x86, 1, 0x41, 0, 1, 0x41, 1, 2]);
        assert_eq!(read(ByHand(pump())), read(pump()));
        assert_eq!(read(ByHand::default()), [0xC1, 0, 0]);
    }
}
