//! LwM2M Access Control, object 2 (OMA LwM2M 1.0, 8.2 and Appendix D.1.3): which server may do what.
//!
//! An instance speaks of one Object Instance, or of an object: then its Object Instance ID is 65535,
//! and it says who may create instances.

use alloc::vec::Vec;

use super::accounts::Accounts;
use super::definitions;
use super::rows::Row;
use super::server;
use crate::base::config;
use crate::base::definition::with_ranges;
use crate::base::features;
use crate::base::path::{MAX_ID, Path};
use crate::base::rights::Rights;
use crate::base::table::Places;
use crate::model::list::is_there;
use crate::model::{DataModel, ObjectDef, Range, ResourceDef, Viewed};

pub(crate) use super::definitions::access_control::{
    ACCESS_CONTROL_OWNER as OWNER, ACL, ID, OBJECT_ID, OBJECT_INSTANCE_ID,
};

/// The definition of object 2, version 1.0, but for one range.
pub(super) static DEFINITION: ObjectDef =
    ObjectDef { resources: &RESOURCES, ..definitions::access_control::DEFINITION };

const RESOURCES: [ResourceDef; 4] =
    // Printed as '16-bit'.
    with_ranges(definitions::access_control::RESOURCES, &[(ACL, Range::Integer(0, u16::MAX as i64))]);

/// The Short Server ID in an ACL that stands for every server without an entry of its own.
pub(super) const DEFAULT: u16 = 0;

/// An entry of an ACL: what one server, or every other one, may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Grant {
    pub(crate) instance: u16,
    pub(crate) server: u16,
    pub(crate) rights: Rights,
}

/// What they lie in, in the order of instances and Short Server IDs.
#[cfg(feature = "access-control")]
pub(super) type Grants = Vec<Grant>;
/// The object is left out.
#[cfg(not(feature = "access-control"))]
pub(super) type Grants = crate::base::table::Nothing<Grant>;

/// The entry of a server in the ACL of an instance.
fn entry(grants: &[Grant], instance: u16, server: u16) -> Option<Rights> {
    let is_it = |grant: &&Grant| (grant.instance, grant.server) == (instance, server);
    grants.iter().find(is_it).map(|grant| grant.rights)
}

/// What an instance speaks of.
pub(super) fn target(row: &Row) -> Option<(u16, u16)> {
    row.short(OBJECT_ID).zip(row.short(OBJECT_INSTANCE_ID))
}

impl Accounts {
    /// Whether the client has the object at all.
    pub(super) const fn guards(&self) -> bool {
        features::ACCESS_CONTROL && self.limits.access_controls > 0
    }

    /// Whether a server owns what it creates: where there are several, nobody may do anything with an instance of
    /// which nothing is said (8.2.2).
    pub(crate) fn assigns_owners(&self) -> bool {
        self.guards() && self.rows(server::ID).len() > 1
    }

    /// The Object Instance that an instance speaks of, if it is not an object.
    pub(crate) fn subject(&self, id: u16) -> Option<(u16, u16)> {
        target(self.row(ID, id)?).filter(|(_, instance)| *instance != MAX_ID)
    }

