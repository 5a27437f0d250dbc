//! Deadlines move forward, and something comes of them.

use core::time::Duration;

use coap_codec::Message;

use super::{Invariant, Report};
use crate::base::time::Instant;

/// A client that has no buffer free looks for one this often.
const LOOKS: Duration = Duration::from_secs(1);

/// So many timeouts in a row may pass without a datagram, an order or news: bodies that nobody completes,
/// sessions that end, periods over which nothing changed.
const FRUITLESS: u32 = 20;

#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    fruitless: u32,
    /// When the first of them was, and the last.
    since: Instant,
    last: Instant,
    /// The shortest period, in seconds, after which a server wants a notification whatever is the case: an
    /// application that refuses its value makes a fruitless timeout of each.
    period: Option<u32>,
}

impl Deadlines {
    /// The client did something.
    pub(super) const fn progress(&mut self) {
        self.fruitless = 0;
    }

    /// The client is about to receive a message.
    pub(super) fn delivered(&mut self, message: &Message<'_>) {
        let period = |argument: &[u8]| core::str::from_utf8(argument.strip_prefix(b"pmax=")?).ok()?.parse().ok();
        let shortest = message.uri_query().filter_map(period).chain(self.period).min();
        self.period = shortest;
    }

    /// A timeout was given to the client, which had been asked for; `is_full` is whether all buffers were in use.
    pub(super) fn timed_out(&mut self, clock: Instant, next: Option<Instant>, is_full: bool, report: &mut Report) {
        if let Some(next) = next.filter(|next| *next <= clock) {
            report.violated(
                Invariant::Deadline,
                format_args!("a deadline of {next:?} is left after what was due at {clock:?}"),
            );
        }
        if self.fruitless == 0 {
            self.since = report.now;
        }
        let since_last = report.now.saturating_duration_since(self.last);
        self.last = report.now;
        if is_full && since_last >= LOOKS {
            return;
        }
        self.fruitless += 1;
        let elapsed = report.now.saturating_duration_since(self.since);
        let periods = self.period.map_or(0, |period| elapsed.as_secs() / u64::from(period.max(1)));
        if u64::from(self.fruitless) >= u64::from(FRUITLESS) + periods {
            let fruitless = core::mem::take(&mut self.fruitless);
            report.violated(Invariant::Deadline, format_args!("{fruitless} timeouts in a row did nothing"));
        }
    }
}
