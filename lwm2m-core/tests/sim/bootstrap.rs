//! Bootstrap: servers that refuse, stop half-way or say everything twice.

use super::*;

#[test]
fn a_bootstrap_server_that_refuses_is_asked_again_after_a_pause() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.accepts = Accepts::Nobody(Code::BAD_REQUEST);
    sim.network_up();
    sim.run_for(secs(59));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Code(Code::BAD_REQUEST) }), 1);
    assert_eq!(sim.platform.bootstrap.requests_seen(), 1);
    sim.run_for(secs(31));
    assert_eq!(sim.platform.bootstrap.requests_seen(), 2);
    sim.platform.bootstrap.accepts = Accepts::Only(vec![NAME.to_string()]);
    sim.run_for(secs(181));
    assert!(server(&sim).registration().is_some());
}

#[test]
fn a_bootstrap_server_that_stops_half_way_leaves_no_trace() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.stops_after = Some(2);
    sim.network_up();
    sim.run_for(secs(240));
    assert_eq!(sim.client.servers().count(), 0, "Server was not written yet");
    sim.run_for(secs(10));
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::Abandoned }), 1);
    sim.platform.bootstrap.stops_after = None;
    sim.run_for(secs(91));
    assert_eq!(sim.platform.bootstrap.finished(), 1);
    assert!(server(&sim).registration().is_some());
}

#[test]
fn a_bootstrap_that_says_everything_twice_is_a_bootstrap() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.repeats = true;
    sim.platform.bootstrap.answering = Answering::Separate(secs(1));
    sim.network_up();
    sim.run_for(secs(10));
    assert_eq!(sim.platform.bootstrap.answers().len(), 7);
    assert!(sim.platform.bootstrap.answers().iter().all(|answer| answer.result.as_ref().unwrap().code.is_success()));
    assert!(server(&sim).registration().is_some());
    nobody_complains(&sim);
}

#[test]
fn a_silent_bootstrap_server_does_not_keep_a_known_server_waiting_for_ever() {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec).server(
        1,
        "coap://dm.example",
        Credentials::NoSec,
        3_600,
    );
    let mut sim = Sim::new(config, device(), 1);
    sim.platform.bootstrap.go_down();
    sim.network_up();
    assert!(sim.run_until(secs(94), |sim| server(sim).registration().is_some()), "{}", sim.trace);
    assert_eq!(happened(&sim, Event::BootstrapFailed { reason: Reason::TimedOut }), 1);
}

#[test]
fn bootstrap_and_management_may_live_at_the_same_host() {
    let config = dm(1).bootstrap_server("coap://dm.example:5683", Credentials::NoSec);
    let mut sim = Sim::new(config, device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(sim.platform.bootstrap.finished(), 1);
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
    nobody_complains(&sim);
}

/// What was written before the network went is gone with it, so nothing that belongs to the old
/// bootstrap may count for the new one: not even a command that the server still repeats.
#[test]
fn a_bootstrap_that_the_network_cut_in_two_is_not_taken_for_a_whole_one() {
    for seed in 0..20 {
        let mut sim = terminal(seed);
        sim.platform.add_server(7, "coap://second.example", 3_600);
        sim.network_up();
        // Deleted, and written the first of two accounts.
        assert!(sim.run_until(secs(1), |sim| sim.platform.bootstrap.answers().len() == 3));
        sim.network_down();
        sim.network.lose_next(Direction::ToServer);
        sim.network_up();
        sim.run_for(secs(600));
        let both = sim.platform.servers.iter().all(|server| server.registration().is_some());
        assert!(both, "seed {seed}\n{}", sim.trace);
    }
}

/// A server that refuses everybody, and a bootstrap server that leads there again and again: nobody is hammered, and the
/// pauses are not much longer than the trouble so far, however many rounds it takes.
#[test]
fn a_bootstrap_that_leads_to_a_server_that_refuses_is_not_repeated_at_once() {
    for (enough, most) in [(1, 12), (2, 12), (5, 4)] {
        let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
        config.bootstrap.after_failures = enough;
        let mut sim = Sim::new(config, device(), 1);
        server_mut(&mut sim).accepts = Accepts::Nobody(Code::FORBIDDEN);
        sim.network_up();
        sim.run_until(secs(86_400), |sim| sim.platform.bootstrap.finished() > most);
        let finished = sim.platform.bootstrap.finished();
        assert!((3..=most).contains(&finished), "{enough}: {finished}");
        let failed = |event: &Event| matches!(event, Event::RegistrationFailed { .. });
        let moments: Vec<_> = sim.events().filter(|(_, event)| failed(event)).map(|(at, _)| at).collect();
        let start = moments[0];
        for (before, after) in moments.iter().zip(&moments[1..]) {
            let (pause, trouble) = (after.saturating_duration_since(*before), before.saturating_duration_since(start));
            assert!(pause <= trouble * 2 + secs(300), "{enough}: {pause:?} after {trouble:?}");
        }
    }
}