    /// The ACL of an instance.
    pub(crate) fn acl(&self, instance: u16) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.instance == instance)
    }

    /// Enters the rights of a server in the ACL of an instance.
    pub(crate) fn grant(&mut self, instance: u16, server: u16, rights: Rights) {
        self.grants.keep(&mut |grant| (grant.instance, grant.server) != (instance, server));
        let behind = |grant: &Grant| (grant.instance, grant.server) > (instance, server);
        let at = self.grants.iter().position(behind).unwrap_or(self.grants.len());
        self.grants.insert(at, Grant { instance, server, rights });
    }

    /// What a server may do with an instance (8.2.1); with 65535 whether it may create instances of the
    /// object. A server that is alone may do everything with what nothing is said of.
    pub(super) fn granted(&self, server: u16, object: u16, instance: u16) -> Rights {
        if !self.guards() {
            return Rights::ALL;
        }
        let owns = |row: &Row| row.short(OWNER) == Some(server);
        if object == ID {
            // Every server may look; the owner alone manages an instance (8.2.2).
            return if self.row(ID, instance).is_some_and(owns) { Rights::ALL } else { Rights::READ };
        }
        let Some(known) = self.rows(ID).iter().find(|row| target(row) == Some((object, instance))) else {
            return if self.rows(server::ID).len() <= 1 { Rights::ALL } else { Rights::NONE };
        };
        let entry = |server| entry(&self.grants, known.id, server);
        match entry(server) {
            Some(own) => own,
            // Of an object neither the owner nor the default entry counts.
            None if instance == MAX_ID => Rights::NONE,
            None if owns(known) => Rights::ALL,
            None => entry(DEFAULT).unwrap_or(Rights::NONE),
        }
    }

    /// Whether a server that Access Control may name is known, or stands for all or for none.
    pub(super) fn may_be_named(&self, server: u16, nobody: u16) -> bool {
        server == nobody || self.by_short_server_id(server).is_some()
    }

    /// Whether there is an account for every server that is named.
    pub(crate) fn knows_all(&self, about: &config::AccessControl) -> bool {
        self.may_be_named(about.owner, MAX_ID)
            && about.acl.iter().all(|(server, _)| self.may_be_named(*server, DEFAULT))
    }

    /// Says what the device itself wants of a path: an object or an instance. False when there is no
    /// room for it, or the path is none of these. An ACL of servers that are known has room.
    pub(crate) fn decide(&mut self, config::AccessControl { path, owner, acl }: &config::AccessControl) -> bool {
        if !features::ACCESS_CONTROL {
            return false;
        }
        let (object, instance) = match (path.object_id(), path.instance_id(), path.depth()) {
            (Some(object), None, _) => (object, MAX_ID),
            (Some(object), Some(instance), 2) if instance != MAX_ID => (object, instance),
            _ => return false,
        };
        let known = self.rows(ID).iter().find(|row| target(row) == Some((object, instance))).map(|row| row.id);
        self.forget_said_of((object, instance));
        let rows = self.rows(ID);
        let id = known.or_else(|| (0..MAX_ID).find(|id| rows.iter().all(|row| row.id != *id)));
        let Some(id) = id.filter(|_| rows.len() < self.limit(ID)) else { return false };
        if let Some(row) = self.make(ID, id) {
            let numbers = [(OBJECT_ID, object), (OBJECT_INSTANCE_ID, instance), (OWNER, *owner)];
            numbers.into_iter().for_each(|(resource, number)| row.set(resource, Some(number.into())));
        }
        acl.iter().for_each(|(server, rights)| self.grant(id, *server, *rights));
        true
    }

    /// Forgets what is said of a target.
    fn forget_said_of(&mut self, what: (u16, u16)) {
        self.keep(ID, &mut |row| target(row) != Some(what));
    }

    /// How many entries an ACL may have: one for each server, and the default.
    pub(crate) fn longest_acl(&self) -> usize {
        usize::from(self.limits.servers).saturating_add(1)
    }

    /// Forgets what is said of instances at or below `path` that are gone.
    pub(crate) fn detach(&mut self, path: Path, model: &dyn DataModel) {
        let [_, _, access] = &mut self.tables;
        let mut access = core::mem::take(access);
        access.keep(&mut |row| match target(row) {
            Some((object, instance)) if instance != MAX_ID && path.overlaps(Path::instance(object, instance)) => {
                is_there(&Viewed(self, model), object, instance)
            }
            _ => true,
        });
        let [_, _, kept] = &mut self.tables;
        *kept = access;
        self.tidy();
    }

    /// A server is gone ('unbootstrapping'; OMA LwM2M 1.0, 5.2.5.2): its entries go, and what it owned
    /// goes to the one of the others that may do most with it. What none of them may access goes with its
    /// server, and is named to `lost`.
    pub(super) fn part_with(&mut self, server: u16, lost: &mut dyn FnMut(Path)) {
        let Self { tables: [_, servers, access], grants, .. } = self;
        grants.keep(&mut |grant| grant.server != server);
        access.keep(&mut |row| {
            if row.short(OWNER) != Some(server) {
                return true;
            }
            let heir = heir(row.id, grants, servers);
            if let (None, Some((object, instance))) = (heir, target(row))
                && instance != MAX_ID
            {
                lost(Path::instance(object, instance));
                return false;
            }
            // Nobody's: then only a bootstrap changes who may create.
            row.set(OWNER, Some(heir.unwrap_or(MAX_ID).into()));
            true
        });
        self.tidy();
    }

    /// Drops what a bootstrap found there of instances that are gone: that is no fault of its own.
    pub(super) fn drop_stale(&mut self, before: &Self, exists: &dyn Fn(u16, u16) -> bool) {
        let is_stale = |row: &&Row| {
            target(row).is_some_and(|(object, instance)| !exists(object, instance))
                && before.rows(ID).contains(row)
                && before.acl(row.id).eq(self.acl(row.id))
        };
        let stale: Vec<u16> = self.rows(ID).iter().filter(is_stale).map(|row| row.id).collect();
        self.keep(ID, &mut |row| !stale.contains(&row.id));
    }

    /// Whether every instance is complete, and speaks of what is there, once, and of servers that are
    /// known.
    pub(super) fn grants_are_consistent(&self, exists: &dyn Fn(u16, u16) -> bool) -> bool {
        let rows = self.rows(ID);
        (rows.is_empty() || self.guards())
            && rows.iter().all(|row| {
                let Some((object, instance)) = target(row) else { return false };
                rows.iter().filter(|other| target(other) == target(row)).count() == 1
                    && exists(object, instance)
                    && row.short(OWNER).is_some_and(|owner| self.may_be_named(owner, MAX_ID))
            })
            && self.grants.iter().all(|grant| self.may_be_named(grant.server, DEFAULT))
    }
}

