//! One link that was read, and its attributes.

use core::fmt::{self, Write};
use core::iter::FusedIterator;

use super::parse::Scanner;
use crate::ContentFormat;
use crate::cut::cut;

/// A link: where it leads to, and what is said about that.
#[derive(Clone, Copy)]
pub struct Link<'a> {
    target: &'a str,
    /// Checked: attributes between `;`.
    attributes: &'a str,
}

impl<'a> Link<'a> {
    pub(super) const fn new(target: &'a str, attributes: &'a str) -> Self {
        Self { target, attributes }
    }

    /// The URI reference between `<` and `>`, such as `/3/0`, as it stands there: neither resolved
    /// nor percent-decoded. It may be empty.
    #[must_use]
    pub const fn target(&self) -> &'a str {
        self.target
    }

    /// All attributes, in their order.
    #[must_use]
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.attributes)
    }

    /// The first attribute of this name. Those that may be there once only count for nothing when
    /// they come again (RFC 6690 §3).
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.name == name)
    }

    /// The value of the first attribute of this name, if it has one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<AttributeValue<'a>> {
        self.attribute(name)?.value
    }

    /// `rt`: what the resource is, in the words of its maker (§3.1).
    #[must_use]
    pub fn resource_types(&self) -> Words<'a> {
        self.words("rt")
    }

    /// `if`: how to talk to it (§3.2).
    #[must_use]
    pub fn interfaces(&self) -> Words<'a> {
        self.words("if")
    }

    /// `rel`: how it is related to the anchor; `hosts` is meant when there is none (§2.2).
    #[must_use]
    pub fn relations(&self) -> Words<'a> {
        self.words("rel")
    }

    /// `sz`: how large its representation may be, in bytes (§3.3).
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.value("sz")?.as_u64()
    }

    /// `ct`: the formats that it can be had in (RFC 7252 §7.2.1). What is no number of a format is
    /// passed over.
    pub fn content_formats(&self) -> impl Iterator<Item = ContentFormat> + Clone + use<'a> {
        self.words("ct").filter_map(|word| word.parse().ok().map(ContentFormat))
    }

    /// `title`: its name for a person (RFC 8288 §3.4.1).
    #[must_use]
    pub fn title(&self) -> Option<AttributeValue<'a>> {
        self.value("title")
    }

    /// `anchor`: what the link leads away from, if it is not this server (RFC 6690 §2.1).
    #[must_use]
    pub fn anchor(&self) -> Option<AttributeValue<'a>> {
        self.value("anchor")
    }

    /// `obs`: that observing it makes sense (RFC 7641 §6).
    #[must_use]
    pub fn is_observable(&self) -> bool {
        self.attribute("obs").is_some()
    }

    /// Whether a query of `/.well-known/core` asks for it (RFC 6690 §4.1): `rt=light`, with one of
    /// the words of the attribute or all of it, `href=/sensors*` for all targets that begin so.
    ///
    /// ```
    /// use coap_codec::link_format::Links;
    ///
    /// let text = r#"</light>;rt="light lamp""#;
    /// let link = Links::new(text).next().ok_or("a link")??;
    /// assert!(link.matches("rt=lamp") && link.matches("rt=li*") && link.matches("href=/l*"));
    /// assert!(!link.matches("rt=la") && !link.matches("if=lamp"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn matches(&self, query: &str) -> bool {
        let (name, pattern) = cut(query, b'=').unwrap_or((query, "*"));
        let (pattern, is_prefix) = pattern.strip_suffix('*').map_or((pattern, false), |prefix| (prefix, true));
        let fits = |text: &str| if is_prefix { text.starts_with(pattern) } else { text == pattern };
        if name == "href" {
            return fits(self.target);
        }
        match self.attribute(name) {
            None => false,
            Some(Attribute { value: None, .. }) => fits(""),
            Some(Attribute { value: Some(value), .. }) => fits(value.raw()) || value.words().any(fits),
        }
    }

    fn words(&self, name: &str) -> Words<'a> {
        self.value(name).map_or_else(|| Words { inner: "".split_ascii_whitespace() }, |value| value.words())
    }
}

