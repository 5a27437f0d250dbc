//! Two CoAP endpoints, the line between them, and what may happen to both.

use std::collections::BTreeSet;

use core::time::Duration;

use coap_codec::{Code, Message, Token};
use lwm2m_core::exchange::{Endpoint, ExchangeId, Inbound, Output, Peer, Transmission, Verdict};
use lwm2m_core::{Instant, Key, Limits};

/// The tables are small, so that they are full.
const LIMITS: Limits = Limits { slots: 3, datagram: 96, exchanges: 3, deduplication: 4, deferred: 2, ..Limits::DEVICE };

struct End {
    endpoint: Endpoint,
    /// What it asked for, and what has no outcome yet.
    open: BTreeSet<u64>,
}

struct Line {
    ends: [End; 2],
    now: Instant,
    /// To whom, and what.
    flights: Vec<(usize, Vec<u8>)>,
    /// How the next request is answered.
    answer: u8,
}

/// Each step is an operation and a byte for it. Every exchange has one outcome; no table grows beyond its
/// bound; deadlines move; and when all is over, nothing is left.
pub fn exchange(data: &[u8]) {
    let end = |seed| End {
        endpoint: Endpoint::new(Transmission { nstart: 2, ..Transmission::default() }, &LIMITS, Key::from_seed(seed)),
        open: BTreeSet::new(),
    };
    let mut line = Line { ends: [end(1), end(2)], now: Instant::ZERO, flights: Vec::new(), answer: 0 };
    let mut rest = data;
    while let [operation, argument, after @ ..] = rest {
        rest = line.step(*operation, *argument, after);
        line.drain();
    }
    line.wait_for_the_end();
}

fn key(exchange: ExchangeId) -> u64 {
    // It has no number that can be seen but in its name.
    format!("{exchange:?}").bytes().filter(u8::is_ascii_digit).fold(0, |sum, digit| 10 * sum + u64::from(digit - b'0'))
}

