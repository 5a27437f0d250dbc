//! How options are laid out in a message: the only code that knows (RFC 7252 §3.1).

use crate::cursor::Cursor;
use crate::{ParseErrorKind, WriteError};

/// Stands before a payload, where an option could start.
pub(crate) const MARKER: u8 = 0xff;

/// Checks the options that begin at `start`, and returns where they end, and the number of the last
/// one: there `bytes` end, or a payload marker stands there and at least one byte behind it. `None` if
/// anything is wrong with them; [`fault`] says what.
///
/// This is the way of every good message, and made to be short: it adds up lengths and looks at no
/// value. That one runs past the end shows when the next option is looked for.
#[inline(always)]
pub(crate) fn options_end(bytes: &[u8], start: usize) -> Option<(usize, u16)> {
    // Numbers only grow, so that one look at the end covers all options. No slice has room for so
    // many of them that 64 bits wrap.
    let mut number: u64 = 0;
    let mut at = start;
    while let Some(&head) = bytes.get(at) {
        // `at` is in a slice, which takes half of all addresses at most: a few more do not wrap.
        at = at.wrapping_add(1);
        let mut delta = usize::from(head >> 4);
        // One comparison finds the marker, too.
        if head >= 13 << 4 {
            if head == MARKER {
                let last = u16::try_from(number).ok().filter(|_| at < bytes.len())?;
                return Some((at.wrapping_sub(1), last));
            }
            (delta, at) = extension(bytes, at, delta)?;
        }
        number = number.wrapping_add(delta as u64);
        let length = usize::from(head & 0x0f);
        if length < 13 {
            at = at.wrapping_add(length);
        } else {
            let (length, value) = extension(bytes, at, length)?;
            at = value.saturating_add(length);
        }
    }
    let last = u16::try_from(number).ok().filter(|_| at == bytes.len())?;
    Some((at, last))
}

/// A delta or length that has a byte or two of its own at `at`, and where they end.
#[inline]
fn extension(bytes: &[u8], at: usize, nibble: usize) -> Option<(usize, usize)> {
    let first = usize::from(*bytes.get(at)?);
    let at = at.wrapping_add(1);
    match nibble {
        13 => Some((first.wrapping_add(13), at)),
        14 => {
            let second = usize::from(*bytes.get(at)?);
            Some((((first << 8) | second).saturating_add(269), at.wrapping_add(1)))
        }
        _ => None,
    }
}

/// What is wrong with a body whose options [`options_end`] does not accept, and the offset in it of
/// the option or marker that is at fault.
///
/// It walks a second time, so that the first one need not keep account of where it is.
#[cold]
pub(crate) fn fault(body: &[u8]) -> (ParseErrorKind, usize) {
    let mut rest = Cursor::new(body);
    let mut number: u32 = 0;
    let mut above = None;
    loop {
        let at = rest.offset_in(body);
        match rest.u8() {
            Some(MARKER) if rest.rest().is_empty() => return (ParseErrorKind::EmptyPayload, at),
            // All else is right, so it is this.
            Some(MARKER) | None => return (ParseErrorKind::OptionNumber, above.unwrap_or_default()),
            Some(head) => match decode(&mut rest, head) {
                Ok((delta, _)) => number = number.saturating_add(delta),
                Err(kind) => return (kind, at),
            },
        }
        if number > u32::from(u16::MAX) {
            above = above.or(Some(at));
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
    rare();
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

/// Tells the compiler to lay out the code of short heads in one piece, and that of long ones aside.
#[inline]
#[cold]
fn rare() {}

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

    fn checked(body: &[u8]) -> Result<usize, (Kind, usize)> {
        // Behind other bytes it is the same.
        let behind = [&[0xff; 3][..], body].concat();
        assert_eq!(options_end(&behind, 3), options_end(body, 0).map(|(end, last)| (end + 3, last)));
        options_end(body, 0).map(|(end, _)| end).ok_or_else(|| fault(body))
    }

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
        assert_eq!(checked(&[]), Ok(0));
        assert_eq!(checked(&[0xff, 0xff]), Ok(0));
        assert_eq!(checked(&[0x11, 0xff]), Ok(2), "0xff within a value");
        assert_eq!(checked(&[0x11, 0xff, 0xff, 0]), Ok(2));
        assert_eq!(checked(&[0x11, 0, 0xff]), Err((Kind::EmptyPayload, 2)));
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
            assert_eq!(checked(bytes), Err((kind, 0)), "{bytes:02x?}");
            let behind = [&[0x12, 0xff, 0xff][..], bytes].concat();
            assert_eq!(checked(&behind), Err((kind, 3)), "{behind:02x?}");
        }
    }

    // All bodies of up to five bytes that matter to one of the branches.
    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn what_is_accepted_can_be_read_and_nothing_else_is_accepted() {
        const BYTES: [u8; 12] = [0x00, 0x01, 0x0d, 0x0e, 0x0f, 0x20, 0xd0, 0xd1, 0xdd, 0xe0, 0xf0, 0xff];
        let mut bodies = alloc::vec![Vec::new()];
        for length in 0..=5 {
            for body in &bodies {
                let mut rest = Cursor::new(body);
                let mut number = 0;
                let mut end = None;
                while let Some(head) = rest.u8().filter(|&head| head != MARKER) {
                    let Ok((delta, _)) = decode(&mut rest, head) else { break };
                    number += delta;
                    end = Some(rest.offset_in(body));
                }
                let end = end.unwrap_or_default();
                let last = u16::try_from(number).ok().filter(|_| matches!(body[end..], [] | [MARKER, _, ..]));
                assert_eq!(options_end(body, 0), last.map(|last| (end, last)), "{body:02x?}");
            }
            if length < 5 {
                let longer = |body: &Vec<u8>| BYTES.map(|byte| [&body[..], &[byte]].concat());
                bodies = bodies.iter().flat_map(longer).collect();
            }
        }
    }

    #[test]
    fn numbers_end_at_65535() {
        let last = [0xe0, 0xfe, 0xf2];
        assert_eq!(checked(&last), Ok(3));
        assert_eq!(checked(&[&last[..], &[0x00]].concat()), Ok(4));
        let above = Err((Kind::OptionNumber, 3));
        assert_eq!(checked(&[&last[..], &[0x10]].concat()), above);
        assert_eq!(checked(&[&last[..], &[0x10, 0xff, 1]].concat()), above);
        assert_eq!(checked(&[0xe0, 0xfe, 0xf3]), Err((Kind::OptionNumber, 0)));
        assert_eq!(checked(&[0xe0, 0xff, 0xff, 0x00]), Err((Kind::OptionNumber, 0)));
    }

    // 2^32 / 65804 of the largest deltas bring a sum of 32 bits back to where it was.
    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn a_number_that_wraps_is_still_too_large() {
        let mut body = [0xe0, 0xff, 0xff].repeat(65_269);
        let sum = 65_269_u64 * 65_804;
        let rest = (1_u64 << 32).checked_sub(sum).unwrap();
        assert!(rest < 65_804, "one more option, and the sum is 2^32");
        let rest = u16::try_from(rest - 269).unwrap().to_be_bytes();
        body.extend([0xe0, rest[0], rest[1]]);
        assert_eq!(checked(&body), Err((Kind::OptionNumber, 0)));
    }
}
