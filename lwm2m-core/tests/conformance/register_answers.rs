//! DM terminal specification 7.3: what a Register is answered, and what the terminal makes of it.

use core::ops::RangeInclusive;
use core::time::Duration;

use coap_codec::{Code, ContentFormat, Header, MessageId, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Accepts, Answering, Direction, Sim};
use lwm2m_core::{Config, Credentials, Event, FailureKind, Instant, Reason};

use crate::terminal::*;

const REGISTERED: Event = Event::Registered { server: 1, lifetime: 86_400 };
/// Location-Path of a registration at `/rd/5a3f`.
const LOCATION: [(OptionNumber, &[u8]); 2] =
    [(OptionNumber::LOCATION_PATH, b"rd"), (OptionNumber::LOCATION_PATH, b"5a3f")];
/// A datagram takes so long from the platform to the device.
const DELAY: Duration = Duration::from_millis(30);

#[test]
fn dm_7_3_i_a_known_name_is_registered_with_its_location_and_lifetime() {
    let mut sim = terminal(1);
    server_mut(&mut sim).accepts = Accepts::Only(vec!["somebody else".to_string(), NAME.to_string()]);
    sim.network_up();
    sim.run_for(secs(10));
    let (_, answer) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!(answer.code(), Code::CREATED);
    assert_eq!(times(&sim, REGISTERED), [answer.at + DELAY]);
    let message = answer.message();
    assert!(message.location_path().count() > 0 && sim.client.location(1).eq(message.location_path()));
    assert!(sim.client.is_registered(sim.now(), 1));
    let online = server(&sim).registration().expect("it is online");
    assert_eq!((&*online.endpoint, online.lifetime, &*online.binding), (NAME, 86_400, "U"));
    nobody_complains(&sim);
}

#[test]
fn dm_7_3_j_a_name_that_is_refused_is_tried_again_after_a_pause() {
    for (accepts, code) in [
        (Accepts::Only(vec!["somebody else".to_string()]), Code::FORBIDDEN),
        (Accepts::Nobody(Code::BAD_REQUEST), Code::BAD_REQUEST),
        (Accepts::Nobody(Code::UNAUTHORIZED), Code::UNAUTHORIZED),
    ] {
        let mut sim = refused(accepts, Reason::Code(code));
        assert_eq!(Reason::Code(code).kind(), FailureKind::Authentication);
        // A platform that does not change its mind is not stormed. Only a new bootstrap, after five
        // refusals, brings a Register without a pause: it may have brought another account.
        sim.run_for(DAY);
        let (registers, fresh) = (requests(&sim, Code::POST, "/rd"), times(&sim, Event::BootstrapFinished));
        let patient = |pair: &[Sent]| between(pair[0].at, pair[1].at) >= secs(60) || fresh.contains(&pair[1].at);
        assert!(registers.windows(2).all(patient) && registers.len() < 24 * 60, "{code}\n{}", sim.trace);
        assert!(fresh.len() <= registers.len() / 5 + 1, "{code}: {} bootstraps", fresh.len());
        server_mut(&mut sim).accepts = Accepts::Anyone;
        assert!(sim.run_until(DAY, |sim| server(sim).registration().is_some()), "{code}");
        sim.run_for(secs(1));
        assert_eq!(happened(&sim, REGISTERED), 1, "{code}");
    }
}

/// Locations that the simulated server does not give; it is silent, and its answers are forged.
#[test]
fn dm_7_3_k_a_location_is_kept_and_used_as_it_is() {
    let longest = "x".repeat(255);
    for segments in [
        &["rd", "5a3f"][..],
        &["a", "b", "c", "d"],
        &["5a3f"],
        &["rd", "überall-注册"],
        &["rd", "%41%2F b?c=d&e"],
        &["rd", "", "x"],
        &["rd", &longest],
    ] {
        let (mut sim, register) = asking(dm(1));
        let granted: Vec<_> = segments.iter().map(|text| (OptionNumber::LOCATION_PATH, text.as_bytes())).collect();
        answer(&mut sim, &register, Code::CREATED, &granted);
        assert_eq!(happened(&sim, REGISTERED), 1, "{segments:?}\n{}", sim.trace);
        assert!(sim.client.location(1).eq(segments.iter().map(|segment| segment.as_bytes())), "{segments:?}");

        sim.update(1).unwrap();
        sim.run_for(secs(1));
        let update = sent(&sim).pop().expect("an Update");
        answer(&mut sim, &update, Code::CHANGED, &[]);
        assert_eq!(happened(&sim, Event::Updated { server: 1 }), 1, "{segments:?}\n{}", sim.trace);
        sim.shutdown();
        let delete = sent(&sim).pop().expect("a De-register");
        for (request, method) in [(update, Code::POST), (delete, Code::DELETE)] {
            let message = request.message();
            assert_eq!((message.message_type(), message.code()), (MessageType::Confirmable, method), "{segments:?}");
            // Nothing but the path.
            let said = message.options().map(|option| (option.number, option.value));
            let path = segments.iter().map(|segment| (OptionNumber::URI_PATH, segment.as_bytes()));
            assert!(said.eq(path) && message.payload().is_empty(), "{segments:?}: {message:?}");
        }
    }
}

