//! Requests of ours that await a response (RFC 7252, section 5.3).

use alloc::vec::Vec;

use coap_codec::{Message, Token};

use super::upload::Upload;
use crate::base::features::BLOCKWISE;
use crate::base::table::Places;
use crate::base::time::{Instant, earliest};
use crate::exchange::{ExchangeId, Peer};

/// What a request still waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Awaits {
    /// An acknowledgement: the message layer retransmits and gives up.
    Acknowledgement,
    /// The separate response that an empty acknowledgement promised.
    SeparateResponse { until: Instant },
    /// The response to a non-confirmable request.
    Response { until: Instant },
    /// Nothing: the next block of its body is to be sent.
    NextBlock,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Request {
    exchange: ExchangeId,
    peer: Peer,
    token: Token,
    awaits: Awaits,
    upload: Upload,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    requests: Vec<Request>,
}

impl Pending {
    pub(crate) const fn new() -> Self {
        Self { requests: Vec::new() }
    }

    pub(crate) fn reserve(&mut self, limit: usize) {
        self.requests.reserve_all(limit);
    }

    /// Adds one, of at most `limit`.
    pub(crate) fn insert(
        &mut self,
        (exchange, peer, token): (ExchangeId, Peer, Token),
        awaits: Awaits,
        upload: Upload,
        limit: usize,
    ) {
        self.requests.add(Request { exchange, peer, token, awaits, upload }, limit);
    }

    /// Takes a response: the request is over, unless there is a next block to send. Whether there is.
    pub(crate) fn answered(&mut self, exchange: ExchangeId, response: &Message<'_>) -> bool {
        if let Some(request) = self.get_mut(exchange)
            && request.upload.answered(response)
        {
            request.awaits = Awaits::NextBlock;
            return true;
        }
        self.remove(exchange);
        false
    }

    fn get_mut(&mut self, exchange: ExchangeId) -> Option<&mut Request> {
        self.requests.iter_mut().find(|request| request.exchange == exchange)
    }

    /// A request to `peer` whose next block is to be sent.
    pub(crate) fn next_block(&self, peer: Peer) -> Option<ExchangeId> {
        let due = |request: &&Request| BLOCKWISE && request.peer == peer && request.awaits == Awaits::NextBlock;
        self.requests.iter().find(due).map(|request| request.exchange)
    }

    /// How far a request is.
    pub(crate) fn upload(&self, exchange: ExchangeId) -> Option<Upload> {
        self.requests.iter().find(|request| request.exchange == exchange).map(|request| request.upload.clone())
    }

    /// The next block was sent.
    pub(crate) fn sent_block(&mut self, exchange: ExchangeId, token: Token, upload: Upload) {
        if let Some(request) = self.get_mut(exchange) {
            (request.token, request.awaits, request.upload) = (token, Awaits::Acknowledgement, upload);
        }
    }

    /// The request that a response with this token from this peer answers.
    pub(crate) fn find(&self, peer: Peer, token: Token) -> Option<ExchangeId> {
        let found = self.requests.iter().find(|request| request.awaited(peer, token));
        found.map(|request| request.exchange)
    }

    /// Whether there is one request only: this one, with this token.
    pub(crate) fn is_only(&self, exchange: ExchangeId, token: Token) -> bool {
        matches!(self.requests.as_slice(), [request] if request.exchange == exchange && request.token == token)
    }

    pub(crate) fn token(&self, exchange: ExchangeId) -> Option<Token> {
        self.requests.iter().find(|request| request.exchange == exchange).map(|request| request.token)
    }

    pub(crate) fn contains(&self, exchange: ExchangeId) -> bool {
        self.token(exchange).is_some()
    }

    /// An empty acknowledgement came: the response is still to come.
    pub(crate) fn acknowledged(&mut self, exchange: ExchangeId, until: Instant) {
        if let Some(request) = self.get_mut(exchange) {
            request.awaits = Awaits::SeparateResponse { until };
        }
    }

