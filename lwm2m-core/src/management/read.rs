//! Read (OMA LwM2M 1.0, 5.4.1), and the content of notifications.

use coap_codec::{BlockValue, Code, MessageWriter};

use super::content::{self, Head};
use super::operation::{Observe, Wanted};
use super::{Effect, Effects, Observing, Target, find, permit};
use crate::base::event::Event;
use crate::base::path::{Leaf, MAX_ID, Path};
use crate::base::rights::Rights;
use crate::base::value::{DataType, Value};
use crate::format::{Encoder, Format, Output};
use crate::model::{Ctx, DataModel, Joined, Origin, Refusal, walk};
use crate::objects::Accounts;

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
    match content::write_whole(head, writer, encode) {
        Some(written) => written?,
        None => content::write_in_blocks(head, writer, &mut { encode })?,
    }
    Ok(format)
}

/// What a Read causes that was answered in this format.
pub(super) fn effects(
    origin: Origin,
    wanted: &Wanted,
    (observe, sequence): (Option<Observe>, Option<u32>),
    format: Format,
) -> Effects {
    let path = wanted.path;
    let news = match (sequence, origin) {
        (Some(_), Origin::Server(server)) => Some(Event::Observed { server, path }),
        // The blocks after the first one belong to the same Read.
        _ if wanted.block2.is_some_and(|block| block.num() > 0) => None,
        (_, origin) => Some(Event::Read { origin, path }),
    };
    let block = wanted.block2.map(BlockValue::szx);
    let observing = match (observe, sequence) {
        (Some(Observe::Cancel), _) => Some(Observing::Ends),
        (_, sequence) => sequence.map(|sequence| Observing::Begins { path, format, sequence, block }),
    };
    Effects { news, effect: observing.map(Effect::Observing) }
}

/// A resource's value that lies ready.
struct Ready<'a> {
    at: Leaf,
    value: Value<'a>,
    target: Target,
    data_type: DataType,
}

impl<'a> Ready<'a> {
    /// The value of a single resource that whoever asks may read. None when it does not lie ready, or anything
    /// speaks against it.
    #[inline(always)]
    fn find(ctx: &Ctx, path: Path, (accounts, model): (&'a Accounts, &'a dyn DataModel)) -> Option<Self> {
        let at = path.leaf()?;
        let part = if accounts.object(at.object).is_some() { accounts } else { model };
        // What has a value is there, and so is all above it.
        let ready = part.ready(ctx, at);
        let value = *ready.as_ref()?;
        let object = part.object(at.object)?;
        let resource = object.resource(at.resource)?;
        let rights = accounts.rights(ctx, at.object, at.instance) & model.rights(ctx, at.object, at.instance);
        if !rights.contains(Rights::READ) {
            return None;
        }
        let target = Target { object, resource: Some(resource) };
        readable(&target).ok()?;
        Some(Self { at, value, target, data_type: resource.data_type })
    }

    /// Writes it in a format for one value, after the options.
    #[inline(always)]
    fn write(&self, format: Format, writer: &mut MessageWriter<'_>) -> Option<()> {
        writer.content_format(format.content_format()).ok()?;
        match format.as_it_lies(self.data_type, &self.value) {
            Some(bytes) => writer.payload(bytes).ok(),
            None => writer
                .payload_with::<Refusal>(|room| {
                    Ok(format.write_single(self.data_type, self.value, Output::new(room))?)
                })
                .ok(),
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
    let ready = Ready::find(ctx, wanted.path, parts)?;
    let format = choose_format(wanted, &ready.target).ok().filter(|format| format.for_single_value_only())?;
    ready.write(format, writer)
}

/// The same into a notification that begins; where the value is, and the value.
pub(crate) fn tell_ready<'a>(
    ctx: &Ctx,
    (path, format, sequence): (Path, Format, u32),
    parts: (&'a Accounts, &'a dyn DataModel),
    writer: &mut MessageWriter<'_>,
) -> Option<(Leaf, Value<'a>)> {
    let ready = Ready::find(ctx, path, parts).filter(|_| format.for_single_value_only())?;
    writer.observe(sequence).ok()?;
    ready.write(format, writer)?;
    Some((ready.at, ready.value))
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
            Some(_) => Format::TEXT,
            None => Format::TLV,
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
