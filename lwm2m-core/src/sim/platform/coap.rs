//! The platform's own message layer and request layer, written from RFC 7252: it shares the reader
//! and the writer of single messages with the client, and nothing else.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, Token, WriteError};

use super::blockwise::{Dialogue, Next, Part, Received, Receiver};
use super::message::{Inbound, Unmatched, write};
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
    /// Requests that are not answered yet, whatever number of messages they take.
    dialogues: Vec<Dialogue>,
    pub(super) receiver: Receiver,
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
            dialogues: Vec::new(),
            receiver: Receiver::default(),
        }
    }

    /// Forgets everything that is in flight or remembered; numbers go on.
    pub(super) fn forget(&mut self) {
        self.ready.clear();
        self.late.clear();
        self.waiting.clear();
        self.sent.clear();
        self.seen.clear();
        self.dialogues.clear();
        self.receiver.forget();
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
        let dialogue = Dialogue::new(exchange, to, ask.clone());
        let message = self.message_of(&dialogue, token);
        self.waiting.push_back(message);
        self.dialogues.push(dialogue);
        self.advance(now);
    }

    /// Asks for the rest of a notification.
    pub(super) fn complete(&mut self, now: Instant, exchange: Exchange, ask: Ask, first: &Unmatched, part: Part) {
        let dialogue = Dialogue::rest_of(exchange, first.from, ask, first.response.clone(), part);
        let token = self.fresh_token();
        let message = self.message_of(&dialogue, token);
        self.waiting.push_back(message);
        self.dialogues.push(dialogue);
        self.advance(now);
    }

    /// The next message of a request.
    fn message_of(&mut self, dialogue: &Dialogue, token: Token) -> Waiting {
        let Dialogue { exchange, to, ref ask, .. } = *dialogue;
        let message_type = if ask.confirmable { MessageType::Confirmable } else { MessageType::NonConfirmable };
        let header = Header { message_type, code: ask.method, message_id: self.message_id() };
        let bytes = write(header, token, dialogue.payload_len(), |writer| dialogue.write(writer));
        Waiting { exchange, to, token, bytes, confirmable: ask.confirmable }
    }

    /// Gives up waiting for everything from an address.
    pub(super) fn abandon(&mut self, from: Address) -> Vec<Exchange> {
        let waiting = self.waiting.iter().filter(|waiting| waiting.to == from).map(|waiting| waiting.exchange);
        let sent = self.sent.iter().filter(|sent| sent.to == from && sent.is_request).map(|sent| sent.exchange);
        let given_up = sent.chain(waiting).collect();
        self.waiting.retain(|waiting| waiting.to != from);
        self.sent.retain(|sent| sent.to != from);
        self.dialogues.retain(|dialogue| dialogue.to != from);
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
        let own = |message_type, message_id| {
            write(Header { message_type, code, message_id }, request.token, 0, |writer| {
                write_rest(writer)?;
                request.block.map_or(Ok(()), |block| block.answer(writer))
            })
        };
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
                if let Some(reset) = error.reset() {
                    self.ready.push_back((from, reset.to_bytes().to_vec()));
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
            let mut request = Inbound::of(from, message);
            return match self.receiver.take(&mut request, message) {
                Received::Whole(block) => Incoming::Request(Inbound { block, ..request }),
                Received::Answer(code, block) => {
                    let request = Inbound { block, ..request };
                    self.respond(now, &request, Answering::Piggybacked, code, |_| Ok(()));
                    Incoming::Nothing
                }
            };
        }
        let unmatched = Unmatched {
            from,
            token: message.token(),
            confirmable,
            message_id,
            response: Response::of(message),
            part: Part::of(message),
        };
        let known = self.sent.iter().any(|sent| sent.is_request && sent.to == from && sent.token == unmatched.token);
        if !known {
            return Incoming::Unmatched(unmatched);
        }
        let incoming = self.answered(from, |sent| sent.token == unmatched.token, message);
        self.take(&unmatched, true);
        incoming
    }

    fn answered(&mut self, from: Address, matches: impl Fn(&Sent) -> bool, message: &Message<'_>) -> Incoming {
        if !message.code().is_response() {
            return Incoming::Malformed;
        }
        let this = |sent: &Sent| sent.is_request && sent.to == from && matches(sent);
        let Some(index) = self.sent.iter().position(this) else {
            return Incoming::Nothing;
        };
        let exchange = self.sent.remove(index).exchange;
        let Some(index) = self.dialogues.iter().position(|dialogue| dialogue.exchange == exchange) else {
            return Incoming::Nothing;
        };
        let mut dialogue = self.dialogues.remove(index);
        match dialogue.take(message) {
            Next::Message => {
                // Before anything else that waits.
                let token = self.fresh_token();
                let message = self.message_of(&dialogue, token);
                self.waiting.push_front(message);
                self.dialogues.push(dialogue);
                Incoming::Nothing
            }
            Next::Done(response) => Incoming::Answered(exchange, Ok(response)),
        }
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
        self.failed(&sent, NoAnswer::Reset)
    }

    fn failed(&mut self, sent: &Sent, reason: NoAnswer) -> Incoming {
        self.dialogues.retain(|dialogue| dialogue.exchange != sent.exchange);
        if sent.is_request { Incoming::Answered(sent.exchange, Err(reason)) } else { Incoming::Nothing }
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
        self.failed(&sent, NoAnswer::TimedOut)
    }

    const fn message_id(&mut self) -> MessageId {
        self.next_message_id = self.next_message_id.wrapping_add(1);
        MessageId(self.next_message_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: Address = Address { network: 0, port: 1 };

    fn secs(seconds: u64) -> Instant {
        Instant::from_secs(seconds)
    }

    fn ask(coap: &mut Coap, now: Instant) -> Exchange {
        let exchange = coap.next_exchange();
        let token = coap.fresh_token();
        coap.request(now, exchange, DEVICE, token, &Ask::new(Code::GET, "/3/0/9"));
        exchange
    }

    fn transmitted(coap: &mut Coap) -> Vec<Vec<u8>> {
        core::iter::from_fn(|| coap.transmit()).map(|(_, bytes)| bytes).collect()
    }

    /// A response to `request`: a type, a Message ID, a code.
    fn response(request: &[u8], message_type: MessageType, message_id: MessageId, code: Code) -> Vec<u8> {
        let token = Message::parse(request).unwrap().token();
        write(Header { message_type, code, message_id }, token, 0, |_| Ok(()))
    }

    #[test]
    fn a_request_is_sent_five_times_within_the_times_of_the_rfc() {
        let mut coap = Coap::new(Key::from_seed(1));
        let exchange = ask(&mut coap, secs(0));
        let first = transmitted(&mut coap);
        let mut times = Vec::new();
        let over = loop {
            let now = coap.poll_timeout().unwrap();
            let incoming = coap.handle_timeout(now);
            let again = transmitted(&mut coap);
            if let Incoming::Answered(own, result) = incoming {
                assert_eq!((own, result), (exchange, Err(NoAnswer::TimedOut)));
                break now;
            }
            assert_eq!(again, first, "the same bytes");
            times.push(now);
        };
        assert_eq!(times.len(), 4);
        assert!(times[0] >= secs(2) && times[0] <= secs(3) && times[3] >= secs(30) && times[3] <= secs(45));
        assert!(over >= secs(62) && over <= secs(93));
        assert_eq!(coap.poll_timeout(), None);
    }

    #[test]
    fn one_request_at_a_time() {
        let mut coap = Coap::new(Key::from_seed(1));
        let [one, two] = [(); 2].map(|()| ask(&mut coap, secs(0)));
        let sent = transmitted(&mut coap);
        assert_eq!(sent.len(), 1);
        let message_id = Message::parse(&sent[0]).unwrap().message_id();
        let answer = response(&sent[0], MessageType::Acknowledgement, message_id, Code::CONTENT);
        let Incoming::Answered(answered, Ok(_)) = coap.receive(secs(1), DEVICE, &answer) else { panic!() };
        assert_eq!(answered, one);
        let second = transmitted(&mut coap);
        assert_eq!(second.len(), 1);
        let reset = Header::empty(MessageType::Reset, Message::parse(&second[0]).unwrap().message_id());
        let Incoming::Answered(answered, Err(NoAnswer::Reset)) = coap.receive(secs(1), DEVICE, &reset.to_bytes())
        else {
            panic!()
        };
        assert_eq!(answered, two);
    }

    #[test]
    fn a_separate_response_is_acknowledged_once_more_when_it_is_repeated() {
        let mut coap = Coap::new(Key::from_seed(1));
        ask(&mut coap, secs(0));
        let sent = transmitted(&mut coap);
        let message_id = Message::parse(&sent[0]).unwrap().message_id();
        let acknowledgement = Header::empty(MessageType::Acknowledgement, message_id).to_bytes();
        assert!(matches!(coap.receive(secs(1), DEVICE, &acknowledgement), Incoming::Nothing));
        assert_eq!(coap.poll_timeout(), Some(secs(248)), "nothing is repeated any more");
        let separate = response(&sent[0], MessageType::Confirmable, MessageId(9), Code::CONTENT);
        assert!(matches!(coap.receive(secs(2), DEVICE, &separate), Incoming::Answered(_, Ok(_))));
        assert!(matches!(coap.receive(secs(3), DEVICE, &separate), Incoming::Nothing));
        assert_eq!(transmitted(&mut coap), [b"\x60\0\0\x09", b"\x60\0\0\x09"]);
        // Under a Message ID that was not seen it belongs to nothing.
        let late = response(&sent[0], MessageType::Confirmable, MessageId(10), Code::CONTENT);
        let Incoming::Unmatched(unmatched) = coap.receive(secs(4), DEVICE, &late) else { panic!() };
        coap.take(&unmatched, false);
        assert_eq!(transmitted(&mut coap), [b"\x70\0\0\x0a"]);
    }

    #[test]
    fn a_repeated_request_gets_the_same_answer_and_is_told_once() {
        let request = b"\x41\x02\0\x07T\xb2rd";
        for (answering, first, repeated) in [
            (Answering::Piggybacked, &[&b"\x61\x44\0\x07T"[..]][..], &b"\x61\x44\0\x07T"[..]),
            (Answering::Separate(Duration::from_secs(9)), &[b"\x60\0\0\x07"], b"\x60\0\0\x07"),
            (Answering::AcknowledgeOnly, &[b"\x60\0\0\x07"], b"\x60\0\0\x07"),
            (Answering::Twice, &[b"\x61\x44\0\x07T", b"\x61\x44\0\x07T"], b"\x61\x44\0\x07T"),
            (Answering::Never, &[], b""),
            (Answering::Late(Duration::from_secs(9)), &[], b""),
        ] {
            let mut coap = Coap::new(Key::from_seed(1));
            let Incoming::Request(inbound) = coap.receive(secs(0), DEVICE, request) else { panic!() };
            coap.respond(secs(0), &inbound, answering, Code::CHANGED, |_| Ok(()));
            assert_eq!(transmitted(&mut coap), first, "{answering:?}");
            assert!(matches!(coap.receive(secs(3), DEVICE, request), Incoming::Nothing));
            assert_eq!(transmitted(&mut coap).concat(), repeated, "{answering:?}");
            assert!(matches!(coap.receive(secs(300), DEVICE, request), Incoming::Request(_)), "forgotten by then");
        }
    }

    #[test]
    fn what_is_malformed_is_rejected_when_it_is_confirmable() {
        let mut coap = Coap::new(Key::from_seed(1));
        for (datagram, answer) in [
            (&b"\x49\x01\0\x01"[..], &b"\x70\0\0\x01"[..]),
            (b"\x59\x01\0\x01", b""),
            (b"\x40", b""),
            (b"\x40\xe1\0\x02", b"\x70\0\0\x02"),
        ] {
            assert!(matches!(coap.receive(secs(0), DEVICE, datagram), Incoming::Malformed));
            assert_eq!(transmitted(&mut coap).concat(), answer, "{datagram:?}");
        }
        let ping = coap.receive(secs(0), DEVICE, b"\x40\0\0\x03");
        assert!(matches!(ping, Incoming::Nothing));
        assert_eq!(transmitted(&mut coap), [b"\x70\0\0\x03"]);
    }
}
