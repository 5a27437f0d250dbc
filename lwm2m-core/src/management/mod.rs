//! Device Management: from an operation to what it does to the model, its answer, and its effects
//! (OMA LwM2M 1.0, 5.4; for bootstrap commands 5.2.7).
//!
//! Every operation checks in the same order, so that the first fault decides the code: the object
//! and its parts exist (4.04), the right to it (4.01), the operation fits (4.05), the query (4.00),
//! the format (4.00, 4.15, 4.06), the values (4.00), and then the application's own refusal.

mod attributes;
mod bootstrap_discover;
mod change;
mod content;
mod discover;
mod execute;
pub(crate) mod operation;
pub(crate) mod read;
pub(crate) mod stream;
mod well_known;

pub(crate) use self::change::remove;
pub(crate) use self::read::{serve_ready, tell_ready};

use coap_codec::{BlockValue, Code, MessageWriter, OptionNumber, WriteError};

use self::operation::{Kind, Observe, Operation, Unfit, Wanted};
use crate::base::attributes::{Assigned, Attributes};
use crate::base::event::Event;
use crate::base::features::{DISCOVERY, REPORTING};
use crate::base::path::{MAX_ID, Path};
use crate::base::rights::Rights;
use crate::format::Format;
use crate::model::list::{has_instance, has_resource};
use crate::model::walk::Target;
use crate::model::{Ctx, DataModel, Joined, Origin, Refusal, refusing};
use crate::objects::{Accounts, SECURITY, Trigger};

/// What an operation causes elsewhere. The answer goes out first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// The news of it.
    pub(crate) news: Option<Event>,
    /// What there is to them besides.
    pub(crate) effect: Option<Effect>,
}

/// What an operation causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// What is at this path may have changed, for observers; and the Server object was told to do this.
    Changed(Path, Option<Trigger>),
    /// What was at this path is gone, for observers.
    Deleted(Path),
    /// The server's attributes at this path are these from now on.
    Assigned(Path, Attributes),
    /// This becomes of the observation with the request's token.
    Observing(Observing),
}

/// What a Read with an Observe option asks for besides its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observing {
    /// It begins; `sequence` is in the answer.
    Begins {
        path: Path,
        format: Format,
        sequence: u32,
        /// The block size that the observer asked for, as its exponent.
        block: Option<u8>,
    },
    Ends,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// An answer was written, and what it causes noted.
    Answered,
    /// The application answers later.
    Later,
}

/// Answers a request that is no operation. None: leave it unanswered.
pub(crate) fn refuse(unfit: Unfit, confirmable: bool, writer: &mut MessageWriter<'_>) -> Option<()> {
    match unfit {
        Unfit::Code(code) => writer.restart(code),
        // RFC 7252, section 5.4.1: only a confirmable request is answered, and told which option.
        Unfit::Option(number) if confirmable => {
            writer.restart(Code::BAD_OPTION);
            let _ = name_option(number, writer);
        }
        Unfit::Option(_) => return None,
    }
    Some(())
}

/// `option 9`: short enough for the answer to be kept for duplicates, whatever the token.
fn name_option(number: OptionNumber, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
    let mut text = *b"opt 00000";
    let digits = crate::base::decimal::write_u64(u64::from(number.0), text.get_mut(4..).unwrap_or_default());
    let len = digits.map_or(3, |digits| digits.saturating_add(4));
    writer.payload(text.get(..len).unwrap_or_default())
}

