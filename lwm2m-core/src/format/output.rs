//! A buffer that is filled from its start: the only place of the encoders that counts bytes.
//!
//! It holds a body as a whole, or the part of a longer one that a block of an answer carries
//! (RFC 7959): then whatever lies outside is counted and dropped.

use super::FAILED;
use crate::base::mixer::Mixer;
use crate::base::value::Stop;

/// How many bytes before a part must be in its buffer too, for [`Output::part`]: an encoder may yet
/// put so many in front of them (the longest headers of an Object Instance and of a multiple resource).
pub(crate) const SLACK: usize = 12;

/// The longest number in plain decimal notation.
const LONGEST_NUMBER: usize = 352;

/// So many bytes of a value can be copied without a call.
pub(super) const FEW: usize = 32;

/// The room for these, and up to seven bytes before them.
const ROOM_FOR_FEW: usize = 8 + FEW;

/// Content up to so many bytes moves on in one move.
const MOVED: usize = 16;

/// The room for that, and up to seven bytes before it.
const ROOM_TO_MOVE: usize = 8 + MOVED;

/// Bytes that are made on the way and only looked at, in one go.
const WINDOW: usize = 64;

/// The written part of a buffer, and the room behind it. Of a whole body, a call that does not fit
/// changes nothing.
#[derive(Debug)]
pub(crate) struct Output<'b> {
    bytes: &'b mut [u8],
    /// How many bytes the body has so far.
    used: usize,
    part: Option<Part<'b>>,
}

/// What becomes of a body that the buffer need not hold as a whole.
#[derive(Debug)]
struct Part<'b> {
    /// The buffer. That of the whole body is empty then, so that whoever writes to it finds no room, and
    /// comes here without a question of its own.
    bytes: &'b mut [u8],
    /// Where in the body the buffer begins.
    base: usize,
    /// Takes note of everything that is written.
    transcript: Option<&'b mut Mixer>,
}

