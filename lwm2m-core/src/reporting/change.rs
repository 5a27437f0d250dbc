//! What counts as a change of an observed value (OMA LwM2M 1.0, 5.1.2).
//!
//! Without thresholds any difference from what the observer was told last does: a digest tells.
//! With them it takes numbers to compare, so those are remembered, in one bounded table.
//!
//! A threshold on a multiple resource holds for each of its instances: what one of them does counts,
//! and so does an instance that comes or goes. The standard says it only from LwM2M 1.1 on, where
//! instances can have attributes of their own and take the others from their resource; in 1.0 it
//! is the one reading that neither hides a value nor makes one up.

use super::Entries;
use super::observations::{Observation, Observer};
use crate::base::attributes::Attributes;
use crate::base::number::Number;
use crate::base::path::{Leaf, Path};
use crate::base::table::Places;
use crate::base::time::Instant;
use crate::base::value::{Sink, Stop, Value};
use crate::format::{Digest, Encode, Encoder};
use crate::model::{Ctx, DataModel, Refusal, walk};

/// Whether the difference between two numbers is one that the server wants to be told of: another
/// side of `gt` or `lt`, or a step of `st` and more. Equal numbers do not differ, whatever the step.
fn is_change(thresholds: Attributes, last: Number, value: Number) -> bool {
    let Attributes { gt, lt, st, .. } = thresholds;
    last != value
        && (gt.is_some_and(|gt| (last > gt) != (value > gt))
            || lt.is_some_and(|lt| (last < lt) != (value < lt))
            || st.is_some_and(|st| last.apart(value) >= st.apart(Number::ZERO)))
}

/// The numbers that observers were told last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbers {
    entries: Entries<Entry>,
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Entry {
    observer: Observer,
    /// The Resource Instance ID, for a multiple resource.
    index: Option<u16>,
    number: Number,
}

impl Numbers {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: Entries::new(), limit }
    }

    /// Remembers what an observer is told now: its digest, and whether all numbers have a place.
    pub(super) fn tell(&mut self, wall: Instant, observer: Observer, path: Path, model: &dyn DataModel) -> (u64, bool) {
        self.note(observer, path, &mut |look| view(wall, observer, path, model, look))
    }

    /// The same of what is shown to the `Look`.
    fn note(&mut self, observer: Observer, path: Path, show: &mut dyn FnMut(&mut Look<'_>)) -> (u64, bool) {
        self.forget(observer);
        let mut fit = true;
        let mut take = |index, number: Option<Number>| {
            fit = fit && number.is_some_and(|number| self.add(observer, index, number));
        };
        let mut look = Look::at(path, &mut take);
        show(&mut look);
        let digest = look.digest.finish();
        if !fit {
            // Half of them are of no use, and others may have use for the room.
            self.forget(observer);
        }
        (digest, fit)
    }

    /// The same of a single value that was written for the observer.
    pub(super) fn tell_value(&mut self, observer: Observer, at: Leaf, value: &Value<'_>) -> (u64, bool) {
        let mut digest = Digest::new();
        // A digest takes any value.
        let _ = digest.value(at, *value);
        let Some(number) = Number::of(*value) else {
            self.forget(observer);
            return (digest.finish(), false);
        };
        let known = self.entries.iter_mut().find(|entry| entry.observer == observer && entry.index.is_none());
        let fit = match known {
            Some(entry) => {
                entry.number = number;
                true
            }
            None => self.add(observer, None, number),
        };
        (digest.finish(), fit)
    }

    /// The same while it is written for the observer.
    pub(super) fn write(
        &mut self,
        ctx: &Ctx,
        (observer, path): (Observer, Path),
        mut encoder: Encoder<'_>,
        model: &dyn DataModel,
    ) -> (Result<usize, Refusal>, (u64, bool)) {
        let mut walked = Ok(());
        let noted = self.note(observer, path, &mut |look| {
            let mut both = Both(encoder.as_encode(), look);
            walked = walk::values::<dyn Encode>(ctx, path, model, &mut both);
        });
        (walked.and_then(|()| Ok(encoder.finish()?)), noted)
    }

    /// Whether an observed value is another one now than the observer was told: by as much as it
    /// wants, and at all.
    pub(super) fn differ(
        &self,
        wall: Instant,
        of: &Observation,
        thresholds: Attributes,
        model: &dyn DataModel,
    ) -> (bool, bool) {
        let observer = of.observer();
        let (mut changed, mut seen) = (false, 0usize);
        let digest = look(wall, observer, of.path, model, &mut |index, number| {
            let mut told = self.of(observer);
            let last = told.find(|(known, _)| *known == index);
            changed |=
                !matches!((last, number), (Some((_, last)), Some(number)) if !is_change(thresholds, last, number));
            seen = seen.saturating_add(1);
        });
        let moved = digest != of.digest;
        let measured = thresholds.has_thresholds() && of.measured;
        (if measured { changed || seen != self.of(observer).count() } else { moved }, moved)
    }

    /// Adds a number; false when there is no place.
    pub(super) fn add(&mut self, observer: Observer, index: Option<u16>, number: Number) -> bool {
        let fits = self.entries.has_room(self.limit);
        if fits {
            self.entries.add(Entry { observer, index, number }, self.limit);
        }
        fits
    }

    pub(super) fn forget(&mut self, observer: Observer) {
        self.entries.keep(&mut |entry| entry.observer != observer);
    }

    /// What an observer was told: indices and numbers.
    pub(super) fn of(&self, observer: Observer) -> impl Iterator<Item = (Option<u16>, Number)> {
        let own = move |entry: &&Entry| entry.observer == observer;
        self.entries.iter().filter(own).map(|entry| (entry.index, entry.number))
    }

    /// Takes all the memory that it may ever need.
    pub(super) fn reserve(&mut self) {
        self.entries.reserve_all(self.limit);
    }

    pub(super) fn heap(&self) -> usize {
        self.entries.capacity().saturating_mul(size_of::<Entry>())
    }
}

