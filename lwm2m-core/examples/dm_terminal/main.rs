//! A whole DM terminal: bootstrap, registration, management, flight mode, power-off.
//!
//! Without arguments it lives its life in virtual time against the platform of the crate's simulator,
//! and draws every message of it (`life.rs`). With `--bootstrap URI` or `--server URI` it does the same
//! on UDP and the real clock (`udp.rs`: start there to see how the client is driven). `--help` has
//! the rest.
//!
//! ```text
//! cargo run --example dm_terminal
//! cargo run --example dm_terminal -- --lose 9
//! cargo run --example dm_terminal -- --bootstrap coap://127.0.0.1:5683
//! ```
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program has a standard library")]

mod args;
mod decode;
mod draw;
mod inbox;
mod json;
mod ladder;
mod life;
mod phase;
mod record;
mod standing;
mod terminal;
mod udp;
mod uri;
mod values;
mod view;

use std::io::Write;
use std::process::ExitCode;

use crate::args::{Mode, Request};

fn main() -> ExitCode {
    let options = match args::parse() {
        Ok(Request::Run(options)) => options,
        Ok(Request::Print(text)) => {
            // Whoever does not listen need not be told.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("dm_terminal: {complaint}");
            return ExitCode::from(2);
        }
    };
    let outcome = match &options.mode {
        Mode::Life { seed, lose } => life::run(&options, *seed, *lose),
        Mode::Udp { bootstrap, server, run_for } => {
            udp::run(&options, bootstrap.as_deref(), server.as_deref(), *run_for)
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("dm_terminal: {complaint}");
            ExitCode::FAILURE
        }
    }
}
