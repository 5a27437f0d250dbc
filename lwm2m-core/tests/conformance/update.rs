//! DM terminal specification 7.4: Update, when and what.

use core::time::Duration;

use coap_codec::{Code, ContentFormat, MessageType, OptionNumber};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Interface, Sim, Status, WriteMode};
use lwm2m_core::{Client, Config, Credentials, DataModel, Event, Instant, Key, Output, Path, Peer, Session};

use crate::terminal::*;

const LIFETIME: Path = Path::resource(1, 0, 1);
const UPDATED: Event = Event::Updated { server: 1 };

/// MAX_TRANSMIT_WAIT (RFC 7252, section 4.8.2).
const CYCLE: Duration = secs(93);

#[test]
fn dm_7_4_a_an_update_comes_before_the_day_is_over() {
    for seed in 0..20 {
        let mut sim = registered(seed);
        let (register, before) = (refreshes(&sim)[0].at, sent(&sim).len());
        sim.run_for(DAY);
        let updates = requests(&sim, Code::POST, &location_of(&sim));
        let [update] = &*updates else { panic!("seed {seed}: one Update\n{}", sim.trace) };
        let age = between(register, update.at);
        assert!(age <= DAY - CYCLE, "seed {seed}: {age:?} (reading A21)");
        // What the profile promises besides: the second half, and time for more than one try.
        assert!(age >= DAY / 2 && age <= DAY - secs(250), "seed {seed}: {age:?}");
        assert_eq!((sent(&sim).len() - before, server(&sim).updates_seen()), (1, 1), "seed {seed}\n{}", sim.trace);
        assert_eq!(statuses(&sim), [Status::Registered], "seed {seed}");
    }
}

#[test]
fn dm_7_4_b_every_lifetime_is_kept() {
    for lifetime in [1, 2, 20, 60, 185, 186, 500, 599, 600, 3_600, 86_400, 1 << 31, u32::MAX] {
        let mut sim = living_for(1, lifetime);
        // Bootstrap and Register take some twenty steps, an Update three. More is a busy loop.
        for _ in 0..60 {
            assert!(sim.step());
        }
        let (whole, refreshes) = (secs(u64::from(lifetime)), refreshes(&sim));
        assert!(refreshes[0].query().contains(&format!("lt={lifetime}")), "{:?}", refreshes[0].query());
        assert!(refreshes.len() > 5, "{lifetime} s: {} Updates\n{}", refreshes.len() - 1, sim.trace);
        for pair in refreshes.windows(2) {
            let age = between(pair[0].at, pair[1].at);
            let latest = if lifetime < 186 { whole / 2 } else { whole - CYCLE };
            assert!(age <= latest, "{lifetime} s: an Update after {age:?} (reading A21)\n{}", sim.trace);
            let latest = if lifetime < 600 { whole / 2 } else { whole - secs(250) };
            assert!(age >= whole / 2 && age <= latest, "{lifetime} s: an Update after {age:?} (the profile)");
        }
        assert_eq!(statuses(&sim), [Status::Registered], "{lifetime} s");
        assert_eq!(happened(&sim, Event::Registered { server: 1, lifetime }), 1);
        nobody_complains(&sim);
    }
}

#[test]
fn dm_7_4_c_an_update_goes_to_the_location_segment_by_segment() {
    for (path, expected) in
        [(&["rd", "5a3f"][..], &b"\xb2rd\x045a3f"[..]), (&["a", "b", "c", "d"], b"\xb1a\x01b\x01c\x01d")]
    {
        let mut sim = registered_at(1, path, &[]);
        for _ in 0..2 {
            let update = update(&mut sim);
            assert_eq!((update.message().message_type(), update.code()), (MessageType::Confirmable, Code::POST));
            assert_eq!((&*update.host, update.after_token()), (DM, expected), "{path:?}");
            // A Location is granted by a Register, and by nothing else.
            let elsewhere = (OptionNumber::LOCATION_PATH, &b"elsewhere"[..]);
            answer(&mut sim, &update, MessageType::Acknowledgement, Code::CHANGED, &[elsewhere]);
        }
        assert_eq!(happened(&sim, UPDATED), 2, "{}", sim.trace);
    }
}

#[test]
fn dm_7_4_d_the_query_of_the_location_is_repeated() {
    let mut sim = registered_at(1, &["rd", "5a3f"], &["id=7", "x"]);
    let first = update(&mut sim);
    assert_eq!(first.after_token(), b"\xb2rd\x045a3f\x44id=7\x01x");
    answer(&mut sim, &first, MessageType::Acknowledgement, Code::CHANGED, &[]);
    // What the Update has to say comes besides.
    write_lifetime(&mut sim, 6_000);
    let second = requests(&sim, Code::POST, "/rd/5a3f").pop().unwrap();
    assert_eq!(second.after_token(), b"\xb2rd\x045a3f\x44id=7\x01x\x07lt=6000");
}

