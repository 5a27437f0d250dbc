//! The terminal itself: its configuration and its objects, the same in every mode.

pub(crate) mod flash;
mod hour_meter;
#[allow(unreachable_pub, reason = "as the program writes it")]
mod hour_meter_table;
mod set;

use endpoint_name::EndpointName;
use lwm2m_core::objects::{
    ConnectivityMonitoring, Device, DeviceAction, DownloadError, FirmwareAction, FirmwareState, FirmwareUpdate,
    Instances, Protocol, bearer,
};
use lwm2m_core::{Config, Credentials, Instant, Key, Limits, Uri};

use self::flash::Flash;
use self::hour_meter::HourMeter;
pub(crate) use self::set::set;

/// The name that the terminal has unless it is given another one: IMEI, IMSI, no CMEI, version 1.0.
pub(crate) const ENDPOINT: &str = "490154203237518;460001234567890;;1.0";

/// The lifetime that the DM terminal specification asks for (7.3): 24 hours.
pub(crate) const LIFETIME: u32 = 86_400;

/// The Short Server ID of a server that is named on the command line.
const SHORT_SERVER_ID: u16 = 1;

/// The model number, which an image for this device begins with, too.
const MODEL: &str = "TM-1";

/// What the command line says about the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) name: EndpointName<'static>,
    pub(crate) key: Key,
    pub(crate) lifetime: u32,
    /// Whether notifications want to be acknowledged.
    pub(crate) confirmable: bool,
}

/// Whether a URI wants DTLS.
pub(crate) fn is_secure(uri: &str) -> bool {
    Uri::parse(uri).is_ok_and(|uri| uri.is_secure())
}

/// The DM profile, with the accounts that the terminal is made with. `credentials` are for `coaps` URIs.
pub(crate) fn config(
    identity: &Identity,
    credentials: &Credentials,
    bootstrap: Option<&str>,
    server: Option<&str>,
) -> Config {
    let fit = |uri: &str| if is_secure(uri) { credentials.clone() } else { Credentials::NoSec };
    let mut config = Config::dm(identity.name, identity.key);
    config.default_lifetime = identity.lifetime;
    config.confirmable_notifications = identity.confirmable;
    // A person or a test at the other end may write more often than a platform does.
    config.limits = Limits::GATEWAY;
    if let Some(uri) = bootstrap {
        config = config.bootstrap_server(uri, fit(uri));
    }
    if let Some(uri) = server {
        config = config.server(SHORT_SERVER_ID, uri, fit(uri), identity.lifetime);
    }
    config
}

/// The objects besides Security and Server, which are the client's own: Device (3), Connectivity
/// Monitoring (4), Firmware Update (5), and one that only this vendor has, Hour Meter (30000).
pub(crate) type Objects = (Device, (ConnectivityMonitoring, (FirmwareUpdate<Flash>, Instances<HourMeter>)));

/// The objects as they are at the first start. There is one error, which a server can reset, and one
/// hour meter, which runs.
pub(crate) fn objects() -> Objects {
    let mut meters = Instances::new(4);
    meters.insert(0, HourMeter::running("the terminal", Instant::ZERO));
    let firmware = FirmwareUpdate::new(Flash::default(), [Protocol::Coap]);
    (device(), (connectivity(), (firmware, meters)))
}

fn device() -> Device {
    let mut device = Device::new("Example Works", MODEL);
    device.serial_number = Some("TM-1-000042".into());
    device.firmware_version = Some("1.0.0".into());
    // An internal battery, and what charges it.
    device.power_sources = [1, 5].into();
    device.voltages = [3_800, 5_000].into();
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

fn connectivity() -> ConnectivityMonitoring {
    let mut connectivity = ConnectivityMonitoring::new(bearer::NB_IOT);
    connectivity.available_bearers = [bearer::NB_IOT, bearer::LTE_FDD].into();
    connectivity.radio_signal_strength = Some(-97);
    connectivity.link_quality = Some(12);
    connectivity.ip_addresses = ["10.0.0.7".into()].into();
    connectivity.apn = ["cmiot".into()].into();
    connectivity.cell_id = Some(104_729);
    connectivity.smnc = Some(0);
    connectivity.smcc = Some(460);
    connectivity
}

/// What a server wants of the device, and no object can do by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// To start again (/3/0/4).
    Reboot,
    /// To go back to the state of delivery, and start again (/3/0/5).
    FactoryReset,
    /// To fetch the package at this URI (/5/0/1).
    Download(String),
    /// To stop fetching it.
    StopDownload,
    /// To install the package that it has, and start again (/5/0/2).
    Install,
}

impl Errand {
    /// The next one, once.
    pub(crate) fn take((device, (_, (firmware, _))): &mut Objects) -> Option<Self> {
        let action = |action| match action {
            DeviceAction::Reboot => Self::Reboot,
            DeviceAction::FactoryReset => Self::FactoryReset,
        };
        device.take_action().map(action).or_else(|| {
            Some(match firmware.take_action()? {
                FirmwareAction::Download => Self::Download(firmware.uri().into()),
                FirmwareAction::Abort => Self::StopDownload,
                FirmwareAction::Install => Self::Install,
            })
        })
    }

    /// What the device has to do before the client starts again, as the record has it; nothing when
    /// that is not how it is done.
    pub(crate) const fn before_restart(&self) -> Option<&'static str> {
        match self {
            Self::Reboot | Self::Install => Some(RESTART),
            Self::FactoryReset => Some(FACTORY_RESET),
            Self::Download(_) | Self::StopDownload => None,
        }
    }
}

const RESTART: &str = "restart";
const FACTORY_RESET: &str = "factory reset";

/// What happened to the device, in the words of a record. Without effect if it says something else.
pub(crate) fn happen(objects: &mut Objects, text: &str) {
    // Whoever replays a record has no errands to run.
    while Errand::take(objects).is_some() {}
    match text {
        RESTART => restart(objects),
        FACTORY_RESET => {
            restart(objects);
            let (firmware_version, current_time) = (objects.0.firmware_version.take(), objects.0.current_time);
            *objects = self::objects();
            (objects.0.firmware_version, objects.0.current_time) = (firmware_version, current_time);
        }
        _ => drop(set(objects, text)),
    }
}

/// The device starts again. What it was to install is what it starts with.
fn restart((device, (_, (firmware, _))): &mut Objects) {
    if firmware.state() == FirmwareState::Updating {
        // What was downloaded is not in this flash; whoever says that it came may say which it is.
        device.firmware_version = firmware.package_version.take().or_else(|| Some(firmware.store.version().into()));
        firmware.installed();
    }
    // The rest of a package would be sent in vain.
    firmware.download_failed(DownloadError::Connection);
}
