//! XA and XB: what Access Control lets several servers do (OMA LwM2M 1.0, 8.2).

use coap_codec::{Code, ContentFormat};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{Ask, BootstrapCommand, Sim, Tlv};
use lwm2m_core::{Config, Credentials, Diagnostic, Event, Inconsistency, MAX_ID, Origin, Path, Rights};

use crate::terminal::operations::{TLV, tlv};
use crate::terminal::*;

type Racked = Sim<(Device, Rack)>;

const R: Rights = Rights::READ;
const W: Rights = Rights::WRITE;
const MODULE: Path = Path::instance(30_000, 0);
const MODULES: Path = Path::object(30_000);

/// Two servers, of whose rights nothing is said yet.
fn unsaid(seed: u64) -> Config {
    one_server(seed).server(2, "coap://second.example", Credentials::NoSec, 86_400)
}

fn get_of(path: Path) -> Ask {
    Ask::new(Code::GET, &path.to_string())
}

/// What a server's request is answered.
#[track_caller]
fn asked<M: lwm2m_core::DataModel>(sim: &mut Sim<M>, server: usize, ask: Ask) -> Code {
    sim.ask(server, |server| server.request(ask)).response().code
}

/// Whether the first server was told of a path.
fn lists<M: lwm2m_core::DataModel>(sim: &Sim<M>, path: &str) -> bool {
    server(sim).registration().expect("online").lists(path)
}

fn observed(path: Path) -> Ask {
    Ask { observe: Some(0), ..get_of(path) }
}

fn written(path: &str, query: &str) -> Ask {
    Ask { query: query.split('&').map(Into::into).collect(), ..Ask::new(Code::PUT, path) }
}

fn level(number: i64) -> Tlv {
    Tlv::new().integer(0, number)
}

/// What a Read in TLV shows a server.
#[track_caller]
fn nodes(sim: &mut Racked, server: usize, object: Path) -> Vec<Node> {
    let read = sim.ask(server, |server| server.read(object, Some(TLV)));
    Node::read(&read.response().payload).expect("TLV")
}

fn ids(nodes: &[Node]) -> Vec<u16> {
    nodes.iter().filter_map(|node| if let Node::Instance(id, _) = node { Some(*id) } else { None }).collect()
}

/// The modules that a Read shows a server.
fn seen(sim: &mut Racked, server: usize) -> Vec<u16> {
    ids(&nodes(sim, server, MODULES))
}

/// What a server sees that Access Control says of a path: owner, and rights by server.
fn said_to(sim: &mut Racked, server: usize, path: Path) -> Option<(i64, Vec<(u16, i64)>)> {
    let wanted = (i64::from(path.object_id()?), i64::from(path.instance_id().unwrap_or(MAX_ID)));
    nodes(sim, server, Path::object(2)).iter().find_map(|instance| {
        let Node::Instance(_, resources) = instance else { return None };
        let (mut numbers, mut acl) = ([None; 4], Vec::new());
        for resource in resources {
            match resource {
                Node::Resource(id, _) => numbers[usize::from(*id)] = resource.integer(),
                Node::Multiple(2, entries) => acl.extend(entries.iter().map(|entry| match entry {
                    Node::ResourceInstance(server, _) => (*server, entry.integer().unwrap()),
                    _ => panic!("{entry:?}"),
                })),
                _ => panic!("{resource:?}"),
            }
        }
        ((numbers[0]?, numbers[1]?) == wanted).then_some((numbers[3]?, acl))
    })
}

/// The same as the first server sees it.
fn said(sim: &mut Racked, path: Path) -> Option<(i64, Vec<(u16, i64)>)> {
    said_to(sim, 0, path)
}

