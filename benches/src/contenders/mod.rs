//! Who is measured: each in a module of its own, all with the same three operations.
//!
//! - *parse*: all option headers and the payload marker are checked, and there is a message value.
//!   Lazy codecs walk over the options once.
//! - *look up*: besides, each Uri-Path and Uri-Query, the Content-Format and the payload go to a
//!   `Sink`.
//! - *build*: from [`Parts`] to a datagram.

mod by_hand;
mod nothing;
mod ours;
#[cfg(feature = "peers")]
mod peers;

use crate::messages::{CONTENT_FORMAT, Parts, URI_PATH, URI_QUERY};

/// A codec, or something to compare codecs with.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// As the tables name it, with its version.
    pub name: &'static str,
    /// Whether it does the work, so that its results can be compared.
    pub is_codec: bool,
    /// True if the datagram is a message.
    pub parse: fn(&[u8]) -> bool,
    /// What came together in the sink.
    pub look_up: fn(&[u8]) -> u64,
    /// How long the datagram is that was written.
    pub build: fn(&Parts, &mut [u8]) -> usize,
}

/// All that this build can measure, ours first.
pub const CONTENDERS: &[Contender] = &[
    ours::CONTENDER,
    by_hand::CONTENDER,
    nothing::NOTHING,
    nothing::MEMCPY,
    #[cfg(feature = "peers")]
    peers::minicoap::CONTENDER,
    #[cfg(feature = "peers")]
    peers::message_implementations::CONTENDER,
    #[cfg(feature = "peers")]
    peers::coap_lite::CONTENDER,
    #[cfg(feature = "peers")]
    peers::toad_msg::CONTENDER,
];

/// Takes what a lookup finds, and little of it: its length and its first byte.
#[derive(Clone, Copy, Debug, Default)]
struct Sink(u64);

impl Sink {
    #[inline(always)]
    fn take(&mut self, bytes: &[u8]) {
        let first = bytes.first().copied().unwrap_or_default();
        self.0 = self.0.rotate_left(7) ^ (bytes.len() as u64) ^ (u64::from(first) << 32);
    }

    #[inline(always)]
    fn option(&mut self, number: u16, value: &[u8]) {
        if matches!(number, URI_PATH | CONTENT_FORMAT | URI_QUERY) {
            self.take(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{BUFFER_LEN, SAMPLES};

    #[test]
    fn all_contenders_do_the_same_work() {
        for sample in SAMPLES {
            let datagram = sample.datagram();
            let mut sink = Sink::default();
            for &(number, value) in sample.parts.options {
                sink.option(number, value);
            }
            sink.take(sample.parts.payload);
            for contender in CONTENDERS.iter().filter(|contender| contender.is_codec) {
                let name = contender.name;
                assert!((contender.parse)(&datagram), "{name} {}", sample.name);
                assert_eq!((contender.look_up)(&datagram), sink.0, "{name} {}", sample.name);
                let mut buffer = [0; BUFFER_LEN];
                let length = (contender.build)(&sample.parts, &mut buffer);
                assert_eq!(buffer.get(..length), Some(&*datagram), "{name} {}", sample.name);
            }
        }
    }
}
