//! The life of a terminal: bootstrap, registration, flight mode, power-off
//! (OMA LwM2M 1.0, 5.2 and 5.3; DM terminal specification 7.2 to 7.5).
//!
//! One enum per machine, with its deadline inside. The machines say what is due and take what came
//! of it; they send nothing themselves.

mod backoff;
pub(crate) mod bootstrap;
pub(crate) mod contact;
pub(crate) mod location;
pub(crate) mod object_list;
pub(crate) mod presence;
pub(crate) mod registration;
mod requests;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;

use coap_codec::{Code, Message, MessageWriter, WriteError};

use self::bootstrap::Bootstrap;
use self::presence::Presence;
use self::registration::{Aim, Registration, Terms};
pub(crate) use self::requests::WriteList;
use crate::base::config::Config;
use crate::base::event::{Diagnostic, Event, Events, Reason};
use crate::base::rng::Generator;
use crate::base::time::{Instant, sooner};
use crate::exchange::ExchangeId;
use crate::objects::rows::Row;
use crate::objects::server::{Binding, LIFETIME, SHORT_SERVER_ID};
use crate::objects::{Accounts, SERVER, Trigger};

/// What the machines work with, lent for one call.
pub(crate) struct World<'a> {
    pub(crate) now: Instant,
    pub(crate) accounts: &'a mut Accounts,
    pub(crate) config: &'a Config,
    pub(crate) generator: &'a mut Generator,
    pub(crate) events: &'a mut Events,
}

/// Whom a session is with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Bootstrap,
    /// The server with this Short Server ID.
    Server(u16),
}

/// A request of the lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Bootstrap,
    Register,
    Update,
    Deregister,
}

impl Request {
    /// The request's method.
    pub(crate) const fn method(self) -> Code {
        if matches!(self, Self::Deregister) { Code::DELETE } else { Code::POST }
    }

    /// The code of an answer that means success.
    const fn success(self) -> Code {
        match self {
            Self::Bootstrap | Self::Update => Code::CHANGED,
            Self::Register => Code::CREATED,
            Self::Deregister => Code::DELETED,
        }
    }

    /// Whether it may tell of the objects.
    pub(crate) const fn has_list(self) -> bool {
        matches!(self, Self::Register | Self::Update)
    }
}

/// What a session that was just made is, compared with the one before.
///
/// The runtime tells it with [`Client::connected`](crate::Client::connected). Over plain UDP there is nothing but
/// addresses, by which the server knows the device:
///
/// | the datagrams leave | say | what was registered |
/// |---|---|---|
/// | for the first time since the start, or to another address | `New` | registers again |
/// | from the local address and port of before, perhaps before a sleep | `Resumed` | goes on |
/// | from another local address or port | `Moved` | registers again; over DTLS it goes on |
///
/// What goes on updates when that is due, which it is after a network came back or
/// [`address_changed`](crate::Client::address_changed). `New` is never wrong: at most it costs a Register, with which
/// observations end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Session {
    /// The first one, or a new one that the server does not know: after a full DTLS handshake.
    New,
    /// The one from before: the same address and port, or a resumed DTLS session.
    Resumed,
    /// The same, from another local address or port.
    Moved,
}

/// What it means that a message came from a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Something is due at another time now.
    pub(crate) moves: bool,
    /// Its requests are served now, as [`Lifecycle::serves`] has it.
    pub(crate) serves: bool,
}

/// The floor's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lifecycle {
    pub(crate) presence: Presence,
    pub(crate) network: bool,
    pub(crate) bootstrap: Bootstrap,
    /// The accounts from before the bootstrap that is going on.
    pub(crate) before: Option<Box<Accounts>>,
    /// When the bootstrap account goes: Bootstrap-Server Account Timeout after the last bootstrap
    /// that succeeded (/0/x/12).
    pub(crate) purge_at: Option<Instant>,
    pub(crate) registrations: Vec<Registration>,
    /// Whether what a server should be told changed while it was told something else.
    changed_meanwhile: bool,
}

