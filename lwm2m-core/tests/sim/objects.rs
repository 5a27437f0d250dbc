//! A vendor's own objects: structs whose fields are bound to resources.

use super::*;
use lwm2m_core::objects::{Instances, Multiple, Time};
use lwm2m_core::sim::BootstrapCommand;
use lwm2m_core::sim::reader::Node;
use lwm2m_core::{Args, DataType, ObjectDef, Operations, Range, ResourceDef, object};

static PUMP: ObjectDef = ObjectDef::new(
    30_000,
    "Pump",
    &[
        ResourceDef::new(0, "Litres", Operations::R, DataType::Integer).mandatory(),
        ResourceDef::new(1, "Label", Operations::RW, DataType::String).range(Range::Length(0, 8)),
        ResourceDef::new(2, "Reset", Operations::E, DataType::None),
        ResourceDef::new(3, "Alarm Levels", Operations::RW, DataType::Integer).multiple(),
        ResourceDef::new(4, "Speed", Operations::RW, DataType::Integer).mandatory().range(Range::Integer(0, 9_999)),
        ResourceDef::new(5, "Key", Operations::Bootstrap, DataType::Opaque),
        ResourceDef::new(6, "Serviced", Operations::W, DataType::Time),
        ResourceDef::new(7, "Not built in", Operations::RW, DataType::Boolean),
    ],
)
.multiple();

#[derive(Clone, Debug, Default, PartialEq)]
struct Pump {
    litres: u32,
    label: Option<String>,
    alarm_levels: Multiple<i16>,
    speed: u8,
    key: Option<Vec<u8>>,
    serviced: Option<Time>,
    resets: u32,
}

impl Pump {
    fn reset(&mut self, _: &Ctx, args: Args<'_>) -> Result<(), Refusal> {
        if !args.as_str().is_empty() {
            return Err(Refusal::Code(Code::BAD_REQUEST));
        }
        self.resets += 1;
        Ok(())
    }
}

object! {
    Pump: PUMP,
    read { 0 => litres },
    write { 1 => label, 3 => alarm_levels, 4 => speed, 5 => key, 6 => serviced },
    execute { 2 => reset },
}

const TLV: ContentFormat = ContentFormat::LWM2M_TLV;
const FIRST: Path = Path::instance(30_000, 0);

/// A device with a pump at /30000/0 and room for another.
fn with_pumps(seed: u64) -> Sim<(Device, Instances<Pump>)> {
    let mut pumps = Instances::new(2);
    assert!(pumps.insert(0, Pump { litres: 7, speed: 1, ..Pump::default() }));
    let config = dm(seed).server(1, "coap://dm.example", Credentials::NoSec, 86_400);
    let mut sim = Sim::new(config, (device(), pumps), seed);
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registration().is_some()));
    sim.run_for(secs(1));
    sim
}

type Pumped = Sim<(Device, Instances<Pump>)>;

fn pump(sim: &Pumped) -> &Pump {
    sim.model.1.get(0).expect("the first pump")
}

fn write(sim: &mut Pumped, path: Path, tlv: &[u8], mode: WriteMode) -> Option<Code> {
    sim.ask(0, |server| server.write(path, TLV, tlv, mode)).code()
}

/// Two values of the Alarm Levels, as TLV.
fn levels(one: (u8, u8), other: (u8, u8)) -> Vec<u8> {
    vec![0x86, 3, 0x41, one.0, one.1, 0x41, other.0, other.1]
}

