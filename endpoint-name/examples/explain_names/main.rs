//! Reads endpoint names, one a line, and explains each: whether it is good, and if not, at which byte and
//! why; what is odd about it; which form of name it has instead; which leniency would accept it.
//!
//! ```text
//! echo '490154203237518;46000x;;1.0' | cargo run --example explain_names
//! cargo run --example explain_names -- --json --leading-zeros names.txt
//! ```
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a program has a standard library")]

mod args;
mod explain;
mod human;
mod json;
mod lines;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Read, Write};
use std::process::ExitCode;

use crate::args::{Options, Request};
use crate::explain::Explanation;
use crate::human::Totals;
use crate::lines::{Line, Lines};

fn main() -> ExitCode {
    let options = match args::parse(std::env::args_os().skip(1)) {
        Ok(Request::Explain(options)) => options,
        Ok(Request::Print(text)) => {
            // Whoever does not listen need not be told.
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("explain_names: {complaint}");
            return ExitCode::from(2);
        }
    };
    let (stdin, stdout) = (io::stdin().lock(), io::stdout().lock());
    let outcome = if stdout.is_terminal() {
        run(&options, stdin, stdout, io::stderr())
    } else {
        run(&options, stdin, BufWriter::new(stdout), io::stderr())
    };
    match outcome {
        Ok(outcome) => ExitCode::from(outcome as u8),
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("explain_names: standard output: {error}");
            ExitCode::from(Outcome::Unread as u8)
        }
    }
}

/// How it ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All names are good.
    Good = 0,
    /// One is not.
    Refused = 1,
    /// A file could not be read.
    Unread = 2,
}

/// Explains all names of all files. The error is one of writing.
fn run(
    options: &Options,
    mut stdin: impl Read,
    mut out: impl Write,
    mut complaints: impl Write,
) -> io::Result<Outcome> {
    let mut totals = Totals::default();
    let mut unread = false;
    for path in &options.paths {
        let label = if path == "-" { "stdin" } else { path };
        let mut lines = match Lines::open(path, &mut stdin) {
            Ok(lines) => lines,
            Err(error) => {
                unread = true;
                writeln!(complaints, "explain_names: {label}: {error}")?;
                continue;
            }
        };
        loop {
            match lines.next_line() {
                Ok(Some(line)) => explain(options, label, &line, &mut totals, &mut out)?,
                Ok(None) => break,
                Err(error) => {
                    unread = true;
                    writeln!(complaints, "explain_names: {label}: {error}")?;
                    break;
                }
            }
        }
    }
    if !options.json && !options.quiet {
        writeln!(out, "{totals}")?;
    }
    out.flush()?;
    Ok(match totals.refused {
        _ if unread => Outcome::Unread,
        0 => Outcome::Good,
        _ => Outcome::Refused,
    })
}

fn explain(
    options: &Options,
    label: &str,
    line: &Line<'_>,
    totals: &mut Totals,
    out: &mut impl Write,
) -> io::Result<()> {
    if line.bytes.is_empty() {
        return Ok(());
    }
    let lossy = String::from_utf8_lossy(line.bytes);
    let explanation = match str::from_utf8(line.bytes) {
        Ok(name) => Explanation::of(name, options.allowed),
        Err(error) => Explanation::not_text(&lossy, error.valid_up_to()),
    };
    totals.count(&explanation);
    if options.quiet && explanation.is_spotless() {
        return Ok(());
    }
    if options.json {
        json::write(out, label, line.number, &explanation)
    } else {
        human::write(out, label, line.number, &explanation)
    }
}
