//! The task against servers on loopback: those that answer here, and OpenSSL's with a session around it.

mod peer;
mod server;
mod sessions;

use std::future::Future;
use std::time::Duration;

use coap_codec::{Code, ContentFormat, Header, MessageId, MessageType, MessageWriter, Token};
use endpoint_name::EndpointName;
use lwm2m_core::objects::Device;
use lwm2m_core::{Config, Credentials, Event, Key, Path, Reason};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;

use self::peer::{Peer, answer};
use crate::terminal::{self, Events, Handle};

fn config(uri: &str, credentials: Credentials, lifetime: u32) -> Config {
    let name = EndpointName::parse("490154203237518;460001234567890;;1.0").unwrap();
    Config::dm(name, Key::from_seed(1)).server(1, uri, credentials, lifetime)
}

fn start(uri: &str, credentials: Credentials) -> (Handle<Device>, Events) {
    terminal::spawn(config(uri, credentials, 86_400), Device::new("Example Works", "TM-1")).unwrap()
}

/// Those that the servers know.
fn credentials() -> Credentials {
    Credentials::Psk { identity: b"terminal".into(), key: (0..16).map(|digit| digit * 0x11).collect() }
}

/// Fails rather than waits for ever.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it comes soon")
}

async fn next(events: &mut Events) -> Event {
    soon(events.next()).await.expect("news")
}

/// Waits for a Register to be accepted.
async fn registered(events: &mut Events) {
    let wanted = Event::Registered { server: 1, lifetime: 86_400 };
    while next(events).await != wanted {}
}

#[tokio::test]
async fn it_registers_flies_moves_and_leaves() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("coap://127.0.0.1:{}", socket.local_addr().unwrap().port());
    let (log, mut asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if let Some((bytes, request)) = answer(&buffer[..length]) {
                let _ = log.send(format!("{request} from {}", from.port()));
                socket.send_to(&bytes, from).await.unwrap();
            }
        }
    });
    let mut request = async || soon(asked.recv()).await.unwrap();
    let (terminal, mut events) = start(&uri, Credentials::NoSec);
    registered(&mut events).await;
    let first = request().await;
    assert!(first.starts_with("POST /rd from "), "{first}");

    terminal.set(Path::resource(3, 0, 9), |device| device.battery_level = Some(42)).await;
    soon(terminal.flight_mode(true)).await;
    assert!(request().await.starts_with("DELETE /rd/7"));
    terminal.flight_mode(false).await;
    assert!(request().await.starts_with("POST /rd from"));
    registered(&mut events).await;
    let before = request_port(&first);

    // Another socket, and the server is told.
    soon(terminal.address_changed()).await;
    let moved = request().await;
    assert!(moved.starts_with("POST /rd from") && request_port(&moved) != before, "{moved}");
    registered(&mut events).await;
    soon(terminal.shutdown()).await;
    assert!(request().await.starts_with("DELETE /rd/7"));
    let rest: Vec<_> = soon(events.collect()).await;
    assert!(rest.iter().any(|event| matches!(event, Event::Deregistered { unconfirmed: None, .. })), "{rest:?}");
    soon(terminal.notify(Path::ROOT)).await;
}

fn request_port(request: &str) -> &str {
    request.rsplit(' ').next().unwrap_or_default()
}

#[tokio::test]
async fn a_name_that_nobody_has_is_one_clear_event() {
    let (terminal, mut events) = start("coap://nobody.invalid", Credentials::NoSec);
    let failed = Event::RegistrationFailed { server: 1, reason: Reason::Unreachable };
    assert_eq!(next(&mut events).await, failed);
    soon(terminal.shutdown()).await;
}

#[tokio::test]
async fn with_openssl_a_session_is_made_renewed_and_ended() {
    let Some((_peer, uri, mut asked)) = Peer::start() else { return };
    let mut request = async || soon(asked.recv()).await.unwrap();
    let (terminal, mut events) = start(&uri, credentials());
    registered(&mut events).await;
    assert_eq!(request().await, "POST /rd");

    // A new session, which the server does not know: the terminal registers with it anew.
    terminal.address_changed().await;
    assert_eq!(request().await, "POST /rd");
    registered(&mut events).await;
    soon(terminal.flight_mode(true)).await;
    assert_eq!(request().await, "DELETE /rd/7");
    // Without its goodbye, OpenSSL would still wait for more of the old session, and not for a new one.
    terminal.flight_mode(false).await;
    assert_eq!(request().await, "POST /rd");
    registered(&mut events).await;
    soon(terminal.shutdown()).await;
    assert_eq!(request().await, "DELETE /rd/7");
}

/// A bootstrap server that writes an account with these resources into Security.
async fn bootstrap(socket: UdpSocket, security: Vec<u8>) {
    let server = b"\xc1\x00\x65\xc4\x01\x00\x01\x51\x80\xc1\x06\x01\xc1\x07U".to_vec();
    let requests = [(Code::PUT, "/0/1", security), (Code::PUT, "/1/0", server), (Code::POST, "/bs", Vec::new())];
    let mut requests = requests.into_iter().zip(1u16..);
    let mut buffer = [0; 1_500];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        if let Some((bytes, _)) = answer(&buffer[..length]) {
            socket.send_to(&bytes, from).await.unwrap();
        }
        let Some(((code, path, payload), number)) = requests.next() else { return };
        let header = Header { message_type: MessageType::Confirmable, code, message_id: MessageId(number) };
        let mut room = [0; 256];
        let mut writer = MessageWriter::new(&mut room, header, Token::EMPTY).unwrap();
        writer.path(path).unwrap();
        if !payload.is_empty() {
            writer.content_format(ContentFormat(11_542)).unwrap();
            writer.payload(&payload).unwrap();
        }
        socket.send_to(writer.finish(), from).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_a_bootstrap_wrote_opens_a_session() {
    let key: Vec<u8> = (0..16).map(|digit| digit * 0x11).collect();
    let Some((_peer, uri, mut asked)) = Peer::start() else { return };
    let resource = |number, value: &[u8]| [&[0xc8, number, value.len() as u8], value].concat();
    let plain = b"\xc1\x01\x00\xc1\x02\x00\xc1\x0a\x65";
    let security = [&resource(0, uri.as_bytes()), &plain[..], &resource(3, b"terminal"), &resource(5, &key)].concat();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let name = EndpointName::parse("490154203237518;460001234567890;;1.0").unwrap();
    let uri = format!("coap://127.0.0.1:{}", socket.local_addr().unwrap().port());
    tokio::spawn(bootstrap(socket, security));
    let config = Config::dm(name, Key::from_seed(1)).bootstrap_server(&uri, Credentials::NoSec);
    let (terminal, mut events) = terminal::spawn(config, Device::new("Example Works", "TM-1")).unwrap();
    assert_eq!(soon(asked.recv()).await.unwrap(), "POST /rd");
    while next(&mut events).await != (Event::Registered { server: 101, lifetime: 86_400 }) {}
    soon(terminal.shutdown()).await;
}
