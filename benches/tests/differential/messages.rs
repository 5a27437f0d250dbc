//! Messages to begin with, and what becomes of them when bits turn, bytes go and others come.

use benches::messages::SAMPLES;
use coap_codec::ParseErrorKind;

use super::common::vectors;

/// The vectors of the codec's tests, the eight messages of the benchmarks, those at the edges of the
/// format, and the longest values.
pub(crate) fn originals() -> Vec<Vec<u8>> {
    let vectors = vectors();
    let valid = vectors.udp_valid.into_iter().map(|vector| vector.hex.0);
    let malformed = vectors.udp_malformed.into_iter().map(|vector| vector.hex.0);
    let semantic = vectors.udp_semantic.into_iter().map(|vector| vector.hex.0);
    let samples = SAMPLES.iter().map(|sample| sample.datagram());
    valid.chain(malformed).chain(semantic).chain(samples).chain(edges()).chain(LONGEST.map(long)).collect()
}

macro_rules! datagrams {
    ($($name:ident: [$($part:expr),*] => $expected:expr;)*) => {
        vec![$({
            let _: Result<&[(u16, usize)], ParseErrorKind> = $expected;
            let parts: &[&[u8]] = &[$(&$part),*];
            parts.concat()
        }),*]
    };
}

fn edges() -> Vec<Vec<u8>> {
    edge_cases!(datagrams)
}

/// Extensions of lengths that need 16 bits and more.
const LONGEST: [u16; 3] = [65_266, 65_267, 65_535];

fn long(extension: u16) -> Vec<u8> {
    let [high, low] = extension.to_be_bytes();
    let value = vec![0; usize::from(extension) + 269];
    [&[0x40, 2, 0, 1, 0x4e, high, low][..], &value, &[0xff, b'x']].concat()
}

/// Broken messages without end, the same for the same seed.
pub(crate) struct Mutants {
    originals: Vec<Vec<u8>>,
    state: u64,
}

/// Bytes that mean something where an option may begin.
const TELLING: [u8; 16] =
    [0x00, 0x01, 0x0d, 0x0e, 0x0f, 0x10, 0xb1, 0xd0, 0xd1, 0xdd, 0xe0, 0xe1, 0xed, 0xee, 0xf0, 0xff];

impl Mutants {
    pub(crate) fn new(seed: u64) -> Self {
        Self { originals: originals(), state: seed }
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.random() % end.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        match self.below(2) {
            0 => TELLING[self.below(TELLING.len())],
            _ => self.random() as u8,
        }
    }

    fn original(&mut self) -> Vec<u8> {
        // The long ones take their time.
        let short = self.originals.len() - LONGEST.len();
        let place = if self.below(500) == 0 { short + self.below(LONGEST.len()) } else { self.below(short) };
        self.originals[place].clone()
    }

    fn mutate(&mut self, message: &mut Vec<u8>) {
        let at = self.below(message.len());
        match self.below(12) {
            0 if !message.is_empty() => message[at] ^= 1 << self.below(8),
            1 if !message.is_empty() => message[at] = self.byte(),
            2 => message.insert(at, self.byte()),
            3 => drop(message.drain(at..(at + 1 + self.below(4)).min(message.len()))),
            4 => message.truncate(at),
            5 => (0..=self.below(8)).for_each(|_| message.push(self.byte())),
            6 => {
                let again = message[at..(at + self.below(12)).min(message.len())].to_vec();
                message.splice(at..at, again);
            }
            7 if !message.is_empty() => message[0] = (message[0] & 0xf0) | self.below(16) as u8,
            8 if !message.is_empty() => message[0] ^= (self.below(4) as u8) << 6,
            9 if message.len() > 1 => message[1] = if self.below(2) == 0 { 0 } else { self.random() as u8 },
            10 => {
                let other = self.original();
                message.truncate(at);
                message.extend_from_slice(&other[self.below(other.len())..]);
            }
            // An option with a large number or value, where the options begin.
            11 if message.len() >= 4 => {
                let start = (4 + usize::from(message[0] & 0xf)).min(message.len());
                let near = self.below(3) as u8;
                let head = [[0xe0, 0xfe, 0xf1 + near], [0x0e, 0xfe, 0xf2 + near], [0xe0, 0xff, self.byte()]];
                message.splice(start..start, head[self.below(3)]);
            }
            _ => {}
        }
    }
}

impl Iterator for Mutants {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut message = self.original();
        for _ in 0..=self.below(3) {
            self.mutate(&mut message);
        }
        Some(message)
    }
}
