//! What once went wrong, and must not again.

mod common;

use core::time::Duration;

use coap_codec::{Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token};
use common::{BATTERY, Desk, Model, Server, acknowledge, answer, device, nothing, reject, reply, request, secs};
use lwm2m_core::{
    Client, CommandError, Config, ConfigError, Credentials, Ctx, DataModel, Event, Instant, Key, Leaf, Leave,
    ObjectDef, Output, Path, Peer, Reason, Received, Refusal, Session, Sink, Wake,
};

/// A De-register is on its way, for a Disable of ten seconds, and nobody answers.
#[track_caller]
fn disabling() -> Desk {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.write("/1/0/5", "10");
    desk.server = Server::Silent;
    desk.ask(Code::POST, "/1/0/4", nothing);
    assert_eq!(desk.moments(0, Code::DELETE), [desk.now]);
    desk.server = Server::Grants;
    desk.events.clear();
    desk
}

/// A De-register is on its way, for flight mode, and nobody answers.
#[track_caller]
fn leaving() -> Desk {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    assert_eq!(desk.moments(0, Code::DELETE), [desk.now]);
    desk.server = Server::Grants;
    desk.events.clear();
    desk
}

/// An Observe of the battery level, or its end, always with the same token.
fn observe(id: u16, value: u32, accept: Option<ContentFormat>) -> Vec<u8> {
    let mut buffer = [0; 64];
    let header = Header { message_type: MessageType::Confirmable, code: Code::GET, message_id: MessageId(id) };
    let mut writer = MessageWriter::new(&mut buffer, header, Token::new(b"tok").unwrap()).unwrap();
    writer.observe(value).unwrap();
    ["3", "0", "9"].iter().for_each(|segment| writer.uri_path(segment).unwrap());
    if let Some(format) = accept {
        writer.accept(format).unwrap();
    }
    writer.finish().to_vec()
}

const REFUSES: Server = Server::Refuses(Code::FORBIDDEN);
const MAY_FLY: Event = Event::MayProceed(Leave::FlightMode);
const CANCELLED: Event = Event::ObservationCancelled { server: 1, path: BATTERY };

/// A device with so many instances of the Device object.
struct Crowd(Model, u16);

impl DataModel for Crowd {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        self.0.next_object(after)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        let next = after.map_or(0, |after| after + 1);
        if object == 3 { (next < self.1).then_some(next) } else { self.0.next_instance(object, after) }
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        self.0.next_resource(object, instance, after)
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.0.read(ctx, at, out)
    }
}

/// A client with several servers, each named by the host of its URI.
struct Town {
    client: Client,
    model: Model,
    now: Instant,
    servers: fn(&str) -> Server,
    hosts: Vec<(Peer, String)>,
    sent: Vec<(Instant, Peer, Vec<u8>)>,
    disconnected: Vec<Peer>,
    events: Vec<(Instant, Event)>,
}

impl Town {
    fn new(config: Config, servers: fn(&str) -> Server) -> Self {
        let now = Instant::from_secs(1_000);
        let client = Client::new(config, now).unwrap();
        let (hosts, sent, disconnected, events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut town = Self { client, model: device(), now, servers, hosts, sent, disconnected, events };
        town.client.network_up(now);
        town.drain();
        town
    }

    fn drain(&mut self) {
        loop {
            let (mut connects, mut replies) = (Vec::new(), Vec::new());
            while let Some(output) = self.client.poll_output() {
                match output {
                    Output::Connect { peer, uri, .. } => {
                        self.hosts.push((peer, uri.to_string()));
                        connects.push(peer);
                    }
                    Output::Transmit { peer, datagram } => {
                        self.sent.push((self.now, peer, datagram.to_vec()));
                        let host = &self.hosts.iter().rev().find(|(other, _)| *other == peer).unwrap().1;
                        replies.extend(answer((self.servers)(host), datagram).map(|reply| (peer, reply)));
                    }
                    Output::Disconnect { peer } => self.disconnected.push(peer),
                }
            }
            while let Some(event) = self.client.poll_event() {
                self.events.push((self.now, event));
            }
            if connects.is_empty() && replies.is_empty() {
                return;
            }
            for peer in connects {
                self.client.connected(self.now, peer, Session::New, &mut self.model);
            }
            for (peer, reply) in replies {
                self.client.handle_datagram(self.now, peer, &reply, &mut self.model);
            }
        }
    }

    #[track_caller]
    fn timeout(&mut self) {
        self.client.handle_timeout(self.now, &mut self.model);
        self.drain();
        let next = self.client.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "a deadline of {next:?} after a timeout at {:?}", self.now);
    }

