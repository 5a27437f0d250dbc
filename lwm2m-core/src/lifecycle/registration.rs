//! Registration with one server: Register, Update, De-register
//! (OMA LwM2M 1.0, 5.3; DM terminal specification 7.3 to 7.5).

use coap_codec::{Code, Message};

use super::contact::Contact;
use super::location::Location;
use super::{Request, World, backoff};
use crate::base::config::Config;
use crate::base::event::{Event, Events, Reason};
use crate::base::profile::RegistrationPolicy;
use crate::base::rng::{Generator, share};
use crate::base::time::{Instant, Micros};
use crate::exchange::ExchangeId;
use crate::objects::server::Binding;

/// The registration with one server. What is due, and what its state is, follows from what it holds: a lease that it was
/// granted, a request on its way, and what it is meant to become.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Registration {
    /// Short Server ID.
    pub(crate) server: u16,
    pub(crate) aim: Aim,
    /// Without one the server does not know us, or cannot be relied on to do so.
    pub(crate) lease: Option<Lease>,
    /// The request on its way: a Register without a lease, a De-register when the aim is another one than to be
    /// registered, an Update else.
    pub(crate) exchange: Option<ExchangeId>,
    /// When the next request is due. Of one on its way: when it left.
    pub(crate) at: Instant,
    /// What the request on its way tells the server.
    pub(crate) told: Terms,
    /// Registers, or with a lease Updates, that failed in a row.
    pub(crate) failures: u8,
    pub(crate) contact: Contact,
    /// Where the server put it last.
    pub(crate) location: Location,
}

/// What is to become of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Aim {
    Registered,
    /// The server disabled the client (/1/x/4): to be registered again so long after the De-register.
    Disabled {
        seconds: u32,
    },
    /// Not to be registered.
    Gone,
}

/// What the server granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    pub(crate) terms: Terms,
    /// When the lifetime ends, counted from when the request left: the server counts from later.
    pub(crate) expires: Instant,
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

impl Registration {
    /// A registration that is due at `at`.
    pub(crate) fn due_at(server: u16, at: Instant) -> Self {
        Self {
            server,
            aim: Aim::Registered,
            lease: None,
            exchange: None,
            at,
            told: Terms { lifetime: 0, binding: Binding::U, objects: 0 },
            failures: 0,
            contact: Contact::Heard { last: at },
            location: Location::default(),
        }
    }

    /// The request that is due next, or on its way.
    pub(crate) const fn request(&self) -> Request {
        match self.lease {
            None => Request::Register,
            Some(_) if self.is_wanted() => Request::Update,
            Some(_) => Request::Deregister,
        }
    }

    const fn is_wanted(&self) -> bool {
        matches!(self.aim, Aim::Registered)
    }

