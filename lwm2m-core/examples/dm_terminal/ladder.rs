//! The ladder of messages: a row for each datagram, event and remark, and nothing that is not one.

use core::time::Duration;
use std::io::{self, Write};

use lwm2m_core::{Event, Instant};

use crate::draw::{Lanes, Mark, WIDTH, span, time, wrap};
use crate::legend::LEGEND;
use crate::news::{is_failure, tell};
use crate::reading::Reading;
use crate::view::Datagram;

/// Columns of number and time, before the drawing; of type, id and token, after it.
const MARGIN: usize = 3 + 1 + 15;
const HEAD: usize = 15;
/// Lines that a payload may fill.
const PAYLOAD_LINES: usize = 20;
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
    lanes: Lanes,
    last: Option<Instant>,
    /// The titles of the columns were printed.
    titled: bool,
    /// Blocks between the first and the last of a body, which one row stands for.
    folded: Option<Fold>,
    /// Remarks wait for the heading that they may belong under.
    held: Vec<(Instant, char, String)>,
}

/// Datagrams that one row stands for.
#[derive(Debug)]
struct Fold {
    at: Instant,
    first: usize,
    last: usize,
    blocks: usize,
}

impl Ladder {
    pub(crate) fn new(colour: bool, with_bootstrap_server: bool) -> Self {
        Self {
            colour,
            lanes: Lanes::new(with_bootstrap_server),
            last: None,
            titled: false,
            folded: None,
            held: Vec::new(),
        }
    }

    /// How to read what follows.
    pub(crate) fn legend(&self, out: &mut dyn Write, title: &str) -> io::Result<()> {
        writeln!(out, "{}\n\n{LEGEND}", self.paint(BOLD, title))?;
        out.flush()
    }

    pub(crate) fn datagram(
        &mut self,
        out: &mut dyn Write,
        at: Instant,
        datagram: &Datagram<'_>,
        reading: &Reading,
    ) -> io::Result<()> {
        let &Reading { bootstrap, begins, in_between, is_request, ref stopped, ref saying, .. } = reading;
        if let Some((title, sentence)) = begins {
            self.heading(out, at, title, sentence)?;
        }
        self.settle(out)?;
        if in_between {
            let number = datagram.number;
            let fold = self.folded.get_or_insert(Fold { at, first: number, last: number, blocks: 0 });
            fold.last = number;
            fold.blocks += usize::from(is_request);
            self.last = Some(at);
            return Ok(());
        }
        self.unfold(out)?;

        let mut text = saying.text.clone();
        text.extend(stopped.as_ref().map(|why| format!("  ✗ {why}")));
        let again = reading.again();
        let colour = match (stopped, &again) {
            (Some(_), _) => RED,
            (None, Some(_)) => YELLOW,
            (None, None) => "",
        };
        text.extend(again.map(|again| format!("  {again}")));
        let head = format!("{:3} {:4} {:4}  ", saying.kind, saying.id, saying.token);
        let width = WIDTH - MARGIN - self.lanes.width() - HEAD;
        let mut lines = wrap(&text, width);
        if !saying.payload.is_empty() {
            let mut payload = wrap(&saying.payload, width - 2);
            if payload.len() > PAYLOAD_LINES {
                payload.truncate(PAYLOAD_LINES - 1);
                payload.push(format!("… (a datagram of {} bytes)", datagram.bytes.len()));
            }
            lines.extend(payload.into_iter().map(|line| format!("  {line}")));
        }
        let mark = Mark::Arrow { bootstrap, out: datagram.out, stopped: stopped.is_some() };
        let number = datagram.number.to_string();
        for (index, line) in lines.iter().enumerate() {
            if index == 0 {
                self.row(out, &number, Some(at), &mark, colour, &format!("{head}{line}"))?;
            } else {
                self.row(out, "", None, &Mark::At('│'), colour, &format!("{:HEAD$}{line}", ""))?;
            }
        }
        out.flush()
    }