impl<'b> Output<'b> {
    /// The whole body, which must fit into `bytes`.
    pub(crate) const fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, used: 0, part: None }
    }

    /// The part of a body that begins at `base` and is as long as `bytes`. Of an encoder that puts
    /// headers in front, the first [`SLACK`] bytes are good only when `base` is 0.
    pub(crate) const fn part(bytes: &'b mut [u8], base: usize) -> Self {
        Self { bytes: &mut [], used: 0, part: Some(Part { bytes, base, transcript: None }) }
    }

    /// Nothing but the length of a body, and a hash of it: equal bodies give equal hashes.
    pub(crate) fn measure(transcript: &'b mut Mixer) -> Self {
        let part = Part { bytes: &mut [], base: 0, transcript: Some(transcript) };
        Self { bytes: &mut [], used: 0, part: Some(part) }
    }

    /// How many bytes were written, dropped ones included.
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// What was written.
    #[cfg(any(test, feature = "json"))]
    pub(super) fn written(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }

    /// What was written, for as long as the buffer lives.
    pub(super) fn into_written(self) -> &'b [u8] {
        let bytes: &'b [u8] = self.bytes;
        bytes.get(..self.used).unwrap_or_default()
    }

    /// What was written from `start` on.
    #[cfg(feature = "json")]
    pub(super) fn written_from(&mut self, start: usize) -> &mut [u8] {
        self.bytes.get_mut(start..self.used).unwrap_or_default()
    }

    /// Takes back what was written behind the first `length` bytes.
    #[cfg(feature = "json")]
    pub(super) fn truncate(&mut self, length: usize) {
        self.used = self.used.min(length);
    }

    /// The next `length` bytes of a whole body.
    fn claim(&mut self, length: usize) -> Result<&mut [u8], Stop> {
        let end = self.used.checked_add(length).ok_or(FAILED)?;
        let claimed = self.bytes.get_mut(self.used..end).ok_or(FAILED)?;
        self.used = end;
        Ok(claimed)
    }

    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match self.claim(bytes.len()) {
            Ok(room) => {
                room.copy_from_slice(bytes);
                Ok(())
            }
            Err(_) => self.put_part(bytes),
        }
    }

    /// Puts the first `length` of eight bytes, the high ones of `bytes` first, if there is room for all
    /// eight: in one move, which costs less than a copy of just so many; what comes next overwrites the
    /// others. False when there is no such room, and nothing happened.
    #[inline(always)]
    pub(super) fn put_few(&mut self, bytes: u64, length: u32) -> bool {
        let Some(room) = window(self.bytes, self.used) else { return false };
        *room = bytes.to_be_bytes();
        // Still within the buffer.
        self.used = self.used.wrapping_add((length & 7) as usize);
        true
    }

    /// The same of up to seven bytes, and up to [`FEW`] more behind them. These go in two moves of a fixed
    /// length, the second over the end of the first: a call of `memcpy` costs more.
    #[inline(always)]
    pub(super) fn put_few_and(&mut self, few: u64, length: u32, bytes: &[u8]) -> bool {
        if bytes.len() > FEW {
            return false;
        }
        let Some(room) = window::<ROOM_FOR_FEW>(self.bytes, self.used) else { return false };
        if let Some(front) = room.first_chunk_mut() {
            *front = few.to_be_bytes();
        }
        let length = (length & 7) as usize;
        if let Some(place) = room.get_mut(length..).and_then(|room| room.get_mut(..bytes.len())) {
            copy_few(place, bytes);
        }
        // Still within the buffer.
        self.used = self.used.wrapping_add(length).wrapping_add(bytes.len());
        true
    }

    /// Lets `write` fill the front of some room; it says how much it took, or `None` when that was
    /// too little.
    pub(super) fn put_with(&mut self, mut write: impl FnMut(&mut [u8]) -> Option<usize>) -> Result<(), Stop> {
        self.put_by(&mut write)
    }

    fn put_by(&mut self, write: &mut dyn FnMut(&mut [u8]) -> Option<usize>) -> Result<(), Stop> {
        if self.part.is_some() {
            let mut room = [0; LONGEST_NUMBER];
            let length = write(&mut room).ok_or(FAILED)?;
            return self.put_part(room.get(..length).ok_or(FAILED)?);
        }
        let room = self.bytes.get_mut(self.used..).ok_or(FAILED)?;
        let length = write(room).ok_or(FAILED)?;
        self.claim(length)?;
        Ok(())
    }

    /// The next `length` bytes, which `fill` copies from an offset: only those that are kept.
    pub(super) fn put_filled(&mut self, length: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        let Some(part) = &mut self.part else {
            fill(0, self.claim(length)?);
            return Ok(());
        };
        let (begin, end) = (self.used, self.used.checked_add(length).ok_or(FAILED)?);
        self.used = end;
        if let Some(transcript) = &mut part.transcript {
            note(transcript, length, begin);
            let mut window = [0; WINDOW];
            for offset in (0..length).step_by(WINDOW) {
                let window = window.get_mut(..length.saturating_sub(offset).min(WINDOW)).unwrap_or_default();
                fill(offset, window);
                transcript.bytes(window);
            }
        }
        let first = begin.max(part.base);
        let kept = first.saturating_sub(part.base)..end.saturating_sub(part.base).min(part.bytes.len());
        if let Some(kept) = part.bytes.get_mut(kept).filter(|kept| !kept.is_empty()) {
            fill(first.saturating_sub(begin), kept);
        }
        Ok(())
    }

    /// Puts the first `length` of eight bytes, at most seven, in front of what was written from `at` on, if
    /// that is few enough to move on in one move, and there is room for it. False when nothing happened.
    #[inline]
    pub(super) fn insert_few(&mut self, at: usize, few: u64, length: u32) -> bool {
        if self.used.wrapping_sub(at) > MOVED {
            return false;
        }
        let Some(room) = window::<ROOM_TO_MOVE>(self.bytes, at) else { return false };
        let Some(content) = room.first_chunk::<MOVED>().copied() else { return false };
        if let Some(front) = room.first_chunk_mut() {
            *front = few.to_be_bytes();
        }
        let length = (length & 7) as usize;
        if let Some(place) = room.get_mut(length..).and_then(|room| room.first_chunk_mut()) {
            *place = content;
        }
        // Still within the buffer.
        self.used = self.used.wrapping_add(length);
        true
    }

    /// Puts `bytes` in front of what was written from `at` on.
    pub(super) fn insert(&mut self, at: usize, bytes: &[u8]) -> Result<(), Stop> {
        let written = self.used;
        let Some(part) = &mut self.part else {
            self.claim(bytes.len())?;
            let tail = self.bytes.get_mut(at..self.used).ok_or(FAILED)?;
            // `claim` saw to it that the tail is longer than the bytes by what is moved.
            tail.copy_within(..written.saturating_sub(at), bytes.len());
            tail.get_mut(..bytes.len()).ok_or(FAILED)?.copy_from_slice(bytes);
            return Ok(());
        };
        self.used = written.checked_add(bytes.len()).ok_or(FAILED)?;
        if let Some(transcript) = &mut part.transcript {
            note(transcript, bytes.len(), at);
            transcript.bytes(bytes);
        }
        // What stands behind moves on, and over the end of the buffer.
        if let Some(tail) = part.bytes.get_mut(at.saturating_sub(part.base)..) {
            let staying = tail.len().saturating_sub(bytes.len());
            tail.copy_within(..staying, tail.len().saturating_sub(staying));
        }
        lay(part.bytes, part.base, at, bytes);
        Ok(())
    }

    #[cold]
    fn put_part(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let Some(part) = &mut self.part else { return Err(FAILED) };
        let at = self.used;
        self.used = at.checked_add(bytes.len()).ok_or(FAILED)?;
        if let Some(transcript) = &mut part.transcript {
            note(transcript, bytes.len(), at);
            transcript.bytes(bytes);
        }
        lay(part.bytes, part.base, at, bytes);
        Ok(())
    }
}

