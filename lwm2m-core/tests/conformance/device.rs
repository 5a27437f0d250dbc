//! The Device and the Server object: OMA enabler tests for LwM2M 1.0, and XD cases of Device.

use core::time::Duration;

use coap_codec::{Code, ContentFormat};
use lwm2m_core::objects::{Device, DeviceAction, Link};
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{Sim, Tlv, WriteMode};
use lwm2m_core::{Credentials, DataModel, Event, Instant, Path};

use crate::terminal::*;

const DEVICE: Path = Path::instance(3, 0);
const SERVER: Path = Path::instance(1, 0);

/// A device with these objects, bootstrapped and registered.
#[track_caller]
pub fn online<M: DataModel>(seed: u64, model: M) -> Sim<M> {
    let mut sim = Sim::new(dm(seed).bootstrap_server("coap://bs.example", Credentials::NoSec), model, seed);
    connect(&mut sim);
    sim
}

/// The network comes, and the device registers.
#[track_caller]
pub fn connect<M: DataModel>(sim: &mut Sim<M>) {
    let before = server(sim).registers_seen();
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registers_seen() > before), "{}", sim.trace);
    sim.run_for(secs(1));
}

/// The TLV that a Read gives.
#[track_caller]
pub fn read<M: DataModel>(sim: &mut Sim<M>, path: Path) -> Vec<Node> {
    let answer = sim.ask(0, |server| server.read(path, Some(ContentFormat::LWM2M_TLV)));
    let response = answer.response();
    assert_eq!((response.code, response.format), (Code::CONTENT, Some(ContentFormat::LWM2M_TLV)));
    response.tlv().expect("TLV")
}

pub fn ids(nodes: &[Node]) -> Vec<u16> {
    nodes.iter().map(Node::id).collect()
}

#[track_caller]
pub fn integer(nodes: &[Node], id: u16) -> i64 {
    Node::find(nodes, id).and_then(Node::integer).unwrap_or_else(|| panic!("no integer {id} in {nodes:?}"))
}

/// The values of a multiple resource by their ids.
#[track_caller]
pub fn integers(nodes: &[Node], id: u16) -> Vec<(u16, i64)> {
    let Some(Node::Multiple(_, values)) = Node::find(nodes, id) else { panic!("no multiple {id} in {nodes:?}") };
    values.iter().map(|value| (value.id(), value.integer().expect("an integer"))).collect()
}

/// Writes a resource as text.
pub fn put<M: DataModel>(sim: &mut Sim<M>, path: Path, text: &str) -> Option<Code> {
    let format = ContentFormat::TEXT_PLAIN;
    sim.ask(0, |server| server.write(path, format, text.as_bytes(), WriteMode::Replace)).code()
}

/// Writes to an instance as TLV.
pub fn write<M: DataModel>(sim: &mut Sim<M>, path: Path, values: &Tlv, mode: WriteMode) -> Option<Code> {
    sim.ask(0, |server| server.write(path, ContentFormat::LWM2M_TLV, values.bytes(), mode)).code()
}

pub fn execute<M: DataModel>(sim: &mut Sim<M>, path: Path) -> Option<Code> {
    sim.ask(0, |server| server.execute(path, "")).code()
}

/// Configuration C.1: what is mandatory, and who made it.
fn known() -> Device {
    let mut device = Device::new("Example Works", "TM-1");
    device.serial_number = Some("0001-345".into());
    device.firmware_version = Some("1.2.3".into());
    device
}

/// Configuration C.6: every resource.
fn whole() -> Device {
    let mut device = known();
    device.power_sources = [1, 5].into();
    device.voltages = [3_800, 5_000].into();
    device.currents = [125, 900].into();
    device.battery_level = Some(100);
    device.memory_free = Some(15);
    device.current_time = Some((1_367_491_215, Instant::ZERO));
    device.utc_offset = Some("+02:00".into());
    device.timezone = Some("Europe/Berlin".into());
    device.device_type = Some("terminal".into());
    device.hardware_version = Some("A".into());
    device.software_version = Some("7".into());
    device.battery_status = Some(0);
    device.memory_total = Some(128);
    device.ext_dev_info = [Link(3, 0)].into();
    device
}

