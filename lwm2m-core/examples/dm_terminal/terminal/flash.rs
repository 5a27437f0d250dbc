//! The flash memory that packages go into.

use std::borrow::Cow;

use lwm2m_core::objects::{DownloadError, PackageStore, StoreError};
use lwm2m_core::{Ctx, Part};

use super::MODEL;

/// Holds one image: a line with model and version (`TM-1 1.1.0`), the program, and in the last byte
/// the sum of all before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flash {
    image: Vec<u8>,
}

/// Bytes that an image may have.
const CAPACITY: usize = 256 * 1024;

impl Flash {
    /// The version of the image.
    pub(crate) fn version(&self) -> String {
        let line = self.image.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        line.strip_prefix(MODEL).map_or(Cow::Borrowed("unknown"), |version| version.trim().to_string().into()).into()
    }

    /// What is wrong with the image, as far as it has come.
    fn fault(&self, whole: bool) -> Option<DownloadError> {
        let known = MODEL.len().min(self.image.len());
        match self.image.split_last() {
            _ if self.image.len() > CAPACITY => Some(DownloadError::Flash),
            _ if !MODEL.as_bytes().starts_with(&self.image[..known]) => Some(DownloadError::Type),
            Some((sum, rest)) if whole && *sum != checksum(rest) => Some(DownloadError::Integrity),
            _ => None,
        }
    }
}

impl PackageStore for Flash {
    fn store(&mut self, _: &Ctx, part: Part<'_>) -> Result<(), StoreError> {
        if part.offset == 0 {
            self.image.clear();
        }
        self.image.extend(part.bytes);
        match self.fault(part.last) {
            Some(error) => Err(StoreError::Failed(error)),
            None => Ok(()),
        }
    }

    fn discard(&mut self) {
        self.image.clear();
    }
}

/// An image of so many bytes.
#[allow(dead_code, reason = "a terminal is sent them, and makes none")]
pub(crate) fn image(version: &str, length: usize) -> Vec<u8> {
    let mut image = format!("{MODEL} {version}\n").into_bytes();
    image.extend((0u8..=250).cycle().take(length.saturating_sub(image.len() + 1)));
    image.push(checksum(&image));
    image
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_first_line_and_its_sum() {
        let flash = |image: &[u8]| Flash { image: image.into() };
        let good = image("1.1.0", 1000);
        assert_eq!((good.len(), flash(&good).version().as_str()), (1000, "1.1.0"));
        assert_eq!(flash(&good).fault(true), None);
        assert_eq!(flash(&good[..2]).fault(false), None);
        assert_eq!(flash(b"TM-2 1.0\n").fault(false), Some(DownloadError::Type));
        assert_eq!(flash(&good[..999]).fault(true), Some(DownloadError::Integrity));
        assert_eq!(flash(&image("1", CAPACITY + 1)).fault(false), Some(DownloadError::Flash));
    }
}
