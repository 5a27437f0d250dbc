//! Copying the few bytes that most values have.

/// Copies `bytes` to the front of `room` and returns the rest of it, or `None` if they do not fit.
#[inline]
pub(crate) fn put<'r>(room: &'r mut [u8], bytes: &[u8]) -> Option<&'r mut [u8]> {
    let (room, rest) = room.split_at_mut_checked(bytes.len())?;
    if bytes.len() <= 16 {
        copy_short(room, bytes);
    } else {
        copy(room, bytes);
    }
    Some(rest)
}

/// Copies as many bytes as there are, or as there is room for.
///
/// This becomes a `memcpy` as [`copy_from_slice`](slice::copy_from_slice) does, and has no panic for
/// unlike lengths that an optimiser for size would leave in.
#[inline]
pub(crate) fn copy(room: &mut [u8], bytes: &[u8]) {
    for (to, from) in room.iter_mut().zip(bytes) {
        *to = *from;
    }
}

/// Copies up to 16 bytes into as much room.
///
/// A call of `memcpy` costs more than so few bytes themselves, and nearly all tokens and values are
/// as short. Two copies of a fixed length do without it, the second overlapping the first as far as
/// it must.
pub(crate) fn copy_short(room: &mut [u8], bytes: &[u8]) {
    if bytes.len() >= 4 {
        if bytes.len() >= 8 { ends::<8>(room, bytes) } else { ends::<4>(room, bytes) }
    } else if bytes.len() >= 2 {
        ends::<2>(room, bytes);
    } else if let (Some(room), Some(byte)) = (room.first_mut(), bytes.first()) {
        *room = *byte;
    }
}

/// Copies the first and the last `N` bytes.
#[inline]
fn ends<const N: usize>(room: &mut [u8], bytes: &[u8]) {
    if let (Some(room), Some(bytes)) = (room.first_chunk_mut::<N>(), bytes.first_chunk()) {
        *room = *bytes;
    }
    if let (Some(room), Some(bytes)) = (room.last_chunk_mut::<N>(), bytes.last_chunk()) {
        *room = *bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_copied_whole_and_nothing_behind_it() {
        let bytes: [u8; 40] = core::array::from_fn(|index| index as u8 + 1);
        for length in 0..=40 {
            let mut room = [0; 41];
            let rest = put(&mut room, &bytes[..length]).unwrap();
            assert!(rest.len() == 41 - length && rest.iter().all(|&byte| byte == 0));
            assert_eq!(room[..length], bytes[..length]);
            assert!(length == 0 || put(&mut [0; 40][..length - 1], &bytes[..length]).is_none());
        }
    }
}
