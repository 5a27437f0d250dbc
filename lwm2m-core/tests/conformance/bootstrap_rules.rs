//! XB: what a bootstrap server may command, and what the client makes of it (OMA LwM2M 1.0, 5.2).

use coap_codec::{Code, ContentFormat};
use lwm2m_core::sim::{Ask, BootstrapCommand, NoAnswer, Sim, Tlv};
use lwm2m_core::{Credentials, Diagnostic, Event, Inconsistency, Path, Reason};

use crate::commands::*;
use crate::terminal::*;

const FINISH: BootstrapCommand = BootstrapCommand::Finish;

fn discover(path: &str) -> BootstrapCommand {
    let accept = Some(ContentFormat::LINK_FORMAT);
    BootstrapCommand::Ask(Ask { accept, ..Ask::new(Code::GET, path) })
}

/// A complete account, without Finish.
fn account() -> Vec<BootstrapCommand> {
    vec![write(ACCOUNT, &security(URI, 1)), write(TERMS, &terms(1, 86_400))]
}

#[test]
fn xb_01_deleting_an_object_spares_the_bootstrap_account() {
    let mut script = account();
    let said = Tlv::new().integer(0, 3).integer(1, 0).integer(3, 1);
    script.push(write(Path::instance(2, 0), &said));
    script.extend([0, 1, 2].map(|object| delete(Path::object(object))));
    script.push(discover("/"));
    let sim = bootstrapped_by(script);
    assert_eq!(codes(&sim)[2..6], [Code::CHANGED, Code::DELETED, Code::DELETED, Code::DELETED]);
    assert_eq!(texts(&sim)[6], r#"lwm2m="1.0",</0/0>,</1>,</3/0>"#);
}

#[test]
fn xb_02_what_must_stay_or_is_not_there_cannot_be_deleted() {
    let mut script = account();
    script.extend([
        delete(Path::instance(0, 0)),
        delete(Path::instance(3, 0)),
        delete(Path::resource(1, 0, 1)),
        delete(Path::instance(1, 7)),
        delete(Path::object(99)),
        discover("/"),
    ]);
    let sim = bootstrapped_by(script);
    assert_eq!(codes(&sim)[2..7], [Code::BAD_REQUEST; 5]);
    assert_eq!(texts(&sim)[7], r#"lwm2m="1.0",</0/0>,</0/1>;ssid=1,</1/0>;ssid=1,</3/0>"#, "nothing is gone");
}

#[test]
fn xb_03_two_accounts_may_come_in_one_write() {
    let securities = Tlv::new().instance(1, &security(URI, 1)).instance(2, &security("coap://b.example", 2));
    let both = Tlv::new().instance(0, &terms(1, 600)).instance(1, &terms(2, 700));
    let mut sim = terminal(1);
    sim.platform.add_server(2, "coap://b.example", 700);
    sim.platform.bootstrap.script =
        Some(vec![write(Path::object(0), &securities), write(Path::object(1), &both), FINISH]);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(codes(&sim), [Code::CHANGED; 3]);
    let lifetimes = sim.platform.servers.iter().map(|server| server.registration().map(|known| known.lifetime));
    assert_eq!(lifetimes.collect::<Vec<_>>(), [Some(600), Some(700)]);
}

#[test]
fn xb_04_what_servers_may_only_read_is_writable() {
    let mut script = account();
    script.insert(1, write_text(Path::resource(1, 0, 0), "1"));
    script[2] = write(TERMS, &Tlv::new().integer(0, 9).integer(1, 60).boolean(6, true).text(7, "U"));
    script.extend([write_text(Path::resource(1, 0, 0), "1"), FINISH]);
    let sim = bootstrapped_by(script);
    assert_eq!(codes(&sim), [Code::CHANGED; 5]);
    assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 60 }), 1);
}

