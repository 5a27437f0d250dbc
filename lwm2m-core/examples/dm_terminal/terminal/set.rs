//! `set /3/0/9 42`: a value changes, as sensors, people and the device's own programs change it.

use core::fmt::Display;
use core::str::FromStr;

use lwm2m_core::Path;
use lwm2m_core::objects::{
    ConnectivityMonitoring, Device, DownloadError, FirmwareState, FirmwareUpdate, Instances, Link, Multiple,
};

use super::hour_meter::HourMeter;
use super::{Flash, Objects};

/// Changes a value. Gives the path to notify; the error is one line.
pub(crate) fn set(objects: &mut Objects, command: &str) -> Result<Path, String> {
    let wrong = || String::from("write it like this: set /3/0/9 42");
    let arguments = command.trim().strip_prefix("set ").ok_or_else(wrong)?.trim();
    let (path, value) = arguments.split_once(char::is_whitespace).ok_or_else(wrong)?;
    let value = value.trim();
    let path: Path = path.parse().map_err(|error| format!("{path}: {error}"))?;
    let (device, (connectivity, (firmware, meters))) = objects;
    let known = match *path.levels() {
        [3, 0, ref below @ ..] => set_device(device, below, value)?,
        [4, 0, ref below @ ..] => set_connectivity(connectivity, below, value)?,
        [5, 0, ref below @ ..] => set_firmware(firmware, below, value)?,
        [30_000, instance, ref below @ ..] => set_meter(meters, instance, below, value)?,
        _ => None,
    };
    let Some(()) = known else { return Err(format!("{path}: there is no value that can be set")) };
    // One value of the firmware's state changes others.
    Ok(if path.object_id() == Some(5) { FirmwareUpdate::<Flash>::PATH } else { path })
}

/// A value was set; or there is none at this path.
type Known = Result<Option<()>, String>;

fn set_device(device: &mut Device, path: &[u16], value: &str) -> Known {
    let text = || Some(String::from(value).into());
    match *path {
        [0] => device.manufacturer = text(),
        [1] => device.model_number = text(),
        [2] => device.serial_number = text(),
        [3] => device.firmware_version = text(),
        [7, source] => put(&mut device.voltages, source, number(value, 0, i32::MAX)?)?,
        [8, source] => put(&mut device.currents, source, number(value, i32::MIN, i32::MAX)?)?,
        [9] => device.battery_level = Some(number(value, 0, 100)?),
        [10] => device.memory_free = Some(number(value, 0, u32::MAX)?),
        [11] => match number(value, 0, 8)? {
            0 => device.errors().collect::<Vec<_>>().into_iter().for_each(|error| device.clear_error(error)),
            error => device.add_error(error),
        },
        [14] => device.utc_offset = text(),
        [15] => device.timezone = text(),
        [17] => device.device_type = text(),
        [18] => device.hardware_version = text(),
        [19] => device.software_version = text(),
        [20] => device.battery_status = Some(number(value, 0, 6)?),
        [21] => device.memory_total = Some(number(value, 0, u32::MAX)?),
        _ => return Ok(None),
    }
    Ok(Some(()))
}

fn set_connectivity(connectivity: &mut ConnectivityMonitoring, path: &[u16], value: &str) -> Known {
    let text = || String::from(value).into();
    match *path {
        [0] => connectivity.network_bearer = number(value, 0, 50)?,
        [2] => connectivity.radio_signal_strength = Some(number(value, i16::MIN, i16::MAX)?),
        [3] => connectivity.link_quality = Some(number(value, i16::MIN, i16::MAX)?),
        [4, index] => put(&mut connectivity.ip_addresses, index, text())?,
        [5, index] => put(&mut connectivity.router_ip_addresses, index, text())?,
        [6] => connectivity.link_utilization = Some(number(value, 0, 100)?),
        [7, index] => put(&mut connectivity.apn, index, text())?,
        [8] => connectivity.cell_id = Some(number(value, 0, u32::MAX)?),
        [9] => connectivity.smnc = Some(number(value, 0, 999)?),
        [10] => connectivity.smcc = Some(number(value, 0, 999)?),
        _ => return Ok(None),
    }
    Ok(Some(()))
}

/// What came of a download that the object asked for: State 2, or the Update Result of one that failed.
fn set_firmware(firmware: &mut FirmwareUpdate<Flash>, path: &[u16], value: &str) -> Known {
    let downloading = firmware.state() == FirmwareState::Downloading;
    match *path {
        [3] => {
            let _: u8 = number(value, 2, 2)?;
            firmware.downloaded();
        }
        [5] => firmware.download_failed(match number(value, 2, 9)? {
            2 => DownloadError::Flash,
            3 => DownloadError::Memory,
            4 => DownloadError::Connection,
            5 => DownloadError::Integrity,
            6 => DownloadError::Type,
            7 => DownloadError::Uri,
            9 => DownloadError::Protocol,
            other => return Err(format!("{other}: this is no result of a download")),
        }),
        [6] => firmware.package_name = Some(String::from(value).into()),
        [7] => firmware.package_version = Some(String::from(value).into()),
        _ => return Ok(None),
    }
    if matches!(path, [3 | 5]) && (!downloading || firmware.state() == FirmwareState::Downloading) {
        return Err("no server has asked for a download".into());
    }
    Ok(Some(()))
}

