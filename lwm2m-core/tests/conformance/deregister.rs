//! DM terminal specification 7.5: De-register, what is sent and how long it is waited for.

use coap_codec::{Code, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answering, Sim, Status};
use lwm2m_core::{CommandError, Credentials, Event, Leave, Path, Peer, Reason, Received};

use crate::terminal::*;

const FLIGHT: Event = Event::MayProceed(Leave::FlightMode);
const POWER_OFF: Event = Event::MayProceed(Leave::PowerOff);

type Act = fn(&mut Sim<Device>);

/// Both ways to leave, and what the embedder is told.
const WAYS: [(Act, Event); 2] = [(Sim::enter_flight_mode, FLIGHT), (Sim::shutdown, POWER_OFF)];

#[test]
fn dm_7_5_a_power_off_deletes_the_location() {
    let mut sim = registered_at(1, &["rd", "5a3f"], &[]);
    let (now, before) = (sim.now(), sent(&sim).len());
    sim.shutdown();
    let [delete] = &sent(&sim)[before..] else { panic!("one De-register\n{}", sim.trace) };
    assert_eq!((delete.at, &*delete.host), (now, DM));
    assert_eq!((delete.message().message_type(), delete.code()), (MessageType::Confirmable, Code::DELETE));
    assert_eq!(delete.after_token(), b"\xb2rd\x045a3f", "no query, no payload");
    answer(&mut sim, delete, MessageType::Acknowledgement, Code::DELETED, &[]);
    sim.run_for(DAY);
    assert_eq!((sent(&sim).len(), happened(&sim, POWER_OFF)), (before + 1, 1), "{}", sim.trace);
}

#[test]
fn dm_7_5_b_flight_mode_deletes_it_too_and_waits_for_the_answer() {
    let mut sim = registered(1);
    let (now, place, before) = (sim.now(), location_of(&sim), sent(&sim).len());
    server_mut(&mut sim).answering = Answering::Late(millis(1_500));
    sim.enter_flight_mode();
    sim.run_for(secs(100));
    let [delete] = &sent(&sim)[before..] else { panic!("one De-register\n{}", sim.trace) };
    assert_eq!((delete.at, delete.code(), delete.path()), (now, Code::DELETE, place), "{}", sim.trace);
    assert_eq!(delete.message().message_type(), MessageType::Confirmable);
    assert!(delete.message().options().all(|option| option.number == OptionNumber::URI_PATH));
    assert!(delete.message().payload().is_empty());
    // Not before the answer: there, 1.5 s, and back.
    let answered = now + millis(1_560);
    let over: Vec<_> = sim.events().filter(|(at, _)| *at >= now).collect();
    let deregistered = Event::Deregistered { server: 1, unconfirmed: None };
    assert_eq!(over, [(answered, deregistered), (answered, FLIGHT)], "{}", sim.trace);
    assert_eq!(statuses(&sim), [Status::Registered, Status::Deregistered]);
    nobody_complains(&sim);
}

#[test]
fn dm_7_5_c_the_location_is_used_as_it_is() {
    for (leave, may_proceed) in WAYS {
        let mut sim = registered_at(1, &["a", "b", "c", "d"], &["id=7", "x"]);
        let before = sent(&sim).len();
        leave(&mut sim);
        let [delete] = &sent(&sim)[before..] else { panic!("one De-register\n{}", sim.trace) };
        assert_eq!((delete.code(), delete.after_token()), (Code::DELETE, &b"\xb1a\x01b\x01c\x01d\x44id=7\x01x"[..]));
        answer(&mut sim, delete, MessageType::Acknowledgement, Code::DELETED, &[]);
        assert_eq!(happened(&sim, may_proceed), 1, "{}", sim.trace);
    }
}

