//! Datagrams by hand, and what the device says to them.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]

use core::time::Duration;

use coap_codec::{Code, ContentFormat, Header, MessageId, MessageType, MessageWriter, OptionNumber, Token, WriteError};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Direction, Entry, Sim, What};
use lwm2m_core::{DataModel, Event};

use super::{Sent, happened, registered, secs, sent, server_mut};

/// The hosts of the first server and of the bootstrap server.
pub const DM: &str = "dm.example:5683";
pub const BS: &str = "bs.example:5683";

pub const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A message by hand, for [`Sim::forge`].
pub fn datagram(
    kind: MessageType,
    code: Code,
    id: u16,
    token: &[u8],
    rest: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), WriteError>,
) -> Vec<u8> {
    let mut buffer = [0; 1_500];
    let header = Header { message_type: kind, code, message_id: MessageId(id) };
    let mut writer = MessageWriter::new(&mut buffer, header, Token::new(token).unwrap()).unwrap();
    rest(&mut writer).unwrap();
    writer.finish().to_vec()
}

/// One of header and token alone.
pub fn bare(kind: MessageType, code: Code, id: u16, token: &[u8]) -> Vec<u8> {
    datagram(kind, code, id, token, |_| Ok(()))
}

/// An Empty message: an acknowledgement, a Reset, a ping.
pub fn empty(kind: MessageType, id: u16) -> Vec<u8> {
    bare(kind, Code::EMPTY, id, &[])
}

/// A confirmable request; `payload` is in the format given.
pub fn request(method: Code, path: &str, id: u16, token: &[u8], payload: Option<(ContentFormat, &[u8])>) -> Vec<u8> {
    datagram(MessageType::Confirmable, method, id, token, |writer| {
        path.split('/').filter(|segment| !segment.is_empty()).try_for_each(|segment| writer.uri_path(segment))?;
        let Some((format, payload)) = payload else { return Ok(()) };
        writer.content_format(format)?;
        writer.payload(payload)
    })
}

/// What the device sends because of a datagram that comes to it in a host's name; nobody else hears of
/// it.
#[track_caller]
pub fn said<M: DataModel>(sim: &mut Sim<M>, host: &str, datagram: &[u8]) -> Vec<Vec<u8>> {
    let before = sent(sim).len();
    sim.forge(host, datagram);
    sim.run_for(millis(50));
    let said = sent(sim).split_off(before);
    assert!(said.iter().all(|sent| sent.host == host), "{said:?}\n{}", sim.trace);
    said.into_iter().map(|sent| sent.bytes).collect()
}

/// What was sent to the device so far.
pub fn heard<M: DataModel>(sim: &Sim<M>) -> Vec<Sent> {
    let own = |entry: &Entry| match &entry.what {
        What::Datagram { dir: Direction::ToDevice, host, bytes, .. } => {
            Some(Sent { at: entry.at, host: host.to_string(), bytes: bytes.clone() })
        }
        _ => None,
    };
    sim.trace.entries.iter().filter_map(own).collect()
}

/// All transmissions of a message of the device.
pub fn transmissions<M: DataModel>(sim: &Sim<M>, message: &Sent) -> Vec<Sent> {
    let same = |sent: &Sent| sent.host == message.host && sent.id() == message.id() && sent.kind() == message.kind();
    sent(sim).into_iter().filter(same).collect()
}

/// The requests that the device sent so far, repetitions included.
pub fn own_requests<M: DataModel>(sim: &Sim<M>) -> Vec<Sent> {
    sent(sim).into_iter().filter(|sent| sent.code().is_request()).collect()
}

/// The values of an option, in order.
pub fn values(message: &Sent, number: OptionNumber) -> Vec<Vec<u8>> {
    message.message().values(number).map(<[u8]>::to_vec).collect()
}

/// Where the device sends its Updates and its De-register: `/rd/5a3f`, as it was told last.
#[track_caller]
pub fn location_of<M: DataModel>(sim: &Sim<M>) -> String {
    let mut created = heard(sim).into_iter().rev().filter(|answer| answer.code() == Code::CREATED);
    let path = values(&created.next().expect("a Register's answer"), OptionNumber::LOCATION_PATH);
    path.iter().map(|segment| format!("/{}", String::from_utf8_lossy(segment))).collect()
}

/// The first pause is of 2 to 3 s, and each later one twice as long as the one before it (RFC 7252,
/// section 4.2).
#[track_caller]
pub fn backs_off(transmissions: &[Sent]) {
    let pauses = transmissions.windows(2).map(|pair| pair[1].at.saturating_duration_since(pair[0].at));
    let pauses: Vec<_> = pauses.collect();
    assert!(pauses.first().is_none_or(|first| (secs(2)..=secs(3)).contains(first)), "{pauses:?}");
    assert!(pauses.windows(2).all(|pair| pair[1] == 2 * pair[0]), "{pauses:?}");
}

/// A registered device whose Update is on its way to a server that says nothing.
#[track_caller]
pub fn updating(seed: u64) -> (Sim<Device>, Sent) {
    let mut sim = registered(seed);
    server_mut(&mut sim).go_down();
    sim.update(1).unwrap();
    sim.run_for(millis(1));
    let update = sent(&sim).pop().expect("an Update");
    assert_eq!((update.code(), update.path()), (Code::POST, location_of(&sim)));
    (sim, update)
}

/// What came does not concern the Update on its way: it is sent again as if nothing had come, and
/// takes its answer.
#[track_caller]
pub fn goes_on<M: DataModel>(sim: &mut Sim<M>, update: &Sent) {
    let updated = Event::Updated { server: 1 };
    sim.run_for(secs(3));
    let transmissions = transmissions(sim, update);
    assert_eq!((transmissions.len(), happened(sim, updated)), (2, 0), "{}", sim.trace);
    assert_eq!(transmissions[1].bytes, update.bytes);
    backs_off(&transmissions);
    let answer = bare(MessageType::Acknowledgement, Code::CHANGED, update.id(), &update.token());
    assert_eq!(said(sim, &update.host, &answer), [[0; 0]; 0]);
    assert_eq!(happened(sim, updated), 1, "{}", sim.trace);
}

impl Sent {
    pub fn id(&self) -> u16 {
        self.message().message_id().0
    }

    pub fn kind(&self) -> MessageType {
        self.message().message_type()
    }

    pub fn token(&self) -> Vec<u8> {
        self.message().token().as_bytes().to_vec()
    }
}
