//! A client that has left, or has no network, sends nothing.

use super::{Invariant, Report};
use crate::base::event::{Event, Leave};
use crate::client::Wake;
use crate::sim::record::Input;

#[derive(Clone, Debug, Default)]
pub(super) struct Silence {
    network: bool,
    left: Option<Leave>,
    /// The same from the end of this moment on.
    leaves: Option<Leave>,
    /// Where it was asked to go.
    goal: Option<Leave>,
}

impl Silence {
    /// Whether the device has a network and wants to be reachable.
    pub(super) const fn is_present(&self) -> bool {
        self.network && self.left.is_none() && self.goal.is_none()
    }

    pub(super) fn sent(&self, report: &mut Report) {
        if !self.network {
            report.violated(Invariant::Silence, format_args!("a datagram without a network"));
        } else if let Some(left) = self.left {
            report.violated(Invariant::Silence, format_args!("a datagram after it may proceed to {left:?}"));
        }
    }

    pub(super) fn connects(&self, report: &mut Report) {
        if let Some(left) = self.left {
            report.violated(Invariant::Silence, format_args!("a connect after it may proceed to {left:?}"));
        }
    }

    /// What was still to be sent leaves together with this.
    pub(super) const fn event(&mut self, event: &Event) {
        if let Event::MayProceed(leave) = event {
            self.leaves = Some(*leave);
        }
    }

    pub(super) fn settled(&mut self) {
        self.left = self.leaves.take().or(self.left);
    }

    pub(super) fn input(&mut self, input: &Input) {
        match input {
            Input::NetworkUp { .. } => self.network = true,
            Input::NetworkDown { .. } => self.network = false,
            Input::Shutdown { .. } => self.goal = Some(Leave::PowerOff),
            Input::EnterFlightMode { .. } => self.goal = self.goal.or(Some(Leave::FlightMode)),
            Input::LeaveFlightMode { .. } if self.goal == Some(Leave::FlightMode) => {
                (self.left, self.goal) = (None, None);
            }
            Input::Restart { .. } | Input::Boot { .. } | Input::Restore { wake: Wake::Restart, .. } => {
                *self = Self::default()
            }
            _ => {}
        }
    }
}
