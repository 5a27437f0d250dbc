//! Sessions with peers: which are open, and whom they are with.

use alloc::vec::Vec;

use crate::base::table::Places;
use crate::base::time::Instant;
use crate::exchange::Peer;
use crate::lifecycle::Role;

/// A session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Connection {
    pub(crate) peer: Peer,
    pub(crate) role: Role,
    pub(crate) link: Link,
}

/// What a session is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Link {
    /// Nothing yet: to be asked for when something is due.
    Closed,
    /// Nothing any more, with the network or the address it was on: to be asked for again when
    /// something is due.
    Lost,
    /// To be asked for at once: the registration lives on, and its server may have requests.
    Wanted,
    /// The runtime was asked for it.
    Connecting,
    /// Datagrams pass.
    Open,
    /// The bootstrap is over: only duplicates are answered, for a while.
    Lingering,
}

/// The sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Connections {
    list: Vec<Connection>,
    /// Until when a session lingers.
    linger_until: Instant,
    next_peer: u16,
    /// Each role has one, and one may linger besides.
    limit: u16,
}

impl Connections {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            list: Vec::new(),
            linger_until: Instant::ZERO,
            next_peer: 0,
            limit: u16::try_from(limit).unwrap_or(u16::MAX),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Connection> {
        self.list.get(index).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Connection] {
        &self.list
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.list.iter()
    }

    pub(crate) fn by_peer(&self, peer: Peer) -> Option<Connection> {
        self.list.iter().find(|connection| connection.peer == peer).copied()
    }

    /// The session with `role` that is not lingering.
    pub(crate) fn by_role(&self, role: Role) -> Option<Connection> {
        let live = |connection: &&Connection| !matches!(connection.link, Link::Lingering);
        self.list.iter().filter(live).find(|connection| connection.role == role).copied()
    }

    /// Adds a session for `role`. Its peer has a number that was not used lately.
    pub(crate) fn add(&mut self, role: Role, link: Link) {
        let peer = Peer(self.next_peer);
        self.next_peer = self.next_peer.wrapping_add(1);
        self.list.add(Connection { peer, role, link }, self.limit.into());
    }

    pub(crate) fn set(&mut self, peer: Peer, link: Link) {
        if let Some(connection) = self.list.iter_mut().find(|connection| connection.peer == peer) {
            connection.link = link;
        }
    }

    /// The session that the runtime was asked for is there, or cannot be made: whom it is with, unless nobody asks for
    /// it any more.
    pub(crate) fn came(&mut self, peer: Peer, link: Link) -> Option<Role> {
        let asked = |connection: &&mut Connection| {
            connection.peer == peer && matches!(connection.link, Link::Connecting | Link::Open)
        };
        let connection = self.list.iter_mut().find(asked)?;
        connection.link = link;
        Some(connection.role)
    }

    /// All that there are are lost, with the network or the address they were on.
    pub(crate) fn lose(&mut self) {
        for connection in &mut self.list {
            if matches!(connection.link, Link::Connecting | Link::Open) {
                connection.link = Link::Lost;
            }
        }
    }

    pub(crate) fn remove(&mut self, peer: Peer) {
        self.list.keep(&mut |connection| connection.peer != peer);
    }

    /// Lets a session linger, where none does yet.
    pub(crate) fn linger(&mut self, peer: Peer, until: Instant) {
        self.linger_until = until;
        self.set(peer, Link::Lingering);
    }

    /// A lingering session whose time is over.
    pub(crate) fn lingered(&self, now: Instant) -> Option<Connection> {
        self.lingering().filter(|_| self.linger_until <= now).copied()
    }

    /// Until when a session lingers, if one does.
    pub(crate) fn next_lingered(&self) -> Option<Instant> {
        self.lingering().map(|_| self.linger_until)
    }

    fn lingering(&self) -> Option<&Connection> {
        self.list.iter().find(|connection| connection.link == Link::Lingering)
    }

    pub(crate) fn reserve(&mut self) {
        self.list.reserve_all(self.limit.into());
    }

    pub(crate) fn heap(&self) -> usize {
        self.list.capacity().saturating_mul(size_of::<Connection>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_counts_as_memory() {
        let mut connections = Connections::new(2);
        let nothing = connections.heap();
        connections.add(Role::Bootstrap, Link::Closed);
        let one = connections.heap();
        assert!((nothing, one >= size_of::<Connection>()) == (0, true), "{nothing} {one}");
        connections.reserve();
        assert!(connections.heap() >= 2 * size_of::<Connection>());
    }
}
