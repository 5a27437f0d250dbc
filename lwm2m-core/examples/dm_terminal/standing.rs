//! How the terminal stands with the platform, as the client's events tell it: what the exit code
//! says in the end.

use coap_codec::Code;
use lwm2m_core::{Event, FailureKind, Reason};

/// Where the terminal stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It never was registered; the last that went wrong.
    Never(Option<Trouble>),
    Registered,
    /// It was registered, and then was not any more.
    Lost(Reason),
    /// It took its leave; what it did not hear, if it did not.
    Left(Option<Reason>),
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    with: With,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    BootstrapServer,
    Server,
}

impl Standing {
    /// Takes note of an event.
    pub(crate) fn note(&mut self, event: &Event) {
        let never = matches!(self, Self::Never(_));
        *self = match *event {
            Event::Registered { .. } => Self::Registered,
            Event::BootstrapFailed { reason } if never => {
                Self::Never(Some(Trouble { with: With::BootstrapServer, reason }))
            }
            Event::RegistrationFailed { reason, .. } if never => {
                Self::Never(Some(Trouble { with: With::Server, reason }))
            }
            Event::RegistrationFailed { reason, .. } => Self::Lost(reason),
            Event::Deregistered { unconfirmed, .. } => {
                // A server that does not know the terminal any more has it off its list, too.
                Self::Left(unconfirmed.filter(|reason| *reason != Reason::Code(Code::NOT_FOUND)))
            }
            _ => return,
        };
    }

    /// Whether the platform has said no in a way that to try again won't change. When the bootstrap
    /// server says so, a server that is known already may still say yes.
    pub(crate) fn is_refused(&self, knows_a_server: bool) -> bool {
        let Self::Never(Some(Trouble { with, reason })) = self else { return false };
        matches!(reason.kind(), FailureKind::Authentication | FailureKind::Version)
            && !(*with == With::BootstrapServer && knows_a_server)
    }

    /// Ends the program: nothing to complain about if it was registered and has left. `obstacle` is what
    /// the network had to say.
    pub(crate) fn verdict(&self, obstacle: Option<&str>) -> Result<(), String> {
        Err(match self {
            Self::Left(None) => return Ok(()),
            Self::Left(Some(reason)) => format!("the server did not confirm the de-registration: {reason}"),
            Self::Registered => "it was registered, and ended without taking its leave".into(),
            Self::Lost(reason) => format!("it was registered, but not any more when it ended: {reason}"),
            Self::Never(Some(trouble)) => trouble.complaint(obstacle),
            Self::Never(None) => format!("never registered: {}", obstacle.unwrap_or("it ended before that")),
        })
    }
}

impl Trouble {
    fn complaint(self, obstacle: Option<&str>) -> String {
        let with = match self.with {
            With::BootstrapServer => "the bootstrap server",
            With::Server => "the server",
        };
        let reason = self.reason;
        match (reason.kind(), reason) {
            (FailureKind::Authentication, Reason::Code(code)) => {
                format!("the platform refused the endpoint name: {with} answered {code:?}")
            }
            (FailureKind::Version, Reason::Code(code)) => {
                format!("the platform does not speak LwM2M 1.0: {with} answered {code:?}")
            }
            (_, Reason::Code(code)) => format!("never registered: {with} answered {code:?}"),
            (_, reason) => match obstacle {
                Some(obstacle) => format!("never registered: {obstacle}"),
                None => format!("never registered: {with}: {reason}"),
            },
        }
    }
}
