//! Bootstrap, begun by the client or by the bootstrap server (OMA LwM2M 1.0, 5.2; DM terminal
//! specification 7.2).

use alloc::boxed::Box;
use alloc::vec::Vec;

use coap_codec::{Code, Message};

use super::registration::Registration;
use super::{Lifecycle, World, backoff};
use crate::base::config::Config;
use crate::base::event::{Diagnostic, Event, Events, Reason};
use crate::base::path::Path;
use crate::base::profile::Backoff;
use crate::base::rng::Generator;
use crate::base::table::Places;
use crate::base::time::{Instant, Micros};
use crate::exchange::ExchangeId;
use crate::objects::Accounts;
use crate::objects::security::{Instance, Mode};

/// Where the bootstrap stands. Each state holds what it needs, and its deadline. The fields lie in their order here:
/// the short ones come first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Bootstrap {
    /// Not wanted.
    Idle,
    /// Wanted at the first network connection; then Client Hold Off Time counts, if it is honoured.
    Boot,
    /// A Bootstrap-Request is due at `at`.
    Wanted { failures: u8, at: Instant },
    /// The Bootstrap-Request is on its way; a command may come before its answer.
    Requesting { failures: u8, exchange: ExchangeId, before: Box<Accounts> },
    /// The bootstrap server sends commands; `until` it must have sent the next one.
    Receiving { failures: u8, before: Box<Accounts>, until: Instant },
}

/// What becomes of the session in which a bootstrap finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parting {
    /// The bootstrap server may begin again in it.
    Stays,
    /// Only repetitions are answered in it, until it is sure that none comes any more.
    Lingers,
    /// It is closed before anybody is registered with (OMA LwM2M 1.0, 7.1: a DTLS session each).
    Closes,
}

impl Bootstrap {
    pub(crate) fn due(&self, now: Instant) -> bool {
        matches!(self, Self::Wanted { at, .. } if *at <= now)
    }