#[test]
fn xa_23_without_the_right_to_read_only_discover_works() {
    let mut sim = racked(unsaid(1).access(MODULE, 1, &[(2, W)]));
    for ask in [get_of(MODULE), observed(MODULE), observed(LEVEL), written("/30000/0", "pmin=5")] {
        assert_eq!(asked(&mut sim, 0, ask.clone()), if ask.query.is_empty() { Code::CONTENT } else { Code::CHANGED });
        let before = news(&sim);
        assert_eq!(asked(&mut sim, 1, ask.clone()), Code::UNAUTHORIZED, "{ask:?}");
        assert_eq!(news(&sim), before, "{ask:?}");
    }
    let links = discover(&mut sim, 1, MODULE);
    assert_eq!(links.iter().map(|link| &*link.target).collect::<Vec<_>>(), ["/30000/0", "/30000/0/0", "/30000/0/1"]);
    // And what it may do, it does; what it may not, it does not.
    for (ask, expected) in [
        (tlv(Code::PUT, "/30000/0", &level(7)), Code::CHANGED),
        (Ask::new(Code::POST, "/30000/0/1"), Code::UNAUTHORIZED),
        (Ask::new(Code::DELETE, "/30000/0"), Code::UNAUTHORIZED),
        // The first fault counts: what is not there is not a matter of rights.
        (Ask::new(Code::GET, "/30000/9"), Code::NOT_FOUND),
        (Ask::new(Code::GET, "/30000/0/9"), Code::NOT_FOUND),
        (Ask::new(Code::POST, "/30000/0/9"), Code::NOT_FOUND),
        // And the right before what the operation would need.
        (Ask::new(Code::POST, "/30000/0/0"), Code::UNAUTHORIZED),
    ] {
        assert_eq!(asked(&mut sim, 1, ask.clone()), expected, "{ask:?}");
    }
    assert_eq!(sim.model.1.done, ["set 0 to 7"]);
    nobody_complains(&sim);
}

/// Where the object is above the instances, each counts by itself, and notifications are as reads are.
#[test]
fn xa_24_a_read_of_an_object_leaves_out_what_may_not_be_read() {
    let config = unsaid(1).access(MODULE, 1, &[(2, R)]).access(Path::instance(30_000, 2), 2, &[]);
    let mut sim = racked(config);
    sim.model.1.levels = (0..3).map(|id| (id, 5)).collect();
    assert_eq!(seen(&mut sim, 0), [0]);
    assert_eq!(seen(&mut sim, 1), [0, 2]);
    let observations = [0, 1].map(|server| sim.platform.servers[server].observe(MODULES, Some(TLV)));
    sim.run_for(secs(1));
    // What a server may not read does not disturb it either.
    sim.model.1.levels.insert(2, 6);
    sim.notify(Path::instance(30_000, 2));
    sim.run_for(secs(1));
    let told = |sim: &Racked, server: usize| {
        let told = sim.platform.servers[server].notifications(observations[server]);
        told.iter().map(|told| ids(&Node::read(&told.response.payload).unwrap())).collect::<Vec<_>>()
    };
    assert_eq!((told(&sim, 0), told(&sim, 1)), (vec![], vec![vec![0, 2]]));
    // Attributes of the object are nobody's secret.
    assert_eq!(asked(&mut sim, 0, written("/30000", "pmin=1")), Code::CHANGED);
}

#[test]
fn xa_25_an_entry_counts_before_the_owner_and_the_owner_before_the_default() {
    for (owner, acl, expected) in [
        (1, &[(0, R)][..], [true, false]),
        (1, &[(0, W)], [false, true]),
        (2, &[][..], [true, true]),
        (2, &[(2, R), (0, W)], [true, false]),
        (1, &[(2, Rights::NONE), (0, Rights::ALL)], [false, false]),
        (MAX_ID, &[][..], [false, false]),
    ] {
        let mut sim = racked(unsaid(1).access(MODULE, owner, acl));
        let codes = [get_of(LEVEL), tlv(Code::PUT, "/30000/0", &level(9))].map(|ask| asked(&mut sim, 1, ask));
        let success = codes.map(|code| code.is_success());
        assert_eq!(success, expected, "{owner} {acl:?}: {codes:?}");
        assert!(success.contains(&true) || codes == [Code::UNAUTHORIZED; 2]);
    }
}

