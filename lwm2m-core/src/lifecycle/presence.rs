//! Whether the device wants to be reachable: flight mode and power-off
//! (DM terminal specification 7.3 and 7.5).

use crate::base::event::Leave;
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
