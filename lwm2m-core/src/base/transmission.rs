//! CoAP's transmission parameters (RFC 7252, section 4.8), and the times derived from them.

use core::num::NonZeroU32;
use core::time::Duration;

use super::time::Micros;

/// Transmission parameters (RFC 7252, section 4.8). The defaults are the RFC's. Times count in whole
/// milliseconds, of which a part counts as all of it, and up to 49 days.
///
/// ```
/// use core::time::Duration;
/// use lwm2m_core::exchange::Transmission;
///
/// let transmission = Transmission::default();
/// assert_eq!(transmission.exchange_lifetime(), Duration::from_secs(247));
/// assert_eq!(transmission.max_transmit_wait(), Duration::from_secs(93));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transmission {
    /// ACK_TIMEOUT: the shortest wait before the first retransmission. Less than 1 s asks for
    /// congestion control of another kind (RFC 7252, section 4.8.1). Zero counts as 1 ms.
    pub ack_timeout: Duration,
    /// ACK_RANDOM_FACTOR in percent: 150 is the RFC's 1.5. Less than 100 counts as 100.
    pub ack_random_percent: u16,
    /// MAX_RETRANSMIT: how often an unacknowledged message is sent again.
    pub max_retransmit: u8,
    /// NSTART: exchanges in flight with one peer. Zero counts as one.
    pub nstart: u8,
    /// PROBING_RATE in bytes per second: the average rate to a peer that does not answer. It says
    /// how long a non-confirmable request of ours blocks the next one. Zero counts as one.
    pub probing_rate: u32,
    /// MAX_LATENCY: the longest time that a datagram may take.
    pub max_latency: Duration,
    /// How long a response is awaited once its request was acknowledged without one; the RFC leaves
    /// it to the application. None: MAX_TRANSMIT_WAIT.
    pub response_timeout: Option<Duration>,
    /// DEFAULT_LEISURE: an answer to a request by multicast leaves at a random moment within this time, so
    /// that those of many devices do not come at once (RFC 7252, section 8.2). The larger the group and
    /// the slower its network, the longer it should be.
    pub leisure: Duration,
    /// How many rejections leave in a second, and at once after a quiet one: Resets for what is no message,
    /// for responses to nothing and for pings, and 5.03 for requests that find no place in the table of
    /// duplicates. Beyond that they are ignored without a word (RFC 7252, section 4.2): a rejection is
    /// never longer than what it rejects, and a flood in somebody's name brings them no flood. Zero: none.
    pub rejections: u16,
}

impl Default for Transmission {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Transmission {
    /// What RFC 7252 has.
    pub const DEFAULT: Self = Self {
        ack_timeout: Duration::from_secs(2),
        ack_random_percent: 150,
        max_retransmit: 4,
        nstart: 1,
        probing_rate: 1,
        max_latency: Duration::from_secs(100),
        response_timeout: None,
        leisure: Duration::from_secs(5),
        rejections: 10,
    };

    /// The bounds of the first retransmission's timeout: ACK_TIMEOUT and that times the factor.
    #[must_use]
    pub fn initial_timeout(&self) -> (Duration, Duration) {
        let (shortest, more) = Pace::of(self).initial_timeout();
        (shortest.duration(), shortest.saturating_add(more).duration())
    }

    /// MAX_TRANSMIT_SPAN: from the first transmission to the last retransmission; 45 s.
    #[must_use]
    pub fn max_transmit_span(&self) -> Duration {
        Pace::of(self).max_transmit_span().duration()
    }

    /// MAX_TRANSMIT_WAIT: from the first transmission until the sender gives up; 93 s.
    #[must_use]
    pub fn max_transmit_wait(&self) -> Duration {
        Pace::of(self).max_transmit_wait().duration()
    }

    /// MAX_RTT: both ways and PROCESSING_DELAY, which is ACK_TIMEOUT; 202 s.
    #[must_use]
    pub fn max_rtt(&self) -> Duration {
        Pace::of(self).max_rtt().duration()
    }

    /// EXCHANGE_LIFETIME: how long a Message ID of a confirmable message stays taken; 247 s.
    #[must_use]
    pub fn exchange_lifetime(&self) -> Duration {
        Pace::of(self).exchange_lifetime().duration()
    }

    /// NON_LIFETIME: the same for a non-confirmable message; 145 s.
    #[must_use]
    pub fn non_lifetime(&self) -> Duration {
        Pace::of(self).non_lifetime().duration()
    }

    /// How long to wait for a separate response after the empty acknowledgement.
    #[must_use]
    pub fn response_timeout(&self) -> Duration {
        Pace::of(self).response_timeout().duration()
    }
}

/// The same in little memory: times are in milliseconds, and none is longer than 49 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pace {
    ack_timeout: u32,
    max_latency: u32,
    response_timeout: Option<NonZeroU32>,
    leisure: u32,
    probing_rate: u32,
    ack_random_percent: u16,
    pub(crate) rejections: u16,
    pub(crate) max_retransmit: u8,
    pub(crate) nstart: u8,
}

impl Pace {
    pub(crate) fn of(transmission: &Transmission) -> Self {
        // A part of a millisecond counts as all of it.
        let millis = |time: Duration| match u32::try_from(time.as_secs()) {
            Ok(seconds) if seconds < u32::MAX / 1_000 => seconds * 1_000 + time.subsec_nanos().div_ceil(1_000_000),
            _ => u32::MAX,
        };
        Self {
            ack_timeout: millis(transmission.ack_timeout),
            max_latency: millis(transmission.max_latency),
            response_timeout: transmission.response_timeout.map(|time| NonZeroU32::MIN.saturating_add(millis(time))),
            leisure: millis(transmission.leisure),
            probing_rate: transmission.probing_rate,
            ack_random_percent: transmission.ack_random_percent,
            rejections: transmission.rejections,
            max_retransmit: transmission.max_retransmit,
            nstart: transmission.nstart,
        }
    }