#[test]
fn xa_26_who_may_create_owns_what_it_creates() {
    let mut sim = racked(unsaid(1).access(MODULES, MAX_ID, &[(2, Rights::CREATE)]));
    let new = Tlv::new().instance(4, &level(1)).instance(7, &level(2));
    let create = tlv(Code::POST, "/30000", &new);
    assert_eq!(asked(&mut sim, 0, create.clone()), Code::UNAUTHORIZED);
    assert!(sim.model.1.done.is_empty());
    let updates = sim.platform.servers[0].updates_seen();
    assert_eq!(asked(&mut sim, 1, create), Code::CREATED);
    assert_eq!(sim.model.1.done, ["create 4", "create 7"]);
    sim.run_for(secs(1));
    assert_eq!(sim.platform.servers[0].updates_seen(), updates + 1, "every server is told of it");
    let list = |path| lists(&sim, path);
    assert!(list("/30000/4") && list("/30000/7") && list("/2/1") && list("/2/2"), "{}", sim.trace);
    for id in [4, 7] {
        let path = Path::instance(30_000, id);
        assert_eq!([0, 1].map(|server| asked(&mut sim, server, get_of(path))), [Code::UNAUTHORIZED, Code::CONTENT]);
        assert_eq!(said(&mut sim, path), Some((2, vec![])));
    }
    // A default entry, or ownership of what speaks of the object, gives no right to create.
    let mut sim = racked(unsaid(1).access(MODULES, 2, &[(0, Rights::CREATE)]));
    assert_eq!(asked(&mut sim, 1, tlv(Code::POST, "/30000", &level(1))), Code::UNAUTHORIZED);
}

#[test]
fn xa_27_the_owner_manages_what_is_said_of_its_instance() {
    let mut sim = racked(unsaid(1).access(MODULE, 1, &[(2, W)]));
    let grant = Tlv::new().multiple(2, &[(2, &[3])]);
    for ask in [tlv(Code::POST, "/2/0", &grant), tlv(Code::PUT, "/2/0/2", &grant), Ask::new(Code::DELETE, "/2/0")] {
        assert_eq!(asked(&mut sim, 1, ask.clone()), Code::UNAUTHORIZED, "{ask:?}");
    }
    assert_eq!(asked(&mut sim, 1, get_of(MODULE)), Code::UNAUTHORIZED);
    assert_eq!(asked(&mut sim, 0, tlv(Code::POST, "/2/0", &grant)), Code::CHANGED);
    assert_eq!(said(&mut sim, MODULE), Some((1, vec![(2, 3)])));
    assert_eq!(asked(&mut sim, 1, get_of(MODULE)), Code::CONTENT);
    // Merged, replaced, and handed over.
    let another = Tlv::new().multiple(2, &[(0, &[1])]);
    assert_eq!(asked(&mut sim, 0, tlv(Code::POST, "/2/0", &another)), Code::CHANGED);
    assert_eq!(said(&mut sim, MODULE), Some((1, vec![(0, 1), (2, 3)])));
    assert_eq!(asked(&mut sim, 0, tlv(Code::PUT, "/2/0/2", &another)), Code::CHANGED);
    assert_eq!(said(&mut sim, MODULE), Some((1, vec![(0, 1)])));
    let text = |path: &str, payload: &[u8]| Ask {
        format: Some(ContentFormat::TEXT_PLAIN),
        payload: payload.to_vec(),
        ..Ask::new(Code::PUT, path)
    };
    assert_eq!(asked(&mut sim, 0, text("/2/0/3", b"2")), Code::CHANGED);
    assert_eq!(asked(&mut sim, 0, text("/2/0/3", b"1")), Code::UNAUTHORIZED, "it is another's now");
    assert_eq!(asked(&mut sim, 1, text("/2/0/3", b"1")), Code::CHANGED);
    // What it speaks of is not for servers to change, nor that it is there.
    assert_eq!(asked(&mut sim, 0, text("/2/0/1", b"5")), Code::METHOD_NOT_ALLOWED);
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::DELETE, "/2/0")), Code::METHOD_NOT_ALLOWED);
    let own = Tlv::new().integer(0, 3).integer(1, 0).integer(3, 1);
    assert_eq!(asked(&mut sim, 0, tlv(Code::POST, "/2", &own)), Code::UNAUTHORIZED);
    for wrong in [Tlv::new().multiple(2, &[(MAX_ID, &[1])]), Tlv::new().multiple(2, &[(2, &[0xFF])])] {
        assert_eq!(asked(&mut sim, 0, tlv(Code::POST, "/2/0", &wrong)), Code::BAD_REQUEST, "{wrong:?}");
    }
    nobody_complains(&sim);
}

