//! Information Reporting: which values servers observe, and when they are notified
//! (OMA LwM2M 1.0, 5.5; RFC 7641).
//!
//! Nothing is polled: the application says that something changed, and the schedule knows the next
//! moment at which a notification may or must go out.

mod assignments;
mod change;
mod keeping;
mod observations;
mod stored;

use coap_codec::{Code, MessageId, Token};

pub(crate) use self::assignments::Assignment;
use self::assignments::{Assignments, OfServer};
use self::change::Numbers;
pub(crate) use self::observations::Observation;
use self::observations::{Observations, Observer, Told};
use self::stored::Stored;
use crate::base::attributes::{Assigned, Attributes};
use crate::base::features::{SHORTCUTS, STATISTICS, STORING};
use crate::base::limits::Limits;
use crate::base::number::Number;
use crate::base::path::{Leaf, Path};
use crate::base::statistics::Counter;
use crate::base::time::Instant;
use crate::base::value::Value;
use crate::exchange::{ExchangeId, Sent};
use crate::format::{Encoder, Format, Output};
use crate::model::{Ctx, DataModel, Origin, Refusal, list, walk};

/// What the tables of this floor are made of.
#[cfg(feature = "reporting")]
type Entries<T> = alloc::vec::Vec<T>;
/// The floor is left out.
#[cfg(not(feature = "reporting"))]
type Entries<T> = crate::base::table::Nothing<T>;

/// The periods that rule an observation's notifications, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Periods {
    /// No two notifications within this time.
    min: u32,
    /// A notification at least this often.
    max: Option<u32>,
}

impl Periods {
    /// As the attributes in seconds have them; a maximum of 0, or one below the minimum, is none (OMA
    /// LwM2M 1.0.2, 5.1.2).
    fn of(pmin: Option<u32>, pmax: Option<u32>) -> Self {
        let min = pmin.unwrap_or(0);
        Self { min, max: pmax.filter(|max| *max > 0 && *max >= min) }
    }
}

/// A notification that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) token: Token,
    pub(crate) path: Path,
    pub(crate) format: Format,
    pub(crate) sequence: u32,
    /// The block size that the observer asked for, as its exponent.
    pub(crate) block: Option<u8>,
    pub(crate) confirmable: bool,
    /// Whether it was made before: [`Reporting::kept`] has its payload.
    pub(crate) kept: bool,
    /// What its observer was told last, when it is not to be sent unless that has changed.
    pub(crate) unless_changed: Option<Told>,
    index: usize,
}

/// The floor's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reporting {
    observations: Observations,
    assignments: Assignments,
    numbers: Numbers,
    /// What was made while a server could not be told.
    stored: Stored,
    /// The next of these that is not confirmable leaves then.
    spaced: Instant,
    /// Changes that are told together with earlier ones.
    pub(crate) merged: Counter,
    /// Observations that did not begin, because there are as many as there may be.
    pub(crate) crowded: Counter,
}

