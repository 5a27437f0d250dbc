//! Options that a peer need not know, and what they are good for: No-Response (RFC 7967), Echo and
//! Request-Tag (RFC 9175).

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageType, NoResponse, OptionNumber};
use lwm2m_core::sim::{Answering, Sim};
use lwm2m_core::{DataModel, Event, FailureKind, Reason};

use super::management::path_of;
use crate::terminal::*;

const ACK: MessageType = MessageType::Acknowledgement;
const CON: MessageType = MessageType::Confirmable;
const NON: MessageType = MessageType::NonConfirmable;
const TEXT: ContentFormat = ContentFormat::TEXT_PLAIN;
const NOTHING: [[u8; 0]; 0] = [];

#[test]
fn xc_25_an_answer_that_is_not_wanted_is_not_sent() {
    let mut config = one_server(1);
    config.limits.deduplication = 100;
    let mut sim = racked(config);
    let mut id = 0;
    for (classes, heard) in [
        (0, [true, true, true]),
        (2, [false, true, true]),
        (8, [true, false, true]),
        (16, [true, true, false]),
        (26, [false, false, false]),
    ] {
        // 2.04, 4.04, and 5.05: it is no proxy.
        for ((path, proxy, code), heard) in [
            ("/30000/0/1", false, Code::CHANGED),
            ("/30000/9/1", false, Code::NOT_FOUND),
            ("/30000/0/1", true, Code::PROXYING_NOT_SUPPORTED),
        ]
        .into_iter()
        .zip(heard)
        {
            for kind in [NON, CON] {
                id += 1;
                let done = sim.model.1.done.len();
                let ask = datagram(kind, Code::POST, id, b"tok", |writer| {
                    path_of(path, writer)?;
                    if proxy {
                        writer.proxy_scheme("coap")?;
                    }
                    writer.no_response(NoResponse(classes))
                });
                let answers = said(&mut sim, DM, &ask);
                let what = format!("{classes} {kind:?} {code}\n{}", sim.trace);
                match (kind, heard) {
                    (NON, true) => {
                        let [answer] = &*answers else { panic!("one answer: {what}") };
                        let message = Message::parse(answer).unwrap();
                        assert_eq!((message.message_type(), message.code()), (NON, code), "{what}");
                    }
                    (NON, false) => assert_eq!(answers, NOTHING, "{what}"),
                    (_, true) => assert_eq!(answers, [bare(ACK, code, id, b"tok")], "{what}"),
                    (_, false) => assert_eq!(answers, [empty(ACK, id)], "{what}"),
                }
                // It is done all the same, and once.
                assert_eq!(sim.model.1.done.len() - done, usize::from(code == Code::CHANGED), "{what}");
                let again = said(&mut sim, DM, &ask);
                assert_eq!(again, if kind == CON { answers } else { vec![] }, "{what}");
                assert_eq!(sim.model.1.done.len() - done, usize::from(code == Code::CHANGED), "{what}");
            }
        }
    }
}

#[test]
fn xc_25_nor_is_one_that_comes_later() {
    let mut sim = racked(one_server(1));
    for (kind, id) in [(CON, 1), (NON, 2)] {
        sim.model.1.later = true;
        let read = datagram(kind, Code::GET, id, b"tok", |writer| {
            path_of("/30000/0/0", writer)?;
            writer.no_response(NoResponse::SUCCESS)
        });
        let acknowledged = if kind == CON { vec![empty(ACK, id)] } else { vec![] };
        assert_eq!(said(&mut sim, DM, &read), acknowledged);
        let (before, ticket) = (sent(&sim).len(), sim.model.1.ticket());
        sim.resume(ticket).unwrap();
        sim.run_for(secs(100));
        assert_eq!(sent(&sim).len(), before, "{}", sim.trace);
        assert_eq!(sim.client.usage().deferred, 0);
    }
}

#[test]
fn xc_26_a_request_is_repeated_with_the_echo_that_its_server_wants() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.answering = Answering::Never;
    server_mut(&mut sim).answering = Answering::Never;
    sim.network_up();
    sim.run_for(millis(100));
    // The Bootstrap-Request too is one that may be old.
    let first = sent(&sim).pop().unwrap();
    let second = asks_again(&mut sim, &first, b"now");
    assert_eq!(second.path(), "/bs");
    // And a second time it is a refusal like any other.
    let refusal = response_to(&second, None, Code::UNAUTHORIZED, &[(OptionNumber::ECHO, b"later")]);
    assert_eq!(said(&mut sim, &second.host, &refusal), NOTHING);
    let failed = Event::BootstrapFailed { reason: Reason::Code(Code::UNAUTHORIZED) };
    assert_eq!(happened(&sim, failed), 1, "{}", sim.trace);
}

