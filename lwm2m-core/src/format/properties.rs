//! What holds for every payload: properties, and bytes that came from anyone.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::{btree_map, vec as vec_of};
use proptest::prelude::*;

use super::testing::{OBJECT, TYPES, decode, encode_again, instances};
use super::{Encode, Encoder, Format, Output, Payload, SLACK, Unknown};
use crate::base::path::{Leaf, Path};
use crate::base::value::{DataType, Sink, Value};

/// A value that owns what it has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owned {
    Str(String),
    Bytes(Vec<u8>),
    Plain(Value<'static>),
}

impl Owned {
    pub(super) fn value(&self, data_type: DataType) -> Value<'_> {
        match (self, data_type) {
            (Self::Str(text), DataType::CoreLink) => Value::Corelnk(text),
            (Self::Str(text), _) => Value::Str(text),
            (Self::Bytes(bytes), _) => Value::Opaque(bytes),
            (Self::Plain(value), _) => *value,
        }
    }
}

fn value(data_type: DataType) -> BoxedStrategy<Owned> {
    let integer = prop_oneof![-300..300i64, any::<i32>().prop_map(i64::from), any::<i64>()];
    match data_type {
        DataType::String | DataType::CoreLink => ".{0,20}".prop_map(Owned::Str).boxed(),
        DataType::Integer => integer.prop_map(|number| Owned::Plain(Value::Int(number))).boxed(),
        DataType::UnsignedInteger => {
            let number = prop_oneof![0..70_000u64, any::<u64>()];
            number.prop_map(|number| Owned::Plain(Value::Uint(number))).boxed()
        }
        DataType::Float => {
            let number = prop_oneof![any::<f64>(), any::<f32>().prop_map(f64::from)];
            number.prop_map(|number| Owned::Plain(Value::Float(number))).boxed()
        }
        DataType::Boolean => any::<bool>().prop_map(|truth| Owned::Plain(Value::Bool(truth))).boxed(),
        DataType::Time => integer.prop_map(|number| Owned::Plain(Value::Time(number))).boxed(),
        DataType::ObjectLink => any::<(u16, u16)>().prop_map(|(a, b)| Owned::Plain(Value::Link(a, b))).boxed(),
        DataType::Opaque | DataType::None => vec_of(any::<u8>(), 0..300).prop_map(Owned::Bytes).boxed(),
    }
}

/// A resource of [`TYPES`] without a range, and its values: by index when it is a multiple one.
pub(super) type Resource = (u16, Vec<(Option<u16>, Owned)>);

fn resource() -> impl Strategy<Value = Resource> {
    let ids: Vec<u16> = (0..9).chain(10..19).chain([256, 65_534]).collect();
    prop::sample::select(ids).prop_flat_map(|id| {
        let definition = TYPES.resource(id).unwrap();
        let values = if definition.multiple {
            let several = btree_map(prop_oneof![0..4u16, any::<u16>()], value(definition.data_type), 0..4);
            several.prop_map(|map| map.into_iter().map(|(index, value)| (Some(index), value)).collect()).boxed()
        } else {
            value(definition.data_type).prop_map(|value| vec![(None, value)]).boxed()
        };
        (Just(id), values)
    })
}

pub(super) fn instance() -> impl Strategy<Value = Vec<Resource>> {
    vec_of(resource(), 0..8).prop_map(|mut resources| {
        resources.sort_by_key(|(id, _)| *id);
        resources.dedup_by_key(|(id, _)| *id);
        resources
    })
}

pub(super) fn put(encoder: &mut impl Encode, instance: u16, resources: &[Resource]) {
    for (id, values) in resources {
        let definition = TYPES.resource(*id).unwrap();
        if definition.multiple {
            encoder.open_multiple(*id).unwrap();
        }
        for (index, value) in values {
            let leaf = Leaf { index: *index, ..Leaf::new(OBJECT, instance, *id) };
            encoder.value(leaf, value.value(definition.data_type)).unwrap();
        }
        if definition.multiple {
            encoder.close().unwrap();
        }
    }
}

pub(super) fn encode(format: Format, path: Path, write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut room = vec![0; 1 << 16];
    let mut encoder = Encoder::new(format, path, Output::new(&mut room));
    write(&mut encoder);
    let length = encoder.finish().unwrap();
    room.truncate(length);
    // What is decoded again is leaked.
    room.shrink_to_fit();
    room
}