    /// The shortest timeout of the first retransmission, and how much longer it may be.
    pub(crate) fn initial_timeout(&self) -> (Micros, Micros) {
        let shortest = Micros::of_millis(self.ack_timeout.max(1));
        (shortest, Micros(self.cycle(1).0.saturating_sub(shortest.0)))
    }

    /// ACK_TIMEOUT * (2^n - 1) * ACK_RANDOM_FACTOR
    fn cycle(&self, n: u32) -> Micros {
        let rounds = 1u32.checked_shl(n).map_or(u32::MAX, |power| power.saturating_sub(1));
        // A percent of a millisecond is ten microseconds.
        let longest = u64::from(self.ack_timeout.max(1)) * u64::from(self.ack_random_percent.max(100)) * 10;
        Micros(longest).saturating_mul(rounds.into())
    }

    /// Longer than that nothing is repeated.
    pub(crate) fn max_transmit_span(&self) -> Micros {
        self.cycle(self.max_retransmit.into())
    }

    pub(crate) fn max_transmit_wait(&self) -> Micros {
        self.cycle(u32::from(self.max_retransmit).saturating_add(1))
    }

    fn max_rtt(&self) -> Micros {
        let latency = Micros::of_millis(self.max_latency);
        latency.saturating_add(latency).saturating_add(Micros::of_millis(self.ack_timeout))
    }

    pub(crate) fn exchange_lifetime(&self) -> Micros {
        self.max_transmit_span().saturating_add(self.max_rtt())
    }

    pub(crate) fn non_lifetime(&self) -> Micros {
        self.max_transmit_span().saturating_add(Micros::of_millis(self.max_latency))
    }

    pub(crate) fn response_timeout(&self) -> Micros {
        match self.response_timeout {
            Some(millis) => Micros::of_millis(millis.get().saturating_sub(1)),
            None => self.max_transmit_wait(),
        }
    }

    /// How long a non-confirmable request of `bytes` bytes is worth waiting for: until no response
    /// can come any more, and no less than PROBING_RATE asks (RFC 7252, section 4.7).
    pub(crate) fn non_request_hold(&self, bytes: usize) -> Micros {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Micros::of_seconds(bytes.div_ceil(self.probing_rate.max(1))).max(self.response_timeout())
    }

    pub(crate) const fn leisure(&self) -> Micros {
        Micros::of_millis(self.leisure)
    }

    /// The parameters themselves.
    #[cold]
    pub(crate) fn unfold(&self) -> Transmission {
        let time = |millis: u32| Duration::from_millis(millis.into());
        Transmission {
            ack_timeout: time(self.ack_timeout),
            ack_random_percent: self.ack_random_percent,
            max_retransmit: self.max_retransmit,
            nstart: self.nstart,
            probing_rate: self.probing_rate,
            max_latency: time(self.max_latency),
            response_timeout: self.response_timeout.map(|millis| time(millis.get().saturating_sub(1))),
            leisure: time(self.leisure),
            rejections: self.rejections,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derived_times_are_those_of_the_rfc() {
        let transmission = Transmission::default();
        for (derived, seconds) in [
            (transmission.max_transmit_span(), 45),
            (transmission.max_transmit_wait(), 93),
            (transmission.max_rtt(), 202),
            (transmission.exchange_lifetime(), 247),
            (transmission.non_lifetime(), 145),
            (transmission.response_timeout(), 93),
            (transmission.initial_timeout().0, 2),
            (transmission.initial_timeout().1, 3),
            (Pace::of(&transmission).non_request_hold(20).duration(), 93),
            (Pace::of(&transmission).non_request_hold(200).duration(), 200),
        ] {
            assert_eq!(derived, Duration::from_secs(seconds));
        }
    }

    #[test]
    fn what_is_folded_unfolds_in_milliseconds() {
        let some = Transmission {
            ack_timeout: Duration::from_millis(2_500),
            response_timeout: Some(Duration::ZERO),
            nstart: 3,
            ..Transmission::default()
        };
        for transmission in [some, Transmission::default()] {
            assert_eq!(Pace::of(&transmission).unfold(), transmission);
        }
        let fine = Transmission { leisure: Duration::from_nanos(1), max_latency: Duration::MAX, ..some };
        let unfolded = Pace::of(&fine).unfold();
        assert_eq!(unfolded.leisure, Duration::from_millis(1));
        assert_eq!(unfolded.max_latency, Duration::from_millis(u32::MAX.into()));
        assert_eq!(size_of::<Pace>(), 28);
    }

    #[test]
    fn absurd_settings_do_not_overflow() {
        let absurd = Transmission {
            ack_timeout: Duration::MAX,
            ack_random_percent: u16::MAX,
            max_retransmit: u8::MAX,
            nstart: 0,
            probing_rate: 0,
            max_latency: Duration::MAX,
            response_timeout: None,
            leisure: Duration::MAX,
            rejections: u16::MAX,
        };
        assert_eq!(absurd.exchange_lifetime(), absurd.max_transmit_wait().max(absurd.exchange_lifetime()));
        let zero = Transmission { ack_timeout: Duration::ZERO, ack_random_percent: 0, ..Transmission::default() };
        assert_eq!(zero.initial_timeout(), (Duration::from_millis(1), Duration::from_millis(1)));
    }
}
