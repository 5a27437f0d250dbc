//! Where the objects are and what they are spoken of in: an alternate path, and JSON in the object list
//! (OMA LwM2M 1.0, 5.3.1).

use coap_codec::{Code, ContentFormat, Message, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Ask, BootstrapCommand, DmServer, Response, Sim, Tlv};
use lwm2m_core::{Client, Config, ConfigError, Credentials, Event, Instant, Origin, Path};

use crate::terminal::operations::*;
use crate::terminal::*;

const LINKS: ContentFormat = ContentFormat::LINK_FORMAT;
const LIST: &str = r#"</lwm2m>;rt="oma.lwm2m";ct=11543,</lwm2m/1/0>,</lwm2m/3/0>,</lwm2m/30000/0>"#;

#[test]
fn xr_08_an_alternate_path_is_told_and_the_links_are_below_it() {
    let mut sim = racked(below("/lwm2m"));
    let (register, _) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!(core::str::from_utf8(register.message().payload()), Ok(LIST));
    assert_eq!(response(&mut sim, get("/.well-known/core", None)).text(), LIST);
    // A path of several segments; and what comes later is told in the same way.
    let mut sim = racked(below("/a/b"));
    sim.model.1.levels.insert(1, 5);
    sim.notify(Path::object(30_000));
    sim.run_for(secs(1));
    let list = r#"</a/b>;rt="oma.lwm2m";ct=11543,</a/b/1/0>,</a/b/3/0>,</a/b/30000/0>,</a/b/30000/1>"#;
    let update = requests(&sim, Code::POST, &location_of(&sim)).pop().expect("an Update");
    assert_eq!(core::str::from_utf8(update.message().payload()), Ok(list));
    nobody_complains(&sim);
}

#[test]
fn xr_08_every_operation_is_served_below_it_and_none_at_the_root() {
    let mut sim = racked(below("/lwm2m"));
    let new = Tlv::new().instance(1, &Tlv::new().integer(0, 9));
    let attributes = Ask { query: vec!["pmin=10".into()], ..Ask::new(Code::PUT, "/30000/0/0") };
    let observe = Ask { observe: Some(0), ..get("/3/0/9", None) };
    for (ask, expected) in [
        (get("/3/0/9", None), Code::CONTENT),
        (get("/3/0/9", Some(JSON)), Code::CONTENT),
        (get("/3", Some(LINKS)), Code::CONTENT),
        (observe, Code::CONTENT),
        (with(Code::PUT, "/30000/0/0", TEXT_PLAIN, b"7"), Code::CHANGED),
        (attributes, Code::CHANGED),
        (Ask::new(Code::POST, "/30000/0/1"), Code::CHANGED),
        (tlv(Code::POST, "/30000", &new), Code::CREATED),
        (Ask::new(Code::DELETE, "/30000/1"), Code::DELETED),
        (get("/3/0/99", None), Code::NOT_FOUND),
        (get("/0", None), Code::UNAUTHORIZED),
        (get("/", None), Code::METHOD_NOT_ALLOWED),
        (get("/3/0/9/0", None), Code::METHOD_NOT_ALLOWED),
    ] {
        let done = format!("{:?}", sim.model);
        refused(&mut sim, ask.clone(), Code::NOT_FOUND);
        assert_eq!(format!("{:?}", sim.model), done, "{ask:?}");
        let mut path = ask.path.clone();
        path.insert(0, "lwm2m".to_string());
        let code = response(&mut sim, Ask { path, ..ask.clone() }).code;
        assert_eq!(code, expected, "below: {ask:?}");
        // The Update of the object list, if there is one.
        sim.run_for(secs(1));
    }
    assert_eq!(sim.model.1.done, ["set 0 to 7", "run 0", "create 1", "delete 1"]);
    nobody_complains(&sim);
}

