//! What was sent and received, for Wireshark: pcapng (draft-ietf-opsawg-pcapng) with IP packets, the hosts' names and,
//! beside what was lost on its way, a remark. Deciphered datagrams are there in the clear, on the port of `coap`.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};

use lwm2m_core::Instant;

use crate::view::{Datagram, Passage};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const NAMES: u32 = 4;
const PACKET: u32 = 6;
/// IP packets without anything before them.
const RAW_IP: u16 = 101;
/// The option of any block that says something to people.
const COMMENT: u16 = 1;
const UDP: u8 = 17;

/// Where a datagram went from and to, when there are real sockets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) terminal: SocketAddr,
    pub(crate) server: SocketAddr,
    /// Whether it was in a DTLS record.
    pub(crate) secure: bool,
}

/// The terminal of a life in virtual time; it is the address that its object 4 tells.
const TERMINAL: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 7), 49_152);
/// The port of `coap` (RFC 7252, 12.6).
const COAP: u16 = 5_683;

/// A file that grows with the run.
#[derive(Debug)]
pub(crate) struct Capture<W = File> {
    out: W,
    /// When the run began, since 1970.
    origin: Duration,
    /// Hosts that have been named, and the addresses of those that have none.
    hosts: BTreeMap<String, IpAddr>,
}

impl<W: Write> Capture<W> {
    pub(crate) fn new(mut out: W, origin: Duration) -> io::Result<Self> {
        // The bytes' order, version 1.0, and nothing of how long it will be.
        let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &1u32.to_le_bytes(), &[0xff; 8]].concat();
        block(&mut out, SECTION, &section)?;
        block(&mut out, INTERFACE, &[&u32::from(RAW_IP).to_le_bytes()[..], &[0; 4]].concat())?;
        Ok(Self { out, origin, hosts: BTreeMap::new() })
    }

    /// A datagram; one that never came here was not received, and is left out.
    pub(crate) fn datagram(&mut self, at: Instant, datagram: &Datagram<'_>) -> io::Result<()> {
        let mut comment = match &datagram.passage {
            Passage::Stopped(_) if !datagram.out => return Ok(()),
            Passage::Stopped(why) => why.clone(),
            Passage::Arrives => String::new(),
        };
        let mut ends = datagram.ends.unwrap_or_else(|| self.invented(datagram.host));
        self.name(datagram.host, ends.server.ip())?;
        if ends.secure {
            comment = format!(
                "in DTLS, port {}; deciphered{}{comment}",
                ends.server.port(),
                [", ", ""][usize::from(comment.is_empty())]
            );
            ends.server.set_port(COAP);
        }
        let (from, to) = if datagram.out { (ends.terminal, ends.server) } else { (ends.server, ends.terminal) };
        let packet = packet(from, to, datagram.bytes);
        let micros = (self.origin + Duration::from_millis(at.as_millis())).as_micros() as u64;
        let length = (packet.len() as u32).to_le_bytes();
        let mut body = vec![0; 4];
        body.extend(((micros >> 32) as u32).to_le_bytes());
        body.extend((micros as u32).to_le_bytes());
        body.extend([length, length].concat());
        body.extend(padded(packet));
        if !comment.is_empty() {
            option(&mut body, COMMENT, comment.as_bytes());
            option(&mut body, 0, b"");
        }
        block(&mut self.out, PACKET, &body)
    }

    /// Says once what a host is called.
    fn name(&mut self, host: &str, address: IpAddr) -> io::Result<()> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        if name.parse::<IpAddr>().is_ok() || self.hosts.get(name) == Some(&address) {
            return Ok(());
        }
        self.hosts.insert(name.into(), address);
        let (kind, bytes) = match address {
            IpAddr::V4(address) => (1, address.octets().to_vec()),
            IpAddr::V6(address) => (2, address.octets().to_vec()),
        };
        let mut body = Vec::new();
        option(&mut body, kind, &[&bytes[..], name.as_bytes(), b"\0"].concat());
        option(&mut body, 0, b"");
        block(&mut self.out, NAMES, &body)
    }

    /// Addresses of servers that have none: one of those that are for documentation (RFC 5737).
    fn invented(&self, host: &str) -> Ends {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let free = IpAddr::from([192, 0, 2, 1 + self.hosts.len() as u8 % 254]);
        let server = self.hosts.get(name).copied().unwrap_or(free);
        Ends { terminal: TERMINAL.into(), server: (server, COAP).into(), secure: false }
    }
}

