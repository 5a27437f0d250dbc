//! Registration with one server: Register, Update, De-register
//! (OMA LwM2M 1.0, 5.3; DM terminal specification 7.3 to 7.5).

use coap_codec::{Code, Message};

use super::contact::Contact;
use super::location::Location;
use super::{World, backoff};
use crate::base::config::Config;
use crate::base::divide::divide;
use crate::base::event::{Event, Events, Reason};
use crate::base::profile::RegistrationPolicy;
use crate::base::rng::{Generator, share};
use crate::base::time::{Instant, Micros};
use crate::exchange::ExchangeId;
use crate::objects::Accounts;
use crate::objects::server::Binding;

/// The registration with one server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Registration {
    /// Short Server ID.
    pub(crate) server: u16,
    pub(crate) state: State,
    pub(crate) contact: Contact,
    /// Where the server put it last.
    pub(crate) location: Location,
}

/// Where a registration stands. Each state holds what it needs, and its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum State {
    /// A Register is due at `at`.
    Unregistered { at: Instant, failures: u8 },
    /// A Register is on its way.
    Registering { failures: u8, exchange: ExchangeId, sent: Instant, terms: Terms },
    /// The server knows us by this lease.
    Known { lease: Lease, phase: Phase },
    /// The server disabled the client (/1/x/4) until then.
    Disabled { until: Instant },
    /// Not registered, and not wanted to be.
    Gone,
}

/// How it goes on with a server that knows us. The fields lie in their order here: the short ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Registered; an Update is due at `update_at`.
    Registered { update_at: Instant, failures: u8 },
    /// Registered, and an Update is on its way.
    Updating { failures: u8, exchange: ExchangeId, sent: Instant, terms: Terms },
    /// A De-register is due.
    Leaving { then: Then },
    /// A De-register is on its way.
    Deregistering { exchange: ExchangeId, then: Then },
}

/// What follows a De-register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Then {
    Gone,
    Disabled { seconds: u32 },
}

impl Then {
    fn state(self, now: Instant) -> State {
        match self {
            Self::Gone => State::Gone,
            Self::Disabled { seconds } => State::Disabled { until: now.after_seconds(seconds) },
        }
    }
}

/// What the server granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    pub(crate) terms: Terms,
    /// When the lifetime ends, counted from when the request left: the server counts from later.
    pub(crate) expires: Instant,
}

impl Lease {
    /// The Update that tells what is different from what the server was told.
    fn update_to(&self, terms: Terms) -> Request {
        Request::Update {
            lifetime: terms.lifetime != self.terms.lifetime,
            binding: terms.binding != self.terms.binding,
            objects: terms.objects != self.terms.objects,
        }
    }
}

/// What the server was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Terms {
    /// Lifetime in seconds.
    pub(crate) lifetime: u32,
    pub(crate) binding: Binding,
    /// Digest of the object list.
    pub(crate) objects: u64,
}

/// The request that a registration wants to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Register,
    /// An Update with what changed since the last one (OMA LwM2M 1.0, 5.3.2).
    Update {
        lifetime: bool,
        binding: bool,
        objects: bool,
    },
    Deregister,
}

/// What the client must do besides, once an answer was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Nothing,
    /// The server forgot earlier observations: so must we (OMA LwM2M 1.0, 5.3.1).
    Registered,
    /// Nothing more is sent to this server.
    Left,
}

impl Registration {
    /// A registration that is due at `at`.
    pub(crate) fn due_at(server: u16, at: Instant) -> Self {
        let (state, contact) = (State::Unregistered { at, failures: 0 }, Contact::Heard { last: at });
        Self { server, state, contact, location: Location::default() }
    }

