//! Every bound of `Limits`: filled, refused as its documentation says, and served again afterwards.

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{BootstrapCommand, Direction, Sim, Tlv, What, WriteMode};
use lwm2m_core::{Config, Credentials, Event, Limits, Origin, Path, Peer, Reason};

use crate::terminal::*;

const DEVICE: Limits = Limits::DEVICE;

#[test]
fn xc_31_servers_one_account_more_is_refused_with_4_00() {
    let security = |uri, id| Tlv::new().text(0, uri).boolean(1, false).integer(2, 3).integer(10, id);
    let server = |id| Tlv::new().integer(0, id).integer(1, 86_400).boolean(6, true).text(7, "U");
    let write = |path, tlv: &Tlv| BootstrapCommand::Write {
        path,
        format: ContentFormat::LWM2M_TLV,
        payload: tlv.bytes().to_vec(),
    };
    let first = security("coap://dm.example", 1);
    let second = security("coap://second.example", 2);
    let account = [write(Path::instance(0, 1), &first), write(Path::instance(1, 0), &server(1))];
    let bootstrapped = |more: Option<BootstrapCommand>| {
        let mut sim = terminal_with(Limits { servers: 1, ..DEVICE });
        sim.platform.bootstrap.script = Some(account.iter().cloned().chain(more).collect());
        sim.network_up();
        sim.run_for(secs(5));
        sim.client.reserve();
        sim
    };
    let memory = bootstrapped(None).client.memory();
    for more in [
        write(Path::instance(0, 2), &second),
        write(Path::instance(1, 1), &server(2)),
        write(Path::object(0), &Tlv::new().instance(1, &first).instance(2, &second)),
        write(Path::object(1), &Tlv::new().instance(0, &server(1)).instance(1, &server(2))),
        write(Path::resource(1, 7, 1), &Tlv::new().integer(1, 60)),
    ] {
        let mut sim = bootstrapped(Some(more.clone()));
        let answers = sim.platform.bootstrap.answers();
        let codes: Vec<_> = answers.iter().map(|answer| answer.result.as_ref().unwrap().code).collect();
        assert_eq!(codes, [Code::CHANGED, Code::CHANGED, Code::BAD_REQUEST], "{more:?}");
        assert_eq!((sim.client.memory(), sim.client.servers().count()), (memory, 1), "{more:?}");
        // The server says no more, and the next try is one account.
        sim.platform.bootstrap.script = None;
        sim.run_for(secs(247 + 95));
        assert!(sim.client.is_registered(sim.now(), 1), "{}", sim.trace);
    }
}

#[test]
fn xc_31_slots_without_a_buffer_requests_count_as_lost_and_our_own_messages_wait() {
    let limits = Limits { slots: 2, deferred: 1, ..DEVICE };
    let mut sim = racked(limited(sharing(two_servers(1), &[Path::instance(30_000, 0)]), limits));
    server_mut(&mut sim).observe(BATTERY, None);
    sim.run_for(secs(1));
    // One buffer for a request that is answered later, one for a notification that nobody acknowledges.
    sim.model.1.later = true;
    server_mut(&mut sim).read(LEVEL, None);
    sim.run_for(secs(1));
    server_mut(&mut sim).go_down();
    sim.model.1.later = false;
    sim.model.0.battery_level = Some(79);
    sim.notify(BATTERY);
    sim.run_for(millis(1));
    let notification = sent(&sim).pop().unwrap();
    assert_eq!(sim.client.usage().slots, 2);
    sim.client.reserve();
    let memory = sim.client.memory();

    let updates = sim.platform.servers[1].updates_seen();
    sim.update(2).unwrap();
    let run = request(Code::POST, "/30000/0/1", 7, b"tok", None);
    for _ in 0..3 {
        assert_eq!(said(&mut sim, SECOND, &run), NOTHING);
        sim.run_for(millis(500));
    }
    assert_eq!((sim.model.1.done.len(), sim.platform.servers[1].updates_seen()), (0, updates), "{}", sim.trace);
    // What needs no buffer is done.
    assert_eq!(said(&mut sim, SECOND, b"\x40\0\0\x08"), [b"\x70\0\0\x08"]);
    assert_eq!((sim.client.usage().slots, sim.client.memory()), (2, memory));

    assert_eq!(said(&mut sim, DM, &empty(MessageType::Acknowledgement, notification.id())), NOTHING);
    let again = said(&mut sim, SECOND, &run);
    assert!(again.contains(&bare(MessageType::Acknowledgement, Code::CHANGED, 7, b"tok")), "{}", sim.trace);
    sim.run_for(secs(2));
    assert_eq!((sim.model.1.done.len(), sim.platform.servers[1].updates_seen()), (1, updates + 1), "{}", sim.trace);
    assert!(sim.client.memory().buffers <= memory.buffers);
}

