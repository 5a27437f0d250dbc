//! What [`object!`](crate::object!) has the compiler check: that each line of a binding fits the definition.
//!
//! A panic in a constant would be shown at the whole of the macro, and name no line. So the rule that a line breaks is
//! a number, and [`Fit`] of that number wants what the line binds to have a trait that nothing has, and that says what
//! is wrong. What it is asked of is a variable named as the line's own word: there the compiler points.
//!
//! A resource that servers only read:
//!
//! ```
//! # use lwm2m_core::{Args, Ctx, DataType, ObjectDef, Operations, Refusal, ResourceDef, object};
//! # static PUMP: ObjectDef =
//! #     ObjectDef::new(30_000, "Pump", &[ResourceDef::new(0, "", Operations::R, DataType::Integer)]);
//! # struct Pump { litres: u32 }
//! # impl Pump { fn reset(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> { Ok(()) } }
//! object! { Pump: PUMP, read { 0 => litres } }
//! ```
//!
//! ```compile_fail,E0277
//! # use lwm2m_core::{Args, Ctx, DataType, ObjectDef, Operations, Refusal, ResourceDef, object};
//! # static PUMP: ObjectDef =
//! #     ObjectDef::new(30_000, "Pump", &[ResourceDef::new(0, "", Operations::R, DataType::Integer)]);
//! # struct Pump { litres: u32 }
//! # impl Pump { fn reset(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> { Ok(()) } }
//! object! { Pump: PUMP, write { 0 => litres } }
//! ```
//!
//! ```compile_fail,E0277
//! # use lwm2m_core::{Args, Ctx, DataType, ObjectDef, Operations, Refusal, ResourceDef, object};
//! # static PUMP: ObjectDef =
//! #     ObjectDef::new(30_000, "Pump", &[ResourceDef::new(0, "", Operations::R, DataType::Integer)]);
//! # struct Pump { litres: u32 }
//! # impl Pump { fn reset(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> { Ok(()) } }
//! object! { Pump: PUMP, execute { 0 => reset } }
//! ```
//!
//! One that is mandatory:
//!
//! ```compile_fail,E0277
//! # use lwm2m_core::{Args, Ctx, DataType, ObjectDef, Operations, Refusal, ResourceDef, object};
//! # static PUMP: ObjectDef =
//! #     ObjectDef::new(30_000, "Pump", &[ResourceDef::new(0, "", Operations::R, DataType::Integer).mandatory()]);
//! # struct Pump { litres: u32 }
//! # impl Pump { fn reset(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> { Ok(()) } }
//! object! { Pump: PUMP }
//! ```

use core::marker::PhantomData;

use super::field::Typed;
use crate::base::definition::{ObjectDef, Operations, ResourceDef};
use crate::base::value::DataType;

/// What a line binds: a field of this type, or a method.
#[derive(Debug)]
pub struct Bound<F>(PhantomData<fn() -> F>);

impl<F> Bound<F> {
    /// It has no value: the type is all.
    pub const ANY: Self = Self(PhantomData);
}

/// The field that this gives.
#[must_use]
pub const fn field<S, F>(_: fn(&S) -> &F) -> Bound<F> {
    Bound::ANY
}

/// A line that breaks this [`Rule`].
#[derive(Debug)]
pub struct Fit<const RULE: u8>;

impl Fit<{ Rule::None as u8 }> {
    /// It breaks none.
    pub const fn check<F>(_: Bound<F>) {}
}

macro_rules! rules {
    ($($rule:tt: $message:literal)*) => {
        /// What a line may break.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rule {
            /// Nothing.
            None,
            $(#[doc = $message] $rule,)*
        }

        $(
            #[doc = $message]
            #[diagnostic::on_unimplemented(message = $message, label = "does not fit the definition")]
            pub trait $rule {}

            impl Fit<{ Rule::$rule as u8 }> {
                /// It does not compile.
                pub const fn check<F: $rule>(_: Bound<F>) {}
            }
        )*
    };
}

