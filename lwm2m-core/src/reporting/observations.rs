//! The table of observations.

use core::hash::{Hash, Hasher};

use coap_codec::{MessageId, Token};

use super::{Entries, Periods};
use crate::base::features::{SHORTCUTS, STORING};
use crate::base::path::Path;
use crate::base::table::Places;
use crate::base::time::{Instant, earliest};
use crate::exchange::ExchangeId;
use crate::format::Format;

/// One notification in so many seconds must be confirmable (RFC 7641, section 4.5).
const CONFIRM_WITHIN: u32 = 24 * 60 * 60;

/// The Observe option counts modulo 2^24 (RFC 7641, section 3.4).
const SEQUENCE_MASK: u32 = 0x00FF_FFFF;

/// What a server was told last that was told nothing of late: no value has this digest but by chance.
const UNTOLD: u64 = 0;

/// By what an observation is known (RFC 7641, section 4.1): the Short Server ID and the token.
pub(crate) type Observer = (u16, Token);

/// What an observer was told: its digest, and how many numbers of it are remembered.
pub(crate) type Told = (u64, u16);

/// One observation: a server, its token, and what it was told last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Observation {
    pub(crate) server: u16,
    pub(crate) token: Token,
    pub(crate) path: Path,
    pub(crate) format: Format,
    /// The block size that the observer asked for, as its exponent (RFC 7959, section 2.4).
    pub(crate) block: Option<u8>,
    pub(crate) sequence: u32,
    pub(crate) periods: Periods,
    /// What the server was told last.
    pub(crate) digest: u64,
    /// How many numbers it was told, if all of them are among those that are remembered; else none.
    pub(crate) measured: u16,
    /// Whether the value differed from that, by as much as the server wants, at some moment since.
    pub(crate) pending: bool,
    /// Whether the value differed at all when it was looked at last: enough for the Maximum Period.
    pub(crate) moved: bool,
    /// Whether the value may differ, and can be told at once if it does: it is looked at when it is written,
    /// within the call that said so.
    pub(crate) suspected: bool,
    /// Something did not reach the server that should have: the value of then is told when it can be.
    pub(crate) owed: bool,
    pub(crate) notified: Instant,
    /// When a confirmable notification was last acknowledged.
    pub(crate) confirmed: Instant,
    /// The confirmable notification that waits for its acknowledgement: one at most, the newer
    /// value comes after it (RFC 7641, section 4.5).
    pub(crate) in_flight: Option<ExchangeId>,
    /// Whether that is the oldest of those that were kept for it.
    pub(crate) replays: bool,
    /// Message ID of the last notification, by which a Reset names it.
    pub(crate) last: Option<MessageId>,
}

impl Observation {
    pub(crate) const fn observer(&self) -> Observer {
        (self.server, self.token)
    }

    /// When the next notification may or must go out (OMA LwM2M 1.0, 5.1.2).
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.in_flight.is_some() {
            return None;
        }
        // What has changed comes first: a maximum is not below the minimum.
        let news = self.pending || self.is_suspected() || self.owed;
        let period = if news { Some(self.periods.min) } else { self.periods.max };
        period.map(|period| self.notified.after_seconds(period))
    }

    /// Whether its value may differ; without a short way nobody says so.
    pub(super) const fn is_suspected(&self) -> bool {
        SHORTCUTS && self.suspected
    }

    /// Whether what was on its way is the oldest of those that were kept for it.
    pub(super) const fn take_replays(&mut self) -> bool {
        STORING && core::mem::replace(&mut self.replays, false)
    }

    /// Whether it may be told something at `now`.
    pub(super) fn may_be_told(&self, now: Instant) -> bool {
        self.in_flight.is_none() && self.notified.after_seconds(self.periods.min) <= now
    }

    /// What it was told last, if the value may be what it was. What is due in any case is due again then.
    pub(super) fn unless_changed(&self) -> Option<Told> {
        self.is_suspected().then_some((self.digest, self.measured))
    }

    /// The same while the server cannot be told, and the notification is made to be kept. That a value
    /// is what it was is no news by the time that the server hears of it: such a one is not made.
    pub(super) fn keep_at(&self) -> Option<Instant> {
        let period = if self.pending { Some(self.periods.min) } else { self.periods.max.filter(|_| self.moved) };
        period.map(|period| self.notified.after_seconds(period))
    }

    /// Whether what it was told now is another value than it was told before, as far as that was in doubt.
    pub(super) fn is_news(&mut self, unless_changed: Option<Told>) -> bool {
        let news = unless_changed.is_none_or(|told| told.0 != self.digest);
        if !news {
            (self.suspected, self.moved) = (false, false);
        }
        news
    }

    /// Whether a notification at `at` must be confirmable: by configuration, or because the last
    /// one that was acknowledged is a day old.
    pub(crate) fn needs_confirmation(&self, at: Instant, confirmable: bool) -> bool {
        confirmable || at >= self.confirmed.after_seconds(CONFIRM_WITHIN)
    }

    /// It says nothing until its server may read again what it observes, and then whatever differs from
    /// what that was told last.
    pub(super) const fn wait(&mut self, now: Instant) {
        if self.owed {
            (self.digest, self.measured) = (UNTOLD, 0);
        }
        (self.pending, self.moved, self.suspected, self.owed) = (false, false, false, false);
        self.notified = now;
    }

    /// Whether nothing counts as told, so that whatever it observes is news.
    pub(crate) const fn is_untold(&self) -> bool {
        self.digest == UNTOLD
    }

    /// The notification on its way is lost: what it would have told is told later. Whether there was one.
    pub(super) fn lose(&mut self) -> bool {
        let lost = self.in_flight.take().is_some();
        if lost && !self.take_replays() {
            self.pending = true;
        }
        lost
    }

    pub(crate) const fn next_sequence(&self) -> u32 {
        self.sequence.wrapping_add(1) & SEQUENCE_MASK
    }
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Observations {
    entries: Entries<Observation>,
    limit: usize,
    soonest: Soonest,
}

