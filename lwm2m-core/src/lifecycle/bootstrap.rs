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
use crate::base::time::{Instant, Micros};
use crate::exchange::ExchangeId;
use crate::model::DataModel;
use crate::objects::Accounts;
use crate::objects::rows::Row;
use crate::objects::security::{self, ACCOUNT_TIMEOUT, HOLD_OFF, NO_SEC};

/// Where the bootstrap stands. Each state holds what it needs, and its deadline. The fields lie in their order here:
/// the short ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Bootstrap {
    /// Not wanted.
    Idle,
    /// Wanted at the first network connection; then Client Hold Off Time counts, if it is honoured.
    Boot,
    /// A Bootstrap-Request is due at `at`.
    Wanted { failures: u8, at: Instant },
    /// The Bootstrap-Request is on its way; a command may come before its answer.
    Requesting { failures: u8, exchange: ExchangeId },
    /// The bootstrap server sends commands; `until` it must have sent the next one.
    Receiving { failures: u8, until: Instant },
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
    pub(crate) fn network_up(&mut self, world: &mut World<'_>) {
        let (now, policy) = (world.now, &world.config.bootstrap.backoff);
        match self {
            Self::Boot => *self = Self::Wanted { at: now + hold_off(world.accounts, world.config), failures: 0 },
            Self::Wanted { at, failures } if *at > now + policy.first => {
                *at = (*at).min(now + backoff::pause(policy, 1, world.generator));
                *failures = 1;
            }
            _ => {}
        }
    }

    pub(crate) fn owns(&self, exchange: ExchangeId) -> bool {
        matches!(self, Self::Requesting { exchange: own, .. } if *own == exchange)
    }

    /// The bootstrap server has been silent for too long.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        matches!(self, Self::Receiving { until, .. } if *until <= now)
    }
}

impl Lifecycle {
    /// The Bootstrap-Request left.
    pub(super) fn bootstrap_sent(&mut self, exchange: ExchangeId, accounts: &Accounts, events: &mut Events) {
        if let Bootstrap::Wanted { failures, .. } = self.bootstrap {
            self.begin_bootstrap(accounts, events);
            self.bootstrap = Bootstrap::Requesting { failures, exchange };
        }
    }

    /// The accounts of now are what a failure brings back.
    fn begin_bootstrap(&mut self, accounts: &Accounts, events: &mut Events) {
        events.push(Event::BootstrapStarted);
        self.before = Some(Box::new(accounts.clone()));
    }

    fn restore_accounts(&mut self, accounts: &mut Accounts) {
        if let Some(before) = self.before.take() {
            *accounts = *before;
        }
    }

    /// Takes the answer to the Bootstrap-Request, or its failure.
    pub(super) fn bootstrap_answered(&mut self, answer: Result<&Message<'_>, Reason>, world: &mut World<'_>) {
        match answer {
            Ok(message) if message.code() == Code::CHANGED => {
                self.bootstrap_command(world.now, false, world.accounts, world.config, world.events);
            }
            Ok(message) => self.bootstrap_failed(Reason::Code(message.code()), world),
            Err(reason) => self.bootstrap_failed(reason, world),
        }
    }

    /// A command of the bootstrap server came: it has so long for the next one. Where it may change something and nobody
    /// asked it to, a bootstrap begins that it initiated (OMA LwM2M 1.0, 5.2.3.4).
    pub(crate) fn bootstrap_command(
        &mut self,
        now: Instant,
        changes: bool,
        accounts: &Accounts,
        config: &Config,
        events: &mut Events,
    ) {
        let failures = match self.bootstrap {
            Bootstrap::Requesting { failures, .. } | Bootstrap::Receiving { failures, .. } => failures,
            _ if !changes => return,
            initiated => {
                self.begin_bootstrap(accounts, events);
                if let Bootstrap::Wanted { failures, .. } = initiated { failures } else { 0 }
            }
        };
        self.bootstrap = Bootstrap::Receiving { failures, until: now + config.bootstrap.silence };
    }

    /// What becomes of the session when the bootstrap finishes with these accounts.
    pub(crate) fn parting(&self, accounts: &Accounts, config: &Config) -> Parting {
        let Some(before) = &self.before else { return Parting::Lingers };
        let [made_for, now] = [&**before, accounts].map(|accounts| accounts.bootstrap_server().map(Row::place));
        match made_for {
            made_for if made_for == now && config.bootstrap.server_initiated => Parting::Stays,
            Some((_, mode)) if mode != Some(NO_SEC) => Parting::Closes,
            _ => Parting::Lingers,
        }
    }

    /// The bootstrap came to nothing: the accounts are as before, and with one among them the
    /// client goes on with it (reading A14); otherwise it tries again after a pause.
    pub(super) fn bootstrap_failed(&mut self, reason: Reason, world: &mut World<'_>) {
        let failures = match self.bootstrap {
            Bootstrap::Requesting { failures, .. }
            | Bootstrap::Receiving { failures, .. }
            | Bootstrap::Wanted { failures, .. } => failures,
            Bootstrap::Idle | Bootstrap::Boot => return,
        };
        self.bootstrap = Bootstrap::Idle;
        self.restore_accounts(world.accounts);
        world.events.push(Event::BootstrapFailed { reason });
        if world.accounts.servers().next().is_none() {
            let failures = failures.saturating_add(1);
            let at = world.now + backoff::pause(&world.config.bootstrap.backoff, failures, world.generator);
            self.bootstrap = Bootstrap::Wanted { at, failures };
        }
    }