/// `N` bytes from `at` on, if there are as many.
#[inline(always)]
fn window<const N: usize>(bytes: &mut [u8], at: usize) -> Option<&mut [u8; N]> {
    bytes.get_mut(at..at.checked_add(N)?)?.first_chunk_mut()
}

/// Copies up to [`FEW`] bytes into as much room.
#[inline(always)]
fn copy_few(room: &mut [u8], bytes: &[u8]) {
    match bytes.len() {
        16.. => ends::<16>(room, bytes),
        8.. => ends::<8>(room, bytes),
        4.. => ends::<4>(room, bytes),
        2.. => ends::<2>(room, bytes),
        _ => ends::<1>(room, bytes),
    }
}

/// Copies the first and the last `N` bytes.
#[inline(always)]
fn ends<const N: usize>(room: &mut [u8], bytes: &[u8]) {
    if let (Some(place), Some(bytes)) = (room.first_chunk_mut::<N>(), bytes.first_chunk()) {
        *place = *bytes;
    }
    if let (Some(place), Some(bytes)) = (room.last_chunk_mut::<N>(), bytes.last_chunk()) {
        *place = *bytes;
    }
}

/// Notes where bytes come to stand, so that two ways of putting bytes together are told apart.
fn note(transcript: &mut Mixer, length: usize, at: usize) {
    [length, at].into_iter().for_each(|number| transcript.number(number as u64));
}