    pub(crate) fn remove(&mut self, exchange: ExchangeId) {
        self.take(&|request| request.exchange == exchange);
    }

    fn take(&mut self, which: &dyn Fn(&Request) -> bool) -> Option<ExchangeId> {
        let index = self.requests.iter().position(which)?;
        let exchange = self.requests.get(index)?.exchange;
        self.requests.take_out(index);
        Some(exchange)
    }

    /// Takes out the next request whose response did not come in time.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<ExchangeId> {
        self.take(&|request| request.until().is_some_and(|until| until <= now))
    }

    /// The same of those whose time was over later than `since`.
    pub(crate) fn expire_unheard(&mut self, now: Instant, since: Instant) -> Option<ExchangeId> {
        self.take(&|request| request.until().is_some_and(|until| until <= now && until > since))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        earliest(self.requests.iter().filter_map(Request::until))
    }

    /// Requests that hold a place of NSTART on their own: the confirmable ones are counted where
    /// they are retransmitted, and an acknowledged one holds none (RFC 7252, section 4.7).
    pub(crate) fn unanswered(&self, peer: Peer) -> impl Iterator<Item = ExchangeId> {
        let holds = move |request: &&Request| request.peer == peer && matches!(request.awaits, Awaits::Response { .. });
        self.requests.iter().filter(holds).map(|request| request.exchange)
    }

    pub(crate) fn has(&self, peer: Peer) -> bool {
        self.requests.iter().any(|request| request.peer == peer)
    }

    pub(crate) fn clear(&mut self) {
        self.requests.clear();
    }

    pub(crate) fn forget(&mut self, peer: Peer) {
        self.requests.keep(&mut |request| request.peer != peer);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// How many await anything but an acknowledgement: those that do are retransmitted, and counted there.
    pub(crate) fn beyond_acknowledgement(&self) -> usize {
        self.requests.iter().filter(|request| request.awaits != Awaits::Acknowledgement).count()
    }

    pub(crate) fn heap(&self) -> usize {
        self.requests.capacity().saturating_mul(size_of::<Request>())
    }
}

impl Request {
    /// Whether a response with this token is awaited.
    fn awaited(&self, peer: Peer, token: Token) -> bool {
        self.peer == peer && self.token == token && self.awaits != Awaits::NextBlock
    }

    const fn until(&self) -> Option<Instant> {
        match self.awaits {
            Awaits::Acknowledgement | Awaits::NextBlock => None,
            Awaits::SeparateResponse { until } | Awaits::Response { until } => Some(until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_counts_as_memory() {
        let mut table = Pending::new();
        table.reserve(3);
        assert!(table.heap() >= 3 * size_of::<Request>());
    }

    fn table(requests: &[(u32, u16, Awaits)]) -> Pending {
        let mut table = Pending::new();
        for (exchange, peer, awaits) in requests {
            table.insert((ExchangeId(*exchange), Peer(*peer), Token::EMPTY), *awaits, Upload::default(), 8);
        }
        table
    }

    #[test]
    #[cfg(feature = "blockwise")]
    fn the_next_block_is_one_of_the_peers_that_has_nothing_on_its_way() {
        let table = table(&[(1, 1, Awaits::Acknowledgement), (2, 2, Awaits::NextBlock), (3, 1, Awaits::NextBlock)]);
        let next = [1, 2, 3].map(|peer| table.next_block(Peer(peer)));
        assert_eq!(next, [Some(ExchangeId(3)), Some(ExchangeId(2)), None]);
    }

    #[test]
    fn what_ended_while_nothing_could_be_heard_ended_after_its_beginning() {
        let at = |seconds| Awaits::Response { until: Instant::from_secs(seconds) };
        let mut table = table(&[(1, 1, at(10)), (2, 1, at(21)), (3, 1, at(11)), (4, 1, at(20))]);
        let mut over = || table.expire_unheard(Instant::from_secs(20), Instant::from_secs(10));
        assert_eq!([over(), over(), over()], [Some(ExchangeId(3)), Some(ExchangeId(4)), None]);
    }
}
