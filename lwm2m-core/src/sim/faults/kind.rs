//! What can go wrong.

/// What can go wrong, or be asked for at the wrong moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Datagrams are lost.
    Loss,
    /// Datagrams arrive twice.
    Duplication,
    /// Datagrams are held back, and overtaken.
    Reordering,
    /// Datagrams take more and less long.
    Jitter,
    /// Datagrams take long.
    Delay,
    /// Datagrams arrive with a wrong bit.
    Corruption,
    /// Datagrams arrive without their end.
    Truncation,
    /// Only short datagrams pass.
    Mtu,
    /// Nothing passes, and the device is not told.
    Partition,
    /// A NAT gives the device another address, and the device is not told.
    Rebinding,
    /// The name of a host cannot be resolved.
    Unresolvable,
    /// Sessions take long to be made.
    SlowConnect,
    /// The device has no network, and knows it.
    NoNetwork,
    /// The device has another address, and knows it.
    NewAddress,
    /// Flight mode.
    FlightMode,
    /// A server answers late.
    Slow,
    /// A server acknowledges first, and answers later.
    Separate,
    /// A server answers twice.
    Twice,
    /// A server acknowledges, and never answers.
    AcknowledgeOnly,
    /// A server does what it is asked, and says nothing.
    Mute,
    /// A server answers one request with any code.
    AnyCode,
    /// A server loses its memory.
    Forgets,
    /// A server is down.
    Down,
    /// The bootstrap server is down.
    BootstrapDown,
    /// The bootstrap server begins by itself.
    Initiative,
    /// The bootstrap server sends commands in a wrong order, for objects that there are not, twice, or no end.
    OddBootstrap,
    /// A server sends what is no message, or none that belongs here.
    Rubbish,
    /// A server asks for values.
    Read,
    /// A server asks what there is.
    Discover,
    /// A server observes.
    Observe,
    /// A server cancels an observation, or forgets it.
    Cancel,
    /// A server writes a value.
    Write,
    /// A server writes attributes.
    WriteAttributes,
    /// A server writes a value in blocks.
    Upload,
    /// A server sends the parts of a large opaque value: a firmware image.
    Image,
    /// A server begins a body in blocks, leaves some of them out, and never ends it.
    Abandoned,
    /// A server asks by multicast.
    Multicast,
    /// A server executes.
    Execute,
    /// A server wants another lifetime.
    Lifetime,
    /// A server disables the device.
    Disable,
    /// A server wants an Update.
    Trigger,
    /// A server creates or deletes, mostly what it may not.
    CreateDelete,
    /// The power is cut, and nothing is kept.
    PowerCut,
    /// The power is cut, and there is a snapshot.
    PowerCutSnapshot,
    /// The power is cut, and there is a snapshot that was written a while ago.
    PowerCutOldSnapshot,
    /// The power is cut, nothing is kept, and the entropy repeats itself.
    PowerCutAlike,
    /// The device sleeps with its memory off.
    Sleep,
    /// The radio sleeps in power saving mode, awake for a moment now and then.
    PowerSaving,
    /// The radio listens now and then only: extended discontinuous reception.
    ExtendedDrx,
    /// The device's clock steps back.
    ClockBack,
    /// The device's clock jumps ahead.
    ClockAhead,
    /// The application refuses what it is asked.
    Refusing,
    /// The application answers later, or not at all.
    Late,
    /// The application wants an Update.
    UpdateWanted,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 54] = [
        Self::Loss,
        Self::Duplication,
        Self::Reordering,
        Self::Jitter,
        Self::Delay,
        Self::Corruption,
        Self::Truncation,
        Self::Mtu,
        Self::Partition,
        Self::Rebinding,
        Self::Unresolvable,
        Self::SlowConnect,
        Self::NoNetwork,
        Self::NewAddress,
        Self::FlightMode,
        Self::Slow,
        Self::Separate,
        Self::Twice,
        Self::AcknowledgeOnly,
        Self::Mute,
        Self::AnyCode,
        Self::Forgets,
        Self::Down,
        Self::BootstrapDown,
        Self::Initiative,
        Self::OddBootstrap,
        Self::Rubbish,
        Self::Read,
        Self::Discover,
        Self::Observe,
        Self::Cancel,
        Self::Write,
        Self::WriteAttributes,
        Self::Upload,
        Self::Image,
        Self::Abandoned,
        Self::Multicast,
        Self::Execute,
        Self::Lifetime,
        Self::Disable,
        Self::Trigger,
        Self::CreateDelete,
        Self::PowerCut,
        Self::PowerCutSnapshot,
        Self::PowerCutOldSnapshot,
        Self::PowerCutAlike,
        Self::Sleep,
        Self::PowerSaving,
        Self::ExtendedDrx,
        Self::ClockBack,
        Self::ClockAhead,
        Self::Refusing,
        Self::Late,
        Self::UpdateWanted,
    ];

    /// Whether the device sleeps for so long, and nothing else strikes meanwhile.
    pub(super) const fn suspends(self) -> bool {
        matches!(self, Self::Sleep | Self::PowerSaving | Self::ExtendedDrx)
    }

    /// Whether it ends by itself: what is done in a moment does not.
    pub(super) const fn lasts(self) -> bool {
        matches!(
            self,
            Self::Loss
                | Self::Duplication
                | Self::Reordering
                | Self::Jitter
                | Self::Delay
                | Self::Corruption
                | Self::Truncation
                | Self::Mtu
                | Self::Partition
                | Self::Unresolvable
                | Self::SlowConnect
                | Self::NoNetwork
                | Self::FlightMode
                | Self::Slow
                | Self::Separate
                | Self::Twice
                | Self::AcknowledgeOnly
                | Self::Mute
                | Self::Down
                | Self::BootstrapDown
                | Self::OddBootstrap
                | Self::PowerCut
                | Self::PowerCutSnapshot
                | Self::PowerCutOldSnapshot
                | Self::PowerCutAlike
                | Self::Refusing
                | Self::Late
        )
    }
}