/// Buffers that requests wait in are not free before the requests are answered, so one is left to
/// answer them with.
#[test]
fn xc_31_slots_requests_that_are_answered_later_leave_one_to_answer_with() {
    for limits in
        [Limits { slots: 2, deferred: 2, ..DEVICE }, Limits { slots: 4, deferred: 9, ..DEVICE }, Limits::GATEWAY]
    {
        let mut sim = racked(limited(one_server(1), limits));
        sim.model.1.later = true;
        for id in 0..20 {
            assert_eq!(said(&mut sim, DM, &request(Code::GET, "/30000/0/0", id, b"tok", None)).len(), 1);
        }
        let tickets = sim.model.1.tickets.take();
        let most = limits.deferred.min(limits.slots - 1);
        assert_eq!((tickets.len(), sim.client.usage().deferred), (most, most));
        for ticket in tickets {
            sim.resume(ticket).unwrap();
            sim.run_for(secs(1));
            let answer = sent(&sim).pop().unwrap();
            assert_eq!((answer.kind(), answer.message().payload()), (MessageType::Confirmable, &b"5"[..]));
            said(&mut sim, DM, &empty(MessageType::Acknowledgement, answer.id()));
        }
        sim.model.1.later = false;
        assert_eq!(sim.ask(0, |server| server.read(LEVEL, None)).response().text(), "5", "{}", sim.trace);
    }
}

#[test]
fn xc_31_datagram_what_does_not_fit_leaves_in_blocks_or_is_5_03() {
    let mut sim = racked(limited(one_server(1), Limits { datagram: 144, ..DEVICE }));
    let buffers = sim.client.memory().buffers;
    // Header, token, Content-Format, marker and so much text.
    for (id, text, fits) in [(1, 135, true), (2, 136, false), (3, 1_000, false), (4, 135, true)] {
        sim.model.0.manufacturer = Some("x".repeat(text).into());
        let answer = said(&mut sim, DM, &request(Code::GET, "/3/0/0", id, b"tok", None)).remove(0);
        let block = Message::parse(&answer).unwrap().block2().map(Result::unwrap);
        let first = BlockValue::new(0, true, 2).unwrap();
        assert_eq!(block, (!fits).then_some(first), "{text}");
        assert!(if fits { answer.len() == 144 } else { answer.ends_with(&[b'x'; 64]) }, "{text}");
        let whole = sim.ask(0, |server| server.read(Path::resource(3, 0, 0), None));
        assert_eq!(whole.response().text().len(), text);
    }
    // The longest request that can be answered later, with an option that nobody needs to know.
    sim.model.1.later = true;
    for (id, length, code) in [(5, 144, Code::EMPTY), (6, 145, Code::SERVICE_UNAVAILABLE)] {
        let read = datagram(MessageType::Confirmable, Code::GET, id, b"tok", |writer| {
            ["30000", "0", "0"].iter().try_for_each(|segment| writer.uri_path(segment))?;
            let rest = length - writer.len() - 4;
            writer.option(OptionNumber(65_000), &vec![0; rest])
        });
        assert_eq!(read.len(), length);
        let token = if code == Code::EMPTY { &b""[..] } else { b"tok" };
        assert_eq!(said(&mut sim, DM, &read), [bare(MessageType::Acknowledgement, code, id, token)]);
    }
    let ticket = sim.model.1.ticket();
    sim.resume(ticket).unwrap();
    sim.run_for(secs(1));
    // An object list of our own.
    sim.model.1.levels = (0..20).map(|id| (id, 5)).collect();
    sim.notify(Path::object(30_000));
    sim.run_for(secs(1));
    assert!(server(&sim).registration().unwrap().lists("/30000/19"), "{}", sim.trace);
    assert_eq!(happened(&sim, Event::Updated { server: 1 }), 1, "{}", sim.trace);
    assert!(sent(&sim).iter().all(|sent| sent.bytes.len() <= 144));
    assert!(sim.client.memory().buffers <= buffers + 144 * DEVICE.slots);
}

