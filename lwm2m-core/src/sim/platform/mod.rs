//! The scripted platform: a bootstrap server and any number of LwM2M servers.

mod account;
mod blockwise;
mod bootstrap;
mod coap;
mod message;
mod operations;
mod parameters;
mod server;

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, ContentFormat};

use super::network::Address;
use super::reader::{Link, Node};
use crate::base::config::{Account, Config, Credentials};
use crate::base::path::Path;
use crate::base::rng::{Generator, Key};
use crate::base::time::Instant;

pub use self::account::Tlv;
pub use self::bootstrap::{BootstrapAnswer, BootstrapCommand, BootstrapServer};
pub use self::operations::{Answer, Notification, Observation, OperationId, WriteMode};
pub use self::server::{DmServer, Interface, Registered, Status, StatusChange};

/// The platform.
#[derive(Clone, Debug)]
pub struct Platform {
    /// The bootstrap server. It is there even when the device does not know it.
    pub bootstrap: BootstrapServer,
    /// The LwM2M servers. The bootstrap server hands out an account for each.
    pub servers: Vec<DmServer>,
    generator: Generator,
}

impl Platform {
    /// What a device with this configuration needs: its servers, or one at `coap://dm.example`.
    pub(super) fn new(config: &Config, seed: u64) -> Self {
        let mut generator = Generator::new(Key::from_seed(seed));
        let mut bootstrap = BootstrapServer::new("coap://bootstrap.example", key(&mut generator));
        let mut servers = Vec::new();
        for (instance, account) in (0..).zip(&config.accounts) {
            match account {
                Account::Bootstrap { uri, .. } => {
                    bootstrap = BootstrapServer::new(uri, key(&mut generator));
                    bootstrap.own_instance = Some(instance);
                }
                Account::Server { short_server_id, uri, credentials, lifetime } => {
                    let mut server = DmServer::new(*short_server_id, uri, *lifetime, key(&mut generator));
                    server.credentials = credentials.clone();
                    servers.push(server);
                }
            }
        }
        if servers.is_empty() {
            servers.push(DmServer::new(1, "coap://dm.example", config.default_lifetime, key(&mut generator)));
        }
        Self { bootstrap, servers, generator }
    }

    /// Adds a server, and with it an account that is handed out from the next bootstrap on.
    pub fn add_server(&mut self, short_server_id: u16, uri: &str, lifetime: u32) -> &mut DmServer {
        let key = key(&mut self.generator);
        let index = self.servers.len();
        self.servers.push(DmServer::new(short_server_id, uri, lifetime, key));
        // It was just pushed.
        self.servers.get_mut(index).expect("a server")
    }

    /// Has the bootstrap server begin a bootstrap by itself, with the device that sent the last
    /// Bootstrap-Request and where it came from (Server Initiated Bootstrap).
    pub fn initiate_bootstrap(&mut self, now: Instant) {
        self.bootstrap.initiate(now, &self.servers);
    }

    /// What the platform saw that the standards do not allow, with the time and in its own words.
    pub fn complaints(&self) -> impl Iterator<Item = &(Instant, String)> {
        self.servers.iter().flat_map(|server| &server.complaints).chain(&self.bootstrap.complaints)
    }

    // ----- as the network sees it -----------------------------------------------------------

    /// The host of a URI, when it is the platform's.
    pub(super) fn host(&self, uri: &str) -> Option<Arc<str>> {
        let host = host_of(uri)?;
        let hosts = core::iter::once(&self.bootstrap.host).chain(self.servers.iter().map(|server| &server.host));
        hosts.into_iter().find(|known| ***known == *host).cloned()
    }

    /// Whether anything at a host is up.
    pub(super) fn is_up(&self, host: &str) -> bool {
        let at_host = |server: &&DmServer| *server.host == *host;
        (*self.bootstrap.host == *host && !self.bootstrap.is_down)
            || self.servers.iter().filter(at_host).any(|server| !server.is_down)
    }

    /// Takes a datagram; false when nobody is there to take it.
    pub(super) fn receive(&mut self, now: Instant, host: &str, from: Address, bytes: &[u8]) -> bool {
        let bootstrap = &mut self.bootstrap;
        let alone = self.servers.iter().all(|server| *server.host != *host);
        if *bootstrap.host == *host && (alone || bootstrap.claims(from, bytes)) {
            return !bootstrap.is_down && {
                bootstrap.receive(now, from, bytes, &self.servers);
                true
            };
        }
        match self.servers.iter_mut().find(|server| *server.host == *host && !server.is_down) {
            Some(server) => {
                server.receive(now, from, bytes);
                true
            }
            None => false,
        }
    }