#[test]
fn xa_28_who_may_not_read_any_more_is_not_told_any_more() {
    let mut sim = racked(unsaid(1).access(MODULE, 1, &[(2, R)]));
    assert_eq!(asked(&mut sim, 0, written("/30000/0", "pmax=60")), Code::CHANGED);
    assert_eq!(asked(&mut sim, 1, written("/30000/0", "pmax=60")), Code::CHANGED);
    let observations = [0, 1].map(|server| sim.platform.servers[server].observe(LEVEL, None));
    let change = |sim: &mut Racked, level| {
        sim.model.1.levels.insert(0, level);
        sim.notify(LEVEL);
        sim.run_for(secs(1));
    };
    let told = |sim: &Racked, server: usize| {
        let told = sim.platform.servers[server].notifications(observations[server]);
        told.iter().map(|told| told.response.text().to_string()).collect::<Vec<_>>()
    };
    sim.run_for(secs(1));
    change(&mut sim, 6);
    assert_eq!((told(&sim, 0), told(&sim, 1)), (vec!["6".into()], vec!["6".into()]));
    let acl = |rights| tlv(Code::POST, "/2/0", &Tlv::new().multiple(2, &[(2, &[rights])]));
    assert_eq!(asked(&mut sim, 0, acl(2)), Code::CHANGED);
    change(&mut sim, 7);
    sim.run_for(secs(150));
    assert_eq!(told(&sim, 0).len(), 4, "and twice because of pmax: {}", sim.trace);
    assert_eq!(told(&sim, 1), ["6"], "nothing, whatever happens and however long");
    // It has its right back: the observation lives on, and what changed meanwhile is news.
    assert_eq!(asked(&mut sim, 0, acl(1)), Code::CHANGED);
    sim.run_for(secs(1));
    assert_eq!(told(&sim, 1), ["6", "7"], "{}", sim.trace);
    change(&mut sim, 8);
    assert_eq!(told(&sim, 1), ["6", "7", "8"], "{}", sim.trace);
    // What is as it was is none.
    for rights in [2, 1] {
        assert_eq!(asked(&mut sim, 0, acl(rights)), Code::CHANGED);
        sim.run_for(secs(1));
    }
    assert_eq!(told(&sim, 1).len(), 3, "{}", sim.trace);
}

#[test]
fn xa_29_a_single_server_may_do_everything_that_nothing_is_said_of() {
    let mut sim = racked(one_server(1));
    for (ask, expected) in [
        (get_of(MODULE), Code::CONTENT),
        (tlv(Code::PUT, "/30000/0", &level(7)), Code::CHANGED),
        (Ask::new(Code::POST, "/30000/0/1"), Code::CHANGED),
        (tlv(Code::POST, "/30000", &level(1)), Code::CREATED),
        (Ask::new(Code::DELETE, "/30000/1"), Code::DELETED),
    ] {
        assert_eq!(asked(&mut sim, 0, ask.clone()), expected, "{ask:?}");
    }
    assert!(!lists(&sim, "/2") && said(&mut sim, MODULE).is_none(), "and nothing is said of what it makes");
    // What is said counts for it, too.
    let mut sim = racked(one_server(1).access(MODULE, MAX_ID, &[(1, R)]));
    assert_eq!(asked(&mut sim, 0, get_of(MODULE)), Code::CONTENT);
    assert_eq!(asked(&mut sim, 0, tlv(Code::PUT, "/30000/0", &level(7))), Code::UNAUTHORIZED);
    assert_eq!(asked(&mut sim, 0, get_of(Path::instance(3, 0))), Code::CONTENT);
}

