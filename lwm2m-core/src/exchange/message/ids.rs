//! Message IDs: one counter with a random start, never reused within EXCHANGE_LIFETIME.

use coap_codec::MessageId;

use crate::base::time::{Instant, Micros};

/// Half the numbers may be used in one lifetime, so that two neighbouring ones never overlap.
const PER_LIFETIME: u16 = 1 << 15;

/// The counter (RFC 7252, section 4.4), one for all peers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MessageIds {
    next: u16,
    /// When the running lifetime began, and how many numbers it used.
    since: Instant,
    used: u16,
}

impl MessageIds {
    pub(crate) const fn starting_at(first: u16) -> Self {
        Self { next: first, since: Instant::ZERO, used: 0 }
    }

    /// The next number, unless it might still be remembered by a peer. It stays the next one until it is
    /// [used](Self::used).
    pub(crate) fn next(&mut self, now: Instant, lifetime: Micros) -> Option<MessageId> {
        if now >= self.since + lifetime {
            self.since = now;
            self.used = 0;
        }
        (self.used < PER_LIFETIME).then_some(MessageId(self.next))
    }

    /// The next number has a message.
    pub(crate) const fn used(&mut self) {
        self.used = self.used.saturating_add(1);
        self.next = self.next.wrapping_add(1);
    }

    pub(crate) const fn counter(&self) -> u16 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn half_the_numbers_are_for_one_lifetime() {
        let lifetime = Micros::of_seconds(247);
        let mut ids = MessageIds::starting_at(7);
        let mut draw = |now| ids.next(now, lifetime).inspect(|_| ids.used());
        let begun = Instant::from_secs(1_000);
        assert_eq!((0..u16::MAX).map_while(|_| draw(begun)).count(), 1 << 15);
        assert_eq!(draw(begun + Micros(lifetime.0 - 1)), None);
        assert_eq!(draw(begun + lifetime), Some(MessageId(7 + (1 << 15))));
    }

    #[test]
    fn the_counter_wraps_and_no_number_comes_back_within_its_lifetime() {
        let lifetime = Micros::of_seconds(247);
        let mut ids = MessageIds::starting_at(u16::MAX);
        let mut last_use = HashMap::new();
        let mut drawn = 0;
        for millis in 0..1_000_000u64 {
            let now = Instant::from_millis(millis);
            let Some(id) = ids.next(now, lifetime) else { continue };
            ids.used();
            drawn += 1;
            if let Some(before) = last_use.insert(id.0, now) {
                assert!(now >= before + lifetime, "{id} came back at {now}");
            }
        }
        assert!(drawn > 3 * usize::from(PER_LIFETIME), "only {drawn} numbers were drawn");
    }
}
