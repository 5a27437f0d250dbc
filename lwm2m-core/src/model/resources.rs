//! Where the resources of an instance go: held against their definitions, and given the structure that
//! only the definitions know.

use coap_codec::Code;

use super::{ObjectDef, ResourceDef};
use crate::base::path::Leaf;
use crate::base::value::{DataType, Sink, Stop, Value};
use crate::format::Encode;

/// A model that does not give what it was asked for, and what it defined itself.
const REFUSED: Stop = Stop::new(Code::INTERNAL_SERVER_ERROR);

/// Takes the resources of one instance, one after the other: what
/// [`DataModel::read_instance`](crate::DataModel::read_instance) fills.
pub trait Resources: Sink {
    /// Begins with the next resource, in ascending order of their ids: its values go here then. False
    /// for one that servers may not read, whose values are not wanted.
    ///
    /// # Errors
    /// As [`Sink::value`]; also what was wrong with the resource before.
    fn resource(&mut self, id: u16) -> Result<bool, Stop>;

    /// Gives the next resource and its only value, in one step.
    ///
    /// # Errors
    /// As [`resource`](Self::resource) and [`Sink::value`].
    fn single(&mut self, id: u16, value: Value<'_>) -> Result<(), Stop>;
}

/// Holds every value against the definition of its resource: a server would take a wrong one for what
/// it is not, or for another resource's. And remembers a failure that the model overlooks.
pub(super) struct Checked<'a, E: ?Sized> {
    out: &'a mut E,
    object: u16,
    instance: u16,
    /// The least index that the next value may have; a single value has index 0.
    next: u32,
    /// The resource whose values are taken.
    current: Option<&'static ResourceDef>,
    /// The definitions that were not passed yet.
    rest: &'static [ResourceDef],
    failed: Option<Stop>,
    /// Whether the current resource, or a failure, waits for its end.
    unfinished: bool,
}

impl<'a, E: Encode + ?Sized> Checked<'a, E> {
    pub(super) fn new(object: &'static ObjectDef, instance: u16, out: &'a mut E) -> Self {
        let rest = object.resources;
        Self { out, object: object.id, instance, next: 0, current: None, rest, failed: None, unfinished: false }
    }

    /// The definition of the next resource, if servers may read it.
    #[inline]
    fn find(&mut self, id: u16) -> Option<&'static ResourceDef> {
        while let [definition, rest @ ..] = self.rest {
            if definition.id > id {
                break;
            }
            self.rest = rest;
            if definition.id == id {
                return Some(definition).filter(|definition| definition.operations.readable());
            }
        }
        None
    }

    /// Begins with any resource.
    #[inline]
    pub(super) fn begin(&mut self, definition: &'static ResourceDef) -> Result<(), Stop> {
        if self.unfinished {
            self.end()?;
        }
        self.current = Some(definition);
        self.next = 0;
        self.unfinished = definition.multiple;
        if definition.multiple { self.out.open_multiple(definition.id) } else { Ok(()) }
    }

    /// The last resource is complete.
    #[inline(never)]
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        if let Some(stop) = self.failed {
            return Err(stop);
        }
        if core::mem::take(&mut self.unfinished) { self.out.close() } else { Ok(()) }
    }

    /// Whether a value may come: one of a single resource, and those of a multiple one in the order of
    /// their indices.
    fn admits(&mut self, at: Leaf, fits: impl FnOnce(DataType) -> bool) -> bool {
        let Some(definition) = self.current else { return false };
        let index = u32::from(at.index.unwrap_or(0));
        let in_order = index >= self.next;
        self.next = index.wrapping_add(1);
        in_order
            && at.resource == definition.id
            && at.instance == self.instance
            && at.object == self.object
            && at.index.is_some() == definition.multiple
            && fits(definition.data_type)
    }

    #[cold]
    fn fail(&mut self, stop: Stop) -> Result<(), Stop> {
        (self.current, self.unfinished) = (None, true);
        Err(*self.failed.get_or_insert(stop))
    }
}

impl<E: Encode + ?Sized> Resources for Checked<'_, E> {
    fn resource(&mut self, id: u16) -> Result<bool, Stop> {
        let Some(definition) = self.find(id) else { return Ok(false) };
        self.begin(definition)?;
        Ok(true)
    }

    fn single(&mut self, id: u16, value: Value<'_>) -> Result<(), Stop> {
        let Some(definition) = self.find(id) else { return Ok(()) };
        if self.unfinished {
            self.end()?;
        }
        // It has had all its values.
        self.current = None;
        if definition.multiple || !fits(definition.data_type, value) {
            return self.fail(REFUSED);
        }
        self.out.value(Leaf::new(self.object, self.instance, id), value).or_else(|stop| self.fail(stop))
    }
}

impl<E: Encode + ?Sized> Sink for Checked<'_, E> {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        if !self.admits(at, |data_type| fits(data_type, value)) {
            return self.fail(REFUSED);
        }
        self.out.value(at, value).or_else(|stop| self.fail(stop))
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        if !self.admits(at, |data_type| data_type == DataType::Opaque) {
            return self.fail(REFUSED);
        }
        self.out.opaque(at, len, fill).or_else(|stop| self.fail(stop))
    }
}

/// Whether a value is of a type, or of one that every format writes the same: an `Int` is also a
/// time and, from zero on, unsigned; a `Str` is also links. Not the other way round: TLV writes an
/// unsigned 200 as one byte, which is -56 to who reads an integer.
const fn fits(data_type: DataType, value: Value<'_>) -> bool {
    match value {
        Value::Str(_) => matches!(data_type, DataType::String | DataType::CoreLink),
        Value::Corelnk(_) => matches!(data_type, DataType::CoreLink),
        Value::Int(0..) => matches!(data_type, DataType::Integer | DataType::Time | DataType::UnsignedInteger),
        Value::Int(_) => matches!(data_type, DataType::Integer | DataType::Time),
        Value::Time(_) => matches!(data_type, DataType::Time),
        Value::Uint(_) => matches!(data_type, DataType::UnsignedInteger),
        Value::Float(_) => matches!(data_type, DataType::Float),
        Value::Bool(_) => matches!(data_type, DataType::Boolean),
        Value::Opaque(_) => matches!(data_type, DataType::Opaque),
        Value::Link(..) => matches!(data_type, DataType::ObjectLink),
    }
}
