//! The workloads of the benchmarks: messages as a DM terminal sees them, and a registered client.

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, Token, WriteError};
use lwm2m_core::objects::Device;
use lwm2m_core::{Client, Config, Credentials, Instant, Key, Output, Peer, Session};

/// The endpoint name of all workloads.
pub const ENDPOINT: &str = "490154203237518;460001234567890;;1.0";

/// Writes a Register of some 110 bytes.
///
/// # Errors
/// When `buffer` is too short.
pub fn write_register(buffer: &mut [u8]) -> Result<&[u8], WriteError> {
    let header = Header { message_type: MessageType::Confirmable, code: Code::POST, message_id: MessageId(0x1234) };
    let token = Token::new(&[1, 2, 3, 4, 5, 6, 7, 8]).unwrap_or(Token::EMPTY);
    let mut writer = MessageWriter::new(buffer, header, token)?;
    writer.uri_path("rd")?;
    writer.content_format(coap_codec::ContentFormat::LINK_FORMAT)?;
    writer.uri_query("ep=490154203237518;460001234567890;;1.0")?;
    writer.uri_query("lt=86400")?;
    writer.uri_query("lwm2m=1.0")?;
    writer.uri_query("b=U")?;
    writer.payload(b"</1/0>,</3/0>,</4/0>,</5/0>")?;
    Ok(writer.finish())
}

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
    fn the_workloads_work() {
        let mut buffer = [0; 256];
        let register = write_register(&mut buffer).expect("it fits");
        assert_eq!(Message::parse(register).expect("it parses").uri_query().count(), 4);
        let (client, _, _) = registered_client();
        assert_eq!(client.location(1).count(), 2);
    }
}
