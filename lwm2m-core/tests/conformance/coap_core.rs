//! The CoAP plugtests, CORE: the client as CoAP client and as CoAP server.

use coap_codec::{Code, ContentFormat, MessageType, OptionNumber};
use lwm2m_core::sim::{Answering, Ask, Direction, Sim};
use lwm2m_core::{Event, Reason};

use crate::terminal::*;

const REGISTERED: Event = Event::Registered { server: 1, lifetime: 86_400 };
const UPDATED: Event = Event::Updated { server: 1 };

#[test]
fn td_coap_core_02_delete_is_deleted_on_both_sides() {
    // The device as client: De-register.
    let mut sim = racked(one_server(1));
    sim.shutdown();
    sim.run_for(secs(1));
    let deletes = requests(&sim, Code::DELETE, &location_of(&sim));
    assert_eq!((deletes.len(), deletes[0].kind()), (1, MessageType::Confirmable), "{}", sim.trace);
    let answer = heard(&sim).pop().unwrap();
    assert_eq!((answer.code(), answer.id(), answer.token()), (Code::DELETED, deletes[0].id(), deletes[0].token()));
    assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1);

    // As server: Delete of an instance.
    let mut sim = racked(one_server(1));
    let delete = request(Code::DELETE, "/30000/0", 7, b"tok", None);
    // An Update of the object list follows.
    assert_eq!(said(&mut sim, DM, &delete)[0], bare(MessageType::Acknowledgement, Code::DELETED, 7, b"tok"));
    assert_eq!(sim.model.1.done, ["delete 0"]);
    let gone = sim.ask(0, |server| server.read(LEVEL, None));
    assert_eq!(gone.code(), Some(Code::NOT_FOUND));
}

#[test]
fn td_coap_core_04_post_is_created_or_changed_on_both_sides() {
    // The device as client: Register and Update.
    let mut sim = racked(one_server(1));
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    for (path, code, event) in [("/rd", Code::CREATED, REGISTERED), (&*location_of(&sim), Code::CHANGED, UPDATED)] {
        let posts = requests(&sim, Code::POST, path);
        assert_eq!((posts.len(), posts[0].kind()), (1, MessageType::Confirmable), "{path}\n{}", sim.trace);
        let answer = heard(&sim).into_iter().find(|answer| answer.id() == posts[0].id()).unwrap();
        assert_eq!((answer.code(), answer.kind()), (code, MessageType::Acknowledgement));
        assert_eq!((happened(&sim, event), answer.token()), (1, posts[0].token()));
    }

    // As server: Create and Execute.
    let created = request(Code::POST, "/30000", 7, b"a", Some((ContentFormat::LWM2M_TLV, NEW_MODULE)));
    let location = datagram(MessageType::Acknowledgement, Code::CREATED, 7, b"a", |writer| {
        writer.location_path("30000")?;
        writer.location_path("1")
    });
    assert_eq!(said(&mut sim, DM, &created)[0], location);
    let executed = bare(MessageType::Acknowledgement, Code::CHANGED, 8, b"b");
    assert_eq!(said(&mut sim, DM, &request(Code::POST, "/30000/0/1", 8, b"b", None)), [executed]);
    assert_eq!(sim.model.1.done, ["create 1", "run 0"]);
}