#[test]
fn xc_26_register_update_and_deregister_are_repeated_with_their_echo() {
    let mut sim = Sim::new(one_server(1), device(), 1);
    server_mut(&mut sim).answering = Answering::Never;
    sim.network_up();
    sim.run_for(millis(100));
    let register = sent(&sim).pop().unwrap();
    assert_eq!(register.path(), "/rd");
    // The longest that there is.
    let again = asks_again(&mut sim, &register, &[0xEE; 40]);
    let location: &[(OptionNumber, &[u8])] =
        &[(OptionNumber::LOCATION_PATH, b"rd"), (OptionNumber::LOCATION_PATH, b"7")];
    answer(&mut sim, &again, ACK, Code::CREATED, location);
    let registered = Event::Registered { server: 1, lifetime: 86_400 };
    assert_eq!(happened(&sim, registered), 1, "{}", sim.trace);

    sim.update(1).unwrap();
    sim.run_for(millis(100));
    let update = sent(&sim).pop().unwrap();
    assert_eq!(update.path(), "/rd/7");
    let again = asks_again(&mut sim, &update, b"u");
    answer(&mut sim, &again, ACK, Code::CHANGED, &[]);
    assert_eq!(happened(&sim, Event::Updated { server: 1 }), 1, "{}", sim.trace);

    sim.shutdown();
    sim.run_for(millis(100));
    let deregister = sent(&sim).pop().unwrap();
    assert_eq!((deregister.code(), deregister.path()), (Code::DELETE, "/rd/7".to_string()));
    let again = asks_again(&mut sim, &deregister, b"d");
    answer(&mut sim, &again, ACK, Code::DELETED, &[]);
    assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1, "{}", sim.trace);
}

#[test]
fn xc_26_without_an_echo_or_with_none_of_its_length_it_is_a_refusal() {
    for echo in [None, Some(&b""[..]), Some(&[7; 41])] {
        let mut sim = Sim::new(one_server(1), device(), 1);
        server_mut(&mut sim).answering = Answering::Never;
        sim.network_up();
        sim.run_for(millis(100));
        let register = sent(&sim).pop().unwrap();
        let options: Vec<_> = echo.map(|echo| (OptionNumber::ECHO, echo)).into_iter().collect();
        let refusal = response_to(&register, None, Code::UNAUTHORIZED, &options);
        assert_eq!(said(&mut sim, DM, &refusal), NOTHING, "{echo:?}");
        let reason = Reason::Code(Code::UNAUTHORIZED);
        assert_eq!(reason.kind(), FailureKind::Authentication);
        assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason }), 1, "{echo:?}\n{}", sim.trace);
    }
}

#[test]
fn xc_26_a_request_that_does_not_fit_with_its_echo_has_failed() {
    let mut config = one_server(1);
    config.limits.datagram = 120;
    let mut sim = Sim::new(config, device(), 1);
    server_mut(&mut sim).answering = Answering::Never;
    sim.network_up();
    sim.run_for(millis(100));
    let register = sent(&sim).pop().unwrap();
    assert!((81..=120).contains(&register.bytes.len()), "{}", register.bytes.len());
    let wants = response_to(&register, None, Code::UNAUTHORIZED, &[(OptionNumber::ECHO, &[0xEE; 40])]);
    assert_eq!(said(&mut sim, DM, &wants), NOTHING);
    let failed = Event::RegistrationFailed { server: 1, reason: Reason::TooLarge };
    assert_eq!(happened(&sim, failed), 1, "{}", sim.trace);
    assert_eq!(sim.client.usage().exchanges, 0);
}

#[test]
fn xc_26_a_request_that_just_fits_with_its_echo_is_not_cut_into_blocks() {
    let asked = |datagram: usize| {
        let mut config = one_server(1);
        config.limits.datagram = datagram;
        let mut sim = Sim::new(config, device(), 1);
        server_mut(&mut sim).answering = Answering::Never;
        sim.network_up();
        sim.run_for(millis(100));
        let register = sent(&sim).pop().unwrap();
        (sim, register)
    };
    let bare = asked(1_152).1.bytes.len();
    // The head of an option of up to twelve bytes is a byte shorter (RFC 7252, section 3.1).
    for (length, head) in [(40, 3), (13, 3), (12, 2), (8, 2), (1, 2)] {
        let (mut sim, register) = asked(bare + head + length);
        asks_again(&mut sim, &register, &[0xEE; 40][..length]);
    }
}

