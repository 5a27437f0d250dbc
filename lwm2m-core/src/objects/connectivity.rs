//! Connectivity Monitoring, object 4 (OMA LwM2M 1.0, Appendix D.1.5): ready for an application to fill.

use alloc::borrow::Cow;

use super::Multiple;
use super::definitions::connectivity_monitoring as table;

/// Text that is part of the program or made at run time.
type Text = Cow<'static, str>;

/// The Connectivity Monitoring object: what the device is connected with. What is left out is not
/// there for servers.
///
/// After a change of a value, tell the client with [`Client::notify`](crate::Client::notify).
///
/// ```
/// use lwm2m_core::objects::{ConnectivityMonitoring, bearer};
///
/// let mut monitoring = ConnectivityMonitoring::new(bearer::NB_IOT);
/// monitoring.radio_signal_strength = Some(-97);
/// monitoring.ip_addresses = ["10.0.0.7".into(), "fd00::7".into()].into();
/// assert_eq!(monitoring.available_bearers.get(0), Some(&bearer::NB_IOT));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectivityMonitoring {
    /// The bearer in use, 0 to 50 (/4/0/0): one of [`bearer`].
    pub network_bearer: u8,
    /// The bearers that there are (/4/0/1).
    pub available_bearers: Multiple<u8>,
    /// Signal strength in dBm (/4/0/2).
    pub radio_signal_strength: Option<i16>,
    /// Link quality; what the number means depends on the bearer (/4/0/3).
    pub link_quality: Option<i16>,
    /// The device's own addresses (/4/0/4).
    pub ip_addresses: Multiple<Text>,
    /// The addresses of the next routers (/4/0/5).
    pub router_ip_addresses: Multiple<Text>,
    /// Average use of the link in percent, 0 to 100 (/4/0/6).
    pub link_utilization: Option<u8>,
    /// The access points' names (/4/0/7).
    pub apn: Multiple<Text>,
    /// The cell in use (/4/0/8).
    pub cell_id: Option<u32>,
    /// Serving mobile network code, 0 to 999 (/4/0/9).
    pub smnc: Option<u16>,
    /// Serving mobile country code, 0 to 999 (/4/0/10).
    pub smcc: Option<u16>,
}

impl ConnectivityMonitoring {
    /// A device that is connected with one bearer, and has no other.
    #[must_use]
    pub fn new(network_bearer: u8) -> Self {
        Self { network_bearer, available_bearers: [network_bearer].into(), ..Self::default() }
    }
}

crate::object! {
    ConnectivityMonitoring: table::DEFINITION,
    read {
        table::NETWORK_BEARER => network_bearer,
        table::AVAILABLE_NETWORK_BEARER => available_bearers,
        table::RADIO_SIGNAL_STRENGTH => radio_signal_strength,
        table::LINK_QUALITY => link_quality,
        table::IP_ADDRESSES => ip_addresses,
        table::ROUTER_IP_ADDRESSES => router_ip_addresses,
        table::LINK_UTILIZATION => link_utilization,
        table::APN => apn,
        table::CELL_ID => cell_id,
        table::SMNC => smnc,
        table::SMCC => smcc,
    },
}

/// Network bearers (/4/0/0 and /4/0/1).
pub mod bearer {
    /// GSM.
    pub const GSM: u8 = 0;
    /// TD-SCDMA.
    pub const TD_SCDMA: u8 = 1;
    /// WCDMA.
    pub const WCDMA: u8 = 2;
    /// CDMA2000.
    pub const CDMA2000: u8 = 3;
    /// WiMAX.
    pub const WIMAX: u8 = 4;
    /// LTE-TDD.
    pub const LTE_TDD: u8 = 5;
    /// LTE-FDD.
    pub const LTE_FDD: u8 = 6;
    /// NB-IoT.
    pub const NB_IOT: u8 = 7;
    /// WLAN.
    pub const WLAN: u8 = 21;
    /// Bluetooth.
    pub const BLUETOOTH: u8 = 22;
    /// IEEE 802.15.4.
    pub const IEEE_802_15_4: u8 = 23;
    /// Ethernet.
    pub const ETHERNET: u8 = 41;
    /// DSL.
    pub const DSL: u8 = 42;
    /// Powerline.
    pub const PLC: u8 = 43;
}
