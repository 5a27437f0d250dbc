//! What the embedder decides once: who the device is, whom it knows, and how it behaves.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use endpoint_name::EndpointName;

use super::attributes::halves;
use super::path::Path;
use super::profile::{Held, Profile};
use super::rights::Rights;
use super::rng::Key;

/// The configuration of a client: who it is, whom it knows, and how it behaves. The last are the fields of a
/// [`Profile`], which are read and set as if they were its own.
///
/// ```
/// use lwm2m_core::{Config, Key};
/// use endpoint_name::EndpointName;
///
/// let name = EndpointName::parse("490154203237518;460001234567890;;1.0").unwrap();
/// let config = Config::dm(name, Key(*b"from the entropy")).bootstrap_server("coap://dm.example", Credentials::NoSec);
/// # use lwm2m_core::Credentials;
/// assert_eq!(config.default_lifetime, 86_400); // of the profile
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The endpoint client name: the `ep` of Bootstrap-Request and Register.
    pub endpoint: String,
    /// The key of everything random.
    pub key: Key,
    /// The accounts that the device is made with; a bootstrap may change them.
    pub accounts: Vec<Account>,
    /// Who may do what, where there are several servers that the device is made with: without it they
    /// may do nothing. A bootstrap may change it.
    pub access_controls: Vec<AccessControl>,
    /// Where the objects are, if not at the root: `/lwm2m` puts `/3/0` at `/lwm2m/3/0`, for devices that
    /// serve other things besides (OMA LwM2M 1.0, 5.3.1). Register says so, and links and the Location
    /// of a new instance begin with it; servers find nothing anywhere else. The bootstrap server
    /// knows nothing of it. Names inside LwM2M JSON do not begin with it either: LwM2M 1.0 does not ask
    /// for that, and Leshan would not read them.
    ///
    /// One segment or several, each behind its `/`: at most 32 bytes of letters, digits, `-`, `.`, `_` and
    /// `~`, no segment of digits alone, and not below `/.well-known`.
    pub alternate_path: Option<String>,
    profile: Held,
}

/// How the client behaves: read, and set, as if the fields of the [`Profile`] were the configuration's own.
/// The first that is set moves all of them from the constant that they come from to the heap.
impl Deref for Config {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
}

impl DerefMut for Config {
    fn deref_mut(&mut self) -> &mut Profile {
        self.profile.own()
    }
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

impl Account {
    fn strings(&self) -> usize {
        let (Self::Bootstrap { uri, credentials } | Self::Server { uri, credentials, .. }) = self;
        uri.capacity()
            + match credentials {
                Credentials::NoSec => 0,
                Credentials::Psk { identity, key } => identity.capacity() + key.capacity(),
            }
    }
}

/// How a session with a server is secured.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

/// The segments of an alternate path.
pub(crate) fn segments(root: &str) -> impl Iterator<Item = &[u8]> {
    let (_, mut rest) = halves(root.as_bytes(), b'/');
    core::iter::from_fn(move || {
        let (segment, after) = halves(rest?, b'/');
        rest = after;
        Some(segment)
    })
}

impl Config {
    /// A client as OMA LwM2M 1.0 has it: registers with the accounts it knows, and bootstraps when
    /// there are none or when all fail ([`Profile::OMA`]).
    #[must_use]
    pub fn new(endpoint: &str, key: Key) -> Self {
        Self::with_profile(&Profile::OMA, endpoint, key)
    }

    /// A terminal as the China Mobile DM specification wants it: bootstraps at every start without
    /// delay, registers for 24 hours, de-registers before it leaves ([`Profile::DM`]).
    #[must_use]
    pub fn dm(name: EndpointName<'_>, key: Key) -> Self {
        Self::with_profile(&Profile::DM, name.as_ref(), key)
    }

    /// A client that behaves in one's own way. A profile that is a constant takes no memory, however many
    /// clients share it.
    ///
    /// ```
    /// use lwm2m_core::{Config, Key, Limits, Profile};
    ///
    /// static PROFILE: Profile = Profile { limits: Limits::SMALL, default_lifetime: 3_600, ..Profile::DM };
    ///
    /// let config = Config::with_profile(&PROFILE, "node-7", Key::from_seed(7));
    /// assert_eq!(config.limits, Limits::SMALL);
    /// ```
    #[must_use]
    pub fn with_profile(profile: &'static Profile, endpoint: &str, key: Key) -> Self {
        Self {
            endpoint: endpoint.to_string(),
            key,
            accounts: Vec::new(),
            access_controls: Vec::new(),
            alternate_path: None,
            profile: Held::constant(profile),
        }
    }

    /// The same, behaving in another way.
    ///
    /// ```
    /// # use lwm2m_core::{Config, Key};
    /// let config = Config::new("node-7", Key::from_seed(7)).with(|profile| profile.discovery = false);
    /// assert!(!config.discovery);
    /// ```
    #[must_use]
    pub fn with(mut self, set: impl FnOnce(&mut Profile)) -> Self {
        set(&mut self);
        self
    }

