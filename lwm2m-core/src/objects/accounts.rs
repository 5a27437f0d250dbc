//! Accounts: the instances of Security and Server that belong together by Short Server ID
//! (OMA LwM2M 1.0, 5.2.1), and what Access Control grants them.

use alloc::vec::Vec;

use coap_codec::{Code, Uri};

use super::access_control::{self, AccessControl};
use super::security::{self, Mode, Security};
use super::server::{self, Server};
use crate::base::config::{self, Config, ConfigError, Credentials};
use crate::base::event::Inconsistency;
use crate::base::path::{Leaf, MAX_ID, Path};
use crate::base::rights::Rights;
use crate::base::table::Places;
use crate::base::value::Sink;
use crate::model::list::is_there;
use crate::model::{Args, Change, Ctx, DataModel, Joined, ObjectDef, Origin, Refusal, Viewed};

/// The three objects that drive the client, as one model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Accounts(pub(crate) Security, pub(crate) Server, pub(crate) AccessControl);

/// A complete LwM2M Server account, as its Security half shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerAccount<'a> {
    pub(crate) short_server_id: u16,
    pub(crate) security: &'a security::Instance,
}

impl Accounts {
    /// The accounts that the device is made with.
    pub(crate) fn new(config: &Config) -> Self {
        let servers = config.limits.servers;
        let security = Security::new(servers.saturating_add(1), config.limits.value);
        let access = AccessControl::new(config.limits.access_controls, servers);
        let mut accounts = Self(security, Server::new(servers), access);
        for (id, account) in (0..=u16::MAX).zip(&config.accounts) {
            accounts.add(id, account, server::Binding::configured(config));
        }
        for about in &config.access_controls {
            // The configuration was checked for room.
            accounts.2.decide(about);
        }
        accounts.shrink();
        accounts
    }

    fn add(&mut self, id: u16, account: &config::Account, binding: server::Binding) {
        let (uri, credentials) = match account {
            config::Account::Bootstrap { uri, credentials } | config::Account::Server { uri, credentials, .. } => {
                (uri, credentials)
            }
        };
        let mut security = security::Instance { id, uri: Some(uri.as_str().into()), ..security::Instance::default() };
        match credentials {
            Credentials::NoSec => security.mode = Some(Mode::NoSec),
            Credentials::Psk { identity, key } => {
                security.mode = Some(Mode::PreSharedKey);
                security.credential.identity = identity.as_slice().into();
                security.credential.secret_key = key.as_slice().into();
            }
        }
        security.bootstrap_server = Some(matches!(account, config::Account::Bootstrap { .. }));
        if let config::Account::Server { short_server_id, lifetime, .. } = account {
            security.short_server_id = Some(*short_server_id);
            self.1.instances.push(server::Instance {
                id,
                short_server_id: Some(*short_server_id),
                lifetime: Some(*lifetime).filter(|lifetime| *lifetime > 0),
                storing: Some(true),
                binding: Some(binding),
                ..server::Instance::default()
            });
        }
        self.0.instances.push(security);
    }