#[test]
fn dm_7_3_l_success_without_a_location_is_a_failure() {
    let query: [(OptionNumber, &[u8]); 1] = [(OptionNumber::LOCATION_QUERY, b"id=5a3f")];
    for options in [&[][..], &query] {
        let (mut sim, register) = asking(dm(1));
        answer(&mut sim, &register, Code::CREATED, options);
        next_try(&mut sim, &register, Reason::BadAnswer, 60..=90);
    }
}

/// With everything else as it should be.
#[test]
fn dm_7_3_m_another_success_than_2_01_is_a_failure() {
    for code in [Code::CHANGED, Code::CONTENT] {
        let (mut sim, register) = asking(dm(1));
        answer(&mut sim, &register, code, &LOCATION);
        next_try(&mut sim, &register, Reason::Code(code), 60..=90);
    }
}

#[test]
fn dm_7_3_n_a_separate_response_registers_and_is_acknowledged_when_it_is_confirmable() {
    for (acknowledged, kind) in [
        (true, MessageType::Confirmable),
        (true, MessageType::NonConfirmable),
        // The acknowledgement was lost: the response stands for it (RFC 7252, section 5.2.2).
        (false, MessageType::Confirmable),
        (false, MessageType::NonConfirmable),
    ] {
        let (mut sim, register) = asking(dm(1));
        if acknowledged {
            let empty = Header::empty(MessageType::Acknowledgement, register.message().message_id());
            sim.forge(DM, &empty.to_bytes());
            sim.run_for(secs(80));
            assert_eq!(times(&sim, REGISTERED), [], "{kind:?}");
        }
        let before = sent(&sim).len();
        let response = response_to(&register, Some((kind, MessageId(0x1234))), Code::CREATED, &LOCATION);
        let at = sim.now() + DELAY;
        for said in 1..=2 {
            sim.forge(DM, &response);
            sim.run_for(secs(1));
            let acknowledgements: Vec<_> = sent(&sim)[before..].iter().map(|sent| sent.bytes.clone()).collect();
            let expected = if kind == MessageType::Confirmable { said } else { 0 };
            assert_eq!(acknowledgements, vec![b"\x60\x00\x12\x34"; expected], "{acknowledged}, {kind:?}");
        }
        sim.run_for(secs(300));
        assert_eq!(requests(&sim, Code::POST, "/rd").len(), 1, "{acknowledged}, {kind:?}\n{}", sim.trace);
        assert_eq!(times(&sim, REGISTERED), [at], "{acknowledged}, {kind:?}");
        assert!(sim.client.location(1).eq([b"rd".as_slice(), b"5a3f"]), "{acknowledged}, {kind:?}");
    }
}

#[test]
fn dm_7_3_o_a_version_that_is_refused_is_tried_again_after_a_pause() {
    let refusal = Reason::Code(Code::PRECONDITION_FAILED);
    let sim = refused(Accepts::Nobody(Code::PRECONDITION_FAILED), refusal);
    assert_eq!(refusal.kind(), FailureKind::Version);
    assert_eq!(happened(&sim, REGISTERED), 0);
}

#[test]
fn dm_7_3_p_trouble_at_the_server_is_waited_out() {
    let (unavailable, internal) = (Code::SERVICE_UNAVAILABLE, Code::INTERNAL_SERVER_ERROR);
    // The first pause between tries, Max-Age as it is sent, and how long it is to the next try.
    for (code, first, max_age, pause) in [
        (internal, 60, None, 60..=90),
        (unavailable, 60, Some(&[30][..]), 60..=90),
        // With a pause that is shorter it is Max-Age that counts.
        (unavailable, 2, Some(&[30]), 30..=30),
        (unavailable, 60, Some(&[0x03, 0xe8]), 1_000..=1_000),
        // It is 60 s when the server does not say it (RFC 7252, section 5.10.5).
        (unavailable, 2, None, 60..=60),
        (internal, 2, None, 2..=3),
    ] {
        let mut config = dm(1);
        config.registration.backoff.first = secs(first);
        let (mut sim, register) = asking(config);
        let options: Vec<_> = max_age.into_iter().map(|value| (OptionNumber::MAX_AGE, value)).collect();
        answer(&mut sim, &register, code, &options);
        next_try(&mut sim, &register, Reason::Code(code), pause);
        assert_eq!(Reason::Code(code).kind(), FailureKind::Server);
    }

    // No answer: five times the same datagram, and a failure after 31 timeouts (section 4.2).
    for seed in 0..10 {
        let (mut sim, register) = asking(dm(seed));
        sim.run_for(secs(94));
        let tries = requests(&sim, Code::POST, "/rd");
        let first = between(tries[0].at, tries[1].at);
        assert!((secs(2)..=secs(3)).contains(&first), "{first:?}");
        assert!(tries.iter().map(|sent| between(register.at, sent.at)).eq([0, 1, 3, 7, 15].map(|n| first * n)));
        assert!(tries.iter().all(|sent| sent.bytes == register.bytes), "{}", sim.trace);
        assert_eq!(failed(&sim, Reason::TimedOut), register.at + first * 31);
        next_try(&mut sim, &register, Reason::TimedOut, 60..=90);
        assert_eq!(Reason::TimedOut.kind(), FailureKind::Timeout);
    }
}

