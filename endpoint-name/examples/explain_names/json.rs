//! One JSON object a name.

use core::fmt::Debug;
use std::io::{self, Write};

use endpoint_name::lint::Lint;
use endpoint_name::{ClientName, Digits, Field, Form, LenientName, Malformed, ParseError};
use serde::Serialize;

use crate::args::options_for;
use crate::explain::{Explanation, Verdict};

#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    line: usize,
    name: &'a str,
    good: bool,
    /// The form it has or tries to have: `IMEI;IMSI;CMEI;A.B`, `urn:imei` ..., or null.
    form: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Parts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
    /// The options without which it is refused, if they are all it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meant: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lints: Vec<Remark>,
}

#[derive(Serialize)]
struct Parts<'a> {
    imei: Option<&'a str>,
    imsi: Option<&'a str>,
    cmei: Option<&'a str>,
    version: Option<String>,
}

#[derive(Serialize)]
struct Error {
    kind: String,
    field: Option<String>,
    position: usize,
    message: String,
}

#[derive(Serialize)]
struct Remark {
    severity: String,
    kind: String,
    field: String,
    position: usize,
    message: String,
}

pub(crate) fn write(
    out: &mut impl Write,
    source: &str,
    number: usize,
    explanation: &Explanation<'_>,
) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &line(source, number, explanation))?;
    writeln!(out)
}

fn line<'a>(source: &'a str, number: usize, explanation: &Explanation<'a>) -> Line<'a> {
    let empty = Line {
        source,
        line: number,
        name: explanation.name,
        good: explanation.is_good(),
        form: None,
        parts: None,
        error: None,
        needs: Vec::new(),
        canonical: None,
        meant: None,
        lints: Vec::new(),
    };
    match &explanation.verdict {
        Verdict::Good(name) => Line {
            form: Some(Form::Dm.to_string()),
            parts: Some(parts(*name)),
            needs: options_for(name.used()),
            canonical: Some(name.to_string()),
            lints: name.lints().map(remark).collect(),
            ..empty
        },
        Verdict::Refused { error, form, leniently, meant } => Line {
            form: form.as_ref().map_or_else(|error| Some(error.form()), ClientName::form).map(|form| form.to_string()),
            error: Some(refusal(error, form.err().filter(|error| error.dm().is_none()))),
            needs: leniently.map_or_else(Vec::new, |name| options_for(name.used())),
            canonical: leniently.map(|name| name.to_string()),
            meant: meant.map(|name| name.to_string()),
            ..empty
        },
        Verdict::NotText { position } => {
            let message = format!("not UTF-8 at byte {position}");
            let error = Error { kind: "NotUtf8".into(), field: None, position: *position, message };
            Line { error: Some(error), ..empty }
        }
    }
}

fn parts(name: LenientName<'_>) -> Parts<'_> {
    Parts {
        imei: name.imei().map(Digits::as_str),
        imsi: name.imsi().map(Digits::as_str),
        cmei: name.cmei(),
        version: name.version().map(|version| version.to_string()),
    }
}

/// A broken URN is explained as such.
fn refusal(error: &ParseError, urn: Option<Malformed>) -> Error {
    match urn {
        Some(urn) => {
            Error { kind: "MalformedUrn".into(), field: None, position: urn.position(), message: urn.to_string() }
        }
        None => Error {
            kind: variant(&error.kind()),
            field: error.field().as_ref().map(Field::to_string),
            position: error.position(),
            message: error.to_string(),
        },
    }
}

fn remark(lint: Lint) -> Remark {
    Remark {
        severity: lint.severity().to_string(),
        kind: variant(&lint.kind()),
        field: lint.field().to_string(),
        position: lint.position(),
        message: lint.to_string(),
    }
}

/// The name of a variant, without its data.
fn variant(kind: &impl Debug) -> String {
    format!("{kind:?}").split(' ').next().unwrap_or_default().to_string()
}