    /// The complete server accounts.
    pub(crate) fn servers(&self) -> impl Iterator<Item = ServerAccount<'_>> {
        self.1.instances.iter().filter_map(|server| {
            let short_server_id = server.short_server_id?;
            let belongs = |security: &&security::Instance| {
                !security.is_bootstrap_server() && security.short_server_id == Some(short_server_id)
            };
            let security = self.0.instances.iter().find(belongs)?;
            Some(ServerAccount { short_server_id, security })
        })
    }

    pub(crate) fn server(&self, short_server_id: u16) -> Option<ServerAccount<'_>> {
        self.servers().find(|account| account.short_server_id == short_server_id)
    }

    /// The check of Bootstrap-Finish (OMA LwM2M 1.0, 5.2.5 leaves open what 'consistent' is).
    /// With `default_lifetime` a lifetime that is missing or not positive is no fault.
    pub(crate) fn check(&self, default_lifetime: bool) -> Result<(), Inconsistency> {
        let Self(Security { instances: securities, .. }, Server { instances: servers, .. }, _) = self;
        if securities.iter().filter(|security| security.is_bootstrap_server()).count() > 1 {
            return Err(Inconsistency::TwoBootstrapServers);
        }
        let same = |one: Option<u16>, other: Option<u16>| one.is_some() && one == other;
        for server in servers {
            let id =
                server.short_server_id.filter(|id| (1..=65_534).contains(id)).ok_or(Inconsistency::ShortServerId)?;
            if servers.iter().filter(|other| other.short_server_id == Some(id)).count() > 1 {
                return Err(Inconsistency::ShortServerId);
            }
            if server.storing.is_none() {
                return Err(Inconsistency::Incomplete);
            }
            if !server.binding.is_some_and(server::Binding::is_supported) {
                return Err(Inconsistency::Binding);
            }
            if server.lifetime.is_none() && !default_lifetime {
                return Err(Inconsistency::Lifetime);
            }
        }
        for security in securities {
            security.check()?;
            if !security.is_bootstrap_server() {
                let partners = servers.iter().filter(|server| same(server.short_server_id, security.short_server_id));
                let rivals = securities.iter().filter(|other| {
                    !other.is_bootstrap_server() && same(other.short_server_id, security.short_server_id)
                });
                if partners.count() != 1 || rivals.count() != 1 {
                    return Err(Inconsistency::Unpaired);
                }
            }
        }
        match self.servers().count() {
            0 => Err(Inconsistency::NoServerAccount),
            complete if complete != servers.len() => Err(Inconsistency::Unpaired),
            _ => Ok(()),
        }
    }

    /// Whether there is an account for every server that is named.
    pub(crate) fn knows_all(&self, about: &config::AccessControl) -> bool {
        let is_known = |id| self.1.by_short_server_id(id).is_some();
        (about.owner == MAX_ID || is_known(about.owner))
            && about.acl.iter().all(|(server, _)| *server == 0 || is_known(*server))
    }

    /// What a bootstrap made of the accounts that were there `before`, when it finishes: servers without
    /// a Security instance any more lose all that was theirs. The instances that nobody but them could
    /// access are named: they are to be deleted from the `model` (OMA LwM2M 1.0, 5.2.5.2).
    pub(crate) fn settle(
        &self,
        before: &Self,
        default_lifetime: bool,
        model: &dyn DataModel,
    ) -> Result<(Self, Vec<Path>), Inconsistency> {
        let exists = &|object, instance| is_there(&Viewed(self, model), object, instance);
        let mut settled = self.clone();
        let mut lost = Vec::new();
        let Self(Security { instances: securities, .. }, servers, access) = &mut settled;
        access.drop_stale(&before.2, exists);
        // What the bootstrap server's own account has for an id names no server.
        let is_of =
            |security: &security::Instance, id| !security.is_bootstrap_server() && security.short_server_id == Some(id);
        let is_gone = |id| !securities.iter().any(|security| is_of(security, id));
        for gone in before.servers().map(|account| account.short_server_id).filter(|id| is_gone(*id)) {
            servers.instances.keep(&mut |server| server.short_server_id != Some(gone));
            let others: Vec<_> = servers.instances.iter().filter_map(|server| server.short_server_id).collect();
            access.part_with(gone, &others, &mut |path| lost.push(path));
        }
        settled.check(default_lifetime)?;
        let is_known = |id| settled.1.by_short_server_id(id).is_some();
        let unguarded = settled.1.instances.len() > 1 && !settled.2.is_supported();
        if unguarded || !settled.2.is_consistent(&is_known, exists) {
            return Err(Inconsistency::AccessControl);
        }
        Ok((settled, lost))
    }

    /// Forgets what Access Control says of instances at or below `path` that are gone.
    pub(crate) fn detach(&mut self, path: Path, model: &dyn DataModel) {
        let Self(_, servers, access) = self;
        access.detach(path, &|object, instance| {
            if object == server::ID {
                return servers.get(instance).is_some();
            }
            let known = model.object(object).and_then(|_| model.next_instance(object, instance.checked_sub(1)));
            known == Some(instance)
        });
    }

    /// Gives back what was taken while they came one by one.
    pub(crate) fn shrink(&mut self) {
        self.0.instances.shrink_to_fit();
        self.1.instances.shrink_to_fit();
    }

    /// Bytes of the strings and keys in it.
    pub(crate) fn strings(&self) -> usize {
        self.0.instances.iter().fold(0usize, |sum, instance| {
            let keys = &instance.credential;
            sum.saturating_add(instance.uri.as_ref().map_or(0, |uri| uri.len()))
                .saturating_add(keys.identity.len())
                .saturating_add(keys.server_key.len())
                .saturating_add(keys.secret_key.len())
        })
    }

    /// Heap bytes of it, but for those.
    pub(crate) fn heap(&self) -> usize {
        (self.0.instances.capacity().saturating_mul(size_of::<security::Instance>()))
            .saturating_add(self.1.instances.capacity().saturating_mul(size_of::<server::Instance>()))
            .saturating_add(self.2.heap())
    }
}

