//! Requests of the device in blocks: Register and Update with a long object list (RFC 7959, section 2.5).

use coap_codec::{BlockValue, Code, ContentFormat, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answering, Fate, Interface, Sim};
use lwm2m_core::{Event, Path, Reason};

use crate::terminal::*;

/// A terminal with so many modules, on the network.
fn crowded(modules: u16) -> Sim<(Device, Rack)> {
    let mut rack = Rack::new();
    rack.levels = (0..modules).map(|id| (id, 5)).collect();
    let mut sim = Sim::new(one_server(1), (device(), rack), 1);
    sim.network_up();
    sim
}

/// The blocks of the requests to a path, repetitions included: `0/1/1024`, and the payload.
fn blocks(sim: &Sim<(Device, Rack)>, path: &str) -> Vec<(Option<String>, Vec<u8>)> {
    let part = |sent: Sent| {
        let block = sent.message().block1().map(|block| block.unwrap().to_string());
        (block, sent.message().payload().to_vec())
    };
    requests(sim, Code::POST, path).into_iter().map(part).collect()
}

fn numbers(sim: &Sim<(Device, Rack)>, path: &str) -> Vec<String> {
    blocks(sim, path).into_iter().map(|(block, _)| block.unwrap_or_default()).collect()
}

const MODULES: u16 = 200;
const REGISTERED: Event = Event::Registered { server: 1, lifetime: 86_400 };
const UPDATED: Event = Event::Updated { server: 1 };

#[test]
fn td_coap_block_04_a_register_in_blocks() {
    let mut sim = crowded(MODULES);
    sim.run_for(secs(5));
    let pieces = blocks(&sim, "/rd");
    let numbers: Vec<_> = pieces.iter().map(|(block, _)| block.clone().unwrap()).collect();
    assert_eq!(numbers, ["0/1/1024", "1/1/1024", "2/0/1024"], "{}", sim.trace);
    let list: Vec<u8> = pieces.into_iter().flat_map(|(_, payload)| payload).collect();
    let registers = requests(&sim, Code::POST, "/rd");
    for (index, register) in registers.iter().enumerate() {
        // The query and the format are on every block, the size of the whole on the first one; each
        // is an exchange of its own.
        assert_eq!(register.query(), registers[0].query());
        let message = register.message();
        assert_eq!(
            (register.kind(), message.content_format()),
            (MessageType::Confirmable, Some(ContentFormat::LINK_FORMAT))
        );
        assert_eq!(message.size1(), (index == 0).then_some(list.len() as u32));
        assert!(registers[..index].iter().all(|earlier| earlier.id() != register.id()));
        assert!(registers[..index].iter().all(|earlier| earlier.token() != register.token()));
    }
    let codes: Vec<_> = heard(&sim).iter().map(Sent::code).collect();
    assert_eq!(codes, [Code::CONTINUE, Code::CONTINUE, Code::CREATED]);
    assert_eq!((happened(&sim, REGISTERED), server(&sim).registers_seen()), (1, 1));
    nobody_complains(&sim);
}

