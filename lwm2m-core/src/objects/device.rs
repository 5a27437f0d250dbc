//! Device, object 3 (OMA LwM2M 1.0, Appendix D.1.4): ready for an application to fill.

use alloc::borrow::Cow;

use coap_codec::Code;

use super::definitions::device as table;
use super::field::{Link, Multiple, Readable, Reading, Typed, Writable};
use crate::base::definition::with_ranges;
use crate::base::path::Leaf;
use crate::base::time::Instant;
use crate::base::value::{DataType, Sink, Value};
use crate::format::{Given, Values};
use crate::model::{Args, Ctx, ObjectDef, Range, Refusal, ResourceDef, Resources};

/// The definition of object 3, version 1.0, with a bound on what servers may write.
static DEFINITION: ObjectDef = ObjectDef { resources: &RESOURCES, ..table::DEFINITION };

const RESOURCES: [ResourceDef; 23] = with_ranges(
    table::RESOURCES,
    &[
        // The definition leaves open how much memory a server may have; the longest name of a time
        // zone takes half of this.
        (table::UTC_OFFSET, Range::Length(0, 64)),
        (table::TIMEZONE, Range::Length(0, 64)),
    ],
);

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
/// assert!(device.errors().eq([1]));
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
    /// Power sources (/3/0/6): 0 DC, 1 internal battery, 2 external battery, 4 Power over Ethernet,
    /// 5 USB, 6 AC, 7 solar.
    pub power_sources: Multiple<u8>,
    /// Voltages of the power sources in millivolts, by the ids of these (/3/0/7).
    pub voltages: Multiple<i32>,
    /// Currents of the power sources in milliamperes, by the ids of these (/3/0/8).
    pub currents: Multiple<i32>,
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
    /// Supported bindings and modes (/3/0/16): `U`, or `UQ` where the device may be in queue mode
    /// ([`RegistrationPolicy::queue_mode`](crate::RegistrationPolicy)), which is for you to set.
    pub binding_modes: Cow<'static, str>,
    /// Device type (/3/0/17).
    pub device_type: Text,
    /// Hardware version (/3/0/18).
    pub hardware_version: Text,
    /// Software version (/3/0/19).
    pub software_version: Text,
    /// Battery status (/3/0/20): 0 normal, 1 charging, 2 charged, 3 damaged, 4 low, 5 not installed,
    /// 6 unknown.
    pub battery_status: Option<u8>,
    /// Memory in kilobytes (/3/0/21).
    pub memory_total: Option<u32>,
    /// Object instances that say more about the device (/3/0/22).
    pub ext_dev_info: Multiple<Link>,
    errors: Errors,
    action: Option<DeviceAction>,
}

crate::object! {
    Device: DEFINITION,
    read {
        table::MANUFACTURER => manufacturer,
        table::MODEL_NUMBER => model_number,
        table::SERIAL_NUMBER => serial_number,
        table::FIRMWARE_VERSION => firmware_version,
        table::AVAILABLE_POWER_SOURCES => power_sources,
        table::POWER_SOURCE_VOLTAGE => voltages,
        table::POWER_SOURCE_CURRENT => currents,
        table::BATTERY_LEVEL => battery_level,
        table::MEMORY_FREE => memory_free,
        table::ERROR_CODE => errors,
        table::SUPPORTED_BINDING_AND_MODES => binding_modes,
        table::DEVICE_TYPE => device_type,
        table::HARDWARE_VERSION => hardware_version,
        table::SOFTWARE_VERSION => software_version,
        table::BATTERY_STATUS => battery_status,
        table::MEMORY_TOTAL => memory_total,
        table::EXT_DEV_INFO => ext_dev_info,
    },
    write {
        table::CURRENT_TIME => current_time,
        table::UTC_OFFSET => utc_offset,
        table::TIMEZONE => timezone,
    },
    execute {
        table::REBOOT => reboot,
        table::FACTORY_RESET => factory_reset,
        table::RESET_ERROR_CODE => reset_errors,
    },
}

/// What a server told the device to do. Do it once the client has nothing more to send, so that
/// the answer leaves first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceAction {
    /// Start again (/3/0/4).
    Reboot,
    /// Go back to the state of delivery (/3/0/5), which a reboot is part of.
    FactoryReset,
}

impl Device {
    /// A device of which only manufacturer and model are known.
    #[must_use]
    pub fn new(manufacturer: impl Into<Cow<'static, str>>, model_number: impl Into<Cow<'static, str>>) -> Self {
        Self {
            manufacturer: Some(manufacturer.into()),
            model_number: Some(model_number.into()),
            serial_number: None,
            firmware_version: None,
            power_sources: Multiple::new(),
            voltages: Multiple::new(),
            currents: Multiple::new(),
            battery_level: None,
            memory_free: None,
            current_time: None,
            utc_offset: None,
            timezone: None,
            binding_modes: Cow::Borrowed("U"),
            device_type: None,
            hardware_version: None,
            software_version: None,
            battery_status: None,
            memory_total: None,
            ext_dev_info: Multiple::new(),
            errors: Errors::default(),
            action: None,
        }
    }

    /// The errors at present (/3/0/11), without the 0 that servers see when there is none.
    pub fn errors(&self) -> impl Iterator<Item = u8> {
        self.errors.iter().map(|(_, code)| code)
    }

    /// Adds an error: 1 low battery power, 2 external power off, 3 GPS failure, 4 low signal,
    /// 5 out of memory, 6 SMS failure, 7 IP connectivity failure, 8 peripheral malfunction.
    /// Others are ignored.
    pub fn add_error(&mut self, code: u8) {
        let known = self.errors().any(|known| known == code);
        if let Some(free) = self.errors.0.iter_mut().find(|slot| **slot == 0)
            && (1..=8).contains(&code)
            && !known
        {
            *free = code;
        }
    }

