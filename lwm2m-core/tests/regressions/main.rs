//! What once went wrong, and must not again.

#[path = "../common/mod.rs"]
mod common;

mod bootstrap;
mod deadlines;
mod leaving;
mod observations;
mod repetitions;
mod sessions;
mod sleep;
mod terms;
mod town;
mod updates;

use coap_codec::{Code, ContentFormat, Header, MessageId, MessageType, MessageWriter, Token};
use common::{BATTERY, Desk, Model, Server, nothing};
use lwm2m_core::{Ctx, DataModel, Event, Leaf, Leave, ObjectDef, Refusal, Sink};

#[track_caller]
fn disabling() -> Desk {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.write("/1/0/5", "10");
    desk.server = Server::Silent;
    desk.ask(Code::POST, "/1/0/4", nothing);
    assert_eq!(desk.moments(0, Code::DELETE), [desk.now]);
    desk.server = Server::Grants;
    desk.events.clear();
    desk
}

/// A De-register is on its way, for flight mode, and nobody answers.
#[track_caller]
fn leaving() -> Desk {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    assert_eq!(desk.moments(0, Code::DELETE), [desk.now]);
    desk.server = Server::Grants;
    desk.events.clear();
    desk
}

/// An Observe of the battery level, or its end, always with the same token.
fn observe(id: u16, value: u32, accept: Option<ContentFormat>) -> Vec<u8> {
    let mut buffer = [0; 64];
    let header = Header { message_type: MessageType::Confirmable, code: Code::GET, message_id: MessageId(id) };
    let mut writer = MessageWriter::new(&mut buffer, header, Token::new(b"tok").unwrap()).unwrap();
    writer.observe(value).unwrap();
    ["3", "0", "9"].iter().for_each(|segment| writer.uri_path(segment).unwrap());
    if let Some(format) = accept {
        writer.accept(format).unwrap();
    }
    writer.finish().to_vec()
}

const REFUSES: Server = Server::Refuses(Code::FORBIDDEN);
const CANCELLED: Event = Event::ObservationCancelled { server: 1, path: BATTERY };
const MAY_FLY: Event = Event::MayProceed(Leave::FlightMode);

/// A device with so many instances of the Device object.
struct Crowd(Model, u16);

impl DataModel for Crowd {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        self.0.next_object(after)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        let next = after.map_or(0, |after| after + 1);
        if object == 3 { (next < self.1).then_some(next) } else { self.0.next_instance(object, after) }
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.0.next_resource(object, instance, after)
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.0.read(ctx, at, out)
    }
}
