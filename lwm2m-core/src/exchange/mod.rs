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

pub(crate) mod message;
mod params;
pub(crate) mod request;

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Reaction, Token};

use self::message::Messages;
use self::message::dedup::{Class, Deduplication, Inline, Repeat};
use self::message::ids::MessageIds;
pub(crate) use self::message::outbox::Order;
use self::message::outbox::Outbox;
use self::message::retransmit::{Retransmission, Step};
use self::message::slots::Slots;
use self::request::deferred::{Deferred, Kept, State};
use self::request::pending::{Awaits, Pending};
use crate::base::limits::Limits;
use crate::base::rng::{Generator, Key};
use crate::base::time::Instant;
use crate::model::Ticket;

pub use message::outbox::Output;
pub use params::Transmission;

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
    /// A request: answer it with [`Endpoint::answer`], or leave it with [`Endpoint::ignore`].
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
pub enum Handled {
    /// It was received before; its answer was sent again where it has one.
    Duplicate,
    /// A message of ours was acknowledged; its response is still to come.
    Acknowledged,
    /// A ping (an Empty confirmable message) was answered with a Reset.
    Ping,
    /// It was no CoAP message, or one that its type forbids: ignored, or rejected with a Reset.
    Malformed,
    /// An acknowledgement, a reset or a response to nothing that we know of.
    Unexpected,
    /// A request was refused with 5.03, because it could not be remembered.
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
    message_id: MessageId,
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
    transmission: Transmission,
    generator: Generator,
    messages: Messages,
    pending: Pending,
    deferred: Deferred,
    last_exchange: u32,
    exchange_limit: usize,
}

impl Endpoint {
    /// An endpoint with empty tables. `key` makes its tokens, Message IDs and jitter.
    #[must_use]
    pub fn new(transmission: Transmission, limits: &Limits, key: Key) -> Self {
        let mut generator = Generator::new(key);
        let first = generator.next_u64() as u16;
        let queue = limits.slots.saturating_mul(2).saturating_add(limits.servers).saturating_add(4);
        Self {
            transmission,
            generator,
            messages: Messages {
                ids: MessageIds::starting_at(first),
                slots: Slots::new(limits.slots, limits.datagram),
                outbox: Outbox::new(queue),
                duplicates: Deduplication::new(limits.deduplication),
                unacknowledged: Retransmission::new(limits.exchanges),
            },
            pending: Pending::new(limits.exchanges),
            deferred: Deferred::new(limits.deferred),
            last_exchange: 0,
            exchange_limit: limits.exchanges,
        }
    }

    /// The transmission parameters in force.
    #[must_use]
    pub const fn transmission(&self) -> &Transmission {
        &self.transmission
    }

    /// The endpoint's source of randomness, for jitter elsewhere.
    pub const fn generator(&mut self) -> &mut Generator {
        &mut self.generator
    }

    // ----- in -------------------------------------------------------------------------------

