//! Decodes a payload against an object's definition: all of it, before anyone sees a value.

use coap_codec::Code;

#[cfg(feature = "json")]
use super::json;
use super::tlv::{self, Element, Elements, Level};
use super::values::{Values, in_range, takes_values};
use super::{Format, Kind, text};
use crate::base::definition::ObjectDef;
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
    #[error("an id occurs twice")]
    Duplicate,
    #[error("a resource is unknown")]
    UnknownResource,
    #[error("a resource takes no values")]
    NoValues,
    #[error("a resource has one value where several belong, or the other way round")]
    Multiplicity,
    #[error("a value is not of the type of its resource")]
    Type,
    #[error("a value is out of range")]
    Range,
    #[error("a value is too large")]
    TooLarge,
}

impl DecodeError {
    /// The response code that tells the peer.
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::UnknownResource => Code::NOT_FOUND,
            Self::NoValues => Code::METHOD_NOT_ALLOWED,
            Self::TooLarge => Code::REQUEST_ENTITY_TOO_LARGE,
            _ => Code::BAD_REQUEST,
        }
    }
}

/// A payload that fits the object's definition and the path of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload<'a> {
    /// The values of one instance: that of the path, or one that has no id yet.
    One(Values<'a>),
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
        match format.kind {
            Kind::Tlv => decode_tlv(target, object, unknown, payload),
            #[cfg(feature = "json")]
            Kind::Json => decode_tlv(target, object, unknown, json::to_tlv(target, object, unknown, payload, scratch)?),
            Kind::Text | Kind::Opaque => decode_single(format.kind, target, object, payload, scratch),
        }
    }

    /// The instances with their values: exactly one, without an id, when the path names it already. Else each
    /// Object Instance of the payload, or one without an id when it has bare resources or nothing.
    pub(crate) fn instances(self) -> impl Iterator<Item = (Option<u16>, Values<'a>)> {
        let mut rest = Some(self);
        core::iter::from_fn(move || match rest? {
            Self::One(values) => {
                rest = None;
                Some((None, values))
            }
            Self::Instances(object, bytes) => {
                let (instance, after) = Element::split_first(bytes)?;
                rest = Some(Self::Instances(object, after));
                Some((Some(instance.id), Values::of_resources(object, instance.content)))
            }
        })
    }
}

/// One value for one resource (OMA LwM2M 1.0, 6.4.1 and 6.4.2).
#[inline(never)]
fn decode_single<'a>(
    kind: Kind,
    target: Path,
    object: &'static ObjectDef,
    payload: &'a [u8],
    scratch: &'a mut [u8],
) -> Result<Payload<'a>, DecodeError> {
    let resource = takes_values(object, target.resource_id().ok_or(DecodeError::Misplaced)?)?;
    if resource.multiple {
        return Err(DecodeError::Multiplicity);
    }
    let value = match kind {
        Kind::Text => text::read(resource, payload, scratch)?,
        _ if resource.data_type == DataType::Opaque => Value::Opaque(payload),
        _ => return Err(DecodeError::Type),
    };
    Ok(Payload::One(Values::of(resource.id, in_range(resource, value)?)))
}

fn decode_tlv<'a>(
    target: Path,
    object: &'static ObjectDef,
    unknown: Unknown,
    bytes: &'a [u8],
) -> Result<Payload<'a>, DecodeError> {
    let (values, unknown) = match (target.levels(), tlv::structure(bytes)?) {
        ([_], Level::Instances) => {
            for instance in Elements::new(bytes) {
                if instance.id == MAX_ID {
                    return Err(DecodeError::ReservedInstance);
                }
                Values::of_resources(object, instance.content).check(unknown)?;
            }
            return Ok(Payload::Instances(object, bytes));
        }
        ([_] | [_, _], Level::Resources) => (Values::of_resources(object, bytes), unknown),
        // A wrapper around what the path names already: not needed, and harmless.
        ([_, instance], Level::Instances) => (Values::of_resources(object, only(bytes, *instance)?), unknown),
        // Unlike one in a payload, what the path names is never passed over.
        ([_, _, id], Level::Resources) => {
            takes_values(object, *id)?;
            only(bytes, *id)?;
            (Values::of_resources(object, bytes), Unknown::Refuse)
        }
        // The instances of the multiple resource that the path names, without their resource.
        ([_, _, id], Level::ResourceInstances) => {
            let resource = takes_values(object, *id)?;
            if !resource.multiple {
                return Err(DecodeError::Multiplicity);
            }
            (Values::of_instances(object, resource, bytes), Unknown::Refuse)
        }
        _ => return Err(DecodeError::Misplaced),
    };
    values.check(unknown)?;
    Ok(Payload::One(values))
}