#[track_caller]
pub(super) fn assert_given(values: super::Values<'_>, resources: &[Resource]) {
    assert!(values.resources().eq(resources.iter().map(|(id, _)| *id)));
    let given: Vec<_> = values.iter().map(|given| (given.resource, given.index, given.value)).collect();
    let expected: Vec<_> = resources
        .iter()
        .flat_map(|(id, values)| {
            let data_type = TYPES.resource(*id).unwrap().data_type;
            values.iter().map(move |(index, value)| (*id, *index, value.value(data_type)))
        })
        .collect();
    assert_eq!(given, expected);
}

/// Bytes that are likely to be nearly right: elements of every kind, around each other.
fn nearly_tlv() -> impl Strategy<Value = Vec<u8>> {
    let leaf = vec_of(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..10);
    leaf.prop_recursive(4, 40, 6, |inner| {
        let element = (any::<u8>(), prop_oneof![0..30u16, any::<u16>()], inner).prop_map(|(head, id, content)| {
            let mut bytes = vec![head & 0b1110_0000];
            bytes.extend_from_slice(&id.to_be_bytes()[usize::from(head & 0b10_0000 == 0)..]);
            match content.len() {
                length @ 0..8 => bytes[0] |= length as u8,
                length => {
                    bytes[0] |= 0b1_0000;
                    bytes.extend_from_slice(&(length as u16).to_be_bytes());
                }
            }
            bytes.extend(content);
            bytes
        });
        vec_of(element, 0..6).prop_map(|elements| elements.concat())
    })
}

const TARGETS: [Path; 6] = [
    Path::ROOT,
    Path::object(OBJECT),
    Path::instance(OBJECT, 0),
    Path::resource(OBJECT, 0, 1),
    Path::resource(OBJECT, 0, 15),
    Path::resource_instance(OBJECT, 0, 11, 2),
];

