//! DTLS sessions with servers: how they begin, go on, and begin anew.

use std::time::Instant as Clock;

use lwm2m_core::sim::record::Input;
use lwm2m_core::{Event, Peer, Reason, Session};

use super::Terminal;
use crate::ways::Said;

#[allow(clippy::disallowed_methods, reason = "the runtime is where the clock is read")]
fn clock() -> Clock {
    Clock::now()
}

/// Whether a server was silent.
pub(super) const fn is_silence(event: &Event) -> bool {
    matches!(
        event,
        Event::UpdateFailed { reason: Reason::TimedOut, .. }
            | Event::RegistrationFailed { reason: Reason::TimedOut, .. }
    )
}

impl Terminal {
    /// Begins a session on a way that was opened, if there is to be one: the client is told when it is made.
    pub(super) fn shake_hands(&mut self, peer: Peer) -> bool {
        self.ways.shake_hands(peer, clock())
    }

    /// A record came. Without a network nothing is heard.
    pub(super) fn record_in(&mut self, peer: Peer, record: &[u8]) {
        if self.network {
            self.ways.receive(peer, clock(), record);
        }
    }

    /// Does what time has made due in sessions, and tells the client what they say.
    pub(super) fn sessions_go_on(&mut self) {
        self.ways.handle_timeout(clock());
        while let Some((peer, said)) = self.ways.take_said() {
            let now = self.now();
            match said {
                // The server knows a session by its keys, and these are new.
                Said::Connected => self.input(Input::Connected { now, peer, session: Session::New }),
                Said::Datagram(bytes) => self.datagram_in(now, peer, bytes),
                Said::Over(why) => self.unreachable(now, peer, &why),
            }
        }
        // A server that was started again knows no session, and is silent.
        if core::mem::take(&mut self.silent) && self.ways.has_sessions() {
            self.ways.close();
            self.input(Input::AddressChanged { now: self.now() });
        }
    }
}
