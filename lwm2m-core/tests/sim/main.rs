//! Whole lives of a terminal, told on the simulator.
#![allow(missing_docs, unreachable_pub, reason = "a test")]

#[path = "../common/terminal.rs"]
mod terminal;

mod bootstrap;
mod lives;
mod models;
mod network;
mod objects;
mod operations;
mod power;
mod queue;
mod records;
mod registration;
mod wild;

use core::time::Duration;

use coap_codec::{Code, ContentFormat};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{
    Accepts, Answering, Ask, Conditions, Direction, DmServer, Fate, Interface, NoAnswer, Platform, Sim, Status, Tlv,
    WriteMode,
};
use lwm2m_core::{
    Args, Change, Credentials, Ctx, DataModel, Event, Key, Leaf, Leave, ObjectDef, Origin, Path, Reason, Refusal, Sink,
    Ticket,
};

use self::models::{Counter, deferring};
use self::terminal::*;
