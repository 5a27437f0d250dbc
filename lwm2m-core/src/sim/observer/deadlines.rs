//! Deadlines move forward, and something comes of them.

use super::{Invariant, Report};
use crate::base::time::Instant;

/// So many timeouts in a row may pass without a datagram, an order or news: bodies that nobody completes,
/// sessions that end, periods over which nothing changed.
const FRUITLESS: u32 = 200;

#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    fruitless: u32,
}

impl Deadlines {
    /// The client did something.
    pub(super) const fn progress(&mut self) {
        self.fruitless = 0;
    }

    /// A timeout was given to the client, which had been asked for.
    pub(super) fn timed_out(&mut self, clock: Instant, next: Option<Instant>, report: &mut Report) {
        if let Some(next) = next.filter(|next| *next <= clock) {
            report.violated(
                Invariant::Deadline,
                format_args!("a deadline of {next:?} is left after what was due at {clock:?}"),
            );
        }
        self.fruitless += 1;
        if self.fruitless == FRUITLESS {
            report.violated(Invariant::Deadline, format_args!("{FRUITLESS} timeouts in a row did nothing"));
        }
    }
}
