//! Requests of servers in blocks (Block1; RFC 7959, section 2.5): collected, or streamed to the model.

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{BootstrapCommand, Sim, Tlv, WriteMode};
use lwm2m_core::{Credentials, Event, Limits, Origin, Path, Refusal};

use crate::commands::*;
use crate::terminal::*;

type Depots = Sim<(Device, Depot)>;

const TEXT_FORMAT: ContentFormat = ContentFormat::TEXT_PLAIN;
const OPAQUE: ContentFormat = ContentFormat::OCTET_STREAM;
const CONTINUE: Code = Code::CONTINUE;
const INCOMPLETE: Code = Code::REQUEST_ENTITY_INCOMPLETE;

/// A request with a block of a body.
#[derive(Clone, Copy)]
struct Piece<'a> {
    host: &'a str,
    kind: MessageType,
    method: Code,
    path: &'a str,
    format: ContentFormat,
    size1: Option<u32>,
    /// Added to its Message IDs, so that no two bodies share one.
    base: u16,
}

impl<'a> Piece<'a> {
    const fn put(path: &'a str, format: ContentFormat) -> Self {
        Self { host: DM, kind: MessageType::Confirmable, method: Code::PUT, path, format, size1: None, base: 0 }
    }

    fn datagram(&self, id: u16, (num, more, szx): (u32, bool, u8), payload: &[u8]) -> Vec<u8> {
        datagram(self.kind, self.method, self.base + id, &id.to_be_bytes(), |writer| {
            self.path.split('/').skip(1).try_for_each(|segment| writer.uri_path(segment))?;
            writer.content_format(self.format)?;
            writer.block1(BlockValue::new(num, more, szx).unwrap())?;
            self.size1.map_or(Ok(()), |size| writer.size1(size))?;
            writer.payload(payload)
        })
    }

    /// Sends a block, and gives the code and the Block1 option of its answer.
    #[track_caller]
    fn send(&self, sim: &mut Depots, id: u16, block: (u32, bool, u8), payload: &[u8]) -> (Code, Option<String>) {
        let said = said(sim, self.host, &self.datagram(id, block, payload));
        let [answer] = &*said else { panic!("one answer: {said:?}\n{}", sim.trace) };
        let message = Message::parse(answer).unwrap();
        assert_eq!((message.token().as_bytes(), message.payload()), (&id.to_be_bytes()[..], &b""[..]));
        (message.code(), message.block1().map(|block| block.unwrap().to_string()))
    }

    /// Sends the block of `body` that begins there.
    #[track_caller]
    fn part(&self, sim: &mut Depots, id: u16, num: u32, szx: u8, body: &[u8]) -> (Code, Option<String>) {
        let (start, size) = (num as usize * (16 << szx), 16 << szx);
        let end = body.len().min(start + size);
        self.send(sim, id, (num, end < body.len(), szx), &body[start..end])
    }
}

fn said_so(code: Code, block: &str) -> (Code, Option<String>) {
    (code, Some(block.to_string()))
}

const fn refused(code: Code) -> (Code, Option<String>) {
    (code, None)
}

fn text_of(sim: &Depots) -> &str {
    &sim.model.1.store[&0].0
}

