//! What is due is sent, as soon as its peer has room.

use core::time::Duration;

use coap_codec::{BlockValue, Code, MessageWriter, OptionNumber, WriteError};

use super::Client;
use super::connection::{Connection, Link};
use super::next::Task;
use crate::base::config::Config;
use crate::base::event::{Event, Reason};
use crate::base::features::SHORTCUTS;
use crate::base::path::Leaf;

use crate::base::value::Value;
use crate::exchange::request::upload::Upload;
use crate::exchange::{Peer, SendError, Verdict, WritePart};
use crate::lifecycle::presence::Presence;
use crate::lifecycle::{Lifecycle, Request, Role, object_list};
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
        loop {
            self.serve_all(&mut model);
            // What a server that slept was to be told has waited for that.
            if settled || !self.note_messages() {
                break;
            }
        }
        if let (After::Suspicion, Some(model)) = (after, model) {
            let wall = self.clock.embedder(now);
            self.reporting.look_at_suspects(wall, &Joined(&mut self.accounts, model));
        }
        self.tell_dropped();
        self.wake = if settled { self.next_due_settled() } else { self.next_due() };
    }

    /// What comes before sending when not all is settled.
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

    /// Sends each server what is due and has room.
    fn serve_all(&mut self, model: &mut Option<&mut dyn DataModel>) {
        let now = self.now();
        if self.stalled.is_some_and(|stalled| now < stalled) {
            return;
        }
        self.stalled = None;
        let mut index = 0;
        while let Some(role) = self.lifecycle.role(index) {
            match self.next_task(role) {
                Some((at, task)) if at <= now && self.carry_out(role, task, model) => {}
                _ => index = index.saturating_add(1),
            }
        }
    }

    /// False when it cannot be done now.
    fn carry_out(&mut self, role: Role, task: Task, model: &mut Option<&mut dyn DataModel>) -> bool {
        let Some(session) = self.connections.by_role(role) else { return false };
        match (task, model.as_mut()) {
            (Task::Connect, _) => self.connect(session.peer),
            (Task::Request, model) => self.send_request(session, model.map(|model| &**model as &dyn DataModel)),
            (_, None) => false,
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
                self.close(connection);
            }
        }
        for index in 0.. {
            let Some(role) = self.lifecycle.role(index) else { break };
            let there = self.connections.by_role(role).is_some();
            if there || !self.lifecycle.may_send(role) || !self.needs_session(role) {
                continue;
            }
            // Nothing of ours may ever be due with a bootstrap server that begins by itself.
            let keeps = self.lifecycle.keeps_bootstrap_session(&self.accounts, &self.config);
            let link = if role == Role::Bootstrap && keeps { Link::Wanted } else { Link::Closed };
            self.connections.add(role, link);
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

    /// Bootstrap-Request, Register, Update, De-register; or the next message of one that is on its way: the next block of
    /// its object list, or the request once more with the Echo that its server asked for. The list is made again for each
    /// message; when it is another one by then, the request begins anew.
    fn send_request(&mut self, Connection { peer, role, .. }: Connection, model: Option<&dyn DataModel>) -> bool {
        let now = self.now();
        let on_its_way = self.exchange.next_block(peer);
        let Some(request) = self.lifecycle.request(now, role) else { return false };
        if on_its_way.is_some() || request == Request::Register {
            // It tells what there is, whatever was said of it.
            self.objects = None;
        }
        let objects = match model {
            Some(model) => self.objects(model),
            None if request.has_list() => return false,
            None => 0,
        };
        let (lifecycle, world) = self.lifecycle();
        let told = lifecycle.tell(role, on_its_way, objects, &world);
        let Self { lifecycle, accounts, config, exchange: endpoint, .. } = self;
        let write: &mut WritePart<'_> = &mut |writer, upload| {
            let Some(anew) = told else { return Verdict::Drop };
            if anew {
                upload.restart();
            }
            write_request(role, (lifecycle, accounts, config), model, (writer, upload))
        };
        let sent = match on_its_way {
            Some(exchange) => endpoint.continue_request(now, peer, request.method(), write).map(|()| exchange),
            None => endpoint.request_in_blocks(now, peer, request.method(), write),
        };
        match sent {
            Ok(exchange) => {
                if on_its_way.is_none() {
                    let (lifecycle, mut world) = self.lifecycle();
                    lifecycle.sent(role, exchange, &mut world);
                    self.touch();
                }
                true
            }
            Err(SendError::Dropped | SendError::TooLong) if told.is_none() => true,
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

    /// The next notification, if it needs no exchange or there is room for one.
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
        let sent = match sent {
            Ok(sent) => Some(sent),
            Err(SendError::Dropped) => None,
            Err(_) => return self.stall(),
        };
        match sent {
            Some(_) if over => self.cancel(server, due.token),
            None if SHORTCUTS && same => {}
            // Whether it has changed cannot be seen from what was written.
            None if due.is_in_doubt() => self.reporting.look_at(wall, due, &joined),
            None if barred && !due.is_kept() => self.reporting.barred(now, due),
            sent => {
                self.reporting.sent((now, wall), due, sent, &joined);
                if sent.is_some() {
                    self.events.push(Event::Notified { server, path: due.path });
                    self.touch();
                }
            }
        }
        true
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
    writer.append_uint(OptionNumber::OBSERVE, due.sequence)?;
    writer.append_uint(OptionNumber::CONTENT_FORMAT, due.format.content_format().0.into())?;
    if let Some(block) = due.block.and_then(|szx| BlockValue::new(0, false, szx).ok()) {
        writer.append_uint(OptionNumber::BLOCK2, block.to_uint())?;
    }
    writer.payload(payload)
}

/// Writes a request of the lifecycle; the object list as a whole, or the block of it whose turn it is.
fn write_request(
    role: Role,
    (lifecycle, accounts, config): (&Lifecycle, &Accounts, &Config),
    model: Option<&dyn DataModel>,
    (writer, upload): (&mut MessageWriter<'_>, &mut Upload),
) -> Verdict {
    let body = |room: &mut [u8], offset: usize| match model {
        Some(model) => object_list::write(config.root(), &Viewed(accounts, model), room, offset),
        None => Ok(0),
    };
    let mut list = |writer: &mut MessageWriter<'_>, told: bool| upload.write(writer, told.then_some(&body));
    lifecycle.write(role, config, &mut list, writer).map_or(Verdict::Drop, |()| Verdict::Send)
}