impl Reporting {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            observations: Observations::new(limits.observations),
            assignments: Assignments::new(limits.attributes),
            numbers: Numbers::new(limits.numbers),
            stored: Stored::new(limits.stored),
            spaced: Instant::ZERO,
            merged: Counter::default(),
            crowded: Counter::default(),
        }
    }

    // ----- attributes -----------------------------------------------------------------------

    /// The attributes that a server has set.
    pub(crate) fn assigned(&self, server: u16) -> OfServer<'_> {
        self.assignments.of(server)
    }

    /// All that is set: what a snapshot keeps.
    pub(crate) fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.iter()
    }

    /// Sets a server's attributes at a path. Say [`renew_periods`](Self::renew_periods) afterwards, for
    /// observations that run already, and [`changed`](Self::changed), for what new thresholds make of the
    /// value of now.
    pub(crate) fn assign(&mut self, assignment: Assignment) {
        self.assignments.put(assignment);
    }

    /// Forgets the attributes of servers that there is no account for any more. They outlive a
    /// registration, as all that a server configures does: only observations end with it (OMA
    /// LwM2M 1.0, 5.3.1).
    pub(crate) fn keep_attributes_of(&mut self, known: impl Fn(u16) -> bool) {
        self.assignments.retain(&|assignment| known(assignment.server));
    }

    /// Forgets the attributes of instances at or below `path` that are gone. Another one with the same
    /// id begins without.
    pub(crate) fn detach(&mut self, path: Path, exists: &dyn Fn(u16, u16) -> bool) {
        self.assignments.retain(&|Assignment { path: own, .. }| match (own.object_id(), own.instance_id()) {
            (Some(object), Some(instance)) => !path.overlaps(*own) || exists(object, instance),
            _ => true,
        });
    }

    /// Works out the periods of all observations, after anything that they follow from has changed.
    /// Attributes that are set nowhere are as a server's `defaults` (/1/x/2 and /1/x/3) have them.
    pub(crate) fn renew_periods(&mut self, defaults: impl Fn(u16) -> [Option<u32>; 2]) {
        for observation in self.observations.iter_mut() {
            let own = self.assignments.of(observation.server).effective(observation.path);
            let [pmin, pmax] = defaults(observation.server);
            observation.periods = Periods::of(own.pmin.or(pmin), own.pmax.or(pmax));
        }
    }

    // ----- observations ---------------------------------------------------------------------

    /// The Observe value with which an observation may begin: none when the table is full.
    pub(crate) fn admit(&self, server: u16, token: Token) -> Option<u32> {
        self.observations.admit(server, token)
    }

    /// Begins an observation, or replaces the one with the same token (RFC 7641, section 4.1).
    /// The answer that was just written counts as its first notification. Say
    /// [`renew_periods`](Self::renew_periods) afterwards.
    pub(crate) fn begin(
        &mut self,
        (now, wall): (Instant, Instant),
        observer: Observer,
        (path, format, block): (Path, Format, Option<u8>),
        sequence: u32,
        model: &dyn DataModel,
    ) {
        let (server, token) = observer;
        let (_, (digest, measured)) = self.numbers.tell(wall, (observer, path), None, model);
        // A notification on its way belongs to the observation still (RFC 7641, section 4.1).
        let replaced = self.observations.find(observer);
        let (in_flight, last) = replaced.map_or((None, None), |entry| (entry.in_flight, entry.last));
        if STORING && replaced.is_some_and(|entry| entry.replays) {
            self.stored.told(observer);
        }
        // The answer is newer than all that was kept for this token.
        self.stored.forget(observer);
        let observation = Observation {
            server,
            token,
            path,
            format,
            block,
            sequence,
            periods: Periods::default(),
            digest,
            measured,
            pending: false,
            moved: false,
            suspected: false,
            owed: false,
            notified: now,
            confirmed: now,
            in_flight,
            replays: false,
            last,
        };
        self.observations.put(observation);
    }

    /// The answer that began an observation left late, in a message of its own: like a notification it is
    /// acknowledged, or rejected.
    pub(crate) fn began_late(&mut self, observer: (u16, Token), sent: Sent, confirmable: bool) {
        if let Some(observation) = self.observations.find_mut(observer) {
            observation.last = Some(sent.message_id);
            observation.in_flight = confirmable.then_some(sent.exchange);
        }
    }

    /// The Observe value that a token's observer was told last.
    pub(crate) fn sequence(&self, server: u16, token: Token) -> Option<u32> {
        let entry = self.observations.iter().find(|entry| entry.observer() == (server, token));
        entry.map(|entry| entry.sequence)
    }

    /// Ends the observation of a token; its path, if there was one.
    pub(crate) fn cancel(&mut self, server: u16, token: Token) -> Option<Path> {
        self.end(&|observation| observation.observer() == (server, token)).map(|(_, path)| path)
    }

    /// Ends the first such observation.
    #[inline(never)]
    fn end(&mut self, which: &dyn Fn(&Observation) -> bool) -> Option<(Observer, Path)> {
        let (observer, path) = self.observations.remove(which)?;
        self.numbers.forget(observer);
        self.stored.forget(observer);
        Some((observer, path))
    }

    /// A notification was rejected with a Reset: its observation ends (RFC 7641, section 3.6).
    pub(crate) fn rejected(&mut self, server: u16, message_id: MessageId) -> Option<Path> {
        let rejected = |observation: &Observation| observation.server == server && observation.last == Some(message_id);
        self.end(&rejected).map(|(_, path)| path)
    }

    /// Ends all observations of a server: it registered anew, or left.
    pub(crate) fn forget(&mut self, server: u16) {
        while self.end(&|observation| observation.server == server).is_some() {}
    }

    /// Ends all observations: the accounts are new.
    pub(crate) fn clear(&mut self) {
        while self.end(&|_| true).is_some() {}
    }

    /// What changed while a server could not be told is not told later: it does not want that.
    pub(crate) fn drop_pending(&mut self, server: u16) {
        for observation in self.observations.iter_mut().filter(|observation| observation.server == server) {
            observation.pending = false;
            observation.moved = false;
        }
    }

    /// What was sent to a server is lost with the network; what it would have told is told later.
    pub(crate) fn suspend(&mut self, server: u16) {
        for observation in self.observations.iter_mut().filter(|observation| observation.server == server) {
            observation.lose();
        }
    }

    /// The same of one notification. False if the exchange is none of ours.
    pub(crate) fn lose(&mut self, exchange: ExchangeId) -> bool {
        let found = self.observations.iter_mut().find(|observation| observation.in_flight == Some(exchange));
        found.is_some_and(Observation::lose)
    }

    /// Something at `path` may have changed: whoever observes it is to be told, if it did.
    pub(crate) fn changed(&mut self, wall: Instant, path: Path, model: &dyn DataModel) {
        self.count_merged(path);
        let Self { observations, assignments, numbers, .. } = self;
        for observation in observations.iter_mut() {
            if observation.path.overlaps(path) && !observation.pending {
                let thresholds = assignments.thresholds(observation.server, observation.path);
                (observation.pending, observation.moved) = numbers.differ(wall, observation, &thresholds, model);
            }
        }
    }

    /// Whoever is to be told of an earlier change hears of this one at the same time.
    #[inline]
    fn count_merged(&mut self, path: Path) {
        if STATISTICS {
            let Self { observations, merged, .. } = self;
            let waits = |observation: &&Observation| observation.pending && observation.path.overlaps(path);
            observations.iter().filter(waits).for_each(|_| merged.count());
        }
    }

    /// The same when all that may be told now is told before anything else happens: then it is not looked at
    /// whether it did. Say [`look_at_suspects`](Self::look_at_suspects) afterwards.
    pub(crate) fn suspect(&mut self, (now, wall): (Instant, Instant), path: Path, model: &dyn DataModel) {
        self.count_merged(path);
        let Self { observations, assignments, numbers, .. } = self;
        for observation in observations.iter_mut() {
            if observation.path.overlaps(path) && !observation.pending {
                let thresholds = assignments.thresholds(observation.server, observation.path);
                if observation.may_be_told(now) && !thresholds.has_thresholds() {
                    observation.suspected = true;
                } else {
                    (observation.pending, observation.moved) = numbers.differ(wall, observation, &thresholds, model);
                }
            }
        }
    }

    /// Looks at what was suspected and could not be told. Whether there was any.
    pub(crate) fn look_at_suspects(&mut self, wall: Instant, model: &dyn DataModel) -> bool {
        let mut any = false;
        for observation in self.observations.iter_mut().filter(|observation| observation.suspected) {
            observation.suspected = false;
            (observation.pending, observation.moved) = self.numbers.differ(wall, observation, &Attributes::NONE, model);
            any = true;
        }
        any
    }

    /// The same for a notification that could not be made; its observer was told nothing.
    pub(crate) fn look_at(&mut self, wall: Instant, due: &Due, model: &dyn DataModel) {
        if let (Some(observation), Some(told)) = (self.observations.get_mut(due.index), due.unless_changed) {
            (observation.digest, observation.measured) = told;
            observation.suspected = false;
            (observation.pending, observation.moved) = self.numbers.differ(wall, observation, &Attributes::NONE, model);
        }
    }

    /// Whether a notification that was [written](Self::write) tells another value than its observer was told,
    /// as far as that was in doubt.
    pub(crate) fn is_news(&mut self, due: &Due) -> bool {
        !due.is_in_doubt()
            || self.observations.get_mut(due.index).is_none_or(|observation| observation.is_news(due.unless_changed))
    }

    /// A notification is due that its server has no right to: it waits for the right to come back (OMA
    /// LwM2M 1.0, 5.5.2).
    pub(crate) fn barred(&mut self, now: Instant, due: &Due) {
        if let Some(observation) = self.observations.get_mut(due.index) {
            observation.wait(now);
        }
    }

    /// The next notification for a server whose time has come. Without `room` for an exchange only
    /// one that needs none. What was kept comes before what is the case now.
    pub(crate) fn due(&self, now: Instant, server: u16, confirmable: bool, room: bool) -> Option<Due> {
        if self.has_kept(server) {
            return self.due_of_kept(now, server, confirmable, room);
        }
        let (at, index, observation) = self.next(now, server, confirmable, room)?;
        (at <= now).then(|| Due::of((index, observation), now, confirmable))
    }

    /// The next notification of the value of now for a server, and when it is due.
    #[cfg_attr(not(feature = "shortcuts"), inline(never))]
    fn next(&self, now: Instant, server: u16, confirmable: bool, room: bool) -> Option<(Instant, usize, &Observation)> {
        let mut next: Option<(Instant, usize, &Observation)> = None;
        for (index, observation) in self.observations.iter().enumerate() {
            if observation.server == server
                && let Some(at) = observation.deadline()
                && next.is_none_or(|(first, ..)| at < first)
                // What is late already is judged as of now: by now it may need room.
                && (room || !observation.needs_confirmation(at.max(now), confirmable))
            {
                next = Some((at, index, observation));
            }
        }
        next
    }

    /// Writes what a notification that is due tells, and notes it: it is sent then, or its observation
    /// ends.
    pub(crate) fn write(
        &mut self,
        ctx: &Ctx,
        due: &Due,
        output: Output<'_>,
        model: &dyn DataModel,
    ) -> Result<usize, Refusal> {
        let observation = self.observations.get_mut(due.index).ok_or(Code::NOT_FOUND)?;
        let what = (observation.observer(), observation.path);
        let mut encoder = Encoder::new(due.format, due.path, output);
        let (written, told) = self.numbers.tell(ctx.now, what, Some(encoder.as_encode()), model);
        (observation.digest, observation.measured) = told;
        written.and_then(|()| Ok(encoder.finish()?))
    }

    /// Notes the value that was written for a notification that is due. Whether it [is news](Self::is_news).
    #[inline]
    pub(crate) fn wrote(&mut self, due: &Due, at: Leaf, value: &Value<'_>) -> bool {
        let Some(observation) = self.observations.get_mut(due.index) else { return true };
        (observation.digest, observation.measured) = self.numbers.tell_value(observation.observer(), at, value);
        observation.is_news(due.unless_changed)
    }

    /// A notification was sent as it was [written](Self::write), or could not be made this time.
    pub(crate) fn sent(
        &mut self,
        (now, wall): (Instant, Instant),
        due: &Due,
        sent: Option<Sent>,
        model: &dyn DataModel,
    ) {
        if due.is_kept() {
            return self.sent_kept(now, due, sent);
        }
        if let Some(observation) = self.observations.get_mut(due.index) {
            (observation.pending, observation.moved) = (false, false);
            (observation.suspected, observation.owed) = (false, false);
            observation.notified = now;
            if sent.is_none() {
                let what = (observation.observer(), observation.path);
                (_, (observation.digest, observation.measured)) = self.numbers.tell(wall, what, None, model);
            }
            if let Some(sent) = sent {
                observation.sequence = due.sequence;
                observation.last = Some(sent.message_id);
                observation.in_flight = due.confirmable.then_some(sent.exchange);
            }
        }
    }

    /// A confirmable notification arrived. False if the exchange is none of ours.
    pub(crate) fn acknowledged(&mut self, now: Instant, exchange: ExchangeId) -> bool {
        let found = self.observations.iter_mut().find(|observation| observation.in_flight == Some(exchange));
        found.is_some_and(|observation| {
            observation.in_flight = None;
            observation.confirmed = now;
            if observation.take_replays() {
                self.stored.told(observation.observer());
            }
            true
        })
    }

    /// A confirmable notification failed: the observer is gone (RFC 7641, section 4.5).
    pub(crate) fn failed(&mut self, exchange: ExchangeId) -> Option<(u16, Path)> {
        let ended = self.end(&|observation| observation.in_flight == Some(exchange));
        ended.map(|((server, _), path)| (server, path))
    }

    /// When the next notification for a server is due, `now` being the time of the last call.
    /// Without `room` for an exchange only one that needs none.
    pub(crate) fn poll_timeout(&self, now: Instant, server: u16, confirmable: bool, room: bool) -> Option<Instant> {
        if self.has_kept(server) {
            return self.poll_kept(now, server, confirmable, room);
        }
        self.next(now, server, confirmable, room).map(|(at, ..)| at)
    }

    /// The same for all servers, while nothing is kept for any and there is room for an exchange.
    #[inline]
    pub(crate) fn soonest(&mut self) -> Option<Instant> {
        self.observations.soonest()
    }

    pub(crate) fn len(&self) -> usize {
        self.observations.iter().count()
    }

    /// Takes all the memory that its tables may ever need.
    pub(crate) fn reserve(&mut self) {
        self.observations.reserve();
        self.assignments.reserve();
        self.numbers.reserve();
        self.stored.reserve();
    }

    pub(crate) fn heap(&self) -> usize {
        self.observations
            .heap()
            .saturating_add(self.assignments.heap())
            .saturating_add(self.numbers.heap())
            .saturating_add(self.stored.heap())
    }

    /// All observations: what a snapshot keeps.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Observation> {
        self.observations.iter()
    }

    /// The numbers that an observer was told last: what a snapshot keeps besides.
    pub(crate) fn numbers(&self, observation: &Observation) -> impl Iterator<Item = (Option<u16>, Number)> {
        self.numbers.of(observation.observer())
    }

    /// Puts an observation of a snapshot back.
    pub(crate) fn put(&mut self, observation: Observation) {
        self.observations.put(observation);
    }

    /// Puts back a number that it was told last. False when there is no place.
    pub(crate) fn put_number(&mut self, observation: &Observation, index: Option<u16>, number: Number) -> bool {
        self.numbers.add(observation.observer(), index, number)
    }
}

