//! A plain GET: the request that comes most. It changes nothing, so it need not be remembered before it
//! is answered, and is remembered with its answer then.

use coap_codec::{Code, Header, Message, MessageType, MessageWriter, OptionNumber};

use super::message::dedup::{Class, INLINE, Inline, Repeat};
use super::message::outbox::Order;
use super::{Endpoint, Peer, Reply, SendError, Verdict};
use crate::base::origin::Ticket;
use crate::base::time::Instant;

impl Endpoint {
    /// Whether a message is a plain GET: confirmable, new, and wanting its answer. Nothing has happened yet:
    /// answer it with [`Self::answer_plain`], or take it as any other message.
    #[inline]
    pub(crate) fn is_plain_get(&self, now: Instant, peer: Peer, message: &Message<'_>) -> bool {
        message.header() == Header::new(MessageType::Confirmable, Code::GET, message.message_id())
            && !message.reaches(OptionNumber::NO_RESPONSE)
            && self.messages.duplicates.find(now, peer, message.message_id()).is_none()
    }

    /// Answers a plain GET in its acknowledgement, as [`Self::answer`] does. `write` starts with the code 2.05.
    ///
    /// # Errors
    /// As [`Self::answer`].
    #[inline]
    pub(crate) fn answer_plain(
        &mut self,
        now: Instant,
        peer: Peer,
        message: &Message<'_>,
        deadline: impl FnOnce() -> Instant,
        write: impl FnOnce(&mut MessageWriter<'_>, Option<Ticket>) -> Verdict,
    ) -> Result<(), SendError> {
        let message_id = message.message_id();
        let header = Header::new(MessageType::Acknowledgement, Code::CONTENT, message_id);
        let ticket = self.deferred.next_ticket().filter(|_| message.as_bytes().len() <= self.messages.slots.size());
        let mut repeat = Repeat::Evaluate;
        let (slot, verdict) = self.messages.compose(header, message.token(), |writer| {
            let verdict = write(writer, ticket);
            if writer.len() <= INLINE {
                repeat = Inline::new(writer.as_bytes()).map_or(Repeat::Nothing, Repeat::Answer);
            }
            verdict
        })?;
        if verdict != Verdict::Send {
            let Some(reply) = Reply::to(peer, message) else { return Err(SendError::Dropped) };
            self.remember_request(now, &reply, message);
            return self.unsent(&reply, message.as_bytes(), (slot, verdict), ticket, deadline());
        }
        let until = now + self.lifetime(true);
        self.messages.duplicates.insert(now, until, peer, message_id, Class::Harmless, repeat);
        self.messages.outbox.push(Order::Once(peer, slot));
        Ok(())
    }
}
