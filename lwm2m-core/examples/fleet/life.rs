//! What the user and the network do to a terminal: when it is powered on, and when it is out of reach.

use crate::dice::Dice;

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const HOUR: u64 = 3_600 * SECOND;

/// Why a terminal cannot be reached for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// The user turns flight mode on, and off again.
    Flight,
    /// The network is lost and found again, with the same address or another one.
    NoNetwork { moves: bool },
}

/// A turn in a terminal's life: an outage begins, or ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) outage: Outage,
    pub(crate) begins: bool,
    /// Milliseconds until the next turn.
    pub(crate) lasts: u64,
}

/// All lives of a fleet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lives {
    pub(crate) seed: u64,
    /// Outages of a terminal in ten days, on average.
    pub(crate) outages: u64,
}

impl Lives {
    /// When a terminal is powered on, in milliseconds: any time in the first hour.
    pub(crate) fn power_on(&self, terminal: u32) -> u64 {
        Dice::new(self.seed, [terminal.into(), POWER]).below(HOUR)
    }

    /// How long after that the first outage begins.
    pub(crate) fn first_turn(&self, terminal: u32) -> u64 {
        let mut dice = Dice::new(self.seed, [terminal.into(), FIRST]);
        dice.below(self.spacing()).max(MINUTE)
    }

    /// The turn with this number: an even one begins an outage, the next one ends it.
    pub(crate) fn turn(&self, terminal: u32, number: u32) -> Turn {
        let mut dice = Dice::new(self.seed, [terminal.into(), TURNS + u64::from(number / 2)]);
        let outage = if dice.falls(400) { Outage::Flight } else { Outage::NoNetwork { moves: dice.falls(300) } };
        let length = match outage {
            Outage::Flight => HOUR / 2 + dice.below(11 * HOUR),
            Outage::NoNetwork { .. } => MINUTE + dice.below(HOUR),
        };
        let begins = number.is_multiple_of(2);
        let pause = self.spacing() / 2 + dice.below(self.spacing());
        Turn { outage, begins, lasts: if begins { length } else { pause } }
    }

    /// The time from an outage to the next one, on average.
    fn spacing(&self) -> u64 {
        240 * HOUR / self.outages.max(1)
    }
}

const MINUTE: u64 = 60 * SECOND;

// What dice are thrown for. Turns are counted.
const POWER: u64 = 1;
const FIRST: u64 = 2;
const TURNS: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_come_as_often_as_they_should_and_of_both_kinds() {
        let lives = Lives { seed: 1, outages: 3 };
        let (mut outages, mut flights, mut time) = (0, 0, 0);
        for terminal in 0..1_000 {
            assert!(lives.power_on(terminal) < HOUR);
            for number in 0..20 {
                let turn = lives.turn(terminal, number);
                (outages, time) = (outages + u64::from(turn.begins), time + turn.lasts);
                flights += u64::from(turn.begins && turn.outage == Outage::Flight);
            }
        }
        let (days, share) = (time / (24 * HOUR), flights * 100 / outages);
        assert!((26..31).contains(&(outages * 100 / days)), "{outages} in {days} days");
        assert!((37..43).contains(&share), "{share} %");
    }
}
