//! The command line: what it may say, and one clear line for what it may not.

use core::fmt::Display;
use core::ops::RangeInclusive;
use core::str::FromStr;
use core::time::Duration;
use std::fs::File;
use std::path::PathBuf;

use endpoint_name::EndpointName;
use lexopt::prelude::*;
use lwm2m_core::Credentials;

use crate::keys::Keys;
use crate::terminal::{ENDPOINT, Identity, LIFETIME, is_secure};
use crate::uri::Authority;

/// What `--help` prints.
const HELP: &str = "\
A China Mobile DM terminal (LwM2M 1.0 over CoAP).

  dm_terminal [OPTIONS] [--lose N]
      A terminal's whole life in virtual time, against a platform inside this program, as a ladder
      of messages. It takes a moment, although more than a day passes in it.
      Exit code 0: every step was right; 1: one was not, and a line on standard error says which.

  dm_terminal [OPTIONS] --bootstrap URI | --server URI [--lifetime SECONDS] [--run-for SECONDS]
      The same terminal on UDP and the real clock, until 'quit', Ctrl-C or the end of its time; then
      it de-registers and waits for the answer, 5 s at most. A second Ctrl-C ends it at once.
      Exit code 0: it was registered and has left; 1: it never was, or could not take its leave.

Options
  --json               one JSON object a line instead of the ladder
  --endpoint NAME      its name, IMEI;IMSI;CMEI;A.B (490154203237518;460001234567890;;1.0)
  --seed N             its random numbers, to have the same again (otherwise from the system)
  --record FILE        writes what goes in and comes out; 'replay FILE' checks that it is reproduced
  --lose N             the network loses the Nth datagram of the life
  --bootstrap URI      the bootstrap server, coap://HOST[:PORT]; it names the server to go on with
  --server URI         the server to register with; with --bootstrap too, if the bootstrap fails
  --psk ID:HEXKEY      identity and key for a coaps URI, where it was built with DTLS
  --lifetime SECONDS   the registration's lifetime, where the bootstrap server gives none (86400)
  --run-for SECONDS    leaves after this time, and at once when the platform refuses it (4.00, 4.01,
                       4.03, 4.12) before it ever was registered; otherwise it would try again later
  --non-confirmable    notifications want no acknowledgement (NON), but for one a day
  --help, --version    this text; the version

Commands on standard input, a line each, with --bootstrap or --server
  flight on            de-registers and falls silent
  flight off           registers again, without a bootstrap
  network off          there is no network: nothing passes, and the client is told so
  network on           it is back: the client updates its registration
  rebind               another address: opens new UDP sockets, and the client registers from there
  set /3/0/9 42        changes a value of an object, here the battery level; /4/0/2 is the signal
                       strength, /30000/0/5/1 one of several values of an hour meter
  set /5/0/3 2         the package that a server had the terminal download (/5/0/1) is there;
                       set /5/0/5 4 says that it is not, since the connection was lost
  update               updates the registration now
  quit                 de-registers and ends

A server may have it start again: by Reboot (/3/0/4), Factory Reset (/3/0/5), and Update (/5/0/2)
with an image that it wrote to /5/0/0: a line 'TM-1 VERSION', anything, and a byte, their sum.

Exit code 2: the command line is wrong.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// To print this and end.
    Print(String),
    /// To run.
    Run(Options),
}

/// How to run.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) identity: Identity,
    /// Those of clients after the first.
    pub(crate) keys: Keys,
    /// For servers with a `coaps` URI.
    pub(crate) credentials: Credentials,
    pub(crate) json: bool,
    pub(crate) record: Option<PathBuf>,
    pub(crate) mode: Mode,
}

impl Options {
    /// The file for the record, if one is wanted.
    pub(crate) fn create_record(&self) -> Result<Option<File>, String> {
        let create =
            |path: &PathBuf| File::create(path).map_err(|error| format!("--record: {}: {error}", path.display()));
        self.record.as_ref().map(create).transpose()
    }
}

/// Where the terminal lives.
#[derive(Debug)]
pub(crate) enum Mode {
    /// In virtual time.
    Life { seed: u64, lose: Option<usize> },
    /// On a real network.
    Udp { bootstrap: Option<String>, server: Option<String>, run_for: Option<Duration> },
}

