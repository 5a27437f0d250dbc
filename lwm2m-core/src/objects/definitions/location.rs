//! Location: object 6, version 1.0 (`urn:oma:lwm2m:oma:6`).
//!
//! Written by `oma-def` from the object's definition.

use crate::{DataType, ObjectDef, Operations, ResourceDef};

/// The Object ID.
pub const ID: u16 = 6;

/// Latitude: R, Float.
pub const LATITUDE: u16 = 0;

/// Longitude: R, Float.
pub const LONGITUDE: u16 = 1;

/// Altitude: R, Float.
pub const ALTITUDE: u16 = 2;

/// Radius: R, Float.
pub const RADIUS: u16 = 3;

/// Velocity: R, Opaque.
pub const VELOCITY: u16 = 4;

/// Timestamp: R, Time.
pub const TIMESTAMP: u16 = 5;

/// Speed: R, Float.
pub const SPEED: u16 = 6;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 7] = [
    ResourceDef::new(LATITUDE, "Latitude", Operations::R, DataType::Float).mandatory().unit("lat"),
    ResourceDef::new(LONGITUDE, "Longitude", Operations::R, DataType::Float).mandatory().unit("lon"),
    ResourceDef::new(ALTITUDE, "Altitude", Operations::R, DataType::Float).unit("m"),
    ResourceDef::new(RADIUS, "Radius", Operations::R, DataType::Float).unit("m"),
    ResourceDef::new(VELOCITY, "Velocity", Operations::R, DataType::Opaque),
    ResourceDef::new(TIMESTAMP, "Timestamp", Operations::R, DataType::Time).mandatory(),
    ResourceDef::new(SPEED, "Speed", Operations::R, DataType::Float).unit("m/s"),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "Location", &RESOURCES);
