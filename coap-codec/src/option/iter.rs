//! Walking over options that were checked before.

use core::fmt;
use core::iter::FusedIterator;
use core::str::Utf8Error;

use super::wire::decode;
use super::{CoapOption, OptionNumber};
use crate::cursor::Cursor;

/// The options of a message in the order they came in, which is that of their numbers.
///
/// They were checked when the message was parsed; nothing can go wrong here. Made by
/// [`Message::options`](crate::Message::options).
#[derive(Clone)]
pub struct Options<'a> {
    rest: Cursor<'a>,
    number: u16,
}

impl<'a> Options<'a> {
    /// Over bytes that went through `options_end`, or that a writer put down.
    #[inline]
    pub(crate) const fn new(options: &'a [u8]) -> Self {
        Self { rest: Cursor::new(options), number: 0 }
    }

    /// What has not been walked over yet, as it is written in the message.
    #[inline]
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest.rest()
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = CoapOption<'a>;

    #[inline]
    fn next(&mut self) -> Option<CoapOption<'a>> {
        let head = self.rest.u8()?;
        let (delta, value) = decode(&mut self.rest, head).ok()?;
        self.number = self.number.wrapping_add((delta & 0xffff) as u16);
        Some(CoapOption { number: OptionNumber(self.number), value })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.rest.rest().len()))
    }
}

impl FusedIterator for Options<'_> {}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The segments of a path that is written with slashes: none of `/` and of the empty text, else one
/// behind each slash, the first of which may be left out.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path.strip_prefix('/').unwrap_or(path)).filter(|relative| !relative.is_empty());
    core::iter::from_fn(move || {
        let here = rest?;
        // `split` has a panic that no optimiser takes out.
        let slash = here.bytes().position(|byte| byte == b'/');
        let (segment, behind) = slash.and_then(|slash| here.split_at_checked(slash)).unwrap_or((here, ""));
        rest = behind.get(1..);
        Some(segment)
    })
}

/// The values of all options of one number, in order: path segments, query arguments, ETags.
///
/// Made by [`Message::values`](crate::Message::values) and its like.
#[derive(Clone)]
pub struct Values<'a> {
    options: Options<'a>,
    number: OptionNumber,
}

impl<'a> Values<'a> {
    #[inline]
    pub(crate) const fn new(options: Options<'a>, number: OptionNumber) -> Self {
        Self { options, number }
    }

    /// The same values as text, with an error in place of one that is not UTF-8. There is none where
    /// the option is text and [`Message::check`](crate::Message::check) was told that it is known.
    ///
    /// ```
    /// use coap_codec::Message;
    ///
    /// let response = Message::parse(b"\x60\x41\x00\x01\x82rd\x045a3f")?;
    /// let location: Result<Vec<&str>, _> = response.location_path().text().collect();
    /// assert_eq!(location?.join("/"), "rd/5a3f");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(self) -> impl FusedIterator<Item = Result<&'a str, Utf8Error>> + Clone + use<'a> {
        self.map(core::str::from_utf8)
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let option = self.options.next()?;
            if option.number == self.number {
                return Some(option.value);
            }
            if option.number > self.number {
                self.options.rest = Cursor::new(&[]);
                return None;
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.options.size_hint()
    }
}

impl FusedIterator for Values<'_> {}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