#[test]
fn dm_7_3_t_a_long_object_list_registers_in_blocks_and_is_kept_up_to_date() {
    let mut sim = crowded(MODULES);
    sim.network.lose(200);
    assert!(sim.run_until(secs(600), |sim| happened(sim, REGISTERED) == 1), "{}", sim.trace);
    let registered = server(&sim).registration().unwrap();
    // The root, Server, Device and every module.
    assert_eq!(registered.links.len(), 3 + usize::from(MODULES));
    assert!(registered.lists("/1/0") && registered.lists("/3/0") && registered.lists("/30000/199"));
    // A module comes: the Update tells the whole list, in blocks. The next one has nothing to tell.
    sim.network.lose(0);
    sim.run_for(secs(300));
    let location = location_of(&sim);
    let before = requests(&sim, Code::POST, &location).len();
    sim.model.1.levels.insert(300, 5);
    sim.notify(Path::object(30_000));
    sim.run_for(secs(5));
    assert_eq!(&numbers(&sim, &location)[before..], ["0/1/1024", "1/1/1024", "2/0/1024"], "{}", sim.trace);
    assert_eq!((happened(&sim, UPDATED), server(&sim).updates_seen()), (1, 1));
    assert!(lists(&sim, "/30000/300"));
    let update = update(&mut sim);
    assert_eq!((update.message().block1(), update.message().payload()), (None, &b""[..]));
    // The list changes while it is told: it begins anew, and none is put together of two.
    let before = requests(&sim, Code::POST, &location).len();
    sim.model.1.levels.insert(301, 5);
    sim.notify(Path::object(30_000));
    sim.model.1.levels.remove(&0);
    sim.run_for(secs(5));
    assert_eq!(&numbers(&sim, &location)[before..], ["0/1/1024", "0/1/1024", "1/1/1024", "2/0/1024"], "{}", sim.trace);
    assert!(!lists(&sim, "/30000/0") && lists(&sim, "/30000/301"), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xk_16_smaller_blocks_go_on_where_the_larger_one_ended() {
    for (size, second, last) in [(64, "16/1/64", 100), (256, "4/1/256", 100), (512, "2/1/512", 100)] {
        let mut sim = crowded(MODULES);
        server_mut(&mut sim).shrink_blocks(size);
        sim.run_for(secs(20));
        let numbers = numbers(&sim, "/rd");
        assert_eq!((&*numbers[0], &*numbers[1]), ("0/1/1024", second), "{}", sim.trace);
        assert!(numbers.len() < last && numbers.last().unwrap().ends_with(&format!("/0/{size}")), "{numbers:?}");
        assert_eq!(server(&sim).registration().unwrap().links.len(), 3 + usize::from(MODULES));
        assert_eq!(happened(&sim, REGISTERED), 1);
        nobody_complains(&sim);
    }
}

#[test]
fn xk_17_a_body_that_is_refused_is_tried_once_more() {
    // 4.13 with a smaller size, to a list in blocks and to one that went as a whole.
    for modules in [MODULES, 20] {
        let mut sim = crowded(modules);
        server_mut(&mut sim).refuse_body(Code::REQUEST_ENTITY_TOO_LARGE, Some(64));
        sim.run_for(secs(20));
        let numbers = numbers(&sim, "/rd");
        assert_eq!(numbers[0], if modules == 20 { "" } else { "0/1/1024" });
        assert_eq!(&numbers[1..3], ["0/1/64", "1/1/64"], "{}", sim.trace);
        assert_eq!((happened(&sim, REGISTERED), server(&sim).registers_seen()), (1, 1));
        assert_eq!(server(&sim).registration().unwrap().links.len(), 3 + usize::from(modules));
    }
    // 4.08: from the first block on.
    let mut sim = crowded(MODULES);
    server_mut(&mut sim).refuse_body(Code::REQUEST_ENTITY_INCOMPLETE, None);
    sim.run_for(secs(5));
    assert_eq!(numbers(&sim, "/rd"), ["0/1/1024", "0/1/1024", "1/1/1024", "2/0/1024"], "{}", sim.trace);
    assert_eq!(happened(&sim, REGISTERED), 1);
    // No second time; and no other way is known without a hint, or with one at no smaller size.
    let (incomplete, too_large) = (Code::REQUEST_ENTITY_INCOMPLETE, Code::REQUEST_ENTITY_TOO_LARGE);
    for (refusals, tries) in [
        (&[(incomplete, None), (incomplete, None)][..], 2),
        (&[(too_large, Some(64)), (too_large, Some(32))], 2),
        (&[(too_large, None)], 1),
        (&[(too_large, Some(1_024))], 1),
    ] {
        let mut sim = crowded(MODULES);
        refusals.iter().for_each(|(code, size)| server_mut(&mut sim).refuse_body(*code, *size));
        sim.run_for(secs(5));
        let reason = Reason::Code(refusals[0].0);
        assert_eq!(numbers(&sim, "/rd").len(), tries, "{refusals:?}\n{}", sim.trace);
        assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason }), 1);
        // After the pause it is tried again.
        assert!(sim.run_until(secs(120), |sim| happened(sim, REGISTERED) == 1), "{}", sim.trace);
    }
    // Another code ends it as ever, in the middle too.
    let mut sim = crowded(MODULES);
    server_mut(&mut sim).answering = Answering::Piggybacked;
    server_mut(&mut sim).answer_next(Interface::Register, Code::FORBIDDEN);
    sim.run_for(secs(5));
    let reason = Reason::Code(Code::FORBIDDEN);
    assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason }), 1, "{}", sim.trace);
}

