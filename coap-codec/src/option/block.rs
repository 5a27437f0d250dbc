//! The value of Block1 and Block2: which part of a body a message carries or asks for
//! (RFC 7959 §2.2).

use core::fmt;
use core::ops::Range;

use super::decode_uint;

/// Block number, "more" flag and block size.
///
/// ```
/// use coap_codec::BlockValue;
///
/// // Block 1 in blocks of 16 bytes is asked for, of a body of 40.
/// let body = b"0123456789abcdef0123456789abcdef01234567";
/// let asked = BlockValue::new(1, false, 0)?;
/// let range = asked.range(body.len()).ok_or("behind the end")?;
/// let answer = asked.with_more(range.end < body.len());
/// assert_eq!((answer.to_string().as_str(), &body[range]), ("1/1/16", &b"0123456789abcdef"[..]));
///
/// // What the client asks for then, and where the body ends.
/// let last = answer.next().ok_or("too many blocks")?;
/// assert_eq!((last.to_string().as_str(), last.range(body.len())), ("2/0/16", Some(32..40)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockValue(
    /// As it is sent: the number, a bit for "more", and three for the size exponent.
    u32,
);

const MORE: u32 = 8;
const SZX: u32 = 7;

/// What is wrong with the value of a Block1 or Block2 option, or with the parts that are to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// More than three bytes: an option of a length that is out of range (RFC 7252 §5.4.3).
    #[error("block option longer than 3 bytes")]
    TooLong,
    /// Size exponent 7, reserved over UDP: a request with it is answered by 4.00 (RFC 7959 §2.2).
    #[error("reserved block size exponent 7")]
    ReservedSize,
    /// A size exponent above 7, which the three bits cannot hold.
    #[error("block size exponent above 7")]
    SizeOutOfRange,
    /// A block number of more than 20 bits.
    #[error("block number above 1048575")]
    NumberTooLarge,
    /// An offset that no block of this size begins at.
    #[error("offset is not a multiple of the block size")]
    Misaligned,
}

impl BlockValue {
    /// The largest block number, 2^20 - 1.
    pub const MAX_NUM: u32 = 0xf_ffff;

    /// The largest size exponent over UDP, for blocks of 1024 bytes.
    pub const MAX_SZX: u8 = 6;

    /// Block `num` of the blocks of 2^(`szx` + 4) bytes.
    ///
    /// # Errors
    ///
    /// [`BlockError::NumberTooLarge`] above [`MAX_NUM`](Self::MAX_NUM),
    /// [`BlockError::ReservedSize`] for a `szx` of 7, [`BlockError::SizeOutOfRange`] above.
    pub const fn new(num: u32, more: bool, szx: u8) -> Result<Self, BlockError> {
        match szx {
            7 => Err(BlockError::ReservedSize),
            8.. => Err(BlockError::SizeOutOfRange),
            _ if num > Self::MAX_NUM => Err(BlockError::NumberTooLarge),
            _ => Ok(Self::of(num, more, szx as u32)),
        }
    }

    /// The block of 2^(`szx` + 4) bytes that begins `offset` bytes into the body.
    ///
    /// Use it to go on after the peer asked for smaller blocks (RFC 7959 §2.4, §2.5).
    ///
    /// # Errors
    ///
    /// [`BlockError::Misaligned`] if none begins there, else as [`new`](Self::new).
    pub const fn at_offset(offset: u32, more: bool, szx: u8) -> Result<Self, BlockError> {
        let block = match Self::new(0, more, szx) {
            Ok(block) => block,
            Err(error) => return Err(error),
        };
        if offset.trailing_zeros() < block.shift() {
            return Err(BlockError::Misaligned);
        }
        Self::new(offset >> block.shift(), more, szx)
    }

    /// Reads the value of a Block1 or Block2 option.
    ///
    /// # Errors
    ///
    /// [`BlockError::TooLong`] or [`BlockError::ReservedSize`]: a request with the first is
    /// refused by 4.02, one with the second by 4.00.
    pub fn from_value(value: &[u8]) -> Result<Self, BlockError> {
        if value.len() > 3 {
            return Err(BlockError::TooLong);
        }
        let uint = decode_uint(value).ok_or(BlockError::TooLong)?;
        // In 3 bytes no number is too large.
        match uint & SZX {
            SZX => Err(BlockError::ReservedSize),
            _ => Ok(Self(uint)),
        }
    }

