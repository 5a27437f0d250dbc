//! Where the resources of an instance go: held against their definitions, and given the structure that
//! only the definitions know.

use core::ptr;

use coap_codec::Code;

use super::ResourceDef;
use crate::base::features::SHORTCUTS;
use crate::base::path::Leaf;
use crate::base::value::{DataType, Sink, Stop, Value};
use crate::format::{Encode, Types};

/// A model that does not give what it was asked for, and what it defined itself.
const REFUSED: Stop = Stop::new(Code::INTERNAL_SERVER_ERROR);

/// Takes the resources of one instance, one after the other: what
/// [`DataModel::read_instance`](crate::DataModel::read_instance) fills.
pub trait Resources: Sink {
    /// Begins with the next resource, which its object defines so: its values go here then. False for one
    /// that servers may not read, whose values are not wanted.
    ///
    /// # Errors
    /// As [`Sink::value`]; also what was wrong with the resource before.
    fn resource(&mut self, definition: &'static ResourceDef) -> Result<bool, Stop>;

    /// Gives the next resource and its only value, in one step.
    ///
    /// # Errors
    /// As [`resource`](Self::resource) and [`Sink::value`].
    fn single(&mut self, definition: &'static ResourceDef, value: Value<'_>) -> Result<(), Stop>;

    /// Gives one of several values of the resource that was begun last, with the very same definition, in
    /// ascending order of their Resource Instance IDs: [`Sink::value`] in fewer steps.
    ///
    /// # Errors
    /// As [`Sink::value`].
    fn indexed(&mut self, definition: &'static ResourceDef, index: u16, value: Value<'_>) -> Result<(), Stop>;

    /// [`single`](Self::single) of a text: most values are one, or an integer.
    ///
    /// # Errors
    /// As [`single`](Self::single).
    fn text(&mut self, definition: &'static ResourceDef, text: &str) -> Result<(), Stop> {
        self.single(definition, Value::Str(text))
    }

    /// [`single`](Self::single) of an integer.
    ///
    /// # Errors
    /// As [`single`](Self::single).
    fn integer(&mut self, definition: &'static ResourceDef, number: i64) -> Result<(), Stop> {
        self.single(definition, Value::Int(number))
    }

    /// [`indexed`](Self::indexed) of an integer.
    ///
    /// # Errors
    /// As [`indexed`](Self::indexed).
    fn indexed_integer(&mut self, definition: &'static ResourceDef, index: u16, number: i64) -> Result<(), Stop> {
        self.indexed(definition, index, Value::Int(number))
    }
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
    failed: Option<Stop>,
    /// Whether the current resource, or a failure, waits for its end.
    unfinished: bool,
}

impl<'a, E: Encode + ?Sized> Checked<'a, E> {
    pub(super) const fn new(object: u16, instance: u16, out: &'a mut E) -> Self {
        Self { out, object, instance, next: 0, current: None, failed: None, unfinished: false }
    }

    /// Begins with any resource.
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
    #[inline]
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        if let Some(stop) = self.failed {
            return Err(stop);
        }
        if core::mem::take(&mut self.unfinished) { self.out.close() } else { Ok(()) }
    }

