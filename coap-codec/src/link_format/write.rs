//! Writing links into a buffer of the caller's.

use core::fmt;

use super::Attribute;
use super::parse::{is_name, is_token};
use crate::WriteError;

/// Writes links with attributes, in their order.
///
/// What has been written at any time is a whole text, and a part that fails leaves it as it was.
///
/// ```
/// use coap_codec::link_format::LinkWriter;
/// use coap_codec::{Code, ContentFormat, Header, MessageId, MessageType, MessageWriter, Token, WriteError};
///
/// let header = Header::new(MessageType::Confirmable, Code::POST, MessageId(1));
/// let mut buffer = [0; 128];
/// let mut message = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
/// message.uri_path("rd")?;
/// message.content_format(ContentFormat::LINK_FORMAT)?;
/// // Straight into the message.
/// message.payload_with(|room| {
///     let mut links = LinkWriter::new(room);
///     links.link("/")?;
///     links.quoted("rt", "oma.lwm2m")?;
///     links.number("ct", 110)?;
///     links.link("/1/0")?;
///     Ok::<_, WriteError>(links.finish().len())
/// })?;
/// assert!(message.finish().ends_with(br#"</>;rt="oma.lwm2m";ct=110,</1/0>"#));
/// # Ok::<(), WriteError>(())
/// ```
pub struct LinkWriter<'b> {
    buffer: &'b mut [u8],
    length: usize,
    part: Part,
}

/// What was written last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Nothing,
    Head,
    Link,
}

