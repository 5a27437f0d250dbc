//! Deduplication (RFC 7252, section 4.5): what was received lately, and what it was answered.

use alloc::vec::Vec;

use coap_codec::{Code, Header, MessageId, MessageWriter, Token};

use crate::base::features::SHORTCUTS;
use crate::base::table::Places;
use crate::base::time::Instant;
use crate::exchange::Peer;

/// The longest answer that is kept: header, an 8-byte token, and a Location-Path of two ids.
pub(crate) const INLINE: usize = 24;

/// A short datagram, by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Inline {
    bytes: [u8; INLINE],
    len: u8,
}

impl Inline {
    /// A datagram by value; of one that is too long for that its header and its token.
    pub(crate) fn of(datagram: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        let token = datagram.first().map_or(0, |first| first & 0x0f);
        let len = u8::try_from(datagram.len()).ok().filter(|len| usize::from(*len) <= INLINE);
        let len = len.unwrap_or_else(|| token.saturating_add(4));
        bytes.iter_mut().zip(datagram).take(len.into()).for_each(|(place, byte)| *place = *byte);
        Self { bytes, len }
    }

    /// A message of header and token alone.
    pub(crate) fn bare(header: Header, token: Token) -> Self {
        let mut bytes = [0; INLINE];
        let len = MessageWriter::new(&mut bytes, header, token).map_or(0, |writer| writer.len());
        Self { bytes, len: u8::try_from(len).unwrap_or(0) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// What a message may do when it is applied twice, which decides who must make room: those first that come
/// first here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// GET, and responses to us.
    Harmless,
    /// PUT and DELETE: what they ask for is done once and for all (RFC 7252, section 5.1). A server has its
    /// answer before it asks for something else (NSTART), so the oldest of many is not asked for again.
    Idempotent,
    /// POST, and changes in part: never evicted while a duplicate may come.
    Change,
}

impl Class {
    pub(crate) const fn of(code: Code) -> Self {
        match code {
            Code::POST | Code::PATCH | Code::IPATCH => Self::Change,
            Code::PUT | Code::DELETE => Self::Idempotent,
            _ => Self::Harmless,
        }
    }
}

/// What a duplicate gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Repeat {
    /// The same datagram again.
    Answer(Inline),
    /// The request is evaluated again: it changes nothing, and its answer was too long to keep.
    Evaluate,
    /// Nothing: a non-confirmable message, or one that is being worked on.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    name: Name,
    class: Class,
    until: Instant,
    repeat: Repeat,
}

/// What a message is known by: peer and Message ID in one number, since every message that comes is
/// compared with all that are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Name(u32);

impl Name {
    const fn of(Peer(peer): Peer, MessageId(message_id): MessageId) -> Self {
        Self((peer as u32) << 16 | message_id as u32)
    }

    const fn is_of(self, Peer(peer): Peer) -> bool {
        self.0 >> 16 == peer as u32
    }

