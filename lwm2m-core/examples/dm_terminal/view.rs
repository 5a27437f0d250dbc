//! What happens, on its way to the screen: as a ladder or as JSON.

use std::io::{self, IsTerminal, Stdout, Write};

use coap_codec::Message;
use lwm2m_core::{Event, Instant, Peer};

use crate::json;
use crate::ladder::Ladder;
use crate::news;
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
    pub(crate) bytes: &'a [u8],
    pub(crate) passage: Passage,
}

/// Whether a datagram came through.
#[derive(Debug)]
pub(crate) enum Passage {
    Arrives,
    /// It did not, and why.
    Stopped(String),
}

/// The screen.
pub(crate) struct View {
    out: Screen<Stdout>,
    form: Form,
    /// The location in the last answer that had one. The registration that follows is there.
    location: String,
}

enum Form {
    Ladder(Box<Ladder>),
    Json,
}

impl View {
    /// Standard output. `title` stands above a ladder, which has a lane for a bootstrap server if the
    /// terminal has one.
    pub(crate) fn new(json: bool, title: &str, with_bootstrap_server: bool) -> io::Result<Self> {
        let stdout = io::stdout();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = stdout.is_terminal() && !plain;
        let mut out = Screen::new(stdout);
        let mut form = Form::Json;
        if !json {
            let ladder = Ladder::new(colour, with_bootstrap_server);
            ladder.legend(&mut out, title)?;
            form = Form::Ladder(Box::new(ladder));
        }
        Ok(Self { out, form, location: String::new() })
    }

    pub(crate) fn datagram(&mut self, at: Instant, datagram: &Datagram<'_>) -> io::Result<()> {
        if !datagram.out {
            let message = Message::parse(datagram.bytes).ok();
            if let Some(location) = message.and_then(|message| crate::decode::location(&message)) {
                self.location = location;
            }
        }
        match &mut self.form {
            Form::Ladder(ladder) => ladder.datagram(&mut self.out, at, datagram),
            Form::Json => json::datagram(&mut self.out, at, datagram),
        }
    }

    pub(crate) fn event(&mut self, at: Instant, event: &Event) -> io::Result<()> {
        match &mut self.form {
            Form::Ladder(ladder) => ladder.event(&mut self.out, at, event, &self.location),
            Form::Json => json::event(&mut self.out, at, event, &self.location),
        }
    }

    /// What a server wants of the device.
    pub(crate) fn errand(&mut self, at: Instant, errand: &Errand) -> io::Result<()> {
        match &mut self.form {
            Form::Ladder(ladder) => {
                ladder.remark(at, true, &news::errand(errand));
                Ok(())
            }
            Form::Json => json::errand(&mut self.out, at, errand),
        }
    }

    /// What the device tells the client.
    pub(crate) fn command(&mut self, at: Instant, text: &str) {
        if let Form::Ladder(ladder) = &mut self.form {
            ladder.remark(at, false, text);
        }
    }

    /// What the client wants of the device, besides sending.
    pub(crate) fn order(&mut self, at: Instant, text: &str) {
        if let Form::Ladder(ladder) = &mut self.form {
            ladder.remark(at, true, text);
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
