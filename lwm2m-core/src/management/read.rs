//! Read (OMA LwM2M 1.0, 5.4.1), and the content of notifications.

use coap_codec::{BlockValue, Code, MessageWriter};

use super::content::{self, Head};
use super::operation::Wanted;
use super::{Target, find, permit};
use crate::base::features::{SHORTCUTS, TEXT};
use crate::base::path::{Leaf, MAX_ID, Path};
use crate::base::rights::Rights;
use crate::base::value::{DataType, Value};
use crate::format::{Encoder, Format, Output};
use crate::model::{Ctx, DataModel, Joined, Refusal, walk};
use crate::objects::Accounts;

#[inline(never)]
pub(super) fn serve(
    ctx: &Ctx,
    wanted: &Wanted,
    sequence: Option<u32>,
    model: &Joined<'_, Accounts, dyn DataModel + '_>,
    writer: &mut MessageWriter<'_>,
) -> Result<Format, Refusal> {
    let path = wanted.path;
    // Of all that is asked of the model, only rights are for both parts of it to say.
    let part = model.part(path.object_id().unwrap_or(MAX_ID));
    let target = find(ctx, path, Rights::READ, part)?;
    permit(ctx, path, Rights::READ, model)?;
    readable(&target)?;
    if wanted.has_query {
        return Err(Code::BAD_REQUEST.into());
    }
    let format = choose_format(wanted, &target)?;
    let head = Head { sequence, format: format.content_format(), block: wanted.block2 };
    // In an object there may be instances that must not be read.
    let part = if path.depth() < 2 { model } else { part };
    let encode = |output: Output<'_>| walk::encode_target(ctx, path, &target, part, Encoder::new(format, path, output));
    if SHORTCUTS {
        match content::write_whole(head, writer, encode) {
            Some(written) => written?,
            None => content::write_in_blocks(head, writer, &mut { encode })?,
        }
    } else {
        content::write(head, writer, &mut { encode })?;
    }
    Ok(format)
}

/// Uses the value of a single resource that lies ready, if whoever asks may read it.
#[inline(always)]
fn with_ready<'a, R>(
    ctx: &Ctx,
    at: Leaf,
    (accounts, model): (&'a Accounts, &'a dyn DataModel),
    then: impl FnOnce(&Target, DataType, &Value<'a>) -> Option<R>,
) -> Option<R> {
    let part = if accounts.object(at.object).is_some() { accounts } else { model };
    // What has a value is there, and so is all above it.
    let ready = part.ready(ctx, at);
    let value = ready.as_ref()?;
    let object = part.object(at.object)?;
    let resource = object.resource(at.resource)?;
    let rights = accounts.rights(ctx, at.object, at.instance) & model.rights(ctx, at.object, at.instance);
    if !rights.contains(Rights::READ) {
        return None;
    }
    let target = Target { object, resource: Some(resource) };
    readable(&target).ok()?;
    then(&target, resource.data_type, value)
}

/// Writes it in a format for one value, after other options.
#[inline(always)]
fn write_ready(format: Format, data_type: DataType, value: &Value<'_>, writer: &mut MessageWriter<'_>) -> Option<()> {
    writer.content_format(format.content_format()).ok()?;
    match format.as_it_lies(data_type, value) {
        Some(bytes) => writer.payload(bytes).ok(),
        None => {
            let single = |room: &mut [u8]| Ok(format.write_single(data_type, *value, Output::new(room))?);
            writer.payload_with::<Refusal>(single).ok()
        }
    }
}

/// Writes the value of a resource that lies ready, in a format for one value, into an answer that begins:
/// the answer to a plain GET. None when there is none, or anything speaks against it: then [`serve`] says what.
pub(crate) fn serve_ready(
    ctx: &Ctx,
    wanted: &Wanted,
    parts: (&Accounts, &dyn DataModel),
    writer: &mut MessageWriter<'_>,
) -> Option<()> {
    with_ready(ctx, wanted.path.leaf()?, parts, |target, data_type, value| {
        let format = choose_format(wanted, target).ok().filter(|format| format.for_single_value_only())?;
        write_ready(format, data_type, value, writer)
    })
}

/// The same into a notification that begins. What is told is `noted` then.
#[inline]
pub(crate) fn tell_ready(
    ctx: &Ctx,
    (path, format, sequence): (Path, Format, u32),
    parts: (&Accounts, &dyn DataModel),
    writer: &mut MessageWriter<'_>,
    noted: impl FnOnce(Leaf, &Value<'_>),
) -> Option<()> {
    let at = path.leaf().filter(|_| format.for_single_value_only())?;
    with_ready(ctx, at, parts, |_, data_type, value| {
        writer.observe(sequence).ok()?;
        write_ready(format, data_type, value, writer)?;
        noted(at, value);
        Some(())
    })
}

/// A single resource must be readable; of anything larger, what is not readable is left out.
pub(super) fn readable(target: &Target) -> Result<(), Code> {
    let readable = target.resource.is_none_or(|resource| resource.operations.readable());
    if readable { Ok(()) } else { Err(Code::METHOD_NOT_ALLOWED) }
}

/// What Accept asks for, or our own choice: text for a single value, raw bytes for an opaque one,
/// else TLV (OMA LwM2M 1.0, 6.4).
fn choose_format(wanted: &Wanted, target: &Target) -> Result<Format, Code> {
    let single = target.resource.filter(|resource| !resource.multiple && wanted.path.depth() == 3);
    let Some(accept) = wanted.accept else {
        let format = match single.map(|resource| resource.data_type) {
            Some(DataType::Opaque) => Format::OPAQUE,
            Some(_) if TEXT => Format::TEXT,
            _ => Format::TLV,
        };
        return Ok(format.chosen(wanted.legacy));
    };
    let format = Format::understood(accept, wanted.legacy).ok_or(Code::NOT_ACCEPTABLE)?;
    let fits = match single {
        None => !format.for_single_value_only(),
        // Raw bytes say nothing of a number.
        Some(resource) => !format.is_opaque() || resource.data_type == DataType::Opaque,
    };
    if fits { Ok(format) } else { Err(Code::NOT_ACCEPTABLE) }
}

/// Writes a 2.05 with a body that is made elsewhere.
pub(crate) fn write_body(
    (format, sequence, block): (Format, Option<u32>, Option<BlockValue>),
    writer: &mut MessageWriter<'_>,
    body: &mut dyn FnMut(Output<'_>) -> Result<usize, Refusal>,
) -> Result<(), Refusal> {
    content::write(Head { sequence, format: format.content_format(), block }, writer, body)
}
