//! Fewer faults, and the same failure.

use alloc::vec::Vec;

use super::{Failure, Soak, Subject};

/// What a failure takes.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The numbers of the faults that it takes, in the seed's plan.
    pub faults: Vec<usize>,
    /// How it fails with these alone.
    pub failure: Failure,
    /// How many lives that took.
    pub tries: usize,
}

impl<S: Subject> Soak<S> {
    /// Leaves out of a seed's faults what is not needed for a failure of the same kind: first great parts, then
    /// single ones. At most so many lives are lived for it.
    #[must_use]
    pub fn shrink(&self, seed: u64, failure: &Failure, patience: usize) -> Shrunk {
        let plan = self.plan(seed);
        let mut shrunk = Shrunk { faults: (0..plan.faults.len()).collect(), failure: failure.clone(), tries: 0 };
        let mut part = shrunk.faults.len().div_ceil(2);
        while part > 0 && shrunk.tries < patience {
            let mut start = 0;
            let mut left_out = false;
            while start < shrunk.faults.len() && shrunk.tries < patience {
                let end = (start + part).min(shrunk.faults.len());
                let kept = shrunk.faults.iter().enumerate();
                let kept: Vec<_> =
                    kept.filter(|(index, _)| *index < start || *index >= end).map(|(_, fault)| *fault).collect();
                shrunk.tries += 1;
                match self.live_with(seed, plan.only(&kept)).failure.filter(|found| found.is_like(failure)) {
                    Some(found) => {
                        (shrunk.faults, shrunk.failure) = (kept, found);
                        left_out = true;
                    }
                    None => start = end,
                }
            }
            part = match part {
                1 if left_out => 1,
                part => part / 2,
            };
        }
        shrunk
    }
}
