//! Sleep with the memory off, and restart: what a snapshot brings back.

use core::hash::Hasher as _;
use core::time::Duration;

use coap_codec::{BlockValue, Code, Message, MessageType, OptionNumber};
use lwm2m_core::{
    AccessControl, Client, Config, Credentials, Instant, Key, Output, Path, Rights, Security, Session, SnapshotError,
    Wake,
};
use siphasher::sip::SipHasher13;

use crate::common::{BATTERY, Desk, Server, nothing, secs};

fn snapshot(desk: &Desk) -> Vec<u8> {
    let mut buffer = [0; 1_024];
    let len = desk.client.snapshot(desk.now, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

/// The same desk, its client restored, on a clock that began anew.
fn wake(desk: &Desk, wake: Wake) -> Desk {
    let mut woken = desk.clone();
    let bytes = snapshot(desk);
    woken.now = Instant::from_secs(3);
    woken.client = Client::restore(desk.client.config().clone(), &bytes, woken.now, wake).unwrap();
    woken.session = Session::Resumed;
    woken.sent.clear();
    woken.events.clear();
    woken
}

fn observed() -> Desk {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.receive(&observe);
    desk
}

#[test]
fn a_client_that_slept_sends_what_one_that_never_slept_sends() {
    let mut awake = observed();
    awake.sent.clear();
    let elapsed = secs(6 * 3_600);
    let mut slept = wake(&awake, Wake::Sleep { elapsed });
    awake.pass(elapsed);
    assert_eq!(awake.sent, [], "nothing was due meanwhile");

    for desk in [&mut awake, &mut slept] {
        desk.model.inner.battery_level = Some(42);
        desk.timeout();
        desk.client.notify(desk.now, BATTERY, &mut desk.model);
        desk.drain();
        desk.pass(secs(86_400));
    }
    let bytes = |desk: &Desk| desk.sent.iter().map(|(_, _, datagram)| datagram.clone()).collect::<Vec<_>>();
    assert_eq!(bytes(&awake), bytes(&slept));
    let first = Message::parse(&slept.sent[0].2).unwrap();
    assert_eq!((first.code(), first.payload()), (Code::CONTENT, &b"42"[..]), "the observation lives on");
    // And at the same moments.
    let start = (awake.sent[0].0, slept.sent[0].0);
    for (one, other) in awake.sent.iter().zip(&slept.sent) {
        assert_eq!(one.0.saturating_duration_since(start.0), other.0.saturating_duration_since(start.1));
    }
}

#[test]
fn a_server_reaches_a_client_that_woke_without_a_new_registration() {
    let desk = observed();
    let mut slept = wake(&desk, Wake::Sleep { elapsed: secs(60) });
    slept.timeout();
    assert_eq!(slept.sent, [], "no message was due");
    let answer = slept.ask(Code::GET, "/3/0/0", nothing);
    assert_eq!(Message::parse(&answer).unwrap().code(), Code::CONTENT);
}

#[test]
fn a_sleep_longer_than_the_lifetime_ends_in_a_new_registration() {
    let desk = observed();
    let elapsed = secs(100_000);
    let mut slept = wake(&desk, Wake::Sleep { elapsed });
    slept.timeout();
    let first = Message::parse(&slept.sent[0].2).unwrap();
    assert!(first.uri_path().eq([b"rd".as_slice()]), "a Register");
}

#[test]
fn the_day_in_which_one_notification_is_confirmable_goes_on_over_a_sleep() {
    let mut config = Desk::config(1, 86_400);
    config.confirmable_notifications = false;
    for (hours, kind) in [(22, MessageType::NonConfirmable), (24, MessageType::Confirmable)] {
        let mut desk = Desk::registered(config.clone());
        let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
        desk.receive(&observe);
        // In two parts, with an Update between.
        let mut slept = wake(&desk, Wake::Sleep { elapsed: secs(20 * 3_600) });
        slept.client.update(slept.now, 1).unwrap();
        slept.timeout();
        let mut slept = wake(&slept, Wake::Sleep { elapsed: secs((hours - 20) * 3_600) });
        slept.timeout();
        slept.battery(42);
        let told = slept.last(Code::CONTENT);
        assert_eq!(Message::parse(&told).unwrap().message_type(), kind, "after {hours} h");
    }
}

#[test]
fn a_value_that_moved_a_little_is_told_when_its_longest_period_is_over_after_a_sleep_too() {
    for moved in [true, false] {
        let mut desk = observed();
        for attribute in ["st=50", "pmax=600"] {
            let attributes = desk.request(Code::PUT, "/3/0/9", |writer| {
                writer.option(OptionNumber::URI_QUERY, attribute.as_bytes()).unwrap();
            });
            desk.receive(&attributes);
        }
        desk.battery(if moved { 81 } else { 80 });
        desk.client.network_down(desk.now);
        let mut slept = wake(&desk, Wake::Sleep { elapsed: secs(60) });
        slept.pass(secs(600));
        assert_eq!(slept.client.stored_notifications(), usize::from(moved));
    }
}

#[test]
fn what_a_server_could_not_be_told_and_might_not_read_is_told_after_a_sleep_though_it_is_no_step() {
    for sleeps in [false, true] {
        let mut desk = observed();
        let step = desk.request(Code::PUT, "/3/0/9", |writer| {
            writer.option(OptionNumber::URI_QUERY, b"st=50").unwrap();
        });
        desk.receive(&step);
        desk.client.network_down(desk.now);
        // A step, made to be told later; then it is withheld.
        desk.battery(20);
        assert_eq!(desk.client.stored_notifications(), 1);
        let rights = |desk: &mut Desk, rights: Rights| {
            let about = AccessControl { path: Path::instance(3, 0), owner: 1, acl: vec![(1, rights)] };
            desk.client.set_access(desk.now, &about, &mut desk.model).unwrap();
            desk.drain();
        };
        rights(&mut desk, Rights::NONE);
        assert_eq!(desk.client.stored_notifications(), 0);
        desk.sent.clear();
        desk.client.network_up(desk.now);
        desk.pass(secs(1));
        assert!(desk.messages(0).iter().all(|message| message.payload() != b"20"), "it may not read");
        if sleeps {
            desk = wake(&desk, Wake::Sleep { elapsed: secs(60) });
        }
        rights(&mut desk, Rights::ALL);
        desk.pass(secs(10));
        let told: Vec<_> = desk.messages(0).iter().map(|message| message.payload().to_vec()).collect();
        assert!(told.contains(&b"20".to_vec()), "asleep: {sleeps}; it heard of 80 last: {told:?}");
    }
}

#[test]
fn a_restart_keeps_accounts_and_counters_and_boots() {
    let desk = observed();
    let mut restarted = wake(&desk, Wake::Restart);
    assert_eq!(restarted.client.poll_timeout(), None, "no network yet");
    restarted.client.network_up(restarted.now);
    restarted.drain();
    let register = Message::parse(&restarted.sent[0].2).unwrap();
    let earlier: Vec<_> = desk.sent.iter().map(|(_, _, datagram)| Message::parse(datagram).unwrap()).collect();
    assert!(earlier.iter().all(|message| message.token() != register.token()));
    assert!(earlier.iter().all(|message| message.message_id() != register.message_id()));
}

#[test]
fn damage_is_found_wherever_it_is() {
    let desk = observed();
    let good = snapshot(&desk);
    assert!(good.len() <= 256, "{} bytes", good.len());
    let restore = |bytes: &[u8]| {
        let wake = Wake::Sleep { elapsed: Duration::ZERO };
        Client::restore(desk.client.config().clone(), bytes, Instant::ZERO, wake).map(|_| ())
    };
    assert_eq!(restore(&good), Ok(()));
    for len in 0..good.len() {
        assert_eq!(restore(&good[..len]), Err(SnapshotError::Damaged));
    }
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(restore(&bad), Err(SnapshotError::Damaged), "bit {bit}");
    }
}

/// The same bytes with a checksum that fits: no damage, but what nobody need have written.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 4;
    let mut hasher = SipHasher13::new();
    hasher.write(&bytes[..end]);
    bytes[end..].copy_from_slice(&hasher.finish().to_le_bytes()[..4]);
    bytes
}