    #[track_caller]
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drain();
        while let Some(deadline) = self.client.poll_timeout().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.timeout();
        }
        self.now = end;
    }

    /// The latest session with a host.
    #[track_caller]
    fn peer(&self, host: &str) -> Peer {
        self.hosts.iter().rev().find(|(_, uri)| uri.contains(host)).expect("a session").0
    }

    #[track_caller]
    fn tell(&mut self, host: &str, datagram: &[u8]) {
        self.client.handle_datagram(self.now, self.peer(host), datagram, &mut self.model);
        self.drain();
    }

    /// When an event came, each time.
    fn moments(&self, is: impl Fn(&Event) -> bool) -> Vec<Instant> {
        self.events.iter().filter(|(_, event)| is(event)).map(|(at, _)| *at).collect()
    }
}

// ----- leaving ------------------------------------------------------------------------------

#[test]
fn a_de_register_lost_with_the_network_is_sent_again() {
    let losses: [fn(&mut Desk); 2] = [
        |desk| {
            desk.client.network_down(desk.now);
            desk.pass(secs(5));
            desk.client.network_up(desk.now);
        },
        |desk| desk.client.address_changed(desk.now),
    ];
    for lose in losses {
        let mut desk = disabling();
        lose(&mut desk);
        desk.drain();
        assert_eq!(desk.moments(0, Code::DELETE).len(), 2);
        assert_eq!(desk.events.last(), Some(&Event::Deregistered { server: 1, unconfirmed: None }));
        // And the server is left alone for as long as it wanted to be.
        desk.pass(secs(9));
        assert!(!desk.client.is_registered(desk.now, 1));
        desk.pass(secs(2));
        assert!(desk.client.is_registered(desk.now, 1));
    }
}

