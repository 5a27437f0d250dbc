//! Answers and notifications in blocks (Block2; RFC 7959, sections 2.4 and 2.6).

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Ask, Sim};
use lwm2m_core::{Event, Origin, Path};

use crate::terminal::*;

const MANUFACTURER: Path = Path::resource(3, 0, 0);

fn block(num: u32, more: bool, szx: u8) -> BlockValue {
    BlockValue::new(num, more, szx).unwrap()
}

/// A device that is registered, with a manufacturer of so many letters.
fn made_by(length: usize) -> (Sim<(Device, Depot)>, String) {
    let mut sim = stored(one_server(1));
    let name = letters(length);
    sim.model.0.manufacturer = Some(name.clone().into());
    (sim, name)
}

/// What a GET brings: an acknowledgement with this Message ID.
#[track_caller]
fn get(sim: &mut Sim<(Device, Depot)>, path: &str, id: u16, wanted: Option<BlockValue>) -> Vec<u8> {
    let read = datagram(MessageType::Confirmable, Code::GET, id, b"tok", |writer| {
        path.split('/').skip(1).try_for_each(|segment| writer.uri_path(segment))?;
        wanted.map_or(Ok(()), |wanted| writer.block2(wanted))
    });
    let said = said(sim, DM, &read);
    let [answer] = &*said else { panic!("one answer: {said:?}") };
    let message = Message::parse(answer).unwrap();
    assert_eq!((message.message_id().0, message.token().as_bytes()), (id, &b"tok"[..]));
    answer.clone()
}

fn block2(message: &Message<'_>) -> Option<BlockValue> {
    message.block2().map(Result::unwrap)
}

/// The whole answer, block by block in blocks of one size.
#[track_caller]
fn collected(sim: &mut Sim<(Device, Depot)>, path: &str, szx: u8) -> Vec<u8> {
    let (mut body, mut tag) = (Vec::new(), None);
    for num in 0.. {
        let answer = get(sim, path, 1_000 * path.len() as u16 + num as u16, Some(block(num, false, szx)));
        let message = Message::parse(&answer).unwrap();
        assert_eq!(message.code(), Code::CONTENT);
        let sent = block2(&message).expect("a block");
        assert_eq!((sent.num(), sent.szx()), (num, szx));
        assert!(sent.fits(message.payload().len()) && !message.payload().is_empty());
        // All blocks of a body are of the same version of it, and in the same format.
        let known = tag.get_or_insert_with(|| (message.etag().unwrap().to_vec(), message.content_format()));
        assert_eq!((known.0.as_slice(), known.1), (message.etag().unwrap(), message.content_format()));
        body.extend_from_slice(message.payload());
        if !sent.more() {
            return body;
        }
    }
    unreachable!()
}

#[test]
fn td_coap_block_01_early_negotiation() {
    let (mut sim, name) = made_by(300);
    // A single value, an instance, an object: as in one piece.
    assert_eq!(collected(&mut sim, "/3/0/0", 2), name.as_bytes());
    for path in ["/3/0", "/3", "/.well-known/core"] {
        let whole = get(&mut sim, path, 7, None);
        let whole = Message::parse(&whole).unwrap();
        assert_eq!((block2(&whole), whole.etag()), (None, None), "it fits");
        assert_eq!(collected(&mut sim, path, 0), whole.payload(), "{path}");
    }
    // The first block tells how much there is; the last one has the rest.
    let first = get(&mut sim, "/3/0/0", 8, Some(block(0, false, 2)));
    let first = Message::parse(&first).unwrap();
    assert_eq!((block2(&first), first.size2()), (Some(block(0, true, 2)), Some(300)));
    let last = get(&mut sim, "/3/0/0", 9, Some(block(4, false, 2)));
    let last = Message::parse(&last).unwrap();
    assert_eq!((block2(&last), last.payload()), (Some(block(4, false, 2)), &name.as_bytes()[256..]));
    // What is no longer than a block is one, and needs no version.
    let small = get(&mut sim, "/3/0/9", 10, Some(block(0, false, 2)));
    let small = Message::parse(&small).unwrap();
    assert_eq!((block2(&small), small.etag(), small.payload()), (Some(block(0, false, 2)), None, &b"80"[..]));
    let news = |path: &str| Event::Read { origin: Origin::Server(1), path: path.parse().unwrap() };
    assert_eq!(happened(&sim, news("/3/0")), 2, "one for each Read, however many blocks it took");
}

