//! What a terminal and the platform say to each other from when the terminal has something to do until both
//! are done. Terminals have nothing to do with one another, so each says all of it at once, in its own time.

use lwm2m_core::objects::Device;
use lwm2m_core::{Client, Instant, Output, Peer, Session};

use crate::dice::Dice;
use crate::life::{Outage, SECOND};
use crate::platform::{Buffer, Platform};
use crate::rates::Counts;

/// The longest datagram of either side.
const LONGEST: usize = 256;

/// The bootstrap server repeats a request so often before it gives up.
const REPEATS: u32 = 4;

/// A datagram on its way.
struct Datagram {
    at: u64,
    to_platform: bool,
    peer: Peer,
    length: usize,
    bytes: [u8; LONGEST],
}

/// A request of the bootstrap server that has no answer yet.
struct Asked {
    stage: u8,
    number: u16,
    peer: Peer,
    repeats: u32,
    due: u64,
}

/// The network and its two ends, for one terminal.
pub(crate) struct Talk<'a> {
    pub(crate) client: Client,
    /// In milliseconds.
    pub(crate) now: u64,
    /// What a session is that the client asks for.
    pub(crate) session: Session,
    platform: &'a mut Platform,
    counts: &'a mut Counts,
    /// The objects: what they hold is the same for all terminals.
    objects: &'a mut Device,
    dice: Dice,
    /// Datagrams that are lost, of a thousand.
    losses: u16,
    air: Vec<Datagram>,
    asked: Option<Asked>,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(
        client: Client,
        now: u64,
        (platform, counts, objects): (&'a mut Platform, &'a mut Counts, &'a mut Device),
        dice: Dice,
        losses: u16,
    ) -> Self {
        let (air, asked, session) = (Vec::new(), None, Session::Resumed);
        Self { client, now, session, platform, counts, objects, dice, losses, air, asked }
    }

    const fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// An outage begins or ends.
    pub(crate) fn turn(&mut self, outage: Outage, begins: bool) {
        let now = self.instant();
        match (outage, begins) {
            (Outage::Flight, true) => self.client.enter_flight_mode(now),
            (Outage::Flight, false) => self.client.leave_flight_mode(now),
            (Outage::NoNetwork { .. }, true) => {
                self.client.network_down(now);
                self.air.clear();
                self.asked = None;
            }
            (Outage::NoNetwork { moves }, false) => {
                self.session = if moves { Session::Moved } else { Session::Resumed };
                self.client.network_up(now);
            }
        }
        if begins {
            self.counts.outages[usize::from(outage != Outage::Flight)] += 1;
        }
    }

    /// Goes on until both sides have said all, or `end` comes: when the client has something to do next, and
    /// whether there is more to say before that.
    pub(crate) fn run(&mut self, end: u64) -> (Option<u64>, bool) {
        loop {
            self.client.handle_timeout(self.instant(), self.objects);
            self.carry_out();
            while self.client.poll_event().is_some() {}
            let alarm = self.client.poll_timeout().map(|due| due.as_micros().div_ceil(1_000).max(self.now + 1));
            let arrival = self.air.iter().map(|datagram| datagram.at).min();
            let repeat = self.asked.as_ref().map(|asked| asked.due);
            let talks = arrival.is_some() || repeat.is_some() || self.client.usage().exchanges > 0;
            let next = [alarm, arrival, repeat].into_iter().flatten().min();
            match next.filter(|next| talks && *next < end) {
                None => return (alarm, talks),
                Some(next) => self.now = self.now.max(next),
            }
            self.deliver();
            self.ask_again();
        }
    }

    /// Carries out what the client orders.
    fn carry_out(&mut self) {
        let now = self.instant();
        while let Some(output) = self.client.poll_output() {
            let opened = match output {
                Output::Connect { peer, .. } => peer,
                Output::Disconnect { .. } => continue,
                Output::Transmit { peer, datagram } => {
                    let way = (true, peer, self.now);
                    send(&mut self.air, &mut self.dice, self.losses, self.counts, way, datagram);
                    continue;
                }
            };
            self.client.connected(now, opened, self.session, self.objects);
        }
    }

    /// Brings what has arrived.
    fn deliver(&mut self) {
        while let Some(place) = self.air.iter().position(|datagram| datagram.at <= self.now) {
            let datagram = self.air.swap_remove(place);
            let bytes = &datagram.bytes[..datagram.length];
            if !datagram.to_platform {
                self.client.handle_datagram(self.instant(), datagram.peer, bytes, self.objects);
                self.carry_out();
                continue;
            }
            let mut buffer: Buffer = [0; 128];
            let reply = self.platform.take(self.now, bytes, &mut buffer, self.counts);
            if let Some(length) = reply.answer {
                self.send_back(datagram.peer, &buffer[..length]);
            }
            if let Some(stage) = reply.next {
                let number = self.dice.below(1 << 16) as u16;
                self.asked = Some(Asked { stage, number, peer: datagram.peer, repeats: 0, due: self.now });
            }
        }
    }

    /// Sends the bootstrap server's request, if it is due.
    fn ask_again(&mut self) {
        let Some(asked) = self.asked.as_mut().filter(|asked| asked.due <= self.now) else { return };
        let mut buffer: Buffer = [0; 128];
        let request = self.platform.ask(asked.stage, asked.number, &mut buffer);
        let Some(length) = request.filter(|_| asked.repeats <= REPEATS) else {
            self.asked = None;
            return;
        };
        asked.due = self.now + ((2 * SECOND) << asked.repeats);
        asked.repeats += 1;
        let peer = asked.peer;
        self.counts.asked += 1;
        self.send_back(peer, &buffer[..length]);
    }

    fn send_back(&mut self, peer: Peer, bytes: &[u8]) {
        let way = (false, peer, self.now);
        send(&mut self.air, &mut self.dice, self.losses, self.counts, way, bytes);
    }
}

/// A datagram leaves: it arrives 20 to 200 ms later, or never.
fn send(
    air: &mut Vec<Datagram>,
    dice: &mut Dice,
    losses: u16,
    counts: &mut Counts,
    (to_platform, peer, now): (bool, Peer, u64),
    datagram: &[u8],
) {
    if dice.falls(losses) {
        counts.lost += 1;
        return;
    }
    let (mut bytes, length) = ([0; LONGEST], datagram.len());
    bytes[..length].copy_from_slice(datagram);
    air.push(Datagram { at: now + 20 + dice.below(180), to_platform, peer, length, bytes });
}
