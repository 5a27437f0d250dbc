//! An observer of a client: it sees datagrams, time, events and public gauges, and says what must not be.
//!
//! It knows the rules from the standards and the client's contract, and nothing of the client's insides:
//! it shares no state with it, and no reader but `coap-codec`. Begin with [`Sim::watch`](super::Sim::watch),
//! and ask for [`Observer::violations`] as often as you like.
//!
//! A rule that cannot be judged after some trouble (a message that was given up when the network went, say)
//! is not judged there: what the observer reports is wrong, and what it is silent about may still be.

mod answers;
mod asked;
mod blocks;
mod deadlines;
mod gauges;
mod invariant;
mod messages;
mod multicast;
mod observations;
mod registrations;
mod silence;
#[cfg(test)]
mod tests;
mod waking;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, Message, MessageType};

use self::answers::Answers;
use self::blocks::Blocks;
use self::deadlines::Deadlines;
pub use self::gauges::Gauges;
use self::invariant::{Hex, Report};
pub use self::invariant::{Invariant, Violation, Weather};
use self::messages::Messages;
use self::multicast::Multicast;
use self::observations::Observations;
use self::registrations::Registrations;
use self::silence::Silence;
use self::waking::Waking;
use super::record::Input;
use crate::base::config::Config;
use crate::base::event::{Event, Reason};
use crate::base::limits::Limits;
use crate::base::time::Instant;
use crate::client::Wake;
use crate::exchange::Peer;

/// A server that the device may have an account for.
#[derive(Clone, Debug)]
struct Account {
    server: u16,
    host: usize,
}

/// A datagram of the device, or for it.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    now: Instant,
    peer: Peer,
    /// Index into the hosts.
    host: usize,
    message: Message<'a>,
}

impl Seen<'_> {
    fn id(&self) -> u16 {
        self.message.message_id().0
    }

    fn is(&self, kind: MessageType) -> bool {
        self.message.message_type() == kind
    }

    fn code(&self) -> Code {
        self.message.code()
    }
}