/// Whether the configured accounts can be used.
pub(crate) fn check_configured(config: &Config) -> Result<(), ConfigError> {
    let accounts = Accounts::new(config);
    let bootstraps = accounts.0.instances.iter().filter(|security| security.is_bootstrap_server()).count();
    if bootstraps > 1 || accounts.1.instances.len() > config.limits.servers {
        return Err(ConfigError::TooManyAccounts);
    }
    for security in &accounts.0.instances {
        security.check().map_err(|_| ConfigError::Uri)?;
    }
    let fits = |about: &config::AccessControl| accounts.knows_all(about) && accounts.2.clone().decide(about);
    if !config.access_controls.iter().all(fits) {
        return Err(ConfigError::AccessControl);
    }
    match accounts.check(true) {
        Ok(()) => Ok(()),
        Err(Inconsistency::NoServerAccount) if bootstraps == 1 => Ok(()),
        Err(Inconsistency::NoServerAccount) => Err(ConfigError::NoAccount),
        Err(_) => Err(ConfigError::ShortServerId),
    }
}

impl security::Instance {
    fn check(&self) -> Result<(), Inconsistency> {
        if self.bootstrap_server.is_none() {
            return Err(Inconsistency::Incomplete);
        }
        let uri = self.uri.as_deref().ok_or(Inconsistency::Incomplete)?;
        let secure = Uri::parse(uri).map_err(|_| Inconsistency::Uri)?.is_secure();
        match self.mode.ok_or(Inconsistency::Incomplete)? {
            Mode::NoSec if !secure => Ok(()),
            Mode::PreSharedKey if secure && !self.credential.secret_key.is_empty() => Ok(()),
            _ => Err(Inconsistency::Mode),
        }
    }
}

/// What is asked of the part that has an object of the client's own.
macro_rules! of {
    ($accounts:ident, $object:expr, $($question:tt)+) => {
        match $object {
            security::ID => $accounts.0.$($question)+,
            server::ID => $accounts.1.$($question)+,
            _ => $accounts.2.$($question)+,
        }
    };
}

impl Joined<'_, Accounts, dyn DataModel + '_> {
    /// The part that has an object, if one has it.
    pub(crate) fn part(&self, object: u16) -> &dyn DataModel {
        if self.0.object(object).is_some() { &*self.0 } else { &*self.1 }
    }
}

