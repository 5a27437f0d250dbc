//! DM terminal specification 7.4: Updates that are refused or get no answer, and networks that go away.

use core::time::Duration;

use coap_codec::Code;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answering, Interface, Sim, Status};
use lwm2m_core::{Event, FailureKind, Reason};

use crate::terminal::*;

const UPDATED: Event = Event::Updated { server: 1 };
const REGISTERED: Event = Event::Registered { server: 1, lifetime: 86_400 };

/// MAX_TRANSMIT_WAIT (RFC 7252, section 4.8.2).
const CYCLE: Duration = secs(93);

#[test]
fn dm_7_4_h_an_unknown_registration_is_made_anew_at_once() {
    let forgets: [fn(&mut Sim<Device>); 2] =
        [|sim| server_mut(sim).restart(), |sim| server_mut(sim).answer_next(Interface::Update, Code::NOT_FOUND)];
    for forget in forgets {
        let mut sim = registered(1);
        let old = location_of(&sim);
        forget(&mut sim);
        update(&mut sim);
        let refused = times(&sim, Event::UpdateFailed { server: 1, reason: Reason::Code(Code::NOT_FOUND) });
        let registers = requests(&sim, Code::POST, "/rd");
        let [first, second] = &*registers else { panic!("two Registers\n{}", sim.trace) };
        assert_eq!(refused, [second.at], "at once\n{}", sim.trace);
        assert_eq!(first.after_token(), second.after_token(), "all its parameters, and the object list");
        assert!(second.query().starts_with(&[format!("ep={NAME}"), "lt=86400".into(), "lwm2m=1.0".into()]));
        assert_eq!((happened(&sim, REGISTERED), sim.platform.bootstrap.requests_seen()), (2, 1));
        // The old location is dead.
        assert_ne!(location_of(&sim), old);
        let later = update(&mut sim);
        assert_eq!((later.path(), happened(&sim, UPDATED)), (location_of(&sim), 1));
        nobody_complains(&sim);
    }
}

#[test]
fn dm_7_4_i_a_refused_update_is_followed_by_a_register_and_that_by_a_pause() {
    for code in [Code::BAD_REQUEST, Code::UNAUTHORIZED, Code::FORBIDDEN] {
        let mut sim = registered(1);
        server_mut(&mut sim).answer_next(Interface::Update, code);
        (0..2).for_each(|_| server_mut(&mut sim).answer_next(Interface::Register, code));
        update(&mut sim);
        sim.run_for(secs(300));
        let reason = Reason::Code(code);
        assert_eq!(reason.kind(), FailureKind::Authentication);
        let refused = times(&sim, Event::UpdateFailed { server: 1, reason });
        let failed = times(&sim, Event::RegistrationFailed { server: 1, reason });
        let registers = requests(&sim, Code::POST, "/rd");
        let [_, one, two, three] = &*registers else { panic!("{code}: four Registers\n{}", sim.trace) };
        assert_eq!((refused, failed.len()), (vec![one.at], 2), "{code}\n{}", sim.trace);
        // Pauses double, and are stretched at random by up to half (reading A19).
        let pauses = [between(failed[0], two.at), between(failed[1], three.at)];
        assert!((60..=90).contains(&pauses[0].as_secs()), "{code}: {pauses:?}");
        assert!((120..=180).contains(&pauses[1].as_secs()), "{code}: {pauses:?}");
        assert_eq!(happened(&sim, REGISTERED), 2, "{code}: the third was accepted\n{}", sim.trace);
        assert_eq!((server(&sim).updates_seen(), sim.platform.bootstrap.requests_seen()), (1, 1), "{code}");
    }
}

#[test]
fn dm_7_4_j_an_update_that_failed_is_tried_again_while_the_lifetime_lasts() {
    let first = 4..=6;
    for (trouble, reason, pause) in [
        (Trouble::Refused(Code::INTERNAL_SERVER_ERROR), Reason::Code(Code::INTERNAL_SERVER_ERROR), first.clone()),
        (Trouble::Refused(Code::BAD_GATEWAY), Reason::Code(Code::BAD_GATEWAY), first.clone()),
        // Max-Age is 60 s when it is not there (RFC 7252, section 5.10.5).
        (Trouble::Refused(Code::SERVICE_UNAVAILABLE), Reason::Code(Code::SERVICE_UNAVAILABLE), 60..=60),
        (Trouble::Down, Reason::TimedOut, first.clone()),
        (Trouble::Promised, Reason::TimedOut, first),
    ] {
        let failed = Event::UpdateFailed { server: 1, reason };
        // It ends after the first try.
        let mut sim = living_for(1, 3_600);
        begin(&mut sim, trouble, 1);
        sim.update(1).unwrap();
        assert!(sim.run_until(secs(200), |sim| happened(sim, failed) == 1), "{trouble:?}\n{}", sim.trace);
        end(&mut sim);
        let again = sim.now();
        assert!(sim.run_until(secs(100), |sim| happened(sim, UPDATED) == 1), "{trouble:?}\n{}", sim.trace);
        let retry = refreshes(&sim).pop().unwrap();
        assert!(pause.contains(&between(again, retry.at).as_secs()), "{trouble:?}\n{}", sim.trace);
        assert_eq!((server(&sim).registers_seen(), statuses(&sim)), (1, vec![Status::Registered]));

        // It does not end.
        let mut sim = living_for(1, 600);
        begin(&mut sim, trouble, 1_000);
        let expiry = refreshes(&sim)[0].at + secs(600);
        assert!(sim.run_until(secs(800), |sim| requests(sim, Code::POST, "/rd").len() > 1), "{trouble:?}");
        let register = requests(&sim, Code::POST, "/rd").pop().unwrap();
        let tries = happened(&sim, failed);
        assert!((3..=12).contains(&tries), "{trouble:?}: {tries} tries\n{}", sim.trace);
        assert!(refreshes(&sim).iter().rev().skip(1).all(|update| update.at < expiry), "{trouble:?}\n{}", sim.trace);
        // One request at a time (NSTART): a try that was on its way at expiry is waited for.
        let late = between(expiry, register.at);
        let waits = !matches!(trouble, Trouble::Refused(_));
        assert!(late.is_zero() || (waits && late <= CYCLE), "{trouble:?}: {late:?} late\n{}", sim.trace);
    }
}

