//! XD and the enabler tests: Write, Create and Delete.

use coap_codec::{Code, ContentFormat};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Ask, Sim, Tlv};
use lwm2m_core::{DataModel, Event, Origin, Path};

use crate::terminal::operations::*;
use crate::terminal::*;

const BAD: Code = Code::BAD_REQUEST;
const CHANGED: Code = Code::CHANGED;
const NOT_ALLOWED: Code = Code::METHOD_NOT_ALLOWED;
const TERMS: Path = Path::instance(1, 0);
const MODULES: Path = Path::object(30_000);

/// A Write of a resource as text.
fn put(path: &str, text: &str) -> Ask {
    with(Code::PUT, path, TEXT_PLAIN, text.as_bytes())
}

/// A request is refused, and the Server object is as it was.
#[track_caller]
fn refused_and_unchanged<M: DataModel>(sim: &mut Sim<M>, ask: Ask, code: Code) {
    let (before, updates) = (content(sim, TERMS), server(sim).updates_seen());
    refused(sim, ask.clone(), code);
    assert_eq!(content(sim, TERMS), before, "{ask:?}");
    sim.run_for(secs(5));
    assert_eq!(server(sim).updates_seen(), updates, "there is nothing to tell: {ask:?}");
}

#[test]
fn xd_09_what_is_only_read_or_executed_is_not_written() {
    let mut sim = online(roomy(), device());
    let before = sim.model.clone();
    for (path, payload) in [("/3/0/0", "X"), ("/3/0/9", "7"), ("/3/0/4", ""), ("/3/0/4", "1"), ("/1/0/0", "7")] {
        refused_and_unchanged(&mut sim, put(path, payload), NOT_ALLOWED);
    }
    // Neither as a part of their instance, beside what can be written.
    let (manufacturer, reboot) = (Tlv::new().text(14, "Z").text(0, "X"), Tlv::new().text(14, "Z").text(4, ""));
    for method in [Code::PUT, Code::POST] {
        refused_and_unchanged(&mut sim, tlv(method, "/3/0", &manufacturer), NOT_ALLOWED);
        refused_and_unchanged(&mut sim, tlv(method, "/3/0", &reboot), NOT_ALLOWED);
    }
    assert_eq!(sim.model, before);
    nobody_complains(&sim);
}

#[test]
fn xd_10_a_write_must_say_its_format_and_one_that_is_known() {
    let mut sim = online(roomy(), device());
    for (method, path, payload) in [
        (Code::PUT, "/1/0/1", &b"600"[..]),
        (Code::PUT, "/1/0/1", b""),
        (Code::PUT, "/1/0", &[0xc2, 1, 2, 88]),
        (Code::POST, "/1/0", &[0xc2, 1, 2, 88]),
    ] {
        let ask = Ask { payload: payload.into(), ..Ask::new(method, path) };
        refused_and_unchanged(&mut sim, ask, BAD);
        for format in [50, 40, 60, 99, 11_544] {
            let ask = with(method, path, ContentFormat(format), payload);
            refused_and_unchanged(&mut sim, ask, Code::UNSUPPORTED_CONTENT_FORMAT);
        }
    }
    assert_eq!(code(&mut sim, put("/1/0/1", "600")), CHANGED, "it is the format alone");
    nobody_complains(&sim);
}

#[test]
fn xd_11_text_that_is_no_integer_is_refused() {
    let mut sim = racked(roomy());
    for text in ["abc", "1.5", "", "9223372036854775808", "-9223372036854775809", "1 ", " 1", "0x1", "1e3", "--1", "-"]
    {
        refused(&mut sim, put("/30000/0/0", text), BAD);
        refused_and_unchanged(&mut sim, put("/1/0/1", text), BAD);
    }
    assert_eq!((&*sim.model.1.done, sim.model.1.levels[&0]), (&[][..], 5));
    for number in [i64::MAX, i64::MIN, 0] {
        assert_eq!(code(&mut sim, put("/30000/0/0", &number.to_string())), CHANGED, "{number}");
        assert_eq!(sim.model.1.levels[&0], number);
    }
    nobody_complains(&sim);
}