#[test]
fn int_201_single_values_are_read_as_text() {
    let mut sim = online(1, known());
    for (resource, text) in [(0, "Example Works"), (1, "TM-1"), (2, "0001-345")] {
        let path = Path::resource(3, 0, resource);
        let answer = sim.ask(0, |server| server.read(path, Some(ContentFormat::TEXT_PLAIN)));
        let response = answer.response();
        assert_eq!((response.code, response.format), (Code::CONTENT, Some(ContentFormat::TEXT_PLAIN)));
        assert_eq!(response.payload, text.as_bytes());
    }
    nobody_complains(&sim);
}

#[test]
fn int_203_an_instance_is_read_as_tlv() {
    let mut sim = online(1, known());
    let device = read(&mut sim, DEVICE);
    let text = |id, text: &str| Node::Resource(id, text.into());
    let expected = [
        text(0, "Example Works"),
        text(1, "TM-1"),
        text(2, "0001-345"),
        text(3, "1.2.3"),
        Node::Multiple(11, vec![Node::ResourceInstance(0, vec![0])]),
        text(16, "U"),
    ];
    assert_eq!(device, expected, "the resources themselves, and nothing around them");
    nobody_complains(&sim);
}

/// Configuration C.3: an account with every resource of Server.
fn accounted(seed: u64) -> Sim<Device> {
    let mut sim = terminal(seed);
    let server = server_mut(&mut sim);
    (server.min_period, server.max_period, server.disable_timeout) = (Some(1), Some(60), Some(600));
    connect(&mut sim);
    sim
}

#[test]
fn int_205_single_values_are_written_as_text() {
    let mut sim = accounted(1);
    let initial = read(&mut sim, SERVER);
    assert_eq!([2, 3, 5].map(|id| integer(&initial, id)), [1, 60, 600]);
    for (resource, text) in [(2, "0101"), (3, "1010"), (5, "2000")] {
        assert_eq!(put(&mut sim, Path::resource(1, 0, resource), text), Some(Code::CHANGED));
    }
    let written = read(&mut sim, SERVER);
    assert_eq!([2, 3, 5].map(|id| integer(&written, id)), [101, 1_010, 2_000]);
    for (resource, text) in [(2, "1"), (3, "60"), (5, "600")] {
        assert_eq!(put(&mut sim, Path::resource(1, 0, resource), text), Some(Code::CHANGED));
    }
    assert_eq!(read(&mut sim, SERVER), initial);
    nobody_complains(&sim);
}

#[test]
fn int_215_several_values_are_written_as_tlv() {
    several_values_of_server(1);
}

#[test]
fn int_551_the_server_object_is_written() {
    several_values_of_server(2);
}

#[track_caller]
fn several_values_of_server(seed: u64) {
    let mut sim = accounted(seed);
    let initial = read(&mut sim, SERVER);
    let merged = Tlv::new().integer(2, 101).integer(3, 1_010).integer(5, 2_000).boolean(6, false).text(7, "UQ");
    assert_eq!(write(&mut sim, SERVER, &merged, WriteMode::Update), Some(Code::CHANGED));
    sim.run_for(secs(1));
    let told = |sim: &Sim<Device>| -> Vec<_> {
        requests(sim, Code::POST, &location_of(sim)).iter().map(Sent::query).collect()
    };
    assert_eq!(told(&sim), [["b=UQ"]], "{}", sim.trace);
    assert_eq!(&*server(&sim).registration().expect("it is registered").binding, "UQ");

    let after = read(&mut sim, SERVER);
    assert_eq!(ids(&after), ids(&initial));
    assert_eq!([0, 1, 2, 3, 5, 6].map(|id| integer(&after, id)), [1, 86_400, 101, 1_010, 2_000, 0]);
    assert_eq!(Node::find(&after, 7).and_then(Node::text), Some("UQ"));

    let replaced =
        Tlv::new().integer(1, 86_400).integer(2, 1).integer(3, 60).integer(5, 600).boolean(6, true).text(7, "U");
    assert_eq!(write(&mut sim, SERVER, &replaced, WriteMode::Replace), Some(Code::CHANGED));
    sim.run_for(secs(1));
    assert_eq!(told(&sim), [["b=UQ"], ["b=U"]], "{}", sim.trace);
    assert_eq!(read(&mut sim, SERVER), initial);
    nobody_complains(&sim);
}

#[test]
fn int_241_execute_reboots() {
    reboots(1);
}

#[test]
fn int_655_the_device_object_is_executed() {
    reboots(2);
}

