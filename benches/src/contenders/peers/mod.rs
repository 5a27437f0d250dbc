//! Other codecs, each used as its documentation shows.

pub(super) mod coap_lite;
pub(super) mod message_implementations;
pub(super) mod minicoap;
pub(super) mod toad_msg;
