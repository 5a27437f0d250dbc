//! 200,000 messages, most of them broken, read by this codec, by other codecs, and by a plain reading
//! of RFC 7252 beside them. Wherever another codec differs, a class below says how and why.
//!
//! ```text
//! cargo test -p benches --features peers --test differential -- --nocapture
//! ```
//!
//! With `--release` the additions of other codecs wrap instead of panicking, which makes other classes:
//! run both.

mod classes;
#[path = "../../../coap-codec/tests/common/mod.rs"]
mod common;
#[macro_use]
#[path = "../../../coap-codec/tests/common/edge.rs"]
mod edge;
mod messages;
mod readers;
mod shape;
mod toad;

use core::cell::Cell;
use core::hint::black_box;
use core::panic::AssertUnwindSafe;
use std::panic;
use std::sync::Once;

use classes::{CLASSES, Class, Outcome};
use messages::{Mutants, originals};
use readers::{PEERS, Peer, Reading, ours};
use shape::Shape;

const MUTANTS: usize = 200_000;

/// What came of comparing.
#[derive(Default)]
struct Survey {
    messages: usize,
    well_formed: usize,
    /// By class, in the order of the table.
    hits: Vec<usize>,
    /// Differences that no class explains, and classes that promise one where there is none.
    wrong: Vec<String>,
    wrong_count: usize,
}

impl Survey {
    fn new(classes: &[Class]) -> Self {
        Self { hits: vec![0; classes.len()], ..Self::default() }
    }

    fn take(&mut self, datagram: &[u8], classes: &[Class]) {
        self.messages += 1;
        let shape = Shape::of(datagram);
        let own = ours(datagram);
        self.well_formed += usize::from(own.is_some());
        // Whoever differs from us is wrong, because we do not differ from this.
        if own != shape.reading {
            self.complain(datagram, || format!("ours: {own:?}, and it should be {:?}", shape.reading));
        }
        for peer in PEERS.iter().chain([&toad::PEER]) {
            let outcome = compare(peer, datagram, own.as_ref());
            let mut explained = outcome == Outcome::Agrees;
            for (class, hits) in classes.iter().zip(&mut self.hits) {
                if class.peer != peer.name || !(class.holds)(&shape) {
                    continue;
                }
                if class.outcome == outcome {
                    *hits += 1;
                    explained = true;
                } else if class.exact {
                    explained = false;
                }
            }
            if !explained {
                self.complain(datagram, || format!("{} {outcome:?}: {:?}", peer.name, shape.faults));
            }
        }
    }

    fn complain(&mut self, datagram: &[u8], text: impl Fn() -> String) {
        self.wrong_count += 1;
        if self.wrong.len() < 20 {
            let hex: String = datagram.iter().take(80).map(|byte| format!("{byte:02x}")).collect();
            self.wrong.push(format!("{} ({} bytes {hex})", text(), datagram.len()));
        }
    }
}

fn compare(peer: &Peer, datagram: &[u8], own: Option<&Reading>) -> Outcome {
    match (own, quietly(|| (peer.read)(datagram))) {
        (_, Err(_)) => Outcome::Panics,
        (None, Ok(Some(_))) => Outcome::Accepts,
        (Some(_), Ok(None)) => Outcome::Refuses,
        (own, Ok(theirs)) if own == theirs.as_ref() => Outcome::Agrees,
        (Some(_), Ok(Some(_))) | (None, Ok(None)) => Outcome::Misreads,
    }
}

/// The classes of this build: whether an addition that is too large panics is set for all of it.
fn classes() -> Vec<Class> {
    let checked = quietly(|| black_box(u8::MAX) + black_box(1)).is_err();
    CLASSES.iter().filter(|class| class.overflow_checks.is_none_or(|wanted| wanted == checked)).copied().collect()
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs what may panic, thousands of times, and says nothing of it.
fn quietly<T>(may_panic: impl FnOnce() -> T) -> std::thread::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let say = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                say(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(may_panic));
    QUIET.set(false);
    outcome
}

#[test]
fn every_difference_to_other_codecs_has_its_class() {
    let classes = classes();
    let mut survey = Survey::new(&classes);
    for original in originals() {
        survey.take(&original, &classes);
    }
    for mutant in Mutants::new(1).take(MUTANTS) {
        survey.take(&mutant, &classes);
    }
    println!("{} messages, {} of them well-formed", survey.messages, survey.well_formed);
    for (class, hits) in classes.iter().zip(&survey.hits) {
        println!("{hits:>7}  {:<14} {:?}: {} (RFC 7252 §{})", class.peer, class.outcome, class.what, class.section);
    }
    assert_eq!(survey.wrong_count, 0, "the first of them: {:#?}", survey.wrong);
    assert!((0.2..0.8).contains(&(survey.well_formed as f64 / survey.messages as f64)), "some of both");
    for (class, hits) in classes.iter().zip(&survey.hits) {
        assert!(*hits > 0, "{} {:?}: {} does not happen any more", class.peer, class.outcome, class.what);
    }
}

/// Without any one of the classes something is unexplained, so none is there for nothing, and the
/// comparison sees each of them.
#[test]
fn a_class_that_is_missing_is_missed() {
    let classes = classes();
    let messages: Vec<_> = originals().into_iter().chain(Mutants::new(2).take(3_000)).collect();
    for missing in 0..classes.len() {
        let mut fewer = classes.clone();
        let missing = fewer.remove(missing);
        let mut survey = Survey::new(&fewer);
        for message in &messages {
            survey.take(message, &fewer);
        }
        assert!(survey.wrong_count > 0, "{} {:?}: {} is said elsewhere", missing.peer, missing.outcome, missing.what);
    }
}
