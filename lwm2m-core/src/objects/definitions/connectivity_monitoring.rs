//! Connectivity Monitoring: object 4, version 1.0 (`urn:oma:lwm2m:oma:4`).
//!
//! Written by `oma-def` from the object's definition.

use crate::{DataType, ObjectDef, Operations, Range, ResourceDef};

/// The Object ID.
pub const ID: u16 = 4;

/// Network Bearer: R, Integer.
pub const NETWORK_BEARER: u16 = 0;

/// Available Network Bearer: R, several of Integer.
pub const AVAILABLE_NETWORK_BEARER: u16 = 1;

/// Radio Signal Strength: R, Integer.
pub const RADIO_SIGNAL_STRENGTH: u16 = 2;

/// Link Quality: R, Integer.
pub const LINK_QUALITY: u16 = 3;

/// IP Addresses: R, several of String.
pub const IP_ADDRESSES: u16 = 4;

/// Router IP Addresses: R, several of String.
pub const ROUTER_IP_ADDRESSES: u16 = 5;

/// Link Utilization: R, Integer.
pub const LINK_UTILIZATION: u16 = 6;

/// APN: R, several of String.
pub const APN: u16 = 7;

/// Cell ID: R, Integer.
pub const CELL_ID: u16 = 8;

/// SMNC: R, Integer.
pub const SMNC: u16 = 9;

/// SMCC: R, Integer.
pub const SMCC: u16 = 10;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 11] = [
    ResourceDef::new(NETWORK_BEARER, "Network Bearer", Operations::R, DataType::Integer)
        .mandatory()
        .range(Range::Integer(0, 50)),
    ResourceDef::new(AVAILABLE_NETWORK_BEARER, "Available Network Bearer", Operations::R, DataType::Integer)
        .multiple()
        .mandatory()
        .range(Range::Integer(0, 50)),
    ResourceDef::new(RADIO_SIGNAL_STRENGTH, "Radio Signal Strength", Operations::R, DataType::Integer)
        .mandatory()
        .unit("dBm"),
    ResourceDef::new(LINK_QUALITY, "Link Quality", Operations::R, DataType::Integer),
    ResourceDef::new(IP_ADDRESSES, "IP Addresses", Operations::R, DataType::String).multiple().mandatory(),
    ResourceDef::new(ROUTER_IP_ADDRESSES, "Router IP Addresses", Operations::R, DataType::String).multiple(),
    ResourceDef::new(LINK_UTILIZATION, "Link Utilization", Operations::R, DataType::Integer)
        .range(Range::Integer(0, 100))
        .unit("%"),
    ResourceDef::new(APN, "APN", Operations::R, DataType::String).multiple(),
    ResourceDef::new(CELL_ID, "Cell ID", Operations::R, DataType::Integer),
    ResourceDef::new(SMNC, "SMNC", Operations::R, DataType::Integer).range(Range::Integer(0, 999)).unit("%"),
    ResourceDef::new(SMCC, "SMCC", Operations::R, DataType::Integer).range(Range::Integer(0, 999)),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "Connectivity Monitoring", &RESOURCES);
