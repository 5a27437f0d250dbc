//! The command line: what it may say, and one clear line for what it may not.

use core::fmt::Display;
use core::ops::RangeInclusive;
use core::str::FromStr;
use core::time::Duration;
use std::path::PathBuf;

use endpoint_name::EndpointName;
use lexopt::prelude::*;
use lwm2m_core::Credentials;

use crate::files::{Files, Paths};
use crate::keys::Keys;
use crate::terminal::{ENDPOINT, Identity, LIFETIME, is_secure};
use crate::uri::{self, Authority};

/// What `--help` prints.
const HELP: &str = "\
A China Mobile DM terminal (LwM2M 1.0 over CoAP): to see one live, and to try servers with.

Try it
  dm_terminal                             a whole life, each message of it, without a network
  dm_terminal --lose 11                   the same, but its 11th datagram, the Register, is lost
  dm_terminal --lose 11 --chart life.svg  that life as a picture besides, for any browser
  dm_terminal --pcap life.pcapng          its datagrams for Wireshark, or for tshark -r life.pcapng
  dm_terminal --server coap://127.0.0.1   on the real network, until 'quit' or Ctrl-C
  dm_terminal --server coap://127.0.0.1 --run-for 60 --json | jq .event
                                          for a minute, and for programs
  With cargo: cargo run --release --example dm_terminal -- --lose 11

In virtual time: dm_terminal [OPTIONS] [--lose N]
  More than a day passes in a moment, against a platform inside this program.
  Exit code 0: every step was right; 1: one was not, and a line on standard error says which.

On UDP and the real clock: dm_terminal [OPTIONS] --server URI | --bootstrap URI
  It lives until 'quit', Ctrl-C or the end of its time; then it de-registers and waits for the
  answer, 5 s at most. A second Ctrl-C ends it at once.
  Exit code 0: it was registered and has left; 1: it never was, or could not take its leave.

Options
  --json               one JSON object a line instead of the ladder
  --chart FILE         draws the ladder as SVG, when the run is over
  --rows FIRST-LAST    the datagrams that are in it, by their number (all)
  --pcap FILE          writes what is sent and received as pcapng, deciphered if it was DTLS; for a
                       server on another port than 5683: tshark -d udp.port==PORT,coap -r FILE
  --record FILE        writes what goes in and comes out; 'replay FILE' checks that it is reproduced
  --endpoint NAME      its name, IMEI;IMSI;CMEI;A.B ('490154203237518;460001234567890;;1.0')
  --seed N             its random numbers, to have the same again (otherwise from the system)
  --non-confirmable    notifications want no acknowledgement (NON), but for one a day
  --help, --version    this text; the version
In virtual time
  --lose N             the network loses the Nth datagram of the life
On UDP
  --server URI         the server to register with, coap://HOST[:PORT]
  --bootstrap URI      the bootstrap server; it names the server to go on with. With --server, too:
                       that one is for when the bootstrap fails
  --psk ID:HEXKEY      identity and key for a coaps URI, where it was built with DTLS
  --port N             sends from this port, or from the next that is free (one of the system's)
  --lifetime SECONDS   the registration's lifetime, where the bootstrap server gives none (86400)
  --run-for SECONDS    leaves after this time, and at once when the platform refuses it (4.00, 4.01,
                       4.03, 4.12) before it ever was registered; otherwise it would try again later

Commands on standard input, a line each, on UDP
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

On a screen it is coloured, unless NO_COLOR is set; in a pipe it is not.
Exit code 2: the command line is wrong, or a file of it cannot be written.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// To print this and end.
    Print(String),
    /// To run.
    Run(Box<Options>),
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
    paths: Paths,
    /// The datagrams that a chart has.
    pub(crate) rows: RangeInclusive<usize>,
    pub(crate) mode: Mode,
}

impl Options {
    /// The files that are wanted.
    pub(crate) fn files(&self) -> Result<Files, String> {
        self.paths.create()
    }
}

/// Where the terminal lives.
#[derive(Debug)]
pub(crate) enum Mode {
    /// In virtual time.
    Life { seed: u64, lose: Option<usize> },
    /// On a real network.
    Udp(Network),
}

/// Whom it knows on a real network, and how it gets there.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) bootstrap: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) run_for: Option<Duration>,
    /// The port to send from.
    pub(crate) port: Option<u16>,
}

