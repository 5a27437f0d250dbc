//! Writing and reading the fields of a snapshot, with a checksum at its end.

use core::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::SnapshotError;

/// Bytes of the checksum.
const CHECKSUM: usize = 4;

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
    [a, b, c, d]
}

/// Writes fields one after the other. What no longer fits is noticed at the end.
pub(super) struct Writer<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl<'b> Writer<'b> {
    pub(super) const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(room) = self.buffer.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
        }
        // The length goes on counting, so that the error can say how much is needed.
        self.len = end;
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.raw(&[value]);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.raw(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        self.raw(bytes.get(..usize::from(u16::MAX)).unwrap_or(bytes));
    }

    pub(super) fn option(&mut self, value: Option<u32>) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            self.u32(value);
        }
    }

    /// How long the whole is with its checksum, if nothing more is written.
    pub(super) const fn length(&self) -> usize {
        self.len.saturating_add(CHECKSUM)
    }

    /// Adds the checksum; the length of the whole.
    pub(super) fn finish(mut self) -> Result<usize, SnapshotError> {
        let sum = self.buffer.get(..self.len).map(checksum);
        self.raw(&sum.unwrap_or_default());
        if self.len > self.buffer.len() { Err(SnapshotError::NoSpace { needed: self.len }) } else { Ok(self.len) }
    }
}

/// Reads the same fields. Whatever is missing is damage.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Checks the checksum first, so that damage is found before anything is believed.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        let split = bytes.len().checked_sub(CHECKSUM).ok_or(SnapshotError::Damaged)?;
        let (rest, sum) = bytes.split_at_checked(split).ok_or(SnapshotError::Damaged)?;
        if checksum(rest).as_slice() == sum { Ok(Self { rest }) } else { Err(SnapshotError::Damaged) }
    }

    /// The next `len` bytes.
    pub(super) fn raw(&mut self, len: usize) -> Result<&'a [u8], SnapshotError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(SnapshotError::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        self.raw(N)?.try_into().map_err(|_| SnapshotError::Damaged)
    }

    pub(super) fn u8(&mut self) -> Result<u8, SnapshotError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, SnapshotError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, SnapshotError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, SnapshotError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], SnapshotError> {
        let len = self.u16()?;
        self.raw(usize::from(len))
    }

    pub(super) fn option(&mut self) -> Result<Option<u32>, SnapshotError> {
        Ok(match self.u8()? {
            0 => None,
            _ => Some(self.u32()?),
        })
    }

    pub(super) fn end(&self) -> Result<(), SnapshotError> {
        if self.rest.is_empty() { Ok(()) } else { Err(SnapshotError::Damaged) }
    }
}