#[test]
fn dm_7_4_e_where_nothing_changed_an_update_says_nothing() {
    let mut sim = registered(1);
    let path = location_of(&sim);
    sim.run_for(DAY); // its time has come
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    sim.network_down();
    sim.network_up();
    sim.run_for(secs(1));
    let updates = requests(&sim, Code::POST, &path);
    assert_eq!(updates.len(), 3, "{}", sim.trace);
    for update in updates {
        let message = update.message();
        let only_the_path = message.options().all(|option| option.number == OptionNumber::URI_PATH);
        assert!(only_the_path && message.payload().is_empty(), "{message:?}");
    }
    assert_eq!(happened(&sim, UPDATED), 3);
    nobody_complains(&sim);
}

#[test]
fn dm_7_4_f_a_new_lifetime_is_told_and_nothing_else() {
    let empty = &b"\xb2rd\x045a3f"[..];
    let mut sim = registered_at(1, &["rd", "5a3f"], &[]);
    let mut told = Vec::new();
    let mut answer_last = |sim: &mut Sim<Device>, code| {
        let update = requests(sim, Code::POST, "/rd/5a3f").pop().unwrap();
        told.push(update.after_token()[empty.len()..].to_vec());
        assert!(update.after_token().starts_with(empty), "{}", sim.trace);
        answer(sim, &update, MessageType::Acknowledgement, code, &[]);
    };
    write_lifetime(&mut sim, 6_000);
    // The server did not take it, so it is told again.
    answer_last(&mut sim, Code::INTERNAL_SERVER_ERROR);
    sim.run_for(secs(7));
    // It changes once more while the Update is on its way: that is told next.
    write_lifetime(&mut sim, 7_000);
    answer_last(&mut sim, Code::CHANGED);
    answer_last(&mut sim, Code::CHANGED);
    update(&mut sim);
    answer_last(&mut sim, Code::CHANGED);
    assert_eq!(told, [&b"\x47lt=6000"[..], b"\x47lt=6000", b"\x47lt=7000", b""], "{}", sim.trace);
    // The new lifetime rules: the next Update comes after 0.95 of it.
    let before = requests(&sim, Code::POST, "/rd/5a3f");
    sim.run_for(secs(6_640));
    assert_eq!(requests(&sim, Code::POST, "/rd/5a3f").len(), before.len(), "{}", sim.trace);
    sim.run_for(secs(11));
    let after = requests(&sim, Code::POST, "/rd/5a3f");
    assert!(after.len() > before.len() && after[before.len()].after_token() == empty, "{}", sim.trace);
}

#[test]
fn dm_7_4_f_what_a_refused_update_told_is_told_again() {
    let mut sim = racked(one_server(1));
    let told = |sent: &Sent| (sent.query(), String::from_utf8_lossy(sent.message().payload()).contains("</30000/1>"));
    assert_eq!(told(&update(&mut sim)), (vec![], false), "nothing new");
    for _ in 0..2 {
        server_mut(&mut sim).answer_next(Interface::Update, Code::SERVICE_UNAVAILABLE);
    }
    sim.model.1.levels.insert(1, 7);
    sim.notify(Path::object(30_000));
    sim.run_for(secs(600));
    let [.., one, two, three] = &*refreshes(&sim) else { panic!("three Updates\n{}", sim.trace) };
    assert_eq!([one, two, three].map(told), [(); 3].map(|()| (vec![], true)));
    assert_eq!(told(&update(&mut sim)), (vec![], false), "it was told");
    nobody_complains(&sim);
}

#[test]
fn dm_7_4_g_an_accepted_update_begins_the_lifetime_anew() {
    let mut sim = living_for(1, 3_600);
    sim.run_for(secs(1_000));
    let update = update(&mut sim);
    assert_eq!(times(&sim, UPDATED).len(), 1);
    sim.run_for(secs(3_348));
    assert_eq!(refreshes(&sim).len(), 2, "the old lifetime ended 750 s ago, and nothing was due\n{}", sim.trace);
    sim.run_for(secs(1));
    let next = refreshes(&sim).pop().unwrap();
    assert_eq!(between(update.at, next.at), secs(3_350), "250 s before the end\n{}", sim.trace);

    // Whether it is registered counts from the last exchange, to the microsecond.
    sim.run_for(secs(1));
    let whole = secs(3_600);
    assert!(sim.client.is_registered(next.at + (whole - Duration::from_micros(1)), 1));
    assert!(!sim.client.is_registered(next.at + whole, 1));
    assert_eq!(statuses(&sim), [Status::Registered]);
}