#[test]
fn xk_17_an_answer_that_does_not_fit_the_block_ends_the_request() {
    // 2.31 about another block than the one that was sent, or without a block at all.
    for option in [None, Some(BlockValue::new(1, true, 6).unwrap())] {
        let mut sim = crowded(MODULES);
        server_mut(&mut sim).go_down();
        sim.run_for(millis(1));
        let register = sent(&sim).pop().unwrap();
        let value = option.map(|option| option.to_uint().to_be_bytes()[3..].to_vec()).unwrap_or_default();
        let options: Vec<(OptionNumber, &[u8])> = option.iter().map(|_| (OptionNumber::BLOCK1, &value[..])).collect();
        answer(&mut sim, &register, MessageType::Acknowledgement, Code::CONTINUE, &options);
        let reason = Reason::Code(Code::CONTINUE);
        assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason }), 1, "{}", sim.trace);
    }
}

#[test]
fn an_update_in_blocks_ends_when_its_server_wants_to_be_left() {
    let mut sim = crowded(MODULES);
    sim.run_for(secs(5));
    let location = location_of(&sim);
    sim.model.1.levels.remove(&7);
    server_mut(&mut sim).go_down();
    sim.notify(Path::object(30_000));
    let first = requests(&sim, Code::POST, &location).pop().unwrap();
    // Disable comes before the answer to the first block.
    let disable = request(Code::POST, "/1/0/4", 1, b"a", None);
    assert_eq!(said(&mut sim, DM, &disable).len(), 1, "{}", sim.trace);
    let more = BlockValue::new(0, true, 6).unwrap().to_uint() as u8;
    answer(&mut sim, &first, MessageType::Acknowledgement, Code::CONTINUE, &[(OptionNumber::BLOCK1, &[more])]);
    assert_eq!(numbers(&sim, &location), ["0/1/1024"], "no other block\n{}", sim.trace);
    server_mut(&mut sim).come_up();
    sim.run_for(secs(30));
    let left = requests(&sim, Code::DELETE, &location);
    assert!(left.iter().all(|one| one.token() == left[0].token() && one.token() != first.token()), "{}", sim.trace);
    assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1, "{}", sim.trace);
}

#[test]
fn dm_7_5_h_flight_mode_ends_a_block1_transfer() {
    // A Register in blocks: nobody knows us yet, so nobody is told.
    let mut sim = crowded(MODULES);
    assert!(sim.run_until(secs(5), |sim| server(sim).blocks_seen() == 1), "{}", sim.trace);
    sim.enter_flight_mode();
    let before = sent(&sim).len();
    sim.run_for(secs(300));
    assert_eq!((sent(&sim).len(), server(&sim).registers_seen()), (before, 0), "{}", sim.trace);
    assert!(news(&sim).contains(&Event::MayProceed(lwm2m_core::Leave::FlightMode)), "{}", sim.trace);
    sim.leave_flight_mode();
    sim.run_for(secs(5));
    assert_eq!((happened(&sim, REGISTERED), server(&sim).registers_seen()), (1, 1), "{}", sim.trace);

    // An Update in blocks: dropped, and De-register follows.
    let location = location_of(&sim);
    sim.model.1.levels.remove(&7);
    sim.notify(Path::object(30_000));
    let seen = server(&sim).blocks_seen();
    assert!(sim.run_until(secs(5), |sim| server(sim).blocks_seen() > seen), "{}", sim.trace);
    sim.enter_flight_mode();
    sim.run_for(secs(300));
    assert_eq!(server(&sim).updates_seen(), 0, "{}", sim.trace);
    assert_eq!(numbers(&sim, &location), ["0/1/1024"]);
    assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1);
    assert!(fates(&sim).iter().all(|(_, fate)| *fate != Fate::Lost));

    // A body of the server's: no block of it is answered any more, and it does not come back.
    let mut sim = stored(one_server(1));
    let block = |id, num: u32| {
        datagram(MessageType::Confirmable, Code::PUT, id, b"tok", |writer| {
            ["5", "0", "0"].iter().try_for_each(|segment| writer.uri_path(segment))?;
            writer.content_format(ContentFormat::OCTET_STREAM)?;
            writer.block1(BlockValue::new(num, true, 0).unwrap())?;
            writer.payload(&[7; 16])
        })
    };
    assert_eq!(said(&mut sim, DM, &block(1, 0)).len(), 1);
    assert_eq!(sim.client.usage().transfers, 1);
    sim.enter_flight_mode();
    assert_eq!(sim.model.1.image.len(), 16);
    sim.forge(DM, &block(2, 1));
    sim.run_for(secs(10));
    assert_eq!((sim.model.1.image.len(), sim.client.usage().transfers), (16, 0), "{}", sim.trace);
    let last = sent(&sim).pop().unwrap();
    assert_eq!(last.code(), Code::DELETE, "{}", sim.trace);
}