#[test]
fn a_de_register_that_cannot_reach_its_server_is_given_up() {
    let mut desk = disabling();
    desk.client.connection_failed(desk.now, desk.server_peer());
    desk.drain();
    assert_eq!(desk.events, [Event::Deregistered { server: 1, unconfirmed: Some(Reason::Unreachable) }]);
    desk.pass(secs(9));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.pass(secs(2));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_device_whose_de_register_is_lost_may_proceed() {
    let losses: [fn(&mut Desk); 3] = [
        |desk| desk.client.network_down(desk.now),
        |desk| desk.client.address_changed(desk.now),
        |desk| desk.client.connection_failed(desk.now, desk.server_peer()),
    ];
    for lose in losses {
        let mut desk = leaving();
        lose(&mut desk);
        desk.drain();
        assert_eq!(desk.events.iter().filter(|event| **event == MAY_FLY).count(), 1, "{:?}", desk.events);
    }
}

#[test]
fn flight_mode_in_the_middle_of_a_disable_may_begin_and_the_disable_goes_on() {
    let mut desk = disabling();
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    assert_eq!(desk.events, [Event::Deregistered { server: 1, unconfirmed: None }, MAY_FLY]);
    desk.client.leave_flight_mode(desk.now);
    desk.pass(secs(9));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.pass(secs(2));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_disable_survives_flight_mode_and_the_network() {
    let mut desk = disabling();
    let answer = acknowledge(&desk.last(Code::DELETE), Code::DELETED);
    desk.receive(&answer);
    desk.client.network_down(desk.now);
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    desk.client.leave_flight_mode(desk.now);
    desk.client.network_up(desk.now);
    desk.pass(secs(9));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.pass(secs(2));
    assert!(desk.client.is_registered(desk.now, 1));
}

// ----- the lease ----------------------------------------------------------------------------

/// When sessions are asked for, until `end`, while none can be made.
#[track_caller]
fn connects(desk: &mut Desk, end: Instant) -> Vec<Instant> {
    let mut connects = Vec::new();
    while let Some(deadline) = desk.client.poll_timeout().filter(|deadline| *deadline <= end) {
        desk.now = desk.now.max(deadline);
        desk.client.handle_timeout(desk.now, &mut desk.model);
        let mut wanted = None;
        while let Some(output) = desk.client.poll_output() {
            if let Output::Connect { peer, .. } = output {
                wanted = Some(peer);
            }
        }
        if let Some(peer) = wanted {
            connects.push(desk.now);
            desk.client.connection_failed(desk.now, peer);
        }
        assert!(desk.client.poll_timeout() > Some(desk.now), "connects: {connects:?}");
    }
    connects
}

/// Each a minute at least after the one before.
#[track_caller]
fn assert_pauses(moments: &[Instant]) {
    assert!(moments.len() > 2, "{moments:?}");
    let paused = |pair: &[Instant]| pair[1].saturating_duration_since(pair[0]) >= secs(60);
    assert!(moments.windows(2).all(paused), "{moments:?}");
}

#[test]
fn a_server_that_cannot_be_reached_is_asked_for_with_pauses_after_its_lease() {
    let mut desk = Desk::registered(Desk::config(1, 60));
    let expired = desk.now + secs(60);
    desk.client.connection_failed(desk.now, desk.server_peer());
    let mut connects = connects(&mut desk, expired + secs(1_000));
    connects.retain(|at| *at >= expired);
    assert_pauses(&connects);
}

#[test]
fn a_server_that_cannot_be_reached_is_asked_for_with_pauses_after_a_disable() {
    let mut desk = disabling();
    desk.client.connection_failed(desk.now, desk.server_peer());
    let end = desk.now + secs(1_000);
    assert_pauses(&connects(&mut desk, end));
}

#[test]
fn an_object_list_that_no_longer_fits_leaves_pauses_after_the_lease() {
    // A buffer for a Register as it is, and for no block of a longer one.
    let mut config = Desk::config(1, 60);
    config.limits.datagram = 105;
    let mut desk = Desk::registered(config);
    let expired = desk.now + secs(60);
    let mut model = Crowd(device(), 900);
    desk.client.notify(desk.now, Path::ROOT, &mut model);
    let mut failed = Vec::new();
    while let Some(deadline) = desk.client.poll_timeout().filter(|deadline| *deadline <= expired + secs(1_000)) {
        desk.now = desk.now.max(deadline);
        desk.client.handle_timeout(desk.now, &mut model);
        assert!(desk.client.poll_timeout() > Some(desk.now), "failed: {failed:?}");
        while let Some(event) = desk.client.poll_event() {
            if event == (Event::RegistrationFailed { server: 1, reason: Reason::TooLarge }) {
                failed.push(desk.now);
            }
        }
        // Blocks of an Update fit; nobody answers them.
        while let Some(Output::Transmit { datagram, .. }) = desk.client.poll_output() {
            let message = Message::parse(datagram).unwrap();
            assert!(message.uri_path().count() == 2 && message.block1().is_some(), "no Register: {message:?}");
        }
    }
    assert_pauses(&failed);
}

#[test]
fn a_lease_that_ends_while_an_update_awaits_its_response_leaves_no_deadline_behind() {
    let mut desk = Desk::registered(Desk::config(1, 60));
    desk.receive(&observe(1, 0, None));
    desk.server = Server::Silent;
    let from = desk.sent.len();
    while desk.moments(from, Code::POST).is_empty() {
        desk.pass(secs(1));
    }
    let acknowledgement = acknowledge(&desk.last(Code::POST), Code::EMPTY);
    desk.receive(&acknowledgement);
    desk.now = Instant::from_secs(1_061);
    desk.timeout();
    desk.battery(3);
    desk.timeout();
}

// A server that refuses, and buffers that are all taken: the end of its pause is due meanwhile.
#[test]
fn a_client_without_buffers_has_no_deadline_in_the_past() {
    let mut config = Desk::config(1, 86_400).server(2, "coap://two.example", Credentials::NoSec, 86_400);
    config = config.access(Path::instance(3, 0), 1, &[]);
    (config.limits.slots, config.limits.deferred) = (2, 1);
    config.answer_within = secs(600);
    let refuses_two = |host: &str| if host.contains("two") { REFUSES } else { Server::Grants };
    let mut town = Town::new(config, refuses_two);
    town.timeout();
    assert!(town.client.is_registered(town.now, 1) && !town.client.is_registered(town.now, 2));
    town.model.refuse = Some(Refusal::Later);
    town.tell("dm.", &request(MessageType::Confirmable, Code::GET, 1, "/3/0/9", nothing));
    town.servers = |host| if host.contains("two") { REFUSES } else { Server::Silent };
    town.client.update(town.now, 1).unwrap();
    town.timeout();
    assert_eq!((town.client.usage().deferred, town.client.usage().slots), (1, 2));
    for _ in 0..1_500 {
        town.client.update(town.now, 1).unwrap();
        town.timeout();
        town.timeout();
        town.now = town.now + Duration::from_millis(90);
    }
}

// ----- terms --------------------------------------------------------------------------------

#[test]
fn a_lifetime_written_while_an_update_is_on_its_way_is_told_by_another() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.write("/1/0/1", "3600");
    let update = desk.last(Code::POST);
    assert!(Message::parse(&update).unwrap().uri_query().eq([b"lt=3600".as_slice()]));
    desk.write("/1/0/1", "7200");
    desk.server = Server::Grants;
    let before = desk.sent.len();
    desk.receive(&acknowledge(&update, Code::CHANGED));
    desk.pass(secs(1_000));
    assert_eq!(desk.moments(before, Code::POST).len(), 1);
    assert!(Message::parse(&desk.last(Code::POST)).unwrap().uri_query().eq([b"lt=7200".as_slice()]));
}

#[test]
fn an_instance_that_came_while_a_register_is_on_its_way_is_told_by_an_update() {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.pass(secs(1));
    let register = desk.last(Code::POST);
    let mut model = Crowd(device(), 2);
    desk.client.notify(desk.now, Path::object(3), &mut model);
    let granted = acknowledge(&register, Code::CREATED);
    desk.client.handle_datagram(desk.now, desk.server_peer(), &granted, &mut model);
    desk.client.handle_timeout(desk.now, &mut model);
    let Some(Output::Transmit { datagram, .. }) = desk.client.poll_output() else { panic!("no Update") };
    let update = Message::parse(datagram).unwrap();
    assert!(update.uri_path().eq([b"rd".as_slice(), b"5a3f"]));
    assert!(update.payload().windows(6).any(|link| link == b"</3/1>"));
}

#[test]
fn an_update_with_new_terms_that_is_answered_5_03_is_not_retried_at_once() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let before = desk.sent.len();
    desk.server = Server::Refuses(Code::SERVICE_UNAVAILABLE);
    desk.write("/1/0/1", "3600");
    desk.pass(secs(59));
    assert_eq!(desk.moments(before, Code::POST).len(), 1);
    desk.server = Server::Grants;
    desk.pass(secs(60));
    assert_eq!(desk.moments(before, Code::POST).len(), 2);
    assert!(Message::parse(&desk.last(Code::POST)).unwrap().uri_query().eq([b"lt=3600".as_slice()]));
}

