#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// A datagram comes from anyone: nothing in it may lead to a panic or to a wrapped number.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]

#[cfg(test)]
extern crate alloc;

mod code;
mod content_format;
mod cursor;
mod error;
mod header;
mod message;
mod option;
#[cfg(feature = "bytes")]
mod shared;
mod token;
mod uri;
mod writer;

pub use code::Code;
pub use content_format::ContentFormat;
pub use error::{ParseError, ParseErrorKind, Reaction, WriteError};
pub use header::{Header, MessageId, MessageKind, MessageType};
pub use message::Message;
pub use option::{
    BlockError, BlockValue, CoapOption, OptionDefinition, OptionFormat, OptionNumber, Options, REGISTRY, Values,
    observe,
};
#[cfg(feature = "bytes")]
pub use shared::SharedMessage;
pub use token::{Token, TokenTooLong};
pub use uri::{Uri, UriError};
pub use writer::MessageWriter;
