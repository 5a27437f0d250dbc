//! Base64 with padding (RFC 4648 section 4), how opaque values stand in text.

use super::FAILED;
use super::output::Output;
use crate::base::value::Stop;

/// Raw bytes that are encoded in one go: a multiple of three, so that padding comes only at the end.
const WINDOW: usize = 48;

/// Writes `bytes` as base64.
pub(super) fn encode(output: &mut Output<'_>, bytes: &[u8]) -> Result<(), Stop> {
    for group in bytes.chunks(3) {
        let quad = match *group {
            [a, b, c] => [symbol(a >> 2), symbol((a << 4) | (b >> 4)), symbol((b << 2) | (c >> 6)), symbol(c)],
            [a, b] => [symbol(a >> 2), symbol((a << 4) | (b >> 4)), symbol(b << 2), b'='],
            [a] => [symbol(a >> 2), symbol(a << 4), b'=', b'='],
            _ => return Err(FAILED),
        };
        output.put(&quad)?;
    }
    Ok(())
}

/// Writes `length` bytes, that `fill` copies from an offset, as base64.
pub(super) fn encode_from(
    output: &mut Output<'_>,
    length: usize,
    fill: &mut dyn FnMut(usize, &mut [u8]),
) -> Result<(), Stop> {
    let mut window = [0; WINDOW];
    for offset in (0..length).step_by(WINDOW) {
        let window = window.get_mut(..length.saturating_sub(offset).min(WINDOW)).unwrap_or_default();
        fill(offset, window);
        encode(output, window)?;
    }
    Ok(())
}

/// The character of the low six bits.
fn symbol(bits: u8) -> u8 {
    match bits & 0x3F {
        n @ 0..26 => b'A'.wrapping_add(n),
        n @ 26..52 => b'a'.wrapping_add(n.wrapping_sub(26)),
        n @ 52..62 => b'0'.wrapping_add(n.wrapping_sub(52)),
        62 => b'+',
        _ => b'/',
    }
}

