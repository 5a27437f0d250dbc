//! The client: joins the floors, routes inputs to them, and hands their outputs out.
//!
//! It takes no protocol decision. What is due is asked for in a fixed order whenever something may
//! have changed: the lifecycle first, then answers that the application gave late, then
//! notifications.

mod away;
mod blocks;
mod calm;
mod connection;
mod due;
mod interface;
mod memory;
mod multicast;
mod next;
mod plain;
mod request;
mod rest;
mod sessions;
mod snapshot;
mod unreachable;

use core::num::NonZeroU64;

use coap_codec::Message;

use self::connection::{Connection, Connections, Link};
use self::due::After;
use crate::base::config::{AccessControl, Config, ConfigError};
use crate::base::event::{Event, Events, Reason};
use crate::base::features::SHORTCUTS;
use crate::base::path::Path;
use crate::base::time::{Clock, Instant};
use crate::exchange::request::transfers::Transfers;
use crate::exchange::{Endpoint, ExchangeId, Failure, Handled, Inbound, Order, Peer, Reply, Usage};
use crate::lifecycle::presence::{Goal, Presence};
use crate::lifecycle::{Consequence, Heard, Lifecycle, Role, Session, World};
use crate::management::has_instance;
use crate::model::{DataModel, Joined, Ticket};
use crate::objects::{ACCESS_CONTROL, Accounts};
use crate::reporting::Reporting;

pub use interface::{CommandError, Output, Received, Security};
pub use memory::Memory;
pub use rest::Rest;
pub use snapshot::{SnapshotError, Wake};

