//! A terminal's whole life in virtual time, against the platform of the simulator. Each step is
//! checked on the platform's side: what counts is what the platform saw.

mod script;

use core::time::Duration;
use std::io::Write;

use coap_codec::Code;
use lwm2m_core::sim::{Answer, Direction, DmServer, Entry, Fate, OperationId, Order, Response, Sim, What};
use lwm2m_core::{Event, Instant, Leave};

use crate::args::Options;
use crate::complain;
use crate::files::Files;
use crate::terminal::{self, Errand, Objects};
use crate::view::{Datagram, Passage, View};

/// Longer than any exchange takes, however many datagrams of it are lost: EXCHANGE_LIFETIME
/// (RFC 7252 section 4.8.2).
const EXCHANGE: Duration = Duration::from_secs(247);

/// Where the simulator has its bootstrap server.
const BOOTSTRAP_SERVER: &str = "coap://bootstrap.example";

/// 2026-01-01T00:00:00Z, as the Device object has it.
const BEGIN: Duration = Duration::from_secs(1_767_225_600);

const TITLE: &str = "The life of a DM terminal, in virtual time. The platform, too, is inside this program.";

/// Lives the life, shows it, and says which step was wrong, if one was.
pub(crate) fn run(options: &Options, mut files: Files, seed: u64, lose: Option<usize>) -> Result<(), String> {
    let mut file = files.record.take();
    let view = View::new(options, files, BEGIN, TITLE, true).map_err(|error| format!("cannot write: {error}"))?;
    let mut life = Life::new(options, seed, lose, view);
    life.sim.record(file.is_some());
    let outcome = life.live(options.identity.name.as_str());
    life.show()?;
    if let (Some(file), Some(record)) = (&mut file, life.sim.recorded()) {
        file.write_all(record.as_bytes()).map_err(|error| format!("--record: {error}"))?;
    }
    life.view.finish()?;
    outcome?;
    let counts = life.sim.network.counts();
    let (datagrams, time) = (counts.sent, crate::draw::span(life.sim.now().saturating_duration_since(Instant::ZERO)));
    let loss = match lose {
        None => ": ".into(),
        Some(number) if number <= datagrams => format!(", although datagram {number} was lost: "),
        Some(number) => {
            // Without a ladder there is no last word, but whoever asked for a loss must hear of it.
            if !life.view.is_ladder() {
                complain(format!("--lose {number}: nothing was lost, since the life has only {datagrams} datagrams"));
            }
            format!(", but nothing was lost: there is no datagram {number}.\n")
        }
    };
    let word = format!("Every step was right{loss}{datagrams} datagrams in {time} of virtual time.");
    let word = format!("{word}\n{}", crate::counted::sentence(&life.sim.statistics()));
    life.view.conclude(word.trim_end()).map_err(|error| format!("cannot write: {error}"))
}

/// The world, and what of it was shown.
struct Life {
    sim: Sim<Objects>,
    view: View,
    shown: usize,
    /// What was sent and is still on its way, by when it comes.
    coming: Vec<(Instant, Entry)>,
}

impl Life {
    fn new(options: &Options, seed: u64, lose: Option<usize>, view: View) -> Self {
        let config = terminal::config(&options.identity, &options.credentials, Some(BOOTSTRAP_SERVER), None);
        let mut sim = Sim::new(config, terminal::objects(), seed);
        if let Some(number) = lose {
            sim.network.lose_nth(number);
        }
        Self { sim, view, shown: 0, coming: Vec::new() }
    }

    fn server(&self) -> &DmServer {
        &self.sim.platform.servers[0]
    }

    fn check(&self, step: &str, expected: &str, good: bool) -> Result<(), String> {
        if good { Ok(()) } else { Err(format!("{step}: the step was not right: expected {expected}")) }
    }

    /// Runs until something is so.
    fn wait(&mut self, step: &str, limit: Duration, done: impl FnMut(&Sim<Objects>) -> bool) -> Result<(), String> {
        let good = self.sim.run_until(limit, done);
        self.show()?;
        self.check(step, &format!("it to be done within {} s", limit.as_secs()), good)
    }

    fn pass(&mut self, time: Duration) -> Result<(), String> {
        self.sim.run_for(time);
        self.show()
    }

    /// The device's own change of a value.
    fn set(&mut self, command: &str) -> Result<(), String> {
        let path = terminal::set(&mut self.sim.model, command)?;
        self.view.command(self.sim.now(), command);
        self.sim.note(command);
        self.sim.notify(path);
        self.show()
    }

    /// An operation of the server, and its answer.
    fn ask(
        &mut self,
        step: &str,
        code: Code,
        operation: impl FnOnce(&mut DmServer) -> OperationId,
    ) -> Result<Response, String> {
        let answer = self.sim.ask(0, operation);
        self.granted(step, code, answer)
    }

    fn granted(&mut self, step: &str, code: Code, answer: Answer) -> Result<Response, String> {
        self.show()?;
        match answer.result {
            Ok(response) if response.code == code => Ok(response),
            Ok(response) => Err(format!("{step}: expected {code:?}, got {:?}", response.code)),
            Err(reason) => Err(format!("{step}: no answer: {reason:?}")),
        }
    }

