//! What a struct's field must be, to be the value of a resource.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use coap_codec::Code;

use crate::base::path::Leaf;
use crate::base::value::{DataType, Sink, Stop, Value};
use crate::format::{Given, Values};
use crate::model::{Ctx, Refusal, ResourceDef, Resources};

/// A field that holds the value of a resource, or its values, for servers to see.
///
/// It is implemented for every [`Scalar`], which always has a value; for an [`Option`] of one, which
/// is there for servers when it is `Some`; and for [`Multiple`]. Implement it, and [`Typed`], for a
/// field with a life of its own, such as a clock.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no value of a resource",
    label = "no value of a resource",
    note = "integers but `usize`, `f32`, `f64`, `bool`, `String`, `Cow<'static, str>`, `Vec<u8>`, `Time`, `Link` and \
            `CoreLinks` do, an `Option` of one, and a `Multiple` of one"
)]
pub trait Readable {
    /// Whether servers see the resource.
    fn is_present(&self) -> bool;

    /// The value that [`read`](Self::read) would give, where it is a single one that lies ready: reading
    /// an instance takes fewer steps with it. None says nothing.
    fn ready(&self) -> Option<Value<'_>> {
        None
    }

    /// Gives the value, or the values, to `out`.
    ///
    /// # Errors
    /// As [`DataModel::read`](crate::DataModel::read).
    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal>;

    /// Gives all of the resource where a whole instance is read, if servers see it: what
    /// [`read`](Self::read) gives, in as few steps as the field can do it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn give(
        &self,
        reading: &Reading<'_>,
        resource: &'static ResourceDef,
        out: &mut dyn Resources,
    ) -> Result<(), Refusal> {
        if let Some(value) = self.ready() {
            return Ok(out.single(resource, value)?);
        }
        if self.is_present() && out.resource(resource)? {
            return self.read(reading.ctx, Leaf::new(reading.object, reading.instance, resource.id), out);
        }
        Ok(())
    }
}

/// A Read of a whole instance.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Who reads, and when.
    pub ctx: &'a Ctx,
    /// Object ID.
    pub object: u16,
    /// Object Instance ID.
    pub instance: u16,
}

/// What the values of a field are, as the definition of its resource must say.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no value of a resource",
    label = "no value of a resource",
    note = "integers but `usize`, `f32`, `f64`, `bool`, `String`, `Cow<'static, str>`, `Vec<u8>`, `Time`, `Link` and \
            `CoreLinks` do, an `Option` of one, and a `Multiple` of one"
)]
pub trait Typed: Readable {
    /// The type of its values.
    const DATA_TYPE: DataType;
    /// Whether it holds several values.
    const MULTIPLE: bool;
}

/// A field that servers may write.
#[diagnostic::on_unimplemented(message = "servers cannot write a `{Self}`", label = "cannot be written")]
pub trait Writable: Readable {
    /// Whether the values that `values` has for `resource` can be written: instead of what is there,
    /// or besides it.
    fn accepts(&self, resource: u16, values: &Values<'_>, instead: bool) -> bool;

    /// Writes one value that was accepted.
    fn write(&mut self, ctx: &Ctx, given: Given<'_>);

    /// Takes the value away, if the resource can be without one.
    fn clear(&mut self);
}

/// One value, as Rust has it.
///
/// Integers of any width stand for Integer; `u64` stands for Unsigned Integer, which came with
/// LwM2M 1.1.
pub trait Scalar {
    /// The type of the value.
    const DATA_TYPE: DataType;

    /// The value, as a server is told it.
    fn value(&self) -> Value<'_>;

    /// Gives it as a single resource where a whole instance is read.
    ///
    /// # Errors
    /// What the sink returned.
    fn give_single(&self, resource: &'static ResourceDef, out: &mut dyn Resources) -> Result<(), Stop> {
        out.single(resource, self.value())
    }

    /// Gives it as one of several values.
    ///
    /// # Errors
    /// What the sink returned.
    fn give_indexed(&self, resource: &'static ResourceDef, index: u16, out: &mut dyn Resources) -> Result<(), Stop> {
        out.indexed(resource, index, self.value())
    }
}

/// A [`Scalar`] that servers may write.
///
/// An integer that does not fit its type is refused (4.00). A text or a byte string is as long as the
/// server likes, up to what a request can hold: give its resource a
/// [`Range::Length`](crate::Range::Length).
pub trait FromValue: Scalar + Sized {
    /// The value that a server wrote; none when it does not fit.
    fn from_value(value: Value<'_>) -> Option<Self>;

    /// Whether [`from_value`](Self::from_value) would give a value.
    #[must_use]
    fn fits(value: Value<'_>) -> bool {
        Self::from_value(value).is_some()
    }
}

/// Seconds since 1970-01-01, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// An object link: Object ID and Object Instance ID; both are 65535 for a link to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link(pub u16, pub u16);

impl Default for Link {
    fn default() -> Self {
        Self(u16::MAX, u16::MAX)
    }
}

/// Links in CoRE link-format (RFC 6690), which came with LwM2M 1.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CoreLinks(pub String);

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Scalar for $integer {
            const DATA_TYPE: DataType = DataType::Integer;

            fn value(&self) -> Value<'_> {
                Value::Int(i64::from(*self))
            }

            fn give_single(&self, resource: &'static ResourceDef, out: &mut dyn Resources) -> Result<(), Stop> {
                out.integer(resource, i64::from(*self))
            }

            fn give_indexed(
                &self,
                resource: &'static ResourceDef,
                index: u16,
                out: &mut dyn Resources,
            ) -> Result<(), Stop> {
                out.indexed_integer(resource, index, i64::from(*self))
            }
        }

        impl FromValue for $integer {
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Int(number) => Self::try_from(number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32);

macro_rules! scalars {
    ($($scalar:ty: $data_type:ident, $me:ident => $value:expr, $pattern:pat => $read:expr $(, $give:item)?;)*) => {$(
        impl Scalar for $scalar {
            const DATA_TYPE: DataType = DataType::$data_type;

            fn value(&self) -> Value<'_> {
                let $me = self;
                $value
            }

            $($give)?
        }

        impl FromValue for $scalar {
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    $pattern => Some($read),
                    _ => None,
                }
            }

            fn fits(value: Value<'_>) -> bool {
                #[allow(unused_variables, reason = "only whether it is this kind of value counts here")]
                { matches!(value, $pattern) }
            }
        }
    )*};
}

