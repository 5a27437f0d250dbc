//! A client with several servers, and the runtime around it.

use core::time::Duration;

use lwm2m_core::{Client, Config, Event, Instant, Output, Peer, Session};

use crate::common::{Model, Server, answer, device};

/// A client with several servers, each named by the host of its URI.
pub(crate) struct Town {
    pub(crate) client: Client,
    pub(crate) model: Model,
    pub(crate) now: Instant,
    pub(crate) servers: fn(&str) -> Server,
    hosts: Vec<(Peer, String)>,
    pub(crate) sent: Vec<(Instant, Peer, Vec<u8>)>,
    pub(crate) disconnected: Vec<Peer>,
    events: Vec<(Instant, Event)>,
}

impl Town {
    pub(crate) fn new(config: Config, servers: fn(&str) -> Server) -> Self {
        let now = Instant::from_secs(1_000);
        let client = Client::new(config, now).unwrap();
        let (hosts, sent, disconnected, events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut town = Self { client, model: device(), now, servers, hosts, sent, disconnected, events };
        town.client.network_up(now);
        town.drain();
        town
    }

    fn drain(&mut self) {
        loop {
            let (mut connects, mut replies) = (Vec::new(), Vec::new());
            while let Some(output) = self.client.poll_output() {
                match output {
                    Output::Connect { peer, uri, .. } => {
                        self.hosts.push((peer, uri.to_string()));
                        connects.push(peer);
                    }
                    Output::Transmit { peer, datagram } => {
                        self.sent.push((self.now, peer, datagram.to_vec()));
                        let host = &self.hosts.iter().rev().find(|(other, _)| *other == peer).unwrap().1;
                        replies.extend(answer((self.servers)(host), datagram).map(|reply| (peer, reply)));
                    }
                    Output::Disconnect { peer } => self.disconnected.push(peer),
                }
            }
            while let Some(event) = self.client.poll_event() {
                self.events.push((self.now, event));
            }
            if connects.is_empty() && replies.is_empty() {
                return;
            }
            for peer in connects {
                self.client.connected(self.now, peer, Session::New, &mut self.model);
            }
            for (peer, reply) in replies {
                self.client.handle_datagram(self.now, peer, &reply, &mut self.model);
            }
        }
    }

    #[track_caller]
    pub(crate) fn timeout(&mut self) {
        self.client.handle_timeout(self.now, &mut self.model);
        self.drain();
        let next = self.client.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "a deadline of {next:?} after a timeout at {:?}", self.now);
    }

    #[track_caller]
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drain();
        while let Some(deadline) = self.client.poll_timeout().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.timeout();
        }
        self.now = end;
    }

    /// The latest session with a host.
    #[track_caller]
    pub(crate) fn peer(&self, host: &str) -> Peer {
        self.hosts.iter().rev().find(|(_, uri)| uri.contains(host)).expect("a session").0
    }

    #[track_caller]
    pub(crate) fn tell(&mut self, host: &str, datagram: &[u8]) {
        self.client.handle_datagram(self.now, self.peer(host), datagram, &mut self.model);
        self.drain();
    }

    /// When an event came, each time.
    pub(crate) fn moments(&self, is: impl Fn(&Event) -> bool) -> Vec<Instant> {
        self.events.iter().filter(|(_, event)| is(event)).map(|(at, _)| *at).collect()
    }
}
