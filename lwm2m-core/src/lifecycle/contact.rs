//! Whether a server that is registered with can be talked to, and in queue mode whether it wants to be
//! (OMA LwM2M 1.0, 8.3).

use super::registration::Registration;
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
    pub(crate) fn heard(&mut self, now: Instant) -> bool {
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
            // An Update on its way left some time ago.
            Contact::Unheard { .. } => self.failures > 0 || self.at <= now,
        }
    }

    /// Whether the server may be told anything, at any time: it is registered with, without queue mode, and
    /// nothing speaks against talking to it.
    pub(crate) fn is_at_hand(&self) -> bool {
        matches!(self.contact, Contact::Heard { .. }) && self.lease.is_some() && !self.queues()
    }

    /// Whether it is registered with at `now`, and stays so, without queue mode, and nothing speaks against
    /// talking to it.
    pub(crate) fn is_calm(&self, now: Instant) -> bool {
        matches!(self.contact, Contact::Heard { .. }) && self.serves(now) && !self.queues()
    }

    /// Whether it is queue mode that the server was told last, or is told now.
    pub(crate) fn queues(&self) -> bool {
        match self.exchange {
            Some(_) => self.told.binding.queues() && !self.is_leaving(),
            None => self.lease().is_some_and(|lease| lease.terms.binding.queues()),
        }
    }

    /// Asleep until then: that is when the next Update is due, or a Register.
    pub(crate) fn asleep_until(&self, now: Instant) -> Option<Instant> {
        if self.contact == Contact::Asleep { self.poll_timeout().filter(|until| *until > now) } else { None }
    }

    /// When the awake time is over, and how long nothing is to be sent then; not while something is on
    /// its way or due before.
    pub(crate) fn falls_asleep(&self, awake: Micros) -> Option<(Instant, Instant)> {
        let (Contact::Heard { last } | Contact::Unheard { last }) = self.contact else { return None };
        let until = self.poll_timeout().filter(|_| self.queues())?;
        Some((last + awake, until)).filter(|(from, until)| from < until)
    }
}