#[test]
fn td_coap_block_03_a_write_in_blocks_is_applied_once_at_the_end() {
    let mut sim = stored(one_server(1));
    let body = letters(150);
    let put = Piece::put("/30001/0/0", TEXT_FORMAT);
    assert_eq!(put.part(&mut sim, 1, 0, 2, body.as_bytes()), said_so(CONTINUE, "0/1/64"));
    assert_eq!(put.part(&mut sim, 2, 1, 2, body.as_bytes()), said_so(CONTINUE, "1/1/64"));
    assert_eq!((text_of(&sim), sim.client.usage().transfers), ("", 1), "nothing yet");
    assert_eq!(put.part(&mut sim, 3, 2, 2, body.as_bytes()), said_so(Code::CHANGED, "2/0/64"));
    assert_eq!((text_of(&sim), &*sim.model.1.done), (&*body, &["set /30001/0/0".to_string()][..]));
    assert_eq!(happened(&sim, Event::Written { origin: Origin::Server(1), path: TEXT }), 1);
    assert_eq!(sim.client.usage().transfers, 0);
    // The same by a server of its own, which repeats what is lost.
    sim.network.lose(200);
    server_mut(&mut sim).block_size = Some(16);
    let body = letters(1_500);
    let write =
        |server: &mut lwm2m_core::sim::DmServer| server.write(TEXT, TEXT_FORMAT, body.as_bytes(), WriteMode::Replace);
    assert_eq!(insist(&mut sim, write).0, Code::CHANGED, "{}", sim.trace);
    assert_eq!((text_of(&sim), sim.model.1.done.len()), (&*body, 2));
    // A body of one block is one as well.
    sim.network.lose(0);
    assert_eq!(put.send(&mut sim, 7, (0, false, 2), b"short"), said_so(Code::CHANGED, "0/0/64"));
    assert_eq!(text_of(&sim), "short");
}

#[test]
fn td_coap_block_04s_a_create_in_blocks() {
    let mut sim = stored(one_server(1));
    let tlv = Tlv::new().instance(7, &Tlv::new().text(0, &letters(200)).resource(1, &bytes(200)));
    let create = Piece { method: Code::POST, ..Piece::put("/30001", ContentFormat::LWM2M_TLV) };
    let body = tlv.bytes();
    for num in 0..3 {
        assert_eq!(create.part(&mut sim, 1 + num, u32::from(num), 3, body).0, CONTINUE);
    }
    let last = create.datagram(9, (3, false, 3), &body[384..]);
    let answer = said(&mut sim, DM, &last).remove(0);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!((answer.code(), answer.block1().unwrap().unwrap().to_string()), (Code::CREATED, "3/0/128".into()));
    assert!(answer.location_path().eq([&b"30001"[..], b"7"]));
    assert_eq!(sim.model.1.done, ["create /30001/7"]);
    assert_eq!(sim.model.1.store[&7], (letters(200), bytes(200)));
    // The last block once more is not another Create.
    assert_eq!(create.part(&mut sim, 10, 3, 3, body), refused(INCOMPLETE));
    assert_eq!(sim.model.1.done.len(), 1);
}

#[test]
fn td_coap_block_05_a_post_in_blocks_that_asks_for_its_answer_in_blocks() {
    // No operation of LwM2M 1.0 has a POST with a large answer: Block2 is understood, and has nothing
    // to do.
    let mut sim = stored(one_server(1));
    let arguments = format!("0='{}'", letters(100));
    let run = Piece { method: Code::POST, ..Piece::put("/30001/0/2", TEXT_FORMAT) };
    assert_eq!(run.part(&mut sim, 1, 0, 2, arguments.as_bytes()), said_so(CONTINUE, "0/1/64"));
    let last = |id, block2: BlockValue| {
        datagram(MessageType::Confirmable, Code::POST, id, b"tok", |writer| {
            ["30001", "0", "2"].iter().try_for_each(|segment| writer.uri_path(segment))?;
            writer.content_format(TEXT_FORMAT)?;
            writer.block2(block2)?;
            writer.block1(BlockValue::new(1, false, 2).unwrap())?;
            writer.payload(&arguments.as_bytes()[64..])
        })
    };
    let answer = said(&mut sim, DM, &last(2, BlockValue::new(0, false, 2).unwrap())).remove(0);
    let answer = Message::parse(&answer).unwrap();
    assert_eq!((answer.code(), answer.block2(), answer.payload()), (Code::CHANGED, None, &b""[..]));
    assert_eq!(answer.block1().unwrap().unwrap().to_string(), "1/0/64");
    assert_eq!(sim.model.1.done, [format!("run {arguments}")]);
    // The request for a later block of its answer does not run it again.
    let more = datagram(MessageType::Confirmable, Code::POST, 3, b"tok", |writer| {
        ["30001", "0", "2"].iter().try_for_each(|segment| writer.uri_path(segment))?;
        writer.block2(BlockValue::new(1, false, 2).unwrap())
    });
    let none = bare(MessageType::Acknowledgement, Code::BAD_REQUEST, 3, b"tok");
    assert_eq!(said(&mut sim, DM, &more), [none]);
    assert_eq!(sim.model.1.done.len(), 1);
}