impl Due {
    /// Whether it is one that was kept.
    pub(crate) const fn is_kept(&self) -> bool {
        STORING && self.kept
    }

    /// Whether it is one only if the value has changed.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        SHORTCUTS && self.unless_changed.is_some()
    }

    fn of((index, observation): (usize, &Observation), now: Instant, confirmable: bool) -> Self {
        Self {
            token: observation.token,
            path: observation.path,
            format: observation.format,
            sequence: observation.next_sequence(),
            block: observation.block,
            confirmable: observation.needs_confirmation(now, confirmable),
            kept: false,
            unless_changed: observation.unless_changed(),
            index,
        }
    }
}

/// Whether a server may be told what there is at a path: what it may read, or that it is gone.
pub(crate) fn may_hear(ctx: &Ctx, path: Path, model: &dyn DataModel) -> bool {
    walk::is_allowed(ctx, path, model) || !is_there(path, model)
}

/// Whether there is what a path names: no model is asked for the value of what it does not have.
pub(crate) fn is_there(path: Path, model: &dyn DataModel) -> bool {
    let (Some(object), Some(instance)) = (path.object_id(), path.instance_id()) else { return true };
    list::has_instance(model, object, instance)
        && path.resource_id().is_none_or(|resource| list::has_resource(model, object, instance, resource))
}

