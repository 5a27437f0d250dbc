//! skeleton
use alloc::string::String;
use alloc::vec::Vec;
use crate::base::config::Config;
use crate::base::event::Event;
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::client::{Client, Output};
use crate::exchange::Peer;
use crate::lifecycle::Session;
use crate::model::{DataModel, Ticket};

/// An input of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// [`Client::handle_datagram`]
    Datagram { /** when */ now: Instant, /** from */ peer: Peer, /** what */ bytes: Vec<u8> },
    /// [`Client::handle_timeout`]
    Timeout { /** when */ now: Instant },
    /// [`Client::connected`]
    Connected { /** when */ now: Instant, /** who */ peer: Peer, /** how */ session: Session },
    /// [`Client::connection_failed`]
    ConnectionFailed { /** when */ now: Instant, /** who */ peer: Peer },
    /// [`Client::network_up`]
    NetworkUp { /** when */ now: Instant },
    /// [`Client::network_down`]
    NetworkDown { /** when */ now: Instant },
    /// [`Client::enter_flight_mode`]
    EnterFlightMode { /** when */ now: Instant },
    /// [`Client::leave_flight_mode`]
    LeaveFlightMode { /** when */ now: Instant },
    /// [`Client::shutdown`]
    Shutdown { /** when */ now: Instant },
    /// [`Client::address_changed`]
    AddressChanged { /** when */ now: Instant },
    /// [`Client::notify`]
    Notify { /** when */ now: Instant, /** where */ path: Path },
    /// [`Client::update`]
    Update { /** when */ now: Instant, /** whom */ server: u16 },
    /// [`Client::resume`]
    Resume { /** when */ now: Instant, /** which */ ticket: Ticket },
    /// What the application did to its model, in its own words: `set /3/0/9 42`.
    Application { /** when */ now: Instant, /** what */ text: String },
}
impl Input {
    /// Does it to a client.
    pub fn apply(&self, _client: &mut Client, _model: &mut dyn DataModel) { todo!() }
}
/// The first line of a record: what the client is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {}
impl Header {
    /// From a configuration; none when it is not one that a header can tell.
    pub fn of(_config: &Config) -> Option<Self> { todo!() }
    /// The configuration.
    pub fn config(&self) -> Config { todo!() }
}
/// Writes a record, line by line: `header`, then for every input the input, all outputs, all events.
#[derive(Clone, Debug)]
pub struct Recorder {}
impl Recorder {
    /// Begins.
    pub fn new(_config: &Config, _start: Instant) -> Option<Self> { todo!() }
    /// An input went in.
    pub fn input(&mut self, _input: &Input) { todo!() }
    /// An output came out.
    pub fn output(&mut self, _output: &Output<'_>) { todo!() }
    /// An event came out.
    pub fn event(&mut self, _event: &Event) { todo!() }
    /// The record as text so far.
    pub fn text(&self) -> &str { todo!() }
}
/// Feeds a record into a fresh client and compares every output and event.
/// `application` does to the model what [`Input::Application`] says.
///
/// # Errors
/// The first line that differs, or cannot be read.
pub fn replay<M: DataModel>(_record: &str, _model: &mut M, _application: impl FnMut(&mut M, &str)) -> Result<Replayed, Mismatch> { todo!() }
/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// inputs
    pub inputs: usize, 
    /// outputs
    pub outputs: usize,
    /// events
    pub events: usize,
}
/// Where two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// line number, from 1
    pub line: usize,
    /// what the record says
    pub recorded: String,
    /// what the client does now
    pub replayed: String,
}
