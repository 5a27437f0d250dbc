//! Values as plain text (OMA LwM2M 1.0, Appendix C).

use super::output::Output;
use super::payload::DecodeError;
use super::{NOT_ACCEPTABLE, base64};
use crate::base::decimal;
use crate::base::definition::ResourceDef;
use crate::base::features::TEXT_INSIDE;
use crate::base::path::MAX_ID;
use crate::base::value::{DataType, Stop, Value};

/// Writes one value. Floats are in plain decimal notation, and those that are no number cannot be
/// written at all.
pub(super) fn write(output: &mut Output<'_>, value: Value<'_>) -> Result<(), Stop> {
    if !TEXT_INSIDE {
        return Err(NOT_ACCEPTABLE);
    }
    match value {
        Value::Str(text) | Value::Corelnk(text) => output.put(text.as_bytes()),
        Value::Int(number) | Value::Time(number) => output.put_with(|room| decimal::write_i64(number, room)),
        Value::Uint(number) => output.put_with(|room| decimal::write_u64(number, room)),
        Value::Float(number) => output.put_with(|room| decimal::write_f64(number, room)),
        Value::Bool(truth) => output.put(if truth { b"1" } else { b"0" }),
        Value::Opaque(bytes) => base64::encode(output, bytes),
        Value::Link(object, instance) => {
            output.put_with(|room| decimal::write_u64(object.into(), room))?;
            output.put(b":")?;
            output.put_with(|room| decimal::write_u64(instance.into(), room))
        }
    }
}

/// Reads `text` as a value of `resource`. The bytes of an opaque value go into `scratch`.
///
/// There is no space around a value. Zeros may stand in front of a number, but no `+`; a float may
/// have an exponent. Only strings and opaque values may be empty.
pub(super) fn read<'a>(
    resource: &ResourceDef,
    text: &'a [u8],
    scratch: &'a mut [u8],
) -> Result<Value<'a>, DecodeError> {
    if !TEXT_INSIDE {
        return Err(DecodeError::Type);
    }
    let value = match resource.data_type {
        DataType::String => core::str::from_utf8(text).ok().map(Value::Str),
        DataType::CoreLink => core::str::from_utf8(text).ok().map(Value::Corelnk),
        DataType::Integer => decimal::read_i64(text).map(Value::Int),
        DataType::UnsignedInteger => decimal::read_u64(text).map(Value::Uint),
        DataType::Time => decimal::read_i64(text).map(Value::Time),
        DataType::Float => decimal::read_f64(text).map(Value::Float),
        DataType::Boolean => match text {
            b"0" => Some(Value::Bool(false)),
            b"1" => Some(Value::Bool(true)),
            _ => None,
        },
        DataType::ObjectLink => link(text),
        DataType::Opaque => match base64::decode(text, scratch) {
            Ok(bytes) => Some(Value::Opaque(bytes)),
            Err(base64::Error::NoRoom) => return Err(DecodeError::TooLarge),
            Err(base64::Error::Malformed) => None,
        },
        DataType::None => None,
    };
    value.ok_or(DecodeError::Type)
}

/// `66:0`. The standard prints the null link as `FFFF:FFFF` too.
pub(super) fn link<'a>(text: &[u8]) -> Option<Value<'a>> {
    if text == b"FFFF:FFFF" {
        return Some(Value::Link(MAX_ID, MAX_ID));
    }
    let colon = text.iter().position(|byte| *byte == b':')?;
    let (object, instance) = text.split_at_checked(colon)?;
    Some(Value::Link(id(object)?, id(instance.strip_prefix(b":")?)?))
}

