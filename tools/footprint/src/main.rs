//! A client that is only linked, never run: every public input and output is reachable, so that what the image
//! holds is what an embedder pays. With the feature `dm` it is a terminal of the DM specification, which checks its
//! endpoint name; LwM2M itself has no rule for names.
//!
//! The allocator and the panic handler do nothing useful; their few bytes are not counted.

#![no_std]
#![no_main]

mod bare;

use core::hint::black_box;

use lwm2m_core::{Client, Config, Credentials, Instant, Key, Output, Path, Peer, Session};

#[cfg(feature = "device")]
type Model = lwm2m_core::objects::Device;
#[cfg(not(feature = "device"))]
type Model = lwm2m_core::NoObjects;

/// What the program keeps beside the client: only who restores it needs the configuration again.
#[cfg(feature = "snapshot")]
type Kept = Config;
#[cfg(not(feature = "snapshot"))]
type Kept = ();

/// Symbols whose sizes are the sizes of the types on the target.
#[unsafe(no_mangle)]
#[used]
static SIZE_OF_CLIENT: [u8; size_of::<Client>()] = [0; size_of::<Client>()];
#[unsafe(no_mangle)]
#[used]
static SIZE_OF_DEVICE: [u8; size_of::<Model>()] = [0; size_of::<Model>()];

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    if let Some(config) = config(Key(black_box([7; 16]))) {
        let config = config.bootstrap_server("coap://dm.example", Credentials::NoSec);
        #[cfg(feature = "snapshot")]
        let kept = config.clone();
        #[cfg(not(feature = "snapshot"))]
        let kept = ();
        if let Ok(client) = Client::new(config, Instant::ZERO) {
            live(client, &kept);
        }
    }
    loop {}
}

#[cfg(feature = "dm")]
fn config(key: Key) -> Option<Config> {
    let name = endpoint_name::EndpointName::parse(black_box("490154203237518;460001234567890;;1.0"));
    Some(Config::dm(name.ok()?, key))
}

#[cfg(not(feature = "dm"))]
fn config(key: Key) -> Option<Config> {
    Some(Config::new(black_box("node-7"), key))
}

fn live(mut client: Client, kept: &Kept) {
    let mut device = model();
    let mut radio = [0; 1152];
    loop {
        let now = Instant::from_micros(black_box(1));
        let peer = Peer(black_box(1));
        match black_box(0) {
            0 => client.handle_timeout(now, &mut device),
            1 => {
                let received = client.handle_datagram(now, peer, black_box(&radio), &mut device);
                black_box(received);
            }
            2 => client.connected(now, peer, black_box(Session::New), &mut device),
            3 => client.connection_failed(now, peer),
            4 => client.network_up(now),
            5 => client.network_down(now),
            6 => client.enter_flight_mode(now),
            7 => client.leave_flight_mode(now),
            8 => client.shutdown(now),
            9 => client.address_changed(now),
            10 => client.notify(now, Path::resource(3, 0, 9), &mut device),
            11 => drop(black_box(client.update(now, 1))),
            12 => {
                let received = client.handle_multicast(now, peer, black_box(&radio), &mut device);
                black_box(received);
            }
            _ => sleep(&mut client, kept, now, &mut radio),
        }
        while let Some(output) = client.poll_output() {
            match output {
                Output::Connect { peer, uri, .. } => drop(black_box((peer, uri))),
                Output::Transmit { peer, datagram } => drop(black_box((peer, datagram))),
                Output::Disconnect { peer } => drop(black_box(peer)),
            }
        }
        black_box(client.poll_event());
        black_box(client.poll_timeout());
        act(&mut device);
    }
}

#[cfg(feature = "device")]
fn model() -> Model {
    Model::new("Example Works", "TM-1")
}

#[cfg(not(feature = "device"))]
const fn model() -> Model {
    lwm2m_core::NoObjects
}

#[cfg(feature = "device")]
fn act(device: &mut Model) {
    black_box(device.take_action());
}

#[cfg(not(feature = "device"))]
const fn act(_: &mut Model) {}

#[cfg(feature = "snapshot")]
fn sleep(client: &mut Client, config: &Kept, now: Instant, flash: &mut [u8]) {
    let _ = black_box(client.snapshot(now, flash));
    let wake = lwm2m_core::Wake::Sleep { elapsed: core::time::Duration::from_secs(black_box(1)) };
    if let Ok(restored) = Client::restore(config.clone(), flash, now, wake) {
        *client = restored;
    }
}

#[cfg(not(feature = "snapshot"))]
const fn sleep(_: &mut Client, (): &Kept, _: Instant, _: &mut [u8]) {}