/// The content of the only element, which must have this id.
fn only(bytes: &[u8], id: u16) -> Result<&[u8], DecodeError> {
    match Element::split_first(bytes) {
        Some((element, [])) if element.id == id => Ok(element.content),
        _ => Err(DecodeError::Misplaced),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{OBJECT, TYPES, decode, hex, instances};
    use super::super::values::Given;
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
        one(INSTANCE, "c10105 c10401", None, &[1, 4]);
        one(INSTANCE, "0304 c10105", None, &[1]);
        one(INSTANCE, "0004", None, &[]);
        one(INSTANCE, "", None, &[]);
        one(INSTANCE, "c10401 c10105", None, &[4, 1]);
        assert_eq!(tlv(INSTANCE, "0305 c10105"), Err(DecodeError::Misplaced));
        assert_eq!(tlv(INSTANCE, "0304 c10105 0005"), Err(DecodeError::Misplaced));
        assert_eq!(tlv(INSTANCE, "410005"), Err(DecodeError::Misplaced));

        // A resource: itself, or the instances of a multiple one.
        one(resource(1), "c10105", None, &[1]);
        one(resource(11), "860b 410005 410106", None, &[11]);
        one(resource(11), "800b", None, &[11]);
        one(resource(11), "410005 410106", None, &[11]);
        for wrong in ["", "c10401", "c10105 c10401", "0304 c10105", "860b 410005 410106"] {
            assert_eq!(tlv(resource(1), wrong), Err(DecodeError::Misplaced), "{wrong}");
        }
        assert_eq!(tlv(resource(1), "410005"), Err(DecodeError::Multiplicity));
        assert_eq!(tlv(resource(11), ""), Err(DecodeError::Misplaced));
        assert_eq!(tlv(resource(11), "c10b05"), Err(DecodeError::Multiplicity));
        assert_eq!(tlv(resource(19), "c11305"), Err(DecodeError::UnknownResource));
        assert_eq!(tlv(resource(9), "c009"), Err(DecodeError::NoValues));

        // Deeper and higher paths take no TLV.
        assert_eq!(tlv(Path::ROOT, "c10105"), Err(DecodeError::Misplaced));
        assert_eq!(tlv(Path::resource_instance(OBJECT, 4, 11, 0), "410005"), Err(DecodeError::Misplaced));
    }

    #[test]
    fn identifiers_are_held_against_each_other_and_the_definition() {
        for (target, digits, error) in [
            (INSTANCE, "c10105 c10401 c10106", DecodeError::Duplicate),
            (INSTANCE, "860b 410705 410706", DecodeError::Duplicate),
            (INSTANCE, "c10105 8001", DecodeError::Duplicate),
            (OBJECT_PATH, "0001 0001", DecodeError::Duplicate),
            (OBJECT_PATH, "0601 c10105 c10106", DecodeError::Duplicate),
            (OBJECT_PATH, "20ffff", DecodeError::ReservedInstance),
            (INSTANCE, "c0c8", DecodeError::UnknownResource),
            (INSTANCE, "c009", DecodeError::NoValues),
            (INSTANCE, "8001", DecodeError::Multiplicity),
            (INSTANCE, "c10b05", DecodeError::Multiplicity),
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
        for (id, error) in [(200, DecodeError::UnknownResource), (9, DecodeError::NoValues)] {
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
                assert!(matches!(tlv(INSTANCE, digits), Err(DecodeError::Range)), "{digits}");
            }
        }
        assert_eq!(decode(Format::TEXT, resource(20), b"101").unwrap_err(), DecodeError::Range);
        assert_eq!(decode(Format::TEXT, resource(24), b"").unwrap_err(), DecodeError::Range);
        assert_eq!(decode(Format::OPAQUE, resource(25), b"abc").unwrap_err(), DecodeError::Range);
    }

    #[test]
    fn text_and_opaque_bytes_are_for_one_value() {
        for (format, target, payload, result) in [
            (Format::TEXT, resource(1), &b"-5"[..], Ok(Value::Int(-5))),
            (Format::TEXT, resource(5), b"AQI=", Ok(Value::Opaque(&[1, 2]))),
            (Format::OPAQUE, resource(5), b"AQI=", Ok(Value::Opaque(b"AQI="))),
            (Format::OPAQUE, resource(5), b"", Ok(Value::Opaque(b""))),
            (Format::OPAQUE, resource(1), b"5", Err(DecodeError::Type)),
            (Format::OPAQUE, resource(0), b"text", Err(DecodeError::Type)),
            (Format::TEXT, resource(1), b"", Err(DecodeError::Type)),
            (Format::TEXT, resource(11), b"5", Err(DecodeError::Multiplicity)),
            (Format::OPAQUE, resource(15), b"5", Err(DecodeError::Multiplicity)),
            (Format::TEXT, INSTANCE, b"5", Err(DecodeError::Misplaced)),
            (Format::OPAQUE, OBJECT_PATH, b"5", Err(DecodeError::Misplaced)),
            (Format::TEXT, resource(9), b"5", Err(DecodeError::NoValues)),
        ] {
            let decoded = decode(format, target, payload).map(|payload| {
                let [(None, values)] = instances(&payload)[..] else { panic!("{target}") };
                values.iter().next().unwrap().value
            });
            assert_eq!(decoded, result, "{target}: {payload:?}");
        }
        // One value of a multiple resource has no path of its own before LwM2M 1.1.
        let target = Path::resource_instance(OBJECT, 4, 11, 2);
        assert_eq!(decode(Format::TEXT, target, b"5").unwrap_err(), DecodeError::Multiplicity);
    }

    #[test]
    fn every_refusal_has_the_code_that_a_server_expects() {
        for (error, code) in [
            (DecodeError::Malformed, Code::BAD_REQUEST),
            (DecodeError::Misplaced, Code::BAD_REQUEST),
            (DecodeError::ReservedInstance, Code::BAD_REQUEST),
            (DecodeError::Duplicate, Code::BAD_REQUEST),
            (DecodeError::UnknownResource, Code::NOT_FOUND),
            (DecodeError::NoValues, Code::METHOD_NOT_ALLOWED),
            (DecodeError::Multiplicity, Code::BAD_REQUEST),
            (DecodeError::Type, Code::BAD_REQUEST),
            (DecodeError::Range, Code::BAD_REQUEST),
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
        assert_eq!(ignored(&bytes), DecodeError::Multiplicity);
        bytes.extend([0xC0, 0]);
        assert_eq!(ignored(&bytes), DecodeError::Duplicate);
    }
}
