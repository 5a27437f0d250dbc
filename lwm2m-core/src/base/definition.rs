//! Object definitions as constant tables: what OMA's XML files say, in Rust.

use super::value::DataType;

/// What an object is, and which resources it may have (OMA LwM2M 1.0, 6 and Appendix D).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectDef {
    /// Object ID.
    pub id: u16,
    /// The object's name.
    pub name: &'static str,
    /// Major and minor version of the object, `(1, 0)` unless its definition says otherwise.
    pub version: (u8, u8),
    /// Whether there may be instances besides 0.
    pub multiple: bool,
    /// Whether every client has it.
    pub mandatory: bool,
    /// The resources, in ascending order of their ids.
    pub resources: &'static [ResourceDef],
}

impl ObjectDef {
    /// An optional object of one instance, version 1.0. Its resources must be in ascending order of
    /// their ids: a constant that is not does not compile.
    ///
    /// # Panics
    /// When the resources are not in ascending order.
    #[must_use]
    pub const fn new(id: u16, name: &'static str, resources: &'static [ResourceDef]) -> Self {
        let mut rest = resources;
        while let [first, after @ ..] = rest {
            if let [second, ..] = after {
                assert!(first.id < second.id, "resources must be in ascending order of their ids");
            }
            rest = after;
        }
        Self { id, name, version: (1, 0), multiple: false, mandatory: false, resources }
    }

    /// The same, with as many instances as there may be.
    #[must_use]
    pub const fn multiple(self) -> Self {
        Self { multiple: true, ..self }
    }

    /// The same, mandatory.
    #[must_use]
    pub const fn mandatory(self) -> Self {
        Self { mandatory: true, ..self }
    }

    /// The same, in another version.
    #[must_use]
    pub const fn version(self, major: u8, minor: u8) -> Self {
        Self { version: (major, minor), ..self }
    }

    /// The definition of a resource of this object.
    #[must_use]
    pub fn resource(&self, id: u16) -> Option<&'static ResourceDef> {
        // Most objects number their resources from 0 on, without a gap.
        if let Some(resource) = self.resources.get(usize::from(id))
            && resource.id == id
        {
            return Some(resource);
        }
        let at = self.resources.binary_search_by_key(&id, |resource| resource.id).ok()?;
        self.resources.get(at)
    }
}

/// What a resource is (OMA LwM2M 1.0, Appendix D.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResourceDef {
    /// Resource ID.
    pub id: u16,
    /// The resource's name.
    pub name: &'static str,
    /// What a server may do with it.
    pub operations: Operations,
    /// Whether it holds several values, each at a Resource Instance ID.
    pub multiple: bool,
    /// Whether every instance of the object has it.
    pub mandatory: bool,
    /// The type of its values.
    pub data_type: DataType,
    /// Which values are allowed.
    pub range: Range,
    /// The unit of its values, empty when there is none.
    pub unit: &'static str,
}

impl ResourceDef {
    /// An optional resource of one value, without range and unit.
    #[must_use]
    pub const fn new(id: u16, name: &'static str, operations: Operations, data_type: DataType) -> Self {
        Self { id, name, operations, multiple: false, mandatory: false, data_type, range: Range::Any, unit: "" }
    }

    /// The same, mandatory.
    #[must_use]
    pub const fn mandatory(self) -> Self {
        Self { mandatory: true, ..self }
    }

    /// The same, with several values.
    #[must_use]
    pub const fn multiple(self) -> Self {
        Self { multiple: true, ..self }
    }

    /// The same, with a range, which must be one for its data type, and not empty: a constant for which that does not
    /// hold does not compile.
    ///
    /// ```compile_fail,E0080
    /// # use lwm2m_core::{DataType, Operations, Range, ResourceDef};
    /// const LEVEL: ResourceDef =
    ///     ResourceDef::new(0, "Level", Operations::RW, DataType::Integer).range(Range::Length(0, 3));
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use lwm2m_core::{DataType, Operations, Range, ResourceDef};
    /// const LEVEL: ResourceDef =
    ///     ResourceDef::new(0, "Level", Operations::RW, DataType::Integer).range(Range::Integer(10, 3));
    /// ```
    ///
    /// # Panics
    /// When the range is one for another data type, or empty.
    #[must_use]
    pub const fn range(self, range: Range) -> Self {
        assert!(range.is_one_for(self.data_type), "the range is one for another data type");
        assert!(range.has_a_value(), "the range is empty");
        Self { range, ..self }
    }

    /// The same, with a unit.
    #[must_use]
    pub const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }
}

/// The same resources, some of them with another range: a constant that names one which is not there
/// does not compile.
pub(crate) const fn with_ranges<const N: usize>(
    mut resources: [ResourceDef; N],
    mut ranges: &[(u16, Range)],
) -> [ResourceDef; N] {
    while let [(id, range), others @ ..] = ranges {
        let (mut found, mut rest): (bool, &mut [ResourceDef]) = (false, &mut resources);
        while let [first, after @ ..] = rest {
            if first.id == *id {
                (*first, found) = (first.range(*range), true);
            }
            rest = after;
        }
        assert!(found, "no resource has this id");
        ranges = others;
    }
    resources
}

