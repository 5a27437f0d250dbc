//! Where other codecs differ from RFC 7252, and by it from this one.

use super::readers::{COAP_LITE, MINICOAP, TOAD_MSG};
use super::shape::Fault::{
    EmptyWithBody, EmptyWithToken, MarkerAlone, NumberAbove, TokenLength, TokenTruncated, TooShort, Version,
};
use super::shape::{Fault, Shape};

/// What another codec makes of a message, beside what is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Agrees,
    /// It should be refused.
    Accepts,
    /// It should be accepted.
    Refuses,
    /// Both accept it, and not as the same message.
    Misreads,
    Panics,
}

/// One way in which one codec differs. It is told by the message alone.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    pub(crate) peer: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) what: &'static str,
    /// The section of RFC 7252 that says so.
    pub(crate) section: &'static str,
    /// Only where additions that are too large panic, or only where they wrap.
    pub(crate) overflow_checks: Option<bool>,
    pub(crate) holds: fn(&Shape) -> bool,
    /// Whether the codec does so each time that it holds, so that one that has mended it shows.
    pub(crate) exact: bool,
}

impl Class {
    const fn new(
        peer: &'static str,
        outcome: Outcome,
        what: &'static str,
        section: &'static str,
        holds: fn(&Shape) -> bool,
    ) -> Self {
        Self { peer, outcome, what, section, overflow_checks: None, holds, exact: true }
    }

    const fn if_checked(mut self, checked: bool) -> Self {
        self.overflow_checks = Some(checked);
        self
    }

    /// For what depends on bytes that were taken for something else.
    const fn at_times(mut self) -> Self {
        self.exact = false;
        self
    }
}

// The faults that a codec does not see. A message that has others, too, is refused for these.
const MINICOAP_BLIND: &[Fault] = &[EmptyWithToken, NumberAbove];
const COAP_LITE_BLIND: &[Fault] = &[Version, EmptyWithToken, EmptyWithBody, MarkerAlone];
const TOAD_MSG_BLIND: &[Fault] = &[Version, EmptyWithToken, EmptyWithBody, MarkerAlone, NumberAbove];

fn coap_lite_takes(shape: &Shape, fault: Fault) -> bool {
    shape.has(fault) && shape.only(COAP_LITE_BLIND) && shape.longest < 65_536
}

fn toad_msg_takes(shape: &Shape, fault: Fault) -> bool {
    shape.has(fault) && shape.only(TOAD_MSG_BLIND) && !shape.wide
}

use Outcome::{Accepts, Misreads, Panics, Refuses};

pub(crate) const CLASSES: &[Class] = &[
    Class::new(MINICOAP, Accepts, "code 0.00 with a token and nothing else", "4.1", |shape| {
        shape.has(EmptyWithToken) && shape.only(MINICOAP_BLIND)
    }),
    Class::new(MINICOAP, Panics, "an option number above 65535, when the options are read", "3.1", |shape| {
        shape.has(NumberAbove) && shape.only(MINICOAP_BLIND)
    })
    .if_checked(true),
    Class::new(MINICOAP, Accepts, "an option number above 65535, as another that is too small", "3.1", |shape| {
        shape.has(NumberAbove) && shape.only(MINICOAP_BLIND)
    })
    .if_checked(false),
    Class::new(COAP_LITE, Accepts, "version 0, 2 or 3", "3", |shape| coap_lite_takes(shape, Version)),
    Class::new(COAP_LITE, Accepts, "code 0.00 with a token", "4.1", |shape| coap_lite_takes(shape, EmptyWithToken)),
    Class::new(COAP_LITE, Accepts, "code 0.00 with options or payload", "4.1", |shape| {
        coap_lite_takes(shape, EmptyWithBody)
    }),
    Class::new(COAP_LITE, Accepts, "a payload marker and no payload", "3", |shape| coap_lite_takes(shape, MarkerAlone)),
    Class::new(COAP_LITE, Refuses, "a value of 65536 to 65804 bytes", "3.1", |shape| {
        shape.faults.is_empty() && shape.longest > 65_535
    }),
    Class::new(TOAD_MSG, Accepts, "version 0, 2 or 3", "3", |shape| toad_msg_takes(shape, Version)),
    Class::new(TOAD_MSG, Accepts, "code 0.00 with a token", "4.1", |shape| toad_msg_takes(shape, EmptyWithToken)),
    Class::new(TOAD_MSG, Accepts, "code 0.00 with options or payload", "4.1", |shape| {
        toad_msg_takes(shape, EmptyWithBody)
    }),
    Class::new(TOAD_MSG, Accepts, "a payload marker and no payload", "3", |shape| toad_msg_takes(shape, MarkerAlone)),
    Class::new(TOAD_MSG, Accepts, "an option number above 65535", "3.1", |shape| toad_msg_takes(shape, NumberAbove)),
    Class::new(TOAD_MSG, Panics, "a delta or length above 65535", "3.1", |shape| {
        shape.wide && ![TooShort, TokenLength, TokenTruncated].iter().any(|fault| shape.has(*fault))
    })
    .if_checked(true),
    Class::new(TOAD_MSG, Accepts, "a delta or length above 65535, as one that is too small", "3.1", |shape| shape.wide)
        .if_checked(false)
        .at_times(),
    Class::new(TOAD_MSG, Refuses, "a length above 65535, as one that is too small", "3.1", |shape| shape.wide)
        .if_checked(false)
        .at_times(),
    Class::new(TOAD_MSG, Misreads, "a length above 65535, as one that is too small", "3.1", |shape| shape.wide)
        .if_checked(false)
        .at_times(),
];
