//! What is to be done next for each server, and when: the one place that says so. `due` does it.

use super::connection::{Connection, Link};
use super::{Client, Role};
use crate::base::time::{Instant, sooner};
use crate::lifecycle::registration::Registration;

/// What is to be done for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// The runtime is asked for a session.
    Connect,
    /// A request goes on with its next block, or once more with its Echo.
    NextBlock,
    /// A Bootstrap-Request, Register, Update or De-register.
    Request,
    /// A request is answered that waited for the application.
    LateAnswer,
    /// An observer is told.
    Notification,
}

impl Client {
    /// What is to be done next for the server of a registration, or without one for the bootstrap server.
    /// What is due already comes in a fixed order: requests of ours, answers, reporting. What needs room in
    /// NSTART has no deadline while there is no room: then only the peer's answer, or the end of the
    /// exchange, can change that.
    pub(super) fn next_task(
        &self,
        now: Instant,
        own: Option<&Registration>,
        session: Option<Connection>,
    ) -> Option<(Instant, Task)> {
        let request = match own {
            Some(own) => self.lifecycle.poll_server(own),
            None => self.lifecycle.poll_bootstrap(),
        };
        let connect = request.map(|at| (at, Task::Connect));
        let Some(Connection { peer, role, link }) = session else { return connect };
        match link {
            Link::Connecting | Link::Lingering { .. } => return None,
            Link::Closed | Link::Lost => return connect,
            Link::Wanted => return self.lifecycle.may_send(role).then_some((Instant::ZERO, Task::Connect)),
            Link::Open => {}
        }
        if self.exchange.next_block(peer).is_some() && self.exchange.may_send(peer) {
            return Some((Instant::ZERO, Task::NextBlock));
        }
        let room = self.exchange.has_room(peer);
        let request = request.filter(|_| room).map(|at| (at, Task::Request));
        let serves = match own {
            Some(own) => self.lifecycle.hears_servers() && own.serves(now),
            None => self.lifecycle.serves(now, role, &self.config),
        };
        if !serves || request.is_some_and(|(at, _)| at <= now) {
            return request;
        }
        if room && self.exchange.due(peer).is_some() {
            return Some((Instant::ZERO, Task::LateAnswer));
        }
        let observer = own.filter(|own| !own.is_out_of_touch(now)).map(|own| own.server);
        let told = observer.and_then(|server| {
            let confirmable = self.config.confirmable_notifications;
            self.reporting.poll_timeout(now, server, confirmable, room)
        });
        match (request, told) {
            (Some((at, _)), Some(told)) if at <= told => request,
            (request, told) => told.map(|at| (at, Task::Notification)).or(request),
        }
    }

    /// Notes when there is something to do next. `to_send` says when a server is to be sent something.
    pub(super) fn plan(&mut self, now: Instant, to_send: Option<Instant>) {
        self.wake = self.next_due(now, to_send);
    }

    /// The same after an input that may have changed anything, and sends nothing.
    pub(super) fn plan_anew(&mut self, now: Instant) {
        self.plan(now, self.next_to_send(now));
    }

    fn next_due(&self, now: Instant, to_send: Option<Instant>) -> Option<Instant> {
        let mut due = sooner(self.exchange.poll_timeout(), self.transfers.poll_timeout());
        due = sooner(due, self.lifecycle.poll_own_timeout());
        due = sooner(due, self.connections.next_lingered());
        for own in &self.lifecycle.registrations {
            due = sooner(due, self.poll_keep(now, own));
            due = sooner(due, self.poll_asleep(now, own));
        }
        sooner(due, to_send.map(|due| self.stalled.map_or(due, |stalled| due.max(stalled))))
    }

    /// When any server is to be sent something.
    pub(super) fn next_to_send(&self, now: Instant) -> Option<Instant> {
        let at = |own| self.next_task(now, own, self.session_of(own)).map(|(at, _)| at);
        let first = if self.lifecycle.heeds_bootstrap_server(&self.config) { at(None) } else { None };
        self.lifecycle.registrations.iter().fold(first, |due, own| sooner(due, at(Some(own))))
    }

    /// The session with the server of a registration, or without one with the bootstrap server.
    pub(super) fn session_of(&self, own: Option<&Registration>) -> Option<Connection> {
        self.connections.by_role(own.map_or(Role::Bootstrap, |own| Role::Server(own.server)))
    }

    /// Whether nothing is due before what was planned.
    pub(super) fn is_planned(&self) -> bool {
        let now = self.clock.latest();
        let due = self.next_due(now, self.next_to_send(now));
        due.is_none_or(|due| self.wake.is_some_and(|wake| wake <= due.max(now)))
    }
}