#[test]
fn xb_05_a_bad_write_changes_nothing() {
    let bytes = |path, payload: &[u8]| BootstrapCommand::Write {
        path,
        format: ContentFormat::LWM2M_TLV,
        payload: payload.to_vec(),
    };
    for (bad, what) in [
        (bytes(TERMS, b"\xc1\x01"), "TLV cut short"),
        (bytes(TERMS, b"\xc1\x01\x05\xff"), "rubbish behind a good value"),
        (write(TERMS, &terms(1, 5).resource(2, b"abc")), "an Integer of three bytes"),
        (write(TERMS, &terms(1, 5).boolean(6, true).resource(6, &[2])), "a Boolean of 2"),
        (write(TERMS, &terms(70_000, 5)), "a Short Server ID beyond 65535"),
        (write(ACCOUNT, &security(&"u".repeat(256), 1)), "a URI of 256 bytes"),
        (write_text(Path::resource(1, 0, 1), "soon"), "text that is no number"),
        (write(Path::object(1), &Tlv::new().instance(0, &terms(1, 5)).instance(1, &terms(0, 5))), "the second is bad"),
        (write(Path::object(1), &terms(1, 5)), "an object without its instances"),
        (write(Path::instance(3, 1), &Tlv::new()), "a second Device"),
    ] {
        let mut script = account();
        script.extend([bad, discover("/1"), FINISH]);
        let sim = bootstrapped_by(script);
        assert_eq!(codes(&sim)[2], Code::BAD_REQUEST, "{what}");
        assert_eq!(texts(&sim)[3], r#"lwm2m="1.0",</1/0>;ssid=1"#, "{what}");
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 1, "{what}\n{}", sim.trace);
    }
}

#[test]
fn xb_06_a_format_that_is_not_supported_is_refused() {
    let with = |format| BootstrapCommand::Write { path: TERMS, format, payload: b"{}".to_vec() };
    let sim = bootstrapped_by(vec![
        with(ContentFormat::CBOR),
        with(ContentFormat::LINK_FORMAT),
        with(ContentFormat(65_000)),
        discover("/1"),
    ]);
    assert_eq!(codes(&sim)[..3], [Code::UNSUPPORTED_CONTENT_FORMAT; 3]);
    assert_eq!(texts(&sim)[3], r#"lwm2m="1.0",</1>"#);
}

#[test]
fn xb_07_an_object_that_is_not_supported_is_refused() {
    let sim = bootstrapped_by(vec![
        write(Path::instance(99, 0), &Tlv::new().integer(0, 1)),
        write(Path::object(99), &Tlv::new().instance(0, &Tlv::new().integer(0, 1))),
        write_text(Path::resource(99, 0, 0), "1"),
    ]);
    assert_eq!(codes(&sim), [Code::BAD_REQUEST; 3]);
}

#[test]
fn xb_08_an_optional_resource_that_is_not_supported_is_ignored() {
    let from_a_later_version = terms(1, 86_400).text(9, "?").integer(23, 1).integer(60_000, 7);
    let sim = bootstrapped_by(vec![
        write(ACCOUNT, &security(URI, 1).integer(17, 1)),
        write(TERMS, &from_a_later_version),
        FINISH,
    ]);
    assert_eq!(codes(&sim), [Code::CHANGED; 3]);
    assert!(server(&sim).registration().is_some());
}

#[test]
fn xb_09_nobody_reads_a_key() {
    let key = b"\xde\xad\xbe\xef\xde\xad\xbe\xef";
    let secured = Tlv::new()
        .text(0, "coaps://dm.example")
        .boolean(1, false)
        .integer(2, 0)
        .resource(3, b"identity")
        .resource(4, &[])
        .resource(5, key)
        .integer(10, 1);
    let sim = bootstrapped_by(vec![
        write(ACCOUNT, &secured),
        read("/0/1"),
        read("/0/1/5"),
        read("/0"),
        read("/1/0"),
        read("/"),
        discover("/0"),
    ]);
    assert_eq!(codes(&sim)[1..6], [Code::METHOD_NOT_ALLOWED; 5]);
    for sent in sent(&sim) {
        assert!(!sent.bytes.windows(key.len()).any(|bytes| bytes == key), "{}", sim.trace);
    }
}

#[test]
fn xb_10_discover_tells_accounts_by_their_short_server_ids() {
    let mut script = account();
    script.extend(["/", "/0", "/1", "/3", "/99", "/1/0", "/1/0/1"].map(discover));
    let mut sim = bootstrapped_by(script);
    let codes = codes(&sim);
    assert_eq!(codes[2..6], [Code::CONTENT; 4]);
    assert_eq!(codes[6..9], [Code::NOT_FOUND, Code::BAD_REQUEST, Code::BAD_REQUEST]);
    assert_eq!(
        texts(&sim)[2..6],
        [
            r#"lwm2m="1.0",</0/0>,</0/1>;ssid=1,</1/0>;ssid=1,</3/0>"#,
            r#"lwm2m="1.0",</0/0>,</0/1>;ssid=1"#,
            r#"lwm2m="1.0",</1/0>;ssid=1"#,
            r#"lwm2m="1.0",</3/0>"#,
        ]
    );
    let formats = sim.platform.bootstrap.answers()[2..6].iter().map(|answer| answer.result.as_ref().unwrap().format);
    assert!(formats.into_iter().all(|format| format == Some(ContentFormat::LINK_FORMAT)));
    sim.run_for(secs(250));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Abandoned }), 1, "Discover is a command too");
}