#[test]
fn xk_01_a_body_that_does_not_begin_with_its_first_block_is_4_08() {
    let mut sim = stored(one_server(1));
    for put in [Piece::put("/30001/0/0", TEXT_FORMAT), Piece { base: 50, ..Piece::put("/5/0/0", OPAQUE) }] {
        for (id, more) in [(1, true), (2, false)] {
            assert_eq!(put.send(&mut sim, id, (3, more, 0), &[b'x'; 16]), refused(INCOMPLETE));
        }
    }
    assert_eq!((sim.client.usage().transfers, sim.model.1.parts.len(), text_of(&sim)), (0, 0, ""));
}

#[test]
fn xk_02_a_gap_is_4_08() {
    let mut sim = stored(one_server(1));
    for put in [Piece::put("/30001/0/0", TEXT_FORMAT), Piece { base: 50, ..Piece::put("/5/0/0", OPAQUE) }] {
        for (id, num, more, code) in
            [(1, 0, true, CONTINUE), (2, 1, true, CONTINUE), (3, 3, true, INCOMPLETE), (4, 3, false, INCOMPLETE)]
        {
            assert_eq!(put.send(&mut sim, id, (num, more, 0), &[b'x'; 16]).0, code, "{num} {more}");
        }
        // What is missing may still come (own).
        assert_eq!(put.send(&mut sim, 5, (2, true, 0), &[b'x'; 16]).0, CONTINUE);
        assert_eq!(put.send(&mut sim, 6, (3, false, 0), b"y").0, Code::CHANGED);
    }
    assert_eq!((text_of(&sim).len(), sim.model.1.image.len()), (49, 49));
}

#[test]
fn xk_03_a_block_that_comes_again_is_answered_again_and_taken_once() {
    let mut sim = stored(one_server(1));
    let body = bytes(40);
    let put = Piece::put("/5/0/0", OPAQUE);
    let collected = Piece { base: 50, ..Piece::put("/30001/0/1", OPAQUE) };
    for put in [put, collected] {
        for (id, num) in [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2)] {
            // The first block under another Message ID begins anew; the others were taken.
            let (code, option) = if num == 2 { (Code::CHANGED, "2/0/16") } else { (CONTINUE, &*format!("{num}/1/16")) };
            assert_eq!(put.part(&mut sim, id, num, 0, &body), said_so(code, option), "{id}");
        }
    }
    assert_eq!((&sim.model.1.image, &sim.model.1.store[&0].1), (&body, &body));
    assert_eq!(sim.model.1.done, ["set /30001/0/1"]);
    let offsets: Vec<_> = sim.model.1.parts.iter().map(|part| part.1).collect();
    assert_eq!(offsets, [0, 0, 16, 32]);
    // A late duplicate of the first block, long forgotten as a message, begins nothing.
    for id in 100..130 {
        said(&mut sim, DM, &request(Code::POST, "/30001/0/2", id, b"tok", None));
    }
    let again = put.part(&mut sim, 2, 0, 0, &body);
    assert_eq!(again, said_so(CONTINUE, "0/1/16"));
    assert_eq!((&sim.model.1.image, sim.model.1.parts.len(), sim.model.1.state), (&body, 4, 2));
}

#[test]
fn xk_04_the_first_block_begins_anew() {
    let mut sim = stored(one_server(1));
    let (old, new) = (bytes(64), [7; 40]);
    for put in [Piece::put("/5/0/0", OPAQUE), Piece { base: 50, ..Piece::put("/30001/0/1", OPAQUE) }] {
        put.part(&mut sim, 1, 0, 0, &old);
        put.part(&mut sim, 2, 1, 0, &old);
        for (id, num) in [(3, 0), (4, 1)] {
            assert_eq!(put.part(&mut sim, id, num, 0, &new).0, CONTINUE);
        }
        assert_eq!(put.part(&mut sim, 5, 2, 0, &new), said_so(Code::CHANGED, "2/0/16"));
    }
    assert_eq!((&sim.model.1.image[..], &sim.model.1.store[&0].1[..]), (&new[..], &new[..]));
    assert_eq!(sim.client.usage().transfers, 0);
}

