//! What a client holds in memory.

use super::Client;
use crate::lifecycle::registration::Registration;

/// Bytes that a client holds, by part; all but `inline` on the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// The `Client` itself.
    pub inline: usize,
    /// Datagram buffers.
    pub buffers: usize,
    /// Tables of the message layer and the request layer, and bodies that arrive in blocks.
    pub exchange: usize,
    /// Security and Server, strings and keys included.
    pub accounts: usize,
    /// Registrations and their locations.
    pub lifecycle: usize,
    /// Observations, attributes, and what observers were told last.
    pub reporting: usize,
    /// The event queue.
    pub events: usize,
    /// Sessions.
    pub connections: usize,
    /// Strings and accounts of the configuration.
    pub config: usize,
}

impl Memory {
    /// All of it.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.inline
            + self.buffers
            + self.exchange
            + self.accounts
            + self.lifecycle
            + self.reporting
            + self.events
            + self.connections
            + self.config
    }
}

impl Client {
    /// What the client holds in memory, by part.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let usage = self.exchange.usage();
        let locations = self.lifecycle.registrations.iter().filter_map(|registration| registration.lease());
        let locations = locations.fold(0usize, |sum, lease| sum.saturating_add(lease.location.heap()));
        let machines = size_of::<Registration>();
        Memory {
            inline: size_of::<Self>(),
            buffers: usage.buffer_bytes,
            exchange: usage.table_bytes.saturating_add(self.transfers.heap()),
            accounts: self.accounts.heap(),
            lifecycle: self.lifecycle.registrations.capacity().saturating_mul(machines).saturating_add(locations),
            reporting: self.reporting.heap(),
            events: self.events.heap(),
            connections: self.connections.heap(),
            config: self.config.heap(),
        }
    }
}