#[test]
fn xb_11_a_finish_with_faulty_accounts_is_refused_until_they_are_repaired() {
    let second =
        |security: Tlv, terms: Tlv| vec![write(Path::instance(0, 2), &security), write(Path::instance(1, 1), &terms)];
    let replaced = |security: Tlv, terms: Tlv| vec![write(ACCOUNT, &security), write(TERMS, &terms)];
    let cases = [
        (replaced(security(URI, 2), terms(1, 60)), Inconsistency::Unpaired),
        (vec![write(ACCOUNT, &security(URI, 1))], Inconsistency::Unpaired),
        (vec![write(TERMS, &terms(1, 60))], Inconsistency::NoServerAccount),
        ([account(), second(security("coap://b.example", 1), terms(1, 60))].concat(), Inconsistency::ShortServerId),
        (
            [account(), vec![write(Path::instance(0, 2), &security("coap://b.example", 1))]].concat(),
            Inconsistency::Unpaired,
        ),
        (
            [account(), vec![write(Path::instance(0, 2), &bootstrap_security("coap://c.example"))]].concat(),
            Inconsistency::TwoBootstrapServers,
        ),
        (replaced(security("coaps://dm.example", 1), terms(1, 60)), Inconsistency::Mode),
        (replaced(security("http://dm.example", 1), terms(1, 60)), Inconsistency::Uri),
        (replaced(security("coap://", 1), terms(1, 60)), Inconsistency::Uri),
        (replaced(Tlv::new().text(0, URI).boolean(1, false).integer(10, 1), terms(1, 60)), Inconsistency::Incomplete),
        (replaced(security(URI, 1), Tlv::new().integer(0, 1).integer(1, 60).text(7, "U")), Inconsistency::Incomplete),
        (replaced(security(URI, 1), Tlv::new().integer(0, 1).integer(1, 60).boolean(6, true)), Inconsistency::Binding),
        (
            replaced(security(URI, 1), Tlv::new().integer(0, 1).integer(1, 60).boolean(6, true).text(7, "UQS")),
            Inconsistency::Binding,
        ),
    ];
    for (faulty, why) in cases {
        let writes = faulty.len();
        let repair = [vec![delete(Path::object(0)), delete(Path::object(1))], account()].concat();
        let mut script = [faulty.clone(), vec![FINISH], repair].concat();
        // A second bootstrap account is spared by a Delete of all: it is turned into the server's.
        if why == Inconsistency::TwoBootstrapServers {
            script.push(write(Path::instance(0, 2), &security("coap://b.example", 2)));
            script.push(write(Path::instance(1, 1), &terms(2, 60)));
        }
        script.push(FINISH);
        let mut sim = terminal(1);
        sim.platform.add_server(2, "coap://b.example", 60);
        sim.platform.bootstrap.script = Some(script);
        sim.platform.bootstrap.persists = true;
        sim.network_up();
        sim.run_for(secs(2));
        let codes = codes(&sim);
        assert_eq!(codes[..writes], vec![Code::CHANGED; writes], "{why}: the Writes themselves are fine");
        assert_eq!((codes[writes], codes.last()), (Code::NOT_ACCEPTABLE, Some(&Code::CHANGED)), "{why}: {faulty:?}");
        assert_eq!(happened(&sim, Event::Diagnostic(Diagnostic::Inconsistent(why))), 1, "{why}\n{}", sim.trace);
        assert!(server(&sim).registration().is_some(), "{why}: repaired\n{}", sim.trace);
    }
}

