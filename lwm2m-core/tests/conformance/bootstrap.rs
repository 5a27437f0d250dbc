//! DM terminal specification 7.2: Bootstrap.

use core::time::Duration;

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, Token};
use lwm2m_core::sim::{Answering, BootstrapCommand, Direction, Order, Sim, Tlv, What};
use lwm2m_core::{Client, Config, Credentials, DataModel, Event, Instant, Key, Output, Path, Reason, Wake};

use crate::commands::*;
use crate::terminal::*;

const BOOTSTRAP: &str = "bs.example:5683";

/// The Bootstrap-Requests that left, repetitions included.
fn asked<M: DataModel>(sim: &Sim<M>) -> Vec<Sent> {
    requests(sim, Code::POST, "/bs")
}

fn registers<M: DataModel>(sim: &Sim<M>) -> Vec<Sent> {
    requests(sim, Code::POST, "/rd")
}

#[test]
fn dm_7_2_a_the_first_datagram_is_a_bootstrap_request_at_once() {
    let mut sim = terminal(1);
    sim.run_for(secs(100));
    sim.network_up();
    let sent = sent(&sim);
    let [request] = &*sent else { panic!("one datagram: {sent:?}") };
    assert_eq!((request.at, &*request.host), (Instant::from_secs(100), BOOTSTRAP));
    let message = request.message();
    assert_eq!((message.message_type(), message.code()), (MessageType::Confirmable, Code::POST));
    // Vector L01, but for Message ID and token.
    let options = b"\xb2bs\x4d\x1aep=490154203237518;460001234567890;;1.0";
    assert_eq!(&request.bytes[4 + message.token().as_bytes().len()..], options);
}

#[test]
fn dm_7_2_b_without_network_nothing_happens() {
    let mut sim = terminal(1);
    assert_eq!(sim.client.poll_timeout(), None, "no timer runs");
    sim.run_for(secs(3_600));
    assert_eq!((sent(&sim).len(), sim.trace.entries.len()), (0, 0));
    sim.network_up();
    assert_eq!(asked(&sim)[0].at, Instant::from_secs(3_600));
}

#[test]
fn dm_7_2_c_a_second_bearer_changes_nothing() {
    let mut sim = terminal(1);
    for _ in 0..3 {
        sim.network_up();
        sim.run_for(Duration::from_millis(50));
    }
    sim.run_for(secs(1));
    // One of two bearers goes: the device is still on the network, and says so again.
    sim.network_up();
    sim.run_for(secs(60));
    assert_eq!((asked(&sim).len(), registers(&sim).len()), (1, 1), "{}", sim.trace);
    assert_eq!(happened(&sim, Event::BootstrapFinished), 1);
}

#[test]
fn dm_7_2_d_a_network_that_comes_back_needs_no_bootstrap() {
    let mut sim = registered(1);
    for _ in 0..3 {
        sim.network_down();
        sim.run_for(secs(600));
        sim.network_up();
        sim.run_for(secs(600));
    }
    assert_eq!(asked(&sim).len(), 1);
    assert!(server(&sim).registration().is_some());
}

#[test]
fn dm_7_2_e_after_flight_mode_it_registers_without_a_bootstrap() {
    let mut sim = registered(1);
    sim.enter_flight_mode();
    sim.run_for(secs(1));
    sim.network_down();
    sim.run_for(secs(600));
    sim.leave_flight_mode();
    sim.network_up();
    sim.run_for(secs(1));
    assert_eq!((asked(&sim).len(), server(&sim).registers_seen()), (1, 2));
}