#[test]
fn xc_31_exchanges_one_more_waits_until_another_is_over() {
    let mut sim = Sim::new(limited(two_servers(1), Limits { exchanges: 1, ..DEVICE }), device(), 1);
    sim.client.reserve();
    let memory = sim.client.memory().exchange;
    sim.platform.servers.iter_mut().for_each(lwm2m_core::sim::DmServer::go_down);
    sim.network_up();
    let failed = Event::RegistrationFailed { server: 1, reason: Reason::TimedOut };
    while happened(&sim, failed) == 0 {
        assert!(sent(&sim).iter().all(|sent| sent.host == DM), "{}", sim.trace);
        assert_eq!((sim.client.usage().exchanges, sim.client.memory().exchange), (1, memory));
        assert!(sim.step());
    }
    let (first, other): (Vec<_>, Vec<_>) = sent(&sim).into_iter().partition(|sent| sent.host == DM);
    assert_eq!((first.len(), other.len()), (5, 1), "{}", sim.trace);
    assert_eq!(other[0].at, sim.now(), "it waits for nothing else");
    sim.platform.servers.iter_mut().for_each(lwm2m_core::sim::DmServer::come_up);
    sim.run_for(secs(200));
    assert!(sim.platform.servers.iter().all(|server| server.registration().is_some()), "{}", sim.trace);

    // A confirmable notification is one as well.
    server_mut(&mut sim).observe(BATTERY, None);
    sim.run_for(secs(1));
    server_mut(&mut sim).go_down();
    sim.model.battery_level = Some(79);
    sim.notify(BATTERY);
    sim.update(2).unwrap();
    sim.run_for(secs(1));
    let notification = sent(&sim).pop().unwrap();
    assert_eq!((notification.code(), sim.client.usage().exchanges), (Code::CONTENT, 1), "{}", sim.trace);
    assert_eq!(sim.platform.servers[1].updates_seen(), 0);
    sim.forge(DM, &empty(MessageType::Acknowledgement, notification.id()));
    sim.run_for(secs(1));
    assert_eq!(sim.platform.servers[1].updates_seen(), 1, "{}", sim.trace);
    assert_eq!(sim.client.memory().exchange, memory);
}

/// A server that provisions a device may write all day.
#[test]
fn xc_31_deduplication_any_number_of_writes_is_carried_out_each_once() {
    let mut sim = racked(limited(one_server(1), Limits { deduplication: 2, ..DEVICE }));
    let write = |id: u16| request(Code::PUT, "/30000/0/0", id, b"tok", Some((ContentFormat::TEXT_PLAIN, b"7")));
    for id in 1..20 {
        for _ in 0..2 {
            let answer = bare(MessageType::Acknowledgement, Code::CHANGED, id, b"tok");
            assert_eq!(said(&mut sim, DM, &write(id)), [answer]);
        }
        assert_eq!(sim.model.1.done.len(), usize::from(id));
    }
}

