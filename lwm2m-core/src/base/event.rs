//! News for the application, in a bounded queue.

use alloc::collections::VecDeque;
use core::fmt;

use coap_codec::Code;

use super::origin::Origin;
use super::path::Path;
use super::table::{make_room_in_queue, reserve_queue};

/// Something that happened. Events are news only: leaving them unread changes nothing on the wire.
///
/// A server is named by its Short Server ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A bootstrap began: a Bootstrap-Request was sent, or the bootstrap server began by itself.
    BootstrapStarted,
    /// The bootstrap server finished, and its configuration is consistent.
    BootstrapFinished,
    /// The bootstrap came to nothing; the accounts are as they were before it.
    BootstrapFailed {
        /// What went wrong.
        reason: Reason,
    },
    /// A Register was accepted. [`Client::location`](crate::Client::location) tells where.
    Registered {
        /// Which server.
        server: u16,
        /// The lifetime in seconds.
        lifetime: u32,
    },
    /// A Register was refused or got no answer. The next try follows by itself.
    RegistrationFailed {
        /// Which server.
        server: u16,
        /// What went wrong.
        reason: Reason,
    },
    /// An Update was accepted.
    Updated {
        /// Which server.
        server: u16,
    },
    /// An Update was refused or got no answer. What is needed next follows by itself.
    UpdateFailed {
        /// Which server.
        server: u16,
        /// What went wrong.
        reason: Reason,
    },
    /// A De-register is over, with the server's consent or without.
    Deregistered {
        /// Which server.
        server: u16,
        /// Why the server did not confirm it, if it did not.
        unconfirmed: Option<Reason>,
    },
    /// Flight mode or power-off may go on: nothing more will be sent.
    MayProceed(Leave),
    /// No network: nothing is sent until it is back.
    Offline,
    /// Something that an operator may want to know.
    Diagnostic(Diagnostic),
    /// A value was read.
    Read {
        /// Who asked.
        origin: Origin,
        /// What was read.
        path: Path,
    },
    /// A value was written.
    Written {
        /// Who wrote.
        origin: Origin,
        /// What was written.
        path: Path,
    },
    /// A resource was executed.
    Executed {
        /// Who asked.
        origin: Origin,
        /// Which one.
        path: Path,
    },
    /// An instance was created.
    Created {
        /// Who asked.
        origin: Origin,
        /// The new instance.
        path: Path,
    },
    /// An instance, or all of an object, was deleted.
    Deleted {
        /// Who asked.
        origin: Origin,
        /// What is gone.
        path: Path,
    },
    /// A server observes a path from now on.
    Observed {
        /// Which server.
        server: u16,
        /// What it observes.
        path: Path,
    },
    /// A server observes a path no more.
    ObservationCancelled {
        /// Which server.
        server: u16,
        /// What it observed.
        path: Path,
    },
    /// A notification was sent.
    Notified {
        /// To which server.
        server: u16,
        /// The observed path.
        path: Path,
    },
    /// Notifications that were made while their server could not be told will never reach it: there was
    /// no room ([`Limits::stored`](crate::Limits::stored)), or their observation is over. What is the case
    /// now is told all the same, if it is still observed.
    NotificationsDropped {
        /// How many, since this event the last time.
        count: u32,
    },
    /// In queue mode: this server needs the device no more for now. [`Client::rest`](crate::Client::rest)
    /// says whether the others do, and until when.
    MaySleep {
        /// Which server.
        server: u16,
    },
}

#[cfg(any(feature = "log", feature = "defmt"))]
impl Event {
    /// Tells the log. No event has anything secret in it.
    fn log(&self) {
        let failed = matches!(
            self,
            Self::BootstrapFailed { .. }
                | Self::RegistrationFailed { .. }
                | Self::UpdateFailed { .. }
                | Self::NotificationsDropped { .. }
                | Self::Diagnostic(_)
        );
        #[cfg(feature = "log")]
        log::log!(target: "lwm2m", if failed { log::Level::Warn } else { log::Level::Info }, "{self:?}");
        #[cfg(feature = "defmt")]
        if failed {
            defmt::warn!("{}", defmt::Debug2Format(self));
        } else {
            defmt::info!("{}", defmt::Debug2Format(self));
        }
    }
}

/// Why something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The server answered with this code.
    Code(Code),
    /// No answer came.
    TimedOut,
    /// The server rejected the message.
    Reset,
    /// The answer could not be used: a critical option in it, or the Location is missing or too long.
    BadAnswer,
    /// The runtime could not reach the server.
    Unreachable,
    /// The message does not fit a datagram: the object list or the endpoint name is too long.
    TooLarge,
    /// The bootstrap server fell silent before it finished.
    Abandoned,
    /// There was no time left to wait for an answer.
    CutShort,
}

