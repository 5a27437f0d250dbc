//! XD: device management by those who may not.

use coap_codec::{Code, Message, MessageType, MessageWriter, WriteError};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answering, Sim};
use lwm2m_core::{Peer, Received};

use crate::terminal::*;

#[test]
fn xd_36_who_is_not_registered_with_is_not_heard() {
    let silent = |sim: &mut Sim<Device>| server_mut(sim).answering = Answering::Never;
    for kind in [MessageType::Confirmable, MessageType::NonConfirmable] {
        // Its Register is not answered yet.
        let mut sim = terminal(1);
        silent(&mut sim);
        sim.network_up();
        sim.run_for(secs(1));
        nobody_hears(&mut sim, kind, DM);
        // Nor is it when the lifetime has passed, and another Register is out.
        let mut sim = registered(1);
        sim.network_down();
        sim.run_for(2 * DAY);
        silent(&mut sim);
        sim.network_up();
        sim.run_for(secs(1));
        nobody_hears(&mut sim, kind, DM);
        // It left, and the session is still open.
        let mut sim = registered(1);
        silent(&mut sim);
        sim.enter_flight_mode();
        sim.run_for(secs(1));
        nobody_hears(&mut sim, kind, DM);
        // A host that is known for something else, and one that is not known at all.
        let mut sim = registered(1);
        nobody_hears(&mut sim, kind, BS);
        nobody_hears(&mut sim, kind, "stranger.example:5683");
        for (id, (method, path)) in (0x100..).zip(REQUESTS) {
            let (now, ask) = (sim.now(), datagram(kind, method, id, b"t", |writer| path_of(path, writer)));
            let taken = sim.client.handle_datagram(now, Peer(77), &ask, &mut sim.model);
            assert_eq!(taken, Received::Stranger, "{method:?} {path}");
            assert!(sim.client.poll_output().is_none(), "{method:?} {path}");
        }
    }
    // What came too early was not taken down: its repetition is a new request.
    let mut sim = terminal(1);
    server_mut(&mut sim).answering = Answering::Late(secs(1));
    sim.network_up();
    sim.run_for(millis(500));
    let early = request(Code::GET, "/3/0/9", 0x100, b"t", None);
    assert_eq!(said(&mut sim, DM, &early), [[0; 0]; 0]);
    assert!(sim.run_until(secs(2), |sim| sim.client.is_registered(sim.now(), 1)), "{}", sim.trace);
    let answer = said(&mut sim, DM, &early);
    assert_eq!(answer.len(), 1, "{}", sim.trace);
    assert_eq!(Message::parse(&answer[0]).unwrap().payload(), b"80");
}

const REQUESTS: [(Code, &str); 8] = [
    (Code::GET, "/3/0"),
    (Code::GET, "/0/0"),
    (Code::PUT, "/3/0/14"),
    (Code::POST, "/3/0/4"),
    (Code::POST, "/1/0/8"),
    (Code::DELETE, "/1/0"),
    (Code::DELETE, ""),
    (Code::POST, "/bs"),
];

/// Requests in a host's name have no answer, no effect and no news.
#[track_caller]
fn nobody_hears(sim: &mut Sim<Device>, kind: MessageType, host: &str) {
    let (before, events) = (format!("{:?} {:?}", sim.model, sim.client.servers().collect::<Vec<_>>()), news(sim));
    for (id, (method, path)) in (0x200..).zip(REQUESTS) {
        let ask = datagram(kind, method, id, b"t", |writer| path_of(path, writer));
        assert_eq!(said(sim, host, &ask), [[0; 0]; 0], "{method:?} {path}\n{}", sim.trace);
    }
    assert_eq!(format!("{:?} {:?}", sim.model, sim.client.servers().collect::<Vec<_>>()), before);
    assert_eq!(news(sim), events, "{}", sim.trace);
}

pub fn path_of(path: &str, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
    path.split('/').filter(|segment| !segment.is_empty()).try_for_each(|segment| writer.uri_path(segment))
}
