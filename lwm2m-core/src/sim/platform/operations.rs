//! What a server asks of the device, and what it observes (OMA LwM2M 1.0, 5.4 and 5.5).

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use coap_codec::{Code, ContentFormat, Token, observe};

use super::coap::Exchange;
use super::message::Unmatched;
use super::{Ask, DmServer, NoAnswer, Response};
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::sim::network::Address;

/// Names something that a server asked of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(Exchange);

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The operation.
    pub operation: OperationId,
    /// Its path: `/3/0/9`.
    pub path: String,
    /// When the answer came, or was given up.
    pub at: Instant,
    /// The answer.
    pub result: Result<Response, NoAnswer>,
}

impl Answer {
    /// The code of the answer, if there was one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.result.as_ref().ok().map(|response| response.code)
    }

    /// The response.
    ///
    /// # Panics
    /// When there is none: a scenario that expects one has failed.
    #[track_caller]
    #[must_use]
    pub fn response(&self) -> &Response {
        match &self.result {
            Ok(response) => response,
            Err(reason) => panic!("no answer to the operation at {}: {reason:?}", self.path),
        }
    }
}

/// Something that a server observes, or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The operation that began it.
    pub operation: OperationId,
    /// Its path.
    pub path: String,
    /// Whether notifications are expected.
    pub active: bool,
    /// What came, in the order of arrival. The answer that began it is not among them.
    pub notifications: Vec<Notification>,
    token: Token,
}

impl Observation {
    /// The newest notification, by its sequence number (RFC 7641, section 3.4).
    #[must_use]
    pub fn newest(&self) -> Option<&Notification> {
        self.notifications.iter().reduce(|newest, next| {
            let (earlier, later) = (newest.response.observe.unwrap_or(0), next.response.observe.unwrap_or(0));
            let elapsed = next.at.saturating_duration_since(newest.at);
            if observe::is_newer(earlier, later, elapsed) { next } else { newest }
        })
    }
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// When it came.
    pub at: Instant,
    /// Whether it wanted an acknowledgement.
    pub confirmable: bool,
    /// What it said; `observe` is its sequence number.
    pub response: Response,
}

/// What a Write does to what it does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteMode {
    /// It goes: PUT.
    Replace,
    /// It stays: POST.
    Update,
}

/// The operations of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Operations {
    /// Asked for, and not sent yet.
    asked: VecDeque<(Pending, Ask)>,
    pending: Vec<Pending>,
    answers: Vec<Answer>,
    observations: Vec<Observation>,
    /// Bytes that are to be sent as they are.
    raw: VecDeque<Vec<u8>>,
    /// Notifications of which the first block came.
    begun: Vec<Begun>,
}

#[derive(Clone, Debug)]
struct Begun {
    exchange: Exchange,
    token: Token,
    confirmable: bool,
}

#[derive(Clone, Debug)]
struct Pending {
    operation: OperationId,
    path: String,
    token: Token,
}

impl Operations {
    /// Something was asked for that has not left yet.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        (!self.asked.is_empty() || !self.raw.is_empty()).then_some(Instant::ZERO)
    }

    /// Nothing is known of the device any more.
    pub(super) fn forget(&mut self, now: Instant) {
        let asked = self.asked.drain(..).map(|(pending, _)| pending);
        let given_up: Vec<_> = self.pending.drain(..).chain(asked).collect();
        given_up.into_iter().for_each(|pending| self.answer(now, pending, Err(NoAnswer::Offline)));
        self.observations.iter_mut().for_each(|observation| observation.active = false);
    }

    fn answer(&mut self, now: Instant, pending: Pending, result: Result<Response, NoAnswer>) {
        let Pending { operation, path, .. } = pending;
        let observes = result.as_ref().is_ok_and(|response| response.code.is_success() && response.observe.is_some());
        let own = self.observations.iter_mut().find(|observation| observation.operation == operation);
        if let Some(observation) = own.filter(|_| !observes) {
            observation.active = false;
        }
        self.answers.push(Answer { operation, path, at: now, result });
    }
}

impl DmServer {
    // ----- operations -----------------------------------------------------------------------
    // They leave with the next step. Without a registration they fail at once.

