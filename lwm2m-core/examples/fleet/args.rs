//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::fleet::{Fleet, Plan};
use crate::life::{HOUR, SECOND};
use crate::platform::Restart;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
fleet [--devices N] [--hours H]
    Lives with N terminals (100000) and their platform through H hours (72) of virtual time: they are
    powered on in the first hour, bootstrap, register, update, fly, lose the network, and see the
    platform start again without its registrations. A summary says what it took.

    --seed N           another fleet (1)
    --lifetime S       of a registration, in seconds (86400)
    --no-spread        the first Update after a Register comes as late as every other one
    --outages N        of a terminal in ten days: flights, and losses of the network (3)
    --lose N           of a thousand datagrams (10)
    --restart HOUR     when the platform starts again (in the middle); never with 0
    --down S           how long it is down then, in seconds (60)
    --chart FILE       draws arrivals over time as SVG, of this fleet and of one without the spread
    --resident         keeps whole clients in memory, and not their snapshots
    --shard K/N        only each Nth terminal, beginning with the Kth
    --bins FILE        writes the arrivals of each 100 s down
    --join FILE...     adds such files up, of all shards; the other options are those of the shards
    --quiet            no progress bar
    --help, --version  this text; the version

fleet --against coap://HOST:PORT [--devices N]
    Registers N terminals (100; 10000 at most) with a real server, each from a socket of its own, and
    leaves again with a De-register each.

    --rate N           terminals that register, and later leave, in a second (100)
    --run-for S        how long they stay (60)
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Request {
    Print(&'static str),
    Live(Args),
    Against(Target),
}

/// A fleet in virtual time.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) plan: Plan,
    pub(crate) chart: Option<PathBuf>,
    pub(crate) bins: Option<PathBuf>,
    pub(crate) join: Vec<PathBuf>,
    pub(crate) quiet: bool,
}

/// A fleet that meets a real server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) uri: String,
    pub(crate) devices: u32,
    pub(crate) seed: u64,
    pub(crate) lifetime: u32,
    pub(crate) rate: u32,
    pub(crate) seconds: u64,
    pub(crate) quiet: bool,
}

/// The most sockets that a fleet opens.
const SOCKETS: u32 = 10_000;

/// So many hours fit into 32 bits of milliseconds, with a lifetime of a day after them.
const LONGEST: u64 = 1_000;

pub(crate) fn request(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    read(arguments).map_err(|error| format!("{error}; --help says how to use it"))
}

fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, lexopt::Error> {
    let mut plan = Plan::default();
    let (mut devices, mut restart, mut down) = (None, None, 60);
    let (mut chart, mut bins, mut join, mut quiet) = (None, None, Vec::new(), false);
    let (mut against, mut rate, mut seconds) = (None, 100, 60);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Request::Print(HELP)),
            Long("version") => return Ok(Request::Print(concat!("fleet ", env!("CARGO_PKG_VERSION"), "\n"))),
            Long("devices") => devices = Some(parser.value()?.parse_with(|text| number(text, Fleet::LARGEST))?),
            Long("hours") => plan.hours = parser.value()?.parse_with(|text| number(text, LONGEST))?,
            Long("seed") => plan.seed = parser.value()?.parse()?,
            Long("lifetime") => plan.lifetime = parser.value()?.parse_with(|text| number(text, 86_400))?,
            Long("no-spread") => plan.spread = false,
            Long("outages") => plan.outages = parser.value()?.parse_with(|text| number(text, 240))?,
            Long("lose") => plan.losses = parser.value()?.parse()?,
            Long("restart") => restart = Some(parser.value()?.parse::<u64>()?),
            Long("down") => down = parser.value()?.parse_with(|text| number(text, 86_400))?,
            Long("chart") => chart = Some(parser.value()?.into()),
            Long("resident") => plan.resident = true,
            Long("shard") => plan.shard = parser.value()?.parse_with(shard)?,
            Long("bins") => bins = Some(parser.value()?.into()),
            Long("join") => join = parser.values()?.map(PathBuf::from).collect(),
            Long("quiet") => quiet = true,
            Long("against") => against = Some(parser.value()?.string()?),
            Long("rate") => rate = parser.value()?.parse_with(|text| number(text, SOCKETS))?,
            Long("run-for") => seconds = parser.value()?.parse()?,
            other => return Err(other.unexpected()),
        }
    }
    if let Some(uri) = against {
        let devices = devices.unwrap_or(100).min(SOCKETS);
        let (seed, lifetime) = (plan.seed, plan.lifetime);
        return Ok(Request::Against(Target { uri, devices, seed, lifetime, rate, seconds, quiet }));
    }
    plan.devices = devices.unwrap_or(plan.devices);
    let from = restart.map_or(plan.hours * HOUR / 2, |hour| hour * HOUR);
    plan.restart = (from > 0).then_some(Restart { from, until: from + down * SECOND });
    Ok(Request::Live(Args { plan, chart, bins, join, quiet }))
}

/// A number from 1 to `most`.
fn number<T: TryFrom<u64> + Into<u64>>(text: &str, most: T) -> Result<T, String> {
    let most = most.into();
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.and_then(|number| number.try_into().ok()).ok_or_else(|| format!("'{text}' is no number from 1 to {most}"))
}

fn shard(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('/').and_then(|(own, all)| Some((own.parse().ok()?, all.parse().ok()?)));
    parts.filter(|(own, all)| (1..=*all).contains(own)).ok_or_else(|| format!("'{text}' is no shard like 1/4"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(line: &str) -> Result<Args, String> {
        match request(line.split_whitespace().map(OsString::from)) {
            Ok(Request::Live(args)) => Ok(args),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn the_command_line_is_read_or_refused() {
        let args = live("--devices 5 --hours 10 --shard 2/3 --no-spread --down 5").unwrap();
        let restart = Some(Restart { from: 5 * HOUR, until: 5 * HOUR + 5_000 });
        let plan = Plan { devices: 5, hours: 10, shard: (2, 3), spread: false, restart, ..Plan::default() };
        assert_eq!(args.plan, plan);
        assert_eq!(live("--restart 0").unwrap().plan.restart, None);
        assert_eq!(live("--join a b --quiet").unwrap().join, [PathBuf::from("a"), PathBuf::from("b")]);
        for line in [
            "--devices 0",
            "--hours 1001",
            "--shard 0/2",
            "--shard 3/2",
            "--shard x",
            "--restart",
            "--lose -1",
            "extra",
        ] {
            assert!(live(line).is_err_and(|complaint| complaint.contains("--help")), "{line}");
        }
    }

    #[test]
    fn a_fleet_against_a_server_has_a_bound() {
        let line = "--against coap://127.0.0.1:5683 --devices 20000 --rate 50";
        let target = match request(line.split(' ').map(OsString::from)) {
            Ok(Request::Against(target)) => target,
            other => panic!("{other:?}"),
        };
        assert_eq!((target.devices, target.rate, target.seconds), (SOCKETS, 50, 60));
    }
}
