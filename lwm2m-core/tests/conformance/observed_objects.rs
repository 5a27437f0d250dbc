//! The objects as servers observe them: OMA enabler tests for LwM2M 1.0.

use core::time::Duration;

use coap_codec::{Code, ContentFormat};
use lwm2m_core::objects::{
    ConnectivityMonitoring, ConnectivityStatistics, Device, FirmwareUpdate, Location, PackageStore, Protocol,
    StoreError, bearer,
};
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{Ask, Notification, OperationId, Sim, WriteMode};
use lwm2m_core::{Ctx, DataModel, Event, Part, Path};

use crate::device::{execute, integer, integers, online, put};
use crate::terminal::*;

/// Write-Attributes.
fn attributes<M: DataModel>(sim: &mut Sim<M>, path: &str, query: &[&str]) -> Option<Code> {
    let query = query.iter().map(|argument| (*argument).to_string()).collect();
    sim.ask(0, |server| server.request(Ask { query, ..Ask::new(Code::PUT, path) })).code()
}

/// Observes as TLV: the first value, and the observation.
#[track_caller]
fn observe<M: DataModel>(sim: &mut Sim<M>, path: Path) -> (Vec<Node>, OperationId) {
    let operation = server_mut(sim).observe(path, Some(ContentFormat::LWM2M_TLV));
    sim.run_for(millis(500));
    let answer = server(sim).answer(operation).expect("an answer");
    assert_eq!((answer.code(), answer.response().observe.is_some()), (Some(Code::CONTENT), true));
    (answer.response().tlv().expect("TLV"), operation)
}

fn told<M: DataModel>(sim: &Sim<M>, observation: OperationId) -> Vec<Vec<Node>> {
    let notifications = server(sim).notifications(observation).iter();
    notifications.map(|notification| notification.response.tlv().expect("TLV")).collect()
}

/// No two notifications nearer than `min` or further apart than `max`, but for their way.
#[track_caller]
fn within(notifications: &[Notification], min: u64, max: u64) {
    for pair in notifications.windows(2) {
        let pause = between(pair[0].at, pair[1].at);
        let way = millis(200);
        assert!(pause + way >= secs(min) && pause <= secs(max) + way, "{pause:?}");
    }
}

#[test]
fn int_660_the_device_object_is_observed() {
    let mut device = Device::new("Example Works", "TM-1");
    device.power_sources = [1, 5].into();
    device.voltages = [3_800, 5_000].into();
    device.currents = [125, 900].into();
    let mut sim = online(1, device);
    let sources = sim.ask(0, |server| server.read(Path::resource(3, 0, 6), Some(ContentFormat::LWM2M_TLV)));
    assert_eq!(integers(&sources.response().tlv().expect("TLV"), 6), [(0, 1), (1, 5)]);
    assert_eq!(attributes(&mut sim, "/3/0/7", &["pmin=5", "pmax=15"]), Some(Code::CHANGED));
    assert_eq!(attributes(&mut sim, "/3/0/8", &["pmin=10", "pmax=20"]), Some(Code::CHANGED));
    let [(first, voltages), (second, currents)] = [7, 8].map(|id| observe(&mut sim, Path::resource(3, 0, id)));
    assert_eq!(integers(&first, 7), [(0, 3_800), (1, 5_000)]);
    assert_eq!(integers(&second, 8), [(0, 125), (1, 900)]);
    // They change all the time for a minute, and then no more.
    for step in 1..=60 {
        sim.model.voltages.set(0, 3_800 - step);
        sim.model.currents.set(1, 900 + step);
        sim.notify(Path::instance(3, 0));
        sim.run_for(secs(1));
    }
    let changes = [voltages, currents].map(|observation| server(&sim).notifications(observation).len());
    assert_eq!(changes, [12, 6], "as often as they may\n{}", sim.trace);
    sim.run_for(secs(60));
    within(server(&sim).notifications(voltages), 5, 15);
    within(server(&sim).notifications(currents), 10, 20);
    assert_eq!(integers(told(&sim, voltages).last().unwrap(), 7), [(0, 3_740), (1, 5_000)]);
    assert_eq!(integers(told(&sim, currents).last().unwrap(), 8), [(0, 125), (1, 960)]);
    let all = [voltages, currents].map(|observation| server(&sim).notifications(observation).len());
    assert!(all[0] >= 15 && all[1] >= 8, "{all:?}");
    nobody_complains(&sim);
}

