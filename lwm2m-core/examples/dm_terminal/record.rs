//! The record of a run, written to its file as the run goes on.

use std::fs::File;
use std::io::{self, Write};

use lwm2m_core::sim::record::{Input, Recorder};
use lwm2m_core::{Config, Event, Instant, Output};

/// A record, or nothing when none is wanted.
pub(crate) struct Record(Option<Open>);

struct Open {
    recorder: Recorder,
    file: File,
    written: usize,
}

impl Record {
    /// Begins the record of a client that is made from `config` at time zero.
    pub(crate) fn new(file: Option<File>, config: &Config) -> Result<Self, String> {
        let Some(file) = file else { return Ok(Self(None)) };
        let recorder = Recorder::new(config, Instant::ZERO).ok_or("--record: this configuration can't be recorded")?;
        Ok(Self(Some(Open { recorder, file, written: 0 })))
    }

    pub(crate) fn input(&mut self, input: &Input) {
        if let Some(open) = &mut self.0 {
            open.recorder.input(input);
        }
    }

    pub(crate) fn output(&mut self, output: &Output<'_>) {
        if let Some(open) = &mut self.0 {
            open.recorder.output(output);
        }
    }

    pub(crate) fn event(&mut self, event: &Event) {
        if let Some(open) = &mut self.0 {
            open.recorder.event(event);
        }
    }

    /// Ends the record.
    pub(crate) fn stop(&mut self) {
        self.0 = None;
    }

    /// Writes what is new.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Some(Open { recorder, file, written }) = &mut self.0 else { return Ok(()) };
        let text = recorder.text().as_bytes();
        file.write_all(text.get(*written..).unwrap_or_default())?;
        *written = text.len();
        Ok(())
    }
}
