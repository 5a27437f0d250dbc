//! LwM2M Access Control, object 2 (OMA LwM2M 1.0, 8.2 and Appendix D.1.3): which server may do what.
//!
//! An instance speaks of one Object Instance, or of an object: then its Object Instance ID is 65535,
//! and it says who may create instances.

use alloc::vec::Vec;

use coap_codec::Code;

use super::definitions::access_control::{ACCESS_CONTROL_OWNER, OBJECT_ID, OBJECT_INSTANCE_ID};
use super::{definitions, server};
use crate::base::config;
use crate::base::definition::with_ranges;
use crate::base::features;
use crate::base::path::{Leaf, MAX_ID, Path};
use crate::base::rights::Rights;
use crate::base::table::Places;
use crate::base::value::{Sink, Value};
use crate::format::Given;
use crate::model::{Action, Change, ObjectDef, Origin, Range, Refusal, ResourceDef};

pub(crate) use super::definitions::access_control::{ACL, ID};

/// The definition of object 2, version 1.0, but for one range.
pub(super) static DEFINITION: ObjectDef =
    ObjectDef { resources: &RESOURCES, ..definitions::access_control::DEFINITION };

const RESOURCES: [ResourceDef; 4] =
    // Printed as '16-bit'.
    with_ranges(definitions::access_control::RESOURCES, &[(ACL, Range::Integer(0, u16::MAX as i64))]);

/// The Short Server ID in an ACL that stands for every server without an entry of its own.
const DEFAULT: u16 = 0;

/// What one server, or every other one, may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) server: u16,
    pub(crate) rights: Rights,
}

/// One instance. What a bootstrap has not written yet is absent; Bootstrap-Finish judges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Instance {
    pub(crate) id: u16,
    pub(crate) object: Option<u16>,
    pub(crate) instance: Option<u16>,
    pub(crate) owner: Option<u16>,
    /// The ACL, in the order of Short Server IDs.
    pub(crate) acl: Vec<Entry>,
}

impl Instance {
    /// What it speaks of.
    const fn target(&self) -> Option<(u16, u16)> {
        match (self.object, self.instance) {
            (Some(object), Some(instance)) => Some((object, instance)),
            _ => None,
        }
    }

    fn entry(&self, server: u16) -> Option<Rights> {
        let at = self.acl.binary_search_by_key(&server, |entry| entry.server).ok()?;
        self.acl.get(at).map(|entry| entry.rights)
    }

    pub(crate) fn grant(&mut self, server: u16, rights: Rights) {
        match self.acl.binary_search_by_key(&server, |entry| entry.server) {
            Ok(at) => {
                if let Some(known) = self.acl.get_mut(at) {
                    known.rights = rights;
                }
            }
            Err(at) => self.acl.insert(at, Entry { server, rights }),
        }
    }

    /// The rights of a server, if this speaks of an Object Instance: its entry before its ownership
    /// before the default (8.2.1).
    fn rights(&self, server: u16) -> Rights {
        match (self.entry(server), self.owner) {
            (Some(own), _) => own,
            (None, Some(owner)) if owner == server => Rights::ALL,
            _ => self.entry(DEFAULT).unwrap_or(Rights::NONE),
        }
    }

    pub(super) fn has(&self, resource: u16) -> bool {
        if resource == ACL { !self.acl.is_empty() } else { self.value(resource).is_some() }
    }

    /// The value of a single resource.
    pub(super) fn value(&self, resource: u16) -> Option<Value<'static>> {
        let number = match resource {
            OBJECT_ID => self.object,
            OBJECT_INSTANCE_ID => self.instance,
            ACCESS_CONTROL_OWNER => self.owner,
            _ => None,
        };
        number.map(|number| Value::Int(i64::from(number)))
    }

    pub(super) fn read_acl(&self, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        for entry in self.acl.iter().filter(|entry| at.index.is_none_or(|index| index == entry.server)) {
            out.value(at.at(entry.server), Value::Int(i64::from(entry.rights.bits())))?;
        }
        Ok(())
    }

    pub(super) fn set(&mut self, Given { resource, index, value }: Given<'_>) {
        let Value::Int(number) = value else { return };
        let number = u16::try_from(number).ok();
        match (resource, index) {
            (OBJECT_ID, _) => self.object = number,
            (OBJECT_INSTANCE_ID, _) => self.instance = number,
            (ACCESS_CONTROL_OWNER, _) => self.owner = number,
            (ACL, Some(server)) => self.grant(server, Rights::from_bits(number.unwrap_or(0))),
            _ => {}
        }
    }
}

