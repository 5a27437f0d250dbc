//! One life: a device, a platform that does its part, and a plan of what goes wrong.

use alloc::format;
use core::time::Duration;

use super::subject::Subject;
use super::{Failure, Profile};
use crate::base::config::Account;
use crate::base::path::Path;
use crate::base::rng::{Generator, Key};
use crate::base::time::Instant;
use crate::sim::faults::{Fault, Kind, Moody, Plan, Standing, digests, lift, strike};
use crate::sim::{DmServer, OperationId, Radio, Sim};

/// Far enough from zero for a clock to step back.
const ORIGIN: Instant = Instant::from_secs(30 * 86_400);

/// By chance the same value can come again; so often it does not.
const MOST_UNCHANGED: u32 = 8;

/// A life.
#[derive(Debug)]
pub struct World<'a, S: Subject> {
    /// The device, its network and its platform.
    pub sim: Sim<Moody<S::Model>>,
    subject: &'a S,
    plan: Plan,
    /// How many faults of the plan have begun.
    struck: usize,
    standing: Standing,
    random: Generator,
    observed: Path,
    /// What each server observes, once it does.
    observations: [Option<OperationId>; 4],
    next_change: Instant,
    change_every: Duration,
    /// How often in a row nothing changed although the subject said so.
    unchanged: u32,
    end: Instant,
}

impl<'a, S: Subject> World<'a, S> {
    /// The life of a seed, with these faults; it has not begun yet.
    pub fn new(subject: &'a S, profile: Profile, seed: u64, length: Duration, plan: Plan) -> Self {
        let model = Moody::new(subject.model());
        let mut sim = Sim::starting_at(ORIGIN, subject.config(profile, seed), model, seed);
        let mut random = Generator::new(Key::from_seed(seed.rotate_left(32)));
        // A device that has an account of its own makes do with it.
        let accounts = &sim.client.config().accounts;
        let lone = accounts.iter().all(|account| matches!(account, Account::Bootstrap { .. }));
        if profile == Profile::Wild && lone && random.next_u64().is_multiple_of(3) {
            sim.platform.add_server(7, "coap://second.example", 3_600);
        }
        for server in &mut sim.platform.servers {
            server.disable_timeout = Some(300);
        }
        let base = profile.conditions(seed);
        sim.network.set(base);
        sim.trace.keep(false);
        sim.watch();
        Self {
            observed: subject.observed(),
            subject,
            plan,
            struck: 0,
            standing: Standing::new(base),
            random,
            observations: [None; 4],
            next_change: ORIGIN + profile.change_every(),
            change_every: profile.change_every(),
            unchanged: 0,
            end: ORIGIN + length,
            sim,
        }
    }

    /// Lives to the end, or to the first failure.
    pub fn live(&mut self) -> Option<Failure> {
        self.sim.network_up();
        let mut failure = None;
        while self.sim.now() < self.end && failure.is_none() && self.sim.violations().is_empty() {
            let fault = self.next_fault().map(|fault| ORIGIN + fault.at);
            let next = [fault, self.standing.next_end(), Some(self.next_change)];
            let next = next.into_iter().flatten().min().unwrap_or(self.end).min(self.end);
            self.sim.run_until(next.saturating_duration_since(self.sim.now()), |sim| !sim.violations().is_empty());
            failure = self.act().err();
        }
        if failure.is_none() && self.sim.violations().is_empty() {
            self.leave();
        }
        self.sim.violations().first().cloned().map(Failure::Violated).or(failure)
    }

    /// Switches off for good, and listens whether all is silent.
    fn leave(&mut self) {
        self.sim.shutdown();
        self.sim.run_until(Duration::from_secs(86_400), |sim| !sim.violations().is_empty());
    }

    fn next_fault(&self) -> Option<Fault> {
        self.plan.faults.get(self.struck).copied()
    }

