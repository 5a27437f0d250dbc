//! Writes a document, entry by entry.

use crate::base::decimal;
use crate::base::path::{Leaf, Path};
use crate::base::value::{Sink, Stop, Value};
use crate::format::output::Output;
use crate::format::{Encode, FAILED, base64, text};

/// Writes an entry for each value. The structure around them is in their names.
#[derive(Debug)]
pub(crate) struct Writer<'b> {
    output: Output<'b>,
    /// What all names have in common: the path of the request.
    base: Path,
}

impl<'b> Writer<'b> {
    pub(in crate::format) const fn new(base: Path, output: Output<'b>) -> Self {
        Self { output, base }
    }

    pub(in crate::format) fn finish(mut self) -> Result<usize, Stop> {
        // Nothing has no base name.
        self.output.put(if self.output.used() == 0 { br#"{"e":[]}"# } else { b"]}" })?;
        Ok(self.output.used())
    }

    /// Begins the entry of a value, up to the value: `{"n":"0","sv":"`
    fn begin(&mut self, at: Leaf, key: &str) -> Result<(), Stop> {
        let path = at.path();
        let name = path.levels().strip_prefix(self.base.levels()).ok_or(FAILED)?;
        let output = &mut self.output;
        if output.used() == 0 {
            output.put(br#"{"bn":""#)?;
            for id in self.base.levels() {
                output.put(b"/")?;
                put_id(output, *id)?;
            }
            output.put(if name.is_empty() { br#"","e":["# } else { br#"/","e":["# })?;
        } else {
            output.put(b",")?;
        }
        output.put(b"{")?;
        if let Some((first, rest)) = name.split_first() {
            output.put(br#""n":""#)?;
            put_id(output, *first)?;
            for id in rest {
                output.put(b"/")?;
                put_id(output, *id)?;
            }
            output.put(br#"","#)?;
        }
        output.put(key.as_bytes())
    }
}

fn put_id(output: &mut Output<'_>, id: u16) -> Result<(), Stop> {
    output.put_with(|room| decimal::write_u64(id.into(), room))
}

/// Puts text as it stands between the quotes of a string.
fn escape(output: &mut Output<'_>, text: &str) -> Result<(), Stop> {
    text.bytes().try_for_each(|byte| match byte {
        b'"' | b'\\' => output.put(&[b'\\', byte]),
        0..0x20 => output.put(&[b'\\', b'u', b'0', b'0', b'0' | byte >> 4, hex_digit(byte & 0x0F)]),
        _ => output.put(&[byte]),
    })
}

fn hex_digit(number: u8) -> u8 {
    number.saturating_add(if number < 10 { b'0' } else { b'a' - 10 })
}

impl Sink for Writer<'_> {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        let key = match value {
            Value::Str(_) | Value::Corelnk(_) | Value::Opaque(_) => r#""sv":""#,
            Value::Link(..) => r#""ov":""#,
            Value::Bool(_) => r#""bv":"#,
            Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Time(_) => r#""v":"#,
        };
        self.begin(at, key)?;
        match value {
            Value::Str(text) | Value::Corelnk(text) => escape(&mut self.output, text)?,
            Value::Bool(truth) => self.output.put(if truth { b"true" } else { b"false" })?,
            value => text::write(&mut self.output, value)?,
        }
        self.output.put(if key.ends_with(':') { b"}" } else { br#""}"# })
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.begin(at, r#""sv":""#)?;
        base64::encode_from(&mut self.output, len, fill)?;
        self.output.put(br#""}"#)
    }
}

impl Encode for Writer<'_> {
    fn open_instance(&mut self, _: u16) -> Result<(), Stop> {
        Ok(())
    }

    fn open_multiple(&mut self, _: u16) -> Result<(), Stop> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANCE: Path = Path::instance(3, 0);
    const AT: Leaf = Leaf::new(3, 0, 7);

    #[track_caller]
    fn check(base: Path, values: &[(Leaf, Value<'_>)], json: &str) {
        let write = |room: &mut [u8]| {
            let mut writer = Writer::new(base, Output::new(room));
            values.iter().try_for_each(|(at, value)| writer.value(*at, *value))?;
            writer.finish()
        };
        let mut room = [0; 512];
        let length = write(&mut room).unwrap();
        assert_eq!(str::from_utf8(&room[..length]), Ok(json));
        for room in 0..length {
            assert_eq!(write(&mut [0; 512][..room]), Err(FAILED), "{room} bytes");
        }
    }

    #[test]
    fn the_examples_of_the_standard_come_out_as_they_are_printed() {
        let one = Leaf::new(3, 0, 0);
        let maker = Value::Str("Open Mobile Alliance");
        check(
            INSTANCE,
            &[
                (one, maker),
                (Leaf::new(3, 0, 6).at(0), Value::Int(1)),
                (Leaf::new(3, 0, 6).at(1), Value::Int(5)),
                (Leaf::new(3, 0, 13), Value::Time(1_367_491_215)),
                (Leaf::new(3, 0, 16), Value::Str("U")),
            ],
            r#"{"bn":"/3/0/","e":[{"n":"0","sv":"Open Mobile Alliance"},{"n":"6/0","v":1},{"n":"6/1","v":5},{"n":"13","v":1367491215},{"n":"16","sv":"U"}]}"#,
        );
        check(one.path(), &[(one, maker)], r#"{"bn":"/3/0/0","e":[{"sv":"Open Mobile Alliance"}]}"#);
    }

    #[test]
    fn names_are_what_the_request_left_open() {
        let six = Leaf::new(3, 0, 6);
        let values = [(six.at(0), Value::Int(1)), (six.at(300), Value::Int(5))];
        check(six.path(), &values, r#"{"bn":"/3/0/6/","e":[{"n":"0","v":1},{"n":"300","v":5}]}"#);
        check(six.at(0).path(), &values[..1], r#"{"bn":"/3/0/6/0","e":[{"v":1}]}"#);
        check(Path::object(3), &values[1..], r#"{"bn":"/3/","e":[{"n":"0/6/300","v":5}]}"#);
        check(Path::ROOT, &values[1..], r#"{"bn":"/","e":[{"n":"3/0/6/300","v":5}]}"#);
        for base in [Path::ROOT, Path::object(3), INSTANCE, six.path()] {
            check(base, &[], r#"{"e":[]}"#);
        }
        for base in [Path::object(4), Path::instance(3, 1), Path::resource(3, 0, 9), six.at(1).path()] {
            assert_eq!(Writer::new(base, Output::new(&mut [0; 64])).value(six.at(0), Value::Int(1)), Err(FAILED));
        }
    }

    #[test]
    fn every_type_has_its_key() {
        for (value, json) in [
            (Value::Str(""), r#""sv":"""#),
            (Value::Str("gr\u{fc}n \u{1f600}/\u{7f}"), "\"sv\":\"gr\u{fc}n \u{1f600}/\u{7f}\""),
            (Value::Str("\"\\\0\n\u{1f}"), r#""sv":"\"\\\u0000\u000a\u001f""#),
            (Value::Corelnk("</3>;x=\"1\""), r#""sv":"</3>;x=\"1\"""#),
            (Value::Int(i64::MIN), r#""v":-9223372036854775808"#),
            (Value::Uint(u64::MAX), r#""v":18446744073709551615"#),
            (Value::Float(-43.5723), r#""v":-43.5723"#),
            (Value::Float(6.667e-11), r#""v":0.00000000006667"#),
            (Value::Float(2.0), r#""v":2"#),
            (Value::Bool(true), r#""bv":true"#),
            (Value::Bool(false), r#""bv":false"#),
            (Value::Opaque(&[1, 2, 3, 4, 5]), r#""sv":"AQIDBAU=""#),
            (Value::Time(-1), r#""v":-1"#),
            (Value::Link(66, 0), r#""ov":"66:0""#),
            (Value::Link(65_535, 65_535), r#""ov":"65535:65535""#),
        ] {
            let json = std::format!(r#"{{"bn":"/3/0/7","e":[{{{json}}}]}}"#);
            check(AT.path(), &[(AT, value)], &json);
        }
    }

    #[test]
    fn what_is_no_number_cannot_be_written() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Writer::new(INSTANCE, Output::new(&mut [0; 64])).value(AT, Value::Float(number)), Err(FAILED));
        }
    }

    #[test]
    fn bytes_that_are_made_on_the_way_are_the_same() {
        let mut room = [0; 64];
        let mut writer = Writer::new(INSTANCE, Output::new(&mut room));
        writer.opaque(AT, 5, &mut |_, window| window.copy_from_slice(&[1, 2, 3, 4, 5])).unwrap();
        let length = writer.finish().unwrap();
        assert_eq!(&room[..length], br#"{"bn":"/3/0/","e":[{"n":"7","sv":"AQIDBAU="}]}"#);
    }
}