#[test]
fn xc_31_deduplication_one_change_more_is_refused_with_5_03_and_reads_are_served() {
    let mut sim = racked(limited(one_server(1), Limits { deduplication: 2, ..DEVICE }));
    sim.client.reserve();
    let memory = sim.client.memory();
    let answer = |code, id| bare(MessageType::Acknowledgement, code, id, b"tok");
    let run = |id| request(Code::POST, "/30000/0/1", id, b"tok", None);
    let read = |id| request(Code::GET, "/3/0/9", id, b"tok", None);
    // Reads make room.
    (11..15).for_each(|id| assert_eq!(said(&mut sim, DM, &read(id)).len(), 1));
    assert_eq!(said(&mut sim, DM, &run(1)), [answer(Code::CHANGED, 1)]);
    assert_eq!(said(&mut sim, DM, &run(2)), [answer(Code::CHANGED, 2)]);
    for id in [3, 3, 4] {
        assert_eq!(said(&mut sim, DM, &run(id)), [answer(Code::SERVICE_UNAVAILABLE, id)]);
    }
    let mut unconfirmed = run(5);
    unconfirmed[0] |= 0x10;
    assert_eq!(said(&mut sim, DM, &unconfirmed), NOTHING);
    assert_eq!(said(&mut sim, DM, &run(1)), [answer(Code::CHANGED, 1)], "it is still known");
    assert_eq!(sim.model.1.done, ["run 0", "run 0"]);
    assert!(said(&mut sim, DM, &read(6))[0].ends_with(b"\xff80"));

    // A response that finds no place is acknowledged, and its repetition rejected.
    server_mut(&mut sim).go_down();
    sim.update(1).unwrap();
    sim.run_for(millis(1));
    let update = sent(&sim).pop().unwrap();
    let response = bare(MessageType::Confirmable, Code::CHANGED, 9, &update.token());
    assert_eq!(said(&mut sim, DM, &response), [empty(MessageType::Acknowledgement, 9)]);
    assert_eq!(said(&mut sim, DM, &response), [empty(MessageType::Reset, 9)]);
    assert_eq!(happened(&sim, Event::Updated { server: 1 }), 1);
    assert_eq!((sim.client.usage().deduplication, sim.client.memory()), (2, memory));

    sim.run_for(secs(247));
    assert_eq!(said(&mut sim, DM, &run(3)), [answer(Code::CHANGED, 3)]);
    assert_eq!(sim.model.1.done.len(), 3);
}

#[test]
fn xc_31_deferred_one_more_is_refused_with_5_03() {
    let mut sim = racked(limited(one_server(1), Limits { deferred: 1, ..DEVICE }));
    sim.client.reserve();
    let memory = sim.client.memory().exchange;
    sim.model.1.later = true;
    let read = |id| request(Code::GET, "/30000/0/0", id, b"tok", None);
    let refused = |id| bare(MessageType::Acknowledgement, Code::SERVICE_UNAVAILABLE, id, b"tok");
    for id in [1, 11] {
        assert_eq!(said(&mut sim, DM, &read(id)), [empty(MessageType::Acknowledgement, id)]);
        // Repeated, it is refused again, and not asked for again.
        let asked = sim.model.1.asked.get();
        for id in [id + 1, id + 1, id + 2] {
            assert_eq!(said(&mut sim, DM, &read(id)), [refused(id)]);
        }
        assert_eq!(sim.model.1.asked.get(), asked + 2);
        assert_eq!((sim.client.usage().deferred, sim.client.memory().exchange), (1, memory));
        // What can be answered at once is.
        assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).response().text(), "80");
        let ticket = sim.model.1.ticket();
        sim.resume(ticket).unwrap();
        sim.run_for(secs(1));
        let answer = sent(&sim).pop().unwrap();
        assert_eq!((answer.kind(), answer.message().payload()), (MessageType::Confirmable, &b"5"[..]));
        said(&mut sim, DM, &empty(MessageType::Acknowledgement, answer.id()));
        assert_eq!(sim.client.usage().deferred, 0);
    }
}

#[test]
fn xc_31_transfers_one_more_body_in_blocks_is_refused_with_5_03() {
    let mut sim = stored(limited(one_server(1), Limits { transfers: 1, ..DEVICE }));
    let block = |path: &'static str, id, num, more| {
        datagram(MessageType::Confirmable, Code::PUT, id, b"tok", |writer| {
            path.split('/').try_for_each(|segment| writer.uri_path(segment))?;
            writer.content_format(ContentFormat::OCTET_STREAM)?;
            writer.block1(BlockValue::new(num, more, 0).unwrap())?;
            writer.payload(&[7; 16])
        })
    };
    let code = |sim: &mut Sim<_>, path, id, num, more| {
        let answer = said(sim, DM, &block(path, id, num, more)).remove(0);
        Message::parse(&answer).unwrap().code()
    };
    for (base, first, other) in [(0, "30001/0/1", "5/0/0"), (10, "5/0/0", "30001/0/1")] {
        assert_eq!(code(&mut sim, first, base + 1, 0, true), Code::CONTINUE);
        for id in [2, 3] {
            assert_eq!(code(&mut sim, other, base + id, 0, true), Code::SERVICE_UNAVAILABLE);
        }
        assert_eq!(sim.client.usage().transfers, 1);
        // The first one goes on, and makes room when it is answered.
        assert_eq!(code(&mut sim, first, base + 4, 1, false), Code::CHANGED);
        assert_eq!(sim.client.usage().transfers, 0);
        assert_eq!(code(&mut sim, other, base + 5, 0, false), Code::CHANGED);
    }
}

