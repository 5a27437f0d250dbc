//! Datagrams: which of them are taken how, and what is left to do then.

use coap_codec::{Message, MessageId};

use super::connection::Connection;
use super::due::After;
use super::{Client, Received};
use crate::base::event::Event;
use crate::base::time::Instant;
use crate::exchange::{ExchangeId, Failure, Handled, Inbound, Peer, Reply};
use crate::lifecycle::{Heard, Role};
use crate::model::DataModel;

impl Client {
    /// Takes one datagram that came from `peer`. Datagrams from addresses that are no peer's are
    /// the runtime's to drop.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        peer: Peer,
        datagram: &[u8],
        model: &mut dyn DataModel,
    ) -> Received {
        let now = self.clock.advance(now);
        let Some(connection) = self.connections.by_peer(peer) else {
            self.exchange.tally().strangers.count();
            return Received::Stranger;
        };
        let Heard { moves, serves } = self.lifecycle.heard(now, connection.role);
        let (received, left) = match self.exchange.parse(now, peer, datagram) {
            Some(message) => match self.plain_read(connection, serves, &message, model) {
                Some(answered) => answered,
                None => return self.message_in(connection, &message, moves, model),
            },
            None => (Received::Malformed, Left::Nothing),
        };
        if left != Left::Nothing || moves {
            self.go_on(left, model);
        }
        received
    }

    /// Takes a message that is no plain Read, and does what is left to do then.
    fn message_in(
        &mut self,
        connection: Connection,
        message: &Message<'_>,
        moves: bool,
        model: &mut dyn DataModel,
    ) -> Received {
        self.calmly(
            model,
            |client, model| client.acknowledged_calmly(connection.peer, message, &mut **model),
            |client, model| client.any_message_in(connection, message, moves, model),
        )
    }

    /// The same for whatever message.
    #[inline(never)]
    fn any_message_in(
        &mut self,
        connection: Connection,
        message: &Message<'_>,
        moves: bool,
        model: &mut dyn DataModel,
    ) -> Received {
        let (received, left) = self.take_message(connection, message, model);
        if left != Left::Nothing || moves {
            self.go_on(left, model);
        }
        received
    }

    /// Takes a message; what is left to do then.
    fn take_message(
        &mut self,
        connection: Connection,
        message: &Message<'_>,
        model: &mut dyn DataModel,
    ) -> (Received, Left) {
        let now = self.now();
        if let Some(reply) = Reply::to(connection.peer, message) {
            return self.request_in(connection, reply, message, model);
        }
        match &self.exchange.receive_other(now, connection.peer, message) {
            Inbound::Response { exchange, message } => {
                self.response_in(*exchange, message, model);
                (Received::Response, Left::All)
            }
            Inbound::Failed(exchange, failure) => {
                self.answered(*exchange, Err((*failure).into()));
                (if *failure == Failure::Reset { Received::Reset } else { Received::Response }, Left::All)
            }
            Inbound::Acknowledged(exchange) => {
                self.reporting.acknowledged(now, *exchange);
                (Received::Acknowledgement, Left::Sending)
            }
            Inbound::Rejected(_, message_id) => (self.rejected(connection.role, *message_id), Left::Sending),
            // None of them is a request.
            Inbound::Request { .. } => (Received::Unexpected, Left::Nothing),
            Inbound::Handled(handled) => ((*handled).into(), Left::after(*handled)),
        }
    }

    /// Takes the response to a request of ours.
    pub(super) fn response_in(&mut self, exchange: ExchangeId, message: &Message<'_>, model: &dyn DataModel) {
        self.answered(exchange, Ok(message));
        self.after_response(model);
    }

    /// What changed while the request was on its way is told next.
    pub(super) fn after_response(&mut self, model: &dyn DataModel) {
        if self.lifecycle.has_changed_meanwhile() {
            self.reconsider(model);
        }
    }

    /// Does what is left to do after a datagram.
    fn go_on(&mut self, left: Left, model: &mut dyn DataModel) {
        match left {
            Left::Nothing | Left::Planning => self.plan(),
            Left::Sending => self.pump(After::Message, Some(model)),
            Left::All => self.pump(After::Anything, Some(model)),
        }
    }

    /// A peer rejected a non-confirmable message: a notification, or nothing of ours.
    fn rejected(&mut self, role: Role, message_id: MessageId) -> Received {
        let Role::Server(server) = role else { return Received::Unexpected };
        let Some(path) = self.reporting.rejected(server, message_id) else {
            return Received::Unexpected;
        };
        self.events.push(Event::ObservationCancelled { server, path });
        self.touch();
        Received::Reset
    }
}

/// What is left to do after a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// Deadlines are other ones now.
    Planning,
    /// Something may be due.
    Sending,
    /// Sessions may be needed, or not any more, besides.
    All,
}

impl Left {
    /// After what needed nothing from the client.
    pub(super) const fn after(handled: Handled) -> Self {
        match handled {
            Handled::Acknowledged | Handled::Continues => Self::Sending,
            // Nothing changed. What time has made due meanwhile is for `handle_timeout`.
            _ => Self::Nothing,
        }
    }
}

impl From<Handled> for Received {
    fn from(handled: Handled) -> Self {
        match handled {
            Handled::Acknowledged => Self::Acknowledgement,
            Handled::Continues => Self::Response,
            Handled::Duplicate => Self::Duplicate,
            Handled::Ping => Self::Ping,
            Handled::Malformed => Self::Malformed,
            Handled::Unexpected => Self::Unexpected,
            Handled::Refused => Self::Overloaded,
        }
    }
}
