//! Requests of servers: who may ask now, the answer, and what it causes afterwards.

use alloc::vec::Vec;

use coap_codec::{Code, Message, MessageWriter, Token};

use super::incoming::Left;
use super::{Client, Connection, Link, Received};
use crate::base::config::Config;
use crate::base::event::{Event, Events};
use crate::base::features::{BLOCKWISE, DISCOVERY, REPORTING};
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::exchange::request::transfers::Transfers;
use crate::exchange::{Reply, SendError, Verdict};
use crate::lifecycle::bootstrap::Parting;
use crate::lifecycle::{Lifecycle, Role};
use crate::management::operation::{Kind, Observe, Operation, Places};
use crate::management::{self, Effect, Effects, Observing, Served};
use crate::model::list::has_instance;
use crate::model::{Ctx, DataModel, Joined, Origin, Ticket};
use crate::objects::{ACCESS_CONTROL, Accounts, SERVER};
use crate::reporting::{Assignment, Reporting};

impl Client {
    /// Takes a request from a peer. The answer is queued before its effects are carried out.
    pub(super) fn request_in(
        &mut self,
        connection: Connection,
        mut reply: Reply,
        message: &Message<'_>,
        model: &mut dyn DataModel,
    ) -> (Received, Left) {
        let now = self.now();
        if let Some(handled) = self.exchange.request_in(now, &mut reply, message) {
            return (handled.into(), Left::after(handled));
        }
        if connection.link == Link::Lingering {
            self.exchange.ignore(&reply);
            return (self.unwelcome(), Left::Nothing);
        }
        if !self.lifecycle.serves(now, connection.role, &self.config) {
            // Its repetition may be welcome.
            self.exchange.forget_request(&reply);
            return (self.unwelcome(), Left::Nothing);
        }
        let deadline = now + self.config.answer_within;
        let wall = self.clock.embedder(now);
        let Self { exchange, transfers, accounts, lifecycle, reporting, events, config, .. } = self;
        let mut floors = Floors { transfers, accounts, lifecycle, reporting, events, config };
        let mut outcome = Outcome::default();
        // Not sent for want of a buffer, it counts as lost; its sender repeats it.
        let _ = exchange.answer(now, &reply, message.as_bytes(), deadline, |writer, ticket| {
            let call = Call { now, wall, role: connection.role, ticket, resumed: false };
            floors.serve(&call, &reply, message, model, writer, &mut outcome)
        });
        let left = match () {
            () if connection.role == Role::Bootstrap || outcome.stirs() => Left::All,
            () if outcome.goes_on => Left::Planning,
            () => Left::Nothing,
        };
        self.after(connection, &reply, &outcome, model);
        (Received::Request, left)
    }

    /// A request that nobody may make now.
    pub(super) fn unwelcome(&mut self) -> Received {
        self.exchange.tally().unwelcome.count();
        Received::Unwelcome
    }

    /// Answers a request that was deferred, if one is due for the peer.
    #[inline(never)]
    pub(super) fn answer_late(&mut self, connection: Connection, model: &mut dyn DataModel) -> bool {
        let now = self.now();
        let Some((_, ticket)) = self.exchange.due(connection.peer) else {
            return false;
        };
        let deadline = now + self.config.answer_within;
        let wall = self.clock.embedder(now);
        let Self { exchange, transfers, accounts, lifecycle, reporting, events, config, .. } = self;
        let mut floors = Floors { transfers, accounts, lifecycle, reporting, events, config };
        let mut outcome = Outcome::default();
        let mut asked = None;
        let sent = exchange.answer_late(now, ticket, deadline, |writer, request| {
            let Some((reply, message)) = request else {
                writer.restart(Code::SERVICE_UNAVAILABLE);
                return Verdict::Send;
            };
            asked = Some(*reply);
            let call = Call { now, wall, role: connection.role, ticket: Some(ticket), resumed: true };
            floors.serve(&call, reply, &message, model, writer, &mut outcome)
        });
        match sent {
            Ok(sent) => {
                if let Some(reply) = asked {
                    self.after(connection, &reply, &outcome, model);
                    let begins = matches!(outcome.effects.effect, Some(Effect::Observing(Observing::Begins { .. })));
                    if let (Some(sent), Role::Server(server), true) = (sent, connection.role, begins) {
                        self.reporting.began_late((server, reply.token), sent, reply.confirmable);
                    }
                }
                true
            }
            Err(SendError::Busy) => false,
            Err(_) => self.stall(),
        }
    }

    /// What an answered request causes besides its answer.
    fn after(&mut self, connection: Connection, reply: &Reply, outcome: &Outcome, model: &mut dyn DataModel) {
        if let Some(news) = outcome.effects.news {
            self.events.push(news);
        }
        if let Some((parting, lost)) = &outcome.finished {
            self.end_bootstrap(connection, *parting, lost, model);
        } else if let Some(effect) = &outcome.effects.effect {
            self.hand_on(connection.role, reply, effect, model);
        }
    }

