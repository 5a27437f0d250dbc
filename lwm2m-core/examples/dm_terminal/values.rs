//! The values in TLV, with their names where the object's definition is known.

use lwm2m_core::{DataModel, DataType, Path};

use crate::decode::{hex, printable};
use crate::terminal;

/// Lists the values of TLV (OMA LwM2M 1.0, 6.4.3); none when the bytes are something else.
pub(crate) fn tlv(
    mut bytes: &[u8],
    object: u16,
    resource: Option<u16>,
    depth: u8,
    values: &mut Vec<String>,
) -> Option<()> {
    while let Some((&kind, rest)) = bytes.split_first() {
        let (id, rest) = rest.split_at_checked(if kind & 0x20 == 0 { 1 } else { 2 })?;
        let (length, rest) = match (kind >> 3) & 3 {
            0 => (usize::from(kind & 7), rest),
            size => {
                let (length, rest) = rest.split_at_checked(size.into())?;
                (usize::try_from(unsigned(length)).ok()?, rest)
            }
        };
        let id = u16::try_from(unsigned(id)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        match kind >> 6 {
            0 if depth == 0 => {
                values.push(format!("instance {id}:"));
                tlv(value, object, None, 1, values)?;
            }
            2 if depth < 2 => tlv(value, object, Some(id), 2, values)?,
            1 => values.push(named(object, resource.unwrap_or_default(), Some(id), value)),
            3 if depth < 2 => values.push(named(object, id, None, value)),
            _ => return None,
        }
    }
    Some(())
}

/// A value with its number, and with its name where the definition is known.
fn named(object: u16, resource: u16, index: Option<u16>, value: &[u8]) -> String {
    let number = index.map_or_else(|| resource.to_string(), |index| format!("{resource}/{index}"));
    let Some((name, data_type, unit)) = definition(object, resource) else {
        return format!("{number} = {}", guessed(value));
    };
    format!("{number} {name} = {}", with_meaning(object, resource, unit, shown(data_type, value)))
}

/// A value in plain text, with its name where the definition is known.
pub(crate) fn text(path: &[u16], value: &str) -> String {
    let (Some(&object), Some(&resource)) = (path.first(), path.get(2)) else { return value.into() };
    match definition(object, resource) {
        Some((_, DataType::None, _)) | None => value.into(),
        Some((name, _, unit)) => format!("{name} = {}", with_meaning(object, resource, unit, value.into())),
    }
}

/// A path, with the name of what is there where that is known.
pub(crate) fn named_path(path: Path) -> String {
    let objects = terminal::objects();
    let name = match *path.levels() {
        [object] | [object, _] => objects.object(object).map(|object| object.name),
        [object, _, resource, ..] => definition(object, resource).map(|(name, ..)| name),
        _ => None,
    };
    name.map_or_else(|| path.to_string(), |name| format!("{path} ({name})"))
}

/// A value with its unit, or with what its number stands for.
fn with_meaning(object: u16, resource: u16, unit: &str, value: String) -> String {
    let meaning = match (object, resource, value.as_str()) {
        (0, 2, "0") => "pre-shared key",
        (0, 2, "3") => "none",
        (4, 0 | 1, "6") => "LTE-FDD",
        (4, 0 | 1, "7") => "NB-IoT",
        (5, 3, "0") => "idle",
        (5, 3, "1") => "downloading",
        (5, 3, "2") => "downloaded",
        (5, 3, "3") => "updating",
        (5, 5, "0") => "initial",
        (5, 5, "1") => "updated",
        (5, 5, _) => "failed",
        (5, 8, "0") => "CoAP",
        (5, 9, "2") => "pull and push",
        _ if unit.is_empty() => return value,
        _ => return format!("{value} {unit}"),
    };
    format!("{value} ({meaning})")
}

/// The type of what is nobody's business.
const SECRET: DataType = DataType::None;

/// Name, type and unit of a resource: the terminal's own definitions, and what a bootstrap writes.
fn definition(object: u16, resource: u16) -> Option<(&'static str, DataType, &'static str)> {
    Some(match (object, resource) {
        (0, 0) => ("Server URI", DataType::String, ""),
        (0, 1) => ("Bootstrap Server", DataType::Boolean, ""),
        (0, 2) => ("Security Mode", DataType::Integer, ""),
        (0, 3) => ("Identity", SECRET, ""),
        (0, 4) => ("Server Key", SECRET, ""),
        (0, 5) => ("Secret Key", SECRET, ""),
        (0, 10) => ("Short Server ID", DataType::Integer, ""),
        (0, 11) => ("Hold Off Time", DataType::Integer, "s"),
        (1, 0) => ("Short Server ID", DataType::Integer, ""),
        (1, 1) => ("Lifetime", DataType::Integer, "s"),
        (1, 2) => ("Minimum Period", DataType::Integer, "s"),
        (1, 3) => ("Maximum Period", DataType::Integer, "s"),
        (1, 6) => ("Notification Storing", DataType::Boolean, ""),
        (1, 7) => ("Binding", DataType::String, ""),
        // The definition has percent, which a network's code is not.
        (4, 9) => ("SMNC", DataType::Integer, ""),
        (5, 8) => ("Protocol Support", DataType::Integer, ""),
        (5, 9) => ("Delivery Method", DataType::Integer, ""),
        _ => {
            let objects = terminal::objects();
            let found = objects.object(object)?.resource(resource)?;
            (found.name, found.data_type, found.unit)
        }
    })
}

fn shown(data_type: DataType, value: &[u8]) -> String {
    match (data_type, value) {
        (DataType::String, _) => format!("\"{}\"", printable(value)),
        (DataType::Integer, [_, ..]) if value.len() <= 8 => signed(value).to_string(),
        (DataType::Float, &[a, b, c, d]) => f32::from_be_bytes([a, b, c, d]).to_string(),
        (DataType::Float, &[a, b, c, d, e, f, g, h]) => f64::from_be_bytes([a, b, c, d, e, f, g, h]).to_string(),
        (DataType::Time, [_, ..]) if value.len() <= 8 => date(signed(value)),
        (DataType::Boolean, [0]) => "no".into(),
        (DataType::Boolean, [1]) => "yes".into(),
        (DataType::ObjectLink, [a, b, c, d]) => format!("/{}/{}", unsigned(&[*a, *b]), unsigned(&[*c, *d])),
        (SECRET, []) => "none".into(),
        (SECRET, _) => format!("{} bytes, not shown", value.len()),
        _ => shortened(value),
    }
}

/// A value of unknown type: text if it looks like text.
fn guessed(value: &[u8]) -> String {
    match core::str::from_utf8(value) {
        Ok(text) if !text.is_empty() && !text.contains(char::is_control) => format!("\"{text}\""),
        _ => shortened(value),
    }
}

/// Bytes in hexadecimal, or the first of them.
pub(crate) fn shortened(bytes: &[u8]) -> String {
    const SHOWN: usize = 8;
    match bytes.get(..SHOWN) {
        Some(first) if bytes.len() > 2 * SHOWN => format!("{}… ({} of them)", hex(first), bytes.len()),
        _ => hex(bytes),
    }
}

/// Seconds since 1970 as a date, in the Gregorian calendar from 1970 to 2099.
fn date(seconds: i64) -> String {
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    if !(0..47_482).contains(&days) {
        return format!("{seconds} s since 1970");
    }
    let mut year = 1970;
    while days >= 365 + i64::from(year % 4 == 0) {
        days -= 365 + i64::from(year % 4 == 0);
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + i64::from(year % 4 == 0), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year}-{month:02}-{:02} {hour:02}:{minute:02}:{second:02}", days + 1)
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn signed(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| *byte >= 0x80) { -1 } else { 0 };
    bytes.iter().fold(sign, |sum, byte| (sum << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(object: u16, bytes: &[u8]) -> String {
        let mut values = Vec::new();
        tlv(bytes, object, None, 0, &mut values).unwrap();
        values.join("; ")
    }

    #[test]
    fn values_have_their_names_and_types() {
        for (object, bytes, words) in [
            (3, &b"\xc1\x09\x50"[..], "9 Battery Level = 80 %"),
            (4, b"\xc1\x02\x9f\xc1\x09\x00", "2 Radio Signal Strength = -97 dBm; 9 SMNC = 0"),
            (5, b"\xc1\x03\x02\xc1\x05\x01", "3 State = 2 (downloaded); 5 Update Result = 1 (updated)"),
            (30_000, b"\xc4\x04\x3f\xc0\0\0\xc4\x07\0\x03\0\0", "4 Rate = 1.5 1/h; 7 Part = /3/0"),
            (30_000, b"\x83\x05\x41\0\x64", "5/0 Service Intervals = 100 h"),
            (31_000, b"\xc2\x01\xff\x00\xc2\x02ab", "1 = ff00; 2 = \"ab\""),
        ] {
            assert_eq!(told(object, bytes), words);
        }
    }

    #[test]
    fn a_path_has_the_name_of_what_is_there() {
        for (path, words) in [
            (Path::ROOT, "/"),
            (Path::resource(3, 0, 12), "/3/0/12 (Reset Error Code)"),
            (Path::instance(30_000, 1), "/30000/1 (Hour Meter)"),
            (Path::instance(9, 0), "/9/0"),
        ] {
            assert_eq!(named_path(path), words);
        }
    }

    #[test]
    fn many_bytes_are_shortened() {
        assert_eq!(shortened(&[0xab; 4]), "abababab");
        assert_eq!(shortened(&[0xab; 256]), "abababababababab… (256 of them)");
    }
}