#[test]
fn what_no_client_wrote_is_refused_or_lived_with() {
    let mut desk = observed();
    desk.ask(Code::PUT, "/3/0/9", |writer| writer.option(OptionNumber::URI_QUERY, b"pmin=7&gt=5").unwrap());
    let good = snapshot(&desk);
    assert_eq!(sealed(good.clone()), good);
    let restore = |bytes: &[u8]| {
        let wake = Wake::Sleep { elapsed: secs(60) };
        Client::restore(desk.client.config().clone(), &sealed(bytes.to_vec()), desk.now, wake)
    };
    let (mut refused, mut kept) = (0, 0);
    for at in 0..good.len() - 4 {
        for value in [0, 1, 4, 0x7F, 0xFF, good[at] ^ 1] {
            let mut odd = good.clone();
            odd[at] = value;
            let Ok(client) = restore(&odd) else {
                refused += 1;
                continue;
            };
            let mut woken = desk.clone();
            woken.client = client;
            woken.pass(secs(60));
            assert!(restore(&snapshot(&woken)).is_ok(), "{value} at {at}");
            kept += 1;
        }
    }
    assert!(refused > 200 && kept > 500, "{refused} {kept}");
    for (end, expected) in [(3, SnapshotError::Damaged), (good.len() - 5, SnapshotError::Damaged)] {
        let cut = [&good[..end], &[0; 4]].concat();
        assert_eq!(restore(&cut).map(|_| ()), Err(expected), "{end}");
    }
    let more = [&good[..good.len() - 4], &[0; 5]].concat();
    assert_eq!(restore(&more).map(|_| ()), Err(SnapshotError::Damaged), "there is more than there should be");
    let other = [b"LM\x00", &good[3..]].concat();
    assert_eq!(restore(&other).map(|_| ()), Err(SnapshotError::Version));
}

