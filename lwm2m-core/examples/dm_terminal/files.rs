//! The files that a run writes.

use std::fs::File;
use std::path::PathBuf;

/// Where they are to be, if they are wanted.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    pub(crate) record: Option<PathBuf>,
    pub(crate) chart: Option<PathBuf>,
    pub(crate) capture: Option<PathBuf>,
}

/// The files, empty yet. Whoever wants one is told at once if it cannot be had, not when the run is over.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) record: Option<File>,
    pub(crate) chart: Option<File>,
    pub(crate) capture: Option<File>,
}

impl Paths {
    /// Creates them.
    pub(crate) fn create(&self) -> Result<Files, String> {
        let create = |option: &str, path: &Option<PathBuf>| match path {
            None => Ok(None),
            Some(path) => match File::create(path) {
                Ok(file) => Ok(Some(file)),
                Err(error) => Err(format!("{option}: {}: {error}", path.display())),
            },
        };
        Ok(Files {
            record: create("--record", &self.record)?,
            chart: create("--chart", &self.chart)?,
            capture: create("--pcap", &self.capture)?,
        })
    }
}
