//! The client: joins the floors, routes inputs to them, and hands their outputs out.
//!
//! It takes no protocol decision. What is due is asked for in a fixed order whenever something may
//! have changed: the lifecycle first, then answers that the application gave late, then
//! notifications.

mod away;
mod blocks;
mod calm;
mod commands;
mod connection;
mod due;
mod incoming;
mod interface;
mod memory;
mod multicast;
mod next;
mod plain;
mod questions;
mod request;
mod rest;
mod sessions;
mod snapshot;
mod surroundings;
mod unreachable;

use core::num::NonZeroU64;

use coap_codec::Message;

use self::connection::{Connection, Connections, Link};
use self::due::After;
use crate::base::config::{Config, ConfigError};
use crate::base::event::{Event, Events, Reason};
use crate::base::time::{Clock, Instant};
use crate::exchange::request::transfers::Transfers;
use crate::exchange::{Endpoint, ExchangeId, Order, Peer};
use crate::lifecycle::{Lifecycle, Role, World};
use crate::model::DataModel;
use crate::objects::Accounts;
use crate::reporting::Reporting;

pub use interface::{CommandError, Output, Received, Security};
pub use memory::Memory;
pub use rest::Rest;
pub use snapshot::{SnapshotError, Wake};

/// A LwM2M client. The [crate documentation](crate) has the contract and a driving loop.
///
/// | to | call |
/// |---|---|
/// | begin, or come back | [`new`](Self::new); [`snapshot`](Self::snapshot), [`restore`](Self::restore), [`revision`](Self::revision) |
/// | drive it | [`handle_datagram`](Self::handle_datagram), [`handle_multicast`](Self::handle_multicast), [`handle_timeout`](Self::handle_timeout); [`poll_output`](Self::poll_output), [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout) |
/// | answer a `Connect` | [`connected`](Self::connected), [`connection_failed`](Self::connection_failed) |
/// | tell of the network | [`network_up`](Self::network_up), [`network_down`](Self::network_down), [`address_changed`](Self::address_changed) |
/// | tell of values and objects | [`notify`](Self::notify), [`set_access`](Self::set_access), [`resume`](Self::resume) |
/// | update now | [`update`](Self::update) |
/// | sleep | [`rest`](Self::rest), [`rest_of`](Self::rest_of), [`will_be_unreachable`](Self::will_be_unreachable), [`was_unreachable`](Self::was_unreachable) |
/// | leave, and return | [`enter_flight_mode`](Self::enter_flight_mode), [`leave_flight_mode`](Self::leave_flight_mode), [`shutdown`](Self::shutdown) |
/// | ask how it stands | [`servers`](Self::servers), [`is_registered`](Self::is_registered), [`location`](Self::location), [`config`](Self::config) |
/// | count what was lost | [`stored_notifications`](Self::stored_notifications), [`dropped_notifications`](Self::dropped_notifications), [`dropped_events`](Self::dropped_events), `statistics` (a feature) |
/// | see to memory | [`reserve`](Self::reserve), [`trim`](Self::trim), [`memory`](Self::memory), [`usage`](Self::usage) |
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    config: Config,
    clock: Clock,
    exchange: Endpoint,
    /// Bodies that peers send in blocks.
    transfers: Transfers,
    accounts: Accounts,
    lifecycle: Lifecycle,
    reporting: Reporting,
    connections: Connections,
    events: Events,
    /// When there is something to do next, in core time.
    wake: Option<Instant>,
    /// Nothing is sent before, for want of a buffer.
    stalled: Option<Instant>,
    /// How many dropped notifications were told of.
    dropped_notifications: u32,
    revision: u32,
    /// The digest of the object list, until something may have changed it.
    objects: Option<NonZeroU64>,
}

impl Client {
    /// A client that just started. It does nothing until [`network_up`](Self::network_up).
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration that cannot work.
    #[inline(never)]
    pub fn new(config: Config, now: Instant) -> Result<Self, ConfigError> {
        check(&config)?;
        let accounts = Accounts::new(&config)?;
        let mut clock = Clock::starting_at(now);
        let now = clock.advance(now);
        let exchange = Endpoint::new(config.transmission, &config.limits, config.key);
        Ok(Self {
            transfers: Transfers::new(&config.limits, exchange.exchange_lifetime()),
            exchange,
            lifecycle: Lifecycle::new(now, &accounts, &config),
            reporting: Reporting::new(&config.limits),
            connections: Connections::new(config.limits.servers.saturating_add(2)),
            events: Events::new(config.limits.events),
            wake: None,
            stalled: None,
            dropped_notifications: 0,
            revision: 0,
            objects: None,
            accounts,
            clock,
            config,
        })
    }

