//! Messages that go out: repeated, given up, one at a time, and matched with what comes back.

use core::time::Duration;
use std::collections::HashMap;

use coap_codec::{Code, MessageType};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::Sim;
use lwm2m_core::{Client, Credentials, Event, Instant, Output, Path, Reason};

use crate::terminal::*;

#[test]
fn xc_15_a_reset_ends_an_exchange_at_once() {
    for what in KINDS {
        let (mut sim, message, failed) = in_flight(what, Reason::Reset);
        assert_eq!(said(&mut sim, &message.host, &empty(MessageType::Reset, message.id())), NOTHING, "{what}");
        let moments: Vec<_> = sim.events().filter(|(_, event)| Some(*event) == failed).map(|(at, _)| at).collect();
        // Forged 1 ms after the message left, and 30 ms on its way.
        assert_eq!(moments, Vec::from_iter(failed.map(|_| message.at + millis(31))), "{what}\n{}", sim.trace);
        assert_eq!(sim.client.usage().exchanges, 0, "{what}");
        sim.run_for(secs(200));
        assert_eq!(transmissions(&sim, &message).len(), 1, "{what} is not sent again\n{}", sim.trace);
        // What is tried again is another message.
        let again = own_requests(&sim).into_iter().find(|own| own.at > message.at && own.code() == message.code());
        let tries = matches!(what, "Bootstrap-Request" | "Register" | "Update");
        assert_eq!(again.is_some(), tries, "{what}\n{}", sim.trace);
        assert!(again.is_none_or(|again| again.id() != message.id() && again.token() != message.token()), "{what}");
    }
}

#[test]
fn xc_16_a_response_before_the_acknowledgement_is_delivered_and_nothing_is_sent_again() {
    for (kind, answer) in
        [(MessageType::Confirmable, Some(empty(MessageType::Acknowledgement, 9))), (MessageType::NonConfirmable, None)]
    {
        let (mut sim, update) = updating(1);
        assert_eq!(said(&mut sim, DM, &bare(kind, Code::CHANGED, 9, &update.token())), Vec::from_iter(answer));
        assert_eq!(happened(&sim, UPDATED), 1);
        // The acknowledgement comes in the end, alone or with the response once more.
        let (id, token) = (update.id(), update.token());
        assert_eq!(said(&mut sim, DM, &empty(MessageType::Acknowledgement, id)), NOTHING);
        assert_eq!(said(&mut sim, DM, &bare(MessageType::Acknowledgement, Code::CHANGED, id, &token)), NOTHING);
        sim.run_for(secs(200));
        assert_eq!((happened(&sim, UPDATED), transmissions(&sim, &update).len()), (1, 1), "{}", sim.trace);
        assert!(sim.client.is_registered(sim.now(), 1));
    }
}

#[test]
fn xc_17_what_comes_after_an_exchange_was_given_up_is_not_delivered() {
    // Given up for want of an acknowledgement; for want of the response that one promised.
    for acknowledged in [false, true] {
        let (mut sim, update) = updating(1);
        let (id, token) = (update.id(), update.token());
        if acknowledged {
            assert_eq!(said(&mut sim, DM, &empty(MessageType::Acknowledgement, id)), NOTHING);
        }
        let failed = Event::UpdateFailed { server: 1, reason: Reason::TimedOut };
        assert!(sim.run_until(secs(100), |sim| happened(sim, failed) == 1), "{}", sim.trace);
        let sends = transmissions(&sim, &update).len();
        assert_eq!(sends, if acknowledged { 1 } else { 5 });
        for (forged, answer) in [
            (bare(MessageType::Acknowledgement, Code::CHANGED, id, &token), None),
            (empty(MessageType::Acknowledgement, id), None),
            (empty(MessageType::Reset, id), None),
            (bare(MessageType::NonConfirmable, Code::CHANGED, 9, &token), None),
            (bare(MessageType::Confirmable, Code::CHANGED, 10, &token), Some(empty(MessageType::Reset, 10))),
            // And once more when it is repeated.
            (bare(MessageType::Confirmable, Code::CHANGED, 10, &token), Some(empty(MessageType::Reset, 10))),
        ] {
            assert_eq!(said(&mut sim, DM, &forged), Vec::from_iter(answer), "{forged:?}");
        }
        assert_eq!(news(&sim).last(), Some(&failed), "{}", sim.trace);
        // The next try, another message, is not affected.
        sim.run_for(secs(7));
        let next = own_requests(&sim).into_iter().find(|own| own.id() != id && own.path() == update.path()).unwrap();
        let answer = bare(MessageType::Acknowledgement, Code::CHANGED, next.id(), &next.token());
        assert_eq!(said(&mut sim, DM, &answer), NOTHING);
        assert_eq!((happened(&sim, UPDATED), transmissions(&sim, &update).len()), (1, sends));
    }
}

