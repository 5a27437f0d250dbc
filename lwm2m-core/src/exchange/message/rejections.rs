//! How often rubbish is rejected: as often as helps somebody who made a mistake, and no more, so that
//! nobody has floods sent to others by writing their address under rubbish (RFC 7252, section 11.3).

use crate::base::time::{Instant, Micros};

/// In microseconds.
const SECOND: u32 = 1_000_000;

/// A meter: so many at once, and so many a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rejections {
    /// When all of what was sent would have been due, one after the other.
    settled: Instant,
}

impl Rejections {
    /// Whether one more may be sent now; then it counts.
    pub(crate) fn admit(&mut self, now: Instant, per_second: u16) -> bool {
        let Some(interval) = SECOND.checked_div(per_second.into()) else { return false };
        let settled = self.settled.max(now) + Micros(interval.into());
        let admitted = settled <= now + Micros(SECOND.into());
        if admitted {
            self.settled = settled;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_so_many_a_second() {
        let mut rejections = Rejections::default();
        let mut admitted = |millis: u64| rejections.admit(Instant::from_millis(millis), 4);
        assert_eq!((0..10).filter(|_| admitted(0)).count(), 4);
        assert!(!admitted(249));
        assert!(admitted(250) && !admitted(250));
        // A flood of a minute.
        assert_eq!((1_000..61_000).filter(|millis| admitted(*millis)).count(), 4 * 60 + 2);
        // And after a quiet hour no more than at first.
        assert_eq!((0..10).filter(|_| admitted(3_600_000)).count(), 4);
    }

    #[test]
    fn none_a_second_is_none() {
        assert!(!Rejections::default().admit(Instant::from_secs(9), 0));
        let end = Instant::from_micros(u64::MAX);
        assert!(Rejections::default().admit(end, u16::MAX));
    }
}
