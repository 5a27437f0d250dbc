//! The search: from one world to all that may follow, each looked at once.

use core::fmt;
use std::collections::{HashMap, HashSet, VecDeque};

use crate::world::{Action, World};

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Something was executed more often than it was asked for, or was not and is said to be.
    DoneTwice,
    /// It sends something after it left.
    NotSilent,
    /// It asks for something else than to be de-registered, having been told to leave.
    AsksWhileLeaving,
    /// It registers although it is registered.
    RegisteredTwice,
    /// An Update or a De-register that names another registration.
    OutOfPlace,
    /// What it sends is no message.
    NoMessage,
    /// After a timeout, its deadline is not later.
    DeadlineStands,
    /// Nothing goes wrong any more, and what was asked gets no answer.
    Unanswered,
    /// Nothing goes wrong any more, and it comes to no end.
    NeverEnds,
}

/// What there was to see.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) states: usize,
    steps: usize,
    /// How many steps the farthest state is away.
    depth: usize,
    /// States in which it is registered, and in which it is gone.
    pub(crate) registered: usize,
    pub(crate) ends: usize,
    /// Whether nothing was left out.
    pub(crate) is_whole: bool,
    /// What was wrong, and how it came about.
    pub(crate) found: Option<(Found, Vec<Action>)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, steps, depth, registered, ends, .. } = self;
        write!(f, "{states} states by {steps} steps, at most {depth} deep; {registered} registered, {ends} gone")?;
        if let Some((found, path)) = &self.found {
            write!(f, "; {found:?} by {path:?}")?;
        }
        Ok(())
    }
}

/// More states than there is memory for.
const MOST: usize = 4_000_000;

/// Looks at every world that may follow, nearest first.
pub(crate) fn explore(first: World) -> Report {
    let mut report = Report { is_whole: true, ..Report::default() };
    let mut good = HashSet::new();
    // How each was reached first.
    let mut known: HashMap<u64, (u64, Action)> = HashMap::new();
    let origin = first.fingerprint();
    known.insert(origin, (origin, Action::Connect));
    let mut queue = VecDeque::from([(first, origin, 0)]);
    while let Some((world, fingerprint, depth)) = queue.pop_front() {
        report.states += 1;
        report.depth = report.depth.max(depth);
        report.registered += usize::from(world.is_registered());
        report.ends += usize::from(world.gone);
        if let Err(found) = world.ends_well(&mut good) {
            report.found = Some((found, path_to(&known, fingerprint, None)));
            return report;
        }
        for (action, budget) in world.choices() {
            report.steps += 1;
            let next = match world.after(action, budget) {
                Ok(next) => next,
                Err(found) => {
                    report.found = Some((found, path_to(&known, fingerprint, Some(action))));
                    return report;
                }
            };
            let reached = next.fingerprint();
            if known.contains_key(&reached) {
                continue;
            }
            if known.len() >= MOST {
                report.is_whole = false;
                continue;
            }
            known.insert(reached, (fingerprint, action));
            queue.push_back((next, reached, depth + 1));
        }
    }
    report
}

fn path_to(known: &HashMap<u64, (u64, Action)>, mut state: u64, last: Option<Action>) -> Vec<Action> {
    let mut path: Vec<_> = last.into_iter().collect();
    while let Some((before, action)) = known.get(&state).filter(|(before, _)| *before != state) {
        path.push(*action);
        state = *before;
    }
    path.reverse();
    path
}

/// Of the first so many states, compares those that were reached in two ways: everything that may follow
/// must be the same. How many pairs there were.
pub(crate) fn compare_twins(first: World, states: usize) -> usize {
    let mut compared = 0;
    let mut known = HashMap::from([(first.fingerprint(), first.clone())]);
    let mut queue = VecDeque::from([first]);
    while let Some(world) = queue.pop_front() {
        if known.len() > states {
            break;
        }
        for (action, budget) in world.choices() {
            let next = world.after(action, budget).expect("nothing is wrong");
            match known.get(&next.fingerprint()) {
                Some(twin) => {
                    assert_eq!(successors(twin), successors(&next), "reached by {action:?}");
                    compared += 1;
                }
                None => {
                    known.insert(next.fingerprint(), next.clone());
                    queue.push_back(next);
                }
            }
        }
    }
    compared
}

/// The worlds that may follow within two steps, in no order.
fn successors(world: &World) -> HashSet<u64> {
    let follow = |world: &World| -> Vec<World> {
        let choices = world.choices().into_iter();
        choices.map(|(action, budget)| world.after(action, budget).expect("nothing is wrong")).collect()
    };
    follow(world).iter().flat_map(follow).map(|world| world.fingerprint()).collect()
}
