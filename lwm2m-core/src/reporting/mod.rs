//! Information Reporting: which values servers observe, and when they are notified
//! (OMA LwM2M 1.0, 5.5; RFC 7641).
//!
//! Nothing is polled: the application says that something changed, and the schedule knows the next
//! moment at which a notification may or must go out.

mod observations;

use core::time::Duration;

use coap_codec::{MessageId, Token};

pub(crate) use self::observations::Observation;
use self::observations::Observations;
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::exchange::{ExchangeId, Sent};
use crate::format::{Digest, Format};
use crate::model::{Ctx, DataModel, Origin, walk};

/// The periods that rule a server's notifications (/1/x/2 and /1/x/3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Periods {
    /// No two notifications within this time.
    pub(crate) min: Duration,
    /// A notification at least this often.
    pub(crate) max: Option<Duration>,
}

impl Periods {
    /// From seconds; a maximum of 0, or one below the minimum, is none (OMA LwM2M 1.0.2, 5.1.2).
    pub(crate) fn new(min: Option<u32>, max: Option<u32>) -> Self {
        let min = Duration::from_secs(u64::from(min.unwrap_or(0)));
        let max = max.map(|seconds| Duration::from_secs(u64::from(seconds)));
        Self { min, max: max.filter(|max| !max.is_zero() && *max >= min) }
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
    index: usize,
}

/// The floor's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reporting {
    observations: Observations,
}

impl Reporting {
    pub(crate) fn new(limit: usize) -> Self {
        Self { observations: Observations::new(limit) }
    }

    /// The Observe value with which an observation may begin: none when the table is full.
    pub(crate) fn admit(&self, server: u16, token: Token) -> Option<u32> {
        self.observations.admit(server, token)
    }

    /// Begins an observation, or replaces the one with the same token (RFC 7641, section 4.1).
    /// The answer that was just written counts as its first notification.
    pub(crate) fn begin(
        &mut self,
        (now, wall): (Instant, Instant),
        (server, token): (u16, Token),
        (path, format, block): (Path, Format, Option<u8>),
        sequence: u32,
        model: &dyn DataModel,
    ) {
        let digest = digest(wall, server, path, model);
        // A notification on its way belongs to the observation still (RFC 7641, section 4.1).
        let replaced = self.observations.iter().find(|entry| entry.server == server && entry.token == token);
        let (in_flight, last) = replaced.map_or((None, None), |entry| (entry.in_flight, entry.last));
        let observation = Observation {
            server,
            token,
            path,
            format,
            block,
            sequence,
            digest,
            pending: false,
            notified: now,
            confirmed: now,
            in_flight,
            last,
        };
        self.observations.put(observation);
    }

    /// The Observe value that a token's observer was told last.
    pub(crate) fn sequence(&self, server: u16, token: Token) -> Option<u32> {
        let entry = self.observations.iter().find(|entry| entry.server == server && entry.token == token);
        entry.map(|entry| entry.sequence)
    }

    /// Ends the observation of a token; its path, if there was one.
    pub(crate) fn cancel(&mut self, server: u16, token: Token) -> Option<Path> {
        self.observations.remove(|observation| observation.server == server && observation.token == token)
    }

    /// A notification was rejected with a Reset: its observation ends (RFC 7641, section 3.6).
    pub(crate) fn rejected(&mut self, server: u16, message_id: MessageId) -> Option<Path> {
        self.observations.remove(|observation| observation.server == server && observation.last == Some(message_id))
    }

    /// Ends all observations of a server: it registered anew, or left.
    pub(crate) fn forget(&mut self, server: u16) {
        while self.observations.remove(|observation| observation.server == server).is_some() {}
    }

    /// Ends all observations: the accounts are new.
    pub(crate) fn clear(&mut self) {
        while self.observations.remove(|_| true).is_some() {}
    }

    /// What changed while a server could not be told is not told later: it does not want that.
    pub(crate) fn drop_pending(&mut self, server: u16) {
        for observation in self.observations.iter_mut().filter(|observation| observation.server == server) {
            observation.pending = false;
        }
    }

    /// What was sent to a server is lost with the network; what it would have told is told later.
    pub(crate) fn suspend(&mut self, server: u16) {
        for observation in self.observations.iter_mut().filter(|observation| observation.server == server) {
            if observation.in_flight.take().is_some() {
                observation.pending = true;
            }
        }
    }

    /// Something at `path` may have changed: whoever observes it is to be told, if it did.
    pub(crate) fn changed(&mut self, wall: Instant, path: Path, model: &dyn DataModel) {
        for observation in self.observations.iter_mut() {
            if observation.path.overlaps(path) && !observation.pending {
                observation.pending = digest(wall, observation.server, observation.path, model) != observation.digest;
            }
        }
    }

