//! Which flow of the DM terminal specification a message begins, and what that flow is for.

use coap_codec::{Code, Message, MessageType, observe};

/// A flow of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Bootstrap,
    Register,
    Update,
    Deregister,
    /// Message group 2.
    Reporting,
    /// Message group 3.
    Management,
    /// The same, for the Firmware Update object.
    Firmware,
}

/// The messages of the client's own interfaces. Requests begin a flow, answers belong to one.
pub(crate) fn begun_by(message: &Message<'_>, out: bool, with_bootstrap_server: bool) -> Option<Phase> {
    let code = message.code();
    if !code.is_request() {
        let notifies = out && message.observe().is_some() && message.message_type() != MessageType::Acknowledgement;
        return notifies.then_some(Phase::Reporting);
    }
    if !out {
        return Some(match message.observe() {
            _ if with_bootstrap_server => Phase::Bootstrap,
            _ if message.uri_path().next() == Some(b"5") => Phase::Firmware,
            Some(observe::REGISTER | observe::DEREGISTER) => Phase::Reporting,
            _ => Phase::Management,
        });
    }
    let mut path = message.uri_path();
    Some(match (code, path.next(), path.next()) {
        (Code::DELETE, ..) => Phase::Deregister,
        (_, Some(b"bs"), None) => Phase::Bootstrap,
        // A Register names the device, an Update only its location.
        _ if message.uri_query().any(|query| query.starts_with(b"ep=")) => Phase::Register,
        _ => Phase::Update,
    })
}

/// Which flow a run is in.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    current: Option<Phase>,
    before: Vec<Phase>,
}

impl Phases {
    /// Takes note of a flow that begins: its heading if it is another one than before, and a
    /// sentence unless the same was said already.
    pub(crate) fn enter(&mut self, phase: Phase) -> Option<(&'static str, Option<&'static str>)> {
        let before = self.current.replace(phase);
        // What the server is told of while firmware comes is about that, most likely.
        if (before, phase) == (Some(Phase::Firmware), Phase::Reporting) {
            self.current = before;
        }
        if before == self.current {
            return None;
        }
        let again = self.before.contains(&phase);
        self.before.push(phase);
        let title = match phase {
            Phase::Bootstrap => "7.2 Bootstrap",
            Phase::Register => "7.3 Register",
            Phase::Update => "7.4 Update",
            Phase::Deregister => "7.5 De-register",
            Phase::Reporting => "6, message group 2: observe and notify",
            Phase::Management => "6, message group 3: device management",
            Phase::Firmware => "6, message group 3: firmware update",
        };
        let sentence = match (phase, again) {
            (Phase::Bootstrap, false) => {
                "The device has started and has a network for the first time. It asks the bootstrap server, which it was \
                 made to know, for an account: the address of the server to register with, and how."
            }
            (Phase::Bootstrap, true) => "The device asks the bootstrap server for an account once more.",
            (Phase::Register, false) => {
                "The device is offline: it registers with the server. The platform knows it by its endpoint name (ep), \
                 and gives the registration a lifetime (lt) and a location, the name that later messages use."
            }
            (Phase::Register, true) if before == Some(Phase::Bootstrap) => {
                "The device registers again, with the account of the new bootstrap."
            }
            (Phase::Register, true) => {
                "The device registers again with the server that it knows. It needs no bootstrap for that."
            }
            (Phase::Update, false) => {
                "The device renews its registration at its location: before the lifetime ends, when the network is \
                 back, and when its objects are others than before."
            }
            (Phase::Deregister, false) => {
                "Before flight mode or power-off, the device takes its leave at its location, and the platform sets it \
                 OFFLINE."
            }
            (Phase::Reporting, false) => {
                "The server observes a value: it gets the value at once, and a notification each time it has changed."
            }
            (Phase::Management, false) => {
                "The server reads (GET), writes (PUT), executes and creates (POST) and deletes (DELETE) what the device \
                 offers."
            }
            (Phase::Firmware, false) => {
                "The server sends other firmware, block by block, looks how far the device is with it (State, \
                 /5/0/3), and has it installed."
            }
            (_, true) => return Some((title, None)),
        };
        Some((title, Some(sentence)))
    }
}