/// Runs an operation on the model and writes its answer. `sequence` is the Observe value of an
/// answer that begins an observation; without one an Observe is a plain read. `assigned` is what the
/// server that asks has set. What it causes is put into `effects`, which are none before.
pub(crate) fn serve(
    ctx: &Ctx,
    operation: &Operation<'_>,
    sequence: Option<u32>,
    assigned: &dyn Assigned,
    model: &mut Joined<'_, Accounts, dyn DataModel + '_>,
    writer: &mut MessageWriter<'_>,
    effects: &mut Effects,
) -> Served {
    let mut path = operation.path;
    let result = match (operation.kind, ctx.origin) {
        // Only reading can be done once more for a further block; and no other answer has one.
        (kind, _) if !kind.is_read() && !operation.begins_answer() => Err(Code::BAD_REQUEST.into()),
        (Kind::Read(_), Origin::Bootstrap) => Err(Code::METHOD_NOT_ALLOWED.into()),
        (Kind::Read(observe), _) => {
            let wanted = operation.wanted();
            let sequence = sequence.filter(|_| observe == Some(Observe::Register));
            read::serve(ctx, &wanted, sequence, model, writer).map(|format| {
                let block = wanted.block2.map(BlockValue::szx);
                let begins = sequence.map(|sequence| Observing::Begins { path, format, sequence, block });
                let observing = if observe == Some(Observe::Cancel) { Some(Observing::Ends) } else { begins };
                effects.effect = observing.map(Effect::Observing);
            })
        }
        (Kind::Discover, Origin::Bootstrap) => bootstrap_discover::serve(operation, model, writer),
        (Kind::Discover, _) => discover::serve(ctx, operation, assigned, model, writer),
        (Kind::WellKnown, Origin::Server(_) | Origin::Local) if DISCOVERY => {
            well_known::serve(operation, model, writer)
        }
        (Kind::Replace | Kind::Update | Kind::Create, _) => {
            change::write(ctx, operation, model, writer).map(|made| path = made.unwrap_or(path))
        }
        (Kind::Delete, _) => change::delete(ctx, operation, model, writer),
        (Kind::Execute, Origin::Server(_) | Origin::Local) => execute::serve(ctx, operation, model, writer),
        (Kind::WriteAttributes, Origin::Server(_)) if REPORTING => {
            attributes::serve(ctx, operation, assigned, model, writer, effects)
        }
        (Kind::WriteAttributes | Kind::Finish | Kind::Execute | Kind::WellKnown, _) => {
            Err(Code::METHOD_NOT_ALLOWED.into())
        }
    };
    match result {
        Ok(()) => {
            effects.news = news(operation, ctx.origin, path, effects);
            if effects.effect.is_none() {
                effects.effect = effect(operation);
            }
            Served::Answered
        }
        Err(refusal) => {
            let served = turn_down(ctx, refusal, writer);
            // An observation ends with an error, whether it was to go on or to end (RFC 7641, section 4.1).
            if served == Served::Answered && matches!(operation.kind, Kind::Read(Some(_))) {
                effects.effect = Some(Effect::Observing(Observing::Ends));
            }
            served
        }
    }
}

/// The news of an operation on `path` that was carried out.
fn news(operation: &Operation<'_>, origin: Origin, path: Path, effects: &Effects) -> Option<Event> {
    Some(match operation.kind {
        Kind::Read(_) => match (effects.effect, origin) {
            (Some(Effect::Observing(Observing::Begins { .. })), Origin::Server(server)) => {
                Event::Observed { server, path }
            }
            // The blocks after the first one belong to the same Read.
            _ if !operation.begins_answer() => return None,
            _ => Event::Read { origin, path },
        },
        Kind::Replace | Kind::Update => Event::Written { origin, path },
        Kind::Create => Event::Created { origin, path },
        Kind::Delete => Event::Deleted { origin, path },
        Kind::Execute => Event::Executed { origin, path },
        Kind::Discover | Kind::WellKnown | Kind::WriteAttributes | Kind::Finish => return None,
    })
}

/// What an operation causes that was carried out, besides what it said itself.
#[cfg_attr(not(feature = "shortcuts"), inline(never))]
fn effect(operation: &Operation<'_>) -> Option<Effect> {
    let path = operation.path;
    let trigger = match (operation.kind, path.leaf()) {
        (Kind::Execute, Some(at)) => Trigger::of(at.object, at.instance, at.resource),
        (Kind::Execute | Kind::Replace | Kind::Update | Kind::Create, _) => None,
        (Kind::Delete, _) => return Some(Effect::Deleted(path)),
        _ => return None,
    };
    // One resource may change others of its instance: a package that was written, the state.
    let beside = path.leaf().map_or(path, |at| Path::instance(at.object, at.instance));
    Some(Effect::Changed(beside, trigger))
}