    pub(crate) fn event(&mut self, out: &mut dyn Write, at: Instant, event: &Event, location: &str) -> io::Result<()> {
        self.settle(out)?;
        self.unfold(out)?;
        self.lines(out, at, '●', if is_failure(event) { RED } else { GREEN }, &tell(event, location))?;
        out.flush()
    }

    /// Something besides; it stands under the heading that the next datagram may have.
    pub(crate) fn remark(&mut self, at: Instant, by_client: bool, text: &str) {
        self.held.push((at, if by_client { '●' } else { '◇' }, text.into()));
    }

    pub(crate) fn settle(&mut self, out: &mut dyn Write) -> io::Result<()> {
        for (at, mark, text) in core::mem::take(&mut self.held) {
            self.unfold(out)?;
            self.lines(out, at, mark, "", &text)?;
        }
        out.flush()
    }

    /// A row for the datagrams that were folded.
    pub(crate) fn unfold(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some(Fold { at, first, last, blocks }) = self.folded.take() else { return Ok(()) };
        let text = more_blocks(blocks, first, last);
        let row = format!("    {:15}{}{:HEAD$}{text}", time(at), self.lanes.row(&Mark::Pause), "");
        writeln!(out, "{}", self.paint(DIM, &row))
    }

    /// The heading of what happens at `at`, and of the remarks that wait for it.
    fn heading(&mut self, out: &mut dyn Write, at: Instant, title: &str, sentence: Option<&str>) -> io::Result<()> {
        self.unfold(out)?;
        let begin = self.held.first().map_or(at, |(at, ..)| *at);
        self.pause(out, begin)?;
        if self.titled {
            writeln!(out)?;
        }
        let rule = "─".repeat(WIDTH.saturating_sub(title.chars().count() + 4));
        writeln!(out, "{}", self.paint(BOLD, &format!("── {title} {rule}")))?;
        for line in wrap(&words(sentence.unwrap_or_default()), WIDTH - 1).iter().filter(|line| !line.is_empty()) {
            writeln!(out, " {line}")?;
        }
        self.titles(out)
    }

    fn titles(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.titled = true;
        let (titles, width) = (self.lanes.titles(), self.lanes.width());
        let columns = format!("{:3} {:15}{titles:width$}{:5}{:5}token", "no.", "time", "", "id");
        writeln!(out, "{}", self.paint(DIM, &columns))
    }

    /// A row for the time in which nothing happened, if it was long.
    fn pause(&mut self, out: &mut dyn Write, at: Instant) -> io::Result<()> {
        let pause = self.last.map_or(Duration::ZERO, |last| at.saturating_duration_since(last));
        self.last = Some(at);
        if pause >= PAUSE {
            let row = format!("{:MARGIN$}{}… {} later", "", self.lanes.row(&Mark::Pause), span(pause));
            writeln!(out, "{}", self.paint(DIM, &row))?;
        }
        Ok(())
    }

