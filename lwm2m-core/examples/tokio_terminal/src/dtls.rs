//! DTLS 1.2 with a pre-shared key: TLS_PSK_WITH_AES_128_CCM_8, as LwM2M 1.0 wants it (7.1.7). Sans IO, so that any
//! runtime can use it: records and time go in, records and datagrams come out.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Error, Output, PskResolver, SecurityError, TimeoutError};

/// Whether `coaps` is of any use: not in programs that are built without this file.
#[allow(dead_code, reason = "for such a program")]
pub(crate) const SUPPORTED: bool = true;

/// A session, from its handshake on.
pub(crate) struct Dtls {
    session: dimpl::Dtls,
    buffer: Vec<u8>,
    deadline: Instant,
}

/// What a session has to say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sign<'a> {
    /// Send this record.
    Transmit(&'a [u8]),
    /// Datagrams pass.
    Connected,
    /// One came.
    Datagram(&'a [u8]),
    /// The server has closed the session.
    Closed,
}

/// How often a flight of the handshake is sent again, how long the first pause is (RFC 6347, section 4.2.4.1),
/// and how long all of it may take.
const RETRIES: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const HANDSHAKE: Duration = Duration::from_secs(40);

/// The longest record.
const RECORD: usize = 2_048;

/// The one key that there is.
struct Key(Vec<u8>);

impl PskResolver for Key {
    fn resolve(&self, _: &[u8]) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

impl Dtls {
    /// Begins a handshake.
    ///
    /// # Errors
    /// An identity or a key that DTLS cannot use.
    pub(crate) fn new(identity: Vec<u8>, key: Vec<u8>, now: Instant) -> Result<Self, String> {
        let config = Config::builder()
            .with_psk_client(identity, Arc::new(Key(key)))
            .flight_retries(RETRIES)
            .flight_start_rto(FIRST_PAUSE)
            .handshake_timeout(HANDSHAKE)
            .build()
            .map_err(said)?;
        let mut session = dimpl::Dtls::new_12_psk(Arc::new(config), now);
        session.set_active(true);
        session.handle_timeout(now).map_err(said)?;
        Ok(Self { session, buffer: vec![0; RECORD], deadline: now })
    }

    /// What is to be done next; when there is nothing, [`deadline`](Self::deadline) holds.
    pub(crate) fn poll(&mut self) -> Option<Sign<'_>> {
        let Self { session, buffer, deadline } = self;
        // What it says beside these is about certificates and media, and there are none.
        Some(match session.poll_output(buffer) {
            Output::Packet(record) => Sign::Transmit(record),
            Output::Connected => Sign::Connected,
            Output::ApplicationData(datagram) => Sign::Datagram(datagram),
            Output::CloseNotify => Sign::Closed,
            Output::Timeout(at) => {
                *deadline = at;
                return None;
            }
            _ => return None,
        })
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether there is nothing more to be said.
    #[allow(dead_code, reason = "for programs that wait for it")]
    pub(crate) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// Takes a record.
    ///
    /// # Errors
    /// Why the session is over.
    pub(crate) fn receive(&mut self, now: Instant, record: &[u8]) -> Result<(), String> {
        self.session.handle_timeout(now).and_then(|()| self.session.handle_packet(record)).map_err(said)
    }

    /// Does what time has made due.
    ///
    /// # Errors
    /// Why the session is over.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), String> {
        self.session.handle_timeout(now).map_err(said)
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// Why the session is over.
    pub(crate) fn send(&mut self, datagram: &[u8]) -> Result<(), String> {
        self.session.send_application_data(datagram).map(|_| ()).map_err(said)
    }

    /// Says goodbye with a `close_notify`; a handshake just ends.
    pub(crate) fn close(&mut self) {
        // It is over either way.
        let _ = self.session.close();
    }
}

impl fmt::Debug for Dtls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}

/// For people: who has to change what.
fn said(error: Error) -> String {
    match error {
        Error::Timeout(TimeoutError::Connect | TimeoutError::Handshake) => {
            "DTLS: the handshake got no answer in time; a wrong key has this effect, too".to_string()
        }
        // The latter is a ServerHello without any extension.
        Error::SecurityError(SecurityError::ExtendedMasterSecretNotNegotiated) | Error::IncompleteServerHello => {
            "DTLS: the server has no extended master secret (RFC 7627)".to_string()
        }
        other => format!("DTLS: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key of 16 byte";

    /// The server's side: it knows one identity.
    struct Server(dimpl::Dtls, Vec<Vec<u8>>, Vec<u8>);

    struct Known;

    impl PskResolver for Known {
        fn resolve(&self, identity: &[u8]) -> Option<Vec<u8>> {
            (identity == b"known").then(|| KEY.to_vec())
        }
    }

    impl Server {
        fn new(now: Instant) -> Self {
            let config = Config::builder().with_psk_server(None, Arc::new(Known)).build().unwrap();
            Self(dimpl::Dtls::new_12_psk(Arc::new(config), now), Vec::new(), Vec::new())
        }

        /// Takes a record, or lets time pass; the records that it has to send then.
        fn take(&mut self, now: Instant, record: Option<&[u8]>) -> Vec<Vec<u8>> {
            let Self(session, said, buffer) = self;
            buffer.resize(RECORD, 0);
            let _ = session.handle_timeout(now);
            let _ = record.map(|record| session.handle_packet(record));
            let mut records = Vec::new();
            loop {
                match session.poll_output(buffer) {
                    Output::Packet(record) => records.push(record.to_vec()),
                    Output::ApplicationData(datagram) => {
                        let _ = session.send_application_data(datagram);
                        said.push(datagram.to_vec());
                    }
                    Output::CloseNotify => said.push(b"closed".to_vec()),
                    Output::Timeout(_) => return records,
                    _ => {}
                }
            }
        }
    }

    /// What came of a session between a client and a server.
    #[derive(Debug, PartialEq)]
    struct Outcome {
        /// The datagram that came back, or why the session is over.
        heard: Result<Vec<u8>, String>,
        seconds: u64,
        /// Records that the client sent, and the server.
        sent: (usize, usize),
    }

    /// Shakes hands, says "hello" until it hears it back, while the network passes what `passes` says: by direction,
    /// and by number.
    #[allow(clippy::disallowed_methods, reason = "an origin; the rest of the time is ours")]
    fn meet(identity: &[u8], key: &[u8], passes: impl Fn(bool, usize) -> bool) -> (Outcome, Dtls, Server, Instant) {
        let origin = Instant::now();
        let (mut now, mut sent) = (origin, (0, 0));
        let mut client = Dtls::new(identity.to_vec(), key.to_vec(), now).unwrap();
        let mut server = Server::new(now);
        let (mut heard, mut connected) = (None, false);
        while heard.is_none() {
            let mut records = Vec::new();
            while let Some(sign) = client.poll() {
                match sign {
                    Sign::Transmit(record) => records.push(record.to_vec()),
                    Sign::Connected => connected = true,
                    Sign::Datagram(datagram) => heard = Some(Ok(datagram.to_vec())),
                    Sign::Closed => heard = Some(Err("closed".into())),
                }
            }
            if connected && records.is_empty() && heard.is_none() {
                client.send(b"hello").unwrap();
                now += Duration::from_millis(100);
                continue;
            }
            let mut answers = Vec::new();
            if records.is_empty() {
                answers = server.take(now, None);
            }
            for record in records {
                sent.0 += 1;
                if passes(true, sent.0) {
                    answers.extend(server.take(now, Some(&record)));
                }
            }
            let is_quiet = answers.is_empty();
            for record in answers {
                sent.1 += 1;
                if passes(false, sent.1)
                    && let Err(why) = client.receive(now, &record)
                {
                    heard = Some(Err(why));
                }
            }
            if is_quiet && heard.is_none() {
                let soon = now + Duration::from_millis(100);
                // A session that is made waits for nothing.
                now = if connected { soon } else { client.deadline().max(soon) };
                if let Err(why) = client.handle_timeout(now) {
                    heard = Some(Err(why));
                }
                if now > origin + Duration::from_secs(60) {
                    heard = Some(Err("nothing comes of it".into()));
                }
            }
        }
        let seconds = (now - origin).as_secs();
        (Outcome { heard: heard.unwrap_or_else(|| Err(String::new())), seconds, sent }, client, server, now)
    }

    #[test]
    fn a_handshake_survives_the_loss_of_each_of_its_datagrams() {
        let (outcome, ..) = meet(b"known", KEY, |_, _| true);
        assert_eq!((&outcome.heard, outcome.seconds), (&Ok(b"hello".to_vec()), 0));
        let records = outcome.sent;
        assert!(records.0 >= 3 && records.1 >= 3, "{records:?}");
        // The last of each side are "hello", which nobody repeats here.
        let lost = (1..records.0).map(|number| (true, number)).chain((1..records.1).map(|number| (false, number)));
        for lost in lost {
            let (outcome, ..) = meet(b"known", KEY, |out, number| (out, number) != lost);
            assert_eq!(outcome.heard, Ok(b"hello".to_vec()), "{lost:?}: {outcome:?}");
            let repeated = outcome.sent.0 > records.0 || outcome.sent.1 > records.1;
            assert!(repeated && outcome.seconds < 10, "{lost:?}: {outcome:?}");
        }
    }

    /// What comes of it where a fifth of the records is lost by chance.
    fn in_spite_of_loss(seed: u64) -> Outcome {
        let dice = std::cell::Cell::new(seed);
        let is_lost = || {
            // xorshift64*
            let mut next = dice.get();
            next ^= next >> 12;
            next ^= next << 25;
            next ^= next >> 27;
            dice.set(next);
            (next.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).is_multiple_of(5)
        };
        meet(b"known", KEY, |_, _| !is_lost()).0
    }

    #[test]
    fn nine_of_ten_handshakes_survive_the_loss_of_a_fifth_of_all_records_and_the_others_end_in_time() {
        let outcomes: Vec<_> = (1..=40).map(|seed| in_spite_of_loss(seed * 0x9e37_79b9)).collect();
        let in_vain: Vec<_> = outcomes.iter().filter(|outcome| outcome.heard.is_err()).collect();
        assert!(in_vain.len() <= 4, "{in_vain:?}");
        assert!(in_vain.iter().all(|outcome| {
            outcome.seconds <= 41 && outcome.heard.as_ref().is_err_and(|why| why.contains("no answer in time"))
        }));
        assert!(outcomes.iter().any(|outcome| outcome.seconds > 2), "nothing was lost");
    }

    #[test]
    fn a_wrong_key_an_unknown_identity_and_a_peer_that_falls_silent_end_with_a_reason_in_time() {
        let (outcome, ..) = meet(b"known", b"another 16 bytes", |_, _| true);
        assert!(outcome.heard.is_err_and(|why| why.contains("wrong key")) && outcome.seconds <= 40);
        let (outcome, ..) = meet(b"unknown", KEY, |_, _| true);
        assert!(outcome.heard.as_ref().is_err_and(|why| why.starts_with("DTLS: ")), "{outcome:?}");
        assert!(outcome.seconds <= 40);
        for answers in 0..3 {
            let (outcome, ..) = meet(b"known", KEY, |out, number| out || number <= answers);
            assert!(outcome.heard.is_err_and(|why| why.contains("no answer in time")), "{answers}");
            assert!((20..=41).contains(&outcome.seconds), "{answers}: {} s", outcome.seconds);
        }
    }

    #[test]
    fn a_session_ends_with_a_close_notify() {
        let (_, mut client, mut server, now) = meet(b"known", KEY, |_, _| true);
        client.close();
        while let Some(sign) = client.poll() {
            if let Sign::Transmit(record) = sign {
                server.take(now, Some(record));
            }
        }
        assert!(client.is_closed());
        assert_eq!(server.1, [&b"hello"[..], b"closed"]);
    }
}
