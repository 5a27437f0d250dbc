//! Decodes a payload against an object's definition: all of it, before anyone sees a value.

use coap_codec::Code;

#[cfg(feature = "json")]
use super::json;
use super::tlv::{self, Element, Elements, Level};
use super::values::{Given, Values, takes_values};
use super::{Format, Kind, text};
use crate::base::definition::{ObjectDef, Range, ResourceDef};
use crate::base::float::in_order;
use crate::base::path::{MAX_ID, Path};
use crate::base::value::{DataType, Value};

/// What becomes of a resource that the definition lacks, or that can only be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// The payload is refused.
    Refuse,
    /// It is passed over, as Create and Bootstrap-Write want it (OMA LwM2M 1.0, 5.2.7, 5.4.6).
    Ignore,
}

/// Why a payload is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("the payload is cut short or nested wrongly")]
    Malformed,
    #[error("the payload has more or less than the path asks for")]
    Misplaced,
    #[error("object instance id 65535 is reserved")]
    ReservedInstance,
    #[error("id {0} occurs twice")]
    Duplicate(u16),
    #[error("resource {0} is unknown")]
    UnknownResource(u16),
    #[error("resource {0} takes no values")]
    NoValues(u16),
    #[error("resource {0} has one value where several belong, or the other way round")]
    Multiplicity(u16),
    #[error("a value of resource {0} is not of its type")]
    Type(u16),
    #[error("a value of resource {0} is out of range")]
    Range(u16),
    #[error("a value is too large")]
    TooLarge,
}

impl DecodeError {
    /// The response code that tells the peer.
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::UnknownResource(_) => Code::NOT_FOUND,
            Self::NoValues(_) => Code::METHOD_NOT_ALLOWED,
            Self::TooLarge => Code::REQUEST_ENTITY_TOO_LARGE,
            _ => Code::BAD_REQUEST,
        }
    }
}

/// A payload that fits the object's definition and the path of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload<'a> {
    shape: Shape<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Shape<'a> {
    /// The values of one instance: that of the path, or one that has no id yet.
    One(Option<u16>, Values<'a>),
    /// TLV of Object Instances.
    Instances(&'static ObjectDef, &'a [u8]),
}

impl<'a> Payload<'a> {
    /// Decodes the payload of a request to `target`: an object, an instance or a resource.
    /// `scratch` takes the bytes of an opaque value that was sent as text, and all values that were
    /// sent as JSON.
    ///
    /// # Errors
    /// [`DecodeError`] when any part of it is wrong: nothing may be applied then.
    pub(crate) fn decode(
        format: Format,
        target: Path,
        object: &'static ObjectDef,
        unknown: Unknown,
        payload: &'a [u8],
        scratch: &'a mut [u8],
    ) -> Result<Self, DecodeError> {
        let shape = match format.kind {
            Kind::Tlv => decode_tlv(target, object, unknown, payload)?,
            #[cfg(feature = "json")]
            Kind::Json => {
                decode_tlv(target, object, unknown, json::to_tlv(target, object, unknown, payload, scratch)?)?
            }
            Kind::Text | Kind::Opaque => {
                Shape::One(target.instance_id(), decode_single(format.kind, target, object, payload, scratch)?)
            }
        };
        Ok(Self { shape })
    }

    /// The instances with their values: exactly one when the path names an instance. Without, each
    /// Object Instance of the payload, or one without an id when it has bare resources or nothing.
    pub(crate) fn instances(&self) -> impl Iterator<Item = (Option<u16>, Values<'a>)> + use<'a> {
        let mut rest = Some(self.shape);
        core::iter::from_fn(move || match rest? {
            Shape::One(id, values) => {
                rest = None;
                Some((id, values))
            }
            Shape::Instances(object, bytes) => {
                let (instance, after) = Element::split_first(bytes)?;
                rest = Some(Shape::Instances(object, after));
                Some((Some(instance.id), Values::of_resources(object, instance.content)))
            }
        })
    }
}

/// One value for one resource (OMA LwM2M 1.0, 6.4.1 and 6.4.2).
fn decode_single<'a>(
    kind: Kind,
    target: Path,
    object: &'static ObjectDef,
    payload: &'a [u8],
    scratch: &'a mut [u8],
) -> Result<Values<'a>, DecodeError> {
    let resource = target_resource(target.resource_id().ok_or(DecodeError::Misplaced)?, object)?;
    let index = target.resource_instance_id();
    if resource.multiple != index.is_some() {
        return Err(DecodeError::Multiplicity(resource.id));
    }
    let value = match kind {
        Kind::Text => text::read(resource, payload, scratch)?,
        _ if resource.data_type == DataType::Opaque => Value::Opaque(payload),
        _ => return Err(DecodeError::Type(resource.id)),
    };
    check_range(resource, value)?;
    Ok(Values::one(Given { resource: resource.id, index, value }))
}