#[test]
fn xk_05_a_block_that_is_shorter_or_longer_than_it_says_is_4_00() {
    let mut sim = stored(one_server(1));
    let put = Piece::put("/30001/0/0", TEXT_FORMAT);
    for (id, more, length) in [(1, true, 0), (2, true, 15), (3, true, 17), (4, false, 17)] {
        let payload = vec![b'x'; length];
        assert_eq!(put.send(&mut sim, id, (0, more, 0), &payload), refused(Code::BAD_REQUEST), "{length}");
    }
    assert_eq!((sim.client.usage().transfers, text_of(&sim)), (0, ""));
    // In the middle it costs only itself.
    assert_eq!(put.send(&mut sim, 5, (0, true, 0), &[b'x'; 16]).0, CONTINUE);
    assert_eq!(put.send(&mut sim, 6, (1, true, 0), &[b'x'; 15]), refused(Code::BAD_REQUEST));
    assert_eq!(put.send(&mut sim, 7, (1, false, 0), &[b'x'; 15]).0, Code::CHANGED);
    assert_eq!(text_of(&sim).len(), 31);
}

#[test]
fn xk_07_blocks_may_become_smaller_and_not_larger() {
    let mut sim = stored(one_server(1));
    let body = letters(100);
    let put = Piece::put("/30001/0/0", TEXT_FORMAT);
    assert_eq!(put.part(&mut sim, 1, 0, 2, body.as_bytes()), said_so(CONTINUE, "0/1/64"));
    assert_eq!(put.part(&mut sim, 2, 4, 0, body.as_bytes()), said_so(CONTINUE, "4/1/16"));
    assert_eq!(put.part(&mut sim, 3, 5, 0, body.as_bytes()), said_so(CONTINUE, "5/1/16"));
    // 96 bytes are there: the right offset in larger blocks, and a wrong one in smaller ones.
    assert_eq!(put.part(&mut sim, 4, 3, 1, body.as_bytes()), refused(INCOMPLETE));
    assert_eq!(put.part(&mut sim, 5, 4, 0, body.as_bytes()), refused(INCOMPLETE));
    assert_eq!(put.part(&mut sim, 6, 6, 0, body.as_bytes()), said_so(Code::CHANGED, "6/0/16"));
    assert_eq!(text_of(&sim), body);
    // A device with short buffers asks for smaller blocks, and a server follows.
    let mut config = one_server(1);
    config.limits.datagram = 320;
    let mut sim = stored(config);
    let body = letters(1_500);
    assert_eq!(put.part(&mut sim, 1, 0, 6, body.as_bytes()), said_so(CONTINUE, "0/1/256"));
    let written = sim.ask(0, |server| server.write(TEXT, TEXT_FORMAT, body.as_bytes(), WriteMode::Replace));
    assert_eq!((written.code(), text_of(&sim)), (Some(Code::CHANGED), &*body), "{}", sim.trace);
}

