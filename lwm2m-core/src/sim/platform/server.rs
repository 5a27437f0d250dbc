//! A LwM2M server: registers devices by their endpoint names and knows who is online
//! (OMA LwM2M 1.0, 5.3; DM terminal specification 7.3 to 7.5).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, OptionNumber};

use super::coap::{Coap, Incoming};
use super::message::Inbound;
use super::operations::Operations;
use super::parameters::{Parameters, Refused, bad, object_list};
use super::{Accepts, Answering, host_of, plain};
use crate::base::config::Credentials;
use crate::base::rng::Key;
use crate::base::time::Instant;
use crate::sim::network::Address;
use crate::sim::reader::Link;

/// A LwM2M server of the platform.
#[derive(Clone, Debug)]
pub struct DmServer {
    /// Short Server ID of its account (/1/x/0).
    pub short_server_id: u16,
    /// Lifetime of its account in seconds (/1/x/1).
    pub lifetime: u32,
    /// Default Minimum Period (/1/x/2).
    pub min_period: Option<u32>,
    /// Default Maximum Period (/1/x/3).
    pub max_period: Option<u32>,
    /// Disable Timeout (/1/x/5).
    pub disable_timeout: Option<u32>,
    /// Notification Storing When Disabled or Offline (/1/x/6).
    pub storing: bool,
    /// Binding (/1/x/7).
    pub binding: String,
    /// How long a device in queue mode counts as awake after its last message: later than that it is asked
    /// nothing until it is heard of again. A minute, so that what is lost can be repeated while it listens.
    pub awake: Duration,
    /// How its account secures the session. The simulated network needs no handshake.
    pub credentials: Credentials,
    /// Whom it registers.
    pub accepts: Accepts,
    /// How it answers Register, Update and De-register.
    pub answering: Answering,
    /// The size of the blocks in which it sends and asks; see [`Ask::block_size`](super::Ask::block_size).
    pub block_size: Option<u16>,
    pub(in crate::sim) host: Arc<str>,
    pub(super) coap: Coap,
    pub(super) is_down: bool,
    /// It restarted, and nobody asked about that yet.
    pub(in crate::sim) forgot: bool,
    pub(super) complaints: Vec<(Instant, String)>,
    pub(super) online: Vec<Registered>,
    pub(super) operations: Operations,
    pub(super) now: Instant,
    /// When a message came last.
    heard: Instant,
    uri: String,
    location: (Vec<String>, Vec<String>),
    answers_next: Vec<(Interface, Code)>,
    seen: [usize; 3],
    history: Vec<StatusChange>,
}

/// The operations of the registration interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interface {
    /// Register.
    Register,
    /// Update.
    Update,
    /// De-register.
    Deregister,
}

/// A device that is online.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its endpoint name (`ep`).
    pub endpoint: String,
    /// The lifetime in seconds (`lt`).
    pub lifetime: u32,
    /// The binding (`b`).
    pub binding: String,
    /// The version of LwM2M (`lwm2m`).
    pub version: String,
    /// Location-Path, segment by segment.
    pub location: Vec<String>,
    /// Location-Query, argument by argument.
    pub location_query: Vec<String>,
    /// The object list.
    pub links: Vec<Link>,
    /// Where it is reached.
    pub address: Address,
    /// When it registered.
    pub online_since: Instant,
    /// When it registered or updated last.
    pub refreshed_at: Instant,
    /// When the lifetime ends.
    pub expires_at: Instant,
}

/// Why a device is online or offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// ONLINE: it registered.
    Registered,
    /// OFFLINE: it de-registered.
    Deregistered,
    /// OFFLINE: its lifetime ended.
    Expired,
    /// OFFLINE: the server forgot it.
    Forgotten,
}

/// A device went online or offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// When.
    pub at: Instant,
    /// Which device.
    pub endpoint: String,
    /// Where it is now.
    pub status: Status,
}

impl DmServer {
    pub(super) fn new(short_server_id: u16, uri: &str, lifetime: u32, key: Key) -> Self {
        Self {
            short_server_id,
            lifetime,
            min_period: None,
            max_period: None,
            disable_timeout: None,
            storing: true,
            binding: "U".to_string(),
            awake: Duration::from_secs(60),
            credentials: plain(),
            accepts: Accepts::Anyone,
            answering: Answering::Piggybacked,
            block_size: None,
            host: host_of(uri).unwrap_or_default().into(),
            coap: Coap::new(key),
            is_down: false,
            forgot: false,
            complaints: Vec::new(),
            online: Vec::new(),
            operations: Operations::default(),
            now: Instant::ZERO,
            heard: Instant::ZERO,
            uri: uri.to_string(),
            location: (Vec::from(["rd".to_string()]), Vec::new()),
            answers_next: Vec::new(),
            seen: [0; 3],
            history: Vec::new(),
        }
    }

