//! A device, a platform, and what is on its way between them.

use core::hash::Hash;
use core::time::Duration;

use coap_codec::{Code, Message, MessageType};
use lwm2m_core::{Client, Config, Credentials, Event, Instant, Key, Limits, Output, Peer, Reason, Session};

use crate::explore::Found;
use crate::faults::{Budget, Bug};
use crate::fingerprint::{self, BEGINNING};
use crate::machine::Machine;
use crate::platform::Platform;

/// The longest time that a datagram may take (MAX_LATENCY; RFC 7252, section 4.8.2).
const MAX_LATENCY: Duration = Duration::from_secs(100);

/// How often the platform sends a request before it gives up.
const TRIES: u8 = 3;

/// Something that may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The path is made that the device wants.
    Connect,
    /// It cannot be made.
    Refuse,
    /// A datagram comes, whichever was sent first.
    Deliver(usize),
    /// The same, and it will come once more.
    Duplicate(usize),
    Lose(usize),
    /// Time passes until the client's next deadline.
    Timer,
    /// The platform sends its request once more.
    Repeat,
    GiveUp,
    /// The platform begins anew.
    Restart,
    /// The platform asks for something that must not be done twice.
    Ask,
    /// The device orders an Update.
    Update,
    /// The device is about to be switched off.
    Leave,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Flight {
    to_device: bool,
    peer: Peer,
    datagram: Vec<u8>,
    sent: Instant,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    client: Client,
    machine: Machine,
    platform: Platform,
    now: Instant,
    network: Vec<Flight>,
    connecting: Vec<Peer>,
    /// The peers whose path was made before.
    connected: Vec<Peer>,
    /// Whom the platform asks: where the last Register came from.
    server: Option<Peer>,
    budget: Budget,
    bug: Option<Bug>,
    /// The Message ID of the platform's last request, and the one that a bug gave it.
    renamed: (u16, u16),
    asked: u8,
    /// The Message ID of the client's last request.
    last_id: Option<u16>,
    /// Until when there is a registration, as the client was told.
    lease: Option<Instant>,
    leaving: bool,
    /// It said that it has left.
    pub(crate) gone: bool,
}

impl World {
    pub(crate) fn new(budget: Budget, bug: Option<Bug>) -> Self {
        let now = Instant::from_micros(BEGINNING);
        let config = Config::new("a", Key::from_seed(1));
        let mut config = if budget.bootstrap {
            config.bootstrap_server("coap://bs.example", Credentials::NoSec)
        } else {
            config.server(1, "coap://dm.example", Credentials::NoSec, 1_000)
        };
        config.limits = Limits {
            servers: 1,
            access_controls: 0,
            slots: 2,
            datagram: 128,
            deduplication: 4,
            observations: 1,
            attributes: 0,
            numbers: 0,
            stored: 0,
            events: 8,
            location: 32,
            value: 32,
            ..Limits::DEVICE
        };
        // Less that differs by chance alone.
        config.transmission.ack_random_percent = 100;
        config.registration.spread = false;
        let mut world = Self {
            client: Client::new(config, now).expect("a configuration"),
            machine: Machine::default(),
            platform: Platform::new(),
            now,
            network: Vec::new(),
            connecting: Vec::new(),
            connected: Vec::new(),
            server: None,
            budget,
            bug,
            renamed: (0, 30_000),
            asked: 0,
            last_id: None,
            lease: None,
            leaving: false,
            gone: false,
        };
        world.client.network_up(now);
        world.carry_out().expect("nothing is wrong yet");
        world
    }

