//! The OMA objects 0 to 7 in version 1.0: their ids, and what they and their resources are.
//!
//! The modules are written by `oma-def` (in `tools/`) from OMA's XML definitions and say what those
//! say. Where the client is more lenient than a definition, its own object says so and why.
//!
//! ```
//! use lwm2m_core::Path;
//! use lwm2m_core::objects::definitions::device;
//!
//! let battery = Path::resource(device::ID, 0, device::BATTERY_LEVEL);
//! assert_eq!(battery, Path::resource(3, 0, 9));
//! assert_eq!(device::DEFINITION.resource(device::BATTERY_LEVEL).map(|resource| resource.unit), Some("%"));
//! ```

pub mod access_control;
pub mod connectivity_monitoring;
pub mod connectivity_statistics;
pub mod device;
pub mod firmware_update;
pub mod location;
pub mod security;
pub mod server;