#[test]
fn dm_7_3_q_requests_before_the_2_01_are_ignored() {
    let observe = datagram(MessageType::NonConfirmable, Code::GET, 0x7002, b"\xd2", |writer| {
        writer.observe(0)?;
        ["3", "0", "9"].into_iter().try_for_each(|segment| writer.uri_path(segment))
    });
    let requests = [
        request(Code::GET, "/3/0/9", 0x7001, b"\xd1", None),
        observe,
        request(Code::PUT, "/1/0/1", 0x7003, b"\xd3", Some((ContentFormat::TEXT_PLAIN, b"60"))),
        request(Code::POST, "/3/0/4", 0x7004, b"\xd4", None),
    ];
    let (mut sim, register) = asking(dm(1));
    let before = (sent(&sim).len(), news(&sim).len());
    requests.iter().for_each(|request| sim.forge(DM, request));
    sim.run_for(secs(1));
    assert_eq!((sent(&sim).len(), news(&sim).len()), before, "{}", sim.trace);

    answer(&mut sim, &register, Code::CREATED, &LOCATION);
    assert_eq!(news(&sim)[before.1..], [REGISTERED]);
    assert_eq!(sent(&sim).len(), before.0, "what came too early is not answered late\n{}", sim.trace);
    // What was to be written was not.
    sim.forge(DM, &request(Code::GET, "/1/0/1", 0x7005, b"\xd5", None));
    sim.run_for(secs(1));
    let lifetime = sent(&sim).pop().expect("an answer");
    assert_eq!((lifetime.code(), lifetime.message().payload()), (Code::CONTENT, &b"86400"[..]));
    // Repeated by a server that has its 2.01 on the way, each is served: they were not malformed, and
    // are no duplicates.
    requests.iter().for_each(|request| sim.forge(DM, request));
    sim.run_for(secs(1));
    let answers: Vec<_> = sent(&sim)[before.0 + 1..].iter().map(Sent::code).filter(|code| code.is_response()).collect();
    assert_eq!(answers, [Code::CONTENT, Code::CONTENT, Code::CHANGED, Code::CHANGED], "{}", sim.trace);
}

#[test]
fn dm_7_3_r_a_2_01_that_is_lost_or_doubled_makes_one_registration() {
    for doubled in [false, true] {
        let mut sim = terminal(1);
        if doubled {
            server_mut(&mut sim).answering = Answering::Twice;
        }
        sim.network_up();
        assert!(sim.run_until(secs(60), |sim| !requests(sim, Code::POST, "/rd").is_empty()));
        if !doubled {
            sim.network.lose_next(Direction::ToDevice);
        }
        sim.run_for(secs(300));
        let registers = requests(&sim, Code::POST, "/rd");
        let grants: Vec<_> = heard(&sim).into_iter().filter(|sent| sent.code() == Code::CREATED).collect();
        assert!(grants.len() == 2 && grants[0].bytes == grants[1].bytes, "{}", sim.trace);
        let taken = if doubled {
            assert_eq!(registers.len(), 1, "{}", sim.trace);
            &grants[0]
        } else {
            let [first, second] = &*registers else { panic!("sent once more\n{}", sim.trace) };
            assert_eq!(first.bytes, second.bytes);
            assert!((secs(2)..=secs(3)).contains(&between(first.at, second.at)), "{}", sim.trace);
            &grants[1]
        };
        assert_eq!(times(&sim, REGISTERED), [taken.at + DELAY], "{}", sim.trace);
        assert_eq!((server(&sim).registers_seen(), server(&sim).history().len()), (1, 1));
        assert!(sim.client.location(1).eq(taken.message().location_path()));
        nobody_complains(&sim);
    }
}

