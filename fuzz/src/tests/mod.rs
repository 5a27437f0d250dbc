//! The committed inputs, each target's own: as they are, cut short everywhere, and with every bit turned.

mod causes;

use std::fs;
use std::path::PathBuf;

use coap_codec::Code;
use lwm2m_core::Instant;

/// So many inputs are enough for one target with every test run; `EXHAUSTIVE=1` leaves none out.
const SHARE: usize = 2_000;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target)
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        fs::read_dir(folder(target)).expect("a folder of seeds").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no seeds for {target}");
    paths.iter().map(|path| fs::read(path).expect("a file")).collect()
}

/// Runs every committed input through its target, then what is left of it when its end is missing and what
/// becomes of it when one bit turns.
fn replay(target: &str, body: impl Fn(&[u8])) {
    let seeds = seeds(target);
    let all: usize = seeds.iter().map(|seed| 9 * seed.len()).sum();
    let stride = if std::env::var_os("EXHAUSTIVE").is_some() { 1 } else { all.div_ceil(SHARE).max(1) };
    let (mut number, mut inputs) = (0, seeds.len());
    // Which of them are left out is the same in each run.
    let mut chosen = || {
        number += 1;
        number % stride == 0
    };
    for mut seed in seeds {
        body(&seed);
        for length in (0..seed.len()).filter(|_| chosen()).collect::<Vec<_>>() {
            body(&seed[..length]);
            inputs += 1;
        }
        for bit in 0..8 * seed.len() {
            if chosen() {
                seed[bit / 8] ^= 1 << (bit % 8);
                body(&seed);
                seed[bit / 8] ^= 1 << (bit % 8);
                inputs += 1;
            }
        }
    }
    println!("{target}: {inputs} inputs of {all}");
}

macro_rules! replayed {
    ($($test:ident: $target:ident;)*) => {$(
        #[test]
        fn $test() {
            replay(stringify!($target), |input| {
                let _ = super::$target(input);
            });
        }
    )*};
}

replayed! {
    seeds_of_coap_message: coap_message;
    seeds_of_coap_check: coap_check;
    seeds_of_coap_write: coap_write;
    seeds_of_coap_tcp: coap_tcp;
    seeds_of_link_format: link_format;
    seeds_of_uri: uri;
    seeds_of_endpoint_name: endpoint_name;
    seeds_of_formats: formats;
    seeds_of_attributes: attributes;
    seeds_of_snapshot: snapshot;
    seeds_of_requests: requests;
    seeds_of_exchange: exchange;
    seeds_of_client: client;
}

#[cfg(feature = "peers")]
replayed! {
    seeds_of_differential: differential;
}

/// Snapshots as they are written, without what every snapshot has.
#[test]
fn snapshots_of_lives_are_restored() {
    let mut desk = super::formats::Desk::new();
    let (before, after) = super::snapshot::AROUND;
    let check = |name: &str, desk: &super::formats::Desk| {
        let mut flash = [0; 2_048];
        let len = desk.client.snapshot(Instant::ZERO, &mut flash).expect("room");
        for (how, waking) in ["restarts", "sleeps"].iter().enumerate() {
            let input = [&[how as u8], &flash[before..len - after]].concat();
            // The seeds are of some time: what a snapshot holds changes with the client.
            if std::env::var_os("WRITE_SEEDS").is_some() {
                causes::is_seed("snapshot", &format!("{name}-{waking}"), &input);
            }
            assert!(super::snapshot(&input), "{name} {waking}");
        }
    };
    check("registered", &desk);
    for (path, query) in [(&[9_u16, 0, 1], "gt=1.5&st=0.25"), (&[9, 0, 3], "pmin=1&pmax=60")] {
        desk.send(Code::PUT, path, &mut |writer| query.split('&').for_each(|one| writer.uri_query(one).expect("room")));
    }
    desk.send(Code::GET, &[9, 0], &mut |writer| writer.observe(0).expect("room"));
    check("observed", &desk);
    desk.client.network_down(Instant::ZERO);
    check("offline", &desk);
}

/// Found by fuzzing: a server with two registrations was due for ever, as only one of them was served.
#[test]
fn two_registrations_with_one_server_are_damage() {
    assert!(!super::snapshot(include_bytes!("../../seeds/snapshot/two-registrations-with-one-server")));
}

/// Found by fuzzing: two accounts of one server became two registrations, and the client's own snapshot was refused.
#[test]
fn two_accounts_with_one_server_are_damage() {
    assert!(!super::snapshot(include_bytes!("../../seeds/snapshot/two-accounts-with-one-server")));
}

/// A life in which no request reaches the model tells little.
#[test]
fn most_lives_reach_the_model() {
    let seeds = seeds("client");
    let reached = seeds.iter().filter(|seed| super::client(seed)).count();
    assert!(reached * 10 >= seeds.len() * 3, "{reached} of {}", seeds.len());
}
