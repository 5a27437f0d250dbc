//! As much of the pcap format, and of the layers below UDP, as it takes to find datagrams.

use core::net::{IpAddr, SocketAddr};

use crate::pcapng::Blocks;

/// A packet as it was captured.
pub(crate) struct Packet<'a> {
    /// Since the epoch of the capture.
    pub(crate) seconds: f64,
    pub(crate) link_type: u32,
    pub(crate) bytes: &'a [u8],
}

/// A UDP datagram that is whole in its packet.
pub(crate) struct Udp<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) payload: &'a [u8],
}

/// The packets of a capture, as far as it is whole.
pub(crate) type Packets<'a> = Box<dyn Iterator<Item = Packet<'a>> + 'a>;

/// `None` if the bytes are no such file.
pub(crate) fn packets(file: &[u8]) -> Option<Packets<'_>> {
    let (magic, _) = file.split_first_chunk()?;
    // Microseconds or nanoseconds, in the byte order of the one or the other machine.
    let (is_little, unit) = match magic {
        [0x0a, 0x0d, 0x0d, 0x0a] => return Some(Box::new(Blocks::new(file))),
        [0xd4, 0xc3, 0xb2, 0xa1] => (true, 1e-6),
        [0x4d, 0x3c, 0xb2, 0xa1] => (true, 1e-9),
        [0xa1, 0xb2, 0xc3, 0xd4] => (false, 1e-6),
        [0xa1, 0xb2, 0x3c, 0x4d] => (false, 1e-9),
        _ => return None,
    };
    let link_type = word(is_little, file, 20)? & 0x0fff_ffff;
    let mut rest = file.get(24..)?;
    Some(Box::new(core::iter::from_fn(move || {
        let seconds = f64::from(word(is_little, rest, 0)?) + f64::from(word(is_little, rest, 4)?) * unit;
        let length = usize::try_from(word(is_little, rest, 8)?).ok()?;
        let (bytes, after) = rest.get(16..)?.split_at_checked(length)?;
        rest = after;
        Some(Packet { seconds, link_type, bytes })
    })))
}

pub(crate) fn word(is_little: bool, bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}

impl<'a> Packet<'a> {
    pub(crate) fn udp(&self) -> Option<Udp<'a>> {
        let ip = match self.link_type {
            // BSD loopback, Ethernet, raw IP, Linux "any" in its two forms.
            0 | 108 => self.bytes.get(4..)?,
            1 => ethernet(self.bytes)?,
            12 | 14 | 101 => self.bytes,
            113 => self.bytes.get(16..)?,
            276 => self.bytes.get(20..)?,
            _ => return None,
        };
        let (from, to, udp) = match ip.first()? >> 4 {
            4 => ipv4(ip)?,
            6 => ipv6(ip)?,
            _ => return None,
        };
        let length = usize::from(u16_at(udp, 4)?);
        Some(Udp {
            from: SocketAddr::new(from, u16_at(udp, 0)?),
            to: SocketAddr::new(to, u16_at(udp, 2)?),
            payload: udp.get(8..length)?,
        })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// What is in a frame, past the tags of virtual networks.
fn ethernet(frame: &[u8]) -> Option<&[u8]> {
    let mut at = 12;
    while matches!(u16_at(frame, at)?, 0x8100 | 0x88a8) {
        at += 4;
    }
    matches!(u16_at(frame, at)?, 0x0800 | 0x86dd).then(|| frame.get(at + 2..))?
}

/// Addresses and content of a packet that carries UDP and is no later fragment.
fn ipv4(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let is_first = u16_at(packet, 6)? & 0x1fff == 0;
    let address = |at: usize| Some(IpAddr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?));
    (is_first && *packet.get(9)? == 17).then_some(())?;
    Some((address(12)?, address(16)?, packet.get(header..)?))
}

/// The same, without extension headers.
fn ipv6(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let address = |at: usize| Some(IpAddr::from(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?));
    (*packet.get(6)? == 17).then_some(())?;
    Some((address(8)?, address(24)?, packet.get(40..)?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Time, ports and payload of each packet.
    pub(crate) type Rows<'a> = &'a [(f64, u16, u16, &'a [u8])];

    /// A capture of Ethernet frames with IPv4.
    pub(crate) fn capture(packets: Rows<'_>) -> Vec<u8> {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
        for (seconds, from, to, payload) in packets {
            let frame = frame(*from, *to, payload);
            let length = u32::try_from(frame.len()).unwrap();
            let micros = (seconds.fract() * 1e6) as u32;
            for word in [*seconds as u32, micros, length, length] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
        file
    }

    pub(crate) fn frame(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        for half in [from, to, u16::try_from(8 + payload.len()).unwrap(), 0] {
            frame.extend(half.to_be_bytes());
        }
        frame.extend(payload);
        frame
    }

    #[test]
    fn a_capture_that_is_cut_off_ends_with_its_last_whole_packet() {
        let file = capture(&[(0.0, 1, 2, b"a"), (0.0, 1, 2, b"b")]);
        for length in 24..=file.len() {
            let whole = packets(&file[..length]).unwrap().filter_map(|packet| packet.udp()).count();
            assert_eq!(whole, (length - 24) / 59);
        }
        assert!(packets(b"41012001").is_none());
        assert!(packets(b"").is_none());
    }
}
