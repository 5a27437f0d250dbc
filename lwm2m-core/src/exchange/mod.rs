//! A sans-IO CoAP endpoint: message layer and request layer of RFC 7252, for several peers.
//!
//! It knows nothing of LwM2M, and serves people who want CoAP alone as well. It is the one place
//! where datagrams are read, made, repeated and recognised; what they mean is the caller's.
//!
//! ```
//! use coap_codec::{Code, Message};
//! use lwm2m_core::exchange::{Endpoint, Inbound, Output, Peer, Transmission, Verdict};
//! use lwm2m_core::{Instant, Key, Limits};
//!
//! let mut endpoint = Endpoint::new(Transmission::default(), &Limits::DEVICE, Key::from_seed(1));
//! let (server, now) = (Peer(0), Instant::ZERO);
//!
//! // A request goes out ...
//! let id = endpoint.request(now, server, Code::GET, |writer| {
//!     writer.uri_path("time").map_or(Verdict::Drop, |()| Verdict::Send)
//! }).unwrap();
//! let Some(Output::Transmit(_, datagram)) = endpoint.poll_output() else { panic!() };
//! let request = Message::parse(datagram).unwrap();
//!
//! // ... and its piggybacked response comes back.
//! let mut response = [0x68, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, b'9'];
//! response[2..4].copy_from_slice(&request.message_id().0.to_be_bytes());
//! response[4..12].copy_from_slice(request.token().as_bytes());
//! match endpoint.receive(now, server, &response) {
//!     Inbound::Response { exchange, message } => {
//!         assert_eq!((exchange, message.payload()), (id, &b"9"[..]));
//!     }
//!     other => panic!("{other:?}"),
//! }
//! assert_eq!(endpoint.poll_timeout(), None);
//! ```

mod exchanges;
pub(crate) mod message;
mod multicast;
mod plain;
mod receive;
pub(crate) mod request;
mod send;
#[cfg(test)]
mod tests;

use core::fmt;

use coap_codec::{Code, Header, Message, MessageId, MessageType, NoResponse, Token};

use self::exchanges::Exchanges;
use self::message::Messages;
use self::message::dedup::Deduplication;
use self::message::ids::MessageIds;
pub(crate) use self::message::outbox::Order;
use self::message::outbox::Outbox;
use self::message::rejections::Rejections;
use self::message::slots::Slots;
use self::request::deferred::Deferred;
use crate::base::limits::Limits;
use crate::base::rng::{Generator, Key};
use crate::base::statistics::Counters;
#[cfg(feature = "statistics")]
use crate::base::statistics::Statistics;
use crate::base::time::{Instant, Micros, sooner};
use crate::base::transmission::Pace;

pub use crate::base::transmission::Transmission;
pub use message::outbox::Output;
pub(crate) use send::WritePart;

/// Names a peer: an address with UDP, a session with DTLS. The caller hands the numbers out and
/// does not use one again for somebody else while datagrams of the old one may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub u16);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer {}", self.0)
    }
}

/// Names something that this endpoint sent and waits for: a request, a confirmable response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExchangeId(u32);

/// What a received datagram was.
#[derive(Debug)]
pub enum Inbound<'a> {
    /// A request: answer it with [`Endpoint::answer`], or leave it with [`Endpoint::ignore`]. A block
    /// of a body, but for the last one (Block1 with M set; RFC 7959), may come twice when many came after
    /// it: tell it by its number.
    Request {
        /// Whom to answer, and how.
        reply: Reply,
        /// The request.
        message: Message<'a>,
    },
    /// The response to a request of ours. The exchange is over.
    Response {
        /// The request that it answers.
        exchange: ExchangeId,
        /// The response.
        message: Message<'a>,
    },
    /// A confirmable response of ours (a notification, a separate answer) arrived.
    Acknowledged(ExchangeId),
    /// Something of ours failed.
    Failed(ExchangeId, Failure),
    /// A peer rejected a non-confirmable message of ours.
    Rejected(Peer, MessageId),
    /// Nothing for the caller: it was dealt with.
    Handled(Handled),
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// No acknowledgement after MAX_RETRANSMIT retransmissions, or no response in time.
    TimedOut,
    /// The peer answered with a Reset.
    Reset,
    /// A response came that must not be used: a critical option in it is not understood
    /// (RFC 7252, section 5.4.1).
    Unusable,
}

