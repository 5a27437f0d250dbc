//! Signaling messages: what two ends of a connection tell each other about it (RFC 8323 §5).

use core::fmt;
use core::iter::FusedIterator;

use crate::{Code, MessageView, MessageWriter, OptionNumber, Options, Values, WriteError};

/// The options of signaling messages, whose numbers have a meaning in messages of one code alone
/// (RFC 8323 §5.2). They are no [`OptionNumber`]s for the caller: their names would be wrong.
mod option {
    use crate::OptionNumber;

    pub(super) const MAX_MESSAGE_SIZE: OptionNumber = OptionNumber(2);
    pub(super) const BLOCK_WISE_TRANSFER: OptionNumber = OptionNumber(4);
    pub(super) const EXTENDED_TOKEN_LENGTH: OptionNumber = OptionNumber(6);
    pub(super) const CUSTODY: OptionNumber = OptionNumber(2);
    pub(super) const ALTERNATIVE_ADDRESS: OptionNumber = OptionNumber(2);
    pub(super) const HOLD_OFF: OptionNumber = OptionNumber(4);
    pub(super) const BAD_CSM_OPTION: OptionNumber = OptionNumber(2);
}

/// The name of an option in a signaling message of this code.
pub(crate) const fn option_name(code: Code, number: OptionNumber) -> Option<&'static str> {
    Some(match (code, number.0) {
        (Code::CSM, 2) => "Max-Message-Size",
        (Code::CSM, 4) => "Block-Wise-Transfer",
        (Code::CSM, 6) => "Extended-Token-Length",
        (Code::PING | Code::PONG, 2) => "Custody",
        (Code::RELEASE, 2) => "Alternative-Address",
        (Code::RELEASE, 4) => "Hold-Off",
        (Code::ABORT, 2) => "Bad-CSM-Option",
        _ => return None,
    })
}

/// A signaling message, read.
///
/// ```
/// use coap_codec::tcp::{self, Capabilities, Frame, Limits, Signal};
///
/// let mut peer = Capabilities::default();
/// let Frame::Complete { message, .. } = tcp::parse(b"\x40\xe1\x22\x04\x80\x20", Limits::default())? else {
///     panic!("it is whole");
/// };
/// match Signal::parse(&message)? {
///     Signal::Csm(csm) => peer.update(csm),
///     Signal::Ping { .. } => { /* answer by tcp::write_pong with message.token() */ }
///     _ => {}
/// }
/// assert_eq!(peer.max_message_size, 1152);
/// assert!(peer.block_wise_transfer && !peer.allows_bert());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal<'a> {
    /// 7.01: what its sender can take.
    Csm(Csm),
    /// 7.02: to be answered by a Pong with the same token, whatever the token is.
    Ping {
        /// Whether the answer should wait for all that was received before (§5.4.1).
        custody: bool,
    },
    /// 7.03: the answer to a Ping.
    Pong {
        /// Whether all that came before the Ping has been dealt with.
        custody: bool,
    },
    /// 7.04: its sender wants the connection closed in good order.
    Release(Release<'a>),
    /// 7.05: its sender closes the connection at once.
    Abort(Abort<'a>),
    /// A code of class 7 that has no name here.
    Other(Code),
}

/// A signaling message that must end the connection, as it has a critical option that has no meaning
/// in it; or a message that is no signaling message at all.
///
/// Answer by `write_abort(buffer, bad.bad_csm_option(), bad)`: see [`write_abort`] (RFC 8323 §5.3, §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{code:?} is not a signal that can be understood")]
pub struct BadSignal {
    code: Code,
    option: Option<u16>,
}

impl BadSignal {
    /// The code of the message.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The number of the critical option, in the numbers of this code; `None` if the message is no
    /// signaling message.
    #[must_use]
    pub const fn option(&self) -> Option<u16> {
        self.option
    }

    /// What the Abort is to name: the [`option`](Self::option) of a CSM, and none of another message
    /// (RFC 8323 §5.6).
    #[must_use]
    pub const fn bad_csm_option(&self) -> Option<u16> {
        match self.code {
            Code::CSM => self.option,
            _ => None,
        }
    }
}

impl<'a> Signal<'a> {
    /// Reads a message whose code [is signaling](Code::is_signaling).
    ///
    /// All options that are defined so far are elective: one of a wrong length counts for nothing,
    /// and of several that do not repeat the first counts, but for a CSM, where the last does
    /// (§5.3).
    ///
    /// # Errors
    ///
    /// [`BadSignal`] for a critical option, none of which is defined, and for other messages.
    pub fn parse(message: &MessageView<'a>) -> Result<Self, BadSignal> {
        let code = message.code();
        if !code.is_signaling() {
            return Err(BadSignal { code, option: None });
        }
        if let Some(bad) = message.options().find(|option| option.number.is_critical()) {
            return Err(BadSignal { code, option: Some(bad.number.0) });
        }
        let custody = || message.values(option::CUSTODY).next().is_some_and(<[u8]>::is_empty);
        Ok(match code {
            Code::CSM => Self::Csm(Csm::read(message)),
            Code::PING => Self::Ping { custody: custody() },
            Code::PONG => Self::Pong { custody: custody() },
            Code::RELEASE => Self::Release(Release {
                options: message.options().rest(),
                hold_off: message.values(option::HOLD_OFF).next().and_then(|value| uint(value, 3)),
            }),
            Code::ABORT => Self::Abort(Abort {
                bad_csm_option: message
                    .values(option::BAD_CSM_OPTION)
                    .next()
                    .and_then(|value| uint(value, 2))
                    .and_then(|number| u16::try_from(number).ok()),
                diagnostic: core::str::from_utf8(message.payload()).unwrap_or_default(),
            }),
            other => Self::Other(other),
        })
    }
}

/// What one CSM says; what it does not say stays as it was before (RFC 8323 §5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Csm {
    /// The largest message that its sender takes, in bytes from the first of the frame.
    pub max_message_size: Option<u32>,
    /// Whether its sender says that it does block-wise transfers; it cannot be taken back.
    pub block_wise_transfer: bool,
    /// The longest token that its sender takes, in bytes. When read, 8 to 65804: a smaller number
    /// counts for nothing, a larger one for that (RFC 8974 §2.2.1).
    pub extended_token_length: Option<u32>,
}

