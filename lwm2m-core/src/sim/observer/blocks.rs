//! Bodies in blocks: each is answered as what it is, and nothing is done before the last one (RFC 7959,
//! sections 2.3 and 2.9.1).

use coap_codec::{BlockValue, Code, Token};

use super::{Hex, Invariant, Report, Seen, changes};
use crate::base::event::Event;
use crate::exchange::Peer;

/// The request that the device is dealing with.
#[derive(Clone, Debug)]
struct Step {
    peer: Peer,
    token: Token,
    block: Option<BlockValue>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    step: Option<Step>,
}

impl Blocks {
    /// The device is about to receive a message, which may be taken for `another` one that came before.
    pub(super) fn delivered(&mut self, seen: &Seen<'_>, another: bool) {
        // Nobody need make sense of an option that makes none.
        let block = seen.message.block1().transpose().ok();
        let step = block.map(|block| Step { peer: seen.peer, token: seen.message.token(), block });
        self.step = step.filter(|_| seen.code().is_request() && !another);
    }

    /// The device sends a message.
    pub(super) fn sent(&self, seen: &Seen<'_>, report: &mut Report) {
        let Some(step) = self.step.as_ref().filter(|step| step.peer == seen.peer) else { return };
        let answers = seen.code().is_response() && seen.message.token() == step.token;
        let Some(answer) = seen.message.block1().transpose().ok().filter(|_| answers) else { return };
        let continues = seen.code() == Code::CONTINUE;
        let fits = match (step.block, answer) {
            (None, None) => !continues,
            (None, Some(_)) => false,
            // A refusal may leave it out.
            (Some(_), None) => !continues && !seen.code().is_success(),
            (Some(asked), Some(answer)) => {
                let same = asked.num() == answer.num() && answer.size() <= asked.size();
                // A refusal may want another size, of which the number is another.
                !seen.code().is_success() || (same && continues == asked.more())
            }
        };
        if !fits {
            let (asked, code, hex) = (step.block, seen.code(), Hex(seen.message.as_bytes()));
            report.violated(Invariant::Blocks, format_args!("{code} to the block {asked:?}: {hex}"));
        }
    }

    pub(super) fn event(&self, event: &Event, report: &mut Report) {
        let goes_on = |step: &Step| step.block.is_some_and(|block| block.more());
        if self.step.as_ref().is_some_and(goes_on) && changes(event) {
            report.violated(Invariant::Blocks, format_args!("{event:?} before the last block"));
        }
    }

    pub(super) fn settled(&mut self) {
        self.step = None;
    }
}
