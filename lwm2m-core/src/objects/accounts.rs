//! Accounts: the instances of Security and Server that belong together by Short Server ID
//! (OMA LwM2M 1.0, 5.2.1), and what Access Control grants them.

use alloc::vec::Vec;

use coap_codec::{Code, Uri};

use super::access_control::{self, ACL, DEFAULT, Grant, Grants, OWNER};
use super::rows::{Row, Text};
use super::security;
use super::server::{self, Binding};
use crate::base::config::{self, Config, ConfigError, Credentials};
use crate::base::event::Inconsistency;
use crate::base::features;
use crate::base::limits::Limits;
use crate::base::path::{Leaf, MAX_ID, Path};
use crate::base::rights::Rights;
use crate::base::value::{Sink, Value};
use crate::format::Given;
use crate::model::list::is_there;
use crate::model::{Action, Args, Change, Ctx, DataModel, Joined, ObjectDef, Origin, Refusal, Viewed};

/// The three objects that drive the client, as one model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Accounts {
    /// The instances, by Object ID.
    pub(super) tables: [Vec<Row>; 3],
    /// Strings and keys of Security.
    pub(super) texts: Vec<Text>,
    /// The entries of ACLs.
    pub(super) grants: Grants,
    pub(super) limits: Bounds,
}

/// What there may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bounds {
    pub(super) servers: u16,
    pub(super) access_controls: u16,
    /// Bytes of a string or a key.
    value: u16,
}

/// What the client has, by Object ID.
static DEFINITIONS: [&ObjectDef; 3] = [&security::DEFINITION, &server::DEFINITION, &access_control::DEFINITION];

impl Accounts {
    /// Nothing yet.
    pub(crate) fn empty(limits: &Limits) -> Self {
        let narrow = |limit: usize| u16::try_from(limit).unwrap_or(u16::MAX);
        let limits = Bounds {
            servers: narrow(limits.servers),
            access_controls: narrow(if features::ACCESS_CONTROL { limits.access_controls } else { 0 }),
            value: narrow(limits.value),
        };
        Self { tables: [const { Vec::new() }; 3], texts: Vec::new(), grants: Grants::new(), limits }
    }