impl Csm {
    fn read(message: &MessageView<'_>) -> Self {
        let mut csm = Self::default();
        for one in message.options() {
            match one.number {
                option::MAX_MESSAGE_SIZE => {
                    csm.max_message_size = uint(one.value, 4).or(csm.max_message_size);
                }
                option::BLOCK_WISE_TRANSFER => csm.block_wise_transfer |= one.value.is_empty(),
                option::EXTENDED_TOKEN_LENGTH => {
                    let length = uint(one.value, 3).filter(|length| *length >= 8);
                    csm.extended_token_length = length.map(|length| length.min(65804)).or(csm.extended_token_length);
                }
                _ => {}
            }
        }
        csm
    }
}

/// What the peer of a connection can take, by all of its CSMs so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The largest message that may be sent to it, in bytes from the first of the frame.
    pub max_message_size: u32,
    /// Whether it does block-wise transfers.
    pub block_wise_transfer: bool,
    /// The longest token that may be sent to it, in bytes.
    pub max_token_length: u32,
}

/// What holds before the first CSM.
impl Default for Capabilities {
    fn default() -> Self {
        Self { max_message_size: 1152, block_wise_transfer: false, max_token_length: 8 }
    }
}

impl Capabilities {
    /// Takes in what a further CSM says.
    pub fn update(&mut self, csm: Csm) {
        self.max_message_size = csm.max_message_size.unwrap_or(self.max_message_size);
        self.block_wise_transfer |= csm.block_wise_transfer;
        self.max_token_length = csm.extended_token_length.unwrap_or(self.max_token_length);
    }

    /// Whether [BERT](crate::BlockValue::bert) blocks may be sent to it (RFC 8323 §6).
    #[must_use]
    pub const fn allows_bert(&self) -> bool {
        self.block_wise_transfer && self.max_message_size > 1152
    }
}

/// What a Release says (RFC 8323 §5.5).
#[derive(Clone, Copy)]
pub struct Release<'a> {
    /// Of a message that was checked.
    options: &'a [u8],
    /// How many seconds to wait before connecting again, 0 to 2^24 - 1.
    pub hold_off: Option<u32>,
}

impl<'a> Release<'a> {
    /// Where to connect to instead, in the order in which they are to be tried: hosts with or without
    /// a port, as in the authority of a URI.
    #[must_use]
    pub fn alternative_addresses(&self) -> AlternativeAddresses<'a> {
        AlternativeAddresses { values: Values::new(Options::new(self.options), option::ALTERNATIVE_ADDRESS) }
    }
}

/// By addresses and time.
impl PartialEq for Release<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.hold_off == other.hold_off && self.alternative_addresses().eq(other.alternative_addresses())
    }
}

impl Eq for Release<'_> {}

impl fmt::Debug for Release<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Release")
            .field("alternative_addresses", &self.alternative_addresses())
            .field("hold_off", &self.hold_off)
            .finish()
    }
}

/// The addresses of a [`Release`]; those that are no text of 1 to 255 bytes are passed over.
#[derive(Clone)]
pub struct AlternativeAddresses<'a> {
    values: Values<'a>,
}

impl<'a> Iterator for AlternativeAddresses<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let valid = |value: &&[u8]| (1..=255).contains(&value.len());
        self.values.by_ref().filter(valid).find_map(|value| core::str::from_utf8(value).ok())
    }
}

impl FusedIterator for AlternativeAddresses<'_> {}

impl fmt::Debug for AlternativeAddresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// What an Abort says (RFC 8323 §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abort<'a> {
    /// The number of the option of our CSM that the peer cannot understand.
    pub bad_csm_option: Option<u16>,
    /// Text for a person; empty if there is none, or if it is not UTF-8.
    pub diagnostic: &'a str,
}

