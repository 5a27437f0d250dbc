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
use super::observations::{Observation, Observer, Told};
use crate::base::attributes::Attributes;
use crate::base::number::Number;
use crate::base::path::{Leaf, Path};
use crate::base::table::Places;
use crate::base::time::Instant;
use crate::base::value::{Sink, Stop, Value};
use crate::format::{Digest, Encode};
use crate::model::{DataModel, Refusal, walk};

/// Whether the difference between two numbers is one that the server wants to be told of: another
/// side of `gt` or `lt`, or a step of `st` and more. Equal numbers do not differ, whatever the step.
fn is_change(thresholds: &Attributes, last: Number, value: Number) -> bool {
    let Attributes { gt, lt, st, .. } = *thresholds;
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

    /// Remembers what an observer is told now. It is written to somebody on the way, or to nobody.
    pub(super) fn tell(
        &mut self,
        wall: Instant,
        (observer, path): (Observer, Path),
        to: Option<&mut dyn Encode>,
        model: &dyn DataModel,
    ) -> (Result<(), Refusal>, Told) {
        self.forget(observer);
        let mut look = Look::new(self, (observer, path), None, to);
        let walked = look.at(wall, path, model);
        let (digest, odd, measured) = (look.digest.finish(), look.odd, look.seen);
        if !odd {
            return (walked, (digest, measured));
        }
        // Half of them are of no use, and others may have use for the room.
        self.forget(observer);
        (walked, (digest, 0))
    }

    /// The same of a single value that was written for the observer.
    pub(super) fn tell_value(&mut self, observer: Observer, at: Leaf, value: &Value<'_>) -> Told {
        let mut digest = Digest::new();
        // A digest takes any value.
        let _ = digest.value(at, *value);
        let Some(number) = Number::of(*value) else {
            self.forget(observer);
            return (digest.finish(), 0);
        };
        let known = self.entries.iter_mut().find(|entry| entry.observer == observer && entry.index.is_none());
        let fit = match known {
            Some(entry) => {
                entry.number = number;
                true
            }
            None => self.add(observer, None, number),
        };
        (digest.finish(), fit.into())
    }

    /// Whether an observed value is another one now than the observer was told: by as much as it
    /// wants, and at all.
    pub(super) fn differ(
        &mut self,
        wall: Instant,
        of: &Observation,
        thresholds: &Attributes,
        model: &dyn DataModel,
    ) -> (bool, bool) {
        let mut look = Look::new(self, (of.observer(), of.path), Some(thresholds), None);
        // A refusal is a state of its own: becoming unreadable, or readable again, is a change.
        let _ = look.at(wall, of.path, model);
        let moved = look.digest.finish() != of.digest;
        let measured = thresholds.has_thresholds() && of.measured > 0;
        (if measured { look.odd || look.seen != of.measured } else { moved }, moved)
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

/// Looks at what an observer is told now, or would be: at all of it, and at each number of a resource.
struct Look<'a, 'e> {
    digest: Digest,
    numbers: &'a mut Numbers,
    observer: Observer,
    /// Numbers are compared with those that were told last; without thresholds they take their places.
    thresholds: Option<&'a Attributes>,
    /// Whether there was a number that is a change, or one that has no place.
    odd: bool,
    /// How many numbers there were.
    seen: u16,
    /// Who is told.
    to: Option<&'a mut (dyn Encode + 'e)>,
}

impl<'a, 'e> Look<'a, 'e> {
    /// At what is below `path`; only of a resource are there numbers.
    const fn new(
        numbers: &'a mut Numbers,
        (observer, path): (Observer, Path),
        thresholds: Option<&'a Attributes>,
        to: Option<&'a mut (dyn Encode + 'e)>,
    ) -> Self {
        Self { digest: Digest::new(), numbers, observer, thresholds, odd: path.depth() != 3, seen: 0, to }
    }

    fn at(&mut self, wall: Instant, path: Path, model: &dyn DataModel) -> Result<(), Refusal> {
        // Who writes knows that it is there.
        if self.to.is_none() && !super::is_there(path, model) {
            return Ok(());
        }
        walk::values::<dyn Encode>(&super::context(wall, self.observer.0), path, model, self)
    }

    #[inline(never)]
    fn number(&mut self, index: Option<u16>, number: Option<Number>) {
        self.seen = self.seen.saturating_add(1);
        self.odd = self.odd
            || match self.thresholds {
                None => !number.is_some_and(|number| self.numbers.add(self.observer, index, number)),
                Some(thresholds) => {
                    let last = self.numbers.of(self.observer).find(|(known, _)| *known == index);
                    !matches!((last, number), (Some((_, last)), Some(number)) if !is_change(thresholds, last, number))
                }
            };
    }
}

