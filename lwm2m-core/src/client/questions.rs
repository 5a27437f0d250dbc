//! What can be asked of a client, and its memory.

use super::Client;
use crate::base::config::Config;
use crate::base::time::Instant;
use crate::exchange::Usage;

impl Client {
    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The servers that the client has accounts for, by Short Server ID.
    pub fn servers(&self) -> impl Iterator<Item = u16> {
        self.accounts.servers().map(|(server, _)| server)
    }

    /// Whether the registration with a server is in force at `now`.
    #[must_use]
    pub fn is_registered(&self, now: Instant, server: u16) -> bool {
        let now = self.clock.peek(now);
        self.lifecycle.registration_of(server).is_some_and(|registration| registration.serves(now))
    }

    /// The path segments of the Location that a server granted; nothing when not registered.
    pub fn location(&self, server: u16) -> impl Iterator<Item = &[u8]> {
        let own = self.lifecycle.registration_of(server).filter(|registration| registration.lease.is_some());
        own.into_iter().flat_map(|registration| registration.location.path())
    }

    /// How many events were dropped because nobody polled them.
    #[must_use]
    pub const fn dropped_events(&self) -> u32 {
        self.events.dropped()
    }

    /// How many notifications were made while their server could not be told, and will never reach it:
    /// see [`Event::NotificationsDropped`](crate::Event::NotificationsDropped). A sleep does not end the count.
    #[must_use]
    pub const fn dropped_notifications(&self) -> u32 {
        self.reporting.dropped()
    }

    /// How many notifications are kept for servers that cannot be told now
    /// ([`Limits::stored`](crate::Limits::stored)).
    #[must_use]
    pub fn stored_notifications(&self) -> usize {
        self.reporting.all_kept().count()
    }

    /// How many sessions there are, also those that are asked for and those that linger.
    #[cfg(feature = "sim")]
    pub(crate) fn sessions(&self) -> usize {
        self.connections.len()
    }

    /// What was dropped, rejected, refused or said once more, by cause.
    #[cfg(feature = "statistics")]
    #[must_use]
    pub const fn statistics(&self) -> crate::Statistics {
        let mut statistics = self.exchange.statistics();
        statistics.abandoned_bodies = self.transfers.abandoned.get();
        statistics.refused_observations = self.reporting.crowded.get();
        statistics.merged_notifications = self.reporting.merged.get();
        statistics.dropped_notifications = self.reporting.dropped();
        statistics.dropped_events = self.events.dropped();
        statistics
    }

    /// Rises whenever a new snapshot is worth writing.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// How full the message layer's tables are.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage { transfers: self.transfers.len(), ..self.exchange.usage() }
    }

    /// Allocates all datagram buffers and tables now. Without it they grow when so much is needed at once
    /// for the first time, up to their [`Limits`](crate::Limits); either way none grows after that. A body
    /// that arrives in blocks and is collected takes its memory all the same, and gives it back.
    pub fn reserve(&mut self) {
        self.exchange.reserve();
        self.transfers.reserve();
        self.reporting.reserve();
        self.events.reserve();
        self.connections.reserve();
    }

    /// Gives the memory of unused datagram buffers back.
    pub fn trim(&mut self) {
        self.exchange.trim();
    }
}