scalars! {
    u64: UnsignedInteger, number => Value::Uint(*number), Value::Uint(number) => number;
    f64: Float, number => Value::Float(*number), Value::Float(number) => number;
    // The nearest: what a server writes may have more digits.
    f32: Float, number => Value::Float(f64::from(*number)), Value::Float(number) => number as Self;
    bool: Boolean, truth => Value::Bool(*truth), Value::Bool(truth) => truth;
    String: String, text => Value::Str(text), Value::Str(text) => text.into(),
        fn give_single(&self, resource: &'static ResourceDef, out: &mut dyn Resources) -> Result<(), Stop> {
            out.text(resource, self)
        };
    Cow<'static, str>: String, text => Value::Str(text), Value::Str(text) => Cow::Owned(text.into()),
        fn give_single(&self, resource: &'static ResourceDef, out: &mut dyn Resources) -> Result<(), Stop> {
            out.text(resource, self)
        };
    Vec<u8>: Opaque, bytes => Value::Opaque(bytes), Value::Opaque(bytes) => bytes.into();
    Time: Time, time => Value::Time(time.0), Value::Time(seconds) => Self(seconds);
    CoreLinks: CoreLink, links => Value::Corelnk(&links.0), Value::Corelnk(links) => Self(links.into());
    Link: ObjectLink, link => Value::Link(link.0, link.1), Value::Link(object, instance) => Self(object, instance);
}

impl<T: Scalar> Typed for T {
    const DATA_TYPE: DataType = <T as Scalar>::DATA_TYPE;
    const MULTIPLE: bool = false;
}

impl<T: Scalar> Readable for T {
    fn is_present(&self) -> bool {
        true
    }

    fn ready(&self) -> Option<Value<'_>> {
        Some(self.value())
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        Ok(out.value(at, self.value())?)
    }

    fn give(&self, _: &Reading<'_>, resource: &'static ResourceDef, out: &mut dyn Resources) -> Result<(), Refusal> {
        Ok(self.give_single(resource, out)?)
    }
}

impl<T: FromValue> Writable for T {
    fn accepts(&self, resource: u16, values: &Values<'_>, _: bool) -> bool {
        values.get(resource).is_some_and(T::fits)
    }

    fn write(&mut self, _: &Ctx, given: Given<'_>) {
        if let Some(value) = T::from_value(given.value) {
            *self = value;
        }
    }

    fn clear(&mut self) {}
}

impl<T: Scalar> Typed for Option<T> {
    const DATA_TYPE: DataType = <T as Scalar>::DATA_TYPE;
    const MULTIPLE: bool = false;
}

