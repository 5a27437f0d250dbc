//! Whatever comes in, the client answers, refuses or ignores it, and stays what it was.

#[path = "../common/mod.rs"]
mod common;
mod statistics;
mod widths;

use core::time::Duration;

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageType, OptionNumber};
use common::{BATTERY, Desk, nothing, request, secs};
use lwm2m_core::{Generator, Instant, Key, Limits, Received};

/// Requests and answers that the client takes seriously.
fn valid(desk: &mut Desk, number: u64) -> Vec<u8> {
    let text = |value: &'static [u8]| {
        move |writer: &mut coap_codec::MessageWriter<'_>| {
            writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
            writer.payload(value).unwrap();
        }
    };
    let tlv = |value: &'static [u8]| {
        move |writer: &mut coap_codec::MessageWriter<'_>| {
            writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
            writer.payload(value).unwrap();
        }
    };
    // Any block of anything, now and then the right one.
    let block = BlockValue::new((number >> 8 & 3) as u32, number >> 10 & 1 == 1, (number >> 11 & 1) as u8).unwrap();
    let (bytes, taken) = ([b'x'; 32], if block.more() { block.size() } else { number as usize % block.size() });
    match number % 16 {
        0 => desk.request(Code::GET, "/3/0", nothing),
        1 => desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap()),
        2 => desk.request(Code::GET, "/3/0/9", |writer| writer.observe(1).unwrap()),
        3 => desk.request(Code::PUT, "/3/0/14", text(b"+08:00")),
        4 => desk.request(Code::PUT, "/1/0/1", text(b"86400")),
        5 => desk.request(Code::POST, "/1/0", tlv(&[0xC1, 2, 10])),
        6 => desk.request(Code::POST, "/3/0/12", nothing),
        7 => desk.request(Code::GET, "/3", |writer| writer.accept(ContentFormat::LINK_FORMAT).unwrap()),
        8 => desk.request(Code::GET, "/1", nothing),
        9 => desk.request(Code::PUT, "/3/0/13", text(b"1476186613")),
        10 => desk.request(Code::GET, "/3/0/11", |writer| writer.accept(ContentFormat::LWM2M_TLV).unwrap()),
        11 | 12 => desk.request(Code::PUT, "/3/0/14", |writer| {
            writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
            writer.block1(block).unwrap();
            writer.payload(&bytes[..taken]).unwrap();
        }),
        13 => desk.request(Code::PUT, ["/1/0", "/3/0"][number as usize >> 12 & 1], |writer| {
            writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
            writer.block1(block).unwrap();
            writer.size1((number >> 16 & 8_191) as u32).unwrap();
            writer.payload(&bytes[..taken]).unwrap();
        }),
        14 => {
            desk.request(Code::GET, ["/3", "/1/0"][number as usize >> 12 & 1], |writer| writer.block2(block).unwrap())
        }
        // The client's last message, acknowledged or rejected.
        _ => {
            let last = desk.sent.last().map_or([0; 2], |(_, _, datagram)| [datagram[2], datagram[3]]);
            vec![if number & 16 == 0 { 0x60 } else { 0x70 }, 0, last[0], last[1]]
        }
    }
}