#[test]
fn td_coap_core_09_an_empty_acknowledgement_stops_retransmission_and_the_separate_response_is_acknowledged() {
    // Longer than any first timeout (3 s), and nearly as long as a response is awaited (93 s).
    for pause in [5, 90] {
        let mut sim = terminal(1);
        server_mut(&mut sim).answering = Answering::Separate(secs(pause));
        sim.network_up();
        sim.run_for(secs(pause + 1));
        sim.update(1).unwrap();
        sim.run_for(secs(pause + 1));
        sim.shutdown();
        sim.run_for(secs(pause + 1));
        let location = location_of(&sim);
        for (method, path, code) in [
            (Code::POST, "/rd", Code::CREATED),
            (Code::POST, &*location, Code::CHANGED),
            (Code::DELETE, &*location, Code::DELETED),
        ] {
            let [asked] = &*requests(&sim, method, path) else { panic!("{method:?} {path} once\n{}", sim.trace) };
            let answers: Vec<_> = heard(&sim).into_iter().filter(|answer| answer.token() == asked.token()).collect();
            let [answer] = &*answers else { panic!("{answers:?}") };
            assert_eq!((answer.kind(), answer.code()), (MessageType::Confirmable, code));
            let own = empty(MessageType::Acknowledgement, answer.id());
            let acknowledgements: Vec<_> = sent(&sim).into_iter().filter(|sent| sent.bytes == own).collect();
            assert_eq!(acknowledgements.len(), 1, "{}", sim.trace);
            // At once: when the response was 30 ms on its way.
            assert_eq!(acknowledgements[0].at, answer.at + millis(30));
        }
        assert_eq!((happened(&sim, REGISTERED), happened(&sim, UPDATED)), (1, 1));
        assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1);
        nobody_complains(&sim);
    }
}

#[test]
fn td_coap_core_10_tokens_of_every_length_are_echoed() {
    let mut sim = racked(one_server(1));
    for length in 1..=8 {
        let token = &[0, 1, 2, 0xff, 4, 5, 6, 0][..length];
        for (id, path, code) in [(1, "/30000/0/0", Code::CONTENT), (2, "/9/9/9", Code::NOT_FOUND)] {
            let id = id + 2 * length as u16;
            let answers = said(&mut sim, DM, &request(Code::GET, path, id, token, None));
            let [answer] = &*answers else { panic!("{answers:?}") };
            let echo = bare(MessageType::Acknowledgement, code, id, token);
            assert_eq!(answer[..4 + length], echo, "{length} bytes");
        }
    }
    // As client: no two requests have the same one, and without DTLS nobody can guess it
    // (RFC 7252, section 5.3.1).
    for _ in 0..20 {
        sim.update(1).unwrap();
        sim.run_for(secs(1));
    }
    assert_eq!(happened(&sim, UPDATED), 20);
    let mut tokens: Vec<_> = own_requests(&sim).iter().map(Sent::token).collect();
    assert!(tokens.iter().all(|token| token.len() == 8), "{tokens:?}");
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 21);
}

#[test]
fn td_coap_core_11_a_separate_response_has_the_token_of_its_request() {
    // The device as client takes no other one.
    let mut sim = racked(one_server(1));
    server_mut(&mut sim).answering = Answering::AcknowledgeOnly;
    sim.update(1).unwrap();
    sim.run_for(secs(5));
    let token = own_requests(&sim).pop().unwrap().token();
    let confirmable = |id, token: &[u8]| bare(MessageType::Confirmable, Code::CHANGED, id, token);
    for (id, wrong) in [(1, &token[..7]), (2, b""), (3, b"\0\0\0\0\0\0\0\0")] {
        assert_eq!(said(&mut sim, DM, &confirmable(id, wrong)), [empty(MessageType::Reset, id)]);
    }
    assert_eq!(happened(&sim, UPDATED), 0);
    assert_eq!(said(&mut sim, DM, &confirmable(4, &token)), [empty(MessageType::Acknowledgement, 4)]);
    assert_eq!(happened(&sim, UPDATED), 1);

    // As server it gives it back, under a Message ID of its own.
    sim.model.1.later = true;
    for token in [&b""[..], b"abc", b"12345678"] {
        let id = 10 + token.len() as u16;
        let read = request(Code::GET, "/30000/0/0", id, token, None);
        assert_eq!(said(&mut sim, DM, &read), [empty(MessageType::Acknowledgement, id)]);
        let ticket = sim.model.1.ticket();
        sim.resume(ticket).unwrap();
        sim.run_for(millis(1));
        let answer = sent(&sim).pop().unwrap();
        assert_eq!((answer.kind(), answer.code()), (MessageType::Confirmable, Code::CONTENT), "{}", sim.trace);
        assert_eq!((answer.token(), answer.message().payload()), (token.to_vec(), &b"5"[..]));
        assert_ne!(answer.id(), id);
        assert_eq!(said(&mut sim, DM, &empty(MessageType::Acknowledgement, answer.id())), [[0; 0]; 0]);
    }
}

