//! Every entry of `tests/data/tlv-vectors.json`, read and written.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use coap_codec::Code;
use serde::Deserialize;
use serde_json::Value as Json;

use super::testing::{encode_again, hex};
use super::tlv::{Elements, Kind, structure};
use super::{Encode, Encoder, Format, Output, Payload, Unknown};
use crate::base::definition::{ObjectDef, Operations, ResourceDef};
use crate::base::path::{Leaf, Path};
use crate::base::value::{DataType, Sink, Value};

#[derive(Deserialize)]
struct Vectors {
    valid: Vec<Valid>,
    non_canonical_accept: Vec<NonCanonical>,
    malformed: Vec<Bad>,
    type_errors: Vec<Bad>,
}

#[derive(Deserialize)]
struct Valid {
    id: String,
    path: Option<String>,
    hex: String,
    length: usize,
    tree: Option<Json>,
    meaning: String,
}

#[derive(Deserialize)]
struct NonCanonical {
    id: String,
    hex: String,
    same_as: Option<String>,
}

#[derive(Deserialize)]
struct Bad {
    id: String,
    hex: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../tests/data/tlv-vectors.json")).unwrap()
}

/// A node as the vectors have it: kind, id, and value or children.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Value(&'static str, u16, Vec<u8>),
    Children(&'static str, u16, Vec<Self>),
}

fn expected(tree: &Json) -> Vec<Node> {
    tree.as_array().unwrap().iter().map(expected_node).collect()
}

fn expected_node(node: &Json) -> Node {
    let id = u16::try_from(node[1].as_u64().unwrap()).unwrap();
    match node[0].as_str().unwrap() {
        "instance" => Node::Children("instance", id, expected(&node[2])),
        "multiple" => Node::Children("multiple", id, expected(&node[2])),
        "resource" => Node::Value("resource", id, hex(node[2].as_str().unwrap())),
        "resource_instance" => Node::Value("resource_instance", id, hex(node[2].as_str().unwrap())),
        kind => panic!("{kind}"),
    }
}

fn read(bytes: &[u8]) -> Vec<Node> {
    let node = |element: super::tlv::Element<'_>| match element.kind {
        Kind::Instance => Node::Children("instance", element.id, read(element.content)),
        Kind::Multiple => Node::Children("multiple", element.id, read(element.content)),
        Kind::Resource => Node::Value("resource", element.id, element.content.to_vec()),
        Kind::ResourceInstance => Node::Value("resource_instance", element.id, element.content.to_vec()),
    };
    Elements::new(bytes).map(node).collect()
}

fn write(encoder: &mut Encoder<'_>, nodes: &[Node], resource: Option<u16>) {
    for node in nodes {
        match node {
            Node::Value(_, id, bytes) => {
                let leaf = match resource {
                    Some(resource) => Leaf::new(9, 0, resource).at(*id),
                    None => Leaf::new(9, 0, *id),
                };
                encoder.value(leaf, Value::Opaque(bytes)).unwrap();
            }
            Node::Children("instance", id, resources) => {
                encoder.open_instance(*id).unwrap();
                write(encoder, resources, None);
                encoder.close().unwrap();
            }
            Node::Children(_, id, values) => {
                encoder.open_multiple(*id).unwrap();
                write(encoder, values, Some(*id));
                encoder.close().unwrap();
            }
        }
    }
}

fn written(nodes: &[Node]) -> Vec<u8> {
    let mut room = vec![0; 1 << 17];
    let mut encoder = Encoder::new(Format::TLV, Path::ROOT, Output::new(&mut room));
    write(&mut encoder, nodes, None);
    let length = encoder.finish().unwrap();
    room.truncate(length);
    room
}

/// The bytes of a vector; the long ones are given by their header and filling.
fn bytes(valid: &Valid) -> Vec<u8> {
    let bytes = match valid.hex.strip_suffix("...") {
        Some(start) => {
            let mut bytes = hex(start);
            bytes.resize(valid.length, bytes[bytes.len() - 1]);
            bytes
        }
        None => hex(&valid.hex),
    };
    assert_eq!(bytes.len(), valid.length, "{}", valid.id);
    bytes
}