/// Who of `others` may do most with what an instance speaks of: Write and Delete count one each. Of
/// equals the first; nobody without an entry or a default one.
fn heir(instance: u16, grants: &[Grant], others: &[Row]) -> Option<u16> {
    let mut heir = None;
    for server in others.iter().filter_map(|other| other.short(server::SHORT_SERVER_ID)) {
        let known = entry(grants, instance, server).or_else(|| entry(grants, instance, DEFAULT));
        let Some(rights) = known else { continue };
        let weight = [Rights::WRITE, Rights::DELETE].iter().filter(|right| rights.contains(**right)).count();
        if heir.is_none_or(|(most, _)| weight > most) {
            heir = Some((weight, server));
        }
    }
    heir.map(|(_, server)| server)
}

#[cfg(test)]
#[cfg(feature = "access-control")]
mod tests {
    use super::*;
    use crate::base::limits::Limits;
    use crate::base::time::Instant;
    use crate::base::value::Value;
    use crate::format::{Given, Values};
    use crate::model::{Action, Change, Ctx, DataModel, Origin, Refusal};
    use alloc::vec::Vec;
    use coap_codec::Code;
    use proptest::prelude::*;

    const R: Rights = Rights::READ;
    const W: Rights = Rights::WRITE;
    const D: Rights = Rights::DELETE;

    fn said(path: Path, owner: u16, acl: &[(u16, Rights)]) -> config::AccessControl {
        config::AccessControl { path, owner, acl: acl.to_vec() }
    }

    /// Nothing that is said yet, with room for so much, and with these servers.
    fn empty(access_controls: usize, servers: usize, known: &[u16]) -> Accounts {
        let mut table = Accounts::empty(&Limits { access_controls, servers, ..Limits::default() });
        for id in known {
            table.make(server::ID, *id).unwrap().set(server::SHORT_SERVER_ID, Some((*id).into()));
        }
        table
    }

