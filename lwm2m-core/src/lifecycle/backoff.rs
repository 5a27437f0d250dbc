//! Pauses between tries, so that nobody hammers a server that is down.

use crate::base::profile::Backoff;
use crate::base::rng::Generator;
use crate::base::time::Micros;

/// The pause after the `failures`-th failure in a row: doubling, bounded, and stretched at random
/// so that a fleet does not come back in one second.
pub(crate) fn pause(backoff: &Backoff, failures: u8, generator: &mut Generator) -> Micros {
    let doublings = u32::from(failures.saturating_sub(1)).min(20);
    let pause = Micros::of(backoff.first).saturating_mul(1 << doublings).min(Micros::of(backoff.longest));
    generator.within(pause, Micros(pause.0 / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Key;

    #[test]
    fn pauses_double_up_to_the_longest_and_jitter() {
        let mut generator = Generator::new(Key::from_seed(1));
        for (failures, seconds) in [(0, 60), (1, 60), (2, 120), (3, 240), (11, 61_440), (12, 86_400), (255, 86_400)] {
            let pause = pause(&Backoff::SERVER, failures, &mut generator);
            let low = Micros::of_seconds(seconds);
            assert!(pause >= low && pause.0 <= low.0 + low.0 / 2, "{failures}: {pause:?}");
        }
    }
}
