//! Servers that cannot be told now: what they are to be told is kept.

use super::Client;
use super::connection::{Connection, Link};
use crate::base::event::Event;
use crate::base::time::Instant;
use crate::lifecycle::registration::Registration;
use crate::model::{DataModel, Joined};

impl Client {
    /// Whether a server that is registered with cannot be told anything for now, of its registration and the session with
    /// it: there is no network, no session, the Update that makes sure of it has no answer yet, or it is asleep with us in
    /// queue mode. A session that is being made, and was not lost, is that of a client which slept: what its server is to
    /// be told has to wait for a moment, and that is all.
    pub(super) fn is_out_of_reach(&self, now: Instant, own: &Registration, session: Option<Connection>) -> bool {
        own.serves(now)
            && (own.is_out_of_touch(now)
                || !self.lifecycle.hears_servers()
                || session.is_none_or(|session| !matches!(session.link, Link::Open | Link::Wanted | Link::Connecting)))
    }

    /// Makes the notifications that would leave now if their servers could be told, and keeps them. For
    /// servers that are asleep with us only when something `changed`, which has woken the device anyway:
    /// a timeout that was not asked for must not make any.
    pub(super) fn keep_notifications(&mut self, changed: bool, mut model: Option<&mut dyn DataModel>) {
        let now = self.now();
        if !self.reporting.has_news() && !self.reporting.has_any_kept() {
            // There is nothing to make, and nothing to drop.
            return;
        }
        for index in 0.. {
            let Some(own) = self.lifecycle.registrations.get(index) else { break };
            let server = own.server;
            let away = self.is_out_of_reach(now, own, self.session_of(own));
            if !away && !self.reporting.has_any_kept() {
                continue;
            }
            let asleep = own.asleep_until(now).is_some();
            if !self.stores_notifications(server) {
                self.reporting.drop_kept(server);
                if away {
                    self.reporting.drop_pending(server);
                }
            } else if let (true, Some(model)) = (away && self.reporting.keeps() && (changed || !asleep), &mut model) {
                self.keep_for(server, &mut **model);
            }
        }
    }

    fn keep_for(&mut self, server: u16, model: &mut dyn DataModel) {
        let now = self.now();
        let wall = self.clock.embedder(now);
        let datagram = self.config.limits.datagram;
        while let Some(due) = self.reporting.due_to_keep(now, server) {
            self.reporting.keep((now, wall), &due, datagram, &Joined(&mut self.accounts, model));
            self.touch();
        }
    }

    /// When the next notification is to be made that is kept. A device that sleeps is not woken for it.
    pub(super) fn poll_keep(&self, own: &Registration) -> Option<Instant> {
        let now = self.now();
        let keeps = self.reporting.keeps()
            && self.is_out_of_reach(now, own, self.session_of(own))
            && own.asleep_until(now).is_none()
            && self.stores_notifications(own.server);
        if keeps { self.reporting.poll_keep(own.server) } else { None }
    }

    /// Tells of notifications that will never be told.
    #[inline]
    pub(super) fn tell_dropped(&mut self) {
        let dropped = self.reporting.dropped();
        let told = core::mem::replace(&mut self.dropped_notifications, dropped);
        if dropped > told {
            self.events.push(Event::NotificationsDropped { count: dropped.saturating_sub(told) });
        }
    }
}
