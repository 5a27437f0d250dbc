//! Notifications that were made while their server could not be told, as they were then: OMA LwM2M 1.0,
//! Appendix D.1.2, Notification Storing When Disabled or Offline (/1/x/6).
//!
//! One buffer for all servers, in which they lie in the order of their making.

use coap_codec::Token;

use super::observations::Observer;
use crate::base::features::{REPORTING, STORING};
use crate::base::table::Places;

/// Server, length of the payload, length of the token.
const HEAD: usize = 5;

#[cfg(all(feature = "reporting", feature = "storing"))]
type Bytes = alloc::vec::Vec<u8>;
/// Nothing is kept.
#[cfg(not(all(feature = "reporting", feature = "storing")))]
type Bytes = crate::base::table::Nothing<u8>;

/// The buffer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stored {
    bytes: Bytes,
    limit: usize,
    /// How many were made and will never be told.
    dropped: u32,
}

/// A notification in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) observer: Observer,
    pub(crate) payload: &'a [u8],
    /// Where it lies.
    start: usize,
    end: usize,
}

impl Stored {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Bytes::new(), limit, dropped: 0 }
    }

    /// Whether any may be kept at all.
    pub(super) const fn is_wanted(&self) -> bool {
        REPORTING && STORING && self.limit > 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes a notification takes.
    fn size((_, token): Observer, payload: usize) -> usize {
        HEAD.saturating_add(token.len()).saturating_add(payload)
    }

    /// Whether there can be room for it, once others have gone.
    pub(super) fn can_hold(&self, observer: Observer, payload: usize) -> bool {
        payload <= usize::from(u16::MAX) && Self::size(observer, payload) <= self.limit
    }

    /// Whether there is room for it now.
    pub(super) fn has_room(&self, observer: Observer, payload: usize) -> bool {
        self.bytes.len().saturating_add(Self::size(observer, payload)) <= self.limit
    }

    fn at(&self, start: usize) -> Option<Record<'_>> {
        let (head, rest) = self.bytes.get(start..)?.split_first_chunk::<HEAD>()?;
        let [server_low, server_high, low, high, token_len] = *head;
        let (token, rest) = rest.split_at_checked(usize::from(token_len))?;
        let payload = rest.get(..usize::from(u16::from_le_bytes([low, high])))?;
        let observer = (u16::from_le_bytes([server_low, server_high]), Token::new(token).ok()?);
        Some(Record { observer, payload, start, end: start.saturating_add(Self::size(observer, payload.len())) })
    }

    /// All of them, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        core::iter::successors(self.at(0), |record| self.at(record.end))
    }

    /// The oldest one for an observer.
    pub(super) fn oldest(&self, observer: Observer) -> Option<Record<'_>> {
        self.iter().find(|record| record.observer == observer)
    }

    /// The oldest one for a server.
    pub(super) fn oldest_for(&self, server: u16) -> Option<Record<'_>> {
        self.iter().find(|record| record.observer.0 == server)
    }

    /// The oldest of all, but for those that `stay`: its observer, and where it lies.
    pub(super) fn oldest_but(&self, stay: impl Fn(Observer) -> bool) -> Option<(Observer, usize)> {
        let being_told = |record: &Record<'_>| {
            stay(record.observer) && self.oldest(record.observer).is_some_and(|first| first.start == record.start)
        };
        self.iter().find(|record| !being_told(record)).map(|record| (record.observer, record.start))
    }

    /// Adds the newest one, for which there must be room; `fill` writes its payload, or says that it
    /// cannot.
    pub(super) fn push(&mut self, observer: Observer, payload: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> bool {
        let Ok(length) = u16::try_from(payload) else { return false };
        let start = self.bytes.len();
        let (server, token) = observer;
        self.bytes.make_room(Self::size(observer, payload), self.limit);
        self.bytes.extend_from_slice(&server.to_le_bytes());
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.push(u8::try_from(token.len()).unwrap_or(0));
        self.bytes.extend_from_slice(token.as_bytes());
        let body = self.bytes.len();
        self.bytes.resize(body.saturating_add(payload), 0);
        let filled = self.bytes.get_mut(body..).is_some_and(fill);
        if !filled {
            self.bytes.truncate(start);
        }
        filled
    }

    /// Takes out the one that lies at `start`.
    pub(super) fn remove(&mut self, start: usize) {
        if let Some(end) = self.at(start).map(|record| record.end) {
            self.bytes.drain(start..end);
        }
    }

    /// The oldest one for an observer has been told.
    pub(super) fn told(&mut self, observer: Observer) {
        if let Some(start) = self.oldest(observer).map(|record| record.start) {
            self.remove(start);
        }
    }

    /// Drops what there is for an observer.
    pub(super) fn forget(&mut self, observer: Observer) {
        while self.oldest(observer).is_some() {
            self.told(observer);
            self.drop_one();
        }
    }

    /// One more will never be told.
    pub(super) const fn drop_one(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    /// How many will never be told.
    pub(crate) const fn dropped(&self) -> u32 {
        self.dropped
    }

    pub(super) const fn set_dropped(&mut self, dropped: u32) {
        self.dropped = dropped;
    }

    /// Takes all the memory that it may ever need.
    pub(super) fn reserve(&mut self) {
        self.bytes.reserve_all(self.limit);
    }

    pub(super) fn heap(&self) -> usize {
        self.bytes.capacity()
    }
}

impl Record<'_> {
    /// How many bytes it takes.
    pub(crate) const fn size(&self) -> usize {
        self.end.saturating_sub(self.start)
    }
}

