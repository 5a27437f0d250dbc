//! skeleton
pub mod record;
pub mod reader;
mod network;
mod platform;
mod trace;

use core::time::Duration;
use alloc::string::String;
use crate::base::config::Config;
use crate::base::event::Event;
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::client::{Client, CommandError};
use crate::model::{DataModel, Ticket};

pub use network::{Address, Conditions, Counts, Network};
pub use platform::{Accepts, Answer, Answering, Ask, BootstrapAnswer, BootstrapCommand, BootstrapServer, DmServer, NoAnswer, Notification, Observation, OperationId, Platform, Registered, Response, WriteMode};
pub use trace::{Direction, Entry, Fate, Order, Trace, What};

/// A device, a network and a platform in virtual time.
#[derive(Debug)]
pub struct Sim<M: DataModel> {
    /// The client.
    pub client: Client,
    /// The device's objects.
    pub model: M,
    /// The network between.
    pub network: Network,
    /// The platform.
    pub platform: Platform,
    /// What happened.
    pub trace: Trace,
    now: Instant,
}

impl<M: DataModel> Sim<M> {
    /// New.
    pub fn new(_config: Config, _model: M, _seed: u64) -> Self { todo!() }
    /// now
    pub fn now(&self) -> Instant { self.now }
    /// step
    pub fn step(&mut self) -> bool { todo!() }
    /// run
    pub fn run_for(&mut self, _duration: Duration) { todo!() }
    /// run until `done`, at most for `limit`
    pub fn run_until(&mut self, _limit: Duration, _done: impl FnMut(&Self) -> bool) -> bool { todo!() }
    /// One operation of the server at `index`, run until it is answered.
    pub fn ask(&mut self, _index: usize, _operation: impl FnOnce(&mut DmServer) -> OperationId) -> Answer { todo!() }
    /// network up
    pub fn network_up(&mut self) { todo!() }
    /// network down
    pub fn network_down(&mut self) { todo!() }
    /// flight mode on
    pub fn enter_flight_mode(&mut self) { todo!() }
    /// flight mode off
    pub fn leave_flight_mode(&mut self) { todo!() }
    /// power off
    pub fn shutdown(&mut self) { todo!() }
    /// The device has another address and knows it.
    pub fn address_changed(&mut self) { todo!() }
    /// Something at `path` changed.
    pub fn notify(&mut self, _path: Path) { todo!() }
    /// What the application did to `model`, for the record.
    pub fn note(&mut self, _text: &str) { todo!() }
    /// Update now.
    ///
    /// # Errors
    /// As [`Client::update`].
    pub fn update(&mut self, _server: u16) -> Result<(), CommandError> { todo!() }
    /// Runs a deferred request again.
    ///
    /// # Errors
    /// As [`Client::resume`].
    pub fn resume(&mut self, _ticket: Ticket) -> Result<(), CommandError> { todo!() }
    /// Power cut: a new client.
    pub fn reboot(&mut self) { todo!() }
    /// Events so far.
    pub fn events(&self) -> impl Iterator<Item = (Instant, Event)> {
        self.trace.entries.iter().filter_map(|entry| match entry.what {
            What::Event(event) => Some((entry.at, event)),
            _ => None,
        })
    }
    /// Starts a record of everything that goes into the client and comes out; call it before the first input.
    pub fn record(&mut self, _yes: bool) { todo!() }
    /// The record so far.
    pub fn recorded(&self) -> Option<String> { todo!() }
}
