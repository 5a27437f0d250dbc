//! What is due is sent, as soon as its peer has room.

use core::time::Duration;

use coap_codec::{BlockValue, Code, MessageWriter, WriteError};

use super::Client;
use super::connection::{Connection, Link};
use super::next::Task;
use crate::base::config::Config;
use crate::base::event::{Event, Reason};
use crate::base::features::SHORTCUTS;
use crate::base::path::Leaf;
use crate::base::time::{Instant, sooner};
use crate::base::value::Value;
use crate::exchange::request::upload::Upload;
use crate::exchange::{Peer, SendError, Verdict};
use crate::lifecycle::presence::Presence;
use crate::lifecycle::registration::Request;
use crate::lifecycle::{Due, Lifecycle, Role, object_list};
use crate::management::{read, tell_ready};
use crate::model::{DataModel, Joined, Refusal, Viewed, refusing};
use crate::objects::Accounts;
use crate::reporting::{Due as Notification, is_there, may_hear};

/// How long to wait when a buffer or a Message ID was missing.
const STALL: Duration = Duration::from_secs(1);

/// What happened before something may be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Anything: sessions may have to be brought in line.
    Anything,
    /// Nothing that changes presence, accounts and registrations.
    Message,
    /// The same, but perhaps something in the model has changed.
    Change,
    /// The same, and it is not looked at before it is told.
    Suspicion,
}

impl Client {
    /// Sends all that is due and has room, after what may have brought it about. Without a model only what
    /// needs none.
    #[inline(never)]
    pub(super) fn pump(&mut self, after: After, model: Option<&mut dyn DataModel>) {
        self.calmly(model, |client, _| client.rest_calmly(), |client, model| client.pump_all(after, model));
    }

    #[inline(never)]
    fn pump_all(&mut self, after: After, model: Option<&mut dyn DataModel>) {
        self.send_due(after, SHORTCUTS && self.is_settled(), model);
    }

    /// The same when it is known whether all is [settled](Self::is_settled). Sending leaves it so.
    pub(super) fn send_due(&mut self, after: After, settled: bool, mut model: Option<&mut dyn DataModel>) {
        let now = self.now();
        if !settled {
            self.prepare(after, model.as_mut().map(|model| &mut **model as &mut dyn DataModel));
        }
        let mut next = loop {
            let next = self.serve_all(&mut model);
            // What a server that slept was to be told has waited for that.
            if settled || !self.note_messages() {
                break next;
            }
        };
        if let (After::Suspicion, Some(model)) = (after, model) {
            let wall = self.clock.embedder(now);
            if self.reporting.look_at_suspects(wall, &Joined(&mut self.accounts, model)) {
                next = self.next_to_send();
            }
        }
        self.tell_dropped();
        if settled {
            self.plan_settled(next);
        } else {
            self.plan(next);
        }
    }

    /// What comes before sending when not all is settled.
    #[inline(never)]
    fn prepare(&mut self, after: After, model: Option<&mut dyn DataModel>) {
        if after == After::Anything {
            self.settle();
        }
        self.fall_asleep();
        self.keep_notifications(after == After::Change, model);
    }

    /// Whether all is as it mostly is: no bootstrap server to heed, and one session with each server, which
    /// is registered with and can be talked to at any time. Then none is missing, none is in the way, nobody
    /// sleeps, and nothing is kept.
    pub(super) fn is_settled(&self) -> bool {
        self.lifecycle.hears_servers()
            && !self.lifecycle.heeds_bootstrap_server(&self.config)
            && !self.reporting.has_any_kept()
            && self.connections.len() == self.lifecycle.registrations.len()
            && self
                .lifecycle
                .registrations
                .iter()
                .all(|own| own.is_at_hand() && self.session_of(own).is_some_and(|session| session.link == Link::Open))
    }

