//! What was built apart must hold together: Access Control, queue mode, kept notifications, multicast,
//! an alternate path, snapshots.
use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Ask, BootstrapCommand, Sim, Tlv};
use lwm2m_core::{CommandError, Config, Credentials, DataModel, Event, MAX_ID, Path, Rights};

use crate::terminal::operations::{JSON, TLV, tlv, with};
use crate::terminal::*;

type Racked = Sim<(Device, Rack)>;

const R: Rights = Rights::READ;
const MODULE: Path = Path::instance(30_000, 0);
const MODULES: Path = Path::object(30_000);

fn queueing(mut config: Config) -> Config {
    config.registration.queue_mode = true;
    config
}

fn asked<M: DataModel>(sim: &mut Sim<M>, server: usize, ask: Ask) -> Code {
    sim.ask(server, |server| server.request(ask)).response().code
}

fn acl_of(module: u16, sim: &mut Racked) -> String {
    // The instance of Access Control that speaks of a module.
    let read = sim.ask(0, |server| server.read(Path::object(2), Some(TLV)));
    let nodes = lwm2m_core::sim::reader::Node::read(&read.response().payload).unwrap();
    for node in nodes {
        let lwm2m_core::sim::reader::Node::Instance(id, resources) = node else { continue };
        let numbers: Vec<_> = resources.iter().map(|resource| resource.integer()).collect();
        if numbers[0] == Some(30_000) && numbers[1] == Some(i64::from(module)) {
            return format!("/2/{id}");
        }
    }
    panic!("nothing is said of {module}\n{}", sim.trace)
}

fn grant(sim: &mut Racked, module: u16, server: u16, rights: u8) {
    let path = acl_of(module, sim);
    let ask = tlv(Code::POST, &path, &Tlv::new().multiple(2, &[(server, &[rights])]));
    assert_eq!(asked(sim, 0, ask), Code::CHANGED);
}

fn set(sim: &mut Racked, module: u16, level: i64) {
    sim.model.1.levels.insert(module, level);
    sim.notify(Path::instance(30_000, module));
    sim.run_for(secs(1));
}

fn is_asleep<M: DataModel>(sim: &Sim<M>, server: u16) -> bool {
    sim.client.rest_of(sim.now(), server).is_some_and(|rest| rest.from <= sim.now())
}

#[track_caller]
fn sleepers(sim: &mut Racked) {
    assert!(sim.run_until(secs(1_000), |sim| is_asleep(sim, 1) && is_asleep(sim, 2)), "{}", sim.trace);
    // The first one may ask at any time all the same.
    server_mut(sim).awake = DAY;
}

#[track_caller]
fn wake(sim: &mut Racked, server: u16) {
    let before = happened(sim, Event::Updated { server });
    sim.update(server).unwrap();
    assert!(sim.run_until(secs(100), |sim| happened(sim, Event::Updated { server }) > before), "{}", sim.trace);
    sim.run_for(secs(60));
}

fn shared() -> Config {
    two_servers(1).access(MODULE, 1, &[(2, R)]).access(Path::instance(30_000, 1), 1, &[(2, R)])
}

fn two_modules(config: Config) -> Racked {
    let mut rack = Rack::new();
    rack.levels.insert(1, 6);
    let mut sim = Sim::new(config, (device(), rack), 1);
    sim.network_up();
    assert!(sim.run_until(secs(300), |sim| sim.platform.servers.iter().all(|server| server.registration().is_some())));
    sim.run_for(secs(1));
    sim
}

#[test]
fn what_was_kept_of_an_instance_is_not_told_without_the_right() {
    let mut sim = two_modules(queueing(shared()));
    let watch = watch(&mut sim, 1, LEVEL);
    sleepers(&mut sim);
    set(&mut sim, 0, 77);
    assert_eq!(sim.client.stored_notifications(), 1);
    grant(&mut sim, 0, 2, 0);
    wake(&mut sim, 2);
    assert_eq!(watch.told(&sim), [], "{}", sim.trace);
}

