//! The radio sleeps, the memory does not: power saving mode and extended DRX (3GPP TS 23.682, 4.5.4 and 4.5.13).

use core::time::Duration;

use coap_codec::{Code, Message, MessageType, OptionNumber};
use lwm2m_core::{Config, Credentials, Event, Instant, Key, Reason};

use crate::common::{BATTERY, Desk, Server, nothing, reply, secs};

const DAY: Duration = Duration::from_secs(86_400);
/// Two cycles of retransmissions and the pause between: `RegistrationPolicy::margin`.
const MARGIN: Duration = Duration::from_secs(250);

/// A client that has just registered for a day.
fn registered() -> Desk {
    Desk::registered(Desk::config(1, 86_400))
}

/// The same, and its server observes the battery level.
fn observed(config: Config) -> Desk {
    let mut desk = Desk::registered(config);
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.receive(&observe);
    desk
}

fn non_confirmable() -> Config {
    let mut config = Desk::config(1, 86_400);
    config.confirmable_notifications = false;
    config
}

impl Desk {
    fn next(&self) -> Instant {
        self.client.poll_timeout().expect("a deadline")
    }

    /// The radio is off for so long: nobody calls the client, and nothing reaches it. Then it is told so.
    fn doze(&mut self, duration: Duration) {
        let since = self.now;
        self.now = self.now + duration;
        self.client.was_unreachable(self.now, since);
        self.drain();
        self.timeout();
    }

    /// What was sent since, but for acknowledgements.
    fn said(&self, from: usize) -> Vec<Message<'_>> {
        let mut messages = self.messages(from);
        messages.retain(|message| message.message_type() != MessageType::Acknowledgement);
        messages
    }
}

// ----- before -----------------------------------------------------------------------------------

#[test]
fn an_update_waits_for_the_wake_up_that_is_planned() {
    let mut desk = registered();
    let due = desk.next();
    for later in [secs(1), secs(3_600)] {
        let wake = due + later;
        desk.client.will_be_unreachable(desk.now, wake);
        assert_eq!(desk.next(), wake);
    }
    let before = desk.sent.len();
    desk.pass(DAY - secs(300));
    let update = desk.said(before);
    assert_eq!(update.len(), 1, "one, and at the wake-up");
    assert_eq!(desk.moments(before, Code::POST), [due + secs(3_600)]);
}

#[test]
fn an_update_waits_no_longer_than_the_margin_allows() {
    let mut desk = registered();
    let latest = desk.now + (DAY - MARGIN);
    desk.client.will_be_unreachable(desk.now, latest);
    assert_eq!(desk.next(), latest);
    // Later than that, and an Update of now would not help either: it is left where it was.
    let mut desk = registered();
    let due = desk.next();
    desk.client.will_be_unreachable(desk.now, latest + secs(1));
    assert_eq!(desk.next(), due);
    // The bound is the embedder's.
    let mut config = Desk::config(1, 86_400);
    config.registration.margin = secs(3_600);
    let mut desk = Desk::registered(config);
    let due = desk.next();
    desk.client.will_be_unreachable(desk.now, desk.now + (DAY - secs(3_599)));
    assert_eq!(desk.next(), due);
    desk.client.will_be_unreachable(desk.now, desk.now + (DAY - secs(3_600)));
    assert_eq!(desk.next(), desk.now + (DAY - secs(3_600)));
}

#[test]
fn an_update_that_cannot_wait_is_sent_now_while_the_device_is_awake() {
    let mut desk = registered();
    desk.pass(secs(36_000));
    let (before, wake) = (desk.sent.len(), desk.now + secs(80_000));
    desk.client.will_be_unreachable(desk.now, wake);
    desk.timeout();
    assert_eq!(desk.moments(before, Code::POST), [desk.now]);
    assert!(desk.next() >= wake, "and none before it wakes");
    // Once is enough, however often it is said.
    for _ in 0..3 {
        desk.client.will_be_unreachable(desk.now, wake);
        desk.timeout();
    }
    assert_eq!(desk.moments(before, Code::POST).len(), 1);
    // The new lifetime is counted from here, up to its margin.
    let wake = desk.now + (DAY - MARGIN);
    desk.client.will_be_unreachable(desk.now, wake);
    assert_eq!(desk.next(), wake);
}

