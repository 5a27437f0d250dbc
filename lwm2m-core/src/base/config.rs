//! What the embedder decides once: who the device is, whom it knows, and how it behaves.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use endpoint_name::EndpointName;

use super::limits::Limits;
use super::path::Path;
use super::rights::Rights;
use super::rng::Key;
use super::transmission::Transmission;

/// The configuration of a client.
///
/// ```
/// use lwm2m_core::{Config, Key};
/// use endpoint_name::EndpointName;
///
/// let name = EndpointName::parse("490154203237518;460001234567890;;1.0").unwrap();
/// let config = Config::dm(name, Key(*b"from the entropy")).bootstrap_server("coap://dm.example", Credentials::NoSec);
/// # use lwm2m_core::Credentials;
/// assert_eq!(config.default_lifetime, 86_400);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The endpoint client name: the `ep` of Bootstrap-Request and Register.
    pub endpoint: String,
    /// The key of everything random.
    pub key: Key,
    /// The bounds of all tables.
    pub limits: Limits,
    /// CoAP's transmission parameters.
    pub transmission: Transmission,
    /// The accounts that the device is made with; a bootstrap may change them.
    pub accounts: Vec<Account>,
    /// Who may do what, where there are several servers that the device is made with: without it they
    /// may do nothing. A bootstrap may change it.
    pub access_controls: Vec<AccessControl>,
    /// When to bootstrap, and what to do when it fails.
    pub bootstrap: BootstrapPolicy,
    /// How registrations are kept.
    pub registration: RegistrationPolicy,
    /// The lifetime in seconds where Server says nothing valid (/1/x/1).
    pub default_lifetime: u32,
    /// Whether servers may read, write and execute (group 3 of DM terminal specification 6).
    pub device_management: bool,
    /// Whether servers may observe (group 2); without it an Observe is a plain Read.
    pub information_reporting: bool,
    /// Whether a server that is registered with may ask what there is: GET `/.well-known/core`, with a
    /// filter or without (RFC 6690). Its answer has the links of Register, and one more that says where
    /// LwM2M is: `</>;rt="oma.lwm2m"`. Without it, and to the bootstrap server, that path is 4.04; LwM2M
    /// does not need it.
    pub discovery: bool,
    /// Where the objects are, if not at the root: `/lwm2m` puts `/3/0` at `/lwm2m/3/0`, for devices that
    /// serve other things besides (OMA LwM2M 1.0, 5.3.1). Register says so, and links and the Location
    /// of a new instance begin with it; servers find nothing anywhere else. The bootstrap server
    /// knows nothing of it. Names inside LwM2M JSON do not begin with it either: LwM2M 1.0 does not ask
    /// for that, and Leshan would not read them.
    ///
    /// One segment or several, each behind its `/`: at most 32 bytes of letters, digits, `-`, `.`, `_` and
    /// `~`, no segment of digits alone, and not below `/.well-known`.
    pub alternate_path: Option<String>,
    /// What the format numbers of before 2016 are good for.
    pub legacy_formats: LegacyFormats,
    /// Whether notifications are confirmable. Non-confirmable ones may be lost; one in 24 hours is
    /// confirmable all the same (RFC 7641, section 4.5).
    pub confirmable_notifications: bool,
    /// How long an application may take over an answer that it gives later, before 5.03 is sent.
    pub answer_within: Duration,
    /// How long De-register may delay flight mode and power-off.
    pub leave_within: Duration,
    /// Whether snapshots contain the keys of servers. Without them, a key that a bootstrap wrote is
    /// lost with the memory; one of the configuration is found again by its URI.
    pub snapshot_secrets: bool,
}

