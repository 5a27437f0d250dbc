//! The bound of every table, set by the embedder.

/// How large the client's tables may grow.
///
/// Nothing grows past these bounds, whatever a peer sends. What happens at a bound is said beside
/// each; service returns as soon as there is room again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// LwM2M Server accounts. A bootstrap that writes more is refused with 4.00.
    pub servers: usize,
    /// Instances of Access Control (object 2), each with at most an entry for every server and one for
    /// all others. A bootstrap that writes more is refused with 4.00, and a Create for which there is no
    /// room with 5.03. With 0 the object is not supported: then every server may do everything, and a
    /// bootstrap that brings a second server is refused as inconsistent.
    pub access_controls: usize,
    /// Datagram buffers: one for each confirmable message in flight, for each request that the
    /// application answers later, and one for the datagram being made. Without a free one a
    /// request is dropped as if lost (its sender repeats it) and our own messages wait.
    pub slots: usize,
    /// Size of a datagram buffer in bytes: the longest message that is sent, and the longest request
    /// that can be answered later. An answer that does not fit is sent
    /// in blocks (RFC 7959).
    pub datagram: usize,
    /// Exchanges of our own in flight, with all servers together: requests until they are answered, confirmable
    /// notifications and late answers until they are acknowledged. Further ones wait.
    pub exchanges: usize,
    /// Received messages that are remembered to tell duplicates. When it is full, those that change nothing
    /// make room first, then the oldest PUT or DELETE, and a POST never: full of those, a further change is
    /// refused with 5.03, and the repetition of a response that found no place is rejected instead of
    /// acknowledged.
    pub deduplication: usize,
    /// Requests that the application may answer later, always less than `slots`, and those by multicast
    /// that wait for their moment. One more is refused with 5.03; by multicast, without a word.
    pub deferred: usize,
    /// Bodies of requests that arrive in blocks (RFC 7959) at the same time. One more is refused with
    /// 5.03; one that was answered makes room.
    pub transfers: usize,
    /// Bytes of such a body that is collected before it is carried out: memory that is taken while it
    /// arrives. A longer one is refused with 4.13. What the model takes
    /// [as it comes](crate::DataModel::stream) has no bound here.
    pub body: usize,
    /// Observations. One more is answered without an Observe option: a plain read.
    pub observations: usize,
    /// Paths at which servers have set notification attributes, each server's counted apart. A
    /// Write-Attributes at one more is refused with 5.03.
    pub attributes: usize,
    /// Numbers that observers were told last, for thresholds (`gt`, `lt`, `st`) to be compared with:
    /// one for an observed single resource, one for each instance of a multiple one. An observation
    /// whose numbers find no place is told of every change, whatever its thresholds.
    pub numbers: usize,
    /// Bytes of notifications that are kept for servers that cannot be told now and want to be told later
    /// (/1/x/6; OMA LwM2M 1.0, Appendix D.1.2), for all servers together: 5 for each, its token, and its
    /// payload. They are told within the same registration: a new one, or the end of their observation,
    /// drops them. Without room the oldest is dropped, and so is one that is longer than all of it or
    /// would leave in blocks; [`Client::dropped_notifications`](crate::Client::dropped_notifications)
    /// counts them. With 0 none is made: of what changed meanwhile the newest value alone is told.
    pub stored: usize,
    /// Events not yet polled. The oldest is dropped and counted.
    pub events: usize,
    /// Bytes of a registration's Location-Path and Location-Query together, one more for each
    /// segment. A Register answered with more counts as failed.
    pub location: usize,
    /// Bytes of each string or key that a bootstrap writes into Security, and that is kept.
    pub value: usize,
}

impl Limits {
    /// One server, a few observations, short messages: for modules with some tens of KB of RAM. On a 32-bit
    /// target the client and all that it may ever hold take less than 4 KiB, with a bootstrap server, a server, and
    /// some 90 bytes for their URIs and the endpoint name.
    pub const SMALL: Self = Self {
        servers: 1,
        access_controls: 0,
        slots: 2,
        datagram: 400,
        exchanges: 2,
        deduplication: 8,
        deferred: 1,
        transfers: 1,
        body: 448,
        observations: 3,
        attributes: 3,
        numbers: 4,
        stored: 80,
        events: 8,
        location: 48,
        value: 128,
    };

    /// One server, buffers of the size that RFC 7252 section 4.6 suggests: for modules and phones.
    pub const DEVICE: Self = Self {
        servers: 2,
        access_controls: 8,
        slots: 4,
        datagram: 1_152,
        exchanges: 4,
        deduplication: 16,
        deferred: 2,
        transfers: 2,
        body: 4_096,
        observations: 8,
        attributes: 8,
        numbers: 16,
        stored: 1_024,
        events: 32,
        location: 320,
        value: 255,
    };

    /// Several servers and many observations: for gateways.
    pub const GATEWAY: Self = Self {
        servers: 8,
        access_controls: 64,
        slots: 16,
        datagram: 1_280,
        exchanges: 16,
        deduplication: 128,
        deferred: 12,
        transfers: 16,
        // Where a `usize` has 16 bits, one less.
        body: 32_768_usize.saturating_mul(2),
        observations: 128,
        attributes: 128,
        numbers: 256,
        stored: 16_384,
        events: 256,
        location: 512,
        value: 1_024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEVICE
    }
}
