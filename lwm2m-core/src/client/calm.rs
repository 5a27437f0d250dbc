//! What a calm client does, and a client is calm nearly always: it has one server, is registered with it, and
//! nothing is going on. It updates the registration, tells of a value that changed, and rests again, in as few
//! steps as it takes. Whatever else there is to do goes the way of everything, and so does what comes on top.

use coap_codec::{Code, Message};

use super::connection::{Connection, Link};
use super::due::After;
use super::{Client, Received, Role};
use crate::base::features::SHORTCUTS;
use crate::base::path::Path;
use crate::base::time::sooner;
use crate::exchange::{Peer, Verdict};
use crate::lifecycle::{Lifecycle, Request};
use crate::model::{DataModel, Joined};

impl Client {
    /// Does something calmly, or else the way of everything. Tests see that it comes to the same.
    #[inline]
    pub(super) fn calmly<M, R: PartialEq + core::fmt::Debug>(
        &mut self,
        mut model: M,
        calmly: impl FnOnce(&mut Self, &mut M) -> Option<R>,
        otherwise: impl FnOnce(&mut Self, M) -> R,
    ) -> R {
        #[cfg(test)]
        let mut twin = self.clone();
        let done = if SHORTCUTS { calmly(self, &mut model) } else { None };
        let Some(done) = done else { return otherwise(self, model) };
        #[cfg(test)]
        {
            let otherwise = otherwise(&mut twin, model);
            assert_eq!((&done, &*self), (&otherwise, &twin), "as if not calm");
            tests::DONE_CALMLY.with(|count| count.set(count.get() + 1));
        }
        done
    }

    /// The session with the one server that there is: it is registered with and at hand, nothing is on its way
    /// to it or waited for, nothing is kept. Then all is [settled](Self::is_settled), and what is due is an
    /// Update or a notification.
    #[inline]
    fn calm(&self) -> Option<Connection> {
        let now = self.now();
        let ([session], [own]) = (self.connections.all(), self.lifecycle.registrations.as_slice()) else { return None };
        let calm = session.link == Link::Open
            && session.role == Role::Server(own.server)
            && own.is_calm(now)
            && self.lifecycle.hears_servers()
            && !self.lifecycle.heeds_bootstrap_server(&self.config)
            && self.exchange.is_idle()
            && self.transfers.is_empty()
            && self.stalled.is_none()
            && !self.reporting.has_any_kept();
        calm.then_some(*session)
    }

    /// Whether nothing is due now, after a calm client may have sent one message. Notes when it will be. False
    /// also when it takes a closer look: when something is due before the message is given up.
    #[inline]
    fn rests(&mut self) -> bool {
        let now = self.now();
        let [own] = self.lifecycle.registrations.as_slice() else { return false };
        let ours = sooner(own.poll_timeout(), self.reporting.soonest());
        let account = self.lifecycle.poll_account_timeout();
        let repeated = self.exchange.next_repetition();
        let next = sooner(sooner(ours, account), repeated);
        // There may be no room for what is ours.
        let rests = next.is_none_or(|at| at > now && (repeated.is_none() || next != ours));
        if rests {
            self.wake = next;
        }
        rests
    }

    /// There is nothing to do after an input if the client is calm, and nothing is due now. None for any other
    /// client.
    pub(super) fn rest_calmly(&mut self) -> Option<()> {
        self.calm()?;
        self.rests().then(|| self.tell_dropped())
    }

    /// Sends an Update that says nothing new, if that is what is due. None: nothing has happened.
    pub(super) fn update_calmly(&mut self, model: &mut dyn DataModel) -> Option<()> {
        let now = self.now();
        let session = self.calm()?;
        let Self { lifecycle, accounts, config, exchange, .. } = self;
        let others_wait = lifecycle.poll_account_timeout().is_none_or(|at| at > now);
        let [own] = lifecycle.registrations.as_mut_slice() else { return None };
        let terms = Lifecycle::terms(own.server, accounts, config, self.objects?.get());
        // A calm registration is in force.
        let due = own.exchange.is_none() && own.at <= now && others_wait;
        own.lease.filter(|lease| due && lease.terms == terms)?;
        let location = &own.location;
        let sent = exchange.request_in_blocks(now, session.peer, Code::POST, &mut |writer, upload| {
            let written = location.write(writer).and_then(|()| upload.write(writer, None));
            written.map_or(Verdict::Drop, |()| Verdict::Send)
        });
        let left = match sent {
            Ok(exchange) => {
                own.told = terms;
                own.sent(now, exchange);
                self.touch();
                true
            }
            Err(error) => self.unsent(session.role, error),
        };
        self.rest_or_go_on(left, After::Anything, model);
        Some(())
    }