    /// Rows of a text without a datagram.
    fn lines(&mut self, out: &mut dyn Write, at: Instant, mark: char, colour: &str, text: &str) -> io::Result<()> {
        let width = WIDTH - MARGIN - self.lanes.width();
        for (index, line) in wrap(&words(text), width).iter().enumerate() {
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
        if !self.titled {
            self.titles(out)?;
        }
        let mut clock = String::new();
        if let Some(at) = at {
            self.pause(out, at)?;
            clock = time(at);
        }
        let clock = self.paint(DIM, &format!("{clock:15}"));
        let row = format!("{}{}", self.paint(colour, &self.lanes.row(mark)), self.paint(colour, text));
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

/// What one row says that stands for datagrams with blocks.
pub(crate) fn more_blocks(blocks: usize, first: usize, last: usize) -> String {
    let plural = if blocks == 1 { "" } else { "s" };
    let numbers = if first == last { format!("{first}") } else { format!("{first} to {last}") };
    format!("… {blocks} more block{plural} (no. {numbers})")
}

/// A text in pieces that may stand on different lines.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use lwm2m_core::Peer;

    use super::*;
    use crate::reading::Reader;
    use crate::view::Passage;

    const REGISTER: &[u8] = b"\x40\x02\0\x01\xb2rd\x44ep=x";
    const UPDATE: &[u8] = b"\x40\x02\0\x02\xb2rd\x015";

    /// What a ladder prints of remarks and datagrams of the terminal, without the sentences.
    fn drawn(with_bootstrap_server: bool, rows: &[(u64, Result<&str, &[u8]>)]) -> Vec<String> {
        let (mut ladder, mut reader) = (Ladder::new(false, with_bootstrap_server), Reader::default());
        let mut out = Vec::new();
        for (number, (seconds, what)) in (1..).zip(rows) {
            let at = Instant::from_secs(*seconds);
            match *what {
                Ok(remark) => ladder.remark(at, false, remark),
                Err(bytes) => {
                    let (peer, host, passage) = (Some(Peer(0)), "dm", Passage::Arrives);
                    let datagram = Datagram { number, out: true, peer, host, ends: None, bytes, passage };
                    ladder.datagram(&mut out, at, &datagram, &reader.read(at, &datagram)).unwrap();
                }
            }
        }
        ladder.settle(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        text.lines()
            .filter(|line| !line.starts_with(|c: char| c == ' ' && !line.contains(['│', '┊'])))
            .map(String::from)
            .collect()
    }

    #[test]
    fn a_long_pause_stands_before_the_heading() {
        let rows = drawn(true, &[(0, Err(REGISTER)), (7_200, Ok("update")), (7_200, Err(UPDATE))]);
        let at = |text: &str| rows.iter().position(|row| row.contains(text)).unwrap();
        assert!(at("2 h later") < at("7.4 Update") && at("7.4 Update") < at("◇"), "{rows:#?}");
        assert_eq!(rows.iter().filter(|row| row.contains("later")).count(), 1);
    }

    #[test]
    fn the_first_row_stands_below_the_titles_of_the_columns() {
        let titles = "no. time           terminal bootstrap  server     id   token";
        let remark = "    0d 00:00:00.000  ◇          │         │  network up";
        assert_eq!(drawn(true, &[(0, Ok("network up"))]), [titles, remark]);
        assert_eq!(drawn(true, &[(0, Ok("network up")), (0, Err(REGISTER))])[1..3], [titles, remark]);
    }

    #[test]
    fn without_a_bootstrap_server_there_is_no_column_for_it() {
        let rows = drawn(false, &[(0, Err(REGISTER))]);
        assert_eq!(
            rows[1..],
            [
                "no. time           terminal  server     id   token",
                "  1 0d 00:00:00.000  ├─────────▶│  CON 0001       POST /rd?ep=x",
            ]
        );
    }
    #[test]
    fn blocks_in_the_middle_are_one_row_until_something_else_happens() {
        let block = |id, value| [b"\x40\x03\0", &[id][..], b"\xb1\x35\xd1\x03", &[value], b"\xffx"].concat();
        // Blocks of 16 bytes: number, more.
        let blocks = [block(1, 0x08), block(2, 0x18), block(3, 0x28), block(4, 0x38), block(5, 0x40)];
        let mut rows: Vec<_> = blocks.iter().map(|bytes| (0, Err(&bytes[..]))).collect();
        let folds = |rows: &[_]| {
            let rows = drawn(false, rows);
            let folds: Vec<_> = rows.iter().filter_map(|row| row.split_once("… ").map(|(_, fold)| fold)).collect();
            folds.join("; ")
        };
        assert_eq!(folds(&rows), "3 more blocks (no. 2 to 4)");
        rows.insert(2, (0, Ok("update")));
        assert_eq!(folds(&rows), "1 more block (no. 2); 2 more blocks (no. 4 to 5)");
        rows[2] = rows[1];
        assert_eq!(folds(&rows), "1 more block (no. 2); 2 more blocks (no. 4 to 5)", "the same again is shown");
    }
}