    /// The accounts that the device is made with.
    ///
    /// # Errors
    /// When they cannot be used.
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut accounts = Self::empty(&config.limits);
        for (id, account) in (0..=u16::MAX).zip(&config.accounts) {
            accounts.add(id, account, Binding::configured(config));
        }
        accounts.shrink();
        if [security::ID, server::ID].iter().any(|object| accounts.rows(*object).len() > accounts.limit(*object)) {
            return Err(ConfigError::TooManyAccounts);
        }
        for about in &config.access_controls {
            if !accounts.knows_all(about) || !accounts.decide(about) {
                return Err(ConfigError::AccessControl);
            }
        }
        match accounts.check(true) {
            Ok(()) => Ok(accounts),
            Err(Inconsistency::NoServerAccount) if accounts.bootstrap_server().is_some() => Ok(accounts),
            Err(Inconsistency::NoServerAccount) => Err(ConfigError::NoAccount),
            Err(Inconsistency::TwoBootstrapServers) => Err(ConfigError::TooManyAccounts),
            Err(Inconsistency::Uri | Inconsistency::Mode) => Err(ConfigError::Uri),
            Err(_) => Err(ConfigError::ShortServerId),
        }
    }

    fn add(&mut self, id: u16, account: &config::Account, binding: Binding) {
        let (config::Account::Bootstrap { uri, credentials } | config::Account::Server { uri, credentials, .. }) =
            account;
        let (mode, [identity, key]) = match credentials {
            Credentials::NoSec => (security::NO_SEC, [&[][..]; 2]),
            Credentials::Psk { identity, key } => (security::PRE_SHARED_KEY, [&identity[..], key]),
        };
        let server = match account {
            config::Account::Server { short_server_id, lifetime, .. } => Some((u32::from(*short_server_id), *lifetime)),
            config::Account::Bootstrap { .. } => None,
        };
        for (object, resource, number) in [
            (security::ID, security::BOOTSTRAP_SERVER, Some(server.is_none().into())),
            (security::ID, security::MODE, Some(mode)),
            (security::ID, security::SHORT_SERVER_ID, server.map(|(own, _)| own)),
            (server::ID, server::SHORT_SERVER_ID, server.map(|(own, _)| own)),
            (server::ID, server::LIFETIME, server.map(|(_, lifetime)| lifetime).filter(|lifetime| *lifetime > 0)),
            (server::ID, server::STORING, server.map(|_| 1)),
            (server::ID, server::BINDING, server.map(|_| binding as u32)),
        ] {
            if number.is_some()
                && let Some(row) = self.make(object, id)
            {
                row.set(resource, number);
            }
        }
        let texts = [(security::URI, uri.as_bytes()), (security::IDENTITY, identity), (security::SECRET_KEY, key)];
        texts.into_iter().for_each(|(resource, text)| self.set_text(id, resource, text));
    }

    /// The complete server accounts: their Short Server IDs and their instances of Security.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (u16, &Row)> {
        self.rows(server::ID).iter().filter_map(|server| {
            let id = server.short(server::SHORT_SERVER_ID)?;
            Some((id, self.security_of(id)?))
        })
    }

    /// The same of one server.
    pub(crate) fn server(&self, id: u16) -> Option<&Row> {
        self.by_short_server_id(id).and_then(|_| self.security_of(id))
    }

    /// The instance of Security of a server. What the bootstrap server's own has for an id names no server.
    fn security_of(&self, id: u16) -> Option<&Row> {
        let belongs = |row: &&Row| !row.is_bootstrap_server() && row.short(security::SHORT_SERVER_ID) == Some(id);
        self.rows(security::ID).iter().find(belongs)
    }

    /// How many instances of an object there may be.
    pub(crate) fn limit(&self, object: u16) -> usize {
        match object {
            security::ID => usize::from(self.limits.servers).saturating_add(1),
            server::ID => self.limits.servers.into(),
            _ => self.limits.access_controls.into(),
        }
    }

    /// The check of Bootstrap-Finish (OMA LwM2M 1.0, 5.2.5 leaves open what 'consistent' is).
    /// With `default_lifetime` a lifetime that is missing or not positive is no fault.
    pub(crate) fn check(&self, default_lifetime: bool) -> Result<(), Inconsistency> {
        let [securities, servers] = [security::ID, server::ID].map(|object| self.rows(object));
        let bootstraps = securities.iter().filter(|row| row.is_bootstrap_server()).count();
        if bootstraps > 1 {
            return Err(Inconsistency::TwoBootstrapServers);
        }
        for server in servers {
            let id = server.short(server::SHORT_SERVER_ID).filter(|id| (1..=65_534).contains(id));
            // The first that has an id is the only one.
            if id.and_then(|id| self.by_short_server_id(id)).is_none_or(|first| first.id != server.id) {
                return Err(Inconsistency::ShortServerId);
            }
            if server.number(server::STORING).is_none() {
                return Err(Inconsistency::Incomplete);
            }
            if server.binding().is_none() {
                return Err(Inconsistency::Binding);
            }
            if server.number(server::LIFETIME).is_none() && !default_lifetime {
                return Err(Inconsistency::Lifetime);
            }
        }
        securities.iter().try_for_each(|security| self.check_security(security))?;
        // As many as there are pairs: then each has one partner.
        let pairs = self.servers().count();
        match securities.len().saturating_sub(bootstraps) {
            0 => Err(Inconsistency::NoServerAccount),
            halves if halves != pairs || servers.len() != pairs => Err(Inconsistency::Unpaired),
            _ => Ok(()),
        }
    }

    fn check_security(&self, security: &Row) -> Result<(), Inconsistency> {
        let mode = security.number(security::MODE);
        let (Some(_), Some(mode)) = (security.number(security::BOOTSTRAP_SERVER), mode) else {
            return Err(Inconsistency::Incomplete);
        };
        let secure = Uri::parse(self.uri(security)).map_err(|_| Inconsistency::Uri)?.is_secure();
        let has_key = !self.text(security.id, security::SECRET_KEY).is_empty();
        match mode {
            security::NO_SEC if !secure => Ok(()),
            security::PRE_SHARED_KEY if secure && has_key => Ok(()),
            _ => Err(Inconsistency::Mode),
        }
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
        if features::ACCESS_CONTROL {
            settled.drop_stale(before, exists);
        }
        for (gone, _) in before.servers().filter(|(id, _)| self.security_of(*id).is_none()) {
            settled.keep(server::ID, &mut |row| row.short(server::SHORT_SERVER_ID) != Some(gone));
            if features::ACCESS_CONTROL {
                settled.part_with(gone, &mut |path| lost.push(path));
            }
        }
        settled.check(default_lifetime)?;
        let unguarded = settled.rows(server::ID).len() > 1 && !settled.guards();
        if unguarded || (features::ACCESS_CONTROL && !settled.grants_are_consistent(exists)) {
            return Err(Inconsistency::AccessControl);
        }
        Ok((settled, lost))
    }

    /// Gives back what was taken while they came one by one.
    pub(crate) fn shrink(&mut self) {
        self.tables.iter_mut().for_each(Vec::shrink_to_fit);
        self.texts.shrink_to_fit();
    }

    /// Bytes of the strings and keys in it.
    pub(crate) fn strings(&self) -> usize {
        self.texts.iter().map(|text| text.bytes.len()).sum()
    }

    /// Heap bytes of it, but for those.
    pub(crate) fn heap(&self) -> usize {
        let rows = self.tables.iter().map(Vec::capacity).fold(0, usize::saturating_add);
        (rows.saturating_mul(size_of::<Row>()))
            .saturating_add(self.texts.capacity().saturating_mul(size_of::<Text>()))
            .saturating_add(self.grants.capacity().saturating_mul(size_of::<Grant>()))
    }

    /// Whether there is room for an instance behind so many new ones.
    pub(crate) fn has_room(&self, object: u16, earlier: u16) -> bool {
        self.rows(object).len().saturating_add(earlier.into()) < self.limit(object)
    }

    /// Whether there is room for what a change brings to an ACL.
    fn has_room_for(&self, change: &Change<'_>) -> bool {
        let updates = change.action == Action::Update;
        let mut entries = if updates { self.acl(change.instance).count() } else { 0 };
        for server in change.values.iter().filter(|given| given.resource == ACL).filter_map(|given| given.index) {
            let known = updates && self.acl(change.instance).any(|grant| grant.server == server);
            entries = entries.saturating_add(usize::from(!known));
        }
        entries <= self.longest_acl()
    }

    /// Whether a value, which the definition allows, cannot be taken.
    fn is_bad(&self, object: u16, by_server: bool, Given { resource, index, value }: Given<'_>) -> bool {
        let limit = usize::from(self.limits.value);
        // A bootstrap may name a server before it brings it; Bootstrap-Finish judges. With what else is
        // there it must fit at once, or the next bootstrap would be refused for it.
        match (object, resource, value) {
            (security::ID, _, Value::Str(text)) => text.len() > limit,
            (security::ID, _, Value::Opaque(bytes)) => bytes.len() > limit,
            (access_control::ID, ACL, _) => {
                index.is_some_and(|server| server == MAX_ID || (by_server && !self.may_be_named(server, DEFAULT)))
            }
            _ if !by_server => false,
            (server::ID, server::LIFETIME, Value::Int(seconds)) => seconds <= 0,
            (server::ID, server::BINDING, Value::Str(text)) => Binding::parse(text).is_none(),
            (access_control::ID, OWNER, Value::Int(owner)) => {
                !u16::try_from(owner).is_ok_and(|owner| self.may_be_named(owner, MAX_ID))
            }
            _ => false,
        }
    }
}

