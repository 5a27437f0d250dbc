//! The radio sleeps and the memory does not: power saving mode and extended DRX (3GPP TS 23.682, 4.5.4 and 4.5.13).

use super::Client;
use crate::base::event::Reason;
use crate::base::time::Instant;

impl Client {
    /// The device will not be reachable for a while, and is awake again at `wake`: no Update is to be due in between
    /// (OMA LwM2M 1.0, 5.3.2). One that would be waits until `wake`, if that leaves
    /// [`RegistrationPolicy::margin`](crate::RegistrationPolicy) before the end of the lifetime: 250 s unless set
    /// otherwise, which is two cycles of retransmissions; half of a lifetime below 600 s. If it does not, the Update
    /// is due at once, while the device is awake, provided that the new lifetime lasts until `wake` with its margin.
    /// If neither helps, nothing changes, and [`rest`](Self::rest) ends before `wake`.
    ///
    /// Say it right before each sleep; twice does no harm. What is due already, or on its way, stays so: sleep when
    /// `rest` lets you, or when [`poll_timeout`](Self::poll_timeout) names nothing before `wake`.
    ///
    /// ```
    /// use core::time::Duration;
    /// use lwm2m_core::{Client, Instant};
    ///
    /// /// Plans a sleep until the next measurement: how long it may be, if it may begin now.
    /// fn plan(client: &mut Client, now: Instant, measurement: Instant) -> Option<Duration> {
    ///     client.will_be_unreachable(now, measurement);
    ///     let rest = client.rest(now).filter(|rest| rest.from <= now)?;
    ///     Some(rest.until.map_or(measurement, |until| until.min(measurement)).saturating_duration_since(now))
    /// }
    /// ```
    pub fn will_be_unreachable(&mut self, now: Instant, wake: Instant) {
        let now = self.clock.advance(now);
        let wake = self.clock.peek(wake);
        for own in &mut self.lifecycle.registrations {
            own.suit(now, wake, &self.config.registration);
        }
        self.plan();
    }

    /// Nothing could reach the device from `since` until `now`, for its radio slept: call it on waking, before
    /// [`handle_timeout`](Self::handle_timeout). A silence that is the device's own fault counts against nobody:
    ///
    /// - A message that should have been repeated meanwhile is repeated now, once, and goes on from here with its next
    ///   timeout. One that left longer than MAX_TRANSMIT_SPAN ago (45 s) is not: its receiver might take it for a new
    ///   one by the time that it comes (RFC 7252, 4.8.2). What it was for is due anew. A request that had been repeated
    ///   already, while the device could hear, failed as it would have.
    /// - An observation does not end because its notification was not acknowledged (RFC 7641, 4.5): its observer is
    ///   told the value of now.
    /// - A bootstrap whose server had nothing to be heard with begins anew.
    ///
    /// What became due in that time needs no call: an Update, or a Register when the lifetime is over, leaves once, and
    /// each observation is told once, however many periods have passed. After a sleep with the memory off say
    /// [`Wake::Sleep`](crate::Wake) instead, and after a time without a network `network_down` and `network_up`.
    pub fn was_unreachable(&mut self, now: Instant, since: Instant) {
        let since = self.clock.peek(since);
        let now = self.clock.advance(now);
        while let Some((exchange, had_a_chance)) = self.exchange.expire_unheard(now, since) {
            if self.reporting.lose(exchange) {
                self.touch();
            } else if had_a_chance {
                self.answered(exchange, Err(Reason::TimedOut));
            } else {
                self.lifecycle.lose(now, exchange, &mut self.accounts);
                self.touch();
            }
        }
        self.lifecycle.was_unreachable(now, since, &mut self.accounts);
        self.plan();
    }
}
