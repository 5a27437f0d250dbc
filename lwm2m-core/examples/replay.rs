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

#[path = "dm_terminal/screen.rs"]
#[allow(dead_code, reason = "whether the reader has left makes no difference here")]
mod screen;
#[path = "dm_terminal/terminal/mod.rs"]
#[allow(dead_code, reason = "the record knows its configuration")]
mod terminal;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lwm2m_core::sim::record::{Mismatch, replay};

use crate::screen::Screen;

/// What `--help` prints.
const HELP: &str = "\
replay FILE
    Feeds a run that 'dm_terminal --record FILE' has written to a fresh client, and compares all
    that comes out of it with the record: every datagram, every event.
    Exit code 0: it is the same run; 1: it is another one, and standard error says from which line
    on; 2: the command line is wrong, or the file is no record.

    --help, --version    this text; the version
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Request {
    Print(&'static str),
    Replay(PathBuf),
}

/// Why a run was not reproduced.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// It can't be read.
    Unreadable(String),
    /// It is another run.
    Differs(String),
}

fn main() -> ExitCode {
    let outcome = match request(std::env::args_os().skip(1).collect()) {
        Ok(Request::Print(text)) => Ok(text.to_string()),
        Ok(Request::Replay(path)) => reproduce(&path),
        Err(complaint) => Err(Failure::Unreadable(complaint)),
    };
    match outcome {
        Ok(text) => {
            let mut screen = Screen::new(io::stdout());
            match screen.write_all(text.as_bytes()).and_then(|()| screen.flush()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    screen::complain("replay", format!("cannot write: {error}"));
                    ExitCode::FAILURE
                }
            }
        }
        Err(Failure::Unreadable(complaint)) => {
            screen::complain("replay", complaint);
            ExitCode::from(2)
        }
        Err(Failure::Differs(complaint)) => {
            screen::complain("replay", complaint);
            ExitCode::FAILURE
        }
    }
}

fn request(arguments: Vec<OsString>) -> Result<Request, String> {
    match &arguments[..] {
        [one] if one == "--help" || one == "-h" => Ok(Request::Print(HELP)),
        [one] if one == "--version" => Ok(Request::Print(concat!("replay ", env!("CARGO_PKG_VERSION"), "\n"))),
        [one] if one.to_string_lossy().starts_with('-') => {
            Err(format!("{}: there is no such option; --help says how to use it", one.display()))
        }
        [file] => Ok(Request::Replay(file.into())),
        _ => Err("one file is wanted, which 'dm_terminal --record FILE' wrote; --help says more".into()),
    }
}

/// Replays a file. What there is to say is one line, except about a difference.
fn reproduce(path: &Path) -> Result<String, Failure> {
    let unreadable = |what: &str| Failure::Unreadable(format!("{}: {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error.to_string()))?;
    let Ok(record) = String::from_utf8(bytes) else { return Err(unreadable(NO_RECORD)) };
    let mut objects = terminal::objects();
    // What sensors, people and restarts did to the device, as the terminal itself understood it.
    let replayed = replay(&record, &mut objects, terminal::happen);
    match replayed {
        Ok(same) => Ok(format!(
            "the same run: {} inputs gave the same {} outputs and {} events\n",
            same.inputs, same.outputs, same.events
        )),
        Err(Mismatch { line: 1, .. }) => Err(unreadable(NO_RECORD)),
        Err(Mismatch { line, recorded, replayed }) if replayed == UNREADABLE => {
            Err(unreadable(&format!("line {line} can't be read: {}", shown(&recorded))))
        }
        Err(Mismatch { line, recorded, replayed }) => Err(Failure::Differs(format!(
            "another run, from line {line} of the record on\n  recorded  {}\n  replayed  {}",
            shown(&recorded),
            shown(&replayed)
        ))),
    }
}

const NO_RECORD: &str = "this is no record that 'dm_terminal --record FILE' wrote";

/// What a replay says of a line that it can't read. No output of a client reads like this.
const UNREADABLE: &str = "cannot be read";

/// A line that may be anything, on a line of its own.
fn shown(line: &str) -> String {
    const COLUMNS: usize = 400;
    let shown = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    match line.chars().nth(COLUMNS) {
        None if line.is_empty() => "(nothing)".into(),
        None => line.chars().map(shown).collect(),
        Some(_) => line.chars().take(COLUMNS).map(shown).chain([String::from("…")]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_a_file_or_an_option() {
        let request = |words: &str| request(words.split_whitespace().map(OsString::from).collect());
        assert_eq!(request("--help"), Ok(Request::Print(HELP)));
        assert_eq!(request("-h"), Ok(Request::Print(HELP)));
        assert_eq!(request("run.txt"), Ok(Request::Replay("run.txt".into())));
        for wrong in ["", "a b", "--record", "--help me"] {
            assert!(request(wrong).is_err_and(|complaint| complaint.lines().count() == 1), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_record_is_called_so() {
        let said = |name: &str, content: &[u8]| {
            let path = std::env::temp_dir().join(format!("replay-{}-{name}", std::process::id()));
            std::fs::write(&path, content).unwrap();
            let outcome = reproduce(&path);
            std::fs::remove_file(&path).unwrap();
            match outcome {
                Err(Failure::Unreadable(complaint)) => complaint.replace(&*path.to_string_lossy(), "FILE"),
                other => panic!("{other:?}"),
            }
        };
        for (name, content) in [("text", &b"hello\x1b\n"[..]), ("empty", b""), ("binary", b"\x7fELF\xff")] {
            assert_eq!(said(name, content), format!("FILE: {NO_RECORD}"));
        }
        assert_eq!(said("torn", b"lwm2m-core record 1\ncli"), "FILE: line 2 can't be read: cli");
    }

    #[test]
    fn a_line_is_shown_without_what_a_screen_would_obey() {
        assert_eq!((shown("").as_str(), shown("a\x1b[2J").as_str()), ("(nothing)", "a\\u{1b}[2J"));
        assert_eq!(shown(&"x".repeat(4_000)).chars().count(), 401);
    }
}
