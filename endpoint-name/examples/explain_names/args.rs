//! The command line: what it may say, and one clear line for what it may not.

use std::ffi::OsString;

use endpoint_name::Leniency;

const HELP: &str = "\
Explains endpoint names of the China Mobile DM terminal specification: IMEI;IMSI;CMEI;A.B

  explain_names [OPTIONS] [FILE...]

Reads one name a line from the files, or from standard input if there is none or it is '-'. Nothing is
trimmed but the end of the line; empty lines are passed over.

Options
  --leading-zeros      accepts 01.0 as version 1.0
  --missing-version    accepts an empty version
  --alphanumeric-cmei  accepts letters in the CMEI
  --lenient            all three
  --quiet              only names that are refused or have a warning, and no totals
  --json               one JSON object a line instead of text
  --help, --version    this text; the version

Exit code 0: every name is good; 1: one is refused; 2: the command line is wrong, or a file cannot be read.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// To print this and end.
    Print(String),
    /// To explain names.
    Explain(Options),
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) allowed: Leniency,
    pub(crate) quiet: bool,
    pub(crate) json: bool,
    /// At least one; `-` is standard input.
    pub(crate) paths: Vec<String>,
}

/// The option that turns on each leniency.
pub(crate) const LENIENCIES: [(&str, Leniency); 3] = [
    ("--leading-zeros", Leniency { leading_zeros: true, ..Leniency::STRICT }),
    ("--missing-version", Leniency { missing_version: true, ..Leniency::STRICT }),
    ("--alphanumeric-cmei", Leniency { alphanumeric_cmei: true, ..Leniency::STRICT }),
];

/// What either of them allows.
pub(crate) fn union(one: Leniency, other: Leniency) -> Leniency {
    Leniency {
        leading_zeros: one.leading_zeros || other.leading_zeros,
        missing_version: one.missing_version || other.missing_version,
        alphanumeric_cmei: one.alphanumeric_cmei || other.alphanumeric_cmei,
    }
}

/// The options that turn these leniencies on.
pub(crate) fn options_for(leniency: Leniency) -> Vec<&'static str> {
    let contained = |one: Leniency| union(one, leniency) == leniency;
    LENIENCIES.into_iter().filter(|&(_, one)| contained(one)).map(|(option, _)| option).collect()
}

/// Reads the command line. The error is one line.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let mut options = Options { allowed: Leniency::STRICT, quiet: false, json: false, paths: Vec::new() };
    let mut only_paths = false;
    for argument in arguments {
        let argument = argument.into_string().map_err(|argument| format!("{}: not UTF-8", argument.display()))?;
        if only_paths || argument == "-" || !argument.starts_with('-') {
            options.paths.push(argument);
            continue;
        }
        match argument.as_str() {
            "--" => only_paths = true,
            "--lenient" => options.allowed = Leniency::ALL,
            "--quiet" | "-q" => options.quiet = true,
            "--json" => options.json = true,
            "--help" | "-h" => return Ok(Request::Print(HELP.into())),
            "--version" => {
                return Ok(Request::Print(concat!("explain_names ", env!("CARGO_PKG_VERSION"), "\n").into()));
            }
            other => match LENIENCIES.iter().find(|(option, _)| *option == other) {
                Some(&(_, leniency)) => options.allowed = union(options.allowed, leniency),
                None => return Err(format!("{other}: there is no such option; --help lists them")),
            },
        }
    }
    if options.paths.is_empty() {
        options.paths.push("-".into());
    }
    Ok(Request::Explain(options))
}
