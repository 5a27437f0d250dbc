//! Parsing and writing CoAP messages.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use coap_codec::Message;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn codec(criterion: &mut Criterion) {
    let mut buffer = [0; 256];
    let register = benches::write_register(&mut buffer).expect("it fits").to_vec();
    let mut group = criterion.benchmark_group("codec/register");
    group.throughput(Throughput::Bytes(register.len() as u64));
    group.bench_function("parse", |bencher| bencher.iter(|| Message::parse(black_box(&register)).map(|_| ())));
    group.bench_function("write", |bencher| {
        let mut buffer = [0; 256];
        bencher.iter(|| benches::write_register(black_box(&mut buffer)).map(<[u8]>::len));
    });
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