#[test]
fn dm_7_5_d_after_the_farewell_nothing_is_sent_any_more() {
    for (leave, may_proceed) in WAYS {
        let mut sim = registered(1);
        server_mut(&mut sim).observe(BATTERY, None);
        sim.run_for(secs(1));
        leave(&mut sim);
        sim.run_for(secs(1));
        assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1);
        assert_eq!(happened(&sim, may_proceed), 1);
        let silence = sent(&sim).len();

        // A change that was observed, requests, pings and repetitions, from hosts that were there before.
        sim.model.battery_level = Some(1);
        sim.notify(BATTERY);
        assert_eq!(sim.update(1), Err(CommandError::NotRegistered));
        let last = heard(&sim).into_iter().rfind(|it| it.host == BS && it.code().is_request()).unwrap().bytes;
        for datagram in [&last[..], b"\x40\x01\x77\x77\xb13\x010\x019", b"\x40\x00\x77\x78", b"\x4f"] {
            for host in [DM, BS] {
                sim.forge(host, datagram);
            }
            sim.run_for(secs(1));
            for peer in (0..4).map(Peer) {
                let now = sim.now();
                let taken = sim.client.handle_datagram(now, peer, datagram, &mut sim.model);
                assert_eq!(taken, Received::Stranger, "{peer}: {datagram:x?}");
            }
        }
        sim.run_for(DAY);
        sim.network_down();
        sim.network_up();
        sim.run_for(9 * DAY);
        assert_eq!(sent(&sim).len(), silence, "{}", sim.trace);
        assert_eq!((happened(&sim, may_proceed), sim.client.poll_timeout()), (1, None));
        assert_eq!(statuses(&sim), [Status::Registered, Status::Deregistered]);
    }
}

#[test]
fn dm_7_5_e_whatever_the_server_says_the_device_has_left() {
    for (message_type, code, reason) in [
        (MessageType::Acknowledgement, Code::NOT_FOUND, Reason::Code(Code::NOT_FOUND)),
        (MessageType::Acknowledgement, Code::BAD_REQUEST, Reason::Code(Code::BAD_REQUEST)),
        (MessageType::Acknowledgement, Code::INTERNAL_SERVER_ERROR, Reason::Code(Code::INTERNAL_SERVER_ERROR)),
        (MessageType::Acknowledgement, Code::SERVICE_UNAVAILABLE, Reason::Code(Code::SERVICE_UNAVAILABLE)),
        // A success, but of something else.
        (MessageType::Acknowledgement, Code::CHANGED, Reason::Code(Code::CHANGED)),
        (MessageType::NonConfirmable, Code::NOT_FOUND, Reason::Code(Code::NOT_FOUND)),
        (MessageType::Reset, Code::EMPTY, Reason::Reset),
    ] {
        for (leave, may_proceed) in WAYS {
            let mut sim = registered_at(1, &["rd", "5a3f"], &[]);
            let before = sent(&sim).len();
            leave(&mut sim);
            let delete = sent(&sim).pop().unwrap();
            let arrives = sim.now() + millis(30);
            answer(&mut sim, &delete, message_type, code, &[]);
            let left = Event::Deregistered { server: 1, unconfirmed: Some(reason) };
            assert_eq!(times(&sim, left), [arrives], "{reason:?}\n{}", sim.trace);
            assert_eq!(times(&sim, may_proceed), [arrives], "{reason:?}\n{}", sim.trace);
            assert!(!sim.client.is_registered(sim.now(), 1), "{reason:?}");
            // The session is closed: not even a ping has an answer.
            assert_eq!(said(&mut sim, DM, b"\x40\x00\x77\x77"), [[0; 0]; 0], "{reason:?}\n{}", sim.trace);
            sim.run_for(2 * DAY);
            assert_eq!(sent(&sim).len(), before + 1, "{reason:?}\n{}", sim.trace);
        }
    }
}