/// What its instances lie in.
#[cfg(feature = "access-control")]
type Entries = Vec<Instance>;
/// The object is left out.
#[cfg(not(feature = "access-control"))]
type Entries = crate::base::table::Nothing<Instance>;

/// The object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AccessControl {
    pub(crate) instances: Entries,
    limit: u16,
    /// The longest ACL: an entry for each server, and the default.
    entries: u16,
}

impl AccessControl {
    pub(crate) fn new(limit: usize, servers: usize) -> Self {
        let narrow = |limit: usize| u16::try_from(limit).unwrap_or(u16::MAX);
        Self { instances: Entries::new(), limit: narrow(limit), entries: narrow(servers.saturating_add(1)) }
    }

    /// Whether the client has the object at all.
    pub(crate) const fn is_supported(&self) -> bool {
        features::ACCESS_CONTROL && self.limit > 0
    }

    /// Whether there are no more instances, and no longer ACLs, than the limits allow.
    pub(crate) fn fits(&self) -> bool {
        self.instances.len() <= usize::from(self.limit)
            && self.instances.iter().all(|known| known.acl.len() <= self.entries.into())
    }

    /// The Object Instance that an instance speaks of, if it is not an object.
    pub(crate) fn subject(&self, id: u16) -> Option<(u16, u16)> {
        self.get(id)?.target().filter(|(_, instance)| *instance != MAX_ID)
    }