    /// What is to be sent now, given what the server should be told.
    pub(crate) fn due(&self, now: Instant, terms: Terms) -> Option<Request> {
        match &self.state {
            State::Unregistered { at, .. } if *at <= now => Some(Request::Register),
            State::Disabled { until } if *until <= now => Some(Request::Register),
            State::Known { lease, phase } => match phase {
                Phase::Registered { .. } if lease.expires <= now => Some(Request::Register),
                Phase::Registered { update_at, .. } if *update_at <= now => Some(lease.update_to(terms)),
                Phase::Leaving { .. } => Some(Request::Deregister),
                _ => None,
            },
            _ => None,
        }
    }

    /// What the server granted, if an Update is due.
    pub(crate) fn lease_to_extend(&self, now: Instant) -> Option<&Lease> {
        match &self.state {
            State::Known { lease, phase: Phase::Registered { update_at, .. } } => {
                Some(lease).filter(|lease| *update_at <= now && lease.expires > now)
            }
            _ => None,
        }
    }

    /// When something is due by itself in a registration that [is calm](Self::is_calm).
    pub(crate) fn poll_calm(&self) -> Option<Instant> {
        match &self.state {
            State::Known { lease, phase: Phase::Registered { update_at, .. } } => Some(lease.expires.min(*update_at)),
            _ => None,
        }
    }