#[test]
fn a_sleep_beyond_the_lifetime_costs_no_update_before_it() {
    let mut desk = registered();
    let before = desk.sent.len();
    for hours in [24, 30, 1_000] {
        desk.pass(secs(3_600));
        let due = desk.next();
        desk.client.will_be_unreachable(desk.now, desk.now + secs(hours * 3_600));
        assert_eq!(desk.next(), due);
        desk.timeout();
    }
    assert_eq!(desk.sent.len(), before);
}

#[test]
fn what_is_due_or_on_its_way_already_is_not_put_off() {
    let mut desk = registered();
    desk.server = Server::Silent;
    let before = desk.sent.len();
    desk.client.update(desk.now, 1).unwrap();
    desk.client.will_be_unreachable(desk.now, desk.now + secs(80_000));
    desk.timeout();
    assert_eq!(desk.moments(before, Code::POST), [desk.now]);
    let repetition = desk.next();
    desk.client.will_be_unreachable(desk.now, desk.now + secs(80_000));
    assert_eq!(desk.next(), repetition);
}

#[test]
fn a_pause_between_tries_is_not_cut_short_by_a_plan() {
    let mut desk = registered();
    desk.pass(secs(36_000));
    desk.server = Server::Refuses(Code::SERVICE_UNAVAILABLE);
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    let again = desk.next();
    assert!(again > desk.now);
    desk.client.will_be_unreachable(desk.now, desk.now + secs(80_000));
    assert_eq!(desk.next(), again);
    // But the next try may wait for the wake-up.
    desk.client.will_be_unreachable(desk.now, desk.now + secs(20_000));
    assert_eq!(desk.next(), desk.now + secs(20_000));
}

#[test]
fn each_server_is_updated_in_its_own_time() {
    let config = Desk::config(1, 86_400).server(2, "coap://second.example", Credentials::NoSec, 40_000);
    let mut desk = Desk::new(config);
    desk.client.network_up(desk.now);
    desk.pass(secs(10_000));
    let before = desk.sent.len();
    // The first can wait, the second would not live so long.
    desk.client.will_be_unreachable(desk.now, desk.now + secs(39_000));
    desk.timeout();
    assert_eq!(desk.said(before).len(), 1);
    assert!(desk.next() >= desk.now + secs(38_000), "{:?}", desk.next());
}

#[test]
fn a_wake_up_that_has_passed_already_changes_nothing() {
    let mut desk = registered();
    desk.pass(secs(1_000));
    let due = desk.next();
    for wake in [Instant::ZERO, desk.now] {
        desk.client.will_be_unreachable(desk.now, wake);
        assert_eq!(desk.next(), due);
    }
    desk.client.will_be_unreachable(desk.now, Instant::from_micros(u64::MAX));
    assert_eq!(desk.next(), due);
}

// ----- after ------------------------------------------------------------------------------------

#[test]
fn a_message_whose_time_came_meanwhile_is_repeated_once_and_goes_on_from_there() {
    let mut desk = registered();
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    let (first, before) = (desk.sent.last().unwrap().2.clone(), desk.sent.len());
    desk.events.clear();
    // Two repetitions fall into the time.
    desk.doze(secs(20));
    assert_eq!(desk.sent.len(), before + 1);
    assert_eq!(desk.sent[before].2, first, "the same message");
    assert_eq!((desk.client.statistics().retransmissions, desk.client.statistics().timeouts), (1, 0));
    let next = desk.next();
    assert!(next >= desk.now + secs(4) && next <= desk.now + secs(6), "the second timeout, from now: {next:?}");
    assert_eq!(desk.events, []);
    desk.server = Server::Grants;
    desk.pass(secs(10));
    assert_eq!(desk.events, [Event::Updated { server: 1 }]);
}