/// Requests that are not confirmable, each of which wants an answer with a Message ID of its own:
/// nearly half of all Message IDs within NON_LIFETIME, and then all that can be had, twice.
#[test]
fn xc_18_message_ids_wrap_and_none_comes_back_within_its_lifetime() {
    // The first Message ID is random, and it takes one in the upper half to see it wrap.
    let mut seeds = (1..).map(|seed| Sim::new(one_server(seed), device(), seed));
    let mut sim = seeds
        .find_map(|mut sim| {
            sim.network_up();
            (sent(&sim)[0].id() > 40_000).then_some(sim)
        })
        .expect("one seed of two");
    sim.run_for(secs(1));
    server_mut(&mut sim).go_down();
    let blocked = |sim: &Sim<Device>| sim.network.counts().blocked;
    let mut said_so_far = 0;
    for (from, requests, pause) in [(1, 32_000, 4_400), (146, 33_000, 500), (291, 33_000, 500)] {
        sim.run_for(Instant::from_secs(from).saturating_duration_since(sim.now()));
        for id in 0..requests {
            sim.forge(DM, &bare(MessageType::NonConfirmable, Code::GET, id, &[]));
            sim.run_for(Duration::from_micros(pause));
            // What the device says is counted as blocked: its server is down.
            if id % 1_000 == 999 && core::mem::replace(&mut said_so_far, blocked(&sim)) == blocked(&sim) {
                break;
            }
        }
    }
    let used = sent(&sim);
    assert!(used.windows(2).all(|pair| pair[1].id() == pair[0].id().wrapping_add(1)), "a counter");
    assert!(used.windows(2).any(|pair| (pair[0].id(), pair[1].id()) == (u16::MAX, 0)), "that wraps");
    assert!(used.len() > 64_000, "{} were used", used.len());
    let mut last = HashMap::new();
    for message in &used {
        let before = last.insert(message.id(), message.at);
        let pause = before.map(|before| message.at.saturating_duration_since(before));
        assert!(pause.is_none_or(|pause| pause >= secs(247)), "{:#06x} is back after {pause:?}", message.id());
    }
    // Without a free one the device is silent where it needs one, and where it needs none it is not.
    let get = |kind, id| bare(kind, Code::GET, id, b"tok");
    assert_eq!(said(&mut sim, DM, &get(MessageType::NonConfirmable, 0xf000)), NOTHING);
    let refused = bare(MessageType::Acknowledgement, Code::METHOD_NOT_ALLOWED, 0xf001, b"tok");
    assert_eq!(said(&mut sim, DM, &get(MessageType::Confirmable, 0xf001)), [refused]);
    sim.run_for(secs(247));
    let answer = said(&mut sim, DM, &get(MessageType::NonConfirmable, 0xf002)).remove(0);
    assert_eq!((answer[0], answer[1], &answer[4..]), (0x53, 0x85, &b"tok"[..]));
}