#[test]
fn td_coap_core_12_a_request_without_token_is_answered_without_one() {
    let mut sim = racked(one_server(1));
    for (id, method, path, code) in [
        (1, Code::GET, "/30000/0/0", Code::CONTENT),
        (2, Code::GET, "/9/9/9", Code::NOT_FOUND),
        (3, Code::POST, "/30000/0/1", Code::CHANGED),
        (4, Code::DELETE, "/30000/0", Code::DELETED),
    ] {
        // An Update of the object list follows the last one.
        let answer = said(&mut sim, DM, &request(method, path, id, b"", None)).remove(0);
        // TKL 0, and no byte of a token before the options.
        assert_eq!(answer[..4], bare(MessageType::Acknowledgement, code, id, b""), "{path}");
        assert!(code == Code::CONTENT || answer.len() == 4, "{answer:?}");
    }
}

#[test]
fn td_coap_core_13_a_path_has_one_option_for_each_segment_in_order() {
    let mut sim = Sim::new(one_server(1), device(), 1);
    server_mut(&mut sim).set_location(&["z", "a", "m"], &[]);
    sim.network_up();
    sim.run_for(secs(1));
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    let name = server(&sim).registration().unwrap().location[3].clone();
    let [register, update] = &*own_requests(&sim) else { panic!("{}", sim.trace) };
    assert_eq!(values(register, OptionNumber::URI_PATH), [b"rd"]);
    assert_eq!(values(update, OptionNumber::URI_PATH), [&b"z"[..], b"a", b"m", name.as_bytes()]);
    assert_eq!(server(&sim).updates_seen(), 1);

    // As server: segments make the path as they come, and are not split.
    for (id, segments, code) in [
        (1, &["3", "0", "9"][..], Code::CONTENT),
        (2, &["0", "3", "9"], Code::UNAUTHORIZED),
        (3, &["9", "0", "3"], Code::NOT_FOUND),
        (4, &["3/0/9"], Code::NOT_FOUND),
        (5, &["3", "0/9"], Code::NOT_FOUND),
        (6, &["3", "", "9"], Code::NOT_FOUND),
    ] {
        let read = datagram(MessageType::Confirmable, Code::GET, id, b"t", |writer| {
            segments.iter().try_for_each(|segment| writer.uri_path(segment))
        });
        let answers = said(&mut sim, DM, &read);
        assert_eq!(answers[0][..5], bare(MessageType::Acknowledgement, code, id, b"t"), "{segments:?}");
        assert!(code != Code::CONTENT || answers[0].ends_with(b"\xff80"));
    }
}

#[test]
fn td_coap_core_14_a_query_has_one_option_for_each_argument() {
    let mut sim = racked(one_server(1));
    let [register] = &*own_requests(&sim) else { panic!("{}", sim.trace) };
    let mut arguments = values(register, OptionNumber::URI_QUERY);
    arguments.sort();
    let name = format!("ep={NAME}");
    assert_eq!(arguments, [&b"b=U"[..], name.as_bytes(), b"lt=86400", b"lwm2m=1.0"]);

    // As server: Read knows no argument (4.00), and a second one is not an option too many, which
    // would be 4.02 (RFC 7252, section 5.4.5). Write-Attributes, which has several, is not there yet.
    for query in [&["pmin=1"][..], &["pmin=1", "pmax=2"], &["a", "a", "a"]] {
        let query: Vec<_> = query.iter().map(ToString::to_string).collect();
        let read = Ask { query, ..Ask::new(Code::GET, "/3/0/9") };
        let answer = sim.ask(0, |server| server.request(read.clone()));
        assert_eq!(answer.code(), Some(Code::BAD_REQUEST), "{read:?}");
    }
}

