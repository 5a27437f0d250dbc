//! LwM2M JSON (OMA LwM2M 1.0, 6.4.4): `{"bn":"/3/0/","e":[{"n":"0","sv":"a"},{"n":"6/0","v":1}]}`.
//!
//! A value stands under `v`, `bv`, `sv` or `ov`, depending on its type; its path is the base name
//! `bn` and its own name `n`, joined as they are. Times (`bt`, `t`) are for histories in
//! notifications, which this client does not send: a server may give them, and they mean nothing.
//!
//! Inwards a document is held against the grammar once, and then turned into TLV, which is never
//! longer and has all further checks: a value is checked and read in one place whatever it came in.

mod number;
mod reader;
mod syntax;
mod writer;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub(super) use reader::to_tlv;
pub(super) use writer::Writer;