/// NSTART is 1 (RFC 7252, section 4.7). What waits is made when its turn comes, in the order of the
/// design: the registration, answers that were put off, notifications.
#[test]
fn xc_19_one_confirmable_message_at_a_time_and_an_empty_acknowledgement_makes_room() {
    let mut sim = racked(one_server(1));
    sim.model.0.timezone = Some("UTC".into());
    for path in [BATTERY, TIMEZONE] {
        assert_eq!(sim.ask(0, |server| server.observe(path, None)).response().observe, Some(1));
    }
    sim.model.1.later = true;
    server_mut(&mut sim).read(LEVEL, None);
    sim.run_for(secs(1));
    server_mut(&mut sim).go_down();
    let begun = sent(&sim).len();
    let leaves = |sim: &Sim<_>| sent(sim).split_off(begun);

    // A notification leaves; all the rest has to wait.
    sim.model.0.battery_level = Some(79);
    sim.notify(BATTERY);
    let ticket = sim.model.1.ticket();
    for battery in [78, 77] {
        sim.model.0.battery_level = Some(battery);
        sim.notify(BATTERY);
    }
    sim.model.0.timezone = Some("Asia/Shanghai".into());
    sim.notify(TIMEZONE);
    sim.resume(ticket).unwrap();
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    assert_eq!(leaves(&sim).len(), 1, "{}", sim.trace);
    // What it has to tell by then it tells one by one, each when the one before it is acknowledged. The
    // Update is acknowledged without a response: that is enough.
    let expected = [
        ("79", Code::CONTENT),
        ("", Code::POST),
        ("5", Code::CONTENT),
        // The observation that was told nothing for longer comes first.
        ("Asia/Shanghai", Code::CONTENT),
        ("77", Code::CONTENT),
    ];
    for (number, (payload, code)) in (1..).zip(&expected) {
        let last = leaves(&sim).pop().unwrap();
        assert_eq!((last.kind(), last.code()), (MessageType::Confirmable, *code), "{number}\n{}", sim.trace);
        assert_eq!(last.message().payload(), payload.as_bytes(), "{number}");
        sim.run_for(millis(900));
        assert_eq!(leaves(&sim).len(), number, "{number}\n{}", sim.trace);
        let follows = said(&mut sim, DM, &empty(MessageType::Acknowledgement, last.id()));
        assert_eq!(follows.len(), usize::from(number < expected.len()), "{number}\n{}", sim.trace);
    }
    // The Update's response is still awaited.
    let update = leaves(&sim).remove(1);
    let response = bare(MessageType::Confirmable, Code::CHANGED, 9, &update.token());
    assert_eq!(said(&mut sim, DM, &response), [empty(MessageType::Acknowledgement, 9)]);
    assert_eq!(happened(&sim, UPDATED), 1);
}

#[test]
fn xc_20_a_retransmission_is_the_same_bytes_and_comes_four_times_at_most() {
    for what in KINDS {
        let (mut sim, message, failed) = in_flight(what, Reason::TimedOut);
        // Whatever changes meanwhile.
        for battery in [33, 44] {
            sim.run_for(secs(1));
            sim.model.0.battery_level = Some(battery);
            sim.model.1.levels.insert(0, 7);
            sim.notify(Path::ROOT);
        }
        sim.run_for(secs(100));
        let transmissions = transmissions(&sim, &message);
        assert_eq!(transmissions.len(), 5, "{what}\n{}", sim.trace);
        assert!(transmissions.iter().all(|again| again.bytes == message.bytes), "{what}\n{}", sim.trace);
        backs_off(&transmissions);
        // Given up when the acknowledgement of the last one is overdue as well: 31 first timeouts after
        // the first transmission.
        let first = transmissions[1].at.saturating_duration_since(message.at);
        let moments: Vec<_> = sim.events().filter(|(_, event)| Some(*event) == failed).map(|(at, _)| at).collect();
        assert_eq!(moments, Vec::from_iter(failed.map(|_| message.at + 31 * first)), "{what}\n{}", sim.trace);
    }
}