#[test]
fn the_reader_sees_the_trees_and_the_writer_makes_the_same_bytes() {
    let valid = vectors().valid;
    assert_eq!(valid.len(), 47);
    for valid in valid {
        let bytes = bytes(&valid);
        assert!(structure(&bytes).is_ok(), "{}", valid.id);
        let tree = match &valid.tree {
            Some(tree) => expected(tree),
            // The long values have no tree: a resource 0 with what follows the header.
            None => {
                let header = bytes.len() - valid.id.strip_prefix("V18-").unwrap().parse::<usize>().unwrap();
                vec![Node::Value("resource", 0, bytes[header..].to_vec())]
            }
        };
        assert_eq!(read(&bytes), tree, "{}", valid.id);
        assert_eq!(written(&tree), bytes, "{}", valid.id);
    }
}

const fn resource(id: u16, data_type: DataType) -> ResourceDef {
    ResourceDef::new(id, "", Operations::RW, data_type)
}

fn object(id: u16, resources: &[ResourceDef]) -> &'static ObjectDef {
    let resources = Box::leak(Box::<[_]>::from(resources));
    Box::leak(Box::new(ObjectDef { id, name: "", version: (1, 0), multiple: true, mandatory: false, resources }))
}

/// The objects of the vectors that have a path.
fn objects() -> Vec<&'static ObjectDef> {
    use DataType::{Boolean, Integer, ObjectLink, String, Time};
    let single = |list: &[(u16, DataType)]| list.iter().map(|(id, kind)| resource(*id, *kind)).collect::<Vec<_>>();
    let mut device = single(&[(0, String), (1, String), (2, String), (3, String), (9, Integer), (10, Integer)]);
    device.extend(single(&[(13, Time), (14, String), (16, String)]));
    device.extend([6, 7, 8, 11].map(|id| resource(id, Integer).multiple()));
    let mut access = single(&[(0, Integer), (1, Integer), (3, Integer)]);
    access.push(resource(2, Integer).multiple());
    let mut links = single(&[(1, String), (2, Integer)]);
    links.push(resource(0, ObjectLink).multiple());
    [
        (1, single(&[(0, Integer), (1, Integer), (6, Boolean), (7, String)])),
        (2, access),
        (3, device),
        (65, links),
        (66, single(&[(0, String), (1, String), (2, ObjectLink)])),
    ]
    .map(|(id, mut resources)| {
        resources.sort_by_key(|resource| resource.id);
        object(id, &resources)
    })
    .to_vec()
}

#[test]
fn typed_values_go_in_and_out_of_the_examples() {
    let objects = objects();
    let mut seen = 0;
    for valid in vectors().valid {
        let Some(path) = &valid.path else { continue };
        let target: Path = path.parse().unwrap();
        let object = objects.iter().find(|object| Some(object.id) == target.object_id()).unwrap();
        let bytes = bytes(&valid);
        let payload = Payload::decode(Format::TLV, target, object, Unknown::Refuse, &bytes, &mut [])
            .unwrap_or_else(|error| panic!("{}: {error}", valid.id));
        assert_eq!(encode_again(object, target, &payload), bytes, "{}", valid.id);
        seen += 1;
    }
    assert_eq!(seen, 10);
}

/// The value that the meaning of a vector tells: `Integer -1 in resource 10`.
fn told(meaning: &str) -> Option<(DataType, Value<'static>)> {
    let mut words = meaning.split(' ');
    let (kind, text) = (words.next()?, words.next()?);
    Some(match kind {
        "Integer" => (DataType::Integer, Value::Int(text.parse().ok()?)),
        "Time" => (DataType::Time, Value::Time(text.parse().ok()?)),
        "Float" => (DataType::Float, Value::Float(text.parse().ok()?)),
        "Boolean" => (DataType::Boolean, Value::Bool(text.parse().ok()?)),
        "Objlnk" if text == "null" => (DataType::ObjectLink, Value::Link(65_535, 65_535)),
        "Objlnk" if text == "66:0" => (DataType::ObjectLink, Value::Link(66, 0)),
        "Opaque" => (DataType::Opaque, Value::Opaque(&[1, 2, 3, 4, 5])),
        "Empty" => (DataType::String, Value::Str("")),
        _ => return None,
    })
}

