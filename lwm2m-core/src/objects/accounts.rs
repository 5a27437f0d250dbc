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
use crate::base::value::{Sink, Value};
use crate::format::Given;
use crate::model::list::is_there;
use crate::model::{Action, Args, Change, Ctx, DataModel, Joined, ObjectDef, Origin, Refusal, Viewed};

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
    ///
    /// # Errors
    /// When they cannot be used.
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let servers = config.limits.servers;
        let security = Security::new(servers.saturating_add(1), config.limits.value);
        let access = AccessControl::new(config.limits.access_controls, servers);
        let mut accounts = Self(security, Server::new(servers), access);
        for (id, account) in (0..=u16::MAX).zip(&config.accounts) {
            accounts.add(id, account, server::Binding::configured(config));
        }
        accounts.shrink();
        let consistent = accounts.check(true);
        if consistent == Err(Inconsistency::TwoBootstrapServers) || accounts.1.instances.len() > servers {
            return Err(ConfigError::TooManyAccounts);
        }
        for security in &accounts.0.instances {
            security.check().map_err(|_| ConfigError::Uri)?;
        }
        for about in &config.access_controls {
            if !accounts.knows_all(about) || !accounts.2.decide(about) {
                return Err(ConfigError::AccessControl);
            }
        }
        match consistent {
            Ok(()) => Ok(accounts),
            Err(Inconsistency::NoServerAccount) if accounts.0.bootstrap_server().is_some() => Ok(accounts),
            Err(Inconsistency::NoServerAccount) => Err(ConfigError::NoAccount),
            Err(_) => Err(ConfigError::ShortServerId),
        }
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
        self.1.instances.iter().filter_map(|server| self.server(server.short_server_id?))
    }

    pub(crate) fn server(&self, short_server_id: u16) -> Option<ServerAccount<'_>> {
        self.1.by_short_server_id(short_server_id)?;
        let security = self.0.of_server(short_server_id)?;
        Some(ServerAccount { short_server_id, security })
    }

    fn is_bootstrap_account(&self, instance: u16) -> bool {
        self.0.get(instance).is_some_and(security::Instance::is_bootstrap_server)
    }

    /// The check of Bootstrap-Finish (OMA LwM2M 1.0, 5.2.5 leaves open what 'consistent' is).
    /// With `default_lifetime` a lifetime that is missing or not positive is no fault.
    pub(crate) fn check(&self, default_lifetime: bool) -> Result<(), Inconsistency> {
        let bootstrap_server = self.0.bootstrap_server().map(|first| first.id);
        let another =
            |security: &security::Instance| security.is_bootstrap_server() && bootstrap_server != Some(security.id);
        if self.0.instances.iter().any(another) {
            return Err(Inconsistency::TwoBootstrapServers);
        }
        for server in &self.1.instances {
            let id = server.short_server_id.filter(|id| (1..=65_534).contains(id));
            if id.and_then(|id| self.1.by_short_server_id(id)).is_none_or(|first| first.id != server.id) {
                return Err(Inconsistency::ShortServerId);
            }
            if server.storing.is_none() {
                return Err(Inconsistency::Incomplete);
            }
            if server.binding.is_none() {
                return Err(Inconsistency::Binding);
            }
            if server.lifetime.is_none() && !default_lifetime {
                return Err(Inconsistency::Lifetime);
            }
        }
        for security in &self.0.instances {
            security.check()?;
            let account = security.short_server_id.and_then(|id| self.server(id));
            if !security.is_bootstrap_server() && account.is_none_or(|first| first.security.id != security.id) {
                return Err(Inconsistency::Unpaired);
            }
        }
        match self.servers().count() {
            0 => Err(Inconsistency::NoServerAccount),
            complete if complete != self.1.instances.len() => Err(Inconsistency::Unpaired),
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
        let Self(securities, servers, access) = &mut settled;
        access.drop_stale(&before.2, exists);
        // What the bootstrap server's own account has for an id names no server.
        let is_gone = |id: &u16| securities.of_server(*id).is_none();
        for gone in before.servers().map(|account| account.short_server_id).filter(is_gone) {
            servers.instances.keep(&mut |server| server.short_server_id != Some(gone));
            access.part_with(gone, &servers.instances, &mut |path| lost.push(path));
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
    /// The part of the model that has an object.
    pub(crate) fn part(&self, object: u16) -> &dyn DataModel {
        if self.0.object(object).is_some() { &*self.0 } else { &*self.1 }
    }
}

impl DataModel for Accounts {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        let next = after.map_or(0, |after| after.saturating_add(1));
        // To a lone server it says nothing as long as it is empty: no server could change that.
        let hidden = next == access_control::ID && self.1.instances.len() <= 1 && self.2.instances.is_empty();
        self.object(next).filter(|_| !hidden)
    }

    fn object(&self, id: u16) -> Option<&'static ObjectDef> {
        match id {
            security::ID => Some(&security::DEFINITION),
            server::ID => Some(&server::DEFINITION),
            access_control::ID if self.2.is_supported() => Some(&access_control::DEFINITION),
            _ => None,
        }
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        let after = after.map_or(0, |after| u32::from(after).saturating_add(1));
        of!(self, object, instances.iter().map(|instance| instance.id).find(|id| u32::from(*id) >= after))
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        let mut ids = self.object(object)?.resources.iter().map(|resource| resource.id);
        ids.find(|id| {
            after.is_none_or(|after| *id > after)
                && of!(self, object, get(instance).is_some_and(|instance| instance.has(*id)))
        })
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let value = match at.object {
            // OMA LwM2M 1.0, 8.1: not accessible by any server. Bootstrap-Discover tells one resource.
            security::ID => {
                let told = ctx.origin == Origin::Bootstrap && at.resource == security::SHORT_SERVER_ID;
                let account = self.0.get(at.instance).filter(|account| told && !account.is_bootstrap_server());
                let id = account.and_then(|account| account.short_server_id).ok_or(Code::UNAUTHORIZED)?;
                Some(Value::Int(i64::from(id)))
            }
            server::ID => self.1.get(at.instance).and_then(|instance| instance.value(at.resource)),
            _ => match self.2.get(at.instance) {
                Some(instance) if at.resource == access_control::ACL => return instance.read_acl(at, out),
                instance => instance.and_then(|instance| instance.value(at.resource)),
            },
        };
        Ok(out.value(at, value.ok_or(Code::NOT_FOUND)?)?)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        let (object, id) = (change.object, change.instance);
        let by_server = matches!(ctx.origin, Origin::Server(_));
        if by_server && object == security::ID {
            return Err(Refusal::Code(Code::UNAUTHORIZED));
        }
        // A server can neither make nor remove accounts (OMA LwM2M 1.0, Appendix D.1.2), and Access Control comes by
        // instances with those of other objects, or by a bootstrap (8.2.2).
        if by_server && matches!(change.action, Action::Create | Action::Delete) {
            return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
        }
        let known = of!(self, object, get(id).is_some());
        let taken = of!(self, object, instances.len()).saturating_add(usize::from(change.earlier));
        let fits = match change.action {
            // The bootstrap account survives a Delete (OMA LwM2M 1.0, 5.2.7.5).
            Action::Delete => known && !(object == security::ID && self.is_bootstrap_account(id)),
            _ => known || of!(self, object, has_room(taken)),
        };
        let is_known = |id| self.1.by_short_server_id(id).is_some();
        let bad = |given: Given<'_>| match object {
            security::ID => self.0.is_too_long(&given.value),
            server::ID => by_server && server::is_bad(&given),
            // A bootstrap may name a server before it brings it; Bootstrap-Finish judges.
            _ => by_server && !access_control::names_known(&given, &is_known),
        };
        if !fits || change.values.iter().any(bad) {
            return Err(Refusal::Code(Code::BAD_REQUEST));
        }
        if object == access_control::ID && change.action != Action::Delete { self.2.check(change) } else { Ok(()) }
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        let (object, id) = (change.object, change.instance);
        if change.action == Action::Delete {
            return of!(self, object, instances.keep(&mut |instance| instance.id != id));
        }
        let anew = matches!(change.action, Action::Create | Action::Replace);
        match object {
            security::ID => self.0.begin(id, anew),
            server::ID => self.1.begin(id, anew, matches!(ctx.origin, Origin::Server(_))),
            _ => self.2.begin(change, anew, ctx.origin),
        }
        for given in &change.values {
            of!(self, object, get_mut(id).into_iter().for_each(|instance| instance.set(given)));
        }
    }

    fn execute(&mut self, _: &Ctx, at: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        if at.object == server::ID { Ok(()) } else { Err(Refusal::Code(Code::METHOD_NOT_ALLOWED)) }
    }

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
            let mut accounts = Accounts(Security::new(2, 255), Server::new(1), AccessControl::new(0, 1));
            accounts.add(0, &config.accounts[0], server::Binding::U);
            assert_eq!(accounts.check(false), expected, "{uri}");
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
            Accounts::new(&config).unwrap()
        };
        let each = size_of::<security::Instance>() + size_of::<server::Instance>();
        assert_eq!((config(1).heap(), config(1).strings()), (each, "coaps://dm.example".len() + 2 + 3));
        assert_eq!((config(2).heap(), config(2).strings()), (2 * each, 2 * ("coaps://dm.example".len() + 2 + 3)));
    }

    #[cfg(feature = "access-control")]
    #[test]
    fn what_is_said_of_rights_names_servers_that_there_are_and_has_room() {
        let config = |limit: usize, path: Path, owner: u16, acl: &[(u16, Rights)]| {
            let mut config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 60);
            config.limits.access_controls = limit;
            Accounts::new(&config.access(path, owner, acl)).map(|_| ())
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
