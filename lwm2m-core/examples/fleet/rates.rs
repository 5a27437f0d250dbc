//! What is counted: datagrams by kind, and how many arrive at the platform in each bin of time.

use std::collections::BTreeMap;
use std::ops::Range;

use coap_codec::Code;
use lwm2m_core::Statistics;

use crate::life::{HOUR, SECOND};

/// Milliseconds of a bin.
pub(crate) const BIN: u64 = 100 * SECOND;

/// Arrivals by bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) bins: Vec<u32>,
}

impl Rates {
    /// Nothing yet, for so many hours.
    pub(crate) fn new(hours: u64) -> Self {
        Self { bins: vec![0; (hours * HOUR / BIN) as usize] }
    }

    pub(crate) fn add(&mut self, now: u64) {
        if let Some(count) = self.bins.get_mut((now / BIN) as usize) {
            *count += 1;
        }
    }

    /// Adds what others counted.
    pub(crate) fn join(&mut self, other: &Self) {
        self.bins.resize(self.bins.len().max(other.bins.len()), 0);
        self.bins.iter_mut().zip(&other.bins).for_each(|(own, more)| *own += more);
    }

    /// The bins that begin in this span, which is in milliseconds.
    pub(crate) fn within(&self, span: Range<u64>) -> Load {
        let mut load = Load::default();
        for (number, count) in self.bins.iter().enumerate() {
            let begins = number as u64 * BIN;
            if span.contains(&begins) {
                load = load.and(Load { bins: 1, sum: u64::from(*count), peak: *count, at: begins });
            }
        }
        load
    }
}

/// Arrivals of a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Load {
    bins: u32,
    sum: u64,
    /// Those of the fullest bin.
    pub(crate) peak: u32,
    /// When that begins, in milliseconds.
    pub(crate) at: u64,
}

impl Load {
    /// Those of both spans.
    pub(crate) const fn and(self, other: Self) -> Self {
        let (peak, at) = if other.peak > self.peak { (other.peak, other.at) } else { (self.peak, self.at) };
        Self { bins: self.bins + other.bins, sum: self.sum + other.sum, peak, at }
    }

    /// Arrivals of a bin on average.
    pub(crate) fn mean(&self) -> f64 {
        self.sum as f64 / f64::from(self.bins.max(1))
    }

    /// How many times the mean the fullest bin is.
    pub(crate) fn ratio(&self) -> f64 {
        f64::from(self.peak) / self.mean().max(f64::MIN_POSITIVE)
    }
}

/// What a datagram is that reaches the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BootstrapRequest,
    Register,
    Update,
    Deregister,
    /// To a request of the bootstrap server.
    Answer,
    /// Anything else: there should be none.
    Strange,
}

impl Kind {
    pub(crate) const ALL: [(Self, &'static str); 6] = [
        (Self::BootstrapRequest, "Bootstrap-Request"),
        (Self::Answer, "answers to the bootstrap"),
        (Self::Register, "Register"),
        (Self::Update, "Update"),
        (Self::Deregister, "De-register"),
        (Self::Strange, "anything else"),
    ];
}

/// What a fleet has said and heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) rates: Rates,
    kinds: [u64; Kind::ALL.len()],
    /// The platform's answers.
    pub(crate) answers: BTreeMap<Code, u64>,
    /// The bootstrap server's requests.
    pub(crate) asked: u64,
    /// Datagrams that the network lost, in both directions.
    pub(crate) lost: u64,
    /// Datagrams that came while the platform was down.
    pub(crate) unheard: u64,
    /// How often a terminal had something to do.
    pub(crate) wakes: u64,
    /// Flights, and losses of the network.
    pub(crate) outages: [u64; 2],
    /// What clients had counted that are no more than their snapshots now.
    pub(crate) statistics: Statistics,
}

impl Counts {
    /// Nothing yet, for so many hours.
    pub(crate) fn new(hours: u64) -> Self {
        Self { rates: Rates::new(hours), ..Self::default() }
    }

    pub(crate) fn add(&mut self, kind: Kind) {
        self.kinds[kind as usize] += 1;
    }

    pub(crate) const fn of(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize]
    }
}
