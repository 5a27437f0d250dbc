//! The driving loop: what a runtime does with its sockets and its clock, done with virtual ones.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::record::Input;
use super::trace::{Direction, Fate, Order, What};
use super::{Sim, network};
use crate::base::time::Instant;
use crate::client::{CommandError, Output};
use crate::exchange::Peer;
use crate::lifecycle::Session;
use crate::model::DataModel;

/// A socket of the device: one for each session.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    /// None while the device sleeps; the next session with the host takes it over.
    pub(super) peer: Option<Peer>,
    pub(super) host: Arc<str>,
    pub(super) port: u16,
    /// The device's address when the session was made last.
    address: network::Address,
}

impl Socket {
    /// The device sleeps, and will not know the session by its number.
    pub(super) const fn orphan(&mut self) {
        self.peer = None;
    }
}

/// A session that is being made.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    at: Instant,
    peer: Peer,
    uri: String,
}

/// How many steps were done within one second of virtual time.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    second: u64,
    steps: u32,
}

/// More steps than this within one second are no life, but a deadline that nothing clears.
const MAX_STEPS_PER_SECOND: u32 = 5_000;

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Arrival,
    Session,
    Platform,
    Client,
}

impl<M: DataModel> Sim<M> {
    /// Goes on to the next thing that happens (a datagram arrives, the platform or the client has
    /// something to do) and does it. False when nothing will ever happen.
    ///
    /// # Panics
    /// When the client breaks its contract: a deadline that [`Client::handle_timeout`] leaves in the
    /// past, or that comes again and again without end.
    ///
    /// [`Client::handle_timeout`]: crate::Client::handle_timeout
    #[track_caller]
    pub fn step(&mut self) -> bool {
        self.settle();
        let Some((at, next)) = self.next() else { return false };
        self.go_to(at.max(self.now));
        self.pace(next, at);
        match next {
            Next::Arrival => self.arrive(),
            // Settling makes it.
            Next::Session => {}
            Next::Platform => self.platform.handle_timeout(self.now),
            Next::Client => self.time_out(),
        }
        self.settle();
        true
    }