impl<T: Scalar> Readable for Option<T> {
    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn ready(&self) -> Option<Value<'_>> {
        self.as_ref().map(T::value)
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let value = self.as_ref().ok_or(Refusal::Code(Code::NOT_FOUND))?;
        Ok(out.value(at, value.value())?)
    }

    fn give(&self, _: &Reading<'_>, resource: &'static ResourceDef, out: &mut dyn Resources) -> Result<(), Refusal> {
        Ok(self.as_ref().map_or(Ok(()), |value| value.give_single(resource, out))?)
    }
}

impl<T: FromValue> Writable for Option<T> {
    fn accepts(&self, resource: u16, values: &Values<'_>, _: bool) -> bool {
        values.get(resource).is_some_and(T::fits)
    }

    fn write(&mut self, _: &Ctx, given: Given<'_>) {
        if let Some(value) = T::from_value(given.value) {
            *self = Some(value);
        }
    }

    fn clear(&mut self) {
        *self = None;
    }
}

/// The values of a multiple resource, by their Resource Instance IDs.
///
/// It holds [`LIMIT`](Self::LIMIT) values at most: a server that writes more is refused (4.00).
/// Servers see the resource when there is at least one value.
///
/// ```
/// use lwm2m_core::objects::Multiple;
///
/// let mut voltages: Multiple<u16> = [12_000, 3_300].into();
/// voltages.remove(0);
/// assert!(voltages.set(4, 5_000));
/// assert!(voltages.iter().eq([(1, &3_300), (4, &5_000)]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Multiple<T> {
    /// In ascending order of the ids.
    values: Vec<(u16, T)>,
}

impl<T> Multiple<T> {
    /// How many values there may be.
    pub const LIMIT: usize = 64;

    /// No values.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// The value with this Resource Instance ID.
    #[must_use]
    pub fn get(&self, id: u16) -> Option<&T> {
        let at = self.position(id).ok()?;
        self.values.get(at).map(|(_, value)| value)
    }

    /// Sets the value with this Resource Instance ID. False when it is new, and there is no room.
    pub fn set(&mut self, id: u16, value: T) -> bool {
        match self.position(id) {
            Ok(at) => {
                if let Some((_, old)) = self.values.get_mut(at) {
                    *old = value;
                }
            }
            Err(_) if self.values.len() >= Self::LIMIT => return false,
            Err(at) => self.values.insert(at, (id, value)),
        }
        true
    }

    /// Takes a value away.
    pub fn remove(&mut self, id: u16) -> Option<T> {
        let at = self.position(id).ok()?;
        Some(self.values.remove(at).1)
    }

    /// Takes all values away.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// The values and their Resource Instance IDs, in ascending order of those.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &T)> {
        self.values.iter().map(|(id, value)| (*id, value))
    }

    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn position(&self, id: u16) -> Result<usize, usize> {
        self.values.binary_search_by_key(&id, |(id, _)| *id)
    }
}

impl<T> Default for Multiple<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> FromIterator<T> for Multiple<T> {
    /// Values with the ids 0, 1, 2 and so on, as many as there may be.
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self { values: (0..).zip(values.into_iter().take(Self::LIMIT)).collect() }
    }
}

impl<T, const N: usize> From<[T; N]> for Multiple<T> {
    fn from(values: [T; N]) -> Self {
        values.into_iter().collect()
    }
}

impl<T: Scalar> Typed for Multiple<T> {
    const DATA_TYPE: DataType = <T as Scalar>::DATA_TYPE;
    const MULTIPLE: bool = true;
}

impl<T: Scalar> Readable for Multiple<T> {
    fn is_present(&self) -> bool {
        !self.is_empty()
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        if let Some(id) = at.index {
            let value = self.get(id).ok_or(Refusal::Code(Code::NOT_FOUND))?;
            return Ok(out.value(at, value.value())?);
        }
        for (id, value) in self.iter() {
            out.value(at.at(id), value.value())?;
        }
        Ok(())
    }

    fn give(&self, _: &Reading<'_>, resource: &'static ResourceDef, out: &mut dyn Resources) -> Result<(), Refusal> {
        if self.is_empty() || !out.resource(resource)? {
            return Ok(());
        }
        for (id, value) in &self.values {
            value.give_indexed(resource, *id, out)?;
        }
        Ok(())
    }
}

impl<T: FromValue> Writable for Multiple<T> {
    fn accepts(&self, resource: u16, values: &Values<'_>, instead: bool) -> bool {
        let mut given = values.iter().filter(|given| given.resource == resource);
        let mut count = if instead { 0 } else { self.len() };
        let all_fit = given.all(|Given { index, value, .. }| {
            let known = !instead && index.is_some_and(|id| self.get(id).is_some());
            count = count.saturating_add(usize::from(!known));
            T::fits(value)
        });
        all_fit && count <= Self::LIMIT
    }