/// The soonest deadline of a table, until something in it changes: [`NEVER`](Self::NEVER) when there is none. It
/// follows from the rest, and makes no difference.
#[derive(Clone, Copy, Debug)]
struct Soonest(Option<Instant>);

impl Soonest {
    const UNKNOWN: Self = Self(None);

    /// Something changes. Only a shortcut asks for it.
    const fn forget(&mut self) {
        if SHORTCUTS {
            *self = Self::UNKNOWN;
        }
    }

    /// No deadline is as late.
    const NEVER: Instant = Instant::from_micros(u64::MAX);
}

impl PartialEq for Soonest {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Soonest {}

impl Hash for Soonest {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Observations {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: Entries::new(), limit, soonest: Soonest::UNKNOWN }
    }

    /// The Observe value with which (server, token) may begin, if there is room. It goes on from an
    /// earlier observation with the same token, so that the observer sees it rise.
    pub(crate) fn admit(&self, server: u16, token: Token) -> Option<u32> {
        match self.entries.iter().find(|entry| entry.observer() == (server, token)) {
            Some(entry) => Some(entry.next_sequence()),
            None if self.entries.has_room(self.limit) => Some(1),
            None => None,
        }
    }

    /// Adds an observation, replacing that of the same server and token.
    #[cfg_attr(not(feature = "shortcuts"), inline(never))]
    pub(crate) fn put(&mut self, observation: Observation) {
        self.soonest.forget();
        if let Some(entry) = self.find_mut(observation.observer()) {
            *entry = observation;
        } else if self.entries.has_room(self.limit) {
            self.entries.add(observation, self.limit);
        }
    }

    /// Ends the first observation that is meant.
    pub(crate) fn remove(&mut self, which: &dyn Fn(&Observation) -> bool) -> Option<(Observer, Path)> {
        let index = self.entries.iter().position(which)?;
        self.soonest.forget();
        let ended = self.entries.get(index).map(|entry| (entry.observer(), entry.path));
        self.entries.take_out(index);
        ended
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Observation> {
        self.entries.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Observation> {
        self.soonest.forget();
        self.entries.iter_mut()
    }

    /// The soonest deadline of all.
    #[inline]
    pub(super) fn soonest(&mut self) -> Option<Instant> {
        let soonest = self.soonest.0.unwrap_or_else(|| self.find_soonest());
        debug_assert_eq!(soonest, self.find_soonest(), "whoever changes anything says so");
        self.soonest.0 = Some(soonest);
        (soonest < Soonest::NEVER).then_some(soonest)
    }

    #[inline(never)]
    fn find_soonest(&self) -> Instant {
        earliest(self.entries.iter().filter_map(Observation::deadline)).unwrap_or(Soonest::NEVER)
    }

    pub(crate) fn find(&self, observer: Observer) -> Option<&Observation> {
        self.entries.iter().find(|entry| entry.observer() == observer)
    }

    pub(crate) fn find_mut(&mut self, observer: Observer) -> Option<&mut Observation> {
        self.soonest.forget();
        self.entries.iter_mut().find(|entry| entry.observer() == observer)
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Observation> {
        self.soonest.forget();
        self.entries.get_mut(index)
    }

    /// Takes all the memory that it may ever need.
    pub(super) fn reserve(&mut self) {
        self.entries.reserve_all(self.limit);
    }

    pub(crate) fn heap(&self) -> usize {
        self.entries.capacity().saturating_mul(size_of::<Observation>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_observation_there_is_no_deadline() {
        let mut observations = Observations::new(2);
        assert_eq!(observations.soonest(), None);
        assert_eq!(observations.soonest(), None, "nor when it is known");
    }
}
