//! Values of resources, and where a model writes them.

use coap_codec::Code;

use super::path::Leaf;

/// One value of a resource, borrowed from wherever it lives.
///
/// The kinds are the data types of OMA LwM2M (1.0 Appendix C; `Uint` and `Corelnk` came with 1.1).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// UTF-8 text.
    Str(&'a str),
    /// A signed integer of up to 64 bits.
    Int(i64),
    /// An unsigned integer of up to 64 bits.
    Uint(u64),
    /// A floating point number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Bytes.
    Opaque(&'a [u8]),
    /// Seconds since 1970-01-01, UTC; negative before.
    Time(i64),
    /// An object link: Object ID and Object Instance ID; both 65535 is the null link.
    Link(u16, u16),
    /// Links in CoRE link-format.
    Corelnk(&'a str),
}

/// The data type that an object's definition gives a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// UTF-8 text.
    String,
    /// Signed integer.
    Integer,
    /// Unsigned integer.
    UnsignedInteger,
    /// 32 or 64 bit floating point.
    Float,
    /// True or false.
    Boolean,
    /// Bytes.
    Opaque,
    /// Seconds since 1970.
    Time,
    /// Object link.
    ObjectLink,
    /// Links in CoRE link-format.
    CoreLink,
    /// No value: an executable resource.
    None,
}

/// Where a model puts the values that it was asked for.
///
/// The core's encoders are sinks, and so are its size and hash passes: a model never knows which
/// one it feeds, and must give the same values to each.
pub trait Sink {
    /// Takes one value of a resource. A multiple resource gives one call per Resource Instance,
    /// with [`Leaf::index`] set, in ascending order; a single one gives one call.
    ///
    /// The value must be of the type that the definition says. An `Int` also goes for a Time and,
    /// from zero on, for an Unsigned Integer; a `Str` also for CoRE links. No format tells these
    /// apart.
    ///
    /// # Errors
    /// [`Stop`] when the value does not fit, is of another type, or belongs to another resource than
    /// was asked for; the server is answered 5.00 then. Give up and hand it on with `?`.
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop>;

    /// Takes `len` bytes of opaque data that need not lie in memory as a whole: `fill` is asked to
    /// copy the bytes from an offset into a buffer, for those parts that are really sent.
    ///
    /// # Errors
    /// As for [`value`](Self::value); the resource must be Opaque.
    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop>;
}

/// A sink takes no more: return it from [`DataModel::read`](crate::DataModel::read).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sink takes no more values")]
pub struct Stop {
    code: Code,
}

impl Stop {
    /// A stop that the server is told as `code`.
    #[must_use]
    pub(crate) const fn new(code: Code) -> Self {
        Self { code }
    }

    /// The response code that the cause deserves.
    #[must_use]
    pub const fn code(self) -> Code {
        self.code
    }
}
