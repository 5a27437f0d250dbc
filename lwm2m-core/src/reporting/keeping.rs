//! Notifications for a server that cannot be told: made when they are due, kept, and told in their order
//! when it can be reached again within the same registration (OMA LwM2M 1.0, Appendix D.1.2, /1/x/6).

use coap_codec::{BlockValue, Code};

use super::observations::Observer;
use super::stored::Record;
use super::{Due, Observation, Reporting, context, is_there, may_hear};
use crate::base::features::STORING;
use crate::base::mixer::Mixer;
use crate::base::path::Path;
use crate::base::rights::Rights;
use crate::base::time::{Instant, earliest};
use crate::exchange::Sent;
use crate::format::{Encoder, Output};
use crate::model::{DataModel, Refusal, walk};

/// Notifications that nobody acknowledges leave in this distance of seconds, so that what was kept for hours is
/// no flood: one in a round trip, whose time is not known (RFC 7641, section 4.5.1).
const SPACE: u32 = 3;

impl Reporting {
    // ----- while the server cannot be told -----------------------------------------------------

    /// Whether notifications may be kept at all.
    pub(crate) const fn keeps(&self) -> bool {
        self.stored.is_wanted()
    }

    /// The next notification for a server that would leave now, and is to be kept.
    pub(crate) fn due_to_keep(&self, now: Instant, server: u16) -> Option<Due> {
        let own = self.observations.iter().enumerate().filter(|(_, observation)| observation.server == server);
        let due = own.filter_map(|(index, observation)| Some((observation.keep_at()?, index, observation)));
        let (_, index, observation) = due.filter(|(at, ..)| *at <= now).min_by_key(|(at, ..)| *at)?;
        Some(Due::of((index, observation), now, false))
    }

    /// When that is.
    pub(crate) fn poll_keep(&self, server: u16) -> Option<Instant> {
        let own = self.observations.iter().filter(|observation| observation.server == server);
        earliest(own.filter_map(Observation::keep_at))
    }