    pub(super) fn get(&self, id: u16) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.id == id)
    }

    /// What is said of an Object Instance, or with 65535 of an object.
    fn about(&self, object: u16, instance: u16) -> Option<&Instance> {
        self.instances.iter().find(|known| known.target() == Some((object, instance)))
    }

    /// What a server may do with an instance (8.2.1); with 65535 whether it may create instances of the
    /// object. A server that is `alone` may do everything with what nothing is said of.
    pub(crate) fn rights(&self, server: u16, alone: bool, object: u16, instance: u16) -> Rights {
        if !self.is_supported() {
            return Rights::ALL;
        }
        if object == ID {
            // Every server may look; the owner alone manages an instance (8.2.2).
            let owner = self.get(instance).and_then(|known| known.owner);
            return if owner == Some(server) { Rights::ALL } else { Rights::READ };
        }
        match self.about(object, instance) {
            None if alone => Rights::ALL,
            None => Rights::NONE,
            // Neither the owner nor the default entry counts.
            Some(known) if instance == MAX_ID => known.entry(server).unwrap_or(Rights::NONE),
            Some(known) => known.rights(server),
        }
    }

    /// Says what the device itself wants of a path: an object or an instance. False when there is no
    /// room for it, or the path is none of these.
    pub(crate) fn decide(&mut self, config::AccessControl { path, owner, acl }: &config::AccessControl) -> bool {
        if !features::ACCESS_CONTROL {
            return false;
        }
        let (object, instance) = match (path.object_id(), path.instance_id(), path.depth()) {
            (Some(object), None, _) => (object, MAX_ID),
            (Some(object), Some(instance), 2) if instance != MAX_ID => (object, instance),
            _ => return false,
        };
        let known = self.about(object, instance).map(|known| known.id);
        let Some(id) = known.or_else(|| self.free()) else { return false };
        let mut own =
            Instance { id, object: Some(object), instance: Some(instance), owner: Some(*owner), acl: Vec::new() };
        acl.iter().for_each(|(server, rights)| own.grant(*server, *rights));
        let fits = own.acl.len() <= self.entries.into();
        if fits {
            self.edit(id, &mut |known| known.clone_from(&own));
        }
        fits
    }

    /// The smallest Object Instance ID that is free, if there is room for one more.
    fn free(&self) -> Option<u16> {
        let room = self.instances.len() < usize::from(self.limit);
        (0..MAX_ID).find(|id| self.get(*id).is_none()).filter(|_| room)
    }

    /// Changes an instance, which comes to be if it is not there.
    fn edit(&mut self, id: u16, change: &mut dyn FnMut(&mut Instance)) {
        let at = self.instances.partition_point(|instance| instance.id < id);
        if self.instances.get(at).is_none_or(|instance| instance.id != id) {
            self.instances.insert(at, Instance { id, ..Instance::default() });
        }
        if let Some(instance) = self.instances.get_mut(at) {
            change(instance);
        }
    }

    pub(super) fn has_room(&self, taken: usize) -> bool {
        taken < usize::from(self.limit)
    }

    pub(super) fn get_mut(&mut self, id: u16) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|instance| instance.id == id)
    }

    /// Whether the ACL that a change makes is one: there is room for it, and no reserved server in it.
    pub(super) fn check(&self, change: &Change<'_>) -> Result<(), Refusal> {
        let mut entries = 0usize;
        let mut reserved = false;
        let known = self.get(change.instance).filter(|_| change.action == Action::Update);
        let mut kept = known.map_or(0, |known| known.acl.len());
        for server in change.values.iter().filter(|given| given.resource == ACL).filter_map(|given| given.index) {
            entries = entries.saturating_add(1);
            reserved |= server == MAX_ID;
            kept = kept.saturating_sub(usize::from(known.is_some_and(|known| known.entry(server).is_some())));
        }
        let fits = !reserved && kept.saturating_add(entries) <= self.entries.into();
        if fits { Ok(()) } else { Err(Refusal::Code(Code::BAD_REQUEST)) }
    }

    /// Begins with an instance that is written: one that is made, or what a Replace leaves of one.
    pub(super) fn begin(&mut self, change: &Change<'_>, anew: bool, origin: Origin) {
        if !features::ACCESS_CONTROL {
            return;
        }
        if origin == Origin::Local {
            self.forget_target(change);
        }
        let named = change.values.resources().any(|resource| resource == ACL);
        self.edit(change.instance, &mut |instance| {
            if anew && !matches!(origin, Origin::Server(_)) {
                *instance = Instance { id: instance.id, ..Instance::default() };
            } else if anew || (named && change.action != Action::Update) {
                instance.acl.clear();
            }
        });
    }

    /// Forgets what is said of the target of `change`: an instance that comes to be is not the earlier one
    /// with its id.
    fn forget_target(&mut self, change: &Change<'_>) {
        let named = |resource| match change.values.get(resource) {
            Some(Value::Int(id)) => u16::try_from(id).ok(),
            _ => None,
        };
        if let Some(target) = named(OBJECT_ID).zip(named(OBJECT_INSTANCE_ID)) {
            self.instances.keep(&mut |known| known.target() != Some(target));
        }
    }

    /// Forgets what is said of instances at or below `path` that are gone.
    pub(crate) fn detach(&mut self, path: Path, exists: &dyn Fn(u16, u16) -> bool) {
        self.instances.keep(&mut |known| match known.target() {
            Some((object, instance)) if instance != MAX_ID => {
                !path.overlaps(Path::instance(object, instance)) || exists(object, instance)
            }
            _ => true,
        });
    }

    /// A server is gone ('unbootstrapping'; OMA LwM2M 1.0, 5.2.5.2): its entries go, and what it owned
    /// goes to the one of `others` that may do most with it. What none of them may access goes with its
    /// server, and is named to `lost`.
    pub(crate) fn part_with(&mut self, server: u16, others: &[server::Instance], lost: &mut dyn FnMut(Path)) {
        self.instances.keep(&mut |known| {
            known.acl.keep(&mut |entry| entry.server != server);
            if known.owner != Some(server) {
                return true;
            }
            let heir = heir(known, others);
            if let (None, Some((object, instance))) = (heir, known.target())
                && instance != MAX_ID
            {
                lost(Path::instance(object, instance));
                return false;
            }
            // Nobody's: then only a bootstrap changes who may create.
            known.owner = Some(heir.unwrap_or(MAX_ID));
            true
        });
    }

    /// Drops what a bootstrap found there of instances that are gone: that is no fault of its own.
    pub(crate) fn drop_stale(&mut self, before: &Self, exists: &dyn Fn(u16, u16) -> bool) {
        let stale = |known: &Instance| known.target().is_some_and(|(object, instance)| !exists(object, instance));
        self.instances.keep(&mut |known| !(stale(known) && before.instances.contains(known)));
    }

    /// Whether every instance is complete, and speaks of what is there, once, and of servers that are
    /// known.
    pub(crate) fn is_consistent(&self, is_known: &dyn Fn(u16) -> bool, exists: &dyn Fn(u16, u16) -> bool) -> bool {
        self.instances.iter().all(|known| {
            let Some((object, instance)) = known.target() else { return false };
            let same = self.instances.iter().filter(|other| other.target() == known.target());
            same.count() == 1
                && exists(object, instance)
                && known.owner.is_some_and(|owner| owner == MAX_ID || is_known(owner))
                && known.acl.iter().all(|entry| entry.server == DEFAULT || is_known(entry.server))
        })
    }

    pub(crate) fn heap(&self) -> usize {
        let entries = self.instances.iter().fold(0usize, |sum, known| sum.saturating_add(known.acl.capacity()));
        let instances = self.instances.capacity().saturating_mul(size_of::<Instance>());
        instances.saturating_add(entries.saturating_mul(size_of::<Entry>()))
    }
}

