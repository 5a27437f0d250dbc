//! Whether the device wants to be reachable, and can be: flight mode and power-off
//! (DM terminal specification 7.3 and 7.5), the network, and its address.

use super::registration::{Aim, Registration};
use super::{Lifecycle, World};
use crate::base::event::{Event, Leave};
use crate::base::time::Instant;

/// What the device wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Presence {
    /// To be reachable.
    Present,
    /// To leave: De-registers are on their way, and `until` then the device waits for them.
    Leaving { to: Goal, until: Instant },
    /// In flight mode.
    Flight,
    /// Switched off, for good.
    Off,
}

/// Where a device that leaves is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Goal {
    FlightMode,
    /// Into flight mode and out of it again, before the De-registers were over.
    Back,
    PowerOff,
}

impl Presence {
    /// The device has left: where it is now, and what it may be told.
    pub(crate) const fn arrive(&mut self) -> Option<Leave> {
        let Self::Leaving { to, .. } = *self else {
            return None;
        };
        let (presence, leave) = match to {
            Goal::FlightMode => (Self::Flight, Some(Leave::FlightMode)),
            Goal::Back => (Self::Present, None),
            Goal::PowerOff => (Self::Off, Some(Leave::PowerOff)),
        };
        *self = presence;
        leave
    }

    pub(crate) const fn until(self) -> Option<Instant> {
        if let Self::Leaving { until, .. } = self { Some(until) } else { None }
    }
}

impl Lifecycle {
    /// The network is there.
    pub(crate) fn network_up(&mut self, world: &mut World<'_>) {
        if core::mem::replace(&mut self.network, true) {
            return;
        }
        if self.presence == Presence::Present {
            self.reappear(world);
        }
    }

    /// Reachable again: what was registered updates, what was not registers (reading A16).
    pub(super) fn reappear(&mut self, world: &mut World<'_>) {
        let now = world.now;
        self.bootstrap.network_up(world);
        for registration in &mut self.registrations {
            if !registration.update_now(now) && registration.aim == Aim::Gone {
                registration.register_now(now);
            }
            registration.hurry(now, world.config, world.generator);
        }
    }

    /// The network is gone: what is on its way is lost.
    pub(crate) fn network_down(&mut self, world: &mut World<'_>) {
        let now = world.now;
        if !core::mem::replace(&mut self.network, false) {
            return;
        }
        world.events.push(Event::Offline);
        self.interrupt_bootstrap(now, world.accounts);
        self.registrations.iter_mut().for_each(|registration| registration.interrupted(now));
        if matches!(self.presence, Presence::Leaving { .. }) {
            self.cut_short(world);
        }
    }

    /// The device got another address: every session must be made sure of.
    pub(crate) fn address_changed(&mut self, world: &mut World<'_>) {
        let now = world.now;
        self.interrupt_bootstrap(now, world.accounts);
        for registration in &mut self.registrations {
            registration.interrupted(now);
            registration.update_now(now);
        }
    }

    /// The device wants to leave: what is on its way is dropped, and De-registers are due.
    pub(crate) fn leave(&mut self, goal: Goal, world: &mut World<'_>) {
        let now = world.now;
        match self.presence {
            // Power-off is for good.
            Presence::Off | Presence::Leaving { to: Goal::PowerOff, .. } => return,
            // Leaving already: only where to may change.
            Presence::Leaving { until, .. } => self.presence = Presence::Leaving { to: goal, until },
            Presence::Present | Presence::Flight => {
                self.presence = Presence::Leaving { to: goal, until: now + world.config.leave_within };
                self.interrupt_bootstrap(now, world.accounts);
                for registration in &mut self.registrations {
                    registration.interrupted(now);
                    registration.leave(now, Aim::Gone);
                }
            }
        }
        if !self.network {
            // Nobody can be told.
            self.cut_short(world);
        }
    }

    /// Whether a device that leaves has nobody to tell any more.
    pub(crate) fn has_left(&self) -> bool {
        matches!(self.presence, Presence::Leaving { .. }) && !self.registrations.iter().any(Registration::is_leaving)
    }

    /// The device goes without waiting for De-registers.
    pub(crate) fn cut_short(&mut self, world: &mut World<'_>) {
        self.registrations.iter_mut().for_each(|registration| registration.cut_short(world));
    }

    /// The device has left, or is back already.
    pub(crate) fn arrive(&mut self, world: &mut World<'_>) {
        if let Some(leave) = self.presence.arrive() {
            world.events.push(Event::MayProceed(leave));
        }
        if self.presence == Presence::Present && self.network {
            self.reappear(world);
        }
    }

    /// Out of flight mode: register at once, without a bootstrap (readings A15 and 7.3-2).
    pub(crate) fn leave_flight_mode(&mut self, world: &mut World<'_>) {
        match self.presence {
            Presence::Flight => {
                self.presence = Presence::Present;
                for registration in &mut self.registrations {
                    registration.register_now(world.now);
                }
                if self.network {
                    self.reappear(world);
                }
            }
            Presence::Leaving { to: Goal::FlightMode, until } => {
                self.presence = Presence::Leaving { to: Goal::Back, until };
            }
            _ => {}
        }
    }
}