    /// The network went away: the accounts are as before, and the bootstrap begins anew when it is
    /// back.
    pub(super) fn interrupt_bootstrap(&mut self, now: Instant, accounts: &mut Accounts) {
        if let Bootstrap::Requesting { failures, .. } | Bootstrap::Receiving { failures, .. } = self.bootstrap {
            self.restore_accounts(accounts);
            self.bootstrap = Bootstrap::Wanted { at: now, failures };
        }
    }

    /// Every server failed so often in a row that the bootstrap server is asked again
    /// (OMA LwM2M 1.0, 5.2.2); and once more with every further round that all have gone through, after a pause of
    /// its own: what the first one brought was of no help. A round ends with the one that failed least often: `server`, if
    /// it is that.
    pub(super) fn reconsider_bootstrap(&mut self, server: u16, world: &mut World<'_>) {
        let World { now, accounts, config, generator, .. } = world;
        let enough = config.bootstrap.after_failures;
        let failures = self.registration_of(server).map_or(0, Registration::failures);
        let round = failures > 0 && (failures.checked_rem(enough) == Some(0) || (enough > 0 && failures == u8::MAX));
        let all = round && self.registrations.iter().all(|registration| registration.failures() >= failures);
        if all && self.bootstrap == Bootstrap::Idle && accounts.bootstrap_server().is_some() {
            // Where the count ends, each failure is a round.
            let rounds = if failures == u8::MAX { Some(failures) } else { failures.checked_div(enough) };
            let pause = match rounds {
                Some(rounds @ 2..) => backoff::pause(&config.bootstrap.backoff, rounds.saturating_sub(1), generator),
                _ => Micros(0),
            };
            let at = *now + hold_off(accounts, config).max(pause);
            self.bootstrap = Bootstrap::Wanted { at, failures: 0 };
        }
    }

    /// Bootstrap-Finish came. Where the accounts fit together every server is registered with from now on, and what is
    /// lost with those that are gone is to be deleted from the `model`; else it is the code to answer, and the server may
    /// repair them (OMA LwM2M 1.0, 5.2.5.3).
    pub(crate) fn bootstrap_finish(
        &mut self,
        now: Instant,
        accounts: &mut Accounts,
        config: &Config,
        events: &mut Events,
        model: &dyn DataModel,
    ) -> Result<Vec<Path>, Code> {
        let Some(before) = &self.before else { return Err(Code::METHOD_NOT_ALLOWED) };
        let (settled, lost) = accounts.settle(before, config.bootstrap.at_every_start, model).map_err(|why| {
            events.push(Event::Diagnostic(Diagnostic::Inconsistent(why)));
            Code::NOT_ACCEPTABLE
        })?;
        *accounts = settled;
        events.push(Event::BootstrapFinished);
        self.bootstrap = Bootstrap::Idle;
        let timeout = accounts.bootstrap_server().and_then(|account| account.number(ACCOUNT_TIMEOUT));
        let timeout = timeout.filter(|seconds| *seconds > 0);
        self.purge_at = timeout.map(|seconds| now.after_seconds(seconds));
        if let Some(before) = self.before.take() {
            self.enrol(now, &before, accounts);
        }
        Ok(lost)
    }

    /// The bootstrap server wanted its account to end: there is no bootstrap after that
    /// (OMA LwM2M 1.0, Appendix D.1.1).
    pub(super) fn purge_bootstrap_account(&mut self, world: &mut World<'_>) {
        self.purge_at = None;
        self.bootstrap = Bootstrap::Idle;
        world.accounts.keep(security::ID, &mut |own| !own.is_bootstrap_server());
        world.events.push(Event::Diagnostic(Diagnostic::BootstrapAccountPurged));
    }

    /// Whether there may be anything to do for the bootstrap server, or with what it sends.
    pub(crate) fn heeds_bootstrap_server(&self, config: &Config) -> bool {
        !matches!(self.bootstrap, Bootstrap::Idle) || config.bootstrap.server_initiated
    }

    /// Whether the bootstrap server has a session in which it may begin by itself.
    pub(crate) fn keeps_bootstrap_session(&self, accounts: &Accounts, config: &Config) -> bool {
        config.bootstrap.server_initiated && accounts.bootstrap_server().is_some()
    }
}

/// How long a Bootstrap-Request waits, for the bootstrap server to begin by itself (/0/x/11); the DM
/// profile does not wait (reading A13).
pub(super) fn hold_off(accounts: &Accounts, config: &Config) -> Micros {
    let seconds = accounts.bootstrap_server().and_then(|account| account.number(HOLD_OFF));
    let seconds = seconds.filter(|_| config.bootstrap.honour_hold_off).unwrap_or(0);
    Micros::of_seconds(seconds)
}
