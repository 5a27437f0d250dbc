//! Device, object 3 (OMA LwM2M 1.0, Appendix D.1.4): ready for an application to fill.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use coap_codec::Code;

use crate::base::path::Leaf;
use crate::base::time::Instant;
use crate::base::value::{DataType, Sink, Value};
use crate::model::{Action, Args, Change, Ctx, DataModel, ObjectDef, Operations, Range, Refusal, ResourceDef};

/// Object ID of Device.
const ID: u16 = 3;

const MANUFACTURER: u16 = 0;
const MODEL_NUMBER: u16 = 1;
const SERIAL_NUMBER: u16 = 2;
const FIRMWARE_VERSION: u16 = 3;
const REBOOT: u16 = 4;
const FACTORY_RESET: u16 = 5;
const BATTERY_LEVEL: u16 = 9;
const MEMORY_FREE: u16 = 10;
const ERROR_CODE: u16 = 11;
const RESET_ERROR_CODE: u16 = 12;
const CURRENT_TIME: u16 = 13;
const UTC_OFFSET: u16 = 14;
const TIMEZONE: u16 = 15;
const BINDING_MODES: u16 = 16;
const DEVICE_TYPE: u16 = 17;
const HARDWARE_VERSION: u16 = 18;
const SOFTWARE_VERSION: u16 = 19;
const BATTERY_STATUS: u16 = 20;
const MEMORY_TOTAL: u16 = 21;

const fn read(id: u16, name: &'static str, data_type: DataType) -> ResourceDef {
    ResourceDef::new(id, name, Operations::R, data_type)
}

const fn execute(id: u16, name: &'static str) -> ResourceDef {
    ResourceDef::new(id, name, Operations::E, DataType::None)
}

/// The definition of object 3, version 1.0.
static DEFINITION: ObjectDef = ObjectDef {
    id: ID,
    name: "Device",
    version: (1, 0),
    multiple: false,
    mandatory: true,
    resources: &[
        read(MANUFACTURER, "Manufacturer", DataType::String),
        read(MODEL_NUMBER, "Model Number", DataType::String),
        read(SERIAL_NUMBER, "Serial Number", DataType::String),
        read(FIRMWARE_VERSION, "Firmware Version", DataType::String),
        execute(REBOOT, "Reboot").mandatory(),
        execute(FACTORY_RESET, "Factory Reset"),
        read(6, "Available Power Sources", DataType::Integer).multiple().range(Range::Integer(0, 7)),
        read(7, "Power Source Voltage", DataType::Integer).multiple().unit("mV"),
        read(8, "Power Source Current", DataType::Integer).multiple().unit("mA"),
        read(BATTERY_LEVEL, "Battery Level", DataType::Integer).range(Range::Integer(0, 100)).unit("%"),
        read(MEMORY_FREE, "Memory Free", DataType::Integer).unit("KB"),
        read(ERROR_CODE, "Error Code", DataType::Integer).multiple().mandatory().range(Range::Integer(0, 8)),
        execute(RESET_ERROR_CODE, "Reset Error Code"),
        ResourceDef::new(CURRENT_TIME, "Current Time", Operations::RW, DataType::Time),
        ResourceDef::new(UTC_OFFSET, "UTC Offset", Operations::RW, DataType::String),
        ResourceDef::new(TIMEZONE, "Timezone", Operations::RW, DataType::String),
        read(BINDING_MODES, "Supported Binding and Modes", DataType::String).mandatory(),
        read(DEVICE_TYPE, "Device Type", DataType::String),
        read(HARDWARE_VERSION, "Hardware Version", DataType::String),
        read(SOFTWARE_VERSION, "Software Version", DataType::String),
        read(BATTERY_STATUS, "Battery Status", DataType::Integer).range(Range::Integer(0, 6)),
        read(MEMORY_TOTAL, "Memory Total", DataType::Integer).unit("KB"),
        read(22, "ExtDevInfo", DataType::ObjectLink).multiple(),
    ],
};

