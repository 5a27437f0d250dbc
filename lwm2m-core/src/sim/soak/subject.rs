//! What is put through a soak: a device, and how demanding its life is.

use core::time::Duration;

use crate::base::config::{Config, Credentials};
use crate::base::limits::Limits;
use crate::base::path::Path;
use crate::base::rng::{Generator, Key};
use crate::model::{Ctx, DataModel, Part};
use crate::objects::{Device, FirmwareAction, FirmwareUpdate, PackageStore, Protocol, StoreError};
use crate::sim::network::Conditions;

/// How demanding a life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// A good network, a lifetime of 24 hours, a notification an hour.
    Quiet,
    /// A network that loses 10 % of all datagrams, doubles 2 % and damages 1 %; a lifetime of an hour, a
    /// notification every five minutes.
    Busy,
    /// Anything at any time: a [`Plan`](crate::sim::faults::Plan) of faults, other settings with each seed.
    Wild,
}

impl Profile {
    /// Its name on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Busy => "busy",
            Self::Wild => "wild",
        }
    }

    /// The profile of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Quiet, Self::Busy, Self::Wild].into_iter().find(|profile| profile.name() == name)
    }

    /// The network when nothing is the matter: for one wild life in three it loses and doubles now and then.
    pub(super) const fn conditions(self, seed: u64) -> Conditions {
        match self {
            Self::Wild if seed % 3 == 2 => {
                Conditions { loss: 20 + (seed / 3 % 80) as u16, duplication: 20, ..Conditions::GOOD }
            }
            Self::Quiet | Self::Wild => Conditions::GOOD,
            Self::Busy => Conditions { loss: 100, duplication: 20, corruption: 10, ..Conditions::GOOD },
        }
    }

    /// How often something changes.
    pub(super) const fn change_every(self) -> Duration {
        match self {
            Self::Quiet => Duration::from_secs(3_600),
            Self::Busy => Duration::from_secs(300),
            Self::Wild => Duration::from_secs(1_800),
        }
    }
}

/// A device that is put through a soak. Implement it for your own objects; [`Terminal`] is a Device with firmware.
pub trait Subject {
    /// Its objects.
    type Model: DataModel;

    /// The objects of a device that is switched on for the first time.
    fn model(&self) -> Self::Model;

    /// Something changes by itself, at this path.
    fn change(&self, model: &mut Self::Model, random: &mut Generator) -> Path;

    /// What every server observes from the beginning on.
    fn observed(&self) -> Path;

    /// Its configuration. The platform has a bootstrap server and servers to go with it; the default is made
    /// from the profile, and for [`Profile::Wild`] from the seed.
    fn config(&self, profile: Profile, seed: u64) -> Config {
        config(profile, seed)
    }
}

/// A terminal with a Device object, whose battery level changes, and firmware that can be updated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal;

/// Flash memory that is large enough for everything, and never read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flash;

impl PackageStore for Flash {
    fn store(&mut self, _: &Ctx, _: Part<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn discard(&mut self) {}
}

impl Subject for Terminal {
    type Model = (Device, FirmwareUpdate<Flash>);

    fn model(&self) -> Self::Model {
        let mut device = Device::new("Example Works", "TM-1");
        device.battery_level = Some(80);
        (device, FirmwareUpdate::new(Flash, [Protocol::Coap]))
    }

    fn change(&self, (device, firmware): &mut Self::Model, random: &mut Generator) -> Path {
        if firmware.take_action() == Some(FirmwareAction::Install) {
            firmware.installed();
        }
        let level = (random.next_u64() % 101) as u8;
        // Another one, or it is no change.
        device.battery_level = if device.battery_level == Some(level) { Some((level + 1) % 101) } else { Some(level) };
        Path::resource(3, 0, 9)
    }

    fn observed(&self) -> Path {
        Path::resource(3, 0, 9)
    }
}

fn config(profile: Profile, seed: u64) -> Config {
    let mut config = Config::new("soak;460001234567890;;1.0", Key::from_seed(seed));
    let server = |config: Config, lifetime| config.server(1, "coap://dm.example", Credentials::NoSec, lifetime);
    match profile {
        Profile::Quiet => server(config, 86_400),
        Profile::Busy => server(config, 3_600),
        Profile::Wild => {
            let mut random = Generator::new(Key::from_seed(!seed));
            let mut below = |limit: u64| random.next_u64() % limit;
            config.bootstrap.at_every_start = below(2) == 0;
            config.bootstrap.server_initiated = below(4) == 0;
            config.registration.queue_mode = below(4) == 0;
            config.confirmable_notifications = below(2) == 0;
            config.limits = if below(4) == 0 { Limits::GATEWAY } else { Limits::DEVICE };
            if below(8) == 0 {
                // As little as anybody can have.
                config.limits = Limits { slots: 2, deduplication: 4, observations: 2, deferred: 1, ..config.limits };
            }
            if below(8) == 0 {
                config.limits.datagram = 256;
            }
            let lifetime = [300, 600, 900, 3_600, 3_600, 86_400].get(below(6) as usize).copied().unwrap_or(600);
            config.default_lifetime = lifetime;
            let accounts = below(3);
            // Who gives up at once, late, or never, and waits long or not.
            config.bootstrap.after_failures = [0, 1, 2, 5, 5, 5, 5, 5].get(below(8) as usize).copied().unwrap_or(5);
            if below(4) == 0 {
                config.bootstrap.silence = Duration::from_secs(30);
            }
            if below(4) == 0 {
                config.bootstrap.honour_hold_off = !config.bootstrap.honour_hold_off;
            }
            if below(4) == 0 {
                config.answer_within = Duration::from_secs(5);
            }
            if below(4) == 0 {
                config.leave_within = Duration::from_secs(2);
            }
            match accounts {
                0 => server(config, lifetime),
                1 => config.bootstrap_server("coap://bs.example", Credentials::NoSec),
                _ => server(config.bootstrap_server("coap://bs.example", Credentials::NoSec), lifetime),
            }
        }
    }
}
