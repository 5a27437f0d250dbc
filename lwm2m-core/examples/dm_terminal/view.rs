//! What happens, on its way to the screen, as a ladder or as JSON, and into the files that are wanted besides.

use core::time::Duration;
use std::fs::File;
use std::io::{self, IsTerminal, Stdout, Write};

use coap_codec::Message;
use lwm2m_core::{Event, Instant, Peer};

use crate::args::Options;
use crate::capture::{Capture, Ends};
use crate::chart::Chart;
use crate::files::Files;
use crate::json;
use crate::ladder::Ladder;
use crate::news;
use crate::reading::Reader;
use crate::screen::Screen;
use crate::terminal::Errand;

/// A datagram, and what became of it.
#[derive(Debug)]
pub(crate) struct Datagram<'a> {
    /// Counted from 1 over the whole run and both directions.
    pub(crate) number: usize,
    /// Whether the terminal sent it.
    pub(crate) out: bool,
    /// The session, if there was one.
    pub(crate) peer: Option<Peer>,
    /// Host and port at the other end.
    pub(crate) host: &'a str,
    /// The addresses of both, if they have any.
    pub(crate) ends: Option<Ends>,
    pub(crate) bytes: &'a [u8],
    pub(crate) passage: Passage,
}

/// Whether a datagram came through.
#[derive(Clone, Debug)]
pub(crate) enum Passage {
    Arrives,
    /// It did not, and why.
    Stopped(String),
}

/// The screen, and files.
pub(crate) struct View {
    out: Screen<Stdout>,
    form: Form,
    reader: Reader,
    chart: Option<(Chart, Option<File>)>,
    capture: Option<Capture>,
    /// The location in the last answer that had one. The registration that follows is there.
    location: String,
}

enum Form {
    Ladder(Box<Ladder>),
    Json,
}

impl View {
    /// Standard output. `title` stands above a ladder, which has a lane for a bootstrap server if the
    /// terminal has one. The run begins at `origin`, counted from 1970.
    pub(crate) fn new(
        options: &Options,
        files: Files,
        origin: Duration,
        title: &str,
        with_bootstrap_server: bool,
    ) -> io::Result<Self> {
        let stdout = io::stdout();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = stdout.is_terminal() && !plain;
        let mut out = Screen::new(stdout);
        let mut form = Form::Json;
        if !options.json {
            let ladder = Ladder::new(colour, with_bootstrap_server);
            ladder.legend(&mut out, title)?;
            form = Form::Ladder(Box::new(ladder));
        }
        let chart =
            files.chart.map(|file| (Chart::new(title, with_bootstrap_server, options.rows.clone()), Some(file)));
        let capture = files.capture.map(|file| Capture::new(file, origin)).transpose()?;
        Ok(Self { out, form, reader: Reader::default(), chart, capture, location: String::new() })
    }

    /// A picture alone.
    #[cfg(test)]
    pub(crate) fn of_chart(title: &str, rows: core::ops::RangeInclusive<usize>) -> Self {
        let mut out = Screen::new(io::stdout());
        out.close();
        let chart = Some((Chart::new(title, true, rows), None));
        Self { out, form: Form::Json, reader: Reader::default(), chart, capture: None, location: String::new() }
    }

    /// The picture so far.
    #[cfg(test)]
    pub(crate) fn picture(&self) -> String {
        self.chart.as_ref().map(|(chart, _)| chart.draw()).unwrap_or_default()
    }

    pub(crate) fn datagram(&mut self, at: Instant, datagram: &Datagram<'_>) -> io::Result<()> {
        if !datagram.out {
            let message = Message::parse(datagram.bytes).ok();
            if let Some(location) = message.and_then(|message| crate::decode::location(&message)) {
                self.location = location;
            }
        }
        if let Some(capture) = &mut self.capture {
            capture.datagram(at, datagram)?;
        }
        let reading = self.reader.read(at, datagram);
        if let Some((chart, _)) = &mut self.chart {
            chart.datagram(at, datagram, &reading);
        }
        match &mut self.form {
            Form::Ladder(ladder) => ladder.datagram(&mut self.out, at, datagram, &reading),
            Form::Json => json::datagram(&mut self.out, at, datagram),
        }
    }

    pub(crate) fn event(&mut self, at: Instant, event: &Event) -> io::Result<()> {
        if let Some((chart, _)) = &mut self.chart {
            chart.event(at, event, &self.location);
        }
        match &mut self.form {
            Form::Ladder(ladder) => ladder.event(&mut self.out, at, event, &self.location),
            Form::Json => json::event(&mut self.out, at, event, &self.location),
        }
    }

    /// What a server wants of the device.
    pub(crate) fn errand(&mut self, at: Instant, errand: &Errand) -> io::Result<()> {
        self.remark(at, true, &news::errand(errand));
        match &mut self.form {
            Form::Ladder(_) => Ok(()),
            Form::Json => json::errand(&mut self.out, at, errand),
        }
    }

    /// What the device tells the client.
    pub(crate) fn command(&mut self, at: Instant, text: &str) {
        self.remark(at, false, text);
    }

    /// What the client wants of the device, besides sending.
    pub(crate) fn order(&mut self, at: Instant, text: &str) {
        self.remark(at, true, text);
    }

    fn remark(&mut self, at: Instant, by_client: bool, text: &str) {
        if let Some((chart, _)) = &mut self.chart {
            chart.remark(at, by_client, text);
        }
        if let Form::Ladder(ladder) = &mut self.form {
            ladder.remark(at, by_client, text);
        }
    }

    /// Shows what was held back until a heading might come.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Ladder(ladder) => ladder.settle(&mut self.out),
            Form::Json => Ok(()),
        }
    }

    /// Says nothing any more.
    pub(crate) fn mute(&mut self) {
        self.out.close();
    }

    /// Whether whoever read this has left.
    pub(crate) fn is_closed(&self) -> bool {
        self.out.is_closed()
    }

    /// Whether it is for people.
    pub(crate) fn is_ladder(&self) -> bool {
        matches!(self.form, Form::Ladder(_))
    }

    /// Draws the picture, if one is wanted: the run is over, however it went.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        let Some((chart, file)) = &mut self.chart else { return Ok(()) };
        let written = file.take().map_or(Ok(()), |mut file| file.write_all(chart.draw().as_bytes()));
        written.map_err(|error| format!("--chart: {error}"))
    }

    /// The last word: what came of it all.
    pub(crate) fn conclude(&mut self, text: &str) -> io::Result<()> {
        self.settle()?;
        match &mut self.form {
            Form::Ladder(ladder) => {
                ladder.unfold(&mut self.out)?;
                writeln!(self.out, "\n{text}")
            }
            Form::Json => Ok(()),
        }
    }
}