// ----- sessions -----------------------------------------------------------------------------

/// A client that asked for a session when its network went.
fn asked_too_soon() -> (Desk, Peer) {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    desk.client.network_up(desk.now);
    let Some(Output::Connect { peer, .. }) = desk.client.poll_output() else { panic!("no Connect") };
    desk.client.network_down(desk.now);
    (desk, peer)
}

#[test]
fn a_session_that_fails_too_late_is_no_failure() {
    let (mut desk, peer) = asked_too_soon();
    desk.client.connection_failed(desk.now, peer);
    desk.client.network_up(desk.now);
    desk.drain();
    desk.timeout();
    assert_eq!(desk.events, [Event::Offline, Event::Registered { server: 1, lifetime: 86_400 }]);
}

#[test]
fn a_session_that_comes_too_late_is_asked_for_again() {
    let (mut desk, peer) = asked_too_soon();
    desk.client.connected(desk.now, peer, Session::New, &mut desk.model);
    desk.client.network_up(desk.now);
    assert!(matches!(desk.client.poll_output(), Some(Output::Connect { .. })));
}

#[test]
fn a_session_that_was_lost_with_the_network_is_closed_in_the_end() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.client.network_down(desk.now);
    desk.client.enter_flight_mode(desk.now);
    let peer = desk.server_peer();
    assert_eq!(desk.client.poll_output(), Some(Output::Disconnect { peer }));
    assert_eq!(desk.client.poll_output(), None);
}