#[test]
fn dm_7_2_f_a_restart_bootstraps_again_although_accounts_are_stored() {
    let sim = registered(1);
    let mut flash = [0; 1_024];
    let len = sim.client.snapshot(sim.now(), &mut flash).unwrap();
    let config = sim.client.config().clone();
    let mut client = Client::restore(config, &flash[..len], Instant::ZERO, Wake::Restart).unwrap();
    assert_eq!(client.servers().collect::<Vec<_>>(), [1], "the account is there");
    client.network_up(Instant::from_secs(7));
    let Some(Output::Connect { peer, .. }) = client.poll_output() else { panic!("a session is wanted") };
    assert_eq!(client.poll_output(), None, "only one");
    client.connected(Instant::from_secs(7), peer, lwm2m_core::Session::New, &mut device());
    let Some(Output::Transmit { datagram, .. }) = client.poll_output() else { panic!("a request is sent") };
    assert!(Message::parse(datagram).unwrap().uri_path().eq([b"bs"]));
    assert_eq!(client.poll_output(), None, "no Register beside it");
}

#[test]
fn dm_7_2_g_the_register_goes_where_the_bootstrap_server_wrote() {
    let mut sim = terminal(1);
    sim.platform.servers.clear();
    sim.platform.add_server(7, "coap://elsewhere.example:61616", 86_400);
    sim.network_up();
    sim.run_for(secs(1));
    let written = [Code::DELETED, Code::CHANGED, Code::CHANGED, Code::CHANGED];
    assert_eq!(codes(&sim), written, "Delete, Write /0/1, Write /1/0, Finish");
    assert_eq!(registers(&sim)[0].host, "elsewhere.example:61616");
    assert_eq!(happened(&sim, Event::Registered { server: 7, lifetime: 86_400 }), 1);
}

#[test]
fn dm_7_2_h_accounts_may_be_written_in_any_order_and_in_any_portion() {
    let (account, terms) = (security(URI, 1), terms(1, 86_400));
    let part = |object, instance, resource, value: &[u8]| {
        write(Path::resource(object, instance, resource), &Tlv::new().resource(resource, value))
    };
    let by_resource = vec![
        part(0, 1, 0, URI.as_bytes()),
        part(0, 1, 1, &[0]),
        write_text(Path::resource(0, 1, 2), "3"),
        part(0, 1, 3, &[]),
        part(0, 1, 4, &[]),
        part(0, 1, 5, &[]),
        write_text(Path::resource(0, 1, 10), "1"),
        write_text(Path::resource(1, 0, 0), "1"),
        write_text(Path::resource(1, 0, 1), "86400"),
        write_text(Path::resource(1, 0, 6), "1"),
        write_text(Path::resource(1, 0, 7), "U"),
    ];
    for (how, mut script) in [
        ("Security first", vec![write(ACCOUNT, &account), write(TERMS, &terms)]),
        ("Server first", vec![write(TERMS, &terms), write(ACCOUNT, &account)]),
        (
            "by object",
            vec![
                write(Path::object(1), &Tlv::new().instance(0, &terms)),
                write(Path::object(0), &Tlv::new().instance(1, &account)),
            ],
        ),
        ("by resource", by_resource),
    ] {
        let commands = script.len();
        script.push(BootstrapCommand::Finish);
        let sim = bootstrapped_by(script);
        assert_eq!(codes(&sim), vec![Code::CHANGED; commands + 1], "{how}");
        let registration = server(&sim).registration().unwrap_or_else(|| panic!("{how}\n{}", sim.trace));
        assert_eq!((registration.lifetime, &*registration.binding), (86_400, "U"), "{how}");
    }
}

#[test]
fn dm_7_2_i_deleting_everything_spares_the_bootstrap_account_and_the_device() {
    let script = vec![
        delete(Path::ROOT),
        BootstrapCommand::Discover(Path::ROOT),
        write(ACCOUNT, &security("coap://old.example", 1)),
        write(TERMS, &terms(1, 86_400)),
        BootstrapCommand::Finish,
    ];
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec).server(
        9,
        "coap://old.example",
        Credentials::NoSec,
        60,
    );
    let sim = configured_and_bootstrapped_by(config, script);
    assert_eq!(codes(&sim), [Code::DELETED, Code::CONTENT, Code::CHANGED, Code::CHANGED, Code::CHANGED]);
    assert_eq!(texts(&sim)[1], r#"lwm2m="1.0",</0/0>,</1>,</3/0>"#);
    assert_eq!(registers(&sim)[0].host, "old.example:5683");
    assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime: 86_400 }), 1);
}

