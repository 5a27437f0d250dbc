//! The loop that every runtime has: inputs in, orders carried out until there is none left.

use core::time::Duration;

use coap_codec::{Code, Message};
use lwm2m_core::{Client, Config, Instant, Output, Peer, Session, Wake};

use crate::config;
use crate::memory::measured;
use crate::platform::{self, Buffer, Question};
use crate::say::say;
use crate::show::{At, Brief};
use crate::terminal::Objects;

pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) objects: Objects,
    pub(crate) now: Instant,
    /// Says nothing of datagrams.
    pub(crate) quiet: bool,
    /// How the next session compares with the one before.
    session: Session,
    /// The peer of the session that was made last.
    peer: Peer,
    /// Questions asked.
    asked: u16,
    /// What goes over the air.
    air: Buffer,
}

impl Desk {
    /// A terminal that has just started, in a place that is not on the stack: it would lie below all that it does.
    #[inline(never)]
    pub(crate) fn start(config: Config, objects: Objects, place: &mut Option<Self>) -> &mut Self {
        *place = Some(Self {
            client: measured(|| Client::new(config, Instant::ZERO).expect("a valid configuration")),
            objects,
            now: Instant::ZERO,
            quiet: false,
            session: Session::New,
            peer: Peer(0),
            asked: 0,
            air: [0; 1152],
        });
        place.as_mut().expect("it is there")
    }

    /// Carries out what the client orders, and brings it the answers; what it sent last.
    #[inline(never)]
    pub(crate) fn run(&mut self) {
        loop {
            let mut opened = None;
            let mut answer = None;
            match self.client.poll_output() {
                None => break,
                Some(Output::Connect { peer, uri, .. }) => {
                    say!("{}  connect to {}", At(self.now), uri.host());
                    opened = Some(peer);
                }
                Some(Output::Disconnect { .. }) => say!("{}  disconnect", At(self.now)),
                Some(Output::Transmit { peer, datagram }) => {
                    if !self.quiet {
                        show(self.now, "->", datagram);
                    }
                    answer = platform::answer(datagram, &mut self.air).map(|length| (peer, length));
                }
            }
            if let Some(peer) = opened {
                self.peer = peer;
                measured(|| self.client.connected(self.now, peer, self.session, &mut self.objects));
            }
            if let Some((peer, length)) = answer {
                self.deliver(peer, length);
            }
        }
        while let Some(event) = self.client.poll_event() {
            if !self.quiet {
                say!("{}  {event:?}", At(self.now));
            }
        }
    }

    fn deliver(&mut self, peer: Peer, length: usize) {
        let datagram = self.air.get(..length).unwrap_or_default();
        if !self.quiet {
            show(self.now, "<-", datagram);
        }
        measured(|| self.client.handle_datagram(self.now, peer, datagram, &mut self.objects));
    }

    /// Asks the terminal something, and looks at its answer.
    #[inline(never)]
    pub(crate) fn ask(&mut self, question: Question<'_>, expected: Code) {
        self.asked = self.asked.wrapping_add(1);
        let length = question.write(self.asked, &mut self.air);
        self.deliver(self.peer, length);
        let mut code = Code::EMPTY;
        if let Some(Output::Transmit { datagram, .. }) = self.client.poll_output() {
            if !self.quiet {
                show(self.now, "->", datagram);
            }
            code = Message::parse(datagram).map_or(Code::EMPTY, |message| message.code());
        }
        assert_eq!(code, expected, "{}", question.path);
        self.run();
    }

    /// Switches the memory off for some time. What is kept in flash brings the client back.
    #[inline(never)]
    pub(crate) fn sleep(&mut self, elapsed: Duration) {
        // Nothing is in the air, so its buffer does for the flash.
        let length = measured(|| self.client.snapshot(self.now, &mut self.air)).expect("room for a snapshot");
        say!("  a snapshot of {length} B");
        self.now = self.now + elapsed;
        let kept = self.air.get(..length).unwrap_or_default();
        let wake = Wake::Sleep { elapsed };
        measured(|| self.client = Client::restore(config(), kept, self.now, wake).expect("its own snapshot"));
        // A plain UDP socket from the same address: the server knows the terminal by it.
        self.session = Session::Resumed;
    }

    /// Lets time pass, from one deadline to the next.
    #[inline(never)]
    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.client.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            measured(|| self.client.handle_timeout(self.now, &mut self.objects));
            self.run();
        }
        self.now = end;
    }
}

fn show(now: Instant, way: &str, datagram: &[u8]) {
    say!("{} {way} {}", At(now), Brief(datagram));
}
