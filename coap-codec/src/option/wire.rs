//! How options are laid out in a message: the only code that knows (RFC 7252 §3.1).

use crate::cursor::Cursor;
use crate::{ParseErrorKind, WriteError};

/// Stands before a payload, where an option could start.
pub(crate) const MARKER: u8 = 0xff;

/// Checks what follows the token, and returns where its options end: there it ends itself, or a
/// payload marker stands there and at least one byte behind it.
///
/// An error comes with the offset, in `body`, of the option or marker that is at fault.
#[inline]
pub(crate) fn options_end(body: &[u8]) -> Result<usize, (ParseErrorKind, usize)> {
    let mut rest = Cursor::new(body);
    let mut number: u32 = 0;
    let mut bits_seen: u32 = 0;
    let end = loop {
        let here = rest;
        let Some(head) = rest.u8() else {
            break body.len();
        };
        if head == MARKER {
            if rest.rest().is_empty() {
                return Err((ParseErrorKind::EmptyPayload, here.offset_in(body)));
            }
            break here.offset_in(body);
        }
        match decode(&mut rest, head) {
            Ok((delta, _)) => {
                number = number.wrapping_add(delta);
                bits_seen |= number;
            }
            Err(kind) => return Err((kind, here.offset_in(body))),
        }
    };
    // A delta has 17 bits at most, so that a number above 65535 shows in one of the upper bits
    // before it can wrap. One look at the end covers all options.
    if bits_seen > u32::from(u16::MAX) {
        return Err((ParseErrorKind::OptionNumber, first_above_the_bound(body)));
    }
    Ok(end)
}

/// The offset of the first option whose number is above 65535.
#[cold]
fn first_above_the_bound(options: &[u8]) -> usize {
    let mut rest = Cursor::new(options);
    let mut number: u32 = 0;
    loop {
        let here = rest;
        let delta = rest.u8().and_then(|head| decode(&mut rest, head).ok()).map(|(delta, _)| delta);
        number = number.saturating_add(delta.unwrap_or(u32::MAX));
        if number > u32::from(u16::MAX) {
            return here.offset_in(options);
        }
    }
}

/// Reads an option whose first byte is `head`: how far its number is from the one before, and
/// its value.
#[inline]
pub(super) fn decode<'a>(rest: &mut Cursor<'a>, head: u8) -> Result<(u32, &'a [u8]), ParseErrorKind> {
    let delta = extended(rest, head >> 4)?;
    let length = extended(rest, head & 0x0f)?;
    match rest.take(length as usize) {
        Some(value) => Ok((delta, value)),
        None => Err(ParseErrorKind::ValueTruncated),
    }
}

/// A delta or length, or the length of a token (RFC 8974 §2.1): the four bits, or one or two bytes
/// more.
#[inline]
pub(crate) fn extended(rest: &mut Cursor<'_>, nibble: u8) -> Result<u32, ParseErrorKind> {
    if nibble < 13 {
        return Ok(u32::from(nibble));
    }
    // At most 269 + 65535: no sum here wraps.
    match nibble {
        13 => match rest.u8() {
            Some(byte) => Ok(u32::from(byte).wrapping_add(13)),
            None => Err(ParseErrorKind::ExtensionTruncated),
        },
        14 => match rest.u16() {
            Some(word) => Ok(u32::from(word).wrapping_add(269)),
            None => Err(ParseErrorKind::ExtensionTruncated),
        },
        _ => Err(ParseErrorKind::ReservedNibble),
    }
}

/// The bytes of an option before its value: one to five.
#[derive(Clone, Copy)]
pub(crate) struct OptionHead {
    delta: u32,
    length: u32,
}

impl OptionHead {
    /// For an option `delta` above the one before it.
    ///
    /// # Errors
    ///
    /// [`WriteError::ValueTooLong`] above 65804 bytes, the most that a length can express.
    #[inline]
    pub(crate) fn new(delta: u16, value_len: usize) -> Result<Self, WriteError> {
        match u32::try_from(value_len) {
            Ok(length) if length <= 65804 => Ok(Self { delta: u32::from(delta), length }),
            _ => Err(WriteError::ValueTooLong),
        }
    }

    /// How many bytes it takes.
    #[inline]
    pub(crate) const fn len(self) -> usize {
        const fn extension(value: u32) -> usize {
            match value {
                0..13 => 0,
                13..269 => 1,
                _ => 2,
            }
        }
        extension(self.delta).wrapping_add(extension(self.length)).wrapping_add(1)
    }

    /// Writes it to the front of `room` and returns what is left, or `None` if it does not fit.
    #[inline]
    pub(crate) fn write(self, room: &mut [u8]) -> Option<&mut [u8]> {
        let (first, room) = room.split_first_mut()?;
        *first = (nibble(self.delta) << 4) | nibble(self.length);
        let room = put_extension(room, self.delta)?;
        put_extension(room, self.length)
    }
}

#[inline]
const fn nibble(value: u32) -> u8 {
    match value {
        0..13 => (value & 0x0f) as u8,
        13..269 => 13,
        _ => 14,
    }
}