#[test]
fn dm_7_2_j_a_finish_without_an_account_is_refused_and_the_bootstrap_goes_on() {
    let mut sim = bootstrapped_by(vec![delete(Path::ROOT), BootstrapCommand::Finish]);
    assert_eq!(codes(&sim), [Code::DELETED, Code::NOT_ACCEPTABLE]);
    let refused_at = sim.platform.bootstrap.answers()[1].at;
    sim.run_for(secs(240));
    assert_eq!((registers(&sim).len(), happened(&sim, Event::BootstrapFailed { reason: Reason::Abandoned })), (0, 0));
    sim.run_for(secs(10));
    let failed = sim.events().find(|(_, event)| *event == Event::BootstrapFailed { reason: Reason::Abandoned });
    let (at, _) = failed.expect("the timer ends it");
    // The answer takes 30 ms; the timer runs from the command.
    assert_eq!(at.saturating_duration_since(refused_at), secs(247) - Duration::from_millis(30));
}

#[test]
fn dm_7_2_k_a_bootstrap_server_that_falls_silent_leaves_no_trace() {
    let rewritten = bootstrap_security("coap://mallory.example");
    for (commands, stops_after, what) in [
        (vec![], 0, "nothing after its 2.04"),
        (vec![write(Path::instance(0, 0), &rewritten), write(TERMS, &terms(1, 60))], 2, "two Writes"),
        (vec![delete(Path::ROOT), write(ACCOUNT, &security(URI, 1))], 2, "a Delete and a Write"),
    ] {
        // A server account that no command touches, when there is none that deletes everything.
        let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
        let mut sim = configured_and_bootstrapped_by(config, commands);
        assert_eq!(codes(&sim).len(), stops_after, "{what}");
        let spoken = sim
            .platform
            .bootstrap
            .answers()
            .last()
            .map_or(Instant::from_millis(60), |answer| answer.at.saturating_sub(Duration::from_millis(30)));
        sim.run_for(secs(300));
        let (failed, _) = sim
            .events()
            .find(|(_, event)| *event == Event::BootstrapFailed { reason: Reason::Abandoned })
            .unwrap_or_else(|| panic!("{what}\n{}", sim.trace));
        assert_eq!(failed.saturating_duration_since(spoken), secs(247), "{what}");
        assert_eq!(sim.client.servers().count(), 0, "{what}: no account is left of it");
        assert_eq!(registers(&sim).len(), 0, "{what}");
        sim.platform.bootstrap.script = None;
        assert!(sim.run_until(secs(100), |sim| server(sim).registration().is_some()), "{what}\n{}", sim.trace);
        let [first, second] = &*asked(&sim) else { panic!("{what}: asked twice\n{}", sim.trace) };
        assert_eq!((&*second.host, first.query()), (BOOTSTRAP, second.query()), "the account as before");
        let pause = second.at.saturating_duration_since(failed);
        assert!(pause >= secs(60) && pause <= secs(90), "{what}: {pause:?}");
    }
}

#[test]
fn dm_7_2_k_accounts_that_no_command_touched_survive_a_failure() {
    let config =
        dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec).server(1, URI, Credentials::NoSec, 86_400);
    let mut sim = configured_and_bootstrapped_by(config, vec![write(Path::instance(1, 5), &terms(5, 60))]);
    assert_eq!(registers(&sim).len(), 0, "servers wait for the bootstrap");
    sim.run_for(secs(247));
    assert_eq!(sim.client.servers().collect::<Vec<_>>(), [1]);
    assert!(server(&sim).registration().is_some(), "{}", sim.trace);
}