#[cfg(test)]
#[cfg(feature = "storing")]
mod tests {
    use super::*;
    use alloc::collections::VecDeque;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn observer(server: u16, token: &[u8]) -> Observer {
        (server, Token::new(token).unwrap())
    }

    fn push(stored: &mut Stored, observer: Observer, payload: &[u8]) -> bool {
        stored.push(observer, payload.len(), |room| {
            room.copy_from_slice(payload);
            true
        })
    }

    #[test]
    fn what_is_being_told_stays_and_the_oldest_of_the_rest_goes() {
        let mut stored = Stored::new(100);
        let [one, other] = [observer(1, b"a"), observer(2, b"bcd")];
        for (observer, payload) in [(one, b"1"), (one, b"2"), (other, b"3")] {
            assert!(push(&mut stored, observer, payload));
        }
        assert_eq!(stored.oldest_but(|_| false).unwrap().0, one);
        let (observer, start) = stored.oldest_but(|observer| observer == one).unwrap();
        stored.remove(start);
        assert_eq!(observer, one);
        assert_eq!(stored.iter().map(|record| record.payload).collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(stored.oldest_but(|_| true), None);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let mut stored = Stored::new(20);
        assert!(push(&mut stored, observer(1, b""), b"x"));
        assert!(!stored.push(observer(1, b"t"), 3, |_| false));
        assert_eq!(stored.iter().count(), 1);
        assert!(stored.can_hold(observer(1, b"t"), 14) && !stored.can_hold(observer(1, b"t"), 15));
        assert!(stored.has_room(observer(1, b"t"), 8) && !stored.has_room(observer(1, b"t"), 9));
    }

    proptest! {
        #[test]
        fn it_is_a_queue_within_its_bound(
            steps in prop::collection::vec((0u16..3, 0u8..3, 0usize..20, 0u8..4), 0..60), limit in 0usize..80,
        ) {
            let mut stored = Stored::new(limit);
            let mut model: VecDeque<(Observer, Vec<u8>)> = VecDeque::new();
            let mut dropped = 0;
            for (number, (server, token, len, what)) in (0u8..).zip(steps) {
                let observer = observer(server, &[token; 8][..usize::from(token)]);
                match what {
                    0 => {
                        stored.told(observer);
                        if let Some(at) = model.iter().position(|(own, _)| *own == observer) {
                            model.remove(at);
                        }
                    }
                    1 => {
                        stored.forget(observer);
                        let before = model.len();
                        model.retain(|(own, _)| *own != observer);
                        dropped += before - model.len();
                    }
                    _ if stored.has_room(observer, len) => {
                        let payload = alloc::vec![number; len];
                        prop_assert!(push(&mut stored, observer, &payload));
                        model.push_back((observer, payload));
                    }
                    _ => {}
                }
                prop_assert!(stored.bytes.len() <= limit && stored.heap() <= limit);
                let records: Vec<_> = stored.iter().map(|record| (record.observer, record.payload.to_vec())).collect();
                prop_assert_eq!(&records, &model.iter().cloned().collect::<Vec<_>>());
                prop_assert_eq!(stored.dropped() as usize, dropped);
                let server = model.iter().find(|(own, _)| own.0 == server).map(|(_, payload)| payload.as_slice());
                prop_assert_eq!(stored.oldest_for(observer.0).map(|record| record.payload), server);
            }
        }
    }
}
