//! Pauses between tries, so that nobody hammers a server that is down.

use core::time::Duration;

use crate::base::profile::Backoff;
use crate::base::rng::Generator;

/// The pause after the `failures`-th failure in a row: doubling, bounded, and stretched at random
/// so that a fleet does not come back in one second.
pub(crate) fn pause(backoff: &Backoff, failures: u8, generator: &mut Generator) -> Duration {
    let doublings = u32::from(failures.saturating_sub(1)).min(20);
    let pause = backoff.first.saturating_mul(1 << doublings).min(backoff.longest);
    generator.between(pause, pause.saturating_add(pause / 2))
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
            let low = Duration::from_secs(seconds);
            assert!(pause >= low && pause <= low + low / 2, "{failures}: {pause:?}");
        }
    }
}
