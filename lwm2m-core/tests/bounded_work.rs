//! One datagram, or one timer, costs at most so much, whatever it says; and a flood brings no flood.

mod common;

use core::cell::Cell;
use core::time::Duration;

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageWriter, OptionNumber};
use common::{Desk, Model, device, nothing, secs};
use lwm2m_core::exchange::Transmission;
use lwm2m_core::{
    Args, Change, Client, Ctx, DataModel, Generator, Instant, Key, Leaf, Limits, ObjectDef, Output, Part, Peer,
    Refusal, Session, Sink,
};

/// Counts every question that is put to the model behind it.
struct Steps {
    inner: Model,
    steps: Cell<u32>,
}

impl Steps {
    fn step(&self) -> &Model {
        self.steps.set(self.steps.get() + 1);
        &self.inner
    }
}

impl DataModel for Steps {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        self.step().next_object(after)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        self.step().next_instance(object, after)
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.step().next_resource(object, instance, after)
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.step().read(ctx, at, out)
    }

    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        self.step().check(ctx, change)
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        self.step();
        self.inner.apply(ctx, change);
    }

    fn stream(&mut self, ctx: &Ctx, at: Leaf, part: Part<'_>) -> Result<(), Refusal> {
        self.step();
        self.inner.stream(ctx, at, part)
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        self.step();
        self.inner.execute(ctx, at, args)
    }
}

/// What an input cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    /// Questions to the model.
    steps: u32,
    allocations: u64,
    /// The most bytes that were allocated at the same time.
    bytes: u64,
    /// Datagrams and bytes that left.
    datagrams: usize,
    sent: usize,
}

impl Cost {
    fn max(self, other: Self) -> Self {
        Self {
            steps: self.steps.max(other.steps),
            allocations: self.allocations.max(other.allocations),
            bytes: self.bytes.max(other.bytes),
            datagrams: self.datagrams.max(other.datagrams),
            sent: self.sent.max(other.sent),
        }
    }

    fn is_within(&self, most: &Self) -> bool {
        self.max(*most) == *most
    }
}

/// A registered client whose buffers are all there.
struct Bench {
    client: Client,
    model: Steps,
    peer: Peer,
    now: Instant,
    /// Message ID and token of the last message that left.
    last: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        Self::at(Desk::registered(Desk::config(1, 86_400)))
    }

    /// The same with as many observations as there can be, each of all values of the device.
    fn observed(confirmable: bool) -> Self {
        let mut config = Desk::config(1, 86_400);
        config.confirmable_notifications = confirmable;
        let mut desk = Desk::registered(config);
        for _ in 0..Limits::DEVICE.observations {
            let answer = desk.ask(Code::GET, "/3/0", |writer| writer.observe(0).unwrap());
            assert!(Message::parse(&answer).unwrap().observe().is_some());
        }
        Self::at(desk)
    }

    fn at(desk: Desk) -> Self {
        let (peer, now, mut client) = (desk.server_peer(), desk.now, desk.client);
        client.reserve();
        Self { client, model: Steps { inner: device(), steps: Cell::new(0) }, peer, now, last: Vec::new() }
    }

    /// What this costs, until nothing is left to send.
    fn cost(&mut self, work: impl FnOnce(&mut Client, &mut Steps)) -> Cost {
        self.model.steps.set(0);
        let Self { client, model, peer, now, .. } = self;
        let (mut datagrams, mut sent, mut last, mut lost) = (0, 0, ([0; 12], 0), false);
        let counted = allocation_counter::measure(|| {
            work(client, model);
            while let Some(output) = client.poll_output() {
                match output {
                    Output::Transmit { datagram, .. } => {
                        datagrams += 1;
                        sent += datagram.len();
                        let head = datagram.len().min(12);
                        last.0[..head].copy_from_slice(&datagram[..head]);
                        last.1 = head;
                    }
                    Output::Connect { .. } => lost = true,
                    Output::Disconnect { .. } => {}
                }
            }
            while client.poll_event().is_some() {}
        });
        if lost {
            self.client.connected(*now, *peer, Session::Resumed, &mut self.model);
        }
        if last.1 > 0 {
            self.last = last.0[..last.1].to_vec();
        }
        let (allocations, bytes) = (counted.count_total, counted.bytes_max);
        Cost { steps: self.model.steps.get(), allocations, bytes, datagrams, sent }
    }

    fn receive(&mut self, datagram: &[u8]) -> Cost {
        let (now, peer) = (self.now, self.peer);
        self.cost(|client, model| {
            client.handle_datagram(now, peer, datagram, model);
        })
    }

    fn timeout(&mut self) -> Cost {
        let now = self.now;
        self.cost(|client, model| client.handle_timeout(now, model))
    }
}

