//! A reading position in borrowed bytes: every length check of the parser is one of these calls.

/// Walks forward through a slice. A call that asks for more than is left returns `None` and moves
/// nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    #[inline]
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How far it has come in `whole`, the bytes that it started with.
    #[inline]
    pub(crate) const fn offset_in(&self, whole: &[u8]) -> usize {
        whole.len().saturating_sub(self.rest.len())
    }

    #[inline]
    pub(crate) const fn u8(&mut self) -> Option<u8> {
        match self.rest.split_first() {
            Some((&byte, rest)) => {
                self.rest = rest;
                Some(byte)
            }
            None => None,
        }
    }

    /// Two bytes, big endian.
    #[inline]
    pub(crate) const fn u16(&mut self) -> Option<u16> {
        match self.rest.split_first_chunk::<2>() {
            Some((&bytes, rest)) => {
                self.rest = rest;
                Some(u16::from_be_bytes(bytes))
            }
            None => None,
        }
    }

    #[inline]
    pub(crate) const fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Some(taken)
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_order_and_stays_put_when_too_little_is_left() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5]);
        assert_eq!(cursor.u8(), Some(1));
        assert_eq!(cursor.u16(), Some(0x0203));
        assert_eq!(cursor.take(3), None);
        assert_eq!(cursor.rest(), [4, 5]);
        assert_eq!(cursor.take(1), Some(&[4][..]));
        assert_eq!(cursor.u16(), None);
        assert_eq!(cursor.u8(), Some(5));
        assert_eq!(cursor.u8(), None);
        assert_eq!(cursor.take(0), Some(&[][..]));
    }
}