/// Whatever the bytes are, decoding returns; and what was accepted means the same when it is
/// written in the shortest form.
#[track_caller]
pub(super) fn assert_sound(bytes: &[u8]) {
    for target in TARGETS {
        for format in [Format::TLV, Format::TEXT, Format::OPAQUE, Format::JSON] {
            for unknown in [Unknown::Refuse, Unknown::Ignore] {
                let mut scratch = vec![0; bytes.len()];
                let Ok(payload) = Payload::decode(format, target, &TYPES, unknown, bytes, &mut scratch) else {
                    continue;
                };
                for (_, values) in payload.instances() {
                    // Everything that is named can be had, to the last value.
                    let named: Vec<u16> = values.resources().collect();
                    assert!(values.iter().all(|given| named.contains(&given.resource)));
                    for id in named {
                        let single = !TYPES.resource(id).unwrap().multiple;
                        assert!(!single || values.get(id).is_some());
                    }
                }
                if format == Format::TLV || format == Format::JSON {
                    let canonical = encode_again(&TYPES, target, &payload);
                    // It is never longer, but for the multiple resource around bare Resource Instances.
                    let around = if target.resource_id().is_some() { 6 } else { 0 };
                    assert!(canonical.len() <= bytes.len() + around);
                    let again = decode(Format::TLV, target, canonical.leak()).unwrap();
                    // As text, because a NaN is not equal to itself.
                    assert_eq!(alloc::format!("{:?}", instances(&again)), alloc::format!("{:?}", instances(&payload)));
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn an_instance_reads_back_as_it_was_written(resources in instance()) {
        let bytes = encode(Format::TLV, Path::ROOT, |encoder| put(encoder, 0, &resources));
        let payload = decode(Format::TLV, Path::instance(OBJECT, 0), &bytes).unwrap();
        let [(None, values)] = instances(&payload)[..] else { panic!() };
        assert_given(values, &resources);
    }

    #[test]
    fn instances_read_back_as_they_were_written(tree in btree_map(0..65_535u16, instance(), 1..4)) {
        let bytes = encode(Format::TLV, Path::ROOT, |encoder| {
            for (id, resources) in &tree {
                encoder.open_instance(*id).unwrap();
                put(encoder, *id, resources);
                encoder.close().unwrap();
            }
        });
        let payload = decode(Format::TLV, Path::object(OBJECT), &bytes).unwrap();
        prop_assert!(payload.instances().map(|(id, _)| id.unwrap()).eq(tree.keys().copied()));
        for ((_, values), resources) in payload.instances().zip(tree.values()) {
            assert_given(values, resources);
        }
    }

    #[test]
    fn the_parts_of_a_body_are_those_of_the_whole(
        tree in btree_map(0..65_535u16, instance(), 1..4),
        size in prop::sample::select(vec![16usize, 64, 1_024]),
    ) {
        let write = |encoder: &mut Encoder<'_>| {
            for (id, resources) in &tree {
                encoder.open_instance(*id).unwrap();
                put(encoder, *id, resources);
                encoder.close().unwrap();
            }
        };
        let whole = encode(Format::TLV, Path::ROOT, write);
        for start in (0..whole.len()).step_by(size) {
            let slack = start.min(SLACK);
            let mut room = vec![0xAA; size + slack];
            let mut encoder = Encoder::new(Format::TLV, Path::ROOT, Output::part(&mut room, start - slack));
            write(&mut encoder);
            prop_assert_eq!(encoder.finish(), Ok(whole.len()));
            let end = whole.len().min(start + size);
            prop_assert_eq!(&room[slack..slack + end - start], &whole[start..end]);
        }
    }

    #[test]
    fn one_resource_reads_back_also_as_text(resource in resource()) {
        let (id, values) = &resource;
        let bytes = encode(Format::TLV, Path::ROOT, |encoder| put(encoder, 0, core::slice::from_ref(&resource)));
        let target = Path::resource(OBJECT, 0, *id);
        assert_given(instances(&decode(Format::TLV, target, &bytes).unwrap())[0].1, core::slice::from_ref(&resource));

        let [(None, value)] = &values[..] else { return Ok(()) };
        let value = value.value(TYPES.resource(*id).unwrap().data_type);
        let mut room = [0; 1024];
        let mut encoder = Encoder::new(Format::TEXT, Path::ROOT, Output::new(&mut room));
        match encoder.value(Leaf::new(OBJECT, 0, *id), value) {
            Ok(()) => {
                let length = encoder.finish().unwrap();
                let payload = decode(Format::TEXT, target, &room[..length]).unwrap();
                prop_assert_eq!(instances(&payload)[0].1.get(*id), Some(value));
            }
            Err(_) => prop_assert!(matches!(value, Value::Float(number) if !number.is_finite())),
        }
    }

    #[test]
    fn every_smaller_buffer_is_refused(resources in instance()) {
        let length = encode(Format::TLV, Path::ROOT, |encoder| put(encoder, 0, &resources)).len();
        for room in 0..length {
            let mut room = vec![0; room];
            let mut encoder = Encoder::new(Format::TLV, Path::ROOT, Output::new(&mut room));
            let fits = resources.iter().try_for_each(|(id, values)| {
                let definition = TYPES.resource(*id).unwrap();
                if definition.multiple {
                    encoder.open_multiple(*id)?;
                }
                for (index, value) in values {
                    let leaf = Leaf { index: *index, ..Leaf::new(OBJECT, 0, *id) };
                    encoder.value(leaf, value.value(definition.data_type))?;
                }
                if definition.multiple { encoder.close() } else { Ok(()) }
            });
            prop_assert!(fits.is_err());
        }
    }

    #[test]
    fn cut_and_flipped_payloads_are_sound(resources in instance(), id in any::<u16>(), wrapped: bool) {
        let mut bytes = encode(Format::TLV, Path::ROOT, |encoder| {
            if wrapped {
                encoder.open_instance(id).unwrap();
            }
            put(encoder, id, &resources);
            if wrapped {
                encoder.close().unwrap();
            }
        });
        // All of them for a short payload, a hundred or so for a long one.
        let step = 1 + bytes.len() / 100;
        for length in (0..bytes.len()).step_by(step) {
            assert_sound(&bytes[..length]);
        }
        for bit in (0..bytes.len() * 8).step_by(step * 7) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_sound(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn nearly_right_payloads_are_sound(bytes in nearly_tlv()) {
        assert_sound(&bytes);
    }

    #[test]
    fn any_bytes_are_sound(bytes in vec_of(any::<u8>(), 0..40)) {
        assert_sound(&bytes);
    }
}
