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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) server: u16,
    pub(crate) rights: Rights,
}

/// As it is kept, in bytes: the server, and its rights.
pub(super) const GRANT: usize = 4;

impl Row {
    /// What is said of a path by the device itself. Of one that is neither an object nor an instance it is nothing.
    pub(crate) fn said(config::AccessControl { path, owner, acl }: &config::AccessControl) -> Self {
        let mut row = Self::default();
        let instance = path.instance_id().map_or(MAX_ID, |instance| instance);
        if path.depth() == 1 || (path.depth() == 2 && instance != MAX_ID) {
            row.set(OBJECT_ID, path.object_id().map(u32::from));
        }
        row.set(OBJECT_INSTANCE_ID, Some(instance.into()));
        row.set(OWNER, Some((*owner).into()));
        acl.iter().for_each(|(server, rights)| row.grant(*server, Some(*rights)));
        row
    }

    /// What an instance speaks of.
    pub(super) fn target(&self) -> Option<(u16, u16)> {
        self.short(OBJECT_ID).zip(self.short(OBJECT_INSTANCE_ID))
    }

    /// The entries of its ACL, in the order of Short Server IDs.
    pub(crate) fn acl(&self) -> impl Iterator<Item = Grant> {
        self.bytes(ACL).as_chunks().0.iter().map(|[a, b, c, d]: &[u8; GRANT]| Grant {
            server: u16::from_be_bytes([*a, *b]),
            rights: Rights::from_bits(u16::from_be_bytes([*c, *d])),
        })
    }

    /// The entry of one server.
    fn entry(&self, server: u16) -> Option<Rights> {
        self.acl().find(|grant| grant.server == server).map(|grant| grant.rights)
    }

    /// Enters the rights of a server in its ACL, or takes them out.
    pub(crate) fn grant(&mut self, server: u16, rights: Option<Rights>) {
        let mut bytes = Vec::new();
        let mut enter = |grant: Grant| {
            let ([a, b], [c, d]) = (grant.server.to_be_bytes(), grant.rights.bits().to_be_bytes());
            bytes.extend_from_slice(&[a, b, c, d]);
        };
        let before = |grant: &Grant| grant.server < server;
        self.acl().filter(before).for_each(&mut enter);
        rights.map(|rights| Grant { server, rights }).into_iter().for_each(&mut enter);
        self.acl().filter(|grant| grant.server > server).for_each(&mut enter);
        self.set_bytes(ACL, &bytes);
    }
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
        self.row(ID, id)?.target().filter(|(_, instance)| *instance != MAX_ID)
    }

    /// The instance that speaks of a target.
    pub(super) fn said_of(&self, target: (u16, u16)) -> Option<&Row> {
        self.rows(ID).iter().find(|row| row.target() == Some(target))
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
        let Some(said) = self.said_of((object, instance)) else {
            return if self.rows(server::ID).len() <= 1 { Rights::ALL } else { Rights::NONE };
        };
        match said.entry(server) {
            Some(own) => own,
            // Of an object neither the owner nor the default entry counts.
            None if instance == MAX_ID => Rights::NONE,
            None if owns(said) => Rights::ALL,
            None => said.entry(DEFAULT).unwrap_or(Rights::NONE),
        }
    }

    /// Whether every server that an instance names is known, or stands for all or for none.
    pub(crate) fn knows_all(&self, said: &Row) -> bool {
        let knows = |server| self.by_short_server_id(server).is_some();
        said.short(OWNER).is_some_and(|owner| owner == MAX_ID || knows(owner))
            && said.acl().all(|grant| grant.server == DEFAULT || knows(grant.server))
    }

    /// Takes what is said of a target, in place of what was said of it before. False when there is no room for it, or
    /// it is of nothing. An ACL of servers that are known has room.
    pub(crate) fn say(&mut self, mut said: Row) -> bool {
        let Some(target) = said.target().filter(|_| self.guards()) else { return false };
        let rows = self.rows(ID);
        let free = || (0..MAX_ID).filter(|_| rows.len() < self.limit(ID)).find(|id| self.row(ID, *id).is_none());
        let Some(id) = self.said_of(target).map(|known| known.id).or_else(free) else { return false };
        said.id = id;
        // A bootstrap may have said it twice.
        self.keep(ID, &mut |row| row.target() != Some(target));
        self.put(ID, said);
        true
    }

    /// Whether an instance speaks of what is not there.
    pub(super) fn is_void(&self, said: &Row, model: &dyn DataModel) -> bool {
        said.target().is_some_and(|(object, instance)| !is_there(&Viewed(self, model), object, instance))
    }

    /// How many entries an ACL may have: one for each server, and the default.
    pub(crate) fn longest_acl(&self) -> usize {
        usize::from(self.limits.servers).saturating_add(1)
    }

    /// Forgets what is said of instances at or below `path` that are gone. Who may create instances of an object stays
    /// said: nobody but a bootstrap could say it again.
    pub(crate) fn detach(&mut self, path: Path, model: &dyn DataModel) {
        let is_gone = |now: &Self, row: &Row| {
            let concerned = |(object, instance)| instance != MAX_ID && path.overlaps(Path::instance(object, instance));
            row.target().is_some_and(concerned) && now.is_void(row, model)
        };
        // One by one, since they are part of what is there.
        while let Some(id) = self.rows(ID).iter().find(|row| is_gone(self, row)).map(|row| row.id) {
            self.keep(ID, &mut |row| row.id != id);
        }
    }

    /// A server is gone ('unbootstrapping'; OMA LwM2M 1.0, 5.2.5.2): its entries go, and what it owned
    /// goes to the one of the others that may do most with it. What none of them may access goes with its
    /// server, and is named to `lost`.
    pub(super) fn part_with(&mut self, server: u16, lost: &mut Vec<Path>) {
        let [_, servers, access] = &mut self.tables;
        access.keep(&mut |row| {
            row.grant(server, None);
            if row.short(OWNER) != Some(server) {
                return true;
            }
            let heir = heir(row, servers);
            if let (None, Some((object, instance))) = (heir, row.target())
                && instance != MAX_ID
            {
                lost.push(Path::instance(object, instance));
                return false;
            }
            // Nobody's: then only a bootstrap changes who may create.
            row.set(OWNER, Some(heir.unwrap_or(MAX_ID).into()));
            true
        });
    }

    /// Whether every instance is complete, and speaks of what is there, which is for `is_void` to say, once, and of
    /// servers that are known.
    pub(super) fn says_what_fits(&self, is_void: &dyn Fn(&Row) -> bool) -> bool {
        let rows = self.rows(ID);
        (rows.is_empty() || self.guards())
            && rows.iter().all(|row| {
                // The first that speaks of something is the only one.
                let first = row.target().and_then(|target| self.said_of(target));
                first.is_some_and(|first| first.id == row.id) && !is_void(row) && self.knows_all(row)
            })
    }
}