fn set_meter(meters: &mut Instances<HourMeter>, instance: u16, path: &[u16], value: &str) -> Known {
    let Some(meter) = meters.get_mut(instance) else { return Ok(None) };
    match *path {
        [0] => meter.name = value.into(),
        [3] => meter.billed = Some(parsed(value, "'true' or 'false'")?),
        [4] => meter.rate = Some(parsed(value, "a number")?),
        [5, index] => put(&mut meter.service_intervals, index, number(value, 0, u32::MAX)?)?,
        [6] => meter.seal = Some(bytes(value).ok_or_else(|| format!("{value}: hexadecimal digits are wanted"))?),
        [7] => {
            let link = value
                .split_once(':')
                .and_then(|(object, instance)| Some(Link(object.parse().ok()?, instance.parse().ok()?)));
            meter.part = Some(link.ok_or_else(|| format!("{value}: object and instance are wanted, like 3:0"))?);
        }
        _ => return Ok(None),
    }
    Ok(Some(()))
}

fn put<T>(values: &mut Multiple<T>, index: u16, value: T) -> Result<(), String> {
    if values.set(index, value) { Ok(()) } else { Err("there is no room for one more value".into()) }
}

fn parsed<T: FromStr>(value: &str, wanted: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{value}: {wanted} is wanted"))
}

fn number<T: FromStr + PartialOrd + Display>(value: &str, least: T, most: T) -> Result<T, String> {
    match value.parse() {
        Ok(number) if (&least..=&most).contains(&&number) => Ok(number),
        _ => Err(format!("{value}: a number from {least} to {most} is wanted")),
    }
}

/// Bytes from hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = text.as_bytes().iter().map(digit).collect::<Option<_>>()?;
    let pairs = digits.chunks(2);
    pairs.map(|pair| if let [high, low] = pair { Some(high << 4 | low) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::objects;

    #[test]
    fn every_object_has_values_to_set() {
        let mut objects = objects();
        for (command, path) in [
            ("set /3/0/9 42", "/3/0/9"),
            ("set /3/0/7/1 4950", "/3/0/7/1"),
            ("set /3/0/15 Asia/Hong  Kong", "/3/0/15"),
            ("set /4/0/2 -120", "/4/0/2"),
            ("set /4/0/4/1 fd00::7", "/4/0/4/1"),
            ("set /5/0/7 1.1.0", "/5/0"),
            ("set /30000/0/0 the pump", "/30000/0/0"),
            ("set /30000/0/3 true", "/30000/0/3"),
            ("set /30000/0/4 -1.25", "/30000/0/4"),
            ("set /30000/0/5/2 500", "/30000/0/5/2"),
            ("set /30000/0/6 00fF", "/30000/0/6"),
            ("set /30000/0/7 4:0", "/30000/0/7"),
        ] {
            assert_eq!(set(&mut objects, command), Ok(path.parse().unwrap()), "{command}");
        }
        let (device, (connectivity, (_, meters))) = objects;
        assert_eq!((device.battery_level, device.voltages.get(1)), (Some(42), Some(&4_950)));
        assert_eq!(connectivity.radio_signal_strength, Some(-120));
        let meter = meters.get(0).unwrap();
        assert_eq!((meter.billed, meter.rate, meter.part), (Some(true), Some(-1.25), Some(Link(4, 0))));
        assert_eq!((meter.seal.as_deref(), meter.service_intervals.get(2)), (Some(&[0, 255][..]), Some(&500)));
    }

    #[test]
    fn what_cannot_be_set_is_said_in_a_line_that_names_it() {
        for (command, complaint) in [
            ("set /3/0/9", "write it like this: set /3/0/9 42"),
            ("set 3/0/9 1", "3/0/9: a path begins with '/'"),
            ("set /3/0/9 101", "101: a number from 0 to 100 is wanted"),
            ("set /4/0/2 loud", "loud: a number from -32768 to 32767 is wanted"),
            ("set /3/0/13 1", "/3/0/13: there is no value that can be set"),
            ("set /1/0/1 60", "/1/0/1: there is no value that can be set"),
            ("set /30000/1/0 x", "/30000/1/0: there is no value that can be set"),
            ("set /30000/0/6 abc", "abc: hexadecimal digits are wanted"),
            ("set /5/0/3 2", "no server has asked for a download"),
            ("set /5/0/5 8", "8: this is no result of a download"),
        ] {
            assert_eq!(set(&mut objects(), command), Err(complaint.into()), "{command}");
        }
    }
}
