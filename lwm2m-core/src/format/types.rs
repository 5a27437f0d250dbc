//! Which data types a value may be of.

use crate::base::value::{DataType, Value};

/// A set of data types, one bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Types(u16);

impl Types {
    // What the kinds of values are good for: their type, or one that every format writes the same. Not
    // the other way round: TLV writes an unsigned 200 as one byte, which is -56 to who reads an integer.
    pub(super) const STR: Self = Self::only(DataType::String).and(DataType::CoreLink);
    pub(super) const CORELNK: Self = Self::only(DataType::CoreLink);
    pub(super) const NEGATIVE: Self = Self::only(DataType::Integer).and(DataType::Time);
    pub(super) const INT: Self = Self::NEGATIVE.and(DataType::UnsignedInteger);
    pub(super) const TIME: Self = Self::only(DataType::Time);
    pub(super) const UINT: Self = Self::only(DataType::UnsignedInteger);
    pub(super) const FLOAT: Self = Self::only(DataType::Float);
    pub(super) const BOOL: Self = Self::only(DataType::Boolean);
    pub(super) const OPAQUE: Self = Self::only(DataType::Opaque);
    pub(super) const LINK: Self = Self::only(DataType::ObjectLink);

    const fn only(data_type: DataType) -> Self {
        Self(1 << data_type as u16)
    }

    const fn and(self, data_type: DataType) -> Self {
        Self(self.0 | Self::only(data_type).0)
    }

    /// The types that a value is good for.
    pub(crate) const fn of(value: Value<'_>) -> Self {
        match value {
            Value::Str(_) => Self::STR,
            Value::Corelnk(_) => Self::CORELNK,
            Value::Int(0..) => Self::INT,
            Value::Int(_) => Self::NEGATIVE,
            Value::Time(_) => Self::TIME,
            Value::Uint(_) => Self::UINT,
            Value::Float(_) => Self::FLOAT,
            Value::Bool(_) => Self::BOOL,
            Value::Opaque(_) => Self::OPAQUE,
            Value::Link(..) => Self::LINK,
        }
    }

    /// Whether a type is among them.
    pub(crate) const fn have(self, data_type: DataType) -> bool {
        self.0 >> data_type as u16 & 1 != 0
    }
}
