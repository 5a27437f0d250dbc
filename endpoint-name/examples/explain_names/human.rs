//! A name and what there is to say about it, with a caret below the byte in question.

use core::fmt;
use std::io::{self, Write};

use endpoint_name::{ClientName, Leniency, LenientName};

use crate::args::options_for;
use crate::explain::{Explanation, Verdict};

pub(crate) fn write(
    out: &mut impl Write,
    source: &str,
    number: usize,
    explanation: &Explanation<'_>,
) -> io::Result<()> {
    let verdict = if explanation.is_good() { "good" } else { "refused" };
    let shown = Shown(explanation.name);
    writeln!(out, "{source}:{number}: {verdict}")?;
    writeln!(out, "    {shown}")?;
    match &explanation.verdict {
        Verdict::Good(name) => {
            for lint in name.lints() {
                let remark = format!("{}: {lint}", lint.severity());
                shown.point(out, lint.position(), &remark)?;
            }
            if name.used() != Leniency::STRICT {
                writeln!(out, "    good with {}", accepted(*name))?;
            }
        }
        Verdict::NotText { position } => shown.point(out, *position, &format!("not UTF-8 at byte {position}"))?,
        Verdict::Refused { error, form, leniently, meant } => {
            match form {
                Ok(ClientName::Dm(_) | ClientName::Plain(_)) => {
                    shown.point(out, error.position(), &error.to_string())?
                }
                Ok(other) => match other.form() {
                    Some(form) => writeln!(out, "    a {form} name, which is not one of the DM specification")?,
                    None => writeln!(out, "    another URN, which is not a name of the DM specification")?,
                },
                // This may know less than the parser that was told what to allow.
                Err(malformed) if malformed.dm().is_some() => shown.point(out, error.position(), &error.to_string())?,
                Err(malformed) => shown.point(out, malformed.position(), &malformed.to_string())?,
            }
            if let Some(name) = leniently {
                writeln!(out, "    would be good with {}", accepted(*name))?;
            }
            if let Some(name) = meant {
                writeln!(out, "    perhaps this was meant: {name}")?;
            }
        }
    }
    Ok(())
}

/// The options that a name needs, and how it then reads if that is not as it was written.
fn accepted(name: LenientName<'_>) -> String {
    let options = options_for(name.used()).join(" ");
    match name.to_string() {
        canonical if canonical == name.as_written() => options,
        canonical => format!("{options}, as {canonical}"),
    }
}

/// A name of which nothing disturbs a terminal: in one line, not too long, without control characters.
struct Shown<'a>(&'a str);

/// More than the longest name; the rest of a longer one is of no use.
const CHARACTERS: usize = 100;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().take(CHARACTERS).try_for_each(|found| f.write_str(&visible(found)))?;
        match self.0.chars().nth(CHARACTERS) {
            Some(_) => write!(f, "... ({} bytes)", self.0.len()),
            None => Ok(()),
        }
    }
}

impl Shown<'_> {
    /// Writes a remark with a caret below this byte, if that is shown.
    fn point(&self, out: &mut impl Write, position: usize, remark: &str) -> io::Result<()> {
        let before = self.0.get(..position).unwrap_or(self.0);
        if before.chars().count() > CHARACTERS {
            return writeln!(out, "    {remark}");
        }
        let column: usize = before.chars().map(columns).sum();
        writeln!(out, "    {:column$}^ {remark}", "")
    }
}

fn visible(found: char) -> String {
    match found {
        // They need no escape here.
        '\'' | '"' | '\\' => found.into(),
        _ => found.escape_debug().collect(),
    }
}

/// How many columns a terminal gives to it: two to the wide characters that people type by mistake.
fn columns(found: char) -> usize {
    match found {
        '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' => 2,
        '\u{FF01}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}' | '\u{1F300}'..='\u{1FAFF}' => 2,
        _ => visible(found).chars().count(),
    }
}

/// How many names there were of each sort.
#[derive(Default)]
pub(crate) struct Totals {
    good: usize,
    warned: usize,
    pub(crate) refused: usize,
}

impl Totals {
    pub(crate) fn count(&mut self, explanation: &Explanation<'_>) {
        *(if explanation.is_good() { &mut self.good } else { &mut self.refused }) += 1;
        self.warned += usize::from(explanation.has_warnings());
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { good, warned, refused } = self;
        let names = good + refused;
        let plural = if names == 1 { "" } else { "s" };
        write!(f, "{names} name{plural}: {good} good")?;
        if *warned > 0 {
            write!(f, " ({warned} with warnings)")?;
        }
        write!(f, ", {refused} refused")
    }
}
