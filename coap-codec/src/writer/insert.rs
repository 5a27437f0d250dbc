//! Options that come out of order: finding their place, and making room there.

use super::MessageWriter;
use crate::copy::put;
use crate::option::{OptionHead, Options};
use crate::{OptionNumber, WriteError};

impl MessageWriter<'_> {
    /// Puts an option before the first that has a larger number.
    #[cold]
    pub(super) fn insert(&mut self, number: OptionNumber, value: &[u8]) -> Result<(), WriteError> {
        let start = self.start;
        let place = Place::find(self.buffer.get(start..self.length).unwrap_or_default(), number);
        let head = OptionHead::new(number.0.wrapping_sub(place.before.0), value.len())?;
        // The option behind it is nearer to its predecessor now, so its head is written anew.
        let next_delta = place.after.0.wrapping_sub(number.0);
        let next_head = OptionHead::new(next_delta, place.after_value_len)?;

        // What begins with the value of that next option moves on from `old` to `new`.
        let at = start.saturating_add(place.offset);
        let old = at.saturating_add(place.after_head_len);
        let new = at.saturating_add(head.len()).saturating_add(value.len()).saturating_add(next_head.len());
        let growth = new.saturating_sub(old);
        let needed = self.length.saturating_add(growth);
        let moving = self.buffer.get_mut(old..needed);
        let Some(moving) = moving.filter(|moving| growth <= moving.len()) else {
            return Err(WriteError::NoSpace { needed });
        };
        moving.copy_within(..moving.len().wrapping_sub(growth), growth);
        let room = self.buffer.get_mut(at..new).unwrap_or_default();
        if let Some(room) = head.write(room).and_then(|room| put(room, value)) {
            next_head.write(room);
        }
        self.length = needed;
        Ok(())
    }
}

/// Where an option goes that has a smaller number than the last one.
struct Place {
    /// Of the first option with a larger number, in bytes from the first option.
    offset: usize,
    /// The number of the option before it, 0 if there is none.
    before: OptionNumber,
    after: OptionNumber,
    after_head_len: usize,
    after_value_len: usize,
}

impl Place {
    fn find(options: &[u8], number: OptionNumber) -> Self {
        let mut rest = Options::new(options);
        let mut before = OptionNumber(0);
        loop {
            let here = rest.rest().len();
            let offset = options.len().saturating_sub(here);
            match rest.next() {
                Some(option) if option.number <= number => before = option.number,
                after => {
                    // There is one: the last option has a larger number.
                    let (after, value_len) = after.map_or((number, 0), |option| (option.number, option.value.len()));
                    let taken = here.saturating_sub(rest.rest().len());
                    return Self {
                        offset,
                        before,
                        after,
                        after_head_len: taken.saturating_sub(value_len),
                        after_value_len: value_len,
                    };
                }
            }
        }
    }
}