    /// Does what is due at `now`. Calling it early is harmless; afterwards the next deadline is
    /// later than `now`, or there is none.
    pub fn handle_timeout(&mut self, now: Instant, model: &mut dyn DataModel) {
        let now = self.clock.advance(now);
        if self.wake.is_some_and(|due| due <= now) {
            self.calmly(
                model,
                |client, model| client.update_calmly(&mut **model),
                |client, model| client.time_out(model),
            );
        }
    }

    /// Does what is due at `now`, whatever it is.
    #[inline(never)]
    fn time_out(&mut self, model: &mut dyn DataModel) {
        let now = self.now();
        self.transfers.expire(now);
        while let Some(exchange) = self.exchange.expire(now) {
            self.answered(exchange, Err(Reason::TimedOut));
        }
        let (lifecycle, mut world) = self.lifecycle();
        if lifecycle.handle_timeout(&mut world) {
            lifecycle.cut_short(&mut world);
            self.abandon_all();
        }
        while let Some(connection) = self.connections.lingered(now) {
            self.close(connection);
        }
        self.answer_multicast(model);
        self.pump(After::Anything, Some(model));
    }

    /// Takes the outcome of an exchange to whoever began it.
    fn answered(&mut self, exchange: ExchangeId, answer: Result<&Message<'_>, Reason>) {
        let (lifecycle, mut world) = self.lifecycle();
        match lifecycle.answered(exchange, answer, &mut world) {
            Some(forgotten) => {
                if let Some(server) = forgotten {
                    self.reporting.forget(server);
                    // A request from before the registration is nobody's any more.
                    if let Some(connection) = self.connections.by_role(Role::Server(server)) {
                        self.exchange.drop_deferred(connection.peer);
                    }
                }
            }
            None => {
                if let (Err(_), Some((server, path))) = (answer, self.reporting.failed(exchange)) {
                    self.events.push(Event::ObservationCancelled { server, path });
                }
            }
        }
        self.touch();
    }

    /// The time of the call: every input begins with it.
    const fn now(&self) -> Instant {
        self.clock.latest()
    }

    /// Something that a snapshot holds has changed.
    const fn touch(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }

    /// The lifecycle, and what it works with.
    const fn lifecycle(&mut self) -> (&mut Lifecycle, World<'_>) {
        let now = self.now();
        let Self { lifecycle, accounts, config, exchange, events, .. } = self;
        (lifecycle, World { now, accounts, config, generator: exchange.generator(), events })
    }

    /// The next order to the runtime. What it lends is good until the next call.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        if self.exchange.has_order() { self.next_output() } else { None }
    }

    #[cfg_attr(feature = "shortcuts", inline(never))]
    fn next_output(&mut self) -> Option<Output<'_>> {
        if let Order::Connect(peer) = *self.exchange.take_order()? {
            return self.poll_session(peer);
        }
        self.lend_order()
    }

    /// The next order when it is about a session with `peer`, which may have been given up before it was
    /// asked for.
    #[cold]
    fn poll_session(&mut self, peer: Peer) -> Option<Output<'_>> {
        if self.session_wanted(peer).is_some() {
            return self.session_wanted(peer);
        }
        self.poll_output()
    }

    /// The order that was taken out last, and is none for a session.
    #[inline]
    fn lend_order(&self) -> Option<Output<'_>> {
        Some(match self.exchange.lend_order()? {
            crate::exchange::Output::Transmit(peer, datagram) => Output::Transmit { peer, datagram },
            crate::exchange::Output::Disconnect(peer) | crate::exchange::Output::Connect(peer) => {
                Output::Disconnect { peer }
            }
        })
    }

    /// The oldest event that was not polled yet.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due, in the embedder's time. It may be now
    /// or in the past: then at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        debug_assert!(self.is_planned(), "each input notes what it makes due");
        self.wake.map(|due| self.clock.embedder(due))
    }
}

fn check(config: &Config) -> Result<(), ConfigError> {
    if config.endpoint.is_empty() || config.endpoint.len() > 252 {
        return Err(ConfigError::EndpointName);
    }
    if config.default_lifetime == 0 {
        return Err(ConfigError::Lifetime);
    }
    if !config.has_fit_root() {
        return Err(ConfigError::AlternatePath);
    }
    let limits = &config.limits;
    if limits.servers == 0
        || limits.slots < 2
        || limits.exchanges == 0
        || limits.deduplication == 0
        || limits.datagram < 64
    {
        return Err(ConfigError::Limits);
    }
    Ok(())
}
