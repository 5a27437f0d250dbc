//! Tells whether an answer is another one than before, without keeping it.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;

use super::Encode;
use crate::base::path::Leaf;
use crate::base::value::{Sink, Stop, Value};

/// Keeps 64 bits of what it was given. Equal answers give equal digests; the types of values and
/// the structure around them count too.
///
/// The key is fixed, since all it has to notice is change: whoever can choose values so that two
/// answers collide can as well send the same value twice.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    hasher: SipHasher24,
}

/// Bytes of opaque data that are looked at in one go.
const WINDOW: usize = 64;

/// What follows in the hashed bytes. Every part has a fixed length or says its length first, so
/// that no two answers give the same bytes.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Part {
    Instance,
    Multiple,
    Close,
    Value,
    ValueAtIndex,
    Str,
    Int,
    Uint,
    Float,
    Bool,
    Opaque,
    Time,
    Link,
    Corelnk,
}

impl Digest {
    pub(crate) fn new() -> Self {
        Self { hasher: SipHasher24::new_with_key(&[0; 16]) }
    }

    /// The 64 bits.
    pub(crate) fn finish(self) -> u64 {
        self.hasher.finish()
    }

    fn part<const N: usize>(&mut self, part: Part, bytes: [u8; N]) {
        self.hasher.write(&[part as u8]);
        self.hasher.write(&bytes);
    }

    fn leaf(&mut self, at: Leaf) {
        let [[a, b], [c, d], [e, f]] = [at.object, at.instance, at.resource].map(u16::to_be_bytes);
        self.part(Part::Value, [a, b, c, d, e, f]);
        if let Some(index) = at.index {
            self.part(Part::ValueAtIndex, index.to_be_bytes());
        }
    }

    fn bytes(&mut self, part: Part, bytes: &[u8]) {
        self.length(part, bytes.len());
        self.hasher.write(bytes);
    }

    fn length(&mut self, part: Part, length: usize) {
        // The same on every machine, whatever the width of its addresses.
        self.part(part, u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    }
}

impl Sink for Digest {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        self.leaf(at);
        match value {
            Value::Str(text) => self.bytes(Part::Str, text.as_bytes()),
            Value::Int(number) => self.part(Part::Int, number.to_be_bytes()),
            Value::Uint(number) => self.part(Part::Uint, number.to_be_bytes()),
            Value::Float(number) => self.part(Part::Float, number.to_bits().to_be_bytes()),
            Value::Bool(truth) => self.part(Part::Bool, [u8::from(truth)]),
            Value::Opaque(bytes) => self.bytes(Part::Opaque, bytes),
            Value::Time(seconds) => self.part(Part::Time, seconds.to_be_bytes()),
            Value::Link(object, instance) => {
                let [[a, b], [c, d]] = [object, instance].map(u16::to_be_bytes);
                self.part(Part::Link, [a, b, c, d]);
            }
            Value::Corelnk(text) => self.bytes(Part::Corelnk, text.as_bytes()),
        }
        Ok(())
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.leaf(at);
        self.length(Part::Opaque, len);
        let mut window = [0; WINDOW];
        for offset in (0..len).step_by(WINDOW) {
            let length = len.saturating_sub(offset).min(WINDOW);
            let window = window.get_mut(..length).unwrap_or_default();
            fill(offset, window);
            self.hasher.write(window);
        }
        Ok(())
    }
}

impl Encode for Digest {
    fn open_instance(&mut self, id: u16) -> Result<(), Stop> {
        self.part(Part::Instance, id.to_be_bytes());
        Ok(())
    }

    fn open_multiple(&mut self, resource: u16) -> Result<(), Stop> {
        self.part(Part::Multiple, resource.to_be_bytes());
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        self.part(Part::Close, []);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    const AT: Leaf = Leaf::new(3, 0, 0);

    fn digest(write: impl FnOnce(&mut Digest) -> Result<(), Stop>) -> u64 {
        let mut digest = Digest::new();
        write(&mut digest).unwrap();
        digest.finish()
    }

    #[test]
    fn whatever_differs_has_another_digest() {
        let mut digests: Vec<u64> = [
            Value::Str(""),
            Value::Str("\0"),
            Value::Corelnk(""),
            Value::Opaque(&[]),
            Value::Opaque(&[0]),
            Value::Opaque(&[0, 0]),
            Value::Int(0),
            Value::Int(1),
            Value::Uint(0),
            Value::Time(0),
            Value::Float(0.0),
            Value::Bool(false),
            Value::Bool(true),
            Value::Link(0, 0),
            Value::Link(0, 1),
        ]
        .into_iter()
        .map(|value| digest(|digest| digest.value(AT, value)))
        .collect();
        let zero = Value::Int(0);
        digests.extend([
            digest(|_| Ok(())),
            digest(|digest| digest.value(AT.at(0), zero)),
            digest(|digest| digest.value(Leaf::new(3, 0, 1), zero)),
            digest(|digest| digest.value(Leaf::new(3, 1, 0), zero)),
            digest(|digest| digest.value(AT, zero).and_then(|()| digest.value(AT, zero))),
            digest(|digest| digest.open_multiple(0)),
            digest(|digest| digest.open_multiple(0).and_then(|()| digest.close())),
            digest(|digest| digest.open_instance(0).and_then(|()| digest.close())),
            digest(|digest| {
                digest.open_multiple(0).and_then(|()| digest.value(AT.at(0), zero)).and_then(|()| digest.close())
            }),
            digest(|digest| {
                digest.open_multiple(0).and_then(|()| digest.close()).and_then(|()| digest.value(AT.at(0), zero))
            }),
        ]);
        assert_eq!(digests.iter().collect::<BTreeSet<_>>().len(), digests.len());
    }

    #[test]
    fn bytes_that_are_made_on_the_way_count_as_if_they_lay_in_memory() {
        let bytes: Vec<u8> = (0..200).collect();
        for length in [0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 200] {
            let bytes = &bytes[..length];
            let mut fill = |offset: usize, window: &mut [u8]| window.copy_from_slice(&bytes[offset..][..window.len()]);
            assert_eq!(
                digest(|digest| digest.opaque(AT, length, &mut fill)),
                digest(|digest| digest.value(AT, Value::Opaque(bytes)))
            );
        }
    }

    #[test]
    fn a_digest_means_the_same_in_every_build() {
        // SipHash-2-4 of 03 0003 0000 0000 06 0000000000000064, computed elsewhere.
        assert_eq!(digest(|digest| digest.value(AT, Value::Int(100))), 8_681_624_202_608_116_890);
    }
}
