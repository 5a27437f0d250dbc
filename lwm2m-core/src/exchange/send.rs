//! What goes out: requests, answers at once and later, notifications.

use alloc::boxed::Box;

use coap_codec::{Code, Header, Message, MessageType, MessageWriter, Token};

use super::message::dedup::{Class, INLINE, Inline, Repeat};
use super::message::outbox::Order;
use super::message::slots::SlotId;
use super::request::deferred::{Kept, State};
use super::request::pending::Awaits;
use super::request::upload::Upload;
use super::{Endpoint, ExchangeId, Peer, Reply, SendError, Sent, Verdict};
use crate::base::features::SHORTCUTS;
use crate::base::origin::Ticket;
use crate::base::rng::share;
use crate::base::time::{Instant, Micros};

impl Endpoint {
    /// Whether one more exchange with `peer` may begin now (NSTART, and the table of exchanges).
    #[must_use]
    pub fn has_room(&self, peer: Peer) -> bool {
        self.in_flight() < self.exchange_limit && self.may_send(peer)
    }

    /// Whether one more message that wants an acknowledgement may leave now (NSTART). A request that goes on
    /// with its next block has its place in the table.
    pub(crate) fn may_send(&self, peer: Peer) -> bool {
        let Self { messages, pending, pace, .. } = self;
        self.is_silent() || {
            let mut in_flight = messages.unacknowledged.of(peer).chain(pending.unanswered(peer));
            let last_place = usize::from(pace.nstart.saturating_sub(1));
            in_flight.nth(last_place).is_none()
        }
    }

    /// All exchanges: messages that want their acknowledgement, and requests that await something else.
    pub(super) fn in_flight(&self) -> usize {
        self.messages.unacknowledged.len().saturating_add(self.pending.beyond_acknowledgement())
    }

    /// Whether nothing at all is in flight or awaited.
    pub(super) const fn is_silent(&self) -> bool {
        self.messages.unacknowledged.is_empty() && self.pending.is_empty()
    }

