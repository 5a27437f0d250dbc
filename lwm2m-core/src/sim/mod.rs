//! A simulator: the client with a device, a virtual network, a virtual clock and a scripted platform.
//!
//! For testing one's own objects without a server and without waiting, and for the crate's own tests.
//! Everything is deterministic: the same seed and the same calls give the same [`Trace`], byte for byte.
//! A day of protocol time takes a millisecond or two.
//!
//! It is not an emulator of any product: [`DmServer`] does what the standards say, or what a
//! scenario tells it to do instead.
//!
//! ```
//! use core::time::Duration;
//! use endpoint_name::EndpointName;
//! use lwm2m_core::objects::Device;
//! use lwm2m_core::sim::{Direction, Sim};
//! use lwm2m_core::{Config, Credentials, Key, Path};
//!
//! let name = EndpointName::parse("490154203237518;460001234567890;;1.0").unwrap();
//! let config = Config::dm(name, Key::from_seed(1)).bootstrap_server("coap://bs.example", Credentials::NoSec);
//! let mut sim = Sim::new(config, Device::new("Example Works", "TM-1"), 1);
//! sim.model.battery_level = Some(80);
//!
//! sim.network.lose_next(Direction::ToServer); // it is sent again
//! sim.network_up();
//! assert!(sim.run_until(Duration::from_secs(60), |sim| sim.platform.servers[0].registration().is_some()));
//!
//! let battery = Path::resource(3, 0, 9);
//! assert_eq!(sim.ask(0, |server| server.read(battery, None)).response().text(), "80");
//! let observation = sim.platform.servers[0].observe(battery, None);
//! sim.run_for(Duration::from_secs(1));
//! sim.model.battery_level = Some(79);
//! sim.notify(battery);
//! sim.run_for(Duration::from_secs(86_400)); // an Update comes in between
//! assert_eq!(sim.platform.servers[0].notifications(observation)[0].response.text(), "79");
//! assert!(sim.platform.servers[0].updates_seen() > 0);
//!
//! sim.shutdown();
//! sim.run_for(Duration::from_secs(1));
//! assert_eq!(sim.platform.servers[0].deregisters_seen(), 1);
//! println!("{}", sim.trace);
//! ```

#![allow(clippy::panic, clippy::expect_used, reason = "a test harness fails loudly")]

mod drive;
pub mod faults;
mod network;
pub mod observer;
mod platform;
mod power;
pub mod reader;
pub mod record;
pub mod soak;
mod trace;
mod watch;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use self::drive::{Opening, Pace, Socket};
use self::observer::Observer;
use self::record::{Input, Recorder};
use crate::base::config::Config;
use crate::base::event::Event;
use crate::base::path::Path;
use crate::base::rng::{Generator, Key};
use crate::base::statistics::Statistics;
use crate::base::time::Instant;
use crate::client::{Client, CommandError};
use crate::model::{DataModel, Ticket};

pub use self::network::{Address, Conditions, Counts, Network};
pub use self::platform::{
    Accepts, Answer, Answering, Ask, BootstrapAnswer, BootstrapCommand, BootstrapServer, DmServer, Interface, NoAnswer,
    Notification, Observation, OperationId, Platform, Registered, Response, Status, StatusChange, Tlv, WriteMode,
};
pub use self::power::Radio;
pub use self::trace::{Direction, Entry, Fate, Order, Trace, What};