/// Reads what an observer would be told now: 64 bits of it, and of a resource each number.
fn look(
    wall: Instant,
    observer: Observer,
    path: Path,
    model: &dyn DataModel,
    number: &mut dyn FnMut(Option<u16>, Option<Number>),
) -> u64 {
    let mut look = Look::at(path, number);
    view(wall, observer, path, model, &mut look);
    look.digest.finish()
}

/// Shows what an observer would be told now.
fn view(wall: Instant, (server, _): Observer, path: Path, model: &dyn DataModel, look: &mut Look<'_>) {
    // A refusal is a state of its own: becoming unreadable, or readable again, is a change.
    if super::is_there(path, model) {
        let _ = walk::values::<dyn Encode>(&super::context(wall, server), path, model, look);
    }
}

/// A digest, and beside it whoever wants the numbers.
struct Look<'a> {
    digest: Digest,
    number: Option<&'a mut dyn FnMut(Option<u16>, Option<Number>)>,
}

impl<'a> Look<'a> {
    /// At what is below `path`; only of a resource are there numbers.
    fn at(path: Path, number: &'a mut dyn FnMut(Option<u16>, Option<Number>)) -> Self {
        Self { digest: Digest::new(), number: (path.depth() == 3).then_some(number) }
    }
}

impl Sink for Look<'_> {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        if let Some(take) = &mut self.number {
            take(at.index, Number::of(value));
        }
        self.digest.value(at, value)
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.digest.opaque(at, len, fill)
    }
}

impl Encode for Look<'_> {
    fn open_instance(&mut self, id: u16) -> Result<(), Stop> {
        self.digest.open_instance(id)
    }

    fn open_multiple(&mut self, resource: u16) -> Result<(), Stop> {
        self.digest.open_multiple(resource)
    }

    fn close(&mut self) -> Result<(), Stop> {
        self.digest.close()
    }
}

/// What writes, and what looks on.
struct Both<'a, 'l>(&'a mut dyn Encode, &'a mut Look<'l>);

impl Sink for Both<'_, '_> {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        self.0.value(at, value)?;
        self.1.value(at, value)
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.0.opaque(at, len, fill)?;
        self.1.opaque(at, len, fill)
    }
}

impl Encode for Both<'_, '_> {
    fn open_instance(&mut self, id: u16) -> Result<(), Stop> {
        self.0.open_instance(id)?;
        self.1.open_instance(id)
    }

    fn open_multiple(&mut self, resource: u16) -> Result<(), Stop> {
        self.0.open_multiple(resource)?;
        self.1.open_multiple(resource)
    }

    fn close(&mut self) -> Result<(), Stop> {
        self.0.close()?;
        self.1.close()
    }
}

