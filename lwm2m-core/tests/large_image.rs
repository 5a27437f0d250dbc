//! A firmware image of 1 MiB arrives in blocks over a network that loses a tenth, and takes no memory:
//! counted by the allocator itself.

mod common;

use coap_codec::{BlockValue, Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, Token};
use common::acknowledge;
use lwm2m_core::objects::Device;
use lwm2m_core::{
    Client, Config, Credentials, Ctx, DataModel, DataType, Instant, Key, Leaf, ObjectDef, Operations, Output, Part,
    Peer, Refusal, ResourceDef, Session, Sink,
};

const IMAGE: usize = 1 << 20;

static FIRMWARE: ObjectDef = ObjectDef::new(
    5,
    "Firmware Update",
    &[ResourceDef::new(0, "Package", Operations::W, DataType::Opaque).mandatory()],
);

/// The byte of the image that stands there.
fn byte(at: usize) -> u8 {
    (at ^ (at >> 8) ^ (at >> 16)).wrapping_mul(167) as u8
}

/// Flash memory: it compares what comes with what should, and keeps nothing.
struct Flash {
    written: usize,
    complete: bool,
}

impl DataModel for Flash {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < 5).then_some(&FIRMWARE)
    }

    fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
        after.is_none().then_some(0)
    }

    fn next_resource(&self, _: u16, _: u16, after: Option<u16>) -> Option<u16> {
        after.is_none().then_some(0)
    }

    fn read(&self, _: &Ctx, _: Leaf, _: &mut dyn Sink) -> Result<(), Refusal> {
        Err(Refusal::Code(Code::METHOD_NOT_ALLOWED))
    }

    fn stream(&mut self, _: &Ctx, _: Leaf, part: Part<'_>) -> Result<(), Refusal> {
        assert_eq!(part.offset, self.written as u64, "in order, without a gap, and each part once");
        assert!(part.bytes.iter().zip(self.written..).all(|(got, at)| *got == byte(at)));
        self.written += part.bytes.len();
        self.complete |= part.last;
        Ok(())
    }
}

/// A lossy network, and a server of a few lines that repeats what nobody answered.
struct Bench {
    client: Client,
    model: (Device, Flash),
    peer: Peer,
    now: Instant,
    chance: u32,
    answer: [u8; 64],
    answered: usize,
}

impl Bench {
    fn registered() -> Self {
        let config =
            Config::new("node-7", Key::from_seed(7)).server(1, "coap://dm.example", Credentials::NoSec, 1 << 20);
        let model = (Device::new("Example Works", "TM-1"), Flash { written: 0, complete: false });
        let now = Instant::from_secs(1);
        let client = Client::new(config, now).unwrap();
        let (peer, answer) = (Peer(u16::MAX), [0; 64]);
        let mut bench = Self { client, model, peer, now, chance: 1, answer, answered: 0 };
        bench.client.network_up(now);
        let Some(Output::Connect { peer, .. }) = bench.client.poll_output() else { panic!() };
        bench.peer = peer;
        bench.client.connected(now, peer, Session::New, &mut bench.model);
        let Some(Output::Transmit { datagram, .. }) = bench.client.poll_output() else { panic!() };
        let created = acknowledge(datagram, Code::CREATED);
        bench.client.handle_datagram(now, peer, &created, &mut bench.model);
        assert!(bench.client.is_registered(now, 1));
        while bench.client.poll_event().is_some() {}
        bench.client.reserve();
        bench
    }

    /// One datagram in ten.
    fn is_lost(&mut self) -> bool {
        self.chance = self.chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.chance >> 16 < 6_554
    }

    /// Sends a datagram until it is answered: how often it was sent.
    fn exchange(&mut self, datagram: &[u8]) -> u32 {
        for sent in 1..100 {
            self.now = self.now + core::time::Duration::from_millis(100);
            if self.client.poll_timeout().is_some_and(|deadline| deadline <= self.now) {
                self.client.handle_timeout(self.now, &mut self.model);
            }
            if !self.is_lost() {
                self.client.handle_datagram(self.now, self.peer, datagram, &mut self.model);
            }
            let mut arrived = false;
            while let Some(output) = self.client.poll_output() {
                if let Output::Transmit { datagram, .. } = output {
                    self.answer[..datagram.len()].copy_from_slice(datagram);
                    self.answered = datagram.len();
                    arrived = true;
                }
            }
            while self.client.poll_event().is_some() {}
            if arrived && !self.is_lost() {
                return sent;
            }
            self.now = self.now + core::time::Duration::from_secs(2);
        }
        panic!("never answered");
    }

    /// Writes the image in blocks of 2^(szx + 4) bytes: how many datagrams that took.
    fn write_image(&mut self, szx: u8, first_id: u16) -> u32 {
        let size = 16 << szx;
        let (mut datagram, mut payload, mut sent) = ([0; 1_200], [0; 1_024], 0);
        for (num, offset) in (0..IMAGE).step_by(size).enumerate() {
            let block = BlockValue::new(num as u32, offset + size < IMAGE, szx).unwrap();
            let message_id = MessageId(first_id.wrapping_add(num as u16));
            let header = Header { message_type: MessageType::Confirmable, code: Code::PUT, message_id };
            let token = Token::new(&(num as u32).to_be_bytes()).unwrap();
            let mut writer = MessageWriter::new(&mut datagram, header, token).unwrap();
            ["5", "0", "0"].iter().for_each(|segment| writer.uri_path(segment).unwrap());
            writer.content_format(ContentFormat::OCTET_STREAM).unwrap();
            writer.block1(block).unwrap();
            payload.iter_mut().zip(offset..).take(size).for_each(|(place, at)| *place = byte(at));
            writer.payload(&payload[..size]).unwrap();
            sent += self.exchange(writer.finish());
            let answer = Message::parse(&self.answer[..self.answered]).unwrap();
            assert_eq!(answer.token(), token);
            assert_eq!(answer.code(), if block.more() { Code::CONTINUE } else { Code::CHANGED }, "{block}");
        }
        sent
    }
}

#[test]
fn xk_18_an_image_of_1_mib_arrives_intact_and_memory_is_bounded() {
    let mut bench = Bench::registered();
    for (szx, first_id) in [(6, 0), (0, 5_000)] {
        bench.model.1 = Flash { written: 0, complete: false };
        let memory = bench.client.memory();
        let mut sent = 0;
        let heap = allocation_counter::measure(|| sent = bench.write_image(szx, first_id));
        assert_eq!((bench.model.1.written, bench.model.1.complete), (IMAGE, true));
        let blocks = (IMAGE >> (szx + 4)) as u32;
        println!(
            "  blocks of {:>4} bytes: {blocks} blocks in {sent} datagrams, {} B of heap above idle at most, {} allocations",
            16 << szx,
            heap.bytes_max,
            heap.count_total,
        );
        assert!(sent > blocks + blocks / 8, "a tenth of the datagrams and of the answers was lost");
        assert_eq!((heap.bytes_max, heap.count_total), (0, 0), "a streamed body takes no memory");
        assert_eq!(bench.client.memory(), memory);
    }
}
