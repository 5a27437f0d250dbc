//! Reads a document: its entries, and their values as those of a definition.

use super::number;
use super::syntax::{Items, is_document, quoted, unescape};
use crate::base::decimal;
use crate::base::definition::{ObjectDef, ResourceDef};
use crate::base::path::{Leaf, Path};
use crate::base::value::{DataType, Sink, Stop, Value};
use crate::format::output::Output;
use crate::format::payload::{DecodeError, Unknown};
use crate::format::values::takes_values;
use crate::format::{Encode, base64, text, tlv};

/// Turns a document for `target` into TLV, which goes to the front of `room`. What TLV can say wrong
/// (ranges, one value where several belong, reserved identifiers) is left to its reader.
///
/// In ascending order, which is how servers send them, all entries take one pass. Otherwise each takes
/// a pass of its own, and a document larger than `room` is too large.
pub(in crate::format) fn to_tlv<'r>(
    target: Path,
    object: &'static ObjectDef,
    unknown: Unknown,
    payload: &[u8],
    room: &'r mut [u8],
) -> Result<&'r [u8], DecodeError> {
    let document = Document::read(payload)?;
    let (mut last, mut ascending) = (None, true);
    for entry in document.entries() {
        let path = entry?.path;
        if !target.contains(path) || path.depth() < 3 {
            return Err(DecodeError::Misplaced);
        }
        ascending &= last.is_none_or(|last| last < path);
        last = Some(path);
    }
    if !ascending && payload.len() > room.len() {
        return Err(DecodeError::TooLarge);
    }
    let mut converter =
        Converter { target, object, unknown, instance: None, multiple: None, tlv: tlv::Writer::new(Output::new(room)) };
    // Nothing at all for a multiple resource is a resource without instances.
    if let (None, Some(resource)) = (last, target.resource_id())
        && object.resource(resource).is_some_and(|resource| resource.multiple)
    {
        converter.enter(0, resource, Some(0))?;
    }
    if ascending {
        document.entries().try_for_each(|entry| converter.put(&entry?))?;
    } else {
        let mut last = None;
        while let Some(entry) = document.smallest_after(last)? {
            converter.put(&entry)?;
            last = Some(entry.path);
        }
    }
    converter.finish()
}

/// A whole document, its entries still unread.
struct Document<'a> {
    /// What is in front of every name, without its quotes.
    base: &'a [u8],
    entries: Items<'a>,
}

impl<'a> Document<'a> {
    fn read(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let start = payload.trim_ascii_start();
        let mut members = Items::new(start, b'{').filter(|_| is_document(payload)).ok_or(DecodeError::Malformed)?;
        let (mut base, mut time, mut entries) = (None, None, None);
        while let (Some(name), Some(value)) = (members.next(), members.next()) {
            match key(name, &mut [0; 2]) {
                b"bn" => once(&mut base, quoted(value))?,
                b"bt" => once(&mut time, is_number(value).then_some(()))?,
                b"e" => once(&mut entries, Items::new(value, b'['))?,
                _ => {}
            }
        }
        Ok(Self { base: base.unwrap_or_default(), entries: entries.ok_or(DecodeError::Malformed)? })
    }

    fn entries(&self) -> impl Iterator<Item = Result<Entry<'a>, DecodeError>> {
        self.entries.clone().map(|entry| Entry::read(self.base, entry))
    }

    /// The entry with the smallest path of those above `last`, which must be the only one with it.
    fn smallest_after(&self, last: Option<Path>) -> Result<Option<Entry<'a>>, DecodeError> {
        let mut smallest: Option<Entry<'a>> = None;
        for entry in self.entries() {
            let entry = entry?;
            let before = smallest.as_ref().map(|smallest| smallest.path);
            if before == Some(entry.path) {
                return Err(DecodeError::Duplicate);
            }
            if last.is_none_or(|last| last < entry.path) && before.is_none_or(|before| entry.path < before) {
                smallest = Some(entry);
            }
        }
        Ok(smallest)
    }
}

/// A value and its place.
struct Entry<'a> {
    path: Path,
    value: Scalar<'a>,
}

/// A value, by the key that it stands under.
#[derive(Clone, Copy)]
enum Scalar<'a> {
    Number(&'a [u8]),
    Bool(bool),
    /// Without its quotes.
    Text(&'a [u8]),
    /// Without its quotes.
    Link(&'a [u8]),
}

impl<'a> Entry<'a> {
    fn read(base: &[u8], entry: &'a [u8]) -> Result<Self, DecodeError> {
        let mut members = Items::new(entry, b'{').ok_or(DecodeError::Malformed)?;
        let (mut own, mut time, mut given) = (None, None, None);
        while let (Some(name), Some(value)) = (members.next(), members.next()) {
            match key(name, &mut [0; 2]) {
                b"n" => once(&mut own, quoted(value))?,
                b"t" => once(&mut time, is_number(value).then_some(()))?,
                b"v" => once(&mut given, is_number(value).then_some(Scalar::Number(value)))?,
                b"bv" => once(&mut given, truth(value).map(Scalar::Bool))?,
                b"sv" => once(&mut given, quoted(value).map(Scalar::Text))?,
                b"ov" => once(&mut given, quoted(value).map(Scalar::Link))?,
                _ => {}
            }
        }
        let path = join(base, own.unwrap_or_default()).ok_or(DecodeError::Misplaced)?;
        Ok(Self { path, value: given.ok_or(DecodeError::Malformed)? })
    }
}

/// Keeps what may be there once. None is a value of another kind than the key wants.
fn once<T>(place: &mut Option<T>, value: Option<T>) -> Result<(), DecodeError> {
    match (place.is_some(), value) {
        (false, Some(value)) => {
            *place = Some(value);
            Ok(())
        }
        _ => Err(DecodeError::Malformed),
    }
}

/// A key as text, or nothing for one that is longer than those that are known.
fn key<'r>(name: &[u8], room: &'r mut [u8; 2]) -> &'r [u8] {
    let mut output = Output::new(room);
    match unescape(quoted(name).unwrap_or_default(), &mut output) {
        Ok(()) => output.into_written(),
        Err(_) => &[],
    }
}

