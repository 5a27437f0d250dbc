//! What a registered client does all day, in time: the same operations as those whose instructions are
//! counted.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use benches::client::{Desk, Operation};
use criterion::{Criterion, criterion_group, criterion_main};

fn client(criterion: &mut Criterion) {
    for operation in Operation::ALL {
        let mut desk = Desk::new(operation);
        criterion.bench_function(operation.name(), |bencher| bencher.iter(|| desk.run(operation)));
    }
}

criterion_group!(benches, client);
criterion_main!(benches);