/// By target and attributes, whose order counts; spaces and kinds of quoting do not.
impl PartialEq for Link<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.target == other.target && self.attributes().eq(other.attributes())
    }
}

impl Eq for Link<'_> {}

/// As it stands in the text, without spaces between its parts.
impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.target)?;
        self.attributes().try_for_each(|attribute| write!(f, ";{attribute}"))
    }
}

impl fmt::Debug for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The attributes of a link, which were checked when it was read.
#[derive(Clone)]
pub struct Attributes<'a> {
    rest: Scanner<'a>,
}

impl<'a> Attributes<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: Scanner::new(text) }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        self.rest.next_attribute()
    }
}

impl FusedIterator for Attributes<'_> {}

impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// An attribute: its name, and its value, which not every one has. `obs` and `obs=""` are not the
/// same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Such as `rt`.
    pub name: &'a str,
    /// What stands behind the `=`.
    pub value: Option<AttributeValue<'a>>,
}

/// As it stands in the text, without spaces around the `=`.
impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.value {
            None => Ok(()),
            Some(AttributeValue { raw, quoted: true }) => write!(f, "=\"{raw}\""),
            Some(AttributeValue { raw, quoted: false }) => write!(f, "={raw}"),
        }
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The value of an attribute. It compares, and is shown, as what is meant: without quotes and
/// escapes.
#[derive(Clone, Copy)]
pub struct AttributeValue<'a> {
    raw: &'a str,
    quoted: bool,
}

impl<'a> AttributeValue<'a> {
    pub(super) const fn token(raw: &'a str) -> Self {
        Self { raw, quoted: false }
    }

    pub(super) const fn quoted(raw: &'a str) -> Self {
        Self { raw, quoted: true }
    }

    /// The text without the quotes around it, but with its escapes.
    #[must_use]
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    /// Whether it stands in quotes: an unquoted `ct=40` is a number, a quoted one a list.
    #[must_use]
    pub const fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// The characters that are meant: each `\` is left out, and what follows it is taken as it is.
    #[must_use]
    pub fn chars(&self) -> Characters<'a> {
        Characters { rest: self.raw.chars() }
    }

    /// The text that is meant, without a copy: `None` if there are escapes in it.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        (!self.raw.bytes().any(|byte| byte == b'\\')).then_some(self.raw)
    }

    /// The words between spaces, as in `rt`, `if`, `rel` and `ct`. Words have no escapes.
    #[must_use]
    pub fn words(&self) -> Words<'a> {
        Words { inner: self.raw.split_ascii_whitespace() }
    }

    /// The value as a number in decimal digits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.raw.bytes().all(|byte| byte.is_ascii_digit()).then(|| self.raw.parse().ok())?
    }
}

impl PartialEq for AttributeValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.chars().eq(other.chars())
    }
}

impl Eq for AttributeValue<'_> {}

impl PartialEq<str> for AttributeValue<'_> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

impl PartialEq<&str> for AttributeValue<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// The text that is meant.
impl fmt::Display for AttributeValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|character| f.write_char(character))
    }
}

impl fmt::Debug for AttributeValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted { write!(f, "\"{}\"", self.raw) } else { f.write_str(self.raw) }
    }
}

/// The characters of a value, without its escapes.
#[derive(Clone, Debug)]
pub struct Characters<'a> {
    rest: core::str::Chars<'a>,
}

impl Iterator for Characters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self.rest.next() {
            // Without quotes there is none (RFC 6690 §2: `ptokenchar`).
            Some('\\') => self.rest.next(),
            character => character,
        }
    }
}

impl FusedIterator for Characters<'_> {}

/// The words of a value.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    inner: core::str::SplitAsciiWhitespace<'a>,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.inner.next()
    }
}

impl FusedIterator for Words<'_> {}
