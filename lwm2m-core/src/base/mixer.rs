//! Tells whether something is another thing than before, without keeping it: 64 bits of it.
//!
//! It notices change, and keeps nobody from making two things alike: whoever chooses the values can as
//! well leave them as they are. For what nobody may guess there is the [generator](super::rng).

/// Mixes numbers and bytes into 64 bits, the same on every machine.
///
/// Each step can be undone by who knows its number. So things that differ in one number alone never
/// have the same 64 bits, and others by chance only.
#[derive(Clone, Debug)]
pub(crate) struct Mixer {
    state: u64,
}

impl Mixer {
    pub(crate) const fn new() -> Self {
        Self { state: 0x243F_6A88_85A3_08D3 }
    }

    /// The 64 bits.
    pub(crate) const fn finish(&self) -> u64 {
        self.state
    }

    /// Mixes a number in: the finalizer of SplitMix64, as far as it takes.
    #[cfg_attr(not(feature = "shortcuts"), inline(never))]
    pub(crate) const fn number(&mut self, number: u64) {
        let mut state = (self.state ^ number).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state ^= state >> 32;
        state = state.wrapping_mul(0x94D0_49BB_1331_11EB);
        self.state = state ^ (state >> 29);
    }

    /// Mixes bytes in, but not how many they are. They may come in parts, all but the last of a length
    /// that is a multiple of eight.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.number(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.number(last);
        }
    }

    /// Mixes bytes in, and how many they are.
    pub(crate) fn counted(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn mixed(numbers: &[u64]) -> u64 {
        let mut mixer = Mixer::new();
        numbers.iter().for_each(|number| mixer.number(*number));
        mixer.finish()
    }

    #[test]
    fn it_means_the_same_in_every_build() {
        // Computed elsewhere.
        assert_eq!(mixed(&[]), 0x243F_6A88_85A3_08D3);
        assert_eq!(mixed(&[100]), 0x280F_8FD1_BD6B_0094);
        let mut mixer = Mixer::new();
        mixer.bytes(b"\x64\0\0\0\0\0\0\0");
        assert_eq!(mixer.finish(), mixed(&[100]));
        let mut mixer = Mixer::new();
        mixer.bytes(b"\x07\0\0\0\0\0\0\x80\x64\x01\xff");
        assert_eq!(
            mixer.finish(),
            mixed(&[1 << 63 | 7, 0xFF_0164]),
            "the first byte is the lowest, as far as there are any"
        );
    }

    #[test]
    fn small_differences_spread_to_half_of_the_bits() {
        let mut changed = 0;
        for bit in 0..64 {
            let differing = (mixed(&[7, 7]) ^ mixed(&[7 ^ (1 << bit), 7])).count_ones();
            assert!((12..52).contains(&differing), "bit {bit}: {differing}");
            changed += differing;
        }
        assert!((28 * 64..36 * 64).contains(&changed), "{changed}");
    }

    proptest! {
        #[test]
        fn one_number_that_differs_is_always_noticed(
            numbers in prop::collection::vec(any::<u64>(), 1..8), at in any::<prop::sample::Index>(), other in any::<u64>(),
        ) {
            let mut changed = numbers.clone();
            changed[at.index(numbers.len())] = other;
            prop_assert_eq!(mixed(&numbers) == mixed(&changed), numbers == changed);
        }

        #[test]
        fn bytes_in_parts_are_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64), parts in 1usize..4) {
            let (mut whole, mut in_parts) = (Mixer::new(), Mixer::new());
            whole.bytes(&bytes);
            bytes.chunks(parts * 8).for_each(|part| in_parts.bytes(part));
            prop_assert_eq!(whole.finish(), in_parts.finish());
            let longer: Vec<u8> = [&bytes[..], &[0]].concat();
            let (mut one, mut two) = (Mixer::new(), Mixer::new());
            one.counted(&bytes);
            two.counted(&longer);
            prop_assert_ne!(one.finish(), two.finish());
        }
    }
}
