//! Servers for tests.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use coap_codec::{Code, Header, Message, MessageType, MessageWriter, OptionNumber};
use tokio::sync::mpsc;

/// The key of the identity `terminal`.
pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff";

/// Requests that a server took, as method and path.
pub(crate) type Log = mpsc::UnboundedReceiver<String>;

/// A server's answer to a request, and what was asked.
pub(crate) fn answer(datagram: &[u8]) -> Option<(Vec<u8>, String)> {
    let request = Message::parse(datagram).ok().filter(|message| message.code().is_request())?;
    let path: String = request.uri_path().text().flatten().map(|segment| format!("/{segment}")).collect();
    let code = match request.code() {
        Code::POST if path == "/rd" => Code::CREATED,
        Code::DELETE => Code::DELETED,
        _ => Code::CHANGED,
    };
    let mut buffer = [0; 64];
    let header = Header { message_type: MessageType::Acknowledgement, code, message_id: request.message_id() };
    let mut writer = MessageWriter::new(&mut buffer, header, request.token()).ok()?;
    if code == Code::CREATED {
        writer.option(OptionNumber::LOCATION_PATH, b"rd").ok()?;
        writer.option(OptionNumber::LOCATION_PATH, b"7").ok()?;
    }
    Some((writer.finish().to_vec(), format!("{} {path}", request.code().name().unwrap_or_default())))
}

/// OpenSSL's server, and a thread that answers what it deciphers.
pub(crate) struct Peer(Child);

impl Peer {
    /// Nothing where it is not installed.
    pub(crate) fn start() -> Option<(Self, String, Log)> {
        let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("openssl")
            .args(["s_server", "-dtls1_2", "-accept", &format!("127.0.0.1:{port}"), "-nocert", "-quiet"])
            .args(["-psk_identity", "terminal", "-psk", KEY, "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let (mut input, mut output) = (child.stdin.take()?, child.stdout.take()?);
        let (log, asked) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1_500];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if let Some((bytes, request)) = answer(&buffer[..length]) {
                    let _ = log.send(request);
                    let _ = input.write_all(&bytes).and_then(|()| input.flush());
                }
            }
        });
        Some((Self(child), format!("coaps://127.0.0.1:{port}"), asked))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