#[test]
fn xd_12_a_boolean_is_0_or_1() {
    let mut sim = online(roomy(), device());
    for text in ["0", "1"] {
        assert_eq!(code(&mut sim, put("/1/0/6", text)), CHANGED, "{text}");
        assert_eq!(response(&mut sim, get("/1/0/6", None)).text(), text);
        for wrong in ["2", "true", "false", "", "-1", "01", "1 "] {
            refused_and_unchanged(&mut sim, put("/1/0/6", wrong), BAD);
        }
        for wrong in [&[][..], &[2], &[0, 1]] {
            refused_and_unchanged(&mut sim, tlv(Code::PUT, "/1/0/6", &Tlv::new().resource(6, wrong)), BAD);
        }
    }
    nobody_complains(&sim);
}

#[test]
fn xd_13_the_payload_must_be_of_the_resource_of_the_path() {
    let mut sim = online(roomy(), device());
    let own = Tlv::new().integer(1, 600);
    for wrong in [
        Tlv::new().integer(5, 600),
        own.clone().integer(5, 600),
        Tlv::new().integer(5, 600).integer(1, 600),
        Tlv::new().instance(1, &own),
    ] {
        refused_and_unchanged(&mut sim, tlv(Code::PUT, "/1/0/1", &wrong), BAD);
    }
    for json in [r#"{"bn":"/1/0/5","e":[{"v":600}]}"#, r#"{"bn":"/1/0/","e":[{"n":"5","v":600}]}"#] {
        refused_and_unchanged(&mut sim, with(Code::PUT, "/1/0/1", JSON, json.as_bytes()), BAD);
    }
    assert_eq!(code(&mut sim, tlv(Code::PUT, "/1/0/1", &own)), CHANGED);
    assert_eq!(response(&mut sim, get("/1/0/1", None)).text(), "600");
    nobody_complains(&sim);
}

#[test]
fn xd_14_an_instance_is_not_replaced_without_what_is_mandatory() {
    let mut sim = online(roomy(), device());
    let parts = [Tlv::new().integer(1, 600), Tlv::new().boolean(6, false), Tlv::new().text(7, "UQ")];
    let bytes = |leave_out: usize| {
        let others = parts.iter().enumerate().filter(|(index, _)| *index != leave_out);
        others.flat_map(|(_, part)| part.bytes()).copied().collect::<Vec<_>>()
    };
    assert_eq!(code(&mut sim, put("/1/0/2", "5")), CHANGED);
    for missing in 0..3 {
        refused_and_unchanged(&mut sim, with(Code::PUT, "/1/0", TLV, &bytes(missing)), BAD);
    }
    refused_and_unchanged(&mut sim, with(Code::PUT, "/1/0", TLV, b""), BAD);
    assert_eq!(code(&mut sim, with(Code::PUT, "/1/0", TLV, &bytes(3))), CHANGED, "with all of them");
    let expected = [&[0xc1, 0, 1][..], &bytes(3)].concat();
    assert_eq!(content(&mut sim, TERMS), expected, "and what is optional is gone");
    nobody_complains(&sim);
}

#[test]
fn xd_15_one_value_that_is_wrong_and_none_is_written() {
    let mut sim = online(roomy(), device());
    let around = |wrong: &dyn Fn(Tlv) -> Tlv| wrong(Tlv::new().integer(2, 5)).integer(3, 60);
    let wrong: [(&dyn Fn(Tlv) -> Tlv, Code); 5] = [
        (&|tlv| tlv.resource(1, &[1, 2, 3]), BAD),
        (&|tlv| tlv.integer(1, 0), BAD),
        (&|tlv| tlv.boolean(6, true).resource(6, &[2]), BAD),
        (&|tlv| tlv.integer(0, 7), NOT_ALLOWED),
        (&|tlv| tlv.integer(99, 7), Code::NOT_FOUND),
    ];
    for (wrong, code) in wrong {
        refused_and_unchanged(&mut sim, tlv(Code::POST, "/1/0", &around(wrong)), code);
    }
    assert_eq!(code(&mut sim, tlv(Code::POST, "/1/0", &around(&|tlv| tlv.integer(1, 600)))), CHANGED);
    for (path, text) in [("/1/0/1", "600"), ("/1/0/2", "5"), ("/1/0/3", "60")] {
        assert_eq!(response(&mut sim, get(path, None)).text(), text, "{path}");
    }
    nobody_complains(&sim);
}