#[test]
fn dm_7_3_s_an_answer_with_an_unknown_critical_option_is_rejected() {
    let id = MessageId(0x1234);
    let separate = |kind| Some((kind, id));
    for (form, own) in
        [("ACK", None), ("CON", separate(MessageType::Confirmable)), ("NON", separate(MessageType::NonConfirmable))]
    {
        for number in [9, 65_001] {
            let (mut sim, register) = asking(dm(1));
            let before = sent(&sim).len();
            let response = with_option(&register, own, number);
            sim.forge(DM, &response);
            sim.run_for(secs(1));
            assert_eq!(failed(&sim, Reason::BadAnswer), register.at + DELAY, "{form}, {number}");
            let rejections: Vec<_> = sent(&sim)[before..].iter().map(|sent| sent.bytes.clone()).collect();
            // An acknowledgement is rejected in silence; a NON may be (RFC 7252, sections 4.2 and 4.3).
            let expected = if form == "CON" { vec![b"\x70\x00\x12\x34"] } else { vec![] };
            assert_eq!(rejections, expected, "{form}, {number}");
            next_try(&mut sim, &register, Reason::BadAnswer, 60..=90);
            assert_eq!(happened(&sim, REGISTERED), 0, "{form}, {number}");
        }
        // It is not the number that is strange, but that it is critical.
        let (mut sim, register) = asking(dm(1));
        sim.forge(DM, &with_option(&register, own, 65_000));
        sim.run_for(secs(1));
        assert_eq!(happened(&sim, REGISTERED), 1, "{form}\n{}", sim.trace);
    }
}

/// A terminal that sent its first Register to a server which says nothing by itself.
fn asking(config: Config) -> (Sim<Device>, Sent) {
    let config = config.bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut sim = Sim::new(config, device(), 1);
    server_mut(&mut sim).go_down();
    sim.network_up();
    assert!(sim.run_until(secs(60), |sim| !requests(sim, Code::POST, "/rd").is_empty()));
    let register = requests(&sim, Code::POST, "/rd").remove(0);
    (sim, register)
}

/// A piggybacked answer in the server's name arrives.
fn answer(sim: &mut Sim<Device>, request: &Sent, code: Code, options: &[(OptionNumber, &[u8])]) {
    sim.forge(DM, &response_to(request, None, code, options));
    sim.run_for(DELAY);
}

/// A 2.01 that lacks nothing, and has this option too.
fn with_option(request: &Sent, own: Option<(MessageType, MessageId)>, number: u16) -> Vec<u8> {
    let mut options = LOCATION.to_vec();
    options.push((OptionNumber(number), b"?"));
    response_to(request, own, Code::CREATED, &options)
}

/// A terminal that was refused at its first try, after a pause at its second, and after a longer one
/// at its third.
#[track_caller]
fn refused(accepts: Accepts, reason: Reason) -> Sim<Device> {
    let mut sim = terminal(1);
    server_mut(&mut sim).accepts = accepts;
    sim.network_up();
    sim.run_for(secs(1));
    let (first, answer) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!(failed(&sim, reason), answer.at + DELAY);
    let second = next_try(&mut sim, &first, reason, 60..=90);
    sim.run_for(secs(1));
    next_try(&mut sim, &second, reason, 120..=180);
    sim.run_for(secs(1));
    assert_eq!((server(&sim).registers_seen(), server(&sim).registration()), (3, None), "{}", sim.trace);
    assert_eq!(sim.platform.bootstrap.requests_seen(), 1);
    sim
}

/// When a Register failed last.
#[track_caller]
fn failed(sim: &Sim<Device>, reason: Reason) -> Instant {
    let failures = sim.events().filter(|(_, event)| matches!(event, Event::RegistrationFailed { .. }));
    let (at, event) = failures.last().unwrap_or_else(|| panic!("no failure\n{}", sim.trace));
    assert_eq!(event, Event::RegistrationFailed { server: 1, reason }, "{}", sim.trace);
    at
}

/// The Register failed. The next datagram is another one, as a new message with the same words, and
/// leaves so many seconds after the failure.
#[track_caller]
fn next_try(sim: &mut Sim<Device>, register: &Sent, reason: Reason, pause: RangeInclusive<u64>) -> Sent {
    let failed = failed(sim, reason);
    assert!(!sim.client.is_registered(sim.now(), 1) && sim.client.location(1).next().is_none());
    let before = sent(sim).len();
    assert!(sim.run_until(DAY, |sim| sent(sim).len() > before), "{}", sim.trace);
    let next = sent(sim).remove(before);
    assert_eq!(pattern(&next.bytes), pattern(&register.bytes), "{}", sim.trace);
    assert_ne!(next.message().token(), register.message().token());
    assert_ne!(next.message().message_id(), register.message().message_id());
    let waited = between(failed, next.at);
    assert!((secs(*pause.start())..=secs(*pause.end())).contains(&waited), "{reason:?}: {waited:?}\n{}", sim.trace);
    next
}