/// The same for a plain GET. The second is whether something was read.
#[inline]
pub(crate) fn read(
    ctx: &Ctx,
    wanted: &Wanted,
    model: &Joined<'_, Accounts, dyn DataModel + '_>,
    writer: &mut MessageWriter<'_>,
) -> (Served, bool) {
    match read::serve(ctx, wanted, None, model, writer) {
        Ok(_) => (Served::Answered, true),
        Err(refusal) => (turn_down(ctx, refusal, writer), false),
    }
}

/// The answer to an operation that is not carried out, or not yet.
#[cold]
fn turn_down(ctx: &Ctx, refusal: Refusal, writer: &mut MessageWriter<'_>) -> Served {
    let code = match refusal {
        Refusal::Later if ctx.ticket.is_some() => return Served::Later,
        Refusal::Later => Code::SERVICE_UNAVAILABLE,
        Refusal::Code(code) => refusing(code),
    };
    writer.restart(code);
    Served::Answered
}

/// Finds what `path` names, and whether whoever asks has a right to it: the first two checks of the order
/// above. A resource must be there, unless a Write may bring it.
pub(crate) fn resolve(ctx: &Ctx, path: Path, right: Rights, model: &dyn DataModel) -> Result<Target, Code> {
    let target = find(ctx, path, right, model)?;
    permit(ctx, path, right, model)?;
    Ok(target)
}

/// The first of the two. Of the model only the part is asked that has the object.
fn find(ctx: &Ctx, path: Path, right: Rights, part: &dyn DataModel) -> Result<Target, Code> {
    let id = path.object_id().ok_or(Code::METHOD_NOT_ALLOWED)?;
    if id == SECURITY && matches!(ctx.origin, Origin::Server(_)) {
        return Err(Code::UNAUTHORIZED);
    }
    let object = part.object(id).ok_or(Code::NOT_FOUND)?;
    let Some(instance) = path.instance_id() else { return Ok(Target { object, resource: None }) };
    if !has_instance(part, id, instance) {
        return Err(Code::NOT_FOUND);
    }
    let Some(resource) = path.resource_id() else { return Ok(Target { object, resource: None }) };
    let there = right == Rights::WRITE || has_resource(part, id, instance, resource);
    let resource = object.resource(resource).filter(|_| there).ok_or(Code::NOT_FOUND)?;
    Ok(Target { object, resource: Some(resource) })
}

/// The second.
fn permit(ctx: &Ctx, path: Path, right: Rights, model: &dyn DataModel) -> Result<(), Code> {
    let instance = match path.instance_id() {
        Some(instance) => instance,
        None if right == Rights::CREATE => MAX_ID,
        // All else asks for the right to each instance, or for none.
        None => return Ok(()),
    };
    let rights = path.object_id().map_or(Rights::NONE, |object| model.rights(ctx, object, instance));
    if rights.contains(right) { Ok(()) } else { Err(Code::UNAUTHORIZED) }
}

/// Unknown Uri-Query on an operation that knows none (4.00).
fn no_query(operation: &Operation<'_>) -> Result<(), Code> {
    if operation.has_query { Err(Code::BAD_REQUEST) } else { Ok(()) }
}

/// The payload's format: 4.00 without one, 4.15 for one that is not supported.
fn payload_format(operation: &Operation<'_>) -> Result<Format, Code> {
    let format = operation.content_format.ok_or(Code::BAD_REQUEST)?;
    Format::understood(format, operation.places.legacy).ok_or(Code::UNSUPPORTED_CONTENT_FORMAT)
}