    // ----- settings -------------------------------------------------------------------------

    /// Where registrations live: the segments before a registration's own name, and the query.
    pub fn set_location(&mut self, segments: &[&str], query: &[&str]) {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        self.location = (owned(segments), owned(query));
    }

    /// Answers the next request of a kind with this code and does nothing else; called again, the
    /// one after it. A Register that is answered 2.01 in this way gets no Location.
    pub fn answer_next(&mut self, interface: Interface, code: Code) {
        self.answers_next.push((interface, code));
    }

    /// Wants the bodies of Registers and Updates in blocks of this size at most, once the first block of one
    /// has come.
    pub const fn shrink_blocks(&mut self, size: u16) {
        self.coap.receiver.largest = Some(size);
    }

    /// Answers the next request that has a body, or a block of one, with this code and a Block1 option of
    /// this size; called again, the one after it.
    pub fn refuse_body(&mut self, code: Code, size: Option<u16>) {
        self.coap.receiver.refusals.push((code, size));
    }

    /// How many blocks of bodies came, duplicates not counted.
    #[must_use]
    pub const fn blocks_seen(&self) -> usize {
        self.coap.receiver.blocks
    }

    /// Loses its memory: registrations, observations, and what is in flight.
    pub fn restart(&mut self) {
        let now = self.now;
        self.forgot = true;
        self.coap.forget();
        for gone in core::mem::take(&mut self.online) {
            self.history.push(StatusChange { at: now, endpoint: gone.endpoint, status: Status::Forgotten });
        }
        self.operations.forget(now);
    }

    /// Receives and sends nothing from now on.
    pub const fn go_down(&mut self) {
        self.is_down = true;
    }

    /// Is back, and remembers what it knew.
    pub const fn come_up(&mut self) {
        self.is_down = false;
    }

    // ----- what can be asked ----------------------------------------------------------------

    /// Its URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The device that is online; with several, the one that registered last.
    #[must_use]
    pub fn registration(&self) -> Option<&Registered> {
        self.online.last()
    }

    /// All devices that are online, in the order in which they registered.
    #[must_use]
    pub fn registrations(&self) -> &[Registered] {
        &self.online
    }

    /// Who went online and offline, and when.
    #[must_use]
    pub fn history(&self) -> &[StatusChange] {
        &self.history
    }

    /// How many Registers came, duplicates not counted.
    #[must_use]
    pub const fn registers_seen(&self) -> usize {
        self.seen[0]
    }

    /// How many Updates came, duplicates not counted.
    #[must_use]
    pub const fn updates_seen(&self) -> usize {
        self.seen[1]
    }

    /// How many De-registers came, duplicates not counted.
    #[must_use]
    pub const fn deregisters_seen(&self) -> usize {
        self.seen[2]
    }

    /// Whether it answers as a server should.
    pub(in crate::sim) fn is_well(&self) -> bool {
        !self.is_down
            && self.answering.is_prompt()
            && self.accepts == Accepts::Anyone
            && self.answers_next.is_empty()
            && self.coap.receiver.refusals.is_empty()
    }

    // ----- at work --------------------------------------------------------------------------

    pub(super) fn complain(&mut self, now: Instant, what: impl Into<String>) {
        self.complaints.push((now, what.into()));
    }

    /// Whether the device sleeps, as far as can be known here: what it is asked waits.
    #[must_use]
    pub fn waits_for_device(&self, now: Instant) -> bool {
        let queues = self.registration().is_some_and(|registered| registered.binding.ends_with('Q'));
        queues && now >= self.heard + self.awake
    }

    pub(super) fn receive(&mut self, now: Instant, from: Address, bytes: &[u8]) {
        self.heard = now;
        match self.coap.receive(now, from, bytes) {
            Incoming::Request(request) => self.requested(now, &request),
            Incoming::Answered(exchange, result) => self.answered(now, exchange, result),
            Incoming::Unmatched(message) => self.notified(now, &message),
            Incoming::Malformed => self.complain(now, "a message that is malformed"),
            Incoming::Nothing => {}
        }
    }

