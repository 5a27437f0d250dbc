//! Faults strike, and are lifted.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::Code;

use super::bootstrap::odd;
use super::operations::{Dice, ask, by_multicast, rubbish};
use super::{Fault, Kind, Mood, Moody};
use crate::base::time::Instant;
use crate::model::DataModel;
use crate::sim::Sim;
use crate::sim::network::Conditions;
use crate::sim::platform::{Answering, Interface};

/// What leaves the device without a network.
const OFF: [Kind; 5] =
    [Kind::NoNetwork, Kind::PowerCut, Kind::PowerCutSnapshot, Kind::PowerCutOldSnapshot, Kind::PowerCutAlike];

/// What stands as long as faults do.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Standing {
    /// The conditions without any fault.
    pub(in crate::sim) base: Conditions,
    active: Vec<(Instant, Fault)>,
}

impl Standing {
    pub(in crate::sim) const fn new(base: Conditions) -> Self {
        Self { base, active: Vec::new() }
    }

    /// When the next fault ends.
    pub(in crate::sim) fn next_end(&self) -> Option<Instant> {
        self.active.iter().map(|(end, _)| *end).min()
    }
}

/// A fault begins. Those that end stand until then.
pub(in crate::sim) fn strike<M: DataModel>(sim: &mut Sim<Moody<M>>, standing: &mut Standing, fault: Fault) {
    let server = fault.target % sim.platform.servers.len().max(1);
    match fault.kind {
        Kind::Rebinding => sim.network.rebind(),
        Kind::NewAddress => sim.address_changed(),
        Kind::NoNetwork => sim.network_down(),
        Kind::FlightMode => sim.enter_flight_mode(),
        Kind::AnyCode => {
            let (interface, code) = any_code(&fault);
            sim.platform.servers.get_mut(server).into_iter().for_each(|server| server.answer_next(interface, code));
        }
        Kind::Forgets => sim.platform.servers.get_mut(server).into_iter().for_each(super::super::DmServer::restart),
        Kind::Initiative => {
            let now = sim.now();
            sim.platform.initiate_bootstrap(now);
        }
        Kind::Rubbish => {
            let host = host_of(sim, fault.target);
            sim.forge(&host, &rubbish(&fault));
        }
        Kind::Multicast => {
            let datagram = by_multicast(&fault, &sim.model);
            let host = sim.platform.servers.get(server).map(|server| server.host.to_string());
            sim.forge_multicast(&host.unwrap_or_default(), &datagram);
        }
        Kind::Read
        | Kind::Discover
        | Kind::Observe
        | Kind::Cancel
        | Kind::Write
        | Kind::WriteAttributes
        | Kind::Upload
        | Kind::Image
        | Kind::Abandoned
        | Kind::Execute
        | Kind::Lifetime
        | Kind::Disable
        | Kind::Trigger
        | Kind::CreateDelete => {
            if let Some(server) = sim.platform.servers.get_mut(server) {
                ask(&fault, server, &sim.model);
            }
        }
        Kind::PowerCut => sim.reboot(),
        Kind::PowerCutSnapshot => sim.reboot_from_flash(),
        Kind::PowerCutOldSnapshot => sim.reboot_from_older_flash(),
        Kind::PowerCutAlike => sim.reboot_alike(),
        Kind::ClockBack => sim.step_clock(-seconds(&fault)),
        Kind::ClockAhead => sim.step_clock(seconds(&fault)),
        Kind::UpdateWanted => {
            let id = sim.platform.servers.get(server).map_or(1, |server| server.short_server_id);
            // It may be registered or not.
            let _ = sim.update(id);
        }
        _ => {}
    }
    if fault.kind.lasts() {
        standing.active.push((sim.now() + fault.lasts, fault));
        enact(sim, standing);
    }
    if fault.kind == Kind::OddBootstrap {
        let now = sim.now();
        sim.platform.initiate_bootstrap(now);
    }
}

/// The faults whose time is over end.
pub(in crate::sim) fn lift<M: DataModel>(sim: &mut Sim<Moody<M>>, standing: &mut Standing) {
    let now = sim.now();
    while let Some(index) = standing.active.iter().position(|(end, _)| *end <= now) {
        let (_, over) = standing.active.remove(index);
        enact(sim, standing);
        let still = |kinds: &[Kind]| standing.active.iter().any(|(_, fault)| kinds.contains(&fault.kind));
        match over.kind {
            kind if OFF.contains(&kind) && still(&OFF) => {}
            kind if OFF.contains(&kind) => sim.network_up(),
            Kind::FlightMode if !still(&[Kind::FlightMode]) => sim.leave_flight_mode(),
            Kind::Late => {
                while let Some(ticket) = sim.model.take_ticket() {
                    // Its time may be over.
                    let _ = sim.resume(ticket);
                }
            }
            _ => {}
        }
    }
}

