//! Names as strings in the data formats of `serde`.
//!
//! What cannot be read is refused with the message of [`ParseError`](crate::ParseError), which repeats
//! at most one character: serde's own messages would repeat the whole text.

use core::fmt;

use serde_core::de::{self, Deserialize, Deserializer, Visitor};
use serde_core::ser::{Serialize, Serializer};

use crate::{EndpointName, EndpointNameBuf};

impl Serialize for EndpointName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for EndpointNameBuf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Borrows from the input, so it needs one that is in memory and holds the text without escapes.
impl<'de: 'a, 'a> Deserialize<'de> for EndpointName<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Borrowed)
    }
}

impl<'de> Deserialize<'de> for EndpointNameBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Owned)
    }
}

struct Borrowed;

impl<'de> Visitor<'de> for Borrowed {
    type Value = EndpointName<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an endpoint name")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        EndpointName::parse(text).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(E::custom("this input cannot lend an endpoint name: read an EndpointNameBuf"))
    }
}

struct Owned;

impl Visitor<'_> for Owned {
    type Value = EndpointNameBuf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an endpoint name")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map_err(E::custom)
    }
}
