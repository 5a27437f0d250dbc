//! A terminal's whole life in virtual time, against the platform of the simulator. Each step is
//! checked on the platform's side: what counts is what the platform saw.

use core::time::Duration;
use std::io::Write;

use coap_codec::{Code, ContentFormat};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Answer, Direction, DmServer, Entry, Fate, Order, Response, Sim, What, WriteMode};
use lwm2m_core::{Event, Instant, Leave, Path};

use crate::args::Options;
use crate::complain;
use crate::terminal::{self, LIFETIME};
use crate::view::{Datagram, Passage, View};

/// Longer than any exchange takes, however many datagrams of it are lost: EXCHANGE_LIFETIME
/// (RFC 7252 section 4.8.2).
const EXCHANGE: Duration = Duration::from_secs(247);
const HOUR: Duration = Duration::from_secs(3600);

/// Where the simulator has its bootstrap server.
const BOOTSTRAP_SERVER: &str = "coap://bootstrap.example";

const DEVICE: Path = Path::instance(3, 0);
const BATTERY_LEVEL: Path = Path::resource(3, 0, 9);
const ERROR_CODE: Path = Path::resource(3, 0, 11);
const RESET_ERROR_CODE: Path = Path::resource(3, 0, 12);
const UTC_OFFSET: Path = Path::resource(3, 0, 14);

/// Lives the life, shows it, and says which step was wrong, if one was.
pub(crate) fn run(options: &Options, seed: u64, lose: Option<usize>) -> Result<(), String> {
    let title = "The life of a DM terminal, in virtual time. The platform, too, is inside this program.";
    let mut sim = Sim::new(terminal::config(&options.identity, Some(BOOTSTRAP_SERVER), None), terminal::device(), seed);
    let mut file = options.create_record()?;
    sim.record(file.is_some());
    if let Some(number) = lose {
        sim.network.lose_nth(number);
    }
    let view = View::new(options.json, title, true).map_err(|error| format!("cannot write: {error}"))?;
    let mut life = Life { sim, view, shown: 0, coming: Vec::new() };
    let outcome = life.live(options.identity.name.as_str());
    life.show()?;
    if let (Some(file), Some(record)) = (&mut file, life.sim.recorded()) {
        file.write_all(record.as_bytes()).map_err(|error| format!("--record: {error}"))?;
    }
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
    life.view.conclude(&word).map_err(|error| format!("cannot write: {error}"))
}

/// The world, and what of it was shown.
struct Life {
    sim: Sim<Device>,
    view: View,
    shown: usize,
    /// What was sent and is still on its way, by when it comes.
    coming: Vec<(Instant, Entry)>,
}