#[test]
fn xd_16_an_instance_may_be_wrapped_if_it_is_the_one_of_the_path() {
    let mut sim = online(two_servers(1), device());
    let wrapped = |id| Tlv::new().instance(id, &Tlv::new().integer(2, 5));
    let second = content(&mut sim, Path::instance(1, 1));
    for id in [1, 2, 300] {
        refused_and_unchanged(&mut sim, tlv(Code::POST, "/1/0", &wrapped(id)), BAD);
    }
    let both = [wrapped(0).bytes(), wrapped(1).bytes()].concat();
    refused_and_unchanged(&mut sim, with(Code::POST, "/1/0", TLV, &both), BAD);
    assert_eq!(code(&mut sim, tlv(Code::POST, "/1/0", &wrapped(0))), CHANGED);
    assert_eq!(response(&mut sim, get("/1/0/2", None)).text(), "5");
    assert_eq!(content(&mut sim, Path::instance(1, 1)), second, "the other is as it was");
    nobody_complains(&sim);
}

#[test]
fn xd_24_a_create_that_cannot_be_makes_nothing() {
    let mut sim = racked(roomy());
    let level = |level| Tlv::new().integer(0, level);
    let good = Tlv::new().instance(1, &level(1));
    for (what, payload) in [
        ("an id that is taken", Tlv::new().instance(0, &level(7))),
        ("without what is mandatory", Tlv::new().instance(1, &Tlv::new())),
        ("nothing at all", Tlv::new()),
        ("the last id, which is reserved", Tlv::new().instance(65_535, &level(7))),
        ("the second is taken", good.clone().instance(0, &level(7))),
        ("the first is taken", Tlv::new().instance(0, &level(7)).instance(1, &level(1))),
        ("the second lacks what is mandatory", good.clone().instance(2, &Tlv::new())),
        ("the second is of no integer", good.clone().instance(2, &Tlv::new().resource(0, &[1, 2, 3]))),
        ("twice the same", good.clone().instance(1, &level(2))),
    ] {
        refused(&mut sim, tlv(Code::POST, "/30000", &payload), BAD);
        assert_eq!(sim.model.1.done, [""; 0], "{what}");
    }
    let both = response(&mut sim, tlv(Code::POST, "/30000", &good.instance(65_534, &level(2))));
    assert_eq!((both.code, both.payload), (Code::CREATED, vec![]));
    assert_eq!(both.location, ["30000", "1"], "the first of them");
    assert_eq!(sim.model.1.levels, [(0, 5), (1, 1), (65_534, 2)].into());
    sim.run_for(secs(5));
    assert!(["/30000/1", "/30000/65534"].iter().all(|path| lists_path(&sim, path)), "{}", sim.trace);
    nobody_complains(&sim);
}

fn lists_path(sim: &Sim<impl DataModel>, path: &str) -> bool {
    server(sim).registration().is_some_and(|registered| registered.lists(path))
}