    /// Read (GET), in the format of `accept` or one of the device's choice.
    pub fn read(&mut self, path: Path, accept: Option<ContentFormat>) -> OperationId {
        self.request(Ask { accept, ..Ask::at(Code::GET, path) })
    }

    /// Write (PUT or POST).
    pub fn write(&mut self, path: Path, format: ContentFormat, payload: &[u8], mode: WriteMode) -> OperationId {
        let method = if mode == WriteMode::Replace { Code::PUT } else { Code::POST };
        self.request(Ask { format: Some(format), payload: payload.into(), ..Ask::at(method, path) })
    }

    /// Execute (POST), with arguments or without.
    pub fn execute(&mut self, path: Path, arguments: &str) -> OperationId {
        let format = (!arguments.is_empty()).then_some(ContentFormat::TEXT_PLAIN);
        self.request(Ask { format, payload: arguments.into(), ..Ask::at(Code::POST, path) })
    }

    /// Create (POST on an object).
    pub fn create(&mut self, object: Path, format: ContentFormat, payload: &[u8]) -> OperationId {
        self.request(Ask { format: Some(format), payload: payload.into(), ..Ask::at(Code::POST, object) })
    }

    /// Delete (DELETE).
    pub fn delete(&mut self, path: Path) -> OperationId {
        self.request(Ask::at(Code::DELETE, path))
    }

    /// Discover (GET for link-format).
    pub fn discover(&mut self, path: Path) -> OperationId {
        self.request(Ask { accept: Some(ContentFormat::LINK_FORMAT), ..Ask::at(Code::GET, path) })
    }

    /// Observe (GET with Observe 0).
    pub fn observe(&mut self, path: Path, accept: Option<ContentFormat>) -> OperationId {
        let ask = Ask { accept, observe: Some(observe::REGISTER), ..Ask::at(Code::GET, path) };
        let token = self.coap.fresh_token();
        let path = ask.slashed();
        let operation = self.request_with(ask, token);
        let notifications = Vec::new();
        self.operations.observations.push(Observation { operation, path, active: true, notifications, token });
        operation
    }

    /// Cancels an observation with a GET with Observe 1 and the token that it has.
    ///
    /// # Panics
    /// When `observation` is none.
    pub fn cancel(&mut self, observation: OperationId) -> OperationId {
        let this = |known: &&mut Observation| known.operation == observation;
        let found = self.operations.observations.iter_mut().find(this).expect("an operation that observes");
        found.active = false;
        let (token, ask) = (found.token, Ask::new(Code::GET, &found.path));
        self.request_with(Ask { observe: Some(observe::DEREGISTER), ..ask }, token)
    }

    /// Forgets an observation without a word: its next notification is rejected with a Reset.
    pub fn forget(&mut self, observation: OperationId) {
        let known = &mut self.operations.observations;
        known.iter_mut().filter(|known| known.operation == observation).for_each(|known| known.active = false);
    }

    /// Asks anything.
    pub fn request(&mut self, ask: Ask) -> OperationId {
        let token = self.coap.fresh_token();
        self.request_with(ask, token)
    }

    /// Asks anything, under a given token.
    pub fn request_with(&mut self, mut ask: Ask, token: Token) -> OperationId {
        ask.block_size = ask.block_size.or(self.block_size);
        let operation = OperationId(self.coap.next_exchange());
        let pending = Pending { operation, path: ask.slashed(), token };
        self.operations.asked.push_back((pending, ask));
        operation
    }