#[test]
fn a_bootstrap_that_goes_on_begins_anew_after_a_sleep_with_the_accounts_from_before_it() {
    let mut config = Desk::config(1, 86_400).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.at_every_start = true;
    for commands in [&[][..], &["/0", "/1"]] {
        let mut desk = Desk::new(config.clone());
        desk.server = if commands.is_empty() { Server::Silent } else { Server::Grants };
        desk.client.network_up(desk.now);
        desk.drain();
        for path in commands {
            let answer = desk.ask(Code::DELETE, path, nothing);
            assert_eq!(Message::parse(&answer).unwrap().code(), Code::DELETED);
        }
        let mut woken = wake(&desk, Wake::Sleep { elapsed: secs(60) });
        assert_eq!(woken.client.servers().collect::<Vec<_>>(), [1]);
        woken.server = Server::Silent;
        woken.timeout();
        let again = woken.messages(0);
        assert_eq!(again.len(), 1, "{again:?}");
        assert!(again[0].uri_path().eq([b"bs".as_slice()]));
    }
}

#[test]
fn the_first_network_connection_may_come_after_a_sleep() {
    let mut config = Desk::config(1, 86_400).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.at_every_start = true;
    let mut woken = wake(&Desk::new(config), Wake::Sleep { elapsed: secs(60) });
    woken.server = Server::Silent;
    woken.client.network_up(woken.now);
    woken.pass(secs(1));
    let first = woken.messages(0);
    assert!(first[0].uri_path().eq([b"bs".as_slice()]), "{first:?}");
}

#[test]
fn a_key_that_the_device_was_made_with_need_not_be_in_a_snapshot() {
    let psk = Credentials::Psk { identity: b"me".to_vec(), key: b"of the factory".to_vec() };
    let config = Config::new("x", Key::from_seed(1)).server(1, "coaps://dm.example", psk, 86_400);
    let mut desk = Desk::registered(config);
    let bytes = snapshot(&desk);
    assert!(!bytes.windows(7).any(|part| part == b"factory"));
    for wake in [Wake::Sleep { elapsed: secs(60) }, Wake::Restart] {
        let mut client = Client::restore(desk.client.config().clone(), &bytes, Instant::ZERO, wake).unwrap();
        client.network_up(Instant::ZERO);
        client.handle_timeout(Instant::ZERO, &mut desk.model);
        let Some(Output::Connect { security: Security::Psk { identity, key }, .. }) = client.poll_output() else {
            panic!("a session with its server, {wake:?}")
        };
        assert_eq!((identity, key), (&b"me"[..], &b"of the factory"[..]));
    }
}

#[test]
fn who_has_left_for_good_is_silent_after_a_sleep_too() {
    for power_off in [false, true] {
        let mut desk = observed();
        if power_off {
            desk.client.shutdown(desk.now);
        } else {
            desk.client.enter_flight_mode(desk.now);
        }
        desk.drain();
        let mut woken = wake(&desk, Wake::Sleep { elapsed: secs(60) });
        woken.client.network_down(woken.now);
        woken.client.network_up(woken.now);
        woken.pass(secs(86_400));
        assert_eq!(woken.sent, [], "power off: {power_off}");
        woken.client.leave_flight_mode(woken.now);
        woken.pass(secs(1));
        assert_eq!(woken.sent.is_empty(), power_off, "one comes back from a flight");
    }
}

