//! Terminals that are registered for a given time or at a given place, and what they do about it.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]

use coap_codec::{Code, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answering, Sim, Status};
use lwm2m_core::{DataModel, Event};

use super::{DM, Sent, datagram, happened, millis, requests, secs, sent, server, server_mut, terminal};

/// A terminal that registered in this moment, for `lifetime` seconds.
#[track_caller]
pub fn living_for(seed: u64, lifetime: u32) -> Sim<Device> {
    let mut sim = terminal(seed);
    server_mut(&mut sim).lifetime = lifetime;
    sim.network_up();
    let registered = Event::Registered { server: 1, lifetime };
    assert!(sim.run_until(secs(60), |sim| happened(sim, registered) == 1), "{}", sim.trace);
    sim
}

/// A terminal that is registered at exactly this location. Its server carries out what it is asked,
/// asks what it wants, and never answers: [`answer`] does.
#[track_caller]
pub fn registered_at(seed: u64, path: &[&str], query: &[&str]) -> Sim<Device> {
    let mut sim = terminal(seed);
    server_mut(&mut sim).answering = Answering::Never;
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| server(sim).registers_seen() > 0), "{}", sim.trace);
    let register = requests(&sim, Code::POST, "/rd").pop().unwrap();
    let path = path.iter().map(|segment| (OptionNumber::LOCATION_PATH, segment.as_bytes()));
    let query = query.iter().map(|argument| (OptionNumber::LOCATION_QUERY, argument.as_bytes()));
    let options: Vec<_> = path.chain(query).collect();
    answer(&mut sim, &register, MessageType::Acknowledgement, Code::CREATED, &options);
    assert!(sim.client.is_registered(sim.now(), 1), "{}", sim.trace);
    sim
}

/// Answers a request of the device in its server's name, with the request's Message ID, and waits
/// until the answer is there.
pub fn answer<M: DataModel>(
    sim: &mut Sim<M>,
    request: &Sent,
    kind: MessageType,
    code: Code,
    options: &[(OptionNumber, &[u8])],
) {
    let token = if code.is_empty() { Vec::new() } else { request.token() };
    let answer = datagram(kind, code, request.id(), &token, |writer| {
        options.iter().try_for_each(|(number, value)| writer.option(*number, value))
    });
    sim.forge(&request.host, &answer);
    sim.run_for(millis(50));
}

/// Every Register and Update, without repetitions.
pub fn refreshes<M: DataModel>(sim: &Sim<M>) -> Vec<Sent> {
    let mut posts = sent(sim);
    posts.retain(|sent| sent.code() == Code::POST && sent.host == DM);
    posts.dedup_by_key(|sent| sent.id());
    posts
}

/// Has the device update now, and waits until that is over if the server answers at once.
#[track_caller]
pub fn update<M: DataModel>(sim: &mut Sim<M>) -> Sent {
    let known = refreshes(sim).len();
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    refreshes(sim)[known].clone()
}

/// How the device came and went, as the server saw it.
pub fn statuses<M: DataModel>(sim: &Sim<M>) -> Vec<Status> {
    server(sim).history().iter().map(|change| change.status).collect()
}

impl Sent {
    /// Options and payload as they were written.
    pub fn after_token(&self) -> &[u8] {
        &self.bytes[4 + self.token().len()..]
    }
}
