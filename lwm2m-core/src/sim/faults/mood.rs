//! An application that is not always willing.

use core::cell::{Cell, RefCell};

use alloc::vec::Vec;

use coap_codec::Code;

use crate::base::definition::ObjectDef;
use crate::base::path::Leaf;
use crate::base::rights::Rights;
use crate::base::value::Sink;
use crate::model::{Args, Change, Ctx, DataModel, Origin, Part, Refusal, Resources, Ticket};

/// How an application takes what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mood {
    /// It does it.
    Willing,
    /// It refuses with this code.
    Refusing(Code),
    /// It answers later.
    Late,
}

/// A model with moods, around any other.
#[derive(Clone, Debug)]
pub struct Moody<M> {
    /// The model itself.
    pub model: M,
    /// How it takes what servers ask.
    pub mood: Cell<Mood>,
    tickets: RefCell<Vec<Ticket>>,
    /// Where the next part of a large value goes, of each sender.
    streams: Vec<(Origin, Leaf, u64)>,
}

impl<M> Moody<M> {
    /// A willing one.
    pub const fn new(model: M) -> Self {
        Self { model, mood: Cell::new(Mood::Willing), tickets: RefCell::new(Vec::new()), streams: Vec::new() }
    }

    /// The oldest request that waits to be run again.
    pub fn take_ticket(&self) -> Option<Ticket> {
        let mut tickets = self.tickets.borrow_mut();
        if tickets.is_empty() { None } else { Some(tickets.remove(0)) }
    }

    fn consent(&self, ctx: &Ctx) -> Result<(), Refusal> {
        match (self.mood.get(), ctx.origin) {
            (Mood::Refusing(code), Origin::Server(_)) => Err(Refusal::Code(code)),
            (Mood::Late, Origin::Server(_)) if !ctx.resumed => {
                // Without a ticket it is a notification, or there is no room: later is never then.
                self.tickets.borrow_mut().extend(ctx.ticket);
                Err(Refusal::Later)
            }
            _ => Ok(()),
        }
    }
}

impl<M: DataModel> DataModel for Moody<M> {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        self.model.next_object(after)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        self.model.next_instance(object, after)
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.model.next_resource(object, instance, after)
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.consent(ctx)?;
        self.model.read(ctx, at, out)
    }

    fn read_instance(&self, ctx: &Ctx, object: u16, instance: u16, out: &mut dyn Resources) -> Result<(), Refusal> {
        self.consent(ctx)?;
        self.model.read_instance(ctx, object, instance, out)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        self.consent(ctx)?;
        self.model.check(ctx, change)
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        self.model.apply(ctx, change);
    }

    /// Each part comes once, and in order.
    ///
    /// # Panics
    /// When it does not.
    fn stream(&mut self, ctx: &Ctx, at: Leaf, part: Part<'_>) -> Result<(), Refusal> {
        let own = |stream: &(Origin, Leaf, u64)| (stream.0, stream.1) == (ctx.origin, at);
        let next = self.streams.iter().find(|stream| own(stream)).map(|stream| stream.2);
        assert!(part.offset == 0 || next == Some(part.offset), "{part:?} of {at} comes, and {next:?} is next");
        let taken = self.consent(ctx).and_then(|()| self.model.stream(ctx, at, part));
        if !matches!(taken, Err(Refusal::Later | Refusal::Code(Code::SERVICE_UNAVAILABLE))) {
            self.streams.retain(|stream| !own(stream));
        }
        if taken.is_ok() && !part.last {
            self.streams.push((ctx.origin, at, part.offset + part.bytes.len() as u64));
        }
        taken
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        self.consent(ctx)?;
        self.model.execute(ctx, at, args)
    }

    fn rights(&self, ctx: &Ctx, object: u16, instance: u16) -> Rights {
        self.model.rights(ctx, object, instance)
    }
}
