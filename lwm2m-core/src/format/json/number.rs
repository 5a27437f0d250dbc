//! Whole numbers, in any notation that JSON has for them.

/// The number that a JSON number stands for, also when it is written as `1.0` or `1e3`; `None` when
/// it is not whole or does not fit.
pub(super) fn signed(text: &[u8]) -> Option<i64> {
    match text.strip_prefix(b"-") {
        Some(magnitude) => 0i64.checked_sub_unsigned(whole(magnitude)?),
        None => whole(text)?.try_into().ok(),
    }
}

/// As [`signed`], for numbers from zero to `u64::MAX`.
pub(super) fn unsigned(text: &[u8]) -> Option<u64> {
    match text.strip_prefix(b"-") {
        Some(magnitude) => whole(magnitude).filter(|magnitude| *magnitude == 0),
        None => whole(text),
    }
}

fn whole(text: &[u8]) -> Option<u64> {
    let at = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
    let (text, exponent) = text.split_at_checked(at)?;
    let mut shift = power(exponent);
    // The number up to its last digit that is not zero, and how many zeros follow.
    let (mut number, mut zeros) = (0, 0i32);
    let mut step = 0;
    for &byte in text {
        if byte == b'.' {
            step = 1;
            continue;
        }
        zeros = zeros.saturating_add(1);
        shift = shift.saturating_sub(step);
        if byte != b'0' {
            number = times_ten_to(number, zeros)?.checked_add((byte & 0x0F).into())?;
            zeros = 0;
        }
    }
    times_ten_to(number, shift.saturating_add(zeros))
}

/// `e-3`, or nothing; what is too large for the type is as good as the largest.
fn power(exponent: &[u8]) -> i32 {
    let digits = exponent.iter().filter(|byte| byte.is_ascii_digit());
    let magnitude = digits.fold(0i32, |number, digit| number.saturating_mul(10).saturating_add((digit & 0x0F).into()));
    if exponent.contains(&b'-') { magnitude.saturating_neg() } else { magnitude }
}

fn times_ten_to(mut number: u64, power: i32) -> Option<u64> {
    if number == 0 {
        return Some(0);
    }
    // Too large after twenty steps at the latest.
    for _ in 0..u32::try_from(power).ok()? {
        number = number.checked_mul(10)?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;

    #[test]
    fn whole_numbers_are_exact_in_every_notation() {
        for (text, number) in [
            ("0", 0),
            ("-0", 0),
            ("0.000", 0),
            ("0e99999999999", 0),
            ("100", 100),
            ("1.0", 1),
            ("1.00000000000000000000000000000000000000", 1),
            ("1e3", 1_000),
            ("-1.5E+1", -15),
            ("0.0025e4", 25),
            ("120000e-4", 12),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9.223372036854775807e18", i64::MAX),
            ("9007199254740993.0", 9_007_199_254_740_993),
        ] {
            assert_eq!(signed(text.as_bytes()), Some(number), "{text}");
        }
        for text in [
            "1.5",
            "1e-1",
            "0.9999999999999999999999",
            "1.00000000000000000000001",
            "9223372036854775808",
            "-9223372036854775809",
            "1e19",
            "1e99999999999",
            "1e-99999999999",
            "123456789012345678901234567890",
        ] {
            assert_eq!(signed(text.as_bytes()), None, "{text}");
        }
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned(b"1844674407370955161.5e1"), Some(u64::MAX));
        assert_eq!(unsigned(b"-0.0"), Some(0));
        assert_eq!(unsigned(b"18446744073709551616"), None);
        assert_eq!(unsigned(b"-1"), None);
    }

    proptest! {
        #[test]
        fn moving_the_point_changes_nothing(number: i64, places in 0..30usize) {
            let digits = format!("{:0>1$}", number.unsigned_abs(), places + 1);
            let (whole, fraction) = digits.split_at(digits.len() - places);
            let point = if places == 0 { "" } else { "." };
            let sign = if number < 0 { "-" } else { "" };
            let text = format!("{sign}{whole}{point}{fraction}e{places}");
            prop_assert_eq!(signed(text.as_bytes()), Some(number), "{}", text);
            prop_assert_eq!(signed(format!("{number}").as_bytes()), Some(number));
        }
    }
}