/// When to bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BootstrapPolicy {
    /// At every start, on the first network connection, even if server accounts are known
    /// (DM terminal specification 7.2). Otherwise only without accounts, or when they fail
    /// (OMA LwM2M 1.0, 5.2.2).
    pub at_every_start: bool,
    /// Wait for Client Hold Off Time (/0/x/11) before a Bootstrap-Request.
    pub honour_hold_off: bool,
    /// Keep a session with the bootstrap server, in which it may begin a bootstrap by itself
    /// (Server Initiated Bootstrap, OMA LwM2M 1.0, 5.2.3.4). Without it the session ends with the
    /// bootstrap, and a bootstrap begins only with a request of the client.
    pub server_initiated: bool,
    /// Bootstrap again when every server failed so often in a row; never with 0.
    pub after_failures: u8,
    /// How long the bootstrap server may be silent before the bootstrap counts as failed.
    pub silence: Duration,
    /// The pauses between tries.
    pub backoff: Backoff,
}

/// How registrations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegistrationPolicy {
    /// Announce queue mode, `UQ`, to the servers of [`Config::accounts`]: the device sleeps between its
    /// Updates, and its server keeps requests until it hears of it (OMA LwM2M 1.0, 8.3). Without it, and
    /// where neither a bootstrap nor the server writes otherwise (/1/x/7), the binding is `U`.
    pub queue_mode: bool,
    /// How long a device in queue mode stays awake after the last message that it sent to the server
    /// or received from it. None: MAX_TRANSMIT_WAIT, as the standard recommends.
    pub awake: Option<Duration>,
    /// Spread the first Update over the lifetime's second half, so that devices which registered in
    /// the same second do not update in the same second.
    pub spread: bool,
    /// The time kept free before the lifetime ends: room for more than one try.
    pub margin: Duration,
    /// The pauses between tries to register.
    pub backoff: Backoff,
    /// The pauses between tries to update, while the lifetime lasts.
    pub update_backoff: Backoff,
}

/// What becomes of the Content-Format numbers 1541 to 1544: the test events before LwM2M 1.0 used them
/// for text, TLV, JSON and opaque bytes, and drafts of 1.0 kept two of them. They were never assigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LegacyFormats {
    /// They are numbers like any other that is not known: 4.15 as Content-Format, 4.06 as Accept.
    Refused,
    /// They mean what they meant, and whoever uses one is answered in kind. Where the choice is ours,
    /// the number is that of LwM2M 1.0.
    #[default]
    Accepted,
    /// As `Accepted`, and where the choice is ours, the number is the legacy one: for servers that
    /// know no other.
    First,
}

/// Pauses between tries: doubling from `first` to `longest`, each stretched at random by up to
/// half of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

/// An account that the device is made with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// The LwM2M Bootstrap-Server.
    Bootstrap {
        /// `coap://` or `coaps://`.
        uri: String,
        /// How the session is secured.
        credentials: Credentials,
    },
    /// A LwM2M Server.
    Server {
        /// Short Server ID, 1 to 65534.
        short_server_id: u16,
        /// `coap://` or `coaps://`.
        uri: String,
        /// How the session is secured.
        credentials: Credentials,
        /// Lifetime of the registration in seconds.
        lifetime: u32,
    },
}

/// An instance of Access Control (object 2): what each server may do with an Object Instance, or who may
/// create instances of an object.
///
/// Where there is one server, and nothing is said of an instance, the server may do everything with it.
/// Of several servers none may, but for Discover (OMA LwM2M 1.0, 8.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessControl {
    /// The instance; an object for the right to create.
    pub path: Path,
    /// The Short Server ID of the server that may change the ACL, and may do everything if it has no entry
    /// in it; [`MAX_ID`](crate::MAX_ID) when only a bootstrap may.
    pub owner: u16,
    /// The ACL: rights by Short Server ID; 0 stands for all servers that have no entry of their own.
    pub acl: Vec<(u16, Rights)>,
}

/// How a session with a server is secured.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Credentials {
    /// Not at all: plain UDP.
    NoSec,
    /// DTLS with a pre-shared key.
    Psk {
        /// The identity.
        identity: Vec<u8>,
        /// The key.
        key: Vec<u8>,
    },
}

impl core::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoSec => f.write_str("NoSec"),
            Self::Psk { identity, .. } => f.debug_struct("Psk").field("identity", identity).finish_non_exhaustive(),
        }
    }
}