#[test]
fn what_was_kept_is_told_when_the_right_to_read_it_is_among_the_new_ones() {
    let mut sim = two_modules(queueing(shared()));
    let watch = watch(&mut sim, 1, LEVEL);
    sleepers(&mut sim);
    set(&mut sim, 0, 77);
    set(&mut sim, 0, 78);
    assert_eq!(sim.client.stored_notifications(), 2);
    grant(&mut sim, 0, 2, 0b11);
    assert_eq!(sim.client.stored_notifications(), 2, "{}", sim.trace);
    wake(&mut sim, 2);
    let told: Vec<_> = watch.told(&sim).into_iter().map(|(_, told)| told).collect();
    assert_eq!(told, ["77", "78"], "{}", sim.trace);
}

#[test]
fn nor_what_was_kept_of_an_object_with_an_instance_that_may_not_be_read_now() {
    let mut sim = two_modules(queueing(shared()));
    let watch = watch(&mut sim, 1, MODULES);
    sleepers(&mut sim);
    set(&mut sim, 0, 77);
    assert_eq!(sim.client.stored_notifications(), 1);
    grant(&mut sim, 0, 2, 0);
    wake(&mut sim, 2);
    assert!(watch.told(&sim).iter().all(|(_, told)| !told.contains("77")), "{:?}\n{}", watch.told(&sim), sim.trace);
}

#[test]
fn nor_when_the_instance_is_gone_by_then() {
    let mut sim = two_modules(queueing(shared()));
    let watch = watch(&mut sim, 1, LEVEL);
    sleepers(&mut sim);
    set(&mut sim, 0, 77);
    grant(&mut sim, 0, 2, 0);
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::DELETE, "/30000/0")), Code::DELETED);
    wake(&mut sim, 2);
    assert!(watch.told(&sim).iter().all(|(_, told)| told != "77"), "{:?}\n{}", watch.told(&sim), sim.trace);
    assert_eq!(watch.notifications(&sim).last().map(Sent::code), Some(Code::NOT_FOUND));
}

#[test]
fn what_changed_without_the_right_is_told_with_it() {
    for set_access in [false, true] {
        let mut sim = two_modules(shared());
        let watch = watch(&mut sim, 1, LEVEL);
        grant(&mut sim, 0, 2, 0);
        set(&mut sim, 0, 77);
        assert_eq!(watch.told(&sim), []);
        if set_access {
            let about = lwm2m_core::AccessControl { path: MODULE, owner: 1, acl: vec![(2, R)] };
            let now = sim.now();
            sim.client.set_access(now, &about, &mut sim.model).unwrap();
        } else {
            grant(&mut sim, 0, 2, 1);
        }
        sim.run_for(secs(60));
        let told: Vec<_> = watch.told(&sim).into_iter().map(|(_, text)| text).collect();
        assert_eq!(told, ["77"], "{set_access}\n{}", sim.trace);
    }
}

#[test]
fn an_instance_comes_and_goes_for_who_observes_its_object_with_the_right_to_it() {
    for set_access in [true, false] {
        let mut sim = two_modules(shared());
        let watch = watch(&mut sim, 1, MODULES);
        if set_access {
            let about = lwm2m_core::AccessControl { path: MODULE, owner: 1, acl: vec![] };
            let now = sim.now();
            sim.client.set_access(now, &about, &mut sim.model).unwrap();
        } else {
            grant(&mut sim, 0, 2, 0);
        }
        sim.run_for(secs(60));
        assert_eq!(watch.told(&sim).len(), 1, "lost, {set_access}\n{}", sim.trace);
        grant(&mut sim, 0, 1, 31);
        if set_access {
            let about = lwm2m_core::AccessControl { path: MODULE, owner: 1, acl: vec![(2, R)] };
            let now = sim.now();
            sim.client.set_access(now, &about, &mut sim.model).unwrap();
        } else {
            grant(&mut sim, 0, 2, 1);
        }
        sim.run_for(secs(60));
        assert_eq!(watch.told(&sim).len(), 2, "back, {set_access}\n{}", sim.trace);
    }
}