/// What became of a datagram that needs nothing from the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Handled {
    /// It was received before; its answer was sent again where it has one.
    Duplicate,
    /// A message of ours was acknowledged; its response is still to come.
    Acknowledged,
    /// A block of a request of ours was taken, or the request is wanted in another way: with smaller
    /// blocks, or with its Echo. The next message of it is to be sent.
    Continues,
    /// A ping (an Empty confirmable message) was answered with a Reset, unless there were too many.
    Ping,
    /// It was no CoAP message, or one that its type forbids: ignored, or rejected with a Reset.
    Malformed,
    /// An acknowledgement, a reset or a response to nothing that we know of.
    Unexpected,
    /// A request was refused with 5.03, because it could not be remembered; without a word when there were
    /// [too many](Transmission::rejections).
    Refused,
}

/// How to answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    /// Who asked.
    pub peer: Peer,
    /// The request's token.
    pub token: Token,
    /// The request's method.
    pub method: Code,
    /// Whether the request was confirmable.
    pub confirmable: bool,
    /// Whether it was received before, and is only evaluated again for its answer.
    pub repeated: bool,
    message_id: MessageId,
    /// Which answers are not wanted (RFC 7967).
    unwanted: NoResponse,
}

/// What the writer of a message decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Send what was written.
    Send,
    /// Send nothing.
    Drop,
    /// Answer later: keep the request.
    Later,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// NSTART exchanges with this peer are in flight, or the table of exchanges is full.
    #[error("too many exchanges are in flight")]
    Busy,
    /// No buffer is free.
    #[error("no datagram buffer is free")]
    NoSlot,
    /// No Message ID is free within EXCHANGE_LIFETIME.
    #[error("all message ids are taken")]
    NoMessageId,
    /// Not even the header and the token fit into a buffer.
    #[error("the datagram buffers are too short")]
    TooLong,
    /// The writer did not want to send.
    #[error("nothing was written")]
    Dropped,
    /// No more requests can be kept for a later answer.
    #[error("too many requests wait for their answers")]
    TooManyDeferred,
}

/// A CoAP endpoint for several peers. See the [module](self) for an example.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pace: Pace,
    /// EXCHANGE_LIFETIME, worked out once: nearly every message needs it.
    exchange_lifetime: Micros,
    generator: Generator,
    messages: Messages,
    exchanges: Exchanges,
    deferred: Deferred,
}

impl Endpoint {
    /// An endpoint with empty tables. `key` makes its tokens, Message IDs and jitter.
    #[must_use]
    pub fn new(transmission: Transmission, limits: &Limits, key: Key) -> Self {
        let mut generator = Generator::new(key);
        let pace = Pace::of(&transmission);
        let first = generator.next_u64() as u16;
        // A request that waits keeps its buffer until it is answered: one is left to answer with.
        let deferred = limits.deferred.min(limits.slots.min(usize::from(u8::MAX)).saturating_sub(1));
        let queue = limits.slots.saturating_mul(2).saturating_add(limits.servers).saturating_add(4);
        Self {
            pace,
            exchange_lifetime: pace.exchange_lifetime(),
            generator,
            messages: Messages {
                ids: MessageIds::starting_at(first),
                slots: Slots::new(limits.slots, limits.datagram),
                outbox: Outbox::new(queue),
                duplicates: Deduplication::new(limits.deduplication),
                rejections: Rejections::default(),
                counters: Counters::default(),
            },
            exchanges: Exchanges::new(limits.exchanges),
            deferred: Deferred::new(deferred),
        }
    }

    /// The transmission parameters in force: times are in whole milliseconds, and at most 49 days.
    #[must_use]
    pub fn transmission(&self) -> Transmission {
        self.pace.unfold()
    }

    /// What is counted, for those who use the endpoint to count in, too.
    pub(crate) const fn tally(&mut self) -> &mut Counters {
        &mut self.messages.counters
    }

