//! Observe values: registration, and the order of notifications (RFC 7641 §2, §3.4).

use core::time::Duration;

/// In a request: tell me when it changes.
pub const REGISTER: u32 = 0;

/// In a request: tell me no longer.
pub const DEREGISTER: u32 = 1;

/// Sequence numbers are counted modulo 2^24.
const MASK: u32 = 0xff_ffff;
const HALF: u32 = 1 << 23;

/// After this time a notification is newer than the last, whatever its number.
const REORDERING_LIMIT: Duration = Duration::from_secs(128);

/// The sequence number after `sequence`; 0 follows 2^24 - 1.
#[must_use]
pub const fn next(sequence: u32) -> u32 {
    sequence.wrapping_add(1) & MASK
}

/// Whether the notification numbered `later`, which came `elapsed` after the one numbered
/// `earlier`, is newer than that and not just delayed on its way.
///
/// `elapsed` is the time between the two arrivals, not between the numbers.
///
/// ```
/// use coap_codec::observe::is_newer;
/// use core::time::Duration;
///
/// let second = Duration::from_secs(1);
/// assert!(is_newer(5, 6, second));
/// assert!(!is_newer(6, 5, second));
/// assert!(is_newer(0xff_ffff, 0, second));
/// assert!(is_newer(6, 5, Duration::from_secs(129)));
/// ```
#[must_use]
pub fn is_newer(earlier: u32, later: u32, elapsed: Duration) -> bool {
    let ahead = later.wrapping_sub(earlier) & MASK;
    (ahead != 0 && ahead < HALF) || elapsed > REORDERING_LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_modulo_2_to_the_24th() {
        assert_eq!(next(0), 1);
        assert_eq!(next(0xff_ffff), 0);
        assert_eq!(next(u32::MAX), 0);
    }

    #[test]
    fn half_the_circle_is_ahead_and_half_is_behind() {
        let newer = |earlier, later| is_newer(earlier, later, Duration::ZERO);
        for start in [0, 1, 5, HALF - 1, HALF, HALF + 1, MASK] {
            assert!(!newer(start, start));
            assert!(newer(start, next(start)));
            assert!(newer(start, (start + HALF - 1) & MASK));
            assert!(!newer(start, (start + HALF) & MASK));
            assert!(!newer(start, (start + HALF + 1) & MASK));
        }
    }

    #[test]
    fn more_than_128_seconds_settle_it() {
        assert!(!is_newer(6, 5, Duration::from_secs(128)));
        assert!(is_newer(6, 5, Duration::from_millis(128_001)));
        assert!(is_newer(5, 5, Duration::from_secs(200)));
    }
}
