//! What a datagram is in the run that it is part of: to whom, how often, in which flow, and what it says.

use core::time::Duration;
use std::collections::VecDeque;

use coap_codec::{BlockValue, Message};
use lwm2m_core::{Instant, Peer};

use crate::decode::{Decoder, Saying};
use crate::phase::{self, Phase, Phases};
use crate::view::{Datagram, Passage};

/// For so long an equal datagram is a repetition (RFC 7252 section 4.8.2: EXCHANGE_LIFETIME).
const REPEATS: Duration = Duration::from_secs(247);

/// A datagram that was read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Whether it is from or to a bootstrap server.
    pub(crate) bootstrap: bool,
    /// The flow that it begins: title, and a sentence unless that was said before.
    pub(crate) begins: Option<(&'static str, Option<&'static str>)>,
    /// How often it was sent by now.
    pub(crate) times: usize,
    /// Why it did not come through.
    pub(crate) stopped: Option<String>,
    /// Whether it is about a block of a body that is neither the first nor the last, and all is well with it.
    pub(crate) in_between: bool,
    pub(crate) is_request: bool,
    pub(crate) saying: Saying,
}

/// Reads a run.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    decoder: Decoder,
    phases: Phases,
    /// Sessions with the bootstrap server, and its host.
    bootstraps: Vec<(Option<Peer>, String)>,
    /// What was sent lately, to tell repetitions: when, which way, what, how often.
    recent: VecDeque<(Instant, bool, Vec<u8>, usize)>,
}

impl Reader {
    /// Reads the next datagram.
    pub(crate) fn read(&mut self, at: Instant, datagram: &Datagram<'_>) -> Reading {
        let is_known = |(peer, host): &(Option<Peer>, String)| match datagram.peer {
            Some(_) => *peer == datagram.peer,
            None => host == datagram.host,
        };
        let mut bootstrap = self.bootstraps.iter().any(is_known);
        let message = Message::parse(datagram.bytes).ok();
        let begun = message.as_ref().and_then(|message| phase::begun_by(message, datagram.out, bootstrap));
        if datagram.out && begun == Some(Phase::Bootstrap) && !bootstrap {
            self.bootstraps.push((datagram.peer, datagram.host.into()));
            bootstrap = true;
        }
        let times = self.times_seen(at, datagram);
        let stopped = match &datagram.passage {
            Passage::Arrives => None,
            Passage::Stopped(why) => Some(why.clone()),
        };
        let mut saying = self.decoder.read(datagram.bytes);
        if times > 1 {
            // Said once is enough.
            saying.payload.clear();
            saying.text.truncate(1);
            saying.text.iter_mut().for_each(|start| start.truncate(start.trim_end_matches(", ").len()));
        }
        Reading {
            bootstrap,
            // A repetition may come late, in the midst of another flow.
            begins: begun.filter(|_| times == 1).and_then(|begun| self.phases.enter(begun)),
            times,
            in_between: message.as_ref().is_some_and(is_block_in_between) && times == 1 && stopped.is_none(),
            is_request: message.is_some_and(|message| message.code().is_request()),
            stopped,
            saying,
        }
    }

    /// How often this datagram was sent by now. Each one is remembered for as long as it may come again.
    fn times_seen(&mut self, at: Instant, datagram: &Datagram<'_>) -> usize {
        while self.recent.front().is_some_and(|(sent, ..)| *sent + REPEATS < at) {
            self.recent.pop_front();
        }
        let known = self.recent.iter_mut().find(|(_, out, bytes, _)| *out == datagram.out && bytes == datagram.bytes);
        if let Some((_, _, _, times)) = known {
            *times += 1;
            return *times;
        }
        self.recent.push_back((at, datagram.out, datagram.bytes.to_vec(), 1));
        1
    }
}

impl Reading {
    /// What there is to say of a repetition.
    pub(crate) fn again(&self) -> Option<String> {
        let nth = match self.times {
            ..2 => return None,
            2 => "2nd".into(),
            3 => "3rd".into(),
            times => format!("{times}th"),
        };
        Some(format!("↻ again, {nth} time"))
    }
}

/// Whether a message is about a block of a request's body that is neither the first nor the last.
fn is_block_in_between(message: &Message<'_>) -> bool {
    let in_between = |block: BlockValue| block.num() > 0 && block.more();
    matches!(message.block1(), Some(Ok(block)) if in_between(block))
}
