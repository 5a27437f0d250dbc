//! The objects that OMA defines: those that drive the client, and those ready for a device to fill.

pub(crate) mod accounts;
pub mod definitions;
mod device;
pub(crate) mod security;
pub(crate) mod server;

pub(crate) use accounts::Accounts;
pub use device::{Device, DeviceAction};
pub(crate) use security::ID as SECURITY;
pub(crate) use server::{ID as SERVER, Trigger};