    /// Takes a datagram: matches, acknowledges, repeats or rejects it, and says what is left to do
    /// (RFC 7252, sections 4.2 to 4.5 and 5.3.2).
    pub fn receive<'a>(&mut self, now: Instant, peer: Peer, datagram: &'a [u8]) -> Inbound<'a> {
        let message = match Message::parse(datagram) {
            Ok(message) => message,
            Err(error) => {
                if let (Reaction::Reset, Some(header)) = (error.reaction(), error.header()) {
                    self.messages.empty(peer, MessageType::Reset, header.message_id);
                }
                return Inbound::Handled(Handled::Malformed);
            }
        };
        let (code, message_id) = (message.code(), message.message_id());
        match message.message_type() {
            MessageType::Confirmable | MessageType::NonConfirmable => {
                let confirmable = message.message_type() == MessageType::Confirmable;
                if let Some(repeat) = self.messages.duplicates.find(now, peer, message_id) {
                    if let Some(handled) = self.repeat(peer, repeat) {
                        return Inbound::Handled(handled);
                    }
                    // Evaluated again: the entry stands, the request is served like a new one.
                    return Inbound::Request { reply: Reply::to(peer, &message), message };
                }
                if code.is_request() {
                    self.request_in(now, peer, message)
                } else if code.is_response() {
                    self.response_in(now, peer, message)
                } else {
                    // An Empty message, or a code class that means nothing here (section 4.2).
                    if confirmable {
                        self.messages.empty(peer, MessageType::Reset, message_id);
                    }
                    let ping = code.is_empty() && confirmable;
                    Inbound::Handled(if ping { Handled::Ping } else { Handled::Malformed })
                }
            }
            MessageType::Acknowledgement => self.acknowledgement_in(now, peer, message),
            MessageType::Reset if code.is_empty() => self.reset_in(peer, message_id),
            MessageType::Reset => Inbound::Handled(Handled::Malformed),
        }
    }

    /// Sends a duplicate's answer again; none when the request is to be evaluated again.
    fn repeat(&mut self, peer: Peer, repeat: Repeat) -> Option<Handled> {
        match repeat {
            Repeat::Answer(datagram) => self.messages.outbox.push(Order::Short(peer, datagram)),
            Repeat::Nothing => {}
            Repeat::Evaluate => return None,
        }
        Some(Handled::Duplicate)
    }

    fn lifetime(&self, confirmable: bool) -> Duration {
        if confirmable { self.transmission.exchange_lifetime() } else { self.transmission.non_lifetime() }
    }

    fn request_in<'a>(&mut self, now: Instant, peer: Peer, message: Message<'a>) -> Inbound<'a> {
        let reply = Reply::to(peer, &message);
        let class = Class::of(reply.method);
        let until = now + self.lifetime(reply.confirmable);
        let known = self.messages.duplicates.insert(now, until, peer, reply.message_id, class, Repeat::Nothing);
        if !known && class == Class::Change {
            // Not remembered, it might be carried out twice.
            if reply.confirmable {
                self.messages.short(peer, reply.piggybacked(Code::SERVICE_UNAVAILABLE), reply.token);
            }
            return Inbound::Handled(Handled::Refused);
        }
        Inbound::Request { reply, message }
    }

    fn response_in<'a>(&mut self, now: Instant, peer: Peer, message: Message<'a>) -> Inbound<'a> {
        let confirmable = message.message_type() == MessageType::Confirmable;
        let message_id = message.message_id();
        let Some(exchange) = self.pending.find(peer, message.token()) else {
            if confirmable {
                self.messages.empty(peer, MessageType::Reset, message_id);
            }
            return Inbound::Handled(Handled::Unexpected);
        };
        self.finish(exchange);
        let unusable = unusable(&message);
        if confirmable {
            let kind = if unusable { MessageType::Reset } else { MessageType::Acknowledgement };
            let sent = self.messages.empty(peer, kind, message_id);
            let repeat = sent.map_or(Repeat::Nothing, Repeat::Answer);
            let until = now + self.lifetime(true);
            self.messages.duplicates.insert(now, until, peer, message_id, Class::Harmless, repeat);
        }
        if unusable { Inbound::Failed(exchange, Failure::Unusable) } else { Inbound::Response { exchange, message } }
    }

    fn acknowledgement_in<'a>(&mut self, now: Instant, peer: Peer, message: Message<'a>) -> Inbound<'a> {
        let Some(exchange) = self.messages.unacknowledged.find(peer, message.message_id()) else {
            return Inbound::Handled(Handled::Unexpected);
        };
        if message.code().is_empty() {
            self.stop_retransmission(exchange);
            let until = now + self.transmission.response_timeout();
            if self.pending.acknowledged(exchange, until) {
                return Inbound::Handled(Handled::Acknowledged);
            }
            return Inbound::Acknowledged(exchange);
        }
        // A piggybacked response must carry the token of the request that its Message ID names;
        // anything else is rejected as a whole, and retransmission goes on (section 5.3.2).
        if !message.code().is_response() || self.pending.token(exchange) != Some(message.token()) {
            return Inbound::Handled(Handled::Unexpected);
        }
        self.finish(exchange);
        if unusable(&message) {
            return Inbound::Failed(exchange, Failure::Unusable);
        }
        Inbound::Response { exchange, message }
    }

    fn reset_in<'a>(&mut self, peer: Peer, message_id: MessageId) -> Inbound<'a> {
        match self.messages.unacknowledged.find(peer, message_id) {
            Some(exchange) => {
                self.finish(exchange);
                Inbound::Failed(exchange, Failure::Reset)
            }
            None => Inbound::Rejected(peer, message_id),
        }
    }

    /// Ends an exchange: nothing of it is sent or awaited any more.
    fn finish(&mut self, exchange: ExchangeId) {
        self.stop_retransmission(exchange);
        self.pending.remove(exchange);
    }

    fn stop_retransmission(&mut self, exchange: ExchangeId) {
        if let Some(message) = self.messages.unacknowledged.remove(exchange) {
            self.messages.drop_slot(message.slot);
        }
    }

    // ----- out ------------------------------------------------------------------------------

    /// Whether one more exchange with `peer` may begin now (NSTART, and the table of exchanges).
    #[must_use]
    pub fn has_room(&self, peer: Peer) -> bool {
        let in_flight = self.messages.unacknowledged.count(peer).saturating_add(self.pending.unanswered(peer));
        in_flight < usize::from(self.transmission.nstart.max(1))
            && self.messages.unacknowledged.len() < self.exchange_limit
            && self.pending.len() < self.exchange_limit
    }

    /// Sends a confirmable request. Its outcome comes as [`Inbound::Response`],
    /// [`Inbound::Failed`], or from [`Self::expire`].
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent, and nothing is waited for.
    pub fn request(
        &mut self,
        now: Instant,
        peer: Peer,
        method: Code,
        write: impl FnOnce(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<ExchangeId, SendError> {
        let (exchange, token) = self.request_out(now, peer, MessageType::Confirmable, method, write)?;
        self.pending.insert(exchange, peer, token, Awaits::Acknowledgement);
        Ok(exchange)
    }

    /// Sends a non-confirmable request: once, without retransmission.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent, and nothing is waited for.
    pub fn request_non_confirmable(
        &mut self,
        now: Instant,
        peer: Peer,
        method: Code,
        write: impl FnOnce(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<ExchangeId, SendError> {
        let mut len = 0;
        let (exchange, token) = self.request_out(now, peer, MessageType::NonConfirmable, method, |writer| {
            let verdict = write(writer);
            len = writer.len();
            verdict
        })?;
        let until = now + self.transmission.non_request_hold(len);
        self.pending.insert(exchange, peer, token, Awaits::Response { until });
        Ok(exchange)
    }

    fn request_out(
        &mut self,
        now: Instant,
        peer: Peer,
        message_type: MessageType,
        method: Code,
        write: impl FnOnce(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<(ExchangeId, Token), SendError> {
        if !self.has_room(peer) {
            return Err(SendError::Busy);
        }
        let token = self.fresh_token(peer);
        let sent = self.send(now, peer, message_type, method, token, write)?;
        Ok((sent.exchange, token))
    }

    /// A token that no request in flight has: 64 bits that nobody can guess (RFC 7252, 5.3.1).
    fn fresh_token(&mut self, peer: Peer) -> Token {
        loop {
            let token = Token::new(&self.generator.next_u64().to_be_bytes()).unwrap_or(Token::EMPTY);
            if self.pending.find(peer, token).is_none() {
                return token;
            }
        }
    }

    /// Sends a response that nobody waits for on the wire any more: a notification.
    /// A confirmable one needs room in NSTART and comes back as [`Inbound::Acknowledged`],
    /// [`Inbound::Failed`], or from [`Self::expire`].
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent.
    pub fn notify(
        &mut self,
        now: Instant,
        peer: Peer,
        token: Token,
        confirmable: bool,
        write: impl FnOnce(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<Sent, SendError> {
        if confirmable && !self.has_room(peer) {
            return Err(SendError::Busy);
        }
        let kind = if confirmable { MessageType::Confirmable } else { MessageType::NonConfirmable };
        self.send(now, peer, kind, Code::CONTENT, token, write)
    }

    /// Makes a message with a new Message ID and sends it.
    fn send(
        &mut self,
        now: Instant,
        peer: Peer,
        message_type: MessageType,
        code: Code,
        token: Token,
        write: impl FnOnce(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<Sent, SendError> {
        let lifetime = self.transmission.exchange_lifetime();
        let message_id = self.messages.ids.take(now, lifetime).ok_or(SendError::NoMessageId)?;
        let header = Header { message_type, code, message_id };
        let (slot, verdict) = self.messages.compose(header, token, write)?;
        if verdict != Verdict::Send {
            self.messages.drop_slot(slot);
            return Err(SendError::Dropped);
        }
        self.last_exchange = self.last_exchange.wrapping_add(1);
        let exchange = ExchangeId(self.last_exchange);
        if message_type == MessageType::Confirmable {
            self.messages.outbox.push(Order::Keep(peer, slot));
            let what = (exchange, peer, message_id, slot);
            self.messages.unacknowledged.start(now, &self.transmission, &mut self.generator, what);
        } else {
            self.messages.outbox.push(Order::Once(peer, slot));
        }
        Ok(Sent { exchange, message_id })
    }

    /// Answers a request: in the acknowledgement when it was confirmable, else in a
    /// non-confirmable message (RFC 7252, section 5.2). `write` starts with the code 5.00 and sets
    /// its own. With [`Verdict::Later`] the request is kept and an empty acknowledgement sent; it
    /// must be answered by `deadline`, see [`Self::due`].
    ///
    /// # Errors
    /// [`SendError`]: the request stays unanswered, as if it had been lost; its sender repeats it.
    /// [`SendError::TooManyDeferred`] was answered with 5.03.
    pub fn answer(
        &mut self,
        now: Instant,
        reply: &Reply,
        request: &[u8],
        deadline: Instant,
        write: impl FnOnce(&mut MessageWriter<'_>, Option<Ticket>) -> Verdict,
    ) -> Result<(), SendError> {
        let header = if reply.confirmable {
            reply.piggybacked(Code::INTERNAL_SERVER_ERROR)
        } else {
            let lifetime = self.transmission.non_lifetime();
            let message_id = self.messages.ids.take(now, lifetime).ok_or(SendError::NoMessageId)?;
            Header { message_type: MessageType::NonConfirmable, code: Code::INTERNAL_SERVER_ERROR, message_id }
        };
        let ticket = self.deferred.next_ticket().filter(|_| request.len() <= self.messages.slots.size());
        let composed = self.messages.compose(header, reply.token, |writer| write(writer, ticket));
        let (slot, verdict) = composed.inspect_err(|_| {
            // As if lost: the repetition must not be taken for a duplicate.
            self.messages.duplicates.remove(reply.peer, reply.message_id);
        })?;
        match (verdict, ticket) {
            (Verdict::Send, _) => {
                self.remember_answer(reply, slot);
                self.messages.outbox.push(Order::Once(reply.peer, slot));
                Ok(())
            }
            (Verdict::Drop, _) => {
                self.messages.drop_slot(slot);
                Ok(())
            }
            (Verdict::Later, Some(ticket)) => {
                if let Some(room) = self.messages.slots.buffer(slot).get_mut(..request.len()) {
                    room.copy_from_slice(request);
                }
                self.messages.slots.set_len(slot, request.len());
                self.deferred.keep(ticket, Kept { reply: *reply, slot, state: State::Working { until: deadline } });
                if reply.confirmable {
                    let sent = self.messages.empty(reply.peer, MessageType::Acknowledgement, reply.message_id);
                    self.remember(reply, sent.map_or(Repeat::Nothing, Repeat::Answer));
                }
                Ok(())
            }
            (Verdict::Later, None) => {
                self.messages.drop_slot(slot);
                if reply.confirmable {
                    let refusal = reply.piggybacked(Code::SERVICE_UNAVAILABLE);
                    let sent = self.messages.short(reply.peer, refusal, reply.token);
                    self.remember(reply, sent.map_or(Repeat::Nothing, Repeat::Answer));
                }
                Err(SendError::TooManyDeferred)
            }
        }
    }

    /// Keeps the answer for duplicates: short ones as they are; a long answer to a GET is made
    /// again; for anything else an empty acknowledgement must do.
    fn remember_answer(&mut self, reply: &Reply, slot: message::slots::SlotId) {
        let repeat = match (Inline::new(self.messages.slots.datagram(slot)), Class::of(reply.method)) {
            _ if !reply.confirmable => Repeat::Nothing,
            (Some(short), _) => Repeat::Answer(short),
            (None, Class::Harmless) => Repeat::Evaluate,
            (None, Class::Change) => Repeat::Nothing,
        };
        self.remember(reply, repeat);
    }

    fn remember(&mut self, reply: &Reply, repeat: Repeat) {
        self.messages.duplicates.set(reply.peer, reply.message_id, repeat);
    }

    /// Leaves a request unanswered. Duplicates of it are ignored as well.
    pub fn ignore(&mut self, reply: &Reply) {
        self.remember(reply, Repeat::Nothing);
    }

    /// Forgets that a request came, so that its repetition is a new request: for one that came
    /// too early.
    pub fn forget_request(&mut self, reply: &Reply) {
        self.messages.duplicates.remove(reply.peer, reply.message_id);
    }

    // ----- later answers --------------------------------------------------------------------

    /// Marks a kept request to be run again. False for a stale ticket.
    pub fn resume(&mut self, ticket: Ticket) -> bool {
        self.deferred.resume(ticket)
    }

    /// The next kept request of `peer` that wants its answer now, resumed or out of time.
    #[must_use]
    pub fn due(&self, peer: Peer) -> Option<Ticket> {
        self.deferred.due(peer)
    }

    /// Sends the answer of a kept request: confirmable if the request was, with a new Message ID
    /// and the request's token (RFC 7252, section 5.2.2). `write` gets the request again, or none
    /// when its time is over and 5.03 is the answer. With [`Verdict::Later`] it is kept again.
    ///
    /// # Errors
    /// [`SendError::Busy`] and the like: the request is kept, try again.
    pub fn answer_late(
        &mut self,
        now: Instant,
        ticket: Ticket,
        deadline: Instant,
        write: impl FnOnce(&mut MessageWriter<'_>, Option<(&Reply, Message<'_>)>) -> Verdict,
    ) -> Result<(), SendError> {
        let kept = self.deferred.get(ticket).ok_or(SendError::Dropped)?;
        let peer = kept.reply.peer;
        if kept.reply.confirmable && !self.has_room(peer) {
            return Err(SendError::Busy);
        }
        // The request is read while the answer is written, so its buffer leaves the pool meanwhile.
        let len = self.messages.slots.datagram(kept.slot).len();
        let buffer: Box<[u8]> = self.messages.slots.lift(kept.slot);
        let request = match kept.state {
            State::TimedOut => None,
            _ => buffer.get(..len).and_then(|datagram| Message::parse(datagram).ok()),
        };
        let kind = if kept.reply.confirmable { MessageType::Confirmable } else { MessageType::NonConfirmable };
        let mut verdict = Verdict::Send;
        let sent = self.send(now, peer, kind, Code::SERVICE_UNAVAILABLE, kept.reply.token, |writer| {
            verdict = write(writer, request.map(|message| (&kept.reply, message)));
            verdict
        });
        self.messages.slots.restore(kept.slot, buffer);
        match (sent, verdict) {
            (Ok(_), _) => {}
            (Err(SendError::Dropped), Verdict::Later) => {
                self.deferred.again(ticket, deadline);
                return Ok(());
            }
            (Err(SendError::Dropped), _) => {}
            (Err(error), _) => return Err(error),
        }
        self.deferred.take(ticket);
        self.messages.slots.release(kept.slot);
        Ok(())
    }

    // ----- time and the runtime -------------------------------------------------------------

    /// Does what is due: retransmits, and returns one exchange that came to nothing. Call it until
    /// it returns none.
    pub fn expire(&mut self, now: Instant) -> Option<ExchangeId> {
        self.deferred.expire(now);
        while let Some(step) = self.messages.unacknowledged.step(now, &self.transmission) {
            match step {
                Step::Resend(peer, slot) => self.messages.outbox.push_again(peer, slot),
                Step::GiveUp(message) => {
                    self.messages.drop_slot(message.slot);
                    self.pending.remove(message.exchange);
                    return Some(message.exchange);
                }
            }
        }
        self.pending.expire(now)
    }

    /// When [`Self::expire`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadlines =
            [self.messages.unacknowledged.poll_timeout(), self.pending.poll_timeout(), self.deferred.poll_timeout()];
        deadlines.into_iter().flatten().min()
    }

    /// The next order to the runtime. Its bytes are lent until the next call.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        self.take_order()?;
        self.lend_order()
    }

    /// Takes the next order out, for a caller that adds to it before it is lent.
    pub(crate) fn take_order(&mut self) -> Option<Order> {
        self.messages.outbox.pop(&mut self.messages.slots)
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

    /// Drops all exchanges with a peer, and what is kept and queued for it: nothing more is sent
    /// to it and nothing awaited. What was received from it is still known, so that duplicates are
    /// recognised.
    pub fn abandon(&mut self, peer: Peer) {
        while let Some(exchange) = self.messages.unacknowledged.first_of(peer) {
            self.stop_retransmission(exchange);
        }
        self.pending.forget(peer);
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

    /// Whether an exchange is still waited for.
    #[must_use]
    pub fn is_open(&self, exchange: ExchangeId) -> bool {
        self.pending.contains(exchange) || self.messages.unacknowledged.contains(exchange)
    }

    /// Allocates all buffers now, so that nothing is allocated later.
    pub fn reserve(&mut self) {
        self.messages.slots.reserve();
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
            exchanges: self.messages.unacknowledged.len().max(self.pending.len()),
            deduplication: self.messages.duplicates.len(),
            deferred: self.deferred.len(),
            buffer_bytes: self.messages.slots.heap(),
            table_bytes: self.messages.outbox.heap()
                + self.messages.duplicates.heap()
                + self.messages.unacknowledged.heap()
                + self.pending.heap()
                + self.deferred.heap(),
        }
    }

    /// The next Message ID and the generator's counter: what a snapshot keeps.
    pub(crate) const fn counters(&self) -> (u16, u64) {
        (self.messages.ids.next(), self.generator.counter())
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
pub struct Usage {
    /// Datagram buffers in use.
    pub slots: usize,
    /// Exchanges of our own in flight.
    pub exchanges: usize,
    /// Received messages that are remembered.
    pub deduplication: usize,
    /// Requests kept for a later answer.
    pub deferred: usize,
    /// Heap bytes of the datagram buffers, free ones included.
    pub buffer_bytes: usize,
    /// Heap bytes of the other tables.
    pub table_bytes: usize,
}

impl Reply {
    fn to(peer: Peer, request: &Message<'_>) -> Self {
        Self {
            peer,
            token: request.token(),
            method: request.code(),
            confirmable: request.message_type() == MessageType::Confirmable,
            message_id: request.message_id(),
        }
    }

    const fn piggybacked(&self, code: Code) -> Header {
        Header { message_type: MessageType::Acknowledgement, code, message_id: self.message_id }
    }
}

/// Whether a response has a critical option that we do not understand (RFC 7252, section 5.4.1).
/// None is needed so far: what a response must tell us is elective.
fn unusable(message: &Message<'_>) -> bool {
    message.unsupported_option(|number: OptionNumber| !number.is_critical()).is_some()
}
