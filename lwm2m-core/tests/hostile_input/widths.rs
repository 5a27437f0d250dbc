//! Numbers at the ends of what fits: no limit is narrowed to a small one, and no number of a peer to another.
//!
//! Where a `usize` has 32 bits all tests run, and where it has 16 the crate compiles with each of its constants
//! (`.ci/nightly`).

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageWriter, OptionNumber};
use lwm2m_core::{Config, Event, Limits};

use crate::common::{Desk, Server, secs};

/// Numbers around which 8, 16, 24, 31 and 32 bits end; what is more where there is more.
fn edges() -> Vec<usize> {
    let powers = [8, 16, 24, 31, 32, 63].into_iter().filter_map(|bits| 1_usize.checked_shl(bits));
    powers.flat_map(|power| [power - 1, power, power + 1]).chain([usize::MAX]).collect()
}

#[test]
fn a_limit_beyond_the_width_of_its_counter_is_no_small_one() {
    let fields: [fn(&mut Limits) -> &mut usize; 16] = [
        |limits| &mut limits.servers,
        |limits| &mut limits.access_controls,
        |limits| &mut limits.slots,
        |limits| &mut limits.datagram,
        |limits| &mut limits.exchanges,
        |limits| &mut limits.deduplication,
        |limits| &mut limits.deferred,
        |limits| &mut limits.transfers,
        |limits| &mut limits.body,
        |limits| &mut limits.observations,
        |limits| &mut limits.attributes,
        |limits| &mut limits.numbers,
        |limits| &mut limits.stored,
        |limits| &mut limits.events,
        |limits| &mut limits.location,
        |limits| &mut limits.value,
    ];
    for (index, field) in fields.into_iter().enumerate() {
        for edge in edges() {
            let mut config: Config = Desk::config(1, 3_600);
            let ordinary = *field(&mut config.limits);
            *field(&mut config.limits) = edge.max(ordinary);
            // The same is asked of each: registered, read, observed, told, written in blocks, kept.
            let mut desk = Desk::registered(config);
            let context = format!("limit {index} is {edge}");
            let observe = desk.ask(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
            assert_eq!(Message::parse(&observe).unwrap().observe(), Some(1), "{context}");
            for (number, more, code) in [(0, true, Code::CONTINUE), (1, false, Code::CHANGED)] {
                let answer = desk.ask(Code::PUT, "/3/0/15", |writer| {
                    writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
                    writer.block1(BlockValue::new(number, more, 0).unwrap()).unwrap();
                    writer.payload(if more { b"Europe/Lisbon-an" } else { b"d-round" }).unwrap();
                });
                assert_eq!(Message::parse(&answer).unwrap().code(), code, "{context}");
            }
            desk.battery(70);
            desk.client.network_down(desk.now);
            desk.battery(60);
            assert_eq!(desk.client.stored_notifications(), 1, "{context}");
            desk.client.network_up(desk.now);
            desk.pass(secs(1));
            assert_eq!(Message::parse(&desk.last(Code::CONTENT)).unwrap().payload(), b"60", "{context}");
            assert!(desk.events.contains(&Event::Updated { server: 1 }), "{context}");
            // And a snapshot has room for it.
            let mut flash = [0; 1_024];
            assert!(desk.client.snapshot(desk.now, &mut flash).is_ok(), "{context}");
        }
    }
}

/// What a request is answered with.
#[track_caller]
fn code(desk: &mut Desk, method: Code, path: &str, write: impl FnOnce(&mut MessageWriter<'_>)) -> Code {
    Message::parse(&desk.ask(method, path, write)).unwrap().code()
}

#[test]
fn a_number_of_a_peer_is_refused_or_cut_off_and_never_another_one() {
    let mut desk = Desk::registered(Desk::config(1, 3_600));
    // 3 and 65,536 more: ids have 16 bits (OMA LwM2M 1.0, 6.2).
    for path in ["/65539", "/3/65536", "/3/0/65545", "/4294967299/0/9", "/18446744073709551619"] {
        assert_eq!(code(&mut desk, Code::GET, path, |_| ()), Code::NOT_FOUND, "{path}");
    }
    // Attributes and lifetimes have 32 bits; 10 and 2^32 more.
    for query in ["pmin=4294967306", "pmax=4294967306", "pmin=18446744073709551626"] {
        let put = code(&mut desk, Code::PUT, "/3/0/9", |writer| {
            writer.option(OptionNumber::URI_QUERY, query.as_bytes()).unwrap();
        });
        assert_eq!(put, Code::BAD_REQUEST, "{query}");
    }
    for (text, expected) in [("4294967296", u32::MAX), ("4294967306", u32::MAX), ("65536", 65_536), ("3600", 3_600)] {
        desk.write("/1/0/1", text);
        let answer = desk.ask(Code::GET, "/1/0/1", |writer| writer.accept(ContentFormat::TEXT_PLAIN).unwrap());
        let told = Message::parse(&answer).unwrap().payload().to_vec();
        // What is read is what was written or the longest lifetime, and it is that which the server is told.
        assert!(told == text.as_bytes() || told == expected.to_string().as_bytes(), "{text}: {told:?}");
        let update = desk.last(Code::POST);
        let lifetime = Message::parse(&update).unwrap().uri_query().next().map(<[u8]>::to_vec);
        assert_eq!(lifetime, Some(format!("lt={expected}").into_bytes()), "{text}");
    }
    // A body that is announced to be longer than it may be, by all of 32 bits; and its last block of all.
    let part = |number, more, size: Option<u32>| {
        move |writer: &mut MessageWriter<'_>| {
            writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
            writer.block1(BlockValue::new(number, more, 6).unwrap()).unwrap();
            size.into_iter().for_each(|size| writer.size1(size).unwrap());
            writer.payload(&[b'x'; 1_024]).unwrap();
        }
    };
    for size in [65_537, 1 << 24, u32::MAX] {
        let answer = code(&mut desk, Code::PUT, "/3/0/15", part(0, true, Some(size)));
        assert_eq!(answer, Code::REQUEST_ENTITY_TOO_LARGE, "{size}");
    }
    for number in [64, 1 << 14, (1 << 20) - 1] {
        let answer = code(&mut desk, Code::PUT, "/3/0/15", part(number, false, None));
        assert_eq!(answer, Code::REQUEST_ENTITY_INCOMPLETE, "{number}");
        let block = code(&mut desk, Code::GET, "/3/0", |writer| {
            writer.block2(BlockValue::new(number, false, 6).unwrap()).unwrap();
        });
        assert_eq!(block, Code::BAD_REQUEST, "there is no such block of it: {number}");
    }
    // TLV with a length of 24 bits and less behind it; and numbers of formats that there are not.
    let answer = code(&mut desk, Code::PUT, "/3/0", |writer| {
        writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
        writer.payload(&[0b1101_1000, 15, 0xFF, 0xFF, 0xFF, b'x']).unwrap();
    });
    assert_eq!(answer, Code::BAD_REQUEST);
    let answer = code(&mut desk, Code::GET, "/3/0/9", |writer| writer.accept(ContentFormat(u16::MAX)).unwrap());
    assert_eq!(answer, Code::NOT_ACCEPTABLE);
    desk.server = Server::Grants;
    assert!(desk.client.is_registered(desk.now, 1));
}
