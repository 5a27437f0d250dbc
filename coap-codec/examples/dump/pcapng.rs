//! The pcapng format: sections of blocks, of which some are interfaces and some the packets that came by
//! them.

use crate::pcap::{Packet, word};

const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const PACKET: u32 = 6;
/// The option of an interface that names the unit of its time.
const RESOLUTION: u16 = 9;

pub(crate) struct Blocks<'a> {
    rest: &'a [u8],
    is_little: bool,
    /// Of each interface of the section the link type and the unit of time, in seconds.
    interfaces: Vec<(u32, f64)>,
}

impl<'a> Blocks<'a> {
    pub(crate) const fn new(file: &'a [u8]) -> Self {
        Self { rest: file, is_little: true, interfaces: Vec::new() }
    }

    /// Type and body of the next block.
    fn block(&mut self) -> Option<(u32, &'a [u8])> {
        if self.rest.starts_with(&SECTION) {
            self.is_little = *self.rest.get(8..12)? == [0x4d, 0x3c, 0x2b, 0x1a];
            self.interfaces.clear();
        }
        let kind = self.word(self.rest, 0)?;
        // It counts itself, the type before it, and once more itself at the end.
        let length = self.word(self.rest, 4)? as usize;
        let body = self.rest.get(8..length.checked_sub(4)?)?;
        self.rest = self.rest.get(length.next_multiple_of(4)..)?;
        Some((kind, body))
    }

    fn interface(&self, body: &[u8]) -> Option<(u32, f64)> {
        let mut unit = 1e-6;
        let mut at = 8;
        while let (Some(option), Some(length)) = (self.half(body, at), self.half(body, at + 2)) {
            if option == RESOLUTION {
                let power = *body.get(at + 4)?;
                let base: f64 = if power < 0x80 { 10.0 } else { 2.0 };
                unit = base.powi(-i32::from(power & 0x7f));
            }
            at += 4 + usize::from(length).next_multiple_of(4);
        }
        Some((self.half(body, 0)?.into(), unit))
    }

    fn packet(&self, body: &'a [u8]) -> Option<Packet<'a>> {
        let (link_type, unit) = *self.interfaces.get(self.word(body, 0)? as usize)?;
        let time = (u64::from(self.word(body, 4)?) << 32) | u64::from(self.word(body, 8)?);
        let bytes = body.get(20..)?.get(..self.word(body, 12)? as usize)?;
        Some(Packet { seconds: time as f64 * unit, link_type, bytes })
    }

    /// It came by the first interface, at no time that is known.
    fn simple_packet(&self, body: &'a [u8]) -> Option<Packet<'a>> {
        let (link_type, _) = *self.interfaces.first()?;
        let (length, bytes) = (self.word(body, 0)? as usize, body.get(4..)?);
        Some(Packet { seconds: 0.0, link_type, bytes: bytes.get(..length).unwrap_or(bytes) })
    }

    fn word(&self, bytes: &[u8], at: usize) -> Option<u32> {
        word(self.is_little, bytes, at)
    }

    fn half(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        loop {
            match self.block()? {
                (INTERFACE, body) => {
                    let interface = self.interface(body)?;
                    self.interfaces.push(interface);
                }
                (PACKET, body) => return self.packet(body),
                (SIMPLE_PACKET, body) => return self.simple_packet(body),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::pcap::packets;
    use crate::pcap::tests::{Rows, frame};

    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let body = [body, &[0; 3][..body.len().next_multiple_of(4) - body.len()]].concat();
        let length = u32::try_from(12 + body.len()).unwrap().to_be_bytes();
        [&kind.to_be_bytes()[..], &length, &body, &length].concat()
    }

    /// A capture of Ethernet frames with IPv4, big endian, its time in nanoseconds.
    pub(crate) fn capture(rows: Rows<'_>) -> Vec<u8> {
        let section = [&[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0][..], &[0xff; 8]].concat();
        let interface = [0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0];
        let mut file = [block(u32::from_be_bytes(SECTION), &section), block(INTERFACE, &interface)].concat();
        for (seconds, from, to, payload) in rows {
            // One that says nothing of packets is passed over.
            file.extend(block(5, &[0; 4]));
            let frame = frame(*from, *to, payload);
            let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
            let time = ((seconds * 1e9) as u64).to_be_bytes();
            file.extend(block(PACKET, &[&[0; 4][..], &time, &length, &length, &frame].concat()));
        }
        file
    }

    #[test]
    fn a_capture_that_is_cut_off_or_broken_ends_there() {
        let rows: Rows<'_> = &[(0.5, 1, 2, b"a"), (1.0, 1, 2, b"b")];
        let file = capture(rows);
        let mut last = 0;
        for length in 4..=file.len() {
            let whole = packets(&file[..length]).unwrap().filter_map(|packet| packet.udp()).count();
            assert!(whole >= last);
            last = whole;
        }
        assert_eq!(last, 2);
        for at in 0..file.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut broken = file.clone();
                broken[at] = byte;
                assert!(packets(&broken).is_none_or(|packets| packets.count() <= 2));
            }
        }
    }

    #[test]
    fn a_packet_without_a_time_is_one_of_the_first_interface() {
        let mut file = capture(&[]);
        let frame = frame(1, 2, b"a");
        file.extend(block(SIMPLE_PACKET, &[&u32::try_from(frame.len()).unwrap().to_be_bytes()[..], &frame].concat()));
        let packet = packets(&file).unwrap().next().unwrap();
        assert_eq!(packet.udp().unwrap().payload, b"a");
    }
}
