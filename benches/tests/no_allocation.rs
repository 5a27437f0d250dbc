//! The codec takes nothing from the heap, whatever it does, and a registered client nothing more. A
//! test binary of its own, as it counts for the whole process.

use benches::client::{Desk, Operation};
use benches::contenders::CONTENDERS;
use benches::messages::{BUFFER_LEN, SAMPLES};

#[test]
fn parsing_looking_up_and_building_allocate_nothing() {
    let ours = CONTENDERS[0];
    assert_eq!(ours.name, "coap-codec");
    let datagrams = SAMPLES.map(|sample| sample.datagram());
    let mut buffer = [0; BUFFER_LEN];
    let mut written = 0;
    let counted = allocation_counter::measure(|| {
        for (sample, datagram) in SAMPLES.iter().zip(&datagrams) {
            assert!((ours.parse)(datagram));
            (ours.look_up)(datagram);
            written += (ours.build)(&sample.parts, &mut buffer);
        }
    });
    assert_eq!(written, 1045, "all eight were written");
    assert_eq!(counted.count_total, 0);
    // The counter counts.
    let boxed = || drop(core::hint::black_box(vec![written]));
    assert_eq!(allocation_counter::measure(boxed).count_total, 1);
}

#[test]
fn a_registered_client_allocates_nothing() {
    for operation in Operation::ALL {
        let mut desk = Desk::new(operation);
        let counted = allocation_counter::measure(|| (0..100).for_each(|_| desk.run(operation)));
        assert_eq!(counted.count_total, 0, "{}", operation.name());
    }
}