impl Line {
    fn step<'a>(&mut self, operation: u8, argument: u8, rest: &'a [u8]) -> &'a [u8] {
        let own = usize::from(operation >> 7);
        let (now, peer) = (self.now, Peer(1 - own as u16));
        let End { endpoint, open } = &mut self.ends[own];
        let write = |writer: &mut coap_codec::MessageWriter<'_>| {
            if writer.path(["a", "b/c", ""][usize::from(argument % 3)]).is_err() || argument == 255 {
                return Verdict::Drop;
            }
            Verdict::Send
        };
        let method = [Code::GET, Code::PUT, Code::POST, Code::DELETE][usize::from(argument & 3)];
        match operation % 14 {
            0 | 1 => open.extend(endpoint.request(now, peer, method, write).map(key)),
            2 => open.extend(endpoint.request_non_confirmable(now, peer, method, write).map(key)),
            3 => {
                let token = Token::new(&[argument]).expect("a token");
                let confirmable = argument & 1 == 0;
                let sent = endpoint.notify(now, peer, token, confirmable, |_| Verdict::Send);
                open.extend(sent.ok().filter(|_| confirmable).map(|sent| key(sent.exchange)));
            }
            4 | 5 => self.deliver(argument, false, 0),
            6 => self.deliver(argument, true, 0),
            7 => self.deliver(argument, argument & 1 == 0, operation | 1),
            8 => drop(self.take(argument)),
            9 => self.now = now + Duration::from_millis(u64::from(argument).pow(2) * 8),
            10 => {
                let due = endpoint.poll_timeout().unwrap_or(now);
                self.now = now.max(due);
                self.expire(own);
            }
            11 => self.answer = argument,
            12 => {
                let (datagram, rest) = rest.split_at(usize::from(argument % 32).min(rest.len()));
                self.receive(own, datagram);
                return rest;
            }
            _ => {
                if argument & 1 == 0 {
                    endpoint.abandon(peer)
                } else {
                    endpoint.forget(peer)
                }
                open.clear();
            }
        }
        rest
    }

    fn take(&mut self, argument: u8) -> Option<(usize, Vec<u8>)> {
        let index = usize::from(argument).checked_rem(self.flights.len())?;
        Some(self.flights.remove(index))
    }

    /// Delivers a datagram, perhaps broken in one byte, perhaps to come again.
    fn deliver(&mut self, argument: u8, again: bool, flip: u8) {
        let Some((to, mut datagram)) = self.take(argument) else { return };
        if again {
            self.flights.push((to, datagram.clone()));
        }
        if flip != 0 {
            let place = usize::from(argument) % datagram.len();
            datagram[place] ^= flip;
        }
        self.receive(to, &datagram);
    }

    fn receive(&mut self, own: usize, datagram: &[u8]) {
        let (now, answer) = (self.now, self.answer);
        let End { endpoint, open } = &mut self.ends[own];
        match endpoint.receive(now, Peer(1 - own as u16), datagram) {
            Inbound::Request { reply, .. } if answer % 8 == 7 => endpoint.ignore(&reply),
            Inbound::Request { reply, .. } if answer % 8 == 6 => endpoint.forget_request(&reply),
            Inbound::Request { reply, .. } => {
                let deadline = now + Duration::from_secs(u64::from(answer));
                let _ = endpoint.answer(now, &reply, datagram, deadline, |writer, ticket| match answer % 8 {
                    0 => Verdict::Drop,
                    1 | 2 if ticket.is_some() => Verdict::Later,
                    _ => {
                        writer.set_code(Code::CONTENT);
                        writer
                            .payload(&[b'x'; 64][..usize::from(answer % 65)])
                            .map_or(Verdict::Drop, |()| Verdict::Send)
                    }
                });
            }
            Inbound::Response { exchange, .. } | Inbound::Acknowledged(exchange) | Inbound::Failed(exchange, _) => {
                // A late answer is an exchange that only the endpoint began.
                open.remove(&key(exchange));
                assert!(!endpoint.is_open(exchange), "it had its outcome");
            }
            Inbound::Rejected(..) | Inbound::Handled(_) => {}
        }
    }

    fn expire(&mut self, own: usize) {
        let now = self.now;
        let End { endpoint, open } = &mut self.ends[own];
        let mut steps = 0;
        while let Some(exchange) = endpoint.expire(now) {
            open.remove(&key(exchange));
            steps += 1;
        }
        assert!(steps <= LIMITS.exchanges, "{steps} exchanges of {}", LIMITS.exchanges);
        let peer = Peer(1 - own as u16);
        while let Some((_, ticket)) = endpoint.due(peer) {
            let late = endpoint.answer_late(now, ticket, now + Duration::from_secs(1), |writer, request| {
                if request.is_some() {
                    writer.set_code(Code::CONTENT);
                }
                Verdict::Send
            });
            if late.is_err() {
                break;
            }
        }
    }

    fn drain(&mut self) {
        for own in 0..2 {
            let End { endpoint, .. } = &mut self.ends[own];
            let mut sent = 0;
            while let Some(output) = endpoint.poll_output() {
                if let Output::Transmit(_, datagram) = output {
                    Message::parse(datagram).expect("we send well-formed messages");
                    self.flights.push((1 - own, datagram.to_vec()));
                }
                sent += 1;
            }
            assert!(sent <= 2 * LIMITS.slots + LIMITS.servers + 4, "{sent} because of one input");
            let usage = endpoint.usage();
            assert!(usage.slots <= LIMITS.slots && usage.exchanges <= LIMITS.exchanges, "{usage:?}");
            assert!(usage.deduplication <= LIMITS.deduplication && usage.deferred <= LIMITS.deferred, "{usage:?}");
        }
        self.flights.truncate(64);
    }

    /// Nothing more comes: whatever was begun comes to nothing in the end.
    fn wait_for_the_end(&mut self) {
        for own in 0..2 {
            // What is due at once has no deadline.
            self.expire(own);
            self.drain();
            for _ in 0..100 {
                let Some(due) = self.ends[own].endpoint.poll_timeout() else { break };
                self.now = self.now.max(due);
                self.expire(own);
                let next = self.ends[own].endpoint.poll_timeout();
                assert!(next.is_none_or(|next| next > self.now), "a deadline that does not move");
                self.drain();
            }
            let End { endpoint, open } = &self.ends[own];
            assert!(open.is_empty(), "{} exchanges without an outcome", open.len());
            assert!(endpoint.is_quiet(Peer(1 - own as u16)));
            assert_eq!((endpoint.usage().slots, endpoint.usage().deferred), (0, 0));
        }
    }
}