#[test]
fn its_fields_are_read_as_the_resources_that_they_are_bound_to() {
    let mut sim = with_pumps(1);
    let read = |sim: &mut Pumped| {
        let answer = sim.ask(0, |server| server.read(FIRST, Some(TLV)));
        answer.response().tlv().expect("TLV")
    };
    assert_eq!(read(&mut sim), [Node::Resource(0, vec![7]), Node::Resource(4, vec![1])]);
    let first = sim.model.1.get_mut(0).unwrap();
    first.label = Some("well".into());
    first.alarm_levels = [5, -1].into();
    (first.key, first.serviced) = (Some(vec![1]), Some(Time(5)));
    let levels = vec![Node::ResourceInstance(0, vec![5]), Node::ResourceInstance(1, vec![0xff])];
    let expected = [
        Node::Resource(0, vec![7]),
        Node::Resource(1, b"well".to_vec()),
        Node::Multiple(3, levels),
        Node::Resource(4, vec![1]),
    ];
    assert_eq!(read(&mut sim), expected, "what is only written, or only by a bootstrap, is not read");
    let links = sim.ask(0, |server| server.discover(FIRST));
    let links = links.response().links().expect("links");
    let targets: Vec<_> = links.iter().map(|link| link.target.rsplit('/').next().unwrap()).collect();
    assert!(["0", "1", "2", "3", "4", "6"].iter().all(|id| targets.contains(id)), "{targets:?}");
    assert!(!targets.contains(&"7"), "it is not bound: {targets:?}");
    nobody_complains(&sim);
}

#[test]
fn a_write_changes_its_fields_as_far_as_they_can_hold_it() {
    let mut sim = with_pumps(1);
    let text = |sim: &mut Pumped, resource, text: &str| {
        let path = Path::resource(30_000, 0, resource);
        sim.ask(0, |server| server.write(path, ContentFormat::TEXT_PLAIN, text.as_bytes(), WriteMode::Replace)).code()
    };
    assert_eq!(text(&mut sim, 1, "well"), Some(Code::CHANGED));
    assert_eq!(text(&mut sim, 1, "too long a label"), Some(Code::BAD_REQUEST));
    assert_eq!(text(&mut sim, 4, "255"), Some(Code::CHANGED));
    assert_eq!(text(&mut sim, 4, "256"), Some(Code::BAD_REQUEST), "in range, and more than a u8");
    assert_eq!(text(&mut sim, 0, "1"), Some(Code::METHOD_NOT_ALLOWED));
    assert_eq!(text(&mut sim, 5, "AQ=="), Some(Code::METHOD_NOT_ALLOWED));
    assert_eq!(text(&mut sim, 6, "1700000000"), Some(Code::CHANGED));
    assert_eq!(text(&mut sim, 7, "1"), Some(Code::NOT_FOUND), "it is not bound");
    let expected = Pump {
        litres: 7,
        label: Some("well".into()),
        speed: 255,
        serviced: Some(Time(1_700_000_000)),
        ..Pump::default()
    };
    assert_eq!(pump(&sim), &expected);

    // All or nothing.
    let half = [Tlv::new().text(1, "half").integer(4, 256).bytes(), &levels((0, 1), (1, 2))].concat();
    assert_eq!(write(&mut sim, FIRST, &half, WriteMode::Update), Some(Code::BAD_REQUEST));
    assert_eq!(pump(&sim), &expected);
    nobody_complains(&sim);
}

#[test]
fn several_values_are_merged_or_replaced() {
    let mut sim = with_pumps(1);
    let known = |sim: &Pumped| pump(sim).alarm_levels.iter().map(|(id, level)| (id, *level)).collect::<Vec<_>>();
    assert_eq!(write(&mut sim, FIRST, &levels((0, 10), (2, 30)), WriteMode::Update), Some(Code::CHANGED));
    assert_eq!(write(&mut sim, FIRST, &levels((1, 20), (2, 31)), WriteMode::Update), Some(Code::CHANGED));
    assert_eq!(known(&sim), [(0, 10), (1, 20), (2, 31)]);
    // A Write of the resource puts its values in place of all.
    let resource = Path::resource(30_000, 0, 3);
    assert_eq!(write(&mut sim, resource, &levels((7, 1), (9, 2)), WriteMode::Replace), Some(Code::CHANGED));
    assert_eq!(known(&sim), [(7, 1), (9, 2)]);
    // One of the instance takes away what it does not name, where that can be without a value.
    sim.model.1.get_mut(0).unwrap().key = Some(vec![1]);
    let replaced = Tlv::new().integer(4, 5);
    assert_eq!(write(&mut sim, FIRST, replaced.bytes(), WriteMode::Replace), Some(Code::CHANGED));
    let expected = Pump { litres: 7, speed: 5, key: Some(vec![1]), ..Pump::default() };
    assert_eq!(pump(&sim), &expected, "what a server cannot write stays");
    assert_eq!(
        write(&mut sim, FIRST, Tlv::new().text(1, "a").bytes(), WriteMode::Replace),
        Some(Code::BAD_REQUEST),
        "what is mandatory is not there"
    );
    nobody_complains(&sim);
}

