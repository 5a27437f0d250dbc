//! Standard output and standard error, for readers who may leave before the end.

use core::fmt::Display;
use std::io::{self, Write};

/// A stream that may be closed at the other end, as `head` does: from then on nothing is written to
/// it, and that is no error.
#[derive(Debug)]
pub(crate) struct Screen<W> {
    out: W,
    closed: bool,
}

impl<W: Write> Screen<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, closed: false }
    }

    /// Whether the reader has left.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes nothing any more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    fn unless_closed<T>(&mut self, nothing: T, write: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.closed {
            return Ok(nothing);
        }
        match write(&mut self.out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(nothing)
            }
            written => written,
        }
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}

/// A line on standard error. Whoever has closed it does not want to know.
pub(crate) fn complain(program: &str, complaint: impl Display) {
    let _ = writeln!(io::stderr(), "{program}: {complaint}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails with this from the second write on.
    struct Failing(io::ErrorKind, usize);

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1 == 1 { Ok(bytes.len()) } else { Err(self.0.into()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_is_not_written_to_again() {
        let mut screen = Screen::new(Failing(io::ErrorKind::BrokenPipe, 0));
        for closed in [false, true, true] {
            assert!(writeln!(screen, "a line").is_ok());
            assert_eq!(screen.is_closed(), closed);
        }
        assert_eq!(screen.out.1, 2);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut screen = Screen::new(Failing(io::ErrorKind::StorageFull, 1));
        assert!(writeln!(screen, "a line").is_err());
        assert!(!screen.is_closed());
    }
}
