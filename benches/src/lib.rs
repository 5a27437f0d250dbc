//! The workloads of the benchmarks: eight messages and who reads and writes them, and a registered
//! client.

pub mod contenders;
pub mod messages;

use coap_codec::{Code, Header, Message, MessageType, MessageWriter};
use lwm2m_core::objects::Device;
use lwm2m_core::{Client, Config, Credentials, Instant, Key, Output, Peer, Session};

/// The endpoint name of all workloads.
pub const ENDPOINT: &str = "490154203237518;460001234567890;;1.0";

/// A client that has registered, its device, and the peer that its server is.
///
/// # Panics
/// When the client does not register as it should.
#[must_use]
pub fn registered_client() -> (Client, Device, Peer) {
    let config = Config::new(ENDPOINT, Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 86_400);
    let mut device = Device::new("Example Works", "TM-1");
    device.battery_level = Some(80);
    let mut client = Client::new(config, Instant::ZERO).expect("a valid configuration");
    client.network_up(Instant::ZERO);
    let peer = match client.poll_output() {
        Some(Output::Connect { peer, .. }) => peer,
        other => panic!("a session is asked for first, not {other:?}"),
    };
    client.connected(Instant::ZERO, peer, Session::New, &mut device);
    let answer = match client.poll_output() {
        Some(Output::Transmit { datagram, .. }) => {
            let register = Message::parse(datagram).expect("a well-formed Register");
            let mut buffer = [0; 32];
            let header = Header {
                message_type: MessageType::Acknowledgement,
                code: Code::CREATED,
                message_id: register.message_id(),
            };
            let mut writer = MessageWriter::new(&mut buffer, header, register.token()).expect("room");
            writer.location_path("rd").expect("room");
            writer.location_path("1").expect("room");
            writer.finish().to_vec()
        }
        other => panic!("a Register comes next, not {other:?}"),
    };
    client.handle_datagram(Instant::ZERO, peer, &answer, &mut device);
    assert!(client.is_registered(Instant::ZERO, 1), "registered");
    (client, device, peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_registered() {
        let (client, _, _) = registered_client();
        assert_eq!(client.location(1).count(), 2);
    }
}