#[test]
fn its_methods_are_executed() {
    let mut sim = with_pumps(1);
    let reset = Path::resource(30_000, 0, 2);
    assert_eq!(sim.ask(0, |server| server.execute(reset, "")).code(), Some(Code::CHANGED));
    assert_eq!(sim.ask(0, |server| server.execute(reset, "1")).code(), Some(Code::BAD_REQUEST));
    assert_eq!(pump(&sim).resets, 1);
    let label = Path::resource(30_000, 0, 4);
    assert_eq!(sim.ask(0, |server| server.execute(label, "")).code(), Some(Code::METHOD_NOT_ALLOWED));
    nobody_complains(&sim);
}

#[test]
fn servers_make_and_delete_instances_up_to_the_limit() {
    let mut sim = with_pumps(1);
    let create = |sim: &mut Pumped, tlv: &Tlv| {
        let answer = sim.ask(0, |server| server.create(Path::object(30_000), TLV, tlv.bytes()));
        (answer.code(), answer.response().location.join("/"))
    };
    // What cannot be written, or is not built in, is passed over.
    let second = Tlv::new().integer(0, 99).integer(4, 3).boolean(7, true).resource(5, &[9]);
    assert_eq!(create(&mut sim, &second), (Some(Code::CREATED), "30000/1".into()));
    assert_eq!(sim.model.1.get(1), Some(&Pump { speed: 3, ..Pump::default() }));
    sim.run_for(secs(5));
    assert!(server(&sim).registration().expect("registered").lists("/30000/1"), "{}", sim.trace);

    assert_eq!(create(&mut sim, &second).0, Some(Code::SERVICE_UNAVAILABLE));
    assert_eq!(sim.ask(0, |server| server.delete(FIRST)).code(), Some(Code::DELETED));
    assert_eq!(sim.model.1.iter().map(|(id, _)| id).collect::<Vec<_>>(), [1]);
    assert_eq!(create(&mut sim, &Tlv::new()).0, Some(Code::BAD_REQUEST), "what is mandatory is not there");
    let two = Tlv::new().instance(5, &second).instance(6, &second);
    assert_eq!(create(&mut sim, &two).0, Some(Code::SERVICE_UNAVAILABLE), "there is room for one");
    assert_eq!(create(&mut sim, &Tlv::new().instance(0, &second)).0, Some(Code::CREATED));

    // Only the application does so.
    sim.model.1 = Instances::new(5).fixed();
    assert!(sim.model.1.insert(0, Pump::default()));
    sim.notify(Path::object(30_000));
    assert_eq!(create(&mut sim, &second).0, Some(Code::METHOD_NOT_ALLOWED));
    assert_eq!(sim.ask(0, |server| server.delete(FIRST)).code(), Some(Code::METHOD_NOT_ALLOWED));
    nobody_complains(&sim);
}

#[test]
fn a_bootstrap_server_writes_what_is_its_alone() {
    let mut pumps = Instances::new(2);
    assert!(pumps.insert(0, Pump { litres: 7, label: Some("well".into()), ..Pump::default() }));
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, (device(), pumps), 1);
    let first = Tlv::new().integer(0, 99).integer(4, 3).boolean(7, true).resource(5, &[9]);
    let both = Tlv::new().instance(0, &first).instance(1, &first);
    let mut script = sim.platform.bootstrap.commands(&sim.platform.servers);
    let write = BootstrapCommand::Write { path: Path::object(30_000), format: TLV, payload: both.bytes().to_vec() };
    script.retain(|command| !matches!(command, BootstrapCommand::Delete(_)));
    script.insert(script.len() - 1, write);
    sim.platform.bootstrap.script = Some(script);
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registration().is_some()), "{}", sim.trace);
    let written = Pump { speed: 3, key: Some(vec![9]), ..Pump::default() };
    assert_eq!(sim.model.1.get(0), Some(&Pump { litres: 7, ..written.clone() }), "litres are the pump's own");
    assert_eq!(sim.model.1.get(1), Some(&written));
    nobody_complains(&sim);
}
