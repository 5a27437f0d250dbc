//! The endpoint's gauges. How it behaves is tested from outside, in `tests/exchange/`.

use super::*;

/// What all tables hold when they have all that they may.
fn table_bytes(change: fn(&mut Limits)) -> usize {
    let mut limits = Limits { deduplication: 3, exchanges: 3, slots: 8, deferred: 2, ..Limits::DEVICE };
    change(&mut limits);
    let mut endpoint = Endpoint::new(Transmission::DEFAULT, &limits, Key::from_seed(1));
    endpoint.reserve();
    endpoint.usage().table_bytes
}

#[test]
#[cfg_attr(not(feature = "late-answers"), ignore = "one of the tables has no places")]
fn every_place_in_a_table_has_its_price_and_no_other() {
    let least = table_bytes(|_| ());
    let price = |change| table_bytes(change) - least;
    let duplicate = price(|limits| limits.deduplication += 1);
    let exchange = price(|limits| limits.exchanges += 1);
    let deferred = price(|limits| limits.deferred += 1);
    assert!(duplicate >= size_of::<MessageId>() + size_of::<Instant>(), "{duplicate}");
    assert!(exchange >= 2 * size_of::<ExchangeId>(), "a message and a request: {exchange}");
    assert!(deferred >= size_of::<Peer>(), "{deferred}");
    // The rest is the queue of what leaves, which has its places by the other limits.
    let queue = least - 3 * duplicate - 3 * exchange - 2 * deferred;
    assert!(queue >= 8 * size_of::<Peer>(), "{queue}");
}