#[test]
fn xk_08_too_long_a_body_is_4_13_at_the_first_block_that_shows_it() {
    let mut config = one_server(1);
    config.limits = Limits { body: 100, ..Limits::DEVICE };
    let mut sim = stored(config);
    let put = Piece::put("/30001/0/0", TEXT_FORMAT);
    let too_large = |sim: &mut Depots, put: Piece<'_>, id, num| {
        let said = said(sim, DM, &put.datagram(id, (num, true, 1), &[b'x'; 32]));
        let message = Message::parse(&said[0]).unwrap();
        assert_eq!((message.code(), message.size1()), (Code::REQUEST_ENTITY_TOO_LARGE, Some(100)));
    };
    for id in 0..3 {
        assert_eq!(put.send(&mut sim, id, (u32::from(id), true, 1), &[b'x'; 32]).0, CONTINUE);
    }
    too_large(&mut sim, put, 3, 3);
    assert_eq!(sim.client.usage().transfers, 0);
    assert_eq!(put.send(&mut sim, 4, (3, false, 1), b"x"), refused(INCOMPLETE), "it is over");
    // Announced: at once.
    too_large(&mut sim, Piece { size1: Some(101), ..put }, 5, 0);
    let announced = Piece { size1: Some(100), ..put };
    for (id, num, code) in [(6, 0, CONTINUE), (7, 1, CONTINUE), (8, 2, CONTINUE)] {
        assert_eq!(announced.send(&mut sim, id, (num, true, 1), &[b'x'; 32]).0, code);
    }
    assert_eq!(announced.send(&mut sim, 9, (3, false, 1), b"last").0, Code::CHANGED);
    assert_eq!(text_of(&sim).len(), 100);
    // What the model takes as it comes has no such bound; the model's own answer ends it.
    let image = Piece { size1: Some(5_000), ..Piece::put("/5/0/0", OPAQUE) };
    let body = bytes(5_000);
    for id in 0..4 {
        assert_eq!(image.part(&mut sim, 20 + id, u32::from(id), 6, &body).0, CONTINUE);
    }
    assert_eq!(sim.model.1.announced, Some(5_000));
    sim.model.1.refuse = Some((4_096, Refusal::Code(Code::REQUEST_ENTITY_TOO_LARGE)));
    assert_eq!(image.part(&mut sim, 24, 4, 6, &body).0, Code::REQUEST_ENTITY_TOO_LARGE);
    assert_eq!(image.part(&mut sim, 25, 4, 6, &body), refused(INCOMPLETE));
}

#[test]
fn xk_09_two_servers_write_to_one_path_at_once() {
    let mut sim = stored(sharing(two_servers(1), &[Path::instance(30_001, 0), Path::instance(5, 0)]));
    let (one, two) = (bytes(48), vec![9; 40]);
    for (base, path) in [(0, "/30001/0/1"), (50, "/5/0/0")] {
        let first = Piece { base, ..Piece::put(path, OPAQUE) };
        let second = Piece { host: SECOND, ..first };
        if path == "/5/0/0" {
            // One slot for images: the model sees who writes, and refuses the second.
            assert_eq!(first.part(&mut sim, 1, 0, 0, &one).0, CONTINUE);
            sim.model.1.refuse = Some((0, Refusal::Code(Code::FORBIDDEN)));
            assert_eq!(second.part(&mut sim, 1, 0, 0, &two), refused(Code::FORBIDDEN));
        } else {
            for num in 0..2 {
                assert_eq!(first.part(&mut sim, 1 + num, u32::from(num), 0, &one).0, CONTINUE);
                assert_eq!(second.part(&mut sim, 1 + num, u32::from(num), 0, &two).0, CONTINUE);
            }
            assert_eq!(sim.client.usage().transfers, 2);
            assert_eq!(second.part(&mut sim, 3, 2, 0, &two).0, Code::CHANGED);
            assert_eq!(sim.model.1.store[&0].1, two);
        }
        if path == "/5/0/0" {
            assert_eq!(first.part(&mut sim, 2, 1, 0, &one).0, CONTINUE);
        }
        assert_eq!(first.part(&mut sim, 3, 2, 0, &one).0, Code::CHANGED);
    }
    assert_eq!((&sim.model.1.store[&0].1, &sim.model.1.image), (&one, &one));
    assert!(sim.model.1.parts.iter().all(|part| part.0 == Origin::Server(1)));
}