/// A device, a network and a platform. See the [module](self) for an example.
///
/// All parts are open: change the model, the network's conditions and the servers' behaviour between
/// steps as the scenario wants it.
#[derive(Clone, Debug)]
pub struct Sim<M: DataModel> {
    /// The client at work. What it wants to send after a direct call leaves with the next step.
    pub client: Client,
    /// The device's objects. Say [`notify`](Self::notify) after a change.
    pub model: M,
    /// The network.
    pub network: Network,
    /// The platform.
    pub platform: Platform,
    /// What happened so far.
    pub trace: Trace,
    now: Instant,
    /// How far the device's clock is ahead, in microseconds.
    ahead: i64,
    /// Keys of clients after the first.
    keys: Generator,
    sockets: Vec<Socket>,
    opening: Vec<Opening>,
    next_port: u16,
    asleep: bool,
    /// What comes while the radio sleeps, if it waits in the network.
    paged: Option<Vec<network::Datagram>>,
    /// A snapshot that was written a while ago.
    flash: Option<Vec<u8>>,
    /// What the clients before this one had counted.
    counted: Statistics,
    recorder: Option<Recorder>,
    observer: Option<Box<Observer>>,
    /// Events that are about to be told.
    news: Vec<Event>,
    pace: Pace,
}

impl<M: DataModel> Sim<M> {
    /// A device that is switched on at time zero and has no network yet.
    ///
    /// The platform is what `config` needs: a bootstrap server where its account says, and a server for
    /// each configured one, or else one at `coap://dm.example` with the Short Server ID 1.
    ///
    /// # Panics
    /// When the client refuses `config`.
    #[track_caller]
    pub fn new(config: Config, model: M, seed: u64) -> Self {
        Self::starting_at(Instant::ZERO, config, model, seed)
    }

    /// The same at another time.
    ///
    /// # Panics
    /// When the client refuses `config`.
    #[track_caller]
    pub fn starting_at(start: Instant, config: Config, model: M, seed: u64) -> Self {
        let mut seeds = Generator::new(Key::from_seed(seed));
        let network = Network::new(seeds.next_u64());
        let platform = Platform::new(&config, seeds.next_u64());
        let client = match Client::new(config, start) {
            Ok(client) => client,
            Err(error) => panic!("the client refuses the configuration: {error}"),
        };
        let mut sim = Self {
            client,
            model,
            network,
            platform,
            trace: Trace::new(),
            now: start,
            ahead: 0,
            keys: seeds,
            sockets: Vec::new(),
            opening: Vec::new(),
            next_port: 49_152,
            asleep: false,
            paged: None,
            flash: None,
            counted: Statistics::default(),
            recorder: None,
            observer: None,
            news: Vec::new(),
            pace: Pace::default(),
        };
        sim.platform.tell_time(start);
        sim
    }

    /// The virtual time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What the device's clock shows: the same, until it [steps](Self::step_clock).
    pub const fn clock(&self) -> Instant {
        Instant::from_micros(self.now.as_micros().saturating_add_signed(self.ahead))
    }

    /// What was dropped, rejected and refused so far, by cause: also before a restart or a sleep.
    pub fn statistics(&self) -> Statistics {
        let mut sum = self.counted;
        sum += self.client.statistics();
        sum
    }

    /// The events so far, with their times.
    pub fn events(&self) -> impl Iterator<Item = (Instant, Event)> {
        self.trace.events()
    }

    // ----- the device -----------------------------------------------------------------------

    /// The device is on the network, and knows it.
    pub fn network_up(&mut self) {
        self.network.attached = true;
        self.command("network up", Input::NetworkUp { now: self.clock() });
    }

    /// The device is off the network, and knows it. See [`Network::cut`] for a loss that it does not
    /// know of.
    pub fn network_down(&mut self) {
        self.network.attached = false;
        self.opening.clear();
        self.command("network down", Input::NetworkDown { now: self.clock() });
    }

    /// Flight mode is about to begin. The network stays up: the client says when it may go.
    pub fn enter_flight_mode(&mut self) {
        self.command("flight mode on", Input::EnterFlightMode { now: self.clock() });
    }

    /// Flight mode is over.
    pub fn leave_flight_mode(&mut self) {
        self.command("flight mode off", Input::LeaveFlightMode { now: self.clock() });
    }

