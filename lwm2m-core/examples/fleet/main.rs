//! A fleet of terminals in one process: in virtual time with a platform of its own, or against a real server.
//!
//! ```text
//! cargo run --release --example fleet -- --devices 1000000 --hours 72
//! ```
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program has a standard library")]
#![allow(clippy::disallowed_methods, reason = "a program has a clock")]

mod against;
mod args;
mod bins;
mod chart;
mod dice;
mod fleet;
mod life;
mod name;
mod platform;
mod rates;
mod report;
mod talk;
mod terminal;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::args::{Args, Request};
use crate::chart::{Panel, thousands};
use crate::fleet::{Fleet, Plan};
use crate::life::HOUR;
use crate::rates::{BIN, Rates};
use crate::report::Summary;

fn main() -> ExitCode {
    let outcome = match args::request(std::env::args_os().skip(1)) {
        Ok(Request::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Ok(Request::Live(args)) => live(&args),
        Ok(Request::Against(target)) => against::run(&target),
        Err(complaint) => {
            eprintln!("fleet: {complaint}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(complaint) => {
            eprintln!("fleet: {complaint}");
            ExitCode::FAILURE
        }
    }
}

/// Lives through a fleet's time, and says what came of it: whether the bounds hold.
fn live(args: &Args) -> Result<bool, String> {
    let plan = args.plan;
    let rates = if args.join.is_empty() { lived(args) } else { bins::join(&args.join, &plan)? };
    let summary = Summary::new(&plan, &rates);
    summary.print();
    if let Some(path) = &args.bins {
        bins::write(path, &plan, &rates)?;
    }
    if let Some(path) = &args.chart {
        let other = Plan { spread: !plan.spread, ..plan };
        let others = run(&other, args.quiet).counts.rates;
        let panel = |plan: &Plan, rates| Panel {
            title: if plan.spread { "first Updates spread, as they are by default" } else { "not spread" },
            steady: Summary::new(plan, rates).steady,
            rates,
        };
        let panels = [panel(&plan, &rates), panel(&other, &others)];
        std::fs::write(path, chart::draw(&plan, &panels)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    // Without the spread nothing is promised, and part of a fleet is for others to judge.
    Ok(!plan.spread || plan.shard != (1, 1) || summary.holds())
}

/// Lives through it, and says what it took.
fn lived(args: &Args) -> Rates {
    let plan = args.plan;
    let began = Instant::now();
    let fleet = run(&plan, args.quiet);
    let cpu = report::processor_time(began);
    let spread = if plan.spread { "first Updates spread" } else { "Updates not spread" };
    let (devices, (own, all)) = (thousands(plan.devices.into()), plan.shard);
    println!("{devices} terminals, {} h, seed {}, {spread}, shard {own}/{all}\n", plan.hours, plan.seed);
    report::print_costs(&plan, &fleet, cpu);
    println!();
    report::print_messages(&plan, &fleet);
    fleet.counts.rates
}

/// Lives through a fleet's time, with a progress bar where there is a terminal to show it.
fn run(plan: &Plan, quiet: bool) -> Fleet {
    let mut fleet = Fleet::new(*plan);
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(plan.hours) };
    let style = ProgressStyle::with_template("[{bar:40}] hour {pos} of {len}, {elapsed} gone, {eta} to go");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("#>."));
    for end in (1..=plan.hours * HOUR / BIN).map(|bin| bin * BIN) {
        fleet.run(end);
        bar.set_position(end / HOUR);
    }
    bar.finish_and_clear();
    fleet
}
