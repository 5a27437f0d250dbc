//! What may go wrong, and how often.

use core::fmt;

/// How much may still happen in a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// Whether the device knows no server and asks for one first.
    pub(crate) bootstrap: bool,
    /// Datagrams that are lost.
    pub(crate) losses: u8,
    /// Datagrams that come once more.
    pub(crate) duplicates: u8,
    /// Timers of the client that fire while something is on its way to or from it.
    pub(crate) delays: u8,
    /// Repetitions of the platform's requests, as soon as they were sent or later.
    pub(crate) repeats: u8,
    /// Paths that cannot be made.
    pub(crate) failures: u8,
    /// Restarts of the platform, which then knows nobody and goes on with nothing.
    pub(crate) restarts: u8,
    /// Resources that the platform wants executed.
    pub(crate) asks: u8,
    /// Updates that the device orders.
    pub(crate) updates: u8,
    /// Timers that fire although all is well: the next Update.
    pub(crate) rounds: u8,
    /// Whether the device may be switched off, at any moment.
    pub(crate) leaves: bool,
}

impl Budget {
    pub(crate) const NONE: Self = Self {
        bootstrap: true,
        losses: 0,
        duplicates: 0,
        delays: 0,
        repeats: 0,
        failures: 0,
        restarts: 0,
        asks: 1,
        updates: 1,
        rounds: 1,
        leaves: true,
    };

    /// The same without a bootstrap: more may go wrong with the rest.
    pub(crate) const KNOWN: Self = Self { bootstrap: false, ..Self::NONE };

    /// What every test run explores.
    pub(crate) const SHALLOW: &[Self] = &[
        Self::NONE,
        Self { losses: 1, ..Self::KNOWN },
        Self { repeats: 1, ..Self::KNOWN },
        Self { restarts: 1, ..Self::NONE },
    ];

    /// What is explored at night.
    pub(crate) const DEEP: &[Self] = &[
        Self { losses: 1, duplicates: 1, failures: 1, ..Self::NONE },
        Self { losses: 1, delays: 1, ..Self::NONE },
        Self { losses: 2, repeats: 1, ..Self::NONE },
        Self { losses: 1, restarts: 2, ..Self::NONE },
        Self { losses: 1, duplicates: 1, delays: 1, repeats: 1, ..Self::KNOWN },
        Self { losses: 3, restarts: 1, ..Self::KNOWN },
        Self { losses: 6, ..Self::KNOWN },
        Self { duplicates: 2, delays: 1, ..Self::KNOWN },
    ];
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bootstrap, losses, duplicates, delays, repeats, failures, restarts, asks, updates, rounds, .. } =
            self;
        f.write_str(if *bootstrap { "with a bootstrap, " } else { "" })?;
        write!(f, "{losses} losses, {duplicates} duplicates, {delays} delays, {repeats} repetitions, ")?;
        write!(
            f,
            "{failures} failed connections, {restarts} restarts; {asks} executed, {updates} ordered and {rounds} due updates"
        )
    }
}

/// What a device does wrong on purpose, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bug {
    /// Every request is a new one to it.
    KnowsNoDuplicates,
    /// It says its last word once more when it has left.
    TalksAfterLeaving,
    /// It does nothing when a timer fires.
    SleepsThroughTimers,
    /// It never hears that it was registered.
    MissesRegisterAnswers,
    /// It sends a Register under a new Message ID although it has one.
    RegistersTwice,
}
