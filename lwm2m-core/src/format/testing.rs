//! What the tests of this floor share: an object with every type, and the way back from a decoded
//! payload to bytes.

use alloc::vec;
use alloc::vec::Vec;

use super::payload::DecodeError;
use super::{Encode, Encoder, Format, Output, Payload, Unknown, Values};
use crate::base::definition::{ObjectDef, Operations, Range, ResourceDef};
use crate::base::path::{Leaf, Path};
use crate::base::value::{DataType, Sink, Stop, Value};

const fn one(id: u16, data_type: DataType) -> ResourceDef {
    ResourceDef::new(id, "", Operations::RW, data_type)
}

/// The Object ID of [`TYPES`].
pub(super) const OBJECT: u16 = 3000;

/// A resource of every type, single below 10 and multiple from 10 on, with a few more for ranges
/// and identifiers of two bytes.
pub(super) static TYPES: ObjectDef = ObjectDef {
    id: OBJECT,
    name: "Types",
    version: (1, 0),
    multiple: true,
    mandatory: false,
    resources: &[
        one(0, DataType::String),
        one(1, DataType::Integer),
        one(2, DataType::UnsignedInteger),
        one(3, DataType::Float),
        one(4, DataType::Boolean),
        one(5, DataType::Opaque),
        one(6, DataType::Time),
        one(7, DataType::ObjectLink),
        one(8, DataType::CoreLink),
        ResourceDef::new(9, "", Operations::E, DataType::None),
        one(10, DataType::String).multiple(),
        one(11, DataType::Integer).multiple(),
        one(12, DataType::UnsignedInteger).multiple(),
        one(13, DataType::Float).multiple(),
        one(14, DataType::Boolean).multiple(),
        one(15, DataType::Opaque).multiple(),
        one(16, DataType::Time).multiple(),
        one(17, DataType::ObjectLink).multiple(),
        one(18, DataType::CoreLink).multiple(),
        one(20, DataType::Integer).range(Range::Integer(-5, 100)),
        one(21, DataType::UnsignedInteger).range(Range::Integer(1, 200)),
        one(22, DataType::Time).range(Range::Integer(0, i64::MAX)),
        one(23, DataType::Float).range(Range::Float(-1.5, 1.5)),
        one(24, DataType::String).range(Range::Length(1, 3)),
        one(25, DataType::Opaque).range(Range::Length(0, 2)),
        one(26, DataType::CoreLink).range(Range::Length(2, 4)),
        one(27, DataType::Integer).range(Range::Integer(0, 1)).multiple(),
        one(256, DataType::Integer),
        one(65_534, DataType::String).multiple(),
    ],
};

/// Decodes a request for [`TYPES`] that refuses unknown resources.
pub(super) fn decode(format: Format, target: Path, payload: &[u8]) -> Result<Payload<'_>, DecodeError> {
    Payload::decode(format, target, &TYPES, Unknown::Refuse, payload, vec![0; payload.len()].leak())
}

/// The instances of a payload.
pub(super) fn instances<'a>(payload: &Payload<'a>) -> Vec<(Option<u16>, Values<'a>)> {
    payload.instances().collect()
}

/// Encodes what was decoded, with wrappers when `target` has no instance.
pub(super) fn encode_again(object: &ObjectDef, target: Path, payload: &Payload<'_>) -> Vec<u8> {
    let mut room = vec![0; 1 << 17];
    let mut encoder = Encoder::new(Format::TLV, Path::ROOT, Output::new(&mut room));
    for (id, values) in payload.instances() {
        let wrapper = id.filter(|_| target.instance_id().is_none());
        if let Some(id) = wrapper {
            encoder.open_instance(id).unwrap();
        }
        for resource in values.resources() {
            let multiple = object.resource(resource).unwrap().multiple;
            if multiple {
                encoder.open_multiple(resource).unwrap();
            }
            for given in values.iter().filter(|given| given.resource == resource) {
                assert_eq!(given.index.is_some(), multiple);
                let leaf = Leaf { index: given.index, ..Leaf::new(object.id, id.unwrap_or(0), resource) };
                encoder.value(leaf, given.value).unwrap();
            }
            if multiple {
                encoder.close().unwrap();
            }
        }
        if wrapper.is_some() {
            encoder.close().unwrap();
        }
    }
    let length = encoder.finish().unwrap();
    room.truncate(length);
    // What is decoded again is leaked.
    room.shrink_to_fit();
    room
}

/// Bytes from hexadecimal digits; spaces are for the eye.
pub(super) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b' ').collect();
    let (pairs, []) = digits.as_chunks::<2>() else { panic!("half a byte") };
    pairs.iter().map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Whatever the format: tests do not care.
impl Encoder<'_> {
    fn writer(&mut self) -> &mut dyn Encode {
        match self {
            Self::Tlv(writer) => writer,
            Self::Json(writer) => writer,
            Self::Single(writer) => writer,
        }
    }
}

impl Sink for Encoder<'_> {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        self.writer().value(at, value)
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.writer().opaque(at, len, fill)
    }
}

impl Encode for Encoder<'_> {
    fn open_instance(&mut self, id: u16) -> Result<(), Stop> {
        self.writer().open_instance(id)
    }

    fn open_multiple(&mut self, resource: u16) -> Result<(), Stop> {
        self.writer().open_multiple(resource)
    }

    fn close(&mut self) -> Result<(), Stop> {
        self.writer().close()
    }
}
