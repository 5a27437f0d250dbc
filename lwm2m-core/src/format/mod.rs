//! Payload formats: values as bytes for a peer, and a peer's bytes as values that were checked.
//!
//! Outwards, an [`Encoder`] is the [`Sink`] that a model writes its values to; [`Digest`] is one
//! that only tells two answers apart. Inwards, [`Payload::decode`] holds everything that was sent
//! against the object's definition before anyone sees a value, so that reading the [`Values`]
//! cannot fail. Nothing here allocates, and nothing depends on what a peer claims about sizes.

// A payload comes from anyone: nothing in it may lead to a panic or to a wrapped number.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]

mod base64;
mod digest;
mod distinct;
#[cfg(feature = "json")]
mod json;
mod link;
mod output;
mod payload;
mod single;
mod text;
mod tlv;
mod types;
mod values;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod vectors;

use coap_codec::{Code, ContentFormat};

use crate::base::definition::ResourceDef;
use crate::base::features::TEXT;
use crate::base::path::Path;
use crate::base::profile::LegacyFormats;
use crate::base::value::{DataType, Sink, Stop, Value};

pub(crate) use digest::Digest;
pub(crate) use link::LinkWriter;
pub(crate) use output::{Output, SLACK};
pub(crate) use payload::{Payload, Unknown};
pub(crate) use types::Types;
pub use values::{Given, Values, ValuesIter};

/// The answer does not fit into its datagram, or the structure that was asked for makes no sense:
/// neither is the peer's fault.
const FAILED: Stop = Stop::new(Code::INTERNAL_SERVER_ERROR);

/// What was read cannot be put into the format that the peer wants.
const NOT_ACCEPTABLE: Stop = Stop::new(Code::NOT_ACCEPTABLE);

/// A payload format, and the number that stands for it on the wire.
///
/// Peers from before 2016 use numbers of their own; whoever uses them is answered in kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Format {
    kind: Kind,
    legacy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Text,
    Opaque,
    Tlv,
    #[cfg(feature = "json")]
    Json,
}

impl Format {
    /// Plain text (OMA LwM2M 1.0, 6.4.1).
    pub(crate) const TEXT: Self = Self { kind: Kind::Text, legacy: false };
    /// The bytes of an opaque value, as they are (OMA LwM2M 1.0, 6.4.2).
    pub(crate) const OPAQUE: Self = Self { kind: Kind::Opaque, legacy: false };
    /// Type, length, value (OMA LwM2M 1.0, 6.4.3).
    pub(crate) const TLV: Self = Self { kind: Kind::Tlv, legacy: false };
    /// LwM2M JSON (OMA LwM2M 1.0, 6.4.4).
    #[cfg(test)]
    #[cfg(feature = "json")]
    pub(crate) const JSON: Self = Self { kind: Kind::Json, legacy: false };

    /// The format that a Content-Format or Accept option names, `None` for one not spoken here.
    pub(crate) fn from_content_format(number: ContentFormat) -> Option<Self> {
        let kind = match number.modern() {
            ContentFormat::TEXT_PLAIN => Kind::Text,
            ContentFormat::OCTET_STREAM => Kind::Opaque,
            ContentFormat::LWM2M_TLV => Kind::Tlv,
            #[cfg(feature = "json")]
            ContentFormat::LWM2M_JSON => Kind::Json,
            _ => return None,
        };
        Some(Self { kind, legacy: number != number.modern() })
    }

    /// The same, for a number in a request: not every client has a use for those of before 2016.
    pub(crate) fn named(number: ContentFormat, legacy: LegacyFormats) -> Option<Self> {
        Self::from_content_format(number).filter(|format| !format.legacy || legacy != LegacyFormats::Refused)
    }

    /// The same, for one that values are read and written in.
    pub(crate) fn understood(number: ContentFormat, legacy: LegacyFormats) -> Option<Self> {
        Self::named(number, legacy).filter(|format| TEXT || !format.is_text())
    }

    /// The same format in the family of numbers that is ours to choose.
    pub(crate) fn chosen(self, legacy: LegacyFormats) -> Self {
        Self { legacy: legacy == LegacyFormats::First, ..self }
    }

    /// The number of the format, from the family that it was made from.
    pub(crate) const fn content_format(self) -> ContentFormat {
        match (self.kind, self.legacy) {
            (Kind::Text, false) => ContentFormat::TEXT_PLAIN,
            (Kind::Text, true) => ContentFormat::LEGACY_TEXT,
            (Kind::Opaque, false) => ContentFormat::OCTET_STREAM,
            (Kind::Opaque, true) => ContentFormat::LEGACY_OPAQUE,
            (Kind::Tlv, false) => ContentFormat::LWM2M_TLV,
            (Kind::Tlv, true) => ContentFormat::LEGACY_TLV,
            #[cfg(feature = "json")]
            (Kind::Json, false) => ContentFormat::LWM2M_JSON,
            #[cfg(feature = "json")]
            (Kind::Json, true) => ContentFormat::LEGACY_JSON,
        }
    }

