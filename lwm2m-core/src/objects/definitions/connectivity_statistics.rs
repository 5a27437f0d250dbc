//! Connectivity Statistics: object 7, version 1.0 (`urn:oma:lwm2m:oma:7`).
//!
//! Written by `oma-def` from the object's definition.

use crate::{DataType, ObjectDef, Operations, ResourceDef};

/// The Object ID.
pub const ID: u16 = 7;

/// SMS Tx Counter: R, Integer.
pub const SMS_TX_COUNTER: u16 = 0;

/// SMS Rx Counter: R, Integer.
pub const SMS_RX_COUNTER: u16 = 1;

/// Tx Data: R, Integer.
pub const TX_DATA: u16 = 2;

/// Rx Data: R, Integer.
pub const RX_DATA: u16 = 3;

/// Max Message Size: R, Integer.
pub const MAX_MESSAGE_SIZE: u16 = 4;

/// Average Message Size: R, Integer.
pub const AVERAGE_MESSAGE_SIZE: u16 = 5;

/// Start: E.
pub const START: u16 = 6;

/// Stop: E.
pub const STOP: u16 = 7;

/// Collection Period: RW, Integer.
pub const COLLECTION_PERIOD: u16 = 8;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 9] = [
    ResourceDef::new(SMS_TX_COUNTER, "SMS Tx Counter", Operations::R, DataType::Integer),
    ResourceDef::new(SMS_RX_COUNTER, "SMS Rx Counter", Operations::R, DataType::Integer),
    ResourceDef::new(TX_DATA, "Tx Data", Operations::R, DataType::Integer),
    ResourceDef::new(RX_DATA, "Rx Data", Operations::R, DataType::Integer),
    ResourceDef::new(MAX_MESSAGE_SIZE, "Max Message Size", Operations::R, DataType::Integer).unit("B"),
    ResourceDef::new(AVERAGE_MESSAGE_SIZE, "Average Message Size", Operations::R, DataType::Integer).unit("B"),
    ResourceDef::new(START, "Start", Operations::E, DataType::None).mandatory(),
    ResourceDef::new(STOP, "Stop", Operations::E, DataType::None).mandatory(),
    ResourceDef::new(COLLECTION_PERIOD, "Collection Period", Operations::RW, DataType::Integer).unit("s"),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "Connectivity Statistics", &RESOURCES);
