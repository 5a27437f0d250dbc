//! What is to be done next for each server, and when: the one place that says so. `due` does it.

use super::connection::{Connection, Link};
use super::{Client, Role};
use crate::base::time::{Instant, earliest, sooner};
use crate::lifecycle::registration::Registration;

/// What is to be done for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// The runtime is asked for a session.
    Connect,
    /// A Bootstrap-Request, Register, Update or De-register, or one goes on: with its next block, or once more with
    /// its Echo.
    Request,
    /// A request is answered that waited for the application.
    LateAnswer,
    /// An observer is told.
    Notification,
}

impl Task {
    const fn connect(at: Instant) -> (Instant, Self) {
        (at, Self::Connect)
    }
}

impl Client {
    /// What is to be done next for a server; for the bootstrap server, which observes nothing, too. What is due already
    /// comes in a fixed order: requests of ours and late answers, by age, then reporting. What needs room in NSTART has no
    /// deadline while there is no room: then only the peer's answer, or the end of the exchange, can change that.
    pub(super) fn next_task(&self, role: Role) -> Option<(Instant, Task)> {
        let now = self.now();
        let (own, request) = match role {
            Role::Server(server) => {
                let own = self.lifecycle.registration_of(server)?;
                (Some(own), self.lifecycle.poll_server(own))
            }
            Role::Bootstrap => (None, self.lifecycle.poll_bootstrap()),
        };
        let session = self.connections.by_role(role);
        let peer = match session.map_or(Link::Closed, |session| session.link) {
            Link::Open => session?.peer,
            Link::Closed | Link::Lost => return request.map(Task::connect),
            Link::Wanted => return self.lifecycle.may_send(role).then_some(Task::connect(Instant::ZERO)),
            Link::Connecting | Link::Lingering => return None,
        };
        if self.exchange.next_block(peer).is_some() && self.exchange.may_send(peer) {
            return Some((Instant::ZERO, Task::Request));
        }
        let serves = self.lifecycle.serves(now, role, &self.config);
        let room = self.exchange.has_room(peer);
        let request = request.filter(|_| room);
        let answer = self.exchange.due(peer).filter(|_| room && serves);
        // Whichever waits for longer: a server whose lifetime is as short as its acknowledgements are slow is to get
        // both.
        let first = |at| at <= now && answer.is_none_or(|(since, _)| at <= since);
        if !serves || request.is_some_and(first) {
            return request.map(|at| (at, Task::Request));
        }
        if answer.is_some() {
            return Some((Instant::ZERO, Task::LateAnswer));
        }
        let in_touch = own.filter(|own| !own.is_out_of_touch(now));
        let confirmable = self.config.confirmable_notifications;
        let told = in_touch.and_then(|own| self.reporting.poll_timeout(now, own.server, confirmable, room));
        let at = sooner(request, told)?;
        Some((at, if request == Some(at) { Task::Request } else { Task::Notification }))
    }

    /// Notes when there is something to do next, after an input that may have changed anything and sends nothing.
    pub(super) fn plan(&mut self) {
        self.wake = self.next_due();
    }

    /// When there is something to do next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let mut due = sooner(self.next_due_settled(), self.connections.next_lingered());
        for own in &self.lifecycle.registrations {
            due = sooner(due, self.poll_keep(own));
            due = sooner(due, self.poll_asleep(own));
        }
        due
    }

    /// The same while all is settled: nothing is kept, nobody falls asleep, and no session lingers.
    pub(super) fn next_due_settled(&self) -> Option<Instant> {
        let roles = (0..).map_while(|index| self.lifecycle.role(index));
        let to_send = earliest(roles.filter_map(|role| self.next_task(role)).map(|(at, _)| at));
        let to_send = to_send.map(|due| self.stalled.map_or(due, |stalled| due.max(stalled)));
        let due = sooner(to_send, self.lifecycle.poll_own_timeout());
        sooner(due, sooner(self.exchange.poll_timeout(), self.transfers.poll_timeout()))
    }

    /// The session with the server of a registration.
    pub(super) fn session_of(&self, own: &Registration) -> Option<Connection> {
        self.connections.by_role(Role::Server(own.server))
    }

    /// Whether nothing is due before what was planned.
    pub(super) fn is_planned(&self) -> bool {
        let now = self.clock.latest();
        let due = self.next_due();
        due.is_none_or(|due| self.wake.is_some_and(|wake| wake <= due.max(now)))
    }
}
