//! What Security, Server and Access Control hold. Nearly all of it is numbers, so their instances have one shape;
//! strings, keys and the entries of ACLs lie beside them. What a bootstrap has not written yet is absent:
//! Bootstrap-Finish judges.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::access_control::{self, ACL, Grant};
use super::accounts::Accounts;
use super::security;
use super::server::{self, Binding, LIFETIME};
use crate::base::rights::Rights;
use crate::base::table::Places;
use crate::base::value::Value;
use crate::format::Given;

/// An instance: its numbers, by Resource ID. Truth is one, and a Binding has a number, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) id: u16,
    /// Which of the numbers there are: a bit each.
    there: u8,
    numbers: [u32; 8],
}

/// Where a number lies. The last three of Security are where it has strings, of which no number is kept.
#[inline]
const fn place(resource: u16) -> u16 {
    if resource >= security::SHORT_SERVER_ID { resource.saturating_sub(7) } else { resource }
}

impl Row {
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
}

/// A string or a key of a Security instance; never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Text {
    instance: u16,
    resource: u16,
    pub(super) bytes: Box<[u8]>,
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

impl Accounts {
    /// The instances of an object, in the order of their IDs.
    #[inline]
    pub(crate) fn rows(&self, object: u16) -> &[Row] {
        self.tables.get(usize::from(object)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn row(&self, object: u16, id: u16) -> Option<&Row> {
        self.rows(object).iter().find(|row| row.id == id)
    }

    /// An instance, which comes to be if it is not there.
    pub(crate) fn make(&mut self, object: u16, id: u16) -> Option<&mut Row> {
        let table = self.tables.get_mut(usize::from(object))?;
        let at = table.iter().position(|row| row.id >= id).unwrap_or(table.len());
        if table.get(at).is_none_or(|row| row.id != id) {
            table.insert(at, Row { id, ..Row::default() });
        }
        table.get_mut(at)
    }

    /// Keeps the instances of an object that are wanted. What belongs to the others goes with them.
    pub(crate) fn keep(&mut self, object: u16, is_wanted: &mut dyn FnMut(&mut Row) -> bool) {
        if let Some(table) = self.tables.get_mut(usize::from(object)) {
            table.keep(is_wanted);
            self.tidy();
        }
    }

    /// Drops what belongs to instances that are gone.
    pub(super) fn tidy(&mut self) {
        let Self { tables: [securities, _, access], texts, grants, .. } = self;
        texts.keep(&mut |text| securities.iter().any(|row| row.id == text.instance));
        grants.keep(&mut |grant| access.iter().any(|row| row.id == grant.instance));
    }

    /// A string or a key of a Security instance, empty if it has none.
    pub(crate) fn text(&self, instance: u16, resource: u16) -> &[u8] {
        let mut texts = self.texts.iter();
        let text = texts.find(|text| (text.instance, text.resource) == (instance, resource));
        text.map_or(&[], |text| &text.bytes)
    }

    pub(crate) fn set_text(&mut self, instance: u16, resource: u16, bytes: &[u8]) {
        let text = Text { instance, resource, bytes: bytes.into() };
        // In order, so that the same accounts are equal whatever way they came.
        let at = self.texts.iter().position(|known| (known.instance, known.resource) >= (instance, resource));
        match at.and_then(|at| self.texts.get_mut(at)) {
            Some(known) if known.resource == resource && known.instance == instance => *known = text,
            _ => self.texts.insert(at.unwrap_or(self.texts.len()), text),
        }
    }

    /// Sets one value of an instance that is there.
    pub(super) fn set(&mut self, object: u16, id: u16, Given { resource, index, value }: Given<'_>) {
        let number = match (object, value) {
            // They are accepted and have no effect.
            (security::ID, _) if security::UNUSED.contains(&resource) => return,
            (access_control::ID, Value::Int(bits)) if resource == ACL => {
                if let Some(server) = index {
                    self.grant(id, server, Rights::from_bits(bits.try_into().unwrap_or(0)));
                }
                return;
            }
            // What is longer than fits counts as the longest that does.
            (_, Value::Int(number)) => u32::try_from(number.min(u32::MAX.into())).ok(),
            (_, Value::Bool(yes)) => Some(yes.into()),
            (server::ID, Value::Str(text)) => Binding::parse(text).map(|binding| binding as u32),
            (_, Value::Str(text)) => return self.set_text(id, resource, text.as_bytes()),
            (_, Value::Opaque(bytes)) => return self.set_text(id, resource, bytes),
            _ => return,
        };
        // A lifetime of nothing is none, and neither is an identifier that nobody can have.
        let number = number.filter(|number| match (object, resource) {
            (server::ID, LIFETIME) => *number > 0,
            (security::ID, security::SHORT_SERVER_ID) => *number <= u16::MAX.into(),
            _ => true,
        });
        if let Some(row) = self.make(object, id) {
            row.set(resource, number);
        }
    }

    /// What an instance says of a resource is forgotten.
    pub(super) fn forget(&mut self, object: u16, id: u16, resource: u16) {
        match (object, resource) {
            (access_control::ID, ACL) => self.grants.keep(&mut |grant: &mut Grant| grant.instance != id),
            // Whoever writes a string or a key puts it in the place of the other; it has no number.
            (security::ID, security::URI | security::IDENTITY..=security::SECRET_KEY) => {}
            _ => {
                if let Some(row) = self.make(object, id) {
                    row.set(resource, None);
                }
            }
        }
    }

    /// The value of a number.
    pub(super) fn value(&self, object: u16, id: u16, resource: u16) -> Option<Value<'static>> {
        let number = self.row(object, id)?.number(resource)?;
        Some(match (object, resource) {
            (server::ID, server::STORING) => Value::Bool(number == 1),
            (server::ID, server::BINDING) => Value::Str(Binding::from_number(number)?.as_str()),
            _ => Value::Int(number.into()),
        })
    }

    /// Whether an instance has a resource.
    pub(super) fn has(&self, object: u16, id: u16, resource: u16) -> bool {
        match (object, resource) {
            (security::ID, security::URI) => !self.text(id, resource).is_empty(),
            (security::ID, security::IDENTITY..=security::SECRET_KEY) => true,
            (server::ID, server::DISABLE | server::REGISTRATION_UPDATE_TRIGGER) => true,
            (access_control::ID, ACL) => self.grants.iter().any(|grant| grant.instance == id),
            _ => self.value(object, id, resource).is_some(),
        }
    }
}