    /// When something is due by itself.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Known { lease, phase } => match phase {
                Phase::Registered { update_at, .. } => Some(lease.expires.min(*update_at)),
                Phase::Leaving { .. } => Some(Instant::ZERO),
                Phase::Updating { .. } | Phase::Deregistering { .. } => None,
            },
            State::Unregistered { at, .. } => Some(*at),
            State::Disabled { until } => Some(*until),
            State::Registering { .. } | State::Gone => None,
        }
    }

    /// The request left.
    pub(crate) fn sent(&mut self, now: Instant, request: Request, terms: Terms, exchange: ExchangeId) {
        match (request, &mut self.state) {
            (Request::Update { .. }, _) => self.sent_update(now, terms, exchange),
            (Request::Deregister, State::Known { phase, .. }) => {
                if let Phase::Leaving { then } = *phase {
                    *phase = Phase::Deregistering { exchange, then };
                }
            }
            (Request::Register, state) => {
                let failures = if let State::Unregistered { failures, .. } = state { *failures } else { 0 };
                *state = State::Registering { exchange, sent: now, terms, failures };
            }
            // Neither is due without a lease.
            _ => {}
        }
    }

    /// The Update left.
    pub(crate) fn sent_update(&mut self, now: Instant, terms: Terms, exchange: ExchangeId) {
        if let State::Known { phase, .. } = &mut self.state
            && let Phase::Registered { failures, .. } = *phase
        {
            *phase = Phase::Updating { exchange, sent: now, terms, failures };
        }
    }

    /// The request on its way, told once more with a list of these objects; and whether that is another
    /// list than the one it began with.
    pub(crate) fn goes_on(&mut self, objects: u64) -> Option<(Request, Terms, bool)> {
        let terms = match &mut self.state {
            State::Registering { terms, .. } | State::Known { phase: Phase::Updating { terms, .. }, .. } => terms,
            State::Known { lease, phase: Phase::Deregistering { .. } } => {
                return Some((Request::Deregister, lease.terms, false));
            }
            _ => return None,
        };
        let anew = core::mem::replace(&mut terms.objects, objects) != objects;
        let terms = *terms;
        let request = self.lease().map_or(Request::Register, |lease| lease.update_to(terms));
        Some((request, terms, anew))
    }

    /// Whether the exchange is this registration's.
    pub(crate) fn owns(&self, exchange: ExchangeId) -> bool {
        match &self.state {
            State::Known { phase: Phase::Updating { exchange: own, .. }, .. }
            | State::Known { phase: Phase::Deregistering { exchange: own, .. }, .. }
            | State::Registering { exchange: own, .. } => *own == exchange,
            _ => false,
        }
    }

    /// Whether it is an Update that is on its way with this exchange.
    pub(crate) fn owns_update(&self, exchange: ExchangeId) -> bool {
        matches!(&self.state, State::Known { phase: Phase::Updating { exchange: own, .. }, .. } if *own == exchange)
    }

    /// Takes the answer to the request on its way, or its failure.
    pub(crate) fn answered(&mut self, answer: Result<&Message<'_>, Reason>, world: &mut World<'_>) -> Outcome {
        let patience = patience(answer, world.config);
        match self.state {
            State::Known { phase: Phase::Updating { .. }, .. } => {
                let Err(reason) = answer.and_then(|message| accept(message, Code::CHANGED)) else {
                    self.updated(&world.config.registration, world.events);
                    return Outcome::Nothing;
                };
                if reason == Reason::TimedOut {
                    self.contact = Contact::Unheard { last: world.now };
                }
                // A refusal means that the registration is gone (OMA LwM2M 1.0, 5.3.2;
                // reading A20); silence or trouble that there is time for another try.
                // 4.29 only asks for patience (RFC 8516).
                let gone = |code: Code| code.is_client_error() && code != Code::TOO_MANY_REQUESTS;
                if matches!(reason, Reason::Code(code) if gone(code)) {
                    world.events.push(Event::UpdateFailed { server: self.server, reason });
                    self.state = State::Unregistered { at: world.now, failures: 0 };
                } else {
                    self.update_failed(reason, patience, world);
                }
            }
            State::Known { phase: Phase::Deregistering { then, .. }, .. } => {
                // Whatever the answer, the server is left (reading A23).
                let unconfirmed = answer.and_then(|message| accept(message, Code::DELETED)).err();
                self.left(then, unconfirmed, world);
                return Outcome::Left;
            }
            State::Registering { sent, terms, .. } => {
                let granted = answer.and_then(|message| {
                    accept(message, Code::CREATED)?;
                    Location::of(message, world.config.limits.location).ok_or(Reason::BadAnswer)
                });
                match granted {
                    Ok(location) => {
                        world.events.push(Event::Registered { server: self.server, lifetime: terms.lifetime });
                        let policy = &world.config.registration;
                        let update_at = sent + first_update(policy, lifetime(terms), world.generator);
                        let lease = Lease { terms, expires: sent + lifetime(terms) };
                        self.location = location;
                        self.state = State::Known { lease, phase: Phase::Registered { update_at, failures: 0 } };
                        return Outcome::Registered;
                    }
                    Err(reason) => self.register_failed(reason, patience, world),
                }
            }
            _ => {}
        }
        Outcome::Nothing
    }

    /// A Register failed: the next one is due after a pause, for which the server may have asked for more.
    fn register_failed(&mut self, reason: Reason, patience: Micros, world: &mut World<'_>) {
        world.events.push(Event::RegistrationFailed { server: self.server, reason });
        let failures = self.failures().saturating_add(1);
        let pause = pause(failures, world.accounts, world.config, world.generator);
        self.state = State::Unregistered { at: world.now + pause.max(patience), failures };
    }

    /// The same of an Update.
    fn update_failed(&mut self, reason: Reason, patience: Micros, world: &mut World<'_>) {
        world.events.push(Event::UpdateFailed { server: self.server, reason });
        if let State::Known { phase, .. } = &mut self.state
            && let Phase::Registered { failures, .. } | Phase::Updating { failures, .. } = *phase
        {
            let failures = failures.saturating_add(1);
            let pause = backoff::pause(&world.config.registration.update_backoff, failures, world.generator);
            *phase = Phase::Registered { update_at: world.now + pause.max(patience), failures };
        }
    }

    /// The server is left, whether it knows that or not.
    fn left(&mut self, then: Then, unconfirmed: Option<Reason>, world: &mut World<'_>) {
        world.events.push(Event::Deregistered { server: self.server, unconfirmed });
        self.state = then.state(world.now);
    }

    /// The server accepted the Update on its way.
    pub(crate) fn updated(&mut self, policy: &RegistrationPolicy, events: &mut Events) {
        if let State::Known { lease, phase } = &mut self.state
            && let Phase::Updating { sent, terms, .. } = *phase
        {
            events.push(Event::Updated { server: self.server });
            (lease.terms, lease.expires) = (terms, sent + lifetime(terms));
            *phase = Phase::Registered { update_at: sent + next_update(policy, lifetime(terms)), failures: 0 };
        }
    }

    /// Nothing can be sent: there is no session with the server, or the message does not fit.
    pub(crate) fn blocked(&mut self, reason: Reason, world: &mut World<'_>) {
        let last = world.now;
        // A message that never fits is no reason to keep others back.
        self.contact = match reason {
            Reason::TooLarge => Contact::Heard { last },
            _ => Contact::Unheard { last },
        };
        if self.state.wants_register(world.now) {
            return self.register_failed(reason, Micros(0), world);
        }
        match self.state {
            State::Known { phase: Phase::Leaving { then } | Phase::Deregistering { then, .. }, .. } => {
                self.left(then, Some(reason), world);
            }
            State::Known { .. } => self.update_failed(reason, Micros(0), world),
            _ => {}
        }
    }

    /// The exchange on its way is lost with the network; what it was for is due again.
    pub(crate) fn interrupted(&mut self, now: Instant) {
        if let Contact::Heard { last } = self.contact {
            self.contact = Contact::Unheard { last };
        }
        self.lose(now);
    }

    /// The exchange on its way is lost; what it was for is due again.
    pub(crate) fn lose(&mut self, now: Instant) {
        match &mut self.state {
            State::Registering { failures, .. } => {
                self.state = State::Unregistered { at: now, failures: *failures };
            }
            State::Known { phase, .. } => match *phase {
                Phase::Updating { failures, .. } => *phase = Phase::Registered { update_at: now, failures },
                Phase::Deregistering { then, .. } => *phase = Phase::Leaving { then },
                Phase::Registered { .. } | Phase::Leaving { .. } => {}
            },
            State::Unregistered { .. } | State::Disabled { .. } | State::Gone => {}
        }
    }

    /// An Update is wanted now: by the application, the server, or because the network is back.
    pub(crate) const fn update_now(&mut self, now: Instant) -> bool {
        let State::Known { phase, .. } = &mut self.state else { return false };
        if let Phase::Registered { update_at, .. } = phase {
            *update_at = now;
        }
        matches!(phase, Phase::Registered { .. } | Phase::Updating { .. })
    }

    /// The device will not be reachable from `now` until `wake`, and wants no Update to be due meanwhile: it waits
    /// until then if the lifetime allows that, or is sent now if that helps.
    pub(crate) fn suit(&mut self, now: Instant, wake: Instant, policy: &RegistrationPolicy) {
        let State::Known { lease, phase: Phase::Registered { update_at, failures } } = &mut self.state else { return };
        if *update_at <= now || *update_at >= wake {
            return;
        }
        let lifetime = lifetime(lease.terms);
        let latest = latest_update(policy, lifetime);
        // It expires a lifetime after it began.
        if wake + lifetime <= lease.expires + latest {
            *update_at = wake;
        } else if *failures == 0 && wake <= now + latest {
            *update_at = now;
        }
    }

    /// A Register is wanted now: the session or the address is a new one (reading A16).
    pub(crate) fn register_now(&mut self, now: Instant) {
        let wanted = match self.state {
            State::Known { .. } => !self.is_leaving(),
            State::Registering { .. } | State::Gone => true,
            State::Unregistered { .. } | State::Disabled { .. } => false,
        };
        if wanted {
            self.state = State::Unregistered { at: now, failures: 0 };
        }
    }

    /// The network is back: a long pause between tries becomes the shortest one, and those after it grow from there. What
    /// is kept is how far the round is, so that a network that comes and goes does not put a bootstrap off for ever.
    pub(crate) fn hurry(&mut self, now: Instant, config: &Config, generator: &mut Generator) {
        let policy = &config.registration.backoff;
        if let State::Unregistered { at, failures } = &mut self.state
            && *at > now + policy.first
        {
            *at = (*at).min(now + backoff::pause(policy, 1, generator));
            let enough = config.bootstrap.after_failures;
            let part = failures.checked_rem(enough).map_or(1, |part| if part > 0 { part } else { enough });
            // Without a failure there is no round.
            *failures = part.min(*failures);
        }
    }

    /// Leaves the server, if it knows us. True when a De-register is to be sent.
    pub(crate) fn leave(&mut self, now: Instant, then: Then) -> bool {
        match &mut self.state {
            State::Known { lease, phase } => match phase {
                Phase::Registered { .. } | Phase::Updating { .. } if lease.expires > now => {
                    *phase = Phase::Leaving { then };
                }
                // Nobody to tell.
                Phase::Registered { .. } | Phase::Updating { .. } => self.state = then.state(now),
                // On its way out already.
                Phase::Leaving { .. } | Phase::Deregistering { .. } => {}
            },
            // A server that wants to be left alone still is.
            State::Disabled { .. } => {}
            State::Unregistered { .. } | State::Registering { .. } | State::Gone => self.state = then.state(now),
        }
        self.is_leaving()
    }

    /// Gives up waiting for the De-register's answer.
    pub(crate) fn cut_short(&mut self, world: &mut World<'_>) {
        if let State::Known { phase: Phase::Leaving { then } | Phase::Deregistering { then, .. }, .. } = self.state {
            self.left(then, Some(Reason::CutShort), world);
        }
    }

    pub(crate) const fn is_leaving(&self) -> bool {
        matches!(self.state, State::Known { phase: Phase::Leaving { .. } | Phase::Deregistering { .. }, .. })
    }

    /// What the server granted, while it lasts.
    pub(crate) const fn lease(&self) -> Option<&Lease> {
        if let State::Known { lease, .. } = &self.state { Some(lease) } else { None }
    }

    /// Whether the server may manage the device: only while it is registered with
    /// (OMA LwM2M 1.0, 5.3.1).
    pub(crate) fn serves(&self, now: Instant) -> bool {
        self.lease().is_some_and(|lease| lease.expires > now) && !self.is_leaving()
    }

    /// Whether a session with the server is of use: something is in flight, due, or kept alive.
    pub(crate) fn needs_session(&self, now: Instant) -> bool {
        match &self.state {
            State::Unregistered { at, .. } => *at <= now,
            State::Disabled { until } => *until <= now,
            State::Gone => false,
            _ => true,
        }
    }

    /// Tries that failed in a row, without one that succeeded.
    pub(crate) const fn failures(&self) -> u8 {
        self.state.failures()
    }
}