#[test]
fn a_hundred_thousand_random_datagrams_and_timers_change_nothing_that_matters() {
    let limits = Limits { observations: 4, deduplication: 8, ..Limits::DEVICE };
    let mut config = Desk::config(1, 86_400);
    config.limits = limits;
    let mut desk = Desk::registered(config);
    let mut random = Generator::new(Key::from_seed(2));
    let (mut mutated, mut requests, mut largest) = (0u32, 0u32, 0usize);

    for number in 0..100_000 {
        let roll = random.next_u64();
        let datagram = match roll % 10 {
            // Pure noise.
            0..=3 => (0..roll >> 32 & 63).map(|_| random.next_u64() as u8).collect(),
            // A valid message from the right peer, with a few bits or bytes changed.
            4..=7 => {
                let mut datagram = valid(&mut desk, random.next_u64());
                for _ in 0..=(roll >> 16 & 1) {
                    let at = random.next_u64() as usize % datagram.len();
                    match random.next_u64() % 3 {
                        0 => datagram[at] ^= 1 << (random.next_u64() % 8),
                        1 => datagram[at] = random.next_u64() as u8,
                        _ => datagram.truncate(at),
                    }
                    if datagram.is_empty() {
                        break;
                    }
                }
                mutated += 1;
                datagram
            }
            8 => valid(&mut desk, random.next_u64()),
            _ => {
                desk.pass(Duration::from_millis(random.next_u64() % 60_000));
                continue;
            }
        };
        let (received, _) = desk.receive(&datagram);
        requests += u32::from(received == Received::Request);
        desk.sent.clear();
        desk.events.clear();
        if number % 64 == 0 {
            let usage = desk.client.usage();
            assert!(usage.slots <= limits.slots && usage.exchanges <= limits.exchanges, "{usage:?}");
            assert!(usage.transfers <= limits.transfers, "{usage:?}");
            assert!(usage.deduplication <= limits.deduplication && usage.deferred <= limits.deferred, "{usage:?}");
            largest = largest.max(desk.client.memory().total());
        }
    }

    assert!(mutated >= 30_000, "{mutated} mutations of valid messages");
    assert!(requests >= 15_000, "{requests} requests were served");
    assert!(desk.model.calls() >= 20_000, "{} calls reached the model", desk.model.calls());
    let slots = limits.slots * limits.datagram + limits.transfers * limits.body;
    assert!(largest < slots + 8 * 1024, "{largest} bytes at most");

    // It still does what it is for.
    desk.pass(secs(300));
    let answer = desk.ask(Code::GET, "/3/0/0", nothing);
    assert_eq!(Message::parse(&answer).unwrap().payload(), b"Example Works");
    desk.client.notify(desk.now, BATTERY, &mut desk.model);
    desk.sent.clear();
    desk.pass(secs(86_400));
    let updated = desk.messages(0).iter().any(|message| message.uri_path().eq([&b"rd"[..], b"5a3f"]));
    assert!(updated, "no update within a lifetime");
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_request_before_the_registration_or_from_a_stranger_is_ignored() {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    let read = request(MessageType::Confirmable, Code::GET, 7, "/3/0", nothing);
    let stranger = lwm2m_core::Peer(99);
    assert_eq!(desk.client.handle_datagram(desk.now, stranger, &read, &mut desk.model), Received::Stranger);
    desk.server = common::Server::Silent;
    desk.client.network_up(desk.now);
    desk.drain();
    assert_eq!(desk.receive(&read), (Received::Unwelcome, vec![]));
    assert_eq!(desk.model.calls(), 0);
}

#[test]
fn every_truncation_and_bit_flip_of_a_write_is_survived() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let write = desk.request(Code::POST, "/1/0", |writer| {
        writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
        writer.payload(&[0xC1, 2, 10, 0xC4, 3, 0, 0, 0x0E, 0x10]).unwrap();
    });
    for len in 0..write.len() {
        desk.receive(&write[..len]);
    }
    for bit in 0..write.len() * 8 {
        let mut flipped = write.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        desk.receive(&flipped);
        desk.pass(secs(300));
    }
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn an_option_that_is_critical_and_unknown_is_named_in_4_02() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let answer = desk.ask(Code::GET, "/3/0/9", |writer| writer.option(OptionNumber(2_049), b"x").unwrap());
    let message = Message::parse(&answer).unwrap();
    assert_eq!((message.code(), message.payload()), (Code::BAD_OPTION, &b"opt 2049"[..]));
    let non = request(MessageType::NonConfirmable, Code::GET, 8, "/3/0/9", |writer| {
        writer.option(OptionNumber(2_049), b"x").unwrap();
    });
    assert_eq!(desk.receive(&non).1, Vec::<Vec<u8>>::new());
}

#[test]
fn time_that_jumps_to_its_end_does_not_overflow() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.now = Instant::from_micros(u64::MAX);
    desk.client.handle_timeout(desk.now, &mut desk.model);
    desk.now = Instant::ZERO;
    desk.client.handle_timeout(desk.now, &mut desk.model);
    desk.drain();
}
