//! The only place that moves through a text.

pub(crate) struct Cursor<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    /// What is not taken yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.rest
    }

    /// How many bytes are taken.
    pub(crate) fn position(&self) -> usize {
        self.text.len().saturating_sub(self.rest.len())
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes the characters of this class that come next, but no more than `max`. The class is one of
    /// ASCII characters.
    pub(crate) fn take(&mut self, max: usize, class: impl Fn(&u8) -> bool) -> &'a str {
        let taken = self.rest.bytes().take(max).take_while(class);
        // Only characters of one byte are in front of the cut, so it is always possible.
        let (taken, rest) = self.rest.split_at_checked(taken.count()).unwrap_or_default();
        self.rest = rest;
        taken
    }

    pub(crate) fn eat(&mut self, expected: char) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes a word as it is written.
    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes a word of ASCII characters, written in capitals or not.
    pub(crate) fn eat_ignoring_case(&mut self, word: &str) -> bool {
        match self.rest.split_at_checked(word.len()) {
            Some((front, rest)) if front.eq_ignore_ascii_case(word) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}
