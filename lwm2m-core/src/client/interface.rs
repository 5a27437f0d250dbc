//! What the client tells its runtime: orders, what became of a datagram, and why something was refused.

use coap_codec::Uri;

use crate::base::event::Reason;
use crate::exchange::{Failure, Peer};

/// An order to the runtime. The orders come in the sequence in which they must be carried out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// Make sure that datagrams can pass to and from a server: resolve the name, open a socket,
    /// shake hands. Say what came of it with [`Client::connected`](crate::Client::connected) or [`Client::connection_failed`](crate::Client::connection_failed).
    /// It may come again for the same peer, when its path was lost.
    Connect {
        /// The peer that this server is from now on.
        peer: Peer,
        /// Its URI, as its account has it: host and port to resolve and to open a socket to.
        uri: Uri<'a>,
        /// How the session is to be secured.
        security: Security<'a>,
    },
    /// Send these bytes as one datagram. If that fails, drop them: they count as lost.
    Transmit {
        /// Whom to.
        peer: Peer,
        /// What.
        datagram: &'a [u8],
    },
    /// The peer is not needed any more: close what was opened for it.
    Disconnect {
        /// Which one.
        peer: Peer,
    },
}

/// How a session is to be secured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Security<'a> {
    /// Not at all: plain UDP.
    NoSec,
    /// DTLS with a pre-shared key.
    Psk {
        /// The identity (/0/x/3).
        identity: &'a [u8],
        /// The key (/0/x/5).
        key: &'a [u8],
    },
}

impl core::fmt::Debug for Security<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoSec => f.write_str("NoSec"),
            Self::Psk { identity, .. } => f.debug_struct("Psk").field("identity", identity).finish_non_exhaustive(),
        }
    }
}

/// What became of a datagram, for statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Received {
    /// A request that reached the model, or was refused with a code.
    Request,
    /// A request that nobody may make now: ignored (OMA LwM2M 1.0, 5.3.1).
    Unwelcome,
    /// The response to a request of ours.
    Response,
    /// An acknowledgement of something of ours.
    Acknowledgement,
    /// A rejection of something of ours.
    Reset,
    /// A repetition of something that was received before.
    Duplicate,
    /// A ping, answered.
    Ping,
    /// No CoAP message, or one that must not be.
    Malformed,
    /// An answer to nothing that we know of.
    Unexpected,
    /// A request that could not be remembered, refused with 5.03; without a word when it came by multicast.
    Overloaded,
    /// From a peer that we do not know.
    Stranger,
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// No account has this Short Server ID.
    #[error("no server has this short server id")]
    UnknownServer,
    /// The server is not registered with.
    #[error("not registered with this server")]
    NotRegistered,
    /// The request was answered already, or its time was over.
    #[error("the ticket is stale")]
    StaleTicket,
    /// Access Control has no room for it, or cannot speak of such a path.
    #[error("access control cannot take this")]
    AccessControl,
}

impl From<Failure> for Reason {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TimedOut => Self::TimedOut,
            Failure::Reset => Self::Reset,
            Failure::Unusable => Self::BadAnswer,
        }
    }
}
