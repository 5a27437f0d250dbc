//! Hour Meter: object 30000, version 1.0 (`urn:oma:lwm2m:x:30000`).
//!
//! Written by `oma-def` from the object's definition.

use lwm2m_core::{DataType, ObjectDef, Operations, Range, ResourceDef};

/// The Object ID.
pub const ID: u16 = 30_000;

/// Name: RW, String.
pub const NAME: u16 = 0;

/// Time at Work: R, Integer.
pub const TIME_AT_WORK: u16 = 1;

/// Start: E.
pub const START: u16 = 2;

/// Billed: RW, Boolean.
pub const BILLED: u16 = 3;

/// Rate: RW, Float.
pub const RATE: u16 = 4;

/// Service Intervals: RW, several of Integer.
pub const SERVICE_INTERVALS: u16 = 5;

/// Seal: RW, Opaque.
pub const SEAL: u16 = 6;

/// Part: RW, Objlnk.
pub const PART: u16 = 7;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 8] = [
    ResourceDef::new(NAME, "Name", Operations::RW, DataType::String).mandatory().range(Range::Length(0, 32)),
    ResourceDef::new(TIME_AT_WORK, "Time at Work", Operations::R, DataType::Integer).mandatory().unit("s"),
    ResourceDef::new(START, "Start", Operations::E, DataType::None).mandatory(),
    ResourceDef::new(BILLED, "Billed", Operations::RW, DataType::Boolean),
    ResourceDef::new(RATE, "Rate", Operations::RW, DataType::Float).unit("1/h"),
    ResourceDef::new(SERVICE_INTERVALS, "Service Intervals", Operations::RW, DataType::Integer).multiple().unit("h"),
    ResourceDef::new(SEAL, "Seal", Operations::RW, DataType::Opaque).range(Range::Length(0, 32)),
    ResourceDef::new(PART, "Part", Operations::RW, DataType::ObjectLink),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "Hour Meter", &RESOURCES).multiple();