    fn hand_on(&mut self, role: Role, reply: &Reply, effect: &Effect, model: &mut dyn DataModel) {
        let now = self.now();
        if let Effect::Deleted(deleted) = *effect {
            self.detach(deleted, role == Role::Bootstrap, model);
        }
        let Role::Server(server) = role else { return };
        self.touch();
        let wall = self.clock.embedder(now);
        let changed = match *effect {
            // Neither is heard of without reporting.
            Effect::Assigned(..) | Effect::Observing(_) if !REPORTING => return,
            Effect::Assigned(path, attributes) => {
                self.reporting.assign(Assignment { server, path, attributes });
                // Periods act by themselves; thresholds, which a resource alone has, may make a change of
                // what was none.
                if path.resource_id().is_some() {
                    self.changed(path, model);
                }
                return self.renew_periods();
            }
            Effect::Observing(Observing::Begins { path, format, sequence, block }) => {
                let joined = Joined(&mut self.accounts, model);
                self.reporting.begin((now, wall), (server, reply.token), (path, format, block), sequence, &joined);
                return self.renew_periods();
            }
            Effect::Observing(Observing::Ends) => return self.cancel(server, reply.token),
            Effect::Changed(changed, trigger) => {
                if let Some(trigger) = trigger {
                    self.lifecycle.trigger(now, trigger, &self.accounts);
                }
                changed
            }
            Effect::Deleted(deleted) => {
                self.reporting.owe(deleted);
                deleted
            }
        };
        self.renew_periods();
        self.changed(changed, model);
        if changed.object_id() == Some(ACCESS_CONTROL) {
            let subject = changed.instance_id().and_then(|id| self.accounts.subject(id));
            self.rights_changed(wall, subject, model);
        }
        self.keep_notifications(true, Some(model));
        let listed = matches!(effect, Effect::Deleted(_)) || changed.depth() == 1;
        if listed {
            // What is said of an instance comes and goes with it.
            self.changed(Path::object(ACCESS_CONTROL), model);
        }
        if listed || changed.object_id() == Some(SERVER) {
            self.reconsider(model);
        }
    }

    /// What is at or below a path may have changed, for observers.
    #[inline(never)]
    pub(super) fn changed(&mut self, path: Path, model: &mut dyn DataModel) {
        let wall = self.clock.embedder(self.now());
        self.reporting.changed(wall, path, &Joined(&mut self.accounts, model));
    }

    /// Forgets what was said of instances at or below a path that are gone; accounts are `spared` while a bootstrap goes on.
    #[inline(never)]
    pub(super) fn detach(&mut self, path: Path, spared: bool, model: &mut dyn DataModel) {
        // They come back when it fails: of them its end decides.
        if !spared {
            self.accounts.detach(path, model);
        }
        let joined = Joined(&mut self.accounts, model);
        let exists = |object, instance| (spared && object == SERVER) || has_instance(&joined, object, instance);
        self.reporting.detach(path, &exists);
    }

    /// An observation is over.
    #[inline(never)]
    pub(super) fn cancel(&mut self, server: u16, token: Token) {
        if let Some(path) = self.reporting.cancel(server, token) {
            self.events.push(Event::ObservationCancelled { server, path });
        }
    }

    /// The accounts are new: sessions with servers begin anew. What is lost with servers that are gone is
    /// deleted.
    fn end_bootstrap(&mut self, bootstrap: Connection, parting: Parting, lost: &[Path], model: &mut dyn DataModel) {
        let now = self.now();
        let wall = self.clock.embedder(now);
        let ctx = Ctx { origin: Origin::Bootstrap, ticket: None, resumed: false, now: wall };
        for &path in lost {
            let (Some(object), Some(instance)) = (path.object_id(), path.instance_id()) else { continue };
            if management::remove(&ctx, object, instance, model).is_ok() {
                self.events.push(Event::Deleted { origin: ctx.origin, path });
            }
        }
        self.reporting.clear();
        self.detach(Path::ROOT, false, model);
        self.reporting.keep_attributes_of(|server| self.accounts.server(server).is_some());
        let other = |client: &Self| {
            let mut others = client.connections.iter().filter(|connection| connection.peer != bootstrap.peer);
            // One lingers at a time: with those of earlier bootstraps there would be more and more.
            others.find(|connection| connection.link != Link::Lingering || parting == Parting::Lingers).copied()
        };
        while let Some(connection) = other(self) {
            self.close(connection);
        }
        // The answer to the Bootstrap-Request may still be on its way; nobody needs it now.
        self.abandon(bootstrap.peer, bootstrap.role);
        match parting {
            Parting::Stays => {}
            Parting::Closes => self.close(bootstrap),
            Parting::Lingers => {
                let until = now + self.exchange.exchange_lifetime();
                self.connections.linger(bootstrap.peer, until);
            }
        }
        self.objects = None;
        self.touch();
    }
}