#[test]
fn xb_10_discover_tells_the_version_of_an_object_that_has_another() {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, (device(), Gauge(1.0)), 1);
    sim.platform.bootstrap.script = Some(vec![discover("/"), discover("/30001")]);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(
        texts(&sim),
        [
            r#"lwm2m="1.0",</0/0>,</1>,</3/0>,</30001>;ver="2.2",</30001/0>"#,
            r#"lwm2m="1.0",</30001>;ver="2.2",</30001/0>"#
        ]
    );
}

#[test]
fn xb_11_short_server_ids_that_nobody_may_have_are_refused_at_once() {
    for id in [0, 65_535, 65_536] {
        let sim = bootstrapped_by(vec![write(TERMS, &terms(id, 60)), write(ACCOUNT, &security(URI, id)), FINISH]);
        let codes = codes(&sim);
        assert_eq!((codes[0], codes[2]), (Code::BAD_REQUEST, Code::NOT_ACCEPTABLE), "{id}");
    }
}

#[test]
fn xb_11_a_missing_lifetime_is_a_fault_only_without_the_profile() {
    let terms = Tlv::new().integer(0, 1).boolean(6, true).text(7, "U");
    let script = vec![write(ACCOUNT, &security(URI, 1)), write(TERMS, &terms), FINISH];
    assert_eq!(codes(&bootstrapped_by(script.clone()))[2], Code::CHANGED);
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.at_every_start = false;
    let sim = configured_and_bootstrapped_by(config, script);
    assert_eq!(codes(&sim)[2], Code::NOT_ACCEPTABLE);
    assert_eq!(happened(&sim, Event::Diagnostic(Diagnostic::Inconsistent(Inconsistency::Lifetime))), 1);
}

/// A terminal whose bootstrap server may begin by itself, registered.
fn open_to_its_bootstrap_server() -> Sim<lwm2m_core::objects::Device> {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.server_initiated = true;
    let mut sim = Sim::new(config, device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    assert!(server(&sim).registration().is_some());
    sim
}

#[test]
fn xb_12_bootstrap_commands_out_of_place_are_refused() {
    let mut sim = open_to_its_bootstrap_server();
    sim.platform.bootstrap.script = Some(vec![FINISH]);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(1));
    assert_eq!(codes(&sim).last(), Some(&Code::METHOD_NOT_ALLOWED), "there is nothing to finish");
    assert_eq!(happened(&sim, Event::BootstrapFinished), 1);

    // From a server they are what they would be as Device Management.
    let tlv = |path: &str| Ask {
        format: Some(ContentFormat::LWM2M_TLV),
        payload: terms(1, 60).bytes().to_vec(),
        ..Ask::new(Code::PUT, path)
    };
    for (ask, code) in [
        (Ask::new(Code::POST, "/bs"), Code::METHOD_NOT_ALLOWED),
        (Ask::new(Code::DELETE, "/"), Code::METHOD_NOT_ALLOWED),
        (Ask::new(Code::DELETE, "/1"), Code::METHOD_NOT_ALLOWED),
        (Ask::new(Code::DELETE, "/0/1"), Code::UNAUTHORIZED),
        (tlv("/0/1"), Code::UNAUTHORIZED),
        (tlv("/1/0"), Code::METHOD_NOT_ALLOWED),
        (tlv("/1"), Code::METHOD_NOT_ALLOWED),
        (Ask { accept: Some(ContentFormat::LINK_FORMAT), ..Ask::new(Code::GET, "/") }, Code::METHOD_NOT_ALLOWED),
        (Ask { accept: Some(ContentFormat::LINK_FORMAT), ..Ask::new(Code::GET, "/0") }, Code::UNAUTHORIZED),
    ] {
        let answer = sim.ask(0, |server| server.request(ask.clone()));
        assert_eq!(answer.code(), Some(code), "{ask:?}");
    }
}