fn is_number(value: &[u8]) -> bool {
    matches!(value, [b'-' | b'0'..=b'9', ..])
}

fn truth(value: &[u8]) -> Option<bool> {
    match value {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// The path that base and name give when one is written behind the other.
fn join(base: &[u8], name: &[u8]) -> Option<Path> {
    // No path is longer than `/65535/65535/65535/65535`.
    let mut room = [0; 24];
    let mut output = Output::new(&mut room);
    unescape(base, &mut output).and_then(|()| unescape(name, &mut output)).ok()?;
    let segments = output.written().strip_prefix(b"/")?;
    Path::from_segments(segments.split(|byte| *byte == b'/')).ok()
}

/// Writes entries in ascending order as TLV.
struct Converter<'r> {
    target: Path,
    object: &'static ObjectDef,
    unknown: Unknown,
    /// The instance that is open: only where the target does not say it.
    instance: Option<u16>,
    /// The multiple resource that is open.
    multiple: Option<u16>,
    tlv: tlv::Writer<'r>,
}

impl<'r> Converter<'r> {
    fn put(&mut self, entry: &Entry<'_>) -> Result<(), DecodeError> {
        let path = entry.path;
        let (Some(instance), Some(resource)) = (path.instance_id(), path.resource_id()) else {
            return Err(DecodeError::Misplaced);
        };
        self.enter(instance, resource, path.resource_instance_id())?;
        let at = Leaf { index: path.resource_instance_id(), ..Leaf::new(self.object.id, instance, resource) };
        match takes_values(self.object, resource) {
            Ok(definition) => self.value(definition, at, entry.value),
            Err(_) if self.unknown == Unknown::Ignore => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Closes what the next value is not in, and opens what it is in.
    fn enter(&mut self, instance: u16, resource: u16, index: Option<u16>) -> Result<(), DecodeError> {
        let wrapped = self.target.depth() < 2;
        let moves = wrapped && self.instance != Some(instance);
        let several = index.map(|_| resource);
        if self.multiple.is_some() && (moves || self.multiple != several) {
            self.multiple = None;
            self.tlv.close().map_err(no_room)?;
        }
        if moves {
            if self.instance.replace(instance).is_some() {
                self.tlv.close().map_err(no_room)?;
            }
            self.tlv.open_instance(instance).map_err(no_room)?;
        }
        if self.multiple != several {
            self.multiple = several;
            self.tlv.open_multiple(resource).map_err(no_room)?;
        }
        Ok(())
    }

    fn value(&mut self, definition: &ResourceDef, at: Leaf, given: Scalar<'_>) -> Result<(), DecodeError> {
        let wrong = DecodeError::Type;
        let value = match (definition.data_type, given) {
            (DataType::Integer, Scalar::Number(text)) => number::signed(text).map(Value::Int),
            (DataType::Time, Scalar::Number(text)) => number::signed(text).map(Value::Time),
            (DataType::UnsignedInteger, Scalar::Number(text)) => number::unsigned(text).map(Value::Uint),
            (DataType::Float, Scalar::Number(text)) => decimal::read_f64(text).map(Value::Float),
            (DataType::Boolean, Scalar::Bool(truth)) => Some(Value::Bool(truth)),
            (DataType::ObjectLink, Scalar::Link(quoted)) => {
                let mut room = [0; 16];
                let mut output = Output::new(&mut room);
                unescape(quoted, &mut output).ok().and_then(|()| text::link(output.written()))
            }
            (DataType::String | DataType::CoreLink, Scalar::Text(quoted)) => {
                return self.tlv.element_with(at, |output| unescape(quoted, output).map_err(no_room));
            }
            (DataType::Opaque, Scalar::Text(quoted)) => {
                return self.tlv.element_with(at, |output| {
                    let start = output.used();
                    unescape(quoted, output).map_err(no_room)?;
                    let length = base64::decode_in_place(output.written_from(start)).ok_or(wrong)?;
                    output.truncate(start.saturating_add(length));
                    Ok(())
                });
            }
            _ => None,
        };
        self.tlv.value(at, value.ok_or(wrong)?).map_err(no_room)
    }

    fn finish(mut self) -> Result<&'r [u8], DecodeError> {
        let open = [self.multiple.is_some(), self.instance.is_some()];
        open.into_iter().filter(|open| *open).try_for_each(|_| self.tlv.close()).map_err(no_room)?;
        Ok(self.tlv.into_written())
    }
}

/// The structure is right, so all that a writer can miss is room.
fn no_room(_: Stop) -> DecodeError {
    DecodeError::TooLarge
}
