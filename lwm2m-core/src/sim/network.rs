//! The network between the device and the platform's hosts: it delays, loses, doubles, reorders and
//! damages datagrams, by chance or on demand, and always in the same way for the same seed.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::trace::{Direction, Fate};
use crate::base::rng::{Generator, Key};
use crate::base::time::Instant;

/// What happens to datagrams in one direction. Chances are parts per thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// How long every datagram takes.
    pub delay: Duration,
    /// How much longer it takes at most, at random. More than the gaps between datagrams, and they
    /// overtake each other.
    pub jitter: Duration,
    /// Chance to be lost.
    pub loss: u16,
    /// Chance to arrive twice: the second copy comes up to `held_back` later.
    pub duplication: u16,
    /// Chance to be held back for up to `held_back`, so that later ones overtake it.
    pub reordering: u16,
    /// How long copies and reordered datagrams are held back at most.
    pub held_back: Duration,
    /// The longest datagram that passes, in bytes; longer ones are lost.
    pub mtu: usize,
    /// Chance to arrive with one wrong bit.
    pub corruption: u16,
    /// Chance to arrive without its end.
    pub truncation: u16,
}

impl Conditions {
    /// A link that delivers everything in order, after 30 ms.
    pub const GOOD: Self = Self {
        delay: Duration::from_millis(30),
        jitter: Duration::ZERO,
        loss: 0,
        duplication: 0,
        reordering: 0,
        held_back: Duration::from_secs(1),
        mtu: 65_507,
        corruption: 0,
        truncation: 0,
    };
}

impl Default for Conditions {
    fn default() -> Self {
        Self::GOOD
    }
}

/// Where a host sees the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The device's address, or its NAT's: another number whenever it changed.
    pub network: u32,
    /// The port: the device opens one socket for each session.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device-{}:{}", self.network, self.port)
    }
}

/// What the network did, in both directions together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams that were sent, by either side.
    pub sent: usize,
    /// Lost by chance or on demand.
    pub lost: usize,
    /// Kept from passing, because the network was cut or one side was not on it.
    pub blocked: usize,
    /// Longer than the network takes.
    pub oversized: usize,
    /// Delivered twice.
    pub duplicated: usize,
    /// Held back.
    pub reordered: usize,
    /// Delivered with a wrong bit.
    pub corrupted: usize,
    /// Delivered without its end.
    pub truncated: usize,
    /// Come where nobody took it.
    pub astray: usize,
}

/// The network. Its settings may change at any time; what is on its way is not affected.
#[derive(Clone, Debug)]
pub struct Network {
    /// From the device to the platform.
    pub to_server: Conditions,
    /// From the platform to the device.
    pub to_device: Conditions,
    /// How long the runtime takes to open a session.
    pub connecting: Duration,
    generator: Generator,
    /// Whether the device is on the network.
    pub(super) attached: bool,
    is_cut: bool,
    rebindings: u32,
    unresolvable: Vec<String>,
    lose_numbers: Vec<usize>,
    lose_next: [usize; 2],
    counts: Counts,
    /// By arrival, and then in the order of sending.
    in_flight: BTreeMap<(Instant, usize, bool), Datagram>,
}

/// A datagram on its way, or just come.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    pub(super) number: usize,
    pub(super) direction: Direction,
    pub(super) host: Arc<str>,
    /// The device's end.
    pub(super) device: Address,
    pub(super) bytes: Vec<u8>,
    /// Whether it is the second of two.
    pub(super) copy: bool,
    /// Whether it is not as it was sent.
    pub(super) damaged: bool,
}

/// What the network decided about a datagram.
pub(super) struct Sent {
    pub(super) number: usize,
    pub(super) fate: Fate,
    pub(super) arrives_at: Option<Instant>,
}

