//! Notifications that are kept, in a snapshot: the newest that there is room for.

use coap_codec::Token;

use super::SnapshotError;
use super::bytes::{Reader, Writer};
use crate::reporting::Reporting;

/// How many of the oldest must be left out, so that the rest takes `room` bytes at most.
pub(super) fn left_out(reporting: &Reporting, room: usize) -> usize {
    let all = reporting.all_kept().fold(0usize, |sum, record| sum.saturating_add(record.size()));
    let mut excess = all.saturating_sub(room);
    let too_many = reporting.all_kept().take_while(|record| {
        let is_one = excess > 0;
        excess = excess.saturating_sub(record.size());
        is_one
    });
    too_many.count()
}

/// Writes them without the `first` ones, which count as dropped. Each takes as many bytes as in memory.
pub(super) fn write(reporting: &Reporting, first: usize, out: &mut Writer<'_>) {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let all = reporting.all_kept().count();
    let first = first.min(all);
    out.u32(reporting.dropped().saturating_add(count(first)));
    out.u32(count(all.saturating_sub(first)));
    for record in reporting.all_kept().skip(first) {
        let (server, token) = record.observer;
        out.u16(server);
        out.u8(u8::try_from(token.len()).unwrap_or(0));
        out.raw(token.as_bytes());
        out.bytes(record.payload);
    }
}

/// Reads them, once their observations are there.
pub(super) fn read(reporting: &mut Reporting, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
    reporting.set_dropped(input.u32()?);
    for _ in 0..input.u32()? {
        let server = input.u16()?;
        let len = input.u8()?;
        let token = Token::new(input.raw(usize::from(len))?).map_err(|_| SnapshotError::Damaged)?;
        if !reporting.put_kept((server, token), input.bytes()?) {
            return Err(SnapshotError::Limits);
        }
    }
    Ok(())
}
