//! What Security, Server and Access Control hold. Nearly all of it is numbers, so their instances have one shape.
//! What a bootstrap has not written yet is absent: Bootstrap-Finish judges.

use alloc::boxed::Box;
use core::fmt;

use super::access_control::{self, ACL};
use super::security;
use super::server::{self, Binding};
use crate::base::features;
use crate::base::rights::Rights;
use crate::base::value::Value;
use crate::format::Given;

/// An instance: its numbers, by Resource ID, and what else there is. Truth is one, and a Binding has a number, too.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) id: u16,
    /// Which of the numbers there are: a bit each.
    there: u8,
    numbers: [u32; 8],
    /// URI, identity and key of Security, and the ACL of Access Control; empty where there is none.
    bytes: [Box<[u8]>; 3],
}

/// Where a number lies. The last three of Security are where it has strings, of which no number is kept.
#[inline]
const fn place(resource: u16) -> u16 {
    if resource >= security::SHORT_SERVER_ID { resource.saturating_sub(7) } else { resource }
}

/// Where strings, keys and an ACL lie; nowhere if they are of no use.
const fn place_of_bytes(resource: u16) -> usize {
    match resource {
        security::URI | ACL => 0,
        security::IDENTITY => 1,
        security::SECRET_KEY => 2,
        _ => usize::MAX,
    }
}

impl Row {
    #[inline(never)]
    pub(crate) fn new(id: u16) -> Self {
        Self { id, ..Self::default() }
    }

    #[inline]
    pub(crate) fn number(&self, resource: u16) -> Option<u32> {
        let place = place(resource);
        let there = 1u8.checked_shl(place.into())? & self.there != 0;
        self.numbers.get(usize::from(place)).copied().filter(|_| there)
    }

    /// The same of a number that is an identifier.
    pub(crate) fn short(&self, resource: u16) -> Option<u16> {
        self.number(resource)?.try_into().ok()
    }

    /// The same of a truth.
    pub(crate) fn is(&self, resource: u16) -> bool {
        self.number(resource) == Some(1)
    }

    pub(crate) fn set(&mut self, resource: u16, number: Option<u32>) {
        let place = place(resource);
        let Some(bit) = 1u8.checked_shl(place.into()) else { return };
        let Some(kept) = self.numbers.get_mut(usize::from(place)) else { return };
        // What is not there is zero, so that rows with the same in them are equal.
        *kept = number.unwrap_or(0);
        self.there = if number.is_some() { self.there | bit } else { self.there & !bit };
    }

    /// A string, a key or an ACL; empty if there is none.
    pub(crate) fn bytes(&self, resource: u16) -> &[u8] {
        self.bytes.get(place_of_bytes(resource)).map_or(&[], |bytes| bytes)
    }

    pub(crate) fn set_bytes(&mut self, resource: u16, bytes: &[u8]) {
        if let Some(kept) = self.bytes.get_mut(place_of_bytes(resource)) {
            *kept = bytes.into();
        }
    }

    /// How many bytes there are of each.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.bytes.iter().map(|bytes| bytes.len())
    }

    /// Loses a value.
    pub(super) fn forget(&mut self, resource: u16) {
        self.set(resource, None);
        self.set_bytes(resource, &[]);
    }

    /// Takes a value of an instance of `object`, and says whether it did. What of Security this client has no use for
    /// is accepted and has no effect.
    pub(super) fn take(&mut self, object: u16, Given { resource, index, value }: Given<'_>) -> bool {
        let number = match value {
            Value::Int(rights) if features::ACCESS_CONTROL && object == access_control::ID && resource == ACL => {
                let Some(server) = index else { return false };
                self.grant(server, rights.try_into().ok().map(Rights::from_bits));
                return true;
            }
            // What is longer than fits counts as the longest that does.
            Value::Int(number) => u32::try_from(number.min(u32::MAX.into())).ok(),
            Value::Bool(yes) => Some(yes.into()),
            Value::Str(text) if object == server::ID => Binding::parse(text).map(|binding| binding as u32),
            Value::Str(text) => {
                self.set_bytes(resource, text.as_bytes());
                return true;
            }
            Value::Opaque(bytes) => {
                self.set_bytes(resource, bytes);
                return true;
            }
            _ => None,
        };
        // A lifetime of nothing is none, and neither is an identifier that nobody can have.
        let number = number.filter(|number| match (object, resource) {
            (server::ID, server::LIFETIME) => *number > 0,
            (security::ID, security::SHORT_SERVER_ID) => *number <= u16::MAX.into(),
            _ => true,
        });
        self.set(resource, number);
        number.is_some()
    }

    /// The value of a number.
    pub(super) fn value(&self, object: u16, resource: u16) -> Option<Value<'static>> {
        let number = self.number(resource)?;
        Some(match (object, resource) {
            (server::ID, server::STORING) => Value::Bool(number == 1),
            (server::ID, server::BINDING) => Value::Str(Binding::from_number(number).as_str()),
            _ => Value::Int(number.into()),
        })
    }

    /// Whether there is a value of a resource.
    pub(super) fn has(&self, resource: u16) -> bool {
        self.number(resource).is_some() || !self.bytes(resource).is_empty()
    }
}

/// Nothing of its strings and keys is printed.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, there, numbers, .. } = self;
        f.debug_struct("Row").field("id", id).field("there", there).field("numbers", numbers).finish_non_exhaustive()
    }
}