    /// A BERT block, which exists over TCP alone: any number of blocks of 1024 bytes in one message,
    /// of which `num` is the first (RFC 8323 §6).
    ///
    /// It may be used towards a peer whose CSM allows it:
    /// [`Capabilities::allows_bert`](crate::tcp::Capabilities::allows_bert).
    ///
    /// # Errors
    ///
    /// [`BlockError::NumberTooLarge`].
    ///
    /// ```
    /// use coap_codec::BlockValue;
    ///
    /// let block = BlockValue::bert(3, true)?;
    /// assert_eq!((block.szx(), block.offset()), (7, 3072));
    /// assert!(block.fits(8 * 1024) && !block.fits(1000));
    /// assert_eq!(block.to_string(), "3/1/BERT");
    /// # Ok::<(), coap_codec::BlockError>(())
    /// ```
    pub const fn bert(num: u32, more: bool) -> Result<Self, BlockError> {
        if num > Self::MAX_NUM { Err(BlockError::NumberTooLarge) } else { Ok(Self::of(num, more, SZX)) }
    }

    /// Reads the value of a Block1 or Block2 option that came over TCP, where size exponent 7 means
    /// [BERT](Self::bert) (RFC 8323 §6).
    ///
    /// # Errors
    ///
    /// [`BlockError::TooLong`].
    pub fn from_tcp_value(value: &[u8]) -> Result<Self, BlockError> {
        match (Self::from_value(value), decode_uint(value)) {
            (Err(BlockError::ReservedSize), Some(uint)) => Ok(Self(uint)),
            (decoded, _) => decoded,
        }
    }

    /// Whether the message may carry several blocks: see [`bert`](Self::bert).
    #[inline]
    #[must_use]
    pub const fn is_bert(self) -> bool {
        self.0 & SZX == SZX
    }

    /// The largest size exponent whose blocks have at most `size` bytes: `None` below 16, and 6 from
    /// 1024 on.
    ///
    /// ```
    /// use coap_codec::BlockValue;
    ///
    /// // Blocks for messages with 600 bytes left for a payload.
    /// assert_eq!(BlockValue::szx_for(600), Some(5));
    /// assert_eq!(BlockValue::new(0, true, 5)?.size(), 512);
    /// # Ok::<(), coap_codec::BlockError>(())
    /// ```
    #[must_use]
    pub const fn szx_for(size: usize) -> Option<u8> {
        match size.checked_ilog2() {
            None | Some(0..4) => None,
            Some(bits @ 4..10) => Some((bits.wrapping_sub(4) & SZX) as u8),
            Some(_) => Some(Self::MAX_SZX),
        }
    }

    /// The same block, with this "more" flag.
    #[must_use]
    pub const fn with_more(self, more: bool) -> Self {
        Self::of(self.num(), more, self.0 & SZX)
    }

