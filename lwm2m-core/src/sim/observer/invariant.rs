//! What must hold, what was seen instead, and under which sky.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::base::time::Instant;

/// What must hold after every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Invariant {
    /// What the device sends is a CoAP message.
    WellFormed,
    /// No message is longer than [`Limits::datagram`](crate::Limits::datagram).
    MessageSize,
    /// A Message ID is not used for another message to the same host within EXCHANGE_LIFETIME (RFC 7252,
    /// section 4.4).
    MessageId,
    /// A token is not used for another request to the same host within EXCHANGE_LIFETIME (section 5.3.1).
    Token,
    /// An unacknowledged message comes again, unchanged, when its time has come, at most MAX_RETRANSMIT times,
    /// and never after its acknowledgement (section 4.2).
    Retransmission,
    /// No more than NSTART messages wait for an acknowledgement of one peer (section 4.7).
    Nstart,
    /// A confirmable message is acknowledged or rejected, once each time that it comes (section 4.2).
    Answered,
    /// A request that waits for the application is answered, once.
    AnsweredLate,
    /// A request that comes twice is carried out once (section 4.5).
    AppliedOnce,
    /// Each block of a body is answered as what it is, and nothing is done before the last one (RFC 7959, section
    /// 2.3).
    Blocks,
    /// A request by multicast is answered with content and at leisure, or not at all, and nothing is done because
    /// of it (RFC 7252, section 8).
    Multicast,
    /// An account has one registration: Updates go where the last Register was granted, and there is no
    /// Register without a reason while a registration is live, nor while a bootstrap goes on.
    OneRegistration,
    /// A notification belongs to an observation of the running registration, and is newer than the one
    /// before (RFC 7641, section 4.4; OMA LwM2M 1.0, 5.3.1).
    Observation,
    /// No Update, no notification and no answer after a De-register (OMA LwM2M 1.0, 5.3.3).
    AfterDeregister,
    /// An Update arrives before the lifetime ends, while the [`Weather`] is fair
    /// (fine, for lifetimes below ten minutes).
    UpdateInTime,
    /// Once all is well again the device is registered within a [bound](super::Observer::bound).
    Recovery,
    /// A client that was stopped, or has no network, is silent.
    Silence,
    /// A device that wakes says each thing once, and then waits for its peer: NSTART confirmable messages, and one
    /// notification for each observation.
    Waking,
    /// After a timeout the next deadline is later, and deadlines are there for a purpose.
    Deadline,
    /// Every table is within its limit.
    Limits,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::WellFormed,
        Self::MessageSize,
        Self::MessageId,
        Self::Token,
        Self::Retransmission,
        Self::Nstart,
        Self::Answered,
        Self::AnsweredLate,
        Self::AppliedOnce,
        Self::Blocks,
        Self::Multicast,
        Self::OneRegistration,
        Self::Observation,
        Self::AfterDeregister,
        Self::UpdateInTime,
        Self::Recovery,
        Self::Silence,
        Self::Waking,
        Self::Deadline,
        Self::Limits,
    ];
}

/// What was seen that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Instant,
    /// What should have held.
    pub invariant: Invariant,
    /// What was seen instead.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.invariant.name(), self.at, self.seen)
    }
}

impl Invariant {
    /// Its name in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WellFormed => "well-formed messages",
            Self::MessageSize => "message size",
            Self::MessageId => "unique message ids",
            Self::Token => "unique tokens",
            Self::Retransmission => "retransmission",
            Self::Nstart => "nstart",
            Self::Answered => "every message answered once",
            Self::AnsweredLate => "late answers",
            Self::AppliedOnce => "applied once",
            Self::Blocks => "block-wise transfer",
            Self::Multicast => "multicast",
            Self::OneRegistration => "one registration",
            Self::Observation => "observations",
            Self::AfterDeregister => "nothing after de-register",
            Self::UpdateInTime => "update in time",
            Self::Recovery => "recovery",
            Self::Silence => "silence",
            Self::Waking => "no storm on waking",
            Self::Deadline => "deadlines",
            Self::Limits => "limits",
        }
    }
}

/// How good link, platform and device are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weather {
    /// Something is the matter: nothing is promised.
    Bad,
    /// Datagrams are lost, doubled or damaged now and then, not more of a thousand than [`Weather::FAIR_LOSS`]
    /// and [`Weather::FAIR_DAMAGE`] say.
    Fair,
    /// Nothing is the matter.
    Fine,
}

impl Weather {
    /// Of a thousand datagrams in a direction so many are lost at most while it is fair.
    pub const FAIR_LOSS: u16 = 100;
    /// Of a thousand datagrams in a direction so many are damaged at most while it is fair.
    pub const FAIR_DAMAGE: u16 = 10;
}

/// The violations so far. So many are kept; the first is what matters.
const KEPT: usize = 16;

/// Where violations go.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub(super) now: Instant,
    pub(super) found: Vec<Violation>,
}

impl Report {
    /// The words are made only when they are needed.
    #[cold]
    pub(super) fn violated(&mut self, invariant: Invariant, seen: fmt::Arguments<'_>) {
        if self.found.len() < KEPT {
            self.found.push(Violation { at: self.now, invariant, seen: alloc::fmt::format(seen) });
        }
    }
}

/// Bytes, as a violation shows them.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
