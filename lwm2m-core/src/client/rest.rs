//! When nothing needs the device: queue mode, and the times in between.

use super::{Client, Role};
use crate::base::event::Event;
use crate::base::time::Instant;
use crate::lifecycle::bootstrap::Bootstrap;
use crate::lifecycle::contact::Contact;
use crate::lifecycle::presence::Presence;
use crate::lifecycle::registration::Registration;

/// A time in which nothing needs the device: no server expects to reach it, and it has nothing to send.
///
/// Its radio may be off then, and its memory too ([`Client::snapshot`]). Any input may end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rest {
    /// When it begins. Before, a server may still send something.
    pub from: Instant,
    /// When it ends: the next message is due then. None: nothing will be due until there is an input.
    pub until: Option<Instant>,
}

impl Rest {
    fn unless_over(self) -> Option<Self> {
        self.until.is_none_or(|until| self.from < until).then_some(self)
    }

    /// The time that is in both, if there is any.
    fn and(self, other: Self) -> Option<Self> {
        let until = [self.until, other.until].into_iter().flatten().min();
        Self { from: self.from.max(other.from), until }.unless_over()
    }
}

impl Client {
    /// When the device may rest next, as far as can be said at `now`; ask again after each input, and
    /// when its beginning has come. `from` is not later than `now` when it may rest already.
    ///
    /// None: something is on its way or due, or a server expects to reach the device at any time, because
    /// it is registered with it without queue mode ([`RegistrationPolicy::queue_mode`](crate::RegistrationPolicy)).
    ///
    /// ```
    /// # use lwm2m_core::{Client, Instant};
    /// /// How long the radio may be off from now on.
    /// fn off(client: &Client, now: Instant) -> Option<core::time::Duration> {
    ///     let rest = client.rest(now).filter(|rest| rest.from <= now)?;
    ///     Some(rest.until?.saturating_duration_since(now))
    /// }
    /// ```
    #[must_use]
    pub fn rest(&self, now: Instant) -> Option<Rest> {
        let now = self.clock.peek(now);
        let servers = self.lifecycle.registrations.iter().map(|own| self.rest_with(now, own));
        let mut all = self.rest_with_bootstrap(now)?;
        for rest in servers {
            all = all.and(rest?)?;
        }
        Some(self.in_embedder_time(all))
    }

    /// The same for one server, as if there were no other.
    #[must_use]
    pub fn rest_of(&self, now: Instant, server: u16) -> Option<Rest> {
        let rest = self.rest_with(self.clock.peek(now), self.lifecycle.registration_of(server)?)?;
        Some(self.in_embedder_time(rest))
    }

    fn in_embedder_time(&self, Rest { from, until }: Rest) -> Rest {
        Rest { from: self.clock.embedder(from), until: until.map(|until| self.clock.embedder(until)) }
    }

    fn rest_with(&self, now: Instant, own: &Registration) -> Option<Rest> {
        let role = Role::Server(own.server);
        if !self.lifecycle.may_send(role) {
            // Nothing passes. What is due then is planned all the same.
            let until = own.poll_timeout().filter(|at| *at > now);
            return matches!(self.lifecycle.presence, Presence::Present | Presence::Flight | Presence::Off)
                .then_some(Rest { from: now, until });
        }
        if own.lease.is_none() && own.exchange.is_none() {
            return Rest { from: now, until: own.poll_timeout() }.unless_over();
        }
        match own.asleep_until(now) {
            Some(until) => Some(Rest { from: now, until: Some(until) }),
            None => {
                let (from, until) = self.falls_asleep(now, own)?;
                Rest { from: from.max(now), until: Some(until) }.unless_over()
            }
        }
    }

    /// The bootstrap server may repeat what it sent while its session lingers.
    fn rest_with_bootstrap(&self, now: Instant) -> Option<Rest> {
        let from = self.connections.next_lingered().map_or(now, |until| until.max(now));
        let next = match &self.lifecycle.bootstrap {
            _ if !self.lifecycle.may_send(Role::Bootstrap) => None,
            Bootstrap::Wanted { at, .. } => Some(*at),
            Bootstrap::Requesting { .. } | Bootstrap::Receiving { .. } => return None,
            _ if self.lifecycle.keeps_bootstrap_session(&self.accounts, &self.config) => return None,
            Bootstrap::Idle | Bootstrap::Boot => None,
        };
        let until = next.into_iter().chain(self.lifecycle.purge_at).min();
        Rest { from, until }.unless_over()
    }

    /// When the awake time of a server in queue mode is over, and the time without anything to send then.
    fn falls_asleep(&self, now: Instant, own: &Registration) -> Option<(Instant, Instant)> {
        let (from, until) = own.falls_asleep(self.config.awake()).filter(|(_, until)| now < *until)?;
        let session = self.session_of(own);
        let quiet = session.is_none_or(|session| self.exchange.is_quiet(session.peer));
        let told = !self.reporting.has_kept(own.server) || self.is_out_of_reach(now, own, session);
        (quiet && told).then_some((from, until))
    }

    /// In queue mode: goes to sleep where the awake time is over.
    pub(super) fn fall_asleep(&mut self) {
        let now = self.now();
        for index in 0.. {
            let Some(own) = self.lifecycle.registrations.get(index) else { break };
            let over = self.falls_asleep(now, own).is_some_and(|(from, _)| from <= now);
            if let Some(own) = self.lifecycle.registrations.get_mut(index).filter(|_| over) {
                own.contact = Contact::Asleep;
                self.events.push(Event::MaySleep { server: own.server });
                self.touch();
            }
        }
    }

    /// When that is.
    pub(super) fn poll_asleep(&self, own: &Registration) -> Option<Instant> {
        let now = self.now();
        self.falls_asleep(now, own).map(|(from, _)| from)
    }

    /// Notes with whom messages are exchanged now: in queue mode the awake time begins anew. True when one
    /// of them slept.
    pub(super) fn note_messages(&mut self) -> bool {
        let now = self.now();
        let Self { lifecycle, connections, exchange, .. } = self;
        let mut woken = false;
        for own in lifecycle.registrations.iter_mut().filter(|own| own.queues()) {
            if connections
                .by_role(Role::Server(own.server))
                .is_some_and(|connection| exchange.is_sending(connection.peer))
            {
                woken |= own.contact == Contact::Asleep;
                own.spoke(now);
            }
        }
        woken
    }
}
