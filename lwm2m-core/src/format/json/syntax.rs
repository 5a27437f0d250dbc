//! JSON text (RFC 8259): where values begin and end, and what strings mean.

use crate::base::value::Stop;
use crate::format::output::Output;

/// Containers inside each other: the document, its `e`, an entry, and as many again for what others
/// put beside them.
const DEPTH: u8 = 6;

/// Whether `text` is a JSON document. The rest of this module is for those that are.
pub(super) fn is_document(text: &[u8]) -> bool {
    let end = value(space(text), DEPTH).map(space);
    core::str::from_utf8(text).is_ok() && end.is_some_and(<[u8]>::is_empty)
}

/// What stands in an array or in an object, one after the other: in an object the names, each
/// followed by its value.
#[derive(Clone)]
pub(super) struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Items<'a> {
    /// The items of an array (`[`) or an object (`{`), `None` for another value.
    pub(super) fn new(container: &'a [u8], opening: u8) -> Option<Self> {
        let (first, rest) = container.split_first()?;
        (*first == opening).then_some(Self { rest })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        // In a document, separators are where they belong.
        while let [b' ' | b'\t' | b'\n' | b'\r' | b',' | b':', rest @ ..] = self.rest {
            self.rest = rest;
        }
        let rest = value(self.rest, DEPTH)?;
        let item = self.rest.get(..self.rest.len().saturating_sub(rest.len()))?;
        self.rest = rest;
        Some(item)
    }
}

/// What is between the quotes of a string, `None` for another value.
pub(super) fn quoted(item: &[u8]) -> Option<&[u8]> {
    item.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// Puts the text that a quoted one stands for.
pub(super) fn unescape(mut quoted: &[u8], output: &mut Output<'_>) -> Result<(), Stop> {
    while let Some((&first, after)) = quoted.split_first() {
        quoted = match escape(quoted) {
            Some((character, after)) => {
                output.put(character.encode_utf8(&mut [0; 4]).as_bytes())?;
                after
            }
            None => {
                output.put(&[first])?;
                after
            }
        };
    }
    Ok(())
}

/// What follows the value that stands in front, `None` when there is none.
fn value(text: &[u8], depth: u8) -> Option<&[u8]> {
    match *text.first()? {
        b'"' => string(text),
        b'{' => container(text, b'}', depth),
        b'[' => container(text, b']', depth),
        b't' => text.strip_prefix(b"true"),
        b'f' => text.strip_prefix(b"false"),
        b'n' => text.strip_prefix(b"null"),
        _ => number(text),
    }
}

fn container(text: &[u8], closing: u8, depth: u8) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    let mut rest = space(text.get(1..)?);
    if let Some(rest) = rest.strip_prefix(&[closing]) {
        return Some(rest);
    }
    loop {
        if closing == b'}' {
            rest = space(space(string(rest)?).strip_prefix(b":")?);
        }
        rest = space(value(rest, depth)?);
        match rest.split_first()? {
            (b',', after) => rest = space(after),
            (byte, after) => return (*byte == closing).then_some(after),
        }
    }
}

fn string(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        rest = match rest.split_first()? {
            (b'"', after) => return Some(after),
            (b'\\', _) => escape(rest)?.1,
            (0..0x20, _) => return None,
            (_, after) => after,
        }
    }
}

/// The character that an escape in front stands for, and what follows it. Half a surrogate pair
/// stands for none.
fn escape(text: &[u8]) -> Option<(char, &[u8])> {
    let (letter, rest) = text.strip_prefix(b"\\")?.split_first()?;
    Some(match letter {
        b'"' | b'\\' | b'/' => (char::from(*letter), rest),
        b'b' => ('\u{8}', rest),
        b'f' => ('\u{c}', rest),
        b'n' => ('\n', rest),
        b'r' => ('\r', rest),
        b't' => ('\t', rest),
        b'u' => {
            let (first, rest) = hex(rest)?;
            if let 0xD800..0xDC00 = first {
                let (second, rest) = hex(rest.strip_prefix(b"\\u")?)?;
                let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                let number = ((first & 0x3FF) << 10 | low).saturating_add(0x1_0000);
                return Some((char::from_u32(number)?, rest));
            }
            (char::from_u32(first)?, rest)
        }
        _ => return None,
    })
}

/// Four hexadecimal digits.
fn hex(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let number = digits.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))?;
    Some((number, rest))
}

/// `-0.5e+3`: unlike elsewhere no zeros in front.
fn number(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let mut rest = match text {
        [b'0', rest @ ..] => rest,
        _ => digits(text)?,
    };
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = digits(fraction)?;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        rest = match exponent {
            [b'+' | b'-', exponent @ ..] | exponent => digits(exponent)?,
        };
    }
    Some(rest)
}

