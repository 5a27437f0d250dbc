//! Registrations: where they are, that they live on, that they come back, and that nothing follows their end
//! (OMA LwM2M 1.0, 5.3).

use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, Message, MessageId, MessageType, Token};

use super::asked::{Asked, Kind, digest};
use super::{Account, Invariant, Report, Seen, Weather};
use crate::base::config::Config;
use crate::base::event::{Event, Reason};
use crate::base::origin::Origin;
use crate::base::path::Path;
use crate::base::time::Instant;

/// The time before the end of a lifetime in which an Update has to get through: two cycles of retransmissions
/// and the pause between.
const MARGIN: Duration = Duration::from_secs(250);

/// Whoever is asked knows for so long what comes again (RFC 7252, section 4.8.2).
const EXCHANGE_LIFETIME: Duration = Duration::from_secs(247);

/// MAX_TRANSMIT_WAIT: after that no message is sent once more.
const TRANSMIT_SPAN: Duration = Duration::from_secs(93);

/// A lifetime below this leaves less.
const SHORT: Duration = Duration::from_secs(600);

/// What a server that disables a device gives it at most: the default of /1/x/5.
const DISABLED: Duration = Duration::from_secs(86_400);

/// See [`Observer::bound`](super::Observer::bound).
pub(super) fn bound(trouble: Duration, lifetime: Duration) -> Duration {
    let longest = Duration::from_secs(2 * 86_400);
    lifetime + (trouble * 3).min(longest) + Duration::from_secs(900)
}

/// How long a device may take to register anew, once it was told that it is not registered, and all is well.
const PROMPT: Duration = Duration::from_secs(600);

/// One account.
#[derive(Clone, Debug)]
struct Registration {
    account: Account,
    // ----- as the device sees it
    asked: Option<Asked>,
    /// The token of its last Register: one that was on its way since before may be granted after it.
    register: Option<Token>,
    /// The token of a Register that it gave up, and that may be granted all the same.
    given_up: Option<Token>,
    /// Where the last Register was granted: more than once, if it was answered more than once.
    granted: Vec<u64>,
    lifetime: Duration,
    lease_until: Instant,
    /// Whether it is registered without any doubt.
    sure: bool,
    /// Whether there is a reason to register anew.
    reason: bool,
    /// A De-register was sent, and no Register since.
    left: bool,
    // ----- as the platform sees it
    /// What arrived last: it may be answered late, and in any order.
    asking: [Option<Asked>; 4],
    /// When the device began without a memory.
    anew: Instant,
    /// What arrived last, to tell what comes again.
    heard: [(MessageId, Instant); 8],
    live_until: Option<Instant>,
    live_lifetime: Duration,
    /// Whether that came damaged.
    crooked: bool,
    /// Something happened since the last Update that may keep the next one back.
    disturbed: bool,
    /// Something came damaged that may have changed the account.
    tainted: bool,
    /// When it was registered last, and all was well.
    sound_at: Instant,
    /// The longest lifetime since.
    longest: Duration,
    /// When it was told that it is not registered.
    refused_at: Option<Instant>,
    /// Disabled by its server at most until then.
    disabled_until: Instant,
    /// How much time the device has lost since it was sound, because its clock stepped back.
    lost: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Registrations {
    accounts: Vec<Registration>,
    bootstrapping: bool,
    /// Flight mode or power-off was asked for.
    leaving: bool,
    weather: Weather,
    /// Since when it is at least fair, and fine.
    fair_since: Instant,
    fine_since: Instant,
}

/// /1/x/4
fn is_disable(path: Path) -> bool {
    path.object_id() == Some(1) && path.resource_id() == Some(4)
}

impl Registrations {
    pub(super) fn new(config: &Config, accounts: Vec<Account>, now: Instant) -> Self {
        let lifetime = Duration::from_secs(u64::from(config.default_lifetime));
        let begin = |account| Registration {
            account,
            asked: None,
            register: None,
            given_up: None,
            granted: Vec::new(),
            lifetime,
            lease_until: now,
            sure: false,
            reason: true,
            left: false,
            asking: [None; 4],
            anew: Instant::ZERO,
            heard: [(MessageId(0), Instant::ZERO); 8],
            live_until: None,
            live_lifetime: lifetime,
            crooked: false,
            disturbed: true,
            tainted: false,
            sound_at: now,
            longest: lifetime,
            refused_at: None,
            disabled_until: now,
            lost: Duration::ZERO,
        };
        Self {
            accounts: accounts.into_iter().map(begin).collect(),
            bootstrapping: false,
            leaving: false,
            weather: Weather::Bad,
            fair_since: now,
            fine_since: now,
        }
    }

