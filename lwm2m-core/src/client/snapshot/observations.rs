//! Observations, and attributes that servers set.

use core::num::NonZeroU64;
use core::time::Duration;

use coap_codec::{BlockValue, ContentFormat, MessageId, Token};

use super::SnapshotError;
use super::bytes::{Reader, Writer};
use crate::base::attributes::Attributes;
use crate::base::number::Number;
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::format::Format;
use crate::reporting::{Assignment, Observation, Periods, Reporting};

/// The observer did not ask for a block size.
const ANY_BLOCK: u8 = u8::MAX;

pub(super) fn write_path(path: Path, out: &mut Writer<'_>) {
    out.u8(u8::try_from(path.depth()).unwrap_or(0));
    path.levels().iter().for_each(|id| out.u16(*id));
}

pub(super) fn read_path(input: &mut Reader<'_>) -> Result<Path, SnapshotError> {
    let mut path = Path::ROOT;
    for _ in 0..input.u8()? {
        path = path.child(input.u16()?).ok_or(SnapshotError::Damaged)?;
    }
    Ok(path)
}

const PENDING: u8 = 1;
const MOVED: u8 = 2;
const OWED: u8 = 4;

pub(super) fn write_observation(
    now: Instant,
    observation: &Observation,
    owed: bool,
    reporting: &Reporting,
    out: &mut Writer<'_>,
) {
    let ago = |then: Instant| now.saturating_duration_since(then).as_micros() as u64;
    out.u16(observation.server);
    out.u8(u8::try_from(observation.token.len()).unwrap_or(0));
    out.raw(observation.token.as_bytes());
    write_path(observation.path, out);
    out.u16(observation.format.content_format().0);
    out.u32(observation.sequence);
    out.u64(observation.digest);
    // A confirmable notification on its way may be lost with the memory: it is told again, or it is
    // kept still.
    let lost = observation.in_flight.is_some() && !observation.replays;
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    out.u8(flag(observation.pending || lost, PENDING) | flag(observation.moved, MOVED) | flag(owed, OWED));
    out.u8(observation.block.unwrap_or(ANY_BLOCK));
    out.u64(ago(observation.notified));
    out.u64(ago(observation.confirmed));
    out.option(observation.last.map(|id| u32::from(id.0)));
    out.u16(u16::try_from(reporting.numbers(observation).count()).unwrap_or(u16::MAX));
    for (index, number) in reporting.numbers(observation).take(usize::from(u16::MAX)) {
        out.option(index.map(u32::from));
        out.u64(number.bits().get());
    }
}

pub(super) fn read_observation(
    now: Instant,
    elapsed: Duration,
    reporting: &mut Reporting,
    input: &mut Reader<'_>,
) -> Result<(), SnapshotError> {
    let server = input.u16()?;
    let len = input.u8()?;
    let token = Token::new(input.raw(usize::from(len))?).map_err(|_| SnapshotError::Damaged)?;
    let path = read_path(input)?;
    let format = Format::from_content_format(ContentFormat(input.u16()?)).ok_or(SnapshotError::Damaged)?;
    let (sequence, digest, flags) = (input.u32()?, input.u64()?, input.u8()?);
    let block = Some(input.u8()?).filter(|block| *block != ANY_BLOCK);
    if block.is_some_and(|block| block > BlockValue::MAX_SZX) {
        return Err(SnapshotError::Damaged);
    }
    let (notified, confirmed) = (Duration::from_micros(input.u64()?), Duration::from_micros(input.u64()?));
    let last = input.option()?.and_then(|id| u16::try_from(id).ok()).map(MessageId);
    let mut observation = Observation {
        server,
        token,
        path,
        format,
        block,
        periods: Periods::default(),
        sequence,
        digest,
        measured: 0,
        pending: flags & PENDING != 0,
        moved: flags & MOVED != 0,
        suspected: false,
        owed: flags & OWED != 0,
        // Before the embedder's zero there is no instant: what lies that far back is over anyway.
        notified: now.saturating_sub(notified.saturating_add(elapsed)),
        confirmed: now.saturating_sub(confirmed.saturating_add(elapsed)),
        in_flight: None,
        replays: false,
        last,
    };
    let numbers = input.u16()?;
    let mut fit = true;
    for _ in 0..numbers {
        let index = input.option()?.and_then(|index| u16::try_from(index).ok());
        fit &= reporting.put_number(&observation, index, read_number(input)?);
    }
    // What is to be told anew is compared with nothing.
    observation.measured = if fit && !observation.is_untold() { numbers } else { 0 };
    reporting.put(observation);
    Ok(())
}

/// Each attribute with a byte before it that says whether it is set.
pub(super) fn write_assignment(Assignment { server, path, attributes }: &Assignment, out: &mut Writer<'_>) {
    out.u16(*server);
    write_path(*path, out);
    out.option(attributes.pmin);
    out.option(attributes.pmax);
    for number in [attributes.gt, attributes.lt, attributes.st] {
        out.u8(u8::from(number.is_some()));
        if let Some(number) = number {
            out.u64(number.bits().get());
        }
    }
}

pub(super) fn read_assignment(input: &mut Reader<'_>) -> Result<Assignment, SnapshotError> {
    let (server, path) = (input.u16()?, read_path(input)?);
    let (pmin, pmax) = (input.option()?, input.option()?);
    let mut number = || match input.u8()? {
        0 => Ok(None),
        _ => read_number(input).map(Some),
    };
    let attributes = Attributes { pmin, pmax, gt: number()?, lt: number()?, st: number()? };
    Ok(Assignment { server, path, attributes })
}

fn read_number(input: &mut Reader<'_>) -> Result<Number, SnapshotError> {
    NonZeroU64::new(input.u64()?).map(Number::from_bits).ok_or(SnapshotError::Damaged)
}
