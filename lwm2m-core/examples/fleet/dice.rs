//! What happens by chance: numbers that follow from the seed, the terminal and what it is about, and from
//! nothing that another terminal does. So a part of the fleet lives as it would in the whole.

/// A sequence of numbers.
pub(crate) struct Dice(u64);

impl Dice {
    /// The sequence for something: `about` tells the terminal, and what of it.
    pub(crate) fn new(seed: u64, about: [u64; 2]) -> Self {
        Self(about.iter().fold(scramble(seed), |state, part| scramble(state ^ part)))
    }

    /// Any number below `bound`, each as often as any other.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        ((u128::from(scramble(self.0)) * u128::from(bound)) >> 64) as u64
    }

    /// True `per_mille` times in a thousand.
    pub(crate) fn falls(&mut self, per_mille: u16) -> bool {
        self.below(1_000) < u64::from(per_mille)
    }
}

/// 2^64 by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A mixer that loses nothing, and lets each bit change half of the others: David Stafford's variant 13.
const fn scramble(mut value: u64) -> u64 {
    value = value.wrapping_add(GOLDEN);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_have_nothing_in_common() {
        let mut bins = [0u32; 10];
        for terminal in 0..10_000 {
            bins[Dice::new(1, [terminal, 0]).below(10) as usize] += 1;
        }
        assert!(bins.iter().all(|count| (850..1_150).contains(count)), "{bins:?}");
        let drawn =
            [Dice::new(1, [2, 3]), Dice::new(2, [2, 3]), Dice::new(1, [3, 2])].map(|mut dice| dice.below(u64::MAX));
        assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2]);
    }
}