/// A payload in a format.
fn body(format: u16, payload: &[u8]) -> impl FnOnce(&mut MessageWriter<'_>) {
    move |writer| {
        writer.content_format(ContentFormat(format)).unwrap();
        writer.payload(payload).unwrap();
    }
}

/// What costs most of its kind: as many options, elements, names, levels, arguments and links as a datagram
/// holds, and the widest questions that there are.
fn expensive(desk: &mut Desk) -> Vec<(&'static str, Vec<u8>)> {
    let options = |number: u16, value: &'static [u8], times: usize| {
        move |writer: &mut MessageWriter<'_>| {
            for _ in 0..times {
                writer.option(OptionNumber(number), value).unwrap();
            }
        }
    };
    let tlv = |element: &[u8], times: usize| element.repeat(times);
    let json = |entry: &str, times: usize| format!("{{\"e\":[{}]}}", vec![entry; times].join(",")).into_bytes();
    let deep = [&b"{\"e\":"[..], &b"[".repeat(1_000)].concat();
    let mut links = Vec::new();
    for _ in 0..120 {
        links.extend_from_slice(b"</3/0>;a,");
    }
    vec![
        ("a Read of an object", desk.request(Code::GET, "/3", nothing)),
        ("a Read of all there is", desk.request(Code::GET, "/", nothing)),
        ("a Discover", desk.request(Code::GET, "/3", |writer| writer.accept(ContentFormat::LINK_FORMAT).unwrap())),
        ("/.well-known/core", desk.request(Code::GET, "/.well-known/core", nothing)),
        ("with a filter", desk.request(Code::GET, "/.well-known/core", options(15, b"href=/3*", 1))),
        ("with sixty filters", desk.request(Code::GET, "/.well-known/core", options(15, b"href=/3*/3*/3*", 60))),
        ("400 segments", desk.request(Code::GET, "/", options(11, b"3", 400))),
        ("1,000 empty segments", desk.request(Code::GET, "/", options(11, b"", 1_000))),
        ("1,000 empty queries", desk.request(Code::PUT, "/3/0/9", options(15, b"", 1_000))),
        ("200 times pmin", desk.request(Code::PUT, "/3/0/9", options(15, b"pmin", 200))),
        ("100 thresholds", desk.request(Code::PUT, "/3/0/9", options(15, b"gt=0.10000000000000000001", 40))),
        ("1,000 options that are not known", desk.request(Code::GET, "/3/0/9", options(2_048, b"", 1_000))),
        ("300 elements of one resource", desk.request(Code::PUT, "/3/0", body(11_542, &tlv(&[0xc1, 14, b'x'], 300)))),
        ("500 elements of no bytes", desk.request(Code::POST, "/3/0", body(11_542, &tlv(&[0xc0, 14], 500)))),
        ("500 instances of no bytes", desk.request(Code::POST, "/3", body(11_542, &tlv(&[0x00, 0], 500)))),
        ("500 multiple resources", desk.request(Code::PUT, "/1/0", body(11_542, &tlv(&[0x80, 11], 500)))),
        ("60 entries of JSON", desk.request(Code::PUT, "/3/0", body(11_543, &json(r#"{"n":"14","sv":"x"}"#, 50)))),
        ("JSON a thousand levels deep", desk.request(Code::PUT, "/3/0", body(11_543, &deep))),
        ("a number of 1,000 digits", desk.request(Code::PUT, "/1/0/1", body(0, &b"9".repeat(1_000)))),
        ("an Execute with 500 arguments", desk.request(Code::POST, "/1/0/8", body(0, &b"0,".repeat(500)))),
        (
            "the first block of a body",
            desk.request(Code::PUT, "/3/0", |writer| {
                writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
                writer.block1(BlockValue::new(0, true, 6).unwrap()).unwrap();
                writer.size1(4_000).unwrap();
                writer.payload(&[0xc1; 1_024]).unwrap();
            }),
        ),
        ("120 links", desk.request(Code::PUT, "/3/0/14", body(40, &links))),
        ("an Observe", desk.request(Code::GET, "/3", |writer| writer.observe(0).unwrap())),
        ("a Write", desk.request(Code::PUT, "/3/0/14", body(0, b"+01:00"))),
        ("a Create", desk.request(Code::POST, "/3", body(11_542, &[0xc1, 14, b'x']))),
        ("a Delete", desk.request(Code::DELETE, "/3/0", nothing)),
        ("no message", b"\x40\x01\x00\x01\xff".to_vec()),
    ]
}

/// So many questions are enough to go through this device once: two objects that a server sees, 16 resources.
const WALK: u32 = 24;

/// The most that one datagram may cost this device.
const MOST: Cost = Cost {
    // What changed is looked for in each observation, and read into each buffer.
    steps: WALK * (Limits::DEVICE.observations + Limits::DEVICE.slots) as u32,
    // A body that begins to arrive has its memory then; a value that is written, where the device keeps it.
    allocations: 2,
    bytes: Limits::DEVICE.body as u64 + 64,
    // The answer, an acknowledgement, an Update because of what changed, notifications.
    datagrams: Limits::DEVICE.slots,
    sent: 512,
};

/// The most that one timer may cost it: notifications, and no memory.
const MOST_OF_TIMERS: Cost = Cost { steps: WALK * Limits::DEVICE.slots as u32, allocations: 0, bytes: 0, ..MOST };

#[test]
fn no_datagram_costs_more_than_it_may() {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    let mut most = Cost::default();
    for (what, datagram) in expensive(&mut desk) {
        for mut bench in [Bench::new(), Bench::observed(true), Bench::observed(false)] {
            let cost = bench.receive(&datagram);
            println!("{what:34} {cost:?}");
            assert!(cost.is_within(&MOST), "{what}: {cost:?}");
            most = most.max(cost);
        }
    }
    println!("{:34} {most:?}", "at most");
    // It was no shadow-boxing.
    assert!(most.steps > 40 && most.sent > 100 && most.bytes > 3_000, "{most:?}");
}

#[test]
fn neither_does_any_that_is_like_them_nor_a_timer() {
    let mut random = Generator::new(Key::from_seed(1));
    let mut desk = Desk::new(Desk::config(1, 86_400));
    let originals = expensive(&mut desk);
    let (mut most, mut most_of_timers, mut served) = (Cost::default(), Cost::default(), 0);
    let mut bench = Bench::new();
    for number in 0..10_000_u32 {
        if number % 200 == 0 {
            bench = if number % 400 == 0 { Bench::new() } else { Bench::observed(number % 800 == 200) };
        }
        let roll = random.next_u64();
        let mut datagram = match roll % 8 {
            // The last message of the client, acknowledged, rejected or answered.
            0 if bench.last.len() > 3 => {
                let mut answer = bench.last.clone();
                answer[0] = if roll & 256 == 0 { 0x60 } else { 0x70 } | answer[0] & 15;
                answer[1] = [0, Code::CHANGED.to_byte(), Code::CREATED.to_byte()][(roll >> 9) as usize % 3];
                answer
            }
            _ => originals[(roll >> 8) as usize % originals.len()].1.clone(),
        };
        // A Message ID of its own, and a few bytes that are others.
        datagram[2..4].copy_from_slice(&(number as u16).to_be_bytes());
        for _ in 0..roll >> 40 & 3 {
            let at = random.next_u64() as usize % datagram.len().min(80);
            datagram[at] = random.next_u64() as u8;
        }
        let cost = bench.receive(&datagram);
        assert!(cost.is_within(&MOST), "{cost:?} for {datagram:02x?}");
        served += u32::from(cost.steps > 0);
        most = most.max(cost);
        bench.now = bench.now + Duration::from_millis(random.next_u64() % 20_000);
        let cost = bench.timeout();
        assert!(cost.is_within(&MOST_OF_TIMERS), "{cost:?} for a timer");
        most_of_timers = most_of_timers.max(cost);
    }
    println!("datagrams {most:?}\ntimers    {most_of_timers:?}");
    assert!(served > 2_500, "{served} reached the model");
    assert!(most.steps >= 2 * WALK && most.datagrams > 1 && most_of_timers.datagrams > 0);
}

/// Ten seconds of a flood in the server's name, a datagram each millisecond: how many came, their bytes, and
/// how many datagrams and bytes the server got for them.
fn flood(bench: &mut Bench, mut datagram: Vec<u8>) -> (usize, usize, usize, usize) {
    let (mut bytes, mut datagrams, mut sent) = (0, 0, 0);
    for number in 0..10_000_u16 {
        datagram[2..4].copy_from_slice(&number.to_be_bytes());
        let cost = bench.receive(&datagram);
        bench.now = bench.now + Duration::from_millis(1);
        (bytes, datagrams, sent) = (bytes + datagram.len(), datagrams + cost.datagrams, sent + cost.sent);
    }
    (10_000, bytes, datagrams, sent)
}

#[test]
fn a_flood_of_rubbish_brings_no_flood() {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    let (per_second, remembered) = (Transmission::default().rejections as usize, Limits::DEVICE.deduplication);
    for (what, datagram, most) in [
        ("no message, confirmable", vec![0x40, 1, 0, 0, 0xff], 11 * per_second),
        ("pings", vec![0x40, 0, 0, 0], 11 * per_second),
        ("confirmable responses to nothing", vec![0x41, 0x45, 0, 0, 9], 11 * per_second),
        ("a code that means nothing", vec![0x40, 0x3f, 0, 0], 11 * per_second),
        ("no message, non-confirmable", vec![0x50, 1, 0, 0, 0xff], 0),
        ("acknowledgements of nothing", vec![0x60, 0, 0, 0], 0),
        ("resets of nothing", vec![0x70, 0, 0, 0], 0),
        ("changes that are refused", desk.request(Code::POST, "/9/0/1", nothing), remembered + 11 * per_second),
    ] {
        let mut bench = Bench::new();
        let (came, bytes, datagrams, sent) = flood(&mut bench, datagram);
        println!("{what:34} {came} of {bytes} bytes: {datagrams} of {sent} bytes");
        assert!(datagrams <= most, "{what}: {datagrams} datagrams, at most {most}");
        assert!(sent <= bytes, "{what}: {sent} bytes for {bytes}");
        assert_eq!(datagrams > 0, most > 0, "{what}");
        // Whoever is meant is heard all the same.
        let read = desk.request(Code::GET, "/3/0/0", nothing);
        assert_eq!(bench.receive(&read).datagrams, 1, "{what}: a Read");
        bench.now = bench.now + secs(250);
        let write = desk.request(Code::PUT, "/3/0/14", body(0, b"+02:00"));
        assert!(bench.receive(&write).datagrams >= 1 && bench.model.inner.changes == 1, "{what}: a Write later");
    }
}

#[test]
fn a_day_of_hostile_traffic_leaves_the_memory_as_it_is() {
    let mut random = Generator::new(Key::from_seed(3));
    let mut desk = Desk::new(Desk::config(1, 86_400));
    let originals = expensive(&mut desk);
    let mut bench = Bench::new();
    let (begin, mut first_hour, mut largest) = (bench.now, 0, 0);
    let mut number = 0_u16;
    while bench.now < begin + secs(86_400) {
        let roll = random.next_u64();
        let mut datagram = originals[(roll >> 8) as usize % originals.len()].1.clone();
        number = number.wrapping_add(1);
        datagram[2..4].copy_from_slice(&number.to_be_bytes());
        for _ in 0..roll >> 40 & 3 {
            let at = random.next_u64() as usize % datagram.len().min(80);
            datagram[at] = random.next_u64() as u8;
        }
        bench.receive(&datagram);
        bench.now = bench.now + Duration::from_millis(random.next_u64() % 20_000);
        bench.timeout();
        if let [_, _, high, low, ..] = *bench.last {
            bench.receive(&[0x60, 0, high, low]);
        }
        let memory = bench.client.memory().total();
        if bench.now < begin + secs(3_600) {
            first_hour = first_hour.max(memory);
        }
        largest = largest.max(memory);
    }
    println!("{first_hour} bytes at most in the first hour, {largest} in a day, {number} datagrams");
    assert!(largest <= first_hour + 512, "{first_hour} bytes in the first hour, {largest} in a day");
}
