//! What the runtime and the device tell: sessions, the network, flight mode, power.

use super::Client;
use super::connection::Link;
use super::due::After;
use crate::base::event::Reason;
use crate::base::time::Instant;
use crate::exchange::Peer;
use crate::lifecycle::presence::{Goal, Presence};
use crate::lifecycle::{Lifecycle, Session, World};
use crate::model::DataModel;

impl Client {
    /// The session that [`Output::Connect`](crate::Output::Connect) asked for is there; `session` says how it compares
    /// with the one before.
    pub fn connected(&mut self, now: Instant, peer: Peer, session: Session, model: &mut dyn DataModel) {
        let now = self.clock.advance(now);
        // A session that nobody asks for any more is too late.
        let Some(role) = self.connections.came(peer, Link::Open) else { return };
        let secure = self.is_secure(role);
        self.lifecycle.connected(now, role, session, secure);
        self.objects = None;
        self.touch();
        self.pump(After::Anything, Some(model));
    }

    /// The session that [`Output::Connect`](crate::Output::Connect) asked for cannot be made. It is asked for again when
    /// there is a reason to.
    pub fn connection_failed(&mut self, now: Instant, peer: Peer) {
        self.clock.advance(now);
        let Some(role) = self.connections.came(peer, Link::Closed) else { return };
        self.abandon(peer, role);
        let (lifecycle, mut world) = self.lifecycle();
        lifecycle.blocked(role, Reason::Unreachable, &mut world);
        self.pump(After::Anything, None);
    }

    /// The device has another address now. Sessions are asked for again.
    pub fn address_changed(&mut self, now: Instant) {
        self.lose_sessions();
        self.happens(now, Lifecycle::address_changed);
    }

    // ----- from the device ------------------------------------------------------------------

    /// There is a network. The first time after the start this begins the bootstrap, if there is to be one
    /// ([`BootstrapPolicy`](crate::BootstrapPolicy); DM terminal specification, 7.2), or else registration; later, what was
    /// registered is refreshed, and a server that did not answer is tried again after the shortest pause.
    pub fn network_up(&mut self, now: Instant) {
        self.happens(now, Lifecycle::network_up);
    }

    /// The network is gone. Registrations stay; nothing is sent until it is back.
    pub fn network_down(&mut self, now: Instant) {
        self.lose_sessions();
        self.happens(now, Lifecycle::network_down);
    }

    /// Flight mode is about to begin: de-registers, and says [`Event::MayProceed`](crate::Event::MayProceed) when nothing is
    /// left to be sent, or after `Config::leave_within` (DM terminal specification, 7.5).
    pub fn enter_flight_mode(&mut self, now: Instant) {
        self.leave(now, |lifecycle, world| lifecycle.leave(Goal::FlightMode, world));
    }

    /// Flight mode is over: registers at once, or as soon as there is a network.
    pub fn leave_flight_mode(&mut self, now: Instant) {
        self.happens(now, Lifecycle::leave_flight_mode);
    }

    /// Power-off is about to happen: like flight mode, and for good.
    pub fn shutdown(&mut self, now: Instant) {
        self.leave(now, |lifecycle, world| lifecycle.leave(Goal::PowerOff, world));
    }

    fn leave(&mut self, now: Instant, act: fn(&mut Lifecycle, &mut World<'_>)) {
        // De-registers that are on their way already go on.
        if matches!(self.lifecycle.presence, Presence::Present | Presence::Flight) {
            self.abandon_all();
        }
        self.happens(now, act);
    }

    /// Tells the machines of something, and does what follows.
    #[inline(never)]
    fn happens(&mut self, now: Instant, act: fn(&mut Lifecycle, &mut World<'_>)) {
        self.clock.advance(now);
        let (lifecycle, mut world) = self.lifecycle();
        act(lifecycle, &mut world);
        self.touch();
        self.pump(After::Anything, None);
    }
}