impl DataModel for Accounts {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        match after {
            None => self.0.next_object(None),
            Some(security::ID) => self.1.next_object(after),
            // To a lone server it says nothing as long as it is empty: no server could change that.
            Some(_) if self.1.instances.len() <= 1 && self.2.instances.is_empty() => None,
            Some(_) => self.2.next_object(after),
        }
    }

    fn object(&self, id: u16) -> Option<&'static ObjectDef> {
        // Asked for every object of the device.
        if id > access_control::ID {
            return None;
        }
        of!(self, id, next_object(id.checked_sub(1))).filter(|object| object.id == id)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        of!(self, object, next_instance(object, after))
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        of!(self, object, next_resource(object, instance, after))
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        of!(self, at.object, read(ctx, at, out))
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        of!(self, change.object, check(ctx, change))?;
        // A bootstrap may name a server before it brings it; Bootstrap-Finish judges. With what else is
        // there it must fit at once, or the next bootstrap would be refused for it.
        let judged = change.object == access_control::ID && matches!(ctx.origin, Origin::Server(_));
        let is_known = |id| self.1.by_short_server_id(id).is_some();
        if judged && !access_control::names_known(change, &is_known) {
            return Err(Refusal::Code(Code::BAD_REQUEST));
        }
        Ok(())
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        of!(self, change.object, apply(ctx, change));
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        of!(self, at.object, execute(ctx, at, args))
    }

    /// What Access Control grants a server, for all objects of the device.
    fn rights(&self, ctx: &Ctx, object: u16, instance: u16) -> Rights {
        match ctx.origin {
            Origin::Server(server) => self.2.rights(server, self.1.instances.len() <= 1, object, instance),
            Origin::Bootstrap | Origin::Local => Rights::ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Key;

    // OMA LwM2M 1.0, 7.1: DTLS and a key, or neither.
    #[test]
    fn a_key_and_a_secure_address_go_together() {
        let psk = |key: &[u8]| Credentials::Psk { identity: b"me".to_vec(), key: key.to_vec() };
        for (uri, credentials, expected) in [
            ("coap://dm.example", Credentials::NoSec, Ok(())),
            ("coaps://dm.example", psk(b"key"), Ok(())),
            ("coaps://dm.example", Credentials::NoSec, Err(Inconsistency::Mode)),
            ("coap://dm.example", psk(b"key"), Err(Inconsistency::Mode)),
            ("coaps://dm.example", psk(b""), Err(Inconsistency::Mode)),
            ("http://dm.example", Credentials::NoSec, Err(Inconsistency::Uri)),
        ] {
            let config = Config::new("x", Key::from_seed(1)).server(1, uri, credentials, 60);
            assert_eq!(Accounts::new(&config).check(false), expected, "{uri}");
        }
    }

    #[test]
    fn what_accounts_hold_is_counted() {
        let config = |servers: u16| {
            let psk = Credentials::Psk { identity: b"me".to_vec(), key: b"key".to_vec() };
            let mut config = Config::new("x", Key::from_seed(1));
            for id in 1..=servers {
                config = config.server(id, "coaps://dm.example", psk.clone(), 60);
            }
            Accounts::new(&config)
        };
        assert_eq!((config(0).heap(), config(0).strings()), (0, 0));
        let each = size_of::<security::Instance>() + size_of::<server::Instance>();
        assert_eq!((config(2).heap(), config(2).strings()), (2 * each, 2 * ("coaps://dm.example".len() + 2 + 3)));
    }

    #[cfg(feature = "access-control")]
    #[test]
    fn what_is_said_of_rights_names_servers_that_there_are_and_has_room() {
        let config = |limit: usize, path: Path, owner: u16, acl: &[(u16, Rights)]| {
            let mut config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 60);
            config.limits.access_controls = limit;
            check_configured(&config.access(path, owner, acl))
        };
        let (path, refused) = (Path::instance(5, 0), Err(ConfigError::AccessControl));
        assert_eq!(config(1, path, 1, &[(0, Rights::READ), (1, Rights::ALL)]), Ok(()));
        assert_eq!(config(1, Path::object(5), MAX_ID, &[]), Ok(()));
        assert_eq!(config(0, path, 1, &[]), refused, "no room");
        assert_eq!(config(1, Path::resource(5, 0, 1), 1, &[]), refused, "nothing can be said of it");
        assert_eq!(config(1, path, 2, &[]), refused, "an owner that has no account");
        assert_eq!(config(1, path, 1, &[(2, Rights::READ)]), refused, "a server that has no account");
    }
}
