//! Power: cuts, restarts from flash, and sleep with the memory off.

use core::time::Duration;

use super::Sim;
use super::record::Input;
use super::trace::What;
use crate::base::rng::Key;
use crate::client::Wake;
use crate::model::DataModel;

impl<M: DataModel> Sim<M> {
    /// Power cut of a device that keeps nothing: a new client starts with the same configuration and
    /// another key, and without a network. The model stays as it is.
    pub fn reboot(&mut self) {
        let [one, two] = [self.keys.next_u64(), self.keys.next_u64()].map(u64::to_be_bytes);
        let mut key = Key([0; 16]);
        key.0.iter_mut().zip(one.iter().chain(&two)).for_each(|(byte, drawn)| *byte = *drawn);
        self.cut_power("power cut", Input::Restart { now: self.now, key });
    }

    /// Power cut of a device that has a [snapshot](crate::Client::snapshot) of this very moment in its
    /// flash.
    ///
    /// # Panics
    /// When the client cannot be written or brought back.
    #[track_caller]
    pub fn reboot_from_flash(&mut self) {
        self.cut_power("power cut, with a snapshot", Input::Restore { now: self.now, wake: Wake::Restart });
    }

    #[track_caller]
    fn cut_power(&mut self, name: &'static str, input: Input) {
        self.network.attached = false;
        self.opening.clear();
        self.sockets.clear();
        self.command(name, input);
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
        self.run_for(duration);
        self.asleep = false;
        self.command("wake up", Input::Restore { now: self.now, wake: Wake::Sleep { elapsed: duration } });
    }
}