#[test]
fn xk_10_what_comes_in_between_is_served() {
    let mut sim = stored(one_server(1));
    let body = bytes(64);
    for (first, put) in [(1, Piece::put("/30001/0/1", OPAQUE)), (51, Piece::put("/5/0/0", OPAQUE))] {
        for num in 0..4 {
            let read = request(Code::GET, "/3/0/9", first + 10 + num, b"tok", None);
            assert!(said(&mut sim, DM, &read)[0].ends_with(b"\xff80"));
            assert_eq!(said(&mut sim, DM, &empty(MessageType::Confirmable, 99)), [empty(MessageType::Reset, 99)]);
            let non = Piece { kind: MessageType::NonConfirmable, ..Piece::put("/30001/0/0", TEXT_FORMAT) };
            let answer = non.send(&mut sim, first + 20 + num, (0, false, 0), b"short");
            assert_eq!(answer, said_so(Code::CHANGED, "0/0/16"));
            let code = if num == 3 { Code::CHANGED } else { CONTINUE };
            assert_eq!(put.part(&mut sim, first + num, u32::from(num), 0, &body).0, code);
        }
    }
    assert_eq!((&sim.model.1.store[&0].1, &sim.model.1.image), (&body, &body));
}

#[test]
fn xk_11_a_body_that_pauses_longer_than_the_exchange_lifetime_is_dropped() {
    let mut sim = stored(one_server(1));
    let body = bytes(48);
    sim.client.reserve();
    let memory = sim.client.memory().exchange;
    for put in [Piece::put("/30001/0/1", OPAQUE), Piece::put("/5/0/0", OPAQUE)] {
        assert_eq!(put.part(&mut sim, 1, 0, 0, &body).0, CONTINUE);
        sim.run_for(secs(246));
        assert_eq!(put.part(&mut sim, 2, 1, 0, &body).0, CONTINUE, "it waits from the last block on");
        sim.run_for(secs(248));
        assert_eq!(sim.client.memory().exchange, memory, "its memory is given back");
        assert_eq!(put.part(&mut sim, 3, 2, 0, &body), refused(INCOMPLETE));
        sim.run_for(secs(300));
    }
    assert_eq!((sim.model.1.store[&0].1.len(), sim.model.1.image.len()), (0, 32));
}

#[test]
fn xk_12_blocks_of_two_formats_do_not_belong_together() {
    let mut sim = stored(one_server(1));
    let body = bytes(48);
    for (base, path) in [(0, "/30001/0/1"), (20_000, "/5/0/0")] {
        let put = Piece { base, ..Piece::put(path, OPAQUE) };
        assert_eq!(put.part(&mut sim, 1, 0, 0, &body).0, CONTINUE);
        for other in [
            Piece { format: ContentFormat::LWM2M_TLV, ..put },
            Piece { format: TEXT_FORMAT, ..put },
            Piece { format: ContentFormat::LEGACY_OPAQUE, ..put },
        ] {
            assert_eq!(other.part(&mut sim, 100 + other.format.0, 1, 0, &body), refused(INCOMPLETE));
        }
        // As little as those of two methods, or with another query.
        let post = Piece { method: Code::POST, path: "/30001/0/1", ..put };
        assert_eq!(post.part(&mut sim, 3, 1, 0, &body).0, Code::METHOD_NOT_ALLOWED);
        for num in 1..3 {
            put.part(&mut sim, 10 + num, u32::from(num), 0, &body);
        }
    }
    assert_eq!((&sim.model.1.store[&0].1, &sim.model.1.image), (&body, &body));
}

