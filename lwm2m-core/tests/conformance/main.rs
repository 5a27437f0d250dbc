//! The cases that a terminal must pass: one test for each, named after it.
//!
//! `dm_…` are the requirements of the DM terminal specification by section, `int_…` the OMA enabler
//! tests, `td_coap_…` the CoAP plugtests, and `x…` cases of ours: XC messages, XB bootstrap, XD device
//! management, XA attributes and notifications, XF formats, XK block-wise transfer. Each drives the whole
//! client with datagrams, time and commands, in the simulator.
#![allow(missing_docs, unreachable_pub, reason = "a test")]

#[path = "../common/terminal.rs"]
mod terminal;

mod access;
mod alternate_path;
mod atomicity;
mod attack;
mod attributes;
mod blockwise;
mod blockwise_register;
mod blockwise_requests;
mod bootstrap;
mod bootstrap_rules;
mod coap_core;
mod coap_server;
mod commands;
mod deregister;
mod device;
mod discover;
mod discovery;
mod elective;
mod enabler;
mod enabler_more;
mod exchanges;
mod firmware;
mod formats;
mod interface;
mod leaving;
mod limits;
mod management;
mod messages;
mod multicast;
mod name;
mod objects;
mod observe;
mod observed_objects;
mod operations;
mod queue_mode;
mod reads;
mod register;
mod register_answers;
mod registrations;
mod reporting_groups;
mod rights;
mod thresholds;
mod update;
mod update_failures;
mod writes;