    /// What the server granted, if we are to be registered with it.
    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref().filter(|_| self.is_wanted())
    }

    /// When something is due by itself.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match (self.exchange, &self.lease, self.aim) {
            (Some(_), ..) | (None, None, Aim::Gone) => None,
            (None, Some(lease), _) => Some(lease.expires.min(self.at)),
            (None, None, _) => Some(self.at),
        }
    }

    /// A lease whose lifetime is over is none any more.
    pub(crate) fn lapse(&mut self, now: Instant) {
        if let Some(at) = self.lease().map(|lease| lease.expires).filter(|expires| *expires <= now) {
            (self.lease, self.at, self.failures) = (None, at.min(self.at), 0);
        }
    }

    /// A Register is due now.
    fn begin_anew(&mut self, now: Instant) {
        (self.aim, self.lease, self.exchange, self.at, self.failures) = (Aim::Registered, None, None, now, 0);
    }

    /// The request left.
    pub(crate) fn sent(&mut self, now: Instant, exchange: ExchangeId) {
        (self.exchange, self.at) = (Some(exchange), now);
        if self.lease.is_none() {
            self.aim = Aim::Registered;
        }
    }

    /// Whether the exchange is this registration's.
    pub(crate) fn owns(&self, exchange: ExchangeId) -> bool {
        self.exchange == Some(exchange)
    }

    /// Takes the answer to the request on its way, or its failure. True when the server has forgotten its
    /// observations: it registered us anew, or was left (OMA LwM2M 1.0, 5.3.1).
    pub(crate) fn answered(&mut self, answer: Result<&Message<'_>, Reason>, world: &mut World<'_>) -> bool {
        let request = self.request();
        let accepted = answer.and_then(|message| match message.code() {
            code if code == request.success() => Ok(message),
            code => Err(Reason::Code(code)),
        });
        let granted = match (request, accepted) {
            // Whatever the answer, the server is left (reading A23).
            (Request::Deregister, _) => {
                self.left(accepted.err(), world);
                return true;
            }
            (Request::Update, Ok(_)) => {
                self.updated(&world.config.registration, world.events);
                return false;
            }
            (_, Ok(message)) => Location::of(message, world.config.limits.location).ok_or(Reason::BadAnswer),
            (_, Err(reason)) => Err(reason),
        };
        match granted {
            Ok(location) => {
                self.location = location;
                world.events.push(Event::Registered { server: self.server, lifetime: self.told.lifetime });
                self.granted(first_update(&world.config.registration, self.told.lifetime, world.generator));
                true
            }
            Err(reason) => {
                if request == Request::Update && reason == Reason::TimedOut {
                    self.contact = Contact::Unheard { last: world.now };
                }
                self.failed(reason, patience(answer, world.config), world);
                false
            }
        }
    }

    /// The request that is due or on its way failed: it is due again after a pause, for which the server may have asked
    /// for more.
    fn failed(&mut self, reason: Reason, patience: Micros, world: &mut World<'_>) {
        let server = self.server;
        self.failures = self.failures.saturating_add(1);
        let pause = if self.lease.is_some() {
            world.events.push(Event::UpdateFailed { server, reason });
            // A refusal means that the registration is gone (OMA LwM2M 1.0, 5.3.2; reading A20); silence or trouble that
            // there is time for another try. 4.29 only asks for patience (RFC 8516).
            if matches!(reason, Reason::Code(code) if code.is_client_error() && code != Code::TOO_MANY_REQUESTS) {
                return self.begin_anew(world.now);
            }
            backoff::pause(&world.config.registration.update_backoff, self.failures, world.generator)
        } else {
            world.events.push(Event::RegistrationFailed { server, reason });
            self.aim = Aim::Registered;
            pause(self.failures, world)
        };
        (self.exchange, self.at) = (None, world.now + pause.max(patience));
    }

    /// The server is left, whether it knows that or not.
    fn left(&mut self, unconfirmed: Option<Reason>, world: &mut World<'_>) {
        world.events.push(Event::Deregistered { server: self.server, unconfirmed });
        self.part(world.now);
    }

    /// Nothing binds the server and us any more.
    fn part(&mut self, now: Instant) {
        let seconds = if let Aim::Disabled { seconds } = self.aim { seconds } else { 0 };
        (self.lease, self.exchange, self.at, self.failures) = (None, None, now.after_seconds(seconds), 0);
    }

    /// The server accepted the Update on its way.
    pub(crate) fn updated(&mut self, policy: &RegistrationPolicy, events: &mut Events) {
        events.push(Event::Updated { server: self.server });
        self.granted(next_update(policy, self.told.lifetime));
    }

    /// The server granted what it was told; an Update is due so long after that left.
    fn granted(&mut self, update: Micros) {
        self.lease = Some(Lease { terms: self.told, expires: self.at + lifetime(self.told) });
        (self.exchange, self.at, self.failures) = (None, self.at + update, 0);
    }

    /// Nothing can be sent: there is no session with the server, or the message does not fit.
    pub(crate) fn blocked(&mut self, reason: Reason, world: &mut World<'_>) {
        let last = world.now;
        // A message that never fits is no reason to keep others back.
        self.contact = match reason {
            Reason::TooLarge => Contact::Heard { last },
            _ => Contact::Unheard { last },
        };
        self.lapse(last);
        if self.is_leaving() {
            self.left(Some(reason), world);
        } else if self.is_wanted() || self.needs_session(last) {
            self.failed(reason, Micros(0), world);
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
        if self.exchange.take().is_some() {
            self.at = now;
        }
    }

    /// An Update is wanted now: by the application, the server, or because the network is back.
    pub(crate) fn update_now(&mut self, now: Instant) -> bool {
        let registered = self.lease().is_some();
        if registered && self.exchange.is_none() {
            self.at = now;
        }
        registered
    }

    /// The device will not be reachable from `now` until `wake`, and wants no Update to be due meanwhile: it waits
    /// until then if the lifetime allows that, or is sent now if that helps.
    pub(crate) fn suit(&mut self, now: Instant, wake: Instant, policy: &RegistrationPolicy) {
        let Some(lease) = self.lease().filter(|_| self.exchange.is_none()) else { return };
        if self.at <= now || self.at >= wake {
            return;
        }
        let lifetime = lifetime(lease.terms);
        let latest = latest_update(policy, lease.terms.lifetime);
        // It expires a lifetime after it began.
        if wake + lifetime <= lease.expires + latest {
            self.at = wake;
        } else if self.failures == 0 && wake <= now + latest {
            self.at = now;
        }
    }

    /// A Register is wanted now: the session or the address is a new one (reading A16).
    pub(crate) fn register_now(&mut self, now: Instant) {
        // One that is due some time stays so.
        let due = self.lease.is_none() && self.exchange.is_none() && !matches!(self.aim, Aim::Gone);
        if !due && !self.is_leaving() {
            self.begin_anew(now);
        }
    }

    /// The network is back: a long pause between tries becomes the shortest one, and those after it grow from there. What
    /// is kept is how far the round is, so that a network that comes and goes does not put a bootstrap off for ever.
    pub(crate) fn hurry(&mut self, now: Instant, config: &Config, generator: &mut Generator) {
        let policy = &config.registration.backoff;
        if self.request() == Request::Register && self.is_wanted() && self.at > now + policy.first {
            self.at = self.at.min(now + backoff::pause(policy, 1, generator));
            let enough = config.bootstrap.after_failures;
            let part = self.failures.checked_rem(enough).map_or(1, |part| if part > 0 { part } else { enough });
            // Without a failure there is no round.
            self.failures = part.min(self.failures);
        }
    }

    /// Leaves the server, if it knows us. One that is left already, or wants to be left alone, still is.
    pub(crate) fn leave(&mut self, now: Instant, aim: Aim) {
        if self.is_wanted() {
            self.lapse(now);
            self.aim = aim;
            if self.lease.is_some() {
                (self.exchange, self.at) = (None, now);
            } else {
                // Nobody to tell.
                self.part(now);
            }
        }
    }

    /// Gives up waiting for the De-register's answer.
    pub(crate) fn cut_short(&mut self, world: &mut World<'_>) {
        if self.is_leaving() {
            self.left(Some(Reason::CutShort), world);
        }
    }

    pub(crate) const fn is_leaving(&self) -> bool {
        matches!(self.request(), Request::Deregister)
    }

    /// Whether the server may manage the device: only while it is registered with
    /// (OMA LwM2M 1.0, 5.3.1).
    pub(crate) fn serves(&self, now: Instant) -> bool {
        self.lease().is_some_and(|lease| lease.expires > now)
    }

    /// Whether a session with the server is of use: something is in flight, due, or kept alive.
    pub(crate) fn needs_session(&self, now: Instant) -> bool {
        self.lease.is_some() || self.exchange.is_some() || self.poll_timeout().is_some_and(|at| at <= now)
    }

    /// Registers that failed in a row, without one that succeeded.
    pub(crate) const fn failures(&self) -> u8 {
        if self.lease.is_none() { self.failures } else { 0 }
    }
}