#[test]
fn xa_30_what_is_said_of_an_instance_goes_with_it() {
    let config = unsaid(1).access(MODULE, 1, &[(2, R)]).access(MODULES, MAX_ID, &[(2, Rights::CREATE)]);
    let mut sim = racked(config);
    assert!(said(&mut sim, MODULE).is_some());
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::DELETE, "/30000/0")), Code::DELETED);
    sim.run_for(secs(1));
    assert_eq!(said(&mut sim, MODULE), None);
    assert_eq!(said(&mut sim, MODULES), Some((i64::from(MAX_ID), vec![(2, 16)])), "of the object it stays");
    // The next instance with the id is another one: its maker's.
    assert_eq!(asked(&mut sim, 1, tlv(Code::POST, "/30000", &level(1))), Code::CREATED);
    assert_eq!(asked(&mut sim, 0, get_of(MODULE)), Code::UNAUTHORIZED);
    // One that the device itself takes away is no different.
    sim.model.1.levels.clear();
    sim.notify(MODULES);
    sim.run_for(secs(1));
    assert_eq!(said(&mut sim, MODULE), None);
    // Not even when nobody said that it is gone.
    let about = lwm2m_core::AccessControl { path: MODULE, owner: 1, acl: vec![(2, R)] };
    let now = sim.now();
    sim.client.set_access(now, &about, &mut sim.model).unwrap();
    assert_eq!(asked(&mut sim, 1, tlv(Code::POST, "/30000", &Tlv::new().instance(0, &level(1)))), Code::CREATED);
    assert_eq!(said(&mut sim, MODULE), Some((2, vec![])));
    sim.model.1.levels.clear();
    sim.notify(MODULES);
    // And of one that the device makes, the device says who may do what.
    sim.model.1.levels.insert(0, 3);
    sim.notify(MODULES);
    assert_eq!([0, 1].map(|server| asked(&mut sim, server, get_of(MODULE))), [Code::UNAUTHORIZED; 2]);
    let now = sim.now();
    sim.client.set_access(now, &about, &mut sim.model).unwrap();
    assert_eq!([0, 1].map(|server| asked(&mut sim, server, get_of(MODULE))), [Code::CONTENT; 2]);
    nobody_complains(&sim);
}

/// Everything or nothing: without room for what is to be said of a new instance, it is not made.
#[test]
fn xc_31_access_controls_a_create_that_nothing_can_be_said_of_is_refused_with_5_03() {
    let mut config = unsaid(1).access(MODULES, MAX_ID, &[(1, Rights::CREATE)]);
    config.limits.access_controls = 3;
    let mut sim = racked(config);
    let several = |ids: &[u16]| {
        let all = ids.iter().fold(Tlv::new(), |all, id| all.instance(*id, &level(1)));
        tlv(Code::POST, "/30000", &all)
    };
    assert_eq!(asked(&mut sim, 0, several(&[1, 2, 3])), Code::SERVICE_UNAVAILABLE);
    assert!(sim.model.1.done.is_empty());
    assert_eq!(asked(&mut sim, 0, several(&[1, 2])), Code::CREATED);
    assert_eq!(asked(&mut sim, 0, several(&[3])), Code::SERVICE_UNAVAILABLE);
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::DELETE, "/30000/1")), Code::DELETED);
    assert_eq!(asked(&mut sim, 0, several(&[3])), Code::CREATED, "there is room again");
}

// ----- bootstrap ------------------------------------------------------------------------------

fn write(path: Path, tlv: &Tlv) -> BootstrapCommand {
    BootstrapCommand::Write { path, format: TLV, payload: tlv.bytes().to_vec() }
}

fn about((object, instance): (i64, i64), owner: i64, acl: &[(u16, &[u8])]) -> Tlv {
    Tlv::new().integer(0, object).integer(1, instance).multiple(2, acl).integer(3, owner)
}

/// Servers 1, 2 and 3, bootstrapped, with modules 0 to 3 of which `said` is written.
#[track_caller]
fn three_servers(said: &[Tlv]) -> Racked {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.server_initiated = true;
    config.limits.servers = 3;
    let mut rack = Rack::new();
    rack.levels = (0..4).map(|id| (id, 5)).collect();
    let mut sim = Sim::new(config, (device(), rack), 1);
    sim.platform.add_server(2, "coap://second.example", 86_400);
    sim.platform.add_server(3, "coap://third.example", 86_400);
    let mut script = sim.platform.bootstrap.commands(&sim.platform.servers);
    // Not everything is deleted first: the modules stay.
    assert_eq!(script.remove(0), BootstrapCommand::Delete(Path::ROOT));
    let finish = script.pop().unwrap();
    script.extend((10..).zip(said).map(|(id, tlv)| write(Path::instance(2, id), tlv)));
    script.push(finish);
    sim.platform.bootstrap.script = Some(script);
    sim.network_up();
    let online = |sim: &Racked| sim.platform.servers.iter().all(|server| server.registration().is_some());
    assert!(sim.run_until(secs(60), online), "{}", sim.trace);
    sim.run_for(secs(1));
    sim
}