/// A LwM2M client. The [crate documentation](crate) has the contract and a driving loop.
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
    pub fn new(config: Config, now: Instant) -> Result<Self, ConfigError> {
        check(&config)?;
        let accounts = Accounts::new(&config);
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

    // ----- from the network -----------------------------------------------------------------

    /// Takes one datagram that came from `peer`. Datagrams from addresses that are no peer's are
    /// the runtime's to drop.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        peer: Peer,
        datagram: &[u8],
        model: &mut dyn DataModel,
    ) -> Received {
        let now = self.clock.advance(now);
        let Some(connection) = self.connections.by_peer(peer) else {
            self.exchange.tally().strangers.count();
            return Received::Stranger;
        };
        let Heard { moves, serves } = self.lifecycle.heard(now, connection.role);
        let (received, left) = match self.exchange.parse(now, peer, datagram) {
            Some(message) => match self.plain_read(now, connection, serves, &message, model) {
                Some(answered) => answered,
                None => return self.message_in(now, peer, &message, moves, model),
            },
            None => (Received::Malformed, Left::Nothing),
        };
        if left != Left::Nothing || moves {
            self.go_on(now, left, model);
        }
        received
    }

    /// Takes a message that is no plain Read, and does what is left to do then.
    #[inline(never)]
    fn message_in(
        &mut self,
        now: Instant,
        peer: Peer,
        message: &Message<'_>,
        moves: bool,
        model: &mut dyn DataModel,
    ) -> Received {
        self.calmly(
            model,
            |client, model| client.acknowledged_calmly(now, peer, message, &mut **model),
            |client, model| client.any_message_in(now, peer, message, moves, model),
        )
    }

    /// The same for whatever message.
    #[inline(never)]
    fn any_message_in(
        &mut self,
        now: Instant,
        peer: Peer,
        message: &Message<'_>,
        moves: bool,
        model: &mut dyn DataModel,
    ) -> Received {
        let (received, left) = self.take_message(now, peer, message, model);
        if left != Left::Nothing || moves {
            self.go_on(now, left, model);
        }
        received
    }

    /// Takes a message; what is left to do then.
    fn take_message(
        &mut self,
        now: Instant,
        peer: Peer,
        message: &Message<'_>,
        model: &mut dyn DataModel,
    ) -> (Received, Left) {
        if let (Some(reply), Some(connection)) = (Reply::to(peer, message), self.connections.by_peer(peer)) {
            return self.request_in(now, connection, reply, message, model);
        }
        match &self.exchange.receive_other(now, peer, *message) {
            Inbound::Response { exchange, message } => {
                self.response_in(now, *exchange, message, model);
                (Received::Response, Left::All)
            }
            Inbound::Failed(exchange, failure) => {
                self.answered(now, *exchange, Err((*failure).into()));
                (if *failure == Failure::Reset { Received::Reset } else { Received::Response }, Left::All)
            }
            Inbound::Acknowledged(exchange) => {
                self.reporting.acknowledged(now, *exchange);
                (Received::Acknowledgement, Left::Sending)
            }
            Inbound::Rejected(peer, message_id) => (self.rejected(*peer, *message_id), Left::Sending),
            // None of them is a request.
            Inbound::Request { .. } => (Received::Unexpected, Left::Nothing),
            Inbound::Handled(handled) => ((*handled).into(), Left::after(*handled)),
        }
    }

    /// Takes the response to a request of ours.
    fn response_in(&mut self, now: Instant, exchange: ExchangeId, message: &Message<'_>, model: &dyn DataModel) {
        self.answered(now, exchange, Ok(message));
        self.after_response(now, model);
    }

    /// What changed while the request was on its way is told next.
    fn after_response(&mut self, now: Instant, model: &dyn DataModel) {
        if self.lifecycle.has_changed_meanwhile() {
            self.reconsider(now, model);
        }
    }

    /// Does what is left to do after a datagram.
    fn go_on(&mut self, now: Instant, left: Left, model: &mut dyn DataModel) {
        match left {
            Left::Nothing | Left::Planning => self.plan_anew(now),
            Left::Sending => self.pump(now, After::Message, Some(model)),
            Left::All => self.pump(now, After::Anything, Some(model)),
        }
    }

    /// A peer rejected a non-confirmable message: a notification, or nothing of ours.
    fn rejected(&mut self, peer: Peer, message_id: coap_codec::MessageId) -> Received {
        let Some(Connection { role: Role::Server(server), .. }) = self.connections.by_peer(peer) else {
            return Received::Unexpected;
        };
        let Some(path) = self.reporting.rejected(server, message_id) else {
            return Received::Unexpected;
        };
        self.events.push(Event::ObservationCancelled { server, path });
        self.touch();
        Received::Reset
    }

    /// Does what is due at `now`. Calling it early is harmless; afterwards the next deadline is
    /// later than `now`, or there is none.
    pub fn handle_timeout(&mut self, now: Instant, model: &mut dyn DataModel) {
        let now = self.clock.advance(now);
        if self.wake.is_some_and(|due| due <= now) {
            self.calmly(
                model,
                |client, model| client.update_calmly(now, &mut **model),
                |client, model| client.time_out(now, model),
            );
        }
    }

    /// Does what is due at `now`, whatever it is.
    #[inline(never)]
    fn time_out(&mut self, now: Instant, model: &mut dyn DataModel) {
        self.transfers.expire(now);
        while let Some(exchange) = self.exchange.expire(now) {
            self.answered(now, exchange, Err(Reason::TimedOut));
        }
        let (lifecycle, mut world) = self.lifecycle();
        if lifecycle.handle_timeout(now, &mut world) {
            lifecycle.cut_short(now, world.events);
            self.abandon_all();
        }
        while let Some(peer) = self.connections.lingered(now) {
            self.close(peer);
        }
        self.answer_multicast(now, model);
        self.pump(now, After::Anything, Some(model));
    }

    /// Takes the outcome of an exchange to whoever began it.
    fn answered(&mut self, now: Instant, exchange: ExchangeId, answer: Result<&Message<'_>, Reason>) {
        let (lifecycle, mut world) = self.lifecycle();
        match lifecycle.answered(now, exchange, answer, &mut world) {
            Some(consequence) => self.consequence(consequence),
            None => {
                if let (Err(_), Some((server, path))) = (answer, self.reporting.failed(exchange)) {
                    self.events.push(Event::ObservationCancelled { server, path });
                }
            }
        }
        self.touch();
    }

    /// Something that a snapshot holds has changed.
    const fn touch(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }

    /// The lifecycle, and what it works with.
    const fn lifecycle(&mut self) -> (&mut Lifecycle, World<'_>) {
        let Self { lifecycle, accounts, config, exchange, events, .. } = self;
        (lifecycle, World { accounts, config, generator: exchange.generator(), events })
    }

    fn consequence(&mut self, consequence: Consequence) {
        match consequence {
            Consequence::None => {}
            Consequence::ForgetObservations(server) | Consequence::Disconnect(server) => {
                self.reporting.forget(server);
                // A request from before the registration is nobody's any more.
                if let Some(connection) = self.connections.by_role(Role::Server(server)) {
                    self.exchange.drop_deferred(connection.peer);
                }
            }
        }
    }

    // ----- from the runtime -----------------------------------------------------------------

    /// The session that [`Output::Connect`] asked for is there; `session` says how it compares
    /// with the one before.
    pub fn connected(&mut self, now: Instant, peer: Peer, session: Session, model: &mut dyn DataModel) {
        let now = self.clock.advance(now);
        let Some(connection) = self.connections.by_peer(peer) else { return };
        // A session that nobody asks for any more is too late.
        if matches!(connection.link, Link::Connecting | Link::Open) {
            self.connections.set(peer, Link::Open);
            let secure = self.is_secure(connection.role);
            self.lifecycle.connected(now, connection.role, session, secure);
            self.objects = None;
            self.touch();
        }
        self.pump(now, After::Anything, Some(model));
    }

    /// The session that [`Output::Connect`] asked for cannot be made. It is asked for again when
    /// there is a reason to.
    pub fn connection_failed(&mut self, now: Instant, peer: Peer) {
        let now = self.clock.advance(now);
        let Some(connection) = self.connections.by_peer(peer) else { return };
        if !matches!(connection.link, Link::Connecting | Link::Open) {
            return;
        }
        self.abandon(connection);
        self.connections.set(peer, Link::Closed);
        let (lifecycle, mut world) = self.lifecycle();
        lifecycle.blocked(now, connection.role, Reason::Unreachable, &mut world);
        self.pump(now, After::Anything, None);
    }

    /// The device has another address now. Sessions are asked for again.
    pub fn address_changed(&mut self, now: Instant) {
        let now = self.clock.advance(now);
        self.lose_sessions();
        self.lifecycle.address_changed(now, &mut self.accounts);
        self.pump(now, After::Anything, None);
    }

    // ----- from the device ------------------------------------------------------------------

    /// There is a network. The first time after the start this begins the bootstrap
    /// (DM terminal specification, 7.2); later, what was registered is refreshed, and a server
    /// that did not answer is tried again after the shortest pause.
    pub fn network_up(&mut self, now: Instant) {
        let now = self.clock.advance(now);
        let (lifecycle, mut world) = self.lifecycle();
        lifecycle.network_up(now, &mut world);
        self.touch();
        self.pump(now, After::Anything, None);
    }

    /// The network is gone. Registrations stay; nothing is sent until it is back.
    pub fn network_down(&mut self, now: Instant) {
        let now = self.clock.advance(now);
        self.lose_sessions();
        self.lifecycle.network_down(now, &mut self.accounts, &mut self.events);
        if matches!(self.lifecycle.presence, Presence::Leaving { .. }) {
            self.lifecycle.cut_short(now, &mut self.events);
        }
        self.touch();
        self.pump(now, After::Anything, None);
    }

    /// Flight mode is about to begin: de-registers, and says [`Event::MayProceed`] when nothing is
    /// left to be sent, or after `Config::leave_within` (DM terminal specification, 7.5).
    pub fn enter_flight_mode(&mut self, now: Instant) {
        self.leave(now, Goal::FlightMode);
    }

    /// Flight mode is over: registers at once, or as soon as there is a network.
    pub fn leave_flight_mode(&mut self, now: Instant) {
        let now = self.clock.advance(now);
        let (lifecycle, mut world) = self.lifecycle();
        lifecycle.leave_flight_mode(now, &mut world);
        self.touch();
        self.pump(now, After::Anything, None);
    }

    /// Power-off is about to happen: like flight mode, and for good.
    pub fn shutdown(&mut self, now: Instant) {
        self.leave(now, Goal::PowerOff);
    }

    fn leave(&mut self, now: Instant, goal: Goal) {
        let now = self.clock.advance(now);
        // De-registers that are on their way already go on.
        if matches!(self.lifecycle.presence, Presence::Present | Presence::Flight) {
            self.abandon_all();
        }
        let (lifecycle, mut world) = self.lifecycle();
        lifecycle.leave(now, goal, &mut world);
        self.touch();
        self.pump(now, After::Anything, None);
    }

    // ----- from the application -------------------------------------------------------------

    /// Something at or below `path` changed by itself: observers are told when they want to be, which
    /// is for their servers to say with attributes (OMA LwM2M 1.0, 5.1.2). Say it of every change,
    /// however small. A path without levels means everything; use an object's path when its instances
    /// came or went: servers hear of that with an Update.
    pub fn notify(&mut self, now: Instant, path: Path, model: &mut dyn DataModel) {
        let now = self.clock.advance(now);
        self.calmly(
            model,
            |client, model| if path.depth() < 2 { None } else { client.tell_calmly(now, path, &mut **model) },
            |client, model| client.tell_of(now, path, model),
        );
    }

    /// Tells of a change, whatever it takes.
    #[inline(never)]
    fn tell_of(&mut self, now: Instant, path: Path, model: &mut dyn DataModel) {
        let wall = self.clock.embedder(now);
        // Most changes are of a value that is told at once, and looked at only then.
        let at_once = SHORTCUTS && path.depth() >= 2 && self.is_settled() && !self.exchange.owes_answers();
        let joined = Joined(&mut self.accounts, model);
        if at_once {
            self.reporting.suspect((now, wall), path, &joined);
        } else {
            self.reporting.changed(wall, path, &joined);
        }
        if path.depth() < 2 {
            self.keep_notifications(now, true, Some(model));
            let joined = Joined(&mut self.accounts, model);
            self.reporting.detach(path, &|object, instance| has_instance(&joined, object, instance));
            self.renew_periods();
            self.accounts.detach(path, model);
            self.reconsider(now, model);
        }
        if at_once {
            self.send_due(now, After::Suspicion, true, Some(model));
        } else {
            self.pump(now, After::Change, Some(model));
        }
    }

    /// Says who may do what with an instance, or who may create instances of an object, in place of what
    /// Access Control said of it: for instances that the device makes by itself while several servers
    /// know it. A server's own Create needs nothing. Say it also to
    /// [`notify`](Self::notify), as of every instance that comes.
    ///
    /// # Errors
    /// [`CommandError::UnknownServer`] when owner or ACL name a server without an account,
    /// [`CommandError::AccessControl`] when there is no room, or `path` is neither an object nor an
    /// instance.
    pub fn set_access(
        &mut self,
        now: Instant,
        about: &AccessControl,
        model: &mut dyn DataModel,
    ) -> Result<(), CommandError> {
        let now = self.clock.advance(now);
        if !self.accounts.knows_all(about) {
            return Err(CommandError::UnknownServer);
        }
        if !self.accounts.2.decide(about) {
            return Err(CommandError::AccessControl);
        }
        self.touch();
        let wall = self.clock.embedder(now);
        self.rights_changed(wall, about.path.object_id().zip(about.path.instance_id()), model);
        self.reporting.changed(wall, Path::object(ACCESS_CONTROL), &Joined(&mut self.accounts, model));
        self.reconsider(now, model);
        self.pump(now, After::Anything, Some(model));
        Ok(())
    }

    /// Access Control says something else of an instance: whoever observes may see more now, or less.
    fn rights_changed(&mut self, wall: Instant, subject: Option<(u16, u16)>, model: &mut dyn DataModel) {
        let Some((object, instance)) = subject else { return };
        let joined = Joined(&mut self.accounts, model);
        self.reporting.withhold(wall, (object, instance), &joined);
        self.reporting.changed(wall, Path::instance(object, instance), &joined);
    }

    /// Updates the registration with a server now, or as soon as it may be. A device in queue mode that
    /// woke by itself says so with this: its server sends what it kept, and is told what was kept for it.
    ///
    /// # Errors
    /// [`CommandError::UnknownServer`], [`CommandError::NotRegistered`].
    pub fn update(&mut self, now: Instant, server: u16) -> Result<(), CommandError> {
        let now = self.clock.advance(now);
        let registration = self.lifecycle.registrations.iter_mut().find(|registration| registration.server == server);
        let registration = registration.ok_or(CommandError::UnknownServer)?;
        if !registration.update_now(now) {
            return Err(CommandError::NotRegistered);
        }
        // Perhaps: that is for the timeout to see.
        self.wake = Some(self.wake.map_or(now, |wake| wake.min(now)));
        Ok(())
    }

    /// Runs a request again that the model deferred with [`Refusal::Later`](crate::Refusal::Later).
    ///
    /// # Errors
    /// [`CommandError::StaleTicket`] when the request was answered, or its peer is gone.
    pub fn resume(&mut self, now: Instant, ticket: Ticket, model: &mut dyn DataModel) -> Result<(), CommandError> {
        let now = self.clock.advance(now);
        if !self.exchange.resume(now, ticket) {
            return Err(CommandError::StaleTicket);
        }
        self.pump(now, After::Anything, Some(model));
        Ok(())
    }

    // ----- out ------------------------------------------------------------------------------

    /// The next order to the runtime. What it lends is good until the next call.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        if self.exchange.has_order() { self.next_output() } else { None }
    }

    #[inline(never)]
    fn next_output(&mut self) -> Option<Output<'_>> {
        if let Order::Connect(peer) = *self.exchange.take_order()? {
            return self.poll_session(peer);
        }
        self.lend_order()
    }

    /// The next order when it is about a session with `peer`, which may have been given up before it was
    /// asked for.
    #[cold]
    fn poll_session(&mut self, mut peer: Peer) -> Option<Output<'_>> {
        while self.server_uri(peer).is_none() {
            let Order::Connect(next) = *self.exchange.take_order()? else { return self.lend_order() };
            peer = next;
        }
        self.session_wanted(peer)
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

    // ----- what can be asked ----------------------------------------------------------------

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The servers that the client has accounts for, by Short Server ID.
    pub fn servers(&self) -> impl Iterator<Item = u16> {
        self.accounts.servers().map(|account| account.short_server_id)
    }

    /// Whether the registration with a server is in force at `now`.
    #[must_use]
    pub fn is_registered(&self, now: Instant, server: u16) -> bool {
        let now = self.clock.peek(now);
        self.lifecycle.registration_of(server).is_some_and(|registration| registration.serves(now))
    }

    /// The path segments of the Location that a server granted; nothing when not registered.
    pub fn location(&self, server: u16) -> impl Iterator<Item = &[u8]> {
        let lease = self.lifecycle.registration_of(server).and_then(|registration| registration.lease());
        lease.into_iter().flat_map(|lease| lease.location.path())
    }

    /// How many events were dropped because nobody polled them.
    #[must_use]
    pub const fn dropped_events(&self) -> u32 {
        self.events.dropped()
    }

    /// How many notifications were made while their server could not be told, and will never reach it:
    /// see [`Event::NotificationsDropped`]. A sleep does not end the count.
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

/// What is left to do after a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    /// Deadlines are other ones now.
    Planning,
    /// Something may be due.
    Sending,
    /// Sessions may be needed, or not any more, besides.
    All,
}

impl Left {
    /// After what needed nothing from the client.
    const fn after(handled: Handled) -> Self {
        match handled {
            Handled::Acknowledged | Handled::Continues => Self::Sending,
            // Nothing changed. What time has made due meanwhile is for `handle_timeout`.
            _ => Self::Nothing,
        }
    }
}

impl From<Handled> for Received {
    fn from(handled: Handled) -> Self {
        match handled {
            Handled::Acknowledged => Self::Acknowledgement,
            Handled::Continues => Self::Response,
            Handled::Duplicate => Self::Duplicate,
            Handled::Ping => Self::Ping,
            Handled::Malformed => Self::Malformed,
            Handled::Unexpected => Self::Unexpected,
            Handled::Refused => Self::Overloaded,
        }
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
    crate::objects::accounts::check_configured(config)
}
