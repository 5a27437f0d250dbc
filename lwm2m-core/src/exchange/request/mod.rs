//! The request layer: tokens, and answers that come later (RFC 7252, section 5).

pub(crate) mod deferred;
pub(crate) mod pending;