impl Reason {
    /// The kind of failure, as the DM terminal specification tells them apart (7.3).
    #[must_use]
    pub const fn kind(self) -> FailureKind {
        match self {
            Self::Code(Code::BAD_REQUEST | Code::UNAUTHORIZED | Code::FORBIDDEN) => FailureKind::Authentication,
            Self::Code(Code::PRECONDITION_FAILED) => FailureKind::Version,
            Self::Code(_) | Self::Reset | Self::BadAnswer | Self::TooLarge => FailureKind::Server,
            Self::TimedOut | Self::Unreachable | Self::Abandoned | Self::CutShort => FailureKind::Timeout,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(code) => {
                return match code.name() {
                    Some(name) => write!(f, "the server answered {code} {name}"),
                    None => write!(f, "the server answered {code}"),
                };
            }
            Self::TimedOut => "no answer came",
            Self::Reset => "the server rejected the message",
            Self::BadAnswer => "the answer could not be used",
            Self::TooLarge => "the message does not fit a datagram",
            Self::Unreachable => "the server could not be reached",
            Self::Abandoned => "the bootstrap server fell silent",
            Self::CutShort => "there was no time to wait for an answer",
        })
    }
}

/// The kinds of failure that an operator tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The platform does not accept this endpoint name (4.00, 4.01, 4.03).
    Authentication,
    /// The platform does not speak this version of LwM2M (4.12).
    Version,
    /// The platform has a problem of its own.
    Server,
    /// Nobody answered.
    Timeout,
}

/// What the device wanted to do when it asked the client to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leave {
    /// Enter flight mode.
    FlightMode,
    /// Power off.
    PowerOff,
}

/// Something odd that the client copes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Diagnostic {
    /// A server's lifetime is missing or not positive: the profile's default is used.
    LifetimeDefaulted {
        /// Which server.
        server: u16,
        /// The lifetime used, in seconds.
        lifetime: u32,
    },
    /// A server's lifetime is not the one that the profile expects.
    LifetimeDeviates {
        /// Which server.
        server: u16,
        /// The lifetime used, in seconds.
        lifetime: u32,
    },
    /// Bootstrap-Finish was refused with 4.06: the accounts do not fit together. The bootstrap server
    /// may repair them and finish again.
    Inconsistent(Inconsistency),
    /// The bootstrap account is gone, as its server wanted (/0/x/12): there will be no bootstrap any more.
    BootstrapAccountPurged,
}

/// Why Bootstrap-Finish is refused (OMA LwM2M 1.0, 5.2.5 leaves open what 'inconsistent' is).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Inconsistency {
    /// There is no LwM2M Server account.
    NoServerAccount,
    /// An instance of Security or Server has no partner with its Short Server ID, or two.
    Unpaired,
    /// A Short Server ID is missing, given twice, 0 or 65535.
    ShortServerId,
    /// There is more than one bootstrap account.
    TwoBootstrapServers,
    /// A mandatory resource is missing.
    Incomplete,
    /// A server's URI is no `coap` or `coaps` URI (/0/x/0).
    Uri,
    /// The security mode is not supported, has no key, or does not go with the URI (/0/x/2).
    Mode,
    /// The binding is missing or not supported (/1/x/7).
    Binding,
    /// The lifetime is missing or not positive, and the profile has no default for it (/1/x/1).
    Lifetime,
    /// An instance of Access Control is incomplete, or speaks of an instance or a server that is not
    /// there; or there are several servers and no Access Control.
    AccessControl,
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoServerAccount => "there is no server account",
            Self::Unpaired => "security and server instances do not pair up",
            Self::ShortServerId => "a short server id is missing, given twice or out of range",
            Self::TwoBootstrapServers => "there are two bootstrap accounts",
            Self::Incomplete => "a mandatory resource is missing",
            Self::Uri => "a server uri is malformed",
            Self::Mode => "a security mode is not supported or does not go with its uri",
            Self::Binding => "a binding is missing or not supported",
            Self::Lifetime => "a lifetime is missing",
            Self::AccessControl => "access control does not fit the instances and servers",
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LifetimeDefaulted { server, lifetime } => {
                write!(f, "server {server} has no valid lifetime: {lifetime} s is used")
            }
            Self::LifetimeDeviates { server, lifetime } => {
                write!(f, "server {server} has a lifetime of {lifetime} s, not the profile's default")
            }
            Self::Inconsistent(why) => write!(f, "the bootstrap server finished with faulty accounts: {why}"),
            Self::BootstrapAccountPurged => f.write_str("the bootstrap account is gone, as its server wanted"),
        }
    }
}

