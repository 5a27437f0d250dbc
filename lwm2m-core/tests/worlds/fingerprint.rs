//! What a state is, whenever it is: a hash in which every instant counts from now.

use core::hash::{Hash, Hasher};
use std::hash::DefaultHasher;

use lwm2m_core::Instant;

/// Where the time of all worlds begins, in microseconds. No other number of a client comes near.
pub(crate) const BEGINNING: u64 = 1 << 46;
/// Core time, in which a client keeps its deadlines, is so far ahead of the embedder's.
const CORE: u64 = 1 << 50;
/// So long a world lasts at most: two hundred days.
const SPAN: u64 = 1 << 44;

/// A hash of values that hold instants.
pub(crate) struct Relative {
    inner: DefaultHasher,
    now: u64,
    /// The last number, which [`Self::without_last`] takes back.
    last: Option<u32>,
}

impl Relative {
    pub(crate) fn to(now: Instant) -> Self {
        Self { inner: DefaultHasher::new(), now: now.as_micros(), last: None }
    }

    /// The same without the last number of 32 bits: a client's counter of changes says how often it
    /// changed, and not what it is.
    pub(crate) fn without_last(&mut self) {
        self.last = None;
    }

    fn flush(&mut self) {
        if let Some(last) = self.last.take() {
            self.inner.write_u32(last);
        }
    }
}

impl Hasher for Relative {
    fn write(&mut self, bytes: &[u8]) {
        self.flush();
        self.inner.write(bytes);
    }

    fn write_u32(&mut self, number: u32) {
        self.flush();
        self.last = Some(number);
    }

    fn write_u64(&mut self, number: u64) {
        self.flush();
        let since = |beginning: u64| number.checked_sub(beginning).filter(|passed| *passed < SPAN);
        let relative = [BEGINNING, CORE + BEGINNING].into_iter().position(|beginning| since(beginning).is_some());
        self.inner.write_u8(relative.map_or(2, |which| which as u8));
        let origin = relative.map_or(0, |which| if which == 0 { self.now } else { CORE + self.now });
        self.inner.write_u64(number.wrapping_sub(origin));
    }

    fn finish(&self) -> u64 {
        let mut inner = self.inner.clone();
        if let Some(last) = self.last {
            inner.write_u32(last);
        }
        inner.finish()
    }
}

/// The fingerprint of something at `now`.
pub(crate) fn of(now: Instant, hash: impl FnOnce(&mut Relative)) -> u64 {
    let mut hasher = Relative::to(now);
    hash(&mut hasher);
    hasher.finish()
}

#[test]
fn what_lies_as_far_ahead_is_the_same() {
    let at = |now: u64, deadline: u64| {
        let (now, deadline) = (BEGINNING + now, CORE + BEGINNING + deadline);
        of(Instant::from_micros(now), |hasher| (deadline, 7_u64).hash(hasher))
    };
    assert_eq!(at(5, 10), at(105, 110));
    assert_ne!(at(5, 10), at(5, 11));
    let counted = |number: u32, changes: u32| {
        of(Instant::from_micros(BEGINNING), |hasher| {
            (number, changes).hash(hasher);
            hasher.without_last();
        })
    };
    assert_eq!(counted(1, 2), counted(1, 3));
    assert_ne!(counted(1, 2), counted(2, 2));
}
