//! Parsing and writing CoAP messages: time and throughput of what `tools/instructions.py` counts.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use core::hint::black_box;

use benches::contenders::{CONTENDERS, Contender};
use benches::messages::{BUFFER_LEN, SAMPLES};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn codec(criterion: &mut Criterion) {
    for contender in CONTENDERS.iter().filter(|contender| contender.is_codec) {
        measure(criterion, contender);
    }
}

fn measure(criterion: &mut Criterion, contender: &Contender) {
    let Contender { name, parse, look_up, build, .. } = *contender;
    let mut buffer = [0; BUFFER_LEN];
    for sample in &SAMPLES {
        let datagram = sample.datagram();
        let mut group = criterion.benchmark_group(format!("{name}/{}: {}", sample.name, sample.title));
        group.throughput(Throughput::Bytes(sample.len as u64));
        group.bench_function("parse", |bencher| bencher.iter(|| parse(black_box(&datagram))));
        group.bench_function("parse and look up", |bencher| bencher.iter(|| look_up(black_box(&datagram))));
        group.bench_function("build", |bencher| {
            bencher.iter(|| build(black_box(&sample.parts), black_box(&mut buffer)));
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
