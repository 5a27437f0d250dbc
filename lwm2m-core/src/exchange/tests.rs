//! The endpoint's gauges. How it behaves is tested from outside, in `tests/exchange/`.

use super::*;
use core::time::Duration;

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

// What is between two milliseconds becomes the longer one, and what is longer than 49 days that.
#[test]
fn the_parameters_in_force_are_those_given_in_whole_milliseconds() {
    let given = Transmission {
        ack_timeout: Duration::from_micros(1_500_900),
        ack_random_percent: 130,
        max_retransmit: 3,
        nstart: 2,
        probing_rate: 9,
        max_latency: Duration::from_secs(7),
        response_timeout: Some(Duration::from_millis(40)),
        leisure: Duration::from_secs(1),
        rejections: 5,
    };
    let endpoint = |given| Endpoint::new(given, &Limits::DEVICE, Key::from_seed(1)).transmission();
    assert_eq!(endpoint(given), Transmission { ack_timeout: Duration::from_millis(1_501), ..given });
    assert_eq!(endpoint(Transmission { response_timeout: None, ..given }).response_timeout, None);
    let days = |days: u64| Transmission { leisure: Duration::from_secs(86_400 * days), ..given };
    assert_eq!(endpoint(days(49)).leisure, days(49).leisure);
    assert_eq!(endpoint(days(50)).leisure, Duration::from_millis(u32::MAX.into()));
}