#[inline]
fn put_extension(room: &mut [u8], value: u32) -> Option<&mut [u8]> {
    match value {
        0..13 => Some(room),
        13..269 => {
            let (first, room) = room.split_first_mut()?;
            *first = (value.wrapping_sub(13) & 0xff) as u8;
            Some(room)
        }
        _ => {
            let (first, room) = room.split_first_chunk_mut()?;
            *first = ((value.wrapping_sub(269) & 0xffff) as u16).to_be_bytes();
            Some(room)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ParseErrorKind as Kind;
    use alloc::vec::Vec;

    fn encoded(delta: u16, length: usize) -> Vec<u8> {
        let mut room = [0xaa; 8];
        let head = OptionHead::new(delta, length).unwrap();
        let left = head.write(&mut room).unwrap().len();
        assert_eq!(left, 8 - head.len());
        room[..head.len()].to_vec()
    }

    #[test]
    fn delta_and_length_take_no_one_or_two_bytes_more() {
        for (value, nibble, extension) in [
            (0, 0x0, &[][..]),
            (12, 0xc, &[]),
            (13, 0xd, &[0x00]),
            (14, 0xd, &[0x01]),
            (268, 0xd, &[0xff]),
            (269, 0xe, &[0x00, 0x00]),
            (270, 0xe, &[0x00, 0x01]),
            (65535, 0xe, &[0xfe, 0xf2]),
        ] {
            assert_eq!(encoded(value, 0), [&[nibble << 4][..], extension].concat());
            assert_eq!(encoded(0, value.into()), [&[nibble][..], extension].concat());
            assert_eq!(encoded(value, value.into()), [&[(nibble << 4) | nibble][..], extension, extension].concat());
        }
        assert_eq!(encoded(0, 65804), [0x0e, 0xff, 0xff]);
        assert_eq!(OptionHead::new(0, 65805).map(OptionHead::len), Err(WriteError::ValueTooLong));
        assert!(OptionHead::new(0, usize::MAX).is_err());
    }

    #[test]
    fn a_head_that_does_not_fit_is_not_written_past_the_end() {
        let head = OptionHead::new(269, 13).unwrap();
        assert_eq!(head.len(), 4);
        for room in 0..4 {
            assert!(head.write(&mut [0; 8][..room]).is_none());
        }
        assert!(head.write(&mut [0; 4]).is_some());
    }

    #[test]
    fn options_end_at_the_marker_or_with_the_body() {
        assert_eq!(options_end(&[]), Ok(0));
        assert_eq!(options_end(&[0xff, 0xff]), Ok(0));
        assert_eq!(options_end(&[0x11, 0xff]), Ok(2), "0xff within a value");
        assert_eq!(options_end(&[0x11, 0xff, 0xff, 0]), Ok(2));
        assert_eq!(options_end(&[0x11, 0, 0xff]), Err((Kind::EmptyPayload, 2)));
    }

    #[test]
    fn faults_are_placed_at_the_option_that_has_them() {
        for (bytes, kind) in [
            (&[0xf0][..], Kind::ReservedNibble),
            (&[0x0f, 0, 0, 0], Kind::ReservedNibble),
            (&[0xfe, 0, 0, 0], Kind::ReservedNibble),
            (&[0xd0], Kind::ExtensionTruncated),
            (&[0xe0, 0], Kind::ExtensionTruncated),
            (&[0x0d], Kind::ExtensionTruncated),
            (&[0x0e, 0], Kind::ExtensionTruncated),
            (&[0xdd, 0], Kind::ExtensionTruncated),
            (&[0xee, 0, 0, 0], Kind::ExtensionTruncated),
            (&[0x01], Kind::ValueTruncated),
            (&[0x0d, 0], Kind::ValueTruncated),
            (&[0x0e, 0xff, 0xff, 0], Kind::ValueTruncated),
        ] {
            assert_eq!(options_end(bytes), Err((kind, 0)), "{bytes:02x?}");
            let behind = [&[0x12, 0xff, 0xff][..], bytes].concat();
            assert_eq!(options_end(&behind), Err((kind, 3)), "{behind:02x?}");
        }
    }

    #[test]
    fn numbers_end_at_65535() {
        let last = [0xe0, 0xfe, 0xf2];
        assert_eq!(options_end(&last), Ok(3));
        assert_eq!(options_end(&[&last[..], &[0x00]].concat()), Ok(4));
        let above = Err((Kind::OptionNumber, 3));
        assert_eq!(options_end(&[&last[..], &[0x10]].concat()), above);
        assert_eq!(options_end(&[&last[..], &[0x10, 0xff, 1]].concat()), above);
        assert_eq!(options_end(&[0xe0, 0xfe, 0xf3]), Err((Kind::OptionNumber, 0)));
        assert_eq!(options_end(&[0xe0, 0xff, 0xff, 0x00]), Err((Kind::OptionNumber, 0)));
    }

    // 2^32 / 65804 of the largest deltas bring a sum of 32 bits back to where it was.
    #[test]
    fn a_number_that_wraps_is_still_too_large() {
        let mut body = [0xe0, 0xff, 0xff].repeat(65_269);
        let sum = 65_269_u64 * 65_804;
        let rest = (1_u64 << 32).checked_sub(sum).unwrap();
        assert!(rest < 65_804, "one more option, and the sum is 2^32");
        let rest = u16::try_from(rest - 269).unwrap().to_be_bytes();
        body.extend([0xe0, rest[0], rest[1]]);
        assert_eq!(options_end(&body), Err((Kind::OptionNumber, 0)));
    }
}