/// The resource that a path names: unlike one in a payload it is never passed over.
fn target_resource(id: u16, object: &'static ObjectDef) -> Result<&'static ResourceDef, DecodeError> {
    definition(id, object, Unknown::Refuse)?.ok_or(DecodeError::UnknownResource(id))
}

fn decode_tlv<'a>(
    target: Path,
    object: &'static ObjectDef,
    unknown: Unknown,
    bytes: &'a [u8],
) -> Result<Shape<'a>, DecodeError> {
    let level = tlv::structure(bytes)?;
    let content = match (target.levels(), level) {
        ([_], Level::Instances) => {
            for instance in Elements::new(bytes) {
                if instance.id == MAX_ID {
                    return Err(DecodeError::ReservedInstance);
                }
                check_resources(object, unknown, instance.content)?;
            }
            return Ok(Shape::Instances(object, bytes));
        }
        ([_] | [_, _], Level::Resources) => bytes,
        // A wrapper around what the path names already: not needed, and harmless.
        ([_, instance], Level::Instances) => only(bytes, *instance)?.content,
        ([_, _, resource], Level::Resources | Level::ResourceInstances) => {
            let resource = target_resource(*resource, object)?;
            let values = match level {
                // The instances of the multiple resource that the path names, without their resource.
                Level::ResourceInstances if resource.multiple => {
                    check_instances(resource, bytes)?;
                    Values::of_instances(resource, bytes)
                }
                Level::ResourceInstances => return Err(DecodeError::Multiplicity(resource.id)),
                _ => {
                    check_resource(resource, only(bytes, resource.id)?)?;
                    Values::of_resources(object, bytes)
                }
            };
            return Ok(Shape::One(target.instance_id(), values));
        }
        _ => return Err(DecodeError::Misplaced),
    };
    check_resources(object, unknown, content)?;
    Ok(Shape::One(target.instance_id(), Values::of_resources(object, content)))
}

/// The only element, which must have this id.
fn only(bytes: &[u8], id: u16) -> Result<Element<'_>, DecodeError> {
    let mut elements = Elements::new(bytes);
    match (elements.next(), elements.next()) {
        (Some(element), None) if element.id == id => Ok(element),
        _ => Err(DecodeError::Misplaced),
    }
}

fn check_resources(object: &ObjectDef, unknown: Unknown, bytes: &[u8]) -> Result<(), DecodeError> {
    for element in Elements::new(bytes) {
        if let Some(resource) = definition(element.id, object, unknown)? {
            check_resource(resource, element)?;
        }
    }
    Ok(())
}

/// The definition of a resource that takes values, `None` for one to pass over.
pub(super) fn definition(
    id: u16,
    object: &ObjectDef,
    unknown: Unknown,
) -> Result<Option<&'static ResourceDef>, DecodeError> {
    match (takes_values(object, id), unknown) {
        (Some(resource), _) => Ok(Some(resource)),
        (None, Unknown::Ignore) => Ok(None),
        (None, Unknown::Refuse) if object.resource(id).is_some() => Err(DecodeError::NoValues(id)),
        (None, Unknown::Refuse) => Err(DecodeError::UnknownResource(id)),
    }
}

fn check_resource(resource: &ResourceDef, element: Element<'_>) -> Result<(), DecodeError> {
    match (element.kind, resource.multiple) {
        (tlv::Kind::Resource, false) => check_value(resource, element.content),
        (tlv::Kind::Multiple, true) => check_instances(resource, element.content),
        _ => Err(DecodeError::Multiplicity(resource.id)),
    }
}