/// The floors that an operation may reach, apart from the exchange that its answer is written into.
pub(super) struct Floors<'a> {
    pub(super) transfers: &'a mut Transfers,
    pub(super) accounts: &'a mut Accounts,
    pub(super) lifecycle: &'a mut Lifecycle,
    pub(super) reporting: &'a mut Reporting,
    pub(super) events: &'a mut Events,
    pub(super) config: &'a Config,
}

/// When, for whom and how often an operation runs.
pub(super) struct Call {
    pub(super) now: Instant,
    wall: Instant,
    role: Role,
    ticket: Option<Ticket>,
    pub(super) resumed: bool,
}

/// What is left to do once the answer is on its way.
#[derive(Default)]
struct Outcome {
    effects: Effects,
    /// The bootstrap is finished; these instances are lost with servers that are gone.
    finished: Option<(Parting, Vec<Path>)>,
    /// The request waits for its answer, or for more of its body.
    goes_on: bool,
}

impl Outcome {
    /// Whether something may be due because of it. A request that only asked makes nothing due.
    const fn stirs(&self) -> bool {
        self.finished.is_some() || self.effects.effect.is_some()
    }
}

/// Where a peer finds what. The bootstrap server knows nothing of what is served besides.
pub(super) fn places(config: &Config, role: Role) -> Places<'_> {
    let legacy = config.legacy_formats;
    match role {
        Role::Bootstrap => Places { root: "", well_known: false, legacy },
        Role::Server(_) => Places { root: config.root(), well_known: DISCOVERY && config.discovery, legacy },
    }
}

impl Floors<'_> {
    /// Runs a request and writes its answer.
    fn serve(
        &mut self,
        call: &Call,
        reply: &Reply,
        message: &Message<'_>,
        model: &mut dyn DataModel,
        writer: &mut MessageWriter<'_>,
        outcome: &mut Outcome,
    ) -> Verdict {
        let mut operation = Operation::of(message, places(self.config, call.role));
        if let Err(unfit) = operation.read() {
            let answered = management::refuse(unfit, reply.confirmable, writer);
            return answered.map_or(Verdict::Drop, |()| Verdict::Send);
        }
        if call.role == Role::Bootstrap {
            let changes = matches!(operation.kind, Kind::Replace | Kind::Delete);
            self.lifecycle.bootstrap_command(call.now, changes, self.accounts, self.config, self.events);
        }
        if call.role == Role::Bootstrap && operation.kind == Kind::Finish {
            let parting = self.lifecycle.parting(self.accounts, self.config);
            let Self { lifecycle, accounts, config, events, .. } = self;
            let finished = lifecycle.bootstrap_finish(call.now, accounts, config, events, &*model);
            writer.restart(finished.as_ref().map_or_else(|code| *code, |_| Code::CHANGED));
            outcome.finished = finished.ok().map(|lost| (parting, lost));
            return Verdict::Send;
        }
        if !self.offers(call.role, operation.kind) {
            writer.restart(Code::METHOD_NOT_ALLOWED);
            return Verdict::Send;
        }
        let (origin, sequence, asker) = match call.role {
            // It has set nothing: 0 is no server's identifier.
            Role::Bootstrap => (Origin::Bootstrap, None, 0),
            Role::Server(server) => {
                let observes =
                    self.config.information_reporting && operation.kind == Kind::Read(Some(Observe::Register));
                // A repetition asks for its answer again, not for another observation.
                let sequence = match reply.repeated {
                    _ if !observes => None,
                    true => self.reporting.sequence(server, reply.token),
                    false => self.reporting.admit(server, reply.token),
                };
                if observes && !reply.repeated && sequence.is_none() {
                    self.reporting.crowded.count();
                }
                (Origin::Server(server), sequence, server)
            }
        };
        let ctx = Ctx { origin, ticket: call.ticket, resumed: call.resumed, now: call.wall };
        if let (true, Some(block)) = (BLOCKWISE, operation.block1) {
            let from = (reply.peer, message);
            outcome.goes_on = true;
            return self.serve_block(call, &ctx, (&operation, block), from, model, writer, &mut outcome.effects);
        }
        let mut joined = Joined(self.accounts, model);
        let assigned = self.reporting.assigned(asker);
        match management::serve(&ctx, &operation, sequence, &assigned, &mut joined, writer, &mut outcome.effects) {
            Served::Answered => {
                if reply.repeated {
                    outcome.effects = Effects::default();
                }
                Verdict::Send
            }
            Served::Later => {
                outcome.goes_on = true;
                Verdict::Later
            }
        }
    }

    /// Whether the embedder offers this group of operations (DM terminal specification, 6).
    pub(super) fn offers(&self, role: Role, kind: Kind) -> bool {
        match (role, kind) {
            // Discovery has a setting of its own.
            (Role::Bootstrap, _) | (_, Kind::WellKnown) => true,
            (_, Kind::Read(Some(Observe::Register | Observe::Cancel))) => {
                self.config.device_management || self.config.information_reporting
            }
            _ => self.config.device_management,
        }
    }
}
