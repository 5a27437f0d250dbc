//! The terminal itself: its configuration and its Device object, the same in every mode.

use endpoint_name::EndpointName;
use lwm2m_core::objects::Device;
use lwm2m_core::{Config, Credentials, Instant, Key, Path};

/// The name that the terminal has unless it is given another one: IMEI, IMSI, no CMEI, version 1.0.
pub(crate) const ENDPOINT: &str = "490154203237518;460001234567890;;1.0";

/// The lifetime that the DM terminal specification asks for (7.3): 24 hours.
pub(crate) const LIFETIME: u32 = 86_400;

/// The Short Server ID of a server that is named on the command line.
const SHORT_SERVER_ID: u16 = 1;

/// What the command line says about the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) name: EndpointName<'static>,
    pub(crate) key: Key,
    pub(crate) lifetime: u32,
}

/// The DM profile, with the accounts that the terminal is made with.
pub(crate) fn config(identity: &Identity, bootstrap: Option<&str>, server: Option<&str>) -> Config {
    let mut config = Config::dm(identity.name, identity.key);
    config.default_lifetime = identity.lifetime;
    if let Some(uri) = bootstrap {
        config = config.bootstrap_server(uri, Credentials::NoSec);
    }
    if let Some(uri) = server {
        config = config.server(SHORT_SERVER_ID, uri, Credentials::NoSec, identity.lifetime);
    }
    config
}

/// The Device object (3) as it is at every start. It has one error, which a server can reset.
pub(crate) fn device() -> Device {
    let mut device = Device::new("Example Works", "TM-1");
    device.serial_number = Some("TM-1-000042".into());
    device.firmware_version = Some("1.0.0".into());
    device.battery_level = Some(80);
    device.memory_free = Some(512);
    // 2026-01-01T00:00:00Z at the start, whatever the clock says: runs can be repeated.
    device.current_time = Some((1_767_225_600, Instant::ZERO));
    device.utc_offset = Some("+08:00".into());
    device.timezone = Some("Asia/Shanghai".into());
    device.device_type = Some("demonstration".into());
    device.battery_status = Some(0);
    device.memory_total = Some(2048);
    device.add_error(LOW_SIGNAL);
    device
}

/// An error code of /3/0/11: low signal strength.
const LOW_SIGNAL: u8 = 4;

/// Changes a value as the device's sensors would: `set /3/0/9 42`. Gives the path to notify.
pub(crate) fn set(device: &mut Device, command: &str) -> Result<Path, String> {
    let wrong = || String::from("write it like this: set /3/0/9 42");
    let arguments = command.trim().strip_prefix("set ").ok_or_else(wrong)?.trim();
    let (path, value) = arguments.split_once(char::is_whitespace).ok_or_else(wrong)?;
    let value = value.trim();
    let path: Path = path.parse().map_err(|error| format!("{path}: {error}"))?;
    let &[3, 0, resource] = path.levels() else {
        return Err(format!("{path}: only resources of /3/0 can be set"));
    };
    let text = || Some(String::from(value).into());
    match resource {
        0 => device.manufacturer = text(),
        1 => device.model_number = text(),
        2 => device.serial_number = text(),
        3 => device.firmware_version = text(),
        9 => device.battery_level = Some(number(value, 100)?),
        10 => device.memory_free = Some(number(value, u32::MAX)?),
        11 => match number(value, 8)? {
            0 => device.errors().collect::<Vec<_>>().into_iter().for_each(|error| device.clear_error(error)),
            error => device.add_error(error),
        },
        14 => device.utc_offset = text(),
        15 => device.timezone = text(),
        17 => device.device_type = text(),
        18 => device.hardware_version = text(),
        19 => device.software_version = text(),
        20 => device.battery_status = Some(number(value, 6)?),
        21 => device.memory_total = Some(number(value, u32::MAX)?),
        _ => return Err(format!("{path}: this resource has no value that can be set")),
    }
    Ok(path)
}

fn number<T: core::str::FromStr + PartialOrd + core::fmt::Display>(value: &str, most: T) -> Result<T, String> {
    match value.parse() {
        Ok(number) if number <= most => Ok(number),
        _ => Err(format!("{value}: a number from 0 to {most} is wanted")),
    }
}
