//! Reads elements, and the values in them.

use super::{Kind, Level, WIDE_ID};
use crate::base::float::from_single;
use crate::base::value::{DataType, Value};
use crate::format::distinct::has_duplicate;
use crate::format::payload::DecodeError;

/// One element, its content still unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) struct Element<'a> {
    pub(in crate::format) kind: Kind,
    pub(in crate::format) id: u16,
    pub(in crate::format) content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element of `bytes`, and what comes behind it; `None` when it is cut short.
    pub(in crate::format) fn split_first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&head, rest) = bytes.split_first()?;
        let (id, rest) = number(rest, if head & WIDE_ID == 0 { 1 } else { 2 })?;
        let (length, rest) = match (head >> 3) & 0b11 {
            0 => (u32::from(head & 0b111), rest),
            width => number(rest, usize::from(width))?,
        };
        let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        Some((Self { kind: Kind::from_type_byte(head), id: u16::try_from(id).ok()?, content }, rest))
    }
}

/// A big endian number of up to four bytes.
fn number(bytes: &[u8], width: usize) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_at_checked(width)?;
    Some((number.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)), rest))
}

/// Walks the elements of one level. Ends at one that is cut short, which [`structure`] refuses.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(in crate::format) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (element, rest) = Element::split_first(self.rest)?;
        self.rest = rest;
        Some(element)
    }
}

/// Checks everything that needs no definition: no element is cut short, kinds stand where they
/// may, and no identifier occurs twice in one place. Gives the kind of elements at the top;
/// nothing at all counts as no resources.
pub(in crate::format) fn structure(bytes: &[u8]) -> Result<Level, DecodeError> {
    let top = Elements::new(bytes).next().map_or(Level::Resources, |first| first.kind.level());
    walk(bytes, top)?;
    Ok(top)
}

/// Checks the elements of one level, and those that they contain: there are three levels at most.
fn walk(bytes: &[u8], level: Level) -> Result<(), DecodeError> {
    let mut elements = Elements::new(bytes);
    for element in elements.by_ref() {
        if element.kind.level() != level {
            return Err(DecodeError::Malformed);
        }
        match element.kind {
            Kind::Instance => walk(element.content, Level::Resources)?,
            Kind::Multiple => walk(element.content, Level::ResourceInstances)?,
            Kind::Resource | Kind::ResourceInstance => {}
        }
    }
    if !elements.rest.is_empty() {
        return Err(DecodeError::Malformed);
    }
    if has_duplicate(Elements::new(bytes).map(|element| element.id)) { Err(DecodeError::Duplicate) } else { Ok(()) }
}

/// The value that `content` has in a resource of `data_type`: `None` for a length, a Boolean or a
/// text that the type does not allow (OMA LwM2M 1.0, Appendix C).
pub(in crate::format) fn value(data_type: DataType, content: &[u8]) -> Option<Value<'_>> {
    Some(match data_type {
        DataType::String => Value::Str(core::str::from_utf8(content).ok()?),
        DataType::Integer => Value::Int(signed(content)?),
        DataType::UnsignedInteger => Value::Uint(unsigned(content)?),
        DataType::Float => Value::Float(float(content)?),
        DataType::Boolean => match content {
            [0] => Value::Bool(false),
            [1] => Value::Bool(true),
            _ => return None,
        },
        DataType::Opaque => Value::Opaque(content),
        DataType::Time => Value::Time(signed(content)?),
        DataType::ObjectLink => match *content {
            [a, b, c, d] => Value::Link(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
            _ => return None,
        },
        DataType::CoreLink => Value::Corelnk(core::str::from_utf8(content).ok()?),
        DataType::None => return None,
    })
}

/// Two's complement of any width that an integer may have, also a wider one than it needs.
fn signed(content: &[u8]) -> Option<i64> {
    Some(match *content {
        [a] => i8::from_be_bytes([a]).into(),
        [a, b] => i16::from_be_bytes([a, b]).into(),
        [a, b, c, d] => i32::from_be_bytes([a, b, c, d]).into(),
        _ => i64::from_be_bytes(content.try_into().ok()?),
    })
}

fn unsigned(content: &[u8]) -> Option<u64> {
    Some(match *content {
        [a] => a.into(),
        [a, b] => u16::from_be_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_be_bytes([a, b, c, d]).into(),
        _ => u64::from_be_bytes(content.try_into().ok()?),
    })
}

fn float(content: &[u8]) -> Option<f64> {
    Some(match *content {
        [a, b, c, d] => from_single(u32::from_be_bytes([a, b, c, d])),
        _ => f64::from_be_bytes(content.try_into().ok()?),
    })
}