#[test]
fn int_710_connectivity_monitoring_is_observed() {
    const MONITORING: Path = Path::instance(4, 0);
    let mut monitoring = ConnectivityMonitoring::new(bearer::NB_IOT);
    monitoring.radio_signal_strength = Some(-97);
    monitoring.ip_addresses = ["10.0.0.7".into()].into();
    let mut sim = online(1, (device(), monitoring));
    assert_eq!(attributes(&mut sim, "/4/0", &["pmin=2", "pmax=10"]), Some(Code::CHANGED));
    let (first, observation) = observe(&mut sim, MONITORING);
    assert_eq!(integer(&first, 2), -97);
    let begun = sim.now();
    sim.run_for(secs(35));
    assert_eq!(server(&sim).notifications(observation).len(), 3, "nothing changed\n{}", sim.trace);
    for strength in [-98, -99, -100, -90] {
        sim.model.1.radio_signal_strength = Some(strength);
        sim.notify(MONITORING);
        sim.run_for(secs(3));
    }
    let strengths: Vec<_> = told(&sim, observation).iter().map(|nodes| integer(nodes, 2)).collect();
    assert_eq!(strengths, [-97, -97, -97, -98, -99, -100, -90]);
    let notifications = server(&sim).notifications(observation);
    within(notifications, 2, 10);
    assert!(between(begun, notifications[0].at) <= secs(10));
    nobody_complains(&sim);
}

#[test]
fn int_760_the_state_of_a_firmware_update_is_observed() {
    let firmware = FirmwareUpdate::new(AnyPackage, [Protocol::Coap]);
    let mut sim = online(1, (device(), firmware));
    assert_eq!(attributes(&mut sim, "/5/0", &["pmin=2", "pmax=10"]), Some(Code::CHANGED));
    let (first, observation) = observe(&mut sim, Path::resource(5, 0, 3));
    assert_eq!(integer(&first, 3), 0);
    let package = Path::resource(5, 0, 0);
    let format = ContentFormat::OCTET_STREAM;
    let written = sim.ask(0, |server| server.write(package, format, b"image", WriteMode::Replace));
    assert_eq!(written.code(), Some(Code::CHANGED));
    sim.run_for(secs(5));
    let states: Vec<_> = told(&sim, observation).iter().map(|nodes| integer(nodes, 3)).collect();
    assert_eq!(states, [2], "{}", sim.trace);
    nobody_complains(&sim);
}

/// Takes every package.
#[derive(Clone, Copy, Debug)]
struct AnyPackage;

