//! What comes most: a plain GET, and a bare acknowledgement. A GET changes nothing, so it need not be remembered
//! before it is answered, and is remembered with its answer then.

use core::time::Duration;

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber};

use super::message::dedup::{Class, INLINE, Inline, Repeat};
use super::message::outbox::Order;
use super::message::slots::SlotId;
use super::{Endpoint, ExchangeId, Peer, Reply, SendError, Verdict};
use crate::base::features::STATISTICS;
use crate::base::origin::Ticket;
use crate::base::time::Instant;

/// Bytes of a message before its token (RFC 7252, section 3).
const HEADER: usize = 4;

impl Endpoint {
    /// The exchange of the only message in flight, when this message says that it arrived, and no more: it is an
    /// Empty acknowledgement of a response, or a 2.04 with neither options nor payload, which asks for no other
    /// block. The exchange is over then. None for any other message: nothing has happened.
    #[inline]
    pub(crate) fn bare_acknowledgement(&mut self, peer: Peer, message: &Message<'_>) -> Option<ExchangeId> {
        if message.message_type() != MessageType::Acknowledgement {
            return None;
        }
        let own = self.exchanges.only().filter(|own| own.wants(peer, message.message_id()))?;
        let over = match (message.code(), message.as_bytes().len()) {
            (Code::EMPTY, _) => own.token.is_none(),
            (Code::CHANGED, len) => {
                len == HEADER.saturating_add(message.token().len()) && own.token == Some(message.token())
            }
            _ => false,
        };
        let exchange = own.id;
        over.then(|| {
            self.end(exchange);
            exchange
        })
    }

    /// Whether a message is a plain GET: confirmable, new, and wanting its answer. Nothing has happened yet:
    /// answer it with [`Self::answer_plain`], or take it as any other message.
    #[inline]
    pub(crate) fn is_plain_get(&self, now: Instant, peer: Peer, message: &Message<'_>) -> bool {
        message.header() == Header::new(MessageType::Confirmable, Code::GET, message.message_id())
            && !message.reaches(OptionNumber::NO_RESPONSE)
            && self.messages.duplicates.find(now, peer, message.message_id()).is_none()
    }

    /// Answers a plain GET in its acknowledgement, as [`Self::answer`] does. `write` starts with the code 2.05,
    /// and may ask for the ticket of a later answer; that must come `within` some time.
    ///
    /// # Errors
    /// As [`Self::answer`].
    #[inline]
    pub(crate) fn answer_plain(
        &mut self,
        now: Instant,
        peer: Peer,
        message: &Message<'_>,
        within: &Duration,
        mut write: impl FnMut(&mut MessageWriter<'_>, &dyn Fn() -> Option<Ticket>) -> Verdict,
    ) -> Result<(), SendError> {
        let message_id = message.message_id();
        let header = Header::new(MessageType::Acknowledgement, Code::CONTENT, message_id);
        let Self { messages, deferred, .. } = self;
        let fits = message.as_bytes().len() <= messages.slots.size();
        let ticket = || deferred.next_ticket().filter(|_| fits);
        let (mut len, mut code) = (0, Code::EMPTY);
        let (slot, verdict) = messages.compose(header, message.token(), &mut |writer| {
            let verdict = write(writer, &ticket);
            len = writer.len();
            if STATISTICS {
                code = writer.code();
            }
            verdict
        })?;
        if verdict != Verdict::Send {
            let ticket = ticket();
            return self.unsent_plain(now, (peer, message), (slot, verdict), ticket, within);
        }
        if STATISTICS && code.is_error() {
            let could_wait = ticket().is_some();
            self.messages.count_answer(code, could_wait);
        }
        if len > INLINE {
            let until = now + self.lifetime(true);
            let (class, repeat) = (Class::Harmless, Repeat::Evaluate);
            self.messages.duplicates.insert(now, until, peer, message_id, class, repeat);
        } else {
            self.remember_short(now, peer, message_id, slot);
        }
        self.messages.outbox.push(Order::Once(peer, slot));
        Ok(())
    }

    #[cold]
    fn unsent_plain(
        &mut self,
        now: Instant,
        (peer, message): (Peer, &Message<'_>),
        unsent: (SlotId, Verdict),
        ticket: Option<Ticket>,
        within: &Duration,
    ) -> Result<(), SendError> {
        let Some(reply) = Reply::to(peer, message) else { return Err(SendError::Dropped) };
        self.remember_request(now, &reply, message);
        self.unsent(&reply, message.as_bytes(), unsent, ticket, now + *within)
    }

    #[inline(never)]
    fn remember_short(&mut self, now: Instant, peer: Peer, message_id: MessageId, slot: SlotId) {
        let repeat = Repeat::Answer(Inline::of(self.messages.slots.datagram(slot)));
        let until = now + self.lifetime(true);
        self.messages.duplicates.insert(now, until, peer, message_id, Class::Harmless, repeat);
    }
}