#[test]
fn what_is_too_old_to_be_repeated_is_done_anew_and_has_not_failed() {
    let mut desk = registered();
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    let (first, before) = (desk.sent.last().unwrap().2.clone(), desk.sent.len());
    desk.server = Server::Grants;
    desk.events.clear();
    // Past MAX_TRANSMIT_SPAN its server may have forgotten the Message ID.
    desk.doze(secs(3_600));
    assert_eq!(desk.sent.len(), before + 1);
    let (one, other) = (Message::parse(&first).unwrap(), Message::parse(&desk.sent[before].2).unwrap());
    assert!(one.message_id() != other.message_id() && one.token() != other.token());
    assert_eq!(desk.events, [Event::Updated { server: 1 }]);
    assert_eq!((desk.client.statistics().retransmissions, desk.client.statistics().timeouts), (0, 0));
}

#[test]
fn a_response_that_was_promised_and_could_not_be_heard_is_asked_for_anew() {
    let mut desk = registered();
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    let (promise, before) =
        (reply(MessageType::Acknowledgement, &desk.last(Code::POST), Code::EMPTY, nothing), desk.sent.len());
    desk.receive(&promise);
    desk.server = Server::Grants;
    desk.events.clear();
    desk.doze(secs(60));
    assert_eq!(desk.sent.len(), before, "it may come still");
    desk.doze(secs(60));
    assert_eq!((desk.sent.len(), &desk.events[..]), (before + 1, &[Event::Updated { server: 1 }][..]));
}

#[test]
fn an_observation_outlives_a_notification_that_nobody_could_acknowledge() {
    for told in [true, false] {
        let mut desk = observed(Desk::config(1, 86_400));
        desk.server = Server::Silent;
        desk.battery(70);
        desk.model.inner.battery_level = Some(60);
        desk.server = Server::Grants;
        desk.events.clear();
        let before = desk.sent.len();
        if told {
            desk.doze(secs(7_200));
            let said = desk.said(before);
            assert_eq!(said.iter().map(|message| message.payload()).collect::<Vec<_>>(), [b"60"], "the value of now");
            assert_eq!(desk.events, [Event::Notified { server: 1, path: BATTERY }]);
        } else {
            // Nobody says why it did not listen: its server seems to be gone.
            desk.now = desk.now + secs(7_200);
            desk.timeout();
            assert_eq!(desk.events, [Event::ObservationCancelled { server: 1, path: BATTERY }]);
        }
    }
}

#[test]
fn a_server_that_had_its_chance_has_failed() {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    // The first timeout is over, and the second one has begun.
    desk.pass(secs(4));
    assert_eq!(desk.sent.len(), 2);
    desk.events.clear();
    desk.doze(secs(3_600));
    assert_eq!(desk.events, [Event::RegistrationFailed { server: 1, reason: Reason::TimedOut }]);
    assert_eq!(desk.sent.len(), 2, "with its pause");
}

#[test]
fn what_was_late_before_the_radio_went_off_is_late_as_always() {
    let mut desk = registered();
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    desk.events.clear();
    let since = desk.now + secs(100);
    desk.now = desk.now + secs(101);
    desk.client.was_unreachable(desk.now, since);
    desk.timeout();
    assert_eq!(desk.events, [Event::UpdateFailed { server: 1, reason: Reason::TimedOut }]);
}

#[test]
fn a_server_that_is_gone_is_found_out_in_short_glimpses() {
    // Extended DRX with a cycle of 20.48 s, of which 5.12 s are listened to.
    let mut desk = Desk::new(Desk::config(1, 600));
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.drain();
    let end = desk.now + DAY;
    while desk.now < end {
        desk.pass(Duration::from_millis(5_120));
        desk.doze(Duration::from_millis(15_360));
    }
    let failed = desk.events.iter().filter(|event| matches!(event, Event::RegistrationFailed { .. })).count();
    assert!(failed >= 10, "{failed}");
    assert!(desk.sent.len() < 80, "{} datagrams in a day", desk.sent.len());
}

#[test]
fn many_periods_that_passed_make_one_notification_each() {
    let mut desk = observed(non_confirmable());
    for path in ["/3/0", "/3/0/16", "/3"] {
        let observe = desk.request(Code::GET, path, |writer| writer.observe(0).unwrap());
        desk.receive(&observe);
        let attributes = desk.request(Code::PUT, path, |writer| {
            writer.option(OptionNumber::URI_QUERY, b"pmax=60").unwrap();
        });
        desk.receive(&attributes);
    }
    let before = desk.sent.len();
    desk.model.inner.battery_level = Some(60);
    desk.doze(secs(36_000));
    let said = desk.said(before);
    let mut tokens: Vec<_> = said.iter().map(Message::token).collect();
    tokens.dedup();
    assert_eq!((said.len(), tokens.len()), (4, 4), "{said:?}");
    let after = desk.sent.len();
    desk.pass(secs(59));
    assert_eq!(desk.sent.len(), after, "and their periods begin anew");
}

