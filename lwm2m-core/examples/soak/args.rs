//! The command line.

use std::ffi::OsString;
use std::ops::Range;

use lexopt::prelude::*;
use lwm2m_core::sim::soak::Profile;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
soak [--seeds A..B] [--hours H] [--profile NAME]
    Has a server ask for everything once, while all is well. Then lives through H device-hours (168)
    of each seed from A to B - 1 (0..100), and looks after every step whether all holds that must hold. Exit code 0: it does; 1: it does not, and the report says
    with which seed, after which faults, and how to see it again; 2: the command line is wrong.

    --profile NAME    quiet: a good network, a lifetime of 24 h, a notification an hour;
                      busy: 10 % loss, 2 % duplicates, 1 % damage, a lifetime of 1 h, a
                      notification every 5 minutes; wild (as without it): everything goes wrong
    --only N,N,...    with these faults of the seed's plan alone
    --trace           prints all that happens
    --failures N      stops after so many failures (10)
    --quiet           no progress bar
    --help, --version this text; the version
";

/// What to do.
pub(crate) enum Request {
    Print(&'static str),
    Soak(Args),
}

/// A soak.
pub(crate) struct Args {
    pub(crate) seeds: Range<u64>,
    pub(crate) hours: u64,
    pub(crate) profile: Profile,
    pub(crate) only: Option<Vec<usize>>,
    pub(crate) trace: bool,
    pub(crate) failures: usize,
    pub(crate) quiet: bool,
}

pub(crate) fn request(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    read(arguments).map_err(|error| format!("{error}; --help says how to use it"))
}

fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, lexopt::Error> {
    let mut args = Args {
        seeds: 0..100,
        hours: 168,
        profile: Profile::Wild,
        only: None,
        trace: false,
        failures: 10,
        quiet: false,
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Request::Print(HELP)),
            Long("version") => return Ok(Request::Print(concat!("soak ", env!("CARGO_PKG_VERSION"), "\n"))),
            Long("seeds") => args.seeds = parser.value()?.parse_with(seeds)?,
            Long("hours") => args.hours = parser.value()?.parse()?,
            Long("profile") => args.profile = parser.value()?.parse_with(profile)?,
            Long("only") => args.only = Some(parser.value()?.parse_with(numbers)?),
            Long("trace") => args.trace = true,
            Long("failures") => args.failures = parser.value()?.parse()?,
            Long("quiet") => args.quiet = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Request::Soak(args))
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let read = |text: &str| text.parse().map_err(|_| format!("'{text}' is no seed"));
    match text.split_once("..") {
        Some((first, end)) => Ok(read(first)?..read(end)?),
        None => read(text).map(|seed| seed..seed + 1),
    }
}

fn profile(text: &str) -> Result<Profile, String> {
    Profile::named(text).ok_or_else(|| format!("there is no profile '{text}'"))
}

fn numbers(text: &str) -> Result<Vec<usize>, String> {
    let read = |text: &str| text.parse().map_err(|_| format!("'{text}' is no number of a fault"));
    text.split(',').filter(|text| !text.is_empty()).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soak(line: &str) -> Result<Args, String> {
        match request(line.split_whitespace().map(OsString::from)) {
            Ok(Request::Soak(args)) => Ok(args),
            Ok(Request::Print(text)) => Err(text.to_string()),
            Err(complaint) => Err(complaint),
        }
    }

    #[test]
    fn the_command_line_is_read_or_refused() {
        let args = soak("--seeds 3..7 --hours 24 --profile busy --only 1,5 --trace").ok().unwrap();
        assert_eq!((args.seeds, args.hours, args.profile, args.trace), (3..7, 24, Profile::Busy, true));
        assert_eq!(args.only, Some(vec![1, 5]));
        assert_eq!(soak("--seeds 9").ok().unwrap().seeds, 9..10);
        for line in ["--seeds x", "--seeds 1..y", "--hours", "--profile loud", "--only 1,x", "extra", "--nothing"] {
            assert!(soak(line).is_err_and(|complaint| complaint.contains("--help")), "{line}");
        }
        assert!(soak("--help").is_err_and(|text| text == HELP));
    }
}
