//! Deadlines that were left behind, and pauses that were none.

use core::time::Duration;

use coap_codec::{Code, Message, MessageType};
use lwm2m_core::{Credentials, Event, Instant, Output, Path, Reason, Refusal};

use crate::common::{Desk, Server, acknowledge, device, nothing, request, secs};
use crate::town::Town;
use crate::{Crowd, REFUSES, disabling, observe};

/// When sessions are asked for, until `end`, while none can be made.
#[track_caller]
fn connects(desk: &mut Desk, end: Instant) -> Vec<Instant> {
    let mut connects = Vec::new();
    while let Some(deadline) = desk.client.poll_timeout().filter(|deadline| *deadline <= end) {
        desk.now = desk.now.max(deadline);
        desk.client.handle_timeout(desk.now, &mut desk.model);
        let mut wanted = None;
        while let Some(output) = desk.client.poll_output() {
            if let Output::Connect { peer, .. } = output {
                wanted = Some(peer);
            }
        }
        if let Some(peer) = wanted {
            connects.push(desk.now);
            desk.client.connection_failed(desk.now, peer);
        }
        assert!(desk.client.poll_timeout() > Some(desk.now), "connects: {connects:?}");
    }
    connects
}

/// Each a minute at least after the one before.
#[track_caller]
fn assert_pauses(moments: &[Instant]) {
    assert!(moments.len() > 2, "{moments:?}");
    let paused = |pair: &[Instant]| pair[1].saturating_duration_since(pair[0]) >= secs(60);
    assert!(moments.windows(2).all(paused), "{moments:?}");
}

#[test]
fn a_server_that_cannot_be_reached_is_asked_for_with_pauses_after_its_lease() {
    let mut desk = Desk::registered(Desk::config(1, 60));
    let expired = desk.now + secs(60);
    desk.client.connection_failed(desk.now, desk.server_peer());
    let mut connects = connects(&mut desk, expired + secs(1_000));
    connects.retain(|at| *at >= expired);
    assert_pauses(&connects);
}

#[test]
fn a_server_that_cannot_be_reached_is_asked_for_with_pauses_after_a_disable() {
    let mut desk = disabling();
    desk.client.connection_failed(desk.now, desk.server_peer());
    let end = desk.now + secs(1_000);
    assert_pauses(&connects(&mut desk, end));
}

#[test]
fn an_object_list_that_no_longer_fits_leaves_pauses_after_the_lease() {
    // A buffer for a Register as it is, and for no block of a longer one.
    let mut config = Desk::config(1, 60);
    config.limits.datagram = 105;
    let mut desk = Desk::registered(config);
    let expired = desk.now + secs(60);
    let mut model = Crowd(device(), 900);
    desk.client.notify(desk.now, Path::ROOT, &mut model);
    let mut failed = Vec::new();
    while let Some(deadline) = desk.client.poll_timeout().filter(|deadline| *deadline <= expired + secs(1_000)) {
        desk.now = desk.now.max(deadline);
        desk.client.handle_timeout(desk.now, &mut model);
        assert!(desk.client.poll_timeout() > Some(desk.now), "failed: {failed:?}");
        while let Some(event) = desk.client.poll_event() {
            if event == (Event::RegistrationFailed { server: 1, reason: Reason::TooLarge }) {
                failed.push(desk.now);
            }
        }
        // Blocks of an Update fit; nobody answers them.
        while let Some(Output::Transmit { datagram, .. }) = desk.client.poll_output() {
            let message = Message::parse(datagram).unwrap();
            assert!(message.uri_path().count() == 2 && message.block1().is_some(), "no Register: {message:?}");
        }
    }
    assert_pauses(&failed);
}