    fn write(&mut self, _: &Ctx, given: Given<'_>) {
        if let Some(value) = T::from_value(given.value) {
            self.set(given.index.unwrap_or(0), value);
        }
    }

    fn clear(&mut self) {
        self.values.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::origin::Origin;
    use crate::base::time::Instant;
    use alloc::string::ToString;

    const CTX: Ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::ZERO };

    const fn given(index: Option<u16>, value: Value<'_>) -> Given<'_> {
        Given { resource: 7, index, value }
    }

    fn accepts(field: &dyn Writable, value: Value<'_>) -> bool {
        field.accepts(7, &Values::of(7, value), false)
    }

    #[test]
    fn each_scalar_takes_what_it_gives_and_no_other_type() {
        fn check<T: FromValue + PartialEq + core::fmt::Debug>(scalar: T, value: Value<'_>, other: Value<'_>) {
            assert_eq!(scalar.value(), value);
            assert_eq!(T::from_value(value), Some(scalar));
            assert!(T::fits(value) && !T::fits(other) && T::from_value(other).is_none());
        }
        let int = Value::Int(5);
        check(-1i8, Value::Int(-1), Value::Int(128));
        check(-1i16, Value::Int(-1), Value::Int(32_768));
        check(-1i32, Value::Int(-1), Value::Int(1 << 31));
        check(i64::MIN, Value::Int(i64::MIN), Value::Uint(0));
        check(255u8, Value::Int(255), Value::Int(256));
        check(65_535u16, Value::Int(65_535), Value::Int(-1));
        check(u32::MAX, Value::Int(u32::MAX.into()), Value::Int(1 << 32));
        check(u64::MAX, Value::Uint(u64::MAX), int);
        check(0.1f64, Value::Float(0.1), int);
        check(0.5f32, Value::Float(0.5), int);
        check(true, Value::Bool(true), int);
        check("a".to_string(), Value::Str("a"), int);
        check(Cow::Borrowed("a"), Value::Str("a"), int);
        check(Vec::from(*b"a"), Value::Opaque(b"a"), int);
        check(Time(5), Value::Time(5), int);
        check(CoreLinks("</a>".into()), Value::Corelnk("</a>"), int);
        check(Link(3, 0), Value::Link(3, 0), int);
        assert_eq!(Link::default(), Link(65_535, 65_535));
    }

    #[test]
    fn a_scalar_is_always_there_and_an_option_when_it_has_a_value() {
        let (mut scalar, mut option) = (5u8, None);
        assert!(scalar.is_present() && !Option::<u8>::None.is_present());
        assert!(accepts(&scalar, Value::Int(9)) && !accepts(&scalar, Value::Int(300)));
        assert!(accepts(&option, Value::Int(9)) && !accepts(&option, Value::Int(300)));
        scalar.write(&CTX, given(None, Value::Int(9)));
        option.write(&CTX, given(None, Value::Int(9)));
        assert_eq!((scalar, option), (9, Some(9u8)));
        scalar.clear();
        Writable::clear(&mut option);
        assert_eq!((scalar, option), (9, None));
    }

    #[test]
    fn several_values_are_kept_by_their_ids_up_to_the_limit() {
        let mut values = Multiple::<u8>::new();
        assert!(!values.is_present());
        for (id, value) in [(5, 50), (1, 10), (5, 51)] {
            values.write(&CTX, given(Some(id), Value::Int(value)));
        }
        assert!(values.is_present() && values.iter().eq([(1, &10), (5, &51)]));
        assert_eq!((values.remove(5), values.remove(5), values.get(1), values.len()), (Some(51), None, Some(&10), 1));

        let full: Multiple<u8> = (0..100).collect();
        assert_eq!(full.len(), Multiple::<u8>::LIMIT);
        let [old, new] = [[given(Some(0), Value::Int(1))], [given(Some(64), Value::Int(1))]];
        assert!(full.accepts(7, &Values::list(&old), false) && !full.accepts(7, &Values::list(&new), false));
        assert!(full.accepts(7, &Values::list(&new), true), "instead of what is there");
        let wrong = [given(Some(0), Value::Int(1)), given(Some(1), Value::Int(256))];
        assert!(!full.accepts(7, &Values::list(&wrong), true));
        let mut full = full;
        assert!(!full.set(64, 1) && full.set(0, 1));
    }

    #[test]
    fn what_may_be_absent_is_ready_when_it_is_there() {
        assert_eq!((Some(7i64).ready(), None::<i64>.ready()), (Some(Value::Int(7)), None));
    }
}
