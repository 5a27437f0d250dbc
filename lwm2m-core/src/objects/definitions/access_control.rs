//! LwM2M Access Control: object 2, version 1.0 (`urn:oma:lwm2m:oma:2`).
//!
//! Written by `oma-def` from the object's definition.

use crate::{DataType, ObjectDef, Operations, Range, ResourceDef};

/// The Object ID.
pub const ID: u16 = 2;

/// Object ID: R, Integer.
pub const OBJECT_ID: u16 = 0;

/// Object Instance ID: R, Integer.
pub const OBJECT_INSTANCE_ID: u16 = 1;

/// ACL: RW, several of Integer.
pub const ACL: u16 = 2;

/// Access Control Owner: RW, Integer.
pub const ACCESS_CONTROL_OWNER: u16 = 3;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 4] = [
    ResourceDef::new(OBJECT_ID, "Object ID", Operations::R, DataType::Integer)
        .mandatory()
        .range(Range::Integer(1, 65_534)),
    ResourceDef::new(OBJECT_INSTANCE_ID, "Object Instance ID", Operations::R, DataType::Integer)
        .mandatory()
        .range(Range::Integer(0, 65_535)),
    // The range as it is printed: 16-bit
    ResourceDef::new(ACL, "ACL", Operations::RW, DataType::Integer).multiple(),
    ResourceDef::new(ACCESS_CONTROL_OWNER, "Access Control Owner", Operations::RW, DataType::Integer)
        .mandatory()
        .range(Range::Integer(0, 65_535)),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "LwM2M Access Control", &RESOURCES).multiple();