/// Notifications read as the server that observes, and cannot be deferred.
pub(crate) const fn context(wall: Instant, server: u16) -> Ctx {
    Ctx { origin: Origin::Server(server), ticket: None, resumed: false, now: wall }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use alloc::vec::Vec;

    use super::*;

    #[test]
    #[cfg_attr(not(feature = "storing"), ignore = "one of the tables has no places")]
    fn every_place_that_a_limit_grants_has_its_price() {
        let memory = |change: fn(&mut Limits)| {
            let mut limits = Limits::DEVICE;
            change(&mut limits);
            let mut reporting = Reporting::new(&limits);
            reporting.reserve();
            reporting.heap()
        };
        let least = memory(|_| ());
        assert!(memory(|limits| limits.observations += 10) >= least + 10 * size_of::<Observation>());
        assert!(memory(|limits| limits.attributes += 10) >= least + 10 * size_of::<Assignment>());
        assert!(memory(|limits| limits.numbers += 10) >= least + 10 * size_of::<u64>());
        assert_eq!(memory(|limits| limits.stored += 10), least + 10);
    }

    #[test]
    fn a_maximum_period_below_the_minimum_is_ignored() {
        for (min, max, expected) in [
            (None, None, (0, None)),
            (Some(10), Some(60), (10, Some(60))),
            (Some(10), Some(10), (10, Some(10))),
            (Some(10), Some(9), (10, None)),
            (None, Some(0), (0, None)),
        ] {
            let periods = Periods::of(min, max);
            assert_eq!(periods, Periods { min: expected.0, max: expected.1 });
        }
    }

    const START: Instant = Instant::from_secs(1_000);

    /// Observations of two servers, in one table.
    fn observed(paths: [(u16, Path); 4]) -> Reporting {
        let mut reporting = Reporting::new(&Limits { stored: 64, ..Limits::DEVICE });
        for (token, (server, path)) in (1..).zip(paths) {
            let observer = (server, Token::new(&[token]).unwrap_or_default());
            let asked = (path, Format::TLV, None);
            reporting.begin((START, START), observer, asked, 1, &crate::NoObjects);
        }
        reporting
    }

    #[test]
    #[cfg_attr(not(feature = "reporting"), ignore = "nobody observes")]
    fn whoever_observes_what_is_deleted_is_owed_the_error() {
        let deleted = Path::instance(3, 0);
        let paths = [
            (1, Path::resource(3, 0, 9)),
            (1, Path::resource(5, 0, 3)),
            (2, Path::resource(3, 0, 9)),
            (2, Path::resource(5, 0, 3)),
        ];
        let mut reporting = observed(paths);
        reporting.owe(deleted);
        let owed: Vec<bool> = reporting.iter().map(|observation| observation.owed).collect();
        assert_eq!(owed, [true, false, true, false]);
    }

    // What was kept leaves when its server may be told: without a place for a message that has to be acknowledged, what
    // needs none; and nothing that would have to be acknowledged by the time that it leaves.
    #[test]
    #[cfg_attr(not(feature = "storing"), ignore = "nothing is kept")]
    fn what_was_kept_waits_for_the_room_that_it_needs() {
        let mut reporting = observed([(1, Path::resource(3, 0, 9)); 4]);
        let observer = (1, Token::new(&[1]).unwrap_or_default());
        assert!(reporting.put_kept(observer, b"12"));
        let day = START + Duration::from_secs(86_400);
        let before = START + Duration::from_secs(86_398);
        reporting.spaced = before + Duration::from_secs(1);
        assert_eq!(reporting.poll_kept(before, 1, false, true), Some(reporting.spaced));
        assert_eq!(reporting.poll_kept(before, 1, false, false), Some(reporting.spaced), "it needs no room");
        reporting.spaced = day;
        assert_eq!(reporting.poll_kept(before, 1, false, true), Some(day));
        assert_eq!(reporting.poll_kept(before, 1, false, false), None, "by then it does");
        assert_eq!(reporting.poll_kept(before, 1, true, false), None);
        assert_eq!(reporting.poll_kept(before, 1, true, true), Some(before));
        assert_eq!(reporting.poll_kept(day, 1, false, true), Some(day));
    }
}