    fn at(&mut self, host: usize) -> Option<&mut Registration> {
        self.accounts.iter_mut().find(|own| own.account.host == host)
    }

    /// The host of a server.
    pub(super) fn host_of(&self, server: u16) -> Option<usize> {
        self.accounts.iter().find(|own| own.account.server == server).map(|own| own.account.host)
    }

    /// Whether requests of a host are served now without any doubt.
    pub(super) fn serves(&self, now: Instant, host: usize) -> bool {
        let own = self.accounts.iter().find(|own| own.account.host == host);
        !self.bootstrapping && own.is_some_and(|own| own.sure && !own.left && now < own.lease_until)
    }

    /// Whatever was certain is not; of one host or of all.
    pub(super) fn doubt(&mut self, host: Option<usize>) {
        for own in self.accounts.iter_mut().filter(|own| host.is_none_or(|host| own.account.host == host)) {
            (own.sure, own.reason, own.disturbed) = (false, true, true);
        }
    }

    /// The device's clock stepped back, and it cannot know how long it had been waiting: all that it waits for
    /// comes so much later.
    pub(super) fn lose(&mut self, time: Duration) {
        self.accounts.iter_mut().for_each(|own| own.lost += time);
    }

    /// The device leaves: its De-registers are no servers' wish.
    pub(super) const fn leaves(&mut self) {
        self.leaving = true;
    }

    /// The device started again; `anew` when it remembers nothing.
    pub(super) fn restarted(&mut self, now: Instant, anew: bool) {
        self.doubt(None);
        self.bootstrapping = false;
        self.leaving = false;
        if anew {
            for own in &mut self.accounts {
                own.granted.clear();
                (own.asked, own.asking) = (None, [None; 4]);
                own.anew = now;
                // The same numbers may come from another port.
                own.heard = [(MessageId(0), Instant::ZERO); 8];
                (own.left, own.tainted) = (false, false);
            }
        }
    }

    /// A server lost its memory.
    pub(super) fn forgot(&mut self, host: usize) {
        if let Some(own) = self.at(host) {
            own.live_until = None;
            own.asking = [None; 4];
            // What comes again is new to it.
            own.heard = [(MessageId(0), Instant::ZERO); 8];
        }
    }

    // ----- the device -----------------------------------------------------------------------

    /// The device sends a message: a `fresh` one, or one that was sent before; perhaps a `repetition` of an
    /// answer.
    pub(super) fn sent(&mut self, seen: &Seen<'_>, fresh: bool, repetition: bool, report: &mut Report) {
        let (leaving, bootstrapping) = (self.leaving, self.bootstrapping);
        let Some(own) = self.at(seen.host) else { return };
        let server = own.account.server;
        if !seen.code().is_request() {
            if own.left && !repetition && seen.code().is_response() {
                let code = seen.code();
                report.violated(
                    Invariant::AfterDeregister,
                    format_args!("a response {code} to server {server} after its De-register"),
                );
            }
            return;
        }
        let Some(asked) = Asked::of(seen.now, &seen.message, false).filter(|_| fresh) else { return };
        match asked.kind {
            Kind::Register => {
                let goes_on = seen.message.block1().is_some_and(|block| block.is_ok_and(|block| block.num() > 0));
                if bootstrapping {
                    report.violated(
                        Invariant::OneRegistration,
                        format_args!("a Register at server {server} while a bootstrap goes on"),
                    );
                }
                if own.sure && !own.reason && seen.now < own.lease_until {
                    let until = own.lease_until;
                    report.violated(
                        Invariant::OneRegistration,
                        format_args!("a Register at server {server}, with which it is registered until {until}"),
                    );
                }
                (own.left, own.sure) = (false, false);
                own.granted.clear();
                own.lifetime = asked.lifetime.unwrap_or(own.lifetime);
                own.register = Some(asked.token);
                let begun = own.asked.filter(|_| goes_on).map_or(seen.now, |before| before.at);
                own.asked = Some(Asked { at: begun, ..asked });
            }
            Kind::Update | Kind::Deregister => {
                if own.left && asked.kind == Kind::Update {
                    report.violated(
                        Invariant::AfterDeregister,
                        format_args!("an Update at server {server} after its De-register"),
                    );
                }
                if !own.granted.contains(&digest(seen.message.uri_path())) {
                    let kind = asked.kind;
                    report.violated(
                        Invariant::OneRegistration,
                        format_args!("{kind:?} at server {server} goes where no Register was granted"),
                    );
                }
                own.asked = Some(asked);
                if asked.kind == Kind::Deregister {
                    (own.left, own.sure, own.reason, own.disturbed) = (true, false, true, true);
                    if !leaving {
                        own.disabled_until = seen.now + DISABLED;
                    }
                }
            }
        }
    }

