//! The objects that OMA defines: those that drive the client, and those ready for a device to fill;
//! and what makes a device's own struct an object.

pub(crate) mod access_control;
pub(crate) mod accounts;
mod connectivity;
pub mod definitions;
mod device;
mod field;
mod firmware;
#[doc(hidden)]
pub mod fit;
mod instances;
mod location;
mod object;
pub(crate) mod rows;
pub(crate) mod security;
pub(crate) mod server;
mod statistics;

pub(crate) use access_control::ID as ACCESS_CONTROL;
pub(crate) use accounts::Accounts;
pub use connectivity::{ConnectivityMonitoring, bearer};
pub use device::{Device, DeviceAction};
pub use field::{CoreLinks, FromValue, Link, Multiple, Readable, Reading, Scalar, Time, Typed, Writable};
pub use firmware::{
    DownloadError, FirmwareAction, FirmwareResult, FirmwareState, FirmwareUpdate, NoStore, PackageStore, Protocol,
    StoreError,
};
pub use instances::Instances;
pub use location::Location;
pub use object::{Give, Object, bind};
pub(crate) use security::ID as SECURITY;
pub(crate) use server::{ID as SERVER, Trigger};
pub use statistics::ConnectivityStatistics;
