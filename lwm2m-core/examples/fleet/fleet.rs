//! All terminals and their platform, in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use lwm2m_core::objects::Device;
use lwm2m_core::{Instant, Memory, Profile, Session, Statistics};

use crate::dice::Dice;
use crate::life::{HOUR, Lives, SECOND};
use crate::platform::{Platform, Restart};
use crate::rates::Counts;
use crate::talk::Talk;
use crate::terminal::{self, SPREAD, TOGETHER, Terminal};

/// What a fleet is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) devices: u32,
    pub(crate) hours: u64,
    pub(crate) seed: u64,
    /// Whether the first Update after a Register is spread.
    pub(crate) spread: bool,
    /// Lifetime of a registration in seconds.
    pub(crate) lifetime: u32,
    /// Outages of a terminal in ten days.
    pub(crate) outages: u64,
    /// Datagrams that are lost, of a thousand.
    pub(crate) losses: u16,
    pub(crate) restart: Option<Restart>,
    /// This part of so many, counted from 1.
    pub(crate) shard: (u32, u32),
    /// Keeps whole clients and not their snapshots.
    pub(crate) resident: bool,
}

impl Default for Plan {
    fn default() -> Self {
        let restart = Some(Restart { from: 36 * HOUR, until: 36 * HOUR + 60 * SECOND });
        Self {
            devices: 100_000,
            hours: 72,
            seed: 1,
            spread: true,
            lifetime: 86_400,
            outages: 3,
            losses: 10,
            restart,
            shard: (1, 1),
            resident: false,
        }
    }
}

/// A place in the queue: when, in milliseconds, and which terminal. One number, so that it takes 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u64);

impl Due {
    const fn new(at: u64, place: u32) -> Self {
        Self(at << 28 | place as u64)
    }

    const fn at(self) -> u64 {
        self.0 >> 28
    }

    const fn place(self) -> usize {
        (self.0 & 0xfff_ffff) as usize
    }
}

/// A fleet.
pub(crate) struct Fleet {
    plan: Plan,
    lives: Lives,
    profile: &'static Profile,
    terminals: Vec<Terminal>,
    /// One place for each terminal.
    queue: BinaryHeap<Reverse<Due>>,
    pub(crate) platform: Platform,
    pub(crate) counts: Counts,
    objects: Device,
}

impl Fleet {
    /// The largest fleet: what fits into a place in the queue.
    pub(crate) const LARGEST: u32 = 1 << 28;

    /// Bytes of the fleet's own for each terminal: its record, and its place in the queue.
    pub(crate) const COST: usize = size_of::<Terminal>() + size_of::<Due>();

    /// All of them off.
    pub(crate) fn new(plan: Plan) -> Self {
        let lives = Lives { seed: plan.seed, outages: plan.outages };
        let mut fleet = Self {
            plan,
            lives,
            profile: if plan.spread { &SPREAD } else { &TOGETHER },
            terminals: Vec::new(),
            queue: BinaryHeap::new(),
            platform: Platform::new(plan.devices, plan.restart, plan.lifetime),
            counts: Counts::new(plan.hours),
            objects: Device::new("Example Works", "TM-1"),
        };
        let places = fleet.places();
        fleet.terminals.resize_with(places as usize, Terminal::default);
        fleet.queue = (0..places).map(|place| Reverse(Due::new(lives.power_on(number(&plan, place)), place))).collect();
        fleet
    }

    /// How many terminals this part of the fleet has.
    fn places(&self) -> u32 {
        let (own, all) = self.plan.shard;
        (self.plan.devices + all - own) / all
    }

    /// Lives on until `until`, in milliseconds, which is not after the end.
    pub(crate) fn run(&mut self, until: u64) {
        while let Some(Reverse(due)) = self.queue.peek().copied().filter(|due| due.0.at() < until) {
            self.queue.pop();
            let next = self.wake(due.at(), due.place());
            self.queue.push(Reverse(Due::new(next, due.place() as u32)));
        }
    }

    /// A terminal has something to do: does all of it, and tells when it has next.
    fn wake(&mut self, now: u64, place: usize) -> u64 {
        let Self { plan, lives, profile, terminals, platform, counts, objects, .. } = self;
        let (number, end) = (number(plan, place as u32), plan.hours * HOUR);
        let Some(terminal) = terminals.get_mut(place) else { return end };
        counts.wakes += 1;
        let is_on = terminal.is_on();
        let client = terminal.wake(now, || terminal::config(number, plan.seed, profile));
        let dice = Dice::new(plan.seed, [number.into(), TALKS + now]);
        let mut talk = Talk::new(client, now, (platform, counts, objects), dice, plan.losses);
        if !is_on {
            talk.session = Session::New;
            talk.client.network_up(Instant::from_millis(now));
            terminal.turn_at = now + lives.first_turn(number);
        }
        let next = loop {
            if terminal.turn_at <= talk.now {
                let turn = lives.turn(number, terminal.turn);
                talk.turn(turn.outage, turn.begins);
                (terminal.turn, terminal.turn_at) = (terminal.turn + 1, talk.now + turn.lasts);
            }
            let (alarm, talks) = talk.run(end.min(terminal.turn_at));
            if !talks {
                break alarm.map_or(terminal.turn_at, |alarm| alarm.min(terminal.turn_at));
            }
            if terminal.turn_at >= end {
                break end;
            }
            // An outage begins or ends in the middle of it.
            talk.now = terminal.turn_at;
        };
        let (now, client) = (talk.now, talk.client);
        if !plan.resident {
            counts.statistics += client.statistics();
        }
        terminal.rest(now, client, plan.resident);
        next
    }

    /// What one of them holds when it is awake.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let now = self.plan.hours * HOUR;
        let config = || terminal::config(number(&self.plan, 0), self.plan.seed, self.profile);
        self.terminals.first()?.memory(now, config)
    }

    /// What the clients dropped, rejected and refused, by cause.
    pub(crate) fn statistics(&self) -> Statistics {
        let mut sum = self.counts.statistics;
        self.terminals.iter().filter_map(Terminal::statistics).for_each(|statistics| sum += statistics);
        sum
    }

    /// The terminals that were powered on.
    pub(crate) fn terminals(&self) -> impl Iterator<Item = &Terminal> {
        self.terminals.iter().filter(|terminal| terminal.is_on())
    }
}

/// The number that the terminal at this place of a part has in the whole fleet.
const fn number(plan: &Plan, place: u32) -> u32 {
    let (own, all) = plan.shard;
    place * all + own - 1
}

/// What the dice are thrown for, beside what is in `life`: a talk, and when it begins.
const TALKS: u64 = 1 << 48;