/// The pause after the `failures`-th Register in a row that failed. Where the last one of each round is followed by a
/// bootstrap, and that by a Register at once, there was no pause that the next could be twice as long as.
fn pause(failures: u8, accounts: &Accounts, config: &Config, generator: &mut Generator) -> Micros {
    let rounds = failures.checked_div(config.bootstrap.after_failures).unwrap_or(0);
    let unwaited = if accounts.bootstrap_server().is_some() { rounds } else { 0 };
    backoff::pause(&config.registration.backoff, failures.saturating_sub(unwaited), generator)
}

impl State {
    /// Whether it is a Register that is due or on its way: the first one, that after a lifetime
    /// that ended, or that after a Disable.
    fn wants_register(&self, now: Instant) -> bool {
        match self {
            Self::Unregistered { .. } | Self::Registering { .. } => true,
            Self::Known { lease, phase: Phase::Registered { .. } | Phase::Updating { .. } } => lease.expires <= now,
            Self::Disabled { until } => *until <= now,
            Self::Known { .. } | Self::Gone => false,
        }
    }

    /// Tries to register that failed in a row.
    const fn failures(&self) -> u8 {
        match self {
            Self::Unregistered { failures, .. } | Self::Registering { failures, .. } => *failures,
            _ => 0,
        }
    }
}

