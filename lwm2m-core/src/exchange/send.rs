//! What goes out: requests, answers at once and later, notifications.

use alloc::boxed::Box;
use core::mem::take;

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, Token};

use super::exchanges::{Awaits, Repetition};
use super::message::Write;
use super::message::dedup::{Class, INLINE, Inline, Repeat};
use super::message::outbox::Order;
use super::message::slots::SlotId;
use super::request::deferred::{Kept, State};
use super::request::upload::Upload;
use super::{Endpoint, ExchangeId, Peer, Reply, SendError, Sent, Verdict};
use crate::base::features::SHORTCUTS;
use crate::base::origin::Ticket;
use crate::base::rng::share;
use crate::base::time::Instant;

/// Writes a request, or a part of it.
pub(crate) type WritePart<'a> = dyn FnMut(&mut MessageWriter<'_>, &mut Upload) -> Verdict + 'a;

impl Endpoint {
    /// Whether one more exchange with `peer` may begin now (NSTART, and the table of exchanges).
    #[must_use]
    pub fn has_room(&self, peer: Peer) -> bool {
        self.exchanges.has_room() && self.may_send(peer)
    }

    /// Whether one more message that wants an acknowledgement may leave now (NSTART). A request that goes on
    /// with its next block has its place in the table.
    pub(crate) fn may_send(&self, peer: Peer) -> bool {
        self.exchanges.outstanding(peer) < self.pace.nstart.max(1).into()
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
        mut write: impl FnMut(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<ExchangeId, SendError> {
        self.request_in_blocks(now, peer, method, &mut |writer, _| write(writer))
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
        mut write: impl FnMut(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<ExchangeId, SendError> {
        self.begin(now, peer, (MessageType::NonConfirmable, method), &mut |writer, _| write(writer))
    }

    /// Sends a confirmable request whose body may be sent block by block: `write` may leave the payload to
    /// the [`Upload`]. As long as the server wants more, [`Self::next_block`] names the request.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent, and nothing is waited for.
    pub(crate) fn request_in_blocks<W: FnMut(&mut MessageWriter<'_>, &mut Upload) -> Verdict + ?Sized>(
        &mut self,
        now: Instant,
        peer: Peer,
        method: Code,
        write: &mut W,
    ) -> Result<ExchangeId, SendError> {
        self.begin(now, peer, (MessageType::Confirmable, method), write)
    }

    fn begin<W: FnMut(&mut MessageWriter<'_>, &mut Upload) -> Verdict + ?Sized>(
        &mut self,
        now: Instant,
        peer: Peer,
        kind: (MessageType, Code),
        write: &mut W,
    ) -> Result<ExchangeId, SendError> {
        if !self.has_room(peer) {
            return Err(SendError::Busy);
        }
        let exchange = self.exchanges.add(peer);
        let sent = self.go_on(now, exchange, kind, write);
        if sent.is_err() {
            self.exchanges.remove(exchange);
        }
        sent.map(|()| exchange)
    }

    /// A request to `peer` whose next block is due: to be sent with [`Self::continue_request`].
    pub(crate) fn next_block(&self, peer: Peer) -> Option<ExchangeId> {
        self.exchanges.next_block(peer)
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
        write: &mut WritePart<'_>,
    ) -> Result<(), SendError> {
        let exchange = self.exchanges.next_block(peer).ok_or(SendError::Dropped)?;
        if !self.may_send(peer) {
            return Err(SendError::Busy);
        }
        let sent = self.go_on(now, exchange, (MessageType::Confirmable, method), write);
        if let Err(SendError::Dropped | SendError::TooLong) = sent {
            self.exchanges.remove(exchange);
        }
        sent
    }

    /// Sends the next message of a request that has its place in the table, under a token of its own: 64 bits that
    /// nobody can guess (RFC 7252, section 5.3.1), and that do not come twice.
    fn go_on<W: FnMut(&mut MessageWriter<'_>, &mut Upload) -> Verdict + ?Sized>(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        (message_type, method): (MessageType, Code),
        write: &mut W,
    ) -> Result<(), SendError> {
        let drawn = self.generator.next_u64();
        let own = self.exchanges.get_mut(exchange).ok_or(SendError::Dropped)?;
        let (peer, token) = (own.peer, Token::from(drawn.to_be_bytes()));
        let mut upload = take(&mut own.upload);
        let what = (message_type, method, token);
        let mut write = |writer: &mut MessageWriter<'_>| write(writer, &mut upload);
        let sent = match SHORTCUTS {
            true => self.send(now, peer, what, &mut write),
            false => self.send(now, peer, what, &mut write as &mut Write<'_>),
        };
        let own = self.exchanges.get_mut(exchange).ok_or(SendError::Dropped)?;
        own.upload = upload;
        own.token = Some(token);
        let (message_id, slot) = sent?;
        if message_type == MessageType::Confirmable {
            // What was drawn nobody else learns in time.
            self.repeat_until_acknowledged(now, exchange, (message_id, slot), drawn);
        } else {
            let len = self.messages.slots.datagram(slot).len();
            own.awaits = Awaits::Response { until: now + self.pace.non_request_hold(len) };
        }
        Ok(())
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
        mut write: impl FnMut(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<Sent, SendError> {
        let how = (Code::CONTENT, token);
        match SHORTCUTS {
            true => self.respond(now, peer, confirmable, how, &mut write),
            false => self.respond(now, peer, confirmable, how, &mut write as &mut Write<'_>),
        }
    }

    /// Sends a response in a message of its own.
    pub(super) fn respond<W: FnMut(&mut MessageWriter<'_>) -> Verdict + ?Sized>(
        &mut self,
        now: Instant,
        peer: Peer,
        confirmable: bool,
        (code, token): (Code, Token),
        write: &mut W,
    ) -> Result<Sent, SendError> {
        if confirmable && !self.has_room(peer) {
            return Err(SendError::Busy);
        }
        let kind = if confirmable { MessageType::Confirmable } else { MessageType::NonConfirmable };
        let (message_id, slot) = self.send(now, peer, (kind, code, token), write)?;
        if !confirmable {
            return Ok(Sent { exchange: self.exchanges.next_id(), message_id });
        }
        let (exchange, drawn) = (self.exchanges.add(peer), self.generator.next_u64());
        self.repeat_until_acknowledged(now, exchange, (message_id, slot), drawn);
        Ok(Sent { exchange, message_id })
    }

    /// Makes a message with a new Message ID and queues it. Its buffer is kept if it is confirmable.
    fn send<W: FnMut(&mut MessageWriter<'_>) -> Verdict + ?Sized>(
        &mut self,
        now: Instant,
        peer: Peer,
        (message_type, code, token): (MessageType, Code, Token),
        write: &mut W,
    ) -> Result<(MessageId, SlotId), SendError> {
        let message_id = self.messages.next_id(now, self.exchange_lifetime)?;
        let (slot, verdict) = self.messages.compose(Header { message_type, code, message_id }, token, write)?;
        if verdict != Verdict::Send {
            self.messages.slots.release(slot);
            return Err(SendError::Dropped);
        }
        self.messages.ids.used();
        let confirmable = message_type == MessageType::Confirmable;
        self.messages.outbox.push(if confirmable { Order::Keep(peer, slot) } else { Order::Once(peer, slot) });
        Ok((message_id, slot))
    }

    /// The message of an exchange waits in its buffer for its acknowledgement, and is repeated at times that depend on
    /// a number which was drawn for it (RFC 7252, section 4.2).
    fn repeat_until_acknowledged(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        (message_id, slot): (MessageId, SlotId),
        drawn: u64,
    ) {
        let (shortest, more) = self.pace.initial_timeout();
        let timeout = shortest.saturating_add(share(drawn, more));
        if let Some(own) = self.exchanges.get_mut(exchange) {
            own.message_id = message_id;
            own.awaits = Awaits::Acknowledgement(Repetition::new(now, slot, timeout, self.pace));
        }
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
        mut write: impl FnMut(&mut MessageWriter<'_>, Option<Ticket>) -> Verdict,
    ) -> Result<(), SendError> {
        let ticket = self.deferred.next_ticket().filter(|_| request.len() <= self.messages.slots.size());
        let composed = self.compose_answer(now, reply, &mut |writer| write(writer, ticket));
        let (slot, verdict) = composed.inspect_err(|_| self.forget_request(reply))?;
        let code = self.messages.slots.code(slot);
        if !reply.repeated && verdict == Verdict::Send {
            self.messages.count_answer(code, ticket.is_some());
        }
        if verdict != Verdict::Send || reply.unwanted.suppresses(code) {
            return self.unsent(reply, request, (slot, verdict), ticket, deadline);
        }
        self.remember_answer(reply, slot);
        self.messages.outbox.push(Order::Once(reply.peer, slot));
        Ok(())
    }

    fn compose_answer(
        &mut self,
        now: Instant,
        reply: &Reply,
        write: &mut Write<'_>,
    ) -> Result<(SlotId, Verdict), SendError> {
        let mut header = reply.piggybacked(Code::INTERNAL_SERVER_ERROR);
        if !reply.confirmable {
            // One counter for both kinds of message, so the longer lifetime rules (section 4.4).
            let message_id = self.messages.next_id(now, self.exchange_lifetime)?;
            self.messages.ids.used();
            header = Header { message_type: MessageType::NonConfirmable, message_id, ..header };
        }
        self.messages.compose(header, reply.token, write)
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
                self.acknowledge(reply, Code::EMPTY);
            }
            return Ok(());
        }
        let Some(ticket) = ticket else {
            self.messages.drop_slot(slot);
            self.unavailable(reply, false);
            return Err(SendError::TooManyDeferred);
        };
        if let Some(room) = self.messages.slots.buffer(slot).get_mut(..request.len()) {
            room.copy_from_slice(request);
        }
        self.messages.slots.set_len(slot, request.len());
        self.deferred.keep(ticket, Kept { reply: *reply, slot, state: State::Working { until: deadline } });
        self.acknowledge(reply, Code::EMPTY);
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
            true => Repeat::Answer(Inline::of(answer)),
            false => Repeat::Nothing,
        };
        self.remember(reply, repeat);
    }

    /// 5.03 for a confirmable request that there is no room for, if it wants to hear of that.
    pub(super) fn unavailable(&mut self, reply: &Reply, could_wait: bool) {
        let mut code = Code::SERVICE_UNAVAILABLE;
        self.messages.count_answer(code, could_wait);
        if reply.unwanted.suppresses(code) {
            if reply.confirmable {
                self.messages.counters.unwanted_answers.count();
            }
            code = Code::EMPTY;
        }
        self.acknowledge(reply, code);
    }

    /// An acknowledgement for a confirmable request, with a code alone, now and whenever it comes again.
    fn acknowledge(&mut self, reply: &Reply, code: Code) {
        if reply.confirmable {
            let token = if code.is_empty() { Token::EMPTY } else { reply.token };
            let sent = self.messages.short(reply.peer, reply.piggybacked(code), token);
            self.remember(reply, Repeat::Answer(sent));
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
        mut write: impl FnMut(&mut MessageWriter<'_>, Option<(&Reply, Message<'_>)>) -> Verdict,
    ) -> Result<Option<Sent>, SendError> {
        let kept = self.deferred.get(ticket).ok_or(SendError::Dropped)?;
        let peer = kept.reply.peer;
        // The request is read while the answer is written, so its buffer leaves the pool meanwhile.
        let len = self.messages.slots.datagram(kept.slot).len();
        let buffer: Box<[u8]> = self.messages.slots.lift(kept.slot);
        let request = match kept.state {
            State::TimedOut { .. } => None,
            _ => buffer.get(..len).and_then(Message::well_formed),
        };
        let (mut verdict, mut unwanted, mut code) = (Verdict::Send, false, Code::EMPTY);
        let how = (Code::SERVICE_UNAVAILABLE, kept.reply.token);
        let sent = self.respond(now, peer, kept.reply.confirmable, how, &mut |writer| {
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
