//! Writes elements. A container's header is put in front once its length is known.

use super::{Kind, WIDE_ID};
use crate::base::definition::ResourceDef;
use crate::base::features::SHORTCUTS;
use crate::base::float::to_single;
use crate::base::path::Leaf;
use crate::base::value::{Sink, Stop, Value};
use crate::format::output::Output;
#[cfg(feature = "json")]
use crate::format::payload::DecodeError;
use crate::format::types::Types;
use crate::format::{Encode, FAILED};

/// Writes the shortest form of everything; the order of the identifiers is the caller's.
#[derive(Debug)]
pub(crate) struct Writer<'b> {
    output: Output<'b>,
    instance: Option<Open>,
    multiple: Option<Open>,
}

/// A container whose header is still to come.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: u16,
    start: usize,
}

impl<'b> Writer<'b> {
    pub(in crate::format) const fn new(output: Output<'b>) -> Self {
        Self { output, instance: None, multiple: None }
    }

    pub(in crate::format) fn finish(self) -> Result<usize, Stop> {
        match (self.instance, self.multiple) {
            (None, None) => Ok(self.output.used()),
            _ => Err(FAILED),
        }
    }

    /// What was written, for as long as the buffer lives: as [`finish`](Self::finish) has it.
    #[cfg(feature = "json")]
    pub(in crate::format) fn into_written(self) -> &'b [u8] {
        self.output.into_written()
    }

    /// Writes an element whose length shows only once its content is there.
    #[cfg(feature = "json")]
    pub(in crate::format) fn element_with(
        &mut self,
        at: Leaf,
        content: impl FnOnce(&mut Output<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let start = self.output.used();
        content(&mut self.output)?;
        let (kind, id) = self.place(at).map_err(|_| DecodeError::Malformed)?;
        self.wrap(kind, id, start).map_err(|_| DecodeError::TooLarge)
    }

    const fn open(&self, id: u16) -> Open {
        Open { id, start: self.output.used() }
    }

    /// Puts a header in front of the content that starts at `start`.
    fn wrap(&mut self, kind: Kind, id: u16, start: usize) -> Result<(), Stop> {
        let length = self.output.used().saturating_sub(start);
        match Header::usual(kind, id, length).filter(|_| SHORTCUTS) {
            Some(header) if self.output.insert_few(start, header.bytes, header.length) => Ok(()),
            _ => self.wrap_any(kind, id, start),
        }
    }

    #[cold]
    fn wrap_any(&mut self, kind: Kind, id: u16, start: usize) -> Result<(), Stop> {
        let length = self.output.used().saturating_sub(start);
        let header = Header::new(kind, id, length)?;
        self.output.insert(start, header.bytes.to_be_bytes().get(..header.length as usize).unwrap_or_default())
    }

    /// Puts a header at the end, for `length` bytes of content to come.
    fn head(&mut self, at: Leaf, length: usize) -> Result<(), Stop> {
        let (kind, id) = self.place(at)?;
        let header = Header::new(kind, id, length)?;
        self.output.put(header.bytes.to_be_bytes().get(..header.length as usize).unwrap_or_default())
    }

    /// The kind and identifier of a value at `at`: a value with an index belongs into its multiple
    /// resource, and one without does not.
    #[inline(always)]
    fn place(&self, at: Leaf) -> Result<(Kind, u16), Stop> {
        match (self.multiple, at.index) {
            (None, None) => Ok((Kind::Resource, at.resource)),
            (Some(open), Some(index)) if open.id == at.resource => Ok((Kind::ResourceInstance, index)),
            _ => Err(FAILED),
        }
    }

    /// An element of any length, anywhere.
    fn bytes(&mut self, at: Leaf, content: &[u8]) -> Result<(), Stop> {
        self.head(at, content.len())?;
        self.output.put(content)
    }

    /// The same with the identifier in one byte.
    #[inline(always)]
    fn quick_place(&self, resource: &ResourceDef, index: Option<u16>) -> Option<(Kind, u16)> {
        let at = Leaf { index, ..Leaf::new(0, 0, resource.id) };
        self.place(at).ok().filter(|(_, id)| SHORTCUTS && *id <= 0xFF)
    }

    /// A number of up to four bytes behind a header of two.
    #[inline(always)]
    fn quick_number(&mut self, kind: Kind, id: u16, number: u64, width: u32) -> bool {
        if width > 4 {
            return false;
        }
        // The low bytes of the number, the high ones first, behind the two of the header.
        let content = number.wrapping_shl(64u32.wrapping_sub(width.wrapping_mul(8))) >> 16;
        let header = Header::short(kind, id, width.into());
        self.output.put_few(header.bytes | content, width.wrapping_add(2))
    }

    #[inline(always)]
    fn quick_bytes(&mut self, kind: Kind, id: u16, content: &[u8]) -> bool {
        Header::usual(kind, id, content.len())
            .is_some_and(|header| self.output.put_few_and(header.bytes, header.length, content))
    }
}

