//! Bodies of requests that arrive block by block (Block1; RFC 7959, section 2.5).
//!
//! Blocks are taken in their order. A body is collected here, or handed on as it comes by a caller
//! that has a place for it; either way the table knows how far it is, so that a block which comes
//! again is not taken twice.

use alloc::vec::Vec;
use core::fmt;

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageId, OptionNumber};

use crate::base::limits::Limits;
use crate::base::mixer::Mixer;
use crate::base::statistics::Counter;
use crate::base::table::Places;
use crate::base::time::{Instant, Micros, earliest};
use crate::exchange::Peer;

/// What a datagram has besides a block, about: so much smaller must a block be than a buffer.
const OVERHEAD: usize = 64;

/// A body that arrives: which one, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Transfer {
    peer: Peer,
    /// Hash of what makes requests belong together: path, query and Request-Tag (RFC 9175, 3.3).
    resource: u64,
    method: Code,
    format: Option<ContentFormat>,
    /// The message that began it, by which a late duplicate of it is known.
    first: MessageId,
    /// The message whose block was, or is to be, taken last.
    current: MessageId,
    until: Instant,
    /// The size of its blocks, as their exponent.
    szx: u8,
    /// Where the block that was taken last begins.
    last: Option<u32>,
    /// How many bytes were taken.
    taken: u32,
    stage: Stage,
}

/// What is kept of a body.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Stage {
    /// What came so far.
    Collecting(Vec<u8>),
    /// Nothing: it is handed on as it comes.
    Streaming,
    /// All of it, until it is answered.
    Whole(Vec<u8>),
    /// It was answered with this code.
    Over(Code),
}

/// A body may be a key: how long it is, and no more.
impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collecting(body) => write!(f, "Collecting({})", body.len()),
            Self::Streaming => f.write_str("Streaming"),
            Self::Whole(body) => write!(f, "Whole({})", body.len()),
            Self::Over(code) => write!(f, "Over({code})"),
        }
    }
}

/// What a block is to its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// What comes next: it is to be [handed on](Transfers::is_streamed) or [collected](Transfers::collect).
    Next(Place),
    /// It was taken before, and is answered as it was then: 2.31.
    Again,
    /// The last one came before; the body is whole, and not answered yet.
    Whole(Place),
    /// The last one came before, and was answered with this code.
    Over(Code),
}

/// A place of the table, good until the next block arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize);

/// What the table is made of.
#[cfg(feature = "blockwise")]
type Entries = Vec<Transfer>;
/// Bodies in blocks are left out.
#[cfg(not(feature = "blockwise"))]
type Entries = crate::base::table::Nothing<Transfer>;

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Transfers {
    list: Entries,
    limit: u16,
    body: u32,
    /// The largest block that is welcome, as its exponent.
    szx: u8,
    /// EXCHANGE_LIFETIME: so long after its last block a body is waited for.
    lifetime: Micros,
    /// Bodies whose next block did not come.
    pub(crate) abandoned: Counter,
}

impl Transfers {
    pub(crate) fn new(limits: &Limits, lifetime: Micros) -> Self {
        let fits = |szx: &u8| (16usize << szx).saturating_add(OVERHEAD) <= limits.datagram;
        let szx = (0..=BlockValue::MAX_SZX).rev().find(fits).unwrap_or(0);
        let body = u32::try_from(limits.body).unwrap_or(u32::MAX);
        let limit = u16::try_from(limits.transfers).unwrap_or(u16::MAX);
        Self { list: Entries::new(), limit, body, szx, lifetime, abandoned: Counter::default() }
    }

