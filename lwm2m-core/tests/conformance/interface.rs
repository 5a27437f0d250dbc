//! DM terminal specification 6: the interface between terminal and platform.

use coap_codec::{Code, ContentFormat, Message, MessageType};
use lwm2m_core::sim::{Order, Sim, Status, What};
use lwm2m_core::{Credentials, Event};

use crate::terminal::*;

/// The simulated platform reads with the same codec as the device, and would not see a mistake of
/// the codec; a decoder that shares nothing with it does.
#[test]
fn dm_6_a_every_datagram_of_a_life_is_coap_to_a_second_decoder() {
    for seed in 0..10 {
        let mut sim = registered(seed);
        sim.run_for(DAY);
        sim.shutdown();
        sim.run_for(secs(1));
        let connected = sim.trace.entries.iter().filter_map(|entry| match &entry.what {
            What::Order(Order::Connect { uri, .. }) => Some(uri.as_str()),
            _ => None,
        });
        // Plain coap is UDP (RFC 7252, section 6.1).
        assert!(connected.eq(["coap://bs.example", "coap://dm.example"]), "{}", sim.trace);

        for sent in sent(&sim).iter().chain(&heard(&sim)) {
            let decoded = decode(&sent.bytes).unwrap_or_else(|| panic!("no CoAP: {sent:?}\n{}", sim.trace));
            assert_eq!(decoded, parsed(&sent.bytes), "{sent:?}");
            assert_eq!(decoded.version, 1);
            // RFC 7252, section 4.3, table 1.
            let fits = match (decoded.message_type, decoded.code >> 5) {
                (0 | 1, 0) => decoded.code != 0,
                (0..=2, 2 | 4 | 5) => true,
                (2 | 3, 0) => decoded.code == 0,
                _ => false,
            };
            assert!(fits, "{decoded:?}");
        }
        let asked: Vec<_> = sent(&sim).into_iter().filter(|sent| sent.code().is_request()).collect();
        let location = asked[2].path();
        let life = [(Code::POST, "/bs"), (Code::POST, "/rd"), (Code::POST, &location), (Code::DELETE, &location)];
        assert!(asked.iter().map(|sent| (sent.code(), sent.path())).eq(life.map(|(code, path)| (code, path.into()))));
        nobody_complains(&sim);
    }
}

#[test]
fn the_second_decoder_reads_what_it_should_and_nothing_else() {
    let (mut valid, mut malformed) = (0, 0);
    for (id, datagram, is_valid) in vectors() {
        let decoded = decode(&datagram).filter(|decoded| decoded.version == 1);
        assert_eq!(decoded.is_some(), is_valid, "{id}");
        if let Some(decoded) = decoded {
            assert_eq!(decoded, parsed(&datagram), "{id}");
        }
        *(if is_valid { &mut valid } else { &mut malformed }) += 1;
    }
    assert!(valid >= 70 && malformed >= 23, "{valid}, {malformed}");
}

#[test]
fn dm_6_b_a_register_is_a_post_to_rd_and_accepted_with_2_01() {
    let sim = registered(1);
    let (register, answer) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!((&*register.host, answer.code()), (DM, Code::CREATED));
    let granted: Vec<_> = answer.message().location_path().map(<[u8]>::to_vec).collect();
    assert!(!granted.is_empty() && sim.client.location(1).eq(&granted));
    let online = server(&sim).registration().expect("it is online");
    assert!(online.location.iter().map(String::as_bytes).eq(&granted));
    assert_eq!(server(&sim).registers_seen(), 1);
    assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 1);
    nobody_complains(&sim);
}

#[test]
fn dm_6_c_a_deregister_is_a_delete_of_the_location_and_accepted_with_2_02() {
    let mut sim = registered(1);
    let location = location_of(&sim);
    sim.shutdown();
    sim.run_for(secs(1));
    let (delete, answer) = exchanged(&sim, Code::DELETE, &location);
    assert_eq!((&*delete.host, answer.code()), (DM, Code::DELETED));
    assert_eq!((server(&sim).deregisters_seen(), server(&sim).registration()), (1, None));
    assert_eq!(server(&sim).history().last().map(|change| change.status), Some(Status::Deregistered));
    assert_eq!(happened(&sim, Event::Deregistered { server: 1, unconfirmed: None }), 1);
    nobody_complains(&sim);
}