    pub(crate) const fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Wanted { at, .. } => Some(*at),
            Self::Receiving { until, .. } => Some(*until),
            Self::Idle | Self::Boot | Self::Requesting { .. } => None,
        }
    }

    /// Whether a bootstrap is going on: its server sends commands, and others are not heard.
    pub(crate) const fn is_running(&self) -> bool {
        matches!(self, Self::Requesting { .. } | Self::Receiving { .. })
    }

    /// Whether servers have to wait: for as long as a bootstrap is wanted or runs, since it may change what they are.
    pub(crate) const fn holds_servers_back(&self) -> bool {
        !matches!(self, Self::Idle)
    }

    /// The network is there for the first time, or again: then a long pause between tries becomes
    /// the shortest one, and those after it grow from there.
    pub(crate) fn network_up(&mut self, now: Instant, hold_off: Micros, policy: &Backoff, generator: &mut Generator) {
        match self {
            Self::Boot => *self = Self::Wanted { at: now + hold_off, failures: 0 },
            Self::Wanted { at, failures } if *at > now + policy.first => {
                *at = (*at).min(now + backoff::pause(policy, 1, generator));
                *failures = 1;
            }
            _ => {}
        }
    }

    /// The Bootstrap-Request left. `before` is what a failure brings back.
    pub(crate) fn sent(&mut self, exchange: ExchangeId, before: &Accounts, events: &mut Events) {
        if let Self::Wanted { failures, .. } = *self {
            events.push(Event::BootstrapStarted);
            *self = Self::Requesting { exchange, failures, before: Box::new(before.clone()) };
        }
    }

    /// The bootstrap server changes something although nobody asked it to: a bootstrap begins that it
    /// initiated (OMA LwM2M 1.0, 5.2.3.4). In one that is going on this changes nothing.
    pub(crate) fn begin(&mut self, now: Instant, before: &Accounts, config: &Config, events: &mut Events) {
        let failures = match self {
            Self::Requesting { .. } | Self::Receiving { .. } => return,
            Self::Wanted { failures, .. } => *failures,
            Self::Idle | Self::Boot => 0,
        };
        events.push(Event::BootstrapStarted);
        *self = Self::Receiving { until: now + config.bootstrap.silence, failures, before: Box::new(before.clone()) };
    }

    pub(crate) fn owns(&self, exchange: ExchangeId) -> bool {
        matches!(self, Self::Requesting { exchange: own, .. } if *own == exchange)
    }

    /// Takes the answer to the Bootstrap-Request, or its failure.
    pub(crate) fn answered(&mut self, now: Instant, answer: Result<&Message<'_>, Reason>, world: &mut World<'_>) {
        match answer {
            Ok(message) if message.code() == Code::CHANGED => self.heard(now, world.config),
            Ok(message) => self.failed(now, Reason::Code(message.code()), world),
            Err(reason) => self.failed(now, reason, world),
        }
    }

    /// The bootstrap server said something: it has so long for the next command.
    pub(crate) fn heard(&mut self, now: Instant, config: &Config) {
        let state = core::mem::replace(self, Self::Idle);
        *self = match state {
            Self::Requesting { failures, before, .. } | Self::Receiving { failures, before, .. } => {
                Self::Receiving { until: now + config.bootstrap.silence, failures, before }
            }
            other => other,
        };
    }

    /// The bootstrap server has been silent for too long.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        matches!(self, Self::Receiving { until, .. } if *until <= now)
    }

    /// What becomes of the session when the bootstrap finishes with these accounts.
    pub(crate) fn parting(&self, accounts: &Accounts, config: &Config) -> Parting {
        let (Self::Requesting { before, .. } | Self::Receiving { before, .. }) = self else {
            return Parting::Lingers;
        };
        let (made_for, now) = (before.0.bootstrap_server(), accounts.0.bootstrap_server());
        let (made_for, now) = (made_for.map(Instance::place), now.map(Instance::place));
        match made_for {
            made_for if made_for == now && config.bootstrap.server_initiated => Parting::Stays,
            Some((_, mode)) if mode != Some(Mode::NoSec) => Parting::Closes,
            _ => Parting::Lingers,
        }
    }

    /// Bootstrap-Finish: the accounts from before when those of now fit together, and what is lost with
    /// servers that are gone; else 4.06, and the server may repair them (OMA LwM2M 1.0, 5.2.5.3).
    pub(crate) fn finish(
        &mut self,
        accounts: &mut Accounts,
        config: &Config,
        events: &mut Events,
        exists: &dyn Fn(u16, u16) -> bool,
    ) -> Result<(Accounts, Vec<Path>), Code> {
        let (Self::Requesting { before, .. } | Self::Receiving { before, .. }) = self else {
            return Err(Code::METHOD_NOT_ALLOWED);
        };
        match accounts.settle(before, config.bootstrap.at_every_start, exists) {
            Ok((settled, lost)) => {
                *accounts = settled;
                events.push(Event::BootstrapFinished);
                let before = before.clone();
                *self = Self::Idle;
                Ok((*before, lost))
            }
            Err(why) => {
                events.push(Event::Diagnostic(Diagnostic::Inconsistent(why)));
                Err(Code::NOT_ACCEPTABLE)
            }
        }
    }

    /// The bootstrap came to nothing: the accounts are as before, and with one among them the
    /// client goes on with it (reading A14); otherwise it tries again after a pause.
    pub(crate) fn failed(&mut self, now: Instant, reason: Reason, world: &mut World<'_>) {
        let failures = match core::mem::replace(self, Self::Idle) {
            Self::Requesting { failures, before, .. } | Self::Receiving { failures, before, .. } => {
                *world.accounts = *before;
                failures
            }
            Self::Wanted { failures, .. } => failures,
            Self::Idle | Self::Boot => return,
        };
        world.events.push(Event::BootstrapFailed { reason });
        if world.accounts.servers().next().is_none() {
            let failures = failures.saturating_add(1);
            let at = now + backoff::pause(&world.config.bootstrap.backoff, failures, world.generator);
            *self = Self::Wanted { at, failures };
        }
    }

    /// The network went away: the accounts are as before, and the bootstrap begins anew when it is
    /// back.
    pub(crate) fn interrupted(&mut self, now: Instant, accounts: &mut Accounts) {
        let state = core::mem::replace(self, Self::Idle);
        *self = match state {
            Self::Requesting { failures, before, .. } | Self::Receiving { failures, before, .. } => {
                *accounts = *before;
                Self::Wanted { at: now, failures }
            }
            other => other,
        };
    }
}

