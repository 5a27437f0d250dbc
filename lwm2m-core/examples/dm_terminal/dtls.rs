//! DTLS where there is none: it takes long to build, so only the package in `examples/tokio_terminal` does, which
//! has the same interface in its `dtls.rs`.

use std::time::Instant;

/// Whether `coaps` is of any use.
pub(crate) const SUPPORTED: bool = false;

/// A session that cannot be made.
#[derive(Debug)]
pub(crate) enum Dtls {}

/// What a session has to say.
#[allow(dead_code, reason = "nobody says it")]
#[derive(Debug)]
pub(crate) enum Sign<'a> {
    Transmit(&'a [u8]),
    Connected,
    Datagram(&'a [u8]),
    Closed,
}

impl Dtls {
    pub(crate) fn new(_identity: Vec<u8>, _key: Vec<u8>, _now: Instant) -> Result<Self, String> {
        Err("this program was built without DTLS: lwm2m-core/examples/tokio_terminal builds one with it".to_string())
    }

    pub(crate) const fn poll(&self) -> Option<Sign<'_>> {
        match *self {}
    }

    pub(crate) const fn deadline(&self) -> Instant {
        match *self {}
    }

    pub(crate) const fn receive(&self, _now: Instant, _record: &[u8]) -> Result<(), String> {
        match *self {}
    }

    pub(crate) const fn handle_timeout(&self, _now: Instant) -> Result<(), String> {
        match *self {}
    }

    pub(crate) const fn send(&self, _datagram: &[u8]) -> Result<(), String> {
        match *self {}
    }

    pub(crate) const fn close(&self) {
        match *self {}
    }
}
