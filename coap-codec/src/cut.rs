//! Cutting text at ASCII characters.
//!
//! `split_once` and `find` of the standard library search in a way that leaves checks in the image whose
//! failure nobody can see to be impossible. These leave none, which `tools/no_panic.sh` looks at.

/// The text before the first of these ASCII characters, and all that begins with it.
pub(crate) fn split_before(text: &str, [one, other]: [u8; 2]) -> (&str, &str) {
    let at = text.bytes().take_while(|byte| *byte != one && *byte != other).count();
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// What stands before the first of this ASCII character, and behind it.
pub(crate) fn cut(text: &str, wanted: u8) -> Option<(&str, &str)> {
    let (before, behind) = split_before(text, [wanted; 2]);
    Some((before, behind.get(1..)?))
}

/// The pieces between these ASCII characters: at least one.
pub(crate) fn pieces(text: &str, between: u8) -> impl Iterator<Item = &str> + Clone {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let all = rest?;
        let (piece, behind) = cut(all, between).map_or((all, None), |(piece, behind)| (piece, Some(behind)));
        rest = behind;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn it_cuts_as_the_standard_library_does() {
        for text in ["", "a", "/", "a/b", "/a", "a/", "a//b", "é/ü/", "🎉", "//"] {
            assert_eq!(cut(text, b'/'), text.split_once('/'), "{text}");
            assert_eq!(pieces(text, b'/').collect::<Vec<_>>(), text.split('/').collect::<Vec<_>>(), "{text}");
        }
    }
}
