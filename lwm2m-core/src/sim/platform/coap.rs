//! The platform's own message layer and request layer, written from RFC 7252: it shares the reader
//! and the writer of single messages with the client, and nothing else.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{
    Code, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Reaction, Token, WriteError,
};

use super::{Answering, Ask, NoAnswer, Response};
use crate::base::rng::{Generator, Key};
use crate::base::time::Instant;
use crate::sim::network::Address;

/// ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR (RFC 7252, section 4.8).
const FIRST_TIMEOUT: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(3));
const MAX_RETRANSMIT: u8 = 4;
/// EXCHANGE_LIFETIME: how long Message IDs are remembered, and separate responses awaited.
const EXCHANGE_LIFETIME: Duration = Duration::from_secs(247);

/// Names something that was sent and is waited for.
pub(super) type Exchange = u32;

/// The state of one host.
#[derive(Clone, Debug)]
pub(super) struct Coap {
    generator: Generator,
    next_message_id: u16,
    last_exchange: Exchange,
    /// What leaves now.
    ready: VecDeque<(Address, Vec<u8>)>,
    /// Answers that are held back on purpose.
    late: Vec<Late>,
    /// Requests that wait for the one before them (NSTART is 1).
    waiting: VecDeque<Waiting>,
    sent: Vec<Sent>,
    seen: Vec<Seen>,
}

#[derive(Clone, Debug)]
struct Late {
    at: Instant,
    to: Address,
    message_id: MessageId,
    bytes: Vec<u8>,
    /// A separate response is confirmable, a late acknowledgement is not.
    confirmable: bool,
}

#[derive(Clone, Debug)]
struct Waiting {
    exchange: Exchange,
    to: Address,
    token: Token,
    bytes: Vec<u8>,
    confirmable: bool,
}

/// Something of ours that wants an acknowledgement or a response.
#[derive(Clone, Debug)]
struct Sent {
    exchange: Exchange,
    to: Address,
    message_id: MessageId,
    token: Token,
    /// A separate response wants only its acknowledgement.
    is_request: bool,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Unacknowledged {
        bytes: Vec<u8>,
        resend_at: Instant,
        timeout: Duration,
        left: u8,
    },
    /// Acknowledged, or never to be; the response is awaited until then.
    Awaiting {
        until: Instant,
    },
}

/// A message that was received, and what was said to it.
#[derive(Clone, Debug)]
struct Seen {
    from: Address,
    message_id: MessageId,
    until: Instant,
    answer: Option<Vec<u8>>,
}

/// A request of the device.
#[derive(Clone, Debug)]
pub(super) struct Inbound {
    pub(super) from: Address,
    pub(super) code: Code,
    pub(super) token: Token,
    pub(super) confirmable: bool,
    pub(super) message_id: MessageId,
    pub(super) path: Vec<String>,
    pub(super) query: Vec<String>,
    pub(super) format: Option<coap_codec::ContentFormat>,
    pub(super) payload: Vec<u8>,
}

/// A response that belongs to no request in flight: a notification, perhaps.
#[derive(Clone, Debug)]
pub(super) struct Unmatched {
    pub(super) from: Address,
    pub(super) token: Token,
    pub(super) confirmable: bool,
    pub(super) message_id: MessageId,
    pub(super) response: Response,
}

/// What became of a datagram, or of time passing.
#[derive(Clone, Debug)]
pub(super) enum Incoming {
    Request(Inbound),
    Answered(Exchange, Result<Response, NoAnswer>),
    Unmatched(Unmatched),
    /// Not a message that the device may send.
    Malformed,
    Nothing,
}

