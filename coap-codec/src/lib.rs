#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// docs.rs says beside each item which feature brings it.
#![cfg_attr(docsrs, feature(doc_cfg))]
// Nothing here acts by itself: a header that is made and dropped sends no Reset.
#![warn(clippy::must_use_candidate, clippy::return_self_not_must_use)]
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

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod check;
mod code;
mod content_format;
mod copy;
mod cursor;
mod cut;
mod derived;
mod error;
mod getters;
mod header;
pub mod link_format;
mod message;
mod option;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "bytes")]
mod shared;
#[cfg(feature = "bytes")]
mod shared_writer;
mod show;
pub mod tcp;
mod text;
mod token;
mod uri;
mod view;
mod writer;

#[cfg(feature = "bytes")]
pub use bytes;
pub use check::{Consequence, OptionFault, OptionFaultReason, OptionFaults, Reaction, Refusal};
pub use code::Code;
pub use content_format::ContentFormat;
pub use error::{ParseError, ParseErrorKind, WriteError};
pub use header::{Header, MessageId, MessageKind, MessageType};
pub use message::Message;
pub use option::{
    BlockError, BlockValue, CoapOption, NoResponse, OPTION_REGISTRY, OptionContext, OptionDefinition, OptionFormat,
    OptionNumber, Options, Values, observe,
};
#[cfg(feature = "bytes")]
pub use shared::SharedMessage;
#[cfg(feature = "bytes")]
pub use shared_writer::BufMutWriter;
pub use token::{Token, TokenTooLong};
pub use uri::{Scheme, Uri, UriComposeError, UriError};
pub use view::MessageView;
pub use writer::MessageWriter;