/// Discover and the Location of a new instance say where a server finds it. Inside JSON, and in the
/// events, a path is one of the data model.
#[test]
fn xr_08_what_is_told_of_paths_can_be_asked_for() {
    let mut sim = racked(below("/lwm2m"));
    let discovered = response(&mut sim, get("/lwm2m/30000", Some(LINKS)));
    let text = "</lwm2m/30000>,</lwm2m/30000/0>,</lwm2m/30000/0/0>,</lwm2m/30000/0/1>";
    assert_eq!(discovered.text(), text);
    assert_eq!(response(&mut sim, get("/lwm2m/3/0/9", Some(LINKS))).text(), "</lwm2m/3/0/9>");

    let create = tlv(Code::POST, "/lwm2m/30000", &Tlv::new().integer(0, 9));
    let Response { code, location, .. } = response(&mut sim, create);
    assert_eq!((code, location.join("/")), (Code::CREATED, "lwm2m/30000/1".to_string()));
    let created = Event::Created { origin: Origin::Server(1), path: Path::instance(30_000, 1) };
    assert_eq!(happened(&sim, created), 1);
    assert_eq!(response(&mut sim, get(&format!("/{}/0", location.join("/")), None)).text(), "9");

    let read = response(&mut sim, get("/lwm2m/30000/1", Some(JSON)));
    assert_eq!(read.text(), r#"{"bn":"/30000/1/","e":[{"n":"0","v":9}]}"#);
    let write = with(Code::PUT, "/lwm2m/30000/1", JSON, br#"{"bn":"/30000/1/","e":[{"n":"0","v":8}]}"#);
    assert_eq!(code_of(&mut sim, write), Code::CHANGED);
    let elsewhere = with(Code::PUT, "/lwm2m/30000/1", JSON, br#"{"bn":"/lwm2m/30000/1/","e":[{"n":"0","v":8}]}"#);
    assert_eq!(code_of(&mut sim, elsewhere), Code::BAD_REQUEST);
    nobody_complains(&sim);
}

#[test]
fn xr_08_an_observation_goes_on_and_ends_below_it() {
    let mut sim = racked(below("/lwm2m"));
    let token = coap_codec::Token::new(b"observer").unwrap();
    let observe = |observe| Ask { observe: Some(observe), ..get("/lwm2m/3/0/9", None) };
    let ask = |server: &mut DmServer| server.request_with(observe(0), token);
    assert_eq!(sim.ask(0, ask).response().text(), "80");
    assert_eq!(happened(&sim, Event::Observed { server: 1, path: BATTERY }), 1);
    sim.model.0.battery_level = Some(79);
    sim.notify(BATTERY);
    sim.run_for(millis(1));
    let notification = sent(&sim).pop().unwrap();
    assert_eq!((notification.token(), notification.message().payload()), (b"observer".to_vec(), &b"79"[..]));
    said(&mut sim, DM, &empty(MessageType::Acknowledgement, notification.id()));
    let cancelled = sim.ask(0, |server| server.request_with(observe(1), token)).response().clone();
    assert_eq!((cancelled.text(), cancelled.observe), ("79", None));
    assert_eq!(happened(&sim, Event::ObservationCancelled { server: 1, path: BATTERY }), 1);
}

#[test]
fn xr_08_a_create_that_comes_again_is_answered_again_and_done_once() {
    for (root, token, whole) in [
        ("/lwm2m", &b"12345678"[..], false),
        ("/lwm2m", b"1234", true),
        ("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"12345678", false),
    ] {
        let mut sim = racked(below(root));
        let payload = Tlv::new().integer(0, 9);
        let path = format!("{root}/30000");
        let create = request(Code::POST, &path, 7, token, Some((TLV, payload.bytes())));
        let mut answers = said(&mut sim, DM, &create);
        // The Update that follows is another matter.
        answers.retain(|answer| Message::parse(answer).unwrap().code().is_response());
        let [first] = &*answers else { panic!("one answer\n{}", sim.trace) };
        let message = Message::parse(first).unwrap();
        let location: Vec<_> = message.values(OptionNumber::LOCATION_PATH).collect();
        assert_eq!(location, [&root.as_bytes()[1..], b"30000", b"1"]);
        // What is too long to be kept is told in short: that it was done.
        let head = bare(MessageType::Acknowledgement, Code::CREATED, 7, token);
        let again = said(&mut sim, DM, &create);
        assert_eq!(again, [if whole { first.clone() } else { head }], "{root} {token:?}");
        assert_eq!(sim.model.1.done, ["create 1"]);
    }
}

#[test]
fn xr_08_bootstrap_and_registration_are_where_they_always_are() {
    let bootstrapped = |commands: Vec<BootstrapCommand>| {
        let mut config = below("/lwm2m");
        config.accounts.clear();
        let config = config.bootstrap_server("coap://bs.example", Credentials::NoSec);
        let mut sim = Sim::new(config, device(), 1);
        sim.platform.bootstrap.script = Some(commands);
        sim.network_up();
        sim.run_for(secs(5));
        let answers = sim.platform.bootstrap.answers().iter().map(|answer| answer.result.clone().unwrap());
        let answers: Vec<_> = answers.map(|response| (response.code, response.text().to_string())).collect();
        (sim, answers)
    };
    // The bootstrap server stops at what is refused.
    for command in [
        get("/lwm2m", Some(LINKS)),
        get("/lwm2m/1", Some(LINKS)),
        tlv(Code::PUT, "/lwm2m/1/0", &Tlv::new().integer(1, 60)),
        Ask::new(Code::DELETE, "/lwm2m/1/0"),
        Ask::new(Code::POST, "/lwm2m/bs"),
    ] {
        let (sim, answers) = bootstrapped(vec![BootstrapCommand::Ask(command.clone())]);
        assert_eq!(answers, [(Code::NOT_FOUND, String::new())], "{command:?}\n{}", sim.trace);
    }
    let (mut sim, answers) = bootstrapped(vec![
        BootstrapCommand::Discover(Path::ROOT),
        BootstrapCommand::Write { path: Path::object(0), format: TLV, payload: account().0 },
        BootstrapCommand::Write { path: Path::object(1), format: TLV, payload: account().1 },
        BootstrapCommand::Finish,
    ]);
    assert_eq!(answers[0], (Code::CONTENT, r#"lwm2m="1.0",</0/0>,</1>,</3/0>"#.to_string()));
    assert!(answers.iter().skip(1).map(|(code, _)| *code).eq([Code::CHANGED; 3]), "{}", sim.trace);
    let online = server(&sim).registration().expect("it is online");
    assert!(online.lists("/lwm2m/1/0") && !online.lists("/1/0") && online.lifetime == 86_400, "{}", sim.trace);
    assert_eq!(happened(&sim, Event::BootstrapFinished), 1);
    // Update and De-register go to the Location as it was told.
    let location = location_of(&sim);
    assert!(location.starts_with("/rd/"), "{location}");
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    sim.shutdown();
    sim.run_for(secs(5));
    assert_eq!((server(&sim).updates_seen(), server(&sim).deregisters_seen()), (1, 1), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xr_08_a_path_that_cannot_be_told_from_an_object_is_refused() {
    for path in
        ["", "/", "lwm2m", "/3", "/lwm2m/3", "/lwm2m/", "/.", "/a b", "/a>", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
    {
        assert_eq!(Client::new(below(path), Instant::ZERO), Err(ConfigError::AlternatePath), "{path:?}");
    }
}

#[test]
fn xr_10_that_json_is_spoken_is_told_at_the_root() {
    let mut sim = racked(one_server(1));
    let (register, _) = exchanged(&sim, Code::POST, "/rd");
    let list = "</>;ct=11543,</1/0>,</3/0>,</30000/0>";
    assert_eq!(core::str::from_utf8(register.message().payload()), Ok(list));
    // And it is.
    let read = response(&mut sim, get("/30000/0/0", Some(JSON)));
    assert_eq!((read.format, read.text()), (Some(JSON), r#"{"bn":"/30000/0/0","e":[{"v":5}]}"#));
    nobody_complains(&sim);
}

// ----- helpers ------------------------------------------------------------------------------------

/// A device with its objects there, and room for all requests of a long test.
fn below(path: &str) -> Config {
    {
        let mut config = roomy();
        config.alternate_path = Some(path.to_string());
        config
    }
}

#[track_caller]
fn code_of(sim: &mut Sim<(Device, Rack)>, ask: Ask) -> Code {
    response(sim, ask).code
}

/// What a bootstrap writes: Security and Server.
fn account() -> (Vec<u8>, Vec<u8>) {
    let security = Tlv::new().text(0, "coap://dm.example").boolean(1, false).integer(2, 3).integer(10, 1);
    let server = Tlv::new().integer(0, 1).integer(1, 86_400).boolean(6, true).text(7, "U");
    let one = |id, tlv: &Tlv| Tlv::new().instance(id, tlv).bytes().to_vec();
    (one(1, &security), one(0, &server))
}