#[test]
fn dm_7_5_f_nobody_waits_longer_than_he_wants_to() {
    let silent = Answering::Never;
    let promised = Answering::AcknowledgeOnly;
    // What the server does, what the caller allows, how long it takes at least and at most, how
    // often the De-register is sent at least and at most. The first repetition comes after 2 to 3 s
    // (RFC 7252, section 4.2), the last try is over after 62 to 93 s.
    for (answering, bound, reason, (least, most), (few, many)) in [
        (silent, None, Reason::TimedOut, (62, 93), (5, 5)),
        (silent, Some(1_000), Reason::TimedOut, (62, 93), (5, 5)),
        (silent, Some(10), Reason::CutShort, (10, 10), (3, 3)),
        (silent, Some(0), Reason::CutShort, (0, 0), (1, 1)),
        (promised, None, Reason::CutShort, (93, 93), (1, 1)),
        (promised, Some(5), Reason::CutShort, (5, 5), (1, 1)),
        (Answering::Late(secs(40)), Some(20), Reason::CutShort, (20, 20), (3, 4)),
        (Answering::Separate(secs(40)), Some(20), Reason::CutShort, (20, 20), (1, 1)),
    ] {
        for (leave, may_proceed) in WAYS {
            let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
            config.leave_within = bound.map_or(config.leave_within, secs);
            let mut sim = Sim::new(config, device(), 1);
            sim.network_up();
            sim.run_for(secs(1));
            server_mut(&mut sim).answering = answering;
            let (begun, place) = (sim.now(), location_of(&sim));
            leave(&mut sim);
            sim.run_for(secs(300));
            let case = format!("{answering:?} within {bound:?}");
            let moments = [may_proceed, Event::Deregistered { server: 1, unconfirmed: Some(reason) }].map(|event| {
                let happened = times(&sim, event);
                assert_eq!(happened.len(), 1, "{case}: {event:?}\n{}", sim.trace);
                happened[0]
            });
            assert_eq!(moments[0], moments[1], "{case}");
            let took = between(begun, moments[0]);
            assert!(took >= secs(least) && took <= secs(most), "{case}: {took:?}\n{}", sim.trace);
            let deletes = requests(&sim, Code::DELETE, &place);
            assert!((few..=many).contains(&deletes.len()), "{case}\n{}", sim.trace);
            assert!(deletes.iter().all(|delete| delete.bytes == deletes[0].bytes), "{case}: one exchange");
            let after = sent(&sim).into_iter().find(|sent| sent.at > moments[0]);
            assert_eq!(after, None, "{case}: nothing afterwards\n{}", sim.trace);
        }
    }
}

#[test]
fn dm_7_5_k_observations_end_with_the_registration() {
    let mut sim = registered(1);
    let paths = [BATTERY, Path::instance(3, 0)];
    let old = paths.map(|path| server_mut(&mut sim).observe(path, None));
    sim.run_for(secs(1));
    let change = |sim: &mut Sim<Device>, level: u8| {
        sim.model.battery_level = Some(level);
        sim.notify(BATTERY);
        sim.run_for(secs(10));
    };
    change(&mut sim, 70);
    assert_eq!(old.map(|it| server(&sim).notifications(it).len()), [1, 1], "they work\n{}", sim.trace);
    sim.enter_flight_mode();
    sim.run_for(secs(1));
    change(&mut sim, 60);
    sim.leave_flight_mode();
    sim.run_for(secs(1));
    assert!(sim.client.is_registered(sim.now(), 1));
    change(&mut sim, 50);
    let notified = |sim: &Sim<Device>| sent(sim).iter().filter(|sent| sent.message().observe().is_some()).count();
    // Two answers and two notifications, all from before.
    assert_eq!(notified(&sim), 4, "{}", sim.trace);
    let new = server_mut(&mut sim).observe(BATTERY, None);
    sim.run_for(secs(1));
    change(&mut sim, 40);
    assert_eq!((server(&sim).notifications(new).len(), notified(&sim)), (1, 6), "{}", sim.trace);
    nobody_complains(&sim);
}
