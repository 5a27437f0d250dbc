//! Feeding a record to a fresh client.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{Header, Input, TITLE, event_line, output_line};
use crate::client::Client;
use crate::model::DataModel;

/// What was compared, and found to be the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Inputs given.
    pub inputs: usize,
    /// Orders to the runtime compared, datagrams among them.
    pub outputs: usize,
    /// Events compared.
    pub events: usize,
}

/// Where a record and its replay part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The line of the record, counted from 1.
    pub line: usize,
    /// What the record says there; empty at its end.
    pub recorded: String,
    /// What came out instead; empty when nothing did.
    pub replayed: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, recorded, replayed } = self;
        write!(f, "line {line}: recorded \"{recorded}\", replayed \"{replayed}\"")
    }
}

impl core::error::Error for Mismatch {}

/// Makes the client of a record, gives it the record's inputs, and compares all that comes out.
///
/// `application` does to the model what an [`Input::Application`] says; the model must be as it was
/// when the record began.
///
/// # Errors
/// The first line that differs, or that is none of a record.
pub fn replay<M: DataModel>(
    record: &str,
    model: &mut M,
    mut application: impl FnMut(&mut M, &str),
) -> Result<Replayed, Mismatch> {
    let mut lines = (1..).zip(record.lines()).peekable();
    let unreadable = |(line, text): (usize, &str)| Mismatch {
        line,
        recorded: text.to_string(),
        replayed: "cannot be read".to_string(),
    };
    let title = lines.next().unwrap_or((1, ""));
    if title.1 != TITLE {
        return Err(unreadable(title));
    }
    let second = lines.next().unwrap_or((2, ""));
    let header = Header::parse_line(second.1).ok_or_else(|| unreadable(second))?;
    let client = Client::new(header.config().clone(), header.start());
    let mut client = client.map_err(|_| unreadable(second))?;

    let mut replayed = Replayed::default();
    while let Some((number, line)) = lines.next() {
        let input = Input::parse_line(line).ok_or_else(|| unreadable((number, line)))?;
        if let Input::Application { text, .. } = &input {
            application(model, text);
        }
        // What a command returns shows in what comes out.
        let _ = input.apply(&mut client, model);
        replayed.inputs += 1;
        let mut last = number;
        let mut out = Vec::new();
        while let Some(output) = client.poll_output() {
            out.push(output_line(&output));
            replayed.outputs += 1;
        }
        while let Some(event) = client.poll_event() {
            out.push(event_line(&event));
            replayed.events += 1;
        }
        let mut out = out.into_iter();
        while let Some((number, recorded)) = lines.next_if(|(_, line)| !line.starts_with('>')) {
            last = number;
            let replayed = out.next().unwrap_or_default();
            if replayed != recorded {
                return Err(Mismatch { line: number, recorded: recorded.to_string(), replayed });
            }
        }
        if let Some(replayed) = out.next() {
            let (line, recorded) = lines.peek().copied().unwrap_or((last + 1, ""));
            return Err(Mismatch { line, recorded: recorded.to_string(), replayed });
        }
    }
    Ok(replayed)
}
