//! The column "Range or Enumeration": free text in which a few notations are usual.

use crate::definition::DataType;

/// What the column says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Range {
    /// Nothing.
    Any,
    Integer(i64, i64),
    Float(f64, f64),
    /// In bytes.
    Length(usize, usize),
    /// Only some lengths between the first and the last; the text as it is printed.
    SomeLengths(usize, usize, String),
    /// Text that says more than a range can, or nothing that a program understands.
    Text(String),
}

impl Range {
    pub(crate) fn parse(text: &str, data_type: DataType) -> Self {
        // A dash is a dash, however long it was typeset.
        let plain = text.trim().replace('\u{2013}', "-");
        if plain.is_empty() {
            return Self::Any;
        }
        let understood = match data_type {
            DataType::Integer | DataType::UnsignedInteger | DataType::Time => {
                ends(&plain).and_then(|(low, high)| ordered(low.parse().ok()?, high.parse().ok()?, Self::Integer))
            }
            DataType::Float => {
                let finite = |end: &str| end.parse().ok().filter(|end: &f64| end.is_finite());
                ends(&plain).and_then(|(low, high)| ordered(finite(low)?, finite(high)?, Self::Float))
            }
            DataType::String | DataType::Opaque => lengths(&plain),
            DataType::Boolean | DataType::ObjectLink | DataType::CoreLink | DataType::None => None,
        };
        understood.unwrap_or_else(|| Self::Text(text.trim().into()))
    }
}

/// Both ends of `0..255`, `0-255`, `-90 .. 90`.
fn ends(text: &str) -> Option<(&str, &str)> {
    // A minus sign in front belongs to the number.
    let dash = || text.char_indices().skip(1).find(|(_, letter)| *letter == '-').map(|(at, _)| at);
    let (low, high) = text.split_once("..").or_else(|| Some((text.get(..dash()?)?, text.get(dash()? + 1..)?)))?;
    Some((low.trim(), high.trim()))
}

fn ordered<T: PartialOrd>(low: T, high: T, range: fn(T, T) -> Range) -> Option<Range> {
    (low <= high).then(|| range(low, high))
}

/// `0..255`, `0-255 bytes`, `6 bytes`; `16,32,48` and `16-32-48 bytes` are the lengths that may be.
fn lengths(text: &str) -> Option<Range> {
    let numbers = text.strip_suffix("bytes").unwrap_or(text).trim();
    if let Some((low, high)) = ends(numbers)
        && let (Ok(low), Ok(high)) = (low.parse(), high.parse())
    {
        return ordered(low, high, Range::Length);
    }
    let lengths: Option<Vec<usize>> = numbers.split([',', '-']).map(|length| length.trim().parse().ok()).collect();
    match &*lengths? {
        [length] => Some(Range::Length(*length, *length)),
        several => Some(Range::SomeLengths(*several.iter().min()?, *several.iter().max()?, text.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notations_that_occur() {
        let text = |text: &str| Range::Text(text.into());
        for (printed, data_type, range) in [
            ("", DataType::Integer, Range::Any),
            ("  ", DataType::String, Range::Any),
            ("0-255", DataType::Integer, Range::Integer(0, 255)),
            ("0..255", DataType::Integer, Range::Integer(0, 255)),
            (" 1 .. 65534 ", DataType::Integer, Range::Integer(1, 65_534)),
            ("0 - 100", DataType::UnsignedInteger, Range::Integer(0, 100)),
            ("0\u{2013}100", DataType::Integer, Range::Integer(0, 100)),
            ("-20..-5", DataType::Integer, Range::Integer(-20, -5)),
            ("-20--5", DataType::Integer, Range::Integer(-20, -5)),
            ("-128-127", DataType::Integer, Range::Integer(-128, 127)),
            ("0..4102444800", DataType::Time, Range::Integer(0, 4_102_444_800)),
            ("-90..90", DataType::Float, Range::Float(-90.0, 90.0)),
            ("0.5-1.25", DataType::Float, Range::Float(0.5, 1.25)),
            ("0..255", DataType::String, Range::Length(0, 255)),
            ("0-255 bytes", DataType::String, Range::Length(0, 255)),
            ("0..255 bytes", DataType::String, Range::Length(0, 255)),
            ("6 bytes", DataType::Opaque, Range::Length(6, 6)),
            ("6", DataType::Opaque, Range::Length(6, 6)),
            ("16-32-48 bytes", DataType::Opaque, Range::SomeLengths(16, 48, "16-32-48 bytes".into())),
            ("16,32,48", DataType::Opaque, Range::SomeLengths(16, 48, "16,32,48".into())),
            // What a program does not understand is kept for people.
            ("16-bit", DataType::Integer, text("16-bit")),
            ("5", DataType::Integer, text("5")),
            ("255..0", DataType::Integer, text("255..0")),
            ("255..0", DataType::String, text("255..0")),
            ("0..18446744073709551615", DataType::UnsignedInteger, text("0..18446744073709551615")),
            ("0..inf", DataType::Float, text("0..inf")),
            ("0..1", DataType::Boolean, text("0..1")),
            ("listed in 5.3.1.1", DataType::String, text("listed in 5.3.1.1")),
            ("-", DataType::Integer, text("-")),
            ("..", DataType::Float, text("..")),
        ] {
            assert_eq!(Range::parse(printed, data_type), range, "{printed:?} of {data_type:?}");
        }
    }
}
