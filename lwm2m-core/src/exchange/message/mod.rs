//! The message layer over UDP: Message IDs, retransmission, deduplication, buffers
//! (RFC 7252, section 4).

pub(crate) mod dedup;
pub(crate) mod ids;
pub(crate) mod outbox;
pub(crate) mod rejections;
pub(crate) mod slots;

use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, Token};

use self::dedup::{Deduplication, Inline};
use self::ids::MessageIds;
use self::outbox::{Order, Outbox};
use self::rejections::Rejections;
use self::slots::{SlotId, Slots};
use super::{Peer, SendError, Verdict};
use crate::base::features::STATISTICS;
use crate::base::statistics::Counters;
use crate::base::time::{Instant, Micros};

/// Writes what a message has besides header and token. What takes it without knowing which it is, is there once.
pub(crate) type Write<'a> = dyn FnMut(&mut MessageWriter<'_>) -> Verdict + 'a;

/// The message layer's tables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Messages {
    pub(crate) ids: MessageIds,
    pub(crate) slots: Slots,
    pub(crate) outbox: Outbox,
    pub(crate) duplicates: Deduplication,
    pub(crate) rejections: Rejections,
    pub(crate) counters: Counters,
}

impl Messages {
    /// Writes a message into a free buffer. The caller queues or releases it.
    #[inline]
    pub(crate) fn compose<W: FnMut(&mut MessageWriter<'_>) -> Verdict + ?Sized>(
        &mut self,
        header: Header,
        token: Token,
        write: &mut W,
    ) -> Result<(SlotId, Verdict), SendError> {
        let (slot, buffer) = self.take_slot()?;
        let Ok(mut writer) = MessageWriter::new(buffer, header, token) else {
            self.slots.release(slot);
            self.counters.too_long.count();
            return Err(SendError::TooLong);
        };
        let verdict = write(&mut writer);
        let len = writer.len();
        self.slots.set_len(slot, len);
        Ok((slot, verdict))
    }

    /// A free buffer.
    pub(crate) fn take_slot(&mut self) -> Result<(SlotId, &mut [u8]), SendError> {
        self.outbox.reclaim(&mut self.slots);
        let taken = self.slots.take();
        if taken.is_none() {
            self.counters.no_buffer.count();
        }
        taken.ok_or(SendError::NoSlot)
    }

    /// The next Message ID; it is used only once [that is said](MessageIds::used).
    pub(crate) fn next_id(&mut self, now: Instant, lifetime: Micros) -> Result<MessageId, SendError> {
        let next = self.ids.next(now, lifetime);
        if next.is_none() {
            self.counters.no_message_id.count();
        }
        next.ok_or(SendError::NoMessageId)
    }

    /// A request is answered with this code, and could be kept for an answer later or not.
    #[inline]
    pub(crate) fn count_answer(&mut self, code: Code, could_wait: bool) {
        if STATISTICS && code.is_error() {
            self.count_refusal(code, could_wait);
        }
    }

    #[cold]
    fn count_refusal(&mut self, code: Code, could_wait: bool) {
        if code.is_client_error() {
            return self.counters.client_errors.count();
        }
        self.counters.server_errors.count();
        if code == Code::SERVICE_UNAVAILABLE && !could_wait {
            self.counters.undeferred.count();
        }
    }

    /// Queues an Empty message: an acknowledgement or a reset. Returns its bytes.
    pub(crate) fn empty(&mut self, peer: Peer, message_type: MessageType, message_id: MessageId) -> Inline {
        if matches!(message_type, MessageType::Reset) {
            self.counters.resets_sent.count();
        }
        self.short(peer, Header { message_type, code: Code::EMPTY, message_id }, Token::EMPTY)
    }

    /// Queues a message of header and token alone.
    pub(crate) fn short(&mut self, peer: Peer, header: Header, token: Token) -> Inline {
        let datagram = Inline::bare(header, token);
        self.outbox.push(Order::Short(peer, datagram));
        datagram
    }

    /// Frees a buffer whose exchange is over, sent or not.
    pub(crate) fn drop_slot(&mut self, slot: SlotId) {
        self.outbox.withdraw(slot);
        self.slots.release(slot);
    }
}
