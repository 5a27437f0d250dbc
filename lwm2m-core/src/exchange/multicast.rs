//! Requests that came by multicast: heard, kept for a while, and answered or not (RFC 7252, section 8).

use alloc::boxed::Box;

use coap_codec::{Code, Message, MessageType, MessageWriter};

use super::request::deferred::{Kept, State};
use super::{Endpoint, Handled, Inbound, Peer, Reply, SendError, Verdict};
use crate::base::time::{Instant, Micros};

impl Endpoint {
    /// Takes a datagram that was received by multicast. Only a GET that is not confirmable is heard, and
    /// neither it nor anything else is acknowledged or rejected (RFC 7252, section 8.1): keep a request
    /// for its answer with [`Self::keep_for_leisure`], or leave it with [`Self::ignore`].
    pub fn receive_multicast<'a>(&mut self, now: Instant, peer: Peer, datagram: &'a [u8]) -> Inbound<'a> {
        let Some(message) = Message::well_formed(datagram) else {
            self.count_malformed(datagram);
            return Inbound::Handled(Handled::Malformed);
        };
        let wanted = message.message_type() == MessageType::NonConfirmable && message.code() == Code::GET;
        let Some(reply) = Reply::to(peer, &message).filter(|_| wanted) else {
            return self.misplaced();
        };
        // Whatever it got when it came before, it gets nothing by multicast.
        if self.messages.duplicates.find(now, peer, message.message_id()).is_some() {
            self.messages.counters.duplicates.count();
            return Inbound::Handled(Handled::Duplicate);
        }
        match self.remember_request(now, &reply, &message) {
            None => Inbound::Request { reply, message },
            Some(handled) => Inbound::Handled(handled),
        }
    }

    /// Keeps a request that came by multicast until a random moment within
    /// [`leisure`](super::Transmission::leisure), when [`Self::leisure_over`] names its peer; until then it
    /// has a place among the requests that are answered later.
    ///
    /// # Errors
    /// [`SendError::TooManyDeferred`], [`SendError::NoSlot`], [`SendError::TooLong`]: it stays unanswered.
    pub fn keep_for_leisure(&mut self, now: Instant, reply: &Reply, request: &[u8]) -> Result<(), SendError> {
        let Some(ticket) = self.deferred.next_ticket() else {
            self.messages.counters.undeferred.count();
            return Err(SendError::TooManyDeferred);
        };
        let (slot, buffer) = self.messages.take_slot()?;
        let Some(room) = buffer.get_mut(..request.len()) else {
            self.messages.slots.release(slot);
            self.messages.counters.too_long.count();
            return Err(SendError::TooLong);
        };
        room.copy_from_slice(request);
        self.messages.slots.set_len(slot, request.len());
        let until = now + self.generator.within(Micros(0), self.pace.leisure());
        self.deferred.keep(ticket, Kept { reply: *reply, slot, state: State::AtLeisure { until } });
        Ok(())
    }

    /// Who wants to be answered now, because the leisure of a request by multicast is over. Call
    /// [`Self::answer_at_leisure`] until there is nobody.
    #[must_use]
    pub fn leisure_over(&self, now: Instant) -> Option<Peer> {
        self.deferred.at_leisure(now).map(|(_, kept)| kept.reply.peer)
    }

    /// Answers the request that [`Self::leisure_over`] is about, in a non-confirmable message. `write` gets
    /// it again; what it does not want to send, or finds no buffer, is not sent at all.
    pub fn answer_at_leisure(
        &mut self,
        now: Instant,
        mut write: impl FnMut(&mut MessageWriter<'_>, &Message<'_>) -> Verdict,
    ) {
        let Some((ticket, Kept { reply, slot, .. })) = self.deferred.at_leisure(now) else { return };
        self.deferred.take(ticket);
        let len = self.messages.slots.datagram(slot).len();
        let buffer: Box<[u8]> = self.messages.slots.lift(slot);
        if let Some(Some(request)) = buffer.get(..len).map(Message::well_formed) {
            // An answer that cannot be sent is as good as one that was lost.
            let mut write = |writer: &mut MessageWriter<'_>| match write(writer, &request) {
                Verdict::Send if !reply.unwanted.suppresses(writer.code()) => Verdict::Send,
                _ => Verdict::Drop,
            };
            let _ = self.respond(now, reply.peer, false, (Code::CONTENT, reply.token), &mut write);
        }
        self.messages.slots.restore(slot, buffer);
        self.messages.slots.release(slot);
    }
}