    /// Sends bytes to the device as they are, if it is registered.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.operations.raw.push_back(bytes.to_vec());
    }

    // ----- what came of them ----------------------------------------------------------------

    /// All answers, in the order in which they came.
    #[must_use]
    pub fn answers(&self) -> &[Answer] {
        &self.operations.answers
    }

    /// What came of an operation, if it is over.
    #[must_use]
    pub fn answer(&self, operation: OperationId) -> Option<&Answer> {
        // It came not long ago: look from the end.
        self.operations.answers.iter().rev().find(|answer| answer.operation == operation)
    }

    /// All observations, those that ended too.
    #[must_use]
    pub fn observations(&self) -> &[Observation] {
        &self.operations.observations
    }

    /// The notifications of an observation, in the order of arrival.
    #[must_use]
    pub fn notifications(&self, observation: OperationId) -> &[Notification] {
        let found = self.operations.observations.iter().find(|known| known.operation == observation);
        found.map_or(&[], |found| &found.notifications)
    }

    // ----- at work --------------------------------------------------------------------------

    /// Sends what was asked for.
    pub(super) fn ask(&mut self, now: Instant) {
        if self.waits_for_device(now) {
            return;
        }
        let device = self.registration().map(|registered| registered.address);
        while let Some((pending, ask)) = self.operations.asked.pop_front() {
            match device {
                Some(device) => {
                    self.coap.request(now, pending.operation.0, device, pending.token, &ask);
                    self.operations.pending.push(pending);
                }
                None => self.operations.answer(now, pending, Err(NoAnswer::Offline)),
            }
        }
        while let Some(bytes) = self.operations.raw.pop_front() {
            device.into_iter().for_each(|device| self.coap.raw(device, &bytes));
        }
    }

    pub(super) fn answered(&mut self, now: Instant, exchange: Exchange, result: Result<Response, NoAnswer>) {
        if let Some(index) = self.operations.begun.iter().position(|begun| begun.exchange == exchange) {
            let Begun { token, confirmable, .. } = self.operations.begun.remove(index);
            return result.into_iter().for_each(|response| self.note(now, token, confirmable, response));
        }
        let this = |pending: &Pending| pending.operation.0 == exchange;
        let Some(index) = self.operations.pending.iter().position(this) else { return };
        let pending = self.operations.pending.remove(index);
        if let Some(kind) = result.as_ref().ok().and_then(Response::contradiction) {
            self.complain(now, format!("the answer at {} is not the {kind} that it says", pending.path));
        }
        self.operations.answer(now, pending, result);
    }

    /// A response that answers no request in flight.
    pub(super) fn notified(&mut self, now: Instant, message: &Unmatched) {
        let from_device = self.online.iter().any(|registered| registered.address == message.from);
        let known = &mut self.operations.observations;
        let this = |known: &&mut Observation| known.active && known.token == message.token;
        let Some(observation) = known.iter_mut().find(this).filter(|_| from_device) else {
            return self.coap.take(message, false);
        };
        let (token, confirmable) = (message.token, message.confirmable);
        let Some(part) = message.part.clone().filter(|part| part.block.more) else {
            self.note(now, token, confirmable, message.response.clone());
            return self.coap.take(message, true);
        };
        // The rest of it, by a plain GET (RFC 7959, section 2.6).
        let ask = Ask { accept: message.response.format, ..Ask::new(Code::GET, &observation.path) };
        let exchange = self.coap.next_exchange();
        self.operations.begun.push(Begun { exchange, token, confirmable });
        self.coap.take(message, true);
        self.coap.complete(now, exchange, ask, message, part);
    }

    /// Notes a notification, once it is whole.
    fn note(&mut self, now: Instant, token: Token, confirmable: bool, response: Response) {
        let known = &mut self.operations.observations;
        let Some(observation) = known.iter_mut().find(|known| known.token == token) else { return };
        // An error, or a response without Observe, is the last one (RFC 7641, section 4.2).
        observation.active = response.code.is_success() && response.observe.is_some();
        let contradiction = response.contradiction();
        let complaint = contradiction.map(|kind| format!("a notification of {} is no {kind}", observation.path));
        observation.notifications.push(Notification { at: now, confirmable, response });
        complaint.into_iter().for_each(|complaint| self.complain(now, complaint));
    }

    /// A device is gone, or begins anew: nothing more is expected from its address.
    pub(super) fn end_operations(&mut self, now: Instant, device: Address) {
        for exchange in self.coap.abandon(device) {
            self.answered(now, exchange, Err(NoAnswer::Offline));
        }
        self.operations.observations.iter_mut().for_each(|observation| observation.active = false);
    }
}

impl Ask {
    /// The path, written with slashes.
    fn slashed(&self) -> String {
        if self.path.is_empty() { "/".into() } else { self.path.iter().map(|segment| format!("/{segment}")).collect() }
    }
}
