//! Snapshots: what was written is restored, and no others make a client that cannot go on.

use core::hash::Hasher;
use core::time::Duration;

use lwm2m_core::objects::Device;
use lwm2m_core::{Client, Instant, Wake};
use siphasher::sip::SipHasher13;

use crate::config;

/// The length of the checksum at the end of a snapshot, and of name and version before it.
pub(crate) const AROUND: (usize, usize) = (3, 4);

/// The bytes between name and checksum come from anywhere: what a checksum keeps out must do no harm either.
/// A client that comes of them lives on for an hour, and its own snapshot is one.
/// Whether one does.
pub fn snapshot(data: &[u8]) -> bool {
    let [how, body @ ..] = data else { return false };
    let mut fresh = [0; 1_024];
    let written = Client::new(config(), Instant::ZERO).map(|client| client.snapshot(Instant::ZERO, &mut fresh));
    written.expect("a configuration").expect("room");
    let mut bytes = [&fresh[..AROUND.0], body].concat();
    let mut hasher = SipHasher13::new();
    hasher.write(&bytes);
    bytes.extend_from_slice(&hasher.finish().to_le_bytes()[..AROUND.1]);
    let wake = match how % 4 {
        0 => Wake::Restart,
        1 => Wake::Sleep { elapsed: Duration::from_secs(60) },
        2 => Wake::Sleep { elapsed: Duration::MAX },
        _ => Wake::Sleep { elapsed: Duration::from_secs(u64::from(*how) << 10) },
    };
    let Ok(mut client) = Client::restore(config(), &bytes, Instant::ZERO, wake) else { return false };
    let mut device = Device::new("Example Works", "TM-1");
    let mut now = Instant::from_secs(1);
    client.network_up(now);
    for _ in 0..40 {
        while client.poll_output().is_some() {}
        while client.poll_event().is_some() {}
        now = client.poll_timeout().map_or(now, |next| next.max(now));
        if now > Instant::from_secs(3_600) {
            break;
        }
        client.handle_timeout(now, &mut device);
        assert!(client.poll_timeout().is_none_or(|next| next > now), "a deadline that does not move");
    }
    let mut flash = [0; 8_192];
    let len = client.snapshot(now, &mut flash).expect("room");
    let again = Client::restore(config(), &flash[..len], Instant::ZERO, wake).expect("what was written");
    let mut copy = [0; 8_192];
    if how % 4 == 0 {
        // What sleeps comes back older, what restarts with other counters.
        assert!(again.snapshot(Instant::ZERO, &mut copy).is_ok());
    }
    true
}