    /// Anything may have been written to any account.
    pub(super) fn taint(&mut self) {
        self.accounts.iter_mut().for_each(|own| own.tainted = true);
    }

    /// The device is about to receive a message.
    pub(super) fn delivered(&mut self, seen: &Seen<'_>, damaged: bool) {
        let code = seen.code();
        if damaged && code.is_request() && code != Code::GET {
            self.taint();
        }
        let fair_since = self.fair_since;
        let Some(own) = self.at(seen.host) else { return };
        // A Register that was answered twice was granted twice: which answer counts is the device's affair.
        if code == Code::CREATED && own.register == Some(seen.message.token()) {
            own.granted.push(digest(seen.message.location_path()));
        }
        let answers = |asked: &Asked| {
            let piggybacked = seen.is(MessageType::Acknowledgement);
            asked.token == seen.message.token() && (!piggybacked || asked.id == seen.message.message_id())
        };
        let Some(asked) = own.asked.filter(|asked| code.is_response() && answers(asked)) else { return };
        if damaged {
            // The device may use it or not, and for whatever it says now.
            (own.sure, own.reason, own.disturbed) = (false, true, true);
            return;
        }
        // What comes after the answer is none.
        own.asked = own.asked.filter(|_| code == Code::CONTINUE);
        match (asked.kind, code) {
            (Kind::Register, Code::CREATED) => own.lease_until = asked.at + own.lifetime,
            (Kind::Update, Code::CHANGED) => {
                own.lifetime = asked.lifetime.unwrap_or(own.lifetime);
                own.lease_until = asked.at + own.lifetime;
            }
            (kind, code) => {
                (own.sure, own.reason, own.disturbed) = (false, true, true);
                if kind == Kind::Update && code == Code::NOT_FOUND {
                    own.refused_at = own.refused_at.filter(|at| *at >= fair_since).or(Some(seen.now));
                }
            }
        }
    }

    pub(super) fn event(&mut self, now: Instant, event: &Event) {
        let of = |own: &&mut Registration, server: u16| own.account.server == server;
        match *event {
            Event::Registered { server, .. } | Event::Updated { server } => {
                if let Some(own) = self.accounts.iter_mut().find(|own| of(own, server)) {
                    (own.sure, own.reason) = (true, false);
                    // It was told so; whether its server knows is another question.
                    (own.disabled_until, own.refused_at) = (Instant::ZERO, None);
                    self.leaving = false;
                }
            }
            Event::UpdateFailed { server, reason } => {
                if let Some(own) = self.accounts.iter_mut().find(|own| of(own, server)) {
                    own.reason = true;
                    // An answer that comes now is none.
                    own.asked = None;
                    if matches!(reason, Reason::Code(_)) {
                        (own.sure, own.disturbed) = (false, true);
                    }
                }
            }
            Event::RegistrationFailed { server, .. } | Event::Deregistered { server, .. } => {
                if let Some(own) = self.accounts.iter_mut().find(|own| of(own, server)) {
                    own.given_up = own.asked.map(|asked| asked.token).or(own.given_up);
                    (own.sure, own.reason, own.disturbed) = (false, true, true);
                }
            }
            // It leaves its server as soon as it may send again, or without a word when it sleeps before that.
            Event::Executed { origin: Origin::Server(server), path } if is_disable(path) => {
                if let Some(own) = self.accounts.iter_mut().find(|own| of(own, server)) {
                    (own.sure, own.reason, own.disturbed) = (false, true, true);
                    own.disabled_until = now + DISABLED;
                }
            }
            Event::BootstrapStarted => {
                self.bootstrapping = true;
                self.doubt(None);
            }
            Event::BootstrapFinished | Event::BootstrapFailed { .. } => {
                self.bootstrapping = false;
                self.doubt(None);
            }
            Event::MayProceed(_) | Event::Offline => {
                self.bootstrapping = false;
                self.leaving = false;
                self.doubt(None);
            }
            _ => {}
        }
    }

    /// Whether what a server asked before may be nobody's any more.
    pub(super) fn ends_requests(&self, event: &Event) -> bool {
        match *event {
            Event::Registered { .. }
            | Event::RegistrationFailed { .. }
            | Event::UpdateFailed { .. }
            | Event::Deregistered { .. }
            | Event::BootstrapStarted => true,
            Event::Executed { path, .. } => is_disable(path),
            _ => false,
        }
    }