/// The six bits of a character.
fn bits(symbol: u8) -> Option<u8> {
    match symbol {
        b'A'..=b'Z' => Some(symbol.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(symbol.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(symbol.wrapping_sub(b'0').wrapping_add(52)),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Why a text could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Error {
    /// It is not base64, lacks its padding, or has bits set that nobody would read.
    Malformed,
    /// The decoded bytes need more room.
    NoRoom,
}

/// Decodes `text` into the front of `room`.
pub(super) fn decode<'r>(text: &[u8], room: &'r mut [u8]) -> Result<&'r [u8], Error> {
    let (quads, []) = text.as_chunks::<4>() else { return Err(Error::Malformed) };
    let Some((last, full)) = quads.split_last() else { return Ok(&[]) };
    let mut output = Output::new(room);
    for quad in full {
        decode_full(*quad, &mut output)?;
    }
    match *last {
        [a, b, b'=', b'='] => decode_padded([a, b, b'A', b'A'], 1, &mut output)?,
        [a, b, c, b'='] => decode_padded([a, b, c, b'A'], 2, &mut output)?,
        quad => decode_full(quad, &mut output)?,
    }
    Ok(output.into_written())
}

/// Decodes a text where it stands, and tells how many bytes there are now.
#[cfg(feature = "json")]
pub(super) fn decode_in_place(text: &mut [u8]) -> Option<usize> {
    let mut used = 0usize;
    for start in (0..text.len()).step_by(4) {
        let quad: [u8; 4] = *text.get(start..)?.first_chunk()?;
        let (quad, length) = match quad {
            // Padding is for the last quad.
            [_, _, _, b'='] if text.len().saturating_sub(start) > 4 => return None,
            [a, b, b'=', b'='] => ([a, b, b'A', b'A'], 1),
            [a, b, c, b'='] => ([a, b, c, b'A'], 2),
            quad => (quad, 3),
        };
        let bytes = group(quad)?;
        let (bytes, rest) = bytes.split_at_checked(length)?;
        if rest.iter().any(|bits| *bits != 0) {
            return None;
        }
        text.get_mut(used..)?.get_mut(..length)?.copy_from_slice(bytes);
        used = used.saturating_add(length);
    }
    Some(used)
}

fn decode_full(quad: [u8; 4], output: &mut Output<'_>) -> Result<(), Error> {
    let bytes = group(quad).ok_or(Error::Malformed)?;
    output.put(&bytes).map_err(|_| Error::NoRoom)
}

/// A quad that stands for fewer than three bytes: the bits behind those must be zero, so that a
/// value has one form only.
fn decode_padded(quad: [u8; 4], length: usize, output: &mut Output<'_>) -> Result<(), Error> {
    let bytes = group(quad).ok_or(Error::Malformed)?;
    match bytes.split_at_checked(length) {
        Some((bytes, [0, ..])) => output.put(bytes).map_err(|_| Error::NoRoom),
        _ => Err(Error::Malformed),
    }
}

fn group([a, b, c, d]: [u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = [bits(a)?, bits(b)?, bits(c)?, bits(d)?];
    Some([(a << 2) | (b >> 4), (b << 4) | (c >> 2), (c << 6) | d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn encoded(bytes: &[u8]) -> Vec<u8> {
        let mut room = [0; 1024];
        let mut output = Output::new(&mut room);
        encode(&mut output, bytes).unwrap();
        output.written().to_vec()
    }

    fn decoded(text: &[u8]) -> Result<Vec<u8>, Error> {
        decode(text, &mut [0; 1024]).map(<[u8]>::to_vec)
    }

    #[test]
    fn the_vectors_of_the_rfc_hold_both_ways() {
        // RFC 4648 section 10.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encoded(bytes.as_bytes()), text.as_bytes());
            assert_eq!(decoded(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encoded(&[0xFB, 0xEF, 0xFF]), b"++//");
    }

    #[test]
    fn what_the_encoder_never_writes_is_refused() {
        for text in [
            "Z", "Zg", "Zg=", "Zm8", "Zg==Zg==", "=", "====", "Z===", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm9v====",
            "Zm9-", "Zm9_", "Zm=v", "Z\u{e9}g",
        ] {
            assert_eq!(decoded(text.as_bytes()), Err(Error::Malformed), "{text:?}");
        }
    }

    #[test]
    fn too_little_room_is_told_from_a_bad_text() {
        assert_eq!(decode(b"Zm9vYg==", &mut [0; 3]), Err(Error::NoRoom));
        assert_eq!(decode(b"Zm9vYmE=", &mut [0; 5]), Ok(&b"fooba"[..]));
        assert!(encode(&mut Output::new(&mut [0; 3]), b"f").is_err());
    }

    proptest! {
        #[test]
        fn it_reads_back_and_windows_leave_no_seams(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(&decoded(&encoded(&bytes)).unwrap(), &bytes);

            let mut room = [0; 1024];
            let mut output = Output::new(&mut room);
            let mut fill = |offset: usize, window: &mut [u8]| window.copy_from_slice(&bytes[offset..][..window.len()]);
            encode_from(&mut output, bytes.len(), &mut fill).unwrap();
            prop_assert_eq!(output.written(), encoded(&bytes));
        }

        #[test]
        #[cfg(feature = "json")]
        fn decoding_in_place_is_no_other(text in prop::collection::vec(prop_oneof![b'A'..=b'D', Just(b'='), any::<u8>()], 0..16)) {
            let mut place = text.clone();
            let length = decode_in_place(&mut place);
            prop_assert_eq!(length.map(|length| place[..length].to_vec()), decoded(&text).ok());
        }

        #[test]
        fn what_it_reads_it_writes_the_same(text in prop::collection::vec(prop_oneof![b'A'..=b'D', Just(b'='), any::<u8>()], 0..16)) {
            if let Ok(bytes) = decoded(&text) {
                prop_assert_eq!(encoded(&bytes), text);
            }
        }
    }
}