    /// Sends a confirmable request. Its outcome comes as [`Inbound::Response`](super::Inbound::Response),
    /// [`Inbound::Failed`](super::Inbound::Failed), or from [`Self::expire`].
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
        self.request_in_blocks(now, peer, method, |writer, _| write(writer))
    }

    /// The same for a request whose body may be sent block by block: `write` may leave the payload to
    /// the [`Upload`]. As long as the server wants more, [`Self::next_block`] names the request.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent, and nothing is waited for.
    pub(crate) fn request_in_blocks(
        &mut self,
        now: Instant,
        peer: Peer,
        method: Code,
        write: impl FnOnce(&mut MessageWriter<'_>, &mut Upload) -> Verdict,
    ) -> Result<ExchangeId, SendError> {
        let mut upload = Upload::default();
        let (exchange, token) =
            self.request_out(now, peer, MessageType::Confirmable, method, |writer| write(writer, &mut upload))?;
        self.pending.insert((exchange, peer, token), Awaits::Acknowledgement, upload, self.exchange_limit);
        Ok(exchange)
    }

    /// A request to `peer` whose next block is due: to be sent with [`Self::continue_request`].
    pub(crate) fn next_block(&self, peer: Peer) -> Option<ExchangeId> {
        self.pending.next_block(peer)
    }

    /// Sends the next block of a request, under a new token and a new Message ID (RFC 7959, section
    /// 2.2); the exchange stays the same.
    ///
    /// # Errors
    /// [`SendError`]; with [`SendError::Dropped`] and [`SendError::TooLong`] the exchange is over.
    pub(crate) fn continue_request(
        &mut self,
        now: Instant,
        peer: Peer,
        method: Code,
        write: impl FnOnce(&mut MessageWriter<'_>, &mut Upload) -> Verdict,
    ) -> Result<(), SendError> {
        let exchange = self.pending.next_block(peer).ok_or(SendError::Dropped)?;
        let mut upload = self.pending.upload(exchange).ok_or(SendError::Dropped)?;
        if !self.may_send(peer) {
            return Err(SendError::Busy);
        }
        let token = self.fresh_token(peer);
        let mut write = Some(write);
        let write: &mut dyn FnMut(&mut MessageWriter<'_>) -> Verdict =
            &mut |writer| write.take().map_or(Verdict::Drop, |write| write(writer, &mut upload));
        let sent = self.send_as(now, peer, MessageType::Confirmable, method, token, Some(exchange), write);
        match sent {
            Ok(_) => self.pending.sent_block(exchange, token, upload),
            Err(SendError::Dropped | SendError::TooLong) => self.pending.remove(exchange),
            Err(_) => {}
        }
        sent.map(|_| ())
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
        let until = now + self.pace.non_request_hold(len);
        self.pending.insert(
            (exchange, peer, token),
            Awaits::Response { until },
            Upload::default(),
            self.exchange_limit,
        );
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
    /// A confirmable one needs room in NSTART and comes back as [`Inbound::Acknowledged`](super::Inbound::Acknowledged),
    /// [`Inbound::Failed`](super::Inbound::Failed), or from [`Self::expire`].
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
    pub(super) fn send(
        &mut self,
        now: Instant,
        peer: Peer,
        message_type: MessageType,
        code: Code,
        token: Token,
        write: impl FnOnce(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<Sent, SendError> {
        if SHORTCUTS {
            return self.send_as(now, peer, message_type, code, token, None, write);
        }
        // One copy of what follows for all that write.
        let mut write = Some(write);
        let write: &mut dyn FnMut(&mut MessageWriter<'_>) -> Verdict =
            &mut |writer| write.take().map_or(Verdict::Drop, |write| write(writer));
        self.send_as(now, peer, message_type, code, token, None, write)
    }

    /// The same under the name of an exchange that goes on.
    #[allow(clippy::too_many_arguments, reason = "what a message has")]
    fn send_as(
        &mut self,
        now: Instant,
        peer: Peer,
        message_type: MessageType,
        code: Code,
        token: Token,
        exchange: Option<ExchangeId>,
        write: impl FnOnce(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<Sent, SendError> {
        let lifetime = self.exchange_lifetime;
        let message_id = self.messages.next_id(now, lifetime)?;
        let header = Header { message_type, code, message_id };
        let (slot, verdict) = self.messages.compose(header, token, write)?;
        if verdict != Verdict::Send {
            self.messages.drop_slot(slot);
            return Err(SendError::Dropped);
        }
        Ok(self.dispatch(now, peer, header, token, exchange, slot))
    }

    /// Queues a message that was written, and repeats it until it is acknowledged if it is confirmable.
    fn dispatch(
        &mut self,
        now: Instant,
        peer: Peer,
        Header { message_type, code, message_id }: Header,
        token: Token,
        exchange: Option<ExchangeId>,
        slot: SlotId,
    ) -> Sent {
        self.messages.ids.used();
        let exchange = exchange.unwrap_or_else(|| {
            self.last_exchange = self.last_exchange.wrapping_add(1);
            ExchangeId(self.last_exchange)
        });
        if message_type == MessageType::Confirmable {
            self.messages.outbox.push(Order::Keep(peer, slot));
            // A request is random already: by its token, which nobody else learns in time.
            let drawn = token.as_bytes().try_into().ok().filter(|_| code.is_request()).map(u64::from_be_bytes);
            let (shortest, more) = self.initial_timeout;
            let more = share(drawn.unwrap_or_else(|| self.generator.next_u64()), more);
            let timeout = Micros(shortest.0.saturating_add(more.0));
            let what = (exchange, peer, message_id, slot);
            self.messages.unacknowledged.start(now, timeout, what, self.exchange_limit);
        } else {
            self.messages.outbox.push(Order::Once(peer, slot));
        }
        Sent { exchange, message_id }
    }

    /// Answers a request: in the acknowledgement when it was confirmable, else in a
    /// non-confirmable message (RFC 7252, section 5.2). `write` starts with the code 5.00 and sets
    /// its own. An answer that the request does not want (No-Response; RFC 7967) is not sent; the
    /// acknowledgement of a confirmable one is empty then. With [`Verdict::Later`] the request is kept and an empty acknowledgement sent; it
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
        let header = match reply.confirmable {
            true => reply.piggybacked(Code::INTERNAL_SERVER_ERROR),
            false => self.non_confirmable_answer(now, reply)?,
        };
        let ticket = self.deferred.next_ticket().filter(|_| request.len() <= self.messages.slots.size());
        let (mut unwanted, mut code) = (false, Code::EMPTY);
        let composed = self.messages.compose(header, reply.token, |writer| {
            let verdict = write(writer, ticket);
            code = writer.code();
            unwanted = reply.unwanted.suppresses(code);
            verdict
        });
        if !reply.repeated && matches!(composed, Ok((_, Verdict::Send))) {
            self.messages.count_answer(code, ticket.is_some());
        }
        match composed {
            Ok((slot, Verdict::Send)) if !unwanted => {
                self.remember_answer(reply, slot);
                self.messages.outbox.push(Order::Once(reply.peer, slot));
                Ok(())
            }
            Ok(unsent) => self.unsent(reply, request, unsent, ticket, deadline),
            Err(error) => {
                self.forget_request(reply);
                Err(error)
            }
        }
    }

    #[cold]
    fn non_confirmable_answer(&mut self, now: Instant, reply: &Reply) -> Result<Header, SendError> {
        // One counter for both kinds of message, so the longer lifetime rules (section 4.4).
        let lifetime = self.exchange_lifetime;
        let message_id = match self.messages.next_id(now, lifetime) {
            Ok(message_id) => message_id,
            Err(error) => {
                self.forget_request(reply);
                return Err(error);
            }
        };
        self.messages.ids.used();
        let code = Code::INTERNAL_SERVER_ERROR;
        Ok(Header { message_type: MessageType::NonConfirmable, code, message_id })
    }

    /// What becomes of a request whose answer is not sent now: not wanted, not written, or still to come. Then
    /// the request is kept in the buffer that was to hold the answer.
    #[cold]
    pub(super) fn unsent(
        &mut self,
        reply: &Reply,
        request: &[u8],
        (slot, verdict): (SlotId, Verdict),
        ticket: Option<Ticket>,
        deadline: Instant,
    ) -> Result<(), SendError> {
        if verdict != Verdict::Later {
            self.messages.drop_slot(slot);
            if verdict == Verdict::Send {
                self.messages.counters.unwanted_answers.count();
                self.acknowledge(reply);
            }
            return Ok(());
        }
        let Some(ticket) = ticket else {
            self.messages.drop_slot(slot);
            if let Some(sent) = self.unavailable(reply, false) {
                self.remember(reply, Repeat::Answer(sent));
            }
            return Err(SendError::TooManyDeferred);
        };
        if let Some(room) = self.messages.slots.buffer(slot).get_mut(..request.len()) {
            room.copy_from_slice(request);
        }
        self.messages.slots.set_len(slot, request.len());
        self.deferred.keep(ticket, Kept { reply: *reply, slot, state: State::Working { until: deadline } });
        self.acknowledge(reply);
        Ok(())
    }

    /// Keeps the answer for duplicates: short ones as they are; an answer to a GET is made again when it is
    /// long, or says that the resource is observed, which may be over by then; of anything else the code
    /// must do.
    #[inline]
    fn remember_answer(&mut self, reply: &Reply, slot: SlotId) {
        if reply.repeated {
            // What a repetition gets is known, whatever became of its type on the way.
            return;
        }
        let answer = self.messages.slots.datagram(slot);
        let observed = || Message::well_formed(answer).is_some_and(|answer| answer.observe().is_some());
        let again = Class::of(reply.method) == Class::Harmless && (answer.len() > INLINE || observed());
        let repeat = match reply.confirmable {
            true if again => Repeat::Evaluate,
            true => Inline::new(answer).or_else(|| Inline::head(answer)).map_or(Repeat::Nothing, Repeat::Answer),
            false => Repeat::Nothing,
        };
        self.remember(reply, repeat);
    }

    /// 5.03 for a confirmable request that there is no room for, if it wants to hear of that.
    pub(super) fn unavailable(&mut self, reply: &Reply, could_wait: bool) -> Option<Inline> {
        let code = Code::SERVICE_UNAVAILABLE;
        self.messages.count_answer(code, could_wait);
        match reply.confirmable {
            true if reply.unwanted.suppresses(code) => {
                self.messages.counters.unwanted_answers.count();
                self.messages.empty(reply.peer, MessageType::Acknowledgement, reply.message_id)
            }
            true => self.messages.short(reply.peer, reply.piggybacked(code), reply.token),
            false => None,
        }
    }

    /// An empty acknowledgement for a confirmable request, now and whenever it comes again.
    fn acknowledge(&mut self, reply: &Reply) {
        if reply.confirmable {
            let sent = self.messages.empty(reply.peer, MessageType::Acknowledgement, reply.message_id);
            self.remember(reply, sent.map_or(Repeat::Nothing, Repeat::Answer));
        }
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

    /// Marks a kept request to be run again. False for a stale ticket.
    pub fn resume(&mut self, now: Instant, ticket: Ticket) -> bool {
        self.deferred.resume(now, ticket)
    }

    /// The next kept request of `peer` that wants its answer now, resumed or out of time, and since when.
    #[must_use]
    pub fn due(&self, peer: Peer) -> Option<(Instant, Ticket)> {
        self.deferred.due(peer)
    }

    /// Sends the answer of a kept request: confirmable if the request was, with a new Message ID
    /// and the request's token (RFC 7252, section 5.2.2). `write` gets the request again, or none
    /// when its time is over and 5.03 is the answer. One that is not wanted is not sent, as with
    /// [`Self::answer`]. With [`Verdict::Later`] it is kept again. What was sent, if anything was.
    ///
    /// # Errors
    /// [`SendError::Busy`] and the like: the request is kept, try again.
    pub fn answer_late(
        &mut self,
        now: Instant,
        ticket: Ticket,
        deadline: Instant,
        write: impl FnOnce(&mut MessageWriter<'_>, Option<(&Reply, Message<'_>)>) -> Verdict,
    ) -> Result<Option<Sent>, SendError> {
        let kept = self.deferred.get(ticket).ok_or(SendError::Dropped)?;
        let peer = kept.reply.peer;
        if kept.reply.confirmable && !self.has_room(peer) {
            return Err(SendError::Busy);
        }
        // The request is read while the answer is written, so its buffer leaves the pool meanwhile.
        let len = self.messages.slots.datagram(kept.slot).len();
        let buffer: Box<[u8]> = self.messages.slots.lift(kept.slot);
        let request = match kept.state {
            State::TimedOut { .. } => None,
            _ => buffer.get(..len).and_then(Message::well_formed),
        };
        let kind = if kept.reply.confirmable { MessageType::Confirmable } else { MessageType::NonConfirmable };
        let (mut verdict, mut unwanted, mut code) = (Verdict::Send, false, Code::EMPTY);
        let sent = self.send(now, peer, kind, Code::SERVICE_UNAVAILABLE, kept.reply.token, |writer| {
            let request = request.map(|message| (&kept.reply, message));
            verdict = write(writer, request);
            code = writer.code();
            unwanted = verdict == Verdict::Send && kept.reply.unwanted.suppresses(code);
            if unwanted { Verdict::Drop } else { verdict }
        });
        self.messages.slots.restore(kept.slot, buffer);
        let sent = match (sent, verdict) {
            (Ok(sent), _) => Some(sent),
            (Err(SendError::Dropped), Verdict::Later) => {
                self.deferred.again(ticket, deadline);
                return Ok(None);
            }
            (Err(SendError::Dropped), _) => None,
            (Err(error), _) => return Err(error),
        };
        if sent.is_some() || unwanted {
            self.messages.count_answer(code, true);
        }
        if unwanted {
            self.messages.counters.unwanted_answers.count();
        }
        self.deferred.take(ticket);
        self.messages.slots.release(kept.slot);
        Ok(sent)
    }
}
