//! Devices that do something of their own.

use super::*;

/// Counts executions.
#[derive(Clone, Debug)]
pub struct Counter {
    pub device: Device,
    pub executed: u32,
}

/// Answers every first read later.
#[derive(Clone, Debug)]
pub struct Deferring {
    pub device: Device,
    pub ticket: core::cell::Cell<Option<Ticket>>,
}

pub fn deferring(seed: u64) -> Sim<Deferring> {
    let config = dm(seed).server(1, "coap://dm.example", Credentials::NoSec, 86_400);
    let mut sim = Sim::new(config, Deferring { device: device(), ticket: core::cell::Cell::new(None) }, seed);
    sim.network_up();
    assert!(sim.run_until(secs(1), |sim| server(sim).registration().is_some()));
    sim.run_for(secs(1));
    sim
}

/// What both leave to the device.
macro_rules! as_the_device_does {
    () => {
        fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
            self.device.next_object(after)
        }

        fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
            self.device.next_instance(object, after)
        }

        fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
            self.device.next_resource(object, instance, after)
        }

        fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
            self.device.check(ctx, change)
        }

        fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
            self.device.apply(ctx, change);
        }
    };
}

impl DataModel for Counter {
    as_the_device_does!();

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        self.device.read(ctx, at, out)
    }

    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        self.executed += 1;
        self.device.execute(ctx, at, args)
    }
}

impl DataModel for Deferring {
    as_the_device_does!();

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        if ctx.resumed {
            return self.device.read(ctx, at, out);
        }
        self.ticket.set(ctx.ticket);
        Err(Refusal::Later)
    }
}
