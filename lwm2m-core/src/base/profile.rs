//! How a client behaves: what all devices of a kind have in common.

use alloc::boxed::Box;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use core::time::Duration;

use super::limits::Limits;
use super::time::Micros;
use super::transmission::{Pace, Transmission};

/// How a client behaves, apart from who it is and whom it knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// The bounds of all tables.
    pub limits: Limits,
    /// CoAP's transmission parameters.
    pub transmission: Transmission,
    /// When to bootstrap, and what to do when it fails.
    pub bootstrap: BootstrapPolicy,
    /// How registrations are kept.
    pub registration: RegistrationPolicy,
    /// The lifetime in seconds where Server says nothing valid (/1/x/1).
    pub default_lifetime: u32,
    /// Whether servers may read, write and execute (group 3 of DM terminal specification 6).
    pub device_management: bool,
    /// Whether servers may observe (group 2); without it an Observe is a plain Read.
    pub information_reporting: bool,
    /// Whether a server that is registered with may ask what there is: GET `/.well-known/core`, with a
    /// filter or without (RFC 6690). Its answer has the links of Register, and one more that says where
    /// LwM2M is: `</>;rt="oma.lwm2m"`. Without it, without the feature `discovery`, and to the bootstrap server,
    /// that path is 4.04; LwM2M does not need it.
    pub discovery: bool,
    /// What the format numbers of before 2016 are good for.
    pub legacy_formats: LegacyFormats,
    /// Whether notifications are confirmable. Non-confirmable ones may be lost; one in 24 hours is
    /// confirmable all the same (RFC 7641, section 4.5).
    pub confirmable_notifications: bool,
    /// How long an application may take over an answer that it gives later, before 5.03 is sent.
    pub answer_within: Duration,
    /// How long De-register may delay flight mode and power-off.
    pub leave_within: Duration,
    /// Whether snapshots contain the keys of servers. Without them, a key that a bootstrap wrote is
    /// lost with the memory; one of the configuration is found again by its URI.
    pub snapshot_secrets: bool,
}

/// When to bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BootstrapPolicy {
    /// At every start, on the first network connection, even if server accounts are known
    /// (DM terminal specification 7.2). Otherwise only without accounts, or when they fail
    /// (OMA LwM2M 1.0, 5.2.2).
    pub at_every_start: bool,
    /// Wait for Client Hold Off Time (/0/x/11) before a Bootstrap-Request.
    pub honour_hold_off: bool,
    /// Keep a session with the bootstrap server, in which it may begin a bootstrap by itself
    /// (Server Initiated Bootstrap, OMA LwM2M 1.0, 5.2.3.4). Without it the session ends with the
    /// bootstrap, and a bootstrap begins only with a request of the client.
    pub server_initiated: bool,
    /// Bootstrap again when every server failed so often in a row, and after each further round of as many
    /// failures, then with a pause of [`backoff`](Self::backoff) before; never with 0.
    pub after_failures: u8,
    /// How long the bootstrap server may be silent before the bootstrap counts as failed.
    pub silence: Duration,
    /// The pauses between tries.
    pub backoff: Backoff,
}

/// How registrations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegistrationPolicy {
    /// Announce queue mode, `UQ`, to the servers of [`Config::accounts`](crate::Config::accounts): the device sleeps between its
    /// Updates, and its server keeps requests until it hears of it (OMA LwM2M 1.0, 8.3). Without it, and
    /// where neither a bootstrap nor the server writes otherwise (/1/x/7), the binding is `U`.
    pub queue_mode: bool,
    /// How long a device in queue mode stays awake after the last message that it sent to the server
    /// or received from it. None: MAX_TRANSMIT_WAIT, as the standard recommends.
    pub awake: Option<Duration>,
    /// Spread the first Update over the lifetime's second half, so that devices which registered in
    /// the same second do not update in the same second.
    pub spread: bool,
    /// The time kept free before the lifetime ends: room for more than one try. Updates leave so long before the end or
    /// at 95 % of the lifetime, whichever is first, though not in its first half; at the half of a lifetime below 600 s.
    /// The first after a Register may come sooner ([`spread`](Self::spread)).
    pub margin: Duration,
    /// The pauses between tries to register.
    pub backoff: Backoff,
    /// The pauses between tries to update, while the lifetime lasts.
    pub update_backoff: Backoff,
}

/// What becomes of the Content-Format numbers 1541 to 1544: the test events before LwM2M 1.0 used them
/// for text, TLV, JSON and opaque bytes, and drafts of 1.0 kept two of them. They were never assigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LegacyFormats {
    /// They are numbers like any other that is not known: 4.15 as Content-Format, 4.06 as Accept.
    Refused,
    /// They mean what they meant, and whoever uses one is answered in kind. Where the choice is ours,
    /// the number is that of LwM2M 1.0.
    #[default]
    Accepted,
    /// As `Accepted`, and where the choice is ours, the number is the legacy one: for servers that
    /// know no other.
    First,
}

