//! The ladder of messages: a row for each datagram, event and remark, and nothing that is not one.

use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, Write};

use coap_codec::Message;
use lwm2m_core::{Event, Instant, Leave, Peer};

use crate::decode::Decoder;
use crate::draw::{BOOTSTRAP, LANES, Mark, SERVER, lanes, span, time, wrap};
use crate::json::who;
use crate::phase::{self, Phases};
use crate::view::{Datagram, Passage};

/// Columns of a line.
const WIDTH: usize = 110;
/// Where texts begin: after number, time and drawing; and after type, id and token.
const TEXT: usize = 3 + 1 + 15 + LANES;
const SAYING: usize = TEXT + 15;
/// Lines that a payload may fill.
const PAYLOAD_LINES: usize = 9;
/// For so long an equal datagram is a repetition (RFC 7252 section 4.8.2: EXCHANGE_LIFETIME).
const REPEATS: Duration = Duration::from_secs(247);
/// A pause that is worth a row.
const PAUSE: Duration = Duration::from_secs(60);

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

/// Draws a run.
#[derive(Debug)]
pub(crate) struct Ladder {
    colour: bool,
    decoder: Decoder,
    phases: Phases,
    /// Sessions with the bootstrap server, and its host.
    bootstraps: Vec<(Option<Peer>, String)>,
    /// What was sent lately, to tell repetitions: when, which way, what, how often.
    recent: VecDeque<(Instant, bool, Vec<u8>, usize)>,
    last: Option<Instant>,
    /// The line above is blank.
    fresh: bool,
    /// Remarks wait for the heading that they may belong under.
    held: Vec<(Instant, char, String)>,
}

impl Ladder {
    pub(crate) fn new(colour: bool) -> Self {
        Self {
            colour,
            decoder: Decoder::default(),
            phases: Phases::default(),
            bootstraps: Vec::new(),
            recent: VecDeque::new(),
            last: None,
            fresh: true,
            held: Vec::new(),
        }
    }

    /// How to read what follows.
    pub(crate) fn legend(&self, out: &mut dyn Write, title: &str) -> io::Result<()> {
        writeln!(out, "{}\n", self.paint(BOLD, title))?;
        out.write_all(
            "\
 How to read it: time goes down, as the terminal's clock has it. A row with a number is a datagram.
   ├────▶   a datagram, from its sender to its receiver;  ├──✗ lost on the way;  ↻ the same bytes again
   ●        what the client tells the device that it runs in;  ◇ what the device tells the client
   CON      wants an acknowledgement, and is sent again until one comes;  NON wants none
   ACK      the acknowledgement, mostly with the answer in it;  RST rejects a message
   id       the message's number; an ACK has that of its CON
   token    the question's mark; its answer has the same (the first digits of it)
   GET reads, PUT writes, POST creates or executes, DELETE deletes;  2.xx is done, 4.xx refused, 5.xx failed
   /3/0/9   object 3 (Device), its instance 0, resource 9 (Battery Level);  0 is Security, 1 is Server
   TLV      a binary list of values, shown as number, name = value

"
            .as_bytes(),
        )?;
        out.flush()
    }

