//! XC-30: requests that came by multicast (RFC 7252, section 8).

use coap_codec::{BlockValue, Code, ContentFormat, Message, MessageType, NoResponse, OptionNumber};
use core::time::Duration;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answering, Sim};
use lwm2m_core::{Credentials, DataModel, Event, Instant, Limits, Origin, Peer, Received};
use proptest::prelude::*;

use super::management::path_of;
use crate::terminal::*;

const CON: MessageType = MessageType::Confirmable;
const NON: MessageType = MessageType::NonConfirmable;
const CORE: &str = "/.well-known/core";
const LEISURE: Duration = secs(5);

#[test]
fn xc_30_a_read_or_discovery_by_multicast_is_answered_at_leisure() {
    let mut moments = Vec::new();
    for seed in 0..40 {
        for (path, payload) in
            [("/3/0/9", &b"80"[..]), (CORE, br#"</>;rt="oma.lwm2m";ct=11543,</1/0>,</3/0>,</30000/0>"#)]
        {
            let mut sim = racked(one_server(seed));
            let asked = sim.now();
            sim.forge_multicast(DM, &get(7, path));
            let [answer] = &*after(&mut sim, asked) else { panic!("one answer\n{}", sim.trace) };
            assert_eq!((answer.kind(), answer.code(), answer.token()), (NON, Code::CONTENT, b"tok".to_vec()));
            assert_eq!(answer.message().payload(), payload);
            assert_ne!(answer.id(), 7, "a Message ID of its own");
            moments.push(between(asked, answer.at));
            assert!(answer.message().etag().is_none());
        }
    }
    // At any moment of it, and not all at the same.
    assert!(moments.iter().all(|moment| *moment <= LEISURE), "{moments:?}");
    let early = moments.iter().filter(|moment| **moment < LEISURE / 2).count();
    assert!((20..=60).contains(&early), "{moments:?}");
    moments.sort();
    moments.dedup();
    assert!(moments.len() > 35, "{moments:?}");
}

#[test]
fn xc_30_the_answer_is_of_the_values_of_then_and_leaves_by_its_deadline() {
    let mut sim = racked(one_server(1));
    let asked = sim.now();
    let idle = sim.client.poll_timeout();
    sim.forge_multicast(DM, &get(7, "/3/0/9"));
    let due = sim.client.poll_timeout().expect("a deadline");
    assert!(due > asked && due <= asked + LEISURE && Some(due) < idle);
    assert_eq!(sim.client.usage().deferred, 1);
    sim.model.0.battery_level = Some(42);
    sim.run_for(due.saturating_duration_since(asked));
    let answer = sent(&sim).pop().unwrap();
    assert_eq!((answer.at, answer.message().payload()), (due, &b"42"[..]));
    assert_eq!((sim.client.poll_timeout(), sim.client.usage().deferred), (idle, 0));
    let read = Event::Read { origin: Origin::Server(1), path: BATTERY };
    assert_eq!(happened(&sim, read), 1);
}

#[test]
fn xc_30_there_is_silence_where_nothing_useful_is_to_say() {
    let mut sim = racked(one_server(1));
    let get_with = |path: &str, number: OptionNumber, value: &[u8]| {
        let mut options: Vec<_> =
            path.split('/').skip(1).map(|segment| (OptionNumber::URI_PATH, segment.as_bytes())).collect();
        options.push((number, value));
        options.sort_by_key(|(number, _)| *number);
        datagram(NON, Code::GET, 7, b"tok", |writer| {
            options.iter().try_for_each(|(number, value)| writer.option(*number, value))
        })
    };
    sim.model.1.levels.clear();
    let silent = [
        // Errors.
        get(7, "/50"),
        get(7, "/0"),
        get(7, "/"),
        get(7, "/3/0/4"),
        get(7, "/rd"),
        get_with("/3/0/9", OptionNumber::ACCEPT, b"\x63"),
        get_with("/3/0/9", OptionNumber(65_001), b""),
        get_with("/3/0/9", OptionNumber::PROXY_SCHEME, b"coap"),
        get_with("/3/0/9", OptionNumber::URI_QUERY, b"pmin=1"),
        // No content.
        get(7, "/30000"),
        get_with(CORE, OptionNumber::URI_QUERY, b"rt=light"),
        // Not wanted.
        get_with("/3/0/9", OptionNumber::NO_RESPONSE, &[NoResponse::SUCCESS.0]),
        // A later block.
        get_with("/3", OptionNumber::BLOCK2, b"\x10"),
    ];
    for datagram in silent {
        let before = sent(&sim).len();
        sim.forge_multicast(DM, &datagram);
        sim.run_for(secs(300));
        assert_eq!(sent(&sim).len(), before, "{:?}\n{}", Message::parse(&datagram), sim.trace);
        assert_eq!(sim.client.usage().deferred, 0);
    }
    // One that matches is told, and the first block of what is long.
    for query in [&b"rt=oma.lwm2m"[..], b"rt=oma*"] {
        let asked = sim.now();
        sim.forge_multicast(DM, &get_with(CORE, OptionNumber::URI_QUERY, query));
        let [answer] = &*after(&mut sim, asked) else { panic!("one answer\n{}", sim.trace) };
        assert_eq!(answer.message().payload(), br#"</>;rt="oma.lwm2m";ct=11543"#);
        sim.run_for(secs(300));
    }
    let asked = sim.now();
    sim.forge_multicast(DM, &get_with(CORE, OptionNumber::BLOCK2, b""));
    let [answer] = &*after(&mut sim, asked) else { panic!("one answer\n{}", sim.trace) };
    let more = Some(Ok(BlockValue::new(0, true, 0).unwrap()));
    assert_eq!((answer.message().block2(), answer.message().payload()), (more, &b"</>;rt=\"oma.lwm2"[..]));
}

#[test]
fn xc_30_only_what_changes_nothing_and_is_not_confirmable_is_heard() {
    let mut sim = racked(one_server(1));
    let before = (sent(&sim).len(), format!("{:?}", sim.model), news(&sim).len());
    let put = |kind, method| {
        datagram(kind, method, 7, b"tok", |writer| {
            path_of("/30000/0/0", writer)?;
            writer.content_format(ContentFormat::TEXT_PLAIN)?;
            writer.payload(b"7")
        })
    };
    let (peer, now) = (peer(&sim), sim.now());
    let mut datagrams = vec![
        datagram(CON, Code::GET, 7, b"tok", |writer| path_of("/3/0/9", writer)),
        empty(CON, 7),
        empty(NON, 7),
        empty(MessageType::Acknowledgement, 7),
        empty(MessageType::Reset, 7),
        bare(NON, Code::CONTENT, 7, b"tok"),
        bare(CON, Code::CONTENT, 7, b"tok"),
        b"\x40\x01\x00\x07\xff".to_vec(),
        b"\x50".to_vec(),
        vec![],
    ];
    for method in [Code::POST, Code::PUT, Code::DELETE, Code::FETCH, Code::PATCH, Code::IPATCH] {
        datagrams.extend([put(NON, method), put(CON, method)]);
    }
    for datagram in datagrams {
        let received = sim.client.handle_multicast(now, peer, &datagram, &mut sim.model);
        assert_eq!(received, Received::Malformed, "{datagram:?}");
        assert_eq!(sim.client.usage().deferred, 0);
    }
    sim.run_for(secs(300));
    assert_eq!((sent(&sim).len(), format!("{:?}", sim.model), news(&sim).len()), before, "{}", sim.trace);
}

#[test]
fn xc_30_one_that_comes_again_is_answered_once_by_whichever_way_it_came() {
    let mut sim = racked(one_server(1));
    let asked = sim.now();
    for _ in 0..3 {
        sim.forge_multicast(DM, &get(7, "/3/0/9"));
    }
    assert_eq!(sim.client.usage().deferred, 1);
    sim.forge(DM, &get(7, "/3/0/9"));
    assert_eq!(after(&mut sim, asked).len(), 1, "{}", sim.trace);
    // One that came by unicast first, and was answered with what is kept for its repetition.
    let run = datagram(CON, Code::POST, 8, b"tok", |writer| path_of("/30000/0/1", writer));
    assert_eq!(said(&mut sim, DM, &run).len(), 1);
    let asked = sim.now();
    sim.forge_multicast(DM, &get(8, "/3/0/9"));
    assert_eq!(after(&mut sim, asked), []);
    // Once it is forgotten, it is another one.
    sim.run_for(secs(300));
    let asked = sim.now();
    sim.forge_multicast(DM, &get(7, "/3/0/9"));
    assert_eq!(after(&mut sim, asked).len(), 1, "{}", sim.trace);
}

#[test]
fn xc_30_nothing_is_observed_and_no_observation_ends() {
    let mut sim = racked(one_server(1));
    let observe = datagram(CON, Code::GET, 1, b"tok", |writer| {
        writer.observe(0)?;
        path_of("/3/0/9", writer)
    });
    assert_eq!(said(&mut sim, DM, &observe).len(), 1);
    // Under the token of the observation that there is.
    for observe in [0, 1] {
        let read = datagram(NON, Code::GET, 7 + observe as u16, b"tok", |writer| {
            writer.observe(observe)?;
            path_of("/3/0/9", writer)
        });
        let asked = sim.now();
        sim.forge_multicast(DM, &read);
        let [answer] = &*after(&mut sim, asked) else { panic!("one answer\n{}", sim.trace) };
        assert_eq!((answer.message().observe(), answer.message().payload()), (None, &b"80"[..]));
    }
    let observed = |event: &&Event| matches!(event, Event::Observed { .. } | Event::ObservationCancelled { .. });
    assert_eq!(news(&sim).iter().filter(observed).count(), 1, "{}", sim.trace);
    let before = sent(&sim).len();
    sim.model.0.battery_level = Some(79);
    sim.notify(BATTERY);
    sim.run_for(secs(1));
    assert_eq!(sent(&sim).len(), before + 1, "the one notification\n{}", sim.trace);
}

#[test]
fn xc_30_a_group_that_is_off_is_off_by_multicast_too() {
    for reporting in [false, true] {
        let off = one_server(1).with(|profile| {
            profile.device_management = false;
            profile.information_reporting = reporting;
        });
        let mut sim = racked(off);
        let read = |id, observe: Option<u32>| {
            datagram(NON, Code::GET, id, b"tok", |writer| {
                observe.map_or(Ok(()), |observe| writer.observe(observe))?;
                path_of("/3/0/9", writer)
            })
        };
        // An Observe is no more than a Read here.
        for (id, observe) in [(1, None), (2, Some(0)), (3, Some(1))] {
            let asked = sim.now();
            sim.forge_multicast(DM, &read(id, observe));
            assert_eq!(after(&mut sim, asked), [], "{observe:?}, reporting: {reporting}");
        }
        let asked = sim.now();
        sim.forge_multicast(DM, &get(4, CORE));
        assert_eq!(after(&mut sim, asked).len(), 1, "discovery has a setting of its own\n{}", sim.trace);
        // Without it there is nothing to say.
        let mut sim = racked(one_server(1).with(|profile| profile.discovery = false));
        let asked = sim.now();
        sim.forge_multicast(DM, &get(4, CORE));
        assert_eq!(after(&mut sim, asked), []);
    }
}

#[test]
fn xc_30_who_is_not_registered_with_or_is_secured_is_not_heard() {
    let unheard = |sim: &mut Sim<(Device, Rack)>, what: &str| {
        let (before, deadline) = (sent(sim).len(), sim.client.poll_timeout());
        let received = sim.client.handle_multicast(sim.now(), peer(sim), &get(7, "/3/0/9"), &mut sim.model);
        assert_eq!(received, Received::Unwelcome, "{what}");
        assert_eq!((sent(sim).len(), sim.client.poll_timeout()), (before, deadline), "{what}");
    };
    // It is registering.
    let mut sim = Sim::new(one_server(1), (device(), Rack::new()), 1);
    server_mut(&mut sim).answering = Answering::Never;
    sim.network_up();
    sim.run_for(millis(100));
    unheard(&mut sim, "registering");
    // A bootstrap goes on.
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, (device(), Rack::new()), 1);
    sim.platform.bootstrap.script = Some(vec![]);
    sim.network_up();
    sim.run_for(secs(1));
    unheard(&mut sim, "bootstrap");
    // What came by multicast was not secured, whatever the session is.
    let psk = Credentials::Psk { identity: b"me".to_vec(), key: b"key".to_vec() };
    let mut sim = racked(dm(1).server(1, "coaps://dm.example", psk, 86_400));
    unheard(&mut sim, "secured");
    // Nobody knows it.
    let mut sim = racked(one_server(1));
    let stranger = sim.client.handle_multicast(sim.now(), Peer(999), &get(7, "/3/0/9"), &mut sim.model);
    assert_eq!(stranger, Received::Stranger);
}

#[test]
fn xc_30_what_waits_is_forgotten_with_the_registration_and_the_session() {
    type Change = fn(&mut Sim<(Device, Rack)>);
    let changes: [(&str, Change); 4] = [
        ("flight mode", |sim| sim.enter_flight_mode()),
        ("no network", |sim| sim.network_down()),
        ("power-off", |sim| sim.shutdown()),
        ("another address", |sim| sim.address_changed()),
    ];
    for (what, change) in changes {
        let mut sim = racked(one_server(1));
        sim.forge_multicast(DM, &get(7, "/3/0/9"));
        change(&mut sim);
        sim.run_for(secs(300));
        assert!(sent(&sim).iter().all(|sent| sent.token() != b"tok"), "{what}\n{}", sim.trace);
        assert_eq!(sim.client.usage().deferred, 0, "{what}");
    }
    // The lifetime ends while the server says nothing: the registration is over before the leisure is.
    let mut config = dm(1).server(1, "coap://dm.example", Credentials::NoSec, 60);
    config.transmission.leisure = secs(100_000);
    let mut sim = racked(config);
    server_mut(&mut sim).go_down();
    sim.forge_multicast(DM, &get(7, "/3/0/9"));
    sim.run_for(secs(100_000));
    assert!(sent(&sim).iter().all(|sent| sent.token() != b"tok"), "{}", sim.trace);
    assert_eq!(sim.client.usage().deferred, 0);
}

#[test]
fn xc_30_as_many_wait_as_there_are_places_and_the_others_hear_nothing() {
    let mut config = one_server(1).with(|profile| profile.limits = Limits { deferred: 2, ..Limits::DEVICE });
    config.transmission.leisure = secs(60);
    let mut sim = racked(config);
    sim.client.reserve();
    let memory = sim.client.memory();
    for round in 0..3u16 {
        let (peer, asked) = (peer(&sim), sim.now());
        let mut wait = |id| sim.client.handle_multicast(asked, peer, &get(10 * round + id, "/3/0/9"), &mut sim.model);
        assert_eq!(
            [1, 2, 3, 4].map(&mut wait),
            [Received::Request, Received::Request, Received::Overloaded, Received::Overloaded]
        );
        assert_eq!((sim.client.usage().deferred, sim.client.memory()), (2, memory));
        // What comes by unicast is answered meanwhile.
        assert_eq!(sim.ask(0, |server| server.read(LEVEL, None)).response().text(), "5");
        sim.run_for(secs(60));
        let answers = sent(&sim).into_iter().filter(|sent| sent.at >= asked && sent.token() == b"tok").count();
        assert_eq!((answers, sim.client.usage().deferred), (2, 0), "{}", sim.trace);
        sim.run_for(secs(300));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever comes by multicast: no acknowledgement, no Reset, no error; answers are non-confirmable and
    /// leave within the leisure; nothing is changed, and nothing is left behind.
    #[test]
    fn xc_30_nothing_by_multicast_is_acknowledged_rejected_or_answered_late(
        datagrams in proptest::collection::vec(any_datagram(), 1..12),
        seed: u64,
        leisure in 0u64..20,
        pause in 0u64..8_000,
    ) {
        let mut config = one_server(seed);
        config.transmission.leisure = secs(leisure);
        let mut sim = racked(config);
        let begun = sent(&sim).len();
        let mut asked = Vec::new();
        for datagram in &datagrams {
            let token = Message::parse(datagram).map_or(vec![], |message| message.token().as_bytes().to_vec());
            asked.push((token, sim.now()));
            sim.forge_multicast(DM, datagram);
            prop_assert!(sim.client.usage().deferred <= 2);
            sim.run_for(millis(pause));
        }
        sim.run_for(secs(leisure));
        for answer in &sent(&sim)[begun..] {
            prop_assert_eq!((answer.kind(), answer.code()), (NON, Code::CONTENT));
            prop_assert!(!answer.message().payload().is_empty());
            let within = |(token, at): &(Vec<u8>, Instant)| *token == answer.token() && answer.at <= *at + secs(leisure);
            prop_assert!(asked.iter().any(within), "{}", sim.trace);
        }
        prop_assert!(sent(&sim).len() - begun <= datagrams.len());
        prop_assert_eq!((&*sim.model.1.done, sim.model.1.levels[&0]), (&[][..], 5));
        prop_assert_eq!(sim.client.usage().deferred, 0);
    }
}

// ----- helpers ------------------------------------------------------------------------------------

/// Bytes, and messages that are nearly what is answered.
fn any_datagram() -> impl Strategy<Value = Vec<u8>> {
    let paths = prop::sample::select(vec![CORE, "/3/0/9", "/3/0", "/30000/0/0", "/0", "/9/9", "/"]);
    let message = (0u8..4, 0u8..8, any::<u16>(), paths, any::<[u8; 2]>(), prop::option::of(0u32..3)).prop_map(
        |(kind, method, id, path, token, observe)| {
            let kinds = [CON, NON, MessageType::Acknowledgement, MessageType::Reset];
            // Most are what may be answered.
            let kind = if method > 4 { NON } else { kinds[usize::from(kind)] };
            let method = if method > 4 { Code::GET } else { Code::from_byte(method) };
            if method == Code::EMPTY {
                return empty(kind, id);
            }
            datagram(kind, method, id, &token, |writer| {
                observe.map_or(Ok(()), |observe| writer.observe(observe))?;
                path_of(path, writer)
            })
        },
    );
    prop_oneof![4 => message, 1 => prop::collection::vec(any::<u8>(), 0..24)]
}

/// A Read that is not confirmable.
fn get(id: u16, path: &str) -> Vec<u8> {
    datagram(NON, Code::GET, id, b"tok", |writer| path_of(path, writer))
}

/// The peer of the session that was made last.
#[track_caller]
fn peer<M: DataModel>(sim: &Sim<M>) -> Peer {
    let connected = |entry: &lwm2m_core::sim::Entry| match &entry.what {
        lwm2m_core::sim::What::Order(lwm2m_core::sim::Order::Connect { peer, .. }) => Some(*peer),
        _ => None,
    };
    sim.trace.entries.iter().rev().find_map(connected).expect("a session")
}

/// What the device sends from `asked` on, when the leisure and some more is over.
#[track_caller]
fn after<M: DataModel>(sim: &mut Sim<M>, asked: Instant) -> Vec<Sent> {
    sim.run_for(LEISURE + secs(1));
    sent(sim).into_iter().filter(|sent| sent.at >= asked).collect()
}