/// Copies `bytes`, which stand at `at` of the body, into a buffer that begins at `base`: those that
/// belong there.
fn lay(buffer: &mut [u8], base: usize, at: usize, bytes: &[u8]) {
    let kept = bytes.get(base.saturating_sub(at)..).unwrap_or_default();
    let places = buffer.get_mut(at.saturating_sub(base)..).unwrap_or_default();
    for (place, byte) in places.iter_mut().zip(kept) {
        *place = *byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut room = [0; 4];
        let mut output = Output::new(&mut room);
        output.put(b"abc").unwrap();
        assert_eq!(output.put(b"de"), Err(FAILED));
        assert_eq!(output.insert(1, b"de"), Err(FAILED));
        assert_eq!(output.claim(usize::MAX).unwrap_err(), FAILED);
        assert_eq!(output.put_with(|_| None), Err(FAILED));
        assert_eq!(output.put_with(|_| Some(2)), Err(FAILED));
        assert_eq!(output.written(), b"abc");
        output.put(b"d").unwrap();
        assert_eq!(output.into_written(), b"abcd");
    }

    #[test]
    fn an_insertion_moves_what_stands_behind_it() {
        let mut room = [0; 8];
        let mut output = Output::new(&mut room);
        output.put(b"abcd").unwrap();
        output.insert(1, b"xy").unwrap();
        assert_eq!(output.written(), b"axybcd");
        output.insert(output.used(), b"z").unwrap();
        output.insert(0, b"").unwrap();
        assert_eq!(output.written(), b"axybcdz");
    }

    #[test]
    fn what_goes_in_one_move_is_what_goes_byte_by_byte() {
        let bytes: [u8; 40] = core::array::from_fn(|index| index as u8 + 1);
        let few = u64::from_be_bytes([0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8]);
        for room in 0..80 {
            for (length, count) in (1..8).flat_map(|length| (0..40).map(move |count| (length, count))) {
                let front = &few.to_be_bytes()[..length];
                let (mut plain, mut quick) = ([0; 80], [0; 80]);
                let mut plain = Output::new(&mut plain[..room]);
                let mut output = Output::new(&mut quick[..room]);
                let started = plain.put(b"before").and_then(|()| output.put(b"before"));
                let done = output.put_few_and(few, length as u32, &bytes[..count]);
                assert!(!done || started.is_ok(), "there is room to spare");
                assert_eq!(done, count <= FEW && room >= 6 + 8 + FEW);
                if done {
                    plain.put(front).and_then(|()| plain.put(&bytes[..count])).unwrap();
                }
                assert_eq!(output.written(), plain.written());
                let done = output.put_few(few, length as u32);
                if done {
                    plain.put(front).unwrap();
                }
                assert_eq!(output.written(), plain.written());
                let at = output.used().saturating_sub(count);
                let moved = output.used() - at;
                let done = output.insert_few(at, few, length as u32);
                assert_eq!(done, moved <= MOVED && room >= at + 8 + MOVED);
                if done {
                    plain.insert(at, front).unwrap();
                }
                assert_eq!(output.written(), plain.written());
            }
        }
        // Of a part nothing goes in one move.
        let mut room = [0; 80];
        let mut output = Output::part(&mut room, 0);
        assert!(!output.put_few(few, 2) && !output.put_few_and(few, 2, b"") && !output.insert_few(0, few, 2));
        assert_eq!(output.used(), 0);
    }

    /// A body of every kind of call, and how long it is.
    fn body(mut output: Output<'_>) -> usize {
        output.put(b"0123456789").unwrap();
        let start = output.used();
        output.put_with(|room| crate::base::decimal::write_u64(424_242, room)).unwrap();
        let inner = output.used();
        output
            .put_filled(100, &mut |offset, window| {
                for (place, at) in window.iter_mut().zip(offset..) {
                    *place = at as u8;
                }
            })
            .unwrap();
        output.insert(inner, b"inner.").unwrap();
        output.put(b"after").unwrap();
        output.insert(start, b"outer.").unwrap();
        output.put(b"end").unwrap();
        output.used()
    }

    #[test]
    fn every_part_is_that_of_the_whole() {
        let mut whole = [0; 256];
        let total = body(Output::new(&mut whole));
        let mut transcript = Mixer::new();
        assert_eq!(body(Output::measure(&mut transcript)), total);
        for base in 0..total + 20 {
            for length in [0, 1, 7, 16, 64, 200] {
                let mut room = [0xAA; 200];
                assert_eq!(body(Output::part(&mut room[..length], base)), total);
                let good = if base == 0 { 0 } else { SLACK };
                let expected = whole[..total].iter().skip(base).take(length).skip(good);
                let kept = room[..length].iter().skip(good);
                assert!(kept.zip(expected).all(|(kept, expected)| kept == expected), "{base} {length}");
            }
        }
    }

    #[test]
    fn only_what_is_kept_is_asked_for() {
        let mut asked = alloc::vec::Vec::new();
        let mut room = [0; 10];
        let mut output = Output::part(&mut room, 100);
        output.put(b"head").unwrap();
        output.put_filled(1 << 20, &mut |offset, window| asked.push((offset, window.len()))).unwrap();
        assert_eq!(output.used(), (1 << 20) + 4);
        assert_eq!(asked, [(96, 10)]);
    }

    #[test]
    fn a_transcript_tells_bodies_apart() {
        let hash = |write: &dyn Fn(&mut Output<'_>)| {
            let mut transcript = Mixer::new();
            write(&mut Output::measure(&mut transcript));
            transcript.finish()
        };
        let ab = hash(&|output| output.put(b"ab").unwrap());
        assert_eq!(ab, hash(&|output| output.put_filled(2, &mut |_, window| window.copy_from_slice(b"ab")).unwrap()));
        let others = [
            hash(&|output| output.put(b"ba").unwrap()),
            hash(&|output| output.put(b"abc").unwrap()),
            hash(&|output| {
                output.put(b"b").unwrap();
                output.insert(0, b"b").unwrap();
            }),
        ];
        assert!(!others.contains(&ab));
    }
}
