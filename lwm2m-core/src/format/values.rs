//! The values of one instance, as a model gets them: borrowed from the payload, and checked.

use core::fmt;

use super::payload::{DecodeError, Unknown};
use super::tlv::{self, Element, Elements, Kind};
use crate::base::definition::{ObjectDef, Range, ResourceDef};
use crate::base::float::in_order;
use crate::base::value::{DataType, Value};

/// One value of a [`Change`](crate::Change).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Given<'a> {
    /// Resource ID.
    pub resource: u16,
    /// Resource Instance ID, for one value of a multiple resource.
    pub index: Option<u16>,
    /// The value: of the type, and in the range, that the definition says.
    pub value: Value<'a>,
}

/// The values that a peer gives one instance, checked against the object's definition.
///
/// They stay in the payload and are read anew by each pass, so keep what you want to keep. The
/// order is the peer's.
///
/// ```
/// use lwm2m_core::{Given, Value, Values};
///
/// let given = [
///     Given { resource: 1, index: None, value: Value::Int(86_400) },
///     Given { resource: 7, index: None, value: Value::Str("U") },
/// ];
/// let values = Values::list(&given);
/// assert_eq!(values.get(7), Some(Value::Str("U")));
/// assert!(values.resources().eq([1, 7]));
/// ```
#[derive(Clone, Copy)]
pub struct Values<'a> {
    all: Rest<'a>,
}

impl<'a> Values<'a> {
    /// No values, as for a Delete.
    #[must_use]
    pub const fn none() -> Self {
        Self::list(&[])
    }

    /// One value of a single resource.
    #[must_use]
    pub const fn of(resource: u16, value: Value<'a>) -> Self {
        Self { all: Rest::One(Some(Given { resource, index: None, value })) }
    }

    /// Values from a list, those of a multiple resource next to each other: for the tests of an
    /// object of your own.
    #[must_use]
    pub const fn list(list: &'a [Given<'a>]) -> Self {
        Self { all: Rest::List(list) }
    }

    /// TLV of resources, still to be [checked](Self::check).
    pub(super) const fn of_resources(object: &'static ObjectDef, bytes: &'a [u8]) -> Self {
        Self { all: Rest::Tlv { object, elements: Elements::new(bytes), inside: None } }
    }

    /// The same of the instances of one multiple resource.
    pub(super) const fn of_instances(
        object: &'static ObjectDef,
        resource: &'static ResourceDef,
        bytes: &'a [u8],
    ) -> Self {
        let inside = Some((resource, Elements::new(bytes)));
        Self { all: Rest::Tlv { object, elements: Elements::new(&[]), inside } }
    }

    /// Holds every value against its definition.
    pub(super) fn check(&self, unknown: Unknown) -> Result<(), DecodeError> {
        let mut values = self.iter();
        while let Some(next) = values.step() {
            match next {
                Err(DecodeError::UnknownResource | DecodeError::NoValues) if unknown == Unknown::Ignore => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Every value, those of a multiple resource one by one.
    #[must_use]
    pub const fn iter(&self) -> ValuesIter<'a> {
        ValuesIter { rest: self.all }
    }

    /// The value of a single resource; the first value of a multiple one.
    #[must_use]
    pub fn get(&self, resource: u16) -> Option<Value<'a>> {
        self.iter().find(|given| given.resource == resource).map(|given| given.value)
    }

    /// Every resource that is named, also a multiple one that is given no values.
    pub fn resources(&self) -> impl Iterator<Item = u16> + use<'a> {
        let mut values = self.iter();
        core::iter::from_fn(move || values.next_resource())
    }

    /// Whether no resource is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources().next().is_none()
    }
}

/// The definition of a resource that takes values.
pub(super) fn takes_values(object: &ObjectDef, resource: u16) -> Result<&'static ResourceDef, DecodeError> {
    match object.resource(resource) {
        None => Err(DecodeError::UnknownResource),
        Some(ResourceDef { data_type: DataType::None, .. }) => Err(DecodeError::NoValues),
        Some(resource) => Ok(resource),
    }
}

/// Walks the values of a [`Values`].
#[derive(Clone)]
pub struct ValuesIter<'a> {
    rest: Rest<'a>,
}