    /// Does what is due now.
    fn act(&mut self) -> Result<(), Failure> {
        let now = self.sim.now();
        lift(&mut self.sim, &mut self.standing);
        while let Some(fault) = self.next_fault().filter(|fault| ORIGIN + fault.at <= now) {
            self.struck += 1;
            match fault.kind {
                Kind::Sleep => self.sim.sleep(fault.lasts),
                Kind::PowerSaving => self.doze(Radio::PowerSaving, &fault),
                Kind::ExtendedDrx => self.doze(Radio::ExtendedDrx, &fault),
                _ => strike(&mut self.sim, &mut self.standing, fault),
            }
        }
        if self.next_change <= now {
            self.next_change = self.next_change + self.change_every;
            let path = self.change()?;
            self.sim.notify(path);
            self.observe();
            if self.random.next_u64().is_multiple_of(8) {
                self.sim.keep_snapshot();
            }
        }
        Ok(())
    }

    /// Something changes, where the subject says. If nothing ever does, or not there, notifications are not tried.
    fn change(&mut self) -> Result<Path, Failure> {
        let before = digests(&self.sim.model.model);
        let path = self.subject.change(&mut self.sim.model.model, &mut self.random);
        let after = digests(&self.sim.model.model);
        let there = |(at, _): &&(Path, u64)| path.contains(*at);
        if !before.iter().chain(&after).any(|known| there(&known)) {
            return Err(Failure::Subject(format!("something changed at {path}, it says, and there is no such value")));
        }
        let changed = !before.iter().filter(there).eq(after.iter().filter(there));
        self.unchanged = if changed { 0 } else { self.unchanged + 1 };
        if self.unchanged >= MOST_UNCHANGED {
            return Err(Failure::Subject(format!(
                "something changed at {path}, it said {MOST_UNCHANGED} times in a row, and nothing did"
            )));
        }
        Ok(path)
    }

    /// The radio sleeps in cycles, and listens for a moment in each. Half of the devices say beforehand when they
    /// are awake next, and send then what that makes due.
    fn doze(&mut self, radio: Radio, fault: &Fault) {
        let end = self.sim.now() + fault.lasts;
        let one_of = |count: u64, divisor: u64| fault.amount / divisor % count;
        let (asleep, awake) = match radio {
            // T3412 (extended) and T3324.
            Radio::PowerSaving => (600 * 1_000 * (1 + one_of(18, 1)), 2_000 * (1 + one_of(30, 18))),
            // The cycle and the paging time window.
            Radio::ExtendedDrx => (20_480 << one_of(8, 1), 1_280 * (1 + one_of(16, 8))),
        };
        let [asleep, awake] = [asleep, awake].map(Duration::from_millis);
        let plans = one_of(2, 1 << 16) == 0;
        loop {
            if plans {
                self.sim.will_be_unreachable(awake + asleep);
                self.sim.run_for(awake);
            }
            self.sim.doze(asleep, radio);
            self.sim.run_for(awake);
            if self.sim.now() >= end || !self.sim.violations().is_empty() {
                break;
            }
        }
    }

    /// Every server observes, again when its observation has ended.
    fn observe(&mut self) {
        for (server, known) in self.sim.platform.servers.iter_mut().zip(&mut self.observations) {
            if server.registration().is_some() && !known.is_some_and(|known| observes(server, known)) {
                *known = Some(server.observe(self.observed, None));
            }
        }
    }

    /// How many faults have begun, by kind.
    pub fn faults(&self) -> impl Iterator<Item = Kind> {
        self.plan.faults.iter().take(self.struck).map(|fault| fault.kind)
    }

    /// How many things happened.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.sim.observer().map_or(0, |observer| observer.steps())
    }

    /// How long it has lived.
    #[must_use]
    pub fn lived(&self) -> Duration {
        self.sim.now().saturating_duration_since(ORIGIN)
    }
}

fn observes(server: &DmServer, operation: OperationId) -> bool {
    // It began not long ago, mostly.
    let known = server.observations().iter().rev().find(|known| known.operation == operation);
    known.is_some_and(|known| known.active)
}