#[test]
fn xc_31_body_a_longer_one_is_refused_with_4_13_and_memory_is_given_back() {
    let mut sim = stored(limited(one_server(1), Limits { body: 3_000, ..DEVICE }));
    sim.client.reserve();
    let memory = sim.client.memory().exchange;
    let write = |sim: &mut Sim<_>, length| {
        let text = letters(length);
        let format = ContentFormat::TEXT_PLAIN;
        sim.ask(0, |server| server.write(TEXT, format, text.as_bytes(), WriteMode::Replace)).code().unwrap()
    };
    for (length, code) in [
        (3_000, Code::CHANGED),
        (3_001, Code::REQUEST_ENTITY_TOO_LARGE),
        (1 << 20, Code::REQUEST_ENTITY_TOO_LARGE),
        (2_999, Code::CHANGED),
    ] {
        assert_eq!(write(&mut sim, length), code, "{length}");
        assert_eq!(sim.client.memory().exchange, memory);
    }
    assert_eq!(sim.model.1.store[&0].0.len(), 2_999);
}

#[test]
fn xc_31_observations_one_more_is_a_plain_read() {
    let mut sim = racked(limited(one_server(1), Limits { observations: 2, ..DEVICE }));
    sim.client.reserve();
    let memory = sim.client.memory().reporting;
    let observe = |sim: &mut Sim<(Device, Rack)>| {
        let id = server_mut(sim).observe(BATTERY, None);
        sim.run_for(secs(1));
        let response = server(sim).answer(id).unwrap().response().clone();
        assert_eq!((response.code, response.text()), (Code::CONTENT, "80"));
        (id, response.observe)
    };
    let [first, second, third, fourth] = [(); 4].map(|()| observe(&mut sim));
    assert_eq!([first.1, second.1, third.1, fourth.1], [Some(1), Some(1), None, None]);
    assert_eq!(happened(&sim, Event::Observed { server: 1, path: BATTERY }), 2);
    let told = |sim: &mut Sim<(Device, Rack)>, level| {
        let before = happened(sim, Event::Notified { server: 1, path: BATTERY });
        sim.model.0.battery_level = Some(level);
        sim.notify(BATTERY);
        sim.run_for(secs(1));
        happened(sim, Event::Notified { server: 1, path: BATTERY }) - before
    };
    assert_eq!(told(&mut sim, 79), 2);
    assert_eq!((told(&mut sim, 80), sim.client.memory().reporting), (2, memory));
    // One makes room for one.
    server_mut(&mut sim).cancel(first.0);
    sim.run_for(secs(1));
    assert_eq!(told(&mut sim, 78), 1);
    assert_eq!(told(&mut sim, 80), 1);
    let [fifth, sixth] = [(); 2].map(|()| observe(&mut sim));
    assert_eq!((fifth.1, sixth.1), (Some(1), None));
    assert_eq!((told(&mut sim, 77), sim.client.memory().reporting), (2, memory));
    nobody_complains(&sim);
}

#[test]
fn xc_31_attributes_one_path_more_is_refused_with_5_03() {
    let mut sim = racked(limited(two_servers(1), Limits { attributes: 2, ..DEVICE }));
    sim.client.reserve();
    let memory = sim.client.memory().reporting;
    for (server, path, code) in [
        (0, "/3", Code::CHANGED),
        (1, "/3", Code::CHANGED),
        (0, "/3/0", Code::SERVICE_UNAVAILABLE),
        (1, "/3/0/9", Code::SERVICE_UNAVAILABLE),
        // At a path that has some already there is room for others.
        (0, "/3", Code::CHANGED),
    ] {
        assert_eq!(attributes(&mut sim, server, path, "pmin=5&pmax=50"), code, "{server} {path}");
    }
    assert_eq!(attributes(&mut sim, 1, "/3", "pmin=7&pmax"), Code::CHANGED);
    assert_eq!([0, 1].map(|server| set_at(&mut sim, server, Path::object(3))), ["pmax=50;pmin=5", "pmin=7"]);
    assert_eq!(set_at(&mut sim, 0, Path::instance(3, 0)), "");
    // To unset where nothing is set takes no place, and what is unset makes room.
    assert_eq!(attributes(&mut sim, 0, "/3/0", "pmin"), Code::CHANGED);
    assert_eq!(attributes(&mut sim, 0, "/3", "pmin&pmax"), Code::CHANGED);
    assert_eq!(attributes(&mut sim, 1, "/3/0/9", "gt=5"), Code::CHANGED);
    assert_eq!(attributes(&mut sim, 0, "/3", "pmin=1"), Code::SERVICE_UNAVAILABLE);
    assert_eq!(sim.client.memory().reporting, memory);
    nobody_complains(&sim);
}

