//! Lines on the debugger's console.

use core::fmt::{Arguments, Write};

use cortex_m_semihosting::hio;

pub(crate) fn line(text: Arguments<'_>) {
    if let Ok(mut console) = hio::hstdout() {
        // Nobody may be listening.
        let _ = writeln!(console, "{text}");
    }
}

/// `println!`, over semihosting.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}
pub(crate) use say;