impl Life {
    /// The script.
    fn live(&mut self, name: &str) -> Result<(), String> {
        // 7.2, 7.3: bootstrap on the first network, then register.
        self.sim.network_up();
        self.wait("register", EXCHANGE * 2, |sim| sim.platform.servers[0].registration().is_some())?;
        // The Register may overtake the answer to the bootstrap's end.
        self.wait("bootstrap", EXCHANGE, |sim| sim.platform.bootstrap.finished() == 1)?;
        self.check("bootstrap", "a single request", self.sim.platform.bootstrap.requests_seen() == 1)?;
        let online = self.server().registration().cloned().ok_or("register: the platform has it OFFLINE")?;
        self.check("register", "the endpoint name", online.endpoint == name)?;
        self.check("register", "a lifetime of 86400 s", online.lifetime == LIFETIME)?;
        self.check(
            "register",
            "LwM2M 1.0 and binding U",
            (online.version.as_str(), online.binding.as_str()) == ("1.0", "U"),
        )?;
        // The link to the root says which formats are spoken.
        let links = online.links.iter().map(|link| link.target.as_str());
        let links: Vec<_> = links.filter(|target| *target != "/").collect();
        self.check("register", "links to /1/0 and /3/0, none to /0", links == ["/1/0", "/3/0"])?;
        self.wait("register", EXCHANGE, |sim| {
            sim.client.is_registered(sim.now(), sim.platform.servers[0].short_server_id)
        })?;

        // 6, group 3: the platform reads.
        self.pass(Duration::from_secs(10))?;
        let all = self.ask("read /3/0", Code::CONTENT, |server| server.read(DEVICE, Some(ContentFormat::LWM2M_TLV)))?;
        let known = all.tlv().is_some_and(|values| values.len() >= 10);
        self.check("read /3/0", "at least ten values of the Device object", known)?;
        let level = self
            .ask("read /3/0/9", Code::CONTENT, |server| server.read(BATTERY_LEVEL, Some(ContentFormat::TEXT_PLAIN)))?;
        self.check("read /3/0/9", "a battery level of 80 %", level.text() == "80")?;

        // 6, group 2: it observes, and is told of a change.
        self.pass(Duration::from_secs(10))?;
        let answer = self.sim.ask(0, |server| server.observe(BATTERY_LEVEL, Some(ContentFormat::TEXT_PLAIN)));
        let observation = answer.operation;
        let first = self.granted("observe /3/0/9", Code::CONTENT, answer)?;
        self.check(
            "observe /3/0/9",
            "the value of now, and an observation",
            (first.text(), first.observe.is_some()) == ("80", true),
        )?;
        for (level, count) in [("79", 1), ("42", 2)] {
            self.pass(Duration::from_secs(60))?;
            self.set(&format!("set /3/0/9 {level}"))?;
            let told = |sim: &Sim<Device>| sim.platform.servers[0].notifications(observation).len() >= count;
            self.wait("notify /3/0/9", EXCHANGE, told)?;
            let notifications = self.server().notifications(observation);
            let right = notifications.last().is_some_and(|told| told.response.text() == level);
            self.check("notify /3/0/9", "one notification, with the new value", right && notifications.len() == count)?;
        }
        self.pass(Duration::from_secs(10))?;
        let last = self.ask("stop observing /3/0/9", Code::CONTENT, |server| server.cancel(observation))?;
        self.check("stop observing /3/0/9", "the value, and no observation", last.observe.is_none())?;
        self.set("set /3/0/9 41")?;
        self.pass(Duration::from_secs(60))?;
        self.check(
            "stop observing /3/0/9",
            "no more notifications",
            self.server().notifications(observation).len() == 2,
        )?;

        // 6, group 3: it executes and writes.
        let read_error = |server: &mut DmServer| server.read(ERROR_CODE, Some(ContentFormat::LWM2M_TLV));
        let before = self.ask("read /3/0/11", Code::CONTENT, read_error)?;
        self.ask("execute /3/0/12", Code::CHANGED, |server| server.execute(RESET_ERROR_CODE, ""))?;
        let after = self.ask("read /3/0/11", Code::CONTENT, read_error)?;
        let reset = before.payload.last() == Some(&4) && after.payload.last() == Some(&0);
        self.check("execute /3/0/12", "error 4 before, none after", reset)?;
        let text = ContentFormat::TEXT_PLAIN;
        self.ask("write /3/0/14", Code::CHANGED, |server| {
            server.write(UTC_OFFSET, text, b"+09:00", WriteMode::Replace)
        })?;
        let offset = self.ask("read /3/0/14", Code::CONTENT, |server| server.read(UTC_OFFSET, Some(text)))?;
        self.check("write /3/0/14", "the value that was written", offset.text() == "+09:00")?;

        // 7.4: the Update, before the lifetime ends.
        let lifetime = Duration::from_secs(LIFETIME.into());
        self.wait("update", lifetime, |sim| sim.platform.servers[0].updates_seen() > 0)?;
        self.wait("update", EXCHANGE, |sim| sim.events().any(|(_, event)| matches!(event, Event::Updated { .. })))?;
        let same = self.server().registration().is_some_and(|now| now.location == online.location);
        let in_time = self.sim.now() < online.online_since + lifetime;
        self.check("update", "the same registration, ONLINE, before its lifetime ended", same && in_time)?;

        // 7.5: flight mode, de-registered; 7.3: and back, registered without a bootstrap.
        self.pass(HOUR)?;
        self.sim.enter_flight_mode();
        self.left("flight mode on", Leave::FlightMode, 1)?;
        self.sim.network_down();
        let silent_from = self.sim.network.counts().sent;
        self.pass(HOUR)?;
        self.check("flight mode on", "silence", self.sim.network.counts().sent == silent_from)?;
        self.sim.leave_flight_mode();
        self.sim.network_up();
        self.wait("flight mode off", EXCHANGE, |sim| {
            let online = sim.platform.servers[0].registration().is_some();
            online && sim.client.is_registered(sim.now(), sim.platform.servers[0].short_server_id)
        })?;
        let bootstraps = self.sim.platform.bootstrap.requests_seen();
        self.check("flight mode off", "no bootstrap", bootstraps == 1)?;
        self.check("flight mode off", "one more Register", self.server().registers_seen() == 2)?;

        // 7.5: power-off.
        self.pass(HOUR)?;
        self.sim.shutdown();
        self.left("shutdown", Leave::PowerOff, 2)?;
        self.pass(HOUR)?;
        match self.sim.platform.complaints().next() {
            Some((at, complaint)) => Err(format!("the platform complains: {complaint} (at {at})")),
            None => self.check("shutdown", "no event to be dropped", self.sim.client.dropped_events() == 0),
        }
    }

    fn server(&self) -> &DmServer {
        &self.sim.platform.servers[0]
    }

    fn check(&self, step: &str, expected: &str, good: bool) -> Result<(), String> {
        if good { Ok(()) } else { Err(format!("{step}: the step was not right: expected {expected}")) }
    }

    /// Runs until something is so.
    fn wait(&mut self, step: &str, limit: Duration, done: impl FnMut(&Sim<Device>) -> bool) -> Result<(), String> {
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
        operation: impl FnOnce(&mut DmServer) -> lwm2m_core::sim::OperationId,
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

    /// The device leaves: de-registered, the platform has it OFFLINE, and only then it may proceed.
    fn left(&mut self, step: &str, leave: Leave, times: usize) -> Result<(), String> {
        self.wait(step, EXCHANGE, |sim| sim.events().any(|(_, event)| event == Event::MayProceed(leave)))?;
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
            view.datagram(at, &Datagram { number: *number, out, peer: *peer, host, bytes, passage })?;
        }
        What::Event(event) => view.event(at, event)?,
        // It goes with what was changed, which says more.
        What::Command("notify") => {}
        What::Command(command) => view.command(at, command),
        What::Order(Order::Connect { uri, .. }) => view.order(at, &format!("asks for a way to {uri}")),
        _ => {}
    }
    Ok(())
}
