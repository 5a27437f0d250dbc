//! Values for fuzzing: every value that a type can have, and no other.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::{
    BlockValue, Code, ContentFormat, Header, MessageId, MessageType, NoResponse, OPTION_REGISTRY, OptionNumber, Token,
};

impl<'a> Arbitrary<'a> for Code {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary().map(Self::from_byte)
    }
}

impl<'a> Arbitrary<'a> for MessageId {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary().map(Self)
    }
}

impl<'a> Arbitrary<'a> for ContentFormat {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary().map(Self)
    }
}

impl<'a> Arbitrary<'a> for NoResponse {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary().map(Self)
    }
}

/// Mostly a registered one, as those have rules to break.
impl<'a> Arbitrary<'a> for OptionNumber {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.ratio(3, 4)? { u.choose(OPTION_REGISTRY).map(|row| row.number) } else { u.arbitrary().map(Self) }
    }
}

impl<'a> Arbitrary<'a> for MessageType {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::Confirmable, Self::NonConfirmable, Self::Acknowledgement, Self::Reset]).copied()
    }
}

impl<'a> Arbitrary<'a> for Header {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { message_type: u.arbitrary()?, code: u.arbitrary()?, message_id: u.arbitrary()? })
    }
}

impl<'a> Arbitrary<'a> for Token {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let length = u.int_in_range(0..=Self::MAX_LEN)?;
        Self::new(u.bytes(length)?).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

/// One that fits into a datagram: no BERT block.
impl<'a> Arbitrary<'a> for BlockValue {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let num = u.int_in_range(0..=Self::MAX_NUM)?;
        Self::new(num, u.arbitrary()?, u.int_in_range(0..=Self::MAX_SZX)?)
            .map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}