/// Whether a value names no server, or one that there is: what a server writes must fit at once, or the next bootstrap
/// would be refused for it.
pub(super) fn names_known(given: &Given<'_>, is_known: &dyn Fn(u16) -> bool) -> bool {
    match (given.resource, given.index, given.value) {
        (ACL, Some(server), _) => server == DEFAULT || is_known(server),
        (ACCESS_CONTROL_OWNER, _, Value::Int(owner)) => {
            u16::try_from(owner).is_ok_and(|owner| owner == MAX_ID || is_known(owner))
        }
        _ => true,
    }
}

/// Who of `others` may do most with what an instance speaks of: Write and Delete count one each. Of
/// equals the first; nobody without an entry or a default one.
fn heir(known: &Instance, others: &[server::Instance]) -> Option<u16> {
    let mut most = None;
    for id in others.iter().filter_map(|server| server.short_server_id) {
        let Some(rights) = known.entry(id).or_else(|| known.entry(DEFAULT)) else { continue };
        let weight = u8::from(rights.contains(Rights::WRITE)).saturating_add(rights.contains(Rights::DELETE).into());
        // Of equals the smallest.
        let share = (weight, u16::MAX.saturating_sub(id));
        if most < Some(share) {
            most = Some(share);
        }
    }
    most.map(|(_, share)| u16::MAX.saturating_sub(share))
}

#[cfg(test)]
#[cfg(feature = "access-control")]
mod tests {
    use super::*;
    use crate::format::Values;
    use proptest::prelude::*;

    const R: Rights = Rights::READ;
    const W: Rights = Rights::WRITE;
    const D: Rights = Rights::DELETE;

    fn said(path: Path, owner: u16, acl: &[(u16, Rights)]) -> config::AccessControl {
        config::AccessControl { path, owner, acl: acl.to_vec() }
    }

    fn servers(ids: &[u16]) -> Vec<server::Instance> {
        let server = |id: &u16| server::Instance { short_server_id: Some(*id), ..server::Instance::default() };
        ids.iter().map(server).collect()
    }

