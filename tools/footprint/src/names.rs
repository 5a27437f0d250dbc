//! Endpoint names alone: one is read, and one is made.

#![no_std]
#![no_main]

mod bare;

use core::hint::black_box;

use endpoint_name::{EndpointName, EndpointNameBuf};

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    loop {
        match EndpointName::parse(black_box("490154203237518;460001234567890;;1.0")) {
            Ok(name) => drop(black_box((name.imei(), name.imsi(), EndpointNameBuf::from(name)))),
            Err(error) => drop(black_box((error.kind(), error.position()))),
        }
    }
}