/// What stands before the content of an element: type, identifier, length.
#[derive(Clone, Copy)]
struct Header {
    /// The bytes from the highest on, and nothing behind them.
    bytes: u64,
    /// How many they are: 2 to 6.
    length: u32,
}

impl Header {
    /// The shortest one for `length` bytes of content, if it has up to three bytes, as nearly always.
    #[inline(always)]
    fn usual(kind: Kind, id: u16, length: usize) -> Option<Self> {
        match (id, length) {
            (0..=0xFF, 0..=7) => Some(Self::short(kind, id, length as u64)),
            (0..=0xFF, 8..=0xFF) => {
                let length = length as u64;
                Some(Self { bytes: Self::short(kind, id, 1 << 3).bytes | length << 40, length: 3 })
            }
            _ => None,
        }
    }

    /// One of two bytes: the identifier is one, and the length goes into the type.
    const fn short(kind: Kind, id: u16, length: u64) -> Self {
        Self { bytes: (kind.type_byte() as u64 | length) << 56 | (id as u64) << 48, length: 2 }
    }

    /// The shortest one for `length` bytes of content, which is at most 2^24 - 1
    /// (OMA LwM2M 1.0, 6.4.3).
    fn new(kind: Kind, id: u16, length: usize) -> Result<Self, Stop> {
        let length = u32::try_from(length).map_err(|_| FAILED)?.to_be_bytes();
        let [high, low] = id.to_be_bytes();
        let (length_bits, [a, b, c], field): (u8, [u8; 3], u32) = match length {
            [0, 0, 0, length @ 0..=7] => (length, [0; 3], 0),
            [0, 0, 0, c] => (1 << 3, [c, 0, 0], 1),
            [0, 0, b, c] => (2 << 3, [b, c, 0], 2),
            [0, a, b, c] => (3 << 3, [a, b, c], 3),
            _ => return Err(FAILED),
        };
        let kind = kind.type_byte() | length_bits;
        let (bytes, id) = match high {
            0 => ([kind, low, a, b, c, 0, 0, 0], 1),
            _ => ([kind | WIDE_ID, high, low, a, b, c, 0, 0], 2u32),
        };
        Ok(Self { bytes: u64::from_be_bytes(bytes), length: field.wrapping_add(id).wrapping_add(1) })
    }
}

impl Sink for Writer<'_> {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        let (number, width) = match value {
            Value::Str(text) | Value::Corelnk(text) => return self.bytes(at, text.as_bytes()),
            Value::Opaque(bytes) => return self.bytes(at, bytes),
            Value::Int(number) | Value::Time(number) => (number.cast_unsigned(), signed_width(number)),
            Value::Uint(number) => (number, unsigned_width(number)),
            Value::Float(number) => float(number),
            Value::Bool(truth) => (truth.into(), 1),
            Value::Link(object, instance) => (link(object, instance), 4),
        };
        let bytes = number.to_be_bytes();
        self.bytes(at, bytes.get(8usize.saturating_sub(width as usize)..).unwrap_or_default())
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.head(at, len)?;
        self.output.put_filled(len, fill)
    }
}