#[test]
fn a_bootstrap_session_is_closed_at_power_off() {
    let config = Config::new("x", Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
    let mut town = Town::new(config, |_| Server::Silent);
    town.pass(secs(5));
    town.client.shutdown(town.now);
    town.pass(secs(1_000));
    assert_eq!(town.disconnected, [town.peer("bs.")]);
}

// ----- sleep --------------------------------------------------------------------------------

/// The same desk, after a sleep of a second with its memory off.
fn sleep(desk: &mut Desk) {
    let mut buffer = [0; 1_024];
    let len = desk.client.snapshot(desk.now, &mut buffer).unwrap();
    let wake = Wake::Sleep { elapsed: secs(1) };
    desk.now = desk.now + secs(1);
    desk.client = Client::restore(desk.client.config().clone(), &buffer[..len], desk.now, wake).unwrap();
}

#[test]
fn a_sleep_in_the_middle_of_leaving_comes_back_to_life() {
    // Back already, before the De-register was over.
    let mut desk = leaving();
    desk.client.leave_flight_mode(desk.now);
    sleep(&mut desk);
    desk.timeout();
    assert!(desk.client.is_registered(desk.now, 1));
    // On the way into flight mode.
    let mut desk = leaving();
    sleep(&mut desk);
    desk.pass(secs(100));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.client.leave_flight_mode(desk.now);
    desk.pass(secs(1));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_sleep_in_the_middle_of_a_disable_comes_back_to_life_after_it() {
    let mut desk = disabling();
    sleep(&mut desk);
    desk.pass(secs(8));
    assert!(!desk.client.is_registered(desk.now, 1));
    desk.pass(secs(2));
    assert!(desk.client.is_registered(desk.now, 1));
}

#[test]
fn the_pause_between_bootstraps_survives_a_sleep() {
    let mut config = Config::new("x", Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
    config.bootstrap.honour_hold_off = false;
    let mut desk = Desk::new(config);
    desk.server = REFUSES;
    desk.client.network_up(desk.now);
    desk.pass(secs(3_600));
    let due = desk.client.poll_timeout();
    assert!(due > Some(desk.now + secs(600)), "{due:?}");
    sleep(&mut desk);
    assert_eq!(desk.client.poll_timeout(), due);
}

// ----- bootstrap ----------------------------------------------------------------------------

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

// ----- observations -------------------------------------------------------------------------

#[test]
fn a_repeated_observe_does_not_revive_a_cancelled_observation() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    // The answer is too long to be kept for a repetition: it is made anew.
    let observe = desk.request(Code::GET, "/3/0", |writer| writer.observe(0).unwrap());
    desk.receive(&observe);
    desk.server = Server::Silent;
    desk.battery(5);
    let reset = reject(&desk.last(Code::CONTENT));
    desk.receive(&reset);
    assert_eq!(desk.events.last(), Some(&Event::ObservationCancelled { server: 1, path: Path::instance(3, 0) }));
    let before = desk.events.len();
    desk.receive(&observe);
    assert_eq!(desk.events[before..], []);
    let before = desk.sent.len();
    desk.battery(6);
    assert_eq!(desk.sent.len(), before);
}

#[test]
fn a_reset_of_a_notification_from_before_a_new_observe_still_cancels() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.receive(&observe(1, 0, None));
    desk.server = Server::Silent;
    desk.battery(5);
    let reset = reject(&desk.last(Code::CONTENT));
    // The answer to this one is a 2.05 as well.
    let notification = desk.sent.len();
    desk.receive(&observe(2, 0, None));
    assert_eq!(desk.sent.len(), notification + 1);
    desk.receive(&reset);
    assert_eq!(desk.events.last(), Some(&CANCELLED));
}

#[test]
fn an_observe_that_is_answered_with_an_error_ends_the_observation() {
    let opaque = Some(ContentFormat(50));
    for (refusal, request, code) in [
        (Some(Refusal::Code(Code::SERVICE_UNAVAILABLE)), observe(2, 1, None), Code::SERVICE_UNAVAILABLE),
        (None, observe(2, 0, opaque), Code::NOT_ACCEPTABLE),
    ] {
        let mut desk = Desk::registered(Desk::config(1, 86_400));
        desk.receive(&observe(1, 0, None));
        desk.model.refuse = refusal;
        let (_, sent) = desk.receive(&request);
        assert_eq!(Message::parse(&sent[0]).unwrap().code(), code);
        assert_eq!(desk.events.last(), Some(&CANCELLED));
        desk.model.refuse = None;
        let before = desk.sent.len();
        desk.battery(7);
        assert_eq!(desk.sent.len(), before);
    }
}

#[test]
fn a_notification_in_no_need_of_an_answer_keeps_its_time_while_an_update_has_none() {
    let mut config = Desk::config(1, 86_400);
    config.confirmable_notifications = false;
    let mut desk = Desk::registered(config);
    desk.write("/1/0/2", "10");
    desk.receive(&observe(1, 0, None));
    let observed = desk.now;
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.pass(secs(1));
    let before = desk.sent.len();
    desk.battery(7);
    desk.pass(secs(200));
    assert_eq!(desk.moments(before, Code::CONTENT), [observed + secs(10)]);
}

#[test]
fn what_changed_while_the_path_was_away_is_not_told_when_nothing_is_to_be_stored() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.write("/1/0/6", "0");
    desk.receive(&observe(1, 0, None));
    desk.client.network_down(desk.now);
    desk.battery(7);
    desk.pass(secs(100));
    let before = desk.sent.len();
    desk.client.network_up(desk.now);
    desk.pass(secs(10));
    assert!(desk.client.is_registered(desk.now, 1));
    assert_eq!(desk.moments(before, Code::CONTENT), []);
    desk.battery(8);
    assert_eq!(desk.moments(before, Code::CONTENT), [desk.now]);
}