/// Reads the command line. The error is one line.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Request, String> {
    let (mut json, mut paths, mut rows, mut seed) = (false, Paths::default(), None, None);
    let (mut lose, mut run_for, mut lifetime, mut port) = (None, None, None, None);
    let (mut bootstrap, mut server, mut endpoint, mut psk) = (None, None, None, None);
    let mut confirmable = true;
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
            "record" => paths.record = Some(path(&mut parser)?),
            "chart" => paths.chart = Some(path(&mut parser)?),
            "pcap" => paths.capture = Some(path(&mut parser)?),
            "rows" => rows = Some(range(&value(&mut parser, "rows")?)?),
            "endpoint" => endpoint = Some(value(&mut parser, "endpoint")?),
            "bootstrap" => bootstrap = Some(uri(&mut parser, "bootstrap")?),
            "server" => server = Some(uri(&mut parser, "server")?),
            "seed" => seed = Some(number(&mut parser, "seed", 0..=u64::MAX)?),
            "lose" => lose = Some(number(&mut parser, "lose", 1..=usize::MAX)?),
            "lifetime" => lifetime = Some(number(&mut parser, "lifetime", 1..=u32::MAX)?),
            "run-for" => run_for = Some(number(&mut parser, "run-for", 1..=u32::MAX)?),
            "port" => port = Some(number(&mut parser, "port", 1..=u16::MAX)?),
            "psk" => psk = Some(credentials(&value(&mut parser, "psk")?)?),
            other => return Err(format!("--{other}: there is no such option; --help lists them")),
        }
    }
    let real = bootstrap.is_some() || server.is_some();
    for (name, wants_real, given) in [
        ("lose", false, lose.is_some()),
        ("lifetime", true, lifetime.is_some()),
        ("run-for", true, run_for.is_some()),
        ("port", true, port.is_some()),
    ] {
        if given && wants_real && !real {
            return Err(format!("--{name}: this needs --bootstrap or --server"));
        }
        if given && !wants_real && real {
            return Err(format!("--{name}: this can't go with --bootstrap or --server"));
        }
    }
    if rows.is_some() && paths.chart.is_none() {
        return Err("--rows: this needs --chart".into());
    }
    if [&bootstrap, &server].into_iter().flatten().any(|uri| is_secure(uri)) && psk.is_none() {
        return Err("--psk: a coaps URI needs it".into());
    }
    if let Some(port) = port {
        uri::is_free(port)
            .map_err(|error| format!("--port: {port}: {error}; take another, or leave it to the system"))?;
    }
    // A name is short, and lives as long as the program.
    let endpoint: &'static str = Box::leak(endpoint.unwrap_or_else(|| ENDPOINT.into()).into_boxed_str());
    let name = EndpointName::parse(endpoint).map_err(|error| {
        format!("--endpoint: {error}; it is IMEI;IMSI;CMEI;A.B, and a shell wants quotes around it")
    })?;
    let mut keys = match (seed, real) {
        (None, true) => Keys::FromSystem,
        (seed, _) => Keys::Seeded(seed.unwrap_or(DEFAULT_SEED)),
    };
    let mode = if real {
        let run_for = run_for.map(|seconds| Duration::from_secs(seconds.into()));
        Mode::Udp(Network { bootstrap, server, run_for, port })
    } else {
        Mode::Life { seed: seed.unwrap_or(DEFAULT_SEED), lose }
    };
    let identity = Identity { name, key: keys.next()?, lifetime: lifetime.unwrap_or(LIFETIME), confirmable };
    let (credentials, rows) = (psk.unwrap_or(Credentials::NoSec), rows.unwrap_or(1..=usize::MAX));
    Ok(Request::Run(Box::new(Options { identity, keys, credentials, json, paths, rows, mode })))
}

/// The life in virtual time is the same every time, unless another seed is asked for.
const DEFAULT_SEED: u64 = 1;

fn value(parser: &mut lexopt::Parser, name: &str) -> Result<String, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    value.into_string().map_err(|_| format!("--{name}: the value is not UTF-8"))
}

fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, String> {
    parser.value().map(PathBuf::from).map_err(|error| error.to_string())
}

/// `FIRST-LAST`.
fn range(text: &str) -> Result<RangeInclusive<usize>, String> {
    let ends = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let range = ends.map(|(first, last)| first..=last).filter(|range: &RangeInclusive<usize>| !range.is_empty());
    range.ok_or_else(|| format!("--rows: '{text}' is no FIRST-LAST, as 1-27"))
}

/// `IDENTITY:HEXKEY`.
fn credentials(text: &str) -> Result<Credentials, String> {
    let bytes = |hex: &str| {
        let pairs = hex.as_bytes().chunks(2).map(|pair| core::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2));
        pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>()
    };
    let parts = text.rsplit_once(':').and_then(|(identity, key)| Some((identity.into(), bytes(key)?)));
    let (identity, key) = parts.ok_or("--psk: it is no IDENTITY:HEXKEY, as me:0123abcd")?;
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
        let Mode::Udp(Network { bootstrap: None, server: Some(_), run_for, port: None }) = options.mode else {
            panic!("it is a life")
        };
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
            ("--endpoint 490154203237518", "--endpoint: "),
            ("--rows 1-9", "--rows: this needs --chart"),
            ("--chart x --rows 9-1", "--rows: '9-1' is no FIRST-LAST, as 1-27"),
            ("--port 70000 --server coap://a", "--port: '70000' is not a number from 1 to 65535"),
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
    fn a_port_that_another_has_is_said_at_once() {
        let other = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let said = parsed(&format!("--server coap://127.0.0.1 --port {port}")).err().unwrap_or_default();
        assert!(said.starts_with(&format!("--port: {port}: ")) && said.ends_with("leave it to the system"), "{said}");
    }

    #[test]
    fn the_help_names_every_command_and_fits_a_screen() {
        assert!(crate::command::COMMANDS.split(", ").all(|command| HELP.contains(&format!("\n  {command}  "))));
        assert!(HELP.lines().all(|line| line.chars().count() <= crate::draw::WIDTH));
    }
}