#[test]
fn single_values_have_the_width_and_the_meaning_that_is_told() {
    let mut seen = 0;
    for valid in vectors().valid {
        let Some((data_type, value)) = told(&valid.meaning) else { continue };
        let bytes = bytes(&valid);
        let id = read(&bytes).first().map(|node| match node {
            Node::Value(_, id, _) | Node::Children(_, id, _) => *id,
        });
        let id = id.unwrap();
        let object = object(9, &[resource(id, data_type)]);
        for target in [Path::instance(9, 0), Path::resource(9, 0, id)] {
            let payload = Payload::decode(Format::TLV, target, object, Unknown::Refuse, &bytes, &mut []).unwrap();
            assert_eq!(payload.instances().next().unwrap().1.get(id), Some(value), "{}", valid.id);
        }
        let mut room = vec![0; bytes.len()];
        let mut encoder = Encoder::new(Format::TLV, Path::ROOT, Output::new(&mut room));
        encoder.value(Leaf::new(9, 0, id), value).unwrap();
        assert_eq!(encoder.finish(), Ok(bytes.len()), "{}", valid.id);
        assert_eq!(room, bytes, "{}", valid.id);
        seen += 1;
    }
    assert_eq!(seen, 27);
}

#[test]
fn forms_that_are_longer_than_needed_mean_the_same() {
    let object = object(9, &[resource(9, DataType::Integer), resource(10, DataType::Integer)]);
    let vectors = vectors().non_canonical_accept;
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        // The last two are the integer 1 with more bytes than it needs.
        let same = hex(vector.same_as.as_deref().unwrap_or("c10a01"));
        let bytes = hex(&vector.hex);
        assert_ne!(bytes, same, "{}", vector.id);
        let target = Path::instance(9, 0);
        let payload = Payload::decode(Format::TLV, target, object, Unknown::Refuse, &bytes, &mut []).unwrap();
        assert_eq!(encode_again(object, target, &payload), same, "{}", vector.id);
    }
}

#[test]
fn malformed_payloads_are_refused_whatever_they_are_sent_to() {
    let vectors = vectors().malformed;
    assert_eq!(vectors.len(), 14);
    let mut everything: Vec<_> = (0..20).map(|id| resource(id, DataType::Opaque)).collect();
    everything[6] = everything[6].multiple();
    let objects = [object(9, &everything), object(9, &[])];
    for vector in vectors {
        for target in [Path::object(9), Path::instance(9, 0), Path::resource(9, 0, 9), Path::resource(9, 0, 6)] {
            for object in objects {
                for unknown in [Unknown::Refuse, Unknown::Ignore] {
                    let bytes = hex(&vector.hex);
                    let error = Payload::decode(Format::TLV, target, object, unknown, &bytes, &mut []).unwrap_err();
                    assert_eq!(error.code(), Code::BAD_REQUEST, "{} at {target}", vector.id);
                }
            }
        }
    }
}

#[test]
fn values_that_break_their_type_are_refused() {
    let vectors = vectors().type_errors;
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let (id, data_type) = match vector.id.as_str() {
            "S01" | "S02" => (10, DataType::Integer),
            "S03" | "S04" | "S05" => (6, DataType::Boolean),
            "S06" => (0, DataType::Float),
            "S07" => (2, DataType::ObjectLink),
            "S08" => (0, DataType::String),
            "S09" | "S10" => (9, DataType::Integer),
            other => panic!("{other}"),
        };
        let object = object(9, &[resource(id, data_type)]);
        let bytes = hex(&vector.hex);
        let decode = |unknown| Payload::decode(Format::TLV, Path::instance(9, 0), object, unknown, &bytes, &mut []);
        let refused = decode(Unknown::Refuse).unwrap_err();
        if vector.id == "S10" {
            assert_eq!(refused.code(), Code::NOT_FOUND);
            let (_, values) = decode(Unknown::Ignore).unwrap().instances().next().unwrap();
            assert!(values.is_empty());
        } else {
            assert_eq!(refused.code(), Code::BAD_REQUEST, "{}", vector.id);
            assert_eq!(decode(Unknown::Ignore).unwrap_err(), refused, "{}", vector.id);
        }
    }
}