#[test]
fn xb_13_servers_are_not_heard_while_a_bootstrap_goes_on() {
    let mut sim = open_to_its_bootstrap_server();
    let pause = BootstrapCommand::Pause(secs(30));
    let mut script = account();
    script.insert(0, write_text(Path::resource(1, 0, 1), "60"));
    script.insert(1, pause);
    script.push(FINISH);
    sim.platform.bootstrap.script = Some(script);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(1));
    let before = sent(&sim).len();
    let read = server_mut(&mut sim).read(BATTERY, None);
    sim.run_for(secs(20));
    assert_eq!(sent(&sim).len(), before, "no answer at all\n{}", sim.trace);
    sim.run_for(secs(40));
    assert_eq!(happened(&sim, Event::BootstrapFinished), 2);
    // The new registration took the place of the old one, and of what was asked in it.
    let answer = server(&sim).answer(read).expect("an outcome");
    assert_eq!(answer.result.as_ref().err(), Some(&NoAnswer::Offline));
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

#[test]
fn xb_14_a_server_that_is_removed_is_forgotten_and_the_other_registered() {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.server_initiated = true;
    let mut sim = Sim::new(config, device(), 1);
    sim.platform.add_server(2, "coap://b.example", 86_400);
    sim.platform.bootstrap.shares.push(Path::instance(1, 0));
    sim.network_up();
    sim.run_for(secs(1));
    let observations = [0, 1].map(|server| sim.platform.servers[server].observe(BATTERY, None));
    sim.run_for(secs(1));
    for (server, query) in [(0, "pmin=7&lt=3"), (1, "pmax=0&gt=5")] {
        assert_eq!(attributes(&mut sim, server, "/3/0/9", query), Code::CHANGED);
    }
    // A bootstrap that comes to nothing takes nothing away.
    assert_eq!(attributes(&mut sim, 1, "/1/0", "pmin=1"), Code::CHANGED);
    sim.platform.bootstrap.script = Some(vec![delete(Path::ROOT)]);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(300));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Abandoned }), 1);
    assert_eq!([0, 1].map(|server| set_at(&mut sim, server, BATTERY)), ["lt=3;pmin=7", "gt=5;pmax=0"]);
    assert_eq!(set_at(&mut sim, 1, TERMS), "pmin=1");
    sim.platform.bootstrap.script = Some(vec![delete(Path::instance(0, 1)), delete(Path::instance(1, 0)), FINISH]);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(1));
    assert_eq!(codes(&sim)[10..], [Code::DELETED, Code::DELETED, Code::CHANGED]);
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [2]);
    assert_eq!(sim.platform.servers[1].registers_seen(), 2, "B is registered with anew");
    sim.model.battery_level = Some(7);
    sim.notify(BATTERY);
    let from = sent(&sim).len();
    sim.run_for(2 * DAY);
    assert!(sent(&sim)[from..].iter().all(|sent| sent.host == "b.example:5683"), "nothing goes to A any more");
    for (server, observation) in observations.into_iter().enumerate() {
        assert_eq!(sim.platform.servers[server].notifications(observation), [], "no observation is left");
    }
    // A comes back by another bootstrap, and finds no attribute of its own; B's are there as ever.
    sim.platform.bootstrap.script = Some([account(), vec![FINISH]].concat());
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(1));
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [1, 2], "{:?}", codes(&sim));
    assert_eq!([0, 1].map(|server| set_at(&mut sim, server, BATTERY)), ["", "gt=5;pmax=0"]);
    assert_eq!(set_at(&mut sim, 1, TERMS), "", "of another instance");
}

#[test]
fn xb_15_a_bootstrap_account_that_was_replaced_in_vain_comes_back() {
    let mut sim =
        bootstrapped_by(vec![write(Path::instance(0, 0), &bootstrap_security("coap://other.example")), FINISH]);
    assert_eq!(codes(&sim), [Code::CHANGED, Code::NOT_ACCEPTABLE]);
    sim.platform.bootstrap.script = None;
    sim.run_for(secs(400));
    assert_eq!(happened(&sim, Event::BootstrapFinished), 1);
    let asked = requests(&sim, Code::POST, "/bs");
    assert_eq!(asked.iter().map(|sent| &*sent.host).collect::<Vec<_>>(), ["bs.example:5683"; 2]);
}

