//! The platform's own block-wise transfer, written from RFC 7959: it shares the reader and the writer of
//! the options with the client, and nothing else.

use alloc::string::String;
use alloc::vec::Vec;

use coap_codec::{Code, ContentFormat, Message, MessageWriter, OptionNumber, WriteError};

use super::coap::Exchange;
use super::message::Inbound;
use super::{Ask, Response};
use crate::sim::network::Address;

/// The largest block over UDP.
const LARGEST: usize = 1_024;

/// The value of a block option, as the numbers that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) number: usize,
    pub(super) more: bool,
    pub(super) size: usize,
}

impl Block {
    /// The option of a message; none when it has none, or one that means nothing.
    fn of(message: &Message<'_>, option: OptionNumber) -> Option<Self> {
        let value = message.uint(option)?;
        let size = 16usize << (value & 7);
        let number = usize::try_from(value >> 4).ok()?;
        (size <= LARGEST).then_some(Self { number, more: value & 8 != 0, size })
    }

    fn write(self, option: OptionNumber, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        let exponent = self.size.trailing_zeros().saturating_sub(4);
        let number = u32::try_from(self.number).unwrap_or(u32::MAX);
        writer.uint(option, (number << 4) | (u32::from(self.more) << 3) | exponent)
    }

    pub(super) const fn offset(self) -> usize {
        self.number * self.size
    }
}

/// A size that a block may have, not above `wish`.
fn allowed(wish: usize) -> usize {
    [512, 256, 128, 64, 32, 16].into_iter().fold(LARGEST, |size, smaller| if size > wish { smaller } else { size })
}

// ----- requests of the platform ---------------------------------------------------------------

/// A request that may take several messages: its body leaves in blocks, and so comes its answer.
#[derive(Clone, Debug)]
pub(super) struct Dialogue {
    pub(super) exchange: Exchange,
    pub(super) to: Address,
    pub(super) ask: Ask,
    /// How much of the request's body was taken, and the size of its next block; none for a body that
    /// goes as a whole.
    upload: Option<(usize, usize)>,
    /// The answer so far.
    download: Option<Download>,
    /// How often an answer began anew because it changed on its way.
    restarts: u8,
}

#[derive(Clone, Debug)]
struct Download {
    first: Response,
    tag: Option<Vec<u8>>,
    size: usize,
}

/// What an answer of the device leads to.
pub(super) enum Next {
    /// One more message.
    Message,
    Done(Response),
}

impl Dialogue {
    pub(super) fn new(exchange: Exchange, to: Address, ask: Ask) -> Self {
        let size = allowed(ask.block_size.map_or(LARGEST, usize::from));
        let upload = (ask.payload.len() > size).then_some((0, size));
        Self { exchange, to, ask, upload, download: None, restarts: 0 }
    }

    /// The rest of a notification, of which the first block came.
    pub(super) fn rest_of(exchange: Exchange, to: Address, ask: Ask, first: Response, part: Part) -> Self {
        let download = Download { first, tag: part.tag, size: part.block.size };
        Self { exchange, to, ask, upload: None, download: Some(download), restarts: 0 }
    }

    /// How much of a message is payload, at most.
    pub(super) const fn payload_len(&self) -> usize {
        self.ask.payload.len()
    }

    pub(super) fn write(&self, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        if let Some(download) = &self.download {
            let number = download.first.payload.len() / download.size;
            let plain = Ask { observe: None, payload: Vec::new(), format: None, ..self.ask.clone() };
            plain.write_head(writer)?;
            return Block { number, more: false, size: download.size }.write(OptionNumber::BLOCK2, writer);
        }
        self.ask.write_head(writer)?;
        if let (Some(size), Code::GET) = (self.ask.block_size, self.ask.method) {
            let size = allowed(usize::from(size));
            Block { number: 0, more: false, size }.write(OptionNumber::BLOCK2, writer)?;
        }
        let Some((taken, size)) = self.upload else { return writer.payload(&self.ask.payload) };
        let left = self.ask.payload.get(taken..).unwrap_or_default();
        let more = left.len() > size;
        Block { number: taken / size, more, size }.write(OptionNumber::BLOCK1, writer)?;
        if taken == 0 {
            writer.size1(u32::try_from(self.ask.payload.len()).unwrap_or(u32::MAX))?;
        }
        writer.payload(left.get(..size).unwrap_or(left))
    }