    /// Does all that happens within `duration`; then it is so much later.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    #[track_caller]
    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(duration, |_| false);
    }

    /// Runs until `done`, at most for `limit`. Whether it came to that.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    #[track_caller]
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + limit;
        self.settle();
        while !done(self) {
            if self.next().is_none_or(|(at, _)| at > end) {
                self.go_to(end);
                return done(self);
            }
            self.step();
        }
        true
    }

    /// When [`step`](Self::step) would do something, and nothing before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next().map(|(at, _)| at)
    }

    // ----- inputs ---------------------------------------------------------------------------

    pub(super) fn command(&mut self, name: &'static str, input: Input) {
        // Only `update` and `resume` can fail.
        let _ = self.try_command(name, input);
    }

    pub(super) fn try_command(&mut self, name: &'static str, input: Input) -> Result<(), CommandError> {
        self.settle();
        self.trace.push(self.now, What::Command(name));
        let result = self.give(&input);
        self.settle();
        result
    }

    fn give(&mut self, input: &Input) -> Result<(), CommandError> {
        if let Some(recorder) = &mut self.recorder {
            recorder.input(input);
        }
        if let Some(observer) = &mut self.observer {
            observer.begin(self.now);
            observer.input(input);
        }
        // With these a client begins that has counted nothing.
        if matches!(input, Input::Restart { .. } | Input::Restore { .. } | Input::Boot { .. }) {
            self.counted = self.statistics();
        }
        input.apply(&mut self.client, &mut self.model)
    }

    #[track_caller]
    fn time_out(&mut self) {
        let now = self.clock();
        let _ = self.give(&Input::Timeout { now });
        let next = self.client.poll_timeout();
        if let Some(observer) = &mut self.observer {
            return observer.timed_out(now, next);
        }
        if let Some(left) = next.filter(|left| *left <= now) {
            panic!("the client leaves a deadline of {left} after it did what was due at {now}\n{}", self.trace);
        }
    }

    fn arrive(&mut self) {
        let now = self.now;
        let Some(datagram) = self.network.arrival(now) else { return };
        if let (Some(paged), Direction::ToDevice) = (&mut self.paged, datagram.direction) {
            return paged.push(datagram);
        }
        let network::Datagram { number, direction, host, device, bytes, copy, damaged } = datagram;
        let taken = match direction {
            Direction::ToServer => {
                if let Some(observer) = &mut self.observer {
                    observer.begin(now);
                    observer.arrived(&host, &bytes, damaged);
                }
                self.platform.receive(now, &host, device, &bytes)
            }
            Direction::ToDevice => {
                // Nobody answers at an address that the device does not have any more.
                let here = self.network.attached && !self.asleep && device == self.network.address(device.port);
                let socket = self.sockets.iter().find(|socket| socket.port == device.port && socket.host == host);
                match socket.filter(|_| here).and_then(|socket| socket.peer) {
                    Some(peer) => {
                        if let Some(observer) = &mut self.observer {
                            observer.begin(now);
                            observer.delivered(peer, &host, &bytes, damaged);
                        }
                        let _ = self.give(&Input::Datagram { now: self.clock(), peer, bytes });
                        true
                    }
                    None => false,
                }
            }
        };
        if !taken {
            self.network.went_astray();
            if !copy {
                self.trace.astray(number);
            }
        }
    }

    // ----- outputs --------------------------------------------------------------------------

    /// Carries out all orders, tells the news, and makes the sessions whose time has come.
    pub(super) fn settle(&mut self) {
        self.drain();
        while let Some(index) = self.opening.iter().position(|opening| opening.at <= self.now && !self.asleep) {
            let Opening { peer, uri, .. } = self.opening.remove(index);
            let input = self.open(peer, &uri);
            let _ = self.give(&input);
            self.drain();
        }
        self.tell_observer();
    }

    fn drain(&mut self) {
        enum Owned {
            Transmit(Peer, Vec<u8>),
            Order(Order),
        }
        let now = self.now;
        while let Some(event) = self.client.poll_event() {
            if let Some(observer) = &mut self.observer {
                observer.begin(now);
                observer.event(&event);
            }
            self.news.push(event);
        }
        while let Some(output) = self.client.poll_output() {
            if let Some(recorder) = &mut self.recorder {
                recorder.output(&output);
            }
            let owned = match output {
                Output::Transmit { peer, datagram } => Owned::Transmit(peer, datagram.to_vec()),
                Output::Connect { peer, uri, .. } => Owned::Order(Order::Connect { peer, uri: uri.to_string() }),
                Output::Disconnect { peer } => Owned::Order(Order::Disconnect { peer }),
            };
            match owned {
                Owned::Transmit(peer, datagram) => self.transmit(peer, &datagram),
                Owned::Order(order) => {
                    match &order {
                        Order::Connect { peer, uri } => {
                            if let Some(observer) = &mut self.observer {
                                observer.begin(now);
                                observer.connects(*peer, self.platform.host(uri).as_ref());
                            }
                            let at = now + self.network.connecting;
                            self.opening.push(Opening { at, peer: *peer, uri: uri.clone() });
                        }
                        Order::Disconnect { peer } => {
                            if let Some(observer) = &mut self.observer {
                                observer.begin(now);
                                observer.disconnects(*peer);
                            }
                            self.opening.retain(|opening| opening.peer != *peer);
                            self.sockets.retain(|socket| socket.peer != Some(*peer));
                        }
                    }
                    self.trace.push(now, What::Order(order));
                }
            }
        }
        let mut news = core::mem::take(&mut self.news);
        for event in news.drain(..) {
            if let Some(recorder) = &mut self.recorder {
                recorder.event(&event);
            }
            self.trace.push(now, What::Event(event));
        }
        self.news = news;
        while let Some((host, to, bytes, up)) = self.platform.transmit() {
            let sockets = &self.sockets;
            let peer = sockets
                .iter()
                .find(|socket| socket.port == to.port && socket.host == host)
                .and_then(|socket| socket.peer);
            if let Some(observer) = &mut self.observer {
                observer.begin(now);
                observer.replied(&host, &bytes);
            }
            self.send(Direction::ToDevice, &host, peer, to, bytes, up);
        }
    }

    fn transmit(&mut self, peer: Peer, datagram: &[u8]) {
        let Some(socket) = self.sockets.iter().find(|socket| socket.peer == Some(peer)) else {
            panic!("the client sends to {peer}, with which it has no session\n{}", self.trace);
        };
        let (host, from) = (socket.host.clone(), self.network.address(socket.port));
        let up = self.platform.is_up(&host);
        if let Some(observer) = &mut self.observer {
            observer.begin(self.now);
            observer.sent(peer, &host, datagram);
        }
        self.send(Direction::ToServer, &host, Some(peer), from, datagram.to_vec(), up);
    }

    pub(super) fn send(
        &mut self,
        dir: Direction,
        host: &Arc<str>,
        peer: Option<Peer>,
        device: network::Address,
        bytes: Vec<u8>,
        up: bool,
    ) {
        let sent = self.network.send(self.now, dir, host, device, &bytes, up);
        let network::Sent { number, fate, arrives_at } = sent;
        debug_assert!(fate != Fate::Astray, "that is seen only when it arrives");
        self.trace.push(self.now, What::Datagram { number, dir, host: host.clone(), peer, bytes, fate, arrives_at });
    }

    /// What comes of a Connect: a session, or none because nobody has that name.
    fn open(&mut self, peer: Peer, uri: &str) -> Input {
        let now = self.clock();
        let host = self.platform.host(uri).filter(|host| self.network.attached && self.network.can_resolve(host));
        let Some(host) = host else {
            // Whatever there was is no path any more.
            self.sockets.retain(|socket| socket.peer != Some(peer));
            return Input::ConnectionFailed { now, peer };
        };
        let own = self.sockets.iter().position(|socket| socket.peer == Some(peer));
        let left = || self.sockets.iter().position(|socket| socket.peer.is_none() && socket.host == host);
        let session = match own.or_else(left).and_then(|index| self.sockets.get_mut(index)) {
            Some(socket) => {
                socket.peer = Some(peer);
                let before = core::mem::replace(&mut socket.address, self.network.address(socket.port));
                if before == socket.address { Session::Resumed } else { Session::Moved }
            }
            None => {
                let port = self.next_port;
                self.next_port = self.next_port.wrapping_add(1);
                self.sockets.push(Socket { peer: Some(peer), host, port, address: self.network.address(port) });
                Session::New
            }
        };
        Input::Connected { now, peer, session }
    }

    // ----- time -----------------------------------------------------------------------------

    /// The next thing, and when. What is due at the same time has an order of its own.
    fn next(&self) -> Option<(Instant, Next)> {
        let opening = self.opening.iter().map(|opening| opening.at).min();
        let all = [
            (self.network.poll_timeout(), Next::Arrival),
            (opening.filter(|_| !self.asleep), Next::Session),
            (self.platform.poll_timeout(), Next::Platform),
            (self.client.poll_timeout().filter(|_| !self.asleep).map(|at| self.real(at)), Next::Client),
        ];
        // What is overdue is due now.
        all.into_iter().filter_map(|(at, next)| Some((at?.max(self.now), next))).min()
    }

    /// When the device's clock shows this.
    const fn real(&self, clock: Instant) -> Instant {
        Instant::from_micros(clock.as_micros().saturating_add_signed(self.ahead.saturating_neg()))
    }

    fn go_to(&mut self, at: Instant) {
        self.now = at;
        self.platform.tell_time(at);
    }

    #[track_caller]
    fn pace(&mut self, next: Next, at: Instant) {
        let second = self.now.as_micros() / 1_000_000;
        if self.pace.second != second {
            self.pace = Pace { second, steps: 0 };
        }
        self.pace.steps += 1;
        if self.pace.steps > MAX_STEPS_PER_SECOND {
            panic!("{MAX_STEPS_PER_SECOND} steps within a second: the {next:?} deadline of {at} does not go away");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::{Config, Credentials};
    use crate::base::rng::Key;
    use crate::model::NoObjects;

    fn device() -> Sim<NoObjects> {
        let config = Config::new("x", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 600);
        Sim::new(config, NoObjects, 1)
    }

    #[test]
    fn time_passes_where_nothing_happens() {
        let mut sim = device();
        assert!(!sim.step());
        sim.run_for(Duration::from_secs(7));
        assert_eq!((sim.now(), sim.poll_timeout()), (Instant::from_secs(7), None));
        sim.network_up();
        assert_eq!(sim.trace.datagrams(Direction::ToServer), 1, "the Register left in the same moment");
        assert!(sim.step());
        assert_eq!(sim.now(), Instant::from_millis(7_030), "it arrived");
        assert!(sim.run_until(Duration::from_secs(60), |sim| sim.now() > Instant::from_millis(7_030)));
        assert_eq!(sim.now(), Instant::from_millis(7_060), "and was answered");
        assert!(!sim.run_until(Duration::from_secs(60), |_| false));
        assert_eq!(sim.now(), Instant::from_millis(67_060), "a limit is reached exactly");
    }

    #[test]
    #[should_panic(expected = "the Client deadline of 5.000 s does not go away")]
    fn a_deadline_without_end_is_named() {
        let mut sim = device();
        sim.go_to(Instant::from_secs(5));
        for _ in 0..=MAX_STEPS_PER_SECOND {
            sim.pace(Next::Client, Instant::from_secs(5));
        }
    }

    #[test]
    #[should_panic(expected = "there is no account")]
    fn a_configuration_that_cannot_work_is_refused_loudly() {
        let _ = Sim::new(Config::new("x", Key::from_seed(1)), NoObjects, 1);
    }
}
