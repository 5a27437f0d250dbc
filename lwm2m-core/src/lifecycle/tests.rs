//! The machines by themselves: what a whole life shows seldom, or late.

use super::contact::Contact;
use super::registration::Lease;
use super::*;
use core::time::Duration;

use crate::base::config::Credentials;
use crate::base::limits::Limits;
use crate::base::profile::Profile;
use crate::base::rng::Key;
use crate::base::time::Micros;
use crate::exchange::{Endpoint, Peer, Transmission, Verdict};
use crate::objects::security;

const START: Instant = Instant::from_secs(1_000);
const SERVER: u16 = 1;

fn after(seconds: u64) -> Instant {
    START + Duration::from_secs(seconds)
}

/// The surroundings of a lifecycle, which a test owns.
struct Desk {
    config: Config,
    accounts: Accounts,
    generator: Generator,
    events: Events,
    lifecycle: Lifecycle,
}

impl Desk {
    fn new(config: Config) -> Self {
        let accounts = Accounts::new(&config).unwrap();
        let mut lifecycle = Lifecycle::new(START, &accounts, &config);
        lifecycle.network = true;
        Self { accounts, generator: Generator::new(Key::from_seed(1)), events: Events::new(16), lifecycle, config }
    }

    fn run<T>(&mut self, now: Instant, act: impl FnOnce(&mut Lifecycle, &mut World<'_>) -> T) -> T {
        let Self { config, accounts, generator, events, lifecycle } = self;
        act(lifecycle, &mut World { now, config, accounts, generator, events })
    }
}

fn config() -> Config {
    Config::new("x", Key::from_seed(1)).server(SERVER, "coap://dm.example", Credentials::NoSec, 3_600)
}

fn with_bootstrap_server() -> Config {
    config().bootstrap_server("coap://bs.example", Credentials::NoSec)
}

fn terms(binding: Binding) -> Terms {
    Terms { lifetime: 3_600, binding, objects: 0 }
}

fn exchange() -> ExchangeId {
    let mut endpoint = Endpoint::new(Transmission::DEFAULT, &Limits::DEVICE, Key::from_seed(1));
    endpoint.request(START, Peer(1), Code::POST, |_| Verdict::Send).unwrap()
}

/// Registered, with an Update that is due after `seconds`.
fn registered(binding: Binding, seconds: u64, failures: u8) -> Registration {
    let lease = Lease { terms: terms(binding), expires: after(3_600) };
    Registration { lease: Some(lease), failures, ..Registration::due_at(SERVER, after(seconds)) }
}

/// A Register is due after `seconds`.
fn unregistered(seconds: u64, failures: u8) -> Registration {
    Registration { failures, ..Registration::due_at(SERVER, after(seconds)) }
}

#[test]
fn a_server_that_was_silent_is_told_nothing_before_the_update_that_is_due() {
    for (binding, seconds, failures, out_of_touch) in [
        (Binding::U, 60, 0, false),
        (Binding::U, 0, 0, true),
        (Binding::U, 60, 1, true),
        // Nobody was asked yet.
        (Binding::UQ, 60, 0, false),
    ] {
        let mut own = registered(binding, seconds, failures);
        assert!(!own.is_out_of_touch(START), "it was heard");
        own.contact = Contact::Unheard { last: START };
        assert_eq!(own.is_out_of_touch(START), out_of_touch, "{seconds} {failures}");
        own.contact = Contact::Asleep;
        assert!(own.is_out_of_touch(START));
    }
}

#[test]
fn hearing_from_a_server_changes_something_when_it_was_out_of_reach_or_sleeps_by_turns() {
    let mut own = registered(Binding::U, 60, 0);
    assert!(!own.heard(after(1)), "as it was");
    own.contact = Contact::Unheard { last: START };
    assert!(own.heard(after(2)), "it can be told again");
    assert_eq!(own.contact, Contact::Heard { last: after(2) });
    assert!(!own.heard(after(3)));
    let mut own = registered(Binding::UQ, 60, 0);
    assert!(own.heard(after(1)) && own.heard(after(2)), "the awake time begins anew each time");
}

#[test]
fn a_server_is_at_hand_while_it_is_registered_with_and_nothing_speaks_against_it() {
    let own = registered(Binding::U, 60, 0);
    assert!(own.is_at_hand());
    assert!(!Registration { contact: Contact::Unheard { last: START }, ..own }.is_at_hand());
    assert!(!registered(Binding::UQ, 60, 0).is_at_hand());
    assert!(!Registration::due_at(SERVER, START).is_at_hand());
}

// What counts is what the server knows, or is being told.
#[test]
fn queue_mode_is_what_the_server_was_told_last() {
    for (binding, other, queues) in [(Binding::U, Binding::UQ, false), (Binding::UQ, Binding::U, true)] {
        let own = registered(binding, 60, 0);
        assert_eq!(own.queues(), queues);
        let telling = |binding| Registration { told: terms(binding), exchange: Some(exchange()), ..own.clone() };
        assert_eq!(telling(other).queues(), !queues, "an Update");
        assert_eq!(Registration { lease: None, ..telling(binding) }.queues(), queues, "a Register");
    }
    assert!(!Registration::due_at(SERVER, START).queues());
}

#[test]
fn a_server_that_left_queue_mode_does_not_fall_asleep() {
    let awake = Micros::of_seconds(93);
    for contact in [Contact::Heard { last: after(5) }, Contact::Unheard { last: after(5) }] {
        let own = Registration { contact, ..registered(Binding::UQ, 600, 0) };
        assert_eq!(own.falls_asleep(awake), Some((after(98), after(600))), "until the Update");
        assert_eq!(registered(Binding::UQ, 98, 0).falls_asleep(Micros::of_seconds(98)), None, "it is due by then");
    }
    let asleep = Registration { contact: Contact::Asleep, ..registered(Binding::UQ, 600, 0) };
    assert_eq!(asleep.falls_asleep(awake), None);
    assert_eq!(asleep.asleep_until(START), Some(after(600)));
    assert_eq!(asleep.asleep_until(after(600)), None);
    assert_eq!(registered(Binding::U, 600, 0).falls_asleep(awake), None);
    assert_eq!(registered(Binding::UQ, 600, 0).asleep_until(START), None);
}

// Back in the network, nobody waits a day because of what failed without it; nor is a server hammered.
#[test]
fn a_long_pause_becomes_the_shortest_one_when_the_network_is_back() {
    let policy = Profile::OMA.registration;
    let first = policy.backoff.first;
    for (seconds, hurries) in [(30, false), (60, false), (61, true), (86_400, true)] {
        let mut desk = Desk::new(config());
        desk.lifecycle.registrations[0] = unregistered(seconds, 9);
        desk.run(START, |lifecycle, world| lifecycle.reappear(world));
        let Registration { at, failures, .. } = desk.lifecycle.registrations[0];
        assert_eq!(failures, if hurries { 4 } else { 9 }, "one is missing to a round in either case");
        assert!(if hurries { START + first <= at && at <= START + first + first / 2 } else { at == after(seconds) });
        assert!(at <= after(seconds));

        let mut bootstrap = Bootstrap::Wanted { at: after(seconds), failures: 9 };
        desk.run(START, |_, world| bootstrap.network_up(world));
        let Bootstrap::Wanted { at, failures } = bootstrap else { panic!() };
        assert_eq!(failures, if hurries { 1 } else { 9 });
        assert!(if hurries { START + first <= at && at <= START + first + first / 2 } else { at == after(seconds) });
        assert!(at <= after(seconds));
    }
}

// OMA LwM2M 1.0, 5.2.2; a policy of this client for what comes after it.
#[test]
fn the_bootstrap_server_is_asked_after_each_round_of_failures() {
    let asked = |enough: u8, failures: u8| {
        let mut desk = Desk::new(with_bootstrap_server());
        desk.config.bootstrap.after_failures = enough;
        desk.lifecycle.bootstrap = Bootstrap::Idle;
        desk.lifecycle.registrations[0] = unregistered(0, failures.saturating_sub(1));
        desk.run(START, |lifecycle, world| lifecycle.blocked(Role::Server(SERVER), Reason::TimedOut, world));
        assert_eq!(desk.lifecycle.registrations[0].failures(), failures);
        desk.lifecycle.bootstrap != Bootstrap::Idle
    };
    for (failures, expected) in [(1, false), (4, false), (5, true), (6, false), (10, true), (254, false), (255, true)] {
        assert_eq!(asked(5, failures), expected, "{failures}");
    }
    // Where the count ends, it is as if each were a round of its own.
    assert!(asked(2, 255));
    for failures in [1, 128, 255] {
        assert!(!asked(0, failures), "never");
    }
}

#[test]
fn one_server_that_answers_is_enough_to_go_without_a_bootstrap() {
    let mut desk = Desk::new(with_bootstrap_server().server(2, "coap://b.example", Credentials::NoSec, 60));
    desk.lifecycle.bootstrap = Bootstrap::Idle;
    let fail = |desk: &mut Desk, server| {
        desk.run(START, |lifecycle, world| lifecycle.blocked(Role::Server(server), Reason::TimedOut, world));
    };
    (0..5).for_each(|_| fail(&mut desk, 1));
    assert_eq!(desk.lifecycle.bootstrap, Bootstrap::Idle);
    (0..5).for_each(|_| fail(&mut desk, 2));
    assert_ne!(desk.lifecycle.bootstrap, Bootstrap::Idle);
}

// OMA LwM2M 1.0, Appendix D.1.1: with 0 the account lives for ever.
#[test]
fn a_bootstrap_account_whose_timeout_is_zero_stays() {
    for (timeout, purge_at) in [(None, None), (Some(0), None), (Some(60), Some(after(60)))] {
        let mut desk = Desk::new(with_bootstrap_server());
        let own = desk.accounts.bootstrap_server().unwrap().id;
        let mut row = desk.accounts.row(security::ID, own).unwrap().clone();
        row.set(security::ACCOUNT_TIMEOUT, timeout);
        desk.accounts.put(security::ID, row);
        let Desk { accounts, config, events, lifecycle, .. } = &mut desk;
        lifecycle.bootstrap_command(START, true, accounts, config, events);
        lifecycle.bootstrap_finish(START, accounts, config, events, &crate::model::NoObjects).unwrap();
        assert_eq!(lifecycle.purge_at, purge_at, "{timeout:?}");
        desk.run(after(60), |lifecycle, world| lifecycle.handle_timeout(world));
        assert_eq!(desk.accounts.bootstrap_server().is_none(), purge_at.is_some());
    }
}

// Requests are served by whom the network lets through, and the bootstrap server's when it was asked or may begin.
#[test]
fn the_bootstrap_server_is_served_when_it_was_asked_or_may_begin() {
    for (initiated, running, present, expected) in [
        (false, false, true, false),
        (true, false, true, true),
        (false, true, true, true),
        (true, false, false, false),
        (false, true, false, false),
    ] {
        let mut desk = Desk::new(with_bootstrap_server());
        desk.config.bootstrap.server_initiated = initiated;
        if running {
            let Desk { accounts, config, events, lifecycle, .. } = &mut desk;
            lifecycle.bootstrap_command(START, true, accounts, config, events);
        } else {
            desk.lifecycle.bootstrap = Bootstrap::Idle;
        }
        for (network, presence) in
            [(present, Presence::Present), (true, if present { Presence::Present } else { Presence::Flight })]
        {
            (desk.lifecycle.network, desk.lifecycle.presence) = (network, presence);
            assert_eq!(desk.lifecycle.serves(START, Role::Bootstrap, &desk.config), expected);
        }
        assert_eq!(desk.lifecycle.heeds_bootstrap_server(&desk.config), initiated || running);
    }
}

#[test]
fn a_register_on_its_way_goes_on_when_the_network_appears_once_more() {
    let mut desk = Desk::new(config());
    let on_its_way = Registration { exchange: Some(exchange()), ..Registration::due_at(SERVER, START) };
    desk.lifecycle.registrations[0] = on_its_way.clone();
    desk.run(after(1), |lifecycle, world| lifecycle.reappear(world));
    assert_eq!(desk.lifecycle.registrations[0], on_its_way);
}

#[test]
fn what_fits_no_datagram_says_nothing_of_the_server() {
    for (reason, contact) in
        [(Reason::TooLarge, Contact::Heard { last: after(5) }), (Reason::TimedOut, Contact::Unheard { last: after(5) })]
    {
        let mut desk = Desk::new(config());
        desk.lifecycle.registrations[0] = registered(Binding::U, 0, 0);
        desk.run(after(5), |lifecycle, world| lifecycle.registrations[0].blocked(reason, world));
        assert_eq!(desk.lifecycle.registrations[0].contact, contact);
    }
}

#[test]
fn a_lifetime_that_ends_now_leaves_nobody_to_tell() {
    for (seconds, told) in [(3_599, true), (3_600, false)] {
        let mut own = registered(Binding::U, 60, 0);
        own.leave(after(seconds), Aim::Gone);
        assert_eq!((own.is_leaving(), own.poll_timeout().is_none()), (told, !told));
    }
}

#[test]
fn a_session_is_of_use_once_the_register_is_due() {
    for (seconds, of_use) in [(60, true), (61, false)] {
        assert_eq!(unregistered(seconds, 1).needs_session(after(60)), of_use);
    }
}

#[test]
fn another_object_is_another_list() {
    use crate::objects::{Device, FirmwareUpdate};
    use crate::sim::soak::Flash;
    let (device, firmware) = (Device::new("x", "y"), FirmwareUpdate::new(Flash, []));
    let both = (device.clone(), FirmwareUpdate::new(Flash, []));
    let digests = [object_list::digest(&device), object_list::digest(&firmware), object_list::digest(&both)];
    assert!(digests[0] != digests[1] && digests[1] != digests[2] && digests[0] != digests[2], "{digests:?}");
}

// Whoever was told that the network is back does not wait for longer than before because of a try that cost no time.
#[test]
fn a_try_before_its_time_leaves_the_round_where_it_was() {
    for (enough, failures, left) in
        [(5, 9, 4), (5, 10, 5), (5, 255, 5), (2, 7, 1), (1, 9, 1), (0, 9, 1), (5, 0, 0), (0, 0, 0)]
    {
        let mut desk = Desk::new(config());
        desk.config.bootstrap.after_failures = enough;
        desk.lifecycle.registrations[0] = unregistered(86_400, failures);
        desk.run(START, |lifecycle, world| lifecycle.reappear(world));
        assert_eq!(desk.lifecycle.registrations[0].failures(), left, "{failures} of rounds of {enough}");
    }
}

/// When the next Register is due, and the next bootstrap, after so many Registers that failed.
fn after_failures(config: Config, enough: u8, failures: u8) -> (Duration, Option<Duration>) {
    let mut desk = Desk::new(config);
    desk.config.bootstrap.after_failures = enough;
    desk.lifecycle.bootstrap = Bootstrap::Idle;
    desk.lifecycle.registrations[0] = unregistered(0, failures.saturating_sub(1));
    desk.run(START, |lifecycle, world| lifecycle.blocked(Role::Server(SERVER), Reason::TimedOut, world));
    let at = desk.lifecycle.registrations[0].at;
    let bootstrap = match desk.lifecycle.bootstrap {
        Bootstrap::Wanted { at, .. } => Some(at.saturating_duration_since(START)),
        _ => None,
    };
    (at.saturating_duration_since(START), bootstrap)
}

#[test]
fn the_pause_that_a_bootstrap_takes_the_place_of_is_not_doubled() {
    for (failures, alone, between_bootstraps) in
        [(1, 60, 60), (4, 480, 480), (5, 960, 480), (6, 1_920, 960), (9, 15_360, 7_680), (11, 61_440, 15_360)]
    {
        for (config, seconds) in [(config(), alone), (with_bootstrap_server(), between_bootstraps)] {
            let (pause, _) = after_failures(config, 5, failures);
            assert!((seconds..=seconds + seconds / 2).contains(&pause.as_secs()), "{failures}: {pause:?}");
        }
    }
}

// A bootstrap that leads to a server that does not answer has to be as patient as that server's clients.
#[test]
fn the_first_bootstrap_of_many_failures_comes_at_once_and_the_others_after_pauses_that_grow() {
    for (enough, failures, seconds) in [
        (5, 5, 0),
        (5, 10, 60),
        (5, 15, 120),
        (5, 255, 86_400),
        (1, 1, 0),
        (1, 2, 60),
        (1, 11, 30_720),
        (1, 255, 86_400),
        (200, 200, 0),
        (200, 255, 86_400),
    ] {
        let (_, bootstrap) = after_failures(with_bootstrap_server(), enough, failures);
        let pause = bootstrap.unwrap().as_secs();
        assert!((seconds..=seconds + seconds / 2).contains(&pause), "{failures} of {enough}: {pause}");
    }
    assert_eq!(after_failures(with_bootstrap_server(), 5, 9).1, None);
    assert_eq!(after_failures(config(), 5, 10).1, None);
}

// Who slept through the end of a wait has not waited; who would not have, or had waited before, did.
#[test]
fn a_bootstrap_whose_wait_ended_in_a_sleep_begins_anew_and_others_do_not() {
    for (until, anew) in [(START, false), (after(1), true), (after(10), true), (after(11), false)] {
        let mut desk = Desk::new(with_bootstrap_server());
        desk.lifecycle.before = Some(Box::new(desk.accounts.clone()));
        desk.lifecycle.bootstrap = Bootstrap::Receiving { failures: 2, until };
        desk.lifecycle.was_unreachable(after(10), START, &mut desk.accounts);
        let wanted = Bootstrap::Wanted { failures: 2, at: after(10) };
        assert_eq!(desk.lifecycle.bootstrap == wanted, anew, "{until:?}");
        assert_eq!(matches!(desk.lifecycle.bootstrap, Bootstrap::Receiving { .. }), !anew);
    }
}