/// The pause after the `failures`-th Register in a row that failed. Where the last one of each round is followed by a
/// bootstrap, and that by a Register at once, there was no pause that the next could be twice as long as.
fn pause(failures: u8, World { accounts, config, generator, .. }: &mut World<'_>) -> Micros {
    let rounds = failures.checked_div(config.bootstrap.after_failures).unwrap_or(0);
    let unwaited = if accounts.bootstrap_server().is_some() { rounds } else { 0 };
    backoff::pause(&config.registration.backoff, failures.saturating_sub(unwaited), generator)
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

/// So much of a lifetime, in hundredths.
const fn part(lifetime: u32, hundredths: u32) -> Micros {
    Micros(lifetime as u64 * (hundredths as u64 * 10_000))
}

/// A lifetime below this is updated at its half.
const SHORT_LIFETIME: u32 = 600;

/// The latest moment for an Update: `margin` before the end, which leaves a whole cycle of
/// retransmissions and more than one try; half of a lifetime that is too short for that.
fn latest_update(policy: &RegistrationPolicy, lifetime: u32) -> Micros {
    let half = part(lifetime, 50);
    if lifetime < SHORT_LIFETIME {
        return half;
    }
    half.max(Micros(part(lifetime, 100).0.saturating_sub(Micros::of(policy.margin).0)))
}

/// The first Update after a Register: anywhere in the second half, so that terminals which
/// registered in the same second do not come back in the same second.
fn first_update(policy: &RegistrationPolicy, lifetime: u32, generator: &mut Generator) -> Micros {
    if !policy.spread {
        return next_update(policy, lifetime);
    }
    let half = part(lifetime, 50);
    let more = Micros(latest_update(policy, lifetime).0.saturating_sub(half.0));
    half.saturating_add(share(generator.next_u64(), more))
}

/// Later Updates keep the distance that the first one made.
fn next_update(policy: &RegistrationPolicy, lifetime: u32) -> Micros {
    latest_update(policy, lifetime).min(part(lifetime, 95))
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
                let first = first_update(&policy, seconds, &mut generator);
                let next = next_update(&policy, seconds);
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
    fn the_latest_update_leaves_the_margin_from_ten_minutes_on() {
        let margin = Micros::of(policy().margin).0;
        assert_eq!(latest_update(&policy(), 599), part(599, 50));
        assert_eq!(latest_update(&policy(), 600), Micros(600_000_000 - margin));
        assert_eq!(latest_update(&policy(), 86_400), Micros(86_400_000_000 - margin));
    }

    #[test]
    fn the_first_update_is_spread_over_the_second_half() {
        let mut generator = Generator::new(Key::from_seed(1));
        let mut bins = [0; 10];
        for _ in 0..10_000 {
            let first = first_update(&policy(), 86_400, &mut generator);
            bins[(first.0 / 1_000_000 - 43_200) as usize * 10 / 42_951] += 1;
        }
        assert!(bins.iter().all(|count| (800..1_200).contains(count)), "{bins:?}");
    }
}
