//! The summary.
#![allow(clippy::disallowed_methods, reason = "a program has a clock")]

use std::ops::Range;

use lwm2m_core::Memory;

use crate::fleet::{Fleet, Plan};
use crate::life::{HOUR, SECOND};
use crate::platform::{Platform, Restart};
use crate::rates::{BIN, Kind, Load, Rates};
use crate::terminal::Terminal;

/// The steady state begins when every terminal has updated.
const STEADY: u64 = 24 * HOUR;

/// How often the mean the fullest bin may be in the steady state.
const FULLEST: f64 = 2.5;

/// With fewer arrivals in a bin on average chance alone makes some bins fuller than that.
const ENOUGH: f64 = 100.0;

/// MAX_TRANSMIT_WAIT of RFC 7252, section 4.8.2: how long before the platform is back a terminal may have
/// begun with what it says then.
const WAIT: u64 = 93 * SECOND;

/// What arrives at the platform over time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    /// What they are of, when they are, and what they are.
    loads: Vec<(&'static str, Load)>,
    /// From [`STEADY`] on, but for the hour of the restart.
    pub(crate) steady: Option<Load>,
    /// From the restart on, and the most that the fullest bin may have.
    pub(crate) restart: Option<(Load, f64)>,
}

impl Summary {
    pub(crate) fn new(plan: &Plan, rates: &Rates) -> Self {
        let end = plan.hours * HOUR;
        let (from, over) = plan.restart.map_or((end, end), |restart| (restart.from, restart.from + HOUR));
        let some = |load: Load| Some(load).filter(|load| load.peak > 0);
        let lifetime = u64::from(plan.lifetime) * SECOND;
        let before = from.saturating_sub(lifetime).max(HOUR)..from;
        let windows = [
            ("the first hour: power on", 0..HOUR),
            ("the lifetime before the restart", before.clone()),
            ("the hour of the restart", from..over),
            ("after it", over..end),
        ];
        let named = |(name, span): (_, Range<u64>)| Some((name, some(rates.within(span))?));
        let bound = |restart: Restart| {
            let usual = rates.within(before.clone()).peak;
            let waited = WAIT + (restart.until - restart.from);
            // Whoever had something to say says it twice: an Update, which is refused, and a Register. And
            // those who could not while the platform was down come at once.
            Some((some(rates.within(restart.from..end))?, 2.0 * f64::from(usual) * (BIN + waited) as f64 / BIN as f64))
        };
        Self {
            loads: windows.into_iter().filter_map(named).collect(),
            steady: some(rates.within(STEADY..from).and(rates.within(over.max(STEADY)..end))),
            restart: plan.restart.and_then(bound),
        }
    }

    /// Whether both bounds hold, as far as there is anything to bound.
    pub(crate) fn holds(&self) -> bool {
        self.steady.is_none_or(|load| load.ratio() <= FULLEST || load.mean() < ENOUGH)
            && self.restart.is_none_or(|(load, most)| f64::from(load.peak) <= most)
    }

    pub(crate) fn print(&self) {
        println!("\narrivals at the platform in 100 s        mean       peak  peak/mean  at hour");
        for (name, load) in &self.loads {
            println!("  {name:<33} {}", row(load));
        }
        if let Some(load) = &self.steady {
            println!("  {:<33} {}", "steady: from hour 24, without it", row(load));
            if load.ratio() <= FULLEST {
                println!("    at most {FULLEST} times the mean in each bin");
            } else if load.mean() < ENOUGH {
                println!("    more than {FULLEST} times the mean in some bin, by chance: so few arrive in one");
            } else {
                println!("    MORE THAN {FULLEST} times the mean in some bin");
            }
        }
        if let Some((load, most)) = self.restart {
            let verdict = if f64::from(load.peak) <= most { "under" } else { "OVER" };
            println!("  from the restart on at most {}, {verdict} the bound of {most:.0}:", load.peak);
            println!(
                "    twice the fullest bin of the lifetime before (Update and Register), and what waited meanwhile"
            );
        }
    }
}

fn row(load: &Load) -> String {
    let at = load.at as f64 / HOUR as f64;
    format!("{:>10.0} {:>10} {:>10.2} {at:>8.1}", load.mean(), load.peak, load.ratio())
}

/// Who is there and what it costs.
pub(crate) fn print_costs(plan: &Plan, fleet: &Fleet, cpu: f64) {
    let devices = fleet.terminals().count();
    let heap: usize = fleet.terminals().map(Terminal::heap).sum();
    let kept = if plan.resident { "the Client and its heap" } else { "its snapshot" };
    println!("bytes for each terminal");
    println!("  {:>6}  kept of it: {kept}", heap / devices.max(1));
    println!("  {:>6}  the fleet's own: its record and its place in the queue", Fleet::COST);
    println!("  {:>6}  the platform's", Platform::COST);
    if let Some(peak) = peak_memory() {
        let each = peak / devices.max(1) as u64;
        println!("  {each:>6}  of resident memory, {:.1} MiB in all at most", peak as f64 / (1 << 20) as f64);
    }
    if let Some(memory) = fleet.memory() {
        println!("bytes of one that is awake");
        parts(memory).iter().for_each(|(part, bytes)| println!("  {bytes:>6}  {part}"));
    }
    let days = devices as f64 * plan.hours as f64 / 24.0;
    println!("processor: {cpu:.1} s, {:.1} us for a terminal's day", cpu * 1e6 / days.max(f64::MIN_POSITIVE));
}

const fn parts(memory: Memory) -> [(&'static str, usize); 9] {
    [
        ("Client", memory.inline),
        ("datagram buffers", memory.buffers),
        ("exchanges and duplicates", memory.exchange),
        ("accounts", memory.accounts),
        ("registration", memory.lifecycle),
        ("observations and events", memory.reporting + memory.events),
        ("sessions", memory.connections),
        ("configuration", memory.config),
        ("strings and keys", memory.strings),
    ]
}

/// What was said.
pub(crate) fn print_messages(plan: &Plan, fleet: &Fleet) {
    let counts = &fleet.counts;
    println!("to the platform");
    for (kind, name) in Kind::ALL {
        println!("  {:>10}  {name}", counts.of(kind));
    }
    println!("from the platform");
    println!("  {:>10}  requests of the bootstrap server", counts.asked);
    for (code, count) in &counts.answers {
        println!("  {count:>10}  {code} {}", code.name().unwrap_or_default());
    }
    println!("dropped, rejected, refused or said once more by the terminals");
    for (cause, count) in fleet.statistics().iter().filter(|(_, count)| *count > 0) {
        println!("  {count:>10}  {}", cause.replace('_', " "));
    }
    println!("{} lost on the way, {} while the platform was down", counts.lost, counts.unheard);
    let [flights, losses] = counts.outages;
    let registered = fleet.platform.registered(plan.hours * HOUR - 1);
    println!("{flights} flights, {losses} times without network; {registered} are registered at the end");
}

/// The most memory that this program ever had, in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}

/// How long this program has been running on a processor, in seconds: as the system tells, or else by the clock.
pub(crate) fn processor_time(began: std::time::Instant) -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse::<u64>().ok());
    nanoseconds.map_or_else(|| began.elapsed().as_secs_f64(), |nanoseconds| nanoseconds as f64 / 1e9)
}