#[test]
fn td_coap_core_15_a_lost_request_or_acknowledgement_is_made_up_for_and_told_once() {
    for losses in 0..=4 {
        for direction in [Direction::ToServer, Direction::ToDevice] {
            // The device as client.
            let mut sim = Sim::new(one_server(1), device(), losses);
            (0..losses).for_each(|_| sim.network.lose_next(direction));
            sim.network_up();
            sim.run_for(secs(100));
            let registers = requests(&sim, Code::POST, "/rd");
            assert_eq!(registers.len() as u64, losses + 1, "{}", sim.trace);
            assert!(registers.iter().all(|register| register.bytes == registers[0].bytes));
            backs_off(&registers);
            assert_eq!((server(&sim).registers_seen(), happened(&sim, REGISTERED)), (1, 1), "{}", sim.trace);

            // As server.
            let mut sim = racked(one_server(losses));
            (0..losses).for_each(|_| sim.network.lose_next(direction));
            let before = sent(&sim).len();
            let executed = sim.ask(0, |server| server.execute(RUN, ""));
            assert_eq!((executed.code(), &*sim.model.1.done), (Some(Code::CHANGED), &["run 0".to_string()][..]));
            let answers = sent(&sim).split_off(before);
            let heard = if direction == Direction::ToServer { losses as usize + 1 } else { 1 };
            assert_eq!(answers.len(), heard, "{}", sim.trace);
            assert!(answers.iter().all(|answer| answer.bytes == answers[0].bytes));
        }
    }
}

#[test]
fn td_coap_core_16_a_separate_exchange_recovers_from_the_loss_of_any_of_its_messages() {
    for lost in 1..=4 {
        // The device as client: Update, empty acknowledgement, response, empty acknowledgement.
        let mut sim = racked(one_server(1));
        server_mut(&mut sim).answering = Answering::Separate(secs(5));
        sim.network.lose_nth(sim.network.counts().sent + lost);
        let before = (sent(&sim).len(), heard(&sim).len());
        sim.update(1).unwrap();
        sim.run_for(secs(60));
        let (mine, theirs) = (sent(&sim).split_off(before.0), heard(&sim).split_off(before.1));
        let count = |messages: &[Sent], kind, code| {
            messages.iter().filter(|message| (message.kind(), message.code()) == (kind, code)).count()
        };
        let again = |which: &[usize]| 1 + usize::from(which.contains(&lost));
        let (ack, con) = (MessageType::Acknowledgement, MessageType::Confirmable);
        assert_eq!(count(&mine, con, Code::POST), again(&[1, 2]), "{lost}\n{}", sim.trace);
        assert_eq!(count(&theirs, ack, Code::EMPTY), again(&[2]), "{lost}\n{}", sim.trace);
        assert_eq!(count(&theirs, con, Code::CHANGED), again(&[3, 4]), "{lost}\n{}", sim.trace);
        // A response that comes again is acknowledged again.
        assert_eq!(count(&mine, ack, Code::EMPTY), again(&[4]), "{lost}\n{}", sim.trace);
        assert_eq!((server(&sim).updates_seen(), happened(&sim, UPDATED)), (1, 1));
    }
    for lost in 1..=4 {
        // As server: Read, empty acknowledgement, answer, empty acknowledgement.
        let mut sim = racked(one_server(1));
        sim.model.1.later = true;
        sim.network.lose_nth(sim.network.counts().sent + lost);
        let before = sent(&sim).len();
        let read = server_mut(&mut sim).read(LEVEL, None);
        sim.run_for(secs(10));
        let ticket = sim.model.1.ticket();
        sim.resume(ticket).unwrap();
        sim.run_for(secs(60));
        let answers = server(&sim).answers().iter().filter(|answer| answer.operation == read);
        assert_eq!(answers.map(|answer| answer.response().text()).collect::<Vec<_>>(), ["5"], "{lost}\n{}", sim.trace);
        assert_eq!(sim.model.1.asked.get(), 2, "put off once, read once");
        let mine = sent(&sim).split_off(before);
        let (empty, separate): (Vec<_>, Vec<_>) = mine.iter().partition(|sent| sent.code() == Code::EMPTY);
        // The second message lost: the Read comes again. One of the last two: the answer goes again.
        assert_eq!(empty.len(), 1 + usize::from(lost == 2), "{lost}\n{}", sim.trace);
        assert_eq!(separate.len(), 1 + usize::from(lost > 2), "{lost}\n{}", sim.trace);
        assert!(separate.iter().all(|answer| answer.bytes == separate[0].bytes));
    }
}