/// Whether news are of something that a server had done.
const fn changes(event: &Event) -> bool {
    matches!(event, Event::Executed { .. } | Event::Written { .. } | Event::Created { .. } | Event::Deleted { .. })
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Observer {
    report: Report,
    limits: Limits,
    hosts: Vec<Arc<str>>,
    messages: Messages,
    answers: Answers,
    blocks: Blocks,
    multicast: Multicast,
    observations: Observations,
    registrations: Registrations,
    silence: Silence,
    waking: Waking,
    deadlines: Deadlines,
    gauges: Gauges,
    /// When the client was given something last.
    called: Instant,
    steps: u64,
}

impl Observer {
    /// An observer of a client with this configuration, from its beginning on; `servers` are the Short Server
    /// IDs and hosts (`dm.example:5683`) that it may come to know.
    #[must_use]
    pub fn new(config: &Config, servers: &[(u16, Arc<str>)], now: Instant) -> Self {
        let mut hosts: Vec<Arc<str>> = Vec::new();
        let mut accounts = Vec::new();
        for (server, host) in servers {
            let known = hosts.iter().position(|known| known == host);
            let index = known.unwrap_or_else(|| {
                hosts.push(host.clone());
                hosts.len() - 1
            });
            accounts.push(Account { server: *server, host: index });
        }
        Self {
            report: Report { now, found: Vec::new() },
            limits: config.limits,
            hosts,
            messages: Messages::new(config.transmission),
            answers: Answers::new(config),
            blocks: Blocks::default(),
            multicast: Multicast::new(config.transmission.leisure),
            observations: Observations::default(),
            registrations: Registrations::new(config, accounts, now),
            silence: Silence::default(),
            waking: Waking::new(config.transmission),
            deadlines: Deadlines::default(),
            gauges: Gauges::default(),
            called: now,
            steps: 0,
        }
    }

    /// What was seen that must not be, the first 16.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.report.found
    }

    /// How many things were observed: datagrams sent and received, events, inputs.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// How long a device may take to be registered again, once all is well again after so long a trouble:
    /// the pauses between tries double, so that the last one is hardly longer than all the tries before it,
    /// and one that has seen nothing of the trouble finds out with its next Update.
    #[must_use]
    pub fn bound(trouble: Duration, lifetime: Duration) -> Duration {
        registrations::bound(trouble, lifetime)
    }

    // ----- what it is shown -----------------------------------------------------------------

    fn host(&mut self, host: &Arc<str>) -> usize {
        let same = |known: &Arc<str>| Arc::ptr_eq(known, host) || known == host;
        self.hosts.iter().position(same).unwrap_or_else(|| {
            self.hosts.push(host.clone());
            self.hosts.len() - 1
        })
    }

    /// Time passes, and something is about to happen.
    pub fn begin(&mut self, now: Instant) {
        self.report.now = now;
    }

    /// The device sends a datagram.
    pub fn sent(&mut self, peer: Peer, host: &Arc<str>, datagram: &[u8]) {
        self.steps += 1;
        let (now, host) = (self.report.now, self.host(host));
        let report = &mut self.report;
        self.silence.sent(report);
        self.deadlines.progress();
        if datagram.len() > self.limits.datagram {
            let (len, limit) = (datagram.len(), self.limits.datagram);
            report.violated(Invariant::MessageSize, format_args!("{len} bytes, and {limit} are allowed"));
        }
        let Ok(message) = Message::parse(datagram) else {
            return report.violated(Invariant::WellFormed, format_args!("{}", Hex(datagram)));
        };
        let seen = Seen { now, peer, host, message };
        let fresh = self.messages.sent(&seen, report);
        let late = self.answers.sent(&seen, report);
        self.blocks.sent(&seen, report);
        self.multicast.sent(&seen, report);
        self.waking.sent(&seen, report);
        if fresh {
            let answer = late || seen.is(MessageType::Acknowledgement) || self.answers.is_answer(&seen);
            self.observations.sent(&seen, answer, report);
        }
        self.registrations.sent(&seen, fresh, self.answers.is_repetition(&seen), report);
    }

    /// A datagram is about to be given to the client; `damaged` is whether it is not as it was sent.
    pub fn delivered(&mut self, peer: Peer, host: &Arc<str>, datagram: &[u8], damaged: bool) {
        self.steps += 1;
        let (now, host) = (self.report.now, self.host(host));
        let Ok(message) = Message::parse(datagram) else {
            // Nobody can say what it was, and what it may have been rejected as.
            return;
        };
        let seen = Seen { now, peer, host, message };
        self.deadlines.delivered(&message);
        self.waking.delivered(host);
        let serves = self.registrations.serves(now, host);
        let another = self.answers.is_another(&seen);
        let repeated = self.answers.delivered(&seen, serves, &self.gauges, &self.limits);
        self.blocks.delivered(&seen, another);
        self.messages.delivered(&seen, repeated || damaged);
        self.observations.delivered(&seen);
        self.registrations.delivered(&seen, damaged || another);
        if message.code() == Code::POST && message.uri_path().eq([b"bs"]) {
            // Bootstrap-Finish: all that is on its way is given up.
            self.messages.excuse_all();
            self.answers.excuse_all();
        }
    }

    /// The platform is about to take a datagram at a host.
    pub fn arrived(&mut self, host: &Arc<str>, datagram: &[u8], damaged: bool) {
        let (now, host) = (self.report.now, self.host(host));
        if let Ok(message) = Message::parse(datagram)
            && message.code().is_request()
        {
            self.registrations.arrived(now, host, &message, damaged);
        }
    }

    /// The platform sends a datagram from a host.
    pub fn replied(&mut self, host: &Arc<str>, datagram: &[u8]) {
        let host = self.host(host);
        if let Ok(message) = Message::parse(datagram)
            && message.code().is_response()
        {
            self.registrations.replied(host, &message);
        }
    }

    /// The client asks for a session.
    pub fn connects(&mut self, peer: Peer, host: Option<&Arc<str>>) {
        self.deadlines.progress();
        self.silence.connects(&mut self.report);
        self.messages.excuse(peer);
        self.answers.excuse(peer);
        if let Some(host) = host {
            let host = self.host(host);
            self.registrations.doubt(Some(host));
        }
    }

    /// The client gives a session up.
    pub fn disconnects(&mut self, peer: Peer) {
        self.deadlines.progress();
        self.messages.excuse(peer);
        self.answers.forget(peer);
    }

    /// The client has news. It is shown before what is sent at the same time.
    pub fn event(&mut self, event: &Event) {
        self.steps += 1;
        self.deadlines.progress();
        self.silence.event(event);
        self.answers.event(event);
        self.blocks.event(event, &mut self.report);
        self.multicast.event(event, &mut self.report);
        self.registrations.event(self.report.now, event);
        self.waking.event(event);
        if matches!(event, Event::MayProceed(_) | Event::Deregistered { unconfirmed: Some(Reason::CutShort), .. }) {
            self.messages.excuse_all();
            self.answers.excuse_all();
        }
        match *event {
            Event::Registered { server, .. } | Event::Deregistered { server, .. } => {
                self.observations.forget(self.registrations.host_of(server));
            }
            Event::BootstrapFinished => self.observations.forget(None),
            _ => {}
        }
        if self.registrations.ends_requests(event) {
            self.answers.excuse_all();
        }
    }

    /// Something other than a datagram or a timeout is about to be given to the client.
    pub fn input(&mut self, input: &Input) {
        self.steps += 1;
        self.called = self.report.now;
        self.silence.input(input);
        self.waking.input(self.report.now, input);
        match input {
            Input::Multicast { peer, bytes, .. } => {
                if let Ok(message) = Message::parse(bytes) {
                    self.answers.by_multicast(self.report.now, *peer, &message);
                    self.multicast.delivered(self.report.now, *peer, &message);
                }
            }
            Input::Datagram { .. }
            | Input::Timeout { .. }
            | Input::Notify { .. }
            | Input::Application { .. }
            | Input::Connected { .. } => {}
            Input::Update { .. } | Input::WillBeUnreachable { .. } => {}
            Input::WasUnreachable { .. } => self.suspended(),
            Input::Resume { .. } => self.answers.resumed(),
            Input::Restart { .. } => {
                // Nothing is remembered of what was, not even which numbers were used.
                self.messages.forget();
                self.answers.clear();
                self.observations.forget(None);
                self.registrations.restarted(self.report.now, true);
            }
            Input::Restore { wake: Wake::Sleep { .. }, .. } => {
                self.messages.excuse_all();
                self.answers.clear();
                self.registrations.restarted(self.report.now, false);
            }
            Input::Boot { .. } | Input::Restore { wake: Wake::Restart, .. } => {
                self.messages.excuse_all();
                self.answers.clear();
                self.observations.forget(None);
                self.registrations.restarted(self.report.now, false);
            }
            Input::ConnectionFailed { .. }
            | Input::NetworkUp { .. }
            | Input::NetworkDown { .. }
            | Input::EnterFlightMode { .. }
            | Input::LeaveFlightMode { .. }
            | Input::Shutdown { .. }
            | Input::AddressChanged { .. } => {
                self.messages.excuse_all();
                self.answers.excuse_all();
                self.registrations.doubt(None);
                if matches!(input, Input::EnterFlightMode { .. } | Input::Shutdown { .. }) {
                    self.registrations.leaves();
                }
            }
        }
    }

    /// The device is off for a while, and will go on where it was.
    pub fn suspended(&mut self) {
        self.messages.excuse_all();
        self.answers.excuse_all();
        self.multicast.excuse_all();
        self.registrations.doubt(None);
    }

    /// The device's clock steps by so many seconds. What is on its way is not judged by its times, and who
    /// jumps ahead may forget what came before.
    pub fn clock_stepped(&mut self, seconds: i64) {
        self.messages.excuse_all();
        self.answers.excuse_all();
        self.multicast.excuse_all();
        self.waking.excuse_all();
        if seconds > 0 {
            self.answers.aged(Duration::from_secs(seconds.unsigned_abs()));
        } else {
            let waited = self.report.now.saturating_duration_since(self.called);
            self.registrations.lose(waited.min(Duration::from_secs(seconds.unsigned_abs())));
        }
        self.registrations.doubt(None);
    }

    /// A server lost its memory.
    pub fn forgot(&mut self, host: &Arc<str>) {
        let host = self.host(host);
        self.registrations.forgot(host);
    }

    /// After a timeout was given to the client at a time of its clock: the deadline that it names then.
    pub fn timed_out(&mut self, clock: Instant, next: Option<Instant>) {
        self.steps += 1;
        let is_full = self.gauges.is_full(&self.limits);
        self.deadlines.timed_out(clock, next, is_full, &mut self.report);
    }

    /// Something happened, and all that it caused at once has been shown.
    pub fn settled(&mut self, gauges: Gauges, weather: Weather) {
        let now = self.report.now;
        self.blocks.settled();
        self.multicast.settled();
        if self.answers.settled(now, &mut self.report) {
            self.registrations.taint();
        }
        self.messages.settled(now, &mut self.report);
        self.silence.settled();
        let weather = if self.silence.is_present() { weather } else { Weather::Bad };
        self.registrations.settled(now, weather, &mut self.report);
        if gauges.usage.deduplication >= self.limits.deduplication {
            self.answers.crowded();
        }
        if gauges != self.gauges {
            gauges.check(&self.limits, &mut self.report);
            self.gauges = gauges;
        }
    }
}
