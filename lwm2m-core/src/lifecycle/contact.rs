//! Whether a server that is registered with can be talked to, and in queue mode whether it wants to be
//! (OMA LwM2M 1.0, 8.3).

use super::registration::{Phase, Registration, State};
use crate::base::time::{Instant, Micros};

/// When the server was in touch with us last: while it is registered with, it tells whether it can be
/// talked to, and in queue mode whether it wants to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Contact {
    /// Nothing speaks against talking to it. `last` is when the last message was sent or came.
    Heard { last: Instant },
    /// It was out of reach, and nothing came from it since: the next Update makes sure.
    Unheard { last: Instant },
    /// In queue mode, after the awake time: it keeps its requests, and we what we would tell it, until
    /// the next Update.
    Asleep,
}

impl Registration {
    /// A message from the server came. True when that changes what is due when: it may be told something
    /// again, or the awake time begins anew.
    pub(crate) const fn heard(&mut self, now: Instant) -> bool {
        let back = !matches!(self.contact, Contact::Heard { .. });
        self.contact = Contact::Heard { last: now };
        back || self.queues()
    }

    /// A message to the server leaves now.
    pub(crate) const fn spoke(&mut self, now: Instant) {
        match &mut self.contact {
            Contact::Heard { last } | Contact::Unheard { last } => *last = now,
            Contact::Asleep => self.contact = Contact::Unheard { last: now },
        }
    }

    /// Whether what the server is to be told must wait until it is known to be there.
    pub(crate) fn is_out_of_touch(&self, now: Instant) -> bool {
        match self.contact {
            Contact::Heard { .. } => false,
            Contact::Asleep => true,
            Contact::Unheard { .. } => match &self.state {
                State::Known { phase: Phase::Updating { .. }, .. } => true,
                State::Known { phase: Phase::Registered { update_at, failures }, .. } => {
                    *failures > 0 || *update_at <= now
                }
                _ => false,
            },
        }
    }

    /// Whether the server may be told anything, at any time: it is registered with, without queue mode, and
    /// nothing speaks against talking to it.
    pub(crate) const fn is_at_hand(&self) -> bool {
        matches!(self.contact, Contact::Heard { .. }) && self.lease().is_some() && !self.queues()
    }

    /// Whether it is registered with at `now`, and stays so, without queue mode, and nothing speaks against
    /// talking to it.
    pub(crate) fn is_calm(&self, now: Instant) -> bool {
        let State::Known { lease, phase } = &self.state else { return false };
        let binding = match phase {
            Phase::Registered { .. } => lease.terms.binding,
            Phase::Updating { terms, .. } => terms.binding,
            Phase::Leaving { .. } | Phase::Deregistering { .. } => return false,
        };
        matches!(self.contact, Contact::Heard { .. }) && !binding.queues() && lease.expires > now
    }

    /// Whether it is queue mode that the server was told last, or is told now.
    pub(crate) const fn queues(&self) -> bool {
        match &self.state {
            State::Registering { terms, .. } | State::Known { phase: Phase::Updating { terms, .. }, .. } => {
                terms.binding.queues()
            }
            State::Known { lease, phase: Phase::Registered { .. } } => lease.terms.binding.queues(),
            _ => false,
        }
    }

    /// Asleep until then: that is when the next Update is due, or a Register.
    pub(crate) fn asleep_until(&self, now: Instant) -> Option<Instant> {
        match &self.state {
            State::Known { lease, phase: Phase::Registered { update_at, .. } } if self.contact == Contact::Asleep => {
                Some(lease.expires.min(*update_at)).filter(|until| *until > now)
            }
            _ => None,
        }
    }

    /// When the awake time is over, and how long nothing is to be sent then; not while something is on
    /// its way or due before.
    pub(crate) fn falls_asleep(&self, awake: Micros) -> Option<(Instant, Instant)> {
        match (self.contact, &self.state) {
            (
                Contact::Heard { last } | Contact::Unheard { last },
                State::Known { lease, phase: Phase::Registered { update_at, .. } },
            ) if lease.terms.binding.queues() => {
                Some((last + awake, lease.expires.min(*update_at))).filter(|(from, until)| from < until)
            }
            _ => None,
        }
    }
}