#[test]
fn dm_7_4_m_ten_days_without_flight_mode_are_ten_days_online() {
    for (seed, loss) in (0..5).flat_map(|seed| [(seed, 0), (seed, 200)]) {
        let mut sim = registered(seed);
        sim.network.lose(loss);
        sim.run_for(10 * DAY);
        let mut refreshed = vec![refreshes(&sim)[0].at];
        refreshed.extend(times(&sim, UPDATED));
        refreshed.push(sim.now());
        let longest = refreshed.windows(2).map(|pair| between(pair[0], pair[1])).max().unwrap();
        assert!(longest < DAY, "seed {seed}: {longest:?} without an accepted Update\n{}", sim.trace);
        assert!((10..=12).contains(&happened(&sim, UPDATED)), "seed {seed}\n{}", sim.trace);
        assert_eq!(statuses(&sim), [Status::Registered], "seed {seed}");
        assert_eq!(server(&sim).registers_seen(), 1, "seed {seed}");
    }
}

#[test]
fn dm_7_4_n_a_fleet_that_starts_together_does_not_update_together() {
    const FLEET: usize = 20_000;
    let seconds: Vec<_> =
        (0..FLEET as u64).map(|seed| two_updates(seed).map(|at| at.as_micros() / 1_000_000)).collect();
    for (round, begin) in [(0, 43_200), (1, 43_200 + 82_080)] {
        let mut at: Vec<_> = seconds.iter().map(|both| both[round]).collect();
        at.sort_unstable();
        // The room is 42 950 s: half a device for each second.
        let busiest = at.chunk_by(|one, other| one == other).map(<[u64]>::len).max().unwrap();
        assert!(busiest <= 7, "round {round}: {busiest} in a second");
        let mut tenths = [0; 10];
        at.iter().for_each(|at| tenths[((at - begin) * 10 / 42_951) as usize] += 1);
        assert!(tenths.iter().all(|count| (1_800..2_200).contains(count)), "round {round}: {tenths:?}");
    }
}

// ----- helpers ------------------------------------------------------------------------------------

#[track_caller]
fn write_lifetime(sim: &mut Sim<Device>, seconds: u32) {
    let text = seconds.to_string();
    let write =
        sim.ask(0, |server| server.write(LIFETIME, ContentFormat::TEXT_PLAIN, text.as_bytes(), WriteMode::Replace));
    assert_eq!(write.code(), Some(Code::CHANGED));
}

/// A client at work without a simulator, which ten thousand of them would keep busy for long: when
/// its first two Updates leave, with a server that grants everything at once.
fn two_updates(seed: u64) -> [Instant; 2] {
    let config = Config::new("x", Key::from_seed(seed)).server(1, "coap://dm.example", Credentials::NoSec, 86_400);
    let mut client = Client::new(config, Instant::ZERO).unwrap();
    let mut device = Device::new("Example Works", "TM-1");
    client.network_up(Instant::ZERO);
    let Some(Output::Connect { peer, .. }) = client.poll_output() else { panic!("no Connect") };
    client.connected(Instant::ZERO, peer, Session::New, &mut device);
    assert!(granted(&mut client, peer, Instant::ZERO, b"\x82rd\x045a3f", &mut device).path() == "/rd");
    [(); 2].map(|()| {
        let at = client.poll_timeout().unwrap();
        client.handle_timeout(at, &mut device);
        assert!(granted(&mut client, peer, at, b"", &mut device).path() == "/rd/5a3f");
        at
    })
}

/// What the client sent, once it is answered: 2.01 with these options, or 2.04 without any.
fn granted(client: &mut Client, peer: Peer, at: Instant, options: &[u8], model: &mut dyn DataModel) -> Sent {
    let Some(Output::Transmit { datagram, .. }) = client.poll_output() else { panic!("nothing was sent") };
    let sent = Sent { at, host: String::new(), bytes: datagram.to_vec() };
    let code = if options.is_empty() { Code::CHANGED } else { Code::CREATED };
    let mut reply = sent.bytes[..4 + 8].to_vec();
    (reply[0], reply[1]) = (0x68, code.to_byte());
    reply.extend(options);
    client.handle_datagram(at, peer, &reply, model);
    assert!(client.poll_output().is_none());
    sent
}