    /// The block behind this one, without the "more" flag, as a request for it has it (RFC 7959
    /// §2.4); `None` behind [`MAX_NUM`](Self::MAX_NUM).
    ///
    /// [BERT](Self::bert) messages may carry several blocks: go on there by the number of those that
    /// came.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        if self.num() < Self::MAX_NUM { Some(Self::of(self.num().wrapping_add(1), false, self.0 & SZX)) } else { None }
    }

    /// Which bytes the block has of a body of `body_len` bytes: as many as a full one, or those that
    /// are left at the end. `None` if it begins behind the end, as only the first may be empty.
    ///
    /// Of a [BERT](Self::bert) message it is the first block.
    #[must_use]
    pub const fn range(self, body_len: usize) -> Option<Range<usize>> {
        let start = (self.num() as usize).saturating_mul(self.size());
        if start >= body_len && start != 0 {
            return None;
        }
        let end = start.saturating_add(self.size());
        Some(Range { start, end: if end < body_len { end } else { body_len } })
    }

    /// The option's value as a uint of at most 24 bits.
    #[must_use]
    pub const fn to_uint(self) -> u32 {
        self.0
    }

    /// The block's number, from 0, in units of its own size.
    #[inline]
    #[must_use]
    pub const fn num(self) -> u32 {
        self.0 >> 4
    }

    /// Whether further blocks follow, where the option describes a payload.
    #[inline]
    #[must_use]
    pub const fn more(self) -> bool {
        self.0 & MORE != 0
    }

    /// The size exponent, 0 to 6; 7 for [BERT](Self::bert).
    #[inline]
    #[must_use]
    pub const fn szx(self) -> u8 {
        (self.0 & SZX) as u8
    }

    /// Bytes in a full block: 16 to 1024, and 1024 for each block of a [BERT](Self::bert) message.
    #[inline]
    #[must_use]
    pub const fn size(self) -> usize {
        1 << self.shift()
    }

    /// Where in the body the block begins, in bytes: below 2^30.
    #[inline]
    #[must_use]
    pub const fn offset(self) -> u32 {
        self.num() << self.shift()
    }

    /// Whether a payload of `length` bytes is right for a message that this option describes: a
    /// full block if more follow, else no more than that (RFC 7959 §2.2). With
    /// [BERT](Self::bert) one or more full blocks, else any length (RFC 8323 §6).
    #[inline]
    #[must_use]
    pub const fn fits(self, length: usize) -> bool {
        match (self.is_bert(), self.more()) {
            (false, true) => length == self.size(),
            (false, false) => length <= self.size(),
            (true, true) => length != 0 && length.is_multiple_of(self.size()),
            (true, false) => true,
        }
    }

    #[inline]
    const fn shift(self) -> u32 {
        // At most 10: BERT counts in blocks of 1024 bytes.
        if self.is_bert() { 10 } else { (self.0 & SZX).wrapping_add(4) }
    }

    #[inline]
    const fn of(num: u32, more: bool, szx: u32) -> Self {
        Self((num << 4) | if more { MORE } else { 0 } | szx)
    }
}

/// Its three parts, by their names.
impl fmt::Debug for BlockValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (num, more, szx) = (self.num(), self.more(), self.szx());
        f.debug_struct("BlockValue").field("num", &num).field("more", &more).field("szx", &szx).finish()
    }
}