    pub(crate) fn datagram(&mut self, out: &mut dyn Write, at: Instant, datagram: &Datagram<'_>) -> io::Result<()> {
        let is_known = |(peer, host): &(Option<Peer>, String)| match datagram.peer {
            Some(_) => *peer == datagram.peer,
            None => host == datagram.host,
        };
        let mut bootstrap = self.bootstraps.iter().any(is_known);
        let begun =
            Message::parse(datagram.bytes).ok().and_then(|message| phase::begun_by(&message, datagram.out, bootstrap));
        if datagram.out && begun == Some(phase::Phase::Bootstrap) && !bootstrap {
            self.bootstraps.push((datagram.peer, datagram.host.into()));
            bootstrap = true;
        }
        let times = self.times_seen(at, datagram);
        // A repetition may come late, in the midst of another flow.
        if let Some((title, sentence)) = begun.filter(|_| times == 1).and_then(|begun| self.phases.enter(begun)) {
            self.heading(out, title, sentence)?;
        }
        self.settle(out)?;

        let mut saying = self.decoder.read(datagram.bytes);
        let stopped = match &datagram.passage {
            Passage::Arrives => false,
            Passage::Stopped(why) => {
                saying.text.push(format!("  ✗ {why}"));
                true
            }
        };
        let mut colour = if stopped { RED } else { "" };
        if times > 1 {
            let nth = ["2nd", "3rd"].get(times - 2).map_or_else(|| format!("{times}th"), ToString::to_string);
            saying.text.push(format!("  ↻ again, {nth} time"));
            colour = if stopped { RED } else { YELLOW };
        }
        let head = format!("{:3} {:4} {:4}  ", saying.kind, saying.id, saying.token);
        let mut lines = wrap(&saying.text, WIDTH - SAYING);
        // Said once is enough.
        if times == 1 && !saying.payload.is_empty() {
            let mut payload = wrap(&saying.payload, WIDTH - SAYING - 2);
            if payload.len() > PAYLOAD_LINES {
                payload.truncate(PAYLOAD_LINES - 1);
                payload.push(format!("… (a datagram of {} bytes)", datagram.bytes.len()));
            }
            lines.extend(payload.into_iter().map(|line| format!("  {line}")));
        }
        let other = if bootstrap { BOOTSTRAP } else { SERVER };
        let mark = Mark::Arrow { other, out: datagram.out, stopped };
        let number = datagram.number.to_string();
        for (index, line) in lines.iter().enumerate() {
            if index == 0 {
                self.row(out, &number, Some(at), &mark, colour, &format!("{head}{line}"))?;
            } else {
                self.row(out, "", None, &Mark::At('│'), colour, &format!("{:15}{line}", ""))?;
            }
        }
        out.flush()
    }

    pub(crate) fn event(&mut self, out: &mut dyn Write, at: Instant, event: &Event, location: &str) -> io::Result<()> {
        self.settle(out)?;
        let failed = matches!(
            event,
            Event::BootstrapFailed { .. }
                | Event::RegistrationFailed { .. }
                | Event::UpdateFailed { .. }
                | Event::Deregistered { unconfirmed: Some(_), .. }
                | Event::Diagnostic(_)
        );
        self.lines(out, at, '●', if failed { RED } else { GREEN }, &tell(event, location))?;
        out.flush()
    }

    /// Something besides; it stands under the heading that the next datagram may have.
    pub(crate) fn remark(&mut self, at: Instant, by_client: bool, text: &str) {
        self.held.push((at, if by_client { '●' } else { '◇' }, text.into()));
    }

    pub(crate) fn settle(&mut self, out: &mut dyn Write) -> io::Result<()> {
        for (at, mark, text) in core::mem::take(&mut self.held) {
            self.lines(out, at, mark, "", &text)?;
        }
        out.flush()
    }

    /// How often this datagram was sent by now. Each one is remembered for as long as it may come again.
    fn times_seen(&mut self, at: Instant, datagram: &Datagram<'_>) -> usize {
        while self.recent.front().is_some_and(|(sent, ..)| *sent + REPEATS < at) {
            self.recent.pop_front();
        }
        let known = self.recent.iter_mut().find(|(_, out, bytes, _)| *out == datagram.out && bytes == datagram.bytes);
        if let Some((_, _, _, times)) = known {
            *times += 1;
            return *times;
        }
        self.recent.push_back((at, datagram.out, datagram.bytes.to_vec(), 1));
        1
    }

    fn heading(&mut self, out: &mut dyn Write, title: &str, sentence: Option<&str>) -> io::Result<()> {
        let rule = "─".repeat(WIDTH.saturating_sub(title.chars().count() + 4));
        if !core::mem::replace(&mut self.fresh, true) {
            writeln!(out)?;
        }
        writeln!(out, "{}", self.paint(BOLD, &format!("── {title} {rule}")))?;
        let words: Vec<String> = sentence.unwrap_or_default().split_inclusive(' ').map(str::to_string).collect();
        for line in wrap(&words, WIDTH - 1).iter().filter(|line| !line.is_empty()) {
            writeln!(out, " {line}")?;
        }
        let columns =
            format!("{:3} {:15}{:LANES$}{:5}{:5}token", "no.", "time", "terminal  bootstrap  server", "", "id");
        writeln!(out, "{}", self.paint(DIM, &columns))
    }