#[test]
fn an_observe_is_worth_a_new_snapshot() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let before = desk.client.revision();
    desk.receive(&observe(1, 0, None));
    assert!(desk.client.revision() > before);
}

// ----- patience -----------------------------------------------------------------------------

#[test]
fn an_update_answered_4_29_keeps_the_registration() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    let before = desk.sent.len();
    desk.server = Server::Refuses(Code::TOO_MANY_REQUESTS);
    desk.client.update(desk.now, 1).unwrap();
    desk.pass(secs(59));
    assert!(desk.client.is_registered(desk.now, 1));
    assert_eq!(desk.moments(before, Code::POST).len(), 1);
}

#[test]
fn no_server_makes_the_client_wait_for_longer_than_the_longest_pause() {
    let mut desk = Desk::new(Desk::config(1, 86_400));
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.pass(secs(1));
    let refusal = reply(MessageType::Acknowledgement, &desk.last(Code::POST), Code::SERVICE_UNAVAILABLE, |writer| {
        writer.option(OptionNumber::MAX_AGE, &[0xFF; 4]).unwrap()
    });
    desk.receive(&refusal);
    assert_eq!(desk.client.poll_timeout(), Some(desk.now + secs(86_400)));
}

#[test]
fn a_network_that_is_back_shortens_a_long_pause() {
    let mut desk = Desk::new(Desk::config(1, 3_600));
    desk.server = Server::Silent;
    desk.client.network_up(desk.now);
    desk.pass(secs(86_400));
    assert!(desk.client.poll_timeout() > Some(desk.now + secs(90)));
    desk.client.network_down(desk.now);
    desk.client.network_up(desk.now);
    let due = desk.client.poll_timeout();
    assert!(due > Some(desk.now) && due <= Some(desk.now + secs(90)), "{due:?} at {:?}", desk.now);
}

// ----- late answers -------------------------------------------------------------------------

#[test]
fn a_late_answer_waits_while_the_client_registers_anew_and_is_dropped_then() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.model.refuse = Some(Refusal::Later);
    desk.ask(Code::POST, "/3/0/4", nothing);
    let ticket = desk.model.ticket.get().unwrap();
    desk.server = Server::Silent;
    desk.client.update(desk.now, 1).unwrap();
    desk.timeout();
    desk.receive(&acknowledge(&desk.last(Code::POST), Code::NOT_FOUND));
    let register = desk.last(Code::POST);
    assert!(Message::parse(&register).unwrap().uri_path().eq([b"rd".as_slice()]));
    desk.receive(&acknowledge(&register, Code::EMPTY));
    let before = desk.sent.len();
    desk.client.resume(desk.now, ticket, &mut desk.model).unwrap();
    desk.pass(secs(10));
    assert_eq!((desk.model.executes, desk.sent.len()), (1, before));

    let mut granted = acknowledge(&register, Code::CREATED);
    // Not an acknowledgement any more: non-confirmable, with a Message ID of its own.
    (granted[0], granted[2], granted[3]) = (granted[0] & 0xCF | 0x10, 0x77, 0x77);
    desk.receive(&granted);
    assert!(desk.client.is_registered(desk.now, 1));
    assert_eq!(desk.client.usage().deferred, 0);
    desk.pass(secs(100));
    assert_eq!((desk.model.executes, desk.sent.len()), (1, before));
    assert_eq!(desk.client.resume(desk.now, ticket, &mut desk.model), Err(CommandError::StaleTicket));
}