    /// How long a Message ID of a confirmable message stays taken.
    pub(crate) const fn exchange_lifetime(&self) -> Micros {
        self.exchange_lifetime
    }

    /// The endpoint's source of randomness, for jitter elsewhere.
    pub const fn generator(&mut self) -> &mut Generator {
        &mut self.generator
    }

    /// Does what is due: retransmits, and returns one exchange that came to nothing. Call it until
    /// it returns none.
    pub fn expire(&mut self, now: Instant) -> Option<ExchangeId> {
        self.deferred.expire(now);
        self.expire_after(now, None).map(|(exchange, _)| exchange)
    }

    /// The same after a time in which nothing could be heard, for what became due in it: each message is
    /// repeated once at most. An exchange that came to nothing, and whether its peer had a chance all the same.
    pub(crate) fn expire_unheard(&mut self, now: Instant, since: Instant) -> Option<(ExchangeId, bool)> {
        self.expire_after(now, Some(since))
    }

    fn expire_after(&mut self, now: Instant, unheard: Option<Instant>) -> Option<(ExchangeId, bool)> {
        while let Some(own) = self.exchanges.due(now, unheard) {
            let (exchange, peer, heard) = (own.id, own.peer, unheard.is_none());
            if let Some(slot) = own.step(now, heard) {
                self.messages.counters.retransmissions.count();
                self.messages.outbox.push_again(peer, slot);
                continue;
            }
            let had_a_chance = own.had_a_chance(heard);
            if had_a_chance {
                self.messages.counters.timeouts.count();
            }
            self.end(exchange);
            return Some((exchange, had_a_chance));
        }
        None
    }

