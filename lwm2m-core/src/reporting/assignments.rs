//! The table of notification attributes: what each server has set, and where (OMA LwM2M 1.0, 5.1.2).

use super::Entries;
use crate::base::attributes::{Assigned, Attributes};
use crate::base::features::SHORTCUTS;
use crate::base::path::Path;
use crate::base::table::Places;

/// What a server has set at one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Assignment {
    pub(crate) server: u16,
    pub(crate) path: Path,
    pub(crate) attributes: Attributes,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Assignments {
    entries: Entries<Assignment>,
    limit: usize,
}

impl Assignments {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: Entries::new(), limit }
    }

    fn position(&self, server: u16, path: Path) -> Option<usize> {
        self.entries.iter().position(|entry| entry.server == server && entry.path == path)
    }

    /// Sets what a server wants at a path; nothing at all takes no place. What does not fit was
    /// refused before.
    #[inline(never)]
    pub(super) fn put(&mut self, assignment: Assignment) {
        match self.position(assignment.server, assignment.path) {
            Some(at) if assignment.attributes.is_empty() => self.entries.take_out(at),
            Some(at) => {
                if let Some(entry) = self.entries.get_mut(at) {
                    *entry = assignment;
                }
            }
            None if self.entries.has_room(self.limit) && !assignment.attributes.is_empty() => {
                self.entries.add(assignment, self.limit);
            }
            None => {}
        }
    }

    pub(super) fn retain(&mut self, keep: &dyn Fn(&Assignment) -> bool) {
        self.entries.keep(&mut |assignment| keep(assignment));
    }

    /// The thresholds that hold at a path, as [`effective`](Assigned::effective) has them; seldom there
    /// are any.
    pub(super) fn thresholds(&self, server: u16, path: Path) -> Attributes {
        let any = self.entries.iter().any(|entry| entry.server == server && entry.attributes.has_thresholds());
        if any || !SHORTCUTS { self.of(server).effective(path) } else { Attributes::NONE }
    }

    pub(super) fn of(&self, server: u16) -> OfServer<'_> {
        OfServer { table: self, server }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Assignment> {
        self.entries.iter()
    }

    /// Takes all the memory that it may ever need.
    pub(super) fn reserve(&mut self) {
        self.entries.reserve_all(self.limit);
    }

    pub(super) fn heap(&self) -> usize {
        self.entries.capacity().saturating_mul(size_of::<Assignment>())
    }
}

/// What one server has set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfServer<'a> {
    table: &'a Assignments,
    server: u16,
}

impl Assigned for OfServer<'_> {
    fn at(&self, path: Path) -> Attributes {
        let found = self.table.position(self.server, path).and_then(|at| self.table.entries.get(at));
        found.map_or(Attributes::NONE, |entry| entry.attributes)
    }

    fn has_room(&self, path: Path) -> bool {
        self.table.entries.has_room(self.table.limit) || self.table.position(self.server, path).is_some()
    }
}

#[cfg(test)]
#[cfg(feature = "reporting")]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    fn pmin(seconds: u32) -> Attributes {
        Attributes { pmin: Some(seconds).filter(|seconds| *seconds > 0), ..Attributes::NONE }
    }

    #[test]
    fn a_full_table_changes_and_frees_what_it_has() {
        let mut table = Assignments::new(2);
        let [a, b, c] = [3, 4, 5].map(Path::object);
        for (path, seconds) in [(a, 1), (b, 2), (c, 3)] {
            assert_eq!(table.of(1).has_room(path), path != c);
            table.put(Assignment { server: 1, path, attributes: pmin(seconds) });
        }
        assert_eq!([a, b, c].map(|path| table.of(1).at(path)), [pmin(1), pmin(2), Attributes::NONE]);
        assert!(!table.of(2).has_room(a), "of another server");
        table.put(Assignment { server: 1, path: a, attributes: pmin(9) });
        table.put(Assignment { server: 1, path: b, attributes: Attributes::NONE });
        assert_eq!([a, b].map(|path| table.of(1).at(path)), [pmin(9), Attributes::NONE]);
        assert!(table.of(2).has_room(a));
    }

    static PATHS: [Path; 5] =
        [Path::object(3), Path::instance(3, 0), Path::resource(3, 0, 9), Path::resource(3, 0, 7), Path::object(1)];

    proptest! {
        #[test]
        fn the_table_is_a_bounded_map(
            puts in prop::collection::vec((1u16..3, prop::sample::select(&PATHS[..]), 0u32..4), 0..40),
        ) {
            let mut table = Assignments::new(4);
            let mut map = BTreeMap::new();
            for (server, path, seconds) in puts {
                // Of a wider scope other attributes hold, too.
                let pmax = Some(seconds).filter(|_| seconds > 0 && path.depth() < 3);
                let attributes = Attributes { pmax, ..pmin(seconds) };
                let fits = map.contains_key(&(server, path)) || map.len() < 4;
                prop_assert_eq!(table.of(server).has_room(path), fits);
                table.put(Assignment { server, path, attributes });
                if attributes.is_empty() {
                    map.remove(&(server, path));
                } else if fits {
                    map.insert((server, path), attributes);
                }
                let entries: BTreeMap<_, _> = table.iter().map(|entry| ((entry.server, entry.path), entry.attributes)).collect();
                for below in PATHS {
                    let mut plainly = Attributes::NONE;
                    let above = core::iter::successors(Some(below), |path| path.parent());
                    above.for_each(|path| plainly.fill(&table.of(server).at(path)));
                    prop_assert_eq!(table.of(server).effective(below), plainly);
                }
                prop_assert_eq!((&entries, table.iter().count()), (&map, map.len()));
            }
        }
    }
}