    /// Heap bytes of it, but for its [strings](Self::strings).
    pub(crate) fn heap(&self) -> usize {
        let acl = self.access_controls.iter().fold(0usize, |sum, about| {
            sum.saturating_add(about.acl.capacity().saturating_mul(size_of::<(u16, Rights)>()))
        });
        self.accounts.capacity().saturating_mul(size_of::<Account>())
            + self.access_controls.capacity().saturating_mul(size_of::<AccessControl>())
            + acl
            + self.profile.heap()
    }

    /// Bytes of the strings and keys in it.
    pub(crate) fn strings(&self) -> usize {
        let accounts = self.accounts.iter().fold(0usize, |sum, account| sum.saturating_add(account.strings()));
        self.endpoint.capacity() + self.alternate_path.as_ref().map_or(0, String::capacity) + accounts
    }

    /// The same with a bootstrap server.
    #[must_use]
    pub fn bootstrap_server(mut self, uri: &str, credentials: Credentials) -> Self {
        self.accounts.reserve_exact(1);
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
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let fits = |(depth, segment): (usize, &[u8])| {
            // Digits alone are an id; dots alone are resolved by whoever sends the request; and the last is where discovery
            // is, for one (RFC 8615).
            let is_taken = segment.iter().all(u8::is_ascii_digit)
                || matches!(segment, b"." | b"..")
                || (depth == 0 && segment == b".well-known");
            !is_taken && segment.iter().all(|byte| plain(*byte))
        };
        path.len() <= LONGEST_ROOT && path.starts_with('/') && segments(path).enumerate().all(fits)
    }

    /// The same with one more server, to be registered with for `lifetime` seconds; 0 stands for
    /// [`Profile::default_lifetime`], of which a [`Diagnostic`](crate::Diagnostic) tells. Of the URI scheme, host and port
    /// count: a path is accepted and not used, for the paths of requests are those of the standard.
    #[must_use]
    pub fn server(mut self, short_server_id: u16, uri: &str, credentials: Credentials, lifetime: u32) -> Self {
        self.accounts.reserve_exact(1);
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
    /// an instance, or for a server that has no account here; any at all without the feature `access-control`.
    #[error("access control does not fit the limits or the accounts, or is left out")]
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
    use crate::base::limits::Limits;

    #[test]
    fn what_no_client_can_be_made_of_is_refused() {
        fn made(endpoint: &str, edit: impl FnOnce(&mut Config)) -> Result<(), ConfigError> {
            let mut config = Config::new(endpoint, Key::from_seed(1)).server(1, "coap://a", Credentials::NoSec, 60);
            edit(&mut config);
            crate::Client::new(config, crate::Instant::ZERO).map(|_| ())
        }
        fn account(config: &mut Config, id: u16) {
            *config = config.clone().server(id, "coap://b", Credentials::NoSec, 60);
        }
        fn bootstrap(config: &mut Config) {
            *config = config.clone().bootstrap_server("coap://c", Credentials::NoSec);
        }
        let limits = |edit: fn(&mut Limits)| made("x", |config| edit(&mut config.limits));
        assert_eq!(made("x", |_| {}), Ok(()));
        assert_eq!(made(&"x".repeat(252), |_| {}), Ok(()));
        for name in [String::new(), "x".repeat(253)] {
            assert_eq!(made(&name, |_| {}), Err(ConfigError::EndpointName));
        }
        for least in [limits(|it| it.servers = 1), limits(|it| it.slots = 2), limits(|it| it.datagram = 64)] {
            assert_eq!(least, Ok(()));
        }
        for less in [
            limits(|it| it.servers = 0),
            limits(|it| it.slots = 1),
            limits(|it| it.exchanges = 0),
            limits(|it| it.deduplication = 0),
            limits(|it| it.datagram = 63),
        ] {
            assert_eq!(less, Err(ConfigError::Limits));
        }
        for id in [0, 1, u16::MAX] {
            assert_eq!(made("x", |config| account(config, id)), Err(ConfigError::ShortServerId), "{id}");
        }
        let crowd = |config: &mut Config| {
            config.limits.servers = 1;
            account(config, 2);
        };
        assert_eq!(made("x", crowd), Err(ConfigError::TooManyAccounts));
        assert_eq!(made("x", bootstrap), Ok(()));
        let two = |config: &mut Config| [(); 2].iter().for_each(|()| bootstrap(config));
        assert_eq!(made("x", two), Err(ConfigError::TooManyAccounts));
        assert_eq!(made("x", |config| config.accounts.clear()), Err(ConfigError::NoAccount));
        let secure = |config: &mut Config| *config = config.clone().server(2, "coaps://b", Credentials::NoSec, 60);
        assert_eq!(made("x", secure), Err(ConfigError::Uri));
    }

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

    #[test]
    fn each_account_and_each_word_on_access_counts_as_memory() {
        let plain = Config::new("x", Key::from_seed(1));
        let mut larger = plain.clone();
        larger.accounts.reserve_exact(3);
        let accounts = larger.heap();
        assert!(accounts >= plain.heap() + 3 * size_of::<Account>());
        larger.access_controls.reserve_exact(2);
        assert!(larger.heap() >= accounts + 2 * size_of::<AccessControl>());
    }
}