    /// Takes note of a block. One that is `resumed` arrived before, and waited for its caller: it
    /// begins nothing, and counts only while no other came after it.
    ///
    /// # Errors
    /// The code to answer: 4.00 for a payload that is not as long as its option says, 4.08 for one
    /// that does not fit what came before, 5.03 when no more bodies can be collected.
    pub(crate) fn arrive(
        &mut self,
        now: Instant,
        peer: Peer,
        message: &Message<'_>,
        block: BlockValue,
        resumed: bool,
    ) -> Result<Arrival, Code> {
        if !block.fits(message.payload().len()) {
            return Err(Code::BAD_REQUEST);
        }
        self.expire(now);
        let resource = resource(message);
        let known = self.list.iter().position(|transfer| transfer.peer == peer && transfer.resource == resource);
        let index = match known {
            // The first block begins anew, unless it is one that went astray on its way.
            Some(index)
                if block.num() > 0 || self.list.get(index).is_some_and(|own| own.first == message.message_id()) =>
            {
                index
            }
            None if block.num() > 0 => return Err(Code::REQUEST_ENTITY_INCOMPLETE),
            _ if resumed => return Err(Code::REQUEST_ENTITY_INCOMPLETE),
            known => {
                let transfer = Transfer {
                    peer,
                    resource,
                    method: message.code(),
                    format: message.content_format(),
                    first: message.message_id(),
                    current: message.message_id(),
                    until: now,
                    szx: block.szx(),
                    last: None,
                    taken: 0,
                    stage: Stage::Collecting(Vec::new()),
                };
                self.begin(known, transfer).ok_or(Code::SERVICE_UNAVAILABLE)?
            }
        };
        let until = now + self.lifetime;
        let own = self.list.get_mut(index).ok_or(Code::REQUEST_ENTITY_INCOMPLETE)?;
        let same = own.method == message.code() && own.format == message.content_format();
        // Blocks may become smaller where the offset can still be named, and not larger.
        let stale = resumed && own.current != message.message_id();
        if !same || stale || block.szx() > own.szx {
            return Err(Code::REQUEST_ENTITY_INCOMPLETE);
        }
        let again = own.last == Some(block.offset());
        let arrival = match own.stage {
            Stage::Over(code) if again && !block.more() => Arrival::Over(code),
            Stage::Whole(_) if again && !block.more() => Arrival::Whole(Place(index)),
            Stage::Collecting(_) | Stage::Streaming if block.offset() == own.taken => Arrival::Next(Place(index)),
            _ if (again && block.more()) || block.num() == 0 => Arrival::Again,
            _ => return Err(Code::REQUEST_ENTITY_INCOMPLETE),
        };
        own.current = message.message_id();
        own.szx = block.szx();
        own.until = until;
        Ok(arrival)
    }

    /// A place for a body that begins: its own from before, a free one, or that of one that is over.
    fn begin(&mut self, known: Option<usize>, transfer: Transfer) -> Option<usize> {
        let is_over = |(index, transfer): (usize, &Transfer)| matches!(transfer.stage, Stage::Over(_)).then_some(index);
        let free = self.list.has_room(self.limit.into());
        match known.or_else(|| self.list.iter().enumerate().find_map(is_over).filter(|_| !free)) {
            Some(index) => {
                *self.list.get_mut(index)? = transfer;
                Some(index)
            }
            None if free => {
                self.list.add(transfer, self.limit.into());
                self.list.len().checked_sub(1)
            }
            None => None,
        }
    }

    /// Whether a body is handed on as it comes; none while that is not decided.
    pub(crate) fn is_streamed(&self, place: Place) -> Option<bool> {
        let own = self.list.get(place.0)?;
        match own.stage {
            Stage::Streaming => Some(true),
            _ if own.last.is_some() => Some(false),
            _ => None,
        }
    }

    /// A block was handed on, and taken.
    pub(crate) fn handed_on(&mut self, place: Place, block: BlockValue, length: usize) {
        if let Some(own) = self.list.get_mut(place.0) {
            own.stage = Stage::Streaming;
            own.advance(block, length);
        }
    }