/// The queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    limit: usize,
    dropped: u32,
}

impl Events {
    pub(crate) fn new(limit: usize) -> Self {
        Self { queue: VecDeque::new(), limit, dropped: 0 }
    }

    /// Adds an event; the oldest makes room.
    #[inline]
    pub(crate) fn push(&mut self, event: Event) {
        #[cfg(any(feature = "log", feature = "defmt"))]
        event.log();
        if self.queue.len() == self.queue.capacity() {
            self.make_room();
        }
        // Asked once more, for the compiler: it need not know how to grow.
        if self.queue.len() < self.queue.capacity() {
            self.queue.push_back(event);
        }
    }

    /// Makes room for one more where there is none; there may never be any.
    #[cold]
    fn make_room(&mut self) {
        if self.queue.len() >= self.limit {
            self.queue.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        if self.limit > 0 {
            make_room_in_queue(&mut self.queue, self.limit);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.queue.pop_front()
    }

    pub(crate) const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Takes all the memory that it may ever need.
    pub(crate) fn reserve(&mut self) {
        reserve_queue(&mut self.queue, self.limit);
    }

    pub(crate) fn heap(&self) -> usize {
        self.queue.capacity().saturating_mul(size_of::<Event>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_event_makes_room_and_is_counted() {
        let mut events = Events::new(2);
        for server in 1..=3 {
            events.push(Event::Updated { server });
        }
        assert_eq!(events.dropped(), 1);
        assert_eq!(events.pop(), Some(Event::Updated { server: 2 }));
        assert_eq!(events.pop(), Some(Event::Updated { server: 3 }));
        assert_eq!(events.pop(), None);
    }

    #[test]
    fn a_queue_without_room_keeps_nothing() {
        let mut events = Events::new(0);
        events.push(Event::Offline);
        events.push(Event::Offline);
        assert_eq!((events.pop(), events.dropped(), events.heap()), (None, 2, 0));
    }

    #[test]
    fn a_queue_that_is_reserved_grows_no_more() {
        let mut events = Events::new(8);
        events.push(Event::Offline);
        events.reserve();
        let reserved = events.heap();
        assert_eq!(reserved, 8 * size_of::<Event>());
        (0..20).for_each(|server| events.push(Event::Updated { server }));
        assert_eq!(events.heap(), reserved);
    }

    #[test]
    fn each_has_a_text_of_its_own() {
        use alloc::collections::BTreeSet;
        use alloc::string::ToString;

        let reasons = [
            Reason::Code(Code::FORBIDDEN),
            Reason::Code(Code::from_byte(0x9F)),
            Reason::TimedOut,
            Reason::Reset,
            Reason::BadAnswer,
            Reason::TooLarge,
            Reason::Unreachable,
            Reason::Abandoned,
            Reason::CutShort,
        ];
        assert_eq!(reasons[0].to_string(), "the server answered 4.03 Forbidden");
        assert_eq!(reasons[1].to_string(), "the server answered 4.31");
        let faults = [
            Inconsistency::NoServerAccount,
            Inconsistency::Unpaired,
            Inconsistency::ShortServerId,
            Inconsistency::TwoBootstrapServers,
            Inconsistency::Incomplete,
            Inconsistency::Uri,
            Inconsistency::Mode,
            Inconsistency::Binding,
            Inconsistency::Lifetime,
            Inconsistency::AccessControl,
        ];
        let oddities = [
            Diagnostic::LifetimeDefaulted { server: 1, lifetime: 60 },
            Diagnostic::LifetimeDeviates { server: 1, lifetime: 60 },
            Diagnostic::BootstrapAccountPurged,
        ];
        let of_faults = faults.map(|fault| Diagnostic::Inconsistent(fault).to_string());
        let texts = reasons.map(|reason| reason.to_string()).into_iter();
        let texts: BTreeSet<_> = texts
            .chain(of_faults)
            .chain(faults.map(|it| it.to_string()))
            .chain(oddities.map(|it| it.to_string()))
            .collect();
        assert_eq!(texts.len(), reasons.len() + 2 * faults.len() + oddities.len(), "{texts:?}");
        assert!(texts.iter().all(|text| text.starts_with(char::is_lowercase) && !text.ends_with('.')), "{texts:?}");
    }
}