#[test]
fn what_the_device_says_of_rights_names_servers_that_there_are() {
    let mut sim = racked(two_servers(1));
    let (now, before) = (sim.now(), sim.client.revision());
    for (path, owner, server, expected) in [
        (MODULE, 3, 1, Err(CommandError::UnknownServer)),
        (MODULE, 1, 3, Err(CommandError::UnknownServer)),
        (Path::ROOT, 1, 1, Err(CommandError::AccessControl)),
        (MODULE, MAX_ID, 0, Ok(())),
    ] {
        assert_eq!(sim.client.revision(), before, "nothing was changed");
        let about = lwm2m_core::AccessControl { path, owner, acl: vec![(server, R)] };
        assert_eq!(sim.client.set_access(now, &about, &mut sim.model), expected, "{path} {owner} {server}");
    }
    assert!(sim.client.revision() > before);
}

fn bootstrapped() -> Racked {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.server_initiated = true;
    let mut sim = Sim::new(config, (device(), Rack::new()), 1);
    sim.platform.add_server(2, "coap://second.example", 86_400);
    let mut script = sim.platform.bootstrap.commands(&sim.platform.servers);
    assert_eq!(script.remove(0), BootstrapCommand::Delete(Path::ROOT));
    let finish = script.pop().unwrap();
    let about = Tlv::new().integer(0, 30_000).integer(1, 0).multiple(2, &[(2, &[1])]).integer(3, 1);
    script.push(BootstrapCommand::Write { path: Path::instance(2, 10), format: TLV, payload: about.bytes().to_vec() });
    script.push(finish);
    sim.platform.bootstrap.script = Some(script);
    sim.network_up();
    let online = |sim: &Racked| sim.platform.servers.iter().all(|server| server.registration().is_some());
    assert!(sim.run_until(secs(60), online), "{}", sim.trace);
    sim.run_for(secs(1));
    sim
}

#[test]
fn what_an_owner_writes_cannot_make_a_later_bootstrap_fail() {
    for ask in [
        tlv(Code::POST, "/2/10", &Tlv::new().multiple(2, &[(77, &[1])])),
        with(Code::PUT, "/2/10/3", ContentFormat::TEXT_PLAIN, b"77"),
        with(Code::PUT, "/2/10/3", ContentFormat::TEXT_PLAIN, b"0"),
    ] {
        let mut sim = bootstrapped();
        let code = asked(&mut sim, 0, ask.clone());
        // One that has nothing to do with it.
        let format = ContentFormat::TEXT_PLAIN;
        let lifetime = BootstrapCommand::Write { path: Path::resource(1, 1, 1), format, payload: b"600".into() };
        sim.platform.bootstrap.script = Some(vec![lifetime, BootstrapCommand::Finish]);
        let before = happened(&sim, Event::BootstrapFinished);
        sim.platform.initiate_bootstrap(sim.now());
        sim.run_for(secs(10));
        assert_eq!(happened(&sim, Event::BootstrapFinished), before + 1, "{code} {ask:?}\n{}", sim.trace);
    }
}

#[test]
fn an_id_in_the_bootstrap_account_keeps_no_server() {
    let mut sim = bootstrapped();
    let bs = Tlv::new().text(0, "coap://bs.example").boolean(1, true).integer(2, 3).integer(10, 1);
    let bs = bs.resource(3, b"").resource(4, b"").resource(5, b"");
    sim.platform.bootstrap.script = Some(vec![
        BootstrapCommand::Write { path: Path::instance(0, 0), format: TLV, payload: bs.bytes().to_vec() },
        BootstrapCommand::Delete(Path::instance(0, 1)),
        BootstrapCommand::Finish,
    ]);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(10));
    assert_eq!(happened(&sim, Event::BootstrapFinished), 2, "{}", sim.trace);
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [2], "{}", sim.trace);
}

