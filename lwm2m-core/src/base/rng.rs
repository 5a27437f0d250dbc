//! The one source of randomness: SipHash over (key, counter).
//!
//! Small state, the same sequence for the same key, and no output can be guessed from the others
//! without the key. The key comes from the embedder's entropy; the counter goes into snapshots so
//! that a restored client never repeats a value.

use core::fmt;
use core::time::Duration;

use super::time::Micros;

/// The secret that tokens, Message IDs and jitter are derived from.
///
/// Fill it from the device's entropy, at every start. One key per device does only if every start but the first goes
/// through [`Client::restore`](crate::Client::restore): two clients with the same key and the same inputs send the same
/// bytes, so a second start without a snapshot repeats Message IDs and tokens of the first, and a server may take
/// its requests for repetitions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub [u8; 16]);

impl Key {
    /// A key from a number, for tests and simulations: far too little entropy for the field.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = seed.to_le_bytes();
        Self([a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0])
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// A deterministic generator: value `n` is SipHash-2-4 of `n` under the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Generator {
    key: Key,
    counter: u64,
}

impl Generator {
    /// The generator of `key`, at its first value.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self { key, counter: 0 }
    }

    /// How many values were drawn: what a snapshot stores.
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// Goes on at `counter`, never backwards.
    pub fn skip_to(&mut self, counter: u64) {
        self.counter = self.counter.max(counter);
    }

    /// The next value.
    #[inline(never)]
    pub fn next_u64(&mut self) -> u64 {
        let drawn = siphash(self.key, self.counter);
        self.counter = self.counter.wrapping_add(1);
        drawn
    }

    /// A span of `shortest` and up to `more`, uniform to the microsecond.
    pub(crate) fn within(&mut self, shortest: Micros, more: Micros) -> Micros {
        shortest.saturating_add(share(self.next_u64(), more))
    }

    /// A duration between `low` and `high`, uniform to the microsecond; `low` when the range is empty.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let offset = share(self.next_u64(), Micros::of(high.saturating_sub(low)));
        low.saturating_add(Duration::from_micros(offset.0))
    }
}

/// SipHash-2-4 of the eight bytes of a number (Aumasson and Bernstein, 2012). The crate's own code for it is
/// made for texts of any length, and of more instructions.
fn siphash(Key(key): Key, number: u64) -> u64 {
    let (low, high) = (u128::from_le_bytes(key) as u64, (u128::from_le_bytes(key) >> 64) as u64);
    let mut state = [
        low ^ 0x736f_6d65_7073_6575,
        high ^ 0x646f_7261_6e64_6f6d,
        low ^ 0x6c79_6765_6e65_7261,
        high ^ 0x7465_6462_7974_6573,
    ];
    absorb(&mut state, number, 2);
    // The last word has the length: eight bytes, and none left over.
    absorb(&mut state, 8 << 56, 2);
    state[2] ^= 0xff;
    absorb(&mut state, 0, 4);
    state[0] ^ state[1] ^ state[2] ^ state[3]
}

/// Mixes a word in, by so many rounds.
#[cfg_attr(not(feature = "shortcuts"), inline(never))]
fn absorb(state: &mut [u64; 4], word: u64, rounds: u8) {
    state[3] ^= word;
    for _ in 0..rounds {
        let [a, b, c, d] = *state;
        let (a, c) = (a.wrapping_add(b), c.wrapping_add(d));
        let (b, d) = (b.rotate_left(13) ^ a, d.rotate_left(16) ^ c);
        let (a, c) = (a.rotate_left(32).wrapping_add(d), c.wrapping_add(b));
        *state = [a, b.rotate_left(17) ^ c, c.rotate_left(32), d.rotate_left(21) ^ a];
    }
    state[0] ^= word;
}

/// A uniform part of a span, by a value that was drawn before.
pub(crate) const fn share(drawn: u64, span: Micros) -> Micros {
    // A multiplication instead of a remainder: no bias that anyone could measure, no division.
    Micros(((drawn as u128 * span.0 as u128) >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_siphash() {
        use core::hash::Hasher;
        // From the paper: the key 00 01 .. 0f, and eight of the bytes that follow from 00 on.
        let key = Key(core::array::from_fn(|at| at as u8));
        assert_eq!(siphash(key, 0x0706_0504_0302_0100), 0x93f5_f579_9a93_2462);
        for (seed, number) in [(0, 0), (1, u64::MAX), (0xFFFF_FFFF_FFFF, 1), (7, 0x0123_4567_89AB_CDEF)] {
            let mut hasher = siphasher::sip::SipHasher24::new_with_key(&Key::from_seed(seed).0);
            hasher.write_u64(number);
            assert_eq!(siphash(Key::from_seed(seed), number), hasher.finish());
        }
    }

    #[test]
    fn the_same_key_gives_the_same_values_and_another_key_others() {
        let draw = |seed| {
            let mut generator = Generator::new(Key::from_seed(seed));
            [generator.next_u64(), generator.next_u64(), generator.next_u64()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let [a, b, c] = draw(1);
        assert!(a != b && b != c && a != c);
    }

    #[test]
    fn a_restored_counter_goes_on_where_it_was() {
        let mut one = Generator::new(Key::from_seed(7));
        one.next_u64();
        let mut two = Generator::new(Key::from_seed(7));
        two.skip_to(one.counter());
        assert_eq!(one.next_u64(), two.next_u64());
        two.skip_to(0);
        assert_eq!(two.counter(), 2);
    }

    #[test]
    fn between_covers_its_range_and_never_leaves_it() {
        let mut generator = Generator::new(Key::from_seed(3));
        let (low, high) = (Duration::from_secs(2), Duration::from_secs(3));
        let (mut least, mut most) = (high, low);
        for _ in 0..1_000 {
            let drawn = generator.between(low, high);
            assert!(drawn >= low && drawn <= high);
            least = least.min(drawn);
            most = most.max(drawn);
        }
        assert!(least < Duration::from_millis(2_010) && most > Duration::from_millis(2_990));
        assert_eq!(generator.between(high, low), high);
        assert!(generator.between(Duration::ZERO, Duration::MAX) <= Duration::MAX);
    }

    #[test]
    fn the_key_is_never_printed() {
        assert_eq!(std::format!("{:?}", Key([0xAB; 16])), "Key(..)");
    }
}
