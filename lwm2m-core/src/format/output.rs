//! A buffer that is filled from its start: the only place of the encoders that counts bytes.

use super::FAILED;
use crate::base::value::Stop;

/// The written part of a buffer, and the room behind it. A call that does not fit changes nothing.
#[derive(Debug)]
pub(super) struct Output<'b> {
    bytes: &'b mut [u8],
    used: usize,
}

impl<'b> Output<'b> {
    pub(super) const fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, used: 0 }
    }

    /// How many bytes were written.
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// What was written.
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

    /// The next `length` bytes, for the caller to fill.
    pub(super) fn claim(&mut self, length: usize) -> Result<&mut [u8], Stop> {
        let end = self.used.checked_add(length).ok_or(FAILED)?;
        let claimed = self.bytes.get_mut(self.used..end).ok_or(FAILED)?;
        self.used = end;
        Ok(claimed)
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.claim(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    /// Lets `write` fill the front of all the room there is; it says how much it took, or `None`
    /// when that was too little.
    pub(super) fn put_with(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Result<(), Stop> {
        let room = self.bytes.get_mut(self.used..).ok_or(FAILED)?;
        let length = write(room).ok_or(FAILED)?;
        self.claim(length)?;
        Ok(())
    }

    /// Puts `bytes` in front of what was written from `at` on.
    pub(super) fn insert(&mut self, at: usize, bytes: &[u8]) -> Result<(), Stop> {
        let written = self.used;
        self.claim(bytes.len())?;
        let tail = self.bytes.get_mut(at..self.used).ok_or(FAILED)?;
        // `claim` saw to it that the tail is longer than the bytes by what is moved.
        tail.copy_within(..written.saturating_sub(at), bytes.len());
        tail.get_mut(..bytes.len()).ok_or(FAILED)?.copy_from_slice(bytes);
        Ok(())
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
}
