//! The token, by which an answer finds its request (RFC 7252 §5.3.1).

use core::fmt;

use crate::copy::put;

/// Zero to eight opaque bytes, kept inline.
///
/// The empty token is a value like any other. Tokens order as their bytes do, a prefix before
/// what it begins.
///
/// ```
/// use coap_codec::Token;
///
/// let token = Token::new(&[0x0a, 0xb1])?;
/// assert_eq!(token.as_bytes(), [0x0a, 0xb1]);
/// assert_eq!(token.to_string(), "0ab1");
/// assert_eq!(token, Token::from([0x0a, 0xb1]));
/// assert!(Token::new(&[0; 9]).is_err());
/// # Ok::<(), coap_codec::TokenTooLong>(())
/// ```
// The bytes behind `length` are always zero, so that the derived comparisons are right.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    bytes: [u8; Self::MAX_LEN],
    length: u8,
}

/// More than eight bytes were given for a [`Token`].
///
/// Longer ones exist between peers that agreed on them (RFC 8974), as slices: see
/// [`MessageView::parse_with_extended_token`](crate::MessageView::parse_with_extended_token) and
/// [`MessageWriter::with_extended_token`](crate::MessageWriter::with_extended_token).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a token has at most 8 bytes, not {length}")]
pub struct TokenTooLong {
    /// How many bytes were given.
    pub length: usize,
}

impl Token {
    /// The longest token, in bytes.
    pub const MAX_LEN: usize = 8;

    /// The token of no bytes.
    pub const EMPTY: Self = Self { bytes: [0; Self::MAX_LEN], length: 0 };

    /// Copies up to eight bytes.
    ///
    /// # Errors
    ///
    /// [`TokenTooLong`] when there are more.
    #[inline]
    pub fn new(bytes: &[u8]) -> Result<Self, TokenTooLong> {
        // Most tokens are as long as they may be, or empty: these need no copy by length.
        if let Ok(bytes) = bytes.try_into() {
            return Ok(Self { bytes, length: 8 });
        }
        let mut token = Self::EMPTY;
        if bytes.is_empty() {
            return Ok(token);
        }
        match (put(&mut token.bytes, bytes), u8::try_from(bytes.len())) {
            (Some(_), Ok(length)) => token.length = length,
            _ => return Err(TokenTooLong { length: bytes.len() }),
        }
        Ok(token)
    }

    /// The bytes that travel in the message.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len()).unwrap_or_default()
    }

    /// How many bytes it has, 0 to 8.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length as usize
    }

    /// The length as a header holds it.
    #[inline]
    pub(crate) const fn wire_len(&self) -> u8 {
        self.length
    }

    /// Puts the token to the front of `room`, which has room for it.
    ///
    /// Where there is room for eight bytes, eight are written: that is one store.
    #[inline]
    pub(crate) fn write(self, room: &mut [u8]) {
        match room.first_chunk_mut() {
            Some(room) => *room = self.bytes,
            None => write_into_little(self.bytes, self.length, room),
        }
    }

    /// Whether it is the token of no bytes.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// It takes the token apart, so that the caller can keep it in registers.
#[cold]
fn write_into_little(bytes: [u8; Token::MAX_LEN], length: u8, room: &mut [u8]) {
    put(room, Token { bytes, length }.as_bytes());
}

/// Of each length that a token may have.
macro_rules! from_arrays {
    ($($length:literal)*) => {
        $(
            impl From<[u8; $length]> for Token {
                fn from(bytes: [u8; $length]) -> Self {
                    Self::new(&bytes).unwrap_or_default()
                }
            }
        )*
    };
}

from_arrays! { 0 1 2 3 4 5 6 7 8 }

impl TryFrom<&[u8]> for Token {
    type Error = TokenTooLong;

    fn try_from(bytes: &[u8]) -> Result<Self, TokenTooLong> {
        Self::new(bytes)
    }
}

impl AsRef<[u8]> for Token {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Two hex digits a byte, nothing at all for the empty token.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn takes_zero_to_eight_bytes() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        for length in 0..=8 {
            let token = Token::new(&bytes[..length]).unwrap();
            assert_eq!(token.as_bytes(), &bytes[..length]);
            assert_eq!(token.len(), length);
            assert_eq!(token.is_empty(), length == 0);
        }
        assert_eq!(Token::new(&[]), Ok(Token::EMPTY));
        assert_eq!(Token::from([]), Token::EMPTY);
        assert_eq!((Token::from([1, 2, 3]).as_bytes(), Token::from([9; 8]).as_bytes()), (&[1, 2, 3][..], &[9; 8][..]));
        assert_eq!(crate::WriteError::from(Token::new(&bytes).unwrap_err()), crate::WriteError::TokenTooLong);
        assert_eq!(Token::default(), Token::EMPTY);
    }

    #[test]
    fn refuses_nine() {
        let error = Token::new(&[0; 9]).unwrap_err();
        assert_eq!(error.length, 9);
        assert_eq!(error.to_string(), "a token has at most 8 bytes, not 9");
        assert!(Token::new(&[0; 300]).is_err());
    }

    #[test]
    fn zeros_are_bytes_too_and_order_is_that_of_slices() {
        let samples: [&[u8]; 7] = [&[], &[0], &[0, 0], &[0, 1], &[1], &[1, 0], &[0xff; 8]];
        for left in samples {
            for right in samples {
                let (a, b) = (Token::new(left).unwrap(), Token::new(right).unwrap());
                assert_eq!(a.cmp(&b), left.cmp(right), "{a:?} {b:?}");
                assert_eq!(a == b, left == right);
            }
        }
    }

    #[test]
    fn shows_hex() {
        let token = Token::from([0, 1, 0x0f, 0xff, 4, 5, 6, 7]);
        assert_eq!(token.to_string(), "00010fff04050607");
        assert_eq!(alloc::format!("{token:?}"), "Token(00010fff04050607)");
        assert_eq!(Token::EMPTY.to_string(), "");
    }
}