impl Encode for Writer<'_> {
    /// A value with a header of two or three bytes, where there is room to spare.
    #[inline(always)]
    fn quick(&mut self, resource: &ResourceDef, index: Option<u16>, value: &Value<'_>) -> bool {
        let Some((kind, id)) = self.quick_place(resource, index) else { return false };
        let wanted = resource.data_type;
        let bytes = match *value {
            Value::Str(text) | Value::Corelnk(text) => text.as_bytes(),
            Value::Opaque(bytes) => bytes,
            _ => &[],
        };
        let (types, number, width) = match *value {
            Value::Str(_) | Value::Corelnk(_) | Value::Opaque(_) => {
                return Types::of(*value).have(wanted) && self.quick_bytes(kind, id, bytes);
            }
            // It comes by a way of its own.
            Value::Int(_) => return false,
            Value::Time(number) => (Types::TIME, number.cast_unsigned(), signed_width(number)),
            Value::Uint(number) => (Types::UINT, number, unsigned_width(number)),
            Value::Float(number) => {
                let (bits, width) = float(number);
                (Types::FLOAT, bits, width)
            }
            Value::Bool(truth) => (Types::BOOL, truth.into(), 1),
            Value::Link(object, instance) => (Types::LINK, link(object, instance), 4),
        };
        types.have(wanted) && self.quick_number(kind, id, number, width)
    }

    #[cfg(feature = "shortcuts")]
    #[inline(always)]
    fn quick_text(&mut self, resource: &ResourceDef, text: &str) -> bool {
        let place = self.quick_place(resource, None).filter(|_| Types::STR.have(resource.data_type));
        place.is_some_and(|(kind, id)| self.quick_bytes(kind, id, text.as_bytes()))
    }

    #[cfg(feature = "shortcuts")]
    #[inline(always)]
    fn quick_integer(&mut self, resource: &ResourceDef, index: Option<u16>, number: i64) -> bool {
        let types = if number < 0 { Types::NEGATIVE } else { Types::INT };
        let place = self.quick_place(resource, index).filter(|_| types.have(resource.data_type));
        place.is_some_and(|(kind, id)| self.quick_number(kind, id, number.cast_unsigned(), signed_width(number)))
    }

    fn open_instance(&mut self, id: u16) -> Result<(), Stop> {
        if self.instance.is_some() || self.multiple.is_some() {
            return Err(FAILED);
        }
        self.instance = Some(self.open(id));
        Ok(())
    }

    fn open_multiple(&mut self, resource: u16) -> Result<(), Stop> {
        if self.multiple.is_some() {
            return Err(FAILED);
        }
        self.multiple = Some(self.open(resource));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let (kind, open) = match (self.multiple.take(), self.instance) {
            (Some(open), _) => (Kind::Multiple, open),
            (None, Some(open)) => {
                self.instance = None;
                (Kind::Instance, open)
            }
            (None, None) => return Err(FAILED),
        };
        self.wrap(kind, open.id, open.start)
    }
}

/// The bytes that an integer needs in two's complement: 1, 2, 4 or 8.
const fn signed_width(number: i64) -> u32 {
    // As many as an unsigned number of one bit more: the sign.
    unsigned_width((number ^ (number >> 63)).cast_unsigned() << 1)
}

const fn unsigned_width(number: u64) -> u32 {
    match number {
        0..=0xFF => 1,
        0x100..=0xFFFF => 2,
        0x1_0000..=0xFFFF_FFFF => 4,
        _ => 8,
    }
}

const fn link(object: u16, instance: u16) -> u64 {
    (object as u64) << 16 | instance as u64
}