/// `number/more/size`, as RFC 7959 writes it; the size of a BERT block is `BERT`.
impl fmt::Display for BlockValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.num(), u8::from(self.more()))?;
        if self.is_bert() { f.write_str("BERT") } else { write!(f, "{}", self.size()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_constructor_takes_what_the_option_can_hold() {
        assert!(BlockValue::new(0xf_ffff, true, 6).is_ok());
        let refused = |num, szx| BlockValue::new(num, false, szx).unwrap_err();
        assert_eq!(refused(0x10_0000, 6), BlockError::NumberTooLarge);
        assert_eq!(refused(0, 7), BlockError::ReservedSize);
        assert_eq!(refused(0, 8), BlockError::SizeOutOfRange);
        assert_eq!(refused(u32::MAX, u8::MAX), BlockError::SizeOutOfRange);
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes")]
    fn every_value_of_24_bits_reads_back_or_is_of_the_reserved_size() {
        for uint in (0..0x100_0000_u32).step_by(97).chain([0xff_ffff]) {
            match BlockValue::from_value(&uint.to_be_bytes()[1..]) {
                Ok(block) => {
                    assert_eq!(block.to_uint(), uint);
                    assert_eq!(block.offset() as usize, block.num() as usize * block.size());
                }
                Err(error) => {
                    assert_eq!(uint & 7, 7);
                    assert_eq!(error, BlockError::ReservedSize);
                }
            }
        }
    }

    #[test]
    fn too_many_bytes_and_the_reserved_size_are_told_apart() {
        let error = BlockValue::from_value(&[0, 0, 0, 7]).unwrap_err();
        assert_eq!(error, BlockError::TooLong);
        assert_eq!(error.to_string(), "block option longer than 3 bytes");
        let error = BlockValue::from_value(&[7]).unwrap_err();
        assert_eq!(error, BlockError::ReservedSize);
        assert_eq!(error.to_string(), "reserved block size exponent 7");
    }

    #[test]
    fn leading_zeros_are_accepted() {
        let block = BlockValue::new(1, true, 2);
        assert_eq!(BlockValue::from_value(&[0x1a]), block);
        assert_eq!(BlockValue::from_value(&[0, 0, 0x1a]), block);
        assert_eq!(BlockValue::from_value(&[]), BlockValue::new(0, false, 0), "no byte is block 0 of 16 bytes");
    }

    #[test]
    fn a_smaller_size_goes_on_at_the_same_offset() {
        // 1024 bytes were taken, and 64 at a time are wanted from now on.
        let block = BlockValue::at_offset(1024, true, 2).unwrap();
        assert_eq!(block.num(), 16);
        assert_eq!(block.to_string(), "16/1/64");
        assert_eq!(BlockValue::at_offset(1000, true, 2), Err(BlockError::Misaligned));
        assert_eq!(BlockValue::at_offset(1 << 30, false, 6), Err(BlockError::NumberTooLarge));
        assert_eq!(BlockValue::at_offset(0, false, 7), Err(BlockError::ReservedSize));
    }

    // RFC 8323 §6.
    #[test]
    fn bert_counts_in_blocks_of_1024_bytes() {
        let block = BlockValue::from_tcp_value(&[0x3f]).unwrap();
        assert_eq!(block, BlockValue::bert(3, true).unwrap());
        assert!(block.is_bert());
        assert_eq!((block.size(), block.offset(), block.to_uint()), (1024, 3072, 0x3f));
        assert!(block.fits(1024) && block.fits(5120) && !block.fits(0) && !block.fits(1025));
        let last = BlockValue::bert(8, false).unwrap();
        assert!(last.fits(0) && last.fits(4711));
        assert_eq!(BlockValue::bert(BlockValue::MAX_NUM + 1, false), Err(BlockError::NumberTooLarge));
        assert_eq!(BlockValue::from_tcp_value(&[0; 4]), Err(BlockError::TooLong));
        assert_eq!(BlockValue::from_tcp_value(&[0x1a]), BlockValue::from_value(&[0x1a]));
        assert_eq!(BlockValue::from_tcp_value(&[0xff; 3]).unwrap().offset(), 0xf_ffff << 10);
    }

    #[test]
    fn the_blocks_of_a_body_are_all_of_it() {
        for body_len in [0, 1, 15, 16, 17, 32, 40, 1024, 1025] {
            for szx in 0..=6 {
                let mut block = BlockValue::new(0, false, szx).unwrap();
                let mut end = 0;
                while let Some(range) = block.range(body_len) {
                    assert_eq!(range.start, end);
                    end = range.end;
                    let described = block.with_more(end < body_len);
                    assert!(described.fits(range.len()) && described.more() == (end < body_len));
                    block = described.next().unwrap();
                    assert!(!block.more());
                }
                assert_eq!(end, body_len);
                assert_eq!(block.num() as usize, body_len.div_ceil(block.size()).max(1));
            }
        }
        let last = BlockValue::new(BlockValue::MAX_NUM, true, 6).unwrap();
        assert_eq!(last.next(), None);
        assert_eq!(last.range(1 << 30), Some((1 << 30) - 1024..1 << 30));
        assert_eq!(last.range((1 << 30) - 1024), None);
    }

    #[test]
    fn the_size_that_fits_is_the_largest() {
        for size in 0..3000 {
            let largest = (0..=6).rev().find(|szx| 1 << (szx + 4) <= size);
            assert_eq!(BlockValue::szx_for(size), largest, "{size}");
        }
        for szx in 0..=6 {
            let block = BlockValue::new(0, false, szx).unwrap();
            assert_eq!((block.szx(), BlockValue::szx_for(block.size())), (szx, Some(szx)));
        }
    }

    #[test]
    fn only_the_last_block_may_be_short() {
        let more = BlockValue::new(0, true, 1).unwrap();
        assert!(more.fits(32));
        assert!(!more.fits(31) && !more.fits(33) && !more.fits(0));
        let last = BlockValue::new(0, false, 1).unwrap();
        assert!(last.fits(0) && last.fits(32));
        assert!(!last.fits(33));
    }
}
