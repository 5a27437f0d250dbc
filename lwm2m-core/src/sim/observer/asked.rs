//! Register, Update and De-register, as they are on the wire.

use core::time::Duration;

use coap_codec::{Code, Message, MessageId, Token, Values};

use crate::base::time::Instant;

/// A request of the registration interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Register,
    Update,
    Deregister,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) kind: Kind,
    pub(super) id: MessageId,
    pub(super) token: Token,
    pub(super) at: Instant,
    pub(super) lifetime: Option<Duration>,
    pub(super) damaged: bool,
}

impl Asked {
    /// None for what is no request of the registration interface.
    pub(super) fn of(now: Instant, message: &Message<'_>, damaged: bool) -> Option<Self> {
        let kind = match message.code() {
            Code::POST if message.uri_path().eq([b"bs"]) => return None,
            Code::POST if message.uri_query().any(|argument| argument.starts_with(b"ep=")) => Kind::Register,
            Code::POST => Kind::Update,
            Code::DELETE => Kind::Deregister,
            _ => return None,
        };
        let number = |value: &[u8]| core::str::from_utf8(value).ok()?.parse::<u32>().ok();
        let lifetime = message.uri_query().find_map(|argument| argument.strip_prefix(b"lt="));
        let lifetime = lifetime.and_then(number).map(|seconds| Duration::from_secs(u64::from(seconds)));
        let (id, token) = (message.message_id(), message.token());
        Some(Self { kind, id, token, at: now, lifetime, damaged })
    }
}

/// 64 bits of a path.
pub(super) fn digest(path: Values<'_>) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    path.fold(0xcbf2_9ce4_8422_2325, |hash, segment| {
        segment.iter().fold(mix(hash, b'/'), |hash, byte| mix(hash, *byte))
    })
}
