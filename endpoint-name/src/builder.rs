//! Names from parts.

use crate::buffer::Buffer;
use crate::parse::{self, CMEI, IMEI, IMSI};
use crate::{EndpointNameBuf, ParseError, Version};

/// Collects the parts of an [`EndpointName`](crate::EndpointName) and writes it.
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
    /// Refuses what [`EndpointName::parse`](crate::EndpointName::parse) would refuse, with the same kinds: a part that is too
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
        Ok(EndpointNameBuf { text: Buffer::of(format_args!("{imei};{imsi};{cmei};{version}")), version })
    }
}

impl Default for EndpointNameBuilder<'_> {
    fn default() -> Self {
        Self::new()
    }
}
