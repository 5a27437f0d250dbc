//! Accounts as the bootstrap server hands them out, in a TLV writer of the platform's own.

use alloc::vec::Vec;

use super::DmServer;
use crate::base::config::Credentials;

/// Writes TLV, resource by resource (OMA LwM2M 1.0, 6.4.3).
///
/// ```
/// use lwm2m_core::sim::Tlv;
///
/// let server = Tlv::new().integer(0, 1).integer(1, 86_400).boolean(6, true).text(7, "U");
/// assert_eq!(server.bytes(), [0xc1, 0, 1, 0xc4, 1, 0, 1, 0x51, 0x80, 0xc1, 6, 1, 0xc1, 7, b'U']);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tlv {
    bytes: Vec<u8>,
}

impl Tlv {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// What was written.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds a resource with the bytes of its value.
    #[must_use]
    pub fn resource(self, id: u16, value: &[u8]) -> Self {
        self.element(3, id, value)
    }

    /// Adds a resource that is an Integer or a Time.
    #[must_use]
    pub fn integer(self, id: u16, value: i64) -> Self {
        let bytes = value.to_be_bytes();
        let width = match value {
            -0x80..=0x7f => 1,
            -0x8000..=0x7fff => 2,
            -0x8000_0000..=0x7fff_ffff => 4,
            _ => 8,
        };
        self.element(3, id, bytes.get(8 - width..).unwrap_or_default())
    }

    /// Adds a resource that is a Boolean.
    #[must_use]
    pub fn boolean(self, id: u16, value: bool) -> Self {
        self.element(3, id, &[u8::from(value)])
    }

    /// Adds a resource that is a String.
    #[must_use]
    pub fn text(self, id: u16, value: &str) -> Self {
        self.element(3, id, value.as_bytes())
    }

    /// Adds a multiple resource with the bytes of each instance's value.
    #[must_use]
    pub fn multiple(self, id: u16, values: &[(u16, &[u8])]) -> Self {
        let instances = values.iter().fold(Self::new(), |tlv, (index, value)| tlv.element(1, *index, value));
        self.element(2, id, &instances.bytes)
    }

    /// Adds an Object Instance with its resources.
    #[must_use]
    pub fn instance(self, id: u16, resources: &Self) -> Self {
        self.element(0, id, &resources.bytes)
    }

    fn element(mut self, kind: u8, id: u16, value: &[u8]) -> Self {
        let (wide_id, length) = (id > 0xff, value.len() as u32);
        let (length_bits, width) = match length {
            0..=7 => (length as u8, 0),
            8..=0xff => (1 << 3, 1),
            0x100..=0xffff => (2 << 3, 2),
            _ => (3 << 3, 3),
        };
        self.bytes.push(kind << 6 | u8::from(wide_id) << 5 | length_bits);
        self.bytes.extend(id.to_be_bytes().iter().skip(usize::from(!wide_id)));
        self.bytes.extend(length.to_be_bytes().iter().skip(4 - width));
        self.bytes.extend(value);
        self
    }
}

/// An instance of Access Control that gives `everybody` else these rights (Appendix D.1.3).
pub(super) fn access((object, instance): (u16, u16), owner: u16, everybody: u8) -> Tlv {
    let tlv = Tlv::new().integer(0, i64::from(object)).integer(1, i64::from(instance));
    let tlv = if everybody == 0 { tlv } else { tlv.multiple(2, &[(0, &[everybody])]) };
    tlv.integer(3, i64::from(owner))
}

/// The Security instance of a server's account (Appendix D.1.1).
pub(super) fn security(server: &DmServer) -> Tlv {
    let (mode, identity, key) = match &server.credentials {
        Credentials::NoSec => (3, &[][..], &[][..]),
        Credentials::Psk { identity, key } => (0, &**identity, &**key),
    };
    Tlv::new()
        .text(0, server.uri())
        .boolean(1, false)
        .integer(2, mode)
        .resource(3, identity)
        .resource(4, &[])
        .resource(5, key)
        .integer(10, i64::from(server.short_server_id))
}

/// The Server instance of a server's account (Appendix D.1.2).
pub(super) fn server(server: &DmServer) -> Tlv {
    let mut tlv = Tlv::new().integer(0, i64::from(server.short_server_id)).integer(1, i64::from(server.lifetime));
    let periods = [(2, server.min_period), (3, server.max_period), (5, server.disable_timeout)];
    for (id, seconds) in periods {
        if let Some(seconds) = seconds {
            tlv = tlv.integer(id, i64::from(seconds));
        }
    }
    tlv.boolean(6, server.storing).text(7, &server.binding)
}
