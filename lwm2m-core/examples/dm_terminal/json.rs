//! One JSON object a line: for programs that watch the terminal.

use core::fmt::Display;
use std::io::{self, Write};

use lwm2m_core::{Event, FailureKind, Instant, Leave, Reason};
use serde::Serialize;

use crate::decode::hex;
use crate::news::who;
use crate::terminal::Errand;
use crate::view::{Datagram, Passage};

/// A line: the time first, then what happened.
#[derive(Serialize)]
struct Line<'a> {
    at_ms: u64,
    #[serde(flatten)]
    news: News<'a>,
}

/// The names and fields that other programs rely on.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum News<'a> {
    Datagram {
        dir: &'a str,
        peer: &'a str,
        hex: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        fate: Option<&'a str>,
    },
    BootstrapStarted,
    BootstrapFinished,
    BootstrapFailed(Failure),
    Registered {
        server: u16,
        location: &'a str,
        lifetime: u32,
    },
    RegistrationFailed {
        server: u16,
        #[serde(flatten)]
        failure: Failure,
    },
    Updated {
        server: u16,
    },
    UpdateFailed {
        server: u16,
        #[serde(flatten)]
        failure: Failure,
    },
    Deregistered {
        server: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        unconfirmed: Option<String>,
    },
    MayProceed {
        to: &'a str,
    },
    Offline,
    Diagnostic {
        text: String,
    },
    Read {
        by: String,
        path: String,
    },
    Written {
        by: String,
        path: String,
    },
    Executed {
        by: String,
        path: String,
    },
    Created {
        by: String,
        path: String,
    },
    Deleted {
        by: String,
        path: String,
    },
    Observed {
        server: u16,
        path: String,
    },
    ObservationCancelled {
        server: u16,
        path: String,
    },
    Notified {
        server: u16,
        path: String,
    },
    /// A server wants something that is for the device to do.
    Asked {
        to: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        uri: Option<&'a str>,
    },
}

/// Why something failed: the code when there is one, and words in any case.
#[derive(Serialize)]
struct Failure {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    reason: String,
    kind: &'static str,
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        let code = if let Reason::Code(code) = reason { Some(code.to_string()) } else { None };
        let kind = match reason.kind() {
            FailureKind::Authentication => "authentication",
            FailureKind::Version => "version",
            FailureKind::Server => "server",
            FailureKind::Timeout => "timeout",
        };
        Self { code, reason: reason.to_string(), kind }
    }
}

pub(crate) fn datagram(out: &mut dyn Write, at: Instant, datagram: &Datagram<'_>) -> io::Result<()> {
    let fate = match &datagram.passage {
        Passage::Arrives => None,
        Passage::Stopped(why) => Some(why.as_str()),
    };
    let dir = if datagram.out { "out" } else { "in" };
    print(out, at, News::Datagram { dir, peer: datagram.host, hex: hex(datagram.bytes), fate })
}

pub(crate) fn event(out: &mut dyn Write, at: Instant, event: &Event, location: &str) -> io::Result<()> {
    let news = match *event {
        Event::BootstrapStarted => News::BootstrapStarted,
        Event::BootstrapFinished => News::BootstrapFinished,
        Event::BootstrapFailed { reason } => News::BootstrapFailed(reason.into()),
        Event::Registered { server, lifetime } => News::Registered { server, location, lifetime },
        Event::RegistrationFailed { server, reason } => News::RegistrationFailed { server, failure: reason.into() },
        Event::Updated { server } => News::Updated { server },
        Event::UpdateFailed { server, reason } => News::UpdateFailed { server, failure: reason.into() },
        Event::Deregistered { server, unconfirmed } => {
            News::Deregistered { server, unconfirmed: unconfirmed.map(text) }
        }
        Event::MayProceed(Leave::FlightMode) => News::MayProceed { to: "flight_mode" },
        Event::MayProceed(Leave::PowerOff) => News::MayProceed { to: "power_off" },
        Event::Offline => News::Offline,
        Event::Diagnostic(diagnostic) => News::Diagnostic { text: text(diagnostic) },
        Event::Read { origin, path } => News::Read { by: who(origin), path: text(path) },
        Event::Written { origin, path } => News::Written { by: who(origin), path: text(path) },
        Event::Executed { origin, path } => News::Executed { by: who(origin), path: text(path) },
        Event::Created { origin, path } => News::Created { by: who(origin), path: text(path) },
        Event::Deleted { origin, path } => News::Deleted { by: who(origin), path: text(path) },
        Event::Observed { server, path } => News::Observed { server, path: text(path) },
        Event::ObservationCancelled { server, path } => News::ObservationCancelled { server, path: text(path) },
        Event::Notified { server, path } => News::Notified { server, path: text(path) },
        // Later kinds have a name only.
        other => News::Diagnostic { text: format!("{other:?}") },
    };
    print(out, at, news)
}

pub(crate) fn errand(out: &mut dyn Write, at: Instant, errand: &Errand) -> io::Result<()> {
    let (to, uri) = match errand {
        Errand::Reboot => ("reboot", None),
        Errand::FactoryReset => ("factory_reset", None),
        Errand::Download(uri) => ("download", Some(uri.as_str())),
        Errand::StopDownload => ("stop_download", None),
        Errand::Install => ("install", None),
    };
    print(out, at, News::Asked { to, uri })
}

fn print(out: &mut dyn Write, at: Instant, news: News<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { at_ms: at.as_millis(), news })?;
    out.write_all(b"\n")?;
    out.flush()
}

fn text(it: impl Display) -> String {
    it.to_string()
}
