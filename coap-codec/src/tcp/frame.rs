//! One message at the front of a stream: its length first, then its content (RFC 8323 §3.2).

use crate::cursor::Cursor;
use crate::view::Carrier;
use crate::{Code, MessageView, ParseErrorKind};

/// What a reader is ready to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    message_size: usize,
    long_tokens: bool,
}

impl Limits {
    /// Messages of up to `message_size` bytes from the first byte of the frame to the last, the
    /// Max-Message-Size of one's own CSM (RFC 8323 §5.3.1), and tokens of up to 8 bytes.
    #[must_use]
    pub const fn new(message_size: usize) -> Self {
        Self { message_size, long_tokens: false }
    }

    /// Besides tokens of up to 65804 bytes, for a reader whose CSM has the Extended-Token-Length
    /// option (RFC 8974 §2.2.1). Whether one is longer than announced there is to be checked still.
    #[must_use]
    pub const fn with_extended_tokens(self) -> Self {
        Self { long_tokens: true, ..self }
    }
}

/// 1152 bytes, what a peer may send before it has seen a CSM (RFC 8323 §5.3.1), and tokens of up to
/// 8 bytes.
impl Default for Limits {
    fn default() -> Self {
        Self::new(1152)
    }
}

/// The frame at the front of a stream, of which all or a part has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole message.
    Complete {
        /// It borrows the bytes that were given.
        message: MessageView<'a>,
        /// How many bytes it takes of them: the next one begins there.
        length: usize,
    },
    /// The beginning of one.
    Incomplete {
        /// How many bytes are missing at least; exactly as many once the head of the frame is there.
        missing: usize,
    },
}

/// Bytes that are no CoAP frame, or a larger one than is accepted. The stream cannot be read any
/// further: the duty is to send an Abort ([`write_abort`](super::write_abort)) and to close the
/// connection (RFC 8323 §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{kind}, at byte {position} of the message")]
pub struct StreamError {
    kind: ParseErrorKind,
    position: usize,
}

impl StreamError {
    /// The rule that is broken.
    #[must_use]
    pub const fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    /// Where in the message the part begins that breaks it, in bytes from the first of its frame.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

/// Reads the message at the front of `stream`, without a copy.
///
/// An Empty message (code 0.00) is handed out like any other, but as nothing but its code: it serves
/// to keep a connection alive and is to be ignored, whatever else it holds (RFC 8323 §3.4).
///
/// # Errors
///
/// [`StreamError`]: [`ParseErrorKind::TooLarge`] as soon as the head is there,
/// [`ParseErrorKind::TokenLength`] and [`ParseErrorKind::ReservedTokenLength`] on the first byte,
/// and what can be wrong with options once the message is whole.
///
/// ```
/// use coap_codec::tcp::{self, Frame, Limits};
///
/// let stream = b"\x01\x43\x7f\x00\xe1\x41";
/// let Frame::Complete { message, length } = tcp::parse(stream, Limits::default())? else {
///     panic!("all of its 3 bytes are there");
/// };
/// assert_eq!(format!("{:?}", message.code()), "2.03 Valid");
/// assert_eq!(length, 3);
/// assert_eq!(tcp::parse(b"\x41", Limits::default())?, Frame::Incomplete { missing: 1 });
/// # Ok::<(), tcp::StreamError>(())
/// ```
pub fn parse(stream: &[u8], limits: Limits) -> Result<Frame<'_>, StreamError> {
    let head = match Head::read(stream, limits)? {
        Progress::Whole(head) => head,
        Progress::Missing(missing) => return Ok(Frame::Incomplete { missing }),
    };
    let (frame, _) = stream.split_at_checked(head.length).unwrap_or_default();
    if head.code.is_empty() {
        let message = MessageView::bare(Carrier::Stream, head.code);
        return Ok(Frame::Complete { message, length: head.length });
    }
    let (before, body) = frame.split_at_checked(head.body).unwrap_or_default();
    let token = before.get(head.token..).unwrap_or_default();
    match MessageView::from_body(Carrier::Stream, head.code, token, body) {
        Ok(message) => Ok(Frame::Complete { message, length: head.length }),
        Err((kind, offset)) => Err(StreamError { kind, position: head.body.saturating_add(offset) }),
    }
}

/// Where the parts of a frame are, in bytes from its first.
pub(super) struct Head {
    code: Code,
    token: usize,
    body: usize,
    length: usize,
}

pub(super) enum Progress {
    Whole(Head),
    Missing(usize),
}

impl Head {
    /// Looks at the head alone, and whether all that it announces is there.
    pub(super) fn read(stream: &[u8], limits: Limits) -> Result<Progress, StreamError> {
        let mut rest = Cursor::new(stream);
        let Some(first) = rest.u8() else { return Ok(Progress::Missing(2)) };
        let token_nibble = first & 0x0f;
        match token_nibble {
            15 => return Err(StreamError { kind: ParseErrorKind::ReservedTokenLength, position: 0 }),
            9.. if !limits.long_tokens => return Err(StreamError { kind: ParseErrorKind::TokenLength, position: 0 }),
            _ => {}
        }
        let (extension, base): (usize, u64) = match first >> 4 {
            13 => (1, 13),
            14 => (2, 269),
            15 => (4, 65805),
            nibble => (0, u64::from(nibble)),
        };
        let token_extension: usize = match token_nibble {
            13 => 1,
            14 => 2,
            _ => 0,
        };
        let head = extension.saturating_add(token_extension).saturating_add(2);
        check_size(head as u64, limits)?;
        let missing = head.saturating_sub(stream.len());
        let Some(bytes) = rest.take(extension) else { return Ok(Progress::Missing(missing)) };
        let body_len = base.saturating_add(big_endian(bytes));
        // What is too large already shows before the rest of the head is there.
        check_size(body_len.saturating_add(head as u64), limits)?;
        let (Some(code), Some(bytes)) = (rest.u8(), rest.take(token_extension)) else {
            return Ok(Progress::Missing(missing));
        };
        let token_base: u64 = match token_nibble {
            13 => 13,
            14 => 269,
            nibble => u64::from(nibble),
        };
        let token_len = token_base.saturating_add(big_endian(bytes));
        let body = token_len.saturating_add(head as u64);
        let length = check_size(body.saturating_add(body_len), limits)?;
        match length.checked_sub(stream.len()) {
            Some(missing) if missing > 0 => Ok(Progress::Missing(missing)),
            // The body is not behind the end, which is a `usize`.
            _ => Ok(Progress::Whole(Self {
                code: Code::from_byte(code),
                token: head,
                body: usize::try_from(body).unwrap_or(length),
                length,
            })),
        }
    }
}

fn check_size(size: u64, limits: Limits) -> Result<usize, StreamError> {
    match usize::try_from(size) {
        Ok(size) if size <= limits.message_size => Ok(size),
        _ => Err(StreamError { kind: ParseErrorKind::TooLarge, position: 0 }),
    }
}

/// Up to four bytes.
fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
