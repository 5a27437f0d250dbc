//! Lives through years of many devices in virtual time, with everything going wrong that can, and looks
//! whether the client keeps its promises all the time.
//!
//! ```text
//! cargo run --profile soak --example soak -- --seeds 0..1000 --hours 168
//! ```
//!
//! The profile `soak` is the release build with debug assertions and overflow checks; with `--release` it works
//! as well, and sees less.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program has a standard library")]

mod args;
mod report;

use std::process::ExitCode;
use std::time::Duration;

use lwm2m_core::sim::soak::{Soak, Terminal};

use crate::args::{Args, Request};
use crate::report::Report;

/// How many lives are lived to find out which faults a failure takes.
const PATIENCE: usize = 400;

fn main() -> ExitCode {
    let args = match args::request(std::env::args_os().skip(1)) {
        Ok(Request::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Ok(Request::Soak(args)) => args,
        Err(complaint) => {
            eprintln!("soak: {complaint}");
            return ExitCode::from(2);
        }
    };
    // What panics is caught and reported as a failure of its seed.
    std::panic::set_hook(Box::new(|_| {}));
    if soak(&args) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Lives through all seeds. Whether nothing was violated.
fn soak(args: &Args) -> bool {
    let length = Duration::from_secs(args.hours * 3_600);
    let soak = Soak { subject: Terminal, profile: args.profile, length };
    let mut report = Report::new(args);
    if let Some(failure) = soak.tour().failure {
        report.tour_failed(&failure);
    }
    for seed in args.seeds.clone() {
        let mut plan = soak.plan(seed);
        if let Some(only) = &args.only {
            plan = plan.only(only);
        }
        let life = soak.live_with(seed, plan.clone());
        report.add(&life);
        if let Some(failure) = &life.failure {
            report.failed(seed, failure);
            match &args.only {
                None => report.shrunk(args, seed, &plan, &soak.shrink(seed, failure, PATIENCE)),
                Some(_) => plan.faults.iter().for_each(|fault| println!("    {fault}")),
            }
        }
        if args.trace {
            println!("{}", soak.trace(seed, plan));
        }
        if report.failures() >= args.failures {
            println!("stopped after {} failures", args.failures);
            break;
        }
    }
    report.finish();
    report.failures() == 0
}
