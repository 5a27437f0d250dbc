//! Bootstrap.

use coap_codec::{Code, ContentFormat, MessageType, MessageWriter};
use lwm2m_core::{Credentials, Event};

use crate::REFUSES;
use crate::common::{Desk, Server, nothing, request, secs};
use crate::town::Town;

#[test]
fn the_bootstrap_server_is_asked_once_all_servers_failed_even_out_of_step() {
    for seed in 1..4 {
        let config = Desk::config(seed, 3_600)
            .server(2, "coap://two.example", Credentials::NoSec, 3_600)
            .bootstrap_server("coap://bs.example", Credentials::NoSec);
        // The second fails a day after the first.
        let mut town = Town::new(config, |host| if host.contains("two") { Server::Grants } else { REFUSES });
        town.pass(secs(86_400));
        town.servers = |_| REFUSES;
        town.pass(secs(10 * 86_400));
        let failed = town.moments(|event| matches!(event, Event::RegistrationFailed { server: 2, .. }));
        let bootstraps = town.moments(|event| *event == Event::BootstrapStarted);
        assert_eq!(bootstraps.first(), failed.get(4), "seed {seed}");
        assert!(bootstraps.len() > 1);
    }
}

/// Only failures of all of them make a round: those of one while another was well lengthen no pause.
#[test]
fn a_server_that_failed_alone_does_not_put_off_the_bootstrap_that_all_wait_for() {
    let mut config = Desk::config(1, 3_600)
        .server(2, "coap://two.example", Credentials::NoSec, 3_600)
        .bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.after_failures = 1;
    let mut town = Town::new(config, |host| if host.contains("two") { Server::Grants } else { REFUSES });
    town.pass(secs(86_400));
    town.servers = |_| REFUSES;
    town.pass(secs(3 * 3_600));
    let bootstraps = town.moments(|event| *event == Event::BootstrapStarted);
    assert!(bootstraps.len() > 4, "a minute, two, four, eight: {bootstraps:?}");
}

/// A resource of eight bits of length at most, as TLV.
fn tlv(id: u8, value: &[u8]) -> Vec<u8> {
    let len = value.len() as u8;
    let head = if len < 8 { vec![0xC0 | len, id] } else { vec![0xC8, id, len] };
    [&head, value].concat()
}

/// A client whose server failed, with a bootstrap under way that replaces it by another one.
fn bootstrapped_anew(before: impl FnOnce(&mut Town)) -> Town {
    let mut config = Desk::config(1, 3_600).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.limits.observations = 1;
    config.bootstrap.after_failures = 2;
    let silent_boot = |host: &str| if host.contains("bs.") { Server::Silent } else { Server::Grants };
    let mut town = Town::new(config, silent_boot);
    town.timeout();
    before(&mut town);
    town.servers = |host| if host.contains("bs.") { Server::Silent } else { REFUSES };
    while town.moments(|event| *event == Event::BootstrapStarted).is_empty() {
        town.pass(secs(1));
    }
    town.servers = silent_boot;
    let security = [tlv(0, b"coap://two.example"), tlv(1, &[0]), tlv(2, &[3]), tlv(10, &[2])].concat();
    let server = [tlv(0, &[2]), tlv(1, &[0x0E, 0x10]), tlv(6, &[1]), tlv(7, b"U")].concat();
    let content = |payload: &[u8], writer: &mut MessageWriter<'_>| {
        writer.content_format(ContentFormat(11_542)).unwrap();
        writer.payload(payload).unwrap();
    };
    for command in [
        request(MessageType::Confirmable, Code::DELETE, 1, "/0", nothing),
        request(MessageType::Confirmable, Code::DELETE, 2, "/1", nothing),
        request(MessageType::Confirmable, Code::PUT, 3, "/0/5", |writer| content(&security, writer)),
        request(MessageType::Confirmable, Code::PUT, 4, "/1/5", |writer| content(&server, writer)),
        request(MessageType::Confirmable, Code::POST, 5, "/bs", nothing),
    ] {
        town.tell("bs.", &command);
    }
    assert!(town.client.is_registered(town.now, 2));
    town
}

#[test]
fn an_observation_of_a_server_that_is_gone_makes_room() {
    let observe = |id| request(MessageType::Confirmable, Code::GET, id, "/3/0/9", |writer| writer.observe(0).unwrap());
    let mut town = bootstrapped_anew(|town| town.tell("dm.", &observe(9)));
    assert_eq!(town.moments(|event| matches!(event, Event::Observed { server: 1, .. })).len(), 1);
    town.tell("two.", &observe(19));
    assert_eq!(town.moments(|event| matches!(event, Event::Observed { server: 2, .. })).len(), 1);
}

#[test]
fn a_bootstrap_request_is_not_repeated_after_bootstrap_finish() {
    let mut town = bootstrapped_anew(|_| {});
    let (boot, before) = (town.peer("bs."), town.sent.len());
    town.pass(secs(100));
    assert!(town.sent[before..].iter().all(|(_, peer, _)| *peer != boot));
}
