//! How the simulator shows an observer what happens, and how the weather is.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Sim;
use super::network::{Conditions, Network};
use super::observer::{Gauges, Observer, Violation, Weather};
use super::platform::Platform;
use crate::model::DataModel;

impl<M: DataModel> Sim<M> {
    /// Has an [`Observer`] look at all that happens from now on: call it before anything else. What it finds
    /// is among the [`violations`](Self::violations).
    ///
    /// ```
    /// use core::time::Duration;
    /// use lwm2m_core::objects::Device;
    /// use lwm2m_core::sim::Sim;
    /// use lwm2m_core::{Config, Credentials, Key};
    ///
    /// let config = Config::new("node-7", Key::from_seed(7)).server(1, "coap://dm.example", Credentials::NoSec, 3_600);
    /// let mut sim = Sim::new(config, Device::new("Example Works", "TM-1"), 7);
    /// sim.watch();
    /// sim.network.lose(100);
    /// sim.network_up();
    /// sim.run_for(Duration::from_secs(7 * 86_400));
    /// assert_eq!(sim.violations(), []);
    /// ```
    pub fn watch(&mut self) {
        let servers: Vec<_> =
            self.platform.servers.iter().map(|server| (server.short_server_id, server.host.clone())).collect();
        self.observer = Some(Box::new(Observer::new(self.client.config(), &servers, self.now)));
    }

    /// The observer, if there is one.
    pub fn observer(&self) -> Option<&Observer> {
        self.observer.as_deref()
    }

    /// What must not be and was: nothing, if nobody [watches](Self::watch).
    pub fn violations(&self) -> &[Violation] {
        self.observer.as_ref().map_or(&[], |observer| observer.violations())
    }

    /// How good network, platform and device are, apart from flight mode and power-off.
    pub fn weather(&self) -> Weather {
        if self.asleep || !self.network.attached {
            return Weather::Bad;
        }
        self.network.weather().min(self.platform.weather())
    }

    pub(super) fn tell_observer(&mut self) {
        if self.observer.is_none() {
            return;
        }
        let weather = self.weather();
        let gauges = Gauges::of(&self.client);
        if let Some(observer) = &mut self.observer {
            observer.begin(self.now);
            for server in self.platform.servers.iter_mut().filter(|server| server.forgot) {
                server.forgot = false;
                observer.forgot(&server.host);
            }
            observer.settled(gauges, weather);
        }
    }
}

impl Conditions {
    /// How good they are.
    #[must_use]
    pub fn weather(&self) -> Weather {
        let slow = self.delay + self.jitter > core::time::Duration::from_millis(1_000);
        let damage = self.corruption.max(self.truncation);
        if slow || self.mtu < 1_280 || self.loss > Weather::FAIR_LOSS || damage > Weather::FAIR_DAMAGE {
            Weather::Bad
        } else if self.loss > 0 || damage > 0 {
            Weather::Fair
        } else {
            Weather::Fine
        }
    }
}

impl Network {
    fn weather(&self) -> Weather {
        if self.is_hindered() || self.connecting > core::time::Duration::from_secs(1) {
            return Weather::Bad;
        }
        self.to_server.weather().min(self.to_device.weather())
    }
}

impl Platform {
    fn weather(&self) -> Weather {
        let well = self.bootstrap.is_well() && self.servers.iter().all(super::DmServer::is_well);
        if well { Weather::Fine } else { Weather::Bad }
    }
}