/// Who of `others` may do most with what an instance speaks of: Write and Delete count one each. Of
/// equals the first; nobody without an entry or a default one.
fn heir(said: &Row, others: &[Row]) -> Option<u16> {
    let (mut most, mut heir) = (0, None);
    for server in others.iter().filter_map(|other| other.short(server::SHORT_SERVER_ID)) {
        let Some(rights) = said.entry(server).or_else(|| said.entry(DEFAULT)) else { continue };
        let weight = 1 + u8::from(rights.contains(Rights::WRITE)) + u8::from(rights.contains(Rights::DELETE));
        if weight > most {
            (most, heir) = (weight, Some(server));
        }
    }
    heir
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

    fn said(path: Path, owner: u16, acl: &[(u16, Rights)]) -> Row {
        Row::said(&config::AccessControl { path, owner, acl: acl.to_vec() })
    }

    /// Nothing that is said yet, with room for so much, and with these servers.
    fn empty(access_controls: usize, servers: usize, known: &[u16]) -> Accounts {
        let mut table = Accounts::empty(&Limits { access_controls, servers, ..Limits::default() });
        for id in known {
            let mut row = Row::new(*id);
            row.set(server::SHORT_SERVER_ID, Some((*id).into()));
            table.put(server::ID, row);
        }
        table
    }

    fn table(known: &[u16], said: &[Row]) -> Accounts {
        let mut table = empty(8, 4, known);
        for about in said {
            assert!(table.say(about.clone()));
        }
        table
    }

    /// A bootstrap may write two instances about one target, which its Finish judges; what the device says stands for both.
    #[test]
    fn what_is_said_anew_takes_the_place_of_all_that_was_said() {
        let (module, other) = (Path::instance(9, 0), Path::instance(9, 1));
        let mut accounts = empty(4, 2, &[1]);
        for (id, path) in [(5, module), (6, other), (7, module)] {
            let mut row = said(path, 1, &[]);
            row.id = id;
            accounts.put(ID, row);
        }
        assert!(accounts.say(said(module, MAX_ID, &[(1, R)])));
        let ids: Vec<u16> = accounts.rows(ID).iter().map(|row| row.id).collect();
        assert_eq!((ids, accounts.granted(1, 9, 0)), (alloc::vec![5, 6], R));
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
    fn an_acl_is_in_the_order_of_servers_and_has_one_entry_for_each() {
        let mut row = Row::default();
        for (server, rights) in [(7, Some(R)), (0, Some(W)), (300, Some(R)), (7, Some(D)), (300, None), (8, None)] {
            row.grant(server, rights);
        }
        assert_eq!(row.acl().map(|grant| (grant.server, grant.rights)).collect::<Vec<_>>(), [(0, W), (7, D)]);
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
            table.part_with(1, &mut lost);
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
        assert!(table.say(said(a, 1, &[(0, R), (1, R)])));
        assert!(!table.say(said(b, 1, &[])));
        assert!(table.say(said(a, 2, &[(0, W)])), "in the place that it has");
        assert_eq!(table.granted(1, 5, 0), W);
        for wrong in [Path::ROOT, Path::resource(5, 0, 1), Path::instance(5, MAX_ID)] {
            assert!(!empty(9, 9, &[]).say(said(wrong, 1, &[])));
        }
    }

    #[test]
    fn an_acl_that_is_written_is_bounded() {
        let ctx = Ctx { origin: Origin::Bootstrap, ticket: None, resumed: false, now: Instant::ZERO };
        let mut table = empty(2, 1, &[]);
        assert!(table.say(said(Path::instance(5, 0), 1, &[(0, R), (1, R)])));
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
            left.part_with(1, &mut lost);
            for known in left.rows(ID) {
                prop_assert!(known.short(OWNER) != Some(1) && known.entry(1).is_none());
            }
            for (server, instance) in (2..4).flat_map(|server| (0..4).map(move |instance| (server, instance))) {
                let (earlier, later) = (before.granted(server, 5, instance), left.granted(server, 5, instance));
                prop_assert!(later.contains(earlier), "{server} /5/{instance}: {earlier:?} {later:?}");
                prop_assert!(earlier == Rights::NONE || !lost.contains(&Path::instance(5, instance)));
            }
        }
    }
}