impl Lifecycle {
    /// A device that just started.
    pub(crate) fn new(now: Instant, accounts: &Accounts, config: &Config) -> Self {
        let servers = accounts.servers().next().is_some();
        let wanted = accounts.bootstrap_server().is_some() && (config.bootstrap.at_every_start || !servers);
        let bootstrap = if wanted { Bootstrap::Boot } else { Bootstrap::Idle };
        let mut lifecycle = Self {
            presence: Presence::Present,
            network: false,
            bootstrap,
            before: None,
            purge_at: None,
            registrations: Vec::new(),
            changed_meanwhile: false,
        };
        lifecycle.enrol(now, accounts, accounts);
        lifecycle
    }

    /// One registration for each account, all due now. A server that refused so far, and is where it was `before` a
    /// bootstrap, is tried at once (DM terminal specification 7.3), but the pauses go on to grow.
    pub(crate) fn enrol(&mut self, now: Instant, before: &Accounts, accounts: &Accounts) {
        let mut registrations = Vec::new();
        registrations.reserve_exact(accounts.servers().count());
        for (server, security) in accounts.servers() {
            let same = before.server(server).is_some_and(|then| then.place() == security.place());
            let known = self.registration_of(server).filter(|_| same);
            let failures = known.map_or(0, Registration::failures);
            registrations.push(Registration { failures, ..Registration::due_at(server, now) });
        }
        self.registrations = registrations;
    }

    /// What should be told to a server, but for the object list.
    pub(crate) fn terms(server: u16, accounts: &Accounts, config: &Config, objects: u64) -> Terms {
        let own = accounts.by_short_server_id(server);
        Terms {
            lifetime: own.and_then(|own| own.number(LIFETIME)).unwrap_or(config.default_lifetime),
            binding: own.and_then(Row::binding).unwrap_or_else(|| Binding::configured(config)),
            objects,
        }
    }

    pub(crate) fn registration(&mut self, server: u16) -> Option<&mut Registration> {
        self.registrations.iter_mut().find(|registration| registration.server == server)
    }

    /// Whether anything may be sent to `role` at all.
    pub(crate) fn may_send(&self, role: Role) -> bool {
        self.network
            && match (role, self.presence) {
                (Role::Bootstrap, Presence::Present) => true,
                (Role::Server(_), Presence::Present) => !self.bootstrap.holds_servers_back(),
                (Role::Server(_), Presence::Leaving { .. }) => true,
                _ => false,
            }
    }

    /// The request for `role` that is due, or on its way.
    pub(crate) fn request(&mut self, now: Instant, role: Role) -> Option<Request> {
        let Role::Server(server) = role else { return Some(Request::Bootstrap) };
        let own = self.registration(server)?;
        if own.exchange.is_none() {
            own.lapse(now);
        }
        Some(own.request())
    }

    /// When a request to the bootstrap server is due.
    pub(crate) fn poll_bootstrap(&self) -> Option<Instant> {
        let waits = self.may_send(Role::Bootstrap) && !self.bootstrap.is_running();
        if waits { self.bootstrap.poll_timeout() } else { None }
    }

    /// The same for the server of a registration.
    pub(crate) fn poll_server(&self, own: &Registration) -> Option<Instant> {
        let may = self.may_send(Role::Server(own.server)) && (self.presence == Presence::Present || own.is_leaving());
        if may { own.poll_timeout() } else { None }
    }

    /// Deadlines that need no peer: the bootstrap server's silence or the end of its account, the wait for De-registers.
    pub(crate) fn poll_own_timeout(&self) -> Option<Instant> {
        let bootstrap = if self.bootstrap.is_running() { self.bootstrap.poll_timeout() } else { self.purge_at };
        sooner(bootstrap, self.presence.until())
    }

    /// The end of the bootstrap server's account. A bootstrap that is going on decides about it first.
    pub(crate) fn poll_account_timeout(&self) -> Option<Instant> {
        self.purge_at.filter(|_| !self.bootstrap.is_running())
    }

    /// Settles what the request for `role` tells that is due, or what the next message of the one on its way does: whether
    /// its object list is another one than at its first message. None when nobody waits for it any more. `objects` is the
    /// digest of the list.
    pub(crate) fn tell(
        &mut self,
        role: Role,
        on_its_way: Option<ExchangeId>,
        objects: u64,
        world: &World<'_>,
    ) -> Option<bool> {
        let Role::Server(server) = role else {
            return on_its_way.is_none_or(|exchange| self.bootstrap.owns(exchange)).then_some(false);
        };
        let own = self.registration(server)?;
        match on_its_way {
            None => own.told = Self::terms(server, world.accounts, world.config, objects),
            Some(exchange) if !own.owns(exchange) => return None,
            Some(_) => {}
        }
        Some(core::mem::replace(&mut own.told.objects, objects) != objects)
    }

