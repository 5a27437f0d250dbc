//! A datagram read in the plainest way, sentence by sentence of RFC 7252 §3: slow, and noting all that
//! is wrong. It shares no line with the codec, and decides who is right.

use super::readers::Reading;

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    TooShort,
    Version,
    TokenLength,
    TokenTruncated,
    EmptyWithToken,
    EmptyWithBody,
    ReservedNibble,
    ExtensionTruncated,
    ValueTruncated,
    NumberAbove,
    MarkerAlone,
}

/// What there is to see in a datagram.
pub(crate) struct Shape {
    pub(crate) faults: Vec<Fault>,
    /// What it says, if there is no fault.
    pub(crate) reading: Option<Reading>,
    /// The longest value that was met.
    pub(crate) longest: usize,
    /// Whether a delta or length above 65535 was met: 16 bits do not hold it.
    pub(crate) wide: bool,
}

impl Shape {
    pub(crate) fn of(datagram: &[u8]) -> Self {
        let mut shape = Self { faults: Vec::new(), reading: None, longest: 0, wide: false };
        let read = shape.read(datagram);
        shape.reading = read.filter(|_| shape.faults.is_empty());
        shape
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// Whether all that is wrong with it is among these.
    pub(crate) fn only(&self, faults: &[Fault]) -> bool {
        self.faults.iter().all(|fault| faults.contains(fault))
    }

    fn stop<T>(&mut self, fault: Fault) -> Option<T> {
        self.faults.push(fault);
        None
    }

    fn read(&mut self, datagram: &[u8]) -> Option<Reading> {
        if datagram.len() < 4 {
            return self.stop(Fault::TooShort);
        }
        let token_length = usize::from(datagram[0] & 0b1111);
        let code = datagram[1];
        if datagram[0] >> 6 != 1 {
            self.faults.push(Fault::Version);
        }
        if token_length > 8 {
            self.faults.push(Fault::TokenLength);
        }
        if code == 0 && token_length > 0 {
            self.faults.push(Fault::EmptyWithToken);
        }
        if 4 + token_length > datagram.len() {
            return self.stop(Fault::TokenTruncated);
        }
        let mut at = 4 + token_length;
        if code == 0 && at < datagram.len() {
            self.faults.push(Fault::EmptyWithBody);
        }
        let mut options = Vec::new();
        let mut number = 0;
        let mut payload = Vec::new();
        while at < datagram.len() {
            let head = datagram[at];
            at += 1;
            if head == 0b1111_1111 {
                payload = datagram[at..].to_vec();
                if payload.is_empty() {
                    self.faults.push(Fault::MarkerAlone);
                }
                break;
            }
            number += self.extended(head >> 4, datagram, &mut at)?;
            let length = self.extended(head & 0b1111, datagram, &mut at)?;
            if at + length > datagram.len() {
                return self.stop(Fault::ValueTruncated);
            }
            options.push((number, datagram[at..at + length].to_vec()));
            at += length;
            self.longest = self.longest.max(length);
        }
        if number > 65_535 {
            self.faults.push(Fault::NumberAbove);
        }
        Some(Reading {
            message_type: datagram[0] >> 4 & 0b11,
            code,
            message_id: u16::from(datagram[2]) * 256 + u16::from(datagram[3]),
            token: datagram[4..4 + token_length].to_vec(),
            options,
            payload,
        })
    }

    fn extended(&mut self, nibble: u8, datagram: &[u8], at: &mut usize) -> Option<usize> {
        let (base, length) = match nibble {
            0..=12 => (usize::from(nibble), 0),
            13 => (13, 1),
            14 => (269, 2),
            _ => return self.stop(Fault::ReservedNibble),
        };
        let Some(bytes) = datagram.get(*at..*at + length) else {
            return self.stop(Fault::ExtensionTruncated);
        };
        *at += length;
        let value = base + bytes.iter().fold(0, |value, byte| value * 256 + usize::from(*byte));
        self.wide |= value > 65_535;
        Some(value)
    }
}
