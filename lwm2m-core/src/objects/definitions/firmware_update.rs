//! Firmware Update: object 5, version 1.0 (`urn:oma:lwm2m:oma:5`).
//!
//! Written by `oma-def` from the object's definition.

use crate::{DataType, ObjectDef, Operations, Range, ResourceDef};

/// The Object ID.
pub const ID: u16 = 5;

/// Package: W, Opaque.
pub const PACKAGE: u16 = 0;

/// Package URI: RW, String.
pub const PACKAGE_URI: u16 = 1;

/// Update: E.
pub const UPDATE: u16 = 2;

/// State: R, Integer.
pub const STATE: u16 = 3;

/// Update Result: R, Integer.
pub const UPDATE_RESULT: u16 = 5;

/// PkgName: R, String.
pub const PKG_NAME: u16 = 6;

/// PkgVersion: R, String.
pub const PKG_VERSION: u16 = 7;

/// Firmware Update Protocol Support: R, several of Integer.
pub const FIRMWARE_UPDATE_PROTOCOL_SUPPORT: u16 = 8;

/// Firmware Update Delivery Method: R, Integer.
pub const FIRMWARE_UPDATE_DELIVERY_METHOD: u16 = 9;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 9] = [
    ResourceDef::new(PACKAGE, "Package", Operations::W, DataType::Opaque).mandatory(),
    ResourceDef::new(PACKAGE_URI, "Package URI", Operations::RW, DataType::String)
        .mandatory()
        .range(Range::Length(0, 255)),
    ResourceDef::new(UPDATE, "Update", Operations::E, DataType::None).mandatory(),
    ResourceDef::new(STATE, "State", Operations::R, DataType::Integer).mandatory().range(Range::Integer(0, 3)),
    ResourceDef::new(UPDATE_RESULT, "Update Result", Operations::R, DataType::Integer)
        .mandatory()
        .range(Range::Integer(0, 9)),
    ResourceDef::new(PKG_NAME, "PkgName", Operations::R, DataType::String).range(Range::Length(0, 255)),
    ResourceDef::new(PKG_VERSION, "PkgVersion", Operations::R, DataType::String).range(Range::Length(0, 255)),
    ResourceDef::new(
        FIRMWARE_UPDATE_PROTOCOL_SUPPORT,
        "Firmware Update Protocol Support",
        Operations::R,
        DataType::Integer,
    )
    .multiple()
    .range(Range::Integer(0, 5)),
    ResourceDef::new(
        FIRMWARE_UPDATE_DELIVERY_METHOD,
        "Firmware Update Delivery Method",
        Operations::R,
        DataType::Integer,
    )
    .mandatory()
    .range(Range::Integer(0, 2)),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "Firmware Update", &RESOURCES);
