//! LwM2M Server: object 1, version 1.0 (`urn:oma:lwm2m:oma:1`).
//!
//! Written by `oma-def` from the object's definition.

use crate::{DataType, ObjectDef, Operations, Range, ResourceDef};

/// The Object ID.
pub const ID: u16 = 1;

/// Short Server ID: R, Integer.
pub const SHORT_SERVER_ID: u16 = 0;

/// Lifetime: RW, Integer.
pub const LIFETIME: u16 = 1;

/// Default Minimum Period: RW, Integer.
pub const DEFAULT_MINIMUM_PERIOD: u16 = 2;

/// Default Maximum Period: RW, Integer.
pub const DEFAULT_MAXIMUM_PERIOD: u16 = 3;

/// Disable: E.
pub const DISABLE: u16 = 4;

/// Disable Timeout: RW, Integer.
pub const DISABLE_TIMEOUT: u16 = 5;

/// Notification Storing When Disabled or Offline: RW, Boolean.
pub const NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE: u16 = 6;

/// Binding: RW, String.
pub const BINDING: u16 = 7;

/// Registration Update Trigger: E.
pub const REGISTRATION_UPDATE_TRIGGER: u16 = 8;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 9] = [
    ResourceDef::new(SHORT_SERVER_ID, "Short Server ID", Operations::R, DataType::Integer)
        .mandatory()
        .range(Range::Integer(1, 65_535)),
    ResourceDef::new(LIFETIME, "Lifetime", Operations::RW, DataType::Integer).mandatory().unit("s"),
    ResourceDef::new(DEFAULT_MINIMUM_PERIOD, "Default Minimum Period", Operations::RW, DataType::Integer).unit("s"),
    ResourceDef::new(DEFAULT_MAXIMUM_PERIOD, "Default Maximum Period", Operations::RW, DataType::Integer).unit("s"),
    ResourceDef::new(DISABLE, "Disable", Operations::E, DataType::None),
    ResourceDef::new(DISABLE_TIMEOUT, "Disable Timeout", Operations::RW, DataType::Integer).unit("s"),
    ResourceDef::new(
        NOTIFICATION_STORING_WHEN_DISABLED_OR_OFFLINE,
        "Notification Storing When Disabled or Offline",
        Operations::RW,
        DataType::Boolean,
    )
    .mandatory(),
    // The range as it is printed: The possible values of Resource are listed in 5.3.1.1
    ResourceDef::new(BINDING, "Binding", Operations::RW, DataType::String).mandatory(),
    ResourceDef::new(REGISTRATION_UPDATE_TRIGGER, "Registration Update Trigger", Operations::E, DataType::None)
        .mandatory(),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "LwM2M Server", &RESOURCES).multiple().mandatory();
