//! What the program prints: a progress bar, each failure, and a summary.
#![allow(clippy::disallowed_methods, reason = "a program has a clock")]

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use lwm2m_core::Statistics;
use lwm2m_core::sim::faults::{Kind, Plan};
use lwm2m_core::sim::soak::{Failure, Life, Shrunk};

use crate::args::Args;

const YEAR: f64 = 365.0 * 86_400.0;

/// The summary, as it grows.
pub(crate) struct Report {
    began: Instant,
    drawn: Option<Instant>,
    seeds: u64,
    done: u64,
    lived: Duration,
    steps: u64,
    faults: Vec<(Kind, u64)>,
    /// What the devices dropped, rejected and refused.
    causes: Vec<(&'static str, u64)>,
    failures: usize,
    profile: &'static str,
}

impl Report {
    pub(crate) fn new(args: &Args) -> Self {
        let shows = !args.quiet && io::stderr().is_terminal();
        let began = Instant::now();
        let checks = if cfg!(debug_assertions) { "on" } else { "off" };
        println!(
            "soak: profile {}, seeds {}..{}, {} h each, debug assertions {checks}",
            args.profile.name(),
            args.seeds.start,
            args.seeds.end,
            args.hours
        );
        Self {
            began,
            drawn: shows.then_some(began),
            seeds: args.seeds.end.saturating_sub(args.seeds.start),
            done: 0,
            lived: Duration::ZERO,
            steps: 0,
            faults: Kind::ALL.map(|kind| (kind, 0)).into(),
            causes: Statistics::default().iter().map(|(cause, _)| (cause, 0)).collect(),
            failures: 0,
            profile: args.profile.name(),
        }
    }

    pub(crate) fn add(&mut self, life: &Life) {
        self.done += 1;
        self.lived += life.lived;
        self.steps += life.steps;
        for kind in &life.faults {
            self.faults.iter_mut().filter(|(known, _)| known == kind).for_each(|(_, count)| *count += 1);
        }
        for ((_, sum), (_, count)) in self.causes.iter_mut().zip(life.statistics.iter()) {
            *sum += u64::from(count);
        }
        if let Some(drawn) = self.drawn.filter(|drawn| drawn.elapsed() > Duration::from_millis(200)) {
            let _ = drawn;
            self.drawn = Some(Instant::now());
            let filled = (self.done * 40 / self.seeds.max(1)) as usize;
            let bar: String = (0..40).map(|place| if place < filled { '#' } else { '.' }).collect();
            let years = self.lived.as_secs_f64() / YEAR;
            eprint!("\r[{bar}] {}/{} {years:.1} device-years, {} failures ", self.done, self.seeds, self.failures);
            let _ = io::stderr().flush();
        }
    }

    pub(crate) const fn failures(&self) -> usize {
        self.failures
    }

    /// Not even while all is well.
    pub(crate) fn tour_failed(&mut self, failure: &Failure) {
        self.failures += 1;
        println!("the tour of everything: {failure}");
    }

    pub(crate) fn failed(&mut self, seed: u64, failure: &Failure) {
        self.failures += 1;
        self.clear();
        println!("seed {seed}: {failure}");
    }

    /// What it takes, and how to see it again.
    pub(crate) fn shrunk(&self, args: &Args, seed: u64, plan: &Plan, shrunk: &Shrunk) {
        let Shrunk { faults, failure, tries } = shrunk;
        println!("  with {} of {} faults, after {tries} more lives: {failure}", faults.len(), plan.faults.len());
        for number in faults {
            if let Some(fault) = plan.faults.get(*number) {
                println!("  {number:>5}  {fault}");
            }
        }
        let only: Vec<_> = faults.iter().map(ToString::to_string).collect();
        let (profile, hours) = (args.profile.name(), args.hours);
        let only = if only.is_empty() && plan.faults.is_empty() {
            String::new()
        } else {
            format!(" --only {}", quoted(&only.join(",")))
        };
        println!(
            "  again: cargo run --profile soak --example soak -- --profile {profile} --seeds {seed} --hours {hours}{only} --trace"
        );
    }

    fn clear(&self) {
        if self.drawn.is_some() {
            eprint!("\r{:100}\r", "");
        }
    }

    pub(crate) fn finish(&self) {
        self.clear();
        let (years, seconds) = (self.lived.as_secs_f64() / YEAR, self.began.elapsed().as_secs_f64());
        let (busy, unit) = cpu_seconds().map_or((seconds, "minute"), |seconds| (seconds, "CPU-minute"));
        let total: u64 = self.faults.iter().map(|(_, count)| count).sum();
        println!("{} lives of the profile {}: {years:.2} device-years in {seconds:.1} s", self.done, self.profile);
        println!("  {:.0} device-years a {unit}", years * 60.0 / busy.max(1e-9));
        println!("  {} events, {:.0} a device-year", self.steps, self.steps as f64 / years.max(1e-9));
        println!("  {total} faults, {:.0} a device-year", total as f64 / years.max(1e-9));
        if total > 0 {
            for row in self.faults.chunks(4) {
                let cells: Vec<_> =
                    row.iter().map(|(kind, count)| format!("{:<17}{count:>7}", format!("{kind:?}"))).collect();
                println!("    {}", cells.join("  "));
            }
        }
        println!("  what the devices dropped, rejected, refused or said once more");
        for row in self.causes.chunks(3) {
            let cells: Vec<_> = row.iter().map(|(cause, count)| format!("{cause:<27}{count:>9}")).collect();
            println!("    {}", cells.join("  "));
        }
        println!("  {} violations", self.failures);
    }
}

/// How long this program has been running on a processor, where the system tells.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

/// An empty list is an argument, too.
fn quoted(text: &str) -> String {
    if text.is_empty() { "''".to_string() } else { text.to_string() }
}
