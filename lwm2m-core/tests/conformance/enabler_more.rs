//! OMA enabler tests for a life with one server or two: bootstraps, registrations, updates.

use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{BootstrapCommand, Order, Sim, Status, Tlv, What, WriteMode};
use lwm2m_core::{Client, Config, Credentials, Event, Instant, Key, Output, Path, Reason, Security};

use crate::commands::{
    ACCOUNT, TERMS, URI, bootstrap_security, bootstrapped_by, codes, delete, security, terms, texts, write,
};
use crate::terminal::*;

const DISABLE: Path = Path::resource(1, 0, 4);
const TRIGGER: Path = Path::resource(1, 0, 8);
const UPDATED: Event = Event::Updated { server: 1 };

#[test]
fn int_102_a_new_lifetime_is_told_and_kept() {
    let mut sim = registered(1);
    let location = location_of(&sim);
    let lifetime = Path::resource(1, 0, 1);
    let written = sim.ask(0, |server| server.write(lifetime, ContentFormat::TEXT_PLAIN, b"20", WriteMode::Replace));
    assert_eq!(written.code(), Some(Code::CHANGED));
    sim.run_for(secs(1));
    let (update, answer) = exchanged(&sim, Code::POST, &location);
    assert_eq!((update.query(), answer.code()), (vec!["lt=20".to_string()], Code::CHANGED));
    assert!(update.message().payload().is_empty());
    sim.run_for(secs(20));
    let further = &requests(&sim, Code::POST, &location)[1];
    assert!(between(update.at, further.at) < secs(20), "{}", sim.trace);
    assert!(further.query().is_empty() && further.message().payload().is_empty());
    assert_eq!(statuses(&sim), [Status::Registered]);
    nobody_complains(&sim);
}

#[test]
fn int_103_disable_de_registers_until_the_timeout() {
    let mut sim = terminal(1);
    server_mut(&mut sim).disable_timeout = Some(300);
    sim.network_up();
    sim.run_for(secs(1));
    let location = location_of(&sim);
    assert_eq!(sim.ask(0, |server| server.execute(DISABLE, "")).code(), Some(Code::CHANGED));
    sim.run_for(secs(1));
    let (leaving, answer) = exchanged(&sim, Code::DELETE, &location);
    assert_eq!((leaving.kind(), answer.code()), (MessageType::Confirmable, Code::DELETED));
    assert_eq!(server(&sim).registration(), None);
    assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1);
    sim.run_for(secs(300));
    let registers = requests(&sim, Code::POST, "/rd");
    assert_eq!(registers.len(), 2, "{}", sim.trace);
    let away = between(leaving.at, registers[1].at);
    assert!((secs(300)..=secs(301)).contains(&away), "{away:?}");
    assert_eq!(statuses(&sim), [Status::Registered, Status::Deregistered, Status::Registered]);
    nobody_complains(&sim);
}

#[test]
fn int_104_the_trigger_has_the_registration_updated() {
    let mut sim = living_for(1, 20);
    let register = refreshes(&sim)[0].at;
    sim.run_for(secs(5));
    assert_eq!(sim.ask(0, |server| server.execute(TRIGGER, "")).code(), Some(Code::CHANGED));
    sim.run_for(secs(1));
    let (update, answer) = exchanged(&sim, Code::POST, &location_of(&sim));
    assert_eq!(answer.code(), Code::CHANGED);
    assert!(update.query().is_empty() && update.message().payload().is_empty());
    // The network does not let the next one through in time: it is this Update that counts.
    sim.network.cut();
    sim.run_for(secs(16));
    assert!(between(register, sim.now()) > secs(20));
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
    assert!(sim.client.is_registered(sim.now(), 1));
    assert_eq!((server(&sim).registers_seen(), happened(&sim, UPDATED)), (1, 1));
}

#[test]
fn int_105_a_registration_that_is_forgotten_is_made_anew() {
    let mut sim = registered(1);
    let old = location_of(&sim);
    server_mut(&mut sim).restart();
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    let (update, answer) = exchanged(&sim, Code::POST, &old);
    assert_eq!(answer.code(), Code::NOT_FOUND);
    assert_eq!(happened(&sim, Event::UpdateFailed { server: 1, reason: Reason::Code(Code::NOT_FOUND) }), 1);
    let [first, second] = &*requests(&sim, Code::POST, "/rd") else { panic!("two Registers\n{}", sim.trace) };
    assert!(second.at > update.at && between(answer.at, second.at) < secs(1), "at once\n{}", sim.trace);
    assert_eq!((first.query(), first.message().payload()), (second.query(), second.message().payload()));
    assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 2);
    // It is the new location that counts.
    assert_ne!(location_of(&sim), old);
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    let (_, answer) = exchanged(&sim, Code::POST, &location_of(&sim));
    assert_eq!((answer.code(), happened(&sim, UPDATED)), (Code::CHANGED, 1), "{}", sim.trace);
    assert!(server(&sim).registration().is_some());
    nobody_complains(&sim);
}