impl Coap {
    pub(super) fn new(key: Key) -> Self {
        let mut generator = Generator::new(key);
        let next_message_id = generator.next_u64() as u16;
        Self {
            generator,
            next_message_id,
            last_exchange: 0,
            ready: VecDeque::new(),
            late: Vec::new(),
            waiting: VecDeque::new(),
            sent: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Forgets everything that is in flight or remembered; numbers go on.
    pub(super) fn forget(&mut self) {
        self.ready.clear();
        self.late.clear();
        self.waiting.clear();
        self.sent.clear();
        self.seen.clear();
    }

    pub(super) fn random(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// What leaves next.
    pub(super) fn transmit(&mut self) -> Option<(Address, Vec<u8>)> {
        self.ready.pop_front()
    }

    // ----- requests -------------------------------------------------------------------------

    /// A number for something that is about to be asked.
    pub(super) const fn next_exchange(&mut self) -> Exchange {
        self.last_exchange += 1;
        self.last_exchange
    }

    /// A token that has not been used.
    pub(super) fn fresh_token(&mut self) -> Token {
        Token::new(&self.generator.next_u64().to_be_bytes()).unwrap_or(Token::EMPTY)
    }

    /// Asks; the answer comes as [`Incoming::Answered`].
    pub(super) fn request(&mut self, now: Instant, exchange: Exchange, to: Address, token: Token, ask: &Ask) {
        let message_type = if ask.confirmable { MessageType::Confirmable } else { MessageType::NonConfirmable };
        let message_id = self.message_id();
        let header = Header { message_type, code: ask.method, message_id };
        let bytes = write(header, token, ask.payload.len(), |writer| ask.write(writer));
        self.waiting.push_back(Waiting { exchange, to, token, bytes, confirmable: ask.confirmable });
        self.advance(now);
    }

    /// Gives up waiting for everything from an address.
    pub(super) fn abandon(&mut self, from: Address) -> Vec<Exchange> {
        let waiting = self.waiting.iter().filter(|waiting| waiting.to == from).map(|waiting| waiting.exchange);
        let sent = self.sent.iter().filter(|sent| sent.to == from && sent.is_request).map(|sent| sent.exchange);
        let given_up = sent.chain(waiting).collect();
        self.waiting.retain(|waiting| waiting.to != from);
        self.sent.retain(|sent| sent.to != from);
        given_up
    }

    /// Sends what waits for nobody any more.
    fn advance(&mut self, now: Instant) {
        let busy = |sent: &[Sent], to: Address| {
            sent.iter().any(|sent| sent.to == to && matches!(sent.state, State::Unacknowledged { .. }))
        };
        let mut index = 0;
        while let Some(next) = self.waiting.get(index) {
            let earlier = self.waiting.iter().take(index).any(|waiting| waiting.to == next.to);
            if earlier || busy(&self.sent, next.to) {
                index += 1;
            } else if let Some(next) = self.waiting.remove(index) {
                self.start(now, next, true);
            }
        }
    }

    fn start(&mut self, now: Instant, what: Waiting, is_request: bool) {
        let Waiting { exchange, to, token, bytes, confirmable } = what;
        let message_id = Message::parse(&bytes).map_or(MessageId(0), |message| message.message_id());
        self.ready.push_back((to, bytes.clone()));
        let state = if confirmable {
            let timeout = self.generator.between(FIRST_TIMEOUT.0, FIRST_TIMEOUT.1);
            State::Unacknowledged { bytes, resend_at: now + timeout, timeout, left: MAX_RETRANSMIT }
        } else {
            State::Awaiting { until: now + EXCHANGE_LIFETIME }
        };
        self.sent.push(Sent { exchange, to, message_id, token, is_request, state });
    }

    // ----- answers --------------------------------------------------------------------------

    /// Answers a request in the given manner. `write` adds what comes after the code.
    pub(super) fn respond(
        &mut self,
        now: Instant,
        request: &Inbound,
        answering: Answering,
        code: Code,
        write_rest: impl Fn(&mut MessageWriter<'_>) -> Result<(), WriteError>,
    ) {
        let acknowledgement = Header::empty(MessageType::Acknowledgement, request.message_id);
        let own =
            |message_type, message_id| write(Header { message_type, code, message_id }, request.token, 0, &write_rest);
        if !request.confirmable {
            let message_id = self.message_id();
            let bytes = own(MessageType::NonConfirmable, message_id);
            return self.say(request.from, request.message_id, Some(bytes));
        }
        let piggybacked = || own(MessageType::Acknowledgement, request.message_id);
        match answering {
            Answering::Piggybacked => self.say(request.from, request.message_id, Some(piggybacked())),
            Answering::Twice => {
                let bytes = piggybacked();
                self.ready.push_back((request.from, bytes.clone()));
                self.say(request.from, request.message_id, Some(bytes));
            }
            Answering::Late(after) => {
                let (at, bytes) = (now + after, piggybacked());
                let (to, message_id) = (request.from, request.message_id);
                self.late.push(Late { at, to, message_id, bytes, confirmable: false });
            }
            Answering::Separate(after) => {
                self.say(request.from, request.message_id, Some(acknowledgement.to_bytes().to_vec()));
                let (at, message_id) = (now + after, self.message_id());
                let bytes = own(MessageType::Confirmable, message_id);
                self.late.push(Late { at, to: request.from, message_id, bytes, confirmable: true });
            }
            Answering::AcknowledgeOnly => {
                self.say(request.from, request.message_id, Some(acknowledgement.to_bytes().to_vec()));
            }
            Answering::Never => {}
        }
    }

    /// Sends what answers a message, now and to every repetition of it.
    fn say(&mut self, to: Address, message_id: MessageId, answer: Option<Vec<u8>>) {
        if let Some(answer) = &answer {
            self.ready.push_back((to, answer.clone()));
        }
        let this = |seen: &&mut Seen| seen.from == to && seen.message_id == message_id;
        if let Some(seen) = self.seen.iter_mut().find(this) {
            seen.answer = answer;
        }
    }

    /// Takes a notification, or rejects it.
    pub(super) fn take(&mut self, message: &Unmatched, wanted: bool) {
        let answer = match (wanted, message.confirmable) {
            (true, true) => Some(MessageType::Acknowledgement),
            (true, false) => None,
            (false, _) => Some(MessageType::Reset),
        };
        let bytes = answer.map(|answer| Header::empty(answer, message.message_id).to_bytes().to_vec());
        self.say(message.from, message.message_id, bytes);
    }

    /// Sends bytes as they are.
    pub(super) fn raw(&mut self, to: Address, bytes: &[u8]) {
        self.ready.push_back((to, bytes.to_vec()));
    }

    // ----- in -------------------------------------------------------------------------------

    /// Takes a datagram.
    pub(super) fn receive(&mut self, now: Instant, from: Address, datagram: &[u8]) -> Incoming {
        self.seen.retain(|seen| seen.until > now);
        let message = match Message::parse(datagram) {
            Ok(message) => message,
            Err(error) => {
                if let (Reaction::Reset, Some(header)) = (error.reaction(), error.header()) {
                    self.ready.push_back((from, header.reset().to_bytes().to_vec()));
                }
                return Incoming::Malformed;
            }
        };
        let (code, message_id) = (message.code(), message.message_id());
        let incoming = match message.message_type() {
            MessageType::Acknowledgement if code.is_empty() => self.acknowledged(now, from, message_id),
            MessageType::Acknowledgement => {
                let matches = |sent: &Sent| sent.message_id == message_id && sent.token == message.token();
                self.answered(from, matches, &message)
            }
            MessageType::Reset => self.reset(from, message_id),
            MessageType::Confirmable | MessageType::NonConfirmable => self.fresh(now, from, &message),
        };
        self.advance(now);
        incoming
    }

    fn fresh(&mut self, now: Instant, from: Address, message: &Message<'_>) -> Incoming {
        let (code, message_id) = (message.code(), message.message_id());
        let confirmable = message.message_type() == MessageType::Confirmable;
        if let Some(seen) = self.seen.iter().find(|seen| seen.from == from && seen.message_id == message_id) {
            if let Some(answer) = &seen.answer {
                self.ready.push_back((from, answer.clone()));
            }
            return Incoming::Nothing;
        }
        if !code.is_request() && !code.is_response() {
            if confirmable {
                self.ready.push_back((from, message.header().reset().to_bytes().to_vec()));
            }
            return if code.is_empty() { Incoming::Nothing } else { Incoming::Malformed };
        }
        self.seen.push(Seen { from, message_id, until: now + EXCHANGE_LIFETIME, answer: None });
        if code.is_request() {
            return Incoming::Request(Inbound::of(from, message));
        }
        let unmatched =
            Unmatched { from, token: message.token(), confirmable, message_id, response: Response::of(message) };
        let incoming = self.answered(from, |sent| sent.token == unmatched.token, message);
        if matches!(incoming, Incoming::Answered(..)) {
            self.take(&unmatched, true);
            return incoming;
        }
        Incoming::Unmatched(unmatched)
    }

    fn answered(&mut self, from: Address, matches: impl Fn(&Sent) -> bool, message: &Message<'_>) -> Incoming {
        if !message.code().is_response() {
            return Incoming::Malformed;
        }
        let this = |sent: &Sent| sent.is_request && sent.to == from && matches(sent);
        let Some(index) = self.sent.iter().position(this) else {
            return Incoming::Nothing;
        };
        Incoming::Answered(self.sent.remove(index).exchange, Ok(Response::of(message)))
    }

    fn acknowledged(&mut self, now: Instant, from: Address, message_id: MessageId) -> Incoming {
        let this = |sent: &Sent| sent.to == from && sent.message_id == message_id;
        if let Some(index) = self.sent.iter().position(this) {
            match self.sent.get_mut(index) {
                Some(sent) if sent.is_request => sent.state = State::Awaiting { until: now + EXCHANGE_LIFETIME },
                _ => drop(self.sent.remove(index)),
            }
        }
        Incoming::Nothing
    }

    fn reset(&mut self, from: Address, message_id: MessageId) -> Incoming {
        let this = |sent: &Sent| sent.to == from && sent.message_id == message_id;
        let Some(index) = self.sent.iter().position(this) else {
            return Incoming::Nothing;
        };
        let sent = self.sent.remove(index);
        if sent.is_request { Incoming::Answered(sent.exchange, Err(NoAnswer::Reset)) } else { Incoming::Nothing }
    }

    // ----- time -----------------------------------------------------------------------------

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let sent = self.sent.iter().map(|sent| match sent.state {
            State::Unacknowledged { resend_at, .. } => resend_at,
            State::Awaiting { until } => until,
        });
        let ready = self.ready.front().map(|_| Instant::ZERO);
        sent.chain(self.late.iter().map(|late| late.at)).chain(ready).min()
    }

    /// Repeats what is due, and gives up on the first that was repeated often enough.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Incoming {
        while let Some(index) = self.late.iter().position(|late| late.at <= now) {
            let Late { to, message_id, bytes, confirmable, .. } = self.late.remove(index);
            if confirmable {
                let exchange = self.next_exchange();
                self.start(now, Waiting { exchange, to, token: Token::EMPTY, bytes, confirmable }, false);
            } else {
                self.say(to, message_id, Some(bytes));
            }
        }
        for sent in &mut self.sent {
            if let State::Unacknowledged { bytes, resend_at, timeout, left } = &mut sent.state
                && *resend_at <= now
                && *left > 0
            {
                self.ready.push_back((sent.to, bytes.clone()));
                *timeout *= 2;
                *resend_at = now + *timeout;
                *left -= 1;
            }
        }
        let over = |sent: &Sent| match sent.state {
            State::Unacknowledged { resend_at, .. } => resend_at <= now,
            State::Awaiting { until } => until <= now,
        };
        let Some(index) = self.sent.iter().position(over) else {
            self.advance(now);
            return Incoming::Nothing;
        };
        let sent = self.sent.remove(index);
        self.advance(now);
        if sent.is_request { Incoming::Answered(sent.exchange, Err(NoAnswer::TimedOut)) } else { Incoming::Nothing }
    }

    const fn message_id(&mut self) -> MessageId {
        self.next_message_id = self.next_message_id.wrapping_add(1);
        MessageId(self.next_message_id)
    }
}

/// Makes a message; what does not fit or may not be written is left out.
fn write(
    header: Header,
    token: Token,
    payload: usize,
    rest: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), WriteError>,
) -> Vec<u8> {
    let mut buffer = vec![0; 4_096 + payload];
    match MessageWriter::new(&mut buffer, header, token) {
        Ok(mut writer) => {
            let _ = rest(&mut writer);
            writer.as_bytes().to_vec()
        }
        Err(_) => header.to_bytes().to_vec(),
    }
}

impl Ask {
    fn write(&self, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
        if let Some(observe) = self.observe {
            writer.observe(observe)?;
        }
        self.path.iter().try_for_each(|segment| writer.option(OptionNumber::URI_PATH, segment.as_bytes()))?;
        if let Some(format) = self.format {
            writer.content_format(format)?;
        }
        self.query.iter().try_for_each(|query| writer.option(OptionNumber::URI_QUERY, query.as_bytes()))?;
        if let Some(accept) = self.accept {
            writer.accept(accept)?;
        }
        self.options.iter().try_for_each(|(number, value)| writer.option(OptionNumber(*number), value))?;
        writer.payload(&self.payload)
    }
}

/// Options as text; what is no UTF-8 stays recognisable.
fn texts<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    values.map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

impl Inbound {
    fn of(from: Address, message: &Message<'_>) -> Self {
        Self {
            from,
            code: message.code(),
            token: message.token(),
            confirmable: message.message_type() == MessageType::Confirmable,
            message_id: message.message_id(),
            path: texts(message.uri_path()),
            query: texts(message.uri_query()),
            format: message.content_format(),
            payload: message.payload().to_vec(),
        }
    }
}

impl Response {
    fn of(message: &Message<'_>) -> Self {
        Self {
            code: message.code(),
            format: message.content_format(),
            observe: message.observe(),
            location: texts(message.location_path()),
            payload: message.payload().to_vec(),
        }
    }
}
