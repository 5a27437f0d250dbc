//! The optional objects Connectivity Monitoring, Location and Connectivity Statistics: OMA enabler
//! tests for LwM2M 1.0.

use coap_codec::Code;
use lwm2m_core::objects::{ConnectivityMonitoring, ConnectivityStatistics, Device, Location, bearer};
use lwm2m_core::sim::Sim;
use lwm2m_core::sim::reader::Node;
use lwm2m_core::{Leaf, Path};

use crate::device::{execute, ids, integer, integers, online, put, read};
use crate::terminal::*;

fn monitored() -> (Device, ConnectivityMonitoring) {
    let mut monitoring = ConnectivityMonitoring::new(bearer::LTE_FDD);
    monitoring.available_bearers = [bearer::LTE_FDD, bearer::NB_IOT].into();
    monitoring.radio_signal_strength = Some(-97);
    monitoring.ip_addresses = ["10.0.0.7".into(), "fd00::7".into()].into();
    (device(), monitoring)
}

#[test]
fn int_701_connectivity_monitoring_is_read() {
    let mut sim = online(1, monitored());
    let monitoring = read(&mut sim, Path::instance(4, 0));
    assert_eq!(ids(&monitoring), [0, 1, 2, 4]);
    assert_eq!((integer(&monitoring, 0), integer(&monitoring, 2)), (6, -97));
    assert_eq!(integers(&monitoring, 1), [(0, 6), (1, 7)]);
    let address = |id, text: &str| Node::ResourceInstance(id, text.into());
    let addresses = Node::Multiple(4, vec![address(0, "10.0.0.7"), address(1, "fd00::7")]);
    assert_eq!(Node::find(&monitoring, 4), Some(&addresses));

    // Configuration C.5: every resource.
    let object = &mut sim.model.1;
    object.link_quality = Some(57);
    object.router_ip_addresses = ["10.0.0.1".into()].into();
    object.link_utilization = Some(12);
    object.apn = ["cmiot".into()].into();
    object.cell_id = Some(0x0123_4567);
    (object.smnc, object.smcc) = (Some(0), Some(460));
    let monitoring = read(&mut sim, Path::instance(4, 0));
    assert_eq!(ids(&monitoring), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!([3, 6, 8, 9, 10].map(|id| integer(&monitoring, id)), [57, 12, 0x0123_4567, 0, 460]);
    assert_eq!(Node::find(&monitoring, 5), Some(&Node::Multiple(5, vec![address(0, "10.0.0.1")])));
    assert_eq!(Node::find(&monitoring, 7), Some(&Node::Multiple(7, vec![address(0, "cmiot")])));
    nobody_complains(&sim);
}

/// The float of a resource: 4 or 8 bytes.
#[track_caller]
fn float(nodes: &[Node], id: u16) -> f64 {
    let value = Node::find(nodes, id).and_then(Node::value).expect("a value");
    match value.len() {
        4 => f32::from_be_bytes(value.try_into().unwrap()).into(),
        _ => f64::from_be_bytes(value.try_into().expect("8 bytes")),
    }
}

#[test]
fn int_801_location_is_read() {
    const LOCATION: Path = Path::instance(6, 0);
    let mut sim = online(1, (device(), Location::default()));
    assert_eq!(read(&mut sim, LOCATION), [], "there was no fix yet");
    sim.model.1.fix(39.9042, -116.4074, 1_767_225_600);
    let location = read(&mut sim, LOCATION);
    assert_eq!(ids(&location), [0, 1, 5]);
    assert_eq!((float(&location, 0), float(&location, 1)), (39.9042, -116.4074));
    assert_eq!(integer(&location, 5), 1_767_225_600);
    let text = |sim: &mut Sim<_>, id| {
        sim.ask(0, |server| server.read(Leaf::new(6, 0, id).path(), None)).response().text().to_string()
    };
    assert_eq!(text(&mut sim, 1), "-116.4074");

    let object = &mut sim.model.1;
    (object.altitude, object.radius, object.speed) = (Some(44.5), Some(8.0), Some(0.25));
    object.velocity = Some(vec![0, 90, 0, 5]);
    let location = read(&mut sim, LOCATION);
    assert_eq!(ids(&location), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!([2, 3, 6].map(|id| float(&location, id)), [44.5, 8.0, 0.25]);
    assert_eq!(Node::find(&location, 4).and_then(Node::value), Some(&[0, 90, 0, 5][..]));
    // The next fix is of another place.
    sim.model.1.fix(0.0, 0.0, 1_767_225_601);
    assert_eq!(ids(&read(&mut sim, LOCATION)), [0, 1, 5]);
    nobody_complains(&sim);
}

const STATISTICS: Path = Path::instance(7, 0);
const START: Path = Path::resource(7, 0, 6);
const STOP: Path = Path::resource(7, 0, 7);
const PERIOD: Path = Path::resource(7, 0, 8);

type Counting = Sim<(Device, ConnectivityStatistics)>;

/// One of each.
fn traffic(sim: &mut Counting) {
    let now = sim.now();
    let statistics = &mut sim.model.1;
    statistics.sms_sent(now);
    statistics.sms_received(now);
    statistics.sent(now, 2_000);
    statistics.received(now, 1_072);
}

/// Resources 0 to 5, as the server reads them.
#[track_caller]
fn counters(sim: &mut Counting) -> [i64; 6] {
    let statistics = read(sim, STATISTICS);
    [0, 1, 2, 3, 4, 5].map(|id| integer(&statistics, id))
}

#[test]
fn int_901_statistics_are_started_stopped_and_read() {
    let mut sim = online(1, (device(), ConnectivityStatistics::with_sms()));
    traffic(&mut sim);
    assert_eq!(counters(&mut sim), [0; 6], "nothing is collected yet");
    assert_eq!(execute(&mut sim, START), Some(Code::CHANGED));
    traffic(&mut sim);
    sim.run_for(DAY / 2);
    traffic(&mut sim);
    assert_eq!(execute(&mut sim, STOP), Some(Code::CHANGED));
    traffic(&mut sim);
    assert_eq!(counters(&mut sim), [2, 2, 3, 2, 2_000, 1_536], "4000 and 2144 bytes");
    assert_eq!(ids(&read(&mut sim, STATISTICS)), [0, 1, 2, 3, 4, 5, 8]);
    // It starts from 0.
    assert_eq!(execute(&mut sim, START), Some(Code::CHANGED));
    assert_eq!(counters(&mut sim), [0; 6]);
    nobody_complains(&sim);

    // A device without SMS has no counters for it.
    let mut sim = online(2, (device(), ConnectivityStatistics::new()));
    assert_eq!(execute(&mut sim, START), Some(Code::CHANGED));
    traffic(&mut sim);
    assert_eq!(ids(&read(&mut sim, STATISTICS)), [2, 3, 4, 5, 8]);
    nobody_complains(&sim);
}

#[test]
fn int_905_the_collection_period_is_written() {
    let mut sim = online(1, (device(), ConnectivityStatistics::with_sms()));
    assert_eq!(sim.ask(0, |server| server.read(PERIOD, None)).response().text(), "0");
    assert_eq!(put(&mut sim, PERIOD, "60"), Some(Code::CHANGED));
    assert_eq!(sim.ask(0, |server| server.read(PERIOD, None)).response().text(), "60");
    // And it is kept.
    assert_eq!(execute(&mut sim, START), Some(Code::CHANGED));
    sim.run_for(secs(55));
    traffic(&mut sim);
    sim.run_for(secs(10));
    traffic(&mut sim);
    assert_eq!(counters(&mut sim), [1, 1, 1, 1, 2_000, 1_536]);
    // What is over does not begin again with another period, but with another Start.
    assert_eq!(put(&mut sim, PERIOD, "600"), Some(Code::CHANGED));
    traffic(&mut sim);
    assert_eq!(counters(&mut sim), [1, 1, 1, 1, 2_000, 1_536]);
    assert_eq!(execute(&mut sim, START), Some(Code::CHANGED));
    sim.run_for(secs(500));
    traffic(&mut sim);
    assert_eq!(counters(&mut sim)[..2], [1, 1]);
    assert_eq!(put(&mut sim, PERIOD, "-1"), Some(Code::BAD_REQUEST));
    nobody_complains(&sim);
}