// ----- the device ---------------------------------------------------------------------------

#[test]
fn flight_mode_does_not_call_a_power_off_back() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.client.shutdown(desk.now);
    desk.client.enter_flight_mode(desk.now);
    desk.client.leave_flight_mode(desk.now);
    desk.events.clear();
    desk.pass(secs(200));
    let over = [Event::Deregistered { server: 1, unconfirmed: None }, Event::MayProceed(Leave::PowerOff)];
    assert_eq!(desk.events, over);
    assert!(!desk.client.is_registered(desk.now, 1));
}

#[test]
fn a_short_flight_mode_delays_the_register_by_no_more_than_leaving_may_take() {
    let mut config = Desk::config(1, 86_400);
    config.leave_within = secs(5);
    let mut desk = Desk::registered(config);
    desk.server = Server::Silent;
    desk.client.enter_flight_mode(desk.now);
    desk.drain();
    desk.client.leave_flight_mode(desk.now);
    desk.server = Server::Silent;
    let (from, before) = (desk.now, desk.sent.len());
    desk.pass(secs(5));
    assert_eq!(desk.moments(before, Code::POST), [from + secs(5)]);
}

#[test]
fn a_default_lifetime_of_zero_is_an_error_of_the_configuration() {
    let mut config = Desk::config(1, 0);
    config.default_lifetime = 0;
    assert_eq!(Client::new(config, Instant::ZERO).unwrap_err(), ConfigError::Lifetime);
}

#[test]
fn a_repetition_from_before_a_new_registration_observes_nothing() {
    let mut desk = Desk::registered(Desk::config(1, 600));
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    let observed = |answers: &[Vec<u8>]| {
        let answer = Message::parse(&answers[0]).unwrap();
        assert_eq!((answer.code(), answer.payload()), (Code::CONTENT, &b"80"[..]));
        answer.observe()
    };
    let (_, answers) = desk.receive(&observe);
    assert_eq!(observed(&answers), Some(1));
    let (_, again) = desk.receive(&observe);
    assert_eq!(again[0], answers[0], "it was lost");
    // Its server has forgotten everything, and so does the client.
    let peer = desk.server_peer();
    desk.client.connected(desk.now, peer, Session::New, &mut desk.model);
    desk.drain();
    assert!(desk.client.is_registered(desk.now, 1));
    let (received, answers) = desk.receive(&observe);
    assert_eq!((received, observed(&answers)), (Received::Request, None));
}

#[test]
fn a_repetition_whose_type_was_damaged_leaves_the_next_one_its_answer() {
    let mut desk = Desk::registered(Desk::config(1, 600));
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    let (_, answers) = desk.receive(&observe);
    let mut damaged = observe.clone();
    damaged[0] ^= 0x10;
    assert_eq!(Message::parse(&damaged).unwrap().message_type(), MessageType::NonConfirmable);
    desk.receive(&damaged);
    let (_, again) = desk.receive(&observe);
    assert_eq!(again, answers);
}

#[test]
fn what_is_kept_and_must_be_confirmed_a_moment_later_leaves_no_deadline_behind() {
    let mut config = Desk::config(1, 400_000);
    config.confirmable_notifications = false;
    let mut desk = Desk::registered(config);
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.receive(&observe);
    let confirmed = desk.now;
    desk.client.network_down(desk.now);
    for level in [70, 60, 50] {
        desk.now = desk.now + secs(60);
        desk.battery(level);
    }
    // The first one leaves a second before a day is over; three seconds later one must be confirmable.
    desk.now = confirmed + secs(86_399);
    desk.client.network_up(desk.now);
    desk.drain();
    for _ in 0..50 {
        let Some(due) = desk.client.poll_timeout() else { break };
        desk.now = desk.now.max(due);
        desk.client.handle_timeout(desk.now, &mut desk.model);
        assert!(desk.client.poll_timeout().is_none_or(|next| next > desk.now), "after {}", desk.now);
        desk.drain();
        if desk.now > confirmed + secs(90_000) {
            break;
        }
    }
    let told: Vec<_> = desk
        .messages(0)
        .iter()
        .filter(|message| message.observe().is_some())
        .map(|message| message.payload().to_vec())
        .collect();
    assert_eq!(told, [&b"80"[..], b"70", b"60", b"50"]);
}
