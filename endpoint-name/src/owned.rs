//! Names that own their text.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use crate::buffer::Buffer;
use crate::{EndpointName, ParseError, Version};

/// A name that owns its bytes, [`MAX_LEN`](crate::MAX_LEN) of them at most, without an allocator.
///
/// It always holds a name that keeps to the grammar (DM terminal specification 7.1): built from
/// parts, copied from an [`EndpointName`], or read from a text. Equal, sorted and hashed as its text,
/// so a map with such keys can be asked with a `&str`.
///
/// ```
/// use std::collections::HashMap;
///
/// use endpoint_name::{EndpointName, EndpointNameBuf};
///
/// let built = EndpointName::builder().cmei("860000000000001").build()?;
/// let read: EndpointNameBuf = ";;860000000000001;1.0".parse()?;
/// assert_eq!(read, built);
/// assert_eq!(read.as_name(), EndpointName::parse(";;860000000000001;1.0")?);
///
/// let terminals = HashMap::from([(read, "the meter in the cellar")]);
/// assert!(terminals.contains_key(";;860000000000001;1.0"));
/// # Ok::<(), endpoint_name::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointNameBuf {
    pub(crate) text: Buffer,
    // Behind the text, which decides every comparison.
    pub(crate) version: Version,
}

impl EndpointNameBuf {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// The name with access to its parts.
    #[must_use]
    pub fn as_name(&self) -> EndpointName<'_> {
        EndpointName { text: self.as_str(), version: self.version }
    }
}

impl From<EndpointName<'_>> for EndpointNameBuf {
    fn from(name: EndpointName<'_>) -> Self {
        Self { text: Buffer::of(format_args!("{}", name.text)), version: name.version }
    }
}

impl FromStr for EndpointNameBuf {
    type Err = ParseError;

    /// Reads a text as [`EndpointName::parse`] does.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        EndpointName::parse(text).map(Self::from)
    }
}

impl Hash for EndpointNameBuf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `Borrow<str>` demands.
        self.as_str().hash(state);
    }
}

impl Borrow<str> for EndpointNameBuf {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for EndpointNameBuf {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for EndpointNameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for EndpointNameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EndpointNameBuf").field(&self.as_str()).finish()
    }
}
