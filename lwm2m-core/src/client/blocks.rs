//! Requests whose body comes block by block (RFC 7959, section 2.5): collected, or handed on to the
//! model as it comes.

use coap_codec::{BlockValue, Code, Message, MessageWriter, OptionNumber};

use super::request::{Call, Floors};
use crate::base::path::Leaf;
use crate::exchange::request::transfers::{Arrival, Place};
use crate::exchange::{Peer, Verdict};
use crate::management::operation::Operation;
use crate::management::stream::{self, Streamed};
use crate::management::{self, Effects, Served};
use crate::model::{Ctx, DataModel, Joined, Origin, Part};

impl Floors<'_> {
    /// Takes a block, and runs the request when it is the last one. Every block is checked like the
    /// whole request, as far as that can be.
    #[allow(clippy::too_many_arguments, reason = "what a request has")]
    pub(super) fn serve_block(
        &mut self,
        call: &Call,
        ctx: &Ctx,
        (operation, block): (&Operation<'_>, BlockValue),
        (peer, message): (Peer, &Message<'_>),
        model: &mut dyn DataModel,
        writer: &mut MessageWriter<'_>,
        effects: &mut Effects,
    ) -> Verdict {
        let arrived = stream::admit(ctx, operation, &Joined(self.accounts, model))
            .and_then(|at| Ok((at, self.transfers.arrive(call.now, peer, message, block, call.resumed)?)));
        let place = match arrived {
            Ok((at, Arrival::Next(place))) => {
                if let Some(verdict) = self.hand_on(ctx, at, (place, block), message, model, writer, effects) {
                    return verdict;
                }
                if let Err(code) = self.transfers.collect(place, block, message.payload(), message.size1()) {
                    return self.refuse(code, writer);
                }
                if block.more() {
                    return self.welcome(block, writer);
                }
                place
            }
            Ok((_, Arrival::Whole(place))) => place,
            Ok((_, Arrival::Again)) => return self.welcome(block, writer),
            // The Location is not known any more.
            Ok((_, Arrival::Over(Code::CREATED))) => return self.refuse(Code::REQUEST_ENTITY_INCOMPLETE, writer),
            Ok((_, Arrival::Over(code))) => {
                writer.restart(code);
                close(block, writer);
                return Verdict::Send;
            }
            Err(code) => return self.refuse(code, writer),
        };
        let body = self.transfers.take(place);
        let whole = Operation { payload: &body, ..*operation };
        let asker = if let Origin::Server(server) = ctx.origin { server } else { 0 };
        let assigned = self.reporting.assigned(asker);
        match management::serve(ctx, &whole, None, &assigned, &mut Joined(self.accounts, model), writer, effects) {
            Served::Later => {
                self.transfers.put_back(place, body);
                Verdict::Later
            }
            Served::Answered => {
                self.transfers.answered(place, writer.code());
                close(block, writer);
                Verdict::Send
            }
        }
    }

    /// Hands a part on to the model; none when the model takes the body as a whole.
    #[allow(clippy::too_many_arguments, reason = "what a part has")]
    fn hand_on(
        &mut self,
        ctx: &Ctx,
        at: Option<Leaf>,
        (place, block): (Place, BlockValue),
        message: &Message<'_>,
        model: &mut dyn DataModel,
        writer: &mut MessageWriter<'_>,
        effects: &mut Effects,
    ) -> Option<Verdict> {
        let streamed = self.transfers.is_streamed(place);
        if streamed == Some(false) {
            return None;
        }
        let (offset, bytes) = (u64::from(block.offset()), message.payload());
        let part = Part { offset, bytes, last: !block.more(), total: message.size1() };
        let taken = match at {
            Some(at) => stream::stream(ctx, at, part, &mut Joined(self.accounts, model), writer, effects),
            // It is not there any more, or never was one of that kind.
            None if streamed.is_some() => Streamed::Refused(Code::REQUEST_ENTITY_INCOMPLETE),
            None => Streamed::Unwanted,
        };
        Some(match taken {
            Streamed::Unwanted => return None,
            Streamed::Later => Verdict::Later,
            Streamed::Refused(code) => {
                // The same part may come again after 5.03.
                if code != Code::SERVICE_UNAVAILABLE {
                    self.transfers.end(place);
                }
                self.refuse(code, writer)
            }
            Streamed::Taken => {
                self.transfers.handed_on(place, block, bytes.len());
                if block.more() {
                    return Some(self.welcome(block, writer));
                }
                self.transfers.answered(place, writer.code());
                close(block, writer);
                Verdict::Send
            }
        })
    }

    /// 2.31: go on.
    fn welcome(&self, block: BlockValue, writer: &mut MessageWriter<'_>) -> Verdict {
        writer.restart(Code::CONTINUE);
        let _ = writer.append_uint(OptionNumber::BLOCK1, self.transfers.acknowledge(block).to_uint());
        Verdict::Send
    }

    /// An error; with 4.13 how much would be welcome (RFC 7959, section 2.9.3).
    fn refuse(&self, code: Code, writer: &mut MessageWriter<'_>) -> Verdict {
        writer.restart(code);
        if code == Code::REQUEST_ENTITY_TOO_LARGE {
            let _ =
                writer.append_uint(OptionNumber::SIZE1, u32::try_from(self.transfers.longest()).unwrap_or(u32::MAX));
        }
        Verdict::Send
    }
}

/// The answer to the last block says which it was.
fn close(block: BlockValue, writer: &mut MessageWriter<'_>) {
    let _ = writer.append_uint(OptionNumber::BLOCK1, block.with_more(false).to_uint());
}
