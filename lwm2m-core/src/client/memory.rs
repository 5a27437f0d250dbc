//! What a client holds in memory.

use super::Client;
use crate::lifecycle::registration::Registration;

/// Bytes that a client holds, by part; all but `inline` on the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Memory {
    /// The `Client` itself.
    pub inline: usize,
    /// Datagram buffers.
    pub buffers: usize,
    /// Tables of the message layer and the request layer, and bodies that arrive in blocks.
    pub exchange: usize,
    /// Security, Server and Access Control.
    pub accounts: usize,
    /// Registrations.
    pub lifecycle: usize,
    /// Observations, attributes, and what observers were told last.
    pub reporting: usize,
    /// The event queue.
    pub events: usize,
    /// Sessions.
    pub connections: usize,
    /// The configuration.
    pub config: usize,
    /// Strings and keys of accounts, configuration and registrations.
    pub strings: usize,
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
            + self.strings
    }
}

impl Client {
    /// What the client holds in memory, by part.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let usage = self.exchange.usage();
        let registrations = self.lifecycle.registrations.iter();
        let locations = registrations.fold(0usize, |sum, own| sum.saturating_add(own.location.heap()));
        let machines = size_of::<Registration>();
        Memory {
            inline: size_of::<Self>(),
            buffers: usage.buffer_bytes,
            exchange: usage.table_bytes.saturating_add(self.transfers.heap()),
            accounts: self.accounts.heap(),
            lifecycle: self.lifecycle.registrations.capacity().saturating_mul(machines),
            reporting: self.reporting.heap(),
            events: self.events.heap(),
            connections: self.connections.heap(),
            config: self.config.heap(),
            strings: locations.saturating_add(self.accounts.strings()).saturating_add(self.config.strings()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_counts_each_part_once() {
        let memory = Memory {
            inline: 1,
            buffers: 1 << 1,
            exchange: 1 << 2,
            accounts: 1 << 3,
            lifecycle: 1 << 4,
            reporting: 1 << 5,
            events: 1 << 6,
            connections: 1 << 7,
            config: 1 << 8,
            strings: 1 << 9,
        };
        assert_eq!(memory.total(), (1 << 10) - 1);
    }
}