    fn requested(&mut self, now: Instant, request: &Inbound) {
        let known = self.online.iter().position(|registered| registered.lives_at(request));
        let is_rd = request.path == ["rd"] && request.code == Code::POST;
        let interface = match request.code {
            Code::POST if is_rd => Interface::Register,
            Code::POST => Interface::Update,
            Code::DELETE => Interface::Deregister,
            _ => {
                self.complain(now, format!("a request with the method {}", request.code));
                return self.coap.respond(now, request, self.answering, Code::METHOD_NOT_ALLOWED, |_| Ok(()));
            }
        };
        if let Some(count) = self.seen.get_mut(interface as usize) {
            *count += 1;
        }
        if let Some(index) = self.answers_next.iter().position(|(asked, _)| *asked == interface) {
            let (_, code) = self.answers_next.remove(index);
            return self.coap.respond(now, request, self.answering, code, |_| Ok(()));
        }
        let outcome = match (interface, known) {
            (Interface::Register, _) => self.register(now, request),
            (_, None) => Err((Code::NOT_FOUND, None)),
            (Interface::Update, Some(index)) => self.update(now, request, index),
            (Interface::Deregister, Some(index)) => {
                self.take_offline(now, index, Status::Deregistered);
                Ok(Code::DELETED)
            }
        };
        let code = match outcome {
            Ok(code) => code,
            Err((code, fault)) => {
                if let Some(fault) = fault {
                    self.complain(now, format!("{interface:?}: {fault}"));
                }
                code
            }
        };
        let location = self.online.last().filter(|_| code == Code::CREATED);
        let (path, query) = location.map_or((&[][..], &[][..]), |own| (&own.location, &own.location_query));
        self.coap.respond(now, request, self.answering, code, |writer| {
            path.iter().try_for_each(|segment| writer.option(OptionNumber::LOCATION_PATH, segment.as_bytes()))?;
            query.iter().try_for_each(|query| writer.option(OptionNumber::LOCATION_QUERY, query.as_bytes()))
        });
    }

    fn register(&mut self, now: Instant, request: &Inbound) -> Result<Code, Refused> {
        let mut parameters = Parameters::read(request, &[])?;
        let endpoint = parameters.endpoint.take().ok_or_else(|| bad("no ep"))?;
        let version = parameters.version.take().ok_or_else(|| bad("no lwm2m"))?;
        let lifetime = parameters.lifetime.ok_or_else(|| bad("no lt"))?;
        if version != "1.0" {
            return Err((Code::PRECONDITION_FAILED, None));
        }
        let links = object_list(request)?.ok_or_else(|| bad("no object list"))?;
        self.accepts.judge(&endpoint).map_err(|code| (code, None))?;
        if let Some(index) = self.online.iter().position(|registered| registered.endpoint == endpoint) {
            // A Register takes the place of the one before, without the device having been offline.
            let replaced = self.online.remove(index);
            self.end_operations(now, replaced.address);
        }
        self.history.push(StatusChange { at: now, endpoint: endpoint.clone(), status: Status::Registered });
        let mut location = self.location.0.clone();
        location.push(format!("{:08x}", self.coap.random() as u32));
        self.online.push(Registered {
            endpoint,
            lifetime,
            binding: parameters.binding.unwrap_or_else(|| "U".to_string()),
            version,
            location,
            location_query: self.location.1.clone(),
            links,
            address: request.from,
            online_since: now,
            refreshed_at: now,
            expires_at: now + Duration::from_secs(u64::from(lifetime)),
        });
        Ok(Code::CREATED)
    }

    fn update(&mut self, now: Instant, request: &Inbound, index: usize) -> Result<Code, Refused> {
        let Some(own) = self.online.get_mut(index) else { return Err((Code::NOT_FOUND, None)) };
        let parameters = Parameters::read(request, &own.location_query)?;
        if parameters.endpoint.is_some() || parameters.version.is_some() {
            return Err(bad("ep or lwm2m"));
        }
        if let Some(links) = object_list(request)? {
            own.links = links;
        }
        own.lifetime = parameters.lifetime.unwrap_or(own.lifetime);
        if let Some(binding) = parameters.binding {
            own.binding = binding;
        }
        own.address = request.from;
        own.refreshed_at = now;
        own.expires_at = now + Duration::from_secs(u64::from(own.lifetime));
        Ok(Code::CHANGED)
    }

    fn take_offline(&mut self, now: Instant, index: usize, status: Status) {
        let gone = self.online.remove(index);
        self.history.push(StatusChange { at: now, endpoint: gone.endpoint, status });
        self.end_operations(now, gone.address);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let lifetimes = self.online.iter().map(|registered| registered.expires_at);
        let operations = self.operations.poll_timeout().filter(|_| !self.waits_for_device(self.now));
        lifetimes.chain(self.coap.poll_timeout()).chain(operations).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Incoming::Answered(exchange, result) = self.coap.handle_timeout(now) {
            self.answered(now, exchange, result);
        }
        while let Some(index) = self.online.iter().position(|registered| registered.expires_at <= now) {
            self.take_offline(now, index, Status::Expired);
        }
        self.ask(now);
    }
}

impl Registered {
    /// Whether a request is for this registration.
    fn lives_at(&self, request: &Inbound) -> bool {
        request.path == self.location && self.location_query.iter().all(|query| request.query.contains(query))
    }

    /// Whether the object list names a path: `/3/0`.
    #[must_use]
    pub fn lists(&self, path: &str) -> bool {
        self.links.iter().any(|link| link.target == path)
    }
}
