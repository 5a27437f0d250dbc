//! TLV: type, length, value (OMA LwM2M 1.0, 6.4.3).
//!
//! An element is a type byte, an identifier, a length and the content:
//!
//! ```text
//! bits 7-6  kind        00 Object Instance, 01 Resource Instance, 10 multiple resource, 11 resource with a value
//! bit  5    identifier  0: one byte, 1: two bytes
//! bits 4-3  length      00: in bits 2-0; else a field of one, two or three bytes, and bits 2-0 mean nothing
//! ```
//!
//! An Object Instance contains resources, a multiple resource contains Resource Instances, and the
//! others contain one value: there are never more than three levels.

mod reader;
mod writer;

pub(super) use reader::{Element, Elements, structure, value};
pub(super) use writer::Writer;

/// Type byte: the identifier has two bytes.
const WIDE_ID: u8 = 0b0010_0000;

/// What an element stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Instance,
    ResourceInstance,
    /// A resource with Resource Instances, none or one of them also possible.
    Multiple,
    /// A resource with one value.
    Resource,
}

impl Kind {
    const fn from_type_byte(byte: u8) -> Self {
        match byte >> 6 {
            0b00 => Self::Instance,
            0b01 => Self::ResourceInstance,
            0b10 => Self::Multiple,
            _ => Self::Resource,
        }
    }

    const fn type_byte(self) -> u8 {
        match self {
            Self::Instance => 0b0000_0000,
            Self::ResourceInstance => 0b0100_0000,
            Self::Multiple => 0b1000_0000,
            Self::Resource => 0b1100_0000,
        }
    }

    const fn level(self) -> Level {
        match self {
            Self::Instance => Level::Instances,
            Self::Multiple | Self::Resource => Level::Resources,
            Self::ResourceInstance => Level::ResourceInstances,
        }
    }
}

/// Which kinds of elements may stand next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Instances,
    Resources,
    ResourceInstances,
}
