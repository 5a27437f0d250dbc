//! Answers with a body: as a whole while they fit, else block by block (RFC 7959, section 2.4).
//!
//! Nothing is kept between two blocks. The body is made again for each, into a buffer that keeps only
//! the block's part of it; the ETag is a hash of all of it, by which the peer sees whether two blocks
//! are of the same body.

use coap_codec::{BlockValue, Code, ContentFormat, MessageWriter, OptionNumber};

use crate::base::features::{BLOCKWISE, SHORTCUTS};
use crate::base::mixer::Mixer;
use crate::format::{Output, SLACK};
use crate::model::Refusal;

/// What an answer says of its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Observe.
    pub(super) sequence: Option<u32>,
    pub(super) format: ContentFormat,
    /// The block that is wanted: without one the whole body, or the first block of it.
    pub(super) block: Option<BlockValue>,
}

/// Block2 with three bytes, Size2 with four, the payload marker, and what a part must have in front.
const OVERHEAD: usize = 4 + 5 + 1 + SLACK;

/// Writes a 2.05. `body` makes the whole body in what it is given, and tells how long it is; it may be
/// asked several times.
///
/// # Errors
/// 4.00 for a block beyond the end (own: RFC 7959 names no code); what `body` returned.
pub(super) fn write(
    head: Head,
    writer: &mut MessageWriter<'_>,
    body: &mut dyn FnMut(Output<'_>) -> Result<usize, Refusal>,
) -> Result<(), Refusal> {
    match write_whole(head, writer, &mut *body) {
        Some(written) => written,
        None => write_in_blocks(head, writer, body),
    }
}

/// The same where all of it was asked for; none when perhaps it does not fit.
#[inline]
pub(super) fn write_whole(
    head: Head,
    writer: &mut MessageWriter<'_>,
    body: impl FnOnce(Output<'_>) -> Result<usize, Refusal>,
) -> Option<Result<(), Refusal>> {
    if head.block.is_some() {
        return None;
    }
    let written = start(head, None, writer).and_then(|()| writer.payload_with(|room| body(Output::new(room))));
    Some(written).filter(|written| *written != Err(Refusal::Code(Code::INTERNAL_SERVER_ERROR)))
}

/// The same where a block was asked for, or all of it does not fit.
#[cold]
pub(super) fn write_in_blocks(
    head: Head,
    writer: &mut MessageWriter<'_>,
    body: &mut dyn FnMut(Output<'_>) -> Result<usize, Refusal>,
) -> Result<(), Refusal> {
    if !BLOCKWISE {
        return Err(Code::INTERNAL_SERVER_ERROR.into());
    }
    let mut transcript = Mixer::new();
    let total = body(Output::measure(&mut transcript))?;
    start(head, Some(transcript.finish()), writer)?;
    let block = choose(head.block, total, writer.remaining()).ok_or(Code::INTERNAL_SERVER_ERROR)?;
    let offset = usize::try_from(block.offset()).unwrap_or(usize::MAX);
    if offset > 0 && offset >= total {
        return Err(Code::BAD_REQUEST.into());
    }
    if !block.more() && offset == 0 {
        // All of it, for a peer that asked for blocks.
        start(head, None, writer)?;
    }
    writer.append_uint(OptionNumber::BLOCK2, block.to_uint())?;
    if block.more() && offset == 0 {
        writer.append_uint(OptionNumber::SIZE2, u32::try_from(total).unwrap_or(u32::MAX))?;
    }
    writer.payload_with(|room| {
        let slack = offset.min(SLACK);
        let length = total.saturating_sub(offset).min(block.size());
        let room = room.get_mut(..length.saturating_add(slack)).unwrap_or_default();
        // What the model did not fill this time would be of another message.
        if body(Output::part(room, offset.saturating_sub(slack)))? != total {
            return Err(Refusal::Code(Code::INTERNAL_SERVER_ERROR));
        }
        room.copy_within(slack.., 0);
        Ok(length)
    })
}

fn start(head: Head, tag: Option<u64>, writer: &mut MessageWriter<'_>) -> Result<(), Refusal> {
    writer.restart(Code::CONTENT);
    if let Some(tag) = tag {
        writer.append(OptionNumber::ETAG, &tag.to_be_bytes())?;
    }
    if let Some(sequence) = head.sequence {
        writer.append_uint(OptionNumber::OBSERVE, sequence)?;
    }
    let written = match SHORTCUTS {
        true => writer.content_format(head.format),
        false => writer.append_uint(OptionNumber::CONTENT_FORMAT, head.format.0.into()),
    };
    Ok(written?)
}

/// The block that is sent: it begins where the wanted one does and has its size, or the largest one
/// that there is room for.
fn choose(wanted: Option<BlockValue>, total: usize, room: usize) -> Option<BlockValue> {
    let room = room.checked_sub(OVERHEAD)?;
    let (offset, largest) = wanted.map_or((0, BlockValue::MAX_SZX), |wanted| (wanted.offset(), wanted.szx()));
    let fits = |szx: &u8| BlockValue::new(0, false, *szx).is_ok_and(|block| block.size() <= room);
    let szx = (0..=largest).rev().find(fits)?;
    let size = BlockValue::new(0, false, szx).ok()?.size();
    let end = usize::try_from(offset).ok()?.saturating_add(size);
    BlockValue::at_offset(offset, end < total, szx).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap_codec::Message;

    fn block(num: u32, more: bool, szx: u8) -> BlockValue {
        BlockValue::new(num, more, szx).unwrap()
    }

    #[test]
    fn the_block_has_the_wanted_size_or_the_largest_that_fits() {
        for (wanted, total, room, expected) in [
            (None, 2_000, 1_100, Some(block(0, true, 6))),
            (None, 2_000, 1_024 + OVERHEAD, Some(block(0, true, 6))),
            (None, 2_000, 1_023 + OVERHEAD, Some(block(0, true, 5))),
            (None, 1_024, 2_000, Some(block(0, false, 6))),
            (None, 1_025, 2_000, Some(block(0, true, 6))),
            (Some(block(1, false, 6)), 2_048, 1_100, Some(block(1, false, 6))),
            (Some(block(1, true, 6)), 2_049, 1_100, Some(block(1, true, 6))),
            // The offset stays, the size shrinks (RFC 7959, section 2.4).
            (Some(block(1, false, 6)), 2_049, 600, Some(block(2, true, 5))),
            (Some(block(3, false, 0)), 64, 1_100, Some(block(3, false, 0))),
            (None, 2_000, 16 + OVERHEAD, Some(block(0, true, 0))),
            (None, 2_000, 15 + OVERHEAD, None),
            (None, 2_000, 0, None),
            // The offset cannot be named in the smaller size.
            (Some(block(BlockValue::MAX_NUM, false, 6)), 2_000, 100, None),
        ] {
            assert_eq!(choose(wanted, total, room), expected, "{wanted:?} {total} {room}");
        }
    }

    #[test]
    fn a_model_that_says_something_else_each_time_is_5_00_and_no_old_bytes_leave() {
        use coap_codec::{Header, MessageId, MessageType, Token};

        let header = Header { message_type: MessageType::Acknowledgement, code: Code::EMPTY, message_id: MessageId(1) };
        let mut buffer = [0xAA; 200];
        let mut writer =
            MessageWriter::new(&mut buffer, Header { code: Code::CONTENT, ..header }, Token::EMPTY).unwrap();
        let head = Head { sequence: None, format: ContentFormat::TEXT_PLAIN, block: Some(block(0, false, 2)) };
        let mut length = 100;
        let refused = write(head, &mut writer, &mut |_| {
            length -= 30;
            Ok(length)
        });
        assert_eq!(refused, Err(Refusal::Code(Code::INTERNAL_SERVER_ERROR)));
        assert!(Message::parse(writer.as_bytes()).unwrap().payload().is_empty());
    }
}
