//! Requests that came by multicast: heard or not, and answered at leisure (RFC 7252, section 8).

use coap_codec::{Message, MessageWriter};

use super::connection::Link;
use super::due::After;
use super::request::{Floors, places};
use super::{Client, Connection, Received};
use crate::base::features::LATE_ANSWERS;
use crate::base::time::Instant;
use crate::exchange::{Handled, Inbound, Peer, Verdict};
use crate::lifecycle::Role;
use crate::management::operation::{Kind, Operation};
use crate::management::{self, Effects, Served};
use crate::model::{Ctx, DataModel, Joined, Origin};

impl Client {
    /// Takes one datagram that came from `peer`, but to a multicast address. A server that is registered with
    /// may read and discover in this way, by non-confirmable requests; the answer leaves at a random
    /// moment within [`leisure`](crate::exchange::Transmission::leisure), made from the values of then.
    /// There is no word of anything else, of errors and of answers without content (RFC 7252, section 8);
    /// nothing can be observed; and a server whose session is secured is not heard, because multicast
    /// is not. Nobody is without the feature `late-answers`.
    pub fn handle_multicast(
        &mut self,
        now: Instant,
        peer: Peer,
        datagram: &[u8],
        model: &mut dyn DataModel,
    ) -> Received {
        self.clock.advance(now);
        let received = self.multicast_in(peer, datagram);
        self.pump(After::Anything, Some(model));
        received
    }

    /// Keeps a request for its answer, if it may have one.
    fn multicast_in(&mut self, peer: Peer, datagram: &[u8]) -> Received {
        let now = self.now();
        let Some(connection) = self.connections.by_peer(peer) else {
            self.exchange.tally().strangers.count();
            return Received::Stranger;
        };
        if !LATE_ANSWERS || self.heard_by_multicast(connection).is_none() {
            return self.unwelcome();
        }
        match self.exchange.receive_multicast(now, peer, datagram) {
            Inbound::Request { reply, .. } => match self.exchange.keep_for_leisure(now, &reply, datagram) {
                Ok(()) => {
                    // Whoever asks is there to hear the answer; a device in queue mode stays awake for it.
                    self.lifecycle.heard(now, connection.role);
                    Received::Request
                }
                Err(_) => Received::Overloaded,
            },
            Inbound::Handled(Handled::Duplicate) => Received::Duplicate,
            _ => Received::Malformed,
        }
    }

    /// Answers the requests whose leisure is over, from the values of now.
    pub(super) fn answer_multicast(&mut self, model: &mut dyn DataModel) {
        let now = self.now();
        let wall = self.clock.embedder(now);
        while let Some(peer) = self.exchange.leisure_over(now) {
            // It may not be registered with any more.
            let connection = self.connections.by_peer(peer);
            let server = connection.and_then(|connection| self.heard_by_multicast(connection));
            let Self { exchange, transfers, accounts, lifecycle, reporting, events, config, .. } = self;
            let mut floors = Floors { transfers, accounts, lifecycle, reporting, events, config };
            exchange.answer_at_leisure(now, |writer, message| {
                let served = server.and_then(|server| floors.serve_multicast(server, wall, message, model, writer));
                served.map_or(Verdict::Drop, |()| Verdict::Send)
            });
        }
    }

    /// The server that asks by multicast, if it may now. What came so was not secured by anybody.
    fn heard_by_multicast(&self, connection: Connection) -> Option<u16> {
        let now = self.now();
        let Connection { role, link, .. } = connection;
        let Role::Server(server) = role else { return None };
        let serves = link == Link::Open && self.lifecycle.serves(now, role, &self.config);
        (serves && !self.is_secure(role)).then_some(server)
    }
}

impl Floors<'_> {
    /// Writes the answer to a request by multicast; none when there is nothing useful to say: no content
    /// (RFC 7252, section 8.2).
    fn serve_multicast(
        &mut self,
        server: u16,
        wall: Instant,
        message: &Message<'_>,
        model: &mut dyn DataModel,
        writer: &mut MessageWriter<'_>,
    ) -> Option<()> {
        let role = Role::Server(server);
        let mut operation = Operation::of(message, places(self.config, role));
        operation.read().ok()?;
        let kind = match operation.kind {
            // An observation is between two.
            Kind::Read(_) => Kind::Read(None),
            kind => kind,
        };
        // The blocks after the first one are asked for by unicast (RFC 7959, section 2.8).
        if !kind.is_read() || !operation.begins_answer() || !self.offers(role, kind) {
            return None;
        }
        let operation = Operation { kind, ..operation };
        let ctx = Ctx { origin: Origin::Server(server), ticket: None, resumed: false, now: wall };
        let assigned = self.reporting.assigned(server);
        let mut joined = Joined(self.accounts, model);
        let mut effects = Effects::default();
        let served = management::serve(&ctx, &operation, None, &assigned, &mut joined, writer, &mut effects);
        if served == Served::Later {
            return None;
        }
        // Nor has an error any.
        if Message::parse(writer.as_bytes()).ok()?.payload().is_empty() {
            return None;
        }
        if let Some(news) = effects.news {
            self.events.push(news);
        }
        Some(())
    }
}
