//! Where things are in the picture, and the strokes that it is made of.

use core::time::Duration;
use std::fmt::Write;

use lwm2m_core::Instant;

use super::{Chart, Item, Row, Sent};
use crate::draw::{span, time, wrap};
use crate::ladder::{more_blocks, words};

// In pixels.
const WIDTH: f64 = 1036.0;
const EDGE: f64 = 12.0;
const TERMINAL: f64 = 418.0;
const LANE: f64 = 112.0;
const LINE: f64 = 15.0;
/// How far a datagram sinks on its way, because time passes meanwhile.
const SLOPE: f64 = 5.0;
/// A time that is passed over, instead of being drawn.
const LONG: Duration = Duration::from_secs(30);
/// Characters of a sentence that go on a line.
const SENTENCE: usize = 150;

/// Colours of a light and of a dark screen.
const STYLE: &str = "
  text { font: 12px system-ui, sans-serif }
  text, .said, .done { fill: #1f2328 }
  .code { font: 11px ui-monospace, monospace }
  .title { font-size: 16px; font-weight: 600 }
  .flow { font-size: 14px; font-weight: 600 }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  .faint { fill: #59636e }
  .back { fill: #ffffff }
  .rule, .lane { stroke: #d1d9e0 }
  .lane { stroke-width: 2 }
  .pause { stroke: #59636e; stroke-dasharray: 2 5 }
  .way { stroke-width: 1.5; fill: none; stroke: currentColor }
  .tip { fill: currentColor }
  .ask { color: #0969da }
  .answer { color: #818b98 }
  .again, text.again { color: #bc4c00; fill: #bc4c00 }
  .lost, text.lost { color: #cf222e; fill: #cf222e }
  .good { fill: #1a7f37 }
  .bad { fill: #cf222e }
  @media (prefers-color-scheme: dark) {
    text, .said, .done { fill: #f0f6fc }
    .faint { fill: #9198a1 }
    .back { fill: #0d1117 }
    .rule, .lane { stroke: #3d444d }
    .pause { stroke: #9198a1 }
    .ask { color: #58a6ff }
    .answer { color: #9198a1 }
    .again, text.again { color: #f0883e; fill: #f0883e }
    .lost, text.lost { color: #ff7b72; fill: #ff7b72 }
    .good { fill: #3fb950 }
    .bad { fill: #ff7b72 }
  }
";

/// How the marks are to be read.
const LEGEND: [(&str, &str); 5] = [
    ("good", "● what the client tells the device"),
    ("done", "◆ what the device tells the client"),
    ("faint", "CON wants an ACK, and is repeated until it comes"),
    ("again", "↻ sent again"),
    ("lost", "✗ lost on the way"),
];

/// Draws a run.
pub(super) fn draw(chart: &Chart) -> String {
    let mut canvas =
        Canvas { body: String::new(), y: 28.0, lanes: Lanes::of(chart), from: None, last: None, told: None };
    canvas.text((EDGE, canvas.y), "title", &chart.title);
    canvas.y += 16.0;
    for item in &chart.items {
        match item {
            Item::Heading { title, sentence } => canvas.heading(title, sentence.unwrap_or_default()),
            Item::Row(row) => canvas.row(row),
        }
    }
    canvas.end_lanes();
    canvas.legend();
    let height = (canvas.y + 14.0).ceil();
    let title = escape(&chart.title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <title>{title}</title>\n<rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>\n{}</svg>\n",
        canvas.body
    )
}

/// Where who stands.
struct Lanes {
    bootstrap: Option<f64>,
    server: f64,
}

impl Lanes {
    fn of(chart: &Chart) -> Self {
        let bootstrap = chart.with_bootstrap_server.then_some(TERMINAL + LANE);
        Self { bootstrap, server: TERMINAL + LANE * if bootstrap.is_some() { 2.0 } else { 1.5 } }
    }

    fn all(&self) -> impl Iterator<Item = (f64, &'static str)> + use<> {
        let bootstrap = self.bootstrap.map(|x| (x, "bootstrap server"));
        [Some((TERMINAL, "terminal")), bootstrap, Some((self.server, "server"))].into_iter().flatten()
    }
}

/// What is drawn so far.
struct Canvas {
    body: String,
    /// The next line's place.
    y: f64,
    lanes: Lanes,
    /// Where the lanes begin that are not drawn yet.
    from: Option<f64>,
    /// The time of the row before.
    last: Option<Instant>,
    /// The time that was written last, in this flow.
    told: Option<Instant>,
}

impl Canvas {
    fn heading(&mut self, title: &str, sentence: &str) {
        self.end_lanes();
        self.told = None;
        self.y += 10.0;
        let _ = writeln!(self.body, "<path class=\"rule\" d=\"M{EDGE} {:.1}H{}\"/>", self.y, WIDTH - EDGE);
        self.y += 20.0;
        self.text((EDGE, self.y), "flow", title);
        for line in wrap(&words(sentence), SENTENCE).iter().filter(|line| !line.is_empty()) {
            self.y += LINE;
            self.text((EDGE, self.y), "faint", line);
        }
        self.y += 6.0;
    }

    /// Lanes begin with the names of those who stand there.
    fn begin_lanes(&mut self) {
        if self.from.is_none() {
            self.y += LINE;
            for (x, name) in self.lanes.all() {
                self.text((x, self.y), "faint middle", name);
            }
            self.y += 5.0;
            self.from = Some(self.y);
            self.y += 16.0;
        }
    }

    fn end_lanes(&mut self) {
        self.draw_lanes(self.y - 8.0, "lane");
        self.from = None;
    }

    fn draw_lanes(&mut self, to: f64, class: &str) {
        if let Some(from) = self.from {
            self.from = Some(to);
            for (x, _) in self.lanes.all() {
                let _ = writeln!(self.body, "<path class=\"{class}\" d=\"M{x} {from:.1}V{to:.1}\"/>");
            }
        }
    }

    /// The time since the row before: more of it takes more room, but far less than it should.
    fn pause(&mut self, at: Instant) {
        let pause = self.last.map_or(Duration::ZERO, |last| at.saturating_duration_since(last));
        self.last = Some(at);
        if pause < Duration::from_secs(1) {
            return;
        }
        let long = pause >= LONG;
        let room = if long { 40.0 } else { 12.0 + 4.0 * pause.as_secs_f64().log2() };
        if long {
            self.draw_lanes(self.y - 12.0, "lane");
        }
        let said = if pause.as_secs() < 10 { format!("{:.1} s", pause.as_secs_f64()) } else { span(pause) };
        let class = "faint end";
        self.text((TERMINAL - 12.0, self.y + room / 2.0 - 8.0), class, &format!("{said} later"));
        self.y += room;
        if long {
            self.draw_lanes(self.y - 14.0, "lane pause");
        }
    }

    fn row(&mut self, row: &Row) {
        self.begin_lanes();
        self.pause(row.at);
        let top = self.y;
        let _ = self.body.write_str("<g>");
        if let Some(sent) = &row.message {
            let _ = write!(self.body, "<title>{}</title>", escape(&sent.whole));
        }
        self.body.push('\n');
        if self.told.map(Instant::as_millis) != Some(row.at.as_millis()) {
            self.told = Some(row.at);
            self.text((EDGE, top), "code faint", &time(row.at));
        }
        let mut left = top;
        for note in &row.notes {
            for (number, line) in note.lines.iter().enumerate() {
                self.text((TERMINAL - 24.0, left), &format!("{} end", note.class), line);
                if number == 0 {
                    self.mark(note.mark, note.class, left - 4.0);
                }
                left += LINE;
            }
        }
        let right = row.message.as_ref().map_or(top, |sent| self.message(sent, top));
        self.body.push_str("</g>\n");
        self.y = left.max(right).max(top + LINE) + 4.0;
    }

    /// A dot beside the terminal's lane, or a square that stands on its corner.
    fn mark(&mut self, mark: char, class: &str, y: f64) {
        let x = TERMINAL - 14.0;
        let _ = if mark == '◇' {
            writeln!(self.body, "<path class=\"{class}\" d=\"M{x} {:.1}l4 4l-4 4l-4 -4z\"/>", y - 4.0)
        } else {
            writeln!(self.body, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y:.1}\" r=\"3\"/>")
        };
    }

    /// An arrow and its words. Where the next line would be.
    fn message(&mut self, sent: &Sent, top: f64) -> f64 {
        let other = self.lanes.bootstrap.filter(|_| sent.bootstrap).unwrap_or(self.lanes.server);
        let (from, to) = if sent.out { (TERMINAL, other) } else { (other, TERMINAL) };
        let begin = top - 4.0 - if sent.out { 0.0 } else { SLOPE };
        let (end, sunk) = if sent.lost { ((from + to) / 2.0 + 14.0, SLOPE / 2.0) } else { (to, SLOPE) };
        let class = sent.class;
        let y = begin + sunk;
        let _ = writeln!(self.body, "<path class=\"way {class}\" d=\"M{from} {begin:.1}L{end} {y:.1}\"/>");
        let _ = if sent.lost {
            let d = format!("M{} {:.1}l8 8m0 -8l-8 8", end - 4.0, y - 4.0);
            writeln!(self.body, "<path class=\"way {class}\" d=\"{d}\"/>")
        } else {
            let back = if sent.out { -9.0 } else { 9.0 };
            let d = format!("M{end} {y:.1}l{back} -4v8z");
            writeln!(self.body, "<path class=\"tip {class}\" d=\"{d}\"/>")
        };
        let x = self.lanes.server + 44.0;
        self.text((x - 10.0, top), "code faint end", &sent.first.to_string());
        let mut y = top;
        if let Some(blocks) = sent.blocks {
            self.text((x, y), "code faint", &more_blocks(blocks, sent.first, sent.last));
            return y + LINE;
        }
        for line in &sent.text {
            self.text((x, y), &format!("code {class}"), line);
            y += LINE;
        }
        for line in &sent.payload {
            self.text((x, y), "code faint", line);
            y += LINE;
        }
        y
    }

    fn legend(&mut self) {
        self.y += 14.0;
        let _ = write!(self.body, "<text x=\"{EDGE}\" y=\"{:.1}\">", self.y);
        for (number, (class, text)) in LEGEND.into_iter().enumerate() {
            let space = if number == 0 { 0 } else { 16 };
            let _ = write!(self.body, "<tspan class=\"{class}\" dx=\"{space}\">{text}</tspan>");
        }
        self.body.push_str("</text>\n");
    }

    fn text(&mut self, (x, y): (f64, f64), class: &str, text: &str) {
        let text = escape(text);
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>");
    }
}

/// Text as XML has it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
