//! XF: the formats of values, as servers write and read them.
#![allow(clippy::std_instead_of_alloc, reason = "a test is no part of the library")]

mod json;
mod legacy;
pub mod store;
mod text;

use std::collections::BTreeMap;

use coap_codec::{Code, ContentFormat, Message};
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{BootstrapCommand, Direction, Entry, Sim, What};
use lwm2m_core::{Config, Credentials, DataType, Output, Path, ResourceDef, Value};
use serde_json::Value as Json;

use crate::terminal::*;
use store::{Held, ID, Instances, Owned, Store, configured, get, keeping, object, put, resource, unchanged};

const TLV: ContentFormat = ContentFormat::LWM2M_TLV;

fn rows(kind: &str) -> Vec<Json> {
    let vectors: Json = serde_json::from_str(include_str!("../data/tlv-vectors.json")).unwrap();
    vectors[kind].as_array().unwrap().clone()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn id(row: &Json) -> &str {
    row["id"].as_str().unwrap()
}

/// The bytes of a row; the long ones tell their beginning and their length.
fn payload(row: &Json) -> Vec<u8> {
    let hex = row["hex"].as_str().unwrap();
    let Some(beginning) = hex.strip_suffix("...") else { return bytes(hex) };
    let mut payload = bytes(beginning);
    let filling = *payload.last().unwrap();
    payload.resize(row["length"].as_u64().unwrap() as usize, filling);
    payload
}

/// The tree of a row; the long ones have none, and are one resource 0.
fn tree(row: &Json) -> Vec<Node> {
    fn nodes(list: &Json) -> Vec<Node> {
        let node = |node: &Json| {
            let id = node[1].as_u64().unwrap() as u16;
            let value = || bytes(node[2].as_str().unwrap());
            match node[0].as_str().unwrap() {
                "instance" => Node::Instance(id, nodes(&node[2])),
                "multiple" => Node::Multiple(id, nodes(&node[2])),
                "resource" => Node::Resource(id, value()),
                "resource_instance" => Node::ResourceInstance(id, value()),
                other => panic!("{other}"),
            }
        };
        list.as_array().unwrap().iter().map(node).collect()
    }
    match row.get("tree") {
        Some(tree) => nodes(tree),
        None => {
            let length = id(row).rsplit('-').next().unwrap().parse::<usize>().unwrap();
            let payload = payload(row);
            vec![Node::Resource(0, payload[payload.len() - length..].to_vec())]
        }
    }
}

/// The type of a resource in a row: by the object of its path, or else as its meaning tells it.
fn data_type(row: &Json, id: u16) -> DataType {
    let path = row["path"].as_str().unwrap_or_default();
    match (path.split('/').nth(1).unwrap_or_default(), id) {
        ("1", 0 | 1) | ("2", 0..=3) | ("3", 6..=11) | ("65", 2) => DataType::Integer,
        ("1", 6) => DataType::Boolean,
        ("1", 7) | ("3", 0..=3 | 14..=16) | ("65", 1) | ("66", 0 | 1) => DataType::String,
        ("3", 13) => DataType::Time,
        ("65", 0) | ("66", 2) => DataType::ObjectLink,
        ("", _) => match row["meaning"].as_str().unwrap().split(' ').next().unwrap() {
            "Integer" => DataType::Integer,
            "Float" => DataType::Float,
            "Boolean" => DataType::Boolean,
            "Time" => DataType::Time,
            "Objlnk" => DataType::ObjectLink,
            "Empty" => DataType::String,
            _ => DataType::Opaque,
        },
        (object, id) => panic!("/{object}/0/{id}"),
    }
}

/// What bytes mean, read by other means than the client's.
fn meaning(data_type: DataType, node: &Node) -> Owned {
    let bytes = node.value().unwrap();
    Owned::Plain(match data_type {
        DataType::Integer => Value::Int(node.integer().unwrap()),
        DataType::Time => Value::Time(node.integer().unwrap()),
        DataType::Boolean => Value::Bool(node.integer() == Some(1)),
        DataType::Float if bytes.len() == 4 => Value::Float(f32::from_be_bytes(bytes.try_into().unwrap()).into()),
        DataType::Float => Value::Float(f64::from_be_bytes(bytes.try_into().unwrap())),
        DataType::ObjectLink => {
            let [a, b, c, d] = bytes.try_into().unwrap();
            Value::Link(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        }
        DataType::String => return Owned::Str(node.text().unwrap().into()),
        _ => return Owned::Opaque(bytes.into()),
    })
}

fn held(row: &Json, nodes: &[Node]) -> BTreeMap<u16, Held> {
    let held = |node: &Node| match node {
        Node::Resource(id, _) => (*id, Held::One(meaning(data_type(row, *id), node))),
        Node::Multiple(id, values) => {
            let value = |value: &Node| (value.id(), meaning(data_type(row, *id), value));
            (*id, Held::Many(values.iter().map(value).collect()))
        }
        other => panic!("{other:?}"),
    };
    nodes.iter().map(held).collect()
}

/// An object that has what a row writes, and nothing else.
fn definitions(row: &Json, nodes: &[Node]) -> Vec<ResourceDef> {
    let mut found = BTreeMap::new();
    let instances: Vec<&[Node]> = match nodes {
        [Node::Instance(..), ..] => nodes.iter().map(Node::children).collect(),
        nodes => vec![nodes],
    };
    for node in instances.concat() {
        let definition = resource(node.id(), data_type(row, node.id()));
        let multiple = matches!(node, Node::Multiple(..));
        found.insert(node.id(), if multiple { definition.multiple() } else { definition });
    }
    found.into_values().collect()
}

#[test]
fn xf_01_valid_tlv_is_read_to_its_tree_and_written_to_the_same_bytes() {
    let rows = rows("valid");
    assert_eq!(rows.len(), 47);
    let mut long = 0;
    for row in rows {
        let (payload, nodes) = (payload(&row), tree(&row));
        let wrapped = matches!(nodes.first(), Some(Node::Instance(..)));
        // All of a resource may also be written to its own path.
        let own = nodes.first().filter(|_| nodes.len() == 1 && !wrapped).map(|node| format!("/o/0/{}", node.id()));
        for path in [Some(if wrapped { "/o" } else { "/o/0" }.to_string()), own].into_iter().flatten() {
            let mut store = Store::new(object(definitions(&row, &nodes)));
            let mut expected: Instances = BTreeMap::from([(0, held(&row, &[]))]);
            if wrapped {
                store.instances.clear();
                expected = nodes.iter().map(|node| (node.id(), held(&row, node.children()))).collect();
            } else {
                expected.insert(0, held(&row, &nodes));
            }
            // Some are longer than any datagram, and come and go in blocks.
            let mut config = one_server(1);
            config.limits.body = 1 << 17;
            let mut sim = configured(config, store);
            let (method, code) = if wrapped { (Code::POST, Code::CREATED) } else { (Code::PUT, Code::CHANGED) };
            assert_eq!(put(&mut sim, method, &path, TLV, &payload), code, "{} to {path}", id(&row));
            assert_eq!(sim.model.instances, expected, "{} to {path}", id(&row));
            let answer = get(&mut sim, &path, Some(TLV));
            long += usize::from(payload.len() > usize::from(u16::MAX));
            assert_eq!((answer.code, answer.format), (Code::CONTENT, Some(TLV)), "{} from {path}", id(&row));
            assert_eq!(answer.payload, payload, "{} from {path}", id(&row));
        }
    }
    assert_eq!(long, 4, "V18-65535 and V18-65536, each as part of an instance and by itself");
}

/// Resources of the rows that are not valid.
fn integers() -> Vec<ResourceDef> {
    let single = [0, 9, 10].map(|id| resource(id, DataType::Integer));
    [&single[..], &[resource(6, DataType::Integer).multiple()]].concat()
}

/// The same with values in them.
fn full() -> Sim<Store> {
    let mut sim = keeping(integers());
    fill(&mut sim);
    sim
}

fn fill(sim: &mut Sim<Store>) {
    assert_eq!(put(sim, Code::PUT, "/o/0", TLV, &bytes("c100078606410001410105c10963c10a58")), Code::CHANGED);
}

#[test]
fn xf_02_longer_forms_mean_the_same_and_wrong_ones_change_nothing() {
    let longer = rows("non_canonical_accept");
    assert_eq!(longer.len(), 6);
    for row in longer {
        // The last two are the integer 1 with more bytes than it needs.
        let same = bytes(row["same_as"].as_str().unwrap_or("c10a01"));
        let mut sim = full();
        let path = format!("/o/0/{}", same[1]);
        for path in ["/o/0", &path] {
            assert_eq!(put(&mut sim, Code::PUT, path, TLV, &payload(&row)), Code::CHANGED, "{} to {path}", id(&row));
            assert_eq!(get(&mut sim, path, Some(TLV)).payload, same, "{} at {path}", id(&row));
        }
    }

    let malformed = rows("malformed");
    assert_eq!(malformed.len(), 14);
    let mut sim = full();
    let before = sim.model.clone();
    for row in malformed {
        for (method, path) in [
            (Code::POST, "/o"),
            (Code::PUT, "/o/0"),
            (Code::POST, "/o/0"),
            (Code::PUT, "/o/0/9"),
            (Code::PUT, "/o/0/6"),
        ] {
            let code = put(&mut sim, method, path, TLV, &payload(&row));
            assert_eq!(code, Code::BAD_REQUEST, "{} to {path}", id(&row));
            unchanged(&sim, &before, id(&row));
        }
    }

    let wrong = rows("type_errors");
    assert_eq!(wrong.len(), 10);
    for row in wrong {
        let (resource_id, data_type) = match id(&row) {
            "S01" | "S02" => (10, DataType::Integer),
            "S03" | "S04" | "S05" => (6, DataType::Boolean),
            "S06" => (0, DataType::Float),
            "S07" => (2, DataType::ObjectLink),
            "S08" => (0, DataType::String),
            _ => (9, DataType::Integer),
        };
        let mut sim = keeping(vec![resource(resource_id, data_type)]);
        let before = sim.model.clone();
        let unknown = id(&row) == "S10";
        let refused = if unknown { Code::NOT_FOUND } else { Code::BAD_REQUEST };
        for method in [Code::PUT, Code::POST] {
            assert_eq!(put(&mut sim, method, "/o/0", TLV, &payload(&row)), refused, "{}", id(&row));
            unchanged(&sim, &before, id(&row));
        }
        // A resource that the object lacks is none of an instance that comes to be.
        let created = if unknown { Code::CREATED } else { Code::BAD_REQUEST };
        assert_eq!(put(&mut sim, Code::POST, "/o", TLV, &payload(&row)), created, "{}", id(&row));
        let instances =
            if unknown { BTreeMap::from([(0, BTreeMap::new()), (1, BTreeMap::new())]) } else { before.instances };
        assert_eq!(sim.model.instances, instances, "{}", id(&row));
    }
}

/// Bootstrap-Write takes the same forms, refuses the same, and passes over what the object lacks.
#[test]
fn xf_02_bootstrap_writes_are_read_the_same_way() {
    let write =
        |row: &Json| BootstrapCommand::Write { path: Path::instance(ID, 0), format: TLV, payload: payload(row) };
    let rows: Vec<_> =
        ["non_canonical_accept", "malformed", "type_errors"].iter().flat_map(|kind| rows(kind)).collect();
    for row in rows {
        let integers = [9, 10].map(|id| resource(id, DataType::Integer)).to_vec();
        let script = vec![write(&row), BootstrapCommand::Finish];
        let sim = bootstrapped(Store::new(object(integers)), script);
        let answer = &sim.platform.bootstrap.answers()[0];
        let accepted = id(&row).starts_with('N') || id(&row) == "S10";
        // To this object the other resources of the rows are unknown, so their values are passed over.
        let passed_over = matches!(id(&row), "S03" | "S04" | "S05" | "S06" | "S07" | "S08");
        let expected = if accepted || passed_over { Code::CHANGED } else { Code::BAD_REQUEST };
        assert_eq!(answer.result.as_ref().unwrap().code, expected, "{}", id(&row));
        let written = sim.model.instances[&0].len();
        assert_eq!(written, usize::from(id(&row).starts_with('N')), "{}", id(&row));
    }
}

/// A terminal with a store, whose bootstrap server sends `script`.
fn bootstrapped(store: Store, script: Vec<BootstrapCommand>) -> Sim<Store> {
    bootstrapped_as(dm(1), store, script)
}

fn bootstrapped_as(config: Config, store: Store, script: Vec<BootstrapCommand>) -> Sim<Store> {
    let mut sim = Sim::new(config.bootstrap_server("coap://bs.example", Credentials::NoSec), store, 1);
    sim.platform.bootstrap.script = Some(script);
    sim.network_up();
    sim.run_for(secs(1));
    sim
}

/// One TLV: kind 0 to 3, id 0, a length field of `width` bytes that says `length`, and what really
/// follows.
fn claiming(kind: u8, width: usize, length: u32, content: &[u8]) -> Vec<u8> {
    let head = kind << 6 | (width as u8) << 3;
    [&[head, 0][..], &length.to_be_bytes()[4 - width..], content].concat()
}

/// Payloads that say more than they have, and such that go deeper than there are levels.
fn impossible() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for kind in 0..4 {
        for (width, length) in [(1, 0xFF), (2, 0xFFFF), (3, 0x01_0000), (3, 0xFF_FFFE), (3, 0xFF_FFFF)] {
            for content in [&[][..], &[0; 3], &[0xFF; 254]] {
                let short = claiming(kind, width, length, content);
                // Inside of what says the truth, and of what says the same.
                all.push(claiming(0, 2, short.len() as u32, &short));
                all.push(claiming(2, 2, short.len() as u32, &short));
                all.push(claiming(0, 3, 0xFF_FFFF, &short));
                all.push(short);
            }
        }
    }
    for kind in [0, 2] {
        let nested = |depth| (0..depth).fold(Vec::new(), |inside, _| claiming(kind, 2, inside.len() as u32, &inside));
        all.extend([2, 3, 4, 100].map(nested));
    }
    // A Resource Instance has a value in it, a multiple resource has no resources.
    let leaf = claiming(3, 1, 1, &[7]);
    all.push(claiming(2, 1, leaf.len() as u32, &leaf));
    let multiple = claiming(2, 1, leaf.len() as u32, &leaf);
    all.push(claiming(0, 1, multiple.len() as u32, &multiple));
    all
}

#[test]
fn xf_03_claims_of_length_and_depth_end_in_an_error_without_memory() {
    let mut sim = full();
    let before = sim.model.clone();
    for payload in impossible() {
        for (method, path) in [(Code::POST, "/o"), (Code::PUT, "/o/0"), (Code::PUT, "/o/0/0"), (Code::PUT, "/o/0/6")] {
            assert_eq!(put(&mut sim, method, path, TLV, &payload), Code::BAD_REQUEST, "{payload:02x?} to {path}");
        }
        unchanged(&sim, &before, "what cannot be read");
    }
}

#[test]
fn xf_03_reading_them_allocates_nothing() {
    let mut sim = full();
    impossible().iter().zip(40_000..).for_each(|(payload, id)| refused_without_memory(&mut sim, id, TLV, payload));
}

/// A payload for instance 0 that is refused, and that the client takes no memory for: it goes straight
/// into the client, so that nobody else's memory counts.
#[track_caller]
fn refused_without_memory(sim: &mut Sim<Store>, message_id: u16, format: ContentFormat, payload: &[u8]) {
    let counted = allocation_counter::measure(|| drop(core::hint::black_box(Box::new(1))));
    assert_eq!(counted.count_total, 1, "the counter counts");

    let session = |entry: &Entry| match entry.what {
        What::Datagram { dir: Direction::ToServer, peer, .. } => peer,
        _ => None,
    };
    let peer = sim.trace.entries.iter().rev().find_map(session).expect("a session");
    let now = sim.now();
    let request = request(Code::PUT, &format!("/{ID}/0"), message_id, &[1], Some((format, payload)));
    sim.client.reserve();
    let counted = allocation_counter::measure(|| {
        sim.client.handle_datagram(now, peer, &request, &mut sim.model);
    });
    assert_eq!(counted.count_total, 0, "{}", payload.escape_ascii());
    let mut codes = Vec::new();
    while let Some(output) = sim.client.poll_output() {
        if let Output::Transmit { datagram, .. } = output {
            codes.push(Message::parse(datagram).unwrap().code());
        }
    }
    assert_eq!(codes, [Code::BAD_REQUEST], "{}", payload.escape_ascii());
    while sim.client.poll_event().is_some() {}
}
