//! Every world that a short life can come to: each order of arrival, each loss, each repetition and each
//! timer that fires too early, as far as a budget goes. Nothing is drawn at random.
//!
//! A life is a bootstrap, a registration, an Update and a De-register, with one platform that wants a
//! resource executed once. What must hold is looked at in every state:
//!
//! - a Register leaves only while there is no registration, and everything else names the one that there is;
//! - after the order to leave nothing but the De-register is asked, and after leaving nothing is sent;
//! - what the platform asks for is done once at most;
//! - after a timeout the next deadline is later;
//! - if nothing goes wrong from here on, what the platform asked is answered, and the device ends registered; or, having been told to leave, silent.
//!
//! `WORLDS=deep` spends more:
//!
//! ```text
//! WORLDS=deep cargo test --release -p lwm2m-core --test worlds -- --nocapture
//! ```
#![allow(clippy::std_instead_of_alloc, reason = "a test is no part of the library")]

mod explore;
mod faults;
mod fingerprint;
mod machine;
mod platform;
mod world;

use explore::{Found, explore};
use faults::{Budget, Bug};
use world::World;

/// What is explored: more when it was told to.
fn budgets() -> &'static [Budget] {
    if std::env::var_os("WORLDS").is_some() { Budget::DEEP } else { Budget::SHALLOW }
}

#[test]
fn every_short_life_ends_well() {
    for budget in budgets() {
        let report = explore(World::new(*budget, None));
        println!("{budget}: {report}");
        assert_eq!(report.found, None, "{budget}");
        assert!(report.is_whole, "{budget}: there is more than {report}");
        assert!(report.ends > 0 && report.registered > 0 && report.states > 20, "{report}");
    }
}

/// A search that finds nothing proves nothing, unless it finds what is there.
#[test]
fn what_is_wrong_on_purpose_is_found() {
    for (bug, budget, expected) in [
        (Bug::KnowsNoDuplicates, Budget { repeats: 1, ..Budget::KNOWN }, Found::DoneTwice),
        (Bug::TalksAfterLeaving, Budget::KNOWN, Found::NotSilent),
        (Bug::SleepsThroughTimers, Budget { delays: 1, ..Budget::KNOWN }, Found::DeadlineStands),
        (Bug::MissesRegisterAnswers, Budget::KNOWN, Found::NeverEnds),
        (Bug::RegistersTwice, Budget::KNOWN, Found::RegisteredTwice),
    ] {
        let report = explore(World::new(budget, Some(bug)));
        println!("{bug:?}: {report}");
        let found = report.found.as_ref().map(|(found, _)| *found);
        assert_eq!(found, Some(expected), "{bug:?} after {} states", report.states);
    }
}

/// States that are told apart by nothing go on alike: what the search leaves out as known is known.
#[test]
fn worlds_that_look_alike_go_on_alike() {
    let compared = explore::compare_twins(World::new(Budget { losses: 1, duplicates: 1, ..Budget::NONE }, None), 1_500);
    println!("{compared} pairs");
    assert!(compared > 300, "{compared} pairs");
}
