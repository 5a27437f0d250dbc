//! The run as a picture: the ladder in SVG, for `--chart`. Rows are collected while the run goes on, and drawn at
//! its end.

mod svg;

use core::ops::RangeInclusive;
use core::time::Duration;

use lwm2m_core::{Event, Instant};

use crate::draw::wrap;
use crate::ladder::words;
use crate::news::{is_failure, tell};
use crate::reading::Reading;
use crate::view::Datagram;

/// Characters that a line has room for, beside the lanes.
const NOTE: usize = 43;
const MESSAGE: usize = 49;
/// Lines that a message may fill, and its payload.
const LINES: (usize, usize) = (3, 2);
/// Remarks that are no older belong to the message that comes.
const TOGETHER: Duration = Duration::from_millis(250);
/// What a real clock tells apart, and a person does not.
const AT_ONCE: Duration = Duration::from_millis(5);
/// Rows of the longest picture. A terminal may run for weeks.
const ROWS: usize = 10_000;

/// A picture that grows.
#[derive(Debug)]
pub(crate) struct Chart {
    title: String,
    with_bootstrap_server: bool,
    /// The datagrams that are wanted.
    part: RangeInclusive<usize>,
    /// The number of the last one.
    number: usize,
    items: Vec<Item>,
}

#[derive(Debug)]
enum Item {
    Heading { title: &'static str, sentence: Option<&'static str> },
    Row(Row),
}

/// What happens at one time: a datagram, what is told on the left of it, or both.
#[derive(Debug)]
struct Row {
    at: Instant,
    notes: Vec<Note>,
    message: Option<Sent>,
}

#[derive(Debug)]
struct Note {
    mark: char,
    class: &'static str,
    lines: Vec<String>,
}

/// A datagram, or blocks of a body for which one arrow stands.
#[derive(Debug)]
struct Sent {
    first: usize,
    last: usize,
    /// How many requests are among them, if they are blocks.
    blocks: Option<usize>,
    bootstrap: bool,
    out: bool,
    lost: bool,
    class: &'static str,
    text: Vec<String>,
    payload: Vec<String>,
    /// All of it, for who points at it.
    whole: String,
}

impl Chart {
    pub(crate) fn new(title: &str, with_bootstrap_server: bool, part: RangeInclusive<usize>) -> Self {
        let title = title.split(". ").next().unwrap_or_default();
        Self { title: title.into(), with_bootstrap_server, part, number: 0, items: Vec::new() }
    }

    pub(crate) fn datagram(&mut self, at: Instant, datagram: &Datagram<'_>, reading: &Reading) {
        if self.number == *self.part.end() {
            // What came behind the last one belongs to the next.
            while matches!(self.items.last(), Some(Item::Row(Row { message: None, .. }))) {
                self.items.pop();
            }
        }
        self.number = datagram.number;
        if !self.wants_more() {
            return;
        }
        if let Some((title, sentence)) = reading.begins {
            let is_remark = |item: &Item| matches!(item, Item::Row(row) if row.belongs_to(at));
            let place = self.items.iter().rposition(|item| !is_remark(item)).map_or(0, |place| place + 1);
            self.items.insert(place, Item::Heading { title, sentence });
        }
        if reading.in_between {
            return self.block(at, datagram, reading);
        }
        let sent = Sent::new(datagram, reading);
        match self.items.last_mut() {
            Some(Item::Row(row)) if row.lasts_until(at) && row.message.is_none() => row.message = Some(sent),
            _ => self.items.push(Item::Row(Row { at, notes: Vec::new(), message: Some(sent) })),
        }
    }

    pub(crate) fn event(&mut self, at: Instant, event: &Event, location: &str) {
        self.note(at, '●', if is_failure(event) { "bad" } else { "good" }, &tell(event, location));
    }

    pub(crate) fn remark(&mut self, at: Instant, by_client: bool, text: &str) {
        let (mark, class) = if by_client { ('●', "said") } else { ('◇', "done") };
        self.note(at, mark, class, text);
    }

    /// The picture.
    pub(crate) fn draw(&self) -> String {
        svg::draw(self)
    }

    fn wants_more(&self) -> bool {
        self.part.contains(&self.number.max(1)) && self.items.len() < ROWS
    }

    /// A block in the middle of a body joins those before it, when nothing happened between.
    fn block(&mut self, at: Instant, datagram: &Datagram<'_>, reading: &Reading) {
        let request = usize::from(reading.is_request);
        if let Some(Item::Row(Row { notes, message: Some(Sent { blocks: Some(blocks), last, .. }), .. })) =
            self.items.last_mut()
            && notes.is_empty()
        {
            *blocks += request;
            *last = datagram.number;
            return;
        }
        let sent = Sent { blocks: Some(request), ..Sent::new(datagram, reading) };
        self.items.push(Item::Row(Row { at, notes: Vec::new(), message: Some(sent) }));
    }

    fn note(&mut self, at: Instant, mark: char, class: &'static str, text: &str) {
        if !self.wants_more() {
            return;
        }
        let note = Note { mark, class, lines: wrap(&words(text), NOTE) };
        match self.items.last_mut() {
            Some(Item::Row(row)) if row.lasts_until(at) => row.notes.push(note),
            _ => self.items.push(Item::Row(Row { at, notes: vec![note], message: None })),
        }
    }
}

impl Row {
    /// Whether what happens then is in this row.
    fn lasts_until(&self, at: Instant) -> bool {
        at.saturating_duration_since(self.at) < AT_ONCE
    }

    /// Whether it is of remarks alone, just before a message.
    fn belongs_to(&self, message: Instant) -> bool {
        let remark = self.message.is_none() && self.notes.iter().all(|note| matches!(note.class, "said" | "done"));
        remark && self.at + TOGETHER >= message
    }
}

impl Sent {
    fn new(datagram: &Datagram<'_>, reading: &Reading) -> Self {
        let Reading { bootstrap, times, stopped, saying, .. } = reading;
        let class = match (stopped, times, saying.kind) {
            (Some(_), ..) => "lost",
            (None, 2.., _) => "again",
            (None, _, "ACK" | "RST") => "answer",
            _ => "ask",
        };
        let mut pieces = vec![format!("{} ", saying.kind)];
        pieces.extend(saying.text.iter().cloned());
        let whole = [&pieces[..], &[" ".into()], &saying.payload].concat().concat();
        let mut text = cut(&pieces, LINES.0);
        text.extend(reading.again());
        text.extend(stopped.as_ref().map(|why| format!("✗ {why}")));
        Self {
            first: datagram.number,
            last: datagram.number,
            blocks: None,
            bootstrap: *bootstrap,
            out: datagram.out,
            lost: stopped.is_some(),
            class,
            text,
            payload: cut(&saying.payload, LINES.1),
            whole,
        }
    }
}

/// The lines of a text, but not more than there is room for.
fn cut(pieces: &[String], most: usize) -> Vec<String> {
    let mut lines = wrap(pieces, MESSAGE);
    lines.retain(|line| !line.is_empty());
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = last.chars().take(MESSAGE - 2).chain(" …".chars()).collect();
        }
    }
    lines
}