#[test]
fn xb_17_what_a_server_leaves_behind_goes_to_who_may_do_most_with_it() {
    let said_of = [
        // W against W and D: the third.
        about((30_000, 0), 1, &[(2, &[3]), (3, &[11])]),
        // Nobody else's: it goes with its server.
        about((30_000, 1), 1, &[(1, &[15])]),
        // Another's: only the entry goes.
        about((30_000, 2), 2, &[(1, &[1]), (3, &[1])]),
        // By the default entry all others are equal: the first.
        about((30_000, 3), 1, &[(0, &[9])]),
    ];
    let mut sim = three_servers(&said_of);
    let observation = sim.platform.servers[0].observe(Path::instance(30_000, 1), None);
    sim.run_for(secs(1));
    let remove = vec![BootstrapCommand::Delete(Path::instance(0, 1)), BootstrapCommand::Finish];
    // A bootstrap that comes to nothing changes nothing.
    sim.platform.bootstrap.script = Some(vec![remove[0].clone()]);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(300));
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(sim.model.1.levels.len(), 4);

    sim.platform.bootstrap.script = Some(remove);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(1));
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [2, 3], "its Server instance went with it\n{}", sim.trace);
    assert_eq!(sim.model.1.levels.keys().copied().collect::<Vec<_>>(), [0, 2, 3]);
    let deleted = Event::Deleted { origin: Origin::Bootstrap, path: Path::instance(30_000, 1) };
    assert_eq!(happened(&sim, deleted), 1);
    let mut said = |id| said_to(&mut sim, 1, Path::instance(30_000, id));
    assert_eq!(said(0), Some((3, vec![(2, 3), (3, 11)])));
    assert_eq!(said(1), None);
    assert_eq!(said(2), Some((2, vec![(3, 1)])));
    assert_eq!(said(3), Some((2, vec![(0, 9)])));
    assert_eq!(sim.platform.servers[0].notifications(observation), []);
}

#[test]
fn a_finish_with_access_control_that_does_not_fit_is_refused_and_can_be_repaired() {
    let inconsistent = Event::Diagnostic(Diagnostic::Inconsistent(Inconsistency::AccessControl));
    for wrong in [
        about((30_000, 9), 1, &[]),
        about((30_001, 0), 1, &[]),
        about((30_001, 65_535), 1, &[]),
        about((30_000, 0), 7, &[]),
        about((30_000, 0), 1, &[(7, &[1])]),
        // Of Device something is said already.
        about((3, 0), 1, &[]),
        Tlv::new().integer(0, 30_000).integer(3, 1),
        Tlv::new().integer(0, 30_000).integer(1, 0),
    ] {
        let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
        let mut sim = Sim::new(config, (device(), Rack::new()), 1);
        sim.platform.add_server(2, "coap://second.example", 86_400);
        let mut script = sim.platform.bootstrap.commands(&sim.platform.servers);
        let at = Path::instance(2, 10);
        let repair = [BootstrapCommand::Delete(at), BootstrapCommand::Finish];
        script.insert(script.len() - 1, write(at, &wrong));
        script.extend(repair);
        sim.platform.bootstrap.script = Some(script);
        sim.platform.bootstrap.persists = true;
        sim.network_up();
        sim.run_for(secs(5));
        assert_eq!(happened(&sim, inconsistent), 1, "{wrong:?}\n{}", sim.trace);
        assert_eq!(happened(&sim, Event::BootstrapFinished), 1, "{wrong:?}\n{}", sim.trace);
    }
}

#[test]
fn several_servers_need_a_client_with_access_control() {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.limits.access_controls = 0;
    let mut sim = Sim::new(config, device(), 1);
    sim.platform.add_server(2, "coap://second.example", 86_400);
    let commands = sim.platform.bootstrap.commands(&sim.platform.servers);
    let accounts = commands
        .iter()
        .filter(|command| !matches!(command, BootstrapCommand::Write { path, .. } if path.object_id() == Some(2)));
    sim.platform.bootstrap.script = Some(accounts.cloned().collect());
    sim.network_up();
    sim.run_for(secs(1));
    let why = Event::Diagnostic(Diagnostic::Inconsistent(Inconsistency::AccessControl));
    assert_eq!(happened(&sim, why), 1, "{}", sim.trace);
    // One that the device is made with is the device's own affair: all may do everything.
    let mut config = unsaid(1);
    config.limits.access_controls = 0;
    let mut sim = racked(config);
    assert_eq!([0, 1].map(|server| asked(&mut sim, server, get_of(MODULE))), [Code::CONTENT; 2]);
    assert!(!lists(&sim, "/2"));
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::GET, "/2")), Code::NOT_FOUND);
}

