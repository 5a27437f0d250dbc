//! The value of No-Response: which answers a client can do without (RFC 7967 §2).

use crate::Code;

/// One bit for each class of responses that the client has no interest in.
///
/// A server that heeds it sends no such response, and to a confirmable request an empty ACK in its
/// place, so that the client stops sending it again. It may as well answer (§2.1).
///
/// ```
/// use coap_codec::{Code, NoResponse};
///
/// let quiet = NoResponse::SUCCESS | NoResponse::SERVER_ERROR;
/// assert_eq!(quiet, NoResponse(18));
/// assert!(quiet.suppresses(Code::CHANGED));
/// assert!(!quiet.suppresses(Code::NOT_FOUND));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NoResponse(pub u8);

impl NoResponse {
    /// All responses are welcome, as without the option.
    pub const NONE: Self = Self(0);
    /// No 2.xx.
    pub const SUCCESS: Self = Self(1 << 1);
    /// No 4.xx.
    pub const CLIENT_ERROR: Self = Self(1 << 3);
    /// No 5.xx.
    pub const SERVER_ERROR: Self = Self(1 << 4);
    /// No response at all.
    pub const ALL: Self = Self(26);

    /// Whether the client can do without a response of this code. Always false for a code that is
    /// no response's.
    #[must_use]
    pub const fn suppresses(self, code: Code) -> bool {
        self.0 != 0 && code.is_response() && self.0 & (1 << code.class().saturating_sub(1)) != 0
    }
}

impl core::ops::BitOr for NoResponse {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7967 §2.1, and combinations.
    #[test]
    fn each_bit_is_a_class() {
        let (ok, not_found, unavailable) = (Code::CONTENT, Code::NOT_FOUND, Code::SERVICE_UNAVAILABLE);
        for (bits, suppressed) in [
            (0, [false, false, false]),
            (2, [true, false, false]),
            (8, [false, true, false]),
            (16, [false, false, true]),
            (10, [true, true, false]),
            (26, [true, true, true]),
            // Bits without a meaning change nothing.
            (0b1110_0101, [false, false, false]),
        ] {
            assert_eq!(
                [ok, not_found, unavailable].map(|code| NoResponse(bits).suppresses(code)),
                suppressed,
                "{bits}"
            );
        }
        assert!(!NoResponse(255).suppresses(Code::EMPTY));
        assert!(!NoResponse(255).suppresses(Code::GET));
        assert!(!NoResponse(255).suppresses(Code::CSM));
        assert_eq!(NoResponse::SUCCESS | NoResponse::CLIENT_ERROR | NoResponse::SERVER_ERROR, NoResponse::ALL);
        assert_eq!(NoResponse::SUCCESS | NoResponse::SUCCESS, NoResponse::SUCCESS, "a set");
        assert_eq!(NoResponse::default(), NoResponse::NONE);
    }
}