    /// The resource of a value that may come: one of a single resource, and those of a multiple one in
    /// the order of their indices.
    #[inline]
    fn admit(&mut self, at: Leaf) -> Option<&'static ResourceDef> {
        let definition = self.current?;
        let index = u32::from(at.index.unwrap_or(0));
        let in_order = index >= self.next;
        self.next = index.wrapping_add(1);
        let asked = at.resource == definition.id && at.instance == self.instance && at.object == self.object;
        (in_order && asked && at.index.is_some() == definition.multiple).then_some(definition)
    }

    /// Hands a value on that came for the right resource.
    #[inline]
    fn give(&mut self, definition: &ResourceDef, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        let is_it = Types::of(value).have(definition.data_type);
        let given = if is_it { self.out.value(at, value) } else { Err(REFUSED) };
        given.or_else(|stop| self.fail(stop))
    }

    /// Whether a single value is taken at once.
    #[inline(always)]
    const fn takes(&self, definition: &ResourceDef) -> bool {
        !self.unfinished && !definition.multiple && definition.operations.readable()
    }

    /// Ends the resource before a single value, if one is taken. False for one that is not wanted.
    #[cfg_attr(feature = "shortcuts", inline(never))]
    fn turn_to(&mut self, definition: &ResourceDef) -> Result<bool, Stop> {
        if !definition.operations.readable() {
            return Ok(false);
        }
        self.end()?;
        if definition.multiple { self.fail(REFUSED).map(|()| false) } else { Ok(true) }
    }

    #[cfg(feature = "shortcuts")]
    #[inline(never)]
    fn text_later(&mut self, definition: &'static ResourceDef, text: &str) -> Result<(), Stop> {
        if self.turn_to(definition)? { self.text(definition, text) } else { Ok(()) }
    }

    #[cfg(feature = "shortcuts")]
    #[inline(never)]
    fn integer_later(&mut self, definition: &'static ResourceDef, number: i64) -> Result<(), Stop> {
        if self.turn_to(definition)? { self.integer(definition, number) } else { Ok(()) }
    }

    /// Whether one of several values is taken: of the resource that was begun last, in its order.
    #[inline(always)]
    fn takes_at(&mut self, definition: &'static ResourceDef, index: u16) -> bool {
        let begun = self.current.is_some_and(|current| ptr::eq(current, definition));
        let taken = begun && u32::from(index) >= self.next;
        self.next = u32::from(index).wrapping_add(1);
        taken
    }

    /// A single value whose turn has come, and that is more work than others.
    #[inline(never)]
    fn single_slowly(&mut self, definition: &'static ResourceDef, value: Value<'_>) -> Result<(), Stop> {
        self.give(definition, Leaf::new(self.object, self.instance, definition.id), value)
    }

    /// The same of one of several values.
    #[cfg_attr(feature = "shortcuts", inline(never))]
    fn indexed_slowly(&mut self, definition: &'static ResourceDef, index: u16, value: Value<'_>) -> Result<(), Stop> {
        if !definition.multiple {
            return self.fail(REFUSED);
        }
        self.give(definition, Leaf::new(self.object, self.instance, definition.id).at(index), value)
    }

    #[cold]
    fn fail(&mut self, stop: Stop) -> Result<(), Stop> {
        (self.current, self.unfinished) = (None, true);
        Err(*self.failed.get_or_insert(stop))
    }
}

impl<E: Encode + ?Sized> Resources for Checked<'_, E> {
    fn resource(&mut self, definition: &'static ResourceDef) -> Result<bool, Stop> {
        let readable = definition.operations.readable();
        if readable {
            self.begin(definition)?;
        }
        Ok(readable)
    }

    fn single(&mut self, definition: &'static ResourceDef, value: Value<'_>) -> Result<(), Stop> {
        match value {
            Value::Str(text) if SHORTCUTS => return self.text(definition, text),
            Value::Int(number) if SHORTCUTS => return self.integer(definition, number),
            _ => {}
        }
        let at_once = SHORTCUTS && self.takes(definition);
        if !at_once && !self.turn_to(definition)? {
            return Ok(());
        }
        // It has all its values with this one.
        self.current = None;
        if SHORTCUTS && self.out.quick(definition, None, &value) {
            Ok(())
        } else {
            self.single_slowly(definition, value)
        }
    }

    fn indexed(&mut self, definition: &'static ResourceDef, index: u16, value: Value<'_>) -> Result<(), Stop> {
        if let (true, Value::Int(number)) = (SHORTCUTS, value) {
            return self.indexed_integer(definition, index, number);
        }
        if !self.takes_at(definition, index) {
            return self.fail(REFUSED);
        }
        if SHORTCUTS && self.out.quick(definition, Some(index), &value) {
            Ok(())
        } else {
            self.indexed_slowly(definition, index, value)
        }
    }

    // What comes most has a way of its own; without it these are values like any other.
    #[cfg(feature = "shortcuts")]
    fn text(&mut self, definition: &'static ResourceDef, text: &str) -> Result<(), Stop> {
        if !self.takes(definition) {
            return self.text_later(definition, text);
        }
        self.current = None;
        if SHORTCUTS && self.out.quick_text(definition, text) {
            Ok(())
        } else {
            self.single_slowly(definition, Value::Str(text))
        }
    }

    #[cfg(feature = "shortcuts")]
    fn integer(&mut self, definition: &'static ResourceDef, number: i64) -> Result<(), Stop> {
        if !self.takes(definition) {
            return self.integer_later(definition, number);
        }
        self.current = None;
        if SHORTCUTS && self.out.quick_integer(definition, None, number) {
            return Ok(());
        }
        self.single_slowly(definition, Value::Int(number))
    }

    #[cfg(feature = "shortcuts")]
    fn indexed_integer(&mut self, definition: &'static ResourceDef, index: u16, number: i64) -> Result<(), Stop> {
        if !self.takes_at(definition, index) {
            return self.fail(REFUSED);
        }
        if SHORTCUTS && self.out.quick_integer(definition, Some(index), number) {
            return Ok(());
        }
        self.indexed_slowly(definition, index, Value::Int(number))
    }
}

