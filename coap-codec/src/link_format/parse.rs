//! The grammar of RFC 6690 §2, walked once.

use core::iter::FusedIterator;

use super::{Attribute, AttributeValue, Attributes, Link};

/// Reads links one after the other; the text before a mistake is of use, and nothing behind it.
///
/// See the [module](super) for an example and for what is taken beside the grammar.
#[derive(Clone, Debug)]
pub struct Links<'a> {
    scanner: Scanner<'a>,
    head: Attributes<'a>,
    next: Next,
}

/// What is to be read next.
#[derive(Clone, Debug)]
enum Next {
    /// A link, or the end.
    LinkOrEnd,
    /// A comma and a link, or the end.
    CommaOrEnd,
    /// The head had a mistake that is still to be told.
    Mistake(LinkError),
    /// Nothing any more.
    Nothing,
}

/// What is wrong with a text in link-format, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{kind}, at byte {position}")]
pub struct LinkError {
    kind: LinkErrorKind,
    position: usize,
}

/// The rule of the grammar that a text breaks (RFC 6690 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LinkErrorKind {
    /// The payload is no text.
    #[error("not UTF-8")]
    NotUtf8,
    /// A `<` should be here: at the beginning or behind a comma.
    #[error("a link in \"<>\" is missing")]
    Link,
    /// A character inside `<>` that no URI has: a space, a quote, another `<`.
    #[error("a character that no link may contain")]
    Target,
    /// The `<` that begins here has no `>`.
    #[error("\"<\" without \">\"")]
    Unclosed,
    /// The name of an attribute should be here.
    #[error("the name of an attribute is missing")]
    Name,
    /// The value of an attribute should be here.
    #[error("the value of an attribute is missing")]
    Value,
    /// The quoted string that begins here does not end.
    #[error("a quote without its end")]
    Quote,
    /// A `,` or a `;` should be here, or the end.
    #[error("neither \",\" nor \";\" nor the end")]
    Separator,
}

impl LinkError {
    /// The rule that is broken.
    #[must_use]
    pub const fn kind(&self) -> LinkErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the text: where something else should stand, or where a part
    /// begins that does not end.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

impl<'a> Links<'a> {
    /// Over a payload, which must be UTF-8.
    ///
    /// # Errors
    ///
    /// [`LinkErrorKind::NotUtf8`], with the position of the first byte that is wrong. Other mistakes
    /// come when they are reached.
    pub fn from_utf8(payload: &'a [u8]) -> Result<Self, LinkError> {
        match core::str::from_utf8(payload) {
            Ok(text) => Ok(Self::new(text)),
            Err(error) => Err(LinkError { kind: LinkErrorKind::NotUtf8, position: error.valid_up_to() }),
        }
    }

    /// Over a text. The empty one has no links.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let mut scanner = Scanner { text, at: 0 };
        let (head, next) = match scanner.head() {
            Ok(Some(head)) => (head, Next::CommaOrEnd),
            Ok(None) => (Attributes::new(""), Next::LinkOrEnd),
            Err(error) => (Attributes::new(""), Next::Mistake(error)),
        };
        Self { scanner, head, next }
    }

    /// What stands before the first link and is none: in LwM2M 1.0 the version of the enabler,
    /// `lwm2m="1.0"`. Mostly there is nothing.
    #[must_use]
    pub fn head(&self) -> Attributes<'a> {
        self.head.clone()
    }

    fn step(&mut self) -> Result<Option<Link<'a>>, LinkError> {
        self.scanner.skip_space();
        match core::mem::replace(&mut self.next, Next::Nothing) {
            Next::Nothing => return Ok(None),
            Next::Mistake(error) => return Err(error),
            Next::LinkOrEnd | Next::CommaOrEnd if self.scanner.peek().is_none() => return Ok(None),
            Next::LinkOrEnd => {}
            Next::CommaOrEnd => {
                if !self.scanner.eat(b',') {
                    return Err(self.scanner.error(LinkErrorKind::Separator));
                }
            }
        }
        let link = self.scanner.link()?;
        self.next = Next::CommaOrEnd;
        Ok(Some(link))
    }
}

