//! A whole DM terminal: bootstrap, registration, management, flight mode, power-off.
//!
//! Without arguments it lives its life in virtual time against the platform of the crate's simulator,
//! and draws every message of it (`life/`). With `--bootstrap URI` or `--server URI` it does the same
//! on UDP and the real clock (`udp.rs`: start there to see how the client is driven). What it is and
//! which objects it has is in `terminal/`. `--help` has the rest.
//!
//! ```text
//! cargo run --example dm_terminal
//! cargo run --example dm_terminal -- --lose 11
//! cargo run --example dm_terminal -- --bootstrap coap://127.0.0.1:5683
//! ```
//!
//! The package in `examples/tokio_terminal` builds it once more, with DTLS.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program has a standard library")]

mod args;
mod capture;
mod chart;
mod command;
mod counted;
mod decode;
mod draw;
#[cfg_attr(feature = "dtls", path = "../tokio_terminal/src/dtls.rs")]
mod dtls;
mod failure;
mod files;
mod inbox;
mod json;
mod keys;
mod ladder;
mod legend;
mod life;
mod news;
mod phase;
mod plan;
mod reading;
mod record;
mod screen;
mod standing;
mod terminal;
mod udp;
mod uri;
mod values;
mod view;
mod ways;

use std::io::Write;
use std::process::ExitCode;

use crate::args::{Mode, Request};
use crate::failure::Failure;

fn main() -> ExitCode {
    let options = match args::parse(lexopt::Parser::from_env()) {
        Ok(Request::Run(options)) => options,
        Ok(Request::Print(text)) => {
            // Whoever does not listen need not be told.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            complain(complaint);
            return ExitCode::from(2);
        }
    };
    let files = match options.files() {
        Ok(files) => files,
        Err(complaint) => {
            complain(complaint);
            return ExitCode::from(2);
        }
    };
    let outcome = match &options.mode {
        Mode::Life { seed, lose } => life::run(&options, files, *seed, *lose).map_err(Failure::from),
        Mode::Udp(network) => udp::run(&options, files, network),
    };
    match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Said(complaint)) => complain(complaint),
        Err(Failure::Quiet) => {}
    }
    ExitCode::FAILURE
}

/// A line on standard error.
fn complain(complaint: impl core::fmt::Display) {
    screen::complain("dm_terminal", complaint);
}