fn check_instances(resource: &ResourceDef, bytes: &[u8]) -> Result<(), DecodeError> {
    Elements::new(bytes).try_for_each(|instance| check_value(resource, instance.content))
}

fn check_value(resource: &ResourceDef, content: &[u8]) -> Result<(), DecodeError> {
    let value = tlv::value(resource.data_type, content).ok_or(DecodeError::Type(resource.id))?;
    check_range(resource, value)
}

/// Holds a value against the range of its resource. A range for another type than the value's
/// says nothing about it; not-a-number is in no range.
fn check_range(resource: &ResourceDef, value: Value<'_>) -> Result<(), DecodeError> {
    let fits = match (resource.range, value) {
        (Range::Integer(low, high), Value::Int(number) | Value::Time(number)) => (low..=high).contains(&number),
        (Range::Integer(low, high), Value::Uint(number)) => {
            i64::try_from(number).is_ok_and(|number| (low..=high).contains(&number))
        }
        (Range::Float(low, high), Value::Float(number)) => (in_order(low)..=in_order(high)).contains(&in_order(number)),
        (Range::Length(low, high), Value::Str(text) | Value::Corelnk(text)) => (low..=high).contains(&text.len()),
        (Range::Length(low, high), Value::Opaque(bytes)) => (low..=high).contains(&bytes.len()),
        _ => true,
    };
    if fits { Ok(()) } else { Err(DecodeError::Range(resource.id)) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{OBJECT, TYPES, decode, hex, instances};
    use super::*;
    use alloc::vec::Vec;

    const OBJECT_PATH: Path = Path::object(OBJECT);
    const INSTANCE: Path = Path::instance(OBJECT, 4);

    const fn resource(id: u16) -> Path {
        Path::resource(OBJECT, 4, id)
    }

    /// An instance, and the resources that are named in it.
    type Named = (Option<u16>, Vec<u16>);

    /// Decodes TLV, and tells the instances with the resources that each names.
    fn tlv(target: Path, digits: &str) -> Result<Vec<Named>, DecodeError> {
        let bytes = hex(digits);
        let payload = decode(Format::TLV, target, &bytes)?;
        Ok(payload.instances().map(|(id, values)| (id, values.resources().collect())).collect())
    }

    #[track_caller]
    fn one(target: Path, digits: &str, instance: Option<u16>, resources: &[u16]) {
        assert_eq!(tlv(target, digits), Ok([(instance, resources.to_vec())].to_vec()));
    }

    #[test]
    fn tlv_fits_the_path_that_it_is_sent_to() {
        // An object: wrappers, or resources for an instance that has no id yet.
        assert_eq!(
            tlv(OBJECT_PATH, "080003 c10105 080100 2001f4 00"),
            Err(DecodeError::Malformed),
            "the last byte is one too many"
        );
        assert_eq!(
            tlv(OBJECT_PATH, "030a c10105 000b 2001f4"),
            Ok([(Some(10), [1].to_vec()), (Some(11), Vec::new()), (Some(500), Vec::new())].to_vec())
        );
        one(OBJECT_PATH, "c10105 c10401", None, &[1, 4]);
        one(OBJECT_PATH, "", None, &[]);

        // An instance: resources, perhaps in a wrapper of their own.
        one(INSTANCE, "c10105 c10401", Some(4), &[1, 4]);
        one(INSTANCE, "0304 c10105", Some(4), &[1]);
        one(INSTANCE, "0004", Some(4), &[]);
        one(INSTANCE, "", Some(4), &[]);
        one(INSTANCE, "c10401 c10105", Some(4), &[4, 1]);
        assert_eq!(tlv(INSTANCE, "0305 c10105"), Err(DecodeError::Misplaced));
        assert_eq!(tlv(INSTANCE, "0304 c10105 0005"), Err(DecodeError::Misplaced));
        assert_eq!(tlv(INSTANCE, "410005"), Err(DecodeError::Misplaced));

        // A resource: itself, or the instances of a multiple one.
        one(resource(1), "c10105", Some(4), &[1]);
        one(resource(11), "860b 410005 410106", Some(4), &[11]);
        one(resource(11), "800b", Some(4), &[11]);
        one(resource(11), "410005 410106", Some(4), &[11]);
        for wrong in ["", "c10401", "c10105 c10401", "0304 c10105", "860b 410005 410106"] {
            assert_eq!(tlv(resource(1), wrong), Err(DecodeError::Misplaced), "{wrong}");
        }
        assert_eq!(tlv(resource(1), "410005"), Err(DecodeError::Multiplicity(1)));
        assert_eq!(tlv(resource(11), ""), Err(DecodeError::Misplaced));
        assert_eq!(tlv(resource(11), "c10b05"), Err(DecodeError::Multiplicity(11)));
        assert_eq!(tlv(resource(19), "c11305"), Err(DecodeError::UnknownResource(19)));
        assert_eq!(tlv(resource(9), "c009"), Err(DecodeError::NoValues(9)));

        // Deeper and higher paths take no TLV.
        assert_eq!(tlv(Path::ROOT, "c10105"), Err(DecodeError::Misplaced));
        assert_eq!(tlv(Path::resource_instance(OBJECT, 4, 11, 0), "410005"), Err(DecodeError::Misplaced));
    }

    #[test]
    fn identifiers_are_held_against_each_other_and_the_definition() {
        for (target, digits, error) in [
            (INSTANCE, "c10105 c10401 c10106", DecodeError::Duplicate(1)),
            (INSTANCE, "860b 410705 410706", DecodeError::Duplicate(7)),
            (INSTANCE, "c10105 8001", DecodeError::Duplicate(1)),
            (OBJECT_PATH, "0001 0001", DecodeError::Duplicate(1)),
            (OBJECT_PATH, "0601 c10105 c10106", DecodeError::Duplicate(1)),
            (OBJECT_PATH, "20ffff", DecodeError::ReservedInstance),
            (INSTANCE, "c0c8", DecodeError::UnknownResource(200)),
            (INSTANCE, "c009", DecodeError::NoValues(9)),
            (INSTANCE, "8001", DecodeError::Multiplicity(1)),
            (INSTANCE, "c10b05", DecodeError::Multiplicity(11)),
        ] {
            assert_eq!(tlv(target, digits), Err(error), "{digits}");
        }
        // The same resource in two instances, the same index in two resources.
        assert!(tlv(OBJECT_PATH, "0301 c10105 0302 c10105").is_ok());
        assert!(tlv(INSTANCE, "830b 410005 830e 410001").is_ok());
    }

    #[test]
    fn what_the_object_lacks_is_passed_over_on_request() {
        let bytes = hex("c0c8 c10105 c009 83c7 410005");
        let decode = |unknown| Payload::decode(Format::TLV, INSTANCE, &TYPES, unknown, &bytes, &mut []);
        assert_eq!(decode(Unknown::Refuse).unwrap_err().code(), Code::NOT_FOUND);
        let values = instances(&decode(Unknown::Ignore).unwrap())[0].1;
        assert!(values.resources().eq([1]));
        assert!(values.iter().eq([Given { resource: 1, index: None, value: Value::Int(5) }]));

        // Not so for the resource that the path names.
        for (id, error) in [(200, DecodeError::UnknownResource(200)), (9, DecodeError::NoValues(9))] {
            for format in [Format::TLV, Format::TEXT, Format::OPAQUE] {
                let payload = Payload::decode(format, resource(id), &TYPES, Unknown::Ignore, b"", &mut []);
                assert_eq!(payload.unwrap_err(), error);
            }
        }
    }

    #[test]
    fn values_are_held_against_their_range() {
        for (inside, outside) in [
            (&["c114fb", "c11464"][..], &["c114fa", "c11465", "c8140880 00000000000000"][..]),
            (&["c11501", "c115c8"], &["c11500", "c115c9", "c81508ffffffffffffffff"]),
            (&["c11600"], &["c116ff"]),
            (&["c4173fc00000", "c417bfc00000"], &["c4173fc00001", "c4177fc00000", "c417ff800000"]),
            (&["c11861", "c318616161"], &["c018", "c418 61616161"]),
            (&["c019", "c2190000"], &["c319000000"]),
            (&["c21a6161"], &["c11a61", "c51a6161616161"]),
            (&["861b 410000 410101"], &["861b 410000 410102"]),
        ] {
            for digits in inside {
                assert!(tlv(INSTANCE, digits).is_ok(), "{digits}");
            }
            for digits in outside {
                assert!(matches!(tlv(INSTANCE, digits), Err(DecodeError::Range(_))), "{digits}");
            }
        }
        assert_eq!(decode(Format::TEXT, resource(20), b"101").unwrap_err(), DecodeError::Range(20));
        assert_eq!(decode(Format::TEXT, resource(24), b"").unwrap_err(), DecodeError::Range(24));
        assert_eq!(decode(Format::OPAQUE, resource(25), b"abc").unwrap_err(), DecodeError::Range(25));
    }

    #[test]
    fn text_and_opaque_bytes_are_for_one_value() {
        for (format, target, payload, result) in [
            (Format::TEXT, resource(1), &b"-5"[..], Ok(Value::Int(-5))),
            (Format::TEXT, resource(5), b"AQI=", Ok(Value::Opaque(&[1, 2]))),
            (Format::OPAQUE, resource(5), b"AQI=", Ok(Value::Opaque(b"AQI="))),
            (Format::OPAQUE, resource(5), b"", Ok(Value::Opaque(b""))),
            (Format::OPAQUE, resource(1), b"5", Err(DecodeError::Type(1))),
            (Format::OPAQUE, resource(0), b"text", Err(DecodeError::Type(0))),
            (Format::TEXT, resource(1), b"", Err(DecodeError::Type(1))),
            (Format::TEXT, resource(11), b"5", Err(DecodeError::Multiplicity(11))),
            (Format::OPAQUE, resource(15), b"5", Err(DecodeError::Multiplicity(15))),
            (Format::TEXT, INSTANCE, b"5", Err(DecodeError::Misplaced)),
            (Format::OPAQUE, OBJECT_PATH, b"5", Err(DecodeError::Misplaced)),
            (Format::TEXT, resource(9), b"5", Err(DecodeError::NoValues(9))),
        ] {
            let decoded = decode(format, target, payload).map(|payload| {
                let [(Some(4), values)] = instances(&payload)[..] else { panic!("{target}") };
                values.iter().next().unwrap().value
            });
            assert_eq!(decoded, result, "{target}: {payload:?}");
        }
        // One value of a multiple resource has a place of its own (1.1).
        let target = Path::resource_instance(OBJECT, 4, 11, 2);
        let values = instances(&decode(Format::TEXT, target, b"5").unwrap())[0].1;
        assert!(values.iter().eq([Given { resource: 11, index: Some(2), value: Value::Int(5) }]));
    }

    #[test]
    fn every_refusal_has_the_code_that_a_server_expects() {
        for (error, code) in [
            (DecodeError::Malformed, Code::BAD_REQUEST),
            (DecodeError::Misplaced, Code::BAD_REQUEST),
            (DecodeError::ReservedInstance, Code::BAD_REQUEST),
            (DecodeError::Duplicate(1), Code::BAD_REQUEST),
            (DecodeError::UnknownResource(1), Code::NOT_FOUND),
            (DecodeError::NoValues(1), Code::METHOD_NOT_ALLOWED),
            (DecodeError::Multiplicity(1), Code::BAD_REQUEST),
            (DecodeError::Type(1), Code::BAD_REQUEST),
            (DecodeError::Range(1), Code::BAD_REQUEST),
            (DecodeError::TooLarge, Code::REQUEST_ENTITY_TOO_LARGE),
        ] {
            assert_eq!(error.code(), code, "{error}");
        }
    }

    #[test]
    fn a_payload_of_nothing_but_identifiers_costs_no_more_than_its_length() {
        // All 65535 in falling order, which is the slowest for the search for duplicates; a search
        // of every pair would take minutes.
        let mut bytes: Vec<u8> =
            (0..u16::MAX).rev().flat_map(|id| [[0xE0].as_slice(), &id.to_be_bytes()].concat()).collect();
        let ignored = |bytes: &[u8]| {
            let payload = Payload::decode(Format::TLV, INSTANCE, &TYPES, Unknown::Ignore, bytes, &mut []);
            payload.map(|_| ()).unwrap_err()
        };
        assert_eq!(ignored(&bytes), DecodeError::Multiplicity(65_534));
        bytes.extend([0xC0, 0]);
        assert_eq!(ignored(&bytes), DecodeError::Duplicate(0));
    }
}