#[test]
fn a_late_answer_takes_the_right_of_then() {
    let mut sim = two_modules(shared());
    sim.model.1.later = true;
    let read = sim.platform.servers[1].read(LEVEL, None);
    sim.run_for(secs(1));
    let ticket = sim.model.1.ticket();
    grant(&mut sim, 0, 2, 0);
    sim.resume(ticket).unwrap();
    sim.run_for(secs(1));
    assert_eq!(sim.platform.servers[1].answer(read).unwrap().code(), Some(Code::UNAUTHORIZED));
}

#[test]
fn by_multicast_the_rights_are_the_same_and_those_of_the_answer() {
    let mut sim = two_modules(shared());
    let get = |id: u16, path: &str| {
        datagram(MessageType::NonConfirmable, Code::GET, id, b"mc", |writer| {
            path.split('/').skip(1).try_for_each(|segment| writer.uri_path(segment))
        })
    };
    let answers = |sim: &Racked| sent(sim).iter().filter(|sent| sent.token() == b"mc").count();
    sim.forge_multicast(SECOND, &get(1, "/30000/0/0"));
    sim.run_for(secs(10));
    assert_eq!(answers(&sim), 1);
    sim.forge_multicast(SECOND, &get(2, "/30000/0/0"));
    let about = lwm2m_core::AccessControl { path: MODULE, owner: 1, acl: vec![] };
    let now = sim.now();
    sim.client.set_access(now, &about, &mut sim.model).unwrap();
    sim.run_for(secs(10));
    assert_eq!(answers(&sim), 1);
    sim.forge_multicast(SECOND, &get(3, "/30000"));
    sim.run_for(secs(10));
    let last = sent(&sim).into_iter().rfind(|sent| sent.token() == b"mc").unwrap();
    let ids: Vec<_> = lwm2m_core::sim::reader::Node::read(last.message().payload()).unwrap();
    assert_eq!(ids.len(), 1);
}

#[test]
fn below_an_alternate_path_rights_and_locations_are_the_same() {
    let mut config = two_servers(1).access(MODULES, MAX_ID, &[(2, Rights::CREATE)]);
    config.alternate_path = Some("/a/b".into());
    let mut sim = racked(config);
    let ask = tlv(Code::POST, "/a/b/30000", &Tlv::new().integer(0, 9));
    assert_eq!(asked(&mut sim, 0, ask.clone()), Code::UNAUTHORIZED);
    assert_eq!(asked(&mut sim, 1, tlv(Code::POST, "/30000", &Tlv::new().integer(0, 9))), Code::NOT_FOUND);
    let response = sim.ask(1, |server| server.request(ask)).response().clone();
    assert_eq!((response.code, response.location.join("/")), (Code::CREATED, "a/b/30000/1".into()));
    assert_eq!(asked(&mut sim, 1, Ask::new(Code::GET, "/a/b/30000/1/0")), Code::CONTENT);
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::GET, "/a/b/30000/1/0")), Code::UNAUTHORIZED);
    sim.run_for(secs(1));
    assert!(sim.platform.servers.iter().all(|server| server.registration().unwrap().lists("/a/b/30000/1")
        || server.registration().unwrap().lists("/30000/1")));
}