    /// A bit that those of one peer which follow each other do not share.
    const fn bit(self) -> u32 {
        1u32.wrapping_shl(self.0)
    }
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Deduplication {
    entries: Vec<Entry>,
    /// The bits of the names of all entries, and perhaps of some that are gone: most messages are new, and
    /// one look tells it of nearly all of them.
    bits: u32,
    limit: usize,
}

impl Deduplication {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), bits: 0, limit }
    }

    /// What a message gets if it was received before and its lifetime is not over.
    pub(crate) fn find(&self, now: Instant, peer: Peer, message_id: MessageId) -> Option<Repeat> {
        let name = Name::of(peer, message_id);
        if self.bits & name.bit() == 0 {
            return None;
        }
        self.entries.iter().find(|entry| entry.name == name && now < entry.until).map(|entry| entry.repeat)
    }

    /// Remembers a message that is new. False when there is no room that may be taken.
    pub(crate) fn insert(
        &mut self,
        now: Instant,
        until: Instant,
        peer: Peer,
        message_id: MessageId,
        class: Class,
        repeat: Repeat,
    ) -> bool {
        let name = Name::of(peer, message_id);
        if self.entries.len() >= self.limit && !self.make_room(now, class) {
            return false;
        }
        self.bits |= name.bit();
        self.entries.add(Entry { name, class, until, repeat }, self.limit);
        true
    }

    /// Makes room in a full table for one more message, where some may be taken: what is out of time goes, or else
    /// what came first of those that harm least; nothing for one that harms less than all of them.
    #[cfg_attr(feature = "shortcuts", inline(never))]
    fn make_room(&mut self, now: Instant, class: Class) -> bool {
        let mut lives = |entry: &mut Entry| now < entry.until;
        if SHORTCUTS {
            self.entries.retain_mut(lives)
        } else {
            self.entries.keep(&mut lives)
        }
        if self.entries.len() >= self.limit {
            let (mut victim, mut least) = (None, Class::Change);
            for (index, entry) in (0..).zip(&self.entries) {
                if entry.class < least && entry.class <= class {
                    (victim, least) = (Some(index), entry.class);
                }
            }
            // Of a table without any places nothing goes.
            let Some(victim) = victim else { return false };
            self.entries.take_out(victim);
        }
        self.bits = self.entries.iter().fold(0, |bits, entry| bits | entry.name.bit());
        true
    }

    /// Says what a duplicate gets from now on.
    pub(crate) fn set(&mut self, peer: Peer, message_id: MessageId, repeat: Repeat) {
        // The newest entry: an expired one with the same id may stand before it.
        let name = Name::of(peer, message_id);
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.name == name) {
            entry.repeat = repeat;
        }
    }

    /// Forgets a message: its repetition is a new one.
    pub(crate) fn remove(&mut self, peer: Peer, message_id: MessageId) {
        let name = Name::of(peer, message_id);
        self.entries.keep(&mut |entry| entry.name != name);
    }

    /// Forgets a peer.
    pub(crate) fn forget(&mut self, peer: Peer) {
        self.entries.keep(&mut |entry| !entry.name.is_of(peer));
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn reserve(&mut self) {
        self.entries.reserve_all(self.limit);
    }

    pub(crate) fn heap(&self) -> usize {
        self.entries.capacity().saturating_mul(size_of::<Entry>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Instant = Instant::from_secs(247);
    const PEER: Peer = Peer(1);

    fn insert(table: &mut Deduplication, at: u64, id: u16, class: Class) -> bool {
        let now = Instant::from_secs(at);
        let until = Instant::from_secs(at + 247);
        table.insert(now, until, PEER, MessageId(id), class, Repeat::Nothing)
    }

    #[test]
    fn an_entry_is_found_until_its_lifetime_is_over_and_only_for_its_peer() {
        let mut table = Deduplication::new(4);
        assert!(insert(&mut table, 0, 7, Class::Change));
        table.set(PEER, MessageId(7), Repeat::Evaluate);
        assert_eq!(table.find(Instant::from_secs(246), PEER, MessageId(7)), Some(Repeat::Evaluate));
        assert_eq!(table.find(Instant::ZERO, Peer(2), MessageId(7)), None);
        assert_eq!(table.find(LATER, PEER, MessageId(7)), None);
    }

    // RFC 7252, section 5.1, and RFC 8132, section 2.
    #[test]
    fn what_is_done_once_and_for_all_is_told_from_what_adds_up() {
        for (code, class) in [
            (Code::GET, Class::Harmless),
            (Code::FETCH, Class::Harmless),
            (Code::CONTENT, Class::Harmless),
            (Code::PUT, Class::Idempotent),
            (Code::DELETE, Class::Idempotent),
            (Code::POST, Class::Change),
            (Code::PATCH, Class::Change),
            (Code::IPATCH, Class::Change),
        ] {
            assert_eq!(Class::of(code), class, "{code:?}");
        }
    }

    #[test]
    fn a_full_table_keeps_changes_and_lets_reads_go() {
        let mut table = Deduplication::new(2);
        assert!(insert(&mut table, 0, 1, Class::Change));
        assert!(insert(&mut table, 0, 2, Class::Harmless));
        assert!(insert(&mut table, 1, 3, Class::Change), "the read made room");
        assert!(!insert(&mut table, 2, 4, Class::Change));
        assert!(!insert(&mut table, 2, 5, Class::Harmless));
        assert!(insert(&mut table, 247, 6, Class::Change), "the first one expired");
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn what_may_be_repeated_makes_room_for_what_comes_after_it() {
        let mut table = Deduplication::new(3);
        assert!(insert(&mut table, 0, 1, Class::Idempotent));
        assert!(insert(&mut table, 1, 2, Class::Idempotent));
        assert!(insert(&mut table, 2, 3, Class::Harmless));
        let known = |table: &Deduplication| {
            [1, 2, 3, 4, 5, 6].map(|id| table.find(Instant::from_secs(3), PEER, MessageId(id)).is_some())
        };
        assert!(insert(&mut table, 3, 4, Class::Change));
        assert_eq!(known(&table), [true, true, false, true, false, false], "the read first");
        assert!(!insert(&mut table, 3, 5, Class::Harmless), "a read drives nothing out");
        assert!(insert(&mut table, 3, 5, Class::Idempotent));
        assert_eq!(known(&table), [false, true, false, true, true, false], "then the oldest");
        assert!(insert(&mut table, 3, 6, Class::Change));
        assert!(insert(&mut table, 3, 1, Class::Change));
        assert!(!insert(&mut table, 3, 2, Class::Change) && !insert(&mut table, 3, 2, Class::Idempotent));
        assert_eq!(known(&table), [true, false, false, true, false, true], "and never a change");
    }

    #[test]
    fn a_reused_id_is_a_new_message_after_the_lifetime() {
        let mut table = Deduplication::new(4);
        insert(&mut table, 0, 7, Class::Change);
        insert(&mut table, 300, 7, Class::Change);
        table.set(PEER, MessageId(7), Repeat::Evaluate);
        assert_eq!(table.find(Instant::from_secs(301), PEER, MessageId(7)), Some(Repeat::Evaluate));
    }

    #[test]
    fn one_that_shares_its_bit_with_another_is_told_from_it_as_long_as_both_are_known() {
        let mut table = Deduplication::new(2);
        let known = |table: &Deduplication, at, id| table.find(Instant::from_secs(at), PEER, MessageId(id)).is_some();
        assert!(insert(&mut table, 0, 1, Class::Harmless));
        assert!(known(&table, 1, 1) && !known(&table, 1, 33) && !known(&table, 1, 2));
        assert!(insert(&mut table, 1, 33, Class::Harmless));
        // The first has made room, and the bit stays.
        assert!(insert(&mut table, 2, 2, Class::Harmless));
        assert!(!known(&table, 2, 1) && known(&table, 2, 33) && known(&table, 2, 2));
        // Two that share it are both known when a third one has made room.
        let mut table = Deduplication::new(3);
        assert!([(0, 2), (1, 1), (2, 33), (3, 3)].iter().all(|(at, id)| insert(&mut table, *at, *id, Class::Harmless)));
        assert!(!known(&table, 3, 2) && known(&table, 3, 1) && known(&table, 3, 33) && known(&table, 3, 3));
    }

    #[test]
    fn a_table_without_places_remembers_nothing() {
        let mut table = Deduplication::new(0);
        assert!(!insert(&mut table, 0, 1, Class::Harmless) && !insert(&mut table, 0, 1, Class::Change));
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn a_short_datagram_is_kept_whole_and_of_a_longer_one_the_head() {
        assert_eq!(Inline::of(&[1; 24]).as_bytes(), [1; 24]);
        let datagram = [&b"\x68\x41\x12\x34"[..], b"12345678", &[0x81; 400]].concat();
        for length in 25..datagram.len() {
            assert_eq!(Inline::of(&datagram[..length]).as_bytes(), b"\x68\x41\x12\x3412345678");
        }
        assert_eq!(Inline::of(b"").as_bytes(), b"");
    }
}