    /// Takes the response to the message that was sent last.
    pub(super) fn take(&mut self, message: &Message<'_>) -> Next {
        let response = Response::of(message);
        if let (Some((taken, size)), Code::CONTINUE) = (&mut self.upload, message.code()) {
            let acknowledged = Block::of(message, OptionNumber::BLOCK1);
            if let Some(block) = acknowledged.filter(|block| block.number == *taken / *size) {
                *taken += *size;
                // Smaller blocks, if the device wants them (section 2.3).
                *size = block.size.min(*size);
                return Next::Message;
            }
            return Next::Done(response);
        }
        let Some(part) = Part::of(message) else { return Next::Done(response) };
        if !response.code.is_success() {
            return Next::Done(response);
        }
        match &mut self.download {
            None if part.block.number == 0 => {
                self.download = Some(Download { first: response, tag: part.tag, size: part.block.size });
            }
            Some(download) if download.tag == part.tag && download.first.payload.len() == part.block.offset() => {
                download.first.payload.extend_from_slice(&response.payload);
                download.size = part.block.size;
            }
            Some(download) if self.restarts < 3 => {
                // Another version: the blocks do not belong together (section 2.4).
                self.restarts += 1;
                download.first.payload.clear();
                download.tag = part.tag;
                if part.block.number == 0 {
                    download.first.payload = response.payload;
                } else {
                    return Next::Message;
                }
            }
            _ => return Next::Done(response),
        }
        if part.block.more {
            return Next::Message;
        }
        match self.download.take() {
            Some(download) => Next::Done(download.first),
            None => Next::Done(Response::of(message)),
        }
    }
}

/// Which part of an answer a response is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) block: Block,
    tag: Option<Vec<u8>>,
}

impl Part {
    pub(super) fn of(message: &Message<'_>) -> Option<Self> {
        let block = Block::of(message, OptionNumber::BLOCK2)?;
        Some(Self { block, tag: message.etag().map(<[u8]>::to_vec) })
    }
}

// ----- requests of the device -----------------------------------------------------------------

/// Collects the bodies that the device sends in blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Receiver {
    /// The largest blocks that are welcome.
    pub(super) largest: Option<u16>,
    /// Refuses the next requests with a body: a code, and a hint at a block size.
    pub(super) refusals: Vec<(Code, Option<u16>)>,
    /// How many blocks came.
    pub(super) blocks: usize,
    bodies: Vec<Body>,
}

#[derive(Clone, Debug)]
struct Body {
    from: Address,
    path: Vec<String>,
    query: Vec<String>,
    format: Option<ContentFormat>,
    bytes: Vec<u8>,
}

/// What a message of the device is to the body that it belongs to.
pub(super) enum Received {
    /// The request is whole; answer it with this block option.
    Whole(Option<Block>),
    /// Answer it with this code and this option; that is all.
    Answer(Code, Option<Block>),
}

impl Receiver {
    pub(super) fn forget(&mut self) {
        self.bodies.clear();
    }

    /// Takes a request, and puts a body together.
    pub(super) fn take(&mut self, request: &mut Inbound, message: &Message<'_>) -> Received {
        let block = Block::of(message, OptionNumber::BLOCK1);
        if !request.payload.is_empty() && !self.refusals.is_empty() {
            let (code, hint) = self.refusals.remove(0);
            let number = block.map_or(0, |block| block.number);
            let hint = hint.map(|size| Block { number, more: true, size: usize::from(size) });
            return Received::Answer(code, hint);
        }
        let Some(block) = block else { return Received::Whole(None) };
        self.blocks += 1;
        if block.more && request.payload.len() != block.size {
            return Received::Answer(Code::BAD_REQUEST, None);
        }
        let same = |body: &Body| body.from == request.from && body.path == request.path && body.query == request.query;
        let known = self.bodies.iter().position(same);
        let mut body = match known.map(|index| self.bodies.remove(index)) {
            Some(body) if block.number > 0 => body,
            _ => Body {
                from: request.from,
                path: request.path.clone(),
                query: request.query.clone(),
                format: request.format,
                bytes: Vec::new(),
            },
        };
        if body.bytes.len() != block.offset() || body.format != request.format {
            return Received::Answer(Code::REQUEST_ENTITY_INCOMPLETE, None);
        }
        body.bytes.extend_from_slice(&request.payload);
        if block.more {
            self.bodies.push(body);
            let size = self.largest.map_or(block.size, |largest| block.size.min(allowed(usize::from(largest))));
            return Received::Answer(Code::CONTINUE, Some(Block { size, ..block }));
        }
        request.payload = body.bytes;
        Received::Whole(Some(block))
    }
}

impl Block {
    pub(super) fn answer(self, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        self.write(OptionNumber::BLOCK1, writer)
    }
}
