//! One request on its way through a registered client.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use core::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use lwm2m_core::Instant;

fn client(criterion: &mut Criterion) {
    let (mut client, mut device, peer) = benches::registered_client();
    // GET with another Message ID each time, so that none is a duplicate.
    for (name, path) in [("read /3/0", &b"\xB1\x33\x01\x30"[..]), ("read /3/0/0", b"\xB1\x33\x01\x30\x01\x30")] {
        let mut request = [&[0x41, 0x01, 0, 0, 0xAA], path].concat();
        let mut id = 0u16;
        let mut micros = 0;
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                id = id.wrapping_add(1);
                micros += 10_000_000;
                request[2..4].copy_from_slice(&id.to_be_bytes());
                let now = Instant::from_micros(micros);
                client.handle_datagram(now, peer, black_box(&request), &mut device);
                let mut sent = 0;
                while let Some(output) = client.poll_output() {
                    black_box(&output);
                    sent += 1;
                }
                while client.poll_event().is_some() {}
                sent
            });
        });
    }
}

criterion_group!(benches, client);
criterion_main!(benches);