#[test]
fn td_coap_block_02_late_negotiation() {
    let (mut sim, name) = made_by(3_000);
    let first = get(&mut sim, "/3/0/0", 7, None);
    let first = Message::parse(&first).unwrap();
    assert_eq!((first.code(), block2(&first), first.size2()), (Code::CONTENT, Some(block(0, true, 6)), Some(3_000)));
    assert_eq!((first.payload(), first.etag().map(<[u8]>::len)), (&name.as_bytes()[..1_024], Some(8)));
    // The server goes on in blocks of that size, or asks for smaller ones from there.
    let second = get(&mut sim, "/3/0/0", 8, Some(block(1, false, 6)));
    let second = Message::parse(&second).unwrap();
    assert_eq!((block2(&second), second.etag()), (Some(block(1, true, 6)), first.etag()));
    assert_eq!((second.payload(), second.size2()), (&name.as_bytes()[1_024..2_048], None));
    let third = get(&mut sim, "/3/0/0", 9, Some(block(128, false, 0)));
    let third = Message::parse(&third).unwrap();
    assert_eq!((block2(&third), third.payload()), (Some(block(128, true, 0)), &name.as_bytes()[2_048..2_064]));
    let read = sim.ask(0, |server| server.read(MANUFACTURER, None));
    assert_eq!((read.code(), read.response().text()), (Some(Code::CONTENT), &*name));
    let tlv = sim.ask(0, |server| server.read(Path::object(3), None));
    assert!(tlv.response().tlv().is_some() && tlv.response().payload.len() > 3_000, "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn td_coap_block_06_blocks_of_16_bytes() {
    let (mut sim, name) = made_by(100);
    assert_eq!(collected(&mut sim, "/3/0/0", 0), name.as_bytes());
    sim.model.1.store = (0..40).map(|id| (id, (letters(5), bytes(50)))).collect();
    server_mut(&mut sim).block_size = Some(16);
    for ask in [Ask::new(Code::GET, "/3"), Ask::new(Code::GET, "/30001"), Ask::new(Code::GET, "/30001/7/1")] {
        let plain = Ask { block_size: Some(1_024), ..ask.clone() };
        let [small, large] = [ask, plain].map(|ask| sim.ask(0, |server| server.request(ask)).response().clone());
        assert_eq!(small, large);
    }
    let links = sim.ask(0, |server| server.discover(Path::object(30_001)));
    assert_eq!(links.response().links().unwrap().len(), 1 + 40 * 4, "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xk_06_the_reserved_size_is_4_00() {
    let (mut sim, _) = made_by(100);
    let refused = |id| bare(MessageType::Acknowledgement, Code::BAD_REQUEST, id, b"tok");
    let reserved = [7];
    let read = datagram(MessageType::Confirmable, Code::GET, 7, b"tok", |writer| {
        writer.uri_path("3")?;
        writer.option(OptionNumber::BLOCK2, &reserved)
    });
    assert_eq!(said(&mut sim, DM, &read), [refused(7)]);
    let write = datagram(MessageType::Confirmable, Code::PUT, 8, b"tok", |writer| {
        ["30001", "0", "0"].iter().try_for_each(|segment| writer.uri_path(segment))?;
        writer.content_format(ContentFormat::TEXT_PLAIN)?;
        writer.option(OptionNumber::BLOCK1, &reserved)?;
        writer.payload(b"text")
    });
    assert_eq!(said(&mut sim, DM, &write), [refused(8)]);
    assert!(sim.model.1.done.is_empty());
}

#[test]
fn xk_13_a_block_beyond_the_end_is_4_00() {
    let (mut sim, _) = made_by(128);
    for (id, wanted, code) in [
        (1, block(1, false, 2), Code::CONTENT),
        // The body ends where this one would begin.
        (2, block(2, false, 2), Code::BAD_REQUEST),
        (3, block(3, false, 2), Code::BAD_REQUEST),
        (4, block(BlockValue::MAX_NUM, false, 6), Code::BAD_REQUEST),
        (5, block(7, false, 0), Code::CONTENT),
        (6, block(8, false, 0), Code::BAD_REQUEST),
    ] {
        let answer = get(&mut sim, "/3/0/0", id, Some(wanted));
        assert_eq!(Message::parse(&answer).unwrap().code(), code, "{wanted}");
    }
}

#[test]
fn xk_14_blocks_of_two_versions_have_two_tags() {
    let (mut sim, _) = made_by(300);
    let tag = |sim: &mut Sim<_>, id, num| {
        let answer = get(sim, "/3/0/0", id, Some(block(num, false, 4)));
        Message::parse(&answer).unwrap().etag().unwrap().to_vec()
    };
    let first = tag(&mut sim, 1, 0);
    assert_eq!(tag(&mut sim, 2, 1), first);
    // One letter changes, in the block that was read already.
    let mut name = letters(300);
    name.replace_range(..1, "Z");
    sim.model.0.manufacturer = Some(name.clone().into());
    assert_ne!(tag(&mut sim, 3, 1), first);
    sim.model.0.manufacturer = Some(letters(300).into());
    assert_eq!(tag(&mut sim, 4, 1), first, "the same body has the same tag");
    // A server that sees the change begins anew.
    server_mut(&mut sim).block_size = Some(64);
    let read = server_mut(&mut sim).read(MANUFACTURER, None);
    sim.run_for(millis(150));
    assert!(server(&sim).answer(read).is_none(), "it takes some time");
    sim.model.0.manufacturer = Some(name.clone().into());
    sim.run_for(secs(5));
    assert_eq!(server(&sim).answer(read).unwrap().response().text(), name, "{}", sim.trace);
}

#[test]
fn xk_15_a_long_notification_is_its_first_block_and_the_rest_is_read() {
    for (size, szx) in [(None, 6), (Some(64), 2)] {
        let (mut sim, name) = made_by(2_000);
        server_mut(&mut sim).block_size = size;
        let observation = server_mut(&mut sim).observe(MANUFACTURER, None);
        sim.run_for(secs(10));
        let answer = server(&sim).answer(observation).unwrap().response();
        assert_eq!((answer.text(), answer.observe.is_some()), (&*name, true), "{}", sim.trace);
        let observed = Event::Observed { server: 1, path: MANUFACTURER };
        assert_eq!(happened(&sim, observed), 1, "the blocks after the first one observe nothing");

        // What the observer asked for survives a sleep.
        sim.sleep(secs(100));
        let before = sent(&sim).len();
        sim.model.0.manufacturer = Some(name.to_uppercase().into());
        sim.notify(MANUFACTURER);
        sim.run_for(secs(10));
        // The notification is a block with Observe, under the token of the observation ...
        let sent = sent(&sim).split_off(before);
        let message = sent[0].message();
        let size = 16 << szx;
        assert_eq!((block2(&message), message.payload().len()), (Some(block(0, true, szx)), size));
        assert!(message.observe().is_some() && message.etag().is_some());
        // ... and what follows are plain answers of the same version.
        let rest: Vec<_> = sent[1..].iter().map(Sent::message).collect();
        assert_eq!(rest.len(), 2_000_usize.div_ceil(size) - 1);
        assert!(rest.iter().all(|part| part.observe().is_none() && part.etag() == message.etag()));
        assert!(rest.iter().all(|part| part.token() != message.token()));
        let [notification] = server(&sim).notifications(observation) else { panic!("{}", sim.trace) };
        assert_eq!(notification.response.text(), name.to_uppercase());
        nobody_complains(&sim);
    }
    // Observe with a later block is a plain read of it.
    let (mut sim, name) = made_by(2_000);
    let read = datagram(MessageType::Confirmable, Code::GET, 7, b"tok", |writer| {
        writer.observe(0)?;
        ["3", "0", "0"].iter().try_for_each(|segment| writer.uri_path(segment))?;
        writer.block2(block(1, false, 6))
    });
    let answer = said(&mut sim, DM, &read).remove(0);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!((answer.observe(), answer.payload()), (None, &name.as_bytes()[1_024..]));
    sim.model.0.manufacturer = Some("other".into());
    let before = sent(&sim).len();
    sim.notify(MANUFACTURER);
    sim.run_for(secs(1));
    assert_eq!(sent(&sim).len(), before, "nobody observes");
}