impl Network {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            to_server: Conditions::GOOD,
            to_device: Conditions::GOOD,
            connecting: Duration::ZERO,
            generator: Generator::new(Key::from_seed(seed)),
            attached: false,
            is_cut: false,
            rebindings: 0,
            unresolvable: Vec::new(),
            lose_numbers: Vec::new(),
            lose_next: [0; 2],
            counts: Counts::default(),
            in_flight: BTreeMap::new(),
        }
    }

    // ----- settings -------------------------------------------------------------------------

    /// Sets the same conditions for both directions.
    pub const fn set(&mut self, conditions: Conditions) {
        self.to_server = conditions;
        self.to_device = conditions;
    }

    /// Loses so many of a thousand datagrams, in both directions.
    pub const fn lose(&mut self, per_mille: u16) {
        self.to_server.loss = per_mille;
        self.to_device.loss = per_mille;
    }

    /// Doubles so many of a thousand datagrams, in both directions.
    pub const fn duplicate(&mut self, per_mille: u16) {
        self.to_server.duplication = per_mille;
        self.to_device.duplication = per_mille;
    }

    /// Loses the datagram with this number, counted from 1 over the whole run and both directions.
    pub fn lose_nth(&mut self, number: usize) {
        self.lose_numbers.push(number);
    }

    /// Loses the next datagram in a direction; two, when it is called twice.
    pub const fn lose_next(&mut self, direction: Direction) {
        let [to_server, to_device] = &mut self.lose_next;
        match direction {
            Direction::ToServer => *to_server += 1,
            Direction::ToDevice => *to_device += 1,
        }
    }

    /// Cuts the network somewhere between: nothing passes, and the device is not told.
    pub const fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Ends a cut.
    pub const fn mend(&mut self) {
        self.is_cut = false;
    }

    /// A NAT between forgets its bindings: hosts see the device at another address from now on, what
    /// they send to the old one is gone, and the device is not told.
    pub const fn rebind(&mut self) {
        self.rebindings += 1;
    }

    /// Makes a host, named with its port, impossible to resolve, so that connecting to it fails; or
    /// possible again.
    pub fn unresolvable(&mut self, host: &str, yes: bool) {
        self.unresolvable.retain(|known| known != host);
        if yes {
            self.unresolvable.push(host.to_string());
        }
    }

    // ----- what can be asked ----------------------------------------------------------------

    /// What it did so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether the device is on the network.
    #[must_use]
    pub const fn is_attached(&self) -> bool {
        self.attached
    }

    /// When the next datagram arrives.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.in_flight.first_key_value().map(|((at, ..), _)| *at)
    }

    /// Whether something keeps datagrams from passing at all.
    pub(super) fn is_hindered(&self) -> bool {
        self.is_cut || !self.unresolvable.is_empty() || !self.lose_numbers.is_empty() || self.lose_next != [0; 2]
    }

    pub(super) fn can_resolve(&self, host: &str) -> bool {
        !self.unresolvable.iter().any(|known| known == host)
    }

    /// Where hosts see a socket of the device now.
    pub(super) const fn address(&self, port: u16) -> Address {
        Address { network: self.rebindings, port }
    }

    // ----- datagrams ------------------------------------------------------------------------

    /// Takes a datagram and decides what becomes of it. `up` is whether its host is.
    pub(super) fn send(
        &mut self,
        now: Instant,
        direction: Direction,
        host: &Arc<str>,
        device: Address,
        bytes: &[u8],
        up: bool,
    ) -> Sent {
        self.counts.sent += 1;
        let number = self.counts.sent;
        let conditions = match direction {
            Direction::ToServer => self.to_server,
            Direction::ToDevice => self.to_device,
        };
        // Every chance is drawn for every datagram, so that a setting does not shift the others.
        let lost = self.chance(conditions.loss) | self.on_demand(number, direction);
        let doubled = self.chance(conditions.duplication);
        let held_back = self.chance(conditions.reordering);
        let corrupted = self.chance(conditions.corruption);
        let truncated = self.chance(conditions.truncation);
        let jitter = self.generator.between(Duration::ZERO, conditions.jitter);
        let longer = self.generator.between(conditions.held_back / 2, conditions.held_back);
        let place = self.generator.next_u64() as usize;

        let nowhere = |fate| Sent { number, fate, arrives_at: None };
        if self.is_cut || !self.attached || !up {
            self.counts.blocked += 1;
            return nowhere(Fate::Blocked);
        }
        if bytes.len() > conditions.mtu {
            self.counts.oversized += 1;
            return nowhere(Fate::Oversized);
        }
        if lost {
            self.counts.lost += 1;
            return nowhere(Fate::Lost);
        }
        let arrives_at = now + conditions.delay + jitter + if held_back { longer } else { Duration::ZERO };
        let mut fate = Fate::Delivered;
        let mut count = |yes: bool, counter: &mut usize, then: Fate| {
            if yes {
                *counter += 1;
                fate = then;
            }
        };
        count(doubled, &mut self.counts.duplicated, Fate::Duplicated);
        count(held_back, &mut self.counts.reordered, Fate::Reordered);
        let mut bytes = bytes.to_vec();
        count(truncated, &mut self.counts.truncated, Fate::Truncated);
        if truncated {
            bytes.truncate(place % bytes.len().max(1));
        }
        count(corrupted, &mut self.counts.corrupted, Fate::Corrupted);
        let bit = place % bytes.len().saturating_mul(8).max(1);
        if let Some(byte) = bytes.get_mut(bit / 8).filter(|_| corrupted) {
            *byte ^= 1 << (bit % 8);
        }
        let datagram = Datagram {
            number,
            direction,
            host: host.clone(),
            device,
            bytes,
            copy: false,
            damaged: corrupted | truncated,
        };
        if doubled {
            let copy = Datagram { copy: true, ..datagram.clone() };
            self.in_flight.insert((arrives_at + longer, number, true), copy);
        }
        self.in_flight.insert((arrives_at, number, false), datagram);
        Sent { number, fate, arrives_at: Some(arrives_at) }
    }

    /// The next datagram that arrives, when it does so until `now`.
    pub(super) fn arrival(&mut self, now: Instant) -> Option<Datagram> {
        let first = self.in_flight.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// A datagram that waited comes at `now`.
    pub(super) fn arrives(&mut self, now: Instant, datagram: Datagram) {
        self.in_flight.insert((now, datagram.number, datagram.copy), datagram);
    }

    pub(super) const fn went_astray(&mut self) {
        self.counts.astray += 1;
    }

    fn chance(&mut self, per_mille: u16) -> bool {
        ((self.generator.next_u64() >> 32) * 1_000) >> 32 < u64::from(per_mille)
    }

    fn on_demand(&mut self, number: usize, direction: Direction) -> bool {
        let numbered = self.lose_numbers.contains(&number);
        let [to_server, to_device] = &mut self.lose_next;
        let left = match direction {
            Direction::ToServer => to_server,
            Direction::ToDevice => to_device,
        };
        let next = *left > 0;
        *left = left.saturating_sub(1);
        numbered || next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attached(seed: u64, conditions: Conditions) -> Network {
        let mut network = Network::new(seed);
        network.attached = true;
        network.set(conditions);
        network
    }

    /// Sends a thousand datagrams, 10 ms apart, and gives the numbers and bytes that arrive.
    fn thousand(network: &mut Network) -> Vec<(usize, Vec<u8>)> {
        let host = Arc::from("host");
        for n in 0..1_000_u64 {
            let device = network.address(1);
            network.send(Instant::from_millis(n * 10), Direction::ToServer, &host, device, &[0xAA; 20], true);
        }
        let end = Instant::from_secs(100);
        core::iter::from_fn(|| network.arrival(end)).map(|datagram| (datagram.number, datagram.bytes)).collect()
    }

    #[test]
    fn a_good_link_delivers_everything_once_in_order_and_unchanged() {
        let arrived = thousand(&mut attached(1, Conditions::GOOD));
        assert!(arrived.iter().map(|(number, _)| *number).eq(1..=1_000));
        assert!(arrived.iter().all(|(_, bytes)| *bytes == [0xAA; 20]));
    }

    #[test]
    fn every_fault_happens_as_often_as_it_should() {
        let good = Conditions::GOOD;
        let rate = 200..=300;
        let mut network = attached(1, Conditions { loss: 250, ..good });
        let arrived = thousand(&mut network);
        assert!(rate.contains(&network.counts().lost));
        assert_eq!(arrived.len(), 1_000 - network.counts().lost);

        let mut network = attached(2, Conditions { duplication: 250, ..good });
        let arrived = thousand(&mut network);
        assert!(rate.contains(&network.counts().duplicated));
        assert_eq!(arrived.len(), 1_000 + network.counts().duplicated);

        let mut network = attached(3, Conditions { reordering: 250, ..good });
        let arrived = thousand(&mut network);
        assert!(rate.contains(&network.counts().reordered));
        assert_eq!(arrived.len(), 1_000);
        let overtaken = arrived.windows(2).filter(|pair| pair[0].0 > pair[1].0).count();
        assert!(overtaken > 150, "{overtaken}");

        let mut network = attached(4, Conditions { corruption: 250, ..good });
        let arrived = thousand(&mut network);
        assert!(rate.contains(&network.counts().corrupted));
        let flipped = |bytes: &[u8]| bytes.iter().map(|byte| (byte ^ 0xAA).count_ones()).sum::<u32>();
        let damaged: Vec<_> = arrived.iter().map(|(_, bytes)| flipped(bytes)).filter(|bits| *bits > 0).collect();
        assert_eq!(damaged.len(), network.counts().corrupted);
        assert!(damaged.iter().all(|bits| *bits == 1));

        let mut network = attached(5, Conditions { truncation: 250, ..good });
        let arrived = thousand(&mut network);
        assert!(rate.contains(&network.counts().truncated));
        let short = arrived.iter().filter(|(_, bytes)| bytes.len() < 20).count();
        assert_eq!(short, network.counts().truncated);

        let mut network = attached(6, Conditions { jitter: Duration::from_millis(100), ..good });
        let arrived = thousand(&mut network);
        assert!(arrived.windows(2).any(|pair| pair[0].0 > pair[1].0));
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_others() {
        let bad = Conditions {
            loss: 100,
            duplication: 100,
            reordering: 100,
            corruption: 100,
            truncation: 100,
            ..Conditions::GOOD
        };
        let run = |seed| thousand(&mut attached(seed, bad));
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn one_fault_more_leaves_the_others_where_they_were() {
        let lost = |conditions| {
            let arrived = thousand(&mut attached(1, conditions));
            let numbers: alloc::collections::BTreeSet<_> = arrived.iter().map(|(number, _)| *number).collect();
            (1..=1_000).filter(|number| !numbers.contains(number)).collect::<Vec<_>>()
        };
        let bad = Conditions { loss: 100, ..Conditions::GOOD };
        assert_eq!(lost(bad), lost(Conditions { duplication: 300, jitter: Duration::from_secs(1), ..bad }));
    }

    #[test]
    fn the_chosen_datagrams_are_lost_and_no_others() {
        let mut network = attached(1, Conditions::GOOD);
        network.lose_nth(500);
        network.lose_nth(1);
        network.lose_next(Direction::ToServer);
        network.lose_next(Direction::ToServer);
        network.lose_next(Direction::ToDevice);
        let arrived: Vec<_> = thousand(&mut network).into_iter().map(|(number, _)| number).collect();
        assert!((1..=1_000).filter(|number| !arrived.contains(number)).eq([1, 2, 500]));
        assert_eq!(network.counts().lost, 3);
    }

    #[test]
    fn nothing_passes_a_cut() {
        let mut network = attached(1, Conditions::GOOD);
        network.cut();
        assert_eq!((thousand(&mut network).len(), network.counts().blocked), (0, 1_000));
        network.mend();
        assert_eq!(thousand(&mut network).len(), 1_000);
    }
}