/// The code that means success, or why not.
fn accept(message: &Message<'_>, success: Code) -> Result<(), Reason> {
    if message.code() == success { Ok(()) } else { Err(Reason::Code(message.code())) }
}

/// How long a server that answered 5.03 or 4.29 wants to be left alone (RFC 7252, section 5.9.3.4).
fn patience(answer: Result<&Message<'_>, Reason>, config: &Config) -> Micros {
    match answer {
        Ok(message) if matches!(message.code(), Code::SERVICE_UNAVAILABLE | Code::TOO_MANY_REQUESTS) => {
            let seconds = Micros::of_seconds(message.max_age().unwrap_or(60));
            seconds.min(Micros::of(config.registration.backoff.longest))
        }
        _ => Micros(0),
    }
}

const fn lifetime(terms: Terms) -> Micros {
    Micros::of_seconds(terms.lifetime)
}

/// A lifetime below this is updated at its half.
const SHORT_LIFETIME: Micros = Micros::of_seconds(600);

/// The latest moment for an Update: `margin` before the end, which leaves a whole cycle of
/// retransmissions and more than one try; half of a lifetime that is too short for that.
fn latest_update(policy: &RegistrationPolicy, lifetime: Micros) -> Micros {
    let half = Micros(lifetime.0 / 2);
    let latest = Micros(lifetime.0.saturating_sub(Micros::of(policy.margin).0));
    if lifetime >= SHORT_LIFETIME { latest.max(half) } else { half }
}

