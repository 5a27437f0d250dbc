//! Names from parts, written into a buffer of fixed size.

use core::fmt::{self, Write as _};

use crate::parse::{self, CMEI, IMEI, IMSI};
use crate::{EndpointName, MAX_LEN, ParseError, Version};

/// Collects the parts of an [`EndpointName`] and writes it.
///
/// A part that is not given, or given as an empty text, is absent: its position stays empty (DM
/// terminal specification 7.1). The version is 1.0 unless the application says otherwise.
///
/// ```
/// use endpoint_name::{EndpointName, Version};
///
/// let name = EndpointName::builder()
///     .imei("490154203237518")
///     .imsi("460001234567890")
///     .version(Version::new(2, 1))
///     .build()?;
/// assert_eq!(name.as_str(), "490154203237518;460001234567890;;2.1");
/// # Ok::<(), endpoint_name::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a builder writes nothing until `build` is called"]
pub struct EndpointNameBuilder<'a> {
    imei: &'a str,
    imsi: &'a str,
    cmei: &'a str,
    version: Version,
}

impl<'a> EndpointNameBuilder<'a> {
    /// No parts yet, and version 1.0.
    pub const fn new() -> Self {
        Self { imei: "", imsi: "", cmei: "", version: Version::new(1, 0) }
    }

    /// Sets the number of the equipment: 1 to 17 digits, or empty for none.
    pub const fn imei(mut self, imei: &'a str) -> Self {
        self.imei = imei;
        self
    }

    /// Sets the number of the subscriber: 1 to 16 digits, or empty for none.
    pub const fn imsi(mut self, imsi: &'a str) -> Self {
        self.imsi = imsi;
        self
    }

    /// Sets the number of a device that need not be cellular: 15 digits, or empty for none.
    pub const fn cmei(mut self, cmei: &'a str) -> Self {
        self.cmei = cmei;
        self
    }

    /// Sets the version.
    pub const fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Checks the parts, IMEI first, and writes the name.
    ///
    /// # Errors
    ///
    /// Refuses what [`EndpointName::parse`] would refuse, with the same kinds: a part that is too
    /// long, of the wrong length or not made of digits, and a name without IMEI, IMSI and CMEI. The
    /// position counts from the start of the part.
    pub fn build(self) -> Result<EndpointNameBuf, ParseError> {
        let Self { imei, imsi, cmei, version } = self;
        let mut identified = false;
        for (digit_field, text) in [(IMEI, imei), (IMSI, imsi), (CMEI, cmei)] {
            identified |= parse::part(digit_field, text)?;
        }
        if !identified {
            return Err(parse::no_identity());
        }
        Ok(EndpointNameBuf::write(format_args!("{imei};{imsi};{cmei};{version}"), version))
    }
}

impl Default for EndpointNameBuilder<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// A name that owns its bytes, [`MAX_LEN`] of them at most, without an allocator.
///
/// Made by [`EndpointNameBuilder::build`], so it always holds a name that keeps to the grammar (DM
/// terminal specification 7.1). Equal and sorted as the names it holds.
///
/// ```
/// use endpoint_name::EndpointName;
///
/// let name = EndpointName::builder().cmei("860000000000001").build()?;
/// assert_eq!(name.as_str(), ";;860000000000001;1.0");
/// assert_eq!(name.as_name(), EndpointName::parse(";;860000000000001;1.0")?);
/// # Ok::<(), endpoint_name::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointNameBuf {
    // Zero behind `len`, so that the derived comparisons are those of the text.
    bytes: [u8; MAX_LEN],
    len: u8,
    version: Version,
}

impl EndpointNameBuf {
    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        // Only whole texts are written into the buffer, so this is always possible.
        let written = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        str::from_utf8(written).unwrap_or_default()
    }

    /// The name with access to its parts.
    pub fn as_name(&self) -> EndpointName<'_> {
        EndpointName { text: self.as_str(), version: self.version }
    }

    /// Writes a text made of checked parts: it is a name, and it fits (see the sum in `parse`).
    fn write(text: fmt::Arguments<'_>, version: Version) -> Self {
        let mut name = Self { bytes: [0; MAX_LEN], len: 0, version };
        let written = Writer(&mut name).write_fmt(text);
        debug_assert!(written.is_ok());
        name
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

/// Keeps `fmt::Write` out of the public buffer: nobody else may write into it.
struct Writer<'b>(&'b mut EndpointNameBuf);

impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let slot = self.0.bytes.get_mut(usize::from(self.0.len)).ok_or(fmt::Error)?;
            *slot = byte;
            self.0.len = self.0.len.saturating_add(1);
        }
        Ok(())
    }
}