impl<'b> LinkWriter<'b> {
    /// Begins a text without links in a buffer, whatever it holds.
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, part: Part::Nothing }
    }

    /// Adds a value that belongs to no link, in quotes: the `lwm2m="1.0"` before the first link that
    /// LwM2M 1.0 has in the answer to Bootstrap-Discover. RFC 6690 has nothing of the kind.
    ///
    /// # Errors
    ///
    /// [`WriteError::OutOfOrder`] behind a link; else as [`quoted`](Self::quoted).
    pub fn head(&mut self, name: &str, value: &str) -> Result<(), WriteError> {
        let separator = match self.part {
            Part::Nothing => "",
            Part::Head => ";",
            Part::Link => return Err(WriteError::OutOfOrder),
        };
        self.put_quoted(separator, name, value)?;
        self.part = Part::Head;
        Ok(())
    }

    /// Adds a link without attributes. The target is a URI reference, such as `/3/0`, and written as
    /// it is: percent-encode it first where that is needed.
    ///
    /// # Errors
    ///
    /// [`WriteError::InvalidValue`] for a character that may not stand between `<` and `>`;
    /// [`WriteError::NoSpace`].
    pub fn link(&mut self, target: &str) -> Result<(), WriteError> {
        if !target.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"')) {
            return Err(WriteError::InvalidValue);
        }
        let opening = if self.part == Part::Nothing { "<" } else { ",<" };
        self.put(&[opening, target, ">"])?;
        self.part = Part::Link;
        Ok(())
    }

    /// Adds an attribute whose value stands in quotes, which any text can; `"` and `\` in it are
    /// escaped.
    ///
    /// # Errors
    ///
    /// [`WriteError::InvalidValue`] for a name that is empty or has other
    /// characters than a name may have; [`WriteError::OutOfOrder`] before the
    /// first link; [`WriteError::NoSpace`].
    pub fn quoted(&mut self, name: &str, value: &str) -> Result<(), WriteError> {
        self.check_link()?;
        self.put_quoted(";", name, value)
    }

    /// Adds an attribute whose value stands without quotes, such as `ver=1.1`.
    ///
    /// # Errors
    ///
    /// [`WriteError::InvalidValue`] besides for a value that needs quotes: an empty one, or one with
    /// a space, `,`, `;`, `"`, `\` or a character beyond ASCII; else as [`quoted`](Self::quoted).
    pub fn token(&mut self, name: &str, value: &str) -> Result<(), WriteError> {
        self.check_link()?;
        check(name, is_name)?;
        check(value, is_token)?;
        self.put(&[";", name, "=", value])
    }

    /// Adds an attribute whose value is a number: `sz`, `ct` with one format.
    ///
    /// # Errors
    ///
    /// As [`quoted`](Self::quoted).
    pub fn number(&mut self, name: &str, value: u64) -> Result<(), WriteError> {
        let mut digits = [0; 20];
        let mut start = digits.len();
        let mut rest = value;
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' | (rest % 10) as u8;
            rest /= 10;
            start = at;
            if rest == 0 {
                break;
            }
        }
        let digits = digits.get(start..).and_then(|digits| core::str::from_utf8(digits).ok());
        self.token(name, digits.unwrap_or_default())
    }

    /// Adds an attribute without a value: `obs`.
    ///
    /// # Errors
    ///
    /// As [`quoted`](Self::quoted).
    pub fn flag(&mut self, name: &str) -> Result<(), WriteError> {
        self.check_link()?;
        check(name, is_name)?;
        self.put(&[";", name])
    }

    /// Adds an attribute that was read, as it was, quotes and escapes included.
    ///
    /// # Errors
    ///
    /// As [`quoted`](Self::quoted).
    ///
    /// ```
    /// use coap_codec::link_format::{LinkWriter, Links};
    ///
    /// let link = Links::new(r#"</3/0>;title="a \"b\"";obs"#).next().ok_or("a link")??;
    /// let mut buffer = [0; 64];
    /// let mut links = LinkWriter::new(&mut buffer);
    /// links.link(link.target())?;
    /// for attribute in link.attributes() {
    ///     links.attribute(attribute)?;
    /// }
    /// assert_eq!(links.finish(), link.to_string().as_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attribute(&mut self, attribute: Attribute<'_>) -> Result<(), WriteError> {
        self.check_link()?;
        check(attribute.name, is_name)?;
        match attribute.value {
            None => self.put(&[";", attribute.name]),
            Some(value) if value.is_quoted() => self.put(&[";", attribute.name, "=\"", value.raw(), "\""]),
            Some(value) => self.put(&[";", attribute.name, "=", value.raw()]),
        }
    }

    /// The text so far, which is UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// How many bytes it has so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing has been written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The text, for as long as the buffer is borrowed.
    #[must_use]
    pub fn finish(self) -> &'b [u8] {
        let buffer: &'b [u8] = self.buffer;
        buffer.get(..self.length).unwrap_or_default()
    }

    const fn check_link(&self) -> Result<(), WriteError> {
        match self.part {
            Part::Link => Ok(()),
            Part::Nothing | Part::Head => Err(WriteError::OutOfOrder),
        }
    }

    fn put_quoted(&mut self, separator: &str, name: &str, value: &str) -> Result<(), WriteError> {
        check(name, is_name)?;
        let before = self.length;
        let outcome = self.put(&[separator, name, "=\""]).and_then(|()| {
            // Up to a character that is to be escaped, which begins the next piece behind its `\`.
            let mut rest = value;
            while let Some(at) = rest.bytes().skip(1).position(is_escaped) {
                let (piece, after) = rest.split_at_checked(at.saturating_add(1)).unwrap_or((rest, ""));
                self.put_piece(piece)?;
                rest = after;
            }
            self.put_piece(rest)?;
            self.put(&["\""])
        });
        match outcome {
            Err(WriteError::NoSpace { .. }) => {
                self.length = before;
                let escapes = value.bytes().filter(|byte| is_escaped(*byte)).count();
                let lengths = [before, separator.len(), name.len(), value.len(), escapes, 3];
                Err(WriteError::NoSpace { needed: lengths.into_iter().fold(0, usize::saturating_add) })
            }
            outcome => outcome,
        }
    }

    fn put_piece(&mut self, piece: &str) -> Result<(), WriteError> {
        let escape = if piece.bytes().next().is_some_and(is_escaped) { "\\" } else { "" };
        self.put(&[escape, piece])
    }

    /// Adds all of these or nothing.
    fn put(&mut self, parts: &[&str]) -> Result<(), WriteError> {
        let added = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let needed = self.length.saturating_add(added);
        let room = self.buffer.get_mut(self.length..needed).ok_or(WriteError::NoSpace { needed })?;
        for (to, from) in room.iter_mut().zip(parts.iter().flat_map(|part| part.bytes())) {
            *to = from;
        }
        self.length = needed;
        Ok(())
    }
}

const fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\')
}

fn check(text: &str, test: impl Fn(u8) -> bool) -> Result<(), WriteError> {
    if !text.is_empty() && text.bytes().all(test) { Ok(()) } else { Err(WriteError::InvalidValue) }
}

impl fmt::Debug for LinkWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkWriter")
            .field("length", &self.length)
            .field("remaining", &self.buffer.len().saturating_sub(self.length))
            .finish_non_exhaustive()
    }
}
