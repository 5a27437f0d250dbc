//! Servers that cannot be told now: what they are to be told is kept.

use super::connection::Link;
use super::{Client, Role};
use crate::base::event::Event;
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::model::{DataModel, Joined};

impl Client {
    /// Whether a server that is registered with cannot be told anything now: there is no network, no
    /// session, the Update that makes sure of it has no answer yet, or it is asleep with us in queue mode.
    pub(super) fn is_away(&self, now: Instant, server: u16) -> bool {
        let Some(registration) = self.lifecycle.registration_of(server).filter(|own| own.serves(now)) else {
            return false;
        };
        let role = Role::Server(server);
        registration.is_out_of_touch(now)
            || !self.lifecycle.serves(now, role, &self.config)
            || self.connections.by_role(role).is_none_or(|connection| connection.link != Link::Open)
    }

    /// Makes the notifications that would leave now if their servers could be told, and keeps them. For
    /// servers that are asleep with us only when something `changed`, which has woken the device anyway:
    /// a timeout that was not asked for must not make any.
    pub(super) fn keep_notifications(&mut self, now: Instant, changed: bool, mut model: Option<&mut dyn DataModel>) {
        for index in 0.. {
            let Some(own) = self.lifecycle.registrations.get(index) else { break };
            let (server, asleep) = (own.server, own.asleep_until(now).is_some());
            let away = self.is_away(now, server);
            if !self.stores_notifications(server) {
                self.reporting.drop_kept(server);
                if away {
                    self.reporting.drop_pending(server);
                }
            } else if let (true, Some(model)) = (away && self.reporting.keeps() && (changed || !asleep), &mut model) {
                self.keep_for(now, server, &mut **model);
            }
        }
    }

    fn keep_for(&mut self, now: Instant, server: u16, model: &mut dyn DataModel) {
        let (wall, defaults) = (self.clock.embedder(now), self.defaults(server));
        let datagram = self.config.limits.datagram;
        while let Some(due) = self.reporting.due_to_keep(now, server, defaults) {
            self.reporting.keep((now, wall), &due, datagram, &Joined(&mut self.accounts, model));
            self.touch();
        }
    }

    /// When the next notification is to be made that is kept. A device that sleeps is not woken for it.
    pub(super) fn poll_keep(&self) -> Option<Instant> {
        let now = self.clock.latest();
        let awake = self.lifecycle.registrations.iter().filter(|own| own.asleep_until(now).is_none());
        awake
            .map(|registration| registration.server)
            .filter(|server| self.reporting.keeps() && self.stores_notifications(*server) && self.is_away(now, *server))
            .filter_map(|server| self.reporting.poll_keep(server, self.defaults(server)))
            .min()
    }

    /// Servers that cannot be told now that what they observe is gone are told later.
    pub(super) fn owe_orphans(&mut self, now: Instant, deleted: Path) {
        for index in 0.. {
            let Some(server) = self.lifecycle.registrations.get(index).map(|registration| registration.server) else {
                break;
            };
            if self.is_away(now, server) {
                self.reporting.owe(server, deleted);
            }
        }
    }

    /// Tells of notifications that will never be told.
    pub(super) fn tell_dropped(&mut self) {
        let dropped = self.reporting.dropped();
        let count = dropped.saturating_sub(core::mem::replace(&mut self.dropped_notifications, dropped));
        if count > 0 {
            self.events.push(Event::NotificationsDropped { count });
        }
    }
}