/// Text that is part of the program or made at run time.
type Text = Option<Cow<'static, str>>;

/// The Device object. Fill in what the device knows; what is left out is not there for servers.
///
/// After a change of a value, tell the client with [`Client::notify`](crate::Client::notify).
///
/// ```
/// use lwm2m_core::objects::Device;
///
/// let mut device = Device::new("Example Works", "TM-1");
/// device.battery_level = Some(80);
/// device.add_error(1); // low battery power
/// assert_eq!(device.errors(), [1]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// Manufacturer (/3/0/0).
    pub manufacturer: Text,
    /// Model number (/3/0/1).
    pub model_number: Text,
    /// Serial number (/3/0/2).
    pub serial_number: Text,
    /// Firmware version (/3/0/3).
    pub firmware_version: Text,
    /// Battery level in percent, 0 to 100 (/3/0/9).
    pub battery_level: Option<u8>,
    /// Free memory in kilobytes (/3/0/10).
    pub memory_free: Option<u32>,
    /// Wall-clock time in seconds since 1970, and when that was (/3/0/13). Servers may set it; it
    /// counts on by the embedder's clock.
    pub current_time: Option<(i64, Instant)>,
    /// Offset from UTC, for example `+08:00` (/3/0/14). Servers may set it.
    pub utc_offset: Text,
    /// Time zone by its IANA name (/3/0/15). Servers may set it.
    pub timezone: Text,
    /// Device type (/3/0/17).
    pub device_type: Text,
    /// Hardware version (/3/0/18).
    pub hardware_version: Text,
    /// Software version (/3/0/19).
    pub software_version: Text,
    /// Battery status, 0 to 6 (/3/0/20).
    pub battery_status: Option<u8>,
    /// Memory in kilobytes (/3/0/21).
    pub memory_total: Option<u32>,
    errors: Vec<u8>,
    action: Option<DeviceAction>,
}

/// What a server told the device to do. Do it once the client has nothing more to send, so that
/// the answer leaves first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceAction {
    /// Start again (/3/0/4).
    Reboot,
    /// Go back to the state of delivery (/3/0/5).
    FactoryReset,
}

/// How many error codes the object holds: those that its definition knows.
const MAX_ERRORS: usize = 8;
/// The longest text that a server may write.
const MAX_WRITTEN: usize = 64;

impl Device {
    /// A device of which only manufacturer and model are known.
    #[must_use]
    pub fn new(manufacturer: impl Into<Cow<'static, str>>, model_number: impl Into<Cow<'static, str>>) -> Self {
        Self {
            manufacturer: Some(manufacturer.into()),
            model_number: Some(model_number.into()),
            serial_number: None,
            firmware_version: None,
            battery_level: None,
            memory_free: None,
            current_time: None,
            utc_offset: None,
            timezone: None,
            device_type: None,
            hardware_version: None,
            software_version: None,
            battery_status: None,
            memory_total: None,
            errors: Vec::new(),
            action: None,
        }
    }

    /// The errors at present (/3/0/11), without the 0 that servers see when there is none.
    #[must_use]
    pub fn errors(&self) -> &[u8] {
        &self.errors
    }

    /// Adds an error: 1 low battery power, 2 external power off, 3 GPS failure, 4 low signal,
    /// 5 out of memory, 6 SMS failure, 7 IP connectivity failure, 8 peripheral malfunction.
    /// Others are ignored.
    pub fn add_error(&mut self, code: u8) {
        if (1..=8).contains(&code) && !self.errors.contains(&code) && self.errors.len() < MAX_ERRORS {
            self.errors.push(code);
        }
    }

    /// Takes an error away.
    pub fn clear_error(&mut self, code: u8) {
        self.errors.retain(|error| *error != code);
    }

    /// What a server told the device to do, once.
    pub const fn take_action(&mut self) -> Option<DeviceAction> {
        self.action.take()
    }