#[test]
fn xd_25_without_an_id_the_smallest_that_is_free_is_taken() {
    let mut sim = racked(roomy());
    sim.model.1.levels = [(0, 5), (1, 5), (3, 5)].into();
    sim.notify(MODULES);
    for (level, id) in [(10, 2), (11, 4), (12, 5)] {
        let created = response(&mut sim, tlv(Code::POST, "/30000", &Tlv::new().integer(0, level)));
        assert_eq!((created.code, created.format, created.payload), (Code::CREATED, None, vec![]));
        assert_eq!(created.location, ["30000".to_string(), id.to_string()]);
        assert_eq!(sim.model.1.levels[&id], level);
        assert_eq!(happened(&sim, Event::Created { origin: Origin::Server(1), path: Path::instance(30_000, id) }), 1);
    }
    assert_eq!(sim.model.1.done, ["create 2", "create 4", "create 5"]);
    // What was deleted is free again.
    assert_eq!(code(&mut sim, Ask::new(Code::DELETE, "/30000/0")), Code::DELETED);
    let created = response(&mut sim, tlv(Code::POST, "/30000", &Tlv::new().integer(0, 13)));
    assert_eq!(created.location, ["30000", "0"]);
    sim.run_for(secs(5));
    assert!((0..=5).all(|id| lists_path(&sim, &format!("/30000/{id}"))), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xd_26_accounts_and_the_device_are_neither_made_nor_deleted() {
    let mut sim = online(roomy(), device());
    let before = sim.model.clone();
    let account = Tlv::new().integer(0, 2).integer(1, 600).boolean(6, true).text(7, "U");
    let timezone = Tlv::new().text(15, "UTC");
    for (object, resources) in [("/1", &account), ("/3", &timezone)] {
        for payload in [resources.clone(), Tlv::new().instance(1, resources), Tlv::new().instance(0, resources)] {
            // What is wrong with the request itself comes before the application's no.
            let taken = object == "/1" && payload == Tlv::new().instance(0, resources);
            let code = if taken { BAD } else { NOT_ALLOWED };
            refused_and_unchanged(&mut sim, tlv(Code::POST, object, &payload), code);
        }
        refused_and_unchanged(&mut sim, Ask::new(Code::DELETE, &format!("{object}/0")), NOT_ALLOWED);
    }
    assert_eq!(sim.model, before);
    assert_eq!(requests(&sim, Code::POST, "/rd").len(), 1, "nor does it register again");
    nobody_complains(&sim);
}

/// A device whose notifications are not stored, and what its Server object is then.
fn not_storing() -> Sim<Device> {
    let mut sim = online(roomy(), device());
    assert_eq!(code(&mut sim, put("/1/0/6", "0")), CHANGED);
    let terms = [&[0xc1, 0, 1][..], &[0xc4, 1, 0, 1, 0x51, 0x80], &[0xc1, 6, 0], b"\xc1\x07U"].concat();
    assert_eq!(content(&mut sim, TERMS), terms);
    assert_eq!(server(&sim).updates_seen(), 0);
    sim
}

#[test]
fn int_226_a_partial_update_changes_what_it_names() {
    let mut sim = not_storing();
    let location = location_of(&sim);
    assert_eq!(code(&mut sim, tlv(Code::POST, "/1/0", &Tlv::new().integer(1, 60).boolean(6, true))), CHANGED);
    sim.run_for(secs(1));
    let [update] = &*requests(&sim, Code::POST, &location) else { panic!("one Update\n{}", sim.trace) };
    assert_eq!((update.query(), update.message().payload()), (vec!["lt=60".to_string()], &b""[..]));
    let terms = [&[0xc1, 0, 1][..], &[0xc1, 1, 60], &[0xc1, 6, 1], b"\xc1\x07U"].concat();
    assert_eq!(content(&mut sim, TERMS), terms, "the rest is as it was");
    assert_eq!(server(&sim).registration().unwrap().lifetime, 60);
    // It lives by the new lifetime.
    sim.run_for(secs(600));
    assert_eq!(server(&sim).history().len(), 1, "{}", sim.trace);
    let updates = requests(&sim, Code::POST, &location);
    assert!(updates.len() >= 11 && updates[1..].iter().all(|update| update.query().is_empty()), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn int_227_a_lifetime_that_is_written_is_told_with_an_update() {
    let mut sim = not_storing();
    let location = location_of(&sim);
    for (number, (ask, lifetime)) in [
        (put("/1/0/1", "3600"), 3_600),
        (tlv(Code::PUT, "/1/0/1", &Tlv::new().integer(1, 7_200)), 7_200),
        (with(Code::PUT, "/1/0/1", JSON, br#"{"bn":"/1/0/1","e":[{"v":600}]}"#), 600),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(code(&mut sim, ask), CHANGED, "{lifetime}");
        sim.run_for(secs(1));
        let updates = requests(&sim, Code::POST, &location);
        assert_eq!(updates.len(), number + 1, "{}", sim.trace);
        assert_eq!(updates[number].query(), [format!("lt={lifetime}")]);
        assert_eq!(response(&mut sim, get("/1/0/1", None)).text(), lifetime.to_string());
        assert_eq!(server(&sim).registration().unwrap().lifetime, lifetime);
    }
    nobody_complains(&sim);
}

#[test]
fn int_256_the_short_server_id_cannot_be_written() {
    let mut sim = online(roomy(), device());
    let number = Tlv::new().integer(0, 2);
    for ask in [put("/1/0/0", "2"), tlv(Code::PUT, "/1/0/0", &number), tlv(Code::POST, "/1/0", &number)] {
        refused_and_unchanged(&mut sim, ask, NOT_ALLOWED);
    }
    assert_eq!(response(&mut sim, get("/1/0/0", None)).text(), "1");
    assert!(sim.client.is_registered(sim.now(), 1));
    nobody_complains(&sim);
}
