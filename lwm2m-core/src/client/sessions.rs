//! Sessions: closed, lost, and how they are secured.

use coap_codec::Uri;

use super::connection::{Connection, Link};
use super::{Client, Output, Security};
use crate::exchange::Peer;
use crate::lifecycle::Role;
use crate::objects::rows::Row;
use crate::objects::security::{IDENTITY, MODE, NO_SEC, PRE_SHARED_KEY, SECRET_KEY};
use crate::objects::server::{DEFAULT_MAXIMUM_PERIOD, DEFAULT_MINIMUM_PERIOD, STORING};

impl Client {
    pub(super) fn close(&mut self, Connection { peer, role, link }: Connection) {
        self.abandon(peer, role);
        self.exchange.forget(peer);
        self.transfers.forget(peer);
        if !matches!(link, Link::Closed | Link::Wanted) {
            self.exchange.disconnect(peer);
        }
        self.connections.remove(peer);
    }

    /// What is on its way to a peer is lost.
    pub(super) fn abandon(&mut self, peer: Peer, role: Role) {
        self.exchange.abandon(peer);
        if let Role::Server(server) = role {
            self.reporting.suspend(server);
        }
    }

    /// All paths are lost. Sessions are asked for again when something is due; a bootstrap begins
    /// in a new one, so that commands of the old one do not count for it.
    pub(super) fn lose_sessions(&mut self) {
        if let Some(bootstrap) = self.connections.by_role(Role::Bootstrap) {
            self.close(bootstrap);
        }
        self.abandon_all();
        self.connections.lose();
    }

    /// What is on its way to anybody is lost.
    pub(super) fn abandon_all(&mut self) {
        for index in 0.. {
            let Some(connection) = self.connections.get(index) else { break };
            self.abandon(connection.peer, connection.role);
        }
    }

    pub(super) fn security(&self, role: Role) -> Option<&Row> {
        match role {
            Role::Bootstrap => self.accounts.bootstrap_server(),
            Role::Server(server) => self.accounts.server(server),
        }
    }

    /// How the runtime is asked for a session.
    #[inline(never)]
    pub(super) fn session_wanted(&self, peer: Peer) -> Option<Output<'_>> {
        let account = self.security(self.connections.by_peer(peer)?.role)?;
        let text = |resource| account.bytes(resource);
        let security = match account.number(MODE) {
            Some(PRE_SHARED_KEY) => Security::Psk { identity: text(IDENTITY), key: text(SECRET_KEY) },
            _ => Security::NoSec,
        };
        Some(Output::Connect { peer, uri: Uri::parse(account.uri()).ok()?, security })
    }

    pub(super) fn is_secure(&self, role: Role) -> bool {
        self.security(role).is_some_and(|security| security.number(MODE) != Some(NO_SEC))
    }

    /// Whether a server wants to be told later what changed while it could not be (/1/x/6).
    pub(super) fn stores_notifications(&self, server: u16) -> bool {
        self.accounts.by_short_server_id(server).is_none_or(|own| own.number(STORING) != Some(0))
    }

    /// What the periods of observations follow from has changed: attributes, observations, or the periods
    /// for what a server has set none for (/1/x/2 and /1/x/3).
    pub(super) fn renew_periods(&mut self) {
        let Self { reporting, accounts, .. } = self;
        reporting.renew_periods(|server| {
            let own = accounts.by_short_server_id(server);
            [DEFAULT_MINIMUM_PERIOD, DEFAULT_MAXIMUM_PERIOD].map(|period| own.and_then(|own| own.number(period)))
        });
    }
}