/// Reads the command line. The error is one line.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Request, String> {
    let (mut json, mut record, mut seed, mut lose, mut run_for) = (false, None, None, None, None);
    let (mut bootstrap, mut server, mut lifetime, mut endpoint) = (None, None, None, None);
    let (mut confirmable, mut psk) = (true, None);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let argument = match argument {
            Long(name) => name.to_string(),
            Short('h') => "help".into(),
            other => return Err(format!("{}; --help lists what there is", other.unexpected())),
        };
        match argument.as_str() {
            "json" => json = true,
            "non-confirmable" => confirmable = false,
            "help" => return Ok(Request::Print(HELP.into())),
            "version" => return Ok(Request::Print(concat!("dm_terminal ", env!("CARGO_PKG_VERSION"), "\n").into())),
            "record" => record = Some(PathBuf::from(parser.value().map_err(|error| error.to_string())?)),
            "endpoint" => endpoint = Some(value(&mut parser, "endpoint")?),
            "bootstrap" => bootstrap = Some(uri(&mut parser, "bootstrap")?),
            "server" => server = Some(uri(&mut parser, "server")?),
            "seed" => seed = Some(number(&mut parser, "seed", 0..=u64::MAX)?),
            "lose" => lose = Some(number(&mut parser, "lose", 1..=usize::MAX)?),
            "lifetime" => lifetime = Some(number(&mut parser, "lifetime", 1..=u32::MAX)?),
            "run-for" => run_for = Some(number(&mut parser, "run-for", 1..=u32::MAX)?),
            "psk" => psk = Some(credentials(&value(&mut parser, "psk")?)?),
            other => return Err(format!("--{other}: there is no such option; --help lists them")),
        }
    }
    let real = bootstrap.is_some() || server.is_some();
    for (name, wants_real, given) in
        [("lose", false, lose.is_some()), ("lifetime", true, lifetime.is_some()), ("run-for", true, run_for.is_some())]
    {
        if given && wants_real && !real {
            return Err(format!("--{name}: this needs --bootstrap or --server"));
        }
        if given && !wants_real && real {
            return Err(format!("--{name}: this can't go with --bootstrap or --server"));
        }
    }
    if [&bootstrap, &server].into_iter().flatten().any(|uri| is_secure(uri)) && psk.is_none() {
        return Err("--psk: a coaps URI needs it".into());
    }
    // A name is short, and lives as long as the program.
    let endpoint: &'static str = Box::leak(endpoint.unwrap_or_else(|| ENDPOINT.into()).into_boxed_str());
    let name = EndpointName::parse(endpoint).map_err(|error| format!("--endpoint: {error}"))?;
    let mut keys = match (seed, real) {
        (None, true) => Keys::FromSystem,
        (seed, _) => Keys::Seeded(seed.unwrap_or(DEFAULT_SEED)),
    };
    let mode = if real {
        let run_for = run_for.map(|seconds| Duration::from_secs(seconds.into()));
        Mode::Udp { bootstrap, server, run_for }
    } else {
        Mode::Life { seed: seed.unwrap_or(DEFAULT_SEED), lose }
    };
    let identity = Identity { name, key: keys.next()?, lifetime: lifetime.unwrap_or(LIFETIME), confirmable };
    let credentials = psk.unwrap_or(Credentials::NoSec);
    Ok(Request::Run(Options { identity, keys, credentials, json, record, mode }))
}

/// The life in virtual time is the same every time, unless another seed is asked for.
const DEFAULT_SEED: u64 = 1;

fn value(parser: &mut lexopt::Parser, name: &str) -> Result<String, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    value.into_string().map_err(|_| format!("--{name}: the value is not UTF-8"))
}

/// `IDENTITY:HEXKEY`.
fn credentials(text: &str) -> Result<Credentials, String> {
    let bytes = |hex: &str| {
        let pairs = hex.as_bytes().chunks(2).map(|pair| core::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2));
        pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>()
    };
    let parts = text.rsplit_once(':').and_then(|(identity, key)| Some((identity.into(), bytes(key)?)));
    let (identity, key) = parts.ok_or("--psk: it is no IDENTITY:HEXKEY")?;
    Ok(Credentials::Psk { identity, key })
}

fn number<T: FromStr + PartialOrd + Display>(
    parser: &mut lexopt::Parser,
    name: &str,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    let text = value(parser, name)?;
    let wrong = || format!("--{name}: '{text}' is not a number from {} to {}", range.start(), range.end());
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(wrong)
}

fn uri(parser: &mut lexopt::Parser, name: &str) -> Result<String, String> {
    let text = value(parser, name)?;
    match Authority::parse(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("--{name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &str) -> Result<Request, String> {
        parse(lexopt::Parser::from_args(arguments.split_whitespace()))
    }

    #[test]
    fn the_life_is_what_happens_without_a_server() {
        let Ok(Request::Run(options)) = parsed("--lose 11 --seed 7") else { panic!("it is refused") };
        assert!(matches!(options.mode, Mode::Life { seed: 7, lose: Some(11) }));
        let Ok(Request::Run(options)) = parsed("--server coap://[::1] --run-for 60") else { panic!("it is refused") };
        let Mode::Udp { bootstrap: None, server: Some(_), run_for } = options.mode else { panic!("it is a life") };
        assert_eq!(run_for, Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_is_wrong_is_said_in_a_line_that_names_the_option() {
        for (arguments, complaint) in [
            ("--lose 0", "--lose: '0' is not a number from 1 to"),
            ("--lose 1 --server coap://a", "--lose: this can't go with --bootstrap or --server"),
            ("--run-for 60", "--run-for: this needs --bootstrap or --server"),
            ("--server http://a", "--server: http://a: the scheme is neither coap nor coaps"),
            ("--endpoint ;;;1.0", "--endpoint: "),
            ("--psk name", "--psk: it is no IDENTITY:HEXKEY"),
            ("--psk name:0", "--psk: it is no IDENTITY:HEXKEY"),
            ("--json=yes", ""),
            ("--jason", "--jason: there is no such option; --help lists them"),
            ("life", ""),
        ] {
            let said = parsed(arguments).err().unwrap_or_default();
            assert!(said.starts_with(complaint) && said.lines().count() == 1, "{arguments}: {said}");
        }
    }

    #[test]
    fn the_help_names_every_command_and_fits_a_screen() {
        assert!(crate::command::COMMANDS.split(", ").all(|command| HELP.contains(&format!("\n  {command}  "))));
        assert!(HELP.lines().all(|line| line.chars().count() <= crate::draw::WIDTH));
    }
}