/// Pauses between tries: doubling from `first` to `longest`, each stretched at random by up to
/// half of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

/// The lifetime of the DM terminal specification, 7.3: 24 hours.
pub(crate) const DM_LIFETIME: u32 = 86_400;

impl Profile {
    /// A client as OMA LwM2M 1.0 has it: registers with the accounts it knows, and bootstraps when
    /// there are none or when all fail.
    pub const OMA: Self = Self {
        limits: Limits::DEVICE,
        transmission: Transmission::DEFAULT,
        bootstrap: BootstrapPolicy {
            at_every_start: false,
            honour_hold_off: true,
            server_initiated: false,
            after_failures: 5,
            // EXCHANGE_LIFETIME.
            silence: Duration::from_secs(247),
            backoff: Backoff::SERVER,
        },
        registration: RegistrationPolicy {
            queue_mode: false,
            awake: None,
            spread: true,
            margin: Duration::from_secs(250),
            backoff: Backoff::SERVER,
            update_backoff: Backoff { first: Duration::from_secs(4), longest: Duration::from_secs(60) },
        },
        default_lifetime: DM_LIFETIME,
        device_management: true,
        information_reporting: true,
        discovery: true,
        legacy_formats: LegacyFormats::Accepted,
        confirmable_notifications: true,
        answer_within: Duration::from_secs(60),
        // MAX_TRANSMIT_WAIT.
        leave_within: Duration::from_secs(93),
        snapshot_secrets: false,
    };

    /// A terminal as the China Mobile DM specification wants it: bootstraps at every start without
    /// delay, registers for 24 hours, de-registers before it leaves.
    pub const DM: Self = Self {
        bootstrap: BootstrapPolicy { at_every_start: true, honour_hold_off: false, ..Self::OMA.bootstrap },
        ..Self::OMA
    };

    /// How long a device in queue mode stays awake after its last message: 93 s unless configured
    /// otherwise.
    #[must_use]
    pub fn awake_time(&self) -> Duration {
        self.awake().duration()
    }

    pub(crate) fn awake(&self) -> Micros {
        self.registration.awake.map_or_else(|| Pace::of(&self.transmission).max_transmit_wait(), Micros::of)
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::OMA
    }
}

impl Backoff {
    /// 60 s, doubling up to a day: the defaults that LwM2M 1.1 gives for registration.
    pub const SERVER: Self = Self { first: Duration::from_secs(60), longest: Duration::from_secs(86_400) };
}

/// A profile that is a constant until something of it is set.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Constant(&'static Profile),
    Own(Box<Profile>),
}

impl Held {
    pub(super) const fn constant(constant: &'static Profile) -> Self {
        Self::Constant(constant)
    }

    /// The profile, to be set.
    pub(super) fn own(&mut self) -> &mut Profile {
        if let Self::Constant(constant) = *self {
            *self = Self::Own(Box::new(constant.clone()));
        }
        match self {
            Self::Own(own) => own,
            Self::Constant(_) => self.own(),
        }
    }

    /// Heap bytes.
    pub(super) const fn heap(&self) -> usize {
        if matches!(self, Self::Own(_)) { size_of::<Profile>() } else { 0 }
    }
}

impl Deref for Held {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        match self {
            Self::Constant(profile) => profile,
            Self::Own(profile) => profile,
        }
    }
}

/// Where it lies makes no difference.
impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Held {}

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_those_of_the_transmission_parameters() {
        let Profile { transmission, bootstrap, leave_within, .. } = Profile::OMA;
        assert_eq!(bootstrap.silence, transmission.exchange_lifetime());
        assert_eq!(leave_within, transmission.max_transmit_wait());
    }

    #[test]
    fn a_constant_is_copied_when_it_is_set_and_equal_until_then() {
        let mut held = Held::constant(&Profile::DM);
        assert_eq!(held.heap(), 0);
        held.own().default_lifetime = Profile::DM.default_lifetime;
        assert_eq!((held.heap(), &held), (size_of::<Profile>(), &Held::constant(&Profile::DM)));
        held.own().default_lifetime = 60;
        assert_eq!((held.default_lifetime, held.discovery), (60, true));
        assert_ne!(held, Held::constant(&Profile::DM));
    }

    #[test]
    fn equal_ones_have_one_hash_and_others_another() {
        let hash = |held: &Held| {
            let mut hasher = siphasher::sip::SipHasher13::new();
            held.hash(&mut hasher);
            hasher.finish()
        };
        let (constant, mut own) = (Held::constant(&Profile::DM), Held::constant(&Profile::DM));
        own.own();
        assert_eq!(hash(&own), hash(&constant));
        own.own().default_lifetime = 60;
        assert_ne!(hash(&own), hash(&constant));
    }
}