    /// The servers have no other way to know it when a scenario tells them something.
    pub(super) fn tell_time(&mut self, now: Instant) {
        self.servers.iter_mut().for_each(|server| server.now = now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let servers = self.servers.iter().filter_map(DmServer::poll_timeout);
        servers.chain(self.bootstrap.poll_timeout()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.bootstrap.handle_timeout(now);
        self.servers.iter_mut().for_each(|server| server.handle_timeout(now));
    }

    /// The next datagram for the device.
    pub(super) fn transmit(&mut self) -> Option<(Arc<str>, Address, Vec<u8>, bool)> {
        let bootstrap = &mut self.bootstrap;
        if let Some((to, bytes)) = bootstrap.coap.transmit() {
            return Some((bootstrap.host.clone(), to, bytes, !bootstrap.is_down));
        }
        self.servers.iter_mut().find_map(|server| {
            let (to, bytes) = server.coap.transmit()?;
            Some((server.host.clone(), to, bytes, !server.is_down))
        })
    }
}

fn key(generator: &mut Generator) -> Key {
    Key::from_seed(generator.next_u64())
}

/// Host and port of a URI; the port is that of its scheme when it names none.
fn host_of(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let after_address = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    Some(match after_address.contains(':') {
        true => authority.to_string(),
        false if scheme == "coaps" => alloc::format!("{authority}:5684"),
        false => alloc::format!("{authority}:5683"),
    })
}

/// Whom a server accepts, by endpoint name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Everybody.
    Anyone,
    /// These; others get 4.03.
    Only(Vec<String>),
    /// Nobody: everybody gets this code.
    Nobody(Code),
}

impl Accepts {
    fn judge(&self, endpoint: &str) -> Result<(), Code> {
        match self {
            Self::Anyone => Ok(()),
            Self::Only(names) if names.iter().any(|name| name == endpoint) => Ok(()),
            Self::Only(_) => Err(Code::FORBIDDEN),
            Self::Nobody(code) => Err(*code),
        }
    }
}

/// How a server answers requests of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// In the acknowledgement, at once.
    Piggybacked,
    /// Acknowledges at once, and answers so much later in a confirmable message.
    Separate(Duration),
    /// In the acknowledgement, but so much later.
    Late(Duration),
    /// In the acknowledgement, which it sends twice.
    Twice,
    /// Acknowledges, and never answers.
    AcknowledgeOnly,
    /// Carries the request out, and says nothing at all.
    Never,
}

impl Answering {
    /// Whether an answer comes before the device is impatient.
    fn is_prompt(self) -> bool {
        match self {
            Self::Piggybacked | Self::Twice => true,
            Self::Separate(after) | Self::Late(after) => after <= Duration::from_secs(1),
            Self::AcknowledgeOnly | Self::Never => false,
        }
    }
}

/// A request of a server, of whatever kind.
///
/// ```
/// use lwm2m_core::sim::Ask;
/// use coap_codec::Code;
///
/// // A Read with a critical option that no client knows.
/// let ask = Ask { options: vec![(65_001, vec![])], ..Ask::new(Code::GET, "/3/0/9") };
/// assert_eq!(ask.path, ["3", "0", "9"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The method.
    pub method: Code,
    /// Uri-Path, segment by segment.
    pub path: Vec<String>,
    /// Uri-Query, argument by argument.
    pub query: Vec<String>,
    /// Observe.
    pub observe: Option<u32>,
    /// Accept.
    pub accept: Option<ContentFormat>,
    /// Content-Format.
    pub format: Option<ContentFormat>,
    /// Further options: number and value.
    pub options: Vec<(u16, Vec<u8>)>,
    /// The payload. One that is longer than a block leaves in blocks (RFC 7959).
    pub payload: Vec<u8>,
    /// The size of the blocks in which the payload leaves, and in which the answer to a GET is asked for:
    /// 16 to 1024. Without it blocks of 1024 where they are needed, and the answer as the device likes.
    pub block_size: Option<u16>,
    /// Whether the message is confirmable, as all of LwM2M's are.
    pub confirmable: bool,
}

impl Ask {
    /// A confirmable request without anything but its path, written with slashes.
    #[must_use]
    pub fn new(method: Code, path: &str) -> Self {
        let segments = path.strip_prefix('/').unwrap_or(path);
        Self {
            method,
            path: segments.split('/').filter(|segment| !segment.is_empty()).map(str::to_string).collect(),
            query: Vec::new(),
            observe: None,
            accept: None,
            format: None,
            options: Vec::new(),
            payload: Vec::new(),
            block_size: None,
            confirmable: true,
        }
    }

    fn at(method: Code, path: Path) -> Self {
        Self::new(method, &path.to_string())
    }
}

/// A response of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Its code.
    pub code: Code,
    /// Content-Format.
    pub format: Option<ContentFormat>,
    /// Observe.
    pub observe: Option<u32>,
    /// Location-Path, segment by segment.
    pub location: Vec<String>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Response {
    /// The payload as text; empty when it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.payload).unwrap_or_default()
    }

    /// The payload as TLV, whatever its format says; none when it is not well-formed.
    #[must_use]
    pub fn tlv(&self) -> Option<Vec<Node>> {
        Node::read(&self.payload)
    }

    /// The payload as links, whatever its format says; none when it is not well-formed.
    #[must_use]
    pub fn links(&self) -> Option<Vec<Link>> {
        Link::read(&self.payload)
    }

    /// What the payload is not, although its format says so.
    fn contradiction(&self) -> Option<&'static str> {
        match self.format? {
            ContentFormat::LWM2M_TLV | ContentFormat::LEGACY_TLV => self.tlv().is_none().then_some("TLV"),
            ContentFormat::LINK_FORMAT => self.links().is_none().then_some("link-format"),
            ContentFormat::TEXT_PLAIN => core::str::from_utf8(&self.payload).is_err().then_some("text"),
            _ => None,
        }
    }
}

/// Why a request of a server has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoAnswer {
    /// None came, after all retransmissions.
    TimedOut,
    /// The device rejected it.
    Reset,
    /// The device is not registered, or is not any more.
    Offline,
}

/// No credentials: the simulator's sessions are plain unless an account says otherwise.
const fn plain() -> Credentials {
    Credentials::NoSec
}
