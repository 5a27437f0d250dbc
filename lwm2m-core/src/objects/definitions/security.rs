//! LWM2M Security: object 0, version 1.0 (`urn:oma:lwm2m:oma:0`).
//!
//! Written by `oma-def` from the object's definition.

use crate::{DataType, ObjectDef, Operations, Range, ResourceDef};

/// The Object ID.
pub const ID: u16 = 0;

/// LWM2M Server URI: bootstrap only, String.
pub const LWM2M_SERVER_URI: u16 = 0;

/// Bootstrap-Server: bootstrap only, Boolean.
pub const BOOTSTRAP_SERVER: u16 = 1;

/// Security Mode: bootstrap only, Integer.
pub const SECURITY_MODE: u16 = 2;

/// Public Key or Identity: bootstrap only, Opaque.
pub const PUBLIC_KEY_OR_IDENTITY: u16 = 3;

/// Server Public Key: bootstrap only, Opaque.
pub const SERVER_PUBLIC_KEY: u16 = 4;

/// Secret Key: bootstrap only, Opaque.
pub const SECRET_KEY: u16 = 5;

/// SMS Security Mode: bootstrap only, Integer.
pub const SMS_SECURITY_MODE: u16 = 6;

/// SMS Binding Key Parameters: bootstrap only, Opaque.
pub const SMS_BINDING_KEY_PARAMETERS: u16 = 7;

/// SMS Binding Secret Key(s): bootstrap only, Opaque.
pub const SMS_BINDING_SECRET_KEY_S: u16 = 8;

/// LwM2M Server SMS Number: bootstrap only, String.
pub const LWM2M_SERVER_SMS_NUMBER: u16 = 9;

/// Short Server ID: bootstrap only, Integer.
pub const SHORT_SERVER_ID: u16 = 10;

/// Client Hold Off Time: bootstrap only, Integer.
pub const CLIENT_HOLD_OFF_TIME: u16 = 11;

/// Bootstrap-Server Account Timeout: bootstrap only, Integer.
pub const BOOTSTRAP_SERVER_ACCOUNT_TIMEOUT: u16 = 12;

/// What the resources are.
pub const RESOURCES: [ResourceDef; 13] = [
    ResourceDef::new(LWM2M_SERVER_URI, "LWM2M Server URI", Operations::Bootstrap, DataType::String)
        .mandatory()
        .range(Range::Length(0, 255)),
    ResourceDef::new(BOOTSTRAP_SERVER, "Bootstrap-Server", Operations::Bootstrap, DataType::Boolean).mandatory(),
    ResourceDef::new(SECURITY_MODE, "Security Mode", Operations::Bootstrap, DataType::Integer)
        .mandatory()
        .range(Range::Integer(0, 4)),
    ResourceDef::new(PUBLIC_KEY_OR_IDENTITY, "Public Key or Identity", Operations::Bootstrap, DataType::Opaque)
        .mandatory(),
    ResourceDef::new(SERVER_PUBLIC_KEY, "Server Public Key", Operations::Bootstrap, DataType::Opaque).mandatory(),
    ResourceDef::new(SECRET_KEY, "Secret Key", Operations::Bootstrap, DataType::Opaque).mandatory(),
    ResourceDef::new(SMS_SECURITY_MODE, "SMS Security Mode", Operations::Bootstrap, DataType::Integer)
        .range(Range::Integer(0, 255)),
    ResourceDef::new(SMS_BINDING_KEY_PARAMETERS, "SMS Binding Key Parameters", Operations::Bootstrap, DataType::Opaque)
        .range(Range::Length(6, 6)),
    // The range as it is printed: 16-32-48 bytes
    ResourceDef::new(SMS_BINDING_SECRET_KEY_S, "SMS Binding Secret Key(s)", Operations::Bootstrap, DataType::Opaque)
        .range(Range::Length(16, 48)),
    ResourceDef::new(LWM2M_SERVER_SMS_NUMBER, "LwM2M Server SMS Number", Operations::Bootstrap, DataType::String),
    ResourceDef::new(SHORT_SERVER_ID, "Short Server ID", Operations::Bootstrap, DataType::Integer)
        .range(Range::Integer(1, 65_534)),
    ResourceDef::new(CLIENT_HOLD_OFF_TIME, "Client Hold Off Time", Operations::Bootstrap, DataType::Integer).unit("s"),
    ResourceDef::new(
        BOOTSTRAP_SERVER_ACCOUNT_TIMEOUT,
        "Bootstrap-Server Account Timeout",
        Operations::Bootstrap,
        DataType::Integer,
    )
    .unit("s"),
];

/// What the object is.
pub static DEFINITION: ObjectDef = ObjectDef::new(ID, "LWM2M Security", &RESOURCES).multiple().mandatory();
