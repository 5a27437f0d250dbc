//! Tells whether an answer is another one than before, without keeping it.

use super::Encode;
use crate::base::mixer::Mixer;
use crate::base::path::Leaf;
use crate::base::value::{Sink, Stop, Value};

/// Keeps 64 bits of what it was given. Equal answers give equal digests; the types of values and
/// the structure around them count too.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    mixer: Mixer,
}

/// Bytes of opaque data that are looked at in one go.
const WINDOW: usize = 64;

/// What a number that is mixed in tells. Every part has a fixed number of them or says its length first,
/// so that no two answers give the same ones.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Part {
    Instance,
    Multiple,
    Close,
    Index,
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
    pub(crate) const fn new() -> Self {
        Self { mixer: Mixer::new() }
    }

    /// The 64 bits.
    pub(crate) const fn finish(&self) -> u64 {
        self.mixer.finish()
    }

    /// A part, and what fits beside it.
    const fn part(&mut self, part: Part, object: u16, instance: u16, resource: u16) {
        let at = (object as u64) << 32 | (instance as u64) << 16 | resource as u64;
        self.mixer.number((part as u64) << 48 | at);
    }

    fn leaf(&mut self, part: Part, at: Leaf) {
        self.part(part, at.object, at.instance, at.resource);
        if let Some(index) = at.index {
            self.part(Part::Index, 0, 0, index);
        }
    }
}

impl Sink for Digest {
    fn value(&mut self, at: Leaf, value: Value<'_>) -> Result<(), Stop> {
        let (part, number) = match value {
            Value::Str(text) => (Part::Str, Err(text.as_bytes())),
            Value::Corelnk(text) => (Part::Corelnk, Err(text.as_bytes())),
            Value::Opaque(bytes) => (Part::Opaque, Err(bytes)),
            Value::Int(number) => (Part::Int, Ok(number.cast_unsigned())),
            Value::Time(seconds) => (Part::Time, Ok(seconds.cast_unsigned())),
            Value::Uint(number) => (Part::Uint, Ok(number)),
            Value::Float(number) => (Part::Float, Ok(number.to_bits())),
            Value::Bool(truth) => (Part::Bool, Ok(u64::from(truth))),
            Value::Link(object, instance) => (Part::Link, Ok(u64::from(object) << 16 | u64::from(instance))),
        };
        self.leaf(part, at);
        match number {
            Ok(number) => self.mixer.number(number),
            Err(bytes) => self.mixer.counted(bytes),
        }
        Ok(())
    }

    fn opaque(&mut self, at: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.leaf(Part::Opaque, at);
        self.mixer.number(len as u64);
        let mut window = [0; WINDOW];
        for offset in (0..len).step_by(WINDOW) {
            let length = len.saturating_sub(offset).min(WINDOW);
            let window = window.get_mut(..length).unwrap_or_default();
            fill(offset, window);
            self.mixer.bytes(window);
        }
        Ok(())
    }
}

impl Encode for Digest {
    fn open_instance(&mut self, id: u16) -> Result<(), Stop> {
        self.part(Part::Instance, 0, id, 0);
        Ok(())
    }

    fn open_multiple(&mut self, resource: u16) -> Result<(), Stop> {
        self.part(Part::Multiple, 0, 0, resource);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        self.part(Part::Close, 0, 0, 0);
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
            Value::Link(1, 0),
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
        // The numbers 5 << 48 | 3 << 32 and 100, computed elsewhere.
        assert_eq!(digest(|digest| digest.value(AT, Value::Int(100))), 0xEC11_1E91_5E28_623E);
    }
}