#[test]
fn dm_7_2_l_a_bootstrap_request_without_answer_is_repeated_and_then_tried_anew() {
    for seed in 0..20 {
        let mut sim = terminal(seed);
        sim.platform.bootstrap.go_down();
        sim.network_up();
        sim.run_for(secs(200));
        let asked = asked(&sim);
        let at = |index: usize| asked[index].at.saturating_duration_since(Instant::ZERO);
        let t0 = at(1);
        assert!(t0 >= secs(2) && t0 <= secs(3), "{t0:?}");
        assert_eq!([at(0), at(2), at(3), at(4)], [Duration::ZERO, t0 * 3, t0 * 7, t0 * 15]);
        assert!(asked[..5].iter().all(|sent| sent.bytes == asked[0].bytes), "the same bytes");
        let events: Vec<_> = sim.events().collect();
        let failed = (Instant::ZERO + t0 * 31, Event::BootstrapFailed { reason: Reason::TimedOut });
        assert_eq!(events[..2], [(Instant::ZERO, Event::BootstrapStarted), failed]);
        let pause = at(5) - t0 * 31;
        assert!(pause >= secs(60) && pause <= secs(90), "{pause:?}");
        let (first, again) = (asked[0].message(), asked[5].message());
        assert_ne!(first.message_id(), again.message_id());
        assert_ne!(first.token(), again.token());
    }
}

#[test]
fn dm_7_2_m_a_refused_bootstrap_is_told_and_not_repeated_at_once() {
    for code in [Code::BAD_REQUEST, Code::FORBIDDEN, Code::INTERNAL_SERVER_ERROR] {
        let mut sim = terminal(1);
        sim.platform.bootstrap.accepts = lwm2m_core::sim::Accepts::Nobody(code);
        sim.network_up();
        sim.run_for(secs(59));
        assert_eq!(news(&sim), [Event::BootstrapStarted, Event::BootstrapFailed { reason: Reason::Code(code) }]);
        assert_eq!(asked(&sim).len(), 1);
        sim.run_for(secs(3_600));
        let times: Vec<_> = asked(&sim).iter().map(|sent| sent.at).collect();
        let pauses: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0])).collect();
        for (doublings, pause) in pauses.iter().enumerate() {
            let shortest = secs(60 << doublings);
            assert!(*pause >= shortest && *pause <= shortest * 3 / 2 + secs(1), "{doublings}: {pause:?}");
        }
        assert!((4..=6).contains(&pauses.len()), "{pauses:?}");
    }
}

#[test]
fn dm_7_2_n_a_bootstrap_survives_a_network_that_goes_at_any_moment() {
    // The whole bootstrap takes 300 ms: ten datagrams of 30 ms.
    for moment in (0..330).step_by(10) {
        let mut sim = terminal(1);
        sim.network_up();
        sim.run_for(Duration::from_millis(moment));
        sim.network_down();
        sim.run_for(secs(5));
        sim.network_up();
        sim.run_for(secs(300));
        assert_eq!(happened(&sim, Event::BootstrapFinished), 1, "at {moment} ms\n{}", sim.trace);
        assert_eq!(server(&sim).registrations().len(), 1, "at {moment} ms\n{}", sim.trace);
        nobody_complains(&sim);
    }
}

#[test]
fn dm_7_2_o_a_stored_account_is_registered_with_when_the_bootstrap_fails() {
    for (answering, reason) in [
        (Answering::Never, Reason::TimedOut),
        (Answering::AcknowledgeOnly, Reason::TimedOut),
        (Answering::Piggybacked, Reason::Abandoned),
    ] {
        let config =
            dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec).server(1, URI, Credentials::NoSec, 86_400);
        let mut sim = Sim::new(config, device(), 1);
        sim.platform.bootstrap.answering = answering;
        sim.platform.bootstrap.script = Some(vec![]);
        sim.network_up();
        sim.run_until(secs(300), |sim| server(sim).registration().is_some());
        sim.run_for(secs(1));
        let events = news(&sim);
        let failed = Event::BootstrapFailed { reason };
        let registered = Event::Registered { server: 1, lifetime: 86_400 };
        assert_eq!(events, [Event::BootstrapStarted, failed, registered], "{answering:?}\n{}", sim.trace);
        let requests = asked(&sim).len();
        sim.run_for(DAY);
        assert_eq!(asked(&sim).len(), requests, "reachable, it does not ask again");
    }
}