    /// Makes a notification of the value of now, and keeps it. One that does not fit into `datagram` bytes
    /// or into the store is dropped, as are older ones to make room for it.
    pub(crate) fn keep(&mut self, (now, wall): (Instant, Instant), due: &Due, datagram: usize, model: &dyn DataModel) {
        let Some(observation) = self.observations.get_mut(due.index) else { return };
        let observer = observation.observer();
        let ctx = context(wall, observation.server);
        let body = |output: Output<'_>| -> Result<usize, Refusal> {
            if !is_there(due.path, model) {
                return Err(Code::NOT_FOUND.into());
            }
            walk::encode(&ctx, due.path, model, Encoder::new(due.format, due.path, output))
        };
        // What its server may not read is not made for it either.
        if !may_hear(&ctx, due.path, model) {
            return observation.wait(now);
        }
        (_, (observation.digest, observation.measured)) = self.numbers.tell(wall, (observer, due.path), None, model);
        (observation.pending, observation.moved) = (false, false);
        observation.notified = now;
        let owed = match body(Output::measure(&mut Mixer::new())) {
            Ok(length) => {
                let fits = length <= longest(due, datagram) && self.make_room(observer, length);
                let kept = fits && self.stored.push(observer, length, |room| body(Output::new(room)) == Ok(length));
                if !kept {
                    self.stored.drop_one();
                }
                !kept
            }
            // The error is told when it can be, and ends the observation then.
            Err(Refusal::Code(_)) => true,
            // A notification cannot wait; the next change makes another one.
            Err(Refusal::Later) => return,
        };
        if let Some(observation) = self.observations.get_mut(due.index) {
            observation.owed = owed;
        }
    }

    /// Makes room in the store, if that can be: the oldest go, but for those that are being told.
    fn make_room(&mut self, observer: Observer, length: usize) -> bool {
        if !self.stored.can_hold(observer, length) {
            return false;
        }
        while !self.stored.has_room(observer, length) {
            let being_told = |other| self.observations.find(other).is_some_and(|observation| observation.replays);
            let Some((other, start)) = self.stored.oldest_but(being_told) else { return false };
            self.stored.remove(start);
            self.lost(other);
        }
        true
    }

    /// One that was kept will never be told. When it was the last for its observer, the value of then
    /// is, so that nobody is left with an old one (RFC 7641, section 1.3).
    fn lost(&mut self, observer: Observer) {
        self.stored.drop_one();
        let last = self.stored.oldest(observer).is_none();
        if let Some(observation) = self.observations.find_mut(observer).filter(|_| last) {
            observation.owed = true;
        }
    }

    /// The rights to an instance have changed. What was made of it is not told any more to whoever may not
    /// read it now, alone or with others of its object; the value of then is.
    pub(crate) fn withhold(&mut self, wall: Instant, (object, instance): (u16, u16), model: &dyn DataModel) {
        if !self.has_any_kept() {
            return;
        }
        let Self { observations, stored, .. } = self;
        let path = Path::instance(object, instance);
        for observation in observations.iter_mut().filter(|observation| observation.path.overlaps(path)) {
            let rights = model.rights(&context(wall, observation.server), object, instance);
            if !rights.contains(Rights::READ) && stored.oldest(observation.observer()).is_some() {
                stored.forget(observation.observer());
                (observation.replays, observation.owed) = (false, true);
            }
        }
    }

    /// What is observed at or below a path is gone: whoever observed it is told 4.04, which ends an observation (RFC 7641,
    /// section 4.2), at once or as soon as it can be.
    pub(crate) fn owe(&mut self, path: Path) {
        for observation in self.observations.iter_mut().filter(|observation| path.contains(observation.path)) {
            (observation.owed, observation.notified) = (true, Instant::ZERO);
        }
    }

    // ----- when it can be told again -----------------------------------------------------------

    /// The payload of a notification that is due and [was kept](Due::kept).
    pub(crate) fn kept(&self, server: u16, due: &Due) -> &[u8] {
        self.stored.oldest((server, due.token)).map_or(&[], |record| record.payload)
    }

    /// Whether anything is kept for a server.
    pub(crate) fn has_kept(&self, server: u16) -> bool {
        !self.stored.is_empty() && self.stored.oldest_for(server).is_some()
    }

    /// Whether any value is another one than its observer was told.
    pub(crate) fn has_news(&self) -> bool {
        self.observations.iter().any(|observation| observation.pending || (STORING && observation.moved))
    }

    /// Whether anything is kept for anybody.
    pub(crate) fn has_any_kept(&self) -> bool {
        !self.stored.is_empty()
    }

    /// Drops what is kept for a server.
    pub(crate) fn drop_kept(&mut self, server: u16) {
        while let Some(observer) = self.stored.oldest_for(server).map(|record| record.observer) {
            self.stored.forget(observer);
            if let Some(observation) = self.observations.find_mut(observer) {
                observation.replays = false;
            }
        }
    }

    /// The oldest that is kept for a server, with its observation.
    fn next_of_kept(&self, server: u16) -> Option<(usize, &Observation)> {
        let observer = self.stored.oldest_for(server)?.observer;
        let mut all = self.observations.iter().enumerate();
        // One after the other, in their order: it may be on its way already.
        all.find(|(_, observation)| observation.observer() == observer)
            .filter(|(_, observation)| observation.in_flight.is_none())
    }

    pub(super) fn due_of_kept(&self, now: Instant, server: u16, confirmable: bool, room: bool) -> Option<Due> {
        let due = Due::of(self.next_of_kept(server)?, now, confirmable);
        let may = if due.confirmable { room } else { self.spaced <= now };
        may.then_some(Due { kept: true, ..due })
    }

    pub(super) fn poll_kept(&self, now: Instant, server: u16, confirmable: bool, room: bool) -> Option<Instant> {
        let (_, observation) = self.next_of_kept(server)?;
        if observation.needs_confirmation(now, confirmable) {
            return room.then_some(now);
        }
        // By then it may have to be confirmable, which takes room.
        let room = room || !observation.needs_confirmation(self.spaced.max(now), confirmable);
        room.then_some(self.spaced)
    }

    /// One that was kept was sent, or could not be.
    pub(super) fn sent_kept(&mut self, now: Instant, due: &Due, sent: Option<Sent>) {
        let Some(observation) = self.observations.get_mut(due.index) else { return };
        let observer = observation.observer();
        let Some(sent) = sent else {
            self.stored.told(observer);
            return self.lost(observer);
        };
        observation.sequence = due.sequence;
        observation.last = Some(sent.message_id);
        if due.confirmable {
            // It stays until it has arrived.
            (observation.in_flight, observation.replays) = (Some(sent.exchange), true);
        } else {
            self.stored.told(observer);
            self.spaced = now.after_seconds(SPACE);
        }
    }

    // ----- what can be asked -------------------------------------------------------------------

    /// All that is kept, the oldest first.
    pub(crate) fn all_kept(&self) -> impl Iterator<Item = Record<'_>> {
        self.stored.iter()
    }

    /// Whether anything is kept for an observation, but not after the `first` ones of all.
    pub(crate) fn is_all_among(&self, first: usize, observation: &Observation) -> bool {
        let own = |record: &Record<'_>| record.observer == observation.observer();
        self.stored.iter().any(|record| own(&record)) && !self.stored.iter().skip(first).any(|record| own(&record))
    }

    /// How many will never be told.
    pub(crate) const fn dropped(&self) -> u32 {
        self.stored.dropped()
    }

    /// Puts back how many were lost before.
    pub(crate) const fn set_dropped(&mut self, dropped: u32) {
        self.stored.set_dropped(dropped);
    }

    /// Puts back one of a snapshot. False when there is no observation or no room for it.
    pub(crate) fn put_kept(&mut self, observer: Observer, payload: &[u8]) -> bool {
        self.observations.find(observer).is_some()
            && self.stored.can_hold(observer, payload.len())
            && self.stored.has_room(observer, payload.len())
            && self.stored.push(observer, payload.len(), |room| {
                room.copy_from_slice(payload);
                true
            })
    }
}

/// What a notification has besides token and payload: four bytes of header, Observe with three bytes of value,
/// Content-Format with two, Block2 with three, and the payload marker.
const LONGEST_HEAD: usize = 16;

/// The longest payload that leaves as a whole: of one in blocks the server asks for the rest later,
/// when it is another one (RFC 7959, section 2.4).
fn longest(due: &Due, datagram: usize) -> usize {
    let whole = datagram.saturating_sub(LONGEST_HEAD).saturating_sub(due.token.len());
    let block = due.block.and_then(|szx| BlockValue::new(0, false, szx).ok());
    block.map_or(whole, |block| whole.min(block.size()))
}