    /// Sends each server what is due and has room; when something will be next.
    fn serve_all(&mut self, model: &mut Option<&mut dyn DataModel>) -> Option<Instant> {
        let now = self.now();
        if self.stalled.is_some_and(|stalled| now < stalled) {
            return self.next_to_send();
        }
        self.stalled = None;
        let (mut served, mut next) = (false, None);
        if self.lifecycle.heeds_bootstrap_server(&self.config) {
            next = self.serve(None, model, &mut served);
        }
        for index in 0..self.lifecycle.registrations.len() {
            next = sooner(next, self.serve(Some(index), model, &mut served));
        }
        // One may have left another one no room, or failed so often that the bootstrap server is asked.
        if served { self.next_to_send() } else { next }
    }

    /// Sends the server of a registration, or the bootstrap server, what is due and has room; when something will be next.
    fn serve(
        &mut self,
        index: Option<usize>,
        model: &mut Option<&mut dyn DataModel>,
        served: &mut bool,
    ) -> Option<Instant> {
        loop {
            let (own, role) = match index {
                Some(index) => {
                    let own = self.lifecycle.registrations.get(index)?;
                    (Some(own), Role::Server(own.server))
                }
                None => (None, Role::Bootstrap),
            };
            let (at, task) = self.next_task(own)?;
            if at > self.now() || !self.carry_out(role, task, model) {
                return Some(at);
            }
            *served = true;
        }
    }

    /// False when it cannot be done now.
    fn carry_out(&mut self, role: Role, task: Task, model: &mut Option<&mut dyn DataModel>) -> bool {
        let Some(session) = self.connections.by_role(role) else { return false };
        match (task, model.as_mut()) {
            (Task::Connect, _) => self.connect(session.peer),
            (Task::Request, model) => self.send_request(session, model.map(|model| &**model as &dyn DataModel)),
            (_, None) => false,
            (Task::NextBlock, Some(model)) => self.send_next_block(session, &**model),
            (Task::LateAnswer, Some(model)) => self.answer_late(session, &mut **model),
            (Task::Notification, Some(model)) => self.send_notification(session, &mut **model),
        }
    }

    /// Brings presence and sessions in line with what the machines want.
    pub(super) fn settle(&mut self) {
        if self.lifecycle.has_left() {
            let (lifecycle, mut world) = self.lifecycle();
            lifecycle.arrive(&mut world);
            self.touch();
            self.reporting.clear();
        }
        // Sessions that nobody needs are closed; those that are needed begin closed. A device that
        // has left does not even answer repetitions.
        let here = !matches!(self.lifecycle.presence, Presence::Flight | Presence::Off);
        let mut index = 0usize;
        while let Some(connection) = self.connections.get(index) {
            let lingering = here && connection.link == Link::Lingering;
            if lingering || self.needs_session(connection.role) {
                index = index.saturating_add(1);
            } else {
                self.close(connection.peer);
            }
        }
        for index in 0..=self.lifecycle.registrations.len() {
            let role = match index.checked_sub(1).and_then(|index| self.lifecycle.registrations.get(index)) {
                Some(own) => Role::Server(own.server),
                None => Role::Bootstrap,
            };
            let there = self.connections.by_role(role).is_some();
            if there || !self.lifecycle.may_send(role) || !self.needs_session(role) {
                continue;
            }
            self.connections.add(role);
            // Nothing of ours may ever be due in this one: its server begins.
            if role == Role::Bootstrap && self.lifecycle.keeps_bootstrap_session(&self.accounts, &self.config) {
                self.connections.want(role);
            }
        }
    }

    fn needs_session(&self, role: Role) -> bool {
        let now = self.now();
        self.lifecycle.needs_session(now, role, &self.accounts, &self.config)
    }

    /// Asks the runtime for a session.
    fn connect(&mut self, peer: Peer) -> bool {
        self.exchange.connect(peer);
        self.connections.set(peer, Link::Connecting);
        true
    }

