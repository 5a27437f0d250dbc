//! Faults: what can go wrong, and a plan of it made from a seed.
//!
//! A fault is a few numbers, so that a plan can be printed, and shortened by leaving faults out.

mod bootstrap;
mod kind;
mod mood;
mod operations;
mod strike;
mod targets;

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::base::rng::{Generator, Key};

pub use self::kind::Kind;
pub use self::mood::{Mood, Moody};
pub(super) use self::strike::{Standing, lift, strike};
pub(super) use self::targets::{digests, instances, resources};

/// A fault: when, what, to whom, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it begins, after the device was switched on.
    pub at: Duration,
    /// How long it lasts; nothing for what is done in a moment.
    pub lasts: Duration,
    /// What it is.
    pub kind: Kind,
    /// Which server it is about, if it is about one; they are counted round and round.
    pub target: usize,
    /// How bad it is, or which of many; each kind takes of it what it needs.
    pub amount: u64,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after {:?}", self.kind, self.at)?;
        if !self.lasts.is_zero() {
            write!(f, " for {:?}", self.lasts)?;
        }
        write!(f, ", server {}, amount {}", self.target, self.amount)
    }
}

/// Faults in the order in which they begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The faults.
    pub faults: Vec<Fault>,
}

impl Plan {
    /// A plan for so long, from a seed: faults come in bursts, with quiet times between in which the device
    /// has to find back.
    #[must_use]
    pub fn wild(seed: u64, length: Duration) -> Self {
        let mut random = Generator::new(Key::from_seed(seed ^ 0x5A17_F00D));
        let mut faults = Vec::new();
        let mut below = |limit: u64| random.next_u64() % limit.max(1);
        let mut at = below(3_600_000);
        let end = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        while at < end {
            let burst = 1 + below(8);
            for _ in 0..burst {
                let kind = Kind::ALL.get(below(Kind::ALL.len() as u64) as usize).copied().unwrap_or(Kind::Loss);
                // Often moments, sometimes minutes, seldom hours.
                let lasts = match below(8) {
                    0..=2 => below(10_000),
                    3..=6 => below(600_000),
                    _ => below(20_000_000),
                };
                let lasts = Duration::from_millis(if kind.lasts() || kind.suspends() { lasts } else { 0 });
                let (target, amount) = (below(4) as usize, below(u64::MAX));
                faults.push(Fault { at: Duration::from_millis(at), lasts, kind, target, amount });
                at += match below(3) {
                    0 => below(200),
                    1 => below(20_000),
                    _ => below(900_000),
                };
            }
            at += 3_600_000 + below(36_000_000);
        }
        faults.sort_by_key(|fault| fault.at);
        Self { faults }
    }

    /// The faults with these numbers, counted from 0.
    #[must_use]
    pub fn only(&self, numbers: &[usize]) -> Self {
        Self { faults: numbers.iter().filter_map(|number| self.faults.get(*number)).copied().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_planned_within_a_hundred_seeds() {
        let mut missing: Vec<Kind> = Kind::ALL.into();
        for seed in 0..100 {
            for fault in Plan::wild(seed, Duration::from_secs(7 * 86_400)).faults {
                missing.retain(|kind| *kind != fault.kind);
            }
        }
        assert_eq!(missing, []);
    }

    #[test]
    fn the_same_seed_makes_the_same_plan_in_order() {
        let week = Duration::from_secs(7 * 86_400);
        let plan = Plan::wild(1, week);
        assert_eq!(plan, Plan::wild(1, week));
        assert_ne!(plan, Plan::wild(2, week));
        assert!(plan.faults.is_sorted_by_key(|fault| fault.at) && plan.faults.len() > 20);
        let few = plan.only(&[3, 5, 1_000_000]);
        assert_eq!(few.faults, [plan.faults[3], plan.faults[5]]);
    }
}
