//! Accounts: the instances of Security and Server that belong together by Short Server ID
//! (OMA LwM2M 1.0, 5.2.1).

use coap_codec::Uri;

use super::security::{self, Mode, Security};
use super::server::{self, Server};
use crate::base::config::{self, Config, ConfigError, Credentials};
use crate::base::event::Inconsistency;
use crate::base::path::Leaf;
use crate::base::value::Sink;
use crate::model::{Args, Change, Ctx, DataModel, ObjectDef, Part, Refusal, change_pair, read_from_pair};

/// The two objects, as one model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Accounts(pub(crate) Security, pub(crate) Server);

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
        let mut accounts = Self(Security::new(servers.saturating_add(1), config.limits.value), Server::new(servers));
        for (id, account) in (0..=u16::MAX).zip(&config.accounts) {
            accounts.add(id, account, server::Binding::configured(config));
        }
        accounts
    }

    fn add(&mut self, id: u16, account: &config::Account, binding: server::Binding) {
        let (uri, credentials) = match account {
            config::Account::Bootstrap { uri, credentials } | config::Account::Server { uri, credentials, .. } => {
                (uri, credentials)
            }
        };
        let mut security = security::Instance { id, uri: Some(uri.clone()), ..security::Instance::default() };
        match credentials {
            Credentials::NoSec => security.mode = Some(Mode::NoSec),
            Credentials::Psk { identity, key } => {
                security.mode = Some(Mode::PreSharedKey);
                security.credential.identity.clone_from(identity);
                security.credential.secret_key.clone_from(key);
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
        let Self(Security { instances: securities, .. }, Server { instances: servers, .. }) = self;
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

    pub(crate) fn heap(&self) -> usize {
        let strings = self.0.instances.iter().fold(0usize, |sum, instance| {
            let keys = &instance.credential;
            sum.saturating_add(instance.uri.as_ref().map_or(0, alloc::string::String::capacity))
                .saturating_add(keys.identity.capacity())
                .saturating_add(keys.server_key.capacity())
                .saturating_add(keys.secret_key.capacity())
        });
        strings
            .saturating_add(self.0.instances.capacity().saturating_mul(size_of::<security::Instance>()))
            .saturating_add(self.1.instances.capacity().saturating_mul(size_of::<server::Instance>()))
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

impl DataModel for Accounts {
    read_from_pair!();
    change_pair!();
}
