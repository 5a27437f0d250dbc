//! Lines of a file or of standard input, which need not be text.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

pub(crate) struct Lines<'i> {
    input: Box<dyn BufRead + 'i>,
    bytes: Vec<u8>,
    number: usize,
}

/// A line without its end, LF or CR LF: nothing else is trimmed.
pub(crate) struct Line<'s> {
    pub(crate) number: usize,
    pub(crate) bytes: &'s [u8],
}

impl<'i> Lines<'i> {
    /// `-` is standard input.
    pub(crate) fn open(path: &str, stdin: &'i mut dyn Read) -> io::Result<Self> {
        let input: Box<dyn BufRead + 'i> = match path {
            "-" => Box::new(BufReader::new(stdin)),
            path => Box::new(BufReader::new(File::open(path)?)),
        };
        Ok(Self { input, bytes: Vec::new(), number: 0 })
    }

    pub(crate) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.bytes.clear();
        if self.input.read_until(b'\n', &mut self.bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let bytes = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        Ok(Some(Line { number: self.number, bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes) }))
    }
}
