//! Notifications: to whom they are owed, and in which order (RFC 7641; OMA LwM2M 1.0, 5.5).

use alloc::vec::Vec;

use coap_codec::{Code, MessageType, Token};

use super::{Invariant, Report, Seen};

/// An observation of the running registration.
#[derive(Clone, Debug)]
struct Observation {
    host: usize,
    token: Token,
    /// The newest sequence number.
    newest: Option<u32>,
    /// The Message ID of the last notification.
    last: Option<u16>,
    /// The Message ID of the request that came last for it, and how many of them were not answered yet: one that comes
    /// twice, once with a wrong number, is answered twice.
    asked: (u16, u32),
}

/// What servers observe.
#[derive(Clone, Debug, Default)]
pub(super) struct Observations {
    known: Vec<Observation>,
}

impl Observations {
    /// The registrations with a host, or with all, begin anew.
    pub(super) fn forget(&mut self, host: Option<usize>) {
        self.known.retain(|known| host.is_some_and(|host| known.host != host));
    }

    fn find(&mut self, host: usize, token: Token) -> Option<&mut Observation> {
        self.known.iter_mut().find(|known| known.host == host && known.token == token)
    }

    /// The device is about to receive a message.
    pub(super) fn delivered(&mut self, seen: &Seen<'_>) {
        let (host, code, id) = (seen.host, seen.code(), seen.id());
        if code == Code::GET && seen.message.observe() == Some(0) {
            let token = seen.message.token();
            match self.find(host, token) {
                Some(known) if known.asked.0 == id => {}
                Some(known) => known.asked = (id, known.asked.1 + 1),
                None => self.known.push(Observation { host, token, newest: None, last: None, asked: (id, 1) }),
            }
        }
        if seen.is(MessageType::Reset) && code.is_empty() {
            // The one that it names is over, if it was the last one; another answer begins it anew.
            let named = |known: &Observation| known.host == host && known.last == Some(id);
            self.known.retain(|known| !named(known) || known.asked.1 > 0);
            self.known.iter_mut().filter(|known| named(known)).for_each(|known| known.newest = None);
        }
    }

    /// The device sends a message for the first time; `answer` is whether it answers a request.
    pub(super) fn sent(&mut self, seen: &Seen<'_>, answer: bool, report: &mut Report) {
        let (Some(sequence), true) = (seen.message.observe(), seen.code().is_response()) else { return };
        let (id, token) = (seen.id(), seen.message.token());
        let Some(known) = self.find(seen.host, token) else {
            return report.violated(
                Invariant::Observation,
                format_args!("a notification {id:#06x} for {token}, which is no observation of this registration"),
            );
        };
        // Twice the same in answers that come again, for one observation.
        if let Some(newest) = known.newest.filter(|_| !answer) {
            let ahead = sequence.wrapping_sub(newest) & 0x00ff_ffff;
            if ahead == 0 || ahead >= 1 << 23 {
                report.violated(Invariant::Observation, format_args!("notification {sequence} follows {newest}"));
            }
        }
        known.newest = Some(sequence);
        known.asked.1 = known.asked.1.saturating_sub(answer.into());
        // An answer at once has the number of its request; a late one may be rejected like a notification.
        known.last = if seen.is(MessageType::Acknowledgement) { known.last } else { Some(id) };
    }
}
