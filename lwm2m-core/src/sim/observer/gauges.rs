//! How full the client's tables are.

use super::{Invariant, Report};
use crate::base::limits::Limits;
use crate::client::Client;
use crate::exchange::Usage;

/// What a client tells of its tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// The message layer's tables.
    pub usage: Usage,
    /// Notifications that are kept.
    pub stored: usize,
    /// Sessions, also those that are asked for and those that linger.
    pub sessions: usize,
}

impl Gauges {
    /// Of a client, now.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        Self { usage: client.usage(), stored: client.stored_notifications(), sessions: client.sessions() }
    }

    /// Whether no buffer is free: a request that comes then counts as lost.
    pub(super) const fn is_full(&self, limits: &Limits) -> bool {
        self.usage.slots >= limits.slots
    }

    pub(super) fn check(&self, limits: &Limits, report: &mut Report) {
        let Self { usage, stored, sessions } = self;
        // A buffer is a block of memory of its own, and each kept notification has 5 bytes and its token.
        for (what, used, limit) in [
            ("buffers", usage.slots, limits.slots),
            ("exchanges", usage.exchanges, limits.exchanges),
            ("remembered messages", usage.deduplication, limits.deduplication),
            ("deferred requests", usage.deferred, limits.deferred),
            ("transfers", usage.transfers, limits.transfers),
            ("bytes of buffers", usage.buffer_bytes, limits.slots * (limits.datagram + 64)),
            ("kept notifications", *stored, limits.stored / 5),
            // One with each server, one with the bootstrap server, and one that lingers.
            ("sessions", *sessions, limits.servers + 2),
        ] {
            if used > limit {
                report.violated(Invariant::Limits, format_args!("{used} {what}, and the limit is {limit}"));
            }
        }
    }
}