    fn table(known: &[u16], said: &[config::AccessControl]) -> Accounts {
        let mut table = empty(8, 4, known);
        for about in said {
            assert!(table.decide(about));
        }
        table
    }

    #[test]
    fn an_entry_comes_before_ownership_and_that_before_the_default() {
        let path = Path::instance(5, 0);
        for (owner, acl, server, expected) in [
            (7, &[(1, R), (0, W)][..], 1, R),
            (1, &[(1, R), (0, W)], 1, R),
            (1, &[(0, W)], 1, Rights::ALL),
            (7, &[(2, R), (0, W)], 1, W),
            (7, &[(2, R)], 1, Rights::NONE),
            (MAX_ID, &[], 1, Rights::NONE),
        ] {
            for known in [&[1][..], &[1, 2]] {
                let table = table(known, &[said(path, owner, acl)]);
                assert_eq!(table.granted(server, 5, 0), expected, "{owner} {acl:?} {server}");
            }
        }
    }

    #[test]
    fn what_nothing_is_said_of_is_a_lone_servers_and_nobodys_among_several() {
        for instance in [0, MAX_ID] {
            assert_eq!(table(&[1], &[]).granted(1, 5, instance), Rights::ALL);
            assert_eq!(table(&[1, 2], &[]).granted(1, 5, instance), Rights::NONE);
        }
        assert_eq!(empty(0, 4, &[1, 2]).granted(1, 5, 0), Rights::ALL, "not supported");
    }

    #[test]
    fn to_create_takes_an_entry_of_ones_own() {
        let c = Rights::CREATE;
        for (owner, acl, expected) in
            [(MAX_ID, &[(1, c)][..], c), (1, &[][..], Rights::NONE), (MAX_ID, &[(0, c)], Rights::NONE)]
        {
            let table = table(&[1, 2], &[said(Path::object(5), owner, acl)]);
            assert_eq!(table.granted(1, 5, MAX_ID), expected, "{acl:?}");
        }
    }

    #[test]
    fn an_instance_is_managed_by_its_owner_and_seen_by_all() {
        let table = table(&[1, 2], &[said(Path::instance(5, 0), 1, &[(2, Rights::ALL)])]);
        assert_eq!(table.granted(1, ID, 0), Rights::ALL);
        assert_eq!(table.granted(2, ID, 0), R);
        assert_eq!(table.granted(1, ID, 1), R, "it is not there");
    }

    #[test]
    fn what_a_bootstrap_said_itself_is_not_dropped_as_stale() {
        let before = table(&[1, 2], &[said(Path::instance(5, 0), 1, &[(2, R)])]);
        let dropped = |now: &Accounts| {
            let mut settled = now.clone();
            settled.drop_stale(&before, &|_, _| false);
            settled.rows(ID).is_empty()
        };
        assert!(dropped(&before), "as it was found");
        for acl in [&[(2, W)][..], &[(2, R), (1, R)], &[]] {
            assert!(!dropped(&table(&[1, 2], &[said(Path::instance(5, 0), 1, acl)])), "{acl:?}");
        }
    }

    #[test]
    fn who_may_do_most_is_the_heir() {
        for (acl, others, expected) in [
            (&[(2, R), (3, W)][..], &[2, 3, 4][..], Some(3)),
            (&[(2, W), (3, W | D)], &[2, 3], Some(3)),
            (&[(2, W), (3, D)], &[3, 2], Some(2)),
            (&[(2, R), (0, D)], &[2, 3], Some(3)),
            (&[(2, Rights::NONE)], &[2, 3], Some(2)),
            (&[(9, Rights::ALL)], &[2, 3], None),
            (&[], &[2, 3], None),
        ] {
            let mut table = table(others, &[said(Path::instance(5, 0), 1, acl), said(Path::object(5), 1, acl)]);
            let mut lost = Vec::new();
            table.part_with(1, &mut |path| lost.push(path));
            let owners: Vec<_> = table.rows(ID).iter().map(|row| row.short(OWNER)).collect();
            match expected {
                Some(heir) => assert_eq!((owners, lost), (std::vec![Some(heir); 2], std::vec![]), "{acl:?}"),
                None => assert_eq!((owners, lost), (std::vec![Some(MAX_ID)], std::vec![Path::instance(5, 0)])),
            }
        }
    }