#[test]
fn dm_7_4_k_after_the_lifetime_only_a_register_will_do() {
    for told in [true, false] {
        let mut sim = living_for(1, 3_600);
        let (old, expiry) = (location_of(&sim), refreshes(&sim)[0].at + secs(3_600));
        sim.run_for(secs(1_000));
        if told {
            sim.network_down()
        } else {
            sim.network.cut()
        }
        sim.run_for(secs(4_000));
        assert!(!sim.client.is_registered(sim.now(), 1));
        let up = sim.now();
        if told {
            sim.network_up()
        } else {
            sim.network.mend()
        }
        assert!(sim.run_until(secs(600), |sim| server(sim).registration().is_some()), "{}", sim.trace);
        let after: Vec<_> = sent(&sim).into_iter().filter(|sent| sent.at >= expiry + CYCLE).collect();
        assert!(after.iter().all(|sent| sent.path() == "/rd" && sent.code() == Code::POST), "{}", sim.trace);
        // Told of it, at once; untold, with the next try.
        assert!(after.iter().any(|sent| sent.at == up) || !told, "{}", sim.trace);
        assert_eq!((server(&sim).updates_seen(), sim.platform.bootstrap.requests_seen()), (0, 1));
        assert_ne!(location_of(&sim), old);
        sim.run_for(secs(1));
        assert!(sim.client.is_registered(sim.now(), 1));
    }
}

#[test]
fn dm_7_4_l_a_network_that_comes_back_in_time_finds_the_registration_alive() {
    let mut sim = registered(1);
    let place = location_of(&sim);
    for count in 1..=5 {
        sim.network_down();
        sim.run_for(secs(3_600));
        assert!(sim.client.is_registered(sim.now(), 1));
        let (up, before) = (sim.now(), sent(&sim).len());
        sim.network_up();
        sim.run_for(secs(1));
        let first = sent(&sim)[before].clone();
        assert_eq!((first.at, first.path(), first.code()), (up, place.clone(), Code::POST), "{}", sim.trace);
        assert_eq!((server(&sim).registers_seen(), happened(&sim, UPDATED)), (1, count), "{}", sim.trace);
    }
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");

    // At another address a server without DTLS does not know the device (reading A16).
    let moves: [fn(&mut Sim<Device>); 2] = [Sim::address_changed, |sim| {
        sim.network_down();
        sim.network.rebind();
        sim.run_for(secs(60));
        sim.network_up();
    }];
    for (count, go) in (2..).zip(moves) {
        let before = sent(&sim).len();
        go(&mut sim);
        let now = sim.now();
        sim.run_for(secs(1));
        let first = sent(&sim)[before].clone();
        assert_eq!((first.at, first.path().as_str(), first.code()), (now, "/rd", Code::POST), "{}", sim.trace);
        assert_eq!((server(&sim).registers_seen(), server(&sim).registrations().len()), (count, 1));
        assert_eq!(happened(&sim, REGISTERED), count);
    }
    assert_eq!((happened(&sim, UPDATED), sim.platform.bootstrap.requests_seen()), (5, 1));
}

#[test]
fn dm_7_4_p_a_server_may_ask_while_it_owes_an_answer() {
    for answering in [Answering::Late(secs(10)), Answering::Separate(secs(10))] {
        let mut sim = registered(1);
        server_mut(&mut sim).answering = answering;
        sim.update(1).unwrap();
        sim.run_for(secs(5));
        assert_eq!(happened(&sim, UPDATED), 0, "{answering:?}");
        let asked = sim.now();
        let read = sim.ask(0, |server| server.read(BATTERY, None));
        assert_eq!((read.response().code, read.response().text()), (Code::CONTENT, "80"), "{answering:?}");
        let written = sim.ask(0, |server| server.execute(REBOOT, ""));
        assert_eq!(written.code(), Some(Code::CHANGED), "{answering:?}");
        assert!(between(asked, sim.now()) < secs(1), "{answering:?}: the answers do not wait for the Update's");
        assert_eq!(happened(&sim, UPDATED), 0, "{answering:?}");
        sim.run_for(secs(10));
        assert_eq!((happened(&sim, UPDATED), server(&sim).updates_seen()), (1, 1), "{answering:?}\n{}", sim.trace);
        nobody_complains(&sim);
    }
}

// ----- helpers ------------------------------------------------------------------------------------

/// What keeps an Update from being accepted.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Refused(Code),
    Down,
    /// Acknowledged, but never answered.
    Promised,
}

fn begin(sim: &mut Sim<Device>, trouble: Trouble, times: usize) {
    let server = server_mut(sim);
    match trouble {
        Trouble::Refused(code) => (0..times).for_each(|_| server.answer_next(Interface::Update, code)),
        Trouble::Down => server.go_down(),
        Trouble::Promised => server.answering = Answering::AcknowledgeOnly,
    }
}

fn end(sim: &mut Sim<Device>) {
    server_mut(sim).come_up();
    server_mut(sim).answering = Answering::Piggybacked;
}