    /// Rows of a text without a datagram.
    fn lines(&mut self, out: &mut dyn Write, at: Instant, mark: char, colour: &str, text: &str) -> io::Result<()> {
        let words: Vec<String> = text.split_inclusive(' ').map(str::to_string).collect();
        for (index, line) in wrap(&words, WIDTH - TEXT).iter().enumerate() {
            let first = index == 0;
            let mark = Mark::At(if first { mark } else { '│' });
            self.row(out, "", first.then_some(at), &mark, colour, line)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        out: &mut dyn Write,
        number: &str,
        at: Option<Instant>,
        mark: &Mark,
        colour: &str,
        text: &str,
    ) -> io::Result<()> {
        self.fresh = false;
        let mut clock = String::new();
        if let Some(at) = at {
            let pause = self.last.map_or(Duration::ZERO, |last| at.saturating_duration_since(last));
            self.last = Some(at);
            if pause >= PAUSE {
                let row = format!("{:19}{}… {} later", "", lanes(&Mark::Pause), span(pause));
                writeln!(out, "{}", self.paint(DIM, &row))?;
            }
            clock = time(at);
        }
        let clock = self.paint(DIM, &format!("{clock:15}"));
        let row = format!("{}{}", self.paint(colour, &lanes(mark)), self.paint(colour, text));
        writeln!(out, "{}", format!("{number:>3} {clock}{row}").trim_end())
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour && !colour.is_empty() && !text.trim().is_empty() {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.into()
        }
    }
}

/// What an event says.
fn tell(event: &Event, location: &str) -> String {
    match *event {
        Event::BootstrapStarted => "bootstrap started".into(),
        Event::BootstrapFinished => "bootstrap finished: the account is complete".into(),
        Event::BootstrapFailed { reason } => format!("bootstrap failed: {reason}"),
        Event::Registered { server, lifetime } => {
            format!("registered with server {server} at {location}, lifetime {lifetime} s")
        }
        Event::RegistrationFailed { server, reason } => format!("not registered with server {server}: {reason}"),
        Event::Updated { server } => format!("registration with server {server} renewed"),
        Event::UpdateFailed { server, reason } => format!("registration with server {server} not renewed: {reason}"),
        Event::Deregistered { server, unconfirmed: None } => format!("de-registered from server {server}"),
        Event::Deregistered { server, unconfirmed: Some(reason) } => {
            format!("de-registered from server {server}, unconfirmed: {reason}")
        }
        Event::MayProceed(Leave::FlightMode) => "may proceed into flight mode: nothing more is to be sent".into(),
        Event::MayProceed(Leave::PowerOff) => "may proceed to power off: nothing more is to be sent".into(),
        Event::Offline => "offline: nothing is sent until the network is back".into(),
        Event::Diagnostic(diagnostic) => format!("note: {diagnostic}"),
        Event::Read { origin, path } => format!("{path} was read by {}", who(origin)),
        Event::Written { origin, path } => format!("{path} was written by {}", who(origin)),
        Event::Executed { origin, path } => format!("{path} was executed by {}", who(origin)),
        Event::Created { origin, path } => format!("{path} was created by {}", who(origin)),
        Event::Deleted { origin, path } => format!("{path} was deleted by {}", who(origin)),
        Event::Observed { server, path } => format!("{path} is observed by server {server} from now on"),
        Event::ObservationCancelled { server, path } => format!("{path} is no longer observed by server {server}"),
        Event::Notified { server, path } => format!("server {server} was sent a notification of {path}"),
        // A kind that is newer than this program.
        other => format!("{other:?}"),
    }
}
