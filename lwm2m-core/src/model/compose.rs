//! Several models as one: tuples, and two models behind references.

use super::{Args, Change, Ctx, DataModel, ObjectDef, Part, Refusal};
use crate::base::path::Leaf;
use crate::base::rights::Rights;
use crate::base::value::{Sink, Value};
use coap_codec::Code;

/// A device without objects of its own: the client still has Security and Server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NoObjects;

impl DataModel for NoObjects {
    fn next_object(&self, _: Option<u16>) -> Option<&'static ObjectDef> {
        None
    }

    fn next_instance(&self, _: u16, _: Option<u16>) -> Option<u16> {
        None
    }

    fn next_resource(&self, _: u16, _: u16, _: Option<u16>) -> Option<u16> {
        None
    }

    fn read(&self, _: &Ctx, _: Leaf, _: &mut dyn Sink) -> Result<(), Refusal> {
        Err(Refusal::Code(Code::NOT_FOUND))
    }
}

/// Two models seen as one. Where both define an object, the first one has it.
///
/// Tuples do this for owned models; `Joined` does it for borrowed ones.
#[derive(Debug)]
pub struct Joined<'a, A: ?Sized, B: ?Sized>(pub &'a mut A, pub &'a mut B);

/// Two models seen as one, for reading: it refuses every change.
pub(crate) struct Viewed<'a>(pub(crate) &'a dyn DataModel, pub(crate) &'a dyn DataModel);

/// Writes the reading half of `DataModel` for a pair.
macro_rules! read_from_pair {
    () => {
        fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
            match (self.0.next_object(after), self.1.next_object(after)) {
                (Some(first), Some(second)) if second.id < first.id => Some(second),
                (None, second) => second,
                (first, _) => first,
            }
        }

        fn object(&self, id: u16) -> Option<&'static ObjectDef> {
            self.0.object(id).or_else(|| self.1.object(id))
        }

        fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
            if self.0.object(object).is_some() {
                self.0.next_instance(object, after)
            } else {
                self.1.next_instance(object, after)
            }
        }

        fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
            if self.0.object(object).is_some() {
                self.0.next_resource(object, instance, after)
            } else {
                self.1.next_resource(object, instance, after)
            }
        }

        fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
            if self.0.object(at.object).is_some() { self.0.read(ctx, at, out) } else { self.1.read(ctx, at, out) }
        }

        fn ready(&self, ctx: &Ctx, at: Leaf) -> Option<Value<'_>> {
            if self.0.object(at.object).is_some() { self.0.ready(ctx, at) } else { self.1.ready(ctx, at) }
        }

        fn rights(&self, ctx: &Ctx, object: u16, instance: u16) -> Rights {
            self.0.rights(ctx, object, instance) & self.1.rights(ctx, object, instance)
        }

        fn read_instance(
            &self,
            ctx: &Ctx,
            object: u16,
            instance: u16,
            out: &mut dyn $crate::model::Resources,
        ) -> Result<(), Refusal> {
            if self.0.object(object).is_some() {
                self.0.read_instance(ctx, object, instance, out)
            } else {
                self.1.read_instance(ctx, object, instance, out)
            }
        }
    };
}

/// Writes the changing half of `DataModel` for a pair.
macro_rules! change_pair {
    () => {
        fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
            if self.0.object(change.object).is_some() { self.0.check(ctx, change) } else { self.1.check(ctx, change) }
        }

        fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
            if self.0.object(change.object).is_some() { self.0.apply(ctx, change) } else { self.1.apply(ctx, change) }
        }

        fn stream(&mut self, ctx: &Ctx, at: Leaf, part: Part<'_>) -> Result<(), Refusal> {
            if self.0.object(at.object).is_some() { self.0.stream(ctx, at, part) } else { self.1.stream(ctx, at, part) }
        }

        fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
            if self.0.object(at.object).is_some() {
                self.0.execute(ctx, at, args)
            } else {
                self.1.execute(ctx, at, args)
            }
        }
    };
}

impl<A: DataModel, B: DataModel> DataModel for (A, B) {
    read_from_pair!();
    change_pair!();
}

impl<A: DataModel + ?Sized, B: DataModel + ?Sized> DataModel for Joined<'_, A, B> {
    read_from_pair!();
    change_pair!();
}

impl DataModel for Viewed<'_> {
    read_from_pair!();
}
