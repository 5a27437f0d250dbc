//! Whole lives of a terminal, told on the simulator.
#![allow(missing_docs, unreachable_pub, reason = "a test")]

mod bootstrap;
mod lives;
mod models;
mod network;
mod operations;
mod records;
mod registration;
mod wild;

use core::time::Duration;

use coap_codec::{Code, ContentFormat};
use endpoint_name::EndpointName;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{
    Accepts, Answering, Ask, Conditions, Direction, DmServer, Entry, Fate, Interface, NoAnswer, OperationId, Platform,
    Sim, Status, Tlv, What, WriteMode,
};
use lwm2m_core::{
    Args, Change, Config, Credentials, Ctx, DataModel, Event, Key, Leaf, Leave, ObjectDef, Origin, Path, Reason,
    Refusal, Sink, Ticket,
};

use self::models::{Counter, deferring};

const NAME: &str = "490154203237518;460001234567890;;1.0";
const BATTERY: Path = Path::resource(3, 0, 9);
const REBOOT: Path = Path::resource(3, 0, 4);
const DAY: Duration = Duration::from_secs(86_400);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn dm(seed: u64) -> Config {
    Config::dm(EndpointName::parse(NAME).unwrap(), Key::from_seed(seed))
}

fn device() -> Device {
    let mut device = Device::new("Example Works", "TM-1");
    device.battery_level = Some(80);
    device
}

/// A terminal that knows a bootstrap server, switched on, without network.
fn terminal(seed: u64) -> Sim<Device> {
    Sim::new(dm(seed).bootstrap_server("coap://bs.example", Credentials::NoSec), device(), seed)
}

/// The same, bootstrapped and registered.
fn registered(seed: u64) -> Sim<Device> {
    let mut sim = terminal(seed);
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registration().is_some()));
    sim.run_for(secs(1));
    sim
}

fn server<M: DataModel>(sim: &Sim<M>) -> &DmServer {
    &sim.platform.servers[0]
}

fn server_mut<M: DataModel>(sim: &mut Sim<M>) -> &mut DmServer {
    &mut sim.platform.servers[0]
}

fn news<M: DataModel>(sim: &Sim<M>) -> Vec<Event> {
    sim.events().map(|(_, event)| event).collect()
}

fn happened<M: DataModel>(sim: &Sim<M>, event: Event) -> usize {
    sim.events().filter(|(_, known)| *known == event).count()
}

/// What became of every datagram, with its number.
fn fates<M: DataModel>(sim: &Sim<M>) -> Vec<(usize, Fate)> {
    let fate = |entry: &Entry| match entry.what {
        What::Datagram { number, fate, .. } => Some((number, fate)),
        _ => None,
    };
    sim.trace.entries.iter().filter_map(fate).collect()
}

#[track_caller]
fn nobody_complains<M: DataModel>(sim: &Sim<M>) {
    let complaints: Vec<_> = sim.platform.complaints().collect();
    assert!(complaints.is_empty(), "{complaints:?}\n{}", sim.trace);
}

/// Asks until it is answered: with loss, one request in some hundreds gets through in none of its
/// five tries.
#[track_caller]
fn insist<M: DataModel>(sim: &mut Sim<M>, operation: impl Fn(&mut DmServer) -> OperationId) -> (Code, String) {
    for _ in 0..5 {
        let answer = sim.ask(0, &operation);
        if let Ok(response) = &answer.result {
            return (response.code, response.text().to_string());
        }
        // Until the device is online again, if that was the reason.
        sim.run_until(secs(3_600), |sim| server(sim).registration().is_some());
    }
    panic!("no answer in five times\n{}", sim.trace);
}