#[test]
fn names_in_a_payload_reach_no_other_instance() {
    let config = two_servers(1)
        .access(MODULE, 1, &[(2, Rights::ALL)])
        .access(Path::instance(30_000, 1), 1, &[])
        .access(MODULES, MAX_ID, &[(2, Rights::CREATE)]);
    let mut sim = two_modules(config);
    for (method, path, text, expected) in [
        (Code::PUT, "/30000/0", r#"{"bn":"/30000/1/","e":[{"n":"0","v":9}]}"#, Code::BAD_REQUEST),
        (Code::PUT, "/30000/0", r#"{"bn":"/30000/","e":[{"n":"1/0","v":9}]}"#, Code::BAD_REQUEST),
        (Code::POST, "/30000/0", r#"{"e":[{"n":"/30000/1/0","v":9}]}"#, Code::BAD_REQUEST),
        (Code::PUT, "/30000/0/0", r#"{"bn":"/30000/1/0","e":[{"v":9}]}"#, Code::BAD_REQUEST),
        (Code::POST, "/30000", r#"{"bn":"/30000/","e":[{"n":"1/0","v":9}]}"#, Code::BAD_REQUEST),
        (Code::POST, "/30000", r#"{"bn":"/30001/","e":[{"n":"4/0","v":9}]}"#, Code::BAD_REQUEST),
        (Code::POST, "/30000", r#"{"bn":"/30000/","e":[{"n":"4/0","v":9},{"n":"1/0","v":9}]}"#, Code::BAD_REQUEST),
    ] {
        assert_eq!(asked(&mut sim, 1, with(method, path, JSON, text.as_bytes())), expected, "{text}");
    }
    let twice = Tlv::new().instance(4, &Tlv::new().integer(0, 1)).instance(4, &Tlv::new().integer(0, 2));
    assert_eq!(asked(&mut sim, 1, tlv(Code::POST, "/30000", &twice)), Code::BAD_REQUEST);
    assert!(sim.model.1.done.is_empty(), "{:?}", sim.model.1.done);
}

#[test]
fn rights_attributes_and_what_is_kept_outlive_a_sleep() {
    let mut sim = two_modules(queueing(shared()));
    let watch = watch(&mut sim, 1, LEVEL);
    let first = crate::terminal::watch(&mut sim, 0, LEVEL);
    assert_eq!(attributes(&mut sim, 1, "/30000/0/0", "st=2"), Code::CHANGED);
    assert!(sim.run_until(secs(1_000), |sim| is_asleep(sim, 1) && is_asleep(sim, 2)), "{}", sim.trace);
    set(&mut sim, 0, 70);
    set(&mut sim, 0, 71);
    sim.sleep(secs(100));
    set(&mut sim, 0, 80);
    sim.sleep(secs(100));
    assert_eq!(sim.client.stored_notifications(), 5);
    wake(&mut sim, 1);
    wake(&mut sim, 2);
    let texts = |watch: &Watch, sim: &Racked| watch.told(sim).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(texts(&first, &sim), ["70", "71", "80"]);
    assert_eq!(texts(&watch, &sim), ["70", "80"]);
    assert_eq!(asked(&mut sim, 1, tlv(Code::PUT, "/30000/0", &Tlv::new().integer(0, 7))), Code::UNAUTHORIZED);
}

#[test]
fn a_sleeping_server_hears_at_once_what_another_created() {
    let mut sim = two_modules(queueing(shared().access(MODULES, MAX_ID, &[(1, Rights::CREATE)])));
    let watch = watch(&mut sim, 1, MODULES);
    sleepers(&mut sim);
    let updates = happened(&sim, Event::Updated { server: 2 });
    assert_eq!(asked(&mut sim, 0, tlv(Code::POST, "/30000", &Tlv::new().integer(0, 9))), Code::CREATED);
    sim.run_for(secs(30));
    assert_eq!(happened(&sim, Event::Updated { server: 2 }), updates + 1, "{}", sim.trace);
    assert!(sim.platform.servers[1].registration().unwrap().lists("/30000/2"));
    // What it may not read has not changed anything for it.
    assert_eq!(watch.told(&sim), [], "{}", sim.trace);
    nobody_complains(&sim);
}

/// A mandatory object of which the application says nothing about deleting.
mod kit {
    use lwm2m_core::{
        Change, Ctx, DataModel, DataType, Leaf, ObjectDef, Operations, Refusal, ResourceDef, Sink, Value,
    };

    pub static KIT: ObjectDef =
        ObjectDef::new(40_000, "Kit", &[ResourceDef::new(0, "Level", Operations::RW, DataType::Integer)]).mandatory();

    #[derive(Clone, Debug)]
    pub struct Kit(pub bool);

    impl DataModel for Kit {
        fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
            after.is_none_or(|after| after < 40_000).then_some(&KIT)
        }
        fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
            (after.is_none() && self.0).then_some(0)
        }
        fn next_resource(&self, _: u16, _: u16, after: Option<u16>) -> Option<u16> {
            after.is_none().then_some(0)
        }
        fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
            Ok(out.value(at, Value::Int(1))?)
        }
        fn check(&self, _: &Ctx, _: &Change<'_>) -> Result<(), Refusal> {
            Ok(())
        }
        fn apply(&mut self, _: &Ctx, change: &Change<'_>) {
            if change.action == lwm2m_core::Action::Delete {
                self.0 = false;
            }
        }
    }
}

#[test]
fn what_no_operation_deletes_goes_with_no_server() {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.server_initiated = true;
    let mut sim = Sim::new(config, (device(), kit::Kit(true)), 1);
    sim.platform.add_server(2, "coap://second.example", 86_400);
    let mut script = sim.platform.bootstrap.commands(&sim.platform.servers);
    script.remove(0);
    let finish = script.pop().unwrap();
    let about = Tlv::new().integer(0, 40_000).integer(1, 0).integer(3, 1);
    script.push(BootstrapCommand::Write { path: Path::instance(2, 10), format: TLV, payload: about.bytes().to_vec() });
    script.push(finish);
    sim.platform.bootstrap.script = Some(script);
    sim.network_up();
    sim.run_for(secs(60));
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::DELETE, "/40000/0")), Code::METHOD_NOT_ALLOWED);
    sim.platform.bootstrap.script =
        Some(vec![BootstrapCommand::Delete(Path::instance(0, 1)), BootstrapCommand::Finish]);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(10));
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [2]);
    assert!(sim.model.1.0, "{}", sim.trace);
}