/// Ends after the first error.
impl<'a> Iterator for Links<'a> {
    type Item = Result<Link<'a>, LinkError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

impl FusedIterator for Links<'_> {}

/// A reading position in a text. It never stops inside a character: what it steps over is ASCII, or
/// ends before ASCII.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        if eaten {
            self.advance(1);
        }
        eaten
    }

    fn skip_space(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
    }

    fn take_while(&mut self, test: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.bytes().position(|byte| !test(byte)).unwrap_or(rest.len());
        self.advance(len);
        rest.get(..len).unwrap_or_default()
    }

    fn error(&self, kind: LinkErrorKind) -> LinkError {
        LinkError { kind, position: self.at }
    }

    /// Attributes with values before the first link, if there are any.
    fn head(&mut self) -> Result<Option<Attributes<'a>>, LinkError> {
        self.skip_space();
        if matches!(self.peek(), None | Some(b'<')) {
            return Ok(None);
        }
        let start = self.clone();
        loop {
            // A name alone is more likely a mistake: `1/0>`.
            if self.attribute().map_err(|_| start.error(LinkErrorKind::Link))?.value.is_none() {
                return Err(start.error(LinkErrorKind::Link));
            }
            self.skip_space();
            match self.peek() {
                Some(b';') => self.advance(1),
                Some(b',') | None => break,
                Some(_) => return Err(self.error(LinkErrorKind::Separator)),
            }
        }
        Ok(Some(Attributes::new(start.up_to(self.at))))
    }

    /// The text from here to an offset in the whole.
    fn up_to(&self, end: usize) -> &'a str {
        self.text.get(self.at..end).unwrap_or_default()
    }

    fn link(&mut self) -> Result<Link<'a>, LinkError> {
        self.skip_space();
        let opening = self.error(LinkErrorKind::Unclosed);
        if !self.eat(b'<') {
            return Err(self.error(LinkErrorKind::Link));
        }
        let target = self.take_while(|byte| !matches!(byte, b'<' | b'>' | b'"' | 0..=b' ' | 0x7f));
        match self.peek() {
            Some(b'>') => self.advance(1),
            Some(_) => return Err(self.error(LinkErrorKind::Target)),
            None => return Err(opening),
        }
        self.skip_space();
        let mut attributes = None;
        while self.eat(b';') {
            attributes.get_or_insert_with(|| self.clone());
            self.attribute()?;
            self.skip_space();
        }
        let attributes = attributes.map_or("", |start| start.up_to(self.at));
        match self.peek() {
            Some(b',') | None => Ok(Link::new(target, attributes)),
            Some(_) => Err(self.error(LinkErrorKind::Separator)),
        }
    }

    fn attribute(&mut self) -> Result<Attribute<'a>, LinkError> {
        self.skip_space();
        let name = self.take_while(is_name);
        if name.is_empty() {
            return Err(self.error(LinkErrorKind::Name));
        }
        self.skip_space();
        if !self.eat(b'=') {
            return Ok(Attribute { name, value: None });
        }
        self.skip_space();
        let value = if self.peek() == Some(b'"') { self.quoted()? } else { self.token()? };
        Ok(Attribute { name, value: Some(value) })
    }

    fn token(&mut self) -> Result<AttributeValue<'a>, LinkError> {
        let token = self.take_while(is_token);
        if token.is_empty() { Err(self.error(LinkErrorKind::Value)) } else { Ok(AttributeValue::token(token)) }
    }

    fn quoted(&mut self) -> Result<AttributeValue<'a>, LinkError> {
        let opening = self.error(LinkErrorKind::Quote);
        self.advance(1);
        let inside = self.rest();
        let mut escaped = false;
        for (at, byte) in inside.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.advance(at.saturating_add(1));
                    return Ok(AttributeValue::quoted(inside.get(..at).unwrap_or_default()));
                }
                _ => {}
            }
        }
        Err(opening)
    }

    /// The attribute after the last one, where all were checked before.
    pub(super) fn next_attribute(&mut self) -> Option<Attribute<'a>> {
        let attribute = self.attribute().ok()?;
        self.skip_space();
        self.eat(b';');
        Some(attribute)
    }
}

/// `parmname` and the `*` of an extended one (RFC 6690 §2, RFC 5987 §3.2.1).
pub(super) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' | b'*')
}

/// `ptokenchar`: what may stand in a value without quotes (RFC 6690 §2).
pub(super) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}