rules! {
    Defined: "the definition has no resource with this ID"
    BoundOnce: "this resource is bound twice"
    InRead: "this resource is read only: it belongs in `read`"
    InWrite: "this resource can be written: it belongs in `write`"
    InExecute: "this resource can be executed: it belongs in `execute`"
    OneValue: "`{Self}` holds several values, and the resource has one"
    SeveralValues: "`{Self}` holds one value, and the resource has several: `Multiple` holds them"
    StringType: "this resource is a String, and `{Self}` is none: `String` and `Cow<'static, str>` are"
    IntegerType: "this resource is an Integer, and `{Self}` is none: `i8` to `i64` and `u8` to `u32` are"
    UnsignedIntegerType: "this resource is an Unsigned Integer, and `{Self}` is none: `u64` is"
    FloatType: "this resource is a Float, and `{Self}` is none: `f32` and `f64` are"
    BooleanType: "this resource is a Boolean, and `{Self}` is none: `bool` is"
    OpaqueType: "this resource is Opaque, and `{Self}` is not: `Vec<u8>` is"
    TimeType: "this resource is a Time, and `{Self}` is none: `lwm2m_core::objects::Time` is"
    ObjectLinkType: "this resource is an Object Link, and `{Self}` is none: `lwm2m_core::objects::Link` is"
    CoreLinkType: "this resource is a CoRE Link, and `{Self}` is none: `lwm2m_core::objects::CoreLinks` is"
    NoType: "this resource has no value that a field could hold"
}

/// The rule that a line of `read`, or of `write`, breaks. `bound` are the resources of all lines.
#[must_use]
pub const fn of_field<F: Typed>(object: &ObjectDef, bound: &[u16], resource: u16, written: bool, _: Bound<F>) -> Rule {
    let Some(resource) = defined(object, resource) else { return Rule::Defined };
    if count(bound, resource.id) > 1 {
        return Rule::BoundOnce;
    }
    match (resource.operations, written) {
        (Operations::R, true) => return Rule::InRead,
        (Operations::W | Operations::RW | Operations::Bootstrap, false) => return Rule::InWrite,
        (Operations::E, _) => return Rule::InExecute,
        _ => {}
    }
    if resource.data_type as u8 != F::DATA_TYPE as u8 {
        return match resource.data_type {
            DataType::String => Rule::StringType,
            DataType::Integer => Rule::IntegerType,
            DataType::UnsignedInteger => Rule::UnsignedIntegerType,
            DataType::Float => Rule::FloatType,
            DataType::Boolean => Rule::BooleanType,
            DataType::Opaque => Rule::OpaqueType,
            DataType::Time => Rule::TimeType,
            DataType::ObjectLink => Rule::ObjectLinkType,
            DataType::CoreLink => Rule::CoreLinkType,
            DataType::None => Rule::NoType,
        };
    }
    match (resource.multiple, F::MULTIPLE) {
        (false, true) => Rule::OneValue,
        (true, false) => Rule::SeveralValues,
        _ => Rule::None,
    }
}

/// The rule that a line of `execute` breaks.
#[must_use]
pub const fn of_method(object: &ObjectDef, bound: &[u16], resource: u16) -> Rule {
    let Some(resource) = defined(object, resource) else { return Rule::Defined };
    match resource.operations {
        _ if count(bound, resource.id) > 1 => Rule::BoundOnce,
        Operations::R => Rule::InRead,
        Operations::W | Operations::RW | Operations::Bootstrap => Rule::InWrite,
        Operations::E => Rule::None,
    }
}

/// What mandatory resources have to be: `MISSING` is one that is not.
#[diagnostic::on_unimplemented(
    message = "resource {MISSING} is mandatory, and not bound",
    label = "lacks a mandatory resource"
)]
pub trait Complete<const MISSING: u32> {}

const NONE: u32 = u32::MAX;

impl<T> Complete<NONE> for T {}

/// No mandatory resource is missing, or it does not compile.
pub const fn complete<const MISSING: u32, T: Complete<MISSING>>() {}

/// The first mandatory resource that is not bound, or `u32::MAX`.
#[must_use]
pub const fn missing(object: &ObjectDef, bound: &[u16]) -> u32 {
    let mut resources = object.resources;
    while let [resource, others @ ..] = resources {
        if resource.mandatory && count(bound, resource.id) == 0 {
            return resource.id as u32;
        }
        resources = others;
    }
    NONE
}

const fn count(mut bound: &[u16], resource: u16) -> usize {
    let mut count = 0;
    while let [first, others @ ..] = bound {
        if *first == resource {
            count += 1;
        }
        bound = others;
    }
    count
}

