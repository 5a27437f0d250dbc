//! Parses and writes, and is only linked, never run. Whatever could panic in it would bring the
//! panic handler into the image.

#![no_std]
#![no_main]

mod links;
mod messages;
mod names;
mod streams;
mod uris;

use core::hint::black_box;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let (mut received, mut buffer, mut memory) = ([0; 1152], [0; 1152], [0; 1152]);
    loop {
        let length = black_box(0);
        let datagram = black_box(&mut received).get(..length).unwrap_or_default();
        #[cfg(feature = "control")]
        black_box(datagram[length]);
        messages::read(datagram);
        black_box(messages::write(black_box(&mut buffer), datagram).ok());
        streams::read(datagram, black_box(&mut memory));
        black_box(streams::write(black_box(&mut buffer), datagram).ok());
        links::read(datagram);
        black_box(links::write(black_box(&mut buffer), datagram).ok());
        uris::read(datagram);
        names::read(datagram);
    }
}