#[test]
fn what_fills_the_limits_comes_back_and_what_goes_beyond_them_does_not() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    for path in ["/3", "/3/0", "/3/0/9"] {
        desk.ask(Code::PUT, path, |writer| writer.option(OptionNumber::URI_QUERY, b"pmin=7").unwrap());
    }
    let bytes = snapshot(&desk);
    let restored = |limit: &dyn Fn(&mut Config)| {
        let mut config = desk.client.config().clone();
        limit(&mut config);
        let client = Client::restore(config, &bytes, Instant::ZERO, Wake::Sleep { elapsed: secs(1) });
        client.map(|client| client.servers().count())
    };
    let uri = "coap://dm.example".len();
    for (attributes, value, expected) in [
        (4, uri + 1, Ok(1)),
        (3, uri, Ok(1)),
        (2, uri, Err(SnapshotError::Limits)),
        (0, uri, Err(SnapshotError::Limits)),
        (3, uri - 1, Err(SnapshotError::Limits)),
        (3, 1, Err(SnapshotError::Limits)),
    ] {
        let limits = |config: &mut Config| (config.limits.attributes, config.limits.value) = (attributes, value);
        assert_eq!(restored(&limits), expected, "{attributes} {value}");
    }
    let location = |location| restored(&move |config| config.limits.location = location);
    assert_eq!((location(64), location(1)), (Ok(1), Err(SnapshotError::Limits)));
    let observed = snapshot(&observed());
    for (observations, expected) in [(1, Ok(())), (0, Err(SnapshotError::Limits))] {
        let mut config = Desk::config(1, 86_400);
        config.limits.observations = observations;
        let client = Client::restore(config, &observed, Instant::ZERO, Wake::Sleep { elapsed: secs(1) });
        assert_eq!(client.map(|_| ()), expected);
    }
}

#[test]
fn an_observer_that_asked_for_the_largest_blocks_gets_them_after_a_sleep() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let largest = BlockValue::new(0, false, BlockValue::MAX_SZX).unwrap();
    let observe = desk.request(Code::GET, "/3/0", |writer| {
        writer.observe(0).unwrap();
        writer.block2(largest).unwrap();
    });
    desk.receive(&observe);
    let mut woken = wake(&desk, Wake::Sleep { elapsed: secs(60) });
    woken.timeout();
    woken.battery(42);
    let told = woken.last(Code::CONTENT);
    assert_eq!(Message::parse(&told).unwrap().block2(), Some(Ok(largest)));
}

#[test]
fn a_short_buffer_says_how_much_is_needed() {
    let desk = observed();
    let good = snapshot(&desk);
    for len in 0..good.len() {
        let short = desk.client.snapshot(desk.now, &mut vec![0; len]);
        assert_eq!(short, Err(SnapshotError::NoSpace { needed: good.len() }));
    }
}

#[test]
fn what_a_snapshot_has_no_room_for_is_made_up_for_by_the_value_of_now() {
    for room in [0, 100] {
        let mut desk = observed();
        let bare = snapshot(&desk).len();
        desk.client.network_down(desk.now);
        for level in [41, 42] {
            desk.battery(level);
        }
        let mut buffer = vec![0; bare + room];
        let len = desk.client.snapshot(desk.now, &mut buffer).unwrap();
        assert!(len >= bare && len <= bare + room);
        let wake = Wake::Sleep { elapsed: secs(60) };
        desk.client = Client::restore(desk.client.config().clone(), &buffer[..len], desk.now, wake).unwrap();
        assert_eq!(desk.client.dropped_notifications(), if room == 0 { 2 } else { 0 });
        desk.sent.clear();
        desk.client.network_up(desk.now);
        desk.pass(secs(10));
        let told: Vec<_> = desk.messages(0).iter().map(|message| message.payload().to_vec()).collect();
        let told: Vec<_> = told.iter().filter(|payload| !payload.is_empty()).collect();
        assert_eq!(told, if room == 0 { vec![b"42"] } else { vec![b"41", b"42"] });
    }
}

#[test]
fn a_snapshot_of_one_account_and_two_observations_is_small() {
    let mut desk = observed();
    let observe = desk.request(Code::GET, "/3/0", |writer| writer.observe(0).unwrap());
    desk.receive(&observe);
    let bytes = snapshot(&desk);
    let uri = "coap://dm.example";
    assert!(bytes.windows(uri.len()).any(|window| window == uri.as_bytes()), "one account");
    let without = bytes.len() - uri.len();
    assert!(without <= 256, "{without} B besides the URI");
    println!("  {without} B besides the URI");
}