    /// Writes the request that is due, or on its way.
    pub(crate) fn write(
        &self,
        role: Role,
        config: &Config,
        object_list: &mut WriteList<'_>,
        writer: &mut MessageWriter<'_>,
    ) -> Result<(), WriteError> {
        let own = match role {
            Role::Bootstrap => None,
            Role::Server(server) => self.registration_of(server),
        };
        requests::write(own, &config.endpoint, object_list, writer)
    }

    /// The request that was due left.
    pub(crate) fn sent(&mut self, role: Role, exchange: ExchangeId, world: &mut World<'_>) {
        match role {
            Role::Bootstrap => self.bootstrap_sent(exchange, world.accounts, world.events),
            Role::Server(server) => {
                if let Some(own) = self.registration(server) {
                    own.sent(world.now, exchange);
                }
            }
        }
    }

    /// Takes an answer, or the failure of an exchange. None if it is none of ours; else the server whose observations are
    /// over, if there is one.
    pub(crate) fn answered(
        &mut self,
        exchange: ExchangeId,
        answer: Result<&Message<'_>, Reason>,
        world: &mut World<'_>,
    ) -> Option<Option<u16>> {
        if self.bootstrap.owns(exchange) {
            self.bootstrap_answered(answer, world);
            return Some(None);
        }
        let own = self.registrations.iter_mut().find(|own| own.owns(exchange))?;
        let (server, forgotten) = (own.server, own.answered(answer, world));
        if forgotten && own.lease.is_some() {
            note_lifetime(server, world);
        }
        self.reconsider_bootstrap(server, world);
        Some(forgotten.then_some(server))
    }

    /// An exchange is lost because nothing could be heard; what it was for is due again.
    pub(crate) fn lose(&mut self, now: Instant, exchange: ExchangeId, accounts: &mut Accounts) {
        if self.bootstrap.owns(exchange) {
            self.interrupt_bootstrap(now, accounts);
        } else if let Some(own) = self.registrations.iter_mut().find(|own| own.owns(exchange)) {
            own.lose(now);
        }
    }

    /// Nothing could be heard until now: a bootstrap server that seems to be silent may have said something.
    pub(crate) fn was_unreachable(&mut self, now: Instant, since: Instant, accounts: &mut Accounts) {
        if self.bootstrap.is_overdue(now) && !self.bootstrap.is_overdue(since) {
            self.interrupt_bootstrap(now, accounts);
        }
    }

    /// Does what is due without a peer. True when the wait for De-registers is over.
    pub(crate) fn handle_timeout(&mut self, world: &mut World<'_>) -> bool {
        let now = world.now;
        if self.bootstrap.is_overdue(now) {
            self.bootstrap_failed(Reason::Abandoned, world);
        }
        if self.purge_at.is_some_and(|at| at <= now) && !self.bootstrap.is_running() {
            self.purge_bootstrap_account(world);
        }
        self.presence.until().is_some_and(|until| until <= now)
    }

    /// A message came from `role`.
    pub(crate) fn heard(&mut self, now: Instant, role: Role) -> Heard {
        let hears_servers = self.hears_servers();
        match role {
            Role::Server(server) => self.registration(server).map_or_else(Heard::default, |own| Heard {
                moves: own.heard(now),
                serves: hears_servers && own.serves(now),
            }),
            Role::Bootstrap => Heard::default(),
        }
    }

    /// A session was made, or is known to live on (readings A15 and A16).
    pub(crate) fn connected(&mut self, now: Instant, role: Role, session: Session, secure: bool) {
        let Role::Server(server) = role else { return };
        let Some(registration) = self.registration(server) else { return };
        // Without DTLS a server knows the client by its address.
        let unknown = session == Session::New || (session == Session::Moved && !secure);
        if unknown && registration.lease.is_some() {
            registration.register_now(now);
        }
    }

