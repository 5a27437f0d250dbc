//! What a server asks in the middle of it all, about whatever objects the device has.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use coap_codec::{Code, ContentFormat, Header, MessageId, MessageType, MessageWriter, OptionNumber, Token};

use super::targets::{Target, resources};
use super::{Fault, Kind};
use crate::base::path::Path;
use crate::base::rng::{Generator, Key};
use crate::base::value::DataType;
use crate::model::DataModel;
use crate::sim::platform::{Ask, DmServer, WriteMode};

/// The Server object: what the client itself has, and the model does not.
const SERVER: u16 = 1;

/// Numbers out of a fault's one.
pub(super) struct Dice(Generator);

impl Dice {
    pub(super) fn of(fault: &Fault) -> Self {
        Self(Generator::new(Key::from_seed(fault.amount)))
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit.max(1)
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        among.get(self.below(among.len() as u64) as usize).copied()
    }
}

/// A path that is there, mostly: a resource, an instance, an object.
fn path(model: &dyn DataModel, dice: &mut Dice) -> Path {
    let all = resources(model);
    let Some(target) = all.get(dice.below(all.len() as u64) as usize) else { return Path::object(SERVER) };
    let (object, instance) = (target.path.object_id().unwrap_or(SERVER), target.path.instance_id().unwrap_or(0));
    match dice.below(10) {
        0..=5 => target.path,
        6 => Path::instance(object, instance),
        7 => Path::object(object),
        8 => Path::instance(SERVER, 0),
        _ => Path::resource(object, instance.wrapping_add(1), 60_000),
    }
}

/// Has a server ask something.
pub(super) fn ask(fault: &Fault, server: &mut DmServer, model: &dyn DataModel) {
    let mut dice = Dice::of(fault);
    // The account of this server, which is mostly the first.
    let own = |resource| Path::resource(SERVER, 0, resource);
    match fault.kind {
        Kind::Read => {
            server.block_size = dice.pick(&[None, None, Some(16), Some(64), Some(1_024)]).flatten();
            let accept = dice.pick(&[None, None, Some(ContentFormat::LWM2M_TLV), Some(ContentFormat::TEXT_PLAIN)]);
            server.read(path(model, &mut dice), accept.flatten());
        }
        Kind::Discover => drop(server.discover(path(model, &mut dice))),
        Kind::Observe => drop(server.observe(path(model, &mut dice), None)),
        Kind::Cancel => {
            let known = server.observations();
            let chosen = known.get(dice.below(known.len() as u64) as usize).map(|known| known.operation);
            match (chosen, dice.below(2)) {
                (Some(chosen), 0) => drop(server.cancel(chosen)),
                (Some(chosen), _) => server.forget(chosen),
                (None, _) => {}
            }
        }
        Kind::Write => {
            let all = resources(model);
            let writable: Vec<_> = all.iter().filter(|target| target.definition.operations.writable()).collect();
            if let Some(target) = writable.get(dice.below(writable.len() as u64) as usize) {
                let payload = target.text(&mut |limit| dice.below(limit));
                server.write(target.path, ContentFormat::TEXT_PLAIN, payload.as_bytes(), WriteMode::Replace);
            }
        }
        Kind::WriteAttributes => {
            let (least, most) = (dice.below(30), dice.below(3_600));
            let query = match dice.below(4) {
                0 => Vec::from([format!("pmin={least}")]),
                1 => Vec::from([format!("pmin={least}"), format!("pmax={}", least + most)]),
                2 => Vec::from(["gt=50".to_string(), "lt=20".to_string(), "st=5".to_string()]),
                _ => Vec::from(["pmin".to_string(), "pmax".to_string()]),
            };
            let path = path(model, &mut dice).to_string();
            server.request(Ask { query, ..Ask::new(Code::PUT, &path) });
        }
        Kind::Upload => {
            let all = resources(model);
            let writable: Vec<_> = all.iter().filter(|target| target.definition.operations.writable()).collect();
            if let Some(target) = dice.pick(&writable) {
                let size = dice.pick(&[16, 64, 256]).unwrap_or(16);
                let payload: String =
                    (0..17 + dice.below(600)).map(|_| char::from(b'0' + dice.below(10) as u8)).collect();
                let ask = Ask {
                    format: Some(ContentFormat::TEXT_PLAIN),
                    payload: payload.into(),
                    block_size: Some(size),
                    ..put(target)
                };
                server.request(ask);
            }
        }
        Kind::Image => {
            let all = resources(model);
            let is_image = |target: &&Target| {
                target.definition.operations.writable() && target.definition.data_type == DataType::Opaque
            };
            if let Some(target) = all.iter().find(is_image) {
                let size = dice.pick(&[64, 256, 1_024]).unwrap_or(64);
                let payload = (0..1 + dice.below(6_000)).map(|_| dice.below(256) as u8).collect();
                server.request(Ask {
                    format: Some(ContentFormat::OCTET_STREAM),
                    payload,
                    block_size: Some(size),
                    ..put(target)
                });
            }
        }
        Kind::Abandoned => {
            let all = resources(model);
            let writable: Vec<_> = all.iter().filter(|target| target.definition.operations.writable()).collect();
            if let Some(target) = dice.pick(&writable) {
                let opaque = target.definition.data_type == DataType::Opaque;
                let format = if opaque { ContentFormat::OCTET_STREAM } else { ContentFormat::TEXT_PLAIN };
                let mut number = dice.below(2) as u8;
                for _ in 0..1 + dice.below(4) {
                    // M is set, and a block has 16 bytes.
                    let options = Vec::from([(OptionNumber::BLOCK1.0, Vec::from([number << 4 | 8]))]);
                    let payload = Vec::from([b'7'; 16]);
                    server.request(Ask { format: Some(format), payload, options, ..put(target) });
                    number = (number + 1 + (dice.below(8) / 7) as u8) % 16;
                }
            }
        }
        Kind::Execute => {
            let all = resources(model);
            let executable: Vec<_> = all.iter().filter(|target| target.definition.operations.executable()).collect();
            if let Some(target) = executable.get(dice.below(executable.len() as u64) as usize) {
                server.execute(target.path, dice.pick(&["", "0", "1='x'"]).unwrap_or_default());
            }
        }
        Kind::Lifetime => {
            server.lifetime = dice.pick(&[120, 600, 900, 3_600, 7_200]).unwrap_or(600);
            let text = server.lifetime.to_string();
            server.write(own(1), ContentFormat::TEXT_PLAIN, text.as_bytes(), WriteMode::Replace);
        }
        Kind::Disable => drop(server.execute(own(4), "")),
        Kind::Trigger => drop(server.execute(own(8), "")),
        Kind::CreateDelete => {
            let path = path(model, &mut dice);
            let (object, instance) = (path.object_id().unwrap_or(SERVER), path.instance_id().unwrap_or(0));
            match dice.below(2) {
                0 => server.create(Path::object(object), ContentFormat::LWM2M_TLV, &[]),
                _ => server.delete(Path::instance(object, instance)),
            };
        }
        _ => {}
    }
}