    #[test]
    fn a_table_and_its_acls_are_bounded() {
        let mut table = empty(1, 1, &[1]);
        let [a, b] = [Path::instance(5, 0), Path::instance(5, 1)];
        assert!(!table.knows_all(&said(a, 1, &[(0, R), (1, R), (2, R)])));
        assert!(table.decide(&said(a, 1, &[(0, R), (1, R)])));
        assert!(!table.decide(&said(b, 1, &[])));
        assert!(table.decide(&said(a, 2, &[(0, W)])), "in the place that it has");
        assert_eq!(table.granted(1, 5, 0), W);
        for wrong in [Path::ROOT, Path::resource(5, 0, 1), Path::instance(5, MAX_ID)] {
            assert!(!empty(9, 9, &[]).decide(&said(wrong, 1, &[])));
        }
    }

    #[test]
    fn an_acl_that_is_written_is_bounded_and_names_no_reserved_server() {
        let ctx = Ctx { origin: Origin::Bootstrap, ticket: None, resumed: false, now: Instant::ZERO };
        let mut table = empty(2, 1, &[]);
        assert!(table.decide(&said(Path::instance(5, 0), 1, &[(0, R), (1, R)])));
        let check = |action, instance, servers: &[u16]| {
            let given = |server: &u16| Given { resource: ACL, index: Some(*server), value: Value::Int(1) };
            let mut values: Vec<_> = servers.iter().map(given).collect();
            values.push(Given { resource: OWNER, index: None, value: Value::Int(1) });
            let change = Change { action, object: ID, instance, values: Values::list(&values), earlier: 0 };
            DataModel::check(&table, &ctx, &change)
        };
        let refused = Err(Refusal::Code(Code::BAD_REQUEST));
        for (action, instance, servers, expected) in [
            (Action::Create, 1, &[0, 1][..], Ok(())),
            (Action::Create, 1, &[0, 1, 2], refused),
            (Action::Create, 1, &[MAX_ID], refused),
            (Action::Replace, 0, &[2, 3], Ok(())),
            (Action::Update, 0, &[0, 1], Ok(())),
            (Action::Update, 0, &[2], refused),
        ] {
            assert_eq!(check(action, instance, servers), expected, "{action:?} {servers:?}");
        }
    }

    fn acl() -> impl Strategy<Value = Vec<(u16, Rights)>> {
        prop::collection::vec((0u16..4, (0u16..32).prop_map(Rights::from_bits)), 0..4)
    }

    proptest! {
        #[test]
        fn what_a_server_leaves_behind_names_it_no_more_and_takes_nobodys_rights_away(
            said_of in prop::collection::vec((0u16..4, 1u16..4, acl()), 0..4),
        ) {
            let said_of: Vec<_> =
                said_of.iter().map(|(instance, owner, acl)| said(Path::instance(5, *instance), *owner, acl)).collect();
            let mut left = table(&[2, 3], &said_of);
            let before = left.clone();
            let mut lost = Vec::new();
            left.part_with(1, &mut |path| lost.push(path));
            for known in left.rows(ID) {
                prop_assert!(known.short(OWNER) != Some(1) && entry(&left.grants, known.id, 1).is_none());
            }
            for (server, instance) in (2..4).flat_map(|server| (0..4).map(move |instance| (server, instance))) {
                let (earlier, later) = (before.granted(server, 5, instance), left.granted(server, 5, instance));
                prop_assert!(later.contains(earlier), "{server} /5/{instance}: {earlier:?} {later:?}");
                prop_assert!(earlier == Rights::NONE || !lost.contains(&Path::instance(5, instance)));
            }
        }
    }
}