#[test]
fn a_device_that_owes_an_answer_by_multicast_does_not_rest() {
    let mut sim = two_modules(queueing(shared()));
    assert!(sim.run_until(secs(1_000), |sim| is_asleep(sim, 1) && is_asleep(sim, 2)), "{}", sim.trace);
    let get = datagram(MessageType::NonConfirmable, Code::GET, 1, b"mc", |writer| {
        ["3", "0", "9"].iter().try_for_each(|segment| writer.uri_path(segment))
    });
    sim.forge_multicast(SECOND, &get);
    let due = sim.client.poll_timeout().unwrap();
    let rest = sim.client.rest(sim.now());
    assert!(rest.is_none_or(|rest| rest.from >= due || rest.until == Some(due)), "{rest:?} {due:?}");
}

#[test]
fn nor_one_that_owes_a_late_answer() {
    let mut sim = two_modules(queueing(shared()));
    sim.model.1.later = true;
    let _read = sim.platform.servers[1].read(LEVEL, None);
    sim.run_for(secs(1));
    for _ in 0..300 {
        sim.run_for(secs(1));
        let due = sim.client.poll_timeout().unwrap();
        if sim.client.usage().deferred > 0 {
            let rest = sim.client.rest(sim.now());
            assert!(
                rest.is_none_or(|rest| rest.from >= due || rest.until.is_some_and(|until| until <= due)),
                "{rest:?} {due:?}"
            );
        }
    }
}

#[test]
fn without_any_awake_time_it_sleeps_and_wakes() {
    let mut config = queueing(shared());
    config.registration.awake = Some(secs(0));
    let mut sim = two_modules(config);
    assert!(sim.run_until(secs(100), |sim| is_asleep(sim, 1) && is_asleep(sim, 2)), "{}", sim.trace);
    let until = sim.client.poll_timeout().unwrap();
    assert!(until > sim.now() + secs(1_000));
    sim.run_for(DAY);
    nobody_complains(&sim);
}

