//! Device: object 3, version 1.0 (`urn:oma:lwm2m:oma:3`).
//!
//! Written by `oma-def` from the object's definition.

use crate::{DataType, ObjectDef, Operations, Range, ResourceDef};

/// The Object ID.
pub const ID: u16 = 3;

/// Manufacturer: R, String.
pub const MANUFACTURER: u16 = 0;

/// Model Number: R, String.
pub const MODEL_NUMBER: u16 = 1;

/// Serial Number: R, String.
pub const SERIAL_NUMBER: u16 = 2;

/// Firmware Version: R, String.
pub const FIRMWARE_VERSION: u16 = 3;

/// Reboot: E.
pub const REBOOT: u16 = 4;

/// Factory Reset: E.
pub const FACTORY_RESET: u16 = 5;

/// Available Power Sources: R, several of Integer.
pub const AVAILABLE_POWER_SOURCES: u16 = 6;

/// Power Source Voltage: R, several of Integer.
pub const POWER_SOURCE_VOLTAGE: u16 = 7;

/// Power Source Current: R, several of Integer.
pub const POWER_SOURCE_CURRENT: u16 = 8;

/// Battery Level: R, Integer.
pub const BATTERY_LEVEL: u16 = 9;

/// Memory Free: R, Integer.
pub const MEMORY_FREE: u16 = 10;

/// Error Code: R, several of Integer.
pub const ERROR_CODE: u16 = 11;

/// Reset Error Code: E.
pub const RESET_ERROR_CODE: u16 = 12;

/// Current Time: RW, Time.
pub const CURRENT_TIME: u16 = 13;

/// UTC Offset: RW, String.
pub const UTC_OFFSET: u16 = 14;

/// Timezone: RW, String.
pub const TIMEZONE: u16 = 15;

/// Supported Binding and Modes: R, String.
pub const SUPPORTED_BINDING_AND_MODES: u16 = 16;

/// Device Type: R, String.
pub const DEVICE_TYPE: u16 = 17;

/// Hardware Version: R, String.
pub const HARDWARE_VERSION: u16 = 18;

/// Software Version: R, String.
pub const SOFTWARE_VERSION: u16 = 19;

/// Battery Status: R, Integer.
pub const BATTERY_STATUS: u16 = 20;

/// Memory Total: R, Integer.
pub const MEMORY_TOTAL: u16 = 21;

/// ExtDevInfo: R, several of Objlnk.
pub const EXT_DEV_INFO: u16 = 22;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 23] = [
    ResourceDef::new(MANUFACTURER, "Manufacturer", Operations::R, DataType::String),
    ResourceDef::new(MODEL_NUMBER, "Model Number", Operations::R, DataType::String),
    ResourceDef::new(SERIAL_NUMBER, "Serial Number", Operations::R, DataType::String),
    ResourceDef::new(FIRMWARE_VERSION, "Firmware Version", Operations::R, DataType::String),
    ResourceDef::new(REBOOT, "Reboot", Operations::E, DataType::None).mandatory(),
    ResourceDef::new(FACTORY_RESET, "Factory Reset", Operations::E, DataType::None),
    ResourceDef::new(AVAILABLE_POWER_SOURCES, "Available Power Sources", Operations::R, DataType::Integer)
        .multiple()
        .range(Range::Integer(0, 7)),
    ResourceDef::new(POWER_SOURCE_VOLTAGE, "Power Source Voltage", Operations::R, DataType::Integer)
        .multiple()
        .unit("mV"),
    ResourceDef::new(POWER_SOURCE_CURRENT, "Power Source Current", Operations::R, DataType::Integer)
        .multiple()
        .unit("mA"),
    ResourceDef::new(BATTERY_LEVEL, "Battery Level", Operations::R, DataType::Integer)
        .range(Range::Integer(0, 100))
        .unit("%"),
    ResourceDef::new(MEMORY_FREE, "Memory Free", Operations::R, DataType::Integer).unit("KB"),
    ResourceDef::new(ERROR_CODE, "Error Code", Operations::R, DataType::Integer)
        .multiple()
        .mandatory()
        .range(Range::Integer(0, 8)),
    ResourceDef::new(RESET_ERROR_CODE, "Reset Error Code", Operations::E, DataType::None),
    ResourceDef::new(CURRENT_TIME, "Current Time", Operations::RW, DataType::Time),
    ResourceDef::new(UTC_OFFSET, "UTC Offset", Operations::RW, DataType::String),
    ResourceDef::new(TIMEZONE, "Timezone", Operations::RW, DataType::String),
    ResourceDef::new(SUPPORTED_BINDING_AND_MODES, "Supported Binding and Modes", Operations::R, DataType::String)
        .mandatory(),
    ResourceDef::new(DEVICE_TYPE, "Device Type", Operations::R, DataType::String),
    ResourceDef::new(HARDWARE_VERSION, "Hardware Version", Operations::R, DataType::String),
    ResourceDef::new(SOFTWARE_VERSION, "Software Version", Operations::R, DataType::String),
    ResourceDef::new(BATTERY_STATUS, "Battery Status", Operations::R, DataType::Integer).range(Range::Integer(0, 6)),
    ResourceDef::new(MEMORY_TOTAL, "Memory Total", Operations::R, DataType::Integer),
    ResourceDef::new(EXT_DEV_INFO, "ExtDevInfo", Operations::R, DataType::ObjectLink).multiple(),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "Device", &RESOURCES).mandatory();