    /// Bootstrap-Request, Register, Update, De-register.
    #[inline(never)]
    fn send_request(&mut self, connection: Connection, model: Option<&dyn DataModel>) -> bool {
        let now = self.now();
        let role = connection.role;
        let remembered = self.objects.is_some();
        // A De-register says nothing of them, and nothing else is sent without a model.
        let objects = model.map_or(0, |model| self.objects(model));
        let Some(mut due) = self.lifecycle.due(now, role, &self.accounts, &self.config, objects) else {
            return false;
        };
        if let (true, Due::Registration(Request::Register, terms), Some(model)) = (remembered, &mut due, model) {
            // A Register tells what there is, whatever was said of it.
            self.objects = None;
            terms.objects = self.objects(model);
        }
        let Self { lifecycle, accounts, config, exchange, events, .. } = self;
        let listless = matches!(due, Due::Bootstrap | Due::Registration(Request::Deregister, _));
        if model.is_none() && !listless {
            return false;
        }
        let sent = exchange.request_in_blocks(now, connection.peer, due.method(), |writer, upload| {
            write_request(due, role, (lifecycle, accounts, config), model, (writer, upload))
        });
        match sent {
            Ok(exchange) => {
                lifecycle.sent(now, due, role, exchange, accounts, events);
                self.touch();
                true
            }
            Err(error) => self.unsent(role, error),
        }
    }

    /// A request of the lifecycle could not be sent. False when it can be later.
    #[cold]
    pub(super) fn unsent(&mut self, role: Role, error: SendError) -> bool {
        if !matches!(error, SendError::Dropped | SendError::TooLong) {
            return self.stall();
        }
        if error == SendError::Dropped {
            // The header fitted, and what it was to say did not.
            self.exchange.tally().too_long.count();
        }
        let (lifecycle, mut world) = self.lifecycle();
        lifecycle.blocked(role, Reason::TooLarge, &mut world);
        true
    }

    /// The next block of a Register or an Update with a long object list, or a request once more with the
    /// Echo that its server asked for. The list is made again for each; when it is another one by then, the
    /// request begins anew.
    #[inline(never)]
    fn send_next_block(&mut self, connection: Connection, model: &dyn DataModel) -> bool {
        let now = self.now();
        let Connection { peer, role, .. } = connection;
        let Some(exchange) = self.exchange.next_block(peer) else { return false };
        self.objects = None;
        let list = self.objects(model);
        let Self { lifecycle, accounts, config, exchange: endpoint, .. } = self;
        let due = lifecycle.goes_on(exchange, list);
        let method = due.map_or(Code::EMPTY, |(due, _)| due.method());
        let sent = endpoint.continue_request(now, peer, method, |writer, upload| {
            // Nobody waits for it any more.
            let Some((due, anew)) = due else { return Verdict::Drop };
            if anew {
                upload.restart();
            }
            write_request(due, role, (lifecycle, accounts, config), Some(model), (writer, upload))
        });
        match sent {
            Ok(()) => true,
            Err(SendError::Dropped | SendError::TooLong) if due.is_none() => true,
            Err(error) => self.unsent(role, error),
        }
    }

    /// The next notification, if it needs no exchange or there is room for one.
    #[inline(never)]
    fn send_notification(&mut self, connection: Connection, model: &mut dyn DataModel) -> bool {
        let now = self.now();
        let Connection { peer, role: Role::Server(server), .. } = connection else { return false };
        let room = self.exchange.has_room(peer);
        let confirmable = self.config.confirmable_notifications;
        let Some(due) = self.reporting.due(now, server, confirmable, room) else {
            return false;
        };
        self.tell((peer, server), &due, model)
    }