/// Brings network, servers and application in line with what stands.
fn enact<M: DataModel>(sim: &mut Sim<Moody<M>>, standing: &Standing) {
    let mut conditions = standing.base;
    let (mut cut, mut connecting, mut mood) = (false, Duration::ZERO, Mood::Willing);
    let hosts = hosts(sim);
    hosts.iter().for_each(|host| sim.network.unresolvable(host, false));
    for server in &mut sim.platform.servers {
        server.answering = Answering::Piggybacked;
        server.come_up();
    }
    sim.platform.bootstrap.come_up();
    sim.platform.bootstrap.script = None;
    for (_, fault) in &standing.active {
        let share = 50 + (fault.amount % 450) as u16;
        let millis = |most: u64| Duration::from_millis(fault.amount % most);
        let answering = match fault.kind {
            Kind::Slow => Some(Answering::Late(millis(60_000))),
            Kind::Separate => Some(Answering::Separate(millis(60_000))),
            Kind::Twice => Some(Answering::Twice),
            Kind::AcknowledgeOnly => Some(Answering::AcknowledgeOnly),
            Kind::Mute => Some(Answering::Never),
            _ => None,
        };
        let index = fault.target % sim.platform.servers.len().max(1);
        let server = sim.platform.servers.get_mut(index);
        match fault.kind {
            Kind::Loss => conditions.loss = share,
            Kind::Duplication => conditions.duplication = share,
            Kind::Reordering => (conditions.reordering, conditions.held_back) = (share, millis(20_000)),
            Kind::Jitter => conditions.jitter = millis(8_000),
            Kind::Delay => conditions.delay = millis(8_000),
            Kind::Corruption => conditions.corruption = share / 2,
            Kind::Truncation => conditions.truncation = share / 2,
            Kind::Mtu => conditions.mtu = 30 + usize::from(share),
            Kind::Partition => cut = true,
            Kind::SlowConnect => connecting = millis(20_000),
            Kind::Unresolvable => {
                if let Some(host) = hosts.get(fault.target % hosts.len().max(1)) {
                    sim.network.unresolvable(host, true);
                }
            }
            Kind::Down => server.into_iter().for_each(super::super::DmServer::go_down),
            Kind::BootstrapDown => sim.platform.bootstrap.go_down(),
            Kind::OddBootstrap => {
                let commands = odd(fault, &sim.platform.bootstrap, &sim.platform.servers);
                sim.platform.bootstrap.script = Some(commands);
            }
            Kind::Refusing => {
                let codes =
                    [Code::BAD_REQUEST, Code::INTERNAL_SERVER_ERROR, Code::NOT_FOUND, Code::SERVICE_UNAVAILABLE];
                mood = codes.get(Dice::of(fault).below(4) as usize).map_or(mood, |code| Mood::Refusing(*code));
            }
            Kind::Late => mood = Mood::Late,
            _ => {
                if let (Some(answering), Some(server)) = (answering, server) {
                    server.answering = answering;
                }
            }
        }
    }
    sim.network.set(conditions);
    sim.network.connecting = connecting;
    if cut {
        sim.network.cut()
    } else {
        sim.network.mend()
    }
    sim.model.mood.set(mood);
}

/// Seconds to an hour, mostly few.
fn seconds(fault: &Fault) -> i64 {
    let mut dice = Dice::of(fault);
    let most = [3, 60, 600, 86_400].get(dice.below(4) as usize).copied().unwrap_or(60);
    1 + dice.below(most) as i64
}

fn any_code(fault: &Fault) -> (Interface, Code) {
    let mut dice = Dice::of(fault);
    let interfaces = [Interface::Register, Interface::Update, Interface::Deregister];
    let interface = interfaces.get(dice.below(3) as usize).copied().unwrap_or(Interface::Update);
    // Classes 2, 4 and 5 as they are known, and what nobody has defined.
    let class = [2, 4, 4, 5].get(dice.below(4) as usize).copied().unwrap_or(4);
    (interface, Code::new(class, dice.below(32) as u8).unwrap_or(Code::BAD_REQUEST))
}

/// All hosts of the platform, with their ports.
fn hosts<M: DataModel>(sim: &Sim<M>) -> Vec<String> {
    let servers = sim.platform.servers.iter().map(|server| server.host.to_string());
    servers.chain([sim.platform.bootstrap.host.to_string()]).collect()
}

fn host_of<M: DataModel>(sim: &Sim<M>, target: usize) -> String {
    let hosts = hosts(sim);
    hosts.get(target % hosts.len().max(1)).cloned().unwrap_or_default()
}