fn id(text: &[u8]) -> Option<u16> {
    decimal::read_u64(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::definition::Operations;

    fn resource(data_type: DataType) -> ResourceDef {
        ResourceDef::new(7, "", Operations::RW, data_type)
    }

    #[track_caller]
    fn check_written(value: Value<'_>, text: &str) {
        let mut room = [0; 64];
        let mut output = Output::new(&mut room);
        write(&mut output, value).unwrap();
        assert_eq!(output.written(), text.as_bytes());
        // Byte for byte as much room is enough, and one byte less is not.
        for room in [text.len(), text.len().saturating_sub(1)] {
            let fits = write(&mut Output::new(&mut [0; 64][..room]), value).is_ok();
            assert_eq!(fits, room == text.len(), "{text} in {room} bytes");
        }
    }

    #[test]
    fn every_type_reads_as_it_is_written() {
        for (data_type, value, text) in [
            (DataType::String, Value::Str("gr\u{fc}n"), "gr\u{fc}n"),
            (DataType::String, Value::Str(""), ""),
            (DataType::Integer, Value::Int(i64::MIN), "-9223372036854775808"),
            (DataType::UnsignedInteger, Value::Uint(u64::MAX), "18446744073709551615"),
            (DataType::Float, Value::Float(6.667e-11), "0.00000000006667"),
            (DataType::Boolean, Value::Bool(true), "1"),
            (DataType::Boolean, Value::Bool(false), "0"),
            (DataType::Opaque, Value::Opaque(&[1, 2, 3, 4, 5]), "AQIDBAU="),
            (DataType::Opaque, Value::Opaque(&[]), ""),
            (DataType::Time, Value::Time(1_476_186_613), "1476186613"),
            (DataType::Time, Value::Time(-1), "-1"),
            (DataType::ObjectLink, Value::Link(66, 0), "66:0"),
            (DataType::ObjectLink, Value::Link(65_535, 65_535), "65535:65535"),
            (DataType::CoreLink, Value::Corelnk("</3/0>"), "</3/0>"),
        ] {
            assert_eq!(read(&resource(data_type), text.as_bytes(), &mut [0; 16]), Ok(value), "{text}");
            if !text.is_empty() {
                check_written(value, text);
            }
        }
    }

    #[test]
    fn other_forms_that_peers_send_are_read() {
        for (data_type, text, value) in [
            (DataType::Integer, "0101", Value::Int(101)),
            (DataType::Float, "1e-3", Value::Float(0.001)),
            (DataType::Float, "5", Value::Float(5.0)),
            (DataType::ObjectLink, "066:00", Value::Link(66, 0)),
            (DataType::ObjectLink, "FFFF:FFFF", Value::Link(65_535, 65_535)),
        ] {
            assert_eq!(read(&resource(data_type), text.as_bytes(), &mut []), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_of_the_type_is_refused() {
        for (data_type, texts) in [
            (DataType::String, &[&b"\xC3\x28"[..]][..]),
            (DataType::CoreLink, &[b"\xFF"]),
            (DataType::Integer, &[b"", b"+1", b" 1", b"1 ", b"1.0", b"9223372036854775808", b"one"]),
            (DataType::UnsignedInteger, &[b"", b"-1", b"18446744073709551616"]),
            (DataType::Time, &[b"", b"2016-10-11"]),
            (DataType::Float, &[b"", b"NaN", b"inf", b"1e400", b"0,5", b".5", b"5."]),
            (DataType::Boolean, &[b"", b"00", b"01", b"2", b"true"]),
            (
                DataType::ObjectLink,
                &[b"", b":", b"66", b"66:", b":0", b"66:0:0", b"65536:0", b"66:-1", b"66,0", b"FFFF:0"],
            ),
            (DataType::Opaque, &[b"A", b"AQIDBAU", b"AQID\n", b"AR=="]),
            (DataType::None, &[b"", b"1"]),
        ] {
            for text in texts {
                let mut scratch = [0; 16];
                let read = read(&resource(data_type), text, &mut scratch);
                assert_eq!(read, Err(DecodeError::Type), "{data_type:?}: {text:?}");
            }
        }
    }

    #[test]
    fn an_opaque_value_needs_room_in_the_scratch() {
        let opaque = resource(DataType::Opaque);
        assert_eq!(read(&opaque, b"AQIDBAU=", &mut [0; 5]), Ok(Value::Opaque(&[1, 2, 3, 4, 5])));
        assert_eq!(read(&opaque, b"AQIDBAU=", &mut [0; 4]), Err(DecodeError::TooLarge));
    }

    #[test]
    fn no_text_stands_for_what_is_no_number() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(write(&mut Output::new(&mut [0; 64]), Value::Float(number)).is_err());
        }
    }
}