    /// Sends a notification that is due, if there is anything to tell. False when it cannot be sent now.
    pub(super) fn tell(&mut self, (peer, server): (Peer, u16), due: &Notification, model: &mut dyn DataModel) -> bool {
        let now = self.now();
        let wall = self.clock.embedder(now);
        let ctx = crate::reporting::context(wall, server);
        let joined = Joined(&mut self.accounts, model);
        let (mut over, mut barred, mut same) = (false, false, false);
        let reporting = &mut self.reporting;
        let whole = !due.is_kept() && due.block.is_none();
        let sent = self.exchange.notify(now, peer, due.token, due.confirmable, |writer| {
            let what = (due.path, due.format, due.sequence);
            let noted = |at: Leaf, value: &Value<'_>| same = !reporting.wrote(due, at, value);
            if SHORTCUTS && whole && tell_ready(&ctx, what, (joined.0, joined.1), writer, noted).is_some() {
                return if same { Verdict::Drop } else { Verdict::Send };
            }
            barred = !may_hear(&ctx, due.path, &joined);
            if barred {
                return Verdict::Drop;
            }
            let there = is_there(due.path, &joined);
            if due.is_kept() {
                let written = write_kept(due, reporting.kept(server, due), writer);
                return written.map_or(Verdict::Drop, |()| Verdict::Send);
            }
            let block = due.block.and_then(|szx| BlockValue::new(0, false, szx).ok());
            let content = if there {
                read::write_body((due.format, Some(due.sequence), block), writer, &mut |output| {
                    reporting.write(&ctx, due, output, &joined)
                })
            } else {
                Err(Code::NOT_FOUND.into())
            };
            match content {
                Ok(()) => {
                    same = !reporting.is_news(due);
                    if same { Verdict::Drop } else { Verdict::Send }
                }
                Err(_) if due.is_in_doubt() => Verdict::Drop,
                Err(Refusal::Code(code)) => {
                    // An error ends the observation (RFC 7641, section 4.2).
                    over = true;
                    writer.restart(refusing(code));
                    Verdict::Send
                }
                // A notification cannot wait; the next change makes another one.
                Err(Refusal::Later) => Verdict::Drop,
            }
        });
        match sent {
            Ok(_) if over => {
                if let Some(path) = self.reporting.cancel(server, due.token) {
                    self.events.push(Event::ObservationCancelled { server, path });
                }
                true
            }
            Ok(sent) => {
                self.reporting.sent((now, wall), due, Some(sent), &joined);
                self.events.push(Event::Notified { server, path: due.path });
                self.touch();
                true
            }
            Err(SendError::Dropped) if SHORTCUTS && same => true,
            // Whether it has changed cannot be seen from what was written.
            Err(SendError::Dropped) if due.is_in_doubt() => {
                self.reporting.look_at(wall, due, &joined);
                true
            }
            Err(SendError::Dropped) if barred && !due.is_kept() => {
                self.reporting.barred(now, due);
                true
            }
            Err(SendError::Dropped) => {
                self.reporting.sent((now, wall), due, None, &joined);
                true
            }
            Err(_) => self.stall(),
        }
    }

    /// Nothing can be sent for want of a buffer or a Message ID: again in a moment.
    pub(super) fn stall(&mut self) -> bool {
        let now = self.now();
        self.stalled = Some(now + STALL);
        false
    }

    /// Servers that were told other terms than those of now get an Update.
    pub(super) fn reconsider(&mut self, model: &dyn DataModel) {
        let now = self.now();
        self.objects = None;
        let objects = self.objects(model);
        self.lifecycle.reconsider(now, &self.accounts, &self.config, objects);
    }

    /// 64 bits of the object list, made anew when something may have changed it.
    fn objects(&mut self, model: &dyn DataModel) -> u64 {
        self.objects.get_or_insert_with(|| object_list::digest(&Viewed(&self.accounts, model))).get()
    }
}

/// Writes a notification that was made before, with the options that it would have had then.
fn write_kept(due: &Notification, payload: &[u8], writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
    writer.observe(due.sequence)?;
    writer.content_format(due.format.content_format())?;
    if let Some(block) = due.block.and_then(|szx| BlockValue::new(0, false, szx).ok()) {
        writer.block2(block)?;
    }
    writer.payload(payload)
}

/// Writes a request of the lifecycle; the object list as a whole, or the block of it whose turn it is.
fn write_request(
    due: Due,
    role: Role,
    (lifecycle, accounts, config): (&Lifecycle, &Accounts, &Config),
    model: Option<&dyn DataModel>,
    (writer, upload): (&mut MessageWriter<'_>, &mut Upload),
) -> Verdict {
    let body = |room: &mut [u8], offset: usize| match model {
        Some(model) => object_list::write(config.root(), &Viewed(accounts, model), room, offset),
        None => Ok(0),
    };
    // Seldom there is one, and options may be written in any order.
    if upload.write_echo(writer).is_err() {
        return Verdict::Drop;
    }
    let mut list = |writer: &mut MessageWriter<'_>| upload.write(writer, &body);
    lifecycle.write(due, role, config, &mut list, writer).map_or(Verdict::Drop, |()| Verdict::Send)
}
