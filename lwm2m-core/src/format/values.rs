//! The values of one instance, as a model gets them: borrowed from the payload, and checked.

use core::fmt;

use super::tlv::{self, Elements, Kind};
use crate::base::definition::{ObjectDef, ResourceDef};
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
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    /// TLV of resources; some may be such as the definition lacks.
    Resources {
        object: &'static ObjectDef,
        bytes: &'a [u8],
    },
    /// TLV of the instances of one multiple resource.
    Instances {
        resource: &'static ResourceDef,
        bytes: &'a [u8],
    },
    One(Given<'a>),
    List(&'a [Given<'a>]),
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
        Self::one(Given { resource, index: None, value })
    }

    /// Values from a list, those of a multiple resource next to each other: for the tests of an
    /// object of your own.
    #[must_use]
    pub const fn list(list: &'a [Given<'a>]) -> Self {
        Self { source: Source::List(list) }
    }

    /// One value, of a single resource or at one index of a multiple one.
    pub(super) const fn one(given: Given<'a>) -> Self {
        Self { source: Source::One(given) }
    }

    /// TLV of resources that was held against `object`.
    pub(super) const fn of_resources(object: &'static ObjectDef, bytes: &'a [u8]) -> Self {
        Self { source: Source::Resources { object, bytes } }
    }

    /// TLV of resource instances that was held against `resource`.
    pub(super) const fn of_instances(resource: &'static ResourceDef, bytes: &'a [u8]) -> Self {
        Self { source: Source::Instances { resource, bytes } }
    }

    /// Every value, those of a multiple resource one by one.
    #[must_use]
    pub const fn iter(&self) -> ValuesIter<'a> {
        let rest = match self.source {
            Source::Resources { object, bytes } => {
                Rest::Resources { object, elements: Elements::new(bytes), inside: None }
            }
            Source::Instances { resource, bytes } => Rest::Instances { resource, elements: Elements::new(bytes) },
            Source::One(given) => Rest::One(Some(given)),
            Source::List(list) => Rest::List(list),
        };
        ValuesIter { rest }
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

/// The definition of a resource, unless the object lacks it or it can only be executed.
pub(super) fn takes_values(object: &ObjectDef, resource: u16) -> Option<&'static ResourceDef> {
    object.resource(resource).filter(|resource| resource.data_type != DataType::None)
}

/// Walks the values of a [`Values`].
#[derive(Clone)]
pub struct ValuesIter<'a> {
    rest: Rest<'a>,
}

#[derive(Clone)]
enum Rest<'a> {
    Resources {
        object: &'static ObjectDef,
        elements: Elements<'a>,
        /// The multiple resource that the walk is in.
        inside: Option<(&'static ResourceDef, Elements<'a>)>,
    },
    Instances {
        resource: &'static ResourceDef,
        elements: Elements<'a>,
    },
    One(Option<Given<'a>>),
    List(&'a [Given<'a>]),
}

impl ValuesIter<'_> {
    /// The next resource that is named, whatever values it has.
    fn next_resource(&mut self) -> Option<u16> {
        match &mut self.rest {
            Rest::Resources { object, elements, .. } => loop {
                let id = elements.next()?.id;
                if takes_values(object, id).is_some() {
                    return Some(id);
                }
            },
            Rest::Instances { resource, .. } => {
                let id = resource.id;
                self.rest = Rest::List(&[]);
                Some(id)
            }
            Rest::One(given) => given.take().map(|given| given.resource),
            Rest::List(list) => {
                let id = list.split_off_first()?.resource;
                while list.first().is_some_and(|next| next.resource == id) {
                    list.split_off_first();
                }
                Some(id)
            }
        }
    }
}

impl<'a> Iterator for ValuesIter<'a> {
    type Item = Given<'a>;

    fn next(&mut self) -> Option<Given<'a>> {
        match &mut self.rest {
            Rest::Resources { object, elements, inside } => loop {
                if let Some((resource, instances)) = inside
                    && let Some(given) = next_instance(resource, instances)
                {
                    return Some(given);
                }
                let element = elements.next()?;
                let Some(resource) = takes_values(object, element.id) else { continue };
                if element.kind == Kind::Multiple {
                    *inside = Some((resource, Elements::new(element.content)));
                } else {
                    let value = tlv::value(resource.data_type, element.content)?;
                    return Some(Given { resource: resource.id, index: None, value });
                }
            },
            Rest::Instances { resource, elements } => next_instance(resource, elements),
            Rest::One(given) => given.take(),
            Rest::List(list) => list.split_off_first().copied(),
        }
    }
}

fn next_instance<'a>(resource: &ResourceDef, instances: &mut Elements<'a>) -> Option<Given<'a>> {
    let element = instances.next()?;
    let value = tlv::value(resource.data_type, element.content)?;
    Some(Given { resource: resource.id, index: Some(element.id), value })
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