#[track_caller]
fn reboots(seed: u64) {
    let mut sim = online(seed, known());
    assert_eq!(sim.model.take_action(), None);
    assert_eq!(execute(&mut sim, REBOOT), Some(Code::CHANGED));
    assert_eq!(happened(&sim, Event::Executed { origin: lwm2m_core::Origin::Server(1), path: REBOOT }), 1);
    assert_eq!((sim.model.take_action(), sim.model.take_action()), (Some(DeviceAction::Reboot), None));
    sim.reboot();
    connect(&mut sim);
    assert_eq!(server(&sim).registers_seen(), 2);
    assert_eq!(read(&mut sim, Path::resource(3, 0, 3)), [Node::Resource(3, "1.2.3".into())]);
    nobody_complains(&sim);
}

#[test]
fn int_556_the_server_object_triggers_an_update() {
    let mut sim = terminal(1);
    server_mut(&mut sim).lifetime = 20;
    connect(&mut sim);
    let before = server(&sim).updates_seen();
    assert_eq!(execute(&mut sim, Path::resource(1, 0, 8)), Some(Code::CHANGED));
    sim.run_for(millis(500));
    let updates = requests(&sim, Code::POST, &location_of(&sim));
    let update = updates.last().expect("an Update");
    assert!(update.query().is_empty() && update.message().payload().is_empty(), "{}", sim.trace);
    assert_eq!(server(&sim).updates_seen(), before + 1);
    sim.run_for(secs(30));
    assert_eq!(server(&sim).registers_seen(), 1);
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn int_651_the_device_object_is_written() {
    let mut sim = online(1, whole());
    let initial = read(&mut sim, DEVICE);
    assert_eq!(ids(&initial), [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]);
    assert_eq!(integers(&initial, 6), [(0, 1), (1, 5)]);
    assert_eq!(integers(&initial, 7), [(0, 3_800), (1, 5_000)]);
    assert_eq!(integers(&initial, 8), [(0, 125), (1, 900)]);
    assert_eq!(Node::find(&initial, 22), Some(&Node::Multiple(22, vec![Node::ResourceInstance(0, vec![0, 3, 0, 0])])));
    // The time runs on its own.
    let rest = |nodes: Vec<Node>, own: &[u16]| -> Vec<_> {
        nodes.into_iter().filter(|node| !own.contains(&node.id())).collect()
    };

    let new = Tlv::new().integer(13, 1_700_000_000).text(14, "+08:00").text(15, "Asia/Shanghai");
    assert_eq!(write(&mut sim, DEVICE, &new, WriteMode::Update), Some(Code::CHANGED));
    let written = read(&mut sim, DEVICE);
    assert!((1_700_000_000..1_700_000_005).contains(&integer(&written, 13)), "{written:?}");
    assert_eq!(Node::find(&written, 14).and_then(Node::text), Some("+08:00"));
    assert_eq!(Node::find(&written, 15).and_then(Node::text), Some("Asia/Shanghai"));
    assert_eq!(rest(written, &[13, 14, 15]), rest(initial.clone(), &[13, 14, 15]), "what can only be read stays");

    let old = Tlv::new().integer(13, integer(&initial, 13)).text(14, "+02:00").text(15, "Europe/Berlin");
    assert_eq!(write(&mut sim, DEVICE, &old, WriteMode::Replace), Some(Code::CHANGED));
    let again = read(&mut sim, DEVICE);
    let started = integer(&initial, 13);
    assert!((started..started + 5).contains(&integer(&again, 13)), "{again:?}");
    assert_eq!(rest(again, &[13]), rest(initial, &[13]));
    nobody_complains(&sim);
}

#[test]
fn int_652_the_device_object_is_read_in_its_own_format() {
    let mut sim = online(1, known());
    let answer = sim.ask(0, |server| server.read(Path::resource(3, 0, 3), None));
    let response = answer.response();
    assert_eq!((response.code, response.format), (Code::CONTENT, Some(ContentFormat::TEXT_PLAIN)));
    assert_eq!(response.payload, b"1.2.3");
    nobody_complains(&sim);
}

#[test]
fn int_680_there_is_no_second_device() {
    let mut sim = online(1, whole());
    let before = rest_of(&mut sim);
    for tlv in [Tlv::new().text(14, "+01:00"), Tlv::new().instance(1, &Tlv::new().text(14, "+01:00"))] {
        let answer = sim.ask(0, |server| server.create(Path::object(3), ContentFormat::LWM2M_TLV, tlv.bytes()));
        assert_eq!(answer.code(), Some(Code::METHOD_NOT_ALLOWED));
    }
    assert_eq!(rest_of(&mut sim), before);
    assert_eq!(sim.model.next_instance(3, Some(0)), None);
    nobody_complains(&sim);
}

#[test]
fn int_685_the_device_cannot_be_deleted() {
    let mut sim = online(1, whole());
    let before = rest_of(&mut sim);
    assert_eq!(sim.ask(0, |server| server.delete(DEVICE)).code(), Some(Code::METHOD_NOT_ALLOWED));
    assert_eq!(rest_of(&mut sim), before);
    nobody_complains(&sim);
}

/// All of Device but the time.
#[track_caller]
fn rest_of(sim: &mut Sim<Device>) -> Vec<Node> {
    read(sim, DEVICE).into_iter().filter(|node| node.id() != 13).collect()
}

#[test]
fn xd_32_error_codes_come_and_go_by_their_instances() {
    const ERRORS: Path = Path::resource(3, 0, 11);
    let mut sim = online(1, known());
    let codes = |sim: &mut Sim<Device>| integers(&read(sim, ERRORS), 11);
    assert_eq!(codes(&mut sim), [(0, 0)]);
    sim.model.add_error(1);
    assert_eq!(codes(&mut sim), [(0, 1)]);
    sim.model.add_error(4);
    sim.model.add_error(4);
    assert_eq!(codes(&mut sim), [(0, 1), (1, 4)]);
    // One goes, and the other keeps its place; the next one takes what is free.
    sim.model.clear_error(1);
    assert_eq!(codes(&mut sim), [(1, 4)]);
    sim.model.add_error(7);
    assert_eq!(codes(&mut sim), [(0, 7), (1, 4)]);
    sim.model.clear_error(4);
    sim.model.clear_error(7);
    assert_eq!(codes(&mut sim), [(0, 0)]);

    sim.model.add_error(2);
    sim.model.add_error(3);
    assert_eq!(execute(&mut sim, Path::resource(3, 0, 12)), Some(Code::CHANGED));
    assert_eq!(codes(&mut sim), [(0, 0)]);
    assert_eq!(sim.model.errors().count(), 0);
    nobody_complains(&sim);
}

#[test]
fn xd_33_the_clock_runs_from_where_it_is_set() {
    const TIME: Path = Path::resource(3, 0, 13);
    let mut sim = online(1, known());
    // There is no clock before somebody sets it.
    assert_eq!(sim.ask(0, |server| server.read(TIME, None)).code(), Some(Code::NOT_FOUND));
    for set in [1_700_000_000, 5, 4_102_444_800] {
        let before = sim.now();
        assert_eq!(put(&mut sim, TIME, &set.to_string()), Some(Code::CHANGED));
        let after = sim.now();
        for pause in [0, 1, 3_600, 40_000] {
            sim.run_for(Duration::from_secs(pause));
            let (sent, time) = (sim.now(), integer(&read(&mut sim, TIME), 13));
            // It was set at some moment of the one exchange, and read at some moment of the other.
            let earliest = set + sent.saturating_duration_since(after).as_secs().cast_signed();
            let latest = set + sim.now().saturating_duration_since(before).as_secs().cast_signed();
            assert!((earliest..=latest).contains(&time), "{earliest} <= {time} <= {latest}");
        }
    }
    nobody_complains(&sim);
}

/// Not a case of the lists: a factory reset is more than a reboot, whichever comes first.
#[test]
fn a_factory_reset_is_not_forgotten_for_a_reboot() {
    let mut sim = online(1, known());
    assert_eq!(execute(&mut sim, Path::resource(3, 0, 5)), Some(Code::CHANGED));
    assert_eq!(execute(&mut sim, REBOOT), Some(Code::CHANGED));
    assert_eq!(sim.model.take_action(), Some(DeviceAction::FactoryReset));
}

/// Not a case of the lists: what a server may write has a bound, and a bootstrap server changes
/// nothing that is the device's own.
#[test]
fn the_texts_that_a_server_writes_are_bounded() {
    let mut sim = online(1, whole());
    let timezone = Path::resource(3, 0, 15);
    assert_eq!(put(&mut sim, timezone, &"x".repeat(64)), Some(Code::CHANGED));
    assert_eq!(put(&mut sim, timezone, &"y".repeat(65)), Some(Code::BAD_REQUEST));
    assert_eq!(sim.model.timezone.as_deref(), Some(&*"x".repeat(64)));
}