impl<E: Encode + ?Sized> Sink for Checked<'_, E> {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        match self.admit(at) {
            Some(definition) => self.give(definition, at, value),
            None => self.fail(REFUSED),
        }
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        if self.admit(at).is_none_or(|definition| definition.data_type != DataType::Opaque) {
            return self.fail(REFUSED);
        }
        self.out.opaque(at, len, fill).or_else(|stop| self.fail(stop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::origin::Origin;
    use crate::base::path::Path;
    use crate::base::time::Instant;
    use crate::format::{Encoder, Format, Output};
    use crate::model::walk::encode;
    use crate::model::{Ctx, DataModel, ObjectDef, Refusal};
    use crate::objects::Device;
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const CTX: Ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::from_secs(100) };

    /// The same device, which is asked for one resource after the other.
    struct OneByOne(Device);

    impl DataModel for OneByOne {
        fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
            self.0.next_object(after)
        }

        fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
            self.0.next_instance(object, after)
        }

        fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
            self.0.next_resource(object, instance, after)
        }

        fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
            self.0.read(ctx, at, out)
        }
    }

    fn read(model: &dyn DataModel, format: Format, path: Path, room: usize) -> Result<Vec<u8>, Refusal> {
        let mut bytes = vec![0; room];
        let length = encode(&CTX, path, model, Encoder::new(format, path, Output::new(&mut bytes)))?;
        bytes.truncate(length);
        Ok(bytes)
    }

    proptest! {
        #[test]
        fn an_instance_in_one_call_is_its_resources_one_by_one(
            texts in prop::collection::vec(prop::option::of("[a-z]{0,20}"), 4..5),
            voltages in prop::collection::vec(any::<i32>(), 0..4),
            battery in prop::option::of(0u8..101),
            memory in prop::option::of(any::<u32>()),
            clock in prop::option::of(any::<i32>()),
            room in 0usize..400,
        ) {
            let mut device = Device::new("Example Works", "TM-1");
            let mut texts = texts.into_iter().map(|text: Option<String>| text.map(Into::into));
            device.serial_number = texts.next().flatten();
            device.firmware_version = texts.next().flatten();
            device.timezone = texts.next().flatten();
            device.model_number = texts.next().flatten();
            device.voltages = voltages.into_iter().collect();
            (device.battery_level, device.memory_free) = (battery, memory);
            device.current_time = clock.map(|seconds| (seconds.into(), Instant::ZERO));
            for path in [Path::object(3), Path::instance(3, 0)] {
                for format in [Format::TLV, Format::JSON] {
                    let one_by_one = read(&OneByOne(device.clone()), format, path, room);
                    prop_assert_eq!(read(&device, format, path, room), one_by_one);
                }
            }
        }
    }

    /// What a model of its own makes of the sink that it is lent: the same of that for TLV, which is made for
    /// it, and of that for any format.
    fn given(give: impl Fn(&mut dyn Resources) -> Result<(), Stop>) -> Result<usize, Stop> {
        let mut room = [0; 64];
        let Encoder::Tlv(mut writer) = Encoder::new(Format::TLV, Path::instance(3, 0), Output::new(&mut room)) else {
            panic!("it is asked for")
        };
        let mut checked = Checked::new(3, 0, &mut writer);
        let tlv = give(&mut checked).and_then(|()| checked.end()).and_then(|()| Encoder::Tlv(writer).finish());
        assert_eq!(tlv, given_to_any(give));
        tlv
    }

    fn given_to_any(give: impl Fn(&mut dyn Resources) -> Result<(), Stop>) -> Result<usize, Stop> {
        let mut room = [0; 64];
        let mut encoder = Encoder::new(Format::TLV, Path::instance(3, 0), Output::new(&mut room));
        let mut checked = Checked::<dyn Encode>::new(3, 0, &mut encoder);
        give(&mut checked)?;
        checked.end()?;
        encoder.finish()
    }

    /// Takes down what it is given, and has no short way for anything.
    #[derive(Default)]
    struct Plain(Vec<String>);

    impl Sink for Plain {
        fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
            self.0.push(std::format!("{at} {value:?}"));
            Ok(())
        }

        fn opaque(&mut self, at: Leaf, len: usize, _: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
            self.0.push(std::format!("{at} {len}"));
            Ok(())
        }
    }

    impl Resources for Plain {
        fn resource(&mut self, _: &'static ResourceDef) -> Result<bool, Stop> {
            Ok(true)
        }

        fn single(&mut self, definition: &'static ResourceDef, value: Value<'_>) -> Result<(), Stop> {
            self.value(Leaf::new(3, 0, definition.id), value)
        }

        fn indexed(&mut self, definition: &'static ResourceDef, index: u16, value: Value<'_>) -> Result<(), Stop> {
            self.value(Leaf::new(3, 0, definition.id).at(index), value)
        }
    }

    #[test]
    fn texts_and_integers_are_values_like_any_other() {
        let [text, number, several] =
            [0u16, 9, 7].map(|id| crate::objects::definitions::device::DEFINITION.resource(id).unwrap());
        let mut plain = Plain::default();
        plain.text(text, "Example").unwrap();
        plain.integer(number, 80).unwrap();
        plain.indexed_integer(several, 1, 3_800).unwrap();
        assert_eq!(plain.0, ["/3/0/0 Str(\"Example\")", "/3/0/9 Int(80)", "/3/0/7/1 Int(3800)"]);
    }

    #[test]
    fn a_value_in_one_step_is_checked_like_any_other() {
        use crate::base::definition::{Operations, ResourceDef};

        static ONE: ResourceDef = ResourceDef::new(0, "", Operations::R, DataType::Integer);
        static SEVERAL: ResourceDef = ResourceDef::new(1, "", Operations::R, DataType::Integer).multiple();
        static SECRET: ResourceDef = ResourceDef::new(2, "", Operations::Bootstrap, DataType::Integer);
        let five = Value::Int(5);
        assert_eq!(given(|out| out.single(&ONE, five)), Ok(3));
        assert_eq!(given(|out| out.single(&SECRET, five)), Ok(0), "left out");
        assert_eq!(given(|out| out.resource(&SECRET).map(|wanted| assert!(!wanted))), Ok(0));
        for refused in [
            given(|out| out.single(&ONE, Value::Str("5"))),
            given(|out| out.single(&SEVERAL, five)),
            given(|out| out.value(Leaf::new(3, 0, 0), five)),
            given(|out| out.single(&ONE, five).and_then(|()| out.value(Leaf::new(3, 0, 0), five))),
            given(|out| out.indexed(&SEVERAL, 0, five)),
            given(|out| out.resource(&ONE).and_then(|_| out.indexed(&ONE, 0, five))),
            given(|out| out.resource(&ONE).and_then(|_| out.indexed(&SEVERAL, 0, five))),
            given(|out| out.resource(&SEVERAL).and_then(|_| out.indexed(&SEVERAL, 0, Value::Str("5")))),
            given(|out| {
                out.resource(&SEVERAL)?;
                out.indexed(&SEVERAL, 4, five)?;
                out.indexed(&SEVERAL, 4, five)
            }),
            given(|out| {
                out.resource(&SEVERAL)?;
                out.indexed(&SEVERAL, 4, five)?;
                out.value(Leaf::new(3, 0, 1).at(3), five)
            }),
            given(|out| {
                out.resource(&SEVERAL)?;
                out.single(&ONE, five)?;
                out.indexed(&SEVERAL, 0, five)
            }),
            // Also when the model overlooks it.
            given(|out| {
                let _ = out.indexed(&SEVERAL, 0, five);
                out.resource(&SEVERAL)?;
                out.indexed(&SEVERAL, 0, five)
            }),
            given(|out| out.single(&ONE, Value::Str("5")).or(Ok(()))),
            given(|out| {
                let _ = out.single(&ONE, Value::Str("5"));
                out.single(&ONE, five).or(Ok(()))
            }),
        ] {
            assert_eq!(refused, Err(REFUSED));
        }
        // Whatever the sink would make of it.
        let mut digest = crate::format::Digest::new();
        let mut checked = Checked::<dyn Encode>::new(3, 0, &mut digest);
        checked.resource(&SEVERAL).and_then(|_| checked.single(&ONE, five)).unwrap();
        assert_eq!(checked.value(Leaf::new(3, 0, 1).at(0), five), Err(REFUSED), "another resource has begun");
        let several = given(|out| {
            out.resource(&SEVERAL)?;
            out.value(Leaf::new(3, 0, 1).at(0), five)?;
            out.single(&ONE, five)
        });
        assert_eq!(several, Ok(8), "the multiple resource is closed before the next");
        let several = given(|out| {
            out.resource(&SEVERAL)?;
            out.indexed(&SEVERAL, 0, five)?;
            out.value(Leaf::new(3, 0, 1).at(3), five)?;
            out.indexed(&SEVERAL, 65_535, five)?;
            out.single(&ONE, five)
        });
        assert_eq!(several, Ok(16), "either way, in order");
    }
}
