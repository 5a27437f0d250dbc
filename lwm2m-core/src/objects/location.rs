//! Location, object 6 (OMA LwM2M 1.0, Appendix D.1.7): ready for an application to fill.

use alloc::vec::Vec;

use super::definitions::location as table;
use super::field::Time;

/// The Location object. Before the first fix nothing of it is there for servers.
///
/// After a fix, tell the client with [`Client::notify`](crate::Client::notify).
///
/// ```
/// use lwm2m_core::objects::Location;
///
/// let mut location = Location::default();
/// location.fix(39.9042, 116.4074, 1_767_225_600);
/// location.altitude = Some(44.0);
/// assert_eq!(location.latitude, Some(39.9042));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Location {
    /// Latitude in degrees, north is positive (/6/0/0).
    pub latitude: Option<f64>,
    /// Longitude in degrees, east is positive (/6/0/1).
    pub longitude: Option<f64>,
    /// Altitude in metres above sea level (/6/0/2).
    pub altitude: Option<f32>,
    /// Radius in metres of the area in which the device is (/6/0/3).
    pub radius: Option<f32>,
    /// Velocity as 3GPP TS 23.032 has it (/6/0/4).
    pub velocity: Option<Vec<u8>>,
    /// When that was measured (/6/0/5).
    pub timestamp: Option<Time>,
    /// Speed in metres per second (/6/0/6).
    pub speed: Option<f32>,
}

impl Location {
    /// Sets position and time (seconds since 1970), and takes away what was measured elsewhere.
    pub fn fix(&mut self, latitude: f64, longitude: f64, timestamp: i64) {
        *self = Self {
            latitude: Some(latitude),
            longitude: Some(longitude),
            timestamp: Some(Time(timestamp)),
            ..Self::default()
        };
    }
}

crate::object! {
    Location: table::DEFINITION,
    read {
        table::LATITUDE => latitude,
        table::LONGITUDE => longitude,
        table::ALTITUDE => altitude,
        table::RADIUS => radius,
        table::VELOCITY => velocity,
        table::TIMESTAMP => timestamp,
        table::SPEED => speed,
    },
}