impl PackageStore for AnyPackage {
    fn store(&mut self, _: &Ctx, _: Part<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn discard(&mut self) {}
}

#[test]
fn int_810_location_is_observed() {
    const LOCATION: Path = Path::instance(6, 0);
    const EPOCH: i64 = 1_767_225_600;
    let mut sim = online(1, (device(), Location::default()));
    let started = sim.now();
    sim.model.1.fix(39.9042, 116.4074, EPOCH);
    assert_eq!(attributes(&mut sim, "/6/0", &["pmin=2", "pmax=10"]), Some(Code::CHANGED));
    let (first, observation) = observe(&mut sim, LOCATION);
    assert_eq!(integer(&first, 5), EPOCH);
    for _ in 0..10 {
        sim.run_for(secs(3));
        let elapsed = between(started, sim.now()).as_secs().cast_signed();
        sim.model.1.fix(39.9042, 116.4074, EPOCH + elapsed);
        sim.notify(LOCATION);
    }
    sim.run_for(millis(500));
    let notifications = server(&sim).notifications(observation);
    within(notifications, 2, 10);
    let times: Vec<_> = told(&sim, observation).iter().map(|nodes| integer(nodes, 5)).collect();
    assert_eq!(times.len(), 10, "{}", sim.trace);
    assert!(times.is_sorted_by(|earlier, later| earlier < later), "{times:?}");
    for (notification, time) in notifications.iter().zip(times) {
        let real = EPOCH + between(started, notification.at).as_secs().cast_signed();
        assert!((real - 1..=real).contains(&time), "{time} at {real}");
    }
    nobody_complains(&sim);
}

#[test]
fn int_910_statistics_are_observed_while_they_are_collected() {
    const STATISTICS: Path = Path::instance(7, 0);
    type Counting = Sim<(Device, ConnectivityStatistics)>;
    let mut sim: Counting = online(1, (device(), ConnectivityStatistics::with_sms()));
    assert_eq!(attributes(&mut sim, "/7/0", &["pmin=1", "pmax=10"]), Some(Code::CHANGED));
    assert_eq!(put(&mut sim, Path::resource(7, 0, 8), "0"), Some(Code::CHANGED));
    let (first, observation) = observe(&mut sim, STATISTICS);
    assert_eq!([0, 1, 2, 3, 4, 5, 8].map(|id| integer(&first, id)), [0; 7]);
    let traffic = |sim: &mut Counting| {
        for _ in 0..5 {
            let now = sim.now();
            sim.model.1.sms_sent(now);
            sim.model.1.sent(now, 1_024);
            sim.notify(STATISTICS);
            sim.run_for(secs(2));
        }
    };
    let counts = |sim: &Counting| {
        let counted = told(sim, observation).into_iter();
        counted.map(|nodes| (integer(&nodes, 0), integer(&nodes, 2))).collect::<Vec<_>>()
    };
    assert_eq!(execute(&mut sim, Path::resource(7, 0, 6)), Some(Code::CHANGED));
    traffic(&mut sim);
    assert_eq!(counts(&sim), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)], "{}", sim.trace);
    assert_eq!(execute(&mut sim, Path::resource(7, 0, 7)), Some(Code::CHANGED));
    traffic(&mut sim);
    // Only what pmax forces, and always the same.
    assert!(counts(&sim)[5..].iter().all(|count| *count == (5, 5)), "{:?}", counts(&sim));
    let cancelled = server_mut(&mut sim).cancel(observation);
    sim.run_for(secs(1));
    assert_eq!(server(&sim).answer(cancelled).expect("an answer").code(), Some(Code::CONTENT));
    let known = counts(&sim).len();
    sim.run_for(Duration::from_secs(60));
    assert_eq!(counts(&sim).len(), known);
    nobody_complains(&sim);
}

#[test]
fn who_cannot_be_told_at_once_that_an_instance_is_gone_is_told_until_it_hears_it() {
    let mut sim = racked(sharing(two_servers(1), &[Path::instance(30_000, 0)]));
    let watches = [LEVEL, Path::instance(30_000, 0)].map(|path| watch(&mut sim, 1, path));
    sim.platform.servers[1].go_down();
    assert_eq!(sim.ask(0, |server| server.delete(Path::instance(30_000, 0))).code(), Some(Code::DELETED));
    sim.run_for(secs(5));
    sim.platform.servers[1].come_up();
    sim.run_for(secs(60));
    for watch in &watches {
        let [last] = &*watch.notifications(&sim) else { panic!("one notification\n{}", sim.trace) };
        assert_eq!((last.code(), last.message().observe()), (Code::NOT_FOUND, None), "{}", sim.trace);
        assert_eq!(happened(&sim, Event::ObservationCancelled { server: 2, path: watch.path }), 1, "{}", sim.trace);
        let heard = sim.platform.servers[1].notifications(watch.operation);
        assert_eq!(heard.last().map(|told| told.response.code), Some(Code::NOT_FOUND), "{}", sim.trace);
    }
    nobody_complains(&sim);
}