/// The bits of a number in the fewest bytes, and how many these are.
fn float(number: f64) -> (u64, u32) {
    match to_single(number) {
        Some(bits) => (bits.into(), 4),
        None => (number.to_bits(), 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::definition::Operations;
    use crate::base::value::DataType;
    #[cfg(feature = "shortcuts")]
    use crate::format::output::FEW;
    use crate::format::testing::hex;
    use alloc::vec;
    use proptest::prelude::*;

    const AT: Leaf = Leaf::new(3, 0, 6);

    #[track_caller]
    fn check(write: impl FnOnce(&mut Writer<'_>) -> Result<(), Stop>, digits: &str) {
        let mut room = [0; 64];
        let mut writer = Writer::new(Output::new(&mut room));
        write(&mut writer).unwrap();
        let length = writer.finish().unwrap();
        assert_eq!(room[..length], hex(digits));
    }

    #[test]
    fn numbers_take_the_fewest_bytes() {
        for (value, digits) in [
            (Value::Int(-128), "c10680"),
            (Value::Int(-129), "c206ff7f"),
            (Value::Int(1 << 31), "c80608 0000000080000000"),
            (Value::Time(0), "c10600"),
            (Value::Uint(255), "c106ff"),
            (Value::Uint(256), "c2060100"),
            (Value::Uint(65_536), "c40600010000"),
            (Value::Uint(u64::MAX), "c80608 ffffffffffffffff"),
            (Value::Float(-0.0), "c40680000000"),
            (Value::Float(0.1), "c80608 3fb999999999999a"),
            (Value::Float(f64::INFINITY), "c4067f800000"),
            (Value::Float(f64::MAX), "c80608 7fefffffffffffff"),
            // The smallest float has no short form; the largest short one has.
            (Value::Float(5e-324), "c80608 0000000000000001"),
            (Value::Float(f64::from(f32::MAX)), "c4067f7fffff"),
            (Value::Link(66, 0), "c40600420000"),
            (Value::Corelnk("</3>"), "c4063c2f333e"),
        ] {
            check(|writer| writer.value(AT, value), digits);
        }
    }

    #[test]
    fn containers_get_the_header_that_their_content_needs() {
        check(
            |writer| {
                writer.open_instance(300)?;
                writer.open_multiple(6)?;
                writer.value(AT.at(0), Value::Int(1))?;
                writer.value(AT.at(256), Value::Str("8 bytes!"))?;
                writer.close()?;
                writer.value(Leaf::new(3, 300, 7), Value::Bool(true))?;
                writer.close()?;
                writer.open_instance(301)?;
                writer.close()
            },
            "28012c 15 88060f 410001 680100083820627974657321 c10701 20012d",
        );
    }

    #[test]
    fn bytes_that_are_made_on_the_way_go_straight_into_the_buffer() {
        let mut asked = vec![];
        let mut fill = |offset: usize, window: &mut [u8]| {
            asked.push((offset, window.len()));
            window.fill(7);
        };
        check(|writer| writer.opaque(AT, 3, &mut fill), "c306070707");
        assert_eq!(asked, [(0, 3)]);
        let mut room = [0; 4];
        let mut writer = Writer::new(Output::new(&mut room));
        assert_eq!(writer.opaque(AT, 3, &mut |_, _| panic!("there is no room")), Err(FAILED));
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn more_than_24_bits_of_length_cannot_be_written() {
        let mut room = vec![0; (1 << 24) + 16];
        let mut writer = Writer::new(Output::new(&mut room));
        assert_eq!(writer.opaque(AT, 1 << 24, &mut |_, _| ()), Err(FAILED));
        assert_eq!(writer.opaque(AT, (1 << 24) - 1, &mut |_, _| ()), Ok(()));
        assert_eq!(room[..5], hex("d806ffffff"));
    }

    #[test]
    fn structure_that_makes_no_sense_is_refused() {
        fn refused(write: impl FnOnce(&mut Writer<'_>) -> Result<(), Stop>) {
            let mut room = [0; 64];
            let mut writer = Writer::new(Output::new(&mut room));
            let result = write(&mut writer).and_then(|()| writer.finish());
            assert_eq!(result, Err(FAILED));
        }
        refused(|writer| writer.close());
        refused(|writer| writer.open_instance(0));
        refused(|writer| writer.open_multiple(0));
        refused(|writer| writer.open_instance(0).and_then(|()| writer.open_instance(1)));
        refused(|writer| writer.open_multiple(0).and_then(|()| writer.open_multiple(1)));
        refused(|writer| writer.open_multiple(0).and_then(|()| writer.open_instance(1)));
        refused(|writer| writer.open_instance(0).and_then(|()| writer.close()).and_then(|()| writer.close()));
        refused(|writer| writer.value(AT.at(0), Value::Int(1)));
        refused(|writer| writer.open_multiple(6).and_then(|()| writer.value(AT, Value::Int(1))));
        // Nor is it when it is closed afterwards.
        refused(|writer| {
            writer.open_multiple(7)?;
            writer.value(AT.at(0), Value::Int(1))?;
            writer.close()
        });
        refused(|writer| {
            writer.open_multiple(0)?;
            writer.open_instance(1)?;
            writer.close()?;
            writer.close()
        });
    }

    // What most answers are made of takes no long way: an identifier of one byte, and a number of up to four or a
    // short text.
    #[cfg(feature = "shortcuts")]
    #[test]
    #[cfg_attr(not(feature = "shortcuts"), ignore = "it is one")]
    fn the_usual_values_go_in_one_move() {
        let mut room = [0; 600];
        let mut writer = Writer::new(Output::new(&mut room));
        let resource = |id, data_type| ResourceDef::new(id, "", Operations::R, data_type);
        let long = "x".repeat(FEW + 1);
        for (id, data_type, value, quick) in [
            (0, DataType::Boolean, Value::Bool(true), true),
            (255, DataType::UnsignedInteger, Value::Uint(0xffff_ffff), true),
            (255, DataType::UnsignedInteger, Value::Uint(1 << 32), false),
            (256, DataType::UnsignedInteger, Value::Uint(1), false),
            (1, DataType::Time, Value::Time(-1), true),
            (1, DataType::Float, Value::Float(0.5), true),
            (1, DataType::Float, Value::Float(0.1), false),
            (1, DataType::ObjectLink, Value::Link(3, 0), true),
            (1, DataType::String, Value::Str("seven.."), true),
            (1, DataType::String, Value::Str(&long[..FEW]), true),
            (1, DataType::String, Value::Str(&long), false),
            (1, DataType::Opaque, Value::Opaque(&[0; 8]), true),
        ] {
            assert_eq!(writer.quick(&resource(id, data_type), None, &value), quick, "{id} {value:?}");
        }
        assert!(writer.quick_text(&resource(0, DataType::String), "text"));
        assert!(!writer.quick_text(&resource(256, DataType::String), "text"));
        assert!(!writer.quick_text(&resource(0, DataType::Opaque), "text"));
        // A negative number is no unsigned one.
        for number in [-1, 0, 1, i64::from(i32::MIN), i64::from(i32::MAX)] {
            assert!(writer.quick_integer(&resource(0, DataType::Integer), None, number), "{number}");
            assert_eq!(writer.quick_integer(&resource(0, DataType::UnsignedInteger), None, number), number >= 0);
        }
        assert!(!writer.quick_integer(&resource(0, DataType::Integer), None, 1 << 40));
    }

    fn value() -> impl Strategy<Value = Value<'static>> {
        const TEXTS: [&str; 5] = ["", "a", "seven..", "eight...", "a text of more than sixteen bytes"];
        prop_oneof![
            prop::sample::select(&TEXTS[..]).prop_map(Value::Str),
            (any::<i64>(), 0u32..64).prop_map(|(number, shift)| Value::Int(number >> shift)),
            (any::<u64>(), 0u32..64).prop_map(|(number, shift)| Value::Uint(number >> shift)),
            any::<f64>().prop_map(Value::Float),
            any::<f32>().prop_map(|number| Value::Float(number.into())),
            any::<bool>().prop_map(Value::Bool),
            (any::<u16>(), any::<u16>()).prop_map(|(object, instance)| Value::Link(object, instance)),
        ]
    }

    proptest! {
        #[test]
        fn what_goes_in_one_move_is_what_goes_byte_by_byte(
            values in prop::collection::vec((any::<u16>(), 0u32..16, value(), any::<bool>()), 0..8),
        ) {
            // Each value quickly where that goes, and each by the long way.
            let write = |output: Output<'_>, quickly: bool| {
                let mut writer = Writer::new(output);
                let put = |writer: &mut Writer<'_>, at: Leaf, value: Value<'_>| {
                    let data_type = match value {
                        Value::Int(_) => DataType::Integer,
                        Value::Uint(_) => DataType::UnsignedInteger,
                        Value::Float(_) => DataType::Float,
                        Value::Bool(_) => DataType::Boolean,
                        Value::Link(..) => DataType::ObjectLink,
                        _ => DataType::String,
                    };
                    let resource = ResourceDef::new(at.resource, "", Operations::R, data_type);
                    let other = ResourceDef { data_type: DataType::Opaque, ..resource };
                    assert!(!writer.quick(&other, at.index, &value), "of another type");
                    if quickly && writer.quick(&resource, at.index, &value) { Ok(()) } else { writer.value(at, value) }
                };
                for (id, shift, value, multiple) in &values {
                    let id = id >> shift;
                    if *multiple {
                        writer.open_multiple(id)?;
                        put(&mut writer, Leaf::new(3, 0, id).at(1), *value)?;
                        put(&mut writer, Leaf::new(3, 0, id).at(256), *value)?;
                        writer.close()?;
                    } else {
                        put(&mut writer, Leaf::new(3, 0, id), *value)?;
                    }
                }
                writer.finish()
            };
            let mut roomy = vec![0; 2_000];
            let length = write(Output::new(&mut roomy), true).unwrap();
            let mut plain = vec![0; 2_000];
            prop_assert_eq!(write(Output::new(&mut plain), false), Ok(length));
            prop_assert_eq!(&plain[..length], &roomy[..length]);
            // Of a part every byte is laid by itself, and a tight buffer has no room to spare.
            let mut part = vec![0; 2_000];
            prop_assert_eq!(write(Output::part(&mut part, 0), true), Ok(length));
            prop_assert_eq!(&part[..length], &roomy[..length]);
            let mut tight = vec![0; length];
            prop_assert_eq!(write(Output::new(&mut tight), true), Ok(length));
            prop_assert_eq!(&tight[..], &roomy[..length]);
            if let Some(shorter) = length.checked_sub(1) {
                prop_assert_eq!(write(Output::new(&mut tight[..shorter]), true), Err(FAILED));
            }
        }
    }

    #[test]
    fn a_signed_number_has_the_width_that_its_type_says() {
        for number in (0..64).flat_map(|bit| [1i64 << bit, (1i64 << bit).wrapping_sub(1)]).flat_map(|it| [it, !it]) {
            let width = match number {
                -0x80..=0x7F => 1,
                -0x8000..=0x7FFF => 2,
                -0x8000_0000..=0x7FFF_FFFF => 4,
                _ => 8,
            };
            assert_eq!(signed_width(number), width, "{number}");
        }
    }
}
