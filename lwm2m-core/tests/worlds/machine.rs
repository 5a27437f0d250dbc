//! The device: one resource, which must not be executed twice.

use coap_codec::Code;
use lwm2m_core::{Args, Change, Ctx, DataModel, DataType, Leaf, ObjectDef, Operations, Refusal, ResourceDef, Sink};

/// An object with one resource, which counts how often it was executed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Machine {
    pub(crate) executed: u8,
}

static DEVICE: ObjectDef =
    ObjectDef::new(3, "Device", &[ResourceDef::new(4, "Reboot", Operations::E, DataType::None).mandatory()]);

impl DataModel for Machine {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < DEVICE.id).then_some(&DEVICE)
    }

    fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
        after.is_none().then_some(0)
    }

    fn next_resource(&self, _: u16, _: u16, after: Option<u16>) -> Option<u16> {
        after.is_none_or(|after| after < 4).then_some(4)
    }

    fn read(&self, _: &Ctx, _: Leaf, _: &mut dyn Sink) -> Result<(), Refusal> {
        Err(Refusal::Code(Code::METHOD_NOT_ALLOWED))
    }

    fn check(&self, _: &Ctx, _: &Change<'_>) -> Result<(), Refusal> {
        Err(Refusal::Code(Code::METHOD_NOT_ALLOWED))
    }

    fn apply(&mut self, _: &Ctx, _: &Change<'_>) {}

    fn execute(&mut self, _: &Ctx, _: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        self.executed += 1;
        Ok(())
    }
}