    /// What the server asked of the device goes on as an errand of the device's own.
    fn errand(&mut self, step: &str, expected: &Errand) -> Result<(), String> {
        let errand = Errand::take(&mut self.sim.model);
        self.check(step, "the device to be asked for it", errand.as_ref() == Some(expected))?;
        self.view.errand(self.sim.now(), expected).map_err(|error| format!("cannot write: {error}"))?;
        self.show()
    }

    /// The device is off, and starts again: a new client, which knows nothing of the one before.
    fn start_again(&mut self, how: &str) -> Result<(), String> {
        terminal::happen(&mut self.sim.model, how);
        self.sim.note(how);
        self.sim.reboot();
        self.show()
    }

    /// The device leaves: de-registered, the platform has it OFFLINE, and only then it may proceed.
    fn left(&mut self, step: &str, leave: Leave, times: usize) -> Result<(), String> {
        let left = |event: &Event| matches!(event, Event::MayProceed(_));
        self.wait(step, EXCHANGE, |sim| sim.events().filter(|(_, event)| left(event)).count() == times)?;
        let last = self.sim.events().map(|(_, event)| event).filter(left).last();
        self.check(step, "the device to be allowed to go on", last == Some(Event::MayProceed(leave)))?;
        self.check(step, "the platform to have it OFFLINE", self.server().registration().is_none())?;
        self.check(step, "a De-register", self.server().deregisters_seen() == times)?;
        let confirmed = |event: &Event| matches!(event, Event::Deregistered { unconfirmed: None, .. });
        let count = self.sim.events().filter(|(_, event)| confirmed(event)).count();
        self.check(step, "the De-register to be confirmed", count == times)
    }

    /// Shows what happened since it was shown last. A datagram of the platform is shown when it
    /// comes to the terminal, as a real terminal would see it.
    fn show(&mut self) -> Result<(), String> {
        for entry in self.sim.trace.entries.iter().skip(self.shown) {
            let at = match &entry.what {
                What::Datagram { dir: Direction::ToDevice, arrives_at: Some(arrival), .. } => *arrival,
                _ => entry.at,
            };
            self.coming.push((at, entry.clone()));
        }
        self.shown = self.sim.trace.entries.len();
        self.coming.sort_by_key(|(at, _)| *at);
        let now = self.sim.now();
        let due = self.coming.partition_point(|(at, _)| *at <= now);
        for (at, entry) in self.coming.drain(..due) {
            tell(&mut self.view, at, &entry.what).map_err(|error| format!("cannot write: {error}"))?;
        }
        self.view.settle().map_err(|error| format!("cannot write: {error}"))
    }
}

fn tell(view: &mut View, at: Instant, what: &What) -> std::io::Result<()> {
    match what {
        What::Datagram { number, dir, host, peer, bytes, fate, .. } => {
            let passage = match fate {
                Fate::Lost => Passage::Stopped("lost".into()),
                Fate::Blocked => Passage::Stopped("there is no way".into()),
                Fate::Astray => Passage::Stopped("nobody expects it".into()),
                _ => Passage::Arrives,
            };
            let out = *dir == Direction::ToServer;
            view.datagram(at, &Datagram { number: *number, out, peer: *peer, host, ends: None, bytes, passage })?;
        }
        What::Event(event) => view.event(at, event)?,
        // It goes with what was changed, which says more.
        What::Command("notify") => {}
        What::Command("power cut") => view.command(at, "restart"),
        What::Command(command) => view.command(at, command),
        What::Order(Order::Connect { uri, .. }) => view.order(at, &format!("asks for a way to {uri}")),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{self, Request};

    /// The picture of a life in which the network loses the Register.
    fn drawn(rows: core::ops::RangeInclusive<usize>) -> String {
        let Ok(Request::Run(options)) = args::parse(lexopt::Parser::from_args([""; 0])) else { panic!("no options") };
        let mut life = Life::new(&options, 1, Some(11), View::of_chart(TITLE, rows));
        life.live(options.identity.name.as_str()).unwrap();
        life.show().unwrap();
        life.view.picture()
    }

    #[test]
    fn the_picture_in_the_docs_is_what_is_drawn() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ladder.svg");
        let write = "cargo run --example dm_terminal -- --lose 11 --rows 1-23 --chart docs/ladder.svg";
        assert!(std::fs::read_to_string(path).unwrap_or_default() == drawn(1..=23), "another: {write}");
    }

    #[test]
    fn each_datagram_of_a_life_is_drawn_once_or_stands_for_others() {
        let picture = drawn(1..=usize::MAX);
        let arrows = picture.matches("<path class=\"way ").count();
        // 125 of them; a cross more for the lost one; 26 fewer for the blocks of firmware that stand together.
        assert_eq!(arrows, 125 + 1 - 26);
        for (mark, count) in
            [("✗ lost<", 1), ("↻ again, 2nd time", 1), ("22 h 47 min later", 1), ("13 more blocks (no. 71 to 97)", 1)]
        {
            assert_eq!(picture.matches(mark).count(), count, "{mark}");
        }
        assert_eq!(picture, drawn(1..=usize::MAX), "the same life again");
        let count = |tag: String| picture.matches(&tag).count();
        for tag in ["g", "text", "tspan", "title"] {
            assert_eq!(count(format!("<{tag}>")) + count(format!("<{tag} ")), count(format!("</{tag}>")), "{tag}");
        }
    }
}
