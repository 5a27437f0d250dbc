//! Text that is written into room of a fixed size, by `core::fmt` or piece by piece.

use core::fmt;

use crate::copy::copy;

/// Takes text as long as there is room, and counts it on behind that.
pub(crate) struct Text<'b> {
    room: &'b mut [u8],
    /// How many bytes there are in `room`: whole characters.
    kept: usize,
    /// How many bytes the text has.
    length: usize,
}

impl<'b> Text<'b> {
    pub(crate) const fn new(room: &'b mut [u8]) -> Self {
        Self { room, kept: 0, length: 0 }
    }

    pub(crate) fn put(&mut self, text: &str) {
        // Once something was left out, nothing may follow.
        if self.kept == self.length {
            let free = self.room.get_mut(self.kept..).unwrap_or_default();
            let mut fitting = free.len().min(text.len());
            while !text.is_char_boundary(fitting) {
                fitting = fitting.saturating_sub(1);
            }
            copy(free, text.as_bytes().get(..fitting).unwrap_or_default());
            self.kept = self.kept.saturating_add(fitting);
        }
        self.length = self.length.saturating_add(text.len());
    }

    /// How many bytes of the room are text.
    pub(crate) const fn kept(&self) -> usize {
        self.kept
    }

    /// How many bytes the text would have had with enough room.
    pub(crate) const fn length(&self) -> usize {
        self.length
    }

    /// The text, if there was room for all of it.
    pub(crate) fn finish(self) -> Option<&'b str> {
        let room: &'b [u8] = self.room;
        core::str::from_utf8(room.get(..self.length)?).ok()
    }
}

/// Never fails.
impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_between_characters_and_counted() {
        for (size, kept) in [(0, ""), (1, "a"), (2, "a"), (3, "aä"), (4, "aä"), (5, "aä"), (6, "aä€"), (7, "aä€b")]
        {
            let mut room = [0; 7];
            let mut text = Text::new(&mut room[..size]);
            for piece in ["a", "", "ä€", "b"] {
                text.put(piece);
            }
            assert_eq!((text.kept(), text.length()), (kept.len(), 7), "{size}");
            assert_eq!(text.finish(), (size == 7).then_some("aä€b"));
            assert_eq!(&room[..kept.len()], kept.as_bytes());
        }
    }
}
