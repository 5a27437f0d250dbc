//! Access rights: what a server may do with an instance (OMA LwM2M 1.0, 8.2).

use core::ops::{BitAnd, BitOr};

/// A set of access rights, as an ACL of Access Control has them (/2/x/2).
///
/// ```
/// use lwm2m_core::Rights;
///
/// let rights = Rights::READ | Rights::EXECUTE;
/// assert_eq!(rights.bits(), 5);
/// assert!(Rights::ALL.contains(rights) && !rights.contains(Rights::WRITE));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u16);

impl Rights {
    /// No right. Discover needs none.
    pub const NONE: Self = Self(0);
    /// Read, Observe and Write-Attributes.
    pub const READ: Self = Self(1);
    /// Write.
    pub const WRITE: Self = Self(1 << 1);
    /// Execute.
    pub const EXECUTE: Self = Self(1 << 2);
    /// Delete.
    pub const DELETE: Self = Self(1 << 3);
    /// Create. It counts for an object, not for its instances.
    pub const CREATE: Self = Self(1 << 4);
    /// All of them.
    pub const ALL: Self = Self(0x1F);

    /// The rights that an ACL's number stands for. Bits that are reserved are kept and grant nothing.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The number of an ACL.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether all of `wanted` are among these.
    #[must_use]
    pub const fn contains(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Rights {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
