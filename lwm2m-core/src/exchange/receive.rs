//! What comes in: matched, acknowledged, repeated or rejected (RFC 7252, sections 4.2 to 4.5 and 5.3.2).

use coap_codec::{Header, Message, MessageId, MessageType, OptionNumber, ParseErrorKind};

use super::exchanges::Awaits;
use super::message::dedup::{Class, Repeat};
use super::message::outbox::Order;
use super::{Endpoint, ExchangeId, Failure, Handled, Inbound, Peer, Reply};
use crate::base::time::{Instant, Micros};

impl Endpoint {
    /// Takes a datagram: matches, acknowledges, repeats or rejects it, and says what is left to do
    /// (RFC 7252, sections 4.2 to 4.5 and 5.3.2).
    pub fn receive<'a>(&mut self, now: Instant, peer: Peer, datagram: &'a [u8]) -> Inbound<'a> {
        let Some(message) = self.parse(now, peer, datagram) else { return Inbound::Handled(Handled::Malformed) };
        let Some(mut reply) = Reply::to(peer, &message) else { return self.receive_other(now, peer, &message) };
        match self.request_in(now, &mut reply, &message) {
            None => Inbound::Request { reply, message },
            Some(handled) => Inbound::Handled(handled),
        }
    }

    /// The message in a datagram; one that is none is rejected as it deserves.
    #[inline]
    pub(crate) fn parse<'a>(&mut self, now: Instant, peer: Peer, datagram: &'a [u8]) -> Option<Message<'a>> {
        let message = Message::well_formed(datagram);
        if message.is_none() {
            self.malformed(now, peer, datagram);
        }
        message
    }

    #[cold]
    fn malformed(&mut self, now: Instant, peer: Peer, datagram: &[u8]) {
        if let Some(reset) = self.count_malformed(datagram).and_then(Header::rejection) {
            self.reject(now, peer, reset.message_id);
        }
    }

    /// Counts what is no message. Its header, if it has one.
    pub(super) fn count_malformed(&mut self, datagram: &[u8]) -> Option<Header> {
        let counters = &mut self.messages.counters;
        match Header::parse(datagram) {
            Err(error) if error.kind() == ParseErrorKind::Version => counters.other_versions.count(),
            _ => counters.malformed.count(),
        }
        Header::parse(datagram).ok().map(|(header, _)| header)
    }

    /// Takes a message that is no request.
    #[cfg_attr(feature = "shortcuts", inline(never))]
    pub(crate) fn receive_other<'a>(&mut self, now: Instant, peer: Peer, message: &Message<'a>) -> Inbound<'a> {
        let (code, message_id) = (message.code(), message.message_id());
        match message.message_type() {
            kind @ (MessageType::Confirmable | MessageType::NonConfirmable) => {
                if let Some(repeat) = self.messages.duplicates.find(now, peer, message_id) {
                    self.repeat(peer, repeat);
                    return Inbound::Handled(Handled::Duplicate);
                }
                if code.is_response() {
                    return self.response_in(now, peer, message);
                }
                // An Empty message, or a code class that means nothing here (section 4.2).
                let confirmable = kind == MessageType::Confirmable;
                if confirmable {
                    self.reject(now, peer, message_id);
                }
                if code.is_empty() && confirmable {
                    self.messages.counters.pings.count();
                    return Inbound::Handled(Handled::Ping);
                }
                self.misplaced()
            }
            MessageType::Acknowledgement => self.acknowledgement_in(now, peer, message),
            MessageType::Reset if code.is_empty() => self.reset_in(peer, message_id),
            MessageType::Reset => self.misplaced(),
        }
    }

    /// A message that nobody may send like this.
    pub(super) fn misplaced<'a>(&mut self) -> Inbound<'a> {
        self.messages.counters.misplaced.count();
        Inbound::Handled(Handled::Malformed)
    }

    /// Takes a request, and remembers it. None when it is to be served: also once more, for an answer
    /// that was too long to keep.
    #[inline]
    pub(crate) fn request_in(&mut self, now: Instant, reply: &mut Reply, message: &Message<'_>) -> Option<Handled> {
        if let Some(repeat) = self.messages.duplicates.find(now, reply.peer, reply.message_id) {
            reply.repeated = repeat == Repeat::Evaluate;
            self.repeat(reply.peer, repeat);
            return if reply.repeated { None } else { Some(Handled::Duplicate) };
        }
        self.remember_request(now, reply, message)
    }

    pub(super) fn remember_request(&mut self, now: Instant, reply: &Reply, message: &Message<'_>) -> Option<Handled> {
        let class = match Class::of(reply.method) {
            Class::Harmless => Class::Harmless,
            // A block that is not the last one changes nothing by itself, and is known when it comes again:
            // it may make room, as a long body comes in more messages than can be remembered.
            _ if message.block1().is_some_and(|block| block.is_ok_and(|block| block.more())) => Class::Harmless,
            class => class,
        };
        let until = now + self.lifetime(reply.confirmable);
        let peer = reply.peer;
        let known = self.messages.duplicates.insert(now, until, peer, reply.message_id, class, Repeat::Nothing);
        if !known && class != Class::Harmless {
            // Not remembered, it might be carried out twice.
            self.messages.counters.unremembered.count();
            if self.may_reject(now) {
                self.unavailable(reply, true);
            }
            return Some(Handled::Refused);
        }
        None
    }

    /// A Reset for what nobody here asked for, as long as there are not too many of them.
    fn reject(&mut self, now: Instant, peer: Peer, message_id: MessageId) {
        if self.may_reject(now) {
            self.messages.empty(peer, MessageType::Reset, message_id);
        }
    }

    fn may_reject(&mut self, now: Instant) -> bool {
        let may = self.messages.rejections.admit(now, self.pace.rejections);
        if !may {
            self.messages.counters.rejections_withheld.count();
        }
        may
    }

    /// Sends a duplicate's answer again, where it has one.
    #[cold]
    fn repeat(&mut self, peer: Peer, repeat: Repeat) {
        self.messages.counters.duplicates.count();
        if let Repeat::Answer(datagram) = repeat {
            self.messages.outbox.push(Order::Short(peer, datagram));
        }
    }

    pub(super) fn lifetime(&self, confirmable: bool) -> Micros {
        if confirmable { self.exchange_lifetime } else { self.pace.non_lifetime() }
    }

    fn response_in<'a>(&mut self, now: Instant, peer: Peer, message: &Message<'a>) -> Inbound<'a> {
        let confirmable = message.message_type() == MessageType::Confirmable;
        let message_id = message.message_id();
        let Some(exchange) = self.exchanges.answered_by(peer, message.token()) else {
            if confirmable {
                self.reject(now, peer, message_id);
            }
            self.messages.counters.unmatched_responses.count();
            return Inbound::Handled(Handled::Unexpected);
        };
        if confirmable {
            let kind = if unusable(message) { MessageType::Reset } else { MessageType::Acknowledgement };
            let sent = self.messages.empty(peer, kind, message_id);
            let until = now + self.lifetime(true);
            self.messages.duplicates.insert(now, until, peer, message_id, Class::Harmless, Repeat::Answer(sent));
        }
        self.take_response(exchange, message)
    }

    /// Takes the response to a request that is waited for.
    fn take_response<'a>(&mut self, exchange: ExchangeId, message: &Message<'a>) -> Inbound<'a> {
        let unusable = unusable(message);
        if !unusable && self.exchanges.get_mut(exchange).is_some_and(|own| own.upload.answered(message)) {
            self.turn_to(exchange, Awaits::NextBlock);
            return Inbound::Handled(Handled::Continues);
        }
        self.end(exchange);
        if unusable {
            self.messages.counters.unusable_responses.count();
            return Inbound::Failed(exchange, Failure::Unusable);
        }
        Inbound::Response { exchange, message: *message }
    }

    fn acknowledgement_in<'a>(&mut self, now: Instant, peer: Peer, message: &Message<'a>) -> Inbound<'a> {
        let Some(own) = self.exchanges.wanting(peer, message.message_id()) else {
            return self.unmatched(message);
        };
        let (exchange, token) = (own.id, own.token);
        if message.code().is_empty() {
            if token.is_none() {
                self.end(exchange);
                return Inbound::Acknowledged(exchange);
            }
            let until = now + self.pace.response_timeout();
            self.turn_to(exchange, Awaits::SeparateResponse { until });
            return Inbound::Handled(Handled::Acknowledged);
        }
        // A piggybacked response must carry the token of the request that its Message ID names;
        // anything else is rejected as a whole, and retransmission goes on (section 5.3.2).
        if !message.code().is_response() || token != Some(message.token()) {
            return self.unmatched(message);
        }
        self.take_response(exchange, message)
    }

    /// An acknowledgement that fits nothing of ours.
    fn unmatched<'a>(&mut self, message: &Message<'_>) -> Inbound<'a> {
        let counters = &mut self.messages.counters;
        match message.code() {
            code if code.is_empty() => counters.unmatched_acknowledgements.count(),
            code if code.is_response() => counters.unmatched_responses.count(),
            _ => counters.misplaced.count(),
        }
        Inbound::Handled(Handled::Unexpected)
    }

    fn reset_in<'a>(&mut self, peer: Peer, message_id: MessageId) -> Inbound<'a> {
        self.messages.counters.resets_received.count();
        match self.exchanges.wanting(peer, message_id).map(|own| own.id) {
            Some(exchange) => {
                self.end(exchange);
                Inbound::Failed(exchange, Failure::Reset)
            }
            None => Inbound::Rejected(peer, message_id),
        }
    }

    /// An exchange awaits something else from now on: the message that was repeated has arrived.
    fn turn_to(&mut self, exchange: ExchangeId, awaits: Awaits) {
        let Some(own) = self.exchanges.get_mut(exchange) else { return };
        if let Some(slot) = own.slot() {
            self.messages.drop_slot(slot);
        }
        own.awaits = awaits;
    }

    /// An exchange is over.
    pub(super) fn end(&mut self, exchange: ExchangeId) {
        self.turn_to(exchange, Awaits::NextBlock);
        self.exchanges.remove(exchange);
    }
}

/// Whether a response has a critical option that we do not understand (RFC 7252, section 5.4.1).
/// Only that about the blocks of our own body is needed so far.
fn unusable(message: &Message<'_>) -> bool {
    let known = |number: OptionNumber| !number.is_critical() || number == OptionNumber::BLOCK1;
    message.unsupported_option(known).is_some()
}
