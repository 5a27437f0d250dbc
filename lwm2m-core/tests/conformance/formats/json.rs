//! LwM2M JSON (11543): XF-06, XB-22, int-204, int-220.

use std::collections::BTreeMap;

use coap_codec::{Code, ContentFormat};
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{Ask, BootstrapCommand, Sim};
use lwm2m_core::{Event, Path, Value};
use serde_json::Value as Json;

use super::store::{Held, Owned, Store, get, put, resource, unchanged};
use super::text::types;
use super::{TLV, bootstrapped, refused_without_memory};
use crate::terminal::*;

const JSON: ContentFormat = ContentFormat::LWM2M_JSON;

#[track_caller]
fn write(sim: &mut Sim<Store>, method: Code, path: &str, json: &str) -> Code {
    put(sim, method, path, JSON, json.replace("/o", "/30009").as_bytes())
}

#[track_caller]
fn refused(sim: &mut Sim<Store>, path: &str, json: &str) {
    let before = sim.model.clone();
    assert_eq!(write(sim, Code::PUT, path, json), Code::BAD_REQUEST, "{json} to {path}");
    unchanged(sim, &before, json);
}

#[test]
fn xf_06_documents_are_read_as_the_standard_has_them() {
    let mut sim = types();
    // Base names end in a slash or not, as long as the whole name is a path.
    for json in [
        r#"{"bn":"/o/0/","e":[{"n":"1","v":5},{"n":"11/0","v":6},{"n":"11/7","v":7},{"n":"0","sv":"\u00fc\ud83d\ude00\/"}]}"#,
        r#"{"bn":"/o/0","e":[{"n":"/1","v":5},{"n":"/11/0","v":6},{"n":"/11/7","v":7},{"n":"/0","sv":"ü😀/"}]}"#,
        r#"{"e":[{"n":"/o/0/11/7","v":7},{"n":"/o/0/1","v":5.0},{"n":"/o/0/0","sv":"ü😀/"},{"n":"/o/0/11/0","v":0.6e1}]}"#,
        r#"{"bn":"/","bt":1511344800,"e":[{"n":"o/0/1","v":5,"t":-5},{"n":"o/0/11/0","v":6},{"n":"o/0/11/7","v":7},{"n":"o/0/0","sv":"ü😀/"}]}"#,
        r#" { "x" : [ { } ] , "e" : [ { "u" : null , "sv" : "ü😀/" , "n" : "0" } , {"n":"1","v":5},{"n":"11/0","v":6},{"n":"11/7","v":7} ] , "bn" : "/o/0/" } "#,
    ] {
        let json = &json.replace("n\":\"o/0", "n\":\"30009/0");
        assert_eq!(write(&mut sim, Code::PUT, "/o/0", r#"{"e":[]}"#), Code::CHANGED, "empty: all that can go goes");
        assert!(sim.model.instances[&0].is_empty());
        assert_eq!(write(&mut sim, Code::PUT, "/o/0", json), Code::CHANGED, "{json}");
        let int = |number| Owned::Plain(Value::Int(number));
        let expected = BTreeMap::from([
            (0, Held::One(Owned::Str("\u{fc}\u{1f600}/".into()))),
            (1, Held::One(int(5))),
            (11, Held::Many(BTreeMap::from([(0, int(6)), (7, int(7))]))),
        ]);
        assert_eq!(sim.model.instances[&0], expected, "{json}");
    }
    for json in [
        // Names that are no path, or of something else.
        r#"{"bn":"/o/0","e":[{"n":"1","v":5}]}"#,
        r#"{"bn":"o/0/","e":[{"n":"1","v":5}]}"#,
        r#"{"bn":"/o/1/","e":[{"n":"1","v":5}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","v":5},{"n":"/o/0/4","bv":true}]}"#,
        r#"{"e":[{"n":"1","v":5}]}"#,
        r#"{"bn":"/o/0/","e":[{"v":5}]}"#,
        // No value, two of them, one of another kind, one that the type does not have.
        r#"{"bn":"/o/0/","e":[{"n":"1"}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","v":5,"sv":"5"}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","v":5,"v":5}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","sv":"5"}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","v":1.5}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","v":9223372036854775808}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"4","v":1}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"4","bv":1}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"5","sv":"AQIDBAU"}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"11","v":5}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1/0","v":5}]}"#,
        // A name comes once.
        r#"{"bn":"/o/0/","e":[{"n":"1","v":5},{"n":"1","v":5}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"11/3","v":5},{"n":"1","v":5},{"n":"11/3","v":6}]}"#,
        // No document, or too deep a one.
        "",
        "[]",
        r#"{"bn":"/o/0/"}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","v":5}]"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","v":05}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"0","sv":"\ud83d"}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"0","sv":"\ude00"}]}"#,
        r#"{"bn":"/o/0/","e":[{"n":"1","v":5}],"x":[[[[[[]]]]]]}"#,
    ] {
        refused(&mut sim, "/o/0", json);
    }
    let deep = format!(r#"{{"e":[],"x":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    refused(&mut sim, "/o/0", &deep);
    // What a request goes on about besides its path is refused, wherever it stands.
    refused(&mut sim, "/o/0/1", r#"{"bn":"/o/0/","e":[{"n":"1","v":5},{"n":"4","bv":true}]}"#);
    refused(&mut sim, "/o/0/1", r#"{"e":[]}"#);
    let before = sim.model.clone();
    assert_eq!(
        write(&mut sim, Code::PUT, "/o/0", r#"{"bn":"/o/0/","e":[{"n":"1","v":5},{"n":"99","v":1}]}"#),
        Code::NOT_FOUND
    );
    unchanged(&sim, &before, "a resource that is unknown");
}

#[test]
fn xf_06_reading_documents_allocates_nothing() {
    let mut sim = types();
    let text = "\\u00fc".repeat(40);
    let opaque = "AQID".repeat(40);
    for (document, id) in [
        // Out of order, with much to unescape, and wrong at the end.
        format!(r#"{{"bn":"/30009/0/","e":[{{"n":"10/1","sv":"{text}"}},{{"n":"5","sv":"{opaque}"}},{{"n":"18/1","sv":"x"}},{{"n":"18/0","v":1}}]}}"#),
        format!(r#"{{"bn":"/30009/0/","e":[{{"n":"0","sv":"{text}"}},{{"n":"1","v":1}},{{"n":"3","v":1e999}}]}}"#),
        format!(r#"{{"bn":"/30009/0/","e":[{}]}}"#, r#"{"n":"11/0","v":1},"#.repeat(20).trim_end_matches(',')),
        format!(r#"{{"e":[],"x":{}"#, "[".repeat(400)),
        format!(r#"{{"e":[{{"n":"/30009/0/1","v":1{}}}]}}"#, "0".repeat(400)),
    ].iter().zip(40_000..) {
        refused_without_memory(&mut sim, id, JSON, document.as_bytes());
    }
}

#[test]
fn xf_06_resources_and_instances_have_documents_too() {
    let mut sim = types();
    assert_eq!(write(&mut sim, Code::PUT, "/o/0/1", r#"{"bn":"/o/0/1","e":[{"v":5}]}"#), Code::CHANGED);
    assert_eq!(get(&mut sim, "/o/0/1", Some(JSON)).text(), r#"{"bn":"/30009/0/1","e":[{"v":5}]}"#);
    let several = r#"{"bn":"/30009/0/11/","e":[{"n":"0","v":1},{"n":"300","v":5}]}"#;
    assert_eq!(write(&mut sim, Code::PUT, "/o/0/11", several), Code::CHANGED);
    assert_eq!(get(&mut sim, "/o/0/11", Some(JSON)).text(), several);
    assert_eq!(
        get(&mut sim, "/o/0", Some(JSON)).text(),
        r#"{"bn":"/30009/0/","e":[{"n":"1","v":5},{"n":"11/0","v":1},{"n":"11/300","v":5}]}"#
    );
    assert_eq!(write(&mut sim, Code::PUT, "/o/0/11", r#"{"e":[]}"#), Code::CHANGED);
    assert_eq!(sim.model.instances[&0][&11], Held::Many(BTreeMap::new()), "no instances are left of it");
    assert_eq!(get(&mut sim, "/o/0/11", Some(JSON)).text(), r#"{"e":[]}"#);

    // POST leaves what it does not name.
    assert_eq!(
        write(&mut sim, Code::POST, "/o/0", r#"{"bn":"/o/0/","e":[{"n":"4","bv":true},{"n":"11/2","v":8}]}"#),
        Code::CHANGED
    );
    let merged = r#"{"bn":"/30009/0/","e":[{"n":"1","v":5},{"n":"4","bv":true},{"n":"11/2","v":8}]}"#;
    assert_eq!(get(&mut sim, "/o/0", Some(JSON)).text(), merged);

    // Create: instances with their ids, and what is unknown passed over.
    let two =
        r#"{"bn":"/o/","e":[{"n":"7/1","v":7},{"n":"3/0","sv":"a"},{"n":"7/99/0","ov":"x"},{"n":"3/11/1","v":3}]}"#;
    assert_eq!(write(&mut sim, Code::POST, "/o", two), Code::CREATED);
    let all = r#"{"bn":"/30009/","e":[{"n":"0/1","v":5},{"n":"0/4","bv":true},{"n":"0/11/2","v":8},{"n":"3/0","sv":"a"},{"n":"3/11/1","v":3},{"n":"7/1","v":7}]}"#;
    let answer = get(&mut sim, "/o", Some(JSON));
    assert_eq!((answer.format, answer.text()), (Some(JSON), all));
    // And none without.
    assert_eq!(write(&mut sim, Code::POST, "/o", r#"{"e":[{"n":"1","v":7}]}"#), Code::BAD_REQUEST);
}

#[test]
fn xf_06_an_observation_goes_on_in_the_format_of_its_first_answer() {
    let mut sim = types();
    write(&mut sim, Code::PUT, "/o/0/1", r#"{"bn":"/o/0/1","e":[{"v":5}]}"#);
    let path = Path::resource(super::ID, 0, 1);
    let observation = server_mut(&mut sim).observe(path, Some(JSON));
    sim.run_for(secs(1));
    assert_eq!(server(&sim).answer(observation).unwrap().response().text(), r#"{"bn":"/30009/0/1","e":[{"v":5}]}"#);
    sim.model.instances.get_mut(&0).unwrap().insert(1, Held::One(Owned::Plain(Value::Int(-6))));
    sim.notify(path);
    sim.run_for(secs(10));
    let [notification] = server(&sim).notifications(observation) else { panic!("{}", sim.trace) };
    assert_eq!(notification.response.format, Some(JSON));
    assert_eq!(notification.response.text(), r#"{"bn":"/30009/0/1","e":[{"v":-6}]}"#);
}

/// An account that is bootstrapped in JSON works like one in TLV.
#[test]
fn xb_22_json_bodies_make_an_account() {
    let write = |path: Path, json: &str| BootstrapCommand::Write { path, format: JSON, payload: json.into() };
    let mut sim = terminal(1);
    sim.platform.bootstrap.script = Some(vec![
        write(
            Path::instance(0, 1),
            r#"{"bn":"/0/1/","e":[{"n":"0","sv":"coap:\/\/dm.example"},{"n":"1","bv":false},{"n":"2","v":3},{"n":"3","sv":""},{"n":"4","sv":""},{"n":"5","sv":""},{"n":"10","v":1}]}"#,
        ),
        // At object level, and out of order.
        write(
            Path::object(1),
            r#"{"bn":"/1/","e":[{"n":"0/7","sv":"U"},{"n":"0/6","bv":true},{"n":"0/1","v":86400},{"n":"0/0","v":1}]}"#,
        ),
        BootstrapCommand::Finish,
    ]);
    sim.network_up();
    sim.run_for(secs(5));
    let codes: Vec<_> =
        sim.platform.bootstrap.answers().iter().map(|answer| answer.result.as_ref().unwrap().code).collect();
    assert_eq!(codes, [Code::CHANGED; 3], "{}", sim.trace);
    assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 1, "{}", sim.trace);

    // And what is wrong is refused as a whole.
    let wrong = r#"{"bn":"/30009/","e":[{"n":"0/9","v":5},{"n":"1/9","v":1.5}]}"#;
    let integers = vec![resource(9, lwm2m_core::DataType::Integer)];
    let store = Store::new(super::object(integers));
    let before = store.clone();
    let sim = bootstrapped(store, vec![write(Path::object(super::ID), wrong), BootstrapCommand::Finish]);
    assert_eq!(sim.platform.bootstrap.answers()[0].result.as_ref().unwrap().code, Code::BAD_REQUEST);
    unchanged(&sim, &before, wrong);
}

/// What JSON entries hold, by resource.
fn entries(document: &Json) -> BTreeMap<String, Json> {
    let entry = |entry: &Json| {
        let value = ["v", "bv", "sv", "ov"].into_iter().filter_map(|key| entry.get(key)).collect::<Vec<_>>();
        let [value] = &value[..] else { panic!("one value: {entry}") };
        (entry["n"].as_str().unwrap_or_default().to_string(), (*value).clone())
    };
    document["e"].as_array().unwrap().iter().map(entry).collect()
}

#[test]
fn int_204_an_instance_read_as_json_has_what_tlv_has() {
    let mut sim = registered(1);
    (sim.model.serial_number, sim.model.firmware_version) = (Some("345000123".into()), Some("1.0".into()));
    sim.model.add_error(1);
    let instance = Path::instance(3, 0);
    let json = sim.ask(0, |server| server.read(instance, Some(JSON)));
    let tlv = sim.ask(0, |server| server.read(instance, Some(TLV)));
    let (json, tlv) = (json.response(), tlv.response().tlv().unwrap());
    assert_eq!((json.code, json.format), (Code::CONTENT, Some(JSON)));
    let document: Json = serde_json::from_slice(&json.payload).unwrap();
    assert_eq!(document["bn"], "/3/0/");
    let found = entries(&document);
    for id in [0, 1, 2, 3, 11, 16] {
        assert!(
            Node::find(&tlv, id).is_some() && found.keys().any(|name| name.split('/').next() == Some(&id.to_string()))
        );
    }
    let same = |name: &str, node: &Node| match &found[name] {
        Json::String(text) => assert_eq!(node.text(), Some(&**text), "{name}"),
        Json::Number(number) => assert_eq!(node.integer(), number.as_i64(), "{name}"),
        other => panic!("{name}: {other}"),
    };
    let mut count = 0;
    for node in &tlv {
        match node {
            Node::Multiple(id, values) => values.iter().for_each(|value| {
                same(&format!("{id}/{}", value.id()), value);
                count += 1;
            }),
            node => {
                same(&node.id().to_string(), node);
                count += 1;
            }
        }
    }
    assert_eq!(count, found.len());
}

#[test]
fn int_220_several_values_are_written_as_json() {
    let mut sim = registered(1);
    let instance = Path::instance(1, 0);
    let write = |sim: &mut Sim<_>, method: Code, json: &str| {
        let ask = Ask { format: Some(JSON), payload: json.into(), ..Ask::new(method, "/1/0") };
        sim.ask(0, |server| server.request(ask)).code().unwrap()
    };
    let read = |sim: &mut Sim<_>| {
        let answer = sim.ask(0, |server| server.read(instance, Some(JSON)));
        entries(&serde_json::from_slice(&answer.response().payload).unwrap())
    };
    let before = read(&mut sim);
    let merge = r#"{"bn":"/1/0/","e":[{"n":"2","v":101},{"n":"3","v":1010},{"n":"5","v":2000},{"n":"6","bv":false},{"n":"7","sv":"U"}]}"#;
    assert_eq!(write(&mut sim, Code::POST, merge), Code::CHANGED);
    let mut expected = before.clone();
    for (name, value) in
        [("2", Json::from(101)), ("3", 1010.into()), ("5", 2000.into()), ("6", false.into()), ("7", "U".into())]
    {
        expected.insert(name.into(), value);
    }
    assert_eq!(read(&mut sim), expected, "merged");

    // SMS is not offered: nothing of a payload with it is taken.
    let sms = r#"{"bn":"/1/0/","e":[{"n":"2","v":5},{"n":"7","sv":"US"}]}"#;
    assert_eq!(write(&mut sim, Code::POST, sms), Code::BAD_REQUEST);
    assert_eq!(read(&mut sim), expected);

    let initial = r#"{"bn":"/1/0/","e":[{"n":"1","v":86400},{"n":"6","bv":true},{"n":"7","sv":"U"}]}"#;
    assert_eq!(write(&mut sim, Code::PUT, initial), Code::CHANGED);
    assert_eq!(read(&mut sim), before, "as in the beginning");
}