const fn defined(object: &ObjectDef, resource: u16) -> Option<&'static ResourceDef> {
    let mut resources = object.resources;
    while let [first, others @ ..] = resources {
        if first.id == resource {
            return Some(first);
        }
        resources = others;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{CoreLinks, Link, Multiple, Time};
    use alloc::string::String;
    use alloc::vec::Vec;

    const fn read_only(id: u16, data_type: DataType) -> ResourceDef {
        ResourceDef::new(id, "", Operations::R, data_type)
    }

    static PUMP: ObjectDef = ObjectDef::new(
        30_000,
        "Pump",
        &[
            read_only(0, DataType::String).mandatory(),
            read_only(1, DataType::Integer).mandatory(),
            read_only(2, DataType::UnsignedInteger),
            read_only(3, DataType::Float),
            read_only(4, DataType::Boolean),
            read_only(5, DataType::Opaque),
            read_only(6, DataType::Time),
            read_only(7, DataType::ObjectLink),
            read_only(8, DataType::CoreLink),
            read_only(9, DataType::None),
            read_only(10, DataType::Integer).multiple(),
            ResourceDef::new(11, "", Operations::RW, DataType::Integer),
            ResourceDef::new(12, "", Operations::W, DataType::Integer),
            ResourceDef::new(13, "", Operations::Bootstrap, DataType::Integer),
            ResourceDef::new(14, "", Operations::E, DataType::None),
        ],
    );

    fn read<F: Typed>(resource: u16) -> Rule {
        of_field::<F>(&PUMP, &[resource], resource, false, Bound::ANY)
    }

    fn write<F: Typed>(resource: u16) -> Rule {
        of_field::<F>(&PUMP, &[resource], resource, true, Bound::ANY)
    }

    #[test]
    fn a_field_is_of_its_resources_type() {
        for (fits, breaks, rule) in [
            (read::<String>(0), read::<u8>(0), Rule::StringType),
            (read::<Option<u8>>(1), read::<f32>(1), Rule::IntegerType),
            (read::<u64>(2), read::<u32>(2), Rule::UnsignedIntegerType),
            (read::<f64>(3), read::<u8>(3), Rule::FloatType),
            (read::<bool>(4), read::<u8>(4), Rule::BooleanType),
            (read::<Vec<u8>>(5), read::<String>(5), Rule::OpaqueType),
            (read::<Time>(6), read::<i64>(6), Rule::TimeType),
            (read::<Link>(7), read::<u32>(7), Rule::ObjectLinkType),
            (read::<CoreLinks>(8), read::<String>(8), Rule::CoreLinkType),
            (Rule::None, read::<u8>(9), Rule::NoType),
        ] {
            assert_eq!((fits, breaks), (Rule::None, rule));
        }
    }

    #[test]
    fn it_holds_one_value_or_several_as_the_resource_has_them() {
        assert_eq!((read::<Multiple<u8>>(10), read::<Option<u8>>(10)), (Rule::None, Rule::SeveralValues));
        assert_eq!(read::<Multiple<u8>>(1), Rule::OneValue);
    }

    #[test]
    fn a_line_stands_where_the_operations_of_its_resource_want_it() {
        let execute = |resource| of_method(&PUMP, &[resource], resource);
        assert_eq!((write::<u8>(1), execute(1)), (Rule::InRead, Rule::InRead));
        for resource in 11..=13 {
            assert_eq!(write::<u8>(resource), Rule::None);
            assert_eq!((read::<u8>(resource), execute(resource)), (Rule::InWrite, Rule::InWrite));
        }
        assert_eq!(execute(14), Rule::None);
        assert_eq!((read::<u8>(14), write::<u8>(14)), (Rule::InExecute, Rule::InExecute));
    }

    #[test]
    fn a_line_names_a_resource_that_is_defined_and_no_other_line_names() {
        assert_eq!((read::<u8>(15), of_method(&PUMP, &[15], 15)), (Rule::Defined, Rule::Defined));
        assert_eq!(of_field::<u8>(&PUMP, &[1, 0, 1], 1, false, Bound::ANY), Rule::BoundOnce);
        assert_eq!(of_method(&PUMP, &[14, 0, 14], 14), Rule::BoundOnce);
    }

    #[test]
    fn what_is_mandatory_is_bound() {
        assert_eq!(missing(&PUMP, &[1, 0]), NONE);
        assert_eq!((missing(&PUMP, &[1, 2]), missing(&PUMP, &[0])), (0, 1));
    }
}
