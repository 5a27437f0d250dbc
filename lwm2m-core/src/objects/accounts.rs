//! Accounts: the instances of Security and Server that belong together by Short Server ID
//! (OMA LwM2M 1.0, 5.2.1), and what Access Control grants them.

use alloc::vec::Vec;

use coap_codec::{Code, Uri};

use super::access_control::{self, ACL, GRANT};
use super::rows::Row;
use super::security;
use super::server::{self, Binding};
use crate::base::config::{self, Config, ConfigError, Credentials};
use crate::base::event::Inconsistency;
use crate::base::features;
use crate::base::limits::Limits;
use crate::base::path::{Leaf, Path};
use crate::base::rights::Rights;
use crate::base::table::Places;
use crate::base::value::{Sink, Value};
use crate::model::{Action, Args, Change, Ctx, DataModel, Joined, ObjectDef, Origin, Refusal};

/// The three objects that drive the client, as one model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Accounts {
    /// The instances, by Object ID, in the order of their own.
    pub(super) tables: [Vec<Row>; 3],
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
        Self { tables: [const { Vec::new() }; 3], limits }
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
        if accounts.rows(server::ID).len() > accounts.limit(server::ID) {
            return Err(ConfigError::TooManyAccounts);
        }
        for about in &config.access_controls {
            let said = Row::said(about);
            if !accounts.knows_all(&said) || !accounts.say(said) {
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
        let mut own = Row::new(id);
        own.set_bytes(security::URI, uri.as_bytes());
        own.set(security::BOOTSTRAP_SERVER, Some(1));
        own.set(security::MODE, Some(security::NO_SEC));
        if let Credentials::Psk { identity, key } = credentials {
            own.set(security::MODE, Some(security::PRE_SHARED_KEY));
            own.set_bytes(security::IDENTITY, identity);
            own.set_bytes(security::SECRET_KEY, key);
        }
        if let config::Account::Server { short_server_id, lifetime, .. } = account {
            own.set(security::BOOTSTRAP_SERVER, Some(0));
            own.set(security::SHORT_SERVER_ID, Some((*short_server_id).into()));
            let mut server = Row::new(id);
            server.set(server::SHORT_SERVER_ID, Some((*short_server_id).into()));
            server.set(server::LIFETIME, Some(*lifetime).filter(|lifetime| *lifetime > 0));
            server.set(server::STORING, Some(1));
            server.set(server::BINDING, Some(binding as u32));
            self.put(server::ID, server);
        }
        self.put(security::ID, own);
    }

    /// The instances of an object, in the order of their IDs.
    #[inline]
    pub(crate) fn rows(&self, object: u16) -> &[Row] {
        self.tables.get(usize::from(object)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn row(&self, object: u16, id: u16) -> Option<&Row> {
        self.rows(object).iter().find(|row| row.id == id)
    }

    /// Takes an instance, in the place of the one that has its ID.
    pub(crate) fn put(&mut self, object: u16, row: Row) {
        self.keep(object, &mut |known| known.id != row.id);
        if let Some(table) = self.tables.get_mut(usize::from(object)) {
            table.reserve_exact(1);
            let at = table.iter().position(|known| known.id > row.id).unwrap_or(table.len());
            table.insert(at, row);
        }
    }

    /// Keeps the instances of an object that are wanted.
    pub(crate) fn keep(&mut self, object: u16, is_wanted: &mut dyn FnMut(&mut Row) -> bool) {
        if let Some(table) = self.tables.get_mut(usize::from(object)) {
            table.keep(is_wanted);
        }
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
        let [securities, servers, _] = &self.tables;
        let bootstraps = securities.iter().filter(|row| row.is_bootstrap_server()).count();
        if bootstraps > 1 {
            return Err(Inconsistency::TwoBootstrapServers);
        }
        let mut is_paired = true;
        for server in servers {
            let id = server.short(server::SHORT_SERVER_ID).filter(|id| (1..=65_534).contains(id));
            // The first that has an id is the only one.
            let Some(id) = id.filter(|id| self.by_short_server_id(*id).is_some_and(|first| first.id == server.id))
            else {
                return Err(Inconsistency::ShortServerId);
            };
            is_paired &= self.security_of(id).is_some();
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
        securities.iter().try_for_each(Self::check_security)?;
        match securities.len().saturating_sub(bootstraps) {
            0 => Err(Inconsistency::NoServerAccount),
            // As many of one as of the other: then each has one partner.
            halves if is_paired && halves == servers.len() => Ok(()),
            _ => Err(Inconsistency::Unpaired),
        }
    }

    fn check_security(security: &Row) -> Result<(), Inconsistency> {
        let mode = security.number(security::MODE);
        let (Some(_), Some(mode)) = (security.number(security::BOOTSTRAP_SERVER), mode) else {
            return Err(Inconsistency::Incomplete);
        };
        let secure = Uri::parse(security.uri()).map_err(|_| Inconsistency::Uri)?.is_secure();
        let has_key = !security.bytes(security::SECRET_KEY).is_empty();
        match mode {
            security::NO_SEC if !secure => Ok(()),
            security::PRE_SHARED_KEY if secure && has_key => Ok(()),
            _ => Err(Inconsistency::Mode),
        }
    }

    /// What a bootstrap that finishes made of the accounts that were there `before`: servers without a Security instance
    /// any more lose all that was theirs. The instances that nobody but them could access are named: they are to be
    /// deleted from the `model` (OMA LwM2M 1.0, 5.2.5.2).
    pub(crate) fn settle(
        &self,
        before: &Self,
        default_lifetime: bool,
        model: &dyn DataModel,
    ) -> Result<(Self, Vec<Path>), Inconsistency> {
        let (mut settled, mut lost) = (self.clone(), Vec::new());
        if features::ACCESS_CONTROL {
            // What was found there of what is gone: that is no fault of the bootstrap. What it said itself is one.
            settled.keep(access_control::ID, &mut |row| {
                !(self.is_void(row, model) && before.rows(access_control::ID).contains(row))
            });
        }
        for (gone, _) in before.servers() {
            if self.security_of(gone).is_none() {
                settled.keep(server::ID, &mut |row| row.short(server::SHORT_SERVER_ID) != Some(gone));
                if features::ACCESS_CONTROL {
                    settled.part_with(gone, &mut lost);
                }
            }
        }
        settled.check(default_lifetime)?;
        let unguarded = settled.rows(server::ID).len() > 1 && !settled.guards();
        // Server instances that go now were there when something was said of them.
        if unguarded || (features::ACCESS_CONTROL && !settled.says_what_fits(&|row| self.is_void(row, model))) {
            return Err(Inconsistency::AccessControl);
        }
        Ok((settled, lost))
    }

    /// Bytes of the strings and keys in it.
    pub(crate) fn strings(&self) -> usize {
        self.rows(security::ID).iter().flat_map(Row::lengths).sum()
    }

    /// Heap bytes of it, but for those.
    pub(crate) fn heap(&self) -> usize {
        let rows = self.tables.iter().map(Vec::capacity).fold(0, usize::saturating_add);
        let acls = self.rows(access_control::ID).iter().flat_map(Row::lengths).fold(0, usize::saturating_add);
        rows.saturating_mul(size_of::<Row>()).saturating_add(acls)
    }

    /// Whether there is room for an instance behind so many new ones.
    pub(crate) fn has_room(&self, object: u16, earlier: u16) -> bool {
        self.rows(object).len().saturating_add(earlier.into()) < self.limit(object)
    }

    /// What a change makes of an instance, or of none; nothing if there is no keeping what it gives, which the
    /// definition allows.
    fn changed(&self, by_server: bool, change: &Change<'_>) -> Option<Row> {
        let &Change { action, object, instance, .. } = change;
        let is_acl = object == access_control::ID;
        let anew = matches!(action, Action::Create | Action::Replace);
        let known = self.row(object, instance).filter(|_| by_server || !anew);
        let mut row = known.cloned().unwrap_or_default();
        row.id = instance;
        for resource in self.object(object)?.resources {
            // What a server replaces loses what is optional; single values take each other's place.
            let forgets = match action {
                Action::Resource(id) => resource.multiple && resource.id == id,
                _ => anew && !resource.mandatory,
            };
            if forgets {
                row.forget(resource.id);
            }
        }
        let longest = if is_acl { self.longest_acl().saturating_mul(GRANT) } else { self.limits.value.into() };
        for given in change.values.iter() {
            let is_kept = row.take(object, given);
            let length = match given.value {
                Value::Str(_) | Value::Opaque(_) => row.bytes(given.resource).len(),
                _ if is_acl => row.bytes(ACL).len(),
                _ => 0,
            };
            if (by_server && !is_kept) || length > longest {
                return None;
            }
        }
        // A bootstrap may name a server before it brings it; Bootstrap-Finish judges.
        Some(row).filter(|row| !by_server || !is_acl || self.knows_all(row))
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
        let row = self.row(object, instance)?;
        let mut resources = self.object(object)?.resources.iter();
        let next = resources.find(|resource| {
            after.is_none_or(|after| resource.id > after) && (resource.operations.executable() || row.has(resource.id))
        })?;
        Some(next.id)
    }

    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let Leaf { object, instance, resource, .. } = at;
        let row = self.row(object, instance).ok_or(Code::NOT_FOUND)?;
        if (object, resource) == (access_control::ID, ACL) {
            for grant in row.acl() {
                out.value(at.at(grant.server), Value::Int(grant.rights.bits().into()))?;
            }
            return Ok(());
        }
        // OMA LwM2M 1.0, 8.1: not accessible by any server.
        let value = row.value(object, resource).filter(|_| object != security::ID).ok_or(Code::NOT_FOUND)?;
        Ok(out.value(at, value)?)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        let &Change { action, object, instance, earlier, .. } = change;
        let by_server = matches!(ctx.origin, Origin::Server(_));
        let code = match action {
            // A server can neither make nor remove accounts (OMA LwM2M 1.0, Appendix D.1.2), and Access Control
            // comes with instances of other objects, or by a bootstrap (8.2.2).
            Action::Create | Action::Delete if by_server => Code::METHOD_NOT_ALLOWED,
            Action::Create if !self.has_room(object, earlier) => Code::BAD_REQUEST,
            // The bootstrap account survives a Delete (OMA LwM2M 1.0, 5.2.7.5).
            Action::Delete
                if object == security::ID && self.row(object, instance).is_some_and(Row::is_bootstrap_server) =>
            {
                Code::BAD_REQUEST
            }
            Action::Delete => return Ok(()),
            _ if self.changed(by_server, change).is_some() => return Ok(()),
            _ => Code::BAD_REQUEST,
        };
        Err(Refusal::Code(code))
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        let &Change { action, object, instance, .. } = change;
        if action == Action::Delete {
            return self.keep(object, &mut |row| row.id != instance);
        }
        let Some(row) = self.changed(matches!(ctx.origin, Origin::Server(_)), change) else { return };
        self.put(object, row);
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
    use crate::format::Given;

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
        for (seconds, expected) in [(1 << 40, Some(u32::MAX)), (0, None), (60, Some(60)), (-1, None)] {
            let mut row = Row::new(0);
            row.take(server::ID, Given { resource: server::LIFETIME, index: None, value: Value::Int(seconds) });
            assert_eq!(row.number(server::LIFETIME), expected, "{seconds}");
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
        let each = 2 * size_of::<Row>();
        assert_eq!((config(1).heap(), config(1).strings()), (each, "coaps://dm.example".len() + 2 + 3));
        assert_eq!((config(2).heap(), config(2).strings()), (2 * each, 2 * ("coaps://dm.example".len() + 2 + 3)));
    }

    #[cfg(feature = "access-control")]
    #[test]
    fn what_access_control_holds_is_counted() {
        let config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 60);
        let held = |config: &Config| Accounts::new(config).unwrap().heap();
        let more = held(&config.clone().access(Path::instance(5, 0), 1, &[(0, Rights::READ), (1, Rights::ALL)]));
        assert!(more >= held(&config) + size_of::<Row>() + 2 * GRANT, "{more}");
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
