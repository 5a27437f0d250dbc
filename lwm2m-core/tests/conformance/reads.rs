//! XD and the enabler tests: Read.

use coap_codec::{Code, ContentFormat};
use lwm2m_core::sim::Ask;
use lwm2m_core::sim::reader::Node;
use lwm2m_core::{Event, Origin, Path};

use crate::terminal::operations::*;
use crate::terminal::*;

const TERMS: Path = Path::instance(1, 0);

#[test]
fn xd_01_what_is_executed_or_only_written_is_not_read() {
    let mut sim = stored(roomy());
    for path in ["/3/0/4", "/3/0/5", "/1/0/4", "/1/0/8", "/5/0/0", "/30001/0/2"] {
        for (accept, observe) in [(None, None), (Some(TEXT_PLAIN), None), (Some(TLV), None), (None, Some(0))] {
            let ask = Ask { observe, ..get(path, accept) };
            refused(&mut sim, ask, Code::METHOD_NOT_ALLOWED);
        }
    }
    nobody_complains(&sim);
}

#[test]
fn xd_02_what_is_not_there_is_not_found() {
    let mut sim = stored(roomy());
    // Without object, instance, definition; without a value; and with a definition alone.
    for path in ["/50", "/50/0/0", "/3/1", "/3/1/0", "/3/0/50", "/3/0/2", "/1/0/2", "/1/1"] {
        for (accept, observe) in [(None, None), (Some(TLV), None), (None, Some(0))] {
            refused(&mut sim, Ask { observe, ..get(path, accept) }, Code::NOT_FOUND);
        }
    }
    sim.model.0.serial_number = Some("0001".into());
    assert_eq!(response(&mut sim, get("/3/0/2", None)).text(), "0001", "now it has a value");
    nobody_complains(&sim);
}

#[test]
fn xd_03_an_instance_is_read_without_what_cannot_be_read() {
    let mut sim = online(one_server(1), (device(), Gauge(1.5)));
    let ids = |nodes: &[Node]| nodes.iter().map(Node::id).collect::<Vec<_>>();
    let read = Node::read(&content(&mut sim, Path::instance(3, 0))).unwrap();
    assert_eq!(ids(&read), [0, 1, 9, 11, 16], "not 4, 5 and 12, which are executed");
    let gauge = Node::read(&content(&mut sim, Path::instance(30_001, 0))).unwrap();
    assert_eq!(ids(&gauge), [0, 3, 4, 6], "not 1 and 5, which are only written, nor 2");
    let object = Node::read(&content(&mut sim, Path::object(30_001))).unwrap();
    assert_eq!(object, [Node::Instance(0, gauge)]);
    let json = response(&mut sim, get("/30001/0", Some(JSON)));
    assert_eq!((json.code, json.format), (Code::CONTENT, Some(JSON)));
    let document: serde_json::Value = serde_json::from_slice(&json.payload).unwrap();
    let names: Vec<_> = document["e"].as_array().unwrap().iter().map(|entry| entry["n"].as_str().unwrap()).collect();
    assert_eq!(names, ["0", "3", "4", "6"]);
    nobody_complains(&sim);
}

#[test]
fn xd_06_instances_of_an_object_are_wrapped_even_if_there_is_but_one() {
    for (config, lifetimes) in [(one_server(1), &[(0, 1)][..]), (two_servers(1), &[(0, 1), (1, 2)])] {
        let mut sim = online(config, device());
        // Short Server ID, Lifetime 86400, Notification Storing, Binding `U`.
        let terms = |id: u8| [&[0xc1, 0, id][..], &[0xc4, 1, 0, 1, 0x51, 0x80], &[0xc1, 6, 1], b"\xc1\x07U"].concat();
        let wrapped = |(instance, id)| [&[0x08, instance, 15][..], &terms(id)].concat();
        let expected: Vec<u8> = lifetimes.iter().copied().flat_map(wrapped).collect();
        assert_eq!(content(&mut sim, Path::object(1)), expected, "{lifetimes:?}");
        assert_eq!(content(&mut sim, TERMS), terms(1), "an instance by itself is not wrapped");
        nobody_complains(&sim);
    }
}

#[test]
fn xd_07_one_value_of_several_is_wrapped_in_its_resource() {
    let mut model = powered();
    model.sources[0] = [(0, 1)].into();
    let mut sim = online(one_server(1), model);
    assert_eq!(content(&mut sim, Path::resource(3, 0, 6)), [0x83, 6, 0x41, 0, 1]);
    // At an id that takes two bytes, too.
    sim.model.sources[0] = [(300, 1)].into();
    assert_eq!(content(&mut sim, Path::resource(3, 0, 6)), [0x84, 6, 0x61, 1, 44, 1]);
    nobody_complains(&sim);
}

