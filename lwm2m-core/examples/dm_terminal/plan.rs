//! What a terminal on a real network has in mind: to stay, to start again, or to end.

use lwm2m_core::Instant;

/// What it has in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// To live on.
    Stay,
    /// To start again, for this reason, at that time.
    StartAgain(&'static str, Instant),
    /// The same, once the client has taken its leave, or then at the latest.
    LeaveToStartAgain(&'static str, Instant),
    /// To end the program, once the client has taken its leave, or then at the latest.
    Leave(Instant),
    /// The program may end.
    Gone,
}

impl Plan {
    /// Something has asked for a start, before that time. Whoever leaves already, leaves.
    pub(crate) const fn start_again(self, how: &'static str, at: Instant) -> Self {
        match self {
            Self::Stay => Self::StartAgain(how, at),
            other => other,
        }
    }

    /// The program is to end, by that time.
    pub(crate) fn leave(self, end: Instant) -> Self {
        match self {
            Self::Stay | Self::StartAgain(..) => Self::Leave(end),
            // It has taken its leave already.
            Self::LeaveToStartAgain(_, Instant::ZERO) => Self::Gone,
            Self::LeaveToStartAgain(..) => Self::Leave(end),
            Self::Leave(_) | Self::Gone => self,
        }
    }

    /// The client has no objection to power-off.
    pub(crate) const fn may_proceed(self) -> Self {
        match self {
            Self::LeaveToStartAgain(how, _) => Self::LeaveToStartAgain(how, Instant::ZERO),
            _ => Self::Gone,
        }
    }

    /// When it goes on, if the time that was set for the program is over at `end`.
    pub(crate) fn deadline(self, end: Option<Instant>) -> Option<Instant> {
        match self {
            Self::Stay => end,
            Self::StartAgain(_, at) | Self::LeaveToStartAgain(_, at) => Some(end.map_or(at, |end| end.min(at))),
            Self::Leave(at) => Some(at),
            Self::Gone => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Instant = Instant::from_secs(1);
    const LATER: Instant = Instant::from_secs(6);

    #[test]
    fn a_start_may_become_an_end_but_not_the_reverse() {
        let planned = Plan::Stay.start_again("restart", SOON);
        assert_eq!(planned, Plan::StartAgain("restart", SOON));
        assert_eq!(planned.leave(LATER), Plan::Leave(LATER));
        assert_eq!(Plan::Leave(SOON).start_again("restart", LATER), Plan::Leave(SOON));
        assert_eq!(Plan::Leave(SOON).leave(LATER), Plan::Leave(SOON), "it has its time already");
        let leaving = Plan::LeaveToStartAgain("restart", LATER);
        assert_eq!(leaving.leave(LATER), Plan::Leave(LATER));
        assert_eq!(leaving.may_proceed().leave(LATER), Plan::Gone, "the client has left, and says so once");
        assert_eq!(Plan::Leave(SOON).may_proceed(), Plan::Gone);
    }

    #[test]
    fn whichever_comes_first_is_waited_for() {
        assert_eq!(Plan::Stay.deadline(None), None);
        assert_eq!(Plan::Stay.deadline(Some(LATER)), Some(LATER));
        assert_eq!(Plan::StartAgain("restart", SOON).deadline(Some(LATER)), Some(SOON));
        assert_eq!(Plan::StartAgain("restart", LATER).deadline(Some(SOON)), Some(SOON));
        assert_eq!(Plan::Leave(LATER).deadline(Some(SOON)), Some(LATER));
        assert_eq!(Plan::LeaveToStartAgain("restart", SOON).may_proceed().deadline(None), Some(Instant::ZERO));
    }
}