/// So long an alternate path may be: the Location of a new instance fits the smallest datagrams.
pub(crate) const LONGEST_ROOT: usize = 32;

/// The lifetime of the DM terminal specification, 7.3: 24 hours.
pub(crate) const DM_LIFETIME: u32 = 86_400;

impl Config {
    /// A client as OMA LwM2M 1.0 has it: registers with the accounts it knows, and bootstraps when
    /// there are none or when all fail.
    #[must_use]
    pub fn new(endpoint: &str, key: Key) -> Self {
        let transmission = Transmission::default();
        Self {
            endpoint: endpoint.to_string(),
            key,
            limits: Limits::DEVICE,
            transmission,
            accounts: Vec::new(),
            access_controls: Vec::new(),
            bootstrap: BootstrapPolicy {
                at_every_start: false,
                honour_hold_off: true,
                server_initiated: false,
                after_failures: 5,
                silence: transmission.exchange_lifetime(),
                backoff: Backoff::SERVER,
            },
            registration: RegistrationPolicy {
                queue_mode: false,
                awake: None,
                spread: true,
                margin: Duration::from_secs(250),
                backoff: Backoff::SERVER,
                update_backoff: Backoff { first: Duration::from_secs(4), longest: Duration::from_secs(60) },
            },
            default_lifetime: DM_LIFETIME,
            device_management: true,
            information_reporting: true,
            discovery: true,
            alternate_path: None,
            legacy_formats: LegacyFormats::Accepted,
            confirmable_notifications: true,
            answer_within: Duration::from_secs(60),
            leave_within: transmission.max_transmit_wait(),
            snapshot_secrets: false,
        }
    }

    /// A terminal as the China Mobile DM specification wants it: bootstraps at every start without
    /// delay, registers for 24 hours, de-registers before it leaves.
    #[must_use]
    pub fn dm(name: EndpointName<'_>, key: Key) -> Self {
        let mut config = Self::new(name.as_ref(), key);
        config.bootstrap.at_every_start = true;
        config.bootstrap.honour_hold_off = false;
        config
    }

    /// How long a device in queue mode stays awake after its last message: 93 s unless configured
    /// otherwise.
    #[must_use]
    pub fn awake_time(&self) -> Duration {
        self.registration.awake.unwrap_or_else(|| self.transmission.max_transmit_wait())
    }

    /// The same with a bootstrap server.
    #[must_use]
    pub fn bootstrap_server(mut self, uri: &str, credentials: Credentials) -> Self {
        self.accounts.push(Account::Bootstrap { uri: uri.to_string(), credentials });
        self
    }

    /// The alternate path, or nothing: what stands in front of the objects.
    pub(crate) fn root(&self) -> &str {
        self.alternate_path.as_deref().unwrap_or_default()
    }

    /// Whether the alternate path is one, if there is any.
    pub(crate) fn has_fit_root(&self) -> bool {
        let Some(path) = self.alternate_path.as_deref() else { return true };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let fits = |segment: &str| {
            // Digits alone are an id; dots alone are resolved by whoever sends the request.
            let is_id = segment.bytes().all(|byte| byte.is_ascii_digit());
            !is_id && !matches!(segment, "." | "..") && segment.bytes().all(plain)
        };
        // Where discovery is, for one (RFC 8615).
        let is_taken = |segments: &str| segments.split('/').next() == Some(".well-known");
        let segments = path.strip_prefix('/').filter(|segments| !is_taken(segments));
        path.len() <= LONGEST_ROOT && segments.is_some_and(|segments| segments.split('/').all(fits))
    }

    /// The same with one more server, to be registered with for `lifetime` seconds.
    #[must_use]
    pub fn server(mut self, short_server_id: u16, uri: &str, credentials: Credentials, lifetime: u32) -> Self {
        self.accounts.push(Account::Server { short_server_id, uri: uri.to_string(), credentials, lifetime });
        self
    }