/// The operations that a server may perform on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operations {
    /// Only the bootstrap interface may write it; nobody may read it.
    Bootstrap,
    /// Read.
    R,
    /// Write.
    W,
    /// Read and write.
    RW,
    /// Execute.
    E,
}

impl Operations {
    /// Whether a server may read the resource.
    #[must_use]
    pub const fn readable(self) -> bool {
        matches!(self, Self::R | Self::RW)
    }

    /// Whether a server may write the resource.
    #[must_use]
    pub const fn writable(self) -> bool {
        matches!(self, Self::W | Self::RW)
    }

    /// Whether a server may execute the resource.
    #[must_use]
    pub const fn executable(self) -> bool {
        matches!(self, Self::E)
    }
}

/// The values that servers may write to a resource, besides what its type says. What the device itself gives is not held
/// against it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Every value of the type.
    Any,
    /// Integers and times from the first to the second, both included.
    Integer(i64, i64),
    /// Floats from the first to the second, both included.
    Float(f64, f64),
    /// Strings, CoRE links and opaque values of so many bytes, both included.
    Length(usize, usize),
}

impl Range {
    const fn is_one_for(self, data_type: DataType) -> bool {
        match self {
            Self::Any => true,
            Self::Integer(..) => {
                matches!(data_type, DataType::Integer | DataType::UnsignedInteger | DataType::Time)
            }
            Self::Float(..) => matches!(data_type, DataType::Float),
            Self::Length(..) => matches!(data_type, DataType::String | DataType::Opaque | DataType::CoreLink),
        }
    }

    /// Whether there is a value in it: not where a bound is not a number.
    const fn has_a_value(self) -> bool {
        match self {
            Self::Any => true,
            Self::Integer(low, high) => low <= high,
            Self::Float(low, high) => low <= high,
            Self::Length(low, high) => low <= high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const fn integer(id: u16) -> ResourceDef {
        ResourceDef::new(id, "", Operations::R, DataType::Integer)
    }

    #[test]
    fn a_definition_says_what_it_was_told_and_nothing_else() {
        let plain = integer(7);
        assert_eq!((plain.multiple, plain.mandatory, plain.range, plain.unit), (false, false, Range::Any, ""));
        assert_eq!(plain.unit("V"), ResourceDef { unit: "V", ..plain });
        assert_eq!(plain.multiple(), ResourceDef { multiple: true, ..plain });
        assert_eq!(plain.mandatory(), ResourceDef { mandatory: true, ..plain });
        assert_eq!(plain.range(Range::Integer(0, 1)), ResourceDef { range: Range::Integer(0, 1), ..plain });
    }

    #[test]
    fn an_object_too() {
        static ONE: [ResourceDef; 1] = [integer(0)];
        let plain = ObjectDef::new(30_000, "Pump", &ONE);
        assert_eq!((plain.multiple, plain.mandatory, plain.version), (false, false, (1, 0)));
        assert_eq!(plain.multiple(), ObjectDef { multiple: true, ..plain });
        assert_eq!(plain.mandatory(), ObjectDef { mandatory: true, ..plain });
        assert_eq!(plain.version(2, 1), ObjectDef { version: (2, 1), ..plain });
    }

    #[test]
    fn only_the_resources_that_are_named_get_another_range() {
        let ranges = [(4, Range::Integer(0, 6)), (9, Range::Integer(1, 2))];
        let [first, second, third] = with_ranges([integer(0), integer(4), integer(9)], &ranges);
        assert_eq!(first, integer(0));
        assert_eq!(second, integer(4).range(Range::Integer(0, 6)));
        assert_eq!(third, integer(9).range(Range::Integer(1, 2)));
    }

    #[test]
    fn a_range_is_one_for_its_data_types_and_has_a_value() {
        use DataType::{Boolean, CoreLink, Float, Integer, None, ObjectLink, Opaque, String, Time, UnsignedInteger};
        let types = [Boolean, CoreLink, Float, Integer, None, ObjectLink, Opaque, String, Time, UnsignedInteger];
        for (range, fits) in [
            (Range::Any, &types[..]),
            (Range::Integer(3, 3), &[Integer, Time, UnsignedInteger]),
            (Range::Float(0.0, 0.5), &[Float]),
            (Range::Length(0, 3), &[CoreLink, Opaque, String]),
        ] {
            let taken: Vec<_> = types.into_iter().filter(|data_type| range.is_one_for(*data_type)).collect();
            assert_eq!(taken, fits, "{range:?}");
            assert!(range.has_a_value(), "{range:?}");
        }
        for empty in [Range::Integer(4, 3), Range::Float(0.5, 0.0), Range::Float(0.0, f64::NAN), Range::Length(1, 0)] {
            assert!(!empty.has_a_value(), "{empty:?}");
        }
    }

    #[test]
    #[should_panic(expected = "the range is one for another data type")]
    fn a_range_for_another_data_type_is_a_mistake() {
        let _ = integer(0).range(Range::Length(0, 3));
    }

    #[test]
    #[should_panic(expected = "the range is empty")]
    fn a_range_without_a_value_is_a_mistake() {
        let _ = integer(0).range(Range::Integer(10, 3));
    }

    #[test]
    #[should_panic(expected = "no resource has this id")]
    fn a_range_for_a_resource_that_is_not_there_is_a_mistake() {
        with_ranges([integer(0)], &[(1, Range::Any)]);
    }
}