    /// Nothing can be sent to `role`: there is no session, or the message does not fit.
    pub(crate) fn blocked(&mut self, role: Role, reason: Reason, world: &mut World<'_>) {
        match role {
            Role::Bootstrap => self.bootstrap_failed(reason, world),
            Role::Server(server) => {
                if let Some(registration) = self.registration(server) {
                    registration.blocked(reason, world);
                }
                self.reconsider_bootstrap(server, world);
            }
        }
    }

    /// The Server object told the client to do something.
    pub(crate) fn trigger(&mut self, now: Instant, trigger: Trigger, accounts: &Accounts) {
        let (Trigger::Disable(instance) | Trigger::Update(instance)) = trigger;
        let Some(instance) = accounts.row(SERVER, instance) else { return };
        let Some(server) = instance.short(SHORT_SERVER_ID) else { return };
        let seconds = instance.disable_timeout();
        if let Some(registration) = self.registration(server) {
            match trigger {
                Trigger::Disable(_) => {
                    registration.leave(now, Aim::Disabled { seconds });
                }
                Trigger::Update(_) => {
                    registration.update_now(now);
                }
            }
        }
    }

    /// Something in the Server object, or the list of instances, may have changed: servers that
    /// were told otherwise get an Update.
    pub(crate) fn reconsider(&mut self, now: Instant, accounts: &Accounts, config: &Config, objects: u64) {
        self.changed_meanwhile = false;
        for registration in &mut self.registrations {
            let wanted = Self::terms(registration.server, accounts, config, objects);
            if registration.exchange.is_some() {
                self.changed_meanwhile |= registration.request() != Request::Deregister && registration.told != wanted;
            } else if registration.failures == 0 && registration.lease.is_some_and(|lease| lease.terms != wanted) {
                // After a failure the pause goes on; the next try tells the terms of then.
                registration.update_now(now);
            }
        }
    }

    /// Whether to [reconsider](Self::reconsider) once more, now that a server has answered.
    pub(crate) const fn has_changed_meanwhile(&self) -> bool {
        self.changed_meanwhile
    }

    /// Whether a session with `role` is of use now, for something in flight or about to be.
    pub(crate) fn needs_session(&self, now: Instant, role: Role, accounts: &Accounts, config: &Config) -> bool {
        match role {
            Role::Bootstrap => {
                self.presence == Presence::Present
                    && (self.bootstrap.is_running()
                        || self.bootstrap.due(now)
                        || self.keeps_bootstrap_session(accounts, config))
            }
            Role::Server(server) => {
                self.registration_of(server).is_some_and(|registration| registration.needs_session(now))
            }
        }
    }

    /// Whom sessions may be wanted with, one after the other: the bootstrap server, then the others.
    pub(crate) fn role(&self, index: usize) -> Option<Role> {
        match index.checked_sub(1) {
            None => Some(Role::Bootstrap),
            Some(index) => self.registrations.get(index).map(|own| Role::Server(own.server)),
        }
    }

    /// The registration with a server.
    pub(crate) fn registration_of(&self, server: u16) -> Option<&Registration> {
        self.registrations.iter().find(|registration| registration.server == server)
    }

    /// Whether requests of `role` are served now.
    pub(crate) fn serves(&self, now: Instant, role: Role, config: &Config) -> bool {
        match role {
            Role::Bootstrap => self.is_present() && (self.bootstrap.is_running() || config.bootstrap.server_initiated),
            Role::Server(server) => {
                self.hears_servers() && self.registration_of(server).is_some_and(|own| own.serves(now))
            }
        }
    }

    /// Whether servers that are registered with are served at all.
    pub(crate) fn hears_servers(&self) -> bool {
        self.is_present() && !self.bootstrap.is_running()
    }

    const fn is_present(&self) -> bool {
        matches!(self.presence, Presence::Present) && self.network
    }
}

/// Tells an operator of a lifetime that is not what the profile expects (reading A17).
fn note_lifetime(server: u16, world: &mut World<'_>) {
    let config = world.config;
    let lifetime = world.accounts.by_short_server_id(server).and_then(|own| own.number(LIFETIME));
    let diagnostic = match lifetime {
        None => Diagnostic::LifetimeDefaulted { server, lifetime: config.default_lifetime },
        Some(lifetime) if config.bootstrap.at_every_start && lifetime != config.default_lifetime => {
            Diagnostic::LifetimeDeviates { server, lifetime }
        }
        Some(_) => return,
    };
    world.events.push(Event::Diagnostic(diagnostic));
}
