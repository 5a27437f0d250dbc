//! The message layer over UDP: Message IDs, retransmission, deduplication, buffers
//! (RFC 7252, section 4).

pub(crate) mod dedup;
pub(crate) mod ids;
pub(crate) mod outbox;
pub(crate) mod rejections;
pub(crate) mod retransmit;
pub(crate) mod slots;

use coap_codec::{Code, Header, MessageId, MessageType, MessageWriter, Token};

use self::dedup::{Deduplication, Inline};
use self::ids::MessageIds;
use self::outbox::{Order, Outbox};
use self::rejections::Rejections;
use self::retransmit::Retransmission;
use self::slots::{SlotId, Slots};
use super::{Peer, SendError, Verdict};

/// The message layer's tables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Messages {
    pub(crate) ids: MessageIds,
    pub(crate) slots: Slots,
    pub(crate) outbox: Outbox,
    pub(crate) duplicates: Deduplication,
    pub(crate) unacknowledged: Retransmission,
    pub(crate) rejections: Rejections,
}

impl Messages {
    /// Writes a message into a free buffer. The caller queues or releases it.
    #[inline]
    pub(crate) fn compose(
        &mut self,
        header: Header,
        token: Token,
        write: impl FnOnce(&mut MessageWriter<'_>) -> Verdict,
    ) -> Result<(SlotId, Verdict), SendError> {
        let (slot, buffer) = self.take_slot()?;
        let Ok(mut writer) = MessageWriter::new(buffer, header, token) else {
            self.slots.release(slot);
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
        self.slots.take().ok_or(SendError::NoSlot)
    }

    /// Queues an Empty message: an acknowledgement or a reset. Returns its bytes.
    pub(crate) fn empty(&mut self, peer: Peer, message_type: MessageType, message_id: MessageId) -> Option<Inline> {
        self.short(peer, Header { message_type, code: Code::EMPTY, message_id }, Token::EMPTY)
    }

    /// Queues a message of header and token alone.
    pub(crate) fn short(&mut self, peer: Peer, header: Header, token: Token) -> Option<Inline> {
        let mut buffer = [0; dedup::INLINE];
        let writer = MessageWriter::new(&mut buffer, header, token).ok()?;
        let datagram = Inline::new(writer.finish())?;
        self.outbox.push(Order::Short(peer, datagram));
        Some(datagram)
    }

    /// Frees a buffer whose exchange is over, sent or not.
    pub(crate) fn drop_slot(&mut self, slot: SlotId) {
        self.outbox.withdraw(slot);
        self.slots.release(slot);
    }
}