impl Lifecycle {
    /// Every server failed so often in a row that the bootstrap server is asked again
    /// (OMA LwM2M 1.0, 5.2.2); and once more with every further round of failures of `server`, after a pause of
    /// its own: what the first one brought was of no help.
    pub(super) fn reconsider_bootstrap(&mut self, now: Instant, server: u16, world: &mut World<'_>) {
        let World { accounts, config, generator, .. } = world;
        let enough = config.bootstrap.after_failures;
        let failures = self.registration_of(server).map_or(0, Registration::failures);
        let round = failures > 0 && (failures.checked_rem(enough) == Some(0) || (enough > 0 && failures == u8::MAX));
        let all = round && self.registrations.iter().all(|registration| registration.failures() >= enough);
        if all && self.bootstrap == Bootstrap::Idle && accounts.0.bootstrap_server().is_some() {
            // Where the count ends, each failure is a round.
            let rounds = if failures == u8::MAX { Some(failures) } else { failures.checked_div(enough) };
            let pause = match rounds {
                Some(rounds @ 2..) => backoff::pause(&config.bootstrap.backoff, rounds.saturating_sub(1), generator),
                _ => Micros(0),
            };
            let at = now + hold_off(accounts, config).max(pause);
            self.bootstrap = Bootstrap::Wanted { at, failures: 0 };
        }
    }

    /// A command of the bootstrap server came, which may change something.
    pub(crate) fn bootstrap_command(
        &mut self,
        now: Instant,
        changes: bool,
        accounts: &Accounts,
        config: &Config,
        events: &mut Events,
    ) {
        if changes {
            self.bootstrap.begin(now, accounts, config, events);
        }
        self.bootstrap.heard(now, config);
    }

    /// Bootstrap-Finish came. Either every server is registered with from now on, and what is lost with
    /// those that are gone is to be deleted; or the code to answer. `exists` is asked for instances, and
    /// with 65535 for objects.
    pub(crate) fn bootstrap_finish(
        &mut self,
        now: Instant,
        accounts: &mut Accounts,
        config: &Config,
        events: &mut Events,
        exists: &dyn Fn(u16, u16) -> bool,
    ) -> Result<Vec<Path>, Code> {
        let (before, lost) = self.bootstrap.finish(accounts, config, events, exists)?;
        let timeout = accounts.0.bootstrap_server().and_then(|account| account.account_timeout);
        let timeout = timeout.filter(|seconds| *seconds > 0);
        self.purge_at = timeout.map(|seconds| now.after_seconds(seconds));
        self.enrol_after(now, &before, accounts);
        Ok(lost)
    }

    /// The bootstrap server wanted its account to end: there is no bootstrap after that
    /// (OMA LwM2M 1.0, Appendix D.1.1).
    pub(super) fn purge_bootstrap_account(&mut self, world: &mut World<'_>) {
        self.purge_at = None;
        self.bootstrap = Bootstrap::Idle;
        world.accounts.0.instances.keep(&mut |security| !security.is_bootstrap_server());
        world.events.push(Event::Diagnostic(Diagnostic::BootstrapAccountPurged));
    }

    /// Whether there may be anything to do for the bootstrap server, or with what it sends.
    pub(crate) fn heeds_bootstrap_server(&self, config: &Config) -> bool {
        !matches!(self.bootstrap, Bootstrap::Idle) || config.bootstrap.server_initiated
    }

    /// Whether the bootstrap server has a session in which it may begin by itself.
    pub(crate) fn keeps_bootstrap_session(&self, accounts: &Accounts, config: &Config) -> bool {
        config.bootstrap.server_initiated && accounts.0.bootstrap_server().is_some()
    }
}

/// How long a Bootstrap-Request waits, for the bootstrap server to begin by itself (/0/x/11); the DM
/// profile does not wait (reading A13).
pub(super) fn hold_off(accounts: &Accounts, config: &Config) -> Micros {
    let seconds = accounts.0.bootstrap_server().and_then(|account| account.hold_off);
    let seconds = seconds.filter(|_| config.bootstrap.honour_hold_off).unwrap_or(0);
    Micros::of_seconds(seconds)
}
