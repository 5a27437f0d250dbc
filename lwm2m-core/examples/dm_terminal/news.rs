//! News of the client, in words.

use lwm2m_core::{Event, Leave, Origin};

use crate::decode::printable;
use crate::terminal::Errand;
use crate::values::named_path;

/// What an event says.
pub(crate) fn tell(event: &Event, location: &str) -> String {
    match *event {
        Event::BootstrapStarted => "bootstrap started".into(),
        Event::BootstrapFinished => "bootstrap finished: the account is complete".into(),
        Event::BootstrapFailed { reason } => format!("bootstrap failed: {reason}"),
        Event::Registered { server, lifetime } => {
            format!("registered with server {server} at {location} for {lifetime} s")
        }
        Event::RegistrationFailed { server, reason } => format!("not registered with server {server}: {reason}"),
        Event::Updated { server } => format!("registration with server {server} renewed"),
        Event::UpdateFailed { server, reason } => format!("registration with server {server} not renewed: {reason}"),
        Event::Deregistered { server, unconfirmed: None } => format!("de-registered from server {server}"),
        Event::Deregistered { server, unconfirmed: Some(reason) } => {
            format!("de-registered from server {server}, unconfirmed: {reason}")
        }
        Event::MayProceed(Leave::FlightMode) => "may proceed into flight mode: nothing is left to send".into(),
        Event::MayProceed(Leave::PowerOff) => "may proceed to power off: nothing is left to send".into(),
        Event::Offline => "offline: nothing is sent until the network is back".into(),
        Event::Diagnostic(diagnostic) => format!("note: {diagnostic}"),
        Event::Read { origin, path } => format!("{path} was read by {}", who(origin)),
        Event::Written { origin, path } => format!("{path} was written by {}", who(origin)),
        Event::Executed { origin, path } => format!("{} was executed by {}", named_path(path), who(origin)),
        Event::Created { origin, path } => format!("{} was created by {}", named_path(path), who(origin)),
        Event::Deleted { origin, path } => format!("{} was deleted by {}", named_path(path), who(origin)),
        Event::Observed { server, path } => format!("{path} is observed by server {server} from now on"),
        Event::ObservationCancelled { server, path } => format!("{path} is no longer observed by server {server}"),
        Event::Notified { server, path } => format!("server {server} was sent a notification of {path}"),
        // A kind that is newer than this program.
        other => format!("{other:?}"),
    }
}

/// Whether it says that something went wrong.
pub(crate) const fn is_failure(event: &Event) -> bool {
    matches!(
        event,
        Event::BootstrapFailed { .. }
            | Event::RegistrationFailed { .. }
            | Event::UpdateFailed { .. }
            | Event::Deregistered { unconfirmed: Some(_), .. }
            | Event::Diagnostic(_)
    )
}

/// What a server wants of the device.
pub(crate) fn errand(errand: &Errand) -> String {
    match errand {
        Errand::Reboot => "the device is to start again".into(),
        Errand::FactoryReset => "the device is to go back to the state of delivery".into(),
        Errand::Download(uri) => format!("the device is to download {}", printable(uri.as_bytes())),
        Errand::StopDownload => "the device is to stop the download".into(),
        Errand::Install => "the device is to install the package that it has".into(),
    }
}

/// Who caused an operation.
pub(crate) fn who(origin: Origin) -> String {
    match origin {
        Origin::Bootstrap => "bootstrap server".into(),
        Origin::Server(id) => format!("server {id}"),
        Origin::Local => "device".into(),
    }
}