impl Joined<'_, Accounts, dyn DataModel + '_> {
    /// The part that has an object, if one has it.
    pub(crate) fn part(&self, object: u16) -> &dyn DataModel {
        if self.0.object(object).is_some() { &*self.0 } else { &*self.1 }
    }
}

impl DataModel for Accounts {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        let next = self.object(after.map_or(0, |after| after.saturating_add(1)))?;
        // To a lone server Access Control says nothing as long as it is empty: no server could change that.
        let is_mute = self.rows(server::ID).len() <= 1 && self.rows(access_control::ID).is_empty();
        Some(next).filter(|object| object.id != access_control::ID || !is_mute)
    }

    fn object(&self, id: u16) -> Option<&'static ObjectDef> {
        let object = DEFINITIONS.get(usize::from(id))?;
        Some(*object).filter(|_| id != access_control::ID || self.guards())
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        self.rows(object).iter().map(|row| row.id).find(|id| after.is_none_or(|after| *id > after))
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.row(object, instance)?;
        let mut ids = self.object(object)?.resources.iter().map(|resource| resource.id);
        ids.find(|id| after.is_none_or(|after| *id > after) && self.has(object, instance, *id))
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let Leaf { object, instance, resource, .. } = at;
        if (object, resource) == (access_control::ID, ACL) {
            for grant in self.acl(instance).filter(|grant| at.index.is_none_or(|index| index == grant.server)) {
                out.value(at.at(grant.server), Value::Int(grant.rights.bits().into()))?;
            }
            return Ok(());
        }
        // OMA LwM2M 1.0, 8.1: not accessible by any server. Bootstrap-Discover tells one resource.
        let secret = object == security::ID;
        let told = ctx.origin == Origin::Bootstrap
            && resource == security::SHORT_SERVER_ID
            && self.row(object, instance).is_some_and(|row| !row.is_bootstrap_server());
        let value = if secret && !told { None } else { self.value(object, instance, resource) };
        let missing = if secret { Code::UNAUTHORIZED } else { Code::NOT_FOUND };
        Ok(out.value(at, value.ok_or(missing)?)?)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        let &Change { action, object, instance, earlier, .. } = change;
        let by_server = matches!(ctx.origin, Origin::Server(_));
        let known = self.row(object, instance);
        let code = match action {
            _ if by_server && object == security::ID => Code::UNAUTHORIZED,
            // A server can neither make nor remove accounts (OMA LwM2M 1.0, Appendix D.1.2), and Access Control
            // comes with instances of other objects, or by a bootstrap (8.2.2).
            Action::Create | Action::Delete if by_server => Code::METHOD_NOT_ALLOWED,
            // The bootstrap account survives a Delete (OMA LwM2M 1.0, 5.2.7.5).
            Action::Delete if known.is_none_or(|row| object == security::ID && row.is_bootstrap_server()) => {
                Code::BAD_REQUEST
            }
            Action::Delete => return Ok(()),
            _ if (known.is_none() && !self.has_room(object, earlier))
                || change.values.iter().any(|given| self.is_bad(object, by_server, given))
                || (object == access_control::ID && !self.has_room_for(change)) =>
            {
                Code::BAD_REQUEST
            }
            _ => return Ok(()),
        };
        Err(Refusal::Code(code))
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        let &Change { action, object, instance, .. } = change;
        let resources = self.object(object).map_or(&[][..], |object| object.resources);
        match action {
            // What a server replaces loses what is optional.
            Action::Create | Action::Replace if matches!(ctx.origin, Origin::Server(_)) => {
                let optional = resources.iter().filter(|resource| !resource.mandatory);
                optional.for_each(|resource| self.forget(object, instance, resource.id));
            }
            Action::Create | Action::Replace | Action::Delete => self.keep(object, &mut |row| row.id != instance),
            Action::Resource(resource) => self.forget(object, instance, resource),
            Action::Update => {}
        }
        if action != Action::Delete {
            self.make(object, instance);
            change.values.iter().for_each(|given| self.set(object, instance, given));
        }
    }

    /// What Disable and Registration Update Trigger cause is carried as an effect: the machines that act on it
    /// belong to another floor.
    fn execute(&mut self, _: &Ctx, _: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    /// What Access Control grants a server, for all objects of the device.
    fn rights(&self, ctx: &Ctx, object: u16, instance: u16) -> Rights {
        match ctx.origin {
            Origin::Server(server) => self.granted(server, object, instance),
            Origin::Bootstrap | Origin::Local => Rights::ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::path::{MAX_ID, Path};
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
            let mut accounts = Accounts::empty(&config.limits);
            accounts.add(0, &config.accounts[0], Binding::U);
            assert_eq!(accounts.check(false), expected, "{uri}");
        }
    }

    #[test]
    fn a_server_without_a_partner_and_a_partner_without_a_server_are_no_account() {
        let config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 60);
        let more = config.server(2, "coap://dm.example", Credentials::NoSec, 60);
        let whole = Accounts::new(&more).unwrap();
        for half in [security::ID, server::ID] {
            let mut accounts = whole.clone();
            accounts.keep(half, &mut |row| row.id != 1);
            assert_eq!(accounts.check(false), Err(Inconsistency::Unpaired), "{half}");
        }
    }

    #[test]
    fn a_lifetime_that_is_too_long_is_the_longest_and_one_of_nothing_is_none() {
        let mut accounts = Accounts::empty(&Limits::default());
        for (seconds, expected) in [(1 << 40, Some(u32::MAX)), (0, None), (60, Some(60)), (-1, None)] {
            accounts.make(server::ID, 0);
            let value = Value::Int(seconds);
            accounts.set(server::ID, 0, Given { resource: server::LIFETIME, index: None, value });
            let lifetime = accounts.row(server::ID, 0).unwrap().number(server::LIFETIME);
            assert_eq!(lifetime, expected, "{seconds}");
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
        // Two rows, and three strings.
        let each = 2 * size_of::<Row>() + 3 * size_of::<Text>();
        assert_eq!((config(1).heap(), config(1).strings()), (each, "coaps://dm.example".len() + 2 + 3));
        assert_eq!((config(2).heap(), config(2).strings()), (2 * each, 2 * ("coaps://dm.example".len() + 2 + 3)));
    }

    #[cfg(feature = "access-control")]
    #[test]
    fn what_access_control_holds_is_counted() {
        let config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 60);
        let held = |config: &Config| Accounts::new(config).unwrap().heap();
        let more = held(&config.clone().access(Path::instance(5, 0), 1, &[(0, Rights::READ), (1, Rights::ALL)]));
        assert!(more >= held(&config) + size_of::<Row>() + 2 * size_of::<Grant>(), "{more}");
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
