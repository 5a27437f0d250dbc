//! Soaks: many lives, each from a seed, each watched by an [`Observer`](super::observer::Observer).
//!
//! A life that fails is lived again with fewer and fewer faults, until no fault can be left out: what remains
//! tells what it takes.
//!
//! ```
//! use core::time::Duration;
//! use lwm2m_core::sim::soak::{Profile, Soak, Terminal};
//!
//! let soak = Soak { subject: Terminal, profile: Profile::Wild, length: Duration::from_secs(86_400) };
//! let life = soak.live(7);
//! assert_eq!(life.failure, None);
//! assert!(life.steps > 0);
//! ```

mod shrink;
mod subject;
mod tour;
mod world;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;

use super::faults::{Kind, Plan};
use super::observer::Violation;
use super::trace::Trace;
use crate::base::statistics::Statistics;

pub use self::shrink::Shrunk;
pub use self::subject::{Flash, Profile, Subject, Terminal};
pub use self::world::World;

/// Lives of one kind.
#[derive(Clone, Debug)]
pub struct Soak<S: Subject> {
    /// Who lives them.
    pub subject: S,
    /// How.
    pub profile: Profile,
    /// For how long each.
    pub length: Duration,
}

/// How a life ended before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Something was seen that must not be.
    Violated(Violation),
    /// It panicked, with these words.
    Panicked(String),
    /// The subject is not what it says it is, in these words: nothing else could be tried with it.
    Subject(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violated(violation) => violation.fmt(f),
            Self::Panicked(words) => write!(f, "panic: {words}"),
            Self::Subject(words) => write!(f, "the subject: {words}"),
        }
    }
}

impl Failure {
    /// Whether it is of the same kind.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Violated(one), Self::Violated(two)) => one.invariant == two.invariant,
            (Self::Panicked(_), Self::Panicked(_)) | (Self::Subject(_), Self::Subject(_)) => true,
            _ => false,
        }
    }
}

/// What came of a life.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// How long it was.
    pub lived: Duration,
    /// How many things happened: datagrams, events, inputs.
    pub steps: u64,
    /// The faults that struck.
    pub faults: Vec<Kind>,
    /// What the device dropped, rejected and refused, and what it said once more.
    pub statistics: Statistics,
    /// How it failed, if it did.
    pub failure: Option<Failure>,
}

impl<S: Subject> Soak<S> {
    /// All faults of a seed.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        match self.profile {
            Profile::Wild => Plan::wild(seed, self.length),
            _ => Plan::default(),
        }
    }

    /// The life of a seed.
    #[must_use]
    pub fn live(&self, seed: u64) -> Life {
        self.live_with(seed, self.plan(seed))
    }

    /// The same with other faults.
    #[must_use]
    pub fn live_with(&self, seed: u64, plan: Plan) -> Life {
        let mut world = World::new(&self.subject, self.profile, seed, self.length, plan);
        let failure = caught(|| world.live());
        let (faults, statistics) = (world.faults().collect(), world.sim.statistics());
        Life { lived: world.lived(), steps: world.steps(), faults, statistics, failure }
    }

    /// The same once more, with all that happened until its end or its failure.
    #[must_use]
    pub fn trace(&self, seed: u64, plan: Plan) -> Trace {
        let mut world = World::new(&self.subject, self.profile, seed, self.length, plan);
        world.sim.trace.keep(true);
        // How it fails is known from `live`.
        let _ = caught(|| world.live());
        world.sim.trace
    }
}

/// Does what may fail or panic.
fn caught(act: impl FnOnce() -> Option<Failure>) -> Option<Failure> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words");
        Some(Failure::Panicked(words.to_string()))
    })
}