/// The first Update after a Register: anywhere in the second half, so that terminals which
/// registered in the same second do not come back in the same second.
fn first_update(policy: &RegistrationPolicy, lifetime: Micros, generator: &mut Generator) -> Micros {
    if !policy.spread {
        return next_update(policy, lifetime);
    }
    let half = lifetime.0 / 2;
    let more = share(generator.next_u64(), Micros(latest_update(policy, lifetime).0.saturating_sub(half)));
    Micros(half.saturating_add(more.0))
}

/// Later Updates keep the distance that the first one made.
fn next_update(policy: &RegistrationPolicy, lifetime: Micros) -> Micros {
    latest_update(policy, lifetime).min(Micros(divide(lifetime.0, 20).0 * 19))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::config::Config;
    use crate::base::rng::Key;

    fn policy() -> RegistrationPolicy {
        Config::new("x", Key::from_seed(1)).registration
    }

    #[test]
    fn every_update_comes_in_time() {
        let policy = policy();
        let mut generator = Generator::new(Key::from_seed(1));
        for seconds in [1, 20, 60, 185, 186, 499, 500, 501, 600, 3_600, 86_400, 1 << 31, u32::MAX] {
            let whole = Micros::of_seconds(seconds);
            for _ in 0..100 {
                let first = first_update(&policy, whole, &mut generator);
                let next = next_update(&policy, whole);
                for update in [first, next] {
                    assert!(update.0 >= whole.0 / 2 && update < whole, "{seconds}: {update:?}");
                    let left = Micros(whole.0 - update.0);
                    assert!(seconds < 600 || left >= Micros::of_seconds(250), "{seconds}: {left:?} left");
                    assert!(seconds < 186 || left >= Micros::of_seconds(93));
                }
            }
        }
    }

    #[test]
    fn the_first_update_is_spread_over_the_second_half() {
        let whole = Micros::of_seconds(86_400);
        let mut generator = Generator::new(Key::from_seed(1));
        let mut bins = [0; 10];
        for _ in 0..10_000 {
            let first = first_update(&policy(), whole, &mut generator);
            bins[(first.0 / 1_000_000 - 43_200) as usize * 10 / 42_951] += 1;
        }
        assert!(bins.iter().all(|count| (800..1_200).contains(count)), "{bins:?}");
    }
}