    /// Whether it has room for one value only, and none for an instance or a multiple resource.
    pub(crate) const fn for_single_value_only(self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Opaque)
    }

    /// The bytes of a value that must be one of a type, where a format for one only writes them as they lie.
    #[inline]
    pub(crate) const fn as_it_lies<'v>(self, data_type: DataType, value: &Value<'v>) -> Option<&'v [u8]> {
        match (self.kind, data_type, *value) {
            (Kind::Text, DataType::String | DataType::CoreLink, Value::Str(text)) => Some(text.as_bytes()),
            (Kind::Opaque, DataType::Opaque, Value::Opaque(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Writes a value that must be one of a type and does not lie as it is written, in a format for one only; how many
    /// bytes it takes.
    #[inline]
    pub(crate) fn write_single(
        self,
        data_type: DataType,
        value: Value<'_>,
        mut output: Output<'_>,
    ) -> Result<usize, Stop> {
        if !Types::of(value).have(data_type) {
            return Err(FAILED);
        }
        if !self.is_text() {
            return Err(NOT_ACCEPTABLE);
        }
        text::write(&mut output, value)?;
        Ok(output.used())
    }

    pub(crate) const fn is_text(self) -> bool {
        matches!(self.kind, Kind::Text)
    }

    pub(crate) const fn is_opaque(self) -> bool {
        matches!(self.kind, Kind::Opaque)
    }
}

/// Drives an encoder beside the values that the model gives: the structure that only the reader
/// of the model knows.
pub(crate) trait Encode: Sink {
    /// Takes a value of a resource in few steps, where nothing stands against it. False when nothing
    /// happened: then [`value`](Sink::value) takes it, or says why not.
    fn quick(&mut self, resource: &ResourceDef, index: Option<u16>, value: &Value<'_>) -> bool {
        let _ = (resource, index, value);
        false
    }

    /// The same of a text.
    #[cfg(feature = "shortcuts")]
    fn quick_text(&mut self, resource: &ResourceDef, text: &str) -> bool {
        let _ = (resource, text);
        false
    }

    /// The same of an integer.
    #[cfg(feature = "shortcuts")]
    fn quick_integer(&mut self, resource: &ResourceDef, index: Option<u16>, number: i64) -> bool {
        let _ = (resource, index, number);
        false
    }

    /// Opens an Object Instance. Only for answers to a path without an instance
    /// (OMA LwM2M 1.0, 6.4.3).
    fn open_instance(&mut self, id: u16) -> Result<(), Stop>;

    /// Opens a multiple resource, also one without values.
    fn open_multiple(&mut self, resource: u16) -> Result<(), Stop>;

    /// Closes what was opened last.
    fn close(&mut self) -> Result<(), Stop>;
}

/// Writes the values of one answer into a buffer. After a failure it is of no use any more.
#[derive(Debug)]
pub(crate) enum Encoder<'b> {
    Tlv(tlv::Writer<'b>),
    #[cfg(feature = "json")]
    Json(json::Writer<'b>),
    Single(single::Writer<'b>),
}

impl<'b> Encoder<'b> {
    /// An encoder for the values below `path`, that fills `output`.
    #[cfg_attr(not(feature = "json"), allow(unused_variables, reason = "the other formats name no path"))]
    pub(crate) fn new(format: Format, path: Path, output: Output<'b>) -> Self {
        match format.kind {
            Kind::Tlv => Self::Tlv(tlv::Writer::new(output)),
            #[cfg(feature = "json")]
            Kind::Json => Self::Json(json::Writer::new(path, output)),
            Kind::Text => Self::Single(single::Writer::new(single::Form::Text, output)),
            Kind::Opaque => Self::Single(single::Writer::new(single::Form::Opaque, output)),
        }
    }

    /// What the values are given to.
    pub(crate) fn as_encode(&mut self) -> &mut dyn Encode {
        match self {
            Self::Tlv(writer) => writer,
            #[cfg(feature = "json")]
            Self::Json(writer) => writer,
            Self::Single(writer) => writer,
        }
    }

    /// How many bytes the body has.
    ///
    /// # Errors
    /// When something is still open; and when a format for one value was given none.
    pub(crate) fn finish(self) -> Result<usize, Stop> {
        match self {
            Self::Tlv(writer) => writer.finish(),
            #[cfg(feature = "json")]
            Self::Json(writer) => writer.finish(),
            Self::Single(writer) => writer.finish(),
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "text", feature = "json"))]
mod tests {
    use super::*;

    #[test]
    fn a_format_keeps_the_number_family_that_it_came_with() {
        for (number, format) in [
            (0, Format::TEXT),
            (42, Format::OPAQUE),
            (11542, Format::TLV),
            (1541, Format { legacy: true, ..Format::TEXT }),
            (1544, Format { legacy: true, ..Format::OPAQUE }),
            (1542, Format { legacy: true, ..Format::TLV }),
            (11543, Format::JSON),
            (1543, Format { legacy: true, ..Format::JSON }),
        ] {
            assert_eq!(Format::from_content_format(ContentFormat(number)), Some(format));
            assert_eq!(format.content_format(), ContentFormat(number));
            assert_eq!(format.for_single_value_only(), matches!(format.kind, Kind::Text | Kind::Opaque));
        }
        for number in [40, 50, 11544, 110, 112, 60, 1540, 65535] {
            assert_eq!(Format::from_content_format(ContentFormat(number)), None, "{number}");
        }
    }

    #[test]
    fn what_legacy_numbers_are_good_for_is_a_setting() {
        let [refused, accepted, first] = [LegacyFormats::Refused, LegacyFormats::Accepted, LegacyFormats::First];
        for (number, old) in
            [(0, 1541), (42, 1544), (11542, 1542), (11543, 1543)].map(|(a, b)| (ContentFormat(a), ContentFormat(b)))
        {
            let format = Format::understood(number, refused).unwrap();
            assert_eq!(Format::understood(old, refused), None);
            for legacy in [accepted, first] {
                assert_eq!(Format::understood(number, legacy), Some(format));
                assert_eq!(Format::understood(old, legacy).unwrap().content_format(), old);
            }
            assert_eq!(
                [refused, accepted, first].map(|legacy| format.chosen(legacy).content_format()),
                [number, number, old]
            );
        }
    }
}
