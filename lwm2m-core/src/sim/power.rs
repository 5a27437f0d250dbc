//! Power: cuts, restarts from flash, and sleep with the memory off.

use alloc::vec::Vec;
use core::time::Duration;

use super::Sim;
use super::record::{Input, snapshot_of};
use super::trace::What;
use crate::base::rng::Key;
use crate::client::Wake;
use crate::model::DataModel;

/// How the radio sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Radio {
    /// Power saving mode: what is sent to the device meanwhile is lost (3GPP TS 23.682, 4.5.4).
    PowerSaving,
    /// Extended discontinuous reception: it waits in the network, and comes when the device listens again (4.5.13).
    ExtendedDrx,
}

impl<M: DataModel> Sim<M> {
    /// Power cut of a device that keeps nothing: a new client starts with the same configuration and
    /// another key, and without a network. The model stays as it is.
    pub fn reboot(&mut self) {
        let [one, two] = [self.keys.next_u64(), self.keys.next_u64()].map(u64::to_be_bytes);
        let mut key = Key([0; 16]);
        key.0.iter_mut().zip(one.iter().chain(&two)).for_each(|(byte, drawn)| *byte = *drawn);
        self.flash = None;
        self.cut_power("power cut", Input::Restart { now: self.clock(), key });
    }

    /// Power cut of a device that has a [snapshot](crate::Client::snapshot) of this very moment in its
    /// flash.
    ///
    /// # Panics
    /// When the client cannot be written or brought back.
    #[track_caller]
    pub fn reboot_from_flash(&mut self) {
        self.cut_power("power cut, with a snapshot", Input::Restore { now: self.clock(), wake: Wake::Restart });
        self.keep_snapshot();
    }

    /// The device writes a snapshot into its flash, and goes on.
    pub fn keep_snapshot(&mut self) {
        self.settle();
        self.flash = Some(snapshot_of(&self.client, self.clock()));
    }

    /// Power cut of a device whose flash has the snapshot that it [kept](Self::keep_snapshot) last, and not what
    /// happened since; without one, that of this very moment. It writes another one when it starts.
    ///
    /// # Panics
    /// When the client cannot be brought back.
    #[track_caller]
    pub fn reboot_from_older_flash(&mut self) {
        match self.flash.take() {
            Some(snapshot) => {
                self.cut_power("power cut, with an older snapshot", Input::Boot { now: self.clock(), snapshot });
                self.keep_snapshot();
            }
            None => self.reboot_from_flash(),
        }
    }

    /// Power cut of a device that keeps nothing and whose entropy repeats itself: it starts with the key that
    /// it had before.
    pub fn reboot_alike(&mut self) {
        let key = self.client.config().key;
        self.flash = None;
        self.cut_power("power cut, with the same entropy", Input::Restart { now: self.clock(), key });
    }

    /// The device's clock jumps ahead by so many seconds, or steps back. Its runtime notices at once, and
    /// calls the client.
    pub fn step_clock(&mut self, seconds: i64) {
        self.settle();
        let ahead = self.ahead.saturating_add(seconds.saturating_mul(1_000_000));
        // Not before its origin.
        let earliest = i64::try_from(self.now.as_micros()).unwrap_or(i64::MAX);
        self.ahead = ahead.max(-earliest);
        if let Some(observer) = &mut self.observer {
            observer.clock_stepped(seconds);
        }
        self.command("clock step", Input::Timeout { now: self.clock() });
    }

    #[track_caller]
    fn cut_power(&mut self, name: &'static str, input: Input) {
        self.network.attached = false;
        self.opening.clear();
        self.sockets.clear();
        self.command(name, input);
    }

    /// The device says that it will not be reachable for so long.
    pub fn will_be_unreachable(&mut self, duration: Duration) {
        let now = self.clock();
        self.command("will be unreachable", Input::WillBeUnreachable { now, wake: now + duration });
    }

    /// The radio sleeps for `duration`, with the memory on. Nobody calls the client meanwhile, and it is told when the
    /// radio wakes.
    pub fn doze(&mut self, duration: Duration, radio: Radio) {
        self.settle();
        self.trace.push(self.now, What::Command("radio off"));
        let since = self.clock();
        self.asleep = true;
        self.paged = (radio == Radio::ExtendedDrx).then(Vec::new);
        if let Some(observer) = &mut self.observer {
            observer.suspended();
        }
        self.run_for(duration);
        self.asleep = false;
        for datagram in self.paged.take().into_iter().flatten() {
            self.network.arrives(self.now, datagram);
        }
        self.command("radio on", Input::WasUnreachable { now: self.clock(), since });
    }

    /// Sleeps for `duration` with the memory off, and wakes from a snapshot. Meanwhile what is sent
    /// to the device is lost, and what is due waits. It wakes with the addresses that it had.
    ///
    /// # Panics
    /// When the client cannot be written or brought back.
    #[track_caller]
    pub fn sleep(&mut self, duration: Duration) {
        self.settle();
        self.trace.push(self.now, What::Command("sleep"));
        self.opening.clear();
        self.sockets.iter_mut().for_each(super::drive::Socket::orphan);
        self.asleep = true;
        if let Some(observer) = &mut self.observer {
            observer.suspended();
        }
        self.run_for(duration);
        self.asleep = false;
        self.command("wake up", Input::Restore { now: self.clock(), wake: Wake::Sleep { elapsed: duration } });
    }
}