    /// Puts a block to the others.
    ///
    /// # Errors
    /// 4.13 when the body is, or is announced to be, longer than it may be: it is over.
    pub(crate) fn collect(
        &mut self,
        place: Place,
        block: BlockValue,
        payload: &[u8],
        announced: Option<u32>,
    ) -> Result<(), Code> {
        let limit = self.longest();
        let own = self.list.get_mut(place.0).ok_or(Code::REQUEST_ENTITY_INCOMPLETE)?;
        let announced = announced.map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX));
        let Stage::Collecting(body) = &mut own.stage else { return Err(Code::REQUEST_ENTITY_INCOMPLETE) };
        if announced.max(body.len().saturating_add(payload.len())) > limit {
            self.end(place);
            return Err(Code::REQUEST_ENTITY_TOO_LARGE);
        }
        body.reserve_exact(announced.max(payload.len()).saturating_sub(body.len()));
        body.extend_from_slice(payload);
        if !block.more() {
            own.stage = Stage::Whole(core::mem::take(body));
        }
        own.advance(block, payload.len());
        Ok(())
    }

    /// Takes a whole body out, to be answered. Without an answer it is [put back](Self::put_back).
    pub(crate) fn take(&mut self, place: Place) -> Vec<u8> {
        match self.list.get_mut(place.0).map(|own| &mut own.stage) {
            Some(Stage::Whole(body)) => core::mem::take(body),
            _ => Vec::new(),
        }
    }

    pub(crate) fn put_back(&mut self, place: Place, body: Vec<u8>) {
        if let Some(own) = self.list.get_mut(place.0) {
            own.stage = Stage::Whole(body);
        }
    }

    /// The request was answered: only the code is kept, for the last block may come again.
    pub(crate) fn answered(&mut self, place: Place, code: Code) {
        if let Some(own) = self.list.get_mut(place.0) {
            own.stage = Stage::Over(code);
        }
    }

    /// The body is not wanted any more.
    pub(crate) fn end(&mut self, place: Place) {
        self.list.take_out(place.0);
    }

    /// How many bytes a body may have.
    pub(crate) const fn longest(&self) -> usize {
        self.body as usize
    }

    /// The option that acknowledges a block, and asks for smaller ones if they are too large.
    pub(crate) fn acknowledge(&self, block: BlockValue) -> BlockValue {
        BlockValue::new(block.num(), true, block.szx().min(self.szx)).unwrap_or(block)
    }

    /// Forgets what does not go on (RFC 7959, section 2.4, lets it be kept for EXCHANGE_LIFETIME).
    pub(crate) fn expire(&mut self, now: Instant) {
        let abandoned = &mut self.abandoned;
        self.list.keep(&mut |transfer| {
            let goes_on = now < transfer.until;
            if !goes_on && matches!(transfer.stage, Stage::Collecting(_) | Stage::Streaming) {
                abandoned.count();
            }
            goes_on
        });
    }

    /// When memory can be given back. What is known of the others is forgotten in passing.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.list.iter().filter(|transfer| transfer.bytes() > 0).map(|transfer| transfer.until))
    }

    /// Forgets all bodies of a peer.
    pub(crate) fn forget(&mut self, peer: Peer) {
        self.list.keep(&mut |transfer| transfer.peer != peer);
    }

    /// Whether none is going on or remembered.
    pub(crate) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Bodies that are not answered yet.
    pub(crate) fn len(&self) -> usize {
        self.list.iter().filter(|transfer| !matches!(transfer.stage, Stage::Over(_))).count()
    }

    /// Takes all the memory that it may ever need.
    pub(crate) fn reserve(&mut self) {
        self.list.reserve_all(self.limit.into());
    }

    pub(crate) fn heap(&self) -> usize {
        let table = self.list.capacity().saturating_mul(size_of::<Transfer>());
        self.list.iter().fold(table, |sum, transfer| sum.saturating_add(transfer.bytes()))
    }
}

impl Transfer {
    fn advance(&mut self, block: BlockValue, length: usize) {
        self.last = Some(block.offset());
        self.taken = block.offset().saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn bytes(&self) -> usize {
        match &self.stage {
            Stage::Collecting(body) | Stage::Whole(body) => body.capacity(),
            Stage::Streaming | Stage::Over(_) => 0,
        }
    }
}

/// 64 bits of what makes requests belong together: peers that choose collisions harm themselves.
fn resource(message: &Message<'_>) -> u64 {
    let mut mixer = Mixer::new();
    for number in [OptionNumber::URI_PATH, OptionNumber::URI_QUERY, OptionNumber::REQUEST_TAG] {
        for value in message.values(number) {
            mixer.number(number.0.into());
            mixer.counted(value);
        }
    }
    mixer.finish()
}

#[cfg(test)]
#[cfg(feature = "blockwise")]
mod tests {
    use super::*;
    use coap_codec::{Header, MessageType, MessageWriter, Token};

    const PEER: Peer = Peer(1);
    const NOW: Instant = Instant::from_secs(10);
    const LIFETIME: Micros = Micros::of_seconds(247);

    fn table(transfers: usize, body: usize) -> Transfers {
        Transfers::new(&Limits { transfers, body, ..Limits::DEVICE }, LIFETIME)
    }

    fn block(num: u32, more: bool) -> BlockValue {
        BlockValue::new(num, more, 0).unwrap()
    }