#[test]
fn dm_7_2_p_the_hold_off_counts_only_where_it_is_honoured() {
    for (honour, delay) in [(false, 0), (true, 30)] {
        let mut config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
        config.bootstrap.honour_hold_off = honour;
        let held_off = bootstrap_security("coap://bs.example").integer(11, 30);
        let script = vec![
            write(Path::instance(0, 0), &held_off),
            write(ACCOUNT, &security(URI, 1)),
            write(TERMS, &terms(1, 86_400)),
            BootstrapCommand::Finish,
        ];
        let sim = configured_and_bootstrapped_by(config.clone(), script);
        assert!(server(&sim).registration().is_some(), "{}", sim.trace);
        let mut flash = [0; 1_024];
        let len = sim.client.snapshot(sim.now(), &mut flash).unwrap();
        let mut client = Client::restore(config, &flash[..len], Instant::ZERO, Wake::Restart).unwrap();
        let t = Instant::from_secs(1_000);
        client.network_up(t);
        match honour {
            false => assert!(matches!(client.poll_output(), Some(Output::Connect { .. })), "at once"),
            true => {
                assert_eq!(client.poll_output(), None);
                assert_eq!(client.poll_timeout(), Some(t + secs(delay)));
            }
        }
    }
}

#[test]
fn dm_7_2_q_a_repeated_write_is_answered_alike_and_applied_once() {
    let mut sim = terminal(1);
    sim.platform.bootstrap.script = Some(vec![]);
    sim.network_up();
    sim.run_for(secs(1));
    let mut buffer = [0; 256];
    let mut put = |text: &str, id| {
        let header = Header { message_type: MessageType::Confirmable, code: Code::PUT, message_id: MessageId(id) };
        let mut writer = MessageWriter::new(&mut buffer, header, Token::new(b"q").unwrap()).unwrap();
        ["1", "0", "1"].iter().for_each(|segment| writer.uri_path(segment).unwrap());
        writer.content_format(coap_codec::ContentFormat::TEXT_PLAIN).unwrap();
        writer.payload(text.as_bytes()).unwrap();
        writer.finish().to_vec()
    };
    let (first, other) = (put("60", 1), put("70", 2));
    for datagram in [&first, &other, &first] {
        sim.forge(BOOTSTRAP, datagram);
        sim.run_for(secs(1));
    }
    let answers: Vec<_> = sent(&sim).into_iter().filter(|sent| sent.code() == Code::CHANGED).collect();
    assert_eq!((answers.len(), &answers[0].bytes), (3, &answers[2].bytes));
    let written = news(&sim).iter().filter(|event| matches!(event, Event::Written { .. })).count();
    assert_eq!(written, 2, "the repetition was not applied: the later value stands");
}

#[test]
fn dm_7_2_r_commands_of_others_are_not_heard() {
    let script = vec![BootstrapCommand::Pause(secs(10)), BootstrapCommand::Finish];
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = configured_and_bootstrapped_by(config, script);
    let write_of_somebody = b"\x41\x03\x50\x01\xa1\xb1\x31\x01\x30\x12\x2d\x16\xff\xc1\x00\x01";
    // From another host, and from an address of the bootstrap server that the device has no session with.
    sim.forge("mallory.example:5683", write_of_somebody);
    sim.forge("bs.example:9999", write_of_somebody);
    sim.run_for(secs(1));
    assert_eq!(sent(&sim).len(), 1, "no answer\n{}", sim.trace);
    // From somebody whom the client knows, but not as its bootstrap server.
    let mut known = registered(2);
    let before = news(&known);
    known.forge("dm.example:5683", write_of_somebody);
    known.run_for(secs(1));
    assert_eq!(news(&known), before, "nothing was written");
    assert_eq!(sent(&known).last().unwrap().code(), Code::METHOD_NOT_ALLOWED, "the rules for servers hold");
    sim.run_for(secs(15));
    assert_eq!(codes(&sim), [Code::NOT_ACCEPTABLE], "nothing had been written");
}

