//! Keys are never printed: not with the client, the configuration or what is lent of them, nor in a log.

mod common;

use coap_codec::{BlockValue, Code, ContentFormat};
use common::Desk;
use lwm2m_core::{Config, Credentials, Key, Output};

/// What no text may have in it, in whatever base.
const SECRET: [u8; 32] = *b"Z\xFE\xDC\xBA\x98\x76\x54\x32\x10Zsecret-of-the-factory!";
const WRITTEN: [u8; 32] = *b"Q\xF1\xE2\xD3\xC4\xB5\xA6\x97\x88Qsecret-of-the-platform";

#[track_caller]
fn is_silent(text: &str) {
    for key in [SECRET, WRITTEN] {
        let decimal = format!("{}, {}, {}", key[1], key[2], key[3]);
        let hex = format!("{:02x}{:02x}{:02x}", key[1], key[2], key[3]);
        let apart = format!("{:x}, {:x}, {:x}", key[1], key[2], key[3]);
        // The last is `secret`.
        for trace in [&decimal, &hex, &apart, "secret-of", "115, 101, 99, 114, 101, 116"] {
            assert!(!text.to_lowercase().contains(trace), "{trace} in {text}");
        }
    }
}

/// An account over DTLS, as a bootstrap server writes it to `/0/1`.
fn account() -> Vec<u8> {
    let uri = b"coaps://dm.example";
    let mut tlv = vec![0xC8, 0, uri.len() as u8];
    tlv.extend_from_slice(uri);
    tlv.extend_from_slice(&[0xC1, 1, 0, 0xC1, 2, 0, 0xC2, 3, b'm', b'e', 0xC8, 5, WRITTEN.len() as u8]);
    tlv.extend_from_slice(&WRITTEN);
    tlv.extend_from_slice(&[0xC1, 10, 1]);
    tlv
}

/// A client in the middle of a bootstrap, in which a key came block by block.
fn bootstrapping() -> Desk {
    let psk = Credentials::Psk { identity: b"me".to_vec(), key: SECRET.to_vec() };
    let config = Config::new(common::ENDPOINT, Key(*b"Zsecret-of-coins")).bootstrap_server("coaps://bs.example", psk);
    is_silent(&format!("{config:?} {config:#?}"));
    let mut desk = Desk::new(config);
    desk.client.network_up(desk.now);
    desk.drain();
    let account = account();
    let blocks = account.chunks(32).count();
    for (number, part) in (0..).zip(account.chunks(32)) {
        let more = usize::try_from(number).unwrap() + 1 < blocks;
        let answer = desk.ask(Code::PUT, "/0/1", |writer| {
            writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
            writer.block1(BlockValue::new(number, more, 1).unwrap()).unwrap();
            writer.payload(part).unwrap();
        });
        assert_eq!(answer[1], if more { Code::CONTINUE } else { Code::CHANGED }.to_byte());
        is_silent(&format!("{:?} {:#?} {:?}", desk.client, desk.client, desk.events));
    }
    desk
}

#[test]
fn what_is_printed_has_no_key_in_it() {
    let mut desk = bootstrapping();
    let answer = desk.ask(Code::PUT, "/1/0", |writer| {
        writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
        writer.payload(&[0xC1, 0, 1, 0xC2, 1, 0x0E, 0x10, 0xC1, 6, 0, 0xC1, 7, b'U']).unwrap();
    });
    assert_eq!(answer[1], Code::CHANGED.to_byte());
    let finish = desk.request(Code::POST, "/bs", common::nothing);
    let peer = desk.server_peer();
    desk.client.handle_datagram(desk.now, peer, &finish, &mut desk.model);
    let mut asked = String::new();
    while let Some(output) = desk.client.poll_output() {
        asked += &format!("{output:?}");
        if let Output::Connect { security, .. } = output {
            assert!(matches!(security, lwm2m_core::Security::Psk { key, .. } if key == WRITTEN), "the key is there");
        }
    }
    assert!(asked.contains("dm.example"), "{asked}");
    is_silent(&asked);
    is_silent(&format!("{:?}", desk.client));
}

#[test]
fn a_request_that_waits_is_not_printed() {
    let mut desk = Desk::registered(Desk::config(1, 3_600));
    desk.model.refuse = Some(lwm2m_core::Refusal::Later);
    let request = desk.request(Code::POST, "/3/0/4", |writer| writer.payload(b"0='secret'").unwrap());
    desk.receive(&request);
    assert_eq!(desk.client.usage().deferred, 1);
    is_silent(&format!("{:?}", desk.client));
}

#[cfg(feature = "log")]
#[test]
fn what_is_logged_has_no_key_in_it() {
    use std::sync::Mutex;

    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Logger;

    impl log::Log for Logger {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            LINES.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
        }

        fn flush(&self) {}
    }

    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    bootstrapping();
    let lines = LINES.lock().unwrap().join("\n");
    assert!(lines.contains("INFO BootstrapStarted") && lines.contains("Written"), "{lines}");
    is_silent(&lines);
}