    /// Takes an error away.
    pub fn clear_error(&mut self, code: u8) {
        self.errors.0.iter_mut().filter(|slot| **slot == code).for_each(|slot| *slot = 0);
    }

    /// What a server told the device to do, once.
    pub const fn take_action(&mut self) -> Option<DeviceAction> {
        self.action.take()
    }

    #[allow(clippy::unnecessary_wraps, reason = "the form of a method that is bound")]
    fn reboot(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
        // A factory reset that is not done yet stays.
        self.action = self.action.max(Some(DeviceAction::Reboot));
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "the form of a method that is bound")]
    const fn factory_reset(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
        self.action = Some(DeviceAction::FactoryReset);
        Ok(())
    }

    /// Clears them. What is still wrong is for the device to add again, on
    /// [`Event::Executed`](crate::Event::Executed).
    #[allow(clippy::unnecessary_wraps, reason = "the form of a method that is bound")]
    fn reset_errors(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
        self.errors = Errors::default();
        Ok(())
    }
}

/// Error codes at their Resource Instance IDs, 0 where there is none: room for each code that the
/// definition knows. An error keeps its id, and the next one takes the first that is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Errors([u8; 8]);

impl Errors {
    fn iter(&self) -> impl Iterator<Item = (u16, u8)> {
        (0..).zip(self.0).filter(|(_, code)| *code != 0)
    }
}

impl Typed for Errors {
    const DATA_TYPE: DataType = DataType::Integer;
    const MULTIPLE: bool = true;
}

impl Readable for Errors {
    fn is_present(&self) -> bool {
        true
    }

    /// No error shows as one instance, 0, with the value 0 (Appendix D.1.4, resource 11).
    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let none = self.iter().next().is_none().then_some((0, 0));
        let wanted = |(id, _): &(u16, u8)| at.index.is_none_or(|wanted| wanted == *id);
        let mut found = false;
        for (id, code) in self.iter().chain(none).filter(wanted) {
            out.value(at.at(id), Value::Int(i64::from(code)))?;
            found = true;
        }
        if found { Ok(()) } else { Err(Refusal::Code(Code::NOT_FOUND)) }
    }

    fn give(&self, _: &Reading<'_>, resource: &'static ResourceDef, out: &mut dyn Resources) -> Result<(), Refusal> {
        if !out.resource(resource)? {
            return Ok(());
        }
        if *self == Self::default() {
            return Ok(out.indexed_integer(resource, 0, 0)?);
        }
        for (id, code) in self.iter() {
            out.indexed_integer(resource, id, code.into())?;
        }
        Ok(())
    }
}

/// The time that a clock shows now.
fn time((seconds, set): (i64, Instant), ctx: &Ctx) -> Value<'static> {
    let passed = ctx.now.saturating_duration_since(set).as_secs();
    Value::Time(seconds.saturating_add_unsigned(passed))
}

/// A clock: seconds since 1970, and when that was.
impl Typed for Option<(i64, Instant)> {
    const DATA_TYPE: DataType = DataType::Time;
    const MULTIPLE: bool = false;
}

impl Readable for Option<(i64, Instant)> {
    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let clock = self.ok_or(Refusal::Code(Code::NOT_FOUND))?;
        Ok(out.value(at, time(clock, ctx))?)
    }

    fn give(
        &self,
        reading: &Reading<'_>,
        resource: &'static ResourceDef,
        out: &mut dyn Resources,
    ) -> Result<(), Refusal> {
        Ok(self.map_or(Ok(()), |clock| out.single(resource, time(clock, reading.ctx)))?)
    }
}

impl Writable for Option<(i64, Instant)> {
    fn accepts(&self, resource: u16, values: &Values<'_>, _: bool) -> bool {
        matches!(values.get(resource), Some(Value::Time(_)))
    }

    fn write(&mut self, ctx: &Ctx, given: Given<'_>) {
        if let Value::Time(seconds) = given.value {
            *self = Some((seconds, ctx.now));
        }
    }

    fn clear(&mut self) {
        *self = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::origin::Origin;
    use crate::base::time::Instant;
    use crate::base::value::Stop;
    use alloc::vec::Vec;

    /// The codes that it is given, with their places.
    struct Codes(Vec<(Option<u16>, i64)>);

    impl Sink for Codes {
        fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
            let Value::Int(code) = value else { panic!("{value:?}") };
            self.0.push((at.index, code));
            Ok(())
        }

        fn opaque(&mut self, at: Leaf, _: usize, _: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
            panic!("{at}")
        }
    }

    #[test]
    fn an_error_has_its_place_and_where_there_is_none_that_shows_as_one() {
        let ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::ZERO };
        let read = |errors: Errors, index| {
            let mut codes = Codes(Vec::new());
            errors.read(&ctx, Leaf { index, ..Leaf::new(3, 0, 11) }, &mut codes).map(|()| codes.0)
        };
        let two = Errors([0, 6, 0, 2, 0, 0, 0, 0]);
        assert_eq!(read(two, None), Ok([(Some(1), 6), (Some(3), 2)].to_vec()));
        assert_eq!(read(two, Some(3)), Ok([(Some(3), 2)].to_vec()));
        assert_eq!(read(two, Some(0)), Err(Refusal::Code(Code::NOT_FOUND)));
        assert_eq!(read(Errors::default(), None), Ok([(Some(0), 0)].to_vec()));
        assert_eq!(read(Errors::default(), Some(1)), Err(Refusal::Code(Code::NOT_FOUND)));
    }
}
