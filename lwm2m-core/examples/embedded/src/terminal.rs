//! The device: its objects, and the flash memory that a new firmware goes into.

use alloc::string::String;

use lwm2m_core::objects::{Device, FirmwareUpdate, PackageStore, Protocol, StoreError};
use lwm2m_core::{Args, Ctx, DataType, ObjectDef, Operations, Part, Range, Refusal, ResourceDef, object};

/// Device (3), Firmware Update (5), and an object that only this vendor has.
pub(crate) type Objects = (Device, (FirmwareUpdate<Flash>, Valve));

pub(crate) fn objects() -> Objects {
    let mut device = Device::new("Example Works", "TM-1");
    device.battery_level = Some(80);
    device.memory_free = Some(12);
    let valve = Valve { label: String::from("north"), open: Some(false), turns: 0 };
    (device, (FirmwareUpdate::new(Flash::default(), [Protocol::Coap]), valve))
}

/// A valve: a label, whether it is open, and how often it was turned.
pub(crate) struct Valve {
    pub(crate) label: String,
    pub(crate) open: Option<bool>,
    pub(crate) turns: u32,
}

const LABEL: u16 = 0;
const OPEN: u16 = 1;
const TURNS: u16 = 2;
const TURN: u16 = 3;

static VALVE: ObjectDef = ObjectDef::new(
    30_001,
    "Valve",
    &[
        ResourceDef::new(LABEL, "Label", Operations::RW, DataType::String).mandatory().range(Range::Length(0, 16)),
        ResourceDef::new(OPEN, "Open", Operations::R, DataType::Boolean),
        ResourceDef::new(TURNS, "Turns", Operations::R, DataType::Integer).mandatory(),
        ResourceDef::new(TURN, "Turn", Operations::E, DataType::None).mandatory(),
    ],
);

object! {
    Valve: VALVE,
    read { OPEN => open, TURNS => turns },
    write { LABEL => label },
    execute { TURN => turn },
}

impl Valve {
    fn turn(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
        self.open = self.open.map(|open| !open);
        self.turns = self.turns.wrapping_add(1);
        Ok(())
    }
}

/// Where a flash driver would write: this one only counts, and adds up.
#[derive(Default)]
pub(crate) struct Flash {
    pub(crate) written: u64,
    pub(crate) sum: u32,
}

impl PackageStore for Flash {
    fn store(&mut self, _: &Ctx, part: Part<'_>) -> Result<(), StoreError> {
        if part.offset == 0 {
            *self = Self::default();
        }
        self.written += part.bytes.len() as u64;
        self.sum = part.bytes.iter().fold(self.sum, |sum, byte| sum.wrapping_add(u32::from(*byte)));
        Ok(())
    }

    fn discard(&mut self) {
        *self = Self::default();
    }
}