#[test]
fn xc_31_numbers_without_a_place_every_change_is_told() {
    let mut sim = racked(limited(one_server(1), Limits { numbers: 1, ..DEVICE }));
    sim.client.reserve();
    let memory = sim.client.memory().reporting;
    sim.model.1.levels.insert(1, 50);
    for path in ["/30000/0/0", "/30000/1/0"] {
        assert_eq!(attributes(&mut sim, 0, path, "st=10"), Code::CHANGED);
    }
    let [first, second] = [LEVEL, Path::resource(30_000, 1, 0)].map(|path| watch(&mut sim, 0, path));
    let steps = |sim: &mut Sim<(Device, Rack)>, watches: [&Watch; 2], step: i64| {
        let before = watches.map(|watch| watch.told(sim).len());
        sim.model.1.levels.values_mut().for_each(|level| *level += step);
        sim.notify(Path::object(30_000));
        sim.run_for(secs(1));
        let after = watches.map(|watch| watch.told(sim).len());
        [0, 1].map(|index| after[index] - before[index])
    };
    // The second one's number found no place.
    assert_eq!(steps(&mut sim, [&first, &second], 1), [0, 1], "{}", sim.trace);
    assert_eq!(steps(&mut sim, [&first, &second], 0), [0, 0]);
    assert_eq!(steps(&mut sim, [&first, &second], 9), [1, 1]);
    // The first one ends: from its next notification on the other one has a place.
    assert_eq!(sim.ask(0, |server| server.cancel(first.operation)).code(), Some(Code::CONTENT));
    assert_eq!(steps(&mut sim, [&first, &second], 1), [0, 1]);
    assert_eq!(steps(&mut sim, [&first, &second], 9), [0, 0]);
    assert_eq!(steps(&mut sim, [&first, &second], 1), [0, 1]);
    assert_eq!(sim.client.memory().reporting, memory);
    nobody_complains(&sim);
}

#[test]
fn xc_31_events_the_oldest_is_dropped_and_counted() {
    let mut sim = racked(limited(one_server(1), Limits { events: 3, ..DEVICE }));
    sim.model.1.levels = (0..10).map(|id| (id, 5)).collect();
    let peer = session(&sim);
    // The simulator takes every event at once, so the client goes on by hand.
    let (mut client, mut model, now) = (sim.client.clone(), sim.model.clone(), sim.now());
    assert_eq!(client.poll_event(), None);
    let dropped = client.dropped_events();
    let mut run = |client: &mut lwm2m_core::Client, module: u16| {
        let run = request(Code::POST, &format!("/30000/{module}/1"), module, b"tok", None);
        client.handle_datagram(now, peer, &run, &mut model);
        let answer = bare(MessageType::Acknowledgement, Code::CHANGED, module, b"tok");
        assert_eq!(client.poll_output(), Some(lwm2m_core::Output::Transmit { peer, datagram: &answer }));
        assert_eq!(client.poll_output(), None);
    };
    let executed = |module| Event::Executed { origin: Origin::Server(1), path: Path::resource(30_000, module, 1) };
    (0..8).for_each(|module| run(&mut client, module));
    assert_eq!(client.dropped_events() - dropped, 5);
    assert!(client.memory().events <= 4 * size_of::<Event>());
    let news: Vec<_> = core::iter::from_fn(|| client.poll_event()).collect();
    assert_eq!(news, [executed(5), executed(6), executed(7)]);
    // With room again none is lost.
    (8..10).for_each(|module| run(&mut client, module));
    let news: Vec<_> = core::iter::from_fn(|| client.poll_event()).collect();
    assert_eq!((news, client.dropped_events() - dropped), (vec![executed(8), executed(9)], 5));
}