#[test]
fn dm_6_d_an_update_is_a_post_to_the_location_and_accepted_with_2_04() {
    let mut sim = registered(1);
    let location = location_of(&sim);
    sim.run_for(DAY);
    let (update, answer) = exchanged(&sim, Code::POST, &location);
    assert_eq!((&*update.host, answer.code()), (DM, Code::CHANGED));
    assert_eq!((server(&sim).updates_seen(), happened(&sim, Event::Updated { server: 1 })), (1, 1));
    let online = server(&sim).registration().expect("it is online");
    assert!(online.refreshed_at > update.at && online.expires_at == online.refreshed_at + DAY);
    nobody_complains(&sim);
}

#[test]
fn dm_6_m_the_object_list_is_whole_without_the_optional_groups() {
    let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.information_reporting = false;
    config.device_management = false;
    let mut sim = Sim::new(config, device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    let (register, answer) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!(answer.code(), Code::CREATED, "{}", sim.trace);
    assert_eq!(register.message().content_format(), Some(ContentFormat::LINK_FORMAT));
    assert_eq!(core::str::from_utf8(register.message().payload()), Ok("</>;ct=11543,</1/0>,</3/0>"));
    let online = server(&sim).registration().expect("it is online");
    assert!(online.lists("/1/0") && online.lists("/3/0") && !online.lists("/0/0"));
    // The groups are off indeed.
    assert_eq!(sim.ask(0, |server| server.read(BATTERY, None)).code(), Some(Code::METHOD_NOT_ALLOWED));
    assert_eq!(sim.ask(0, |server| server.observe(BATTERY, None)).code(), Some(Code::METHOD_NOT_ALLOWED));
    nobody_complains(&sim);
}

/// A message as plain numbers and bytes.
#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    version: u8,
    message_type: u8,
    code: u8,
    message_id: u16,
    token: Vec<u8>,
    options: Vec<(u16, Vec<u8>)>,
    payload: Vec<u8>,
}

/// Reads a message as RFC 7252, section 3, tells it; none when there is a message format error.
fn decode(mut rest: &[u8]) -> Option<Decoded> {
    let &[first, code, high, low] = take(&mut rest, 4)? else { return None };
    if first & 0x0f > 8 || (code == 0 && (first & 0x0f != 0 || !rest.is_empty())) {
        return None;
    }
    let token = take(&mut rest, usize::from(first & 0x0f))?.to_vec();
    let (mut number, mut options) = (0, Vec::new());
    while let [head, after @ ..] = rest {
        rest = after;
        if *head == 0xff {
            if rest.is_empty() {
                return None;
            }
            break;
        }
        number += extended(head >> 4, &mut rest)?;
        let length = extended(head & 0x0f, &mut rest)?;
        options.push((u16::try_from(number).ok()?, take(&mut rest, length)?.to_vec()));
    }
    let (version, message_type) = (first >> 6, first >> 4 & 3);
    let (message_id, payload) = (u16::from(high) << 8 | u16::from(low), rest.to_vec());
    Some(Decoded { version, message_type, code, message_id, token, options, payload })
}

/// A delta or a length, from its four bits and the bytes that they call for (section 3.1).
fn extended(nibble: u8, rest: &mut &[u8]) -> Option<usize> {
    match nibble {
        13 => Some(usize::from(take(rest, 1)?[0]) + 13),
        14 => take(rest, 2).map(|bytes| usize::from(bytes[0]) * 256 + usize::from(bytes[1]) + 269),
        15 => None,
        _ => Some(usize::from(nibble)),
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

/// What the codec makes of the same bytes.
fn parsed(datagram: &[u8]) -> Decoded {
    let message = Message::parse(datagram).expect("a message");
    let message_type = match message.message_type() {
        MessageType::Confirmable => 0,
        MessageType::NonConfirmable => 1,
        MessageType::Acknowledgement => 2,
        MessageType::Reset => 3,
    };
    Decoded {
        version: 1,
        message_type,
        code: u8::from(message.code()),
        message_id: message.message_id().0,
        token: message.token().as_bytes().to_vec(),
        options: message.options().map(|option| (option.number.0, option.value.to_vec())).collect(),
        payload: message.payload().to_vec(),
    }
}