#[test]
fn a_bootstrap_that_could_not_be_heard_begins_anew() {
    let config = Config::new("x", Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
    for answered in [false, true] {
        let mut config = config.clone();
        config.bootstrap.honour_hold_off = false;
        let mut desk = Desk::new(config);
        desk.server = if answered { Server::Grants } else { Server::Silent };
        desk.client.network_up(desk.now);
        desk.drain();
        assert_eq!(desk.sent.len(), 1);
        desk.doze(secs(3_600));
        assert!(!desk.events.iter().any(|event| matches!(event, Event::BootstrapFailed { .. })), "{:?}", desk.events);
        assert_eq!(desk.sent.len(), 2, "answered: {answered}");
        assert_eq!(desk.sent[1].0, desk.now);
    }
}

#[test]
fn in_queue_mode_it_updates_and_rests_again() {
    let mut config = Desk::config(1, 86_400);
    config.registration.queue_mode = true;
    config.registration.awake = Some(secs(10));
    let mut desk = observed(config);
    for _ in 0..20 {
        // A wake-up every ten hours; the registration lives on, with an Update where one is needed.
        let wake = desk.now + secs(36_000);
        desk.client.will_be_unreachable(desk.now, wake);
        desk.timeout();
        desk.pass(secs(10));
        let rest = desk.client.rest(desk.now).expect("it may rest");
        assert!(rest.from <= desk.now && rest.until >= Some(wake), "{rest:?}");
        desk.doze(wake.saturating_duration_since(desk.now));
        assert!(desk.client.is_registered(desk.now, 1));
    }
    let registers = desk.messages(0).iter().filter(|message| message.uri_path().eq([b"rd".as_slice()])).count();
    assert_eq!(registers, 1);
    // Ten hours twenty times is 8.3 lifetimes: less than two Updates for each.
    assert!(desk.moments(0, Code::POST).len() <= 18, "{}", desk.moments(0, Code::POST).len());
}

#[test]
fn while_a_bootstrap_is_not_wanted_again_yet_it_may_rest() {
    let config = Config::new("x", Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut desk = Desk::new(config);
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.drain();
    assert_eq!(desk.client.rest(desk.now), None, "a request is on its way");
    while !desk.events.iter().any(|event| matches!(event, Event::BootstrapFailed { .. })) {
        desk.pass(secs(1));
    }
    let again = desk.client.poll_timeout();
    assert!(again > Some(desk.now));
    let rest = desk.client.rest(desk.now).expect("a time to rest");
    assert_eq!((rest.from, rest.until), (desk.now, again));
}

#[test]
fn without_a_network_it_may_rest_until_something_is_due() {
    let mut desk = Desk::registered(Desk::config(1, 1_000));
    assert_eq!(desk.client.rest(desk.now), None, "its server may ask at any time");
    let update = desk.client.poll_timeout().expect("an Update");
    desk.client.network_down(desk.now);
    let rest = |desk: &Desk| desk.client.rest(desk.now).map(|rest| (rest.from, rest.until));
    assert_eq!(rest(&desk), Some((desk.now, Some(update))));
    desk.now = update;
    assert_eq!(rest(&desk), Some((desk.now, None)), "it waits for the network alone");
    desk.client.network_up(desk.now);
    assert_eq!(rest(&desk), None);
}

#[test]
fn to_have_been_unreachable_for_no_time_changes_nothing() {
    let mut desk = observed(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.battery(70);
    let before = (desk.next(), desk.sent.len());
    desk.client.was_unreachable(desk.now, desk.now);
    // Not even when the beginning lies ahead.
    desk.client.was_unreachable(desk.now, desk.now + DAY);
    desk.drain();
    assert_eq!((desk.next(), desk.sent.len()), before);
}