    fn text(&self, resource: u16) -> Option<&str> {
        let text = match resource {
            MANUFACTURER => &self.manufacturer,
            MODEL_NUMBER => &self.model_number,
            SERIAL_NUMBER => &self.serial_number,
            FIRMWARE_VERSION => &self.firmware_version,
            UTC_OFFSET => &self.utc_offset,
            TIMEZONE => &self.timezone,
            DEVICE_TYPE => &self.device_type,
            HARDWARE_VERSION => &self.hardware_version,
            SOFTWARE_VERSION => &self.software_version,
            BINDING_MODES => return Some("U"),
            _ => return None,
        };
        text.as_deref()
    }

    fn integer(&self, resource: u16) -> Option<i64> {
        match resource {
            BATTERY_LEVEL => self.battery_level.map(i64::from),
            MEMORY_FREE => self.memory_free.map(i64::from),
            BATTERY_STATUS => self.battery_status.map(i64::from),
            MEMORY_TOTAL => self.memory_total.map(i64::from),
            _ => None,
        }
    }

    fn has(&self, resource: u16) -> bool {
        match resource {
            REBOOT | FACTORY_RESET | ERROR_CODE | RESET_ERROR_CODE => true,
            CURRENT_TIME => self.current_time.is_some(),
            _ => self.text(resource).is_some() || self.integer(resource).is_some(),
        }
    }

    /// No error shows as one instance, 0, with the value 0.
    fn read_errors(&self, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let errors = if self.errors.is_empty() { &[0][..] } else { &self.errors };
        let wanted = (0..=u16::MAX).zip(errors).filter(|(index, _)| at.index.is_none_or(|wanted| wanted == *index));
        let mut found = false;
        for (index, error) in wanted {
            out.value(at.at(index), Value::Int(i64::from(*error)))?;
            found = true;
        }
        if found { Ok(()) } else { Err(Refusal::Code(Code::NOT_FOUND)) }
    }
}

impl DataModel for Device {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < ID).then_some(&DEFINITION)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        (object == ID && after.is_none()).then_some(0)
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        if (object, instance) != (ID, 0) {
            return None;
        }
        let mut ids = DEFINITION.resources.iter().map(|resource| resource.id);
        ids.find(|id| after.is_none_or(|after| *id > after) && self.has(*id))
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        if at.resource == ERROR_CODE {
            return self.read_errors(at, out);
        }
        let value = match at.resource {
            CURRENT_TIME => self.current_time.map(|(seconds, set)| {
                let passed = ctx.now.saturating_duration_since(set).as_secs();
                Value::Time(seconds.saturating_add_unsigned(passed))
            }),
            resource => self.text(resource).map(Value::Str).or_else(|| self.integer(resource).map(Value::Int)),
        };
        Ok(out.value(at, value.ok_or(Refusal::Code(Code::NOT_FOUND))?)?)
    }

    fn check(&self, _: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        if matches!(change.action, Action::Create | Action::Delete) {
            return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
        }
        let too_long =
            change.values.iter().any(|given| matches!(given.value, Value::Str(text) if text.len() > MAX_WRITTEN));
        if too_long { Err(Refusal::Code(Code::BAD_REQUEST)) } else { Ok(()) }
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        if change.action == Action::Replace {
            (self.utc_offset, self.timezone, self.current_time) = (None, None, None);
        }
        for given in change.values.iter() {
            match (given.resource, given.value) {
                (CURRENT_TIME, Value::Time(seconds)) => self.current_time = Some((seconds, ctx.now)),
                (UTC_OFFSET, Value::Str(text)) => self.utc_offset = Some(Cow::Owned(text.into())),
                (TIMEZONE, Value::Str(text)) => self.timezone = Some(Cow::Owned(text.into())),
                _ => {}
            }
        }
    }

    fn execute(&mut self, _: &Ctx, at: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        match at.resource {
            REBOOT => self.action = Some(DeviceAction::Reboot),
            FACTORY_RESET => self.action = Some(DeviceAction::FactoryReset),
            RESET_ERROR_CODE => self.errors.clear(),
            _ => return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED)),
        }
        Ok(())
    }
}
