//! A plain Read is answered on a way of its own: with what it would be answered on the way of all requests.

mod common;

use coap_codec::{Code, ContentFormat, MessageType, OptionNumber};
use common::{Desk, request};
use lwm2m_core::objects::{Device, Time};
use lwm2m_core::{
    Client, DataModel, DataType, Event, Instant, LegacyFormats, MAX_ID, ObjectDef, Operations, Output, Path, Peer,
    Received, ResourceDef, Rights, object,
};
use proptest::prelude::*;

/// One resource of each type of values.
static PANEL: ObjectDef = ObjectDef::new(
    30_001,
    "Panel",
    &[
        ResourceDef::new(0, "Text", Operations::R, DataType::String),
        ResourceDef::new(1, "Count", Operations::R, DataType::UnsignedInteger),
        ResourceDef::new(2, "Level", Operations::R, DataType::Float),
        ResourceDef::new(3, "Truth", Operations::R, DataType::Boolean),
        ResourceDef::new(4, "Bytes", Operations::R, DataType::Opaque),
        ResourceDef::new(5, "When", Operations::R, DataType::Time),
        ResourceDef::new(6, "Secret", Operations::W, DataType::String),
    ],
);

#[derive(Clone, Debug, Default)]
struct Panel {
    text: String,
    count: u64,
    level: f64,
    truth: bool,
    bytes: Option<Vec<u8>>,
    when: Time,
    secret: Option<String>,
}

object! {
    Panel: PANEL,
    read { 0 => text, 1 => count, 2 => level, 3 => truth, 4 => bytes, 5 => when },
    write { 6 => secret },
}

/// What became of a request: what was said of it, what left, what was told.
fn outcome(
    client: &mut Client,
    peer: Peer,
    datagram: &[u8],
    model: &mut dyn DataModel,
) -> (Received, Vec<Vec<u8>>, Vec<Event>) {
    let received = client.handle_datagram(Instant::from_secs(1_010), peer, datagram, model);
    let mut sent = Vec::new();
    while let Some(output) = client.poll_output() {
        let Output::Transmit { datagram, .. } = output else { panic!("{output:?}") };
        sent.push(datagram.to_vec());
    }
    (received, sent, core::iter::from_fn(|| client.poll_event()).collect())
}

fn models() -> impl Strategy<Value = (Device, Panel)> {
    let texts = (prop::option::of("[a-z]{0,40}"), "\\PC{0,600}");
    let numbers = (prop::option::of(0u8..101), any::<u64>(), any::<f64>(), any::<bool>(), any::<i64>());
    let lists =
        (prop::collection::vec(any::<i32>(), 0..3), prop::option::of(prop::collection::vec(any::<u8>(), 0..40)));
    (texts, numbers, lists).prop_map(|((serial, text), (battery, count, level, truth, when), (voltages, bytes))| {
        let mut device = Device::new("Example Works", "TM-1");
        device.serial_number = serial.map(Into::into);
        device.battery_level = battery;
        device.voltages = voltages.into_iter().collect();
        device.current_time = Some((when >> 1, Instant::ZERO));
        (device, Panel { text, count, level, truth, bytes, when: Time(when), secret: Some("secret".into()) })
    })
}

proptest! {
    #[test]
    fn a_plain_read_is_answered_like_any_other(
        (device, panel) in models(),
        path in prop::sample::select(&[
            "/", "/0", "/0/0", "/0/0/0", "/1", "/1/0", "/1/0/1", "/2", "/2/0/0", "/3", "/3/0", "/3/1", "/3/0/0", "/3/0/2",
            "/3/0/4", "/3/0/7", "/3/0/9", "/3/0/11", "/3/0/13", "/3/0/99", "/3/1/0", "/3/65535", "/3/0/0/0", "/4/0/0", "/a",
            "/30001/0", "/30001/0/0", "/30001/0/1", "/30001/0/2", "/30001/0/3", "/30001/0/4", "/30001/0/5", "/30001/0/6",
        ][..]),
        accept in prop::option::of(prop::sample::select(&[0u16, 40, 42, 60, 1541, 1542, 11542, 11543][..])),
        confirmable in any::<bool>(),
        legacy in prop::sample::select(&[LegacyFormats::Refused, LegacyFormats::Accepted, LegacyFormats::First][..]),
        barred in any::<bool>(),
    ) {
        let mut config = Desk::config(1, 86_400);
        config.legacy_formats = legacy;
        if barred {
            config = config.access(Path::instance(30_001, 0), MAX_ID, &[(1, Rights::WRITE)]);
        }
        let desk = Desk::registered(config);
        let peer = desk.server_peer();
        let mut model = (device, panel);
        let kind = if confirmable { MessageType::Confirmable } else { MessageType::NonConfirmable };
        // An elective option that nobody knows changes nothing, but the way.
        let ask = |more: bool| request(kind, Code::GET, 77, path, |writer| {
            if let Some(accept) = accept {
                writer.accept(ContentFormat(accept)).unwrap();
            }
            if more {
                writer.option(OptionNumber(65_000), b"").unwrap();
            }
        });
        let (mut plain, mut other) = (desk.client.clone(), desk.client);
        for _ in 0..2 {
            let answered = outcome(&mut plain, peer, &ask(false), &mut model);
            prop_assert_eq!(answered, outcome(&mut other, peer, &ask(true), &mut model));
        }
    }
}