/// A block: its kind and, before and behind what is in it, its length.
fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.write_all(&[&kind.to_le_bytes()[..], &length, body, &length].concat())
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(padded(value.to_vec()));
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// An IP packet with a UDP datagram (RFC 768; RFC 791, RFC 8200).
fn packet(from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16 + 8;
    let mut udp = [from.port(), to.port(), length, 0].map(u16::to_be_bytes).concat();
    udp.extend(bytes);
    let (header, addresses) = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let addresses = [from.octets(), to.octets()].concat();
            let mut header = vec![0x45, 0];
            header.extend((length + 20).to_be_bytes());
            header.extend([0, 0, 0x40, 0, 64, UDP, 0, 0]);
            header.extend(&addresses);
            let sum = checksum(&header).to_be_bytes();
            header[10..12].copy_from_slice(&sum);
            (header, addresses)
        }
        (from, to) => {
            let v6 = |address| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            };
            let addresses = [v6(from), v6(to)].concat();
            let mut header = vec![0x60, 0, 0, 0];
            header.extend(length.to_be_bytes());
            header.extend([UDP, 64]);
            header.extend(&addresses);
            (header, addresses)
        }
    };
    let pseudo = [&addresses[..], &[0, UDP], &length.to_be_bytes(), &udp].concat();
    // Zero would say that there is none.
    let sum = match checksum(&pseudo) {
        0 => 0xffff,
        sum => sum,
    };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    [header, udp].concat()
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |byte| u32::from(*byte)));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(datagrams: &[(bool, Passage, Option<Ends>)]) -> Vec<u8> {
        let mut capture = Capture::new(Vec::new(), Duration::from_secs(1)).unwrap();
        for (number, (out, passage, ends)) in (1..).zip(datagrams) {
            let (out, passage, ends) = (*out, passage.clone(), *ends);
            let datagram = Datagram { number, out, peer: None, host: "dm:5683", ends, bytes: b"\x40\0\0\x01", passage };
            capture.datagram(Instant::from_secs(2), &datagram).unwrap();
        }
        capture.out
    }

    /// Kinds and lengths of the blocks; every one ends with its length.
    fn blocks(mut file: &[u8]) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        while !file.is_empty() {
            let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
            let length = word(4) as usize;
            assert!(length.is_multiple_of(4) && word(length - 4) as usize == length);
            found.push((word(0), length));
            file = &file[length..];
        }
        found
    }

    #[test]
    fn what_was_sent_is_there_and_what_was_not_received_is_not() {
        let lost = || Passage::Stopped("lost".into());
        let file = captured(&[(true, lost(), None), (false, lost(), None), (false, Passage::Arrives, None)]);
        // A packet is 20 + 8 + 4 bytes, and the remark 4 + 4, with an end of 4.
        let [v4, remark] = [12 + 20 + 32, 12];
        assert_eq!(blocks(&file), [(SECTION, 28), (INTERFACE, 20), (NAMES, 28), (PACKET, v4 + remark), (PACKET, v4)]);
    }

    #[test]
    fn checksums_add_up_to_nothing() {
        let [v4, v6] = [["10.0.0.7:1", "192.0.2.1:5683"], ["[::1]:1", "[::2]:5683"]].map(|ends| {
            let [from, to] = ends.map(|end| end.parse().unwrap());
            packet(from, to, b"odd")
        });
        assert_eq!(checksum(&v4[..20]), 0);
        // Addresses, protocol and length stand before the datagram for its checksum.
        assert_eq!(checksum(&[&v4[12..20], &[0, UDP, 0, 11], &v4[20..]].concat()), 0);
        assert_eq!(checksum(&[&v6[8..40], &[0, UDP, 0, 11], &v6[40..]].concat()), 0);
    }

    #[test]
    fn what_was_deciphered_is_on_the_port_of_coap() {
        let [terminal, server] = ["127.0.0.1:40000", "127.0.0.1:5684"].map(|end| end.parse().unwrap());
        let file = captured(&[(true, Passage::Arrives, Some(Ends { terminal, server, secure: true }))]);
        let ports = [40_000u16, COAP].map(u16::to_be_bytes).concat();
        assert!(file.windows(4).any(|bytes| bytes == ports));
        assert!(String::from_utf8_lossy(&file).contains("in DTLS, port 5684; deciphered"));
    }
}
