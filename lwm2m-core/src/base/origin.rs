//! Who asks, and by which name a request is answered later.

/// Who caused an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The bootstrap server: it writes what servers may not, and is not bound by access rights.
    Bootstrap,
    /// The LwM2M Server with this Short Server ID.
    Server(u16),
    /// The device itself.
    Local,
}

/// Names a request that the application answers later. A stale one is refused, not misused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub(crate) index: u8,
    pub(crate) generation: u16,
}

impl Ticket {
    /// That of a place that was never taken.
    pub(crate) const fn first(index: u8) -> Self {
        Self { index, generation: 0 }
    }
}