    /// Power-off is about to happen.
    pub fn shutdown(&mut self) {
        self.command("shutdown", Input::Shutdown { now: self.clock() });
    }

    /// The device has another address, and knows it. See [`Network::rebind`] for a change that it
    /// does not know of.
    pub fn address_changed(&mut self) {
        self.network.rebind();
        self.opening.clear();
        self.command("address changed", Input::AddressChanged { now: self.clock() });
    }

    // ----- the application ------------------------------------------------------------------

    /// Something at or below `path` changed.
    pub fn notify(&mut self, path: Path) {
        self.command("notify", Input::Notify { now: self.clock(), path });
    }

    /// Updates the registration with a server now.
    ///
    /// # Errors
    /// As [`Client::update`].
    pub fn update(&mut self, server: u16) -> Result<(), CommandError> {
        self.try_command("update", Input::Update { now: self.clock(), server })
    }

    /// Runs a request again that the model deferred.
    ///
    /// # Errors
    /// As [`Client::resume`].
    pub fn resume(&mut self, ticket: Ticket) -> Result<(), CommandError> {
        self.try_command("resume", Input::Resume { now: self.clock(), ticket })
    }

    // ----- the platform ---------------------------------------------------------------------

    /// Has a server ask something of the device, and runs until it is answered. `server` counts
    /// [`Platform::servers`].
    ///
    /// # Panics
    /// When there is no such server, or no outcome within ten minutes.
    #[track_caller]
    pub fn ask(&mut self, server: usize, operation: impl FnOnce(&mut DmServer) -> OperationId) -> Answer {
        let asking = self.platform.servers.get_mut(server).expect("a server");
        let operation = operation(asking);
        let find = |sim: &Self| sim.platform.servers.get(server).and_then(|server| server.answer(operation)).cloned();
        self.run_until(Duration::from_secs(600), |sim| find(sim).is_some());
        find(self).expect("an outcome within ten minutes")
    }

    /// A datagram leaves for the device in the name of a host (`dm.example:5683`), as it is: what its
    /// server would not send. It passes the network like any other, to the session with that host that
    /// was made last; without one it goes astray.
    pub fn forge(&mut self, host: &str, datagram: &[u8]) {
        self.settle();
        let session = self.sockets.iter().rev().find(|socket| *socket.host == *host);
        let (peer, port) = session.map_or((None, 0), |socket| (socket.peer, socket.port));
        let to = self.network.address(port);
        self.send(Direction::ToDevice, &host.into(), peer, to, datagram.to_vec(), true);
    }

    /// The same, but it is sent to a multicast address of the device's network: it is there at once, and
    /// the device knows how it came.
    pub fn forge_multicast(&mut self, host: &str, datagram: &[u8]) {
        self.settle();
        let session = self.sockets.iter().rev().find(|socket| *socket.host == *host);
        if let Some(peer) = session.and_then(|socket| socket.peer) {
            self.command("multicast", Input::Multicast { now: self.clock(), peer, bytes: datagram.to_vec() });
        }
    }

    // ----- records --------------------------------------------------------------------------

    /// Begins a record of all that goes into the client and comes out of it; `false` ends it. A record
    /// begins with the client, so call it before anything else.
    ///
    /// # Panics
    /// When there is more to the configuration than a record can tell.
    #[track_caller]
    pub fn record(&mut self, yes: bool) {
        let begin =
            || Recorder::new(self.client.config(), self.clock()).expect("a configuration that a record can tell");
        self.recorder = yes.then(begin);
    }

    /// The record so far.
    pub fn recorded(&self) -> Option<String> {
        self.recorder.as_ref().map(|recorder| recorder.text().into())
    }

    /// Puts into the record what the application did to its model, in its own words.
    pub fn note(&mut self, text: &str) {
        let input = Input::Application { now: self.clock(), text: text.into() };
        if let Some(recorder) = &mut self.recorder {
            recorder.input(&input);
        }
    }
}