    // ----- the platform ---------------------------------------------------------------------

    /// A request arrives at the platform.
    pub(super) fn arrived(&mut self, now: Instant, host: usize, message: &Message<'_>, damaged: bool) {
        let Some(own) = self.at(host) else { return };
        if let Some(asked) = Asked::of(now, message, damaged) {
            // One that comes again was carried out when it came first.
            let heard = own.heard.iter().find(|(id, at)| *id == asked.id && now < *at + EXCHANGE_LIFETIME);
            if let Some((_, at)) = heard {
                // A device whose entropy repeats itself may use a number too soon: that is taken for a repetition. What
                // came first may be of before.
                own.disturbed |= now > *at + TRANSMIT_SPAN;
                own.crooked |= *at <= own.anew + TRANSMIT_SPAN;
                return;
            }
            own.heard.rotate_right(1);
            own.heard[0] = (asked.id, now);
            own.asking.rotate_right(1);
            own.asking[0] = Some(asked);
        }
    }

    /// The platform answers.
    pub(super) fn replied(&mut self, host: usize, message: &Message<'_>) {
        let Some(own) = self.at(host) else { return };
        // An answer that is repeated grants nothing once more.
        let mut known = own.asking.iter_mut();
        let asking = known.find_map(|asking| asking.take_if(|asking| asking.token == message.token()));
        let Some(asking) = asking else { return };
        let lifetime = asking.lifetime.unwrap_or(own.live_lifetime);
        let token = Some(asking.token);
        let strays = asking.kind == Kind::Register && own.register != token;
        match (asking.kind, message.code()) {
            // An answer that was held back: which of two Registers its server goes by is seen at the next Update.
            (Kind::Register, Code::CREATED) if strays && own.live_until.is_some() => own.disturbed = true,
            (Kind::Register, Code::CREATED) | (Kind::Update, Code::CHANGED) => {
                own.live_lifetime = lifetime;
                own.live_until = Some(asking.at + lifetime);
                own.crooked = asking.damaged || (own.crooked && asking.lifetime.is_none());
                // It says nothing of a De-register that the server did not get either, and who gave its Register up,
                // or has sent another one since, does not know that it lives.
                own.disturbed = own.crooked || own.left || own.given_up == token || strays;
            }
            (Kind::Deregister, Code::DELETED) => own.live_until = None,
            _ => own.disturbed = true,
        }
    }

    // ----- time -----------------------------------------------------------------------------

    pub(super) fn settled(&mut self, now: Instant, weather: Weather, report: &mut Report) {
        if weather != self.weather {
            if self.weather == Weather::Bad {
                self.fair_since = now;
            }
            if weather == Weather::Fine {
                self.fine_since = now;
            }
            self.weather = weather;
        }
        for own in &mut self.accounts {
            let server = own.account.server;
            if let Some(until) = own.live_until.filter(|until| *until < now) {
                own.live_until = None;
                let well = if own.live_lifetime < SHORT {
                    weather == Weather::Fine && self.fine_since + own.live_lifetime <= until
                } else {
                    weather >= Weather::Fair && self.fair_since + MARGIN <= until
                };
                if well && !own.disturbed && !own.tainted {
                    report.violated(
                        Invariant::UpdateInTime,
                        format_args!("the registration at server {server} ended at {until} without an Update"),
                    );
                }
            }
            if weather == Weather::Bad {
                continue;
            }
            let lifetime = own.lifetime.max(own.live_lifetime);
            if own.live_until.is_some() && own.sure && now < own.lease_until {
                (own.sound_at, own.longest, own.refused_at, own.lost) = (now, lifetime, None, Duration::ZERO);
                continue;
            }
            own.longest = own.longest.max(lifetime);
            let since = self.fair_since.max(own.sound_at).max(own.disabled_until);
            let trouble = self.fair_since.saturating_duration_since(own.sound_at);
            let prompt = own.refused_at.filter(|at| *at >= since).map(|at| at + PROMPT);
            let limit = since + bound(trouble, own.longest);
            let limit = prompt.map_or(limit, |prompt| prompt.min(limit)) + own.lost;
            if now > limit && !own.tainted {
                report.violated(
                    Invariant::Recovery,
                    format_args!(
                        "all is well since {}, and server {server} was sound last at {}",
                        self.fair_since, own.sound_at
                    ),
                );
                own.sound_at = now;
            }
        }
    }
}