#[cfg(test)]
#[cfg(feature = "reporting")]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn number(number: impl Into<f64>) -> Number {
        Number::of(Value::Float(number.into())).unwrap()
    }

    fn thresholds(lt: Option<i32>, gt: Option<i32>, st: Option<i32>) -> Attributes {
        let [lt, gt, st] = [lt, gt, st].map(|threshold| threshold.map(number));
        Attributes { lt, gt, st, ..Attributes::NONE }
    }

    #[test]
    fn the_worked_examples_of_the_standard() {
        let high = thresholds(None, Some(45), Some(10));
        let both = thresholds(Some(20), Some(85), Some(10));
        for (attributes, pairs, told) in [
            (high, &[(20, 35), (45, 50), (50, 40), (35, 20), (20, 30), (45, 46)][..], true),
            (high, &[(20, 29), (44, 45), (46, 54)], false),
            (both, &[(17, 24), (75, 90), (50, 10), (87, 99), (20, 19), (19, 20), (85, 86), (24, 34)], true),
            (both, &[(24, 33), (84, 85), (20, 29)], false),
        ] {
            for (last, value) in pairs {
                assert_eq!(is_change(attributes, number(*last), number(*value)), told, "{last} -> {value}");
            }
        }
    }

    const PATH: Path = Path::resource(3, 0, 7);
    const AT: Leaf = Leaf::new(3, 0, 7);

    type Show = fn(&mut dyn Encode) -> Result<(), Stop>;

    /// What is noticed of what is shown: a digest, and the numbers.
    fn noticed(path: Path, show: Show) -> (u64, Vec<(Option<u16>, Option<Number>)>) {
        let mut numbers = Vec::new();
        let mut take = |index, number| numbers.push((index, number));
        let mut look = Look::at(path, &mut take);
        show(&mut look).unwrap();
        (look.digest.finish(), numbers)
    }

    const SHOWN: [Show; 8] = [
        |_| Ok(()),
        |to| to.value(AT, Value::Uint(7)),
        |to| to.opaque(AT, 1, &mut |_, room| room.fill(1)),
        |to| to.opaque(AT, 1, &mut |_, room| room.fill(2)),
        |to| to.open_multiple(7).and_then(|()| to.close()),
        |to| to.open_instance(0).and_then(|()| to.close()),
        |to| to.open_instance(0).and_then(|()| to.value(AT, Value::Uint(7))).and_then(|()| to.close()),
        |to| to.open_instance(0).and_then(|()| to.close()).and_then(|()| to.value(AT, Value::Uint(7))),
    ];

    #[test]
    fn everything_that_an_answer_says_can_be_a_change() {
        let digests = SHOWN.map(|show| noticed(PATH, show).0);
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }

    #[test]
    fn who_looks_on_while_it_is_written_sees_the_same() {
        for show in SHOWN {
            let (mut writer, mut numbers) = (Digest::new(), Vec::new());
            let mut take = |index, number| numbers.push((index, number));
            let mut look = Look::at(PATH, &mut take);
            show(&mut Both(&mut writer, &mut look)).unwrap();
            let digest = look.digest.finish();
            assert_eq!(writer.finish(), digest);
            assert_eq!((digest, numbers), noticed(PATH, show));
        }
    }

    // OMA LwM2M 1.0, 5.1.2: thresholds are of numbers, and of a resource.
    #[test]
    fn numbers_of_each_kind_are_compared_and_those_of_a_resource_alone() {
        let all: Show = |to| {
            for value in [Value::Int(-1), Value::Uint(2), Value::Float(0.5), Value::Time(4), Value::Bool(true)] {
                to.value(AT, value)?;
            }
            to.value(AT.at(9), Value::Int(10))
        };
        let (mut plain, last) = ([-1.0, 2.0, 0.5, 4.0].map(|of| (None, Some(number(of)))).to_vec(), number(10));
        plain.extend([(None, None), (Some(9), Some(last))]);
        assert_eq!(noticed(PATH, all).1, plain);
        assert_eq!(noticed(Path::instance(3, 0), all).1, []);
    }

    #[test]
    fn the_smallest_step_is_any_difference_and_none_is_no_step() {
        let any = thresholds(None, None, Some(0));
        assert!(is_change(any, number(1), number(1.000_001)));
        assert!(!is_change(any, number(1), number(1)));
    }

    proptest! {
        #[test]
        fn a_change_and_its_way_back_are_both_told_or_neither(
            last in -100i32..100, value in -100i32..100,
            lt in prop::option::of(-50i32..50), gt in prop::option::of(-50i32..50), st in prop::option::of(0i32..50),
        ) {
            let attributes = thresholds(lt, gt, st);
            let expected = last != value && (
                gt.is_some_and(|gt| (last > gt) != (value > gt))
                || lt.is_some_and(|lt| (last < lt) != (value < lt))
                || st.is_some_and(|st| (value - last).abs() >= st)
            );
            prop_assert_eq!(is_change(attributes, number(last), number(value)), expected);
            prop_assert_eq!(is_change(attributes, number(value), number(last)), expected);
        }
    }
}