    /// The same with one more instance of [Access Control](AccessControl): `path` is an instance or, for
    /// the right to create, an object.
    ///
    /// ```
    /// use lwm2m_core::{Config, Credentials, Key, MAX_ID, Path, Rights};
    ///
    /// // The operator's server may do everything with Device, and the vendor's may read it.
    /// let config = Config::new("node-7", Key::from_seed(7))
    ///     .server(1, "coap://operator.example", Credentials::NoSec, 86_400)
    ///     .server(2, "coap://vendor.example", Credentials::NoSec, 3_600)
    ///     .access(Path::instance(1, 0), 1, &[])
    ///     .access(Path::instance(1, 1), 2, &[])
    ///     .access(Path::instance(3, 0), 1, &[(2, Rights::READ)])
    ///     .access(Path::object(30_000), MAX_ID, &[(2, Rights::CREATE)]);
    /// # lwm2m_core::Client::new(config, lwm2m_core::Instant::ZERO).unwrap();
    /// ```
    #[must_use]
    pub fn access(mut self, path: Path, owner: u16, acl: &[(u16, Rights)]) -> Self {
        self.access_controls.push(AccessControl { path, owner, acl: acl.to_vec() });
        self
    }
}

impl Backoff {
    /// 60 s, doubling up to a day: the defaults that LwM2M 1.1 gives for registration.
    pub const SERVER: Self = Self { first: Duration::from_secs(60), longest: Duration::from_secs(86_400) };
}

/// Why a configuration cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `ep=` and the name must fit into one Uri-Query of 255 bytes.
    #[error("the endpoint name is empty or longer than 252 bytes")]
    EndpointName,
    /// A table without which nothing can be done has no room.
    #[error("the limits leave no room for a server, a slot, an exchange or a request")]
    Limits,
    /// Two accounts have the same Short Server ID, or one is 0 or 65535.
    #[error("short server ids must be different and from 1 to 65534")]
    ShortServerId,
    /// More accounts than `Limits::servers`, or more than one bootstrap server.
    #[error("there are more accounts than the limits allow")]
    TooManyAccounts,
    /// The default lifetime is 0.
    #[error("the default lifetime is 0")]
    Lifetime,
    /// More [Access Control](AccessControl) than the limits allow, of a path that is neither an object nor
    /// an instance, or for a server that has no account here.
    #[error("access control does not fit the limits or the accounts")]
    AccessControl,
    /// There is nobody to talk to.
    #[error("there is no account")]
    NoAccount,
    /// A URI is neither coap nor coaps, or does not go with the credentials.
    #[error("a server uri is not a coap or coaps uri that goes with its credentials")]
    Uri,
    /// The alternate path is not as [`Config::alternate_path`] has it.
    #[error("the alternate path is too long, or its segments are not plain or numbers alone")]
    AlternatePath,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alternate_path_is_of_plain_segments_that_are_no_ids() {
        let fits = |path: &str| {
            let alternate_path = Some(path.to_string());
            Config { alternate_path, ..Config::new("node", Key::from_seed(1)) }.has_fit_root()
        };
        for path in
            ["/lwm2m", "/a/b/c", "/3a", "/a/3a", "/-", "/...", "/~x_y.z-", "/bs", &["/", &*"a".repeat(31)].concat()]
        {
            assert!(fits(path), "{path}");
        }
        for path in [
            "",
            "/",
            "lwm2m",
            "//",
            "/lwm2m/",
            "/a//b",
            "/3",
            "/lwm2m/3",
            "/3/lwm2m",
            "/00",
            "/.",
            "/a/..",
            "/a b",
            "/ä",
            "/.well-known",
            "/.well-known/core",
            "/.well-known/lwm2m",
            "/a%20",
            "/a>",
            "/a,b",
            "/a\"b",
            "/a;b",
            "/a?b",
            &["/", &*"a".repeat(32)].concat(),
        ] {
            assert!(!fits(path), "{path}");
        }
        assert!(Config::new("node", Key::from_seed(1)).has_fit_root());
    }
}