/// What follows one digit or more.
fn digits(text: &[u8]) -> Option<&[u8]> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(count..).filter(|_| count > 0)
}

fn space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    /// What a string stands for.
    fn text(json: &str) -> Option<String> {
        let mut room = [0; 64];
        let mut output = Output::new(&mut room);
        unescape(quoted(json.as_bytes()).filter(|_| is_document(json.as_bytes()))?, &mut output).unwrap();
        Some(core::str::from_utf8(output.written()).unwrap().into())
    }

    #[test]
    fn strings_mean_what_rfc_8259_says() {
        for (json, expected) in [
            (r#""""#, ""),
            (r#""a b""#, "a b"),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\u0041\u00fC\u20ac\u0000""#, "A\u{fc}\u{20ac}\0"),
            (r#""\ud83d\uDE00\uD800\udc00\udbff\udfff""#, "\u{1f600}\u{10000}\u{10ffff}"),
            ("\"gr\u{fc}n \u{1f600}\u{7f}\"", "gr\u{fc}n \u{1f600}\u{7f}"),
        ] {
            assert_eq!(text(json).as_deref(), Some(expected), "{json}");
        }
        for json in [
            r#"""#,
            r#""\""#,
            r#""\a""#,
            r#""\'""#,
            r#""\U0041""#,
            r#""\u004""#,
            r#""\u00g1""#,
            r#""\u+041""#,
            r#""\ud83d""#,
            r#""\ud83d\n""#,
            r#""\ud83dxxude00""#,
            r#""\ud83d\ud83d""#,
            r#""\ude00""#,
            r#""\udfff\ud83d""#,
            "\"\n\"",
            "\"\u{1f}\"",
            "\"\t\"",
            "'a'",
        ] {
            assert_eq!(text(json), None, "{json}");
        }
        assert!(!is_document(b"\"\xC3\x28\""), "no UTF-8");
        assert!(!is_document(b"\"\\u00\xC3\xBC\""));
    }

    #[test]
    fn the_grammar_of_rfc_8259_holds() {
        for json in [
            "0",
            "-0",
            "10",
            "-1.5",
            "0.5e3",
            "1E+09",
            "1e-0",
            "true",
            "false",
            "null",
            " \t\r\n1 \t\r\n",
            "[]",
            "{}",
            "[ ]",
            "{ }",
            "[1,\"a\",[],{}]",
            "{\"a\":1,\"b\":[{\"a\":null}]}",
            "{ \"a\" : 1 , \"a\" : [ 1 , 2 ] }",
            "[[[[[[]]]]]]",
        ] {
            assert!(is_document(json.as_bytes()), "{json}");
        }
        for json in [
            "",
            " ",
            "01",
            "-",
            "+1",
            ".5",
            "5.",
            "1e",
            "1e+",
            "0x1",
            "1_0",
            "NaN",
            "Infinity",
            "-Infinity",
            "True",
            "tru",
            "nul",
            "[",
            "]",
            "[1",
            "[1,",
            "[,]",
            "[1,]",
            "[1 2]",
            "[1}",
            "{1}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1]",
            "{\"a\" 1}",
            "1 1",
            "{}{}",
            "{}x",
            "\u{feff}{}",
            "//\n1",
            "[[[[[[[]]]]]]]",
            "[{\"a\":[{\"a\":[{\"a\":[]}]}]}]",
        ] {
            assert!(!is_document(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn items_are_cut_out_as_they_are() {
        let items = |json: &'static str, opening| {
            let items: Vec<_> =
                Items::new(json.as_bytes(), opening)?.map(|item| str::from_utf8(item).unwrap()).collect();
            Some(items)
        };
        assert_eq!(
            items("[ 1 , \"a,]\" ,[2, 3],{\"b\" : 4}, null]", b'['),
            Some(alloc::vec!["1", "\"a,]\"", "[2, 3]", "{\"b\" : 4}", "null"])
        );
        assert_eq!(items("{ \"a\" : 1 ,\"b\":{} }", b'{'), Some(alloc::vec!["\"a\"", "1", "\"b\"", "{}"]));
        assert_eq!(items("[]", b'['), Some(Vec::new()));
        assert_eq!(items("[]", b'{'), None);
        assert_eq!(items("1", b'['), None);
    }

    #[test]
    fn however_deep_a_document_goes_it_takes_no_more_stack() {
        for nest in ["[", "{\"a\":", "[{\"a\":"] {
            assert!(!is_document(nest.repeat(100_000).as_bytes()));
        }
    }
}