#[test]
fn a_bootstrap_server_is_asked_at_once_when_a_register_fits_no_datagram() {
    let mut config = Desk::config(1, 60).bootstrap_server("coap://bs.example", Credentials::NoSec);
    (config.bootstrap.at_every_start, config.bootstrap.after_failures) = (false, 1);
    // Enough for a Bootstrap-Request.
    config.limits.datagram = 70;
    let mut desk = Desk::new(config);
    desk.client.network_up(desk.now);
    desk.drain();
    assert_eq!(desk.events, [Event::RegistrationFailed { server: 1, reason: Reason::TooLarge }]);
    assert_eq!(desk.sent, [], "the Register");
    assert!(desk.client.poll_timeout().is_some_and(|at| at <= desk.now), "{:?}", desk.client.poll_timeout());
    desk.timeout();
    assert_eq!(desk.events[1..], [Event::BootstrapStarted]);
}

#[test]
fn a_lease_that_ends_while_an_update_awaits_its_response_leaves_no_deadline_behind() {
    let mut desk = Desk::registered(Desk::config(1, 60));
    desk.receive(&observe(1, 0, None));
    desk.server = Server::Silent;
    let from = desk.sent.len();
    while desk.moments(from, Code::POST).is_empty() {
        desk.pass(secs(1));
    }
    let acknowledgement = acknowledge(&desk.last(Code::POST), Code::EMPTY);
    desk.receive(&acknowledgement);
    desk.now = Instant::from_secs(1_061);
    desk.timeout();
    desk.battery(3);
    desk.timeout();
}

// A server that refuses, and buffers that are all taken: the end of its pause is due meanwhile.
#[test]
fn a_client_without_buffers_has_no_deadline_in_the_past() {
    let mut config = Desk::config(1, 86_400).server(2, "coap://two.example", Credentials::NoSec, 86_400);
    config = config.access(Path::instance(3, 0), 1, &[]);
    (config.limits.slots, config.limits.deferred) = (2, 1);
    config.answer_within = secs(600);
    let refuses_two = |host: &str| if host.contains("two") { REFUSES } else { Server::Grants };
    let mut town = Town::new(config, refuses_two);
    town.timeout();
    assert!(town.client.is_registered(town.now, 1) && !town.client.is_registered(town.now, 2));
    town.model.refuse = Some(Refusal::Later);
    town.tell("dm.", &request(MessageType::Confirmable, Code::GET, 1, "/3/0/9", nothing));
    town.servers = |host| if host.contains("two") { REFUSES } else { Server::Silent };
    town.client.update(town.now, 1).unwrap();
    town.timeout();
    assert_eq!((town.client.usage().deferred, town.client.usage().slots), (1, 2));
    for _ in 0..1_500 {
        town.client.update(town.now, 1).unwrap();
        town.timeout();
        town.timeout();
        town.now = town.now + Duration::from_millis(90);
    }
}

#[test]
fn what_is_kept_and_must_be_confirmed_a_moment_later_leaves_no_deadline_behind() {
    let mut config = Desk::config(1, 400_000);
    config.confirmable_notifications = false;
    let mut desk = Desk::registered(config);
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.receive(&observe);
    let confirmed = desk.now;
    desk.client.network_down(desk.now);
    for level in [70, 60, 50] {
        desk.now = desk.now + secs(60);
        desk.battery(level);
    }
    // The first one leaves a second before a day is over; three seconds later one must be confirmable.
    desk.now = confirmed + secs(86_399);
    desk.client.network_up(desk.now);
    desk.drain();
    for _ in 0..50 {
        let Some(due) = desk.client.poll_timeout() else { break };
        desk.now = desk.now.max(due);
        desk.client.handle_timeout(desk.now, &mut desk.model);
        assert!(desk.client.poll_timeout().is_none_or(|next| next > desk.now), "after {}", desk.now);
        desk.drain();
        if desk.now > confirmed + secs(90_000) {
            break;
        }
    }
    let told: Vec<_> = desk
        .messages(0)
        .iter()
        .filter(|message| message.observe().is_some())
        .map(|message| message.payload().to_vec())
        .collect();
    assert_eq!(told, [&b"80"[..], b"70", b"60", b"50"]);
}