#[test]
fn dm_7_2_s_a_repeated_finish_gets_its_answer_again_after_the_register_left() {
    let mut sim = terminal(1);
    sim.network_up();
    // Until the answer to Finish is the next datagram to be sent: then lose it.
    assert!(sim.run_until(secs(1), |sim| sim.platform.bootstrap.answers().len() == 3));
    sim.network.lose_next(Direction::ToServer);
    sim.run_for(secs(20));
    assert_eq!(sim.platform.bootstrap.finished(), 1, "the repetition was answered\n{}", sim.trace);
    assert_eq!((registers(&sim).len(), server(&sim).registers_seen()), (1, 1));
    assert_eq!(happened(&sim, Event::BootstrapFinished), 1);
    let register = registers(&sim)[0].at;
    let finished = sim.platform.bootstrap.answers()[3].at;
    assert!(finished > register, "after the Register had left");
    let to_bootstrap: Vec<_> = sent(&sim).into_iter().filter(|sent| sent.host == BOOTSTRAP).collect();
    let [.., lost, again] = &*to_bootstrap else { panic!("{to_bootstrap:?}") };
    assert_eq!((lost.code(), &lost.bytes), (Code::CHANGED, &again.bytes));
}

#[test]
fn dm_7_2_s_a_secured_bootstrap_session_is_closed_before_the_register() {
    let psk = Credentials::Psk { identity: b"me".to_vec(), key: b"key".to_vec() };
    let mut sim = Sim::new(dm(1).bootstrap_server("coaps://bs.example", psk), device(), 1);
    sim.network_up();
    sim.run_for(secs(1));
    let place = |wanted: &dyn Fn(&What) -> bool| sim.trace.entries.iter().position(|entry| wanted(&entry.what));
    let closed = place(&|what| matches!(what, What::Order(Order::Disconnect { .. })));
    let register = registers(&sim)[0].bytes.clone();
    let registered = place(&|what| matches!(what, What::Datagram { bytes, .. } if *bytes == register));
    assert!(closed.is_some() && closed < registered, "{}", sim.trace);
}

#[test]
fn dm_7_2_t_the_uri_of_an_account_may_have_any_form() {
    for (uri, host, port) in [
        ("coap://bs.example", "bs.example", 5683),
        ("coap://bs.example:61616", "bs.example", 61_616),
        ("coap://192.0.2.1", "192.0.2.1", 5683),
        ("coap://192.0.2.1:5700/", "192.0.2.1", 5700),
        ("coap://[2001:db8::1]", "2001:db8::1", 5683),
        ("coap://[2001:db8::1]:5700", "2001:db8::1", 5700),
        ("coaps://bs.example", "bs.example", 5684),
        ("coaps://[2001:db8::1]", "2001:db8::1", 5684),
    ] {
        let credentials = match uri.starts_with("coaps") {
            true => Credentials::Psk { identity: vec![], key: b"key".to_vec() },
            false => Credentials::NoSec,
        };
        let config = Config::new("x", Key::from_seed(1)).bootstrap_server(uri, credentials);
        let mut client = Client::new(config, Instant::ZERO).unwrap();
        client.network_up(Instant::ZERO);
        let Some(Output::Connect { uri: server, .. }) = client.poll_output() else { panic!("{uri}") };
        assert_eq!((server.host(), server.port()), (host, port), "{uri}");
    }
}
