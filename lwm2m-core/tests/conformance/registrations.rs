//! XR: what is registered, when it is told, and how it comes back.

use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::sim::{Answering, DmServer, OperationId, Sim, Status, WriteMode};
use lwm2m_core::{Client, Credentials, DataModel, Event, Output, Path, Reason, Session, SnapshotError, Wake};

use crate::terminal::*;

const LIFETIME: Path = Path::resource(1, 0, 1);
const DISABLE: Path = Path::resource(1, 0, 4);
const BINDING: Path = Path::resource(1, 0, 7);
const UPDATED: Event = Event::Updated { server: 1 };
const REGISTERED: Event = Event::Registered { server: 1, lifetime: 86_400 };

#[test]
fn xr_01_an_instance_that_comes_or_goes_is_told_with_the_whole_list() {
    let mut sim = racked(one_server(1));
    let first = b"\x08\x01\x03\xc1\x00\x09";
    let create = |server: &mut DmServer| server.create(Path::object(30_000), ContentFormat::LWM2M_TLV, first);
    assert_eq!(sim.ask(0, create).code(), Some(Code::CREATED));
    tells(&mut sim, 1, &[], "</>;ct=11543,</1/0>,</3/0>,</30000/0>,</30000/1>");
    assert_eq!(sim.ask(0, |server| server.delete(Path::instance(30_000, 0))).code(), Some(Code::DELETED));
    tells(&mut sim, 2, &[], "</>;ct=11543,</1/0>,</3/0>,</30000/1>");
    // And what the application does by itself; the object without instances is named alone.
    sim.model.1.levels.clear();
    sim.notify(Path::object(30_000));
    tells(&mut sim, 3, &[], "</>;ct=11543,</1/0>,</3/0>,</30000>");
    assert!(lists(&sim, "/30000") && !lists(&sim, "/30000/1"), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xr_02_a_lifetime_that_stays_the_same_is_not_told() {
    let mut sim = registered(1);
    let before = sent(&sim).len();
    assert_eq!(sim.ask(0, |server| put(server, LIFETIME, "86400")).code(), Some(Code::CHANGED));
    sim.run_for(secs(600));
    assert_eq!((sent(&sim).len(), happened(&sim, UPDATED)), (before + 1, 0), "the answer alone\n{}", sim.trace);
    assert_eq!(sim.ask(0, |server| put(server, LIFETIME, "86401")).code(), Some(Code::CHANGED));
    tells(&mut sim, 1, &["lt=86401"], "");
}

#[test]
fn xr_03_lifetime_and_binding_written_together_are_both_told_in_the_end() {
    // The second Write comes before the first Update, while it is on its way, and after it.
    for (pause, updates) in [(0, 1..=2), (20, 2..=2), (500, 2..=2)] {
        let mut sim = registered(1);
        let one = put(server_mut(&mut sim), LIFETIME, "600");
        sim.run_for(millis(pause));
        let other = put(server_mut(&mut sim), BINDING, "UQ");
        sim.run_for(secs(3));
        let code = |operation| server(&sim).answer(operation).and_then(|answer| answer.code());
        assert_eq!([code(one), code(other)], [Some(Code::CHANGED); 2], "{pause} ms\n{}", sim.trace);
        let told: Vec<_> = requests(&sim, Code::POST, &location_of(&sim)).iter().map(Sent::query).collect();
        assert!(updates.contains(&told.len()), "{pause} ms: {told:?}");
        assert_eq!(told.concat(), ["lt=600", "b=UQ"], "{pause} ms: each of them once, and in order");
        let online = server(&sim).registration().expect("it is online");
        assert_eq!((online.lifetime, &*online.binding), (600, "UQ"), "{pause} ms\n{}", sim.trace);
        nobody_complains(&sim);
    }
}

#[test]
fn xr_04_a_binding_that_is_none_or_not_ours_is_refused_and_the_old_one_stays() {
    let mut sim = registered(1);
    let before = refreshes(&sim).len();
    // 1.0 knows the last four; this client is reached by UDP alone (own: 4.00).
    for text in ["", "u", "Q", "UU", "QU", "U ", "UQSX", "1", "T", "S", "SQ", "US", "UQS"] {
        assert_eq!(sim.ask(0, |server| put(server, BINDING, text)).code(), Some(Code::BAD_REQUEST), "{text:?}");
        assert_eq!(sim.ask(0, |server| server.read(BINDING, None)).response().text(), "U", "{text:?}");
        sim.run_for(secs(60));
    }
    assert_eq!(refreshes(&sim).len(), before, "nothing to tell\n{}", sim.trace);
    assert_eq!(sim.ask(0, |server| put(server, BINDING, "UQ")).code(), Some(Code::CHANGED));
    tells(&mut sim, 1, &["b=UQ"], "");
}

#[test]
fn xr_05_a_disabled_server_is_left_ignored_and_registered_with_when_its_time_is_over() {
    let mut sim = registered(1);
    assert_eq!(sim.ask(0, |server| put(server, Path::resource(1, 0, 5), "10")).code(), Some(Code::CHANGED));
    let location = location_of(&sim);
    assert_eq!(sim.ask(0, |server| server.execute(DISABLE, "")).code(), Some(Code::CHANGED));
    sim.run_for(secs(1));
    let (delete, answer) = exchanged(&sim, Code::DELETE, &location);
    assert_eq!((&*delete.host, answer.code()), (DM, Code::DELETED));
    // Its requests have no answer and no effect.
    let before = sent(&sim).len();
    let lifetime = Some((ContentFormat::TEXT_PLAIN, &b"60"[..]));
    for ask in [request(Code::GET, "/3/0/9", 1, b"a", None), request(Code::PUT, "/1/0/1", 2, b"b", lifetime)] {
        assert_eq!(said(&mut sim, DM, &ask), [[0; 0]; 0], "{}", sim.trace);
    }
    sim.run_for(secs(5));
    assert_eq!(sent(&sim).len(), before, "{}", sim.trace);
    sim.run_for(secs(10));
    let registers = requests(&sim, Code::POST, "/rd");
    assert_eq!(registers.len(), 2, "{}", sim.trace);
    let away = between(delete.at, registers[1].at);
    assert!((secs(10)..=secs(11)).contains(&away), "{away:?}");
    assert_eq!(statuses(&sim), [Status::Registered, Status::Deregistered, Status::Registered]);
    assert_eq!(happened(&sim, REGISTERED), 2, "with the old lifetime");
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
}

#[test]
fn xr_06_a_server_that_cannot_be_reached_keeps_nobody_from_the_other() {
    for (unreachable, reason) in [("silent", Reason::TimedOut), ("unknown", Reason::Unreachable)] {
        for (bad, good) in [(0, 1), (1, 0)] {
            let what = format!("the {unreachable} one is {bad}");
            let mut sim = Sim::new(two_servers(1), device(), 1);
            match unreachable {
                "silent" => sim.platform.servers[bad].go_down(),
                _ => sim.network.unresolvable([DM, SECOND][bad], true),
            }
            sim.network_up();
            // At once: before the other one is given up.
            sim.run_for(secs(1));
            assert_eq!(sim.platform.servers[good].registers_seen(), 1, "{what}\n{}", sim.trace);
            for _ in 0..10 {
                let level = sim.ask(good, |server| server.read(BATTERY, None));
                assert_eq!(level.response().text(), "80", "{what}");
                sim.run_for(secs(30));
            }
            let [failed, other] = [bad, good].map(|index| 1 + index as u16);
            assert!(happened(&sim, Event::RegistrationFailed { server: failed, reason }) > 0, "{what}\n{}", sim.trace);
            assert!(sim.client.is_registered(sim.now(), other) && !sim.client.is_registered(sim.now(), failed));
            sim.run_for(3 * DAY);
            assert_eq!(sim.platform.servers[good].registers_seen(), 1, "{what}: it stays");
            let history = sim.platform.servers[good].history();
            assert!(history.iter().all(|change| change.status == Status::Registered), "{what}\n{}", sim.trace);
        }
    }
}

#[test]
fn xr_07_a_new_session_calls_for_a_register_and_a_new_address_too_without_security() {
    let psk = Credentials::Psk { identity: b"me".to_vec(), key: b"key".to_vec() };
    let no_sec = ("coap://dm.example", Credentials::NoSec);
    let secured = ("coaps://dm.example", psk);
    for ((uri, credentials), session, registers) in [
        (&no_sec, Session::New, true),
        (&no_sec, Session::Moved, true),
        (&no_sec, Session::Resumed, false),
        (&secured, Session::New, true),
        // The server knows the session wherever it comes from.
        (&secured, Session::Moved, false),
        (&secured, Session::Resumed, false),
    ] {
        let what = format!("{uri}, {session:?}");
        let mut sim = online(dm(1).server(1, uri, credentials.clone(), 86_400), device());
        let (now, location) = (sim.now(), location_of(&sim));
        let client = &mut sim.client;
        client.address_changed(now);
        let Some(Output::Connect { peer, .. }) = client.poll_output() else { panic!("{what}: no Connect") };
        client.connected(now, peer, session, &mut sim.model);
        let Some(Output::Transmit { datagram, .. }) = client.poll_output() else { panic!("{what}: nothing is sent") };
        let sent = Sent { at: now, host: DM.into(), bytes: datagram.to_vec() };
        assert!(client.poll_output().is_none(), "{what}");
        assert_eq!((sent.code(), sent.path()), (Code::POST, if registers { "/rd".into() } else { location }), "{what}");
        assert_eq!(sent.query().is_empty(), !registers, "{what}");
        let list: &[u8] = if registers { b"</>;ct=11543,</1/0>,</3/0>" } else { b"" };
        assert_eq!(sent.message().payload(), list, "{what}");
    }
    // And it is served at its new address.
    let mut sim = online(one_server(1), device());
    let first = server(&sim).registration().expect("it is online").address;
    sim.address_changed();
    sim.run_for(secs(1));
    assert_eq!((happened(&sim, REGISTERED), happened(&sim, UPDATED)), (2, 0), "{}", sim.trace);
    assert_ne!(server(&sim).registration().expect("it is online").address, first);
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
    nobody_complains(&sim);
}

// Not here: XR-11, because the client has no queue mode: a server may write the binding UQ, and the
// client stays awake.

#[test]
fn xr_09_a_version_above_1_0_is_told_in_quotes() {
    let sim = online(one_server(1), (device(), Gauge(1.0)));
    let (register, _) = exchanged(&sim, Code::POST, "/rd");
    let list = core::str::from_utf8(register.message().payload());
    // As OMA LwM2M 1.0, 6.2, has it: the version is the object's, which gets a link of its own.
    assert_eq!(list, Ok(r#"</>;ct=11543,</1/0>,</3/0>,</30001>;ver="2.2",</30001/0>"#));
    let links = &server(&sim).registration().expect("it is online").links;
    let versions: Vec<_> = links.iter().map(|link| link.attribute("ver")).collect();
    assert_eq!(versions, [None, None, None, Some("2.2"), None]);
    nobody_complains(&sim);
}

#[test]
fn xr_12_a_client_that_slept_updates_when_it_was_planned() {
    for seed in 0..10 {
        let [awake, slept] = [None, Some(secs(30_000))].map(|sleep| {
            let mut sim = registered(seed);
            let before = sent(&sim).len();
            match sleep {
                Some(duration) => sim.sleep(duration),
                None => sim.run_for(secs(30_000)),
            }
            assert_eq!(sent(&sim).len(), before, "seed {seed}: nothing was due\n{}", sim.trace);
            sim.run_for(DAY);
            sim
        });
        let location = location_of(&awake);
        let updates = requests(&slept, Code::POST, &location);
        assert!(!updates.is_empty(), "seed {seed}\n{}", slept.trace);
        assert_eq!(updates, requests(&awake, Code::POST, &location), "seed {seed}: when and what");
        assert_eq!(requests(&slept, Code::POST, "/rd").len(), 1, "seed {seed}");
        assert_eq!(statuses(&slept), [Status::Registered], "seed {seed}");
        nobody_complains(&slept);
    }
    // A longer sleep: the registration is over, and a new one is made at once.
    let mut sim = registered(1);
    sim.sleep(DAY + secs(1));
    let woken = sim.now();
    sim.run_for(secs(1));
    let registers = requests(&sim, Code::POST, "/rd");
    assert_eq!((registers.len(), registers[1].at), (2, woken), "{}", sim.trace);
}

#[test]
fn xr_13_a_damaged_snapshot_is_an_error_and_the_client_starts_anew() {
    let mut sim = registered(1);
    let mut flash = [0; 1_024];
    let length = sim.client.snapshot(sim.now(), &mut flash).expect("it fits");
    let wakes = [Wake::Restart, Wake::Sleep { elapsed: secs(60) }];
    let restore = |bytes: &[u8], wake| Client::restore(sim.client.config().clone(), bytes, sim.now(), wake).map(|_| ());
    for wake in wakes {
        let good = &flash[..length];
        assert_eq!(restore(good, wake), Ok(()), "{wake:?}");
        for end in 0..length {
            assert_eq!(restore(&good[..end], wake), Err(SnapshotError::Damaged), "{wake:?}: {end} bytes of it");
        }
        for bit in 0..length * 8 {
            let mut bad = good.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(restore(&bad, wake), Err(SnapshotError::Damaged), "{wake:?}: bit {bit}");
        }
    }
    // The embedder makes a new client then: it boots as on its first day.
    sim.reboot();
    assert!(!sim.client.is_registered(sim.now(), 1));
    sim.network_up();
    sim.run_for(secs(5));
    assert_eq!((requests(&sim, Code::POST, "/bs").len(), requests(&sim, Code::POST, "/rd").len()), (2, 2));
    assert!(sim.client.is_registered(sim.now(), 1), "{}", sim.trace);
}

#[test]
fn xr_14_a_new_registration_drops_the_old_observations_of_its_server_alone() {
    let mut sim = online(two_servers(1), device());
    let watches = [0, 1].map(|server| watch(&mut sim, server, BATTERY));
    server_mut(&mut sim).restart();
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    assert_eq!((requests(&sim, Code::POST, "/rd").len(), happened(&sim, REGISTERED)), (3, 2), "{}", sim.trace);
    sim.model.battery_level = Some(1);
    sim.notify(BATTERY);
    sim.run_for(secs(10));
    let told = watches.map(|watch| watch.told(&sim).into_iter().map(|(_, text)| text).collect::<Vec<_>>());
    assert_eq!(told, [vec![], vec!["1".to_string()]], "{}", sim.trace);
    // Observed again, it is told again.
    let again = watch(&mut sim, 0, BATTERY);
    sim.model.battery_level = Some(2);
    sim.notify(BATTERY);
    sim.run_for(secs(10));
    assert_eq!(again.told(&sim).pop().map(|(_, text)| text), Some("2".to_string()), "{}", sim.trace);
}

#[test]
fn xr_15_tries_that_fail_come_at_growing_pauses() {
    // Refused at once, or unanswered for as long as a request is repeated; without a bootstrap server
    // that could be asked instead.
    for refused in [true, false] {
        let mut pauses = Vec::new();
        for seed in 0..20 {
            let mut sim = Sim::new(one_server(seed), device(), seed);
            let refuse = |sim: &mut Sim<_>| server_mut(sim).accepts = lwm2m_core::sim::Accepts::Only(vec![]);
            let silence = |sim: &mut Sim<_>| server_mut(sim).answering = Answering::Never;
            if refused {
                refuse(&mut sim)
            } else {
                silence(&mut sim)
            }
            sim.network_up();
            let reason = if refused { Reason::Code(Code::FORBIDDEN) } else { Reason::TimedOut };
            let failed = Event::RegistrationFailed { server: 1, reason };
            assert!(sim.run_until(secs(20_000), |sim| happened(sim, failed) == 6), "{}", sim.trace);
            let (failures, mut tries) = (times(&sim, failed), requests(&sim, Code::POST, "/rd"));
            tries.dedup_by_key(|register| register.id());
            assert_eq!(tries.len(), 6, "seed {seed}\n{}", sim.trace);
            for (doublings, (failure, next)) in failures.iter().zip(&tries[1..]).enumerate() {
                let (pause, least) = (between(*failure, next.at), secs(60 << doublings));
                assert!((least..=least * 3 / 2).contains(&pause), "seed {seed}, {doublings}: {pause:?}");
                pauses.push(pause.as_micros() / (1 << doublings));
            }
            // On average, from the first on.
            for (count, next) in tries.iter().enumerate().skip(1) {
                assert!(between(tries[0].at, next.at) >= secs(60) * count as u32, "seed {seed}\n{}", sim.trace);
            }
        }
        // Jitter: no two alike, and from all of the room.
        let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        assert!(*least < 63_000_000 && *most > 87_000_000, "{least} to {most} us");
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 95, "{}", pauses.len());
    }
}

// ----- helpers ------------------------------------------------------------------------------------

fn put(server: &mut DmServer, path: Path, text: &str) -> OperationId {
    server.write(path, ContentFormat::TEXT_PLAIN, text.as_bytes(), WriteMode::Replace)
}

/// The device sent so many Updates, and the last one says this and nothing else.
#[track_caller]
fn tells<M: DataModel>(sim: &mut Sim<M>, count: usize, query: &[&str], list: &str) {
    sim.run_for(secs(3));
    let updates = requests(sim, Code::POST, &location_of(sim));
    assert_eq!((updates.len(), happened(sim, UPDATED)), (count, count), "{}", sim.trace);
    let update = updates.last().expect("an Update");
    let message = update.message();
    assert_eq!((&*update.host, message.message_type()), (DM, MessageType::Confirmable));
    assert_eq!(update.query(), query, "{}", sim.trace);
    assert_eq!(core::str::from_utf8(message.payload()), Ok(list));
    let format = (!list.is_empty()).then_some(ContentFormat::LINK_FORMAT);
    assert_eq!(message.content_format(), format, "{}", sim.trace);
}