/// Where the values are, as far as a walk has not seen them.
#[derive(Clone, Copy)]
enum Rest<'a> {
    /// Resources; some may be such as the definition lacks.
    Tlv {
        object: &'static ObjectDef,
        elements: Elements<'a>,
        /// The multiple resource that the walk is in.
        inside: Option<(&'static ResourceDef, Elements<'a>)>,
    },
    One(Option<Given<'a>>),
    List(&'a [Given<'a>]),
}

impl<'a> ValuesIter<'a> {
    /// The next value, or what is wrong with it.
    fn step(&mut self) -> Option<Result<Given<'a>, DecodeError>> {
        let (object, elements, inside) = match &mut self.rest {
            Rest::Tlv { object, elements, inside } => (object, elements, inside),
            Rest::One(given) => return given.take().map(Ok),
            Rest::List(list) => return list.split_off_first().copied().map(Ok),
        };
        loop {
            if let Some((resource, instances)) = inside
                && let Some(Element { id, content, .. }) = instances.next()
            {
                let value = value(resource, content);
                return Some(value.map(|value| Given { resource: resource.id, index: Some(id), value }));
            }
            let Element { kind, id, content } = elements.next()?;
            let resource = match takes_values(object, id) {
                Ok(resource) => resource,
                Err(error) => return Some(Err(error)),
            };
            match (kind, resource.multiple) {
                (Kind::Multiple, true) => *inside = Some((resource, Elements::new(content))),
                (Kind::Resource, false) => {
                    let value = value(resource, content);
                    return Some(value.map(|value| Given { resource: id, index: None, value }));
                }
                _ => return Some(Err(DecodeError::Multiplicity)),
            }
        }
    }

    /// The next resource that is named, whatever values it has.
    fn next_resource(&mut self) -> Option<u16> {
        if let Rest::Tlv { object, elements, inside } = &mut self.rest {
            return match inside.take() {
                Some((resource, _)) => Some(resource.id),
                None => elements.map(|element| element.id).find(|id| takes_values(object, *id).is_ok()),
            };
        }
        let resource = self.next()?.resource;
        while self.clone().next().is_some_and(|next| next.resource == resource) {
            self.next();
        }
        Some(resource)
    }
}

impl<'a> Iterator for ValuesIter<'a> {
    type Item = Given<'a>;

    fn next(&mut self) -> Option<Given<'a>> {
        loop {
            // What the object lacks is passed over.
            if let Ok(given) = self.step()? {
                return Some(given);
            }
        }
    }
}

/// The value of a resource that `content` is.
fn value<'a>(resource: &ResourceDef, content: &'a [u8]) -> Result<Value<'a>, DecodeError> {
    let value = tlv::value(resource.data_type, content).ok_or(DecodeError::Type)?;
    in_range(resource, value)
}

/// Holds a value against the range of its resource. A range for another type than the value's
/// says nothing about it; not-a-number is in no range.
pub(super) fn in_range<'a>(resource: &ResourceDef, value: Value<'a>) -> Result<Value<'a>, DecodeError> {
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
    if fits { Ok(value) } else { Err(DecodeError::Range) }
}

impl fmt::Debug for ValuesIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'a> IntoIterator for &Values<'a> {
    type Item = Given<'a>;
    type IntoIter = ValuesIter<'a>;

    fn into_iter(self) -> ValuesIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const LIST: [Given<'_>; 4] = [
        Given { resource: 0, index: None, value: Value::Str("a") },
        Given { resource: 6, index: Some(0), value: Value::Int(1) },
        Given { resource: 6, index: Some(3), value: Value::Int(5) },
        Given { resource: 9, index: None, value: Value::Int(100) },
    ];

    #[test]
    fn a_list_is_seen_as_a_payload_would_be() {
        let values = Values::list(&LIST);
        assert!(values.iter().eq(LIST));
        assert!(values.resources().eq([0, 6, 9]));
        assert_eq!(values.get(6), Some(Value::Int(1)));
        assert_eq!(values.get(7), None);
        assert!(!values.is_empty());
    }

    #[test]
    fn one_value_and_none() {
        let values = Values::of(9, Value::Bool(true));
        assert!(values.resources().eq([9]));
        assert_eq!(values.get(9), Some(Value::Bool(true)));
        assert!(!values.is_empty());
        assert!(Values::none().is_empty());
        assert_eq!(Values::none().iter().count(), 0);
    }

    #[test]
    fn debug_output_shows_the_values() {
        let shown = "[Given { resource: 9, index: None, value: Bool(true) }]";
        assert_eq!(format!("{:?}", Values::of(9, Value::Bool(true))), shown);
    }
}
