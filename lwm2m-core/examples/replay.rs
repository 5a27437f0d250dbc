//! Feeds a recorded run to a fresh client, and shows that every output is the same, byte for byte.
//!
//! ```text
//! cargo run --example dm_terminal -- --record life.txt
//! cargo run --example replay -- life.txt
//! ```
//!
//! A run on a real network can be replayed as well: whatever happened in the field, it happens again
//! here, under a debugger if need be, with no network and no waiting.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program has a standard library")]

#[path = "dm_terminal/terminal.rs"]
#[allow(dead_code, reason = "the record knows its configuration")]
mod terminal;

use std::process::ExitCode;

use lwm2m_core::sim::record::{Replayed, replay};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        eprintln!("replay: one argument is wanted: a file that 'dm_terminal --record FILE' wrote");
        return ExitCode::from(2);
    };
    let record = match std::fs::read_to_string(&path) {
        Ok(record) => record,
        Err(error) => {
            eprintln!("replay: {}: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    let mut device = terminal::device();
    // What sensors and people did to the device, as the terminal itself understood it.
    let replayed = replay(&record, &mut device, |device, command| {
        let _ = terminal::set(device, command);
    });
    match replayed {
        Ok(Replayed { inputs, outputs, events }) => {
            println!("the same run: {inputs} inputs gave the same {outputs} outputs and {events} events");
            ExitCode::SUCCESS
        }
        Err(mismatch) => {
            eprintln!("replay: another run, from line {} of the record on", mismatch.line);
            eprintln!("  recorded  {}", shown(&mismatch.recorded));
            eprintln!("  replayed  {}", shown(&mismatch.replayed));
            ExitCode::FAILURE
        }
    }
}

fn shown(line: &str) -> &str {
    if line.is_empty() { "(nothing)" } else { line }
}