#[test]
fn td_coap_core_18_a_location_of_three_segments_is_kept_in_order() {
    let mut sim = Sim::new(one_server(1), device(), 1);
    server_mut(&mut sim).set_location(&["loc3", "loc1"], &[]);
    sim.network_up();
    sim.run_for(secs(1));
    let granted = server(&sim).registration().unwrap().location.clone();
    assert_eq!((granted.len(), &*granted[0], &*granted[1]), (3, "loc3", "loc1"));
    let kept: Vec<_> = sim.client.location(1).map(<[u8]>::to_vec).collect();
    assert_eq!(kept, granted.iter().map(|segment| segment.as_bytes()).collect::<Vec<_>>());
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    sim.shutdown();
    sim.run_for(secs(1));
    let path = format!("/{}", granted.join("/"));
    assert_eq!(requests(&sim, Code::POST, &path).len(), 1, "{}", sim.trace);
    assert_eq!(requests(&sim, Code::DELETE, &path).len(), 1, "{}", sim.trace);

    // Segments that nobody may send (RFC 7252, sections 5.10.1 and 5.10.7) are no place to live at.
    for segments in [["rd", "."], ["..", "rd"]] {
        let mut sim = Sim::new(one_server(1), device(), 1);
        server_mut(&mut sim).set_location(&segments, &[]);
        sim.network_up();
        sim.run_for(secs(1));
        assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason: Reason::BadAnswer }), 1);
    }
}

#[test]
fn td_coap_core_19_a_location_of_two_queries_is_kept_in_order() {
    let mut sim = Sim::new(one_server(1), device(), 1);
    server_mut(&mut sim).set_location(&["rd"], &["second=2", "first=1"]);
    sim.network_up();
    sim.run_for(secs(1));
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    sim.shutdown();
    sim.run_for(secs(1));
    let [_, update, delete] = &*own_requests(&sim) else { panic!("{}", sim.trace) };
    for request in [update, delete] {
        assert_eq!(request.query(), ["second=2", "first=1"], "{}", sim.trace);
    }
    assert_eq!((server(&sim).updates_seen(), server(&sim).deregisters_seen()), (1, 1));
}

#[test]
fn td_coap_core_31_a_ping_is_answered_with_a_reset() {
    // From the bootstrap server in the middle of a bootstrap, and from the server afterwards.
    let mut sim = terminal(1);
    sim.platform.bootstrap.answering = Answering::AcknowledgeOnly;
    sim.platform.bootstrap.script = Some(vec![]);
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!(said(&mut sim, BS, b"\x40\0\x12\x34"), [b"\x70\0\x12\x34"]);
    let mut sim = registered(1);
    assert_eq!(said(&mut sim, DM, b"\x40\0\x12\x34"), [b"\x70\0\x12\x34"]);
    // A repetition is answered as well; it is nothing that is remembered.
    assert_eq!(said(&mut sim, DM, b"\x40\0\x12\x34"), [b"\x70\0\x12\x34"]);

    // While a request is in flight whose Message ID is the same: those are the device's own, and it
    // is still awaited.
    server_mut(&mut sim).go_down();
    sim.update(1).unwrap();
    sim.run_for(millis(1));
    let update = sent(&sim).pop().unwrap();
    let ping = empty(MessageType::Confirmable, update.id());
    assert_eq!(said(&mut sim, DM, &ping), [empty(MessageType::Reset, update.id())]);
    sim.run_for(secs(3));
    assert_eq!(transmissions(&sim, &update).len(), 2);
    let answer = bare(MessageType::Acknowledgement, Code::CHANGED, update.id(), &update.token());
    assert_eq!(said(&mut sim, DM, &answer), [[0; 0]; 0]);
    assert_eq!(happened(&sim, UPDATED), 1);
}

/// TLV of a module with the level 9.
const NEW_MODULE: &[u8] = &[0xc1, 0, 9];
