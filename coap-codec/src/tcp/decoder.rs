//! Messages out of a stream that comes in pieces.

use core::fmt;

use super::frame::{Frame, Head, Limits, Progress, StreamError, parse};
use crate::MessageView;
use crate::copy::copy;

/// Takes the bytes of a stream as they come and gives out the messages in it.
///
/// A message that lies whole in what was received is borrowed from there; one that comes in several
/// pieces is put together in the memory that the decoder was made with, whose size bounds the
/// messages that it takes: announce it as the Max-Message-Size of the CSM (RFC 8323 §5.3.1).
///
/// ```
/// use coap_codec::tcp::Decoder;
///
/// let mut memory = [0; 1152];
/// let mut decoder = Decoder::new(&mut memory);
/// let mut codes = Vec::new();
/// // A 2.03, a CSM, and a GET of which one byte comes later.
/// for received in [&b"\x01\x43\x7f\x00\xe1\x41\x01\x01\xb13\x01"[..], b"0"] {
///     let mut received = received;
///     while let Some(message) = decoder.decode(&mut received)? {
///         codes.push(message.code().to_string());
///     }
/// }
/// assert_eq!(codes, ["2.03", "7.01", "0.01"]);
/// # Ok::<(), coap_codec::tcp::StreamError>(())
/// ```
pub struct Decoder<'b> {
    memory: &'b mut [u8],
    limits: Limits,
    /// How much of the memory holds the beginning of a message.
    filled: usize,
    /// Whether that is a whole message, which was given out before.
    given_out: bool,
    failed: Option<StreamError>,
}

impl<'b> Decoder<'b> {
    /// For messages of up to as many bytes as `memory` has, with tokens of up to 8 bytes.
    pub fn new(memory: &'b mut [u8]) -> Self {
        let limits = Limits::new(memory.len());
        Self { memory, limits, filled: 0, given_out: false, failed: None }
    }

    /// Takes tokens of up to 65804 bytes besides: see [`Limits::with_extended_tokens`].
    #[must_use]
    pub const fn with_extended_tokens(mut self) -> Self {
        self.limits = self.limits.with_extended_tokens();
        self
    }

    /// Reads on in `input`, which is moved past what was read, and gives out the next message. Call it
    /// until it returns `None`: then all of `input` has been read, and more must come.
    ///
    /// # Errors
    ///
    /// [`StreamError`], from then on at every call: see [`parse`].
    pub fn decode<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Result<Option<MessageView<'s>>, StreamError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if core::mem::take(&mut self.given_out) {
            self.filled = 0;
        }
        if self.filled == 0 {
            let received: &'i [u8] = input;
            match parse(received, self.limits) {
                Ok(Frame::Complete { message, length }) => {
                    *input = received.get(length..).unwrap_or_default();
                    return Ok(Some(message));
                }
                Ok(Frame::Incomplete { .. }) => {}
                Err(error) => return Err(self.fail(error)),
            }
        }
        loop {
            let kept = self.memory.get(..self.filled).unwrap_or_default();
            match Head::read(kept, self.limits) {
                Ok(Progress::Whole(_)) => break,
                Ok(Progress::Missing(missing)) => {
                    if !self.take(input, missing) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(self.fail(error)),
            }
        }
        self.given_out = true;
        let kept = self.memory.get(..self.filled).unwrap_or_default();
        match parse(kept, self.limits) {
            Ok(Frame::Complete { message, .. }) => Ok(Some(message)),
            Ok(Frame::Incomplete { .. }) => Ok(None),
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// How many bytes it holds of a message that is not whole yet. When the stream ends and this is
    /// not 0, its end is missing.
    #[must_use]
    pub const fn pending(&self) -> usize {
        if self.given_out { 0 } else { self.filled }
    }

    /// Moves up to `missing` bytes over; whether there were any.
    fn take(&mut self, input: &mut &[u8], missing: usize) -> bool {
        let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        // There is room: what is missing belongs to a message that is no longer than the memory.
        let room = self.memory.get_mut(self.filled..).and_then(|free| free.get_mut(..taken.len()));
        let Some(room) = room.filter(|room| !room.is_empty()) else { return false };
        copy(room, taken);
        self.filled = self.filled.saturating_add(taken.len());
        *input = rest;
        true
    }

    fn fail(&mut self, error: StreamError) -> StreamError {
        self.failed = Some(error);
        error
    }
}

impl fmt::Debug for Decoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("limits", &self.limits)
            .field("pending", &self.pending())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
