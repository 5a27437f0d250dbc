//! DM terminal specification 7.1: the endpoint name, as it is sent.

use coap_codec::{Code, Message, MessageType, OptionNumber, Uri};
use endpoint_name::EndpointName;
use lwm2m_core::sim::Sim;
use lwm2m_core::{Client, Config, Credentials, Key, Wake};

use crate::terminal::*;

#[test]
fn dm_7_1_z_the_longest_name_is_one_raw_argument() {
    const LONGEST: &str = "12345678901234567;1234567890123456;123456789012345;65535.65535";
    assert_eq!(LONGEST.len(), 62);
    let mut sim = Sim::new(named(LONGEST, 1), device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    for path in ["/bs", "/rd"] {
        let (request, _) = exchanged(&sim, Code::POST, path);
        let argument = format!("ep={LONGEST}");
        let at = request.bytes.windows(65).position(|window| window == argument.as_bytes());
        let at = at.unwrap_or_else(|| panic!("the name as it is in {path}\n{}", sim.trace));
        // 65 bytes: 13, and 52 in the one byte that follows (RFC 7252, section 3.1).
        assert_eq!((request.bytes[at - 2] & 0x0f, request.bytes[at - 1]), (13, 0x34), "{path}");
        assert_eq!(request.query().iter().filter(|known| **known == argument).count(), 1, "{path}");
        assert_eq!(names(&request).len(), 1, "{path}");
        assert!(!request.bytes.contains(&b'%'), "{path}");
    }
    assert_eq!(server(&sim).registration().map(|online| &*online.endpoint), Some(LONGEST));
    nobody_complains(&sim);
}

#[test]
fn dm_7_1_aa_bootstrap_and_register_say_the_same_name() {
    let sim = registered(1);
    let [bootstrap, register] = ["/bs", "/rd"].map(|path| exchanged(&sim, Code::POST, path).0);
    assert_eq!(names(&bootstrap), [format!("ep={NAME}").into_bytes()]);
    assert_eq!(names(&bootstrap), names(&register));
    assert_eq!(pattern(&bootstrap.bytes), pattern(&vector("L01")));
    assert_eq!(without_json(pattern(&register.bytes)), pattern(&vector("L07")));
}

/// The name is read at the start, from the configuration; nothing in a run can change it. What a
/// device says in between is its location.
#[test]
fn dm_7_1_ab_a_name_is_for_one_start_and_a_new_one_for_the_next() {
    const WITHOUT_SIM: &str = "490154203237518;;;1.0";
    for from_flash in [false, true] {
        let mut sim = registered(1);
        sim.run_for(2 * DAY);
        sim.address_changed();
        sim.run_for(DAY);
        sim.shutdown();
        sim.run_for(secs(1));
        let before = sent(&sim).len();
        for request in sent(&sim).iter().filter(|sent| sent.code().is_request()) {
            let registers = ["/bs", "/rd"].contains(&&*request.path());
            let expected = if registers { vec![format!("ep={NAME}").into_bytes()] } else { vec![] };
            assert_eq!(names(request), expected, "{request:?}");
        }
        assert!(server(&sim).updates_seen() >= 3 && server(&sim).registers_seen() == 2, "{}", sim.trace);

        let mut flash = [0; 1_024];
        let len = sim.client.snapshot(sim.now(), &mut flash).unwrap();
        sim.reboot();
        sim.client = match from_flash {
            false => Client::new(named(WITHOUT_SIM, 2), sim.now()).unwrap(),
            true => Client::restore(named(WITHOUT_SIM, 2), &flash[..len], sim.now(), Wake::Restart).unwrap(),
        };
        sim.network_up();
        sim.run_for(secs(1));
        let said: Vec<_> = sent(&sim)[before..].iter().flat_map(names).collect();
        assert_eq!(said, [b"ep=490154203237518;;;1.0"; 2], "Bootstrap-Request and Register\n{}", sim.trace);
        let online: Vec<_> = server(&sim).registrations().iter().map(|online| &*online.endpoint).collect();
        assert_eq!(online, [WITHOUT_SIM], "from flash: {from_flash}");
        nobody_complains(&sim);
    }
}

/// As a person writes it into a URI: the separators are encoded there, and nowhere else.
#[test]
fn dm_7_1_ae_a_name_out_of_a_uri_is_one_argument_with_its_separators() {
    for (text, encoded) in [
        ("490154203237518;;;1.0", "490154203237518%3B%3B%3B1.0"),
        (NAME, "490154203237518%3b460001234567890%3B%3b1.0"),
        (NAME, NAME),
    ] {
        let uri = format!("coap://dm.example/rd?ep={encoded}&lt=86400");
        let request = datagram(MessageType::Confirmable, Code::POST, 1, b"tok", |writer| {
            Uri::parse(&uri).unwrap().write_options(writer, "192.0.2.1:5683".parse().ok())
        });
        let message = Message::parse(&request).unwrap();
        let arguments: Vec<_> = message.values(OptionNumber::URI_QUERY).collect();
        assert_eq!(arguments, [format!("ep={text}").as_bytes(), b"lt=86400"], "{uri}");
        let name = core::str::from_utf8(&arguments[0][3..]).unwrap();
        assert_eq!(EndpointName::parse(name).map(|name| name.to_string()), Ok(text.to_string()), "{uri}");
    }
}

fn named(name: &str, seed: u64) -> Config {
    let name = EndpointName::parse(name).expect("a name");
    Config::dm(name, Key::from_seed(seed)).bootstrap_server("coap://bs.example", Credentials::NoSec)
}

/// The arguments that name the endpoint, as they are in the datagram.
fn names(sent: &Sent) -> Vec<Vec<u8>> {
    let arguments = sent.message();
    let arguments = arguments.values(OptionNumber::URI_QUERY).filter(|argument| argument.starts_with(b"ep"));
    arguments.map(<[u8]>::to_vec).collect()
}