#[test]
fn xc_31_location_a_longer_one_is_a_register_that_failed() {
    // `rd`, eight digits, and one byte more for each.
    let limits = Limits { location: 12, ..DEVICE };
    for (segments, query) in [(&["rd", ""][..], &[][..]), (&["rd1"], &[]), (&["rd"], &[""]), (&[LONG; 9], &[LONG; 9])] {
        let mut sim = Sim::new(limited(one_server(1), limits), device(), 1);
        let memory = sim.client.memory().strings;
        server_mut(&mut sim).set_location(segments, query);
        sim.network_up();
        sim.run_for(secs(1));
        let failed = Event::RegistrationFailed { server: 1, reason: Reason::BadAnswer };
        assert_eq!(happened(&sim, failed), 1, "{segments:?} {query:?}\n{}", sim.trace);
        assert_eq!((sim.client.memory().strings, sim.client.is_registered(sim.now(), 1)), (memory, false));
        server_mut(&mut sim).set_location(&["rd"], &[]);
        sim.run_for(secs(90));
        assert!(sim.client.is_registered(sim.now(), 1), "{}", sim.trace);
        assert_eq!(sim.client.memory().strings, memory + 12);
    }
}

#[test]
fn xc_31_value_a_longer_string_or_key_is_refused_with_4_00() {
    let uri = |length: usize| format!("coap://{}.example", "a".repeat(length - 15));
    let security = |uri: &str, [identity, server, secret]: [usize; 3]| {
        let keys = [(3, identity), (4, server), (5, secret)];
        let tlv = Tlv::new().text(0, uri).boolean(1, false).integer(2, 3).integer(10, 1);
        keys.iter().fold(tlv, |tlv, (id, length)| tlv.resource(*id, &vec![7; *length]))
    };
    let bootstrapped = |uri: &str, keys| {
        let mut sim = terminal_with(Limits { value: 30, ..DEVICE });
        let path = Path::instance(0, 1);
        let payload = security(uri, keys).bytes().to_vec();
        let write = BootstrapCommand::Write { path, format: ContentFormat::LWM2M_TLV, payload };
        sim.platform.bootstrap.script = Some(vec![write]);
        let before = sim.client.memory().accounts;
        sim.network_up();
        sim.run_for(secs(5));
        let code = sim.platform.bootstrap.answers()[0].result.as_ref().unwrap().code;
        let grown = sim.client.memory().accounts > before;
        (sim, code, grown)
    };
    // The public key of the server is of no use and not kept, so it may be any.
    assert_eq!(bootstrapped(&uri(30), [30, 31, 30]).1, Code::CHANGED);
    for (uri, keys) in [(uri(31), [30, 30, 30]), (uri(30), [31, 0, 0]), (uri(30), [0, 0, 31]), (uri(300), [0; 3])] {
        let (mut sim, code, grown) = bootstrapped(&uri, keys);
        assert_eq!((code, grown), (Code::BAD_REQUEST, false), "{uri} {keys:?}");
        sim.platform.bootstrap.script = None;
        sim.run_for(secs(247 + 95));
        assert!(sim.client.is_registered(sim.now(), 1), "{}", sim.trace);
    }
}

// ----- what they need -------------------------------------------------------------------------

const NOTHING: [[u8; 0]; 0] = [];

const LONG: &str = "a segment that is much longer than it needs to be";

fn limited(mut config: Config, limits: Limits) -> Config {
    config.limits = limits;
    config
}

/// A terminal that knows a bootstrap server, without network.
fn terminal_with(limits: Limits) -> Sim<Device> {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    Sim::new(limited(config, limits), device(), 1)
}

/// The session with the only server.
#[track_caller]
fn session(sim: &Sim<(Device, Rack)>) -> Peer {
    let mut peers = sim.trace.entries.iter().filter_map(|entry| match entry.what {
        What::Datagram { dir: Direction::ToServer, peer, .. } => peer,
        _ => None,
    });
    peers.next().expect("a session")
}