    /// When [`Self::expire`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_idle() {
            return None;
        }
        sooner(self.exchanges.poll_timeout(), self.deferred.poll_timeout())
    }

    /// When the next message is repeated or given up, if any is in flight.
    #[inline]
    pub(crate) fn next_repetition(&self) -> Option<Instant> {
        self.exchanges.next_repetition()
    }

    /// The next order to the runtime. Its bytes are lent until the next call.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        if !self.has_order() {
            return None;
        }
        self.take_order()?;
        self.lend_order()
    }

    /// Whether there is a next order. The last one is not lent any more.
    pub(crate) fn has_order(&mut self) -> bool {
        self.messages.outbox.has_next(&mut self.messages.slots)
    }

    /// Takes the next order out, if [there is one](Self::has_order), for a caller that adds to it before it is lent.
    pub(crate) fn take_order(&mut self) -> Option<&Order> {
        self.messages.outbox.pop()
    }

    /// The order that was taken out last.
    pub(crate) fn lend_order(&self) -> Option<Output<'_>> {
        self.messages.outbox.lend(&self.messages.slots)
    }

    /// Orders a path to `peer`.
    pub fn connect(&mut self, peer: Peer) {
        self.messages.outbox.push(Order::Connect(peer));
    }

    /// Says that the path to `peer` is not needed any more, once what is queued for it has left.
    pub fn disconnect(&mut self, peer: Peer) {
        self.messages.outbox.push(Order::Disconnect(peer));
    }

    /// Drops all exchanges with a peer and what is kept of its requests: nothing is repeated to it,
    /// and nothing awaited. Answers that are queued still leave, and what was received from it is
    /// still known, so that duplicates are recognised.
    pub fn abandon(&mut self, peer: Peer) {
        while let Some(exchange) = self.exchanges.first_of(peer) {
            self.end(exchange);
        }
        self.drop_deferred(peer);
    }

    /// Drops the requests of a peer that wait for a later answer.
    pub fn drop_deferred(&mut self, peer: Peer) {
        while let Some(kept) = self.deferred.take_any_of(peer) {
            self.messages.slots.release(kept.slot);
        }
    }

    /// Drops all exchanges with a peer, and what is known of what it sent. What is queued for it
    /// still leaves.
    pub fn forget(&mut self, peer: Peer) {
        self.abandon(peer);
        self.messages.duplicates.forget(peer);
    }

    /// Whether nothing goes on with a peer: nothing is awaited from it, nothing of it waits for an answer.
    #[must_use]
    pub fn is_quiet(&self, peer: Peer) -> bool {
        self.exchanges.first_of(peer).is_none() && !self.deferred.has(peer)
    }

    /// Whether nothing is in flight or awaited, and no request waits for an answer.
    pub(crate) const fn is_idle(&self) -> bool {
        self.exchanges.is_empty() && self.deferred.is_empty()
    }

    /// Whether any request is kept for a later answer.
    pub(crate) const fn owes_answers(&self) -> bool {
        !self.deferred.is_empty()
    }

    /// Whether a datagram for a peer waits to be handed out.
    pub(crate) fn is_sending(&self, peer: Peer) -> bool {
        self.messages.outbox.has(peer)
    }

    /// Whether an exchange is still waited for.
    #[must_use]
    pub fn is_open(&self, exchange: ExchangeId) -> bool {
        self.exchanges.contains(exchange)
    }

    /// Allocates all buffers now, so that nothing is allocated later.
    pub fn reserve(&mut self) {
        self.messages.slots.reserve();
        self.messages.outbox.reserve();
        self.messages.duplicates.reserve();
        self.exchanges.reserve();
        self.deferred.reserve();
    }

    /// Gives the memory of unused buffers back.
    pub fn trim(&mut self) {
        self.messages.outbox.reclaim(&mut self.messages.slots);
        self.messages.slots.trim();
    }

    /// How full the tables are.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage {
            slots: self.messages.slots.in_use(),
            exchanges: self.exchanges.len(),
            deduplication: self.messages.duplicates.len(),
            deferred: self.deferred.len(),
            transfers: 0,
            buffer_bytes: self.messages.slots.heap(),
            table_bytes: self.messages.outbox.heap()
                + self.messages.duplicates.heap()
                + self.exchanges.heap()
                + self.deferred.heap(),
        }
    }

    /// What was dropped, rejected, refused or said once more, by cause.
    #[cfg(feature = "statistics")]
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        let mut statistics = self.messages.counters.read();
        statistics.unpolled = self.messages.outbox.lost.get();
        statistics
    }

    /// The next Message ID and the generator's counter: what a snapshot keeps.
    pub(crate) const fn counters(&self) -> (u16, u64) {
        (self.messages.ids.counter(), self.generator.counter())
    }

    /// Goes on with counters of a snapshot.
    pub(crate) fn set_counters(&mut self, message_id: u16, counter: u64) {
        self.messages.ids = MessageIds::starting_at(message_id);
        self.generator.skip_to(counter);
    }
}

/// A message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// Names it in what comes back.
    pub exchange: ExchangeId,
    /// Its Message ID: a Reset names a non-confirmable message by it.
    pub message_id: MessageId,
}

/// How full the tables of an [`Endpoint`] are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Usage {
    /// Datagram buffers in use.
    pub slots: usize,
    /// Exchanges of our own in flight.
    pub exchanges: usize,
    /// Received messages that are remembered.
    pub deduplication: usize,
    /// Requests kept for a later answer.
    pub deferred: usize,
    /// Bodies that arrive in blocks; an [`Endpoint`] alone collects none.
    pub transfers: usize,
    /// Heap bytes of the datagram buffers, free ones included.
    pub buffer_bytes: usize,
    /// Heap bytes of the other tables.
    pub table_bytes: usize,
}

impl Reply {
    /// To a message, if it is a request.
    #[inline]
    pub(crate) fn to(peer: Peer, message: &Message<'_>) -> Option<Self> {
        let confirmable = match message.message_type() {
            MessageType::Confirmable => true,
            MessageType::NonConfirmable => false,
            MessageType::Acknowledgement | MessageType::Reset => return None,
        };
        message.code().is_request().then(|| Self {
            peer,
            token: message.token(),
            method: message.code(),
            confirmable,
            repeated: false,
            message_id: message.message_id(),
            unwanted: message.no_response(),
        })
    }

    const fn piggybacked(&self, code: Code) -> Header {
        Header { message_type: MessageType::Acknowledgement, code, message_id: self.message_id }
    }
}