    /// The next notification for a server whose time has come. Without `room` for an exchange only
    /// one that needs none.
    pub(crate) fn due(
        &self,
        now: Instant,
        server: u16,
        periods: Periods,
        confirmable: bool,
        room: bool,
    ) -> Option<Due> {
        let (index, observation) = self
            .observations
            .iter()
            .enumerate()
            .filter(|(_, observation)| observation.server == server)
            .filter(|(_, observation)| observation.deadline(periods).is_some_and(|deadline| deadline <= now))
            .filter(|(_, observation)| room || !observation.needs_confirmation(now, confirmable))
            .min_by_key(|(_, observation)| observation.deadline(periods))?;
        Some(Due {
            token: observation.token,
            path: observation.path,
            format: observation.format,
            sequence: observation.next_sequence(),
            block: observation.block,
            confirmable: observation.needs_confirmation(now, confirmable),
            index,
        })
    }

    /// A notification was sent, or could not be made this time.
    pub(crate) fn sent(
        &mut self,
        (now, wall): (Instant, Instant),
        due: &Due,
        sent: Option<Sent>,
        model: &dyn DataModel,
    ) {
        if let Some(observation) = self.observations.get_mut(due.index) {
            observation.digest = digest(wall, observation.server, observation.path, model);
            observation.pending = false;
            observation.notified = now;
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
            true
        })
    }

    /// A confirmable notification failed: the observer is gone (RFC 7641, section 4.5).
    pub(crate) fn failed(&mut self, exchange: ExchangeId) -> Option<(u16, Path)> {
        let server = self.observations.iter().find(|observation| observation.in_flight == Some(exchange))?.server;
        let path = self.observations.remove(|observation| observation.in_flight == Some(exchange))?;
        Some((server, path))
    }

    /// The observations at or below a path that is gone, one at a time.
    pub(crate) fn orphan(&mut self, deleted: Path) -> Option<(u16, Token, Path)> {
        let orphan = self.observations.iter().find(|observation| deleted.contains(observation.path))?;
        let (server, token, path) = (orphan.server, orphan.token, orphan.path);
        self.observations.remove(|observation| observation.server == server && observation.token == token);
        Some((server, token, path))
    }

    /// When the next notification for a server is due, `now` being the time of the last call.
    /// Without `room` for an exchange only one that needs none.
    pub(crate) fn poll_timeout(
        &self,
        now: Instant,
        server: u16,
        periods: Periods,
        confirmable: bool,
        room: bool,
    ) -> Option<Instant> {
        let of_server = self.observations.iter().filter(|observation| observation.server == server);
        let due = of_server.filter_map(|observation| {
            let deadline = observation.deadline(periods)?;
            // What is late already is judged as of now: by now it may need room.
            let at = deadline.max(now);
            (room || !observation.needs_confirmation(at, confirmable)).then_some(deadline)
        });
        due.min()
    }

    pub(crate) fn len(&self) -> usize {
        self.observations.iter().count()
    }

    pub(crate) fn heap(&self) -> usize {
        self.observations.heap()
    }

    /// All observations: what a snapshot keeps.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Observation> {
        self.observations.iter()
    }

    /// Puts an observation of a snapshot back.
    pub(crate) fn put(&mut self, observation: Observation) {
        self.observations.put(observation);
    }
}

/// 64 bits of what an observer would be told now.
fn digest(wall: Instant, server: u16, path: Path, model: &dyn DataModel) -> u64 {
    let mut digest = Digest::new();
    // A refusal is a state of its own: becoming unreadable, or readable again, is a change.
    let _ = walk::values(&context(wall, server), path, model, &mut digest);
    digest.finish()
}

/// Notifications read as the server that observes, and cannot be deferred.
pub(crate) const fn context(wall: Instant, server: u16) -> Ctx {
    Ctx { origin: Origin::Server(server), ticket: None, resumed: false, now: wall }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maximum_period_below_the_minimum_is_ignored() {
        let seconds = Duration::from_secs;
        for (min, max, expected) in [
            (None, None, (0, None)),
            (Some(10), Some(60), (10, Some(60))),
            (Some(10), Some(10), (10, Some(10))),
            (Some(10), Some(9), (10, None)),
            (None, Some(0), (0, None)),
        ] {
            let periods = Periods::new(min, max);
            assert_eq!(periods, Periods { min: seconds(expected.0), max: expected.1.map(seconds) });
        }
    }
}
