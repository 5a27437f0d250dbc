//! Other codecs beside this one: where they differ, a class says why.

#[allow(dead_code, reason = "the words of a class are for a table")]
#[path = "../../benches/tests/differential/classes.rs"]
mod classes;
#[path = "../../benches/tests/differential/readers.rs"]
mod readers;
#[path = "../../benches/tests/differential/shape.rs"]
mod shape;

use classes::{CLASSES, Outcome};
use readers::{PEERS, ours};
use shape::Shape;

/// What RFC 7252 says that a message is, we read; and what another codec reads otherwise has a reason that
/// is known.
pub fn differential(data: &[u8]) {
    let shape = Shape::of(data);
    let own = ours(data);
    assert_eq!(own, shape.reading, "{:?}", shape.faults);
    for peer in &PEERS {
        let classes = || CLASSES.iter().filter(|class| class.peer == peer.name && (class.holds)(&shape));
        // A peer that panics cannot be asked here.
        if classes().any(|class| class.outcome == Outcome::Panics) {
            continue;
        }
        let theirs = (peer.read)(data);
        let outcome = match (&own, &theirs) {
            (None, Some(_)) => Outcome::Accepts,
            (Some(_), None) => Outcome::Refuses,
            (own, theirs) if own == theirs => Outcome::Agrees,
            _ => Outcome::Misreads,
        };
        let explained = outcome == Outcome::Agrees || classes().any(|class| class.outcome == outcome);
        assert!(explained, "{} {outcome:?}: {:?}", peer.name, shape.faults);
    }
}