    /// Takes an acknowledgement that says no more than that the Update was accepted, or the notification arrived
    /// that was the last thing on its way. None: nothing has happened.
    pub(super) fn acknowledged_calmly(
        &mut self,
        peer: Peer,
        message: &Message<'_>,
        model: &mut dyn DataModel,
    ) -> Option<Received> {
        let now = self.now();
        let exchange = self.exchange.bare_acknowledgement(peer, message)?;
        if message.code().is_empty() {
            self.reporting.acknowledged(now, exchange);
            self.pump(After::Message, Some(model));
            return Some(Received::Acknowledgement);
        }
        match self.lifecycle.registrations.as_mut_slice() {
            [own] if own.owns(exchange) && own.request() == Request::Update => {
                own.updated(&self.config.registration, &mut self.events);
                self.touch();
                self.after_response(model);
            }
            _ => self.response_in(exchange, message, model),
        }
        self.pump(After::Anything, Some(model));
        Some(Received::Response)
    }

    /// Something at or below an instance changed, as [`notify`](Self::notify) has it: the server is told, if it
    /// is to be told now. None: nothing has happened.
    pub(super) fn tell_calmly(&mut self, path: Path, model: &mut dyn DataModel) -> Option<()> {
        let now = self.now();
        let session = self.calm()?;
        let (Role::Server(server), false) = (session.role, self.wake.is_some_and(|at| at <= now)) else { return None };
        let wall = self.clock.embedder(now);
        self.reporting.suspect((now, wall), path, &Joined(&mut self.accounts, model));
        let due = self.reporting.due(now, server, self.config.confirmable_notifications, true);
        let left = due.is_none_or(|due| self.tell((session.peer, server), &due, model));
        self.rest_or_go_on(left, After::Suspicion, model);
        Some(())
    }

    /// After a message has `left`, or could not.
    fn rest_or_go_on(&mut self, left: bool, after: After, model: &mut dyn DataModel) {
        if !left || !self.rests() {
            self.send_due(after, true, Some(model));
        }
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use core::time::Duration;

    use crate::base::config::{Config, Credentials};
    use crate::base::rng::Key;
    use crate::objects::Device;
    use crate::sim::Sim;
    use crate::sim::soak::{Profile, Soak, Terminal};

    std::thread_local! {
        pub(super) static DONE_CALMLY: Cell<usize> = const { Cell::new(0) };
    }

    /// How much was done calmly in some lives; what differed would have failed.
    fn done_calmly(profile: Profile, hours: u64) -> usize {
        let soak = Soak { subject: Terminal, profile, length: Duration::from_secs(hours * 3_600) };
        let before = DONE_CALMLY.get();
        for seed in 0..6 {
            assert_eq!(soak.live(seed).failure, None, "{} {seed}", profile.name());
        }
        DONE_CALMLY.get() - before
    }

    #[test]
    #[cfg_attr(
        not(all(feature = "shortcuts", feature = "reporting", feature = "blockwise", feature = "access-control")),
        ignore = "whole lives, and what is done calmly in them"
    )]
    fn what_is_done_calmly_comes_to_the_same_in_quiet_and_in_wild_lives() {
        let counts = [Profile::Quiet, Profile::Busy, Profile::Wild].map(|profile| done_calmly(profile, 48));
        assert!(counts.iter().all(|count| *count > 500), "{counts:?}");
    }

    #[test]
    fn an_update_leaves_calmly_unless_an_account_ends_then() {
        let config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 300);
        let mut sim = Sim::new(config, Device::new("Example Works", "TM-1"), 1);
        sim.network_up();
        sim.run_for(Duration::from_secs(1));
        let due = sim.client.wake.expect("an Update is due some time");
        let before = due.saturating_sub(Duration::from_secs(1));
        for (now, purge_at, calmly) in [
            (before, None, false),
            (due, None, true),
            (due, Some(due + Duration::from_micros(1)), true),
            (due, Some(due), false),
            (due, Some(before), false),
        ] {
            let mut client = sim.client.clone();
            client.lifecycle.purge_at = purge_at;
            client.clock.advance(client.clock.embedder(now));
            assert_eq!(client.update_calmly(&mut sim.model).is_some(), calmly, "{now} {purge_at:?}");
            assert_eq!(client.exchange.is_idle(), !calmly, "an Update is on its way, or nothing has happened");
        }
    }
}