#[test]
fn rights_outlive_a_restart_and_a_sleep() {
    let config = unsaid(1).access(MODULE, 1, &[(2, R)]).access(MODULES, MAX_ID, &[(1, Rights::CREATE)]);
    let mut sim = racked(config.clone());
    assert_eq!(asked(&mut sim, 0, tlv(Code::POST, "/2/0", &Tlv::new().multiple(2, &[(2, &[2])]))), Code::CHANGED);
    let mut snapshot = [0; 2_048];
    let len = sim.client.snapshot(sim.now(), &mut snapshot).unwrap();
    for wake in [lwm2m_core::Wake::Restart, lwm2m_core::Wake::Sleep { elapsed: secs(1) }] {
        let restored = lwm2m_core::Client::restore(config.clone(), &snapshot[..len], sim.now(), wake).unwrap();
        let mut again = vec![0; len];
        restored.snapshot(sim.now(), &mut again).unwrap();
        let mut woken = sim.clone();
        woken.client = restored;
        woken.network_up();
        let online = |sim: &Racked| sim.platform.servers.iter().all(|server| server.registration().is_some());
        assert!(woken.run_until(secs(300), online));
        woken.run_for(secs(1));
        assert_eq!(said(&mut woken, MODULE), Some((1, vec![(2, 2)])));
        assert_eq!(asked(&mut woken, 1, get_of(MODULE)), Code::UNAUTHORIZED);
    }
    let mut smaller = config;
    smaller.access_controls.clear();
    smaller.limits.access_controls = 1;
    let refused = lwm2m_core::Client::restore(smaller, &snapshot[..len], sim.now(), lwm2m_core::Wake::Restart);
    assert_eq!(refused.err(), Some(lwm2m_core::SnapshotError::Limits));
}

/// The application's own say counts beside Access Control.
#[test]
fn an_application_may_grant_less() {
    for config in [one_server(1), sharing(two_servers(1), &[MODULE, Path::instance(30_000, 1)])] {
        let mut sim = racked(config);
        sim.model.1.levels.insert(1, 5);
        assert_eq!(seen(&mut sim, 0), [0, 1]);
        sim.model.1.hidden = Some(1);
        assert_eq!(seen(&mut sim, 0), [0]);
        assert_eq!(asked(&mut sim, 0, tlv(Code::PUT, "/30000/1", &level(7))), Code::UNAUTHORIZED);
        assert_eq!(asked(&mut sim, 0, tlv(Code::PUT, "/30000/0", &level(7))), Code::CHANGED);
        assert_eq!(sim.model.1.done, ["set 0 to 7"]);
    }
}

/// What is said anew of a path is said by the instance that there is.
#[test]
fn an_instance_of_access_control_keeps_its_id_when_the_device_says_otherwise() {
    let config = unsaid(1).access(MODULE, 1, &[(2, R)]).access(MODULES, MAX_ID, &[(2, Rights::CREATE)]);
    let mut sim = racked(config);
    let all = |sim: &mut Racked| ids(&nodes(sim, 0, Path::object(2)));
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::DELETE, "/30000/0")), Code::DELETED);
    sim.run_for(secs(1));
    let before = all(&mut sim);
    let observation = sim.platform.servers[0].observe(Path::instance(2, 1), Some(TLV));
    sim.run_for(secs(1));
    let about = lwm2m_core::AccessControl { path: MODULES, owner: MAX_ID, acl: vec![(1, Rights::CREATE)] };
    let now = sim.now();
    sim.client.set_access(now, &about, &mut sim.model).unwrap();
    sim.run_for(secs(60));
    assert_eq!((all(&mut sim), before.contains(&1)), (before, true));
    let told = sim.platform.servers[0].notifications(observation);
    assert_eq!(told.iter().map(|told| told.response.code).collect::<Vec<_>>(), [Code::CONTENT]);
}