impl Sink for Look<'_, '_> {
    #[inline(never)]
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        if let Some(to) = &mut self.to {
            to.value(at, value)?;
        }
        self.number(at.index, Number::of(value));
        self.digest.value(at, value)
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        if let Some(to) = &mut self.to {
            to.opaque(at, len, fill)?;
        }
        self.digest.opaque(at, len, fill)
    }
}

impl Encode for Look<'_, '_> {
    fn open_instance(&mut self, id: u16) -> Result<(), Stop> {
        if let Some(to) = &mut self.to {
            to.open_instance(id)?;
        }
        self.digest.open_instance(id)
    }

    fn open_multiple(&mut self, resource: u16) -> Result<(), Stop> {
        if let Some(to) = &mut self.to {
            to.open_multiple(resource)?;
        }
        self.digest.open_multiple(resource)
    }

    fn close(&mut self) -> Result<(), Stop> {
        if let Some(to) = &mut self.to {
            to.close()?;
        }
        self.digest.close()
    }
}

#[cfg(test)]
#[cfg(feature = "reporting")]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use coap_codec::Token;
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
                assert_eq!(is_change(&attributes, number(*last), number(*value)), told, "{last} -> {value}");
            }
        }
    }

    const PATH: Path = Path::resource(3, 0, 7);
    const AT: Leaf = Leaf::new(3, 0, 7);

    type Show = fn(&mut dyn Encode) -> Result<(), Stop>;

    /// What is noticed of what is shown while it is written to somebody, or to nobody: a digest, the numbers, and
    /// whether all of them have a place.
    fn noticed(path: Path, show: Show, to: Option<&mut dyn Encode>) -> (u64, Vec<(Option<u16>, Number)>, bool) {
        let (mut numbers, observer) = (Numbers::new(8), (1, Token::EMPTY));
        let mut look = Look::new(&mut numbers, (observer, path), None, to);
        show(&mut look).unwrap();
        let (digest, odd) = (look.digest.finish(), look.odd);
        (digest, numbers.of(observer).collect(), !odd)
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
        let digests = SHOWN.map(|show| noticed(PATH, show, None).0);
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }

    #[test]
    fn who_looks_on_while_it_is_written_sees_the_same() {
        for show in SHOWN {
            let mut writer = Digest::new();
            let looked_on = noticed(PATH, show, Some(&mut writer));
            assert_eq!(writer.finish(), looked_on.0);
            assert_eq!(looked_on, noticed(PATH, show, None));
        }
    }

    // OMA LwM2M 1.0, 5.1.2: thresholds are of numbers, and of a resource.
    #[test]
    fn numbers_of_each_kind_are_compared_and_those_of_a_resource_alone() {
        let all: Show = |to| {
            for (index, value) in (0..).zip([Value::Int(-1), Value::Uint(2), Value::Float(0.5), Value::Time(4)]) {
                to.value(AT.at(index), value)?;
            }
            to.value(AT, Value::Int(10))
        };
        let expected = [(Some(0), -1.0), (Some(1), 2.0), (Some(2), 0.5), (Some(3), 4.0), (None, 10.0)];
        let expected = expected.map(|(index, expected)| (index, number(expected))).to_vec();
        let (_, numbers, all_fit) = noticed(PATH, all, None);
        assert_eq!((numbers, all_fit), (expected, true));
        for (path, value) in [
            (Path::instance(3, 0), Value::Int(1)),
            (PATH, Value::Bool(true)),
            (PATH, Value::Int(i64::MAX)),
            (PATH, Value::Float(f64::NAN)),
        ] {
            let (mut numbers, observer) = (Numbers::new(8), (1, Token::EMPTY));
            let mut look = Look::new(&mut numbers, (observer, path), None, None);
            look.value(AT, value).unwrap();
            assert_eq!((look.odd, numbers.of(observer).count()), (true, 0), "{value:?}");
        }
    }

    #[test]
    fn the_smallest_step_is_any_difference_and_none_is_no_step() {
        let any = thresholds(None, None, Some(0));
        assert!(is_change(&any, number(1), number(1.000_001)));
        assert!(!is_change(&any, number(1), number(1)));
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
            prop_assert_eq!(is_change(&attributes, number(last), number(value)), expected);
            prop_assert_eq!(is_change(&attributes, number(value), number(last)), expected);
        }
    }
}