#[test]
fn xb_20_a_large_bootstrap_write_is_applied_after_its_last_block_only() {
    let key = [b'k'; 64];
    let account = |id: i64| {
        let uri = format!("coap://dm.example/{}", letters(120));
        Tlv::new().text(0, &uri).boolean(1, false).integer(2, 3).resource(3, &key).resource(5, &key).integer(10, id)
    };
    let body = Tlv::new().instance(1, &security(URI, 1)).instance(2, &account(2)).bytes().to_vec();
    assert!(body.len() > 256);
    let piece = |num: usize| {
        let end = body.len().min(num * 64 + 64);
        let block = BlockValue::new(num as u32, end < body.len(), 2).unwrap().to_uint();
        BootstrapCommand::Ask(lwm2m_core::sim::Ask {
            format: Some(ContentFormat::LWM2M_TLV),
            options: vec![(OptionNumber::BLOCK1.0, block.to_be_bytes()[2..].to_vec())],
            payload: body[num * 64..end].to_vec(),
            ..lwm2m_core::sim::Ask::new(Code::PUT, "/0")
        })
    };
    let blocks = body.len().div_ceil(64);
    let discover = BootstrapCommand::Discover(Path::object(0));
    let mut script: Vec<_> = (0..blocks - 1).map(piece).collect();
    script.extend([discover.clone(), piece(blocks - 1), discover]);
    let sim = bootstrapped_by(script);
    let mut expected = vec![CONTINUE; blocks - 1];
    expected.extend([Code::CONTENT, Code::CHANGED, Code::CONTENT]);
    assert_eq!(codes(&sim), expected, "{}", sim.trace);
    let texts = texts(&sim);
    assert_eq!(texts[blocks - 1], r#"lwm2m="1.0",</0/0>"#, "nothing before the last block");
    assert_eq!(texts[blocks + 1], r#"lwm2m="1.0",</0/0>,</0/1>;ssid=1,</0/2>;ssid=2"#);

    // A bootstrap server that splits by itself, and a single resource of Security, which is opaque.
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let key = BootstrapCommand::Ask(lwm2m_core::sim::Ask {
        format: Some(OPAQUE),
        payload: vec![7; 100],
        block_size: Some(32),
        ..lwm2m_core::sim::Ask::new(Code::PUT, "/0/1/5")
    });
    let whole = BootstrapCommand::Ask(lwm2m_core::sim::Ask {
        format: Some(ContentFormat::LWM2M_TLV),
        payload: Tlv::new().instance(1, &security(URI, 1)).bytes().to_vec(),
        block_size: Some(16),
        ..lwm2m_core::sim::Ask::new(Code::PUT, "/0")
    });
    let terms = write(TERMS, &terms(1, 86_400));
    let sim = configured_and_bootstrapped_by(config, vec![whole, key, terms, BootstrapCommand::Finish]);
    assert_eq!(codes(&sim), [Code::CHANGED; 4], "{}", sim.trace);
    assert!(sim.client.is_registered(sim.now(), 1), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xk_later_a_block_waits_for_the_application_and_is_taken_once() {
    let mut sim = stored(one_server(1));
    let body = bytes(48);
    let put = Piece::put("/5/0/0", OPAQUE);
    for (offset, num) in [(0, 0), (16, 1), (32, 2)] {
        sim.model.1.refuse = Some((offset, Refusal::Later));
        let end = body.len().min(num as usize * 16 + 16);
        let block = put.datagram(1 + num as u16, (num, end < body.len(), 0), &body[num as usize * 16..end]);
        let acknowledged = [empty(MessageType::Acknowledgement, 1 + num as u16)];
        assert_eq!(said(&mut sim, DM, &block), acknowledged);
        assert_eq!(said(&mut sim, DM, &block), acknowledged, "repeated, it waits as well");
        let ticket = sim.model.1.tickets.remove(0);
        sim.resume(ticket).unwrap();
        sim.run_for(secs(1));
        let answer = sent(&sim).pop().unwrap();
        let expected = if num == 2 { Code::CHANGED } else { CONTINUE };
        assert_eq!((answer.kind(), answer.code()), (MessageType::Confirmable, expected));
        said(&mut sim, DM, &empty(MessageType::Acknowledgement, answer.id()));
    }
    assert_eq!((&sim.model.1.image, sim.model.1.parts.len()), (&body, 3));

    // A block that waits counts for nothing once another body began.
    sim.model.1.refuse = Some((16, Refusal::Later));
    put.part(&mut sim, 11, 0, 0, &body);
    said(&mut sim, DM, &put.datagram(12, (1, true, 0), &body[16..32]));
    let ticket = sim.model.1.tickets.remove(0);
    let other = [7; 40];
    put.part(&mut sim, 13, 0, 0, &other);
    sim.resume(ticket).unwrap();
    sim.run_for(secs(1));
    let answer = sent(&sim).pop().unwrap();
    assert_eq!(answer.code(), INCOMPLETE);
    said(&mut sim, DM, &empty(MessageType::Acknowledgement, answer.id()));
    for num in 1..3 {
        put.part(&mut sim, 13 + num, u32::from(num), 0, &other);
    }
    assert_eq!(sim.model.1.image, other);

    // After 5.03 the same part may come again; after any other code nothing may.
    let put_part = |sim: &mut Depots, id, num| put.part(sim, id, num, 0, &body);
    put_part(&mut sim, 21, 0);
    sim.model.1.refuse = Some((16, Refusal::Code(Code::SERVICE_UNAVAILABLE)));
    assert_eq!(put_part(&mut sim, 22, 1), refused(Code::SERVICE_UNAVAILABLE));
    assert_eq!(put_part(&mut sim, 23, 1).0, CONTINUE);
    sim.model.1.refuse = Some((32, Refusal::Code(Code::BAD_REQUEST)));
    assert_eq!(put_part(&mut sim, 24, 2), refused(Code::BAD_REQUEST));
    assert_eq!(put_part(&mut sim, 25, 2), refused(INCOMPLETE));

    // A collected body waits as a whole.
    sim.model.1.later = true;
    let tickets = sim.client.usage().deferred;
    let put = Piece::put("/30001/0/1", OPAQUE);
    put.part(&mut sim, 31, 0, 0, &body);
    put.part(&mut sim, 32, 1, 0, &body);
    let last = put.datagram(33, (2, false, 0), &body[32..]);
    assert_eq!(said(&mut sim, DM, &last), [empty(MessageType::Acknowledgement, 33)]);
    assert_eq!((sim.client.usage().deferred, sim.client.usage().transfers), (tickets + 1, 1));
    sim.run_for(secs(61));
    assert_eq!(sent(&sim).pop().unwrap().code(), Code::SERVICE_UNAVAILABLE, "nobody resumes it");
}

#[test]
fn xk_order_of_checks_every_block_is_checked_like_the_whole_request() {
    let mut sim = stored(one_server(1));
    let opaque = |path| Piece::put(path, OPAQUE);
    for (id, put, code) in [
        (1, opaque("/99/0/0"), Code::NOT_FOUND),
        (2, opaque("/30001/9/1"), Code::NOT_FOUND),
        (3, opaque("/0/0/5"), Code::UNAUTHORIZED),
        (4, opaque("/5/0/3"), Code::METHOD_NOT_ALLOWED),
        (5, opaque("/30001/0/2"), Code::METHOD_NOT_ALLOWED),
        (6, Piece::put("/30001/0/1", ContentFormat(60)), Code::UNSUPPORTED_CONTENT_FORMAT),
        (7, Piece { method: Code::DELETE, ..opaque("/30001/0") }, Code::BAD_OPTION),
        (8, Piece { method: Code::POST, ..Piece::put("/30001/0/2", OPAQUE) }, Code::UNSUPPORTED_CONTENT_FORMAT),
        (9, Piece { method: Code::POST, ..Piece::put("/3", ContentFormat::LWM2M_TLV) }, Code::METHOD_NOT_ALLOWED),
    ] {
        let answer = said(&mut sim, DM, &put.datagram(id, (0, true, 0), &[0; 16])).remove(0);
        assert_eq!(Message::parse(&answer).unwrap().code(), code, "{}", put.path);
    }
    assert_eq!((sim.client.usage().transfers, sim.model.1.done.len()), (0, 0));
    // Of a text, only the whole can be judged.
    let put = Piece::put("/30001/0/0", ContentFormat::LWM2M_TLV);
    assert_eq!(put.send(&mut sim, 21, (0, true, 0), &[0xFF; 16]).0, CONTINUE);
    assert_eq!(put.send(&mut sim, 22, (1, false, 0), &[0xFF; 16]), said_so(Code::BAD_REQUEST, "1/0/16"));
}
