//! Room for the text of one name, without an allocator.

use core::fmt::{self, Write as _};

use crate::MAX_LEN;

/// At most [`MAX_LEN`] bytes. Equal and sorted as the text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Buffer {
    // Zero behind `len`, so that the derived comparisons are those of the text.
    bytes: [u8; MAX_LEN],
    len: u8,
}

impl Buffer {
    /// Writes a text made of checked parts: it fits (see the sum in `parse`).
    pub(crate) fn of(text: fmt::Arguments<'_>) -> Self {
        let mut writer = Writer(Self { bytes: [0; MAX_LEN], len: 0 });
        let written = writer.write_fmt(text);
        debug_assert!(written.is_ok());
        writer.0
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only whole texts are written into the buffer, so this is always possible.
        let written = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        str::from_utf8(written).unwrap_or_default()
    }
}

/// Keeps `fmt::Write` out of the finished buffer: nobody may add to it.
struct Writer(Buffer);

impl fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let slot = self.0.bytes.get_mut(usize::from(self.0.len)).ok_or(fmt::Error)?;
            *slot = byte;
            self.0.len = self.0.len.saturating_add(1);
        }
        Ok(())
    }
}