fn put(target: &Target) -> Ask {
    Ask::new(Code::PUT, &target.path.to_string())
}

/// A request for a multicast address: mostly one that may be.
pub(super) fn by_multicast(fault: &Fault, model: &dyn DataModel) -> Vec<u8> {
    let mut dice = Dice::of(fault);
    let code = dice.pick(&[Code::GET, Code::GET, Code::GET, Code::PUT, Code::POST]).unwrap_or(Code::GET);
    let message_type = if dice.below(8) == 0 { MessageType::Confirmable } else { MessageType::NonConfirmable };
    let message_id = MessageId(dice.below(65_536) as u16);
    let token = Token::new(&fault.amount.to_be_bytes()).unwrap_or(Token::EMPTY);
    let path = path(model, &mut dice).to_string();
    let mut buffer = [0; 256];
    let mut write = || {
        let mut writer = MessageWriter::new(&mut buffer, Header { message_type, code, message_id }, token).ok()?;
        if dice.below(8) == 0 {
            writer.observe(0).ok()?;
        }
        path.split('/').filter(|segment| !segment.is_empty()).try_for_each(|segment| writer.uri_path(segment)).ok()?;
        if code == Code::GET && dice.below(2) == 0 {
            writer.accept(ContentFormat::LINK_FORMAT).ok()?;
        }
        Some(writer.finish().to_vec())
    };
    write().unwrap_or_default()
}

/// Bytes that nobody should send.
pub(super) fn rubbish(fault: &Fault) -> Vec<u8> {
    let mut dice = Dice::of(fault);
    let id = (dice.below(65_536) as u16).to_be_bytes();
    let mut bytes = Vec::new();
    match dice.below(8) {
        // Any bytes at all.
        0 => bytes.extend((0..dice.below(40)).map(|_| dice.below(256) as u8)),
        // A ping, a Reset, an acknowledgement of nothing, an Empty message with a token.
        1 => bytes.extend([0x40, 0, id[0], id[1]]),
        2 => bytes.extend([0x70, 0, id[0], id[1]]),
        3 => bytes.extend([0x60, 0, id[0], id[1]]),
        4 => bytes.extend([0x41, 0, id[0], id[1], 7]),
        // Responses that nobody awaits.
        5 => bytes.extend([0x44, 0x45, id[0], id[1], 1, 2, 3, 4, 0xff, b'x']),
        6 => bytes.extend([0x54, 0x44, id[0], id[1], 1, 2, 3, 4]),
        // A request with an option that nobody knows and everybody must.
        _ => bytes.extend([0x40, 1, id[0], id[1], 0xb1, b'3', 0xd1, 0x36, 0]),
    }
    bytes
}