    fn table(said: &[config::AccessControl]) -> AccessControl {
        let mut table = AccessControl::new(8, 4);
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
            let table = table(&[said(path, owner, acl)]);
            for alone in [false, true] {
                assert_eq!(table.rights(server, alone, 5, 0), expected, "{owner} {acl:?} {server}");
            }
        }
    }

    #[test]
    fn what_nothing_is_said_of_is_a_lone_servers_and_nobodys_among_several() {
        let table = table(&[]);
        for instance in [0, MAX_ID] {
            assert_eq!(table.rights(1, true, 5, instance), Rights::ALL);
            assert_eq!(table.rights(1, false, 5, instance), Rights::NONE);
        }
        assert_eq!(AccessControl::new(0, 4).rights(1, false, 5, 0), Rights::ALL, "not supported");
    }

    #[test]
    fn to_create_takes_an_entry_of_ones_own() {
        let c = Rights::CREATE;
        for (owner, acl, expected) in
            [(MAX_ID, &[(1, c)][..], c), (1, &[][..], Rights::NONE), (MAX_ID, &[(0, c)], Rights::NONE)]
        {
            assert_eq!(table(&[said(Path::object(5), owner, acl)]).rights(1, false, 5, MAX_ID), expected, "{acl:?}");
        }
    }

    #[test]
    fn an_instance_is_managed_by_its_owner_and_seen_by_all() {
        let table = table(&[said(Path::instance(5, 0), 1, &[(2, Rights::ALL)])]);
        assert_eq!(table.rights(1, false, ID, 0), Rights::ALL);
        assert_eq!(table.rights(2, false, ID, 0), R);
        assert_eq!(table.rights(1, true, ID, 1), R, "it is not there");
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
            let mut table = table(&[said(Path::instance(5, 0), 1, acl), said(Path::object(5), 1, acl)]);
            let mut lost = Vec::new();
            table.part_with(1, &servers(others), &mut |path| lost.push(path));
            let owners: Vec<_> = table.instances.iter().map(|known| known.owner).collect();
            match expected {
                Some(heir) => assert_eq!((owners, lost), (std::vec![Some(heir); 2], std::vec![]), "{acl:?}"),
                None => assert_eq!((owners, lost), (std::vec![Some(MAX_ID)], std::vec![Path::instance(5, 0)])),
            }
        }
    }

    #[test]
    fn a_table_and_its_acls_are_bounded() {
        let mut table = AccessControl::new(1, 1);
        let [a, b] = [Path::instance(5, 0), Path::instance(5, 1)];
        assert!(!table.decide(&said(a, 1, &[(0, R), (1, R), (2, R)])));
        assert!(table.decide(&said(a, 1, &[(0, R), (1, R)])));
        assert!(!table.decide(&said(b, 1, &[])));
        assert!(table.decide(&said(a, 2, &[(0, W)])), "in the place that it has");
        assert_eq!(table.rights(1, false, 5, 0), W);
        for wrong in [Path::ROOT, Path::resource(5, 0, 1), Path::instance(5, MAX_ID)] {
            assert!(!AccessControl::new(9, 9).decide(&said(wrong, 1, &[])));
        }
    }

    #[test]
    fn an_acl_that_is_written_is_bounded_and_names_no_reserved_server() {
        let mut table = AccessControl::new(2, 1);
        assert!(table.decide(&said(Path::instance(5, 0), 1, &[(0, R), (1, R)])));
        let check = |action, instance, servers: &[u16]| {
            let given = |server: &u16| Given { resource: ACL, index: Some(*server), value: Value::Int(1) };
            let mut values: Vec<_> = servers.iter().map(given).collect();
            values.push(Given { resource: ACCESS_CONTROL_OWNER, index: None, value: Value::Int(1) });
            let change = Change { action, object: ID, instance, values: Values::list(&values), earlier: 0 };
            table.check(&change)
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

    #[test]
    fn what_it_holds_is_counted() {
        let mut table = AccessControl::new(8, 4);
        assert_eq!(table.heap(), 0);
        table.instances = Vec::with_capacity(2);
        table.instances.push(Instance { acl: Vec::with_capacity(3), ..Instance::default() });
        assert_eq!(table.heap(), 2 * size_of::<Instance>() + 3 * size_of::<Entry>());
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
            let mut left = table(&said_of);
            let before = left.clone();
            let mut lost = Vec::new();
            left.part_with(1, &servers(&[2, 3]), &mut |path| lost.push(path));
            for known in left.instances.iter() {
                prop_assert!(known.owner != Some(1) && known.entry(1).is_none());
            }
            for (server, instance) in (2..4).flat_map(|server| (0..4).map(move |instance| (server, instance))) {
                let (earlier, later) = (before.rights(server, false, 5, instance), left.rights(server, false, 5, instance));
                prop_assert!(later.contains(earlier), "{server} /5/{instance}: {earlier:?} {later:?}");
                prop_assert!(earlier == Rights::NONE || !lost.contains(&Path::instance(5, instance)));
            }
        }
    }
}