    /// A block of a PUT: its Message ID, its path, its Request-Tag.
    fn put(id: u16, path: &str, tag: &[u8], payload: &[u8]) -> Vec<u8> {
        let header = Header { message_type: MessageType::Confirmable, code: Code::PUT, message_id: MessageId(id) };
        let mut buffer = [0; 128];
        let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
        path.split('/').skip(1).for_each(|segment| writer.uri_path(segment).unwrap());
        if !tag.is_empty() {
            writer.option(OptionNumber::REQUEST_TAG, tag).unwrap();
        }
        writer.payload(payload).unwrap();
        writer.finish().to_vec()
    }

    /// Takes a block of 16 bytes and collects it.
    fn take(
        table: &mut Transfers,
        now: Instant,
        peer: Peer,
        datagram: &[u8],
        block: BlockValue,
    ) -> Result<Place, Code> {
        let message = Message::parse(datagram).unwrap();
        match table.arrive(now, peer, &message, block, false)? {
            Arrival::Next(place) => table.collect(place, block, message.payload(), None).map(|()| place),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_body_is_collected_in_order_and_kept_until_it_is_answered() {
        let mut table = table(1, 40);
        take(&mut table, NOW, PEER, &put(1, "/a", b"", &[1; 16]), block(0, true)).unwrap();
        let last = put(2, "/a", b"", &[2; 9]);
        let place = take(&mut table, NOW, PEER, &last, block(1, false)).unwrap();
        let body = table.take(place);
        assert_eq!(body, [&[1; 16][..], &[2; 9]].concat());
        // Not answered yet: the body goes back, and the last block finds it again.
        table.put_back(place, body);
        let message = Message::parse(&last).unwrap();
        assert_eq!(table.arrive(NOW, PEER, &message, block(1, false), true), Ok(Arrival::Whole(place)));
        assert_eq!(table.take(place).len(), 25);
        table.answered(place, Code::CHANGED);
        assert_eq!(table.arrive(NOW, PEER, &message, block(1, false), false), Ok(Arrival::Over(Code::CHANGED)));
        assert_eq!((table.len(), table.poll_timeout()), (0, None));
    }

    // What follows the last block belongs to no body.
    #[test]
    fn only_the_last_block_itself_may_come_again_after_the_end() {
        for answered in [false, true] {
            let mut table = table(1, 64);
            take(&mut table, NOW, PEER, &put(1, "/a", b"", &[1; 16]), block(0, true)).unwrap();
            let last = put(2, "/a", b"", &[2; 16]);
            let place = take(&mut table, NOW, PEER, &last, block(1, false)).unwrap();
            let body = table.take(place);
            if answered {
                table.answered(place, Code::CHANGED);
            } else {
                table.put_back(place, body);
            }
            let message = Message::parse(&last).unwrap();
            let again = if answered { Arrival::Over(Code::CHANGED) } else { Arrival::Whole(place) };
            assert_eq!(table.arrive(NOW, PEER, &message, block(1, false), false), Ok(again));
            assert_eq!(table.arrive(NOW, PEER, &message, block(1, true), false), Ok(Arrival::Again), "{answered}");
            for stray in [block(2, false), block(2, true)] {
                let refused = table.arrive(NOW, PEER, &message, stray, false);
                assert_eq!(refused, Err(Code::REQUEST_ENTITY_INCOMPLETE), "{answered} {stray:?}");
            }
        }
    }

    #[test]
    fn path_query_peer_and_request_tag_tell_bodies_apart() {
        let mut table = table(4, 64);
        let first = |path, tag: &[u8]| put(1, path, tag, &[0; 16]);
        take(&mut table, NOW, PEER, &first("/a", b""), block(0, true)).unwrap();
        take(&mut table, NOW, Peer(2), &first("/a", b""), block(0, true)).unwrap();
        take(&mut table, NOW, PEER, &first("/a", b"t"), block(0, true)).unwrap();
        // Segments are not run together.
        take(&mut table, NOW, PEER, &first("/a/", b""), block(0, true)).unwrap();
        assert_eq!(table.len(), 4);
        assert_eq!(
            take(&mut table, NOW, PEER, &first("/b", b""), block(0, true)),
            Err(Code::SERVICE_UNAVAILABLE),
            "no place is left"
        );
        table.forget(PEER);
        assert_eq!(table.len(), 1);
        take(&mut table, NOW, Peer(2), &put(2, "/a", b"", &[0; 16]), block(1, true)).unwrap();
    }

    #[test]
    fn a_body_that_was_answered_makes_room_and_one_that_was_not_does_not() {
        let mut table = table(1, 64);
        let place = take(&mut table, NOW, PEER, &put(1, "/a", b"", &[0; 3]), block(0, false)).unwrap();
        assert_eq!(
            take(&mut table, NOW, PEER, &put(2, "/b", b"", &[0; 3]), block(0, false)),
            Err(Code::SERVICE_UNAVAILABLE)
        );
        table.answered(place, Code::CHANGED);
        take(&mut table, NOW, PEER, &put(3, "/b", b"", &[0; 16]), block(0, true)).unwrap();
        // Or it runs out of time.
        let later = NOW + LIFETIME;
        assert_eq!(table.poll_timeout(), Some(later));
        take(&mut table, later, PEER, &put(4, "/c", b"", &[0; 16]), block(0, true)).unwrap();
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn memory_is_taken_as_the_body_comes_or_as_it_is_announced_and_never_above_the_limit() {
        let mut table = table(1, 1_000);
        table.reserve();
        let idle = table.heap();
        let message = put(1, "/a", b"", &[0; 16]);
        let message = Message::parse(&message).unwrap();
        let Ok(Arrival::Next(place)) = table.arrive(NOW, PEER, &message, block(0, true), false) else { panic!() };
        assert_eq!(table.is_streamed(place), None);
        table.collect(place, block(0, true), message.payload(), Some(600)).unwrap();
        assert_eq!((table.heap() - idle, table.is_streamed(place)), (600, Some(false)));
        table.expire(NOW + LIFETIME);
        assert_eq!(table.heap(), idle);
        for (announced, expected) in [
            (Some(1_001), Err(Code::REQUEST_ENTITY_TOO_LARGE)),
            (Some(u32::MAX), Err(Code::REQUEST_ENTITY_TOO_LARGE)),
            (Some(1_000), Ok(())),
        ] {
            let Ok(Arrival::Next(place)) = table.arrive(NOW, PEER, &message, block(0, true), false) else { panic!() };
            assert_eq!(table.collect(place, block(0, true), message.payload(), announced), expected);
        }
    }

    #[test]
    fn a_block_that_waited_begins_nothing_and_counts_only_as_the_last_one_that_came() {
        let mut table = table(1, 64);
        let (first, other) = (put(1, "/a", b"", &[0; 16]), put(2, "/a", b"", &[0; 16]));
        let (first, other) = (Message::parse(&first).unwrap(), Message::parse(&other).unwrap());
        assert_eq!(table.arrive(NOW, PEER, &first, block(0, true), true), Err(Code::REQUEST_ENTITY_INCOMPLETE));
        let Ok(Arrival::Next(place)) = table.arrive(NOW, PEER, &first, block(0, true), false) else { panic!() };
        assert_eq!(table.arrive(NOW, PEER, &first, block(0, true), true), Ok(Arrival::Next(place)));
        table.arrive(NOW, PEER, &other, block(0, true), false).unwrap();
        assert_eq!(table.arrive(NOW, PEER, &first, block(0, true), true), Err(Code::REQUEST_ENTITY_INCOMPLETE));
    }

    #[test]
    fn blocks_are_asked_for_that_leave_room_for_the_rest_of_a_datagram() {
        for (datagram, size) in [(64, 16), (80, 16), (127, 32), (128, 64), (1_087, 512), (1_088, 1_024), (9_000, 1_024)]
        {
            let table = Transfers::new(&Limits { datagram, ..Limits::DEVICE }, LIFETIME);
            let largest = BlockValue::new(3, true, 6).unwrap();
            assert_eq!(table.acknowledge(largest).size(), size, "{datagram}");
            assert_eq!(table.acknowledge(block(3, false)), block(3, true), "not larger than it came");
        }
    }

    #[test]
    #[cfg(feature = "statistics")]
    fn a_body_that_goes_on_or_is_over_is_not_abandoned() {
        let mut table = table(2, 40);
        take(&mut table, NOW, PEER, &put(1, "/a", b"", &[1; 16]), block(0, true)).unwrap();
        let place = take(&mut table, NOW, PEER, &put(2, "/b", b"", &[1; 9]), block(0, false)).unwrap();
        table.answered(place, Code::CHANGED);
        let end = NOW + LIFETIME;
        table.expire(end.saturating_sub(core::time::Duration::from_micros(1)));
        assert_eq!((table.len(), table.abandoned.get()), (1, 0));
        table.expire(end);
        assert_eq!((table.len(), table.abandoned.get()), (0, 1));
        assert!(table.is_empty());
    }
}