#[test]
fn xb_16_a_bootstrap_account_goes_when_its_time_is_over() {
    let mut sim = terminal(1);
    let ending = bootstrap_security("coap://bs.example").integer(12, 600);
    sim.platform.bootstrap.script =
        Some([vec![write(Path::instance(0, 0), &ending)], account(), vec![FINISH]].concat());
    sim.network_up();
    sim.run_for(secs(1));
    let purged = Event::Diagnostic(Diagnostic::BootstrapAccountPurged);
    let finished = sim.events().find(|(_, event)| *event == Event::BootstrapFinished).unwrap().0;
    // The session with the bootstrap server is over long before.
    sim.run_for(secs(1_000));
    let (at, _) = sim.events().find(|(_, event)| *event == purged).expect("it is purged");
    assert_eq!(at.saturating_duration_since(finished), secs(600));
    assert!(server(&sim).registration().is_some(), "registrations live on");
    // Not even when all servers are gone for ever.
    server_mut(&mut sim).go_down();
    sim.run_for(10 * DAY);
    assert_eq!(requests(&sim, Code::POST, "/bs").len(), 1);
    assert!(happened(&sim, Event::RegistrationFailed { server: 1, reason: Reason::TimedOut }) > 5);
}

#[test]
fn xb_18_a_command_may_come_before_the_answer_to_the_request() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.answering = lwm2m_core::sim::Answering::Late(secs(1));
    sim.network_up();
    sim.run_for(secs(5));
    assert_eq!(codes(&sim), [Code::DELETED, Code::CHANGED, Code::CHANGED, Code::CHANGED]);
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
}

#[test]
fn xb_19_a_bootstrap_server_may_begin_by_itself() {
    let mut sim = open_to_its_bootstrap_server();
    sim.run_for(secs(3_600));
    sim.platform.servers[0].lifetime = 3_600;
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::BootstrapStarted), 2);
    assert_eq!(happened(&sim, Event::BootstrapFinished), 2);
    assert_eq!(requests(&sim, Code::POST, "/bs").len(), 1, "it was asked once");
    assert_eq!((server(&sim).registers_seen(), server(&sim).registration().unwrap().lifetime), (2, 3_600));

    // One that stops half-way leaves no trace, and no interruption but of its own time.
    sim.platform.bootstrap.script = Some(vec![delete(Path::ROOT)]);
    sim.platform.initiate_bootstrap(sim.now());
    sim.run_for(secs(300));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Abandoned }), 1);
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [1]);
    assert_eq!(server(&sim).registers_seen(), 2, "the registration was never lost");
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