/// Flash memory with room for two snapshots, each between its length and a count. The newest is not touched
/// while the other one is written, and the count, which makes that the newest, comes last.
#[derive(Clone)]
pub(crate) struct Flash(Config, [Vec<u8>; 2]);

impl Flash {
    /// Of a device that is made so.
    pub(crate) fn new(config: Config) -> Self {
        Self(config, Default::default())
    }

    /// The newest snapshot that is whole: its place, its count, its bytes.
    pub(crate) fn newest(&self) -> Option<(usize, u8, &[u8])> {
        let whole = |place: usize| {
            let [low, high, rest @ ..] = &self.1[place][..] else { return None };
            let (bytes, count) = rest.split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))?;
            Client::restore(self.0.clone(), bytes, Instant::ZERO, Wake::Restart).ok()?;
            Some((place, *count.first()?, bytes))
        };
        match (whole(0), whole(1)) {
            (Some(one), Some(other)) => Some(if one.1.wrapping_sub(other.1) < 0x80 { one } else { other }),
            (one, other) => one.or(other),
        }
    }

    /// Writes a snapshot byte after byte, until the power is cut.
    pub(crate) fn write(&mut self, snapshot: &[u8], bytes: usize) {
        let (newest, count) = self.newest().map_or((1, 0), |(place, count, _)| (place, count));
        let length = (snapshot.len() as u16).to_le_bytes();
        let record = length.into_iter().chain(snapshot.iter().copied()).chain([count.wrapping_add(1)]);
        let place = &mut self.1[1 - newest];
        place.resize(4_096, 0xFF);
        place.iter_mut().zip(record).take(bytes).for_each(|(place, byte)| *place = byte);
    }
}

#[test]
fn a_power_cut_at_any_byte_leaves_the_old_state_or_the_new_one() {
    let mut desk = observed();
    let mut flash = Flash::new(Desk::config(1, 86_400));
    for round in 0..4 {
        let before = flash.newest().map(|(.., bytes)| bytes.to_vec());
        match round {
            1 => desk.write("/1/0/3", "7"),
            // Longer, and much shorter.
            2 => drop(desk.ask(Code::GET, "/3/0", |writer| writer.observe(0).unwrap())),
            3 => {
                desk.client.enter_flight_mode(desk.now);
                desk.drain();
            }
            _ => {}
        }
        let bytes = snapshot(&desk);
        assert_ne!(before.as_ref(), Some(&bytes), "round {round}");
        for cut in 0..bytes.len() + 4 {
            let mut flash = flash.clone();
            flash.write(&bytes, cut);
            let left = flash.newest().map(|(.., bytes)| bytes.to_vec());
            assert!(left == before || left.as_ref() == Some(&bytes), "round {round}, cut after {cut} B");
            assert!(left == before || cut > bytes.len() + 1, "round {round}: new after {cut} B");
        }
        flash.write(&bytes, usize::MAX);
        assert_eq!(flash.newest().map(|(.., bytes)| bytes), Some(&bytes[..]), "round {round}");
    }
}

/// As many instances of Access Control as there may be, and as many entries as an ACL may have.
#[test]
fn a_table_that_is_full_comes_back_whole() {
    let mut config = Desk::config(1, 86_400);
    (config.limits.servers, config.limits.access_controls) = (1, 2);
    let acl = [(0, Rights::READ), (1, Rights::ALL)];
    let config = config.access(Path::instance(3, 0), 1, &acl).access(Path::object(5), 1, &acl);
    let now = Instant::from_secs(1);
    let client = Client::new(config.clone(), now).unwrap();
    let keep = |client: &Client| {
        let mut buffer = [0; 1_024];
        let len = client.snapshot(now, &mut buffer).unwrap();
        buffer[..len].to_vec()
    };
    let bytes = keep(&client);
    let mut less = config.clone();
    let restored = Client::restore(config, &bytes, now, Wake::Sleep { elapsed: Duration::ZERO }).unwrap();
    assert_eq!(keep(&restored).len(), bytes.len());
    less.limits.access_controls = 1;
    less.access_controls.pop();
    let refused = Client::restore(less, &bytes, now, Wake::Sleep { elapsed: Duration::ZERO }).map(|_| ());
    assert_eq!(refused, Err(SnapshotError::Limits));
}
