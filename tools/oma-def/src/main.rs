//! From an OMA object definition in XML to a constant table in Rust, for lwm2m-core.
//!
//! It is run by hand, and what it prints is committed: readable, and formatted as rustfmt would. The
//! registry (and a vendor) publishes definitions as XML; a device wants them in its read-only memory.

mod definition;
mod range;
mod rust;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use definition::Object;

const USAGE: &str = "\
Prints the Rust module of an object whose definition is an XML file of OMA's registry.

usage: oma-def [--from PATH] FILE.xml >object.rs

  --from PATH    where the module takes ObjectDef and the like from [default: lwm2m_core]
";

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("oma-def: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What is to be printed, or what is wrong.
fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<String, String> {
    use lexopt::prelude::*;
    let (mut file, mut from) = (None::<PathBuf>, String::from("lwm2m_core"));
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Long("help") | Short('h') => return Ok(USAGE.into()),
            Long("from") => {
                from = parser.value().and_then(|value| value.string()).map_err(|error| error.to_string())?
            }
            Value(path) if file.is_none() => file = Some(path.into()),
            other => return Err(other.unexpected().to_string()),
        }
    }
    let file = file.ok_or("no file (--help says more)")?;
    let failed = |error: &dyn core::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(&file).map_err(|error| failed(&error))?;
    let object = Object::parse(&text).map_err(|error| failed(&error))?;
    Ok(rust::module(&object, &from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_arguments_and_files_are_told_in_one_line() {
        let run = |arguments: &[&str]| run(arguments.iter().map(OsString::from));
        assert_eq!(run(&[]), Err("no file (--help says more)".into()));
        assert_eq!(run(&["--help"]).as_deref(), Ok(USAGE));
        assert_eq!(run(&["a.xml", "b.xml"]), Err("unexpected argument \"b.xml\"".into()));
        assert!(run(&["--form", "x"]).unwrap_err().contains("--form"));
        assert!(run(&["/nowhere/a.xml"]).unwrap_err().starts_with("/nowhere/a.xml: "));
    }
}
