//! The request layer: tokens, answers that come later, and bodies in blocks (RFC 7252, section 5;
//! RFC 7959).

pub(crate) mod deferred;
pub(crate) mod transfers;
pub(crate) mod upload;