#[test]
fn xc_21_a_clock_that_jumps_causes_one_step_and_loses_no_deadline() {
    let sim = registered(1);
    let now = sim.now();
    // Ahead: within the lifetime one Update, beyond it one Register.
    let location = location_of(&sim);
    for (ahead, path) in [(secs(86_000), &*location), (DAY, "/rd"), (400 * DAY, "/rd")] {
        let (mut client, mut model) = (sim.client.clone(), sim.model.clone());
        let later = now + ahead;
        client.handle_timeout(later, &mut model);
        let [request] = &*outputs(&mut client, later) else { panic!("one request after {ahead:?}") };
        assert_eq!((request.code(), request.path()), (Code::POST, path.to_string()), "after {ahead:?}");
        client.handle_timeout(later, &mut model);
        assert_eq!(outputs(&mut client, later), []);
        let next = client.poll_timeout().unwrap();
        assert!((later + secs(2)..=later + secs(3)).contains(&next), "{next} is its retransmission");
    }
    // Ahead, with a request in flight: what is late is not made up for. Past MAX_TRANSMIT_SPAN it is
    // given up, and tried again as another message.
    let (flying, update) = updating(1);
    let now = flying.now();
    for (ahead, repeats) in [(secs(30), true), (DAY / 2, false), (2 * DAY, false)] {
        let (mut client, mut model) = (flying.client.clone(), flying.model.clone());
        client.handle_timeout(now + ahead, &mut model);
        let sent = outputs(&mut client, now + ahead);
        assert!(sent.len() <= 1, "{sent:?}");
        assert_eq!(sent.iter().any(|sent| sent.bytes == update.bytes), repeats, "after {ahead:?}");
        assert!(client.poll_timeout().unwrap() > now + ahead);
        let news = Vec::from_iter(core::iter::from_fn(|| client.poll_event()));
        let failed = Event::UpdateFailed { server: 1, reason: Reason::TimedOut };
        assert_eq!(news, if repeats { vec![] } else { vec![failed] });
    }
    // Back: nothing happens, what is due later is as far off as before, and comes once.
    let mut sim = Sim::starting_at(Instant::from_secs(100_000), one_server(1), device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    sim.client.handle_timeout(sim.now(), &mut sim.model);
    let left = sim.client.poll_timeout().unwrap().saturating_duration_since(sim.now());
    for back in [millis(1), secs(1), DAY] {
        let (mut client, mut model) = (sim.client.clone(), sim.model.clone());
        let earlier = sim.now().saturating_sub(back);
        client.handle_timeout(earlier, &mut model);
        assert_eq!(outputs(&mut client, earlier), []);
        assert_eq!(client.poll_timeout(), Some(earlier + left), "{back:?}");
        client.handle_timeout(earlier + (left - millis(1)), &mut model);
        assert_eq!(outputs(&mut client, earlier), []);
        client.handle_timeout(earlier + left, &mut model);
        let [request] = &*outputs(&mut client, earlier + left) else { panic!("one Update") };
        assert_eq!(request.path(), location_of(&sim));
    }
}

// ----- what they need -------------------------------------------------------------------------

const NOTHING: [[u8; 0]; 0] = [];

const UPDATED: Event = Event::Updated { server: 1 };

const TIMEZONE: Path = Path::resource(3, 0, 15);

/// Every kind of confirmable message of the device.
const KINDS: [&str; 6] = ["Bootstrap-Request", "Register", "Update", "De-register", "notification", "separate answer"];

/// A device whose message of a kind left 1 ms ago for a host that says nothing, the message, and the
/// news of its failure.
#[track_caller]
fn in_flight(kind: &str, reason: Reason) -> (Sim<(Device, Rack)>, Sent, Option<Event>) {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, (device(), Rack::new()), 1);
    let later = |sim: &mut Sim<(Device, Rack)>| {
        sim.network_up();
        assert!(sim.run_until(secs(2), |sim| server(sim).registration().is_some()), "{}", sim.trace);
        server_mut(sim).observe(BATTERY, None);
        // The bootstrap has deleted it.
        sim.model.1.levels.insert(0, 5);
        sim.model.1.later = true;
        server_mut(sim).read(LEVEL, None);
        sim.run_for(secs(1));
        server_mut(sim).go_down();
    };
    let server = 1;
    let failed = match kind {
        "Bootstrap-Request" => {
            sim.platform.bootstrap.go_down();
            sim.network_up();
            Some(Event::BootstrapFailed { reason })
        }
        "Register" => {
            server_mut(&mut sim).go_down();
            sim.network_up();
            assert!(sim.run_until(secs(1), |sim| own_requests(sim).len() == 2), "{}", sim.trace);
            Some(Event::RegistrationFailed { server, reason })
        }
        "Update" => {
            later(&mut sim);
            sim.update(server).unwrap();
            Some(Event::UpdateFailed { server, reason })
        }
        "De-register" => {
            later(&mut sim);
            sim.shutdown();
            Some(Event::Deregistered { server, unconfirmed: Some(reason) })
        }
        "notification" => {
            later(&mut sim);
            sim.model.0.battery_level = Some(79);
            sim.notify(BATTERY);
            Some(Event::ObservationCancelled { server, path: BATTERY })
        }
        "separate answer" => {
            later(&mut sim);
            let ticket = sim.model.1.ticket();
            sim.resume(ticket).unwrap();
            None
        }
        other => panic!("{other}"),
    };
    sim.run_for(millis(1));
    let message = sent(&sim).pop().unwrap();
    assert_eq!((message.kind(), message.at + millis(1)), (MessageType::Confirmable, sim.now()), "{kind}");
    (sim, message, failed)
}

/// What a client wants to send, without a simulator.
#[track_caller]
fn outputs(client: &mut Client, at: Instant) -> Vec<Sent> {
    let mut sent = Vec::new();
    while let Some(output) = client.poll_output() {
        match output {
            Output::Transmit { datagram, .. } => {
                sent.push(Sent { at, host: DM.to_string(), bytes: datagram.to_vec() });
            }
            // The bootstrap server has lingered for long enough.
            Output::Disconnect { .. } => {}
            Output::Connect { uri, .. } => panic!("there is a session with {uri}"),
        }
    }
    sent
}