#[test]
fn int_107_a_registration_is_extended_again_and_again() {
    for seed in 0..5 {
        let mut sim = living_for(seed, 20);
        sim.run_for(DAY / 24);
        let refreshes = refreshes(&sim);
        assert!((180..=361).contains(&refreshes.len()), "seed {seed}: {}", refreshes.len());
        assert!(refreshes.windows(2).all(|pair| between(pair[0].at, pair[1].at) < secs(20)), "{}", sim.trace);
        let location = location_of(&sim);
        let empty = |sent: &Sent| sent.path() == location && sent.after_token() == refreshes[1].after_token();
        assert!(refreshes[1..].iter().all(empty), "{}", sim.trace);
        assert!(refreshes[1].query().is_empty() && refreshes[1].message().payload().is_empty());
        assert_eq!(statuses(&sim), [Status::Registered], "seed {seed}");
        nobody_complains(&sim);
    }
}

#[test]
fn int_950_two_servers_each_with_its_own_lifetime() {
    let config = dm(1).server(1, "coap://dm.example", Credentials::NoSec, 86_400);
    let config = config.server(102, "coap://second.example", Credentials::NoSec, 3_600);
    let mut sim = Sim::new(config, device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    let registers = requests(&sim, Code::POST, "/rd");
    for (host, server, lifetime) in [(DM, 1, 86_400), (SECOND, 102, 3_600)] {
        let own: Vec<_> = registers.iter().filter(|register| register.host == host).collect();
        let [register] = &*own else { panic!("one Register to {host}\n{}", sim.trace) };
        assert!(register.query().contains(&format!("lt={lifetime}")), "{:?}", register.query());
        assert_eq!(register.message().payload(), b"</>;ct=11543,</1/0>,</1/1>,</2>,</3/0>");
        let created = heard(&sim).into_iter().find(|answer| answer.host == host).expect("an answer");
        assert_eq!((created.code(), created.token()), (Code::CREATED, register.token()));
        assert_eq!(happened(&sim, Event::Registered { server, lifetime }), 1);
    }
    sim.run_for(DAY);
    let [long, short] = &*sim.platform.servers else { panic!("two servers") };
    assert_eq!((long.updates_seen(), long.registers_seen(), short.registers_seen()), (1, 1, 1), "{}", sim.trace);
    assert!((24..=50).contains(&short.updates_seen()), "{}", short.updates_seen());
    let stays =
        |server: &lwm2m_core::sim::DmServer| server.history().iter().all(|change| change.status == Status::Registered);
    assert!(stays(long) && stays(short), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn int_1_client_initiated_bootstrap_over_psk() {
    let psk = || Credentials::Psk { identity: b"me".to_vec(), key: b"key".to_vec() };
    let mut sim = Sim::new(dm(1).bootstrap_server("coaps://bs.example", psk()), device(), 1);
    sim.platform.bootstrap.script = Some(vec![
        write(Path::object(0), &Tlv::new().instance(1, &security(URI, 1))),
        write(Path::object(1), &Tlv::new().instance(0, &terms(1, 86_400))),
        BootstrapCommand::Discover(Path::ROOT),
        BootstrapCommand::Finish,
    ]);
    sim.network_up();
    sim.run_for(secs(1));
    let (request, answer) = exchanged(&sim, Code::POST, "/bs");
    assert_eq!(
        (&*request.host, request.query(), answer.code()),
        (SECURE_BS, vec![format!("ep={NAME}")], Code::CHANGED)
    );
    assert_eq!(codes(&sim), [Code::CHANGED, Code::CHANGED, Code::CONTENT, Code::CHANGED]);
    assert_eq!(texts(&sim)[2], r#"lwm2m="1.0",</0/0>,</0/1>;ssid=1,</1/0>;ssid=1,</3/0>"#);
    assert_eq!(happened(&sim, Event::BootstrapFinished), 1);
    let (register, created) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!((&*register.host, created.code()), (DM, Code::CREATED));
    // The handshake is the runtime's; the client says with whom, and when it is over.
    let place = |wanted: &dyn Fn(&What) -> bool| sim.trace.entries.iter().position(|entry| wanted(&entry.what));
    let opened = place(&|what| matches!(what, What::Order(Order::Connect { uri, .. }) if uri == "coaps://bs.example"));
    let closed = place(&|what| matches!(what, What::Order(Order::Disconnect { .. })));
    let registered = place(&|what| matches!(what, What::Datagram { bytes, .. } if *bytes == register.bytes));
    assert!(opened.is_some() && opened < closed && closed < registered, "{}", sim.trace);
    // Nothing goes there afterwards.
    let after = sim.trace.entries.iter().skip(closed.unwrap());
    let to_bootstrap = |entry: &&lwm2m_core::sim::Entry| matches!(&entry.what, What::Datagram { host, dir: lwm2m_core::sim::Direction::ToServer, .. } if **host == *SECURE_BS);
    assert_eq!(after.filter(to_bootstrap).count(), 0, "{}", sim.trace);
    nobody_complains(&sim);
}

const SECURE_BS: &str = "bs.example:5684";

#[test]
fn int_4_a_bootstrap_that_deletes_everything_first() {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let config = config.server(9, "coap://old.example", Credentials::NoSec, 60);
    let mut sim = Sim::new(config, device(), 1);
    sim.platform.add_server(1, URI, 86_400);
    sim.platform.bootstrap.script = Some(vec![
        BootstrapCommand::Discover(Path::ROOT),
        delete(Path::ROOT),
        BootstrapCommand::Discover(Path::ROOT),
        write(ACCOUNT, &security(URI, 1)),
        write(TERMS, &terms(1, 86_400)),
        BootstrapCommand::Finish,
    ]);
    sim.network_up();
    sim.run_for(secs(1));
    let (changed, content) = (Code::CHANGED, Code::CONTENT);
    assert_eq!(codes(&sim), [content, Code::DELETED, content, changed, changed, changed], "{}", sim.trace);
    assert_eq!(texts(&sim)[0], r#"lwm2m="1.0",</0/0>,</0/1>;ssid=9,</1/1>;ssid=9,</3/0>"#);
    assert_eq!(texts(&sim)[2], r#"lwm2m="1.0",</0/0>,</1>,</3/0>"#);
    let (register, created) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!((&*register.host, created.code()), (DM, Code::CREATED));
    assert_eq!(news(&sim).last(), Some(&Event::Registered { server: 1, lifetime: 86_400 }));
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [1]);
    sim.run_for(DAY);
    assert!(sent(&sim).iter().all(|sent| sent.host != "old.example:5683"), "{}", sim.trace);
}

#[test]
fn int_6_without_the_profile_an_account_is_registered_with_at_once() {
    let bootstrap = Config::new(NAME, Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
    for (config, hosts) in
        [(bootstrap.clone().server(1, URI, Credentials::NoSec, 86_400), &[DM][..]), (bootstrap, &[BS, DM])]
    {
        let mut sim = Sim::new(config, device(), 1);
        let start = sim.now();
        sim.network_up();
        sim.run_for(secs(1));
        let asked = own_requests(&sim);
        assert!(asked.iter().map(|own| &*own.host).eq(hosts.iter().copied()), "{}", sim.trace);
        let first = if hosts.len() == 1 { "/rd" } else { "/bs" };
        assert_eq!((asked[0].path(), asked[0].at), (first.to_string(), start), "{}", sim.trace);
        assert_eq!(sim.platform.bootstrap.finished(), hosts.len() - 1);
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 1, "{}", sim.trace);
        assert_eq!(server(&sim).registrations().len(), 1);
    }
}

#[test]
fn int_7_when_all_servers_are_out_of_reach_the_bootstrap_server_is_asked() {
    let failed = |server| Event::RegistrationFailed { server, reason: Reason::TimedOut };
    let config = Config::new(NAME, Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let config = config.server(1, URI, Credentials::NoSec, 86_400);
    let config = config.server(2, "coap://second.example", Credentials::NoSec, 86_400);
    let asked = |sim: &Sim<Device>| requests(sim, Code::POST, "/bs");

    let mut sim = Sim::new(config.clone(), device(), 1);
    sim.platform.servers.iter_mut().for_each(lwm2m_core::sim::DmServer::go_down);
    sim.network_up();
    assert!(sim.run_until(DAY, |sim| !asked(sim).is_empty()), "{}", sim.trace);
    let tries = [1, 2].map(|server| times(&sim, failed(server)));
    // Five times each, as the configuration has it, and then at once.
    assert!(tries.iter().all(|tries| tries.len() >= 5), "{tries:?}");
    let last = tries.iter().map(|tries| tries[4]).max().unwrap();
    assert!(between(last, asked(&sim)[0].at) <= secs(1), "{}", sim.trace);
    assert_eq!(happened(&sim, Event::BootstrapStarted), 1);
    // Its answer brings them back.
    sim.platform.servers.iter_mut().for_each(lwm2m_core::sim::DmServer::come_up);
    sim.run_for(secs(5));
    let online = |server: &lwm2m_core::sim::DmServer| server.registration().is_some();
    assert!(sim.platform.servers.iter().all(online), "{}", sim.trace);

    // One that is there is enough.
    let mut sim = Sim::new(config, device(), 1);
    server_mut(&mut sim).go_down();
    sim.network_up();
    sim.run_for(3 * DAY);
    assert!(happened(&sim, failed(1)) > 5 && asked(&sim).is_empty(), "{}", sim.trace);
}

#[test]
fn int_9_a_wrong_configuration_is_refused_at_finish_and_can_be_repaired() {
    for (wrong, what) in [
        (vec![write(ACCOUNT, &security(URI, 1))], "no Server"),
        (vec![write(TERMS, &terms(1, 86_400))], "no Security"),
        (vec![write(ACCOUNT, &security(URI, 1)), write(TERMS, &terms(2, 86_400))], "no pair"),
        (vec![write(ACCOUNT, &security("http://dm.example", 1)), write(TERMS, &terms(1, 86_400))], "no URI"),
        (vec![write(ACCOUNT, &bootstrap_security("coap://b.example")), write(TERMS, &terms(1, 60))], "two of them"),
    ] {
        let count = wrong.len();
        let repair = [
            BootstrapCommand::Finish,
            BootstrapCommand::Pause(secs(5)),
            write(ACCOUNT, &security(URI, 1)),
            write(TERMS, &terms(1, 86_400)),
            BootstrapCommand::Finish,
        ];
        let mut sim = bootstrapped_by(wrong.into_iter().chain(repair).collect());
        assert_eq!(codes(&sim)[count..], [Code::NOT_ACCEPTABLE], "{what}\n{}", sim.trace);
        assert!(requests(&sim, Code::POST, "/rd").is_empty(), "{what}");
        assert_eq!(happened(&sim, Event::BootstrapFinished), 0, "{what}");
        sim.run_for(secs(10));
        assert_eq!(codes(&sim)[count + 1..], [Code::CHANGED; 3], "{what}\n{}", sim.trace);
        assert_eq!(happened(&sim, Event::BootstrapFinished), 1, "{what}");
        let (register, created) = exchanged(&sim, Code::POST, "/rd");
        assert_eq!((&*register.host, created.code()), (DM, Code::CREATED), "{what}");
        assert_eq!(requests(&sim, Code::POST, "/bs").len(), 1, "{what}: one bootstrap");
    }
}

/// DTLS itself is the runtime's: the client says with whom and with which key, and the same life goes on in
/// the session that it is given.
#[test]
fn int_401_a_registered_life_over_psk() {
    let (identity, key) = (b"me".to_vec(), b"0123456789abcdef".to_vec());
    let psk = Credentials::Psk { identity: identity.clone(), key: key.clone() };
    let config = dm(1).server(1, "coaps://dm.example", psk, 86_400);

    let mut client = Client::new(config.clone(), Instant::ZERO).unwrap();
    client.network_up(Instant::ZERO);
    let Some(Output::Connect { peer, uri, security }) = client.poll_output() else { panic!("a session first") };
    assert_eq!((uri.to_string(), uri.port()), ("coaps://dm.example".to_string(), 5684));
    assert_eq!(security, Security::Psk { identity: &identity, key: &key });
    assert!(client.poll_output().is_none(), "nothing before the handshake");
    // Without a handshake there is nothing at all.
    client.connection_failed(Instant::from_secs(1), peer);
    assert_eq!(client.poll_output(), None);
    assert!(!client.is_registered(Instant::from_secs(1), 1));

    let mut sim = online(config, device());
    let (register, created) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!((&*register.host, created.code()), (SECURE_DM, Code::CREATED));
    let tlv = Some(ContentFormat::LWM2M_TLV);
    let read = sim.ask(0, |server| server.read(Path::instance(3, 0), tlv)).response().clone();
    assert_eq!((read.code, read.format), (Code::CONTENT, tlv));
    assert!(read.tlv().expect("TLV").iter().any(|node| node.id() == 9 && node.integer() == Some(80)));
    sim.shutdown();
    sim.run_for(secs(5));
    assert_eq!(server(&sim).deregisters_seen(), 1);
    // All of it in that one session, and the key in none of its datagrams.
    let sent = sent(&sim);
    assert!(sent.iter().all(|sent| sent.host == SECURE_DM), "{}", sim.trace);
    assert!(sent.iter().all(|sent| !sent.bytes.windows(key.len()).any(|window| window == key)), "{}", sim.trace);
    nobody_complains(&sim);
}

const SECURE_DM: &str = "dm.example:5684";