#[test]
fn a_right_that_is_lost_between_two_blocks_is_lost_to_the_whole() {
    use coap_codec::BlockValue;
    let mut sim = two_modules(two_servers(1).access(MODULE, 1, &[(2, Rights::WRITE)]));
    let block = |id: u16, num: u32, more: bool, payload: &[u8]| {
        datagram(MessageType::Confirmable, Code::PUT, id, b"b", |writer| {
            ["30000", "0"].iter().try_for_each(|segment| writer.uri_path(segment))?;
            writer.content_format(TLV)?;
            writer.block1(BlockValue::new(num, more, 0).unwrap())?;
            writer.payload(payload)
        })
    };
    let code = |sim: &mut Racked, bytes: &[u8]| {
        let answers = said(sim, SECOND, bytes);
        coap_codec::Message::parse(&answers[0]).unwrap().code()
    };
    let body = Tlv::new().integer(0, 9);
    let mut bytes = body.bytes().to_vec();
    // Padded with a resource that is not known, to be refused or ignored: what counts is the right.
    bytes.extend(Tlv::new().resource(9, &[0; 20]).bytes());
    assert_eq!(code(&mut sim, &block(1, 0, true, &bytes[..16])), Code::CONTINUE);
    grant(&mut sim, 0, 2, 1);
    assert_eq!(code(&mut sim, &block(2, 1, false, &bytes[16..])), Code::UNAUTHORIZED);
    assert!(sim.model.1.done.is_empty());
}

#[test]
fn access_is_said_of_an_object_or_of_an_instance() {
    let mut sim = two_modules(shared());
    let about = lwm2m_core::AccessControl { path: Path::instance(30_000, MAX_ID), owner: 1, acl: vec![] };
    let now = sim.now();
    assert!(sim.client.set_access(now, &about, &mut sim.model).is_err());
}

#[test]
fn an_acl_can_be_emptied() {
    let mut sim = two_modules(shared());
    let path = format!("{}/2", acl_of(0, &mut sim));
    assert_eq!(asked(&mut sim, 1, Ask::new(Code::GET, "/30000/0")), Code::CONTENT);
    assert_eq!(asked(&mut sim, 0, tlv(Code::PUT, &path, &Tlv::new().multiple(2, &[]))), Code::CHANGED);
    assert_eq!(asked(&mut sim, 1, Ask::new(Code::GET, "/30000/0")), Code::UNAUTHORIZED);
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::GET, "/30000/0")), Code::CONTENT);
}

#[test]
fn rights_outlive_a_restart_and_what_is_withheld_a_sleep() {
    let mut sim = two_modules(queueing(shared()));
    let watch = watch(&mut sim, 1, MODULES);
    sleepers(&mut sim);
    set(&mut sim, 0, 77);
    sim.sleep(secs(100));
    // Its session is another one.
    wake(&mut sim, 1);
    let path = acl_of(0, &mut sim);
    let ask = tlv(Code::POST, &path, &Tlv::new().multiple(2, &[(2, &[0])]));
    assert_eq!(asked(&mut sim, 0, ask), Code::CHANGED);
    sim.sleep(secs(100));
    wake(&mut sim, 2);
    let told: Vec<_> = watch.told(&sim).into_iter().map(|(_, text)| text).collect();
    assert_eq!(told, ["0:6"], "{}", sim.trace);
    sim.reboot_from_flash();
    sim.network_up();
    sim.run_for(secs(60));
    assert_eq!(asked(&mut sim, 1, Ask::new(Code::GET, "/30000/0")), Code::UNAUTHORIZED);
    assert_eq!(asked(&mut sim, 1, Ask::new(Code::GET, "/30000/1")), Code::CONTENT);
    assert_eq!(asked(&mut sim, 0, Ask::new(Code::GET, "/30000/0")), Code::CONTENT);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Set(u16),
    Grant(u16, bool),
    GrantLocally(u16, bool),
    Wait(u64),
    MemoryOff(u64),
    Wake,
}