/// Two servers from the factory, and a bootstrap of these commands.
fn bootstrapped_from_two(config: Config, rack: Rack, script: Vec<BootstrapCommand>) -> Racked {
    let config = config.bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, (device(), rack), 1);
    sim.platform.add_server(2, "coap://second.example", 86_400);
    sim.platform.bootstrap.script = Some(script);
    sim.network_up();
    sim.run_for(secs(5));
    sim
}

/// The Server instance of a server without a Security instance goes at Bootstrap-Finish, and what was said of it goes
/// with it: the bootstrap server wrote it while the instance was there (OMA LwM2M 1.0, 5.2.5.2).
#[test]
fn what_a_bootstrap_says_of_a_server_instance_that_its_finish_removes_is_no_fault() {
    let script = vec![
        write(Path::instance(2, 0), &about((1, 0), 1, &[(2, &[1])])),
        write(Path::instance(2, 1), &about((1, 1), 2, &[])),
        BootstrapCommand::Delete(Path::instance(0, 0)),
        BootstrapCommand::Finish,
    ];
    let sim = bootstrapped_from_two(unsaid(1), Rack::new(), script);
    let inconsistent = Event::Diagnostic(Diagnostic::Inconsistent(Inconsistency::AccessControl));
    assert_eq!(happened(&sim, inconsistent), 0, "{}", sim.trace);
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [2]);
}

/// What a bootstrap found of what is gone is dropped; what it wrote itself, of what is not there, it is told.
#[test]
fn what_a_bootstrap_itself_says_of_what_is_not_there_is_refused_whatever_was_said_before() {
    let mut rack = Rack::new();
    rack.levels.clear();
    let script = vec![write(Path::instance(2, 0), &about((30_000, 0), 2, &[(1, &[2])])), BootstrapCommand::Finish];
    let sim = bootstrapped_from_two(unsaid(1).access(MODULE, 1, &[(2, R)]), rack, script);
    let inconsistent = Event::Diagnostic(Diagnostic::Inconsistent(Inconsistency::AccessControl));
    assert_eq!(happened(&sim, inconsistent), 1, "{}", sim.trace);
    assert_eq!(happened(&sim, Event::BootstrapFinished), 0);
}

/// Modules whose whole object is there only while they are plugged in.
#[derive(Clone, Debug)]
struct Plugged(Rack, bool);

impl lwm2m_core::DataModel for Plugged {
    fn next_object(&self, after: Option<u16>) -> Option<&'static lwm2m_core::ObjectDef> {
        self.0.next_object(after).filter(|_| self.1)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        self.0.next_instance(object, after)
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.0.next_resource(object, instance, after)
    }

    fn read(
        &self,
        ctx: &lwm2m_core::Ctx,
        at: lwm2m_core::Leaf,
        out: &mut dyn lwm2m_core::Sink,
    ) -> Result<(), lwm2m_core::Refusal> {
        self.0.read(ctx, at, out)
    }

    fn check(&self, ctx: &lwm2m_core::Ctx, change: &lwm2m_core::Change<'_>) -> Result<(), lwm2m_core::Refusal> {
        self.0.check(ctx, change)
    }

    fn apply(&mut self, ctx: &lwm2m_core::Ctx, change: &lwm2m_core::Change<'_>) {
        self.0.apply(ctx, change);
    }
}

/// Who may create instances was said by a bootstrap or the configuration, and nobody else can say it.
#[test]
fn who_may_create_instances_of_an_object_is_not_forgotten_while_the_object_is_away() {
    let mut rack = Rack::new();
    rack.levels.clear();
    let config = unsaid(1).access(MODULES, MAX_ID, &[(1, Rights::CREATE)]);
    let mut sim = Sim::new(config, (device(), Plugged(rack, true)), 1);
    sim.network_up();
    let online = |sim: &Sim<_>| sim.platform.servers.iter().all(|server| server.registration().is_some());
    assert!(sim.run_until(secs(300), online));
    for there in [false, true] {
        sim.model.1.1 = there;
        sim.notify(Path::ROOT);
        sim.run_for(secs(10));
    }
    assert_eq!(asked(&mut sim, 0, tlv(Code::POST, "/30000", &level(1))), Code::CREATED);
}
