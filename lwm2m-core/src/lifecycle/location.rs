//! Where a registration lives at its server.

use alloc::vec::Vec;

use coap_codec::{Message, MessageWriter, OptionNumber, WriteError};

/// Where a registration lives at the server: Location-Path and Location-Query, opaque to us
/// (OMA LwM2M 1.0, 5.3.1; reading A22).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Location {
    /// Per option: its length and its value; the paths first.
    options: Vec<u8>,
    /// How many of them are path segments.
    segments: u8,
}

impl Location {
    /// The Location of a response; none without Location-Path, when it is longer than `limit`, or when
    /// nothing can be asked of it.
    pub(crate) fn of(message: &Message<'_>, limit: usize) -> Option<Self> {
        let mut location = Self::default();
        for option in message.options() {
            match (option.number, option.value) {
                // Neither may be sent, nor asked for (RFC 7252, sections 5.10.1 and 5.10.7).
                (OptionNumber::LOCATION_PATH, b"." | b"..") => return None,
                (OptionNumber::LOCATION_PATH, _) => location.segments = location.segments.checked_add(1)?,
                (OptionNumber::LOCATION_QUERY, _) => {}
                _ => continue,
            }
            location.push(option.value, limit)?;
        }
        location.options.shrink_to_fit();
        Some(location).filter(|location| location.segments > 0)
    }

    fn push(&mut self, value: &[u8], limit: usize) -> Option<()> {
        let len = u8::try_from(value.len()).ok()?;
        if self.options.len().saturating_add(value.len()).saturating_add(1) > limit {
            return None;
        }
        self.options.extend_from_slice(&[len]);
        self.options.extend_from_slice(value);
        Some(())
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.options.as_slice();
        core::iter::from_fn(move || {
            let (len, after) = rest.split_first()?;
            let (value, after) = after.split_at_checked(usize::from(*len))?;
            rest = after;
            Some(value)
        })
    }

    /// The path segments, in their order.
    pub(crate) fn path(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().take(usize::from(self.segments))
    }

    /// The arguments of the query behind them.
    fn query(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().skip(usize::from(self.segments))
    }

    pub(crate) fn parts(&self) -> (&[u8], u8) {
        (&self.options, self.segments)
    }

    /// From what [`Self::parts`] gave; none if it is not well-formed.
    pub(crate) fn from_parts(options: &[u8], segments: u8) -> Option<Self> {
        let location = Self { options: options.to_vec(), segments };
        let (count, bytes) = location.iter().fold((0usize, 0usize), |(count, bytes), value| {
            (count.saturating_add(1), bytes.saturating_add(value.len()).saturating_add(1))
        });
        (segments > 0 && usize::from(segments) <= count && bytes == options.len()).then_some(location)
    }

    pub(crate) fn heap(&self) -> usize {
        self.options.capacity()
    }

    /// Writes all of it, in an Update that says nothing new.
    pub(crate) fn write(&self, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        let segments = usize::from(self.segments);
        self.iter().enumerate().try_for_each(|(index, value)| {
            let number = if index < segments { OptionNumber::URI_PATH } else { OptionNumber::URI_QUERY };
            writer.option(number, value)
        })
    }

    pub(crate) fn write_path(&self, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        self.path().try_for_each(|segment| writer.append(OptionNumber::URI_PATH, segment))
    }

    pub(crate) fn write_query(&self, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        self.query().try_for_each(|argument| writer.append(OptionNumber::URI_QUERY, argument))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap_codec::{Code, Header, MessageId, MessageType, Token};

    #[test]
    fn a_location_keeps_its_parts_and_refuses_what_is_not_well_formed() {
        let mut location = Location::default();
        for segment in [&b"rd"[..], b"5a3f", b""] {
            location.push(segment, 255).unwrap();
        }
        location.segments = 2;
        assert_eq!(location.path().collect::<Vec<_>>(), [&b"rd"[..], b"5a3f"]);
        let header = Header::new(MessageType::Confirmable, Code::POST, MessageId(1));
        let mut buffer = [0; 32];
        let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
        location.write_path(&mut writer).unwrap();
        location.write_query(&mut writer).unwrap();
        let message = Message::parse(writer.finish()).unwrap();
        assert!(message.uri_path().eq(location.path()) && message.uri_query().eq([b""]));
        let (options, segments) = location.parts();
        assert_eq!(Location::from_parts(options, segments), Some(location.clone()));
        assert_eq!(Location::from_parts(options, 0), None);
        assert_eq!(Location::from_parts(options, 4), None);
        assert_eq!(Location::from_parts(&options[..2], 1), None);
        assert_eq!(location.push(&[0; 256], 1_000), None);
    }
}