#[test]
fn xb_19_a_session_is_kept_for_it_although_nothing_was_ever_asked() {
    let mut config = one_server(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    (config.bootstrap.at_every_start, config.bootstrap.server_initiated) = (false, true);
    config.registration.queue_mode = true;
    let mut sim = Sim::new(config, device(), 1);
    sim.network_up();
    sim.run_for(secs(1_000));
    assert!(server(&sim).registration().is_some());
    assert_eq!(sim.client.rest(sim.now()), None, "its bootstrap server may begin at any time");
    let lifetime = request(Code::PUT, "/1/0/1", 1, b"w", Some((ContentFormat::TEXT_PLAIN, b"600")));
    for command in [lifetime, request(Code::POST, "/bs", 2, b"f", None)] {
        sim.forge(BS, &command);
        sim.run_for(secs(1));
    }
    assert_eq!(happened(&sim, Event::BootstrapFinished), 1, "{}", sim.trace);
    assert_eq!(requests(&sim, Code::POST, "/bs").len(), 0);
    assert_eq!((server(&sim).registers_seen(), server(&sim).registration().unwrap().lifetime), (2, 600));
    assert_eq!(sim.client.rest(sim.now()), None, "and once more");
}

#[test]
fn xb_19_without_the_switch_nobody_begins_by_himself() {
    let mut sim = registered(1);
    for _ in 0..2 {
        sim.platform.initiate_bootstrap(sim.now());
        // Once while the session lingers, and once after it.
        sim.run_for(secs(300));
    }
    assert_eq!((happened(&sim, Event::BootstrapStarted), server(&sim).registers_seen()), (1, 1));
}

fn write_bytes(path: Path, bytes: &[u8]) -> BootstrapCommand {
    BootstrapCommand::Write { path, format: ContentFormat::OCTET_STREAM, payload: bytes.to_vec() }
}

/// What is written to one resource of Security changes no other.
#[test]
fn keys_that_are_written_by_themselves_leave_the_rest_of_an_account() {
    for resource in 3..=5 {
        let mut script = account();
        script.extend([write_bytes(Path::resource(0, 1, resource), b""), discover("/0"), FINISH]);
        let sim = bootstrapped_by(script);
        assert_eq!(texts(&sim)[3], r#"lwm2m="1.0",</0/0>,</0/1>;ssid=1"#, "{resource}");
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 1, "{resource}");
    }
}

#[test]
fn a_bootstrap_account_ends_in_time_although_its_keys_were_written_after_that_was_said() {
    let mut sim = terminal(1);
    let ending = bootstrap_security("coap://bs.example").integer(12, 600);
    let keys = (3..=5).map(|resource| write_bytes(Path::resource(0, 0, resource), b""));
    let script = core::iter::once(write(Path::instance(0, 0), &ending)).chain(keys).chain(account()).chain([FINISH]);
    sim.platform.bootstrap.script = Some(script.collect());
    sim.network_up();
    sim.run_for(secs(2_000));
    assert_eq!(happened(&sim, Event::Diagnostic(Diagnostic::BootstrapAccountPurged)), 1);
}

#[test]
fn a_short_server_id_that_nobody_can_have_is_not_told() {
    let mut script = account();
    script.extend([70_000, 1 << 40].map(|id| write(Path::instance(0, 2), &security("coap://x.example", id))));
    script.extend([discover("/0"), delete(Path::instance(0, 2)), FINISH]);
    let sim = bootstrapped_by(script);
    assert_eq!(texts(&sim)[4], r#"lwm2m="1.0",</0/0>,</0/1>;ssid=1,</0/2>"#);
}

/// A session lingers for the time that a message can be repeated. Bootstraps that follow each other sooner do not add up.
#[test]
fn sessions_that_linger_do_not_pile_up() {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.after_failures = 1;
    let mut sim = Sim::new(config, device(), 1);
    server_mut(&mut sim).accepts = lwm2m_core::sim::Accepts::Nobody(Code::FORBIDDEN);
    let script = |round: usize| {
        let uri = if round.is_multiple_of(2) { URI } else { "coap://dm.example:5683" };
        let all =
            [vec![BootstrapCommand::Pause(secs(200)), write(ACCOUNT, &security(uri, 1))], account()[1..].to_vec()];
        [all.concat(), vec![FINISH]].concat()
    };
    sim.platform.bootstrap.script = Some(script(0));
    sim.network_up();
    let mut memory = Vec::new();
    for round in 1..=20 {
        sim.run_until(secs(100_000), |sim| happened(sim, Event::BootstrapFinished) >= round);
        sim.platform.bootstrap.script = Some(script(round));
        sim.run_for(secs(20));
        memory.push(sim.client.memory().connections);
    }
    assert_eq!(memory[19], memory[3], "{memory:?}");
}

/// `Limits::value` bounds what a bootstrap writes. A longer URI that the device was made with is no fault of a Write
/// that leaves it alone.
#[test]
fn a_resource_of_an_account_with_a_long_uri_of_its_own_can_be_written() {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec).server(
        1,
        "coap://dm.example",
        Credentials::NoSec,
        86_400,
    );
    config.limits.value = 10;
    let script = vec![write_text(Path::resource(0, 1, 11), "5"), FINISH];
    let sim = configured_and_bootstrapped_by(config, script);
    assert_eq!(codes(&sim), [Code::CHANGED, Code::CHANGED]);
}