fn step() -> impl proptest::prelude::Strategy<Value = Step> {
    use proptest::prelude::*;
    prop_oneof![
        4 => (0u16..2).prop_map(Step::Set),
        2 => (0u16..2, any::<bool>()).prop_map(|(module, may)| Step::Grant(module, may)),
        1 => (0u16..2, any::<bool>()).prop_map(|(module, may)| Step::GrantLocally(module, may)),
        3 => prop::sample::select(&[1u64, 5, 60, 100][..]).prop_map(Step::Wait),
        1 => (1u64..50).prop_map(Step::MemoryOff),
        2 => Just(Step::Wake),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, ..Default::default() })]
    #[test]
    fn whatever_happens_nothing_is_told_that_may_not_be_read_and_the_last_word_is_true(
        steps in proptest::collection::vec(step(), 1..25), object in proptest::prelude::any::<bool>(),
        attribute in proptest::prelude::any::<bool>(), stored in proptest::sample::select(&[0usize, 20, 1_024][..]),
    ) {
        let mut config = queueing(shared());
        config.limits.deduplication = 2_000;
        config.limits.stored = stored;
        let mut sim = two_modules(config);
        server_mut(&mut sim).awake = DAY;
        let path = if object { MODULES } else { LEVEL };
        if attribute {
            let query = if object { "/30000" } else { "/30000/0/0" };
            assert_eq!(attributes(&mut sim, 1, query, "pmin=10&pmax=50"), Code::CHANGED);
        }
        let watch = watch(&mut sim, 1, path);
        let mut values = vec![(5i64, 0u16), (6, 1)];
        let mut current = [5i64, 6];
        // Since when which right was held.
        let mut rights = vec![(sim.now(), [true; 2])];
        let mut may = [true; 2];
        let mut next = 1_000;
        let acls = [0, 1].map(|module| acl_of(module, &mut sim));
        let all = steps.into_iter().chain([Step::Grant(0, true), Step::Grant(1, true), Step::Wake]);
        for step in all {
            match step {
                Step::Set(module) => {
                    next += 1;
                    values.push((next, module));
                    current[usize::from(module)] = next;
                    sim.model.1.levels.insert(module, next);
                    sim.notify(Path::instance(30_000, module));
                }
                Step::Grant(module, right) => {
                    let ask = tlv(Code::POST, &acls[usize::from(module)], &Tlv::new().multiple(2, &[(2, &[u8::from(right)])]));
                    may[usize::from(module)] = right;
                    let asked = sim.ask(0, |server| server.request(ask));
                    assert_eq!(asked.code(), Some(Code::CHANGED), "{}", sim.trace);
                    rights.push((sim.now(), may));
                }
                Step::GrantLocally(module, right) => {
                    let acl = if right { vec![(2, R)] } else { vec![] };
                    let about = lwm2m_core::AccessControl { path: Path::instance(30_000, module), owner: 1, acl };
                    let now = sim.now();
                    sim.client.set_access(now, &about, &mut sim.model).unwrap();
                    may[usize::from(module)] = right;
                    rights.push((sim.now(), may));
                    sim.run_for(secs(0));
                }
                Step::Wait(seconds) => sim.run_for(secs(seconds)),
                Step::MemoryOff(seconds) => {
                    if is_asleep(&sim, 1) && is_asleep(&sim, 2) {
                        sim.sleep(secs(seconds));
                        sim.update(1).unwrap();
                        sim.run_for(secs(1));
                    }
                }
                Step::Wake => {
                    let _ = sim.update(2);
                    sim.run_for(secs(20));
                }
            }
        }
        sim.run_for(secs(120));
        for (after, text) in watch.told(&sim) {
            let at = watch.since + after;
            // A right may change while a request is on its way: one second is not judged.
            let held: Vec<_> = (0..2).map(|module| {
                let before = rights.iter().rev().find(|(since, _)| *since + secs(1) <= at).is_none_or(|(_, may)| may[module]);
                let within = rights.iter().filter(|(since, _)| *since <= at + secs(1) && at <= *since + secs(1)).any(|(_, may)| may[module]);
                before || within
            }).collect();
            for (value, module) in &values {
                let shown = text.split([' ', ':']).any(|word| word == value.to_string());
                assert!(!shown || held[usize::from(*module)], "{text} at {at}\n{}", sim.trace);
            }
        }
        let expected = if object { format!("0:{} 0:{}", current[0], current[1]) } else { current[0].to_string() };
        let told = watch.told(&sim);
        let last = told.last().map(|(_, text)| text.clone());
        let unchanged = if object { current == [5, 6] } else { current[0] == 5 };
        assert!(last.as_ref() == Some(&expected) || (unchanged && last.is_none()), "{last:?} {expected}\n{}", sim.trace);
        nobody_complains(&sim);
    }
}
