//! CoAP over TCP and TLS: messages out of a stream of bytes, and signaling (RFC 8323).
//!
//! | wanted | call |
//! |---|---|
//! | messages out of pieces of any size, with a buffer of bounded size | [`Decoder::decode`] |
//! | the message at the front of a buffer of your own | [`parse`] |
//! | a frame to send | [`MessageWriter::finish_tcp`](crate::MessageWriter::finish_tcp) |
//! | CSM, Ping, Pong, Release, Abort, read | [`Signal::parse`] |
//! | the same, written | [`write_csm`], [`write_ping`], [`write_pong`], [`write_release`], [`write_abort`] |
//! | what the peer can take, after all of its CSMs | [`Capabilities`] |
//!
//! Who sends what and when is not here: that each side begins with a CSM, that a Ping is answered by
//! a Pong with its token, and that a [`StreamError`] ends the connection with an Abort.

mod decoder;
mod frame;
mod signal;

pub use decoder::Decoder;
pub use frame::{Frame, Limits, StreamError, parse};
pub(crate) use signal::option_name;
pub use signal::{
    Abort, AlternativeAddresses, BadSignal, Capabilities, Csm, Release, Signal, write_abort, write_csm, write_ping,
    write_pong, write_release,
};