/// A uint of at most `max_len` bytes.
fn uint(value: &[u8], max_len: usize) -> Option<u32> {
    crate::option::decode_uint(value).filter(|_| value.len() <= max_len)
}

fn begin<'b>(buffer: &'b mut [u8], code: Code, token: &[u8]) -> Result<MessageWriter<'b>, WriteError> {
    MessageWriter::for_tcp(buffer, code, token)
}

/// Writes a CSM, the first message of either side.
///
/// # Errors
///
/// [`WriteError::NoSpace`]; 21 bytes are enough.
///
/// ```
/// use coap_codec::tcp::{Csm, write_csm};
///
/// let csm = Csm { max_message_size: Some(1152), block_wise_transfer: true, ..Csm::default() };
/// assert_eq!(write_csm(&mut [0; 32], csm)?, b"\x40\xe1\x22\x04\x80\x20");
/// # Ok::<(), coap_codec::WriteError>(())
/// ```
pub fn write_csm(buffer: &mut [u8], csm: Csm) -> Result<&[u8], WriteError> {
    let mut message = begin(buffer, Code::CSM, &[])?;
    if let Some(bytes) = csm.max_message_size {
        message.uint(option::MAX_MESSAGE_SIZE, bytes)?;
    }
    if csm.block_wise_transfer {
        message.option(option::BLOCK_WISE_TRANSFER, &[])?;
    }
    if let Some(bytes) = csm.extended_token_length {
        // Three bytes at most (RFC 8974 §2.2.1); longer ones than 65804 cannot be sent anyway.
        message.uint(option::EXTENDED_TOKEN_LENGTH, bytes.min(65804))?;
    }
    message.finish_tcp()
}

/// Writes a Ping; the Pong will have its token.
///
/// # Errors
///
/// [`WriteError::NoSpace`]; 5 bytes and the token are enough.
pub fn write_ping<'b>(buffer: &'b mut [u8], token: &[u8], custody: bool) -> Result<&'b [u8], WriteError> {
    ping_or_pong(buffer, Code::PING, token, custody)
}

/// Writes the answer to a Ping with this token. `custody` says that all that came before the Ping has
/// been dealt with; it must be asked for in the Ping (RFC 8323 §5.4.1).
///
/// # Errors
///
/// [`WriteError::NoSpace`]; 5 bytes and the token are enough.
pub fn write_pong<'b>(buffer: &'b mut [u8], token: &[u8], custody: bool) -> Result<&'b [u8], WriteError> {
    ping_or_pong(buffer, Code::PONG, token, custody)
}

fn ping_or_pong<'b>(buffer: &'b mut [u8], code: Code, token: &[u8], custody: bool) -> Result<&'b [u8], WriteError> {
    let mut message = begin(buffer, code, token)?;
    if custody {
        message.option(option::CUSTODY, &[])?;
    }
    message.finish_tcp()
}

/// Writes a Release: the connection should be closed, and may be made anew at one of these addresses
/// (`host` or `host:port`), not before `hold_off` seconds have passed.
///
/// # Errors
///
/// [`WriteError::NoSpace`]; [`WriteError::ValueTooShort`] and [`WriteError::ValueTooLong`] for an
/// address that has not 1 to 255 bytes; [`WriteError::InvalidValue`] for more than 2^24 - 1 seconds.
pub fn write_release<'b>(
    buffer: &'b mut [u8],
    alternative_addresses: &[&str],
    hold_off: Option<u32>,
) -> Result<&'b [u8], WriteError> {
    let mut message = begin(buffer, Code::RELEASE, &[])?;
    for address in alternative_addresses {
        match address.len() {
            0 => return Err(WriteError::ValueTooShort),
            256.. => return Err(WriteError::ValueTooLong),
            _ => message.option(option::ALTERNATIVE_ADDRESS, address.as_bytes())?,
        }
    }
    if let Some(seconds) = hold_off {
        if seconds > 0xff_ffff {
            return Err(WriteError::InvalidValue);
        }
        message.uint(option::HOLD_OFF, seconds)?;
    }
    message.finish_tcp()
}

/// Writes an Abort, the last message before the connection is closed: with the option if it was a CSM
/// that could not be understood, and with a text for a person, such as the error. It may be empty, and
/// is cut where the buffer ends.
///
/// # Errors
///
/// [`WriteError::NoSpace`].
///
/// ```
/// use coap_codec::tcp::write_abort;
///
/// let mut buffer = [0; 32];
/// let abort = write_abort(&mut buffer, Some(3), "bad")?;
/// assert_eq!(abort, b"\x60\xe5\x21\x03\xffbad");
/// # Ok::<(), coap_codec::WriteError>(())
/// ```
pub fn write_abort(
    buffer: &mut [u8],
    bad_csm_option: Option<u16>,
    diagnostic: impl fmt::Display,
) -> Result<&[u8], WriteError> {
    let mut message = begin(buffer, Code::ABORT, &[])?;
    if let Some(number) = bad_csm_option {
        message.uint(option::BAD_CSM_OPTION, number.into())?;
    }
    message.diagnostic(diagnostic)?;
    message.finish_tcp()
}