    /// What it is, whenever it is, and however it came about.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut network: Vec<_> = self.network.iter().collect();
        network.sort();
        fingerprint::of(self.now, |hasher| {
            self.client.hash(hasher);
            hasher.without_last();
            (&self.machine, &self.platform, network, &self.connecting, &self.connected, self.server).hash(hasher);
            (self.budget, self.asked, self.last_id, self.lease, self.leaving, self.gone).hash(hasher);
        })
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.client.is_registered(self.now, 1)
    }

    /// Nothing is on its way, and nobody waits for anything.
    fn is_quiet(&self) -> bool {
        self.network.is_empty() && self.connecting.is_empty() && self.platform.open.is_none()
    }

    /// It came to a good end.
    fn has_ended(&self) -> bool {
        if self.leaving {
            return self.gone && self.is_quiet();
        }
        let agreed = self.platform.location().is_some_and(|location| self.client.location(1).eq(location));
        self.is_quiet() && self.is_registered() && agreed
    }

    /// Whatever may happen next, and what is left of the budget then.
    pub(crate) fn choices(&self) -> Vec<(Action, Budget)> {
        let mut choices = Vec::new();
        let free = self.budget;
        if self.gone {
            // What is still on its way must not wake it.
            choices.extend((0..self.network.len()).map(|index| (Action::Deliver(index), free)));
            return choices;
        }
        let spend = |budget: Budget, field: fn(&mut Budget) -> &mut u8| {
            let mut rest = budget;
            let field = field(&mut rest);
            *field = field.checked_sub(1)?;
            Some(rest)
        };
        if !self.connecting.is_empty() {
            choices.push((Action::Connect, free));
            choices.extend(spend(free, |budget| &mut budget.failures).map(|rest| (Action::Refuse, rest)));
        }
        for (index, flight) in self.network.iter().enumerate() {
            if self.network[..index].contains(flight) {
                continue;
            }
            choices.push((Action::Deliver(index), free));
            choices.extend(spend(free, |budget| &mut budget.losses).map(|rest| (Action::Lose(index), rest)));
            choices.extend(spend(free, |budget| &mut budget.duplicates).map(|rest| (Action::Duplicate(index), rest)));
        }
        let busy = !self.network.is_empty() || !self.connecting.is_empty();
        if self.client.poll_timeout().is_some() {
            let rest = match (self.is_quiet(), self.is_registered() && !self.leaving) {
                (false, _) => spend(free, |budget| &mut budget.delays),
                (true, true) => spend(free, |budget| &mut budget.rounds),
                (true, false) => Some(free),
            };
            choices.extend(rest.map(|rest| (Action::Timer, rest)));
        }
        match &self.platform.open {
            Some(open) if open.sent < TRIES => {
                let rest = if busy { spend(free, |budget| &mut budget.repeats) } else { Some(free) };
                choices.extend(rest.map(|rest| (Action::Repeat, rest)));
            }
            Some(_) if !busy => choices.push((Action::GiveUp, free)),
            Some(_) => {}
            None if self.platform.registration.is_some() && self.server.is_some() => {
                choices.extend(spend(free, |budget| &mut budget.asks).map(|rest| (Action::Ask, rest)));
            }
            None => {}
        }
        if self.platform.open.is_some() || self.platform.registration.is_some() {
            choices.extend(spend(free, |budget| &mut budget.restarts).map(|rest| (Action::Restart, rest)));
        }
        if self.is_registered() {
            choices.extend(spend(free, |budget| &mut budget.updates).map(|rest| (Action::Update, rest)));
        }
        if free.leaves {
            choices.push((Action::Leave, Budget { leaves: false, ..free }));
        }
        choices
    }

    /// What happens next when nothing goes wrong any more; none when all has come to an end.
    fn unfaulted(&self) -> Option<Action> {
        Some(match &self.platform.open {
            _ if !self.connecting.is_empty() => Action::Connect,
            _ if !self.network.is_empty() => Action::Deliver(0),
            // Once more than it may, when its tries came before the device could hear them.
            Some(open) if open.sent < TRIES + u8::from(self.is_registered()) => Action::Repeat,
            Some(_) => Action::GiveUp,
            None => self.client.poll_timeout().map(|_| Action::Timer)?,
        })
    }

    /// Whether it ends well if nothing goes wrong any more. `known` are worlds that do.
    pub(crate) fn ends_well(&self, known: &mut std::collections::HashSet<u64>) -> Result<(), Found> {
        let mut world = self.clone();
        let mut path = Vec::new();
        for _ in 0..500 {
            let fingerprint = world.fingerprint();
            if known.contains(&fingerprint) || world.has_ended() {
                path.push(fingerprint);
                known.extend(path);
                return Ok(());
            }
            path.push(fingerprint);
            let Some(action) = world.unfaulted() else { break };
            if action == Action::GiveUp && world.platform.awaits_execution(world.server) && world.is_registered() {
                return Err(Found::Unanswered);
            }
            world.perform(action)?;
        }
        Err(Found::NeverEnds)
    }

    /// What becomes of it when this happens.
    pub(crate) fn after(&self, action: Action, budget: Budget) -> Result<Self, Found> {
        let mut next = Self { budget, ..self.clone() };
        next.perform(action)?;
        Ok(next)
    }

    fn perform(&mut self, action: Action) -> Result<(), Found> {
        match action {
            Action::Connect => {
                let peer = self.connecting.remove(0);
                let session = if self.connected.contains(&peer) { Session::Resumed } else { Session::New };
                if session == Session::New {
                    self.connected.push(peer);
                }
                self.client.connected(self.now, peer, session, &mut self.machine);
            }
            Action::Refuse => self.client.connection_failed(self.now, self.connecting.remove(0)),
            Action::Lose(index) => drop(self.network.remove(index)),
            Action::Deliver(index) => {
                let flight = self.network.remove(index);
                self.deliver(&flight);
            }
            Action::Duplicate(index) => {
                let flight = self.network[index].clone();
                self.deliver(&flight);
            }
            Action::Timer => return self.pass(),
            Action::Repeat => {
                let repeated = self.platform.repeat();
                self.send_all(repeated.into_iter());
            }
            Action::GiveUp => self.platform.give_up(),
            Action::Restart => self.platform.restart(),
            Action::Ask => {
                let peer = self.server.expect("it registered");
                self.asked += 1;
                let datagram = self.platform.ask(self.now, peer);
                self.send_all(core::iter::once((peer, datagram)));
            }
            Action::Update => self.client.update(self.now, 1).expect("it is registered"),
            Action::Leave => {
                self.leaving = true;
                self.client.shutdown(self.now);
            }
        }
        self.carry_out()
    }

    fn pass(&mut self) -> Result<(), Found> {
        self.now = self.now.max(self.client.poll_timeout().unwrap_or(self.now));
        self.network.retain(|flight| self.now < flight.sent + MAX_LATENCY);
        self.platform.pass(self.now);
        if self.bug != Some(Bug::SleepsThroughTimers) {
            self.client.handle_timeout(self.now, &mut self.machine);
        }
        if self.client.poll_timeout().is_some_and(|next| next <= self.now) {
            return Err(Found::DeadlineStands);
        }
        self.carry_out()
    }

    fn deliver(&mut self, flight: &Flight) {
        let Flight { to_device, peer, datagram, .. } = flight;
        if !to_device {
            let answers = self.platform.receive(self.now, *peer, datagram);
            if Message::parse(datagram).is_ok_and(|message| message.uri_path().eq([b"rd"])) {
                self.server = Some(*peer);
            }
            self.send_all(answers.into_iter().map(|answer| (*peer, answer)));
            return;
        }
        let mut datagram = datagram.clone();
        match self.bug {
            Some(Bug::KnowsNoDuplicates) if datagram[0] & 0x30 == 0 => {
                // As if it were another one: the answer goes back under the name that it had.
                let (_, known) = self.renamed;
                self.renamed = (u16::from_be_bytes([datagram[2], datagram[3]]), known + 1);
                datagram[2..4].copy_from_slice(&(known + 1).to_be_bytes());
            }
            Some(Bug::MissesRegisterAnswers) if datagram[1] == Code::CREATED.to_byte() => return,
            _ => {}
        }
        self.client.handle_datagram(self.now, *peer, &datagram, &mut self.machine);
    }

    fn send_all(&mut self, datagrams: impl Iterator<Item = (Peer, Vec<u8>)>) {
        let flights = datagrams.map(|(peer, datagram)| Flight { to_device: true, peer, datagram, sent: self.now });
        self.network.extend(flights);
    }

    /// Carries out what the client wants, and looks at what it does.
    fn carry_out(&mut self) -> Result<(), Found> {
        if self.machine.executed > self.asked || self.platform.executed > self.machine.executed {
            return Err(Found::DoneTwice);
        }
        let mut left = false;
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Registered { lifetime, .. } => {
                    self.lease = Some(self.now + Duration::from_secs(lifetime.into()));
                }
                Event::UpdateFailed { reason: Reason::Code(_), .. }
                | Event::Deregistered { .. }
                | Event::BootstrapFinished => self.lease = None,
                Event::MayProceed(_) => left = true,
                _ => {}
            }
        }
        self.lease = self.lease.filter(|lease| self.now < *lease);
        let mut sent = Vec::new();
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { peer, .. } => self.connecting.push(peer),
                Output::Transmit { peer, datagram } => sent.push((peer, datagram.to_vec())),
                Output::Disconnect { peer } => self.connecting.retain(|other| *other != peer),
            }
        }
        if self.bug == Some(Bug::TalksAfterLeaving) && self.gone {
            sent.push((Peer(0), vec![0x40, 1, 0, 1]));
        }
        for (peer, mut datagram) in sent {
            let (name, renamed) = self.renamed;
            if datagram[0] & 0x30 == 0x20 && datagram[2..4] == renamed.to_be_bytes() {
                datagram[2..4].copy_from_slice(&name.to_be_bytes());
            }
            if self.gone {
                return Err(Found::NotSilent);
            }
            self.look_at(&datagram)?;
            if self.bug == Some(Bug::RegistersTwice)
                && !self.leaving
                && Message::parse(&datagram).unwrap().uri_path().count() == 2
            {
                let id = self.last_id.map_or(0, |id| id.wrapping_add(1)).to_be_bytes();
                self.look_at(&[0x40, Code::POST.to_byte(), id[0], id[1], 0xb2, b'r', b'd'])?;
            }
            self.network.push(Flight { to_device: false, peer, datagram, sent: self.now });
        }
        self.gone |= left;
        Ok(())
    }

    /// What the client sends must be in its place.
    fn look_at(&mut self, datagram: &[u8]) -> Result<(), Found> {
        let message = Message::parse(datagram).map_err(|_| Found::NoMessage)?;
        let id = message.message_id().0;
        if message.message_type() != MessageType::Confirmable || self.last_id == Some(id) {
            return Ok(());
        }
        self.last_id = Some(id);
        let path: Vec<_> = message.uri_path().collect();
        if self.leaving && message.code() != Code::DELETE {
            return Err(Found::AsksWhileLeaving);
        }
        match (message.code(), &*path) {
            (Code::POST, [b"bs"]) => Ok(()),
            (Code::POST, [b"rd"]) if self.lease.is_some() => Err(Found::RegisteredTwice),
            (Code::POST, [b"rd"]) => Ok(()),
            (Code::POST | Code::DELETE, path) if self.client.location(1).eq(path.iter().copied()) => Ok(()),
            _ => Err(Found::OutOfPlace),
        }
    }
}