#[test]
fn xc_26_a_long_object_list_goes_on_at_the_block_that_was_to_be_echoed() {
    let mut rack = Rack::new();
    rack.levels = (0..200).map(|id| (id, 5)).collect();
    let mut sim = Sim::new(one_server(1), (device(), rack), 1);
    server_mut(&mut sim).go_down();
    sim.network_up();
    sim.run_for(millis(100));
    let first = sent(&sim).pop().unwrap();
    let block = |num, more| BlockValue::new(num, more, 6).unwrap();
    let taken = |sent: &Sent| {
        datagram(ACK, Code::CONTINUE, sent.id(), &sent.token(), |writer| {
            writer.block1(sent.message().block1().unwrap().unwrap())
        })
    };
    assert_eq!(said(&mut sim, DM, &taken(&first)).len(), 1);
    let second = sent(&sim).pop().unwrap();
    assert_eq!(second.message().block1(), Some(Ok(block(1, true))));
    let again = asks_again(&mut sim, &second, b"now");
    assert_eq!(again.message().block1(), Some(Ok(block(1, true))));
    assert_eq!(said(&mut sim, DM, &taken(&again)).len(), 1);
    let third = sent(&sim).pop().unwrap();
    assert_eq!(third.message().block1(), Some(Ok(block(2, false))));
    assert_eq!(third.message().echo(), Some(&b"now"[..]));
    let list: Vec<u8> = [&first, &again, &third].iter().flat_map(|sent| sent.message().payload().to_vec()).collect();
    let text = core::str::from_utf8(&list).unwrap();
    assert!(text.starts_with("</>;ct=11543,</1/0>,</3/0>,</30000/0>") && text.ends_with(",</30000/199>"), "{text}");
}

#[test]
fn xc_27_two_bodies_with_different_request_tags_are_not_mixed() {
    let mut sim = stored(one_server(1));
    // To one path, block by block in turns: two tags, an empty one, and none.
    let tags = [Some(&b"one"[..]), Some(b"two"), Some(b""), None];
    for (tag, others) in [(tags[0], tags[1]), (tags[0], tags[3]), (tags[2], tags[3])] {
        let bodies = [(tag, [b'a'; 32]), (others, [b'b'; 32])];
        let mut id = sent(&sim).len() as u16;
        let mut send = |sim: &mut _, (tag, body): (Option<&[u8]>, [u8; 32]), num: u32| {
            id += 1;
            let piece = datagram(CON, Code::PUT, id, b"tok", |writer| {
                path_of("/30001/0/0", writer)?;
                writer.content_format(TEXT)?;
                writer.block1(BlockValue::new(num, num == 0, 0).unwrap())?;
                tag.map_or(Ok(()), |tag| writer.request_tag(tag))?;
                writer.payload(&body[16 * num as usize..][..16])
            });
            let [answer] = &*said(sim, DM, &piece) else { panic!("one answer") };
            Message::parse(answer).unwrap().code()
        };
        assert_eq!(send(&mut sim, bodies[0], 0), Code::CONTINUE);
        assert_eq!(send(&mut sim, bodies[1], 0), Code::CONTINUE);
        assert_eq!(sim.client.usage().transfers, 2);
        assert_eq!(send(&mut sim, bodies[0], 1), Code::CHANGED);
        assert_eq!(sim.model.1.store[&0].0, "a".repeat(32));
        assert_eq!(send(&mut sim, bodies[1], 1), Code::CHANGED);
        assert_eq!(sim.model.1.store[&0].0, "b".repeat(32));
        sim.run_for(secs(300));
    }
    nobody_complains(&sim);
}

// ----- helpers ------------------------------------------------------------------------------------

/// A server wants to see `echo`: the request comes once more, with it and nothing else that is new but
/// its Message ID and its token.
#[track_caller]
fn asks_again<M: DataModel>(sim: &mut Sim<M>, request: &Sent, echo: &[u8]) -> Sent {
    let wants = response_to(request, None, Code::UNAUTHORIZED, &[(OptionNumber::ECHO, echo)]);
    let [again] = &*said(sim, &request.host, &wants) else { panic!("one request\n{}", sim.trace) };
    let again = Sent { at: sim.now(), host: request.host.clone(), bytes: again.clone() };
    assert!(again.id() != request.id() && again.token() != request.token());
    let (kind, code, mut options, payload) = pattern(&again.bytes);
    let at = options.iter().position(|(number, _)| *number == OptionNumber::ECHO).expect("an Echo");
    assert_eq!(options.remove(at).1, echo);
    assert_eq!((kind, code, options, payload), pattern(&request.bytes));
    again
}