#[test]
fn xd_08_an_object_without_instances_is_read_as_nothing() {
    let mut sim = racked(one_server(1));
    sim.model.1.levels.clear();
    sim.notify(Path::object(30_000));
    assert_eq!(content(&mut sim, Path::object(30_000)), [0; 0]);
    let read = response(&mut sim, get("/30000", None));
    assert_eq!((read.code, read.format, &*read.payload), (Code::CONTENT, Some(TLV), &b""[..]), "without Accept");
    let read = Event::Read { origin: Origin::Server(1), path: Path::object(30_000) };
    assert_eq!(happened(&sim, read), 2);
    refused(&mut sim, get("/30000/0", None), Code::NOT_FOUND);
    nobody_complains(&sim);
}

#[test]
fn int_222_223_224_object_instance_and_resource_are_read_with_the_right_nesting() {
    let mut sim = racked(roomy());
    sim.model.1.levels.insert(7, -1);
    // What each format says of each path.
    let level = |id, value| Node::Instance(id, vec![Node::Resource(0, value)]);
    for (path, tlv, names) in [
        ("/30000", vec![level(0, vec![5]), level(7, vec![0xff])], &[("0/0", 5), ("7/0", -1)][..]),
        ("/30000/7", vec![Node::Resource(0, vec![0xff])], &[("0", -1)]),
        ("/30000/7/0", vec![Node::Resource(0, vec![0xff])], &[("", -1)]),
    ] {
        let read = response(&mut sim, get(path, Some(TLV)));
        assert_eq!((read.code, read.format, read.tlv()), (Code::CONTENT, Some(TLV), Some(tlv)), "{path}");
        let read = response(&mut sim, get(path, Some(JSON)));
        assert_eq!((read.code, read.format), (Code::CONTENT, Some(JSON)), "{path}");
        assert_eq!(numbers(&read.payload), at(path, names), "{path}");
    }
    let read = response(&mut sim, get("/30000/7/0", Some(TEXT_PLAIN)));
    assert_eq!((read.code, read.format, read.text()), (Code::CONTENT, Some(TEXT_PLAIN), "-1"));

    // A resource of several values goes one level deeper.
    let mut sim = online(roomy(), powered());
    let values = [Node::ResourceInstance(0, vec![0x0e, 0xd8]), Node::ResourceInstance(1, vec![0x13, 0x88])];
    let voltage = Node::Multiple(7, values.into());
    for (path, prefix) in [("/3", "0/7/"), ("/3/0", "7/"), ("/3/0/7", "")] {
        let nodes = response(&mut sim, get(path, Some(TLV))).tlv().expect("TLV");
        let nodes = if path == "/3" { nodes[0].children().to_vec() } else { nodes };
        assert_eq!(Node::find(&nodes, 7), Some(&voltage), "{path}");
        let json = numbers(&response(&mut sim, get(path, Some(JSON))).payload);
        let expected = at(path, &[(&*format!("{prefix}0"), 3_800), (&format!("{prefix}1"), 5_000)]);
        let own: Vec<_> = json.into_iter().filter(|(name, _)| name.starts_with("/3/0/7/")).collect();
        assert_eq!(own, expected, "{path}");
    }
    nobody_complains(&sim);
}

#[test]
fn int_237_without_accept_the_answer_names_its_format() {
    let mut sim = stored(roomy());
    sim.model.1.store.insert(0, ("text".into(), vec![1, 2, 0xff]));
    for (path, format, payload) in [
        ("/3/0/0", TEXT_PLAIN, &b"Example Works"[..]),
        ("/1/0/1", TEXT_PLAIN, b"86400"),
        ("/1/0/6", TEXT_PLAIN, b"1"),
        ("/30001/0/1", ContentFormat::OCTET_STREAM, &[1, 2, 0xff]),
        ("/3/0/11", TLV, &[0x83, 11, 0x41, 0, 0]),
        ("/30001/0", TLV, b"\xc4\0text\xc3\x01\x01\x02\xff"),
        ("/30001", TLV, b"\x08\0\x0b\xc4\0text\xc3\x01\x01\x02\xff"),
    ] {
        let read = response(&mut sim, get(path, None));
        assert_eq!((read.code, read.format, &*read.payload), (Code::CONTENT, Some(format), payload), "{path}");
    }
    nobody_complains(&sim);
}

/// The paths and values of a JSON document of numbers and texts.
#[track_caller]
fn numbers(payload: &[u8]) -> Vec<(String, i64)> {
    let document: serde_json::Value = serde_json::from_slice(payload).unwrap();
    let base = document["bn"].as_str().unwrap();
    let entries = document["e"].as_array().unwrap().iter();
    let entry = |entry: &serde_json::Value| {
        let value = entry["v"].as_i64()?;
        Some((format!("{base}{}", entry.get("n").map_or("", |name| name.as_str().unwrap())), value))
    };
    entries.filter_map(entry).collect()
}

/// The paths of values below `path`.
fn at(path: &str, names: &[(&str, i64)]) -> Vec<(String, i64)> {
    let whole = |(name, value): &(&str, i64)| {
        let slash = if name.is_empty() { "" } else { "/" };
        (format!("{path}{slash}{name}"), *value)
    };
    names.iter().map(whole).collect()
}
